//! What a pod says on Control, and what follows from it.

use super::link::Pairing;
use super::next::{in_wire_units, is_final};
use super::recording::Session;
use super::{Goal, LopeDriver};
use crate::model::SessionTime;
use crate::sensors::said::{MissingWhy, Note, Said};
use firmware_protocol::{
    Answer, Body, Configuration, EndReason, Event, EventBody, FaultCode, HelloReply, Indication, Kind, MAJOR, MINOR,
    Op, PodState, Reply, RequestBody, Status, StreamStatus,
};

/// What to do when a bond is needed and the system did not make one by itself.
const HOW_TO_PAIR: &str =
    "press the sensor's button or put it on its charger, then pair with it in the system's Bluetooth settings";

impl LopeDriver {
    pub(super) fn take_control(&mut self, bytes: &[u8], at: SessionTime, said: &mut Vec<Said>) {
        match Indication::decode(bytes) {
            Ok(Indication::Reply(reply)) => self.take_reply(&reply, at, said),
            Ok(Indication::Event(event)) => self.take_event(&event, said),
            Err(refusal) => said.push(Said::Refused { rule: refusal.rule() }),
        }
    }

    fn take_reply(&mut self, reply: &Reply<'_>, at: SessionTime, said: &mut Vec<Said>) {
        let Some(link) = self.link.as_mut() else { return };
        let (news, answered) = link.take_reply(reply.txn);
        if !news {
            return;
        }
        match reply.answer {
            Answer::Done(body) => self.take_body(&body, at, said),
            Answer::NoCommonVersion(hello) => self.other_version(&hello, said),
            Answer::Refused { op, status } => match answered {
                Some(body) => self.refused(&body, status, at, said),
                // Says itself what it is about: a log means the same without the commands.
                None if op == Op::Resume => self.resume_refused(status, at, said),
                None => {}
            },
        }
    }

    fn take_body(&mut self, body: &Body<'_>, at: SessionTime, said: &mut Vec<Said>) {
        let boot = self.known.boot;
        match *body {
            Body::Hello(hello) => self.take_hello(&hello, said),
            Body::GetCaps(page) => self.known.take_page(&page, said),
            Body::GetConfig(record) => self.learn(&record, said),
            Body::SetConfig(record) => {
                self.say_what_differs(&record, said);
                if let Some(recording) = &mut self.recording {
                    recording.chosen.retain(|c| c.stream != record.stream);
                    recording.chosen.push(record);
                }
                self.learn(&record, said);
            }
            Body::Start(started) => {
                if let Some(recording) = &mut self.recording {
                    recording.begin(&started, boot, at, said);
                }
                self.attached(at);
            }
            Body::Resume(view) => {
                if let Some(recording) = &mut self.recording {
                    let was = std::mem::replace(&mut recording.session, Session::None);
                    recording.take_view(&view, boot, at, said);
                    if let (Session::Ended(reason), false) = (recording.session, matches!(was, Session::Ended(_))) {
                        self.say_ended(reason, said);
                    }
                }
                self.attached(at);
            }
            Body::Stop(view) => {
                if let Some(recording) = &mut self.recording {
                    recording.take_view(&view, boot, at, said);
                    // The last frames may be on their way behind the reply; no other session follows.
                    (recording.stopped, recording.asleep) = (true, false);
                }
            }
            Body::CalibRead(piece) => self.known.take_calibration(&piece, said),
            Body::GetStatus(status) => self.take_status(&status, said),
            Body::Erase => {
                if let Some(recording) = &mut self.recording {
                    recording.done = true;
                }
            }
            Body::Range(_) | Body::Ack { .. } | Body::Identify => {}
        }
    }

