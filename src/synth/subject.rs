//! Who runs: body, habits and irregularity of the synthetic runner.
//!
//! Everything here is a cause, nothing is a measured consequence: a subject has a strike angle and a reach, and the
//! braking, the shank angle or the speed of the foot at touchdown follow from the kinematics.

use super::rng::{Purpose, Rng};
use crate::model::Side;
use crate::model::units::rad;

/// Thigh and shank length over body height: Winter, *Biomechanics and Motor Control of Human Movement*, table 4.1.
const THIGH_PER_HEIGHT: f64 = 0.245;
const SHANK_PER_HEIGHT: f64 = 0.246;
/// Ankle above the sole over body height, same table.
const ANKLE_PER_HEIGHT: f64 = 0.039;
/// Foot length over body height, same table.
const FOOT_PER_HEIGHT: f64 = 0.152;

/// The synthetic runner. Start from [`Subject::reference`] or [`Subject::drawn`] and change what you need.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// Standing height, m.
    pub height_m: f64,
    /// Body mass, kg.
    pub mass_kg: f64,
    /// Pitch of the foot against the ground at initial contact of running, rad, toes up positive: above about 8° a heel
    /// strike, below about −1.6° a forefoot strike.
    pub strike_rad: f64,
    /// The same for walking.
    pub walk_strike_rad: f64,
    /// Factor on the usual cadence at a speed.
    pub cadence_scale: f64,
    /// Factor on the usual contact time at a speed.
    pub contact_scale: f64,
    /// Extra distance of the ankle ahead of the pelvis at initial contact, m.
    pub reach_m: f64,
    /// How much later the right foot lands than half a stride after the left, as a share of the step time.
    pub step_asymmetry: f64,
    /// Left minus right contact time over their mean.
    pub contact_asymmetry: f64,
    /// Mean forward speed of the foot at mid-stance (it never stands quite still), m/s.
    pub creep_mps: f64,
    /// Standard deviation of that speed from stride to stride, m/s.
    pub creep_sd_mps: f64,
    /// From the start of force under the sole to the shock in the shoe, s.
    pub sole_delay_s: f64,
    /// Duration of the shock of landing, s.
    pub impact_s: f64,
    /// Toe-out of left and right foot, rad.
    pub toe_out_rad: [f64; 2],
    /// Distance of each footprint from the line of progression in running, m.
    pub half_step_width_m: f64,
    /// Pelvic tilt and obliquity of the sacrum in quiet standing, rad (anterior and left up positive).
    pub standing_rad: [f64; 2],
    /// Mean pelvic tilt in running against standing, rad.
    pub tilt_rad: f64,
    /// Ranges of pelvic tilt, obliquity and rotation in running, rad.
    pub pelvis_range_rad: [f64; 3],
    /// By how much the pelvis drops more in right than in left stance, rad (half of it less on the left, half more on the
    /// right).
    pub drop_asymmetry_rad: f64,
    /// The foot that takes the first step.
    pub first_step: Side,
    /// Factor on all irregularity from stride to stride: 0 is a machine, 1 a person.
    pub variability: f64,
    /// Departure of the pelvis from free fall in flight, as a share of gravity (limbs move, the pelvis is not the centre
    /// of mass).
    pub flight_residue: f64,
}

impl Subject {
    /// A plain rear-foot runner of 1.75 m and 70 kg, symmetric, with human irregularity and nothing to hide.
    #[must_use]
    pub fn reference() -> Self {
        Self {
            height_m: 1.75,
            mass_kg: 70.0,
            strike_rad: rad(11.0),
            walk_strike_rad: rad(20.0),
            cadence_scale: 1.0,
            contact_scale: 1.0,
            reach_m: 0.0,
            step_asymmetry: 0.0,
            contact_asymmetry: 0.0,
            creep_mps: 0.0,
            creep_sd_mps: 0.02,
            sole_delay_s: 0.006,
            impact_s: 0.014,
            toe_out_rad: [rad(7.0), rad(7.0)],
            half_step_width_m: 0.035,
            standing_rad: [rad(9.0), rad(0.5)],
            tilt_rad: rad(5.0),
            // Perpiñá-Martínez 2023: tilt 5.9–6.5°, obliquity 7.8–9.3°, rotation 9.7–13.6°.
            pelvis_range_rad: [rad(6.0), rad(8.4), rad(11.5)],
            drop_asymmetry_rad: 0.0,
            first_step: Side::Left,
            variability: 1.0,
            flight_residue: 0.0,
        }
    }

