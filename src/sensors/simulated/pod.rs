//! A simulated pod: the model pod of the protocol, with a sensor, a crystal, a battery and a switch.
//!
//! What it answers is the model's business ([`firmware_protocol::pod`]); here is what surrounds it in a real one: samples at
//! the pace of its own crystal, frames when they are due, backfill when nothing else waits, and the things that happen to
//! sensors ([`PodFault`]). It can keep a journal of all it took, so that a test can compare.

pub use super::journal::{Journal, Taken};

use super::peer::{Motion, Peer};
use crate::model::SessionTime;
use crate::sensors::link::{Ack, Advert, Chan, Command, LinkFailure};
use firmware_protocol::gatt::{CONTROL, Channel, SECURE, SERVICE, STREAM, TIME};
use firmware_protocol::pod::{BackfillStep, BondPolicy, Link, Pod, PodSetup, Radio, Slot, StreamSetup};
use firmware_protocol::{
    Answer, BootId, ClockCaps, Configuration, EndReason, Entry, EventBody, Features, HelloReply, HighGEntry, ImuEntry,
    Kind, LimitCaps, Op, PingStamp, PodState, PodTime, PodUid, Reply, Request, RequestBody, RingStorage, Security,
    SessionId, StartOrder, StreamId, Txn,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rates of the six-axis sensor, mHz, of the kind most chips have.
const RATES_MHZ: &[u32] = &[52_000, 104_000, 208_000, 416_000, 833_000];
const ACC_RANGES_G: &[u16] = &[4, 8, 16, 32];
const GYR_RANGES_DPS: &[u16] = &[500, 1000, 2000, 4000];
/// The high-range accelerometer beside it.
const HIGH_G_RATES_MHZ: &[u32] = &[960_000];
const HIGH_G_RANGES_G: &[u16] = &[320];
/// Where requests are written, for faults that spare them.
pub const CONTROL_CHAN: Chan = Chan::new(SERVICE, CONTROL);
const IMU: StreamId = StreamId::FIRST;
/// The clock starts here after a boot: a pod needs a moment before it is connectable, µs.
const BOOT_US: u64 = 250_000;
/// Frames that are due are looked for this often, s.
const TICK_S: f64 = 0.010;
/// One backfilled frame each so often, s: what one packet per connection event leaves beside a live stream.
const BACKFILL_EVERY_S: f64 = 0.015;
/// Between hearing a PING and queueing its PONG, µs.
const PONG_US: u64 = 150;
/// How long the ones who take a pod over stay on it, s.
const TAKEN_S: f64 = 2.0;
/// A pod whose battery dies still says so, s.
const DYING_S: f64 = 0.3;
/// A random number of another host's session.
const ANOTHER_SESSION: u64 = 0x5EED_0F50_3EB0_D1E5;
/// Battery service and level.
const BATTERY: Chan = Chan::sig(0x180F, 0x2A19);

/// Room for the samples of a pod.
#[derive(Debug)]
pub struct PodMemory {
    imu: Vec<Slot>,
    high_g: Vec<Slot>,
}

impl PodMemory {
    /// Room for this many samples of each stream.
    #[must_use]
    pub fn new(samples: usize) -> Self {
        Self {
            imu: vec![Slot::EMPTY; samples],
            high_g: vec![Slot::EMPTY; samples],
        }
    }

    /// Room that lives as long as the program: for pods that are made once and kept.
    #[must_use]
    pub fn for_ever(samples: usize) -> &'static mut Self {
        Box::leak(Box::new(Self::new(samples)))
    }
}

/// What the sensor in a pod reads.
pub enum Readings {
    /// What it feels.
    Felt(Box<dyn Motion>),
    /// The number of the sample instead, in the six axes of its entry, so that a test can tell each from all others.
    Numbered,
}

impl std::fmt::Debug for Readings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Felt(_) => "Felt",
            Self::Numbered => "Numbered",
        })
    }
}

/// Something that happens to a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodFault {
    /// It is switched off for so many milliseconds; then it boots anew.
    Reboot {
        /// ms.
        off_ms: u32,
    },
    /// The sensor's queue overruns.
    Overrun {
        /// Samples lost.
        samples: u32,
    },
    /// Its clock jumps, which no pod may do.
    ClockStep {
        /// µs; may be negative.
        us: i64,
    },
    /// It says that its battery runs low.
    BatteryLow {
        /// %.
        percent: u8,
    },
    /// It ends the session and switches off for good.
    BatteryDies,
    /// It lowers its rate by itself.
    SlowDown {
        /// mHz.
        rate_mhz: u32,
    },
    /// For so many milliseconds it sends no frames, though it samples and answers.
    Silent {
        /// ms.
        ms: u32,
    },
    /// It sends this many frames of nonsense at once.
    Flood {
        /// Frames.
        frames: u32,
    },
    /// Another host takes it over by force, starts a session and leaves.
    TakenOver,
    /// A button is pressed: it forgets everything it retains.
    Forgets,
}

