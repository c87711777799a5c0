//! Double taps among standing, walking, running, tables and single knocks; sensors of 50 to 208 Hz, arriving late.

use super::{Felt, TapFinder};
use crate::model::{Placement, SensorEvent, SessionTime};
use crate::sensors::said::{Block, Late, Quantity, Said, Streaming, Timing};
use crate::synth::{Script, SimConfig, Simulation};

const LEFT: usize = 0;
const RIGHT: usize = 1;
const WAIST: usize = 2;
/// Where a test does not say another, Hz.
const RATE: f64 = 104.0;

/// A tap as a finger does it: a push of 12 ms, a softer recoil of twice that. Unit strength.
fn push(s: f64) -> f64 {
    match s {
        s if (0.0..0.012).contains(&s) => (std::f64::consts::PI * s / 0.012).sin(),
        s if (0.012..0.037).contains(&s) => -0.35 * (std::f64::consts::PI * (s - 0.012) / 0.025).sin(),
        _ => 0.0,
    }
}

/// What a sensor of this rate makes of a tap at `at`: the mean since its last sample, which is about what the filters in
/// front of converters do.
fn tap(rate_hz: f64, t: f64, at: f64, strength: f64) -> f64 {
    const PARTS: u32 = 16;
    if !(-0.1..0.3).contains(&(t - at)) {
        return 0.0;
    }
    let part = |j: u32| push(t - at - (f64::from(j) + 0.5) / f64::from(PARTS) / rate_hz);
    strength * (0..PARTS).map(part).sum::<f64>() / f64::from(PARTS)
}

/// A small noise without a generator: sums of sines that never repeat.
fn tremor(t: f64, sensor: usize) -> f64 {
    let k = sensor as f64 + 1.0;
    0.15 * (17.3 * t * k).sin() + 0.1 * (41.0 * t + k).sin() + 0.25 * (2.1 * t + k).sin()
}

/// Three sensors at rest and what `more(sensor, t)` adds to one axis, m/s²; everything that was felt.
fn feel(rate_hz: f64, seconds: f64, more: impl Fn(usize, f64) -> f64) -> Vec<Felt> {
    let mut finder = TapFinder::new(3);
    let mut felt = Vec::new();
    for k in 0..(seconds * rate_hz) as u32 {
        for sensor in 0..3 {
            // Sensors do not sample at the same instants.
            let t = (f64::from(k) + sensor as f64 / 3.0) / rate_hz;
            let acc = [tremor(t, sensor), more(sensor, t), 9.81 + tremor(t + 1.0, sensor)];
            finder.sample(sensor, SessionTime::from_secs(t), acc);
            felt.extend(finder.felt());
        }
    }
    felt
}

fn tapped(felt: &[Felt]) -> Vec<usize> {
    felt.iter()
        .filter_map(|f| match f {
            Felt::Tapped(t) => Some(t.sensor),
            Felt::Shared { .. } => None,
        })
        .collect()
}

#[test]
fn a_double_tap_is_found_at_every_rate_strength_and_pace() {
    let mut found = 0;
    let mut tried = 0;
    for rate in [50.0, 104.0, 208.0] {
        for strength in [20.0, 40.0, 150.0] {
            for gap in [0.2, 0.35, 0.6, 0.75] {
                for phase in [0.0, 0.3, 0.7] {
                    let (a, b) = (3.0 + phase / rate, 3.0 + gap + 1.7 * phase / rate);
                    let felt = feel(rate, 6.0, |sensor, t| {
                        if sensor == RIGHT {
                            tap(rate, t, a, strength) + tap(rate, t, b, 0.8 * strength)
                        } else {
                            0.0
                        }
                    });
                    tried += 1;
                    found += usize::from(tapped(&felt) == [RIGHT]);
                    assert!(
                        tapped(&felt).iter().all(|s| *s == RIGHT),
                        "{rate} {strength} {gap} {phase}: {felt:?}"
                    );
                    // A weak tap may fall between two samples of a slow sensor; nothing else is missed.
                    let seen = rate > 100.0 || strength > 30.0;
                    assert!(
                        !seen || tapped(&felt) == [RIGHT],
                        "{rate} {strength} {gap} {phase}: {felt:?}"
                    );
                }
            }
        }
    }
    println!("{found} of {tried} double taps found");
    assert!(found * 10 >= tried * 9, "{found} of {tried}");
}

