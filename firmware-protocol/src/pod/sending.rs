//! What a pod sends besides replies: live frames, backfilled frames, events, PONGs.

use super::stream::PodStream;
use super::{Outbox, Pod, Radio};
use crate::codec::Writer;
use crate::frame::encode_data_in_place;
use crate::gatt::Channel;
use crate::{
    BootId, Clipping, Continuity, DataHeader, Entry, Event, EventBody, FRAME_HEADER, FrameFlags, Gap, HighGEntry,
    Imu9Entry, ImuEntry, Kind, LONGEST_FRAME, Mark, Ping, PodTime, Pong, RangeDone, RangeOutcome, StreamId,
    TimeMessage, entries_per_frame,
};

/// A live frame is sent at the latest this long after its first sample.
const LATEST_LIVE_US: u64 = 200_000;
/// What is older than this is not sent live any more.
const OLDEST_LIVE_US: u64 = 1_000_000;

/// What became of a step of backfill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackfillStep {
    /// One frame was sent.
    Sent,
    /// One frame was sent, and RANGE_DONE after it.
    SentLast,
    /// No RANGE is being answered.
    Idle,
}

impl<const S: usize> Pod<'_, S> {
    /// Sends the live frames that have waited 200 ms, and skips what is older than 1 s. To be called by a timer.
    pub fn send_due_frames(&mut self, out: &mut impl Outbox) {
        for number in 0..S {
            let Some(stream) = StreamId::new(number as u8) else {
                continue;
            };
            let now = self.now;
            let sending = &mut self.streams[number];
            while let Ok((note, _)) = sending.ring.sample(sending.unsent)
                && now.us_since(note.time) > OLDEST_LIVE_US
            {
                sending.unsent += 1;
            }
            let first = sending.ring.sample(sending.unsent);
            if first.is_ok_and(|(note, _)| now.us_since(note.time) >= LATEST_LIVE_US) {
                self.flush(stream, out);
            }
        }
    }

    /// Sends the next backfilled frame of a RANGE. To be called when no live frame waits.
    pub fn backfill_step(&mut self, out: &mut impl Outbox) -> BackfillStep {
        let Some(mut job) = self.job else {
            return BackfillStep::Idle;
        };
        let most = self.entries_per_frame(job.span.stream);
        let mut buffer = [0; LONGEST_FRAME];
        let end = job.span.end();
        let flags = FrameFlags {
            backfill: true,
            ..FrameFlags::default()
        };
        let answered = self.session_stream(job.span.stream).and_then(|stream| {
            let cut = cut(stream, job.at, end, most);
            let frame = write_cut(stream, &cut, flags, &mut buffer)?;
            out.send(Channel::Stream, frame);
            Some(cut)
        });
        // A range lies inside the session, so a frame can always be cut; if not, it ends here rather than never.
        let cut = answered.unwrap_or(Cut {
            first: job.at,
            count: end - job.at,
            lost: None,
        });
        job.at = job.at.saturating_add(cut.count);
        if cut.lost.is_some() {
            // A range has at most 65535 indices.
            job.gaps = job.gaps.saturating_add(u16::try_from(cut.count).unwrap_or(u16::MAX));
        }
        if job.at < end {
            self.job = Some(job);
            return BackfillStep::Sent;
        }
        self.end_range(RangeOutcome::Complete, job.gaps, out);
        BackfillStep::SentLast
    }

    /// A RANGE that is being answered is over.
    pub(super) fn end_range(&mut self, outcome: RangeOutcome, gaps: u16, out: &mut impl Outbox) {
        if let Some(job) = self.job.take() {
            let done = RangeDone {
                txn: job.txn,
                outcome,
                span: job.span,
                gaps,
            };
            self.send_event_to_link(EventBody::RangeDone(done), out);
        }
    }

    /// Answers a write to Time: `t2` when it was handled, `t3` when the PONG was queued. Says nothing to a link that has
    /// not greeted or may not ask, and nothing to bytes that are no PING.
    pub fn write_time(&mut self, bytes: &[u8], t2: PodTime, t3: PodTime, out: &mut impl Outbox) {
        let may_ask = self.link.is_some_and(|link| link.greeted) && !self.is_stranger();
        if let (true, Ok(TimeMessage::Ping(Ping { seq }))) = (may_ask, TimeMessage::decode(bytes)) {
            let pong = TimeMessage::Pong(Pong {
                at_radio_event: false,
                seq,
                t2,
                t3,
            });
            if let Ok(bytes) = pong.encode(&mut [0; crate::PONG]) {
                out.send(Channel::Time, bytes);
            }
        }
    }

    /// This run of the pod's clock.
    pub fn boot_id(&self) -> BootId {
        self.boot_id
    }

    pub(super) fn entries_per_frame(&self, stream: StreamId) -> u32 {
        let mtu = self.link.map_or(0, |link| link.link.att_mtu);
        let kind = self
            .streams
            .get(stream.as_usize())
            .map_or(Kind::Imu6, |stream| stream.kind);
        (entries_per_frame(kind, mtu) as u32).max(1)
    }

    pub(super) fn send_full_frames(&mut self, stream: StreamId, out: &mut impl Outbox) {
        let most = self.entries_per_frame(stream);
        while self
            .streams
            .get(stream.as_usize())
            .is_some_and(|stream| stream.ring.next() - stream.unsent >= most)
        {
            if !self.send_live(stream, most, out) {
                return;
            }
        }
    }

    /// Sends the partial frame of a stream.
    pub(super) fn flush(&mut self, stream: StreamId, out: &mut impl Outbox) {
        let waiting = self
            .streams
            .get(stream.as_usize())
            .map_or(0, |stream| stream.ring.next() - stream.unsent);
        self.send_live(stream, waiting, out);
    }

    pub(super) fn flush_all(&mut self, out: &mut impl Outbox) {
        for stream in (0..S).filter_map(|number| StreamId::new(number as u8)) {
            self.flush(stream, out);
        }
    }

    /// Sends `count` samples live, or skips them if the radio is blocked. False if nobody is attached: then they wait,
    /// and RESUME will skip them.
    fn send_live(&mut self, stream: StreamId, count: u32, out: &mut impl Outbox) -> bool {
        if !self.is_attached() {
            return false;
        }
        let (most, blocked) = (self.entries_per_frame(stream), self.radio == Radio::Blocked);
        let Some(sending) = self.streams.get_mut(stream.as_usize()) else {
            return false;
        };
        let end = sending.unsent + count;
        while !blocked && sending.unsent < end {
            let cut = cut(sending, sending.unsent, end, most);
            let mut buffer = [0; LONGEST_FRAME];
            if let Some(frame) = write_cut(sending, &cut, FrameFlags::default(), &mut buffer) {
                out.send(Channel::Stream, frame);
            }
            sending.unsent += cut.count;
        }
        sending.unsent = end;
        true
    }

    pub(super) fn send_live_gap(&mut self, stream: StreamId, index: u32, count: u32, out: &mut impl Outbox) {
        if !self.is_attached() || self.radio == Radio::Blocked {
            return;
        }
        let (time, cfg_id, reason) = (None, None, crate::LossReason::NotSampled);
        let gap = Gap {
            stream,
            flags: FrameFlags::default(),
            index,
            time,
            cfg_id,
            count,
            reason,
        };
        if let Ok(bytes) = gap.encode(&mut [0; crate::GAP_FRAME]) {
            out.send(Channel::Stream, bytes);
        }
    }

    /// An event for the attached connection; nobody else hears events.
    pub(super) fn send_event(&mut self, body: EventBody, out: &mut impl Outbox) {
        if self.is_attached() {
            self.send_event_to_link(body, out);
        }
    }

    fn send_event_to_link(&mut self, body: EventBody, out: &mut impl Outbox) {
        let Some(link) = &mut self.link else { return };
        let event = Event {
            seq: link.next_event,
            body,
        };
        if let Ok(bytes) = event.encode(&mut [0; 64]) {
            link.next_event = link.next_event.wrapping_add(1);
            out.send(Channel::Control, bytes);
        }
    }
}

