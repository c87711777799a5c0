//! Live streams: catching up, falling behind, and ending when looking ends.

use super::{Server, athlete, request, session};
use axum::body::{Body, BodyDataStream};
use lope::api::live::hub::DEPTH;
use lope::api::live::{CueNow, To, Word};
use lope::api::{Entrance, Limits};
use lope::review::Sight;
use lope::runtime::before_run::BeforeRun;
use lope::store::access::Role;
use lope::store::journal::{Body as Says, CheckIn, Day, Journal as _, Purpose};
use lope::store::{Mark, MarkKind, SqliteJournal, UtcMicros};
use serde_json::json;
use std::time::Duration;
use tokio_stream::StreamExt as _;
use tower::ServiceExt as _;

async fn open(server: &Server, path: &str, headers: &[(&str, &str)]) -> axum::response::Response<Body> {
    let request = request("GET", path, headers, None);
    server.router().oneshot(request).await.expect("infallible")
}

async fn stream(server: &Server, path: &str, headers: &[(&str, &str)]) -> BodyDataStream {
    let response = open(server, path, headers).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

/// What has been sent and not read yet.
async fn sent(stream: &mut BodyDataStream) -> String {
    let mut text = String::new();
    while let Ok(Some(Ok(bytes))) = tokio::time::timeout(Duration::from_millis(20), stream.next()).await {
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    text
}

fn word(i: usize) -> Word {
    Word {
        t_s: i as f64,
        kind: "marker".to_owned(),
        text: format!("word {i}."),
    }
}

#[tokio::test]
async fn a_viewer_who_comes_back_gets_what_was_missed() {
    let server = Server::new(Entrance::ThisMachine);
    let run = &server._runs[0];
    let mut first = stream(&server, "/api/v1/live/live-ada", &[]).await;
    run.say(To::Everyone, &word(1));
    let told = sent(&mut first).await;
    assert!(
        told.starts_with("event: hello\ndata: {") && told.contains("word 1."),
        "{told}"
    );
    let last = told
        .lines()
        .rev()
        .find_map(|l| l.strip_prefix("id: "))
        .expect("an id")
        .to_owned();
    assert!(last.starts_with("boot1-"), "{last}");
    drop(first);
    (2..5).for_each(|i| run.say(To::Everyone, &word(i)));
    let mut again = stream(&server, "/api/v1/live/live-ada", &[("last-event-id", &last)]).await;
    run.say(To::Everyone, &word(5));
    let told = sent(&mut again).await;
    assert!(told.contains("\"resumed\":true") && !told.contains("word 1."), "{told}");
    for i in 2..6 {
        assert_eq!(told.matches(&format!("word {i}.")).count(), 1, "{told}");
    }
    for odd in ["boot1-x", "other-3", "", "boot1-18446744073709551616", "💥"] {
        let mut fresh = stream(&server, "/api/v1/live/live-ada", &[("last-event-id", odd)]).await;
        assert!(sent(&mut fresh).await.contains("\"resumed\":false"), "{odd}");
    }
}

#[tokio::test]
async fn a_viewer_who_does_not_read_is_told_how_much_was_lost() {
    let server = Server::new(Entrance::ThisMachine);
    let mut slow = stream(&server, "/api/v1/live/live-ada", &[]).await;
    (0..DEPTH + 25).for_each(|i| server._runs[0].say(To::Everyone, &word(i)));
    let told = sent(&mut slow).await;
    assert!(told.contains("event: lag\ndata: {\"missed\":25}"), "{}", &told[..400]);
    assert!(!told.contains("word 24.") && told.contains("word 25.") && told.contains(&format!("word {}.", DEPTH + 24)));
}

#[tokio::test]
async fn a_run_that_ends_ends_its_streams() {
    let mut server = Server::new(Entrance::ThisMachine);
    let mut watching = stream(&server, "/api/v1/live/live-ada", &[]).await;
    server._runs.remove(0);
    let told = sent(&mut watching).await;
    assert!(told.contains("event: bye") && told.contains("the run ended"), "{told}");
    assert!(watching.next().await.is_none(), "the stream is over");
    assert_eq!(
        server.get("/api/v1/live/live-ada", &[]).await.is_problem(404),
        "lope::api::not_found"
    );
    let live = server.get("/api/v1/live", &[]).await.json();
    assert_eq!(live["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_squad_is_who_the_caller_reaches_and_each_frame_says_whose() {
    let server = Server::new(Entrance::Tokens);
    let bearer = format!("Bearer {}", server.token(Role::Coach));
    let mut squad = stream(&server, "/api/v1/live/squad", &[("authorization", &bearer)]).await;
    server._runs[0].say(To::Everyone, &word(1));
    server._runs[1].say(To::Everyone, &word(2));
    let told = sent(&mut squad).await;
    assert!(
        told.contains("word 1.") && !told.contains("word 2.") && !told.contains("ben"),
        "{told}"
    );
    let frames = told.lines().filter_map(|l| l.strip_prefix("data: "));
    for frame in frames {
        let frame: serde_json::Value = serde_json::from_str(frame).expect("json");
        assert_eq!(frame["session"], "live-ada", "{frame}");
    }
}

#[tokio::test]
async fn a_withdrawal_and_a_revoked_token_end_open_streams() {
    let server = Server::new(Entrance::Tokens);
    super::consent(server.dir.path(), Purpose::Therapist, true);
    let therapist = format!("Bearer {}", server.token(Role::Therapist));
    let owner = format!("Bearer {}", server.token(Role::Owner));
    let mut watching = stream(&server, "/api/v1/live/live-ada", &[("authorization", &therapist)]).await;
    assert!(sent(&mut watching).await.contains("hello"));
    let withdrawn = json!({ "day": "2026-03-05", "at_us": super::NOW_US, "kind": "consent", "purpose": "therapist", "recipient": "", "given": false });
    let put = server
        .send(request(
            "PUT",
            "/api/v1/journal/ada/w1",
            &[("authorization", &owner)],
            Some(&withdrawn),
        ))
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let told = sent(&mut watching).await;
    assert!(told.contains("event: bye"), "{told}");
    assert!(watching.next().await.is_none());
    let again = server
        .get("/api/v1/live/live-ada", &[("authorization", &therapist)])
        .await;
    assert_eq!(again.is_problem(403), "lope::access::consent");
}

#[tokio::test]
async fn streams_are_counted_and_freed() {
    let limits = Limits {
        requests: None,
        streams_each: 2,
        streams: 3,
    };
    let server = Server::with(Entrance::Tokens, limits);
    let (owner, runner) = (server.token(Role::Owner), server.token(Role::Runner));
    let (owner, runner) = (format!("Bearer {owner}"), format!("Bearer {runner}"));
    let path = "/api/v1/live/live-ada";
    let one = open(&server, path, &[("authorization", &owner)]).await;
    let two = open(&server, path, &[("authorization", &owner)]).await;
    let refused = server.get(path, &[("authorization", &owner)]).await;
    assert_eq!(refused.is_problem(429), "lope::live::too_many");
    let three = open(&server, path, &[("authorization", &runner)]).await;
    assert_eq!(
        server.get(path, &[("authorization", &runner)]).await.is_problem(503),
        "lope::live::full"
    );
    assert_eq!(server.app.streams_open(), 3);
    drop((one, two, three));
    assert_eq!(server.app.streams_open(), 0);
}

#[tokio::test]
async fn what_a_viewer_asks_of_a_run_reaches_it_once() {
    let mut server = Server::new(Entrance::ThisMachine);
    let mut asked = server._runs[0].commands().expect("once");
    let path = "/api/v1/live/live-ada/events";
    let post = async |body: serde_json::Value| server.send(request("POST", path, &[], Some(&body))).await;
    for _ in 0..2 {
        let taken = post(json!({ "id": "p1", "kind": "pain", "value": 4 })).await;
        assert_eq!(taken.status, 202, "{}", taken.text());
    }
    assert_eq!(
        post(json!({ "id": "m1", "kind": "marker", "text": "hill" }))
            .await
            .status,
        202
    );
    for kind in ["mute", "unmute", "stop"] {
        assert_eq!(post(json!({ "id": kind, "kind": kind })).await.status, 202);
    }
    use lope::api::live::Command;
    let mark = |kind, text| Ok(Command::Mark(Mark::new(kind, text)));
    assert_eq!(asked.try_recv(), mark(MarkKind::Pain(4), None));
    assert_eq!(asked.try_recv(), mark(MarkKind::Marker, Some("hill")));
    assert_eq!(asked.try_recv(), Ok(Command::Mute));
    assert_eq!(asked.try_recv(), Ok(Command::Unmute));
    assert_eq!(asked.try_recv(), Ok(Command::Stop));
    assert!(asked.try_recv().is_err());
    for wrong in [
        json!({ "id": "x", "kind": "pain" }),
        json!({ "id": "x", "kind": "pain", "value": 11 }),
        json!({ "id": "x", "kind": "dance" }),
        json!({ "id": "../x", "kind": "lap" }),
        json!({ "id": "x", "kind": "lap", "more": 1 }),
    ] {
        post(wrong).await.is_problem(422);
    }
    let without_cues = request(
        "POST",
        "/api/v1/live/live-ben/events",
        &[],
        Some(&json!({ "id": "q", "kind": "mute" })),
    );
    assert_eq!(server.send(without_cues).await.is_problem(409), "lope::live::no_cue");
    assert!(
        server
            .hub
            .run(&session("live-ada"))
            .is_some_and(|r| r.athlete == athlete("ada"))
    );
}

/// What cues do where the runner's back is sore.
fn sore() -> CueNow {
    CueNow {
        state: "off",
        why: Some("your back is sore today".to_owned()),
        ..CueNow::none()
    }
}

#[tokio::test]
async fn who_may_not_know_of_symptoms_is_told_no_mark_and_no_reason() {
    let server = Server::new(Entrance::Tokens);
    let runner = format!("Bearer {}", server.token(Role::Runner));
    let coach = format!("Bearer {}", server.token(Role::Coach));
    let path = "/api/v1/live/live-ada";
    let mut own = stream(&server, path, &[("authorization", &runner)]).await;
    let mut others = stream(&server, path, &[("authorization", &coach)]).await;
    let mut squad = stream(&server, "/api/v1/live/squad", &[("authorization", &coach)]).await;
    let run = &server._runs[0];
    run.say(To::Only(Sight::Everything), &word(1));
    run.say(To::Everyone, &word(2));
    run.cue(&sore());
    let told = sent(&mut own).await;
    assert!(told.contains("word 1.") && told.contains("word 2."), "{told}");
    assert!(
        told.contains("\"state\":\"off\"") && told.contains("sore today"),
        "{told}"
    );
    for stream in [&mut others, &mut squad] {
        let told = sent(stream).await;
        assert!(!told.contains("word 1.") && told.contains("word 2."), "{told}");
        assert!(
            told.contains("\"state\":\"silent\"") && !told.contains("sore"),
            "{told}"
        );
        assert_eq!(told.matches("event: cue").count(), 1, "{told}");
    }
    // Nor afterwards: neither in what was missed nor in what who begins to watch is told of the state.
    let again = [("authorization", coach.as_str()), ("last-event-id", "boot1-0")];
    let told = sent(&mut stream(&server, path, &again).await).await;
    assert!(
        !told.contains("word 1.") && told.contains("word 2.") && !told.contains("sore"),
        "{told}"
    );
    super::consent(server.dir.path(), Purpose::Coach, true);
    let told = sent(&mut stream(&server, path, &again).await).await;
    assert!(
        told.contains("word 1.") && told.contains("sore"),
        "with consent: {told}"
    );
}

#[tokio::test]
async fn who_begins_to_watch_is_told_the_flags_that_stand_and_what_cues_do() {
    let mut server = Server::new(Entrance::Tokens);
    let runner = format!("Bearer {}", server.token(Role::Runner));
    let coach = format!("Bearer {}", server.token(Role::Coach));
    let mut watching = stream(&server, "/api/v1/live/live-ada", &[("authorization", &runner)]).await;
    assert!(!sent(&mut watching).await.contains("event: flag"));
    let ticked = CheckIn {
        ticks: vec!["saddle_numb".to_owned()],
        ..CheckIn::default()
    };
    let journal = SqliteJournal::open(server.dir.path()).expect("journal");
    let mut said = super::entry("ada", "c9", Says::CheckIn(ticked));
    said.day = Day::parse("2026-03-05").expect("day");
    journal.put(&said, UtcMicros::from_micros(super::NOW_US)).expect("put");
    let before = BeforeRun::read(server.dir.path(), &athlete("ada"), said.day).expect("read");
    assert_ne!(before.standing().coaching, lope::risk::Coaching::Open);
    server._runs[0].known_anew(before.for_viewers());
    let told = sent(&mut watching).await;
    assert!(
        told.contains("event: flag") && told.contains("\"id\":\"SY5\""),
        "{told}"
    );
    assert_eq!(
        told.matches("event: flag").count(),
        1,
        "nothing is said beside a safety sign: {told}"
    );
    let mut fresh = stream(&server, "/api/v1/live/live-ada", &[("authorization", &runner)]).await;
    let told = sent(&mut fresh).await;
    assert!(
        told.contains("\"id\":\"SY5\"") && told.contains("\"level\":\"stop\""),
        "{told}"
    );
    for path in ["/api/v1/live/live-ada", "/api/v1/live/squad"] {
        let told = sent(&mut stream(&server, path, &[("authorization", &coach)]).await).await;
        assert!(told.contains("event: hello") && !told.contains("SY5"), "{told}");
    }
    // A run without cues says so.
    let owner = format!("Bearer {}", server.token(Role::Owner));
    let told = sent(&mut stream(&server, "/api/v1/live/live-ben", &[("authorization", &owner)]).await).await;
    assert!(
        told.contains("event: cue\ndata: {\"high_spm\":null") && told.contains("\"state\":\"off\""),
        "{told}"
    );
}

#[tokio::test]
async fn an_entry_of_the_journal_makes_the_run_look_again() {
    let mut server = Server::new(Entrance::ThisMachine);
    let mut asked = server._runs[0].commands().expect("once");
    let body = json!({ "day": "2026-03-05", "at_us": super::NOW_US, "kind": "check_in", "back_now": 7 });
    let put = server
        .send(request("PUT", "/api/v1/journal/ada/c7", &[], Some(&body)))
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(asked.try_recv(), Ok(lope::api::live::Command::LookAgain));
}
