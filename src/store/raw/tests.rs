//! Raw files as a whole: what goes in comes out in the order of time, after crashes, damage and packing too.

use super::super::error::StoreError;
use super::super::fixture::{Dice, session};
use super::*;
use crate::model::{ClipFlags, GapCause, ImuSample, SensorEvent, SessionTime, Vec3};
use rusqlite::Connection;

const ACC_LSB: f64 = 16.0 * 9.806_65 / 32_768.0;
const GYRO_LSB: f64 = 2000.0 * crate::model::units::RAD_PER_DEG / 32_768.0;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn open(dir: &Path, options: RawOptions) -> RawWriter {
    RawWriter::open(dir, &session("s1"), options).expect("opens")
}

fn read(dir: &Path) -> Vec<SensorEvent> {
    RawReader::open(dir, &session("s1"))
        .expect("opens")
        .map(|e| e.expect("sound"))
        .collect()
}

#[test]
fn who_skips_reads_the_same_samples_from_there_on() {
    let dir = folder();
    let events = recording(12);
    let mut writer = open(dir.path(), RawOptions::default());
    for event in &events {
        writer.push(event).expect("kept");
    }
    writer.flush().expect("durable");
    let all = read(dir.path());
    let samples_from = |events: &[SensorEvent], t: SessionTime| -> Vec<SensorEvent> {
        let late = |e: &&SensorEvent| matches!(e, SensorEvent::Sample(_, s) if s.t >= t);
        events.iter().filter(late).copied().collect()
    };
    for s in [0.0, 0.5, 7.3, 11.99, 60.0] {
        let t = SessionTime::from_secs(s);
        let mut reader = RawReader::open(dir.path(), &session("s1")).expect("opens");
        reader.skip_to(t).expect("skips");
        let rest: Vec<SensorEvent> = reader.map(|e| e.expect("sound")).collect();
        check_same(&samples_from(&rest, t), &samples_from(&all, t));
        assert!(s < 1.0 || rest.len() <= all.len());
    }
}

/// Compares long sequences without printing them.
fn check_same(found: &[SensorEvent], want: &[SensorEvent]) {
    if let Some(at) = (0..found.len().min(want.len())).find(|i| found[*i] != want[*i]) {
        panic!("event {at} is {:?}, not {:?}", found[at], want[at]);
    }
    assert_eq!(found.len(), want.len());
}

/// Samples of two feet and the sacrum at different rates, with a gap and standing among them, in the order of time.
fn recording(seconds: i64) -> Vec<SensorEvent> {
    let mut dice = Dice(3);
    let mut events = Vec::new();
    let sensors = [
        (Placement::LeftFoot, 200),
        (Placement::RightFoot, 200),
        (Placement::Sacrum, 104),
    ];
    for (placement, rate) in sensors {
        for i in 0..seconds * rate {
            if placement == Placement::RightFoot && (300..340).contains(&i) {
                continue;
            }
            let mut count = || (dice.roll() % 4000) as f64 - 2000.0;
            let sample = ImuSample {
                t: SessionTime::from_nanos(i * 1_000_000_000 / rate),
                acc: Vec3::new(count(), count(), count()) * ACC_LSB,
                gyro: Vec3::new(count(), count(), count()) * GYRO_LSB,
                clip: ClipFlags::from_axes([i % 50 == 0, false, false], [false, i % 70 == 0, false]),
                filled: i % 90 == 0,
            };
            events.push(SensorEvent::Sample(placement, sample));
        }
    }
    let order = |e: &SensorEvent| match e {
        SensorEvent::Sample(placement, s) => (s.t, placement.index()),
        _ => (SessionTime::ZERO, 0),
    };
    events.sort_by_key(order);
    let standing = SensorEvent::Standing {
        from: SessionTime::ZERO,
        to: SessionTime::from_secs(0.5),
    };
    events.insert(0, standing);
    let (from, to) = (
        SessionTime::from_nanos(299 * 5_000_000),
        SessionTime::from_nanos(340 * 5_000_000),
    );
    let cause = GapCause::Lost;
    let gap = SensorEvent::Gap {
        placement: Placement::RightFoot,
        from,
        to,
        missing: 40,
        cause,
    };
    // A gap is told when the first good sample after it arrives: before every sample of that instant.
    let at = events.iter().position(|e| order(e).0 >= to).expect("a later sample");
    events.insert(at, gap);
    events
}

#[test]
fn what_went_in_comes_out_in_the_order_of_time() {
    let dir = folder();
    let events = recording(4);
    let mut writer = open(
        dir.path(),
        RawOptions {
            fidelity: Fidelity::Exact,
            ..RawOptions::default()
        },
    );
    for (i, event) in events.iter().enumerate() {
        writer.push(event).expect("kept");
        if i % 331 == 0 {
            writer.flush().expect("durable");
        }
    }
    writer.flush().expect("durable");
    check_same(&read(dir.path()), &events);
    let file = writer.seal().expect("sealed");
    let samples = events.iter().filter(|e| matches!(e, SensorEvent::Sample(..))).count();
    assert_eq!((file.samples, file.path.as_str()), (samples as u64, "raw/s1.db"));
    let bytes = std::fs::read(path_of(dir.path(), &session("s1"))).expect("the file");
    let hash = super::super::ids::hex(&super::super::ids::sha256(&bytes));
    assert_eq!((file.bytes, file.sha256), (bytes.len() as u64, hash));
    // Packing changes nothing.
    check_same(&read(dir.path()), &events);
    assert!(
        RawReader::open(dir.path(), &session("s1"))
            .expect("opens")
            .is_exact()
            .expect("said")
    );
    let left: Vec<_> = std::fs::read_dir(dir.path().join(FOLDER)).expect("a folder").collect();
    assert_eq!(left.len(), 1, "one file and nothing beside it");
}

