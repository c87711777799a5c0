//! The open protocol of lope, the host's side (firmware-protocol/SPEC.md).
//!
//! ```text
//!  subscribe Control, Stream, Time ─► HELLO ─► GET_CAPS … ─┬─► GET_STATUS                           inspected
//!                                                          └─► SET_CONFIG … ─► START ─► GET_CONFIG … streaming
//!        next link: HELLO ─► RESUME ─► RANGE … (what came while away)                               streaming
//!                          └ the pod forgot it ─► SET_CONFIG … ─► START under the next number
//!  stop: STOP ─► RANGE … ─► when all is safe: ERASE                                                  done
//! ```
//!
//! In reading order: `link` one link, its requests and its PINGs; `known` what a pod tells about itself; `recording`
//! sessions; `stream` samples and holes; `next` what to ask for; `heard` what follows from what is said; `flood`
//! how much may come; `epochs` runs of the clock.
//!
//! Two choices. *Calibration* is said ([`Said::Calibration`]) and never applied: values stay raw counts, as the pod must
//! leave them, so that a recording can be calibrated anew. *Done* is only said once the pod was told to forget the
//! recording, and that is only after [`Wish::AllSafe`] followed the last sample.

mod epochs;
mod flood;
mod heard;
mod known;
mod link;
mod next;
mod recording;
mod stream;
#[cfg(test)]
mod tests;

use crate::model::SessionTime;
use crate::sensors::driver::{Driver, Progress, Wish};
use crate::sensors::link::{Asked, Command, LinkEvent, LinkFailure};
use crate::sensors::said::{Exchange, Note, Said};
use firmware_protocol::{Frame, RequestBody, TimeExchange, TimeMessage};
use flood::Gate;
use known::Known;
use link::{CONTROL_CHAN, OnLink, Pairing, SECURE_CHAN, STREAM_CHAN, TIME_CHAN};
use recording::{Recording, Session};
use std::collections::BTreeSet;

/// A running pod that sends nothing for this long is said to be silent, s.
const NO_DATA_S: f64 = 3.0;
/// And after this long its link is closed, s.
const SILENT_S: f64 = 10.0;
/// A hole is asked for after this, s (SPEC.md section 8).
const QUIET_S: f64 = 0.5;
/// Longest time a pod shows itself, s.
const LONGEST_IDENTIFY_S: u8 = 30;

/// What is wanted of the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Inspect,
    Stream,
    Stop,
}

/// The user agreed that somebody else's recording on the pod may be lost.
#[derive(Clone, Copy, Debug)]
struct Consent;

/// See the module's head.
#[derive(Debug)]
pub struct LopeDriver {
    goal: Goal,
    link: Option<OnLink>,
    known: Known,
    recording: Option<Recording>,
    consent: Option<Consent>,
    force_next: bool,
    unable: bool,
    inspected: bool,
    hurried: bool,
    identify: Option<u8>,
    status_due: Option<SessionTime>,
    /// RESUME once more, though attached: the session ended, and its reply tells how far each stream came.
    rejoin: bool,
    /// Asked because an event was missed.
    after_jump: Vec<RequestBody>,
    /// Notes said in this episode.
    told: BTreeSet<&'static str>,
    /// Blocks and losses said, and how many of them were when all was safe.
    said_data: u64,
    safe_data: u64,
    /// How many were said at the mark.
    marked_data: Option<u64>,
    now: SessionTime,
}

impl Default for LopeDriver {
    fn default() -> Self {
        Self::new()
    }
}

impl LopeDriver {
    /// A driver that respects what others left on the pod.
    #[must_use]
    pub fn new() -> Self {
        Self {
            goal: Goal::Inspect,
            link: None,
            known: Known::default(),
            recording: None,
            consent: None,
            force_next: false,
            unable: false,
            inspected: false,
            hurried: false,
            identify: None,
            status_due: None,
            rejoin: false,
            after_jump: Vec::new(),
            told: BTreeSet::new(),
            said_data: 0,
            safe_data: 0,
            marked_data: None,
            now: SessionTime::ZERO,
        }
    }

