//! The outbox: what is noted, in which order it is handed over, and what a full disk or a second process does to it.

use super::super::batch::{Batch, FIRST_ANALYSIS};
use super::super::contract::Store;
use super::super::error::StoreError;
use super::super::fixture::{Dice, closing, meta, open, session, stride};
use super::super::ids::UtcMicros;
use super::super::outbox::{Content, Next, OutRow, Position, SinkName};
use super::super::session::{SessionMeta, WallClock};
use super::ledger::{Registered, SinkLedger, sink_statuses};
use super::{RECORD_FILE, SqliteStore};
use crate::model::Side;
use rusqlite::Connection;
use std::ops::ControlFlow;
use std::path::Path;

const NOW: UtcMicros = UtcMicros::EPOCH;

fn club() -> SinkName {
    SinkName::parse("club").expect("a name")
}

fn ledger(dir: &Path) -> SinkLedger {
    SinkLedger::open(dir, &club(), "there", NOW).expect("a record").0
}

fn entries(dir: &Path) -> u64 {
    sink_statuses(dir).expect("read").first().map_or(0, |s| s.waiting)
}

fn append(store: &SqliteStore, id: &str, strides: std::ops::Range<u64>) {
    let mut batch = Batch::new(session(id), FIRST_ANALYSIS);
    for n in strides {
        batch.push_stride(&stride(n, Some(Side::Left))).expect("sound");
    }
    store.append(batch).expect("kept");
}

/// Takes up to `most` rows.
fn take(ledger: &SinkLedger, most: usize) -> (Vec<OutRow>, Next) {
    let mut rows = Vec::new();
    let next = ledger
        .next(&mut |row| {
            if rows.len() >= most {
                return ControlFlow::Break(());
            }
            rows.push(row);
            ControlFlow::Continue(())
        })
        .expect("read");
    (rows, next)
}

/// Works everything off in batches of random sizes; the indices of the strides in the order they came.
fn drain(ledger: &mut SinkLedger, dice: &mut Dice) -> Vec<u32> {
    let mut seen = Vec::new();
    loop {
        let (rows, next) = take(ledger, 1 + (dice.roll() % 70) as usize);
        match next {
            Next::Nothing => return seen,
            Next::Erase { then, .. } => ledger.settle(then, 0, &[], NOW).expect("noted"),
            Next::Rows { then } => {
                // Now and then only a part is settled, as after a batch with too many bad lines.
                let part = (dice.roll().is_multiple_of(3) && rows.len() > 1).then_some(rows.len() / 2);
                let at = part.map_or(then, |n| rows[n].place);
                for row in &rows[..part.unwrap_or(rows.len())] {
                    if let Content::Stride(s) = &row.content {
                        seen.push(s.index);
                    }
                }
                ledger.settle(at, part.unwrap_or(rows.len()), &[], NOW).expect("noted");
            }
        }
    }
}

#[test]
fn without_a_sink_nothing_is_noted_and_a_new_one_gets_everything() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    open(&store, "s1");
    append(&store, "s1", 0..300);
    store.flush().expect("durable");
    let conn = Connection::open(dir.path().join(RECORD_FILE)).expect("opens");
    let count = || {
        conn.query_row("SELECT count(*) FROM outbox", [], |r| r.get::<_, i64>(0))
            .expect("a count")
    };
    assert_eq!(count(), 0);
    let mut ledger = ledger(dir.path());
    assert_eq!(count(), 1, "the strides; the session has not ended");
    append(&store, "s1", 300..310);
    store.flush().expect("durable");
    append(&store, "s1", 305..310);
    store.flush().expect("durable");
    assert_eq!(count(), 2, "rows that were known bring no entry");
    let seen = drain(&mut ledger, &mut Dice(3));
    assert_eq!(
        seen,
        (0..310).collect::<Vec<u32>>(),
        "each once, in order, however it is cut"
    );
    assert_eq!(count(), 0, "what every sink has passed goes");
    ledger.forget().expect("forgotten");
    append(&store, "s1", 310..320);
    store.flush().expect("durable");
    assert_eq!(count(), 0);
}

