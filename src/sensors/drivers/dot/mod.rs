//! Movella (Xsens) DOT.
//!
//! [`payload`] measurements; [`control`] what is read and written; [`driver`] what is asked when.

pub mod control;
pub mod driver;
pub mod payload;
