//! What people wait for over HTTP: the roster of a club after a year, and the page of a long run.
//!
//! `cargo bench --bench looking`. A plain program that prints figures: a record of fifty athletes who ran five times a week
//! for a year, as it stands once their runs have been looked at, and one session of ten thousand strides with every metric;
//! a server over it, asked through a socket. The targets are 300 ms for the roster and 100 ms for each question of a
//! session's page. The first answer after a change of the record and those after it are told apart.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads clocks and says what it measured"
)]

use lope::api::{App, Clock, Entrance, Hub, Limits, Setup, serve};
use lope::interchange::flag_rules;
use lope::metrics::{METRICS, MetricId, MetricSet, StrideRecord};
use lope::model::{
    Activity, Athlete, Contact, DataClass, FootMotion, QualityParts, SegmentKind, SessionTime, Side, Stride,
    StrideFlags, Vec3,
};
use lope::pipeline::{Output, Pipeline, PipelineConfig};
use lope::review::Review;
use lope::review::curves::SessionCurves;
use lope::review::record::RulesAre;
use lope::review::run_values::{self, RunSummary};
use lope::review::windows::Collector;
use lope::store::batch::FIRST_ANALYSIS;
use lope::store::journal::{AthleteFacts, Body, CheckIn, Day, Entry, EntryId, Journal, Score, SessionNote};
use lope::store::raw::RawOptions;
use lope::store::sqlite::{KeptRun, SqliteRunValues};
use lope::store::{
    AthleteId, Batch, Closing, History, Origin, RowQuery, SessionId, SessionMeta, SqliteReader, SqliteStore, Store,
    StoreError, UtcMicros, WallClock,
};
use lope::synth::{Script, SimConfig, Simulation};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ATHLETES: usize = 50;
const DAYS: i32 = 365;
const FIRST_DAY: i32 = 20_000;
/// Days of a week with a run.
const RUN_DAYS: [i32; 5] = [0, 1, 3, 5, 6];
/// Strides of a foot in the long run.
const LONG: u32 = 5000;
const REPEATS: usize = 11;

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

fn stride(n: u32, side: Side, speed: f64, dice: &mut Dice) -> StrideRecord {
    let shift = if side == Side::Left { 0.0 } else { 0.36 };
    let at = |s: f64| SessionTime::from_secs(f64::from(n) * 0.72 + shift + s);
    let mut metrics = MetricSet::default();
    for def in METRICS {
        metrics.set(def.id, Ok(1.0 + 0.02 * dice.unit()));
    }
    metrics.set(MetricId::Speed, Ok(speed * (1.0 + 0.02 * (dice.unit() - 0.5))));
    StrideRecord {
        index: n,
        stride: Stride {
            side: Some(side),
            seen_from: SegmentKind::Foot,
            start: at(0.0),
            end: at(0.72),
            contact: Some(Contact {
                ic: at(-0.1),
                m: at(0.0),
                tc: at(0.14),
            }),
            next_ic: Some(at(0.62)),
            foot: Some(FootMotion {
                displacement: Vec3::new(speed * 0.72, 0.0, 0.0),
                length_sigma_m: 0.02,
                pitch_ic_rad: Some(0.2),
                touchdown_speed: Some(0.6),
                inversion_range_rad: Some(0.1),
                toe_out_rad: Some(0.1),
                heading_rad: 0.0,
                acc_clipped_share: 0.0,
                gyro_clipped_share: 0.0,
                impact_peak: Some((120.0, false)),
                chi2: 3.0,
                linear_difference: 0.01,
                free_slope: 0.0,
            }),
            activity: Activity::Running,
            flags: StrideFlags::default(),
            quality: QualityParts::FULL,
        },
        metrics,
        class: DataClass::A,
    }
}

/// A run of 45 minutes with everything measured.
fn summary(dice: &mut Dice) -> RunSummary {
    let speed = 2.8 + 0.5 * dice.unit();
    let mut collector = Collector::default();
    for n in 0..3750 {
        for side in [Side::Left, Side::Right] {
            collector.push(&stride(n, side, speed, dice));
        }
    }
    run_values::of_windows(&collector.finish(), &BTreeSet::new())
}

fn meta(id: &SessionId, athlete: &AthleteId, day: i32) -> SessionMeta {
    SessionMeta {
        id: id.clone(),
        athlete: athlete.clone(),
        start: UtcMicros::from_micros((i64::from(FIRST_DAY + day) * 24 + 17) * 3_600_000_000),
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Live,
        tz: Some("Europe/Berlin".to_owned()),
        note: None,
        facts: Athlete::default(),
        sensors: Vec::new(),
    }
}

fn closing(stop_s: f64) -> Closing {
    Closing {
        stop: SessionTime::from_secs(stop_s),
        analysis: FIRST_ANALYSIS,
        pipeline_version: "bench".to_owned(),
        params: serde_json::json!({}),
        sensors: Vec::new(),
    }
}

