//! From power-up on: advertise, accept, serve, again.

use bt_hci::cmd::le::{LeReadLocalSupportedFeatures, LeSetDataLength, LeSetPhy};
use bt_hci::controller::{ControllerCmdAsync, ControllerCmdSync};
use embassy_futures::select::{Either, Either4, select, select4};
use embassy_time::{Duration, Instant, Timer, with_timeout};
use firmware_protocol::{PodState, gatt};
use trouble_host::prelude::{
    AdStructure, AddrKind, Address, Advertisement, AdvertisementParameters, BR_EDR_NOT_SUPPORTED, BdAddr, BleHostError,
    Connection, Controller, DefaultPacketPool, Error, HostResources, LE_GENERAL_DISCOVERABLE, Peripheral, PhyKind,
    RequestedConnParams, Stack,
};

use crate::attributes::{Attributes, CONNECTIONS};
use crate::board::Board;
use crate::identity::Identity;
use crate::imu::Imu;
use crate::link;
use crate::sampling;
use crate::station::Station;

/// Signalling and attributes; no channel of anybody's own.
const CHANNELS: usize = 2;
/// How long a pod that nobody streams from advertises fast.
const FAST_FOR: Duration = Duration::from_secs(60);
const FAST: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_secs(1);
/// How often the pod looks at its clock: while it samples a frame may become due, otherwise only long times run out.
const TICK_RUNNING: Duration = Duration::from_millis(20);
const TICK_OTHERWISE: Duration = Duration::from_millis(500);
/// What a host is asked for while it streams, and how long one such question may take.
const STREAMING: RequestedConnParams = RequestedConnParams {
    min_connection_interval: Duration::from_millis(15),
    max_connection_interval: Duration::from_millis(30),
    max_latency: 0,
    min_event_length: Duration::from_millis(0),
    max_event_length: Duration::from_millis(15),
    supervision_timeout: Duration::from_secs(4),
};
const PATIENCE: Duration = Duration::from_secs(2);
/// One whole notification in one packet: 251 bytes, and the time they take on the slowest uncoded radio.
const DATA_OCTETS: u16 = 251;
const DATA_TIME_US: u16 = 2120;
/// A static random address has its two highest bits set.
const STATIC_RANDOM: u8 = 0xC0;

/// A controller that this firmware runs on: the commands of a peripheral, and those that make a connection fit for streaming.
pub trait PodController:
    Controller
    + ControllerCmdSync<LeReadLocalSupportedFeatures>
    + ControllerCmdSync<LeSetDataLength>
    + ControllerCmdAsync<LeSetPhy>
{
}

impl<C> PodController for C where
    C: Controller
        + ControllerCmdSync<LeReadLocalSupportedFeatures>
        + ControllerCmdSync<LeSetDataLength>
        + ControllerCmdAsync<LeSetPhy>
{
}

