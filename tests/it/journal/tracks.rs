//! What the readers of FIT, GPX and TCX make of a run that is known, and what they refuse.

use super::watch::{Fit, Moment, checksum, gpx, steady, tcx};
use lope::interchange::tracks::course::{self, Course};
use lope::interchange::tracks::{self, DistanceFrom, Format, Sport, TrackError};
use proptest::prelude::*;

fn courses(bytes: &[u8]) -> Vec<Course> {
    let file = tracks::read(bytes).expect("read");
    file.tracks
        .iter()
        .map(|t| course::summarise(t).expect("figures"))
        .collect()
}

fn one(bytes: &[u8]) -> Course {
    let all = courses(bytes);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().expect("one")
}

#[track_caller]
fn near(found: Option<f64>, expected: f64, within: f64) {
    let found = found.expect("known");
    assert!(
        (found - expected).abs() <= within,
        "{found} is not {expected} within {within}"
    );
}

/// Twenty minutes at 3 m/s, the first five at 2.7 m/s.
fn warmed_up() -> Vec<Moment> {
    let mut run = steady(1200, 3.0, 0.0);
    let mut north = 0.0;
    for moment in run.iter_mut().skip(1) {
        north += if moment.s <= 300 { 2.7 } else { 3.0 };
        moment.north_m = north;
    }
    run
}

#[test]
fn a_fit_file_gives_what_the_watch_counted() {
    let mut fit = Fit::new();
    fit.records(&warmed_up(), Some(()));
    fit.session(1, 0, 1260, 1200, 3510);
    fit.local_time(3600);
    let run = one(&fit.bytes());
    assert_eq!(run.sport, Sport::Running);
    assert_eq!(run.start_us, super::watch::START * 1_000_000);
    assert_eq!(run.utc_offset_s, Some(3600));
    assert_eq!((run.km, run.km_from), (Some(3.51), Some(DistanceFrom::Device)));
    assert_eq!((run.moving_s, run.elapsed_s), (1200.0, 1260.0));
    assert_eq!(
        (run.heart_rate, run.cadence, run.ascent_m),
        (Some(148.0), Some(174.0), Some(35.0))
    );
    near(run.first5_speed_ratio, 0.9, 1e-3);
    assert!(run.remarks.is_empty(), "{:?}", run.remarks);
}

#[test]
fn the_same_run_in_three_formats_has_the_same_figures() {
    let run = steady(900, 2.8, -0.02);
    let mut fit = Fit::new();
    fit.records(&run, None);
    fit.session(1, 0, 900, 900, 0);
    let all = [
        one(&fit.bytes()),
        one(gpx("running", &[&run]).as_bytes()),
        one(tcx("Running", 900, 0.0, &run).as_bytes()),
    ];
    for (i, course) in all.iter().enumerate() {
        assert_eq!(course.sport, Sport::Running, "{i}");
        near(course.km, 2.52, 0.003);
        assert_eq!(course.moving_s, 900.0, "{i}");
        near(course.cadence, 172.0, 2.01);
        near(course.heart_rate, 150.0, 3.01);
        near(course.first5_speed_ratio, 1.0, 0.002);
        assert_eq!(course.downhill_km, Some(0.0), "{i}");
    }
    assert_eq!(all[0].km_from, Some(DistanceFrom::Positions));
    assert_eq!(all[1].km_from, Some(DistanceFrom::Positions));
    assert_eq!(
        all[2].km_from,
        Some(DistanceFrom::Device),
        "its points carry a running count"
    );
}

#[test]
fn downhill_is_the_way_steeper_than_five_in_a_hundred_and_survives_noisy_heights() {
    for (grade, km) in [(-0.06, 2.7), (-0.04, 0.0), (0.08, 0.0)] {
        let mut run = steady(900, 3.0, grade);
        for m in &mut run {
            // A barometer's quarter of a metre, up and down.
            m.height_m += if m.s % 2 == 0 { 0.25 } else { -0.25 };
        }
        let course = one(gpx("running", &[&run]).as_bytes());
        near(course.downhill_km, km, 0.03);
        let climb = if grade > 0.0 { 216.0 } else { 0.0 };
        near(course.ascent_m, climb, 3.0);
    }
}

