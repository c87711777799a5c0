//! Reference firmware of a lope pod: a body-worn inertial sensor that speaks the lope sensor protocol over Bluetooth LE.
//!
//! It runs on whatever controller implements the HCI traits of `bt-hci` (the radio of the chip itself, a module on a UART,
//! a virtual one on TCP) and on whatever sensor implements [`Imu`]. What the protocol demands (states, ring, answers,
//! backfill) is [`firmware_protocol::pod::Pod`] and is not repeated here; this crate carries bytes and samples to it, in
//! the right order and in time.
//!
//! ```text
//!   Imu ──► sampling ──► Station { Pod, Outgoing } ◄── link ◄── radio: advertise, accept, again
//!   Board (clock, battery, lights) ──┘        └──► queues ──► notifications, indications
//! ```
//!
//! Everything is one future ([`run`]) of one executor task, so nothing needs a lock: the pod lives in a `RefCell` that is
//! never borrowed across an `await`.

#![no_std]

#[cfg(test)]
extern crate std;

mod attributes;
mod board;
mod identity;
mod imu;
mod link;
mod outgoing;
mod radio;
mod sampling;
mod station;

pub use board::Board;
pub use identity::{Identity, LONGEST_NAME};
pub use imu::{Batch, Imu, ImuCaps, ImuFault, MOST_IN_BATCH, Sample, SamplingMode};
pub use radio::{PodController, RunError, run};
pub use station::Station;
