//! No allocation per sample: what makes the loop's cost the same in the third hour as in the first minute.
//!
//! A counter in the allocator watches two minutes of a synthetic runner go through [`Pipeline`], after a warm-up in which
//! buffers may grow to their final size. A sample that completes nothing may not allocate at all; one that completes a
//! stride, a block or a window may allocate a few times, because its record leaves the loop.
//!
//! A binary of its own: the counter replaces the allocator of the whole program.

use lope::model::{ClipFlags, ImuSample, Placement, SensorConfig, SensorEvent, SessionTime, Vec3};
use lope::pipeline::{Output, Pipeline, PipelineConfig};
use std::f64::consts::TAU;

const RATE_HZ: f64 = 200.0;
const G: f64 = 9.80665;
/// Time of one stride of the signal, s.
const STRIDE_S: f64 = 0.72;
/// Standing at the start, s: the mounting and the standing references come from it.
const STANDING_S: f64 = 8.0;
/// Buffers may grow until here, s: longer than every window and ring of the loop.
const WARM_UP_S: f64 = 60.0;
/// Watched after that, s.
const WATCHED_S: f64 = 120.0;
/// Allocations allowed for one finished record (its box, and the vector it is handed over in).
const PER_RECORD: u64 = 8;

/// Length of one stride of the signal, m.
const STRIDE_M: f64 = 2.0;

/// A foot in the sagittal plane whose position and pitch are closed forms, so that its signals are those of one motion:
/// flat on the ground, heel up, forward through the air with toes rising, down again. Not a runner: only regular enough
/// that contacts and strides are found.
fn foot(phase: f64) -> ([f64; 3], [f64; 3]) {
    // A bell of pitch, and its rate of change per second.
    let bell = |height: f64, centre: f64, width: f64| {
        let d = ((phase - centre + 0.5).rem_euclid(1.0) - 0.5) / width;
        let value = height * (-d * d).exp();
        (value, -2.0 * d / (width * STRIDE_S) * value)
    };
    let (push_off, push_off_rate) = bell(-1.0, 0.48, 0.09);
    let (toes_up, toes_up_rate) = bell(0.35, 0.95, 0.05);
    let (pitch, pitch_rate) = (push_off + toes_up, push_off_rate + toes_up_rate);
    // Forward through swing by the quintic step 6u⁵ − 15u⁴ + 10u³, up and down again by 64 u³ (1 − u)³.
    let (begin, swing) = (0.40, 0.60);
    let u = ((phase - begin) / swing).clamp(0.0, 1.0);
    let per_s2 = (swing * STRIDE_S).powi(-2);
    let forward = STRIDE_M * (120.0 * u.powi(3) - 180.0 * u.powi(2) + 60.0 * u) * per_s2;
    let rise = 0.08 * 64.0 * (6.0 * u - 36.0 * u.powi(2) + 60.0 * u.powi(3) - 30.0 * u.powi(4)) * per_s2;
    let (sin, cos) = pitch.sin_cos();
    let up = rise + G;
    (
        [forward * cos + up * sin, 0.0, up * cos - forward * sin],
        [0.0, -pitch_rate, 0.0],
    )
}

/// The sacrum: a bounce twice a stride, a sway once.
fn sacrum(phase: f64) -> ([f64; 3], [f64; 3]) {
    let (once, twice) = (TAU * phase, 2.0 * TAU * phase);
    (
        [2.0 * twice.sin(), 2.5 * once.sin(), G + 9.0 * twice.cos()],
        [0.6 * once.sin(), 0.3 * twice.cos(), 0.8 * once.cos()],
    )
}

