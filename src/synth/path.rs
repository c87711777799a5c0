//! The ground the runner follows: which way it turns and how it climbs, as functions of the distance covered.
//!
//! Curvature and gradient change by quintic smooth steps over a few metres, so heading and height are closed forms and
//! the acceleration of a body that follows them stays continuous. Only the plan position on a transition of curvature
//! (a clothoid-like arc) has no closed form: it is a Gauss–Legendre sum, whose *derivatives* are still exact.

use super::jet::{Jet, Jet3, smooth_step, smooth_step_area};

/// One stretch on which a quantity goes from `from` to `to` by a smooth step.
#[derive(Clone, Copy, Debug)]
struct Ramp {
    start: f64,
    length: f64,
    from: f64,
    to: f64,
    /// Integral of the quantity from the beginning of the path to `start`.
    area: f64,
}

impl Ramp {
    fn value(&self, s: f64) -> Jet {
        let x = Jet::new((s - self.start) / self.length, 1.0 / self.length, 0.0);
        smooth_step(x) * (self.to - self.from) + self.from
    }

    fn area_at(&self, s: f64) -> f64 {
        let x = s - self.start;
        if x >= self.length {
            let ramp = self.length * (self.from + 0.5 * (self.to - self.from));
            return self.area + ramp + (x - self.length) * self.to;
        }
        self.area + self.from * x + (self.to - self.from) * self.length * smooth_step_area(x.max(0.0) / self.length)
    }
}

/// The way the runner follows.
#[derive(Clone, Debug)]
pub(super) struct Path {
    curvature: Vec<Ramp>,
    /// Plan position where each curvature ramp starts, and where it ends.
    plan: Vec<[[f64; 2]; 2]>,
    gradient: Vec<Ramp>,
}

/// Five-point Gauss–Legendre nodes and weights on [−1, 1] (Abramowitz and Stegun, table 25.4).
const GAUSS: [(f64, f64); 5] = [
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
];

impl Path {
    /// Straight and level, heading along x.
    pub(super) fn straight() -> Self {
        let flat = Ramp {
            start: f64::NEG_INFINITY,
            length: 1.0,
            from: 0.0,
            to: 0.0,
            area: 0.0,
        };
        // Nobody steps further back than that.
        let origin = Ramp { start: -10.0, ..flat };
        Self {
            curvature: vec![origin],
            plan: vec![[[-10.0, 0.0], [-9.0, 0.0]]],
            gradient: vec![origin],
        }
    }

    /// Turns by `angle` (left positive) with this least radius, beginning at `start`. Returns where the turn ends.
    pub(super) fn turn(&mut self, start: f64, angle: f64, radius: f64) -> f64 {
        let curvature = angle.signum() / radius;
        // Entering and leaving take half the arc each, at most 4 m; each turns half as far as the full curve would.
        let arc = angle.abs() * radius;
        let ease = (0.5 * arc).min(4.0);
        self.push_curvature(start, ease, curvature);
        self.push_curvature(start + arc, ease, 0.0);
        start + arc + ease
    }

    /// Changes the gradient (rise over run) over `length` metres from `start` on.
    pub(super) fn change_gradient(&mut self, start: f64, length: f64, to: f64) {
        let last = self.gradient[self.gradient.len() - 1];
        self.gradient.push(Ramp {
            start,
            length,
            from: last.to,
            to,
            area: last.area_at(start),
        });
    }

    fn push_curvature(&mut self, start: f64, length: f64, to: f64) {
        let last = self.curvature[self.curvature.len() - 1];
        let from = self.plan_at(start);
        let ramp = Ramp {
            start,
            length,
            from: last.to,
            to,
            area: last.area_at(start),
        };
        self.curvature.push(ramp);
        self.plan.push([from, along(&ramp, from, length)]);
    }

    /// Heading at `s`, rad, not wrapped.
    pub(super) fn heading(&self, s: f64) -> f64 {
        find(&self.curvature, s).1.area_at(s)
    }

    /// Gradient at `s`.
    pub(super) fn gradient(&self, s: f64) -> f64 {
        find(&self.gradient, s).1.value(s).v
    }

    /// Curvature at `s`, 1/m.
    pub(super) fn curvature(&self, s: f64) -> f64 {
        find(&self.curvature, s).1.value(s).v
    }

    /// Height at `s`, m.
    pub(super) fn height(&self, s: f64) -> f64 {
        find(&self.gradient, s).1.area_at(s)
    }

