//! The layout of the record: pragmas, numbered steps, and columns that follow the registry of metrics.
//!
//! `PRAGMA user_version` is the number of the last step taken. Each step is an SQL file in the binary, run in one
//! transaction together with its number, so a kill leaves the old layout or the new one. Columns `m_<metric>` are added
//! at every open for metrics that have none: adding a metric to the registry touches nothing here. Columns are never
//! dropped and a name is never reused.

use super::super::csv::column_name;
use super::super::error::StoreError;
use super::super::private::create_private_file;
use super::codes::Slots;
use crate::metrics::METRICS;
use crate::metrics::registry::{METRIC_COUNT, MetricDef};
use rusqlite::{Connection, OpenFlags};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the record in the data folder.
pub const RECORD_FILE: &str = "lope.db";

/// `PRAGMA application_id` of the record: "lope" in ASCII.
const APPLICATION_ID: i64 = 0x6c6f_7065;

/// The steps; step `n` (from 1) makes layout `n`.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_record.sql"),
    include_str!("migrations/0002_outbox.sql"),
    include_str!("migrations/0003_journal.sql"),
    include_str!("migrations/0004_raw_care.sql"),
    include_str!("migrations/0005_flag_copies.sql"),
    include_str!("migrations/0006_sensor_health.sql"),
];

/// How long a connection waits for another one's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the record to write, making or migrating it as needed.
pub(crate) fn open_writer(dir: &Path) -> Result<Connection, StoreError> {
    let path = dir.join(RECORD_FILE);
    create_private_file(&path)?;
    let mut conn = connect(&path)?;
    migrate(&mut conn, &path, STEPS)?;
    add_metric_columns(&mut conn)?;
    Ok(conn)
}

/// Opens the record for the short writes of a companion of the writer. It changes no layout: that is the writer's.
///
/// # Errors
/// `Missing` when the record is of an older layout, besides those of opening.
pub(crate) fn open_companion(dir: &Path) -> Result<Connection, StoreError> {
    let path = dir.join(RECORD_FILE);
    if !path.exists() {
        return Err(StoreError::Missing {
            what: format!("store in {}", dir.display()),
        });
    }
    let conn = connect(&path)?;
    if (check_layout(&conn, STEPS.len())? as usize) < STEPS.len() {
        return Err(StoreError::Missing {
            what: "record of this layout yet; it comes when lope next writes to it".to_owned(),
        });
    }
    Ok(conn)
}

/// A connection from which a copy is made. It changes nothing, but may not be read-only: a copy goes to a new file.
pub(crate) fn open_copier(dir: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        dir.join(RECORD_FILE),
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    check_layout(&conn, STEPS.len())?;
    conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = 0; PRAGMA cell_size_check = 1;")?;
    Ok(conn)
}

/// A connection that writes, with its pragmas; the layout is as it was found.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    check_layout(&conn, STEPS.len())?;
    // FULL makes a commit durable; secure_delete zeroes what is deleted; the rest keeps health data out of temporary
    // files and makes a damaged file fail early. A row of strides takes some 500 bytes: pages of 8 KiB halve the work of
    // splitting them (an older file keeps its size), and a cache of 16 MB holds a whole transaction without spilling it.
    conn.execute_batch(
        "PRAGMA page_size = 8192;
         PRAGMA cache_size = -16384;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = 1;
         PRAGMA checkpoint_fullfsync = 1;
         PRAGMA foreign_keys = 1;
         PRAGMA secure_delete = ON;
         PRAGMA wal_autocheckpoint = 1000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = 0;
         PRAGMA cell_size_check = 1;",
    )?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Opens the record to read only.
