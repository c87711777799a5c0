//! Lower-back flags: what changed, against the runner's own usual, on which evidence.
//!
//! No sensor signal has been shown to foretell low-back pain in runners. A flag therefore says what differs from this runner's
//! own usual, what studies link with it and how well, and one thing worth trying; it claims no cause and no outlook, and there
//! is no score (`docs/adr/0010-what-a-flag-may-claim.md`). Flags are data: [`rules`] holds them as values, [`engine`] reads
//! them. *Not enough data* is a state of its own everywhere, written `None`.
//!
//! Everything is replayed from the entries and run values of a [`history::History`]; nothing here keeps state of its own.

pub mod check;
pub mod cue;
pub mod engine;
pub mod explain;
pub mod history;
pub mod input_words;
pub mod message;
pub mod page;
pub mod rules;
pub mod spreads;
pub mod summary;
pub mod summary_rules;
pub mod thresholds;
pub mod usual;
pub mod vocabulary;

mod counting;
mod day_inputs;
mod diary;
mod explain_text;
mod gear_inputs;
pub mod look_back;
mod memory;
mod other_reasons;
mod run_inputs;
mod session_inputs;

pub use engine::{Coaching, DayEnd, Engine, Evaluation, evaluate};
pub use explain::{Explanation, explain};
pub use history::History;
pub use rules::Rules;
pub use vocabulary::Level;

/// The name of a state in histories and on screen.
#[must_use]
pub fn state_name(state: Option<Level>) -> &'static str {
    state.map_or("not_enough_data", Level::name)
}
