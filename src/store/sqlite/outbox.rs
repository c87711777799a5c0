//! The writer's side of the outbox: entries come into being in the transaction that makes the rows.
//!
//! Entries are made only while a sink is known, and only for sessions whose start is a reading of a clock: a sink tells
//! sessions of one athlete apart by time, and times that stand for nothing would lie over each other.

use super::super::error::StoreError;
use super::super::outbox::{Measurement, SinkName};
use super::read::SessionKey;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// Entries of one session beyond which they are replaced by one for the whole session when it ends. A sink that is
/// ten minutes behind gains nothing from knowing the order of the seconds.
const ENTRIES_MAX: i64 = 1000;

/// New rows of the open transaction: a span for each session, analysis and kind.
#[derive(Debug, Default)]
pub(crate) struct Fresh(BTreeMap<(i64, u32, Measurement), (i64, i64)>);

impl Fresh {
    /// Notes rows at these instants (UTC, µs).
    pub(crate) fn note(
        &mut self,
        key: SessionKey,
        analysis: u32,
        measurement: Measurement,
        times: impl Iterator<Item = i64>,
    ) {
        for t in times {
            let span = self.0.entry((key.no, analysis, measurement)).or_insert((t, t + 1));
            span.0 = span.0.min(t);
            span.1 = span.1.max(t + 1);
        }
    }

    /// Forgets them: their transaction is lost.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Makes the entries, inside the transaction that makes the rows.
    pub(crate) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        while let Some(((no, analysis, measurement), span)) = self.0.pop_first() {
            put(conn, no, analysis, measurement, span, None)?;
        }
        Ok(())
    }
}

/// An entry for rows in `[from, to)`.
fn put(
    conn: &Connection,
    no: i64,
    analysis: u32,
    measurement: Measurement,
    (from, to): (i64, i64),
    sink: Option<&SinkName>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO outbox (sink, op, athlete_id, session_id, analysis, measurement, from_us, to_us)
         SELECT ?1, 'put', athlete_id, session_id, ?3, ?4, ?5, ?6 FROM sessions
         WHERE session_no = ?2 AND wall_clock = 'known' AND EXISTS (SELECT 1 FROM sink_cursors)",
    )?
    .execute(params![
        sink.map(SinkName::as_str),
        no,
        analysis,
        measurement.name(),
        from,
        to
    ])
    .map(drop)
}

/// Span of the rows of an analysis; `None` when there are none.
fn span(conn: &Connection, no: i64, analysis: u32, measurement: Measurement) -> rusqlite::Result<Option<(i64, i64)>> {
    let sql = match measurement {
        Measurement::Stride => "SELECT min(t_us), max(t_us) + 1 FROM strides WHERE session_no = ?1 AND analysis = ?2",
        Measurement::Window => "SELECT min(t_us), max(t_us) + 1 FROM windows WHERE session_no = ?1 AND analysis = ?2",
        Measurement::Session => {
            "SELECT start_us, start_us + 1 FROM sessions WHERE session_no = ?1 AND ?2 = ?2 AND state <> 'open'"
        }
        Measurement::Health => "SELECT min(t_us), max(t_us) + 1 FROM sensor_health WHERE session_no = ?1 AND ?2 = ?2",
        // Flags are no part of a session.
        Measurement::Flag => return Ok(None),
    };
    let found: Option<(Option<i64>, Option<i64>)> = conn
        .prepare_cached(sql)?
        .query_row(params![no, analysis], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(from, to)| from.zip(to)))
}

/// Entries for everything there is of a session.
pub(crate) fn put_all(conn: &Connection, no: i64, analysis: u32, sink: Option<&SinkName>) -> Result<(), StoreError> {
    for measurement in Measurement::OF_SESSIONS {
        if let Some(span) = span(conn, no, analysis, measurement)? {
            put(conn, no, analysis, measurement, span, sink)?;
        }
    }
    Ok(())
}

/// Entries that remove what was sent of an analysis.
pub(crate) fn delete_all(conn: &Connection, no: i64, analysis: u32) -> Result<(), StoreError> {
    for measurement in Measurement::OF_SESSIONS {
        delete(conn, no, analysis, measurement)?;
    }
    conn.execute(
        "DELETE FROM sink_rejects WHERE session_id = (SELECT session_id FROM sessions WHERE session_no = ?1)",
        [no],
    )?;
    Ok(())
}

/// An entry that removes what was sent of one kind.
fn delete(conn: &Connection, no: i64, analysis: u32, measurement: Measurement) -> Result<(), StoreError> {
    if let Some((from, to)) = span(conn, no, analysis, measurement)? {
        conn.prepare_cached(
            "INSERT INTO outbox (op, athlete_id, session_id, analysis, measurement, from_us, to_us)
             SELECT 'delete', athlete_id, session_id, ?2, ?3, ?4, ?5 FROM sessions
             WHERE session_no = ?1 AND wall_clock = 'known' AND EXISTS (SELECT 1 FROM sink_cursors)",
        )?
        .execute(params![no, analysis, measurement.name(), from, to])?;
    }
    Ok(())
}

/// The health of a session's sensors is about to be replaced.
pub(crate) fn health_gone(conn: &Connection, key: SessionKey) -> Result<(), StoreError> {
    delete(conn, key.no, key.current_analysis, Measurement::Health)
}

/// The health of a session's sensors came.
pub(crate) fn health_came(conn: &Connection, key: SessionKey) -> Result<(), StoreError> {
    if let Some(at) = span(conn, key.no, key.current_analysis, Measurement::Health)? {
        put(conn, key.no, key.current_analysis, Measurement::Health, at, None)?;
    }
    Ok(())
}

/// A session has ended, under `analysis`; `before` is the analysis that was shown until then.
pub(crate) fn ended(conn: &Connection, no: i64, before: u32, analysis: u32) -> Result<(), StoreError> {
    if before != analysis {
        delete_all(conn, no, before)?;
        return put_all(conn, no, analysis, None);
    }
    let entries: i64 = conn.query_row(
        "SELECT count(*) FROM outbox WHERE session_id = (SELECT session_id FROM sessions WHERE session_no = ?1)",
        [no],
        |row| row.get(0),
    )?;
    if entries > ENTRIES_MAX {
        conn.execute(
            "DELETE FROM outbox WHERE op = 'put' AND sink IS NULL
               AND session_id = (SELECT session_id FROM sessions WHERE session_no = ?1)",
            [no],
        )?;
        return put_all(conn, no, analysis, None);
    }
    summary_changed(conn, no, analysis)
}

/// The summary of a session changed after its end.
pub(crate) fn summary_changed(conn: &Connection, no: i64, analysis: u32) -> Result<(), StoreError> {
    match span(conn, no, analysis, Measurement::Session)? {
        Some(at) => Ok(put(conn, no, analysis, Measurement::Session, at, None)?),
        None => Ok(()),
    }
}

/// A session is about to be removed: what was sent of it goes too, what was not is not sent.
pub(crate) fn removed(conn: &Connection, key: SessionKey) -> Result<(), StoreError> {
    conn.execute(
        "DELETE FROM outbox WHERE op = 'put'
           AND session_id = (SELECT session_id FROM sessions WHERE session_no = ?1)",
        [key.no],
    )?;
    delete_all(conn, key.no, key.current_analysis)
}
