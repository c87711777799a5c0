//! Cadence from the spectrum: the strongest rhythm of the last ten seconds.
//!
//! Samples are low-passed and picked at 100 Hz; once a second 1024 of them (10.24 s) are windowed (Hann) and transformed. The
//! pelvis bounces once a step, so its strongest peak between 1.4 and 3.8 Hz is the step rate, unless half of it is clearly
//! stronger (marked asymmetry puts power at the stride rate). A foot repeats once a stride: its peak between 0.7 and
//! 1.95 Hz is doubled. A parabola through the logarithms of three bins places the peak between them.
//!
//! It counts rhythm, not contacts: an independent check of the events, and all there is where no foot sensor is worn.

use super::butterworth::Butterworth2;
use crate::model::SessionTime;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::sync::Arc;

const RATE_HZ: f64 = 100.0;
const POINTS: usize = 1024;
/// Samples between two transforms: one second.
const HOP: usize = 100;
/// Low-pass before picking, Hz: the rhythm and its first harmonics; far below half of [`RATE_HZ`].
const CUTOFF_HZ: f64 = 15.0;
/// Half of the frequency wins when its power is this much higher.
const HALF_WINS: f64 = 1.5;
/// The peak must stand this far above the mean power of the band to be a rhythm at all.
const RHYTHM: f64 = 4.0;

/// Fainter rhythms than this amplitude are sway or noise, m/s²: slow walking moves the pelvis by 1 m/s² and more.
const FAINT: f64 = 0.3;

/// What the signal repeats with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// Once a step: the pelvis.
    Step,
    /// Once a stride: a foot.
    Stride,
}

impl Rhythm {
    fn band_hz(self) -> (f64, f64) {
        match self {
            Self::Step => (1.4, 3.8),
            Self::Stride => (0.7, 1.95),
        }
    }

    fn steps_per_cycle(self) -> f64 {
        match self {
            Self::Step => 1.0,
            Self::Stride => 2.0,
        }
    }
}

/// Running estimate of cadence from one signal. Nothing is allocated after `new`.
#[derive(Clone)]
pub struct StepSpectrum {
    rhythm: Rhythm,
    filter: Butterworth2,
    /// Time of the next sample to pick.
    next: Option<SessionTime>,
    ring: Vec<f64>,
    count: usize,
    window: Vec<f64>,
    transform: Arc<dyn Fft<f64>>,
    bins: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl std::fmt::Debug for StepSpectrum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepSpectrum")
            .field("rhythm", &self.rhythm)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl StepSpectrum {
    /// For a signal of this rate.
    #[must_use]
    pub fn new(rhythm: Rhythm, rate_hz: f64) -> Self {
        let transform = FftPlanner::new().plan_fft_forward(POINTS);
        let scratch = vec![Complex::default(); transform.get_inplace_scratch_len()];
        Self {
            rhythm,
            filter: Butterworth2::low_pass(CUTOFF_HZ, rate_hz),
            next: None,
            ring: vec![0.0; POINTS],
            count: 0,
            window: (0..POINTS)
                .map(|k| 0.5 - 0.5 * (TAU * k as f64 / POINTS as f64).cos())
                .collect(),
            transform,
            bins: vec![Complex::default(); POINTS],
            scratch,
        }
    }

    /// Forgets everything: samples are missing.
    pub fn reset(&mut self) {
        self.filter.reset();
        self.next = None;
        self.count = 0;
    }

    /// Takes one value. Once a second, when ten seconds are held, answers with the cadence in steps per minute, or with
    /// `Some(None)` when nothing repeats.
    pub fn push(&mut self, t: SessionTime, value: f64) -> Option<Option<f64>> {
        let low = self.filter.step(value);
        let next = *self.next.get_or_insert(t);
        if t < next {
            return None;
        }
        self.next = Some(next.plus(1.0 / RATE_HZ));
        self.ring[self.count % POINTS] = low;
        self.count += 1;
        if self.count < POINTS || !self.count.is_multiple_of(HOP) {
            return None;
        }
        Some(self.estimate())
    }

    fn estimate(&mut self) -> Option<f64> {
        let mean = self.ring.iter().sum::<f64>() / POINTS as f64;
        for (k, bin) in self.bins.iter_mut().enumerate() {
            let value = self.ring[(self.count + k) % POINTS] - mean;
            *bin = Complex::new(value * self.window[k], 0.0);
        }
        self.transform.process_with_scratch(&mut self.bins, &mut self.scratch);
        let (low, high) = self.rhythm.band_hz();
        let bin_of = |hz: f64| (hz * POINTS as f64 / RATE_HZ).round() as usize;
        let power = |k: usize| self.bins[k].norm_sqr();
        let band = bin_of(low)..=bin_of(high);
        let total: f64 = band.clone().map(power).sum();
        let mean_power = total / (bin_of(high) - bin_of(low) + 1) as f64;
        let mut best = band.max_by(|a, b| power(*a).total_cmp(&power(*b)))?;
        // A tone of amplitude A has |X| = A N / 4 under this window.
        let amplitude = 4.0 * power(best).sqrt() / POINTS as f64;
        if power(best) < RHYTHM * mean_power || amplitude < FAINT {
            return None;
        }
        if self.rhythm == Rhythm::Step {
            // A step rate whose half is clearly stronger is the stride rate's second harmonic of another rhythm.
            let half = (best / 2 - 1..=best / 2 + 1).max_by(|a, b| power(*a).total_cmp(&power(*b)))?;
            if power(half) > HALF_WINS * power(best) && half >= bin_of(low) {
                best = half;
            }
        }
        // The bins beside a Hann-windowed peak hold a quarter of its power or more, so no logarithm is of nothing.
        let (a, b, c) = (power(best - 1).ln(), power(best).ln(), power(best + 1).ln());
        let curve = a - 2.0 * b + c;
        let shift = if curve < 0.0 {
            (0.5 * (a - c) / curve).clamp(-0.5, 0.5)
        } else {
            0.0
        };
        let hz = (best as f64 + shift) * RATE_HZ / POINTS as f64;
        Some(60.0 * hz * self.rhythm.steps_per_cycle())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cadence(rhythm: Rhythm, rate: f64, signal: impl Fn(f64) -> f64) -> Option<f64> {
        let mut s = StepSpectrum::new(rhythm, rate);
        let mut last = None;
        for k in 0..(15.0 * rate) as i64 {
            let t = SessionTime::from_secs(k as f64 / rate);
            if let Some(answer) = s.push(t, signal(t.secs())) {
                last = answer;
            }
        }
        last
    }

    #[test]
    fn tones_are_placed_within_a_tenth_of_a_step_per_minute() {
        for spm in [100.0, 143.7, 168.3, 181.9, 205.0] {
            for rate in [100.0, 128.0, 200.0, 416.0] {
                let found =
                    cadence(Rhythm::Step, rate, |t| 9.8 + 8.0 * (TAU * spm / 60.0 * t).sin()).expect("a rhythm");
                assert!((found - spm).abs() < 0.15, "{spm} at {rate} Hz: {found}");
                let found = cadence(Rhythm::Stride, rate, |t| (TAU * spm / 120.0 * t).sin()).expect("a rhythm");
                assert!((found - spm).abs() < 0.25, "foot {spm} at {rate} Hz: {found}");
            }
        }
    }

    #[test]
    fn standing_has_no_rhythm() {
        assert_eq!(cadence(Rhythm::Step, 200.0, |_| 9.81), None);
    }
}
