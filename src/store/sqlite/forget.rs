//! Forgetting an athlete whole.
//!
//! Raw samples go first: while the rows stand, a forgetting that was interrupted can be begun again. Then the rows of every
//! table, with entries in the outbox that tell each copy to forget as well. Deleted content is zeroed by the engine
//! (`secure_delete`), the log is emptied and the file rebuilt, so that nothing stays in free pages.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, SessionId};
use super::super::raw;
use super::{flag_copies, outbox, read, write};
use rusqlite::Connection;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What was forgotten, and what lope cannot reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Sessions.
    pub sessions: u64,
    /// Strides, as far as they were counted.
    pub strides: u64,
    /// Rows of strides, blocks, windows and events.
    pub rows: u64,
    /// Raw files and link logs.
    pub raw_files: u64,
    /// Entries of the journal, earlier versions included.
    pub entries: u64,
    /// States, summaries and inputs of flags.
    pub flag_rows: u64,
    /// Tokens and shares that named the athlete.
    pub tokens: u64,
    /// Lines of the log of accesses.
    pub log_lines: u64,
    /// Copies of older layouts that lay beside the record.
    pub old_copies: u64,
    /// Sinks that will be told to delete when they are next in step.
    pub sinks: Vec<String>,
}

impl Forgotten {
    /// Whether there was nothing of that athlete.
    #[must_use]
    pub fn nothing(&self) -> bool {
        self.sessions + self.entries + self.flag_rows == 0
    }
}

/// Sessions of an athlete.
pub(super) fn sessions_of(conn: &Connection, athlete: &AthleteId) -> Result<Vec<SessionId>, StoreError> {
    let mut stmt = conn.prepare("SELECT session_id FROM sessions WHERE athlete_id = ?1 ORDER BY session_no")?;
    let rows = stmt.query_map([athlete.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|row| SessionId::parse(&row?)).collect()
}

/// Erases raw samples and link logs; says how many files there were.
pub(super) fn erase_raw(dir: &Path, sessions: &[SessionId]) -> Result<u64, StoreError> {
    let mut files = 0;
    for session in sessions {
        let there = [raw::path_of(dir, session), raw::links_path_of(dir, session)];
        files += there.iter().filter(|p| p.exists()).count() as u64;
        raw::erase(dir, session)?;
    }
    Ok(files)
}

/// Removes every row about the athlete, inside the caller's transaction.
pub(super) fn delete_rows(
    conn: &Connection,
    athlete: &AthleteId,
    sessions: &[SessionId],
) -> Result<Forgotten, StoreError> {
    let mut gone = Forgotten::default();
    for session in sessions {
        let key = read::session_key(conn, session)?;
        let strides: Option<i64> =
            conn.query_row("SELECT strides FROM sessions WHERE session_no = ?1", [key.no], |row| {
                row.get(0)
            })?;
        gone.strides += strides.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        outbox::removed(conn, key)?;
        gone.rows += write::delete(conn, key)?;
        gone.sessions += 1;
    }
    let remove = |table: &str| -> Result<u64, StoreError> {
        let sql = format!("DELETE FROM {table} WHERE athlete_id = ?1");
        Ok(conn.execute(&sql, [athlete.as_str()])? as u64)
    };
    gone.entries = remove("journal")? + remove("journal_past")?;
    gone.flag_rows = remove("flag_states")? + remove("flag_summaries")? + remove("flag_inputs")?;
    gone.flag_rows += flag_copies::forget(conn, athlete)?;
    gone.log_lines = remove("access_log")?;
    // A scope is JSON in which an athlete stands as a text of its own.
    let named = format!("%\"{}\"%", athlete.as_str().replace('_', "\\_"));
    gone.tokens = conn.execute("DELETE FROM tokens WHERE scope LIKE ?1 ESCAPE '\\'", [&named])? as u64;
    let mut stmt = conn.prepare("SELECT sink FROM sink_cursors ORDER BY sink")?;
    let sinks = stmt.query_map([], |row| row.get(0))?;
    gone.sinks = sinks.collect::<Result<_, _>>()?;
    if gone.sessions + gone.flag_rows == 0 {
        gone.sinks.clear();
    }
    Ok(gone)
}

/// Removes the copies that a change of layout left beside the record: the athlete stands in them too.
pub(super) fn remove_old_copies(dir: &Path) -> Result<u64, StoreError> {
    let entries = std::fs::read_dir(dir).map_err(|e| StoreError::io(dir, &e))?;
    let old = |path: &PathBuf| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        name.starts_with(super::RECORD_FILE) && name.contains(".bak")
    };
    let mut gone = 0;
    for path in entries.filter_map(|e| e.ok().map(|e| e.path())).filter(old) {
        raw::erase_file(&path)?;
        gone += 1;
    }
    Ok(gone)
}
