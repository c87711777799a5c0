//! How fast the record takes strides, how fast it answers a plot, and how small raw samples become.
//!
//! A plain program that prints figures: `cargo bench --no-default-features --features store --bench store`. The data are
//! made here from a seed; with real recordings in `../shared/data`, their raw sizes are printed too. Numbers depend on
//! the disk, above all on how long it takes to obey a flush.

#![allow(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use lope::metrics::{METRICS, MetricId, MetricSet, StrideRecord};
use lope::model::{
    Absent, Activity, Athlete, ClipFlags, Contact, DataClass, FootMotion, ImuSample, QualityParts, SegmentKind,
    SessionTime, Side, Stride, StrideFlags, Vec3,
};
use lope::store::batch::FIRST_ANALYSIS;
use lope::store::raw::codec::{Encoder, Fidelity, KnownSteps};
use lope::store::{
    AthleteId, Batch, BucketQuery, History, Origin, RowQuery, SessionId, SessionMeta, SideFilter, SqliteStore, Store,
    StoreError, UtcMicros, WallClock,
};
use std::path::Path;
use std::time::Instant;

/// A generator of test numbers (splitmix64).
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Which sensors a stride was measured with.
#[derive(Clone, Copy)]
enum Worn {
    /// Shoes only: 20 metrics have a value.
    Feet,
    /// Everything: all metrics have a value.
    All,
}

fn stride(n: u32, worn: Worn, dice: &mut Dice) -> StrideRecord {
    let at = |s: f64| SessionTime::from_secs(f64::from(n) * 0.35 + s);
    let mut metrics = MetricSet::default();
    for (i, def) in METRICS.iter().enumerate() {
        let given = matches!(worn, Worn::All) || i < 20;
        metrics.set(
            def.id,
            if given {
                Ok(dice.unit() * 10.0)
            } else {
                Err(Absent::NoSensor)
            },
        );
    }
    StrideRecord {
        index: n / 2,
        stride: Stride {
            side: Some(if n.is_multiple_of(2) { Side::Left } else { Side::Right }),
            seen_from: SegmentKind::Foot,
            start: at(0.0),
            end: at(0.7),
            contact: Some(Contact {
                ic: at(-0.1),
                m: at(0.0),
                tc: at(0.12),
            }),
            next_ic: Some(at(0.6)),
            foot: Some(FootMotion {
                displacement: Vec3::new(2.4, 0.0, 0.01),
                length_sigma_m: 0.02,
                pitch_ic_rad: Some(0.2),
                touchdown_speed: Some(0.6),
                inversion_range_rad: Some(0.1),
                toe_out_rad: Some(0.1),
                heading_rad: 1.2,
                acc_clipped_share: 0.0,
                gyro_clipped_share: 0.0,
                impact_peak: Some((120.0, false)),
                chi2: 3.0,
                linear_difference: 0.01,
                free_slope: 0.002,
            }),
            activity: Activity::Running,
            flags: StrideFlags::default(),
            quality: QualityParts {
                innovation: 0.9,
                ..QualityParts::FULL
            },
        },
        metrics,
        class: DataClass::A,
    }
}

fn session(id: &str) -> Result<SessionMeta, StoreError> {
    Ok(SessionMeta {
        id: SessionId::parse(id)?,
        athlete: AthleteId::parse("bench")?,
        start: UtcMicros::from_micros(1_772_346_600_000_000),
        wall_clock: WallClock::Assumed,
        expected_stop: None,
        origin: Origin::Demo,
        tz: None,
        note: None,
        facts: Athlete::default(),
        sensors: Vec::new(),
    })
}

