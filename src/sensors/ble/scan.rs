//! Adverts, again and again for the same sensor, until nobody listens.

use super::Shared;
use super::answers::{Kind, Refusal};
use super::limits::{Failed, Limits, within};
use super::session::{Events, Session, next};
use crate::sensors::link::Advert;
use crate::sensors::radio::RadioState;
use btleplug::api::{
    BDAddr, Central as _, CentralEvent, CentralState, Peripheral as _, PeripheralProperties, ScanFilter,
};
use btleplug::platform::{Peripheral, PeripheralId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Adverts waiting for a slow listener; when they are full, later ones are dropped: the sensor says it again.
const WAITING: usize = 64;

/// How the system calls a sensor: its address, or where it has none to tell (macOS) the system's own number.
pub(super) fn os_id(peripheral: &Peripheral) -> String {
    let address = peripheral.address();
    if address == BDAddr::default() {
        peripheral.id().to_string()
    } else {
        address.to_string()
    }
}

/// The name a sensor gave itself. BlueZ makes one up from the address of those that gave none.
pub(super) fn name_of(properties: &PeripheralProperties) -> Option<String> {
    let made_up = properties.address.to_string().replace(':', "-");
    let names = [&properties.advertisement_name, &properties.local_name];
    let mut names = names.into_iter().flatten();
    names.find(|n| !n.is_empty() && **n != made_up).cloned()
}

/// Begins a scan.
pub(super) async fn begin(shared: &Arc<Shared>) -> Result<mpsc::Receiver<Advert>, RadioState> {
    let limits = shared.limits;
    // An adapter that is off is refused here: on Linux btleplug would switch it on without asking its owner.
    let session = shared.sessions.ready(&limits).await?;
    // First the events, then the scan, so that no sensor is missed.
    let events = within(limits.adapter, "events", session.adapter().events()).await;
    let events = events.map_err(Failed::of_radio)?;
    start(&session, &limits).await?;
    let (to, adverts) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let found = Found {
            session: &session,
            limits,
            peripherals: BTreeMap::new(),
            connected: BTreeSet::new(),
        };
        found.tell(events, &to).await;
        stop(&session, &limits).await;
    });
    Ok(adverts)
}

async fn start(session: &Session, limits: &Limits) -> Result<(), RadioState> {
    let mut scans = session.scans.lock().await;
    if *scans == 0 {
        let started = session.adapter().start_scan(ScanFilter::default());
        match within(limits.scan, "start_scan", started).await {
            // A scan of ours that the system has not ended yet serves as well.
            Ok(()) | Err(Failed::Refused(Refusal { kind: Kind::Busy, .. })) => {}
            Err(failed) => return Err(failed.of_radio()),
        }
    }
    *scans += 1;
    Ok(())
}

async fn stop(session: &Session, limits: &Limits) {
    let mut scans = session.scans.lock().await;
    *scans = scans.saturating_sub(1);
    if *scans == 0 {
        // A scan that cannot be stopped ends with the program; nothing can be done about it here.
        let _ = within(limits.scan, "stop_scan", session.adapter().stop_scan()).await;
    }
}

/// What a scan has found.
struct Found<'a> {
    session: &'a Session,
    limits: Limits,
    peripherals: BTreeMap<PeripheralId, Peripheral>,
    connected: BTreeSet<PeripheralId>,
}

impl Found<'_> {
    async fn tell(mut self, mut events: Events, to: &mpsc::Sender<Advert>) {
        loop {
            let event = tokio::select! {
                event = next(&mut events) => event,
                () = to.closed() => return,
            };
            let id = match event {
                None | Some(CentralEvent::StateUpdate(CentralState::PoweredOff)) => return,
                Some(CentralEvent::StateUpdate(_)) => continue,
                Some(CentralEvent::DeviceConnected(id)) => {
                    self.connected.insert(id.clone());
                    id
                }
                Some(CentralEvent::DeviceDisconnected(id)) => {
                    self.connected.remove(&id);
                    // macOS and Windows forget it, and what is kept of it is dead.
                    self.peripherals.remove(&id);
                    continue;
                }
                Some(
                    CentralEvent::DeviceDiscovered(id)
                    | CentralEvent::DeviceUpdated(id)
                    | CentralEvent::DeviceServicesModified(id)
                    | CentralEvent::ManufacturerDataAdvertisement { id, .. }
                    | CentralEvent::ServiceDataAdvertisement { id, .. }
                    | CentralEvent::ServicesAdvertisement { id, .. }
                    | CentralEvent::RssiUpdate { id, .. },
                ) => id,
            };
            if let Some(advert) = self.look(&id).await {
                let _ = to.try_send(advert);
            }
        }
    }

    /// What is known of a sensor now; `None` if it vanished meanwhile.
    async fn look(&mut self, id: &PeripheralId) -> Option<Advert> {
        let limits = self.limits;
        let peripheral = match self.peripherals.get(id) {
            Some(peripheral) => peripheral.clone(),
            None => {
                let adapter = self.session.adapter();
                let peripheral = within(limits.adapter, "peripheral", adapter.peripheral(id))
                    .await
                    .ok()?;
                if let Ok(true) = within(limits.is_connected, "is_connected", peripheral.is_connected()).await {
                    self.connected.insert(id.clone());
                }
                self.peripherals.insert(id.clone(), peripheral.clone());
                peripheral
            }
        };
        let properties = within(limits.adapter, "properties", peripheral.properties())
            .await
            .ok()??;
        let mut services: Vec<u128> = properties.services.iter().map(uuid::Uuid::as_u128).collect();
        services.sort_unstable();
        let mut companies: Vec<u16> = properties.manufacturer_data.keys().copied().collect();
        companies.sort_unstable();
        Some(Advert {
            os_id: os_id(&peripheral),
            name: name_of(&properties),
            services,
            companies,
            rssi_dbm: properties.rssi,
            connected: self.connected.contains(id),
        })
    }
}