#[test]
fn one_tap_three_taps_and_slow_taps_are_no_double_tap() {
    let row = |times: &'static [f64]| {
        feel(RATE, 8.0, move |sensor, t| {
            if sensor == LEFT {
                times.iter().map(|at| tap(RATE, t, *at, 40.0)).sum()
            } else {
                0.0
            }
        })
    };
    for times in [
        &[3.0][..],
        &[3.0, 3.3, 3.6],
        &[3.0, 4.2],
        &[3.0, 3.3, 3.6, 3.9, 4.2],
        &[3.0, 3.05],
    ] {
        assert_eq!(row(times), [], "{times:?}");
    }
    assert_eq!(tapped(&row(&[3.0, 3.3])), [LEFT]);
    assert_eq!(tapped(&row(&[1.0, 1.3, 4.0, 4.3])), [LEFT, LEFT]);
    assert_eq!(
        tapped(&row(&[3.0, 5.0, 5.3])),
        [LEFT],
        "a single tap before does not spoil it"
    );
}

#[test]
fn a_knock_on_the_table_is_shared() {
    for share in [1.0, 0.6, 0.45] {
        let felt = feel(RATE, 6.0, |sensor, t| {
            let strength = if sensor == LEFT { 30.0 } else { 30.0 * share };
            // Sound travels, clocks differ: not at the same instant.
            let lag = 0.03 * sensor as f64;
            tap(RATE, t, 3.0 + lag, strength) + tap(RATE, t, 3.4 + lag, strength)
        });
        assert!(matches!(felt[..], [Felt::Shared { .. }]), "{share}: {felt:?}");
    }
}

#[test]
fn a_push_and_a_lift_are_no_taps() {
    // Half a second of a steady 8 m/s², twice; then turned over.
    let felt = feel(RATE, 8.0, |sensor, t| {
        let pushed = [3.0, 3.6].iter().any(|at| (*at..at + 0.3).contains(&t));
        if sensor == WAIST && (pushed || t > 5.0) {
            8.0
        } else {
            0.0
        }
    });
    assert_eq!(felt, []);
}

#[test]
fn a_sensor_that_moves_by_itself_does_not_hide_a_tap() {
    let felt = feel(RATE, 6.0, |sensor, t| match sensor {
        LEFT => tap(RATE, t, 3.0, 30.0) + tap(RATE, t, 3.4, 30.0),
        RIGHT => 25.0 * (9.0 * t).sin(),
        _ => 0.0,
    });
    assert_eq!(tapped(&felt), [LEFT]);
}

/// A simulated runner's three sensors, and taps added; everything that was felt.
fn worn(seed: u64, script: Script, taps: &[(usize, f64)]) -> Vec<Felt> {
    let sim = Simulation::new(SimConfig {
        seed,
        rate_hz: RATE,
        script,
        ..SimConfig::default()
    });
    let mut finder = TapFinder::new(3);
    let mut felt = Vec::new();
    for event in sim.events() {
        if let SensorEvent::Sample(placement, sample) = event {
            let sensor = match placement {
                Placement::LeftFoot => LEFT,
                Placement::RightFoot => RIGHT,
                _ => WAIST,
            };
            let t = sample.t.secs();
            let more: f64 = taps
                .iter()
                .filter(|(s, _)| *s == sensor)
                .map(|(_, at)| tap(RATE, t, *at, 30.0))
                .sum();
            let a = sample.acc.v;
            finder.sample(sensor, sample.t, [a.x, a.y + more, a.z]);
            felt.extend(finder.felt());
        }
    }
    felt
}

#[test]
fn walking_around_and_running_is_never_a_double_tap() {
    for seed in 1..=4 {
        let script = Script::new()
            .stand(4.0)
            .walk(30.0, 1.2)
            .stop(5.0)
            .walk(3.0, 0.7)
            .stop(4.0)
            .walk(2.0, 1.5)
            .stop(4.0)
            .accelerate(4.0, 3.2)
            .run(60.0, 3.2)
            .stop(6.0);
        let felt = worn(seed, script, &[]);
        assert!(tapped(&felt).is_empty(), "seed {seed}: {felt:?}");
    }
}

