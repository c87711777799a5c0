//! Left against right: differences of 25-stride medians, with how sure they are.
//!
//! The index SI = 200 (L − R) / (L + R) % is positive when the left is larger. It has a meaning for times, lengths and
//! peaks; for an angle that may be near zero or of either sign it has none, and only the difference is given. Two
//! intervals are offered: within one pair of blocks from the spread of strides, and over a run from the spread of pairs,
//! which is the better one, because it assumes nothing about how strides hang together.
//!
//! Not a fault: people are asymmetric, and a difference did not raise injuries in 836 runners. See changes only.

use super::aggregate::BlockStats;
use super::registry::MetricId as Id;
use super::robust::Running;
use crate::model::{Absent, Side};

/// What is compared: whatever belongs to one leg. Stride length stands for the mean step.
pub const COMPARED: &[Id] = &[
    Id::StepTime,
    Id::ContactTime,
    Id::FlightTime,
    Id::DutyFactor,
    Id::StrideLength,
    Id::FootStrikeAngle,
    Id::FootInversionRange,
    Id::ToeOut,
    Id::TouchdownSpeed,
    Id::FootImpact,
    Id::ShankAngleIc,
    Id::OverstrideDistance,
    Id::PelvisDrop,
    Id::PelvisDropFromIc,
    Id::BrakingPeak,
    Id::BrakingDv,
    Id::TibialPeakAcc,
    Id::TibialPeakAxial,
];

/// Fewest pairs of blocks for the interval of a run.
const FEWEST_PAIRS: u32 = 3;
/// Standard error of the median of normal values over that of their mean: √(π/2).
const MEDIAN_EFFICIENCY: f64 = 1.253_314_137_315_500_3;
/// Correlation of one stride with the next of the same foot; our choice, of the size of published stride-to-stride
/// correlations in running. It widens the interval within a pair by √((1 + ρ) / (1 − ρ)) = 1.36.
const STRIDE_CORRELATION: f64 = 0.3;
/// An index needs a mean level this many of its own standard errors away from zero.
const CLEAR_OF_ZERO: f64 = 10.0;

/// A value with the half-width of its 95 % interval, same unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The value.
    pub value: f64,
    /// Half-width of the 95 % interval.
    pub half_width: f64,
}

impl Interval {
    /// Whether zero lies outside.
    #[must_use]
    pub fn excludes_zero(&self) -> bool {
        self.value.abs() > self.half_width
    }
}

/// Left against right for one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SideDifference {
    /// The metric.
    pub metric: Id,
    /// Left minus right, in the unit in which the metric is kept.
    pub difference: Interval,
    /// 200 (L − R) / (L + R), percent; [`Absent::Refused`] where both together are near zero or differ in sign.
    pub index: Result<Interval, Absent>,
}

/// Compares one metric of a left and a right block.
///
/// # Errors
/// The reason of the side that has no value.
pub fn compare(metric: Id, left: &BlockStats, right: &BlockStats) -> Result<SideDifference, Absent> {
    let (l, se_l) = median_and_error(metric, left)?;
    let (r, se_r) = median_and_error(metric, right)?;
    let se = se_l.hypot(se_r);
    let sum = l + r;
    let index = if l * r > 0.0 && (sum / 2.0).abs() > CLEAR_OF_ZERO * (se / 2.0) {
        // d SI / dL = 400 R / (L + R)², d SI / dR = −400 L / (L + R)².
        let se = 400.0 * (r * se_l).hypot(l * se_r) / (sum * sum);
        Ok(Interval {
            value: 200.0 * (l - r) / sum,
            half_width: student_975(f64::INFINITY) * se,
        })
    } else {
        Err(Absent::Refused)
    };
    Ok(SideDifference {
        metric,
        difference: Interval {
            value: l - r,
            half_width: student_975(f64::INFINITY) * se,
        },
        index,
    })
}

fn median_and_error(metric: Id, block: &BlockStats) -> Result<(f64, f64), Absent> {
    let (median, sd) = (block.medians.get(metric)?, block.deviations.get(metric)?);
    let n = f64::from(block.counts[metric.index()].max(1));
    let widened = ((1.0 + STRIDE_CORRELATION) / (1.0 - STRIDE_CORRELATION)).sqrt();
    Ok((median, MEDIAN_EFFICIENCY * widened * sd / n.sqrt()))
}

