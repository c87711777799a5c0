//! The built program as people meet it: every input it refuses, with exit code and the facts it tells; what it keeps and
//! what it leaves behind when it fails.
//!
//! Recordings are made here: a foot in closed form for the refusals, the synthetic runner where strides are needed.

use assert_cmd::Command;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

const HEAD: &str = "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n";
const PURPOSE: &str = "Records and describes running form and training load for fitness and coaching. It does not diagnose, predict, monitor or treat any condition.";

/// A foot that swings back and forth: columns as lope wants them, no two readings alike.
fn row(k: u32) -> [f64; 7] {
    let t = f64::from(k) * 0.005;
    let phase = t * std::f64::consts::TAU * 1.4;
    [
        t,
        3.0 * phase.sin(),
        0.4 * (3.1 * phase).cos(),
        9.8 + 4.0 * phase.cos(),
        0.3 * (2.3 * phase).sin(),
        7.0 * phase.cos(),
        0.2 * phase.sin(),
    ]
}

pub(super) fn line(r: [f64; 7]) -> String {
    let cells: Vec<String> = r.iter().map(|v| format!("{v:.6}")).collect();
    cells.join(",") + "\n"
}

pub(super) fn csv(n: u32, change: impl Fn(u32, &mut [f64; 7])) -> String {
    (0..n).fold(HEAD.to_owned(), |text, k| {
        let mut r = row(k);
        change(k, &mut r);
        text + &line(r)
    })
}

pub(super) fn lope(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lope"));
    command.env_clear().env("LANG", "C").arg("--data-dir").arg(data);
    command
}

/// Runs `lope analyze right_foot.csv --no-store` on this text.
pub(super) fn analyze(text: &str, more: &[&str]) -> Output {
    let dir = tempfile::tempdir().expect("folder");
    let file = dir.path().join("right_foot.csv");
    std::fs::write(&file, text).expect("written");
    lope(dir.path())
        .arg("analyze")
        .arg(&file)
        .arg("--no-store")
        .args(more)
        .output()
        .expect("run")
}

#[track_caller]
pub(super) fn expect(output: &Output, code: i32, words: &[&str]) {
    let err = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    for word in words {
        assert!(err.contains(word) || out.contains(word), "no `{word}` in\n{out}\n{err}");
    }
    if ![0, 2, 7].contains(&code) {
        assert!(
            out.is_empty()
                && err.starts_with("error lope::")
                && err.contains("\n  why   ")
                && err.contains("\n  try   "),
            "not the shape of a failure:\n{out}\n{err}"
        );
    }
    assert!(!err.contains("panicked") && !err.contains('\x1b'), "{err}");
}

#[test]
fn a_good_file_is_analysed_and_the_purpose_said() {
    expect(
        &analyze(&csv(1200, |_, _| {}), &[]),
        0,
        &[PURPOSE, "right_foot", "100.0 % of samples"],
    );
}

#[test]
fn help_says_the_purpose_word_for_word() {
    let dir = tempfile::tempdir().expect("folder");
    expect(
        &lope(dir.path()).arg("--help").output().expect("run"),
        0,
        &[PURPOSE, "analyze", "demo"],
    );
    expect(
        &lope(dir.path()).arg("run-away").output().expect("run"),
        2,
        &["run-away"],
    );
    let bad = analyze(&csv(10, |_, _| {}), &["--placement", "hat"]);
    expect(&bad, 2, &["hat", "left_foot"]);
}

#[test]
fn missing_and_empty_files_are_refused() {
    let dir = tempfile::tempdir().expect("folder");
    let missing = lope(dir.path())
        .args(["analyze", "nowhere/right_foot.csv"])
        .output()
        .expect("run");
    expect(&missing, 5, &["lope::recording::open", "nowhere/right_foot.csv"]);
    expect(&analyze("", &[]), 5, &["lope::recording::empty", "right_foot.csv"]);
    expect(&analyze(HEAD, &[]), 5, &["lope::recording::empty", "right_foot.csv"]);
    let folder = lope(dir.path()).arg("analyze").arg(dir.path()).output().expect("run");
    expect(&folder, 5, &["recording.toml"]);
}

#[test]
fn a_wrong_header_and_text_are_named_with_their_place() {
    let renamed = csv(100, |_, _| {}).replacen("acc_x", "ax", 1);
    expect(
        &analyze(&renamed, &[]),
        5,
        &["lope::recording::header", "ax", "acc_x", "--map"],
    );
    let mut text = csv(9000, |_, _| {});
    text.push_str("45.0,1,2,oops,4,5,6\n");
    text.push_str(&line(row(9002)));
    expect(
        &analyze(&text, &[]),
        5,
        &["lope::recording::not_a_number", ":9002:", "acc_z", "oops"],
    );
    let short = csv(100, |_, _| {}) + "0.5,1,2\n" + &line(row(101));
    expect(
        &analyze(&short, &[]),
        5,
        &["lope::recording::columns", ":102:", "3 columns"],
    );
}

