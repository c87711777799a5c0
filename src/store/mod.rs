//! What lope measures, kept on the runner's own disk.
//!
//! A [`Store`] takes what the pipeline says; a [`History`] gives it back to views, reports and exports. Two backends keep
//! one contract (see [`contract`]): [`sqlite`] is the record, one database file that other programs may read while it is
//! being written, and [`memory`] is the test double, stricter than the real one. Raw samples live beside the record, one
//! file a session ([`raw`]), so that keeping or forgetting them never rewrites the record.
//!
//! The traits are plain blocking calls: the embedded backend blocks anyway, and the seam to async tasks belongs to
//! `runtime` (ADR 6).
//!
//! Deliberately absent: a wall clock (callers say when a session began), a default path (callers say where), and any
//! opinion about gait.

pub mod access;
pub mod batch;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod conformance_model;
pub mod contract;
pub mod csv;
pub mod downsample;
pub mod error;
pub mod event;
#[cfg(test)]
mod fixture;
pub mod health;
pub mod ids;
#[cfg(feature = "influx")]
pub mod influx;
pub mod journal;
pub mod mark;
pub mod memory;
pub mod outbox;
pub(crate) mod pages;
mod private;
pub mod query;
pub mod raw;
pub mod series;
pub mod session;
pub mod sqlite;
pub mod summary;

pub use batch::Batch;
pub use contract::{Appended, Capabilities, Deleted, Durable, History, Opened, Store};
pub use error::{Holder, StoreError};
pub use event::SessionEvent;
pub use health::{HealthRow, HealthSeries, LinkHealth};
pub use ids::{AthleteId, SessionId, UtcMicros};
pub use mark::{Mark, MarkKind, ends_lap};
pub use memory::{MemoryDisk, MemoryStore};
pub use outbox::{SinkName, SinkStatus};
pub use query::{Bucket, BucketQuery, BucketValue, Completeness, Page, RowQuery, SessionQuery, SideFilter};
pub use series::{Aggregate, SeriesBucket, SeriesHistory, SeriesQuery};
pub use session::{Closing, Origin, SensorOutcome, SessionMeta, SessionRow, SessionState, WallClock};
pub use sqlite::{SqliteAccess, SqliteJournal, SqliteReader, SqliteStore};
pub use summary::{SideScope, SummaryRow};
