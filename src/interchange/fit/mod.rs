//! FIT (Flexible and Interoperable Data Transfer): what its reader and its writer both stand on, and the writer.
//!
//! Layout, base types, invalid values and the checksum are those of the FIT protocol, numbers of messages and fields those
//! of its global profile (developer.garmin.com/fit/protocol, profile 21). Both programs here are written from these facts;
//! nothing of the vendor's kit is in them, because its licence is not an open one (ADR 15).
//!
//! What is in a file that lope writes: [`activity`].

pub mod activity;
mod encode;
mod seconds;
#[cfg(all(test, feature = "tracks"))]
mod tests;

/// Seconds from 1970 to the epoch of FIT, 1989-12-31T00:00:00Z.
pub const EPOCH_S: i64 = 631_065_600;
/// A time stamp below this counts from the device's start and is no date.
pub const FIRST_DATE: i64 = 0x1000_0000;
/// Field number of the time stamp, in every message.
pub const TIMESTAMP: u8 = 253;

/// Numbers of messages in the global profile.
pub mod message {
    /// What the file is.
    pub const FILE_ID: u16 = 0;
    /// What was done.
    pub const SPORT: u16 = 12;
    /// The whole.
    pub const SESSION: u16 = 18;
    /// A lap.
    pub const LAP: u16 = 19;
    /// An instant.
    pub const RECORD: u16 = 20;
    /// Something that happened; the timer's starts and stops among it.
    pub const EVENT: u16 = 21;
    /// A device or sensor.
    pub const DEVICE_INFO: u16 = 23;
    /// The end of an activity, with local time.
    pub const ACTIVITY: u16 = 34;
    /// The program that wrote the file.
    pub const FILE_CREATOR: u16 = 49;
    /// A field that the global profile does not have.
    pub const FIELD_DESCRIPTION: u16 = 206;
    /// Whose fields these are.
    pub const DEVELOPER_DATA_ID: u16 = 207;
}

/// By these bytes lope's own fields, and so files that lope wrote, are known: a UUID of its own, for ever.
pub const APPLICATION_ID: [u8; 16] = [
    0x6c, 0x6f, 0x70, 0x65, 0x1d, 0x27, 0x4b, 0x9e, 0x8a, 0x53, 0x0e, 0xf1, 0x77, 0x42, 0xc6, 0x90,
];

/// The mark of a session in a file written of it, where the profile has the device's serial number: never 0, which stands
/// for none. It is a hash (FNV-1a of 32 bits) and tells nothing about the session, but lope knows the file again by it.
#[must_use]
pub fn session_mark(session: &str) -> u32 {
    let hash = session
        .bytes()
        .fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    hash.max(1)
}

/// CRC-16 of FIT (polynomial 0x8005, reflected: 0xA001), a bit at a time.
#[must_use]
pub fn crc(start: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(start, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod published {
    use super::*;

    #[test]
    fn the_checksum_and_the_mark_are_those_published() {
        // CRC-16/ARC and FNV-1a of 32 bits, by their published check values.
        assert_eq!(crc(0, b"123456789"), 0xbb3d);
        assert_eq!(session_mark(""), 0x811c_9dc5);
        assert_eq!(session_mark("foobar"), 0xbf9c_f968);
        assert_ne!(session_mark("s1"), session_mark("s2"));
    }
}
