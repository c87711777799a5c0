//! Step symmetry of the pelvis' acceleration: harmonic ratios, regularity, side-to-side share, shock attenuation.
//!
//! One stride is resampled to 128 points in the axes of travel (vertical, fore-aft, lateral), so that harmonic n of the
//! stride is bin n of a transform. Vertical and fore-aft acceleration repeat each step (even harmonics), lateral each
//! stride (odd). Ratios are of amplitudes and over one *stride*; over a step they would have no meaning
//! (Menz 2003, doi 10.1016/S0966-6362(02)00159-5). Regularity is the unbiased autocorrelation of the last eight strides
//! at one step and one stride (Moe-Nilssen 2004, doi 10.1016/S0021-9290(03)00233-1).

use super::context::{MetricSet, StrideContext};
use super::registry::MetricId as Id;
use super::stretch::{ahead_left_up, facing, whole};
use crate::model::units::STANDARD_GRAVITY;
use crate::model::{Absent, Frame, SessionTime};
use crate::orientation::TrackSample;
use nalgebra::Vector3;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Points of one resampled stride.
const POINTS: usize = 128;
/// Harmonics of the stride that count.
const HARMONICS: usize = 20;
/// Strides in the regularity window.
const STRIDES: usize = 8;
/// A cycle continues the last one when it begins within this share of a cycle of its end.
const SAME_CONTACT: f64 = 0.1;
/// Harmonics above this share of the sampling rate are the sensor's own filter, not the runner.
const SHARE_OF_RATE: f64 = 0.4;
/// Band of shock attenuation, Hz (Shorten and Winslow 1992, doi 10.1123/ijsb.8.4.288).
const SHOCK_BAND_HZ: (f64, f64) = (10.0, 20.0);

/// Memory of one side, its transform and its scratch; nothing is allocated after `new`.
#[derive(Clone)]
pub struct Spectral {
    transform: Arc<dyn Fft<f64>>,
    bins: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
    /// Last strides, resampled, oldest overwritten: vertical and fore-aft.
    vertical: Vec<f64>,
    fore_aft: Vec<f64>,
    /// Strides in a row, and when the last one ended.
    in_a_row: usize,
    last_end: Option<SessionTime>,
    /// Band power of sacrum and shank of the last strides.
    shock: [(f64, f64); STRIDES],
    shocks: usize,
}

impl std::fmt::Debug for Spectral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spectral")
            .field("in_a_row", &self.in_a_row)
            .finish_non_exhaustive()
    }
}

impl Default for Spectral {
    fn default() -> Self {
        let transform = FftPlanner::new().plan_fft_forward(POINTS);
        let scratch = vec![Complex::default(); transform.get_inplace_scratch_len()];
        Self {
            transform,
            bins: vec![Complex::default(); POINTS],
            scratch,
            vertical: vec![0.0; STRIDES * POINTS],
            fore_aft: vec![0.0; STRIDES * POINTS],
            in_a_row: 0,
            last_end: None,
            shock: [(0.0, 0.0); STRIDES],
            shocks: 0,
        }
    }
}

/// Amplitudes of harmonics 1 to [`HARMONICS`].
type Amplitudes = [f64; HARMONICS];

/// Even over odd harmonics; `None` when there are no odd ones.
fn even_over_odd(a: &Amplitudes) -> Option<f64> {
    // Index 0 is harmonic 1.
    let odd: f64 = a.iter().step_by(2).sum();
    let even: f64 = a.iter().skip(1).step_by(2).sum();
    (odd > 1e-9).then(|| even / odd)
}

/// The bounded form: share of the power in the even harmonics, 0..1.
#[must_use]
pub fn even_share(amplitudes: &[f64]) -> f64 {
    let all: f64 = amplitudes.iter().map(|a| a * a).sum();
    let even: f64 = amplitudes.iter().skip(1).step_by(2).map(|a| a * a).sum();
    if all > 0.0 { even / all } else { 0.0 }
}

impl Spectral {
    /// Takes one stride and fills its metrics.
    pub fn compute(&mut self, ctx: &StrideContext, set: &mut MetricSet) {
        let result = self.measure(ctx, set);
        if let Err(absent) = result {
            self.in_a_row = 0;
            for id in [
                Id::HarmonicRatioV,
                Id::HarmonicRatioAp,
                Id::HarmonicRatioMl,
                Id::MlRmsRatio,
                Id::StepRegularityV,
                Id::StepRegularityAp,
                Id::StrideRegularity,
                Id::ShockAttenuation,
            ] {
                set.set(id, Err(absent));
            }
        }
    }

