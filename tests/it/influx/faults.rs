//! Servers that fail by script, one step a request: the schedule of requests, and at the end neither a row lost nor one
//! doubled.

use super::http::{Answer, Request, Server, status};
use super::season::{START_US, keep, wanted};
use super::servers::{Kept, Played, answered, destination, sync_over};
use lope::store::influx::InfluxTransport;
use lope::store::sqlite::{sink_rejects, sink_statuses};
use lope::store::{SinkName, SqliteStore};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with one request.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// This status; nothing is kept.
    Refuse(u16),
    /// 429 with a header that says seven seconds.
    TooMany,
    /// 307 to itself.
    Redirect,
    /// Kept, but answered with 200.
    OddSuccess,
    /// The connection ends before an answer; nothing is kept.
    CutBefore,
    /// Kept; the answer ends inside its head.
    CutInside,
    /// Kept; the answer says it is longer than it is.
    WrongLength,
    /// Kept; never answered.
    Silence,
    /// Kept; a status that is no status.
    Garbage,
}

/// A server, what it keeps, and how long each body was.
type Scripted = (Server, Arc<Mutex<Kept>>, Arc<Mutex<Vec<usize>>>);

/// A server that plays a script and is sound afterwards; refuses bodies with this text in them.
fn scripted(script: &[Step], poison: Option<&'static str>) -> Scripted {
    let kept = Arc::new(Mutex::new(Kept::default()));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let mut script = script.to_vec();
    script.reverse();
    let (theirs, counted) = (kept.clone(), requests.clone());
    let mut me = None;
    let handle = move |request: &Request| {
        me.get_or_insert_with(|| request.header("host").to_owned());
        counted.lock().expect("alone").push(request.body.len());
        let keep = || drop(answered(&theirs, request));
        let Some(step) = script.pop() else {
            let text = String::from_utf8_lossy(&request.body);
            return match poison {
                Some(word) if text.contains(word) => {
                    // As version 1 does: the good lines of a refused body are kept.
                    let good: String = text
                        .lines()
                        .filter(|l| !l.contains(word))
                        .map(|l| format!("{l}\n"))
                        .collect();
                    theirs.lock().expect("alone").take(good.as_bytes());
                    status(400, r#"{"code":"invalid","message":"partial write: unable to parse"}"#)
                }
                _ => answered(&theirs, request),
            };
        };
        match step {
            Step::Refuse(code) => status(code, "no"),
            Step::TooMany => Answer::Status(429, vec![("retry-after".to_owned(), "7".to_owned())], vec![]),
            Step::Redirect => {
                let host = me.clone().unwrap_or_default();
                Answer::Status(
                    307,
                    vec![("location".to_owned(), format!("http://{host}/elsewhere"))],
                    vec![],
                )
            }
            Step::OddSuccess => {
                keep();
                status(200, "")
            }
            Step::CutBefore => Answer::Bytes(vec![]),
            Step::CutInside => {
                keep();
                Answer::Bytes(b"HTTP/1.1 20".to_vec())
            }
            Step::WrongLength => {
                keep();
                Answer::Bytes(b"HTTP/1.1 500 x\r\ncontent-length: 100\r\n\r\nshort".to_vec())
            }
            Step::Silence => {
                keep();
                Answer::Silence
            }
            Step::Garbage => {
                keep();
                Answer::Bytes(b"SSH-2.0-none\r\n\r\n".to_vec())
            }
        }
    };
    (Server::start(handle), kept, requests)
}

struct Outcome {
    waits: Vec<(String, Duration)>,
    requests: Vec<usize>,
    kept: Kept,
    dir: tempfile::TempDir,
}

/// A short session sent to a server that plays this script.
fn play(script: &[Step], poison: Option<&'static str>) -> Outcome {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    keep(&store, "s0", "anna", START_US, 30);
    drop(store);
    let (server, kept, requests) = scripted(script, poison);
    let transport = InfluxTransport::new(&destination(&server.url())).expect("a client");
    let pace = Played::default();
    sync_over(dir.path(), &transport, &pace);
    drop(server);
    let kept = std::mem::take(&mut *kept.lock().expect("alone"));
    let requests = requests.lock().expect("alone").clone();
    Outcome {
        waits: pace.waits.into_inner(),
        requests,
        kept,
        dir,
    }
}

#[test]
fn whatever_a_server_does_the_copy_ends_up_equal_and_the_waits_are_those_promised() {
    let retries = [
        Step::Refuse(408),
        Step::Refuse(425),
        Step::Refuse(500),
        Step::Refuse(502),
        Step::Refuse(503),
        Step::Refuse(504),
        Step::OddSuccess,
        Step::CutBefore,
        Step::CutInside,
        Step::WrongLength,
        Step::Garbage,
        Step::Silence,
    ];
    for step in retries {
        let script = [step; 4];
        let script = &script[..if matches!(step, Step::Silence) { 1 } else { 4 }];
        let end = play(script, None);
        assert_eq!(end.kept.points, wanted(end.dir.path()), "{step:?}");
        assert_eq!(
            end.requests.len(),
            script.len() + 1,
            "{step:?}: one request a wait and one that is taken"
        );
        assert!(
            end.requests.windows(2).all(|w| w[0] == w[1]),
            "{step:?}: the same body each time"
        );
        for (n, (word, wait)) in end.waits.iter().enumerate() {
            assert!(
                word == "retry" && *wait <= Duration::from_secs(1 << n),
                "{step:?}: {:?}",
                end.waits
            );
        }
        assert_eq!(end.waits.len(), script.len(), "{step:?}");
    }
    for (step, word) in [
        (Step::Refuse(401), "unauthorised"),
        (Step::Refuse(403), "forbidden"),
        (Step::Refuse(404), "no_bucket"),
        (Step::Redirect, "redirected"),
        (Step::Refuse(418), "unexpected"),
    ] {
        let end = play(&[step; 2], None);
        assert_eq!(end.kept.points, wanted(end.dir.path()), "{step:?}");
        let pause = (word.to_owned(), Duration::from_secs(900));
        assert_eq!(end.waits, [pause.clone(), pause], "{step:?}");
    }
    let end = play(&[Step::TooMany; 5], None);
    assert_eq!(end.kept.points, wanted(end.dir.path()));
    let seconds: Vec<u64> = end.waits.iter().map(|(_, t)| t.as_secs()).collect();
    assert_eq!(seconds, [30, 60, 120, 240, 300]);
}

#[test]
fn a_server_that_takes_less_at_once_gets_halves() {
    let end = play(&[Step::Refuse(413), Step::Refuse(413)], None);
    assert_eq!(end.kept.points, wanted(end.dir.path()));
    assert!(end.waits.is_empty());
    assert_eq!(end.kept.lines, end.kept.points.len(), "no line twice");
    let [all, half, quarter, ..] = end.requests[..] else {
        panic!("{:?}", end.requests)
    };
    assert!(all > half && half > quarter, "{:?}", end.requests);
}

#[test]
fn a_bad_line_is_kept_aside_and_costs_no_good_one() {
    // One stride in thirty has this index on each side, and one has not.
    let end = play(&[], Some("idx=17i"));
    let mut want = wanted(end.dir.path());
    let all = want.len();
    want.retain(|_, fields| fields.get("idx") != Some(&super::season::Value::Number(17.0)));
    assert_eq!(all - want.len(), 2);
    assert_eq!(end.kept.points, want);
    assert!(end.requests.len() <= 40, "{} requests", end.requests.len());
    let sink = SinkName::parse("club").expect("a name");
    let rejects = sink_rejects(end.dir.path(), &sink, 100).expect("read");
    assert_eq!(rejects.len(), 2);
    for r in &rejects {
        assert!(r.line.contains("idx=17i") && r.reason.contains("HTTP 400") && r.reason.contains("partial write"));
    }
    let status = sink_statuses(end.dir.path()).expect("read").remove(0);
    assert_eq!(
        (status.waiting, status.rejects, status.state.as_str()),
        (0, 2, "in_step")
    );
}

#[test]
fn what_was_refused_of_a_session_goes_when_the_session_goes() {
    let end = play(&[], Some("idx=17i"));
    let store = SqliteStore::open(end.dir.path(), "test").expect("opens");
    lope::store::Store::delete_session(&store, &super::season::id("s0")).expect("removed");
    drop(store);
    for file in std::fs::read_dir(end.dir.path()).expect("a folder") {
        let bytes = std::fs::read(file.expect("entry").path()).unwrap_or_default();
        assert!(
            !bytes.windows(7).any(|w| w == b"idx=17i"),
            "no line is left in any file"
        );
    }
}

/// Days without a server: the list stays small, and everything arrives.
#[test]
fn a_month_offline_is_caught_up() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    let (server, kept, _) = scripted(&[], None);
    super::servers::sync(dir.path(), &server.url());
    for day in 0..30 {
        keep(
            &store,
            &format!("s{day}"),
            "anna",
            START_US + day * super::season::DAY_US,
            60,
        );
    }
    let waiting = sink_statuses(dir.path()).expect("read").remove(0).waiting;
    assert!(waiting <= 30 * 6, "names of spans, not rows: {waiting}");
    let sent = super::servers::sync(dir.path(), &server.url());
    let kept = kept.lock().expect("alone");
    assert_eq!(kept.points, wanted(dir.path()));
    assert_eq!(
        (kept.lines, sent.lines),
        (kept.points.len(), kept.points.len() as u64),
        "each once"
    );
    assert_eq!(sink_statuses(dir.path()).expect("read").remove(0).waiting, 0);
}
