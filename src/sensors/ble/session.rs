//! Which adapter is used, whether it can work, and who hears when a sensor or the adapter goes away.
//!
//! A session is an adapter and one task that listens to its events. One, because on Linux an event stream carries every
//! notification of every sensor too: one per link would read each frame as often as there are links.

use super::answers::{Kind, Refusal};
use super::limits::{Failed, Limits, within};
use crate::sensors::radio::RadioState;
use btleplug::api::{Central as _, CentralEvent, CentralState, Manager as _};
use btleplug::platform::{Adapter, Manager, PeripheralId};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::JoinHandle;

/// Notices on their way to a link. More are not needed: a link that has one looks for itself.
const NOTICES: usize = 8;

/// Events of an adapter.
pub(super) type Events = Pin<Box<dyn futures_core::Stream<Item = CentralEvent> + Send>>;

/// The next item of a stream.
pub(super) async fn next<T>(stream: &mut Pin<Box<dyn futures_core::Stream<Item = T> + Send>>) -> Option<T> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}

/// What a link is told. It looks for itself before it believes it: events may be late by seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// The system says that the sensor is gone, or a call said so.
    Gone,
    /// An adapter was switched off; with several, perhaps not the one in use.
    AdapterOff,
}

/// Links, and attempts that may become one, by sensor.
#[derive(Debug, Default)]
pub(super) struct Seats {
    taken: Mutex<BTreeMap<PeripheralId, mpsc::Sender<Notice>>>,
}

impl Seats {
    fn taken(&self) -> MutexGuard<'_, BTreeMap<PeripheralId, mpsc::Sender<Notice>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the seat of a sensor; `None` when somebody has it: a second stream would count every frame twice.
    pub(super) fn take(self: &Arc<Self>, id: PeripheralId) -> Option<(Seat, mpsc::Receiver<Notice>)> {
        let mut taken = self.taken();
        if taken.contains_key(&id) {
            return None;
        }
        let (to, notices) = mpsc::channel(NOTICES);
        taken.insert(id.clone(), to);
        let seats = Arc::clone(self);
        Some((Seat { seats, id }, notices))
    }

    /// How many are taken.
    pub(super) fn len(&self) -> usize {
        self.taken().len()
    }

    fn tell(&self, id: &PeripheralId, notice: Notice) {
        if let Some(to) = self.taken().get(id) {
            // A full channel has notices enough.
            let _ = to.try_send(notice);
        }
    }

    fn tell_all(&self, notice: Notice) {
        for to in self.taken().values() {
            let _ = to.try_send(notice);
        }
    }
}

/// A taken seat; free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    id: PeripheralId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().remove(&self.id);
    }
}

