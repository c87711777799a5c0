//! What measured runners show, the synthetic one must show too (signal design 19.3, section 6): otherwise estimators
//! would be tested on something easier than people.

use super::sensor::Body;
use super::timeline::Timeline;
use super::*;
use crate::model::units::{STANDARD_GRAVITY, deg, rad};
use crate::model::{Activity, Placement, Side};
use std::f64::consts::PI;

const RATE: f64 = 1000.0;

struct Run {
    foot: Vec<IdealSample>,
    strides: Vec<TrueStride>,
}

fn run(speed: f64, strike_deg: f64, seed: u64) -> Run {
    let subject = Subject {
        strike_rad: rad(strike_deg),
        creep_mps: 0.05,
        ..Subject::reference()
    };
    let script = if speed < 2.0 {
        Script::new().stand(3.0).walk(24.0, speed).stop(8.0)
    } else {
        Script::new()
            .stand(3.0)
            .accelerate(8.0, speed)
            .run(16.0, speed)
            .stop(14.0)
    };
    let sim = Simulation::new(SimConfig {
        seed,
        subject,
        script,
        ..SimConfig::default()
    });
    let foot = sim.ideal(Placement::LeftFoot, RATE).collect();
    let settled = |s: &TrueStride| s.side == Side::Left && s.ic.secs() > 15.0 && s.next_m.secs() < 26.0;
    let strides = sim.truth(0.0).strides.into_iter().filter(settled).collect();
    Run { foot, strides }
}

fn norm(v: [f64; 3]) -> f64 {
    (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt()
}

fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}

/// Second-order Butterworth, causal: the 30 Hz low-pass with which the table of section 6 was made, written out here so
/// that no estimator's code is used.
fn low_passed(x: &[f64], hz: f64) -> Vec<f64> {
    let k = (PI * hz / RATE).tan();
    let norm = 1.0 / (1.0 + 2.0_f64.sqrt() * k + k * k);
    let (b, a1, a2) = (
        k * k * norm,
        2.0 * (k * k - 1.0) * norm,
        (1.0 - 2.0_f64.sqrt() * k + k * k) * norm,
    );
    let mut y = vec![x[0], x[0]];
    for i in 2..x.len() {
        y.push(b * (x[i] + 2.0 * x[i - 1] + x[i - 2]) - a1 * y[i - 1] - a2 * y[i - 2]);
    }
    y
}

/// Speeds and strikes people run with; nobody sprints on the heel with the toes 20° up.
const CASES: [(f64, f64); 10] = [
    (2.2, 11.0),
    (2.5, 8.0),
    (2.5, 20.0),
    (3.3, 11.0),
    (3.3, 3.0),
    (3.3, -8.0),
    (4.5, 10.0),
    (4.5, -6.0),
    (5.5, 8.0),
    (6.4, -7.0),
];

#[test]
fn the_foot_at_mid_stance_is_as_restless_as_a_real_one() {
    for (speed, strike) in CASES {
        let run = run(speed, strike, 4);
        let at = |s: &TrueStride| &run.foot[(s.m.secs() * RATE).round() as usize];
        let turning = median(run.strides.iter().map(|s| norm(at(s).gyro)).collect());
        let excess = median(run.strides.iter().map(|s| norm(at(s).acc) - STANDARD_GRAVITY).collect());
        let pitch = deg(median(run.strides.iter().map(|s| s.foot_pitch_m).collect()));
        assert!((0.4..=1.8).contains(&turning), "{speed} m/s, {strike}°: |ω| {turning}");
        assert!(
            (1.5..=4.0).contains(&excess),
            "{speed} m/s, {strike}°: |f| − g {excess}"
        );
        assert!((-8.0..=-4.0).contains(&pitch), "{speed} m/s, {strike}°: pitch {pitch}");
    }
}

