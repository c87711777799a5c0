//! Rows of an export back into an empty record, in one transaction.
//!
//! What [`super::dump`] wrote is read here line by line: every column by its name and the type that the layout gives it.
//! A row that does not fit is refused with its line. Nothing is kept before [`Restore::finish`] has read everything
//! through the eyes of whoever will use it, and put the raw files in their place; a value that is dropped before that
//! leaves the folder as it was found, without a record where there was none.
//!
//! Entries for copies in InfluxDB are no part of an export. A record that knows sinks already tells them of what came in;
//! one that knows none notes nothing, and the first `sync` of a sink sends everything.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, SessionId};
use super::super::journal::EntryQuery;
use super::super::outbox::SinkName;
use super::super::private::create_private_dir;
use super::super::query::{Completeness, RowQuery};
use super::super::raw::{self, RawPart, RawReader};
use super::dump::{AS_TEXT, ATHLETE_TABLES, JSON_COLUMNS, METRIC_TABLE, ROW_TABLES, SESSION_TABLES, known};
use super::lock::{LOCK_FILE, StoreLock};
use super::read::SessionKey;
use super::schema::{self, Columns, RECORD_FILE};
use super::{flag_copies, health, journal, outbox, read, write};
use crate::model::Span;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};

/// Longest line, bytes: far above any that was ever written.
const LINE_MAX: u64 = 64 << 20;
/// Rows looked through at once.
const PAGE_ROWS: usize = 5000;

/// Tables that may hold something in a record that counts as empty: they are about this machine and not about anybody.
const OF_THE_MACHINE: [&str; 5] = [METRIC_TABLE, "tokens", "outbox", "sink_cursors", "sink_rejects"];

/// A record into which an export is read.
#[derive(Debug)]
pub struct Restore {
    dir: PathBuf,
    /// `None` once it is closed.
    conn: Option<Connection>,
    /// Raw files in their waiting places.
    waiting: Vec<(RawPart, SessionId)>,
    /// What was not there before, the innermost last; it goes when this fails.
    made: Vec<PathBuf>,
    done: bool,
    // Held, not read: it goes after the connection.
    _lock: StoreLock,
}

/// A column of a table.
struct Column {
    name: String,
    kind: String,
    nullable: bool,
}

/// Raw files wait under this name, which [`raw`] knows as one of its own.
fn waiting_path(dir: &Path, part: RawPart, session: &SessionId) -> PathBuf {
    let mut name = part.path(dir, session).into_os_string();
    name.push(".new");
    PathBuf::from(name)
}

impl Restore {
    /// Begins to fill the record in `dir`, which is made as needed.
    ///
    /// # Errors
    /// `Conflict` with what it holds when it is not empty; `Busy`, `TooNew`, `Corrupt`, `Full`, `Io`.
    pub fn begin(dir: &Path, command: &str) -> Result<Self, StoreError> {
        let mut made = Vec::new();
        for path in [
            dir.to_owned(),
            dir.join(raw::FOLDER),
            dir.join(RECORD_FILE),
            dir.join(LOCK_FILE),
        ] {
            if !path.exists() {
                made.push(path);
            }
        }
        create_private_dir(dir)?;
        create_private_dir(&dir.join(raw::FOLDER))?;
        let lock = StoreLock::take(dir, LOCK_FILE, command)?;
        let mut restore = Self {
            dir: dir.to_owned(),
            conn: None,
            waiting: Vec::new(),
            made,
            done: false,
            _lock: lock,
        };
        let conn = restore.conn.insert(schema::open_writer(dir)?);
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let there = rows_there(conn)?;
        if there.is_empty() {
            Ok(restore)
        } else {
            Err(StoreError::Conflict {
                key: format!("the record in {} ({})", dir.display(), there.join(", ")),
            })
        }
    }

