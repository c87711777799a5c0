//! Tables row by row, column by column, for an export that leaves nothing out and can be read back ([`super::restore`]).
//!
//! Small tables go out as JSON lines. Those with a column a metric, and the windows, go out as CSV with the record's own
//! columns: SI units, numbers in the shortest form that reads back equal, `absent` as it is kept. What is named here is
//! whole: a column that a later layout adds is in the export without a line being written for it.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, SessionId};
use super::super::raw::{self, RawPart};
use super::SqliteReader;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::value::RawValue;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

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

/// Tables whose rows belong to a session, as JSON lines.
pub const SESSION_TABLES: [&str; 8] = [
    "session_sensors",
    "analyses",
    "session_metrics",
    "session_events",
    "sensor_health",
    "run_values",
    "raw_files",
    "raw_care",
];

/// Tables whose rows belong to a session and are many, as CSV.
pub const ROW_TABLES: [&str; 3] = ["strides", "blocks", "windows"];

/// The table that says which place in `absent` belongs to which metric.
pub const METRIC_TABLE: &str = "metric_columns";

/// Columns that hold JSON and go out as JSON.
pub(super) const JSON_COLUMNS: [&str; 4] = ["body", "evidence", "calibration", "params"];

/// After the name of a column of [`JSON_COLUMNS`]: its text is no JSON, and goes out as text.
pub(super) const AS_TEXT: &str = "_text";

/// Whether the text of a JSON column goes out as it stands: one line of JSON that cannot be taken for an empty column.
fn is_plain_json(text: &str) -> bool {
    text != "null"
        && !text.contains(['\n', '\r'])
        && serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text)
}

/// Appends a column as a member of a JSON object.
fn member(line: &mut String, name: &str, cell: ValueRef<'_>) -> Result<(), StoreError> {
    let text = |bytes| {
        std::str::from_utf8(bytes).map_err(|_| StoreError::Corrupt {
            detail: format!("{name} is no text"),
        })
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    // Writing to a String cannot fail.
    let _ = match cell {
        ValueRef::Null => write!(line, "\"{name}\":null"),
        ValueRef::Integer(i) => write!(line, "\"{name}\":{i}"),
        ValueRef::Real(x) => write!(line, "\"{name}\":{}", serde_json::Value::from(x)),
        ValueRef::Text(bytes) if JSON_COLUMNS.contains(&name) => match text(bytes)? {
            json if is_plain_json(json) => write!(line, "\"{name}\":{json}"),
            other => write!(line, "\"{name}{AS_TEXT}\":{}", quoted(other)),
        },
        ValueRef::Text(bytes) => write!(line, "\"{name}\":{}", quoted(text(bytes)?)),
        ValueRef::Blob(bytes) => write!(line, "\"{name}\":\"{}\"", super::super::ids::hex(bytes)),
    };
    Ok(())
}

/// Appends a column as a cell of a CSV line. None of these tables holds text that would need quotes.
fn cell(line: &mut String, name: &str, cell: ValueRef<'_>) -> Result<(), StoreError> {
    let _ = match cell {
        ValueRef::Null => Ok(()),
        ValueRef::Integer(i) => write!(line, "{i}"),
        ValueRef::Real(x) => write!(line, "{x:?}"),
        ValueRef::Blob(bytes) => line.write_str(&super::super::ids::hex(bytes)),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains([',', '"', '\n', '\r']) => line.write_str(text),
            _ => {
                return Err(StoreError::Corrupt {
                    detail: format!("{name} holds what no version of lope writes"),
                });
            }
        },
    };
    Ok(())
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    JsonLines,
    Csv,
}

