//! The vectors file and the JSON form of frames.
//!
//! `tests/vectors/protocol-v1.json` is part of the specification: it is read here and never written by the crate. Each
//! area has a pair `to_json` / `from_json` that knows nothing of bytes, so that encoder and decoder are each held against
//! the file and not against one another.

use serde_json::Value;

/// The whole file.
pub(crate) fn all() -> Value {
    serde_json::from_str(include_str!("../vectors/protocol-v1.json")).unwrap()
}

/// The cases of a list (`valid`, `tolerated`, `refused`) that belong to an area; never empty unless `area` is unknown.
pub(crate) fn cases(list: &str, area: &str) -> Vec<Value> {
    let file = all();
    let cases = file[list]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["area"] == area);
    cases.cloned().collect()
}

/// The bytes of a case.
pub(crate) fn bytes_of(case: &Value) -> Vec<u8> {
    from_hex(case["hex"].as_str().unwrap())
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let nibble = |c: u8| (c as char).to_digit(16).unwrap() as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]))
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An integer field, whatever its size.
pub(crate) fn int<T: TryFrom<i64>>(value: &Value, field: &str) -> T {
    let number = value[field]
        .as_i64()
        .unwrap_or_else(|| panic!("{field} is no integer in {value}"));
    T::try_from(number)
        .ok()
        .unwrap_or_else(|| panic!("{field} = {number} does not fit"))
}

/// A field of 64 bits, written as "0x…" because some JSON readers round above 2⁵³.
pub(crate) fn int64(value: &Value, field: &str) -> u64 {
    u64::from_str_radix(value[field].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

pub(crate) fn hex64(number: u64) -> Value {
    Value::String(format!("0x{number:016x}"))
}
