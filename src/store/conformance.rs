//! One suite for every backend: the promises of [`super::contract`], each as a test.
//!
//! A backend joins with one line, `conformance!(name, its Backend)`, at the end of this file. The cases know nothing of a
//! backend but that it can be opened, opened again, and made to crash.

use super::batch::{Batch, FIRST_ANALYSIS, to_micros};
use super::contract::{Appended, History, Opened, Store};
use super::error::StoreError;
use super::event::SessionEvent;
use super::fixture::{self, WINDOW, block, closing, key_of, meta, session, stride};
use super::query::{Completeness, RowQuery, SessionQuery, SideFilter};
use super::session::{SessionState, WallClock};
use super::summary::{SideScope, quantile};
use super::{AthleteId, BucketQuery, MemoryDisk, MemoryStore, SqliteStore, UtcMicros};
use crate::metrics::{METRICS, MetricId, StrideRecord};
use crate::model::{Absent, DataClass, SegmentKind, SessionTime, Side, Span};
use crate::pipeline::Window;

/// What the suite needs of a backend.
pub(crate) trait Backend {
    type Store: Store + History;
    /// An empty place to keep things.
    fn new() -> Self;
    /// Opens what is kept there.
    fn open(&self) -> Result<Self::Store, StoreError>;
    /// Ends a store as a killed process would.
    fn crash(store: Self::Store);
}

/// A store with one open session.
pub(super) fn begun<B: Backend>() -> (B, B::Store) {
    let backend = B::new();
    let store = backend.open().expect("an empty place opens");
    assert_eq!(store.open_session(&meta("s1")), Ok(Opened::New));
    (backend, store)
}

pub(super) fn batch_of(rows: &[StrideRecord]) -> Batch {
    let mut batch = Batch::new(session("s1"), FIRST_ANALYSIS);
    for row in rows {
        batch.push_stride(row).expect("a sound stride");
    }
    batch
}

pub(super) fn all_strides(history: &impl History) -> Vec<StrideRecord> {
    let page = history
        .strides(&RowQuery::all(session("s1")))
        .expect("the session exists");
    assert_eq!(page.completeness, Completeness::Complete);
    page.rows
}

/// Strides of both sides, `n` a side, in the order of time.
pub(super) fn run(n: u64) -> Vec<StrideRecord> {
    let sides = [Some(Side::Left), Some(Side::Right)];
    (0..n).flat_map(|i| sides.map(|side| stride(i, side))).collect()
}

pub(crate) fn what_was_written_is_read<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let mut rows = run(20);
    rows.push(stride(20, None));
    let events = fixture::events();
    let mut batch = batch_of(&rows);
    for n in 0..3 {
        batch.push_block(&block(n, Some(Side::Left))).expect("a sound block");
        batch.push_block(&block(n, None)).expect("a sound block");
    }
    batch.push_window(&WINDOW).expect("a sound window");
    batch
        .push_window(&Window {
            t: SessionTime::from_secs(2.0),
            spectral_cadence: None,
            ..WINDOW
        })
        .expect("sound");
    for event in &events {
        batch.push_event(event.clone()).expect("a sound event");
    }
    let (count, want) = (batch.len(), batch.clone());
    assert_eq!(store.append(batch), Ok(Appended { new: count, known: 0 }));
    assert_eq!(store.flush().map(|d| d.rows), Ok(count as u64));
    assert_eq!(all_strides(&store), rows);
    let query = RowQuery::all(session("s1"));
    let mut blocks = want.blocks().to_vec();
    blocks.sort_by_key(|b| (b.start, b.side));
    assert_eq!(store.blocks(&query).expect("blocks").rows, blocks);
    assert_eq!(store.windows(&query).expect("windows").rows, want.windows());
    let mut sorted = want.events().to_vec();
    sorted.sort_by_key(|e| (e.time(), e.kind(), e.body()));
    assert_eq!(store.events(&query).expect("events").rows, sorted);
    let left = RowQuery {
        side: SideFilter::Only(Side::Left),
        ..query
    };
    assert!(
        store
            .strides(&left)
            .expect("strides")
            .rows
            .iter()
            .all(|r| r.stride.side == Some(Side::Left))
    );
    assert_eq!(store.blocks(&left).expect("blocks").rows.len(), 3);
}

