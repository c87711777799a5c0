//! Radio and link: the seam to everything that carries bytes.
//!
//! Implementors: Bluetooth through the system (`ble`), sensors behind a socket (`wire`), simulated ones in this process
//! (`simulated`). Adapters may be absent: that is a state, not an error. Every call ends within a time stated by the
//! implementor; none hangs.

use super::link::{Advert, Command, LinkFailure, LinkInfo};
use super::queue::LinkQueue;
use crate::model::SessionTime;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::mpsc;

/// An answer that is being worked on.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Reads session time from the host's monotonic clock. Made by the runtime, handed to whoever stamps arrivals.
pub type Stamp = Arc<dyn Fn() -> SessionTime + Send + Sync>;

/// What the radio is able to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RadioState {
    /// It works; the adapter's name.
    Ready(String),
    /// The service is there, an adapter is not.
    NoAdapter,
    /// The adapter is switched off.
    Off,
    /// The service cannot be reached; the system's words.
    NoService(String),
    /// The system refuses; its words.
    NoPermission(String),
}

/// Why a sensor could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The radio itself cannot.
    Radio(RadioState),
    /// The system does not know this sensor (any more): scan.
    Unknown,
    /// It did not answer in time; the name of the call.
    TimedOut(&'static str),
    /// The system is still busy with an earlier attempt: wait before the next.
    Busy,
    /// Anything else, in the system's words.
    Other(String),
}

/// Scans and opens.
pub trait Radio: Send + Sync {
    /// What it is able to do now.
    fn state(&self) -> Pending<'_, RadioState>;

    /// Begins to scan; adverts come, again and again for the same sensor, until the receiver is dropped.
    fn scan(&self) -> Pending<'_, Result<mpsc::Receiver<Advert>, RadioState>>;

    /// Connects, discovers, agrees on the MTU. Frames wait in [`Link::queue`] from then on.
    fn open<'a>(&'a self, os_id: &'a str) -> Pending<'a, Result<Box<dyn Link>, OpenError>>;
}

/// A connected sensor. When it ends, [`super::link::LinkEvent::Down`] is the last event of its queue; a link that is
/// down never comes back.
pub trait Link: Send {
    /// What is known of it.
    fn info(&self) -> &LinkInfo;

    /// Where its frames and its end arrive, stamped.
    fn queue(&self) -> Arc<LinkQueue>;

    /// Carries out a command; bytes for a read, nothing for others. [`Command::Close`] closes.
    fn run<'a>(&'a mut self, command: &'a Command) -> Pending<'a, Result<Vec<u8>, LinkFailure>>;
}
