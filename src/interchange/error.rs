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
    /// Declared rate and time stamps disagree.
    #[error("{}: declared {declared_hz:.2} Hz, but the time stamps step by {step_s:.6} s ({measured_hz:.2} Hz). Correct rate_hz, or the time unit by `{mapping}` in a mapping file", path.display())]
    Rate {
        /// File.
        path: PathBuf,
        /// Declared rate.
        declared_hz: f64,
        /// Median step.
        step_s: f64,
        /// Rate by the time stamps.
        measured_hz: f64,
        /// The mapping line to look at.
        mapping: String,
    },
    /// Nothing in it that lope can use.
    #[error("{}: no sensor at a place lope knows (left_foot, right_foot, left_shank, right_shank, sacrum)", path.display())]
    NoSensor {
        /// File.
        path: PathBuf,
    },
}