    /// A person drawn at random, with what an estimator must not assume away: creep of the standing foot, a soft sole, a
    /// pelvis that does not fall quite freely, asymmetries, any foot strike (signal design 19.7).
    #[must_use]
    pub fn drawn(seed: u64) -> Self {
        let mut rng = Rng::stream(seed, Purpose::Subject, 0);
        let height_m = rng.between(1.55, 1.92);
        // Three runners of four land on the heel (Hasegawa 2007, J Strength Cond Res 21(3): 75 %).
        let strike_rad = if rng.happens(0.75) {
            rad(rng.between(6.0, 20.0))
        } else {
            rad(rng.between(-10.0, 3.0))
        };
        let bmi = rng.between(19.0, 25.5);
        Self {
            height_m,
            mass_kg: bmi * height_m * height_m,
            strike_rad,
            walk_strike_rad: rad(rng.between(15.0, 25.0)),
            cadence_scale: 1.0 + 0.04 * rng.normal().clamp(-2.0, 2.0),
            contact_scale: 1.0 + 0.05 * rng.normal().clamp(-2.0, 2.0),
            reach_m: rng.between(-0.03, 0.05),
            step_asymmetry: 0.01 * rng.normal().clamp(-2.0, 2.0),
            contact_asymmetry: 0.015 * rng.normal().clamp(-2.0, 2.0),
            creep_mps: rng.between(-0.05, 0.15),
            creep_sd_mps: 0.02,
            sole_delay_s: rng.between(0.005, 0.020),
            impact_s: rng.between(0.009, 0.019),
            toe_out_rad: [rad(rng.between(1.0, 13.0)), rad(rng.between(1.0, 13.0))],
            half_step_width_m: rng.between(0.015, 0.06),
            standing_rad: [rad(rng.between(2.0, 16.0)), rad(rng.between(-1.5, 1.5))],
            tilt_rad: rad(rng.between(1.0, 9.0)),
            pelvis_range_rad: [
                rad(rng.between(4.5, 8.0)),
                rad(rng.between(6.0, 11.0)),
                rad(rng.between(8.0, 16.0)),
            ],
            drop_asymmetry_rad: rad(rng.normal().clamp(-2.0, 2.0)),
            first_step: Side::Left,
            variability: 1.0,
            flight_residue: 0.05,
        }
    }

    pub(super) fn thigh_m(&self) -> f64 {
        THIGH_PER_HEIGHT * self.height_m
    }

    pub(super) fn shank_m(&self) -> f64 {
        SHANK_PER_HEIGHT * self.height_m
    }

    pub(super) fn ankle_m(&self) -> f64 {
        ANKLE_PER_HEIGHT * self.height_m
    }

    /// Distance from the sole point under the ankle back to the heel's point of rolling, m (negative: behind).
    pub(super) fn heel_m(&self) -> f64 {
        -0.19 * FOOT_PER_HEIGHT * self.height_m
    }

    /// Distance from the sole point under the ankle forward to the ball, m: 13 cm in a foot of 26.6 cm, so that an instep
    /// pod 7 cm ahead of the ankle has the ball 6 cm before it.
    pub(super) fn ball_m(&self) -> f64 {
        0.49 * FOOT_PER_HEIGHT * self.height_m
    }

    /// Half the distance between the hip joints, m (Winter, table 4.1: hip width 0.191 h at the trochanters; the joint
    /// centres lie about half as far apart).
    pub(super) fn half_hip_width_m(&self) -> f64 {
        0.05 * self.height_m
    }
}

impl Default for Subject {
    fn default() -> Self {
        Self::reference()
    }
}
