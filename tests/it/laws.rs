//! Laws of the whole loop, on real recordings: what must not change anything, and what may only make strides fewer.

use crate::support;
use lope::interchange::Recording;
use lope::metrics::{MetricId, StrideRecord};
use lope::model::{ClipFlags, ImuSample, Placement, Sensor, SensorEvent, Side, Vec3};
use lope::pipeline::{Output, Pipeline, PipelineConfig};
use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};

/// A recording held in memory, so that it can be run many times.
struct Held {
    config: PipelineConfig,
    events: Vec<SensorEvent>,
}

fn held(trial: &str) -> Option<Held> {
    let folder = support::shared("data")?.join(trial);
    let recording = Recording::open(&folder, None).expect("recording opens");
    let mut stream = recording.stream().expect("streams");
    let mut events = Vec::new();
    while let Some(event) = stream.next_event().expect("reads") {
        events.push(event);
    }
    let config = PipelineConfig {
        sensors: recording.configs(),
        athlete: recording.athlete(),
        ..PipelineConfig::default()
    };
    Some(Held { config, events })
}

fn run(config: &PipelineConfig, events: impl IntoIterator<Item = SensorEvent>) -> Vec<StrideRecord> {
    let mut pipeline = Pipeline::new(config.clone());
    let mut out = Vec::new();
    for event in events {
        pipeline.push(&event, &mut out);
    }
    pipeline.flush(&mut out);
    let flushed = out.len();
    pipeline.flush(&mut out);
    assert_eq!(out.len(), flushed, "flushing twice adds nothing");
    strides(out)
}

fn strides(out: Vec<Output>) -> Vec<StrideRecord> {
    out.into_iter()
        .filter_map(|o| if let Output::Stride(r) = o { Some(*r) } else { None })
        .collect()
}

fn map_samples(events: &[SensorEvent], f: impl Fn(Placement, &ImuSample) -> ImuSample) -> Vec<SensorEvent> {
    events
        .iter()
        .map(|e| match e {
            SensorEvent::Sample(p, s) => SensorEvent::Sample(*p, f(*p, s)),
            other => *other,
        })
        .collect()
}

/// The 24 turns of a box into itself and some in between, seeded.
fn mounts() -> Vec<Rotation3<f64>> {
    let mut all = Vec::new();
    for x in 0..4 {
        for y in 0..4 {
            for z in 0..4 {
                let quarter = |k: i32| f64::from(k) * std::f64::consts::FRAC_PI_2;
                let r = Rotation3::from_euler_angles(quarter(x), quarter(y), quarter(z));
                if all
                    .iter()
                    .all(|a: &Rotation3<f64>| (a.matrix() - r.matrix()).abs().max() > 1e-6)
                {
                    all.push(r);
                }
            }
        }
    }
    assert_eq!(all.len(), 24);
    // Additive recurrences with irrational steps: even cover of the turns, the same on every machine.
    for k in 1..=16_u32 {
        let u = |step: f64| (f64::from(k) * step).fract();
        let (a, b, c) = (u(0.754_877_666), u(0.569_840_290_998), u(0.438_201_8));
        let (two_pi, s1, s2) = (std::f64::consts::TAU, (1.0 - a).sqrt(), a.sqrt());
        let q = nalgebra::Quaternion::new(
            s2 * (two_pi * c).cos(),
            s1 * (two_pi * b).sin(),
            s1 * (two_pi * b).cos(),
            s2 * (two_pi * c).sin(),
        );
        all.push(UnitQuaternion::from_quaternion(q).to_rotation_matrix());
    }
    all
}

