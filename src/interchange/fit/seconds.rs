//! Strides laid out by seconds: means weighted by time, and the distance run so far.
//!
//! A stride lasts 0.6 to 1.2 s and rarely fits a second, so each counts in every second by the part of it that lies there.
//! Strides of class C and those that a person marked as bad are kept and shown but never averaged (docs/glossary.md); only
//! the quality itself counts them all.

use crate::metrics::foot::KNOWN_LENGTHS;
use crate::metrics::{MetricId as Id, StrideRecord};
use crate::model::{SessionTime, Side};

/// What is averaged, in the unit of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Strides of one leg a minute.
    Cadence,
    /// mm.
    StepLength,
    /// ms.
    Stance,
    /// ms, left leg.
    StanceLeft,
    /// ms, right leg.
    StanceRight,
    /// %.
    StancePercent,
    /// mm.
    Oscillation,
    /// %.
    VerticalRatio,
    /// m/s.
    Speed,
    /// °, against standing.
    Tilt,
    /// °, in the stance of the left leg.
    DropLeft,
    /// °, of the right leg.
    DropRight,
    /// °.
    Rotation,
    /// mm.
    FootAhead,
    /// %, of strides of all classes.
    Quality,
}

const COUNT: usize = Of::Quality as usize + 1;

/// Whose strides a mean takes.
type Whose = Option<Side>;

/// Mean, metric, factor from the metric's SI unit, leg.
const FROM: [(Of, Id, f64, Whose); COUNT - 1] = {
    use crate::model::units::DEG_PER_RAD as DEG;
    const LEFT: Whose = Some(Side::Left);
    const RIGHT: Whose = Some(Side::Right);
    [
        // Two steps are one stride of one leg.
        (Of::Cadence, Id::Cadence, 0.5, None),
        (Of::StepLength, Id::StrideLength, 500.0, None),
        (Of::Stance, Id::ContactTime, 1e3, None),
        (Of::StanceLeft, Id::ContactTime, 1e3, LEFT),
        (Of::StanceRight, Id::ContactTime, 1e3, RIGHT),
        (Of::StancePercent, Id::DutyFactor, 100.0, None),
        (Of::Oscillation, Id::PelvisOscillation, 1e3, None),
        (Of::VerticalRatio, Id::VerticalRatio, 100.0, None),
        (Of::Speed, Id::Speed, 1.0, None),
        (Of::Tilt, Id::PelvisTilt, DEG, None),
        (Of::DropLeft, Id::PelvisDrop, DEG, LEFT),
        (Of::DropRight, Id::PelvisDrop, DEG, RIGHT),
        (Of::Rotation, Id::PelvisRotationRange, DEG, None),
        (Of::FootAhead, Id::OverstrideDistance, 1e3, None),
    ]
};

/// Means of one stretch of time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Means([(f64, f64); COUNT]);

impl Means {
    /// Takes a stride by `seconds` of it.
    fn take(&mut self, record: &StrideRecord, seconds: f64) {
        let mut add = |of: Of, value: f64| {
            let (sum, weight) = &mut self.0[of as usize];
            *sum += value * seconds;
            *weight += seconds;
        };
        add(Of::Quality, record.stride.quality.product() * 100.0);
        if !record.counts() {
            return;
        }
        for (of, id, factor, whose) in FROM {
            if let Some(value) = record.metrics.value(id)
                && (whose.is_none() || whose == record.stride.side)
            {
                add(of, value * factor);
            }
        }
    }

    /// The mean; `None` of nothing.
    pub(super) fn get(&self, of: Of) -> Option<f64> {
        let (sum, weight) = self.0[of as usize];
        (weight > 0.0).then(|| sum / weight)
    }

    /// Left leg's share of the two stance times, %.
    pub(super) fn stance_balance(&self) -> Option<f64> {
        let (left, right) = (self.get(Of::StanceLeft)?, self.get(Of::StanceRight)?);
        (left + right > 0.0).then(|| 100.0 * left / (left + right))
    }

    /// Whether any stride lies here.
    pub(super) fn any(&self) -> bool {
        self.get(Of::Quality).is_some()
    }
}

/// Lengths of one leg within a second.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    known_m: f64,
    known_s: f64,
    all_s: f64,
}

/// One second: what is averaged around its instant, and the way since the instant before.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    means: Means,
    /// Left, right, side unknown.
    way: [Way; 3],
}

/// All seconds of a run, with means over longer stretches beside them.
#[derive(Clone, Debug)]
pub(super) struct Seconds {
    /// Session time of the first instant, s.
    first_s: f64,
    seconds: Vec<Second>,
    /// Way after the last instant.
    tail: [Way; 3],
    /// Stretches with their own means: begin and end, s of session time.
    stretches: Vec<(f64, f64, Means)>,
}