pub(crate) fn open_reader(dir: &Path) -> Result<Connection, StoreError> {
    let path = dir.join(RECORD_FILE);
    if !path.exists() {
        return Err(StoreError::Missing {
            what: format!("store in {}", dir.display()),
        });
    }
    let conn = Connection::open_with_flags(
        &path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.execute_batch(
        "PRAGMA query_only = 1;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = 0;
         PRAGMA cell_size_check = 1;",
    )?;
    conn.set_prepared_statement_cache_capacity(64);
    if check_layout(&conn, STEPS.len())? == 0 {
        return Err(StoreError::Missing {
            what: format!("store in {}", dir.display()),
        });
    }
    Ok(conn)
}

/// The layout found: 0 for an empty file.
fn check_layout(conn: &Connection, known: usize) -> Result<u32, StoreError> {
    let pragma = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let (found, application) = (pragma("user_version")?, pragma("application_id")?);
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || found != 0 || tables != 0) {
        return Err(StoreError::Corrupt {
            detail: "it is a database of another program".to_owned(),
        });
    }
    let found = u32::try_from(found).map_err(|_| StoreError::Corrupt {
        detail: format!("layout {found}"),
    })?;
    let known = u32::try_from(known).unwrap_or(u32::MAX);
    if found > known {
        Err(StoreError::TooNew { found, known })
    } else {
        Ok(found)
    }
}

/// Takes the steps that are missing. Before the first of them a store with content is checked and copied to
/// `lope.db.v<old>.bak`.
fn migrate(conn: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let found = check_layout(conn, steps.len())? as usize;
    if found > 0 && found < steps.len() {
        let verdict: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StoreError::Corrupt { detail: verdict });
        }
        let backup = PathBuf::from(format!("{}.v{found}.bak", path.display()));
        if !backup.exists() {
            let target = backup.to_str().ok_or_else(|| StoreError::Io {
                path: backup.clone(),
                detail: "the path is not text, so no backup can be made there".to_owned(),
            })?;
            conn.execute("VACUUM INTO ?1", [target])?;
        }
    }
    for (step, sql) in steps.iter().enumerate().skip(found) {
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.execute_batch(&format!(
            "PRAGMA user_version = {}; PRAGMA application_id = {APPLICATION_ID};",
            step + 1
        ))?;
        tx.commit()?;
    }
    Ok(())
}

/// Tables with a column a metric.
const METRIC_TABLES: [&str; 2] = ["strides", "blocks"];

/// Gives every metric its column and slot, and rebuilds the views when a column came.
fn add_metric_columns(conn: &mut Connection) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut changed = false;
    for def in METRICS {
        let known: bool = tx.query_row(
            "SELECT count(*) FROM metric_columns WHERE metric = ?1",
            [def.name],
            |row| row.get(0),
        )?;
        if known {
            continue;
        }
        changed = true;
        add_metric_column(&tx, def.name)?;
        note_metric(&tx, def)?;
    }
    let views: i64 = tx.query_row(
        "SELECT count(*) FROM sqlite_master WHERE name IN ('v_sessions', 'v_strides')",
        [],
        |r| r.get(0),
    )?;
    if changed || views < 2 {
        tx.execute_batch(&views_sql())?;
    }
    tx.commit()?;
    Ok(())
}

/// Gives the tables a column for a metric. Names come from the registry of some version: `a-z 0-9 _`.
pub(super) fn add_metric_column(conn: &Connection, metric: &str) -> Result<(), StoreError> {
    for table in METRIC_TABLES {
        conn.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN m_{metric} REAL"))?;
    }
    Ok(())
}

/// Gives a metric the next place.
fn note_metric(conn: &Connection, def: &MetricDef) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO metric_columns (metric, slot, unit, since_version)
         SELECT ?1, coalesce(max(slot) + 1, 0), ?2, ?3 FROM metric_columns",
        (def.name, def.unit, env!("CARGO_PKG_VERSION")),
    )?;
    Ok(())
}

/// Gives places to those metrics of this version that have a column and none yet.
pub(super) fn know_all_metrics(conn: &Connection) -> Result<(), StoreError> {
    for def in METRICS {
        let known: bool = conn.query_row(
            "SELECT count(*) FROM metric_columns WHERE metric = ?1",
            [def.name],
            |row| row.get(0),
        )?;
        if !known {
            note_metric(conn, def)?;
        }
    }
    Ok(())
}

