//! The commands around sensors as people meet them: settings, kits, the doctor, and scanning, pairing and calibrating with
//! virtual pods that another process serves over a socket.

use super::cli::expect;
use assert_cmd::Command;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};

/// `lope` in a home of its own.
fn lope(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lope"));
    command.env_clear().env("LANG", "C").env("HOME", home);
    command
}

fn run(home: &Path, args: &[&str]) -> std::process::Output {
    lope(home).args(args).output().expect("run")
}

fn json(output: &std::process::Output) -> serde_json::Value {
    let err = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {err}"))
}

fn settings(home: &Path, text: &str) -> std::path::PathBuf {
    let path = home.join(if cfg!(target_os = "macos") {
        "Library/Application Support/lope/config.toml"
    } else {
        ".config/lope/config.toml"
    });
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, text).expect("written");
    path
}

const TWO_KITS: &str = "# mine\ndefault_kit = \"b\"\n[kit.a] # old\nsacrum = { id = \"1\", kind = \"lope\", battery = 91, firmware = \"1.2.0\" }\n\
                        [kit.b]\nleft_foot = { os_id = \"C0:02\", kind = \"standard\" }\n";

#[test]
#[cfg(not(windows))]
fn kits_are_listed_shown_renamed_and_forgotten() {
    let home = tempfile::tempdir().expect("folder");
    let home = home.path();
    expect(&run(home, &["sensors"]), 0, &["0 kits", "lope pair"]);
    expect(&run(home, &["sensors", "show"]), 6, &["lope::kit::none"]);
    let path = settings(home, TWO_KITS);
    expect(
        &run(home, &["sensors", "list"]),
        0,
        &["waistband", "left shoe", "default", "2 kits"],
    );
    expect(
        &run(home, &["sensors", "show", "a"]),
        0,
        &["91 %", "1.2.0", "waistband", "next: lope calibrate --kit a"],
    );
    assert_eq!(json(&run(home, &["sensors", "show", "--json"]))["name"], "b");
    expect(
        &run(home, &["sensors", "show", "bb"]),
        6,
        &["lope::kit::missing", "did you mean b?"],
    );
    expect(
        &run(home, &["sensors", "rename", "b", "club"]),
        0,
        &["kit b is now club"],
    );
    expect(
        &run(home, &["sensors", "rename", "club", "a"]),
        5,
        &["lope::kit::exists"],
    );
    expect(
        &run(home, &["sensors", "rename", "club", "a b"]),
        2,
        &["lope::kit::name"],
    );
    expect(&run(home, &["sensors", "forget", "a"]), 8, &["--yes"]);
    expect(&run(home, &["sensors", "forget", "a", "--yes"]), 0, &["forgot kit a"]);
    let left = std::fs::read_to_string(path).expect("there");
    assert!(left.starts_with("# mine\ndefault_kit = \"club\"\n[kit.club]"), "{left}");
}

#[test]
#[cfg(not(windows))]
fn wrong_settings_are_told_all_at_once_and_stop_only_what_needs_them() {
    let home = tempfile::tempdir().expect("folder");
    let home = home.path();
    settings(home, "unit = \"metric\"\nlanguage = \"fr\"\n");
    let all = [
        "lope::config::refused",
        "config.toml:1: unit",
        "did you mean units?",
        "config.toml:2: language",
    ];
    expect(&run(home, &["sessions"]), 5, &all);
    expect(&run(home, &["scan", "--seconds", "1"]), 5, &all);
    let doctor = run(home, &["doctor"]);
    assert_eq!(doctor.status.code(), Some(3));
    let out = String::from_utf8_lossy(&doctor.stdout);
    assert_eq!(out.matches("fail  config").count(), 2, "{out}");
    let file = home.join("other.toml");
    expect(
        &run(home, &["--config", "other.toml", "sessions"]),
        5,
        &["lope::config::open"],
    );
    std::fs::write(&file, "radio = \"wire:127.0.0.1:9\"\n").expect("written");
    let file = file.to_string_lossy();
    expect(&run(home, &["sessions", "--config", &file]), 0, &["0 sessions"]);
    expect(&run(home, &["sessions", "--config"]), 2, &["lope::config::which"]);
    expect(
        &run(home, &["sessions", "--radio", "pigeon"]),
        5,
        &["--radio", "ble, wire:HOST:PORT"],
    );
}

