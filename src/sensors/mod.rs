//! Drivers: what sensors say, in their own words, to events of the model.
//!
//! - [`pods`]: frames of the lope sensor protocol.

pub mod pods;
