//! The running leg as a spring: peak force, stiffness, oscillation of the centre of mass.
//!
//! Morin, Dalleau, Kyröläinen, Jeannin and Belli 2005, *A simple method for measuring stiffness during running*, J Appl
//! Biomech 21:167, doi 10.1123/jab.21.2.167. Vertical force is taken as half a sine over the contact. The centre of mass
//! drops by F t_c²/(m π²) **minus** g t_c²/8: with the plus sign that some prints show, 63 mm become 210 mm.
//!
//! A model on level ground. Errors of contact time are amplified (10 % short at fixed stride time: leg stiffness +21 to
//! +32 %), so read changes of one runner only.

use super::aggregate::LEVEL_GRADE;
use super::context::{MetricSet, StrideContext};
use super::registry::MetricId as Id;
use super::temporal::{believed_contact, missing};
use crate::model::units::STANDARD_GRAVITY as G;
use crate::model::{Absent, Activity, Measured};
use std::f64::consts::PI;

/// What the model says of one stride.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spring {
    /// Peak vertical force, N.
    pub force_n: f64,
    /// Drop of the centre of mass in contact, m.
    pub drop_m: f64,
    /// Peak-to-peak oscillation of the centre of mass, m.
    pub oscillation_m: f64,
    /// Vertical stiffness, N/m.
    pub vertical: f64,
    /// Leg stiffness, N/m; `None` when the leg would not reach (v t_c / 2 ≥ leg length).
    pub leg: Option<f64>,
}

/// The model for mass (kg), leg length (m), speed (m/s), contact and flight time (s). `None` without flight.
#[must_use]
pub fn spring(mass_kg: f64, leg_m: f64, speed: f64, contact_s: f64, flight_s: f64) -> Option<Spring> {
    if !(mass_kg > 0.0 && contact_s > 0.0 && flight_s > 0.0) {
        return None;
    }
    let force_n = mass_kg * G * (PI / 2.0) * (flight_s / contact_s + 1.0);
    let drop_m = force_n * contact_s * contact_s / (mass_kg * PI * PI) - G * contact_s * contact_s / 8.0;
    if drop_m <= 0.0 {
        return None;
    }
    let half = speed * contact_s / 2.0;
    let leg = (half < leg_m).then(|| force_n / (leg_m - (leg_m * leg_m - half * half).sqrt() + drop_m));
    Some(Spring {
        force_n,
        drop_m,
        oscillation_m: drop_m + G * flight_s * flight_s / 8.0,
        vertical: force_n / drop_m,
        leg,
    })
}

/// Fills the spring metrics of one stride; comes after the temporal and foot families, whose speed it takes.
pub fn compute(ctx: &StrideContext, set: &mut MetricSet) {
    let result = measure(ctx, set.get(Id::Speed));
    set.set(Id::PeakForceModel, result.map(|s| s.force_n));
    set.set(Id::ComOscillationModel, result.map(|s| s.oscillation_m));
    set.set(Id::VerticalStiffness, result.map(|s| s.vertical));
    set.set(Id::LegStiffness, result.and_then(|s| s.leg.ok_or(Absent::Refused)));
}

