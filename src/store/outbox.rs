//! What copies of the record still have to be told: words shared by the record, which keeps the list, and by sinks,
//! which work it off.
//!
//! The list names rows and does not hold them: one small entry a commit says which span of which session is new. A sink
//! reads the rows when it sends them, so a month without a connection costs a few megabytes, and a batch sent twice
//! changes nothing, because a point is identified by what it is, not by when it came.

use super::error::StoreError;
use super::health::HealthRow;
use super::ids::{AthleteId, SessionId};
use super::session::SessionRow;
use super::summary::SummaryRow;
use crate::metrics::StrideRecord;
use crate::pipeline::Window;
use std::fmt;

/// What kind of rows an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measurement {
    /// Strides.
    Stride,
    /// Seconds.
    Window,
    /// The session itself, once it has ended.
    Session,
    /// How its sensors did.
    Health,
    /// Changes of an athlete's flags; they belong to no session.
    Flag,
}

impl Measurement {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Stride, Self::Window, Self::Session, Self::Health, Self::Flag];
    /// Those that belong to a session.
    pub const OF_SESSIONS: [Self; 4] = [Self::Stride, Self::Window, Self::Session, Self::Health];

    /// As it stands in the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stride => "stride",
            Self::Window => "window",
            Self::Session => "session",
            Self::Health => "health",
            Self::Flag => "flag",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }
}

/// The name of a sink: one word, chosen by its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SinkName(String);

impl SinkName {
    /// The name with this text.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] unless it is 1 to 40 of `a-z 0-9 _ -` and begins with a letter.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        let good = text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(inner);
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(StoreError::rejected(
                format!("sink {text:?}"),
                "names are 1 to 40 of a-z 0-9 _ - and begin with a letter",
            ))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a sink has come: everything up to entry `last_seq` is sent, and of the next one everything before
/// `resume_us`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The last entry that is done.
    pub last_seq: i64,
    /// UTC, µs.
    pub resume_us: Option<i64>,
}

/// One row to send.
#[derive(Clone, Debug, PartialEq)]
pub struct OutRow {
    /// Where it stands in the order of sending.
    pub place: Position,
    /// Who ran.
    pub athlete: AthleteId,
    /// In which session; none for flags.
    pub session: Option<SessionId>,
    /// By which analysis; 0 for flags.
    pub analysis: u32,
    /// When, UTC in µs.
    pub at_us: i64,
    /// What.
    pub content: Content,
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A stride.
    Stride(Box<StrideRecord>),
    /// A second.
    Window(Window),
    /// A session that has ended, with its summary.
    Session(Box<SessionRow>, Vec<SummaryRow>),
    /// A sensor over ten seconds.
    Health(HealthRow),
    /// A flag on a day on which it changed.
    Flag(FlagChange),
}

/// The state of a flag at the end of a day on which it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagChange {
    /// The flag, by the id of the rules: `FS1`.
    pub flag: String,
    /// Its state by name, `not_enough_data` included.
    pub state: String,
    /// The rules that said so.
    pub rules_version: String,
}

/// A span of one athlete's points to remove at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Which points.
    pub measurement: Measurement,
    /// Whose.
    pub athlete: AthleteId,
    /// Of which session they were; none for flags.
    pub session: Option<SessionId>,
    /// From, UTC in µs.
    pub from_us: i64,
    /// To, not included.
    pub to_us: i64,
}

/// What comes next in the order of sending.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Nothing: the sink is in step.
    Nothing,
    /// Rows were handed over; when all are sent the sink stands here.
    Rows {
        /// Where it stands then.
        then: Position,
    },
    /// A deletion.
    Erase {
        /// What.
        erasure: Erasure,
        /// Where the sink stands when it is done.
        then: Position,
    },
}

/// A line that the other end refused, kept for people to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The entry it came from.
    pub seq: i64,
    /// Its session; none for flags.
    pub session: Option<SessionId>,
    /// The line, or what the deletion was.
    pub line: String,
    /// What the other end said.
    pub reason: String,
}

/// How a sink is doing, as the record knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkStatus {
    /// Its name.
    pub sink: SinkName,
    /// Where it sends to.
    pub target: String,
    /// How far it has come.
    pub position: Position,
    /// Entries still to send.
    pub waiting: u64,
    /// `new`, `in_step`, `sending`, `offline`, or why it pauses.
    pub state: String,
    /// What went wrong last.
    pub error: Option<String>,
    /// Lines sent since the sink is known.
    pub lines: u64,
    /// Lines refused and kept.
    pub rejects: u64,
    /// When this was noted, UTC in µs.
    pub updated_us: i64,
}