    /// The heading of a body at the moving distance `s`.
    pub(super) fn heading_jet(&self, s: Jet) -> Jet {
        let ramp = find(&self.curvature, s.v).1;
        let k = ramp.value(s.v);
        s.compose(ramp.area_at(s.v), k.v, k.d)
    }

    /// Position of a body at the moving distance `s`.
    pub(super) fn position_jet(&self, s: Jet) -> Jet3 {
        let heading = self.heading_jet(s);
        let (sin, cos) = libm::sincos(heading.v);
        let curvature = self.curvature(s.v);
        let [x, y] = self.plan_at(s.v);
        let gradient = find(&self.gradient, s.v).1;
        let g = gradient.value(s.v);
        [
            s.compose(x, cos, -sin * curvature),
            s.compose(y, sin, cos * curvature),
            s.compose(gradient.area_at(s.v), g.v, g.d),
        ]
    }

    /// Position of the fixed place at distance `s`, `left` metres to the left of the way.
    pub(super) fn place(&self, s: f64, left: f64) -> [f64; 3] {
        let [x, y] = self.plan_at(s);
        let (sin, cos) = libm::sincos(self.heading(s));
        [x - sin * left, y + cos * left, self.height(s)]
    }

    fn plan_at(&self, s: f64) -> [f64; 2] {
        let (i, ramp) = find(&self.curvature, s);
        let [start, end] = self.plan[i];
        let x = s - ramp.start;
        if x >= ramp.length {
            return beyond(ramp, end, s);
        }
        along(ramp, start, x)
    }
}

/// Plan position `x` metres into a ramp that starts at `start`.
fn along(ramp: &Ramp, start: [f64; 2], x: f64) -> [f64; 2] {
    // Pieces of at most one metre: five points then integrate the cosine of the heading to rounding.
    let pieces = x.ceil().max(1.0) as usize;
    let h = x / pieces as f64;
    let mut at = start;
    for k in 0..pieces {
        let middle = ramp.start + (k as f64 + 0.5) * h;
        for (node, weight) in GAUSS {
            let (sin, cos) = libm::sincos(ramp.area_at(middle + 0.5 * h * node));
            at[0] += 0.5 * h * weight * cos;
            at[1] += 0.5 * h * weight * sin;
        }
    }
    at
}

/// Plan position on the straight or the circle that follows a ramp.
fn beyond(ramp: &Ramp, end: [f64; 2], s: f64) -> [f64; 2] {
    let x = s - ramp.start - ramp.length;
    let (h0, h1) = (ramp.area_at(ramp.start + ramp.length), ramp.area_at(s));
    if ramp.to.abs() < 1e-9 {
        return [end[0] + x * libm::cos(h0), end[1] + x * libm::sin(h0)];
    }
    let r = 1.0 / ramp.to;
    [
        end[0] + r * (libm::sin(h1) - libm::sin(h0)),
        end[1] - r * (libm::cos(h1) - libm::cos(h0)),
    ]
}

fn find(ramps: &[Ramp], s: f64) -> (usize, &Ramp) {
    let i = ramps.partition_point(|r| r.start <= s).saturating_sub(1);
    (i, &ramps[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_turns_by_its_angle_and_its_position_follows_its_heading() {
        let mut path = Path::straight();
        let end = path.turn(10.0, 1.5, 12.0);
        path.change_gradient(12.0, 5.0, 0.06);
        assert!((path.heading(end + 3.0) - 1.5).abs() < 1e-12);
        let h = 1e-4;
        for i in 0..400 {
            let s = 5.0 + 0.1 * f64::from(i);
            let jet = path.position_jet(Jet::new(s, 1.0, 0.0));
            let (lo, hi) = (
                path.position_jet(Jet::constant(s - h)),
                path.position_jet(Jet::constant(s + h)),
            );
            for axis in 0..3 {
                assert!(
                    (jet[axis].d - (hi[axis].v - lo[axis].v) / (2.0 * h)).abs() < 1e-7,
                    "s {s} axis {axis}"
                );
                let second = (hi[axis].v - 2.0 * jet[axis].v + lo[axis].v) / (h * h);
                assert!(
                    (jet[axis].a - second).abs() < 1e-3,
                    "s {s} axis {axis}: {} {second}",
                    jet[axis].a
                );
            }
        }
    }
}