fn measure(ctx: &StrideContext, speed: Measured) -> Result<Spring, Absent> {
    if ctx.stride.activity != Activity::Running {
        return Err(Absent::NotInThisActivity);
    }
    let contact = believed_contact(ctx.stride)?;
    let opposite = ctx.opposite_inside.ok_or(missing(ctx))?;
    let speed = speed?;
    // Stiffness changes with slope at equal speed (Meyer 2023, PMC10368467).
    let level = ctx
        .stride
        .foot
        .is_some_and(|f| f.displacement.v.z.abs() <= LEVEL_GRADE * f.displacement.v.x);
    if ctx.stride.flags.turning || !level {
        return Err(Absent::NotStraightAndLevel);
    }
    let facts = ctx.athlete.mass_kg.zip(ctx.athlete.leg_m());
    let (mass, leg) = facts.ok_or(Absent::NoAthleteFact)?;
    // (T − ct_L − ct_R)/2 needs no common clock: the flight of the mean step.
    let contact_s = contact.tc.since(contact.ic);
    let flight_s = (ctx.stride.stride_time() - contact_s - opposite.tc.since(opposite.ic)) / 2.0;
    spring(mass, leg, speed, contact_s, flight_s).ok_or(Absent::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer_of_a_seventy_kilogram_runner() {
        // 70 kg, 1.75 m, 3.3 m/s, contact 0.245 s, step 0.3571 s; checked by numerical integration of the half sine.
        let s = spring(70.0, 0.53 * 1.75, 3.3, 0.245, 0.3571 - 0.245).expect("runs");
        assert!((s.force_n / (70.0 * G) - 2.29).abs() < 0.005);
        assert!((s.drop_m * 1e3 - 63.0).abs() < 0.1);
        assert!((s.oscillation_m * 1e3 - 78.4).abs() < 0.1);
        assert!((s.vertical * 1e-3 - 25.0).abs() < 0.1);
        assert!((s.leg.expect("reaches") * 1e-3 - 10.09).abs() < 0.05);
    }

    #[test]
    fn no_flight_no_spring() {
        assert!(spring(70.0, 0.93, 1.4, 0.7, 0.0).is_none());
    }

    fn measured(ctx: &StrideContext) -> MetricSet {
        let mut set = MetricSet::default();
        super::super::foot::compute(ctx, &mut set);
        compute(ctx, &mut set);
        set
    }

    #[test]
    fn the_known_answer_comes_out_of_a_stride_and_needs_no_common_clock() {
        use super::super::example_stride::{ATHLETE, context, stride};
        let s = stride(3.0);
        let mut ctx = context(&s, &ATHLETE);
        ctx.synchronised = super::super::context::Synchronised::No;
        let set = measured(&ctx);
        assert!((set.value(Id::LegStiffness).expect("runs") * 1e-3 - 10.09).abs() < 0.05);
        assert!((set.value(Id::VerticalStiffness).expect("runs") * 1e-3 - 25.0).abs() < 0.1);
        assert!((set.value(Id::ComOscillationModel).expect("runs") * 1e3 - 78.4).abs() < 0.1);
        assert!((set.value(Id::PeakForceModel).expect("runs") / (70.0 * G) - 2.29).abs() < 0.005);
    }

    #[test]
    fn every_absence_has_its_reason() {
        use super::super::example_stride::{ATHLETE, context, stride};
        let plain = stride(0.0);
        let why = |ctx: &StrideContext| measured(ctx).get(Id::LegStiffness).err();
        let unknown = crate::model::Athlete::default();
        assert_eq!(why(&context(&plain, &unknown)), Some(Absent::NoAthleteFact));
        let mut alone = context(&plain, &ATHLETE);
        (alone.opposite_before, alone.opposite_inside) = (None, None);
        assert_eq!(why(&alone), Some(Absent::NoSensor));
        let changed = |change: &dyn Fn(&mut crate::model::Stride)| {
            let mut s = plain;
            change(&mut s);
            why(&context(&s, &ATHLETE))
        };
        assert_eq!(
            changed(&|s| s.activity = Activity::Walking),
            Some(Absent::NotInThisActivity)
        );
        assert_eq!(changed(&|s| s.flags.turning = true), Some(Absent::NotStraightAndLevel));
        assert_eq!(changed(&|s| s.flags.implausible_contact = true), Some(Absent::Refused));
        let with_foot = |s: &mut crate::model::Stride, change: &dyn Fn(&mut crate::model::FootMotion)| {
            s.foot.iter_mut().for_each(change);
        };
        let uphill = changed(&|s| with_foot(s, &|f| f.displacement.v.z = 0.021 * f.displacement.v.x));
        assert_eq!(uphill, Some(Absent::NotStraightAndLevel));
        let clipped = changed(&|s| with_foot(s, &|f| f.acc_clipped_share = 0.03));
        assert_eq!(clipped, Some(Absent::Clipped));
        // Contact longer than half a stride: no flight, no spring.
        assert_eq!(
            changed(&|s| s.next_ic = s.contact.map(|c| c.ic.plus(0.48))),
            Some(Absent::Refused)
        );
    }
}
