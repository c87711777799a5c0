//! What people said: entries of the journal.

use super::entry::{EntryBody, FlatEntry};
use crate::api::access::consent;
use crate::api::access::gate::{Gate, Symptoms};
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List, ROWS_MAX};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Json, Path, Query};
use crate::api::problem::Problem;
use crate::store::access::Role;
use crate::store::journal::{Entry, EntryQuery, Journal as _, Kind, Put};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Whose.
    athlete: String,
    /// Of these kinds, separated by commas; all where it is missing.
    kinds: Option<String>,
    /// From this day on.
    from: Option<String>,
    /// Up to this day, included.
    to: Option<String>,
}

/// What became of an entry.
#[derive(Serialize, ToSchema)]
struct PutAnswer {
    /// `new`, `known` or `corrected`.
    put: &'static str,
}

/// An entry as it was before.
#[derive(Serialize, ToSchema)]
struct PastItem {
    /// What it said.
    #[serde(flatten)]
    entry: FlatEntry,
    /// Its number among the versions, from 1.
    revision: u32,
    /// When it was replaced or taken back, µs UTC.
    until_us: i64,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let one = "/journal/{athlete}/{id}";
    vec![
        Endpoint::get("/journal", Resource::Journal, "What an athlete said, by day.", list)
            .query::<Wanted>()
            .answers_list::<FlatEntry>(200),
        Endpoint::put(
            one,
            Resource::Journal,
            "Keep an entry; the same again changes nothing.",
            put,
        )
        .body::<EntryBody>()
        .answers::<PutAnswer>(200),
        Endpoint::delete(one, Resource::Journal, "Take an entry back.", take_back).answers_nothing(204),
        Endpoint::get(
            "/journal/{athlete}/{id}/past",
            Resource::Journal,
            "What an entry said before.",
            past,
        )
        .answers_list::<PastItem>(200),
    ]
}

async fn list(State(app): State<App>, gate: Gate, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let query = EntryQuery {
        athlete: Some(extract::athlete(&wanted.athlete)?),
        kinds: kinds(wanted.kinds.as_deref())?,
        from: extract::day("from", wanted.from.as_deref())?,
        to: extract::day("to", wanted.to.as_deref())?,
    };
    let items = app
        .ask(move |app| {
            let athlete = query
                .athlete
                .clone()
                .ok_or_else(|| Problem::not_found("such athlete"))?;
            let sight = gate.athlete(app, &athlete)?;
            let entries = app.journal().entries(&query)?;
            if entries.len() > ROWS_MAX {
                return Err(Problem::parameter(
                    "from, to",
                    format!("more than {ROWS_MAX} entries; ask for fewer days"),
                ));
            }
            entries
                .into_iter()
                .filter_map(|e| seen(e, sight.symptoms))
                .map(|e| FlatEntry::of(&e))
                .collect()
        })
        .await?;
    answer::json(&List::<FlatEntry>::whole(items))
}

/// An entry as this caller may see it.
fn seen(entry: Entry, symptoms: Symptoms) -> Option<Entry> {
    match symptoms {
        Symptoms::Shown => Some(entry),
        Symptoms::Hidden => consent::without_symptoms(entry),
    }
}

fn kinds(text: Option<&str>) -> Result<Vec<Kind>, Problem> {
    let Some(text) = text else { return Ok(Vec::new()) };
    text.split(',')
        .map(|name| {
            let kind = Kind::ALL.into_iter().find(|k| k.name() == name);
            kind.ok_or_else(|| Problem::parameter("kinds", format!("{name:?} is no kind of entry")))
        })
        .collect()
}

async fn put(
    State(app): State<App>,
    gate: Gate,
    Path((athlete, id)): Path<(String, String)>,
    Json(body): Json<EntryBody>,
) -> Result<Response, Problem> {
    let (athlete, id) = (extract::athlete(&athlete)?, extract::entry(&id)?);
    let entry = body.entry(athlete, id)?;
    // What a therapist writes is notes; everything else is the athlete's own.
    if gate.caller.role == Role::Therapist && entry.body.kind() != Kind::ClinicianNote {
        return Err(Problem::forbidden("A therapist writes notes (clinician_note) only."));
    }
    if entry.body.kind() == Kind::StrideVerdict {
        return Err(at_the_stride());
    }
    let consent = entry.body.kind() == Kind::Consent;
    let whose = entry.athlete.clone();
    let put = app
        .ask(move |app| {
            gate.athlete(app, &entry.athlete)?;
            let put = app.journal().put(&entry, app.now())?;
            if put != Put::Known {
                app.renew_flags(&entry.athlete)?;
            }
            Ok::<_, Problem>(put)
        })
        .await?;
    if consent {
        app.access_changed();
    }
    app.hub().look_again(&whose);
    answer::json(&PutAnswer {
        put: match put {
            Put::New => "new",
            Put::Known => "known",
            Put::Corrected => "corrected",
        },
    })
}

async fn take_back(
    State(app): State<App>,
    gate: Gate,
    Path((athlete, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (athlete, id) = (extract::athlete(&athlete)?, extract::entry(&id)?);
    let whose = athlete.clone();
    let gone = app
        .ask(move |app| {
            gate.athlete(app, &athlete)?;
            let before = app.journal().entry(&athlete, &id)?;
            if before.is_some_and(|e| e.body.kind() == Kind::StrideVerdict) {
                return Err(at_the_stride());
            }
            let gone = app.journal().take_back(&athlete, &id, app.now())?;
            if gone {
                app.renew_flags(&athlete)?;
            }
            Ok::<_, Problem>(gone)
        })
        .await?;
    app.access_changed();
    app.hub().look_again(&whose);
    if gone {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found("such entry"))
    }
}

/// Who speaks about a stride is known from the caller, not from what is sent, and is not taken out of the record.
fn at_the_stride() -> Problem {
    let detail = "Whether a stride counts is said, and taken back, at the stride: PUT /sessions/{session}/strides/{idx}/verdict.";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lope::journal::verdict", detail)
}

async fn past(
    State(app): State<App>,
    gate: Gate,
    Path((athlete, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (athlete, id) = (extract::athlete(&athlete)?, extract::entry(&id)?);
    let items = app
        .ask(move |app| {
            let sight = gate.athlete(app, &athlete)?;
            let past = app.journal().past(&athlete, &id)?;
            past.into_iter()
                .filter_map(|p| {
                    let entry = FlatEntry::of(&seen(p.entry, sight.symptoms)?);
                    Some(entry.map(|entry| PastItem {
                        entry,
                        revision: p.revision,
                        until_us: p.until.micros(),
                    }))
                })
                .collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    answer::json(&List::whole(items))
}
