//! Looking into a stretch of one sensor: is it whole, which way is ahead, what was it at an instant.

use crate::model::{Absent, Frame, Level, SessionTime, Vec3};
use crate::orientation::TrackSample;
use crate::orientation::segment::unbroken;
use nalgebra::Vector2;
use std::ops::{Add, Mul, Sub};

/// The samples of `[from, to)` out of a longer slice.
///
/// # Errors
/// [`Absent::Gap`] where the slice does not cover the stretch without holes.
pub(crate) fn whole<F: Frame>(
    samples: &[TrackSample<F>],
    from: SessionTime,
    to: SessionTime,
) -> Result<&[TrackSample<F>], Absent> {
    let a = samples.partition_point(|s| s.t < from);
    let b = samples.partition_point(|s| s.t < to);
    let held = &samples[a.min(b)..b];
    unbroken(held, from, to)?;
    Ok(held)
}

/// The mean direction a segment faces, as a horizontal unit vector: square to its mean left axis, which swings less in
/// gait than its forward axis.
pub(crate) fn facing<F: Frame>(samples: &[TrackSample<F>]) -> Result<Vector2<f64>, Absent> {
    let left = samples.iter().fold(Vector2::zeros(), |sum, s| {
        let y = s.level_from.q * nalgebra::Vector3::y();
        sum + Vector2::new(y.x, y.y)
    });
    Vector2::new(left.y, -left.x).try_normalize(1e-9).ok_or(Absent::Refused)
}

/// Forward, left and up components of a level vector for a runner facing `ahead`.
pub(crate) fn ahead_left_up(v: Vec3<Level>, ahead: Vector2<f64>) -> nalgebra::Vector3<f64> {
    nalgebra::Vector3::new(
        v.v.x * ahead.x + v.v.y * ahead.y,
        v.v.y * ahead.x - v.v.x * ahead.y,
        v.v.z,
    )
}

/// A value (number or vector) at an instant between two samples, linear.
///
/// # Errors
/// [`Absent::Gap`] where `t` is not between two samples that follow each other.
pub(crate) fn at<F: Frame, V>(
    samples: &[TrackSample<F>],
    t: SessionTime,
    value: impl Fn(&TrackSample<F>) -> V,
) -> Result<V, Absent>
where
    V: Copy + Add<Output = V> + Sub<Output = V> + Mul<f64, Output = V>,
{
    let after = samples.partition_point(|s| s.t <= t);
    let pair = after.checked_sub(1).and_then(|i| samples.get(i..=after));
    let Some(pair @ [a, b]) = pair else {
        return Err(Absent::Gap);
    };
    unbroken(pair, a.t, b.t)?;
    let share = t.since(a.t) / b.t.since(a.t);
    let (from, to) = (value(a), value(b));
    Ok(from + (to - from) * share)
}
