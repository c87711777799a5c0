//! `lope pod`: pods that do not exist, on a runner who does not, to be recorded from as if they did.
//!
//! They speak the same protocol as real ones, through the same drivers, over the test link instead of a radio. All of them
//! sit on one runner, who stands until some seconds after the first recording begins.

use super::failure::{Exit, Failure};
use super::radio::{runtime, stamp_from_now};
use super::simulate::Preset;
use super::{Globals, words};
use crate::model::{Placement, SessionTime};
use crate::runtime::stop::Stop;
use crate::sensors::drivers::DriverKind;
use crate::sensors::simulated::air::{Air, AirFaults, Carried};
use crate::sensors::simulated::dice::Dice;
use crate::sensors::simulated::pod::{CONTROL_CHAN, PodMemory, Readings, SimPod, SimPodSetup};
use crate::sensors::simulated::radio::SimRadio;
use crate::sensors::simulated::runner::{OnRunner, Origin};
use crate::sensors::wire::{self, DEFAULT_ADDRESS};
use crate::synth::{Script, SimConfig, Simulation, presets};
use clap::Args;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// Samples that a pod retains: a minute at 208 Hz, and then some.
const RING: usize = 16_384;
/// How often it is looked at whether to stop, and whether the runner has begun.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Arguments of `lope pod`.
#[derive(Args, Debug)]
pub struct PodArgs {
    /// Where to listen; anyone who can reach it can record
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_ADDRESS)]
    listen: String,
    /// Who runs
    #[arg(long, value_enum, default_value = "steady")]
    runner: Preset,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where pods are worn, separated by commas
    #[arg(long, value_delimiter = ',', value_parser = super::placement_name, default_value = "left_foot,right_foot,sacrum")]
    placements: Vec<String>,
    /// The only rate the pods have, Hz; without it 52 to 833 Hz as the recorder asks
    #[arg(long, value_name = "HZ", value_parser = super::positive)]
    rate: Option<f64>,
    /// Their clocks run fast or slow by up to this, parts per million
    #[arg(long, value_name = "PPM", default_value_t = 20.0)]
    drift_ppm: f64,
    /// Seconds the runner stands after the first recording begins
    #[arg(long, value_name = "S", default_value_t = 6.0, value_parser = super::positive)]
    stand: f64,
    /// Minutes of running after that
    #[arg(long, default_value_t = 60.0, value_parser = super::positive)]
    minutes: f64,
    /// Speed, m/s
    #[arg(long, value_name = "M_PER_S", default_value_t = 3.0, value_parser = super::positive)]
    pace: f64,
    /// Notifications lost on the way, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    loss: f64,
    /// Out of reach: seconds after the first recording began, and for how long, as 20+5; repeatable
    #[arg(long, value_name = "AT+SECONDS", value_parser = span)]
    out_of_range: Vec<(f64, f64)>,
    /// End by itself after this long: 90s, 30m
    #[arg(long = "for", value_name = "TIME", value_parser = super::time_span)]
    limit: Option<Duration>,
}

fn span(text: &str) -> Result<(f64, f64), String> {
    let parts = text
        .split_once('+')
        .and_then(|(at, secs)| Some((at.parse().ok()?, secs.parse().ok()?)));
    match parts {
        Some((at, secs)) if at >= 0.0 && secs > 0.0 && f64::is_finite(at + secs) => Ok((at, secs)),
        _ => Err("expected seconds after the beginning and a length, as 20+5".to_owned()),
    }
}

/// One pod and what it did.
struct Worn {
    placement: Placement,
    name: String,
    taken: Arc<AtomicU64>,
}

/// Runs `lope pod`.
///
/// # Errors
/// The address cannot be listened on; no tasks can be started.
pub fn run(globals: &Globals, args: &PodArgs) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    let listener = runtime.block_on(TcpListener::bind(&args.listen)).map_err(|e| {
        Failure::new(
            "lope::pod::listen",
            Exit::Outside,
            format!("{} cannot be listened on.", args.listen),
        )
        .why(e.to_string())
        .try_this("name another port: --listen 127.0.0.1:0 takes any that is free")
    })?;
    let address = listener
        .local_addr()
        .map_or_else(|_| args.listen.clone(), |a| a.to_string());
    let stamp = stamp_from_now();
    let origin = Origin::default();
    let (airs, worn) = pods(args, &origin);
    let radio = Arc::new(SimRadio::new(airs, Arc::clone(&stamp)));
    let names: Vec<String> = worn
        .iter()
        .map(|w| format!("{} ({})", w.name, w.placement.name()))
        .collect();
    globals.console.advice(&format!(
        "pods: {}\nrecord from another terminal: lope record --radio wire:{address}\nCtrl-C ends",
        names.join(", ")
    ));
    let serving = runtime.spawn(wire::serve(
        listener,
        Arc::clone(&radio) as Arc<dyn crate::sensors::radio::Radio>,
    ));
    let stop = Stop::on_ctrl_c();
    let began = Instant::now();
    runtime.block_on(async {
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut away = args.out_of_range.clone();
        while !stop.asked() && args.limit.is_none_or(|limit| began.elapsed() < limit) {
            look.tick().await;
            if let Some(start) = origin.began() {
                for (at, secs) in away.drain(..) {
                    radio.be_away(start.plus(at), secs);
                }
            }
        }
    });
    serving.abort();
    let carried = radio.carried();
    globals
        .console
        .result(&report(globals.console.json, &worn, &carried, origin.began(), stamp()))?;
    Ok(Exit::Done)
}

