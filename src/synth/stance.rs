//! The foot on the ground: heel, sole and ball roll on it, the landing shock dies away, the shoe gives.
//!
//! Pitch, roll and yaw are curves through knots (quintic.rs). The position follows from the attitude by rolling: the
//! point of the sole on the ground moves smoothly from heel to ball as the foot passes level. On top come three small
//! motions that the pure rocker does not have: the excess velocity at landing, which lasts over the delay of a soft sole
//! and then decays within 6–20 ms; the forward creep of the shoe; its giving way and rising again under the load.
//!
//! Angles and rates at the knots are those of signal design 19.3, with the pitch-rate minima placed beside initial and
//! terminal contact as its section 6 measured them on people.

use super::jet::{Jet, Jet3, add3, scale3, smooth_step, smooth_step_area, sub3};
use super::quintic::{Curve, Knot};
use super::rigid::{Pose, axes};
use super::step::{Gait, Landing, Step};
use super::subject::Subject;
use crate::model::units::{RAD_PER_DEG, rad};

/// Pitch at which the point of contact begins to move from the heel, and at which it has come to the ball, rad.
const ROLL_OVER: [f64; 2] = [6.0 * RAD_PER_DEG, -4.0 * RAD_PER_DEG];
/// Time after a landing at which a foot that stays is at rest, s.
pub(super) const SETTLED_AFTER_S: f64 = 0.32;
/// Time before toe-off at which a resting foot begins to rise, s.
pub(super) const RISES_BEFORE_S: f64 = 0.5;
/// How far a sole gives at most, m (signal design 19.3: 4–8 mm).
const DEEPEST_GIVE_M: f64 = 0.007;
/// Largest acceleration of a landing shock at the sole, m/s². With the turning of the foot on top the instep then reaches
/// the 70 g that have been published for shoes (Bailey and Harle 2014).
const LARGEST_SHOCK: f64 = 480.0;

/// Attitude angles of a foot: yaw, pitch (toes up), roll (left border up).
#[derive(Clone, Copy, Debug)]
pub(super) struct Angles {
    pub(super) yaw: Jet,
    pub(super) pitch: Jet,
    pub(super) roll: Jet,
}

impl Angles {
    pub(super) fn axes(&self) -> [Jet3; 3] {
        axes(self.yaw, -self.pitch, self.roll)
    }
}

/// One contact, ready to be evaluated.
#[derive(Clone, Debug)]
pub(super) struct Stance {
    pub(super) ic: f64,
    /// Infinite while the foot stands to the end.
    pub(super) tc: f64,
    pitch: Curve,
    yaw: Curve,
    roll: Curve,
    /// Forward creep and height of the shoe against the pure rocker.
    creep: Curve,
    give: Curve,
    place: [f64; 3],
    /// Slope of the ground, rad, and horizontal direction of travel.
    slope: f64,
    travel: [f64; 2],
    /// Direction of the flat foot.
    flat: [f64; 3],
    heel: f64,
    ball: f64,
    shock: Shock,
    /// Pitch-rate minimum before contact of a forefoot landing, for the swing that ends here: (time, pitch, rate).
    pub(super) slap_before: Option<(f64, Jet)>,
}

/// Velocity of the landing foot in excess of what the rocker allows, and how it dies.
#[derive(Clone, Copy, Debug, Default)]
struct Shock {
    starts: f64,
    lasts: f64,
    velocity: [f64; 3],
}

impl Shock {
    fn at(&self, t: f64) -> Jet3 {
        if self.lasts <= 0.0 || t >= self.starts + self.lasts {
            return [Jet::default(); 3];
        }
        let x = (t - self.starts) / self.lasts;
        let step = smooth_step(Jet::new(x, 1.0 / self.lasts, 0.0));
        // Displacement still to come: the velocity times what is left of the area under its decay.
        let left = if x <= 0.0 {
            0.5 - x
        } else {
            1.0 - x - (0.5 - smooth_step_area(x))
        };
        let decay = Jet::new(-left * self.lasts, 1.0 - step.v, -step.d);
        self.velocity.map(|v| decay * v)
    }
}

impl Stance {
    pub(super) fn new(subject: &Subject, step: &Step) -> Self {
        let slope = libm::atan(step.grade);
        let tc = step.tc.unwrap_or(f64::INFINITY);
        let pitch = pitch_curve(step, slope);
        let (yaw, roll) = turn_curves(step);
        let flat_yaw = step.heading + step.side.sign() * step.toe_out_rad;
        let (sin, cos) = libm::sincos(flat_yaw);
        let (rise, run) = libm::sincos(slope);
        let (travel_sin, travel_cos) = libm::sincos(step.heading);
        let (creep, give) = shoe_curves(step);
        let mut stance = Self {
            ic: step.ic,
            tc,
            pitch: pitch.curve,
            yaw,
            roll,
            creep,
            give,
            place: step.place,
            slope,
            travel: [travel_cos, travel_sin],
            flat: [cos * run, sin * run, rise],
            heel: subject.heel_m(),
            ball: subject.ball_m(),
            shock: Shock::default(),
            slap_before: pitch.slap_before,
        };
        if step.landing != Landing::Stood {
            stance.shock = stance.landing_shock(step);
        }
        stance
    }