/// Pairs the blocks of a run and keeps, for each metric, the running moments of its differences and indices.
#[derive(Clone, Debug)]
pub struct Symmetry {
    waiting: [Option<BlockStats>; 2],
    differences: [Running; COMPARED.len()],
    indices: [Running; COMPARED.len()],
}

impl Default for Symmetry {
    fn default() -> Self {
        Self {
            waiting: [None, None],
            differences: [Running::default(); COMPARED.len()],
            indices: [Running::default(); COMPARED.len()],
        }
    }
}

impl Symmetry {
    /// Takes a block. Appends to `out` the comparison with the other side's block of the same time, once both are there.
    /// Blocks of unknown side, cut short, or not of steady level running are passed over.
    pub fn push(&mut self, block: &BlockStats, out: &mut Vec<SideDifference>) {
        let Some(side) = block.side else { return };
        if block.eligible().is_err() {
            return;
        }
        let own = usize::from(side == Side::Right);
        self.waiting[own] = Some(block.clone());
        let [Some(left), Some(right)] = &self.waiting else {
            return;
        };
        if !same_time(left, right) {
            // The older one has no partner any more.
            self.waiting[1 - own] = None;
            return;
        }
        for (k, id) in COMPARED.iter().enumerate() {
            if let Ok(d) = compare(*id, left, right) {
                self.differences[k].push(d.difference.value);
                if let Ok(index) = d.index {
                    self.indices[k].push(index.value);
                }
                out.push(d);
            }
        }
        self.waiting = [None, None];
    }

    /// Left minus right over the run so far: mean of the pairs and its interval.
    ///
    /// # Errors
    /// [`Absent::TooFewStrides`] below three pairs of blocks; [`Absent::Refused`] for a metric that is not of one leg.
    pub fn difference(&self, metric: Id) -> Result<Interval, Absent> {
        Self::over_run(&self.differences, metric)
    }

    /// The index of the run so far, percent.
    ///
    /// # Errors
    /// As [`Symmetry::difference`].
    pub fn index(&self, metric: Id) -> Result<Interval, Absent> {
        Self::over_run(&self.indices, metric)
    }

    fn over_run(moments: &[Running; COMPARED.len()], metric: Id) -> Result<Interval, Absent> {
        let k = COMPARED.iter().position(|id| *id == metric).ok_or(Absent::Refused)?;
        let r = &moments[k];
        let variance = r.variance().filter(|_| r.count() >= FEWEST_PAIRS);
        let n = f64::from(r.count());
        let se = (variance.ok_or(Absent::TooFewStrides)? / n).sqrt();
        Ok(Interval {
            value: r.mean(),
            half_width: student_975(n - 1.0) * se,
        })
    }
}

/// Whether two blocks share more than half of the shorter one.
fn same_time(a: &BlockStats, b: &BlockStats) -> bool {
    let shared = a.end.min(b.end).since(a.start.max(b.start));
    shared > 0.5 * a.end.since(a.start).min(b.end.since(b.start))
}

/// The 97.5 % point of Student's t by the expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5), exact to 1 % from
/// three degrees of freedom; the table's values below.
fn student_975(degrees: f64) -> f64 {
    const NORMAL: f64 = 1.959_963_985;
    if degrees < 1.5 {
        return 12.706;
    }
    if degrees < 2.5 {
        return 4.303;
    }
    let (x, v) = (NORMAL, degrees);
    let g1 = (x.powi(3) + x) / 4.0;
    let g2 = (5.0 * x.powi(5) + 16.0 * x.powi(3) + 3.0 * x) / 96.0;
    let g3 = (3.0 * x.powi(7) + 19.0 * x.powi(5) + 17.0 * x.powi(3) - 15.0 * x) / 384.0;
    x + g1 / v + g2 / (v * v) + g3 / v.powi(3)
}

#[cfg(test)]
mod tests {
    use super::super::aggregate::Blocks;
    use super::super::chance::Chance;
    use super::super::example_stride::{CONTACT_S, STRIDE_S, record, stride};
    use super::*;
    use crate::model::units::rad;

    #[test]
    fn student_against_the_table() {
        for (degrees, table) in [(3.0, 3.182), (4.0, 2.776), (9.0, 2.262), (30.0, 2.042), (1e9, 1.960)] {
            assert!((student_975(degrees) / table - 1.0).abs() < 0.01, "{degrees}");
        }
    }

