//! The HTTP interface, driven through its router: who reaches what, what is refused and how, pages, streams, and that no
//! question however odd makes it fail.

mod consent;
mod description;
mod files;
mod guards;
mod hostile;
mod lists;
mod matrix;
mod plain;
mod programs;
mod served;
mod streams;
mod verdicts;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use lope::api::live::{Before, Cues, LiveRun, Marks, RunAbout, RunKind};
use lope::api::{App, Clock, Entrance, Hub, Limits, Setup, router};
use lope::interchange::flag_rules;
use lope::metrics::{MetricId, MetricSet, StrideRecord};
use lope::model::{
    Activity, Athlete, Contact, DataClass, Placement, QualityParts, SegmentKind, SensorConfig, SessionTime, Side,
    Stride, StrideFlags,
};
use lope::store::access::{Role, TokenRow, TokenScope};
use lope::store::journal::{
    Body as Says, CheckIn, ClinicianNote, Consent, Day, Entry, EntryId, Journal as _, Purpose, Score, SessionNote,
};
use lope::store::{
    AthleteId, Batch, Closing, Origin, SessionEvent, SessionId, SessionMeta, SqliteAccess, SqliteJournal, SqliteStore,
    Store as _, UtcMicros, WallClock,
};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tower::ServiceExt as _;

/// Noon of 2026-03-05.
const NOW_US: i64 = 1_772_712_000_000_000;
const DAY_US: i64 = 86_400_000_000;
/// Strides of a foot in a session.
const STRIDES: u32 = 120;

/// A record of ada and ben, each with a session, a live run and entries; and a server over it.
struct Server {
    dir: tempfile::TempDir,
    app: App,
    hub: Hub,
    ms: Arc<AtomicU64>,
    // Live while they are held.
    _runs: Vec<LiveRun>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// That it is a problem of this status, in the one shape of problems.
    #[track_caller]
    fn is_problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for name in ["type", "title", "code", "detail"] {
            assert!(
                problem[name].as_str().is_some_and(|t| !t.is_empty()),
                "{name} in {problem}"
            );
        }
        assert!(problem["facts"].is_array(), "{problem}");
        let code = problem["code"].as_str().unwrap_or_default().to_owned();
        assert!(code.starts_with("lope::") && code.split("::").count() == 3, "{code}");
        code
    }
}

fn athlete(id: &str) -> AthleteId {
    AthleteId::parse(id).expect("id")
}

fn session(id: &str) -> SessionId {
    SessionId::parse(id).expect("id")
}

fn stride(n: u32, side: Side) -> StrideRecord {
    let shift = if side == Side::Left { 0.0 } else { 0.35 };
    let at = |s: f64| SessionTime::from_secs(1.0 + shift + 0.7 * f64::from(n) + s);
    let mut metrics = MetricSet::default();
    for (id, value) in [
        (MetricId::Cadence, 171.0 + f64::from(n % 7)),
        (MetricId::StrideLength, 2.2 + 0.01 * f64::from(n % 5)),
        (MetricId::Speed, 3.15),
        (MetricId::ContactTime, 0.24 + 0.001 * f64::from(n % 11)),
        (MetricId::StrideTime, 0.7),
    ] {
        metrics.set(id, Ok(value));
    }
    StrideRecord {
        index: n,
        stride: Stride {
            side: Some(side),
            seen_from: SegmentKind::Foot,
            start: at(0.1),
            end: at(0.8),
            contact: Some(Contact {
                ic: at(0.0),
                m: at(0.1),
                tc: at(0.25),
            }),
            next_ic: Some(at(0.7)),
            foot: None,
            activity: Activity::Running,
            flags: StrideFlags::default(),
            quality: QualityParts::FULL,
        },
        metrics,
        class: if n % 40 == 39 { DataClass::C } else { DataClass::A },
    }
}

fn keep_session(store: &SqliteStore, id: &str, who: &str, start_us: i64) {
    let meta = SessionMeta {
        id: session(id),
        athlete: athlete(who),
        start: UtcMicros::from_micros(start_us),
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Live,
        tz: Some("Europe/Berlin".to_owned()),
        note: Some(format!("run {id}")),
        facts: Athlete::default(),
        sensors: [Placement::LeftFoot, Placement::RightFoot]
            .into_iter()
            .map(|placement| SensorConfig {
                placement,
                rate_hz: 200.0,
                acc_range: None,
                gyro_range: None,
                side_known: true,
            })
            .collect(),
    };
    store.open_session(&meta).expect("opens");
    let mut batch = Batch::new(session(id), 1);
    for n in 0..STRIDES {
        batch.push_stride(&stride(n, Side::Left)).expect("sound");
        batch.push_stride(&stride(n, Side::Right)).expect("sound");
    }
    batch
        .push_event(SessionEvent::Marker {
            t: SessionTime::from_secs(30.0),
            text: "pain 4".to_owned(),
        })
        .expect("sound");
    store.append(batch).expect("kept");
    let closing = Closing {
        stop: SessionTime::from_secs(90.0),
        analysis: 1,
        pipeline_version: "0.1.0".to_owned(),
        params: serde_json::json!({}),
        sensors: Vec::new(),
    };
    store.close_session(&session(id), &closing).expect("closed");
}

