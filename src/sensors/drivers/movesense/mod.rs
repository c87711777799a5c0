//! Movesense's GATT sensor data.
//!
//! [`gsp`] frames; [`driver`] what is asked when.

pub mod driver;
pub mod gsp;
