//! The recent past of one sensor on shank or sacrum: attitude by VQF, look-back, standing, gaps.
//!
//! Alignment needs to look back over whole strides, and strides are known a second after they happened; before the
//! mounting is known they may have to wait much longer. So samples are kept in the sensor's own frame together with
//! their attitude, and turned into the segment's frame only when somebody asks for a stretch of them: what happened
//! before the mounting was known is then not lost, and a better mounting needs no replay.

use super::stride_level::StrideLevel;
use super::track::{Track, TrackSample};
use super::vqf::{Vqf, VqfParams};

use crate::model::units::STANDARD_GRAVITY;
use crate::model::{Absent, Frame, ImuSample, Level, Rotation, Sensor, SessionTime, Span, Vec3};

/// How long samples are held for look-back, s: strides wait at most this long for the mounting to become known.
pub const HOLD_S: f64 = 60.0;

/// After a start or a long gap the filter's inclination is not used for this long: its time constant (3 s, design of
/// VQF, Laidig and Seel 2023).
pub const SETTLE_S: f64 = 3.0;

/// Up to this gap attitude is carried on by the last rate, s; beyond it the filter starts anew.
const COAST_S: f64 = 0.1;

/// A stretch with a hole longer than this is refused, s (the longest hole that is ever filled).
const HOLE_S: f64 = 0.045;

/// Standing still is trusted when each axis of specific force varies less than this (SD), m/s². Twice the figure by
/// which stillness is found, because a runner asked to stand still sways.
const STANDING_SD: f64 = 0.6;

/// How far the mean magnitude in standing may differ from gravity, as a share: scale error and bias of a consumer
/// accelerometer (1 % and 0.25 m/s²) with some room.
const STANDING_MAGNITUDE: f64 = 0.06;

/// How many starts of the filter are remembered: gaps within one hold, of which only the last few matter.
const STARTS: usize = 8;

/// Shortest standing used, s.
const STANDING_MIN_S: f64 = 1.0;

/// How a stretch of standing became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandingSource {
    /// The runner was asked to stand still (or the recording says so): always replaces what was known.
    Asked,
    /// Found as stillness in the data: the newest one before the first stride counts, later ones only while there is
    /// none, because a runner may rest bent over.
    Found,
}

/// Where up is in the sensor while the runner stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StandingUp {
    /// Unit vector against gravity.
    pub up: Vec3<Sensor>,
    /// Where it comes from.
    pub source: StandingSource,
    /// When.
    pub span: Span,
}

/// What became known about a mounting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountingEvent {
    /// The axes of the segment are known now.
    Aligned,
    /// The sensor turned in its strap: axes and standing reference are forgotten and looked for again.
    Moved,
}

/// Attitude and recent past of one sensor. O(1) per sample, no allocation after `new`.
#[derive(Debug)]
pub struct SensorPast {
    vqf: Vqf,
    rate_hz: f64,
    track: Track<Sensor>,
    /// The last starts of the filter, oldest overwritten first.
    starts: [Option<SessionTime>; STARTS],
    next_start: usize,
    standing: Option<StandingUp>,
    waiting: Option<(Span, StandingSource)>,
    /// Whether strides have begun.
    moving: bool,
    level: StrideLevel,
}

impl SensorPast {
    /// For a sensor of this nominal rate, holding [`HOLD_S`] of samples.
    #[must_use]
    pub fn new(rate_hz: f64) -> Self {
        Self {
            vqf: Vqf::new(VqfParams::default(), rate_hz),
            rate_hz,
            track: Track::new((HOLD_S * rate_hz).ceil() as usize),
            starts: [None; STARTS],
            next_start: 0,
            standing: None,
            waiting: None,
            moving: false,
            level: StrideLevel::default(),
        }
    }

    /// Nominal rate, Hz.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }

    /// Adds a sample; samples that do not advance in time are ignored.
    pub fn push(&mut self, s: &ImuSample) {
        if let Some(last) = self.track.last() {
            let dt = s.t.since(last.t);
            if dt <= 0.0 {
                return;
            }
            if dt > COAST_S {
                self.restart(s.t);
            } else if dt > 1.5 / self.rate_hz {
                self.vqf.coast(last.gyro + self.vqf.bias(), dt - 1.0 / self.rate_hz);
            }
        } else {
            self.restart(s.t);
        }
        self.vqf.update(s.gyro, s.acc);
        self.track.push(TrackSample {
            t: s.t,
            acc: s.acc,
            gyro: s.gyro - self.vqf.bias(),
            level_from: self.vqf.level_from_sensor(),
            clip: s.clip,
            filled: s.filled,
        });
        if let Some((span, source)) = self.waiting
            && s.t >= span.end()
        {
            self.waiting = None;
            self.take_standing(span, source);
        }
    }

