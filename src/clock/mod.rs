//! From a sensor's own ticks to session time, and from a stream with holes to one whose holes are known.
//!
//! [`skew`] maps device ticks to [`crate::model::SessionTime`] from arrivals alone, [`exchange`] from stamps sent to and fro;
//! both report a [`ClockQuality`]. [`continuity`] refuses what cannot be, bridges what may be bridged, and says what is
//! missing. Deliberately absent: reading a clock. Arrival times come in with the events.

pub mod continuity;
mod envelope;
pub mod exchange;
pub mod impact_drift;
pub mod knock;
mod quality;
pub mod skew;
mod slew;

#[cfg(test)]
mod virtual_pods;

pub use quality::{ClockNews, ClockQuality};
