//! The air between a host and one simulated sensor: delays, losses, broken links.
//!
//! Faults belong to the way, not to the sensor, so that every sensor meets the same ones. Order is kept within a
//! characteristic and nowhere else, as radios do. Everything follows from the seed and the instants asked for.

use super::dice::Dice;
use super::peer::Peer;
use crate::model::SessionTime;
use crate::sensors::link::{Advert, Chan, Command, DownReason, LinkEvent, LinkFailure, LinkInfo};
use std::collections::BTreeMap;

/// Time the host's system needs to notice that a sensor is out of reach, s: the supervision timeout of a link.
const SUPERVISION_S: f64 = 1.0;
/// When it is noticed: a little later, so that no rounding makes it a little earlier.
const NOTICED_S: f64 = SUPERVISION_S + 0.001;

/// What goes wrong on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct AirFaults {
    /// Seed of everything below.
    pub seed: u64,
    /// Probability that a notification is lost between the system and us.
    pub loss: f64,
    /// Characteristics that this does not touch.
    pub spared: Vec<Chan>,
    /// Probability that it comes twice.
    pub duplicate: f64,
    /// Probability that its end is cut off.
    pub truncate: f64,
    /// Shortest and longest way, s.
    pub delay_s: (f64, f64),
    /// Characteristics of which nothing arrives at all.
    pub deaf: Vec<Chan>,
    /// Single notifications that are lost: characteristic, and which of all it ever sent, from 1.
    pub swallowed: Vec<(Chan, u64)>,
    /// The MTU the host's adapter allows.
    pub mtu: u16,
    /// Spans in which the sensor is out of reach, s of session time: from, length.
    pub out_of_range: Vec<(f64, f64)>,
    /// The link breaks when this many commands were given since the beginning, once for each number.
    pub breaks_at: Vec<u32>,
    /// The link breaks this often, on average, s; `None` never.
    pub breaks_every_s: Option<f64>,
}

impl Default for AirFaults {
    /// Nothing goes wrong; everything takes between 5 and 40 ms.
    fn default() -> Self {
        Self {
            seed: 1,
            loss: 0.0,
            spared: Vec::new(),
            duplicate: 0.0,
            truncate: 0.0,
            delay_s: (0.005, 0.040),
            deaf: Vec::new(),
            swallowed: Vec::new(),
            mtu: 247,
            out_of_range: Vec::new(),
            breaks_at: Vec::new(),
            breaks_every_s: None,
        }
    }
}

/// What was carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Links that came about.
    pub links: u32,
    /// Commands given.
    pub commands: u32,
    /// Notifications the sensor sent.
    pub sent: u64,
    /// Of these, lost on the way.
    pub lost: u64,
}

enum Delivery {
    ToHost(LinkEvent),
    ToSensor(Command, SessionTime),
}

/// See the module's head.
pub struct Air<'p> {
    peer: Box<dyn Peer + 'p>,
    faults: AirFaults,
    dice: Dice,
    linked: bool,
    ways: BTreeMap<(SessionTime, u64), Delivery>,
    /// Latest arrival of each characteristic, and of what the sensor is told (`None`).
    latest: BTreeMap<Option<Chan>, SessionTime>,
    number: u64,
    breaks_next: Option<SessionTime>,
    carried: Carried,
    sent: Vec<(Chan, Vec<u8>)>,
    by_chan: BTreeMap<Chan, u64>,
    now: SessionTime,
}

impl std::fmt::Debug for Air<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Air")
            .field("linked", &self.linked)
            .field("carried", &self.carried)
            .finish_non_exhaustive()
    }
}

impl<'p> Air<'p> {
    /// The air around a sensor.
    #[must_use]
    pub fn new(peer: Box<dyn Peer + 'p>, faults: AirFaults) -> Self {
        let dice = Dice::new(faults.seed);
        Self {
            peer,
            faults,
            dice,
            linked: false,
            ways: BTreeMap::new(),
            latest: BTreeMap::new(),
            number: 0,
            breaks_next: None,
            carried: Carried::default(),
            sent: Vec::new(),
            by_chan: BTreeMap::new(),
            now: SessionTime::ZERO,
        }
    }

