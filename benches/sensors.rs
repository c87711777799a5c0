//! How fast frames of sensors become numbers: samples a second and core, beside copying the same bytes to floats.
//!
//! A plain program that prints figures: `cargo bench --no-default-features --bench sensors`. Frames are made here, from a
//! saw-tooth, by the encoders of the simulated sensors. Machines differ and are shared, so the last column is the one to
//! watch: time beside the baseline within one run, the best of several passes of both.

#![allow(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use firmware_protocol::{CfgId, DataHeader, Frame, FrameFlags, ImuEntry, Payload, PodTime, StreamId, encode_data};
use lope::model::SessionTime;
use lope::sensors::driver::{Wanted, Wish};
use lope::sensors::drivers::dot::payload::Mode;
use lope::sensors::drivers::movesense::gsp;
use lope::sensors::drivers::{DriverKind, driver, polar};
use lope::sensors::link::{LinkEvent, LinkInfo};
use lope::sensors::said::Said;
use lope::sensors::simulated::movesense::MovesensePeer;
use lope::sensors::simulated::peer::Peer;
use lope::sensors::simulated::polar::compress;
use std::hint::black_box;
use std::time::Instant;

/// Samples of one pass, about.
const SAMPLES: usize = 400_000;
/// Samples a second and core that every decoder should reach.
const GOAL: f64 = 5e6;

