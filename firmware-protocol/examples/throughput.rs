//! How many samples a second one core decodes and encodes, full imu6 frames, checksums included.
//!
//! `cargo run --release --example throughput` in this folder. A figure to look at, not a gate: machines differ.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "reading the clock and printing is what this program is for"
)]

use std::hint::black_box;
use std::time::Instant;

use firmware_protocol::{
    CfgId, DataHeader, Frame, FrameFlags, ImuEntry, LONGEST_FRAME, Payload, PodTime, StreamId, encode_data,
};

const SAMPLES_PER_FRAME: u32 = 19;
const FRAMES: u32 = 300_000;

fn main() {
    let entries: Vec<ImuEntry> = (0..19)
        .map(|i| ImuEntry {
            acc: [i, 2 * i, 2048],
            gyr: [-i, 3, 4 * i],
        })
        .collect();
    let Some(cfg_id) = CfgId::new(1) else { return };
    let header = |frame: u32| DataHeader {
        stream: StreamId::FIRST,
        flags: FrameFlags::default(),
        index: frame * SAMPLES_PER_FRAME,
        time: PodTime::BOOT.plus_us(u64::from(frame) * 45_673),
        cfg_id,
    };
    let mut out = [0; LONGEST_FRAME];

    let began = Instant::now();
    for frame in 0..FRAMES {
        let written = encode_data(&header(frame), black_box(&entries), &mut out);
        assert!(black_box(written).is_ok());
    }
    report("encode", began);

    let mut sum = 0i64;
    let began = Instant::now();
    for _ in 0..FRAMES {
        let Ok(Frame::Data(data)) = Frame::decode(black_box(&out)) else {
            return;
        };
        let Payload::Imu6(entries) = data.payload else { return };
        for entry in entries {
            sum += i64::from(entry.acc[2]) + i64::from(entry.gyr[0]);
        }
    }
    black_box(sum);
    report("decode", began);
}

fn report(what: &str, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    let samples = f64::from(FRAMES) * f64::from(SAMPLES_PER_FRAME);
    println!("{what}: {:.1} million samples/s", samples / seconds / 1e6);
}