    /// The sensor's side.
    #[must_use]
    pub fn peer(&self) -> &(dyn Peer + 'p) {
        &*self.peer
    }

    /// What was carried so far.
    #[must_use]
    pub fn carried(&self) -> Carried {
        self.carried
    }

    /// Whether there is a link.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        self.linked
    }

    /// What the sensor advertises; `None` when it is out of reach, off or connected.
    pub fn advert(&mut self, now: SessionTime) -> Option<Advert> {
        self.let_pass(now);
        (self.is_in_reach(now) && !self.linked).then(|| self.peer.advert())
    }

    /// Time passes for the sensor though nobody listens.
    fn let_pass(&mut self, now: SessionTime) {
        if !self.linked {
            self.peer.due(now, &mut self.sent);
            self.sent.clear();
        }
    }

    fn is_in_reach(&self, now: SessionTime) -> bool {
        let t = now.secs();
        let away = |&(from, length): &(f64, f64)| t >= from && t < from + length;
        self.peer.is_reachable() && !self.faults.out_of_range.iter().any(away)
    }

    /// Connects and discovers; `None` when the sensor does not answer.
    pub fn connect(&mut self, now: SessionTime) -> Option<LinkInfo> {
        if self.linked {
            return None;
        }
        self.let_pass(now);
        if !self.is_in_reach(now) {
            return None;
        }
        self.peer.connected(now);
        self.linked = true;
        self.ways.clear();
        self.latest.clear();
        self.carried.links += 1;
        self.breaks_next = self
            .faults
            .breaks_every_s
            .map(|mean| now.plus(-mean * (1.0 - self.dice.unit()).ln()));
        let advert = self.peer.advert();
        Some(LinkInfo {
            name: advert.name.unwrap_or_default(),
            os_id: advert.os_id,
            mtu: self.peer.mtu().min(self.faults.mtu),
            chans: self.peer.services(),
        })
    }

    /// Gives a command; its answer comes as an event. [`Command::Close`] ends the link.
    pub fn command(&mut self, command: Command, now: SessionTime) {
        if !self.linked {
            return;
        }
        self.carried.commands += 1;
        let count = self.carried.commands;
        if let Some(at) = self.faults.breaks_at.iter().position(|n| *n == count) {
            self.faults.breaks_at.remove(at);
            self.breaks_next = Some(now.plus(self.dice.between(0.0, 2.0 * self.faults.delay_s.1)));
        }
        if command == Command::Close {
            self.end(now, DownReason::Closed);
            return;
        }
        let at = self.arrival(None, now);
        self.put(at, Delivery::ToSensor(command, now));
    }

    fn arrival(&mut self, way: Option<Chan>, now: SessionTime) -> SessionTime {
        let (short, long) = self.faults.delay_s;
        let at = now.plus(self.dice.between(short, long.max(short)));
        let latest = self.latest.entry(way).or_insert(at);
        *latest = (*latest).max(at);
        *latest
    }

    fn put(&mut self, at: SessionTime, delivery: Delivery) {
        self.number += 1;
        self.ways.insert((at, self.number), delivery);
    }

    /// From `from` on the sensor is out of reach for so long, s: one span more.
    pub fn be_away(&mut self, from: SessionTime, length_s: f64) {
        self.faults.out_of_range.push((from.secs(), length_s));
    }

    /// The host's side ends the link: its adapter is gone.
    pub fn cut(&mut self, now: SessionTime, reason: DownReason) {
        if self.linked {
            self.end(now, reason);
        }
    }

    /// When something happens next.
    #[must_use]
    pub fn next_at(&self) -> Option<SessionTime> {
        if !self.linked {
            // What came before the end of the link is still delivered.
            return self.ways.keys().next().map(|k| k.0);
        }
        let leaves = self
            .faults
            .out_of_range
            .iter()
            .map(|(from, _)| SessionTime::from_secs(from + NOTICED_S));
        let leaves = leaves.filter(|at| *at > self.now).min();
        let arrives = self.ways.keys().next().map(|k| k.0);
        [arrives, self.peer.wake_at(), self.breaks_next, leaves]
            .into_iter()
            .flatten()
            .min()
    }

    /// Lets time pass until `now`; appends what the host sees of it, in order.
    pub fn advance(&mut self, now: SessionTime, out: &mut Vec<LinkEvent>) {
        while let Some(at) = self.next_at().filter(|at| *at <= now) {
            self.now = self.now.max(at);
            self.step(self.now, out);
            // A sensor that wants to be woken and then does nothing must not stop the world.
            if self.next_at().is_some_and(|next| next <= at) {
                break;
            }
        }
        self.now = self.now.max(now);
        self.step(self.now, out);
    }

    fn step(&mut self, at: SessionTime, out: &mut Vec<LinkEvent>) {
        self.collect(at);
        while let Some(entry) = self.ways.first_entry().filter(|e| e.key().0 <= at) {
            match entry.remove() {
                Delivery::ToHost(event) => out.push(event),
                Delivery::ToSensor(command, began) => self.arrive(&command, began, at),
            }
        }
        let away = !self.is_in_reach(at) && !self.is_in_reach(at.plus(-SUPERVISION_S));
        if self.linked
            && (away
                || !self.peer.is_reachable()
                || self.peer.has_hung_up()
                || self.breaks_next.is_some_and(|b| at >= b))
        {
            self.end(at, DownReason::Lost);
            self.deliver_until(at, out);
        }
    }

    fn deliver_until(&mut self, at: SessionTime, out: &mut Vec<LinkEvent>) {
        while let Some(entry) = self.ways.first_entry().filter(|e| e.key().0 <= at) {
            if let Delivery::ToHost(event) = entry.remove() {
                out.push(event);
            }
        }
    }

    fn arrive(&mut self, command: &Command, began: SessionTime, at: SessionTime) {
        let Some(asked) = command.asked() else { return };
        let result = if self.is_in_reach(at) {
            self.peer.on_command(command, at)
        } else {
            Err(LinkFailure::TimedOut)
        };
        let back = self.arrival(None, at);
        self.put(
            back,
            Delivery::ToHost(LinkEvent::Answered {
                began,
                at: back,
                asked,
                result,
            }),
        );
        self.collect(at);
    }

    /// Takes what the sensor sends until `now` and puts it on its way.
    fn collect(&mut self, now: SessionTime) {
        let mut sent = std::mem::take(&mut self.sent);
        self.peer.due(now, &mut sent);
        for (chan, mut bytes) in sent.drain(..) {
            if !self.linked {
                continue;
            }
            self.carried.sent += 1;
            let nth = self.by_chan.entry(chan).or_insert(0);
            *nth += 1;
            let swallowed = self.faults.swallowed.contains(&(chan, *nth)) || self.faults.deaf.contains(&chan);
            let by_chance = self.dice.happens(self.faults.loss) && !self.faults.spared.contains(&chan);
            let lost = swallowed || by_chance || !self.is_in_reach(now);
            if lost {
                self.carried.lost += 1;
                continue;
            }
            if self.dice.happens(self.faults.truncate) {
                bytes.truncate(self.dice.below(bytes.len() as u64) as usize);
            }
            let copies = if self.dice.happens(self.faults.duplicate) { 2 } else { 1 };
            for _ in 0..copies {
                let at = self.arrival(Some(chan), now);
                let bytes = bytes.clone();
                self.put(at, Delivery::ToHost(LinkEvent::Frame { at, chan, bytes }));
            }
        }
        self.sent = sent;
    }

    /// The link is over: what is under way is lost, the host is told.
    fn end(&mut self, at: SessionTime, reason: DownReason) {
        self.linked = false;
        self.breaks_next = None;
        self.peer.disconnected(at);
        self.ways.clear();
        self.put(at, Delivery::ToHost(LinkEvent::Down { at, reason }));
    }
}
