//! Simulated sensors: the other end of a link, without a radio.
//!
//! [`peer`] what a simulated sensor is; [`air`] what goes wrong between it and a host; [`pod`] a pod that speaks the open
//! protocol; [`polar`], [`movesense`], [`dot`] and [`foot_pod`] sensors of other makers, a few dozen lines each: what their
//! documents say they do, and no more; [`journal`] what a pod really took; [`runner`] what they feel; [`conversation`] a driver and a sensor in virtual time,
//! for tests; [`dice`] seeded randomness; with tasks at hand also `radio`, all of it in real time behind the seam to radios.

pub mod air;
pub mod conversation;
pub mod dice;
pub mod dot;
pub mod foot_pod;
pub mod journal;
pub mod movesense;
pub mod peer;
pub mod pod;
pub mod polar;
#[cfg(feature = "runtime")]
pub mod radio;
pub mod runner;
mod sensing;
