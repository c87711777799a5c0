//! What is read from and written to a DOT: information, control, measurement, battery, and its messages.
//!
//! Source: Movella DOT BLE Service Specification XD0506P revision C. Two examples printed there (start recording and its
//! acknowledgement) break the document's own checksum rule; the rule is followed.

use super::super::bytes::{Bytes, Refusal};
use super::payload::Mode;
use crate::sensors::link::Chan;

/// `1517xxxx-4947-11E9-8646-D663BD873D93` with `xxxx` = 0.
const BASE: u128 = 0x1517_0000_4947_11E9_8646_D663_BD87_3D93;

const fn uuid(short: u16) -> u128 {
    BASE | (short as u128) << 96
}

const fn chan(service: u16, characteristic: u16) -> Chan {
    Chan::new(uuid(service), uuid(characteristic))
}

/// Information: read, 34 bytes.
pub const INFORMATION: Chan = chan(0x1000, 0x1001);
/// Control: read, write, 32 bytes.
pub const CONTROL: Chan = chan(0x1000, 0x1002);
/// Report: notify. It tells when the sensor is switched off or falls asleep.
pub const REPORT: Chan = chan(0x1000, 0x1004);
/// Measurement control: write.
pub const MEASUREMENT: Chan = chan(0x2000, 0x2001);
/// Payload of 63 bytes: notify.
pub const LONG: Chan = chan(0x2000, 0x2002);
/// Payload of 40 bytes: notify.
pub const MEDIUM: Chan = chan(0x2000, 0x2003);
/// Payload of 20 bytes: notify.
pub const SHORT: Chan = chan(0x2000, 0x2004);
/// Battery: read, notify.
pub const BATTERY: Chan = chan(0x3000, 0x3001);

/// Rates it has, Hz; 60 is the fastest live.
pub const RATES: [u16; 8] = [1, 4, 10, 12, 15, 20, 30, 60];

/// Bytes of the control characteristic.
const CONTROL_LENGTH: usize = 32;
/// Bits of its first byte: which fields are meant.
const MEANS_IDENTIFY: u8 = 1;
const MEANS_RATE: u8 = 1 << 4;

/// Who a sensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Information {
    /// Address, high byte first.
    pub address: [u8; 6],
    /// Firmware, major minor revision.
    pub firmware: [u8; 3],
    /// Serial number.
    pub serial: u64,
}

impl Information {
    /// Decodes the information characteristic.
    ///
    /// # Errors
    /// `short` below 34 bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::read(Bytes(bytes)).ok_or(Refusal("short"))
    }

    fn read(mut b: Bytes<'_>) -> Option<Self> {
        let &[f, e, d, c, bb, a] = b.take(6)? else { return None };
        let &[major, minor, revision] = b.take(3)? else {
            return None;
        };
        // Date of the build (year, month, day, hour, minute, second) and version of the radio's software.
        b.take(7 + 4)?;
        let serial = b.u64()?;
        // Short product code.
        b.take(6)?;
        Some(Self {
            address: [a, bb, c, d, e, f],
            firmware: [major, minor, revision],
            serial,
        })
    }

    /// The firmware as people write it.
    #[must_use]
    pub fn firmware_text(&self) -> String {
        let [major, minor, revision] = self.firmware;
        format!("{major}.{minor}.{revision}")
    }
}

/// The rate that the control characteristic holds, Hz.
///
/// # Errors
/// `short` below 32 bytes.
pub fn rate(bytes: &[u8]) -> Result<u16, Refusal> {
    let mut b = Bytes(bytes);
    b.take(24).ok_or(Refusal("short"))?;
    let rate = b.u16().ok_or(Refusal("short"))?;
    b.take(CONTROL_LENGTH - 26).ok_or(Refusal("short"))?;
    Ok(rate)
}

/// Bytes for the control characteristic that set the rate and nothing else.
#[must_use]
pub fn set_rate(rate_hz: u16) -> Vec<u8> {
    let mut bytes = vec![0; CONTROL_LENGTH];
    bytes[0] = MEANS_RATE;
    bytes[24..26].copy_from_slice(&rate_hz.to_le_bytes());
    bytes
}

/// Bytes for the control characteristic that let it blink and nothing else.
#[must_use]
pub fn identify() -> Vec<u8> {
    let mut bytes = vec![0; CONTROL_LENGTH];
    bytes[0] = MEANS_IDENTIFY;
    bytes[1] = 1;
    bytes
}

/// Bytes that start a measurement.
#[must_use]
pub fn start(mode: Mode) -> Vec<u8> {
    vec![1, 1, mode.number()]
}

/// Bytes that stop it.
#[must_use]
pub fn stop(mode: Mode) -> Vec<u8> {
    vec![1, 0, mode.number()]
}

/// The rate nearest above what is wanted, or the fastest.
#[must_use]
pub fn nearest_rate(wanted_hz: f64) -> u16 {
    RATES
        .into_iter()
        .find(|r| f64::from(*r) >= wanted_hz)
        .unwrap_or(RATES[RATES.len() - 1])
}

/// A message of the message service: recording, synchronisation, configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// 1 recording, 2 synchronisation, 3 configuration.
    pub number: u8,
    /// What it says.
    pub data: Vec<u8>,
}

