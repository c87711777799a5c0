//! Attitude against gravity from gyroscope and accelerometer: the 6-D form of VQF.
//!
//! After Laidig and Seel 2023, *VQF: Highly accurate IMU orientation estimation with bias estimation and magnetic
//! disturbance rejection*, Information Fusion 91:187. Strapdown integration gives an almost inertial frame in which the
//! specific force is low-passed; its direction is *up*. Because the filter works on the low-passed *vector* there, impacts
//! and flight average out instead of tilting the estimate, which is why it holds on a running foot where filters that
//! normalise every sample do not. Clipped samples are fed as they are: what is needed is the mean, and a skipped impact
//! would take all of its impulse away.
//!
//! Gyroscope bias is estimated while moving (its horizontal part shows as a steady correction of *up*) and at rest.
//! Heading is not observable in six dimensions and drifts slowly.
//!
//! Equal to the published reference implementation within 1e-6 in every quaternion (see the tests); the algebra is
//! arranged for speed: eleven low-passes with common coefficients in lanes, a symmetric 3 × 3 inverse by cofactors, and
//! series instead of sine and cosine for the small angle of one sample.

use crate::model::units::rad;
use crate::model::{Level, Rotation, Sensor, Vec3};
use crate::signal::butterworth::MeanStarted;
use nalgebra::{Quaternion, UnitQuaternion};

/// Tuning in SI units, independent of the rate; defaults are those of the paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VqfParams {
    /// Time constant of the specific-force low-pass, s. 1 s tilts a running foot by 3.5–8° at contact, 6 s reacts late.
    pub tau_acc_s: f64,
    /// Estimate gyroscope bias while moving.
    pub motion_bias: bool,
    /// Estimate gyroscope bias at rest.
    pub rest_bias: bool,
    /// Spread of the bias before anything is known, rad/s.
    pub sigma_init: f64,
    /// Time in which a known bias is forgotten by 0.1 °/s, s.
    pub forgetting_s: f64,
    /// Largest bias believed, rad/s.
    pub bias_clip: f64,
    /// Spread of a converged motion estimate, rad/s.
    pub sigma_motion: f64,
    /// How little the vertical axis is forgotten relative to the horizontal ones.
    pub vertical_forgetting: f64,
    /// Spread of a converged rest estimate, rad/s.
    pub sigma_rest: f64,
    /// Rest must last this long, s.
    pub rest_min_s: f64,
    /// Time constant of the rest low-pass, s.
    pub rest_tau_s: f64,
    /// Largest deviation of the rate at rest, rad/s.
    pub rest_gyro: f64,
    /// Largest deviation of the specific force at rest, m/s².
    pub rest_acc: f64,
}

impl Default for VqfParams {
    fn default() -> Self {
        Self {
            tau_acc_s: 3.0,
            motion_bias: true,
            rest_bias: true,
            sigma_init: rad(0.5),
            forgetting_s: 100.0,
            bias_clip: rad(2.0),
            sigma_motion: rad(0.1),
            vertical_forgetting: 1e-4,
            sigma_rest: rad(0.03),
            rest_min_s: 1.5,
            rest_tau_s: 0.5,
            rest_gyro: rad(2.0),
            rest_acc: 0.5,
        }
    }
}

/// Numbers derived once from parameters and rate. Variances in (0.01 °/s)², as in the paper.
#[derive(Clone, Copy, Debug)]
struct Derived {
    dt: f64,
    p0: f64,
    v: f64,
    w_motion: f64,
    w_vertical: f64,
    w_rest: f64,
    rest_gyro2: f64,
    rest_acc2: f64,
}

impl Derived {
    fn new(p: &VqfParams, rate_hz: f64) -> Self {
        let dt = 1.0 / rate_hz;
        let centideg = |x: f64| (x.to_degrees() * 100.0).powi(2);
        let v = (0.1_f64 * 100.0).powi(2) * dt / p.forgetting_s;
        // The weight at which the variance of the estimate settles at the given spread.
        let settle = |var: f64| var * var / v + var;
        let w_motion = settle(centideg(p.sigma_motion));
        Self {
            dt,
            p0: centideg(p.sigma_init),
            v,
            w_motion,
            w_vertical: w_motion / p.vertical_forgetting.max(1e-10),
            w_rest: settle(centideg(p.sigma_rest)),
            rest_gyro2: p.rest_gyro * p.rest_gyro,
            rest_acc2: p.rest_acc * p.rest_acc,
        }
    }
}

