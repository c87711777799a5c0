//! A synthetic runner with known truth.
mod cursor;
mod foot;
mod jet;
mod pace;
mod path;
mod pelvis;
mod quintic;
mod rigid;
mod rng;
mod script;
mod shank;
mod spring;
mod stance;
mod step;
mod subject;
mod timeline;
mod truth;

pub use script::{Form, Script, Segment};
pub use spring::spring_model;
pub use subject::Subject;
#[cfg(test)] mod explore;
