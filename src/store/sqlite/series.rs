//! Series from the record: [`SeriesQuery`] as SQL.

use super::super::error::StoreError;
use super::super::ids::{SessionId, UtcMicros};
use super::super::query::{Page, SideFilter};
use super::super::series::{SeriesBucket, SeriesQuery, SeriesTally};
use super::codes;
use super::schema::Columns;
use rusqlite::{Connection, params};
use std::fmt::Write as _;

/// Strides of an athlete in the order of time: only sessions whose clock is known, because only those lie on one line of
/// time.
fn render(columns: &Columns, query: &SeriesQuery) -> String {
    let mut sql = String::from("SELECT r.t_us");
    for metric in &query.metrics {
        let name = metric.def().name;
        // Writing to a String cannot fail. Names come from the registry.
        let _ = if columns.present[metric.index()] {
            write!(sql, ", r.m_{name}")
        } else {
            write!(sql, ", NULL")
        };
    }
    sql.push_str(
        " FROM sessions s JOIN strides r ON r.session_no = s.session_no AND r.analysis = s.current_analysis
         WHERE s.athlete_id = ?1 AND s.wall_clock = 'known' AND r.t_us >= ?2 AND r.t_us < ?3
           AND (?4 IS NULL OR r.side = ?4) AND (?5 IS NULL OR r.seen_from = ?5) AND (?6 IS NULL OR s.session_id = ?6)
         ORDER BY r.t_us, r.side, r.seen_from",
    );
    sql
}

/// Strides in buckets.
pub(crate) fn series(
    conn: &Connection,
    columns: &Columns,
    query: &SeriesQuery,
) -> Result<Page<SeriesBucket, UtcMicros>, StoreError> {
    query.check()?;
    let side = match query.side {
        SideFilter::All => None,
        SideFilter::Only(side) => Some(codes::side_code(Some(side))),
    };
    let mut stmt = conn.prepare_cached(&render(columns, query))?;
    let mut rows = stmt.query(params![
        query.athlete.as_str(),
        query.from_ms * 1000,
        query.to_ms * 1000,
        side,
        query.seen_from.map(codes::segment_code),
        query.session.as_ref().map(SessionId::as_str)
    ])?;
    let mut tally = SeriesTally::new(query);
    let mut values = vec![None; query.metrics.len()];
    while let Some(row) = rows.next()? {
        for (i, value) in values.iter_mut().enumerate() {
            *value = row.get(1 + i)?;
        }
        if !tally.push(row.get::<_, i64>(0)?.div_euclid(1000), values.iter().copied()) {
            break;
        }
    }
    Ok(tally.finish())
}
