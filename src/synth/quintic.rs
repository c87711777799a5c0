//! Curves through knots: quintic pieces, twice continuously differentiable, as smooth as the knots allow.
//!
//! A knot fixes a value and may fix its rate and second rate; what it leaves open is chosen so that the squared jerk of
//! the whole curve is least, the rule found for unhurried limb movements (Flash and Hogan 1985, J Neurosci 5(7)). Its
//! stationarity conditions say that jerk is continuous where the second rate is free and snap where the rate is free: a
//! small linear system, solved once per curve.

use super::jet::Jet;

/// One polynomial of degree five on `[t0, t0 + h]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quintic {
    t0: f64,
    h: f64,
    c: [f64; 6],
}

impl Quintic {
    /// The piece with these states at both ends; `h > 0`.
    pub(super) fn between(t0: f64, from: Jet, t1: f64, to: Jet) -> Self {
        let h = t1 - t0;
        let (v0, v1, a0, a1) = (from.d * h, to.d * h, from.a * h * h, to.a * h * h);
        let rise = to.v - from.v;
        let c = [
            from.v,
            v0,
            0.5 * a0,
            10.0 * rise - 6.0 * v0 - 4.0 * v1 - 1.5 * a0 + 0.5 * a1,
            -15.0 * rise + 8.0 * v0 + 7.0 * v1 + 1.5 * a0 - a1,
            6.0 * rise - 3.0 * (v0 + v1) - 0.5 * (a0 - a1),
        ];
        Self { t0, h, c }
    }

    pub(super) fn at(&self, t: f64) -> Jet {
        let [c0, c1, c2, c3, c4, c5] = self.c;
        let s = (t - self.t0) / self.h;
        let v = c0 + s * (c1 + s * (c2 + s * (c3 + s * (c4 + s * c5))));
        let d = c1 + s * (2.0 * c2 + s * (3.0 * c3 + s * (4.0 * c4 + s * 5.0 * c5)));
        let a = 2.0 * c2 + s * (6.0 * c3 + s * (12.0 * c4 + s * 20.0 * c5));
        Jet::new(v, d / self.h, a / (self.h * self.h))
    }
}

/// A point a curve passes through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Knot {
    t: f64,
    v: f64,
    d: Option<f64>,
    a: Option<f64>,
}

impl Knot {
    /// Value, rate and second rate are given.
    pub(super) fn full(t: f64, state: Jet) -> Self {
        Self {
            t,
            v: state.v,
            d: Some(state.d),
            a: Some(state.a),
        }
    }

    /// Value and rate are given.
    pub(super) fn moving(t: f64, v: f64, d: f64) -> Self {
        Self {
            t,
            v,
            d: Some(d),
            a: None,
        }
    }

    /// Only the value is given.
    pub(super) fn through(t: f64, v: f64) -> Self {
        Self { t, v, d: None, a: None }
    }
}

/// A curve of quintic pieces.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pieces: Vec<Quintic>,
}

impl Curve {
    /// The least-jerk curve through at least two knots with rising times.
    pub(super) fn through(knots: &[Knot]) -> Self {
        let states = complete(knots);
        let pieces = knots
            .windows(2)
            .zip(states.windows(2))
            .map(|(k, s)| Quintic::between(k[0].t, s[0], k[1].t, s[1]))
            .collect();
        Self { pieces }
    }

    /// The curve at `t`; before the first and after the last knot the end pieces go on.
    pub(super) fn at(&self, t: f64) -> Jet {
        let after = self.pieces.iter().take_while(|p| p.t0 <= t).count();
        self.pieces
            .get(after.saturating_sub(1))
            .map_or_else(Jet::default, |p| p.at(t))
    }
}

/// Where in the vector of unknowns the rate and second rate of each knot stand.
struct Unknowns {
    of_knot: Vec<[Option<usize>; 2]>,
    count: usize,
}

fn number_unknowns(knots: &[Knot]) -> Unknowns {
    let mut count = 0;
    let mut take = |open: bool| {
        open.then(|| {
            count += 1;
            count - 1
        })
    };
    let of_knot = knots
        .iter()
        .map(|k| [take(k.d.is_none()), take(k.a.is_none())])
        .collect();
    Unknowns { of_knot, count }
}

