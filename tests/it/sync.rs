//! Clocks that run apart during a run, and sensors that turn in their strap: what the signals themselves tell of it.

use lope::clock::impact_drift::{Drift, ImpactDrift};
use lope::model::units::rad;
use lope::model::{ImuSample, Placement, SensorEvent, SessionTime, Side};
use lope::orientation::SacrumChain;
use lope::pipeline::{Health, Output, Pipeline, PipelineConfig};
use lope::synth::{FaultEvent, Faults, Mounting, Script, SimConfig, Simulation, Subject};

/// Six minutes of running with the left foot's clock off by so much; pelvis against left, against right, left against right.
fn drifts(seed: u64, ppm: f64, script: Script) -> [Option<Drift>; 3] {
    let simulation = Simulation::new(SimConfig {
        seed,
        rate_hz: 100.0,
        subject: Subject::drawn(seed),
        script,
        faults: Faults::typical(),
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    });
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: simulation.sensor_configs(),
        ..PipelineConfig::default()
    });
    let (mut sacrum, mut watch) = (SacrumChain::new(100.0), ImpactDrift::new(100.0));
    let mut out = Vec::new();
    for event in simulation.events() {
        let event = match event {
            SensorEvent::Sample(Placement::LeftFoot, s) => {
                let t = SessionTime::from_secs(s.t.secs() * (1.0 + 1e-6 * ppm));
                SensorEvent::Sample(Placement::LeftFoot, ImuSample { t, ..s })
            }
            other => other,
        };
        if let SensorEvent::Sample(Placement::Sacrum, s) = &event {
            sacrum.push(s);
            if let Some(vertical) = sacrum.vertical() {
                watch.note_pelvis(s.t, vertical - 9.80665);
            }
        }
        pipeline.push(&event, &mut out);
        for output in out.drain(..) {
            if let Output::Contact { placement, contact } = output
                && let Some(side) = placement.side()
            {
                watch.note_contact(side, contact.ic);
            }
        }
    }
    [
        watch.pelvis_against(Side::Left),
        watch.pelvis_against(Side::Right),
        watch.left_against_right(),
    ]
}

#[test]
fn a_clock_that_runs_away_is_told_from_a_steady_one() {
    let steady = || Script::new().stand(4.0).run(360.0, 3.0);
    let mut sharp = 0;
    for seed in 0..4 {
        for ppm in [0.0, 40.0, -60.0] {
            let [left, right, feet] = drifts(seed, ppm, steady()).map(|d| d.expect("six minutes"));
            let (l, r, f) = (left.ms_per_10_min(), right.ms_per_10_min(), feet.ms_per_10_min());
            println!(
                "seed {seed}, left clock {ppm:+.0} ppm: pelvis-left {l:.1}, pelvis-right {r:.1}, left-right {f:.1} ms/10 min"
            );
            // One of the four lands so that its contacts fall in two groups; its spread says so, and then nothing is said.
            let sigma = feet.sigma * 600e3;
            assert!((f - 0.6 * ppm).abs() < 5.0 + 2.0 * sigma, "{feet:?}");
            assert!((l + 0.6 * ppm).abs() < 5.0 + 2.0 * left.sigma * 600e3, "{left:?}");
            assert!(r.abs() < 5.0 && !right.noticeable(), "{right:?}");
            assert!(ppm != 0.0 || !feet.noticeable(), "{feet:?}");
            if sigma < 3.0 {
                assert_eq!(feet.noticeable(), ppm != 0.0, "{feet:?}");
                sharp += 1;
            }
        }
    }
    assert!(sharp >= 9, "{sharp} of 12");
}

#[test]
fn a_changing_speed_moves_the_pelvis_but_hardly_the_feet() {
    let mut script = Script::new().stand(4.0);
    for k in 0..12 {
        script = script.run(30.0, 2.4 + 0.12 * f64::from(k));
    }
    for seed in 0..4 {
        let [left, right, feet] = drifts(seed, 0.0, script.clone()).map(|d| d.expect("six minutes"));
        println!(
            "seed {seed}, 2.4 to 3.7 m/s: pelvis-left {:.1}, pelvis-right {:.1}, left-right {:.1} ms/10 min",
            left.ms_per_10_min(),
            right.ms_per_10_min(),
            feet.ms_per_10_min()
        );
        assert!(!feet.noticeable(), "{feet:?}");
    }
}

/// Seconds from a turn of a sensor in its strap until that is said; `None` where it is not. Panics on an alarm about another
/// sensor or before the turn.
fn moved_after(seed: u64, placement: Placement, angle_deg: f64) -> Option<f64> {
    let at_s = 60.0;
    let simulation = Simulation::new(SimConfig {
        seed,
        rate_hz: 100.0,
        placements: Placement::ALL.to_vec(),
        subject: Subject::drawn(seed),
        script: Script::new().stand(6.0).run(110.0, 3.0),
        faults: Faults::typical().with(FaultEvent::Slip {
            placement,
            at_s,
            angle_rad: rad(angle_deg),
        }),
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    });
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        ..PipelineConfig::default()
    });
    let mut out = Vec::new();
    simulation.events().for_each(|e| pipeline.push(&e, &mut out));
    pipeline.flush(&mut out);
    let mut said = out.iter().filter_map(|o| match o {
        Output::Health(Health::SensorMoved { placement, t }) => Some((*placement, t.secs())),
        _ => None,
    });
    let first = said.next()?;
    assert!(
        first.0 == placement && first.1 > at_s,
        "seed {seed} {placement:?} {angle_deg}: {first:?}"
    );
    Some(first.1 - at_s)
}

#[test]
fn a_sensor_that_turned_in_its_strap_is_named() {
    const SEEDS: u64 = 4;
    for placement in [Placement::LeftFoot, Placement::RightShank, Placement::Sacrum] {
        for angle in [0.0, 10.0, 20.0, 40.0, 80.0] {
            let after: Vec<f64> = (0..SEEDS)
                .filter_map(|seed| moved_after(seed, placement, angle))
                .collect();
            println!(
                "{} turned by {angle}°: said {} of {SEEDS}, after {after:.0?} s",
                placement.name(),
                after.len()
            );
            if angle == 0.0 {
                assert!(after.is_empty(), "{placement:?}");
            }
            // A foot is found by its direction of travel and its pitch axis, which most turns leave as they were.
            if angle >= 20.0 && placement != Placement::LeftFoot {
                assert_eq!(after.len() as u64, SEEDS, "{placement:?} {after:?}");
            }
        }
    }
}
