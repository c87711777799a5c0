//! A model pod without a radio, a sensor or a clock of its own.
//!
//! It keeps the states, the ring, the configurations and the answers of SPEC.md sections 4 to 9, and nothing else: the
//! caller says what time it is, hands in samples, and carries bytes. So it serves as the pod of a simulator, as the other
//! side in a host's tests, and as a pattern for firmware. It allocates nothing; its memory is the caller's.
//!
//! What it leaves to the firmware around it: one request at a time (it answers at once, so a second write can never find
//! a reply due), the queue of the radio (a live frame is sent the moment it is full), pairing, and the sensor.

mod answer;
mod ring;
mod sending;
mod sensor;
mod stream;

pub use answer::AttError;
pub use ring::Slot;
pub use sending::BackfillStep;
pub use sensor::SensorOrder;
pub use stream::StreamSetup;

use crate::gatt::Channel;
use crate::{
    BootId, CfgId, ClockCaps, Configuration, Continuity, EncodeError, EndReason, Entry, EventBody, Features, LimitCaps,
    PodState, PodTime, PodUid, RangeSpan, RingStorage, SessionId, StreamId, Txn,
};
use ring::SampleNote;
use stream::PodStream;

const US_PER_S: u64 = 1_000_000;
/// A link that is not attached after this long is closed: while a session runs, and otherwise (SPEC.md section 11).
const UNATTACHED_RUNNING_S: u64 = 30;
const UNATTACHED_S: u64 = 120;
const MOST_REFUSED_IN_A_ROW: u8 = 20;

/// Where a pod puts what it sends, in the order of sending.
pub trait Outbox {
    /// One notification or indication.
    fn send(&mut self, channel: Channel, bytes: &[u8]);
}

impl<F: FnMut(Channel, &[u8])> Outbox for F {
    fn send(&mut self, channel: Channel, bytes: &[u8]) {
        self(channel, bytes);
    }
}

/// A pod that needs a bond, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BondPolicy {
    /// A development kit; visible on the case or in the product name.
    Open,
    /// A product.
    Required,
}

/// What a pod is.
#[derive(Clone, Copy, Debug)]
pub struct PodSetup<'b> {
    /// The pod, for life.
    pub pod_uid: PodUid,
    /// This run of its clock.
    pub boot_id: BootId,
    /// Its clock now.
    pub now: PodTime,
    /// Whether it needs a bond.
    pub bond: BondPolicy,
    /// What a reboot does to its samples.
    pub storage: RingStorage,
    /// Who made it.
    pub vendor: &'b str,
    /// What it is called.
    pub product: &'b str,
    /// Version of its firmware.
    pub firmware: &'b str,
    /// Largest numbers of requests; `max_configs` is 8 whatever is said here.
    pub limits: LimitCaps,
    /// Its clock.
    pub clock: ClockCaps,
    /// What is optional and there.
    pub features: Features,
    /// Its calibration blob; empty if it has none.
    pub calibration: &'b [u8],
    /// How long the sensor needs to change its configuration, µs.
    pub switch_us: u64,
}

/// A connection as the pod sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The ATT MTU.
    pub att_mtu: u16,
    /// Encrypted with the key of a stored bond.
    pub bonded: bool,
    /// Indications of Control are enabled.
    pub control_indications: bool,
    /// Notifications of Stream are enabled.
    pub stream_notifications: bool,
}

/// Whether the radio takes live frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Radio {
    /// It does.
    #[default]
    Flowing,
    /// It is too slow: live frames are skipped and stay retained.
    Blocked,
}

/// What GET_STATUS tells besides the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Health {
    /// Charge, %, if known.
    pub battery_percent: Option<u8>,
    /// Temperature, 1/100 °C, if known.
    pub temperature_cdeg: Option<i16>,
}

/// What a pod remembers of a connection.
#[derive(Clone, Copy, Debug)]
struct LinkState {
    link: Link,
    since: PodTime,
    greeted: bool,
    attached: bool,
    next_event: u8,
    refused_in_a_row: u8,
}

