//! Runs as they happen, for many viewers.
//!
//! ```text
//! pipeline ─► [`LiveRun`] ─► frames, each written once ─┬─► ring of 60 s (who comes back catches up)
//!             (aggregates)                              └─► broadcast ─► viewers share the same bytes
//! ```
//!
//! | edge | holds | when the reader is slow |
//! |---|---|---|
//! | run → viewer | [`hub::DEPTH`] frames, shared by all | the oldest are gone for that viewer, who is told how many (`lag`) |
//! | viewer → run (lap, pain, stop) | [`hub::COMMANDS`] | refused with 503 |
//!
//! A frame is for everyone who may watch, or for those with one sight of the runner: what tells of symptoms (marks, why cues
//! are off, flags of the body) goes to nobody to whom the runner does not show them.
//!
//! Publishing never waits: whoever runs the signal loop does not know how many watch.

pub mod frames;
pub mod hub;
pub mod run;
pub mod watching;

pub use frames::{CueNow, SensorNow, Word};
pub use hub::{Before, Command, Cues, Frame, Hub, Marks, RunAbout, RunKind, To};
pub use run::LiveRun;
