//! The way of the foot between two mid-stances, point by point, as a side view draws it.
//!
//! The stride length is known only at the closing mid-stance, where the filter of [`super::trajectory`] takes out what had
//! drifted. So the way is integrated twice: forwards from the rest that opens the stride, and backwards from the closed
//! state. Each is right at its own end and drifts away from it (errors of attitude and offset grow with time), and the
//! way is their mixture, passing smoothly from the one to the other. It therefore begins at zero and ends at the very
//! displacement that is the stride length.
//!
//! What it is not: the sole. It is the way of the sensor's place on the shoe.

use super::trajectory::{Closed, Departure, Trajectory, small_rotation};
use crate::model::units::STANDARD_GRAVITY;
use crate::model::{Sensor, SessionTime, Travel, Vec3};
use crate::orientation::TrackSample;
use nalgebra::Vector3;

/// Where the foot was at an instant, from its place at the opening mid-stance, m: x along travel, y to the left, z up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathPoint {
    /// Session time.
    pub t: SessionTime,
    /// Displacement since the opening mid-stance.
    pub place: Vec3<Travel>,
}

/// The way of one foot over one stride.
#[derive(Clone, Debug, PartialEq)]
pub struct FootPath {
    /// The opening mid-stance.
    pub start: SessionTime,
    /// The closing one.
    pub end: SessionTime,
    /// A point for every sample, in time order; the first is zero, the last the displacement of the stride.
    pub points: Vec<PathPoint>,
}

impl FootPath {
    /// The place at an instant inside the stride, linear between samples; `None` outside.
    #[must_use]
    pub fn at(&self, t: SessionTime) -> Option<Vec3<Travel>> {
        let after = self.points.partition_point(|p| p.t <= t);
        let a = after.checked_sub(1).and_then(|i| self.points.get(i))?;
        let Some(b) = self.points.get(after) else {
            return (a.t == t).then_some(a.place);
        };
        let share = t.since(a.t) / b.t.since(a.t).max(1e-9);
        Some(a.place + (b.place - a.place) * share)
    }

    /// Mixes the two integrations; `samples` are those of the stride, from mid-stance to mid-stance.
    pub(super) fn between(
        trajectory: &Trajectory,
        samples: &[TrackSample<Sensor>],
        departure: &Departure,
        closed: &Closed,
    ) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        let total = last.t.since(first.t);
        let ahead = Vector3::new(closed.displacement.x, closed.displacement.y, 0.0).try_normalize(1e-6)?;
        let forwards = forwards(samples, departure);
        let backwards = backwards(trajectory, samples, closed);
        let points = samples.iter().zip(forwards.iter().zip(&backwards));
        Some(Self {
            start: first.t,
            end: last.t,
            points: points
                .map(|(s, (f, b))| {
                    let share = (s.t.since(first.t) / total).clamp(0.0, 1.0);
                    // Smooth step: its slope is zero at both ends, so that each end keeps the velocity of its own pass.
                    let weight = share * share * (3.0 - 2.0 * share);
                    let p = f * (1.0 - weight) + b * weight;
                    PathPoint {
                        t: s.t,
                        place: Vec3::new(p.dot(&ahead), p.y * ahead.x - p.x * ahead.y, p.z),
                    }
                })
                .collect(),
        })
    }
}

/// Place of every sample in `Level`, from the opening rest on.
fn forwards(samples: &[TrackSample<Sensor>], departure: &Departure) -> Vec<Vector3<f64>> {
    let gravity = Vector3::new(0.0, 0.0, STANDARD_GRAVITY);
    let (mut r, mut v, mut d) = (departure.attitude, departure.velocity, Vector3::zeros());
    let mut places = Vec::with_capacity(samples.len());
    places.push(d);
    for pair in samples.windows(2) {
        let dt = pair[1].t.since(pair[0].t);
        let force = r * (pair[0].acc.v - departure.bias);
        r *= small_rotation(&((pair[0].gyro.v + pair[1].gyro.v) * (0.5 * dt)));
        let a = (force + r * (pair[1].acc.v - departure.bias)) * 0.5 - gravity;
        d += v * dt + a * (0.5 * dt * dt);
        v += a * dt;
        places.push(d);
    }
    places
}

/// The same from the closed state back.
fn backwards(trajectory: &Trajectory, samples: &[TrackSample<Sensor>], closed: &Closed) -> Vec<Vector3<f64>> {
    let mut places = vec![closed.displacement; samples.len()];
    let mut later: Option<Vector3<f64>> = None;
    trajectory.walk_back(samples, closed, |k, _, v| {
        if let Some(after) = later {
            let dt = samples[k + 1].t.since(samples[k].t);
            places[k] = places[k + 1] - (after + v) * (0.5 * dt);
        }
        later = Some(*v);
        true
    });
    places
}
