//! A host and a pod walk through sessions together: loss, doubling, disorder, absence, overrun, changed configurations,
//! a slow radio, power cuts. In the end the host has every sample the pod had, with its time and configuration, and
//! knows of each that it has not.

use std::collections::BTreeMap;

use firmware_protocol::gatt::Channel;
use firmware_protocol::pod::{BackfillStep, BondPolicy, Link, Pod, Radio};
use firmware_protocol::{
    Answer, Body, BootId, CfgId, Configuration, EventBody, Frame, HeldFrames, Indication, Payload, PodTime, QueueFill,
    RequestBody, RingStorage, SessionId, StartOrder, Status, StreamId, StreamTracker, Txn, Wish,
};

use crate::model::{Memory, Sent, Traits, high_g_sample, imu_sample, us};

const MS: i64 = 1_000_000;
const STREAMS: [StreamId; 2] = [
    StreamId::FIRST,
    match StreamId::new(1) {
        Some(stream) => stream,
        None => panic!("1 is a stream"),
    },
];

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// A sample as its taker knew it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    axes: Vec<i16>,
    time: Option<PodTime>,
    cfg_id: CfgId,
}

struct Host {
    now_ns: i64,
    session_id: SessionId,
    connected: bool,
    last_txn: u8,
    trackers: [StreamTracker<64>; 2],
    configs: BTreeMap<CfgId, Configuration>,
    held: HeldFrames<64>,
    /// By stream and index. The time is known for the first entry of a frame only.
    store: BTreeMap<(StreamId, u32), Known>,
    refused_frames: u32,
    conflicts: u32,
    came_too_late: u64,
}

impl Host {
    fn new(session_id: u64) -> Self {
        Host {
            now_ns: 0,
            session_id: SessionId::new(session_id).unwrap(),
            connected: false,
            last_txn: 0,
            trackers: STREAMS.map(StreamTracker::new),
            configs: BTreeMap::new(),
            held: HeldFrames::default(),
            store: BTreeMap::new(),
            refused_frames: 0,
            conflicts: 0,
            came_too_late: 0,
        }
    }

    /// Writes a request and takes everything that comes of it, the reply last. Control loses nothing while connected.
    fn ask(&mut self, pod: &mut Pod<'_, 2>, body: RequestBody, air: &mut Air) -> Result<Vec<u8>, Status> {
        self.last_txn = self.last_txn % 255 + 1;
        let request = firmware_protocol::Request {
            txn: Txn::new(self.last_txn).unwrap(),
            body,
        };
        let mut sent: Sent = Vec::new();
        let write = request.encode(&mut [0; 32]).unwrap().to_vec();
        pod.write_control(&write, &mut |channel, bytes: &[u8]| {
            sent.push((channel, bytes.to_vec()))
        })
        .unwrap();
        let mut result = None;
        for (channel, bytes) in sent {
            if channel == Channel::Stream {
                air.carry(bytes);
                continue;
            }
            match Indication::decode(&bytes).unwrap() {
                Indication::Reply(reply) => {
                    assert_eq!(reply.txn, request.txn);
                    result = Some(match reply.answer {
                        Answer::Refused { status, .. } => Err(status),
                        _ => Ok(bytes),
                    });
                }
                Indication::Event(event) => self.take_event(&event.body),
            }
        }
        result.expect("a reply to each request")
    }

    fn take_event(&mut self, event: &EventBody) {
        match event {
            EventBody::RangeDone(done) => {
                self.trackers[done.span.stream.as_usize()].take_range_done(done, self.now_ns);
            }
            EventBody::ConfigChanged(configuration) => {
                self.learn(*configuration);
            }
            _ => {}
        }
    }

    fn learn(&mut self, configuration: Configuration) {
        let Some(cfg_id) = configuration.cfg_id else { return };
        self.configs.insert(cfg_id, configuration);
        let mut released = Vec::new();
        self.held.release(cfg_id, |frame, _| {
            let mut bytes = [0; 244];
            released.push(frame.encode(&mut bytes).unwrap().to_vec());
        });
        for bytes in released {
            self.take_frame(&bytes);
        }
    }

