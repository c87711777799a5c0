//! Laws the synthetic runner must obey, whatever the subject: physics, smoothness, symmetry.

use super::jet::Jet;
use super::pelvis::Motion;
use super::sensor::Body;
use super::timeline::Timeline;
use super::*;
use crate::model::units::{STANDARD_GRAVITY, rad};
use crate::model::{Placement, Side};
use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};

/// Standing, walking, running, a turn, a slope, stopping: everything a script can ask for, in a minute.
fn varied() -> Script {
    Script::new()
        .stand(4.0)
        .walk(8.0, 1.3)
        .run(10.0, 3.2)
        .turn(rad(120.0), 9.0)
        .slope(8.0, 0.05)
        .run(6.0, 4.5)
        .stop(12.0)
        .stand(3.0)
}

fn people() -> Vec<Subject> {
    let forefoot = Subject {
        strike_rad: rad(-7.0),
        ..Subject::reference()
    };
    vec![Subject::reference(), forefoot, Subject::drawn(11)]
}

fn simulation(subject: Subject, script: Script) -> Simulation {
    let placements = Placement::ALL.to_vec();
    Simulation::new(SimConfig {
        subject,
        script,
        placements,
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    })
}

fn machine() -> Subject {
    Subject {
        variability: 0.0,
        creep_sd_mps: 0.0,
        ..Subject::reference()
    }
}

fn steady(speed: f64) -> Script {
    Script::new()
        .stand(3.0)
        .accelerate(4.0, speed)
        .run(20.0, speed)
        .stop(12.0)
}

#[test]
fn integrating_the_felt_force_twice_returns_the_position_within_a_millimetre_a_stride() {
    let mut feet = [Vec::new(), Vec::new()];
    for subject in people() {
        let sim = simulation(subject, varied());
        let truth = sim.truth(0.0);
        for placement in Placement::ALL {
            // The shock of a landing lasts 10 ms: at 800 Hz no quadrature sees its corners well enough to give back a
            // millimetre after a stride. Five times finer it must, and at 800 Hz wherever there is no shock.
            let rates: &[f64] = if placement == Placement::Sacrum {
                &[800.0]
            } else {
                &[800.0, 4000.0]
            };
            for &hz in rates {
                let ideal: Vec<IdealSample> = sim.ideal(placement, hz).collect();
                for stride in truth
                    .strides
                    .iter()
                    .filter(|s| placement.side().is_none_or(|side| side == s.side))
                {
                    let range = (stride.ic.secs() * hz) as usize..(stride.next_ic.secs() * hz) as usize + 1;
                    let Some(samples) = ideal.get(range) else { continue };
                    let (position, attitude) = integration_errors(samples, 1.0 / hz);
                    let at = format!(
                        "{placement:?}, {hz} Hz, {:.2} s: {position} m, {attitude} rad",
                        stride.ic.secs()
                    );
                    assert!(attitude < 1e-3, "{at}");
                    if placement == Placement::Sacrum || hz > 3000.0 {
                        assert!(position < 1e-3, "{at}");
                    }
                    if placement != Placement::Sacrum {
                        feet[usize::from(hz > 3000.0)].push(position);
                    }
                }
            }
        }
    }
    let [coarse, fine] = feet.map(|errors| errors.iter().sum::<f64>() / errors.len() as f64);
    // Second order: what is left is the quadrature's, not a contradiction between force and position.
    assert!(coarse < 4e-3 && fine < coarse / 10.0, "{coarse} {fine}");
}

/// Errors of position from the force in true attitude, and of attitude from the rates, at the end of the samples.
fn integration_errors(samples: &[IdealSample], dt: f64) -> (f64, f64) {
    let matrix = |s: &IdealSample| Matrix3::from_fn(|r, c| s.level_from_sensor[r][c]);
    let acceleration = |s: &IdealSample| matrix(s) * Vector3::from(s.acc) - Vector3::new(0.0, 0.0, STANDARD_GRAVITY);
    let (first, last) = (samples[0], samples[samples.len() - 1]);
    let (mut p, mut v) = (Vector3::from(first.position), Vector3::from(first.velocity));
    let mut q = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(matrix(&first)));
    let clamp = |i: usize, by: isize| i.saturating_add_signed(by).min(samples.len() - 1);
    for i in 0..samples.len() - 1 {
        // Cubic through four neighbours: ∫a over the middle interval, and the shape of a for the second integral.
        let [a, b, c, d] = [-1, 0, 1, 2].map(|by| acceleration(&samples[clamp(i, by)]));
        let gained = (b * 13.0 + c * 13.0 - a - d) * (dt / 24.0);
        p += v * dt + (b * 2.0 + c) * (dt * dt / 6.0);
        v += gained;
        let turn = (Vector3::from(samples[i].gyro) + Vector3::from(samples[i + 1].gyro)) * (0.5 * dt);
        q *= UnitQuaternion::from_scaled_axis(turn);
    }
    let end = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(matrix(&last)));
    ((p - Vector3::from(last.position)).norm(), q.angle_to(&end))
}

