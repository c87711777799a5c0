//! The future that owns the sensor: it samples while a session runs and obeys the orders that requests bring.
//!
//! An order is a handshake of three steps. The link asks; this future drains the sensor's queue into the pod (those samples
//! belong to the configuration that is still in force), switches the sensor and says how it went; the link hands the request
//! to the pod; then sampling goes on. So no sample can get the scale of another configuration, and STOP names the very last.

use core::future::pending;

use embassy_futures::select::{Either, select};
use firmware_protocol::pod::SensorOrder;
use firmware_protocol::{PodState, StreamId};

use crate::board::Board;
use crate::imu::{Batch, Imu, ImuFault, SamplingMode};
use crate::station::Station;

/// Samples for ever.
pub(crate) async fn sample<B: Board, I: Imu>(station: &Station<'_, B>, imu: &mut I) -> ! {
    let mut batch = Batch::default();
    let mut on = false;
    loop {
        if on && station.state() != PodState::Running {
            // Its time alone ran out, or it ended by itself.
            imu.stop().await;
            on = false;
            station.board.session_ended();
        }
        batch.clear();
        let next = async {
            if on {
                imu.next_batch(&mut batch).await
            } else {
                pending().await
            }
        };
        match select(station.order.wait(), next).await {
            Either::Second(Ok(())) => hand_in(station, &batch),
            Either::Second(Err(fault)) => station.sensor_failed(fault),
            Either::First(order) => {
                let done = carry_out(station, imu, order, &mut on, &mut batch).await;
                station.carried_out.signal(done);
                station.carry_on.wait().await;
            }
        }
    }
}

async fn carry_out<B: Board, I: Imu>(
    station: &Station<'_, B>,
    imu: &mut I,
    order: SensorOrder,
    on: &mut bool,
    batch: &mut Batch,
) -> Result<(), ImuFault> {
    if *on {
        // What the cancelled wait may have left in the batch comes first.
        hand_in(station, batch);
        loop {
            batch.clear();
            imu.drain(batch).await?;
            if batch.is_empty() {
                break;
            }
            hand_in(station, batch);
        }
    }
    match order {
        SensorOrder::SwitchOn => {
            let planned = station.look(|pod| pod.planned(StreamId::FIRST));
            let mode = planned.as_ref().map(SamplingMode::from);
            // A session without this stream cannot be ordered: it is the only one.
            let Some(mode) = mode else { return Ok(()) };
            if core::mem::replace(on, false) {
                station.board.session_ended();
            }
            imu.start(mode).await?;
            *on = true;
            station.board.session_began();
        }
        SensorOrder::Change(configuration) => imu.start(SamplingMode::from(&configuration)).await?,
        SensorOrder::SwitchOff => {
            imu.stop().await;
            *on = false;
            station.board.session_ended();
        }
    }
    Ok(())
}

fn hand_in<B: Board>(station: &Station<'_, B>, batch: &Batch) {
    if batch.lost_before > 0 {
        station.take_overrun(batch.lost_before);
    }
    for sample in &batch.samples {
        station.take(sample);
    }
}