/// What a pod is, beyond its protocol.
#[derive(Clone, Debug)]
pub struct SimPodSetup {
    /// Its number for life; not zero, or it becomes 1.
    pub uid: u64,
    /// Advertised name.
    pub name: String,
    /// Its clock is fast by this, parts per million.
    pub drift_ppm: f64,
    /// Its sensor is slow against that clock by this share: real ones are percent off.
    pub sensor_slow: f64,
    /// What a reboot does to its samples.
    pub storage: RingStorage,
    /// Longest linger, s.
    pub max_linger_s: u16,
    /// Whether it wants a bond, and whether one is made when asked for.
    pub bond: Bond,
    /// Major version it speaks; another than 1 answers every greeting with `version`.
    pub major: u8,
    /// Its calibration blob.
    pub calibration: &'static [u8],
    /// Charge, %.
    pub battery_percent: u8,
    /// Largest ATT MTU it agrees to.
    pub mtu: u16,
    /// Rates its six axes can be set to, mHz, ascending, at least one and few enough for a page of capabilities (10).
    pub rates_mhz: &'static [u32],
    /// What happens to it, and when, in any order.
    pub faults: Vec<(SessionTime, PodFault)>,
}

/// How a simulated pod treats strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// It is open.
    NotNeeded,
    /// It wants a bond and makes one when asked.
    Made,
    /// It wants a bond and refuses to make one now.
    Refused,
}

impl Default for SimPodSetup {
    fn default() -> Self {
        Self {
            uid: 1,
            name: "lope-sim-0001".to_owned(),
            drift_ppm: 0.0,
            sensor_slow: 0.0,
            storage: RingStorage::LostAtReboot,
            max_linger_s: 600,
            bond: Bond::NotNeeded,
            major: firmware_protocol::MAJOR,
            calibration: &[],
            battery_percent: 87,
            mtu: 247,
            rates_mhz: RATES_MHZ,
            faults: Vec::new(),
        }
    }
}

/// A sensor's pace within one configuration.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    cfg_id: u8,
    since_us: u64,
    /// What a fault had added to the clock when it began.
    step_us: i64,
    session: u32,
}

/// See the module's head.
#[derive(Debug)]
pub struct SimPod<'b> {
    pod: Pod<'b, 2>,
    setup: SimPodSetup,
    readings: Readings,
    journal: Option<Journal>,
    count: Arc<AtomicU64>,
    link: Option<Link>,
    bonded: bool,
    hung_up: bool,
    boots: u32,
    booted_at: SessionTime,
    step_us: i64,
    off_until: Option<SessionTime>,
    dies_at: Option<SessionTime>,
    silent_until: Option<SessionTime>,
    taken_until: Option<SessionTime>,
    backfill_at: SessionTime,
    now: SessionTime,
    pace: [Pace; 2],
    sessions: u32,
    number: u32,
    out: Vec<(Channel, Vec<u8>)>,
}

/// The chip's place in the model: 128-bit numbers of the services' characteristics.
fn chan(channel: Channel) -> Chan {
    Chan::new(SERVICE, channel.uuid())
}

