//! Reports: one page that stands alone, for whoever it is meant for, and never more than who asks may see.

use crate::api::access::gate::Gate;
use crate::api::access::guard::STANDS_ALONE;
use crate::api::access::roles::Resource;
use crate::api::answer;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Query};
use crate::api::problem::Problem;
use crate::report::{Ask, Form, Naming, Paper, Reader, compose, gather_at_most, html};
use crate::review::compare::Chosen;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which report.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// About this session.
    session: Option<String>,
    /// About this athlete, where no session is named.
    athlete: Option<String>,
    /// For `runner`, `coach` or `therapist`; the runner where it is missing.
    #[serde(rename = "for")]
    #[param(rename = "for")]
    reader: Option<String>,
    /// One side of a comparison: a session, `last`, `before:DAY`, `from:DAY`, `shoe:ID` or `ground:hard|uneven|other`.
    a: Option<String>,
    /// The other.
    b: Option<String>,
    /// `html`; `pdf` where this build writes it.
    format: Option<String>,
    /// `a4` or `letter`.
    paper: Option<String>,
    /// `report`, or `letter`: one page in plain words and without symptoms, to hand on. The report where it is missing.
    form: Option<String>,
    /// `name` or `pseudonym`; where it is missing a pseudonym for a coach and the name for everybody else.
    naming: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/reports",
            Resource::Trends,
            "A page about a run or a runner, to print or to keep.",
            report,
        )
        .query::<Wanted>()
        .answers_as(200, "text/html"),
    ]
}

fn reader(name: Option<&str>) -> Result<Reader, Problem> {
    match name {
        None | Some("runner") => Ok(Reader::Runner),
        Some("coach") => Ok(Reader::Coach),
        Some("therapist") => Ok(Reader::Therapist),
        Some(_) => Err(Problem::parameter("for", "it is not runner, coach or therapist")),
    }
}

fn ask(wanted: &Wanted) -> Result<Ask, Problem> {
    let side = |name: &'static str, text: &Option<String>| {
        let chosen = text.as_deref().map(Chosen::parse).transpose();
        chosen.map_err(|e| Problem::parameter(name, e))
    };
    let compare = match (side("a", &wanted.a)?, side("b", &wanted.b)?) {
        (Some(a), Some(b)) => Some((a, b)),
        (None, None) => None,
        (Some(_), None) => return Err(Problem::parameter("b", "a comparison needs both sides")),
        (None, Some(_)) => return Err(Problem::parameter("a", "a comparison needs both sides")),
    };
    let reader = reader(wanted.reader.as_deref())?;
    let form = match wanted.form.as_deref() {
        None | Some("report") => Form::Report,
        Some("letter") => Form::Letter,
        Some(_) => return Err(Problem::parameter("form", "it is not report or letter")),
    };
    Ok(Ask {
        reader,
        form,
        naming: match wanted.naming.as_deref() {
            Some("name") => Naming::Name,
            Some("pseudonym") => Naming::Pseudonym,
            None if form == Form::Letter => Naming::Name,
            None => reader.usual_naming(),
            Some(_) => return Err(Problem::parameter("naming", "it is not name or pseudonym")),
        },
        agreed: Vec::new(),
        session: wanted.session.as_deref().map(extract::session).transpose()?,
        compare,
        paper: match wanted.paper.as_deref() {
            None | Some("a4") => Paper::A4,
            Some("letter") => Paper::Letter,
            Some(_) => return Err(Problem::parameter("paper", "it is not a4 or letter")),
        },
        question: None,
        clinician: None,
    })
}

async fn report(
    State(app): State<App>,
    gate: Gate,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = ask(&wanted)?;
    // The dashboard names the paper where a format is asked for.
    let pdf = match wanted.format.as_deref() {
        None | Some("html" | "a4" | "letter") => false,
        Some("pdf") => true,
        Some(_) => return Err(Problem::parameter("format", "it is not html or pdf")),
    };
    let athlete = wanted.athlete.as_deref().map(extract::athlete).transpose()?;
    if ask.session.is_none() && athlete.is_none() {
        return Err(Problem::parameter(
            "session",
            "neither a session nor an athlete is named",
        ));
    }
    let document = app
        .ask(move |app| {
            let (who, sight) = match (&ask.session, athlete) {
                (Some(session), _) => {
                    let (row, sight) = super::measured::seen(app, &gate, session)?;
                    (row.meta.athlete, sight)
                }
                (None, Some(athlete)) => {
                    let sight = gate.athlete(app, &athlete)?;
                    (athlete, sight)
                }
                (None, None) => return Err(Problem::not_found("such athlete")),
            };
            let looked = app.looked(&who, None, sight)?;
            let material = gather_at_most(app.review(), &looked.past, &ask, looked.sight)?;
            Ok::<_, Problem>(compose(&material, &ask))
        })
        .await?;
    if pdf {
        return in_pdf(&headers, &document);
    }
    let mut response = answer::marked(&headers, "text/html; charset=utf-8", html::html(&document).into_bytes());
    response
        .headers_mut()
        .insert(STANDS_ALONE, HeaderValue::from_static("1"));
    Ok(response)
}

#[cfg(feature = "pdf")]
fn in_pdf(headers: &HeaderMap, document: &crate::report::Document) -> Result<Response, Problem> {
    let bytes = crate::report::pdf::pdf(document)
        .map_err(|e| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "lope::report::pdf", e.to_string()))?;
    Ok(answer::marked(headers, "application/pdf", bytes))
}

#[cfg(not(feature = "pdf"))]
fn in_pdf(_: &HeaderMap, _: &crate::report::Document) -> Result<Response, Problem> {
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "lope::report::no_pdf",
        "This build writes no PDF; ask for html, which prints as well.",
    ))
}
