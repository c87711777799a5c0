//! Blocks: medians of 25 strides of one side.
//!
//! A single stride says little. The median of 25 is the unit in which tibial shock changes show (Zandbergen 2023,
//! doi 10.3389/fspor.2023.1085513), and everything that compares (left with right, early with late, today with usual)
//! compares blocks. Poor strides and strides in turns are seen and not used; a pause or another activity ends a block.

use super::context::{MetricSet, StrideRecord};
use super::registry::{METRIC_COUNT, METRICS, MetricId as Id};
use super::robust::{Running, median};
use crate::model::{Absent, Activity, DataClass, Measured, SegmentKind, SessionTime, Side};
use serde::{Deserialize, Serialize};

/// Strides of a whole block.
pub const BLOCK_STRIDES: usize = 25;
/// Fewest values for a median, and fewest usable strides for a block that a pause cut short.
const FEWEST: usize = 12;
/// Good strides for high confidence.
const MANY: u32 = 20;
/// A pause this long ends a block, s.
const PAUSE_S: f64 = 3.0;
/// As does a hole of more than two strides between one stride and the next.
const HOLE_STRIDES: f64 = 2.5;
/// Largest standard deviation of speed over its mean in a steady block.
const STEADY: f64 = 0.05;
/// Largest slope of level ground, height per horizontal metre.
pub const LEVEL_GRADE: f64 = 0.02;
/// Above this speed lengths are of low confidence, m/s: −2.5 ± 8.5 % in sprints (de Ruiter 2022, doi 10.3390/s22010376).
const SPRINT: f64 = 6.5;

/// How far the medians of a block can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockConfidence {
    /// Fewer than 12 good strides.
    Low,
    /// 12 or more.
    Medium,
    /// 20 or more of 25, zero from standing, clocks known.
    High,
}

/// Why a block is no evidence for a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotEligible {
    /// Cut short by a pause.
    CutShort,
    /// Not running.
    NotRunning,
    /// Fewer than 12 usable strides: turns, poor data.
    TooFewUsable,
    /// No speed (no foot sensor, or too much clipped).
    NoSpeed,
    /// Speed varied by more than 5 %.
    NotSteady,
    /// Uphill or downhill by more than 2 %.
    NotLevel,
}

/// A block of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockStats {
    /// Side, where known.
    pub side: Option<Side>,
    /// What its strides were seen from.
    pub seen_from: SegmentKind,
    /// What the runner did.
    pub activity: Activity,
    /// Start of its first stride.
    pub start: SessionTime,
    /// End of its last stride.
    pub end: SessionTime,
    /// Strides seen in it: 25, fewer only when a pause cut it short.
    pub seen: u32,
    /// Strides of fair or good quality outside turns.
    pub usable: u32,
    /// Of these, good ones.
    pub good: u32,
    /// Median of each metric over the usable strides; the most frequent reason where fewer than 12 have a value.
    pub medians: MetricSet,
    /// Standard deviation of each metric over the usable strides.
    pub deviations: MetricSet,
    /// How many values each median rests on, in registry order.
    pub counts: [u8; METRIC_COUNT],
    /// Standard deviation of stride speeds over their mean.
    pub speed_variation: Measured,
    /// Median slope, height per horizontal metre, uphill positive.
    pub grade: Measured,
    /// Confidence of the block as a whole; see [`BlockStats::confidence_of`] for one metric.
    pub confidence: BlockConfidence,
}

