//! How people choose steps at a speed: cadence, contact time, reach, swing of the pelvis.
//!
//! Smooth fits through published group means, good to some per cent; individual factors of the subject come on top.
//! They shape the synthetic runner and are not used by anything that measures.

use super::step::Gait;
use super::subject::Subject;
use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};
use std::f64::consts::PI;

/// Above this speed the runner runs when the script leaves the choice, m/s: people change at about 2 m/s (Hreljac 1995,
/// J Biomech 28(6): 2.07).
pub(super) const WALK_RUN_SPEED: f64 = 2.0;

/// Pitch at contact below which the forefoot lands first, rad: −1.6° (Altman and Davis 2012, Gait Posture 35(2)).
pub(super) const FOREFOOT_RAD: f64 = -1.6 * RAD_PER_DEG;

/// Shortest flight that is still running, s.
const SHORTEST_FLIGHT_S: f64 = 0.018;

/// Share of a step after initial contact at which the pelvis is lowest in walking: the middle of double support.
pub(super) const WALK_LOWEST_PHASE: f64 = 0.13;

/// Timing and reach of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// From this initial contact to the next of the other foot, s.
    pub(super) step_s: f64,
    /// Contact time, s.
    pub(super) contact_s: f64,
    /// Ankle ahead of the pelvis centre at initial contact, m.
    pub(super) reach_m: f64,
}

/// Usual steps per minute. Running: 160 at 2, 168 at 3.3, 186 at 5.5 m/s (after Cavanagh and Kram 1989, Med Sci Sports
/// Exerc 21(4)); walking: 98 at 0.9, 113 at 1.3, 132 at 1.8 m/s (after Grieve and Gear 1966, Ergonomics 9(5)).
pub(super) fn usual_cadence(gait: Gait, speed: f64) -> f64 {
    match gait {
        Gait::Run => 155.0 + 0.9 * speed + 0.85 * speed * speed,
        Gait::Walk => 64.0 + 37.7 * speed,
    }
}

/// Usual pace at a speed, before the subject's and the stride's own deviations.
///
/// Contact time in running: 0.245 s at 3.3 m/s, falling with speed to the power −0.7 (0.30 at 2.5, 0.17 at 5.5; after
/// Weyand 2000, J Appl Physiol 89(5)). In walking the duty factor falls from 0.65 at 0.9 to 0.60 at 1.8 m/s.
pub(super) fn pace(subject: &Subject, gait: Gait, speed: f64, cadence: f64, contact_scale: f64, reach_m: f64) -> Pace {
    let step_s = 60.0 / cadence;
    let (contact_s, reach_share) = match gait {
        Gait::Run => (
            0.245 * libm::pow(3.3 / speed, 0.7) * contact_scale * subject.contact_scale,
            0.33,
        ),
        Gait::Walk => {
            let duty = (0.65 - 0.05 * (speed - 0.9) / 0.9).clamp(0.6, 0.68);
            (duty * 2.0 * step_s * (1.0 + 0.3 * (contact_scale - 1.0)), 0.36)
        }
    };
    let contact_s = within_gait(gait, contact_s, step_s);
    // A third of the way covered in contact lies ahead of the pelvis at landing.
    Pace {
        step_s,
        contact_s,
        reach_m: reach_share * speed * contact_s + subject.reach_m + reach_m,
    }
}

/// The contact time nearest to the wished one that this gait allows: running keeps a flight, walking keeps a double
/// support and a swing.
pub(super) fn within_gait(gait: Gait, contact_s: f64, step_s: f64) -> f64 {
    match gait {
        Gait::Run => contact_s.min(step_s - SHORTEST_FLIGHT_S),
        Gait::Walk => contact_s.clamp(step_s * 1.12, 2.0 * step_s - 0.28),
    }
}

/// Height of the pelvis centre at both ends of a contact in running, or its mean height in walking, m above the ground:
/// as high as both legs reach with a slightly bent knee.
pub(super) fn pelvis_height(subject: &Subject, gait: Gait, speed: f64, pace: &Pace) -> f64 {
    let leg = subject.thigh_m() + subject.shank_m();
    let ankle = subject.ankle_m();
    let above = |ahead: f64, bend: f64| {
        let reach = bend * leg;
        (reach * reach - ahead * ahead).max(0.25 * leg * leg).sqrt()
    };
    let at_landing = ankle + 0.01 + above(pace.reach_m, 0.98);
    match gait {
        Gait::Run => {
            // At toe-off the foot has turned about the ball by some 50° and rolled over the toes: the ankle is up and
            // forward.
            let (ball, sin, cos) = (subject.ball_m(), 0.766, 0.643);
            let forward = ball * (1.0 - cos) + ankle * sin + 0.06;
            let behind = speed * pace.contact_s - pace.reach_m - forward;
            let at_leaving = ball * sin + ankle * cos + above(behind, 0.985);
            at_landing.min(at_leaving)
        }
        Gait::Walk => at_landing + walk_bounce(speed) * libm::cos(2.0 * PI * WALK_LOWEST_PHASE),
    }
}

/// Half the vertical travel of the pelvis in walking, m: 1.2 cm at 0.9, 2.7 cm at 1.8 m/s (after Gard 2004, J Biomech
/// 37(6)).
pub(super) fn walk_bounce(speed: f64) -> f64 {
    (0.0165 * speed - 0.003).clamp(0.004, 0.03)
}

/// Peak of the fore-aft slowing down and speeding up within a step, m/s² (signal design 19.2: 0.9 v).
pub(super) fn braking(speed: f64) -> f64 {
    0.9 * speed
}

/// Downward speed at the end of a flight of this duration that begins and ends at one height, m/s.
pub(super) fn fall_speed(flight_s: f64) -> f64 {
    0.5 * STANDARD_GRAVITY * flight_s
}

/// The table below is of minima of the rate after a 30 Hz low-pass, its group delay taken off. Those of the rate itself
/// come earlier by this much, because the rate rises more slowly after the slap than it fell before.
const SMOOTHED_LATER_S: f64 = 0.0025;

/// From initial contact to the minimum of the pitch rate, s; negative when it comes before. Signal design, section 6:
/// +9 ms up to 3.5 m/s falling to +1 at 4.5 for rear-foot strikes of two runners against a force plate; −29 ms for the
/// forefoot comes from a model only.
pub(super) fn slap_delay(speed: f64, strike_rad: f64) -> f64 {
    if strike_rad < FOREFOOT_RAD {
        return -0.025;
    }
    0.009 - 0.008 * (speed - 3.5).clamp(0.0, 1.0) - SMOOTHED_LATER_S
}

/// From the minimum of the pitch rate in push-off to terminal contact, s: 29, 10, 14 ms at 2.5, 3.5, 4.5 m/s (same
/// table), a design choice in walking.
pub(super) fn push_lead(gait: Gait, speed: f64) -> f64 {
    match gait {
        Gait::Walk => 0.030,
        Gait::Run if speed < 3.5 => 0.029 - 0.019 * (speed - 2.5).clamp(0.0, 1.0),
        Gait::Run => 0.010 + 0.004 * (speed - 3.5).clamp(0.0, 1.0),
    }
}
