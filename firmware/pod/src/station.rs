//! The pod, its queues and its board in one place, shared by the futures that sample, send and listen.

use core::cell::RefCell;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::signal::Signal;
use firmware_protocol::pod::{AttError, Link, Pod, PodSetup, Radio, SensorOrder, Slot, StreamSetup};
use firmware_protocol::{EncodeError, EndReason, EventBody, FaultCode, Kind, PodState, Status, StreamId};

use crate::board::Board;
use crate::imu::{ImuCaps, ImuFault, Sample};
use crate::outgoing::{BackfillCatch, Outgoing};

/// A flag that one future raises and another waits for.
pub(crate) type Flag = Signal<NoopRawMutex, ()>;

/// The pod and everything around it that is not radio or sensor.
pub struct Station<'b, B> {
    pod: RefCell<Pod<'b, 1>>,
    out: RefCell<Outgoing>,
    pub(crate) board: B,
    /// The link asks, the sampling future does, the link hands the request in, sampling goes on.
    pub(crate) order: Signal<NoopRawMutex, SensorOrder>,
    pub(crate) carried_out: Signal<NoopRawMutex, Result<(), ImuFault>>,
    pub(crate) carry_on: Flag,
    /// No session runs: the sensor has nothing to do.
    pub(crate) at_rest: Flag,
    /// Something waits on this characteristic.
    pub(crate) stream_waits: Flag,
    pub(crate) control_waits: Flag,
    pub(crate) time_waits: Flag,
    /// The host has just attached: the connection should be made fit for streaming.
    pub(crate) attached: Flag,
    /// The pod wants this connection closed.
    pub(crate) close: Flag,
}

impl<'b, B: Board> Station<'b, B> {
    /// A pod with one stream of acceleration and angular rate. `slots` is its ring: at least 10 s of the fastest rate (2080
    /// slots for 208 Hz); 60 s are better.
    ///
    /// # Errors
    /// When the texts of the setup or the lists of the sensor do not fit a page of capabilities.
    pub fn new(setup: PodSetup<'b>, sensor: ImuCaps<'b>, slots: &'b mut [Slot], board: B) -> Result<Self, EncodeError> {
        let imu = StreamSetup {
            kind: Kind::Imu6,
            rates_mhz: sensor.rates_mhz,
            acc_ranges_g: sensor.acc_ranges_g,
            gyr_ranges_dps: sensor.gyr_ranges_dps,
            enabled_at_boot: true,
            slots,
        };
        Ok(Station {
            pod: RefCell::new(Pod::new(setup, [imu])?),
            out: RefCell::new(Outgoing::default()),
            board,
            order: Signal::new(),
            carried_out: Signal::new(),
            carry_on: Flag::new(),
            at_rest: Flag::new(),
            stream_waits: Flag::new(),
            control_waits: Flag::new(),
            time_waits: Flag::new(),
            attached: Flag::new(),
            close: Flag::new(),
        })
    }

    /// The board.
    pub fn board(&self) -> &B {
        &self.board
    }

    /// What the pod is doing.
    pub fn state(&self) -> PodState {
        self.pod.borrow().state()
    }