    /// `pairs` of blocks whose contact times are `left` and `right` seconds with a spread of 2 % and correlation of
    /// neighbours of 0.3.
    fn blocks(seed: u64, pairs: usize, left: f64, right: f64) -> Vec<BlockStats> {
        let mut chance = Chance::new(seed);
        let mut blocks = Blocks::default();
        let mut out = Vec::new();
        let mut noise = [0.0; 2];
        for k in 0..25 * pairs {
            for (i, (side, mean)) in [(Side::Left, left), (Side::Right, right)].into_iter().enumerate() {
                noise[i] = 0.3 * noise[i] + (1.0_f64 - 0.09).sqrt() * chance.normal();
                let mut s = stride(k as f64 * STRIDE_S + i as f64 * STRIDE_S / 2.0);
                s.side = Some(side);
                let mut r = record(s);
                r.metrics.set(Id::ContactTime, Ok(mean * (1.0 + 0.02 * noise[i])));
                r.metrics.set(
                    Id::FootStrikeAngle,
                    Ok(rad(0.2 * noise[i] + if i == 0 { 1.0 } else { -1.0 })),
                );
                blocks.push(&r, &mut out);
            }
        }
        out
    }

    fn symmetry(blocks: &[BlockStats]) -> (Symmetry, Vec<SideDifference>) {
        let (mut s, mut out) = (Symmetry::default(), Vec::new());
        blocks.iter().for_each(|b| s.push(b, &mut out));
        (s, out)
    }

    #[test]
    fn a_longer_left_contact_is_positive_and_the_mirror_changes_the_sign() {
        let (run, pairs) = symmetry(&blocks(3, 8, 1.02 * CONTACT_S, 0.98 * CONTACT_S));
        let index = run.index(Id::ContactTime).expect("eight pairs");
        assert!(
            (index.value - 4.0).abs() < index.half_width && index.excludes_zero(),
            "{index:?}"
        );
        let of_contact = pairs.iter().filter(|d| d.metric == Id::ContactTime);
        assert_eq!(of_contact.count(), 8);
        let (mirror, _) = symmetry(&blocks(3, 8, 0.98 * CONTACT_S, 1.02 * CONTACT_S));
        assert!(mirror.index(Id::ContactTime).expect("eight pairs").value < -3.0);
    }

    #[test]
    fn ninety_five_of_a_hundred_intervals_hold_the_truth() {
        let (mut in_pair, mut pairs, mut in_run, runs) = (0, 0, 0, 400);
        for seed in 0..runs {
            let (run, all) = symmetry(&blocks(seed, 6, CONTACT_S, CONTACT_S));
            in_run += u64::from(!run.index(Id::ContactTime).expect("six pairs").excludes_zero());
            for d in all.iter().filter(|d| d.metric == Id::ContactTime) {
                pairs += 1;
                in_pair += i32::from(!d.index.expect("far from zero").excludes_zero());
            }
        }
        let share = in_run as f64 / runs as f64;
        assert!((0.92..=0.98).contains(&share), "run: {share}");
        let share = f64::from(in_pair) / f64::from(pairs);
        assert!((0.92..=0.985).contains(&share), "pair: {share}");
    }

    #[test]
    fn angles_of_two_signs_have_a_difference_and_no_index() {
        let (run, pairs) = symmetry(&blocks(5, 4, CONTACT_S, CONTACT_S));
        let angle = pairs
            .iter()
            .find(|d| d.metric == Id::FootStrikeAngle)
            .expect("compared");
        assert_eq!(angle.index, Err(Absent::Refused));
        assert!((run.difference(Id::FootStrikeAngle).expect("four").value - rad(2.0)).abs() < rad(0.3));
        assert_eq!(run.index(Id::FootStrikeAngle), Err(Absent::TooFewStrides));
        assert_eq!(run.index(Id::Cadence), Err(Absent::Refused));
    }

    #[test]
    fn blocks_of_different_times_are_not_compared() {
        let all = blocks(1, 3, CONTACT_S, CONTACT_S);
        let left: Vec<_> = all.iter().filter(|b| b.side == Some(Side::Left)).cloned().collect();
        let right: Vec<_> = all.iter().filter(|b| b.side == Some(Side::Right)).cloned().collect();
        let (run, out) = symmetry(&[left[0].clone(), right[1].clone(), left[2].clone()]);
        assert!(out.is_empty());
        assert_eq!(run.index(Id::ContactTime), Err(Absent::TooFewStrides));
        let (_, out) = symmetry(&[left[0].clone(), right[1].clone(), left[1].clone()]);
        assert!(!out.is_empty(), "the right block found its partner");
    }
}