pub(crate) fn the_same_rows_in_any_shape_and_order_leave_one_row_each<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let rows = run(30);
    let backwards: Vec<_> = rows.iter().rev().cloned().collect();
    store.append(batch_of(&rows[10..25])).expect("new");
    for chunk in backwards.chunks(7) {
        store.append(batch_of(chunk)).expect("some known");
    }
    let twice: Vec<_> = rows.iter().chain(&backwards).cloned().collect();
    assert_eq!(
        store.append(batch_of(&twice)),
        Ok(Appended {
            new: 0,
            known: twice.len()
        })
    );
    store.flush().expect("flush");
    assert_eq!(all_strides(&store), rows);
    assert_eq!(store.open_session(&meta("s1")), Ok(Opened::AlreadyOpen));
}

pub(crate) fn a_key_with_a_different_content_is_a_conflict_and_its_batch_leaves_nothing<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let rows = run(5);
    let mut batch = batch_of(&rows);
    batch.push_block(&block(0, None)).expect("a sound block");
    batch.push_window(&WINDOW).expect("a sound window");
    store.append(batch).expect("new");
    let mut other = rows[4].clone();
    other.metrics.set(MetricId::Speed, Ok(99.0));
    let mut conflict = batch_of(&[stride(90, None), other.clone(), stride(91, None)]);
    conflict
        .push_window(&Window {
            t: SessionTime::from_secs(7.0),
            ..WINDOW
        })
        .expect("sound");
    assert!(matches!(store.append(conflict), Err(StoreError::Conflict { key }) if key.contains("stride of s1")));
    let mut block_conflict = batch_of(&[stride(92, None)]);
    block_conflict
        .push_block(&crate::pipeline::Block {
            usable: 1,
            ..block(0, None)
        })
        .expect("sound");
    assert!(matches!(store.append(block_conflict), Err(StoreError::Conflict { .. })));
    let mut window_conflict = batch_of(&[stride(93, None)]);
    window_conflict
        .push_window(&Window {
            spectral_cadence: None,
            ..WINDOW
        })
        .expect("sound");
    assert!(matches!(
        store.append(window_conflict),
        Err(StoreError::Conflict { .. })
    ));
    // A new analysis is where new numbers belong.
    let mut second = Batch::new(session("s1"), FIRST_ANALYSIS + 1);
    second.push_stride(&other).expect("sound");
    assert_eq!(store.append(second), Ok(Appended { new: 1, known: 0 }));
    store.flush().expect("flush");
    assert_eq!(all_strides(&store), rows);
    assert_eq!(
        store.windows(&RowQuery::all(session("s1"))).expect("windows").rows,
        [WINDOW]
    );
    let query = RowQuery {
        analysis: Some(FIRST_ANALYSIS + 1),
        ..RowQuery::all(session("s1"))
    };
    assert_eq!(store.strides(&query).expect("strides").rows, [other]);
}

pub(crate) fn what_was_flushed_survives_a_crash<B: Backend>() {
    let (backend, store) = begun::<B>();
    let rows = run(40);
    store.append(batch_of(&rows[..50])).expect("new");
    store.flush().expect("flush");
    store.append(batch_of(&rows[50..60])).expect("new");
    B::crash(store);
    let store = backend.open().expect("opens again");
    let found = all_strides(&store);
    assert!(
        found == rows[..50] || found == rows[..60],
        "a prefix in whole batches, not {}",
        found.len()
    );
}

pub(crate) fn questions_are_half_open_and_an_empty_span_is_an_empty_answer<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let rows = run(10);
    store.append(batch_of(&rows)).expect("new");
    store.flush().expect("flush");
    let ask = |from: SessionTime, to: SessionTime| {
        let span = Span::new(from, to).expect("forward");
        store
            .strides(&RowQuery {
                span,
                ..RowQuery::all(session("s1"))
            })
            .expect("strides")
            .rows
    };
    let (from, to) = (rows[3].stride.start, rows[9].stride.start);
    assert_eq!(ask(from, to), rows[3..9]);
    assert_eq!(ask(from, from), []);
    // A nanosecond after a row is after it.
    let after = SessionTime::from_nanos(from.nanos() + 1);
    assert_eq!(ask(after, to), rows[4..9]);
    assert_eq!(ask(from, SessionTime::from_nanos(to.nanos() + 1)), rows[3..10]);
}

