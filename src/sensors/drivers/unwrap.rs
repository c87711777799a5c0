//! Clocks of 32 bits that run over: when a step back is one more turn, and when the sensor restarted.
//!
//! A step back by more than half the range is a turn only if arrival agrees. Otherwise a clock that shows little time for
//! what has passed since is one that started again; anything else is left to the one who places frames.

use crate::model::SessionTime;

/// How far device time and arrival time may differ over a turn, s: the longest a host holds frames back (seen: 6.2 s) fits.
const AGREES_S: f64 = 10.0;

/// What a reading means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Ticks since the clock's nought, turns included.
    Ticks(u64),
    /// The clock started again; ticks since.
    Restarted(u64),
}

/// A 32-bit clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unwrap {
    tick_s: f64,
    last: Option<(u64, SessionTime)>,
}

impl Unwrap {
    /// A clock whose tick is so many seconds.
    pub(crate) const fn new(tick_s: f64) -> Self {
        Self { tick_s, last: None }
    }

    /// The clock may have begun anew: another link, another start.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }

    pub(crate) fn take(&mut self, raw: u32, at: SessionTime) -> Reading {
        let (ticks, restarted) = match self.last {
            None => (u64::from(raw), false),
            Some((last, arrived)) => {
                let ahead = raw.wrapping_sub(last as u32);
                let passed_s = at.since(arrived).max(0.0);
                let back = u64::from((last as u32).saturating_sub(raw));
                let back_s = back as f64 * self.tick_s;
                let agrees = (f64::from(ahead) * self.tick_s - passed_s).abs() <= AGREES_S;
                if raw >= last as u32 {
                    (last + u64::from(ahead), false)
                } else if agrees {
                    (last.saturating_add(u64::from(ahead)), false)
                } else if back_s > AGREES_S && f64::from(raw) * self.tick_s <= passed_s + AGREES_S {
                    (u64::from(raw), true)
                } else {
                    // An older frame, or a clock set back.
                    (last - back, false)
                }
            }
        };
        if self.last.is_none_or(|(last, _)| restarted || ticks > last) {
            self.last = Some((ticks, at));
        }
        if restarted {
            Reading::Restarted(ticks)
        } else {
            Reading::Ticks(ticks)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(s: f64) -> SessionTime {
        SessionTime::from_secs(s)
    }

    #[test]
    fn a_turn_that_arrival_agrees_with_goes_on() {
        let mut clock = Unwrap::new(1e-6);
        assert_eq!(
            clock.take(u32::MAX - 5, s(100.0)),
            Reading::Ticks(u64::from(u32::MAX) - 5)
        );
        assert_eq!(clock.take(16_660, s(100.02)), Reading::Ticks((1 << 32) + 16_660));
        // Late by some seconds, a whole turn and a bit later.
        assert_eq!(clock.take(16_000, s(4400.0)), Reading::Ticks((2 << 32) + 16_000));
    }

    #[test]
    fn a_step_back_that_arrival_does_not_explain_is_a_restart() {
        let mut clock = Unwrap::new(1e-6);
        clock.take(4_000_000_000, s(10.0));
        assert_eq!(clock.take(1_500_000, s(12.0)), Reading::Restarted(1_500_000));
        assert_eq!(clock.take(1_516_660, s(12.1)), Reading::Ticks(1_516_660));
    }

    #[test]
    fn an_older_frame_stays_what_it_is_and_changes_nothing() {
        let mut clock = Unwrap::new(1e-3);
        clock.take(1_000_000, s(10.0));
        assert_eq!(clock.take(999_000, s(10.1)), Reading::Ticks(999_000));
        assert_eq!(clock.take(1_000_100, s(10.2)), Reading::Ticks(1_000_100));
        clock.forget();
        assert_eq!(clock.take(7, s(10.3)), Reading::Ticks(7));
    }

    proptest::proptest! {
        #[test]
        fn any_readings_return(readings in proptest::collection::vec((proptest::num::u32::ANY, 0..i64::MAX / 4), 0..50)) {
            let mut clock = Unwrap::new(1e-6);
            for (raw, at) in readings {
                clock.take(raw, SessionTime::from_nanos(at));
            }
        }
    }
}
