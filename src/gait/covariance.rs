//! The 9 × 9 error covariance of the stride filter, kept as its six 3 × 3 blocks.
//!
//! Error state (δp, δv, δψ) in `Level`. The transition is the identity plus three blocks (Δ·I, −[s]×Δ, −½[s]×Δ²), so a
//! propagation costs a dozen small products instead of two dense 9 × 9 ones; a test holds it to the dense formula.

use nalgebra::{Matrix3, SMatrix, Vector3};

/// The six distinct blocks of a symmetric 9 × 9 covariance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Covariance {
    /// Position.
    pub pp: Matrix3<f64>,
    /// Position–velocity.
    pub pv: Matrix3<f64>,
    /// Position–attitude.
    pub pa: Matrix3<f64>,
    /// Velocity.
    pub vv: Matrix3<f64>,
    /// Velocity–attitude.
    pub va: Matrix3<f64>,
    /// Attitude.
    pub aa: Matrix3<f64>,
}

impl Covariance {
    /// Uncorrelated, with position known exactly.
    #[must_use]
    pub fn opening(velocity_variance: f64, attitude: Matrix3<f64>) -> Self {
        Self {
            pp: Matrix3::zeros(),
            pv: Matrix3::zeros(),
            pa: Matrix3::zeros(),
            vv: Matrix3::identity() * velocity_variance,
            va: Matrix3::zeros(),
            aa: attitude,
        }
    }

    /// One step of `dt` seconds with mean specific force `s` (Level, m/s²) and process noise of velocity and attitude.
    pub fn propagate(&mut self, s: &Vector3<f64>, dt: f64, q_velocity: &Matrix3<f64>, q_attitude: &Matrix3<f64>) {
        let b = s.cross_matrix() * -dt;
        let a = b * (0.5 * dt);
        // Columns of P·Fᵀ.
        let pv_t = self.pv.transpose();
        let pa_t = self.pa.transpose();
        let va_t = self.va.transpose();
        let (a_t, b_t) = (a.transpose(), b.transpose());
        let p_p = self.pp + self.pv * dt + self.pa * a_t;
        let v_p = pv_t + self.vv * dt + self.va * a_t;
        let a_p = pa_t + va_t * dt + self.aa * a_t;
        let p_v = self.pv + self.pa * b_t;
        let v_v = self.vv + self.va * b_t;
        let a_v = va_t + self.aa * b_t;
        // F times those; the upper blocks only.
        self.pp = symmetric(p_p + v_p * dt + a * a_p);
        self.pv = p_v + v_v * dt + a * a_v;
        self.pa = self.pa + self.va * dt + a * self.aa;
        self.vv = symmetric(v_v + b * a_v) + q_velocity;
        self.va += b * self.aa;
        self.aa += q_attitude;
    }

    /// As one dense matrix.
    #[must_use]
    pub fn dense(&self) -> SMatrix<f64, 9, 9> {
        let mut m = SMatrix::<f64, 9, 9>::zeros();
        m.fixed_view_mut::<3, 3>(0, 0).copy_from(&self.pp);
        m.fixed_view_mut::<3, 3>(0, 3).copy_from(&self.pv);
        m.fixed_view_mut::<3, 3>(0, 6).copy_from(&self.pa);
        m.fixed_view_mut::<3, 3>(3, 0).copy_from(&self.pv.transpose());
        m.fixed_view_mut::<3, 3>(3, 3).copy_from(&self.vv);
        m.fixed_view_mut::<3, 3>(3, 6).copy_from(&self.va);
        m.fixed_view_mut::<3, 3>(6, 0).copy_from(&self.pa.transpose());
        m.fixed_view_mut::<3, 3>(6, 3).copy_from(&self.va.transpose());
        m.fixed_view_mut::<3, 3>(6, 6).copy_from(&self.aa);
        m
    }
}

fn symmetric(m: Matrix3<f64>) -> Matrix3<f64> {
    (m + m.transpose()) * 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_propagate_as_the_dense_matrix_does() {
        let mut c = Covariance::opening(0.01, Matrix3::identity() * 0.03);
        let mut dense = c.dense();
        let (dt, q_v, q_a) = (0.005, Matrix3::identity() * 1e-5, Matrix3::identity() * 3e-6);
        for k in 0..200 {
            let x = f64::from(k) * 0.1;
            let s = Vector3::new(20.0 * x.sin(), 9.0 * (2.0 * x).cos(), 9.8 + 15.0 * (0.7 * x).sin());
            let mut f = SMatrix::<f64, 9, 9>::identity();
            f.fixed_view_mut::<3, 3>(0, 3).copy_from(&(Matrix3::identity() * dt));
            f.fixed_view_mut::<3, 3>(3, 6).copy_from(&(s.cross_matrix() * -dt));
            f.fixed_view_mut::<3, 3>(0, 6).copy_from(&(s.cross_matrix() * (-0.5 * dt * dt)));
            let mut q = SMatrix::<f64, 9, 9>::zeros();
            q.fixed_view_mut::<3, 3>(3, 3).copy_from(&q_v);
            q.fixed_view_mut::<3, 3>(6, 6).copy_from(&q_a);
            dense = f * dense * f.transpose() + q;
            c.propagate(&s, dt, &q_v, &q_a);
        }
        assert!((c.dense() - dense).abs().max() < 1e-9 * dense.abs().max());
    }
}
