//! The truth about a simulated run, in the sign conventions of the sign table (docs/conventions.md): SI units, radians.
//!
//! Everything here is read off the motion itself. Nothing depends on sensors or their errors, except the counts of
//! clipped samples, which say so.

use super::script::Form;
use crate::model::{Activity, Placement, SessionTime, Side, Span};

/// Consequences of the spring model for one contact and its flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpringTruth {
    /// Peak vertical force, N.
    pub force_n: f64,
    /// Travel of the centre of mass in contact, m, positive.
    pub drop_m: f64,
    /// Travel of the centre of mass over the step, m.
    pub oscillation_m: f64,
    /// Vertical stiffness, N/m.
    pub k_vert: f64,
    /// Leg stiffness, N/m.
    pub k_leg: f64,
}

/// One contact of one foot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueContact {
    /// Side.
    pub side: Side,
    /// Initial contact: the force begins.
    pub ic: SessionTime,
    /// Mid-stance: the instant of least |ω| of the foot inside the contact. Where the foot stands still for a while, the
    /// end of that while.
    pub m: SessionTime,
    /// Terminal contact: the force ends.
    pub tc: SessionTime,
    /// Walking or running.
    pub activity: Activity,
}

/// The pelvis over one stride, `[ic, next_ic)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruePelvis {
    /// Mean tilt over the stride against standing, anterior positive.
    pub tilt_mean: f64,
    /// The same, mean over the contact times of both feet that lie in the stride.
    pub tilt_mean_in_contact: f64,
    /// Range of tilt.
    pub tilt_range: f64,
    /// Range of obliquity.
    pub obliquity_range: f64,
    /// Largest drop of the swing side in this side's contact, against standing.
    pub drop: f64,
    /// The same against the instant of contact.
    pub drop_from_ic: f64,
    /// Range of rotation about the vertical against the direction of travel.
    pub rotation_range: f64,
    /// Vertical travel of the pelvis centre, m; on a slope, of its height above the way.
    pub oscillation: f64,
    /// The same of the place of the sacral sensor, if it sat rigidly on the bone.
    pub oscillation_at_sensor: f64,
    /// Lowest fore-aft acceleration of the pelvis centre between ic and m, m/s², negative.
    pub braking_peak: f64,
    /// Speed lost in the braking part of the contact, m/s, negative.
    pub braking_dv: f64,
}

/// Everything true about one stride.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueStride {
    /// Number of the stride on its side, from 0.
    pub index: u32,
    /// Side.
    pub side: Side,
    /// Walking or running.
    pub activity: Activity,
    /// Initial contact, mid-stance and terminal contact of the opening stance.
    pub ic: SessionTime,
    /// Mid-stance, where the displacement begins.
    pub m: SessionTime,
    /// Terminal contact.
    pub tc: SessionTime,
    /// The next initial contact of the same foot.
    pub next_ic: SessionTime,
    /// The next mid-stance, where the displacement ends.
    pub next_m: SessionTime,
    /// Initial contact of the other foot inside the stride.
    pub opposite_ic: Option<SessionTime>,
    /// Whether the stride begins or ends in standing still.
    pub at_rest: bool,
    /// Mean yaw rate of the way over the stride, rad/s, and whether it makes the stride a turn (above 0.6 rad/s, or more
    /// than 20° turned).
    pub yaw_rate: f64,
    /// See `yaw_rate`.
    pub turning: bool,
    /// Slope of the ground between the two mid-stances, uphill positive.
    pub slope: f64,
    /// Horizontal displacement of the instep from m to m′, m.
    pub length: f64,
    /// Rise over the same interval, m.
    pub rise: f64,
    /// Horizontal displacement of the instep from ic to ic′, m.
    pub length_ic: f64,
    /// `length` over m′ − m, m/s.
    pub speed: f64,
    /// ic′ − ic, s.
    pub stride_time: f64,
    /// 120 / stride time, steps/min.
    pub cadence: f64,
    /// tc − ic, s.
    pub contact_time: f64,
    /// From tc to the next ic of the other foot, s; negative in double support.
    pub flight_time: Option<f64>,
    /// Pitch of the foot at ic against standing on the level, toes up positive.
    pub foot_pitch_ic: f64,
    /// The same 10 ms earlier: the foot strike angle.
    pub foot_strike_angle: f64,
    /// Forward speed of the instep 10 ms before ic, m/s.
    pub touchdown_speed: f64,
    /// Pitch of the foot at m.
    pub foot_pitch_m: f64,
    /// Range of inversion from ic to m.
    pub inversion_range: f64,
    /// Direction of the toes against travel at m, outwards positive.
    pub toe_out: f64,
    /// Shank angle at ic against the vertical, ankle ahead of the knee positive.
    pub shank_angle_ic: f64,
    /// The same against standing.
    pub shank_angle_ic_from_standing: f64,
    /// Ankle ahead of the pelvis centre at ic, m, along travel.
    pub overstride: f64,
    /// The pelvis.
    pub pelvis: TruePelvis,
    /// The spring model with the true times of this contact; `None` in walking.
    pub spring: Option<SpringTruth>,
    /// Samples of this foot's sensor in `[m, next_m)` with a clipped accelerometer or gyroscope axis. Depends on the sensor.
    pub clipped_samples: Option<ClippedCount>,
    /// The deviation of form that the script asked for.
    pub form: Form,
}

