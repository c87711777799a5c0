//! The laws of [`crate::sensors::driver`], for every driver, against simulated sensors.
//!
//! What a sensor feels is a saw-tooth of time, so every sample tells when it was taken, and numbers of samples can be
//! checked against the truth rather than against themselves.

use super::{DriverKind, driver};
use crate::model::SessionTime;
use crate::sensors::driver::{Driver, Progress, Wanted, Wish};
use crate::sensors::link::{Ack, Asked, Chan, Command, DownReason, LinkEvent, LinkFailure, LinkInfo};
use crate::sensors::said::{Block, Note, Said, Streaming};
use crate::sensors::simulated::dot::DotPeer;
use crate::sensors::simulated::foot_pod::FootPodPeer;
use crate::sensors::simulated::movesense::MovesensePeer;
use crate::sensors::simulated::peer::{Motion, Peer};
use crate::sensors::simulated::polar::{Model, PolarPeer};
use std::collections::BTreeMap;

/// Length of the saw-tooth, s, and its height.
const SAW_S: f64 = 4.0;
const ACC_HEIGHT: f64 = 70.0;
const GYRO_HEIGHT: f64 = 30.0;

fn saw(height: f64, t: SessionTime) -> f64 {
    (t.secs().rem_euclid(SAW_S) / SAW_S - 0.5) * 2.0 * height
}

fn motion() -> Box<dyn Motion> {
    Box::new(|t: SessionTime| {
        let (a, g) = (saw(ACC_HEIGHT, t), saw(GYRO_HEIGHT, t));
        ([a, 0.0, 9.8], [g, 0.5, 0.0])
    })
}

const WANTED: Wanted = Wanted {
    session: 7,
    rate_hz: 200.0,
    acc_range: 8.0 * 9.806_65,
    gyro_range: 34.9,
};

#[derive(Clone, Copy)]
struct Actor {
    name: &'static str,
    kind: DriverKind,
    peer: fn() -> Box<dyn Peer>,
    /// Rate of its streams, Hz; how many there are.
    rate: f64,
    streams: usize,
}

const CAST: [Actor; 6] = [
    Actor {
        name: "Polar H10",
        kind: DriverKind::Polar,
        peer: || Box::new(PolarPeer::new(Model::H10, motion(), 20.0)),
        rate: 200.0,
        streams: 1,
    },
    Actor {
        name: "Polar H10 that measures already",
        kind: DriverKind::Polar,
        peer: || Box::new(PolarPeer::new(Model::H10, motion(), -20.0).already_measuring()),
        rate: 200.0,
        streams: 1,
    },
    Actor {
        name: "Polar Verity Sense",
        kind: DriverKind::Polar,
        peer: || Box::new(PolarPeer::new(Model::VeritySense, motion(), -40.0)),
        rate: 208.0,
        streams: 2,
    },
    Actor {
        name: "Movesense",
        kind: DriverKind::Movesense,
        peer: || Box::new(MovesensePeer::new(motion(), 30.0)),
        rate: 208.0,
        streams: 1,
    },
    Actor {
        name: "DOT",
        kind: DriverKind::Dot,
        peer: || Box::new(DotPeer::new(motion(), 10.0)),
        rate: 60.0,
        streams: 1,
    },
    Actor {
        name: "foot pod",
        kind: DriverKind::Standard,
        peer: || Box::new(FootPodPeer::new(4.0, 92)),
        rate: 0.0,
        streams: 0,
    },
];

/// What goes wrong with one command.
#[derive(Clone, Debug)]
enum Fault {
    /// It fails so.
    Fail(LinkFailure),
    /// It is carried out, and no answer ever comes.
    Deaf,
    /// The link ends instead.
    Drop,
    /// It is carried out and answered, and everything the sensor sends for 10 s is lost.
    Mute,
}

#[derive(Clone, Debug)]
enum Entry {
    Event(LinkEvent),
    Wish(Wish),
}

/// A driver and a sensor joined by a link with faults.
struct Stage {
    driver: Box<dyn Driver>,
    peer: Box<dyn Peer>,
    now: SessionTime,
    up: bool,
    /// When the link comes (back).
    up_at: SessionTime,
    /// What will be told when.
    coming: Vec<(SessionTime, LinkEvent)>,
    waiting: bool,
    commands: Vec<Command>,
    fault: Option<(usize, Fault)>,
    mute_until: SessionTime,
    /// Which notifications are lost or come twice, by number.
    lose: fn(u64) -> bool,
    double: fn(u64) -> bool,
    frames: u64,
    log: Vec<Entry>,
    said_of_events: Vec<Said>,
    said: Vec<Said>,
}

