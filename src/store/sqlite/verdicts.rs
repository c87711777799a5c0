//! What people said about strides, laid over the rows when they are read, and what is derived from strides made anew
//! when somebody says so.
//!
//! Rows of strides are never changed. A verdict stands in the journal; whoever reads strides through the record finds
//! `marked_bad` set on those that it is about. Summaries that are kept are computed again in the transaction that keeps
//! the verdict, so that no reader finds one without the other.

use super::super::error::StoreError;
use super::super::ids::SessionId;
use super::super::journal::{Body, StrideVerdict, covers};
use super::read::{self, SessionKey};
use super::schema::Columns;
use super::{outbox, write};
use crate::metrics::StrideRecord;
use crate::model::Side;
use rusqlite::{Connection, OptionalExtension as _};

/// µs of a day.
const DAY_US: i64 = 86_400_000_000;

/// Places of strides of one session that are marked as bad: side, begin and duration, µs since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MarkedBad(Vec<(Option<Side>, i64, i64)>);

impl MarkedBad {
    /// Those of a session. A record of an older layout has no journal, and none.
    pub(super) fn of(conn: &Connection, key: SessionKey) -> Result<Self, StoreError> {
        let has_journal: bool = conn
            .prepare_cached("SELECT count(*) FROM sqlite_master WHERE name = 'journal'")?
            .query_row([], |r| r.get(0))?;
        if !has_journal {
            return Ok(Self::default());
        }
        // By day, because that is the journal's index; the day is the runner's, so one to either side.
        let mut stmt = conn.prepare_cached(&format!(
            "SELECT s.session_id, j.body FROM sessions s JOIN journal j ON j.athlete_id = s.athlete_id
             WHERE s.session_no = ?1 AND j.kind = 'stride_verdict'
               AND j.day BETWEEN s.start_us / {DAY_US} - 1 AND (s.start_us + coalesce(s.stop_us, 366 * {DAY_US})) / {DAY_US} + 1"
        ))?;
        let mut rows = stmt.query([key.no])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (session, body): (String, String) = (row.get(0)?, row.get(1)?);
            let body: Body = serde_json::from_str(&body).map_err(|e| StoreError::Corrupt {
                detail: format!("what was said about a stride of {session}: {e}"),
            })?;
            if let Body::StrideVerdict(v) = body
                && v.bad
                && v.session.as_str() == session
            {
                found.push((v.side, v.t_us, v.duration_us));
            }
        }
        Ok(Self(found))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a stride is among them; µs since the start of the session.
    pub(super) fn has(&self, side: Option<Side>, from_us: i64, duration_us: i64) -> bool {
        self.0.iter().any(|place| covers(*place, (side, from_us, duration_us)))
    }

    /// Sets the mark of those that are.
    pub(super) fn mark(&self, records: &mut [StrideRecord]) {
        if self.is_empty() {
            return;
        }
        for record in records {
            let (side, from, duration) = StrideVerdict::place_of(&record.stride);
            record.stride.flags.marked_bad = self.has(side, from, duration);
        }
    }
}

/// Makes anew what is derived from the strides of a session, after something was said about one of them. Of a session that
/// is open, or not there (yet), nothing is kept that could be wrong.
pub(super) fn heard(conn: &Connection, session: &SessionId) -> Result<(), StoreError> {
    let state: Option<String> = conn
        .query_row(
            "SELECT state FROM sessions WHERE session_id = ?1",
            [session.as_str()],
            |r| r.get(0),
        )
        .optional()?;
    let Some(state) = state else { return Ok(()) };
    let key = read::session_key(conn, session)?;
    conn.execute("DELETE FROM run_values WHERE session_no = ?1", [key.no])?;
    if state == "open" {
        return Ok(());
    }
    write::summary(conn, &Columns::load(conn)?, key, session)?;
    outbox::summary_changed(conn, key.no, key.current_analysis)
}
