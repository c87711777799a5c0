//! Attitude of each sensor against gravity, and how the sensor sits on its body segment.

pub mod foot_alignment;
pub mod rail;
pub mod track;
pub mod vqf;

pub use track::{Track, TrackSample};
