//! How a sensor sits on the sacrum: forward and left from the symmetry of gait, whatever way it was put on.
//!
//! The mean horizontal acceleration of steady running is zero along every axis, so it cannot tell forward. Symmetry
//! can: what repeats every step holds the even harmonics of the stride, what repeats every stride with the sides
//! exchanged holds the odd ones. Fore-aft acceleration and tilting (about the left axis) are even, sideways acceleration
//! and rolling (about the forward axis) are odd. Acceleration and angular rate thus give the same axes twice. The rate
//! counts double: it is the same wherever on the pelvis the sensor sits, whereas acceleration takes up lever arms and
//! the ringing of skin after impact (recorded runs: 4 to 10 degrees off by acceleration alone, 1 to 5 by rate).
//!
//! Which end of the fore-aft axis is forward follows from how speed goes with height. A running body bounces: it is
//! slowest when lowest. A walking body vaults: it is slowest when highest. The phase of forward against vertical
//! acceleration at the rate of steps is then −90 degrees in ideal bouncing (−20 to −58 in recorded runners) and +90 in
//! ideal vaulting, so that the sign of the product, turned by 45 degrees and −90 degrees, tells. Feet, where worn, must
//! agree: early in stance the pelvis is higher on the standing side, because the swinging side drops.
//!
//! It takes strides, not samples: bounds from a foot or from the sacrum's own steps serve alike, because a shift of the
//! bounds turns only phases, and those cancel in every sum used for the axes.

use super::segment::segment_from_axes;
use super::track::TrackSample;
use crate::model::units::STANDARD_GRAVITY;
use crate::model::{Rotation, Sacrum, Sensor, SessionTime, Side, Vec3};
use nalgebra::{Matrix2, Vector2, Vector3};

/// Strides before the axes are believed.
const STRIDES: u32 = 15;

/// Harmonics of the stride that are compared.
const HARMONICS: usize = 8;

/// Difference of the eigenvalues of (odd − even)/(odd + even) above which the axes are believed; recorded gaits reach
/// 0.8 to 0.95.
const SEPARATION: f64 = 0.4;

/// Weight kept from stride to stride: about the last hundred count.
const MEMORY: f64 = 0.99;

/// Share of the largest possible agreement that the evidence for forward must reach.
const SIGN_MARGIN: f64 = 0.2;

/// Vertical specific force below which the body is hardly carried, m/s², and the share of a stride for which that
/// happens in running (flight) and never in walking.
const LIGHT: f64 = 0.4 * STANDARD_GRAVITY;
const LIGHT_SHARE: f64 = 0.1;

/// Early stance, as a share of the stride.
const EARLY: f64 = 0.2;

/// How much more the angular rate counts than acceleration (see the module's head).
const RATE_WEIGHT: f64 = 2.0;

/// Two axes in the sensor that span the horizontal plane of the segment.
type Plane = (Vector3<f64>, Vector3<f64>);

/// What is learned of the mounting so far. Fixed size.
#[derive(Clone, Debug)]
pub struct SacrumAlignment {
    /// Up in the sensor, averaged over strides: the fallback where the runner was never seen standing.
    up_sum: Vector3<f64>,
    /// A sensor axis that is far from vertical: it fixes where angles in the horizontal plane are counted from.
    first_axis: Option<Vector3<f64>>,
    acceleration: OddEven,
    rate: OddEven,
    /// Σ of a₂ v̄₂ turned by the expected phase: its product with the true forward is positive.
    push: Vector2<f64>,
    /// Σ |a₂||v₂|, the most that `push` could be.
    push_most: f64,
    /// Σ s·(height of each plane axis early in stance): its product with the true left is positive.
    rise: Vector2<f64>,
    rise_most: f64,
    strides: u32,
    sided: u32,
}

/// Real and imaginary parts, first harmonic of the stride first.
type Harmonics = [(f64, f64); HARMONICS];

/// Power of a horizontal vector in odd and even harmonics of the stride, by direction.
#[derive(Clone, Debug, Default)]
struct OddEven {
    odd: Matrix2<f64>,
    even: Matrix2<f64>,
}

