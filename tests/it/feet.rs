//! Exchanged shoe sensors: found within ten strides of each foot, and no alarm where the names are right.
//!
//! `LOPE_STARTS` sets the number of simulated starts (40 without it). The recordings are read twice, once with the names of
//! the shoe sensors exchanged; nothing was fitted to them.

use crate::support;
use lope::gait::feet_check::{FeetEvidence, FeetVerdict};
use lope::interchange::Recording;
use lope::model::{Placement, SensorEvent};
use lope::pipeline::{Output, Pipeline, PipelineConfig};
use lope::synth::{FaultEvent, Faults, Mounting, Script, SimConfig, Simulation, Subject};

/// The verdict once each foot had this many strides.
const STRIDES: u32 = 10;

fn starts() -> u64 {
    std::env::var("LOPE_STARTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(40)
}

fn decide(config: PipelineConfig, events: impl Iterator<Item = SensorEvent>) -> (FeetVerdict, FeetEvidence) {
    let mut pipeline = Pipeline::new(config);
    let mut out = Vec::new();
    for event in events {
        pipeline.push(&event, &mut out);
        out.clear();
        if pipeline.feet_check().strides().iter().all(|n| *n >= STRIDES) {
            break;
        }
    }
    (pipeline.feet_check().verdict(), pipeline.feet_check().evidence())
}

/// A start of a drawn person: a moment of standing, then off.
fn start(seed: u64, swapped: bool, placements: &[Placement]) -> (FeetVerdict, FeetEvidence) {
    let speed = 2.4 + 0.15 * (seed % 12) as f64;
    let mut faults = Faults::typical();
    if swapped {
        faults = faults.with(FaultEvent::SidesSwapped);
    }
    let simulation = Simulation::new(SimConfig {
        seed,
        rate_hz: 100.0,
        subject: Subject::drawn(seed),
        script: Script::new().stand(3.0).accelerate(3.0, speed).run(8.0, speed),
        faults,
        mounting: Mounting::Drawn,
        placements: placements.to_vec(),
        ..SimConfig::default()
    });
    let config = PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        ..PipelineConfig::default()
    };
    decide(config, simulation.events())
}

#[test]
fn simulated_starts() {
    let worn = [Placement::LeftFoot, Placement::RightFoot, Placement::Sacrum];
    for placements in [&worn[..], &worn[..2]] {
        // Named right: (confirmed, alarms). Exchanged: (found, confirmed though exchanged).
        let (mut right, mut wrong) = ((0, 0), (0, 0));
        for seed in 0..starts() {
            match start(seed, false, placements).0 {
                FeetVerdict::AsNamed => right.0 += 1,
                FeetVerdict::Swapped => right.1 += 1,
                FeetVerdict::CannotSay(_) => {}
            }
            match start(seed, true, placements).0 {
                FeetVerdict::Swapped => wrong.0 += 1,
                FeetVerdict::AsNamed => wrong.1 += 1,
                FeetVerdict::CannotSay(_) => {}
            }
        }
        let n = starts();
        println!(
            "{} sensors, {n} starts: confirmed {}, false alarms {}; exchanged: found {}, confirmed {}",
            placements.len(),
            right.0,
            right.1,
            wrong.0,
            wrong.1
        );
        assert!(100 * right.1 < n.max(100), "false alarms");
        assert!(100 * wrong.1 < n.max(100), "confirmed though exchanged");
        if placements.len() == 3 {
            assert!(100 * wrong.0 >= 95 * n, "found {} of {n}", wrong.0);
        }
    }
}

#[test]
fn recorded_runs() {
    for trial in [
        "rbds/rbds002_t25_pod",
        "rbds/rbds002_t45_pod",
        "rbds/rbds008_t35_pod",
        "rbds/rbds002_t25_clean",
        "rbds/rbds002_t45_clean",
        "rbds/rbds008_t35_clean",
        "biomac/biomac_p01_normrunning",
        "tripod/tripod_fz_pws",
    ] {
        let Some(folder) = support::shared("data").map(|d| d.join(trial)) else {
            return;
        };
        let recording = Recording::open(&folder, None).expect("recording opens");
        for swapped in [false, true] {
            for sacrum in [true, false] {
                let mut sensors = recording.configs();
                sensors.retain(|s| s.placement != Placement::Sacrum || sacrum);
                let config = PipelineConfig {
                    sensors,
                    ..PipelineConfig::default()
                };
                let mut stream = recording.stream().expect("streams");
                let events = std::iter::from_fn(|| stream.next_event().expect("reads"));
                let events = events.map(|e| if swapped { exchange(e) } else { e });
                let (verdict, e) = decide(config, events);
                let show = |c: Option<lope::gait::feet_check::Cue>, unit: f64| {
                    c.map_or("-".into(), |c| format!("{:.2} ({:+.1})", c.mean * unit, c.log_ratio))
                };
                let deg = 180.0 / std::f64::consts::PI;
                println!(
                    "{trial} exchanged {swapped} sacrum {sacrum}: {verdict:?} toe-out {} eversion {} rise {} push {}",
                    show(e.toe_out, deg),
                    show(e.eversion, deg),
                    show(e.rise, deg),
                    show(e.push, 1.0)
                );
                let never = if swapped {
                    FeetVerdict::AsNamed
                } else {
                    FeetVerdict::Swapped
                };
                assert_ne!(verdict, never, "{trial} exchanged {swapped} sacrum {sacrum}");
            }
        }
    }
}

fn exchange(event: SensorEvent) -> SensorEvent {
    match event {
        SensorEvent::Sample(Placement::LeftFoot, s) => SensorEvent::Sample(Placement::RightFoot, s),
        SensorEvent::Sample(Placement::RightFoot, s) => SensorEvent::Sample(Placement::LeftFoot, s),
        other => other,
    }
}

#[test]
fn the_loop_says_it_once_and_early() {
    let simulation = Simulation::new(SimConfig {
        seed: 3,
        script: Script::new().stand(4.0).accelerate(3.0, 3.0).run(30.0, 3.0),
        faults: Faults::typical().with(FaultEvent::SidesSwapped),
        ..SimConfig::default()
    });
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: simulation.sensor_configs(),
        ..PipelineConfig::default()
    });
    let mut out = Vec::new();
    simulation.events().for_each(|e| pipeline.push(&e, &mut out));
    pipeline.flush(&mut out);
    let said: Vec<f64> = out
        .iter()
        .filter_map(|o| match o {
            Output::Health(lope::pipeline::Health::SidesSwapped { t }) => Some(t.secs()),
            _ => None,
        })
        .collect();
    assert!(said.len() == 1 && said[0] < 14.0, "{said:?}");
}
