//! Recordings and their senders, killed together at random moments: the store opens, nothing that was committed is lost,
//! at most a second of samples, and the server ends up with each point once.
//!
//! What a killed recording had been sent stands in its log of links, which is read here without the drivers: every sample
//! in it must be in the recording that is finished from it, and its last frame must not be older than a second when the
//! recorder was killed. Nothing is forgiven a sensor that was streaming; one whose link was not up yet, or that had not
//! answered yet what it measures, is judged by what it had sent.
//!
//! Virtual pods run in real time, so a hundred kills take minutes: `LOPE_KILLS` says how many; a few without it.

#![allow(
    clippy::disallowed_methods,
    reason = "processes are killed in real time; nothing that is asserted depends on how long anything took"
)]

use super::http::{Request, Server};
use super::season::{Dice, wanted};
use super::servers::{Kept, TOKEN, answered};
use firmware_protocol::{Answer, Body, Frame, Indication, Payload, gatt};
use lope::model::{Placement, SensorEvent};
use lope::sensors::link::LinkEvent;
use lope::sensors::log::{Entry, LogReader};
use lope::store::{Completeness, History, RowQuery, SessionQuery, SessionRow, SessionState, SqliteReader};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Kills where nobody says how many.
const FEW: u64 = 3;
/// Samples that may be lost, s.
const LOST_S: f64 = 1.0;
/// Log of links at which a kill comes, bytes: at least, and up to so many more. From the first connection on, up to some
/// seconds of running …
const SOON: (u64, u64) = (2_000, 60_000);
/// … and, one in [`LATE_ONE_IN`], so late that strides had been committed.
const LATE: (u64, u64) = (90_000, 60_000);
const LATE_ONE_IN: u64 = 4;
const PLACES: [Placement; 3] = [Placement::LeftFoot, Placement::RightFoot, Placement::Sacrum];
const PODS: [&str; 6] = [
    "--sensor",
    "left_foot=lope-left-foot-0100",
    "--sensor",
    "right_foot=lope-right-foot-0101",
    "--sensor",
    "sacrum=lope-sacrum-0104",
];

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lope"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Pods on a runner who soon runs, and the address of their radio.
fn pods() -> (Killed, String) {
    let mut process = program()
        .args(["pod", "--listen", "127.0.0.1:0", "--for", "60m", "--stand", "1"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(process.stderr.take().expect("piped"));
    let mut line = String::new();
    let radio = loop {
        line.clear();
        assert!(lines.read_line(&mut line).expect("read") > 0, "the pods ended");
        if let Some(at) = line.find("wire:") {
            break line[at..].trim().to_owned();
        }
    };
    std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
    (Killed(process), radio)
}

fn record(dir: &Path, radio: &str, secs: &str) -> Command {
    let mut command = program();
    command
        .arg("--data-dir")
        .arg(dir)
        .args(["--radio", radio, "record", "--no-standing", "--for", secs]);
    command.args(PODS);
    command
}

fn sync(dir: &Path, url: &str, more: &[&str]) -> Command {
    let mut command = program();
    command.arg("--data-dir").arg(dir).env("LOPE_INFLUX_TOKEN", TOKEN);
    command
        .args([
            "influx", "sync", "--quiet", "--org", "club", "--bucket", "lope", "--url", url,
        ])
        .args(more);
    command
}

fn sessions(dir: &Path) -> Vec<SessionRow> {
    SqliteReader::open(dir)
        .and_then(|r| r.sessions(&SessionQuery::default()))
        .map_or_else(|_| Vec::new(), |page| page.rows)
}

/// Strides of the live analysis.
fn strides(reader: &SqliteReader, row: &SessionRow) -> usize {
    let query = RowQuery {
        analysis: Some(1),
        limit: 1_000_000,
        ..RowQuery::all(row.meta.id.clone())
    };
    let page = reader.strides(&query).expect("read");
    assert_eq!(page.completeness, Completeness::Complete);
    page.rows.len()
}

fn now_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_micros() as i64)
}

