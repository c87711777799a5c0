//! Speed of the signal loop: nanoseconds per sensor-sample, and whether that stays flat over a long run.
//!
//! Plain timing with `harness = false`: one core, the best of several passes, and ratios within one run. The first line is
//! the attitude filter beside the published reference implementation (Python package `vqf`, C++ inside, batch call) on
//! the same samples, where that package can be imported (`LOPE_PYTHON` names the interpreter).
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark reads the clock and prints what it measured"
)]

use lope::model::{Placement, SensorEvent, Vec3};
use lope::orientation::vqf::{Vqf, VqfParams};
use lope::pipeline::{Pipeline, PipelineConfig};
use lope::synth::{Faults, Script, SimConfig, Simulation};
use std::io::Write;
use std::time::Instant;

fn simulation(minutes: f64, placements: &[Placement]) -> Simulation {
    Simulation::new(SimConfig {
        placements: placements.to_vec(),
        script: Script::new().stand(6.0).run(60.0 * minutes - 16.0, 3.1).stop(10.0),
        faults: Faults::none(),
        ..SimConfig::default()
    })
}

/// Runs `events` through a fresh loop; nanoseconds per sample.
fn pass(simulation: &Simulation, events: &[SensorEvent]) -> f64 {
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        ..PipelineConfig::default()
    });
    let mut out = Vec::with_capacity(1024);
    let started = Instant::now();
    let mut strides = 0_usize;
    for event in events {
        pipeline.push(event, &mut out);
        strides += out.len();
        out.clear();
    }
    let ns = started.elapsed().as_nanos() as f64 / events.len() as f64;
    assert!(strides > 0, "the loop found nothing to do");
    ns
}

fn best(n: usize, mut f: impl FnMut() -> f64) -> f64 {
    (0..n).map(|_| f()).fold(f64::INFINITY, f64::min)
}

fn attitude(events: &[SensorEvent], rate_hz: f64) {
    let samples: Vec<_> = events
        .iter()
        .filter_map(|e| {
            if let SensorEvent::Sample(Placement::LeftFoot, s) = e {
                Some((s.gyro, s.acc))
            } else {
                None
            }
        })
        .collect();
    let ours = || {
        let mut filter = Vqf::new(VqfParams::default(), rate_hz);
        let started = Instant::now();
        samples.iter().for_each(|(g, a)| filter.update(*g, *a));
        let ns = started.elapsed().as_nanos() as f64 / samples.len() as f64;
        assert!(filter.bias() != Vec3::zero());
        ns
    };
    let mut csv = tempfile::NamedTempFile::new().expect("temporary file");
    for (g, a) in &samples {
        writeln!(csv, "{},{},{},{},{},{}", g.v.x, g.v.y, g.v.z, a.v.x, a.v.y, a.v.z).expect("written");
    }
    let python = std::env::var("LOPE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = "import sys, time, numpy as np\nfrom vqf import VQF\n\
        a = np.loadtxt(sys.argv[1], delimiter=',')\n\
        g, f = np.ascontiguousarray(a[:, :3]), np.ascontiguousarray(a[:, 3:])\n\
        best = 1e9\nfor _ in range(7):\n v = VQF(1 / float(sys.argv[2]))\n t = time.perf_counter()\n v.updateBatch(g, f)\n best = min(best, time.perf_counter() - t)\n\
        print(best / len(g) * 1e9)";
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let mine = best(7, ours);
        let output = std::process::Command::new(&python)
            .args(["-c", script])
            .arg(csv.path())
            .arg(rate_hz.to_string())
            .output();
        let reference = output
            .ok()
            .and_then(|o| String::from_utf8(o.stdout).ok())
            .and_then(|s| s.trim().parse::<f64>().ok());
        match reference {
            Some(reference) => {
                println!(
                    "attitude: {mine:.0} ns/sample, reference {reference:.0} ns/sample, ratio {:.2}",
                    mine / reference
                );
                ratios.push(mine / reference);
            }
            None => println!("attitude: {mine:.0} ns/sample (no reference: the Python package vqf is not installed)"),
        }
    }
    ratios.sort_unstable_by(f64::total_cmp);
    if let Some(middle) = ratios.get(ratios.len() / 2) {
        println!(
            "attitude ratio to the reference, median of {}: {middle:.2}",
            ratios.len()
        );
    }
}

fn main() {
    let three = [Placement::LeftFoot, Placement::RightFoot, Placement::Sacrum];
    let short = simulation(1.0, &three);
    let events: Vec<SensorEvent> = short.events().collect();
    let minute = best(9, || pass(&short, &events));
    println!(
        "loop, 3 sensors, 1 minute: {minute:.0} ns per sensor-sample, {:.0}× real time",
        1e9 / (600.0 * minute)
    );
    let five = simulation(1.0, &Placement::ALL);
    let five_events: Vec<SensorEvent> = five.events().collect();
    println!(
        "loop, 5 sensors, 1 minute: {:.0} ns per sensor-sample",
        best(9, || pass(&five, &five_events))
    );
    let long = simulation(60.0, &three);
    let long_events: Vec<SensorEvent> = long.events().collect();
    let hour = best(3, || pass(&long, &long_events));
    println!(
        "loop, 3 sensors, 1 hour: {hour:.0} ns per sensor-sample, {:.2} of one minute",
        hour / minute
    );
    let tenth = best(1, || {
        // Ten hours: the same hour ten times, each later than the one before.
        let mut pipeline = Pipeline::new(PipelineConfig {
            sensors: long.sensor_configs(),
            ..PipelineConfig::default()
        });
        let mut out = Vec::with_capacity(1024);
        let mut last = 0.0;
        for h in 0..10 {
            let started = Instant::now();
            for event in &long_events {
                let event = match event {
                    SensorEvent::Sample(p, s) => {
                        let mut s = *s;
                        s.t = s.t.plus(3600.0 * f64::from(h));
                        SensorEvent::Sample(*p, s)
                    }
                    other => *other,
                };
                pipeline.push(&event, &mut out);
                out.clear();
            }
            last = started.elapsed().as_nanos() as f64 / long_events.len() as f64;
        }
        last
    });
    println!(
        "loop, 3 sensors, tenth hour: {tenth:.0} ns per sensor-sample, {:.2} of the first",
        tenth / hour
    );
    attitude(&long_events, 200.0);
}
