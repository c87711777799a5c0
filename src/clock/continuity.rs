//! Holes, disorder and stuck sensors in the stream of one sensor.
//!
//! A hole of up to 40 ms is bridged at the native rate and every bridged sample is marked: the specific force by the cubic
//! that leaves with the last slope, the angular rate linearly. A longer hole is a gap: said, counted, never bridged.
//! Samples that are not finite or go back in time are refused and counted; a sensor that repeats six identical values for
//! longer than 20 ms is stuck, and what it repeats is a gap.

use crate::model::units::STANDARD_GRAVITY;
use crate::model::{ClipFlags, GapCause, ImuSample, SessionTime, Vec3};

/// Longest hole that is bridged, s: a third of a running swing, in which specific force stays smooth.
pub const BRIDGE_S: f64 = 0.040;
/// A stream that repeats itself for longer than this is stuck, s. Noise of any MEMS sensor changes the last bit sooner.
pub const STUCK_S: f64 = 0.020;
/// Readings within this of gravity alone, m/s², and of no turn, rad/s, may repeat: the sensor rests.
const REST_ACC: f64 = 0.5;
/// See [`REST_ACC`].
const REST_GYRO: f64 = 0.1;
/// A step longer than this many nominal periods is a hole. Jitter of real loggers stays below half a period.
const HOLE_PERIODS: f64 = 1.5;

/// What became of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Take it (after the bridged samples, if any were made).
    Take,
    /// Take it; before it samples are missing and were not bridged.
    TakeAfterGap {
        /// Last good instant.
        from: SessionTime,
        /// How many are missing.
        missing: u32,
        /// Why, as far as known.
        cause: GapCause,
    },
    /// Do not take it.
    Refuse(GapCause),
}

/// Watches one sensor's stream.
#[derive(Clone, Debug)]
pub struct Continuity {
    period_s: f64,
    last: Option<ImuSample>,
    before_last: Option<ImuSample>,
    /// First instant of the values now repeated, and how many repeats were withheld.
    repeating_since: Option<SessionTime>,
    stuck: bool,
    pending_cause: Option<(SessionTime, GapCause)>,
}

impl Continuity {
    /// A watch over a sensor of this nominal rate.
    #[must_use]
    pub fn new(rate_hz: f64) -> Self {
        Self {
            period_s: 1.0 / rate_hz,
            last: None,
            before_last: None,
            repeating_since: None,
            stuck: false,
            pending_cause: None,
        }
    }

    /// The source itself says why what comes next is preceded by a hole.
    pub fn note_gap(&mut self, from: SessionTime, cause: GapCause) {
        self.pending_cause = Some((from, cause));
    }

    /// Judges one sample; bridged samples before it are appended to `bridged`.
    pub fn push(&mut self, sample: &ImuSample, bridged: &mut Vec<ImuSample>) -> Verdict {
        if !sample.acc.is_finite() || !sample.gyro.is_finite() {
            return Verdict::Refuse(GapCause::NotFinite);
        }
        let Some(last) = self.last else {
            self.remember(*sample);
            return Verdict::Take;
        };
        let step = sample.t.since(last.t);
        if step <= 0.0 {
            return Verdict::Refuse(GapCause::TimeDisorder);
        }
        if self.repeats(&last, sample) {
            return Verdict::Refuse(GapCause::Stuck);
        }
        let missing = ((step / self.period_s).round() - 1.0).max(0.0);
        let cause = self.pending_cause.take();
        if step <= HOLE_PERIODS * self.period_s && cause.is_none_or(|(_, c)| c == GapCause::Lost) {
            self.remember(*sample);
            return Verdict::Take;
        }
        let bridgeable = cause.is_none_or(|(_, c)| matches!(c, GapCause::Lost | GapCause::NotFinite))
            && step <= BRIDGE_S + self.period_s;
        if bridgeable {
            self.bridge(&last, sample, missing as u32, bridged);
            self.remember(*sample);
            return Verdict::Take;
        }
        let was_stuck = std::mem::take(&mut self.stuck);
        let cause = cause.map_or(if was_stuck { GapCause::Stuck } else { GapCause::Lost }, |(_, c)| c);
        self.before_last = None;
        self.last = Some(*sample);
        // `as` saturates: a hole of years counts as u32::MAX.
        Verdict::TakeAfterGap {
            from: last.t,
            missing: missing as u32,
            cause,
        }
    }

    fn remember(&mut self, sample: ImuSample) {
        self.before_last = self.last.replace(sample);
    }

