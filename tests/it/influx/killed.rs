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
    let known = logs(dir);
    let said = File::create(dir.join("said")).expect("a file");
    let mut recorder = Killed(record(dir, radio, "10m").stderr(said).spawn().expect("started"));
    let mut sender = Killed(sync(dir, url, &["--follow"]).spawn().expect("started"));
    // By its log and not by its row: a recording that was killed before it had one gets it from the next recorder.
    let fresh = || logs(dir).into_iter().find(|l| !known.contains(l));
    let logged_bytes = || {
        let log = dir.join("raw").join(format!("{}.links", fresh()?));
        Some(log.metadata().ok()?.len())
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
    let session = fresh();
    let row = sessions(dir)
        .into_iter()
        .find(|s| Some(s.meta.id.as_str()) == session.as_deref());
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
    let session = session?;
    Some(Seen {
        committed,
        secs: at_us as f64 * 1e-6 - began_s(&session),
        logged: logged(dir, &session),
        session,
    })
}

/// The sessions that have a log of links.
fn logs(dir: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(dir.join("raw")) else {
        return BTreeSet::new();
    };
    let name = |e: std::fs::DirEntry| e.file_name().into_string().ok();
    let names = entries.flatten().filter_map(name);
    names
        .filter_map(|n| n.strip_suffix(".links").map(str::to_owned))
        .collect()
}

/// When a session began, s since 1970: its id is a UUID of version 7, which begins with that in milliseconds.
fn began_s(session: &str) -> f64 {
    let digits: String = session.chars().filter(|c| *c != '-').take(12).collect();
    i64::from_str_radix(&digits, 16).expect("hexadecimal digits") as f64 * 1e-3
}

#[test]
#[cfg(unix)]
fn recordings_killed_at_random_moments_lose_a_second_at_most_and_no_point_is_doubled() {
    let kills = std::env::var("LOPE_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(FEW);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let dir = dir.path();
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
    let (mut rows, mut late, mut streaming, mut samples) = (0, 0, 0, 0);
    let mut losses = Vec::new();
    for seen in &seen {
        let id = &seen.session;
        let meant: usize = seen.logged.iter().map(Logged::meant).sum();
        let Some(row) = all.iter().find(|r| r.meta.id.as_str() == id) else {
            assert_eq!((meant, seen.committed), (0, 0), "{id} is gone");
            continue;
        };
        assert_eq!(row.state, SessionState::Closed, "{id}");
        let there = strides(&reader, row);
        assert!(there >= seen.committed, "{id}: {there} of {} strides", seen.committed);
        rows += seen.committed;
        late += usize::from(seen.committed > 0);
        samples += meant;
        let mut found: [Vec<f64>; 5] = Default::default();
        for event in reader.raw(&row.meta.id).expect("raw samples") {
            if let SensorEvent::Sample(placement, s) = event.expect("readable") {
                found[placement.index()].push(s.t.secs());
            }
        }
        for (placement, logged) in PLACES.into_iter().zip(&seen.logged) {
            let (name, found) = (placement.name(), &found[placement.index()]);
            assert_eq!(found.len(), logged.meant(), "{id}: samples of {name} that were logged");
            if logged.meant() == 0 || logged.downs > 0 {
                continue;
            }
            streaming += 1;
            let last = found.iter().copied().fold(0.0, f64::max);
            assert!(
                seen.secs - last <= LOST_S,
                "{id}: {name} ends at {last:.2} of {:.2} s; its last frame came at {:.2} s",
                seen.secs,
                logged.last_s
            );
            losses.push(seen.secs - last);
        }
    }
    assert!(
        seen.len() as u64 * 10 >= kills * 9,
        "{} of {kills} had a log",
        seen.len()
    );
    assert!(
        streaming * 10 >= seen.len() * 3 * 8,
        "{streaming} sensors of {} recordings streamed",
        seen.len()
    );
    assert!(
        kills < 20 || late * 10 >= seen.len(),
        "strides were committed before {late} kills"
    );
    losses.sort_by(f64::total_cmp);
    let out = sync(dir, &server.url(), &[]).status().expect("it runs");
    assert!(out.success(), "{out}");
    let kept = kept.lock().expect("alone");
    assert_eq!(kept.points, wanted(dir), "each point once, and none missing");
    println!(
        "measured: {kills} kills, {} recordings, {streaming} sensors streaming; all {samples} samples logged are there; {late} with \
         {rows} strides committed before, all there after; samples end {:.2} s before the kill in the typical sensor and {:.2} s \
         in the worst; {} lines sent for {} points",
        seen.len(),
        losses.get(losses.len() / 2).copied().unwrap_or(0.0),
        losses.last().copied().unwrap_or(0.0),
        kept.lines,
        kept.points.len()
    );
}
