//! What a session adds up to: strides by side, class and activity, medians, absences, what was said about the data.
//!
//! Fed with every output of the signal loop as it appears, so that a summary needs no second pass and no list of strides.
//! Medians are over *usable* strides (data good or fair) of the session's main activity: a mean of running and the walk
//! back home would describe neither.

use crate::metrics::StrideRecord;
use crate::metrics::registry::{METRIC_COUNT, METRICS, MetricId};
use crate::model::{Absent, Activity, DataClass, GapCause, Placement, SessionTime, Side};
use crate::pipeline::{Health, Output};
use std::collections::BTreeMap;

/// One side's strides.
#[derive(Clone, Debug)]
pub struct SideTally {
    /// Strides seen.
    pub strides: u64,
    /// By data class, A to D.
    pub classes: [u64; 4],
    /// Walking, running.
    pub activities: [u64; 2],
    /// Usable values by activity and metric.
    values: [Vec<Vec<f64>>; 2],
}

impl Default for SideTally {
    fn default() -> Self {
        Self {
            strides: 0,
            classes: [0; 4],
            activities: [0; 2],
            values: std::array::from_fn(|_| vec![Vec::new(); METRIC_COUNT]),
        }
    }
}

/// Median of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// In the metric's SI unit.
    pub value: f64,
    /// Of how many strides.
    pub n: usize,
}

/// A stretch without samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hole {
    /// Sensor.
    pub placement: Placement,
    /// Last good instant.
    pub from: SessionTime,
    /// First good one again.
    pub to: SessionTime,
    /// Why.
    pub cause: GapCause,
}

/// The whole session.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Left, right, side unknown.
    pub sides: [SideTally; 3],
    /// Strides at which a metric had no value, by reason.
    absent: Vec<BTreeMap<Absent, u64>>,
    /// Start of the first stride.
    pub first: Option<SessionTime>,
    /// End of the last stride.
    pub last: Option<SessionTime>,
    /// When each sensor's mounting first became known.
    pub aligned: BTreeMap<Placement, SessionTime>,
    /// When a sensor turned in its strap.
    pub moved: Vec<(Placement, SessionTime)>,
    /// Contacts seen and not believed, by sensor and guard.
    pub refused: BTreeMap<(Placement, &'static str), u64>,
    /// When left and right looked exchanged.
    pub swapped: Option<SessionTime>,
    /// Times the two ways to cadence disagreed, and the first of them.
    pub cadence_disagrees: (u64, Option<SessionTime>),
    /// Sensors whose rail was learned.
    pub rails: BTreeMap<Placement, SessionTime>,
    /// Holes in arrival order.
    pub holes: Vec<Hole>,
}

/// Position of a side in [`Tally::sides`].
#[must_use]
pub fn side_index(side: Option<Side>) -> usize {
    match side {
        Some(Side::Left) => 0,
        Some(Side::Right) => 1,
        None => 2,
    }
}

fn activity_index(activity: Activity) -> Option<usize> {
    match activity {
        Activity::Still => None,
        Activity::Walking => Some(0),
        Activity::Running => Some(1),
    }
}

impl Tally {
    /// Takes one output.
    pub fn take(&mut self, output: &Output) {
        match output {
            Output::Stride(record) => self.take_stride(record),
            Output::Health(health) => self.take_health(health),
            _ => {}
        }
    }

    fn take_stride(&mut self, record: &StrideRecord) {
        self.first.get_or_insert(record.stride.start);
        self.last = Some(self.last.map_or(record.stride.end, |l| l.max(record.stride.end)));
        let side = &mut self.sides[side_index(record.stride.side)];
        side.strides += 1;
        side.classes[record.class as usize] += 1;
        let activity = activity_index(record.stride.activity);
        if let Some(a) = activity {
            side.activities[a] += 1;
        }
        let usable = matches!(record.class, DataClass::A | DataClass::B);
        if self.absent.is_empty() {
            self.absent = vec![BTreeMap::new(); METRIC_COUNT];
        }
        for (id, value) in record.metrics.iter() {
            match value {
                Err(reason) => *self.absent[id.index()].entry(reason).or_default() += 1,
                Ok(v) => {
                    if let Some(a) = activity.filter(|_| usable) {
                        side.values[a][id.index()].push(v);
                    }
                }
            }
        }
    }

    fn take_health(&mut self, health: &Health) {
        match *health {
            Health::Gap {
                placement,
                from,
                to,
                cause,
                ..
            } => self.holes.push(Hole {
                placement,
                from,
                to,
                cause,
            }),
            Health::Aligned { placement, t } => {
                self.aligned.entry(placement).or_insert(t);
            }
            Health::ContactRefused { placement, guard, .. } => {
                *self.refused.entry((placement, guard)).or_default() += 1;
            }
            Health::SensorMoved { placement, t } => self.moved.push((placement, t)),
            Health::SidesSwapped { t } => {
                self.swapped.get_or_insert(t);
            }
            Health::CadenceDisagrees { t, .. } => {
                self.cadence_disagrees.0 += 1;
                self.cadence_disagrees.1.get_or_insert(t);
            }
            Health::RailLearned { placement, t } => {
                self.rails.entry(placement).or_insert(t);
            }
            // Strides and losses say so themselves.
            Health::Clipped { .. } | Health::Filled { .. } => {}
        }
    }

    /// Strides of all sides.
    #[must_use]
    pub fn strides(&self) -> u64 {
        self.sides.iter().map(|s| s.strides).sum()
    }

    /// Strides by data class, A to D.
    #[must_use]
    pub fn classes(&self) -> [u64; 4] {
        std::array::from_fn(|i| self.sides.iter().map(|s| s.classes[i]).sum())
    }

    /// Strides (walking, running).
    #[must_use]
    pub fn activities(&self) -> [u64; 2] {
        std::array::from_fn(|i| self.sides.iter().map(|s| s.activities[i]).sum())
    }

    /// What most strides were.
    #[must_use]
    pub fn main_activity(&self) -> Activity {
        match self.activities() {
            [0, 0] => Activity::Still,
            [walking, running] if walking > running => Activity::Walking,
            _ => Activity::Running,
        }
    }

    /// Median of a metric on one side (`None`: strides of unknown side) over usable strides of the main activity.
    #[must_use]
    pub fn median(&self, side: Option<Side>, id: MetricId) -> Option<Median> {
        let activity = activity_index(self.main_activity())?;
        median(self.sides[side_index(side)].values[activity][id.index()].clone())
    }

    /// The same over all sides together.
    #[must_use]
    pub fn median_of_all(&self, id: MetricId) -> Option<Median> {
        let activity = activity_index(self.main_activity())?;
        let all = self.sides.iter().flat_map(|s| s.values[activity][id.index()].iter());
        median(all.copied().collect())
    }

    /// Metrics without a value at some strides: id, the most frequent reason, strides without a value.
    pub fn absences(&self) -> impl Iterator<Item = (MetricId, Absent, u64)> + '_ {
        METRICS.iter().zip(&self.absent).filter_map(|(def, reasons)| {
            let top = reasons.iter().max_by_key(|(_, n)| **n)?;
            Some((def.id, *top.0, reasons.values().sum()))
        })
    }
}

fn median(mut v: Vec<f64>) -> Option<Median> {
    v.sort_unstable_by(f64::total_cmp);
    let n = v.len();
    let (low, high) = (v.get(n.wrapping_sub(1) / 2)?, v.get(n / 2)?);
    Some(Median {
        value: 0.5 * (low + high),
        n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_or_the_mean_of_two_middles() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 9.0]).map(|m| m.value), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]).map(|m| m.value), Some(3.0));
    }
}
