//! How a sensor sits on a shank: up from standing, side to side from the axis it swings about.
//!
//! A shank swings like a pendulum about one axis, so the strongest axis of its angular rate is side to side. Which way
//! is left follows from the foot of the same side, whose pitch rate goes with the shank's (correlation 0.71 to 0.82 over
//! six recorded foot-sides); without that foot, from the forward swing being the short and fast part of a cycle whose
//! rates sum to zero: the rate about the left axis is skewed to the negative side (−0.27 to −0.9 over six recorded
//! shanks, whose fastest forward and backward rates differ by as little as 3 %). That is called approximate.

use super::sacrum_alignment::stride_up;
use super::segment::segment_from_axes;
use super::track::TrackSample;
use crate::model::{Foot, Rotation, Sensor, Shank, Vec3};
use nalgebra::{Matrix3, Vector3};

/// Strides before the axes are believed.
const STRIDES: u32 = 10;

/// Rates below this say nothing about the axis of the swing, rad/s.
const SWING_RATE: f64 = 2.0;

/// How much stronger the swing axis must be than the next (ratio of squares).
const DOMINANCE: f64 = 3.0;

/// Weight kept from stride to stride: about the last hundred count.
const MEMORY: f64 = 0.99;

/// Correlation with the foot's pitch rate that settles the sign.
const FOOT_AGREES: f64 = 0.3;

/// Skewness of the swing rate that settles the sign without a foot.
const SKEWNESS: f64 = 0.15;

/// What the sign of the side-to-side axis rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignFrom {
    /// The foot of the same side.
    Foot,
    /// The short, fast forward swing: approximate.
    Swing,
}

/// The axes of the shank in the sensor.
#[derive(Clone, Copy, Debug)]
pub struct ShankAxes {
    /// Mounting.
    pub segment_from_sensor: Rotation<Shank, Sensor>,
    /// Left axis in the sensor.
    pub left: Vec3<Sensor>,
    /// What the sign rests on.
    pub sign_from: SignFrom,
}

/// What is learned of the mounting so far. Fixed size.
#[derive(Clone, Debug)]
pub struct ShankAlignment {
    up_sum: Vector3<f64>,
    swing: Matrix3<f64>,
    /// Σ ω_shank · ω_y,foot and the two norms that make a correlation of it.
    with_foot: Vector3<f64>,
    shank_power: Matrix3<f64>,
    foot_power: f64,
    /// Axis of the swing as known, kept pointing the same way from stride to stride.
    axis: Option<Vector3<f64>>,
    /// Mean second and third power of the rate about it.
    power: [f64; 2],
    strides: u32,
    strides_with_foot: u32,
}

impl Default for ShankAlignment {
    fn default() -> Self {
        Self {
            up_sum: Vector3::zeros(),
            swing: Matrix3::zeros(),
            with_foot: Vector3::zeros(),
            shank_power: Matrix3::zeros(),
            foot_power: 0.0,
            axis: None,
            power: [0.0; 2],
            strides: 0,
            strides_with_foot: 0,
        }
    }
}

impl ShankAlignment {
    /// Takes the samples of one stride, and those of the aligned foot of the same side over the same time, where worn.
    pub fn note_stride(&mut self, held: &[TrackSample<Sensor>], foot: Option<&[TrackSample<Foot>]>) {
        if held.is_empty() {
            return;
        }
        self.up_sum = self.up_sum * MEMORY + stride_up(held);
        let mut swing = Matrix3::zeros();
        for s in held.iter().filter(|s| s.gyro.norm() > SWING_RATE) {
            swing += s.gyro.v * s.gyro.v.transpose();
        }
        self.swing = self.swing * MEMORY + swing / held.len() as f64;
        if let Some(axis) = strongest(&self.swing).map(|(axis, _)| axis) {
            let axis = match self.axis {
                // The third power changes sign with the axis, so the axis must not flip between strides.
                Some(before) if before.dot(&axis) < 0.0 => -axis,
                _ => axis,
            };
            self.axis = Some(axis);
            for (exponent, sum) in [2, 3].into_iter().zip(&mut self.power) {
                let mean = held.iter().map(|s| s.gyro.v.dot(&axis).powi(exponent)).sum::<f64>() / held.len() as f64;
                *sum = *sum * MEMORY + mean;
            }
        }
        if let Some(foot) = foot {
            self.note_foot(held, foot);
        }
        self.strides += 1;
    }

    fn note_foot(&mut self, held: &[TrackSample<Sensor>], foot: &[TrackSample<Foot>]) {
        let mut next = 0;
        let mut product = Vector3::zeros();
        let mut shank_power = Matrix3::zeros();
        let mut foot_power = 0.0;
        for s in held {
            while next + 1 < foot.len() && foot[next].t < s.t {
                next += 1;
            }
            let Some(f) = foot.get(next) else { return };
            product += s.gyro.v * f.gyro.v.y;
            shank_power += s.gyro.v * s.gyro.v.transpose();
            foot_power += f.gyro.v.y.powi(2);
        }
        let n = held.len() as f64;
        self.with_foot = self.with_foot * MEMORY + product / n;
        self.shank_power = self.shank_power * MEMORY + shank_power / n;
        self.foot_power = self.foot_power * MEMORY + foot_power / n;
        self.strides_with_foot += 1;
    }

    /// The axes, once they can be believed. Without standing, up is the mean over strides: good for rates and axial
    /// peaks, no zero for angles.
    #[must_use]
    pub fn axes(&self, standing_up: Option<Vec3<Sensor>>) -> Option<ShankAxes> {
        if self.strides < STRIDES {
            return None;
        }
        let (_, dominance) = strongest(&self.swing)?;
        if dominance <= DOMINANCE {
            return None;
        }
        let axis = self.axis?;
        let agreement = self.with_foot.dot(&axis);
        let most = (axis.dot(&(self.shank_power * axis)) * self.foot_power).sqrt();
        let (sign, sign_from) = if self.strides_with_foot >= STRIDES && agreement.abs() > FOOT_AGREES * most {
            (agreement.signum(), SignFrom::Foot)
        } else if self.strides_with_foot > 0 {
            return None;
        } else {
            // Swinging forward lifts the toes: a negative rate about the left axis.
            let weight = (1.0 - MEMORY.powi(self.strides.min(10_000) as i32)) / (1.0 - MEMORY);
            let [second, third] = self.power.map(|sum| sum / weight);
            let skewness = third / second.max(1e-9).powf(1.5);
            if skewness.abs() < SKEWNESS {
                return None;
            }
            (-skewness.signum(), SignFrom::Swing)
        };
        let left = Vec3::from_raw(axis * sign);
        let up = match standing_up {
            Some(up) => up,
            None => Vec3::from_raw(self.up_sum.try_normalize(1e-9)?),
        };
        Some(ShankAxes {
            segment_from_sensor: segment_from_axes(up, left)?,
            left,
            sign_from,
        })
    }
}

/// The strongest axis of a sum of squares and its dominance over the second.
fn strongest(sum: &Matrix3<f64>) -> Option<(Vector3<f64>, f64)> {
    let e = sum.symmetric_eigen();
    let largest = e.eigenvalues.imax();
    let second = (0..3)
        .filter(|&i| i != largest)
        .map(|i| e.eigenvalues[i])
        .fold(0.0, f64::max);
    let dominance = e.eigenvalues[largest] / second.max(1e-12);
    dominance
        .is_finite()
        .then(|| (e.eigenvectors.column(largest).into_owned(), dominance))
}
