//! The life that all drivers of other makers' sensors share: read, subscribe, start, watch, start again, stop.
//!
//! A protocol says what is *due* to reach a goal, from what events have told it ([`Protocol::next`]); this file gives the
//! commands out one at a time, holds every deadline, tells failures once an episode and waits longer after each. Nothing a
//! protocol decodes depends on commands: all that changes decoding comes in with events and wishes, so a log replayed
//! without commands says the same.

use super::sig::companion::Companion;
use crate::model::SessionTime;
use crate::sensors::driver::{Driver, Progress, Wanted, Wish};
use crate::sensors::link::{Asked, Chan, Command, LinkEvent, LinkFailure, LinkInfo};
use crate::sensors::said::{Note, Said};

/// A command has to be answered within this, s: calls of a link end by themselves after 5 s.
const ANSWER_S: f64 = 8.0;
/// A reply to a command has to come within this after it was given, s.
const EFFECT_S: f64 = 8.0;
/// Data has to come within this of the last command of a start, s.
const FIRST_DATA_S: f64 = 3.0;
/// Data has to come at least this often afterwards, s.
const DATA_EVERY_S: f64 = 6.0;
/// Data this long on end ends an episode of failures, s.
const STEADY_S: f64 = 30.0;
/// Waits after failures in a row, s.
const WAITS_S: [f64; 5] = [1.0, 2.0, 4.0, 8.0, 15.0];
/// After so many failures in a row on one link it is closed and opened anew.
const CLOSE_AFTER: u32 = 4;
/// A close that had no effect is asked for again after this, s.
const CLOSE_AGAIN_S: f64 = 10.0;

/// What a protocol takes for wanted while nobody has said: what running asks for.
pub(crate) const RUNNING: Wanted = Wanted {
    session: 1,
    rate_hz: 200.0,
    acc_range: 16.0 * crate::model::units::STANDARD_GRAVITY,
    gyro_range: 2000.0 * crate::model::units::RAD_PER_DEG,
};

/// What a protocol is to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Know what it can: what must be read before anything is subscribed.
    Know,
    /// Stream.
    Stream,
    /// Do not stream.
    Rest,
}

/// Whether a step may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Must,
    May,
}

/// A command on the way to a goal. `what` names it in notes, and tells steps apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) what: &'static str,
    pub(crate) command: Command,
    pub(crate) need: Need,
}

impl Step {
    pub(crate) fn must(what: &'static str, command: Command) -> Self {
        Self {
            what,
            command,
            need: Need::Must,
        }
    }

    pub(crate) fn may(what: &'static str, command: Command) -> Self {
        Self {
            what,
            command,
            need: Need::May,
        }
    }
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// This.
    Do(Step),
    /// Nothing: the goal is reached.
    Nothing,
    /// It cannot be reached; why, for a person.
    Never(&'static str),
}

/// Something went wrong that an event told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trouble {
    pub(crate) note: Note,
    pub(crate) hope: Hope,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hope {
    Later,
    /// Not on this link and with this wish.
    None,
}

/// Whether data comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// At least one stream that was started has sent nothing yet.
    Waited,
    /// All flow; the oldest of their last arrivals.
    Since(SessionTime),
}

/// What is done about a sensor that sends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Start again, and close the link at last.
    Restart,
    /// Say so, and leave it alone: it may have nothing to send.
    Tell,
}