#[test]
fn the_pitch_rate_minima_lie_where_they_were_measured() {
    // Speed, expected ic₀ − ic, tc₀ − tc (section 6, seed values for rear-foot strikes; forefoot from the model).
    let table = [
        (2.5, 11.0, 9.0, -29.0),
        (3.5, 11.0, 9.0, -10.0),
        (4.5, 10.0, 1.0, -14.0),
        (3.3, -8.0, -29.0, -13.8),
    ];
    for (speed, strike, ic_bias, tc_bias) in table {
        let run = run(speed, strike, 9);
        let rate: Vec<f64> = run.foot.iter().map(|s| -s.gyro[1]).collect();
        // Read 7.5 ms back, the delay of the low-pass.
        let smooth = low_passed(&rate, 30.0);
        let lowest = |from: f64, to: f64, x: &[f64]| {
            let (a, b) = ((from * RATE) as usize, (to * RATE) as usize);
            let i = (a..b).min_by(|p, q| x[*p].total_cmp(&x[*q])).expect("not empty");
            i as f64 / RATE
        };
        let of = |x: &[f64], back: f64, which: &dyn Fn(&TrueStride) -> (f64, f64, f64)| {
            median(
                run.strides
                    .iter()
                    .map(|s| {
                        let (from, to, event) = which(s);
                        1e3 * (lowest(from, to, x) - back - event)
                    })
                    .collect(),
            )
        };
        let around_ic = |s: &TrueStride| (s.ic.secs() - 0.15, s.m.secs(), s.ic.secs());
        let around_tc = |s: &TrueStride| (s.m.secs(), s.tc.secs() + 0.1, s.tc.secs());
        for (x, back) in [(&rate, 0.0), (&smooth, 0.0075)] {
            let (ic, tc) = (of(x, back, &around_ic), of(x, back, &around_tc));
            assert!((ic - ic_bias).abs() <= 10.0, "{speed} m/s, {strike}°: ic {ic} ms");
            assert!((tc - tc_bias).abs() <= 10.0, "{speed} m/s, {strike}°: tc {tc} ms");
        }
    }
}

#[test]
fn landings_are_as_hard_and_swings_as_fast_as_published() {
    for (speed, strike) in CASES {
        let run = run(speed, strike, 2);
        for stride in &run.strides {
            let window = |from: f64, to: f64| &run.foot[(from * RATE) as usize..(to * RATE) as usize];
            let landing = window(stride.ic.secs() - 0.01, stride.ic.secs() + 0.06);
            let peak = landing.iter().map(|s| norm(s.acc)).fold(0.0, f64::max) / STANDARD_GRAVITY;
            assert!((8.0..=72.0).contains(&peak), "{speed} m/s, {strike}°: {peak} g");
            let swing = window(stride.tc.secs(), stride.next_ic.secs());
            let toe_up = swing.iter().map(|s| -s.gyro[1]).fold(0.0, f64::max);
            assert!((4.0..=35.0).contains(&toe_up), "{speed} m/s, {strike}°: {toe_up} rad/s");
        }
    }
}

#[test]
fn walking_has_double_support_and_running_has_flight() {
    for speed in [0.9, 1.3, 1.8] {
        for stride in run(speed, 11.0, 6).strides {
            let duty = stride.contact_time / stride.stride_time;
            assert_eq!(stride.activity, Activity::Walking);
            assert!((0.57..=0.68).contains(&duty), "{speed} m/s: {duty}");
            assert!(stride.flight_time.is_some_and(|f| f < -0.03));
        }
    }
    for speed in [2.0, 3.3, 6.5] {
        for stride in run(speed, 8.0, 6).strides {
            assert_eq!(stride.activity, Activity::Running);
            assert!(stride.contact_time / stride.stride_time < 0.5);
            assert!(
                stride.flight_time.is_some_and(|f| f > 0.005),
                "{speed}: {:?}",
                stride.flight_time
            );
        }
    }
}

#[test]
fn strides_are_as_long_and_as_quick_as_the_script_says() {
    for speed in [1.1, 1.7, 2.4, 3.3, 5.0, 6.5] {
        let run = run(speed, 8.0, 8);
        let mean = |f: &dyn Fn(&TrueStride) -> f64| run.strides.iter().map(f).sum::<f64>() / run.strides.len() as f64;
        assert!(
            (mean(&|s| s.speed) / speed - 1.0).abs() < 0.02,
            "{speed}: {}",
            mean(&|s| s.speed)
        );
        let cv = |f: &dyn Fn(&TrueStride) -> f64| {
            let m = mean(f);
            mean(&|s| (f(s) - m) * (f(s) - m)).sqrt() / m
        };
        // Drawn with 1 and 1.5 %; a dozen strides tell that to a factor of two.
        assert!(
            (0.004..=0.02).contains(&cv(&|s| s.stride_time)),
            "{speed}: {}",
            cv(&|s| s.stride_time)
        );
        assert!(
            (0.005..=0.03).contains(&cv(&|s| s.length)),
            "{speed}: {}",
            cv(&|s| s.length)
        );
    }
}