/// Fills in the open rates. Times are scaled by the length of the curve, so that the system is well conditioned whatever
/// the units.
fn complete(knots: &[Knot]) -> Vec<Jet> {
    let unknowns = number_unknowns(knots);
    let scale = match (knots.first(), knots.last()) {
        (Some(first), Some(last)) if last.t > first.t => last.t - first.t,
        _ => 1.0,
    };
    let n = unknowns.count;
    // Row per unknown, last column the right-hand side.
    let mut m = vec![vec![0.0; n + 1]; n];
    for (k, pair) in knots.windows(2).enumerate() {
        let h = (pair[1].t - pair[0].t) / scale;
        let rise = pair[1].v - pair[0].v;
        // Third and fourth derivative at both ends, linear in (rise, d0·h, a0·h², d1·h, a1·h²).
        let ends = [
            (
                k,
                [60.0, -36.0, -9.0, -24.0, 3.0],
                [-360.0, 192.0, 36.0, 168.0, -24.0],
                1.0,
            ),
            (
                k + 1,
                [60.0, -24.0, -3.0, -36.0, 9.0],
                [360.0, -168.0, -24.0, -192.0, 36.0],
                -1.0,
            ),
        ];
        let h2 = h * h;
        for (knot, jerk, snap, sign) in ends {
            for (which, row_of, weights) in [(1, jerk, 1.0 / (h2 * h)), (0, snap, 1.0 / (h2 * h2))] {
                let Some(row) = unknowns.of_knot[knot][which] else {
                    continue;
                };
                let w = sign * weights;
                m[row][n] -= w * row_of[0] * rise;
                let terms = [
                    (k, 0, row_of[1] * h),
                    (k, 1, row_of[2] * h2),
                    (k + 1, 0, row_of[3] * h),
                    (k + 1, 1, row_of[4] * h2),
                ];
                for (of, order, coefficient) in terms {
                    match unknowns.of_knot[of][order] {
                        Some(column) => m[row][column] += w * coefficient,
                        None => m[row][n] -= w * coefficient * given(&knots[of], order, scale),
                    }
                }
            }
        }
    }
    let x = solve(m);
    let scaled = |knot: usize, order: usize| match unknowns.of_knot[knot][order] {
        Some(i) => x[i],
        None => given(&knots[knot], order, scale),
    };
    (0..knots.len())
        .map(|i| Jet::new(knots[i].v, scaled(i, 0) / scale, scaled(i, 1) / (scale * scale)))
        .collect()
}

fn given(knot: &Knot, order: usize, scale: f64) -> f64 {
    if order == 0 {
        knot.d.unwrap_or(0.0) * scale
    } else {
        knot.a.unwrap_or(0.0) * scale * scale
    }
}

/// Gaussian elimination with partial pivoting on at most a dozen unknowns; a vanishing pivot leaves that unknown 0.
fn solve(mut m: Vec<Vec<f64>>) -> Vec<f64> {
    let n = m.len();
    for col in 0..n {
        let pivot = (col..n).fold(
            col,
            |best, r| if m[r][col].abs() > m[best][col].abs() { r } else { best },
        );
        m.swap(col, pivot);
        if m[col][col].abs() < 1e-300 {
            continue;
        }
        let (upper, lower) = m.split_at_mut(col + 1);
        for row in lower {
            let factor = row[col] / upper[col][col];
            for (below, above) in row.iter_mut().zip(&upper[col]).skip(col) {
                *below -= factor * above;
            }
        }
    }
    let mut x = vec![0.0; n];
    for row in (0..n).rev() {
        let sum: f64 = (row + 1..n).map(|j| m[row][j] * x[j]).sum();
        x[row] = if m[row][row].abs() < 1e-300 {
            0.0
        } else {
            (m[row][n] - sum) / m[row][row]
        };
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jerk_cost(curve: &Curve, from: f64, to: f64) -> f64 {
        let n = 4000;
        let h = (to - from) / f64::from(n);
        (0..n)
            .map(|i| {
                let t = from + (f64::from(i) + 0.5) * h;
                let jerk = (curve.at(t + 0.4 * h).a - curve.at(t - 0.4 * h).a) / (0.8 * h);
                jerk * jerk * h
            })
            .sum()
    }

    #[test]
    fn open_rates_are_those_of_least_jerk() {
        let ends = (
            Knot::full(0.0, Jet::new(0.0, 1.0, -3.0)),
            Knot::full(0.9, Jet::new(0.2, -2.0, 5.0)),
        );
        let best = Curve::through(&[ends.0, Knot::through(0.3, 0.5), Knot::through(0.7, 0.1), ends.1]);
        let least = jerk_cost(&best, 0.0, 0.9);
        let at = best.at(0.3);
        for (dd, da) in [(0.02, 0.0), (-0.02, 0.0), (0.0, 0.3), (0.0, -0.3)] {
            let moved = Knot::full(0.3, Jet::new(0.5, at.d + dd, at.a + da));
            let other = Curve::through(&[ends.0, moved, Knot::through(0.7, 0.1), ends.1]);
            assert!(
                jerk_cost(&other, 0.0, 0.9) > least,
                "a nudge of ({dd}, {da}) must cost jerk"
            );
        }
    }

    #[test]
    fn pieces_meet_with_equal_second_derivative() {
        let curve = Curve::through(&[
            Knot::full(1.0, Jet::new(0.2, -4.0, 100.0)),
            Knot::through(1.1, 0.5),
            Knot::moving(1.25, -0.5, 2.0),
            Knot::full(1.4, Jet::new(0.0, 0.0, 0.0)),
        ]);
        for t in [1.1, 1.25] {
            let (before, after) = (curve.at(t - 1e-12), curve.at(t));
            assert!((before.v - after.v).abs() < 1e-9);
            assert!((before.d - after.d).abs() < 1e-6);
            assert!((before.a - after.a).abs() < 1e-4, "{} {}", before.a, after.a);
        }
    }
}