    /// A driver that takes the pod over once, where another's recording is in the way and nobody is connected to it. Only
    /// with the user's consent: what the pod holds is lost.
    #[must_use]
    pub fn taking_over() -> Self {
        Self {
            consent: Some(Consent),
            ..Self::new()
        }
    }

    fn tell(&mut self, key: &'static str, note: Note, said: &mut Vec<Said>) {
        if self.told.insert(key) {
            said.push(Said::Note(note));
        }
    }

    fn cannot(&mut self, key: &'static str, note: Note, said: &mut Vec<Said>) {
        self.tell(key, note, said);
        self.unable = true;
        self.close();
    }

    fn close(&mut self) {
        if let Some(link) = &mut self.link {
            link.closing = true;
        }
    }

    // ----------------------------------------------------------------------------------------------------- events

    fn take_frame(&mut self, bytes: &[u8], at: SessionTime, said: &mut Vec<Said>) {
        let Some(link) = &mut self.link else { return };
        let decoded = Frame::decode(bytes);
        let backfill = decoded.is_ok_and(|frame| frame.flags().backfill);
        // What fills a hole is wanted whoever asked for it: holes are few, and each can be filled once. So a log decodes
        // alike although the driver that reads it asks for nothing.
        let fills = decoded.is_ok_and(|f| backfill && self.recording.as_ref().is_some_and(|r| r.misses(&f)));
        if !fills && let Gate::Drop { first } = link.gate.take(backfill, at) {
            if first {
                said.push(Said::Note(Note::Flooding));
            }
            said.push(Said::Refused { rule: "flood" });
            return;
        }
        let frame = match decoded {
            Ok(frame) => frame,
            Err(refusal) => {
                said.push(Said::Refused { rule: refusal.rule() });
                return;
            }
        };
        link.heard = at;
        self.told.remove("silent");
        match &mut self.recording {
            Some(recording) => recording.take(&frame, bytes, at, said),
            None => said.push(Said::Refused { rule: "not_attached" }),
        }
    }

    fn take_time(&mut self, bytes: &[u8], at: SessionTime, said: &mut Vec<Said>) {
        let Some(link) = &mut self.link else { return };
        match TimeMessage::decode(bytes) {
            Ok(TimeMessage::Pong(pong)) => {
                let exchange = link.pong(pong, at);
                self.say_exchange(exchange, said);
            }
            Ok(TimeMessage::Ping(_)) => said.push(Said::Refused { rule: "op" }),
            Err(refusal) => said.push(Said::Refused { rule: refusal.rule() }),
        }
    }

    fn say_exchange(&mut self, exchange: Option<TimeExchange>, said: &mut Vec<Said>) {
        let (Some(x), Some(boot), Some(recording)) = (exchange, self.known.boot, &mut self.recording) else {
            return;
        };
        said.push(Said::Clock(Exchange {
            epoch: recording.epochs.of(boot),
            t1: SessionTime::from_nanos(x.t1_ns),
            t2_ns: x.t2.as_us() * 1000,
            t3_ns: x.t3.as_us() * 1000,
            t4: SessionTime::from_nanos(x.t4_ns),
        }));
    }

    fn take_answer(
        &mut self,
        began: SessionTime,
        asked: Asked,
        result: &Result<Vec<u8>, LinkFailure>,
        said: &mut Vec<Said>,
    ) {
        let Some(link) = &mut self.link else { return };
        link.answered(asked, result.is_ok());
        match (asked, result) {
            (Asked::Write(chan), Ok(_)) if chan == TIME_CHAN => {
                let exchange = link.ping_answered(began);
                self.say_exchange(exchange, said);
            }
            // A PING that was not written will be missed by nobody.
            (Asked::Write(chan), Err(_)) if chan == TIME_CHAN => {
                link.ping_answered(began);
            }
            (Asked::Read(chan), _) if chan == SECURE_CHAN => {
                // Whatever came of it, HELLO says whether there is a bond now.
                (link.pairing, link.hello) = (Pairing::Done, None);
            }
            (_, Ok(_)) => {}
            (_, Err(LinkFailure::NotPermitted)) => {
                self.cannot(
                    "pairing",
                    Note::NeedsPairing("the system wants a bond with it first"),
                    said,
                );
            }
            (Asked::Subscribe(_), Err(LinkFailure::NoSuchCharacteristic)) => {
                let note = Note::CommandFailed {
                    what: "subscribing",
                    answer: "it lacks a characteristic that its protocol needs".to_owned(),
                };
                self.cannot("subscribing", note, said);
            }
            (asked, Err(failure)) => {
                let what = match asked {
                    Asked::Subscribe(_) => "subscribing",
                    Asked::Read(_) => "reading",
                    Asked::Write(_) => "writing",
                };
                let answer = format!("{failure:?}");
                self.tell(what, Note::CommandFailed { what, answer }, said);
                self.close();
            }
        }
    }