    /// Whether the stream is stuck on one reading. Short repeats (coarse steps, slow motion) pass.
    fn repeats(&mut self, last: &ImuSample, sample: &ImuSample) -> bool {
        if last.acc != sample.acc || last.gyro != sample.gyro {
            self.repeating_since = None;
            return false;
        }
        let since = *self.repeating_since.get_or_insert(last.t);
        // A sensor lying still, without noise in its last bit, is not stuck; nor does it matter.
        let resting = (sample.acc.norm() - STANDARD_GRAVITY).abs() < REST_ACC && sample.gyro.norm() < REST_GYRO;
        let stuck = !resting && sample.t.since(since) > STUCK_S.max(3.5 * self.period_s);
        self.stuck |= stuck;
        stuck
    }

    fn bridge(&self, last: &ImuSample, next: &ImuSample, missing: u32, out: &mut Vec<ImuSample>) {
        let span = next.t.since(last.t);
        let slope = self.before_last.map_or(Vec3::zero(), |b| {
            let dt = last.t.since(b.t).max(1e-6);
            (last.acc - b.acc) * (span / dt)
        });
        for k in 1..=missing {
            let u = f64::from(k) / f64::from(missing + 1);
            // Cubic Hermite; the slope at the far end is the secant, since nothing later is known yet.
            let (u2, u3) = (u * u, u * u * u);
            let secant = next.acc - last.acc;
            let acc = last.acc * (2.0 * u3 - 3.0 * u2 + 1.0)
                + slope * (u3 - 2.0 * u2 + u)
                + next.acc * (3.0 * u2 - 2.0 * u3)
                + secant * (u3 - u2);
            out.push(ImuSample {
                t: last.t.plus(span * u),
                acc,
                gyro: last.gyro * (1.0 - u) + next.gyro * u,
                clip: ClipFlags::NONE,
                filled: true,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(k: i64, x: f64) -> ImuSample {
        ImuSample {
            t: SessionTime::from_nanos(k * 5_000_000),
            acc: Vec3::new(x, 0.0, 9.8),
            gyro: Vec3::new(x, 1.0, 0.0),
            clip: ClipFlags::NONE,
            filled: false,
        }
    }

    fn run(samples: &[ImuSample]) -> (Vec<ImuSample>, Vec<Verdict>) {
        let mut c = Continuity::new(200.0);
        let (mut taken, mut verdicts) = (Vec::new(), Vec::new());
        for s in samples {
            let v = c.push(s, &mut taken);
            if !matches!(v, Verdict::Refuse(_)) {
                taken.push(*s);
            }
            verdicts.push(v);
        }
        (taken, verdicts)
    }

    #[test]
    fn a_short_hole_is_bridged_and_marked_and_a_long_one_is_said() {
        let (taken, verdicts) = run(&[
            sample(0, 0.0),
            sample(1, 1.0),
            sample(5, 5.0),
            sample(6, 6.0),
            sample(40, 0.0),
        ]);
        assert_eq!(taken.iter().filter(|s| s.filled).count(), 3);
        assert!((taken[3].gyro.v.x - 3.0).abs() < 1e-12);
        assert_eq!(verdicts[2], Verdict::Take);
        assert_eq!(
            verdicts[4],
            Verdict::TakeAfterGap {
                from: sample(6, 0.0).t,
                missing: 33,
                cause: GapCause::Lost
            }
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let nan = ImuSample {
            acc: Vec3::new(f64::NAN, 0.0, 0.0),
            ..sample(2, 0.0)
        };
        let (taken, verdicts) = run(&[sample(0, 0.0), sample(1, 1.0), nan, sample(1, 3.0), sample(3, 3.0)]);
        assert_eq!(verdicts[2], Verdict::Refuse(GapCause::NotFinite));
        assert_eq!(verdicts[3], Verdict::Refuse(GapCause::TimeDisorder));
        assert!(taken.iter().all(|s| s.acc.is_finite()));
    }

    #[test]
    fn a_stuck_sensor_becomes_a_gap() {
        let mut input: Vec<_> = (0..10).map(|k| sample(k, k as f64)).collect();
        input.extend((10..40).map(|k| sample(k, 9.0)));
        input.extend((40..50).map(|k| sample(k, k as f64)));
        let (taken, verdicts) = run(&input);
        assert!(verdicts.contains(&Verdict::Refuse(GapCause::Stuck)));
        assert!(verdicts.iter().any(|v| matches!(
            v,
            Verdict::TakeAfterGap {
                cause: GapCause::Stuck,
                ..
            }
        )));
        assert!(taken.len() < 30);
    }
}
