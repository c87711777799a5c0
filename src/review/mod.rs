//! Looking back: what single runs amount to, and what changes from run to run.
//!
//! Everything a view, a report or a command shows about more than one stride is made here from the record (`store`), the
//! journal and the flag rules, so that a number is the same wherever it is read. The answers are plain values with names
//! ([`shapes`]); the HTTP interface sends them as they are. Calls block and read no clock: whoever asks says which day is
//! today.

pub mod after_cue;
pub mod card;
pub mod compare;
pub mod curves;
pub mod files;
#[cfg(test)]
mod fixture;
pub mod flag_words;
pub mod flags;
pub mod history_of;
pub mod laps;
pub mod live;
pub mod load;
pub mod local_day;
pub mod own_usual;
pub(crate) mod pages;
pub mod precision;
pub mod record;
pub mod roster;
pub mod run_values;
pub mod sessions;
pub mod shapes;
pub mod sight;
#[cfg(test)]
mod tests;
pub mod trend;
pub mod windows;

pub use history_of::Past;
pub use record::{Review, RulesAre};
pub use shapes::*;
pub use sight::{Sight, Viewer};
