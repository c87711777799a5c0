//! What a link to a sensor carries: characteristics, commands, and events in the order they happened.
//!
//! Everything here is plain data, so that a link can be a radio, a simulation, a socket or a file. Times are session time
//! read from the host's monotonic clock by whoever runs the link; nothing in this module reads one.

use crate::model::SessionTime;

/// A characteristic: the service it belongs to and its own UUID, both as the 128-bit numbers they are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chan {
    /// UUID of the service.
    pub service: u128,
    /// UUID of the characteristic.
    pub characteristic: u128,
}

/// Base of the short UUIDs of the Bluetooth SIG.
const SIG_BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5F9B_34FB;

/// The full UUID of a 16-bit number of the Bluetooth SIG.
#[must_use]
pub const fn sig_uuid(short: u16) -> u128 {
    SIG_BASE | (short as u128) << 96
}

impl Chan {
    /// A characteristic by full UUIDs.
    #[must_use]
    pub const fn new(service: u128, characteristic: u128) -> Self {
        Self {
            service,
            characteristic,
        }
    }

    /// A characteristic of a service that the Bluetooth SIG has numbered.
    #[must_use]
    pub const fn sig(service: u16, characteristic: u16) -> Self {
        Self::new(sig_uuid(service), sig_uuid(characteristic))
    }
}

/// Whether a write waits for the sensor's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ack {
    /// Write with response.
    Wanted,
    /// Write without response.
    None,
}

/// What a driver asks the link to do. One at a time: the answer comes as [`LinkEvent::Answered`] before the next is asked
/// for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Ask for notifications or indications, whichever the characteristic has.
    Subscribe(Chan),
    /// Read a value.
    Read(Chan),
    /// Write a value.
    Write {
        /// Where.
        chan: Chan,
        /// What.
        bytes: Vec<u8>,
        /// Whether to wait for the answer.
        ack: Ack,
    },
    /// Close the link: what was said is worth nothing more (a reply that never came), or all is done.
    Close,
}

/// Which command an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// A subscription.
    Subscribe(Chan),
    /// A read.
    Read(Chan),
    /// A write.
    Write(Chan),
}

impl Command {
    /// What its answer will be marked with; `None` for [`Command::Close`], which has none.
    #[must_use]
    pub fn asked(&self) -> Option<Asked> {
        match self {
            Self::Subscribe(chan) => Some(Asked::Subscribe(*chan)),
            Self::Read(chan) => Some(Asked::Read(*chan)),
            Self::Write { chan, .. } => Some(Asked::Write(*chan)),
            Self::Close => None,
        }
    }
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkFailure {
    /// No answer within the time allowed for it.
    TimedOut,
    /// The link is down.
    Down,
    /// The sensor has no such characteristic.
    NoSuchCharacteristic,
    /// The sensor refused with an ATT error code, where the system tells it.
    Att(u8),
    /// The sensor wants a bond first.
    NotPermitted,
    /// Anything else, in the system's words.
    Other(String),
}

/// Why a link ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// We closed it.
    Closed,
    /// The sensor or the radio ended it.
    Lost,
    /// Nothing came for too long and the system could not say that the sensor is there.
    Silent,
    /// The adapter went away or was switched off.
    AdapterGone,
    /// A call did not return in its time; its name.
    Hung(&'static str),
}

/// What is known of a link once services have been discovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkInfo {
    /// The sensor's name as advertised; empty if it has none.
    pub name: String,
    /// How the system calls it (an address on Linux and Windows, a random id on macOS): good for opening it again on this
    /// machine, *not* the sensor's identity.
    pub os_id: String,
    /// ATT MTU.
    pub mtu: u16,
    /// Characteristics found.
    pub chans: Vec<Chan>,
}

impl LinkInfo {
    /// Whether the sensor has this characteristic.
    #[must_use]
    pub fn has(&self, chan: Chan) -> bool {
        self.chans.contains(&chan)
    }
}

/// One thing that happened on a link, in the order of happening. What is recorded before anything is decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEvent {
    /// A link is there, services are known. The first event of every link.
    Up {
        /// When.
        at: SessionTime,
        /// What is known of it.
        info: LinkInfo,
    },
    /// A notification or indication.
    Frame {
        /// When it arrived, stamped before anything else was done with it.
        at: SessionTime,
        /// From where.
        chan: Chan,
        /// What.
        bytes: Vec<u8>,
    },
    /// A command was answered, or was not.
    Answered {
        /// When it was given to the system.
        began: SessionTime,
        /// When the answer came.
        at: SessionTime,
        /// Which.
        asked: Asked,
        /// Bytes of a read (empty for a write or subscription), or why not.
        result: Result<Vec<u8>, LinkFailure>,
    },
    /// Our own queue was full: this many frames before the next one were dropped, oldest first.
    Overflowed {
        /// When noticed.
        at: SessionTime,
        /// How many frames.
        frames: u32,
    },
    /// The link is over. Final: a reconnection is a new link and begins with [`LinkEvent::Up`].
    Down {
        /// When noticed.
        at: SessionTime,
        /// Why.
        reason: DownReason,
    },
}

impl LinkEvent {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> SessionTime {
        match self {
            Self::Up { at, .. }
            | Self::Frame { at, .. }
            | Self::Answered { at, .. }
            | Self::Overflowed { at, .. }
            | Self::Down { at, .. } => *at,
        }
    }
}

/// What a sensor says of itself to everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advert {
    /// How the system calls it; see [`LinkInfo::os_id`].
    pub os_id: String,
    /// Its name; `None` if it has not said it (yet).
    pub name: Option<String>,
    /// Services it names.
    pub services: Vec<u128>,
    /// Company numbers of its manufacturer data.
    pub companies: Vec<u16>,
    /// Strength of the signal, dBm.
    pub rssi_dbm: Option<i16>,
    /// Whether it is connected to this host already.
    pub connected: bool,
}
