//! The runner's own mid-stance speed, from references of known length.
//!
//! The foot is taken to rest at mid-stance; a given foot in a given shoe creeps or rolls a little, which makes every
//! stride short or long by δ · T. A lap, a straight by satellite, or a treadmill's own speed tells δ: a Kalman filter of
//! one state, kept in information form, where fading never lets it know less than before the first reference. Published:
//! bias of speed 0.08 ± 0.10 m/s without and 0.00 ± 0.01 m/s with (Falbriard 2021, PMC8014039).
//!
//! Few numbers are asked of few references. A slope over speed is added only after three speeds half a metre per second
//! apart. The height of the sensor above the ground (r_z) can be learned *instead*, never beside: at one speed both say the
//! same. More regressors on a handful of laps could not be told apart and are not offered.

use serde::{Deserialize, Serialize};

/// Spread of δ over people, m/s.
const PRIOR_SIGMA: f64 = 0.05;
/// Spread of its slope over speed, m/s per m/s.
const SLOPE_SIGMA: f64 = 0.02;
/// Speed at which δ is told, m/s.
const SLOPE_CENTRE: f64 = 3.0;
/// Speeds that tell a slope: how many, how far apart (m/s).
const SLOPE_SPEEDS: usize = 3;
const SLOPE_APART: f64 = 0.5;
/// What one segment differs from the next beside its reference, m/s.
const SEGMENT_SIGMA: f64 = 0.02;
/// What one more segment leaves of the weight of the earlier ones.
const FORGETTING: f64 = 0.995;
/// Spread of the height of a sensor, m, and what a metre of it makes of a length (0.2 % a centimetre).
const HEIGHT_SIGMA: f64 = 0.02;
const LENGTH_PER_HEIGHT: f64 = 0.2;
/// Least distance of a reference, m.
const SHORTEST_M: f64 = 200.0;
/// Least share of the reference's time that strides cover: a missed stride would be taken for slowness.
const COVERED: f64 = 0.97;
/// Largest standard deviation of stride speeds over their mean.
const STEADY: f64 = 0.05;
/// Largest residual believed, in its own standard deviations.
const BELIEVED: f64 = 4.0;

/// What is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// The speed of the foot at mid-stance, δ.
    MidStanceSpeed,
    /// The height of the sensor above the ground, against the default.
    SensorHeight,
}

/// Where a known length came from. Its error has a part that differs from segment to segment and a part that does not:
/// laps on the same treadmill do not make its belt truer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// A lap of a measured track.
    Lap,
    /// A straight by satellite, at least 200 m.
    Satellite,
    /// The speed shown by a treadmill, times time.
    Treadmill,
}

impl ReferenceKind {
    /// Error common to all segments of the kind, as a share of length. Treadmill: ±2 % evenly. A lap run 30 cm from the
    /// kerb's measuring line is 0.5 % long. Ours, not measured.
    fn common_share(self) -> f64 {
        match self {
            Self::Lap => 0.005,
            Self::Satellite => 0.002,
            Self::Treadmill => 0.0115,
        }
    }
}

/// A stretch of running whose length is known, and what the strides of it said (one foot, uncorrected).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceSegment {
    /// Where the length came from.
    pub kind: ReferenceKind,
    /// The known length, m.
    pub length_m: f64,
    /// Its standard deviation from segment to segment, m.
    pub sigma_m: f64,
    /// The time it took, s.
    pub secs: f64,
    /// Sum of stride lengths, m.
    pub stride_length_m: f64,
    /// Sum of stride times (mid-stance to mid-stance), s.
    pub stride_secs: f64,
    /// Standard deviation over mean of stride speeds.
    pub speed_variation: f64,
}

/// Why a reference was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotUsed {
    /// Shorter than 200 m, or a number that cannot be.
    TooShort,
    /// Speed varied by more than 5 %.
    NotSteady,
    /// Strides cover less than 97 % of the time, or more than all of it.
    StridesMissing,
    /// Too far from everything known before: a wrong length is likelier than such a foot.
    NotBelieved,
}

/// The correction of one foot. Plain values, to be kept between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Personal {
    parameter: Parameter,
    /// Fading sums Σ w, Σ w u, Σ w u² with u = v − 3 m/s, and Σ w z, Σ w u z.
    weights: [f64; 3],
    values: [f64; 2],
    /// Speeds seen that are half a metre per second apart from each other.
    speeds: Vec<f64>,
    /// Smallest common error among the references, as a share of length.
    common_share: f64,
    segments: u32,
}

