//! How a sensor sits on its segment: turned as the runner clipped it on, and not quite where one would think.

use super::rng::{Purpose, Rng};
use crate::model::{Placement, SegmentKind};
use nalgebra::{Matrix3, Quaternion, UnitQuaternion, Vector3};

/// Mounting of all sensors of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mounting {
    /// Sensor axes along segment axes, at the nominal place.
    Aligned,
    /// One of the 24 orientations with axes along axes (0 to 23), at the nominal place.
    Straight(u8),
    /// Any orientation, and up to 3 cm from the nominal place (signal design 19.7), drawn for each sensor.
    Drawn,
}

/// Attitude and place of one sensor on its segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mount {
    /// Takes segment vectors to sensor vectors.
    pub(super) sensor_from_segment: Matrix3<f64>,
    /// Place in the segment frame, m.
    pub(super) lever: Vector3<f64>,
}

/// Nominal place of a sensor on its segment, m, from the segment's origin.
///
/// Foot: on the instep, from the sole point under the ankle; the ball of the foot is then (0.06, 0, −0.065) away. Shank:
/// on the inner shin 12 cm above the ankle joint. Sacrum: 10 cm behind and 8 cm above the middle between the hip joints.
pub(super) fn nominal_lever(segment: SegmentKind) -> Vector3<f64> {
    match segment {
        SegmentKind::Foot => Vector3::new(0.07, 0.0, 0.065),
        SegmentKind::Shank => Vector3::new(0.02, 0.0, 0.12),
        SegmentKind::Sacrum => Vector3::new(-0.10, 0.0, 0.08),
    }
}

impl Mount {
    pub(super) fn new(mounting: Mounting, placement: Placement, seed: u64) -> Self {
        let nominal = nominal_lever(placement.segment());
        match mounting {
            Mounting::Aligned => Self {
                sensor_from_segment: Matrix3::identity(),
                lever: nominal,
            },
            Mounting::Straight(which) => Self {
                sensor_from_segment: straight(which),
                lever: nominal,
            },
            Mounting::Drawn => {
                let mut rng = Rng::stream(seed, Purpose::Mounts, placement.index());
                // Four normal deviates make a rotation uniform over all attitudes.
                let q = Quaternion::new(rng.normal(), rng.normal(), rng.normal(), rng.normal());
                let off = Vector3::from(rng.direction()) * rng.between(0.0, 0.03);
                Self {
                    sensor_from_segment: matrix(&UnitQuaternion::from_quaternion(q)),
                    lever: nominal + off,
                }
            }
        }
    }

    /// The mount after the sensor has turned on its segment by `angle` about a sensor axis.
    pub(super) fn slipped(&self, axis: [f64; 3], angle: f64) -> Self {
        let (sin, cos) = libm::sincos(0.5 * angle);
        let q = Quaternion::new(cos, axis[0] * sin, axis[1] * sin, axis[2] * sin);
        Self {
            sensor_from_segment: matrix(&UnitQuaternion::from_quaternion(q)) * self.sensor_from_segment,
            ..*self
        }
    }
}

fn matrix(q: &UnitQuaternion<f64>) -> Matrix3<f64> {
    q.to_rotation_matrix().into_inner()
}

/// The `which`-th (modulo 24) right-handed signed permutation of the axes.
fn straight(which: u8) -> Matrix3<f64> {
    let which = usize::from(which % 24);
    let (axis, sign) = (which / 8, if (which / 4) % 2 == 0 { 1.0 } else { -1.0 });
    let quarter = which % 4;
    let unit = |i: usize| Vector3::from_fn(|r, _| if r == i { 1.0 } else { 0.0 });
    let x = unit(axis) * sign;
    let first = unit((axis + 1) % 3);
    let second = x.cross(&first);
    let y = [first, second, -first, -second][quarter];
    Matrix3::from_columns(&[x, y, x.cross(&y)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_24_straight_mounts_are_all_different_rotations() {
        let all: Vec<_> = (0..24).map(straight).collect();
        for (i, a) in all.iter().enumerate() {
            assert!((a.determinant() - 1.0).abs() < 1e-12);
            assert!(
                all[..i].iter().all(|b| (a - b).norm() > 0.5),
                "mount {i} repeats an earlier one"
            );
        }
    }

    #[test]
    fn drawn_mounts_differ_between_sensors_and_stay_within_three_centimetres() {
        let of = |p| Mount::new(Mounting::Drawn, p, 3);
        let (a, b) = (of(Placement::LeftFoot), of(Placement::RightFoot));
        assert!((a.sensor_from_segment - b.sensor_from_segment).norm() > 1e-3);
        assert!((a.lever - nominal_lever(SegmentKind::Foot)).norm() <= 0.03);
    }
}
