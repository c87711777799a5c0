//! Errors as people read them, and the exit codes as scripts do.

use super::Args;
use crate::interchange::ReadError;

/// Exit codes; a script may rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; also a stop on request in `record`, `serve`, `replay`.
    Done = 0,
    /// Failed in a way lope did not expect.
    Unexpected = 1,
    /// Wrong use of the command line.
    Usage = 2,
    /// Something outside is missing: Bluetooth, permission, disk.
    Outside = 3,
    /// This build lacks the feature.
    Feature = 4,
    /// Input or configuration refused.
    Input = 5,
    /// No such session, athlete, shoe or flag.
    NoSuch = 6,
    /// Done in part; the rest is listed.
    Partly = 7,
    /// Refused for safety or consent.
    Safety = 8,
    /// Another lope is at work here.
    Busy = 9,
    /// Interrupted.
    Interrupted = 130,
}

/// One error: what happened, the facts, what to do.
#[derive(Debug)]
pub struct CliError {
    /// `lope::area::name`.
    pub code: &'static str,
    /// How the program ends.
    pub exit: Exit,
    /// What happened.
    pub what: String,
    /// The facts.
    pub why: Vec<String>,
    /// What to do.
    pub advice: Vec<String>,
}

impl CliError {
    /// An error without facts or advice yet.
    #[must_use]
    pub fn new(code: &'static str, exit: Exit, what: impl Into<String>) -> Self {
        Self {
            code,
            exit,
            what: what.into(),
            why: Vec::new(),
            advice: Vec::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn why(mut self, fact: impl Into<String>) -> Self {
        self.why.push(fact.into());
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    /// A file that could not be written.
    #[must_use]
    pub fn write(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(
            "lope::file::write",
            Exit::Outside,
            format!("{} could not be written.", path.display()),
        )
        .why(error.to_string())
        .advice("check the folder, its permissions and the space on the disk; nothing half-written was left")
    }

    /// Prints to standard error: text for people, or one JSON object with `--json`.
    pub fn print(&self, args: &Args) {
        if args.json {
            let object = serde_json::json!({
                "error": { "code": self.code, "exit": self.exit as u8, "what": self.what, "why": self.why, "try": self.advice }
            });
            eprintln!("{object}");
            return;
        }
        eprintln!("error {}", self.code);
        eprintln!("  {}", self.what);
        for fact in &self.why {
            eprintln!("  why   {fact}");
        }
        for advice in &self.advice {
            eprintln!("  try   {advice}");
        }
    }
}

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        let (code, advice) = match &error {
            ReadError::Open { .. } => (
                "lope::recording::open",
                "check the path; a recording is a folder with recording.toml, or one CSV file",
            ),
            ReadError::Empty { .. } => (
                "lope::recording::empty",
                "check that the logger wrote the file completely",
            ),
            ReadError::Header { .. } => (
                "lope::recording::header",
                "rename the columns, or describe them in a mapping file: lope analyze FILE --map mapping.toml (docs/import-format.md)",
            ),
            ReadError::NotANumber { .. } => ("lope::recording::number", "correct or remove that line"),
            ReadError::Columns { .. } => ("lope::recording::columns", "correct or remove that line"),
            ReadError::Description { .. } => (
                "lope::recording::description",
                "see docs/import-format.md for what recording.toml may hold",
            ),
            ReadError::Unit { .. } => (
                "lope::recording::unit",
                "lope never converts silently: say the unit in a mapping file",
            ),
            ReadError::Rate { .. } => (
                "lope::recording::rate",
                "the rate decides every filter: correct rate_hz or the time unit",
            ),
            ReadError::NoSensor { .. } => (
                "lope::recording::no_sensor",
                "name the placement of at least one sensor",
            ),
        };
        Self::new(code, Exit::Input, error.to_string()).advice(advice)
    }
}
