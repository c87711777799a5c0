//! `lope analyze`: a recording in; strides, a summary and a stored session out.

use super::Globals;
use super::athlete_choice::{self, AthleteArg};
use super::console::Console;
use super::failure::{Exit, Failure};
use super::progress::Progress;
use super::safe_file::SafeFile;
use super::summary::Summary;
use crate::interchange::{Mapping, Recording, stride_table};
use crate::model::{SessionTime, Side};
use crate::pipeline::Output;
use crate::runtime::keep::{self, Keeper};
use crate::runtime::offline::{self, PassError, Taker};
use crate::runtime::stop::Stop;
use crate::store::SqliteStore;
use clap::Args;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Arguments of `lope analyze`.
#[derive(Args, Debug)]
pub struct AnalyzeArgs {
    /// A folder with recording.toml, or one CSV file
    pub recording: PathBuf,
    /// Write one row per stride to this file
    #[arg(long, value_name = "FILE.csv")]
    pub strides: Option<PathBuf>,
    /// Keep the session in this store instead of the one in the data folder
    #[arg(long, value_name = "PATH", conflicts_with = "no_store")]
    pub store: Option<PathBuf>,
    /// Keep nothing
    #[arg(long)]
    pub no_store: bool,
    /// How to read another logger's columns and units (docs/import-format.md)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Where the sensor of a single CSV file was worn
    #[arg(long, value_name = "PLACE", value_parser = super::placement_name)]
    pub placement: Option<String>,
    /// Who ran.
    #[command(flatten)]
    pub who: AthleteArg,
}

/// Opens what the arguments name.
///
/// # Errors
/// The recording or the mapping is refused.
pub fn open(path: &Path, map: Option<&Path>, placement: Option<&str>) -> Result<Recording, Failure> {
    let mut mapping = match map {
        None => Mapping::default(),
        Some(file) => {
            let refused = |why: String| {
                Failure::new(
                    "lope::mapping::refused",
                    Exit::Refused,
                    format!("The mapping file {} cannot be used.", file.display()),
                )
                .why(why)
                .try_this("docs/import-format.md lists every key with an example")
            };
            let text = std::fs::read_to_string(file).map_err(|e| refused(e.to_string()))?;
            Mapping::parse(&text).map_err(refused)?
        }
    };
    if let Some(placement) = placement {
        mapping.placement = Some(placement.to_owned());
    }
    Ok(Recording::open(path, Some(&mapping))?)
}

/// The side to write in a stride table where strides do not know theirs: a single foot sensor's nominal one.
#[must_use]
pub fn single_side(recording: &Recording) -> Option<Side> {
    let mut feet = recording
        .sensors
        .iter()
        .filter_map(|s| s.placement)
        .filter(|p| p.segment() == crate::model::SegmentKind::Foot);
    match (feet.next(), feet.next()) {
        (Some(one), None) => one.side(),
        _ => None,
    }
}

struct Outputs<'a> {
    table: Option<SafeFile>,
    keeper: Option<Keeper<'a>>,
    side: Option<Side>,
    progress: Progress,
    bytes: u64,
    stop: Stop,
}

impl Taker for Outputs<'_> {
    type Error = Failure;

    fn take(&mut self, output: &Output) -> Result<(), Failure> {
        if let (Output::Stride(record), Some(table)) = (output, &mut self.table) {
            let side = self.side;
            table.write(|mut out| stride_table::row(&mut out, record, side))?;
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.take(output)?;
        }
        Ok(())
    }

    fn look(&mut self, share: f64, signal_s: f64) -> ControlFlow<()> {
        self.progress.at((share * self.bytes as f64) as u64, signal_s);
        if self.stop.asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Runs `lope analyze`.
///
/// # Errors
/// The recording is refused, or something could not be written; nothing is left behind then.
pub fn run(globals: &Globals, args: &AnalyzeArgs) -> Result<Exit, Failure> {
    let console: Console = globals.console;
    let mut recording = open(&args.recording, args.map.as_deref(), args.placement.as_deref())?;
    let dir = match &args.store {
        Some(dir) => Some(dir.clone()),
        // Without a home nothing is known of anybody, which is no reason not to measure.
        None if args.no_store => globals.data_dir().ok(),
        None => Some(globals.data_dir()?),
    };
    let runner = athlete_choice::resolve(globals, &args.who, dir.as_deref())?;
    runner.fill(&mut recording);
    let athlete = runner.id.clone();
    let bytes = recording.bytes();
    let mut table = args.strides.as_deref().map(SafeFile::create).transpose()?;
    if let Some(table) = &mut table {
        table.write(|mut out| stride_table::header(&mut out))?;
    }
    let store = match &dir {
        Some(dir) if !args.no_store => Some(SqliteStore::open(dir, "lope analyze")?),
        _ => None,
    };
    if let (Some(dir), Some(store)) = (&dir, &store) {
        super::raw::care(globals, dir, store);
    }
    let keeper = match &store {
        Some(store) => Some(Keeper::open(store, keep::meta_of(&recording, runner.id)?)?),
        None => None,
    };
    let mut taker = Outputs {
        table,
        keeper,
        side: single_side(&recording),
        progress: Progress::new(console, "analysing", bytes),
        bytes,
        stop: Stop::on_ctrl_c(),
    };
    let done = offline::run(&recording, &mut taker).map_err(|e| match e {
        PassError::Read(e) => e.into(),
        PassError::Taker(failure) => failure,
        PassError::Stopped => stopped(),
    });
    taker.progress.finish();
    let mut keeper = taker.keeper.take();
    let done = done.and_then(|(pass, health)| {
        if let Some(keeper) = &mut keeper
            && pass.tally.strides() > 0
        {
            let stop = pass.span_s.map_or(0.0, |(_, to)| to);
            keeper.finish(SessionTime::from_secs(stop))?;
            if let Some(store) = &store {
                store.keep_health(keeper.session(), health.rows())?;
            }
        }
        if let Some(table) = taker.table.take() {
            table.keep()?;
        }
        Ok(pass)
    });
    let session = keeper.as_ref().map(|k| k.session().to_string());
    let kept = done.as_ref().is_ok_and(|pass| pass.tally.strides() > 0);
    if let Some(keeper) = keeper.filter(|_| !kept) {
        // The failure that led here is the one to tell; a session left behind shows as `recovered`.
        let _ = keeper.discard();
    }
    let pass = done?;
    let mut summary = Summary::of(&recording, &pass);
    if let Some(session) = session.filter(|_| kept) {
        summary.stored_as(session);
        // The store is let go first: flags are kept beside it.
        drop(store);
        if let Some(dir) = &dir {
            super::flags_record::refresh(dir, &athlete)?;
        }
    }
    console.result(&if console.json {
        summary.json_text()
    } else {
        summary.text()
    })?;
    if let Some(path) = &args.strides {
        console.advice(&format!("wrote {}", path.display()));
    }
    Ok(if pass.truncated.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// Stopped by Ctrl-C before the end.
#[must_use]
pub fn stopped() -> Failure {
    Failure::new(
        "lope::analyze::stopped",
        Exit::Interrupted,
        "Stopped before the end; nothing was written or stored.",
    )
}
