//! Sensors: what they say, in their own words, and how we listen.
//!
//! ```text
//!   Radio ──scan──► Advert            Driver (no IO, no clock; one per protocol)
//!     └─open─► Link ──LinkEvent──►    on_event ──► Said::{Streaming, Block, Missing, Clock, …}
//!                ▲                    poll ──► Command ──┐
//!                └───────────────────────────────────────┘ subscribe / read / write
//! ```
//!
//! In reading order: [`link`] what a link carries; [`driver`] the seam every protocol fills; [`said`] what drivers say;
//! [`drivers`] the protocols themselves and which of them an advertisement speaks; [`join`] two
//! streams to six axes; [`simulated`] the other end without a radio; [`pods`] frames of simulated recordings to events; [`timeline`] what drivers say to events on the session clock.
//! With tasks at hand also `radio`, the seam to what carries bytes, `queue`, between the two, `log`, everything that happened
//! on the links of a recording, `ble`, the radio of this computer, and `wire`, sensors behind a socket.
//!
//! A driver is a state machine: bytes and arrival times in, statements and commands out. So every one of them runs the same
//! against a radio, a simulated radio and a log of yesterday's run. Nothing here knows gait.

#[cfg(feature = "ble")]
pub mod ble;
pub mod device_clock;
pub mod driver;
pub mod drivers;
pub mod join;
pub mod link;
#[cfg(feature = "runtime")]
pub mod log;
pub mod pods;
#[cfg(feature = "runtime")]
pub mod queue;
#[cfg(feature = "runtime")]
pub mod radio;
pub mod said;
pub mod simulated;
pub mod tap;
pub mod timeline;
#[cfg(feature = "runtime")]
pub mod wire;
