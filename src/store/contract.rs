//! What every store promises.
//!
//! The two traits are the seam: the runtime hands the pipeline's output to a [`Store`], everything that shows or exports
//! sees only a [`History`]. The promises below are numbered; each is a test of the conformance suite, which runs for
//! every backend.
//!
//! 1. **Idempotent by key.** The same key with the same content, any number of times, in any batch shape or order,
//!    leaves one row. The same key with *different* content is [`StoreError::Conflict`]; the batch leaves nothing.
//!    Rows are immutable: new numbers belong to a new analysis.
//! 2. **Flush is durable.** When [`Store::flush`] returns `Ok`, every earlier append survives the death of the process,
//!    power loss as far as the disk obeys, and reopening. Without it a prefix of the appends may survive, never a row
//!    without those before it. When flush *fails*, everything since the last good flush is in doubt and refused until
//!    then: append it again, which promise 1 makes harmless.
//! 3. **Questions are half-open and ordered**: `[start, end)`, ascending by (time, side); an empty span is an empty
//!    answer, not an error.
//! 4. **A read sees whole batches**, and only those committed before it began.
//! 5. **Absence is absence**: what was not measured comes back as the reason why, zero is a value, and numbers that are
//!    not finite are refused by [`Batch`].
//! 6. **Time at rest** is integer microseconds in UTC: the session's start plus session time, rounded once, in [`Batch`].
//! 7. **Bounded answers**: every question has a limit; reaching it is `Truncated { resume_at }`, never a silently short
//!    answer.
//! 8. **Errors are typed**; no panics, no text to match.
//! 9. **No half-written session.** A session that its writer did not end is `recovered` when the store is next opened.
//!    Opening it again under the same id resumes it; closing it makes it whole.
//! 10. **Deleted is gone**: after [`Store::delete_session`] neither rows nor raw samples of the session remain.

use super::batch::Batch;
use super::error::StoreError;
use super::event::SessionEvent;
use super::ids::{SessionId, UtcMicros};
use super::query::{Bucket, BucketQuery, Page, RowQuery, SessionQuery};
use super::session::{Closing, SessionMeta, SessionRow};
use super::summary::SummaryRow;
use crate::metrics::StrideRecord;
use crate::model::Side;
use crate::pipeline::{Block, Window};

/// What a backend can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Keeps raw samples.
    pub raw: bool,
    /// Keeps text (notes, events).
    pub text: bool,
    /// Deletes a span of time.
    pub range_delete: bool,
    /// Notices the same key with different content.
    pub detects_conflict: bool,
    /// A reader sees a batch whole or not at all.
    pub atomic_batches: bool,
    /// Resolution of time, µs.
    pub time_unit_us: i64,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Rows that were new.
    pub new: usize,
    /// Rows that were there already with the same content.
    pub known: usize,
}

/// The receipt of a flush: everything appended before is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    /// New rows that this store has made durable since it was opened.
    pub rows: u64,
}

/// What opening a session met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Nothing; it begins now.
    New,
    /// A session that its writer did not end; it is open again.
    Resumed,
    /// The same session, open already.
    AlreadyOpen,
    /// The same session, ended properly.
    AlreadyClosed,
}

/// The receipt of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Strides, blocks, windows and events that were removed.
    pub rows: u64,
}

/// Takes rows; one writer. See the module's head for the promises.
pub trait Store: Send + Sync {
    /// What this backend can do.
    fn capabilities(&self) -> Capabilities;

    /// Begins a session, or finds it.
    ///
    /// # Errors
    /// `Conflict` when the id names a session with a different content; `Overlap` when another session of the athlete,
    /// both by a known clock, covers the start; `Rejected` for what no store may keep.
    fn open_session(&self, meta: &SessionMeta) -> Result<Opened, StoreError>;

    /// Takes a batch, whole or not at all. It is not durable before the next good [`Store::flush`].
    ///
    /// # Errors
    /// `Missing` for an unknown session; `Conflict`; `Full`; or, after a commit that failed, that failure until it has
    /// been collected by `flush`.
    fn append(&self, batch: Batch) -> Result<Appended, StoreError>;

    /// Makes everything appended so far durable and visible.
    ///
    /// # Errors
    /// When it fails, all appends since the last good flush are in doubt: append them again.
    fn flush(&self) -> Result<Durable, StoreError>;

    /// Ends a session: flushes, fixes its end and its current analysis, and computes its summary over strides of class
    /// A and B. Closing again, with another analysis too, replaces end and summary.
    ///
    /// # Errors
    /// `Missing` for an unknown session; `Conflict` when the analysis was recorded with another version or parameters.
    fn close_session(&self, session: &SessionId, closing: &Closing) -> Result<SessionRow, StoreError>;

    /// Removes a session, its rows and its raw samples. What other programs copied is out of reach.
    ///
    /// # Errors
    /// `Missing` for an unknown session.
    fn delete_session(&self, session: &SessionId) -> Result<Deleted, StoreError>;
}

/// Answers questions; many readers.
pub trait History: Send + Sync {
    /// Sessions by start.
    ///
    /// # Errors
    /// `Corrupt`, `Busy` or `Unavailable`, as for all questions below.
    fn sessions(&self, query: &SessionQuery) -> Result<Page<SessionRow, UtcMicros>, StoreError>;

    /// One session; `None` when there is none of that id.
    fn session(&self, session: &SessionId) -> Result<Option<SessionRow>, StoreError>;

    /// Strides by start, then side.
    ///
    /// # Errors
    /// `Missing` when there is no such session, as for all questions about rows of a session.
    fn strides(&self, query: &RowQuery) -> Result<Page<StrideRecord>, StoreError>;

    /// Blocks by start, then side.
    fn blocks(&self, query: &RowQuery) -> Result<Page<Block>, StoreError>;

    /// Windows by their end.
    fn windows(&self, query: &RowQuery) -> Result<Page<Window>, StoreError>;

    /// Events by [`SessionEvent::time`].
    fn events(&self, query: &RowQuery) -> Result<Page<SessionEvent>, StoreError>;

    /// Strides condensed to buckets.
    fn buckets(&self, query: &BucketQuery) -> Result<Page<Bucket>, StoreError>;

    /// The latest stride of a side (`None`: whose side is unknown) in the current analysis.
    fn latest(&self, session: &SessionId, side: Option<Side>) -> Result<Option<StrideRecord>, StoreError>;

    /// What the session amounts to, one row a metric and side that has values, in the order of the registry; empty until
    /// the session is closed or recovered.
    fn summary(&self, session: &SessionId) -> Result<Vec<SummaryRow>, StoreError>;
}
