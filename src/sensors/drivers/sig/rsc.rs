//! Running speed and cadence (service 0x1814): what a foot pod measures, what it can, and its control point.
//!
//! Reserved flag bits are ignored, a frame longer than its flags demand is accepted, a shorter one refused. The stride
//! length field is as ambiguous as the cadence ([`super::cadence`]), so it is kept as sent and shown to nobody.

use super::super::bytes::{Bytes, Refusal};
use crate::sensors::link::{Chan, sig_uuid};

/// The service.
pub const SERVICE: u128 = sig_uuid(0x1814);
/// Measurement: notify.
pub const MEASUREMENT: Chan = Chan::sig(0x1814, 0x2A53);
/// Feature: read.
pub const FEATURE: Chan = Chan::sig(0x1814, 0x2A54);
/// Sensor location: read.
pub const LOCATION: Chan = Chan::sig(0x1814, 0x2A5D);
/// SC control point: write, indicate.
pub const CONTROL: Chan = Chan::sig(0x1814, 0x2A55);

/// A write while another procedure runs.
pub const ATT_IN_PROGRESS: u8 = 0x80;
/// A write while indications are off.
pub const ATT_CCCD: u8 = 0x81;

/// One measurement, as sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Flags as sent.
    pub flags: u8,
    /// Speed, m/s.
    pub speed: f64,
    /// Cadence as sent, 1/min: steps or strides, see [`super::cadence`].
    pub cadence_raw: u8,
    /// Whether the pod calls it running rather than walking.
    pub running: bool,
    /// Stride length as sent, m.
    pub stride_length_raw: Option<f64>,
    /// Total distance, m.
    pub distance: Option<f64>,
}

/// Decodes a measurement.
///
/// # Errors
/// `short` below four bytes; `flags claim … more bytes` when the optional fields are not all there.
pub fn measurement(bytes: &[u8]) -> Result<Measurement, Refusal> {
    const SHORT: Refusal = Refusal("short");
    let mut b = Bytes(bytes);
    let flags = b.u8().ok_or(SHORT)?;
    let speed = f64::from(b.u16().ok_or(SHORT)?) / 256.0;
    let cadence_raw = b.u8().ok_or(SHORT)?;
    let (stride, distance) = (flags & 1 != 0, flags & 2 != 0);
    match (stride, distance, b.len()) {
        (true, true, 0..6) => return Err(Refusal("flags claim 6 more bytes")),
        (false, true, 0..4) => return Err(Refusal("flags claim 4 more bytes")),
        (true, false, 0..2) => return Err(Refusal("flags claim 2 more bytes")),
        _ => {}
    }
    let stride_length_raw = if stride { b.u16() } else { None };
    let distance_raw = if distance { b.u32() } else { None };
    Ok(Measurement {
        flags,
        speed,
        cadence_raw,
        running: flags & 4 != 0,
        stride_length_raw: stride_length_raw.map(|v| f64::from(v) / 100.0),
        distance: distance_raw.map(|v| f64::from(v) / 10.0),
    })
}

/// What a pod says it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature(pub u16);

impl Feature {
    /// Decodes the feature characteristic.
    ///
    /// # Errors
    /// `short` below two bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        Bytes(bytes).u16().map(Self).ok_or(Refusal("short"))
    }

    /// Sends stride length.
    #[must_use]
    pub const fn stride_length(self) -> bool {
        self.0 & 1 != 0
    }

    /// Sends total distance.
    #[must_use]
    pub const fn distance(self) -> bool {
        self.0 & 2 != 0
    }

    /// Tells walking from running.
    #[must_use]
    pub const fn tells_running(self) -> bool {
        self.0 & 4 != 0
    }

    /// Can be calibrated.
    #[must_use]
    pub const fn calibration(self) -> bool {
        self.0 & 8 != 0
    }

    /// Can be worn at several places.
    #[must_use]
    pub const fn several_locations(self) -> bool {
        self.0 & 16 != 0
    }
}

/// Where a pod is worn; the numbers are the SIG's, and only those lope has a word for are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// 0.
    Other,
    /// 1.
    TopOfShoe,
    /// 2.
    InShoe,
    /// 3.
    Hip,
    /// 14.
    Chest,
    /// Any other number.
    Number(u8),
}

impl Location {
    /// By its number.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Other,
            1 => Self::TopOfShoe,
            2 => Self::InShoe,
            3 => Self::Hip,
            14 => Self::Chest,
            n => Self::Number(n),
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Other => 0,
            Self::TopOfShoe => 1,
            Self::InShoe => 2,
            Self::Hip => 3,
            Self::Chest => 14,
            Self::Number(n) => n,
        }
    }
}

