//! Six synthetic runners over eight weeks, so that every view has something to show: who is steady, who changed, who hurts,
//! whose sensors are poor.
//!
//! Their strides come from the simulated runner through the real pipeline, a few minutes of each form and speed; a season
//! repeats these minutes with differences from day to day (`strides`). The newest run of two of them is simulated and
//! measured whole, raw samples included. What they say of themselves is written like a person's (`says`). It is a
//! demonstration, not evidence: what lope finds in it was put there, and how often it finds such things is measured
//! elsewhere (docs/reference/season.md).

mod people;
mod says;
mod strides;
mod whole;

use crate::metrics::StrideRecord;
use crate::metrics::aggregate::{BlockStats, Blocks};
use crate::model::{SensorConfig, SessionTime};
use crate::pipeline::{Block, Window};
use crate::runtime::keep::VERSION;
use crate::store::batch::FIRST_ANALYSIS;
use crate::store::journal::Day;
use crate::store::{
    AthleteId, Batch, Closing, Origin, SessionEvent, SessionId, SessionMeta, SqliteJournal, SqliteStore, Store as _,
    StoreError, UtcMicros, WallClock,
};
use people::{PEOPLE, Person};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Weeks of the season.
pub const WEEKS: i32 = 8;
/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Runners.
    pub people: u32,
    /// Sessions.
    pub sessions: u32,
    /// Strides.
    pub strides: u64,
    /// Entries of the journal.
    pub entries: u32,
}

/// Makes the squad in the folder `dir`, its last day being `today`. `told` is called with each runner's name and the share
/// done.
///
/// # Errors
/// Those of the store.
pub fn make(dir: &Path, today: Day, seed: u64, mut told: impl FnMut(&str, f64)) -> Result<Made, StoreError> {
    let store = SqliteStore::open(dir, "lope demo --squad")?;
    let journal = SqliteJournal::open(dir)?;
    let mut made = Made::default();
    let stocks = strides::stocks(seed);
    for (n, (person, stock)) in PEOPLE.iter().zip(&stocks).enumerate() {
        told(person.name, n as f64 / PEOPLE.len() as f64);
        let athlete = AthleteId::parse(person.id)?;
        for run in person.runs(seed) {
            let day = today.plus(run.day - (7 * WEEKS - 1));
            let start = UtcMicros::from_micros(i64::from(day.days()) * DAY_US + run.start_s * 1_000_000);
            let id = session_id(&athlete, start, seed);
            let session = if run.whole {
                whole::measure(&store, person, &run, meta(person, &athlete, &id, start))?
            } else {
                let season = strides::session(stock, &run);
                keep(&store, meta(person, &athlete, &id, start), &season)?
            };
            made.strides += session;
            made.sessions += 1;
            made.entries += says::of_run(&journal, person, &athlete, &id, &run, day, start)?;
        }
        made.entries += says::of_person(&journal, person, &athlete, today)?;
        made.people += 1;
    }
    told("", 1.0);
    store.flush()?;
    Ok(made)
}

/// The id of a session: from the seed, so that making the squad twice changes nothing.
fn session_id(athlete: &AthleteId, start: UtcMicros, seed: u64) -> SessionId {
    let text = format!("lope squad {seed} {athlete} {}", start.micros());
    SessionId::for_import(athlete, &Sha256::digest(text).into())
}

fn meta(person: &Person, athlete: &AthleteId, id: &SessionId, start: UtcMicros) -> SessionMeta {
    SessionMeta {
        id: id.clone(),
        athlete: athlete.clone(),
        start,
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Demo,
        tz: Some("UTC".to_owned()),
        note: Some("synthetic".to_owned()),
        facts: person.facts(),
        sensors: person.kit.iter().map(|p| sensor(*p)).collect(),
    }
}

fn sensor(placement: crate::model::Placement) -> SensorConfig {
    crate::synth::Simulation::new(crate::synth::SimConfig {
        rate_hz: people::RATE_HZ,
        placements: vec![placement],
        ..crate::synth::SimConfig::default()
    })
    .sensor_configs()
    .remove(0)
}

/// A season's session: its strides in order of time, and what happened besides.
pub(super) struct Session {
    pub(super) strides: Vec<StrideRecord>,
    pub(super) events: Vec<SessionEvent>,
    pub(super) windows: Vec<Window>,
    pub(super) stop_s: f64,
}

/// Rows handed to the store at once.
const BATCH_ROWS: usize = 2000;

fn keep(store: &SqliteStore, meta: SessionMeta, session: &Session) -> Result<u64, StoreError> {
    let id = meta.id.clone();
    let opened = store.open_session(&meta)?;
    if opened == crate::store::Opened::AlreadyClosed {
        return Ok(session.strides.len() as u64);
    }
    let (mut blocks, mut closed) = (Blocks::default(), Vec::new());
    for part in session.strides.chunks(BATCH_ROWS) {
        let mut batch = Batch::new(id.clone(), FIRST_ANALYSIS);
        for record in part {
            batch.push_stride(record)?;
            blocks.push(record, &mut closed);
        }
        store.append(batch)?;
    }
    blocks.flush(&mut closed);
    let mut batch = Batch::new(id.clone(), FIRST_ANALYSIS);
    for stats in &closed {
        batch.push_block(&block(stats))?;
    }
    for event in &session.events {
        batch.push_event(event.clone())?;
    }
    for window in &session.windows {
        batch.push_window(window)?;
    }
    store.append(batch)?;
    let closing = Closing {
        stop: SessionTime::from_secs(session.stop_s),
        analysis: FIRST_ANALYSIS,
        pipeline_version: VERSION.to_owned(),
        params: serde_json::json!({ "synthetic": "season" }),
        sensors: Vec::new(),
    };
    store.close_session(&id, &closing)?;
    Ok(session.strides.len() as u64)
}

fn block(b: &BlockStats) -> Block {
    Block {
        side: b.side,
        start: b.start,
        end: b.end,
        usable: b.usable,
        seen: b.seen,
        medians: b.medians,
        confidence: b.confidence,
    }
}
