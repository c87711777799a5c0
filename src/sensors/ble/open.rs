//! Opening a sensor: everything up to a link whose services are known.
//!
//! The order is fixed. The stream of notifications first, or the first frames after subscribing are lost; the MTU after
//! discovery, because before it is always 23; discovery on every connection, because notifications are matched through what
//! it found.

use super::Shared;
use super::limits::{Failed, Limits, within};
use super::link::BleLink;
use super::scan::{name_of, os_id};
use super::session::{Notice, Session};
use crate::sensors::link::{Chan, LinkInfo};
use crate::sensors::radio::OpenError;
use btleplug::api::{Central as _, Characteristic, ConnectionParameterPreset, Peripheral as _};
use btleplug::platform::Peripheral;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use tokio::sync::mpsc;

/// With more sensors than this a short connection interval for each does not fit any more.
const SENSORS_AT_FULL_RATE: usize = 3;

/// Ends the connection of an attempt that its caller gave up by dropping it.
struct Undo {
    peripheral: Option<Peripheral>,
    limits: Limits,
}

impl Drop for Undo {
    fn drop(&mut self) {
        let limits = self.limits;
        if let (Some(peripheral), Ok(runtime)) = (self.peripheral.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { disconnect(&peripheral, &limits).await });
        }
    }
}

/// Disconnects within the limit.
pub(super) async fn disconnect(peripheral: &Peripheral, limits: &Limits) -> Result<(), Failed> {
    within(limits.disconnect, "disconnect", peripheral.disconnect()).await
}

/// Opens a sensor.
pub(super) async fn open(shared: &Arc<Shared>, id: &str) -> Result<BleLink, OpenError> {
    let limits = shared.limits;
    let session = shared.sessions.ready(&limits).await.map_err(OpenError::Radio)?;
    let peripheral = find(&session, id, &limits).await?;
    let (seat, mut notices) = session.seats().take(peripheral.id()).ok_or(OpenError::Busy)?;

    let notifications = within(limits.adapter, "notifications", peripheral.notifications()).await;
    let notifications = notifications.map_err(|f| f.of_opening("notifications"))?;
    let mut undo = Undo {
        peripheral: Some(peripheral.clone()),
        limits,
    };
    if let Err(failed) = within(limits.connect, "connect", peripheral.connect()).await {
        undo.peripheral = None;
        // Linux gives up by itself and must not be disturbed in it; elsewhere an attempt would go on for ever.
        if matches!(failed, Failed::TimedOut(_)) && !cfg!(target_os = "linux") {
            let _ = disconnect(&peripheral, &limits).await;
        }
        return Err(failed.of_opening("connect"));
    }
    // What was told before is about an earlier connection.
    while notices.try_recv().is_ok() {}

    if cfg!(windows) && session.seats().len() <= SENSORS_AT_FULL_RATE {
        // Only a wish; Windows 10 does not know it.
        let wish = peripheral.request_connection_parameters(ConnectionParameterPreset::ThroughputOptimized);
        let _ = within(limits.is_connected, "request_connection_parameters", wish).await;
    }
    let discovered = discover(shared, &peripheral, id).await;
    if discovered.is_err() || gone(&mut notices) {
        undo.peripheral = None;
        let _ = disconnect(&peripheral, &limits).await;
        discovered?;
        return Err(OpenError::Other(
            "the sensor ended the connection while its services were discovered".to_owned(),
        ));
    }
    let info = describe(&peripheral, &limits).await;
    let chars = characteristics(&peripheral);
    undo.peripheral = None;
    let info = LinkInfo {
        chans: chars.keys().copied().collect(),
        ..info
    };
    Ok(BleLink::begin(
        Arc::clone(&shared.stamp),
        limits,
        session,
        (seat, notices),
        (peripheral, notifications),
        info,
        chars,
    ))
}

fn gone(notices: &mut mpsc::Receiver<Notice>) -> bool {
    notices.try_recv().is_ok()
}

async fn find(session: &Session, id: &str, limits: &Limits) -> Result<Peripheral, OpenError> {
    let known = within(limits.adapter, "peripherals", session.adapter().peripherals()).await;
    let known = known.map_err(|f| f.of_opening("peripherals"))?;
    known.into_iter().find(|p| os_id(p) == id).ok_or(OpenError::Unknown)
}

async fn discover(shared: &Shared, peripheral: &Peripheral, id: &str) -> Result<(), OpenError> {
    let met = |set: &mut std::collections::BTreeSet<String>| set.contains(id);
    let again = met(&mut shared.met.lock().unwrap_or_else(PoisonError::into_inner));
    let limit = if again {
        shared.limits.discover
    } else {
        shared.limits.discover_first
    };
    let discovered = within(limit, "discover", peripheral.discover_services()).await;
    discovered.map_err(|f| f.of_opening("discover"))?;
    let mut met = shared.met.lock().unwrap_or_else(PoisonError::into_inner);
    met.insert(id.to_owned());
    Ok(())
}

/// The link's description but for its characteristics.
async fn describe(peripheral: &Peripheral, limits: &Limits) -> LinkInfo {
    let properties = within(limits.adapter, "properties", peripheral.properties()).await;
    LinkInfo {
        // A sensor without a name is still a sensor.
        name: properties.ok().flatten().and_then(|p| name_of(&p)).unwrap_or_default(),
        os_id: os_id(peripheral),
        mtu: peripheral.mtu(),
        chans: Vec::new(),
    }
}

fn characteristics(peripheral: &Peripheral) -> BTreeMap<Chan, Characteristic> {
    let all = peripheral.characteristics().into_iter();
    all.map(|c| (Chan::new(c.service_uuid.as_u128(), c.uuid.as_u128()), c))
        .collect()
}
