//! Polar measurement data (H10, Verity Sense): raw acceleration and angular rate on a clock of nanoseconds.
//!
//! [`frame`] data frames; [`control`] the control point; [`driver`] what is asked when.

pub mod control;
pub mod driver;
pub mod frame;
mod stream;
