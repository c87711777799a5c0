//! Running the pure signal loop against the world: files, clocks, channels, signals of the system.
//!
//! - [`offline`]: a recording through the loop, as fast as it goes.
//! - [`tally`]: what a session adds up to, for summaries of every command.

pub mod offline;
pub mod tally;
