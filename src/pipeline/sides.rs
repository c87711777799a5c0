//! Whether left and right shoe sensors look exchanged.
//!
//! People run with their toes straight or turned out; the direction of the foot against travel, read with the sides as they
//! are labelled, turns its sign when the pods are exchanged. When *both* feet point inwards by more than 5° in the mean of
//! thirty strides, that is said, once. Nothing is swapped: a runner may really be pigeon-toed, and only a person can tell.

use super::output::Health;
use crate::metrics::{MetricId, StrideRecord};
use crate::model::Side;
use crate::model::units::rad;

/// Strides of each side before anything is said.
const STRIDES: u32 = 30;
/// Toe-in of both feet beyond which the labels are doubted, degrees.
const TOE_IN_DEG: f64 = 5.0;

#[derive(Clone, Debug, Default)]
pub(super) struct SidesWatch {
    /// Sum and count of toe-out, left and right.
    sums: [(f64, u32); 2],
    said: bool,
}

impl SidesWatch {
    /// Takes a stride; answers once when both feet point inwards.
    pub(super) fn note(&mut self, record: &StrideRecord) -> Option<Health> {
        let toe_out = record.metrics.value(MetricId::ToeOut)?;
        if self.said || record.stride.flags.turning {
            return None;
        }
        let (sum, count) = &mut self.sums[usize::from(record.stride.side? == Side::Right)];
        *sum += toe_out;
        *count += 1;
        let inwards = self
            .sums
            .iter()
            .all(|(sum, n)| *n >= STRIDES && sum / f64::from(*n) < -rad(TOE_IN_DEG));
        self.said = inwards;
        inwards.then_some(Health::SidesSwapped { t: record.stride.end })
    }
}
