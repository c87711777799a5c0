//! Heart rate (service 0x180D): beats per minute and the intervals between beats.

use super::super::bytes::{Bytes, Refusal};
use crate::model::SessionTime;
use crate::sensors::link::{Chan, sig_uuid};
use crate::sensors::said::HeartRate;

/// The service.
pub const SERVICE: u128 = sig_uuid(0x180D);
/// Measurement: notify.
pub const MEASUREMENT: Chan = Chan::sig(0x180D, 0x2A37);
/// Where it is worn: read.
pub const LOCATION: Chan = Chan::sig(0x180D, 0x2A38);

/// A measurement as sent, and whether a byte was left over.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Beats/min.
    pub bpm: u16,
    /// Whether it touches skin, if it tells.
    pub contact: Option<bool>,
    /// Energy since reset, kJ.
    pub energy_kj: Option<u16>,
    /// Beat intervals, 1/1024 s, oldest first.
    pub rr_1024: Vec<u16>,
    /// One byte too many stood at the end: ignored, and to be counted.
    pub odd_byte: bool,
}

impl Measurement {
    /// The reading in SI, at the instant it arrived.
    #[must_use]
    pub fn reading(&self, at: SessionTime) -> HeartRate {
        HeartRate {
            at,
            bpm: self.bpm,
            contact: self.contact,
            rr_s: self.rr_1024.iter().map(|rr| f64::from(*rr) / 1024.0).collect(),
        }
    }
}

/// Decodes a measurement.
///
/// # Errors
/// `short` when the rate or the energy that the flags claim is not all there.
pub fn measurement(bytes: &[u8]) -> Result<Measurement, Refusal> {
    const SHORT: Refusal = Refusal("short");
    let mut b = Bytes(bytes);
    let flags = b.u8().ok_or(SHORT)?;
    let bpm = if flags & 1 != 0 { b.u16() } else { b.u8().map(u16::from) }.ok_or(SHORT)?;
    let contact = (flags & 4 != 0).then_some(flags & 2 != 0);
    let energy_kj = if flags & 8 != 0 {
        Some(b.u16().ok_or(SHORT)?)
    } else {
        None
    };
    let mut rr_1024 = Vec::new();
    if flags & 16 != 0 {
        rr_1024.reserve(b.len() / 2);
        while let Some(rr) = b.u16() {
            rr_1024.push(rr);
        }
    }
    Ok(Measurement {
        bpm,
        contact,
        energy_kj,
        rr_1024,
        odd_byte: flags & 16 != 0 && b.len() == 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_optional_part_is_found_where_the_flags_put_it() {
        let m = measurement(&[0b1_1111, 0x2C, 0x01, 7, 0, 0, 4, 0, 2]).expect("whole");
        assert_eq!((m.bpm, m.contact, m.energy_kj), (300, Some(true), Some(7)));
        assert_eq!(m.reading(SessionTime::ZERO).rr_s, [1.0, 0.5]);
        let m = measurement(&[0, 61]).expect("whole");
        assert_eq!((m.bpm, m.contact, m.odd_byte), (61, None, false));
        assert_eq!(measurement(&[4, 61]).map(|m| m.contact), Ok(Some(false)));
        assert_eq!(measurement(&[2, 61]).map(|m| m.contact), Ok(None));
    }

    #[test]
    fn cut_where_something_is_due_it_is_refused_and_an_odd_byte_is_told() {
        let whole = [0b1_1001, 60, 0, 7, 0, 0, 4, 0, 2];
        for n in 0..whole.len() {
            let m = measurement(&whole[..n]);
            assert_eq!(m.is_err(), n < 5, "{n}");
            if let Ok(m) = m {
                assert_eq!(m.odd_byte, n % 2 == 0, "{n}");
            }
        }
    }
}