#[test]
fn pauses_count_for_nothing() {
    let run = steady(600, 3.0, 0.0);
    // A pause of ten minutes, by a new segment; then the same again.
    let later: Vec<Moment> = run
        .iter()
        .map(|m| Moment {
            s: m.s + 1200,
            north_m: m.north_m + 1900.0,
            ..*m
        })
        .collect();
    let course = one(gpx("running", &[&run, &later]).as_bytes());
    near(course.km, 3.6, 0.005);
    assert_eq!((course.moving_s, course.elapsed_s), (1200.0, 1800.0));
    // The same by events of a timer, without a session: an interrupted file.
    let mut fit = Fit::new();
    fit.records(&run, None);
    fit.timer(600, 4);
    fit.timer(1200, 0);
    fit.records(&later, None);
    let course = one(&fit.bytes());
    near(course.km, 3.6, 0.005);
    assert_eq!((course.moving_s, course.elapsed_s), (1200.0, 1800.0));
    assert_eq!(course.sport, Sport::Unsaid);
    assert!(
        course.remarks.iter().any(|r| r.contains("not ended")),
        "{:?}",
        course.remarks
    );
    // Standing still without any sign of it.
    let mut stood = run.clone();
    stood.extend((601..900).map(|s| Moment { s, ..run[600] }));
    assert_eq!(one(gpx("running", &[&stood]).as_bytes()).moving_s, 600.0);
}

#[test]
fn jumps_and_times_that_go_back_are_left_out_and_told() {
    let mut run = steady(600, 3.0, 0.0);
    run[300].north_m += 5000.0;
    run[400].s = 10;
    let course = one(gpx("running", &[&run]).as_bytes());
    near(course.km, 1.8, 0.01);
    assert!(
        course.remarks.iter().any(|r| r.starts_with("2 jumps")),
        "{:?}",
        course.remarks
    );
    assert!(
        course.remarks.iter().any(|r| r.starts_with("1 points whose time")),
        "{:?}",
        course.remarks
    );
}

#[test]
fn several_activities_of_one_file_are_told_apart() {
    let run = steady(600, 3.0, 0.0);
    let ride: Vec<Moment> = steady(600, 8.0, 0.0)
        .into_iter()
        .map(|m| Moment { s: m.s + 700, ..m })
        .collect();
    let mut fit = Fit::new();
    fit.records(&run, None);
    fit.records(&ride, None);
    fit.session(1, 0, 600, 600, 1800);
    fit.session(2, 700, 600, 600, 4800);
    let all = courses(&fit.bytes());
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].points, all[1].points), (601, 601));
    assert_eq!(all[1].sport, Sport::Other("cycling".to_owned()));
    assert_eq!(all[1].cadence, None, "a crank is no foot");
    // Two files behind each other are two activities as well.
    let mut chained = fit.bytes();
    chained.extend(fit.bytes());
    assert_eq!(courses(&chained).len(), 4);
}

#[test]
fn what_does_not_say_what_it_was_is_a_run_unless_nobody_runs_so_fast() {
    let slow = one(gpx("", &[&steady(600, 3.0, 0.0)]).as_bytes());
    assert_eq!(slow.sport, Sport::Unsaid);
    let fast = one(gpx("", &[&steady(600, 8.0, 0.0)]).as_bytes());
    assert_eq!(fast.sport, Sport::Other("unsaid".to_owned()));
    assert!(fast.remarks.iter().any(|r| r.contains("29 km/h")), "{:?}", fast.remarks);
    for (word, sport) in [
        ("9", Sport::Running),
        ("Trail Running", Sport::Running),
        ("hiking", Sport::Other("hiking".into())),
    ] {
        assert_eq!(
            one(gpx(word, &[&steady(600, 2.0, 0.0)]).as_bytes()).sport,
            sport,
            "{word}"
        );
    }
}

