//! The C header against the same vectors.
//!
//! The vectors are written as plain text, `c/test_vectors.c` is compiled with the system's C compiler with every warning
//! an error, and run over them. Where the compiler knows them, the sanitizers watch for reads past the end.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use firmware_protocol::{Frame, Refusal, crc};
use serde_json::Value;

use crate::{control, frames, vectors};

const MUTANTS_PER_AREA: usize = 4000;

/// A value as `test_vectors.c` prints it: lists `[a|b]`, objects in lists `{k=v;k=v}` with sorted keys, flags 0 and 1.
fn plain(value: &Value) -> String {
    match value {
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join("|")),
        Value::Object(_) => format!("{{{}}}", pairs(value).join(";")),
        other => other.to_string(),
    }
}

fn pairs(value: &Value) -> Vec<String> {
    let mut pairs: Vec<_> = value
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, field)| format!("{key}={}", plain(field)))
        .collect();
    pairs.sort();
    pairs
}

fn plain_text_vectors() -> String {
    let file = vectors::all();
    let mut text = String::new();
    let hex_or_dash = |hex: &str| {
        if hex.is_empty() {
            "-".to_string()
        } else {
            hex.to_string()
        }
    };
    for list in ["valid", "tolerated", "refused"] {
        for case in file[list].as_array().unwrap() {
            let expected = match case["refused"].as_str() {
                Some(rule) => rule.to_string(),
                None => pairs(&case["value"]).join(","),
            };
            let (area, id) = (case["area"].as_str().unwrap(), case["id"].as_str().unwrap());
            writeln!(
                text,
                "{list} {area} {id} {} {expected}",
                hex_or_dash(case["hex"].as_str().unwrap())
            )
            .unwrap();
        }
    }
    for case in file["crc"].as_array().unwrap() {
        let name = if case["name"] == "CRC-16/IBM-3740" {
            "crc16"
        } else {
            "crc32"
        };
        writeln!(
            text,
            "{name} {} {}",
            hex_or_dash(case["input"].as_str().unwrap()),
            case["value"]
        )
        .unwrap();
    }
    for case in file["entries_per_frame"].as_array().unwrap() {
        writeln!(
            text,
            "entries {} {} {}",
            case["kind"].as_str().unwrap(),
            case["mtu"],
            case["entries"]
        )
        .unwrap();
    }
    text
}

