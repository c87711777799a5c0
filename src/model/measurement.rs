//! A number that may be absent, with the reason, and how far the data behind it can be trusted.

use serde::{Deserialize, Serialize};

/// Why a number is not given. An absent number is never replaced by a guess, a zero or a NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// A sensor that the number needs is not worn.
    NoSensor,
    /// The sensor is worn, but its data of this stretch are missing.
    Gap,
    /// The axes of the body segment are not known yet.
    NotAligned,
    /// The number is relative to quiet standing and there was none.
    NoStanding,
    /// The number needs two sensors whose clocks are not known to agree well enough.
    NotSynchronised,
    /// The sensor's converter was at its rail where the number is read.
    Clipped,
    /// It has no meaning in this activity (flight time in walking, spring model on a walk).
    NotInThisActivity,
    /// A fact about the athlete (height, mass) is not known.
    NoAthleteFact,
    /// Not enough strides yet.
    TooFewStrides,
    /// The data were there but the computation refused them (guard failed, ill-conditioned).
    Refused,
    /// The side could not be told.
    SideUnknown,
    /// Stride taken in a turn or on a slope for which the number is not defined.
    NotStraightAndLevel,
    /// The row was written by a version that did not measure it yet.
    NotComputed,
}

impl Absent {
    /// The reason as a person reads it.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoSensor => "a sensor it needs is not worn",
            Self::Gap => "samples are missing there",
            Self::NotAligned => "the mounting of the sensor is not known yet",
            Self::NoStanding => "no quiet standing to measure against",
            Self::NotSynchronised => "the sensors' clocks are not known to agree well enough",
            Self::Clipped => "the sensor was at its limit",
            Self::NotInThisActivity => "has no meaning in this activity",
            Self::NoAthleteFact => "height or mass is not known",
            Self::TooFewStrides => "not enough strides yet",
            Self::Refused => "the signal did not allow it",
            Self::SideUnknown => "the side is not known",
            Self::NotStraightAndLevel => "only defined on straight, level ground",
            Self::NotComputed => "the version that analysed it did not measure it yet",
        }
    }
}

/// A number or the reason why there is none.
pub type Measured = Result<f64, Absent>;

/// Data quality of one row as stored: A best. People see the words of [`DataClass::word`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DataClass {
    /// Quality ≥ 0.7.
    A,
    /// Quality ≥ 0.4.
    B,
    /// Below: kept and shown, never used in a block, a baseline or a flag.
    C,
    /// No trustworthy number at all.
    D,
}

impl DataClass {
    /// The class of a quality between 0 and 1: good ≥ 0.7, fair ≥ 0.4, poor above 0.
    #[must_use]
    pub fn of(quality: f64) -> Self {
        if quality >= 0.7 {
            Self::A
        } else if quality >= 0.4 {
            Self::B
        } else if quality > 0.0 {
            Self::C
        } else {
            Self::D
        }
    }

    /// `good`, `fair`, `poor` or `none`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "good",
            Self::B => "fair",
            Self::C => "poor",
            Self::D => "none",
        }
    }

    /// `A` to `D`.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
            Self::D => 'D',
        }
    }
}

/// The factors, each in [0, 1], whose product is a stride's quality. Kept apart so that anyone can see which one spoke.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualityParts {
    /// Innovation of the trajectory filter at the closing mid-stance.
    pub innovation: f64,
    /// Share of clipped samples.
    pub clipping: f64,
    /// Interpolated samples.
    pub gaps: f64,
    /// Agreement with plain linear de-drifting of the same stride.
    pub agreement: f64,
    /// Plausibility guards of the contacts.
    pub guards: f64,
    /// How well the mounting is known.
    pub alignment: f64,
}

impl QualityParts {
    /// All factors 1.
    pub const FULL: Self = Self {
        innovation: 1.0,
        clipping: 1.0,
        gaps: 1.0,
        agreement: 1.0,
        guards: 1.0,
        alignment: 1.0,
    };

    /// The product, in [0, 1].
    #[must_use]
    pub fn product(&self) -> f64 {
        self.innovation * self.clipping * self.gaps * self.agreement * self.guards * self.alignment
    }
}
