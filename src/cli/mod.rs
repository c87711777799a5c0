//! The commands. Each verb has a file; this one holds what they share: the command line, and how a run ends.
//!
//! Results go to standard output, everything else to standard error; `--json` gives one object. Exit codes are those of
//! [`failure::Exit`].
#![allow(
    clippy::disallowed_methods,
    reason = "progress and the demonstration say how long something took"
)]

pub mod analyze;
pub mod ask;
pub mod assign;
pub mod athlete;
pub mod athlete_choice;
pub mod backup;
pub mod calibrate;
pub mod checkin;
pub mod config_file;
pub mod console;
pub mod cue_sound;
pub mod days;
pub mod demo;
pub mod demo_files;
pub mod desk;
pub mod doctor;
pub mod export;
pub mod export_run;
pub mod failure;
pub mod flags;
pub mod flags_record;
pub mod forget;
#[cfg(feature = "tracks")]
pub mod import;
#[cfg(feature = "influx")]
pub mod influx;
pub mod listening;
pub mod live_keys;
pub mod live_view;
pub mod log_book;
pub mod orientation;
pub mod pair;
pub mod pairing;
pub mod pod;
pub mod progress;
pub mod radio;
pub mod raw;
pub mod record;
pub mod redrawn;
pub mod replay;
pub mod report;
#[cfg(feature = "tracks")]
pub mod restore;
pub mod run_distance;
pub mod run_note;
pub mod safe_file;
pub mod scan;
pub mod sensor_choice;
pub mod sensor_words;
pub mod sensors;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "serve")]
pub mod serving;
pub mod sessions;
pub mod shoes;
pub mod sightings;
pub mod simulate;
pub mod simulated_recording;
pub mod squad;
pub mod summary;
#[cfg(test)]
mod test_radio;
#[cfg(feature = "serve")]
pub mod token;
pub mod trend;
pub mod words;

use crate::config::Settings;
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
    /// The settings file, in place of the usual one; `lope doctor --config` lists every setting
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1)]
    config: Option<Option<PathBuf>>,
    /// How sensors are reached: ble (Bluetooth), or wire:HOST:PORT
    #[arg(long, global = true, value_name = "RADIO")]
    radio: Option<String>,
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
    /// A copy of the record in InfluxDB: check, sync, status
    #[cfg(feature = "influx")]
    Influx(influx::InfluxArgs),
    /// A copy of the record in InfluxDB: not in this build
    #[cfg(not(feature = "influx"))]
    Influx {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        _rest: Vec<OsString>,
    },
    /// Serve the dashboard and the interface for programs
    #[cfg(feature = "serve")]
    Serve(serve::ServeArgs),
    /// Who may look from another machine: add, list, revoke
    #[cfg(feature = "serve")]
    Token(token::TokenArgs),
    /// Record a run from sensors, live, to the last sample
    Record(record::RecordArgs),
    /// Look for sensors
    Scan(scan::ScanArgs),
    /// Say which sensor is worn where, by tapping each of them twice
    Pair(pair::PairArgs),
    /// Stand still, so that it is known how each sensor sits
    Calibrate(calibrate::CalibrateArgs),
    /// Your kits of sensors: list, show, rename, forget
    Sensors(sensors::SensorsArgs),
    /// Virtual pods on a simulated runner, to record from without hardware
    Pod(pod::PodArgs),
    /// What works on this machine, what does not, and how to mend it
    Doctor,
    /// Files for other programs: one run as FIT, workbook or CSV; or everything kept
    Export(export::ExportArgs),
    /// A copy of the record that is one itself
    Backup(backup::BackupArgs),
    /// Raw recordings: list, keep, make room
    Raw(raw::RawArgs),
    /// Erase an athlete whole, for good
    Forget(forget::ForgetArgs),
    /// Runs made without lope, from FIT, GPX and TCX files; or a whole export, into an empty record
    #[cfg(feature = "tracks")]
    Import(import::ImportArgs),
    /// Runs made without lope, from FIT, GPX and TCX files: not in this build
    #[cfg(not(feature = "tracks"))]
    Import {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        _rest: Vec<OsString>,
    },
    /// Who runs: names, body, consent, who is meant by default
    Athlete(athlete::AthleteArgs),
    /// Short questions around running: before, after, morning, weekly, test
    Checkin(Box<checkin::CheckinArgs>),
    /// Your shoes: list, add, retire, comfort, heels
    Shoes(shoes::ShoesArgs),
    /// The journal: list, runs made without lope, rest days, notes
    Log(Box<log_book::LogArgs>),
    /// A report as HTML or PDF, for the runner, a coach or a therapist
    Report(report::ReportArgs),
    /// Lower-back flags: what changed against one's own usual
    Flags(flags::FlagsArgs),
    /// One metric over weeks at matched speed, against your own usual
    Trend(trend::TrendArgs),
    #[command(hide = true)]
    Orientation(orientation::OrientationArgs),
}

/// What the global flags and the settings say.
#[derive(Clone, Debug)]
pub struct Globals {
    /// Where output goes.
    pub console: Console,
    /// The settings, or why there are none.
    pub config: config_file::Loaded,
}

