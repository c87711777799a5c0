//! Whether a stride counts: a person who looked at it says so, and takes it back.
//!
//! What is said is an entry of the journal that names who said it, as whom and when; what was said before is kept. The
//! numbers of the stride stay as they were measured; averages, the usual and the flags go without it from then on.

use super::measured::seen;
use super::strides;
use crate::api::access::gate::{Gate, Symptoms};
use crate::api::access::roles::{Reach, Resource};
use crate::api::answer;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Json, Path, Query};
use crate::api::problem::Problem;
use crate::metrics::StrideRecord;
use crate::model::Side;
use crate::review::local_day::LocalDays;
use crate::store::journal::{Body, Entry, EntryQuery, Journal as _, Kind, StrideVerdict};
use crate::store::{SessionRow, UtcMicros};
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Longest reason, characters.
const NOTE_MAX: usize = 500;

/// Which of the strides of that number.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `left` or `right`.
    side: Option<String>,
}

/// What is said about a stride.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewVerdict {
    /// Whether it is bad: kept, shown, and counted nowhere. `false` takes that back.
    bad: bool,
    /// Why, up to 500 characters.
    note: Option<String>,
}

/// What was said about a stride.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Verdict {
    /// Whether it is bad.
    bad: bool,
    /// Who said so; not told to a link.
    by: Option<String>,
    /// As whom.
    role: String,
    /// When, µs UTC.
    said_us: i64,
    /// Why.
    note: Option<String>,
}

/// What was said about a stride, and before.
#[derive(Serialize, ToSchema)]
struct Said {
    /// Its number on its side.
    idx: u32,
    /// Its side.
    side: Option<&'static str>,
    /// What counts now; null where nobody said anything.
    verdict: Option<Verdict>,
    /// What was said before, the oldest first.
    past: Vec<Verdict>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let one = "/sessions/{session}/strides/{idx}/verdict";
    vec![
        Endpoint::get(
            one,
            Resource::Strides,
            "What was said about one stride, and before.",
            get,
        )
        .query::<Wanted>()
        .answers::<Said>(200),
        Endpoint::put(one, Resource::Verdicts, "Say whether one stride counts.", put)
            .query::<Wanted>()
            .body::<NewVerdict>()
            .answers::<Said>(200),
    ]
}

/// How much of a verdict a caller may see.
#[derive(Clone, Debug)]
struct Eyes {
    names: bool,
    words: Symptoms,
    own: String,
}

impl Eyes {
    fn of(gate: &Gate, words: Symptoms) -> Self {
        Self {
            names: gate.reach != Reach::Linked,
            words,
            own: gate.caller.name.clone(),
        }
    }

    fn see(&self, v: &StrideVerdict) -> Verdict {
        // Free words of somebody else may tell of symptoms.
        let words = self.words == Symptoms::Shown || v.by == self.own;
        Verdict {
            bad: v.bad,
            by: self.names.then(|| v.by.clone()),
            role: v.role.clone(),
            said_us: v.said_us,
            note: v.note.clone().filter(|_| words && self.names),
        }
    }
}

/// What was said about the strides of one session.
#[derive(Clone, Debug)]
pub(super) struct Verdicts {
    said: Vec<StrideVerdict>,
    eyes: Eyes,
}

impl Verdicts {
    /// Those of a session, as this caller may see them. Blocks.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn of(app: &App, gate: &Gate, row: &SessionRow, symptoms: Symptoms) -> Result<Self, Problem> {
        let day = LocalDays::default().of(&row.meta);
        let days = row.stop.map_or(366.0, |stop| stop.secs() / 86_400.0);
        let entries = app.journal().entries(&EntryQuery {
            athlete: Some(row.meta.athlete.clone()),
            kinds: vec![Kind::StrideVerdict],
            from: Some(day),
            to: Some(day.plus(days as i32 + 2)),
        })?;
        let said = entries.into_iter().filter_map(|e| match e.body {
            Body::StrideVerdict(v) if v.session == row.meta.id => Some(v),
            _ => None,
        });
        Ok(Self {
            said: said.collect(),
            eyes: Eyes::of(gate, symptoms),
        })
    }

    fn about(&self, record: &StrideRecord) -> Option<&StrideVerdict> {
        let about = self.said.iter().filter(|v| v.is_about(&record.stride));
        // Of two that an earlier analysis told apart, the one that keeps the stride out.
        about.max_by_key(|v| (v.bad, v.said_us))
    }

    /// What was said about this one.
    pub(super) fn on(&self, record: &StrideRecord) -> Option<Verdict> {
        self.about(record).map(|v| self.eyes.see(v))
    }
}

