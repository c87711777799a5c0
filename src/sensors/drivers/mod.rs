//! The protocols lope speaks, and which of them an advertisement belongs to.

use super::driver::Driver;
use super::link::{Advert, sig_uuid};
use firmware_protocol::gatt;

/// A kind of sensor lope can talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DriverKind {
    /// The open protocol of lope.
    Lope,
    /// Polar measurement data (H10, Verity Sense).
    Polar,
    /// Movesense GATT sensor data.
    Movesense,
    /// Movella (Xsens) DOT.
    Dot,
    /// Standard services only: running speed and cadence, heart rate.
    Standard,
}
