//! What can be wrong with a recording, with the facts needed to mend it.

use std::path::PathBuf;
use thiserror::Error;

/// A recording that cannot be read as it is. Every variant names the file, and the line where there is one.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file is not there or cannot be opened.
    #[error("{}: cannot be read: {source}", path.display())]
    Open {
        /// File.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds no samples.
    #[error("{}: no samples (expected a header line and then one line per sample)", path.display())]
    Empty {
        /// File.
        path: PathBuf,
    },
    /// The header is not the expected one.
    #[error("{}:1: header is `{found}`, expected `{expected}`", path.display())]
    Header {
        /// File.
        path: PathBuf,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// Text in a number column.
    #[error("{}:{line}: column `{column}` holds `{value}`, expected a number", path.display())]
    NotANumber {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column name.
        column: String,
        /// What stands there.
        value: String,
    },
    /// A line has too few columns and is not the last one.
    #[error("{}:{line}: {found} columns, expected at least {expected}", path.display())]
    Columns {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// How many there are.
        found: usize,
        /// How many are needed.
        expected: usize,
    },
    /// The description of the recording is wrong.
    #[error("{}: {what}", path.display())]
    Description {
        /// File.
        path: PathBuf,
        /// What is wrong, with line and value as far as known.
        what: String,
    },
    /// The numbers look like another unit.
    #[error("{}: {seen}; that looks like {looks_like}. To read it so, put `{mapping}` into a mapping file and pass it with --map", path.display())]
    Unit {
        /// File.
        path: PathBuf,
        /// What was seen, with numbers.
        seen: String,
        /// What it looks like.
        looks_like: &'static str,
        /// The mapping line that would read it.
        mapping: String,
    },
    /// Declared rate and time stamps disagree, or the rate is one that lope cannot use.
    #[error("{}: {}", path.display(), rate_facts(*declared_hz, *step_s, mapping.as_deref()))]
    Rate {
        /// File.
        path: PathBuf,
        /// Declared rate, where there is one.
        declared_hz: Option<f64>,
        /// Median step, s, as read.
        step_s: f64,
        /// The mapping line that would read it, where there is one.
        mapping: Option<String>,
    },
    /// Time does not go on.
    #[error("{}: time does not go on: none of the first {rows} rows is later than the one before it (first {first_s} s)", path.display())]
    Time {
        /// File.
        path: PathBuf,
        /// Rows looked at.
        rows: usize,
        /// Time of the first, s.
        first_s: f64,
    },
    /// The sensors do not count on one clock.
    #[error(
        "{} runs from about {:.0} to {:.0} s, {} from {:.0} to {:.0} s: these are two clocks",
        path.display(), span_s.0, span_s.1, other.display(), other_span_s.0, other_span_s.1
    )]
    Clocks {
        /// File.
        path: PathBuf,
        /// Its first and last time, s.
        span_s: (f64, f64),
        /// Another file.
        other: PathBuf,
        /// Its first and last time, s.
        other_span_s: (f64, f64),
    },
    /// The sensor is shaken and does not turn at all.
    #[error("{}: the specific force changes by {swing:.1} m/s² while the angular rate stays at one value", path.display())]
    NoGyroscope {
        /// File.
        path: PathBuf,
        /// Range of the specific force, m/s².
        swing: f64,
    },
    /// A line that is too long to be one.
    #[error("{}:{line}: a line of more than {limit} characters", path.display())]
    LongLine {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Bytes that a line may have.
        limit: u64,
    },
    /// Nothing in it that lope can use.
    #[error("{}: no sensor at a place lope knows (left_foot, right_foot, left_shank, right_shank, sacrum)", path.display())]
    NoSensor {
        /// File.
        path: PathBuf,
    },
}

fn rate_facts(declared_hz: Option<f64>, step_s: f64, mapping: Option<&str>) -> String {
    let measured = 1.0 / step_s;
    // Nine decimals, without the zeros behind them.
    let step = format!("{step_s:.9}");
    let step = step.trim_end_matches('0').trim_end_matches('.');
    let mut text = match declared_hz {
        Some(hz) => format!("declared {hz:.2} Hz, but the time stamps step by {step} s ({measured:.2} Hz)"),
        None => format!("the time stamps step by {step} s ({measured:.4} Hz), and lope reads 20 to 2000 Hz"),
    };
    if let Some(mapping) = mapping {
        text.push_str(&format!(
            ". To read them so that it fits, put `{mapping}` into a mapping file and pass it with --map"
        ));
    }
    text
}
