//! One link of a pod: which command is under way, which request waits for its reply, when to ask for the time.
//!
//! Two clocks tick on every exchange: the system must carry a command out, and the pod must reply to what was written.
//! Either running out means that the link is worth nothing more.

use super::flood::FloodGate;
use crate::model::SessionTime;
use crate::sensors::link::{Ack, Asked, Chan, Command, LinkInfo};
use firmware_protocol::gatt::{CONTROL, SECURE, SERVICE, STREAM, TIME};
use firmware_protocol::{HelloReply, PingBook, Pong, Request, RequestBody, TimeExchange, Txn, ping_interval_ns};

/// Requests, replies, events.
pub(super) const CONTROL_CHAN: Chan = Chan::new(SERVICE, CONTROL);
/// Frames.
pub(super) const STREAM_CHAN: Chan = Chan::new(SERVICE, STREAM);
/// PING and PONG.
pub(super) const TIME_CHAN: Chan = Chan::new(SERVICE, TIME);
/// Reading it starts pairing.
pub(super) const SECURE_CHAN: Chan = Chan::new(SERVICE, SECURE);
/// Subscribed in this order (SPEC.md section 2).
const SUBSCRIPTIONS: [Chan; 3] = [CONTROL_CHAN, STREAM_CHAN, TIME_CHAN];

/// A reply is waited for this long (SPEC.md section 5.1), s.
const REPLY_S: f64 = 5.0;
/// The system may take this long over a command; longer than any limit of a radio, s.
const COMMAND_S: f64 = 15.0;

/// A request that waits for its reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    txn: Txn,
    pub(super) body: RequestBody,
    deadline: SessionTime,
}

/// Whether a bond was tried for on this link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pairing {
    Untried,
    Asked,
    Done,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct OnLink {
    pub(super) mtu: u16,
    pub(super) can_pair: bool,
    subscribed: usize,
    busy: Option<(Asked, SessionTime)>,
    pub(super) flight: Option<Flight>,
    next_txn: u8,
    last_reply: Option<u8>,
    pub(super) hello: Option<HelloReply>,
    pub(super) attached: bool,
    pub(super) closing: bool,
    pub(super) pairing: Pairing,
    next_event: u8,
    pings: PingBook,
    pings_written: u16,
    pings_answered: u32,
    ping_due: Option<SessionTime>,
    /// A PONG that overtook the answer to the write of its PING.
    early_pong: Option<(Pong, SessionTime)>,
    pub(super) gate: FloodGate,
    /// When something came on Stream; the beginning of the link before that.
    pub(super) heard: SessionTime,
}

impl OnLink {
    pub(super) fn new(at: SessionTime, info: &LinkInfo) -> Self {
        Self {
            mtu: info.mtu,
            can_pair: info.has(SECURE_CHAN),
            subscribed: 0,
            busy: None,
            flight: None,
            next_txn: 1,
            last_reply: None,
            hello: None,
            attached: false,
            closing: false,
            pairing: Pairing::Untried,
            next_event: 0,
            pings: PingBook::default(),
            pings_written: 0,
            pings_answered: 0,
            ping_due: None,
            early_pong: None,
            gate: FloodGate::new(at),
            heard: at,
        }
    }

    pub(super) fn is_greeted(&self) -> bool {
        self.hello.is_some()
    }

    /// The pod wants a bond and this link has none.
    pub(super) fn is_stranger(&self) -> bool {
        self.hello
            .is_some_and(|hello| hello.security.bond_required && !hello.security.bonded)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy.is_some()
    }

    /// The next characteristic to subscribe.
    pub(super) fn next_subscription(&self) -> Option<Command> {
        SUBSCRIPTIONS.get(self.subscribed).copied().map(Command::Subscribe)
    }

    /// Gives a command to the system.
    pub(super) fn give(&mut self, command: Command, now: SessionTime) -> Command {
        self.busy = command.asked().map(|asked| (asked, now.plus(COMMAND_S)));
        command
    }

    /// The system has answered.
    pub(super) fn answered(&mut self, asked: Asked, ok: bool) {
        self.busy = None;
        if ok && self.next_subscription().and_then(|c| c.asked()) == Some(asked) {
            self.subscribed += 1;
        }
    }

