//! What runs amount to, kept beside their strides: a season is then read without its millions of strides.
//!
//! Rows are derived: they can be thrown away at any time, and a row of another version of the computation is passed over
//! and replaced. Like the journal this has a connection of its own with short transactions. The body is text whose shape is
//! the affair of who computes it.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, SessionId};
use super::{SqliteStore, schema};
use rusqlite::{Connection, OptionalExtension as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Opens the companion connection of the record in `dir`, making or migrating the record where needed.
pub(super) fn companion(dir: &Path, command: &str) -> Result<Mutex<Connection>, StoreError> {
    let conn = match schema::open_companion(dir) {
        Err(StoreError::Missing { .. }) => {
            drop(SqliteStore::open(dir, command)?);
            schema::open_companion(dir)?
        }
        other => other?,
    };
    Ok(Mutex::new(conn))
}

/// What one session amounts to, as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRun {
    /// The session.
    pub session: SessionId,
    /// The analysis it was computed from.
    pub analysis: u32,
    /// JSON.
    pub body: String,
}

/// The table of run values in one folder.
#[derive(Debug)]
pub struct SqliteRunValues {
    conn: Mutex<Connection>,
}

impl SqliteRunValues {
    /// Opens it in the data folder `dir`.
    ///
    /// # Errors
    /// As [`super::SqliteJournal::open`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            conn: companion(dir, "lope (run values)")?,
        })
    }

    fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept of one session's current analysis under this version.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn get(&self, session: &SessionId, version: u32) -> Result<Option<KeptRun>, StoreError> {
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(
            "SELECT s.session_id, r.analysis, r.body FROM run_values r JOIN sessions s USING (session_no)
             WHERE s.session_id = ?1 AND r.analysis = s.current_analysis AND r.version = ?2",
        )?;
        stmt.query_row((session.as_str(), version), row).optional()?.transpose()
    }

    /// What is kept of the current analyses of an athlete's sessions under this version, by start.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn of_athlete(&self, athlete: &AthleteId, version: u32) -> Result<Vec<KeptRun>, StoreError> {
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(
            "SELECT s.session_id, r.analysis, r.body FROM sessions s CROSS JOIN run_values r
             ON r.session_no = s.session_no AND r.analysis = s.current_analysis AND r.version = ?2
             WHERE s.athlete_id = ?1 ORDER BY s.start_us, s.session_id",
        )?;
        let rows = stmt.query_map((athlete.as_str(), version), row)?;
        rows.map(|r| r?).collect()
    }

    /// Keeps what a session amounts to; other versions and analyses of the session go. Keeping the same again changes
    /// nothing. A session that is gone is passed over.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn keep(&self, run: &KeptRun, version: u32) -> Result<(), StoreError> {
        let mut conn = self.conn();
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let no: Option<i64> = tx
            .query_row(
                "SELECT session_no FROM sessions WHERE session_id = ?1",
                [run.session.as_str()],
                |r| r.get(0),
            )
            .optional()?;
        if let Some(no) = no {
            tx.execute(
                "DELETE FROM run_values WHERE session_no = ?1 AND (analysis <> ?2 OR version <> ?3)",
                (no, run.analysis, version),
            )?;
            tx.execute(
                "INSERT INTO run_values (session_no, analysis, version, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (session_no, analysis, version) DO UPDATE SET body = excluded.body WHERE body <> excluded.body",
                (no, run.analysis, version, &run.body),
            )?;
        }
        tx.commit()?;
        Ok(())
    }
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<KeptRun, StoreError>> {
    let (session, analysis, body): (String, u32, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(SessionId::parse(&session).map(|session| KeptRun {
        session,
        analysis,
        body,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;
    use crate::store::Store as _;

    #[test]
    fn one_row_a_session_under_one_version_and_none_without_a_session() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(dir.path(), "test").expect("store");
        fixture::open(&store, "s1");
        store.flush().expect("flush");
        let runs = SqliteRunValues::open(dir.path()).expect("opens beside the writer");
        let kept = |id: &str, body: &str| KeptRun {
            session: SessionId::parse(id).expect("id"),
            analysis: 1,
            body: body.to_owned(),
        };
        runs.keep(&kept("s1", "{\"a\":1}"), 1).expect("keep");
        runs.keep(&kept("s1", "{\"a\":1}"), 1).expect("the same");
        runs.keep(&kept("gone", "{}"), 1).expect("passed over");
        let anna = AthleteId::parse("anna").expect("id");
        assert_eq!(runs.of_athlete(&anna, 1), Ok(vec![kept("s1", "{\"a\":1}")]));
        assert_eq!(runs.of_athlete(&anna, 2), Ok(vec![]));
        runs.keep(&kept("s1", "{\"a\":2}"), 2).expect("keep");
        let s1 = SessionId::parse("s1").expect("id");
        assert_eq!(runs.get(&s1, 1), Ok(None));
        assert_eq!(runs.get(&s1, 2), Ok(Some(kept("s1", "{\"a\":2}"))));
        store.delete_session(&s1).expect("delete");
        assert_eq!(runs.of_athlete(&anna, 2), Ok(vec![]));
    }
}
