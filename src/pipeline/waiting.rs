//! Strides wait here until every sensor that has a say on them has passed.
//!
//! The feet and the pelvis run as separate chains and meet at a watermark: the session time that all live sensors have
//! passed. A sensor that has been silent for three seconds is not waited for. At the beginning strides also wait for the
//! mounting of shank and pelvis sensors to become known, so that the first strides of a run are not lost; later that
//! never delays anything.

use crate::metrics::StrideContext;
use crate::model::{SessionTime, Stride};
use std::collections::VecDeque;

/// A sensor whose newest sample is this much older than the newest of all is not waited for, s.
pub(super) const SILENT_S: f64 = 3.0;
/// Strides wait this long for a mounting, counted from the first stride of the session, s.
pub(super) const MOUNTING_WAIT_S: f64 = 40.0;

/// A stride on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) stride: Stride,
    /// Which foot (0 left, 1 right) it is from; `None` for one seen from the pelvis.
    pub(super) foot: Option<usize>,
    /// The chains of shank and pelvis have been told of it.
    pub(super) told: bool,
}

impl Waiting {
    /// First instant its measurements look at.
    pub(super) fn from(&self) -> SessionTime {
        let first = self.stride.contact.map_or(self.stride.start, |c| c.ic);
        first.plus(-StrideContext::MARGIN_S)
    }

    /// First instant after what they look at.
    pub(super) fn to(&self) -> SessionTime {
        self.stride.end.plus(StrideContext::MARGIN_S)
    }

    /// Bounds by which shank and pelvis know it: contact to contact, else mid-stance to mid-stance.
    pub(super) fn cycle(&self) -> (SessionTime, SessionTime) {
        self.stride.cycle()
    }
}

/// The queue, ordered by the end of the stride.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    strides: VecDeque<Waiting>,
}

impl Queue {
    pub(super) fn new() -> Self {
        // A minute of running on two feet, with room.
        Self {
            strides: VecDeque::with_capacity(256),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.strides.is_empty()
    }

    pub(super) fn insert(&mut self, waiting: Waiting) {
        let at = self.strides.partition_point(|w| w.stride.end <= waiting.stride.end);
        self.strides.insert(at, waiting);
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.strides.iter_mut()
    }

    pub(super) fn front(&self) -> Option<&Waiting> {
        self.strides.front()
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        self.strides.pop_front()
    }
}
