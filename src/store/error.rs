//! What can go wrong with a store, typed: callers decide by variant, never by matching text.
//!
//! The variants are the same for every backend. Details of the engine underneath travel as text inside them, for people.

use super::ids::SessionId;
use std::path::PathBuf;
use std::time::Duration;

/// The process that holds a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// What it was started as, in its own words.
    pub command: String,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the store, or the database stayed locked for longer than five seconds.
    #[error("the store is in use{}", .holder.as_ref().map(|h| format!(" by process {} ({})", h.pid, h.command)).unwrap_or_default())]
    Busy {
        /// Who, where it is known.
        holder: Option<Holder>,
    },
    /// No room on the disk. Nothing of the refused call is kept.
    #[error("no room left on the disk: {detail}")]
    Full {
        /// What the engine said.
        detail: String,
    },
    /// What is on the disk is not what was written, or was never a store of lope.
    #[error("the store is damaged or not a lope store: {detail}")]
    Corrupt {
        /// What was found.
        detail: String,
    },
    /// The key exists with a different content. Rows are immutable: new numbers belong to a new analysis.
    #[error("{key} exists already with a different content")]
    Conflict {
        /// The key, as a person reads it.
        key: String,
    },
    /// A session of the same athlete covers that time already.
    #[error("it overlaps the session {other} of the same athlete")]
    Overlap {
        /// The other session.
        other: SessionId,
    },
    /// The store was written by a newer version of lope.
    #[error("the store has layout {found}, this program knows up to {known}: use a newer lope")]
    TooNew {
        /// Layout found.
        found: u32,
        /// Newest layout this program knows.
        known: u32,
    },
    /// Not reachable now; worth trying again.
    #[error("the store cannot be reached: {detail}")]
    Unavailable {
        /// When to try again, where that is known.
        retry_after: Option<Duration>,
        /// What happened.
        detail: String,
    },
    /// A row that no store may keep: a number that is not finite, an instant out of range, a malformed id.
    #[error("{row} is refused: {why}")]
    Rejected {
        /// The row, as a person reads it.
        row: String,
        /// Why.
        why: String,
    },
    /// What was asked for is not there.
    #[error("there is no {what}")]
    Missing {
        /// What was looked for.
        what: String,
    },
    /// A file could not be read or written.
    #[error("{}: {detail}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl StoreError {
    /// A refusal of `row` because of `why`.
    pub(crate) fn rejected(row: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Rejected {
            row: row.into(),
            why: why.into(),
        }
    }

    /// The error of a file operation; a full disk keeps its own variant.
    pub(crate) fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full {
                detail: format!("{}: {error}", path.display()),
            },
            _ => Self::Io {
                path: path.to_path_buf(),
                detail: error.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_store_says_who_holds_it() {
        let error = StoreError::Busy {
            holder: Some(Holder {
                pid: 42,
                command: "lope record".into(),
            }),
        };
        assert_eq!(error.to_string(), "the store is in use by process 42 (lope record)");
        assert_eq!(StoreError::Busy { holder: None }.to_string(), "the store is in use");
    }
}
