//! Attitude of each sensor against gravity, and how the sensor sits on its body segment.

pub mod track;

pub use track::{Track, TrackSample};
