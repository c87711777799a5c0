//! The protocols lope speaks, and which of them an advertisement belongs to.
//!
//! One file or folder a protocol: [`lope`] the open protocol; and, each with its decoders (pure functions of bytes) and its driver (what is asked when): [`polar`],
//! [`movesense`], [`dot`], and [`standard`] for sensors with nothing but [`sig`] services. What drivers share: `life` the
//! order of asking, deadlines and second tries; `series` numbers, times and holes of samples that carry no number;
//! `unwrap` clocks of 32 bits; [`bytes`] reading.

pub mod bytes;
#[cfg(test)]
mod conformance;
pub mod dot;
mod life;
pub mod lope;
pub mod movesense;
pub mod polar;
mod series;
pub mod sig;
pub mod standard;
#[cfg(test)]
mod traps;
mod unwrap;

use super::driver::Driver;
use super::link::Advert;
use life::Life;
use sig::cadence::CadenceRule;

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

    /// Which kind of sensor advertises so; `None` for what lope cannot talk to.
    ///
    /// Services decide where they are advertised; Polar, Movesense and DOT often name themselves only. A Polar sensor also
    /// advertises heart rate, so the makers' own come first.
    #[must_use]
    pub fn recognise(advert: &Advert) -> Option<Self> {
        /// Movella Technologies.
        const MOVELLA: u16 = 0x0886;
        let has = |service| advert.services.contains(&service);
        let name = advert.name.as_deref().unwrap_or_default();
        let named = |prefix: &str| name.get(..prefix.len()).is_some_and(|n| n.eq_ignore_ascii_case(prefix));
        if has(firmware_protocol::gatt::SERVICE) {
            Some(Self::Lope)
        } else if named("Movella DOT") || named("Xsens DOT") || advert.companies.contains(&MOVELLA) {
            Some(Self::Dot)
        } else if has(movesense::driver::SERVICE) || named("Movesense ") {
            Some(Self::Movesense)
        } else if has(polar::driver::SERVICE) || named("Polar ") {
            Some(Self::Polar)
        } else if has(sig::rsc::SERVICE) || has(sig::heart_rate::SERVICE) {
            Some(Self::Standard)
        } else {
            None
        }
    }
}

/// A new driver of a kind.
#[must_use]
pub fn driver(kind: DriverKind) -> Box<dyn Driver> {
    match kind {
        DriverKind::Lope => Box::new(lope::LopeDriver::new()),
        DriverKind::Polar => Box::new(Life::new(polar::driver::Polar::default())),
        DriverKind::Movesense => Box::new(Life::new(movesense::driver::Movesense::default())),
        DriverKind::Dot => Box::new(Life::new(dot::driver::Dot::default())),
        DriverKind::Standard => standard::driver(CadenceRule::default()),
    }
}

/// A new driver of a kind that takes its sensor over from whoever records with it, with the user's consent: what the
/// sensor holds of another recording is lost. Only our own protocol knows owners.
#[must_use]
pub fn driver_taking_over(kind: DriverKind) -> Box<dyn Driver> {
    match kind {
        DriverKind::Lope => Box::new(lope::LopeDriver::taking_over()),
        other => driver(other),
    }
}

/// What a kind of sensor gives and cannot give, for a person who chooses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// What it is called.
    pub name: &'static str,
    /// What it gives.
    pub gives: &'static str,
    /// What it cannot give, and why.
    pub cannot: &'static str,
}

/// What a kind of sensor gives and cannot give.
#[must_use]
pub const fn describe(kind: DriverKind) -> Description {
    match kind {
        DriverKind::Lope => Description {
            name: "a pod that speaks the open protocol",
            gives: "acceleration and angular rate at the rate the pod has, numbered, on its own clock, and what was lost on the \
                    way fetched afterwards",
            cannot: "what the pod itself does not have; it says so when asked",
        },
        DriverKind::Polar => Description {
            name: "Polar H10, Polar Verity Sense",
            gives: "H10: acceleration of the chest, up to 200 Hz and 8 g, with heart rate. Verity Sense: acceleration and angular \
                    rate, up to 416 Hz, 16 g and 2000 °/s, on one clock",
            cannot: "H10: angular rate, so nothing of feet or pelvis. Verity Sense: heart rate while it streams fast. Neither \
                     numbers its samples, so losses are known from the clock only; neither keeps what the radio loses",
        },
        DriverKind::Movesense => Description {
            name: "Movesense with GATT sensor data",
            gives: "acceleration and angular rate, up to 208 Hz, on one clock of milliseconds",
            cannot: "its ranges, so a clipped peak cannot be told from a true one; numbers of samples; what the radio loses",
        },
        DriverKind::Dot => Description {
            name: "Movella (Xsens) DOT",
            gives: "acceleration and angular rate, up to 60 Hz, 16 g and 2000 °/s, on a clock of microseconds",
            cannot: "contact times: live it sends a sample every 17 ms (its recordings of 120 Hz are not fetched); numbers of \
                     samples; what the radio loses",
        },
        DriverKind::Standard => Description {
            name: "any foot pod or heart rate strap with the standard services (Stryd, Garmin, Zwift, COROS, …)",
            gives: "speed and cadence about once a second; heart rate and the intervals between beats",
            cannot: "contact time, asymmetry, vertical oscillation or pelvis angles: they need raw data, which these do not send. \
                     Whether cadence counts steps or strides is found out from the speed",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advert(name: &str, services: &[u128], companies: &[u16]) -> Advert {
        Advert {
            name: (!name.is_empty()).then(|| name.to_owned()),
            services: services.to_vec(),
            companies: companies.to_vec(),
            ..Advert::default()
        }
    }

    #[test]
    fn an_advertisement_is_told_by_service_before_name_and_by_maker_before_standard() {
        let hr = sig::heart_rate::SERVICE;
        for (name, services, companies, kind) in [
            (
                "",
                &[firmware_protocol::gatt::SERVICE][..],
                &[][..],
                Some(DriverKind::Lope),
            ),
            ("Polar H10 1234", &[hr], &[0x6B], Some(DriverKind::Polar)),
            ("Movesense 2233", &[], &[], Some(DriverKind::Movesense)),
            ("movella dot", &[], &[], Some(DriverKind::Dot)),
            ("", &[], &[0x0886], Some(DriverKind::Dot)),
            ("Stryd", &[sig::rsc::SERVICE], &[], Some(DriverKind::Standard)),
            ("HRM-Pro", &[hr], &[], Some(DriverKind::Standard)),
            ("Polaroid", &[], &[], None),
            ("Poläräö", &[], &[], None),
            ("", &[], &[], None),
        ] {
            assert_eq!(
                DriverKind::recognise(&advert(name, services, companies)),
                kind,
                "{name}"
            );
        }
    }
}