impl OddEven {
    fn note(&mut self, x: &Harmonics, y: &Harmonics, n: f64) {
        self.odd *= MEMORY;
        self.even *= MEMORY;
        for (k, (&p, &q)) in x.iter().zip(y).enumerate() {
            let (pp, pq, qq) = (product(p, p) / n, product(p, q) / n, product(q, q) / n);
            // Index 0 is the first harmonic.
            let sum = if k % 2 == 0 { &mut self.odd } else { &mut self.even };
            *sum += Matrix2::new(pp, pq, pq, qq);
        }
    }

    /// (odd − even)/(odd + even): its eigenvalues lie between −1 (a direction that repeats every step) and 1.
    fn contrast(&self) -> Matrix2<f64> {
        (self.odd - self.even) / (self.odd + self.even).trace().max(1e-12)
    }
}

/// Real part of a·b̄.
fn product(a: (f64, f64), b: (f64, f64)) -> f64 {
    a.0 * b.0 + a.1 * b.1
}

/// Imaginary part of a·b̄.
fn cross(a: (f64, f64), b: (f64, f64)) -> f64 {
    a.1 * b.0 - a.0 * b.1
}

/// The axes of the pelvis in the sensor, and how far apart the evidence was.
#[derive(Clone, Copy, Debug)]
pub struct SacrumAxes {
    /// Mounting.
    pub segment_from_sensor: Rotation<Sacrum, Sensor>,
    /// Left axis in the sensor.
    pub left: Vec3<Sensor>,
    /// Difference of the eigenvalues (above 0.4).
    pub separation: f64,
}

impl Default for SacrumAlignment {
    fn default() -> Self {
        Self {
            up_sum: Vector3::zeros(),
            first_axis: None,
            acceleration: OddEven::default(),
            rate: OddEven::default(),
            push: Vector2::zeros(),
            push_most: 0.0,
            rise: Vector2::zeros(),
            rise_most: 0.0,
            strides: 0,
            sided: 0,
        }
    }
}

impl SacrumAlignment {
    /// Strides taken so far.
    #[must_use]
    pub fn strides(&self) -> u32 {
        self.strides
    }

    /// Takes one stride `[from, to)` of samples; `side` is whose stride it is, where a foot told it; `standing_up` is
    /// up in standing, where known.
    pub fn note_stride(
        &mut self,
        held: &[TrackSample<Sensor>],
        from: SessionTime,
        to: SessionTime,
        side: Option<Side>,
        standing_up: Option<Vec3<Sensor>>,
    ) {
        let period = to.since(from);
        if held.len() < 4 * HARMONICS || period <= 0.0 {
            return;
        }
        let up = stride_up(held);
        self.up_sum = self.up_sum * MEMORY + up;
        let Some((e1, e2)) = self.plane(standing_up) else {
            return;
        };

        // Heading of e1 over this stride: pelvic rotation goes forth and back and cancels.
        let heading = held.iter().fold(Vector3::zeros(), |sum, s| sum + s.level_from.q * e1);
        let Some(h) = Vector2::new(heading.x, heading.y).try_normalize(1e-9) else {
            return;
        };

        // Forward and left of that heading: acceleration, then rate; last the vertical acceleration.
        let mut c: [Harmonics; 5] = [[(0.0, 0.0); HARMONICS]; 5];
        for s in held {
            let a = s.level_from.q * s.acc.v;
            let w = s.level_from.q * s.gyro.v;
            let along = |v: &Vector3<f64>| v.x * h.x + v.y * h.y;
            let across = |v: &Vector3<f64>| v.y * h.x - v.x * h.y;
            let values = [along(&a), across(&a), along(&w), across(&w), a.z - STANDARD_GRAVITY];
            let (sin, cos) = (std::f64::consts::TAU * s.t.since(from) / period).sin_cos();
            let (mut re, mut im) = (1.0, 0.0);
            for k in 0..HARMONICS {
                (re, im) = (re * cos - im * sin, re * sin + im * cos);
                for (series, value) in c.iter_mut().zip(values) {
                    series[k].0 += value * re;
                    series[k].1 -= value * im;
                }
            }
        }
        let n = (held.len() as f64).powi(2);
        self.acceleration.note(&c[0], &c[1], n);
        self.rate.note(&c[2], &c[3], n);
        // Index 1 is the second harmonic of the stride: the rate of steps.
        let (p, q, v) = (c[0][1], c[1][1], c[4][1]);
        let bouncing = held.iter().filter(|s| (s.level_from * s.acc).v.z < LIGHT).count();
        let phase: f64 = if bouncing as f64 > LIGHT_SHARE * held.len() as f64 {
            -0.25
        } else {
            0.5
        };
        let (sin, cos) = (std::f64::consts::PI * phase).sin_cos();
        let turned = |a: (f64, f64)| cos * product(a, v) + sin * cross(a, v);
        self.push = self.push * MEMORY + Vector2::new(turned(p), turned(q)) / n;
        self.push_most = self.push_most * MEMORY + ((product(p, p) + product(q, q)) * product(v, v)).sqrt() / n;

        if let Some(side) = side {
            self.note_rise(held, from, period, side, (e1, e2));
        }
        self.strides += 1;
    }

