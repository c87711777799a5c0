//! What a metric usually is at a speed: regression on (1, v, v², slope), learned block by block.
//!
//! Most gait metrics move with speed, so today at 3.6 m/s can only be compared with a usual at 3.6 m/s. The regression is
//! recursive least squares with forgetting 0.999 a block, in information form: sums of products that fade, solved when
//! asked. That form needs no start values and lets the number of terms grow with what was seen: a runner who knows one
//! speed gets a level, not a slope. No cadence and no step length are among the regressors, so that neither is ever
//! explained by itself.

use super::aggregate::LEVEL_GRADE;
use nalgebra::{Cholesky, Matrix4, Vector4};
use serde::{Deserialize, Serialize};

/// What one more block leaves of the weight of the earlier ones.
const FORGETTING: f64 = 0.999;
/// Speeds are counted from here, m/s: near the middle of running, for the numerics only.
const CENTRE: f64 = 3.0;
/// Spans of speed from which a slope and a curvature are told, m/s, and the blocks they need.
const SLOPE_SPAN: f64 = 0.5;
const SLOPE_BLOCKS: u32 = 8;
const CURVE_SPAN: f64 = 1.0;
const CURVE_BLOCKS: u32 = 20;
/// Span of grade from which its effect is told, height per metre.
const GRADE_SPAN: f64 = 0.01;
/// How far outside the seen speeds a value is still given, m/s; less where no slope is known.
const BEYOND: f64 = 0.3;
const BEYOND_LEVEL: f64 = 0.15;
/// Blocks at or beyond a speed before it counts as seen.
const SEEN: usize = 3;
/// Smallest pivot of the scaled normal equations; below, two terms cannot be told apart.
const PIVOT: f64 = 1e-4;

/// Why no usual value can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// Fewer than three blocks.
    TooLittle,
    /// The speed, or the slope, is outside what was seen.
    OutsideSeen,
}

/// A usual value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// The value at this speed and slope.
    pub value: f64,
    /// Its standard error, from the spread of the blocks, independent ones assumed; 0 below two blocks more than terms.
    pub sigma: f64,
}

/// Fading sums of one metric over blocks; plain values, to be kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpeedModel {
    blocks: u32,
    /// First value: others are counted from it, so that sums of squares do not cancel.
    origin: f64,
    /// Upper triangle of Σ x xᵀ, row by row.
    products: [f64; 10],
    /// Σ x y.
    moments: [f64; 4],
    /// Σ y².
    squares: f64,
    /// The lowest and the highest speeds seen, innermost last.
    lowest: [f64; SEEN],
    highest: [f64; SEEN],
    grades: (f64, f64),
}

/// Place of row `i`, column `j ≥ i` in the triangle.
fn place(i: usize, j: usize) -> usize {
    i * 4 - i * i.saturating_sub(1) / 2 + j - i
}

fn terms(speed: f64, grade: f64) -> Vector4<f64> {
    let u = speed - CENTRE;
    Vector4::new(1.0, u, u * u, grade)
}

/// A solved model, for many values at once.
#[derive(Clone, Copy, Debug)]
pub struct Solved {
    origin: f64,
    theta: Vector4<f64>,
    /// Inverse of the normal equations times the variance of a block.
    covariance: Matrix4<f64>,
    /// Variance of a block about the model.
    variance: f64,
    range: (f64, f64),
    terms: usize,
}

impl SpeedModel {
    /// Takes the median of a block at its speed (m/s) and slope (height per metre). What is not finite, or not level, is
    /// passed over.
    pub fn learn(&mut self, speed: f64, grade: f64, value: f64) {
        if !(speed.is_finite() && value.is_finite() && grade.abs() <= LEVEL_GRADE) {
            return;
        }
        if self.blocks == 0 {
            self.origin = value;
            self.lowest = [f64::MAX; SEEN];
            self.highest = [f64::MIN; SEEN];
            self.grades = (grade, grade);
        }
        self.blocks += 1;
        let x = terms(speed, grade);
        let y = value - self.origin;
        for i in 0..4 {
            for j in i..4 {
                let p = &mut self.products[place(i, j)];
                *p = FORGETTING * *p + x[i] * x[j];
            }
            self.moments[i] = FORGETTING * self.moments[i] + x[i] * y;
        }
        self.squares = FORGETTING * self.squares + y * y;
        insert(&mut self.lowest, speed, |a, b| a < b);
        insert(&mut self.highest, speed, |a, b| a > b);
        self.grades = (self.grades.0.min(grade), self.grades.1.max(grade));
    }

    /// Blocks learned.
    #[must_use]
    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    /// The speeds counted as seen, m/s: three blocks lie at or beyond each end.
    #[must_use]
    pub fn seen(&self) -> Option<(f64, f64)> {
        // With few blocks the third lowest lies above the third highest.
        let (a, b) = (self.lowest[SEEN - 1], self.highest[SEEN - 1]);
        (self.blocks as usize >= SEEN).then(|| (a.min(b), a.max(b)))
    }

