//! Questions as SQL, rows as the words of the model. Everything here works on a bare connection, so that the writer can
//! use it inside its transaction and readers on their own.

use super::super::batch::micros_of;
use super::super::downsample::Bucketer;
use super::super::error::StoreError;
use super::super::event::SessionEvent;
use super::super::ids::{AthleteId, SessionId, UtcMicros};
use super::super::query::{Bucket, BucketQuery, Page, RowQuery, SessionQuery, SideFilter};
use super::super::session::{Origin, SensorOutcome, SessionMeta, SessionRow, SessionState, WallClock};
use super::super::summary::{SideScope, SummaryRow};
use super::codes;
use super::schema::Columns;
use super::verdicts::MarkedBad;
use crate::metrics::registry::METRIC_COUNT;
use crate::metrics::{MetricId, StrideRecord};
use crate::model::{Athlete, Contact, Placement, QualityParts, SensorConfig, SessionTime, Side, Stride};
use crate::pipeline::{Block, Window};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A session as rows refer to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionKey {
    pub(crate) no: i64,
    pub(crate) start_us: i64,
    pub(crate) current_analysis: u32,
}

impl SessionKey {
    /// Session time of an instant at rest.
    pub(super) fn time(self, t_us: i64) -> SessionTime {
        SessionTime::from_nanos((t_us - self.start_us).saturating_mul(1000))
    }

    /// The instant at rest of a session time.
    pub(crate) fn at_rest(self, t: SessionTime) -> i64 {
        self.start_us + micros_of(t)
    }
}

fn from_us(us: i64) -> SessionTime {
    SessionTime::from_nanos(us.saturating_mul(1000))
}

fn corrupt(detail: impl Into<String>) -> StoreError {
    StoreError::Corrupt { detail: detail.into() }
}

/// The session of that id.
pub(crate) fn session_key(conn: &Connection, id: &SessionId) -> Result<SessionKey, StoreError> {
    conn.prepare_cached("SELECT session_no, start_us, current_analysis FROM sessions WHERE session_id = ?1")?
        .query_row([id.as_str()], |row| {
            Ok(SessionKey {
                no: row.get(0)?,
                start_us: row.get(1)?,
                current_analysis: row.get(2)?,
            })
        })
        .optional()?
        .ok_or_else(|| StoreError::Missing {
            what: format!("session {id}"),
        })
}

pub(super) const SESSION_COLUMNS: &str = "s.session_no, s.session_id, s.athlete_id, s.start_us, s.wall_clock, s.expected_stop_us, \
    s.stop_us, s.state, s.origin, s.source_sha256, s.tz, s.note, s.height_m, s.mass_kg, s.leg_length_m, \
    s.current_analysis, s.strides, a.pipeline_version";
pub(super) const SESSION_TABLES: &str =
    "sessions s LEFT JOIN analyses a ON a.session_no = s.session_no AND a.analysis = s.current_analysis";

pub(super) fn session_row(conn: &Connection, row: &Row<'_>) -> Result<SessionRow, StoreError> {
    let no: i64 = row.get(0)?;
    let word = |i: usize| {
        row.get_ref(i)
            .map_err(StoreError::from)
            .and_then(|v| v.as_str().map(str::to_owned).map_err(|e| corrupt(e.to_string())))
    };
    let wall_clock = match word(4)?.as_str() {
        "known" => WallClock::Known,
        "assumed" => WallClock::Assumed,
        other => return Err(corrupt(format!("wall clock {other:?}"))),
    };
    let state = state_of(&word(7)?)?;
    let origin = match word(8)?.as_str() {
        "live" => Origin::Live,
        "import" => Origin::Import { sha256: word(9)? },
        "demo" => Origin::Demo,
        other => return Err(corrupt(format!("origin {other:?}"))),
    };
    let (sensors, outcomes) = sensors(conn, no)?;
    let strides: Option<i64> = row.get(16)?;
    Ok(SessionRow {
        meta: SessionMeta {
            id: SessionId::parse(&word(1)?).map_err(|e| corrupt(e.to_string()))?,
            athlete: AthleteId::parse(&word(2)?).map_err(|e| corrupt(e.to_string()))?,
            start: UtcMicros::from_micros(row.get(3)?),
            wall_clock,
            expected_stop: row.get::<_, Option<i64>>(5)?.map(from_us),
            origin,
            tz: row.get(10)?,
            note: row.get(11)?,
            facts: Athlete {
                height_m: row.get(12)?,
                mass_kg: row.get(13)?,
                leg_length_m: row.get(14)?,
            },
            sensors,
        },
        state,
        stop: row.get::<_, Option<i64>>(6)?.map(from_us),
        current_analysis: row.get(15)?,
        pipeline_version: row.get(17)?,
        strides: strides.map(i64::unsigned_abs),
        outcomes,
    })
}

