//! No question, however odd, makes the server fail: every route with odd texts in every parameter.

use super::{Server, request};
use lope::api::Entrance;
use lope::api::access::roles::Resource;
use lope::api::routes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Everything that is odd in a URL.
fn encode(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// Texts that readers of numbers, days, ids and lists stumble over.
fn odd() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        " ",
        "0",
        "-1",
        "1e308",
        "-1e308",
        "NaN",
        "inf",
        "9223372036854775808",
        "4294967296",
        "0x10",
        "1,2",
        "null",
        "true",
        "../../etc/passwd",
        "%00",
        "'; DROP TABLE sessions; --",
        "<script>",
        "2026-02-30",
        "2026-03-01",
        "9999-12-31",
        "1969-12-31",
        "ada",
        "s1",
        "cadence",
        "cadence,cadence",
        "left",
        "both",
        "last",
        "before:2026-03-01",
        "before:",
        "shoe:",
        "ground:hard",
        ":",
        "0000000000000000",
        "ffffffffffffffffx",
        "80000000000000000",
        "typical",
        "csv",
        "check_in,weekly",
        "FS1",
        "all",
    ]);
    prop_oneof![
        3 => known.prop_map(str::to_owned),
        2 => any::<f64>().prop_map(|v| v.to_string()),
        2 => any::<i64>().prop_map(|v| v.to_string()),
        2 => ".{0,24}",
        1 => any::<String>(),
    ]
}

#[test]
fn odd_parameters_are_refused_and_never_break_anything() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = Server::new(Entrance::ThisMachine);
    let endpoints: Vec<_> = routes::all()
        .into_iter()
        .filter(|e| e.method == "GET" && e.resource != Resource::Doctor && !e.path.starts_with("/live/"))
        .collect();
    let mut runner = TestRunner::new(Config {
        cases: 700,
        failure_persistence: None,
        ..Config::default()
    });
    // Each parameter is right, odd, or not there; so that what is odd in one is not hidden by what lacks in another.
    let strategy = (
        0..endpoints.len(),
        prop::collection::vec((0..4_u8, odd()), 8),
        odd(),
        any::<bool>(),
    );
    let done = runner.run(&strategy, |(which, values, in_path, odd_path)| {
        let endpoint = &endpoints[which];
        let mut path = "/api/v1".to_owned();
        let mut rest = endpoint.path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("a brace");
            path.push_str(before);
            let right = match name {
                "session" => "s1",
                "athlete" => "ada",
                "flag" => "FS1",
                "idx" => "3",
                _ => "c1",
            };
            let odd = if in_path.is_empty() {
                "x".to_owned()
            } else {
                encode(&in_path)
            };
            path.push_str(if odd_path { &odd } else { right });
            rest = after;
        }
        path.push_str(rest);
        let mut sign = '?';
        for (parameter, (kind, value)) in endpoint.parameters.iter().zip(&values) {
            let right = match parameter.name.as_str() {
                "athlete" => "ada",
                "metric" | "metrics" => "cadence",
                "a" | "b" => "last",
                "from_s" => "0",
                "to_s" => "5",
                _ => "",
            };
            let said = match kind {
                0 => continue,
                1 if right.is_empty() => continue,
                1 => right.to_owned(),
                _ => encode(value),
            };
            path.push_str(&format!("{sign}{}={said}", parameter.name));
            sign = '&';
        }
        let answer = runtime.block_on(server.send(request("GET", &path, &[], None)));
        prop_assert!(
            matches!(answer.status.as_u16(), 200 | 404 | 422),
            "{} {}: {}",
            answer.status,
            path,
            answer.text()
        );
        if !answer.status.is_success() {
            answer.is_problem(answer.status.as_u16());
        }
        Ok(())
    });
    if let Err(e) = done {
        panic!("{e}");
    }
}

#[tokio::test]
async fn odd_bodies_are_refused_and_never_break_anything() {
    let server = Server::new(Entrance::ThisMachine);
    let bodies = [
        serde_json::json!(null),
        serde_json::json!(1e300),
        serde_json::json!([]),
        serde_json::json!({}),
        serde_json::json!({ "confirm": 5 }),
        serde_json::json!({ "athlete": "../x", "id": "\u{0}", "day": "2026-13-01", "kind": "check_in", "t_s": -1e300 }),
        serde_json::json!({ "id": "a".repeat(100_000), "t_s": 1e300, "kind": "lap" }),
        serde_json::json!({ "day": "2026-03-01", "at_us": i64::MAX, "kind": "check_in" }),
        serde_json::json!({ "day": "2026-03-01", "at_us": i64::MIN, "kind": "weekly", "goals": { "a": 11 } }),
        serde_json::json!({ "name": "", "role": "share", "expires_us": i64::MAX }),
        serde_json::json!({ "height_m": -1e300, "name": "x".repeat(5000) }),
        serde_json::json!({ "athlete": "ada", "what": "session", "session": "s1", "expires_us": i64::MIN }),
    ];
    for endpoint in routes::all() {
        if endpoint.method == "GET" || endpoint.resource == Resource::Login {
            continue;
        }
        let path = endpoint
            .path
            .replace("{session}", "s1")
            .replace("{athlete}", "ada")
            .replace("{flag}", "FS1");
        let path = format!("/api/v1{}", path.replace("{id}", "x1").replace("{prefix}", "ffff"));
        for body in &bodies {
            let answer = server
                .send(request(endpoint.method.as_str(), &path, &[], Some(body)))
                .await;
            assert!(
                answer.status.as_u16() < 500,
                "{endpoint:?} {body}: {} {}",
                answer.status,
                answer.text()
            );
            if !answer.status.is_success() {
                answer.is_problem(answer.status.as_u16());
            }
        }
    }
}
