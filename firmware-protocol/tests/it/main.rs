//! All integration tests of the protocol in one binary.
//!
//! - `c_header`: the C header against the same vectors.
//! - `frames`: the vectors of frames, both ways, and what a sender refuses to make.
//! - `cortex_m`: the crate builds for a microcontroller, where its target is installed.
//! - `control`: the vectors of requests, replies, events and time messages, both ways.
//! - `guide`: the session in docs/making-a-pod.md is true.
//! - `laws`: properties of the codec for every input.
//! - `meanings`: what messages mean beyond their bytes.
//! - `model`: the model pod of SPEC.md section 13, used by the tests below.
//! - `scenarios`: the scenario vectors, played to the model pod.
//! - `pod_rules`, `tracking`: rules for pod and host that scenarios and walks reach seldom.
//! - `spec`: SPEC.md names what the code names.
//! - `walk`: a host and a pod walk through random sessions; in the end nothing is missing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod c_header;
mod control;
mod cortex_m;
mod frames;
mod guide;
mod laws;
mod meanings;
mod model;
mod pod_rules;
mod pod_sensor;
mod scenarios;
mod spec;
mod tracking;
mod vectors;
mod walk;
