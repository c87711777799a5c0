//! What only a disk can get wrong: killed processes, full disks, damage, other programs, and what is left after a
//! deletion.

use super::super::batch::{Batch, FIRST_ANALYSIS};
use super::super::contract::{History, Store};
use super::super::csv::{self, CsvDialect};
use super::super::error::StoreError;
use super::super::event::SessionEvent;
use super::super::fixture::{Dice, closing, events, meta, open, session, stride};
use super::super::query::RowQuery;
use super::super::raw::RawOptions;
use super::super::session::{SessionMeta, SessionState, WallClock};
use super::*;
use crate::metrics::MetricId;
use crate::model::{ClipFlags, ImuSample, Placement, SensorEvent, SessionTime, Vec3};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command as Process, Stdio};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn store_in(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, "test").expect("opens")
}

fn batch_of(id: &str, strides: std::ops::Range<u64>) -> Batch {
    let mut batch = Batch::new(session(id), FIRST_ANALYSIS);
    for n in strides {
        batch.push_stride(&stride(n, Some(Side::Left))).expect("a sound stride");
    }
    batch
}

fn raw_sample(n: u64) -> SensorEvent {
    let x = (n % 1000) as f64 / 2048.0;
    SensorEvent::Sample(
        Placement::LeftFoot,
        ImuSample {
            t: SessionTime::from_nanos(n as i64 * 5_000_000),
            acc: Vec3::new(x, -x, 9.5),
            gyro: Vec3::new(x / 4.0, 0.0, -x),
            clip: ClipFlags::NONE,
            filled: false,
        },
    )
}

fn strides_of(history: &impl History, id: &str) -> Vec<StrideRecord> {
    history
        .strides(&RowQuery {
            limit: usize::MAX,
            ..RowQuery::all(session(id))
        })
        .expect("the session")
        .rows
}

fn check_integrity(dir: &Path) {
    let conn = Connection::open(dir.join(RECORD_FILE)).expect("opens");
    let verdict: String = conn
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a verdict");
    assert_eq!(verdict, "ok");
    let broken = conn
        .prepare("PRAGMA foreign_key_check")
        .expect("sql")
        .exists([])
        .expect("rows");
    assert!(!broken, "no row without its session");
}

/// Tells the child of the kill test where to write, and under which session.
const CHILD_DIR: &str = "LOPE_STORE_KILL_TEST_DIR";
const CHILD_SESSION: &str = "LOPE_STORE_KILL_TEST_SESSION";

/// Appends until killed; says after each flush how many strides are durable.
fn append_until_killed(dir: &Path, id: &str) {
    let store = store_in(dir);
    open_assumed(&store, id);
    let mut raw = store
        .start_raw(&session(id), RawOptions::default())
        .expect("a raw file");
    let mut dice = Dice(id.len() as u64);
    let (mut next, mut said) = (0, std::io::stdout());
    loop {
        let size = 1 + dice.roll() % 40;
        // A sample a stride, so that both can be counted.
        for n in next..next + size {
            raw.push(&raw_sample(n)).expect("kept");
        }
        raw.flush().expect("durable");
        store.append(batch_of(id, next..next + size)).expect("kept");
        next += size;
        if !dice.roll().is_multiple_of(3) {
            store.flush().expect("durable");
            // Straight to the pipe: the harness keeps what the print macros say.
            writeln!(said, "durable {next}")
                .and_then(|()| said.flush())
                .expect("the parent listens");
        }
    }
}

fn open_assumed(store: &SqliteStore, id: &str) {
    let meta = SessionMeta {
        wall_clock: WallClock::Assumed,
        ..meta(id)
    };
    store.open_session(&meta).expect("opens");
}

