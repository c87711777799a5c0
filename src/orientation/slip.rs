//! Notices that a sensor turned in its strap, from where gravity points in it stride after stride.
//!
//! A slip and a change of posture both move the mean direction of gravity. Two things tell them apart: how large the
//! change is, and about which axis. Going from standing to running, or from 2.5 to 4.5 m/s, tilts a pelvis forward by
//! 6 to 9 degrees in recorded runners, so a turn about the side-to-side axis must be larger than that before it is
//! called a slip; a lean to the side or a turn about the vertical is not part of any posture and 5 degrees suffice.

use crate::model::{Sensor, Vec3};
use nalgebra::Vector3;

/// Strides in one block; the last block is compared with the one before it.
pub const BLOCK: usize = 25;

/// Strides of the block before that suffice soon after the start.
const FEWEST_BEFORE: usize = 10;

/// Smallest turn to the side that is a slip, rad (5°).
const SIDE_RAD: f64 = 0.087;

/// Smallest turn in the sagittal plane that is a slip, rad (12°): above the posture changes named in the module's head.
const SAGITTAL_RAD: f64 = 0.21;

/// How far a sensor is turned against gravity, rad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turned {
    /// To the side, 0 to π/2.
    pub side_rad: f64,
    /// In the sagittal plane, about the left axis, −π/2 to π/2.
    pub sagittal_rad: f64,
}

/// Compares the median up direction of the last block of strides with that of the block before. Fixed size.
#[derive(Clone, Debug)]
pub struct SlipWatch {
    ring: [Vec3<Sensor>; 2 * BLOCK],
    seen: usize,
}

impl Default for SlipWatch {
    fn default() -> Self {
        Self {
            ring: [Vec3::zero(); 2 * BLOCK],
            seen: 0,
        }
    }
}

impl SlipWatch {
    /// Takes the mean up direction of one stride in the sensor.
    pub fn note(&mut self, up: Vec3<Sensor>) {
        self.ring[self.seen % (2 * BLOCK)] = up;
        self.seen += 1;
    }

    /// Whether the sensor moved; `left` is the segment's left axis in it. A slip shows when half a block lies behind it.
    #[must_use]
    pub fn moved(&self, left: Vec3<Sensor>) -> bool {
        self.turned(left)
            .is_some_and(|t| t.side_rad > SIDE_RAD || t.sagittal_rad.abs() > SAGITTAL_RAD)
    }

    /// How far the last block is turned against the one before; `None` before there are enough strides. A turn about the
    /// vertical moves no gravity and is not seen.
    #[must_use]
    pub fn turned(&self, left: Vec3<Sensor>) -> Option<Turned> {
        let older = self.seen.saturating_sub(BLOCK).min(BLOCK);
        if older < FEWEST_BEFORE {
            return None;
        }
        let (before, now) = (self.median(BLOCK, older), self.median(0, BLOCK));
        // The axis of the turn times the sine of its angle: the part along `left` is a turn in the sagittal plane.
        let turn = before.cross(&now);
        let sagittal = turn.dot(&left.v);
        let side = (turn - left.v * sagittal).norm();
        let angle = |sine: f64| sine.clamp(-1.0, 1.0).asin();
        Some(Turned {
            side_rad: angle(side),
            sagittal_rad: angle(sagittal),
        })
    }

    /// Median of `n` strides, the newest of which has `skip` newer ones.
    fn median(&self, skip: usize, n: usize) -> Vector3<f64> {
        let middle = |axis: usize| {
            let mut v = [0.0; BLOCK];
            for (i, value) in v.iter_mut().take(n).enumerate() {
                *value = self.ring[(self.seen - 1 - skip - i) % (2 * BLOCK)].v[axis];
            }
            v[..n].sort_by(f64::total_cmp);
            v[n / 2]
        };
        let m = Vector3::new(middle(0), middle(1), middle(2));
        m.try_normalize(1e-9).unwrap_or(m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tilted(sagittal: f64, side: f64) -> Vec3<Sensor> {
        let q = nalgebra::UnitQuaternion::from_euler_angles(side, sagittal, 0.0);
        Vec3::from_raw(q * nalgebra::Vector3::z())
    }

    const LEFT: [f64; 3] = [0.0, 1.0, 0.0];

    fn moved_after(change: Vec3<Sensor>) -> bool {
        let left = Vec3::from_raw(LEFT.into());
        let mut watch = SlipWatch::default();
        for _ in 0..2 * BLOCK {
            watch.note(tilted(0.0, 0.0));
        }
        assert!(!watch.moved(left));
        (0..BLOCK).any(|_| {
            watch.note(change);
            watch.moved(left)
        })
    }

    #[test]
    fn a_turned_sensor_is_noticed_and_a_change_of_posture_is_not() {
        assert!(moved_after(tilted(0.0, 0.12)), "7° to the side");
        assert!(moved_after(tilted(0.26, 0.0)), "15° in the sagittal plane");
        assert!(
            !moved_after(tilted(0.15, 0.0)),
            "8.5° forward is what standing to running does"
        );
        assert!(!moved_after(tilted(0.05, 0.05)), "3° each way is scatter");
    }

    #[test]
    fn odd_strides_in_a_block_are_not_a_slip() {
        let mut watch = SlipWatch::default();
        for i in 0..4 * BLOCK {
            watch.note(if i % 9 == 0 { tilted(0.4, 0.4) } else { tilted(0.0, 0.0) });
            assert!(!watch.moved(Vec3::from_raw(LEFT.into())));
        }
    }
}
