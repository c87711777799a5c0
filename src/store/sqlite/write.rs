//! Rows as SQL: one statement a kind, one comparison when a key is there already.
//!
//! An insert that meets its key does nothing and is then compared with what stands there: the usual case, a new row,
//! costs one statement, and only a repeated one is read.

use super::super::batch::{Batch, micros_of, stride_key};
use super::super::contract::Appended;
use super::super::error::StoreError;
use super::super::ids::SessionId;
use super::super::query::{RowQuery, whole_session};
use super::super::session::{Closing, Origin, SessionMeta, SessionState, WallClock};
use super::super::summary::{SideScope, summarise};
use super::codes;
use super::outbox;
use super::read::{self, SessionKey};
use super::schema::Columns;
use crate::metrics::{METRICS, MetricSet, StrideRecord};
use crate::model::SessionTime;
use crate::pipeline::{Block, Window};
use rusqlite::{Connection, OptionalExtension, Statement, params};

/// Strides that one statement inserts where a batch has so many: a statement costs more than a row.
const ROWS: usize = 64;

/// `INSERT` of so many rows of a table with a column a metric.
fn insert_sql(table: &str, columns: &str, rows: usize) -> String {
    let mut names = columns.to_owned();
    for def in METRICS {
        names.push_str(", m_");
        names.push_str(def.name);
    }
    let marks = format!("({})", vec!["?"; names.split(',').count()].join(", "));
    let marks = vec![marks; rows].join(", ");
    format!("INSERT INTO {table} ({names}) VALUES {marks} ON CONFLICT DO NOTHING")
}

/// The statements whose text depends on the registry.
#[derive(Debug)]
pub(crate) struct Inserts {
    stride: String,
    strides: String,
    block: String,
}

impl Inserts {
    pub(crate) fn new() -> Self {
        let of_strides = format!("session_no, analysis, {}", read::STRIDE_COLUMNS);
        Self {
            stride: insert_sql("strides", &of_strides, 1),
            strides: insert_sql("strides", &of_strides, ROWS),
            block: insert_sql(
                "blocks",
                "session_no, analysis, t_us, side, duration_us, usable, seen, confidence, absent",
                1,
            ),
        }
    }
}

/// Binds the next parameter of a statement, from 1.
struct Binder<'s, 'c> {
    stmt: &'s mut Statement<'c>,
    next: usize,
}

impl Binder<'_, '_> {
    fn put(&mut self, value: impl rusqlite::ToSql) -> rusqlite::Result<()> {
        let at = self.next;
        self.next += 1;
        self.stmt.raw_bind_parameter(at, value)
    }

    fn put_metrics(&mut self, metrics: &MetricSet) -> rusqlite::Result<()> {
        for value in metrics.all() {
            self.put(value.ok())?;
        }
        Ok(())
    }
}

/// Writes the rows of a batch. The caller undoes them all when it fails.
pub(crate) fn batch(
    conn: &Connection,
    inserts: &Inserts,
    columns: &Columns,
    key: SessionKey,
    batch: &Batch,
) -> Result<Appended, StoreError> {
    let mut done = Appended::default();
    let id = batch.session();
    let mut letters = String::new();
    for some in batch.strides().chunks(ROWS) {
        let (sql, at_once) = if some.len() == ROWS {
            (&inserts.strides, ROWS)
        } else {
            (&inserts.stride, 1)
        };
        let mut stmt = conn.prepare_cached(sql)?;
        for rows in some.chunks(at_once) {
            let new = insert_strides(&mut stmt, columns, key, batch.analysis(), rows, &mut letters)?;
            if new < rows.len() {
                check_strides(conn, columns, key, id, batch.analysis(), rows)?;
            }
            done.new += new;
            done.known += rows.len() - new;
        }
    }
    let mut count = |new: bool| if new { done.new += 1 } else { done.known += 1 };
    if !batch.blocks().is_empty() {
        let mut stmt = conn.prepare_cached(&inserts.block)?;
        for block in batch.blocks() {
            let new = insert_block(&mut stmt, columns, key, batch.analysis(), block)?;
            if !new && read::block_at(conn, columns, key, batch.analysis(), block)?.as_ref() != Some(block) {
                return Err(StoreError::Conflict {
                    key: format!("block of {id} at {:.6} s", block.start.secs()),
                });
            }
            count(new);
        }
    }
    for window in batch.windows() {
        count(insert_window(conn, id, key, batch.analysis(), window)?);
    }
    for event in batch.events() {
        // The body is part of the key, so a repeated key has the same content by definition.
        let new = conn
            .prepare_cached(
                "INSERT INTO session_events (session_no, analysis, t_us, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                key.no,
                batch.analysis(),
                key.at_rest(event.time()),
                event.kind(),
                event.body()
            ])?;
        count(new == 1);
    }
    Ok(done)
}