#[test]
fn a_writer_killed_at_any_moment_loses_nothing_that_was_flushed() {
    if let (Ok(dir), Ok(id)) = (std::env::var(CHILD_DIR), std::env::var(CHILD_SESSION)) {
        append_until_killed(Path::new(&dir), &id);
    }
    let dir = folder();
    let this_test = "store::sqlite::tests::a_writer_killed_at_any_moment_loses_nothing_that_was_flushed";
    let mut dice = Dice(20);
    for moment in 0..20 {
        let id = format!("kill{moment}");
        let mut child = Process::new(std::env::current_exe().expect("this program"))
            .args([this_test, "--exact"])
            .env(CHILD_DIR, dir.path())
            .env(CHILD_SESSION, &id)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut durable = 0;
        let mut hear =
            |line: String| durable = line.strip_prefix("durable ").map_or(durable, |n| n.parse().expect("n"));
        for _ in 0..3 + dice.roll() % 30 {
            hear(lines.next().expect("the child goes on").expect("text"));
        }
        // Some busy work of random length, so that the moment falls anywhere in the child's round.
        let mut spin = 0_u64;
        for _ in 0..dice.roll() % 400_000 {
            spin = spin.wrapping_add(dice.roll());
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        // What it said before it died counts too.
        lines.map_while(Result::ok).for_each(&mut hear);

        let store = store_in(dir.path());
        let found = strides_of(&store, &id);
        assert!(
            durable > 0 && found.len() as u64 >= durable,
            "{} found, {durable} flushed, {spin}",
            found.len()
        );
        let whole: Vec<_> = (0..found.len() as u64).map(|n| stride(n, Some(Side::Left))).collect();
        assert_eq!(found, whole, "a prefix without holes");
        let row = store.session(&session(&id)).expect("read").expect("the session");
        assert_eq!(
            (row.state, row.strides),
            (SessionState::Recovered, Some(found.len() as u64))
        );
        let samples = store.raw(&session(&id)).expect("raw").map(|e| e.expect("sound"));
        assert!(
            samples.count() >= found.len(),
            "raw samples never end before the strides made from them"
        );
        drop(store);
        check_integrity(dir.path());
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost_or_torn_once_there_is_room() {
    let dir = folder();
    let store = store_in(dir.path());
    open(&store, "s1");
    store.append(batch_of("s1", 0..50)).expect("kept");
    store.flush().expect("durable");
    let pages: i64 = {
        let conn = Connection::open(dir.path().join(RECORD_FILE)).expect("opens");
        conn.query_row("PRAGMA page_count", [], |row| row.get(0))
            .expect("pages")
    };
    store.limit_pages(pages + 20);
    // From the last good flush on, as the contract asks.
    let (mut durable, mut full) = (50, None);
    for n in (50..4000).step_by(10) {
        let told = store.append(batch_of("s1", n..n + 10)).map(drop);
        let told = told.and_then(|()| {
            if n % 50 == 0 {
                store.flush().map(|_| durable = n + 10)
            } else {
                Ok(())
            }
        });
        if let Err(error) = told {
            full = Some(error);
            break;
        }
    }
    assert!(matches!(full, Some(StoreError::Full { .. })), "{full:?}");
    // The view still reads, and what was durable is all there.
    let found = strides_of(&store, "s1").len() as u64;
    assert!(found >= durable && found < 4000);
    let _ = store.flush();
    store.limit_pages(1_000_000);
    store.append(batch_of("s1", durable..4000)).expect("there is room");
    store.flush().expect("durable");
    let row = store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closes");
    assert_eq!(row.strides, Some(4000));
    drop(store);
    check_integrity(dir.path());
}

#[test]
fn after_a_failed_commit_nothing_is_taken_before_the_caller_has_heard_of_it() {
    let dir = folder();
    let store = store_in(dir.path());
    open(&store, "s1");
    store.append(batch_of("s1", 0..10)).expect("kept");
    store.flush().expect("durable");
    store.limit_pages(1);
    // SQLite takes no limit below the present size, so one row may still fit; a hundred do not.
    let mut first = Ok(());
    for n in (10..5000).step_by(100) {
        first = store
            .append(batch_of("s1", n..n + 100))
            .map(drop)
            .and_then(|()| store.flush().map(drop));
        if first.is_err() {
            break;
        }
    }
    assert!(matches!(first, Err(StoreError::Full { .. })), "{first:?}");
    check_integrity(dir.path());
}

#[test]
fn a_damaged_record_is_told_and_never_a_panic() {
    let dir = folder();
    let store = store_in(dir.path());
    open(&store, "s1");
    store.append(batch_of("s1", 0..2000)).expect("kept");
    store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closes");
    drop(store);
    let path = dir.path().join(RECORD_FILE);
    let sound = std::fs::read(&path).expect("the record");
    let mut dice = Dice(5);
    let mut corrupt = 0;
    for _ in 0..40 {
        let mut bytes = sound.clone();
        // The first page says what the file is; damage lies behind it.
        for _ in 0..200 {
            let at = 4096 + (dice.roll() as usize) % (bytes.len() - 4096);
            bytes[at] ^= 1 + (dice.roll() % 255) as u8;
        }
        std::fs::write(&path, &bytes).expect("written");
        let answer = SqliteReader::open(dir.path()).and_then(|reader| {
            let query = RowQuery {
                limit: usize::MAX,
                ..RowQuery::all(session("s1"))
            };
            reader.strides(&query).and_then(|_| reader.summary(&session("s1")))
        });
        match answer {
            Err(StoreError::Corrupt { .. }) => corrupt += 1,
            // A flipped bit inside a number is a number; a session that cannot be found any more is missing.
            Ok(_) | Err(StoreError::Missing { .. }) => {}
            Err(other) => panic!("{other:?} is no word for damage"),
        }
    }
    assert!(corrupt > 20, "{corrupt} of 40 damaged files were called so");
}

#[test]
fn other_programs_read_while_it_is_written() {
    let dir = folder();
    let store = store_in(dir.path());
    open(&store, "s1");
    store.append(batch_of("s1", 0..100)).expect("kept");
    store.flush().expect("durable");
    let other = Connection::open(dir.path().join(RECORD_FILE)).expect("opens");
    // A question in the middle of being answered does not hold the writer up, and does not see what comes after it.
    other.execute_batch("BEGIN").expect("begins");
    let count = |conn: &Connection| {
        conn.query_row("SELECT count(*) FROM v_strides WHERE session_id = 's1'", [], |row| {
            row.get::<_, i64>(0)
        })
    };
    assert_eq!(count(&other), Ok(100));
    store.append(batch_of("s1", 100..200)).expect("kept");
    store.flush().expect("durable");
    assert_eq!(count(&other), Ok(100));
    other.execute_batch("COMMIT").expect("ends");
    assert_eq!(count(&other), Ok(200));

    let want = stride(2, Some(Side::Left));
    let (time, side, contact_ms): (f64, String, Option<f64>) = other
        .query_row(
            "SELECT time, side, contact_time_ms FROM v_strides WHERE idx = 2",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .expect("a row");
    assert!((time - (1_772_346_600.0 + want.stride.start.secs())).abs() < 1e-5);
    assert_eq!(side, "left");
    assert_eq!(contact_ms, want.metrics.value(MetricId::ContactTime).map(|v| v * 1e3));
    let state: String = other
        .query_row("SELECT state FROM v_sessions", [], |row| row.get(0))
        .expect("a row");
    assert_eq!(state, "open");

    // And lope itself, from another process, needs no lock to read.
    let reader = SqliteReader::open(dir.path()).expect("opens");
    assert_eq!(strides_of(&reader, "s1").len(), 200);
    assert!(matches!(
        SqliteStore::open(dir.path(), "lope import"),
        Err(StoreError::Busy { holder: Some(_) })
    ));
}

#[test]
fn there_is_no_store_where_none_was_made() {
    let dir = folder();
    assert!(matches!(
        SqliteReader::open(dir.path()),
        Err(StoreError::Missing { .. })
    ));
    std::fs::write(dir.path().join(RECORD_FILE), "").expect("written");
    assert!(matches!(
        SqliteReader::open(dir.path()),
        Err(StoreError::Missing { .. })
    ));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_record() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = folder();
    let inner = dir.path().join("data");
    let store = store_in(&inner);
    open(&store, "s1");
    let mut raw = store
        .start_raw(&session("s1"), RawOptions::default())
        .expect("a raw file");
    raw.push(&raw_sample(0)).expect("kept");
    store.seal_raw(raw).expect("sealed");
    drop(store);
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&inner), mode(&inner.join(RECORD_FILE))), (0o700, 0o600));
    assert_eq!(
        (mode(&inner.join("raw")), mode(&inner.join("raw/s1.db"))),
        (0o700, 0o600)
    );
}

/// Whether any file under `dir` holds `needle`.
fn holds(dir: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(dir).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        std::fs::read(&path)
            .expect("a file")
            .windows(needle.len())
            .any(|w| w == needle)
    })
}

