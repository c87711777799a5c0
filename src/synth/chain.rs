//! From true motion to counts: one sensor's errors, applied in the order of the signal's way.
//!
//! What happens before the converter is continuous in time, so it is computed on a grid several times finer than the
//! samples; a landing shock of 10 ms would otherwise pass between them unfiltered.

use super::faults::{AntiAlias, AxisErrors, Bias, Clips, Faults, Noise, Resonance};
use super::rng::{Purpose, Rng};
use crate::model::Placement;
use nalgebra::{Matrix3, Vector3};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Rate of the fine grid, Hz, at least.
const FINE_RATE_HZ: f64 = 800.0;

/// A second-order filter by the bilinear transform, with its frequency kept, on three axes at once.
#[derive(Clone, Debug)]
struct SecondOrder {
    forward: [f64; 3],
    back: [f64; 2],
    inputs: [Vector3<f64>; 2],
    outputs: [Vector3<f64>; 2],
    primed: bool,
}

impl SecondOrder {
    /// ω²/(s² + 2ζωs + ω²).
    fn low_pass(hz: f64, damping: f64, rate_hz: f64) -> Self {
        let k = libm::tan(PI * hz / rate_hz);
        Self::new([k * k, 2.0 * k * k, k * k], k, damping)
    }

    /// (2ζωs + ω²)/(s² + 2ζωs + ω²): what a mass on a spring and damper feels of the motion of its base. Unlike the
    /// low-pass it has no delay for slow motion.
    fn base_excited(hz: f64, damping: f64, rate_hz: f64) -> Self {
        let k = libm::tan(PI * hz / rate_hz);
        let damped = 2.0 * damping * k;
        Self::new([k * k + damped, 2.0 * k * k, k * k - damped], k, damping)
    }

    fn new(forward: [f64; 3], k: f64, damping: f64) -> Self {
        let norm = 1.0 / (1.0 + 2.0 * damping * k + k * k);
        Self {
            forward: forward.map(|b| b * norm),
            back: [2.0 * (k * k - 1.0) * norm, (1.0 - 2.0 * damping * k + k * k) * norm],
            inputs: [Vector3::zeros(); 2],
            outputs: [Vector3::zeros(); 2],
            primed: false,
        }
    }

    fn push(&mut self, x: Vector3<f64>) -> Vector3<f64> {
        if !self.primed {
            // Begins settled: the runner stood before the recording began.
            *self = Self {
                inputs: [x; 2],
                outputs: [x; 2],
                primed: true,
                ..*self
            };
        }
        let [x1, x2] = self.inputs;
        let [y1, y2] = self.outputs;
        let [b0, b1, b2] = self.forward;
        let y = x * b0 + x1 * b1 + x2 * b2 - y1 * self.back[0] - y2 * self.back[1];
        self.inputs = [x, x1];
        self.outputs = [y, y1];
        y
    }
}

/// Limits and scales of a converter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Converter {
    /// Full scale, m/s² and rad/s.
    pub(super) acc_range: f64,
    pub(super) gyro_range: f64,
}

impl Converter {
    /// Value of one count, m/s² and rad/s.
    pub(super) fn scales(&self) -> (f64, f64) {
        (self.acc_range / 32768.0, self.gyro_range / 32768.0)
    }
}

/// The errors of one sensor.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    converter: Converter,
    resonance: Option<SecondOrder>,
    anti_alias: Option<(SecondOrder, SecondOrder, Clips)>,
    acc_axes: Matrix3<f64>,
    gyro_axes: Matrix3<f64>,
    g_sensitivity: Matrix3<f64>,
    acc_bias: Vector3<f64>,
    gyro_bias: Vector3<f64>,
    /// Standard deviations of one sample: noise and bias step.
    noise: (f64, f64),
    walk: (f64, f64),
    rng: Rng,
    fine_steps: usize,
}

impl Chain {
    pub(super) fn new(faults: &Faults, placement: Placement, converter: Converter, rate_hz: f64, seed: u64) -> Self {
        let mut fixed = Rng::stream(seed, Purpose::Imperfections, placement.index());
        let resonance = faults.resonance[placement.segment() as usize];
        let continuous = resonance.is_some() || faults.anti_alias.is_some();
        let fine_steps = if continuous {
            (FINE_RATE_HZ / rate_hz).ceil().max(1.0) as usize
        } else {
            1
        };
        let fine_rate = rate_hz * fine_steps as f64;
        let anti_alias = faults.anti_alias.map(|AntiAlias { cutoff_share, clips }| {
            let filter = SecondOrder::low_pass(cutoff_share * rate_hz, FRAC_1_SQRT_2, fine_rate);
            (filter.clone(), filter, clips)
        });
        // The draws are made whatever is switched on, so that no switch moves another error's dice.
        let mut draw = |sd: f64| Vector3::new(fixed.normal(), fixed.normal(), fixed.normal()) * sd;
        let axes = faults.axes.unwrap_or(AxisErrors {
            scale: 0.0,
            misalignment_rad: 0.0,
            g_sensitivity: 0.0,
        });
        let mut imperfect = || {
            let (scale, skew) = (draw(axes.scale * 0.577), draw(axes.misalignment_rad));
            let scale = scale.map(|s| s.clamp(-axes.scale, axes.scale));
            let m = Matrix3::identity() + Matrix3::from_diagonal(&scale);
            m + Matrix3::new(0.0, -skew.z, skew.y, skew.z, 0.0, -skew.x, -skew.y, skew.x, 0.0)
        };
        let (acc_axes, gyro_axes) = (imperfect(), imperfect());
        let g = axes.g_sensitivity;
        let g_sensitivity = Matrix3::from_columns(&[draw(g), draw(g), draw(g)]);
        let bias = faults.bias.unwrap_or(Bias {
            acc: 0.0,
            gyro: 0.0,
            acc_walk: 0.0,
            gyro_walk: 0.0,
        });
        let noise = faults.noise.unwrap_or(Noise {
            acc_density: 0.0,
            gyro_density: 0.0,
        });
        let (band, step) = ((0.5 * rate_hz).sqrt(), (1.0 / rate_hz).sqrt());
        Self {
            converter,
            resonance: resonance.map(|Resonance { hz, damping }| SecondOrder::base_excited(hz, damping, fine_rate)),
            anti_alias,
            acc_axes,
            gyro_axes,
            g_sensitivity,
            acc_bias: draw(bias.acc),
            gyro_bias: draw(bias.gyro),
            noise: (noise.acc_density * band, noise.gyro_density * band),
            walk: (bias.acc_walk * step, bias.gyro_walk * step),
            rng: Rng::stream(seed, Purpose::Noise, placement.index()),
            fine_steps,
        }
    }

