//! The commands. Each verb has a file; this one holds what they share: the command line, and how a run ends.
//!
//! Results go to standard output, everything else to standard error; `--json` gives one object. Exit codes are those of
//! [`failure::Exit`].
#![allow(
    clippy::disallowed_methods,
    reason = "progress and the demonstration say how long something took"
)]

pub mod analyze;
pub mod console;
pub mod demo;
pub mod failure;
pub mod flags;
pub mod live_view;
pub mod orientation;
pub mod progress;
pub mod replay;
pub mod safe_file;
pub mod sessions;
pub mod simulate;
pub mod simulated_recording;
pub mod summary;
pub mod words;

use clap::{Parser, Subcommand};
use console::Console;
use failure::{Exit, Failure};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// The command line.
#[derive(Parser, Debug)]
#[command(
    name = "lope",
    version,
    about = "Running form from wearable motion sensors: stride length, cadence, contact, overstriding, pelvic tilt.",
    after_help = words::PURPOSE,
    term_width = 0,
    propagate_version = true
)]
struct Line {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args, Debug)]
struct Flags {
    /// Results as JSON on standard output
    #[arg(long, global = true)]
    json: bool,
    /// No progress and no advice
    #[arg(long, global = true)]
    quiet: bool,
    /// No colours (NO_COLOR works as well)
    #[arg(long, global = true)]
    no_color: bool,
    /// Folder in which lope keeps sessions
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// A simulated run through everything, no hardware needed
    Demo(demo::DemoArgs),
    /// Measure a recording: strides, summary, stored session
    Analyze(analyze::AnalyzeArgs),
    /// Play a recording back as if it happened now
    Replay(replay::ReplayArgs),
    /// Write a recording of a simulated run, with the truth
    Simulate(simulate::SimulateArgs),
    /// What is kept: list, show, export, delete
    Sessions(sessions::SessionsArgs),
    /// Lower-back flags of a history: what changed against one's own usual
    Flags(flags::FlagsArgs),
    #[command(hide = true)]
    Orientation(orientation::OrientationArgs),
}

/// What the global flags say.
#[derive(Clone, Debug)]
pub struct Globals {
    /// Where output goes.
    pub console: Console,
    /// `--data-dir`, where given.
    pub data_dir: Option<PathBuf>,
}

impl Globals {
    /// The folder in which sessions are kept: `--data-dir`, else `lope` in the system's folder for a program's data.
    ///
    /// # Errors
    /// No such folder is known (no home).
    pub fn data_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.data_dir {
            return Ok(dir.clone());
        }
        let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let base = if cfg!(windows) {
            var("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            var("HOME").map(|h| h.join("Library/Application Support"))
        } else {
            // The base directory specification: a relative path is to be ignored.
            var("XDG_DATA_HOME")
                .filter(|p| p.is_absolute())
                .or_else(|| var("HOME").map(|h| h.join(".local/share")))
        };
        base.map(|b| b.join("lope")).ok_or_else(|| {
            Failure::new(
                "lope::store::no_home",
                Exit::Outside,
                "There is no folder to keep sessions in.",
            )
            .why("neither XDG_DATA_HOME nor HOME is set")
            .try_this("name one with --data-dir DIR, or keep nothing with --no-store")
        })
    }
}

/// Parses a placement's name for clap.
fn placement_name(text: &str) -> Result<String, String> {
    match crate::model::Placement::from_name(text) {
        Some(p) => Ok(p.name().to_owned()),
        None => Err("expected left_foot, right_foot, left_shank, right_shank or sacrum".to_owned()),
    }
}

/// Parses a number above 0 for clap.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if v.is_finite() && v > 0.0 => Ok(v),
        _ => Err("expected a number above 0".to_owned()),
    }
}

/// Runs the program with these arguments (the first is its name).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line = match Line::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => {
            // `--help` and `--version` are answers, on standard output; the rest is usage.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let _ = error.print();
            return exit.number().into();
        }
    };
    let globals = Globals {
        console: Console {
            json: line.flags.json,
            quiet: line.flags.quiet,
            no_color: line.flags.no_color,
        },
        data_dir: line.flags.data_dir,
    };
    let done = match &line.verb {
        Verb::Demo(args) => demo::run(&globals, args),
        Verb::Analyze(args) => analyze::run(&globals, args),
        Verb::Replay(args) => replay::run(&globals, args),
        Verb::Simulate(args) => simulate::run(&globals, args),
        Verb::Sessions(args) => sessions::run(&globals, args),
        Verb::Flags(args) => flags::run(&globals, args),
        Verb::Orientation(args) => orientation::run(&globals, args),
    };
    match done {
        Ok(exit) => exit.number().into(),
        Err(failure) => {
            globals.console.failure(&failure);
            failure.exit.number().into()
        }
    }
}
