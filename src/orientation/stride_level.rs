//! A second opinion on which way is up, from whole strides and the speed of travel.
//!
//! A filter without a model of gait takes the mean acceleration of its last seconds for zero. A runner who sets off
//! speeds up by one or two metres per second each second, and for ten seconds afterwards the filter is up to five
//! degrees off (seen on recorded runners). Feet know better: over whole strides the mean acceleration of any part of
//! the body is the change of the velocity of travel. Where speeds of strides are known, the few seconds around a stride
//! are levelled again so that mean specific force equals gravity plus that change; turns are included, because the
//! velocity turns with the body.
//!
//! The bias of the accelerometer tilts this level exactly as it tilts the standing reference, so it cancels in angles
//! against standing.

use super::track::TrackSample;
use crate::model::units::STANDARD_GRAVITY;
use crate::model::{Sensor, SessionTime, Vec3};
use nalgebra::{Matrix2x3, UnitQuaternion, Vector2, Vector3};

/// Strides remembered: a minute of both feet at a high cadence.
const REMEMBERED: usize = 192;

/// Strides this far before and after count, s. Speeds of single strides scatter by some percent, which over three
/// seconds is less than 0.2 degrees.
const AROUND_S: f64 = 3.0;

/// Strides needed.
const FEWEST: usize = 5;

/// One stride.
#[derive(Clone, Copy, Debug)]
struct Noted {
    middle: SessionTime,
    /// Mean specific force, level frame, m/s².
    force: Vector3<f64>,
    /// Mean horizontal parts of the three axes of the sensor, level frame.
    axes: Matrix2x3<f64>,
    /// Speed of travel, m/s.
    speed: f64,
}

/// Strides of the last minute with speed. Fixed size.
#[derive(Clone, Debug)]
pub struct StrideLevel {
    ring: Vec<Noted>,
    next: usize,
}

impl Default for StrideLevel {
    fn default() -> Self {
        Self {
            ring: Vec::with_capacity(REMEMBERED),
            next: 0,
        }
    }
}

impl StrideLevel {
    /// Takes the samples of one whole stride and the speed of travel over it, m/s.
    pub fn note(&mut self, held: &[TrackSample<Sensor>], speed: f64) {
        let (Some(first), Some(last)) = (held.first(), held.last()) else {
            return;
        };
        let (mut force, mut axes) = (Vector3::zeros(), Matrix2x3::zeros());
        for s in held {
            force += s.level_from.q * s.acc.v;
            axes += s.level_from.q.to_rotation_matrix().matrix().fixed_rows::<2>(0);
        }
        let n = held.len() as f64;
        let middle = first.t.plus(0.5 * last.t.since(first.t));
        let noted = Noted {
            middle,
            force: force / n,
            axes: axes / n,
            speed,
        };
        if self.ring.len() < REMEMBERED {
            self.ring.push(noted);
        } else {
            self.ring[self.next] = noted;
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// Forgets all strides: the filter started anew and its heading with it.
    pub fn clear(&mut self) {
        self.ring.clear();
        self.next = 0;
    }

    /// What to turn attitude by around `t`; `left` is the segment's left axis in the sensor. Nothing where too few
    /// strides with speed are known.
    #[must_use]
    pub fn correction(&self, t: SessionTime, left: Vec3<Sensor>) -> UnitQuaternion<f64> {
        self.around(t, left).unwrap_or_else(UnitQuaternion::identity)
    }

    fn around(&self, t: SessionTime, left: Vec3<Sensor>) -> Option<UnitQuaternion<f64>> {
        let near = || self.ring.iter().filter(|s| s.middle.since(t).abs() <= AROUND_S);
        let n = near().count();
        if n < FEWEST {
            return None;
        }
        let velocity = |s: &Noted| {
            let left = s.axes * left.v;
            Vector2::new(left.y, -left.x)
                .try_normalize(1e-9)
                .map(|facing| facing * s.speed)
        };
        let (mut force, mut when, mut mean) = (Vector3::zeros(), 0.0, Vector2::zeros());
        for s in near() {
            force += s.force;
            when += s.middle.since(t);
            mean += velocity(s)?;
        }
        let share = 1.0 / n as f64;
        (force, when, mean) = (force * share, when * share, mean * share);
        // The change of velocity as the slope of a straight line through all strides.
        let (mut product, mut square) = (Vector2::zeros(), 0.0);
        for s in near() {
            let dt = s.middle.since(t) - when;
            product += (velocity(s)? - mean) * dt;
            square += dt * dt;
        }
        if square < 0.1 {
            return None;
        }
        let change = product / square;
        let expected = Vector3::new(change.x, change.y, STANDARD_GRAVITY);
        UnitQuaternion::rotation_between(&force, &expected)
    }
}