    /// Asks the pod something that changes nothing.
    pub(crate) fn look<R>(&self, ask: impl FnOnce(&Pod<'b, 1>) -> R) -> R {
        ask(&self.pod.borrow())
    }

    /// Lets the pod do something now; what it sends goes into the queues, and who sends from them is woken.
    pub(crate) fn tell<R>(&self, act: impl FnOnce(&mut Pod<'b, 1>, &mut Outgoing) -> R) -> R {
        let (mut pod, mut out) = (self.pod.borrow_mut(), self.out.borrow_mut());
        let now = self.board.now();
        pod.advance_to(now);
        pod.health = self.board.health();
        out.now = now;
        pod.radio = if out.has_room_for_live() {
            Radio::Flowing
        } else {
            Radio::Blocked
        };
        let result = act(&mut pod, &mut out);
        if pod.should_close_link() {
            self.close.signal(());
        }
        if pod.state() != PodState::Running {
            self.at_rest.signal(());
        }
        self.stream_waits.signal(());
        self.control_waits.signal(());
        self.time_waits.signal(());
        result
    }

    /// Works on the queues without the pod.
    pub(crate) fn queues<R>(&self, act: impl FnOnce(&mut Outgoing) -> R) -> R {
        act(&mut self.out.borrow_mut())
    }

    /// Time has passed: sessions end, frames become due.
    pub(crate) fn tick(&self) {
        self.tell(|pod, out| pod.send_due_frames(out));
    }

    /// A host is there.
    pub(crate) fn connected(&self, link: Link) {
        self.queues(Outgoing::clear);
        for flag in [&self.attached, &self.close] {
            flag.reset();
        }
        self.tell(|pod, _| pod.connect(link));
    }

    /// It is gone.
    pub(crate) fn disconnected(&self) {
        self.tell(|pod, _| pod.disconnect());
        self.queues(Outgoing::clear);
    }

    /// Hands a sample in.
    pub(crate) fn take(&self, sample: &Sample) {
        self.tell(|pod, out| {
            let index = pod.next_index(StreamId::FIRST);
            pod.take_sample(StreamId::FIRST, sample.time, sample.entry, out);
            if let Some(index) = index
                && pod.next_index(StreamId::FIRST) != Some(index)
            {
                self.board.took(index, sample.time, &sample.entry);
            }
        });
    }

    /// One more frame of a RANGE, if one is being answered. Not a live frame: the queue of those is empty.
    pub(crate) fn backfill(&self) -> BackfillCatch {
        let mut caught = BackfillCatch::default();
        self.pod.borrow_mut().backfill_step(&mut caught);
        caught
    }

    /// One write to Control. What it wants of the sensor is done first, by the sampling future; then the pod answers.
    pub(crate) async fn request(&self, bytes: &[u8]) -> Result<(), AttError> {
        match self.look(|pod| pod.sensor_order(bytes)) {
            None => self.hand_over(bytes, None),
            Some(SensorOrder::SwitchOn) if !self.board.has_power_for_a_session() => {
                self.hand_over(bytes, Some(Status::Power))
            }
            Some(order) => {
                self.order.signal(order);
                let done = self.carried_out.wait().await;
                let written = self.hand_over(bytes, done.err().map(|_| Status::Hardware));
                self.carry_on.signal(());
                written
            }
        }
    }

    fn hand_over(&self, bytes: &[u8], refusal: Option<Status>) -> Result<(), AttError> {
        let was_attached = self.look(Pod::is_attached);
        let (written, attached, identify) = self.tell(|pod, out| {
            let written = match refusal {
                Some(status) => pod.refuse_control(bytes, status, out),
                None => pod.write_control(bytes, out),
            };
            (written, pod.is_attached(), pod.take_identify())
        });
        if attached && !was_attached {
            self.attached.signal(());
        }
        if let Some(wish) = identify {
            self.board.identify(wish);
        }
        written
    }

    /// Whether a request is still unanswered.
    pub(crate) fn owes_reply(&self) -> bool {
        self.out.borrow().owes_reply()
    }

    /// Writes a PING in; both stamps are taken here, because nothing lies between them.
    pub(crate) fn write_time(&self, bytes: &[u8]) {
        let t2 = self.board.now();
        self.tell(|pod, out| pod.write_time(bytes, t2, self.board.now(), out));
    }

    /// The sensor failed while it sampled: the host is told, and the session ends.
    pub(crate) fn sensor_failed(&self, fault: ImuFault) {
        let code = FaultCode::Sensor;
        let detail = fault.detail;
        self.tell(|pod, out| {
            pod.tell(EventBody::Fault { code, detail }, out);
            pod.end_by_itself(EndReason::SensorFault, out);
        });
    }

    /// The sensor's queue ran over.
    pub(crate) fn take_overrun(&self, count: u32) {
        self.tell(|pod, out| pod.take_overrun(StreamId::FIRST, count, out));
    }
}
