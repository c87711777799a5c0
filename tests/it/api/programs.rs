//! The built program shows runs as they happen: recorded from pods over a socket, played back, and demonstrated.
//!
//! Each test starts the real program, watches its stream over plain HTTP, asks something of the run, and looks at what became
//! of that in the record. Nothing depends on how long anything takes: a test waits for what must come, and gives up late.

#![allow(
    clippy::disallowed_methods,
    reason = "programs run in real time; nothing that is asserted depends on how long anything took"
)]

use lope::model::SessionTime;
use lope::store::{History as _, RowQuery, SessionEvent, SessionQuery, SessionRow, SessionState, SqliteReader};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Waiting for what must come ends here, however loaded the machine is.
/// Lines and frames that wait for the test at most: their reader then waits, and the program with it.
const WAITING: usize = 65_536;
const PATIENCE: Duration = Duration::from_secs(180);
const PODS: [&str; 6] = [
    "--sensor",
    "left_foot=lope-left-foot-0100",
    "--sensor",
    "right_foot=lope-right-foot-0101",
    "--sensor",
    "sacrum=lope-sacrum-0104",
];

/// A program, and what it writes to standard error, line by line.
struct Program {
    child: Child,
    said: Receiver<String>,
    heard: Vec<String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lope"))
            .env("NO_COLOR", "1")
            .arg("--data-dir")
            .arg(data)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (to, said) = sync_channel(WAITING);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        let heard = Vec::new();
        Self { child, said, heard }
    }

    /// What follows these words in what it says.
    fn says(&mut self, words: &str) -> String {
        let late = Instant::now() + PATIENCE;
        loop {
            match self.said.recv_timeout(late.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let found = line.find(words).map(|at| line[at + words.len()..].trim().to_owned());
                    self.heard.push(line);
                    if let Some(rest) = found {
                        return rest;
                    }
                }
                Err(_) => panic!("it never said {words:?}, but {:#?}", self.heard),
            }
        }
    }

    fn ends(&mut self) -> ExitStatus {
        let (_keep, never) = sync_channel::<()>(WAITING);
        let late = Instant::now() + PATIENCE;
        while Instant::now() < late {
            if let Some(status) = self.child.try_wait().expect("asked") {
                self.heard.extend(self.said.try_iter());
                return status;
            }
            let _ = never.recv_timeout(Duration::from_millis(50));
        }
        panic!("it does not end: {:#?}", self.heard);
    }
}