fn state_of(word: &str) -> Result<SessionState, StoreError> {
    match word {
        "open" => Ok(SessionState::Open),
        "closed" => Ok(SessionState::Closed),
        "recovered" => Ok(SessionState::Recovered),
        other => Err(corrupt(format!("session state {other:?}"))),
    }
}

fn sensors(conn: &Connection, no: i64) -> Result<(Vec<SensorConfig>, Vec<SensorOutcome>), StoreError> {
    let mut stmt = conn.prepare_cached(
        "SELECT placement, rate_hz, acc_range, gyro_range, side_known, outcome, calibration, clock_ppm, clock_residual_us
         FROM session_sensors WHERE session_no = ?1",
    )?;
    let mut rows = stmt.query([no])?;
    let (mut configs, mut outcomes) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let placement = Placement::from_name(&name).ok_or_else(|| corrupt(format!("placement {name:?}")))?;
        configs.push(SensorConfig {
            placement,
            rate_hz: row.get(1)?,
            acc_range: row.get(2)?,
            gyro_range: row.get(3)?,
            side_known: row.get(4)?,
        });
        if row.get(5)? {
            let calibration = row
                .get::<_, Option<String>>(6)?
                .map(|text| serde_json::from_str(&text))
                .transpose();
            outcomes.push(SensorOutcome {
                placement,
                calibration: calibration.map_err(|e| corrupt(format!("calibration of {name}: {e}")))?,
                clock_ppm: row.get(7)?,
                clock_residual_us: row.get(8)?,
            });
        }
    }
    configs.sort_by_key(|c| c.placement);
    outcomes.sort_by_key(|o| o.placement);
    Ok((configs, outcomes))
}

/// One session.
pub(crate) fn session(conn: &Connection, id: &SessionId) -> Result<Option<SessionRow>, StoreError> {
    let mut stmt = conn.prepare_cached(&format!(
        "SELECT {SESSION_COLUMNS} FROM {SESSION_TABLES} WHERE s.session_id = ?1"
    ))?;
    let mut rows = stmt.query([id.as_str()])?;
    rows.next()?.map(|row| session_row(conn, row)).transpose()
}

/// Sessions by start.
pub(crate) fn sessions(conn: &Connection, query: &SessionQuery) -> Result<Page<SessionRow, UtcMicros>, StoreError> {
    let mut stmt = conn.prepare_cached(&format!(
        "SELECT {SESSION_COLUMNS} FROM {SESSION_TABLES}
         WHERE s.start_us >= ?1 AND s.start_us < ?2 AND (?3 IS NULL OR s.athlete_id = ?3)
         ORDER BY s.start_us, s.session_id"
    ))?;
    let athlete = query.athlete.as_ref().map(AthleteId::as_str);
    let mut found = stmt.query(params![query.from.micros(), query.to.micros(), athlete])?;
    let mut rows: Vec<SessionRow> = Vec::new();
    while let Some(row) = found.next()? {
        let next = session_row(conn, row)?;
        let start = next.meta.start;
        let full = rows.len() >= query.limit.max(1) && rows.last().is_some_and(|last| last.meta.start != start);
        rows.push(next);
        if full {
            break;
        }
    }
    Ok(Page::cut(rows, query.limit, |row| row.meta.start))
}

/// Steps through rows in the order of time until the page is full, then one further, so that [`Page::cut`] knows where
/// the rest begins.
fn page<T>(
    rows: &mut rusqlite::Rows<'_>,
    limit: usize,
    at: impl Fn(&T) -> SessionTime,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let mut taken: Vec<T> = Vec::new();
    while let Some(row) = rows.next()? {
        let next = read(row)?;
        let full = taken.len() >= limit.max(1) && taken.last().is_some_and(|last| at(last) != at(&next));
        taken.push(next);
        if full {
            break;
        }
    }
    Ok(Page::cut(taken, limit, at))
}