#[test]
#[cfg(not(windows))]
fn the_doctor_tells_every_setting_and_where_it_came_from() {
    let home = tempfile::tempdir().expect("folder");
    let home = home.path();
    settings(home, "units = \"metric\"\n");
    let out = lope(home)
        .env("LOPE_DATA_DIR", home.join("runs"))
        .args(["doctor", "--config", "--json", "--radio", "wire:127.0.0.1:9"])
        .output()
        .expect("run");
    assert_eq!(out.status.code(), Some(3), "nothing answers on that port");
    let value = json(&out);
    let origin = |key: &str| {
        let all = value["settings"].as_array().expect("settings");
        let row = all.iter().find(|s| s["key"] == key).expect("listed");
        row["origin"].as_str().expect("text").to_owned()
    };
    assert_eq!(origin("data_dir"), "LOPE_DATA_DIR");
    assert_eq!(origin("radio"), "--radio");
    assert_eq!(origin("language"), "default");
    assert!(origin("units").ends_with("config.toml:1"));
    let checks = value["checks"].as_array().expect("checks");
    let verdict = |name: &str| {
        let check = checks.iter().find(|c| c["name"] == name).expect("checked");
        check["verdict"].as_str().expect("text").to_owned()
    };
    assert_eq!(verdict("link"), "fail");
    for well in ["folder", "disk", "record", "config"] {
        assert_eq!(verdict(well), "ok", "{checks:?}");
    }
    for check in checks.iter().filter(|c| c["verdict"] != "ok") {
        assert!(check["mend"].is_string(), "{check}");
    }
}

#[test]
fn nothing_at_the_other_end_is_told_by_every_command() {
    let home = tempfile::tempdir().expect("folder");
    let home = home.path();
    for args in [&["scan", "--seconds", "1"][..], &["pair", "--seconds", "1"]] {
        let out = lope(home)
            .args(["--radio", "wire:127.0.0.1:9"])
            .args(args)
            .output()
            .expect("run");
        expect(&out, 3, &["lope::radio::no_link", "lope demo", "127.0.0.1:9"]);
    }
    expect(&run(home, &["pair", "--assign", "hat=1234"]), 2, &["left_foot"]);
    expect(&run(home, &["calibrate"]), 6, &["lope::kit::none", "lope pair"]);
}

/// Virtual pods in a process of their own, ended with the test.
struct Pods {
    process: Child,
    radio: String,
}

impl Drop for Pods {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn pods(more: &[&str]) -> Pods {
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_lope"))
        .args(["pod", "--listen", "127.0.0.1:0", "--for", "5m", "--stand", "300"])
        .args(more)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(process.stderr.take().expect("piped"));
    let mut line = String::new();
    let radio = loop {
        line.clear();
        assert!(lines.read_line(&mut line).expect("read") > 0, "the pods ended");
        if let Some(at) = line.find("wire:") {
            break line[at..].trim().to_owned();
        }
    };
    // What it goes on to say must find a reader.
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        lines.read_to_end(&mut rest)
    });
    Pods { process, radio }
}

#[test]
#[cfg(not(windows))]
fn virtual_pods_are_found_paired_by_name_and_calibrated() {
    let home = tempfile::tempdir().expect("folder");
    let home = home.path();
    let pods = pods(&["--placements", "left_foot,sacrum"]);
    let with_pods = |args: &[&str]| {
        let out = lope(home).args(["--radio", &pods.radio]).args(args).output();
        out.expect("run")
    };
    let scan = json(&with_pods(&["scan", "--seconds", "3", "--json"]));
    let seen = scan["sensors"].as_array().expect("sensors");
    assert_eq!(seen.len(), 2, "{scan}");
    let name = |part: &str| {
        let all = seen.iter().filter_map(|s| s["name"].as_str());
        all.into_iter()
            .find(|n| n.contains(part))
            .expect("advertised")
            .to_owned()
    };
    expect(
        &with_pods(&["scan", "--seconds", "2"]),
        0,
        &["lope pod", "2 found in 2 s", "next: lope pair"],
    );

    let assign = format!("left_foot={},sacrum={}", name("left"), name("sacrum"));
    expect(
        &with_pods(&["pair", "--kit", "club", "--seconds", "3", "--assign", &assign]),
        0,
        &["saved kit \"club\"", "next: lope calibrate --kit club"],
    );
    let kit = json(&run(home, &["sensors", "show", "club", "--json"]));
    for sensor in kit["sensors"].as_array().expect("sensors") {
        assert_eq!(sensor["kind"], "lope", "{kit}");
        assert!(
            sensor["id"].as_str().is_some_and(|id| !id.is_empty()),
            "each pod said who it is: {kit}"
        );
        assert_eq!(sensor["calibrated"], false);
    }
    expect(
        &with_pods(&["scan", "--seconds", "2"]),
        0,
        &["left shoe of kit club", "waistband of kit club"],
    );

    let calibrated = json(&with_pods(&["calibrate", "--json"]));
    assert_eq!(calibrated["sensors"].as_array().map(Vec::len), Some(2), "{calibrated}");
    for sensor in calibrated["sensors"].as_array().expect("sensors") {
        let up: f64 = (0..3).map(|k| sensor["up"][k].as_f64().expect("number").powi(2)).sum();
        assert!((up - 1.0).abs() < 1e-6, "{sensor}");
    }
    expect(
        &run(home, &["sensors", "show"]),
        0,
        &["yes", "next: lope record --kit club"],
    );
}

