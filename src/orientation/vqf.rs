//! temp
use nalgebra::*;
use crate::signal::butterworth::Butterworth2;
/// t
#[derive(Clone, Copy, Debug, Default)] pub struct VqfParams;
/// t
#[derive(Clone, Debug)] pub struct Vqf { dt: f64, qg: UnitQuaternion<f64>, qa: UnitQuaternion<f64>, n: u32, sum: Vector3<f64>, lp: [Butterworth2; 3], lr: Vec<Butterworth2>, lb: [Butterworth2; 2], b: Vector3<f64>, p: Matrix3<f64>, p0: f64, v: f64, wm: f64, wv: f64, wr: f64, grl: [Butterworth2;3], arl: [Butterworth2;3], rest_t: f64, glp: Vector3<f64> }
impl Vqf {
    /// t
    pub fn new(_: VqfParams, rate: f64) -> Self {
        let tau = 3.0; let fc = 2f64.sqrt() / (std::f64::consts::TAU * tau); let fr = 2f64.sqrt() / (std::f64::consts::TAU * 0.5);
        let f = || Butterworth2::low_pass(fc, rate); let r = || Butterworth2::low_pass(fr, rate);
        let dt = 1.0 / rate; let p0 = 50f64.powi(2); let v = (0.1f64 * 100.0).powi(2) * dt / 100.0; let pm = (0.1f64 * 100.0).powi(2); let wm = pm * pm / v + pm; let pr = (0.03f64 * 100.0).powi(2);
        Self { dt, qg: UnitQuaternion::identity(), qa: UnitQuaternion::identity(), n: 0, sum: Vector3::zeros(), lp: [f(), f(), f()], lr: (0..9).map(|_| f()).collect(), lb: [f(), f()], b: Vector3::zeros(), p: Matrix3::identity() * p0, p0, v, wm, wv: wm / 1e-4, wr: pr * pr / v + pr, grl: [r(), r(), r()], arl: [r(), r(), r()], rest_t: 0.0, glp: Vector3::zeros() }
    }
    /// t
    pub fn bias(&self) -> Vector3<f64> { self.b }
    /// t
    pub fn level_from_sensor(&self) -> UnitQuaternion<f64> { self.qa * self.qg }
    /// t
    pub fn update(&mut self, g: Vector3<f64>, a: Vector3<f64>) {
        let glp = Vector3::from_fn(|i, _| self.grl[i].step(g[i])); let alp = Vector3::from_fn(|i, _| self.arl[i].step(a[i])); self.glp = glp;
        if (g - glp).norm() > 2f64.to_radians() || glp.amax() > 2f64.to_radians() || (a - alp).norm() > 0.5 { self.rest_t = 0.0 } else { self.rest_t += self.dt }
        self.qg = self.qg * UnitQuaternion::from_scaled_axis((g - self.b) * self.dt); self.qg.renormalize();
        let ai = self.qg * a; self.n += 1; self.sum += ai;
        let y = Vector3::from_fn(|i, _| self.lp[i].step(ai[i]));
        let y = if (self.n as f64) * self.dt < 3.0 { self.sum / self.n as f64 } else { y };
        let ae = (self.qa * y).normalize();
        let w = ((ae.z + 1.0) / 2.0).max(0.0).sqrt();
        let qc = if w > 1e-6 { Quaternion::new(w, 0.5 * ae.y / w, -0.5 * ae.x / w, 0.0) } else { Quaternion::new(0.0, 1.0, 0.0, 0.0) };
        self.qa = UnitQuaternion::from_quaternion(qc) * self.qa;
        let r = self.level_from_sensor().to_rotation_matrix().into_inner(); let rb = r * self.b;
        let mut rl = Matrix3::zeros(); for i in 0..9 { rl[i] = self.lr[i].step(r[i]); }
        let bl = [self.lb[0].step(rb.x), self.lb[1].step(rb.y)];
        let clip = 2f64.to_radians();
        let (e, rr, wd) = if self.rest_t > 1.5 { (glp - self.b, Matrix3::identity(), Vector3::repeat(self.wr)) } else { let rb = rl * self.b; (Vector3::new(-ae.y / self.dt + bl[0] - rb.x, ae.x / self.dt + bl[1] - rb.y, -rb.z), rl, Vector3::new(self.wm, self.wm, self.wv)) };
        for i in 0..3 { if self.p[(i, i)] < self.p0 { self.p[(i, i)] += self.v; } }
        if (self.n as f64) * self.dt > 3.0 || self.rest_t > 1.5 {
        let e = e.map(|x| x.clamp(-clip, clip));
        if let Some(inv) = (Matrix3::from_diagonal(&wd) + rr * self.p * rr.transpose()).try_inverse() { let k = self.p * rr.transpose() * inv; self.b += k * e; self.p -= k * rr * self.p; self.b = self.b.map(|x| x.clamp(-clip, clip)); } }
    }
}
