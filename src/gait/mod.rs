//! gait
