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

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::super::super::journal::{Day, Entry, Journal as _, Put};
    use super::super::super::query::{BucketQuery, RowQuery, SideFilter};
    use super::super::super::{AthleteId, Batch, History as _, SideScope, Store as _, UtcMicros};
    use super::super::{KeptRun, SqliteJournal, SqliteRunValues, SqliteStore};
    use super::*;
    use crate::metrics::MetricId;

    const NOW: UtcMicros = UtcMicros::from_micros(1_772_400_000_000_000);

    fn said(record: &StrideRecord, bad: bool, shift_us: i64) -> Entry {
        let (side, t_us, duration_us) = StrideVerdict::place_of(&record.stride);
        let session = fixture::session("s1");
        let start = fixture::meta("s1").start;
        Entry {
            id: StrideVerdict::entry_id(&session, side, t_us).expect("an id"),
            athlete: AthleteId::parse("anna").expect("id"),
            day: Day::of_utc(start),
            at: UtcMicros::from_micros(start.micros() + t_us),
            body: Body::StrideVerdict(StrideVerdict {
                session,
                side,
                t_us: t_us + shift_us,
                duration_us,
                bad,
                by: "kim".to_owned(),
                role: "coach".to_owned(),
                said_us: NOW.micros(),
                note: None,
            }),
        }
    }

    /// A closed session of left strides whose classes vary, and one of them that counts.
    fn kept() -> (
        tempfile::TempDir,
        SqliteStore,
        SqliteJournal,
        Vec<StrideRecord>,
        StrideRecord,
    ) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(dir.path(), "test").expect("store");
        fixture::open(&store, "s1");
        let strides: Vec<StrideRecord> = (0..40).map(|n| fixture::stride(n, Some(Side::Left))).collect();
        append(&store, 1, &strides);
        store
            .close_session(&fixture::session("s1"), &fixture::closing(1))
            .expect("closed");
        let journal = SqliteJournal::open(dir.path()).expect("journal");
        let one = strides
            .iter()
            .find(|r| r.counts() && r.metrics.value(MetricId::Cadence).is_some())
            .expect("some stride counts")
            .clone();
        (dir, store, journal, strides, one)
    }

    fn append(store: &SqliteStore, analysis: u32, strides: &[StrideRecord]) {
        let mut batch = Batch::new(fixture::session("s1"), analysis);
        for record in strides {
            batch.push_stride(record).expect("sound");
        }
        store.append(batch).expect("kept");
        store.flush().expect("durable");
    }

    fn marked(store: &SqliteStore) -> Vec<u32> {
        let rows = store
            .strides(&RowQuery::all(fixture::session("s1")))
            .expect("strides")
            .rows;
        rows.iter()
            .filter(|r| r.stride.flags.marked_bad)
            .map(|r| r.index)
            .collect()
    }

    fn cadences(store: &SqliteStore) -> u32 {
        let rows = store.summary(&fixture::session("s1")).expect("a summary");
        let row = rows
            .iter()
            .find(|r| r.metric == MetricId::Cadence && r.side == SideScope::Both);
        row.map_or(0, |r| r.n)
    }

    #[test]
    fn a_marked_stride_stays_and_leaves_every_average_until_it_is_taken_back() {
        let (dir, store, journal, strides, one) = kept();
        let s1 = fixture::session("s1");
        let runs = SqliteRunValues::open(dir.path()).expect("run values");
        let keep_run = || {
            let (session, body) = (s1.clone(), "{}".to_owned());
            runs.keep(
                &KeptRun {
                    session,
                    analysis: 1,
                    body,
                },
                1,
            )
            .expect("keeps");
        };
        let summary = store.summary(&s1).expect("a summary");
        let n = cadences(&store);
        keep_run();
        assert_eq!(journal.put(&said(&one, true, 0), NOW), Ok(Put::New));
        assert_eq!(marked(&store), [one.index]);
        assert_eq!(cadences(&store), n - 1);
        assert_eq!(runs.get(&s1, 1), Ok(None), "what the run amounts to is computed anew");
        let rows = store.strides(&RowQuery::all(s1.clone())).expect("strides").rows;
        assert_eq!(rows.len(), strides.len(), "it is kept");
        let found = rows.iter().find(|r| r.index == one.index).expect("it is there");
        assert_eq!(
            (&found.metrics, found.class),
            (&one.metrics, one.class),
            "as it was measured"
        );
        // At rest it is the row that it was: sending it again is no conflict.
        append(&store, 1, std::slice::from_ref(&one));
        keep_run();
        assert_eq!(journal.put(&said(&one, false, 0), NOW), Ok(Put::Corrected));
        assert_eq!(marked(&store), [0_u32; 0]);
        assert_eq!(store.summary(&s1), Ok(summary.clone()));
        assert_eq!(runs.get(&s1, 1), Ok(None));
        journal.put(&said(&one, true, 0), NOW).expect("marked again");
        assert_ne!(store.summary(&s1), Ok(summary.clone()));
        let id = said(&one, true, 0).id;
        let anna = AthleteId::parse("anna").expect("id");
        assert_eq!(journal.take_back(&anna, &id, NOW), Ok(true));
        assert_eq!(store.summary(&s1), Ok(summary));
    }

    #[test]
    fn buckets_go_without_it() {
        let (_dir, store, journal, _, one) = kept();
        let buckets = |store: &SqliteStore| {
            let page = store.buckets(&BucketQuery {
                rows: RowQuery {
                    side: SideFilter::Only(Side::Left),
                    ..RowQuery::all(fixture::session("s1"))
                },
                metrics: vec![MetricId::Cadence],
                width_us: 3_600_000_000,
            });
            page.expect("buckets").rows.iter().map(|b| b.strides).sum::<u32>()
        };
        let before = buckets(&store);
        journal.put(&said(&one, true, 0), NOW).expect("marked");
        assert_eq!(buckets(&store), before - 1);
    }

    #[test]
    fn another_analysis_hears_it_too() {
        let (_dir, store, journal, mut strides, one) = kept();
        // The new analysis puts every stride 30 ms earlier, and counts them from 100.
        journal.put(&said(&one, true, 30_000), NOW).expect("marked");
        assert_eq!(marked(&store), [one.index]);
        for record in &mut strides {
            record.index += 100;
        }
        append(&store, 2, &strides);
        store
            .close_session(&fixture::session("s1"), &fixture::closing(2))
            .expect("closed again");
        assert_eq!(marked(&store), [one.index + 100]);
    }

    #[test]
    fn a_verdict_about_a_session_that_is_not_there_is_kept_and_heard_when_it_comes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let journal = SqliteJournal::open(dir.path()).expect("journal");
        let one = fixture::stride(3, Some(Side::Left));
        journal.put(&said(&one, true, 0), NOW).expect("kept");
        let store = SqliteStore::open(dir.path(), "test").expect("store");
        fixture::open(&store, "s1");
        append(&store, 1, std::slice::from_ref(&one));
        assert_eq!(marked(&store), [one.index]);
    }
}