    /// Solves for as many terms as what was seen can carry.
    ///
    /// # Errors
    /// [`Unknown::TooLittle`] below three blocks.
    pub fn solve(&self) -> Result<Solved, Unknown> {
        let (low, high) = self.seen().ok_or(Unknown::TooLittle)?;
        let span = high - low;
        let slope = span >= SLOPE_SPAN && self.blocks >= SLOPE_BLOCKS;
        let curve = span >= CURVE_SPAN && self.blocks >= CURVE_BLOCKS;
        let hilly = self.grades.1 - self.grades.0 >= GRADE_SPAN && self.blocks >= CURVE_BLOCKS;
        let wanted = [true, slope, slope && curve, hilly];
        // Fewer terms where the wanted ones cannot be told apart; the level alone always can.
        let tries = [
            wanted,
            [true, wanted[1], wanted[2], false],
            [true, wanted[1], false, false],
            [true, false, false, false],
        ];
        let (used, (theta, inverse)) = tries
            .into_iter()
            .find_map(|used| self.solve_terms(used).map(|s| (used, s)))
            .ok_or(Unknown::TooLittle)?;
        let terms = used.iter().filter(|u| **u).count();
        let free = self.products[0] - terms as f64;
        let residual = (self.squares - theta.dot(&Vector4::from(self.moments))).max(0.0);
        let variance = if free >= 1.0 { residual / free } else { 0.0 };
        let beyond = if used[1] { BEYOND } else { BEYOND_LEVEL };
        Ok(Solved {
            origin: self.origin,
            theta,
            covariance: inverse * variance,
            variance,
            range: (low - beyond, high + beyond),
            terms,
        })
    }

    fn solve_terms(&self, used: [bool; 4]) -> Option<(Vector4<f64>, Matrix4<f64>)> {
        let full = Matrix4::from_fn(|i, j| {
            if used[i] && used[j] {
                self.products[place(i.min(j), i.max(j))]
            } else {
                0.0
            }
        });
        // Unit diagonal, so that the pivots can be judged; terms left out become equations of their own.
        let scale = Vector4::from_fn(|i, _| if full[(i, i)] > 0.0 { full[(i, i)].sqrt() } else { 1.0 });
        let scaled = Matrix4::from_fn(|i, j| match (i == j, used[i]) {
            (true, false) => 1.0,
            (true, true) if full[(i, i)] <= 0.0 => 0.0,
            _ => full[(i, j)] / (scale[i] * scale[j]),
        });
        let cholesky = Cholesky::new(scaled)?;
        if (0..4).any(|i| cholesky.l_dirty()[(i, i)].powi(2) < PIVOT) {
            return None;
        }
        let right = Vector4::from_fn(|i, _| if used[i] { self.moments[i] / scale[i] } else { 0.0 });
        let theta = cholesky.solve(&right).component_div(&scale);
        let inverse = cholesky.inverse();
        let inverse = Matrix4::from_fn(|i, j| {
            if used[i] && used[j] {
                inverse[(i, j)] / (scale[i] * scale[j])
            } else {
                0.0
            }
        });
        Some((theta, inverse))
    }
}

impl Solved {
    /// The usual value at a speed (m/s) and slope (height per metre).
    ///
    /// # Errors
    /// [`Unknown::OutsideSeen`] more than 0.3 m/s (0.15 where only a level is known) outside the seen speeds, or off the
    /// level.
    pub fn at(&self, speed: f64, grade: f64) -> Result<Usual, Unknown> {
        // Said this way round, a speed that is not a number is refused too.
        if !(speed >= self.range.0 && speed <= self.range.1 && grade.abs() <= LEVEL_GRADE) {
            return Err(Unknown::OutsideSeen);
        }
        let x = terms(speed, grade);
        Ok(Usual {
            value: self.origin + self.theta.dot(&x),
            sigma: x.dot(&(self.covariance * x)).max(0.0).sqrt(),
        })
    }

    /// Terms told, 1 to 4.
    #[must_use]
    pub fn terms(&self) -> usize {
        self.terms
    }

    /// Standard deviation of single blocks about the model.
    #[must_use]
    pub fn block_sigma(&self) -> f64 {
        self.variance.sqrt()
    }
}

