//! Chunks of raw samples in every codec: bytes that nobody wrote are damage or samples, and never more than a chunk holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lope::store::raw::codec::{ADAPTIVE, BLOCKS, CHUNK_MAX, decode};

fuzz_target!(|bytes: &[u8]| {
    let mut samples = Vec::new();
    for codec in [BLOCKS, ADAPTIVE, ADAPTIVE + 1] {
        let read = decode(codec, bytes, &mut samples);
        assert!(samples.len() <= CHUNK_MAX && (read.is_ok() || samples.is_empty()));
    }
});