/// What was seen of a recording just before it was killed.
struct Seen {
    session: String,
    committed: usize,
    /// Since its start, s.
    secs: f64,
    /// What its log holds of each sensor, in the order of [`PODS`].
    logged: [Logged; 3],
}

/// What the log of links holds of one sensor.
#[derive(Default)]
struct Logged {
    /// Numbers of the samples that came since its session began, with their configuration.
    samples: BTreeMap<u32, u8>,
    /// Configurations that it told.
    told: BTreeSet<u8>,
    /// When the last frame of samples came, s.
    last_s: f64,
    /// Links that ended.
    downs: usize,
}

impl Logged {
    fn take(&mut self, event: &LinkEvent) {
        match event {
            LinkEvent::Frame { chan, bytes, .. } if chan.characteristic == gatt::CONTROL => self.control(bytes),
            LinkEvent::Frame { chan, bytes, at } if chan.characteristic == gatt::STREAM => {
                if let Ok(Frame::Data(data)) = Frame::decode(bytes)
                    && let Payload::Imu6(entries) = &data.payload
                {
                    self.last_s = at.secs();
                    let numbers = data.header.index..data.header.index + entries.len() as u32;
                    self.samples.extend(numbers.map(|i| (i, data.header.cfg_id.get())));
                }
            }
            LinkEvent::Down { .. } => self.downs += 1,
            _ => {}
        }
    }

    fn control(&mut self, bytes: &[u8]) {
        let Ok(Indication::Reply(reply)) = Indication::decode(bytes) else {
            return;
        };
        match reply.answer {
            // What came before belongs to whoever had the sensor.
            Answer::Done(Body::Start(_)) => (self.samples, self.told) = Default::default(),
            Answer::Done(Body::GetConfig(record) | Body::SetConfig(record)) => {
                self.told.extend(record.cfg_id.map(|id| id.get()));
            }
            _ => {}
        }
    }

    /// Samples that mean something: their configuration had been told.
    fn meant(&self) -> usize {
        self.samples.values().filter(|cfg| self.told.contains(cfg)).count()
    }
}

fn logged(dir: &Path, session: &str) -> [Logged; 3] {
    let file = File::open(dir.join("raw").join(format!("{session}.links"))).expect("its log");
    let mut log = LogReader::new(BufReader::new(file)).expect("a log");
    let mut all: [Logged; 3] = Default::default();
    while let Some(entry) = log.next_entry().expect("readable") {
        if let Entry::Event { sensor, event } = entry {
            all[usize::from(sensor)].take(&event);
        }
    }
    all
}

