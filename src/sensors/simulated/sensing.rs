//! What simulated sensors have in common: characteristics, a crystal, samples as they fall due.

use crate::model::SessionTime;
use crate::sensors::link::{Chan, Command, LinkFailure};
use std::collections::BTreeSet;

/// Characteristics, what reading them gives, and which are subscribed.
#[derive(Clone, Debug, Default)]
pub(super) struct Characteristics {
    pub(super) chans: Vec<Chan>,
    pub(super) reads: Vec<(Chan, Vec<u8>)>,
    subscribed: BTreeSet<Chan>,
}

impl Characteristics {
    /// These can be subscribed or written, those read.
    pub(super) fn new(others: &[Chan], reads: Vec<(Chan, Vec<u8>)>) -> Self {
        let mut chans: Vec<_> = reads.iter().map(|(chan, _)| *chan).collect();
        chans.extend(others.iter().filter(|c| !reads.iter().any(|(r, _)| r == *c)));
        Self {
            chans,
            reads,
            subscribed: BTreeSet::new(),
        }
    }

    pub(super) fn is_subscribed(&self, chan: Chan) -> bool {
        self.subscribed.contains(&chan)
    }

    pub(super) fn forget_subscriptions(&mut self) {
        self.subscribed.clear();
    }

    /// Subscriptions and reads; writes only if the characteristic is there.
    pub(super) fn on_command(&mut self, command: &Command) -> Result<Vec<u8>, LinkFailure> {
        let (Command::Subscribe(chan) | Command::Read(chan) | Command::Write { chan, .. }) = command else {
            return Err(LinkFailure::Down);
        };
        if !self.chans.contains(chan) {
            return Err(LinkFailure::NoSuchCharacteristic);
        }
        match command {
            Command::Subscribe(chan) => {
                self.subscribed.insert(*chan);
                Ok(Vec::new())
            }
            Command::Read(chan) => {
                let value = self.reads.iter().find(|(c, _)| c == chan);
                value.map(|(_, bytes)| bytes.clone()).ok_or(LinkFailure::Att(0x02))
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// A crystal that is a little wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crystal {
    /// Device time at session time nought, ns.
    pub(super) base_ns: u64,
    /// Parts per million it runs fast.
    pub(super) ppm: f64,
}

impl Crystal {
    /// Device time of an instant, ns.
    pub(super) fn at(self, time: SessionTime) -> u64 {
        let fast = time.nanos() as f64 * self.ppm * 1e-6;
        self.base_ns.wrapping_add_signed(time.nanos() + fast.round() as i64)
    }
}

/// Samples of one measurement as they fall due, in frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampler {
    began: SessionTime,
    period_ns: f64,
    taken: u64,
    per_frame: u64,
}

impl Sampler {
    pub(super) fn new(began: SessionTime, rate_hz: f64, crystal: Crystal, per_frame: u64) -> Self {
        Self {
            began,
            period_ns: 1e9 / (rate_hz * (1.0 + crystal.ppm * 1e-6)),
            taken: 0,
            per_frame,
        }
    }

    fn time_of(&self, sample: u64) -> SessionTime {
        let after = (sample + 1) as f64 * self.period_ns;
        SessionTime::from_nanos(self.began.nanos() + after.round() as i64)
    }

    /// When the frame now being filled is full.
    pub(super) fn frame_at(&self) -> SessionTime {
        self.time_of(self.taken + self.per_frame - 1)
    }

    /// The instants of the next frame's samples, if it is full by `now`.
    pub(super) fn frame(&mut self, now: SessionTime) -> Option<Vec<SessionTime>> {
        if self.frame_at() > now {
            return None;
        }
        let times = (self.taken..self.taken + self.per_frame)
            .map(|k| self.time_of(k))
            .collect();
        self.taken += self.per_frame;
        Some(times)
    }
}
