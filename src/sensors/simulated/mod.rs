//! Simulated sensors: the other end of a link, without a radio.
//!
//! [`peer`] what a simulated sensor is; [`air`] what goes wrong between it and a host; [`pod`] a pod that speaks the open
//! protocol; [`runner`] what it feels; [`conversation`] a driver and a sensor in virtual time, for tests; [`dice`] seeded
//! randomness; with tasks at hand also `radio`, all of it in real time behind the seam to radios.

pub mod air;
pub mod conversation;
pub mod dice;
pub mod peer;
pub mod pod;
#[cfg(feature = "runtime")]
pub mod radio;
pub mod runner;
