//! The runner as a mass on a spring: closed forms of force, travel and stiffness.
//!
//! Morin, Dalleau, Kyröläinen, Jeannin, Belli 2005 (J Appl Biomech 21(2), doi 10.1123/jab.21.2.167): the vertical force
//! in contact is half a sine. The travel of the centre of mass in contact is a magnitude here; the printed formula has
//! the wrong sign between its two terms (signal design, section 10.2, checked by integration).

use super::truth::SpringTruth;
use crate::model::athlete::LEG_PER_HEIGHT;
use crate::model::units::STANDARD_GRAVITY;
use std::f64::consts::PI;

/// Force, travel and stiffness of a contact of `contact_s` followed by a flight of `flight_s` at `speed`; `None` where
/// the model does not hold (no flight, or the contact is longer than the leg can sweep).
#[must_use]
pub fn spring_model(mass_kg: f64, height_m: f64, speed: f64, contact_s: f64, flight_s: f64) -> Option<SpringTruth> {
    let leg = LEG_PER_HEIGHT * height_m;
    let half_sweep = 0.5 * speed * contact_s;
    if !(contact_s > 0.0 && flight_s > 0.0 && half_sweep < leg) {
        return None;
    }
    let g = STANDARD_GRAVITY;
    let force_n = mass_kg * g * 0.5 * PI * (flight_s / contact_s + 1.0);
    let drop_m = force_n * contact_s * contact_s / (mass_kg * PI * PI) - g * contact_s * contact_s / 8.0;
    let compression = leg - (leg * leg - half_sweep * half_sweep).sqrt() + drop_m;
    Some(SpringTruth {
        force_n,
        drop_m,
        oscillation_m: drop_m + g * flight_s * flight_s / 8.0,
        k_vert: force_n / drop_m,
        k_leg: force_n / compression,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_answer() {
        // Signal design, section 20: morin(70 kg, 1.75 m, 3.3 m/s, t_c 0.245, step 0.3571 s).
        let s = spring_model(70.0, 1.75, 3.3, 0.245, 0.3571 - 0.245).expect("the model holds");
        assert!((s.force_n / (70.0 * STANDARD_GRAVITY) - 2.29).abs() < 0.005);
        assert!((s.drop_m - 0.0630).abs() < 5e-5);
        assert!((s.oscillation_m - 0.0784).abs() < 5e-5);
        assert!((s.k_vert - 25.0e3).abs() < 50.0);
        assert!((s.k_leg - 10.09e3).abs() < 10.0);
    }

    #[test]
    fn no_flight_no_spring() {
        assert!(spring_model(70.0, 1.75, 3.3, 0.36, 0.0).is_none());
        assert!(spring_model(70.0, 1.75, 9.0, 0.36, 0.1).is_none());
    }
}
