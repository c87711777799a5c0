//! Small tables as JSON lines, column by column, for an export that leaves nothing out.
//!
//! The big ones (strides, blocks, windows, events) are tables of their own in CSV. What is named here is whole: a column
//! that a later layout adds is in the export without a line being written for it.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, SessionId};
use super::SqliteReader;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};
use std::io::Write;

/// Tables whose rows name an athlete.
pub const ATHLETE_TABLES: [&str; 7] = [
    "journal",
    "journal_past",
    "flag_states",
    "flag_summaries",
    "flag_inputs",
    "flag_copies",
    "access_log",
];

/// Tables whose rows belong to a session.
pub const SESSION_TABLES: [&str; 6] = [
    "session_sensors",
    "analyses",
    "session_metrics",
    "run_values",
    "raw_files",
    "raw_care",
];

/// Columns that hold JSON and go out as JSON.
const JSON_COLUMNS: [&str; 4] = ["body", "evidence", "calibration", "params"];

fn value(name: &str, cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(i) => i.into(),
        ValueRef::Real(x) => x.into(),
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let parsed = JSON_COLUMNS.contains(&name).then(|| serde_json::from_str(&text).ok());
            parsed.flatten().unwrap_or_else(|| Value::String(text.into_owned()))
        }
        ValueRef::Blob(bytes) => Value::String(super::super::ids::hex(bytes)),
    }
}

/// Writes the rows of a question as JSON lines; how many.
fn lines(conn: &Connection, sql: &str, key: &str, out: &mut dyn Write) -> Result<u64, StoreError> {
    let mut stmt = conn.prepare(sql)?;
    let names: Vec<String> = stmt.column_names().map(str::to_owned).collect();
    let mut rows = stmt.query([key])?;
    let mut n = 0;
    while let Some(row) = rows.next()? {
        let mut object = Map::new();
        for (i, name) in names.iter().enumerate().filter(|(_, name)| *name != "session_no") {
            object.insert(name.clone(), value(name, row.get_ref(i)?));
        }
        let written = writeln!(out, "{}", Value::Object(object));
        written.map_err(|e| StoreError::io(std::path::Path::new("JSON output"), &e))?;
        n += 1;
    }
    Ok(n)
}

impl SqliteReader {
    /// Writes the rows of a table of [`ATHLETE_TABLES`] that are about an athlete; how many.
    ///
    /// # Errors
    /// `Rejected` for another table; those of the disk.
    pub fn dump_of_athlete(&self, table: &str, athlete: &AthleteId, out: &mut dyn Write) -> Result<u64, StoreError> {
        known(table, &ATHLETE_TABLES)?;
        // In the order of the key, in which the tables are kept.
        let sql = format!("SELECT * FROM {table} WHERE athlete_id = ?1");
        self.with(|conn, _| lines(conn, &sql, athlete.as_str(), out))
    }

    /// Writes the rows of a table of [`SESSION_TABLES`] that belong to a session; how many.
    ///
    /// # Errors
    /// As [`SqliteReader::dump_of_athlete`].
    pub fn dump_of_session(&self, table: &str, session: &SessionId, out: &mut dyn Write) -> Result<u64, StoreError> {
        known(table, &SESSION_TABLES)?;
        let sql =
            format!("SELECT t.* FROM {table} t JOIN sessions s ON s.session_no = t.session_no WHERE s.session_id = ?1");
        self.with(|conn, _| lines(conn, &sql, session.as_str(), out))
    }

    /// Writes what the record says of a session itself, as one line.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn dump_session(&self, session: &SessionId, out: &mut dyn Write) -> Result<u64, StoreError> {
        let sql = "SELECT * FROM sessions WHERE session_id = ?1";
        self.with(|conn, _| lines(conn, sql, session.as_str(), out))
    }

    /// Everybody of whom there is something: athletes of sessions, and those of the journal.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn everybody(&self) -> Result<Vec<AthleteId>, StoreError> {
        self.with(|conn, _| {
            let mut stmt = conn
                .prepare("SELECT athlete_id FROM sessions UNION SELECT athlete_id FROM journal ORDER BY athlete_id")?;
            let rows = stmt.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|row| AthleteId::parse(&row?)).collect()
        })
    }
}

fn known(table: &str, tables: &[&str]) -> Result<(), StoreError> {
    if tables.contains(&table) {
        Ok(())
    } else {
        Err(StoreError::rejected(
            format!("table {table:?}"),
            format!("it is one of {}", tables.join(", ")),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables that hold nobody's data, or that are exported as CSV.
    const ELSEWHERE: [&str; 10] = [
        "sessions",
        "strides",
        "blocks",
        "windows",
        "session_events",
        "metric_columns",
        "outbox",
        "sink_cursors",
        "sink_rejects",
        "tokens",
    ];

    #[test]
    fn no_table_of_the_record_is_left_out_of_an_export() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        drop(super::super::SqliteStore::open(dir.path(), "test").expect("store"));
        let reader = SqliteReader::open(dir.path()).expect("reader");
        let tables: Vec<String> = reader
            .with(|conn, _| {
                let mut stmt =
                    conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
                let names = stmt.query_map([], |row| row.get(0))?;
                Ok(names.collect::<Result<_, _>>()?)
            })
            .expect("tables");
        for table in tables {
            let told = [&ATHLETE_TABLES[..], &SESSION_TABLES[..], &ELSEWHERE[..]];
            assert!(
                told.iter().any(|list| list.contains(&table.as_str())),
                "{table} is in no export"
            );
        }
    }
}