    /// What the record in `dir` holds of anybody, table by table; empty where there is no record.
    ///
    /// # Errors
    /// `TooNew`, `Corrupt`, those of the disk.
    pub fn holds(dir: &Path) -> Result<Vec<String>, StoreError> {
        match schema::open_reader(dir) {
            Ok(conn) => rows_there(&conn),
            Err(StoreError::Missing { .. }) => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    /// Newest layout whose exports can be read.
    #[must_use]
    pub fn newest_layout() -> u32 {
        schema::newest_layout()
    }

    fn conn(&self) -> Result<&Connection, StoreError> {
        self.conn.as_ref().ok_or_else(|| StoreError::Unavailable {
            retry_after: None,
            detail: "the restoring is over".to_owned(),
        })
    }

    /// Takes the places of the metrics as they were where the rows come from; a metric that only that version knows gets
    /// its column. It comes before any row of a session. Returns how many lines that were.
    ///
    /// # Errors
    /// `Rejected` with the line; those of the disk.
    pub fn metric_columns(&mut self, lines: &mut dyn BufRead) -> Result<u64, StoreError> {
        let conn = self.conn()?;
        conn.execute_batch(&format!("DELETE FROM {METRIC_TABLE}"))?;
        let there: Vec<String> = columns_of(conn, "strides")?.into_iter().map(|c| c.name).collect();
        let rows = json_lines(conn, METRIC_TABLE, lines, &mut |row| {
            let name = text_of(row, "metric")?;
            let fits = name.len() <= 41
                && name.starts_with(|c: char| c.is_ascii_lowercase())
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            // Letters of a row stand in a text of this length at most.
            let slot = row.get("slot");
            if !fits || !matches!(slot, Some(Value::Integer(0..256))) {
                return Err(format!("metric {name:?} at place {slot:?} is none that lope writes"));
            }
            let column = format!("m_{name}");
            if !there.contains(&column) {
                schema::add_metric_column(conn, name).map_err(|e| e.to_string())?;
            }
            Ok(())
        })?;
        schema::know_all_metrics(conn)?;
        Ok(rows)
    }

    /// Takes the rows of a table of [`ATHLETE_TABLES`]; how many.
    ///
    /// # Errors
    /// `Rejected` with the line; those of the disk.
    pub fn athlete_rows(
        &mut self,
        table: &str,
        athlete: &AthleteId,
        lines: &mut dyn BufRead,
    ) -> Result<u64, StoreError> {
        known(table, &ATHLETE_TABLES)?;
        json_lines(self.conn()?, table, lines, &mut |row| {
            same(row, "athlete_id", athlete.as_str())
        })
    }

    /// Takes a session itself: one line.
    ///
    /// # Errors
    /// As [`Restore::athlete_rows`].
    pub fn session(
        &mut self,
        athlete: &AthleteId,
        session: &SessionId,
        lines: &mut dyn BufRead,
    ) -> Result<u64, StoreError> {
        json_lines(self.conn()?, "sessions", lines, &mut |row| {
            same(row, "athlete_id", athlete.as_str())?;
            same(row, "session_id", session.as_str())
        })
    }

    /// Takes the rows of a table of [`SESSION_TABLES`] or [`ROW_TABLES`]; how many. Its session comes before.
    ///
    /// # Errors
    /// `Missing` when the session did not come; else as [`Restore::athlete_rows`].
    pub fn session_rows(
        &mut self,
        table: &str,
        session: &SessionId,
        lines: &mut dyn BufRead,
    ) -> Result<u64, StoreError> {
        let conn = self.conn()?;
        let no = read::session_key(conn, session)?.no;
        if ROW_TABLES.contains(&table) {
            return csv_rows(conn, table, no, lines);
        }
        known(table, &SESSION_TABLES)?;
        let path = format!("{}/{session}.db", raw::FOLDER);
        json_lines(conn, table, lines, &mut |row| {
            row.insert("session_no".to_owned(), Value::Integer(no));
            match table {
                "raw_files" => same(row, "path", &path),
                _ => Ok(()),
            }
        })
    }

    /// Where a raw file of a session is to be written; it is put in its place at the end.
    ///
    /// # Errors
    /// `Missing` when the session did not come; those of the disk.
    pub fn raw_place(&mut self, part: RawPart, session: &SessionId) -> Result<PathBuf, StoreError> {
        read::session_key(self.conn()?, session)?;
        let path = waiting_path(&self.dir, part, session);
        if path.exists() {
            std::fs::remove_file(&path).map_err(|e| StoreError::io(&path, &e))?;
        }
        self.waiting.push((part, session.clone()));
        Ok(path)
    }

    /// Strides of the current analyses of all sessions that came.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn current_strides(&self) -> Result<u64, StoreError> {
        let n: i64 = self.conn()?.query_row(
            "SELECT count(*) FROM sessions s
             JOIN strides r ON r.session_no = s.session_no AND r.analysis = s.current_analysis",
            [],
            |row| row.get(0),
        )?;
        Ok(n.unsigned_abs())
    }

    /// Looks through everything that came, puts the raw files in their place, and commits.
    ///
    /// # Errors
    /// `Corrupt` for what could not be read again; those of the disk. Nothing is left then.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let conn = self.conn()?;
        // What says where samples lie goes where they were left out.
        let with_samples: Vec<&SessionId> = self.samples().collect();
        for (no, id) in sessions_of(conn)? {
            if !with_samples.contains(&&id) {
                conn.execute("DELETE FROM raw_files WHERE session_no = ?1", [no])?;
            }
        }
        let columns = Columns::load(conn)?;
        write::recover(conn, &columns)?;
        look_through(conn, &columns)?;
        tell_sinks(conn)?;
        for (part, session) in &self.waiting {
            let (from, to) = (waiting_path(&self.dir, *part, session), part.path(&self.dir, session));
            std::fs::rename(&from, &to).map_err(|e| StoreError::io(&to, &e))?;
        }
        for session in self.samples() {
            drop(RawReader::open(&self.dir, session)?);
        }
        if let Ok(folder) = std::fs::File::open(self.dir.join(raw::FOLDER)) {
            let _ = folder.sync_all();
        }
        conn.execute_batch("COMMIT")?;
        // A reader in the middle of a question prevents that; the next checkpoint does it then.
        let _ = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.done = true;
        Ok(())
    }

