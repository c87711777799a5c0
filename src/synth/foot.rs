//! One foot through the whole run: contacts, and the swings between them.
//!
//! A swing takes over position, velocity and acceleration at terminal contact and hands them to the next initial
//! contact (signal design 19.3). Height and pitch pass through via-points: the heel kicks up behind, the toes clear the
//! ground, the foot reaches out, toes up, and drops the last degrees before it lands.

use super::jet::Jet3;
use super::quintic::{Curve, Knot, Quintic};
use super::rigid::{Pose, axes};
use super::stance::{Angles, Stance};
use super::step::{Gait, Landing, Step};
use super::subject::Subject;
use crate::model::units::rad;

/// The way of a foot through the air.
#[derive(Clone, Debug)]
struct Swing {
    plan: [Quintic; 2],
    height: Curve,
    pitch: Curve,
    yaw: Quintic,
    roll: Quintic,
}

impl Swing {
    fn new(from: &Stance, to: &Stance, left: &Step, next: &Step) -> Self {
        let (t0, t1) = (from.tc, to.ic);
        let (a, b) = (from.pose(t0).origin, to.pose(t1).origin);
        let (start, end) = (from.angles(t0), to.angles(t1));
        let at = |share: f64| t0 + share * (t1 - t0);
        let ground = |share: f64| left.place[2] + (next.place[2] - left.place[2]) * share;
        let scale = left.swing_scale.min(next.swing_scale);
        let strike = end.pitch.v;

        let mut height = vec![Knot::full(t0, a[2])];
        let mut pitch = vec![Knot::full(t0, start.pitch)];
        let run = next.gait == Gait::Run && left.gait == Gait::Run;
        if run {
            // 0.30 m at 38 % and −98° at 22 % of the swing at 3.3 m/s; lower and flatter when slower.
            let lift = (0.09 * next.speed).clamp(0.14, 0.46) * scale;
            height.push(Knot::through(at(0.38), ground(0.38) + lift));
            let kick = rad(98.0) * (0.55 + 0.136 * next.speed).clamp(0.75, 1.15);
            pitch.push(Knot::through(at(0.22), -kick.max(-start.pitch.v + rad(8.0))));
        } else {
            height.push(Knot::through(at(0.20), ground(0.20) + 0.16 * scale));
            height.push(Knot::through(at(0.65), ground(0.65) + 0.03 + 0.045 * scale));
            pitch.push(Knot::through(at(0.14), start.pitch.v - rad(9.0) * scale));
        }
        match (to.slap_before, next.landing) {
            (Some((t, state)), _) if t > at(0.4) => pitch.push(Knot::full(t, state)),
            // Put down beside the other foot: level in good time.
            (_, Landing::Settle) => pitch.push(Knot::through(at(0.62), rad(-6.0))),
            _ => {
                // From its highest pitch the foot drops by what its turning at contact implies, some 9°.
                let drop = 0.42 * -end.pitch.d * (t1 - at(0.88));
                pitch.push(Knot::moving(at(0.88), strike + drop.max(rad(1.0)), 0.0));
            }
        }
        height.push(Knot::full(t1, b[2]));
        pitch.push(Knot::full(t1, end.pitch));
        Self {
            plan: [0, 1].map(|i| Quintic::between(t0, a[i], t1, b[i])),
            height: Curve::through(&height),
            pitch: Curve::through(&pitch),
            yaw: Quintic::between(t0, start.yaw, t1, end.yaw),
            roll: Quintic::between(t0, start.roll, t1, end.roll),
        }
    }

    fn angles(&self, t: f64) -> Angles {
        Angles {
            yaw: self.yaw.at(t),
            pitch: self.pitch.at(t),
            roll: self.roll.at(t),
        }
    }

    fn origin(&self, t: f64) -> Jet3 {
        [self.plan[0].at(t), self.plan[1].at(t), self.height.at(t)]
    }
}

/// Follows one foot along its steps. Asking for rising times is cheap; going back is possible.
#[derive(Clone, Debug)]
pub(super) struct FootTrack<'a> {
    subject: &'a Subject,
    steps: &'a [Step],
    /// The step whose contact or following swing is loaded.
    at: usize,
    stance: Stance,
    swing: Option<Swing>,
    next: Option<Stance>,
}

impl<'a> FootTrack<'a> {
    /// `steps` of one foot in order; there is always at least the one it stands on at the beginning.
    pub(super) fn new(subject: &'a Subject, steps: &'a [Step]) -> Self {
        let stance = Stance::new(subject, &steps[0]);
        let mut track = Self {
            subject,
            steps,
            at: 0,
            stance,
            swing: None,
            next: None,
        };
        track.load(0);
        track
    }

    fn load(&mut self, at: usize) {
        self.stance = match self.next.take() {
            Some(next) if at == self.at + 1 => next,
            _ => Stance::new(self.subject, &self.steps[at]),
        };
        self.at = at;
        self.next = self.steps.get(at + 1).map(|s| Stance::new(self.subject, s));
        self.swing = self
            .next
            .as_ref()
            .map(|next| Swing::new(&self.stance, next, &self.steps[at], &self.steps[at + 1]));
    }

    fn seek(&mut self, t: f64) {
        if self.next.as_ref().is_some_and(|n| n.ic <= t) {
            let at = self.steps.partition_point(|s| s.ic <= t).saturating_sub(1);
            if at > self.at + 1 {
                // Far ahead: what lies between is not looked at.
                self.next = None;
            }
            self.load(at.max(self.at + 1));
        }
        if t < self.stance.ic && self.at > 0 {
            self.next = None;
            self.load(self.steps.partition_point(|s| s.ic <= t).saturating_sub(1));
        }
    }

    pub(super) fn angles(&mut self, t: f64) -> Angles {
        self.seek(t);
        match &self.swing {
            Some(swing) if t >= self.stance.tc => swing.angles(t),
            _ => self.stance.angles(t),
        }
    }

    /// Position of the sole point under the ankle, and attitude.
    pub(super) fn pose(&mut self, t: f64) -> Pose {
        self.seek(t);
        match &self.swing {
            Some(swing) if t >= self.stance.tc => {
                let a = swing.angles(t);
                Pose {
                    origin: swing.origin(t),
                    axes: axes(a.yaw, -a.pitch, a.roll),
                }
            }
            _ => self.stance.pose(t),
        }
    }
}

/// Where the ankle joint is, seen from the sole point: straight above.
pub(super) fn ankle(pose: &Pose, subject: &Subject) -> Jet3 {
    let up = subject.ankle_m();
    [0, 1, 2].map(|i| pose.origin[i] + pose.axes[2][i] * up)
}