pub(crate) fn a_read_sees_whole_batches<B: Backend>()
where
    B::Store: 'static,
{
    const SIZE: usize = 7;
    let (_backend, store) = begun::<B>();
    let rows = run(140);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for chunk in rows.chunks(SIZE) {
                store.append(batch_of(chunk)).expect("new");
                store.flush().expect("flush");
            }
        });
        let mut seen = 0;
        while !writer.is_finished() || seen == 0 {
            let found = all_strides(&store);
            assert_eq!(found.len() % SIZE, 0, "{} rows are no whole batches", found.len());
            assert!(found.len() >= seen, "what was seen does not go away");
            assert_eq!(found, rows[..found.len()]);
            seen = found.len();
        }
    });
    assert_eq!(all_strides(&store), rows);
}

pub(crate) fn absence_is_absence_and_numbers_that_are_not_finite_are_refused<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let mut row = stride(0, Some(Side::Left));
    let reasons = [
        Absent::NoSensor,
        Absent::Gap,
        Absent::NotAligned,
        Absent::NoStanding,
        Absent::NotSynchronised,
        Absent::Clipped,
        Absent::NotInThisActivity,
        Absent::NoAthleteFact,
        Absent::TooFewStrides,
        Absent::Refused,
        Absent::SideUnknown,
        Absent::NotStraightAndLevel,
        Absent::NotComputed,
    ];
    for (def, reason) in METRICS.iter().zip(reasons) {
        row.metrics.set(def.id, Err(reason));
    }
    row.metrics.set(MetricId::StrideTimeCv, Ok(0.0));
    row.metrics.set(MetricId::StrideLengthCv, Ok(f64::MIN_POSITIVE / 8.0));
    let mut batch = batch_of(std::slice::from_ref(&row));
    for spoil in fixture::SPOILS {
        let mut bad = stride(1, None);
        spoil(&mut bad);
        assert!(matches!(batch.push_stride(&bad), Err(StoreError::Rejected { .. })));
    }
    let bad = Window {
        spectral_cadence: Some(f64::NAN),
        ..WINDOW
    };
    assert!(matches!(batch.push_window(&bad), Err(StoreError::Rejected { .. })));
    let t = SessionTime::ZERO;
    let bad = SessionEvent::CadenceDisagrees {
        t,
        events: f64::INFINITY,
        spectrum: 170.0,
    };
    assert!(matches!(batch.push_event(bad), Err(StoreError::Rejected { .. })));
    assert_eq!(batch.len(), 1);
    store.append(batch).expect("new");
    store.flush().expect("flush");
    assert_eq!(all_strides(&store), [row]);
}

pub(crate) fn time_is_rounded_once_to_microseconds<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let mut row = stride(3, Some(Side::Right));
    row.stride.start = SessionTime::from_nanos(1_234_567_890);
    if let Some(c) = &mut row.stride.contact {
        c.m = row.stride.start;
    }
    store.append(batch_of(std::slice::from_ref(&row))).expect("new");
    assert_eq!(
        store.append(batch_of(std::slice::from_ref(&row))),
        Ok(Appended { new: 0, known: 1 })
    );
    store.flush().expect("flush");
    let found = all_strides(&store);
    assert_eq!(found[0].stride.start.nanos(), 1_234_568_000);
    assert_eq!(found[0].stride.contact.map(|c| c.m), Some(found[0].stride.start));
    assert_eq!(found[0].stride.end, to_micros(row.stride.end));
}

