//! What people say, beside what sensors measure: who runs, in which shoes, on which ground, how the back felt.
//!
//! Everything here is an [`Entry`]: made by a person or read from a file, about one athlete and one local day, with an id
//! that its maker chose, so that sending it twice is harmless. An entry can be corrected; what it said before is kept
//! ([`Journal::past`]). Nothing here is ever guessed: what was not answered is `None`, never 0.
//!
//! Deliberately absent: what the answers mean. Flags read them through `risk`, in windows that the rule file defines.

mod bodies;
mod entry;
mod verdict;

pub use bodies::{
    Activity, ActivityKind, ActivitySource, AthleteFacts, BodyTest, CheckIn, ClinicianNote, Consent, FlagAction,
    FlagActionKind, Ground, GroundKm, Onset, Purpose, QuestionnaireScore, Restart, RunKind, SessionNote, Sex,
    ShoeCheck, ShoeFacts, Weekly,
};
pub use entry::{Body, Day, Entry, EntryId, Kind, Score};
pub use verdict::StrideVerdict;
pub(in crate::store) use verdict::covers;

use super::error::StoreError;
use super::ids::{AthleteId, UtcMicros};

/// Which entries are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryQuery {
    /// Of one athlete, or of all.
    pub athlete: Option<AthleteId>,
    /// Of these kinds; of all where empty.
    pub kinds: Vec<Kind>,
    /// From this day on.
    pub from: Option<Day>,
    /// Up to this day, included.
    pub to: Option<Day>,
}

/// An entry as it was before it was corrected or taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct PastEntry {
    /// What it said.
    pub entry: Entry,
    /// Its number among the versions of this entry, from 1.
    pub revision: u32,
    /// When it was replaced or taken back.
    pub until: UtcMicros,
}

/// What became of an entry that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is new.
    New,
    /// The same was there already; nothing changed.
    Known,
    /// It replaced what it said before, which is kept.
    Corrected,
}

/// What keeps entries.
///
/// Promises: putting the same entry again changes nothing; a correction keeps what was said before; entries come back
/// ordered by (day, instant, id); a put that returned is durable.
pub trait Journal: Send + Sync {
    /// Keeps an entry; `now` is the caller's clock, noted with corrections.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for an entry that says something impossible, [`StoreError::Conflict`] when the id belongs to
    /// an entry of another kind, and those of the disk.
    fn put(&self, entry: &Entry, now: UtcMicros) -> Result<Put, StoreError>;

    /// Takes an entry back; `false` when there was none. What it said is kept among the past ones until the athlete is
    /// forgotten.
    ///
    /// # Errors
    /// Those of the disk.
    fn take_back(&self, athlete: &AthleteId, id: &EntryId, now: UtcMicros) -> Result<bool, StoreError>;

    /// The entries that a question names, ordered by (day, instant, id).
    ///
    /// # Errors
    /// Those of the disk.
    fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError>;

    /// One entry.
    ///
    /// # Errors
    /// Those of the disk.
    fn entry(&self, athlete: &AthleteId, id: &EntryId) -> Result<Option<Entry>, StoreError>;

    /// What an entry said before, oldest first.
    ///
    /// # Errors
    /// Those of the disk.
    fn past(&self, athlete: &AthleteId, id: &EntryId) -> Result<Vec<PastEntry>, StoreError>;
}