    fn take_hello(&mut self, hello: &HelloReply, said: &mut Vec<Said>) {
        if hello.major != MAJOR {
            self.other_version(hello, said);
            return;
        }
        let other_pod = self.known.uid.is_some() && hello.pod_uid.is_some() && self.known.uid != hello.pod_uid;
        if other_pod && self.recording.as_ref().is_some_and(|r| r.session != Session::None) {
            // It says who it is, so that whoever opened the link sees that it is another one; ours is still away.
            let mut other = super::known::Known::default();
            other.greet(hello, said);
            self.close();
            return;
        }
        let rebooted = self.known.boot.is_some() && hello.boot_id.is_some() && self.known.boot != hello.boot_id;
        self.known.greet(hello, said);
        if rebooted && self.recording.is_some() {
            said.push(Said::Note(Note::Rebooted));
        }
        let Some(link) = self.link.as_mut() else { return };
        link.hello = Some(*hello);
        let (mtu, stranger) = (link.mtu, link.is_stranger());
        if mtu < firmware_protocol::gatt::SMALLEST_MTU {
            self.cannot("mtu", Note::SmallMtu(mtu), said);
        } else if stranger && self.goal != Goal::Inspect {
            let tried = self
                .link
                .as_ref()
                .is_some_and(|l| l.pairing == Pairing::Done || !l.can_pair);
            if tried {
                self.cannot("pairing", Note::NeedsPairing(HOW_TO_PAIR), said);
            }
        }
    }

    fn other_version(&mut self, hello: &HelloReply, said: &mut Vec<Said>) {
        let note = Note::Version {
            theirs: format!("{}.{}", hello.major, hello.minor),
            ours: format!("{MAJOR}.{MINOR}"),
        };
        self.cannot("version", note, said);
        self.close();
    }

    fn attached(&mut self, at: SessionTime) {
        self.told.remove("held");
        if let Some(link) = &mut self.link {
            link.attached = true;
            link.heard = at;
        }
        self.declare();
    }

    fn learn(&mut self, record: &Configuration, said: &mut Vec<Said>) {
        if let Some(recording) = &mut self.recording {
            recording.learn(record, said);
        }
        self.declare();
    }

    /// Tells the gate what the pod declares.
    fn declare(&mut self) {
        if let (Some(recording), Some(link)) = (&self.recording, &mut self.link) {
            let declared = recording.declared_hz(link.mtu);
            if declared > 0.0 {
                link.gate.declare(declared);
            }
        }
    }

    fn say_what_differs(&mut self, record: &Configuration, said: &mut Vec<Said>) {
        let Some(recording) = &self.recording else { return };
        // The high-range accelerometer is there because it differs.
        let is_six = matches!(record.kind(), Some(Kind::Imu6 | Kind::Imu9));
        if !record.enabled || !is_six {
            return;
        }
        let (rate_mhz, acc_g, gyr_dps) = in_wire_units(&recording.wanted);
        let hz = |mhz: u32| f64::from(mhz) / 1000.0;
        let mut differs = |what, wanted: f64, got: f64, unit| {
            let note = Note::NotAsWanted {
                what,
                wanted,
                got,
                unit,
            };
            said.push(Said::Note(note));
        };
        if record.rate_mhz < rate_mhz {
            differs("sampling rate", hz(rate_mhz), hz(record.rate_mhz), "Hz");
        }
        if record.acc_range_g != 0 && record.acc_range_g != acc_g {
            differs(
                "accelerometer range",
                f64::from(acc_g),
                f64::from(record.acc_range_g),
                "g",
            );
        }
        if record.gyr_range_dps != 0 && record.gyr_range_dps != gyr_dps {
            differs(
                "gyroscope range",
                f64::from(gyr_dps),
                f64::from(record.gyr_range_dps),
                "°/s",
            );
        }
    }

    fn take_status(&mut self, status: &StreamStatus, said: &mut Vec<Said>) {
        said.push(Said::Battery(status.battery_percent));
        let attached = self.link.as_ref().is_some_and(|link| link.attached);
        let running = self.recording.as_ref().is_some_and(|r| r.session == Session::Running);
        if attached && running && status.state != PodState::Running {
            self.rejoin = true;
        }
    }

