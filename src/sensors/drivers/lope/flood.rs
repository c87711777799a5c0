//! How many frames a pod may send.
//!
//! Twice what it declared, with room for what a radio holds back and lets go at once (SPEC.md section 11). What was asked
//! for by RANGE comes on top, exactly as many frames as the range can need.

use crate::model::SessionTime;

/// A radio may hold back this much and deliver it at once, s.
const BURST_S: f64 = 5.0;
/// Room that even the slowest pod has, frames.
const LEAST_BURST: f64 = 64.0;
/// Assumed until a pod has said what it streams, frames/s.
const UNDECLARED_HZ: f64 = 100.0;

/// Asked-for frames that may be outstanding: two of the longest ranges, one sample a frame.
const MOST_ASKED: u32 = 2 * 65_536;

/// What became of a frame at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may pass.
    Pass,
    /// Too many: it is dropped. `first` of an episode.
    Drop {
        /// Whether the one before it passed.
        first: bool,
    },
}

/// A bucket of frames that fills at the allowed rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct FloodGate {
    allowed_hz: f64,
    room: f64,
    at: SessionTime,
    asked: u32,
    flooding: bool,
}

impl FloodGate {
    pub(super) fn new(now: SessionTime) -> Self {
        let mut gate = Self {
            allowed_hz: 0.0,
            room: 0.0,
            at: now,
            asked: 0,
            flooding: false,
        };
        gate.declare(UNDECLARED_HZ);
        gate.room = gate.capacity();
        gate
    }

    /// The pod says that it sends this many frames a second.
    pub(super) fn declare(&mut self, frames_hz: f64) {
        self.allowed_hz = 2.0 * frames_hz;
        self.room = self.room.min(self.capacity());
    }

    /// A range that may need this many frames was asked for.
    ///
    /// Frames of the range before may still be under way: the word that it is done travels on another characteristic and may
    /// overtake them.
    pub(super) fn ask(&mut self, frames: u32) {
        self.asked = self.asked.saturating_add(frames).min(MOST_ASKED);
    }

    fn capacity(&self) -> f64 {
        (self.allowed_hz * BURST_S).max(LEAST_BURST)
    }

    /// A frame came.
    pub(super) fn take(&mut self, backfill: bool, now: SessionTime) -> Gate {
        let passed = now.since(self.at).max(0.0);
        self.at = self.at.max(now);
        self.room = (self.room + passed * self.allowed_hz).min(self.capacity());
        if backfill && self.asked > 0 {
            self.asked -= 1;
            return Gate::Pass;
        }
        if self.room >= 1.0 {
            self.room -= 1.0;
            if self.room > 0.5 * self.capacity() {
                self.flooding = false;
            }
            return Gate::Pass;
        }
        let first = !std::mem::replace(&mut self.flooding, true);
        Gate::Drop { first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_declared_rate_passes_and_ten_times_does_not() {
        for (times, passes) in [(1.9, true), (10.0, false)] {
            let mut gate = FloodGate::new(SessionTime::ZERO);
            gate.declare(11.0);
            let frames = (60.0 * 11.0 * times) as u32;
            let dropped = (0..frames)
                .map(|k| gate.take(false, SessionTime::from_secs(f64::from(k) / (11.0 * times))))
                .filter(|g| matches!(g, Gate::Drop { .. }))
                .count();
            assert_eq!(
                dropped == 0,
                passes,
                "{dropped} of {frames} dropped at {times} times the rate"
            );
        }
    }

    #[test]
    fn what_was_asked_for_comes_on_top_and_no_more() {
        let mut gate = FloodGate::new(SessionTime::ZERO);
        gate.declare(11.0);
        while gate.take(false, SessionTime::ZERO) == Gate::Pass {}
        gate.ask(3);
        let passed = (0..10)
            .filter(|_| gate.take(true, SessionTime::ZERO) == Gate::Pass)
            .count();
        assert_eq!(passed, 3);
    }
}