/// (w, x, y, z).
type Quat = [f64; 4];
const IDENTITY: Quat = [1.0, 0.0, 0.0, 0.0];

/// Symmetric 3 × 3: xx, xy, xz, yy, yz, zz.
type Sym3 = [f64; 6];

/// The filter of one sensor. `Clone` is its checkpoint.
#[derive(Clone, Debug)]
pub struct Vqf {
    params: VqfParams,
    d: Derived,
    /// Strapdown integration.
    gyro_quat: Quat,
    /// Levelling of the strapdown frame.
    acc_quat: Quat,
    acc_lp: MeanStarted<3>,
    /// The nine entries of the attitude matrix and two components of the rotated bias.
    bias_lp: MeanStarted<11>,
    rest_gyro_lp: MeanStarted<3>,
    rest_acc_lp: MeanStarted<3>,
    bias: [f64; 3],
    p: Sym3,
    rest_s: f64,
    rest: bool,
    last_rest_gyro: [f64; 3],
}

impl Vqf {
    /// A filter for samples at this rate.
    #[must_use]
    pub fn new(params: VqfParams, rate_hz: f64) -> Self {
        let d = Derived::new(&params, rate_hz);
        Self {
            params,
            d,
            gyro_quat: IDENTITY,
            acc_quat: IDENTITY,
            acc_lp: MeanStarted::new(params.tau_acc_s, rate_hz),
            bias_lp: MeanStarted::new(params.tau_acc_s, rate_hz),
            rest_gyro_lp: MeanStarted::new(params.rest_tau_s, rate_hz),
            rest_acc_lp: MeanStarted::new(params.rest_tau_s, rate_hz),
            bias: [0.0; 3],
            p: [d.p0, 0.0, 0.0, d.p0, 0.0, d.p0],
            rest_s: 0.0,
            rest: false,
            last_rest_gyro: [0.0; 3],
        }
    }

    /// Starts over, forgetting attitude and bias.
    pub fn reset(&mut self) {
        *self = Self::new(self.params, 1.0 / self.d.dt);
    }

    /// Starts with a bias known from before, of this spread (rad/s); both are held within the bounds of the parameters.
    pub fn set_bias(&mut self, bias: Vec3<Sensor>, sigma: f64) {
        if bias.is_finite() && sigma.is_finite() {
            let clip = self.params.bias_clip;
            self.bias = bias.v.map(|b| b.clamp(-clip, clip)).into();
            let p = (sigma.to_degrees() * 100.0).powi(2).min(self.d.p0);
            self.p = [p, 0.0, 0.0, p, 0.0, p];
        }
    }

    /// Takes one sample: angular rate in rad/s, specific force in m/s², sensor axes. A sample with a component that is
    /// not finite is ignored.
    pub fn update(&mut self, gyro: Vec3<Sensor>, acc: Vec3<Sensor>) {
        let (g, f): ([f64; 3], [f64; 3]) = (gyro.v.into(), acc.v.into());
        if !(g.iter().chain(&f).all(|c| c.is_finite())) {
            return;
        }
        let dt = self.d.dt;
        let gyro_calm = self.gyro_is_calm(&g);
        if !gyro_calm {
            self.rest_s = 0.0;
            self.rest = false;
        }
        self.turn([g[0] - self.bias[0], g[1] - self.bias[1], g[2] - self.bias[2]], dt);
        if f == [0.0; 3] {
            return;
        }
        self.judge_rest(&f);
        let in_strapdown = rotate(&self.gyro_quat, &f);
        let low = self.acc_lp.step(&in_strapdown);
        let up = rotate(&self.acc_quat, &low);
        let norm = (up[0] * up[0] + up[1] * up[1] + up[2] * up[2]).sqrt();
        if norm < 1e-9 {
            return;
        }
        let up = [up[0] / norm, up[1] / norm, up[2] / norm];
        self.level(&up);
        if self.params.motion_bias || self.params.rest_bias {
            self.estimate_bias(&up);
        }
    }

    /// Integrates a rate over `dt` seconds without the accelerometer: bridges a short gap.
    pub fn coast(&mut self, gyro: Vec3<Sensor>, dt: f64) {
        if gyro.is_finite() && dt.is_finite() {
            let rate = gyro - self.bias();
            self.turn(rate.v.into(), dt);
        }
    }

