//! The windows of one run: 25-stride medians of each side, and which of them may be compared.
//!
//! A run is judged by its level, steady windows after the first five minutes. What the rest of the run tells is its
//! distance, and how fast it began.

use crate::metrics::aggregate::{BlockStats, Blocks, NotEligible};
use crate::metrics::course::Course;
use crate::metrics::foot::KNOWN_LENGTHS;
use crate::metrics::{MetricId as Id, StrideRecord};
use crate::model::{Activity, SessionTime, Side};

/// What is left out at the begin of a run, s (`skip_first_minutes` of the rule file).
pub const SKIPPED_S: f64 = 300.0;
/// Grade below which a window counts as steep downhill (`downhill_km` of the rule file).
const STEEP_DOWN: f64 = -0.05;

/// A window that may be compared.
#[derive(Clone, Debug)]
pub struct Window {
    /// Middle of it, seconds since the run began.
    pub t_s: f64,
    /// Begin and end, seconds since the run began.
    pub span_s: (f64, f64),
    /// Its medians, with side, speed and grade.
    pub stats: BlockStats,
}

/// The windows of one run.
#[derive(Clone, Debug, Default)]
pub struct RunWindows {
    /// Level, steady windows after the first five minutes, in order of ends.
    pub windows: Vec<Window>,
    /// All blocks of the run as a course, for changes within it.
    pub course: Course,
    /// Windows after the first five minutes that may not be compared, by reason.
    pub refused: Vec<(NotEligible, u32)>,
    /// From the begin of running to the end of the last stride, s.
    pub run_s: f64,
    /// From the first stride to the last of any activity, s.
    pub moving_s: f64,
    /// Strides, and those of class A and B.
    pub strides: u32,
    /// See `strides`.
    pub usable: u32,
    /// Distance by the feet, m.
    pub distance_m: Option<f64>,
    /// Distance in windows steeper down than 5 %, m; `None` where no window knows its grade.
    pub downhill_m: Option<f64>,
    /// Median speed of the first five minutes of running over that of the rest.
    pub first5_speed_ratio: Option<f64>,
    /// Median speed of all running strides, m/s.
    pub speed_ms: Option<f64>,
    /// Median cadence of all running strides, steps a minute.
    pub cadence_spm: Option<f64>,
}

/// Lengths of one side added up.
#[derive(Clone, Copy, Debug, Default)]
struct Path {
    known_m: f64,
    known_s: f64,
    all_s: f64,
}

/// Takes the strides of one session in order of time.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    blocks: Blocks,
    waiting: Vec<BlockStats>,
    run: RunWindows,
    began: Option<SessionTime>,
    first: Option<SessionTime>,
    last: Option<SessionTime>,
    paths: [Path; 3],
    early: Vec<f64>,
    later: Vec<f64>,
    cadences: Vec<f64>,
    downhill: [Option<f64>; 3],
}

fn lane(side: Option<Side>) -> usize {
    match side {
        Some(Side::Left) => 0,
        Some(Side::Right) => 1,
        None => 2,
    }
}

impl Collector {
    /// The next stride.
    pub fn push(&mut self, record: &StrideRecord) {
        let stride = &record.stride;
        self.first.get_or_insert(stride.start);
        self.last = Some(self.last.map_or(stride.end, |l| l.max(stride.end)));
        self.run.strides += 1;
        self.run.usable += u32::from(record.counts());
        let path = &mut self.paths[lane(stride.side)];
        path.all_s += stride.secs();
        // Whoever marks a stride as bad says that its numbers are wrong, not that no step was made.
        let believed = !stride.flags.marked_bad;
        if let Some(length) = record.metrics.value(Id::StrideLength).filter(|_| believed) {
            path.known_m += length;
            path.known_s += stride.secs();
        }
        if stride.activity == Activity::Running {
            let began = *self.began.get_or_insert(stride.start);
            if let Some(speed) = record.metrics.value(Id::Speed).filter(|_| believed) {
                let part = if stride.start.since(began) < SKIPPED_S {
                    &mut self.early
                } else {
                    &mut self.later
                };
                part.push(speed);
            }
            self.cadences
                .extend(record.metrics.value(Id::Cadence).filter(|_| believed));
        }
        self.blocks.push(record, &mut self.waiting);
        self.settle();
    }

    /// The run is over.
    #[must_use]
    pub fn finish(mut self) -> RunWindows {
        self.blocks.flush(&mut self.waiting);
        self.settle();
        let Some((first, last)) = self.first.zip(self.last) else {
            return self.run;
        };
        let mut run = self.run;
        run.moving_s = last.since(first);
        run.run_s = self.began.map_or(0.0, |began| last.since(began));
        run.distance_m = distance(&self.paths);
        let known: Vec<f64> = self.downhill.into_iter().flatten().collect();
        run.downhill_m = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        run.first5_speed_ratio = match (median(&self.early), median(&self.later)) {
            (Some(early), Some(later)) if later > 0.0 => Some(early / later),
            _ => None,
        };
        run.cadence_spm = median(&self.cadences);
        self.early.append(&mut self.later);
        run.speed_ms = median(&self.early);
        run.windows.sort_by(|a, b| a.span_s.1.total_cmp(&b.span_s.1));
        run
    }