#[test]
fn nothing_of_a_deleted_session_is_left_in_any_file() {
    const WORD: &str = "canary-7f3a-bird";
    const NUMBER: f64 = 1_234.567_890_123_4;
    let dir = folder();
    let store = store_in(dir.path());
    let secret = SessionMeta {
        note: Some(WORD.to_owned()),
        ..meta("secret")
    };
    store.open_session(&secret).expect("opens");
    open_assumed(&store, "other");
    let mut batch = batch_of("secret", 0..300);
    let mut row = stride(400, Some(Side::Left));
    row.metrics.set(MetricId::Speed, Ok(NUMBER));
    batch.push_stride(&row).expect("sound");
    batch
        .push_event(SessionEvent::Marker {
            t: SessionTime::ZERO,
            text: WORD.to_owned(),
        })
        .expect("sound");
    store.append(batch).expect("kept");
    store.append(batch_of("other", 0..300)).expect("kept");
    let mut raw = store
        .start_raw(&session("secret"), RawOptions::default())
        .expect("a raw file");
    (0..500).for_each(|n| raw.push(&raw_sample(n)).expect("kept"));
    store.seal_raw(raw).expect("sealed");
    store
        .close_session(&session("secret"), &closing(FIRST_ANALYSIS))
        .expect("closes");
    let number = NUMBER.to_be_bytes();
    assert!(
        holds(dir.path(), WORD.as_bytes()) && holds(dir.path(), &number),
        "the test can see what it looks for"
    );
    let others = strides_of(&store, "other");

    assert_eq!(store.delete_session(&session("secret")).map(|d| d.rows), Ok(302));
    for needle in [WORD.as_bytes(), &number, b"secret"] {
        assert!(!holds(dir.path(), needle), "while the store is open");
    }
    assert!(matches!(store.raw(&session("secret")), Err(StoreError::Missing { .. })));
    assert_eq!(strides_of(&store, "other"), others);
    drop(store);
    for needle in [WORD.as_bytes(), &number, b"secret"] {
        assert!(!holds(dir.path(), needle), "after it was closed");
    }
    check_integrity(dir.path());
}