/// Indices that go into one frame: all data, or all lost for one reason.
struct Cut {
    first: u32,
    count: u32,
    lost: Option<crate::LossReason>,
}

/// The longest frame from `first` on, before `end`.
fn cut(stream: &PodStream<'_>, first: u32, end: u32, most: u32) -> Cut {
    let ring = &stream.ring;
    let (count, lost) = match ring.sample(first) {
        Err(reason) => (
            (first..end)
                .take_while(|index| ring.sample(*index).err() == Some(reason))
                .count(),
            Some(reason),
        ),
        Ok((start, _)) => {
            let continues = |index: u32| {
                let next = ring.sample(index).ok().map(|(note, _)| note);
                next.is_some_and(|note| note.cfg_id == start.cfg_id && note.continuity == Continuity::Follows)
            };
            let last = end.min(first.saturating_add(most));
            (
                1 + (first + 1..last).take_while(|index| continues(*index)).count(),
                None,
            )
        }
    };
    Cut {
        first,
        count: count as u32,
        lost,
    }
}

fn write_cut<'o>(
    stream: &PodStream<'_>,
    cut: &Cut,
    flags: FrameFlags,
    buffer: &'o mut [u8; LONGEST_FRAME],
) -> Option<&'o [u8]> {
    if let Some(reason) = cut.lost {
        let gap = Gap {
            stream: stream.id,
            flags,
            index: cut.first,
            time: None,
            cfg_id: None,
            count: cut.count,
            reason,
        };
        return gap.encode(buffer).ok();
    }
    let (start, _) = stream.ring.sample(cut.first).ok()?;
    let limits = stream.config(start.cfg_id)?.record.clip_limits();
    let mut clipping = Clipping::default();
    let mut writer = Writer::new(&mut buffer[FRAME_HEADER..]);
    for index in cut.first..cut.first + cut.count {
        let (_, bytes) = stream.ring.sample(index).ok()?;
        clipping = clipping.or(match stream.kind {
            Kind::Imu6 => ImuEntry::read(bytes).clipping(limits),
            Kind::Imu9 => Imu9Entry::read(bytes).clipping(limits),
            Kind::HighG => HighGEntry::read(bytes).clipping(limits),
            Kind::Marks => Mark::read(bytes).clipping(limits),
        });
        writer.bytes(&bytes[..stream.kind.entry_bytes()]).ok()?;
    }
    let after_gap = start.continuity == Continuity::AfterOverrun;
    let header = DataHeader {
        stream: stream.id,
        flags: FrameFlags { after_gap, ..flags }.with_clipping(clipping),
        index: cut.first,
        time: start.time,
        cfg_id: start.cfg_id,
    };
    encode_data_in_place(&header, stream.kind, cut.count as usize, buffer).ok()
}
