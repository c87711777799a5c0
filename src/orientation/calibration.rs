//! Standing still before a run: accepted, or refused with the sensor, the number and the limit.
//!
//! Five seconds in which every sensor is there, none moves, none is at its rail and each feels gravity and nothing else. A
//! disturbance starts the five seconds anew for all of them, because they must be the *same* five seconds; when none were
//! found within the patience, the newest disturbance is the reason of the refusal.
//!
//! What comes of it: the bias of each gyroscope, where up is in each sensor, and how far that is from last time. An angle
//! between two calibrations says that a sensor sits differently or that the runner stands differently; it cannot tell which.

use crate::model::units::{STANDARD_GRAVITY, deg, rad};
use crate::model::{ImuSample, Placement, SegmentKind, SensorEvent, SessionTime};
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

/// What standing still means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationLimits {
    /// Stillness needed, s.
    pub still_s: f64,
    /// Given up after this long, s.
    pub patience_s: f64,
    /// Largest rate against its own mean on foot, shank and sacrum, rad/s: 3 °/s as for stillness anywhere else; a standing
    /// foot moves less than what is above it, hence 2 °/s there \[D\].
    pub rate: [f64; 3],
    /// Largest bias of a gyroscope, rad/s: consumer parts are sold with ±1 °/s; five times that is a slow turn \[D\].
    pub bias: f64,
    /// How far mean specific force may differ from gravity, as a share: scale error and bias of a consumer accelerometer.
    pub gravity_share: f64,
    /// A sensor without a sample for this long is not there, s.
    pub silent_s: f64,
}

impl Default for CalibrationLimits {
    fn default() -> Self {
        Self {
            still_s: 5.0,
            patience_s: 20.0,
            rate: [rad(2.0), rad(3.0), rad(3.0)],
            bias: rad(5.0),
            gravity_share: 0.06,
            silent_s: 0.5,
        }
    }
}

/// Why standing was not accepted. Values and limits in SI units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The sensor moved: rate and limit, rad/s.
    Moved {
        /// The sensor.
        placement: Placement,
        /// Largest rate seen, rad/s.
        rate: f64,
        /// Limit, rad/s.
        limit: f64,
    },
    /// The mean rate is no bias of a gyroscope any more, rad/s: a slow turn, or a broken sensor.
    Biased {
        /// The sensor.
        placement: Placement,
        /// Mean rate, rad/s.
        rate: f64,
        /// Limit, rad/s.
        limit: f64,
    },
    /// Mean specific force is not gravity, m/s².
    NotGravity {
        /// The sensor.
        placement: Placement,
        /// Its magnitude, m/s².
        magnitude: f64,
        /// Largest difference from 9.80665 allowed, m/s².
        limit: f64,
    },
    /// No samples for this long, s.
    Silent {
        /// The sensor.
        placement: Placement,
        /// Since when, s; the patience for one that never spoke.
        secs: f64,
        /// Limit, s.
        limit: f64,
    },
    /// At the rail of the converter.
    Clipped {
        /// The sensor.
        placement: Placement,
    },
}

impl Refusal {
    /// As a person reads it: `sacrum sensor moved 3.1 °/s (limit 3.0)`.
    #[must_use]
    pub fn reason(&self) -> String {
        let name = |p: Placement| p.name().replace('_', " ");
        match *self {
            Self::Moved { placement, rate, limit } => {
                format!(
                    "{} sensor moved {:.1} °/s (limit {:.1})",
                    name(placement),
                    deg(rate),
                    deg(limit)
                )
            }
            Self::Biased { placement, rate, limit } => {
                format!(
                    "{} sensor turns or is off by {:.1} °/s (limit {:.1})",
                    name(placement),
                    deg(rate),
                    deg(limit)
                )
            }
            Self::NotGravity {
                placement,
                magnitude,
                limit,
            } => format!(
                "{} sensor feels {magnitude:.2} m/s² ({STANDARD_GRAVITY:.2} ± {limit:.2} expected)",
                name(placement)
            ),
            Self::Silent { placement, secs, limit } => {
                format!("{} sensor silent for {secs:.1} s (limit {limit:.1})", name(placement))
            }
            Self::Clipped { placement } => format!("{} sensor at its limit", name(placement)),
        }
    }
}

