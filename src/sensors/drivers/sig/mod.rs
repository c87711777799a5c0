//! Services of the Bluetooth SIG that many sensors have: running speed and cadence, heart rate, battery, device
//! information. Sources: Running Speed and Cadence 1.0, Heart Rate 1.0, Battery 1.0, Device Information 1.1.
//!
//! [`rsc`] and [`cadence`] the foot pod and what its cadence counts; [`heart_rate`]; [`battery`]; [`information`]; and
//! `companion`, which asks every sensor for the last three, whatever else it speaks.

pub mod battery;
pub mod cadence;
pub(crate) mod companion;

pub mod heart_rate;
pub mod information;
pub mod rsc;
