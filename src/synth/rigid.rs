//! A moving rigid segment, and what an inertial sensor fixed to it would feel.
//!
//! Frames as everywhere in lope: segment x forward, y left, z up; the rotation is the one that takes segment vectors to
//! the level frame.

use super::jet::{Jet, Jet3, dot3};
use crate::model::units::STANDARD_GRAVITY;
use nalgebra::{Matrix3, Vector3};

/// Position and attitude of a segment with their first two derivatives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    pub(super) origin: Jet3,
    /// Segment axes x, y, z in the level frame.
    pub(super) axes: [Jet3; 3],
}

/// The axes of a segment turned by yaw about z, then by `nose_down` about y, then by roll about x.
pub(super) fn axes(yaw: Jet, nose_down: Jet, roll: Jet) -> [Jet3; 3] {
    let ((sy, cy), (sp, cp), (sr, cr)) = (yaw.sin_cos(), nose_down.sin_cos(), roll.sin_cos());
    let (cy_sp, sy_sp) = (cy * sp, sy * sp);
    [
        [cy * cp, sy * cp, -sp],
        [cy_sp * sr - sy * cr, sy_sp * sr + cy * cr, cp * sr],
        [cy_sp * cr + sy * sr, sy_sp * cr - cy * sr, cp * cr],
    ]
}

/// Kinematics of a segment at one instant, in plain numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinematics {
    /// Takes segment vectors to the level frame.
    pub(super) level_from_segment: Matrix3<f64>,
    pub(super) position: Vector3<f64>,
    pub(super) velocity: Vector3<f64>,
    pub(super) acceleration: Vector3<f64>,
    /// Angular rate in the segment frame, rad/s.
    pub(super) omega: Vector3<f64>,
    /// Its derivative, rad/s².
    pub(super) omega_dot: Vector3<f64>,
}

impl Pose {
    pub(super) fn kinematics(&self) -> Kinematics {
        let [x, y, z] = &self.axes;
        // RᵀṘ = [ω]×, and the antisymmetric part of RᵀR̈ is [ω̇]×.
        let rate = |a: &Jet3, b: &Jet3| a[0].v * b[0].d + a[1].v * b[1].d + a[2].v * b[2].d;
        let second = |a: &Jet3, b: &Jet3| {
            let ab = a[0].v * b[0].a + a[1].v * b[1].a + a[2].v * b[2].a;
            let ba = b[0].v * a[0].a + b[1].v * a[1].a + b[2].v * a[2].a;
            0.5 * (ab - ba)
        };
        Kinematics {
            level_from_segment: Matrix3::from_fn(|row, col| self.axes[col][row].v),
            position: Vector3::from_fn(|i, _| self.origin[i].v),
            velocity: Vector3::from_fn(|i, _| self.origin[i].d),
            acceleration: Vector3::from_fn(|i, _| self.origin[i].a),
            omega: Vector3::new(rate(z, y), rate(x, z), rate(y, x)),
            omega_dot: Vector3::new(second(z, y), second(x, z), second(y, x)),
        }
    }

    /// A point fixed to the segment, with derivatives.
    pub(super) fn point(&self, lever: &Vector3<f64>) -> Jet3 {
        let along = |i: usize| {
            self.origin[i] + self.axes[0][i] * lever.x + self.axes[1][i] * lever.y + self.axes[2][i] * lever.z
        };
        [along(0), along(1), along(2)]
    }
}

impl Kinematics {
    /// Specific force at a point of the segment, in the segment frame: Rᵀ(p̈ + g ẑ) + ω̇×ℓ + ω×(ω×ℓ).
    pub(super) fn specific_force(&self, lever: &Vector3<f64>) -> Vector3<f64> {
        let felt = self.acceleration + Vector3::new(0.0, 0.0, STANDARD_GRAVITY);
        self.level_from_segment.tr_mul(&felt) + self.omega_dot.cross(lever) + self.omega.cross(&self.omega.cross(lever))
    }
}

/// The vector scaled to length one. The caller guarantees that it is not zero.
pub(super) fn unit3(v: &Jet3) -> Jet3 {
    let inverse = dot3(v, v).sqrt().recip();
    [v[0] * inverse, v[1] * inverse, v[2] * inverse]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_sign_table() {
        let still = Jet::default();
        let turning = Jet::new(0.0, 1.0, 0.0);
        let omega = |yaw, down, roll| {
            Pose {
                origin: [still; 3],
                axes: axes(yaw, down, roll),
            }
            .kinematics()
            .omega
        };
        // Anterior tilt is a positive rate about y, left border up a positive rate about x, turning left about z.
        assert!((omega(still, turning, still) - Vector3::y()).norm() < 1e-12);
        assert!((omega(still, still, turning) - Vector3::x()).norm() < 1e-12);
        assert!((omega(turning, still, still) - Vector3::z()).norm() < 1e-12);
    }

    #[test]
    fn the_force_at_a_lever_is_that_of_the_moving_point() {
        let t = |a: f64, b: f64, c: f64| Jet::new(a, b, c);
        let pose = Pose {
            origin: [t(1.0, 2.0, -3.0), t(0.2, -0.4, 5.0), t(0.1, 0.3, 7.0)],
            axes: axes(t(0.3, 2.0, -30.0), t(-0.9, 5.0, 80.0), t(0.1, -1.0, 20.0)),
        };
        let lever = Vector3::new(0.07, -0.02, 0.06);
        let point = pose.point(&lever);
        let k = pose.kinematics();
        let felt = Vector3::new(point[0].a, point[1].a, point[2].a + STANDARD_GRAVITY);
        assert!((k.level_from_segment.tr_mul(&felt) - k.specific_force(&lever)).norm() < 1e-10);
    }
}