    fn measure(&mut self, ctx: &StrideContext, set: &mut MetricSet) -> Result<(), Absent> {
        let (from, to) = ctx.stride.cycle();
        let held = whole(ctx.sacrum?, from, to)?;
        let ahead = facing(held)?;
        let period = to.since(from);
        let rate = held.len() as f64 / period;
        let axes: [Vector3<f64>; POINTS] = resample(held, from, period, |s| {
            let a = ahead_left_up(s.level_from * s.acc, ahead);
            Vector3::new(a.x, a.y, a.z - STANDARD_GRAVITY)
        });
        set.set(Id::MlRmsRatio, lateral_share(&axes));
        if HARMONICS as f64 / period > SHARE_OF_RATE * rate {
            for id in [Id::HarmonicRatioV, Id::HarmonicRatioAp, Id::HarmonicRatioMl] {
                set.set(id, Err(Absent::Refused));
            }
        } else {
            let ap = self.amplitudes(axes.iter().map(|a| a.x));
            let ml = self.amplitudes(axes.iter().map(|a| a.y));
            let v = self.amplitudes(axes.iter().map(|a| a.z));
            set.set(Id::HarmonicRatioV, even_over_odd(&v).ok_or(Absent::Refused));
            set.set(Id::HarmonicRatioAp, even_over_odd(&ap).ok_or(Absent::Refused));
            // Lateral: one swing a stride, so odd over even.
            let lateral = even_over_odd(&ml).filter(|r| *r > 1e-9).map(|r| 1.0 / r);
            set.set(Id::HarmonicRatioMl, lateral.ok_or(Absent::Refused));
        }
        self.regularity(from, to, &axes, set);
        let attenuation = self.attenuation(ctx, from, to, &axes);
        set.set(Id::ShockAttenuation, attenuation);
        Ok(())
    }

    fn amplitudes(&mut self, values: impl Iterator<Item = f64>) -> Amplitudes {
        for (bin, v) in self.bins.iter_mut().zip(values) {
            *bin = Complex::new(v, 0.0);
        }
        self.transform.process_with_scratch(&mut self.bins, &mut self.scratch);
        std::array::from_fn(|n| 2.0 * self.bins[n + 1].norm() / POINTS as f64)
    }

    fn regularity(&mut self, from: SessionTime, to: SessionTime, axes: &[Vector3<f64>; POINTS], set: &mut MetricSet) {
        // Consecutive when this cycle begins where the last one ended, give or take what two estimates of one contact differ.
        let slack = SAME_CONTACT * to.since(from);
        let follows = self.last_end.is_some_and(|last| from.since(last).abs() < slack);
        self.last_end = Some(to);
        if !follows {
            self.in_a_row = 0;
        }
        let slot = (self.in_a_row % STRIDES) * POINTS;
        for (k, a) in axes.iter().enumerate() {
            self.vertical[slot + k] = a.z;
            self.fore_aft[slot + k] = a.x;
        }
        self.in_a_row += 1;
        let oldest = self.in_a_row % STRIDES;
        let enough = self.in_a_row >= STRIDES;
        let correlation = |lane: &[f64], lag: usize| {
            if enough {
                autocorrelation(lane, oldest * POINTS, lag).ok_or(Absent::Refused)
            } else {
                Err(Absent::TooFewStrides)
            }
        };
        set.set(Id::StepRegularityV, correlation(&self.vertical, POINTS / 2));
        set.set(Id::StepRegularityAp, correlation(&self.fore_aft, POINTS / 2));
        set.set(Id::StrideRegularity, correlation(&self.vertical, POINTS));
    }

    fn attenuation(
        &mut self,
        ctx: &StrideContext,
        from: SessionTime,
        to: SessionTime,
        axes: &[Vector3<f64>; POINTS],
    ) -> Result<f64, Absent> {
        let period = to.since(from);
        let shank = whole(ctx.shank?, from, to)?;
        if SHOCK_BAND_HZ.1 > SHARE_OF_RATE * shank.len() as f64 / period {
            return Err(Absent::Refused);
        }
        let axial: [Vector3<f64>; POINTS] = resample(shank, from, period, |s| s.acc.v);
        let band = |a: &Amplitudes| -> f64 {
            a.iter()
                .enumerate()
                .filter(|(n, _)| {
                    let f = (*n + 1) as f64 / period;
                    f >= SHOCK_BAND_HZ.0 && f <= SHOCK_BAND_HZ.1
                })
                .map(|(_, a)| a * a)
                .sum()
        };
        let sacrum = band(&self.amplitudes(axes.iter().map(|a| a.z)));
        let tibia = band(&self.amplitudes(axial.iter().map(|a| a.z)));
        self.shock[self.shocks % STRIDES] = (sacrum, tibia);
        self.shocks += 1;
        if self.shocks < STRIDES {
            return Err(Absent::TooFewStrides);
        }
        let (s, t) = self.shock.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
        if s > 0.0 && t > 0.0 {
            Ok(10.0 * (s / t).log10())
        } else {
            Err(Absent::Refused)
        }
    }
}