    /// Turns the attitude by a rotation of the level frame: the strapdown integration had lost track (samples are missing)
    /// and something else tells where up is. What was learned of gravity's direction and of the bias stays.
    pub fn turn_level(&mut self, correction: Rotation<Level, Level>) {
        let c = correction.q;
        // q_a q_g' = c q_a q_g: the low-passed specific force lives in the frame between the two and keeps its meaning.
        let back = [
            self.acc_quat[0],
            -self.acc_quat[1],
            -self.acc_quat[2],
            -self.acc_quat[3],
        ];
        let turned = product(&[c.w, c.i, c.j, c.k], &product(&self.acc_quat, &self.gyro_quat));
        self.gyro_quat = renormalised(product(&back, &turned));
    }

    /// Attitude: takes sensor axes to a level frame (z up) of arbitrary heading.
    #[must_use]
    pub fn level_from_sensor(&self) -> Rotation<Level, Sensor> {
        let [w, x, y, z] = product(&self.acc_quat, &self.gyro_quat);
        Rotation::from_raw(UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z)))
    }

    /// Gyroscope bias, rad/s, sensor axes.
    #[must_use]
    pub fn bias(&self) -> Vec3<Sensor> {
        Vec3::from_raw(self.bias.into())
    }

    /// Spread of the bias, rad/s: an upper bound of its largest eigenvalue by row sums.
    #[must_use]
    pub fn bias_sigma(&self) -> f64 {
        let [xx, xy, xz, yy, yz, zz] = self.p;
        let rows = [
            xx.abs() + xy.abs() + xz.abs(),
            xy.abs() + yy.abs() + yz.abs(),
            xz.abs() + yz.abs() + zz.abs(),
        ];
        rad(rows.into_iter().fold(0.0, f64::max).min(self.d.p0).sqrt() / 100.0)
    }

    /// Whether the sensor has been at rest for the required time.
    #[must_use]
    pub fn at_rest(&self) -> bool {
        self.rest
    }

    fn turn(&mut self, rate: [f64; 3], dt: f64) {
        let half = 0.5 * dt;
        let h = [rate[0] * half, rate[1] * half, rate[2] * half];
        let n2 = h[0] * h[0] + h[1] * h[1] + h[2] * h[2];
        // Below 0.2 rad of half angle the series are exact to the last bit (next terms 0.2¹⁰/10! ≈ 3e-14).
        let (cos, sinc) = if n2 < 0.04 {
            (
                1.0 - n2 * (1.0 / 2.0 - n2 * (1.0 / 24.0 - n2 * (1.0 / 720.0 - n2 / 40320.0))),
                1.0 - n2 * (1.0 / 6.0 - n2 * (1.0 / 120.0 - n2 * (1.0 / 5040.0 - n2 / 362_880.0))),
            )
        } else {
            let n = n2.sqrt();
            (n.cos(), n.sin() / n)
        };
        self.gyro_quat = renormalised(product(&self.gyro_quat, &[cos, h[0] * sinc, h[1] * sinc, h[2] * sinc]));
    }

    fn gyro_is_calm(&mut self, g: &[f64; 3]) -> bool {
        if !self.params.rest_bias {
            return true;
        }
        let low = self.rest_gyro_lp.step(g);
        self.last_rest_gyro = low;
        let clip = self.params.bias_clip;
        distance2(g, &low) < self.d.rest_gyro2 && low.iter().all(|l| l.abs() <= clip)
    }

    fn judge_rest(&mut self, f: &[f64; 3]) {
        if !self.params.rest_bias {
            return;
        }
        let low = self.rest_acc_lp.step(f);
        if distance2(f, &low) >= self.d.rest_acc2 {
            self.rest_s = 0.0;
            self.rest = false;
        } else {
            self.rest_s += self.d.dt;
            self.rest |= self.rest_s >= self.params.rest_min_s;
        }
    }

    /// Turns the levelling so that `up` becomes z, the shortest way.
    fn level(&mut self, up: &[f64; 3]) {
        // up.z ≥ −1 up to rounding.
        let w = ((up[2] + 1.0) * 0.5).max(0.0).sqrt();
        let correction = if w > 1e-6 {
            [w, 0.5 * up[1] / w, -0.5 * up[0] / w, 0.0]
        } else {
            [0.0, 1.0, 0.0, 0.0]
        };
        self.acc_quat = renormalised(product(&correction, &self.acc_quat));
    }

    fn estimate_bias(&mut self, up: &[f64; 3]) {
        let b = self.bias;
        let r = matrix(&product(&self.acc_quat, &self.gyro_quat));
        let dot = |row: usize, m: &[f64; 9]| m[3 * row] * b[0] + m[3 * row + 1] * b[1] + m[3 * row + 2] * b[2];
        let mut lanes = [0.0; 11];
        lanes[..9].copy_from_slice(&r);
        lanes[9] = dot(0, &r);
        lanes[10] = dot(1, &r);
        let low = self.bias_lp.step(&lanes);
        let mut rl = [0.0; 9];
        rl.copy_from_slice(&low[..9]);
        let clip = self.params.bias_clip;
        for i in [0, 3, 5] {
            if self.p[i] < self.d.p0 {
                self.p[i] += self.d.v;
            }
        }
        if self.rest && self.params.rest_bias {
            let g = self.last_rest_gyro;
            let e = [g[0] - b[0], g[1] - b[1], g[2] - b[2]].map(|x| x.clamp(-clip, clip));
            self.correct_at_rest(&e);
        } else if self.params.motion_bias {
            let e = [
                -up[1] / self.d.dt + low[9] - dot(0, &rl),
                up[0] / self.d.dt + low[10] - dot(1, &rl),
                -dot(2, &rl),
            ]
            .map(|x| x.clamp(-clip, clip));
            self.correct(&rl, &e);
        } else {
            return;
        }
        self.bias = self.bias.map(|x| x.clamp(-clip, clip));
    }

    fn correct_at_rest(&mut self, e: &[f64; 3]) {
        let w = self.d.w_rest;
        let [xx, xy, xz, yy, yz, zz] = self.p;
        let inv = inverse(&[xx + w, xy, xz, yy + w, yz, zz + w]);
        let p = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]];
        let inv = [
            [inv[0], inv[1], inv[2]],
            [inv[1], inv[3], inv[4]],
            [inv[2], inv[4], inv[5]],
        ];
        let k = multiply(&p, &inv);
        self.apply(&k, &p, e);
    }

    fn correct(&mut self, r: &[f64; 9], e: &[f64; 3]) {
        let [xx, xy, xz, yy, yz, zz] = self.p;
        let p = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]];
        // RP: rows of R times P.
        let mut rp = [[0.0; 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                rp[i][j] = r[3 * i] * p[0][j] + r[3 * i + 1] * p[1][j] + r[3 * i + 2] * p[2][j];
            }
        }
        let s = |i: usize, j: usize| rp[i][0] * r[3 * j] + rp[i][1] * r[3 * j + 1] + rp[i][2] * r[3 * j + 2];
        let (wm, wv) = (self.d.w_motion, self.d.w_vertical);
        let inv = inverse(&[s(0, 0) + wm, s(0, 1), s(0, 2), s(1, 1) + wm, s(1, 2), s(2, 2) + wv]);
        let inv = [
            [inv[0], inv[1], inv[2]],
            [inv[1], inv[3], inv[4]],
            [inv[2], inv[4], inv[5]],
        ];
        // K = P Rᵀ S⁻¹ = (RP)ᵀ S⁻¹.
        let mut k = [[0.0; 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                k[i][j] = rp[0][i] * inv[0][j] + rp[1][i] * inv[1][j] + rp[2][i] * inv[2][j];
            }
        }
        self.apply(&k, &rp, e);
    }

    /// b += K e, P −= K M with M = R P; only the upper triangle is kept, which is what symmetry means.
    fn apply(&mut self, k: &[[f64; 3]; 3], m: &[[f64; 3]; 3], e: &[f64; 3]) {
        for (bias, row) in self.bias.iter_mut().zip(k) {
            *bias += row[0] * e[0] + row[1] * e[1] + row[2] * e[2];
        }
        let less = |i: usize, j: usize| k[i][0] * m[0][j] + k[i][1] * m[1][j] + k[i][2] * m[2][j];
        self.p[0] -= less(0, 0);
        self.p[1] -= less(0, 1);
        self.p[2] -= less(0, 2);
        self.p[3] -= less(1, 1);
        self.p[4] -= less(1, 2);
        self.p[5] -= less(2, 2);
    }
}

