//! Simulated sensors: the other end of a link, without a radio.
//!
//! [`peer`] what a simulated sensor is; [`polar`], [`movesense`], [`dot`] and [`foot_pod`] sensors of other makers, a few
//! dozen lines each: what their documents say they do, and no more.

pub mod dot;
pub mod foot_pod;
pub mod movesense;
pub mod peer;
pub mod polar;
mod sensing;