    fn say_ended(&mut self, reason: EndReason, said: &mut Vec<Said>) {
        let why = match reason {
            EndReason::NotByItself => return,
            EndReason::LingerRanOut => "no computer was in reach for too long",
            EndReason::LowPower => "its battery is empty",
            EndReason::SensorFault => "its sensor failed",
            EndReason::IndexExhausted => "it has counted as far as it can",
            EndReason::StorageFault => "its storage failed",
            EndReason::Forced => "another computer took it over",
            EndReason::PowerCut => "it was switched off",
            EndReason::Other(_) => "for a reason this version does not know",
        };
        said.push(Said::Note(Note::Ended(why)));
    }

    // ----------------------------------------------------------------------------------------------------- events

    fn take_event(&mut self, event: &Event, said: &mut Vec<Said>) {
        let Some(link) = self.link.as_mut() else { return };
        let (news, missed) = link.take_event(event.seq);
        if !news {
            return;
        }
        if missed {
            self.ask_after_jump();
        }
        match event.body {
            EventBody::ConfigChanged(record) => {
                self.say_what_differs(&record, said);
                self.learn(&record, said);
            }
            EventBody::SessionEnded { reason, .. } => {
                self.say_ended(reason, said);
                if let Some(recording) = &mut self.recording {
                    recording.session = Session::Ended(reason);
                }
                // Its reply tells how far each stream came.
                self.rejoin = true;
            }
            EventBody::RangeDone(done) => {
                let now = self.now;
                if let Some(recording) = &mut self.recording {
                    recording.stream_mut(done.span.stream).take_range_done(done.span, now);
                }
            }
            EventBody::BatteryLow { percent, minutes_left } => {
                said.push(Said::Battery(Some(percent)));
                said.push(Said::Note(Note::BatteryLow { percent, minutes_left }));
            }
            EventBody::Fault { code, .. } => said.push(Said::Note(Note::Fault(match code {
                FaultCode::Sensor => "its sensor",
                FaultCode::Storage => "its storage",
                FaultCode::Clock => "its clock",
                FaultCode::Other(_) => "something this version does not know",
            }))),
            _ => {}
        }
    }

    /// An event was missed: what it may have said is asked for.
    fn ask_after_jump(&mut self) {
        let Some(recording) = &self.recording else { return };
        self.after_jump.clear();
        for stream in recording.active().map(|s| s.id) {
            self.after_jump.push(RequestBody::GetConfig { stream, cfg_id: None });
            self.after_jump.push(RequestBody::GetStatus { stream });
        }
    }

    // --------------------------------------------------------------------------------------------------- refusals

    fn refused(&mut self, body: &RequestBody, status: Status, at: SessionTime, said: &mut Vec<Said>) {
        match status {
            Status::Mtu => {
                let mtu = self.link.as_ref().map_or(0, |link| link.mtu);
                return self.cannot("mtu", Note::SmallMtu(mtu), said);
            }
            Status::Auth => {
                let tried = self
                    .link
                    .as_ref()
                    .is_none_or(|l| l.pairing == Pairing::Done || !l.can_pair);
                if tried {
                    self.cannot("pairing", Note::NeedsPairing(HOW_TO_PAIR), said);
                } else if let Some(link) = &mut self.link {
                    link.pairing = Pairing::Asked;
                }
                if let (RequestBody::Start(_), Some(recording)) = (body, &mut self.recording) {
                    recording.session = Session::None;
                }
                return;
            }
            _ => {}
        }
        match body {
            RequestBody::Start(_) => self.start_refused(status, said),
            // It runs for another host, since it was greeted.
            RequestBody::SetConfig(_) if status == Status::NotAttached => self.start_refused(Status::Owned, said),
            RequestBody::Resume { .. } => self.resume_refused(status, at, said),
            RequestBody::Range(span) => {
                if let Some(recording) = &mut self.recording {
                    let stream = recording.stream_mut(span.stream);
                    stream.tracker_mut().take_range_refused(status, at.nanos());
                }
                self.detached(status);
            }
            RequestBody::GetConfig { cfg_id: Some(id), .. } => {
                if let Some(recording) = &mut self.recording {
                    recording.forget(*id, said);
                }
            }
            RequestBody::CalibRead { .. } => self.known.no_calibration(),
            RequestBody::Stop { .. } | RequestBody::Ack { .. } | RequestBody::Erase { .. }
                if matches!(status, Status::NotAttached | Status::Session) =>
            {
                self.detached(status);
            }
            RequestBody::Identify { .. } | RequestBody::GetStatus { .. } | RequestBody::GetConfig { .. } => {
                self.failed(body.op(), status, said);
            }
            RequestBody::Ack { .. } => {}
            _ => {
                self.failed(body.op(), status, said);
                self.close();
            }
        }
    }

