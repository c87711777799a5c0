//! Seasons made by hand for the tests of this module: runs with known values, and what their runner says.

use super::history_of::Past;
use super::run_values::RunSummary;
use super::windows::tests::{collect, run};
use crate::metrics::{MetricId as Id, StrideRecord};
use crate::model::Athlete;
use crate::store::journal::{Body, Day, Entry, EntryId, Score};
use crate::store::{AthleteId, Origin, SessionId, SessionMeta, SessionRow, SessionState, UtcMicros, WallClock};
use std::collections::{BTreeMap, BTreeSet};

/// The first day of every season here, a Monday.
pub(super) const FIRST: Day = Day::from_days(20_514);

pub(super) fn ada() -> AthleteId {
    AthleteId::parse("ada").expect("id")
}

/// Begin of a run on a day: 17:00 UTC.
pub(super) fn start(day: Day) -> UtcMicros {
    UtcMicros::from_micros((i64::from(day.days()) * 24 + 17) * 3_600_000_000)
}

pub(super) fn row(id: &str, day: Day) -> SessionRow {
    SessionRow {
        meta: SessionMeta {
            id: SessionId::parse(id).expect("id"),
            athlete: ada(),
            start: start(day),
            wall_clock: WallClock::Known,
            expected_stop: None,
            origin: Origin::Live,
            tz: Some("UTC".to_owned()),
            note: None,
            facts: Athlete::default(),
            sensors: Vec::new(),
        },
        state: SessionState::Closed,
        stop: Some(crate::model::SessionTime::from_secs(1500.0)),
        current_analysis: 1,
        pipeline_version: Some("test".to_owned()),
        strides: Some(4000),
        outcomes: Vec::new(),
    }
}

/// A run of 20 minutes at a speed and cadence, as it is summarised from its strides.
pub(super) fn summary(speed: f64, cadence: f64) -> RunSummary {
    let strides = strides(speed, cadence);
    super::run_values::of_windows(&collect(&strides), &BTreeSet::new())
}

pub(super) fn strides(speed: f64, cadence: f64) -> Vec<StrideRecord> {
    run(20.0, speed, |t, r| {
        // A little scatter from window to window.
        let wobble = 1.0 + 0.002 * ((t / 18.0) as i64 % 3 - 1) as f64;
        r.metrics.set(Id::Cadence, Ok(cadence * wobble));
    })
}

pub(super) fn entry(id: &str, day: Day, body: Body) -> Entry {
    Entry {
        id: EntryId::parse(id).expect("id"),
        athlete: ada(),
        day,
        at: start(day),
        body,
    }
}

pub(super) fn score(n: u8) -> Option<Score> {
    Some(Score::new(n).expect("score"))
}

/// Cadences of ordinary runs: 170 give or take half a step.
pub(super) fn usual(i: usize) -> f64 {
    170.0 + [0.0, 0.5, -0.5, 0.3, -0.3, 0.2, -0.4, 0.4][i % 8]
}

/// A run every other day from [`FIRST`] on, at 3 m/s with these cadences; sessions are `s0`, `s1`, …
pub(super) fn season(cadences: &[f64], entries: Vec<Entry>, today: Day) -> Past {
    let days = (0..cadences.len() as i32).map(|i| FIRST.plus(2 * i));
    let rows: Vec<SessionRow> = days.enumerate().map(|(i, d)| row(&format!("s{i}"), d)).collect();
    let runs: BTreeMap<SessionId, RunSummary> = rows
        .iter()
        .zip(cadences)
        .map(|(r, c)| (r.meta.id.clone(), summary(3.0, *c)))
        .collect();
    Past::new(ada(), rows, runs, entries, today)
}

/// Eight usual runs, then as many with 5 % fewer steps.
pub(super) fn changed(watched: usize, entries: Vec<Entry>) -> Past {
    let mut cadences: Vec<f64> = (0..8).map(usual).collect();
    cadences.extend((0..watched).map(|i| 0.95 * usual(i)));
    let today = FIRST.plus(2 * (cadences.len() as i32 - 1));
    season(&cadences, entries, today)
}
