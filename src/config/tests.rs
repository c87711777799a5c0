//! Settings read from files as people write them, and laid over each other.

use super::place::System;
use super::settings::Flags;
use super::{Inputs, Origin, Problem, RadioChoice, Settings, Units};
use crate::model::Placement;
use crate::sensors::drivers::DriverKind;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

fn resolve(text: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Settings, Vec<Problem>> {
    Settings::resolve(&Inputs {
        file: Some((Path::new("config.toml"), text)),
        variables: &|name| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| OsString::from(v))
        },
        flags,
        system: System::Xdg,
    })
}

fn problems(text: &str) -> Vec<String> {
    let all = resolve(text, &[], Flags::default()).expect_err("refused");
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn the_later_source_wins_and_each_value_knows_its_own() {
    let text = "# a comment\nunits = \"imperial\"\ndata_dir = \"/in/file\"\nradio = \"wire:localhost:4000\"\n";
    let variables = [("LOPE_DATA_DIR", "/in/variable"), ("HOME", "/home/ada")];
    let flags = Flags {
        radio: Some("ble".to_owned()),
        ..Flags::default()
    };
    let s = resolve(text, &variables, flags).expect("good");
    let file = |line| Origin::File {
        path: PathBuf::from("config.toml"),
        line,
    };
    assert_eq!((s.units.value, s.units.origin.clone()), (Units::Imperial, file(2)));
    assert_eq!(s.data_dir.value, Some(PathBuf::from("/in/variable")));
    assert_eq!(s.data_dir.origin, Origin::Variable("LOPE_DATA_DIR"));
    assert_eq!(
        (s.radio.value.clone(), s.radio.origin.clone()),
        (RadioChoice::Ble, Origin::Flag("--radio"))
    );
    assert_eq!(s.language.origin, Origin::Default);
    let listed: Vec<_> = s
        .listed()
        .into_iter()
        .map(|(k, v, o)| format!("{k} = {v} ({o})"))
        .collect();
    assert_eq!(
        listed,
        [
            "data_dir = /in/variable (LOPE_DATA_DIR)",
            "units = imperial (config.toml:2)",
            "language = en (default)",
            "radio = ble (--radio)",
            "default_kit = none (default)",
            "athlete = none (default)",
            "retention.raw_days = 90 (default)",
            "retention.raw_gb = no limit (default)",
        ]
    );
}

#[test]
fn nothing_said_is_the_defaults() {
    let s = resolve("", &[("HOME", "/home/ada"), ("LOPE_UNITS", "")], Flags::default()).expect("good");
    assert_eq!(s.data_dir.value, Some(PathBuf::from("/home/ada/.local/share/lope")));
    assert_eq!(s.units.value, Units::Metric);
    assert_eq!(s.kit(None), None);
    let s = resolve("data_dir = \"~/runs\"", &[("HOME", "/home/ada")], Flags::default()).expect("good");
    assert_eq!(s.data_dir.value, Some(PathBuf::from("/home/ada/runs")));
}

#[test]
fn every_problem_is_told_at_once_with_line_value_allowed_values_and_a_guess() {
    let text = "unit = \"metric\"\nlanguage = 3\nunits = \"metrik\"\ndata_dir = \"here\"\n\
                default_kit = \"thrusday\"\n\n[kit.thursday]\nleft_shoe = { id = \"a\", kind = \"lope\" }\n\
                sacrum = { id = \"a\", kind = \"lop\", batery = 3 }\nright_foot = { kind = \"lope\", battery = 101 }\n\
                left_shank = \"4F21\"\nright_shank = { id = \"\", last_seen = \"soon\" }\n\n[server]\nbind = \"x\"\n";
    let found = problems(text);
    let expected = [
        "config.toml:1: unit: no such key; one of data_dir, units, language, radio, default_kit, athlete, retention, kit; did you mean units?",
        "config.toml:2: language = 3: expected a text in quotes: en",
        "config.toml:3: units = \"metrik\": not one of metric, imperial; did you mean metric?",
        "config.toml:4: data_dir = \"here\": write the whole path, or begin with ~/",
        "config.toml:8: kit.thursday.left_shoe: no such place; one of left_foot, right_foot, left_shank, right_shank, sacrum; did you mean left_foot?",
        "config.toml:9: kit.thursday.sacrum.batery: no such key; one of id, os_id, kind, name, firmware, battery, last_seen, cadence, calibration; did you mean battery?",
        "config.toml:9: kit.thursday.sacrum.kind = \"lop\": not one of lope, polar, movesense, dot, standard; did you mean lope?",
        "config.toml:10: kit.thursday.right_foot.battery = 101: expected a whole number from 0 to 100",
        "config.toml:10: kit.thursday.right_foot.id: missing; id or os_id says which sensor it is",
        "config.toml:11: kit.thursday.left_shank = \"4F21\": expected a table: { id = \"…\", kind = \"lope\" }",
        "config.toml:12: kit.thursday.right_shank.kind: missing; one of lope, polar, movesense, dot, standard",
        "config.toml:12: kit.thursday.right_shank.id = \"\": expected a text in quotes, not empty",
        "config.toml:12: kit.thursday.right_shank.last_seen = \"soon\": expected a time such as 2026-11-25T17:30:00Z",
        "config.toml:12: kit.thursday.right_shank.id: missing; id or os_id says which sensor it is",
        "config.toml:14: server: no such key; one of data_dir, units, language, radio, default_kit, athlete, retention, kit",
        "config.toml:5: default_kit = \"thrusday\": no such kit; one of thursday; did you mean thursday?",
    ];
    assert_eq!(found, expected, "{found:#?}");
}

#[test]
fn variables_and_flags_are_refused_by_their_names() {
    let flags = Flags {
        radio: Some("wire:nowhere".to_owned()),
        ..Flags::default()
    };
    let all = resolve("", &[("LOPE_UNITS", "imperal")], flags).expect_err("refused");
    let all: Vec<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!(
        all,
        [
            "LOPE_UNITS: units = \"imperal\": not one of metric, imperial; did you mean imperial?",
            "--radio: radio = \"wire:nowhere\": not one of ble, wire:HOST:PORT",
        ]
    );
}

#[test]
fn a_file_that_is_not_toml_is_told_with_its_line() {
    let found = problems("units = \"metric\"\nlanguage = \n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("config.toml:2: this is not TOML: "), "{found:?}");
}

#[test]
fn a_kit_is_read_and_found_by_name_default_or_being_the_only_one() {
    let text = "[kit.a]\nleft_foot = { id = \"1\", os_id = \"C0:01\", kind = \"lope\", battery = 91, cadence = \"strides\", \
                last_seen = 2026-11-25T17:30:00Z, calibration = { tilt = 0.1 } }\n";
    let s = resolve(text, &[], Flags::default()).expect("good");
    let left = &s.kit(None).expect("the only one").sensors[&Placement::LeftFoot];
    assert_eq!((left.kind, left.battery), (DriverKind::Lope, Some(91)));
    assert_eq!(left.last_seen.as_deref(), Some("2026-11-25T17:30:00Z"));
    assert!(left.calibration.is_some());
    let two = format!("{text}[kit.b]\nsacrum = {{ id = \"2\", kind = \"dot\" }}\n");
    let s = resolve(&two, &[], Flags::default()).expect("good");
    assert!(s.kit(None).is_none() && s.kit(Some("b")).is_some() && s.kit(Some("c")).is_none());
    let s = resolve(&two, &[("LOPE_DEFAULT_KIT", "b")], Flags::default()).expect("good");
    assert_eq!(s.kit(None).map(|k| k.name.as_str()), Some("b"));
}

#[test]
fn one_sensor_cannot_be_in_two_places() {
    let found = problems(
        "[kit.a]\nleft_foot = { id = \"1\", kind = \"lope\" }\nright_foot = { id = \"1\", kind = \"lope\" }\n",
    );
    assert_eq!(
        found,
        ["config.toml:3: kit.a.right_foot: the same sensor is at left_foot already"]
    );
}

#[test]
fn radios_are_read_as_they_are_written() {
    for text in ["ble", "wire:localhost:4000", "wire:[::1]:4000"] {
        assert_eq!(RadioChoice::parse(text).expect("good").text(), text);
    }
    for text in ["", "BLE", "wire", "wire:", "wire::1", "wire:host:0", "wire:host:99999"] {
        assert_eq!(RadioChoice::parse(text), None, "{text}");
    }
}

#[test]
fn how_long_raw_samples_stay_is_a_number_and_zero_is_no_limit() {
    let s = resolve("[retention]\nraw_days = 30\nraw_gb = 2.5\n", &[], Flags::default()).expect("good");
    assert_eq!((s.raw_days.value, s.raw_gb.value), (Some(30.0), Some(2.5)));
    let s = resolve(
        "retention.raw_days = 0",
        &[("LOPE_RETENTION_RAW_GB", "0")],
        Flags::default(),
    )
    .expect("good");
    assert_eq!((s.raw_days.value, s.raw_gb.value), (None, None));
    let said = problems("[retention]\nraw_days = -1\nraw_gb = true\nraw_day = 3\n");
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said.iter()
            .any(|p| p.contains("retention.raw_days") && p.contains("-1")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|p| p.contains("retention.raw_day") && p.contains("retention.raw_days")),
        "{said:?}"
    );
    assert_eq!(problems("retention = 90").len(), 1);
}
