//! The built program serves: what it refuses to expose, what it tells, and that the demonstration ends by itself.

use crate::cli::{expect, lope};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

#[test]
fn nothing_is_exposed_by_mistake() {
    let dir = tempfile::tempdir().expect("folder");
    let run = |arguments: &[&str]| lope(dir.path()).arg("serve").args(arguments).output().expect("run");
    let open = run(&["--listen", "0.0.0.0:0"]);
    expect(&open, 8, &["error lope::serve::not_exposed", "0.0.0.0:0", "--expose"]);
    let tokenless = run(&["--listen", "0.0.0.0:0", "--expose"]);
    expect(&tokenless, 8, &["error lope::serve::no_token", "lope token add"]);
    let short = dir.path().join("short");
    std::fs::write(&short, "hunter2").expect("written");
    expect(
        &run(&["--token-file", &short.display().to_string()]),
        5,
        &["error lope::serve::token_file"],
    );
}

#[test]
fn tokens_are_made_listed_and_taken_back() {
    let dir = tempfile::tempdir().expect("folder");
    let run = |arguments: &[&str]| lope(dir.path()).arg("token").args(arguments).output().expect("run");
    let made = run(&[
        "add",
        "kim",
        "--role",
        "coach",
        "--athlete",
        "ada",
        "--expires",
        "30d",
        "--json",
    ]);
    expect(&made, 0, &[]);
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).expect("json");
    let token = made["token"].as_str().expect("a token");
    assert!(
        token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()),
        "256 bits"
    );
    let prefix = made["prefix"].as_str().expect("a prefix").to_owned();
    let listed = run(&["list"]);
    expect(&listed, 0, &["kim", "coach", "ada"]);
    assert!(
        !String::from_utf8_lossy(&listed.stdout).contains(token),
        "it is shown once"
    );
    expect(&run(&["revoke", &prefix]), 0, &["taken back"]);
    expect(&run(&["revoke", "zz"]), 6, &["error lope::token::unknown"]);
    expect(&run(&["add", "x", "--role", "coach"]), 5, &["error lope::token::scope"]);
    expect(
        &run(&["add", "x", "--role", "share"]),
        2,
        &["owner, runner, coach or therapist"],
    );
}

/// A server that ends with the test.
struct Served(Child, String);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(dir: &std::path::Path) -> Served {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lope"))
        .env_clear()
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("a line");
    let address = line
        .trim()
        .strip_prefix("serving http://")
        .expect("an address")
        .to_owned();
    Served(child, address)
}

/// The head and body of an answer.
fn get(served: &Served, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(&served.1).expect("connects");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answered");
    text
}

#[test]
fn a_demonstration_is_served_afterwards_and_its_numbers_are_those_of_the_record() {
    let dir = tempfile::tempdir().expect("folder");
    let demo = lope(dir.path()).args(["demo", "--minutes", "2"]).output().expect("run");
    expect(&demo, 0, &[]);
    let told = String::from_utf8_lossy(&demo.stderr);
    assert!(
        told.contains("dashboard  http://127.0.0.1:") || told.contains("no dashboard:"),
        "{told}"
    );
    let served = serve(dir.path());
    let health = get(&served, "/api/v1/health", &served.1);
    assert!(
        health.starts_with("HTTP/1.1 200") && health.contains("\"role\":\"owner\""),
        "{health}"
    );
    let sessions = get(&served, "/api/v1/sessions", "localhost");
    let body = sessions.split("\r\n\r\n").nth(1).expect("a body");
    let list: serde_json::Value =
        serde_json::from_str(body.trim_start_matches(|c| c != '{').trim_end_matches(|c| c != '}')).expect("json");
    let item = &list["items"][0];
    assert!(item["strides"].as_u64().is_some_and(|n| n > 60), "{item}");
    assert!(
        item["cadence_spm"]
            .as_f64()
            .is_some_and(|c| (140.0..200.0).contains(&c)),
        "{item}"
    );
    let refused = get(&served, "/api/v1/sessions", "evil.example");
    assert!(
        refused.starts_with("HTTP/1.1 403") && refused.contains("lope::access::host"),
        "{refused}"
    );
}
