//! The integration tests, one binary. A module per question; what belongs in each:
//!
//! - `sync`: clocks that run apart during a simulated run, and sensors that turn in their strap.
//! - `tidy`: the house rules, checked on the text of the project (layers, words, links, decision records).
//! - `feet`: exchanged shoe sensors, simulated and recorded.
//! - `licences`: nothing in the dependency tree but what `deny.toml` allows.
//! - `cli`: the built program: what it refuses, keeps, and leaves behind when it fails.
//! - `fake_bluez`: Bluetooth through the system, against a false Bluetooth service on a bus of its own.
//! - `flags`: the lower-back flags against the reference program, by hand-made cases, in their words, and as a command.
//! - `sensors_cli`: settings, kits and the commands around sensors, with virtual pods behind a socket.
//! - `front_door`: the script `./x` and the accuracy gate's own self-test.
//! - `journal`: check-ins, shoes, the log, athletes, and the files of watches, through the built program.
//! - `influx`: the copy in InfluxDB against real servers, servers that fail, and senders that are killed.
//! - `vqf`: the attitude filter against the published reference implementation.
//! - `api`: the HTTP interface: roles, refusals, pages, streams, odd questions, and the program that serves it.
//! - `accuracy`: the synthetic runner, measured against its truth.
//! - `latency`: how soon landings and records are told.
//! - `laws`: what must not change a result (strapping, mirror, chunking) and what may only make strides fewer.
//! - `refusals`: files of loggers that go wrong in their own ways, read by the built program.
//! - `sensor_vectors`: bytes of other makers' sensors, worked out by somebody else, through the decoders.
//! - `files`: a run as FIT and workbook, read by programs that know nothing of lope, and by lope.
//! - `owning`: taken out whole, copied, thinned out, erased without a trace.
//! - `reference`: pages made from the registry, and the example of the README.
//!
//! Tests of one module's inside stand in that module. Tests that need the whole loop, recordings or the built program
//! stand here, and share [`support`]. The allocation test is a binary of its own (`tests/alloc.rs`).
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says on standard output what it measured or could not run"
)]
#![allow(
    dead_code,
    reason = "each feature set compiles a different part of the shared support"
)]

#[path = "../support/mod.rs"]
mod support;

mod accuracy;
#[cfg(all(feature = "serve", feature = "cli"))]
mod api;
#[cfg(feature = "cli")]
mod cli;
#[cfg(all(feature = "ble", target_os = "linux"))]
mod fake_bluez;
#[cfg(feature = "files")]
mod feet;
#[cfg(feature = "cli")]
mod files;
#[cfg(feature = "files")]
mod flags;
mod front_door;
#[cfg(all(feature = "influx", feature = "cli"))]
mod influx;
#[cfg(all(feature = "cli", feature = "tracks"))]
mod journal;
#[cfg(feature = "files")]
mod latency;
#[cfg(feature = "files")]
mod laws;
mod licences;
#[cfg(feature = "cli")]
mod owning;
mod reference;
#[cfg(feature = "cli")]
mod refusals;
#[cfg(feature = "cli")]
mod report;
#[cfg(all(feature = "files", feature = "store"))]
mod season;
#[cfg(feature = "files")]
mod sensor_vectors;
#[cfg(feature = "cli")]
mod sensors_cli;
mod sync;
mod tidy;
#[cfg(feature = "files")]
mod vqf;