impl BlockStats {
    /// Confidence in the median of one metric: the block's, with caps. Angles of the pelvis are never above medium (a
    /// sensor on cloth); times of contact neither where the strike is not rear-foot (their correction is known for
    /// rear-foot strike only); what belongs to a side is low where no foot told it; above 6.5 m/s all is low.
    #[must_use]
    pub fn confidence_of(&self, id: Id) -> BlockConfidence {
        use BlockConfidence::{High, Low, Medium};
        let rearfoot = self.medians.value(Id::FootStrikeClass).is_some_and(|c| c > 0.0);
        let sprint = self.medians.value(Id::Speed).is_some_and(|v| v > SPRINT);
        let cap = match id {
            _ if sprint => Low,
            Id::PelvisDrop | Id::PelvisDropFromIc | Id::StepTime if self.seen_from == SegmentKind::Sacrum => Low,
            Id::PelvisTilt
            | Id::PelvisTiltRange
            | Id::PelvisObliquityRange
            | Id::PelvisDrop
            | Id::PelvisDropFromIc
            | Id::PelvisRotationRange => Medium,
            Id::ContactTime
            | Id::FlightTime
            | Id::DutyFactor
            | Id::VerticalStiffness
            | Id::LegStiffness
            | Id::PeakForceModel
            | Id::ComOscillationModel
                if !rearfoot =>
            {
                Medium
            }
            _ => High,
        };
        self.confidence.min(cap)
    }

    /// Whether the block may enter a baseline, a comparison of left with right or a comparison within the run.
    ///
    /// # Errors
    /// The first thing that speaks against it.
    pub fn eligible(&self) -> Result<(), NotEligible> {
        if (self.seen as usize) < BLOCK_STRIDES {
            return Err(NotEligible::CutShort);
        }
        if self.activity != Activity::Running {
            return Err(NotEligible::NotRunning);
        }
        if (self.usable as usize) < FEWEST {
            return Err(NotEligible::TooFewUsable);
        }
        match (self.speed_variation, self.grade) {
            (Err(_), _) | (_, Err(_)) => Err(NotEligible::NoSpeed),
            (Ok(v), _) if v > STEADY => Err(NotEligible::NotSteady),
            (_, Ok(g)) if g.abs() > LEVEL_GRADE => Err(NotEligible::NotLevel),
            _ => Ok(()),
        }
    }
}

/// Slope of one stride, height per horizontal metre; `None` without a foot.
pub(crate) fn grade(record: &StrideRecord) -> Option<f64> {
    let d = record.stride.foot?.displacement.v;
    (d.x > 0.1).then(|| d.z / d.x)
}

/// Strides that count: fair or good, not in a turn.
fn usable(record: &StrideRecord) -> bool {
    record.counts() && !record.stride.flags.turning
}

/// The block in the making of one side.
#[derive(Clone, Debug)]
struct Lane {
    strides: Vec<StrideRecord>,
    values: Vec<f64>,
}

/// Turns stride records into blocks, each side for itself. Nothing is allocated after `default`.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// Left, right, side unknown.
    lanes: [Lane; 3],
}

impl Default for Blocks {
    fn default() -> Self {
        let lane = || Lane {
            strides: Vec::with_capacity(BLOCK_STRIDES),
            values: Vec::with_capacity(BLOCK_STRIDES),
        };
        Self {
            lanes: std::array::from_fn(|_| lane()),
        }
    }
}

impl Blocks {
    /// Takes the next stride; appends a block to `out` when one is full or was ended by this stride coming late or being
    /// of another activity. Records of one side come in order of time.
    pub fn push(&mut self, record: &StrideRecord, out: &mut Vec<BlockStats>) {
        let lane = match record.stride.side {
            Some(Side::Left) => &mut self.lanes[0],
            Some(Side::Right) => &mut self.lanes[1],
            None => &mut self.lanes[2],
        };
        if lane.strides.last().is_some_and(|last| !follows(last, record)) {
            lane.close(out);
        }
        lane.strides.push(record.clone());
        if lane.strides.len() == BLOCK_STRIDES {
            lane.close(out);
        }
    }

    /// The run is over: gives out what is worth it. Calling it again adds nothing.
    pub fn flush(&mut self, out: &mut Vec<BlockStats>) {
        self.lanes.iter_mut().for_each(|lane| lane.close(out));
    }
}

/// Whether `next` continues the block of `last`.
fn follows(last: &StrideRecord, next: &StrideRecord) -> bool {
    let hole = next.stride.start.since(last.stride.end);
    next.stride.activity == last.stride.activity
        && next.stride.seen_from == last.stride.seen_from
        && !next.stride.flags.after_rest
        && hole < PAUSE_S
        && hole < HOLE_STRIDES * last.stride.secs()
}