/// One sensor in standing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorStanding {
    /// The sensor.
    pub placement: Placement,
    /// Bias of its gyroscope, rad/s, sensor axes.
    pub gyro_bias: [f64; 3],
    /// Unit vector against gravity, sensor axes.
    pub up: [f64; 3],
    /// Mean magnitude of specific force, m/s².
    pub magnitude: f64,
    /// Largest rate against the mean in the five seconds, rad/s.
    pub largest_rate: f64,
}

impl SensorStanding {
    /// Angle between the sensor's z axis and up, rad, 0 to π.
    #[must_use]
    pub fn tilt(&self) -> f64 {
        self.up[2].clamp(-1.0, 1.0).acos()
    }
}

/// Accepted standing: kept in the kit's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// First still instant.
    pub from: SessionTime,
    /// Last still instant.
    pub to: SessionTime,
    /// The sensors, in the order of [`Placement::ALL`].
    pub sensors: Vec<SensorStanding>,
}

impl Calibration {
    /// How far each sensor's up direction is from an earlier calibration, rad; sensors that only one of them has are left
    /// out. Turning about the vertical is not seen.
    #[must_use]
    pub fn turned_since(&self, earlier: &Self) -> Vec<(Placement, f64)> {
        let other = |p| earlier.sensors.iter().find(|s| s.placement == p);
        let turn = |s: &SensorStanding| {
            let (a, b) = (Vector3::from(s.up), Vector3::from(other(s.placement)?.up));
            Some((s.placement, a.cross(&b).norm().atan2(a.dot(&b))))
        };
        self.sensors.iter().filter_map(turn).collect()
    }
}

/// How far the check is.
#[derive(Clone, Debug, PartialEq)]
pub enum CalibrationState {
    /// Not decided: share of the stillness seen, 0..1, and what last started it anew.
    Progress {
        /// 0..1.
        share: f64,
        /// The newest disturbance, if any.
        disturbed: Option<Refusal>,
    },
    /// Given up.
    Refused(Refusal),
    /// Accepted.
    Done(Calibration),
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    placement: Placement,
    n: f64,
    gyro: Vector3<f64>,
    acc: Vector3<f64>,
    largest_rate: f64,
    low: Vector3<f64>,
    high: Vector3<f64>,
    newest: Option<SessionTime>,
}

impl Watched {
    fn clear(&mut self) {
        (self.n, self.gyro, self.acc, self.largest_rate) = (0.0, Vector3::zeros(), Vector3::zeros(), 0.0);
        (self.low, self.high) = (Vector3::repeat(f64::INFINITY), Vector3::repeat(f64::NEG_INFINITY));
    }

    /// Largest departure of any axis from the mean, rad/s: also of the first samples, which had no mean to be judged by.
    fn departure(&self) -> f64 {
        let mean = self.gyro / self.n.max(1.0);
        (self.high - mean).max().max((mean - self.low).max())
    }
}

/// Rates are compared with the mean once it is made of this many samples: noise of single ones is below 0.2 °/s.
const MEAN_OF: f64 = 10.0;
/// A disturbance rings on; the stillness begins anew this long after it, s.
const SETTLE_S: f64 = 0.3;

/// Decides on standing as the samples come. After a decision further events change nothing.
#[derive(Clone, Debug)]
pub struct CalibrationCheck {
    limits: CalibrationLimits,
    sensors: Vec<Watched>,
    began: Option<SessionTime>,
    still_since: Option<SessionTime>,
    /// After a disturbance nothing counts before this.
    resume_at: Option<SessionTime>,
    now: Option<SessionTime>,
    disturbed: Option<Refusal>,
    decided: Option<Result<Calibration, Refusal>>,
}