impl<'b> SimPod<'b> {
    /// A pod that has just been switched on at session time zero.
    ///
    /// # Panics
    /// Never: what it says of itself fits its pages by construction.
    #[must_use]
    pub fn new(setup: SimPodSetup, readings: Readings, memory: &'b mut PodMemory) -> Self {
        let boots = 1;
        let pod_setup = PodSetup {
            pod_uid: PodUid::new(setup.uid.max(1)).expect("at least 1"),
            boot_id: boot_id(setup.uid, boots),
            now: PodTime::BOOT.plus_us(BOOT_US),
            bond: match setup.bond {
                Bond::NotNeeded => BondPolicy::Open,
                Bond::Made | Bond::Refused => BondPolicy::Required,
            },
            storage: setup.storage,
            vendor: "lope",
            product: "simulated pod",
            firmware: env!("CARGO_PKG_VERSION"),
            limits: LimitCaps {
                max_range: 2000,
                max_linger_s: setup.max_linger_s,
                max_configs: 8,
            },
            clock: ClockCaps {
                accuracy_ppm: 50,
                tick_ns: 1000,
                ping_stamp: PingStamp::Software,
            },
            features: Features {
                bits: Features::IDENTIFY
                    | if setup.calibration.is_empty() {
                        0
                    } else {
                        Features::CALIB_READ
                    },
            },
            calibration: setup.calibration,
            switch_us: 5000,
        };
        let streams = [
            StreamSetup {
                kind: Kind::Imu6,
                rates_mhz: setup.rates_mhz,
                acc_ranges_g: ACC_RANGES_G,
                gyr_ranges_dps: GYR_RANGES_DPS,
                enabled_at_boot: true,
                slots: &mut memory.imu,
            },
            StreamSetup {
                kind: Kind::HighG,
                rates_mhz: HIGH_G_RATES_MHZ,
                acc_ranges_g: HIGH_G_RANGES_G,
                gyr_ranges_dps: &[],
                enabled_at_boot: false,
                slots: &mut memory.high_g,
            },
        ];
        let mut pod = Pod::new(pod_setup, streams).expect("short texts, short lists and two streams fit their pages");
        pod.health.battery_percent = Some(setup.battery_percent);
        let mut sim = Self {
            pod,
            setup,
            readings,
            journal: None,
            count: Arc::default(),
            link: None,
            bonded: false,
            hung_up: false,
            boots,
            booted_at: SessionTime::ZERO,
            step_us: 0,
            off_until: None,
            dies_at: None,
            silent_until: None,
            taken_until: None,
            backfill_at: SessionTime::ZERO,
            now: SessionTime::ZERO,
            pace: [Pace::default(); 2],
            sessions: 0,
            number: 0,
            out: Vec::new(),
        };
        // Taken from the end, so the first comes last.
        sim.setup.faults.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        sim
    }

    /// Keeps a journal of all samples from now on.
    #[must_use]
    pub fn keep_journal(mut self, journal: &Journal) -> Self {
        self.journal = Some(journal.clone());
        self
    }

