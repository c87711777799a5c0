//! Whether a metric moves away within a run: a two-sided CUSUM, and a smooth level to show beside it.
//!
//! Block medians, less what is usual at their speed, are compared with minutes 5 to 15 of the same run. The sums forgive
//! half a standard deviation and speak at eight (Page 1954; the usual five would speak every 469 blocks, and eight metrics
//! together every 17 minutes). That holds for a centre and spread that are *known*. Learned from some 34 blocks they are
//! not: simulated, median and MAD gave an alarm every 274 blocks in spite of the eight, each 10 minutes with eight
//! metrics. So centre and spread are Tukey's biweights, which use the blocks better, and two standard errors of the centre
//! are forgiven too. The test below counts what is left.
//!
//! It says "changed". Blocks are taken as independent, which tired or distracted runners' blocks are not.

use super::course::Channel;
use super::noticeable::noticeable;
use super::robust::{biweight, median, spread};
use serde::{Deserialize, Serialize};

/// Minutes that the run is compared with, s.
pub const EARLY_S: (f64, f64) = (300.0, 900.0);
/// Fewest blocks of them, and the most that are held.
const FEWEST: usize = 12;
const MOST: usize = 64;
/// What the sums forgive, in standard deviations of a block, and in standard errors of the centre.
const FORGIVEN: f64 = 0.5;
const FORGIVEN_OF_CENTRE: f64 = 2.0;
/// Where they speak.
const LIMIT: f64 = 8.0;
/// A block counts as at most this many standard deviations: two wild ones are not a drift.
const WILDEST: f64 = 4.0;
/// Weight of the newest block in the smooth level.
const SMOOTHING: f64 = 0.2;
/// … which follows a block at most this far.
const FOLLOWED: f64 = 3.0;
/// The spread is never taken to be smaller than this share of a noticeable change.
const FLOOR: f64 = 0.25;

/// Which way a metric moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It grew.
    Up,
    /// It shrank.
    Down,
}

/// A change within the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Which way.
    pub direction: Direction,
    /// When it was sure, seconds since the run began.
    pub at: f64,
    /// When it began, by the last time the sum was zero.
    pub since: f64,
    /// Mean change since then, in the unit of the metric; rather too small, as the sum may have left zero before the change.
    pub size: f64,
}

/// One side of the CUSUM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sum {
    height: f64,
    since: f64,
    total: f64,
    blocks: u32,
}

impl Sum {
    /// Adds a block that is `z` deviations the way of this side; whether the limit is passed.
    fn push(&mut self, t: f64, z: f64, forgiven: f64) -> bool {
        if self.height == 0.0 {
            *self = Self {
                since: t,
                ..Self::default()
            };
        }
        self.height = (self.height + z - forgiven).max(0.0);
        self.total += z;
        self.blocks += 1;
        self.height > LIMIT
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Learning(Vec<f64>),
    Watching {
        centre: f64,
        sigma: f64,
        forgiven: f64,
        level: f64,
        up: Sum,
        down: Sum,
    },
    /// Too few blocks in the minutes to compare with.
    Blind,
}

/// The watch over one metric of one run. Plain values; nothing is allocated after `new`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    channel: Channel,
    state: State,
}

impl Drift {
    /// A watch over this series; `None` for a metric without a noticeable size.
    #[must_use]
    pub fn new(channel: Channel) -> Option<Self> {
        noticeable(channel.metric).map(|_| Self {
            channel,
            state: State::Learning(Vec::with_capacity(MOST)),
        })
    }