#[test]
fn other_units_are_refused_with_the_line_that_reads_them() {
    let g = csv(1200, |_, r| r[1..4].iter_mut().for_each(|a| *a /= 9.80665));
    expect(&analyze(&g, &[]), 5, &["lope::recording::unit", "acc_unit = \"g\""]);
    let degrees = csv(1200, |_, r| r[4..].iter_mut().for_each(|w| *w = w.to_degrees()));
    expect(
        &analyze(&degrees, &[]),
        5,
        &["lope::recording::unit", "gyro_unit = \"deg/s\""],
    );
    let ms = csv(1200, |_, r| r[0] *= 1e3);
    expect(&analyze(&ms, &[]), 5, &["lope::recording::rate", "time_unit"]);
    let dir = tempfile::tempdir().expect("folder");
    let map = dir.path().join("map.toml");
    std::fs::write(&map, "acc_unit = \"g\"\n").expect("written");
    let map = map.to_string_lossy().into_owned();
    expect(&analyze(&g, &["--map", &map]), 0, &[PURPOSE]);
    std::fs::write(&map, "acc_unitt = \"g\"\n").expect("written");
    expect(
        &analyze(&g, &["--map", &map]),
        5,
        &["lope::mapping::refused", "acc_unitt"],
    );
}

#[test]
fn a_rate_that_the_time_stamps_contradict_is_refused() {
    let dir = tempfile::tempdir().expect("folder");
    let toml = "name = \"x\"\n[[sensor]]\nplacement = \"right_foot\"\nfile = \"right_foot.csv\"\nrate_hz = 100.0\n";
    std::fs::write(dir.path().join("recording.toml"), toml).expect("written");
    std::fs::write(dir.path().join("right_foot.csv"), csv(1200, |_, _| {})).expect("written");
    let run = || {
        lope(dir.path())
            .arg("analyze")
            .arg(dir.path())
            .arg("--no-store")
            .output()
            .expect("run")
    };
    expect(&run(), 5, &["lope::recording::rate", "100.00 Hz", "200.00 Hz"]);
    std::fs::write(
        dir.path().join("recording.toml"),
        toml.replace("right_foot\"\nf", "knee\"\nf"),
    )
    .expect("written");
    expect(&run(), 5, &["lope::recording::description", "knee", "left_shank"]);
}

#[test]
fn what_is_wrong_with_single_samples_is_counted_not_hidden() {
    let nan = csv(1200, |k, r| {
        if k % 100 == 50 {
            r[2] = f64::NAN;
        }
        if k == 333 {
            r[5] = f64::INFINITY;
        }
    });
    expect(&analyze(&nan, &[]), 0, &["13 refused, not a number"]);
    let back = csv(1200, |k, r| {
        if k == 700 {
            r[0] -= 1.0;
        }
    });
    expect(&analyze(&back, &[]), 0, &["1 refused, time repeated or went back"]);
    let twice = csv(1200, |k, r| {
        if k == 600 {
            *r = row(599);
        }
    });
    expect(&analyze(&twice, &[]), 0, &["1 refused, time repeated or went back"]);
    let hole: String = csv(1200, |_, _| {})
        .lines()
        .enumerate()
        .filter(|(i, _)| !(500..600).contains(i))
        .map(|(_, l)| l.to_owned() + "\n")
        .collect();
    expect(&analyze(&hole, &[]), 0, &["100 missing", "1 holes over 40 ms"]);
}

#[test]
fn a_short_recording_gives_reasons_and_a_torn_one_is_done_in_part() {
    expect(
        &analyze(&csv(400, |_, _| {}), &[]),
        0,
        &["0 strides", "no stride was found"],
    );
    let whole = csv(1200, |_, _| {});
    expect(
        &analyze(&whole[..whole.len() - 30], &[]),
        7,
        &["ends in the middle of a line"],
    );
}

