//! The same questions to the record and to the copy in a real server.

use super::season::{self, DAY_US, Dice, START_US, athlete, id};
use super::servers::{Influxd, Keeper, destination, sync};
use lope::metrics::METRICS;
use lope::model::{SegmentKind, Side};
use lope::store::influx::InfluxReader;
use lope::store::{Aggregate, Completeness, SeriesHistory, SeriesQuery, SideFilter, SqliteReader, SqliteStore};

/// A question like those that views ask, and some that nobody would.
fn question(dice: &mut Dice, n: usize) -> SeriesQuery {
    let base = START_US / 1000 + dice.roll(10) as i64 * (DAY_US / 1000);
    let from_ms = match n % 4 {
        // The first stride of a session lies about 0.7 s after its start: some spans begin or end inside it.
        0 => base,
        1 => base + dice.roll(400_000) as i64 - 60_000,
        2 => START_US / 1000 - DAY_US / 1000,
        _ => base + dice.roll(100_000) as i64,
    };
    let mut length = [
        0,
        1,
        17,
        1000,
        90_000,
        300_000,
        300_000,
        DAY_US as u64 / 1000,
        DAY_US as u64 / 1000,
        12 * DAY_US as u64 / 1000,
    ][dice.roll(10) as usize];
    if n % 4 == 2 {
        // From before the season: only a long span meets it.
        length = length.max(12 * DAY_US as u64 / 1000);
    }
    let widths = [1, 7, 250, 1000, 10_000, 60_000, 3_600_000, DAY_US as u64 / 1000];
    let mut width = widths[dice.roll(8) as usize] as i64;
    if length as i64 / width > 400_000 {
        width = 10_000;
    }
    let metrics = (0..dice.roll(5))
        .map(|_| METRICS[dice.roll(METRICS.len() as u64) as usize].id)
        .collect();
    SeriesQuery {
        athlete: athlete(["anna", "ben", "nobody"][[0, 0, 0, 0, 1, 1, 1, 2][dice.roll(8) as usize]]),
        from_ms,
        to_ms: from_ms + length as i64,
        metrics,
        side: [
            SideFilter::All,
            SideFilter::All,
            SideFilter::Only(Side::Left),
            SideFilter::Only(Side::Right),
        ][dice.roll(4) as usize],
        seen_from: [
            None,
            None,
            None,
            None,
            Some(SegmentKind::Foot),
            Some(SegmentKind::Foot),
            Some(SegmentKind::Sacrum),
            Some(SegmentKind::Shank),
        ][dice.roll(8) as usize],
        session: (dice.roll(8) == 0).then(|| id(&format!("s{}", dice.roll(21)))),
        width_ms: width,
        aggregate: Aggregate::ALL[n % 7],
        limit: [3, 50, 100_000, 100_000][dice.roll(4) as usize],
    }
}

fn equal(aggregate: Aggregate, a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) if matches!(aggregate, Aggregate::Mean | Aggregate::Sum) => {
            // Sums of numbers of both signs: relative to what was added, at most 200 a stride.
            (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(200.0)
        }
        (a, b) => a == b,
    }
}

#[test]
fn two_hundred_questions_get_the_same_answer_from_the_record_and_from_influxdb() {
    let Some(server) = Influxd::start() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    season::season(&store, 20, 150);
    sync(dir.path(), &server.url());
    let record = SqliteReader::open(dir.path()).expect("a record");
    let copy = InfluxReader::new(&destination(&server.url())).expect("a client");
    let mut dice = Dice(2026);
    let (mut buckets, mut values, mut cut, mut empty) = (0, 0, 0, 0);
    for n in 0..200 {
        let query = question(&mut dice, n);
        let a = record.series(&query).expect("the record answers");
        let b = copy.series(&query).expect("the copy answers");
        assert_eq!(a.completeness, b.completeness, "{query:?}");
        let times =
            |rows: &[lope::store::SeriesBucket]| rows.iter().map(|r| (r.start_ms, r.strides)).collect::<Vec<_>>();
        assert_eq!(times(&a.rows), times(&b.rows), "{query:?}");
        for (x, y) in a.rows.iter().zip(&b.rows) {
            for (v, w) in x.values.iter().zip(&y.values) {
                assert!(
                    equal(query.aggregate, *v, *w),
                    "{v:?} {w:?} at {}: {query:?}",
                    x.start_ms
                );
                values += usize::from(v.is_some());
            }
        }
        buckets += a.rows.len();
        cut += usize::from(a.completeness != Completeness::Complete);
        empty += usize::from(a.rows.is_empty());
    }
    println!("200 questions: {buckets} buckets, {values} values, {cut} cut off, {empty} empty");
    assert!(buckets > 2000 && values > 2000 && cut > 20 && empty > 10 && empty < 150);
}

#[test]
fn a_page_goes_on_where_the_one_before_was_cut() {
    let Some(server) = Influxd::start() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    season::season(&store, 2, 60);
    sync(dir.path(), &server.url());
    let copy = InfluxReader::new(&destination(&server.url())).expect("a client");
    let mut query = question(&mut Dice(1), 0);
    query = SeriesQuery {
        athlete: athlete("anna"),
        from_ms: START_US / 1000,
        to_ms: START_US / 1000 + 400_000,
        session: None,
        side: SideFilter::All,
        seen_from: None,
        width_ms: 5000,
        limit: usize::MAX - 1,
        ..query
    };
    let whole = copy.series(&query).expect("an answer");
    assert!(whole.completeness == Completeness::Complete && whole.rows.len() > 10);
    query.limit = 3;
    let mut pieces = Vec::new();
    loop {
        let page = copy.series(&query).expect("an answer");
        pieces.extend(page.rows);
        match page.completeness {
            Completeness::Complete => break,
            Completeness::Truncated { resume_at } => query.from_ms = resume_at.micros() / 1000,
        }
    }
    assert_eq!(pieces, whole.rows);
}