impl Globals {
    /// The settings.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn settings(&self) -> Result<&Settings, Failure> {
        self.config.settings.as_ref().map_err(Failure::from)
    }

    /// The folder in which sessions are kept: `--data-dir`, else as the settings say, else `lope` in the system's folder
    /// for a program's data.
    ///
    /// # Errors
    /// The settings are wrong, or no such folder is known (no home).
    pub fn data_dir(&self) -> Result<PathBuf, Failure> {
        self.settings()?.data_dir.value.clone().ok_or_else(|| {
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

/// The system gives no threads or timers.
fn threads_failed(e: &std::io::Error) -> Failure {
    Failure::new("lope::runtime::start", Exit::Outside, "No threads to run on.").why(e.to_string())
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

/// Parses a span of time for clap: `90s`, `30m`, `1h30m`, or seconds.
fn time_span(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || "expected a span of time such as 90s, 30m or 1h30m".to_owned();
    let mut seconds = 0.0;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' | '.' => {
                number.push(c);
                continue;
            }
            'h' => 3600.0,
            'm' => 60.0,
            's' => 1.0,
            _ => return Err(wrong()),
        };
        seconds += unit * number.parse::<f64>().map_err(|_| wrong())?;
        number.clear();
    }
    if !number.is_empty() {
        if seconds > 0.0 {
            return Err(wrong());
        }
        seconds = number.parse::<f64>().map_err(|_| wrong())?;
    }
    // A week is longer than any run; it also keeps the value inside what the system can wait for.
    if seconds > 0.0 && seconds <= 7.0 * 86_400.0 {
        Ok(std::time::Duration::from_secs_f64(seconds))
    } else {
        Err(wrong())
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
    let console = Console {
        json: line.flags.json,
        quiet: line.flags.quiet,
        no_color: line.flags.no_color,
    };
    let listing = match &line.flags.config {
        Some(None) if !matches!(line.verb, Verb::Doctor) => {
            let failure = Failure::new("lope::config::which", Exit::Usage, "The settings file is not named.")
                .why("--config stands alone, which only lope doctor understands")
                .try_this("--config FILE");
            console.failure(&failure);
            return failure.exit.number().into();
        }
        Some(_) => doctor::Listing::Settings,
        None => doctor::Listing::Checks,
    };
    let globals = Globals {
        console,
        config: config_file::load(
            line.flags.config.flatten().as_deref(),
            crate::config::settings::Flags {
                data_dir: line.flags.data_dir,
                radio: line.flags.radio,
            },
        ),
    };
    let done = match &line.verb {
        Verb::Demo(args) => demo::run(&globals, args),
        Verb::Analyze(args) => analyze::run(&globals, args),
        Verb::Replay(args) => replay::run(&globals, args),
        Verb::Simulate(args) => simulate::run(&globals, args),
        Verb::Sessions(args) => sessions::run(&globals, args),
        #[cfg(feature = "influx")]
        Verb::Influx(args) => influx::run(&globals, args),
        #[cfg(not(feature = "influx"))]
        Verb::Influx { .. } => Err(Failure::new(
            "lope::influx::lacking",
            Exit::Lacking,
            "This build has no InfluxDB in it.",
        )
        .try_this("build it with the feature `influx` (it is in the default features)")),
        #[cfg(feature = "serve")]
        Verb::Serve(args) => serve::run(&globals, args),
        #[cfg(feature = "serve")]
        Verb::Token(args) => token::run(&globals, args),
        Verb::Record(args) => record::run(&globals, args),
        Verb::Scan(args) => scan::run(&globals, args),
        Verb::Pair(args) => pair::run(&globals, args),
        Verb::Calibrate(args) => calibrate::run(&globals, args),
        Verb::Sensors(args) => sensors::run(&globals, args),
        Verb::Doctor => doctor::run(&globals, listing),
        Verb::Pod(args) => pod::run(&globals, args),
        Verb::Export(args) => export::run(&globals, args),
        Verb::Backup(args) => backup::run(&globals, args),
        Verb::Raw(args) => raw::run(&globals, args),
        Verb::Forget(args) => forget::run(&globals, args),
        #[cfg(feature = "tracks")]
        Verb::Import(args) => import::run(&globals, args),
        #[cfg(not(feature = "tracks"))]
        Verb::Import { .. } => Err(Failure::new(
            "lope::import::lacking",
            Exit::Lacking,
            "This build reads no FIT, GPX or TCX.",
        )
        .try_this("build it with the feature `tracks` (it is in the default features)")),
        Verb::Athlete(args) => athlete::run(&globals, args),
        Verb::Checkin(args) => checkin::run(&globals, args),
        Verb::Shoes(args) => shoes::run(&globals, args),
        Verb::Log(args) => log_book::run(&globals, args),
        Verb::Report(args) => report::run(&globals, args),
        Verb::Flags(args) => flags::run(&globals, args),
        Verb::Trend(args) => trend::run(&globals, args),
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

#[cfg(test)]
mod tests {
    #[test]
    fn spans_of_time_are_read_as_people_write_them() {
        let secs = |t: &str| super::time_span(t).map(|d| d.as_secs_f64()).ok();
        assert_eq!(secs("90s"), Some(90.0));
        assert_eq!(secs("30m"), Some(1800.0));
        assert_eq!(secs("1h30m"), Some(5400.0));
        assert_eq!(secs("2.5"), Some(2.5));
        for wrong in ["", "m", "0s", "-3s", "30x", "1h30", "1000000h"] {
            assert_eq!(secs(wrong), None, "{wrong}");
        }
    }
}
