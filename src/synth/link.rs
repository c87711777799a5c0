//! The radio of one sensor: samples gathered into frames, some of them lost, late, doubled or overtaken.

use super::faults::Transport;
use super::rng::{Purpose, Rng};
use super::sensor::{RawSample, Samples};
use super::simulation::Simulation;
use crate::model::Placement;

/// Longest time a sensor waits to fill a frame, s (protocol, section 4.3).
const LONGEST_WAIT_S: f64 = 0.2;
/// Longest time by which a frame is held back to be overtaken, s.
const LONGEST_HOLD_S: f64 = 0.1;

/// One frame and what became of it.
#[derive(Clone, Debug)]
pub(super) struct OnAir {
    /// Consecutive samples of one boot, at least one.
    pub(super) samples: Vec<RawSample>,
    /// When its last sample was taken, session seconds: nothing of it arrives earlier.
    pub(super) complete_s: f64,
    /// When it arrives, and when again; empty if it is lost.
    pub(super) arrivals: Vec<f64>,
}

/// Frames of one sensor in the order of their samples.
#[derive(Clone, Debug)]
pub(super) struct Link<'a> {
    samples: Samples<'a>,
    waiting: Option<RawSample>,
    transport: Transport,
    placement: Placement,
    dropouts: Vec<(f64, f64)>,
    rng: Rng,
    bad: bool,
    /// Live frames of one stream do not overtake each other by chance.
    last_arrival_s: f64,
}

impl<'a> Link<'a> {
    pub(super) fn new(simulation: &'a Simulation, placement: Placement) -> Self {
        Self {
            samples: simulation.samples(placement),
            waiting: None,
            transport: simulation.config().faults.transport,
            placement,
            dropouts: simulation.dropouts(placement),
            rng: Rng::stream(simulation.config().seed, Purpose::Transport, placement.index()),
            bad: false,
            last_arrival_s: f64::NEG_INFINITY,
        }
    }

    fn gather(&mut self) -> Option<Vec<RawSample>> {
        let first = self.waiting.take().or_else(|| self.samples.next())?;
        let most = usize::from(self.transport.entries_per_frame).clamp(1, 19);
        let mut frame = Vec::with_capacity(most);
        frame.push(first);
        while frame.len() < most {
            let Some(next) = self.samples.next() else { break };
            if next.boot != first.boot || next.t.since(first.t) >= LONGEST_WAIT_S {
                self.waiting = Some(next);
                break;
            }
            frame.push(next);
        }
        Some(frame)
    }

    fn is_lost(&mut self, complete_s: f64) -> bool {
        let dice = (self.rng.unit(), self.rng.unit());
        if let Some(channel) = self.transport.loss[self.placement.index()] {
            let turns = if self.bad {
                channel.turns_good
            } else {
                channel.turns_bad
            };
            if dice.0 < turns {
                self.bad = !self.bad;
            }
            if self.bad && dice.1 < channel.lost_when_bad {
                return true;
            }
        }
        self.dropouts
            .iter()
            .any(|&(from, to)| complete_s >= from && complete_s < to)
    }

    fn arrivals(&mut self, complete_s: f64) -> Vec<f64> {
        let t = self.transport;
        // All dice are thrown for every frame, so that no setting shifts the luck of another.
        let (delay, reorder, hold) = (self.rng.exponential(1.0), self.rng.unit(), self.rng.between(0.5, 1.0));
        let (duplicate, again) = (self.rng.unit(), self.rng.unit());
        let delay = t.latency_s + delay * t.latency_spread_s;
        let held = if reorder < t.reorder {
            hold * LONGEST_HOLD_S
        } else {
            0.0
        };
        let again = (duplicate < t.duplicate).then_some(again * LONGEST_HOLD_S);
        let in_order = (complete_s + delay).max(self.last_arrival_s);
        self.last_arrival_s = in_order;
        let first = in_order + held;
        std::iter::once(first).chain(again.map(|d| first + d)).collect()
    }
}

impl Iterator for Link<'_> {
    type Item = OnAir;

    fn next(&mut self) -> Option<OnAir> {
        let samples = self.gather()?;
        let complete_s = samples.last()?.t.secs();
        let arrivals = self.arrivals(complete_s);
        let arrivals = if self.is_lost(complete_s) { Vec::new() } else { arrivals };
        Some(OnAir {
            samples,
            complete_s,
            arrivals,
        })
    }
}