#[test]
fn overstriding_reaches_further_at_the_same_speed() {
    let form = Form {
        reach_m: 0.08,
        cadence_scale: 0.94,
        strike_rad: rad(6.0),
        ..Form::USUAL
    };
    let script = Script::new()
        .stand(3.0)
        .run(22.0, 3.1)
        .run_in_form(20.0, 3.1, form, 4.0)
        .stop(12.0);
    let sim = Simulation::new(SimConfig {
        script,
        ..SimConfig::default()
    });
    let truth = sim.truth(0.0);
    let between = |from: f64, to: f64, f: &dyn Fn(&TrueStride) -> f64| {
        median(
            truth
                .strides
                .iter()
                .filter(|s| s.ic.secs() > from && s.ic.secs() < to)
                .map(f)
                .collect(),
        )
    };
    let change = |f: &dyn Fn(&TrueStride) -> f64| between(31.0, 43.0, f) - between(14.0, 24.0, f);
    assert!(change(&|s| s.speed).abs() < 0.05);
    assert!(change(&|s| s.cadence) < -8.0);
    assert!(change(&|s| s.overstride) > 0.05);
    assert!(
        change(&|s| s.shank_angle_ic) > rad(3.0),
        "{}",
        deg(change(&|s| s.shank_angle_ic))
    );
    assert!(change(&|s| s.foot_strike_angle) > rad(4.0));
}

#[test]
fn slopes_and_turns_are_in_the_truth() {
    let script = Script::new()
        .stand(3.0)
        .run(10.0, 3.0)
        .slope(20.0, -0.06)
        .run(8.0, 3.0)
        .turn(rad(200.0), 6.0)
        .stop(10.0);
    let truth = Simulation::new(SimConfig {
        script,
        ..SimConfig::default()
    })
    .truth(0.0);
    let downhill: Vec<_> = truth
        .strides
        .iter()
        .filter(|s| s.ic.secs() > 20.0 && s.next_m.secs() < 31.0)
        .collect();
    assert!(!downhill.is_empty());
    assert!(downhill.iter().all(|s| (s.slope - libm::atan(-0.06)).abs() < 0.005));
    let turning = truth.strides.iter().filter(|s| s.turning).count();
    assert!(turning > 8, "{turning}");
    let turned: f64 = truth
        .of_side(Side::Left)
        .map(|s| s.yaw_rate * s.next_m.since(s.m))
        .sum();
    assert!((turned - rad(200.0)).abs() < rad(15.0), "{}", deg(turned));
    let on_belt = |ground| {
        Simulation::new(SimConfig {
            ground,
            script: Script::new().stand(2.0).run(30.0, 3.0),
            ..SimConfig::default()
        })
    };
    let belt = on_belt(Ground::Belt { speed: 3.0 });
    assert!(
        belt.samples(Placement::LeftFoot)
            .eq(on_belt(Ground::Road).samples(Placement::LeftFoot))
    );
    let point = belt.truth(10.0).pelvis[250];
    assert!(point.velocity[0].abs() < 0.3, "{}", point.velocity[0]);
}

#[test]
fn nobody_flies_apart() {
    let mut configs: Vec<SimConfig> = (0..12).map(presets::random_subject).collect();
    configs.push(presets::demo());
    for config in configs {
        let timeline = Timeline::new(&config.subject, &config.script, config.seed);
        let mut body = Body::new(&config.subject, &timeline);
        for i in 0..(timeline.end * 150.0) as usize {
            let t = i as f64 / 150.0;
            let pelvis = body.segment(Placement::Sacrum, t);
            assert!(
                (-11.5..25.0).contains(&pelvis.acceleration.z),
                "pelvis {} at {t}",
                pelvis.acceleration.z
            );
            for placement in &Placement::ALL[..4] {
                let k = body.segment(*placement, t);
                let lever = super::mount::nominal_lever(placement.segment());
                assert!(
                    k.specific_force(&lever).norm() < 75.0 * STANDARD_GRAVITY,
                    "{placement:?} at {t}"
                );
                assert!(k.omega.norm() < 30.0, "{placement:?} at {t}: {}", k.omega.norm());
            }
        }
    }
}