    fn take_down(&mut self) {
        self.link = None;
        self.rejoin = false;
        self.after_jump.clear();
        if let Some(recording) = &mut self.recording {
            recording.disconnect();
        }
    }

    fn take(&mut self, event: &LinkEvent, said: &mut Vec<Said>) {
        self.now = self.now.max(event.at());
        match event {
            LinkEvent::Up { at, info } => {
                self.take_down();
                self.link = Some(OnLink::new(*at, info));
                self.inspected = false;
                if self.goal == Goal::Inspect {
                    self.status_due = None;
                }
                if let Some(recording) = &mut self.recording {
                    // Forgotten at a reboot, so said before every START.
                    recording.chosen.clear();
                }
            }
            LinkEvent::Frame { at, chan, bytes } if *chan == STREAM_CHAN => self.take_frame(bytes, *at, said),
            LinkEvent::Frame { at, chan, bytes } if *chan == CONTROL_CHAN => self.take_control(bytes, *at, said),
            LinkEvent::Frame { at, chan, bytes } if *chan == TIME_CHAN => self.take_time(bytes, *at, said),
            LinkEvent::Frame { .. } => said.push(Said::Refused { rule: "channel" }),
            LinkEvent::Answered {
                began, asked, result, ..
            } => self.take_answer(*began, *asked, result, said),
            // What was dropped shows as holes, unanswered requests and jumps of the event counter.
            LinkEvent::Overflowed { .. } => {}
            LinkEvent::Down { .. } => self.take_down(),
        }
    }

    // --------------------------------------------------------------------------------------------------- commands

    fn next_command(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<Command> {
        self.now = self.now.max(now);
        if let Some(recording) = &mut self.recording {
            recording.drop_old(now, said);
        }
        let link = self.link.as_mut()?;
        if let Some((what, answer)) = link.overdue(now)
            && !link.closing
        {
            link.closing = true;
            let answer = answer.to_owned();
            self.tell(what, Note::CommandFailed { what, answer }, said);
        }
        self.notice_silence(now, said);
        let is_done = self.progress() == Progress::Done;
        let link = self.link.as_mut()?;
        if link.closing || is_done {
            link.closing = true;
            return Some(Command::Close);
        }
        if link.is_busy() {
            return None;
        }
        if let Some(subscribe) = link.next_subscription() {
            return Some(link.give(subscribe, now));
        }
        let times = self.goal != Goal::Inspect && link.is_greeted() && !link.is_stranger();
        if times && let Some(ping) = link.ping(now) {
            return Some(ping);
        }
        if link.flight.is_some() {
            return None;
        }
        let wants_bond = link.is_stranger() && self.goal != Goal::Inspect && link.pairing == Pairing::Untried;
        if link.can_pair && (wants_bond || link.pairing == Pairing::Asked) {
            link.pairing = Pairing::Asked;
            return Some(link.give(Command::Read(SECURE_CHAN), now));
        }
        let body = self.next_request(now, said)?;
        self.link.as_mut()?.request(body, now)
    }

    fn notice_silence(&mut self, now: SessionTime, said: &mut Vec<Said>) {
        let running = self.recording.as_ref().is_some_and(|r| r.session == Session::Running);
        let Some(link) = self.link.as_mut() else { return };
        if !running || !link.attached || link.closing {
            return;
        }
        let silent = now.since(link.heard);
        if silent >= SILENT_S {
            link.closing = true;
        }
        if silent >= NO_DATA_S {
            self.tell("silent", Note::NoData, said);
        }
    }

    fn hole_due(&self) -> Option<SessionTime> {
        let recording = self.recording.as_ref()?;
        let waiting = self.hurried || recording.active().any(|s| s.tracker().is_asking());
        let holes = recording.active().flat_map(|s| s.tracker().holes());
        let quiet = holes.map(|hole| SessionTime::from_nanos(hole.quiet_since_ns).plus(QUIET_S));
        quiet.min().filter(|_| !waiting)
    }

    fn count_data(&mut self, said: &[Said]) {
        let data = |s: &&Said| matches!(s, Said::Block(_) | Said::Missing(_) | Said::Mark { .. });
        self.said_data += said.iter().filter(data).count() as u64;
    }
}

impl Driver for LopeDriver {
    fn on_event(&mut self, event: &LinkEvent, said: &mut Vec<Said>) {
        let before = said.len();
        self.take(event, said);
        self.count_data(&said[before..]);
    }