/// The body of an answer, and its status. HTTP/1.0, so that the body is what comes until the end.
fn ask(address: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("connects");
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answered");
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// A stream of a live run, read by a thread of its own.
struct Stream {
    frames: Receiver<(String, Value)>,
    seen: Vec<String>,
}

impl Stream {
    fn open(address: &str, session: &str) -> Self {
        let mut stream = TcpStream::connect(address).expect("connects");
        let path = format!("/api/v1/live/{session}");
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("sent");
        let (to, frames) = sync_channel(WAITING);
        std::thread::spawn(move || {
            let mut event = String::new();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if let Some(name) = line.strip_prefix("event: ") {
                    name.clone_into(&mut event);
                } else if let Some(data) = line.strip_prefix("data: ") {
                    let data = serde_json::from_str(data).unwrap_or(Value::Null);
                    if to.send((event.clone(), data)).is_err() {
                        return;
                    }
                }
            }
        });
        let seen = Vec::new();
        Self { frames, seen }
    }

    /// The next frame of this name for which that holds.
    fn wait(&mut self, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let late = Instant::now() + PATIENCE;
        loop {
            match self.frames.recv_timeout(late.saturating_duration_since(Instant::now())) {
                Ok((event, data)) => {
                    let found = event == name && holds(&data);
                    self.seen.push(format!("{event} {data}"));
                    if found {
                        return data;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the stream ended before {name}: {:#?}", self.last()),
                Err(RecvTimeoutError::Timeout) => panic!("no such {name} came: {:#?}", self.last()),
            }
        }
    }

    fn last(&self) -> &[String] {
        &self.seen[self.seen.len().saturating_sub(20)..]
    }
}

/// The session that runs at this address.
fn running(address: &str) -> String {
    let (_keep, never) = sync_channel::<()>(WAITING);
    let late = Instant::now() + PATIENCE;
    while Instant::now() < late {
        let (_, live) = ask(address, "GET", "/api/v1/live", None);
        if let Some(session) = live["items"][0]["session"].as_str() {
            return session.to_owned();
        }
        let _ = never.recv_timeout(Duration::from_millis(20));
    }
    panic!("nothing ever ran at {address}");
}

fn post(address: &str, session: &str, body: &Value) -> (u16, Value) {
    ask(address, "POST", &format!("/api/v1/live/{session}/events"), Some(body))
}

/// Pods on a runner who soon runs, and the address of their radio.
fn pods(data: &Path) -> (Program, String) {
    let mut pods = Program::start(
        data,
        &["pod", "--listen", "127.0.0.1:0", "--for", "60m", "--stand", "1"],
    );
    let radio = pods.says("--radio ");
    (pods, radio)
}

fn record(data: &Path, radio: &str, more: &[&str]) -> Program {
    let mut all = vec!["--radio", radio, "record", "--no-standing"];
    all.extend(PODS);
    all.extend(more);
    Program::start(data, &all)
}

fn kept(data: &Path, session: &str) -> Option<SessionRow> {
    let reader = SqliteReader::open(data).ok()?;
    let rows = reader.sessions(&SessionQuery::default()).ok()?.rows;
    rows.into_iter().find(|r| r.meta.id.as_str() == session)
}

/// The marks of a session, in the analysis that is shown.
fn marks(data: &Path, row: &SessionRow) -> Vec<(SessionTime, String)> {
    let reader = SqliteReader::open(data).expect("opens");
    let query = RowQuery {
        limit: 100_000,
        ..RowQuery::all(row.meta.id.clone())
    };
    let events = reader.events(&query).expect("read").rows;
    let marks = events.into_iter().filter_map(|e| match e {
        SessionEvent::Marker { t, text } => Some((t, text)),
        _ => None,
    });
    marks.collect()
}

fn texts(marks: &[(SessionTime, String)]) -> Vec<&str> {
    marks.iter().map(|(_, text)| text.as_str()).collect()
}

#[test]
fn a_recording_is_watched_marked_muted_and_stopped_over_the_network() {
    let dir = tempfile::tempdir().expect("folder");
    let data = dir.path();
    let (_pods, radio) = pods(data);
    let mut recording = record(data, &radio, &["--serve=127.0.0.1:0", "--cue", "words"]);
    let address = recording.says("dashboard  http://");
    let session = running(&address);
    let mut stream = Stream::open(&address, &session);
    let hello = stream.wait("hello", |_| true);
    assert_eq!(
        (&hello["kind"], &hello["cues"], &hello["marks"]),
        (&json!("record"), &json!(true), &json!(true))
    );
    let warming = stream.wait("cue", |_| true);
    assert_eq!(
        (&warming["state"], &warming["why"]),
        (&json!("silent"), &json!("off while you warm up"))
    );
    stream.wait("stride", |s| s["side"] == "left");
    let window = stream.wait("window", |w| w["n"].as_u64() > Some(0));
    assert_eq!(window["usual"], Value::Null, "nothing is usual yet");
    let health = stream.wait("health", |_| true);
    assert_eq!(health["sensors"].as_array().map(Vec::len), Some(3), "{health}");
    for _ in 0..2 {
        let (status, answer) = post(&address, &session, &json!({ "id": "l1", "kind": "lap" }));
        assert_eq!(status, 202, "{answer}");
    }
    let lap = stream.wait("event", |e| e["kind"] == "lap");
    assert!(lap["t_s"].as_f64() > Some(0.0), "{lap}");
    for (kind, why) in [("mute", "muted"), ("unmute", "off while you warm up")] {
        assert_eq!(post(&address, &session, &json!({ "id": kind, "kind": kind })).0, 202);
        stream.wait("cue", |c| c["why"] == why);
    }
    let pain = json!({ "id": "p1", "kind": "pain", "value": 7, "text": "left side" });
    assert_eq!(post(&address, &session, &pain).0, 202);
    let sore = stream.wait("cue", |c| c["state"] == "off");
    assert_eq!(sore["why"], "your back is sore today");
    let (refused, _) = post(&address, &session, &json!({ "id": "d1", "kind": "dance" }));
    assert_eq!(refused, 422);
    assert_eq!(post(&address, &session, &json!({ "id": "s1", "kind": "stop" })).0, 202);
    stream.wait("bye", |_| true);
    assert!(recording.ends().success(), "{:#?}", recording.heard);
    let row = kept(data, &session).expect("it is there");
    assert_eq!(row.state, SessionState::Closed);
    assert!(row.strides > Some(0), "{row:?}");
    let marks = marks(data, &row);
    let wanted = ["lap", "cues muted", "cues no longer muted", "pain 7: left side"];
    assert_eq!(texts(&marks), wanted, "each once, in order");
    assert!(
        marks.iter().all(|(t, _)| t.secs() > 0.0 && Some(*t) <= row.stop),
        "{marks:?}"
    );
}

#[test]
#[cfg(unix)]
fn a_mark_outlives_a_recording_that_is_killed() {
    let dir = tempfile::tempdir().expect("folder");
    let data = dir.path();
    let (_pods, radio) = pods(data);
    let mut recording = record(data, &radio, &["--serve=127.0.0.1:0"]);
    let address = recording.says("dashboard  http://");
    let session = running(&address);
    let mut stream = Stream::open(&address, &session);
    stream.wait("stride", |_| true);
    let mark = json!({ "id": "m1", "kind": "marker", "text": "the bridge" });
    assert_eq!(post(&address, &session, &mark).0, 202);
    let (_keep, never) = sync_channel::<()>(WAITING);
    let late = Instant::now() + PATIENCE;
    let committed = || kept(data, &session).is_some_and(|row| texts(&marks(data, &row)) == ["the bridge"]);
    while !committed() {
        assert!(Instant::now() < late, "it is never written");
        let _ = never.recv_timeout(Duration::from_millis(50));
    }
    recording.child.kill().expect("killed");
    let _ = recording.child.wait();
    // The next recording finishes it: its strides are computed again, the mark stays.
    let mut next = record(data, &radio, &["--for", "1s"]);
    assert!(next.ends().success(), "{:#?}", next.heard);
    let row = kept(data, &session).expect("it is there");
    assert_eq!(row.state, SessionState::Closed);
    assert!(row.current_analysis > 1, "computed again");
    assert_eq!(texts(&marks(data, &row)), ["the bridge"]);
}

#[test]
fn a_recording_played_back_is_watched_and_stopped_and_keeps_no_mark() {
    let dir = tempfile::tempdir().expect("folder");
    let run = dir.path().join("run");
    let run = run.display().to_string();
    let mut made = Program::start(dir.path(), &["simulate", "--out", &run, "--minutes", "8"]);
    assert!(made.ends().success(), "{:#?}", made.heard);
    let mut replay = Program::start(dir.path(), &["replay", &run, "--speed", "10", "--serve=127.0.0.1:0"]);
    let address = replay.says("dashboard  http://");
    let session = running(&address);
    let mut stream = Stream::open(&address, &session);
    let hello = stream.wait("hello", |_| true);
    assert_eq!(
        (&hello["kind"], &hello["speed_factor"]),
        (&json!("replay"), &json!(10.0))
    );
    let cue = stream.wait("cue", |_| true);
    assert_eq!((&cue["state"], &cue["why"]), (&json!("off"), &Value::Null));
    stream.wait("health", |_| true);
    stream.wait("stride", |_| true);
    stream.wait("window", |w| w["n"].as_u64() > Some(0));
    let refused = |kind: &str| {
        let (status, problem) = post(&address, &session, &json!({ "id": kind, "kind": kind }));
        (status, problem["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refused("lap"), (409, "lope::live::keeps_nothing".to_owned()));
    assert_eq!(refused("mute"), (409, "lope::live::no_cue".to_owned()));
    assert_eq!(post(&address, &session, &json!({ "id": "s1", "kind": "stop" })).0, 202);
    stream.wait("bye", |_| true);
    assert!(replay.ends().success(), "{:#?}", replay.heard);
    assert!(
        replay.heard.iter().any(|l| l.contains("stopped at")),
        "{:#?}",
        replay.heard
    );
    assert!(kept(dir.path(), &session).is_none(), "a replay keeps nothing");
}

#[test]
fn a_demonstration_is_watched_and_marked_and_has_a_day() {
    let dir = tempfile::tempdir().expect("folder");
    let mut demo = Program::start(dir.path(), &["demo", "--minutes", "4", "--speed", "10", "--stay"]);
    let address = demo.says("dashboard  http://");
    let session = running(&address);
    let mut stream = Stream::open(&address, &session);
    stream.wait("hello", |h| h["kind"] == "demo");
    stream.wait("cue", |c| c["state"] == "off");
    stream.wait("health", |_| true);
    stream.wait("stride", |_| true);
    stream.wait("window", |w| w["n"].as_u64() > Some(0));
    let lap = post(&address, &session, &json!({ "id": "l1", "kind": "lap" }));
    assert_eq!(lap.0, 202, "{}", lap.1);
    let pain = post(&address, &session, &json!({ "id": "p1", "kind": "pain", "value": 3 }));
    assert_eq!(pain.0, 202, "{}", pain.1);
    stream.wait("event", |e| e["text"] == "pain 3");
    stream.wait("bye", |_| true);
    demo.says("the dashboard stays at");
    let (status, one) = ask(&address, "GET", &format!("/api/v1/sessions/{session}"), None);
    assert_eq!(status, 200, "{one}");
    let marked: Vec<&Value> = one["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|e| &e["text"])
        .filter(|t| **t == "lap" || **t == "pain 3")
        .collect();
    assert_eq!(marked, ["lap", "pain 3"]);
    let (_, card) = ask(&address, "GET", &format!("/api/v1/sessions/{session}/card"), None);
    let day = card["session"]["day"].as_str().expect("a day");
    assert!(day > "2026", "{day}");
    assert_eq!(card["session"]["clock"], "assumed", "nobody ran it");
    writeln!(demo.child.stdin.take().expect("piped"), "q").expect("typed");
    assert!(demo.ends().success(), "{:#?}", demo.heard);
}
