//! Settings: what may be set, where it may be said, and which saying wins.
//!
//! ```text
//! defaults < config.toml < LOPE_* < flags        each value remembers where it came from
//! ```
//!
//! Two phases. *Raw*: `file` takes the text apart and keeps the line of everything; a key nobody knows is an error.
//! *Resolve*: [`settings`] lays the four sources over each other and reads the values. Both collect every [`Problem`]
//! instead of ending at the first, so that a file is mended in one go.
//!
//! [`kit`] is what a kit of sensors is, [`edit`] changes a file and keeps its comments and order, [`place`] knows where
//! files lie on each system. Nothing here reads or writes a file or the environment: text and variables come in, text
//! goes out.

pub mod edit;
pub mod file;
pub mod kit;
pub mod place;
pub mod problem;
pub mod settings;
#[cfg(test)]
mod tests;

pub use kit::{Kit, KitSensor};
pub use problem::Problem;
pub use settings::{Inputs, Language, RadioChoice, Settings, Units};

use std::fmt;
use std::path::PathBuf;

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere.
    Default,
    /// In the settings file.
    File {
        /// Which file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
    },
    /// In a variable of the environment; its name.
    Variable(&'static str),
    /// On the command line; the flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value and where it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}