#[test]
fn a_sink_goes_on_where_it_stood_and_begins_anew_at_another_place() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    open(&store, "s1");
    append(&store, "s1", 0..100);
    store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closed");
    let mut first = ledger(dir.path());
    let (rows, _) = take(&first, 41);
    first.settle(rows[40].place, 40, &[], NOW).expect("noted");
    let busy = SinkLedger::open(dir.path(), &club(), "there", NOW).expect_err("one process at a time");
    assert!(matches!(busy, StoreError::Busy { .. }));
    drop(first);
    let open_at = |target: &str| SinkLedger::open(dir.path(), &club(), target, NOW).expect("a record");
    let (same, registered) = open_at("there");
    assert_eq!(registered, Registered::Known);
    let (rows, _) = take(&same, 1000);
    assert_eq!(rows.len(), 61, "sixty strides and the session");
    drop(same);
    let (mut other, registered) = open_at("elsewhere");
    assert_eq!(registered, Registered::New);
    assert_eq!(drain(&mut other, &mut Dice(1)).len(), 100);
}

#[test]
fn two_sinks_do_not_get_in_each_others_way() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    let other = SinkName::parse("other").expect("a name");
    drop(ledger(dir.path()));
    open(&store, "s1");
    append(&store, "s1", 0..50);
    store.flush().expect("durable");
    drop(SinkLedger::open(dir.path(), &other, "x", NOW).expect("a record"));
    append(&store, "s1", 50..60);
    store.flush().expect("durable");
    assert_eq!(drain(&mut ledger(dir.path()), &mut Dice(5)).len(), 60);
    let (mut second, _) = SinkLedger::open(dir.path(), &other, "x", NOW).expect("a record");
    assert_eq!(
        drain(&mut second, &mut Dice(6)).len(),
        60,
        "what the first has passed is kept for the second"
    );
}

#[test]
fn what_was_removed_is_not_sent_and_what_was_sent_is_removed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    let mut ledger = ledger(dir.path());
    open(&store, "s1");
    append(&store, "s1", 0..50);
    store.flush().expect("durable");
    drain(&mut ledger, &mut Dice(1));
    append(&store, "s1", 50..60);
    store.delete_session(&session("s1")).expect("removed");
    let (rows, next) = take(&ledger, 1000);
    let Next::Erase { erasure, then } = next else {
        panic!("{next:?}")
    };
    assert!(rows.is_empty());
    let start = meta("s1").start.micros();
    assert_eq!((erasure.from_us, erasure.to_us), (start, start + 59 * 700_000 + 1));
    ledger.settle(then, 0, &[], NOW).expect("noted");
    assert_eq!(take(&ledger, 1), (vec![], Next::Nothing));
}

#[test]
fn a_long_session_without_a_connection_leaves_one_entry_a_kind() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    let mut ledger = ledger(dir.path());
    open(&store, "s1");
    for n in 0..1100 {
        append(&store, "s1", n..n + 1);
        store.flush().expect("durable");
    }
    assert_eq!(entries(dir.path()), 1100);
    store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closed");
    assert_eq!(entries(dir.path()), 2);
    let mut seen = drain(&mut ledger, &mut Dice(9));
    seen.dedup();
    assert_eq!(seen, (0..1100).collect::<Vec<u32>>());
}

#[test]
fn rows_of_a_commit_that_failed_are_not_noted() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    drop(ledger(dir.path()));
    open(&store, "s1");
    append(&store, "s1", 0..10);
    store.crash();
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    // Only that the session ended without its rows.
    let (rows, _) = take(&ledger(dir.path()), 100);
    assert!(
        rows.iter().all(|r| matches!(r.content, Content::Session(..))),
        "{rows:?}"
    );
    drop(store);
}

#[test]
fn a_session_of_an_assumed_time_is_never_noted() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    let assumed = SessionMeta {
        wall_clock: WallClock::Assumed,
        ..meta("s1")
    };
    store.open_session(&assumed).expect("opens");
    append(&store, "s1", 0..10);
    store.flush().expect("durable");
    let ledger = ledger(dir.path());
    append(&store, "s1", 10..20);
    store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closed");
    assert_eq!(take(&ledger, 10), (vec![], Next::Nothing));
    assert_eq!(entries(dir.path()), 0);
}

#[test]
fn a_folder_without_a_record_gets_none() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    assert!(matches!(
        SinkLedger::open(dir.path(), &club(), "x", NOW),
        Err(StoreError::Missing { .. })
    ));
    assert!(!dir.path().join(RECORD_FILE).exists());
    assert_eq!(
        Position::default(),
        Position {
            last_seq: 0,
            resume_us: None
        }
    );
}
