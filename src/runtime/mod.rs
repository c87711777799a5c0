//! Running the pure signal loop against the world: files, clocks, channels, signals of the system.
//!
//! - [`offline`] — a recording through the loop, as fast as it goes.
//! - [`asking`] — what people ask of a run that goes on; [`before_run`] is what the record knows of the runner.
//! - [`attended`] — a run with its people: cues, viewers, and what they ask.
//! - [`collect`] — sensors collected from, one task each.
//! - [`cueing`] — what to say to a runner, if anything.
//! - [`doctor`] — what works on this machine and what mends the rest; [`machine`] looks, [`radio_trouble`] knows radios.
//! - [`export`] — everything kept, as files in open formats.
//! - [`keep`] — a session on its way into the store.
//! - [`live`] — a session as it happens, with tasks, channels and their loss policy.
//! - [`record`] — a run recorded from sensors, to its last sample.
//! - [`restore`] — an export read back whole.
//! - [`squad`] — six synthetic runners over eight weeks, for every view to have something to show.
//! - `serve` — the HTTP interface beside whatever else runs; `share_live` tells it what a run does.
//! - [`stop`] — Ctrl-C.
//! - [`tally`] — what a session adds up to, for summaries of every command.
#![allow(
    clippy::disallowed_methods,
    reason = "this layer paces replays and tells how long work took; the core sees none of it"
)]

pub mod asking;
pub mod attended;
pub mod before_run;
pub mod collect;
pub mod cueing;
pub mod doctor;
pub mod export;
pub mod keep;
pub mod live;
pub mod machine;
pub mod offline;
pub mod radio_trouble;
pub mod record;
pub mod restore;
pub mod retention;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "serve")]
pub mod share_live;
pub mod squad;
pub mod stop;
pub mod tally;