fn never(_: u64) -> bool {
    false
}

impl Stage {
    fn new(actor: &Actor) -> Self {
        Self {
            driver: driver(actor.kind),
            peer: (actor.peer)(),
            now: SessionTime::from_secs(1.0),
            up: false,
            up_at: SessionTime::from_secs(1.5),
            coming: Vec::new(),
            waiting: false,
            commands: Vec::new(),
            fault: None,
            mute_until: SessionTime::ZERO,
            lose: never,
            double: never,
            frames: 0,
            log: Vec::new(),
            said_of_events: Vec::new(),
            said: Vec::new(),
        }
    }

    fn wish(&mut self, wish: Wish) {
        self.log.push(Entry::Wish(wish));
        self.driver.wish(wish, self.now);
    }

    fn tell(&mut self, event: LinkEvent) {
        let mut said = Vec::new();
        self.driver.on_event(&event, &mut said);
        self.log.push(Entry::Event(event));
        self.said_of_events.extend(said.iter().cloned());
        self.said.extend(said);
    }

    fn down(&mut self, reason: DownReason) {
        self.up = false;
        self.waiting = false;
        self.coming.clear();
        self.up_at = self.now.plus(2.0);
        self.peer.disconnected(self.now);
        let at = self.now;
        self.tell(LinkEvent::Down { at, reason });
    }

    fn carry_out(&mut self, command: Command) {
        let number = self.commands.len();
        self.commands.push(command.clone());
        let Some(asked) = command.asked() else {
            return self.down(DownReason::Closed);
        };
        let fault = self
            .fault
            .as_ref()
            .filter(|(n, _)| *n == number)
            .map(|(_, f)| f.clone());
        let mut later = 0.02;
        let result = match fault {
            Some(Fault::Drop) => return self.down(DownReason::Lost),
            Some(Fault::Fail(failure)) => {
                if failure == LinkFailure::TimedOut {
                    later = 5.0;
                }
                Err(failure)
            }
            Some(Fault::Deaf) => {
                let _ = self.peer.on_command(&command, self.now);
                self.waiting = true;
                return;
            }
            Some(Fault::Mute) => {
                self.mute_until = self.now.plus(10.0);
                self.peer.on_command(&command, self.now)
            }
            None => self.peer.on_command(&command, self.now),
        };
        let (began, at) = (self.now, self.now.plus(later));
        self.waiting = true;
        let answer = LinkEvent::Answered {
            began,
            at,
            asked,
            result,
        };
        self.coming.push((at, answer));
    }

    fn bring_up(&mut self) {
        self.up = true;
        self.peer.connected(self.now);
        let advert = self.peer.advert();
        let (at, info) = (
            self.now,
            LinkInfo {
                name: advert.name.unwrap_or_default(),
                os_id: advert.os_id,
                mtu: self.peer.mtu(),
                chans: self.peer.services(),
            },
        );
        self.tell(LinkEvent::Up { at, info });
    }

    fn deliver(&mut self) {
        while let Some(i) = self.coming.iter().position(|(at, _)| *at <= self.now) {
            let (_, event) = self.coming.remove(i);
            self.waiting = false;
            self.tell(event);
        }
        let mut sent = Vec::new();
        if self.up {
            self.peer.due(self.now, &mut sent);
        }
        for (chan, bytes) in sent {
            self.frames += 1;
            if (self.lose)(self.frames) || self.now < self.mute_until {
                continue;
            }
            for _ in 0..1 + u32::from((self.double)(self.frames)) {
                self.tell(LinkEvent::Frame {
                    at: self.now,
                    chan,
                    bytes: bytes.clone(),
                });
            }
        }
    }

    fn run(&mut self, seconds: f64) {
        let end = self.now.plus(seconds);
        while self.now < end {
            if !self.up && self.up_at <= self.now {
                self.bring_up();
            }
            self.deliver();
            let due = self.driver.wake_at().is_some_and(|at| at <= self.now);
            if !self.waiting || due {
                let mut said = Vec::new();
                let command = self.driver.poll(self.now, &mut said);
                self.said.extend(said);
                if let Some(command) = command {
                    self.carry_out(command);
                    continue;
                }
                if self.coming.is_empty() {
                    let wake = self.driver.wake_at();
                    assert!(
                        wake.is_none_or(|at| at > self.now),
                        "polled, and wants to be polled again at once"
                    );
                }
            }
            let link = (!self.up).then_some(self.up_at);
            let peer = self.up.then(|| self.peer.wake_at()).flatten();
            let coming = self.coming.iter().map(|(at, _)| *at).min();
            let wake = self.driver.wake_at().filter(|at| *at > self.now);
            let next = [link, peer, coming, wake].into_iter().flatten().min();
            self.now = next
                .unwrap_or(end)
                .min(end)
                .max(SessionTime::from_nanos(self.now.nanos() + 1));
        }
    }