/// Milliseconds of the fastest of several runs: the others were disturbed.
fn fastest_ms<T>(runs: usize, mut work: impl FnMut() -> Result<T, StoreError>) -> Result<f64, StoreError> {
    let mut best = f64::INFINITY;
    for _ in 0..runs {
        let begin = Instant::now();
        work()?;
        best = best.min(begin.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}

/// What the disk itself takes: a flush of as much as a commit of some hundred rows, and a long file.
fn bench_disk(dir: &Path) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(dir.join("disk"))?;
    let block = vec![0x5a_u8; 1 << 18];
    let mut flushes: Vec<f64> = Vec::new();
    for _ in 0..40 {
        file.write_all(&block)?;
        let begin = Instant::now();
        file.sync_data()?;
        flushes.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    flushes.sort_by(f64::total_cmp);
    let begin = Instant::now();
    for _ in 0..400 {
        file.write_all(&block)?;
    }
    file.sync_data()?;
    let rate = 400.0 * block.len() as f64 / begin.elapsed().as_secs_f64() / 1e6;
    println!(
        "the disk: a flush of 256 KiB {:.2} ms in the middle, {:.2} ms at worst; {rate:.0} MB/s written and flushed",
        flushes[flushes.len() / 2],
        flushes[flushes.len() - 1]
    );
    Ok(())
}

fn bench_append(dir: &Path, name: &str, worn: Worn, rows: u32, batch_rows: usize) -> Result<(), StoreError> {
    let store = SqliteStore::open(dir, "bench")?;
    let meta = session(name)?;
    store.open_session(&meta)?;
    let mut dice = Dice(1);
    let strides: Vec<_> = (0..rows).map(|n| stride(n, worn, &mut dice)).collect();
    let mut batches = Vec::new();
    for chunk in strides.chunks(batch_rows) {
        let mut batch = Batch::new(meta.id.clone(), FIRST_ANALYSIS);
        for row in chunk {
            batch.push_stride(row)?;
        }
        batches.push(batch);
    }
    let begin = Instant::now();
    for batch in batches {
        store.append(batch)?;
    }
    let durable = store.flush()?;
    let secs = begin.elapsed().as_secs_f64();
    println!(
        "append {name}: {} rows in batches of {batch_rows}: {:.0} rows/s durable",
        durable.rows,
        durable.rows as f64 / secs
    );
    Ok(())
}

fn bench_questions(dir: &Path) -> Result<(), StoreError> {
    let store = SqliteStore::open(dir, "bench")?;
    let meta = session("ten_thousand")?;
    store.open_session(&meta)?;
    let mut dice = Dice(2);
    let mut batch = Batch::new(meta.id.clone(), FIRST_ANALYSIS);
    for n in 0..10_000 {
        batch.push_stride(&stride(n, Worn::All, &mut dice))?;
    }
    store.append(batch)?;
    store.flush()?;
    for (metrics, side) in [
        (vec![MetricId::Speed], SideFilter::All),
        (
            vec![
                MetricId::Speed,
                MetricId::ContactTime,
                MetricId::PelvisDrop,
                MetricId::LegStiffness,
            ],
            SideFilter::All,
        ),
        (vec![MetricId::Speed], SideFilter::Only(Side::Left)),
    ] {
        let rows = RowQuery {
            side,
            ..RowQuery::all(meta.id.clone())
        };
        let query = BucketQuery {
            rows,
            metrics,
            width_us: 10_000_000,
        };
        let buckets = store.buckets(&query)?.rows.len();
        let ms = fastest_ms(7, || store.buckets(&query))?;
        println!(
            "10,000 strides to {buckets} buckets of 10 s, {} metrics, {side:?}: {ms:.2} ms",
            query.metrics.len()
        );
    }
    let all = RowQuery::all(meta.id.clone());
    println!(
        "10,000 strides read whole: {:.1} ms",
        fastest_ms(5, || store.strides(&all))?
    );
    let close = lope::store::Closing {
        stop: SessionTime::from_secs(3600.0),
        analysis: FIRST_ANALYSIS,
        pipeline_version: "bench".to_owned(),
        params: serde_json::Value::Null,
        sensors: Vec::new(),
    };
    println!(
        "closing it with its summary: {:.1} ms",
        fastest_ms(3, || store.close_session(&meta.id, &close))?
    );
    Ok(())
}

/// Samples of a `time_s,acc_x,…,gyr_z` file; rows with empty cells are left out.
fn read_csv(path: &Path) -> Option<Vec<ImuSample>> {
    let text = std::fs::read_to_string(path).ok()?;
    let sample = |line: &str| {
        let v: Vec<f64> = line.split(',').map_while(|cell| cell.trim().parse().ok()).collect();
        let [t, ax, ay, az, gx, gy, gz] = v[..] else {
            return None;
        };
        Some(ImuSample {
            t: SessionTime::from_secs(t),
            acc: Vec3::new(ax, ay, az),
            gyro: Vec3::new(gx, gy, gz),
            clip: ClipFlags::NONE,
            filled: false,
        })
    };
    Some(text.lines().skip(1).filter_map(sample).collect())
}

/// The samples as a 16-bit sensor of ±16 g and ±2000 °/s would have counted them.
fn counted(samples: &[ImuSample]) -> Vec<ImuSample> {
    let acc_lsb = 16.0 * 9.806_65 / 32_768.0;
    let gyro_lsb = 2000.0_f64.to_radians() / 32_768.0;
    // Through the integer, as a converter does: a count has no negative zero.
    let count = |v: f64, lsb: f64| f64::from((v / lsb).round() as i16) * lsb;
    let vec = |v: [f64; 3], lsb: f64| Vec3::new(count(v[0], lsb), count(v[1], lsb), count(v[2], lsb));
    samples
        .iter()
        .map(|s| ImuSample {
            acc: vec([s.acc.v.x, s.acc.v.y, s.acc.v.z], acc_lsb),
            gyro: vec([s.gyro.v.x, s.gyro.v.y, s.gyro.v.z], gyro_lsb),
            ..*s
        })
        .collect()
}

/// Encoded bytes against six plain 16-bit numbers a sample, and samples encoded a second.
fn ratio(samples: &[ImuSample], fidelity: Fidelity, chunk: usize) -> (f64, f64, bool) {
    let steps = KnownSteps::default();
    let mut encoder = Encoder::new(fidelity, steps);
    let begin = Instant::now();
    let chunks: Vec<_> = samples.chunks(chunk).map(|c| encoder.encode(c)).collect();
    let secs = begin.elapsed().as_secs_f64();
    let bytes: usize = chunks.iter().map(|c| c.bytes.len()).sum();
    (
        bytes as f64 / (samples.len() * 12) as f64,
        samples.len() as f64 / secs,
        chunks.iter().all(|c| c.exact),
    )
}

fn bench_raw() {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");
    let files = [
        "gdi2/gdi2_70/right_foot.csv",
        "gdi/gdi_33/right_foot.csv",
        "psv/psv_2017-11-27-11-12-18/right_foot.csv",
        "tripod/tripod_fz_pws/left_shank.csv",
        "tripod/tripod_fz_pws/sacrum.csv",
        "wmf/wmf_test_run/right_foot.csv",
    ];
    for file in files {
        let Some(samples) = read_csv(&Path::new(shared).join(file)).filter(|s| !s.is_empty()) else {
            println!("skipped: {file} is not there");
            continue;
        };
        let counts = counted(&samples);
        let (live, rate, exact) = ratio(&counts, Fidelity::SensorGrade, 200);
        let (sealed, ..) = ratio(&counts, Fidelity::SensorGrade, 12_000);
        // Evenly spaced in time, as one sensor counts: what the numbers alone take.
        let even = |(i, s): (usize, &ImuSample)| ImuSample {
            t: SessionTime::from_nanos(i as i64 * 5_000_000),
            ..*s
        };
        let evenly: Vec<_> = counts.iter().enumerate().map(even).collect();
        let (alone, ..) = ratio(&evenly, Fidelity::SensorGrade, 12_000);
        let (text, _, text_exact) = ratio(&samples, Fidelity::SensorGrade, 12_000);
        let (all, ..) = ratio(&samples, Fidelity::Exact, 12_000);
        println!(
            "raw {file}: as 16-bit counts {:.0} % of plain i16 a second a chunk, {:.0} % a minute, {:.0} % without its time \
             stamps (exact: {exact}, {:.1} M samples/s); its decimals {:.0} % (exact: {text_exact}), exactly {:.0} %",
            live * 100.0,
            sealed * 100.0,
            alone * 100.0,
            rate / 1e6,
            text * 100.0,
            all * 100.0
        );
    }
}

fn main() -> Result<(), StoreError> {
    // `cargo test --benches` calls every benchmark to see that it still runs; a short look is enough for that.
    let short = std::env::args().any(|a| a == "--test");
    let rows = if short { 2_000 } else { 200_000 };
    let folder = tempfile::tempdir().map_err(|e| StoreError::Unavailable {
        retry_after: None,
        detail: e.to_string(),
    })?;
    bench_disk(folder.path()).map_err(|e| StoreError::Unavailable {
        retry_after: None,
        detail: e.to_string(),
    })?;
    for batch_rows in [100, 1000, 10_000] {
        bench_append(
            folder.path(),
            &format!("feet_{batch_rows}"),
            Worn::Feet,
            rows,
            batch_rows,
        )?;
        bench_append(folder.path(), &format!("all_{batch_rows}"), Worn::All, rows, batch_rows)?;
    }
    bench_questions(folder.path())?;
    bench_raw();
    Ok(())
}