#[test]
fn a_writer_that_vanishes_loses_only_what_came_after_its_last_flush() {
    let dir = folder();
    let events = recording(2);
    let mut writer = open(dir.path(), RawOptions::default());
    for event in &events[..500] {
        writer.push(event).expect("kept");
    }
    writer.flush().expect("durable");
    for event in &events[500..] {
        writer.push(event).expect("kept");
    }
    drop(writer);
    check_same(&read(dir.path()), &events[..500]);
    let options = RawOptions {
        start: RawStart::After,
        ..RawOptions::default()
    };
    let mut writer = open(dir.path(), options);
    for event in &events[500..] {
        writer.push(event).expect("kept");
    }
    writer.flush().expect("durable");
    // A reader need not know that there were two writers, except where the second one forgot what had arrived.
    let samples = |events: &[SensorEvent]| {
        events
            .iter()
            .filter(|e| matches!(e, SensorEvent::Sample(..)))
            .copied()
            .collect::<Vec<_>>()
    };
    check_same(&samples(&read(dir.path())), &samples(&events));
}

#[test]
fn the_same_recording_again_adds_nothing_and_another_one_is_refused() {
    let dir = folder();
    let events = recording(2);
    for _ in 0..2 {
        let mut writer = open(dir.path(), RawOptions::default());
        events.iter().for_each(|e| writer.push(e).expect("kept"));
        writer.flush().expect("durable");
    }
    check_same(&read(dir.path()), &events);
    let mut writer = open(dir.path(), RawOptions::default());
    let other = events.iter().map(|e| match *e {
        SensorEvent::Sample(p, s) => SensorEvent::Sample(p, ImuSample { acc: Vec3::zero(), ..s }),
        other => other,
    });
    let refused = other.into_iter().find_map(|e| writer.push(&e).err());
    assert!(matches!(refused, Some(StoreError::Conflict { .. })), "{refused:?}");
}

#[test]
fn a_damaged_chunk_and_one_of_an_unknown_codec_are_gaps_with_a_count() {
    let dir = folder();
    let events: Vec<_> = recording(5)
        .into_iter()
        .filter(|e| matches!(e, SensorEvent::Sample(Placement::LeftFoot, _)))
        .collect();
    let mut writer = open(dir.path(), RawOptions::default());
    events.iter().for_each(|e| writer.push(e).expect("kept"));
    writer.flush().expect("durable");
    let conn = Connection::open(path_of(dir.path(), &session("s1"))).expect("opens");
    conn.execute("UPDATE raw_chunks SET codec = 7 WHERE first_index = 200", [])
        .expect("changed");
    conn.execute(
        "UPDATE raw_chunks SET data = substr(data, 1, 100) WHERE first_index = 400",
        [],
    )
    .expect("changed");
    conn.execute(
        "UPDATE raw_chunks SET data = x'', crc32c = 0 WHERE first_index = 800",
        [],
    )
    .expect("changed");
    let mut reader = RawReader::open(dir.path(), &session("s1")).expect("opens");
    let found: Vec<_> = reader.by_ref().map(|e| e.expect("told as a gap")).collect();
    let time = |i: usize| match events[i] {
        SensorEvent::Sample(_, s) => s.t,
        _ => panic!("only samples here"),
    };
    let gap = |from: usize, to: usize, missing: u32| SensorEvent::Gap {
        placement: Placement::LeftFoot,
        from: time(from),
        to: time(to),
        missing,
        cause: GapCause::Lost,
    };
    let mut want = events[..200].to_vec();
    want.push(gap(199, 600, 400));
    want.extend(&events[600..800]);
    want.push(gap(799, 999, 200));
    check_same(&found, &want);
    assert_eq!(reader.damaged_chunks(), 3);
    // Packing would make the loss look intended.
    drop(reader);
    drop(conn);
    assert!(matches!(writer.seal(), Err(StoreError::Corrupt { .. })));
    // The unpacked file stays.
    check_same(&read(dir.path()), &want);
}

#[test]
fn a_raw_file_of_another_session_or_none_at_all_is_said_so() {
    let dir = folder();
    assert!(matches!(
        RawReader::open(dir.path(), &session("s1")),
        Err(StoreError::Missing { .. })
    ));
    drop(open(dir.path(), RawOptions::default()));
    std::fs::copy(path_of(dir.path(), &session("s1")), path_of(dir.path(), &session("s2"))).expect("copied");
    let other = RawWriter::open(dir.path(), &session("s2"), RawOptions::default());
    assert!(matches!(other, Err(StoreError::Corrupt { .. })));
    std::fs::write(path_of(dir.path(), &session("s3")), [7; 5000]).expect("written");
    assert!(matches!(
        RawReader::open(dir.path(), &session("s3")),
        Err(StoreError::Corrupt { .. })
    ));
}
