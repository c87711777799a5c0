//! How a command fails: one shape for people, one number for scripts.
//!
//! A failure says what happened, the facts, and what to do next. It names no stack and blames nobody; whoever reads it
//! at the edge of a running track has a phone, not a debugger.

use crate::interchange::ReadError;
use std::fmt;
use std::path::Path;

/// The program's exit codes; the numbers are part of the interface and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed in a way lope did not expect.
    Unexpected = 1,
    /// The command line was not understood.
    Usage = 2,
    /// Something outside is missing: a file that cannot be written, a full disk, a permission.
    Outside = 3,
    /// This build lacks the feature.
    Lacking = 4,
    /// Input or configuration refused.
    Refused = 5,
    /// No such session.
    Unknown = 6,
    /// Done in part; the rest is listed.
    Partial = 7,
    /// Refused for safety: not confirmed.
    Declined = 8,
    /// Another lope works on this record.
    Busy = 9,
    /// Interrupted by the second Ctrl-C, or before anything was done.
    Interrupted = 130,
}

impl Exit {
    /// The number for the system.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// What happened, why, what to try.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `lope::area::name`, for searching.
    pub code: &'static str,
    /// Exit code.
    pub exit: Exit,
    /// One sentence: what happened.
    pub what: String,
    /// The facts.
    pub why: Vec<String>,
    /// What to do.
    pub tries: Vec<String>,
}

impl Failure {
    /// A failure with its sentence; facts and advice are added with [`Failure::why`] and [`Failure::try_this`].
    #[must_use]
    pub fn new(code: &'static str, exit: Exit, what: impl Into<String>) -> Self {
        Self {
            code,
            exit,
            what: what.into(),
            why: Vec::new(),
            tries: Vec::new(),
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
    pub fn try_this(mut self, advice: impl Into<String>) -> Self {
        self.tries.push(advice.into());
        self
    }

    /// Something could not be written to `path`.
    #[must_use]
    pub fn writing(path: &Path, error: &std::io::Error) -> Self {
        let failure = Self::new(
            "lope::file::write",
            Exit::Outside,
            format!("{} could not be written.", path.display()),
        )
        .why(error.to_string());
        match error.kind() {
            std::io::ErrorKind::StorageFull => {
                failure.try_this("free some space on that disk, or write to another one")
            }
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                failure.try_this("write to a folder that is yours")
            }
            std::io::ErrorKind::NotFound => failure.try_this("create the folder first"),
            _ => failure.try_this("write to another place"),
        }
    }

    /// The shape of a failure as text, ending in a line break.
    #[must_use]
    pub fn text(&self, paint: Paint) -> String {
        use fmt::Write as _;
        let (red, dim, off) = match paint {
            Paint::Coloured => ("\x1b[31;1m", "\x1b[2m", "\x1b[0m"),
            Paint::Plain => ("", "", ""),
        };
        let mut text = format!("{red}error{off} {}\n  {}\n", self.code, self.what);
        for (label, lines) in [("why", &self.why), ("try", &self.tries)] {
            for (i, line) in lines.iter().enumerate() {
                let label = if i == 0 { label } else { "   " };
                let line = line.trim_end().replace('\n', "\n        ");
                // Writing to a String cannot fail.
                let _ = writeln!(text, "  {dim}{label}{off}   {line}");
            }
        }
        text
    }
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// With colour codes.
    Coloured,
    /// Without.
    Plain,
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let text = error.to_string();
        match error {
            ReadError::Open { path, source } => Self::new(
                "lope::recording::open",
                Exit::Refused,
                format!("{} cannot be read.", path.display()),
            )
            .why(source.to_string())
            .try_this("lope analyze takes a folder with a recording.toml, or one CSV file"),
            ReadError::Empty { .. } => Self::new(
                "lope::recording::empty",
                Exit::Refused,
                "The recording holds no samples.",
            )
            .why(text)
            .try_this("record again, or remove that sensor from recording.toml"),
            ReadError::Header { .. } => {
                Self::new("lope::recording::header", Exit::Refused, "The columns are not lope's.")
                    .why(text)
                    .try_this("name the columns in a mapping file and pass it with --map FILE (docs/import-format.md)")
            }
            ReadError::NotANumber { .. } => {
                Self::new("lope::recording::not_a_number", Exit::Refused, "A number was expected.")
                    .why(text)
                    .try_this("correct that line; an empty cell means: not recorded")
            }
            ReadError::Columns { .. } => Self::new("lope::recording::columns", Exit::Refused, "A line is too short.")
                .why(text)
                .try_this("correct or remove that line"),
            ReadError::Description { .. } => Self::new(
                "lope::recording::description",
                Exit::Refused,
                "The description of the recording does not fit.",
            )
            .why(text)
            .try_this("docs/import-format.md shows a complete one"),
            ReadError::Unit { mapping, .. } => Self::new(
                "lope::recording::unit",
                Exit::Refused,
                "The numbers look like another unit; nothing was converted.",
            )
            .why(text)
            .try_this(format!("put `{mapping}` into a file and pass it with --map FILE")),
            ReadError::Rate { mapping, .. } => {
                let failure = Self::new(
                    "lope::recording::rate",
                    Exit::Refused,
                    "The sampling rate and the time stamps do not fit.",
                )
                .why(text);
                match mapping {
                    Some(line) => failure.try_this(format!("put `{line}` into a file and pass it with --map FILE")),
                    None => failure.try_this("correct rate_hz in recording.toml or in the mapping file"),
                }
            }
            ReadError::Time { .. } => Self::new(
                "lope::recording::time",
                Exit::Refused,
                "The time column holds no running time.",
            )
            .why(text)
            .try_this("name another column with `time = ...` in a mapping file (--map FILE), or sort the rows"),
            ReadError::Clocks { .. } => Self::new(
                "lope::recording::clocks",
                Exit::Refused,
                "The sensors of this recording do not count on one clock.",
            )
            .why(text)
            .try_this("bring their time columns to one start, or analyse one file at a time"),
            ReadError::NoGyroscope { .. } => Self::new(
                "lope::recording::no_gyroscope",
                Exit::Refused,
                "There is no angular rate in it.",
            )
            .why(text)
            .try_this("switch the logger's gyroscope on, or name its columns in a mapping file (--map FILE)"),
            ReadError::LongLine { .. } => {
                Self::new("lope::recording::line", Exit::Refused, "This is no file of lines.")
                    .why(text)
                    .try_this("lope reads text: one line a sample (docs/import-format.md)")
            }
            ReadError::NoSensor { .. } => Self::new(
                "lope::recording::no_sensor",
                Exit::Refused,
                "No sensor sits where lope can use it.",
            )
            .why(text)
            .try_this("give the placement of at least one sensor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_code_sentence_facts_advice() {
        let text = Failure::new("lope::a::b", Exit::Refused, "It did not fit.")
            .why("fact one")
            .why("fact two")
            .try_this("do this")
            .text(Paint::Plain);
        assert_eq!(
            text,
            "error lope::a::b\n  It did not fit.\n  why   fact one\n        fact two\n  try   do this\n"
        );
    }
}
