//! Sessions from the latest backwards, page by page, as lists of people show them.
//!
//! A page goes on behind a (start, id), so that sessions of one start are neither told twice nor left out, and so that a
//! session that begins meanwhile moves nothing.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, SessionId, UtcMicros};
use super::super::session::SessionRow;
use super::SqliteReader;
use super::read::{SESSION_COLUMNS, SESSION_TABLES, session_row};
use rusqlite::params;

/// Which sessions, from the latest backwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestQuery {
    /// Of these athletes; `None` for everybody, and of nobody where the list is empty.
    pub athletes: Option<Vec<AthleteId>>,
    /// Earliest start.
    pub from: UtcMicros,
    /// First start no longer asked for.
    pub to: UtcMicros,
    /// Only those that stand behind this one.
    pub behind: Option<(UtcMicros, SessionId)>,
    /// Most rows wanted.
    pub limit: usize,
}

impl Default for NewestQuery {
    fn default() -> Self {
        Self {
            athletes: None,
            from: UtcMicros::EPOCH,
            to: UtcMicros::LIMIT,
            behind: None,
            limit: 50,
        }
    }
}

impl SqliteReader {
    /// Sessions by start, the latest first; of one start by id, descending. When the rows are as many as the limit, there
    /// may be more behind the last.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn newest_sessions(&self, query: &NewestQuery) -> Result<Vec<SessionRow>, StoreError> {
        self.with(|conn, _| {
            let mut stmt = conn.prepare_cached(&format!(
                "SELECT {SESSION_COLUMNS} FROM {SESSION_TABLES}
                 WHERE s.start_us >= ?1 AND s.start_us < ?2
                   AND (?3 IS NULL OR s.athlete_id IN (SELECT value FROM json_each(?3)))
                   AND (?4 IS NULL OR s.start_us < ?4 OR (s.start_us = ?4 AND s.session_id < ?5))
                 ORDER BY s.start_us DESC, s.session_id DESC LIMIT ?6"
            ))?;
            let athletes = query
                .athletes
                .as_ref()
                .map(|a| serde_json::json!(a.iter().map(AthleteId::as_str).collect::<Vec<_>>()).to_string());
            let behind = query.behind.as_ref();
            let mut found = stmt.query(params![
                query.from.micros(),
                query.to.micros(),
                athletes,
                behind.map(|(at, _)| at.micros()),
                behind.map(|(_, id)| id.as_str()),
                i64::try_from(query.limit.max(1)).unwrap_or(i64::MAX),
            ])?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                rows.push(session_row(conn, row)?);
            }
            Ok(rows)
        })
    }

    /// Athletes who have a session, each with the start of the latest, by id.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn athletes(&self) -> Result<Vec<(AthleteId, UtcMicros)>, StoreError> {
        self.with(|conn, _| {
            let mut stmt =
                conn.prepare_cached("SELECT athlete_id, max(start_us) FROM sessions GROUP BY athlete_id ORDER BY 1")?;
            let rows = stmt.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
            rows.map(|row| {
                let (id, start) = row?;
                Ok((AthleteId::parse(&id)?, UtcMicros::from_micros(start)))
            })
            .collect()
        })
    }

    /// The analyses of a session, ascending: number, and version of the program that made it.
    ///
    /// # Errors
    /// `Missing` when there is no such session; those of the disk.
    pub fn analyses(&self, session: &SessionId) -> Result<Vec<(u32, String)>, StoreError> {
        self.rows(session, |conn, _, key| {
            let mut stmt = conn.prepare_cached(
                "SELECT analysis, pipeline_version FROM analyses WHERE session_no = ?1 ORDER BY analysis",
            )?;
            let rows = stmt.query_map([key.no], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::super::SqliteStore;
    use super::*;
    use crate::store::{Store as _, WallClock};

    #[test]
    fn pages_of_any_size_tell_every_session_once_and_the_latest_first() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(dir.path(), "test").expect("store");
        for (id, start, athlete) in [
            ("a", 5, "anna"),
            ("b", 7, "anna"),
            ("c", 5, "ben"),
            ("d", 5, "anna"),
            ("e", 1, "ben"),
        ] {
            let mut meta = fixture::meta(id);
            meta.start = UtcMicros::from_micros(start);
            meta.wall_clock = WallClock::Assumed;
            meta.athlete = AthleteId::parse(athlete).expect("id");
            store.open_session(&meta).expect("opens");
        }
        let reader = SqliteReader::open(dir.path()).expect("reader");
        for limit in 1..7 {
            let (mut told, mut behind) = (Vec::new(), None);
            loop {
                let query = NewestQuery {
                    behind: behind.clone(),
                    limit,
                    ..NewestQuery::default()
                };
                let rows = reader.newest_sessions(&query).expect("rows");
                told.extend(rows.iter().map(|r| r.meta.id.to_string()));
                behind = rows.last().map(|r| (r.meta.start, r.meta.id.clone()));
                if rows.len() < limit {
                    break;
                }
            }
            assert_eq!(told, ["b", "d", "c", "a", "e"], "pages of {limit}");
        }
        let of = |athletes: &[&str]| {
            let athletes = athletes.iter().map(|a| AthleteId::parse(a).expect("id")).collect();
            let query = NewestQuery {
                athletes: Some(athletes),
                ..NewestQuery::default()
            };
            reader.newest_sessions(&query).expect("rows").len()
        };
        assert_eq!((of(&["ben"]), of(&["anna", "ben"]), of(&[])), (2, 5, 0));
        let athletes = reader.athletes().expect("athletes");
        let told: Vec<_> = athletes.iter().map(|(a, at)| (a.as_str(), at.micros())).collect();
        assert_eq!(told, [("anna", 7), ("ben", 5)]);
    }
}
