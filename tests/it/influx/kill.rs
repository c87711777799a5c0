//! Senders that are killed: the built program, at moments that a server picks.

use super::http::{Answer, Request, Server};
use super::season::{self, Dice, wanted};
use super::servers::{Kept, TOKEN, answered};
use lope::store::SqliteStore;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

/// Where in a request the sender dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The server has the body and has kept nothing yet.
    BeforeKept,
    /// The server has kept it and has not answered.
    BeforeAnswer,
    /// The server has answered; the sender may be anywhere.
    AfterAnswer,
}

/// In how many requests it happens, where, and who is to be told.
type Plan = Arc<Mutex<Option<(u64, Moment, SyncSender<SyncSender<()>>)>>>;

fn send(dir: &Path, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lope"));
    command
        .args([
            "influx",
            "sync",
            "--quiet",
            "--org",
            "club",
            "--bucket",
            "lope",
            "--url",
            url,
            "--data-dir",
        ])
        .arg(dir)
        .env("LOPE_INFLUX_TOKEN", TOKEN)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn a_sender_killed_at_any_moment_loses_nothing_and_doubles_nothing() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    season::season(&store, 8, 700);
    drop(store);
    let kept = Arc::new(Mutex::new(Kept::default()));
    let plan: Plan = Arc::default();
    let (theirs, planned) = (kept.clone(), plan.clone());
    let server = Server::start(move |request: &Request| {
        let due = {
            let mut plan = planned.lock().expect("alone");
            match plan.as_mut() {
                Some((0, ..)) => plan.take(),
                Some((n, ..)) => {
                    *n -= 1;
                    None
                }
                None => None,
            }
        };
        // Tells the one who kills, and goes on when it is done.
        let kill = |tell: &SyncSender<SyncSender<()>>| {
            let (done, dead) = sync_channel(1);
            tell.send(done).expect("the test waits");
            let _ = dead.recv();
        };
        match due {
            Some((_, Moment::BeforeKept, tell)) => {
                kill(&tell);
                Answer::Bytes(vec![])
            }
            Some((_, Moment::BeforeAnswer, tell)) => {
                answered(&theirs, request);
                kill(&tell);
                Answer::Bytes(vec![])
            }
            Some((_, Moment::AfterAnswer, tell)) => {
                let answer = answered(&theirs, request);
                // Told without waiting: the answer is on its way while the sender dies.
                let (done, _) = sync_channel(1);
                tell.send(done).expect("the test waits");
                answer
            }
            None => answered(&theirs, request),
        }
    });
    let mut dice = Dice(11);
    let mut killed = 0;
    for round in 0..24 {
        let moment = [Moment::BeforeKept, Moment::BeforeAnswer, Moment::AfterAnswer][round % 3];
        let (tell, told) = sync_channel(1);
        *plan.lock().expect("alone") = Some((dice.roll(3), moment, tell));
        let mut child = send(dir.path(), &server.url()).spawn().expect("it starts");
        // A sender that had nothing left to send ends by itself and drops the plan.
        let waiter = std::thread::spawn({
            let plan = plan.clone();
            let out = child.stdout.take();
            move || {
                let _ = out.map(|mut o| std::io::copy(&mut o, &mut std::io::sink()));
                plan.lock().expect("alone").take();
            }
        });
        if let Ok(done) = told.recv() {
            for _ in 0..dice.roll(50_000) {
                std::hint::black_box(round);
            }
            child.kill().expect("killed");
            child.wait().expect("gone");
            drop(done);
            killed += 1;
        } else {
            child.wait().expect("gone");
        }
        waiter.join().expect("joined");
    }
    assert!(killed >= 6, "killed only {killed} times");
    let out = send(dir.path(), &server.url()).output().expect("it runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let kept = kept.lock().expect("alone");
    assert_eq!(kept.points, wanted(dir.path()));
    println!(
        "{killed} kills; {} lines sent for {} points",
        kept.lines,
        kept.points.len()
    );
}

#[test]
fn the_commands_say_what_is_wrong_by_their_exit_codes_and_never_the_token() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("opens");
    season::keep(&store, "s0", "anna", season::START_US, 10);
    drop(store);
    let code = Arc::new(Mutex::new(204_u16));
    let asked = code.clone();
    let server = Server::start(move |_: &Request| super::http::status(*asked.lock().expect("alone"), "said"));
    let run = |verb: &[&str], url: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lope"));
        command
            .args([
                "influx",
                "--org",
                "club",
                "--bucket",
                "lope",
                "--url",
                url,
                "--data-dir",
            ])
            .arg(dir.path())
            .args(verb)
            .env("LOPE_INFLUX_TOKEN", TOKEN);
        let out = command.output().expect("it runs");
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        assert!(!said.contains(TOKEN), "{said}");
        (out.status.code().expect("a code"), said)
    };
    let url = server.url();
    for (answer, check, sync) in [(401, 3, 3), (404, 3, 3), (503, 3, 3), (400, 0, 7), (204, 0, 0)] {
        *code.lock().expect("alone") = answer;
        let (got, said) = run(&["check"], &url);
        assert_eq!(got, check, "check, {answer}: {said}");
        if answer != 503 && answer != 400 {
            let (got, said) = run(&["sync"], &url);
            assert_eq!(got, sync, "sync, {answer}: {said}");
        }
    }
    let (got, said) = run(&["status", "--json"], &url);
    assert_eq!(got, 0, "{said}");
    let status: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(status["sinks"][0]["state"], "in_step");
    assert_eq!(run(&["check"], "http://tsdb.example.org").0, 5);
    assert_eq!(run(&["check"], "http://127.0.0.1:8086/path").0, 5);
    assert_eq!(run(&["check"], "http://127.0.0.1:1").0, 3);
    assert_eq!(run(&["forget"], &url).0, 0);
    assert_eq!(run(&["forget"], &url).0, 6);
}
