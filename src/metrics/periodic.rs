//! One gait cycle as a sum of harmonics, and its integrals without drift.
//!
//! Acceleration summed twice over whole samples carries sensor bias, tilt error and the mismatch of the stride's true
//! ends into the result. Fitted by least squares to harmonics of the stride, with the real (fractional) stride time as
//! the period, the mean is set aside and the integrals follow term by term: they close by construction. Limiting the
//! number of harmonics is at the same time a low-pass without delay.

use std::f64::consts::TAU;

/// Most harmonics of a fit.
pub(crate) const MOST: usize = 16;

/// Unknowns of the largest fit.
const UNKNOWNS: usize = 2 * MOST + 1;

/// Points handled side by side in a fit.
const LANES: usize = 4;

/// Samples per unknown below which a fit is refused.
const SAMPLES_PER_UNKNOWN: usize = 2;

/// `c₀ + Σ aₙ cos nωt + bₙ sin nωt`, t counted from the start of the cycle.
#[derive(Clone, Debug)]
pub(crate) struct Periodic {
    omega: f64,
    n: usize,
    a: [f64; MOST],
    b: [f64; MOST],
}

impl Periodic {
    /// Fits `harmonics` (at most [`MOST`]) to points `(time since start of the cycle, value)` of one cycle of length
    /// `period`, s. `None` with too few points or an ill-conditioned fit.
    pub(crate) fn fit(points: impl Iterator<Item = (f64, f64)>, period: f64, harmonics: usize) -> Option<Self> {
        let n = harmonics.min(MOST);
        let m = 2 * n + 1;
        let omega = TAU / period;
        // The normal matrix holds only sums of cos kφ and sin kφ up to twice the highest harmonic (product formulas), so a
        // point costs a hundred operations instead of the square of the unknowns.
        let (mut cosines, mut sines) = ([0.0; 2 * MOST + 1], [0.0; 2 * MOST + 1]);
        let mut right = [0.0; UNKNOWNS];
        let mut count = 0;
        // Four points side by side: the recurrence over k is a chain, and one chain alone leaves the processor waiting. A
        // lane without a point starts at zero and stays there.
        let (mut cos, mut sin, mut c0, mut value) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let mut points = points.peekable();
        while let Some((t, y)) = points.next() {
            let lane = count % LANES;
            (sin[lane], cos[lane]) = (omega * t).sin_cos();
            (c0[lane], value[lane]) = (1.0, y);
            count += 1;
            if lane + 1 < LANES && points.peek().is_some() {
                continue;
            }
            let (mut c, mut s) = (c0, [0.0; LANES]);
            cosines[0] += c.iter().sum::<f64>();
            right[0] += value.iter().sum::<f64>();
            for k in 1..=2 * n {
                for l in 0..LANES {
                    (c[l], s[l]) = (c[l] * cos[l] - s[l] * sin[l], s[l] * cos[l] + c[l] * sin[l]);
                }
                cosines[k] += c.iter().sum::<f64>();
                sines[k] += s.iter().sum::<f64>();
                if k <= n {
                    right[2 * k - 1] += (0..LANES).map(|l| c[l] * value[l]).sum::<f64>();
                    right[2 * k] += (0..LANES).map(|l| s[l] * value[l]).sum::<f64>();
                }
            }
            (c0, value) = ([0.0; LANES], [0.0; LANES]);
        }
        let mut normal = [[0.0; UNKNOWNS]; UNKNOWNS];
        for i in 0..=n {
            for j in 0..=i {
                let (sum, difference) = (i + j, i - j);
                if i == 0 {
                    normal[0][0] = cosines[0];
                    continue;
                }
                if j == 0 {
                    (normal[2 * i - 1][0], normal[2 * i][0]) = (cosines[i], sines[i]);
                    continue;
                }
                normal[2 * i - 1][2 * j - 1] = 0.5 * (cosines[difference] + cosines[sum]);
                normal[2 * i][2 * j] = 0.5 * (cosines[difference] - cosines[sum]);
                normal[2 * i][2 * j - 1] = 0.5 * (sines[sum] + sines[difference]);
                if j < i {
                    // cos iφ sin jφ = ½ (sin (i+j)φ − sin (i−j)φ); on the diagonal it stands above it.
                    normal[2 * i - 1][2 * j] = 0.5 * (sines[sum] - sines[difference]);
                }
            }
        }
        if count < SAMPLES_PER_UNKNOWN * m {
            return None;
        }
        solve(&mut normal, &mut right, m)?;
        let mut fit = Self {
            omega,
            n,
            a: [0.0; MOST],
            b: [0.0; MOST],
        };
        for k in 0..n {
            fit.a[k] = right[2 * k + 1];
            fit.b[k] = right[2 * k + 2];
        }
        Some(fit)
    }