/// Inserts as many strides as the statement has rows; says how many were not there.
fn insert_strides(
    stmt: &mut Statement<'_>,
    columns: &Columns,
    key: SessionKey,
    analysis: u32,
    records: &[StrideRecord],
    letters: &mut String,
) -> rusqlite::Result<usize> {
    let mut row = Binder {
        stmt: &mut *stmt,
        next: 1,
    };
    for record in records {
        let s = &record.stride;
        let t = micros_of(s.start);
        let offset = |instant: Option<SessionTime>| instant.map(|i| micros_of(i) - t);
        row.put(key.no)?;
        row.put(analysis)?;
        row.put(key.start_us + t)?;
        row.put(codes::side_code(s.side))?;
        row.put(codes::segment_code(s.seen_from))?;
        row.put(record.index)?;
        row.put(micros_of(s.end) - t)?;
        row.put(offset(s.contact.map(|c| c.ic)))?;
        row.put(offset(s.contact.map(|c| c.m)))?;
        row.put(offset(s.contact.map(|c| c.tc)))?;
        row.put(offset(s.next_ic))?;
        row.put(codes::activity_word(s.activity))?;
        row.put(codes::class_word(record.class))?;
        row.put(codes::flag_bits(s.flags))?;
        let q = s.quality;
        for part in [q.innovation, q.clipping, q.gaps, q.agreement, q.guards, q.alignment] {
            row.put(part)?;
        }
        row.put(s.foot.as_ref().map(codes::foot_bytes))?;
        columns.slots.letters(&record.metrics, letters);
        row.put(letters.as_str())?;
        row.put_metrics(&record.metrics)?;
    }
    stmt.raw_execute()
}

/// Compares strides, of which some were there before, with what stands there now.
fn check_strides(
    conn: &Connection,
    columns: &Columns,
    key: SessionKey,
    id: &SessionId,
    analysis: u32,
    records: &[StrideRecord],
) -> Result<(), StoreError> {
    for record in records {
        let s = &record.stride;
        if read::stride_at(conn, columns, key, analysis, s)?.as_ref() != Some(record) {
            return Err(StoreError::Conflict {
                key: stride_key(id, analysis, s.start, s.side),
            });
        }
    }
    Ok(())
}

fn insert_block(
    stmt: &mut Statement<'_>,
    columns: &Columns,
    key: SessionKey,
    analysis: u32,
    block: &Block,
) -> rusqlite::Result<bool> {
    let mut letters = String::new();
    columns.slots.letters(&block.medians, &mut letters);
    let mut row = Binder {
        stmt: &mut *stmt,
        next: 1,
    };
    row.put(key.no)?;
    row.put(analysis)?;
    row.put(key.at_rest(block.start))?;
    row.put(codes::side_code(block.side))?;
    row.put(micros_of(block.end) - micros_of(block.start))?;
    row.put(block.usable)?;
    row.put(block.seen)?;
    row.put(codes::confidence_word(block.confidence))?;
    row.put(letters.as_str())?;
    row.put_metrics(&block.medians)?;
    Ok(stmt.raw_execute()? == 1)
}