/// Why the firmware stopped. On a chip the answer is to reset.
#[derive(Debug)]
pub enum RunError<E> {
    /// The name does not fit a scan response.
    Name(&'static str),
    /// The stack gave up.
    Stack(Error),
    /// The controller is gone.
    Controller(E),
}

impl<E> From<BleHostError<E>> for RunError<E> {
    fn from(error: BleHostError<E>) -> Self {
        match error {
            BleHostError::BleHost(error) => RunError::Stack(error),
            BleHostError::Controller(error) => RunError::Controller(error),
        }
    }
}

/// Runs the pod until the controller fails.
///
/// # Errors
/// What made it stop; it never stops by itself.
pub async fn run<C: PodController, I: Imu, B: Board>(
    controller: C,
    mut imu: I,
    station: &Station<'_, B>,
    identity: &Identity<'_>,
) -> Result<core::convert::Infallible, RunError<C::Error>> {
    let attributes = Attributes::new(identity).map_err(RunError::Name)?;
    let mut resources: HostResources<DefaultPacketPool, CONNECTIONS, CHANNELS> = HostResources::new();
    let stack = trouble_host::new(controller, &mut resources)
        .set_random_address(static_random(identity.address))
        .build();
    let (mut runner, mut peripheral) = (stack.runner(), stack.peripheral());
    let ended = select4(
        runner.run(),
        serve_for_ever(&stack, &mut peripheral, station, &attributes, identity),
        sampling::sample(station, &mut imu),
        keep_time(station),
    );
    match ended.await {
        Either4::First(Ok(())) => Err(RunError::Stack(Error::Disconnected)),
        Either4::First(Err(error)) => Err(error.into()),
        Either4::Second(stopped) => stopped,
        Either4::Third(never) | Either4::Fourth(never) => never,
    }
}

async fn keep_time<B: Board>(station: &Station<'_, B>) -> ! {
    loop {
        let running = station.state() == PodState::Running;
        Timer::after(if running { TICK_RUNNING } else { TICK_OTHERWISE }).await;
        station.tick();
    }
}

async fn serve_for_ever<C: PodController, B: Board>(
    stack: &Stack<'_, C, DefaultPacketPool>,
    peripheral: &mut Peripheral<'_, C, DefaultPacketPool>,
    station: &Station<'_, B>,
    attributes: &Attributes<'_>,
    identity: &Identity<'_>,
) -> Result<core::convert::Infallible, RunError<C::Error>> {
    let mut woken = Instant::now();
    loop {
        let fast = station.state() == PodState::Running || woken.elapsed() < FAST_FOR;
        let Some(connection) = advertise(peripheral, identity.name, fast).await? else {
            continue;
        };
        let conn = connection
            .with_attribute_server(&attributes.server)
            .map_err(RunError::Stack)?;
        let served = select(
            link::serve(station, attributes, &conn),
            make_fit_for_streaming(stack, conn.raw(), station),
        );
        match served.await {
            Either::First(_reason) => {}
            Either::Second(never) => never,
        }
        woken = Instant::now();
    }
}

/// Advertises until a host connects; `None` when it is time to do so at another pace.
async fn advertise<'s, C: PodController>(
    peripheral: &mut Peripheral<'s, C, DefaultPacketPool>,
    name: &str,
    fast: bool,
) -> Result<Option<Connection<'s, DefaultPacketPool>>, RunError<C::Error>> {
    let (mut advert, mut response) = ([0; 31], [0; 31]);
    let advert_len = encode(
        &[
            AdStructure::Flags(LE_GENERAL_DISCOVERABLE | BR_EDR_NOT_SUPPORTED),
            AdStructure::CompleteServiceUuids128(&[gatt::SERVICE.to_le_bytes()]),
        ],
        &mut advert,
    )?;
    let response_len = encode(&[AdStructure::CompleteLocalName(name.as_bytes())], &mut response)?;
    let interval = if fast { FAST } else { SLOW };
    let parameters = AdvertisementParameters {
        interval_min: interval,
        interval_max: interval,
        ..AdvertisementParameters::default()
    };
    let advertisement = Advertisement::ConnectableScannableUndirected {
        adv_data: &advert[..advert_len],
        scan_data: &response[..response_len],
    };
    let advertiser = peripheral.advertise(&parameters, advertisement).await?;
    if !fast {
        return Ok(Some(advertiser.accept().await.map_err(RunError::Stack)?));
    }
    match with_timeout(FAST_FOR, advertiser.accept()).await {
        Ok(accepted) => Ok(Some(accepted.map_err(RunError::Stack)?)),
        Err(_) => Ok(None),
    }
}

fn encode<E>(structures: &[AdStructure<'_>], into: &mut [u8; 31]) -> Result<usize, RunError<E>> {
    AdStructure::encode_slice(structures, into).map_err(|_| RunError::Name("the name does not fit 31 bytes"))
}

/// Asks for what SPEC.md section 12 recommends, once a host has attached. All of it is a wish: a host or a controller that
/// refuses still gets its frames, slower.
async fn make_fit_for_streaming<C: PodController, B: Board>(
    stack: &Stack<'_, C, DefaultPacketPool>,
    connection: &Connection<'_, DefaultPacketPool>,
    station: &Station<'_, B>,
) -> ! {
    loop {
        station.attached.wait().await;
        let _ = with_timeout(
            PATIENCE,
            connection.update_data_length(stack, DATA_OCTETS, DATA_TIME_US),
        )
        .await;
        let _ = with_timeout(PATIENCE, connection.set_phy(stack, PhyKind::Le2M)).await;
        let _ = with_timeout(PATIENCE, connection.update_connection_params(stack, &STREAMING)).await;
    }
}

fn static_random(mut address: [u8; 6]) -> Address {
    address[0] |= STATIC_RANDOM;
    address.reverse();
    Address::new(AddrKind::RANDOM, BdAddr::new(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_a_static_random_one_and_goes_out_backwards() {
        let address = static_random([0x01, 2, 3, 4, 5, 6]);
        assert_eq!(address.addr.raw(), &[6, 5, 4, 3, 2, 0xC1]);
    }

    #[test]
    fn the_longest_name_fits_beside_its_head() {
        let name = [b'x'; crate::identity::LONGEST_NAME];
        let mut into = [0; 31];
        assert!(encode::<()>(&[AdStructure::CompleteLocalName(&name)], &mut into).is_ok());
    }
}
