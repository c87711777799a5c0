//! Lean of the shank at contact and the shock that travels up it.

use super::context::{MetricSet, StrideContext, Synchronised};
use super::registry::MetricId;
use super::stretch::{ahead_left_up, at, facing, whole};
use crate::model::{Absent, Activity, Measured, Shank, Vec3};
use crate::orientation::TrackSample;
use nalgebra::Vector2;

/// The shock is looked for from this long before contact …, s
const SHOCK_BEFORE_S: f64 = 0.010;

/// … to this long after it, s: later peaks are push-off.
const SHOCK_AFTER_S: f64 = 0.060;

/// Enters the shank's metrics of one stride.
pub fn compute(ctx: &StrideContext, set: &mut MetricSet) {
    set.set(MetricId::ShankAngleIc, angle_at_contact(ctx));
    set.set(MetricId::TibialPeakAcc, shock(ctx, |s| s.acc.norm()));
    set.set(MetricId::TibialPeakAxial, shock(ctx, |s| s.acc.v.z));
}

/// Lean of the shank in the sagittal plane of `ahead`, rad: ankle ahead of the knee positive.
pub(crate) fn lean(s: &TrackSample<Shank>, ahead: Vector2<f64>) -> f64 {
    let up = ahead_left_up(s.level_from * Vec3::new(0.0, 0.0, 1.0), ahead);
    (-up.x).atan2(up.z)
}

fn angle_at_contact(ctx: &StrideContext) -> Measured {
    let samples = ctx.shank?;
    if ctx.stride.activity == Activity::Still {
        return Err(Absent::NotInThisActivity);
    }
    let contact = ctx.stride.contact.ok_or(Absent::NoSensor)?;
    let standing = ctx.standing.shank_angle.ok_or(Absent::NoStanding)?;
    // The shank turns 3 to 6 rad/s at contact: 10 ms of clock error are 2 to 3 degrees.
    if ctx.synchronised == Synchronised::No {
        return Err(Absent::NotSynchronised);
    }
    let ahead = facing(whole(samples, ctx.stride.start, ctx.stride.end)?)?;
    Ok(at(samples, contact.ic, |s| lean(s, ahead))? - standing)
}

fn shock(ctx: &StrideContext, value: impl Fn(&TrackSample<Shank>) -> f64) -> Measured {
    let samples = ctx.shank?;
    if ctx.stride.activity == Activity::Still {
        return Err(Absent::NotInThisActivity);
    }
    let (from, to) = match ctx.stride.contact {
        Some(c) => (c.ic.plus(-SHOCK_BEFORE_S), c.ic.plus(SHOCK_AFTER_S)),
        None => (ctx.stride.start, ctx.stride.end),
    };
    Ok(super::shock::peak(whole(samples, from, to)?, value))
}