pub(crate) fn a_long_answer_comes_in_pages_that_join_without_seam<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let mut rows = run(25);
    // Two feet that land in the same microsecond.
    let mut twin = rows[9].clone();
    twin.stride.side = None;
    twin.stride.seen_from = SegmentKind::Sacrum;
    rows.push(twin);
    rows.sort_by_key(key_of);
    store.append(batch_of(&rows)).expect("new");
    store.flush().expect("flush");
    for limit in [1, 2, 9, 10, 50, 51, 100] {
        let mut query = RowQuery {
            limit,
            ..RowQuery::all(session("s1"))
        };
        let mut joined = Vec::new();
        loop {
            let page = store.strides(&query).expect("strides");
            assert!(page.rows.len() <= limit + 1);
            joined.extend(page.rows);
            let Completeness::Truncated { resume_at } = page.completeness else {
                break;
            };
            query.span = Span::new(resume_at, query.span.end()).expect("forward");
        }
        assert_eq!(joined, rows, "limit {limit}");
    }
}

pub(crate) fn errors_are_typed<B: Backend>() {
    let (backend, store) = begun::<B>();
    assert!(matches!(backend.open(), Err(StoreError::Busy { holder: Some(h) }) if h.pid == std::process::id()));
    let nobody = session("nobody");
    let missing = |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::Missing { .. })));
    let query = RowQuery::all(nobody.clone());
    missing(store.append(Batch::new(nobody.clone(), FIRST_ANALYSIS)).map(drop));
    missing(store.strides(&query).map(drop));
    missing(store.blocks(&query).map(drop));
    missing(store.windows(&query).map(drop));
    missing(store.events(&query).map(drop));
    missing(store.latest(&nobody, None).map(drop));
    missing(store.summary(&nobody).map(drop));
    missing(store.close_session(&nobody, &closing(FIRST_ANALYSIS)).map(drop));
    missing(store.delete_session(&nobody).map(drop));
    assert_eq!(store.session(&nobody), Ok(None));
    let mut odd = meta("s2");
    odd.facts.height_m = Some(f64::NAN);
    assert!(matches!(store.open_session(&odd), Err(StoreError::Rejected { .. })));
    let odd = super::SessionMeta {
        start: UtcMicros::LIMIT,
        ..meta("s2")
    };
    assert!(matches!(store.open_session(&odd), Err(StoreError::Rejected { .. })));
    let mut odd = meta("s2");
    odd.sensors.extend(odd.sensors.clone());
    assert!(matches!(store.open_session(&odd), Err(StoreError::Rejected { .. })));
}

pub(crate) fn a_session_that_was_not_ended_is_recovered_and_can_be_finished<B: Backend>() {
    let (backend, store) = begun::<B>();
    let rows = run(30);
    store.append(batch_of(&rows[..40])).expect("new");
    store.flush().expect("flush");
    assert_eq!(
        store.session(&session("s1")).expect("read").map(|s| (s.state, s.stop)),
        Some((SessionState::Open, None))
    );
    assert_eq!(store.summary(&session("s1")), Ok(vec![]));
    B::crash(store);

    let store = backend.open().expect("opens again");
    let row = store.session(&session("s1")).expect("read").expect("the session");
    let end = rows[..40].iter().map(|r| r.stride.end).max();
    assert_eq!(
        (row.state, row.stop, row.strides),
        (SessionState::Recovered, end, Some(40))
    );
    assert!(!store.summary(&session("s1")).expect("summary").is_empty());

    // The same recording analysed again, from its begin.
    assert_eq!(store.open_session(&meta("s1")), Ok(Opened::Resumed));
    assert_eq!(store.append(batch_of(&rows)), Ok(Appended { new: 20, known: 40 }));
    let closed = store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closes");
    assert_eq!((closed.state, closed.strides), (SessionState::Closed, Some(60)));
    drop(store);

    let store = backend.open().expect("opens again");
    assert_eq!(store.session(&session("s1")), Ok(Some(closed)));
    assert_eq!(store.open_session(&meta("s1")), Ok(Opened::AlreadyClosed));
    assert_eq!(all_strides(&store), rows);
}