    fn notes(&self) -> Vec<&Note> {
        self.said
            .iter()
            .filter_map(|s| match s {
                Said::Note(n) => Some(n),
                _ => None,
            })
            .collect()
    }
}

/// Blocks and losses of each stream are without overlap and without a hole in the numbers; every block has a told
/// configuration. What they span, and what is missing of it, by stream.
fn in_order(said: &[Said]) -> BTreeMap<u8, (u64, u64)> {
    let mut streams: BTreeMap<u8, (u64, u64)> = BTreeMap::new();
    let mut told: BTreeMap<u8, Streaming> = BTreeMap::new();
    for s in said {
        match s {
            Said::Streaming(s) => {
                assert!(
                    told.insert(s.stream, *s).is_none_or(|before| before.seam < s.seam),
                    "seams count up"
                );
            }
            Said::Block(b) => {
                let config = told.get(&b.stream).expect("told before");
                assert_eq!(config.seam, b.seam);
                let width = config.quantity.width();
                assert!(!b.values.is_empty() && b.values.len() % width == 0);
                assert!(b.values.iter().all(|v| v.is_finite()));
                assert!(b.first_ns <= b.last_ns);
                let (next, _) = streams.entry(b.stream).or_default();
                assert_eq!(b.index, *next, "numbers go on where they stopped");
                *next += (b.values.len() / width) as u64;
            }
            Said::Missing(m) => {
                let (next, missing) = streams.entry(m.stream).or_default();
                assert_eq!(m.index, *next, "a loss stands where it happened");
                assert!(m.count > 0 && !m.counted);
                *next += m.count;
                *missing += m.count;
            }
            _ => {}
        }
    }
    streams
}

/// When a sample was taken, within the saw-tooth, s: by its value.
fn taken_at(config: &Streaming, sample: &[f32]) -> f64 {
    let (value, height) = if config.acc_scale > 0.0 {
        (f64::from(sample[0]) * config.acc_scale, ACC_HEIGHT)
    } else {
        (f64::from(sample[0]) * config.gyro_scale, GYRO_HEIGHT)
    };
    (value / (2.0 * height) + 0.5) * SAW_S
}

/// Numbers of samples agree with when they were taken: within a run to half a sample, and within a block each follows the
/// other.
fn numbers_are_true(said: &[Said], rate: f64) {
    let mut told: BTreeMap<u8, Streaming> = BTreeMap::new();
    let mut before: BTreeMap<u8, (u32, u64, f64)> = BTreeMap::new();
    for s in said {
        match s {
            Said::Streaming(s) => {
                told.insert(s.stream, *s);
            }
            Said::Block(b) => {
                let config = &told[&b.stream];
                let width = config.quantity.width();
                for (i, sample) in b.values.chunks_exact(width).enumerate() {
                    let (index, t) = (b.index + i as u64, taken_at(config, sample));
                    if let Some((epoch, last, then)) = before.insert(b.stream, (b.epoch, index, t))
                        && epoch == b.epoch
                    {
                        let numbered = (index - last) as f64 / rate;
                        let off = (t - then - numbered + SAW_S / 2.0).rem_euclid(SAW_S) - SAW_S / 2.0;
                        assert!(off.abs() < 0.5 / rate, "sample {index}: {off} s off");
                    }
                }
            }
            _ => {}
        }
    }
}

fn blocks(said: &[Said]) -> Vec<&Block> {
    said.iter()
        .filter_map(|s| match s {
            Said::Block(b) => Some(b),
            _ => None,
        })
        .collect()
}

fn streamed(actor: &Actor, seconds: f64, prepare: impl FnOnce(&mut Stage)) -> Stage {
    let mut stage = Stage::new(actor);
    prepare(&mut stage);
    stage.wish(Wish::Stream(WANTED));
    stage.run(seconds);
    stage
}

