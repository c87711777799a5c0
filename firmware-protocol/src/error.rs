//! Why bytes are refused, and why a value cannot become bytes.
//!
//! A [`Refusal`] names the rule of the specification that the bytes break; [`Refusal::rule`] gives the name that SPEC.md
//! and the vectors use, so a counter "refused by rule" means the same on every side. The other fields are for the
//! message a person reads. An [`EncodeError`] is the same seen from the sender: it refuses to make what a receiver
//! would have to refuse.

use core::fmt;

/// The rule of SPEC.md that received bytes break.
///
/// It is data about the bytes and never a reason to end a session: count it by [`rule`](Refusal::rule) and go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Fewer bytes than the fixed head of the message. Rule `truncated`.
    Truncated {
        /// Bytes the head needs.
        need: usize,
        /// Bytes there are.
        got: usize,
    },
    /// A write to Control of fewer than two bytes: answered by ATT error 0D, not by a reply. Rule `att_length`.
    AttLength {
        /// Bytes there are.
        got: usize,
    },
    /// Another major version than the one in use on the connection. Rule `major`.
    Major {
        /// The version the message claims.
        got: u8,
    },
    /// The checksum does not fit the bytes. Rule `crc`.
    Crc {
        /// The checksum in the message.
        stated: u16,
        /// The checksum of the bytes.
        computed: u16,
    },
    /// A frame or time message of a kind that this version does not know: count it, it is no fault. Rule `unknown_kind`.
    UnknownKind {
        /// The kind.
        kind: u8,
    },
    /// An event that this version does not know: count it, it is no fault. Rule `unknown_event`.
    UnknownEvent {
        /// Its operation byte.
        op: u8,
    },
    /// A number of entries outside what is allowed. Rule `count`.
    Count {
        /// The number stated.
        got: u32,
        /// The largest allowed.
        most: u32,
    },
    /// The length does not fit what the message says about itself. Rule `length`.
    Length {
        /// Bytes it should have, or at least have.
        need: usize,
        /// Bytes there are.
        got: usize,
    },
    /// Data without a configuration. Rule `cfg_id`.
    CfgId,
    /// Indices that run past the last index. Rule `index`.
    Index {
        /// First index.
        first: u32,
        /// Number of indices.
        count: u32,
    },
    /// A time is missing where one is needed, or time runs backwards. Rule `time`.
    Time,
    /// An operation this version does not know, or a message of the wrong direction. Rule `op`.
    Op {
        /// The operation byte.
        op: u8,
    },
    /// A field outside its range or a reserved bit set in a request. Rule `param`.
    Param {
        /// The field's name in SPEC.md.
        field: &'static str,
    },
    /// A text that is not UTF-8. Rule `utf8`.
    Utf8,
    /// A calibration that no sensor can have: not finite, or far from the identity. Rule `calibration`.
    Calibration,
}

impl Refusal {
    /// The name of the rule, as SPEC.md and the vectors write it.
    pub const fn rule(&self) -> &'static str {
        match self {
            Refusal::Truncated { .. } => "truncated",
            Refusal::AttLength { .. } => "att_length",
            Refusal::Major { .. } => "major",
            Refusal::Crc { .. } => "crc",
            Refusal::UnknownKind { .. } => "unknown_kind",
            Refusal::UnknownEvent { .. } => "unknown_event",
            Refusal::Count { .. } => "count",
            Refusal::Length { .. } => "length",
            Refusal::CfgId => "cfg_id",
            Refusal::Index { .. } => "index",
            Refusal::Time => "time",
            Refusal::Op { .. } => "op",
            Refusal::Param { .. } => "param",
            Refusal::Utf8 => "utf8",
            Refusal::Calibration => "calibration",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Truncated { need, got } => write!(f, "truncated: need at least {need} bytes, got {got}"),
            Refusal::AttLength { got } => write!(f, "att_length: a request has at least 2 bytes, got {got}"),
            Refusal::Major { got } => write!(f, "major: message of version {got}, this side speaks {}", crate::MAJOR),
            Refusal::Crc { stated, computed } => write!(f, "crc: message says {stated:04x}, bytes give {computed:04x}"),
            Refusal::UnknownKind { kind } => write!(f, "unknown_kind: {kind}"),
            Refusal::UnknownEvent { op } => write!(f, "unknown_event: {op:02x}"),
            Refusal::Count { got, most } => write!(f, "count: got {got}, at most {most} are allowed"),
            Refusal::Length { need, got } => write!(f, "length: need {need} bytes, got {got}"),
            Refusal::CfgId => write!(f, "cfg_id: data without a configuration"),
            Refusal::Index { first, count } => write!(f, "index: {count} indices from {first} pass the last index"),
            Refusal::Time => write!(f, "time: missing, or running backwards"),
            Refusal::Op { op } => write!(f, "op: {op:02x} is not an operation here"),
            Refusal::Param { field } => write!(f, "param: {field} is outside its range"),
            Refusal::Utf8 => write!(f, "utf8: a text is not UTF-8"),
            Refusal::Calibration => write!(f, "calibration: not finite or far from the identity"),
        }
    }
}

impl core::error::Error for Refusal {}

/// Why a value was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeError {
    /// The caller's buffer is too small.
    Buffer {
        /// Bytes needed so far; the message may need more.
        need: usize,
        /// Bytes there are.
        got: usize,
    },
    /// The message would break this rule and every receiver would refuse it.
    Rule(Refusal),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::Buffer { need, got } => write!(f, "the buffer has {got} bytes, {need} are needed"),
            EncodeError::Rule(refusal) => write!(f, "every receiver would refuse it: {refusal}"),
        }
    }
}

impl core::error::Error for EncodeError {}

impl From<Refusal> for EncodeError {
    fn from(refusal: Refusal) -> Self {
        EncodeError::Rule(refusal)
    }
}