    pub(super) fn angles(&self, t: f64) -> Angles {
        Angles {
            yaw: self.yaw.at(t),
            pitch: self.pitch.at(t),
            roll: self.roll.at(t),
        }
    }

    pub(super) fn pose(&self, t: f64) -> Pose {
        let (origin, axes) = self.rolled(t);
        Pose {
            origin: add3(&origin, &self.shock.at(t)),
            axes,
        }
    }

    /// The pose without the landing shock.
    fn rolled(&self, t: f64) -> (Jet3, [Jet3; 3]) {
        let angles = self.angles(t);
        let axes = angles.axes();
        let [begins, ends] = ROLL_OVER;
        let over = smooth_step((angles.pitch + -(self.slope + begins)) * (1.0 / (ends - begins)));
        let contact = over * (self.ball - self.heel) + self.heel;
        let lift = sub3(&self.flat.map(Jet::constant), &axes[0]);
        let (creep, give) = (self.creep.at(t), self.give.at(t));
        let (rise, run) = libm::sincos(self.slope);
        let shift = [
            creep * (run * self.travel[0]),
            creep * (run * self.travel[1]),
            creep * rise + give,
        ];
        let place = self.place.map(Jet::constant);
        (add3(&add3(&place, &scale3(&lift, contact)), &shift), axes)
    }

    /// The foot comes down with half the running speed forward and a third of it down (signal design 19.3).
    fn landing_shock(&self, step: &Step) -> Shock {
        let (forward, down) = match (step.landing, step.gait) {
            (Landing::Settle, _) => (0.12, 0.15),
            (_, Gait::Run) => (0.5 * step.speed, 0.35 * step.speed),
            (_, Gait::Walk) => (0.35 * step.speed, 0.22 * step.speed),
        };
        let starts = step.ic + step.sole_delay_s;
        let (rocker, _) = self.rolled(starts);
        let arrives = [
            forward * self.travel[0],
            forward * self.travel[1],
            forward * step.grade - down,
        ];
        let velocity = [0, 1, 2].map(|i| arrives[i] - rocker[i].d);
        let size = velocity.iter().map(|v| v * v).sum::<f64>().sqrt();
        // The steepest point of the quintic step is 15/8 of its mean slope.
        Shock {
            starts,
            lasts: step.impact_s.max(1.875 * size / LARGEST_SHOCK),
            velocity,
        }
    }
}

struct Pitch {
    curve: Curve,
    slap_before: Option<(f64, Jet)>,
}

/// When the foot is quietest, as a share of the contact.
fn quiet_share(step: &Step) -> f64 {
    if forefoot(step) { 0.30 } else { 0.44 }
}

fn forefoot(step: &Step) -> bool {
    step.slap_delay_s < 0.0
}

fn pitch_curve(step: &Step, slope: f64) -> Pitch {
    let flat = Jet::constant(slope);
    let mut knots = Vec::with_capacity(8);
    let mut slap_before = None;
    let contact_s = step.tc.map(|tc| tc - step.ic);
    if step.landing == Landing::Stood {
        knots.push(Knot::full(step.ic - 1.0, flat));
    }
    let rolls_through = step.landing == Landing::Strike;
    let mut at_quiet = flat;
    let mut quiet_t = step.tc.map_or(step.ic + 1.0, |tc| tc - RISES_BEFORE_S);
    if rolls_through && let Some(contact_s) = contact_s {
        quiet_t = step.ic + quiet_share(step) * contact_s;
        at_quiet = land_rolling(step, slope, contact_s, quiet_t, &mut knots, &mut slap_before);
    } else if step.landing == Landing::Settle {
        slap(step, slope, slope, 0.0, step.ic + SETTLED_AFTER_S, &mut knots);
        knots.push(Knot::full(step.ic + SETTLED_AFTER_S, flat));
    }
    if !rolls_through {
        knots.push(Knot::full(quiet_t.max(step.ic + SETTLED_AFTER_S + 0.02), flat));
    }
    if let Some(tc) = step.tc {
        push_off(step, at_quiet, quiet_t, tc, &mut knots);
    }
    Pitch {
        curve: Curve::through(&knots),
        slap_before,
    }
}

