//! Times: stride, step, contact, flight, duty factor, cadence.

use super::context::{MetricSet, StrideContext, Synchronised};
use super::registry::MetricId as Id;
use crate::model::{Absent, Contact, SegmentKind, Stride};

/// Fills the temporal metrics of one stride.
pub fn compute(ctx: &StrideContext, set: &mut MetricSet) {
    let stride = ctx.stride;
    let stride_time = Some(stride.stride_time()).filter(|t| *t > 0.0).ok_or(Absent::Refused);
    set.set(Id::StrideTime, stride_time);
    set.set(Id::Cadence, stride_time.map(|t| 120.0 / t));
    let contact = believed_contact(ctx.stride);
    let contact_time = contact.map(|c| c.tc.since(c.ic));
    set.set(Id::ContactTime, contact_time);
    set.set(Id::DutyFactor, contact_time.and_then(|c| stride_time.map(|t| c / t)));
    // From toe-off to the next contact of the other foot; negative in double support.
    let flight = contact.and_then(|c| other_foot(ctx, ctx.opposite_inside).map(|next| next.ic.since(c.tc)));
    set.set(Id::FlightTime, flight);
    // From the other foot's contact to this one's.
    let step = contact.and_then(|c| other_foot(ctx, ctx.opposite_before).map(|before| c.ic.since(before.ic)));
    set.set(Id::StepTime, step);
}

/// The contact that opens a stride, where it can be believed.
///
/// # Errors
/// [`Absent::NoSensor`] when no foot told it: the best single-sensor limits of agreement from shank or sacrum are
/// ±90–150 ms (Kiernan 2023, PMC10255839), so nothing is offered from there. [`Absent::Refused`] after standing, where the
/// foot did not land, and when a plausibility guard failed.
pub(crate) fn believed_contact(stride: &Stride) -> Result<Contact, Absent> {
    if stride.seen_from != SegmentKind::Foot {
        return Err(Absent::NoSensor);
    }
    match stride.contact {
        Some(contact) if !stride.flags.implausible_contact => Ok(contact),
        _ => Err(Absent::Refused),
    }
}

/// A contact of the other foot, on the same clock.
fn other_foot(ctx: &StrideContext, contact: Option<Contact>) -> Result<Contact, Absent> {
    let contact = contact.ok_or(missing(ctx))?;
    match ctx.synchronised {
        Synchronised::Yes => Ok(contact),
        Synchronised::No => Err(Absent::NotSynchronised),
    }
}

/// Why a contact of the other foot is not there: it is not worn, or (its neighbour was seen) this one was not told.
pub(crate) fn missing(ctx: &StrideContext) -> Absent {
    if ctx.opposite_before.is_some() || ctx.opposite_inside.is_some() {
        Absent::Refused
    } else {
        Absent::NoSensor
    }
}

#[cfg(test)]
mod tests {
    use super::super::example_stride::{ATHLETE, CONTACT_S, STRIDE_S, context, stride};
    use super::*;

    fn measured(ctx: &StrideContext) -> MetricSet {
        let mut set = MetricSet::default();
        compute(ctx, &mut set);
        set
    }

    #[test]
    fn times_of_a_known_stride() {
        let stride = stride(5.0);
        let set = measured(&context(&stride, &ATHLETE));
        let near = |id, expected: f64| assert!((set.value(id).expect("given") - expected).abs() < 1e-8, "{id:?}");
        near(Id::StrideTime, STRIDE_S);
        near(Id::Cadence, 120.0 / STRIDE_S);
        near(Id::ContactTime, CONTACT_S);
        near(Id::DutyFactor, CONTACT_S / STRIDE_S);
        near(Id::FlightTime, STRIDE_S / 2.0 - CONTACT_S);
        near(Id::StepTime, STRIDE_S / 2.0);
    }

    #[test]
    fn double_support_is_a_negative_flight() {
        let stride = stride(0.0);
        let mut ctx = context(&stride, &ATHLETE);
        ctx.opposite_inside = Some(super::super::example_stride::contact(0.2));
        assert!((measured(&ctx).value(Id::FlightTime).expect("given") + 0.045).abs() < 1e-9);
    }

    #[test]
    fn every_absence_has_its_reason() {
        let mut s = stride(0.0);
        let reasons = |ctx: &StrideContext, ids: [Id; 3]| ids.map(|id| measured(ctx).get(id).err());
        let own = [Id::ContactTime, Id::FlightTime, Id::StepTime];
        let mut ctx = context(&s, &ATHLETE);
        ctx.synchronised = Synchronised::No;
        let clocks = Some(Absent::NotSynchronised);
        assert_eq!(reasons(&ctx, own), [None, clocks, clocks]);
        ctx.opposite_inside = None;
        assert_eq!(reasons(&ctx, own), [None, Some(Absent::Refused), clocks]);
        ctx.opposite_before = None;
        assert_eq!(
            reasons(&ctx, own),
            [None, Some(Absent::NoSensor), Some(Absent::NoSensor)]
        );
        s.flags.implausible_contact = true;
        assert_eq!(reasons(&context(&s, &ATHLETE), own), [Some(Absent::Refused); 3]);
        s.seen_from = SegmentKind::Sacrum;
        s.contact = None;
        s.next_ic = None;
        let pelvis = measured(&context(&s, &ATHLETE));
        assert_eq!(own.map(|id| pelvis.get(id).err()), [Some(Absent::NoSensor); 3]);
        assert!((pelvis.value(Id::Cadence).expect("from its own bounds") - 120.0 / STRIDE_S).abs() < 1e-6);
    }
}
