//! All integration tests of the protocol in one binary.
//!
//! - `frames`: the vectors of frames, both ways, and what a sender refuses to make.
//! - `control`: the vectors of requests, replies, events and time messages, both ways.
//! - `meanings`: what messages mean beyond their bytes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod control;
mod frames;
mod meanings;
mod vectors;
