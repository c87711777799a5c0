//! Sessions: what is noted about them, what happened in them, and deleting them.

use super::athletes::everybody;
use super::entry::{FlatEntry, merged};
use super::measured::reached;
use crate::api::access::consent;
use crate::api::access::gate::{Gate, Sight, Symptoms};
use crate::api::access::roles::{Reach, Resource};
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Json, Path, Query};
use crate::api::looked::Looked;
use crate::api::problem::Problem;
use crate::model::SessionTime;
use crate::review::local_day::LocalDays;
use crate::review::pages::pages;
use crate::review::sessions::{coverage, session_item};
use crate::review::{Coverage, RunValues, SessionItem};
use crate::store::journal::{Body, Day, Entry, EntryId, Journal as _, SessionNote};
use crate::store::sqlite::NewestQuery;
use crate::store::summary::{SideScope, SummaryRow};
use crate::store::{
    AthleteId, Batch, History as _, Mark, MarkKind, SessionEvent, SessionId, SessionRow, SqliteStore, Store as _,
    UtcMicros,
};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// As whom this program holds the record while it deletes or adds.
const COMMAND: &str = "lope serve";
/// Sessions of a page when nobody says, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 200;
/// Events told of a session.
const EVENTS_MAX: usize = 5000;

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

/// Which sessions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Of this athlete; of all whom the caller reaches where it is missing.
    athlete: Option<String>,
    /// From this day on, in UTC.
    from: Option<String>,
    /// Up to this day, included.
    to: Option<String>,
    /// Most sessions of a page, up to 200.
    limit: Option<u32>,
    /// Where the page begins.
    cursor: Option<String>,
}

/// What one metric of a session amounts to.
#[derive(Serialize, ToSchema)]
struct SummaryItem {
    /// Metric.
    metric: &'static str,
    /// `both`, `left` or `right`.
    side: &'static str,
    /// Strides that have it.
    n: u32,
    /// Median.
    median: f64,
    /// Median absolute deviation.
    mad: f64,
    /// Mean.
    mean: f64,
    /// 10th percentile.
    p10: f64,
    /// 90th percentile.
    p90: f64,
}

/// Something that happened in a session.
#[derive(Serialize, ToSchema)]
struct EventItem {
    /// When, s since the start.
    t_s: f64,
    /// Its kind.
    kind: &'static str,
    /// The sensor it is about.
    placement: Option<&'static str>,
    /// In words.
    text: String,
    /// As it is kept.
    body: Value,
}

/// What became known of a sensor.
#[derive(Serialize, ToSchema)]
struct OutcomeItem {
    /// Where it was worn.
    placement: &'static str,
    /// Rate of its clock, parts per million.
    clock_ppm: Option<f64>,
    /// What the fit of its clock left over, µs.
    clock_residual_us: Option<f64>,
    /// How it sat.
    calibration: Option<Value>,
}

/// A session.
#[derive(Serialize, ToSchema)]
struct SessionFull {
    /// As in a list.
    #[serde(flatten)]
    item: SessionItem,
    /// Number of the analysis shown.
    analysis: u32,
    /// Version of the program that made it.
    pipeline_version: Option<String>,
    /// What each metric amounts to.
    summary: Vec<SummaryItem>,
    /// What the run amounts to for flags and trends.
    run_values: Option<RunValues>,
    /// What each sensor delivered.
    coverage: Vec<Coverage>,
    /// What happened.
    events: Vec<EventItem>,
    /// What is noted about it.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    note_entry: Option<SessionNote>,
    /// What became known of its sensors.
    outcomes: Vec<OutcomeItem>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let one = "/sessions/{session}";
    vec![
        Endpoint::get("/sessions", Resource::Session, "Sessions, the latest first.", list)
            .query::<Wanted>()
            .answers_list::<SessionItem>(200),
        Endpoint::get(one, Resource::Session, "One session.", get).answers::<SessionFull>(200),
        Endpoint::patch(one, Resource::Session, "Change what is noted about a session.", patch)
            .body::<NotePatch>()
            .answers::<FlatEntry>(200),
        Endpoint::delete(one, Resource::Session, "Delete a session, with its samples.", delete)
            .body::<Confirm>()
            .answers::<SessionDeleted>(200),
        Endpoint::post(
            "/sessions/{session}/events",
            Resource::Session,
            "Mark an instant of a session.",
            add_event,
        )
        .body::<NewEvent>()
        .answers::<EventAdded>(201),
        Endpoint::get(
            "/sessions/{session}/analyses",
            Resource::Session,
            "The analyses of a session.",
            analyses,
        )
        .answers_list::<AnalysisItem>(200),
        Endpoint::delete("/athletes/{athlete}", Resource::Athlete, "Forget an athlete.", forget)
            .body::<Confirm>()
            .answers::<Receipt>(200),
    ]
}