fn insert_window(
    conn: &Connection,
    id: &SessionId,
    key: SessionKey,
    analysis: u32,
    window: &Window,
) -> Result<bool, StoreError> {
    let at = key.at_rest(window.t);
    let activity = codes::activity_word(window.activity);
    let new = conn
        .prepare_cached(
            "INSERT INTO windows (session_no, analysis, t_us, spectral_cadence, activity) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![key.no, analysis, at, window.spectral_cadence, activity])?;
    if new == 1 {
        return Ok(true);
    }
    let same: bool = conn
        .prepare_cached(
            "SELECT spectral_cadence IS ?4 AND activity = ?5 FROM windows
             WHERE session_no = ?1 AND analysis = ?2 AND t_us = ?3",
        )?
        .query_row(
            params![key.no, analysis, at, window.spectral_cadence, activity],
            |row| row.get(0),
        )?;
    if same {
        Ok(false)
    } else {
        Err(StoreError::Conflict {
            key: format!("window of {id} at {:.6} s", window.t.secs()),
        })
    }
}

/// The session of the athlete that covers the start of this one, both by a known clock.
pub(crate) fn overlap(conn: &Connection, meta: &SessionMeta) -> Result<Option<SessionId>, StoreError> {
    if meta.wall_clock == WallClock::Assumed {
        return Ok(None);
    }
    let start = meta.start.micros();
    // A session whose end nobody knows yet occupies at least its own start.
    let stop = start + meta.expected_stop.map_or(1, micros_of);
    let other: Option<String> = conn
        .query_row(
            "SELECT session_id FROM sessions
             WHERE athlete_id = ?1 AND wall_clock = 'known' AND session_id <> ?2
               AND start_us < ?4 AND (stop_us IS NULL OR start_us + stop_us > ?3)
             ORDER BY session_id LIMIT 1",
            params![meta.athlete.as_str(), meta.id.as_str(), start, stop],
            |row| row.get(0),
        )
        .optional()?;
    other.map(|id| SessionId::parse(&id)).transpose()
}

/// Enters a new session and its sensors.
pub(crate) fn new_session(conn: &Connection, meta: &SessionMeta, analysis: u32) -> Result<(), StoreError> {
    let wall_clock = match meta.wall_clock {
        WallClock::Known => "known",
        WallClock::Assumed => "assumed",
    };
    let (origin, sha256) = match &meta.origin {
        Origin::Live => ("live", None),
        Origin::Import { sha256 } => ("import", Some(sha256.as_str())),
        Origin::Demo => ("demo", None),
    };
    conn.execute(
        "INSERT INTO sessions (session_id, athlete_id, start_us, wall_clock, expected_stop_us, state, origin,
             source_sha256, tz, note, height_m, mass_kg, leg_length_m, current_analysis)
         VALUES (?1, ?2, ?3, ?4, ?5, 'open', ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            meta.id.as_str(),
            meta.athlete.as_str(),
            meta.start.micros(),
            wall_clock,
            meta.expected_stop.map(micros_of),
            origin,
            sha256,
            meta.tz,
            meta.note,
            meta.facts.height_m,
            meta.facts.mass_kg,
            meta.facts.leg_length_m,
            analysis
        ],
    )?;
    let no = conn.last_insert_rowid();
    for s in &meta.sensors {
        conn.execute(
            "INSERT INTO session_sensors (session_no, placement, rate_hz, acc_range, gyro_range, side_known)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                no,
                s.placement.name(),
                s.rate_hz,
                s.acc_range,
                s.gyro_range,
                s.side_known
            ],
        )?;
    }
    Ok(())
}

/// Opens a recovered session again.
pub(crate) fn resume(conn: &Connection, key: SessionKey) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE sessions SET state = 'open', stop_us = NULL, strides = NULL WHERE session_no = ?1",
        [key.no],
    )?;
    conn.execute("DELETE FROM session_metrics WHERE session_no = ?1", [key.no])?;
    Ok(())
}