/// The layout that this version writes.
pub(super) fn newest_layout() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// Views for people and plotting tools: words, seconds since 1970 in `time`, units in the names.
fn views_sql() -> String {
    let mut sql = String::from(
        "DROP VIEW IF EXISTS v_sessions;
         DROP VIEW IF EXISTS v_strides;
         CREATE VIEW v_sessions AS
         SELECT s.session_id, s.athlete_id, s.start_us / 1e6 AS time, s.wall_clock, s.stop_us / 1e6 AS duration_s,
                s.state, s.origin, s.strides, s.current_analysis, a.pipeline_version, s.tz, s.note
         FROM sessions s LEFT JOIN analyses a ON a.session_no = s.session_no AND a.analysis = s.current_analysis;
         CREATE VIEW v_strides AS
         SELECT s.session_id, s.athlete_id, r.analysis, r.analysis = s.current_analysis AS is_current,
                r.t_us / 1e6 AS time, (r.t_us - s.start_us) / 1e6 AS t_s,
                CASE r.side WHEN 1 THEN 'left' WHEN 2 THEN 'right' END AS side,
                CASE r.seen_from WHEN 0 THEN 'foot' WHEN 1 THEN 'shank' ELSE 'sacrum' END AS seen_from,
                r.idx, r.duration_us / 1e6 AS duration_s, r.activity, r.class,
                r.q_innovation * r.q_clipping * r.q_gaps * r.q_agreement * r.q_guards * r.q_alignment AS quality",
    );
    for def in METRICS {
        let _ = write!(
            sql,
            ",\n                r.m_{} * {:?} AS {}",
            def.name,
            def.shown_factor,
            column_name(def)
        );
    }
    sql.push_str("\n         FROM strides r JOIN sessions s ON s.session_no = r.session_no;");
    sql
}

/// The metric columns of one open record.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// Letter slots; `usize::MAX` for a metric without a column.
    pub(crate) slots: Slots,
    /// Select list of the metrics in registry order, `NULL` for those without a column.
    pub(crate) select: String,
    /// Whether a metric has a column, in registry order.
    pub(crate) present: [bool; METRIC_COUNT],
}

impl Columns {
    /// Reads which metrics have a column: all of them for a writer, perhaps fewer in an old record opened to read.
    pub(crate) fn load(conn: &Connection) -> Result<Self, StoreError> {
        let (mut slots, mut present) = ([usize::MAX; METRIC_COUNT], [false; METRIC_COUNT]);
        let mut select = String::new();
        let mut stmt = conn.prepare("SELECT slot FROM metric_columns WHERE metric = ?1")?;
        for (i, def) in METRICS.iter().enumerate() {
            let mut rows = stmt.query([def.name])?;
            if let Some(row) = rows.next()? {
                let slot: i64 = row.get(0)?;
                slots[i] = usize::try_from(slot).map_err(|_| StoreError::Corrupt {
                    detail: format!("slot {slot} of metric {}", def.name),
                })?;
                present[i] = true;
            }
            let _ = match present[i] {
                true => write!(select, ", m_{}", def.name),
                false => write!(select, ", NULL"),
            };
        }
        Ok(Self {
            slots: Slots(slots),
            select,
            present,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(conn: &Connection) -> Vec<String> {
        let mut stmt = conn
            .prepare("SELECT type || name || coalesce(sql, '') FROM sqlite_master ORDER BY 1")
            .expect("sql");
        let rows = stmt.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|r| r.expect("text")).collect()
    }

    #[test]
    fn a_store_of_a_newer_layout_is_refused_with_both_numbers() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        open_writer(dir.path())
            .expect("fresh")
            .execute_batch("PRAGMA user_version = 99")
            .expect("sql");
        let want = StoreError::TooNew {
            found: 99,
            known: STEPS.len() as u32,
        };
        assert_eq!(open_writer(dir.path()).expect_err("too new"), want);
        assert_eq!(open_reader(dir.path()).expect_err("too new"), want);
    }

    #[test]
    fn a_database_of_another_program_and_a_file_that_is_none_are_refused_untouched() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join(RECORD_FILE);
        Connection::open(&path)
            .expect("open")
            .execute_batch("CREATE TABLE theirs (x)")
            .expect("sql");
        let before = std::fs::read(&path).expect("file");
        assert!(matches!(open_writer(dir.path()), Err(StoreError::Corrupt { .. })));
        assert_eq!(std::fs::read(&path).expect("file"), before);
        std::fs::write(
            &path,
            "a letter, longer than the header of a database would be\n".repeat(40),
        )
        .expect("write");
        assert!(matches!(open_writer(dir.path()), Err(StoreError::Corrupt { .. })));
        assert!(matches!(open_reader(dir.path()), Err(StoreError::Corrupt { .. })));
    }

