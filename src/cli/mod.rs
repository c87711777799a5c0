//! The commands, one file each.
//!
//! Results go to standard output, progress and advice to standard error. An error says what happened, the facts, and what
//! to do, and ends with the exit code of its kind ([`error::Exit`]). Ctrl-C leaves nothing half-written: a command that
//! was interrupted stores nothing.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "the commands are where lope speaks to a person and looks at the clock"
)]

pub mod analyze;
pub mod error;
pub mod interrupt;
pub mod orientation;
pub mod paths;
pub mod progress;
pub mod summary;

use clap::{Parser, Subcommand};
use error::{CliError, Exit};
use std::path::PathBuf;
use std::process::ExitCode;

/// What lope is for, word for word wherever people read results.
pub const INTENDED_PURPOSE: &str = "Records and describes running form and training load for fitness and coaching. \
It does not diagnose, predict, monitor or treat any condition.";

/// lope: running gait from the sensors on your shoes, shins and waistband.
#[derive(Debug, Parser)]
#[command(name = "lope", version, about, after_help = INTENDED_PURPOSE, propagate_version = true)]
pub struct Args {
    /// One JSON object on standard output instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no advice.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// No colour (also: NO_COLOR).
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Where lope keeps its data.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Turn a recording into strides: a summary, a stride table, a stored session.
    Analyze(analyze::AnalyzeArgs),
    /// Attitude of every sample of a recording's first sensor (for comparison with other filters).
    #[command(hide = true)]
    Orientation(orientation::OrientationArgs),
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn run() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(e) => {
            let code = if e.use_stderr() { Exit::Usage } else { Exit::Done };
            // Printing fails only when nobody listens any more.
            let _ = e.print();
            return ExitCode::from(code as u8);
        }
    };
    interrupt::install();
    let result = match &args.command {
        Command::Analyze(a) => analyze::run(&args, a),
        Command::Orientation(a) => orientation::run(a),
    };
    match result {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            error.print(&args);
            ExitCode::from(error.exit as u8)
        }
    }
}

/// What a command ends with.
pub type Outcome = Result<Exit, CliError>;