/// Clipped samples of one stride.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClippedCount {
    /// Samples in the stride.
    pub samples: u32,
    /// Of these, with an accelerometer axis at the rail.
    pub acc: u32,
    /// Of these, with a gyroscope axis at the rail.
    pub gyro: u32,
}

/// The pelvis at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PelvisPoint {
    /// When.
    pub t: SessionTime,
    /// Position of the pelvis centre, m (as seen from the room on a treadmill).
    pub position: [f64; 3],
    /// Velocity, m/s.
    pub velocity: [f64; 3],
    /// Tilt against standing, anterior positive.
    pub tilt: f64,
    /// Obliquity against standing, left side up positive.
    pub obliquity: f64,
    /// Yaw against the direction of travel, left positive.
    pub rotation: f64,
}

/// Angles in quiet standing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StandingAngles {
    /// Pelvic tilt against gravity.
    pub tilt: f64,
    /// Pelvic obliquity against gravity.
    pub obliquity: f64,
    /// Shank angle of left and right side, ankle ahead of the knee positive.
    pub shank: [f64; 2],
    /// Pitch of the feet.
    pub foot_pitch: f64,
}

/// Something worth knowing that is no stride.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrueEvent {
    /// The runner stands still.
    Standing(Span),
    /// A sensor turned on its segment.
    Slip(Placement, SessionTime),
    /// Left and right sensors are exchanged.
    SidesSwapped,
    /// A sensor repeats one value.
    Stuck(Placement, Span),
    /// A sensor restarts.
    Reboot(Placement, SessionTime),
    /// Nothing arrives from a sensor.
    Dropout(Placement, Span),
}

/// The truth about a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Strides of both sides in the order of their opening contacts.
    pub strides: Vec<TrueStride>,
    /// Contacts of both sides in order, those of standing included where they begin or end within the run.
    pub contacts: Vec<TrueContact>,
    /// The pelvis at even intervals; empty unless asked for.
    pub pelvis: Vec<PelvisPoint>,
    /// Quiet standing.
    pub standing: StandingAngles,
    /// Everything else that happens, in time order.
    pub events: Vec<TrueEvent>,
    /// Distance covered by the pelvis, m.
    pub distance: f64,
    /// Duration, s.
    pub duration: f64,
}

impl Truth {
    /// The strides of one side.
    pub fn of_side(&self, side: Side) -> impl Iterator<Item = &TrueStride> {
        self.strides.iter().filter(move |s| s.side == side)
    }
}
