//! The shank, from where its ends must be: two-link inverse kinematics between hip and ankle.
//!
//! Hip and ankle are known from pelvis and foot; thigh and shank have fixed lengths (Winter, table 4.1); the knee bends
//! forward. Where the distance comes close to the whole length of the leg it is bent away from it smoothly, so that the
//! knee never locks and rates stay finite; the shank stays attached to the ankle, the hip then gives by millimetres.

use super::jet::{Jet, Jet3, cross3, dot3, scale3, sub3};
use super::rigid::{Pose, unit3};
use super::subject::Subject;

/// Share of the leg's length beyond which the distance is bent back, and the share it never reaches.
const FREE_REACH: f64 = 0.985;
const LONGEST_REACH: f64 = 0.999;

/// The shank, its origin at the ankle joint, z towards the knee.
pub(super) fn shank_pose(subject: &Subject, pelvis: &Pose, ankle: &Jet3, left: f64) -> Pose {
    let half_width = left * subject.half_hip_width_m();
    let hip: Jet3 = [0, 1, 2].map(|i| pelvis.origin[i] + pelvis.axes[1][i] * half_width);
    let span = sub3(&hip, ankle);
    let length = dot3(&span, &span).sqrt();
    let up_leg = scale3(&span, length.recip());
    let (thigh, shank) = (subject.thigh_m(), subject.shank_m());
    let reach = within_reach(length, thigh + shank);
    // Law of cosines: angle at the ankle between the leg line and the shank.
    let cosine = (reach * reach + (shank * shank - thigh * thigh)) * (reach * (2.0 * shank)).recip();
    let sine = (Jet::constant(1.0) - cosine * cosine).sqrt();
    // The knee bends in the plane of the leg line and the pelvis' forward direction.
    let y = unit3(&cross3(&up_leg, &pelvis.axes[0]));
    let forward = cross3(&y, &up_leg);
    let z: Jet3 = [0, 1, 2].map(|i| up_leg[i] * cosine + forward[i] * sine);
    Pose {
        origin: *ankle,
        axes: [cross3(&y, &z), y, z],
    }
}

/// Bends the knee instead of overstretching the leg: the identity up to 98.5 %, then a hyperbolic tangent whose second
/// derivative also starts from zero.
fn within_reach(length: Jet, leg: f64) -> Jet {
    let (free, most) = (FREE_REACH * leg, LONGEST_REACH * leg);
    if length.v <= free {
        return length;
    }
    let room = most - free;
    let x = libm::tanh((length.v - free) / room);
    let slope = 1.0 - x * x;
    length.compose(free + room * x, slope, -2.0 * x * slope / room)
}