    fn samples(&self) -> impl Iterator<Item = &SessionId> {
        let of_samples = self.waiting.iter().filter(|(part, _)| *part == RawPart::Samples);
        of_samples.map(|(_, session)| session)
    }
}

impl Drop for Restore {
    /// Takes back what was done, unless it was finished. What cannot be removed stays: there is nobody to tell.
    fn drop(&mut self) {
        // Closing undoes what was not committed.
        drop(self.conn.take());
        if self.done {
            return;
        }
        for (part, session) in &self.waiting {
            let _ = std::fs::remove_file(waiting_path(&self.dir, *part, session));
            let _ = std::fs::remove_file(part.path(&self.dir, session));
        }
        for path in self.made.iter().rev() {
            let _ = if path.is_dir() {
                // Only an empty one goes.
                std::fs::remove_dir(path)
            } else {
                for log in ["-wal", "-shm"] {
                    let mut name = path.clone().into_os_string();
                    name.push(log);
                    let _ = std::fs::remove_file(name);
                }
                std::fs::remove_file(path)
            };
        }
    }
}

/// Tables about somebody that hold rows, with how many.
fn rows_there(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut stmt =
        conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")?;
    let names: Vec<String> = stmt.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut there = Vec::new();
    for name in names.iter().filter(|n| !OF_THE_MACHINE.contains(&n.as_str())) {
        let n: i64 = conn.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0))?;
        if n > 0 {
            there.push(format!("{n} rows of {name}"));
        }
    }
    Ok(there)
}

