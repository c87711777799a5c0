//! `lope replay`: a recording played back as if it happened now. A live view on a terminal, lines elsewhere.

use super::failure::{Exit, Failure};
use super::live_keys::{Can, Keys};
use super::live_view::{self, Seen};
use super::summary::Summary;
use super::{Globals, words};
#[cfg(feature = "serve")]
use crate::api::live::RunKind;
use crate::interchange::{ReadError, RecordingStream};
use crate::model::SensorEvent;
use crate::runtime::asking;
use crate::runtime::attended::Attended;
use crate::runtime::keep;
use crate::runtime::live::{self, Due, LiveError, Pace, View};
use crate::runtime::offline::{self, Pass};
#[cfg(feature = "serve")]
use crate::runtime::share_live::{Shown, Stage};
use crate::runtime::stop::Stop;
use crate::runtime::tally::Tally;
use clap::Args;
use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Signal that is handed on at once, s: shorter than anyone sees.
const BATCH_S: f64 = 0.02;

/// Arguments of `lope replay`.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// A folder with recording.toml, or one CSV file
    pub recording: PathBuf,
    /// Times real time
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = super::positive)]
    pub speed: f64,
    /// How to read another logger's columns and units
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Where the sensor of a single CSV file was worn
    #[arg(long, value_name = "PLACE", value_parser = super::placement_name)]
    pub placement: Option<String>,
    #[cfg(feature = "serve")]
    #[command(flatten)]
    serve: super::serving::ServeBeside,
}

/// A recording in small batches; a line that cannot be read ends it, and is told afterwards.
struct Batches {
    stream: RecordingStream,
    broken: Arc<Mutex<Option<ReadError>>>,
    last_s: f64,
    over: bool,
}

impl Iterator for Batches {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        let mut events = Vec::new();
        let mut from = None;
        while !self.over {
            match self.stream.next_event() {
                Ok(Some(event)) => {
                    if let SensorEvent::Sample(_, s) = &event {
                        self.last_s = self.last_s.max(s.t.secs());
                    }
                    events.push(event);
                    if self.last_s - *from.get_or_insert(self.last_s) >= BATCH_S {
                        break;
                    }
                }
                Ok(None) => self.over = true,
                Err(error) => {
                    self.over = true;
                    if let Ok(mut broken) = self.broken.lock() {
                        *broken = Some(error);
                    }
                }
            }
        }
        (!events.is_empty()).then_some(Due {
            at_s: self.last_s,
            events,
        })
    }
}

/// Runs `lope replay`. Stopping it is a normal end.
///
/// # Errors
/// The recording is refused.
pub fn run(globals: &Globals, args: &ReplayArgs) -> Result<Exit, Failure> {
    let recording = super::analyze::open(&args.recording, args.map.as_deref(), args.placement.as_deref())?;
    let broken = Arc::new(Mutex::new(None));
    let source = Batches {
        stream: recording.stream()?,
        broken: Arc::clone(&broken),
        last_s: f64::NEG_INFINITY,
        over: false,
    };
    let stop = Stop::on_ctrl_c();
    let (to_view, seen) = tokio::sync::watch::channel(View::default());
    let runtime = live::threads().map_err(|e| super::threads_failed(&e))?;
    let name = recording.description.name.clone();
    #[cfg(feature = "serve")]
    let watched = seen.clone();
    let drawn = std::io::stdout().is_terminal() && !globals.console.json;
    let (asking, answering) = asking::asking(&stop);
    let viewer = {
        let (console, keys) = (globals.console, Keys::of(asking.clone(), Can::StopOnly));
        let seen = Seen {
            view: seen,
            record: None,
            cue: None,
            name: name.clone(),
        };
        std::thread::spawn(move || {
            if drawn {
                live_view::draw(&seen, keys)
            } else {
                live_view::lines(seen, console);
                Ok(())
            }
        })
    };
    let mut tally = Tally::default();
    let mut newest_s: f64 = 0.0;
    let config = offline::config(&recording);
    #[cfg(feature = "serve")]
    let serving = args.serve.start(globals, &runtime)?;
    let look = super::flags_record::look(globals.data_dir()?, keep::athlete()?)?;
    #[cfg(feature = "serve")]
    let shown = match &serving {
        Some(serving) => {
            let meta = keep::meta_of(&recording, keep::athlete()?)?;
            let (kind, speed) = (RunKind::Replay, Some(args.speed));
            let about = super::serving::about(&meta.id, meta.athlete.clone(), &name, kind, &config.sensors, speed);
            let stage = Stage {
                hub: &serving.hub,
                handle: runtime.handle(),
                asking: asking.clone(),
            };
            Shown::begin(stage, about, look()?.for_viewers(), watched, None)
        }
        None => None,
    };
    let mut attended = Attended {
        answering,
        cueing: None,
        #[cfg(feature = "serve")]
        shown,
        look,
    };
    let paced = stop.clone();
    let source = move |to| live::deliver(source, Pace::Times(args.speed), paced, to);
    let done = live::run_on(&runtime, config, source, &stop, to_view, |output| {
        tally.take(output);
        attended.take(output);
        // A replay keeps nothing, so viewers are refused marks; what is left is the wish to look again.
        drop(attended.marks());
        if let crate::pipeline::Output::Stride(r) = output {
            newest_s = newest_s.max(r.stride.end.secs());
        }
        Ok::<(), Infallible>(())
    });
    drop(attended);
    #[cfg(feature = "serve")]
    if let Some(serving) = serving {
        serving.stop(&runtime);
    }
    // The view ends when the session does; a view that failed has told all it could.
    let shown = viewer.join();
    let losses = match done {
        Ok(losses) => losses,
        Err(LiveError::Taker(never)) => match never {},
        Err(LiveError::Start(e)) => return Err(super::threads_failed(&e)),
    };
    if let Ok(Err(e)) = shown {
        return Err(Failure::new(
            "lope::replay::terminal",
            Exit::Outside,
            "The terminal cannot be drawn on.",
        )
        .why(e.to_string())
        .try_this("lope replay … | cat gives plain lines"));
    }
    if let Some(error) = broken.lock().ok().and_then(|mut b| b.take()) {
        return Err(error.into());
    }
    let pass = Pass {
        tally,
        losses,
        span_s: Some((0.0, newest_s)),
        truncated: Vec::new(),
    };
    let summary = Summary::of(&recording, &pass);
    globals.console.result(&if globals.console.json {
        summary.json_text()
    } else {
        summary.text()
    })?;
    if stop.asked() {
        globals
            .console
            .advice(&format!("stopped at {}", words::duration(newest_s)));
    }
    Ok(Exit::Done)
}