    /// How many samples it has taken, now and later.
    #[must_use]
    pub fn count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.count)
    }

    /// The pod's clock at an instant, without what a fault added.
    fn clock_us(&self, now: SessionTime) -> u64 {
        let passed_us = now.since(self.booted_at).max(0.0) * 1e6 * (1.0 + self.setup.drift_ppm * 1e-6);
        BOOT_US + passed_us as u64
    }

    /// The instant of a moment of the pod's clock.
    fn session_time(&self, us: u64) -> SessionTime {
        let passed_s = (us as f64 - BOOT_US as f64) * 1e-6 / (1.0 + self.setup.drift_ppm * 1e-6);
        self.booted_at.plus(passed_s)
    }

    fn stamp(&self, us: u64) -> PodTime {
        PodTime::BOOT.plus_us(us.saturating_add_signed(self.step_us))
    }

    fn is_on(&self) -> bool {
        self.off_until.is_none()
    }

    fn is_running(&self) -> bool {
        self.pod.state() == PodState::Running
    }

    // ------------------------------------------------------------------------------------------------------ time

    /// Lets time pass: samples, faults, frames.
    fn advance(&mut self, now: SessionTime) {
        let now = self.now.max(now);
        while let Some((at, fault)) = self.setup.faults.last().copied()
            && at <= now
        {
            self.setup.faults.pop();
            self.run_until(self.now.max(at));
            self.happen(fault);
        }
        self.run_until(now);
    }

    fn run_until(&mut self, now: SessionTime) {
        if let Some(on) = self.off_until {
            if on > now {
                self.now = now;
                return;
            }
            self.boot(on);
        }
        if self.dies_at.is_some_and(|at| now >= at) {
            self.dies_at = None;
            self.off_until = Some(SessionTime::from_nanos(i64::MAX));
            self.hang_up();
            self.now = now;
            return;
        }
        if self.taken_until.is_some_and(|until| now >= until) {
            self.taken_until = None;
            self.pod.disconnect();
        }
        self.now = now;
        while let Some((stream, us)) = self.next_sample().filter(|(_, us)| *us <= self.clock_us(now)) {
            self.sample(stream, us);
        }
        let clock = self.clock_us(now);
        self.pod.advance_to(self.stamp(clock));
        self.pod.radio = match self.silent_until {
            Some(until) if until > now => Radio::Blocked,
            _ => Radio::Flowing,
        };
        let out = &mut self.out;
        let mut send = |channel: Channel, bytes: &[u8]| out.push((channel, bytes.to_vec()));
        self.pod.send_due_frames(&mut send);
        if self.pod.is_attached() && self.taken_until.is_none() && now >= self.backfill_at {
            let step = self.pod.backfill_step(&mut send);
            if step != BackfillStep::Idle {
                self.backfill_at = now.plus(BACKFILL_EVERY_S);
            }
        }
        if self.link.is_some() && self.taken_until.is_none() && self.pod.should_close_link() {
            self.hang_up();
        }
    }

    /// Which stream samples next, and when by the pod's clock (steps of faults not counted).
    fn next_sample(&mut self) -> Option<(StreamId, u64)> {
        let next = |sim: &mut Self, number: usize| {
            let stream = StreamId::new(number as u8)?;
            let nominal = sim.pod.nominal_time_of_next(stream)?.as_us();
            let config = sim.pod.configuration(stream)?;
            Some((stream, sim.paced(number, &config, nominal)))
        };
        let both = [next(self, 0), next(self, 1)];
        both.into_iter().flatten().min_by_key(|(_, us)| *us)
    }

    /// The real time of a sample that is nominally due at `nominal`: the sensor has its own oscillator.
    fn paced(&mut self, number: usize, config: &Configuration, nominal: u64) -> u64 {
        let cfg_id = config.cfg_id.map_or(0, firmware_protocol::CfgId::get);
        let pace = &mut self.pace[number];
        if pace.cfg_id != cfg_id {
            if config.first_index == Some(0) && self.pod.next_index(config.stream) == Some(0) {
                // Both streams of a session begin together.
                if number == 0 || pace.session == self.sessions {
                    self.sessions += 1;
                }
                pace.session = self.sessions;
            }
            (pace.cfg_id, pace.step_us) = (cfg_id, self.step_us);
            pace.since_us = nominal.saturating_add_signed(-self.step_us);
        }
        let nominal = nominal.saturating_add_signed(-pace.step_us);
        let since = nominal.saturating_sub(pace.since_us) as f64;
        pace.since_us + (since * (1.0 + self.setup.sensor_slow)).round() as u64
    }

    fn sample(&mut self, stream: StreamId, us: u64) {
        let (Some(config), Some(index)) = (self.pod.configuration(stream), self.pod.next_index(stream)) else {
            return;
        };
        let stamp = self.stamp(us);
        let taken = Taken {
            stream: stream.get(),
            session: self.pace[stream.as_usize()].session,
            index,
            us: stamp.as_us(),
            boot: self.boots,
            number: self.number,
        };
        let (acc, gyr) = self.read(&config, us);
        self.number += 1;
        let out = &mut self.out;
        let mut send = |channel: Channel, bytes: &[u8]| out.push((channel, bytes.to_vec()));
        if stream == IMU {
            take(&mut self.pod, stream, stamp, ImuEntry { acc, gyr }, &mut send);
        } else {
            take(&mut self.pod, stream, stamp, HighGEntry { acc }, &mut send);
        }
        let was_taken = self.pod.next_index(stream) == Some(index + 1);
        self.count.fetch_add(u64::from(was_taken), Ordering::Relaxed);
        if let Some(journal) = self.journal.as_ref().filter(|_| was_taken) {
            journal.push(taken);
        }
    }

    fn read(&self, config: &Configuration, us: u64) -> ([i16; 3], [i16; 3]) {
        match &self.readings {
            Readings::Numbered => {
                let digit = |shift: u32| (self.number >> shift & 0x7FFF) as i16;
                let low = [digit(0), digit(15), (self.number >> 30) as i16];
                (low, low.map(|v| -v))
            }
            Readings::Felt(motion) => {
                let (acc, gyro) = motion.at(self.session_time(us));
                let counts = |v: [f64; 3], scale: f64| {
                    // `as` would saturate as well; −32768 never comes from a sensor whose axes may be turned.
                    v.map(|v| (v / scale.max(f64::MIN_POSITIVE)).round().clamp(-32767.0, 32767.0) as i16)
                };
                (
                    counts(acc, config.acc_m_s2_per_count()),
                    counts(gyro, config.gyr_rad_s_per_count()),
                )
            }
        }
    }

    // ---------------------------------------------------------------------------------------------------- faults

    fn happen(&mut self, fault: PodFault) {
        if !self.is_on() {
            return;
        }
        let now = self.now;
        let out = &mut self.out;
        let mut send = |channel: Channel, bytes: &[u8]| out.push((channel, bytes.to_vec()));
        match fault {
            PodFault::Reboot { off_ms } => {
                self.off_until = Some(now.plus(f64::from(off_ms) * 1e-3));
                self.hang_up();
            }
            PodFault::BatteryDies => {
                self.pod.health.battery_percent = Some(0);
                self.pod.end_by_itself(EndReason::LowPower, &mut send);
                // What it said last is on its way before the link goes.
                self.dies_at = Some(now.plus(DYING_S));
            }
            PodFault::Overrun { samples } => self.pod.take_overrun(IMU, samples, &mut send),
            PodFault::ClockStep { us } => self.step_us += us,
            PodFault::BatteryLow { percent } => {
                self.pod.health.battery_percent = Some(percent);
                let minutes_left = Some(u16::from(percent));
                self.pod
                    .tell(EventBody::BatteryLow { percent, minutes_left }, &mut send);
            }
            PodFault::SlowDown { rate_mhz } => {
                self.pod.change_rate(IMU, rate_mhz, &mut send);
            }
            PodFault::Silent { ms } => self.silent_until = Some(now.plus(f64::from(ms) * 1e-3)),
            PodFault::Flood { frames } => {
                for k in 0..frames {
                    send(Channel::Stream, &[0x10; 16 + 12][..16 + (k % 12) as usize]);
                }
            }
            PodFault::TakenOver => self.be_taken_over(),
            PodFault::Forgets => {
                // As by the button of a real one: the storage is wiped at a restart.
                self.setup.storage = RingStorage::LostAtReboot;
                self.hang_up();
                self.boot(now);
            }
        }
    }

    fn be_taken_over(&mut self) {
        self.hang_up();
        self.taken_until = Some(self.now.plus(TAKEN_S));
        self.pod.connect(Link {
            att_mtu: 247,
            bonded: true,
            control_indications: true,
            stream_notifications: true,
        });
        let session_id = SessionId::new(ANOTHER_SESSION).expect("not zero");
        let order = StartOrder {
            session_id,
            linger_s: 600,
            force: true,
        };
        let hello = RequestBody::Hello {
            host_major: firmware_protocol::MAJOR,
            host_minor: 0,
        };
        for (txn, body) in [(1, hello), (2, RequestBody::Start(order))] {
            let mut buffer = [0; 32];
            if let Some(txn) = Txn::new(txn)
                && let Ok(bytes) = (Request { txn, body }).encode(&mut buffer)
            {
                // What it is answered goes to the other host.
                let _ = self.pod.write_control(bytes, &mut |_: Channel, _: &[u8]| {});
            }
        }
    }

    fn hang_up(&mut self) {
        if self.link.take().is_some() {
            self.hung_up = true;
        }
        self.pod.disconnect();
        self.out.clear();
    }

    fn boot(&mut self, at: SessionTime) {
        self.off_until = None;
        self.boots += 1;
        (self.booted_at, self.step_us) = (at, 0);
        self.pace = [Pace::default(); 2];
        let torn = 0;
        self.pod.reboot(
            boot_id(self.setup.uid, self.boots),
            PodTime::BOOT.plus_us(BOOT_US),
            torn,
        );
    }

    fn write_control(&mut self, bytes: &[u8], now: SessionTime) -> Result<(), LinkFailure> {
        let request = Request::decode(bytes);
        if let (Ok(request), true) = (request, self.setup.major != firmware_protocol::MAJOR) {
            self.refuse_version(&request);
            return Ok(());
        }
        let out = &mut self.out;
        let mut send = |channel: Channel, bytes: &[u8]| out.push((channel, bytes.to_vec()));
        let written = self.pod.write_control(bytes, &mut send);
        self.backfill_at = self.backfill_at.max(now);
        written.map_err(|e| LinkFailure::Att(e.0))
    }

    fn refuse_version(&mut self, request: &Request) {
        if request.body.op() != Op::Hello {
            return;
        }
        let hello = HelloReply {
            major: self.setup.major,
            minor: 0,
            state: PodState::Idle,
            security: Security::default(),
            n_streams: 1,
            boot_id: None,
            pod_uid: None,
        };
        let answer = Answer::NoCommonVersion(hello);
        if let Ok(bytes) = (Reply {
            txn: request.txn,
            answer,
        })
        .encode(&mut [0; 32])
        {
            self.out.push((Channel::Control, bytes.to_vec()));
        }
    }

    fn set_link(&mut self, change: impl FnOnce(&mut Link)) {
        if let Some(link) = &mut self.link {
            change(link);
            self.pod.set_link(*link);
        }
    }
}