/// What a protocol adds to the common life.
pub(crate) trait Protocol: Send {
    /// A link is there.
    fn up(&mut self, info: &LinkInfo);
    /// It is gone.
    fn down(&mut self, said: &mut Vec<Said>);
    /// What the caller wants; `None` for no samples.
    fn want(&mut self, wanted: Option<Wanted>);
    /// A notification that no companion took.
    fn frame(&mut self, at: SessionTime, chan: Chan, bytes: &[u8], companion: &mut Companion, said: &mut Vec<Said>);
    /// A notification that the companion took.
    fn companion_heard(&mut self, _at: SessionTime, _chan: Chan) {}
    /// A command was answered, by anybody.
    fn answered(
        &mut self,
        asked: Asked,
        result: &Result<Vec<u8>, LinkFailure>,
        companion: &mut Companion,
        said: &mut Vec<Said>,
    );
    /// What is due to reach a goal.
    fn next(&self, goal: Goal) -> Due;
    /// A step of [`Need::May`] failed: go on without.
    fn gave_up(&mut self, what: &'static str);
    /// Data does not come: what is started is to be stopped and started again.
    fn restart(&mut self);
    /// What went wrong since last asked.
    fn trouble(&mut self) -> Option<Trouble>;
    /// Whether data comes.
    fn flow(&self) -> Flow;
    /// How much longer than usual its frames may take to fill, s.
    fn fills_s(&self) -> f64 {
        0.0
    }
    /// What is done about silence.
    fn silence(&self) -> Silence;
    /// What this sensor, with these characteristics, cannot give.
    fn limits(&self, info: &LinkInfo) -> &'static str;
    /// How it shows itself, if it can.
    fn identify(&self) -> Option<Step>;
    /// How it is paired, when it refuses without.
    fn pairing(&self) -> &'static str {
        "pair it in the system's Bluetooth settings, then try again"
    }
}

#[derive(Debug)]
struct Pending {
    step: Step,
    asked: Asked,
    began: SessionTime,
    answer: Option<Result<(), LinkFailure>>,
}

/// A driver made of the common life and a protocol.
#[derive(Debug)]
pub(crate) struct Life<P> {
    protocol: P,
    companion: Companion,
    wish: Wish,
    up: bool,
    seen: SessionTime,
    pending: Option<Pending>,
    identify: bool,
    wait_until: Option<SessionTime>,
    failures: u32,
    told: Vec<&'static str>,
    limits_told: bool,
    unable: bool,
    settled: Option<SessionTime>,
    closing: Option<SessionTime>,
}

impl<P: Protocol> Life<P> {
    pub(crate) fn new(protocol: P) -> Self {
        Self {
            protocol,
            companion: Companion::default(),
            wish: Wish::Inspect,
            up: false,
            seen: SessionTime::ZERO,
            pending: None,
            identify: false,
            wait_until: None,
            failures: 0,
            told: Vec::new(),
            limits_told: false,
            unable: false,
            settled: None,
            closing: None,
        }
    }

    fn streams(&self) -> bool {
        matches!(self.wish, Wish::Stream(_))
    }

    fn due(&self) -> Due {
        if let Some((what, command)) = self.companion.read_due() {
            return Due::Do(Step::may(what, command));
        }
        if let due @ Due::Do(_) = self.protocol.next(Goal::Know) {
            return due;
        }
        if let Some((what, command)) = self.companion.subscription_due() {
            return Due::Do(Step::may(what, command));
        }
        self.protocol
            .next(if self.streams() { Goal::Stream } else { Goal::Rest })
    }

    fn tell(&mut self, key: &'static str, note: Note, said: &mut Vec<Said>) {
        if !self.told.contains(&key) {
            self.told.push(key);
            said.push(Said::Note(note));
        }
    }

    /// Counts a failure that is worth another try; `true` when it is time for another link.
    fn failed(&mut self, now: SessionTime) -> bool {
        self.failures = self.failures.saturating_add(1);
        let wait = WAITS_S[(self.failures as usize - 1).min(WAITS_S.len() - 1)];
        self.wait_until = Some(now.plus(wait));
        self.settled = None;
        self.failures.is_multiple_of(CLOSE_AFTER)
    }

    fn close(&mut self, now: SessionTime) -> Option<Command> {
        self.pending = None;
        self.closing = Some(now);
        Some(Command::Close)
    }

    fn command_failed(&mut self, step: &Step, failure: &LinkFailure, said: &mut Vec<Said>) -> Hope {
        let (note, hope) = match failure {
            LinkFailure::NotPermitted | LinkFailure::Att(0x05 | 0x08 | 0x0F) => {
                (Note::NeedsPairing(self.protocol.pairing()), Hope::Later)
            }
            LinkFailure::NoSuchCharacteristic => (failed_note(step.what, "it has no such characteristic"), Hope::None),
            LinkFailure::TimedOut => (failed_note(step.what, "no answer in time"), Hope::Later),
            LinkFailure::Down => (failed_note(step.what, "the link is down"), Hope::Later),
            LinkFailure::Att(code) => (failed_note(step.what, &format!("ATT error {code:#04x}")), Hope::Later),
            LinkFailure::Other(words) => (failed_note(step.what, words), Hope::Later),
        };
        self.tell(step.what, note, said);
        hope
    }

