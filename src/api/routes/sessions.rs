//! Sessions: what is noted about them, what happened in them, and deleting them.

use super::athletes::everybody;
use super::entry::{FlatEntry, merged};
use super::measured::reached;
use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Json, Path};
use crate::api::problem::Problem;
use crate::model::SessionTime;
use crate::review::local_day::LocalDays;
use crate::store::journal::{Body, Entry, EntryId, Journal as _, SessionNote};
use crate::store::{AthleteId, Batch, SessionEvent, SqliteStore, Store as _};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// As whom this program holds the record while it deletes or adds.
const COMMAND: &str = "lope serve";

/// Some of the note about a session.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
struct NotePatch(BTreeMap<String, Value>);

/// An event that somebody adds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEvent {
    /// Chosen by whoever sends it.
    id: String,
    /// When, s since the start.
    t_s: f64,
    /// `lap`, `pain` or `marker`.
    kind: String,
    /// Pain, 0 to 10.
    value: Option<u8>,
    /// A remark.
    text: Option<String>,
}

/// An event as it was kept.
#[derive(Serialize, ToSchema)]
struct EventAdded {
    /// As it was sent.
    id: String,
    /// When, s since the start.
    t_s: f64,
    /// What stands in the record.
    text: String,
}

/// An analysis of a session.
#[derive(Serialize, ToSchema)]
struct AnalysisItem {
    /// Its number.
    analysis: u32,
    /// Version of the program that made it.
    pipeline_version: String,
    /// Whether it is the one shown.
    current: bool,
}

/// What is to be deleted, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirm {
    /// Its id.
    confirm: String,
}

/// What was deleted of a session.
#[derive(Serialize, ToSchema)]
struct SessionDeleted {
    /// Strides, blocks, windows and events.
    rows: u64,
}

/// What was forgotten of an athlete.
#[derive(Serialize, ToSchema)]
struct Receipt {
    /// Sessions.
    sessions: u64,
    /// Strides.
    strides: u64,
    /// Files of samples.
    raw_files: u64,
    /// Entries of the journal.
    entries: u64,
    /// What lope cannot reach.
    not_reachable: Vec<&'static str>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let one = "/sessions/{session}";
    vec![
        Endpoint::patch(one, Resource::Session, "Change what is noted about a session.", patch)
            .body::<NotePatch>()
            .answers::<FlatEntry>(200),
        Endpoint::delete(one, Resource::Session, "Delete a session, with its samples.", delete)
            .body::<Confirm>()
            .answers::<SessionDeleted>(200),
        Endpoint::post("/sessions/{session}/events", Resource::Session, "Mark an instant of a session.", add_event)
            .body::<NewEvent>()
            .answers::<EventAdded>(201),
        Endpoint::get("/sessions/{session}/analyses", Resource::Session, "The analyses of a session.", analyses)
            .answers::<List<AnalysisItem>>(200),
        Endpoint::delete("/athletes/{athlete}", Resource::Athlete, "Forget an athlete.", forget)
            .body::<Confirm>()
            .answers::<Receipt>(200),
    ]
}

async fn patch(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Json(NotePatch(changes)): Json<NotePatch>,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let entry = app
        .ask(move |app| {
            let row = reached(app, &gate, &session)?;
            let id = EntryId::parse(session.as_str())?;
            let before = app.journal().entry(&row.meta.athlete, &id)?;
            let (day, at, note) = match before {
                Some(Entry {
                    day,
                    at,
                    body: Body::SessionNote(note),
                    ..
                }) => (day, at, note),
                _ => (LocalDays::default().of(&row.meta), row.meta.start, SessionNote::default()),
            };
            let entry = Entry {
                id,
                athlete: row.meta.athlete,
                day,
                at,
                body: Body::SessionNote(merged(&note, changes)?),
            };
            app.journal().put(&entry, app.now())?;
            FlatEntry::of(&entry)
        })
        .await?;
    answer::json(&entry)
}

