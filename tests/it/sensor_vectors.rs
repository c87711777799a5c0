//! Bytes of other makers' sensors, worked out from their documents by somebody else, through the decoders.
//!
//! Each vector is either checked or named as one of a device that lope has no driver for; a new one fails here until it is
//! in one of the two.

use crate::support::shared;
use lope::sensors::drivers::bytes::Refusal;
use lope::sensors::drivers::dot::{control as dot, payload};
use lope::sensors::drivers::movesense::gsp;
use lope::sensors::drivers::polar::{control as pmd, frame};
use lope::sensors::drivers::sig::rsc;
use lope::sensors::drivers::{movesense, polar};
use lope::sensors::link::Chan;
use serde_json::Value;

/// Devices without a driver; their vectors stand in the file for whoever writes one.
const NO_DRIVER: [&str; 5] = [
    "syn-thingy-raw",
    "syn-bluest-agm",
    "syn-infinitime",
    "syn-wit61",
    "syn-c2g-roundtrip",
];

/// A measurement lope never asks for; its command is checked byte for byte by hand below.
const ECG: &str = "polar-cmd-h10-ecg-start";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex"))
        .collect()
}

fn uuid(text: &str) -> u128 {
    u128::from_str_radix(&text.replace('-', ""), 16).expect("a UUID")
}

fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(floats).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

fn same(got: impl IntoIterator<Item = f32>, expected: &Value, what: &str) {
    let got: Vec<f64> = got.into_iter().map(f64::from).collect();
    assert_eq!(got, floats(expected), "{what}");
}

fn polar_data(id: &str, vector: &Value, raw: &[u8]) {
    if let Some(rule) = vector["refused"].as_str() {
        let Err(Refusal(got)) = frame::decode(raw) else {
            panic!("{id} is not refused");
        };
        assert_eq!(got, rule, "{id}");
        return;
    }
    let samples = frame::decode(raw).expect(id);
    let expected = &vector["expected"];
    assert_eq!(samples.len() as u64, expected["n"].as_u64().expect("n"), "{id}");
    if expected["samples"].is_null() {
        assert!(samples.suspect() && samples.zero_width_blocks == 1, "{id}");
        return;
    }
    let factor = vector["context"]["factor"].as_f64().expect("factor");
    // The maker's numbers: whole milli-g, truncated.
    same(
        samples.values.iter().map(|v| (f64::from(*v) * factor).trunc() as f32),
        &expected["samples"],
        id,
    );
    let rate = vector["context"]["sample_rate"].as_f64().expect("rate");
    let last = expected["last_timestamp_ns"].as_u64().expect("last");
    assert_eq!(samples.header.last_ns, last, "{id}");
    let first = expected["first_timestamp_ns"].as_u64().expect("first");
    assert_eq!(frame::first_of_run(last, samples.len() as u64, rate), first, "{id}");
}

fn polar_command(id: &str, raw: &[u8]) {
    let offered = pmd::Settings {
        rates: vec![25, 50, 100, 200],
        resolutions: vec![16],
        ranges: vec![2, 4, 8],
        ..pmd::Settings::default()
    };
    let choice = pmd::Choice::nearest(&offered, 200.0, 8.0).expect("a rate");
    let request = match id {
        "polar-cmd-h10-acc-200hz-8g" => pmd::Request::Start(frame::Kind::Acc, choice),
        "polar-cmd-h10-acc-stop" => pmd::Request::Stop(frame::Kind::Acc),
        "polar-cmd-get-acc-settings" => pmd::Request::Settings(frame::Kind::Acc, pmd::Mode::Normal),
        other => panic!("{other} is not checked"),
    };
    assert_eq!(request.encode(), raw, "{id}");
}

fn running_speed(id: &str, vector: &Value, raw: &[u8]) {
    if let Some(rule) = vector["refused"].as_str() {
        let Err(Refusal(got)) = rsc::measurement(raw) else {
            panic!("{id} is not refused");
        };
        assert_eq!(got, rule, "{id}");
        return;
    }
    let (m, expected) = (rsc::measurement(raw).expect(id), &vector["expected"]);
    assert_eq!(u64::from(m.flags), expected["flags"].as_u64().expect("flags"), "{id}");
    assert_eq!(Some(m.speed), expected["speed_mps"].as_f64(), "{id}");
    assert_eq!(
        Some(u64::from(m.cadence_raw)),
        expected["cadence_per_min"].as_u64(),
        "{id}"
    );
    assert_eq!(Some(m.running), expected["running"].as_bool(), "{id}");
    assert_eq!(m.stride_length_raw, expected["stride_m"].as_f64(), "{id}");
    assert_eq!(m.distance, expected["total_distance_m"].as_f64(), "{id}");
}

