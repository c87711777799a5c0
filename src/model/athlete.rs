//! The facts about a runner that formulas need.

use serde::{Deserialize, Serialize};

/// Leg length over standing height, greater trochanter to floor: Winter, *Biomechanics and Motor Control of Human
/// Movement*, anthropometric table (0.530 h).
pub const LEG_PER_HEIGHT: f64 = 0.530;

/// What is known of the runner's body. Nothing is assumed where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Athlete {
    /// Standing height, m.
    pub height_m: Option<f64>,
    /// Body mass, kg.
    pub mass_kg: Option<f64>,
    /// Height of the greater trochanter above the floor, m, where measured.
    pub leg_length_m: Option<f64>,
}

impl Athlete {
    /// Leg length, m: measured, else from height by [`LEG_PER_HEIGHT`], else `None`.
    #[must_use]
    pub fn leg_m(&self) -> Option<f64> {
        self.leg_length_m.or_else(|| self.height_m.map(|h| h * LEG_PER_HEIGHT))
    }
}