    /// The series watched.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Takes a block: seconds since the run began, its median less what is usual at its speed, and that usual value.
    /// Gives a shift once it is sure; the sum of that side then begins anew.
    pub fn push(&mut self, t: f64, residual: f64, usual: f64) -> Option<Shift> {
        if !residual.is_finite() || t < EARLY_S.0 {
            return None;
        }
        if let State::Learning(seen) = &mut self.state {
            if t < EARLY_S.1 {
                if seen.len() < MOST {
                    seen.push(residual);
                }
                return None;
            }
            let floor = noticeable(self.channel.metric).map_or(0.0, |n| FLOOR * n.size.at(usual));
            self.state = learned(seen, floor);
        }
        let State::Watching {
            centre,
            sigma,
            forgiven,
            level,
            up,
            down,
        } = &mut self.state
        else {
            return None;
        };
        let z = ((residual - *centre) / *sigma).clamp(-WILDEST, WILDEST);
        *level += SMOOTHING * (z - *level).clamp(-FOLLOWED, FOLLOWED);
        let mut shift = None;
        for (sum, sign, direction) in [(up, 1.0, Direction::Up), (down, -1.0, Direction::Down)] {
            if sum.push(t, sign * z, *forgiven) {
                shift = Some(Shift {
                    direction,
                    at: t,
                    since: sum.since,
                    size: sign * *sigma * sum.total / f64::from(sum.blocks),
                });
                *sum = Sum::default();
            }
        }
        shift
    }

    /// The smooth level against minutes 5 to 15, in the unit of the metric; `None` before there is one.
    #[must_use]
    pub fn level(&self) -> Option<f64> {
        match &self.state {
            State::Watching { level, sigma, .. } => Some(level * sigma),
            _ => None,
        }
    }
}