    /// The write of a request.
    pub(super) fn request(&mut self, body: RequestBody, now: SessionTime) -> Option<Command> {
        let txn = Txn::new(self.next_txn)?;
        let mut buffer = [0; 32];
        // A request that breaks a rule of its own is not written; the caller only makes others.
        let bytes = Request { txn, body }.encode(&mut buffer).ok()?.to_vec();
        self.next_txn = if self.next_txn == u8::MAX { 1 } else { self.next_txn + 1 };
        self.flight = Some(Flight {
            txn,
            body,
            deadline: now.plus(REPLY_S),
        });
        let command = Command::Write {
            chan: CONTROL_CHAN,
            bytes,
            ack: Ack::Wanted,
        };
        Some(self.give(command, now))
    }

    /// A reply with this transaction came: whether it is news, and the request it answers.
    ///
    /// A second copy of a reply is no news. A reply to a request that was not made here is news all the same, because it
    /// says itself what it is about: so a log of events means the same without the commands that caused them.
    pub(super) fn take_reply(&mut self, txn: Txn) -> (bool, Option<RequestBody>) {
        if self.last_reply == Some(txn.get()) {
            return (false, None);
        }
        self.last_reply = Some(txn.get());
        let answered = self.flight.take_if(|flight| flight.txn == txn);
        (true, answered.map(|flight| flight.body))
    }

    /// An event with this number came: whether it is news, and whether some before it were missed.
    pub(super) fn take_event(&mut self, seq: u8) -> (bool, bool) {
        if self.next_event != 0 && seq == self.next_event.wrapping_sub(1) {
            return (false, false);
        }
        let missed = seq != self.next_event;
        self.next_event = seq.wrapping_add(1);
        (true, missed)
    }

    /// What has run out at `now`, by its name.
    pub(super) fn overdue(&self, now: SessionTime) -> Option<(&'static str, &'static str)> {
        if let Some(flight) = &self.flight
            && now >= flight.deadline
        {
            return Some((flight.body.op().name(), "no reply within 5 s"));
        }
        let (asked, deadline) = self.busy?;
        let what = match asked {
            Asked::Subscribe(_) => "subscribing",
            Asked::Read(_) => "reading",
            Asked::Write(_) => "writing",
        };
        (now >= deadline).then_some((what, "the system did not answer"))
    }

    // ------------------------------------------------------------------------------------------------------- time

    /// The write of a PING, if one is due.
    pub(super) fn ping(&mut self, now: SessionTime) -> Option<Command> {
        if self.ping_due.is_some_and(|due| now < due) {
            return None;
        }
        let interval_ns = ping_interval_ns(u32::from(self.pings_written));
        self.ping_due = Some(SessionTime::from_nanos(now.nanos().saturating_add(interval_ns)));
        // The book numbers PINGs in the order in which their writes are answered, which is that of the writes.
        let seq = self.pings_written;
        self.pings_written = seq.wrapping_add(1);
        let mut buffer = [0; firmware_protocol::PING];
        let message = firmware_protocol::TimeMessage::Ping(firmware_protocol::Ping { seq });
        let bytes = message.encode(&mut buffer).ok()?.to_vec();
        let command = Command::Write {
            chan: TIME_CHAN,
            bytes,
            ack: Ack::None,
        };
        Some(self.give(command, now))
    }

    /// The write of a PING that began at `began` was answered.
    pub(super) fn ping_answered(&mut self, began: SessionTime) -> Option<TimeExchange> {
        self.pings_answered += 1;
        self.pings.ping(began.nanos());
        let (pong, at) = self.early_pong.take()?;
        self.pings.pong(&pong, at.nanos())
    }

    /// A PONG came.
    pub(super) fn pong(&mut self, pong: Pong, at: SessionTime) -> Option<TimeExchange> {
        if pong.seq == self.pings_answered as u16 {
            self.early_pong = Some((pong, at));
            return None;
        }
        self.pings.pong(&pong, at.nanos())
    }

    /// When something here is due.
    pub(super) fn wake_at(&self) -> Option<SessionTime> {
        let deadlines = [
            self.flight.map(|flight| flight.deadline),
            self.busy.map(|(_, deadline)| deadline),
        ];
        let ping = self.ping_due.filter(|_| self.is_greeted() && !self.is_busy());
        deadlines.into_iter().chain([ping]).flatten().min()
    }
}