pub(crate) fn a_deleted_session_is_gone_and_others_are_not<B: Backend>() {
    let (backend, store) = begun::<B>();
    let other = super::SessionMeta {
        start: UtcMicros::from_micros(9_000_000_000),
        ..meta("s2")
    };
    store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closes");
    assert_eq!(store.open_session(&other), Ok(Opened::New));
    store.append(batch_of(&run(10))).expect("new");
    let mut batch = Batch::new(session("s2"), FIRST_ANALYSIS);
    batch.push_stride(&stride(1, None)).expect("sound");
    store.append(batch).expect("new");
    assert_eq!(store.delete_session(&session("s1")).map(|d| d.rows), Ok(20));
    drop(store);
    let store = backend.open().expect("opens again");
    assert_eq!(store.session(&session("s1")), Ok(None));
    assert_eq!(
        store.strides(&RowQuery::all(session("s2"))).expect("strides").rows,
        [stride(1, None)]
    );
    // The id is free for the same recording again, and no row of the first life comes back.
    assert_eq!(store.open_session(&meta("s1")), Ok(Opened::New));
    assert_eq!(all_strides(&store), []);
}

pub(crate) fn sessions_are_listed_by_start_and_come_back_as_given<B: Backend>() {
    let backend = B::new();
    let store = backend.open().expect("opens");
    let at = |id: &str, athlete: &str, start: i64| {
        let athlete = AthleteId::parse(athlete).expect("id");
        super::SessionMeta {
            athlete,
            start: UtcMicros::from_micros(start),
            ..meta(id)
        }
    };
    let metas = [
        at("c", "anna", 30_000),
        at("a", "anna", 10_000),
        at("b", "ben", 20_000),
        at("d", "ben", 30_000),
    ];
    for meta in &metas {
        let meta = super::SessionMeta {
            wall_clock: WallClock::Assumed,
            ..meta.clone()
        };
        assert_eq!(store.open_session(&meta), Ok(Opened::New));
        assert_eq!(
            store.session(&meta.id).expect("read").map(|row| row.meta),
            Some(meta.ordered())
        );
    }
    let ids = |query: SessionQuery| {
        let page = store.sessions(&query).expect("sessions");
        (
            page.rows.iter().map(|r| r.meta.id.to_string()).collect::<String>(),
            page.completeness,
        )
    };
    let all = SessionQuery::default();
    assert_eq!(ids(all.clone()), ("abcd".into(), Completeness::Complete));
    let anna = Some(AthleteId::parse("anna").expect("id"));
    assert_eq!(
        ids(SessionQuery {
            athlete: anna,
            ..all.clone()
        })
        .0,
        "ac"
    );
    let (from, to) = (UtcMicros::from_micros(20_000), UtcMicros::from_micros(30_000));
    assert_eq!(
        ids(SessionQuery {
            from,
            to,
            ..all.clone()
        })
        .0,
        "b"
    );
    let resume_at = UtcMicros::from_micros(30_000);
    assert_eq!(
        ids(SessionQuery {
            limit: 2,
            ..all.clone()
        }),
        ("ab".into(), Completeness::Truncated { resume_at })
    );
    assert_eq!(
        ids(SessionQuery { limit: 3, ..all }),
        ("abcd".into(), Completeness::Complete)
    );
}

pub(crate) fn sessions_of_one_athlete_do_not_overlap_when_their_clocks_are_known<B: Backend>() {
    let (_backend, store) = begun::<B>();
    store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closes");
    let begin = meta("s1").start.micros();
    let later = |us: i64| super::SessionMeta {
        start: UtcMicros::from_micros(begin + us),
        ..meta("s2")
    };
    let stop = closing(FIRST_ANALYSIS).stop.nanos() / 1000;
    let refused = Err(StoreError::Overlap { other: session("s1") });
    assert_eq!(store.open_session(&later(0)), refused);
    assert_eq!(store.open_session(&later(stop - 1)), refused);
    let long = super::SessionMeta {
        expected_stop: Some(SessionTime::from_secs(2.0)),
        ..later(-1_000_000)
    };
    assert_eq!(store.open_session(&long), refused);
    let other_athlete = super::SessionMeta {
        athlete: AthleteId::parse("ben").expect("id"),
        ..later(0)
    };
    assert_eq!(store.open_session(&other_athlete), Ok(Opened::New));
    store.delete_session(&session("s2")).expect("there");
    let assumed = super::SessionMeta {
        wall_clock: WallClock::Assumed,
        ..later(0)
    };
    assert_eq!(store.open_session(&assumed), Ok(Opened::New));
    store.delete_session(&session("s2")).expect("there");
    assert_eq!(store.open_session(&later(stop)), Ok(Opened::New));
    let changed = super::SessionMeta {
        note: Some("another".into()),
        ..later(stop)
    };
    assert!(matches!(store.open_session(&changed), Err(StoreError::Conflict { .. })));
}