#[test]
fn every_sensor_is_inspected_streams_and_stops() {
    for actor in &CAST {
        let mut stage = Stage::new(actor);
        stage.run(5.0);
        assert_eq!(stage.driver.progress(), Progress::Inspected, "{}", actor.name);
        let known = stage
            .said
            .iter()
            .any(|s| matches!(s, Said::Identity(i) if i.id.is_some()));
        assert!(
            known && stage.said.iter().any(|s| matches!(s, Said::Battery(Some(_)))),
            "{}",
            actor.name
        );
        assert!(stage.notes().iter().any(|n| matches!(n, Note::Limits(_))));
        assert!(blocks(&stage.said).is_empty());

        stage.wish(Wish::Stream(WANTED));
        stage.run(3.5);
        assert_eq!(stage.driver.progress(), Progress::Streaming, "{}", actor.name);
        stage.run(56.5);
        let streams = in_order(&stage.said);
        assert_eq!(streams.len(), actor.streams, "{}", actor.name);
        for (span, missing) in streams.values() {
            assert_eq!(*missing, 0, "{}", actor.name);
            assert!((*span as f64 / actor.rate - 59.5).abs() < 1.0, "{}: {span}", actor.name);
        }
        numbers_are_true(&stage.said, actor.rate);
        assert!(
            !stage
                .notes()
                .iter()
                .any(|n| matches!(n, Note::NoData | Note::CommandFailed { .. }))
        );

        stage.wish(Wish::Stop);
        stage.run(2.0);
        assert_eq!(stage.driver.progress(), Progress::Done, "{}", actor.name);
        let had = blocks(&stage.said).len();
        stage.run(5.0);
        assert_eq!(blocks(&stage.said).len(), had, "{}", actor.name);
        stage.wish(Wish::Stream(WANTED));
        stage.run(20.0);
        assert_eq!(stage.driver.progress(), Progress::Streaming, "{}", actor.name);
        assert!(
            in_order(&stage.said).values().all(|(_, missing)| *missing == 0),
            "{}",
            actor.name
        );
    }
}

#[test]
fn a_driver_is_determined_by_what_happens() {
    for actor in &CAST {
        let [a, b] = [0, 1].map(|_| {
            let stage = streamed(actor, 20.0, |s| s.lose = |n| n % 13 == 7);
            (stage.said, stage.commands)
        });
        assert_eq!(a, b, "{}", actor.name);
    }
}

#[test]
fn lost_and_doubled_frames_are_named_and_numbers_stay_true() {
    for actor in &CAST {
        let stage = streamed(actor, 40.0, |s| {
            s.lose = |n| n > 60 && n % 17 < 2;
            s.double = |n| n % 5 == 0;
        });
        let streams = in_order(&stage.said);
        numbers_are_true(&stage.said, actor.rate);
        for (span, missing) in streams.values() {
            assert!(*missing > 0, "{}", actor.name);
            assert!((*span as f64 / actor.rate - 38.0).abs() < 2.0, "{}: {span}", actor.name);
        }
        let named = |s: &Said| matches!(s, Said::Repeated(_) | Said::Refused { .. });
        assert_eq!(stage.said.iter().any(named), actor.streams > 0, "{}", actor.name);
        // What stands behind a hole says so.
        for pair in stage.said.windows(2) {
            if let [Said::Missing(_), Said::Block(b)] = pair {
                assert!(b.after_gap);
            }
        }
    }
}

#[test]
fn a_log_replayed_without_commands_says_the_same() {
    for actor in &CAST {
        for (n, fault) in [
            (99, Fault::Drop),
            (5, Fault::Drop),
            (7, Fault::Mute),
            (8, Fault::Deaf),
            (6, Fault::Fail(LinkFailure::TimedOut)),
        ] {
            let mut stage = streamed(actor, 40.0, |s| {
                s.fault = Some((n, fault));
                s.lose = |n| n % 29 == 3;
            });
            stage.wish(Wish::Stop);
            stage.run(3.0);
            let mut again = driver(actor.kind);
            let mut said = Vec::new();
            for entry in &stage.log {
                match entry {
                    Entry::Wish(wish) => again.wish(*wish, SessionTime::ZERO),
                    Entry::Event(event) => again.on_event(event, &mut said),
                }
            }
            assert!(said == stage.said_of_events, "{}, command {n}", actor.name);
        }
    }
}

