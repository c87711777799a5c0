//! A finished recording into the store: its raw samples, and an analysis of all of them.

use super::checks::{self, Standing};
use super::finish::Whole;
use crate::model::{Placement, SensorConfig, SensorEvent};
use crate::pipeline::{Output, Pipeline, PipelineConfig};
use crate::runtime::keep::Keeper;
use crate::runtime::offline::{self, Pass};
use crate::runtime::tally::Tally;
use crate::store::batch::FIRST_ANALYSIS;
use crate::store::raw::{Fidelity, RawOptions};
use crate::store::{
    HealthSeries, History, Origin, SensorOutcome, SessionMeta, SqliteStore, Store, StoreError, WallClock,
};

/// Clocks of sensors of one recording agree to this, as far as arrivals tell, s. Replaced by what was measured where it was.
const SYNC_SIGMA_S: f64 = 2e-3;

/// What the store is told of a recording.
#[must_use]
pub fn meta_of(plan: &super::RecordPlan, sensors: Vec<SensorConfig>) -> SessionMeta {
    SessionMeta {
        id: plan.session.clone(),
        athlete: plan.athlete.clone(),
        start: plan.start,
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Live,
        tz: plan.tz.clone(),
        note: plan.note.clone(),
        facts: plan.facts,
        sensors,
    }
}

/// The signal loop's configuration for a recording.
#[must_use]
pub fn pipeline_config(plan: &super::RecordPlan, sensors: Vec<SensorConfig>) -> PipelineConfig {
    PipelineConfig {
        sensors,
        athlete: plan.facts,
        sync_sigma_s: SYNC_SIGMA_S,
        personal_speed_offset: 0.0,
    }
}

/// Whether the strides must be computed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strides {
    /// Those of the live loop stand: nothing came late.
    Stand,
    /// Samples came that the live loop did not have, or there was none.
    Anew,
}

/// Keeps the raw samples, computes the strides anew if that is wanted, closes the session. Gives what the strides came to,
/// if they were computed.
///
/// # Errors
/// Those of the store; the log stays, and settling again is harmless.
pub fn settle(store: &SqliteStore, whole: &mut Whole, strides: Strides) -> Result<Option<Pass>, StoreError> {
    let meta = meta_of(&whole.plan, whole.configs());
    let session = meta.id.clone();
    let config = pipeline_config(&whole.plan, whole.configs());
    let mut outcomes = outcomes(whole);
    let live = store.session(&session)?;
    if let Some(row) = &live {
        // A sensor that joined after the session began has samples and strides, and no line among those it began with.
        outcomes.retain(|o| row.meta.sensors.iter().any(|s| s.placement == o.placement));
    }
    if live.is_none() {
        store.open_session(&meta)?;
    }
    let events = with_standing(whole);
    let options = RawOptions {
        fidelity: Fidelity::Exact,
        ..RawOptions::default()
    };
    let mut raw = store.start_raw(&session, options)?;
    for event in &events {
        raw.push(event)?;
    }
    raw.flush()?;
    // The rows of the live loop stay beside the new ones; a run that was cut off while settling writes the same again.
    let current = live.as_ref().map_or(FIRST_ANALYSIS - 1, |row| row.current_analysis);
    let pass = if strides == Strides::Anew {
        let mut keeper = Keeper::again(store, session.clone(), current + 1);
        let pass = compute(config, &events, &mut keeper)?;
        keeper.finish_with(whole.last, outcomes)?;
        Some(pass)
    } else {
        Keeper::again(store, session.clone(), current.max(FIRST_ANALYSIS)).finish_with(whole.last, outcomes)?;
        None
    };
    store.seal_raw(raw)?;
    store.keep_health(&session, std::mem::take(&mut whole.health).rows())?;
    Ok(pass)
}

/// The recording's events in order, with the standing the runner was asked for where it is first seen.
fn with_standing(whole: &mut Whole) -> Vec<SensorEvent> {
    let places: Vec<Placement> = whole.configs().iter().map(|c| c.placement).collect();
    let events = whole.take_events();
    whole.knocks = checks::knocks(&events);
    whole.health = health_of(whole, &events);
    let mut standing = Standing::new(if whole.plan.standing { &places } else { &[] });
    let mut all = Vec::with_capacity(events.len() + 1);
    for event in events {
        let found = standing.take(&event);
        all.push(event);
        all.extend(found);
    }
    all
}

/// How each sensor did, from what it measured and what its link said.
fn health_of(whole: &Whole, events: &[SensorEvent]) -> HealthSeries {
    let mut health = HealthSeries::default();
    events.iter().for_each(|e| health.take(e));
    for sensor in &whole.sensors {
        if let Some(placement) = sensor.plan.placement {
            let said = sensor.link.iter();
            said.for_each(|(t, link)| health.take_link(placement, *t, *link));
        }
    }
    health
}

/// What became known about each sensor.
fn outcomes(whole: &Whole) -> Vec<SensorOutcome> {
    let outcome = |s: &super::finish::WholeSensor| {
        Some(SensorOutcome {
            placement: s.config?.placement,
            calibration: serde_json::to_value(&s.health).ok(),
            clock_ppm: s.health.clock_ppm,
            clock_residual_us: None,
        })
    };
    whole.sensors.iter().filter_map(outcome).collect()
}

fn compute(config: PipelineConfig, events: &[SensorEvent], keeper: &mut Keeper<'_>) -> Result<Pass, StoreError> {
    let placements: Vec<Placement> = config.sensors.iter().map(|s| s.placement).collect();
    let mut pipeline = Pipeline::new(config);
    let mut tally = Tally::default();
    let mut out = Vec::with_capacity(64);
    let mut span_s: Option<(f64, f64)> = None;
    let mut take = |out: &mut Vec<Output>| {
        out.drain(..).try_for_each(|output| {
            tally.take(&output);
            keeper.take(&output)
        })
    };
    for event in events {
        if let SensorEvent::Sample(_, s) = event {
            let t = s.t.secs();
            span_s = Some(span_s.map_or((t, t), |(a, b)| (a.min(t), b.max(t))));
        }
        pipeline.push(event, &mut out);
        take(&mut out)?;
    }
    pipeline.flush(&mut out);
    take(&mut out)?;
    Ok(Pass {
        tally,
        losses: offline::losses(&pipeline, &placements),
        span_s,
        truncated: Vec::new(),
    })
}
