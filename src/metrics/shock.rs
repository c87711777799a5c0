//! The largest of a short, sharp signal, below the frequencies at which straps and shells ring.

use crate::model::Frame;
use crate::orientation::TrackSample;

/// Low-pass before a peak is read, Hz: the usual choice for tibial shock (docs/signal-chain.md).
const CUTOFF_HZ: f64 = 60.0;

/// Above this share of the sampling rate a low-pass at [`CUTOFF_HZ`] would shape nothing but its own edge.
const SHARE_OF_RATE: f64 = 0.4;

/// The largest `value` over the stretch, with specific force low-passed (second order, from rest at the first sample).
/// Zero for an empty stretch, which callers have refused before.
pub(crate) fn peak<F: Frame>(samples: &[TrackSample<F>], value: impl Fn(&TrackSample<F>) -> f64) -> f64 {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return 0.0;
    };
    let rate = (samples.len() - 1) as f64 / last.t.since(first.t).max(f64::MIN_POSITIVE);
    if samples.len() < 3 || CUTOFF_HZ > SHARE_OF_RATE * rate {
        return samples.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
    }
    // Second-order Butterworth by the bilinear transform.
    let k = (std::f64::consts::PI * CUTOFF_HZ / rate).tan();
    let norm = 1.0 / (1.0 + std::f64::consts::SQRT_2 * k + k * k);
    let b = k * k * norm;
    let (a1, a2) = (
        2.0 * (k * k - 1.0) * norm,
        (1.0 - std::f64::consts::SQRT_2 * k + k * k) * norm,
    );
    let (mut x1, mut x2) = (first.acc.v, first.acc.v);
    let (mut y1, mut y2) = (first.acc.v, first.acc.v);
    let mut largest = f64::NEG_INFINITY;
    for s in samples {
        let y = (s.acc.v + x1 * 2.0 + x2) * b - y1 * a1 - y2 * a2;
        (x2, x1) = (x1, s.acc.v);
        (y2, y1) = (y1, y);
        largest = largest.max(value(&TrackSample {
            acc: crate::model::Vec3::from_raw(y),
            ..*s
        }));
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClipFlags, Rotation, Sensor, SessionTime, Vec3};

    fn tone(hz: f64) -> f64 {
        let samples: Vec<TrackSample<Sensor>> = (0..400)
            .map(|i| TrackSample {
                t: SessionTime::from_secs(f64::from(i) / 400.0),
                acc: Vec3::new(0.0, 0.0, (std::f64::consts::TAU * hz * f64::from(i) / 400.0).sin()),
                gyro: Vec3::zero(),
                level_from: Rotation::identity(),
                clip: ClipFlags::NONE,
                filled: false,
            })
            .collect();
        peak(&samples, |s| s.acc.v.z)
    }

    #[test]
    fn slow_shocks_pass_and_ringing_does_not() {
        assert!((tone(10.0) - 1.0).abs() < 0.02);
        assert!((tone(60.0) - 0.707).abs() < 0.08);
        assert!(tone(150.0) < 0.15);
    }
}
