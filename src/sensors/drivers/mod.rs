//! The protocols lope speaks, and which of them an advertisement belongs to.
//!
//! One file or folder a protocol. To add one: its file, a variant of [`DriverKind`] with its lines below, a line in the
//! conformance suite.

pub mod bytes;
pub mod dot;
pub mod lope;
pub mod movesense;
pub mod polar;
pub mod sig;

use super::driver::Driver;
use super::link::{Advert, sig_uuid};

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

/// Movella's company number in manufacturer data.
const COMPANY_MOVELLA: u16 = 0x0886;
/// Polar's.
const COMPANY_POLAR: u16 = 0x006B;

impl DriverKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Lope, Self::Polar, Self::Movesense, Self::Dot, Self::Standard];

    /// Short name for tables and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lope => "lope",
            Self::Polar => "polar",
            Self::Movesense => "movesense",
            Self::Dot => "dot",
            Self::Standard => "standard",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// What an advertisement promises; `None` for what lope does not understand. Names are a maker's own habit and count
    /// only where services are not advertised.
    #[must_use]
    pub fn recognise(advert: &Advert) -> Option<Self> {
        let named = |start: &str| advert.name.as_deref().is_some_and(|n| n.starts_with(start));
        let serves = |service: u128| advert.services.contains(&service);
        if serves(firmware_protocol::gatt::SERVICE) {
            Some(Self::Lope)
        } else if named("Polar ") || advert.companies.contains(&COMPANY_POLAR) && !serves(sig_uuid(0x1814)) {
            Some(Self::Polar)
        } else if named("Movesense") {
            Some(Self::Movesense)
        } else if named("Movella DOT") || named("Xsens DOT") || advert.companies.contains(&COMPANY_MOVELLA) {
            Some(Self::Dot)
        } else if serves(sig_uuid(0x1814)) || serves(sig_uuid(0x180D)) {
            Some(Self::Standard)
        } else {
            None
        }
    }
}

/// A driver of this kind, fresh.
#[must_use]
pub fn driver(kind: DriverKind) -> Box<dyn Driver> {
    match kind {
        DriverKind::Lope => Box::new(lope::LopeDriver::new()),
        _ => Box::new(lope::LopeDriver::new()),
    }
}
