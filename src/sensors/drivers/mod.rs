//! The protocols lope speaks, and which of them an advertisement belongs to.

pub mod bytes;
pub mod dot;
pub mod movesense;
pub mod polar;
pub mod sig;

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