fn columns_of(conn: &Connection, table: &str) -> Result<Vec<Column>, StoreError> {
    let mut stmt = conn.prepare(&format!("PRAGMA table_info({table})"))?;
    let rows = stmt.query_map([], |row| {
        Ok(Column {
            name: row.get(1)?,
            kind: row.get(2)?,
            nullable: !row.get::<_, bool>(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A row by column.
type Row = BTreeMap<String, Value>;

fn text_of<'r>(row: &'r Row, column: &str) -> Result<&'r str, String> {
    match row.get(column) {
        Some(Value::Text(text)) => Ok(text),
        other => Err(format!("{column} is {other:?}, a text was expected")),
    }
}

fn same(row: &Row, column: &str, expected: &str) -> Result<(), String> {
    match text_of(row, column)? {
        found if found == expected => Ok(()),
        found => Err(format!("{column} is {found:?}, expected {expected:?}")),
    }
}

/// Hands over the lines with their numbers, from 1.
fn each_line(
    lines: &mut dyn BufRead,
    mut each: impl FnMut(u64, &str) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let (mut n, mut bytes) = (0, Vec::new());
    loop {
        bytes.clear();
        let read = lines.take(LINE_MAX + 1).read_until(b'\n', &mut bytes);
        if read.map_err(|e| StoreError::io(Path::new("input"), &e))? == 0 {
            return Ok(n);
        }
        n += 1;
        let refuse = |why: &str| StoreError::rejected(format!("line {n}"), why);
        if bytes.pop_if(|b| *b == b'\n').is_none() {
            return Err(refuse("it does not end"));
        }
        each(n, std::str::from_utf8(&bytes).map_err(|_| refuse("it is no text"))?)?;
    }
}

/// Enters rows of JSON lines, each after `check` has seen it.
fn json_lines(
    conn: &Connection,
    table: &str,
    lines: &mut dyn BufRead,
    check: &mut dyn FnMut(&mut Row) -> Result<(), String>,
) -> Result<u64, StoreError> {
    let columns = columns_of(conn, table)?;
    each_line(lines, |n, line| {
        let refuse = |why: String| StoreError::rejected(format!("line {n}"), why);
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(line).map_err(|e| refuse(format!("it is no JSON object: {e}")))?;
        let mut row = Row::new();
        for (name, json) in members {
            let (name, value) = column_value(&columns, table, &name, json.get()).map_err(refuse)?;
            if row.insert(name.to_owned(), value).is_some() {
                return Err(refuse(format!("{name} stands there twice")));
            }
        }
        check(&mut row).map_err(refuse)?;
        insert(conn, table, row.keys(), row.values()).map_err(|e| at_line(n, e))
    })
}

/// The column of a member, and its value.
fn column_value<'c>(columns: &'c [Column], table: &str, name: &str, json: &str) -> Result<(&'c str, Value), String> {
    let find = |name: &str| columns.iter().find(|c| c.name == name && c.name != "session_no");
    if let Some(column) = find(name) {
        let value = if json == "null" {
            Value::Null
        } else if JSON_COLUMNS.contains(&name) {
            Value::Text(json.to_owned())
        } else {
            scalar(column, json)?
        };
        return Ok((&column.name, value));
    }
    let plain = name.strip_suffix(AS_TEXT).filter(|n| JSON_COLUMNS.contains(n));
    match plain.and_then(find) {
        Some(column) => Ok((&column.name, scalar(column, json)?)),
        None => Err(format!("{name} is no column of {table} that this version knows")),
    }
}

fn scalar(column: &Column, json: &str) -> Result<Value, String> {
    let expected = |what: &str| format!("{} is {json}, {what} was expected", column.name);
    match column.kind.as_str() {
        "INTEGER" => json.parse().map(Value::Integer).map_err(|_| expected("a whole number")),
        "REAL" => real(json).ok_or_else(|| expected("a number")),
        "BLOB" => {
            let hex: String = serde_json::from_str(json).map_err(|_| expected("bytes"))?;
            blob(&hex).ok_or_else(|| expected("bytes"))
        }
        _ => serde_json::from_str(json)
            .map(Value::Text)
            .map_err(|_| expected("a text")),
    }
}

fn real(text: &str) -> Option<Value> {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    text.parse()
        .ok()
        .filter(|x: &f64| plain && x.is_finite())
        .map(Value::Real)
}

fn blob(hex: &str) -> Option<Value> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let bytes = pairs
        .iter()
        .map(|[a, b]| u8::try_from(digit(*a)? << 4 | digit(*b)?).ok());
    rest.is_empty()
        .then(|| bytes.collect::<Option<_>>())
        .flatten()
        .map(Value::Blob)
}

/// Enters rows of CSV as [`super::dump`] writes it: no quotes, an empty cell is an absent value.
fn csv_rows(conn: &Connection, table: &str, no: i64, lines: &mut dyn BufRead) -> Result<u64, StoreError> {
    let columns = columns_of(conn, table)?;
    let mut names: Vec<String> = Vec::new();
    let rows = each_line(lines, |n, line| {
        if n == 1 {
            names = line
                .split(',')
                .map(str::to_owned)
                .chain(["session_no".to_owned()])
                .collect();
            return Ok(());
        }
        let refuse = |why: String| StoreError::rejected(format!("line {n}"), why);
        let mut values = Vec::with_capacity(names.len());
        for (place, cell) in line.split(',').enumerate() {
            let name = names.get(place).filter(|_| place + 1 < names.len());
            let column = name.and_then(|name| columns.iter().find(|c| c.name == *name));
            let column = column.ok_or_else(|| {
                let place = place + 1;
                refuse(format!(
                    "column {place} ({name:?}) is none of {table} that this version knows"
                ))
            })?;
            values.push(cell_value(column, cell).map_err(refuse)?);
        }
        if values.len() + 1 != names.len() {
            return Err(refuse(format!(
                "{} columns, expected {}",
                values.len(),
                names.len() - 1
            )));
        }
        values.push(Value::Integer(no));
        insert(conn, table, names.iter(), values.iter()).map_err(|e| at_line(n, e))
    })?;
    Ok(rows.saturating_sub(1))
}

fn cell_value(column: &Column, cell: &str) -> Result<Value, String> {
    let expected = |what: &str| format!("{} is {cell:?}, {what} was expected", column.name);
    match column.kind.as_str() {
        _ if cell.is_empty() && column.nullable => Ok(Value::Null),
        "INTEGER" => cell.parse().map(Value::Integer).map_err(|_| expected("a whole number")),
        "REAL" => real(cell).ok_or_else(|| expected("a number")),
        "BLOB" => blob(cell).ok_or_else(|| expected("bytes")),
        _ => Ok(Value::Text(cell.to_owned())),
    }
}

/// Enters a row. The names are columns of the table: they were looked up.
fn insert<'r>(
    conn: &Connection,
    table: &str,
    names: impl Iterator<Item = &'r String>,
    values: impl Iterator<Item = &'r Value>,
) -> Result<(), StoreError> {
    let names: Vec<&str> = names.map(String::as_str).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let sql = format!("INSERT INTO {table} ({}) VALUES ({marks})", names.join(", "));
    conn.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok(())
}

/// A refusal of the engine belongs to a line; a full disk does not.
fn at_line(n: u64, error: StoreError) -> StoreError {
    match error {
        StoreError::Rejected { why, .. } => StoreError::rejected(format!("line {n}"), why),
        // The engine knows no such column: two of one name, or one of a table of the same layout that is not there.
        StoreError::Corrupt { detail } | StoreError::Unavailable { detail, .. } => {
            StoreError::rejected(format!("line {n}"), detail)
        }
        other => other,
    }
}

fn sessions_of(conn: &Connection) -> Result<Vec<(i64, SessionId)>, StoreError> {
    let mut stmt = conn.prepare("SELECT session_no, session_id FROM sessions ORDER BY session_no")?;
    let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (no, id) = row?;
        Ok((no, SessionId::parse(&id)?))
    })
    .collect()
}