fn entry(who: &str, id: &str, body: Says) -> Entry {
    Entry {
        id: EntryId::parse(id).expect("id"),
        athlete: athlete(who),
        day: Day::parse("2026-03-02").expect("day"),
        at: UtcMicros::from_micros(NOW_US - 3 * DAY_US),
        body,
    }
}

fn keep_entries(dir: &Path) {
    let journal = SqliteJournal::open(dir).expect("journal");
    for (who, of) in [("ada", "s1"), ("ben", "s2")] {
        let score = |n| Some(Score::new(n).expect("score"));
        let note = SessionNote {
            back_worst: score(6),
            effort: score(5),
            text: Some(format!("secret words of {who}")),
            ..SessionNote::default()
        };
        let check_in = CheckIn {
            back_now: score(4),
            text: Some(format!("secret words of {who}")),
            ..CheckIn::default()
        };
        let words = ClinicianNote {
            author: "dr".to_owned(),
            session: None,
            text: format!("secret words of {who}"),
        };
        for (id, body) in [
            (of, Says::SessionNote(note)),
            ("c1", Says::CheckIn(check_in)),
            ("n1", Says::ClinicianNote(words)),
        ] {
            journal
                .put(&entry(who, id, body), UtcMicros::from_micros(NOW_US))
                .expect("put");
        }
    }
}

/// Consents of ada to a purpose, for everybody with that role.
fn consent(dir: &Path, purpose: Purpose, given: bool) {
    let journal = SqliteJournal::open(dir).expect("journal");
    let body = Says::Consent(Consent {
        purpose,
        recipient: String::new(),
        given,
    });
    let id = format!("consent-{purpose:?}-{given}").to_lowercase();
    let mut said = entry("ada", &id, body);
    // A withdrawal is said after what it withdraws.
    said.at = UtcMicros::from_micros(NOW_US - if given { 2 } else { 1 });
    journal.put(&said, UtcMicros::from_micros(NOW_US)).expect("put");
}

impl Server {
    fn new(entrance: Entrance) -> Self {
        Self::with(
            entrance,
            Limits {
                requests: None,
                ..Limits::default()
            },
        )
    }

    fn with(entrance: Entrance, limits: Limits) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        {
            let store = SqliteStore::open(dir.path(), "test").expect("store");
            keep_session(&store, "s1", "ada", NOW_US - 4 * DAY_US);
            keep_session(&store, "s2", "ben", NOW_US - 3 * DAY_US);
        }
        keep_entries(dir.path());
        let ms = Arc::new(AtomicU64::new(0));
        let steady: Arc<dyn Fn() -> Duration + Send + Sync> = {
            let ms = Arc::clone(&ms);
            Arc::new(move || Duration::from_millis(ms.load(Ordering::Relaxed)))
        };
        let hub = Hub::new("boot1".to_owned(), Arc::clone(&steady));
        let runs = [("live-ada", "ada"), ("live-ben", "ben")]
            .into_iter()
            .map(|(id, who)| {
                let about = RunAbout {
                    session: session(id),
                    athlete: athlete(who),
                    name: who.to_owned(),
                    kind: RunKind::Record,
                    started: UtcMicros::from_micros(NOW_US),
                    sensors: Vec::new(),
                    speed_factor: Some(1.0),
                    marks: Marks::Kept,
                    cues: if who == "ada" { Cues::Asked } else { Cues::None },
                };
                hub.begin(about, Before::default()).expect("begins")
            })
            .collect();
        let app = App::open(Setup {
            dir: dir.path().to_owned(),
            clock: Clock {
                utc: Arc::new(|| UtcMicros::from_micros(NOW_US)),
                today: Arc::new(|| Day::parse("2026-03-05").expect("day")),
                steady,
            },
            entrance,
            limits,
            trusted_proxies: vec!["127.0.0.1".parse().expect("address")],
            hub: hub.clone(),
            checks: Box::new(Vec::new),
            kits: Vec::new(),
            rules: flag_rules::built_in(),
        })
        .expect("opens");
        Self {
            dir,
            app,
            hub,
            ms,
            _runs: runs,
        }
    }

    fn router(&self) -> Router {
        router(self.app.clone())
    }

    /// A token of this role that reaches ada.
    fn token(&self, role: Role) -> String {
        let secret = format!("{}-{}", role.name(), "0123456789abcdef".repeat(3));
        let scope = TokenScope {
            athletes: if role == Role::Owner {
                Vec::new()
            } else {
                vec![athlete("ada")]
            },
            session: (role == Role::Share).then(|| session("s1")),
            ..TokenScope::default()
        };
        let row = TokenRow {
            sha256: TokenRow::hash_of(&secret),
            name: format!("the {}", role.name()),
            role,
            scope,
            made: UtcMicros::from_micros(NOW_US - DAY_US),
            expires: Some(UtcMicros::from_micros(NOW_US + DAY_US)),
            revoked: None,
        };
        // Made before: the same.
        let _ = SqliteAccess::open(self.dir.path()).expect("access").add(&row);
        secret
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, 64 << 20).await.expect("a body").to_vec(),
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", path, headers, None)).await
    }
}

/// A request to a server of this machine; a body is JSON.
fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header("host", "localhost:8787");
    }
    if body.is_some()
        && !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
    request.body(body).expect("a request")
}