/// Best seconds of several passes.
fn best(mut pass: impl FnMut() -> usize) -> f64 {
    (0..9)
        .map(|_| {
            let started = Instant::now();
            black_box(pass());
            started.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

struct Case {
    name: &'static str,
    frames: Vec<Vec<u8>>,
    /// Samples of one frame, numbers of one sample, bytes of one number as sent by the plainest encoding.
    samples: usize,
    width: usize,
    decode: fn(&[u8]) -> usize,
}

/// A copy of as many numbers as the frames hold: 16 bits to floats, into a fresh allocation a frame, as decoders do.
fn baseline(case: &Case) -> f64 {
    let source: Vec<i16> = (0..case.samples * case.width).map(|i| i as i16).collect();
    best(|| {
        case.frames
            .iter()
            .map(|_| {
                let values: Vec<f32> = black_box(&source).iter().map(|v| f32::from(*v)).collect();
                black_box(values).len()
            })
            .sum()
    })
}

fn saw(i: usize) -> [i16; 3] {
    let t = (i % 200) as f64 / 200.0;
    [
        (3000.0 * (t * std::f64::consts::TAU).sin()) as i16,
        (900.0 * (t * 2.0 * std::f64::consts::TAU).cos()) as i16,
        (1000.0 + 4000.0 * t * t) as i16,
    ]
}

fn lope_frames() -> Vec<Vec<u8>> {
    (0..SAMPLES / 19)
        .map(|f| {
            let entries: Vec<ImuEntry> = (0..19)
                .map(|i| ImuEntry {
                    acc: saw(19 * f + i),
                    gyr: saw(19 * f + i + 50),
                })
                .collect();
            let header = DataHeader {
                stream: StreamId::new(0).expect("a stream"),
                flags: FrameFlags::default(),
                index: (19 * f) as u32,
                time: PodTime::from_us(f as u64 * 91_346).expect("below the largest"),
                cfg_id: CfgId::new(1).expect("a configuration"),
            };
            let mut out = [0; 256];
            encode_data(&header, &entries, &mut out).expect("fits").to_vec()
        })
        .collect()
}

fn lope_decode(bytes: &[u8]) -> usize {
    let Ok(Frame::Data(frame)) = Frame::decode(bytes) else {
        return 0;
    };
    let Payload::Imu6(entries) = frame.payload else {
        return 0;
    };
    let mut values = Vec::with_capacity(6 * entries.len());
    for entry in entries {
        values.extend(entry.acc.into_iter().chain(entry.gyr).map(f32::from));
    }
    black_box(values).len()
}

fn polar_frames() -> Vec<Vec<u8>> {
    (0..SAMPLES / 40)
        .map(|f| {
            let mut bytes = vec![2];
            bytes.extend((f as u64 * 200_000_000).to_le_bytes());
            bytes.push(0x81);
            compress(&(0..40).map(|i| saw(40 * f + i)).collect::<Vec<_>>(), &mut bytes);
            bytes
        })
        .collect()
}

fn float_frame(head: &[u8], vectors: usize) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.extend(
        (0..vectors)
            .flat_map(saw)
            .flat_map(|v| (f32::from(v) * 0.01).to_le_bytes()),
    );
    bytes
}

/// The whole driver, numbers of samples, holes and blocks included: a Movesense at 208 Hz, from events.
fn whole_driver() {
    let events: Vec<LinkEvent> = {
        let mut peer = MovesensePeer::new(Box::new(|_: SessionTime| ([1.0; 3], [2.0; 3])), 0.0);
        let mut driver = driver(DriverKind::Movesense);
        let mut events = vec![LinkEvent::Up {
            at: SessionTime::ZERO,
            info: LinkInfo {
                name: String::new(),
                os_id: String::new(),
                mtu: peer.mtu(),
                chans: peer.services(),
            },
        }];
        peer.connected(SessionTime::ZERO);
        driver.wish(wish(), SessionTime::ZERO);
        let mut said = Vec::new();
        driver.on_event(&events[0], &mut said);
        let mut sent = Vec::new();
        for step in 0..200_000_i64 {
            let at = SessionTime::from_nanos(step * 10_000_000);
            while let Some(command) = driver.poll(at, &mut said) {
                let asked = command.asked().expect("no close");
                let result = peer.on_command(&command, at);
                events.push(LinkEvent::Answered {
                    began: at,
                    at,
                    asked,
                    result,
                });
                driver.on_event(&events[events.len() - 1], &mut said);
            }
            peer.due(at, &mut sent);
            for (chan, bytes) in sent.drain(..) {
                events.push(LinkEvent::Frame { at, chan, bytes });
                driver.on_event(&events[events.len() - 1], &mut said);
            }
            said.clear();
        }
        events
    };
    let mut samples = 0;
    let seconds = best(|| {
        let mut driver = driver(DriverKind::Movesense);
        driver.wish(wish(), SessionTime::ZERO);
        let mut said = Vec::new();
        samples = 0;
        for event in &events {
            driver.on_event(event, &mut said);
            for s in said.drain(..) {
                if let Said::Block(b) = black_box(s) {
                    samples += b.values.len() / 6;
                }
            }
        }
        samples
    });
    assert!(samples > 300_000, "the driver streamed");
    println!(
        "{:<34} {:>8.1} M samples/s (every law included)",
        "Movesense driver, event to block",
        samples as f64 / seconds / 1e6
    );
}

fn wish() -> Wish {
    Wish::Stream(Wanted {
        session: 1,
        rate_hz: 200.0,
        acc_range: 80.0,
        gyro_range: 30.0,
    })
}

fn main() {
    let cases = [
        Case {
            name: "lope, 19 samples of six axes",
            frames: lope_frames(),
            samples: 19,
            width: 6,
            decode: lope_decode,
        },
        Case {
            name: "Polar, 40 differences of three axes",
            frames: polar_frames(),
            samples: 40,
            width: 3,
            decode: |bytes| polar::frame::decode(bytes).map_or(0, |s| black_box(s.values).len()),
        },
        Case {
            name: "Movesense, 8 samples of six axes",
            frames: vec![float_frame(&[2, 99, 1, 2, 3, 4], 16); SAMPLES / 8],
            samples: 8,
            width: 6,
            decode: |bytes| gsp::message(bytes, 2).map_or(0, |m| black_box(m.values).len()),
        },
        Case {
            name: "DOT, 1 sample of six axes",
            frames: vec![float_frame(&[1, 2, 3, 4], 2); SAMPLES],
            samples: 1,
            width: 6,
            decode: |bytes| {
                Mode::RATE_QUANTITIES
                    .decode(bytes)
                    .map_or(0, |f| usize::from(black_box(f).acc.is_some()) * 6)
            },
        },
    ];
    println!(
        "{:<36} {:>14} {:>14} {:>12}",
        "decoder", "M samples/s", "goal reached", "× baseline"
    );
    for case in &cases {
        let total = case.frames.len() * case.samples;
        let numbers: usize = case.frames.iter().map(|f| (case.decode)(f)).sum();
        assert_eq!(numbers, total * case.width, "{}: every sample decodes", case.name);
        let seconds = best(|| case.frames.iter().map(|f| (case.decode)(black_box(f))).sum());
        let rate = total as f64 / seconds;
        println!(
            "{:<36} {:>14.1} {:>14} {:>12.2}",
            case.name,
            rate / 1e6,
            if rate >= GOAL { "yes" } else { "NO" },
            seconds / baseline(case)
        );
    }
    whole_driver();
}