fn movesense_frame(id: &str, vector: &Value, raw: &[u8]) {
    match id {
        "syn-movesense-sub" => return assert_eq!(gsp::Request::Subscribe(99, "/Meas/IMU6/104").encode(), raw),
        "syn-movesense-unsub" => return assert_eq!(gsp::Request::Unsubscribe(99).encode(), raw),
        _ => {}
    }
    let expected = &vector["expected"];
    let sensors = expected["sensors"].as_array().expect("sensors");
    let m = gsp::message(raw, sensors.len()).expect(id);
    assert_eq!(u64::from(raw[1]), expected["ref"].as_u64().expect("ref"), "{id}");
    assert_eq!(u64::from(m.time_ms), expected["t_ms"].as_u64().expect("t_ms"), "{id}");
    assert_eq!(m.len() as u64, expected["n"].as_u64().expect("n"), "{id}");
    for (i, sensor) in sensors.iter().enumerate() {
        let samples = m.values.chunks_exact(3 * sensors.len());
        same(samples.flat_map(|s| s[3 * i..3 * i + 3].to_vec()), sensor, id);
    }
}

fn dot_frame(id: &str, vector: &Value, raw: &[u8]) {
    if let Some(number) = id.strip_prefix("dot-cmd-start-") {
        let mode = payload::Mode::from_number(number.parse().expect("a number")).expect("public");
        assert_eq!(dot::start(mode), raw, "{id}");
        return;
    }
    let number = vector["context"]["mode"].as_u64().expect("mode") as u8;
    let mode = payload::Mode::from_number(number).expect("public");
    let (fields, expected) = (mode.decode(raw).expect(id), &vector["expected"]);
    assert_eq!(
        u64::from(fields.time_us),
        expected["t_us"].as_u64().expect("t_us"),
        "{id}"
    );
    let three = [("acc", fields.acc), ("gyr", fields.gyro_dps), ("mag", fields.mag)];
    for (name, got) in three {
        assert_eq!(got.is_some(), !expected[name].is_null(), "{id} {name}");
        if let Some(got) = got {
            same(got, &expected[name], id);
        }
    }
    assert_eq!(fields.quaternion.is_some(), !expected["quat"].is_null(), "{id}");
    if let Some(got) = fields.quaternion {
        same(got, &expected["quat"], id);
    }
    let chan = match mode.length() {
        payload::Length::Long => dot::LONG,
        payload::Length::Medium => dot::MEDIUM,
        payload::Length::Short => dot::SHORT,
    };
    on(chan, vector, id);
}

fn on(chan: Chan, vector: &Value, id: &str) {
    let text = vector["characteristic"].as_str().expect("a characteristic");
    assert_eq!(chan.characteristic, uuid(text), "{id}");
}

#[test]
fn every_vector_of_a_sensor_that_lope_knows_reads_as_written() {
    let Some(path) = shared("vectors/sensors.json") else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("readable");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let vectors = file["vectors"].as_array().expect("vectors");
    let mut without = Vec::new();
    for vector in vectors {
        let id = vector["id"].as_str().expect("an id");
        let raw = bytes(vector["hex"].as_str().expect("bytes"));
        if NO_DRIVER.contains(&id) {
            without.push(id);
        } else if id == ECG {
            assert_eq!(raw, [2, 0, 0, 1, 130, 0, 1, 1, 14, 0]);
            on(polar::driver::CONTROL, vector, id);
        } else if id.starts_with("polar-cmd-") {
            polar_command(id, &raw);
            on(polar::driver::CONTROL, vector, id);
        } else if id.starts_with("syn-pmd-") {
            polar_data(id, vector, &raw);
            on(polar::driver::DATA, vector, id);
        } else if id.starts_with("syn-rsc-") {
            running_speed(id, vector, &raw);
            on(rsc::MEASUREMENT, vector, id);
        } else if id.starts_with("syn-movesense-") {
            movesense_frame(id, vector, &raw);
            let command = id.ends_with("sub");
            on(
                if command {
                    movesense::driver::WRITE
                } else {
                    movesense::driver::NOTIFY
                },
                vector,
                id,
            );
        } else if id.starts_with("dot-cmd-") {
            dot_frame(id, vector, &raw);
            on(dot::MEASUREMENT, vector, id);
        } else if id.starts_with("syn-dot-") {
            dot_frame(id, vector, &raw);
        } else {
            panic!("{id} is neither checked nor named as one without a driver");
        }
    }
    assert_eq!(without.len(), NO_DRIVER.len());
    println!(
        "{} vectors checked; without a driver: {}",
        vectors.len() - without.len(),
        without.join(", ")
    );
}

#[test]
fn a_vector_cut_at_any_length_returns() {
    let Some(path) = shared("vectors/sensors.json") else {
        return;
    };
    let text = std::fs::read_to_string(path).expect("readable");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    for vector in file["vectors"].as_array().expect("vectors") {
        let raw = bytes(vector["hex"].as_str().expect("bytes"));
        for n in 0..=raw.len() {
            let cut = &raw[..n];
            let _ = (
                frame::decode(cut),
                rsc::measurement(cut),
                pmd::Replies::default().take(cut),
            );
            let _ = (gsp::message(cut, 2), gsp::status(cut), dot::Message::decode(cut));
            for mode in (0..=255).filter_map(|m| payload::Mode::from_number(m).ok()) {
                let _ = mode.decode(cut);
            }
        }
    }
}
