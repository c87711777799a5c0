//! Where a converter's rail is, when nobody says: learned from flat tops in the data.
//!
//! A limb never holds one angular rate or one specific force near its largest value: around a smooth peak of width τ the
//! value leaves 1 % of its top within 0.14 τ, and the neighbouring samples differ by far more than noise. A run of
//! neighbouring samples that stays near the largest magnitude seen and hardly changes is therefore the rail. Factory
//! calibration mixes a little of the other axes into a clipped one, so that real plateaus drift by about 1 %
//! (8.77–8.86 rad/s within one swing on a ±500 °/s unit); the rule allows for that and keeps the *lowest* plateau value.
//!
//! Rails differ between axes and between the two signs of one axis, so all twelve are kept apart. Flags are judged when a
//! stride is closed, with what is known by then; strides already given out keep their values.

use crate::model::{ClipFlags, Sensor, Vec3};
use nalgebra::Vector3;

/// Neighbours of a plateau differ by less than this share of the largest magnitude of the axis.
const STEP_SHARE: f64 = 0.003;
/// A plateau lies above this share of the largest magnitude of the axis.
const TOP_SHARE: f64 = 0.96;
/// Samples a plateau must last: five neighbours at 200 Hz are 20 ms, in which a limb at 60 rad/s² or more (running swing:
/// 100 and above) changes by over 1 rad/s.
const MIN_RUN: u32 = 5;
/// Slow turns can be flat; below these magnitudes nothing is called a rail (smallest common full scales: 250 °/s, 4 g).
const GYRO_FLOOR: f64 = 4.2;
const ACC_FLOOR: f64 = 38.0;
/// A learned rail counts as reached from this share on: the rate that is judged has its bias removed (up to 2 °/s).
const RAIL_SHARE: f64 = 0.995;
/// A declared full scale counts as reached from this share on.
pub const DECLARED_SHARE: f64 = 0.995;

#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    largest: f64,
    previous: f64,
    run: u32,
    run_low: f64,
    rail: Option<f64>,
}

impl Lane {
    /// Takes the magnitude of one signed half-axis (0 when the value has the other sign); true when a rail is first seen.
    fn observe(&mut self, value: f64, floor: f64) -> bool {
        if value > self.largest {
            self.largest = value;
        }
        let flat = value > floor
            && value > TOP_SHARE * self.largest
            && (value - self.previous).abs() < STEP_SHARE * self.largest;
        self.run_low = if flat && self.run > 0 {
            self.run_low.min(value)
        } else {
            value
        };
        self.run = if flat { self.run + 1 } else { 0 };
        self.previous = value;
        if self.run >= MIN_RUN {
            let known = self.rail;
            self.rail = Some(known.map_or(self.run_low, |r| r.min(self.run_low)));
            return known.is_none();
        }
        false
    }

    fn clipped(&self, value: f64) -> bool {
        self.rail.is_some_and(|r| value >= r * RAIL_SHARE)
    }
}

/// Learns the rails of one sensor and judges samples by them.
#[derive(Clone, Debug, Default)]
pub struct RailLearner {
    acc: [[Lane; 2]; 3],
    gyro: [[Lane; 2]; 3],
    acc_range: Option<f64>,
    gyro_range: Option<f64>,
}

impl RailLearner {
    /// A learner; declared full scales (m/s², rad/s) are used as they are.
    #[must_use]
    pub fn new(acc_range: Option<f64>, gyro_range: Option<f64>) -> Self {
        Self {
            acc_range,
            gyro_range,
            ..Self::default()
        }
    }

    /// Takes one raw sample; true when a rail was seen for the first time.
    pub fn observe(&mut self, acc: &Vec3<Sensor>, gyro: &Vec3<Sensor>) -> bool {
        let mut new = false;
        for i in 0..3 {
            for (half, sign) in [(0, 1.0), (1, -1.0)] {
                if self.acc_range.is_none() {
                    new |= self.acc[i][half].observe((sign * acc.v[i]).max(0.0), ACC_FLOOR);
                }
                if self.gyro_range.is_none() {
                    new |= self.gyro[i][half].observe((sign * gyro.v[i]).max(0.0), GYRO_FLOOR);
                }
            }
        }
        new
    }

    /// Which axes of a raw sample stand at a rail known so far.
    #[must_use]
    pub fn judge(&self, acc: &Vector3<f64>, gyro: &Vector3<f64>) -> ClipFlags {
        ClipFlags::from_axes(
            std::array::from_fn(|i| at_rail(acc[i], self.acc_range, &self.acc[i])),
            std::array::from_fn(|i| at_rail(gyro[i], self.gyro_range, &self.gyro[i])),
        )
    }
}

fn at_rail(value: f64, declared: Option<f64>, lanes: &[Lane; 2]) -> bool {
    match declared {
        Some(range) => value.abs() >= DECLARED_SHARE * range,
        None => lanes[usize::from(value < 0.0)].clipped(value.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swing(t: f64) -> f64 {
        12.0 * (-((t - 0.3) / 0.08).powi(2)).exp()
    }

    #[test]
    fn a_flat_top_is_a_rail_and_a_smooth_peak_is_not() {
        for (limit, expect) in [(f64::INFINITY, false), (8.8, true)] {
            let mut learner = RailLearner::new(None, None);
            let mut seen = false;
            for k in 0..200 {
                let w = swing(f64::from(k) * 0.005).min(limit) + 0.004 * f64::from(k % 3);
                seen |= learner.observe(&Vec3::zero(), &Vec3::new(0.0, -w, 0.1));
            }
            assert_eq!(seen, expect, "limit {limit}");
            if expect {
                assert!(learner.judge(&Vector3::zeros(), &Vector3::new(0.0, -8.81, 0.0)).gyro(1));
                assert!(
                    !learner.judge(&Vector3::zeros(), &Vector3::new(0.0, 8.81, 0.0)).gyro(1),
                    "other sign unknown"
                );
                assert!(
                    !learner
                        .judge(&Vector3::zeros(), &Vector3::new(0.0, -8.0, 0.0))
                        .any_gyro()
                );
            }
        }
    }

    #[test]
    fn a_declared_range_needs_no_learning() {
        let learner = RailLearner::new(Some(156.9), Some(34.9));
        let flags = learner.judge(&Vector3::new(-156.9, 0.0, 100.0), &Vector3::new(0.0, 34.8, 0.0));
        assert!(flags.acc(0) && !flags.acc(2) && flags.gyro(1));
    }
}
