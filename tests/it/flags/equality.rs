//! Random histories through the reference program and through the engine: the same state of every flag on every day.

use super::{read, rules};
use crate::support::{program, python, shared, skip};
use lope::interchange::flag_history::{HistoryFile, expected, parse};
use lope::interchange::flag_rules;
use lope::risk::history::History;
use lope::risk::{Rules, evaluate, explain};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// Histories of an ordinary test.
const HISTORIES: usize = 60;

fn reference_program() -> Option<(PathBuf, PathBuf)> {
    let script = shared("tools/flags_reference.py")?;
    let python = python()?;
    // The rule file is TOML, which Python reads from 3.11 on.
    if !crate::support::python_has(&python, "tomllib") {
        skip("no Python with tomllib");
        return None;
    }
    Some((python, script))
}

/// Histories made and evaluated by the reference program: number of histories, seed.
fn generated(count: usize, seed: u32) -> Option<Value> {
    let (python, script) = reference_program()?;
    let output = Command::new(python)
        .arg(script)
        .args(["generate", "--seed", &seed.to_string(), "--n", &count.to_string()])
        .output()
        .expect("the reference program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

fn seed() -> u32 {
    let given = std::env::var("LOPE_FLAG_SEED").ok().and_then(|s| s.parse().ok());
    given.unwrap_or_else(std::process::id)
}

/// Differences of one history, by day and flag.
fn differences(rules: &Rules, history: &History, wanted: &Value) -> Vec<String> {
    let ours = expected(rules, &evaluate(rules, history));
    let list = |v: &Value, key: &str| v[key].as_array().expect("a list").clone();
    let mut told = Vec::new();
    for (day, (a, b)) in list(&ours, "summary").iter().zip(list(wanted, "summary")).enumerate() {
        if *a != b {
            told.push(format!("{} day {day}: summary {a}, reference {b}", history.id));
        }
    }
    let (ours, wanted) = (list(&ours, "changes"), list(wanted, "changes"));
    told.extend(
        ours.iter()
            .filter(|c| !wanted.contains(c))
            .map(|c| format!("{} only ours {c}", history.id)),
    );
    told.extend(
        wanted
            .iter()
            .filter(|c| !ours.contains(c))
            .map(|c| format!("{} only reference {c}", history.id)),
    );
    told
}

fn all_differences(rules: &Rules, file: &HistoryFile, document: &Value) -> Vec<String> {
    let wanted = document["histories"].as_array().expect("histories");
    assert_eq!(wanted.len(), file.histories.len());
    let one = |(h, w): (&History, &Value)| differences(rules, h, &w["expected"]);
    file.histories.iter().zip(wanted).flat_map(one).collect()
}

#[test]
fn the_engine_equals_the_reference_program_on_random_histories() {
    let count = std::env::var("LOPE_FLAG_HISTORIES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(HISTORIES);
    let seed = seed();
    let Some(document) = generated(count, seed) else { return };
    let rules = rules();
    let file = read(&document, &rules);
    let told = all_differences(&rules, &file, &document);
    let changes: usize = document["histories"]
        .as_array()
        .expect("histories")
        .iter()
        .map(|h| h["expected"]["changes"].as_array().map_or(0, Vec::len))
        .sum();
    println!(
        "{count} histories, seed {seed}: {changes} changes of states compared, {} differ",
        told.len()
    );
    assert!(changes > 40 * count, "the histories must be worth comparing");
    assert!(
        told.is_empty(),
        "LOPE_FLAG_SEED={seed}: {} differences\n{}",
        told.len(),
        told[..told.len().min(20)].join("\n")
    );
    later_days_change_nothing(&rules, &document);
    every_message_can_be_said(&rules, &file);
}

/// What was said of a day does not depend on what came later.
fn later_days_change_nothing(rules: &Rules, document: &Value) {
    for (i, history) in document["histories"]
        .as_array()
        .expect("histories")
        .iter()
        .take(20)
        .enumerate()
    {
        let cut = 10 + (i as i64 * 13) % 70;
        let mut short = history.clone();
        short["days"] = json!(cut);
        for key in ["sessions", "checkins", "tests", "shoes"] {
            let rows = history[key]
                .as_array()
                .expect(key)
                .iter()
                .filter(|r| r["day"].as_i64() < Some(cut));
            short[key] = rows.cloned().collect();
        }
        let kept = history["reanchor_days"]
            .as_array()
            .expect("days")
            .iter()
            .filter(|d| d.as_i64() < Some(cut));
        short["reanchor_days"] = kept.cloned().collect();
        let file = json!({ "format": "lope-flags-history/1", "histories": [short] });
        let ours = expected(rules, &evaluate(rules, &read(&file, rules).histories[0]));
        let whole = &history["expected"];
        let summary = whole["summary"].as_array().expect("summary");
        let changes = whole["changes"].as_array().expect("changes").iter();
        assert_eq!(ours["summary"], json!(&summary[..cut as usize]), "{}", history["id"]);
        let before: Vec<&Value> = changes.filter(|c| c[0].as_i64() < Some(cut)).collect();
        assert_eq!(ours["changes"], json!(before), "{}", history["id"]);
    }
}

/// Each raised flag finds its words, with every field filled in and none of the banned ones.
fn every_message_can_be_said(rules: &Rules, file: &HistoryFile) {
    let mut said = 0;
    for history in file.histories.iter().take(20) {
        for (day, flag, state) in evaluate(rules, history).changes {
            let id = &rules.flags[flag].id;
            let told = explain(rules, history, day, id).expect("explained");
            let text = told.text();
            assert!(!text.contains(['{', '}']), "{text}");
            if let lope::risk::explain::Outcome::Raised { message, level } = &told.outcome {
                said += 1;
                assert_eq!(Some(*level), state);
                super::words::assert_clean(rules, message);
                let about_comfort = ["IG3", "IG4"].contains(&id.as_str());
                assert!(
                    !message.is_empty() && (about_comfort || !message.contains('–')),
                    "{message}"
                );
            }
        }
    }
    assert!(said > 100, "{said} messages");
}

#[test]
fn another_threshold_is_noticed_by_the_comparison() {
    let Some(document) = generated(HISTORIES, 5) else {
        return;
    };
    // One number of each kind of memory and one of a flag: each must show as a difference.
    for (from, to) in [
        ("raise_k = 3", "raise_k = 2"),
        ("clear_factor = 0.8", "clear_factor = 1.0"),
        ("hold_days = 7", "hold_days = 6"),
        ("checkin_days = 7", "checkin_days = 6"),
        ("clear_min_answers = 4", "clear_min_answers = 5"),
        (
            "x = \"pain_days_14\", op = \">=\", v = 4.0",
            "x = \"pain_days_14\", op = \">=\", v = 5.0",
        ),
        ("full_runs = 8", "full_runs = 7"),
        ("scale_factor = 2.0", "scale_factor = 2.2"),
    ] {
        let text = lope::risk::rules::BUILT_IN;
        assert!(text.contains(from), "{from}");
        let rules = flag_rules::parse(&text.replacen(from, to, 1)).expect(to);
        let file = read(&document, &rules);
        assert!(
            !all_differences(&rules, &file, &document).is_empty(),
            "{to} goes unnoticed"
        );
    }
}

#[test]
fn the_reference_program_refuses_what_the_engine_refuses_or_says_the_same() {
    let Some((python, script)) = reference_program() else {
        return;
    };
    let Some(document) = generated(3, 11) else { return };
    let rules = rules();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("h.json");
    // Turned around: sessions and check-ins are sorted by day, with those of one day in their order.
    let mut mixed = document.clone();
    for history in mixed["histories"].as_array_mut().expect("histories") {
        for key in ["sessions", "checkins"] {
            let rows = history[key].as_array_mut().expect(key);
            rows.sort_by_key(|r| std::cmp::Reverse(r["day"].as_i64()));
        }
    }
    // Empty, one day, days without anything at the end.
    let empty = |days: i64| json!({ "id": format!("e{days}"), "days": days, "sessions": [], "checkins": [] });
    let small = json!({ "format": "lope-flags-history/1", "histories": [empty(0), empty(1), empty(100)] });
    let mut gap = document.clone();
    for history in gap["histories"].as_array_mut().expect("histories") {
        history["days"] = json!(200);
        for row in history["sessions"].as_array_mut().expect("sessions") {
            if row["day"].as_i64() > Some(40) {
                row["day"] = json!(row["day"].as_i64().expect("day") + 110);
            }
        }
    }
    for (name, file) in [("turned around", &mixed), ("small", &small), ("gap", &gap)] {
        std::fs::write(&path, file.to_string()).expect("written");
        let output = Command::new(&python)
            .arg(&script)
            .arg("eval")
            .arg(&path)
            .output()
            .expect("runs");
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let wanted: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let told = all_differences(&rules, &read(file, &rules), &wanted);
        assert!(told.is_empty(), "{name}\n{}", told.join("\n"));
    }
    // What makes the reference program fail is refused here.
    for (pointer, value) in [
        ("/histories/0/sessions/0/km", json!(null)),
        ("/histories/0/sessions/0/km", json!("8")),
        ("/histories/0/checkins", json!(null)),
        ("/histories/0/days", json!("many")),
        ("/histories/0/sessions/0/day", json!(null)),
    ] {
        let mut broken = document.clone();
        *broken.pointer_mut(pointer).expect(pointer) = value.clone();
        std::fs::write(&path, broken.to_string()).expect("written");
        let output = Command::new(&python)
            .arg(&script)
            .arg("eval")
            .arg(&path)
            .output()
            .expect("runs");
        assert!(
            !output.status.success(),
            "the reference program takes {pointer} {value}"
        );
        let told = parse(broken.to_string().as_bytes(), &rules).expect_err(pointer);
        let at = pointer.trim_start_matches('/').replace("/0", "[0]").replace('/', ".");
        assert!(told.iter().any(|p| p.path == at), "{at}: {told:?}");
    }
}

#[test]
fn the_rule_file_is_the_one_the_flags_were_designed_with() {
    let Some(path) = shared("design/lower-back-flags.toml") else {
        return;
    };
    let designed = flag_rules::parse(&std::fs::read_to_string(path).expect("read"));
    assert!(
        designed.as_ref() == Ok(&rules()),
        "the rule files differ in more than comments: {:?}",
        designed.err()
    );
}

#[test]
fn the_reference_program_agrees_with_its_own_cases() {
    let Some((python, script)) = reference_program() else {
        return;
    };
    assert!(program("python3").is_some() || python.exists());
    let output = Command::new(python).arg(script).arg("selftest").output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
