//! 500 viewers of 20 runs: whether publishing waits, what memory it takes, and that who does not read loses and is told.
//!
//! `cargo bench --bench api [-- SECONDS]`. It measures as a program, because what is asked is how the parts hold together
//! under load: server, hub and viewers in one process, over real sockets, every tenth viewer never reading. It prints its
//! figures and ends with 1 where a promise is broken: publishing must not wait, memory must not grow with what slow viewers
//! did not read.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads clocks and says what it measured"
)]

use lope::api::live::{Before, Cues, Hub, LiveRun, Marks, RunAbout, RunKind};
use lope::api::{App, Clock, Entrance, Limits, Setup, serve};
use lope::interchange::flag_rules;
use lope::metrics::{MetricId, MetricSet, StrideRecord};
use lope::model::{Activity, DataClass, QualityParts, SegmentKind, SessionTime, Side, Stride, StrideFlags};
use lope::pipeline::Output;
use lope::store::journal::Day;
use lope::store::{AthleteId, SessionId, UtcMicros};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const RUNS: u64 = 20;
const VIEWERS: u64 = 500;
/// Every so many-th viewer never reads.
const SLOW: u64 = 10;
/// Strides a second of one runner, both feet.
const STRIDES_PER_S: u64 = 3;

fn resident_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|p| p.parse().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1e6
}

fn stride(n: u64) -> Output {
    let side = if n.is_multiple_of(2) { Side::Left } else { Side::Right };
    let start = n as f64 / STRIDES_PER_S as f64;
    let mut metrics = MetricSet::default();
    for (id, value) in [
        (MetricId::Cadence, 170.0),
        (MetricId::StrideLength, 2.2),
        (MetricId::Speed, 3.1),
        (MetricId::ContactTime, 0.24),
    ] {
        metrics.set(id, Ok(value));
    }
    Output::Stride(Box::new(StrideRecord {
        index: n as u32,
        stride: Stride {
            side: Some(side),
            seen_from: SegmentKind::Foot,
            start: SessionTime::from_secs(start),
            end: SessionTime::from_secs(start + 0.7),
            contact: None,
            next_ic: None,
            foot: None,
            activity: Activity::Running,
            flags: StrideFlags::default(),
            quality: QualityParts::FULL,
        },
        metrics,
        class: DataClass::A,
    }))
}

fn begin(hub: &Hub, i: u64) -> Option<LiveRun> {
    let about = RunAbout {
        session: SessionId::parse(&format!("run-{i}")).ok()?,
        athlete: AthleteId::parse(&format!("athlete-{i}")).ok()?,
        name: format!("Runner {i}"),
        kind: RunKind::Demo,
        started: UtcMicros::from_micros(0),
        sensors: Vec::new(),
        speed_factor: Some(1.0),
        marks: Marks::Nowhere,
        cues: Cues::None,
    };
    hub.begin(about, Before::default())
}

#[derive(Default)]
struct Counts {
    bytes: AtomicU64,
    frames: AtomicU64,
    lags: AtomicU64,
    open: AtomicU64,
}

async fn view(at: SocketAddr, run: u64, counts: Arc<Counts>, reads: bool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(at).await?;
    let ask = format!("GET /api/v1/live/run-{run} HTTP/1.1\r\nHost: {at}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await?;
    counts.open.fetch_add(1, Ordering::Relaxed);
    if !reads {
        // Holds the connection and never reads.
        std::future::pending::<()>().await;
    }
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        let text = &buffer[..n];
        counts.bytes.fetch_add(n as u64, Ordering::Relaxed);
        let count = |word: &[u8]| text.windows(word.len()).filter(|w| *w == word).count() as u64;
        counts.frames.fetch_add(count(b"\nevent: "), Ordering::Relaxed);
        counts.lags.fetch_add(count(b"event: lag"), Ordering::Relaxed);
    }
}

fn main() -> std::process::ExitCode {
    let seconds: u64 = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(20);
    let began = Instant::now();
    let steady: Arc<dyn Fn() -> Duration + Send + Sync> = Arc::new(move || began.elapsed());
    let hub = Hub::new("bench".to_owned(), Arc::clone(&steady));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let app = App::open(Setup {
        dir: dir.path().to_owned(),
        clock: Clock {
            utc: Arc::new(|| UtcMicros::from_micros(1_772_712_000_000_000)),
            today: Arc::new(|| Day::from_days(20_517)),
            steady,
        },
        entrance: Entrance::ThisMachine,
        limits: Limits {
            requests: None,
            streams_each: VIEWERS as usize,
            streams: VIEWERS as usize,
        },
        trusted_proxies: Vec::new(),
        hub: hub.clone(),
        checks: Box::new(Vec::new),
        kits: Vec::new(),
        rules: flag_rules::built_in(),
    })
    .expect("a record");
    // One thread for everything: server, viewers and all.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut runs: Vec<LiveRun> = (0..RUNS).filter_map(|i| begin(&hub, i)).collect();
    let counts = Arc::new(Counts::default());
    let (mut took, mut memory) = (Vec::new(), [0.0, 0.0]);
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        tokio::spawn(serve(listener, app, std::future::pending()));
        for i in 0..VIEWERS {
            tokio::spawn(view(at, i % RUNS, Arc::clone(&counts), !i.is_multiple_of(SLOW)));
        }
        let mut waiting = tokio::time::interval(Duration::from_millis(10));
        while counts.open.load(Ordering::Relaxed) < VIEWERS {
            waiting.tick().await;
        }
        // At many times real time, so that minutes of running pass in the seconds given, and slow viewers fall far behind.
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for n in 0..seconds * 20 {
            tick.tick().await;
            for run in &mut runs {
                let before = Instant::now();
                run.take(&stride(n));
                took.push(before.elapsed());
            }
            if n == seconds * 4 {
                memory[0] = resident_mb();
            }
        }
        memory[1] = resident_mb();
    });
    took.sort_unstable();
    let published = took.len();
    // Of the longest a busy machine has its share: the thread is taken away in the middle of it.
    let nearly_all = took.get(published * 99 / 100).copied().unwrap_or_default();
    let longest = took.last().copied().unwrap_or_default();
    let read = counts.frames.load(Ordering::Relaxed);
    println!(
        "viewers {VIEWERS} ({} never read), runs {RUNS}, {seconds} s",
        VIEWERS / SLOW
    );
    println!(
        "published {published} strides, the longest publish took {:.2} ms",
        longest.as_secs_f64() * 1e3
    );
    println!(
        "read {read} frames, {:.1} MB, {} of them lag",
        counts.bytes.load(Ordering::Relaxed) as f64 / 1e6,
        counts.lags.load(Ordering::Relaxed)
    );
    println!(
        "memory {:.0} MB after a fifth, {:.0} MB at the end",
        memory[0], memory[1]
    );
    let (grew, waited) = (memory[1] - memory[0] > 30.0, nearly_all > Duration::from_millis(5));
    if grew {
        println!("memory grows with what is not read");
    }
    if waited {
        println!("publishing waits");
    }
    std::process::ExitCode::from(u8::from(grew || waited))
}
