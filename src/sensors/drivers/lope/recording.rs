//! A recording on one pod: over all links, and over all sessions of the pod that it takes.
//!
//! A pod has one session at a time and forgets it at a reboot, or ends it when nobody came back. The recording goes on
//! under a new session, because the same number must never be given to two STARTs; the numbers of all of them follow
//! from the recording's, so that a collector that starts again finds its session whatever happened.

use super::epochs::Epochs;
use super::stream::{PowerCut, Stream};
use crate::model::SessionTime;
use crate::sensors::driver::Wanted;
use crate::sensors::said::{MissingWhy, Said};
use firmware_protocol::{
    BootId, CfgId, Configuration, EndReason, Frame, HeldFrames, PodState, SessionId, SessionView, StartedSession,
    Status, StreamId, entries_per_frame,
};

/// Frames kept until their configuration is known (SPEC.md section 6.4).
const HELD: usize = 64;
/// Numbers of sessions tried when a pod has one that may be ours.
pub(super) const NUMBERS_TRIED: u32 = 5;

/// What is known of the pod's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Session {
    /// There is none of ours.
    None,
    /// START was written and not answered: there may be one.
    Perhaps,
    /// It samples.
    Running,
    /// It does not any more.
    Ended(EndReason),
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) wanted: Wanted,
    /// How many sessions there were before the present one.
    pub(super) attempt: u32,
    pub(super) session: Session,
    /// The last session was ours and is all here: nothing is lost if the next one replaces it.
    pub(super) replaces_own: bool,
    pub(super) streams: Vec<Stream>,
    held: Box<HeldFrames<HELD>>,
    held_dropped: u64,
    pub(super) epochs: Epochs,
    seams: u32,
    /// Configurations asked for and not known yet.
    pub(super) unknown: Vec<(StreamId, CfgId)>,
    /// STOP was answered.
    pub(super) stopped: bool,
    /// Data came since the last START or RESUME.
    pub(super) confirmed: bool,
    /// The pod has a session that may be one of ours: numbers are tried, and this is what START was refused with.
    pub(super) searching: Option<Status>,
    /// Boot of the present session, as far as known.
    pub(super) boot: Option<BootId>,
    /// The present session's streams have begun: their numbers are those of this session. Not so between the decision for
    /// another one and the first that is heard of it, which may be the reply to RESUME if that to START was lost.
    begun: bool,
    /// RESUME told that the session has ended by itself: what comes live is not of it.
    pub(super) asleep: bool,
    /// What the pod will do in the next session, by stream; asked anew before every START.
    pub(super) chosen: Vec<Configuration>,
    /// START was written without saying what is wanted: that is made up for.
    pub(super) unset: bool,
    /// Nothing is left to be done.
    pub(super) done: bool,
}

