//! All integration tests of the protocol in one binary.
//!
//! - `frames`: the vectors of frames, both ways, and what a sender refuses to make.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod frames;
mod vectors;