#[test]
fn any_strapping_of_the_pods_gives_the_same_run() {
    let Some(held) = held("rbds/rbds008_t35_pod") else {
        return;
    };
    let reference = run(&held.config, held.events.iter().copied());
    assert!(reference.len() > 60, "{}", reference.len());
    for (k, mount) in mounts().iter().enumerate() {
        // Clip flags belong to sensor axes and the run has no clipped samples; a turned pod keeps none.
        let turned = map_samples(&held.events, |_, s| ImuSample {
            acc: Vec3::from_raw(mount * s.acc.v),
            gyro: Vec3::from_raw(mount * s.gyro.v),
            clip: ClipFlags::NONE,
            ..*s
        });
        let records = run(&held.config, turned);
        assert_eq!(records.len(), reference.len(), "mount {k}");
        for (a, b) in reference.iter().zip(&records) {
            let late = a.stride.start.secs() > 14.0;
            for (id, relative, absolute) in [
                (MetricId::StrideLength, 0.01, 0.0),
                (MetricId::Cadence, 0.01, 0.0),
                (MetricId::ContactTime, 0.01, 0.0),
                (MetricId::FootStrikeAngle, 0.0, 0.5_f64.to_radians()),
                (MetricId::ShankAngleIc, 0.0, 0.5_f64.to_radians()),
                (MetricId::PelvisTilt, 0.0, 0.5_f64.to_radians()),
                (MetricId::PelvisObliquityRange, 0.0, 0.5_f64.to_radians()),
                (MetricId::PelvisOscillation, 0.01, 0.0),
                (MetricId::OverstrideDistance, 0.0, 0.005),
            ] {
                let (Some(x), Some(y)) = (a.metrics.value(id), b.metrics.value(id)) else {
                    assert_eq!(
                        a.metrics.value(id).is_some(),
                        b.metrics.value(id).is_some(),
                        "mount {k}, {id:?}"
                    );
                    continue;
                };
                let slack = relative * x.abs() + absolute;
                assert!(
                    !late || (x - y).abs() <= slack,
                    "mount {k}, {id:?} at {:.2} s: {x} and {y}",
                    a.stride.start.secs()
                );
            }
        }
    }
}

#[test]
fn a_prefix_of_the_input_gives_a_prefix_of_the_output() {
    let Some(held) = held("rbds/rbds002_t25_pod") else {
        return;
    };
    let mut pipeline = Pipeline::new(held.config.clone());
    let mut whole = Vec::new();
    let mut lengths = Vec::with_capacity(held.events.len());
    for event in &held.events {
        pipeline.push(event, &mut whole);
        lengths.push(whole.len());
    }
    for share in [3, 5, 8, 9] {
        let cut = held.events.len() * share / 10;
        let mut part = Vec::new();
        let mut pipeline = Pipeline::new(held.config.clone());
        held.events[..cut].iter().for_each(|e| pipeline.push(e, &mut part));
        assert_eq!(part.len(), lengths[cut - 1]);
        assert_eq!(part, whole[..part.len()], "the first {share}0 %");
    }
}

#[test]
fn the_mirrored_runner_has_left_and_right_exchanged() {
    let Some(held) = held("rbds/rbds002_t45_clean") else {
        return;
    };
    let reference = run(&held.config, held.events.iter().copied());
    // Mirror at the plane of symmetry: y of vectors changes sign; angular rate is a pseudovector, so x and z do.
    let swap = |p: Placement| match (p, p.side()) {
        (Placement::LeftFoot | Placement::RightFoot, Some(side)) => Placement::foot(side.opposite()),
        (Placement::LeftShank | Placement::RightShank, Some(side)) => Placement::shank(side.opposite()),
        _ => p,
    };
    let mirrored: Vec<SensorEvent> = held
        .events
        .iter()
        .map(|e| match e {
            SensorEvent::Sample(p, s) => SensorEvent::Sample(
                swap(*p),
                ImuSample {
                    acc: Vec3::new(s.acc.v.x, -s.acc.v.y, s.acc.v.z),
                    gyro: Vec3::new(-s.gyro.v.x, s.gyro.v.y, -s.gyro.v.z),
                    ..*s
                },
            ),
            other => *other,
        })
        .collect();
    let mut config = held.config.clone();
    config.sensors.iter_mut().for_each(|c| c.placement = swap(c.placement));
    let records = run(&config, mirrored);
    let of = |records: &[StrideRecord], side: Side| -> Vec<StrideRecord> {
        records
            .iter()
            .filter(|r| r.stride.side == Some(side))
            .cloned()
            .collect()
    };
    for side in [Side::Left, Side::Right] {
        let (a, b) = (of(&reference, side), of(&records, side.opposite()));
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            for (id, value) in a.metrics.iter() {
                let Ok(x) = value else { continue };
                let y = b.metrics.value(id);
                assert!(
                    y.is_some_and(|y| (x - y).abs() < 1e-5 * (1.0 + x.abs())),
                    "{id:?}: {x} and {y:?}"
                );
            }
        }
    }
}