    fn take_frame(&mut self, bytes: &[u8]) {
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(_) => {
                self.refused_frames += 1;
                return;
            }
        };
        if let Frame::Data(data) = &frame
            && !self.configs.contains_key(&data.header.cfg_id)
        {
            self.held.hold(bytes, self.now_ns).unwrap();
            return;
        }
        let placement = self.trackers[frame.stream().as_usize()].take_frame(&frame, self.now_ns);
        let Frame::Data(data) = frame else { return };
        let rows: Vec<Vec<i16>> = match data.payload {
            Payload::Imu6(entries) => entries.iter().map(|entry| [entry.acc, entry.gyr].concat()).collect(),
            Payload::HighG(entries) => entries.iter().map(|entry| entry.acc.to_vec()).collect(),
            other => panic!("{other:?}"),
        };
        for (position, axes) in rows.into_iter().enumerate() {
            let key = (data.header.stream, data.header.index + position as u32);
            let known = Known {
                axes,
                time: (position == 0).then_some(data.header.time),
                cfg_id: data.header.cfg_id,
            };
            match self.store.get_mut(&key) {
                None => {
                    assert!(
                        placement.is_fresh(position),
                        "{key:?} is not in the store and called a duplicate"
                    );
                    self.store.insert(key, known);
                }
                Some(old) => {
                    assert!(!placement.is_fresh(position), "{key:?} is in the store and called new");
                    let same = old.axes == known.axes && old.cfg_id == known.cfg_id;
                    self.conflicts += u32::from(!same);
                    old.time = old.time.or(known.time);
                }
            }
        }
    }

    /// Connects and goes on with the session.
    fn resume(&mut self, pod: &mut Pod<'_, 2>, att_mtu: u16, air: &mut Air) {
        pod.connect(Link {
            att_mtu,
            bonded: true,
            control_indications: true,
            stream_notifications: true,
        });
        self.connected = true;
        self.ask(
            pod,
            RequestBody::Hello {
                host_major: 1,
                host_minor: 0,
            },
            air,
        )
        .unwrap();
        let reply = self
            .ask(
                pod,
                RequestBody::Resume {
                    session_id: self.session_id,
                },
                air,
            )
            .unwrap();
        self.take_view(&reply);
    }

    fn take_view(&mut self, reply: &[u8]) {
        let view = match Indication::decode(reply).unwrap() {
            Indication::Reply(reply) => match reply.answer {
                Answer::Done(Body::Resume(view) | Body::Stop(view)) => view,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        for row in view.streams.iter() {
            self.trackers[row.stream.as_usize()].take_session_row(&row, self.now_ns);
        }
    }

    fn lose_link(&mut self, pod: &mut Pod<'_, 2>, air: &mut Air) {
        pod.disconnect();
        self.connected = false;
        air.frames.clear();
        self.trackers.iter_mut().for_each(StreamTracker::take_disconnect);
    }

    /// Asks for configurations and for what is missing, acknowledges what is safe.
    fn housekeeping(&mut self, pod: &mut Pod<'_, 2>, air: &mut Air) {
        let wanted: Vec<CfgId> = self.held.wanted().collect();
        for cfg_id in wanted {
            if self.configs.contains_key(&cfg_id) {
                continue;
            }
            for stream in STREAMS {
                if let Ok(reply) = self.ask(
                    pod,
                    RequestBody::GetConfig {
                        stream,
                        cfg_id: Some(cfg_id),
                    },
                    air,
                ) {
                    self.learn(configuration_in(&reply));
                }
            }
            if !self.configs.contains_key(&cfg_id) {
                self.held.drop_unknown(cfg_id);
            }
        }
        if !self.trackers.iter().any(StreamTracker::is_asking) {
            let now_ns = self.now_ns;
            let span = self
                .trackers
                .iter_mut()
                .find_map(|tracker| tracker.next_range(now_ns, 40, QueueFill::HasRoom));
            if let Some(span) = span {
                match self.ask(pod, RequestBody::Range(span), air) {
                    Ok(_) => {}
                    Err(Status::Busy) => {
                        self.trackers[span.stream.as_usize()].take_range_refused(Status::Busy, now_ns);
                    }
                    Err(status) => panic!("{span:?} was refused: {}", status.name()),
                }
            }
        } else {
            // Only to let a silent range run out.
            let now_ns = self.now_ns;
            let silent = self.trackers.iter_mut().find(|tracker| tracker.is_asking());
            let span = silent.and_then(|tracker| tracker.next_range(now_ns, 40, QueueFill::HasRoom));
            if let Some(span) = span
                && let Err(status) = self.ask(pod, RequestBody::Range(span), air)
            {
                self.trackers[span.stream.as_usize()].take_range_refused(status, now_ns);
            }
        }
    }

    fn acknowledge(&mut self, pod: &mut Pod<'_, 2>, air: &mut Air) {
        for stream in STREAMS {
            let tracker = &mut self.trackers[stream.as_usize()];
            let durable = tracker.end();
            if let Some(upto) = tracker.next_ack(self.now_ns, durable) {
                self.ask(pod, RequestBody::Ack { stream, upto }, air).unwrap();
            }
        }
    }
}

fn configuration_in(reply: &[u8]) -> Configuration {
    match Indication::decode(reply).unwrap() {
        Indication::Reply(reply) => match reply.answer {
            Answer::Done(Body::GetConfig(configuration) | Body::SetConfig(configuration)) => configuration,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Frames between pod and host: lost, doubled, damaged, out of order.
struct Air {
    dice: Dice,
    frames: Vec<Vec<u8>>,
    /// One frame in so many is lost; none if 0.
    loss: u64,
}

impl Air {
    fn carry(&mut self, mut frame: Vec<u8>) {
        if self.loss > 0 {
            if self.dice.one_in(self.loss) {
                return;
            }
            if self.dice.one_in(20) {
                self.frames.push(frame.clone());
            }
            if self.dice.one_in(30) {
                let bit = self.dice.below(frame.len() as u64 * 8) as usize;
                frame[bit / 8] ^= 1 << (bit % 8);
            }
        }
        self.frames.push(frame);
    }

    fn deliver(&mut self, host: &mut Host) {
        if self.loss > 0 && self.frames.len() > 1 && self.dice.one_in(3) {
            let at = self.dice.below(self.frames.len() as u64 - 1) as usize;
            self.frames.swap(at, at + 1);
        }
        for frame in std::mem::take(&mut self.frames) {
            host.take_frame(&frame);
        }
    }
}

/// What the pod really took.
type Truth = BTreeMap<(StreamId, u32), Known>;

fn take(pod: &mut Pod<'_, 2>, stream: StreamId, count: u64, truth: &mut Truth, sent: &mut Sent) {
    for _ in 0..count {
        let (Some(time), Some(index)) = (pod.nominal_time_of_next(stream), pod.next_index(stream)) else {
            return;
        };
        let cfg_id = pod.configuration(stream).unwrap().cfg_id.unwrap();
        let mut out = |channel, bytes: &[u8]| sent.push((channel, bytes.to_vec()));
        let axes = if stream == StreamId::FIRST {
            let sample = imu_sample(index);
            pod.take_sample(stream, time, sample, &mut out);
            [sample.acc, sample.gyr].concat()
        } else {
            let sample = high_g_sample(index);
            pod.take_sample(stream, time, sample, &mut out);
            sample.acc.to_vec()
        };
        truth.insert(
            (stream, index),
            Known {
                axes,
                time: Some(time),
                cfg_id,
            },
        );
    }
}

fn deliver(sent: &mut Sent, host: &mut Host, air: &mut Air) {
    for (channel, bytes) in std::mem::take(sent) {
        match channel {
            Channel::Stream => air.carry(bytes),
            Channel::Control => match Indication::decode(&bytes).unwrap() {
                Indication::Event(event) => host.take_event(&event.body),
                Indication::Reply(reply) => panic!("nobody asked: {reply:?}"),
            },
            Channel::Time => panic!("nobody asked for the time"),
        }
    }
    if host.connected {
        air.deliver(host);
    } else {
        air.frames.clear();
    }
}

/// What happened on a walk, so that the walks can be seen to be eventful.
#[derive(Debug, Default)]
struct Tally {
    samples: u64,
    stored: u64,
    lost: u64,
    given_up: u64,
    duplicates: u64,
    refused: u64,
    absences: u64,
    overruns: u64,
    seams: u64,
    power_cuts: u64,
}

fn walk(seed: u64, capacity: usize, tally: &mut Tally) {
    let mut dice = Dice(seed);
    let mut memory = Memory::new(capacity);
    let traits = Traits {
        boot_id: 7,
        bond: BondPolicy::Open,
        storage: RingStorage::Kept,
    };
    let mut pod = memory.pod(&traits);
    let mut host = Host::new(seed + 1);
    let loss = [0, 0, 4, 10, 40][dice.below(5) as usize];
    let mut air = Air {
        dice: Dice(seed ^ 0xA1),
        frames: Vec::new(),
        loss,
    };
    let (mut truth, mut sent) = (Truth::new(), Sent::new());
    let mut unsampled = 0u64;
    let mtus = [100, 185, 247, 517];
    let mut mtu = mtus[dice.below(4) as usize];

    pod.connect(Link {
        att_mtu: mtu,
        bonded: true,
        control_indications: true,
        stream_notifications: true,
    });
    host.connected = true;
    host.ask(
        &mut pod,
        RequestBody::Hello {
            host_major: 1,
            host_minor: 0,
        },
        &mut air,
    )
    .unwrap();
    let both = dice.one_in(2);
    let wish = |rate_mhz, stream| Wish {
        stream,
        enabled: true,
        rate_mhz,
        acc_range_g: 16,
        gyr_range_dps: 2000,
    };
    if both {
        host.ask(&mut pod, RequestBody::SetConfig(wish(960_000, STREAMS[1])), &mut air)
            .unwrap();
    }
    let order = StartOrder {
        session_id: host.session_id,
        linger_s: 3600,
        force: false,
    };
    host.ask(&mut pod, RequestBody::Start(order), &mut air).unwrap();

    let mut power_cut = false;
    for _ in 0..120 {
        let count = dice.below(12);
        take(&mut pod, STREAMS[0], count, &mut truth, &mut sent);
        take(&mut pod, STREAMS[1], count * 2, &mut truth, &mut sent);
        host.now_ns += count as i64 * 10 * MS;
        match dice.below(24) {
            0 => {
                let stream = STREAMS[usize::from(both && dice.one_in(2))];
                let count = 1 + dice.below(9);
                unsampled += count;
                tally.overruns += 1;
                pod.take_overrun(stream, count as u32, &mut |channel, bytes: &[u8]| {
                    sent.push((channel, bytes.to_vec()));
                });
            }
            1 if host.connected => {
                host.lose_link(&mut pod, &mut air);
                sent.clear();
                tally.absences += 1;
            }
            2 if host.connected => {
                let rate = [104_000, 208_000, 416_000][dice.below(3) as usize];
                let asked = RequestBody::SetConfig(wish(rate, STREAMS[0]));
                match host.ask(&mut pod, asked, &mut air) {
                    Ok(reply) => host.learn(configuration_in(&reply)),
                    Err(status) => assert_eq!(status, Status::Busy),
                }
                tally.seams += 1;
            }
            3 => {
                let rate = [104_000, 208_000, 416_000][dice.below(3) as usize];
                pod.change_rate(STREAMS[0], rate, &mut |channel, bytes: &[u8]| {
                    sent.push((channel, bytes.to_vec()))
                });
            }
            4 => pod.radio = if dice.one_in(2) { Radio::Blocked } else { Radio::Flowing },
            5 if host.connected => host.acknowledge(&mut pod, &mut air),
            6 => pod.send_due_frames(&mut |channel, bytes: &[u8]| sent.push((channel, bytes.to_vec()))),
            _ => {}
        }
        if !host.connected && dice.one_in(3) {
            mtu = mtus[dice.below(4) as usize];
            host.resume(&mut pod, mtu, &mut air);
        }
        if host.connected {
            for _ in 0..dice.below(3) {
                pod.backfill_step(&mut |channel, bytes: &[u8]| sent.push((channel, bytes.to_vec())));
            }
        }
        deliver(&mut sent, &mut host, &mut air);
        if host.connected {
            host.housekeeping(&mut pod, &mut air);
            air.deliver(&mut host);
        }
    }
    if dice.one_in(4) {
        power_cut = true;
        tally.power_cuts += 1;
        host.lose_link(&mut pod, &mut air);
        let torn = dice.below(20) as u32;
        pod.reboot(BootId::new(8).unwrap(), us(250_000), torn);
        for stream in STREAMS {
            // The truth is what the host may expect: it keeps more if it had more.
            let next = pod.next_index(stream).unwrap_or(0);
            truth.retain(|(of, index), _| *of != stream || *index < next || host.store.contains_key(&(stream, *index)));
        }
    }
    // The weather clears, the rest is fetched.
    air.loss = 0;
    if !host.connected {
        host.resume(&mut pod, mtu, &mut air);
    }
    let stop = RequestBody::Stop {
        session_id: host.session_id,
    };
    let reply = host.ask(&mut pod, stop, &mut air).unwrap();
    air.deliver(&mut host);
    host.take_view(&reply);
    for _ in 0..2000 {
        host.now_ns += 600 * MS;
        host.housekeeping(&mut pod, &mut air);
        while pod.backfill_step(&mut |channel, bytes: &[u8]| sent.push((channel, bytes.to_vec()))) == BackfillStep::Sent
        {
        }
        deliver(&mut sent, &mut host, &mut air);
        if host.trackers.iter().all(|tracker| tracker.holes().next().is_none()) && host.held.is_empty() {
            break;
        }
    }

    assert_eq!(host.conflicts, 0, "seed {seed}: an index had two values");
    for tracker in &host.trackers {
        assert_eq!(tracker.holes().next(), None, "seed {seed}: still missing");
        let stored = host
            .store
            .keys()
            .filter(|(stream, _)| *stream == tracker.stream())
            .count() as u64;
        let counts = tracker.counts();
        assert_eq!(counts.received, stored, "seed {seed}");
        assert_eq!(
            stored + counts.lost(),
            u64::from(tracker.end()),
            "seed {seed}: each index has one fate"
        );
        tally.stored += stored;
        tally.lost += counts.lost();
        tally.duplicates += counts.duplicates;
    }
    for (key, known) in &host.store {
        let taken = &truth[key];
        assert_eq!(
            (&known.axes, known.cfg_id),
            (&taken.axes, taken.cfg_id),
            "seed {seed}: {key:?}"
        );
        assert!(
            known.time.is_none_or(|time| Some(time) == taken.time),
            "seed {seed}: time of {key:?}"
        );
        let configuration = &host.configs[&known.cfg_id];
        assert!(
            configuration.first_index.unwrap() <= key.1,
            "seed {seed}: {key:?} before its configuration"
        );
    }
    let lost: u64 = host.trackers.iter().map(|tracker| tracker.counts().lost()).sum();
    let given_up: u64 = host.trackers.iter().map(|tracker| tracker.counts().given_up).sum();
    assert!(host.came_too_late <= given_up, "seed {seed}");
    let not_stored = truth.keys().filter(|key| !host.store.contains_key(key)).count() as u64;
    if capacity >= 10_000 && !power_cut {
        assert!(
            not_stored <= given_up,
            "seed {seed}: nothing was overwritten, so all else must be there"
        );
        assert_eq!(
            lost,
            unsampled + not_stored,
            "seed {seed}: only what was never sampled is lost"
        );
    } else {
        assert!(
            lost >= not_stored,
            "seed {seed}: {not_stored} are not there and only {lost} are called lost"
        );
    }
    tally.samples += truth.len() as u64;
    tally.given_up += given_up;
    tally.refused += u64::from(host.refused_frames);
}

#[test]
fn a_host_gets_every_sample_the_pod_kept() {
    let mut tally = Tally::default();
    for seed in 0..300 {
        walk(seed, 10_000, &mut tally);
    }
    assert_eventful(&tally);
    assert!(
        tally.given_up * 1000 < tally.samples,
        "hardly anything is given up: {tally:?}"
    );
}

#[test]
fn a_host_knows_every_sample_that_a_small_ring_overwrote() {
    let mut tally = Tally::default();
    for seed in 1000..1300 {
        walk(seed, 50, &mut tally);
    }
    assert_eventful(&tally);
    assert!(tally.lost > 1000, "{tally:?}");
}

/// A walk on which nothing happens would prove nothing.
fn assert_eventful(tally: &Tally) {
    let seldom = [
        tally.duplicates,
        tally.refused,
        tally.absences,
        tally.overruns,
        tally.seams,
        tally.power_cuts,
    ];
    assert!(seldom.iter().all(|count| *count > 30), "{tally:?}");
    assert!(tally.stored > 50_000 && tally.samples >= tally.stored, "{tally:?}");
}