/// The long run of the first athlete, stride by stride.
fn long_run(store: &SqliteStore, athlete: &AthleteId) -> Result<SessionId, StoreError> {
    let mut dice = Dice(11);
    let id = SessionId::parse("long")?;
    store.open_session(&meta(&id, athlete, DAYS - 1))?;
    for part in 0..LONG / 500 {
        let mut batch = Batch::new(id.clone(), FIRST_ANALYSIS);
        for n in part * 500..(part + 1) * 500 {
            for side in [Side::Left, Side::Right] {
                batch.push_stride(&stride(n, side, 3.0, &mut dice))?;
            }
        }
        store.append(batch)?;
    }
    store.close_session(&id, &closing(f64::from(LONG) * 0.72))?;
    Ok(id)
}

fn fill(dir: &Path) -> Result<(usize, SessionId), StoreError> {
    let mut dice = Dice(7);
    // A handful of runs, told again and again: what they say does not matter to the clock.
    let bodies: Vec<String> = (0..8)
        .map(|_| serde_json::to_string(&summary(&mut dice)).expect("json"))
        .collect();
    let athletes: Vec<AthleteId> = (0..ATHLETES)
        .map(|i| AthleteId::parse(&format!("athlete-{i:02}")))
        .collect::<Result<_, _>>()?;
    let store = SqliteStore::open(dir, "bench")?;
    let mut sessions = Vec::new();
    for athlete in &athletes {
        for day in (0..DAYS - 1).filter(|d| RUN_DAYS.contains(&(d % 7))) {
            let id = SessionId::parse(&format!("{athlete}-{day}"))?;
            store.open_session(&meta(&id, athlete, day))?;
            store.close_session(&id, &closing(2700.0))?;
            sessions.push((athlete.clone(), day, id));
        }
    }
    let long = long_run(&store, &athletes[0])?;
    drop(store);
    let runs = SqliteRunValues::open(dir)?;
    let review = Review::open(dir, flag_rules::built_in())?;
    let put = |athlete: &AthleteId, id: &str, day: i32, body| -> Result<(), StoreError> {
        let entry = Entry {
            id: EntryId::parse(id)?,
            athlete: athlete.clone(),
            day: Day::from_days(FIRST_DAY + day),
            at: UtcMicros::from_micros((i64::from(FIRST_DAY + day) * 24 + 19) * 3_600_000_000),
            body,
        };
        review.journal().put(&entry, UtcMicros::from_micros(1)).map(drop)
    };
    for athlete in &athletes {
        let facts = AthleteFacts {
            name: format!("Runner {athlete}"),
            ..AthleteFacts::default()
        };
        put(athlete, athlete.as_str(), 0, Body::Athlete(facts))?;
    }
    for (i, (athlete, day, id)) in sessions.iter().enumerate() {
        let kept = KeptRun {
            session: id.clone(),
            analysis: FIRST_ANALYSIS,
            body: bodies[i % bodies.len()].clone(),
        };
        runs.keep(&kept, run_values::VERSION)?;
        let note = SessionNote {
            effort: Some(Score::new(5)?),
            back_worst: Some(Score::new(1)?),
            ..SessionNote::default()
        };
        let check = CheckIn {
            back_now: Some(Score::new(0)?),
            safety_answered: true,
            ..CheckIn::default()
        };
        put(athlete, id.as_str(), *day, Body::SessionNote(note))?;
        put(athlete, &format!("c{day}"), *day, Body::CheckIn(check))?;
    }
    // As every command and page that changes something leaves it.
    for athlete in &athletes {
        review.renewed(athlete, Day::from_days(FIRST_DAY + DAYS), RulesAre::InForce)?;
    }
    Ok((sessions.len() + 1, long))
}