impl Lane {
    fn close(&mut self, out: &mut Vec<BlockStats>) {
        let used = self.strides.iter().filter(|r| usable(r)).count();
        // A short block without enough strides for any median says nothing. A whole one says that there was too little.
        if self.strides.len() == BLOCK_STRIDES || used >= FEWEST {
            out.extend(self.stats());
        }
        self.strides.clear();
    }

    fn stats(&mut self) -> Option<BlockStats> {
        let (first, last) = (self.strides.first()?, self.strides.last()?);
        let used = || self.strides.iter().filter(|r| usable(r));
        let good = used().filter(|r| r.class == DataClass::A).count() as u32;
        let mut medians = MetricSet::default();
        let mut deviations = MetricSet::default();
        let mut counts = [0_u8; METRIC_COUNT];
        for m in METRICS {
            self.values.clear();
            self.values.extend(used().filter_map(|r| r.metrics.value(m.id)));
            // Few strides, all with a value, give no reason of their own.
            let spoken = reason(used().filter_map(|r| r.metrics.get(m.id).err()));
            let absent = spoken.unwrap_or(Absent::TooFewStrides);
            counts[m.id.index()] = self.values.len() as u8;
            let moments = moments(&self.values);
            let enough = self.values.len() >= FEWEST;
            let median = if enough { median(&mut self.values) } else { None };
            medians.set(m.id, median.ok_or(absent));
            let deviation = moments.variance().filter(|_| enough).map(f64::sqrt);
            deviations.set(m.id, deviation.ok_or(absent));
        }
        let speed_variation = medians
            .get(Id::Speed)
            .and_then(|v| deviations.get(Id::Speed).map(|s| s / v.max(0.1)));
        self.values.clear();
        self.values.extend(used().filter_map(grade));
        let grade = if self.values.len() >= FEWEST {
            median(&mut self.values).ok_or(Absent::NoSensor)
        } else {
            Err(medians.get(Id::Speed).err().unwrap_or(Absent::TooFewStrides))
        };
        let zeroed = 2 * used().filter(|r| !r.stride.flags.approximate_zero).count() > used().count();
        let clocked = !used().any(|r| r.metrics.iter().any(|(_, v)| v == Err(Absent::NotSynchronised)));
        Some(BlockStats {
            side: first.stride.side,
            seen_from: first.stride.seen_from,
            activity: first.stride.activity,
            start: first.stride.start,
            end: last.stride.end,
            seen: self.strides.len() as u32,
            usable: used().count() as u32,
            good,
            medians,
            deviations,
            counts,
            speed_variation,
            grade,
            confidence: if good >= MANY && zeroed && clocked {
                BlockConfidence::High
            } else if good >= FEWEST as u32 {
                BlockConfidence::Medium
            } else {
                BlockConfidence::Low
            },
        })
    }
}

fn moments(values: &[f64]) -> Running {
    let mut r = Running::default();
    values.iter().for_each(|v| r.push(*v));
    r
}

/// The most frequent reason, the first one of equals; `None` when nobody gave one.
fn reason(reasons: impl Iterator<Item = Absent>) -> Option<Absent> {
    let mut seen: [Option<(Absent, u32)>; 12] = [None; 12];
    for r in reasons {
        if let Some(slot) = seen.iter_mut().find(|s| s.is_none_or(|(a, _)| a == r)) {
            *slot = Some((r, slot.map_or(0, |(_, n)| n) + 1));
        }
    }
    // `max_by_key` takes the last of equals: go backwards.
    seen.into_iter().flatten().rev().max_by_key(|(_, n)| *n).map(|(a, _)| a)
}

#[cfg(test)]
mod tests {
    use super::super::example_stride::{STRIDE_S, record, stride};
    use super::*;
    use crate::model::units::rad;