#[test]
fn whatever_step_fails_however_it_comes_back_or_says_why() {
    let faults = [
        Fault::Fail(LinkFailure::TimedOut),
        Fault::Fail(LinkFailure::NoSuchCharacteristic),
        Fault::Fail(LinkFailure::NotPermitted),
        Fault::Fail(LinkFailure::Att(0x80)),
        Fault::Fail(LinkFailure::Other("in progress".to_owned())),
        Fault::Deaf,
        Fault::Drop,
        Fault::Mute,
    ];
    for actor in &CAST {
        let steps = streamed(actor, 10.0, |_| {}).commands.len();
        assert!(steps >= 4, "{}", actor.name);
        for n in 0..steps {
            for fault in &faults {
                let stage = streamed(actor, 60.0, |s| s.fault = Some((n, fault.clone())));
                let what = format!("{}, command {n} {:?}, {fault:?}", actor.name, stage.commands.get(n));
                in_order(&stage.said);
                let progress = stage.driver.progress();
                let notes = stage
                    .notes()
                    .iter()
                    .filter(|n| !matches!(n, Note::NotAsWanted { .. }))
                    .count();
                match progress {
                    Progress::Streaming => {}
                    // One note are the limits of the sensor; why is another.
                    Progress::Unable => assert!(notes > 1, "{what}"),
                    other => panic!("{what}: {other:?} {:?}", stage.notes()),
                }
                if matches!(fault, Fault::Fail(LinkFailure::TimedOut) | Fault::Deaf | Fault::Drop) {
                    assert_eq!(progress, Progress::Streaming, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_sensor_that_never_sends_is_told_once_and_tried_again_and_again() {
    for actor in &CAST {
        let stage = streamed(actor, 300.0, |s| s.lose = |n| n > 14);
        let no_data = stage.notes().iter().filter(|n| matches!(n, Note::NoData)).count();
        if actor.kind == DriverKind::Standard {
            assert_eq!(no_data, 1, "{}", actor.name);
            continue;
        }
        let told = stage
            .notes()
            .iter()
            .filter(|n| matches!(n, Note::NoData | Note::CommandFailed { .. }))
            .count();
        assert!((1..=8).contains(&told), "{}: {:?}", actor.name, stage.notes());
        let tries = stage.commands.len();
        assert!((20..400).contains(&tries), "{}: {tries} commands", actor.name);
        assert!(stage.commands.contains(&Command::Close), "{}", actor.name);
    }
}

#[test]
fn a_link_that_is_lost_mid_way_begins_another_epoch_and_the_time_away_is_missing() {
    for actor in CAST.iter().filter(|a| a.streams > 0) {
        let mut stage = streamed(actor, 20.0, |_| {});
        stage.down(DownReason::Lost);
        stage.run(20.0);
        let streams = in_order(&stage.said);
        for (span, missing) in streams.values() {
            let away = *missing as f64 / actor.rate;
            assert!((1.5..4.5).contains(&away), "{}: {away} s", actor.name);
            assert!((*span as f64 / actor.rate - 39.0).abs() < 1.5, "{}", actor.name);
        }
        let mut epochs: Vec<_> = blocks(&stage.said).iter().map(|b| b.epoch).collect();
        epochs.dedup();
        assert!(
            epochs.windows(2).all(|w| w[0] <= w[1]) || actor.streams > 1,
            "{}",
            actor.name
        );
        assert!(epochs.contains(&0) && epochs.contains(&1), "{}: {epochs:?}", actor.name);
    }
}

/// A small generator for what to spoil: the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }

    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        match self.roll(5) {
            0 => bytes.truncate(self.roll(bytes.len() + 1)),
            1 => bytes.extend((0..self.roll(30)).map(|i| i as u8)),
            2 => *bytes = (0..self.roll(60)).map(|_| self.roll(256) as u8).collect(),
            _ => {
                for _ in 0..=self.roll(4) {
                    let at = self.roll(bytes.len());
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.roll(256) as u8;
                    }
                }
            }
        }
    }
}

#[test]
fn spoiled_frames_answers_and_orders_return_and_stay_in_order() {
    for actor in &CAST {
        let stage = streamed(actor, 12.0, |_| {});
        for seed in 0..300 {
            let mut dice = Dice(seed);
            let mut driver = driver(actor.kind);
            let mut said = Vec::new();
            let mut log = stage.log.clone();
            for _ in 0..dice.roll(8) {
                let (a, b) = (dice.roll(log.len()), dice.roll(log.len()));
                log.swap(a, b);
            }
            for entry in &mut log {
                let spoiled = dice.roll(6) == 0;
                match entry {
                    Entry::Wish(wish) => driver.wish(*wish, stage.now),
                    Entry::Event(event) => {
                        match event {
                            LinkEvent::Frame { bytes, .. } if spoiled => dice.spoil(bytes),
                            LinkEvent::Answered { result, .. } if spoiled => match result {
                                Ok(bytes) if dice.roll(2) == 0 => dice.spoil(bytes),
                                other => *other = Err(LinkFailure::Att(dice.roll(256) as u8)),
                            },
                            _ => {}
                        }
                        driver.on_event(event, &mut said);
                        if dice.roll(3) == 0 {
                            driver.poll(event.at(), &mut said);
                        }
                        driver.wake_at();
                        driver.progress();
                    }
                }
            }
            in_order(&said);
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Up(u16),
    Frame(usize, Vec<u8>),
    Answered(usize, usize, Result<Vec<u8>, u8>),
    Overflowed(u32),
    Down,
    Wish(u8),
    Poll(u32),
}

fn acts() -> impl proptest::strategy::Strategy<Value = Vec<Act>> {
    use proptest::prelude::*;
    let bytes = || proptest::collection::vec(any::<u8>(), 0..80);
    let act = prop_oneof![
        1 => any::<u16>().prop_map(Act::Up),
        8 => (any::<usize>(), bytes()).prop_map(|(c, b)| Act::Frame(c, b)),
        4 => (any::<usize>(), 0..3_usize, proptest::result::maybe_ok(bytes(), any::<u8>())).prop_map(|(c, k, r)| Act::Answered(c, k, r)),
        1 => any::<u32>().prop_map(Act::Overflowed),
        1 => Just(Act::Down),
        1 => (0..7_u8).prop_map(Act::Wish),
        6 => (0..4_000_u32).prop_map(Act::Poll),
    ];
    proptest::collection::vec(act, 0..120)
}

fn all_chans(actor: &Actor) -> Vec<Chan> {
    let mut chans = (actor.peer)().services();
    chans.push(Chan::sig(1, 2));
    chans
}

proptest::proptest! {
    #[test]
    fn anything_at_any_time_returns_in_order(acts in acts(), who in 0..CAST.len()) {
        let actor = &CAST[who];
        let chans = all_chans(actor);
        let mut driver = driver(actor.kind);
        let mut said = Vec::new();
        let mut at = SessionTime::ZERO;
        for act in acts {
            match act {
                Act::Up(mtu) => {
                    let info = LinkInfo { name: String::new(), os_id: String::new(), mtu, chans: chans.clone() };
                    driver.on_event(&LinkEvent::Up { at, info }, &mut said);
                }
                Act::Frame(c, bytes) => {
                    let chan = chans[c % chans.len()];
                    driver.on_event(&LinkEvent::Frame { at, chan, bytes }, &mut said);
                }
                Act::Answered(c, k, result) => {
                    let chan = chans[c % chans.len()];
                    let asked = [Asked::Read(chan), Asked::Subscribe(chan), Asked::Write(chan)][k];
                    let result = result.map_err(LinkFailure::Att);
                    driver.on_event(&LinkEvent::Answered { began: at, at, asked, result }, &mut said);
                }
                Act::Overflowed(frames) => driver.on_event(&LinkEvent::Overflowed { at, frames }, &mut said),
                Act::Down => driver.on_event(&LinkEvent::Down { at, reason: DownReason::Lost }, &mut said),
                Act::Wish(n) => driver.wish(
                    [Wish::Inspect, Wish::Stream(WANTED), Wish::Stop, Wish::Identify { seconds: 3 }, Wish::AllSafe, Wish::Hurried, Wish::AtEase][usize::from(n)],
                    at,
                ),
                Act::Poll(ms) => {
                    at = at.plus(f64::from(ms) * 1e-3);
                    if let Some(Command::Write { ack, bytes, .. }) = driver.poll(at, &mut said) {
                        assert!(ack == Ack::Wanted && bytes.len() < 100);
                    }
                    assert!(driver.wake_at().is_none_or(|w| w.since(at) < 60.0));
                }
            }
            driver.progress();
        }
        in_order(&said);
    }
}

#[test]
fn a_dot_blinks_and_the_others_say_that_they_cannot() {
    for actor in &CAST {
        let mut stage = Stage::new(actor);
        stage.run(5.0);
        let before = stage.commands.len();
        let notes = stage.notes().len();
        stage.wish(Wish::Identify { seconds: 5 });
        stage.run(2.0);
        let blinked = stage.commands.len() > before;
        assert_eq!(blinked, actor.kind == DriverKind::Dot, "{}", actor.name);
        assert_eq!(stage.notes().len() > notes, !blinked, "{}", actor.name);
    }
}
