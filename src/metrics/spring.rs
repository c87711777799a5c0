//! The running leg as a spring: peak force, stiffness, oscillation of the centre of mass.
//!
//! Morin, Dalleau, Kyröläinen, Jeannin and Belli 2005, *A simple method for measuring stiffness during running*, J Appl
//! Biomech 21:167, doi 10.1123/jab.21.2.167. Vertical force is taken as half a sine over the contact. The centre of mass
//! drops by F t_c²/(m π²) **minus** g t_c²/8: with the plus sign that some prints show, 63 mm become 210 mm.
//!
//! A model on level ground. Errors of contact time are amplified (10 % short at fixed stride time: leg stiffness +21 to
//! +32 %), so read changes of one runner only.

use super::context::{MetricSet, StrideContext};
use super::registry::MetricId as Id;
use crate::model::units::STANDARD_GRAVITY as G;
use crate::model::{Absent, Activity};
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

/// Fills the spring metrics of one stride.
pub fn compute(ctx: &StrideContext, set: &mut MetricSet) {
    let result = measure(ctx);
    set.set(Id::PeakForceModel, result.map(|s| s.force_n));
    set.set(Id::ComOscillationModel, result.map(|s| s.oscillation_m));
    set.set(Id::VerticalStiffness, result.map(|s| s.vertical));
    set.set(Id::LegStiffness, result.and_then(|s| s.leg.ok_or(Absent::Refused)));
}

fn measure(ctx: &StrideContext) -> Result<Spring, Absent> {
    if ctx.stride.activity != Activity::Running {
        return Err(Absent::NotInThisActivity);
    }
    if ctx.stride.flags.turning {
        return Err(Absent::NotStraightAndLevel);
    }
    let foot = ctx.stride.foot.ok_or(Absent::NoSensor)?;
    let contact = ctx.stride.contact.ok_or(Absent::Refused)?;
    let opposite = ctx.opposite_inside.ok_or(Absent::NoSensor)?;
    let (mass, leg) = ctx
        .athlete
        .mass_kg
        .zip(ctx.athlete.leg_m())
        .ok_or(Absent::NoAthleteFact)?;
    // (T − ct_L − ct_R)/2 needs no common clock: the flight of the mean step.
    let contact_s = contact.tc.since(contact.ic);
    let flight_s = (ctx.stride.stride_time() - contact_s - opposite.tc.since(opposite.ic)) / 2.0;
    let speed = foot.displacement.v.x / ctx.stride.secs();
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
}