/// The one session a pod has.
#[derive(Clone, Copy, Debug)]
struct Session {
    id: SessionId,
    boot_id: BootId,
    running: bool,
    reason: EndReason,
    linger_s: u16,
    /// Since when no host is attached; `None` while one is.
    alone_since: Option<PodTime>,
}

/// A wish of the host to find this pod among others: lights, sound, whatever it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identify {
    /// For how long, s; 0 means: stop.
    pub seconds: u8,
    /// Which of its patterns, 0 to 3.
    pub pattern: u8,
}

/// A RANGE that is being answered.
#[derive(Clone, Copy, Debug)]
struct RangeJob {
    txn: Txn,
    span: RangeSpan,
    /// Next index to answer.
    at: u32,
    gaps: u16,
}

/// A pod of S streams.
#[derive(Debug)]
pub struct Pod<'b, const S: usize> {
    setup: PodSetup<'b>,
    boot_id: BootId,
    now: PodTime,
    streams: [PodStream<'b>; S],
    session: Option<Session>,
    link: Option<LinkState>,
    job: Option<RangeJob>,
    last_cfg_id: u8,
    last_stranger_identify: Option<PodTime>,
    identify: Option<Identify>,
    /// What the radio does.
    pub radio: Radio,
    /// What GET_STATUS tells.
    pub health: Health,
}

