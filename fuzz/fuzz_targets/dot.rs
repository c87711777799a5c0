//! Movella DOT: payloads of every mode, information, control. What decodes is made of numbers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lope::sensors::drivers::dot::control::Information;
use lope::sensors::drivers::dot::payload::Mode;

fuzz_target!(|bytes: &[u8]| {
    let _ = Information::decode(bytes);
    let Some((mode, payload)) = bytes.split_first() else { return };
    if let Ok(mode) = Mode::from_number(*mode)
        && let Ok(fields) = mode.decode(payload)
    {
        let threes = [fields.acc, fields.gyro_dps, fields.free_acc, fields.euler_deg];
        assert!(threes.iter().flatten().flatten().all(|v| v.is_finite()));
    }
});
