//! One connection, from accepting to losing it: what the host writes goes to the pod, what the pod says goes to the host.
//!
//! Four futures side by side: listening, and one sender for each characteristic, because an indication waits for its
//! confirmation and nothing else may wait with it. Only the listening future ends; the senders fall silent when the
//! connection is gone.

use bt_hci::param::Status as HciStatus;
use embassy_futures::select::{Either, Either4, select, select4};
use embassy_time::{Duration, Timer};
use firmware_protocol::gatt;
use firmware_protocol::pod::Link;
use trouble_host::prelude::{AttErrorCode, Characteristic, Error, GattConnectionEvent, GattEvent, WriteEvent};

use crate::attributes::{Attributes, Conn};
use crate::board::Board;
use crate::station::Station;

type Write<'stack, 'server> = WriteEvent<'stack, 'server, trouble_host::prelude::DefaultPacketPool>;

/// The stack has no room for another packet: it will, when the radio has sent one.
const NO_ROOM: Duration = Duration::from_millis(5);
/// Longest write that can be a request or a PING; a longer one is a request of the wrong length all the same.
const MOST_WRITTEN: usize = 244;

/// Serves a connection until it is gone; says why it went.
pub(crate) async fn serve<B: Board>(
    station: &Station<'_, B>,
    attributes: &Attributes<'_>,
    conn: &Conn<'_, '_>,
) -> HciStatus {
    station.connected(properties(attributes, conn));
    let served = select4(
        listen(station, attributes, conn),
        send_stream(station, attributes, conn),
        send_control(station, attributes, conn),
        send_time(station, attributes, conn),
    );
    let reason = match served.await {
        Either4::First(reason) => reason,
        Either4::Second(never) | Either4::Third(never) | Either4::Fourth(never) => never,
    };
    station.disconnected();
    reason
}

/// The connection as the pod must see it now.
fn properties(attributes: &Attributes<'_>, conn: &Conn<'_, '_>) -> Link {
    Link {
        att_mtu: conn.raw().att_mtu(),
        // Bonding is not built in: see the README.
        bonded: false,
        control_indications: attributes.control_indications(conn),
        stream_notifications: attributes.stream.should_notify(conn),
    }
}

async fn listen<B: Board>(station: &Station<'_, B>, attributes: &Attributes<'_>, conn: &Conn<'_, '_>) -> HciStatus {
    loop {
        let event = match select(conn.next(), station.close.wait()).await {
            Either::First(event) => event,
            Either::Second(()) => {
                conn.raw().disconnect();
                continue;
            }
        };
        match event {
            GattConnectionEvent::Disconnected { reason } => return reason,
            GattConnectionEvent::Gatt {
                event: GattEvent::Write(write),
            } if write.handle() == attributes.control.handle => {
                station.tell(|pod, _| pod.set_link(properties(attributes, conn)));
                write_control(station, write).await;
            }
            GattConnectionEvent::Gatt {
                event: GattEvent::Write(write),
            } if write.handle() == attributes.time.handle => {
                write.with_data(|_, bytes| station.write_time(bytes));
                reply(write.accept_unprocessed()).await;
            }
            GattConnectionEvent::Gatt { event } => {
                if let GattEvent::Read(read) = &event
                    && read.handle() == attributes.battery.handle
                    && let Some(percent) = station.board.health().battery_percent
                {
                    // The table has the characteristic, so setting it cannot fail.
                    let _ = attributes.server.table().set(&attributes.battery, &percent);
                }
                reply(event.accept()).await;
            }
            _ => {}
        }
    }
}

/// A write to Control: first what it wants of the sensor, then the answer of the attribute protocol; the pod's reply is in
/// the queue by then and goes behind it.
async fn write_control<B: Board>(station: &Station<'_, B>, write: Write<'_, '_>) {
    if station.owes_reply() {
        let busy = AttErrorCode::new(gatt::ATT_PROCEDURE_IN_PROGRESS);
        return reply(write.reject(busy)).await;
    }
    let mut bytes = heapless::Vec::<u8, MOST_WRITTEN>::new();
    let fits = write.with_data(|offset, data| offset == 0 && bytes.extend_from_slice(data).is_ok());
    if !fits {
        return reply(write.reject(AttErrorCode::new(gatt::ATT_INVALID_LENGTH))).await;
    }
    match station.request(&bytes).await {
        Ok(()) => reply(write.accept_unprocessed()).await,
        Err(error) => reply(write.reject(AttErrorCode::new(error.0))).await,
    }
}

async fn reply(made: Result<trouble_host::gatt::Reply<'_, trouble_host::prelude::DefaultPacketPool>, Error>) {
    // Without a packet for it the host's request times out and it connects anew; there is nothing better to do.
    if let Ok(reply) = made {
        reply.send().await;
    }
}

/// Live frames as long as there are any, else one frame of backfill.
async fn send_stream<B: Board>(station: &Station<'_, B>, attributes: &Attributes<'_>, conn: &Conn<'_, '_>) -> ! {
    loop {
        let now = station.board.now();
        if let Some(frame) = station.queues(|out| out.take_live(now)) {
            notify(&attributes.stream, conn, &frame).await;
            station.queues(|out| out.live_is_away());
            station.control_waits.signal(());
            continue;
        }
        let caught = station.backfill();
        if caught.frame.is_none() && caught.done.is_none() {
            station.control_waits.signal(());
            station.stream_waits.wait().await;
            continue;
        }
        if let Some(frame) = caught.frame {
            notify(&attributes.stream, conn, &frame).await;
        }
        if let Some(done) = caught.done {
            station.queues(|out| out.put_event(done));
            station.control_waits.signal(());
        }
    }
}

async fn send_control<B: Board>(station: &Station<'_, B>, attributes: &Attributes<'_>, conn: &Conn<'_, '_>) -> ! {
    loop {
        let Some(message) = station.queues(|out| out.take_control()) else {
            station.control_waits.wait().await;
            continue;
        };
        while let Err(Error::OutOfMemory) = attributes.control.indicate_raw(conn, &message, false).await {
            Timer::after(NO_ROOM).await;
        }
    }
}

async fn send_time<B: Board>(station: &Station<'_, B>, attributes: &Attributes<'_>, conn: &Conn<'_, '_>) -> ! {
    loop {
        let Some(pong) = station.queues(|out| out.take_pong()) else {
            station.time_waits.wait().await;
            continue;
        };
        notify(&attributes.time, conn, &pong).await;
    }
}

/// Gives a notification to the stack, which holds few; so this waits for the radio. A connection that is gone takes
/// anything, and the samples stay retained.
async fn notify(to: &Characteristic<[u8]>, conn: &Conn<'_, '_>, bytes: &[u8]) {
    while let Err(Error::OutOfMemory) = to.notify_raw(conn, bytes, false).await {
        Timer::after(NO_ROOM).await;
    }
}