async fn get(
    State(app): State<App>,
    gate: Gate,
    Path((session, idx)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let idx: u32 = idx.parse().map_err(|_| Problem::not_found("such stride"))?;
    let side = extract::side(wanted.side.as_deref())?;
    let said = app
        .ask(move |app| {
            let (row, sight) = seen(app, &gate, &session)?;
            let record = strides::find(app, &session, idx, side)?;
            said(app, &gate, &row, &record, sight.symptoms)
        })
        .await?;
    answer::json(&said)
}

async fn put(
    State(app): State<App>,
    gate: Gate,
    Path((session, idx)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
    Json(new): Json<NewVerdict>,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let idx: u32 = idx.parse().map_err(|_| Problem::not_found("such stride"))?;
    let side = extract::side(wanted.side.as_deref())?;
    let note = new.note.as_deref().map(str::trim).filter(|n| !n.is_empty());
    if note.is_some_and(|n| n.chars().count() > NOTE_MAX) {
        return Err(Problem::parameter("note", format!("more than {NOTE_MAX} characters")));
    }
    let note = note.map(str::to_owned);
    let said = app
        .ask(move |app| {
            let (row, sight) = seen(app, &gate, &session)?;
            let record = strides::find(app, &session, idx, side)?;
            let before = Verdicts::of(app, &gate, &row, sight.symptoms)?;
            let before = before.about(&record);
            let same = before
                .is_some_and(|v| v.bad == new.bad && v.by == gate.caller.name && (note.is_none() || v.note == note));
            // Saying the same again changes nothing, and taking back what nobody said neither.
            if !same && (new.bad || before.is_some()) {
                let entry = entry(app, &gate, &row, &record, before, (new.bad, note))?;
                app.journal().put(&entry, app.now())?;
                app.renew_flags(&entry.athlete)?;
            }
            said(app, &gate, &row, &record, sight.symptoms)
        })
        .await?;
    answer::json(&said)
}

/// The entry that says it. A verdict that is there already is corrected at its own place, whatever analysis made it.
fn entry(
    app: &App,
    gate: &Gate,
    row: &SessionRow,
    record: &StrideRecord,
    before: Option<&StrideVerdict>,
    (bad, note): (bool, Option<String>),
) -> Result<Entry, Problem> {
    let place = before.map_or_else(
        || StrideVerdict::place_of(&record.stride),
        |v| (v.side, v.t_us, v.duration_us),
    );
    let (side, t_us, duration_us) = place;
    Ok(Entry {
        id: StrideVerdict::entry_id(&row.meta.id, side, t_us)?,
        athlete: row.meta.athlete.clone(),
        day: LocalDays::default().of(&row.meta),
        at: UtcMicros::from_micros(row.meta.start.micros() + t_us),
        body: Body::StrideVerdict(StrideVerdict {
            session: row.meta.id.clone(),
            side,
            t_us,
            duration_us,
            bad,
            by: gate.caller.name.clone(),
            role: gate.caller.role.name().to_owned(),
            said_us: app.now().micros(),
            note,
        }),
    })
}

fn said(app: &App, gate: &Gate, row: &SessionRow, record: &StrideRecord, symptoms: Symptoms) -> Result<Said, Problem> {
    let verdicts = Verdicts::of(app, gate, row, symptoms)?;
    let mut past = Vec::new();
    if let Some(v) = verdicts.about(record) {
        let id = StrideVerdict::entry_id(&row.meta.id, v.side, v.t_us)?;
        for before in app.journal().past(&row.meta.athlete, &id)? {
            if let Body::StrideVerdict(v) = &before.entry.body {
                past.push(verdicts.eyes.see(v));
            }
        }
    }
    Ok(Said {
        idx: record.index,
        side: record.stride.side.map(Side::name),
        verdict: verdicts.on(record),
        past,
    })
}
