//! How a pod answers requests, in the order of checks that SPEC.md section 5.4 fixes.
//!
//! The order is fixed so that two makers give the same answer, a test can check it, and a stranger learns nothing from the
//! difference.

use super::stream::{Choice, MOST_CONFIGS};
use super::{BondPolicy, Identify, Outbox, Pod, RangeJob, Session};
use crate::gatt::{ATT_CCCD_IMPROPERLY_CONFIGURED, ATT_INVALID_LENGTH, Channel, SMALLEST_MTU};
use crate::{
    Answer, Body, CalibPiece, CapsPage, CfgId, Configuration, EncodeError, EndReason, HelloReply, LONGEST_CONTROL,
    LimitCaps, MAJOR, MINOR, Op, PodState, RangeOutcome, RangeSpan, Reply, Request, RequestBody, RingCaps, Rows,
    Security, SessionView, StartOrder, StartedSession, StartedStream, Status, StreamId, StreamStatus, Tlv, TlvWriter,
    Txn, Wish, calib_piece_room, crc,
};

/// TLVs of one page, so that it fits an ATT MTU of 100 with its head.
const CAPS_PAGE_ROOM: usize = SMALLEST_MTU as usize - 3 - 5;
/// A stranger may let it blink at most this often.
const STRANGER_IDENTIFY_US: u64 = 10_000_000;
/// Longest piece of calibration in one reply.
const MOST_PIECE: usize = LONGEST_CONTROL - 11;

/// An error of the attribute protocol instead of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttError(pub u8);

type Answered<T> = Result<T, Status>;