fn distance2(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    (0..3).map(|i| (a[i] - b[i]) * (a[i] - b[i])).sum()
}

#[inline]
fn product(a: &Quat, b: &Quat) -> Quat {
    [
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    ]
}

/// One Newton step towards unit length: the product of two unit quaternions is off by rounding only, so the step is exact.
#[inline]
fn renormalised(q: Quat) -> Quat {
    let n2 = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
    let f = 1.5 - 0.5 * n2;
    [q[0] * f, q[1] * f, q[2] * f, q[3] * f]
}

#[inline]
fn rotate(q: &Quat, v: &[f64; 3]) -> [f64; 3] {
    let [w, x, y, z] = *q;
    // v + 2 u × (u × v + w v), u the vector part.
    let c = [
        y * v[2] - z * v[1] + w * v[0],
        z * v[0] - x * v[2] + w * v[1],
        x * v[1] - y * v[0] + w * v[2],
    ];
    [
        v[0] + 2.0 * (y * c[2] - z * c[1]),
        v[1] + 2.0 * (z * c[0] - x * c[2]),
        v[2] + 2.0 * (x * c[1] - y * c[0]),
    ]
}

#[inline]
fn matrix(q: &Quat) -> [f64; 9] {
    let [w, x, y, z] = *q;
    [
        1.0 - 2.0 * (y * y + z * z),
        2.0 * (x * y - w * z),
        2.0 * (x * z + w * y),
        2.0 * (x * y + w * z),
        1.0 - 2.0 * (x * x + z * z),
        2.0 * (y * z - w * x),
        2.0 * (x * z - w * y),
        2.0 * (y * z + w * x),
        1.0 - 2.0 * (x * x + y * y),
    ]
}

