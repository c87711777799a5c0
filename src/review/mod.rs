//! Looking back: what single runs amount to, and what changes from run to run.
//!
//! Everything a view, a report or a command shows about more than one stride is made here from the record (`store`), the
//! journal and the flag rules, so that a number is the same wherever it is read. The answers are plain values with names
//! ([`shapes`]); the HTTP interface sends them as they are. Calls block and read no clock: whoever asks says which day is
//! today.

pub mod shapes;

pub use shapes::*;
