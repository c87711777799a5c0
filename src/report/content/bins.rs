//! Before and after at the same speeds, left and right apart.
//!
//! Windows of 25 strides that are level and steady are sorted into bins of speed, ±0.15 m/s wide (the width within which the
//! rule file compares without a line over speed). A bin is used where each set of runs has [`FEWEST`] windows in it; of those
//! the fullest is taken, then the slowest and the fastest that lie apart from it. No line is fitted: what stands in a cell is
//! a median of windows that were run at that speed.

use crate::metrics::MetricId as Id;
use crate::model::Side;
use crate::review::windows::{RunWindows, median};
use std::collections::BTreeMap;

/// Half-width of a bin, m/s (`speed_slack_flat_ms` of the rule file).
pub const HALF_WIDTH: f64 = 0.15;
/// Windows of a set from which a bin is used.
pub const FEWEST: usize = 3;
/// Windows of a cell below which it is doubtful.
pub const FIRM: u32 = 5;
/// Most bins.
const MOST: usize = 3;
/// Distance of bins, m/s.
const APART: f64 = 0.3;
/// Grid on which the middle of a bin lies, m/s.
const GRID: f64 = 0.1;

/// Rows of the table, in this order.
pub const ROWS: [Id; 8] = [
    Id::Cadence,
    Id::StrideLength,
    Id::ContactTime,
    Id::OverstrideDistance,
    Id::PelvisDrop,
    Id::PelvisTilt,
    Id::PelvisOscillation,
    Id::SacralPeakAcc,
];

/// Metrics of [`ROWS`] that belong to one leg.
pub const SIDED: [Id; 4] = [
    Id::StrideLength,
    Id::ContactTime,
    Id::OverstrideDistance,
    Id::PelvisDrop,
];

/// A median and how many windows it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Middle {
    /// The median, in the unit in which the metric is kept.
    pub value: f64,
    /// Windows.
    pub windows: u32,
}

/// One set of runs in a bin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BinSet {
    /// Median speed of its windows, m/s.
    pub speed_ms: f64,
    /// Windows, of the side that has more.
    pub windows: u32,
    /// Medians by metric and side; without a side that of all windows, of what belongs to one leg the mean of both sides.
    pub values: BTreeMap<(Id, Option<Side>), Middle>,
}

impl BinSet {
    /// A median.
    #[must_use]
    pub fn of(&self, metric: Id, side: Option<Side>) -> Option<Middle> {
        self.values.get(&(metric, side)).copied()
    }

    /// Left less right.
    #[must_use]
    pub fn difference(&self, metric: Id) -> Option<Middle> {
        let (left, right) = (self.of(metric, Some(Side::Left))?, self.of(metric, Some(Side::Right))?);
        Some(Middle {
            value: left.value - right.value,
            windows: left.windows.min(right.windows),
        })
    }
}

/// A bin of speed.
#[derive(Clone, Debug, PartialEq)]
pub struct Bin {
    /// Its middle, m/s.
    pub speed_ms: f64,
    /// Before; `None` where nothing is compared.
    pub before: Option<BinSet>,
    /// After.
    pub after: BinSet,
}

fn in_bin<'a>(
    runs: &'a [RunWindows],
    middle: f64,
) -> impl Iterator<Item = &'a crate::review::windows::Window> + Clone + 'a {
    runs.iter().flat_map(|r| &r.windows).filter(move |w| {
        let speed = w.stats.medians.value(Id::Speed);
        speed.is_some_and(|v| (v - middle).abs() <= HALF_WIDTH + 1e-9)
    })
}

fn count(runs: &[RunWindows], middle: f64) -> usize {
    let of = |side| in_bin(runs, middle).filter(|w| w.stats.side == side).count();
    [Some(Side::Left), Some(Side::Right), None]
        .into_iter()
        .map(of)
        .max()
        .unwrap_or(0)
}

fn set(runs: &[RunWindows], middle: f64) -> BinSet {
    let middle_of = |metric: Id, side: Option<Side>| {
        let of_side = in_bin(runs, middle).filter(|w| side.is_none() || w.stats.side == side);
        let values: Vec<f64> = of_side.filter_map(|w| w.stats.medians.value(metric)).collect();
        Some(Middle {
            value: median(&values)?,
            windows: values.len() as u32,
        })
    };
    let mut values = BTreeMap::new();
    for metric in ROWS {
        if SIDED.contains(&metric) {
            let sides = [Side::Left, Side::Right].map(|s| (Some(s), middle_of(metric, Some(s))));
            let known: Vec<Middle> = sides.iter().filter_map(|s| s.1).collect();
            for (side, m) in sides {
                values.extend(m.map(|m| ((metric, side), m)));
            }
            if !known.is_empty() {
                let mean = known.iter().map(|m| m.value).sum::<f64>() / known.len() as f64;
                let windows = known.iter().map(|m| m.windows).min().unwrap_or(0);
                values.insert((metric, None), Middle { value: mean, windows });
            }
        } else {
            values.extend(middle_of(metric, None).map(|m| ((metric, None), m)));
        }
    }
    let speeds: Vec<f64> = in_bin(runs, middle)
        .filter_map(|w| w.stats.medians.value(Id::Speed))
        .collect();
    BinSet {
        speed_ms: median(&speeds).unwrap_or(middle),
        windows: count(runs, middle) as u32,
        values,
    }
}

