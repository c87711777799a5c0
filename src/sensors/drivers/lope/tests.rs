//! The driver against simulated pods, in virtual time.

mod law;
mod sentences;
mod truth;