    /// Points of the fine grid per sample; the last of them is the sample's own instant.
    pub(super) fn fine_steps(&self) -> usize {
        self.fine_steps
    }

    /// Everything before the converter, at one point of the fine grid.
    pub(super) fn front_end(&mut self, acc: Vector3<f64>, gyro: Vector3<f64>) -> (Vector3<f64>, Vector3<f64>) {
        let acc = match &mut self.resonance {
            Some(filter) => filter.push(acc),
            None => acc,
        };
        match &mut self.anti_alias {
            None => (acc, gyro),
            Some((acc_filter, gyro_filter, clips)) => {
                let (a, w) = (self.converter.acc_range, self.converter.gyro_range);
                let (acc, gyro) = match clips {
                    Clips::BeforeLowPass => (acc.map(|x| x.clamp(-a, a)), gyro.map(|x| x.clamp(-w, w))),
                    Clips::AfterLowPass => (acc, gyro),
                };
                (acc_filter.push(acc), gyro_filter.push(gyro))
            }
        }
    }

    /// The counts of one sample from what the front end delivers.
    pub(super) fn convert(&mut self, acc: Vector3<f64>, gyro: Vector3<f64>) -> ([i16; 3], [i16; 3]) {
        let mut rng = |sd: f64| {
            let z = Vector3::new(self.rng.normal(), self.rng.normal(), self.rng.normal());
            z * sd
        };
        self.acc_bias += rng(self.walk.0);
        self.gyro_bias += rng(self.walk.1);
        let read_acc = self.acc_axes * acc + self.acc_bias + rng(self.noise.0);
        let read_gyro = self.gyro_axes * gyro + self.g_sensitivity * acc + self.gyro_bias + rng(self.noise.1);
        let (acc_scale, gyro_scale) = self.converter.scales();
        (counts(&read_acc, acc_scale), counts(&read_gyro, gyro_scale))
    }
}

fn counts(v: &Vector3<f64>, scale: f64) -> [i16; 3] {
    // `as` saturates at the ends of the range, which is what a converter does.
    [v.x, v.y, v.z].map(|x| (x / scale).round() as i16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resonance_passes_slow_motion_undelayed_and_amplifies_its_own_frequency() {
        let rate = 1600.0;
        let response = |hz: f64| {
            let mut filter = SecondOrder::base_excited(30.0, 0.2, rate);
            let (mut peak, mut lag) = (0.0_f64, 0.0_f64);
            for i in 0..6400 {
                let x = libm::sin(2.0 * PI * hz * f64::from(i) / rate);
                let y = filter.push(Vector3::x() * x).x;
                if i > 4800 {
                    peak = peak.max(y.abs());
                    lag = lag.max((x - y).abs());
                }
            }
            (peak, lag)
        };
        // Gain 1 + (f/f₀)² and no delay: the difference is of second order too.
        assert!((response(1.0).0 - 1.0).abs() < 0.005 && response(1.0).1 < 0.005);
        // √(1 + 4ζ²)/2ζ at the natural frequency.
        assert!((response(30.0).0 - 1.16_f64.sqrt() / 0.4).abs() < 0.03);
        assert!(response(300.0).0 < 0.05);
    }

    #[test]
    fn what_exceeds_the_range_stands_at_the_rail() {
        let converter = Converter {
            acc_range: 160.0,
            gyro_range: 35.0,
        };
        let mut chain = Chain::new(&Faults::none(), Placement::LeftFoot, converter, 200.0, 1);
        let (acc, gyro) = chain.convert(Vector3::new(500.0, -500.0, 80.0), Vector3::new(-99.0, 0.0, 17.5));
        assert_eq!(acc, [i16::MAX, i16::MIN, 16384]);
        assert_eq!(gyro, [i16::MIN, 0, 16384]);
    }

    #[test]
    fn one_switch_does_not_move_another_errors_dice() {
        let converter = Converter {
            acc_range: 160.0,
            gyro_range: 35.0,
        };
        let mut without = Faults::typical();
        without.axes = None;
        let a = Chain::new(&Faults::typical(), Placement::Sacrum, converter, 200.0, 9);
        let b = Chain::new(&without, Placement::Sacrum, converter, 200.0, 9);
        assert_eq!(a.acc_bias, b.acc_bias);
        assert_ne!(a.acc_axes, b.acc_axes);
        assert_eq!(b.acc_axes, Matrix3::identity());
    }
}
