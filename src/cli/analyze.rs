//! `lope analyze`: a recording in, strides out.

use super::error::{CliError, Exit};
use super::progress::Progress;
use super::summary::Summary;
use super::{Args as Globals, Outcome, interrupt, paths};
use crate::interchange::{Mapping, Recording, stride_table};
use crate::metrics::StrideRecord;
use crate::model::{Placement, SessionTime};
use crate::pipeline::{Health, Losses, Output, Pipeline, PipelineConfig};
use clap::Args;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// Recording: a folder with recording.toml, or one CSV file.
    pub recording: PathBuf,
    /// Write one row per stride to this CSV file.
    #[arg(long, value_name = "FILE.csv")]
    pub strides: Option<PathBuf>,
    /// Store the session in this data folder instead of the usual one.
    #[arg(long, value_name = "PATH", conflicts_with = "no_store")]
    pub store: Option<PathBuf>,
    /// Do not store the session.
    #[arg(long)]
    pub no_store: bool,
    /// How to read CSV files of another logger (docs/import-format.md).
    #[arg(long, value_name = "FILE.toml")]
    pub map: Option<PathBuf>,
    /// Where the sensor of a single CSV file was worn.
    #[arg(long, value_name = "PLACE")]
    pub placement: Option<String>,
}

/// Everything one pass over a recording gave.
#[derive(Debug)]
pub struct Analysis {
    /// Strides, in order of decision.
    pub records: Vec<StrideRecord>,
    /// What should be known about the data.
    pub health: Vec<Health>,
    /// Per sensor worn.
    pub losses: Vec<(Placement, Losses)>,
    /// Newest instant.
    pub end: SessionTime,
    /// Files that ended in the middle of a line.
    pub truncated: Vec<PathBuf>,
}

/// Reads a mapping file and applies `--placement`.
///
/// # Errors
/// The file cannot be read or is wrong, with all that is wrong in it.
pub fn mapping(map: Option<&PathBuf>, placement: Option<&str>) -> Result<Option<Mapping>, CliError> {
    let refused = |what: String| {
        CliError::new("lope::mapping::refused", Exit::Input, what)
            .advice("see docs/import-format.md for the mapping file")
    };
    let mut mapping = match map {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| refused(format!("{}: cannot be read: {e}", path.display())))?;
            Some(Mapping::parse(&text).map_err(|e| refused(format!("{}: {e}", path.display())))?)
        }
    };
    if let Some(place) = placement {
        if Placement::from_name(place).is_none() {
            return Err(refused(format!(
                "--placement {place}: expected left_foot, right_foot, left_shank, right_shank or sacrum"
            )));
        }
        mapping.get_or_insert_default().placement = Some(place.to_owned());
    }
    Ok(mapping)
}

/// Runs a recording through the signal loop.
///
/// # Errors
/// A line that cannot be read, or an interruption.
pub fn analyse(recording: &Recording, quiet: bool) -> Result<Analysis, CliError> {
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: recording.configs(),
        athlete: recording.athlete(),
        sync_sigma_s: recording.description.sync_sigma_s,
        personal_speed_offset: 0.0,
    });
    let mut stream = recording.stream()?;
    let mut analysis = Analysis {
        records: Vec::new(),
        health: Vec::new(),
        losses: Vec::new(),
        end: SessionTime::ZERO,
        truncated: Vec::new(),
    };
    let mut out = Vec::with_capacity(64);
    // A row of seven numbers takes about 66 bytes; exact enough for a bar.
    let mut progress = Progress::new("analysing", recording.bytes() / 66, quiet);
    let started = std::time::Instant::now();
    let mut count = 0_u64;
    while let Some(event) = stream.next_event()? {
        if let crate::model::SensorEvent::Sample(_, sample) = &event {
            analysis.end = analysis.end.max(sample.t);
        }
        pipeline.push(&event, &mut out);
        analysis.take(&mut out);
        count += 1;
        if count.is_multiple_of(8192) {
            if interrupt::requested() {
                progress.done();
                return Err(CliError::new(
                    "lope::analyze::interrupted",
                    Exit::Interrupted,
                    "Stopped. Nothing was stored.",
                ));
            }
            let speed = analysis.end.secs() / started.elapsed().as_secs_f64().max(1e-6);
            progress.at(stream.lines(), &format!("{speed:.0}× real time"));
        }
    }
    pipeline.flush(&mut out);
    analysis.take(&mut out);
    progress.done();
    analysis.truncated = stream.truncated().map(std::path::Path::to_path_buf).collect();
    analysis.losses = pipeline
        .config()
        .sensors
        .iter()
        .filter_map(|s| Some((s.placement, pipeline.losses(s.placement)?)))
        .collect();
    Ok(analysis)
}

impl Analysis {
    fn take(&mut self, out: &mut Vec<Output>) {
        for output in out.drain(..) {
            match output {
                Output::Stride(record) => self.records.push(*record),
                Output::Health(health) => self.health.push(health),
                Output::ProvisionalContact { .. } | Output::Contact { .. } | Output::Block(_) | Output::Window(_) => {}
            }
        }
    }
}

/// Runs the command.
///
/// # Errors
/// A recording that is refused, a table that cannot be written, a store that is busy or full.
pub fn run(globals: &Globals, args: &AnalyzeArgs) -> Outcome {
    let mapping = mapping(args.map.as_ref(), args.placement.as_deref())?;
    let recording = Recording::open(&args.recording, mapping.as_ref())?;
    let analysis = analyse(&recording, globals.quiet || globals.json)?;
    for path in &analysis.truncated {
        if !globals.quiet {
            eprintln!(
                "warning: {} ends in the middle of a line; that line was not used",
                path.display()
            );
        }
    }
    if let Some(path) = &args.strides {
        let side = recording
            .configs()
            .iter()
            .find(|c| !c.side_known)
            .and_then(|c| c.placement.side());
        paths::write_whole(path, |out| stride_table::write(out, &analysis.records, side))?;
    }
    let summary = Summary::of(&recording.description.name, &analysis);
    if globals.json {
        println!("{}", summary.json());
    } else {
        print!("{}", summary.text());
    }
    Ok(Exit::Done)
}