fn take<E: Entry>(
    pod: &mut Pod<'_, 2>,
    stream: StreamId,
    time: PodTime,
    entry: E,
    out: &mut impl firmware_protocol::pod::Outbox,
) {
    pod.take_sample(stream, time, entry, out);
}

fn boot_id(uid: u64, boots: u32) -> BootId {
    // Different pods differ too, though they need not.
    BootId::new((uid as u32).wrapping_mul(0x9E37_79B9).wrapping_add(boots).max(1)).expect("at least 1")
}

impl Peer for SimPod<'_> {
    fn advert(&self) -> Advert {
        Advert {
            os_id: format!("sim-{:016x}", self.setup.uid),
            name: Some(self.setup.name.clone()),
            services: vec![SERVICE],
            companies: Vec::new(),
            rssi_dbm: Some(-60),
            connected: self.link.is_some(),
        }
    }

    fn services(&self) -> Vec<Chan> {
        let own = [CONTROL, STREAM, TIME, SECURE].map(|uuid| Chan::new(SERVICE, uuid));
        own.into_iter().chain([BATTERY]).collect()
    }

    fn mtu(&self) -> u16 {
        self.setup.mtu
    }

    fn connected(&mut self, now: SessionTime) {
        self.advance(now);
        let link = Link {
            att_mtu: self.mtu(),
            bonded: self.bonded,
            control_indications: false,
            stream_notifications: false,
        };
        self.out.clear();
        self.hung_up = false;
        self.link = Some(link);
        self.pod.connect(link);
    }

    fn disconnected(&mut self, now: SessionTime) {
        self.advance(now);
        if self.taken_until.is_none() {
            self.pod.disconnect();
        }
        self.link = None;
        self.hung_up = false;
        self.out.clear();
    }

    fn on_command(&mut self, command: &Command, now: SessionTime) -> Result<Vec<u8>, LinkFailure> {
        self.advance(now);
        if self.link.is_none() || !self.is_on() {
            return Err(LinkFailure::Down);
        }
        match command {
            Command::Subscribe(c) if *c == chan(Channel::Control) => self.set_link(|l| l.control_indications = true),
            Command::Subscribe(c) if *c == chan(Channel::Stream) => self.set_link(|l| l.stream_notifications = true),
            Command::Subscribe(c) if *c == chan(Channel::Time) || *c == BATTERY => {}
            Command::Read(c) if *c == BATTERY => return Ok(vec![self.setup.battery_percent]),
            Command::Read(c) if *c == Chan::new(SERVICE, SECURE) => {
                if self.setup.bond == Bond::Refused {
                    return Err(LinkFailure::NotPermitted);
                }
                self.bonded = true;
                self.set_link(|l| l.bonded = true);
                return Ok(vec![1]);
            }
            Command::Write { chan: c, bytes, ack } if *c == chan(Channel::Control) && *ack == Ack::Wanted => {
                self.write_control(bytes, now)?;
            }
            Command::Write { chan: c, bytes, ack } if *c == chan(Channel::Time) && *ack == Ack::None => {
                let heard = self.clock_us(now);
                let (t2, t3) = (self.stamp(heard), self.stamp(heard + PONG_US));
                let out = &mut self.out;
                let mut send = |channel: Channel, bytes: &[u8]| out.push((channel, bytes.to_vec()));
                self.pod.write_time(bytes, t2, t3, &mut send);
            }
            _ => return Err(LinkFailure::NoSuchCharacteristic),
        }
        Ok(Vec::new())
    }

    fn due(&mut self, now: SessionTime, out: &mut Vec<(Chan, Vec<u8>)>) {
        self.advance(now);
        out.extend(self.out.drain(..).map(|(channel, bytes)| (chan(channel), bytes)));
    }

    fn wake_at(&self) -> Option<SessionTime> {
        let fault = self.setup.faults.last().map(|(at, _)| *at);
        if !self.out.is_empty() {
            return Some(self.now);
        }
        let tick = (self.link.is_some() && self.is_running()).then(|| self.now.plus(TICK_S));
        let fetching = (self.link.is_some() && self.pod.is_attached()).then(|| self.now.plus(TICK_S));
        [fault, tick, fetching, self.dies_at].into_iter().flatten().min()
    }

    fn is_reachable(&self) -> bool {
        self.is_on() && self.taken_until.is_none()
    }

    fn has_hung_up(&self) -> bool {
        self.hung_up
    }
}