    /// `n` strides in a row from `ic`, each changed by `change(k, stride)`.
    fn run(blocks: &mut Blocks, ic: f64, n: usize, change: impl Fn(usize, &mut StrideRecord)) -> Vec<BlockStats> {
        let mut out = Vec::new();
        for k in 0..n {
            let mut r = record(stride(ic + k as f64 * STRIDE_S));
            change(k, &mut r);
            r.class = DataClass::of(r.stride.quality.product());
            blocks.push(&r, &mut out);
        }
        out
    }

    #[test]
    fn twenty_five_strides_make_a_block_of_medians() {
        let got = run(&mut Blocks::default(), 10.0, 60, |k, r| {
            // One wild stride does not move the median; the rest is an arithmetic series.
            let t = if k % 25 == 7 {
                9.0
            } else {
                0.200 + 0.001 * (k % 25) as f64
            };
            r.metrics.set(Id::ContactTime, Ok(t));
        });
        assert_eq!(got.len(), 2);
        let b = &got[0];
        assert_eq!((b.seen, b.usable, b.good, b.side), (25, 25, 25, Some(Side::Left)));
        assert!((b.medians.value(Id::ContactTime).expect("median") - 0.213).abs() < 1e-12);
        assert_eq!(b.medians.get(Id::PelvisTilt), Err(Absent::NoSensor));
        assert_eq!(b.counts[Id::ContactTime.index()], 25);
        assert_eq!(b.confidence, BlockConfidence::High);
        assert_eq!(b.eligible(), Ok(()));
        assert!((b.end.since(b.start) - 25.0 * STRIDE_S).abs() < 1e-6);
        assert_eq!(got[1].start, b.end);
    }

    #[test]
    fn poor_and_turning_strides_are_seen_and_not_used() {
        let got = run(&mut Blocks::default(), 0.0, 25, |k, r| {
            r.stride.flags.turning = k < 6;
            if k >= 18 {
                r.stride.quality.innovation = 0.2;
                r.metrics.set(Id::ContactTime, Ok(99.0));
            }
        });
        let b = &got[0];
        assert_eq!((b.seen, b.usable, b.good), (25, 12, 12));
        assert!(b.medians.value(Id::ContactTime).expect("twelve values") < 1.0);
        assert_eq!(b.confidence, BlockConfidence::Medium);
        let fewer = run(&mut Blocks::default(), 0.0, 25, |k, r| r.stride.flags.turning = k < 14);
        assert_eq!(fewer[0].eligible(), Err(NotEligible::TooFewUsable));
        assert_eq!(fewer[0].medians.get(Id::ContactTime), Err(Absent::TooFewStrides));
        assert_eq!(fewer[0].confidence, BlockConfidence::Low);
    }

    #[test]
    fn confidence_is_high_only_with_zero_and_clocks() {
        let zero = run(&mut Blocks::default(), 0.0, 25, |_, r| {
            r.stride.flags.approximate_zero = true
        });
        assert_eq!(zero[0].confidence, BlockConfidence::Medium);
        let clocks = run(&mut Blocks::default(), 0.0, 25, |_, r| {
            r.metrics.set(Id::FlightTime, Err(Absent::NotSynchronised));
        });
        assert_eq!(clocks[0].confidence, BlockConfidence::Medium);
        assert_eq!(clocks[0].medians.get(Id::FlightTime), Err(Absent::NotSynchronised));
    }

    #[test]
    fn caps_hold() {
        let b = &run(&mut Blocks::default(), 0.0, 25, |_, r| {
            r.metrics.set(Id::FootStrikeClass, Ok(1.0))
        })[0];
        assert_eq!(b.confidence_of(Id::ContactTime), BlockConfidence::High);
        assert_eq!(b.confidence_of(Id::PelvisTilt), BlockConfidence::Medium);
        let fore = &run(&mut Blocks::default(), 0.0, 25, |_, r| {
            r.metrics.set(Id::FootStrikeClass, Ok(-1.0))
        })[0];
        assert_eq!(fore.confidence_of(Id::ContactTime), BlockConfidence::Medium);
        assert_eq!(fore.confidence_of(Id::StrideLength), BlockConfidence::High);
        let pelvis = &run(&mut Blocks::default(), 0.0, 25, |_, r| {
            r.stride.seen_from = SegmentKind::Sacrum
        })[0];
        assert_eq!(pelvis.confidence_of(Id::PelvisDrop), BlockConfidence::Low);
        let sprint = &run(&mut Blocks::default(), 0.0, 25, |_, r| {
            r.metrics.set(Id::Speed, Ok(7.0))
        })[0];
        assert_eq!(sprint.confidence_of(Id::StrideLength), BlockConfidence::Low);
    }