    /// The pod says that this link is not attached: RESUME again finds out what there is.
    fn detached(&mut self, status: Status) {
        if matches!(status, Status::NotAttached | Status::Session)
            && let Some(link) = &mut self.link
        {
            link.attached = false;
        }
    }

    fn start_refused(&mut self, status: Status, said: &mut Vec<Said>) {
        let consent = self.consent.take();
        let Some(recording) = &mut self.recording else { return };
        // `Perhaps` stays for `exists`: the pod has it, RESUME attaches to it.
        if status == Status::Exists {
            return;
        }
        recording.session = Session::None;
        match status {
            Status::Owned | Status::Unread => {
                if consent.is_some() {
                    self.force_next = true;
                    return;
                }
                let first = recording.attempt == 0 && recording.searching.is_none();
                if first {
                    recording.searching = Some(status);
                    Self::try_next_number(recording);
                } else {
                    self.belongs_to_another(status, said);
                }
            }
            Status::Power => self.cannot("power", Note::Fault("its battery is too low to start"), said),
            Status::Hardware => self.cannot("hardware", Note::Fault("its sensor or storage does not start"), said),
            other => {
                self.failed(Op::Start, other, said);
                self.close();
            }
        }
    }

    fn belongs_to_another(&mut self, status: Status, said: &mut Vec<Said>) {
        let note = match status {
            Status::Unread => Note::UnreadRecording,
            _ => Note::HeldByAnother,
        };
        self.cannot("held", note, said);
    }

    fn resume_refused(&mut self, status: Status, at: SessionTime, said: &mut Vec<Said>) {
        let now_boot = self.known.boot;
        let Some(recording) = &mut self.recording else { return };
        match status {
            Status::Session => match (recording.searching, recording.session) {
                (Some(start), _) => {
                    if !Self::try_next_number(recording) {
                        self.belongs_to_another(start, said);
                    }
                }
                // START never reached it.
                (None, Session::Perhaps) => {
                    recording.session = Session::None;
                    recording.chosen.clear();
                    if self.goal == Goal::Stop {
                        recording.stay_with_the_last();
                    }
                }
                (None, Session::None) => {}
                (None, _) => {
                    let why = if recording.boot == now_boot {
                        MissingWhy::GivenUp
                    } else {
                        MissingWhy::Reboot
                    };
                    recording.lose(why, at, said);
                }
            },
            Status::Owned => {
                // It may be our own former link, which the pod has not yet missed: tried again on the next link.
                self.tell("held", Note::HeldByAnother, said);
                self.close();
            }
            other => {
                self.failed(Op::Resume, other, said);
                self.close();
            }
        }
    }

    fn failed(&mut self, op: Op, status: Status, said: &mut Vec<Said>) {
        let note = Note::CommandFailed {
            what: op.name(),
            answer: status.name().to_owned(),
        };
        self.tell(op.name(), note, said);
    }

    /// Whether a session ended in a way that no other follows.
    pub(super) fn has_ended_for_good(&self) -> bool {
        let session = self.recording.as_ref().map(|r| (r.session, r.is_complete()));
        matches!(session, Some((Session::Ended(reason), true)) if is_final(reason))
    }
}