fn learned(seen: &mut [f64], floor: f64) -> State {
    let n = seen.len();
    if n < FEWEST {
        return State::Blind;
    }
    let Some((centre, sigma)) = biweight(seen).or_else(|| Some((median(seen)?, spread(seen)?))) else {
        return State::Blind;
    };
    let floored = sigma.max(floor);
    if floored <= 0.0 {
        return State::Blind;
    }
    State::Watching {
        centre,
        sigma: floored,
        // The centre is as unsure as the blocks make it, not as the floor would.
        forgiven: FORGIVEN + FORGIVEN_OF_CENTRE * sigma / floored / (n as f64).sqrt(),
        level: 0.0,
        up: Sum::default(),
        down: Sum::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::Chance;
    use super::super::registry::MetricId as Id;
    use super::*;

    const BLOCK_S: f64 = 17.5;
    const HOUR_BLOCKS: usize = 206;

    fn cadence() -> Drift {
        Drift::new(Channel {
            metric: Id::Cadence,
            side: None,
        })
        .expect("watched")
    }

    /// Runs `hours` of blocks with standard deviation 1 step/min, above the floor (a quarter of 2 % of 168 is 0.84), and
    /// a change by `change` from minute 30 on. Gives all shifts.
    fn run(seed: u64, hours: usize, change: f64) -> Vec<Shift> {
        let mut chance = Chance::new(seed);
        let mut drift = cadence();
        (0..hours * HOUR_BLOCKS)
            .filter_map(|k| {
                let t = k as f64 * BLOCK_S;
                let moved = if t >= 1800.0 { change } else { 0.0 };
                drift.push(t, chance.normal() + moved, 168.0)
            })
            .collect()
    }

    #[test]
    fn a_known_centre_speaks_once_in_some_nine_thousand_blocks() {
        // The bare sums, as tables give them: 9.6 thousand blocks between alarms for k = 0.5, h = 8, both sides.
        let mut chance = Chance::new(17);
        let (mut up, mut down, mut alarms, blocks) = (Sum::default(), Sum::default(), 0, 2_000_000);
        for k in 0..blocks {
            let z = chance.normal();
            for (sum, sign) in [(&mut up, 1.0), (&mut down, -1.0)] {
                if sum.push(f64::from(k), sign * z, FORGIVEN) {
                    alarms += 1;
                    *sum = Sum::default();
                }
            }
        }
        let between = f64::from(blocks) / f64::from(alarms);
        assert!((7_500.0..12_000.0).contains(&between), "{between}");
    }

    #[test]
    fn bare_median_and_mad_of_ten_minutes_would_speak_far_too_often() {
        let (mut alarms, mut blocks) = (0, 0);
        for seed in 0..600 {
            let mut chance = Chance::new(seed);
            let mut early: Vec<f64> = (0..34).map(|_| chance.normal()).collect();
            let centre = median(&mut early).expect("values");
            let sigma = spread(&mut early).expect("values");
            let (mut up, mut down) = (Sum::default(), Sum::default());
            for k in 0..580 {
                let z = (chance.normal() - centre) / sigma;
                for (sum, sign) in [(&mut up, 1.0), (&mut down, -1.0)] {
                    if sum.push(f64::from(k), sign * z, FORGIVEN) {
                        alarms += 1;
                        *sum = Sum::default();
                    }
                }
                blocks += 1;
            }
        }
        let between = f64::from(blocks) / f64::from(alarms);
        assert!((150.0..450.0).contains(&between), "{between}");
    }

    #[test]
    fn eight_steady_metrics_speak_less_than_once_in_four_hours() {
        // 2400 runs of 3 h, centre and spread learned in each from its own minutes 5–15.
        let runs = 2400;
        let alarms: usize = (0..runs).map(|seed| run(seed, 3, 0.0).len()).sum();
        let watched_hours = runs as f64 * (3.0 - 0.25);
        let between = watched_hours / 8.0 / alarms.max(1) as f64;
        assert!(between >= 4.0, "eight metrics: an alarm each {between:.2} h");
        // And the limit is not simply out of reach.
        assert!(alarms > 50, "{alarms} in {watched_hours} h");
    }

    #[test]
    fn a_real_drift_is_seen_soon() {
        // 2 % of cadence, the noticeable size, is 3.4 deviations here.
        let (runs, mut seen, mut delay, mut size) = (300, 0, 0.0, 0.0);
        for seed in 0..runs {
            if let Some(first) = run(seed, 1, -3.36).iter().find(|s| s.at >= 1800.0) {
                assert_eq!(first.direction, Direction::Down);
                assert!(first.size < 0.0 && (first.since - 1800.0).abs() < 600.0, "{first:?}");
                size += first.size;
                seen += 1;
                delay += (first.at - 1800.0) / 60.0;
            }
        }
        assert_eq!(seen, runs);
        let mean = |sum: f64| sum / seen as f64;
        assert!(mean(delay) < 2.0, "{} min", mean(delay));
        assert!((mean(size) / -3.36 - 1.0).abs() < 0.25, "{}", mean(size));
        // A change of 1.5 deviations is found within the run nearly always.
        let small = (0..runs).filter(|s| {
            run(*s, 2, 1.5)
                .iter()
                .any(|s| s.at >= 1800.0 && s.direction == Direction::Up)
        });
        assert!(small.count() * 100 >= 97 * runs as usize);
    }

    #[test]
    fn wild_blocks_are_no_drift_and_the_level_follows_a_real_one() {
        let mut drift = cadence();
        let mut chance = Chance::new(4);
        for k in 0..120 {
            let residual = if k == 70 || k == 71 { -60.0 } else { chance.normal() };
            assert_eq!(drift.push(f64::from(k) * BLOCK_S, residual, 168.0), None, "block {k}");
        }
        assert!(drift.level().expect("watching").abs() < 1.5);
        (120..150).for_each(|k| {
            drift.push(f64::from(k) * BLOCK_S, -3.0, 168.0);
        });
        assert!((drift.level().expect("watching") + 3.0).abs() < 0.6);
    }

    #[test]
    fn too_little_to_compare_with_says_nothing() {
        let mut drift = cadence();
        for k in 0..300 {
            let t = 800.0 + f64::from(k) * BLOCK_S;
            assert_eq!(drift.push(t, if k > 20 { 50.0 } else { 0.0 }, 168.0), None);
        }
        assert_eq!(drift.level(), None);
        assert!(
            Drift::new(Channel {
                metric: Id::ToeOut,
                side: None
            })
            .is_none()
        );
    }

    #[test]
    fn very_even_minutes_do_not_make_it_nervous() {
        // Spread 0.1 steps/min in minutes 5–15, then 0.8: below the floor, no word.
        let mut drift = cadence();
        let mut chance = Chance::new(8);
        for k in 0..400 {
            let t = f64::from(k) * BLOCK_S;
            let s = if t < 900.0 { 0.1 } else { 0.8 };
            assert_eq!(drift.push(t, s * chance.normal(), 168.0), None);
        }
    }
}
