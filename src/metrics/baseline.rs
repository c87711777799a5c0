//! What is usual for this runner: a frozen reference of the first runs, and how a run compares with it.
//!
//! Two pictures are kept for each series. The *reference* is learned from the first five to eight good runs and then does
//! not move, or slow drift would vanish into it; rules look at this one. The *rolling* picture goes on learning and is
//! drawn beside it. A run is compared with what was known before it and joins afterwards.
//!
//! State is plain values, to be stored and read back. Days are counted by the caller: the core knows no calendar.

use super::course::{BlockPoint, Channel, Course};
use super::robust::{median, spread};
use super::speed_model::{SpeedModel, Unknown};
use serde::{Deserialize, Serialize};

/// Blocks begin to count after this, s: warming up changes gait.
pub const WARM_UP_S: f64 = 180.0;
/// Blocks of a run that make it count.
pub const FEWEST_BLOCKS: usize = 10;
/// Runs before anything is compared, and at which the reference is complete.
pub const FEWEST_RUNS: usize = 5;
/// See [`FEWEST_RUNS`].
pub const MOST_RUNS: usize = 8;
/// With at least the fewest runs, the reference is complete after so many days too.
const REFERENCE_DAYS: i32 = 42;
/// Length of the rolling mean, days.
const ROLLING_DAYS: i32 = 42;
/// Runs held for it; more than two a day for six weeks.
const ROLLING_RUNS: usize = 96;
/// A change counts when larger than this many spreads of the reference runs.
const SPREADS: f64 = 2.0;

/// Whether a run may change the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunUse {
    /// It is compared, and then learned.
    CompareAndLearn,
    /// It is compared only: pain before or during it, a borrowed sensor.
    CompareOnly,
}

/// Why a run is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCompared {
    /// The reference has too few runs yet.
    Learning {
        /// Runs so far, of [`FEWEST_RUNS`].
        runs: u32,
    },
    /// Fewer than ten steady, level blocks at speeds known from the reference.
    TooFewBlocks {
        /// Blocks at known speeds.
        known: u32,
        /// Blocks in all.
        of: u32,
    },
}

/// How a run differs from the reference, at its own speeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Median over the blocks of value less usual value, in the unit of the metric.
    pub change: f64,
    /// The usual value at the run's middle speed.
    pub usual: f64,
    /// Standard deviation by which an ordinary new run differs, from the reference runs.
    pub spread: f64,
    /// Blocks it rests on.
    pub blocks: u32,
}

impl Change {
    /// The change as a share of the usual value; `None` where that is zero.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.usual != 0.0).then(|| self.change / self.usual.abs())
    }

    /// The smallest change that may be spoken of, given the size of a table: never below twice the runner's own spread.
    #[must_use]
    pub fn threshold(&self, table: f64) -> f64 {
        table.max(SPREADS * self.spread)
    }
}

/// Summary of a run that the reference holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct RunPoint {
    day: i32,
    speed: f64,
    grade: f64,
    value: f64,
}

/// The baseline of one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricBaseline {
    reference: SpeedModel,
    runs: Vec<RunPoint>,
    frozen: bool,
    rolling: SpeedModel,
    /// Day and change of the last runs.
    recent: Vec<(i32, f64)>,
}

impl MetricBaseline {
    /// Compares a run with the reference as it stands.
    ///
    /// # Errors
    /// See [`NotCompared`].
    pub fn compare(&self, points: &[BlockPoint]) -> Result<Change, NotCompared> {
        let learning = NotCompared::Learning {
            runs: self.runs.len() as u32,
        };
        if self.runs.len() < FEWEST_RUNS {
            return Err(learning);
        }
        let model = self.reference.solve().map_err(|_| learning)?;
        let mut speeds = Vec::with_capacity(points.len());
        let mut residuals = Vec::with_capacity(points.len());
        for p in points {
            if let Ok(usual) = model.at(p.speed, p.grade) {
                speeds.push(p.speed);
                residuals.push(p.value - usual.value);
            }
        }
        let too_few = NotCompared::TooFewBlocks {
            known: residuals.len() as u32,
            of: points.len() as u32,
        };
        if residuals.len() < FEWEST_BLOCKS {
            return Err(too_few);
        }
        let (Some(change), Some(speed)) = (median(&mut residuals), median(&mut speeds)) else {
            return Err(too_few);
        };
        let mut of_runs: Vec<f64> = self
            .runs
            .iter()
            .filter_map(|r| model.at(r.speed, r.grade).ok().map(|u| r.value - u.value))
            .collect();
        Ok(Change {
            change,
            // Between two seen speeds, so it is seen itself.
            usual: model.at(speed, 0.0).map_err(|_| too_few)?.value,
            spread: of_a_new_run(&mut of_runs, model.terms()),
            blocks: residuals.len() as u32,
        })
    }