    fn wish(&mut self, wish: Wish, now: SessionTime) {
        self.now = self.now.max(now);
        match wish {
            Wish::Inspect => {
                self.goal = Goal::Inspect;
                (self.unable, self.inspected, self.status_due) = (false, false, None);
                self.told.clear();
            }
            Wish::Stream(wanted) => {
                let same = |r: &Recording| r.wanted.session == wanted.session && !r.done;
                if !self.recording.as_ref().is_some_and(same) {
                    self.recording = Some(Recording::new(wanted));
                }
                self.goal = Goal::Stream;
                self.unable = false;
                self.told.clear();
            }
            Wish::Stop => {
                self.goal = Goal::Stop;
                self.unable = false;
                if let Some(recording) = &mut self.recording {
                    recording.stay_with_the_last();
                }
                match &mut self.recording {
                    // Nothing was begun, so nothing is to be ended.
                    Some(recording) if recording.session == Session::None => recording.done = true,
                    Some(_) => {}
                    None => self.recording = None,
                }
            }
            Wish::Identify { seconds } => self.identify = Some(seconds.min(LONGEST_IDENTIFY_S)),
            Wish::Mark => {
                self.marked_data.get_or_insert(self.said_data);
                for stream in self.recording.iter_mut().flat_map(|r| &mut r.streams) {
                    stream.mark();
                }
            }
            Wish::AllSafe => {
                self.safe_data = self.marked_data.take().unwrap_or(self.said_data);
                for stream in self.recording.iter_mut().flat_map(|r| &mut r.streams) {
                    stream.all_safe();
                }
            }
            Wish::Hurried => self.hurried = true,
            Wish::AtEase => self.hurried = false,
        }
    }

    fn poll(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<Command> {
        let before = said.len();
        let command = self.next_command(now, said);
        self.count_data(&said[before..]);
        command
    }

    fn wake_at(&self) -> Option<SessionTime> {
        let link = self.link.as_ref().filter(|link| !link.closing)?;
        let running = link.attached && self.recording.as_ref().is_some_and(|r| r.session == Session::Running);
        let silence = if self.told.contains("silent") {
            SILENT_S
        } else {
            NO_DATA_S
        };
        let silent = running.then(|| link.heard.plus(silence));
        let idle = link.attached && link.flight.is_none() && !link.is_busy();
        let hole = self.hole_due().filter(|_| idle);
        let status = self.status_due.filter(|_| idle && !self.hurried);
        [link.wake_at(), silent, hole, status].into_iter().flatten().min()
    }

    fn progress(&self) -> Progress {
        if self.unable {
            return Progress::Unable;
        }
        let recording = self.recording.as_ref();
        if self.goal == Goal::Stop && recording.is_none_or(|r| r.done) {
            return Progress::Done;
        }
        let Some(link) = &self.link else {
            return Progress::Away;
        };
        let session = recording.filter(|_| link.attached).map(|r| (r.session, r.confirmed));
        match (self.goal, session) {
            (Goal::Inspect, _) if self.inspected => Progress::Inspected,
            (Goal::Stream, _) if self.has_ended_for_good() && self.said_data == self.safe_data => Progress::Unable,
            (Goal::Stream, Some((Session::Running, true))) => Progress::Streaming,
            (Goal::Stream | Goal::Stop, Some((Session::Ended(_), _))) => Progress::Fetching,
            _ => Progress::Working,
        }
    }
}
