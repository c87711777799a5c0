//! What to ask a pod for next.
//!
//! Nothing here remembers a place in a sequence: what is due follows from what is known, so that a link that breaks at any
//! point is taken up again where it matters.

use super::recording::{NUMBERS_TRIED, Recording, Session};
use super::{Goal, LopeDriver};
use crate::model::SessionTime;
use crate::model::units::{DEG_PER_RAD, STANDARD_GRAVITY};
use crate::sensors::driver::Wanted;
use crate::sensors::said::Said;
use firmware_protocol::{
    EndReason, Kind, MAJOR, MINOR, PodState, RequestBody, StartOrder, StreamId, Wish as StreamWish, entries_per_frame,
};

/// How long a pod goes on sampling without us, if it can, s.
const LINGER_S: u16 = 120;
/// State and battery are asked for this often, s.
const STATUS_EVERY_S: f64 = 60.0;

/// Sessions that ended for these reasons are not followed by another: the sensor cannot.
pub(super) fn is_final(reason: EndReason) -> bool {
    matches!(
        reason,
        EndReason::LowPower | EndReason::SensorFault | EndReason::StorageFault
    )
}

impl LopeDriver {
    /// The next request, if one is due. Only asked for on a greeted or fresh link without a request in flight.
    pub(super) fn next_request(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<RequestBody> {
        let link = self.link.as_ref()?;
        if !link.is_greeted() {
            return Some(RequestBody::Hello {
                host_major: MAJOR,
                host_minor: MINOR,
            });
        }
        if self.unable {
            return None;
        }
        if let Some(page) = self.known.next_page() {
            return Some(RequestBody::GetCaps { page });
        }
        if let Some(seconds) = self.identify.take() {
            let pattern = 0;
            return Some(RequestBody::Identify { seconds, pattern });
        }
        match self.goal {
            Goal::Inspect => self.next_of_inspection(now),
            Goal::Stream | Goal::Stop => self.next_of_recording(now, said),
        }
    }

    fn next_of_inspection(&mut self, now: SessionTime) -> Option<RequestBody> {
        let stranger = self.link.as_ref()?.is_stranger();
        if self.status_due.is_none() && !stranger {
            self.status_due = Some(now.plus(STATUS_EVERY_S));
            return Some(RequestBody::GetStatus {
                stream: StreamId::FIRST,
            });
        }
        self.inspected = true;
        None
    }

    fn next_of_recording(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<RequestBody> {
        let attached = self.link.as_ref()?.attached;
        let stopping = self.goal == Goal::Stop;
        let recording = self.recording.as_mut()?;
        let session_id = recording.session_id()?;
        match recording.session {
            Session::None if stopping => {
                recording.done = true;
                None
            }
            Session::None => self.next_of_start(session_id),
            _ if !attached || std::mem::take(&mut self.rejoin) => Some(RequestBody::Resume { session_id }),
            _ if stopping && !recording.stopped => Some(RequestBody::Stop { session_id }),
            session => self.next_of_session(session, now, said),
        }
    }

    fn next_of_start(&mut self, session_id: firmware_protocol::SessionId) -> Option<RequestBody> {
        let n_streams = self.known.n_streams;
        // A pod that runs takes no wishes from those who are not attached; START finds out whose session it is.
        let runs = self
            .link
            .as_ref()
            .is_some_and(|link| !link.attached && link.hello.is_some_and(|hello| hello.state == PodState::Running));
        let recording = self.recording.as_mut()?;
        let unset = (0..n_streams)
            .filter_map(StreamId::new)
            .find(|id| !recording.chosen.iter().any(|c| c.stream == *id));
        recording.unset = runs;
        if let Some(stream) = unset
            && !runs
        {
            return Some(RequestBody::SetConfig(self.wish_for(stream)?));
        }
        recording.session = Session::Perhaps;
        Some(RequestBody::Start(StartOrder {
            session_id,
            linger_s: LINGER_S.min(self.known.limits.max_linger_s),
            force: recording.replaces_own || std::mem::take(&mut self.force_next),
        }))
    }

    /// What is wished of a stream: six axes at least as fast and wide as wanted; a high-range accelerometer beside them
    /// only where their own range is too small; marks always.
    fn wish_for(&self, stream: StreamId) -> Option<StreamWish> {
        let wanted = self.recording.as_ref()?.wanted;
        let (rate_mhz, acc_range_g, gyr_range_dps) = in_wire_units(&wanted);
        let kind_of = |number: usize| self.known.streams.get(number).and_then(|can| can.kind);
        let is_six = |number: &usize| matches!(kind_of(*number), Some(Kind::Imu6 | Kind::Imu9));
        let six = (0..self.known.streams.len()).find(is_six);
        let widest = six
            .and_then(|number| self.known.streams[number].acc_ranges_g.iter().max())
            .copied()
            .unwrap_or(0);
        let enabled = match kind_of(stream.as_usize()) {
            Some(Kind::Imu6 | Kind::Imu9) => six == Some(stream.as_usize()),
            Some(Kind::HighG) => widest < u32::from(acc_range_g),
            Some(Kind::Marks) => true,
            None => false,
        };
        Some(StreamWish {
            stream,
            enabled,
            rate_mhz,
            acc_range_g,
            gyr_range_dps,
        })
    }

    /// On a link that is attached to our session.
    fn next_of_session(&mut self, session: Session, now: SessionTime, said: &mut Vec<Said>) -> Option<RequestBody> {
        let recording = self.recording.as_mut()?;
        if let Some((stream, cfg_id)) = recording.unknown.first().copied() {
            let cfg_id = Some(cfg_id);
            return Some(RequestBody::GetConfig { stream, cfg_id });
        }
        let unset = recording
            .active()
            .find(|s| !recording.chosen.iter().any(|c| c.stream == s.id));
        if let Some(stream) = unset
            .filter(|_| recording.unset && session == Session::Running)
            .map(|s| s.id)
        {
            let wish = self.wish_for(stream)?;
            // Which streams there are is settled at START.
            return Some(RequestBody::SetConfig(StreamWish { enabled: true, ..wish }));
        }
        if let Some(body) = self.after_jump.pop() {
            return Some(body);
        }
        if !self.hurried
            && let Some(range) = self.next_range(now, said)
        {
            return Some(range);
        }
        let recording = self.recording.as_mut()?;
        let complete = recording.is_complete();
        if let Session::Ended(reason) = session
            && complete
        {
            if self.goal == Goal::Stop && self.said_data == self.safe_data {
                let session_id = recording.session_id()?;
                return Some(RequestBody::Erase { session_id });
            }
            if self.goal == Goal::Stream && !is_final(reason) {
                // All of it is here, so nothing is lost when the next session takes its place.
                recording.next_attempt();
                recording.replaces_own = true;
                let session_id = recording.session_id()?;
                return self.next_of_start(session_id);
            }
        }
        if let Some(ack) = next_ack(recording, now) {
            return Some(ack);
        }
        if self.hurried {
            return None;
        }
        if let Some(offset) = self.known.next_calibration() {
            return Some(RequestBody::CalibRead { offset });
        }
        if self.status_due.is_none_or(|due| now >= due) {
            self.status_due = Some(now.plus(STATUS_EVERY_S));
            let stream = recording.active().next().map_or(StreamId::FIRST, |s| s.id);
            return Some(RequestBody::GetStatus { stream });
        }
        None
    }

    fn next_range(&mut self, now: SessionTime, said: &mut Vec<Said>) -> Option<RequestBody> {
        let max_range = self.known.limits.max_range;
        let recording = self.recording.as_mut()?;
        // One at a time over all streams; the one that is under way also notices when it is over.
        let asking = recording.active().find(|s| s.tracker().is_asking()).map(|s| s.id);
        let mut streams = recording.streams.iter_mut().filter(|s| s.active);
        let span = streams
            .by_ref()
            .filter(|s| asking.is_none_or(|id| id == s.id))
            .find_map(|s| s.next_range(now, max_range, said))?;
        let link = self.link.as_mut()?;
        let entries = self
            .known
            .streams
            .get(span.stream.as_usize())
            .and_then(|can| can.kind)
            .map_or(1, |kind| entries_per_frame(kind, link.mtu).max(1));
        // Cut at seams and gaps as well: twice the full frames and a few.
        link.gate.ask(u32::from(span.count) / entries as u32 * 2 + 8);
        Some(RequestBody::Range(span))
    }

    /// What START was refused for: another number of ours is tried, as long as there are any.
    pub(super) fn try_next_number(recording: &mut Recording) -> bool {
        if recording.attempt + 1 < NUMBERS_TRIED {
            recording.attempt += 1;
            recording.session = Session::Perhaps;
            return true;
        }
        (recording.attempt, recording.session) = (0, Session::None);
        false
    }
}

fn next_ack(recording: &mut Recording, now: SessionTime) -> Option<RequestBody> {
    recording.streams.iter_mut().filter(|s| s.active).find_map(|s| {
        let (stream, upto) = (s.id, s.next_ack(now)?);
        Some(RequestBody::Ack { stream, upto })
    })
}

/// Rate in mHz, ranges in g and °/s, rounded up: at least what is wanted.
pub(super) fn in_wire_units(wanted: &Wanted) -> (u32, u16, u16) {
    // Room for what a conversion there and back adds.
    let up = |v: f64| (v - 1e-6).ceil();
    (
        up(wanted.rate_hz * 1000.0) as u32,
        up(wanted.acc_range / STANDARD_GRAVITY) as u16,
        up(wanted.gyro_range * DEG_PER_RAD) as u16,
    )
}