    /// Looks after the command that was given out: `Some` while nothing else may be asked.
    fn attend(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<Option<Command>> {
        let pending = self.pending.as_ref()?;
        let late = now.since(pending.began);
        let step = pending.step.clone();
        match &pending.answer {
            None if late < ANSWER_S => Some(None),
            None => {
                self.tell(step.what, failed_note(step.what, "no answer in time"), said);
                self.failed(now);
                Some(self.close(now))
            }
            Some(Err(failure)) => {
                let failure = failure.clone();
                self.pending = None;
                let hope = self.command_failed(&step, &failure, said);
                self.after_failure(&step, hope, now)
            }
            Some(Ok(())) => {
                let still_due = matches!(self.due(), Due::Do(due) if due == step);
                if !still_due {
                    self.pending = None;
                    return None;
                }
                if late < EFFECT_S {
                    return Some(None);
                }
                self.pending = None;
                self.tell(step.what, failed_note(step.what, "accepted, but no reply came"), said);
                self.after_failure(&step, Hope::Later, now)
            }
        }
    }

    fn after_failure(&mut self, step: &Step, hope: Hope, now: SessionTime) -> Option<Option<Command>> {
        if step.need == Need::May {
            if let Some(asked) = step.command.asked() {
                self.companion.gave_up(asked);
            }
            self.protocol.gave_up(step.what);
            return None;
        }
        if hope == Hope::None {
            self.unable = true;
            return Some(None);
        }
        let close = self.failed(now);
        Some(if close { self.close(now) } else { None })
    }

    /// Looks after data once all commands are through.
    fn watch(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<Command> {
        let settled = *self.settled.get_or_insert(now);
        let flow = self.protocol.flow();
        if now < quiet_until(settled, flow).plus(self.protocol.fills_s()) {
            if matches!(flow, Flow::Since(_)) && now.since(settled) >= STEADY_S {
                self.failures = 0;
                self.told.clear();
            }
            return None;
        }
        self.tell("data", Note::NoData, said);
        match self.protocol.silence() {
            Silence::Tell => {
                self.settled = Some(now);
                None
            }
            Silence::Restart => {
                self.protocol.restart();
                if self.failed(now) { self.close(now) } else { None }
            }
        }
    }
}

fn failed_note(what: &'static str, answer: &str) -> Note {
    Note::CommandFailed {
        what,
        answer: answer.to_owned(),
    }
}

fn quiet_until(settled: SessionTime, flow: Flow) -> SessionTime {
    match flow {
        Flow::Waited => settled.plus(FIRST_DATA_S),
        Flow::Since(last) => last.max(settled).plus(DATA_EVERY_S),
    }
}

impl<P: Protocol> Driver for Life<P> {
    fn on_event(&mut self, event: &LinkEvent, said: &mut Vec<Said>) {
        self.seen = event.at();
        match event {
            LinkEvent::Up { info, .. } => {
                self.up = true;
                self.pending = None;
                self.wait_until = None;
                self.unable = false;
                self.settled = None;
                self.closing = None;
                self.companion.up(info);
                // A link that ended without saying so.
                self.protocol.down(said);
                self.protocol.up(info);
                if !self.limits_told {
                    self.limits_told = true;
                    said.push(Said::Note(Note::Limits(self.protocol.limits(info))));
                }
            }
            LinkEvent::Frame { at, chan, bytes } => {
                if self.companion.frame(*at, *chan, bytes, said) {
                    self.protocol.companion_heard(*at, *chan);
                } else {
                    self.protocol.frame(*at, *chan, bytes, &mut self.companion, said);
                }
            }
            LinkEvent::Answered { asked, result, .. } => {
                self.companion.answered(*asked, result, said);
                self.protocol.answered(*asked, result, &mut self.companion, said);
                if let Some(pending) = self.pending.as_mut().filter(|p| p.asked == *asked) {
                    pending.answer = Some(result.as_ref().map(|_| ()).map_err(Clone::clone));
                }
            }
            // The step of device time behind the hole names what was lost.
            LinkEvent::Overflowed { .. } => {}
            LinkEvent::Down { .. } => {
                self.up = false;
                self.pending = None;
                self.wait_until = None;
                self.settled = None;
                self.closing = None;
                self.protocol.down(said);
            }
        }
    }

    fn wish(&mut self, wish: Wish, now: SessionTime) {
        self.seen = self.seen.max(now);
        match wish {
            Wish::Identify { .. } => self.identify = true,
            // They hold nothing back and nothing can be forgotten; what is asked of them is asked once.
            Wish::Mark | Wish::AllSafe | Wish::Hurried | Wish::AtEase => {}
            Wish::Inspect | Wish::Stop | Wish::Stream(_) => {
                if wish == self.wish {
                    return;
                }
                let again = self.streams() && matches!(wish, Wish::Stream(_));
                self.wish = wish;
                self.unable = false;
                self.settled = None;
                self.wait_until = None;
                self.failures = 0;
                self.told.clear();
                self.protocol.want(match wish {
                    Wish::Stream(wanted) => Some(wanted),
                    _ => None,
                });
                if again {
                    self.protocol.restart();
                }
            }
        }
    }

    fn poll(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<Command> {
        self.seen = self.seen.max(now);
        if !self.up {
            return None;
        }
        if let Some(since) = self.closing {
            return if now.since(since) >= CLOSE_AGAIN_S {
                self.close(now)
            } else {
                None
            };
        }
        if let Some(trouble) = self.protocol.trouble() {
            let step = self.pending.take().map(|p| p.step);
            let key = step.as_ref().map_or("trouble", |s| s.what);
            self.tell(key, trouble.note, said);
            let step = step.unwrap_or_else(|| Step::must("trouble", Command::Close));
            if let Some(command) = self.after_failure(&step, trouble.hope, now) {
                return command;
            }
        }
        if let Some(command) = self.attend(now, said) {
            return command;
        }
        if self.wait_until.is_some_and(|until| now < until) || self.unable {
            return None;
        }
        self.wait_until = None;
        let step = match self.due() {
            Due::Do(step) => Some(step),
            Due::Nothing => None,
            Due::Never(why) => {
                self.unable = true;
                self.tell(why, Note::Limits(why), said);
                return None;
            }
        };
        let step = match step {
            Some(step) => step,
            None if self.identify => {
                self.identify = false;
                let Some(step) = self.protocol.identify() else {
                    said.push(Said::Note(Note::Limits("this sensor has no way to show itself")));
                    return None;
                };
                step
            }
            None if self.streams() => return self.watch(now, said),
            None => {
                self.failures = 0;
                return None;
            }
        };
        self.settled = None;
        let asked = step.command.asked()?;
        let command = step.command.clone();
        self.pending = Some(Pending {
            step,
            asked,
            began: now,
            answer: None,
        });
        Some(command)
    }

    fn wake_at(&self) -> Option<SessionTime> {
        if !self.up {
            return None;
        }
        if let Some(since) = self.closing {
            return Some(since.plus(CLOSE_AGAIN_S));
        }
        if let Some(pending) = &self.pending {
            return Some(match pending.answer {
                None => pending.began.plus(ANSWER_S),
                Some(Ok(())) => pending.began.plus(EFFECT_S),
                Some(Err(_)) => self.seen,
            });
        }
        if self.unable {
            return None;
        }
        if let Some(until) = self.wait_until {
            return Some(until);
        }
        match (self.due(), self.settled) {
            (Due::Nothing, Some(settled)) if self.streams() => {
                Some(quiet_until(settled, self.protocol.flow()).plus(self.protocol.fills_s()))
            }
            (Due::Nothing, _) if !self.streams() && !self.identify => None,
            _ => Some(self.seen),
        }
    }

    fn progress(&self) -> Progress {
        let reached = || self.pending.is_none() && self.due() == Due::Nothing;
        match self.wish {
            Wish::Stop if !self.up => Progress::Done,
            _ if !self.up => Progress::Away,
            _ if self.unable => Progress::Unable,
            Wish::Stop if reached() => Progress::Done,
            Wish::Stream(_) if reached() && matches!(self.protocol.flow(), Flow::Since(_)) => Progress::Streaming,
            Wish::Inspect if reached() => Progress::Inspected,
            _ => Progress::Working,
        }
    }
}
