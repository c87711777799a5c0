//! The copy in InfluxDB against real servers, servers that fail by script, and processes that are killed.
//!
//! - `season`: sessions with known content, and what a copy of them must hold.
//! - `http`: the smallest HTTP server and client that tests need.
//! - `servers`: InfluxDB 1.6.7 behind a proxy that speaks version 2, VictoriaMetrics, and a list in memory.
//! - `conformance`: what every server must end up with.
//! - `differential`: the same questions to the record and to the copy.
//! - `faults`: servers that fail by script. `kill`: senders that die.
//! - `grafana`: every question of the supplied dashboards.

mod conformance;
mod differential;
mod faults;
mod grafana;
mod http;
mod kill;
mod killed;
mod season;
mod servers;