fn pods(args: &PodArgs, origin: &Origin) -> (Vec<Air<'static>>, Vec<Worn>) {
    let run = Arc::new(Simulation::new(config(args)));
    let rates: &'static [u32] = match args.rate {
        // Lives as long as the program, as the pods do.
        Some(hz) => Box::leak(Box::new([(hz * 1000.0).round() as u32])),
        None => SimPodSetup::default().rates_mhz,
    };
    let mut dice = Dice::new(args.seed);
    let mut airs = Vec::new();
    let mut worn = Vec::new();
    for placement in &run.config().placements {
        let number = (args.seed << 8 | placement.index() as u64) & 0xFFFF;
        let name = format!("lope-{}-{number:04x}", placement.name().replace('_', "-"));
        let setup = SimPodSetup {
            uid: 0x10BE_0000_0000_0000 | args.seed << 8 | placement.index() as u64,
            name: name.clone(),
            drift_ppm: dice.between(-1.0, 1.0) * args.drift_ppm,
            rates_mhz: rates,
            ..SimPodSetup::default()
        };
        let motion = OnRunner::new(Arc::clone(&run), *placement, origin);
        let pod = SimPod::new(setup, Readings::Felt(Box::new(motion)), PodMemory::for_ever(RING));
        let faults = AirFaults {
            seed: dice.bits(),
            loss: (args.loss / 100.0).clamp(0.0, 0.9),
            // Indications are acknowledged: radios do not lose them.
            spared: vec![CONTROL_CHAN],
            ..AirFaults::default()
        };
        worn.push(Worn {
            placement: *placement,
            name,
            taken: pod.count(),
        });
        airs.push(Air::new(Box::new(pod), faults));
    }
    (airs, worn)
}

fn config(args: &PodArgs) -> SimConfig {
    let base = match args.runner {
        Preset::Demo => presets::demo(),
        Preset::Drawn => presets::random_subject(args.seed),
        Preset::Steady => SimConfig::default(),
    };
    let script = match args.runner {
        Preset::Demo => base.script.clone(),
        _ => Script::new()
            .stand(args.stand)
            .run(args.minutes * 60.0, args.pace)
            .stop(6.0)
            .stand(10.0),
    };
    let mut placements: Vec<Placement> = args.placements.iter().filter_map(|p| Placement::from_name(p)).collect();
    placements.sort_by_key(|p| p.index());
    placements.dedup();
    SimConfig {
        seed: args.seed,
        placements,
        script,
        ..base
    }
}

fn report(json: bool, worn: &[Worn], carried: &[Carried], began: Option<SessionTime>, now: SessionTime) -> String {
    let rows = || worn.iter().zip(carried);
    let secs = began.map_or(0.0, |began| now.since(began));
    if json {
        let pods: Vec<_> = rows()
            .map(|(w, c)| {
                json!({
                    "kind": DriverKind::Lope.name(), "placement": w.placement.name(), "name": w.name,
                    "samples": w.taken.load(Ordering::Relaxed), "links": c.links, "sent": c.sent, "lost": c.lost,
                })
            })
            .collect();
        return format!("{:#}\n", json!({ "since_first_start_s": secs, "pods": pods }));
    }
    let mut text = String::new();
    for (w, c) in rows() {
        let taken = w.taken.load(Ordering::Relaxed);
        text += &format!(
            "{:<28} {taken:>8} samples taken · {} links · {} messages sent, {} lost on purpose\n",
            w.name, c.links, c.sent, c.lost
        );
    }
    if began.is_some() {
        text += &format!("the first recording began {} ago\n", words::duration(secs));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_is_a_time_and_a_length() {
        assert_eq!(span("20+5"), Ok((20.0, 5.0)));
        assert_eq!(span("1.5+0.25"), Ok((1.5, 0.25)));
        for bad in ["", "20", "+5", "20+", "20+0", "-1+5", "20+inf", "a+b"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
