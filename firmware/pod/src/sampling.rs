//! The future that owns the sensor: it samples while a session runs and obeys the orders that requests bring.
//!
//! An order is a handshake of three steps. The link asks; this future drains the sensor's queue into the pod (those samples
//! belong to the configuration that is still in force), switches the sensor and says how it went; the link hands the request
//! to the pod; then sampling goes on. So no sample can get the scale of another configuration, and STOP names the very last.

use core::future::pending;

use embassy_futures::select::{Either3, select3};
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
        let at_rest = async {
            if on {
                station.at_rest.wait().await
            } else {
                pending().await
            }
        };
        match select3(station.order.wait(), next, at_rest).await {
            Either3::Second(Ok(())) => hand_in(station, &batch),
            Either3::Second(Err(fault)) => station.sensor_failed(fault),
            Either3::Third(()) => {}
            Either3::First(order) => {
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

#[cfg(test)]
mod tests {
    use core::cell::{Cell, RefCell};
    use std::collections::VecDeque;
    use std::vec::Vec;

    use embassy_futures::select::{Either, select};
    use embassy_futures::{block_on, yield_now};
    use firmware_protocol::pod::{Link, Slot};
    use firmware_protocol::{
        Answer, BootId, Frame, ImuEntry, Indication, Payload, PodTime, PodUid, Request, RequestBody, SessionId,
        StartOrder, Status, Txn, Wish,
    };

    use super::*;
    use crate::identity::Identity;
    use crate::imu::{ImuCaps, Sample};

    /// A bench: a clock that the test turns, a sensor whose queue the test fills.
    #[derive(Default)]
    struct Bench {
        now_us: Cell<u64>,
        queue: RefCell<VecDeque<Sample>>,
        modes: RefCell<Vec<Option<SamplingMode>>>,
        fails: Cell<bool>,
        taken: Cell<u32>,
        sessions: Cell<(u32, u32)>,
        empty: Cell<bool>,
    }

    impl Bench {
        fn sensed(&self, count: u64, acc: i16) {
            for _ in 0..count {
                self.now_us.set(self.now_us.get() + 5000);
                let time = PodTime::from_us(self.now_us.get()).expect("a small time");
                let entry = ImuEntry {
                    acc: [acc; 3],
                    gyr: [0; 3],
                };
                self.queue.borrow_mut().push_back(Sample { time, entry });
            }
        }
    }

    impl Board for &Bench {
        fn now(&self) -> PodTime {
            PodTime::from_us(self.now_us.get()).expect("a small time")
        }

        fn has_power_for_a_session(&self) -> bool {
            !self.empty.get()
        }

        fn session_began(&self) {
            self.sessions.set((self.sessions.get().0 + 1, self.sessions.get().1));
        }

        fn took(&self, _index: u32, _time: PodTime, _entry: &ImuEntry) {
            self.taken.set(self.taken.get() + 1);
        }

        fn session_ended(&self) {
            self.sessions.set((self.sessions.get().0, self.sessions.get().1 + 1));
        }
    }

    struct BenchImu<'a>(&'a Bench);

    impl Imu for BenchImu<'_> {
        async fn start(&mut self, mode: SamplingMode) -> Result<(), ImuFault> {
            self.0.queue.borrow_mut().clear();
            self.0.modes.borrow_mut().push(Some(mode));
            if self.0.fails.get() {
                Err(ImuFault { detail: 1 })
            } else {
                Ok(())
            }
        }

        async fn stop(&mut self) {
            self.0.modes.borrow_mut().push(None);
        }

        async fn next_batch(&mut self, _batch: &mut Batch) -> Result<(), ImuFault> {
            // The watermark is never reached here: everything comes by draining.
            pending().await
        }

        async fn drain(&mut self, batch: &mut Batch) -> Result<(), ImuFault> {
            while let Some(sample) = self.0.queue.borrow_mut().pop_front() {
                if batch.samples.push(sample).is_err() {
                    panic!("the test fills one batch at most");
                }
            }
            Ok(())
        }
    }

    fn with_station(bench: &Bench, test: impl AsyncFnOnce(&Station<'_, &Bench>)) {
        let identity = Identity {
            name: "bench",
            pod_uid: PodUid::new(1).expect("not 0"),
            boot_id: BootId::new(1).expect("not 0"),
            address: [0; 6],
            vendor: "v",
            product: "p",
            serial: "s",
            firmware: "f",
            hardware: "h",
        };
        let mut slots = std::vec![Slot::EMPTY; 512];
        let station =
            Station::new(identity.setup(PodTime::BOOT, 20), ImuCaps::COMMON, &mut slots, bench).expect("a station");
        station.connected(Link {
            att_mtu: 247,
            bonded: false,
            control_indications: true,
            stream_notifications: true,
        });
        let mut imu = BenchImu(bench);
        match block_on(select(sample(&station, &mut imu), async { test(&station).await })) {
            Either::First(never) => never,
            Either::Second(()) => {}
        }
    }

    /// One request; its status, and the frames that went before the reply.
    async fn ask(station: &Station<'_, &Bench>, body: RequestBody) -> (Option<Status>, Vec<std::vec::Vec<u8>>) {
        let txn = Txn::new(1).expect("not 0");
        let mut buffer = [0; 32];
        let request = Request { txn, body }.encode(&mut buffer).expect("a request");
        station
            .request(request)
            .await
            .expect("no error of the attribute protocol");
        let mut frames = Vec::new();
        while let Some(frame) = station.queues(|out| out.take_live(PodTime::BOOT)) {
            assert!(
                station.queues(|out| out.take_control()).is_none(),
                "the reply waits for the frames"
            );
            frames.push(frame.to_vec());
            station.queues(|out| out.live_is_away());
        }
        let reply = station.queues(|out| out.take_control()).expect("a reply");
        let status = match Indication::decode(&reply) {
            Ok(Indication::Reply(reply)) => match reply.answer {
                Answer::Refused { status, .. } => Some(status),
                _ => None,
            },
            other => panic!("{other:?}"),
        };
        (status, frames)
    }

    fn session() -> SessionId {
        SessionId::new(9).expect("not 0")
    }

    async fn greeted_and_started(station: &Station<'_, &Bench>) {
        let hello = RequestBody::Hello {
            host_major: 1,
            host_minor: 0,
        };
        assert_eq!(ask(station, hello).await.0, None);
        assert_eq!(ask(station, start()).await.0, None);
    }

    fn start() -> RequestBody {
        RequestBody::Start(StartOrder {
            session_id: session(),
            linger_s: 10,
            force: false,
        })
    }

    fn range_of_32_g() -> RequestBody {
        RequestBody::SetConfig(Wish {
            stream: StreamId::FIRST,
            enabled: true,
            rate_mhz: 104_000,
            acc_range_g: 32,
            gyr_range_dps: 500,
        })
    }

    fn first_counts(frame: &[u8]) -> (u32, u8, i16, usize) {
        let Ok(Frame::Data(frame)) = Frame::decode(frame) else {
            panic!("a frame of data")
        };
        let Payload::Imu6(entries) = frame.payload else {
            panic!("imu6")
        };
        let first = entries.iter().next().expect("never empty");
        (
            frame.header.index,
            frame.header.cfg_id.get(),
            first.acc[0],
            entries.iter().count(),
        )
    }

    #[test]
    fn what_was_complete_before_a_change_of_range_keeps_its_own_range() {
        let bench = Bench::default();
        with_station(&bench, async |station| {
            greeted_and_started(station).await;
            bench.sensed(7, 800);
            let (status, frames) = ask(station, range_of_32_g()).await;
            assert_eq!(status, None);
            assert_eq!(
                frames.iter().map(|f| first_counts(f)).collect::<Vec<_>>(),
                [(0, 1, 800, 7)]
            );
            bench.sensed(3, 400);
            let (_, frames) = ask(station, RequestBody::Stop { session_id: session() }).await;
            assert_eq!(
                frames.iter().map(|f| first_counts(f)).collect::<Vec<_>>(),
                [(7, 2, 400, 3)]
            );
        });
        let ranges: Vec<_> = bench
            .modes
            .borrow()
            .iter()
            .map(|mode| mode.map(|m| m.acc_range_g))
            .collect();
        assert_eq!(ranges, [Some(4), Some(32), None]);
        assert_eq!((bench.taken.get(), bench.sessions.get()), (10, (1, 1)));
    }

    #[test]
    fn a_sensor_that_does_not_start_is_told_as_hardware() {
        let bench = Bench::default();
        bench.fails.set(true);
        with_station(&bench, async |station| {
            let hello = RequestBody::Hello {
                host_major: 1,
                host_minor: 0,
            };
            ask(station, hello).await;
            assert_eq!(ask(station, start()).await.0, Some(Status::Hardware));
            assert_eq!(station.state(), PodState::Idle);
            bench.fails.set(false);
            bench.empty.set(true);
            assert_eq!(ask(station, start()).await.0, Some(Status::Power));
            bench.empty.set(false);
            assert_eq!(ask(station, start()).await.0, None, "and then it may start");
        });
    }

    #[test]
    fn a_session_left_alone_too_long_ends_and_the_sensor_sleeps() {
        let bench = Bench::default();
        with_station(&bench, async |station| {
            greeted_and_started(station).await;
            station.disconnected();
            bench.now_us.set(bench.now_us.get() + 9_900_000);
            station.tick();
            assert_eq!(station.state(), PodState::Running);
            bench.now_us.set(bench.now_us.get() + 200_000);
            station.tick();
            assert_eq!(station.state(), PodState::Ended);
            assert_eq!(bench.sessions.get(), (1, 0));
            yield_now().await;
        });
        assert_eq!(bench.sessions.get(), (1, 1));
        assert_eq!(bench.modes.borrow().last(), Some(&None));
    }

    #[test]
    fn without_room_for_it_nothing_is_made_live_and_nothing_is_lost() {
        let bench = Bench::default();
        with_station(&bench, async |station| {
            greeted_and_started(station).await;
            // Nobody sends: forty frames' worth of samples.
            for _ in 0..40 {
                bench.sensed(19, 1);
                for sample in bench.queue.borrow_mut().drain(..) {
                    station.take(&sample);
                }
            }
            assert_eq!(station.look(|pod| pod.next_index(StreamId::FIRST)), Some(760));
            let mut live = 0;
            while station.queues(|out| out.take_live(PodTime::BOOT)).is_some() {
                live += 1;
            }
            assert!((10..40).contains(&live), "{live} frames wait");
            assert_eq!(bench.taken.get(), 760);
        });
    }
}