fn event(placement: Placement, tick: u64) -> SensorEvent {
    let t = tick as f64 / RATE_HZ;
    let running = t - STANDING_S;
    let offset = if placement == Placement::RightFoot { 0.5 } else { 0.0 };
    let (acc, gyro) = if running < 0.0 {
        ([0.0, 0.0, G], [0.0; 3])
    } else if placement == Placement::Sacrum {
        sacrum(running / STRIDE_S)
    } else {
        foot((running / STRIDE_S + offset).rem_euclid(1.0))
    };
    // A trace of noise, the same in every run: identical readings would look like a stuck sensor.
    let noise = |k: u64| {
        let mixed = (tick * 6 + k).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed >> 40) as f64 / (1_u64 << 24) as f64 - 0.5) * 0.02
    };
    let acc = Vec3::new(acc[0] + noise(0), acc[1] + noise(1), acc[2] + noise(2));
    let gyro = Vec3::new(gyro[0] + noise(3), gyro[1] + noise(4), gyro[2] + noise(5));
    let t = SessionTime::from_nanos((tick as f64 * 1e9 / RATE_HZ) as i64);
    SensorEvent::Sample(
        placement,
        ImuSample {
            t,
            acc,
            gyro,
            clip: ClipFlags::NONE,
            filled: false,
        },
    )
}

/// What a watched run cost.
#[derive(Debug, Default)]
struct Cost {
    samples: u64,
    /// Samples that completed nothing and still allocated, with what they cost.
    silent: Vec<(u64, u64)>,
    /// Most allocations of one sample, over the records it completed.
    worst_per_record: u64,
    strides: u64,
}

fn run() -> Cost {
    const WORN: [Placement; 3] = [Placement::LeftFoot, Placement::RightFoot, Placement::Sacrum];
    let sensors = WORN.map(|placement| SensorConfig {
        placement,
        rate_hz: RATE_HZ,
        acc_range: Some(16.0 * G),
        gyro_range: Some(35.0),
        side_known: true,
    });
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: sensors.to_vec(),
        ..PipelineConfig::default()
    });
    let mut out = Vec::with_capacity(64);
    let standing = SensorEvent::Standing {
        from: SessionTime::from_secs(1.0),
        to: SessionTime::from_secs(STANDING_S - 1.0),
    };
    let (warm, end) = ((WARM_UP_S * RATE_HZ) as u64, ((WARM_UP_S + WATCHED_S) * RATE_HZ) as u64);
    let mut cost = Cost {
        silent: Vec::with_capacity(1024),
        ..Cost::default()
    };
    for tick in 0..end {
        if tick == (STANDING_S * RATE_HZ) as u64 {
            pipeline.push(&standing, &mut out);
        }
        for placement in WORN {
            let event = event(placement, tick);
            out.clear();
            let counted = allocation_counter::measure(|| pipeline.push(&event, &mut out)).count_total;
            if tick < warm {
                continue;
            }
            cost.samples += 1;
            cost.strides += out.iter().filter(|o| matches!(o, Output::Stride(_))).count() as u64;
            if out.is_empty() {
                if counted > 0 && cost.silent.len() < cost.silent.capacity() {
                    cost.silent.push((tick, counted));
                }
            } else {
                cost.worst_per_record = cost.worst_per_record.max(counted.div_ceil(out.len() as u64));
            }
        }
    }
    cost
}

#[test]
fn a_sample_that_completes_nothing_allocates_nothing_and_a_record_only_a_little() {
    let cost = run();
    assert_eq!(cost.samples, (WATCHED_S * RATE_HZ) as u64 * 3);
    assert!(
        cost.silent.is_empty(),
        "(tick, allocations) of samples without output: {:?} …",
        &cost.silent[..cost.silent.len().min(10)]
    );
    assert!(
        cost.worst_per_record <= PER_RECORD,
        "{} allocations for one record, at most {PER_RECORD}",
        cost.worst_per_record
    );
}

#[test]
fn the_watched_run_holds_strides_of_both_feet() {
    // Without strides the watch above would have seen only idling: two feet give 333 of them.
    let cost = run();
    assert!(
        cost.strides >= 300,
        "only {} strides came out of the watched run",
        cost.strides
    );
}

#[test]
fn the_counter_counts() {
    let of = |f: fn() -> u64| allocation_counter::measure(|| assert_eq!(std::hint::black_box(f()), 7)).count_total;
    assert_eq!(of(|| *std::hint::black_box(Box::new(7_u64))), 1);
    assert_eq!(of(|| 7), 0);
}
