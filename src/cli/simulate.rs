//! `lope simulate`: a recording of a runner who does not exist, with everything true about the run beside it.

use super::Globals;
use super::failure::{Exit, Failure};
use super::simulated_recording;
use crate::model::Placement;
use crate::synth::{FaultEvent, Faults, GilbertElliott, Script, SimConfig, Simulation, presets};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Frames lost at once, on average, where a share of loss is asked for.
const LOSS_BURST: f64 = 2.0;
/// Seconds of standing before the run: what a standing reference needs.
const STAND_S: f64 = 8.0;

/// Who runs what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// The reference runner at an even pace, sensors with typical errors
    Steady,
    /// A runner drawn at random from the seed, at an even pace
    Drawn,
    /// The twelve minutes of `lope demo`
    Demo,
}

/// Arguments of `lope simulate`.
#[derive(Args, Debug)]
pub struct SimulateArgs {
    /// Folder to write; must not hold a recording yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Who runs what
    #[arg(long, value_enum, default_value = "steady")]
    pub preset: Preset,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Minutes of running (not with the demo preset)
    #[arg(long, default_value_t = 3.0, value_parser = super::positive)]
    pub minutes: f64,
    /// Speed, m/s (not with the demo preset)
    #[arg(long, value_name = "M_PER_S", default_value_t = 3.0, value_parser = super::positive)]
    pub pace: f64,
    /// Sensors worn, separated by commas
    #[arg(long, value_delimiter = ',', value_parser = super::placement_name, default_value = "left_foot,right_foot,sacrum")]
    pub placements: Vec<String>,
    /// Sampling rate, Hz
    #[arg(long, value_name = "HZ", default_value_t = 208.0, value_parser = super::positive)]
    pub rate: f64,
    /// Samples lost on the way, percent
    #[arg(long, value_name = "PERCENT")]
    pub loss: Option<f64>,
    /// Left and right sensors are exchanged
    #[arg(long)]
    pub swap_feet: bool,
    /// Crystals run fast or slow by up to this many parts per million
    #[arg(long, value_name = "PPM")]
    pub drift_ppm: Option<f64>,
}

fn config(args: &SimulateArgs) -> SimConfig {
    let base = match args.preset {
        Preset::Demo => presets::demo(),
        Preset::Drawn => presets::random_subject(args.seed),
        Preset::Steady => SimConfig {
            faults: Faults::typical(),
            ..SimConfig::default()
        },
    };
    let script = match args.preset {
        Preset::Demo => base.script.clone(),
        _ => Script::new()
            .stand(STAND_S)
            .run(args.minutes * 60.0, args.pace)
            .stop(6.0)
            .stand(3.0),
    };
    let mut faults = base.faults.clone();
    if let Some(percent) = args.loss {
        let share = (percent / 100.0).clamp(0.0, 0.9);
        faults.transport.loss = [(share > 0.0).then(|| GilbertElliott::of_share(share, LOSS_BURST)); 5];
    }
    if let Some(ppm) = args.drift_ppm {
        faults.clock.ppm = ppm.abs();
    }
    if args.swap_feet {
        faults = faults.with(FaultEvent::SidesSwapped);
    }
    let mut placements: Vec<Placement> = args.placements.iter().filter_map(|p| Placement::from_name(p)).collect();
    placements.sort_by_key(|p| p.index());
    placements.dedup();
    SimConfig {
        seed: args.seed,
        rate_hz: args.rate,
        placements,
        script,
        faults,
        ..base
    }
}

/// Runs `lope simulate`.
///
/// # Errors
/// The folder holds a recording already, or cannot be written.
pub fn run(globals: &Globals, args: &SimulateArgs) -> Result<Exit, Failure> {
    if args.out.join("recording.toml").exists() {
        return Err(Failure::new(
            "lope::simulate::exists",
            Exit::Refused,
            format!("{} holds a recording already; nothing was written.", args.out.display()),
        )
        .try_this("name a new folder"));
    }
    if !(20.0..=2000.0).contains(&args.rate) {
        return Err(Failure::new(
            "lope::simulate::rate",
            Exit::Usage,
            format!("{} Hz is no rate of such a sensor.", args.rate),
        )
        .try_this("20 to 2000 Hz; 208 is usual"));
    }
    let simulation = Simulation::new(config(args));
    let name = args
        .out
        .file_name()
        .map_or_else(|| "simulated".to_owned(), |n| n.to_string_lossy().into_owned());
    let written =
        simulated_recording::write(&args.out, &name, &simulation).map_err(|e| Failure::writing(&args.out, &e))?;
    let secs = simulation.duration_s();
    globals.console.result(&if globals.console.json {
        format!(
            "{:#}\n",
            json!({
                "folder": args.out, "duration_s": secs, "samples": written.samples, "lost": written.lost,
                "true_strides": written.strides, "seed": args.seed,
            })
        )
    } else {
        format!(
            "{}  {} · {} samples, {} lost on purpose · truth: {} strides\n  next: lope analyze {}\n",
            args.out.display(),
            super::words::duration(secs),
            written.samples,
            written.lost,
            written.strides,
            args.out.display()
        )
    })?;
    Ok(Exit::Done)
}