/// Vectors with some bytes changed, cut or appended, and what this crate says of them, as plain text.
fn plain_text_mutants() -> String {
    let mut state = 20_260_101u64;
    let mut below = move |end: usize| {
        // Knuth's MMIX generator; the high bits are the good ones.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    let mut text = String::new();
    let frame = |bytes: &[u8]| Frame::decode(bytes).map(|frame| frames::to_json(&frame));
    let areas = control::AREAS.into_iter().map(|area| (area.name, area.decode));
    for (area, decode) in areas.chain([("frame", frame as fn(&[u8]) -> Result<Value, Refusal>)]) {
        let seeds: Vec<_> = vectors::cases("valid", area).iter().map(vectors::bytes_of).collect();
        for mutant in 0..MUTANTS_PER_AREA {
            let mut bytes = seeds[below(seeds.len())].clone();
            for _ in 0..below(4) {
                // Mostly near the front, where the heads are, and mostly to the ends of ranges.
                let front = [4, 12, bytes.len()][below(3)].min(bytes.len());
                let at = below(front);
                bytes[at] = [0, 1, 7, 8, 255, below(256) as u8][below(6)];
            }
            match below(8) {
                0 => bytes.truncate(below(bytes.len() + 1)),
                1 => bytes.push(below(256) as u8),
                _ => {}
            }
            if below(4) > 0 {
                reseal(area, &mut bytes);
            }
            let (list, said) = match decode(&bytes) {
                Ok(value) => ("tolerated", pairs(&value).join(",")),
                Err(refusal) => ("refused", refusal.rule().to_string()),
            };
            let hex = if bytes.is_empty() {
                "-".to_string()
            } else {
                vectors::hex(&bytes)
            };
            // A text in a TLV may hold what a line cannot.
            if said.bytes().all(|byte| byte > b' ' && byte != 0x7F) {
                writeln!(text, "{list} {area} mutant-{mutant} {hex} {said}").unwrap();
            }
        }
    }
    text
}

/// Texts of two to four bytes around every border of UTF-8, and what this crate says of them.
fn plain_text_of_texts() -> String {
    let mut text = String::new();
    let borders = [
        0x21, 0x7E, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
    ];
    let borders = [&borders[..], &[0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF]].concat();
    let reply = control::AREAS.into_iter().find(|area| area.name == "reply").unwrap();
    let mut write = |bytes: &[u8]| {
        let page = [&[0x82, 7, 0, 0, 1, 1, bytes.len() as u8], bytes].concat();
        let (list, said) = match (reply.decode)(&page) {
            Ok(value) => ("tolerated", pairs(&value).join(",")),
            Err(refusal) => ("refused", refusal.rule().to_string()),
        };
        // White space beyond ASCII is white space to nobody here; control characters of Latin-1 neither.
        writeln!(
            text,
            "{list} reply text-{} {} {said}",
            vectors::hex(bytes),
            vectors::hex(&page)
        )
        .unwrap();
    };
    for &lead in &borders {
        for &second in &borders {
            write(&[lead, second]);
            write(&[lead, second, 0x80]);
            write(&[lead, second, 0xBF, 0x80]);
            write(&[lead, second, 0x80, 0xC0]);
        }
    }
    text
}

/// Makes the checksum right, so that the checks behind it are reached.
fn reseal(area: &str, bytes: &mut [u8]) {
    if area == "frame" && bytes.len() >= 16 {
        let crc = crc::crc16_of_two(&bytes[..14], &bytes[16..]);
        bytes[14..16].copy_from_slice(&crc.to_le_bytes());
    }
    if area == "time" && bytes.len() == 18 {
        let crc = crc::crc16(&bytes[..16]);
        bytes[16..].copy_from_slice(&crc.to_le_bytes());
    }
}

/// Compiles the test program; `None` if there is no C compiler.
fn compile(output: &Path, extra: &[&str]) -> Option<Result<(), String>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c/test_vectors.c");
    let mut command = Command::new("cc");
    command
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2"])
        .args(extra)
        .arg("-o")
        .arg(output)
        .arg(source);
    let result = command.output().ok()?;
    let messages = String::from_utf8_lossy(&result.stderr).into_owned();
    Some(if result.status.success() { Ok(()) } else { Err(messages) })
}

#[test]
fn the_c_header_agrees_with_every_vector_and_with_this_crate_on_damaged_ones() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let files = [
        ("vectors", plain_text_vectors()),
        ("mutants", plain_text_mutants()),
        ("texts", plain_text_of_texts()),
    ];
    let files = files.map(|(name, text)| {
        let path = folder.join(format!("protocol-v1-{name}.txt"));
        std::fs::write(&path, &text).unwrap();
        (path, text.lines().count())
    });
    assert_eq!(files[0].1, 56 + 7 + 71 + 4 + 16);
    assert!(files[1].1 > 4 * MUTANTS_PER_AREA, "hardly any mutant is left out");
    let program = folder.join("test_vectors");
    let Some(compiled) = compile(&program, &[]) else {
        assert!(
            std::env::var_os("LOPE_REQUIRE_ALL").is_none_or(|all| all != "1"),
            "no C compiler `cc`"
        );
        eprintln!("skipped: no C compiler `cc`, the header c/lope_protocol.h was not checked");
        return;
    };
    compiled.unwrap_or_else(|messages| panic!("{messages}"));
    files.iter().for_each(|(path, lines)| run(&program, path, *lines));
    let watched = folder.join("test_vectors_watched");
    match compile(
        &watched,
        &["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    ) {
        Some(Ok(())) => files.iter().for_each(|(path, lines)| run(&watched, path, *lines)),
        _ => eprintln!("skipped: this C compiler has no sanitizers"),
    }
}

fn run(program: &Path, vectors_file: &Path, lines: usize) {
    let result = Command::new(program).arg(vectors_file).output().unwrap();
    let (said, complained) = (
        String::from_utf8_lossy(&result.stdout),
        String::from_utf8_lossy(&result.stderr),
    );
    assert!(result.status.success(), "{said}{complained}");
    assert_eq!(said.trim_end(), format!("{lines} vectors, 0 failed"));
}