    /// Takes a run of `day` into the reference (while it is not complete) and into the rolling picture. A run with fewer
    /// than ten blocks is passed over.
    pub fn learn(&mut self, day: i32, points: &[BlockPoint]) {
        if points.len() < FEWEST_BLOCKS {
            return;
        }
        if let Ok(c) = self.compare(points) {
            self.recent.retain(|(d, _)| *d > day - ROLLING_DAYS);
            if self.recent.len() == ROLLING_RUNS {
                self.recent.remove(0);
            }
            self.recent.push((day, c.change));
        }
        let over = self.runs.first().is_some_and(|r| day - r.day >= REFERENCE_DAYS);
        self.frozen |= self.runs.len() >= MOST_RUNS || (self.runs.len() >= FEWEST_RUNS && over);
        for p in points {
            self.rolling.learn(p.speed, p.grade, p.value);
            if !self.frozen {
                self.reference.learn(p.speed, p.grade, p.value);
            }
        }
        if !self.frozen {
            let middle = |value: fn(&BlockPoint) -> f64| median(&mut points.iter().map(value).collect::<Vec<_>>());
            if let (Some(speed), Some(grade), Some(value)) =
                (middle(|p| p.speed), middle(|p| p.grade), middle(|p| p.value))
            {
                self.runs.push(RunPoint {
                    day,
                    speed,
                    grade,
                    value,
                });
            }
        }
    }

    /// Mean change of the runs of the last 42 days up to and with `day`.
    #[must_use]
    pub fn rolling_change(&self, day: i32) -> Option<f64> {
        let (mut sum, mut n) = (0.0, 0.0);
        for (_, change) in self.recent.iter().filter(|(d, _)| *d > day - ROLLING_DAYS && *d <= day) {
            sum += change;
            n += 1.0;
        }
        (n > 0.0).then(|| sum / n)
    }

    /// What is usual lately at a speed (m/s), level; goes on learning.
    ///
    /// # Errors
    /// See [`Unknown`].
    pub fn lately(&self, speed: f64) -> Result<f64, Unknown> {
        self.rolling.solve()?.at(speed, 0.0).map(|u| u.value)
    }

    /// Runs of the reference, and whether it is complete and no longer moves.
    #[must_use]
    pub fn reference_runs(&self) -> (usize, ReferenceState) {
        let complete = self.frozen || self.runs.len() >= MOST_RUNS;
        let state = match self.runs.len() {
            _ if complete => ReferenceState::Frozen,
            n if n >= FEWEST_RUNS => ReferenceState::Usable,
            _ => ReferenceState::Learning,
        };
        (self.runs.len(), state)
    }

    /// The pictures to correct a run's own blocks for speed by: the reference, once it is usable.
    pub(crate) fn model(&self) -> Option<&SpeedModel> {
        (self.runs.len() >= FEWEST_RUNS).then_some(&self.reference)
    }
}

/// Standard deviation of a new run about the reference, from the residuals of its `n` runs: 1.4826 × MAD, less its lack at
/// small n (Croux and Rousseeuw 1992, *Time-efficient algorithms for two highly robust estimators of scale*), less what the
/// `terms` of the model took away, and with what the model itself is unsure of. Without these three, 26 % of ordinary runs
/// passed twice the spread in simulation; with them, 9 %.
fn of_a_new_run(residuals: &mut [f64], terms: usize) -> f64 {
    let n = residuals.len();
    let lack = match n {
        0..=5 => 1.206,
        6 => 1.200,
        7 => 1.140,
        8 => 1.129,
        _ => n as f64 / (n as f64 - 0.8),
    };
    let (n, p) = (n as f64, terms.min(n.saturating_sub(1)) as f64);
    let bare = spread(residuals).unwrap_or(0.0);
    bare * lack * (n / (n - p).max(1.0)).sqrt() * (1.0 + p / n.max(1.0)).sqrt()
}

