//! The seam that every sensor protocol fills.
//!
//! Laws, checked for every driver by one suite:
//! 1. **No IO, no clock, no randomness.** The same events, wishes and instants give the same statements and commands.
//! 2. **Any input returns.** A frame that breaks a rule is counted under the rule's name ([`Said::Refused`]) and dropped.
//! 3. **At most once, in order, losses named.** Every sample the sensor took while asked to is in one block, or in one
//!    [`Said::Missing`], or (protocols without counters) inside a step of device time that is named as a hole.
//! 4. **Every command has a deadline.** If its answer or effect does not come, the driver says so and closes the link or
//!    tries again; it never waits for ever.
//! 5. **Commands do not matter to decoding.** Fed with a log of past events, its commands thrown away, a driver says the
//!    same as it did when the events happened.

use super::link::{Command, LinkEvent};
use super::said::Said;
use crate::model::SessionTime;

/// What the samples are wanted for. A driver chooses the nearest the sensor can do and says what it got
/// ([`Said::Streaming`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// Number of the recording, not zero; the same for all sensors of it. Chosen by the caller and on durable storage
    /// before the driver hears of it, so that a crashed host can resume.
    pub session: u64,
    /// Sampling rate, Hz: the smallest the sensor has that is not below, or its largest.
    pub rate_hz: f64,
    /// Accelerometer full scale, m/s².
    pub acc_range: f64,
    /// Gyroscope full scale, rad/s.
    pub gyro_range: f64,
}

/// What a driver is asked to do with its sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    /// Say who it is, its battery, what it can do. The default of a new driver.
    Inspect,
    /// Stream, now and after every reconnection.
    Stream(Wanted),
    /// End streaming; what is retained is still fetched.
    Stop,
    /// Show itself (blink, buzz) for some seconds, if it can.
    Identify {
        /// How long, s.
        seconds: u8,
    },
    /// Remember what has been said so far: the next [`Wish::AllSafe`] means that, and not what is said in between. A mark
    /// that is still remembered stays.
    Mark,
    /// Everything said before the [`Wish::Mark`] that is remembered, or so far if none is, is on durable storage: the sensor
    /// may forget it.
    AllSafe,
    /// The caller's queue is more than half full: ask for nothing that can wait.
    Hurried,
    /// The caller's queue has room again.
    AtEase,
}

/// How far a driver is with what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// No link.
    Away,
    /// On it.
    Working,
    /// Inspected, and nothing more is asked.
    Inspected,
    /// Streaming, confirmed by data.
    Streaming,
    /// Stopped; late samples are still being fetched.
    Fetching,
    /// Stopped, and everything that can come has come.
    Done,
    /// It cannot do what was asked; why was said.
    Unable,
}

/// A sensor protocol as a state machine.
pub trait Driver: Send {
    /// Takes an event of the link; appends what it means. A driver lives as long as its sensor is wanted: over many links.
    fn on_event(&mut self, event: &LinkEvent, said: &mut Vec<Said>);

    /// Takes a wish.
    fn wish(&mut self, wish: Wish, now: SessionTime);

    /// The next command, if one is due at `now`; notices deadlines. The caller asks after each event and at
    /// [`Driver::wake_at`], until `None`; after a command it asks again only once the answer has been delivered.
    fn poll(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<Command>;

    /// When to poll again though nothing happens.
    fn wake_at(&self) -> Option<SessionTime>;

    /// How far it is.
    fn progress(&self) -> Progress;
}