/// Writes the rows of a question; how many. The key of this file's own is left out.
fn lines(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    form: Form,
    out: &mut dyn Write,
) -> Result<u64, StoreError> {
    // A record of an older layout, opened to read, lacks tables: what is not there has no rows.
    let mut stmt = match conn.prepare(sql) {
        Err(e) if e.to_string().contains("no such table") => return Ok(0),
        other => other?,
    };
    let names: Vec<String> = stmt.column_names().map(str::to_owned).collect();
    let told: Vec<usize> = (0..names.len()).filter(|i| names[*i] != "session_no").collect();
    let write = |out: &mut dyn Write, line: &str| {
        let written = out.write_all(line.as_bytes());
        written.map_err(|e| StoreError::io(Path::new("output"), &e))
    };
    let mut rows = stmt.query(params)?;
    let (mut n, mut line) = (0, String::new());
    while let Some(row) = rows.next()? {
        if n == 0 && form == Form::Csv {
            let names: Vec<&str> = told.iter().map(|i| names[*i].as_str()).collect();
            write(out, &(names.join(",") + "\n"))?;
        }
        line.clear();
        for (place, i) in told.iter().enumerate() {
            match (form, place) {
                (Form::JsonLines, 0) => line.push('{'),
                (_, 0) => {}
                _ => line.push(','),
            }
            match form {
                Form::JsonLines => member(&mut line, &names[*i], row.get_ref(*i)?)?,
                Form::Csv => cell(&mut line, &names[*i], row.get_ref(*i)?)?,
            }
        }
        line.push_str(if form == Form::JsonLines { "}\n" } else { "\n" });
        write(out, &line)?;
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
        self.with(|conn, _| lines(conn, &sql, [athlete.as_str()], Form::JsonLines, out))
    }

    /// Writes the rows of a table of [`SESSION_TABLES`] (JSON lines) or [`ROW_TABLES`] (CSV) that belong to a session, of
    /// all its analyses; how many.
    ///
    /// # Errors
    /// As [`SqliteReader::dump_of_athlete`].
    pub fn dump_of_session(&self, table: &str, session: &SessionId, out: &mut dyn Write) -> Result<u64, StoreError> {
        let form = if ROW_TABLES.contains(&table) {
            Form::Csv
        } else {
            known(table, &SESSION_TABLES)?;
            Form::JsonLines
        };
        // In the order of the key, in which the tables are kept.
        let sql =
            format!("SELECT * FROM {table} WHERE session_no = (SELECT session_no FROM sessions WHERE session_id = ?1)");
        self.with(|conn, _| lines(conn, &sql, [session.as_str()], form, out))
    }

    /// Writes what the record says of a session itself, as one line.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn dump_session(&self, session: &SessionId, out: &mut dyn Write) -> Result<u64, StoreError> {
        let sql = "SELECT * FROM sessions WHERE session_id = ?1";
        self.with(|conn, _| lines(conn, sql, [session.as_str()], Form::JsonLines, out))
    }

    /// Writes which metrics have which columns, in the order of their places; how many.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn dump_metric_columns(&self, out: &mut dyn Write) -> Result<u64, StoreError> {
        let sql = format!("SELECT * FROM {METRIC_TABLE} ORDER BY slot");
        self.with(|conn, _| lines(conn, &sql, [], Form::JsonLines, out))
    }

    /// Copies a raw file of a session to `to`, which is made; `false` where there is none. A raw recording that is being
    /// made, or whose program ended before it did, is copied with what its log holds.
    ///
    /// # Errors
    /// `Full`, `Io`, `Corrupt`.
    pub fn copy_raw(&self, part: RawPart, session: &SessionId, to: &Path) -> Result<bool, StoreError> {
        raw::copy(&self.dir, part, session, to)
    }

    /// Layout of the record.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn layout(&self) -> Result<u32, StoreError> {
        self.with(|conn, _| Ok(conn.query_row("PRAGMA user_version", [], |row| row.get(0))?))
    }

    /// Everybody of whom there is something.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn everybody(&self) -> Result<Vec<AthleteId>, StoreError> {
        self.with(|conn, _| {
            let mut sql = String::from("SELECT athlete_id FROM sessions");
            // A record of an older layout, opened to read, has fewer tables.
            let mut named = conn.prepare("SELECT count(*) FROM sqlite_master WHERE name = ?1")?;
            for table in ATHLETE_TABLES {
                if named.query_row([table], |row| row.get(0))? {
                    let _ = write!(sql, " UNION SELECT athlete_id FROM {table}");
                }
            }
            let mut stmt = conn.prepare(&format!("{sql} ORDER BY athlete_id"))?;
            let rows = stmt.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|row| AthleteId::parse(&row?)).collect()
        })
    }
}

pub(super) fn known(table: &str, tables: &[&str]) -> Result<(), StoreError> {
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

    #[test]
    fn json_is_written_as_it_is_kept_and_text_that_is_none_as_text() {
        let told = |name: &str, text: &str| {
            let mut line = String::new();
            member(&mut line, name, ValueRef::Text(text.as_bytes())).expect("text");
            line
        };
        assert_eq!(told("body", r#"{"b":1.0,"a":[ 2]}"#), r#""body":{"b":1.0,"a":[ 2]}"#);
        assert_eq!(told("note", r#"{"b":1}"#), r#""note":"{\"b\":1}""#);
        for odd in ["null", "{", "", " {}", "{}\n"] {
            assert!(told("body", odd).starts_with("\"body_text\":\""), "{odd:?}");
        }
    }

    /// Tables that are exported in a way of their own, and those that hold nobody's data: what copies were told, and who
    /// may look into this machine.
    const ELSEWHERE: [&str; 6] = [
        "sessions",
        METRIC_TABLE,
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
            let told = [
                &ATHLETE_TABLES[..],
                &SESSION_TABLES[..],
                &ROW_TABLES[..],
                &ELSEWHERE[..],
            ];
            assert!(
                told.iter().any(|list| list.contains(&table.as_str())),
                "{table} is in no export"
            );
        }
    }
}
