//! Movesense: messages, and their parts joined in any order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lope::sensors::drivers::movesense::gsp::{self, Joiner};

fuzz_target!(|bytes: &[u8]| {
    for sensors in 1..=3 {
        if let Ok(message) = gsp::message(bytes, sensors) {
            assert!(12 * sensors * message.len() <= bytes.len());
        }
    }
    let _ = gsp::status(bytes);
    let mut joiner = Joiner::new(247, 3);
    for (number, part) in bytes.chunks(61).enumerate() {
        let _ = joiner.take(number, part);
    }
    let _ = joiner.end();
});
