//! Runs as they happen: who runs, their streams, and what viewers may ask of a run.

use super::sessions::mark;
use crate::api::access::gate::Gate;
use crate::api::access::guard::Origin;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Json, Path};
use crate::api::live::hub::{Beginning, NotTaken};
use crate::api::live::watching::{Scope, Watching};
use crate::api::live::{Command, RunAbout};
use crate::api::looked::sight_of;
use crate::api::problem::Problem;
use crate::review::Sight;
use crate::store::{AthleteId, SessionId};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A live run in a list.
#[derive(Serialize, ToSchema)]
struct LiveItem {
    /// Its session.
    session: SessionId,
    /// Who runs.
    athlete: AthleteId,
    /// As people know it.
    name: String,
    /// When it began, µs UTC.
    started_us: i64,
    /// `record`, `replay` or `demo`.
    kind: String,
}

/// What is asked of a run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LiveEvent {
    /// Chosen by whoever sends it: the same twice is taken once.
    id: String,
    /// `lap`, `pain`, `marker`, `mute`, `unmute` or `stop`.
    kind: String,
    /// Pain, 0 to 10.
    value: Option<u8>,
    /// A remark.
    text: Option<String>,
}

/// What was taken.
#[derive(Serialize, ToSchema)]
struct Taken {
    /// As it was sent.
    id: String,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/live", Resource::Live, "Runs that happen now.", list).answers_list::<LiveItem>(200),
        Endpoint::get(
            "/live/squad",
            Resource::Live,
            "All runs whom the caller reaches, as one stream.",
            squad,
        )
        .answers_as(200, "text/event-stream"),
        Endpoint::get(
            "/live/{session}",
            Resource::Live,
            "One run as a stream of events.",
            watch,
        )
        .answers_as(200, "text/event-stream"),
        Endpoint::post(
            "/live/{session}/events",
            Resource::Live,
            "Ask something of a run: a lap, a mark, silence of its cues, its end.",
            command,
        )
        .body::<LiveEvent>()
        .answers::<Taken>(202),
    ]
}

async fn list(State(app): State<App>, gate: Gate) -> Result<Response, Problem> {
    let items = app
        .ask(move |app| {
            let mut items = Vec::new();
            for run in app.hub().runs() {
                match gate.sight(app, &run.athlete) {
                    Ok(_) => items.push(item(run)),
                    Err(problem) if problem.status.is_server_error() => return Err(problem),
                    Err(_) => {}
                }
            }
            Ok::<_, Problem>(items)
        })
        .await?;
    answer::json(&List::whole(items))
}

fn item(run: RunAbout) -> LiveItem {
    LiveItem {
        session: run.session,
        athlete: run.athlete,
        name: run.name,
        started_us: run.started.micros(),
        kind: super::measured::word(&run.kind),
    }
}

/// Passes the gate to a live run, and says with which sight of the runner. Blocks.
fn reached(app: &App, gate: &Gate, session: &SessionId) -> Result<Sight, Problem> {
    let run = app
        .hub()
        .run(session)
        .ok_or_else(|| Problem::not_found("such live run"))?;
    let passed = gate.athlete(app, &run.athlete);
    passed.map(sight_of).map_err(|p| match p.status {
        StatusCode::NOT_FOUND => Problem::not_found("such live run"),
        _ => p,
    })
}

fn last_id(headers: &HeaderMap) -> Option<String> {
    headers
        .get("last-event-id")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned)
}

async fn watch(
    State(app): State<App>,
    gate: Gate,
    origin: Option<Extension<Origin>>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let (asked, of) = (gate.clone(), session.clone());
    let sight = app.ask(move |app| reached(app, &asked, &of)).await?;
    let begin = app
        .hub()
        .watch(&session, sight, last_id(&headers).as_deref())
        .ok_or_else(|| Problem::not_found("such live run"))?;
    stream(&app, gate, origin, Scope::Run(sight), begin)
}

async fn squad(
    State(app): State<App>,
    gate: Gate,
    origin: Option<Extension<Origin>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = gate.clone();
    let athletes = app
        .ask(move |app| {
            let mut all: Vec<AthleteId> = super::athletes::everybody(app)?.into_keys().collect();
            all.extend(app.hub().runs().into_iter().map(|r| r.athlete));
            all.sort_unstable();
            all.dedup();
            let reached = asked.reached(app, all)?;
            for (athlete, _) in &reached {
                asked.note(app, athlete)?;
            }
            let seen = reached.into_iter().map(|(athlete, passed)| (athlete, sight_of(passed)));
            Ok::<_, Problem>(seen.collect::<BTreeMap<_, _>>())
        })
        .await?;
    let begin = app.hub().watch_squad(&athletes, last_id(&headers).as_deref());
    stream(&app, gate, origin, Scope::Squad(athletes), begin)
}

fn stream(
    app: &App,
    gate: Gate,
    origin: Option<Extension<Origin>>,
    scope: Scope,
    begin: Beginning,
) -> Result<Response, Problem> {
    let address = origin.map_or_else(|| "here".to_owned(), |o| o.address.to_string());
    let key = gate.caller.token().map_or(address, str::to_owned);
    let place = app.stream_place(&key)?;
    let body = Body::from_stream(Watching::new(app, gate.caller, scope, begin, place));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx holds answers back otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

async fn command(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Json(event): Json<LiveEvent>,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    extract::entry(&event.id)?;
    let command = match event.kind.as_str() {
        "stop" => Command::Stop,
        "mute" => Command::Mute,
        "unmute" => Command::Unmute,
        kind => Command::Mark(mark(kind, event.value, event.text.as_deref())?),
    };
    let of = session.clone();
    app.ask(move |app| reached(app, &gate, &of)).await?;
    app.hub().command(&session, &event.id, command).map_err(|e| match e {
        NotTaken::NoRun => Problem::not_found("such live run"),
        NotTaken::NoCues => Problem::new(
            StatusCode::CONFLICT,
            "lope::live::no_cue",
            "No cues were asked for in this run, so there is nothing to mute.",
        ),
        NotTaken::KeepsNothing => Problem::new(
            StatusCode::CONFLICT,
            "lope::live::keeps_nothing",
            "This run is only played back; there is nowhere to keep a mark.",
        ),
        NotTaken::Full => {
            let mut problem = Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "lope::live::busy",
                "The run does not keep up with what is asked of it.",
            );
            problem.retry_after_s = Some(1);
            problem
        }
    })?;
    answer::json_with(StatusCode::ACCEPTED, &Taken { id: event.id })
}
