//! How often flags are raised by chance, and how often by a true change: simulated runners through the real engine.
//!
//! A steady runner's run values scatter around a fixed usual; a flag that rises is false. The scatter from run to run is an
//! assumption, not a measurement, and so are the figures that follow from it: they say whether the rules are sensible, not
//! how lope does on people. Successive runs may be alike (first-order autoregression).

use super::engine::Engine;
use super::history::{History, Session};
use super::rules::Rules;
use super::vocabulary::{Level, Memory};
use std::collections::BTreeMap;

/// What is assumed of steady runners: run value, usual, spread from run to run, in the units of the rule file.
pub const ASSUMED: &[(&str, f64, f64)] = &[
    ("cadence_spm", 168.0, 0.015 * 168.0),
    ("shank_contact_deg", 6.0, 1.5),
    ("drop_left_deg", 4.0, 0.9),
    ("drop_right_deg", 4.5, 0.9),
    ("ml_ratio", 0.30, 0.06 * 0.30),
    ("sacral_peak_g", 3.8, 0.05 * 3.8),
];

/// A true change as large as the watch threshold of a flag: flag, run value, change.
pub const THRESHOLD_SIZED: &[(&str, &str, f64)] = &[
    ("FS1", "cadence_spm", -0.03 * 168.0),
    ("FS2", "shank_contact_deg", 3.0),
    ("FF1", "drop_left_deg", 2.0),
    ("FF3", "ml_ratio", 0.15 * 0.30),
    ("IG1", "sacral_peak_g", 0.10 * 3.8),
];

/// Runs that make the reference.
const REFERENCE_RUNS: usize = 8;
/// Runs after a change within which it should be noticed.
pub const NOTICED_WITHIN: usize = 5;
/// Runs looked at after the reference, for false alarms.
pub const WATCHED_RUNS: usize = 30;

/// How run values scatter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scatter {
    /// Times the assumed spreads.
    pub spread: f64,
    /// Correlation of successive runs, 0 to below 1.
    pub correlation: f64,
}

/// The three assumptions of the table.
pub const SCATTERS: [Scatter; 3] = [
    Scatter {
        spread: 1.0,
        correlation: 0.0,
    },
    Scatter {
        spread: 1.0,
        correlation: 0.3,
    },
    Scatter {
        spread: 1.5,
        correlation: 0.3,
    },
];

/// Shares of steady runners in whom something rose by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FalseAlarms {
    /// The note of any counting form or impact flag: the level `info` itself. A watch that comes by a condition of its own,
    /// such as the left-right difference of pelvic drop, is counted as a watch alone.
    pub info: f64,
    /// A watch of any of them.
    pub watch: f64,
    /// A watch in two families at once.
    pub two_families: f64,
}

/// Seeded dice (SplitMix64, Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195) with normal numbers by Box and Muller.
struct Dice(u64);

impl Dice {
    /// A number above 0 and up to 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.share()));
        radius * libm::cos(core::f64::consts::TAU * self.share())
    }
}

/// A runner's history of `count` runs, one every other day; from `changed` on, one value is shifted.
fn runner(count: usize, scatter: Scatter, shift: Option<(&str, f64)>, dice: &mut Dice) -> History {
    let fresh = libm::sqrt(1.0 - scatter.correlation * scatter.correlation);
    let mut noise: Vec<f64> = ASSUMED.iter().map(|_| dice.normal()).collect();
    let mut sessions = Vec::with_capacity(count);
    for i in 0..count {
        let mut metrics = BTreeMap::new();
        for ((name, usual, spread), noise) in ASSUMED.iter().zip(&mut noise) {
            *noise = scatter.correlation * *noise + fresh * dice.normal();
            let shifted = shift.filter(|(which, _)| i >= REFERENCE_RUNS && which == name);
            let value = usual + *noise * spread * scatter.spread + shifted.map_or(0.0, |(_, by)| by);
            metrics.insert((*name).to_owned(), value);
        }
        sessions.push(Session {
            day: 2 * i as i32,
            km: 8.0,
            speed_ms: Some(3.0),
            level_windows: Some(20),
            metrics,
            ..Session::default()
        });
    }
    History {
        id: "steady".to_owned(),
        days: 2 * count as i32,
        sessions,
        ..History::default()
    }
}

/// Shares of `runners` steady runners in whom a counting form or impact flag rose.
#[must_use]
pub fn false_alarms(rules: &Rules, runners: u32, scatter: Scatter, seed: u64) -> FalseAlarms {
    let mut dice = Dice(seed);
    let looked_at: Vec<usize> = (0..rules.flags.len())
        .filter(|i| rules.flags[*i].memory == Memory::Form && rules.flags[*i].counts)
        .collect();
    let (mut info, mut watch, mut two) = (0_u32, 0_u32, 0_u32);
    for _ in 0..runners {
        let history = runner(REFERENCE_RUNS + WATCHED_RUNS, scatter, None, &mut dice);
        let mut engine = Engine::new(rules, &history);
        let (mut any_info, mut any_watch, mut any_two) = (false, false, false);
        while engine.next_day().is_some() {
            let is_on = |flag: usize, level: Level| engine.flags[flag].remembered.is_on(level);
            any_info |= looked_at.iter().any(|i| is_on(*i, Level::Info));
            let watch = looked_at.iter().filter(|i| is_on(**i, Level::Watch));
            let mut families: Vec<&str> = watch.map(|i| rules.flags[*i].family.as_str()).collect();
            families.sort_unstable();
            families.dedup();
            any_watch |= !families.is_empty();
            any_two |= families.len() >= 2;
        }
        info += u32::from(any_info);
        watch += u32::from(any_watch);
        two += u32::from(any_two);
    }
    let share = |n: u32| f64::from(n) / f64::from(runners.max(1));
    FalseAlarms {
        info: share(info),
        watch: share(watch),
        two_families: share(two),
    }
}

/// Share of runners in whom a true lasting change of a run value, `times` as large as the flag's watch threshold, raises it
/// to watch within [`NOTICED_WITHIN`] runs. Spreads as assumed, independent runs.
#[must_use]
pub fn power(rules: &Rules, runners: u32, change: (&str, &str, f64), times: f64, seed: u64) -> f64 {
    let (flag, value, threshold) = change;
    let Some(index) = rules.flag_index(flag) else {
        return 0.0;
    };
    let mut dice = Dice(seed);
    let mut noticed = 0_u32;
    for _ in 0..runners {
        let shift = Some((value, times * threshold));
        let history = runner(REFERENCE_RUNS + NOTICED_WITHIN, SCATTERS[0], shift, &mut dice);
        let mut engine = Engine::new(rules, &history);
        let mut raised = false;
        while let Some(end) = engine.next_day() {
            raised |= end.states[index].is_some_and(|s| s >= Level::Watch);
        }
        noticed += u32::from(raised);
    }
    f64::from(noticed) / f64::from(runners.max(1))
}
