//! What the cadence of a foot pod counts: steps of both feet, or strides of one.
//!
//! The specification is read both ways by makers. The speed decides: implied length = speed / (cadence / 60). While the
//! pod says running and the speed is above 1.7 m/s, 0.4 to 1.6 m is a step and more is a stride (nobody's step is longer,
//! nobody's running stride shorter, at such speeds); below 0.4 m neither. Twenty seconds of agreement on end decide, and
//! the answer is kept for the device: never changed by the rule again, only by the user.

use super::rsc::Measurement;
use crate::model::SessionTime;
use crate::sensors::said::CadenceConvention;
use serde::{Deserialize, Serialize};

/// Speed above which the implied length is judged, m/s.
const FAST_ENOUGH: f64 = 1.7;
/// Shortest implied length that is a step, m.
const SHORTEST_STEP: f64 = 0.4;
/// Longest implied length that is a step, m.
const LONGEST_STEP: f64 = 1.6;
/// Agreement on end that decides, s.
const AGREEMENT_S: f64 = 20.0;
/// Readings further apart than this are not on end, s: pods send about once a second.
const LONGEST_PAUSE_S: f64 = 3.0;

/// The rule's state for one device; keep it with the device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CadenceRule {
    decided: CadenceConvention,
    by_user: bool,
    #[serde(skip)]
    run: Option<Agreement>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Agreement {
    on: CadenceConvention,
    since: SessionTime,
    last: SessionTime,
}

impl Default for CadenceRule {
    fn default() -> Self {
        Self {
            decided: CadenceConvention::Unknown,
            by_user: false,
            run: None,
        }
    }
}

impl CadenceRule {
    /// What a user said their pod counts; [`CadenceConvention::Unknown`] lets the rule decide again.
    #[must_use]
    pub fn told(convention: CadenceConvention) -> Self {
        Self {
            decided: convention,
            by_user: convention != CadenceConvention::Unknown,
            run: None,
        }
    }

    /// What the cadence counts, as well as known.
    #[must_use]
    pub const fn convention(&self) -> CadenceConvention {
        self.decided
    }

    /// Whether a user said so.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        self.by_user
    }

    /// Takes a reading; what the cadence counts then.
    pub fn observe(&mut self, at: SessionTime, m: &Measurement) -> CadenceConvention {
        if self.decided != CadenceConvention::Unknown {
            return self.decided;
        }
        let verdict = verdict(m);
        self.run = match (self.run, verdict) {
            (_, CadenceConvention::Unknown) => None,
            (Some(run), on) if run.on == on && (0.0..=LONGEST_PAUSE_S).contains(&at.since(run.last)) => {
                Some(Agreement { last: at, ..run })
            }
            (_, on) => Some(Agreement {
                on,
                since: at,
                last: at,
            }),
        };
        if let Some(run) = self.run
            && run.last.since(run.since) >= AGREEMENT_S
        {
            self.decided = run.on;
            self.run = None;
        }
        self.decided
    }
}

fn verdict(m: &Measurement) -> CadenceConvention {
    if !m.running || m.speed <= FAST_ENOUGH || m.cadence_raw == 0 {
        return CadenceConvention::Unknown;
    }
    let length = m.speed * 60.0 / f64::from(m.cadence_raw);
    if length < SHORTEST_STEP {
        CadenceConvention::Unknown
    } else if length <= LONGEST_STEP {
        CadenceConvention::Steps
    } else {
        CadenceConvention::Strides
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CadenceConvention::{Steps, Strides, Unknown};

    fn reading(speed: f64, cadence_raw: u8) -> Measurement {
        Measurement {
            flags: 4,
            speed,
            cadence_raw,
            running: true,
            stride_length_raw: None,
            distance: None,
        }
    }

    fn at(s: i64) -> SessionTime {
        SessionTime::from_nanos(s * 1_000_000_000)
    }

    #[test]
    fn twenty_seconds_on_end_decide_and_nothing_changes_it_afterwards() {
        let mut rule = CadenceRule::default();
        for s in 0..20 {
            assert_eq!(rule.observe(at(s), &reading(4.0, 92)), Unknown);
        }
        assert_eq!(rule.observe(at(20), &reading(4.0, 92)), Strides);
        for s in 21..80 {
            assert_eq!(rule.observe(at(s), &reading(3.0, 180)), Strides);
        }
    }

    #[test]
    fn a_walk_a_pause_or_a_contrary_reading_begins_anew() {
        for breaker in [
            reading(1.5, 92),
            reading(4.0, 180),
            reading(4.0, 0),
            reading(2.0, 255),
            Measurement {
                running: false,
                ..reading(4.0, 92)
            },
        ] {
            let mut rule = CadenceRule::default();
            for s in 0..40 {
                let m = if s % 15 == 14 { breaker } else { reading(4.0, 92) };
                let told = rule.observe(at(s), &m);
                // The last breaker implies 0.47 m, a step: contrary too.
                assert_eq!(told, Unknown, "{s}");
            }
        }
        let mut rule = CadenceRule::default();
        for s in 0..15 {
            rule.observe(at(s * 4), &reading(4.0, 92));
        }
        assert_eq!(rule.convention(), Unknown, "readings 4 s apart are not on end");
    }

    #[test]
    fn steps_are_told_from_strides_by_the_implied_length() {
        assert_eq!(verdict(&reading(3.0, 170)), Steps);
        assert_eq!(verdict(&reading(3.0, 85)), Strides);
        assert_eq!(verdict(&reading(1.701, 255)), Steps);
        assert_eq!(verdict(&reading(1.7, 170)), Unknown);
    }

    #[test]
    fn the_user_is_right() {
        let mut rule = CadenceRule::told(Steps);
        for s in 0..60 {
            assert_eq!(rule.observe(at(s), &reading(4.0, 92)), Steps);
        }
        assert!(rule.is_told());
    }

    #[cfg(feature = "files")]
    #[test]
    fn the_decision_survives_storage_and_a_run_of_agreement_does_not() {
        let mut rule = CadenceRule::default();
        rule.observe(at(0), &reading(4.0, 92));
        for (rule, kept) in [
            (rule, CadenceRule::default()),
            (CadenceRule::told(Steps), CadenceRule::told(Steps)),
        ] {
            let text = serde_json::to_string(&rule).expect("plain");
            assert_eq!(serde_json::from_str::<CadenceRule>(&text).expect("plain"), kept);
        }
    }
}
