//! Standard services: running speed and cadence, heart rate, battery, texts of the device information.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lope::sensors::drivers::sig::{battery, heart_rate, information, rsc};

fuzz_target!(|bytes: &[u8]| {
    let _ = rsc::measurement(bytes);
    let _ = rsc::reply(bytes);
    let _ = rsc::Feature::decode(bytes);
    let _ = heart_rate::measurement(bytes);
    assert!(battery::level(bytes).is_none_or(|percent| percent <= 100));
    assert!(information::text(bytes).is_none_or(|text| !text.chars().any(char::is_control)));
});
