//! Sensors knocked together three times, before and after a run: what the clocks are apart, seen by all of them at once.
//!
//! A knock is a sharp peak of specific force in every sensor at the same true instant. Peaks are read to a part of a sample by
//! a parabola. A train of three to six of them with quiet before and after is a knock check; steps come in longer trains
//! and are none. Between two sensors the trains are laid on each other by the shift that makes most peaks meet, within
//! half a second; the mean of what is left is the offset, its scatter tells how far to believe it. Stomping does as well,
//! but the shock then takes some milliseconds from the shoe to the waist.

use crate::model::units::STANDARD_GRAVITY;
use crate::model::{ImuSample, Placement};

/// Smallest peak of specific force against gravity, m/s²: twice gravity; setting a sensor down gently stays below \[D\].
const PEAK: f64 = 2.0 * STANDARD_GRAVITY;
/// A knock rings: peaks this close are one, s; and neighbours of one train are at most this far apart, s.
const RINGS_S: f64 = 0.12;
/// See [`RINGS_S`].
const SPACING_S: f64 = 1.5;
/// Knocks in a train.
const KNOCKS: std::ops::RangeInclusive<usize> = 3..=6;
/// Largest offset looked for, s.
const WITHIN_S: f64 = 0.5;
/// Peaks meet when they are this close after shifting, s: three samples at 200 Hz.
const MEET_S: f64 = 0.015;
/// Largest scatter of a result, s (standard deviation of one knock).
const SCATTER_S: f64 = 0.010;

/// What two sensors' clocks are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnockOffset {
    /// First sensor.
    pub first: Placement,
    /// Second sensor.
    pub second: Placement,
    /// Mean of (second − first), s: positive when the second one's times are late.
    pub offset_s: f64,
    /// Standard deviation of single knocks, s.
    pub scatter_s: f64,
    /// Knocks used.
    pub n: usize,
}

/// Why no knock was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKnock {
    /// Fewer than two sensors.
    OneSensor,
    /// This sensor saw fewer than three sharp peaks.
    TooFewPeaks {
        /// The sensor.
        placement: Placement,
        /// How many.
        peaks: usize,
    },
    /// Peaks there are, but no three to six of them stand alone.
    NoTrain {
        /// The sensor.
        placement: Placement,
        /// How many peaks.
        peaks: usize,
    },
    /// The trains of two sensors do not fit each other within half a second.
    DoNotMeet {
        /// First sensor.
        first: Placement,
        /// Second sensor.
        second: Placement,
    },
}

impl NoKnock {
    /// As a person reads it.
    #[must_use]
    pub fn reason(&self) -> String {
        let name = |p: &Placement| p.name().replace('_', " ");
        match self {
            Self::OneSensor => "one sensor alone has nothing to compare with".into(),
            Self::TooFewPeaks { placement, peaks } => {
                format!("the {} sensor felt {peaks} knocks of the three needed", name(placement))
            }
            Self::NoTrain { placement, peaks } => format!(
                "the {} sensor felt {peaks} knocks, but no three with quiet around them",
                name(placement)
            ),
            Self::DoNotMeet { first, second } => format!(
                "the knocks of {} and {} do not fit each other within half a second",
                name(first),
                name(second)
            ),
        }
    }
}

/// The offsets of all pairs of sensors from one stretch of recording (some ten seconds in which the sensors were knocked).
///
/// # Errors
/// [`NoKnock`] with the first sensor or pair in which it fails.
pub fn knock_offsets(sensors: &[(Placement, &[ImuSample])]) -> Result<Vec<KnockOffset>, NoKnock> {
    if sensors.len() < 2 {
        return Err(NoKnock::OneSensor);
    }
    let mut trains = Vec::with_capacity(sensors.len());
    for (placement, samples) in sensors {
        trains.push((*placement, trains_of(*placement, samples)?));
    }
    let mut found = Vec::new();
    for (i, (first, a)) in trains.iter().enumerate() {
        for (second, b) in &trains[i + 1..] {
            let pairs = a.iter().flat_map(|x| b.iter().filter_map(|y| meet(x, y)));
            let best = pairs.reduce(|p, q| if (q.2, -q.1) > (p.2, -p.1) { q } else { p });
            let (first, second) = (*first, *second);
            let (offset_s, scatter_s, n) = best.ok_or(NoKnock::DoNotMeet { first, second })?;
            found.push(KnockOffset {
                first,
                second,
                offset_s,
                scatter_s,
                n,
            });
        }
    }
    Ok(found)
}

fn trains_of(placement: Placement, samples: &[ImuSample]) -> Result<Vec<Vec<f64>>, NoKnock> {
    let peaks = peaks_of(samples);
    let count = peaks.len();
    if count < *KNOCKS.start() {
        return Err(NoKnock::TooFewPeaks {
            placement,
            peaks: count,
        });
    }
    let mut trains: Vec<Vec<f64>> = Vec::new();
    for t in peaks {
        match trains.last_mut() {
            Some(train) if train.last().is_some_and(|l| t - l <= SPACING_S) => train.push(t),
            _ => trains.push(vec![t]),
        }
    }
    trains.retain(|train| KNOCKS.contains(&train.len()));
    if trains.is_empty() {
        return Err(NoKnock::NoTrain {
            placement,
            peaks: count,
        });
    }
    Ok(trains)
}