    /// Early in stance of side S the pelvis is higher on S.
    fn note_rise(&mut self, held: &[TrackSample<Sensor>], from: SessionTime, period: f64, side: Side, plane: Plane) {
        let (mut early, mut whole, mut n) = (Vector2::zeros(), Vector2::zeros(), 0.0);
        for s in held {
            let height = Vector2::new((s.level_from.q * plane.0).z, (s.level_from.q * plane.1).z);
            whole += height;
            if s.t.since(from) < EARLY * period {
                early += height;
                n += 1.0;
            }
        }
        if n < 1.0 {
            return;
        }
        let rise = (early / n - whole / held.len() as f64) * side.sign();
        self.rise = self.rise * MEMORY + rise;
        self.rise_most = self.rise_most * MEMORY + rise.norm();
        self.sided += 1;
    }

    /// Two sensor-fixed axes that span the horizontal plane of the segment.
    fn plane(&mut self, standing_up: Option<Vec3<Sensor>>) -> Option<Plane> {
        let z = match standing_up {
            Some(up) => up.v,
            None => self.up_sum.try_normalize(1e-9)?,
        };
        let axis = *self.first_axis.get_or_insert_with(|| {
            let flattest = z.abs().imin();
            Vector3::ith_axis(flattest).into_inner()
        });
        let e1 = (axis - z * z.dot(&axis)).try_normalize(1e-6)?;
        Some((e1, z.cross(&e1)))
    }

    /// The axes, once they can be believed: enough strides, well separated axes, and a clear, uncontradicted forward.
    #[must_use]
    pub fn axes(&mut self, standing_up: Option<Vec3<Sensor>>) -> Option<SacrumAxes> {
        if self.strides < STRIDES {
            return None;
        }
        let (e1, e2) = self.plane(standing_up)?;
        // Sideways acceleration is odd, the rate about the left axis is even.
        let d = (self.acceleration.contrast() - self.rate.contrast() * RATE_WEIGHT) / (1.0 + RATE_WEIGHT);
        let d = d.symmetric_eigen();
        let side_to_side = d.eigenvalues.imax();
        let separation = (d.eigenvalues[0] - d.eigenvalues[1]).abs();
        if separation.is_nan() || separation <= SEPARATION {
            return None;
        }
        let y = d.eigenvectors.column(side_to_side).into_owned();
        // In the plane (e1, e2, up): x = y × z turns y by −90°.
        let x = Vector2::new(y.y, -y.x);
        let push = x.dot(&self.push) / self.push_most.max(1e-12);
        let rise = y.dot(&self.rise) / self.rise_most.max(1e-12);
        let sign = if self.sided >= STRIDES && rise.abs() > SIGN_MARGIN {
            // Both must agree; where they do not, wait for strides that settle it.
            if (push > 0.0) != (rise > 0.0) && push.abs() > SIGN_MARGIN {
                return None;
            }
            rise.signum()
        } else if push.abs() > SIGN_MARGIN {
            push.signum()
        } else {
            return None;
        };
        let left = (e1 * y.x + e2 * y.y) * sign;
        let up = e1.cross(&e2);
        Some(SacrumAxes {
            segment_from_sensor: segment_from_axes(Vec3::from_raw(up), Vec3::from_raw(left))?,
            left: Vec3::from_raw(left),
            separation,
        })
    }
}

/// Mean direction against gravity in the sensor over a stretch, unit length.
#[must_use]
pub(crate) fn stride_up(held: &[TrackSample<Sensor>]) -> Vector3<f64> {
    let sum = held
        .iter()
        .fold(Vector3::zeros(), |sum, s| sum + s.level_from.q.inverse() * Vector3::z());
    sum.try_normalize(1e-9).unwrap_or(Vector3::z())
}
