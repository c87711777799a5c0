//! One gait cycle of one foot: its events, where the foot went, and how good the data were. It knows no thresholds.

use super::frame::{Travel, Vec3};
use super::measurement::QualityParts;
use super::place::{SegmentKind, Side};
use super::time::SessionTime;
use serde::{Deserialize, Serialize};

/// What the runner was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// No steps.
    Still,
    /// Duty factor above one half: always one foot on the ground.
    Walking,
    /// Duty factor below one half, with flight.
    Running,
}

/// One stance of one foot: `ic < m < tc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Initial contact.
    pub ic: SessionTime,
    /// Mid-stance: the quietest instant inside the contact, where a trajectory is opened and closed.
    pub m: SessionTime,
    /// Terminal contact (toe-off).
    pub tc: SessionTime,
}

/// Facts about a stride that views and aggregates filter by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrideFlags {
    /// An accelerometer sample of the stride was at the rail.
    pub acc_clipped: bool,
    /// A gyroscope sample of the stride was at the rail.
    pub gyro_clipped: bool,
    /// Samples of the stride were interpolated.
    pub filled: bool,
    /// The stride lies in a turn (travel turned by more than 20° or the mean yaw rate exceeded 0.6 rad/s).
    pub turning: bool,
    /// The zero of foot pitch is not from standing but from mid-stance.
    pub approximate_zero: bool,
    /// First stride after standing or after a loss of the track.
    pub after_rest: bool,
    /// A plausibility guard of its contact failed: times around it are not to be believed.
    pub implausible_contact: bool,
    /// The mounting was not settled yet (fewer strides than needed agreed on it).
    pub mounting_unsettled: bool,
    /// A person marked the stride as bad: it is kept and shown, and counts nowhere. The record says so when it is read;
    /// the pipeline never does, and it is no part of the row at rest.
    pub marked_bad: bool,
}

/// Motion of the foot between two mid-stances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FootMotion {
    /// Displacement from `m` to `m′`: x along travel (its horizontal length), y is 0 by construction, z up. Metres.
    pub displacement: Vec3<Travel>,
    /// Standard deviation of the horizontal length, m, by the filter's own covariance.
    pub length_sigma_m: f64,
    /// Foot pitch at initial contact of the opening stance, rad, toe up positive, against the best zero known
    /// (see [`StrideFlags::approximate_zero`]); `None` before the mounting is known.
    pub pitch_ic_rad: Option<f64>,
    /// Forward speed of the foot 10 ms before initial contact, m/s; a proxy of how far the foot is thrown forward.
    pub touchdown_speed: Option<f64>,
    /// Range of inversion between initial contact and mid-stance, rad.
    pub inversion_range_rad: Option<f64>,
    /// Direction of the toe against travel at mid-stance, rad, away from the midline positive.
    pub toe_out_rad: Option<f64>,
    /// Heading of travel in the level frame, rad; meaningful only as a difference to the neighbouring stride.
    pub heading_rad: f64,
    /// Share of samples with a clipped accelerometer axis, 0..1.
    pub acc_clipped_share: f64,
    /// Share of samples with a clipped gyroscope axis, 0..1.
    pub gyro_clipped_share: f64,
    /// Largest specific force within 10 ms before to 60 ms after initial contact, m/s², and whether it was clipped.
    pub impact_peak: Option<(f64, bool)>,
    /// Normalised innovation squared at the closing mid-stance (6 degrees of freedom).
    pub chi2: f64,
    /// Difference to plain linear de-drifting of the same stride, as a share of the length.
    pub linear_difference: f64,
    /// Rise per horizontal metre before height was closed; single strides scatter, see the ground estimate.
    pub free_slope: f64,
}

/// Why a stride was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrideError {
    /// The events are not in the order `ic < m < tc < ic′ < m′`.
    Disorder,
}

/// One gait cycle, from mid-stance to mid-stance of one foot (or of one side seen from shank or sacrum).
///
/// `start` and `end` bound the displacement: speed is length over `end − start`, never over the contact interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stride {
    /// Side, where known. A single pod of unknown side and the sacrum alone give `None`.
    pub side: Option<Side>,
    /// What the stride was seen from.
    pub seen_from: SegmentKind,
    /// Mid-stance (foot) or cycle start (shank, sacrum).
    pub start: SessionTime,
    /// The next one.
    pub end: SessionTime,
    /// The stance that opens the stride; only a foot sensor gives it.
    pub contact: Option<Contact>,
    /// Initial contact of the next stance of the same foot.
    pub next_ic: Option<SessionTime>,
    /// What the foot did; only a foot sensor gives it, and not when too much was clipped.
    pub foot: Option<FootMotion>,
    /// Activity at this stride.
    pub activity: Activity,
    /// Facts for filtering.
    pub flags: StrideFlags,
    /// The parts of the quality.
    pub quality: QualityParts,
}

impl Stride {
    /// Checks the order of events of a foot stride.
    ///
    /// # Errors
    /// [`StrideError::Disorder`] unless `ic < m < tc < ic′ < m′`, with `m = start` and `m′ = end`.
    pub fn checked(self) -> Result<Self, StrideError> {
        let ordered = match (self.contact, self.next_ic) {
            (Some(c), Some(next)) => c.ic < c.m && c.m < c.tc && c.tc < next && next < self.end && c.m == self.start,
            _ => self.start < self.end,
        };
        if ordered { Ok(self) } else { Err(StrideError::Disorder) }
    }

    /// The gait cycle `[from, to)`: contact to contact where a foot tells it, else the stride's own bounds.
    #[must_use]
    pub fn cycle(&self) -> (SessionTime, SessionTime) {
        match (self.contact, self.next_ic) {
            (Some(contact), Some(next)) => (contact.ic, next),
            _ => (self.start, self.end),
        }
    }

    /// Seconds from mid-stance to mid-stance.
    #[must_use]
    pub fn secs(&self) -> f64 {
        self.end.since(self.start)
    }

    /// Stride time ic→ic′ where contacts are known, else start→end, s.
    #[must_use]
    pub fn stride_time(&self) -> f64 {
        let (from, to) = self.cycle();
        to.since(from)
    }
}