/// Notes with what an analysis was made, and what became known about the sensors.
pub(crate) fn closing(conn: &Connection, id: &SessionId, key: SessionKey, closing: &Closing) -> Result<(), StoreError> {
    let params = closing.params.to_string();
    let known: Option<(String, String)> = conn
        .query_row(
            "SELECT pipeline_version, params FROM analyses WHERE session_no = ?1 AND analysis = ?2",
            params![key.no, closing.analysis],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match known {
        None => {
            conn.execute(
                "INSERT INTO analyses (session_no, analysis, pipeline_version, params) VALUES (?1, ?2, ?3, ?4)",
                params![key.no, closing.analysis, closing.pipeline_version, params],
            )?;
        }
        Some(same) if same == (closing.pipeline_version.clone(), params) => {}
        Some(_) => {
            return Err(StoreError::Conflict {
                key: format!("analysis {} of session {id}", closing.analysis),
            });
        }
    }
    conn.execute(
        "UPDATE sessions SET current_analysis = ?2 WHERE session_no = ?1",
        params![key.no, closing.analysis],
    )?;
    conn.execute(
        "UPDATE session_sensors SET outcome = 0, calibration = NULL, clock_ppm = NULL, clock_residual_us = NULL
         WHERE session_no = ?1",
        [key.no],
    )?;
    for s in &closing.sensors {
        let changed = conn.execute(
            "UPDATE session_sensors SET outcome = 1, calibration = ?3, clock_ppm = ?4, clock_residual_us = ?5
             WHERE session_no = ?1 AND placement = ?2",
            params![
                key.no,
                s.placement.name(),
                s.calibration.as_ref().map(serde_json::Value::to_string),
                s.clock_ppm,
                s.clock_residual_us
            ],
        )?;
        if changed != 1 {
            let row = format!("outcome of {} in session {id}", s.placement.name());
            return Err(StoreError::rejected(
                row,
                "the session has no sensor there, or two outcomes",
            ));
        }
    }
    Ok(())
}

/// Fixes state, end, count and summary of a session from the strides of its current analysis.
pub(crate) fn end(
    conn: &Connection,
    columns: &Columns,
    key: SessionKey,
    id: &SessionId,
    state: SessionState,
    stop: Option<SessionTime>,
) -> Result<(), StoreError> {
    let all = RowQuery {
        span: whole_session(),
        limit: usize::MAX,
        ..RowQuery::all(id.clone())
    };
    let strides = read::strides(conn, columns, key, &all)?.rows;
    let last = strides.iter().map(|s| s.stride.end).max().unwrap_or(SessionTime::ZERO);
    conn.execute(
        "UPDATE sessions SET state = ?2, stop_us = ?3, strides = ?4 WHERE session_no = ?1",
        params![
            key.no,
            state.name(),
            micros_of(stop.unwrap_or(last)),
            strides.len() as i64
        ],
    )?;
    keep_summary(conn, key, &strides)
}

/// Makes the summary of a session anew from the strides of its current analysis.
pub(crate) fn summary(conn: &Connection, columns: &Columns, key: SessionKey, id: &SessionId) -> Result<(), StoreError> {
    let all = RowQuery {
        span: whole_session(),
        limit: usize::MAX,
        ..RowQuery::all(id.clone())
    };
    keep_summary(conn, key, &read::strides(conn, columns, key, &all)?.rows)
}

fn keep_summary(conn: &Connection, key: SessionKey, strides: &[StrideRecord]) -> Result<(), StoreError> {
    conn.execute("DELETE FROM session_metrics WHERE session_no = ?1", [key.no])?;
    let mut stmt = conn.prepare_cached(
        "INSERT INTO session_metrics (session_no, metric, side, n, median, mad, mean, p10, p90)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for r in summarise(strides) {
        let side = match r.side {
            SideScope::Both => codes::side_code(None),
            SideScope::Only(side) => codes::side_code(Some(side)),
        };
        stmt.execute(params![
            key.no,
            r.metric.def().name,
            side,
            r.n,
            r.median,
            r.mad,
            r.mean,
            r.p10,
            r.p90
        ])?;
    }
    Ok(())
}

/// Marks what its writer did not end.
pub(crate) fn recover(conn: &Connection, columns: &Columns) -> Result<(), StoreError> {
    let mut stmt = conn.prepare("SELECT session_id FROM sessions WHERE state = 'open'")?;
    let open = stmt
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for id in open {
        let id = SessionId::parse(&id).map_err(|e| StoreError::Corrupt { detail: e.to_string() })?;
        let key = read::session_key(conn, &id)?;
        end(conn, columns, key, &id, SessionState::Recovered, None)?;
        outbox::ended(conn, key.no, key.current_analysis, key.current_analysis)?;
    }
    Ok(())
}

/// Removes a session and everything that hangs on it; says how many rows that were.
pub(crate) fn delete(conn: &Connection, key: SessionKey) -> Result<u64, StoreError> {
    let mut rows = 0;
    for table in ["strides", "blocks", "windows", "session_events"] {
        rows += conn.execute(&format!("DELETE FROM {table} WHERE session_no = ?1"), [key.no])? as u64;
    }
    conn.execute("DELETE FROM sessions WHERE session_no = ?1", [key.no])?;
    Ok(rows)
}
