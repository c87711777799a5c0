//! Whether left and right shoe sensors look exchanged: asked of every early stride, said once.
//!
//! Nothing is swapped: a runner may really be built the other way, and only a person can tell.

use super::output::Health;
use crate::gait::feet_check::{FeetCheck, FeetVerdict};
use crate::model::{Foot, Sensor, Stride};
use crate::orientation::TrackSample;

#[derive(Clone, Debug, Default)]
pub(super) struct SidesWatch {
    pub(super) check: FeetCheck,
    said: bool,
}

impl SidesWatch {
    /// Takes a stride with the samples of foot and sacrum over it; answers once when the names look exchanged.
    pub(super) fn note(
        &mut self,
        stride: &Stride,
        foot: Option<&[TrackSample<Foot>]>,
        sacrum: Option<&[TrackSample<Sensor>]>,
    ) -> Option<Health> {
        self.check.note_stride(stride, foot, sacrum);
        if self.said || self.check.verdict() != FeetVerdict::Swapped {
            return None;
        }
        self.said = true;
        Some(Health::SidesSwapped { t: stride.end })
    }
}