impl CalibrationCheck {
    /// A check of these sensors; others are ignored.
    #[must_use]
    pub fn new(sensors: &[Placement], limits: CalibrationLimits) -> Self {
        let watch = |placement| Watched {
            placement,
            n: 0.0,
            gyro: Vector3::zeros(),
            acc: Vector3::zeros(),
            largest_rate: 0.0,
            low: Vector3::repeat(f64::INFINITY),
            high: Vector3::repeat(f64::NEG_INFINITY),
            newest: None,
        };
        let all = Placement::ALL.into_iter().filter(|p| sensors.contains(p));
        Self {
            limits,
            sensors: all.map(watch).collect(),
            began: None,
            still_since: None,
            resume_at: None,
            now: None,
            disturbed: None,
            decided: None,
        }
    }

    /// Takes an event; only samples count.
    pub fn push(&mut self, event: &SensorEvent) {
        let SensorEvent::Sample(placement, sample) = event else {
            return;
        };
        if self.decided.is_some() || !self.sensors.iter().any(|s| s.placement == *placement) {
            return;
        }
        let began = *self.began.get_or_insert(sample.t);
        let now = self.now.map_or(sample.t, |n| n.max(sample.t));
        self.now = Some(now);
        let trouble = self.take(*placement, sample).or_else(|| self.silent(began, now));
        if let Some(trouble) = trouble {
            self.start_anew(trouble);
        } else if self.resume_at.is_none_or(|t| now >= t)
            && now.since(*self.still_since.get_or_insert(now)) >= self.limits.still_s
        {
            match self.accept(now) {
                Ok(done) => self.decided = Some(Ok(done)),
                Err(trouble) => self.start_anew(trouble),
            }
        }
        if self.decided.is_none()
            && now.since(began) >= self.limits.patience_s
            && let Some(why) = self.disturbed
        {
            self.decided = Some(Err(why));
        }
    }

    fn start_anew(&mut self, trouble: Refusal) {
        self.disturbed = Some(trouble);
        self.still_since = None;
        self.resume_at = self.now.map(|n| n.plus(SETTLE_S));
        self.sensors.iter_mut().for_each(Watched::clear);
    }

    fn rate_limit(&self, placement: Placement) -> f64 {
        self.limits.rate[match placement.segment() {
            SegmentKind::Foot => 0,
            SegmentKind::Shank => 1,
            SegmentKind::Sacrum => 2,
        }]
    }

    fn take(&mut self, placement: Placement, sample: &ImuSample) -> Option<Refusal> {
        let limit = self.rate_limit(placement);
        let settling = self.resume_at.is_some_and(|t| sample.t < t);
        let s = self.sensors.iter_mut().find(|s| s.placement == placement)?;
        if !sample.acc.is_finite() || !sample.gyro.is_finite() {
            return None;
        }
        s.newest = Some(s.newest.map_or(sample.t, |n| n.max(sample.t)));
        if sample.clip.any_acc() || sample.clip.any_gyro() {
            return Some(Refusal::Clipped { placement });
        }
        if settling {
            return None;
        }
        s.n += 1.0;
        s.gyro += sample.gyro.v;
        s.acc += sample.acc.v;
        s.low = s.low.inf(&sample.gyro.v);
        s.high = s.high.sup(&sample.gyro.v);
        if s.n > MEAN_OF {
            let rate = (sample.gyro.v - s.gyro / s.n).norm();
            s.largest_rate = s.largest_rate.max(rate);
            if rate > limit {
                return Some(Refusal::Moved { placement, rate, limit });
            }
        }
        None
    }

    fn silent(&self, began: SessionTime, now: SessionTime) -> Option<Refusal> {
        let limit = self.limits.silent_s;
        self.sensors.iter().find_map(|s| {
            let secs = now.since(s.newest.unwrap_or(began));
            let placement = s.placement;
            (secs > limit).then_some(Refusal::Silent { placement, secs, limit })
        })
    }