pub(crate) fn closing_computes_the_summary_of_good_strides<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let rows = run(60);
    store.append(batch_of(&rows)).expect("new");
    let closed = store
        .close_session(&session("s1"), &closing(FIRST_ANALYSIS))
        .expect("closes");
    assert_eq!(closed.outcomes, closing(FIRST_ANALYSIS).sensors);
    assert_eq!(closed.pipeline_version.as_deref(), Some("0.1.0"));
    let summary = store.summary(&session("s1")).expect("summary");
    for (metric, side) in [
        (MetricId::Speed, SideScope::Both),
        (MetricId::ContactTime, SideScope::Only(Side::Right)),
    ] {
        let mut values: Vec<f64> = rows
            .iter()
            .filter(|r| matches!(r.class, DataClass::A | DataClass::B))
            .filter(|r| side == SideScope::Both || r.stride.side == Some(Side::Right))
            .filter_map(|r| r.metrics.value(metric))
            .collect();
        assert!(values.len() > 5, "the fixture has good strides");
        values.sort_by(f64::total_cmp);
        let row = summary
            .iter()
            .find(|r| r.metric == metric && r.side == side)
            .expect("a row");
        assert_eq!(row.n as usize, values.len());
        assert_eq!(Some(row.median), quantile(&values, 0.5));
        assert_eq!(Some(row.p90), quantile(&values, 0.9));
        assert!((row.mean - values.iter().sum::<f64>() / values.len() as f64).abs() < 1e-12);
    }
    assert!(summary.iter().all(|r| r.n > 0));
    assert!(summary.is_sorted_by_key(|r| (r.metric, r.side)));
    // The same analysis made with something else is no repetition.
    let mut changed = closing(FIRST_ANALYSIS);
    changed.pipeline_version = "0.2.0".into();
    assert!(matches!(
        store.close_session(&session("s1"), &changed),
        Err(StoreError::Conflict { .. })
    ));
    // A second analysis takes over.
    let mut second = Batch::new(session("s1"), 2);
    second.push_stride(&stride(0, Some(Side::Left))).expect("sound");
    store.append(second).expect("new");
    let row = store.close_session(&session("s1"), &closing(2)).expect("closes");
    assert_eq!((row.current_analysis, row.strides), (2, Some(1)));
    assert_eq!(all_strides(&store), [stride(0, Some(Side::Left))]);
}

