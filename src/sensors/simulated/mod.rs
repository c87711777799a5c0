//! Simulated sensors: the other end of a link, without a radio.
//!
//! [`peer`] what a simulated sensor is.

pub mod peer;