    fn accept(&self, to: SessionTime) -> Result<Calibration, Refusal> {
        let mut sensors = Vec::with_capacity(self.sensors.len());
        for s in &self.sensors {
            let placement = s.placement;
            let limit = self.limits.silent_s;
            let Some(newest) = s.newest.filter(|_| s.n > MEAN_OF) else {
                return Err(Refusal::Silent {
                    placement,
                    secs: self.limits.still_s,
                    limit,
                });
            };
            if to.since(newest) > limit {
                return Err(Refusal::Silent {
                    placement,
                    secs: to.since(newest),
                    limit,
                });
            }
            let (rate, most) = (s.departure(), self.rate_limit(placement));
            if rate > most {
                return Err(Refusal::Moved {
                    placement,
                    rate,
                    limit: most,
                });
            }
            let (bias, force) = (s.gyro / s.n, s.acc / s.n);
            let magnitude = force.norm();
            let limit = self.limits.gravity_share * STANDARD_GRAVITY;
            if (magnitude - STANDARD_GRAVITY).abs() > limit {
                return Err(Refusal::NotGravity {
                    placement,
                    magnitude,
                    limit,
                });
            }
            if bias.norm() > self.limits.bias {
                return Err(Refusal::Biased {
                    placement,
                    rate: bias.norm(),
                    limit: self.limits.bias,
                });
            }
            sensors.push(SensorStanding {
                placement,
                gyro_bias: bias.into(),
                up: (force / magnitude).into(),
                magnitude,
                largest_rate: s.largest_rate,
            });
        }
        let from = self.still_since.unwrap_or(to);
        Ok(Calibration { from, to, sensors })
    }

    /// How far the check is.
    #[must_use]
    pub fn state(&self) -> CalibrationState {
        match &self.decided {
            Some(Ok(done)) => CalibrationState::Done(done.clone()),
            Some(Err(why)) => CalibrationState::Refused(*why),
            None => {
                let still = self
                    .still_since
                    .zip(self.now)
                    .map_or(0.0, |(from, now)| now.since(from));
                CalibrationState::Progress {
                    share: (still / self.limits.still_s).clamp(0.0, 1.0),
                    disturbed: self.disturbed,
                }
            }
        }
    }

