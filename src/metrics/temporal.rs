//! Times: stride, step, contact, flight, duty factor, cadence.

use super::context::{MetricSet, StrideContext, Synchronised};
use super::registry::MetricId as Id;
use crate::model::{Absent, Measured};

/// Fills the temporal metrics of one stride.
pub fn compute(ctx: &StrideContext, set: &mut MetricSet) {
    let stride = ctx.stride;
    let stride_time = stride.stride_time();
    set.set(Id::StrideTime, Ok(stride_time));
    set.set(
        Id::Cadence,
        if stride_time > 0.0 {
            Ok(120.0 / stride_time)
        } else {
            Err(Absent::Refused)
        },
    );
    let contact_time = contact_time(ctx);
    set.set(Id::ContactTime, contact_time);
    set.set(Id::DutyFactor, contact_time.map(|c| c / stride_time));
    set.set(Id::FlightTime, flight_time(ctx));
    set.set(Id::StepTime, step_time(ctx));
}

fn contact_time(ctx: &StrideContext) -> Measured {
    // Best single-sensor limits of agreement from shank or sacrum are ±90–150 ms (Kiernan 2023): not offered.
    let contact = ctx.stride.contact.ok_or(if ctx.foot.is_some() {
        Absent::Refused
    } else {
        Absent::NoSensor
    })?;
    if ctx.stride.flags.implausible_contact {
        return Err(Absent::Refused);
    }
    Ok(contact.tc.since(contact.ic))
}

fn both_feet(ctx: &StrideContext) -> Result<(), Absent> {
    match ctx.synchronised {
        Synchronised::Yes => Ok(()),
        Synchronised::No => Err(Absent::NotSynchronised),
    }
}

/// From toe-off to the next contact of the other foot; negative in double support.
fn flight_time(ctx: &StrideContext) -> Measured {
    let contact = ctx.stride.contact.ok_or(Absent::NoSensor)?;
    let next = ctx.opposite_inside.ok_or(Absent::NoSensor)?;
    both_feet(ctx)?;
    Ok(next.ic.since(contact.tc))
}

/// From the other foot's contact to this one's.
fn step_time(ctx: &StrideContext) -> Measured {
    let contact = ctx.stride.contact.ok_or(Absent::NoSensor)?;
    let before = ctx.opposite_before.ok_or(Absent::NoSensor)?;
    both_feet(ctx)?;
    Ok(contact.ic.since(before.ic))
}