#[test]
fn compressed_time_stamps_big_endian_fields_and_developer_fields_are_read() {
    let mut fit = Fit::new();
    // A full stamp once, big-endian, with a developer field of three bytes behind it.
    fit.raw(&[0x61, 0, 1, 0, 20, 2, 253, 4, 0x86, 5, 4, 0x86, 1, 9, 3, 0]);
    let stamp = (super::watch::START - 631_065_600) as u32;
    let mut bytes = stamp.to_be_bytes().to_vec();
    bytes.extend(0_u32.to_be_bytes());
    bytes.extend([1, 2, 3]);
    fit.data(1, &bytes);
    // Then only five bits of it, over their rollover.
    fit.define(2, 20, &[(5, 4, 0x86)]);
    for s in 1..=100_u32 {
        fit.raw(&[0x80 | (2 << 5) | ((stamp + s) & 31) as u8]);
        fit.raw(&(s * 300).to_le_bytes());
    }
    let course = one(&fit.bytes());
    assert_eq!((course.points, course.moving_s), (101, 100.0));
    near(course.km, 0.3, 1e-9);
}

fn refused(bytes: &[u8]) -> String {
    match tracks::read(bytes) {
        Err(e) => e.to_string(),
        Ok(file) => file
            .tracks
            .iter()
            .map(|t| course::summarise(t).expect_err("refused").to_string())
            .collect(),
    }
}