/// The bins, slowest first; none where the sets share no speed. Without runs before, those of after alone.
#[must_use]
pub fn bins(before: &[RunWindows], after: &[RunWindows]) -> Vec<Bin> {
    let compared = !before.is_empty();
    let speeds = after
        .iter()
        .flat_map(|r| &r.windows)
        .filter_map(|w| w.stats.medians.value(Id::Speed));
    let steps: std::collections::BTreeSet<i64> = speeds
        .filter(|v| v.is_finite())
        .flat_map(|v| {
            let at = (v / GRID).round() as i64;
            [at - 1, at, at + 1]
        })
        .collect();
    let full: Vec<(f64, usize)> = steps
        .into_iter()
        .map(|s| s as f64 * GRID)
        .map(|middle| {
            let n = count(after, middle);
            (middle, if compared { n.min(count(before, middle)) } else { n })
        })
        .filter(|(_, n)| *n >= FEWEST)
        .collect();
    // A bin lies around what was run in it, not at the edge of what it still holds.
    let full: Vec<(f64, usize)> = full
        .into_iter()
        .map(|(edge, n)| {
            let speeds: Vec<f64> = in_bin(after, edge)
                .filter_map(|w| w.stats.medians.value(Id::Speed))
                .collect();
            let at = median(&speeds).map_or(edge, |v| (v / GRID).round() * GRID);
            let meets = |runs: &[RunWindows]| count(runs, at) >= FEWEST;
            let holds = meets(after) && (!compared || meets(before));
            if holds { (at, n) } else { (edge, n) }
        })
        .collect();
    // Of equally full ones the slowest.
    let Some(fullest) = full.iter().rev().max_by_key(|b| b.1).copied() else {
        return Vec::new();
    };
    let mut chosen = vec![fullest.0];
    for other in [full.first(), full.last()].into_iter().flatten() {
        let apart = chosen.iter().all(|c| (c - other.0).abs() >= APART - 1e-9);
        if apart && chosen.len() < MOST {
            chosen.push(other.0);
        }
    }
    chosen.sort_by(f64::total_cmp);
    let made = chosen.into_iter().map(|middle| Bin {
        speed_ms: middle,
        before: compared.then(|| set(before, middle)),
        after: set(after, middle),
    });
    made.collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::metrics::MetricSet;
    use crate::metrics::aggregate::{BlockConfidence, BlockStats};
    use crate::metrics::registry::METRIC_COUNT;
    use crate::model::{Activity, SegmentKind, SessionTime};
    use crate::review::windows::Window;

    #[test]
    fn bins_lie_where_both_were_run_and_apart() {
        let before = vec![run(&[(2.8, 8), (3.3, 20), (4.0, 5)])];
        let after = vec![run(&[(2.8, 4), (3.3, 12), (3.7, 9)])];
        let found: Vec<f64> = bins(&before, &after).iter().map(|b| b.speed_ms).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            (found[0] - 2.8).abs() < 0.16 && (found[1] - 3.3).abs() < 0.16,
            "{found:?}"
        );
        let alone: Vec<f64> = bins(&[], &after).iter().map(|b| b.speed_ms).collect();
        assert_eq!(alone.len(), 3, "{alone:?}");
    }

    #[test]
    fn speeds_that_do_not_meet_give_no_bin() {
        assert!(bins(&[run(&[(2.5, 20)])], &[run(&[(3.2, 20)])]).is_empty());
        assert!(
            bins(&[run(&[(3.0, 2)])], &[run(&[(3.0, 20)])]).is_empty(),
            "two windows are too few"
        );
        assert!(bins(&[run(&[(3.0, 20)])], &[]).is_empty());
    }

    #[test]
    fn left_less_right_needs_both_and_the_mean_is_that_of_the_sides() {
        let b = &bins(&[], &[run(&[(3.0, 6)])])[0];
        let left = b.after.of(Id::ContactTime, Some(Side::Left)).expect("left");
        let right = b.after.of(Id::ContactTime, Some(Side::Right)).expect("right");
        let both = b.after.of(Id::ContactTime, None).expect("both");
        assert!((both.value - 0.5 * (left.value + right.value)).abs() < 1e-12);
        let difference = b.after.difference(Id::ContactTime).expect("both sides");
        assert!((difference.value - (left.value - right.value)).abs() < 1e-12 && difference.value < 0.0);
        assert!(b.after.difference(Id::OverstrideDistance).is_none(), "never measured");
    }

    fn block(side: Side) -> BlockStats {
        BlockStats {
            side: Some(side),
            seen_from: SegmentKind::Foot,
            activity: Activity::Running,
            start: SessionTime::from_secs(300.0),
            end: SessionTime::from_secs(310.0),
            seen: 25,
            usable: 25,
            good: 25,
            medians: MetricSet::default(),
            deviations: MetricSet::default(),
            counts: [25; METRIC_COUNT],
            speed_variation: Ok(0.01),
            grade: Ok(0.0),
            confidence: BlockConfidence::High,
        }
    }

    /// A run with so many windows a side at each speed: cadence 170, contact 240 ms left and 250 ms right.
    pub(in crate::report) fn run(speeds: &[(f64, usize)]) -> RunWindows {
        let mut windows = Vec::new();
        for (speed, n) in speeds {
            for i in 0..*n {
                for (side, contact) in [(Side::Left, 0.240), (Side::Right, 0.250)] {
                    let mut stats = block(side);
                    stats.medians.set(Id::Speed, Ok(*speed));
                    stats.medians.set(Id::Cadence, Ok(170.0 + (i % 3) as f64));
                    stats.medians.set(Id::ContactTime, Ok(contact + 0.001 * (i % 3) as f64));
                    windows.push(Window {
                        t_s: 300.0 + 10.0 * i as f64,
                        span_s: (295.0 + 10.0 * i as f64, 305.0 + 10.0 * i as f64),
                        stats,
                    });
                }
            }
        }
        RunWindows {
            windows,
            ..RunWindows::default()
        }
    }
}
