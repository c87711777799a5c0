//! Bluetooth through the system's own service: BlueZ on Linux, CoreBluetooth on macOS, WinRT on Windows.
//!
//! ```text
//!   BleRadio ── session   which adapter, what state, who hears of a lost sensor
//!      │ ├───── scan      adverts
//!      │ └───── open      stream → connect → discover → MTU, in this order
//!      ▼
//!   BleLink ─── drain     one task: stamp, push              ──► LinkQueue
//!           └── guard     one task: is the sensor still there? ──► Down, once
//! ```
//!
//! Three rules carry everything. **Every call has a limit** ([`Limits`]): systems hang, and a sensor that does not answer
//! must not hold up another. **The draining task only stamps and pushes**: macOS and Windows keep sixteen notifications
//! and drop the rest without a sign. **A link that is down never comes back**: the stream of notifications does not end
//! with the connection, so a second one beside it would count every frame twice.
//!
//! In reading order: [`limits`], `answers` (what the system's errors mean), `session`, `scan`, `open`, `outlet`, `link`;
//! [`advice`] what a person can do about a radio that does not work. What each system can and cannot do is in
//! `docs/bluetooth.md`.

pub mod advice;
mod answers;
pub mod limits;
mod link;
mod open;
mod outlet;
mod scan;
mod session;

pub use limits::Limits;

use super::link::Advert;
use super::radio::{Link, OpenError, Pending, Radio, RadioState, Stamp};
use session::Sessions;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// The radio of this computer. Needs a tokio runtime with time and IO; asks the system for nothing before it is asked.
pub struct BleRadio {
    shared: Arc<Shared>,
}

/// What links and scans of one radio share.
struct Shared {
    stamp: Stamp,
    limits: Limits,
    sessions: Sessions,
    /// Sensors whose services were discovered before: that is quicker the next time.
    met: Mutex<BTreeSet<String>>,
}

impl std::fmt::Debug for BleRadio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BleRadio")
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

impl BleRadio {
    /// A radio whose arrivals are stamped by `stamp`, with the limits of this system.
    #[must_use]
    pub fn new(stamp: Stamp) -> Self {
        Self::with_limits(stamp, Limits::of_this_system())
    }

    /// A radio with limits of its own.
    #[must_use]
    pub fn with_limits(stamp: Stamp, limits: Limits) -> Self {
        Self {
            shared: Arc::new(Shared {
                stamp,
                limits,
                sessions: Sessions::default(),
                met: Mutex::default(),
            }),
        }
    }
}

impl Radio for BleRadio {
    fn state(&self) -> Pending<'_, RadioState> {
        Box::pin(async {
            match self.shared.sessions.ready(&self.shared.limits).await {
                Ok(session) => RadioState::Ready(session.name().to_owned()),
                Err(state) => state,
            }
        })
    }

    /// Sensors that the system knows from before come first and without a strength of signal; those heard now have one.
    fn scan(&self) -> Pending<'_, Result<mpsc::Receiver<Advert>, RadioState>> {
        Box::pin(scan::begin(&self.shared))
    }

    /// A sensor that is open already, or is being opened, is [`OpenError::Busy`].
    fn open<'a>(&'a self, os_id: &'a str) -> Pending<'a, Result<Box<dyn Link>, OpenError>> {
        Box::pin(async move {
            let link = open::open(&self.shared, os_id).await?;
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }
}
