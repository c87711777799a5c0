//! `lope demo`: a simulated run through frames, clocks, signal loop and store, with what is true beside what was measured.
//!
//! Standard output depends on the seed alone; how long it took goes to standard error.

use super::failure::{Exit, Failure};
use super::summary::Summary;
use super::{Globals, words};
#[cfg(feature = "serve")]
use crate::api::live::RunKind;
use crate::metrics::{MetricId, StrideRecord};
use crate::model::{Activity, DataClass, SensorEvent, SessionTime};
use crate::pipeline::{Output, PipelineConfig};
use crate::runtime::asking;
use crate::runtime::attended::Attended;
use crate::runtime::keep::{self, Keeper};
use crate::runtime::live::{self, Due, LiveError, Pace, View};
#[cfg(feature = "serve")]
use crate::runtime::share_live::{Shown, Stage};
use crate::runtime::stop::Stop;
use crate::runtime::tally::Tally;
use crate::sensors::pods::Pods;
use crate::store::{SqliteStore, UtcMicros};
use crate::synth::{Simulation, TrueEvent, TrueStride, Truth, presets};
use clap::Args;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Sensors of the demonstration are mapped to one clock from their arrivals; after a minute the maps agree this well, s.
const SYNC_SIGMA_S: f64 = 0.006;
/// Samples of the standing are all there this long after its end, s.
const DELIVERED_S: f64 = 0.5;
/// A measured stride is the true one that begins within this time, s.
const PAIR_S: f64 = 0.15;

/// Arguments of `lope demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Seed of everything random
    #[arg(long, default_value_t = 2026)]
    pub seed: u64,
    /// Stop after this many minutes of the twelve
    #[arg(long, value_name = "M", default_value_t = 12.0, value_parser = super::positive)]
    pub minutes: f64,
    /// Run at this many times real time instead of as fast as it goes
    #[arg(long, value_name = "X", value_parser = super::positive)]
    pub speed: Option<f64>,
    /// Keep nothing; nothing is served then
    #[arg(long)]
    pub no_store: bool,
    /// Also leave the run in this folder, as other programs open it: demo.fit, demo-strides.csv, demo-report.html
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// Instead: six synthetic runners over eight weeks, in a folder of their own
    #[arg(long, conflicts_with_all = ["no_store", "speed", "minutes"])]
    pub squad: bool,
    /// Do not serve the dashboard meanwhile
    #[cfg(feature = "serve")]
    #[arg(long)]
    pub no_serve: bool,
    /// Go on serving the dashboard afterwards, until q and Enter, or Ctrl-C; at a terminal it does so anyway
    #[cfg(feature = "serve")]
    #[arg(long, conflicts_with_all = ["no_serve", "no_store"])]
    pub stay: bool,
}

/// What is compared: metric, true value.
type Compared = (MetricId, fn(&TrueStride) -> Option<f64>);
const COMPARED: [Compared; 6] = [
    (MetricId::Cadence, |s| Some(s.cadence)),
    (MetricId::StrideLength, |s| Some(s.length)),
    (MetricId::ContactTime, |s| Some(s.contact_time)),
    (MetricId::FootStrikeAngle, |s| Some(s.foot_strike_angle)),
    (MetricId::OverstrideDistance, |s| Some(s.overstride)),
    (MetricId::PelvisTilt, |s| Some(s.pelvis.tilt_mean)),
];

struct Frames {
    simulation: Arc<Simulation>,
    until_s: f64,
}

impl Frames {
    /// Frames as they arrive, decoded and put on one clock.
    fn events(self, sensors: PipelineConfig, standing: Option<(f64, f64)>) -> impl Iterator<Item = Due> + Send {
        let mut standing = standing;
        let mut pods = Pods::new(&sensors.sensors);
        // The packets borrow the simulation, so a thread of its own owns both and hands batches over.
        let (to, from) = std::sync::mpsc::sync_channel::<Due>(64);
        std::thread::spawn(move || {
            for frame in self.simulation.packets() {
                let at_s = frame.arrival.secs();
                if at_s > self.until_s {
                    break;
                }
                let mut events = Vec::new();
                if let Some((a, b)) = standing
                    && at_s > b + DELIVERED_S
                {
                    standing = None;
                    events.push(SensorEvent::Standing {
                        from: SessionTime::from_secs(a),
                        to: SessionTime::from_secs(b),
                    });
                }
                pods.take(frame.arrival, frame.placement, &frame.bytes, &mut events);
                if to.send(Due { at_s, events }).is_err() {
                    return;
                }
            }
            let mut events = Vec::new();
            pods.flush(&mut events);
            // Nobody listens after a stop.
            let _ = to.send(Due {
                at_s: self.until_s,
                events,
            });
        });
        from.into_iter()
    }
}