#[test]
fn the_demonstration_is_what_it_promises() {
    let sim = Simulation::new(presets::demo());
    assert!((sim.duration_s() - 720.0).abs() < 2.0, "{}", sim.duration_s());
    let truth = sim.truth(0.0);
    assert!((1600..2200).contains(&truth.strides.len()), "{}", truth.strides.len());
    assert!(truth.strides.windows(2).all(|w| w[0].ic <= w[1].ic));
    let between = |from: f64, to: f64, side: Side, f: &dyn Fn(&TrueStride) -> f64| {
        median(
            truth
                .of_side(side)
                .filter(|s| s.ic.secs() > from && s.ic.secs() < to)
                .map(f)
                .collect(),
        )
    };
    let fresh = (180.0, 280.0);
    let over = (310.0, 385.0);
    let tired = (640.0, 685.0);
    let change = |when: (f64, f64), side, f: &dyn Fn(&TrueStride) -> f64| {
        between(when.0, when.1, side, f) - between(fresh.0, fresh.1, side, f)
    };
    assert!(change(over, Side::Left, &|s| s.overstride) > 0.06);
    assert!(change(over, Side::Left, &|s| s.cadence) < -9.0);
    assert!(change(over, Side::Left, &|s| s.speed).abs() < 0.05);
    assert!(change(tired, Side::Right, &|s| s.pelvis.drop) > rad(2.0));
    assert!(change(tired, Side::Left, &|s| s.pelvis.drop) < rad(1.0));
    assert!(change(tired, Side::Left, &|s| s.pelvis.tilt_mean) > rad(2.5));
    assert!(change(tired, Side::Left, &|s| s.contact_time) > 0.012);
    let lost = |p: Placement| {
        let all = sim.samples(p).count() as f64;
        let arrived = sim
            .events()
            .filter(|e| matches!(e, crate::model::SensorEvent::Sample(q, _) if *q == p))
            .count();
        1.0 - arrived as f64 / all
    };
    let (left, right) = (lost(Placement::LeftFoot), lost(Placement::RightFoot));
    assert!(left < 0.012, "{left}");
    assert!((0.045..0.08).contains(&right), "{right}");
}

#[test]
fn every_case_of_the_sweep_has_a_name_of_its_own_and_strides() {
    let cases = presets::sweep(1);
    let names: std::collections::BTreeSet<_> = cases.iter().map(|c| c.name.clone()).collect();
    assert_eq!(names.len(), cases.len());
    for case in cases.into_iter().filter(|c| !c.name.starts_with("mount")) {
        let sim = Simulation::new(SimConfig {
            placements: Vec::new(),
            ..case.config
        });
        let truth = sim.truth(0.0);
        let straight = truth.strides.iter().filter(|s| !s.at_rest && !s.turning).count();
        assert!(straight > 30, "{}: {straight}", case.name);
        let finite = truth
            .strides
            .iter()
            .all(|s| s.length.is_finite() && s.pelvis.drop.is_finite() && s.overstride.is_finite());
        assert!(finite, "{}", case.name);
    }
}

#[test]
fn announced_standing_is_still() {
    let script = Script::new()
        .stand(5.0)
        .walk(6.0, 1.3)
        .stop(6.0)
        .stand(4.0)
        .run(10.0, 2.6)
        .stop(12.0)
        .stand(4.0);
    let placements = Placement::ALL.to_vec();
    let sim = Simulation::new(SimConfig {
        script,
        placements,
        ..SimConfig::default()
    });
    let standing: Vec<_> = sim
        .events()
        .filter_map(|e| match e {
            crate::model::SensorEvent::Standing { from, to } => Some((from, to)),
            _ => None,
        })
        .collect();
    assert_eq!(standing.len(), 3);
    let mut looked = 0;
    for placement in Placement::ALL {
        for sample in sim.samples(placement).map(|raw| sim.in_si(placement, &raw)) {
            if standing
                .iter()
                .any(|(from, to)| sample.t.since(*from) > 0.01 && to.since(sample.t) > 0.01)
            {
                assert!(
                    sample.gyro.norm() < 0.01,
                    "{placement:?} at {}: {}",
                    sample.t.secs(),
                    sample.gyro.norm()
                );
                assert!((sample.acc.norm() - STANDARD_GRAVITY).abs() < 0.05);
                looked += 1;
            }
        }
    }
    assert!(looked > 8000, "{looked}");
}
