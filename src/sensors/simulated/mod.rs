//! Simulated sensors: the other end of a link, without a radio.
//!
//! [`peer`] what a simulated sensor is; [`air`] what goes wrong between it and a host; [`pod`] a pod that speaks the open
//! protocol; [`runner`] what it feels; [`conversation`] a driver and a sensor in virtual time, for tests; [`dice`] seeded
//! randomness.

pub mod air;
pub mod conversation;
pub mod dice;
pub mod peer;
pub mod pod;
pub mod runner;