/// Takes out of a session in a list what the runner wrote, where that is not to be seen: it may tell of symptoms.
pub(super) fn without_words(item: &mut SessionItem, row: &SessionRow, sight: Sight) {
    if sight.symptoms == Symptoms::Hidden {
        item.note.clone_from(&row.meta.note);
    }
}

/// Sessions as this caller sees them, of an athlete whose past is laid out. Blocks.
fn item_of(looked: &Looked, row: &SessionRow, sight: Sight) -> Option<SessionItem> {
    let recorded = looked.past.recorded.iter().find(|r| r.row.meta.id == row.meta.id)?;
    let mut item = session_item(&looked.past, recorded, &looked.changes);
    without_words(&mut item, row, sight);
    Some(item)
}

async fn list(State(app): State<App>, gate: Gate, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let limit = extract::limit(wanted.limit, PAGE, PAGE_MAX)?;
    let athlete = wanted.athlete.as_deref().map(extract::athlete).transpose()?;
    let midnight = |day: Day| UtcMicros::from_micros(i64::from(day.days()) * 86_400_000_000);
    let from = extract::day("from", wanted.from.as_deref())?.map_or(UtcMicros::EPOCH, midnight);
    let to = extract::day("to", wanted.to.as_deref())?.map_or(UtcMicros::LIMIT, |day| midnight(day.plus(1)));
    let behind = match &wanted.cursor {
        None => None,
        Some(cursor) => {
            let (at, id) = answer::place(cursor)?;
            let id = SessionId::parse(&id).map_err(|e| Problem::parameter("cursor", e))?;
            Some((UtcMicros::from_micros(at), id))
        }
    };
    let list = app
        .ask(move |app| {
            if gate.reach == Reach::Linked {
                return linked(app, &gate);
            }
            let reached = match athlete {
                Some(athlete) => {
                    let sight = gate.sight(app, &athlete)?;
                    vec![(athlete, sight)]
                }
                None => gate.reached(app, everybody(app)?.into_keys().collect())?,
            };
            let rows = app.reader().newest_sessions(&NewestQuery {
                athletes: Some(reached.iter().map(|(a, _)| a.clone()).collect()),
                from,
                to,
                behind,
                limit,
            })?;
            let sights: BTreeMap<AthleteId, Sight> = reached.into_iter().collect();
            let mut pasts: BTreeMap<AthleteId, Arc<Looked>> = BTreeMap::new();
            let mut items = Vec::new();
            for row in &rows {
                let athlete = &row.meta.athlete;
                let Some(sight) = sights.get(athlete) else { continue };
                if !pasts.contains_key(athlete) {
                    gate.note(app, athlete)?;
                    pasts.insert(athlete.clone(), app.looked(athlete, None, *sight)?);
                }
                items.extend(pasts.get(athlete).and_then(|looked| item_of(looked, row, *sight)));
            }
            let last = rows.last().filter(|_| rows.len() >= limit);
            Ok::<_, Problem>(List {
                items,
                next_cursor: last.map(|r| answer::cursor(r.meta.start.micros(), r.meta.id.as_str())),
            })
        })
        .await?;
    answer::json(&list)
}

/// The one session that a link leads to. Blocks.
fn linked(app: &App, gate: &Gate) -> Result<List<SessionItem>, Problem> {
    let Some(session) = gate.caller.scope.session.clone() else {
        return Ok(List::whole(Vec::new()));
    };
    let (row, sight) = super::measured::seen(app, gate, &session)?;
    let looked = app.looked(&row.meta.athlete, None, sight)?;
    Ok(List::whole(item_of(&looked, &row, sight).into_iter().collect()))
}

async fn get(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let (state, full) = app
        .ask(move |app| {
            let (row, sight) = super::measured::seen(app, &gate, &session)?;
            Ok::<_, Problem>((row.state, full(app, row, sight)?))
        })
        .await?;
    super::measured::about(state, &headers, &full)
}

