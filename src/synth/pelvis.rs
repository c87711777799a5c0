//! The pelvis: closed forms from footfall to footfall.
//!
//! In running the vertical force of each contact is half a sine and flight is free fall (spring.rs); a second harmonic,
//! without impulse of its own, takes up the difference between the flights before and after a contact, so that every
//! contact begins and ends at one height although no two strides are alike. In walking the pelvis follows a cosine of
//! the step phase. Fore-aft it slows in the first half of a contact and speeds up in the second. Sideways, tilt,
//! obliquity and rotation are harmonics of the stride phase, a smooth function that passes whole numbers at the initial
//! contacts; their amplitudes change by smooth steps between footfalls. Everything is twice continuously differentiable.

use super::jet::{Jet, add3, smooth_step};
use super::pace::WALK_LOWEST_PHASE;
use super::path::Path;
use super::quintic::Quintic;
use super::rigid::{Pose, axes};
use crate::model::units::STANDARD_GRAVITY;
use std::f64::consts::PI;

/// Slowly changing parameters of the pelvis, as they are at a footfall.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Swing {
    /// Height above the ground, m.
    pub(super) height: f64,
    /// Half the vertical travel in walking, m.
    pub(super) bounce: f64,
    /// Mean tilt and obliquity, rad.
    pub(super) tilt: f64,
    pub(super) obliquity: f64,
    /// Half the range of tilt, obliquity, rotation, rad.
    pub(super) tilt_swing: f64,
    pub(super) obliquity_swing: f64,
    pub(super) rotation_swing: f64,
    /// Half the sideways travel, m.
    pub(super) sway: f64,
    /// Departure from free fall, m.
    pub(super) residue: f64,
}

/// Vertical state of the pelvis where two intervals meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vertical {
    /// Standing.
    Still,
    /// On the cosine of walking.
    Stroll,
    /// Falling at the end of a flight.
    Bounce,
}

/// The pelvis at a footfall, or where standing begins or ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post {
    pub(super) t: f64,
    pub(super) vertical: Vertical,
    /// Speed along the way, m/s.
    pub(super) v: f64,
    /// Step phase and its rate, steps and steps/s.
    pub(super) phase: f64,
    pub(super) phase_rate: f64,
    /// Downward speed if it is a [`Vertical::Bounce`], m/s.
    pub(super) fall: f64,
    pub(super) swing: Swing,
}

/// How the pelvis moves between two posts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Motion {
    Rest,
    Walk,
    Run {
        contact_s: f64,
    },
    /// From one kind of motion to another.
    Bridge,
}

/// The pelvis from one post to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) from: Post,
    pub(super) to: Post,
    pub(super) motion: Motion,
    /// Distance along the way at the beginning, m.
    pub(super) s0: f64,
    /// Peak of slowing down and speeding up, m/s².
    pub(super) braking: f64,
}

/// Phase within a left step at which obliquity is largest: mid-stance.
const OBLIQUITY_PHASE: f64 = 0.36;

impl Interval {
    /// Time during which the foot pushes, s.
    fn drive_s(&self) -> f64 {
        match self.motion {
            Motion::Run { contact_s } => contact_s,
            _ => self.to.t - self.from.t,
        }
    }

    /// Distance along the way.
    pub(super) fn distance(&self, t: f64) -> Jet {
        let u = t - self.from.t;
        let d = self.drive_s();
        let (v0, dv) = (self.from.v, self.to.v - self.from.v);
        let dip = self.braking * d / (2.0 * PI);
        if u >= d {
            let at_end = self.s0 + (v0 - dip + 0.5 * dv) * d;
            return Jet::new(at_end + self.to.v * (u - d), self.to.v, 0.0);
        }
        let (s1, c1) = libm::sincos(PI * u / d);
        let (s2, c2) = (2.0 * s1 * c1, 1.0 - 2.0 * s1 * s1);
        Jet::new(
            self.s0 + v0 * u - dip * (u - d / (2.0 * PI) * s2) + 0.5 * dv * (u - d / PI * s1),
            v0 - dip * (1.0 - c2) + 0.5 * dv * (1.0 - c1),
            -self.braking * s2 + 0.5 * dv * PI / d * s1,
        )
    }

    /// Amplitudes of the vertical force per mass in running: half sine and its second harmonic, m/s².
    pub(super) fn force_per_mass(&self, contact_s: f64) -> (f64, f64) {
        let landing = -self.from.fall;
        let takeoff = self.takeoff(contact_s);
        let half_sine = PI / (2.0 * contact_s) * (takeoff - landing + STANDARD_GRAVITY * contact_s);
        (half_sine, -PI * (takeoff + landing) / contact_s)
    }