/// An adapter in use.
pub(super) struct Session {
    adapter: Adapter,
    name: String,
    seats: Arc<Seats>,
    /// Scans under way: the system knows one per program.
    pub(super) scans: AsyncMutex<usize>,
    listener: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Session {
    async fn begin(adapter: Adapter, name: String, seats: Arc<Seats>, limits: &Limits) -> Result<Self, Failed> {
        let events = within(limits.adapter, "events", adapter.events()).await?;
        let listener = tokio::spawn(listen(events, Arc::clone(&seats)));
        Ok(Self {
            adapter,
            name,
            seats,
            scans: AsyncMutex::new(0),
            listener,
        })
    }

    pub(super) fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn seats(&self) -> &Arc<Seats> {
        &self.seats
    }
}

async fn listen(mut events: Events, seats: Arc<Seats>) {
    while let Some(event) = next(&mut events).await {
        match event {
            CentralEvent::DeviceDisconnected(id) => seats.tell(&id, Notice::Gone),
            CentralEvent::StateUpdate(CentralState::PoweredOff) => seats.tell_all(Notice::AdapterOff),
            _ => {}
        }
    }
}

/// The session in use and the connection to the service it came from.
#[derive(Default)]
pub(super) struct Sessions {
    now: AsyncMutex<Now>,
    /// Of all sessions: a new one may begin while links of an older one still live.
    seats: Arc<Seats>,
}

#[derive(Default)]
struct Now {
    manager: Option<Manager>,
    session: Option<Arc<Session>>,
}

/// Whether an adapter can work, as far as it tells.
enum Power {
    On,
    Off,
    /// Only macOS and Windows; see [`unknown_power`].
    Unknown,
}

impl Sessions {
    /// A session whose adapter works now, or why there is none. Takes a few [`Limits::adapter`] at most.
    pub(super) async fn ready(&self, limits: &Limits) -> Result<Arc<Session>, RadioState> {
        let mut now = self.now.lock().await;
        if let Some(session) = now.session.clone() {
            match power(&session.adapter, limits).await {
                Ok(Power::On) => return Ok(session),
                // Elsewhere every list makes new adapters that know no sensors, so the one we have is kept.
                Ok(Power::Off) if !cfg!(target_os = "linux") => return Err(RadioState::Off),
                Ok(Power::Unknown) => return Err(unknown_power()),
                Ok(Power::Off) | Err(_) => now.session = None,
            }
        }
        let had_manager = now.manager.is_some();
        match now.find(&self.seats, limits).await {
            // The service may have been started again since we connected to it: once more from the beginning.
            Err(Failed::TimedOut(_))
            | Err(Failed::Refused(Refusal {
                kind: Kind::NoService, ..
            })) if had_manager => {
                now.manager = None;
                now.find(&self.seats, limits).await.map_err(Failed::of_radio)?
            }
            found => found.map_err(Failed::of_radio)?,
        }
    }
}

impl Now {
    /// Looks through the adapters: the first that works, in the order of their names.
    async fn find(&mut self, seats: &Arc<Seats>, limits: &Limits) -> Result<Result<Arc<Session>, RadioState>, Failed> {
        let manager = match &self.manager {
            Some(manager) => manager.clone(),
            None => {
                let manager = connect(limits).await?;
                self.manager.insert(manager).clone()
            }
        };
        let adapters = within(limits.adapter, "adapters", manager.adapters()).await?;
        let mut named = Vec::new();
        for adapter in adapters {
            // One that vanishes while it is asked is not there.
            if let Ok(name) = within(limits.adapter, "adapter_info", adapter.adapter_info()).await {
                named.push((name, adapter));
            }
        }
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut state = RadioState::NoAdapter;
        for (name, adapter) in named {
            match power(&adapter, limits).await {
                Ok(Power::On) => {
                    let session = Arc::new(Session::begin(adapter, name, Arc::clone(seats), limits).await?);
                    self.session = Some(Arc::clone(&session));
                    return Ok(Ok(session));
                }
                Ok(Power::Off) => state = RadioState::Off,
                Ok(Power::Unknown) => state = unknown_power(),
                Err(failed) => state = failed.of_radio(),
            }
        }
        Ok(Err(state))
    }
}

/// Connects to the service. In a thread for blocking work: on Linux it blocks.
async fn connect(limits: &Limits) -> Result<Manager, Failed> {
    let runtime = tokio::runtime::Handle::current();
    within(limits.adapter, "connect to the service", async {
        tokio::task::spawn_blocking(move || runtime.block_on(Manager::new()))
            .await
            .unwrap_or_else(|e| Err(btleplug::Error::RuntimeError(e.to_string())))
    })
    .await
}

async fn power(adapter: &Adapter, limits: &Limits) -> Result<Power, Failed> {
    // Asked first because on Linux an adapter that is gone counts as switched off.
    within(limits.adapter, "adapter_info", adapter.adapter_info()).await?;
    let state = within(limits.adapter, "adapter_state", adapter.adapter_state()).await?;
    Ok(match state {
        CentralState::PoweredOn => Power::On,
        CentralState::PoweredOff => Power::Off,
        CentralState::Unknown => Power::Unknown,
    })
}

/// macOS says "unknown" of a program that may not use Bluetooth, and of a machine that has none; Windows of a radio that is
/// disabled in the device manager.
fn unknown_power() -> RadioState {
    if cfg!(target_vendor = "apple") {
        RadioState::NoPermission("the system does not say that Bluetooth may be used".to_owned())
    } else {
        RadioState::NoService("the system does not say whether Bluetooth is on".to_owned())
    }
}

/// Whether the adapter does not work any more.
pub(super) async fn adapter_is_off(adapter: &Adapter, limits: &Limits) -> bool {
    !matches!(power(adapter, limits).await, Ok(Power::On | Power::Unknown))
}
