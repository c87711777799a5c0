//! Runs against each other: trends, comparisons, load.

use crate::api::access::gate::{Gate, Symptoms};
use crate::api::access::roles::Resource;
use crate::api::answer;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Path, Query};
use crate::api::problem::Problem;
use crate::review::card::card;
use crate::review::compare::{Chosen, compare};
use crate::review::load::load;
use crate::review::own_usual::{Part, Series};
use crate::review::trend::{TrendQuery, trend};
use crate::review::{Card, Compare, Load, StateChange, Trend};
use crate::store::sqlite::KeptState;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

/// Most weeks: ten years.
const WEEKS_MAX: u32 = 520;

/// Which trend.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct TrendWanted {
    /// Whose.
    athlete: String,
    /// A metric, or a run value of the rule file.
    metric: String,
    /// Weeks back, up to 520; 8 where it is missing.
    weeks: Option<u32>,
    /// Speed at which runs are compared, m/s.
    speed_ms: Option<f64>,
    /// `all`, `first` or `last` part of each run.
    part: Option<String>,
}

/// What is compared.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct CompareWanted {
    /// Whose.
    athlete: String,
    /// One side: a session, `last`, `lap:SESSION:N`, `before:DAY`, `from:DAY`, `shoe:ID` or `ground:hard|uneven|other`.
    a: String,
    /// The other.
    b: String,
}

/// Whose load.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct LoadWanted {
    /// Whose.
    athlete: String,
    /// Weeks back, up to 520; 8 where it is missing.
    weeks: Option<u32>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/sessions/{session}/card",
            Resource::Session,
            "The card after a run.",
            card_of,
        )
        .answers::<Card>(200),
        Endpoint::get(
            "/trends",
            Resource::Trends,
            "One metric over weeks, at matched speed.",
            trend_of,
        )
        .query::<TrendWanted>()
        .answers::<Trend>(200),
        Endpoint::get(
            "/compare",
            Resource::Trends,
            "Two sets of runs at the speeds they share.",
            compared,
        )
        .query::<CompareWanted>()
        .answers::<Compare>(200),
        Endpoint::get(
            "/load",
            Resource::Trends,
            "Weeks of running, and the usual week.",
            load_of,
        )
        .query::<LoadWanted>()
        .answers::<Load>(200),
    ]
}

async fn card_of(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let card = app
        .ask(move |app| {
            let (row, sight) = super::measured::seen(app, &gate, &session)?;
            let looked = app.looked(&row.meta.athlete, None, sight)?;
            let card = card(app.review(), &looked.past, &session, looked.sight, &looked.changes)?;
            let mut card = card.ok_or_else(|| Problem::not_found("such session"))?;
            super::sessions::without_words(&mut card.session, &row, sight);
            Ok::<_, Problem>(card)
        })
        .await?;
    answer::json_marked(&headers, &card)
}

fn weeks(given: Option<u32>) -> Result<u32, Problem> {
    Ok(extract::limit(given, 8, WEEKS_MAX as usize)? as u32)
}

async fn trend_of(
    State(app): State<App>,
    gate: Gate,
    Query(wanted): Query<TrendWanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let athlete = extract::athlete(&wanted.athlete)?;
    let series = Series::from_name(&wanted.metric, app.rules())
        .ok_or_else(|| Problem::parameter("metric", format!("{:?} is no metric", wanted.metric)))?;
    let part = wanted.part.as_deref().unwrap_or("all");
    let part = Part::from_name(part).ok_or_else(|| Problem::parameter("part", "it is not all, first or last"))?;
    if wanted.speed_ms.is_some_and(|v| !(0.1..=15.0).contains(&v)) {
        return Err(Problem::parameter("speed_ms", "it is not between 0.1 and 15 m/s"));
    }
    let query = TrendQuery {
        series,
        weeks: weeks(wanted.weeks)?,
        speed_ms: wanted.speed_ms,
        part,
    };
    let trend = app
        .ask(move |app| {
            let sight = gate.athlete(app, &athlete)?;
            let looked = app.looked(&athlete, None, sight)?;
            let kept = kept(&looked.changes);
            Ok::<_, Problem>(trend(app.rules(), &looked.past, &query, looked.sight, &kept))
        })
        .await?;
    answer::json_marked(&headers, &trend)
}

fn kept(changes: &[StateChange]) -> Vec<KeptState> {
    let kept = |c: &StateChange| KeptState {
        flag: c.id.clone(),
        day: c.day,
        state: c.state.word().to_owned(),
        evidence: None,
    };
    changes.iter().map(kept).collect()
}

async fn compared(
    State(app): State<App>,
    gate: Gate,
    Query(wanted): Query<CompareWanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let athlete = extract::athlete(&wanted.athlete)?;
    let a = Chosen::parse(&wanted.a).map_err(|e| Problem::parameter("a", e))?;
    let b = Chosen::parse(&wanted.b).map_err(|e| Problem::parameter("b", e))?;
    let compared = app
        .ask(move |app| {
            let sight = gate.athlete(app, &athlete)?;
            let lap = [&a, &b].iter().any(|c| matches!(c, Chosen::Lap(..)));
            if lap && sight.symptoms == Symptoms::Hidden {
                return Err(Problem::forbidden(
                    "Laps are marks that the runner made during a run, and those are not shared with you.",
                ));
            }
            let looked = app.looked(&athlete, None, sight)?;
            Ok::<_, Problem>(compare(app.review(), &looked.past, &a, &b)?)
        })
        .await?;
    answer::json_marked(&headers, &compared)
}

async fn load_of(
    State(app): State<App>,
    gate: Gate,
    Query(wanted): Query<LoadWanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let athlete = extract::athlete(&wanted.athlete)?;
    let weeks = weeks(wanted.weeks)? as usize;
    let load = app
        .ask(move |app| {
            let sight = gate.athlete(app, &athlete)?;
            let looked = app.looked(&athlete, None, sight)?;
            Ok::<_, Problem>(load(&looked.past, weeks))
        })
        .await?;
    answer::json_marked(&headers, &load)
}
