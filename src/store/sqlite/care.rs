//! How long raw recordings stay: their stock, pins, and what goes first.
//!
//! Only samples go; the session with its strides stays. A pinned recording stays whatever its age, and so does one that is
//! still being made.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, SessionId, UtcMicros};
use super::super::raw;
use super::read::SessionKey;
use super::{SqliteReader, read};
use rusqlite::Connection;
use std::path::Path;

/// The raw recording of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawHeld {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub athlete: AthleteId,
    /// When it began.
    pub start: UtcMicros,
    /// Size of its files, bytes; 0 where nothing is there any more.
    pub bytes: u64,
    /// No age and no size removes it.
    pub pinned: bool,
    /// It is still being made.
    pub open: bool,
    /// Its program ended before it did, and nobody has finished it from its log yet.
    pub unfinished: bool,
    /// A flag of its runner rose on its day, or the day before or after: whoever asks why will want the samples.
    pub flagged: bool,
    /// When its samples were removed.
    pub removed: Option<UtcMicros>,
}

/// What may stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawLimits {
    /// Oldest start that may stay.
    pub not_before: Option<UtcMicros>,
    /// Most bytes of all that are not pinned; the oldest go first.
    pub most_bytes: Option<u64>,
}

/// The recordings that limits remove, oldest first. Pure: it looks at nothing but the stock.
#[must_use]
pub fn too_much(stock: &[RawHeld], limits: RawLimits) -> Vec<SessionId> {
    let mut free: Vec<&RawHeld> = stock.iter().filter(|r| r.bytes > 0 && !r.pinned && !r.open).collect();
    free.sort_by_key(|r| (r.start, r.session.clone()));
    let mut left: u64 = free.iter().map(|r| r.bytes).sum();
    let mut going = Vec::new();
    for held in free {
        let old = limits.not_before.is_some_and(|limit| held.start < limit);
        let over = limits.most_bytes.is_some_and(|most| left > most);
        if old || over {
            left -= held.bytes;
            going.push(held.session.clone());
        }
    }
    going
}

impl SqliteReader {
    /// The raw recordings there are and were, oldest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn raw_stock(&self) -> Result<Vec<RawHeld>, StoreError> {
        let dir = self.dir.clone();
        self.with(|conn, _| stock(conn, &dir))
    }
}

/// Size of a file; 0 where there is none.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

fn has(conn: &Connection, table: &str) -> Result<bool, StoreError> {
    Ok(
        conn.query_row("SELECT count(*) FROM sqlite_master WHERE name = ?1", [table], |r| {
            r.get(0)
        })?,
    )
}

fn stock(conn: &Connection, dir: &Path) -> Result<Vec<RawHeld>, StoreError> {
    // A record of an older layout, opened to read, knows nothing of pins.
    let (pins, of_pins) = if has(conn, "raw_care")? {
        (
            "coalesce(c.pinned, 0), c.removed_us",
            "LEFT JOIN raw_care c ON c.session_no = s.session_no",
        )
    } else {
        ("0, NULL", "")
    };
    let raised = if has(conn, "flag_states")? {
        // Whatever the zone of the runner's clock: a day to either side. Microseconds of a day.
        "EXISTS (SELECT 1 FROM flag_states f WHERE f.athlete_id = s.athlete_id
                 AND f.state NOT IN ('none', 'not_enough_data')
                 AND f.day BETWEEN s.start_us / 86400000000 - 1 AND s.start_us / 86400000000 + 1)"
    } else {
        "0"
    };
    let mut stmt = conn.prepare(&format!(
        "SELECT s.session_id, s.athlete_id, s.start_us, s.state, {pins}, {raised} FROM sessions s {of_pins}
         ORDER BY s.start_us, s.session_id"
    ))?;
    let rows = stmt.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, i64>(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, bool>(4)?,
            row.get::<_, Option<i64>>(5)?,
            row.get::<_, bool>(6)?,
        ))
    })?;
    let mut all = Vec::new();
    for row in rows {
        let (session, athlete, start, state, pinned, removed, flagged) = row?;
        let session = SessionId::parse(&session)?;
        let bytes = size(&raw::path_of(dir, &session)) + size(&raw::links_path_of(dir, &session));
        if bytes == 0 && removed.is_none() {
            continue;
        }
        all.push(RawHeld {
            session,
            athlete: AthleteId::parse(&athlete)?,
            start: UtcMicros::from_micros(start),
            bytes,
            pinned,
            open: state == "open",
            unfinished: state == "recovered",
            flagged,
            removed: removed.map(UtcMicros::from_micros),
        });
    }
    Ok(all)
}

/// Notes whether a recording is pinned.
pub(super) fn pin(conn: &Connection, session: &SessionId, pinned: bool) -> Result<(), StoreError> {
    let key = read::session_key(conn, session)?;
    conn.execute(
        "INSERT INTO raw_care (session_no, pinned) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET pinned = excluded.pinned",
        (key.no, pinned),
    )?;
    Ok(())
}

/// Notes that the samples of a session went.
pub(super) fn removed(conn: &Connection, key: SessionKey, bytes: u64, now: UtcMicros) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO raw_care (session_no, removed_us, removed_bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET removed_us = excluded.removed_us, removed_bytes = excluded.removed_bytes",
        (key.no, now.micros(), i64::try_from(bytes).unwrap_or(i64::MAX)),
    )?;
    conn.execute("DELETE FROM raw_files WHERE session_no = ?1", [key.no])?;
    Ok(())
}

/// Size of the raw files of a session, bytes.
pub(super) fn bytes_of(dir: &Path, session: &SessionId) -> u64 {
    size(&raw::path_of(dir, session)) + size(&raw::links_path_of(dir, session))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(day: i64, bytes: u64) -> RawHeld {
        RawHeld {
            session: SessionId::parse(&format!("s{day}")).expect("id"),
            athlete: AthleteId::parse("a").expect("id"),
            start: UtcMicros::from_micros(day),
            bytes,
            pinned: false,
            open: false,
            unfinished: false,
            flagged: false,
            removed: None,
        }
    }

    fn names(going: &[SessionId]) -> Vec<&str> {
        going.iter().map(SessionId::as_str).collect()
    }

    #[test]
    fn the_old_go_and_then_the_oldest_until_the_rest_fits() {
        let stock = [held(5, 100), held(1, 100), held(3, 100), held(9, 100)];
        let by_age = RawLimits {
            not_before: Some(UtcMicros::from_micros(3)),
            most_bytes: None,
        };
        assert_eq!(names(&too_much(&stock, by_age)), ["s1"]);
        let by_size = RawLimits {
            not_before: None,
            most_bytes: Some(250),
        };
        assert_eq!(names(&too_much(&stock, by_size)), ["s1", "s3"]);
        assert!(too_much(&stock, RawLimits::default()).is_empty());
    }

    #[test]
    fn what_is_pinned_or_being_made_stays_and_does_not_count() {
        let mut stock = [held(1, 500), held(2, 500), held(3, 100)];
        stock[0].pinned = true;
        stock[1].open = true;
        let none = RawLimits {
            not_before: Some(UtcMicros::from_micros(10)),
            most_bytes: Some(0),
        };
        assert_eq!(names(&too_much(&stock, none)), ["s3"]);
    }
}
