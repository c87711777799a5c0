//! The names of things on the air: streams, configurations, sessions, boots, pods, transactions, moments.
//!
//! Each is a small number that another small number could be mistaken for, so each has a type. Where the wire uses 0 or
//! all ones for "none", the type cannot hold that value and the field is an `Option`.

use core::fmt;
use core::num::{NonZeroU8, NonZeroU32, NonZeroU64};

/// Most streams a pod can have.
pub const MOST_STREAMS: usize = 8;

/// The value that stands for *no index* on the air and is never the index of a sample.
///
/// It is also the largest possible end of a range of indices: the last sample of a session has an index below it.
pub const INDEX_NONE: u32 = u32::MAX;

/// A stream of a pod, 0 to 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId(u8);

impl StreamId {
    /// The first stream, which every pod has.
    pub const FIRST: StreamId = StreamId(0);

    /// The stream of this number; `None` above 7.
    pub const fn new(number: u8) -> Option<Self> {
        if number < MOST_STREAMS as u8 {
            Some(StreamId(number))
        } else {
            None
        }
    }

    /// The stream in the low three bits of a frame's flags. Any byte holds one.
    pub(crate) const fn from_low_bits(byte: u8) -> Self {
        StreamId(byte & 7)
    }

    /// Its number, 0 to 7.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Its number as an array index.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {}", self.0)
    }
}

macro_rules! non_zero_id {
    ($(#[$doc:meta])* $name:ident($inner:ty, $primitive:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// The id of this number; `None` for 0.
            pub const fn new(number: $primitive) -> Option<Self> {
                match <$inner>::new(number) {
                    Some(number) => Some($name(number)),
                    None => None,
                }
            }

            /// Its number, never 0.
            pub const fn get(self) -> $primitive {
                self.0.get()
            }
        }
    };
}

non_zero_id! {
    /// One configuration of one stream of one session, 1 to 255 (SPEC.md, section 6.4). On the air 0 means none.
    CfgId(NonZeroU8, u8)
}

non_zero_id! {
    /// The number that pairs a reply with its request, 1 to 255, chosen by the host.
    Txn(NonZeroU8, u8)
}

non_zero_id! {
    /// One run of a pod's clock, from power-up to power-down. In a HELLO reply 0 means "not told to strangers".
    BootId(NonZeroU32, u32)
}

non_zero_id! {
    /// A pod, for life. In a HELLO reply 0 means "not told to strangers".
    PodUid(NonZeroU64, u64)
}

non_zero_id! {
    /// A session: 64 random bits that the host chose. It is also the key to the session, so a pod never reveals it.
    SessionId(NonZeroU64, u64)
}

impl SessionId {
    /// Compares without a branch that depends on the bits, so that the time taken tells a stranger nothing.
    pub fn matches_in_constant_time(self, other: SessionId) -> bool {
        core::hint::black_box(self.get() ^ other.get()) == 0
    }
}

/// A moment on a pod's clock: microseconds since boot, below 2⁴⁸ − 1 (8.9 years).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PodTime(u64);

impl PodTime {
    /// What the six bytes hold when there is no time.
    pub(crate) const NONE_ON_AIR: u64 = 0xFFFF_FFFF_FFFF;
    /// The moment of boot.
    pub const BOOT: PodTime = PodTime(0);
    /// The last moment that can be told.
    pub const LAST: PodTime = PodTime(Self::NONE_ON_AIR - 1);

    /// The moment `us` microseconds after boot; `None` when six bytes cannot tell it.
    pub const fn from_us(us: u64) -> Option<Self> {
        if us < Self::NONE_ON_AIR {
            Some(PodTime(us))
        } else {
            None
        }
    }

    /// Microseconds since boot.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// The moment `us` microseconds later, at most [`PodTime::LAST`].
    pub const fn plus_us(self, us: u64) -> Self {
        let sum = self.0.saturating_add(us);
        if sum < Self::NONE_ON_AIR {
            PodTime(sum)
        } else {
            Self::LAST
        }
    }

    /// Microseconds from `earlier` to here, 0 if `earlier` is in truth later.
    pub const fn us_since(self, earlier: PodTime) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The six bytes of a moment that may be missing.
pub(crate) const fn time_on_air(time: Option<PodTime>) -> u64 {
    match time {
        Some(time) => time.0,
        None => PodTime::NONE_ON_AIR,
    }
}
