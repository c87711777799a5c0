//! Polar: data frames. Decoding returns, and never makes more samples than the bytes can hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lope::sensors::drivers::polar::frame;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(samples) = frame::decode(bytes) {
        // A difference takes at least one bit.
        assert!(samples.len() <= 1 + 8 * bytes.len());
        assert_eq!(samples.is_empty(), samples.len() == 0);
    }
});