    fn settle(&mut self) {
        for block in std::mem::take(&mut self.waiting) {
            let Some(began) = self.began.filter(|b| block.start >= *b) else {
                continue;
            };
            self.run.course.push(&block);
            if let (Ok(grade), Some(length)) = (block.grade, block.medians.value(Id::StrideLength)) {
                let sum = self.downhill[lane(block.side)].get_or_insert(0.0);
                if grade < STEEP_DOWN {
                    *sum += length * f64::from(block.seen);
                }
            }
            let span_s = (block.start.since(began), block.end.since(began));
            if span_s.0 < SKIPPED_S {
                continue;
            }
            match block.eligible() {
                Ok(()) => self.run.windows.push(Window {
                    t_s: 0.5 * (span_s.0 + span_s.1),
                    span_s,
                    stats: block,
                }),
                Err(why) => match self.run.refused.iter_mut().find(|(w, _)| *w == why) {
                    Some((_, n)) => *n += 1,
                    None => self.run.refused.push((why, 1)),
                },
            }
        }
    }
}

/// The mean of the sides that know enough of their lengths; what they do not know goes at their mean speed.
fn distance(paths: &[Path; 3]) -> Option<f64> {
    let told: Vec<f64> = paths
        .iter()
        .filter(|p| p.all_s > 0.0 && p.known_s >= KNOWN_LENGTHS * p.all_s)
        .map(|p| p.known_m * p.all_s / p.known_s)
        .collect();
    (!told.is_empty()).then(|| told.iter().sum::<f64>() / told.len() as f64)
}

/// Median; `None` of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    crate::store::summary::quantile(&sorted, 0.5)
}

impl RunWindows {
    /// Windows as flags count them: those of the side that has more, because both feet cover the same seconds.
    #[must_use]
    pub fn count(&self) -> u32 {
        let of = |side| self.windows.iter().filter(|w| lane(w.stats.side) == side).count();
        (0..3).map(of).max().unwrap_or(0) as u32
    }

    /// The medians of one metric in the windows of one side, or of all.
    pub fn values(&self, metric: Id, side: Option<Side>) -> impl Iterator<Item = f64> + '_ {
        self.windows
            .iter()
            .filter(move |w| side.is_none() || w.stats.side == side)
            .filter_map(move |w| w.stats.medians.value(metric))
    }

    /// Pairs of a left and a right window of the same time.
    pub fn pairs(&self) -> impl Iterator<Item = (&BlockStats, &BlockStats)> {
        let right = |w: &&Window| w.stats.side == Some(Side::Right);
        self.windows
            .iter()
            .filter(|w| w.stats.side == Some(Side::Left))
            .filter_map(move |l| {
                let overlap = |r: &&Window| l.span_s.1.min(r.span_s.1) - l.span_s.0.max(r.span_s.0);
                let best = self
                    .windows
                    .iter()
                    .filter(right)
                    .max_by(|a, b| overlap(a).total_cmp(&overlap(b)))?;
                (overlap(&best) >= 0.5 * (l.span_s.1 - l.span_s.0)).then_some((&l.stats, &best.stats))
            })
    }
}