/// From landing to the quiet phase of a step; returns the state there.
fn land_rolling(
    step: &Step,
    slope: f64,
    contact_s: f64,
    quiet_t: f64,
    knots: &mut Vec<Knot>,
    slap_before: &mut Option<(f64, Jet)>,
) -> Jet {
    let strike = slope + step.strike_rad;
    if forefoot(step) {
        // The heel comes down after the ball, the pitch rises to its highest and falls again.
        let rise_s = quiet_t - step.ic;
        let wanted = (step.mid_pitch_rad + slope - strike).clamp(0.15 * rise_s, 0.9 * rise_s);
        let rate = 2.0 * wanted / rise_s;
        knots.push(Knot::moving(step.ic, strike, rate));
        let quiet = Jet::new(strike + wanted, 0.0, -1.2 * rate / contact_s);
        knots.push(Knot::full(quiet_t, quiet));
        let lead = -step.slap_delay_s;
        let slowest = -2.2;
        *slap_before = Some((
            step.ic - lead,
            Jet::new(strike - 0.5 * (slowest + rate) * lead, slowest, 0.0),
        ));
        return quiet;
    }
    let flat_t = step.ic + (0.14 + 0.5 * step.strike_rad.max(0.0)).clamp(0.14, 0.26) * contact_s;
    let between = quiet_t - flat_t;
    let flat = slope + step.mid_pitch_rad + 1.1 * step.mid_rate * between;
    let flat = flat.min(slope + rad(0.5));
    let mid_rate = step.mid_rate;
    let left = slap(step, slope, flat, 1.2 * mid_rate, flat_t, knots);
    knots.push(Knot::moving(flat_t, left, -1.2 * mid_rate));
    // The rate goes evenly from 1.2 to 1 times that of mid-stance: the pitch there follows.
    let quiet = Jet::new(left - 1.1 * mid_rate * between, -mid_rate, 0.0);
    knots.push(Knot::full(quiet_t, quiet));
    quiet
}

/// The slap of a heel landing: knots at contact and at the fastest turning. Returns the pitch it leads to at `flat_t`,
/// which is `flat` unless the foot lands too level for that.
fn slap(step: &Step, slope: f64, flat: f64, rate_after: f64, flat_t: f64, knots: &mut Vec<Knot>) -> f64 {
    let strike = slope + step.strike_rad;
    let delay = step.slap_delay_s.max(0.002);
    let rest = flat_t - step.ic - delay;
    // At contact the foot turns a little slower than at the fastest, less so when the fastest is nearer.
    let short = (0.28 * (delay / 0.009) * (delay / 0.009)).min(0.4);
    // Turned through: a parabola up to the fastest, then a decay that covers some 0.42 of its rectangle.
    let (share, tail) = (1.0 - short / 3.0, 0.42);
    let wanted = strike - flat - (1.0 - tail) * rate_after * rest;
    // The slap is the fastest turn of the landing, also of a sprinter's foot that is never flat.
    let slowest = if step.gait == Gait::Run {
        2.4_f64.max(rate_after + 0.8)
    } else {
        2.0
    };
    let fastest = (wanted / (share * delay + tail * rest)).clamp(slowest, 12.0);
    knots.push(Knot::full(
        step.ic,
        Jet::new(strike, -fastest * (1.0 - short), -2.0 * fastest * short / delay),
    ));
    let at_fastest = strike - share * fastest * delay;
    knots.push(Knot::full(step.ic + delay, Jet::new(at_fastest, -fastest, 0.0)));
    at_fastest - (tail * fastest + (1.0 - tail) * rate_after) * rest
}

/// From the quiet phase over the ball to toe-off: the rate falls evenly to its minimum just before.
fn push_off(step: &Step, from: Jet, from_t: f64, tc: f64, knots: &mut Vec<Knot>) {
    let lead = step.push_lead_s;
    let contact_s = (tc - step.ic).min(0.75);
    let fastest = match (step.landing, step.gait) {
        // 640°/s in a contact of 0.245 s (signal design 19.3), faster in shorter ones.
        (Landing::Strike, Gait::Run) => 11.2 * libm::pow(0.245 / contact_s, 0.8),
        (Landing::Strike, Gait::Walk) => 5.5 * (0.62 / contact_s),
        _ => 4.2,
    };
    let fastest_t = tc - lead;
    let mean = -from.d + 0.44 * (fastest + from.d);
    let at_fastest = from.v - mean * (fastest_t - from_t);
    knots.push(Knot::full(fastest_t, Jet::new(at_fastest, -fastest, 0.0)));
    // The same curvature of the rate on both sides of its minimum, about one over 50 ms squared.
    let slack = fastest * (lead / 0.05) * (lead / 0.05);
    let at_tc = Jet::new(
        at_fastest - fastest * lead + slack * lead / 3.0,
        -fastest + slack,
        2.0 * slack / lead,
    );
    knots.push(Knot::full(tc, at_tc));
}