fn multiply(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// Inverse of a symmetric positive matrix by cofactors. Positive because a diagonal of weights was added to it.
#[inline]
fn inverse(m: &Sym3) -> Sym3 {
    let [xx, xy, xz, yy, yz, zz] = *m;
    let (cxx, cxy, cxz) = (yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy);
    let f = 1.0 / (xx * cxx + xy * cxy + xz * cxz);
    [
        cxx * f,
        cxy * f,
        cxz * f,
        (xx * zz - xz * xz) * f,
        (xy * xz - xx * yz) * f,
        (xx * yy - xy * xy) * f,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Vector3;

    /// A sensor tumbling smoothly under gravity, with a gyroscope bias.
    fn tumble(k: u32, rate: f64, bias: Vector3<f64>) -> (Vector3<f64>, Vector3<f64>, UnitQuaternion<f64>) {
        let t = f64::from(k) / rate;
        let attitude =
            |t: f64| UnitQuaternion::from_euler_angles(0.8 * (0.9 * t).sin(), 0.6 * (0.5 * t).sin(), 0.3 * t);
        let (a, b) = (attitude(t - 1.0 / rate), attitude(t));
        let step = (a.inverse() * b).scaled_axis() * rate;
        (step + bias, b.inverse() * Vector3::new(0.0, 0.0, 9.80665), b)
    }

    #[test]
    fn finds_up_and_its_own_bias() {
        let rate = 200.0;
        let bias = Vector3::new(0.01, -0.008, 0.005);
        let mut filter = Vqf::new(VqfParams::default(), rate);
        let mut off = 0.0;
        for k in 0..60_000 {
            let (gyro, acc, truth) = tumble(k, rate, bias);
            filter.update(Vec3::from_raw(gyro), Vec3::from_raw(acc));
            let up = |q: UnitQuaternion<f64>| q.inverse() * Vector3::z();
            off = up(filter.level_from_sensor().q).angle(&up(truth));
        }
        assert!(off < rad(0.2), "{off}");
        assert!((filter.bias().v - bias).norm() < rad(0.05), "{:?}", filter.bias());
        assert!(filter.bias_sigma() < rad(0.5));
    }

    #[test]
    fn never_becomes_not_a_number() {
        let mut filter = Vqf::new(VqfParams::default(), 200.0);
        let odd = [f64::NAN, f64::INFINITY, 0.0, 1e300, -1e-300, 35.0];
        for k in 0..2000_usize {
            let pick = |i: usize| odd[(k * 7 + i * 3) % odd.len()].clamp(-1e6, 1e6);
            let raw = |i: usize| odd[(k * 5 + i) % odd.len()];
            let v = if k % 3 == 0 {
                Vector3::new(raw(0), raw(1), raw(2))
            } else {
                Vector3::new(pick(0), pick(1), 0.0)
            };
            filter.update(Vec3::from_raw(v), Vec3::new(pick(2), pick(3), pick(4)));
            let q = filter.level_from_sensor();
            assert!(q.q.coords.iter().all(|c| c.is_finite()), "step {k}");
        }
    }
}