/// Reads every row as it will be read later, so that nothing is kept that no command could show.
fn look_through(conn: &Connection, columns: &Columns) -> Result<(), StoreError> {
    for (_, id) in sessions_of(conn)? {
        let damaged = |why: String| StoreError::Corrupt {
            detail: format!("session {id}: {why}"),
        };
        let row = read::session(conn, &id)?.ok_or_else(|| damaged("it is gone".to_owned()))?;
        let key = read::session_key(conn, &id)?;
        let mut current = 0;
        for analysis in analyses_of(conn, key)? {
            let query = RowQuery {
                analysis: Some(analysis),
                limit: PAGE_ROWS,
                ..RowQuery::all(id.clone())
            };
            let strides = paged(&query, |q| {
                let page = read::strides(conn, columns, key, q)?;
                Ok((page.rows.len(), page.completeness))
            });
            let strides = strides.map_err(|e| damaged(e.to_string()))?;
            if analysis == key.current_analysis {
                current = strides;
            }
            let rest = paged(&query, |q| {
                let page = read::blocks(conn, columns, key, q)?;
                Ok((page.rows.len(), page.completeness))
            })
            .and_then(|_| {
                paged(&query, |q| {
                    let page = read::windows(conn, key, q)?;
                    Ok((page.rows.len(), page.completeness))
                })
            })
            .and_then(|_| {
                paged(&query, |q| {
                    let page = read::events(conn, key, q)?;
                    Ok((page.rows.len(), page.completeness))
                })
            });
            rest.map_err(|e| damaged(e.to_string()))?;
        }
        health::rows(conn, key, i64::MIN, i64::MAX).map_err(|e| damaged(e.to_string()))?;
        read::summary(conn, key).map_err(|e| damaged(e.to_string()))?;
        if let Some(told) = row.strides.filter(|told| *told != current) {
            return Err(damaged(format!("{current} strides came, the session counts {told}")));
        }
    }
    journal::entries(conn, &EntryQuery::default())?;
    journal::all_past(conn)?;
    Ok(())
}