    #[test]
    fn an_older_store_is_copied_and_then_reaches_the_layout_of_a_fresh_one() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("old.db");
        let steps = ["CREATE TABLE a (x INTEGER) STRICT;", "CREATE TABLE b (y TEXT) STRICT;"];
        let mut old = Connection::open(&path).expect("open");
        migrate(&mut old, &path, &steps[..1]).expect("first step");
        old.execute("INSERT INTO a VALUES (7)", []).expect("row");
        migrate(&mut old, &path, &steps).expect("second step");
        let mut fresh = Connection::open_in_memory().expect("open");
        migrate(&mut fresh, Path::new("none"), &steps).expect("both steps");
        assert_eq!(layout(&old), layout(&fresh));
        let kept = Connection::open(dir.path().join("old.db.v1.bak")).expect("the copy");
        assert_eq!(kept.query_row("SELECT x FROM a", [], |r| r.get::<_, i64>(0)), Ok(7));
    }

    /// The record as layout 1 left it, with a session in it, becomes what a fresh one is and keeps its rows.
    #[test]
    fn a_record_of_layout_1_gets_its_outbox_and_loses_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join(RECORD_FILE);
        {
            let mut old = connect_new(&path);
            migrate(&mut old, &path, &STEPS[..1]).expect("layout 1");
            add_metric_columns(&mut old).expect("columns");
            old.execute_batch(
                "INSERT INTO sessions (session_id, athlete_id, start_us, wall_clock, state, origin, current_analysis)
                 VALUES ('s1', 'anna', 5, 'known', 'closed', 'live', 1)",
            )
            .expect("a session");
        }
        assert!(matches!(open_companion(dir.path()), Err(StoreError::Missing { .. })));
        let new = open_writer(dir.path()).expect("migrates");
        let fresh = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(layout(&new), layout(&open_writer(fresh.path()).expect("fresh")));
        let kept = |conn: &Connection| conn.query_row("SELECT session_id FROM sessions", [], |r| r.get::<_, String>(0));
        assert_eq!(kept(&new).as_deref(), Ok("s1"));
        let copy = Connection::open(dir.path().join("lope.db.v1.bak")).expect("the copy");
        assert_eq!((kept(&copy).as_deref(), check_layout(&copy, 2)), (Ok("s1"), Ok(1)));
        assert!(open_companion(dir.path()).is_ok());
    }

    fn connect_new(path: &Path) -> Connection {
        create_private_file(path).expect("made");
        connect(path).expect("opens")
    }

    #[test]
    fn a_step_that_fails_leaves_the_layout_before_it() {
        let mut conn = Connection::open_in_memory().expect("open");
        migrate(&mut conn, Path::new("none"), &["CREATE TABLE a (x);"]).expect("first step");
        let before = layout(&conn);
        let path = tempfile::tempdir().expect("a temporary folder");
        let steps = ["CREATE TABLE a (x);", "CREATE TABLE b (x); CREATE TABLE a (x);"];
        migrate(&mut conn, &path.path().join("x"), &steps).expect_err("the second step is wrong");
        assert_eq!((layout(&conn), check_layout(&conn, 2)), (before, Ok(1)));
    }

    #[test]
    fn a_metric_without_a_column_gets_one_at_the_next_open() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let name = METRICS[3].name;
        let conn = open_writer(dir.path()).expect("fresh");
        let fresh = layout(&conn);
        conn.execute_batch(&format!(
            "DROP VIEW v_strides; DELETE FROM metric_columns WHERE metric = '{name}';
             ALTER TABLE strides DROP COLUMN m_{name}; ALTER TABLE blocks DROP COLUMN m_{name};"
        ))
        .expect("sql");
        let columns = Columns::load(&conn).expect("columns");
        assert!(!columns.present[3] && columns.present[4] && columns.slots.0[3] == usize::MAX);
        drop(conn);
        let conn = open_writer(dir.path()).expect("again");
        let columns = Columns::load(&conn).expect("columns");
        assert_eq!(columns.slots.0[3], METRIC_COUNT, "a slot is never reused");
        assert_eq!(layout(&conn).len(), fresh.len());
    }
}