pub(crate) fn buckets_agree_with_a_slow_reference<B: Backend>() {
    let (_backend, store) = begun::<B>();
    let rows = run(100);
    store.append(batch_of(&rows)).expect("new");
    store.flush().expect("flush");
    let metrics = vec![MetricId::Speed, MetricId::PelvisDrop];
    for (side, width_us) in [(SideFilter::All, 10_000_000), (SideFilter::Only(Side::Left), 3_333_333)] {
        let (from, to) = (rows[7].stride.start, rows[180].stride.start);
        let span = Span::new(from, to).expect("forward");
        let asked = RowQuery {
            span,
            side,
            ..RowQuery::all(session("s1"))
        };
        let query = BucketQuery {
            rows: asked,
            metrics: metrics.clone(),
            width_us,
        };
        let page = store.buckets(&query).expect("buckets");
        assert_eq!(page.completeness, Completeness::Complete);
        let mut strides = 0;
        for bucket in &page.rows {
            let end = SessionTime::from_nanos(bucket.start.nanos() + width_us * 1000);
            let inside: Vec<_> = rows
                .iter()
                .filter(|r| span.contains(r.stride.start) && bucket.start <= r.stride.start && r.stride.start < end)
                .filter(|r| side.admits(r.stride.side))
                .collect();
            assert_eq!(bucket.strides as usize, inside.len());
            strides += inside.len();
            for (metric, value) in metrics.iter().zip(&bucket.values) {
                let values: Vec<f64> = inside.iter().filter_map(|r| r.metrics.value(*metric)).collect();
                assert_eq!(value.map_or(0, |v| v.n) as usize, values.len());
                if let Some(v) = value {
                    assert_eq!(v.min, values.iter().copied().fold(f64::INFINITY, f64::min));
                    assert_eq!(v.max, values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
                    assert!((v.mean - values.iter().sum::<f64>() / values.len() as f64).abs() < 1e-12);
                }
            }
        }
        let asked_for = rows
            .iter()
            .filter(|r| span.contains(r.stride.start) && side.admits(r.stride.side));
        assert_eq!(strides, asked_for.count());
        let mut short = query.clone();
        short.rows.limit = 2;
        let first = store.buckets(&short).expect("buckets");
        let Completeness::Truncated { resume_at } = first.completeness else {
            panic!("there is more")
        };
        assert_eq!(
            (first.rows.as_slice(), resume_at),
            (&page.rows[..2], page.rows[2].start)
        );
        short.rows.span = Span::new(resume_at, to).expect("forward");
        assert_eq!(store.buckets(&short).expect("buckets").rows, page.rows[2..4]);
    }
}

pub(crate) fn the_latest_stride_of_a_side_is_found<B: Backend>() {
    let (_backend, store) = begun::<B>();
    assert_eq!(store.latest(&session("s1"), None), Ok(None));
    let rows = run(10);
    store.append(batch_of(&rows)).expect("new");
    store.flush().expect("flush");
    assert_eq!(
        store.latest(&session("s1"), Some(Side::Left)),
        Ok(Some(rows[18].clone()))
    );
    assert_eq!(
        store.latest(&session("s1"), Some(Side::Right)),
        Ok(Some(rows[19].clone()))
    );
    assert_eq!(store.latest(&session("s1"), None), Ok(None));
}

pub(crate) use super::conformance_model::any_history_of_appends_flushes_and_crashes_agrees_with_a_map;

struct InMemory(MemoryDisk);

impl Backend for InMemory {
    type Store = MemoryStore;
    fn new() -> Self {
        Self(MemoryDisk::default())
    }
    fn open(&self) -> Result<MemoryStore, StoreError> {
        MemoryStore::open(&self.0)
    }
    fn crash(store: MemoryStore) {
        drop(store);
    }
}

struct OnDisk(tempfile::TempDir);

impl Backend for OnDisk {
    type Store = SqliteStore;
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }
    fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(self.0.path(), "conformance suite")
    }
    fn crash(store: SqliteStore) {
        store.crash();
    }
}

macro_rules! conformance {
    ($name:ident, $backend:ty, [$($case:ident)+]) => {
        mod $name {
            use super::*;
            $(#[test] fn $case() { super::$case::<$backend>(); })+
        }
    };
    ($name:ident, $backend:ty) => {
        conformance!($name, $backend, [
            what_was_written_is_read
            the_same_rows_in_any_shape_and_order_leave_one_row_each
            a_key_with_a_different_content_is_a_conflict_and_its_batch_leaves_nothing
            what_was_flushed_survives_a_crash
            questions_are_half_open_and_an_empty_span_is_an_empty_answer
            a_read_sees_whole_batches
            absence_is_absence_and_numbers_that_are_not_finite_are_refused
            time_is_rounded_once_to_microseconds
            a_long_answer_comes_in_pages_that_join_without_seam
            errors_are_typed
            a_session_that_was_not_ended_is_recovered_and_can_be_finished
            a_deleted_session_is_gone_and_others_are_not
            sessions_are_listed_by_start_and_come_back_as_given
            sessions_of_one_athlete_do_not_overlap_when_their_clocks_are_known
            closing_computes_the_summary_of_good_strides
            buckets_agree_with_a_slow_reference
            the_latest_stride_of_a_side_is_found
            any_history_of_appends_flushes_and_crashes_agrees_with_a_map
        ]);
    };
}

conformance!(memory, InMemory);
conformance!(sqlite, OnDisk);
