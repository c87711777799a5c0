//! A session as it happens: source, signal loop and takers as tasks, joined by bounded channels.
//!
//! ```text
//! source ──batches──► signal loop ──outputs──► taker (store, tally)
//!                          └──────latest─────► view
//! ```
//!
//! | edge | holds | when the reader is slow |
//! |---|---|---|
//! | source → loop | 64 batches | the source waits: nothing is lost, replay falls behind its clock |
//! | loop → taker | 64 batches | the loop waits, and so does the source |
//! | loop → view | the latest state | older states are replaced, never queued |
//!
//! Stopping is a wish: the source ends, what it sent is worked off, the loop is flushed, the taker sees the end. So a
//! stopped session is a short session, not a torn one.

use super::stop::Stop;
use crate::metrics::MetricId;
use crate::model::{Placement, SensorEvent, Side};
use crate::pipeline::{Health, Losses, Output, Pipeline, PipelineConfig};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Batches in a channel.
const DEPTH: usize = 64;

/// Events that are due together.
#[derive(Clone, Debug)]
pub struct Due {
    /// Seconds after the start at which they come.
    pub at_s: f64,
    /// The events.
    pub events: Vec<SensorEvent>,
}

/// How fast time runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as the machine can.
    Unbound,
    /// This many seconds of signal in a second.
    Times(f64),
}

/// What a live view shows: the newest state, no history.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Seconds of signal so far.
    pub signal_s: f64,
    /// Strides so far.
    pub strides: u64,
    /// Each sensor's losses so far.
    pub sensors: Vec<(Placement, Losses)>,
    /// Newest values by metric: left, right, side unknown.
    pub newest: Vec<(MetricId, [Option<f64>; 3])>,
    /// What a person should know of how the sensors are worn, as it was noticed.
    pub notices: Vec<String>,
    /// Whether the session is over.
    pub over: bool,
}

/// Metrics a live view shows.
pub const SHOWN: [MetricId; 7] = [
    MetricId::Cadence,
    MetricId::StrideLength,
    MetricId::ContactTime,
    MetricId::FootStrikeAngle,
    MetricId::OverstrideDistance,
    MetricId::PelvisTilt,
    MetricId::PelvisDrop,
];

/// Notices kept: each is said once, and there are few kinds.
const NOTICES: usize = 16;

/// What to tell a runner at once: that shoe sensors are exchanged, or that one moved.
fn notice(health: &Health) -> Option<String> {
    match health {
        Health::SidesSwapped { .. } => Some(
            "left and right shoe sensors look exchanged; at the end you are asked whether to exchange them".to_owned(),
        ),
        Health::SensorMoved { placement, .. } => Some(format!(
            "the {} sensor turned in its strap: what it says of angles starts anew; fasten it",
            placement.name().replace('_', " ")
        )),
        _ => None,
    }
}

impl View {
    fn take(&mut self, output: &Output) {
        if let Output::Health(health) = output
            && let Some(notice) = notice(health)
            && !self.notices.contains(&notice)
            && self.notices.len() < NOTICES
        {
            self.notices.push(notice);
        }
        if let Output::Stride(record) = output {
            self.strides += 1;
            let column = super::tally::side_index(record.stride.side);
            for (id, values) in &mut self.newest {
                if let Some(v) = record.metrics.value(*id) {
                    values[column] = Some(v);
                }
            }
        }
    }

    /// The newest value of a metric on a side, or of unknown side.
    #[must_use]
    pub fn value(&self, id: MetricId, side: Side) -> Option<f64> {
        let (_, v) = self.newest.iter().find(|(m, _)| *m == id)?;
        v[super::tally::side_index(Some(side))].or(v[2])
    }
}

/// What the loop hands to the taker.
enum Handed {
    Outputs(Vec<Output>),
    Over(Vec<(Placement, Losses)>),
}