/// Yaw and roll: the foot lands inverted by 6°, flattens, and leaves with the heel whipping in.
fn turn_curves(step: &Step) -> (Curve, Curve) {
    let side = step.side.sign();
    // Toe-out is positive away from the midline: for the left foot that is to the left.
    let flat_yaw = step.heading + side * step.toe_out_rad;
    let lands = step.landing != Landing::Stood;
    let rolls_through = step.landing == Landing::Strike;
    let mut yaw = Vec::with_capacity(5);
    let mut roll = Vec::with_capacity(5);
    let end = step.tc.unwrap_or(step.ic + SETTLED_AFTER_S + 1.0);
    if lands {
        yaw.push(Knot::moving(step.ic, flat_yaw - side * rad(2.0), side * 0.6));
        roll.push(Knot::moving(step.ic, -side * rad(6.0), side * 0.9));
    } else {
        yaw.push(Knot::full(step.ic - 1.0, Jet::constant(flat_yaw)));
        roll.push(Knot::full(step.ic - 1.0, Jet::default()));
    }
    if let (true, Some(tc)) = (rolls_through, step.tc) {
        let quiet = step.ic + quiet_share(step) * (tc - step.ic);
        let brisk = match step.gait {
            Gait::Walk => 0.25,
            // At the turning point of the pitch a forefoot is not at rest either: it still rolls inwards.
            Gait::Run if forefoot(step) => 2.2,
            Gait::Run => 1.0,
        };
        yaw.push(Knot::full(quiet, Jet::new(flat_yaw, side * 0.15 * brisk, 0.0)));
        roll.push(Knot::full(quiet, Jet::new(side * rad(1.0), side * 0.25 * brisk, 0.0)));
    } else {
        let settled = step.ic + SETTLED_AFTER_S;
        let rises = step.tc.map_or(end, |tc| tc - RISES_BEFORE_S).max(settled + 0.02);
        for t in [settled, rises] {
            if lands || t > settled {
                yaw.push(Knot::full(t, Jet::constant(flat_yaw)));
                roll.push(Knot::full(t, Jet::default()));
            }
        }
    }
    if let Some(tc) = step.tc {
        yaw.push(Knot::full(tc, Jet::new(flat_yaw + side * rad(3.0), side * 0.8, 0.0)));
        roll.push(Knot::full(tc, Jet::new(-side * rad(4.0), -side * 1.2, 0.0)));
    }
    (Curve::through(&yaw), Curve::through(&roll))
}

/// Forward creep and giving way of the shoe: at rest on landing, moving and accelerating as drawn at mid-stance.
fn shoe_curves(step: &Step) -> (Curve, Curve) {
    let (Landing::Strike, Some(tc)) = (step.landing, step.tc) else {
        let zero = Curve::through(&[
            Knot::full(step.ic, Jet::default()),
            Knot::full(step.ic + 1.0, Jet::default()),
        ]);
        return (zero.clone(), zero);
    };
    let contact_s = tc - step.ic;
    let quiet = step.ic + quiet_share(step) * contact_s;
    let (rise, fall) = (quiet - step.ic, tc - quiet);
    let [forward, up] = step.mid_acc;
    let v = step.creep_mps;
    let still = Knot::full(step.ic, Jet::default());
    // Quintics from rest cover 0.4 v h − 0.05 a h² when they end without jerk.
    let at_quiet = Jet::new(0.4 * v * rise - 0.05 * forward * rise * rise, v, forward);
    // At the end the sole rolls off over the toes: the ball itself moves forward by a centimetre or two.
    let (toes, toes_acc) = (v.max(0.0) + 0.25 * step.speed, 8.0 * step.speed);
    let rolled = toes * toes / (2.0 * toes_acc) + 0.003;
    let at_tc = Jet::new(at_quiet.v + v * fall + rolled, toes, toes_acc);
    let creep = Curve::through(&[still, Knot::full(quiet, at_quiet), Knot::full(tc, at_tc)]);
    // A bump sin³ has 3π² ≈ 30 times its height over its length squared at the top.
    let depth = (up * contact_s * contact_s / 30.0).min(DEEPEST_GIVE_M);
    let up = 30.0 * depth / (contact_s * contact_s);
    let give = Curve::through(&[
        still,
        Knot::full(quiet, Jet::new(-depth, 0.0, up)),
        Knot::full(tc, Jet::default()),
    ]);
    (creep, give)
}
