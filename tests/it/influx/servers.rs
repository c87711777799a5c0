//! Servers that keep points: InfluxDB 1.6.7 behind a proxy that speaks version 2, VictoriaMetrics, and a list in memory.
//!
//! Real ones start on a free port of this machine in a temporary folder and are ended by their process id. A program that
//! is not installed is a skip, said by name.

use super::http::{self, Answer, Request, Server, encoded, status};
use super::season::{Points, Value};
use crate::support::program;
use lope::store::SinkName;
use lope::store::UtcMicros;
use lope::store::influx::{
    Delivery, Destination, InfluxTransport, LineTransport, Pace, Patience, Plaintext, Sent, Token, Waiting, worker,
};
use lope::store::sqlite::SinkLedger;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const TOKEN: &str = "s3cret-token";

/// A process that ends with the value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits for the line of its log that says it listens; the rest of the log is read and dropped, so
/// that the server never waits for a reader.
fn start(mut command: Command, ready: &'static str) -> Process {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut seen = String::new();
    loop {
        let Some(Ok(line)) = lines.next() else {
            panic!("it ended before it listened:\n{seen}");
        };
        seen.push_str(&line);
        seen.push('\n');
        if line.contains(ready) {
            break;
        }
    }
    std::thread::spawn(move || lines.for_each(drop));
    Process(child)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A server under test.
pub(crate) trait Keeper {
    /// Where a sink sends to.
    fn url(&self) -> String;
    /// What it keeps.
    fn points(&self) -> Points;
    /// Whether it keeps texts and deletes spans of time.
    fn whole(&self) -> bool {
        true
    }
}

/// InfluxDB 1.6.7 and the proxy in front of it.
pub(crate) struct Influxd {
    _process: Process,
    proxy: Server,
    direct: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Influxd {
    pub(crate) fn start() -> Option<Self> {
        let program = program("influxd")?;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (port, other) = (free_port(), free_port());
        let at = |name: &str| dir.path().join(name).display().to_string();
        let config = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{other}\"\n[meta]\ndir = {:?}\n[data]\ndir = {:?}\n\
             wal-dir = {:?}\nindex-version = \"tsi1\"\n[monitor]\nstore-enabled = false\n\
             [http]\nbind-address = \"127.0.0.1:{port}\"\nmax-body-size = 1000000\nlog-enabled = false\n",
            at("meta"),
            at("data"),
            at("wal")
        );
        std::fs::write(dir.path().join("c.conf"), config).expect("written");
        let mut command = Command::new(program);
        command.arg("-config").arg(dir.path().join("c.conf"));
        let process = start(command, "Listening on HTTP");
        let direct = SocketAddr::from(([127, 0, 0, 1], port));
        let made = http::request(
            direct,
            "POST",
            &format!("/query?q={}", encoded("CREATE DATABASE lope")),
            b"",
        );
        assert_eq!(made.expect("an answer").0, 200);
        let proxy = Server::start(move |request| translated(direct, request));
        Some(Self {
            _process: process,
            proxy,
            direct,
            _dir: dir,
        })
    }

    /// The answer to a question, past the proxy.
    pub(crate) fn ask(&self, q: &str) -> serde_json::Value {
        ask(self.direct, q)
    }
}

fn ask(direct: SocketAddr, q: &str) -> serde_json::Value {
    let target = format!("/query?db=lope&epoch=ms&q={}", encoded(q));
    let (code, body) = http::request(direct, "GET", &target, b"").expect("an answer");
    assert_eq!(code, 200, "{q}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).expect("JSON")
}

/// Version 2 in, version 1 out.
fn translated(direct: SocketAddr, request: &Request) -> Answer {
    if request.header("authorization") != format!("Token {TOKEN}") {
        return status(401, r#"{"code":"unauthorized","message":"unauthorized access"}"#);
    }
    let (method, target, body) = match request.path.as_str() {
        "/api/v2/write" => {
            if request.param("bucket") != "lope" || request.param("org") != "club" {
                return status(404, r#"{"code":"not found","message":"bucket \"x\" not found"}"#);
            }
            let precision = match request.param("precision") {
                "ns" => "n",
                "us" => "u",
                other => other,
            };
            (
                "POST",
                format!("/write?db=lope&precision={precision}"),
                request.body.clone(),
            )
        }
        "/api/v2/delete" => {
            let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
            let text = |name: &str| body[name].as_str().expect("text").to_owned();
            let predicate = text("predicate");
            let mut quoted = predicate.split('"').skip(1).step_by(2);
            let (measurement, athlete) = (quoted.next().expect("one"), quoted.next().expect("two"));
            let q = format!(
                "DELETE FROM \"{measurement}\" WHERE \"athlete\" = '{athlete}' AND time >= '{}' AND time < '{}'",
                text("start"),
                text("stop")
            );
            let answer = ask_post(direct, &q);
            return match answer["results"][0]["error"].as_str() {
                Some(error) => status(400, error),
                None => status(204, ""),
            };
        }
        "/query" => {
            let all: Vec<String> = request
                .query
                .iter()
                .map(|(k, v)| format!("{k}={}", encoded(v)))
                .collect();
            ("GET", format!("/query?{}", all.join("&")), vec![])
        }
        _ => return status(404, "404 page not found"),
    };
    let Ok((code, body)) = http::request(direct, method, &target, &body) else {
        return status(502, "");
    };
    let text = String::from_utf8_lossy(&body);
    let message = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|v| v["error"].as_str().map(str::to_owned));
    match message {
        Some(message) if code != 200 => status(
            code,
            &serde_json::json!({"code": "invalid", "message": message}).to_string(),
        ),
        _ => Answer::Status(code, vec![], body),
    }
}

fn ask_post(direct: SocketAddr, q: &str) -> serde_json::Value {
    let target = format!("/query?db=lope&q={}", encoded(q));
    let (code, body) = http::request(direct, "POST", &target, b"").expect("an answer");
    assert_eq!(code, 200, "{q}");
    serde_json::from_slice(&body).expect("JSON")
}

const TAGS: [&str; 5] = ["athlete", "side", "seen_from", "placement", "rule"];

/// What lope sends.
const MEASUREMENTS: [&str; 5] = [
    "gait_stride",
    "gait_window",
    "gait_session",
    "sensor_health",
    "gait_flag",
];

impl Keeper for Influxd {
    fn url(&self) -> String {
        self.proxy.url()
    }

    fn points(&self) -> Points {
        let mut points = Points::new();
        for measurement in MEASUREMENTS {
            let answer = self.ask(&format!("SELECT * FROM {measurement}"));
            let series = &answer["results"][0]["series"][0];
            let Some(columns) = series["columns"].as_array() else {
                continue;
            };
            for row in series["values"].as_array().expect("rows") {
                let (mut tags, mut fields, mut time) = (BTreeMap::new(), BTreeMap::new(), 0);
                for (name, cell) in columns.iter().zip(row.as_array().expect("a row")) {
                    let name = name.as_str().expect("a name").to_owned();
                    match cell {
                        serde_json::Value::Null => {}
                        cell if name == "time" => time = cell.as_i64().expect("a time"),
                        cell if TAGS.contains(&name.as_str()) => {
                            tags.insert(name, cell.as_str().expect("a tag").to_owned());
                        }
                        serde_json::Value::String(s) => {
                            fields.insert(name, Value::Text(s.clone()));
                        }
                        cell => {
                            fields.insert(name, Value::Number(cell.as_f64().expect("a number")));
                        }
                    }
                }
                let old = points.insert((measurement.to_owned(), tags, time), fields);
                assert!(old.is_none(), "twice: {row:?}");
            }
        }
        points
    }
}

/// VictoriaMetrics: another parser, no texts, no deletion of spans.
pub(crate) struct Victoria {
    _process: Process,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Victoria {
    pub(crate) fn start() -> Option<Self> {
        let program = program("victoria-metrics")?;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut command = Command::new(program);
        command
            .arg(format!("-storageDataPath={}", dir.path().display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .args(["-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"]);
        let process = start(command, "started VictoriaMetrics in");
        Some(Self {
            _process: process,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            _dir: dir,
        })
    }
}

impl Keeper for Victoria {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn whole(&self) -> bool {
        false
    }

    /// Numbers only, field by field put together again.
    fn points(&self) -> Points {
        http::request(self.address, "GET", "/internal/force_flush", b"").expect("an answer");
        let target = format!(
            "/api/v1/export?match[]={}&reduce_mem_usage=0",
            encoded("{__name__=~\"(gait|sensor)_.*\"}")
        );
        let (code, body) = http::request(self.address, "GET", &target, b"").expect("an answer");
        assert_eq!(code, 200);
        let mut points = Points::new();
        for line in String::from_utf8(body).expect("text").lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let mut tags: BTreeMap<String, String> = serde_json::from_value(line["metric"].clone()).expect("labels");
            let name = tags.remove("__name__").expect("a name");
            tags.remove("db");
            let measurement = MEASUREMENTS
                .into_iter()
                .find(|m| name.starts_with(&format!("{m}_")))
                .expect("one of ours");
            let field = name[measurement.len() + 1..].to_owned();
            let list = |key: &str| line[key].as_array().expect("a list").clone();
            for (v, t) in list("values").iter().zip(list("timestamps")) {
                let key = (measurement.to_owned(), tags.clone(), t.as_i64().expect("a time"));
                let number = Value::Number(v.as_f64().expect("a number"));
                let old = points.entry(key).or_default().insert(field.clone(), number);
                assert!(old.is_none(), "{name} twice at {t}");
            }
        }
        points
    }
}

/// What a list in memory was sent.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) points: Points,
    /// Lines of all bodies that were taken.
    pub(crate) lines: usize,
}

impl Kept {
    /// Takes a body, whole.
    pub(crate) fn take(&mut self, body: &[u8]) {
        for line in std::str::from_utf8(body)
            .expect("text")
            .lines()
            .filter(|l| !l.starts_with('#'))
        {
            self.lines += 1;
            let (head, rest) = line.split_once(' ').expect("fields");
            let (fields, time) = rest.rsplit_once(' ').expect("a time");
            let mut head = head.split(',');
            let measurement = head.next().expect("a name").to_owned();
            let pair = |p: &str| {
                p.split_once('=')
                    .map(|(k, v)| (k.to_owned(), v.to_owned()))
                    .expect("a pair")
            };
            let tags = head.map(pair).collect();
            let point = self
                .points
                .entry((measurement, tags, time.parse().expect("ms")))
                .or_default();
            // No text of the season holds a comma.
            for (name, value) in fields.split(',').map(pair) {
                let value = match value.strip_prefix('"') {
                    Some(text) => Value::Text(text.trim_end_matches('"').to_owned()),
                    None => Value::Number(value.trim_end_matches('i').parse().expect("a number")),
                };
                point.insert(name, value);
            }
        }
    }

    /// Removes what a deletion names.
    pub(crate) fn erase(&mut self, body: &[u8]) {
        let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        let predicate = body["predicate"].as_str().expect("text");
        let mut quoted = predicate.split('"').skip(1).step_by(2);
        let (measurement, athlete) = (quoted.next().expect("one"), quoted.next().expect("two"));
        let ms = |name: &str| millis(body[name].as_str().expect("a time"));
        let (from, to) = (ms("start"), ms("stop"));
        self.points
            .retain(|(m, tags, t), _| m != measurement || tags["athlete"] != athlete || *t < from || *t >= to);
    }
}

/// Milliseconds of an ISO 8601 instant, found by halving: independent of how it was written.
fn millis(text: &str) -> i64 {
    let (mut low, mut high) = (0_i64, 4_102_444_800_000_i64);
    while low < high {
        let middle = (low + high) / 2;
        if *UtcMicros::from_micros(middle * 1000).iso8601() < *text {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// A server in memory that does as it should.
pub(crate) struct InMemory {
    server: Server,
    pub(crate) kept: Arc<Mutex<Kept>>,
}

impl InMemory {
    pub(crate) fn start() -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let theirs = kept.clone();
        let server = Server::start(move |request| answered(&theirs, request));
        Self { server, kept }
    }
}

/// What a sound server does with a request.
pub(crate) fn answered(kept: &Mutex<Kept>, request: &Request) -> Answer {
    assert_eq!(request.header("authorization"), format!("Token {TOKEN}"));
    let mut kept = kept.lock().expect("alone");
    match request.path.as_str() {
        "/api/v2/write" => {
            assert_eq!(
                (
                    request.method.as_str(),
                    request.param("precision"),
                    request.param("bucket"),
                    request.param("org")
                ),
                ("POST", "ms", "lope", "club")
            );
            kept.take(&request.body);
        }
        "/api/v2/delete" => kept.erase(&request.body),
        other => panic!("nobody asks for {other}"),
    }
    status(204, "")
}

impl Keeper for InMemory {
    fn url(&self) -> String {
        self.server.url()
    }

    fn points(&self) -> Points {
        self.kept.lock().expect("alone").points.clone()
    }
}

/// Time that runs only by being waited for.
#[derive(Default)]
pub(crate) struct Played {
    now: Cell<Duration>,
    /// What was waited, for what.
    pub(crate) waits: RefCell<Vec<(String, Duration)>>,
}

impl Pace for Played {
    fn now(&self) -> Duration {
        self.now.get()
    }

    fn utc(&self) -> UtcMicros {
        UtcMicros::EPOCH
    }

    fn wait(&self, why: &Waiting<'_>, time: Duration) -> ControlFlow<()> {
        let word = match why {
            Waiting::InStep => return ControlFlow::Break(()),
            Waiting::Retry { .. } => "retry".to_owned(),
            Waiting::Paused { pause, .. } => pause.word().to_owned(),
        };
        self.now.set(self.now.get() + time);
        self.waits.borrow_mut().push((word, time));
        assert!(self.waits.borrow().len() < 2000, "it goes on some day: {why:?}");
        ControlFlow::Continue(())
    }
}

/// A destination with short waits.
pub(crate) fn destination(url: &str) -> Destination {
    let token = Token::parse(TOKEN).expect("a token");
    let mut there = Destination::new(url, "club", "lope", token, Plaintext::Loopback).expect("an address");
    there.patience = Patience {
        request: Duration::from_millis(2500),
        connect: Duration::from_millis(2500),
        ..Patience::default()
    };
    there
}

/// Brings the copy up to date over a transport.
pub(crate) fn sync_over(dir: &Path, transport: &dyn LineTransport, pace: &Played) -> Sent {
    let sink = SinkName::parse("club").expect("a name");
    let (mut ledger, _) = SinkLedger::open(dir, &sink, "there", UtcMicros::EPOCH).expect("a record");
    worker::run(&mut ledger, transport, &mut Delivery::new(7), pace).expect("the record works")
}

/// Brings the copy up to date.
pub(crate) fn sync(dir: &Path, url: &str) -> Sent {
    let transport = InfluxTransport::new(&destination(url)).expect("a client");
    sync_over(dir, &transport, &Played::default())
}