/// A correction at a speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    /// To be added to the speed of a stride, m/s; to its length, times its time.
    pub speed: f64,
    /// Its standard deviation, m/s.
    pub sigma: f64,
}

impl Correction {
    /// Standard deviation of a corrected stride's speed, m/s, from its length's own (m) and its time (s).
    #[must_use]
    pub fn sigma_speed(&self, length_sigma_m: f64, secs: f64) -> f64 {
        self.sigma.hypot(length_sigma_m / secs)
    }
}

impl Personal {
    /// Nothing known yet.
    #[must_use]
    pub fn new(parameter: Parameter) -> Self {
        Self {
            parameter,
            weights: [0.0; 3],
            values: [0.0; 2],
            speeds: Vec::new(),
            common_share: 0.0,
            segments: 0,
        }
    }

    /// What is learned. To learn the other one, begin anew.
    #[must_use]
    pub fn parameter(&self) -> Parameter {
        self.parameter
    }

    /// References used.
    #[must_use]
    pub fn segments(&self) -> u32 {
        self.segments
    }

    /// Whether a slope over speed is told: references at three speeds, each 0.5 m/s from the others.
    #[must_use]
    pub fn tells_slope(&self) -> bool {
        self.parameter == Parameter::MidStanceSpeed && self.speeds.len() >= SLOPE_SPEEDS
    }

    /// Takes a reference.
    ///
    /// # Errors
    /// See [`NotUsed`]; the state is as before.
    pub fn learn(&mut self, segment: &ReferenceSegment) -> Result<(), NotUsed> {
        check(segment)?;
        // The strides cover nearly all of the time; what they do not cover was run at the same speed.
        let length = segment.length_m * segment.stride_secs / segment.secs;
        let speed = segment.length_m / segment.secs;
        let residual = (length - segment.stride_length_m) / segment.stride_secs;
        let own = (segment.sigma_m / segment.secs).hypot(SEGMENT_SIGMA);
        // The common error is not averaged away by more segments; here it widens what is believed.
        let common = segment.kind.common_share() * speed;
        let now = self.at(speed);
        if (residual - now.speed).abs() > BELIEVED * own.hypot(common).hypot(now.sigma) {
            return Err(NotUsed::NotBelieved);
        }
        // Residual speed = gain · parameter: 1 for δ, 0.2/m · v for a height.
        let (z, sigma) = match self.parameter {
            Parameter::MidStanceSpeed => (residual, own),
            Parameter::SensorHeight => (residual / height_gain(speed), own / height_gain(speed)),
        };
        let (w, u) = (1.0 / (sigma * sigma), speed - SLOPE_CENTRE);
        for (k, term) in [1.0, u, u * u].into_iter().enumerate() {
            self.weights[k] = FORGETTING * self.weights[k] + w * term;
        }
        for (k, term) in [1.0, u].into_iter().enumerate() {
            self.values[k] = FORGETTING * self.values[k] + w * term * z;
        }
        if self.speeds.iter().all(|s| (s - speed).abs() >= SLOPE_APART) {
            self.speeds.push(speed);
        }
        self.common_share = if self.segments == 0 {
            segment.kind.common_share()
        } else {
            self.common_share.min(segment.kind.common_share())
        };
        self.segments += 1;
        Ok(())
    }

    /// The correction at a speed, m/s. Before any reference it is 0 ± 0.05 m/s.
    #[must_use]
    pub fn at(&self, speed: f64) -> Correction {
        let [w0, w1, w2] = self.weights;
        let [z0, z1] = self.values;
        let (value, variance) = match self.parameter {
            Parameter::SensorHeight => {
                let information = w0 + HEIGHT_SIGMA.powi(-2);
                let gain = height_gain(speed);
                (gain * z0 / information, gain * gain / information)
            }
            Parameter::MidStanceSpeed if self.tells_slope() => {
                // Normal equations of (δ, β) with both priors; positive definite by the priors alone.
                let (a, b, d) = (w0 + PRIOR_SIGMA.powi(-2), w1, w2 + SLOPE_SIGMA.powi(-2));
                let determinant = a * d - b * b;
                let u = speed - SLOPE_CENTRE;
                let (delta, beta) = ((d * z0 - b * z1) / determinant, (a * z1 - b * z0) / determinant);
                (delta + beta * u, (d - 2.0 * b * u + a * u * u) / determinant)
            }
            Parameter::MidStanceSpeed => {
                let information = w0 + PRIOR_SIGMA.powi(-2);
                (z0 / information, 1.0 / information)
            }
        };
        let common = self.common_share * speed;
        Correction {
            speed: value,
            sigma: variance.sqrt().hypot(common),
        }
    }