/// Records, waits until samples are logged and then for a random time, and kills recorder and sender.
fn kill_one(dir: &Path, radio: &str, url: &str, dice: &mut Dice) -> Option<Seen> {
    let known: Vec<String> = sessions(dir).iter().map(|s| s.meta.id.to_string()).collect();
    let said = std::fs::File::create(dir.join("said")).expect("a file");
    let mut recorder = Killed(record(dir, radio, "10m").stderr(said).spawn().expect("started"));
    let mut sender = Killed(sync(dir, url, &["--follow"]).spawn().expect("started"));
    let logged_bytes = || {
        let entries = std::fs::read_dir(dir.join("raw")).ok()?;
        let logs = entries
            .flatten()
            .filter(|e| e.path().extension().is_some_and(|x| x == "links"));
        let fresh = logs.filter(|e| {
            e.path()
                .file_stem()
                .is_none_or(|s| !known.iter().any(|k| s == k.as_str()))
        });
        fresh.map(|e| e.metadata().map_or(0, |m| m.len())).max()
    };
    let begun = Instant::now();
    let (least, more) = if dice.roll(LATE_ONE_IN) == 0 { LATE } else { SOON };
    let enough = least + dice.roll(more);
    let (_keep, never) = sync_channel::<()>(1);
    while logged_bytes().unwrap_or(0) < enough && begun.elapsed() < Duration::from_secs(60) {
        let ended = recorder.0.try_wait().expect("asked").is_some();
        assert!(
            !ended,
            "it ended by itself: {}",
            std::fs::read_to_string(dir.join("said")).unwrap_or_default()
        );
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
    let reader = SqliteReader::open(dir).ok();
    let row = sessions(dir)
        .into_iter()
        .find(|s| !known.contains(&s.meta.id.to_string()));
    let committed = row
        .as_ref()
        .zip(reader.as_ref())
        .map_or(0, |(row, reader)| strides(reader, row));
    let at_us = now_us();
    if dice.roll(2) == 0 {
        sender.0.kill().expect("killed");
    }
    recorder.0.kill().expect("killed");
    let _ = recorder.0.wait();
    sender.0.kill().expect("killed");
    let _ = sender.0.wait();
    row.map(|row| Seen {
        session: row.meta.id.to_string(),
        committed,
        secs: (at_us - row.meta.start.micros()) as f64 * 1e-6,
        logged: logged(dir, row.meta.id.as_str()),
    })
}

#[test]
#[cfg(unix)]
fn recordings_killed_at_random_moments_lose_a_second_at_most_and_no_point_is_doubled() {
    let kills = std::env::var("LOPE_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(FEW);
    let dir = tempfile::tempdir().expect("a temporary folder").keep();
    let dir = dir.as_path();
    println!("{}", dir.display());
    let kept = Arc::new(Mutex::new(Kept::default()));
    let theirs = kept.clone();
    let server = Server::start(move |request: &Request| answered(&theirs, request));
    let (_pods, radio) = pods();
    let mut dice = Dice(7);
    let mut seen = Vec::new();
    for _ in 0..kills {
        seen.extend(kill_one(dir, &radio, &server.url(), &mut dice));
    }
    // The next recording finishes those that were cut off.
    let done = record(dir, &radio, "1s").status().expect("it runs");
    assert!(done.success(), "{done}");
    let reader = SqliteReader::open(dir).expect("the store opens");
    let all = sessions(dir);
    let (mut rows, mut late, mut losses, mut samples) = (0, 0, Vec::new(), 0);
    for seen in &seen {
        let id = &seen.session;
        let row = all.iter().find(|r| r.meta.id.as_str() == id).expect("it is there");
        assert_eq!(row.state, SessionState::Closed, "{id}");
        let there = strides(&reader, row);
        assert!(there >= seen.committed, "{id}: {there} of {} strides", seen.committed);
        rows += seen.committed;
        late += usize::from(seen.committed > 0);
        let (mut found, mut last) = ([0; 5], 0.0_f64);
        for event in reader.raw(&row.meta.id).expect("raw samples") {
            if let SensorEvent::Sample(placement, s) = event.expect("readable") {
                found[placement.index()] += 1;
                last = last.max(s.t.secs());
            }
        }
        for (placement, logged) in PLACES.into_iter().zip(&seen.logged) {
            println!(
                "{id} {:?} {} {} {} {:.2} {:.2} {last:.2}",
                placement,
                logged.samples.len(),
                logged.meant(),
                found[placement.index()],
                seen.secs,
                logged.last_s
            );
            samples += logged.meant();
        }
        losses.push(seen.secs - last);
    }
    losses.sort_by(f64::total_cmp);
    let usual = losses.get(losses.len() / 2).copied().unwrap_or(0.0);
    let out = sync(dir, &server.url(), &[]).status().expect("it runs");
    assert!(out.success(), "{out}");
    let kept = kept.lock().expect("alone");
    assert_eq!(kept.points, wanted(dir), "each point once, and none missing");
    println!(
        "measured: {kills} kills, {} sessions, {late} with strides committed before ({rows}, all there after), {samples} samples logged, {usual:.2} s of samples lost in the typical kill and {:.2} in the worst, {} lines sent for {} points",
        seen.len(),
        losses.last().copied().unwrap_or(0.0),
        kept.lines,
        kept.points.len()
    );
}