/// First and last admissible side code.
fn sides(filter: SideFilter) -> (i64, i64) {
    match filter {
        SideFilter::All => (0, i64::MAX),
        SideFilter::Only(side) => (codes::side_code(Some(side)), codes::side_code(Some(side))),
    }
}

/// Columns of a stride before its metrics.
pub(crate) const STRIDE_COLUMNS: &str = "t_us, side, seen_from, idx, duration_us, ic_us, mid_us, tc_us, next_ic_us, \
    activity, class, flags, q_innovation, q_clipping, q_gaps, q_agreement, q_guards, q_alignment, foot, absent";
/// How many they are.
pub(crate) const STRIDE_COLUMN_COUNT: usize = 20;

fn str_at<'r>(row: &'r Row<'_>, i: usize) -> Result<&'r str, StoreError> {
    row.get_ref(i)?.as_str().map_err(|e| corrupt(e.to_string()))
}

fn stride_row(key: SessionKey, columns: &Columns, row: &Row<'_>) -> Result<StrideRecord, StoreError> {
    let t_us: i64 = row.get(0)?;
    let offset = |i: usize| {
        row.get::<_, Option<i64>>(i)
            .map(|o| o.map(|us| key.time(t_us.saturating_add(us))))
    };
    let contact = match (offset(5)?, offset(6)?, offset(7)?) {
        (Some(ic), Some(m), Some(tc)) => Some(Contact { ic, m, tc }),
        (None, None, None) => None,
        _ => return Err(corrupt(format!("a contact with parts missing at {t_us}"))),
    };
    let foot = row.get_ref(18)?.as_blob_or_null().map_err(|e| corrupt(e.to_string()))?;
    let letters = str_at(row, 19)?.as_bytes();
    let metrics = columns.slots.metrics(letters, |i| row.get(STRIDE_COLUMN_COUNT + i))?;
    Ok(StrideRecord {
        index: row.get(3)?,
        stride: Stride {
            side: codes::side_of(row.get(1)?)?,
            seen_from: codes::segment_of(row.get(2)?)?,
            start: key.time(t_us),
            end: key.time(t_us.saturating_add(row.get(4)?)),
            contact,
            next_ic: offset(8)?,
            foot: foot.map(codes::foot_of).transpose()?,
            activity: codes::activity_of(str_at(row, 9)?)?,
            flags: codes::flags_of(row.get(11)?)?,
            quality: QualityParts {
                innovation: row.get(12)?,
                clipping: row.get(13)?,
                gaps: row.get(14)?,
                agreement: row.get(15)?,
                guards: row.get(16)?,
                alignment: row.get(17)?,
            },
        },
        metrics,
        class: codes::class_of(str_at(row, 10)?)?,
    })
}

/// Strides by start, side and segment.
pub(crate) fn strides(
    conn: &Connection,
    columns: &Columns,
    key: SessionKey,
    query: &RowQuery,
) -> Result<Page<StrideRecord>, StoreError> {
    let mut stmt = conn.prepare_cached(&format!(
        "SELECT {STRIDE_COLUMNS}{} FROM strides
         WHERE session_no = ?1 AND analysis = ?2 AND t_us >= ?3 AND t_us < ?4 AND side BETWEEN ?5 AND ?6
         ORDER BY t_us, side, seen_from",
        columns.select
    ))?;
    let mut rows = stmt.query(row_params(key, query))?;
    let mut found = page(
        &mut rows,
        query.limit,
        |r: &StrideRecord| r.stride.start,
        |row| stride_row(key, columns, row),
    )?;
    MarkedBad::of(conn, key)?.mark(&mut found.rows);
    Ok(found)
}

