//! The runner's own usual in one channel: the first runs that count, a line over speed, and the spread around it.
//!
//! Median of pairwise slopes (Theil 1950, Sen 1968, doi 10.1080/01621459.1968.10480934): one odd run does not turn the line.
//! A run is compared with the reference as it stood before it, and only then joins; once full, the reference is frozen, or
//! slow drift would vanish into it.

use super::diary::median;
use super::rules::ChangeIn;
use super::vocabulary::OwnReference;
use serde::Serialize;

/// Rounding that limits of speed forgive, m/s.
const SPEED_TOLERANCE_MS: f64 = 1e-9;
/// Percent of an expected value at or below this means nothing.
const LEAST_EXPECTED: f64 = 1e-6;

/// A run in a reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Speed of the run, m/s.
    pub speed_ms: f64,
    /// Its value.
    pub value: f64,
    /// Place of the run among all evaluated runs.
    pub run: usize,
}

/// One channel's reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usual {
    /// The runs in it, in order of time.
    pub points: Vec<Point>,
}

/// How a run compares with the reference of a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The channel: a run value's name, with its kind of ground where that has a reference of its own.
    pub channel: String,
    /// The run's value, in the channel's unit.
    pub value: f64,
    /// Speed of the run, m/s.
    pub speed_ms: f64,
    /// What the reference expects at that speed.
    pub expected: f64,
    /// Change, as the input expresses it.
    pub change: f64,
    /// Own spread of the reference runs, as the change is expressed.
    pub spread: f64,
    /// Middle of the reference runs' own changes.
    pub middle: f64,
    /// Runs in the reference.
    pub runs: usize,
    /// Slope of the line, units per m/s; 0 where the speeds span too little.
    pub slope: f64,
    /// Speeds at which it may be compared, m/s.
    pub speeds_ms: (f64, f64),
}

/// Why a run is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCompared {
    /// The value was not measured.
    NotMeasured,
    /// Its speed is not known.
    NoSpeed,
    /// Too few level, steady windows.
    FewWindows {
        /// Windows of the run.
        windows: u32,
        /// Windows needed.
        needed: u32,
    },
    /// The reference is being learned.
    Learning {
        /// Runs so far.
        runs: usize,
        /// Runs needed.
        needed: usize,
    },
    /// Outside the speeds of the reference.
    OtherSpeed {
        /// Speed of the run, m/s.
        speed_ms: f64,
        /// Lowest speed compared, m/s.
        from_ms: f64,
        /// Highest, m/s.
        to_ms: f64,
    },
    /// Expected values too near 0 for a percentage.
    NoPercent,
}

impl Usual {
    /// Whether it is full and no longer moves.
    #[must_use]
    pub fn full(&self, rule: &OwnReference) -> bool {
        self.points.len() >= rule.full_runs
    }

    /// Slope, offset, lowest and highest speed compared.
    fn line(&self, rule: &OwnReference) -> (f64, f64, f64, f64) {
        let lowest = self.points.iter().map(|p| p.speed_ms).fold(f64::INFINITY, f64::min);
        let highest = self.points.iter().map(|p| p.speed_ms).fold(f64::NEG_INFINITY, f64::max);
        let mut slope = 0.0;
        let mut slack = rule.speed_slack_flat_ms;
        if highest - lowest >= rule.fit_speed_span_ms - SPEED_TOLERANCE_MS {
            let mut slopes = Vec::new();
            for (i, a) in self.points.iter().enumerate() {
                for b in &self.points[i + 1..] {
                    let dx = b.speed_ms - a.speed_ms;
                    if dx.abs() >= rule.min_pair_speed_gap_ms - SPEED_TOLERANCE_MS {
                        slopes.push((b.value - a.value) / dx);
                    }
                }
            }
            slope = median(&slopes);
            slack = rule.speed_slack_fitted_ms;
        }
        let offsets: Vec<f64> = self.points.iter().map(|p| p.value - slope * p.speed_ms).collect();
        (slope, median(&offsets), lowest - slack, highest + slack)
    }

    /// Compares a value at a speed with the reference as it stands.
    ///
    /// # Errors
    /// Why it cannot be compared.
    pub fn compare(
        &self,
        channel: &str,
        (speed_ms, value): (f64, f64),
        by: ChangeIn,
        rule: &OwnReference,
    ) -> Result<Compared, NotCompared> {
        if self.points.len() < rule.min_runs {
            return Err(NotCompared::Learning {
                runs: self.points.len(),
                needed: rule.min_runs,
            });
        }
        let (slope, offset, from_ms, to_ms) = self.line(rule);
        if speed_ms < from_ms - SPEED_TOLERANCE_MS || speed_ms > to_ms + SPEED_TOLERANCE_MS {
            return Err(NotCompared::OtherSpeed {
                speed_ms,
                from_ms,
                to_ms,
            });
        }
        let change_at = |speed: f64, value: f64| {
            let expected = offset + slope * speed;
            match by {
                ChangeIn::Percent if expected > LEAST_EXPECTED => Some(100.0 * (value - expected) / expected),
                ChangeIn::Percent => None,
                ChangeIn::Difference => Some(value - expected),
            }
        };
        let own: Option<Vec<f64>> = self.points.iter().map(|p| change_at(p.speed_ms, p.value)).collect();
        let (Some(change), Some(own)) = (change_at(speed_ms, value), own) else {
            return Err(NotCompared::NoPercent);
        };
        let middle = median(&own);
        let deviations: Vec<f64> = own.iter().map(|x| (x - middle).abs()).collect();
        Ok(Compared {
            channel: channel.to_owned(),
            value,
            speed_ms,
            expected: offset + slope * speed_ms,
            change,
            spread: rule.mad_factor * median(&deviations),
            middle,
            runs: self.points.len(),
            slope,
            speeds_ms: (from_ms, to_ms),
        })
    }
}
