//! Whose data it is: taken out whole, copied, thinned out, and erased so that nothing of it is left on the disk.

mod export;
mod forget;
mod import;
mod raw;

use assert_cmd::Command;
use lope::model::{SensorEvent, SessionTime};
use lope::pipeline::{Pipeline, PipelineConfig};
use lope::store::journal::{AthleteFacts, Body, CheckIn, Day, Entry, EntryId, Journal as _, Score};
use lope::store::raw::RawOptions;
use lope::store::{
    AthleteId, Batch, Closing, Origin, SessionId, SessionMeta, SqliteJournal, SqliteStore, Store, UtcMicros, WallClock,
};
use lope::synth::{SimConfig, Simulation, presets};
use std::path::Path;

/// 2026-03-01T06:30:00Z, µs.
const START_US: i64 = 1_772_346_600_000_000;
const DAY_US: i64 = 86_400_000_000;

fn lope(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lope"));
    command.env_clear().env("LANG", "C").arg("--data-dir").arg(data);
    command
}

fn athlete(name: &str) -> AthleteId {
    AthleteId::parse(name).expect("an id")
}

fn session(name: &str) -> SessionId {
    SessionId::parse(name).expect("an id")
}

/// A short simulated run.
fn run_of(seed: u64) -> Simulation {
    Simulation::new(SimConfig {
        seed,
        ..presets::random_subject(seed)
    })
}

/// Keeps a run of somebody with raw samples, as `lope record` leaves it; `seconds` of its raw samples.
fn keep(store: &SqliteStore, who: &str, name: &str, start_us: i64, note: &str, run: &Simulation, seconds: f64) {
    let meta = SessionMeta {
        id: session(name),
        athlete: athlete(who),
        start: UtcMicros::from_micros(start_us),
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Live,
        tz: None,
        note: Some(note.to_owned()),
        facts: run.athlete(),
        sensors: run.sensor_configs(),
    };
    store.open_session(&meta).expect("opens");
    let mut raw = store.start_raw(&meta.id, RawOptions::default()).expect("raw");
    let mut pipeline = Pipeline::new(PipelineConfig {
        athlete: run.athlete(),
        sensors: run.sensor_configs(),
        ..PipelineConfig::default()
    });
    let mut outputs = Vec::new();
    for event in run.events() {
        if let SensorEvent::Sample(_, s) = &event
            && s.t.secs() > seconds
        {
            break;
        }
        raw.push(&event).expect("kept");
        pipeline.push(&event, &mut outputs);
    }
    pipeline.flush(&mut outputs);
    store.seal_raw(raw).expect("sealed");
    let mut batch = Batch::new(meta.id.clone(), 1);
    for output in &outputs {
        batch.push_output(output).expect("sound");
    }
    store.append(batch).expect("kept");
    let closing = Closing {
        stop: SessionTime::from_secs(seconds),
        analysis: 1,
        pipeline_version: "test".to_owned(),
        params: serde_json::json!({}),
        sensors: vec![],
    };
    store.close_session(&meta.id, &closing).expect("closed");
}

/// An entry about somebody.
fn entry(who: &str, id: &str, body: Body) -> Entry {
    Entry {
        id: EntryId::parse(id).expect("an id"),
        athlete: athlete(who),
        day: Day::of_utc(UtcMicros::from_micros(START_US)),
        at: UtcMicros::from_micros(START_US),
        body,
    }
}

/// A name and two check-ins, one of them corrected.
fn say(dir: &Path, who: &str, word: &str) {
    let journal = SqliteJournal::open(dir).expect("journal");
    let now = UtcMicros::from_micros(START_US + DAY_US);
    let facts = AthleteFacts {
        name: word.to_owned(),
        ..AthleteFacts::default()
    };
    journal
        .put(&entry(who, "athlete", Body::Athlete(facts)), now)
        .expect("kept");
    for (text, back) in [(format!("{word} before"), 3), (format!("{word} corrected"), 2)] {
        let check_in = CheckIn {
            back_now: Some(Score::new(back).expect("a score")),
            text: Some(text),
            ..CheckIn::default()
        };
        journal
            .put(&entry(who, "c1", Body::CheckIn(check_in)), now)
            .expect("kept");
    }
}