/// The stride of one key, as it was measured: what people said about it is not laid over it.
pub(crate) fn stride_at(
    conn: &Connection,
    columns: &Columns,
    key: SessionKey,
    analysis: u32,
    stride: &Stride,
) -> Result<Option<StrideRecord>, StoreError> {
    let mut stmt = conn.prepare_cached(&format!(
        "SELECT {STRIDE_COLUMNS}{} FROM strides
         WHERE session_no = ?1 AND analysis = ?2 AND t_us = ?3 AND side = ?4 AND seen_from = ?5",
        columns.select
    ))?;
    let (side, segment) = (codes::side_code(stride.side), codes::segment_code(stride.seen_from));
    let mut rows = stmt.query(params![key.no, analysis, key.at_rest(stride.start), side, segment])?;
    rows.next()?.map(|row| stride_row(key, columns, row)).transpose()
}

/// The latest stride of a side.
pub(crate) fn latest(
    conn: &Connection,
    columns: &Columns,
    key: SessionKey,
    side: Option<Side>,
) -> Result<Option<StrideRecord>, StoreError> {
    let mut stmt = conn.prepare_cached(&format!(
        "SELECT {STRIDE_COLUMNS}{} FROM strides WHERE session_no = ?1 AND analysis = ?2 AND side = ?3
         ORDER BY t_us DESC, side DESC, seen_from DESC LIMIT 1",
        columns.select
    ))?;
    let mut rows = stmt.query(params![key.no, key.current_analysis, codes::side_code(side)])?;
    let mut found = rows.next()?.map(|row| stride_row(key, columns, row)).transpose()?;
    MarkedBad::of(conn, key)?.mark(found.as_mut_slice());
    Ok(found)
}

fn row_params(key: SessionKey, query: &RowQuery) -> [i64; 6] {
    let analysis = i64::from(query.analysis.unwrap_or(key.current_analysis));
    let (first, last) = sides(query.side);
    // Rows lie on whole microseconds: those at or after an instant are those at or after its ceiling.
    let ceil = |t: SessionTime| key.start_us + t.nanos().div_euclid(1000) + i64::from(t.nanos().rem_euclid(1000) > 0);
    [
        key.no,
        analysis,
        ceil(query.span.start()),
        ceil(query.span.end()),
        first,
        last,
    ]
}

fn span_params(key: SessionKey, query: &RowQuery) -> [i64; 4] {
    let [no, analysis, from, to, ..] = row_params(key, query);
    [no, analysis, from, to]
}

const BLOCK_COLUMNS: &str = "t_us, side, duration_us, usable, seen, confidence, absent";

fn block_row(key: SessionKey, columns: &Columns, row: &Row<'_>) -> Result<Block, StoreError> {
    let t_us: i64 = row.get(0)?;
    Ok(Block {
        side: codes::side_of(row.get(1)?)?,
        start: key.time(t_us),
        end: key.time(t_us.saturating_add(row.get(2)?)),
        usable: row.get(3)?,
        seen: row.get(4)?,
        confidence: codes::confidence_of(str_at(row, 5)?)?,
        medians: columns.slots.metrics(str_at(row, 6)?.as_bytes(), |i| row.get(7 + i))?,
    })
}

/// Blocks by start and side.
pub(crate) fn blocks(
    conn: &Connection,
    columns: &Columns,
    key: SessionKey,
    query: &RowQuery,
) -> Result<Page<Block>, StoreError> {
    let mut stmt = conn.prepare_cached(&format!(
        "SELECT {BLOCK_COLUMNS}{} FROM blocks
         WHERE session_no = ?1 AND analysis = ?2 AND t_us >= ?3 AND t_us < ?4 AND side BETWEEN ?5 AND ?6
         ORDER BY t_us, side",
        columns.select
    ))?;
    let mut rows = stmt.query(row_params(key, query))?;
    page(
        &mut rows,
        query.limit,
        |b: &Block| b.start,
        |row| block_row(key, columns, row),
    )
}

/// The block of one key.
pub(crate) fn block_at(
    conn: &Connection,
    columns: &Columns,
    key: SessionKey,
    analysis: u32,
    block: &Block,
) -> Result<Option<Block>, StoreError> {
    let mut stmt = conn.prepare_cached(&format!(
        "SELECT {BLOCK_COLUMNS}{} FROM blocks WHERE session_no = ?1 AND analysis = ?2 AND t_us = ?3 AND side = ?4",
        columns.select
    ))?;
    let mut rows = stmt.query(params![
        key.no,
        analysis,
        key.at_rest(block.start),
        codes::side_code(block.side)
    ])?;
    rows.next()?.map(|row| block_row(key, columns, row)).transpose()
}