/// Seconds that two spans share.
fn shared(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.1.min(b.1) - a.0.max(b.0)).max(0.0)
}

impl Seconds {
    /// `count` instants a second apart from `first_s` on, and stretches to average over.
    pub(super) fn new(first_s: f64, count: usize, stretches: &[(SessionTime, SessionTime)]) -> Self {
        Self {
            first_s,
            seconds: vec![Second::default(); count],
            tail: Default::default(),
            stretches: stretches
                .iter()
                .map(|(from, to)| (from.secs(), to.secs(), Means::default()))
                .collect(),
        }
    }

    /// The next stride.
    pub(super) fn take(&mut self, record: &StrideRecord) {
        let stride = &record.stride;
        let span = (stride.start.secs(), stride.end.secs());
        if span.1 <= span.0 {
            return;
        }
        let index = |s: f64| (s - self.first_s).floor().max(0.0) as usize;
        let lane = match stride.side {
            Some(Side::Left) => 0,
            Some(Side::Right) => 1,
            None => 2,
        };
        let length = record.metrics.value(Id::StrideLength);
        // The way up to instant k belongs to k, all before the first to the first; an instant's means reach half a second
        // to either side of it.
        let way = |to: &mut [Way; 3], part: f64| {
            let way = &mut to[lane];
            way.all_s += part;
            if let Some(length) = length {
                way.known_s += part;
                way.known_m += length * part / (span.1 - span.0);
            }
        };
        let last = index(span.1) + 1;
        for k in index(span.0).saturating_sub(1)..=last {
            let at = self.first_s + k as f64;
            let Some(second) = self.seconds.get_mut(k) else { break };
            let begin = if k == 0 { f64::NEG_INFINITY } else { at - 1.0 };
            way(&mut second.way, shared(span, (begin, at)));
            let around = shared(span, (at - 0.5, at + 0.5));
            if around > 0.0 {
                second.means.take(record, around);
            }
        }
        let end = match self.seconds.len() {
            0 => f64::NEG_INFINITY,
            n => self.first_s + (n - 1) as f64,
        };
        way(&mut self.tail, shared(span, (end, f64::INFINITY)));
        for (from, to, means) in &mut self.stretches {
            let part = shared(span, (*from, *to));
            if part > 0.0 {
                means.take(record, part);
            }
        }
    }

    /// How many instants there are.
    pub(super) fn count(&self) -> usize {
        self.seconds.len()
    }

    /// Means around an instant, by its number.
    pub(super) fn means(&self, number: usize) -> Means {
        self.seconds.get(number).map(|s| s.means).unwrap_or_default()
    }

    /// Means of a stretch, by its number.
    pub(super) fn of_stretch(&self, number: usize) -> Means {
        self.stretches.get(number).map(|s| s.2).unwrap_or_default()
    }

    /// Distance up to each instant and, last, up to the end, m: the mean of the legs that know enough of their lengths,
    /// where what they do not know goes at their mean speed. `None` where neither does.
    pub(super) fn distances(&self) -> Option<Vec<f64>> {
        let ways = || self.seconds.iter().map(|s| &s.way).chain([&self.tail]);
        let mut legs: Vec<(usize, f64)> = Vec::new();
        for lane in 0..3 {
            let total = ways().fold(Way::default(), |sum, way| Way {
                known_m: sum.known_m + way[lane].known_m,
                known_s: sum.known_s + way[lane].known_s,
                all_s: sum.all_s + way[lane].all_s,
            });
            if total.all_s > 0.0 && total.known_s >= KNOWN_LENGTHS * total.all_s {
                legs.push((lane, total.known_m / total.known_s));
            }
        }
        if legs.is_empty() {
            return None;
        }
        let mut so_far = 0.0;
        let so_far = ways().map(|way| {
            let of_leg = |(lane, speed): &(usize, f64)| {
                let w = &way[*lane];
                w.known_m + (w.all_s - w.known_s) * speed
            };
            so_far += legs.iter().map(of_leg).sum::<f64>() / legs.len() as f64;
            so_far
        });
        Some(so_far.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::strides;
    use super::*;
    use crate::model::DataClass;

    #[test]
    fn what_does_not_count_is_in_no_mean_and_only_in_the_quality() {
        let good = strides(0.0, 1.0, Side::Left).next().expect("a stride");
        let mut marked = good.clone();
        marked.stride.flags.marked_bad = true;
        let mut poor = good.clone();
        poor.class = DataClass::C;
        for (record, counted) in [(good, true), (marked, false), (poor, false)] {
            let mut means = Means::default();
            means.take(&record, 1.0);
            assert_eq!(means.get(Of::Cadence).is_some(), counted, "{:?}", record.stride.flags);
            assert!(means.any());
        }
    }
}
