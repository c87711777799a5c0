//! Files as loggers really write them when something goes wrong: one bad clock reading, a unit that shows only once the
//! runner starts, sensors that never met. The built program has to save what can be saved and to name the rest.

use super::cli::{analyze, csv, expect, lope};
use std::path::Path;
use std::process::Output;

fn with_map(text: &str, map: &str) -> Output {
    let dir = tempfile::tempdir().expect("folder");
    let file = dir.path().join("map.toml");
    std::fs::write(&file, map).expect("written");
    analyze(text, &["--map", &file.to_string_lossy()])
}

#[test]
fn one_wrong_clock_reading_costs_one_sample_and_not_the_run() {
    for wrong in [1e6, 1e300, -1e300, 5.5] {
        let text = csv(1200, |k, r| {
            if k == 700 {
                r[0] = wrong;
            }
        });
        let output = analyze(&text, &[]);
        expect(&output, 0, &["0:05.9", "1 refused, time repeated or went back"]);
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(!out.contains("hole"), "{wrong}: one sample is no hole:\n{out}");
    }
    let nan = csv(1200, |k, r| {
        if k == 0 || k == 700 {
            r[0] = f64::NAN;
        }
    });
    expect(&analyze(&nan, &[]), 0, &["0:05.9", "1 refused, not a number"]);
}

#[test]
fn a_column_that_is_no_time_is_told_apart_from_no_samples() {
    for still in [csv(1200, |_, r| r[0] = 7.0), csv(1200, |k, r| r[0] = -f64::from(k))] {
        expect(&analyze(&still, &[]), 5, &["lope::recording::time", "does not go on"]);
    }
    let counted = csv(1200, |k, r| r[0] = f64::from(k));
    expect(
        &with_map(&counted, "rate_hz = 200.0"),
        5,
        &["lope::recording::rate", "time_unit = \"200 Hz\""],
    );
    expect(
        &with_map(&counted, "rate_hz = 200.0\ntime_unit = \"200 Hz\""),
        0,
        &["100.0 % of samples"],
    );
    let us = csv(1200, |_, r| r[0] *= 1e6);
    expect(&analyze(&us, &[]), 5, &["time_unit = \"us\""]);
    expect(&with_map(&us, "time_unit = \"us\""), 0, &["100.0 % of samples"]);
}

#[test]
fn degrees_are_noticed_after_a_quiet_beginning_too() {
    // A minute on the spot, then running: the first look sees only the spot.
    let late = csv(15_000, |k, r| {
        let part = if k < 12_000 { 0.02 } else { 1.0 };
        for w in &mut r[4..] {
            *w = w.to_degrees() * part;
        }
        for a in &mut r[1..3] {
            *a *= part;
        }
        r[3] = 9.8 + (r[3] - 9.8) * part;
    });
    expect(
        &analyze(&late, &[]),
        5,
        &["lope::recording::unit", "gyro_unit = \"deg/s\""],
    );
}

#[test]
fn a_mapping_that_converts_what_needs_no_conversion_is_refused() {
    let own = csv(1200, |_, _| {});
    expect(
        &with_map(&own, "acc_unit = \"g\""),
        5,
        &["lope::recording::unit", "acc_unit = \"m/s2\""],
    );
    expect(
        &with_map(&own, "time_unit = \"ms\""),
        5,
        &["lope::recording::rate", "time_unit = \"s\""],
    );
    expect(
        &with_map(&own, "gyro_range_dps = -5.0"),
        5,
        &["lope::mapping::refused", "gyro_range_dps"],
    );
    let no_gyro = csv(1200, |k, r| {
        r[1] *= 3.0 * f64::from(k % 3);
        r[4..].fill(0.0);
    });
    expect(&analyze(&no_gyro, &[]), 5, &["lope::recording::no_gyroscope"]);
}

#[test]
fn sensors_that_count_on_two_clocks_are_refused() {
    let dir = tempfile::tempdir().expect("folder");
    std::fs::write(
        dir.path().join("recording.toml"),
        "[[sensor]]\nplacement = \"right_foot\"\nfile = \"r.csv\"\n[[sensor]]\nplacement = \"sacrum\"\nfile = \"s.csv\"\n",
    )
    .expect("written");
    std::fs::write(dir.path().join("r.csv"), csv(1200, |_, _| {})).expect("written");
    std::fs::write(dir.path().join("s.csv"), csv(1200, |_, r| r[0] += 1.7e9)).expect("written");
    let out = lope(dir.path())
        .arg("analyze")
        .arg(dir.path())
        .arg("--no-store")
        .output()
        .expect("run");
    expect(&out, 5, &["lope::recording::clocks", "r.csv", "s.csv", "1700000000"]);
}

#[test]
fn a_file_that_is_not_there_is_told_before_what_is_not_known_of_it() {
    let dir = tempfile::tempdir().expect("folder");
    let out = lope(dir.path()).args(["analyze", "nowhere.csv"]).output().expect("run");
    expect(&out, 5, &["lope::recording::open", "nowhere.csv"]);
}

#[test]
fn a_file_cannot_write_to_the_terminal() {
    for text in [
        "\u{1b}[2J\u{7}time_s,acc_x\n1,2\n".to_owned(),
        csv(9, |_, _| {}) + "\u{1b}c,1,1,1,1,1,1\n0,0,0,0,0,0,0\n",
    ] {
        // `expect` refuses an escape character in the output.
        expect(&analyze(&text, &[]), 5, &["lope::recording::"]);
    }
}

#[test]
fn the_locale_says_which_letters_are_used() {
    let run = |dir: &Path, locale: &str| {
        let file = dir.join("right_foot.csv");
        std::fs::write(&file, csv(1200, |_, _| {})).expect("written");
        let out = lope(dir)
            .env("LANG", locale)
            .arg("analyze")
            .arg(&file)
            .arg("--no-store")
            .output()
            .expect("run");
        expect(&out, 0, &["strides: running"]);
        String::from_utf8(out.stdout).expect("UTF-8")
    };
    let dir = tempfile::tempdir().expect("folder");
    assert!(run(dir.path(), "C").is_ascii());
    assert!(run(dir.path(), "en_GB.UTF-8").contains(" · "));
}
