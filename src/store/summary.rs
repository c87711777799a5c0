//! What a session amounts to: one row a metric and side.
//!
//! Computed once when a session ends, from strides of class A and B only (class C and what a person marked as bad are
//! kept and shown but never counted).
//! Trends over a hundred sessions then read a hundred rows instead of a million strides. Backends share this code, so
//! their numbers cannot differ.

use crate::metrics::{METRICS, MetricId, StrideRecord};
use crate::model::Side;

/// Which strides a summary row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SideScope {
    /// All of them, those of unknown side too.
    Both,
    /// Those of one side.
    Only(Side),
}

impl SideScope {
    const ALL: [Self; 3] = [Self::Both, Self::Only(Side::Left), Self::Only(Side::Right)];

    fn admits(self, side: Option<Side>) -> bool {
        match self {
            Self::Both => true,
            Self::Only(wanted) => side == Some(wanted),
        }
    }
}

/// One metric over one session; values in the metric's SI unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SummaryRow {
    /// The metric.
    pub metric: MetricId,
    /// The strides counted.
    pub side: SideScope,
    /// How many had a value; at least 1.
    pub n: u32,
    /// Median.
    pub median: f64,
    /// Median absolute deviation from the median, not scaled to a standard deviation.
    pub mad: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// 10th percentile, see [`quantile`].
    pub p10: f64,
    /// 90th percentile.
    pub p90: f64,
}

/// Quantile `q` of ascending values, interpolated linearly between neighbours (Hyndman and Fan 1996, definition 7, the
/// default of R and NumPy). `None` of nothing.
#[must_use]
pub fn quantile(ascending: &[f64], q: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let at = q.clamp(0.0, 1.0) * last as f64;
    let (below, share) = (at.floor() as usize, at.fract());
    let (low, high) = (ascending[below], ascending[(below + 1).min(last)]);
    Some(low + (high - low) * share)
}

/// The summary of some strides, in registry order, then both, left, right; without rows that would count nothing.
#[must_use]
pub fn summarise(strides: &[StrideRecord]) -> Vec<SummaryRow> {
    let mut rows = Vec::new();
    let mut values = Vec::with_capacity(strides.len());
    for def in METRICS {
        for side in SideScope::ALL {
            values.clear();
            let counted = strides.iter().filter(|s| s.counts() && side.admits(s.stride.side));
            values.extend(counted.filter_map(|s| s.metrics.value(def.id)));
            rows.extend(summarise_values(def.id, side, &mut values));
        }
    }
    rows
}

fn summarise_values(metric: MetricId, side: SideScope, values: &mut [f64]) -> Option<SummaryRow> {
    values.sort_unstable_by(f64::total_cmp);
    let median = quantile(values, 0.5)?;
    let (p10, p90) = (quantile(values, 0.1)?, quantile(values, 0.9)?);
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    for v in values.iter_mut() {
        *v = (*v - median).abs();
    }
    values.sort_unstable_by(f64::total_cmp);
    let mad = quantile(values, 0.5)?;
    Some(SummaryRow {
        metric,
        side,
        n: u32::try_from(n).unwrap_or(u32::MAX),
        median,
        mad,
        mean,
        p10,
        p90,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_the_published_definition() {
        // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1]) by hand: positions 0, .3, 1.5, 2.7, 3.
        let v = [1.0, 2.0, 4.0, 8.0];
        for (q, want) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&v, q).expect("not empty") - want).abs() < 1e-12, "{q}");
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.9), Some(3.0));
    }

    #[test]
    fn one_outlier_moves_the_mean_and_not_the_median() {
        let row = summarise_values(MetricId::Speed, SideScope::Both, &mut [3.0, 100.0, 2.0, 1.0, 2.0]).expect("values");
        assert_eq!((row.n, row.median, row.mad, row.mean), (5, 2.0, 1.0, 21.6));
    }
}
