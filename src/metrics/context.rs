//! What a metric may look at, and the record it contributes to.

use super::registry::{METRIC_COUNT, METRICS, MetricId};
use crate::model::{Absent, Athlete, Contact, DataClass, Foot, Measured, Sacrum, Shank, Stride};
use crate::orientation::TrackSample;

/// One value or reason for every metric of the registry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricSet([Measured; METRIC_COUNT]);

impl Default for MetricSet {
    fn default() -> Self {
        Self([Err(Absent::NoSensor); METRIC_COUNT])
    }
}

impl MetricSet {
    /// Value or reason.
    pub fn get(&self, id: MetricId) -> Measured {
        self.0[id.index()]
    }

    /// Value, where there is one.
    #[must_use]
    pub fn value(&self, id: MetricId) -> Option<f64> {
        self.get(id).ok()
    }

    /// Enters a value or a reason. A value that is not finite is a refusal.
    pub fn set(&mut self, id: MetricId, value: Measured) {
        self.0[id.index()] = match value {
            Ok(v) if !v.is_finite() => Err(Absent::Refused),
            other => other,
        };
    }

    /// Values and reasons alone, in registry order.
    pub fn all(&self) -> &[Measured; METRIC_COUNT] {
        &self.0
    }

    /// All of them in registry order.
    pub fn iter(&self) -> impl Iterator<Item = (MetricId, Measured)> + '_ {
        METRICS.iter().map(|m| (m.id, self.get(m.id)))
    }
}

/// Standing references of the pelvis and shanks, radians; `None` where the runner was not seen standing still.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StandingReference {
    /// Pelvic tilt in quiet standing against gravity and the aligned axes.
    pub pelvis_tilt: Option<f64>,
    /// Pelvic obliquity in quiet standing, left side up positive.
    pub pelvis_obliquity: Option<f64>,
    /// Shank angle of this stride's side in quiet standing, ankle ahead of knee positive.
    pub shank_angle: Option<f64>,
}

/// Everything a per-stride metric may look at. Slices are time ordered and cover the stride with
/// [`StrideContext::MARGIN_S`] before and after, as far as the sensor delivered; `None` means that sensor is not worn,
/// not aligned or has a gap there.
#[derive(Clone, Copy, Debug)]
pub struct StrideContext<'a> {
    /// The stride.
    pub stride: &'a Stride,
    /// The foot of this stride's side.
    pub foot: Option<&'a [TrackSample<Foot>]>,
    /// The shank of this stride's side.
    pub shank: Result<&'a [TrackSample<Shank>], Absent>,
    /// The sacrum.
    pub sacrum: Result<&'a [TrackSample<Sacrum>], Absent>,
    /// The other foot's contact before this stride's initial contact, and the one inside the stride.
    pub opposite_before: Option<Contact>,
    /// The other foot's contact between this stride's initial contacts.
    pub opposite_inside: Option<Contact>,
    /// Whether clocks of foot and opposite foot (and pelvis, shank) agree to 10 ms or better.
    pub synchronised: Synchronised,
    /// Standing references.
    pub standing: StandingReference,
    /// The runner.
    pub athlete: &'a Athlete,
}

/// Whether the clocks of two sensors are known to agree within the 10 ms that two-sensor measurements need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronised {
    /// Yes.
    Yes,
    /// No, or not known.
    No,
}

impl StrideContext<'_> {
    /// Seconds of signal before the stride's initial contact and after its end that the slices hold.
    pub const MARGIN_S: f64 = 0.15;
}

/// One stride with everything measured on it: what is stored, shown and exported.
#[derive(Clone, Debug, PartialEq)]
pub struct StrideRecord {
    /// Number of the stride on its side in this session, from 0.
    pub index: u32,
    /// The stride.
    pub stride: Stride,
    /// The metrics.
    pub metrics: MetricSet,
    /// Confidence class from the quality.
    pub class: DataClass,
}

impl StrideRecord {
    /// Whether the stride enters medians, baselines and flags: of class A or B, and not marked as bad by a person.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.class <= DataClass::B && !self.stride.flags.marked_bad
    }
}
