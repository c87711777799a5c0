//! `lope import`: what is kept, what is not counted twice, what is refused.

use super::Home;
use super::watch::{Fit, START, gpx, steady, tcx};
use serde_json::json;

fn fit() -> Vec<u8> {
    let mut fit = Fit::new();
    fit.records(&steady(1800, 3.0, 0.0), Some(()));
    fit.session(1, 0, 1900, 1800, 5400);
    fit.local_time(-8 * 3600);
    fit.bytes()
}

#[test]
fn a_file_is_kept_once_with_its_figures_and_day() {
    let home = Home::new();
    let file = home.write("watch.fit", fit());
    home.expect(
        0,
        &[
            "run ; 5.40 km as the device counted it ; 30:00 of 31:40",
            "would be saved",
            "nothing was written",
        ],
        &["import", &file, "--dry-run"],
    );
    assert!(!home.data().exists(), "a dry run makes nothing");
    let kept = home.json(0, &["import", &file]);
    let one = &kept["files"][0]["activities"][0];
    assert_eq!((&one["status"], &one["km_from"]), (&json!("new"), &json!("device")));
    // 06:30 UTC is 22:30 of the day before, eight hours west.
    assert_eq!(one["day"], "2026-10-31");
    assert_eq!(one["activity"]["km"], 5.4);
    assert_eq!(one["activity"]["minutes"], 30.0);
    assert_eq!(one["activity"]["cadence"], 174.0);
    assert_eq!(one["activity"]["activity"], "run");
    let id = one["id"].as_str().expect("id").to_owned();
    assert!(id.len() == 25 && id.starts_with('f'), "{id}");
    home.expect(
        0,
        &["corrected"],
        &["log", "session", &id[..8], "--effort", "6", "--surface", "trail"],
    );
    home.expect(0, &["nothing changed"], &["import", &file]);
    let again = home.json(0, &["import", &file]);
    assert_eq!(
        again["files"][0]["activities"][0]["activity"]["note"]["effort"], 6,
        "what was said stays"
    );
    home.expect(0, &["corrected"], &["import", &file, "--tz", "Europe/Berlin"]);
    home.expect(2, &["expected a time zone"], &["import", &file, "--tz", "Mars/Base"]);
    let list = home.json(0, &["log", "list", "--from", "2026-10-01"]);
    assert_eq!(list["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["entries"][0]["day"], "2026-11-01");
}

#[test]
fn the_same_file_of_another_athlete_is_another_entry() {
    let home = Home::new();
    home.expect(0, &["saved"], &["athlete", "add", "ada"]);
    let file = home.write("watch.fit", fit());
    let me = home.json(0, &["import", &file]);
    let ada = home.json(0, &["import", &file, "--athlete", "ada"]);
    assert_ne!(
        me["files"][0]["activities"][0]["id"],
        ada["files"][0]["activities"][0]["id"]
    );
    assert_eq!(ada["files"][0]["activities"][0]["status"], "new");
}

#[test]
fn a_run_that_lope_recorded_is_not_counted_twice() {
    let home = Home::new();
    let session = home.session("me", START + 60, 1700.0);
    let file = home.write("watch.fit", fit());
    home.expect(0, &["not counted again", &session, "--match"], &["import", &file]);
    assert_eq!(
        home.json(0, &["log", "list", "--from", "2026-10-01"])["entries"],
        json!([])
    );
    let matched = home.json(0, &["import", &file, "--match"]);
    assert_eq!(matched["files"][0]["activities"][0]["status"], "matched");
    let list = home.json(0, &["log", "list", "--from", "2026-10-01"]);
    assert_eq!(list["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["entries"][0]["id"], json!(session));
    assert_eq!(list["entries"][0]["entry"]["km"], 5.4);
    // A session of somebody else, or of another hour, is no reason.
    let other = Home::new();
    other.expect(0, &["saved"], &["athlete", "add", "ada"]);
    other.session("ada", START, 1800.0);
    other.expect(0, &["saved"], &["import", &other.write("watch.fit", fit())]);
    let later = Home::new();
    later.session("me", START + 7200, 1800.0);
    later.expect(0, &["saved"], &["import", &later.write("watch.fit", fit())]);
}

#[test]
fn the_same_run_from_another_file_is_told_and_a_typed_one_as_well() {
    let home = Home::new();
    let run = steady(1800, 3.0, 0.0);
    home.expect(0, &["saved"], &["import", &home.write("a.fit", fit())]);
    let tcx = home.write("b.tcx", tcx("Running", 1800, 5400.0, &run));
    home.expect(0, &["came from another file"], &["import", &tcx]);
    assert_eq!(
        home.json(0, &["log", "list", "--from", "2026-10-01"])["entries"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let typed = Home::new();
    typed.expect(0, &["saved"], &["log", "run", "--km", "5.4", "--day", "2026-11-01"]);
    let file = typed.write("b.gpx", gpx("running", &[&run]));
    typed.expect(0, &["saved", "lope log remove run-2026-11-01-1"], &["import", &file]);
}

#[test]
fn what_it_was_can_be_said_and_is_asked_for_when_the_file_does_not_say() {
    let home = Home::new();
    let file = home.write("a.gpx", gpx("", &[&steady(600, 3.0, 0.0)]));
    home.expect(
        0,
        &["run ; 1.80 km measured between positions", "--as other"],
        &["import", &file],
    );
    let other = home.json(0, &["import", &file, "--as", "other"]);
    assert_eq!(other["files"][0]["activities"][0]["status"], "corrected");
    assert_eq!(other["files"][0]["activities"][0]["activity"]["activity"], "other");
}

#[test]
fn a_folder_is_imported_and_what_is_refused_is_listed() {
    let home = Home::new();
    home.write("all/2026/a.fit", fit());
    home.write(
        "all/B.GPX",
        gpx(
            "running",
            &[&steady(600, 3.0, 0.0)
                .iter()
                .map(|m| super::watch::Moment { s: m.s + 7200, ..*m })
                .collect::<Vec<_>>()],
        ),
    );
    home.write("all/cut.fit", &fit()[..500]);
    home.write("all/read.txt", "words");
    let folder = home.path().join("all").display().to_string();
    home.expect(
        7,
        &[
            "5.40 km",
            "1.80 km",
            "cut.fit: refused: it ends at byte 500 of",
            "1 files of other kinds",
        ],
        &["import", &folder],
    );
    let json = home.json(7, &["import", &folder]);
    assert_eq!(json["files"].as_array().map(Vec::len), Some(3));
    assert!(
        json["files"][2]["refused"][0]
            .as_str()
            .expect("why")
            .contains("cut off")
    );
    std::fs::create_dir(home.path().join("none")).expect("folder");
    let none = home.path().join("none").display().to_string();
    home.expect(5, &["lope::import::refused"], &["import", &none]);
}

#[test]
fn every_bad_file_is_refused_with_file_and_fact() {
    let home = Home::new();
    let timeless = gpx("running", &[&steady(60, 3.0, 0.0)])
        .replace("<time>", "<t>")
        .replace("</time>", "</t>");
    let cases = [
        ("empty.fit", Vec::new(), "it is empty"),
        ("a.zip", b"PK\x03\x04".to_vec(), "ZIP archive"),
        ("a.fit.gz", b"\x1f\x8b\x08".to_vec(), "gzip archive"),
        ("garbage.fit", vec![7; 400], "none of FIT, GPX and TCX"),
        ("cut.fit", fit()[..1000].to_vec(), "it was cut off"),
        ("timeless.gpx", timeless.into_bytes(), "has a time"),
        (
            "bomb.gpx",
            b"<!DOCTYPE gpx [<!ENTITY a \"b\">]><gpx>&a;</gpx>".to_vec(),
            "document type definition",
        ),
    ];
    for (name, bytes, fact) in cases {
        let file = home.write(name, bytes);
        home.expect(5, &["lope::import::refused", name, fact], &["import", &file]);
    }
    home.expect(5, &["nowhere.fit"], &["import", "nowhere.fit"]);
    let csv = home.write("left_foot.csv", "time_s,acc_x\n0,1\n");
    home.expect(5, &["lope::import::recording", "lope analyze"], &["import", &csv]);
    home.write("rec/recording.toml", "name = \"x\"\n");
    let folder = home.path().join("rec").display().to_string();
    home.expect(5, &["lope::import::recording", "lope analyze"], &["import", &folder]);
    home.expect(2, &["required"], &["import"]);
    // A file beyond the limit is not even read: this one has no bytes on disk.
    let huge = home.path().join("huge.gpx");
    std::fs::File::create(&huge)
        .expect("made")
        .set_len(257 << 20)
        .expect("sparse");
    home.expect(5, &["269484032 bytes"], &["import", &huge.display().to_string()]);
    assert!(!home.data().join("none").exists());
}