/// Analyses of which there are rows, the current one among them.
fn analyses_of(conn: &Connection, key: SessionKey) -> Result<Vec<u32>, StoreError> {
    let mut stmt = conn.prepare_cached(
        "SELECT DISTINCT analysis FROM strides WHERE session_no = ?1 UNION SELECT DISTINCT analysis FROM blocks WHERE session_no = ?1
         UNION SELECT DISTINCT analysis FROM windows WHERE session_no = ?1
         UNION SELECT DISTINCT analysis FROM session_events WHERE session_no = ?1",
    )?;
    let rows = stmt.query_map([key.no], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Walks the pages of a question; how many rows there were.
fn paged(
    query: &RowQuery,
    ask: impl Fn(&RowQuery) -> Result<(usize, Completeness<crate::model::SessionTime>), StoreError>,
) -> Result<u64, StoreError> {
    let (mut query, mut n) = (query.clone(), 0);
    loop {
        let (rows, completeness) = ask(&query)?;
        n += rows as u64;
        let Completeness::Truncated { resume_at } = completeness else {
            return Ok(n);
        };
        let Some(rest) = Span::new(resume_at, query.span.end()) else {
            return Ok(n);
        };
        query.span = rest;
    }
}

/// Sinks that the record knew before get what came in, as they would have got it.
fn tell_sinks(conn: &Connection) -> Result<(), StoreError> {
    let mut stmt = conn.prepare("SELECT sink FROM sink_cursors ORDER BY sink")?;
    let names: Vec<String> = stmt.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for name in names {
        let sink = SinkName::parse(&name)?;
        for (no, id) in sessions_of(conn)? {
            let key = read::session_key(conn, &id)?;
            outbox::put_all(conn, no, key.current_analysis, Some(&sink))?;
        }
        flag_copies::put_all(conn, &sink)?;
    }
    Ok(())
}