/// How far the reference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceState {
    /// Fewer than five runs.
    Learning,
    /// Compared with, and still learning.
    Usable,
    /// Complete.
    Frozen,
}

/// All baselines of a runner.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// In the order of channels. A list of pairs, because keys of JSON maps are texts.
    series: Vec<(Channel, MetricBaseline)>,
}

impl Baselines {
    /// Compares each series of a run, after its warm-up, and learns from it where that is allowed.
    pub fn take_run(&mut self, day: i32, course: &Course, run: RunUse) -> Vec<(Channel, Result<Change, NotCompared>)> {
        let mut compared = Vec::new();
        for channel in course.channels() {
            let points = course.between(channel, WARM_UP_S, f64::INFINITY);
            let at = match self.series.binary_search_by_key(&channel, |s| s.0) {
                Ok(at) => at,
                Err(at) => {
                    self.series.insert(at, (channel, MetricBaseline::default()));
                    at
                }
            };
            let baseline = &mut self.series[at].1;
            compared.push((channel, baseline.compare(points)));
            if run == RunUse::CompareAndLearn {
                baseline.learn(day, points);
            }
        }
        compared
    }

    /// The baseline of a series.
    #[must_use]
    pub fn get(&self, channel: Channel) -> Option<&MetricBaseline> {
        let at = self.series.binary_search_by_key(&channel, |s| s.0).ok()?;
        Some(&self.series[at].1)
    }