/// A command of the SC control point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Set the total distance, 1/10 m.
    SetDistance(u32),
    /// Start calibration.
    Calibrate,
    /// Say where it is worn.
    SetLocation(Location),
    /// List where it can be worn.
    Locations,
}

impl Request {
    /// The bytes to write.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::SetDistance(v) => {
                let [a, b, c, d] = v.to_le_bytes();
                vec![1, a, b, c, d]
            }
            Self::Calibrate => vec![2],
            Self::SetLocation(l) => vec![3, l.number()],
            Self::Locations => vec![4],
        }
    }
}

/// How a request of the control point ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 1.
    Done,
    /// 2.
    NotSupported,
    /// 3.
    BadParameter,
    /// 4.
    Failed,
}

/// An indication of the control point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Which request (its first byte).
    pub request: u8,
    /// How it ended.
    pub outcome: Outcome,
    /// Places it can be worn; only for [`Request::Locations`].
    pub locations: Vec<Location>,
}

/// Decodes an indication of the control point.
///
/// # Errors
/// `short`, `not a reply`, `unknown result`.
pub fn reply(bytes: &[u8]) -> Result<Reply, Refusal> {
    let [op, request, result, rest @ ..] = bytes else {
        return Err(Refusal("short"));
    };
    if *op != 0x10 {
        return Err(Refusal("not a reply"));
    }
    let outcome = match result {
        1 => Outcome::Done,
        2 => Outcome::NotSupported,
        3 => Outcome::BadParameter,
        4 => Outcome::Failed,
        _ => return Err(Refusal("unknown result")),
    };
    let listed = *request == 4 && outcome == Outcome::Done;
    Ok(Reply {
        request: *request,
        outcome,
        locations: rest
            .iter()
            .filter(|_| listed)
            .map(|n| Location::from_number(*n))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: [u8; 10] = [7, 0, 4, 92, 140, 0, 0x10, 0x27, 0, 0];

    #[test]
    fn a_full_measurement_reads_in_si() {
        let m = measurement(&FULL).expect("whole");
        assert_eq!((m.speed, m.cadence_raw, m.running), (4.0, 92, true));
        assert_eq!((m.stride_length_raw, m.distance), (Some(1.4), Some(1000.0)));
    }

    #[test]
    fn a_measurement_cut_anywhere_is_refused_and_a_longer_one_accepted() {
        for n in 0..FULL.len() {
            assert!(measurement(&FULL[..n]).is_err(), "{n}");
        }
        let mut longer = FULL.to_vec();
        longer.extend([9; 5]);
        assert_eq!(measurement(&longer), measurement(&FULL));
        // Reserved bits change nothing but the flags kept.
        let reserved = measurement(&[0xF8, 0, 4, 92]).expect("whole");
        assert_eq!((reserved.stride_length_raw, reserved.distance), (None, None));
    }

    #[test]
    fn distance_alone_stands_where_the_stride_length_would() {
        let m = measurement(&[2, 0, 1, 80, 0x10, 0x27, 0, 0]).expect("whole");
        assert_eq!((m.stride_length_raw, m.distance), (None, Some(1000.0)));
        assert_eq!(
            measurement(&[2, 0, 1, 80, 1, 2, 3]),
            Err(Refusal("flags claim 4 more bytes"))
        );
        assert_eq!(measurement(&[1, 0, 1, 80, 1]), Err(Refusal("flags claim 2 more bytes")));
    }

    #[test]
    fn the_control_point_speaks_both_ways() {
        assert_eq!(Request::SetDistance(0x0102_0304).encode(), [1, 4, 3, 2, 1]);
        assert_eq!(Request::SetLocation(Location::Chest).encode(), [3, 14]);
        let listed = reply(&[0x10, 4, 1, 1, 2, 200]).expect("reply");
        assert_eq!(
            listed.locations,
            [Location::TopOfShoe, Location::InShoe, Location::Number(200)]
        );
        assert_eq!(reply(&[0x10, 3, 2]).map(|r| r.outcome), Ok(Outcome::NotSupported));
        assert_eq!(reply(&[0x10, 3, 9]), Err(Refusal("unknown result")));
        assert_eq!(reply(&[0x11, 3, 1]), Err(Refusal("not a reply")));
        assert_eq!(reply(&[0x10, 3]), Err(Refusal("short")));
        for n in 0..=255 {
            assert_eq!(Location::from_number(n).number(), n);
        }
    }

    #[test]
    fn features_are_bits() {
        let f = Feature::decode(&[0b0001_0110, 0]).expect("two bytes");
        assert!(!f.stride_length() && f.distance() && f.tells_running() && !f.calibration() && f.several_locations());
        assert!(Feature::decode(&[1]).is_err());
    }
}