    /// Samples are missing up to `to`: a long gap makes attitude unknown for a while.
    pub fn note_gap(&mut self, from: SessionTime, to: SessionTime) {
        if to.since(from) > COAST_S {
            self.restart(to);
        }
    }

    fn restart(&mut self, at: SessionTime) {
        // Only once for one gap, whether it was announced or only seen in the time stamps.
        if self.starts.contains(&Some(at)) {
            return;
        }
        // Attitude is lost, the bias of the gyroscope is not.
        let (bias, sigma) = (self.vqf.bias(), self.vqf.bias_sigma());
        self.vqf.reset();
        self.vqf.set_bias(bias, sigma);
        self.level.clear();
        self.starts[self.next_start] = Some(at);
        self.next_start = (self.next_start + 1) % STARTS;
    }

    /// The runner stands still over `span`, which may end after the newest sample.
    pub fn note_standing(&mut self, span: Span, source: StandingSource) {
        if self.track.last().is_some_and(|s| s.t >= span.end()) {
            self.take_standing(span, source);
        } else {
            self.waiting = Some((span, source));
        }
    }

    fn take_standing(&mut self, span: Span, source: StandingSource) {
        let kept = self
            .standing
            .is_some_and(|s| s.source == StandingSource::Asked || self.moving);
        if source == StandingSource::Found && kept {
            return;
        }
        // The first and last moments of a stand are often still a movement.
        let trim = (0.1 * span.secs()).min(0.5);
        let held = self.track.between(span.start().plus(trim), span.end().plus(-trim));
        if let Some(up) = mean_up(held) {
            self.standing = Some(StandingUp { up, source, span });
        }
    }

    /// Takes the speed of travel over a whole stride `[from, to)`, m/s: attitude around it is levelled by it.
    pub fn note_speed(&mut self, from: SessionTime, to: SessionTime, speed: f64) {
        let held = self.track.between(from, to);
        if unbroken(held, from, to).is_ok() {
            self.level.note(held, speed);
        }
    }

    /// Where up is in standing, where known.
    #[must_use]
    pub fn standing(&self) -> Option<StandingUp> {
        self.standing
    }

    /// Strides have begun: takes the mean up direction of one of them, and forgets a standing that cannot have been the
    /// runner's, because it is more than `most` (rad) away: the sensor lay on a table or was put on later.
    pub fn check_standing(&mut self, stride_up: Vec3<Sensor>, most: f64) {
        self.moving = true;
        if self.standing.is_some_and(|s| s.up.v.angle(&stride_up.v) > most) {
            self.standing = None;
        }
    }

    /// Forgets the standing reference (the sensor moved).
    pub fn forget_standing(&mut self) {
        self.standing = None;
    }

    /// The held samples of `[from, to)` in the sensor's frame.
    ///
    /// # Errors
    /// [`Absent::Gap`] when samples are missing there, are no longer held, or attitude had not settled.
    pub fn between(&self, from: SessionTime, to: SessionTime) -> Result<&[TrackSample<Sensor>], Absent> {
        if self
            .starts
            .iter()
            .flatten()
            .any(|&start| to > start && from < start.plus(SETTLE_S))
        {
            return Err(Absent::Gap);
        }
        let held = self.track.between(from, to);
        unbroken(held, from, to)?;
        Ok(held)
    }

    /// Appends the samples of `[from, to)`, turned into the frame of the segment, to `out` after clearing it.
    ///
    /// # Errors
    /// As [`SensorPast::between`].
    pub fn turned_into<F: Frame>(
        &self,
        from: SessionTime,
        to: SessionTime,
        segment_from_sensor: Rotation<F, Sensor>,
        out: &mut Vec<TrackSample<F>>,
    ) -> Result<(), Absent> {
        out.clear();
        let sensor_from_segment = segment_from_sensor.inverse();
        let left = sensor_from_segment * Vec3::new(0.0, 1.0, 0.0);
        let level: Rotation<Level, Level> =
            Rotation::from_raw(self.level.correction(from.plus(0.5 * to.since(from)), left));
        out.extend(self.between(from, to)?.iter().map(|s| TrackSample {
            t: s.t,
            acc: segment_from_sensor * s.acc,
            gyro: segment_from_sensor * s.gyro,
            level_from: level * s.level_from * sensor_from_segment,
            clip: s.clip,
            filled: s.filled,
        }));
        Ok(())
    }

    /// Time of the newest sample.
    #[must_use]
    pub fn now(&self) -> Option<SessionTime> {
        self.track.last().map(|s| s.t)
    }

    /// The newest sample.
    #[must_use]
    pub fn last(&self) -> Option<&TrackSample<Sensor>> {
        self.track.last()
    }
}