/// Runs `lope demo`.
///
/// # Errors
/// The store cannot be reached; stopped by Ctrl-C.
pub fn run(globals: &Globals, args: &DemoArgs) -> Result<Exit, Failure> {
    if args.squad {
        let done = super::squad::run(globals, args.seed)?;
        #[cfg(feature = "serve")]
        if !args.no_serve && (args.stay || super::serving::somebody_sits(globals)) {
            super::serving::look_at(globals, super::squad::folder(globals)?)?;
        }
        return Ok(done);
    }
    let began = Instant::now();
    let simulation = Arc::new(Simulation::new(crate::synth::SimConfig {
        seed: args.seed,
        ..presets::demo()
    }));
    let until_s = (args.minutes * 60.0).min(simulation.duration_s());
    let truth = simulation.truth(0.0);
    let standing = truth.events.iter().find_map(|e| match e {
        TrueEvent::Standing(span) if span.secs() > 3.0 => Some((span.start().secs(), span.end().secs())),
        _ => None,
    });
    let config = PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        sync_sigma_s: SYNC_SIGMA_S,
        personal_speed_offset: 0.0,
    };
    let dir = if args.no_store { None } else { Some(globals.data_dir()?) };
    let store = dir.as_ref().map(|d| SqliteStore::open(d, "lope demo")).transpose()?;
    // It ends about now: at that pace its signal began so long ago.
    let lasts = if args.speed.is_some() { 0.0 } else { until_s };
    let start = UtcMicros::from_micros(super::record::now_utc().micros() - (lasts * 1e6) as i64);
    let mut meta = keep::meta_of_demo(args.seed, args.minutes, start, config.athlete, config.sensors.clone())?;
    meta.tz = super::record::time_zone();
    let mut keeper = store.as_ref().map(|s| Keeper::open(s, meta)).transpose()?;
    let stop = Stop::on_ctrl_c();
    let runtime = live::threads().map_err(|e| super::threads_failed(&e))?;
    let frames = Frames {
        simulation: Arc::clone(&simulation),
        until_s,
    };
    let (view, seen) = tokio::sync::watch::channel(View::default());
    let pace = args.speed.map_or(Pace::Unbound, Pace::Times);
    let mut tally = Tally::default();
    let mut records: Vec<StrideRecord> = Vec::new();
    globals.console.advice(&format!(
        "lope demo: {} of a simulated run, {} virtual sensors, no hardware",
        words::duration(until_s),
        config.sensors.len()
    ));
    let source = frames.events(config.clone(), standing);
    #[cfg(feature = "serve")]
    let serving = if args.no_serve || args.no_store {
        None
    } else {
        super::serving::beside_demo(globals, &runtime)
    };
    let (asking, answering) = asking::asking(&stop);
    let look = super::flags_record::look(dir.clone().unwrap_or_default(), keep::athlete()?)?;
    #[cfg(feature = "serve")]
    let shown = match (&serving, &keeper) {
        (Some(serving), Some(keeper)) => {
            let (who, kind) = (keep::athlete()?, RunKind::Demo);
            let about = super::serving::about(keeper.session(), who, "Demo", kind, &config.sensors, args.speed);
            let stage = Stage {
                hub: &serving.hub,
                handle: runtime.handle(),
                asking: asking.clone(),
            };
            Shown::begin(stage, about, look()?.for_viewers(), seen.clone(), None)
        }
        _ => None,
    };
    let mut attended = Attended {
        answering,
        cueing: None,
        #[cfg(feature = "serve")]
        shown,
        look,
    };
    #[cfg(not(feature = "serve"))]
    drop((seen, asking));
    let paced = stop.clone();
    let source = move |to| live::deliver(source, pace, paced, to);
    let done = live::run_on(&runtime, config, source, &stop, view, |output| {
        tally.take(output);
        attended.take(output);
        for mark in attended.marks() {
            if let Some(keeper) = &mut keeper {
                keeper.note(mark)?;
            }
        }
        if let Output::Stride(record) = output {
            records.push((**record).clone());
        }
        match &mut keeper {
            Some(keeper) => keeper.take(output),
            None => Ok(()),
        }
    });
    let done = match done {
        Ok(_) if stop.asked() => Err(super::analyze::stopped()),
        Ok(losses) => Ok(losses),
        Err(LiveError::Taker(e)) => Err(e.into()),
        Err(LiveError::Start(e)) => Err(super::threads_failed(&e)),
    };
    drop(attended);
    let finished = match (&done, &mut keeper) {
        (Ok(_), Some(keeper)) => keeper.finish(SessionTime::from_secs(until_s)).map_err(Failure::from),
        _ => Ok(()),
    };
    let session = keeper.as_ref().map(|k| k.session().to_string());
    if let Some(keeper) = keeper.filter(|_| done.is_err() || finished.is_err()) {
        // The failure that led here is the one to tell.
        let _ = keeper.discard();
    }
    let losses = done?;
    finished?;
    let mut exit = Exit::Done;
    let left = session.as_ref().zip(args.files.as_ref());
    let left = left.map(|(session, folder)| (super::demo_files::write(globals, session, folder), folder));
    let mut summary = Summary::new(format!("demo, seed {}", args.seed), until_s, tally, losses);
    if let Some(session) = session {
        summary.stored_as(session);
    }
    let compared = compare(&records, &truth, until_s);
    globals.console.result(&if globals.console.json {
        let mut value = summary.json();
        value["against_truth"] = json!(compared.iter().map(Row::json).collect::<Vec<_>>());
        format!("{value:#}\n")
    } else {
        format!("{}{}", against(&compared, &truth, until_s), summary.text())
    })?;
    let spent = began.elapsed().as_secs_f64();
    globals.console.advice(&format!(
        "took {spent:.1} s, {:.0} times real time",
        until_s / spent.max(1e-3)
    ));
    match left {
        Some((Ok(names), folder)) => {
            let names: Vec<String> = names.iter().map(|n| n.display().to_string()).collect();
            let advice = format!("wrote {} in {}", names.join("  "), folder.display());
            globals.console.advice(&advice);
        }
        // The run itself is done and told; only these are not there.
        Some((Err(failure), _)) => {
            globals.console.failure(&failure);
            exit = Exit::Partial;
        }
        None => {}
    }
    if let Some(dir) = dir {
        globals
            .console
            .advice(&format!("kept in {}   next: lope sessions", dir.display()));
    }
    #[cfg(feature = "serve")]
    if let Some(serving) = serving {
        if args.stay || super::serving::somebody_sits(globals) {
            super::serving::stay(globals, &runtime, serving, &stop);
        } else {
            super::serving::leave(globals, &runtime, serving);
        }
    }
    Ok(exit)
}