async fn delete(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Json(confirm): Json<Confirm>,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    extract::confirmed(&confirm.confirm, session.as_str())?;
    let rows = app
        .ask(move |app| {
            reached(app, &gate, &session)?;
            let store = SqliteStore::open(app.dir(), COMMAND)?;
            Ok::<_, Problem>(store.delete_session(&session)?.rows)
        })
        .await?;
    answer::json(&SessionDeleted { rows })
}

/// The words in which an event stands in the record.
///
/// # Errors
/// 422 for a kind that is none, pain without a value, or words that are too many.
pub(super) fn event_text(kind: &str, value: Option<u8>, text: Option<&str>) -> Result<String, Problem> {
    let text = text.map(str::trim).filter(|t| !t.is_empty());
    if text.is_some_and(|t| t.chars().count() > 500) {
        return Err(Problem::parameter("text", "more than 500 characters"));
    }
    let what = match (kind, value) {
        ("lap", _) => "lap".to_owned(),
        ("pain", Some(v)) if v <= 10 => format!("pain {v}"),
        ("pain", _) => return Err(Problem::parameter("value", "pain has a value from 0 to 10")),
        ("marker", _) => "marker".to_owned(),
        (other, _) => return Err(Problem::parameter("kind", format!("{other:?} is not lap, pain or marker"))),
    };
    Ok(match text {
        Some(text) if what == "marker" => text.to_owned(),
        Some(text) => format!("{what}: {text}"),
        None => what,
    })
}

async fn add_event(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Json(new): Json<NewEvent>,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    extract::entry(&new.id)?;
    let text = event_text(&new.kind, new.value, new.text.as_deref())?;
    if !new.t_s.is_finite() || !(0.0..=31_622_400.0).contains(&new.t_s) {
        return Err(Problem::parameter("t_s", "it does not lie in a session"));
    }
    let added = EventAdded {
        id: new.id,
        t_s: new.t_s,
        text: text.clone(),
    };
    app.ask(move |app| {
        let row = reached(app, &gate, &session)?;
        let store = SqliteStore::open(app.dir(), COMMAND)?;
        // The same instant with the same words is the same row, so sending it twice is harmless.
        let mut batch = Batch::new(session, row.current_analysis);
        batch.push_event(SessionEvent::Marker {
            t: SessionTime::from_secs(new.t_s),
            text,
        })?;
        store.append(batch)?;
        store.flush()?;
        Ok::<_, Problem>(())
    })
    .await?;
    answer::json_with(StatusCode::CREATED, &added)
}

async fn analyses(State(app): State<App>, gate: Gate, Path(session): Path<String>) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let items = app
        .ask(move |app| {
            let row = reached(app, &gate, &session)?;
            let item = |(analysis, pipeline_version)| AnalysisItem {
                analysis,
                pipeline_version,
                current: analysis == row.current_analysis,
            };
            Ok::<_, Problem>(app.reader().analyses(&session)?.into_iter().map(item).collect::<Vec<_>>())
        })
        .await?;
    answer::json(&List::whole(items))
}

async fn forget(
    State(app): State<App>,
    gate: Gate,
    Path(athlete): Path<String>,
    Json(confirm): Json<Confirm>,
) -> Result<Response, Problem> {
    let athlete: AthleteId = extract::athlete(&athlete)?;
    extract::confirmed(&confirm.confirm, athlete.as_str())?;
    let receipt = app
        .ask(move |app| {
            gate.sight(app, &athlete)?;
            if !everybody(app)?.contains_key(&athlete) {
                return Err(Problem::not_found("such athlete"));
            }
            let done = SqliteStore::open(app.dir(), COMMAND)?.forget_athlete(&athlete)?;
            Ok(Receipt {
                sessions: done.sessions,
                strides: done.strides,
                raw_files: done.raw_files,
                entries: done.entries,
                not_reachable: vec![
                    "backups and exports of this record",
                    "copies in sinks, until they are next brought up to date",
                    "what other programs and people copied",
                ],
            })
        })
        .await?;
    app.access_changed();
    answer::json(&receipt)
}