fn full(app: &App, row: SessionRow, sight: Sight) -> Result<SessionFull, Problem> {
    let looked = app.looked(&row.meta.athlete, None, sight)?;
    let recorded = looked.past.recorded.iter().find(|r| r.row.meta.id == row.meta.id);
    let recorded = recorded.ok_or_else(|| Problem::not_found("such session"))?;
    let mut item = session_item(&looked.past, recorded, &looked.changes);
    without_words(&mut item, &row, sight);
    let mut note = recorded.note.clone();
    if let (Symptoms::Hidden, Some(note)) = (sight.symptoms, &mut note) {
        consent::strip(note);
    }
    let summary = |s: SummaryRow| SummaryItem {
        metric: s.metric.def().name,
        side: match s.side {
            SideScope::Both => "both",
            SideScope::Only(side) => side.name(),
        },
        n: s.n,
        median: s.median,
        mad: s.mad,
        mean: s.mean,
        p10: s.p10,
        p90: s.p90,
    };
    Ok(SessionFull {
        item,
        analysis: row.current_analysis,
        summary: app.reader().summary(&row.meta.id)?.into_iter().map(summary).collect(),
        run_values: recorded.run.as_ref().map(|r| r.values.clone()),
        coverage: coverage(app.review(), &row)?,
        events: told(app, &row, sight)?,
        note_entry: note,
        outcomes: row
            .outcomes
            .into_iter()
            .map(|o| OutcomeItem {
                placement: o.placement.name(),
                clock_ppm: o.clock_ppm,
                clock_residual_us: o.clock_residual_us,
                calibration: o.calibration,
            })
            .collect(),
        pipeline_version: row.pipeline_version,
    })
}

/// What happened in a session, as far as this caller may hear of it. What a sensor delivered second by second is coverage.
fn told(app: &App, row: &SessionRow, sight: Sight) -> Result<Vec<EventItem>, Problem> {
    let heard = |e: &SessionEvent| match e {
        SessionEvent::Marker { .. } => sight.symptoms == Symptoms::Shown,
        SessionEvent::Clipped { .. } | SessionEvent::Filled { .. } => false,
        _ => true,
    };
    let mut all = Vec::new();
    pages(
        &row.meta.id,
        |query| app.reader().events(query),
        |event| {
            if all.len() < EVENTS_MAX && heard(event) {
                all.push(event_item(event));
            }
        },
    )?;
    Ok(all)
}

fn event_item(event: &SessionEvent) -> EventItem {
    EventItem {
        t_s: event.time().secs(),
        kind: event.kind(),
        placement: event.placement().map(crate::model::Placement::name),
        text: match event {
            SessionEvent::Marker { text, .. } => text.clone(),
            SessionEvent::Gap { from, to, .. } => format!("{:.1} s without data", to.since(*from)),
            SessionEvent::ContactRefused { guard, .. } => format!("a contact was not believed ({guard})"),
            SessionEvent::CadenceDisagrees { events, spectrum, .. } => {
                format!("cadence by contacts {events:.0}, by spectrum {spectrum:.0} steps/min")
            }
            other => other.kind().replace('_', " "),
        },
        body: serde_json::to_value(event).unwrap_or_default(),
    }
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
                _ => (
                    LocalDays::default().of(&row.meta),
                    row.meta.start,
                    SessionNote::default(),
                ),
            };
            let entry = Entry {
                id,
                athlete: row.meta.athlete,
                day,
                at,
                body: Body::SessionNote(merged(&note, changes)?),
            };
            app.journal().put(&entry, app.now())?;
            app.renew_flags(&entry.athlete)?;
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
            let row = reached(app, &gate, &session)?;
            let store = SqliteStore::open(app.dir(), COMMAND)?;
            let rows = store.delete_session(&session)?.rows;
            drop(store);
            app.renew_flags(&row.meta.athlete)?;
            Ok::<_, Problem>(rows)
        })
        .await?;
    answer::json(&SessionDeleted { rows })
}

/// A mark as it was sent.
///
/// # Errors
/// 422 for a kind that is none, pain without a value, or words that are too many.
pub(super) fn mark(kind: &str, value: Option<u8>, text: Option<&str>) -> Result<Mark, Problem> {
    let text = text.map(str::trim).filter(|t| !t.is_empty());
    if text.is_some_and(|t| t.chars().count() > 500) {
        return Err(Problem::parameter("text", "more than 500 characters"));
    }
    let kind = match (kind, value) {
        ("lap", _) => MarkKind::Lap,
        ("pain", Some(v)) if v <= 10 => MarkKind::Pain(v),
        ("pain", _) => return Err(Problem::parameter("value", "pain has a value from 0 to 10")),
        ("marker", _) => MarkKind::Marker,
        (other, _) => {
            return Err(Problem::parameter(
                "kind",
                format!("{other:?} is none of lap, pain and marker"),
            ));
        }
    };
    Ok(Mark::new(kind, text))
}

async fn add_event(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Json(new): Json<NewEvent>,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    extract::entry(&new.id)?;
    let text = mark(&new.kind, new.value, new.text.as_deref())?.text;
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
            Ok::<_, Problem>(
                app.reader()
                    .analyses(&session)?
                    .into_iter()
                    .map(item)
                    .collect::<Vec<_>>(),
            )
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
            let done = SqliteStore::open(app.dir(), COMMAND)?.forget(&athlete)?;
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