#[test]
#[cfg(not(windows))]
fn nobody_taps_so_nothing_is_saved_and_why_is_told() {
    let home = tempfile::tempdir().expect("folder");
    let home = home.path();
    let pods = pods(&["--placements", "left_foot"]);
    let out = lope(home)
        .args(["--radio", &pods.radio, "pair", "--seconds", "2", "--wait", "3s"])
        .output()
        .expect("run");
    let err = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{err}");
    for word in [
        "Tap the sensor on your LEFT shoe",
        "lope::pair::nothing_tapped",
        "--assign",
    ] {
        assert!(err.contains(word), "no {word} in {err}");
    }
    assert!(out.stdout.is_empty());
    expect(&run(home, &["sensors"]), 0, &["0 kits"]);
}

/// Arguments that record from both pods of [`pods`] with these placements.
const BOTH: [&str; 4] = [
    "--sensor",
    "left_foot=lope-left-foot-0100",
    "--sensor",
    "sacrum=lope-sacrum-0104",
];

#[test]
#[cfg(not(windows))]
fn a_run_is_recorded_whole_though_its_pods_were_out_of_range() {
    let home = tempfile::tempdir().expect("folder");
    let home = home.path();
    let pods = pods(&["--placements", "left_foot,sacrum", "--out-of-range", "3+4"]);
    let out = lope(home)
        .args(["--radio", &pods.radio, "--json", "record", "--for", "16s"])
        .args(BOTH)
        .output()
        .expect("run");
    let result = json(&out);
    assert_eq!(out.status.code(), Some(0), "{result}");
    let collected = result["collected"].as_array().expect("sensors");
    assert_eq!(collected.len(), 2);
    for sensor in collected {
        assert_eq!(
            sensor["missing"].as_object().map(serde_json::Map::len),
            Some(0),
            "{sensor}"
        );
        let number = |key: &str| sensor[key].as_u64().expect("a number");
        assert!(number("links_lost") >= 1, "they were out of range: {sensor}");
        assert!(number("fetched_samples") > 2 * 208, "{sensor}");
        // Sixteen seconds, give or take the moments of starting and stopping.
        let all = number("live_samples") + number("fetched_samples");
        assert!((15 * 208..19 * 208).contains(&all), "{all}: {sensor}");
    }
    let session = result["session"].as_str().expect("stored");
    expect(&run(home, &["sessions", "show", session]), 0, &[session]);
    assert_eq!(
        result["notes"]
            .as_array()
            .map(|n| n.iter().any(|n| n.as_str().is_some_and(|n| n.contains("missing")))),
        Some(false),
        "{result}"
    );
}

#[test]
#[cfg(unix)]
fn a_recording_that_was_killed_is_finished_at_the_next_one() {
    let home = tempfile::tempdir().expect("folder");
    let home = home.path();
    let pods = pods(&["--placements", "left_foot,sacrum"]);
    let mut first = std::process::Command::new(env!("CARGO_BIN_EXE_lope"))
        .env("HOME", home)
        .env_remove("XDG_DATA_HOME")
        .args(["--radio", &pods.radio, "record", "--for", "90s"])
        .args(BOTH)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    // Killed when its log has some seconds of two pods in it, wherever the machine is by then.
    let raw = home.join(".local/share/lope/raw");
    let logged = || {
        let entries = std::fs::read_dir(&raw).ok()?;
        let sizes = entries
            .flatten()
            .filter(|e| e.path().extension().is_some_and(|x| x == "links"));
        sizes.map(|e| e.metadata().map_or(0, |m| m.len())).max()
    };
    while logged().unwrap_or(0) < 30_000 {
        let ended = first.try_wait().expect("asked");
        assert!(ended.is_none(), "it ended before it had logged anything: {ended:?}");
        std::thread::yield_now();
    }
    first.kill().expect("killed");
    let _ = first.wait();
    let out = lope(home)
        .args(["--radio", &pods.radio, "record", "--for", "2s"])
        .args(BOTH)
        .output()
        .expect("run");
    expect(
        &out,
        0,
        &["an earlier recording was cut off; it is finished now", "collected"],
    );
    let sessions = json(&run(home, &["sessions", "--json"]));
    let all = sessions["sessions"].as_array().expect("sessions");
    assert_eq!(all.len(), 2, "{sessions}");
}
