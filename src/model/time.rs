//! One clock for everything: session time, and half-open spans of it.
//!
//! Every sensor counts on a crystal of its own. After the `clock` stage all of them are on [`SessionTime`]: integer
//! nanoseconds since the session began. Integers, because events are compared, ordered and used as keys, and a sum of
//! ten hours of floating-point steps is not.

use serde::{Deserialize, Serialize};

/// An instant of a session: nanoseconds since its start, the same for all sensors.
///
/// It is *not* a wall clock: the session's start in UTC is kept with the session, not here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionTime(i64);

impl SessionTime {
    /// The start of the session.
    pub const ZERO: Self = Self(0);

    /// The instant `ns` nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(ns: i64) -> Self {
        Self(ns)
    }

    /// The instant `s` seconds after the start, rounded to the nanosecond. A value that is not finite becomes zero.
    #[must_use]
    pub fn from_secs(s: f64) -> Self {
        // `as` saturates, so ±∞ cannot wrap; NaN becomes 0 by the language's definition.
        Self((s * 1e9).round() as i64)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the start.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// Seconds from `earlier` to `self`; negative when `self` is the earlier one.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 * 1e-9
    }

    /// This instant moved by `s` seconds.
    #[must_use]
    pub fn plus(self, s: f64) -> Self {
        Self(self.0.saturating_add((s * 1e9).round() as i64))
    }
}

/// A half-open span `[start, end)` with `start <= end` by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    start: SessionTime,
    end: SessionTime,
}

impl Span {
    /// The span from `start` to `end`, or `None` when it would run backwards.
    #[must_use]
    pub fn new(start: SessionTime, end: SessionTime) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// First instant inside.
    #[must_use]
    pub fn start(self) -> SessionTime {
        self.start
    }

    /// First instant no longer inside.
    #[must_use]
    pub fn end(self) -> SessionTime {
        self.end
    }

    /// Length in seconds.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.end.since(self.start)
    }

    /// Whether `t` lies inside; the end does not.
    #[must_use]
    pub fn contains(self, t: SessionTime) -> bool {
        self.start <= t && t < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_cannot_run_backwards_and_its_end_is_outside() {
        let (a, b) = (SessionTime::from_secs(1.0), SessionTime::from_secs(2.5));
        assert!(Span::new(b, a).is_none());
        let span = Span::new(a, b).expect("forward");
        assert!(span.contains(a) && !span.contains(b));
        assert!((span.secs() - 1.5).abs() < 1e-12);
    }

    #[test]
    fn not_a_number_becomes_the_start_not_a_wrapped_instant() {
        assert_eq!(SessionTime::from_secs(f64::NAN), SessionTime::ZERO);
        assert_eq!(SessionTime::from_secs(f64::INFINITY).nanos(), i64::MAX);
    }
}