impl Recording {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            attempt: 0,
            session: Session::None,
            replaces_own: false,
            streams: Vec::new(),
            held: Box::default(),
            held_dropped: 0,
            epochs: Epochs::default(),
            seams: 0,
            unknown: Vec::new(),
            stopped: false,
            confirmed: false,
            searching: None,
            boot: None,
            begun: false,
            asleep: false,
            chosen: Vec::new(),
            unset: false,
            done: false,
        }
    }

    /// The number of the present session: the recording's own for the first, then mixed from it (SplitMix64, Steele 2014),
    /// so that nobody can tell one from another.
    pub(super) fn session_id(&self) -> Option<SessionId> {
        if self.attempt == 0 {
            return SessionId::new(self.wanted.session);
        }
        let step = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::from(self.attempt));
        let mut z = self.wanted.session.wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        SessionId::new((z ^ (z >> 31)).max(1))
    }

    /// Whether a frame holds samples that are missing.
    pub(super) fn misses(&self, frame: &Frame<'_>) -> bool {
        let overlaps = |first: u32, end: u32| first < frame.end() && frame.index() < end;
        let of_it = self.streams.iter().find(|s| s.id == frame.stream());
        of_it.is_some_and(|s| s.tracker().holes().any(|hole| overlaps(hole.first, hole.end)))
    }

    pub(super) fn stream_mut(&mut self, id: StreamId) -> &mut Stream {
        if let Some(at) = self.streams.iter().position(|s| s.id == id) {
            return &mut self.streams[at];
        }
        self.streams.push(Stream::new(id));
        let last = self.streams.len() - 1;
        &mut self.streams[last]
    }

    /// Streams of the present session.
    pub(super) fn active(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(|s| s.active)
    }

    /// Whether nothing is missing of what the pod may still have.
    pub(super) fn is_complete(&self) -> bool {
        self.active().all(|s| s.tracker().holes().next().is_none())
    }

    /// START was answered: a session of ours begins.
    pub(super) fn begin(
        &mut self,
        started: &StartedSession,
        boot: Option<BootId>,
        now: SessionTime,
        said: &mut Vec<Said>,
    ) {
        let epoch = boot.map_or(0, |boot| self.epochs.of(boot));
        for stream in &mut self.streams {
            if !started.streams.iter().any(|row| row.stream == stream.id) && stream.active {
                stream.end_run(MissingWhy::Reboot, said);
                stream.active = false;
            }
        }
        for row in started.streams.iter() {
            self.stream_mut(row.stream).begin(epoch, now, said);
        }
        (self.begun, self.asleep) = (true, false);
        self.unknown = started.streams.iter().map(|row| (row.stream, row.cfg_id)).collect();
        (self.session, self.boot) = (Session::Running, boot);
        (self.replaces_own, self.confirmed, self.stopped) = (false, false, false);
    }

    /// RESUME or STOP was answered.
    pub(super) fn take_view(
        &mut self,
        view: &SessionView,
        boot: Option<BootId>,
        now: SessionTime,
        said: &mut Vec<Said>,
    ) {
        let epoch = view.session_boot_id.or(boot).map_or(0, |boot| self.epochs.of(boot));
        let cut = if view.session_boot_id.is_none() || view.session_boot_id == boot {
            PowerCut::None
        } else {
            PowerCut::Since
        };
        let begins = !std::mem::replace(&mut self.begun, true);
        for row in view.streams.iter() {
            let stream = self.stream_mut(row.stream);
            if begins {
                stream.begin(epoch, now, said);
            }
            stream.start_line(epoch);
            stream.take_row(&row, cut, now, said);
            let known = stream.seam(row.cfg_id).is_some();
            self.want_config(row.stream, row.cfg_id, known);
        }
        self.session = match view.state {
            PodState::Running => Session::Running,
            _ => Session::Ended(view.reason),
        };
        self.asleep = view.state != PodState::Running;
        (self.confirmed, self.searching, self.unset) = (false, None, false);
        self.boot = view.session_boot_id.or(boot);
    }

    /// The pod does not know our session any more: what it had is named, as far as it can be counted.
    pub(super) fn lose(&mut self, why: MissingWhy, now: SessionTime, said: &mut Vec<Said>) {
        for stream in self.streams.iter_mut().filter(|s| s.active) {
            stream.end_run(why, said);
            stream.name_the_rest(now, said);
        }
        self.next_attempt();
        self.replaces_own = false;
    }

    /// The recording is to end, and the session that was to follow one that is all here does not exist: that one is the
    /// last.
    pub(super) fn stay_with_the_last(&mut self) {
        if self.session == Session::None && std::mem::take(&mut self.replaces_own) {
            self.attempt = self.attempt.saturating_sub(1);
            self.session = Session::Ended(EndReason::NotByItself);
            (self.begun, self.asleep) = (true, true);
        }
    }

    /// The next session gets the next number.
    pub(super) fn next_attempt(&mut self) {
        self.attempt += 1;
        (self.session, self.begun) = (Session::None, false);
        self.unknown.clear();
        self.chosen.clear();
    }

    /// Frames a second that the pod declares, at this ATT MTU.
    pub(super) fn declared_hz(&self, mtu: u16) -> f64 {
        let of = |stream: &Stream| {
            let record = stream.latest()?;
            let entries = entries_per_frame(record.kind()?, mtu).max(1) as f64;
            // A frame is sent at the latest after 200 ms.
            Some((f64::from(record.rate_mhz) / 1000.0 / entries).max(5.0) + 1.0)
        };
        self.active().filter_map(of).sum::<f64>()
    }

    fn want_config(&mut self, stream: StreamId, cfg_id: CfgId, known: bool) {
        if !known && !self.unknown.contains(&(stream, cfg_id)) {
            self.unknown.push((stream, cfg_id));
        }
    }

    /// A configuration became known: frames that waited for it are used.
    pub(super) fn learn(&mut self, record: &Configuration, said: &mut Vec<Said>) {
        let Some(cfg_id) = record.cfg_id else { return };
        self.unknown.retain(|(_, wanted)| *wanted != cfg_id);
        let mut seams = self.seams;
        self.stream_mut(record.stream).learn(record, &mut seams, said);
        self.seams = seams;
        let Self {
            held,
            streams,
            epochs,
            asleep,
            ..
        } = self;
        held.release(cfg_id, |frame, arrived_ns| {
            if *asleep && !frame.flags().backfill {
                return;
            }
            if let Some(stream) = streams.iter_mut().find(|s| s.id == frame.stream()) {
                stream.take(frame, SessionTime::from_nanos(arrived_ns), epochs, said);
            }
        });
    }

    /// The pod does not know a configuration: its frames are dropped.
    pub(super) fn forget(&mut self, cfg_id: CfgId, said: &mut Vec<Said>) {
        self.unknown.retain(|(_, wanted)| *wanted != cfg_id);
        self.held.drop_unknown(cfg_id);
        self.say_held_dropped(said);
    }

    /// Drops what waited too long for its configuration.
    pub(super) fn drop_old(&mut self, now: SessionTime, said: &mut Vec<Said>) {
        if !self.held.is_empty() {
            self.held.drop_old(now.nanos());
            self.say_held_dropped(said);
        }
    }

    fn say_held_dropped(&mut self, said: &mut Vec<Said>) {
        for _ in self.held_dropped..self.held.dropped() {
            said.push(Said::Refused { rule: "cfg_unknown" });
        }
        self.held_dropped = self.held.dropped();
    }

    /// A frame of the present session.
    pub(super) fn take(&mut self, frame: &Frame<'_>, bytes: &[u8], arrived: SessionTime, said: &mut Vec<Said>) {
        self.confirmed = true;
        let known = |stream: &Stream| match frame {
            Frame::Gap(_) => true,
            Frame::Data(data) => stream.seam(data.header.cfg_id).is_some(),
        };
        // A session that has ended sends nothing live: what comes so is the next one's, whose configurations may have the
        // same numbers after a reboot. What was only late is fetched again.
        let is_next = !self.begun || self.asleep && !frame.flags().backfill;
        let Self { streams, epochs, .. } = self;
        match streams.iter_mut().find(|s| s.id == frame.stream() && s.active) {
            Some(stream) if known(stream) && !is_next => stream.take(frame, arrived, epochs, said),
            _ => {
                if self.held.hold(bytes, arrived.nanos()).is_ok() {
                    if let Some(cfg_id) = frame.cfg_id().filter(|_| !is_next) {
                        self.want_config(frame.stream(), cfg_id, false);
                    }
                    self.say_held_dropped(said);
                }
            }
        }
    }

    pub(super) fn disconnect(&mut self) {
        for stream in &mut self.streams {
            stream.tracker_mut().take_disconnect();
        }
        self.confirmed = false;
    }
}
