//! The GATT service: UUIDs, properties and the ATT error codes that the protocol gives a meaning.
//!
//! Numbers only; nothing here touches a radio. A UUID is given as the 128-bit number it is written as
//! (`54a20001-2c99-…`), which is the order every host library takes; on the air its bytes go in reverse.

/// `54a2xxxx-2c99-44ec-86ea-90cae2ea7924` with `xxxx` = 0.
const BASE: u128 = 0x54a2_0000_2c99_44ec_86ea_90ca_e2ea_7924;

const fn uuid(short: u16) -> u128 {
    BASE | (short as u128) << 96
}

/// The service. Exactly one instance on a pod, in the advertisement too.
pub const SERVICE: u128 = uuid(1);
/// Control: Write (with response), Indicate. Requests, replies and events.
pub const CONTROL: u128 = uuid(2);
/// Stream: Notify. Frames.
pub const STREAM: u128 = uuid(3);
/// Time: Write Without Response, Notify. PING and PONG.
pub const TIME: u128 = uuid(4);
/// Secure: Read, encryption required. Reading it starts pairing.
pub const SECURE: u128 = uuid(5);

/// Below this ATT MTU a pod answers only HELLO and the time exchange.
pub const SMALLEST_MTU: u16 = 100;

/// Error of a write to Control with fewer than two bytes.
pub const ATT_INVALID_LENGTH: u8 = 0x0D;
/// Error of a long write (Prepare/Execute).
pub const ATT_REQUEST_NOT_SUPPORTED: u8 = 0x06;
/// Error of reading Secure without a bond: starts pairing.
pub const ATT_INSUFFICIENT_AUTHENTICATION: u8 = 0x05;
/// Error of reading Secure on an unencrypted link to a bonded peer: starts encryption.
pub const ATT_INSUFFICIENT_ENCRYPTION: u8 = 0x0F;
/// Error of a write to Control whose indications are off.
pub const ATT_CCCD_IMPROPERLY_CONFIGURED: u8 = 0xFD;
/// Error of a write to Control while a reply is due.
pub const ATT_PROCEDURE_IN_PROGRESS: u8 = 0xFE;

/// A characteristic on which a pod sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Indications of Control: replies and events.
    Control,
    /// Notifications of Stream: frames.
    Stream,
    /// Notifications of Time: PONGs.
    Time,
}

impl Channel {
    /// Its UUID.
    pub const fn uuid(self) -> u128 {
        match self {
            Channel::Control => CONTROL,
            Channel::Stream => STREAM,
            Channel::Time => TIME,
        }
    }
}
