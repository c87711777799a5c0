//! Sensors collected from: one task a sensor, together a stream of what happened and what it means.
//!
//! ```text
//!             ┌ carry: one command at a time ─► Link ─┐ answers
//!  device ────┤                                       ▼
//!   (driver)  └◄── LinkQueue (4096, oldest dropped) ◄─ frames ─ drain task of the radio
//!      └──batches──► whoever collects
//! ```
//!
//! | edge | holds | when the reader is slow |
//! |---|---|---|
//! | radio → device | 4096 frames a sensor | the oldest frame is dropped, counted, said |
//! | device → collector | 64 batches a sensor | the device waits, and its queue fills |
//! | wishes → device | 16 | who wishes waits |
//!
//! A device task opens its sensor, gives every event of the link to the driver, carries out the driver's commands, and when
//! the link is down waits and opens it again, for ever, until the wishes' sender is dropped. It decides nothing about
//! data.

mod device;
mod finder;
#[cfg(test)]
mod tests;

pub use finder::Finder;

use crate::model::{Placement, SessionTime};
use crate::sensors::driver::{Driver, Progress, Wish};
use crate::sensors::drivers::DriverKind;
use crate::sensors::link::LinkEvent;
use crate::sensors::radio::{OpenError, Radio, RadioState, Stamp};
use crate::sensors::said::Said;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

/// Batches of one sensor under way.
const BATCHES: usize = 64;
/// Wishes waiting for one sensor.
const WISHES: usize = 16;
/// Sensors opened side by side: more make adapters fail.
const OPEN_AT_ONCE: usize = 3;

/// A sensor to collect from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorPlan {
    /// Where it is worn; `None` while that is being found out.
    pub placement: Option<Placement>,
    /// Which protocol it speaks.
    pub kind: DriverKind,
    /// How the system calls it, as last seen.
    pub os_id: String,
    /// Its advertised name.
    pub name: String,
    /// What it must say it is ([`crate::sensors::said::Identity::id`]); `None` to take what comes.
    pub id: Option<String>,
}

/// Where a sensor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Looked for by scanning.
    Searching,
    /// Being connected.
    Connecting,
    /// Connected; how far its driver is.
    Connected(Progress),
    /// The link is down; it is tried again.
    Away {
        /// Since when.
        since: SessionTime,
        /// Why it could not be opened the last time, if that was tried.
        last: Option<OpenError>,
    },
    /// The radio itself is not able to.
    NoRadio(RadioState),
    /// Another sensor answers under its name or address.
    WrongSensor {
        /// What it should have said it is.
        expected: String,
        /// What it said.
        found: String,
    },
    /// Nobody wants it any more.
    Finished,
}

/// One thing told of a sensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Something happened on its link: to be logged before anything else.
    Event(LinkEvent),
    /// Its driver was given a wish.
    Wished(SessionTime, Wish),
    /// Its driver said something.
    Said(Said),
    /// Where it is changed.
    Presence(Presence),
}

/// What one sensor told, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Which sensor, by its number in the plan.
    pub sensor: usize,
    /// What.
    pub told: Vec<Told>,
}

/// Sensors being collected from. Dropping it ends all links.
#[derive(Debug)]
pub struct Collecting {
    wishes: Vec<mpsc::Sender<Wish>>,
    batches: mpsc::Receiver<Batch>,
}

impl Collecting {
    /// Starts a task for each sensor on the runtime of `handle`.
    #[must_use]
    pub fn start(
        handle: &Handle,
        radio: Arc<dyn Radio>,
        stamp: &Stamp,
        sensors: Vec<(SensorPlan, Box<dyn Driver>)>,
    ) -> Self {
        let (to, batches) = mpsc::channel(BATCHES * sensors.len().max(1));
        let finder = Arc::new(Finder::start(handle, Arc::clone(&radio)));
        let opening = Arc::new(Semaphore::new(OPEN_AT_ONCE));
        let wishes = sensors
            .into_iter()
            .enumerate()
            .map(|(sensor, (plan, driver))| {
                let (wish, wished) = mpsc::channel(WISHES);
                let device = device::Device {
                    sensor,
                    plan,
                    driver,
                    radio: Arc::clone(&radio),
                    stamp: Arc::clone(stamp),
                    finder: Arc::clone(&finder),
                    opening: Arc::clone(&opening),
                    to: to.clone(),
                };
                handle.spawn(device.run(wished));
                wish
            })
            .collect();
        Self { wishes, batches }
    }

    /// Gives a wish to one sensor's driver. Without effect once its task is over.
    pub async fn wish(&self, sensor: usize, wish: Wish) {
        if let Some(to) = self.wishes.get(sensor) {
            // A closed channel means that the task has ended; it then needs no wishes.
            let _ = to.send(wish).await;
        }
    }

    /// A way to give wishes from elsewhere.
    #[must_use]
    pub fn wishes(&self) -> Vec<mpsc::WeakSender<Wish>> {
        self.wishes.iter().map(mpsc::Sender::downgrade).collect()
    }

    /// Gives a wish to all.
    pub async fn wish_all(&self, wish: Wish) {
        for sensor in 0..self.wishes.len() {
            self.wish(sensor, wish).await;
        }
    }

    /// The next batch of any sensor; `None` when all tasks are over.
    pub async fn next(&mut self) -> Option<Batch> {
        self.batches.recv().await
    }

    /// Ends all links: what is still told is read until all tasks are over, or until `patience` is over.
    pub async fn end(mut self, patience: Duration, mut take: impl FnMut(Batch)) {
        self.wishes.clear();
        let all = async {
            while let Some(batch) = self.batches.recv().await {
                take(batch);
            }
        };
        // A task that does not end in time is left to its own timeouts; the process does not wait for it.
        let _ = tokio::time::timeout(patience, all).await;
    }
}
