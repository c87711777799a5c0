//! `lope flags` as a command: exit codes, what it writes, and that it writes nothing where it refuses.

use super::document;
use assert_cmd::Command;
use serde_json::{Value, json};

fn lope() -> Command {
    Command::cargo_bin("lope").expect("the program")
}

#[test]
fn a_history_comes_back_with_its_states() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, output) = (folder.path().join("h.json"), folder.path().join("out.json"));
    let tick = json!({ "checkins": [{ "day": 1, "ticks": ["chest_pain"] }] });
    std::fs::write(&input, document(3, &tick).to_string()).expect("written");
    lope()
        .args(["flags", "evaluate"])
        .arg(&input)
        .arg("-o")
        .arg(&output)
        .assert()
        .success()
        .stdout("");
    let written: Value = serde_json::from_slice(&std::fs::read(&output).expect("there")).expect("JSON");
    let history = &written["histories"][0];
    assert_eq!(history["checkins"], tick["checkins"]);
    assert_eq!(
        history["expected"]["summary"],
        json!(["not_enough_data", "stop", "stop"])
    );
    let changes = history["expected"]["changes"].as_array().expect("changes");
    assert!(changes.contains(&json!([1, "SY5", "stop"])), "{changes:?}");
    // What it wrote is a file it reads, with the same result, on standard output as well.
    let again = lope().args(["flags", "evaluate"]).arg(&output).assert().success();
    assert_eq!(again.get_output().stdout, std::fs::read(&output).expect("there"));
    let told = lope()
        .args(["flags", "explain", "--day", "2"])
        .arg(&output)
        .assert()
        .success();
    let told = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
    assert!(
        told.contains("call your emergency number") && told.contains("Not a medical device"),
        "{told}"
    );
    let told = lope()
        .args(["--json", "flags", "explain", "--day", "2", "--flag", "FS1"])
        .arg(&output)
        .assert()
        .success();
    let told: Value = serde_json::from_slice(&told.get_output().stdout).expect("JSON");
    assert_eq!(
        (&told["coaching"], &told["flags"][0]["outcome"]["is"]),
        (&json!("silent"), &json!("insufficient"))
    );
}

#[test]
fn a_refused_file_says_file_place_value_and_what_was_expected_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, output) = (folder.path().join("h.json"), folder.path().join("out.json"));
    std::fs::write(&output, "before").expect("written");
    let wrong = document(3, &json!({ "checkins": [{ "day": 0, "back_now": 12 }] }));
    std::fs::write(&input, wrong.to_string()).expect("written");
    let refused = lope()
        .args(["flags", "evaluate"])
        .arg(&input)
        .arg("-o")
        .arg(&output)
        .assert()
        .code(5)
        .stdout("");
    let told = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    for part in [
        "lope::flags::history",
        "h.json",
        "histories[0].checkins[0].back_now",
        "found 12",
        "from 0 to 10",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert_eq!(std::fs::read_to_string(&output).expect("there"), "before");
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 2);
    lope().args(["flags", "evaluate", "nowhere.json"]).assert().code(5);
    lope().args(["flags", "evaluate"]).assert().code(2);
}

#[test]
fn a_refused_rule_file_tells_all_lines_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, own) = (folder.path().join("h.json"), folder.path().join("own.toml"));
    std::fs::write(&input, document(2, &json!({})).to_string()).expect("written");
    let text = lope::risk::rules::BUILT_IN;
    let broken = text
        .replacen("raise_k = 3", "raise_kk = 3", 1)
        .replacen("epsilon = 1e-9", "epsilon = \"small\"", 1);
    std::fs::write(&own, broken).expect("written");
    let refused = lope()
        .args(["flags", "evaluate"])
        .arg(&input)
        .arg("--rules")
        .arg(&own)
        .assert()
        .code(5);
    let told = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    for part in [
        "own.toml: line",
        "`raise_kk` is no key of this place; did you mean `raise_k`?",
        "`raise_k` is missing",
        "`epsilon` is \"small\"",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    std::fs::write(&own, text.replacen("version = \"0.2.0\"", "version = \"own-1\"", 1)).expect("written");
    let done = lope()
        .args(["flags", "evaluate"])
        .arg(&input)
        .arg("--rules")
        .arg(&own)
        .assert()
        .success();
    assert!(String::from_utf8_lossy(&done.get_output().stdout).contains("\"rules_version\":\"own-1\""));
}

#[test]
fn a_day_history_or_flag_that_is_not_there_is_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("h.json");
    std::fs::write(&input, document(2, &json!({})).to_string()).expect("written");
    for more in [["--day", "2"], ["--flag", "ZZ1"], ["--id", "nobody"]] {
        lope()
            .args(["flags", "explain"])
            .arg(&input)
            .args(more)
            .assert()
            .code(6);
    }
}

#[test]
fn an_empty_record_says_what_is_missing_of_all_thirty() {
    let folder = tempfile::tempdir().expect("a folder");
    let on_record = |args: &[&str]| {
        let mut command = lope();
        command.args(["--data-dir"]).arg(folder.path()).args(args);
        command
    };
    let told = on_record(&["--json", "flags", "show", "--day", "2026-03-01"])
        .assert()
        .success();
    let told: Value = serde_json::from_slice(&told.get_output().stdout).expect("JSON");
    let flags = told["flags"].as_array().expect("flags");
    assert_eq!((flags.len(), &told["day"]), (30, &json!("2026-03-01")));
    assert_eq!(told["learning"], json!({ "runs": 0, "needed": 5 }));
    for flag in flags.iter().filter(|f| f["level"] == json!("not_enough_data")) {
        assert!(!flag["missing"].as_array().expect("a list").is_empty(), "{flag}");
    }
    let told = on_record(&["flags"]).assert().success();
    let told = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
    for part in [
        "learning your usual: 0 of 5 runs",
        "not enough data: LD1",
        "Not a medical device",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let one = on_record(&["flags", "explain", "fs1", "--day", "2026-03-01"])
        .assert()
        .success();
    let one = String::from_utf8_lossy(&one.get_output().stdout).into_owned();
    assert!(
        one.starts_with("FS1 step rate low for speed · not enough data"),
        "{one}"
    );
    on_record(&["flags", "show", "FS99"]).assert().code(6);
    on_record(&["flags", "show", "--day", "spring"]).assert().code(2);
    on_record(&["flags", "replay"]).assert().code(2);
    let trend = on_record(&["--json", "trend", "cadence", "--day", "2026-03-01"])
        .assert()
        .success();
    let trend: Value = serde_json::from_slice(&trend.get_output().stdout).expect("JSON");
    assert_eq!(trend["verdict"]["word"], json!("learning"));
    let unknown = on_record(&["trend", "contact_tine"]).assert().code(6);
    let unknown = String::from_utf8_lossy(&unknown.get_output().stderr).into_owned();
    assert!(unknown.contains("contact_time"), "{unknown}");
}