/// Windows by their end.
pub(crate) fn windows(conn: &Connection, key: SessionKey, query: &RowQuery) -> Result<Page<Window>, StoreError> {
    let mut stmt = conn.prepare_cached(
        "SELECT t_us, spectral_cadence, activity FROM windows
         WHERE session_no = ?1 AND analysis = ?2 AND t_us >= ?3 AND t_us < ?4 ORDER BY t_us",
    )?;
    let mut rows = stmt.query(span_params(key, query))?;
    page(
        &mut rows,
        query.limit,
        |w: &Window| w.t,
        |row| {
            Ok(Window {
                t: key.time(row.get(0)?),
                spectral_cadence: row.get(1)?,
                activity: codes::activity_of(str_at(row, 2)?)?,
            })
        },
    )
}

/// Events by time.
pub(crate) fn events(conn: &Connection, key: SessionKey, query: &RowQuery) -> Result<Page<SessionEvent>, StoreError> {
    let mut stmt = conn.prepare_cached(
        "SELECT body FROM session_events
         WHERE session_no = ?1 AND analysis = ?2 AND t_us >= ?3 AND t_us < ?4 ORDER BY t_us, kind, body",
    )?;
    let mut rows = stmt.query(span_params(key, query))?;
    page(&mut rows, query.limit, SessionEvent::time, |row| {
        serde_json::from_str(str_at(row, 0)?).map_err(|e| corrupt(format!("event: {e}")))
    })
}

/// Strides condensed to buckets, those marked as bad left out; reads only the columns asked for.
pub(crate) fn buckets(
    conn: &Connection,
    columns: &Columns,
    key: SessionKey,
    query: &BucketQuery,
) -> Result<Page<Bucket>, StoreError> {
    let mut select = String::from("t_us, side, duration_us");
    for metric in &query.metrics {
        select.push_str(", ");
        select.push_str(if columns.present[metric.index()] {
            "m_"
        } else {
            "NULL AS "
        });
        select.push_str(metric.def().name);
    }
    let mut stmt = conn.prepare_cached(&format!(
        "SELECT {select} FROM strides
         WHERE session_no = ?1 AND analysis = ?2 AND t_us >= ?3 AND t_us < ?4 AND side BETWEEN ?5 AND ?6
         ORDER BY t_us, side, seen_from"
    ))?;
    let mut rows = stmt.query(row_params(key, &query.rows))?;
    let mut buckets = Bucketer::new(query);
    let mut values = vec![None; query.metrics.len()];
    let bad = MarkedBad::of(conn, key)?;
    while let Some(row) = rows.next()? {
        if !bad.is_empty()
            && bad.has(
                codes::side_of(row.get(1)?)?,
                row.get::<_, i64>(0)? - key.start_us,
                row.get(2)?,
            )
        {
            continue;
        }
        for (i, value) in values.iter_mut().enumerate() {
            *value = row.get(3 + i)?;
        }
        if !buckets.push(row.get::<_, i64>(0)? - key.start_us, values.iter().copied()) {
            break;
        }
    }
    Ok(buckets.finish())
}

/// The summary in registry order.
pub(crate) fn summary(conn: &Connection, key: SessionKey) -> Result<Vec<SummaryRow>, StoreError> {
    let mut stmt = conn.prepare_cached(
        "SELECT metric, side, n, median, mad, mean, p10, p90 FROM session_metrics WHERE session_no = ?1",
    )?;
    let mut found = stmt.query([key.no])?;
    let mut rows = Vec::with_capacity(3 * METRIC_COUNT);
    while let Some(row) = found.next()? {
        // A metric of a newer version: not ours to show.
        let Some(metric) = MetricId::from_name(str_at(row, 0)?) else {
            continue;
        };
        rows.push(SummaryRow {
            metric,
            side: codes::side_of(row.get(1)?)?.map_or(SideScope::Both, SideScope::Only),
            n: row.get(2)?,
            median: row.get(3)?,
            mad: row.get(4)?,
            mean: row.get(5)?,
            p10: row.get(6)?,
            p90: row.get(7)?,
        });
    }
    rows.sort_by_key(|r| (r.metric, r.side));
    Ok(rows)
}