/// Runs a session: `source` is worked off at `pace`, every output goes to `take`, the newest state to `view`. Gives back
/// each sensor's losses.
///
/// # Errors
/// What `take` says; everything is stopped then. A runtime that cannot start is the [`LiveError::Start`] variant.
pub fn run<E>(
    config: PipelineConfig,
    source: impl Iterator<Item = Due> + Send + 'static,
    pace: Pace,
    stop: &Stop,
    view: watch::Sender<View>,
    take: impl FnMut(&Output) -> Result<(), E>,
) -> Result<Vec<(Placement, Losses)>, LiveError<E>> {
    let runtime = threads().map_err(LiveError::Start)?;
    let source = |to| deliver(source, pace, stop.clone(), to);
    run_on(&runtime, config, source, stop, view, take)
}

/// The threads a session runs on: one for the signal loop, one for what brings its events.
///
/// # Errors
/// The system gives no threads or timers.
pub fn threads() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

/// As [`run`], with a source that is a task of its own: it sends what is due, and ends when nothing more comes.
///
/// # Errors
/// What `take` says; everything is asked to stop then.
pub fn run_on<E, F>(
    runtime: &Runtime,
    config: PipelineConfig,
    source: impl FnOnce(mpsc::Sender<Due>) -> F,
    stop: &Stop,
    view: watch::Sender<View>,
    mut take: impl FnMut(&Output) -> Result<(), E>,
) -> Result<Vec<(Placement, Losses)>, LiveError<E>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (to_loop, from_source) = mpsc::channel(DEPTH);
    let (to_taker, mut from_loop) = mpsc::channel(DEPTH);
    runtime.spawn(source(to_loop));
    runtime.spawn(compute(config, from_source, to_taker, view));
    let mut losses = Vec::new();
    while let Some(handed) = from_loop.blocking_recv() {
        match handed {
            Handed::Outputs(outputs) => {
                for output in &outputs {
                    if let Err(e) = take(output) {
                        stop.ask();
                        return Err(LiveError::Taker(e));
                    }
                }
            }
            Handed::Over(l) => losses = l,
        }
    }
    Ok(losses)
}

/// Why a live session failed.
#[derive(Debug)]
pub enum LiveError<E> {
    /// The system gives no threads or timers.
    Start(std::io::Error),
    /// Whoever takes the outputs failed.
    Taker(E),
}

/// Sends what is due at its pace, until there is no more, `stop` is asked or nobody listens: a source for [`run_on`].
pub async fn deliver(source: impl Iterator<Item = Due> + Send, pace: Pace, stop: Stop, to: mpsc::Sender<Due>) {
    let began = Instant::now();
    let mut first = None;
    for due in source {
        if let Pace::Times(speed) = pace {
            let from = *first.get_or_insert(due.at_s);
            let after = Duration::from_secs_f64(((due.at_s - from) / speed.max(1e-3)).max(0.0));
            tokio::time::sleep_until(began + after).await;
        }
        if stop.asked() || to.send(due).await.is_err() {
            return;
        }
    }
}

async fn compute(
    config: PipelineConfig,
    mut from: mpsc::Receiver<Due>,
    to: mpsc::Sender<Handed>,
    view: watch::Sender<View>,
) {
    let placements: Vec<Placement> = config.sensors.iter().map(|s| s.placement).collect();
    let mut pipeline = Pipeline::new(config);
    let mut shown = View {
        newest: SHOWN.iter().map(|id| (*id, [None; 3])).collect(),
        ..View::default()
    };
    let losses = |p: &Pipeline| -> Vec<_> { placements.iter().filter_map(|x| Some((*x, p.losses(*x)?))).collect() };
    let mut open = true;
    while open {
        let mut outputs = Vec::new();
        match from.recv().await {
            Some(due) => {
                for event in &due.events {
                    pipeline.push(event, &mut outputs);
                }
                shown.signal_s = due.at_s;
            }
            None => {
                pipeline.flush(&mut outputs);
                open = false;
            }
        }
        outputs.iter().for_each(|o| shown.take(o));
        shown.sensors = losses(&pipeline);
        shown.over = !open;
        view.send_replace(shown.clone());
        if !outputs.is_empty() && to.send(Handed::Outputs(outputs)).await.is_err() {
            return;
        }
    }
    // The taker may have failed and gone; it then knows why.
    let _ = to.send(Handed::Over(losses(&pipeline))).await;
}