/// Keeps the first `SEEN` values in the order of `before`.
fn insert(kept: &mut [f64; SEEN], value: f64, before: impl Fn(f64, f64) -> bool) {
    let mut value = value;
    for k in kept {
        if before(value, *k) {
            std::mem::swap(k, &mut value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::Chance;
    use super::*;

    /// A metric that is a level, a slope, a curvature and an effect of grade.
    fn truth(v: f64, g: f64) -> f64 {
        0.30 - 0.04 * (v - 3.0) + 0.006 * (v - 3.0).powi(2) + 0.2 * g
    }

    fn learned(n: usize, sigma: f64, speeds: (f64, f64)) -> SpeedModel {
        let mut chance = Chance::new(11);
        let mut m = SpeedModel::default();
        for _ in 0..n {
            let v = speeds.0 + (speeds.1 - speeds.0) * chance.even();
            let g = 0.036 * (chance.even() - 0.5);
            m.learn(v, g, truth(v, g) + sigma * chance.normal());
        }
        m
    }

    #[test]
    fn finds_the_curve_it_was_made_with() {
        let exact = learned(60, 0.0, (2.4, 4.4)).solve().expect("enough");
        for (v, g) in [(2.5, 0.0), (3.7, 0.01), (4.45, -0.015)] {
            assert!((exact.at(v, g).expect("seen").value - truth(v, g)).abs() < 1e-9);
        }
        let noisy = learned(400, 0.005, (2.4, 4.4)).solve().expect("enough");
        let usual = noisy.at(3.4, 0.0).expect("seen");
        assert!(
            (usual.value - truth(3.4, 0.0)).abs() < 4.0 * usual.sigma && usual.sigma < 0.001,
            "{usual:?}"
        );
        assert!((noisy.block_sigma() / 0.005 - 1.0).abs() < 0.1);
    }

    #[test]
    fn standard_errors_are_honest() {
        let (mut squares, runs) = (0.0, 300);
        for seed in 0..runs {
            let mut chance = Chance::new(seed);
            let mut m = SpeedModel::default();
            for _ in 0..50 {
                let v = 2.6 + 1.5 * chance.even();
                m.learn(v, 0.0, truth(v, 0.0) + 0.01 * chance.normal());
            }
            let u = m.solve().and_then(|s| s.at(3.9, 0.0)).expect("seen");
            squares += ((u.value - truth(3.9, 0.0)) / u.sigma).powi(2);
        }
        let ratio = (squares / runs as f64).sqrt();
        assert!((0.9..1.15).contains(&ratio), "{ratio}");
    }

    #[test]
    fn one_speed_gives_a_level_and_no_far_values() {
        let m = learned(50, 0.002, (3.0, 3.1)).solve().expect("a level");
        assert!(m.at(3.2, 0.0).is_ok());
        assert_eq!(m.at(3.4, 0.0), Err(Unknown::OutsideSeen));
        // A level does not extrapolate along a slope that noise suggests.
        let (a, b) = (m.at(2.95, 0.0).expect("near"), m.at(3.15, 0.0).expect("near"));
        assert!((a.value - b.value).abs() < 1e-12);
    }

    #[test]
    fn outside_the_seen_speeds_nothing_is_said() {
        let m = learned(200, 0.001, (2.8, 3.8)).solve().expect("enough");
        for (v, g) in [(2.4, 0.0), (4.2, 0.0), (3.0, 0.03), (f64::NAN, 0.0)] {
            assert_eq!(m.at(v, g), Err(Unknown::OutsideSeen), "{v} {g}");
        }
        assert!(m.at(4.05, 0.0).is_ok());
        // One sprint is not a seen speed.
        let mut one = learned(200, 0.001, (2.8, 3.8));
        one.learn(5.5, 0.0, 0.2);
        assert!(one.seen().expect("many").1 < 3.8);
        assert_eq!(SpeedModel::default().solve().err(), Some(Unknown::TooLittle));
    }

    #[test]
    fn two_speeds_in_a_lump_each_give_no_curvature() {
        let mut m = SpeedModel::default();
        for k in 0..40 {
            let v = if k % 2 == 0 { 2.8 } else { 3.9 };
            m.learn(v, 0.0, truth(v, 0.0));
        }
        // Between the lumps a straight line, which is all they can carry.
        let middle = m.solve().and_then(|s| s.at(3.35, 0.0)).expect("seen").value;
        assert!((middle - 0.5 * (truth(2.8, 0.0) + truth(3.9, 0.0))).abs() < 1e-6);
    }

    #[test]
    fn old_blocks_fade() {
        let mut m = SpeedModel::default();
        (0..2000).for_each(|_| m.learn(3.0, 0.0, 1.0));
        (0..2000).for_each(|_| m.learn(3.0, 0.0, 2.0));
        let now = m.solve().and_then(|s| s.at(3.0, 0.0)).expect("seen").value;
        // Weight of the older half is 0.999^2000 = 0.135 of all.
        let old = FORGETTING.powi(2000) / (1.0 + FORGETTING.powi(2000));
        assert!((now - (2.0 - old)).abs() < 1e-6, "{now}");
    }

    #[test]
    fn the_order_of_small_numbers_does_not_matter_much() {
        // Far origins: 1e4 N with a spread of 1 N keeps its spread.
        let mut chance = Chance::new(2);
        let mut m = SpeedModel::default();
        (0..500).for_each(|_| m.learn(3.0, 0.0, 1e6 + chance.normal()));
        assert!((m.solve().expect("level").block_sigma() - 1.0).abs() < 0.1);
    }
}