#[test]
fn taps_of_a_runner_who_stands_between_steps_are_found() {
    let script = Script::new().walk(6.0, 1.0).stop(6.0).stand(10.0);
    let taps = [(LEFT, 14.0), (LEFT, 14.35), (WAIST, 17.0), (WAIST, 17.5)];
    let felt = worn(3, script, &taps);
    assert_eq!(tapped(&felt), [LEFT, WAIST], "{felt:?}");
}

/// Blocks as a driver says them: `n` samples each, device time that began elsewhere, arriving `delay` late.
fn say(finder: &mut TapFinder, sensor: usize, from: u32, rate: f64, delay: f64, more: impl Fn(f64) -> f64) {
    let n = 8;
    let t = |k: u32| f64::from(from + k) / rate;
    let device = |k: u32| ((t(k) + 1000.0 + 77.0 * sensor as f64) * 1e9) as u64;
    let scale = 0.001;
    let values = (0..n).flat_map(|k| {
        let (x, z) = (more(t(k)) + tremor(t(k), sensor), 9.81);
        [x, 0.0, z, 0.0, 0.0, 0.0].map(|v| (v / scale).round() as f32)
    });
    let block = Block {
        stream: 2,
        seam: 1,
        epoch: 1,
        index: u64::from(from),
        first_ns: device(0),
        last_ns: device(n - 1),
        last_exact: true,
        arrived: SessionTime::from_secs(t(n - 1) + delay),
        late: Late::Live,
        after_gap: false,
        suspect: false,
        values: values.collect(),
    };
    finder.take(sensor, &Said::Block(block));
}

#[test]
fn blocks_that_arrive_late_and_unevenly_say_the_same() {
    let mut finder = TapFinder::new(2);
    let streaming = Streaming {
        stream: 2,
        seam: 1,
        quantity: Quantity::AccGyro,
        rate_hz: RATE,
        acc_scale: 0.001,
        gyro_scale: 0.001,
        acc_range: None,
        gyro_range: None,
        acc_clip: f32::INFINITY,
        gyro_clip: f32::INFINITY,
        acc_delay_s: 0.0,
        gyro_delay_s: 0.0,
        timing: Timing::Stamped,
    };
    let mut felt = Vec::new();
    for sensor in [0, 1] {
        finder.take(sensor, &Said::Streaming(streaming));
    }
    for b in 0..120_u32 {
        // One link is quick, the other late by up to 90 ms.
        say(&mut finder, 0, 8 * b, 104.0, 0.01, |_| 0.0);
        let delay = 0.02 + 0.07 * f64::from(b % 3) / 2.0;
        say(&mut finder, 1, 8 * b, 104.0, delay, |t| {
            tap(RATE, t, 4.0, 30.0) + tap(RATE, t, 4.4, 30.0)
        });
        felt.extend(finder.felt());
    }
    let [Felt::Tapped(t)] = felt[..] else {
        panic!("{felt:?}")
    };
    assert_eq!(t.sensor, 1);
    assert!((t.at.secs() - 4.4).abs() < 0.1, "{t:?}");
}

#[test]
fn one_pair_of_taps_counts_once_and_a_hole_is_no_rest() {
    let mut finder = TapFinder::new(1);
    let mut felt = Vec::new();
    for k in 0..624_u32 {
        let t = f64::from(k) / RATE;
        // Nothing is known from 2.0 to 2.9 s, so the taps right after it have no rest before them.
        if (2.0..2.9).contains(&t) {
            continue;
        }
        let more =
            tap(RATE, t, 3.0, 30.0) + tap(RATE, t, 3.3, 30.0) + tap(RATE, t, 5.0, 30.0) + tap(RATE, t, 5.3, 30.0);
        finder.sample(0, SessionTime::from_secs(t), [more, 0.0, 9.81]);
        felt.extend(finder.felt());
    }
    assert_eq!(felt.len(), 1, "{felt:?}");
    finder.again();
    assert_eq!(finder.felt(), None);
}