    /// Nothing more comes: a refusal for what is missing, unless it was decided before. A check that saw no sample at all
    /// names its first sensor.
    pub fn finish(&mut self) {
        let (limit, secs) = (self.limits.silent_s, self.limits.patience_s);
        if self.decided.is_none()
            && let Some(first) = self
                .sensors
                .iter()
                .find(|s| s.newest.is_none())
                .or(self.sensors.first())
        {
            let silent = Refusal::Silent {
                placement: first.placement,
                secs,
                limit,
            };
            self.decided = Some(Err(self.disturbed.unwrap_or(silent)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClipFlags, Vec3};

    const WORN: [Placement; 2] = [Placement::LeftFoot, Placement::Sacrum];

    /// Feeds `secs` of two sensors at 100 Hz, `bend` changing the samples; gives the state at the end.
    fn run(secs: f64, bend: impl Fn(Placement, f64, &mut ImuSample) -> bool) -> (CalibrationState, Vec<f64>) {
        let mut check = CalibrationCheck::new(&WORN, CalibrationLimits::default());
        let mut shares = Vec::new();
        for k in 0..(secs * 100.0) as i64 {
            let t = 0.01 * k as f64;
            for placement in WORN {
                let noise = rad(0.2) * (1.7 * k as f64).sin();
                let mut s = ImuSample {
                    t: SessionTime::from_secs(t),
                    acc: Vec3::new(
                        0.0,
                        STANDARD_GRAVITY * rad(6.0).sin(),
                        STANDARD_GRAVITY * rad(6.0).cos(),
                    ),
                    gyro: Vec3::new(rad(0.7) + noise, 0.0, -rad(0.3)),
                    clip: ClipFlags::NONE,
                    filled: false,
                };
                if bend(placement, t, &mut s) {
                    check.push(&SensorEvent::Sample(placement, s));
                }
            }
            if let CalibrationState::Progress { share, .. } = check.state() {
                shares.push(share);
            }
        }
        (check.state(), shares)
    }

    #[test]
    fn stillness_gives_bias_and_tilt_and_progress_on_the_way() {
        let (state, shares) = run(6.0, |_, _, _| true);
        let CalibrationState::Done(done) = state else {
            panic!("{state:?}")
        };
        assert_eq!(done.sensors.len(), 2);
        for s in &done.sensors {
            assert!((s.gyro_bias[0] - rad(0.7)).abs() < rad(0.02) && (s.gyro_bias[2] + rad(0.3)).abs() < 1e-9);
            assert!((s.tilt() - rad(6.0)).abs() < 1e-6);
        }
        assert!((done.to.since(done.from) - 5.0).abs() < 0.02);
        assert!(shares.windows(2).all(|w| w[0] <= w[1]) && shares[250] > 0.4 && shares[250] < 0.6);
        let mut earlier = done.clone();
        earlier.sensors[1].up = [0.0, 0.0, 1.0];
        let turned = done.turned_since(&earlier);
        assert!(turned[0].1 < 1e-9 && (turned[1].1 - rad(6.0)).abs() < 1e-9);
    }

    #[test]
    fn moving_starts_anew_and_moving_on_is_refused_with_numbers() {
        let nudge = |until: f64| {
            move |p: Placement, t: f64, s: &mut ImuSample| {
                if p == Placement::Sacrum && t % 2.0 > 1.9 && t < until {
                    s.gyro = Vec3::new(rad(0.7), rad(3.1), -rad(0.3));
                }
                true
            }
        };
        let (once, _) = run(10.0, nudge(3.0));
        assert!(
            matches!(&once, CalibrationState::Done(d) if d.from.secs() > 1.9),
            "{once:?}"
        );
        let (always, _) = run(30.0, nudge(60.0));
        let CalibrationState::Refused(why) = always else {
            panic!("{always:?}")
        };
        assert_eq!(why.reason(), "sacrum sensor moved 3.1 °/s (limit 3.0)");
    }

    #[test]
    fn a_missing_clipped_or_odd_sensor_is_named() {
        let (silent, _) = run(30.0, |p, t, _| p != Placement::LeftFoot || t < 3.0);
        assert!(
            matches!(
                silent,
                CalibrationState::Refused(Refusal::Silent {
                    placement: Placement::LeftFoot,
                    ..
                })
            ),
            "{silent:?}"
        );
        let (never, _) = run(30.0, |p, _, _| p != Placement::LeftFoot);
        assert!(
            matches!(never, CalibrationState::Refused(Refusal::Silent { .. })),
            "{never:?}"
        );
        let (odd, _) = run(30.0, |_, _, s| {
            s.acc = Vec3::new(0.0, 0.0, 10.6);
            true
        });
        assert!(
            matches!(odd, CalibrationState::Refused(Refusal::NotGravity { .. })),
            "{odd:?}"
        );
        let (clipped, _) = run(30.0, |p, t, s| {
            if p == Placement::Sacrum && t % 1.0 < 0.02 {
                s.clip = ClipFlags::from_axes([true, false, false], [false; 3]);
            }
            true
        });
        assert_eq!(
            clipped,
            CalibrationState::Refused(Refusal::Clipped {
                placement: Placement::Sacrum
            })
        );
        let (turning, _) = run(30.0, |_, _, s| {
            s.gyro = Vec3::new(0.0, 0.0, rad(6.0));
            true
        });
        assert!(
            matches!(turning, CalibrationState::Refused(Refusal::Biased { .. })),
            "{turning:?}"
        );
    }
}