/// Asks, and gives how long the whole answer took, ms, and its bytes.
fn ask(at: SocketAddr, path: &str) -> (f64, usize) {
    let begin = Instant::now();
    let mut stream = std::net::TcpStream::connect(at).expect("connects");
    write!(stream, "GET /api/v1{path} HTTP/1.0\r\nHost: {at}\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    let head = String::from_utf8_lossy(&answer[..answer.len().min(300)]).into_owned();
    assert!(head.contains(" 200 "), "{path}: {head}");
    (begin.elapsed().as_secs_f64() * 1e3, answer.len())
}

fn timed(at: SocketAddr, what: &str, path: &str) {
    let (first, bytes) = ask(at, path);
    let mut again: Vec<f64> = (0..REPEATS).map(|_| ask(at, path).0).collect();
    again.sort_by(f64::total_cmp);
    println!(
        "{what:<34} first {first:7.1} ms   then median {:6.1} ms, slowest {:6.1} ms   {:.0} kB",
        again[REPEATS / 2],
        again[REPEATS - 1],
        bytes as f64 / 1e3
    );
}

/// One hour of raw samples of all sensors, and the curves of one stride and of twenty out of it.
fn curves_of_an_hour(dir: &Path) -> Result<(), StoreError> {
    let begin = Instant::now();
    let simulation = Simulation::new(SimConfig {
        seed: 3,
        script: Script::new().stand(8.0).accelerate(8.0, 3.1).run(3584.0, 3.1),
        ..SimConfig::default()
    });
    let store = SqliteStore::open(dir, "bench")?;
    let id = SessionId::parse("hour")?;
    let sensors = simulation.sensor_configs();
    store.open_session(&SessionMeta {
        sensors: sensors.clone(),
        ..meta(&id, &AthleteId::parse("runner")?, 0)
    })?;
    let mut raw = store.start_raw(&id, RawOptions::default())?;
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: sensors.clone(),
        athlete: simulation.athlete(),
        sync_sigma_s: 0.002,
        personal_speed_offset: 0.0,
    });
    let mut outputs = Vec::new();
    let mut samples = 0_u64;
    for event in simulation.events() {
        raw.push(&event)?;
        pipeline.push(&event, &mut outputs);
        samples += 1;
    }
    pipeline.flush(&mut outputs);
    for part in outputs.chunks(4000) {
        let mut batch = Batch::new(id.clone(), FIRST_ANALYSIS);
        for output in part {
            if matches!(output, Output::Stride(_) | Output::Health(_)) {
                batch.push_output(output)?;
            }
        }
        store.append(batch)?;
    }
    store.seal_raw(raw)?;
    let row = store.close_session(&id, &closing(3600.0))?;
    drop(store);
    println!(
        "an hour of {} sensors, {samples} samples, made in {:.0} s",
        sensors.len(),
        begin.elapsed().as_secs_f64()
    );
    let reader = SqliteReader::open(dir)?;
    let strides = reader.strides(&RowQuery::all(id))?.rows;
    let curves = SessionCurves::new(&reader, &row);
    let spread: Vec<StrideRecord> = (1..=20).map(|i| strides[i * strides.len() / 22].clone()).collect();
    let mut times = Vec::new();
    for record in &spread {
        let begin = Instant::now();
        let drawn = curves.of_stride(record)?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        if drawn.pelvis.is_none() || drawn.foot_path.is_none() {
            println!("at {:.0} s: {drawn:?}", record.stride.start.secs());
        }
    }
    times.sort_by(f64::total_cmp);
    println!(
        "curves of one stride of the hour   median {:6.1} ms, slowest {:6.1} ms",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    let begin = Instant::now();
    let drawn = curves.pelvis_views(&spread)?;
    println!(
        "pelvis of 20 strides at once       {:6.1} ms, {} drawn",
        begin.elapsed().as_secs_f64() * 1e3,
        drawn.iter().filter(|d| d.is_ok()).count()
    );
    Ok(())
}

fn main() -> Result<(), StoreError> {
    let apart = tempfile::tempdir().expect("a temporary folder");
    curves_of_an_hour(apart.path())?;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let begin = Instant::now();
    let (sessions, long) = fill(dir.path())?;
    println!(
        "{ATHLETES} athletes, {sessions} sessions, made in {:.0} s",
        begin.elapsed().as_secs_f64()
    );
    let steady: Arc<dyn Fn() -> Duration + Send + Sync> = Arc::new(move || begin.elapsed());
    let app = App::open(Setup {
        dir: dir.path().to_owned(),
        clock: Clock {
            utc: Arc::new(|| UtcMicros::from_micros(i64::from(FIRST_DAY + DAYS) * 86_400_000_000)),
            today: Arc::new(|| Day::from_days(FIRST_DAY + DAYS)),
            steady: Arc::clone(&steady),
        },
        entrance: Entrance::ThisMachine,
        limits: Limits {
            requests: None,
            ..Limits::default()
        },
        trusted_proxies: Vec::new(),
        hub: Hub::new("bench".to_owned(), steady),
        checks: Box::new(Vec::new),
        kits: Vec::new(),
        rules: flag_rules::built_in(),
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("a port");
    let at = listener.local_addr().expect("an address");
    runtime.spawn(serve(listener, app, std::future::pending()));
    timed(at, "roster, 50 athletes, a year", "/squad");
    timed(at, "inbox", "/inbox");
    let metrics = "cadence,speed,stride_length,contact_time,pelvis_drop,pelvis_tilt";
    timed(
        at,
        "series, 6 metrics, 1000 buckets",
        &format!("/sessions/{long}/series?metrics={metrics}&side=left&buckets=1000"),
    );
    timed(
        at,
        "strides, a page of 500",
        &format!("/sessions/{long}/strides?limit=500"),
    );
    timed(
        at,
        "strides, typical",
        &format!("/sessions/{long}/strides?select=typical&limit=20"),
    );
    timed(at, "session", &format!("/sessions/{long}"));
    timed(at, "card", &format!("/sessions/{long}/card"));
    timed(at, "trend", "/trends?athlete=athlete-00&metric=cadence&weeks=52");
    Ok(())
}
