//! The 12 × 12 error covariance of the stride filter, kept as its ten distinct 3 × 3 blocks.
//!
//! Error state (δp, δv, δψ) in `Level` and accelerometer bias δb in sensor axes. The transition is the identity plus a
//! few blocks, so a propagation costs some thirty small products instead of two dense 12 × 12 ones; a test holds it to
//! the dense formula.

use nalgebra::{Matrix3, SMatrix, Vector3};

/// States of the filter.
pub const STATES: usize = 12;

/// Dense form.
pub type Dense = SMatrix<f64, STATES, STATES>;

/// The distinct blocks of the symmetric covariance: p position, v velocity, a attitude, b accelerometer bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Covariance {
    pp: Matrix3<f64>,
    pv: Matrix3<f64>,
    pa: Matrix3<f64>,
    pb: Matrix3<f64>,
    vv: Matrix3<f64>,
    va: Matrix3<f64>,
    vb: Matrix3<f64>,
    aa: Matrix3<f64>,
    ab: Matrix3<f64>,
    bb: Matrix3<f64>,
}

impl Covariance {
    /// At an opening mid-stance: position known exactly, velocity with this variance and uncorrelated, attitude and bias
    /// as carried.
    #[must_use]
    pub fn opening(velocity: f64, attitude: Matrix3<f64>, cross: Matrix3<f64>, bias: Matrix3<f64>) -> Self {
        let zero = Matrix3::zeros();
        Self {
            pp: zero,
            pv: zero,
            pa: zero,
            pb: zero,
            vv: Matrix3::identity() * velocity,
            va: zero,
            vb: zero,
            aa: attitude,
            ab: cross,
            bb: bias,
        }
    }

    /// One step of `dt` seconds: `s` mean specific force in `Level` (m/s²), `r` attitude as a matrix, process noise of
    /// velocity and attitude.
    pub fn propagate(&mut self, s: &Vector3<f64>, r: &Matrix3<f64>, dt: f64, q_v: &Matrix3<f64>, q_a: &Matrix3<f64>) {
        let b = s.cross_matrix() * -dt;
        let c = r * -dt;
        let half = 0.5 * dt;
        let (bt, ct) = (b.transpose(), c.transpose());
        // What attitude and bias add to velocity, as columns of P·Fᵀ; position gets half of it times dt.
        let into = |xa: &Matrix3<f64>, xb: &Matrix3<f64>| xa * bt + xb * ct;
        let (ip, iv) = (into(&self.pa, &self.pb), into(&self.va, &self.vb));
        let (ia, ib) = (into(&self.aa, &self.ab), into(&self.ab.transpose(), &self.bb));
        let vp = self.pv.transpose();
        let p_p = self.pp + self.pv * dt + ip * half;
        let v_p = vp + self.vv * dt + iv * half;
        let a_p = self.pa.transpose() + self.va.transpose() * dt + ia * half;
        let b_p = self.pb.transpose() + self.vb.transpose() * dt + ib * half;
        let p_v = self.pv + ip;
        let v_v = self.vv + iv;
        let a_v = self.va.transpose() + ia;
        let b_v = self.vb.transpose() + ib;
        // F times those, upper blocks only.
        let push_p = b * a_p + c * b_p;
        let push_v = b * a_v + c * b_v;
        let push_a = b * self.aa + c * self.ab.transpose();
        let push_b = b * self.ab + c * self.bb;
        self.pp = symmetric(&(p_p + v_p * dt + push_p * half));
        self.pv = p_v + v_v * dt + push_v * half;
        self.pa += self.va * dt + push_a * half;
        self.pb += self.vb * dt + push_b * half;
        self.vv = symmetric(&(v_v + push_v)) + q_v;
        self.va += push_a;
        self.vb += push_b;
        self.aa += q_a;
    }

    /// As one dense matrix.
    #[must_use]
    pub fn dense(&self) -> Dense {
        let blocks = [
            [self.pp, self.pv, self.pa, self.pb],
            [self.pv.transpose(), self.vv, self.va, self.vb],
            [self.pa.transpose(), self.va.transpose(), self.aa, self.ab],
            [self.pb.transpose(), self.vb.transpose(), self.ab.transpose(), self.bb],
        ];
        let mut m = Dense::zeros();
        for (i, row) in blocks.iter().enumerate() {
            for (j, block) in row.iter().enumerate() {
                m.fixed_view_mut::<3, 3>(3 * i, 3 * j).copy_from(block);
            }
        }
        m
    }
}

fn symmetric(m: &Matrix3<f64>) -> Matrix3<f64> {
    (m + m.transpose()) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::Rotation3;

    #[test]
    fn blocks_propagate_as_the_dense_matrix_does() {
        let eye = Matrix3::identity();
        let mut c = Covariance::opening(0.01, eye * 0.03, eye * 0.001, eye * 0.02);
        let mut dense = c.dense();
        let (dt, q_v, q_a) = (0.005, eye * 1e-5, eye * 3e-6);
        for k in 0..200 {
            let x = f64::from(k) * 0.1;
            let s = Vector3::new(20.0 * x.sin(), 9.0 * (2.0 * x).cos(), 9.8 + 15.0 * (0.7 * x).sin());
            let r = *Rotation3::from_euler_angles(x, 0.3 * x, -x).matrix();
            let mut f = Dense::identity();
            f.fixed_view_mut::<3, 3>(0, 3).copy_from(&(eye * dt));
            f.fixed_view_mut::<3, 3>(3, 6).copy_from(&(s.cross_matrix() * -dt));
            f.fixed_view_mut::<3, 3>(0, 6)
                .copy_from(&(s.cross_matrix() * (-0.5 * dt * dt)));
            f.fixed_view_mut::<3, 3>(3, 9).copy_from(&(r * -dt));
            f.fixed_view_mut::<3, 3>(0, 9).copy_from(&(r * (-0.5 * dt * dt)));
            let mut q = Dense::zeros();
            q.fixed_view_mut::<3, 3>(3, 3).copy_from(&q_v);
            q.fixed_view_mut::<3, 3>(6, 6).copy_from(&q_a);
            dense = f * dense * f.transpose() + q;
            c.propagate(&s, &r, dt, &q_v, &q_a);
        }
        assert!((c.dense() - dense).abs().max() < 1e-9 * dense.abs().max());
    }
}
