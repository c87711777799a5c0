//! A synthetic runner with known truth: feet, shanks and pelvis that obey physics, sensors that err like real ones.
//!
//! ```text
//! Subject + Script ─► timeline ─► pelvis, foot, shank ─► sensor ─► chain ─► link ─► packets (bytes), events
//!  (who, what)        (steps)     (closed forms)  │      (mount,   (errors) (radio)
//!                                                 │       clock)
//!                                                 └────► measure ─► Truth
//! ```
//!
//! Modules in reading order: `subject` and `script` say who runs and what; `timeline` decides every footfall; `pelvis`,
//! `stance`, `foot` and `shank` are the motion, written over `jet`s so that velocity, acceleration and angular rate are
//! exact; `mount`, `faults`, `chain` and `sensor` make samples of it; `link`, `packets` and `stream` deliver them;
//! `measure` reads off the [`Truth`].
//!
//! It shares no code with anything that estimates, and deliberately not their assumptions either: the standing foot
//! creeps, soles are soft, the pelvis does not fall quite freely, a forefoot runner has no heel rocker. The same
//! configuration gives the same bytes on every platform: randomness is its own, and every function that is not correctly
//! rounded by definition comes from `libm`, compiled from source.

mod chain;
mod cursor;
mod faults;
mod foot;
mod footing;
mod jet;
mod link;
mod measure;
mod mount;
mod pace;
mod packets;
mod path;
mod pelvis;
pub mod presets;
mod quintic;
mod rigid;
mod rng;
mod script;
mod sensor;
mod shank;
mod simulation;
mod spring;
mod stance;
mod step;
mod stream;
mod subject;
mod timeline;
mod truth;

#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod realism;

pub use faults::{
    AntiAlias, AxisErrors, Bias, Clips, ClockErrors, FaultEvent, Faults, GilbertElliott, Noise, Resonance, Transport,
};
pub use mount::Mounting;
pub use packets::{Packets, SimEvent};
pub use script::{Form, Script, Segment};
pub use sensor::{IdealSample, IdealSamples, RawSample, Samples, SensorSpec};
pub use simulation::{Ground, Ranges, SimConfig, Simulation};
pub use spring::spring_model;
pub use stream::Events;
pub use subject::Subject;
pub use truth::{
    ClippedCount, PelvisPoint, SpringTruth, StandingAngles, TrueContact, TrueEvent, TruePelvis, TrueStride, Truth,
};
