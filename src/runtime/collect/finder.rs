//! One scan for all who look for a sensor.
//!
//! Scanning disturbs connections, and two scans at once disturb each other. So there is one, ten seconds on and five off,
//! and only while somebody looks.

use crate::sensors::link::Advert;
use crate::sensors::radio::{Radio, RadioState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast};

/// A scan lasts this long, then pauses.
const ON: Duration = Duration::from_secs(10);
/// The pause.
const OFF: Duration = Duration::from_secs(5);
/// Adverts on their way to those who look; a slow one misses some, and the sensor says it again.
const ADVERTS: usize = 64;

#[derive(Debug)]
struct Shared {
    looking: AtomicUsize,
    wanted: Notify,
    adverts: broadcast::Sender<Advert>,
}

/// See the module's head.
#[derive(Debug)]
pub struct Finder {
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Finder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts one who looks, however it ends.
struct Looking<'a>(&'a Shared);

impl<'a> Looking<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.looking.fetch_add(1, Ordering::SeqCst);
        shared.wanted.notify_one();
        Self(shared)
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.looking.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Finder {
    /// A finder with a task on the runtime of `handle`; it scans only when somebody looks.
    #[must_use]
    pub fn start(handle: &Handle, radio: Arc<dyn Radio>) -> Self {
        let shared = Arc::new(Shared {
            looking: AtomicUsize::new(0),
            wanted: Notify::new(),
            adverts: broadcast::channel(ADVERTS).0,
        });
        let task = handle.spawn(scan(Arc::clone(&shared), radio));
        Self { shared, task }
    }

    /// Waits for an advert that `is_it` takes. Waits for ever: the caller bounds it.
    pub async fn find(&self, is_it: impl Fn(&Advert) -> bool) -> Advert {
        let mut adverts = self.shared.adverts.subscribe();
        let _looking = Looking::new(&self.shared);
        loop {
            match adverts.recv().await {
                Ok(advert) if is_it(&advert) => return advert,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                // The sender lives as long as the finder.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

async fn scan(shared: Arc<Shared>, radio: Arc<dyn Radio>) {
    loop {
        if shared.looking.load(Ordering::SeqCst) == 0 {
            shared.wanted.notified().await;
            continue;
        }
        if let Ok(mut found) = radio.scan().await {
            let pass = async {
                while shared.looking.load(Ordering::SeqCst) > 0 {
                    match found.recv().await {
                        // Without a receiver everyone has found what they looked for.
                        Some(advert) => drop(shared.adverts.send(advert)),
                        None => break,
                    }
                }
            };
            let _ = tokio::time::timeout(ON, pass).await;
        } else if let RadioState::NoService(_) = radio.state().await {
            tokio::time::sleep(ON).await;
        }
        if shared.looking.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(OFF).await;
        }
    }
}