#[test]
fn a_session_as_csv_says_what_was_measured_and_nothing_else() {
    let dir = folder();
    let store = store_in(dir.path());
    open(&store, "s1");
    let mut batch = batch_of("s1", 0..30);
    events().into_iter().for_each(|e| batch.push_event(e).expect("sound"));
    store.append(batch).expect("kept");
    store.flush().expect("durable");
    let mut out = Vec::new();
    assert_eq!(
        csv::write_strides(&store, &session("s1"), CsvDialect::Plain, &mut out),
        Ok(30)
    );
    let text = String::from_utf8(out).expect("text");
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().expect("a header");
    let column = |name: &str| head.iter().position(|h| *h == name).expect("a column");
    assert_eq!(&head[..4], ["session", "time_utc", "side", "seen_from"]);
    for (n, cells) in lines.enumerate() {
        let want = stride(n as u64, Some(Side::Left));
        assert_eq!(cells.len(), head.len());
        assert_eq!((cells[0], cells[column("side")]), ("s1", "left"));
        let contact = want.metrics.value(MetricId::ContactTime).map(|v| (v * 1e3).to_string());
        assert_eq!(
            cells[column("contact_time_ms")],
            contact.unwrap_or_default(),
            "empty is not measured"
        );
        let start: f64 = cells[column("t_s")].parse().expect("a number");
        assert_eq!(start, want.stride.start.secs());
    }
    let second = text.lines().nth(2).expect("a second stride");
    assert!(
        second.starts_with("s1,2026-03-01T06:30:00.700000Z,left,foot,running,"),
        "{second}"
    );

    let mut out = Vec::new();
    assert_eq!(
        csv::write_events(&store, &session("s1"), CsvDialect::Excel, &mut out),
        Ok(events().len() as u64)
    );
    let text = String::from_utf8(out).expect("text");
    assert!(text.starts_with("\u{feff}session;time_utc;kind;"));
    assert!(text.contains("\"'=cmd|' /c calc'!A0, \"\"lap\"\" 1\""), "{text}");
    assert!(matches!(
        csv::write_strides(&store, &session("no"), CsvDialect::Plain, &mut Vec::new()),
        Err(StoreError::Missing { .. })
    ));
}
