//! A recording through the signal loop, as fast as it goes.
//!
//! Synchronous on purpose: one reader, one loop, no channel in between, and so the same bytes out for the same file in.

use super::tally::Tally;
use crate::interchange::{ReadError, Recording};
use crate::model::Placement;
use crate::pipeline::{Losses, Output, Pipeline, PipelineConfig};
use crate::store::HealthSeries;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Events between two looks at progress and at the wish to stop.
const EVENTS_PER_LOOK: u64 = 4096;

/// What one pass over a recording came to.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Sums and medians.
    pub tally: Tally,
    /// Each sensor's losses, in order of placement.
    pub losses: Vec<(Placement, Losses)>,
    /// First and last instant of any sensor, s.
    pub span_s: Option<(f64, f64)>,
    /// Files that ended in the middle of a line.
    pub truncated: Vec<PathBuf>,
}

/// Why a pass did not come to its end.
#[derive(Debug)]
pub enum PassError<E> {
    /// The recording could not be read.
    Read(ReadError),
    /// Whoever takes the outputs failed.
    Taker(E),
    /// Stopped on request.
    Stopped,
}

/// Who takes what a pass gives out.
pub trait Taker {
    /// Its failure.
    type Error;

    /// Takes an output, in order of decision.
    ///
    /// # Errors
    /// What keeps it from going on; the pass then ends.
    fn take(&mut self, output: &Output) -> Result<(), Self::Error>;

    /// Told from time to time how far the pass is: share of bytes read 0..1, seconds of signal. May stop it.
    fn look(&mut self, share: f64, signal_s: f64) -> ControlFlow<()>;
}

/// The signal loop's configuration for a recording.
#[must_use]
pub fn config(recording: &Recording) -> PipelineConfig {
    PipelineConfig {
        sensors: recording.configs(),
        athlete: recording.athlete(),
        sync_sigma_s: recording.description.sync_sigma_s,
        personal_speed_offset: 0.0,
    }
}

/// Each sensor's losses, in order of placement.
#[must_use]
pub fn losses(pipeline: &Pipeline, placements: &[Placement]) -> Vec<(Placement, Losses)> {
    let mut losses: Vec<(Placement, Losses)> = placements
        .iter()
        .filter_map(|p| Some((*p, pipeline.losses(*p)?)))
        .collect();
    losses.sort_by_key(|(p, _)| p.index());
    losses
}

/// Runs the whole recording; with it comes how each sensor did.
///
/// # Errors
/// See [`PassError`]; what the taker took until then stays with the taker.
pub fn run<T: Taker>(recording: &Recording, taker: &mut T) -> Result<(Pass, HealthSeries), PassError<T::Error>> {
    let config = config(recording);
    let placements: Vec<Placement> = config.sensors.iter().map(|s| s.placement).collect();
    let mut pipeline = Pipeline::new(config);
    let mut stream = recording.stream().map_err(PassError::Read)?;
    let total = recording.bytes().max(1) as f64;
    let mut out = Vec::with_capacity(64);
    let mut tally = Tally::default();
    let mut span_s: Option<(f64, f64)> = None;
    let mut health = HealthSeries::default();
    let mut seen = 0_u64;
    let mut ended = false;
    while !ended {
        match stream.next_event().map_err(PassError::Read)? {
            Some(event) => {
                health.take(&event);
                if let crate::model::SensorEvent::Sample(_, s) = &event {
                    let t = s.t.secs();
                    span_s = Some(span_s.map_or((t, t), |(a, b)| (a.min(t), b.max(t))));
                }
                pipeline.push(&event, &mut out);
            }
            None => {
                pipeline.flush(&mut out);
                ended = true;
            }
        }
        for output in out.drain(..) {
            tally.take(&output);
            taker.take(&output).map_err(PassError::Taker)?;
        }
        seen += 1;
        if seen.is_multiple_of(EVENTS_PER_LOOK) {
            let signal_s = span_s.map_or(0.0, |(a, b)| b - a);
            let share = (stream.bytes() as f64 / total).min(1.0);
            if taker.look(share, signal_s).is_break() {
                return Err(PassError::Stopped);
            }
        }
    }
    let pass = Pass {
        tally,
        losses: losses(&pipeline, &placements),
        span_s,
        truncated: stream.truncated().map(PathBuf::from).collect(),
    };
    Ok((pass, health))
}