fn lateral_share(axes: &[Vector3<f64>; POINTS]) -> Result<f64, Absent> {
    let mean = axes.iter().sum::<Vector3<f64>>() / POINTS as f64;
    let (mut lateral, mut all) = (0.0, 0.0);
    for a in axes {
        let d = a - mean;
        lateral += d.y * d.y;
        all += d.norm_squared();
    }
    if all > 0.0 {
        Ok((lateral / all).sqrt())
    } else {
        Err(Absent::Refused)
    }
}

/// Values at 128 equal steps of the cycle, linear between samples. The slice covers the cycle without holes.
fn resample<F: Frame>(
    held: &[TrackSample<F>],
    from: SessionTime,
    period: f64,
    value: impl Fn(&TrackSample<F>) -> Vector3<f64>,
) -> [Vector3<f64>; POINTS] {
    let mut next = 0;
    std::array::from_fn(|k| {
        let t = k as f64 * period / POINTS as f64;
        while next + 1 < held.len() && held[next].t.since(from) < t {
            next += 1;
        }
        let (a, b) = (&held[next.saturating_sub(1)], &held[next]);
        let (ta, tb) = (a.t.since(from), b.t.since(from));
        let share = if tb > ta {
            ((t - ta) / (tb - ta)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let (va, vb) = (value(a), value(b));
        va + (vb - va) * share
    })
}

/// Unbiased autocorrelation at `lag` of a ring that starts at `oldest`, mean removed, 1 at lag 0.
fn autocorrelation(ring: &[f64], oldest: usize, lag: usize) -> Option<f64> {
    let n = ring.len();
    let mean = ring.iter().sum::<f64>() / n as f64;
    let power = ring.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64;
    // The two parts of the ring in order of time, each paired with itself and across the seam; no index wraps.
    let (newer, older) = ring.split_at(oldest.min(n));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let within = |part: &[f64]| part.get(lag..).map_or(0.0, |later| product(part, later));
    let across = {
        let a = older.get(older.len().saturating_sub(lag)..).unwrap_or(&[]);
        let b = newer
            .get(lag.saturating_sub(older.len())..lag.min(newer.len()))
            .unwrap_or(&[]);
        product(a, b)
    };
    let shared = (within(older) + within(newer) + across) / (n - lag) as f64;
    (power > 1e-12).then(|| shared / power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[test]
    fn ratios_of_known_harmonics() {
        let mut s = Spectral::default();
        let a = s.amplitudes((0..POINTS).map(|k| {
            let p = TAU * k as f64 / POINTS as f64;
            3.0 * (2.0 * p).cos() + 1.0 * p.sin() + 0.5 * (4.0 * p).sin() + 0.25 * (3.0 * p).cos()
        }));
        assert!((even_over_odd(&a).expect("odd ones") - 3.5 / 1.25).abs() < 1e-9);
        assert!((even_share(&a) - (9.0 + 0.25) / (9.0 + 0.25 + 1.0 + 0.0625)).abs() < 1e-9);
    }

    #[test]
    fn a_perfectly_even_gait_is_perfectly_regular_and_a_limping_one_is_not() {
        let even: Vec<f64> = (0..STRIDES * POINTS)
            .map(|k| (TAU * 2.0 * k as f64 / POINTS as f64).sin())
            .collect();
        assert!((autocorrelation(&even, 3 * POINTS, POINTS / 2).expect("power") - 1.0).abs() < 1e-9);
        let limp: Vec<f64> = even
            .iter()
            .enumerate()
            .map(|(k, v)| v + 0.5 * (TAU * k as f64 / POINTS as f64).sin())
            .collect();
        let step = autocorrelation(&limp, 0, POINTS / 2).expect("power");
        assert!((step - 0.6).abs() < 0.05, "{step}");
        assert!((autocorrelation(&limp, 0, POINTS).expect("power") - 1.0).abs() < 1e-9);
    }

    #[test]
    fn eight_strides_in_a_row_are_needed_whatever_tells_them() {
        let axes = std::array::from_fn(|k| {
            let p = TAU * 2.0 * k as f64 / POINTS as f64;
            Vector3::new(p.cos(), 0.0, p.sin())
        });
        let mut s = Spectral::default();
        let mut given = |from: f64, to: f64| {
            let mut set = MetricSet::default();
            let [from, to] = [from, to].map(SessionTime::from_secs);
            s.regularity(from, to, &axes, &mut set);
            set.get(Id::StrideRegularity)
        };
        // Bounds that touch exactly (pelvis alone), then contacts re-estimated by 20 ms (a foot).
        let touching: Vec<_> = (0..9)
            .map(|k| given(0.7 * f64::from(k), 0.7 * f64::from(k + 1)))
            .collect();
        assert_eq!(touching[6], Err(Absent::TooFewStrides));
        assert!(touching[7..].iter().all(|r| (r.expect("eight") - 1.0).abs() < 1e-9));
        assert!(given(9.0 * 0.7 + 0.02, 7.0).is_ok());
        // One stride missing.
        assert_eq!(given(7.7, 8.4), Err(Absent::TooFewStrides));
    }
}
