//! What is decided about a step before any motion is computed: the vocabulary between timeline, foot and pelvis.

use super::script::Form;
use crate::model::Side;

/// Walking or running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gait {
    Walk,
    Run,
}

/// How a foot comes to the ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landing {
    /// It stood there from the beginning.
    Stood,
    /// In stride.
    Strike,
    /// To stay: the runner is stopping.
    Settle,
}

/// One footfall: a contact of one foot and all that was drawn for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) side: Side,
    pub(super) gait: Gait,
    pub(super) landing: Landing,
    pub(super) ic: f64,
    /// Terminal contact; `None` while the foot stands to the end of the run.
    pub(super) tc: Option<f64>,
    /// Speed of the run, m/s.
    pub(super) speed: f64,
    /// Position of the sole point under the ankle when the foot is flat, m.
    pub(super) place: [f64; 3],
    /// Direction of travel there, rad, unwrapped.
    pub(super) heading: f64,
    /// Gradient of the ground there (rise over run).
    pub(super) grade: f64,
    pub(super) toe_out_rad: f64,
    /// Pitch against the ground at initial contact.
    pub(super) strike_rad: f64,
    /// Pitch against the ground at mid-stance, rad.
    pub(super) mid_pitch_rad: f64,
    /// Rate at which the foot rolls over at mid-stance, rad/s, positive.
    pub(super) mid_rate: f64,
    /// Forward speed at mid-stance, m/s.
    pub(super) creep_mps: f64,
    /// Forward and upward acceleration of the shoe at mid-stance, m/s².
    pub(super) mid_acc: [f64; 2],
    pub(super) sole_delay_s: f64,
    pub(super) impact_s: f64,
    /// From initial contact to the fastest slap of the foot, s (signal design, section 6).
    pub(super) slap_delay_s: f64,
    /// From the fastest roll over the ball to terminal contact, s.
    pub(super) push_lead_s: f64,
    /// Factor on the height of the swing that follows.
    pub(super) swing_scale: f64,
    pub(super) form: Form,
}

impl Step {
    /// Whether this contact begins or ends in standing still.
    pub(super) fn rests(&self) -> bool {
        self.landing != Landing::Strike || self.tc.is_none()
    }
}