/// Instants of the highest sample of each ring, s, by a parabola through three.
fn peaks_of(samples: &[ImuSample]) -> Vec<f64> {
    let force = |s: &ImuSample| (s.acc.norm() - STANDARD_GRAVITY).abs();
    let mut peaks: Vec<(f64, f64)> = Vec::new();
    for w in samples.windows(3) {
        let [a, b, c] = [force(&w[0]), force(&w[1]), force(&w[2])];
        if !(b > PEAK && b >= a && b > c) {
            continue;
        }
        let bend = a - 2.0 * b + c;
        let shift = if bend < 0.0 {
            (0.5 * (a - c) / bend).clamp(-0.5, 0.5)
        } else {
            0.0
        };
        let t = w[1].t.secs() + shift * 0.5 * w[2].t.since(w[0].t);
        match peaks.last_mut() {
            // The highest of a ring is its first blow; a later, higher one replaces it.
            Some(last) if t - last.0 < RINGS_S => {
                if b > last.1 {
                    *last = (t, b);
                }
            }
            _ => peaks.push((t, b)),
        }
    }
    peaks.into_iter().map(|(t, _)| t).collect()
}

/// Mean, standard deviation and number of the peaks that meet under the best shift.
fn meet(a: &[f64], b: &[f64]) -> Option<(f64, f64, usize)> {
    let shifts = a
        .iter()
        .flat_map(|x| b.iter().map(move |y| y - x))
        .filter(|s| s.abs() <= WITHIN_S);
    let mut best: Option<(f64, f64, usize)> = None;
    for shift in shifts {
        let near = |x: &f64| b.iter().map(|y| y - x).find(|d| (d - shift).abs() <= MEET_S);
        let n = a.iter().filter_map(near).count();
        if n < *KNOCKS.start() {
            continue;
        }
        let mean = a.iter().filter_map(near).sum::<f64>() / n as f64;
        let variance = a.iter().filter_map(near).map(|d| (d - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0);
        let candidate = (mean, variance.sqrt(), n);
        if best.is_none_or(|b| (n, -candidate.1) > (b.2, -b.1)) {
            best = Some(candidate);
        }
    }
    best.filter(|b| b.1 <= SCATTER_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClipFlags, SessionTime, Vec3};

    /// Knocks at `at`, each a half sine of 12 ms with a ring, sampled from an instant of its own; clock late by `late`.
    fn recorded(at: &[f64], late: f64, phase: f64, scale: f64) -> Vec<ImuSample> {
        let force = |t: f64| {
            let blow = at.iter().map(|k| {
                let d = t - k + 0.006;
                if (0.0..0.1).contains(&d) {
                    scale * (std::f64::consts::PI * d / 0.012).sin() * (-d / 0.015).exp()
                } else {
                    0.0
                }
            });
            blow.sum::<f64>()
        };
        let sample = |k: i32| {
            let t = f64::from(k) * 0.005 + phase;
            ImuSample {
                t: SessionTime::from_secs(t + late),
                acc: Vec3::new(0.3 * (1.3 * f64::from(k)).sin(), force(t), STANDARD_GRAVITY),
                gyro: Vec3::zero(),
                clip: ClipFlags::NONE,
                filled: false,
            }
        };
        (0..2400).map(sample).collect()
    }

    #[test]
    fn offsets_come_out_to_a_part_of_a_sample() {
        for late in [-0.4, -0.0123, 0.0031, 0.3] {
            let at = [5.0, 5.62, 6.2];
            let a = recorded(&at, 0.0, 0.0, 150.0);
            let b = recorded(&at, late, 0.0017, 220.0);
            let c = recorded(&at, 0.5 * late, 0.0041, 90.0);
            let found = knock_offsets(&[
                (Placement::LeftFoot, &a),
                (Placement::RightFoot, &b),
                (Placement::Sacrum, &c),
            ])
            .expect("three knocks");
            assert_eq!(found.len(), 3);
            assert!((found[0].offset_s - late).abs() < 0.0015, "{found:?}");
            assert!((found[2].offset_s + 0.5 * late).abs() < 0.0015, "{found:?}");
            assert!(found.iter().all(|f| f.n == 3 && f.scatter_s < 0.002), "{found:?}");
        }
    }

    #[test]
    fn steps_silence_and_other_knocks_are_not_a_check_and_the_reason_is_said() {
        let good = recorded(&[5.0, 5.6, 6.3], 0.0, 0.0, 150.0);
        let steps: Vec<f64> = (0..25).map(|k| 2.0 + 0.35 * f64::from(k)).collect();
        let steps = recorded(&steps, 0.0, 0.0, 150.0);
        let still = recorded(&[], 0.0, 0.0, 150.0);
        let later = recorded(&[7.0, 7.6, 8.3], 0.0, 0.0, 150.0);
        let uneven = recorded(&[5.0, 5.9, 6.3], 0.0, 0.0, 150.0);
        let ask = |other: &[ImuSample]| knock_offsets(&[(Placement::LeftFoot, &good), (Placement::Sacrum, other)]);
        assert!(matches!(
            ask(&steps),
            Err(NoKnock::NoTrain {
                placement: Placement::Sacrum,
                ..
            })
        ));
        assert!(matches!(ask(&still), Err(NoKnock::TooFewPeaks { peaks: 0, .. })));
        assert!(matches!(ask(&later), Err(NoKnock::DoNotMeet { .. })));
        assert!(matches!(ask(&uneven), Err(NoKnock::DoNotMeet { .. })));
        assert_eq!(knock_offsets(&[(Placement::Sacrum, &good)]), Err(NoKnock::OneSensor));
    }
}