impl<'b, const S: usize> Pod<'b, S> {
    /// A pod that has just booted. Fails if its capabilities do not fit their pages at an ATT MTU of 100, or if S is not
    /// 1 to 8.
    pub fn new(setup: PodSetup<'b>, streams: [StreamSetup<'b>; S]) -> Result<Self, EncodeError> {
        if S == 0 || S > crate::MOST_STREAMS {
            let refusal = crate::Refusal::Count {
                got: S as u32,
                most: crate::MOST_STREAMS as u32,
            };
            return Err(refusal.into());
        }
        let mut number = 0;
        let streams = streams.map(|setup| {
            // S is at most 8, so the low bits are the number.
            let id = StreamId::from_low_bits(number);
            number += 1;
            PodStream::new(id, setup)
        });
        let pod = Pod {
            setup,
            boot_id: setup.boot_id,
            now: setup.now,
            streams,
            session: None,
            link: None,
            job: None,
            last_cfg_id: 0,
            last_stranger_identify: None,
            identify: None,
            radio: Radio::Flowing,
            health: Health::default(),
        };
        pod.check_caps_pages()?;
        Ok(pod)
    }

    /// The pod's clock.
    pub fn now(&self) -> PodTime {
        self.now
    }

    /// What it is doing.
    pub fn state(&self) -> PodState {
        match &self.session {
            None => PodState::Idle,
            Some(session) if session.running => PodState::Running,
            Some(_) => PodState::Ended,
        }
    }

    /// Whether the connection has succeeded with START or RESUME.
    pub fn is_attached(&self) -> bool {
        self.link.is_some_and(|link| link.attached)
    }

    /// Index the next sample of a stream will get; `None` if it is not in the session.
    pub fn next_index(&self, stream: StreamId) -> Option<u32> {
        self.session_stream(stream).map(|stream| stream.ring.next())
    }

    /// The configuration in force; `None` if the stream is not in the session.
    pub fn configuration(&self, stream: StreamId) -> Option<Configuration> {
        self.session_stream(stream)?.current().map(|config| config.record)
    }

    /// When the next sample of a running stream is due at its nominal rate; `None` if it takes none.
    pub fn nominal_time_of_next(&self, stream: StreamId) -> Option<PodTime> {
        self.session_stream(stream)
            .filter(|_| self.is_running())?
            .nominal_time_of_next()
    }

    /// When a session that is alone will end; `None` if nothing runs or a host is attached.
    pub fn linger_ends(&self) -> Option<PodTime> {
        let session = self.session.filter(|session| session.running)?;
        Some(session.alone_since?.plus_us(u64::from(session.linger_s) * US_PER_S))
    }

    /// Whether the pod should close the connection: refused too often, or not attached for too long.
    pub fn should_close_link(&self) -> bool {
        let Some(link) = &self.link else { return false };
        let patience = if self.is_running() {
            UNATTACHED_RUNNING_S
        } else {
            UNATTACHED_S
        };
        let waited = self.now.us_since(link.since);
        link.refused_in_a_row >= MOST_REFUSED_IN_A_ROW || (!link.attached && waited >= patience * US_PER_S)
    }

    fn is_running(&self) -> bool {
        self.session.is_some_and(|session| session.running)
    }

    fn session_stream(&self, stream: StreamId) -> Option<&PodStream<'b>> {
        self.streams
            .get(stream.as_usize())
            .filter(|stream| stream.is_in_session())
    }

    // ---------------------------------------------------------------------------------------------- time and link

    /// Time has passed. The clock never goes back; a session that was alone for too long ends.
    pub fn advance_to(&mut self, now: PodTime) {
        self.now = self.now.max(now);
        if self.linger_ends().is_some_and(|end| self.now >= end)
            && let Some(session) = &mut self.session
        {
            (session.running, session.reason) = (false, EndReason::LingerRanOut);
        }
    }

    /// A connection is there; an old one ends. Nothing is sent before it is attached, whatever was subscribed.
    pub fn connect(&mut self, link: Link) {
        self.disconnect();
        let (since, greeted, attached) = (self.now, false, false);
        self.link = Some(LinkState {
            link,
            since,
            greeted,
            attached,
            next_event: 0,
            refused_in_a_row: 0,
        });
        self.radio = Radio::Flowing;
    }

    /// The same connection has other properties now: its MTU was exchanged, it was encrypted, the host subscribed. What was
    /// said on it stays said. Without a connection this does nothing.
    pub fn set_link(&mut self, link: Link) {
        if let Some(state) = &mut self.link {
            state.link = link;
        }
    }

    /// What an accepted IDENTIFY asked for since the last call.
    pub fn take_identify(&mut self) -> Option<Identify> {
        self.identify.take()
    }

    /// The connection is gone. A running session lingers.
    pub fn disconnect(&mut self) {
        self.detach();
        self.link = None;
    }

    fn detach(&mut self) {
        let now = self.now;
        if let Some(session) = &mut self.session {
            session.alone_since.get_or_insert(now);
        }
        if let Some(link) = &mut self.link {
            link.attached = false;
        }
        self.job = None;
        self.advance_to(now);
    }

    /// Power came back, the clock begins anew. `torn` samples of each stream had not reached the storage.
    pub fn reboot(&mut self, boot_id: BootId, now: PodTime, torn: u32) {
        self.disconnect();
        match &mut self.session {
            Some(session) if self.setup.storage == RingStorage::Kept => {
                if core::mem::take(&mut session.running) {
                    session.reason = EndReason::PowerCut;
                }
                self.streams.iter_mut().for_each(|stream| stream.ring.tear_off(torn));
            }
            _ => {
                self.session = None;
                self.streams.iter_mut().for_each(PodStream::clear);
            }
        }
        self.streams.iter_mut().for_each(PodStream::choose_as_at_boot);
        (self.boot_id, self.now, self.last_cfg_id) = (boot_id, now, 0);
        self.last_stranger_identify = None;
    }

    // ----------------------------------------------------------------------------------------------------- samples

    /// The sensor gave a sample of a stream, complete at `time`. Ignored unless the stream is running and of this kind, and
    /// when it is older than the configuration in force: a sensor's queue may still hold what it took with another range.
    pub fn take_sample<E: Entry>(&mut self, stream: StreamId, time: PodTime, entry: E, out: &mut impl Outbox) {
        self.advance_to(time);
        let running = self.is_running();
        let Some(taking) = self.streams.get_mut(stream.as_usize()) else {
            return;
        };
        let Some((cfg_id, since)) = taking.current().map(|config| (config.cfg_id, config.since)) else {
            return;
        };
        if !running || taking.kind != E::KIND || time < since {
            return;
        }
        let continuity = core::mem::take(&mut taking.continuity);
        taking.ring.push(
            SampleNote {
                time,
                cfg_id,
                continuity,
            },
            |bytes| {
                entry.write(&mut bytes[..E::KIND.entry_bytes()]);
            },
        );
        self.send_full_frames(stream, out);
        self.end_if_indices_are_used_up(stream, out);
    }

    /// The sensor's queue ran over; by the best estimate `count` samples were lost, at least 1.
    pub fn take_overrun(&mut self, stream: StreamId, count: u32, out: &mut impl Outbox) {
        if !self.is_running() || self.session_stream(stream).is_none() {
            return;
        }
        self.flush(stream, out);
        let Some(taking) = self.streams.get_mut(stream.as_usize()) else {
            return;
        };
        let first = taking.ring.next();
        let count = count.max(1).min(crate::INDEX_NONE - first);
        taking.ring.skip(count);
        taking.unsent = taking.ring.next();
        taking.overruns += 1;
        taking.continuity = Continuity::AfterOverrun;
        self.send_live_gap(stream, first, count, out);
        self.end_if_indices_are_used_up(stream, out);
    }

    fn end_if_indices_are_used_up(&mut self, stream: StreamId, out: &mut impl Outbox) {
        if self.next_index(stream) == Some(crate::INDEX_NONE) {
            self.end_by_itself(EndReason::IndexExhausted, out);
        }
    }

    // -------------------------------------------------------------------------------- what a pod does by itself

    /// The pod ends the session while it still can: low power, a fault, used-up indices.
    pub fn end_by_itself(&mut self, reason: EndReason, out: &mut impl Outbox) {
        if !self.is_running() {
            return;
        }
        self.flush_all(out);
        let time = self.now;
        if let Some(session) = &mut self.session {
            (session.running, session.reason) = (false, reason);
            let session_id = session.id;
            self.send_event(
                EventBody::SessionEnded {
                    reason,
                    session_id,
                    time,
                },
                out,
            );
        }
    }

    /// Tells an attached host something: a low battery, a fault.
    pub fn tell(&mut self, event: EventBody, out: &mut impl Outbox) {
        self.send_event(event, out);
    }

    /// The pod changes the rate of a running stream by itself, to save energy. Returns what is in force then; `None` if
    /// nothing changed, because the stream takes no samples or there is no room for another configuration.
    pub fn change_rate(&mut self, stream: StreamId, rate_mhz: u32, out: &mut impl Outbox) -> Option<Configuration> {
        let running = self.is_running();
        let changing = self.session_stream(stream)?;
        if !running || !changing.has_room_for_config() {
            return None;
        }
        self.flush(stream, out);
        let changing = self.streams.get_mut(stream.as_usize())?;
        changing.choice.rate_mhz = rate_mhz;
        let record = self.switch(stream)?;
        self.send_event(EventBody::ConfigChanged(record), out);
        Some(record)
    }

    /// What was chosen for a stream of the running session comes into force.
    fn switch(&mut self, stream: StreamId) -> Option<Configuration> {
        self.now = self.now.plus_us(self.setup.switch_us);
        let (cfg_id, since) = (self.new_cfg_id(), self.now);
        Some(self.streams.get_mut(stream.as_usize())?.open_config(cfg_id, since))
    }

    /// The next name in the cycle 1..255 that no retained sample uses.
    fn new_cfg_id(&mut self) -> CfgId {
        loop {
            // 8 streams keep at most 64 configurations, so a free name is always found.
            self.last_cfg_id = self.last_cfg_id % u8::MAX + 1;
            if let Some(free) = CfgId::new(self.last_cfg_id)
                && !self.streams.iter().any(|stream| stream.config(free).is_some())
            {
                return free;
            }
        }
    }
}