    /// The series without its mean at `t`.
    pub(crate) fn value(&self, t: f64) -> f64 {
        self.sum(t, |_, a, b, cos, sin| a * cos + b * sin)
    }

    /// Its integral that is zero in the mean.
    #[cfg(test)]
    pub(crate) fn once_integrated(&self, t: f64) -> f64 {
        self.sum(t, |w, a, b, cos, sin| (a * sin - b * cos) / w)
    }

    /// Its second integral that is zero in the mean.
    pub(crate) fn twice_integrated(&self, t: f64) -> f64 {
        self.sum(t, |w, a, b, cos, sin| -(a * cos + b * sin) / (w * w))
    }

    fn sum(&self, t: f64, term: impl Fn(f64, f64, f64, f64, f64) -> f64) -> f64 {
        let (sin, cos) = (self.omega * t).sin_cos();
        let (mut c, mut s) = (1.0, 0.0);
        let mut sum = 0.0;
        for (k, (a, b)) in self.a.iter().zip(&self.b).take(self.n).enumerate() {
            (c, s) = (c * cos - s * sin, s * cos + c * sin);
            sum += term(self.omega * (k + 1) as f64, *a, *b, c, s);
        }
        sum
    }
}

/// Solves the symmetric positive definite system in place (Cholesky, lower triangle); the solution replaces `x`.
fn solve(l: &mut [[f64; UNKNOWNS]; UNKNOWNS], x: &mut [f64; UNKNOWNS], m: usize) -> Option<()> {
    for i in 0..m {
        for j in 0..=i {
            let s: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let v = l[i][j] - s;
            if i == j {
                if v.is_nan() || v <= 1e-9 {
                    return None;
                }
                l[i][i] = v.sqrt();
            } else {
                l[i][j] = v / l[j][j];
            }
        }
    }
    for i in 0..m {
        let s: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (x[i] - s) / l[i][i];
    }
    for i in (0..m).rev() {
        let s: f64 = (i + 1..m).map(|k| l[k][i] * x[k]).sum();
        x[i] = (x[i] - s) / l[i][i];
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrals_of_a_known_motion_come_back_exactly_despite_bias_and_fractional_ends() {
        // z = 40 mm cos 2ωt + 3 mm sin 5ωt, sampled at 200 Hz over a cycle of 0.7233 s.
        let period = 0.7233;
        let w = TAU / period;
        let z = |t: f64| 0.040 * (2.0 * w * t).cos() + 0.003 * (5.0 * w * t).sin();
        let a =
            |t: f64| -0.040 * (2.0 * w).powi(2) * (2.0 * w * t).cos() - 0.003 * (5.0 * w).powi(2) * (5.0 * w * t).sin();
        let first = 0.0031;
        let points = (0..)
            .map(|i| first + f64::from(i) / 200.0)
            .take_while(|t| *t < period)
            .map(|t| (t, a(t) + 0.7));
        let fit = Periodic::fit(points, period, 10).expect("fits");
        for i in 0..50 {
            let t = period * f64::from(i) / 50.0;
            assert!((fit.twice_integrated(t) - z(t)).abs() < 1e-9);
            assert!((fit.value(t) - a(t)).abs() < 1e-6);
            let slope = (fit.once_integrated(t + 1e-5) - fit.once_integrated(t - 1e-5)) / 2e-5;
            assert!((slope - a(t)).abs() < 1e-3);
        }
    }

    #[test]
    fn too_few_points_are_refused() {
        let points = (0..30).map(|i| (f64::from(i) * 0.02, 1.0));
        assert!(Periodic::fit(points, 0.6, 10).is_none());
    }
}
