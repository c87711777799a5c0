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

/// Strides of each foot that are looked at.
const STRIDES: u32 = 10;

/// What a start showed: strides of both feet together when an exchange was said, the verdict and cues at the end.
struct Shown {
    said_after: Option<u32>,
    verdict: FeetVerdict,
    evidence: FeetEvidence,
}

fn starts() -> u64 {
    std::env::var("LOPE_STARTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(40)
}

/// Asks after every stride, as the loop does.
fn decide(config: PipelineConfig, events: impl Iterator<Item = SensorEvent>) -> Shown {
    let mut pipeline = Pipeline::new(config);
    let mut out = Vec::new();
    let (mut said_after, mut before) = (None, 0);
    for event in events {
        pipeline.push(&event, &mut out);
        out.clear();
        let strides = pipeline.feet_check().strides();
        let all = strides.iter().sum();
        if all > before && said_after.is_none() && pipeline.feet_check().verdict() == FeetVerdict::Swapped {
            said_after = Some(all);
        }
        before = all;
        if strides.iter().all(|n| *n >= STRIDES) {
            break;
        }
    }
    Shown {
        said_after,
        verdict: pipeline.feet_check().verdict(),
        evidence: pipeline.feet_check().evidence(),
    }
}

/// A start of a drawn person: a moment of standing, then off.
fn start(seed: u64, swapped: bool, placements: &[Placement]) -> Shown {
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
        let (mut confirmed, mut alarms, mut missed) = (0, 0, 0);
        let mut found: Vec<u32> = Vec::new();
        let n = starts();
        for seed in 0..n {
            let right = start(seed, false, placements);
            confirmed += u64::from(right.verdict == FeetVerdict::AsNamed);
            alarms += u64::from(right.said_after.is_some());
            let wrong = start(seed, true, placements);
            missed += u64::from(wrong.verdict == FeetVerdict::AsNamed);
            found.extend(wrong.said_after);
        }
        let early = found.iter().filter(|s| **s <= 10).count() as u64;
        println!(
            "{} sensors, {n} starts: confirmed {confirmed}, false alarms {alarms}; exchanged: found {} (within ten strides \
             {early}, all within {:?}), confirmed {missed}",
            placements.len(),
            found.len(),
            found.iter().max(),
        );
        assert!(100 * alarms < n.max(100), "false alarms {alarms} of {n}");
        assert!(100 * missed < n.max(100), "confirmed though exchanged {missed} of {n}");
        assert!(100 * early >= 95 * n, "within ten strides {early} of {n}");
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
                let Shown {
                    said_after,
                    verdict,
                    evidence: e,
                } = decide(config, events);
                let show = |c: Option<lope::gait::feet_check::Cue>, unit: f64| {
                    c.map_or("-".into(), |c| format!("{:.2} ({:+.1})", c.mean * unit, c.log_ratio))
                };
                let deg = 180.0 / std::f64::consts::PI;
                println!(
                    "{trial} exchanged {swapped} sacrum {sacrum}: {verdict:?}, said after {said_after:?}, eversion {} rise {}",
                    show(e.eversion, deg),
                    show(e.rise, deg)
                );
                assert!(
                    swapped || said_after.is_none(),
                    "{trial}: alarm where the names are right"
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
