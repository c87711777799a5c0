//! How sensors did, in the record.

use super::super::error::StoreError;
use super::super::health::{HealthRow, LinkHealth};
use super::super::ids::SessionId;
use super::read::SessionKey;
use super::{SqliteReader, SqliteStore, outbox, read, writer};
use crate::model::Placement;
use rusqlite::{Connection, Row, params};

impl SqliteStore {
    /// Makes the health of a session's sensors equal to `rows`, and tells sinks where it differs from before. The session
    /// keeps it whatever its analysis.
    ///
    /// # Errors
    /// `Missing` for an unknown session; `Rejected` for a number that is not finite; those of the disk.
    pub fn keep_health(&self, session: &SessionId, rows: Vec<HealthRow>) -> Result<(), StoreError> {
        let numbers = rows.iter().flat_map(|r| [r.link.clock_ppm, r.link.clock_scatter_us]);
        if numbers.flatten().any(|x| !x.is_finite()) {
            let row = format!("health of the sensors of session {session}");
            return Err(StoreError::rejected(row, "a number is not finite"));
        }
        self.ask(|reply| writer::Command::Health(session.clone(), rows, reply))
    }
}

impl SqliteReader {
    /// How the sensors of a session did, by time, then by sensor; empty where nothing was kept.
    ///
    /// # Errors
    /// `Missing` for an unknown session; those of the disk.
    pub fn health(&self, session: &SessionId) -> Result<Vec<HealthRow>, StoreError> {
        self.with(|conn, _| {
            let key = read::session_key(conn, session)?;
            // A record of an older layout, opened to read, has none.
            let there: bool = conn.query_row(
                "SELECT count(*) FROM sqlite_master WHERE name = 'sensor_health'",
                [],
                |row| row.get(0),
            )?;
            if there {
                rows(conn, key, i64::MIN, i64::MAX)
            } else {
                Ok(Vec::new())
            }
        })
    }
}

/// Rows at instants in `[from, to)`, UTC in µs.
pub(super) fn rows(conn: &Connection, key: SessionKey, from: i64, to: i64) -> Result<Vec<HealthRow>, StoreError> {
    let mut stmt = conn.prepare_cached(
        "SELECT t_us, placement, samples, filled, missing, clipped, battery_pct, links_lost, reboots, clock_ppm,
            clock_scatter_us
         FROM sensor_health WHERE session_no = ?1 AND t_us >= ?2 AND t_us < ?3",
    )?;
    let mut found = stmt.query(params![key.no, from, to])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(row_of(key, row)?);
    }
    all.sort_by_key(|r| (r.t, r.placement));
    Ok(all)
}

fn row_of(key: SessionKey, row: &Row<'_>) -> Result<HealthRow, StoreError> {
    let name: String = row.get(1)?;
    Ok(HealthRow {
        t: key.time(row.get(0)?),
        placement: Placement::from_name(&name).ok_or_else(|| StoreError::Corrupt {
            detail: format!("placement {name:?}"),
        })?,
        samples: row.get(2)?,
        filled: row.get(3)?,
        missing: row.get(4)?,
        clipped: row.get(5)?,
        link: LinkHealth {
            battery_pct: row.get(6)?,
            links_lost: row.get(7)?,
            reboots: row.get(8)?,
            clock_ppm: row.get(9)?,
            clock_scatter_us: row.get(10)?,
        },
    })
}

/// Makes the rows of a session equal to these.
pub(super) fn replace(conn: &Connection, key: SessionKey, new: &[HealthRow]) -> Result<(), StoreError> {
    let mut new = new.to_vec();
    new.sort_by_key(|r| (r.t, r.placement));
    let old = rows(conn, key, i64::MIN, i64::MAX)?;
    if old == new {
        return Ok(());
    }
    if !old.is_empty() {
        outbox::health_gone(conn, key)?;
        conn.execute("DELETE FROM sensor_health WHERE session_no = ?1", [key.no])?;
    }
    let mut stmt = conn.prepare_cached(
        "INSERT INTO sensor_health (session_no, t_us, placement, samples, filled, missing, clipped, battery_pct, links_lost,
            reboots, clock_ppm, clock_scatter_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for r in &new {
        stmt.execute(params![
            key.no,
            key.at_rest(r.t),
            r.placement.name(),
            r.samples,
            r.filled,
            r.missing,
            r.clipped,
            r.link.battery_pct,
            r.link.links_lost,
            r.link.reboots,
            r.link.clock_ppm,
            r.link.clock_scatter_us
        ])?;
    }
    outbox::health_came(conn, key)
}