#[test]
fn every_bad_file_is_refused_with_its_fact() {
    let mut fit = Fit::new();
    fit.records(&steady(60, 3.0, 0.0), None);
    let good = fit.bytes();
    let mut flipped = good.clone();
    flipped[100] ^= 4;
    let mut trailing = good.clone();
    trailing.extend(b"more");
    let mut unended = good.clone();
    unended[4..8].fill(0);
    let mut undefined = Fit::new();
    undefined.data(7, &[]);
    let mut long = Fit::new();
    long.define(5, 20, &[(253, 4, 0x86)]);
    long.raw(&[5, 1]);
    let run = steady(60, 3.0, 0.0);
    let text = gpx("running", &[&run]);
    let timeless = text.replace("<time>", "<when>").replace("</time>", "</when>");
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE gpx [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><gpx><trk><name>&b;</name></trk></gpx>";
    let entity = "<gpx><trk><name>&b;</name></trk></gpx>";
    let deep = format!("<gpx>{}", "<x>".repeat(100));
    let empty_tcx = "<TrainingCenterDatabase><Courses/></TrainingCenterDatabase>";
    let cases: [(&str, Vec<u8>, &str); 19] = [
        ("nothing", vec![], "it is empty"),
        ("a ZIP", b"PK\x03\x04rest".to_vec(), "ZIP archive"),
        ("a gzip", b"\x1f\x8b\x08rest".to_vec(), "gzip archive"),
        ("garbage", b"\x00\x01garbage".to_vec(), "none of FIT, GPX and TCX"),
        ("a cut FIT", good[..good.len() - 40].to_vec(), "it was cut off"),
        ("a FIT header alone", good[..14].to_vec(), "it was cut off"),
        ("a changed FIT", flipped, "checksum"),
        ("a FIT with a tail", trailing, "no FIT header"),
        ("a FIT that was not ended", unended, "not ended"),
        ("an undefined message", undefined.bytes(), "not defined"),
        ("a message beyond the end", long.bytes(), "longer than the file"),
        ("a FIT of settings", Fit::new().bytes(), "no activity"),
        ("a cut GPX", text.as_bytes()[..text.len() / 2].to_vec(), "at byte"),
        (
            "a GPX without times",
            timeless.into_bytes(),
            "none of its 61 points has a time",
        ),
        ("a GPX without tracks", b"<gpx><rte/></gpx>".to_vec(), "no track"),
        ("an entity bomb", bomb.as_bytes().to_vec(), "document type definition"),
        ("an entity", entity.as_bytes().to_vec(), "entities are not expanded"),
        ("deep nesting", deep.into_bytes(), "nested deeper"),
        ("a course", empty_tcx.as_bytes().to_vec(), "no <Activity>"),
    ];
    for (what, bytes, fact) in cases {
        let found = refused(&bytes);
        assert!(found.contains(fact), "{what}: {found}");
    }
    let latin = text.replace("A &amp; B", "caf\u{e9}");
    let latin: Vec<u8> = latin.chars().map(|c| c as u32 as u8).collect();
    assert!(refused(&latin).contains("not UTF-8"));
    assert!(refused(gpx("running", &[&run[..1]]).as_bytes()).contains("no duration"));
    assert!(refused(b"<html><body/></html>").contains("<html>"));
    assert!(matches!(tracks::read(b"   "), Err(TrackError::Unknown(_))));
}

#[test]
fn a_distance_or_time_that_cannot_have_been_is_refused() {
    let mut fit = Fit::new();
    fit.session(1, 0, 3600, 3600, 2_000_000);
    assert!(refused(&fit.bytes()).contains("2000 km"));
    let mut fit = Fit::new();
    fit.session(1, 0, 500_000, 500_000, 1000);
    assert!(refused(&fit.bytes()).contains("hours"));
}

#[test]
fn the_format_is_known_by_its_bytes() {
    let run = steady(60, 3.0, 0.0);
    let mut fit = Fit::new();
    fit.records(&run, None);
    let format = |bytes: &[u8]| tracks::read(bytes).expect("read").format;
    assert_eq!(format(&fit.bytes()), Format::Fit);
    assert_eq!(format(gpx("running", &[&run]).as_bytes()), Format::Gpx);
    assert_eq!(format(tcx("Running", 60, 180.0, &run).as_bytes()), Format::Tcx);
    let marked = format!(
        "\u{feff}\n{}",
        gpx("running", &[&run]).trim_start_matches("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
    );
    assert_eq!(format(marked.as_bytes()), Format::Gpx);
}

/// Reads and works out everything; only a panic would be wrong.
fn survive(bytes: &[u8]) {
    if let Ok(file) = tracks::read(bytes) {
        for track in &file.tracks {
            if let Ok(course) = course::summarise(track) {
                let numbers = [
                    course.km,
                    course.heart_rate,
                    course.cadence,
                    course.ascent_m,
                    course.downhill_km,
                    course.first5_speed_ratio,
                ];
                assert!(
                    numbers.into_iter().flatten().all(|v| v.is_finite() && v >= 0.0),
                    "{course:?}"
                );
                assert!(course.moving_s >= 0.0 && course.elapsed_s > 0.0, "{course:?}");
            }
        }
    }
}

/// A frame around these messages whose lengths and checksums are right, so that they are looked at.
fn framed(messages: &[u8]) -> Vec<u8> {
    let mut file = vec![12, 0x20, 0x54, 0x08];
    file.extend((messages.len() as u32).to_le_bytes());
    file.extend(b".FIT");
    file.extend(messages);
    file.extend(checksum(&file).to_le_bytes());
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        survive(&bytes);
        survive(&framed(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        survive(format!("<gpx><trk><trkseg>{text}").as_bytes());
        survive(format!("<TrainingCenterDatabase>{text}").as_bytes());
    }

    #[test]
    fn a_good_file_with_some_bytes_changed_never_panics(
        at in proptest::collection::vec((0_usize..100_000, any::<u8>()), 1..12),
    ) {
        let run = steady(40, 3.0, -0.06);
        let mut fit = Fit::new();
        fit.records(&run, Some(()));
        fit.session(1, 0, 40, 40, 120);
        fit.local_time(7200);
        let whole = fit.bytes();
        let mut messages = whole[14..whole.len() - 2].to_vec();
        let mut texts = [gpx("run", &[&run]).into_bytes(), tcx("Running", 40, 120.0, &run).into_bytes()];
        for (i, byte) in at {
            let n = messages.len();
            messages[i % n] = byte;
            for text in &mut texts {
                let n = text.len();
                text[i % n] = byte;
            }
        }
        survive(&framed(&messages));
        for text in &texts {
            survive(text);
        }
    }
}