    #[test]
    fn pauses_holes_and_another_activity_end_a_block() {
        let mut blocks = Blocks::default();
        assert!(run(&mut blocks, 0.0, 14, |_, _| ()).is_empty());
        // Four seconds later: the fourteen are given out, cut short and not eligible.
        let cut = run(&mut blocks, 14.0 * STRIDE_S + 4.0, 1, |_, _| ());
        assert_eq!((cut[0].seen, cut[0].eligible()), (14, Err(NotEligible::CutShort)));
        // Walking after one running stride: nothing worth a block.
        let walk = run(&mut blocks, 15.0 * STRIDE_S + 4.0, 25, |_, r| {
            r.stride.activity = Activity::Walking
        });
        assert_eq!((walk.len(), walk[0].eligible()), (1, Err(NotEligible::NotRunning)));
        let mut rest = Vec::new();
        run(&mut blocks, 100.0, 13, |_, _| ());
        blocks.flush(&mut rest);
        blocks.flush(&mut rest);
        assert_eq!(rest.len(), 1);
        // Two strides missing are a pause in the data, not in the run; three are too many.
        let mut holes = Blocks::default();
        let gap = |k: usize, strides: f64| if k < 13 { 0.0 } else { strides * STRIDE_S };
        for (strides, blocks_out) in [(2.0, 0), (3.0, 1)] {
            let mut out = Vec::new();
            for k in 0..14 {
                holes.push(&record(stride(k as f64 * STRIDE_S + gap(k, strides))), &mut out);
            }
            assert_eq!(out.len(), blocks_out, "{strides}");
            holes = Blocks::default();
        }
    }

    #[test]
    fn changing_speed_and_hills_are_no_evidence() {
        let faster = run(&mut Blocks::default(), 0.0, 25, |k, r| {
            r.metrics.set(Id::Speed, Ok(3.0 + 0.04 * k as f64))
        });
        assert_eq!(faster[0].eligible(), Err(NotEligible::NotSteady));
        let hill = run(&mut Blocks::default(), 0.0, 25, |_, r| {
            if let Some(foot) = &mut r.stride.foot {
                foot.displacement.v.z = 0.03 * foot.displacement.v.x;
            }
        });
        assert!((hill[0].grade.expect("slope") - 0.03).abs() < 1e-12);
        assert_eq!(hill[0].eligible(), Err(NotEligible::NotLevel));
        let lost = run(&mut Blocks::default(), 0.0, 25, |_, r| {
            r.metrics.set(Id::Speed, Err(Absent::Clipped))
        });
        assert_eq!(lost[0].eligible(), Err(NotEligible::NoSpeed));
        assert_eq!(lost[0].speed_variation, Err(Absent::Clipped));
    }

    #[test]
    fn the_reason_given_is_the_most_frequent_one() {
        use Absent::{Clipped, Gap};
        assert_eq!(reason([Gap, Clipped, Clipped].into_iter()), Some(Clipped));
        assert_eq!(reason([Gap, Clipped].into_iter()), Some(Gap));
        assert_eq!(reason([].into_iter()), None);
        let few = run(&mut Blocks::default(), 0.0, 25, |k, r| {
            r.metrics
                .set(Id::FootStrikeAngle, if k < 11 { Ok(rad(9.0)) } else { Err(Gap) });
        });
        assert_eq!(few[0].medians.get(Id::FootStrikeAngle), Err(Gap));
    }
}
