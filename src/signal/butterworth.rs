//! Second-order Butterworth low-pass filters, one value or a fixed number of lanes at a time.
//!
//! Coefficients by the bilinear transform with pre-warping; state in transposed direct form II. Two ways to start:
//! [`Butterworth2`] from its first input as if that had always been there; [`MeanStarted`] with the running mean of the
//! first time constant, which suits quantities whose first value says little (Laidig and Seel 2023).

use std::f64::consts::{PI, SQRT_2, TAU};

/// Numerator and denominator (a₀ = 1) of a second-order section.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficients {
    /// Numerator.
    pub b: [f64; 3],
    /// Denominator without its leading 1.
    pub a: [f64; 2],
}

impl Coefficients {
    /// Low-pass with −3 dB at `cutoff_hz`; the cutoff is held below the Nyquist rate.
    #[must_use]
    pub fn low_pass(cutoff_hz: f64, rate_hz: f64) -> Self {
        // tan(π/2) has no bound; 0.49 of the rate is as good as no filter.
        let c = (PI * (cutoff_hz / rate_hz).clamp(1e-9, 0.49)).tan();
        let d = c * c + SQRT_2 * c + 1.0;
        let b0 = c * c / d;
        Self {
            b: [b0, 2.0 * b0, b0],
            a: [2.0 * (c * c - 1.0) / d, (1.0 - SQRT_2 * c + c * c) / d],
        }
    }

    /// Low-pass with the time constant τ of the step response's damping: f_c = √2 / (2π τ).
    #[must_use]
    pub fn time_constant(tau_s: f64, rate_hz: f64) -> Self {
        Self::low_pass(SQRT_2 / (TAU * tau_s), rate_hz)
    }

    /// Group delay at zero frequency, s, of a low-pass with this cutoff: √2 / (2 f_s tan(π f_c / f_s)), which tends to
    /// √2 / (2π f_c) at high rates.
    #[must_use]
    pub fn group_delay_s(cutoff_hz: f64, rate_hz: f64) -> f64 {
        SQRT_2 / (2.0 * rate_hz * (PI * (cutoff_hz / rate_hz).clamp(1e-9, 0.49)).tan())
    }

    fn steady_state(&self, x: f64) -> [f64; 2] {
        [x * (1.0 - self.b[0]), x * (self.b[2] - self.a[1])]
    }
}

/// A low-pass of one value.
#[derive(Clone, Debug)]
pub struct Butterworth2 {
    c: Coefficients,
    state: Option<[f64; 2]>,
}

impl Butterworth2 {
    /// A low-pass that starts in steady state at its first input.
    #[must_use]
    pub fn low_pass(cutoff_hz: f64, rate_hz: f64) -> Self {
        Self {
            c: Coefficients::low_pass(cutoff_hz, rate_hz),
            state: None,
        }
    }

    /// Filters one value.
    pub fn step(&mut self, x: f64) -> f64 {
        let Coefficients { b, a } = self.c;
        let [s0, s1] = self.state.unwrap_or_else(|| self.c.steady_state(x));
        let y = b[0] * x + s0;
        self.state = Some([b[1] * x - a[0] * y + s1, b[2] * x - a[1] * y]);
        y
    }

    /// Forgets everything; the next input is a new start.
    pub fn reset(&mut self) {
        self.state = None;
    }
}

/// A low-pass of `N` values with common coefficients that puts out their running mean during the first time constant.
#[derive(Clone, Debug)]
pub struct MeanStarted<const N: usize> {
    c: Coefficients,
    s0: [f64; N],
    s1: [f64; N],
    /// Inputs still averaged; `None` once the filter runs.
    starting: Option<u32>,
    start_samples: u32,
}

impl<const N: usize> MeanStarted<N> {
    /// With time constant `tau_s`, which is also the length of the start.
    #[must_use]
    pub fn new(tau_s: f64, rate_hz: f64) -> Self {
        // The first n with n / rate ≥ τ; the small term keeps an exact product from rounding up.
        let start_samples = (tau_s * rate_hz - 1e-9).ceil().max(1.0) as u32;
        Self {
            c: Coefficients::time_constant(tau_s, rate_hz),
            s0: [0.0; N],
            s1: [0.0; N],
            starting: Some(0),
            start_samples,
        }
    }

    /// Filters one value of each lane.
    #[inline]
    pub fn step(&mut self, x: &[f64; N]) -> [f64; N] {
        if let Some(n) = self.starting {
            return self.start(x, n + 1);
        }
        let Coefficients { b, a } = self.c;
        let mut y = [0.0; N];
        for i in 0..N {
            y[i] = b[0] * x[i] + self.s0[i];
            self.s0[i] = b[1] * x[i] - a[0] * y[i] + self.s1[i];
            self.s1[i] = b[2] * x[i] - a[1] * y[i];
        }
        y
    }

    fn start(&mut self, x: &[f64; N], n: u32) -> [f64; N] {
        let mut mean = [0.0; N];
        for i in 0..N {
            self.s0[i] += x[i];
            mean[i] = self.s0[i] / f64::from(n);
        }
        if n >= self.start_samples {
            for (i, m) in mean.iter().enumerate() {
                [self.s0[i], self.s1[i]] = self.c.steady_state(*m);
            }
            self.starting = None;
        } else {
            self.starting = Some(n);
        }
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain at a frequency from the transfer function itself.
    fn gain(c: &Coefficients, f: f64, rate: f64) -> f64 {
        let w = TAU * f / rate;
        let mag = |p0: f64, p1: f64, p2: f64| {
            let re = p0 + p1 * w.cos() + p2 * (2.0 * w).cos();
            let im = p1 * w.sin() + p2 * (2.0 * w).sin();
            re.hypot(im)
        };
        mag(c.b[0], c.b[1], c.b[2]) / mag(1.0, c.a[0], c.a[1])
    }

    #[test]
    fn passes_constants_and_halves_power_at_the_cutoff() {
        for rate in [100.0, 200.0, 800.0] {
            let c = Coefficients::low_pass(6.0, rate);
            assert!((gain(&c, 0.0, rate) - 1.0).abs() < 1e-9);
            assert!((gain(&c, 6.0, rate) - 0.5_f64.sqrt()).abs() < 1e-9);
            let mut f = Butterworth2::low_pass(6.0, rate);
            assert!((0..50).all(|_| (f.step(3.5) - 3.5).abs() < 1e-12));
        }
    }

    #[test]
    fn delays_a_ramp_by_its_group_delay() {
        let rate = 400.0;
        let mut f = Butterworth2::low_pass(30.0, rate);
        let mut last = (0.0, 0.0);
        for k in 0..2000 {
            let x = f64::from(k) / rate;
            last = (x, f.step(x));
        }
        assert!((last.0 - last.1 - Coefficients::group_delay_s(30.0, rate)).abs() < 1e-9);
    }

    #[test]
    fn a_mean_start_gives_the_mean_and_then_stays_there() {
        let mut f = MeanStarted::<2>::new(0.05, 100.0);
        let inputs = [1.0, 2.0, 3.0, 4.0, 5.0];
        let mut out = [0.0; 2];
        for x in inputs {
            out = f.step(&[x, -x]);
        }
        assert!((out[0] - 3.0).abs() < 1e-12 && (out[1] + 3.0).abs() < 1e-12);
        assert!((f.step(&[3.0, -3.0])[0] - 3.0).abs() < 1e-12);
    }
}