#[test]
fn motion_is_twice_continuously_differentiable_at_every_knot() {
    for subject in people() {
        let timeline = Timeline::new(&subject, &varied(), 3);
        let mut knots: Vec<f64> = timeline.intervals.iter().flat_map(|i| [i.from.t, i.to.t]).collect();
        for step in timeline.steps.iter().flatten() {
            let shock = step.ic + step.sole_delay_s;
            knots.extend([step.ic, step.ic + step.slap_delay_s, shock, shock + step.impact_s]);
            knots.extend(step.tc.into_iter().flat_map(|tc| [tc, tc - step.push_lead_s]));
        }
        // And a thousand instants in between, for the knots nobody thought of.
        knots.extend((0..1000).map(|i| timeline.end * (f64::from(i) + 0.37) / 1000.0));
        let mut body = Body::new(&subject, &timeline);
        let h = 1e-9;
        for t in knots.into_iter().filter(|&t| t > 0.1 && t < timeline.end - 0.1) {
            for placement in Placement::ALL {
                let (a, b) = (body.segment(placement, t - h), body.segment(placement, t + h));
                let speed = a.velocity.norm() + a.omega.norm();
                let jumps = [
                    (a.position - b.position).norm(),
                    (a.level_from_segment - b.level_from_segment).norm(),
                    (a.velocity - b.velocity).norm(),
                    (a.omega - b.omega).norm(),
                    (a.acceleration - b.acceleration).norm(),
                    (a.omega_dot - b.omega_dot).norm(),
                ];
                // Between the two instants things move on: by the speed, by up to 6000 m/s² and rad/s², by up to 10⁶ of
                // their derivatives.
                let allowed = [speed, 2.0 * speed, 6e3, 6e3, 1e6, 1e6].map(|rate| 2.0 * h * rate + 1e-7);
                for (jump, allowed) in jumps.iter().zip(allowed) {
                    assert!(*jump < allowed, "{placement:?} at {t}: {jumps:?}");
                }
            }
        }
    }
}

#[test]
fn flight_is_free_fall_and_force_begins_and_ends_with_contact() {
    let subject = machine();
    let timeline = Timeline::new(&subject, &steady(3.3), 1);
    let height = |i: &pelvis::Interval, t: f64| -> Jet { i.pose(t, &timeline.path).origin[2] };
    let mut flights = 0;
    for interval in timeline.intervals.iter().filter(|i| i.from.t > 12.0 && i.to.t < 22.0) {
        let Motion::Run { contact_s } = interval.motion else {
            panic!("steady running")
        };
        let (ic, tc, end) = (interval.from.t, interval.from.t + contact_s, interval.to.t);
        let energy = |t: f64| {
            let z = height(interval, t);
            0.5 * z.d * z.d + STANDARD_GRAVITY * z.v
        };
        let at_tc = energy(tc);
        for i in 0..=50 {
            let t = tc + (end - tc) * f64::from(i) / 50.0;
            assert!((energy(t) - at_tc).abs() < 1e-9);
            assert!(
                (height(interval, t).a + STANDARD_GRAVITY).abs() < 1e-9,
                "no force in flight"
            );
        }
        for i in 1..50 {
            let t = ic + contact_s * f64::from(i) / 50.0;
            assert!(
                height(interval, t).a + STANDARD_GRAVITY > 0.5,
                "force throughout the contact"
            );
        }
        flights += 1;
    }
    assert!(flights > 20);
}

#[test]
fn oscillation_force_and_stiffness_equal_the_closed_forms() {
    let subject = machine();
    let sim = simulation(subject.clone(), steady(3.3));
    let truth = sim.truth(0.0);
    let timeline = Timeline::new(&subject, &steady(3.3), sim.config().seed);
    let settled: Vec<_> = truth
        .strides
        .iter()
        .filter(|s| s.ic.secs() > 12.0 && s.next_m.secs() < 22.0)
        .collect();
    assert!(settled.len() > 20);
    for stride in settled {
        let interval = &timeline.intervals[timeline.interval_at(stride.ic.secs() + 1e-6)];
        let Motion::Run { contact_s } = interval.motion else {
            panic!("steady running")
        };
        let flight = interval.to.t - interval.from.t - contact_s;
        let model = spring_model(70.0, 1.75, stride.speed, contact_s, flight).expect("running");
        let (half_sine, second) = interval.force_per_mass(contact_s);
        assert!((half_sine * 70.0 / model.force_n - 1.0).abs() < 1e-9);
        assert!(second.abs() < 1e-9 * half_sine, "alike strides need no second harmonic");
        assert!((stride.pelvis.oscillation / model.oscillation_m - 1.0).abs() < 1e-9);
        let peak = interval.pose(interval.from.t + 0.5 * contact_s, &timeline.path).origin[2].a;
        assert!((70.0 * (peak + STANDARD_GRAVITY) / model.force_n - 1.0).abs() < 1e-9);
        // Session times are whole nanoseconds: the truth's own spring is a little coarser.
        let spring = stride.spring.expect("running");
        assert!((spring.k_vert / model.k_vert - 1.0).abs() < 1e-6 && (spring.k_leg / model.k_leg - 1.0).abs() < 1e-6);
    }
}

