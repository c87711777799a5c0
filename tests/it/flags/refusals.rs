//! Files of histories that go wrong, each refused with its path, what stands there, and what was expected.

use super::{document, rules};
use lope::interchange::flag_history::parse;
use serde_json::{Value, json};

fn run(more: &Value) -> Value {
    let mut run = json!({ "day": 0, "kind": "run", "km": 5.0 });
    for (key, value) in more.as_object().expect("an object") {
        run[key] = value.clone();
    }
    run
}

#[test]
fn each_thing_that_is_wrong_is_named_where_it_stands() {
    let sessions = |more: Value| json!({ "sessions": [run(&more)] });
    let checkins = |more: Value| json!({ "checkins": [more] });
    for (parts, path, found, expected) in [
        (
            sessions(json!({ "back_worst": 11 })),
            "sessions[0].back_worst",
            "11",
            "0 to 10",
        ),
        (
            sessions(json!({ "back_worst": "NaN" })),
            "sessions[0].back_worst",
            "\"NaN\"",
            "a number",
        ),
        (
            sessions(json!({ "back_worts": 3 })),
            "sessions[0].back_worts",
            "back_worts",
            "`back_worst`?",
        ),
        (sessions(json!({ "km": -1 })), "sessions[0].km", "-1", "0 to"),
        (sessions(json!({ "km": null })), "sessions[0].km", "null", "a number"),
        (
            sessions(json!({ "kind": "walk" })),
            "sessions[0].kind",
            "\"walk\"",
            "run, other or core",
        ),
        (sessions(json!({ "day": 10 })), "sessions[0].day", "10", "0 to 9"),
        (sessions(json!({ "day": -1 })), "sessions[0].day", "-1", "0 to 9"),
        (sessions(json!({ "day": 1.5 })), "sessions[0].day", "1.5", "whole"),
        (
            sessions(json!({ "warmup": 1 })),
            "sessions[0].warmup",
            "1",
            "true or false",
        ),
        (
            sessions(json!({ "metrics": { "cadence": 170 } })),
            "sessions[0].metrics.cadence",
            "cadence",
            "cadence_spm",
        ),
        (
            sessions(json!({ "metrics": [170] })),
            "sessions[0].metrics",
            "a list",
            "an object",
        ),
        (
            sessions(json!({ "drift": { "tilt": 1 } })),
            "sessions[0].drift.tilt",
            "tilt",
            "tilt_deg",
        ),
        (
            sessions(json!({ "surface_km": { "sand": 1 } })),
            "sessions[0].surface_km.sand",
            "sand",
            "hard",
        ),
        (
            sessions(json!({ "level_windows": 2.5 })),
            "sessions[0].level_windows",
            "2.5",
            "whole",
        ),
        (
            checkins(json!({ "day": 0, "ticks": ["saddle_num"] })),
            "checkins[0].ticks[0]",
            "saddle_num",
            "`saddle_numb`?",
        ),
        (
            checkins(json!({ "day": 0, "ticks": "saddle_numb" })),
            "checkins[0].ticks",
            "saddle_numb",
            "a list",
        ),
        (
            checkins(json!({ "back_now": 1 })),
            "checkins[0].day",
            "nothing",
            "whole",
        ),
        (
            json!({ "checkins": [{ "day": 1 }, { "day": 1 }] }),
            "checkins[1].day",
            "day 1 again",
            "at most one",
        ),
        (json!({ "reanchor_days": [10] }), "reanchor_days[0]", "10", "0 to 9"),
        (json!({ "days": -1 }), "days", "-1", "0 to"),
        (json!({ "days": 1e9 }), "days", "1000000000.0", "0 to"),
        (json!({ "sessions": {} }), "sessions", "an object", "a list"),
        (json!({ "sessions": [3] }), "sessions[0]", "3", "an object"),
        (json!({ "shoes": [{ "day": 0 }] }), "shoes[0].shoe", "nothing", "name"),
        (json!({ "profile": { "bone": 1 } }), "profile.bone", "bone", "one of"),
        (json!({ "extra": 1 }), "extra", "extra", "one of"),
    ] {
        let problems = parse(document(10, &parts).to_string().as_bytes(), &rules()).expect_err(path);
        let path = format!("histories[0].{path}");
        let fits = |p: &&lope::interchange::flag_history::HistoryProblem| {
            p.path == path && p.found.contains(found) && p.expected.contains(expected)
        };
        assert!(
            problems.iter().any(|p| fits(&p)),
            "{path} {found} {expected}: {problems:#?}"
        );
    }
}

#[test]
fn what_is_no_file_of_histories_is_refused() {
    for (text, told) in [
        ("", "line 1"),
        ("{", "line 1"),
        ("[]", "an object"),
        ("{}", "lope-flags-history/1"),
        (
            r#"{"format":"lope-flags-history/2","histories":[]}"#,
            "lope-flags-history/1",
        ),
        (r#"{"format":"lope-flags-history/1"}"#, "a list of histories"),
        (
            r#"{"format":"lope-flags-history/1","histories":[{"id":"a","days":1,"sessions":[{"day":0,"kind":"run","km":NaN}],"checkins":[]}]}"#,
            "line 1",
        ),
        (
            r#"{"format":"lope-flags-history/1","histories":[{"id":"a","days":1,"sessions":[{"day":0,"kind":"run","km":1e999}],"checkins":[]}]}"#,
            "line 1",
        ),
        (
            r#"{"format":"lope-flags-history/1","histories":[{"id":"a","days":0,"sessions":[],"checkins":[]},{"id":"a","days":0,"sessions":[],"checkins":[]}]}"#,
            "a name of its own",
        ),
    ] {
        let problems = parse(text.as_bytes(), &rules()).expect_err(text);
        assert!(
            problems.iter().any(|p| p.to_string().contains(told)),
            "{text}: {problems:?}"
        );
    }
    assert!(parse(&[0xff, 0xfe], &rules()).is_err());
    let deep = "[".repeat(100_000);
    assert!(parse(deep.as_bytes(), &rules()).is_err());
}

#[test]
fn all_problems_come_at_once() {
    let parts = json!({ "sessions": [run(&json!({ "effort": 11, "colour": "red" })), run(&json!({ "day": 99 }))] });
    let problems = parse(document(10, &parts).to_string().as_bytes(), &rules()).expect_err("refused");
    assert_eq!(problems.len(), 3, "{problems:#?}");
}