struct Row {
    id: MetricId,
    n: usize,
    measured: f64,
    truth: f64,
    error: f64,
    typical: f64,
}

impl Row {
    fn json(&self) -> serde_json::Value {
        json!({
            "metric": self.id.def().name, "unit": self.id.def().unit, "strides": self.n, "measured_median": self.measured,
            "true_median": self.truth, "median_error": self.error, "median_absolute_error": self.typical,
        })
    }
}

/// Usable running strides against the true stride of the same side that begins at the same time.
fn compare(records: &[StrideRecord], truth: &Truth, until_s: f64) -> Vec<Row> {
    let usable = records.iter().filter(|r| {
        matches!(r.class, DataClass::A | DataClass::B)
            && r.stride.activity == Activity::Running
            && r.stride.end.secs() <= until_s
    });
    let pairs: Vec<(&StrideRecord, &TrueStride)> = usable
        .filter_map(|r| {
            let side = r.stride.side?;
            let nearest = truth
                .of_side(side)
                .min_by_key(|t| t.m.nanos().abs_diff(r.stride.start.nanos()))?;
            (nearest.m.since(r.stride.start).abs() < PAIR_S).then_some((r, nearest))
        })
        .collect();
    let median = |mut v: Vec<f64>| {
        v.sort_unstable_by(f64::total_cmp);
        v.get(v.len() / 2).copied()
    };
    COMPARED
        .iter()
        .filter_map(|(id, true_value)| {
            let both: Vec<(f64, f64)> = pairs
                .iter()
                .filter_map(|(r, t)| Some((r.metrics.value(*id)?, true_value(t)?)))
                .collect();
            Some(Row {
                id: *id,
                n: both.len(),
                measured: median(both.iter().map(|b| b.0).collect())?,
                truth: median(both.iter().map(|b| b.1).collect())?,
                error: median(both.iter().map(|b| b.0 - b.1).collect())?,
                typical: median(both.iter().map(|b| (b.0 - b.1).abs()).collect())?,
            })
        })
        .collect()
}

fn against(rows: &[Row], truth: &Truth, until_s: f64) -> String {
    let mut t = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        t,
        "against the simulator's truth, running strides\n  {:<24}{:>10}{:>10}{:>12}{:>10}",
        "median of", "measured", "true", "difference", "strides"
    );
    for r in rows {
        let number = |v| words::number(r.id, v);
        let _ = writeln!(
            t,
            "  {:<24}{:>10}{:>10}{:>12}{:>10}  {}",
            r.id.def().label,
            number(r.measured),
            number(r.truth),
            number(r.error),
            r.n,
            r.id.def().shown_unit
        );
    }
    for event in &truth.events {
        if let TrueEvent::Dropout(placement, span) = event
            && span.start().secs() < until_s
        {
            let _ = writeln!(
                t,
                "  planned: {} silent from {} to {}",
                placement.name(),
                words::instant(span.start()),
                words::instant(span.end())
            );
        }
    }
    t.push('\n');
    t
}
