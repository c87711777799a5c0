//! lope: a wearable running-gait pipeline.
//!
//! ```text
//!             ┌──── pure: synchronous, infallible, no IO, no clock, no tokio ────┐
//! sensors ──► │ clock → signal → orientation → gait → metrics → risk  (pipeline) │ ─┬─► store ───► views
//!   replay    └──────────────────────────────────────────────────────────────────┘  └─► live
//!   synth
//! ```
//!
//! Modules in reading order: [`model`] the words; [`clock`] device time to session time; [`signal`] filters and spectra
//! that know no gait; [`orientation`] attitude and mounting; [`gait`] contacts, strides, trajectories; [`metrics`] the
//! registry of everything measured; [`risk`] lower-back flags; [`pipeline`] the whole loop; [`synth`] a synthetic runner
//! with known truth. Around this pure core, behind features: `config` settings, `interchange` recordings as files, `store`
//! the embedded time series, `review` runs and seasons looked back on, `report` what a
//! runner, a coach or a therapist takes away, `runtime` tasks and channels, `cli` the commands.

pub mod clock;
pub mod gait;
pub mod metrics;
pub mod model;
pub mod orientation;
pub mod pipeline;
pub mod risk;
pub mod sensors;
pub mod signal;
pub mod synth;

#[cfg(feature = "serve")]
pub mod api;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "files")]
pub mod config;
#[cfg(feature = "files")]
pub mod interchange;
#[cfg(all(feature = "files", feature = "store"))]
pub mod report;
#[cfg(all(feature = "files", feature = "store"))]
pub mod review;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "store")]
pub mod store;