#[test]
fn the_truth_does_not_know_the_errors() {
    let with = |faults: Faults, mounting: Mounting| {
        let sim = Simulation::new(SimConfig {
            script: varied(),
            faults,
            mounting,
            ..SimConfig::default()
        });
        let mut truth = sim.truth(50.0);
        truth.strides.iter_mut().for_each(|s| s.clipped_samples = None);
        truth
    };
    let clean = with(Faults::none(), Mounting::Aligned);
    let erring = with(Faults::typical(), Mounting::Drawn);
    assert!(clean.strides.len() > 60 && clean.pelvis.len() > 2000);
    assert_eq!(clean, erring);
}

#[test]
fn a_mirrored_runner_has_mirrored_truth_and_mirrored_signals() {
    let subject = Subject {
        step_asymmetry: 0.015,
        contact_asymmetry: 0.04,
        drop_asymmetry_rad: rad(1.5),
        toe_out_rad: [rad(3.0), rad(9.0)],
        ..machine()
    };
    let mirrored = Subject {
        step_asymmetry: -0.015,
        contact_asymmetry: -0.04,
        drop_asymmetry_rad: rad(-1.5),
        toe_out_rad: [rad(9.0), rad(3.0)],
        standing_rad: [subject.standing_rad[0], -subject.standing_rad[1]],
        first_step: Side::Right,
        ..subject.clone()
    };
    let script = |sign: f64| {
        Script::new()
            .stand(3.0)
            .walk(5.0, 1.3)
            .run(8.0, 3.0)
            .turn(sign * 1.5, 10.0)
            .stop(9.0)
    };
    let plain = |subject, script| {
        Simulation::new(SimConfig {
            subject,
            script,
            placements: Placement::ALL.to_vec(),
            ..SimConfig::default()
        })
    };
    let (a, b) = (plain(subject, script(1.0)), plain(mirrored, script(-1.0)));
    let (ta, tb) = (a.truth(0.0), b.truth(0.0));
    let mut compared = 0;
    for side in [Side::Left, Side::Right] {
        for (x, y) in ta.of_side(side).zip(tb.of_side(side.opposite())) {
            let pairs = [
                (x.length, y.length),
                (x.stride_time, y.stride_time),
                (x.contact_time, y.contact_time),
                (x.foot_strike_angle, y.foot_strike_angle),
                (x.toe_out, y.toe_out),
                (x.inversion_range, y.inversion_range),
                (x.shank_angle_ic, y.shank_angle_ic),
                (x.overstride, y.overstride),
                (x.pelvis.drop, y.pelvis.drop),
                (x.pelvis.tilt_mean, y.pelvis.tilt_mean),
                (x.yaw_rate, -y.yaw_rate),
            ];
            assert!(
                pairs.iter().all(|(p, q)| (p - q).abs() < 1e-7),
                "{side:?} stride {}: {pairs:?}",
                x.index
            );
            compared += 1;
        }
    }
    assert!(compared > 30);
    for (left, right) in [
        (Placement::LeftFoot, Placement::RightFoot),
        (Placement::LeftShank, Placement::RightShank),
        (Placement::Sacrum, Placement::Sacrum),
    ] {
        for (x, y) in a.ideal(left, 150.0).zip(b.ideal(right, 150.0)) {
            // Force is a vector, angular rate a pseudovector: y of the one and x, z of the other change sign.
            let acc = [x.acc[0] - y.acc[0], x.acc[1] + y.acc[1], x.acc[2] - y.acc[2]];
            let gyro = [x.gyro[0] + y.gyro[0], x.gyro[1] - y.gyro[1], x.gyro[2] + y.gyro[2]];
            assert!(acc.iter().all(|e| e.abs() < 1e-5), "{left:?} at {}: {acc:?}", x.t_s);
            assert!(gyro.iter().all(|e| e.abs() < 1e-6), "{left:?} at {}: {gyro:?}", x.t_s);
        }
    }
}