impl Message {
    /// Its bytes: number, length, data, and a checksum that makes the sum of all a multiple of 256. `None` above 255 bytes
    /// of data.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![self.number, u8::try_from(self.data.len()).ok()?];
        bytes.extend(&self.data);
        bytes.push(sum(&bytes).wrapping_neg());
        Some(bytes)
    }

    /// Decodes and verifies one; what stands behind the checksum is not looked at.
    ///
    /// # Errors
    /// `short`, `checksum`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut b = Bytes(bytes);
        let number = b.u8().ok_or(Refusal("short"))?;
        let length = usize::from(b.u8().ok_or(Refusal("short"))?);
        let whole = bytes.get(..length + 3).ok_or(Refusal("short"))?;
        if sum(whole) != 0 {
            return Err(Refusal("checksum"));
        }
        Ok(Self {
            number,
            data: whole[2..2 + length].to_vec(),
        })
    }

    /// The request to a node to follow the clock of the sensor with this address (high byte first).
    #[must_use]
    pub fn synchronise(root: [u8; 6]) -> Self {
        let mut data = vec![1];
        data.extend(root.iter().rev());
        Self { number: 2, data }
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |s: u8, b| s.wrapping_add(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_of_34_bytes() {
        let mut bytes = vec![1, 2, 3, 4, 5, 6, 2, 0, 1];
        bytes.extend([0xE7, 7, 6, 5, 4, 3, 2, 9, 9, 9, 9]);
        bytes.extend(0xD422_CD00_1234_u64.to_le_bytes());
        bytes.extend(*b"XS-T01");
        assert_eq!(bytes.len(), 34);
        let i = Information::decode(&bytes).expect("whole");
        assert_eq!((i.address, i.firmware_text().as_str()), ([6, 5, 4, 3, 2, 1], "2.0.1"));
        assert_eq!(i.serial, 0xD422_CD00_1234);
        for n in 0..34 {
            assert!(Information::decode(&bytes[..n]).is_err());
        }
    }

    #[test]
    fn control_means_only_what_it_says() {
        let bytes = set_rate(60);
        assert_eq!((bytes.len(), bytes[0], &bytes[24..26]), (32, 0x10, &[60_u8, 0][..]));
        assert_eq!(rate(&bytes), Ok(60));
        for n in 0..32 {
            assert!(rate(&bytes[..n]).is_err());
        }
        assert_eq!(identify()[..2], [1, 1]);
        assert_eq!(start(Mode::RATE_QUANTITIES), [1, 1, 21]);
        assert_eq!(stop(Mode::RATE_QUANTITIES), [1, 0, 21]);
        assert_eq!(
            [nearest_rate(0.1), nearest_rate(21.0), nearest_rate(200.0)],
            [1, 30, 60]
        );
    }

    #[test]
    fn messages_carry_a_checksum_that_makes_their_sum_nought() {
        let message = Message::synchronise([0xD4, 0x22, 0xCD, 0, 0x12, 0x34]);
        let bytes = message.encode().expect("short enough");
        assert_eq!(bytes[..9], [2, 7, 1, 0x34, 0x12, 0, 0xCD, 0x22, 0xD4]);
        assert_eq!(sum(&bytes), 0);
        assert_eq!(Message::decode(&bytes), Ok(message));
        for n in 0..bytes.len() {
            assert_eq!(Message::decode(&bytes[..n]), Err(Refusal("short")));
        }
        for i in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[i] ^= 1;
            assert!(Message::decode(&wrong).is_err(), "byte {i}");
        }
        assert_eq!(
            Message {
                number: 1,
                data: vec![0; 256]
            }
            .encode(),
            None
        );
    }

    #[test]
    fn the_printed_examples_pass_except_the_two_that_break_the_document_s_own_rule() {
        let pass: [&[u8]; 6] = [
            &[0x01, 0x01, 0x02, 0xFC],
            &[0x01, 0x03, 0x01, 0x06, 0x02, 0xF3],
            &[0x01, 0x01, 0x41, 0xBD],
            &[0x01, 0x03, 0x01, 0x00, 0x41, 0xBA],
            &[0x01, 0x02, 0x60, 0x01, 0x9C],
            &[0x01, 0x04, 0x01, 0x00, 0x60, 0x01, 0x99],
        ];
        for bytes in pass {
            assert_eq!(
                Message::decode(bytes).expect("printed right").encode().expect("short"),
                bytes
            );
        }
        let start: &[u8] = &[0x01, 0x07, 0x40, 0xDF, 0x50, 0x3B, 0x5B, 0x08, 0x07, 0xE0];
        let acknowledged: &[u8] = &[0x01, 0x09, 0x01, 0x00, 0x40, 0xDF, 0x50, 0x3B, 0x5B, 0x08, 0x07, 0xDD];
        for bytes in [start, acknowledged] {
            assert_eq!(Message::decode(bytes), Err(Refusal("checksum")));
            // Both are off by the same four.
            let mut right = bytes.to_vec();
            *right.last_mut().expect("not empty") += 4;
            assert!(Message::decode(&right).is_ok());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_return(bytes in proptest::collection::vec(0..=255_u8, 0..70)) {
            let _ = (Message::decode(&bytes), Information::decode(&bytes), rate(&bytes));
        }
    }
}