impl<const S: usize> Pod<'_, S> {
    /// One write to Control. What is to be sent goes to `out` in order: partial frames, the reply, events.
    pub fn write_control(&mut self, bytes: &[u8], out: &mut impl Outbox) -> Result<(), AttError> {
        if !self.link.is_some_and(|link| link.link.control_indications) {
            return Err(AttError(ATT_CCCD_IMPROPERLY_CONFIGURED));
        }
        let request = match Request::decode(bytes) {
            Ok(request) => request,
            Err(refusal) => {
                let reply = Reply::to_unreadable(bytes, &refusal).ok_or(AttError(ATT_INVALID_LENGTH))?;
                self.count_refusal();
                out.send(Channel::Control, &reply);
                return Ok(());
            }
        };
        let interrupted = self.job;
        let mut page = [0; CAPS_PAGE_ROOM];
        let allowed = self.check(&request.body);
        let answered = allowed.and_then(|()| self.perform(request.txn, &request.body, &mut page, out));
        let answer = match answered {
            Ok(body) => Answer::Done(body),
            Err(status) => Answer::Refused {
                op: request.body.op(),
                status,
            },
        };
        let refused = answered.is_err();
        if let Ok(bytes) = (Reply {
            txn: request.txn,
            answer,
        })
        .encode(&mut [0; LONGEST_CONTROL])
        {
            out.send(Channel::Control, bytes);
        }
        self.note_outcome(refused);
        // START by force and ERASE take away what a RANGE was about.
        if let (Some(job), false) = (interrupted, refused)
            && matches!(request.body, RequestBody::Start(_) | RequestBody::Erase { .. })
        {
            self.job = Some(job);
            self.end_range(RangeOutcome::Aborted, job.gaps, out);
        }
        Ok(())
    }

    fn note_outcome(&mut self, refused: bool) {
        match &mut self.link {
            Some(link) if !refused => link.refused_in_a_row = 0,
            _ => self.count_refusal(),
        }
    }

    pub(super) fn count_refusal(&mut self) {
        if let Some(link) = &mut self.link {
            link.refused_in_a_row = link.refused_in_a_row.saturating_add(1);
        }
    }

    /// A bond is needed and this link has none.
    pub(super) fn is_stranger(&self) -> bool {
        self.setup.bond == BondPolicy::Required && !self.link.is_some_and(|link| link.link.bonded)
    }

    /// The checks that operations share, in their order.
    pub(super) fn check(&self, body: &RequestBody) -> Answered<()> {
        let op = body.op();
        let Some(link) = &self.link else {
            return Err(Status::NotAttached);
        };
        if op == Op::Hello {
            // A host_major of 0 is `param` already, and this pod speaks the lowest major there is.
            return Ok(());
        }
        let refusals = [
            (!link.greeted, Status::HelloFirst),
            (link.link.att_mtu < SMALLEST_MTU, Status::Mtu),
            (
                self.is_stranger() && !matches!(op, Op::GetCaps | Op::Identify),
                Status::Auth,
            ),
            (
                body.stream().is_some_and(|stream| stream.as_usize() >= S),
                Status::NotFound,
            ),
            (
                matches!(op, Op::Start | Op::Resume) && !link.link.stream_notifications,
                Status::Cccd,
            ),
            (
                matches!(op, Op::Stop | Op::Range | Op::Ack | Op::Erase) && !link.attached,
                Status::NotAttached,
            ),
            (body.session().is_some_and(|id| !self.has_session(id)), Status::Session),
        ];
        refusals
            .into_iter()
            .find(|(refused, _)| *refused)
            .map_or(Ok(()), |(_, status)| Err(status))
    }

    fn has_session(&self, id: crate::SessionId) -> bool {
        self.session
            .is_some_and(|session| session.id.matches_in_constant_time(id))
    }

    fn perform<'p>(
        &mut self,
        txn: Txn,
        body: &RequestBody,
        page: &'p mut [u8; CAPS_PAGE_ROOM],
        out: &mut impl Outbox,
    ) -> Answered<Body<'p>>
    where
        Self: 'p,
    {
        match *body {
            RequestBody::Hello { .. } => Ok(Body::Hello(self.hello())),
            RequestBody::GetCaps { page: number } => self.caps(number, page).map(Body::GetCaps),
            RequestBody::GetConfig { stream, cfg_id } => self.get_config(stream, cfg_id).map(Body::GetConfig),
            RequestBody::SetConfig(wish) => self.set_config(&wish, out).map(Body::SetConfig),
            RequestBody::Start(order) => self.start(&order).map(Body::Start),
            RequestBody::Resume { .. } => self.resume().map(Body::Resume),
            RequestBody::Stop { .. } => self.stop(out).map(Body::Stop),
            RequestBody::Range(span) => self.range(txn, span).map(Body::Range),
            RequestBody::Ack { stream, upto } => self.ack(stream, upto).map(|acked| Body::Ack { stream, acked }),
            RequestBody::Identify { seconds, pattern } => {
                self.identify(Identify { seconds, pattern }).map(|()| Body::Identify)
            }
            RequestBody::CalibRead { offset } => self.calib_read(offset, page).map(Body::CalibRead),
            RequestBody::GetStatus { stream } => self.status(stream).map(Body::GetStatus),
            RequestBody::Erase { .. } => self.erase().map(|()| Body::Erase),
        }
    }

    fn hello(&mut self) -> HelloReply {
        let known = !self.is_stranger();
        let mut security = Security {
            bond_required: self.setup.bond == BondPolicy::Required,
            ..Security::default()
        };
        if let Some(link) = &mut self.link {
            link.greeted = true;
            security.bonded = link.link.bonded;
        }
        HelloReply {
            major: MAJOR,
            minor: MINOR,
            state: self.state(),
            security,
            n_streams: S as u8,
            boot_id: known.then_some(self.boot_id),
            pod_uid: known.then_some(self.setup.pod_uid),
        }
    }

    /// Page 0 tells about the pod, each page after it about one stream.
    fn write_caps_page(&self, page: u8, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let mut writer = TlvWriter::new(buffer);
        let setup = &self.setup;
        if let Some(stream) = page
            .checked_sub(1)
            .and_then(|number| self.streams.get(usize::from(number)))
        {
            let caps = (stream.rates_mhz, stream.acc_ranges_g, stream.gyr_ranges_dps);
            writer.push_stream(stream.id, stream.kind, caps.0, caps.1, caps.2)?;
            let (capacity, storage) = (stream.ring.capacity(), setup.storage);
            writer.push(&Tlv::Ring(RingCaps {
                stream: stream.id,
                capacity,
                storage,
            }))?;
        } else {
            let limits = LimitCaps {
                max_configs: MOST_CONFIGS as u8,
                ..setup.limits
            };
            writer
                .push(&Tlv::Vendor(setup.vendor))?
                .push(&Tlv::Product(setup.product))?
                .push(&Tlv::Firmware(setup.firmware))?
                .push(&Tlv::Limits(limits))?
                .push(&Tlv::Clock(setup.clock))?
                .push(&Tlv::Features(setup.features))?;
        }
        Ok(writer.finish().len())
    }

    pub(super) fn check_caps_pages(&self) -> Result<(), EncodeError> {
        (0..=S as u8).try_for_each(|page| self.write_caps_page(page, &mut [0; CAPS_PAGE_ROOM]).map(|_| ()))
    }

    fn caps<'p>(&self, page: u8, buffer: &'p mut [u8; CAPS_PAGE_ROOM]) -> Answered<CapsPage<'p>> {
        if usize::from(page) > S {
            return Err(Status::Param);
        }
        // The pages were tried when the pod was made.
        let length = self.write_caps_page(page, buffer).map_err(|_| Status::Hardware)?;
        CapsPage::new(page, S as u8 + 1, &buffer[..length]).map_err(|_| Status::Hardware)
    }

    fn get_config(&self, stream: StreamId, cfg_id: Option<CfgId>) -> Answered<Configuration> {
        let stream = &self.streams[stream.as_usize()];
        match cfg_id {
            Some(cfg_id) => stream
                .config(cfg_id)
                .map(|config| config.record)
                .ok_or(Status::NotFound),
            None => {
                let current = stream.current().filter(|_| self.is_running());
                Ok(current.map_or_else(|| stream.chosen(), |config| config.record))
            }
        }
    }

    /// What a SET_CONFIG in a running session would change; `None` if nothing.
    pub(super) fn planned_change(&self, wish: &Wish) -> Answered<Option<Choice>> {
        if !self.is_attached() {
            return Err(Status::NotAttached);
        }
        let stream = &self.streams[wish.stream.as_usize()];
        let choice = stream.choice_for(wish);
        if choice == stream.choice {
            return Ok(None);
        }
        if choice.enabled != stream.choice.enabled || !stream.is_in_session() {
            return Err(Status::State);
        }
        if !stream.has_room_for_config() {
            return Err(Status::Busy);
        }
        Ok(Some(choice))
    }

    fn set_config(&mut self, wish: &Wish, out: &mut impl Outbox) -> Answered<Configuration> {
        let number = wish.stream.as_usize();
        if !self.is_running() {
            let stream = &mut self.streams[number];
            stream.choice = stream.choice_for(wish);
            return Ok(stream.chosen());
        }
        let Some(choice) = self.planned_change(wish)? else {
            let stream = &self.streams[number];
            let current = stream.current().map(|config| config.record);
            return Ok(current.unwrap_or_else(|| stream.chosen()));
        };
        self.flush(wish.stream, out);
        self.streams[number].choice = choice;
        self.switch(wish.stream).ok_or(Status::NotFound)
    }

    /// The checks of START that need no sensor, in their order.
    pub(super) fn check_start(&self, order: &StartOrder) -> Answered<()> {
        if self.has_session(order.session_id) {
            return Err(Status::Exists);
        }
        match self.state() {
            PodState::Running if self.is_attached() => return Err(Status::State),
            PodState::Running if !order.force => return Err(Status::Owned),
            PodState::Ended if self.has_unread() && !order.force => return Err(Status::Unread),
            _ => {}
        }
        if !self.streams.iter().any(|stream| stream.choice.enabled) {
            return Err(Status::State);
        }
        Ok(())
    }

    fn start(&mut self, order: &StartOrder) -> Answered<StartedSession> {
        self.check_start(order)?;
        self.job = None;
        self.streams.iter_mut().for_each(|stream| stream.clear());
        self.session = Some(Session {
            id: order.session_id,
            boot_id: self.boot_id,
            running: true,
            reason: EndReason::NotByItself,
            linger_s: order.linger_s.min(self.setup.limits.max_linger_s),
            alone_since: None,
        });
        self.attach();
        let mut rows = Rows::EMPTY;
        for number in 0..S {
            if self.streams[number].choice.enabled {
                let (cfg_id, now) = (self.new_cfg_id(), self.now);
                self.streams[number].open_config(cfg_id, now);
                rows.push(StartedStream {
                    stream: self.streams[number].id,
                    cfg_id,
                });
            }
        }
        Ok(StartedSession {
            time: self.now,
            streams: rows,
        })
    }

    fn has_unread(&self) -> bool {
        let mut in_session = self.streams.iter().filter(|stream| stream.is_in_session());
        in_session.any(|stream| stream.ring.acked() < stream.ring.next())
    }

    fn attach(&mut self) {
        if let Some(link) = &mut self.link {
            link.attached = true;
        }
        if let Some(session) = &mut self.session {
            session.alone_since = None;
        }
    }

    fn view(&self) -> Answered<SessionView> {
        let session = self.session.ok_or(Status::Session)?;
        Ok(SessionView {
            state: self.state(),
            reason: session.reason,
            session_boot_id: Some(session.boot_id),
            streams: self.streams.iter().filter_map(|stream| stream.session_row()).collect(),
        })
    }

    fn resume(&mut self) -> Answered<SessionView> {
        self.attach();
        // The first live frame begins exactly at `next`; what waited in a half-full frame comes by RANGE.
        for stream in &mut self.streams {
            stream.unsent = stream.ring.next();
        }
        self.view()
    }

    fn stop(&mut self, out: &mut impl Outbox) -> Answered<SessionView> {
        if self.is_running() {
            self.flush_all(out);
        }
        if let Some(session) = &mut self.session {
            session.running = false;
        }
        self.view()
    }

    fn range(&mut self, txn: Txn, span: RangeSpan) -> Answered<RangeSpan> {
        let stream = self.session_stream(span.stream).ok_or(Status::NotFound)?;
        if span.end() > stream.ring.next() || span.count > self.setup.limits.max_range {
            return Err(Status::Param);
        }
        if self.job.is_some() {
            return Err(Status::Busy);
        }
        self.job = Some(RangeJob {
            txn,
            span,
            at: span.first,
            gaps: 0,
        });
        Ok(span)
    }

    fn ack(&mut self, stream: StreamId, upto: u32) -> Answered<u32> {
        let stream = &mut self.streams[stream.as_usize()];
        if !stream.is_in_session() {
            return Err(Status::NotFound);
        }
        if upto > stream.ring.next() {
            return Err(Status::Param);
        }
        stream.ring.acknowledge(upto);
        Ok(stream.ring.acked())
    }

    fn identify(&mut self, wish: Identify) -> Answered<()> {
        if self.is_stranger() {
            let recent = |last| self.now.us_since(last) < STRANGER_IDENTIFY_US;
            if self.last_stranger_identify.is_some_and(recent) {
                return Err(Status::Busy);
            }
            self.last_stranger_identify = Some(self.now);
        }
        self.identify = Some(wish);
        Ok(())
    }

    fn calib_read<'p>(&self, offset: u16, room: &'p mut [u8; CAPS_PAGE_ROOM]) -> Answered<CalibPiece<'p>> {
        let blob = self.setup.calibration;
        let total = u16::try_from(blob.len()).map_err(|_| Status::Hardware)?;
        if total == 0 {
            return Err(Status::NotFound);
        }
        if offset >= total {
            return Err(Status::Param);
        }
        let mtu = self.link.map_or(0, |link| link.link.att_mtu);
        let rest = &blob[usize::from(offset)..];
        let length = rest.len().min(calib_piece_room(mtu)).min(MOST_PIECE).min(room.len());
        room[..length].copy_from_slice(&rest[..length]);
        Ok(CalibPiece {
            total,
            offset,
            crc32: crc::crc32(blob),
            bytes: &room[..length],
        })
    }

    fn status(&self, stream: StreamId) -> Answered<StreamStatus> {
        let stream = &self.streams[stream.as_usize()];
        let row = stream.session_row();
        Ok(StreamStatus {
            state: self.state(),
            time: self.now,
            battery_percent: self.health.battery_percent,
            temperature_cdeg: self.health.temperature_cdeg,
            stream: stream.id,
            cfg_id: row.map(|row| row.cfg_id),
            oldest: row.map_or(0, |row| row.oldest),
            next: row.map_or(0, |row| row.next),
            acked: row.map_or(0, |_| stream.ring.acked()),
            overruns: row.map_or(0, |_| stream.overruns),
        })
    }

    fn erase(&mut self) -> Answered<()> {
        if self.is_running() {
            return Err(Status::State);
        }
        self.detach();
        self.session = None;
        self.streams.iter_mut().for_each(|stream| stream.clear());
        Ok(())
    }
}