    /// Starts all references anew: a new mount or sensor, a break, a wanted change of form. Asked for by a person only.
    pub fn restart(&mut self) {
        self.series.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::Chance;
    use super::super::course::example::{BLOCK_S, block};
    use super::super::registry::MetricId as Id;
    use super::*;
    use crate::model::Side;

    const CONTACT: Channel = Channel {
        metric: Id::ContactTime,
        side: Some(Side::Left),
    };

    /// Contact time of this runner, s: falls with speed.
    fn contact(speed: f64) -> f64 {
        0.250 - 0.03 * (speed - 3.0)
    }

    /// A run of 40 minutes at about `speed`: blocks scatter by 2 %, the whole run by 1 %, plus `change` seconds.
    fn course(seed: u64, speed: f64, change: f64) -> Course {
        let mut chance = Chance::new(seed);
        let of_run = 0.0025 * chance.normal();
        let mut course = Course::default();
        for k in 0..137 {
            let v = speed + 0.15 * chance.normal();
            let value = contact(v) + of_run + 0.005 * chance.normal() + change;
            course.push(&block(
                f64::from(k) * BLOCK_S,
                Some(Side::Left),
                v,
                &[(Id::ContactTime, value)],
            ));
        }
        course
    }

    fn usual(runs: u64) -> Baselines {
        let mut b = Baselines::default();
        for r in 0..runs {
            let speed = [2.8, 3.1, 3.4, 3.0, 3.6][r as usize % 5];
            b.take_run(3 * r as i32, &course(r, speed, 0.0), RunUse::CompareAndLearn);
        }
        b
    }

    fn compared(b: &mut Baselines, course: &Course) -> Result<Change, NotCompared> {
        let all = b.take_run(60, course, RunUse::CompareOnly);
        assert_eq!(all[0].0, CONTACT);
        all[0].1
    }

    #[test]
    fn compares_from_the_fifth_run_on_and_freezes_at_eight() {
        let mut four = usual(4);
        let now = compared(&mut four, &course(99, 3.0, 0.0));
        assert_eq!(now, Err(NotCompared::Learning { runs: 4 }));
        let five = usual(5);
        assert_eq!(
            five.get(CONTACT).expect("seen").reference_runs(),
            (5, ReferenceState::Usable)
        );
        let eight = usual(8);
        assert_eq!(
            eight.get(CONTACT).expect("seen").reference_runs(),
            (8, ReferenceState::Frozen)
        );
        let more = usual(20);
        let (a, b) = (eight.get(CONTACT).expect("seen"), more.get(CONTACT).expect("seen"));
        assert_eq!(a.reference, b.reference);
        assert!(b.rolling.blocks() > a.rolling.blocks());
    }

    #[test]
    fn six_weeks_make_a_reference_of_five_complete() {
        let mut b = usual(6);
        b.take_run(50, &course(7, 3.0, 0.0), RunUse::CompareAndLearn);
        assert_eq!(
            b.get(CONTACT).expect("seen").reference_runs(),
            (6, ReferenceState::Frozen)
        );
    }

    #[test]
    fn another_speed_is_no_change_and_a_change_is_one_at_any_speed() {
        let mut b = usual(8);
        for (seed, speed) in [(50, 2.75), (51, 3.2), (52, 3.65)] {
            let same = compared(&mut b, &course(seed, speed, 0.0)).expect("known speed");
            assert!(same.change.abs() < 0.008, "{speed}: {same:?}");
            let longer = compared(&mut b, &course(seed, speed, 0.020)).expect("known speed");
            assert!((longer.change - same.change - 0.020).abs() < 1e-9);
            assert!((longer.usual - contact(speed)).abs() < 0.006);
            assert!((longer.share().expect("not zero") - longer.change / longer.usual).abs() < 1e-12);
        }
        let strange = compared(&mut b, &course(53, 5.0, 0.0));
        assert!(
            matches!(strange, Err(NotCompared::TooFewBlocks { of: 126.., .. })),
            "{strange:?}"
        );
    }

    #[test]
    fn ordinary_runs_seldom_pass_the_runners_own_threshold() {
        // 60 runners, 8 runs of reference, 10 ordinary runs each. Twice a known spread is passed by 5 %, twice one that is
        // estimated from eight runs by about a tenth.
        let (mut passed, mut all) = (0, 0);
        for runner in 0..60 {
            let mut b = Baselines::default();
            for r in 0..18 {
                let speed = [2.8, 3.1, 3.4, 3.0, 3.6][r as usize % 5];
                let run = course(runner * 100 + r, speed, 0.0);
                let result = b.take_run(2 * r as i32, &run, RunUse::CompareAndLearn);
                if r >= 8 {
                    let change = result[0].1.expect("eight runs");
                    all += 1;
                    passed += i32::from(change.change.abs() > change.threshold(0.0));
                }
            }
        }
        let share = f64::from(passed) / f64::from(all);

        assert!((0.05..0.16).contains(&share), "{share}");
    }

    #[test]
    fn a_run_that_may_not_teach_does_not() {
        let mut b = usual(6);
        let before = b.clone();
        b.take_run(30, &course(80, 3.0, 0.05), RunUse::CompareOnly);
        assert_eq!(b, before);
        b.restart();
        assert_eq!(b, Baselines::default());
    }

    #[test]
    fn the_rolling_mean_forgets_after_six_weeks() {
        let mut b = usual(8);
        for day in 30..40 {
            b.take_run(day, &course(200 + day as u64, 3.0, 0.015), RunUse::CompareAndLearn);
        }
        let one = b.get(CONTACT).expect("seen");
        let mean = one.rolling_change(40).expect("ten runs and three of the reference");
        assert!((0.008..0.018).contains(&mean), "{mean}");
        assert_eq!(one.rolling_change(100), None);
        assert!(one.lately(3.0).expect("seen") > contact(3.0) + 0.005);
    }

    #[cfg(feature = "files")]
    #[test]
    fn state_survives_being_written_down() {
        let mut b = usual(6);
        let text = serde_json::to_string(&b).expect("plain values");
        let mut read: Baselines = serde_json::from_str(&text).expect("what was written");
        let run = course(70, 3.2, 0.004);
        let (a, b) = (compared(&mut b, &run), compared(&mut read, &run));
        let (a, b) = (a.expect("six runs"), b.expect("six runs"));
        assert!((a.change - b.change).abs() < 1e-12 && (a.spread - b.spread).abs() < 1e-12);
        // One run only: speeds not seen yet must be written too.
        let one = serde_json::to_string(&usual(1)).expect("plain values");
        assert!(serde_json::from_str::<Baselines>(&one).is_ok());
    }
}