/// Why a window may not be compared, in words.
#[must_use]
pub fn refused_words(why: NotEligible) -> &'static str {
    match why {
        NotEligible::CutShort => "cut short by a pause",
        NotEligible::NotRunning => "not running",
        NotEligible::TooFewUsable => "too few good strides",
        NotEligible::NoSpeed => "speed not known",
        NotEligible::NotSteady => "speed varied by more than 5 %",
        NotEligible::NotLevel => "up or down by more than 2 %",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::metrics::MetricSet;
    use crate::model::DataClass;
    use crate::model::units::rad;
    use crate::model::{Absent, Contact, FootMotion, QualityParts, SegmentKind, Stride, StrideFlags, Vec3};

    /// Duration of the example stride, s.
    pub(in crate::review) const STRIDE_S: f64 = 0.72;

    /// Stride `n` of a side at `speed`, left and right half a stride apart, with two feet and a waist sensor.
    pub(in crate::review) fn stride(n: u32, side: Side, speed: f64) -> StrideRecord {
        let shift = if side == Side::Left { 0.0 } else { STRIDE_S / 2.0 };
        let at = |s: f64| SessionTime::from_secs(f64::from(n) * STRIDE_S + shift + s);
        let mut metrics = MetricSet::default();
        for (id, value) in [
            (Id::StrideTime, STRIDE_S),
            (Id::Cadence, 120.0 / STRIDE_S),
            (Id::ContactTime, if side == Side::Left { 0.250 } else { 0.240 }),
            (Id::StrideLength, speed * STRIDE_S),
            (Id::Speed, speed),
            (Id::OverstrideDistance, 0.30),
            (Id::BrakingPeak, -4.0),
            (Id::PelvisTilt, rad(5.0)),
            (Id::PelvisTiltRange, rad(6.0)),
            (Id::PelvisDrop, rad(if side == Side::Left { 4.0 } else { 5.0 })),
            (Id::MlRmsRatio, 0.3),
            (Id::StepRegularityAp, 0.8),
            (Id::SacralPeakAcc, 3.5 * 9.80665),
        ] {
            metrics.set(id, Ok(value));
        }
        metrics.set(Id::ShankAngleIc, Err(Absent::NoSensor));
        StrideRecord {
            index: n,
            stride: Stride {
                side: Some(side),
                seen_from: SegmentKind::Foot,
                start: at(0.0),
                end: at(STRIDE_S),
                contact: Some(Contact {
                    ic: at(-0.1),
                    m: at(0.0),
                    tc: at(0.14),
                }),
                next_ic: Some(at(STRIDE_S - 0.1)),
                foot: Some(FootMotion {
                    displacement: Vec3::new(speed * STRIDE_S, 0.0, 0.0),
                    length_sigma_m: 0.01,
                    pitch_ic_rad: Some(rad(12.0)),
                    touchdown_speed: None,
                    inversion_range_rad: None,
                    toe_out_rad: None,
                    heading_rad: 0.0,
                    acc_clipped_share: 0.0,
                    gyro_clipped_share: 0.0,
                    impact_peak: None,
                    chi2: 4.0,
                    linear_difference: 0.01,
                    free_slope: 0.0,
                }),
                activity: Activity::Running,
                flags: StrideFlags::default(),
                quality: QualityParts::FULL,
            },
            metrics,
            class: DataClass::A,
        }
    }

    /// A run of `minutes` at `speed`, each stride changed by `change(seconds since the begin, stride)`.
    pub(in crate::review) fn run(
        minutes: f64,
        speed: f64,
        change: impl Fn(f64, &mut StrideRecord),
    ) -> Vec<StrideRecord> {
        let n = (minutes * 60.0 / STRIDE_S) as u32;
        let mut all = Vec::new();
        for k in 0..n {
            for side in [Side::Left, Side::Right] {
                let mut r = stride(k, side, speed);
                change(f64::from(k) * STRIDE_S, &mut r);
                r.class = DataClass::of(r.stride.quality.product());
                all.push(r);
            }
        }
        all
    }

    pub(in crate::review) fn collect(strides: &[StrideRecord]) -> RunWindows {
        let mut c = Collector::default();
        strides.iter().for_each(|s| c.push(s));
        c.finish()
    }

    #[test]
    fn the_first_five_minutes_are_left_out_and_both_feet_count_once() {
        let got = collect(&run(20.0, 3.0, |_, _| ()));
        // 15 minutes of 25 strides of 0.72 s are 50 windows, less the one that straddles the fifth minute.
        assert!((49..=50).contains(&got.count()), "{}", got.count());
        assert_eq!(got.windows.len() as u32, 2 * got.count());
        assert!(got.windows.iter().all(|w| w.span_s.0 >= SKIPPED_S));
        let km = got.distance_m.expect("lengths") / 1000.0;
        assert!((km - 3.6).abs() < 0.01, "{km}");
        assert_eq!(got.downhill_m, Some(0.0));
        assert!((got.first5_speed_ratio.expect("both parts") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn hills_are_counted_and_not_compared() {
        let got = collect(&run(20.0, 3.0, |t, r| {
            if (600.0..900.0).contains(&t)
                && let Some(foot) = &mut r.stride.foot
            {
                foot.displacement.v.z = -0.08 * foot.displacement.v.x;
            }
        }));
        let down = got.downhill_m.expect("grade");
        assert!((down - 900.0).abs() < 60.0, "{down}");
        let level = got
            .refused
            .iter()
            .find(|(w, _)| *w == NotEligible::NotLevel)
            .expect("hills");
        assert!((30..=36).contains(&level.1), "{}", level.1);
    }

    #[test]
    fn a_slow_start_is_told_and_a_lost_foot_does_not_shorten_the_run() {
        let got = collect(&run(15.0, 3.0, |t, r| {
            if t < 300.0 {
                r.metrics.set(Id::Speed, Ok(2.7));
            }
            if r.stride.side == Some(Side::Right) && t > 600.0 {
                r.metrics.set(Id::StrideLength, Err(Absent::Clipped));
            }
        }));
        assert!((got.first5_speed_ratio.expect("ratio") - 0.9).abs() < 1e-9);
        // The right side knows two thirds of its lengths only: the left one tells the distance.
        assert!((got.distance_m.expect("left") - 2700.0).abs() < 3.0);
    }

    #[test]
    fn left_and_right_windows_are_paired_in_time() {
        let got = collect(&run(12.0, 3.0, |_, _| ()));
        let pairs: Vec<_> = got.pairs().collect();
        assert_eq!(pairs.len() as u32, got.count());
        assert!(pairs.iter().all(|(l, r)| r.start.since(l.start).abs() < STRIDE_S));
    }
}
