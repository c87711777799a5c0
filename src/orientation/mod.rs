//! Attitude of each sensor against gravity, and how the sensor sits on its body segment.

pub mod calibration;
pub mod chain;
pub mod foot_alignment;
pub mod rail;
pub mod sacrum_alignment;
pub mod sacrum_steps;
pub mod segment;
pub mod shank_alignment;
pub mod slip;
pub mod stride_level;
pub mod track;
pub mod vqf;

pub use chain::{PelvisStanding, SacrumChain, ShankChain};
pub use segment::{MountingEvent, StandingSource};
pub use track::{Track, TrackSample};
pub use vqf::{Vqf, VqfParams};