    /// Upward speed at terminal contact: what the flight to come needs to end at the height where it began.
    fn takeoff(&self, contact_s: f64) -> f64 {
        0.5 * STANDARD_GRAVITY * (self.to.t - self.from.t - contact_s)
    }

    fn run_height(&self, u: f64, contact_s: f64) -> Jet {
        let g = STANDARD_GRAVITY;
        let takeoff = self.takeoff(contact_s);
        if u >= contact_s {
            let x = u - contact_s;
            return Jet::new(takeoff * x - 0.5 * g * x * x, takeoff - g * x, -g);
        }
        let (f, h) = self.force_per_mass(contact_s);
        let (s1, c1) = libm::sincos(PI * u / contact_s);
        let (s2, c2) = (2.0 * s1 * c1, 1.0 - 2.0 * s1 * s1);
        let (k1, k2) = (contact_s / PI, contact_s / (2.0 * PI));
        let landing = -self.from.fall;
        Jet::new(
            landing * u - 0.5 * g * u * u + f * k1 * (u - k1 * s1) + h * k2 * (u - k2 * s2),
            landing - g * u + f * k1 * (1.0 - c1) + h * k2 * (1.0 - c2),
            f * s1 + h * s2 - g,
        )
    }

    /// Height above the way.
    fn height(&self, t: f64, phase: Jet, level: Jet, bounce: Jet, residue: Jet) -> Jet {
        match self.motion {
            Motion::Rest => level,
            Motion::Run { contact_s } => {
                let free = self.run_height(t - self.from.t, contact_s) + level;
                let (_, c) = ((phase + -0.1) * (4.0 * PI)).sin_cos();
                free + residue * c
            }
            Motion::Walk => {
                let (_, c) = ((phase + -WALK_LOWEST_PHASE) * (2.0 * PI)).sin_cos();
                level - bounce * c
            }
            Motion::Bridge => Quintic::between(
                self.from.t,
                self.from.vertical_state(),
                self.to.t,
                self.to.vertical_state(),
            )
            .at(t),
        }
    }

    /// Step phase: whole numbers at initial contacts, even ones of the left foot.
    fn phase(&self, t: f64) -> Jet {
        let state = |p: &Post| Jet::new(p.phase, p.phase_rate, 0.0);
        Quintic::between(self.from.t, state(&self.from), self.to.t, state(&self.to)).at(t)
    }

    /// Position and attitude of the pelvis, its origin midway between the hip joints.
    pub(super) fn pose(&self, t: f64, path: &Path) -> Pose {
        let h = self.to.t - self.from.t;
        let x = smooth_step(Jet::new((t - self.from.t) / h, 1.0 / h, 0.0));
        let (a, b) = (&self.from.swing, &self.to.swing);
        let mix = |from: f64, to: f64| x * (to - from) + from;
        let phase = self.phase(t);
        let harmonic = |order: f64, at: f64| ((phase + -at) * (order * PI)).sin_cos().1;

        let tilt =
            mix(a.tilt, b.tilt) + mix(a.tilt_swing, b.tilt_swing) * (harmonic(2.0, 0.25) + harmonic(4.0, 0.05) * 0.15);
        let obliquity = mix(a.obliquity, b.obliquity)
            + mix(a.obliquity_swing, b.obliquity_swing) * (harmonic(1.0, OBLIQUITY_PHASE) + harmonic(3.0, 0.2) * 0.08);
        let rotation = -(mix(a.rotation_swing, b.rotation_swing) * harmonic(1.0, 0.1));
        let left = mix(a.sway, b.sway) * harmonic(1.0, 0.4);

        let s = self.distance(t);
        let height = self.height(
            t,
            phase,
            mix(a.height, b.height),
            mix(a.bounce, b.bounce),
            mix(a.residue, b.residue),
        );
        let heading = path.heading_jet(s);
        let (sin, cos) = heading.sin_cos();
        let origin = add3(&path.position_jet(s), &[-(sin * left), cos * left, height]);
        Pose {
            origin,
            axes: axes(heading + rotation, tilt, obliquity),
        }
    }
}

impl Post {
    fn vertical_state(&self) -> Jet {
        let s = &self.swing;
        match self.vertical {
            Vertical::Still => Jet::constant(s.height),
            Vertical::Bounce => Jet::new(s.height, -self.fall, -STANDARD_GRAVITY),
            Vertical::Stroll => {
                let w = 2.0 * PI * self.phase_rate;
                let (sin, cos) = libm::sincos(2.0 * PI * WALK_LOWEST_PHASE);
                Jet::new(s.height - s.bounce * cos, -s.bounce * w * sin, s.bounce * w * w * cos)
            }
        }
    }
}