    /// The height of the sensor against the default, m, where that is what is learned.
    #[must_use]
    pub fn height_m(&self) -> Option<f64> {
        (self.parameter == Parameter::SensorHeight).then(|| self.values[0] / (self.weights[0] + HEIGHT_SIGMA.powi(-2)))
    }
}

fn height_gain(speed: f64) -> f64 {
    LENGTH_PER_HEIGHT * speed.max(0.5)
}

fn check(s: &ReferenceSegment) -> Result<(), NotUsed> {
    let numbers = [s.length_m, s.sigma_m, s.secs, s.stride_length_m, s.stride_secs];
    let sound = numbers.iter().all(|n| n.is_finite() && *n >= 0.0) && s.secs > 0.0 && s.stride_secs > 0.0;
    if !sound || s.length_m < SHORTEST_M {
        return Err(NotUsed::TooShort);
    }
    if s.speed_variation.is_nan() || s.speed_variation > STEADY {
        return Err(NotUsed::NotSteady);
    }
    if !(COVERED..=1.0 + (1.0 - COVERED)).contains(&(s.stride_secs / s.secs)) {
        return Err(NotUsed::StridesMissing);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::chance::Chance;
    use super::*;

    const LAP_M: f64 = 400.0;

    /// A lap at `speed` by a foot that creeps by `delta`, with noise of the segment and of the length.
    fn lap(chance: &mut Chance, speed: f64, delta: f64) -> ReferenceSegment {
        let secs = LAP_M / speed;
        let stride_secs = secs * (1.0 - 0.01 * chance.even());
        let length = speed * stride_secs;
        ReferenceSegment {
            kind: ReferenceKind::Lap,
            length_m: LAP_M + chance.normal(),
            sigma_m: 1.0,
            secs,
            stride_length_m: length - (delta + 0.02 * chance.normal()) * stride_secs,
            stride_secs,
            speed_variation: 0.02,
        }
    }

    fn learned(seed: u64, laps: &[f64], delta: impl Fn(f64) -> f64) -> Personal {
        let mut chance = Chance::new(seed);
        let mut p = Personal::new(Parameter::MidStanceSpeed);
        for v in laps {
            p.learn(&lap(&mut chance, *v, delta(*v))).expect("a good lap");
        }
        p
    }

    #[test]
    fn before_any_reference_nothing_is_corrected() {
        let c = Personal::new(Parameter::MidStanceSpeed).at(3.3);
        assert_eq!((c.speed, c.sigma), (0.0, PRIOR_SIGMA));
        // 1 cm in 0.7 s beside it.
        assert!((c.sigma_speed(0.01, 0.7) - 0.05_f64.hypot(0.01 / 0.7)).abs() < 1e-12);
    }

    #[test]
    fn finds_a_known_creep_from_noisy_laps_and_says_how_well() {
        let (mut error, mut squares, runs) = (0.0, 0.0, 200);
        for seed in 0..runs {
            let truth = 0.05 * Chance::new(seed + 1000).normal();
            let c = learned(seed, &[3.3; 8], |_| truth).at(3.3);
            error += c.speed - truth;
            squares += (c.speed - truth).powi(2);
            assert!(c.sigma < 0.02, "{c:?}");
        }
        let rms = (squares / runs as f64).sqrt();
        assert!((error / runs as f64).abs() < 0.003);
        // Eight laps of 0.022 m/s each leave 0.008 m/s; what is published adds the kerb, 0.5 % of 3.3 m/s.
        assert!((0.005..0.011).contains(&rms), "{rms}");
    }

    #[test]
    fn a_slope_is_told_at_three_speeds_only() {
        let two = learned(1, &[2.8, 3.4, 2.8, 3.4], |_| 0.04);
        assert!(!two.tells_slope());
        assert_eq!(two.at(2.0).speed, two.at(4.5).speed);
        // Three speeds, but too close to each other.
        assert!(!learned(1, &[2.8, 3.2, 3.6], |_| 0.04).tells_slope());
        let truth = |v: f64| 0.03 + 0.03 * (v - 3.0);
        let laps: Vec<f64> = (0..24).map(|k| [2.6, 3.4, 4.2][k % 3]).collect();
        let three = learned(2, &laps, truth);
        assert!(three.tells_slope());
        for v in [2.6, 3.4, 4.2] {
            assert!((three.at(v).speed - truth(v)).abs() < 0.02, "{v}: {:?}", three.at(v));
        }
        // Outside what it was learned at it grows unsure.
        assert!(three.at(6.5).sigma > three.at(3.4).sigma);
    }

    #[test]
    fn what_could_not_be_told_is_refused() {
        let mut chance = Chance::new(3);
        let mut p = Personal::new(Parameter::MidStanceSpeed);
        let good = lap(&mut chance, 3.0, 0.05);
        let before = p.clone();
        let cases = [
            (
                ReferenceSegment {
                    length_m: 150.0,
                    ..good
                },
                NotUsed::TooShort,
            ),
            (
                ReferenceSegment {
                    length_m: f64::NAN,
                    ..good
                },
                NotUsed::TooShort,
            ),
            (ReferenceSegment { secs: 0.0, ..good }, NotUsed::TooShort),
            (
                ReferenceSegment {
                    speed_variation: 0.08,
                    ..good
                },
                NotUsed::NotSteady,
            ),
            (
                ReferenceSegment {
                    speed_variation: f64::NAN,
                    ..good
                },
                NotUsed::NotSteady,
            ),
            (
                ReferenceSegment {
                    stride_secs: 0.9 * good.secs,
                    ..good
                },
                NotUsed::StridesMissing,
            ),
            // The runner's lap button came one lap late.
            (
                ReferenceSegment {
                    length_m: 2.0 * LAP_M,
                    ..good
                },
                NotUsed::NotBelieved,
            ),
        ];
        for (segment, why) in cases {
            assert_eq!(p.learn(&segment), Err(why));
        }
        assert_eq!(p, before);
        assert_eq!(p.learn(&good), Ok(()));
    }

    #[test]
    fn many_minutes_on_one_treadmill_do_not_make_its_belt_truer() {
        let mut p = Personal::new(Parameter::MidStanceSpeed);
        for _ in 0..200 {
            let segment = ReferenceSegment {
                kind: ReferenceKind::Treadmill,
                length_m: 900.0,
                sigma_m: 2.0,
                secs: 300.0,
                stride_length_m: 890.0,
                stride_secs: 300.0,
                speed_variation: 0.02,
            };
            p.learn(&segment).expect("good");
        }
        let c = p.at(3.0);
        assert!((c.speed - 10.0 / 300.0).abs() < 0.001);
        assert!(c.sigma > 0.0345, "1.15 % of 3 m/s stay: {c:?}");
    }

    #[test]
    fn a_new_shoe_is_learned_within_some_laps() {
        let mut chance = Chance::new(6);
        let mut p = Personal::new(Parameter::MidStanceSpeed);
        (0..40).for_each(|_| p.learn(&lap(&mut chance, 3.0, 0.0)).expect("good"));
        let old = p.at(3.0).speed;
        (0..40).for_each(|_| p.learn(&lap(&mut chance, 3.0, 0.06)).expect("good"));
        // Equal numbers of laps, the old ones faded to 0.995^40 = 0.82 of their weight.
        let new = p.at(3.0).speed;
        assert!(old.abs() < 0.01 && new > 0.030 && new < 0.037, "{old} {new}");
    }

    #[test]
    fn height_is_learned_instead_of_speed_and_never_beside_it() {
        let mut chance = Chance::new(7);
        let mut p = Personal::new(Parameter::SensorHeight);
        // 2 cm higher: 0.4 % of length, 0.012 m/s at 3 m/s.
        for k in 0..60 {
            let v = [2.6, 3.4, 4.2][k % 3];
            p.learn(&lap(&mut chance, v, 0.004 * v)).expect("good");
        }
        assert!(
            (p.height_m().expect("height") - 0.02).abs() < 0.008,
            "{:?}",
            p.height_m()
        );
        assert!(!p.tells_slope());
        assert!((p.at(4.0).speed / p.at(2.0).speed - 2.0).abs() < 1e-9);
        assert_eq!(Personal::new(Parameter::MidStanceSpeed).height_m(), None);
    }
}
