//! Truth types.
/// Consequences of the spring model for one contact and its flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpringTruth {
    /// Peak vertical force, N.
    pub force_n: f64,
    /// Travel of the centre of mass in contact, m.
    pub drop_m: f64,
    /// Travel of the centre of mass over the step, m.
    pub oscillation_m: f64,
    /// Vertical stiffness, N/m.
    pub k_vert: f64,
    /// Leg stiffness, N/m.
    pub k_leg: f64,
}
