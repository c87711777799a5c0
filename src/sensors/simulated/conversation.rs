//! A driver and a simulated sensor in virtual time: what a host's task does, without tasks and without waiting.
//!
//! Runs minutes of streaming in milliseconds, and the same for the same seed. Reconnects by itself as the runtime does:
//! soon at first, then ever more slowly.

use super::air::Air;
use crate::model::SessionTime;
use crate::sensors::driver::{Driver, Progress, Wish};
use crate::sensors::link::{Command, LinkEvent};
use crate::sensors::said::Said;

/// Waits before connecting again, s.
const BACKOFF_S: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 8.0];

/// See the module's head.
#[derive(Debug)]
pub struct Conversation<'p, D> {
    /// The driver.
    pub driver: D,
    /// The sensor and the way to it.
    pub air: Air<'p>,
    /// Everything said so far, with the instant it was said at.
    pub said: Vec<(SessionTime, Said)>,
    /// Everything that happened on its links.
    pub events: Vec<LinkEvent>,
    /// Commands the driver gave, with their instants.
    pub commands: Vec<(SessionTime, Command)>,
    now: SessionTime,
    linked: bool,
    busy: bool,
    failures: usize,
    connect_at: SessionTime,
}

impl<'p, D: Driver> Conversation<'p, D> {
    /// A driver that has not yet heard of anything.
    pub fn new(driver: D, air: Air<'p>) -> Self {
        Self {
            driver,
            air,
            said: Vec::new(),
            events: Vec::new(),
            commands: Vec::new(),
            now: SessionTime::ZERO,
            linked: false,
            busy: false,
            failures: 0,
            connect_at: SessionTime::ZERO,
        }
    }

    /// A driver that begins at this instant, not at zero.
    #[must_use]
    pub fn starting_at(mut self, now: SessionTime) -> Self {
        (self.now, self.connect_at) = (now, now);
        self
    }

    /// The instant.
    #[must_use]
    pub fn now(&self) -> SessionTime {
        self.now
    }

    /// Gives a wish now.
    pub fn wish(&mut self, wish: Wish) {
        self.driver.wish(wish, self.now);
        self.poll();
    }

    /// Runs until `until`.
    pub fn run_until(&mut self, until: SessionTime) {
        self.run_while(until, |_| true);
    }

    /// Runs until `until` or until `goes_on` says no; true if it said so.
    pub fn run_while(&mut self, until: SessionTime, goes_on: impl Fn(&Self) -> bool) -> bool {
        while self.now < until {
            if !goes_on(self) {
                return true;
            }
            let next = self.next_at().map_or(until, |at| at.min(until));
            // A driver that wants to be woken in the past, and then does nothing, must not stop the world.
            let soonest = SessionTime::from_nanos(self.now.nanos() + 1000);
            self.now = next.max(soonest.min(until));
            self.step();
        }
        !goes_on(self)
    }

    fn next_at(&self) -> Option<SessionTime> {
        let connect = (!self.linked && self.wants_link()).then_some(self.connect_at);
        let wake = self.driver.wake_at().filter(|_| self.linked);
        [self.air.next_at(), connect, wake].into_iter().flatten().min()
    }

    fn wants_link(&self) -> bool {
        !matches!(self.driver.progress(), Progress::Done | Progress::Unable)
    }

    fn step(&mut self) {
        if !self.linked && self.wants_link() && self.now >= self.connect_at {
            match self.air.connect(self.now) {
                Some(info) => {
                    (self.linked, self.busy) = (true, false);
                    self.take(LinkEvent::Up { at: self.now, info });
                }
                None => self.wait(),
            }
        }
        let mut events = Vec::new();
        self.air.advance(self.now, &mut events);
        for event in events {
            match &event {
                LinkEvent::Answered { .. } => self.busy = false,
                LinkEvent::Down { .. } => {
                    self.linked = false;
                    self.wait();
                }
                LinkEvent::Frame { .. } => self.failures = 0,
                _ => {}
            }
            self.take(event);
            self.poll();
        }
        self.poll();
    }

    fn wait(&mut self) {
        self.connect_at = self.now.plus(BACKOFF_S[self.failures.min(BACKOFF_S.len() - 1)]);
        self.failures += 1;
    }

    fn take(&mut self, event: LinkEvent) {
        let mut said = Vec::new();
        self.driver.on_event(&event, &mut said);
        self.events.push(event);
        self.keep(said);
    }

    fn keep(&mut self, said: Vec<Said>) {
        let now = self.now;
        self.said.extend(said.into_iter().map(|s| (now, s)));
    }

    fn poll(&mut self) {
        while self.linked && !self.busy {
            let mut said = Vec::new();
            let command = self.driver.poll(self.now, &mut said);
            self.keep(said);
            let Some(command) = command else { return };
            // After `Close` nothing is answered; the end of the link comes as an event.
            self.busy = true;
            self.commands.push((self.now, command.clone()));
            self.air.command(command, self.now);
        }
    }
}