#[test]
fn missing_samples_make_strides_fewer_never_wrong() {
    let Some(held) = held("rbds/rbds008_t35_clean") else {
        return;
    };
    let reference = run(&held.config, held.events.iter().copied());
    // A hole of 150 ms in the left foot every 4.3 s, at every phase of the stride in turn.
    let cut: Vec<SensorEvent> = held
        .events
        .iter()
        .filter(|e| match e {
            SensorEvent::Sample(Placement::LeftFoot, s) => s.t.secs() < 10.0 || s.t.secs() % 4.3 > 0.15,
            _ => true,
        })
        .copied()
        .collect();
    let records = run(&held.config, cut);
    let left = |r: &&StrideRecord| r.stride.side == Some(Side::Left);
    assert!(records.iter().filter(left).count() < reference.iter().filter(left).count());
    for record in records
        .iter()
        .filter(left)
        .filter(|r| r.metrics.value(MetricId::StrideLength).is_some())
    {
        let near = reference
            .iter()
            .filter(left)
            .find(|r| (r.stride.start.since(record.stride.start)).abs() < 0.03);
        let Some(near) = near else {
            panic!("a stride at {:.2} s that is not there", record.stride.start.secs())
        };
        let (x, y) = (
            near.metrics.value(MetricId::StrideLength),
            record.metrics.value(MetricId::StrideLength),
        );
        let (Some(x), Some(y)) = (x, y) else { continue };
        // Attitude starts anew from the attitude filter after a hole; within the spread of one stride.
        assert!(
            (x - y).abs() < 0.05 * x,
            "at {:.2} s: {x:.3} and {y:.3} m",
            record.stride.start.secs()
        );
    }
}

#[test]
fn a_gyroscope_offset_is_learned() {
    let Some(held) = held("rbds/rbds002_t25_clean") else {
        return;
    };
    let reference = run(&held.config, held.events.iter().copied());
    let offset: Vec3<Sensor> = Vec3::from_raw(Vector3::new(0.5, -0.3, 0.4).map(f64::to_radians));
    let off = map_samples(&held.events, |_, s| ImuSample {
        gyro: s.gyro + offset,
        ..*s
    });
    let records = run(&held.config, off);
    assert_eq!(records.len(), reference.len());
    // Six seconds of standing and a few strides are enough to learn it.
    let running = |r: &&StrideRecord| r.stride.start.secs() > 12.0;
    for (a, b) in reference.iter().filter(running).zip(records.iter().filter(running)) {
        if let (Some(x), Some(y)) = (
            a.metrics.value(MetricId::StrideLength),
            b.metrics.value(MetricId::StrideLength),
        ) {
            assert!(
                (x - y).abs() < 0.003 * x + 1e-3,
                "at {:.2} s: {x:.4} and {y:.4} m",
                a.stride.start.secs()
            );
        }
    }
}

#[test]
fn any_subset_of_sensors_gives_what_it_can_and_says_why_not_the_rest() {
    let Some(held) = held("rbds/rbds002_t25_pod") else {
        return;
    };
    let only = |places: &[Placement]| {
        let mut config = held.config.clone();
        config.sensors.retain(|s| places.contains(&s.placement));
        let events = held.events.iter().copied().filter(|e| match e {
            SensorEvent::Sample(p, _) => places.contains(p),
            _ => true,
        });
        run(&config, events.collect::<Vec<_>>())
    };
    let share = |records: &[StrideRecord], id: MetricId| {
        records.iter().filter(|r| r.metrics.value(id).is_some()).count() as f64 / records.len().max(1) as f64
    };
    let one = only(&[Placement::RightFoot]);
    assert!(one.len() > 30 && share(&one, MetricId::StrideLength) > 0.95 && share(&one, MetricId::FlightTime) == 0.0);
    let feet = only(&[Placement::LeftFoot, Placement::RightFoot]);
    assert!(share(&feet, MetricId::FlightTime) > 0.9 && share(&feet, MetricId::PelvisTilt) == 0.0);
    let sacrum = only(&[Placement::Sacrum]);
    assert!(sacrum.len() > 25, "{}", sacrum.len());
    assert!(share(&sacrum, MetricId::PelvisTiltRange) > 0.8 && share(&sacrum, MetricId::ContactTime) == 0.0);
    assert!(share(&sacrum, MetricId::StrideLength) == 0.0 && share(&sacrum, MetricId::Cadence) == 1.0);
    let pair = only(&[Placement::RightFoot, Placement::Sacrum]);
    assert!(share(&pair, MetricId::OverstrideDistance) > 0.8 && share(&pair, MetricId::PelvisTilt) > 0.8);
}

/// Kept apart from the laws: turning a sensor must not change what a mirror would.
#[test]
fn the_mounts_are_turns_not_mirrors() {
    for m in mounts() {
        assert!((m.matrix().determinant() - 1.0).abs() < 1e-9);
        assert!((m.matrix() * m.matrix().transpose() - Matrix3::identity()).abs().max() < 1e-9);
    }
}
