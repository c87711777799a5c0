//! What the pelvis does in a stride: tilt, obliquity, drop, rotation, rise and fall.
//!
//! Angles come from the attitude of the sacrum sensor in the axes of the pelvis; ranges need no zero, tilt and drop are
//! against quiet standing. Rise and fall is the vertical acceleration integrated twice as harmonics of the stride.

use super::context::{MetricSet, StrideContext};
use super::pelvis_cycle::PelvisCycle;
use super::registry::MetricId;
use super::stretch::{at, facing, whole};
use crate::model::{Absent, Measured, Sacrum, SessionTime};
use crate::orientation::TrackSample;
use nalgebra::{Vector2, Vector3};

/// Points at which the fitted rise and fall is read.
const RISE_POINTS: usize = 64;

/// Forward tilt of the line between posterior and anterior iliac spines in standing, rad (13°, SD 5° over 30 pelves in
/// the anatomical position): Preece and others 2008, doi 10.1179/106698108790818459.
const SPINE_LINE_TILT: f64 = 0.227;

const ALL: [MetricId; 8] = [
    MetricId::PelvisTilt,
    MetricId::PelvisTiltRange,
    MetricId::PelvisObliquityRange,
    MetricId::PelvisDrop,
    MetricId::PelvisDropFromIc,
    MetricId::PelvisRotationRange,
    MetricId::PelvisOscillation,
    MetricId::VerticalRatio,
];

/// Tilt of the pelvis, rad: front down positive.
#[must_use]
pub fn tilt(s: &TrackSample<Sacrum>) -> f64 {
    (-(s.level_from.q * Vector3::x()).z).clamp(-1.0, 1.0).asin()
}

/// Obliquity of the pelvis, rad: left side up positive.
#[must_use]
pub fn obliquity(s: &TrackSample<Sacrum>) -> f64 {
    (s.level_from.q * Vector3::y()).z.clamp(-1.0, 1.0).asin()
}

/// Rotation of the pelvis about the vertical against the direction `ahead`, rad: turned left positive.
///
/// It is the heading of the line from the posterior to the anterior iliac spines, as gait laboratories draw it. Heading
/// depends on how far that line points down while the pelvis rolls, so the line's own tilt in standing matters: taken
/// as [`SPINE_LINE_TILT`], which no sensor can know of one person.
pub(crate) fn rotation(s: &TrackSample<Sacrum>, ahead: Vector2<f64>) -> f64 {
    let (down, forward) = SPINE_LINE_TILT.sin_cos();
    let line = s.level_from.q * Vector3::new(forward, 0.0, -down);
    (line.y * ahead.x - line.x * ahead.y).atan2(line.x * ahead.x + line.y * ahead.y)
}

/// Enters the pelvic metrics of one stride. Refuses strides in turns and while standing still.
pub(crate) fn compute(ctx: &StrideContext, cycle: &Result<PelvisCycle, Absent>, set: &mut MetricSet) {
    match (cycle, ctx.sacrum) {
        (Ok(cycle), Ok(samples)) => enter(ctx, cycle, samples, set),
        (Err(reason), _) => ALL.iter().for_each(|&id| set.set(id, Err(*reason))),
        (_, Err(reason)) => ALL.iter().for_each(|&id| set.set(id, Err(reason))),
    }
}

fn enter(ctx: &StrideContext, cycle: &PelvisCycle, samples: &[TrackSample<Sacrum>], set: &mut MetricSet) {
    let stride = whole(samples, ctx.stride.start, ctx.stride.end);
    set.set(MetricId::PelvisTilt, stride.and_then(|s| mean_tilt(ctx, s)));
    set.set(MetricId::PelvisTiltRange, stride.map(|s| range(s.iter().map(tilt))));
    set.set(
        MetricId::PelvisObliquityRange,
        stride.map(|s| range(s.iter().map(obliquity))),
    );
    set.set(MetricId::PelvisRotationRange, stride.and_then(rotation_range));
    set.set(MetricId::PelvisDrop, drop_against_standing(ctx, samples));
    set.set(MetricId::PelvisDropFromIc, drop_from_contact(ctx, samples));
    let rise = rise_and_fall(cycle);
    set.set(MetricId::PelvisOscillation, rise);
    set.set(MetricId::VerticalRatio, vertical_ratio(ctx, rise));
}

fn mean_tilt(ctx: &StrideContext, stride: &[TrackSample<Sacrum>]) -> Measured {
    let standing = ctx.standing.pelvis_tilt.ok_or(Absent::NoStanding)?;
    Ok(stride.iter().map(tilt).sum::<f64>() / stride.len() as f64 - standing)
}

fn rotation_range(stride: &[TrackSample<Sacrum>]) -> Measured {
    let ahead = facing(stride)?;
    Ok(range(stride.iter().map(|s| rotation(s, ahead))))
}

/// The contact whose swing side may drop, with its side's sign.
fn stance(ctx: &StrideContext) -> Result<(SessionTime, SessionTime, f64), Absent> {
    let contact = ctx.stride.contact.ok_or(Absent::NoSensor)?;
    let side = ctx.stride.side.ok_or(Absent::SideUnknown)?;
    Ok((contact.ic, contact.tc, side.sign()))
}

fn drop_against_standing(ctx: &StrideContext, samples: &[TrackSample<Sacrum>]) -> Measured {
    let (ic, tc, sign) = stance(ctx)?;
    let standing = ctx.standing.pelvis_obliquity.ok_or(Absent::NoStanding)?;
    let contact = whole(samples, ic, tc)?;
    Ok(contact
        .iter()
        .map(|s| sign * (obliquity(s) - standing))
        .fold(f64::NEG_INFINITY, f64::max))
}

fn drop_from_contact(ctx: &StrideContext, samples: &[TrackSample<Sacrum>]) -> Measured {
    let (ic, tc, sign) = stance(ctx)?;
    let at_contact = at(samples, ic, obliquity)?;
    let contact = whole(samples, ic, tc)?;
    Ok(contact
        .iter()
        .map(|s| sign * (obliquity(s) - at_contact))
        .fold(0.0, f64::max))
}

fn rise_and_fall(cycle: &PelvisCycle) -> Measured {
    let fit = cycle.rise.as_ref().map_err(|e| *e)?;
    let points = (0..RISE_POINTS).map(|i| cycle.period * i as f64 / RISE_POINTS as f64);
    Ok(range(points.map(|t| fit.twice_integrated(t))))
}

fn vertical_ratio(ctx: &StrideContext, rise: Measured) -> Measured {
    let foot = ctx.stride.foot.as_ref().ok_or(Absent::NoSensor)?;
    let step = 0.5 * foot.displacement.v.x;
    if step > 0.0 {
        Ok(rise? / step)
    } else {
        Err(Absent::Refused)
    }
}

fn range(values: impl Iterator<Item = f64>) -> f64 {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    high - low
}