#[test]
fn json_is_one_object_with_the_same_facts() {
    let output = analyze(&csv(1200, |_, _| {}), &["--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(value["purpose"], PURPOSE);
    assert_eq!(value["sensors"]["right_foot"]["taken"], 1200);
    assert_eq!(
        value["strides"]["total"],
        value["strides"]["data"]
            .as_object()
            .map_or(0, |d| { d.values().filter_map(serde_json::Value::as_u64).sum::<u64>() })
    );
}

/// A short simulated run on disk.
fn simulated(dir: &Path) -> std::path::PathBuf {
    let folder = dir.join("run");
    let out = lope(dir)
        .args(["simulate", "--minutes", "0.5", "--seed", "7", "--out"])
        .arg(&folder)
        .output()
        .expect("run");
    expect(&out, 0, &["truth: ", " strides"]);
    folder
}

#[test]
fn a_session_is_kept_found_and_removed() {
    let dir = tempfile::tempdir().expect("folder");
    let (run, data) = (simulated(dir.path()), dir.path().join("data"));
    let table = dir.path().join("strides.csv");
    let first = lope(&data)
        .arg("analyze")
        .arg(&run)
        .arg("--strides")
        .arg(&table)
        .output()
        .expect("run");
    expect(&first, 0, &["stored as "]);
    let rows = std::fs::read_to_string(&table).expect("table").lines().count() - 1;
    assert!(
        (60..100).contains(&rows),
        "{rows} strides of 30 s of running by two feet"
    );
    let again = lope(&data).arg("analyze").arg(&run).output().expect("run");
    assert_eq!(first.stdout, again.stdout, "the same file is the same session");
    let list = lope(&data).args(["sessions", "list"]).output().expect("run");
    expect(&list, 0, &["1 sessions", &format!("{rows} strides"), "closed"]);
    let show = lope(&data)
        .args(["sessions", "show", "last", "--json"])
        .output()
        .expect("run");
    let value: serde_json::Value = serde_json::from_slice(&show.stdout).expect("one object");
    assert_eq!(value["strides"], rows);
    let export = lope(&data).args(["sessions", "export", "last"]).output().expect("run");
    assert_eq!(String::from_utf8_lossy(&export.stdout).lines().count(), rows + 1);
    expect(
        &lope(&data).args(["sessions", "delete", "last"]).output().expect("run"),
        8,
        &["--yes"],
    );
    expect(
        &lope(&data)
            .args(["sessions", "delete", "last", "--yes"])
            .output()
            .expect("run"),
        0,
        &["deleted"],
    );
    expect(
        &lope(&data).args(["sessions", "show", "last"]).output().expect("run"),
        6,
        &["lope::store::missing"],
    );
}

#[test]
fn a_failing_analysis_leaves_nothing() {
    let dir = tempfile::tempdir().expect("folder");
    let (run, data) = (simulated(dir.path()), dir.path().join("data"));
    let foot = run.join("left_foot.csv");
    let mut text = std::fs::read_to_string(&foot).expect("file");
    let _ = writeln!(text, "99,1,2,oops,4,5,6\n99.1,1,2,3,4,5,6");
    std::fs::write(&foot, text).expect("written");
    let table = dir.path().join("strides.csv");
    let out = lope(&data)
        .arg("analyze")
        .arg(&run)
        .arg("--strides")
        .arg(&table)
        .output()
        .expect("run");
    expect(&out, 5, &["oops"]);
    expect(&lope(&data).arg("sessions").output().expect("run"), 0, &["0 sessions"]);
    let left: Vec<_> = std::fs::read_dir(dir.path())
        .expect("folder")
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert!(
        !left.iter().any(|n| n.to_string_lossy().contains("strides")),
        "{left:?}"
    );
}

#[test]
fn a_second_lope_on_one_store_is_told_who_holds_it() {
    let dir = tempfile::tempdir().expect("folder");
    let (run, data) = (simulated(dir.path()), dir.path().join("data"));
    let held = lope::store::SqliteStore::open(&data, "a test").expect("open");
    let out = lope(&data).arg("analyze").arg(&run).output().expect("run");
    expect(&out, 9, &["lope::store::busy", "a test"]);
    drop(held);
    expect(
        &lope(&data).arg("analyze").arg(&run).output().expect("run"),
        0,
        &["stored as"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_folder_that_is_not_there_are_told() {
    let dir = tempfile::tempdir().expect("folder");
    let (run, data) = (simulated(dir.path()), dir.path().join("data"));
    let full = lope(&data)
        .arg("analyze")
        .arg(&run)
        .args(["--strides", "/dev/full"])
        .output()
        .expect("run");
    expect(&full, 3, &["lope::file::write", "/dev/full", "No space left"]);
    expect(&lope(&data).arg("sessions").output().expect("run"), 0, &["0 sessions"]);
    let away = dir.path().join("away/strides.csv");
    let out = lope(&data)
        .arg("analyze")
        .arg(&run)
        .arg("--strides")
        .arg(&away)
        .output()
        .expect("run");
    expect(&out, 3, &["away", "create the folder first"]);
}

#[test]
fn the_demo_says_the_same_for_the_same_seed_and_stays_near_the_truth() {
    let dir = tempfile::tempdir().expect("folder");
    let demo = |more: &[&str]| {
        let out = lope(&dir.path().join("data"))
            .args(["demo", "--minutes", "3"])
            .args(more)
            .output()
            .expect("run");
        expect(&out, 0, &[PURPOSE]);
        out.stdout
    };
    assert_eq!(demo(&[]), demo(&[]), "same seed, same bytes");
    let value: serde_json::Value = serde_json::from_slice(&demo(&["--json", "--no-store"])).expect("one object");
    let error = |metric: &str| {
        let rows = value["against_truth"].as_array().expect("rows");
        let row = rows.iter().find(|r| r["metric"] == metric).expect(metric);
        assert!(row["strides"].as_u64().expect("count") > 100, "{row}");
        row["median_error"].as_f64().expect("number").abs()
    };
    // Steps per minute, m, s: wide enough for another seed, far too narrow for a wrong unit, sign or side.
    assert!(error("cadence") < 0.5 && error("stride_length") < 0.08 && error("contact_time") < 0.015);
    assert!(error("pelvis_tilt") < 2.0_f64.to_radians());
}