/// Whether a slice has no hole between `from` and `to`.
pub(crate) fn unbroken<F: Frame>(held: &[TrackSample<F>], from: SessionTime, to: SessionTime) -> Result<(), Absent> {
    let (Some(first), Some(last)) = (held.first(), held.last()) else {
        return Err(Absent::Gap);
    };
    let whole = first.t.since(from) <= HOLE_S
        && to.since(last.t) <= HOLE_S
        && held.windows(2).all(|w| w[1].t.since(w[0].t) <= HOLE_S);
    if whole { Ok(()) } else { Err(Absent::Gap) }
}

fn mean_up(held: &[TrackSample<Sensor>]) -> Option<Vec3<Sensor>> {
    let (first, last) = (held.first()?, held.last()?);
    if last.t.since(first.t) < STANDING_MIN_S {
        return None;
    }
    let n = held.len() as f64;
    let mean = held.iter().fold(Vec3::zero(), |sum, s| sum + s.acc) * (1.0 / n);
    let still = (0..3).all(|i| {
        let variance = held.iter().map(|s| (s.acc.v[i] - mean.v[i]).powi(2)).sum::<f64>() / n;
        variance.sqrt() < STANDING_SD
    });
    let magnitude = mean.norm();
    let plausible = (magnitude / STANDARD_GRAVITY - 1.0).abs() < STANDING_MAGNITUDE;
    (still && plausible).then(|| mean * (1.0 / magnitude))
}

/// The rotation into a segment frame whose up and left axes are known in the sensor; `left` need not be exactly
/// perpendicular. `None` when the two are (nearly) parallel.
#[must_use]
pub fn segment_from_axes<F: Frame>(up: Vec3<Sensor>, left: Vec3<Sensor>) -> Option<Rotation<F, Sensor>> {
    let z = up.v.try_normalize(1e-6)?;
    let y = (left.v - z * z.dot(&left.v)).try_normalize(1e-6)?;
    let x = y.cross(&z);
    let m = nalgebra::Matrix3::from_rows(&[x.transpose(), y.transpose(), z.transpose()]);
    let r = nalgebra::Rotation3::from_matrix_unchecked(m);
    Some(Rotation::from_raw(nalgebra::UnitQuaternion::from_rotation_matrix(&r)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClipFlags, Sacrum};

    fn at_rest(t: f64) -> ImuSample {
        ImuSample {
            t: SessionTime::from_secs(t),
            acc: Vec3::new(0.0, 0.0, STANDARD_GRAVITY),
            gyro: Vec3::zero(),
            clip: ClipFlags::NONE,
            filled: false,
        }
    }

    fn secs(from: f64, to: f64) -> (SessionTime, SessionTime) {
        (SessionTime::from_secs(from), SessionTime::from_secs(to))
    }

    #[test]
    fn attitude_is_refused_while_it_settles_after_a_start_and_after_a_long_gap() {
        let mut past = SensorPast::new(100.0);
        let mut t = 0.0;
        while t < 20.0 {
            if !(8.0..8.05).contains(&t) && !(12.0..12.5).contains(&t) {
                past.push(&at_rest(t));
            }
            t += 0.01;
        }
        let ask = |from, to| {
            let (from, to) = secs(from, to);
            past.between(from, to).map(<[_]>::len)
        };
        assert_eq!(ask(1.0, 2.0), Err(Absent::Gap), "the filter starts");
        assert_eq!(ask(4.0, 5.0), Ok(100));
        assert_eq!(ask(7.5, 8.5), Err(Absent::Gap), "samples are missing");
        assert!(ask(8.2, 9.2).is_ok(), "attitude is carried over a short gap");
        assert_eq!(ask(13.0, 14.0), Err(Absent::Gap), "the filter starts anew");
        assert!(ask(16.0, 17.0).is_ok());
        assert_eq!(ask(19.5, 20.5), Err(Absent::Gap), "not yet there");
    }

    #[test]
    fn standing_announced_before_it_happened_is_taken_when_it_has() {
        let mut past = SensorPast::new(100.0);
        let (from, to) = secs(1.0, 4.0);
        past.note_standing(Span::new(from, to).expect("forward"), StandingSource::Asked);
        for i in 0..390 {
            past.push(&at_rest(f64::from(i) * 0.01));
        }
        assert!(past.standing().is_none());
        for i in 390..420 {
            past.push(&at_rest(f64::from(i) * 0.01));
        }
        assert!((past.standing().expect("taken").up.v.z - 1.0).abs() < 1e-9);
    }

    #[test]
    fn axes_need_not_be_square_but_must_not_be_parallel() {
        let up = Vec3::new(0.0, 0.0, 2.0);
        let r = segment_from_axes::<Sacrum>(up, Vec3::new(0.0, 1.0, 0.7)).expect("axes");
        assert!((r.q.angle()).abs() < 1e-12);
        assert!(segment_from_axes::<Sacrum>(up, Vec3::new(0.0, 0.0, 1.0)).is_none());
    }
}
