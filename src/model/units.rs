//! Conversions used at the edges, and the few physical constants.

/// Standard gravity, m/s² (the value by which sensor makers define 1 g; ISO 80000-3).
pub const STANDARD_GRAVITY: f64 = 9.806_65;

/// Radians per degree.
pub const RAD_PER_DEG: f64 = std::f64::consts::PI / 180.0;

/// Degrees per radian.
pub const DEG_PER_RAD: f64 = 180.0 / std::f64::consts::PI;

/// Degrees to radians.
#[must_use]
pub fn rad(deg: f64) -> f64 {
    deg * RAD_PER_DEG
}

/// Radians to degrees.
#[must_use]
pub fn deg(rad: f64) -> f64 {
    rad * DEG_PER_RAD
}
