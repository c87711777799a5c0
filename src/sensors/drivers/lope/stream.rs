//! One stream of a pod: which samples came, which are missing, and the blocks and losses said of it.
//!
//! Indices on the air begin at 0 with every session of the pod; what is said counts on over all of them: `base` is what
//! was counted before. The book of holes is [`StreamTracker`], which knows numbers only; what it settles is compared with
//! what was open before, so that every index given up is named.

use super::epochs::Epochs;
use crate::model::SessionTime;
use crate::model::units::{STANDARD_GRAVITY, rad};
use crate::sensors::said::{Block, Late, Missing, MissingWhy, Note, Quantity, Said, Streaming, Timing};
use firmware_protocol::{
    CfgId, Configuration, DataFrame, Frame, Kind, LossReason, MarkCode, Payload, RangeSpan, SessionStream, Status,
    StreamId, StreamTracker,
};
use std::collections::BTreeMap;

/// Holes remembered at a time; the oldest is given up when one more opens.
pub(super) const HOLES: usize = 256;
/// A stream may be ahead of its nominal rate by this share, and by so much time of the start, s: oscillators are percent
/// off, replies are late.
const AHEAD_SHARE: f64 = 1.25;
const AHEAD_S: f64 = 10.0;
/// A clock that is this far from where the samples put it has stepped: µs, and share of the time since the last frame.
const STEP_US: f64 = 500_000.0;
const STEP_SHARE: f64 = 0.05;
/// The period is measured over at least this, µs.
const PERIOD_SPAN_US: u64 = 1_000_000;
/// A range is over so long after the latest of it came (SPEC.md section 8), s; a little before the book of holes says so.
const RANGE_SILENCE_S: f64 = 4.9;
/// A range that the pod answers and nothing arrives of is asked for this often before it counts as refused.
const MOST_VAIN: u8 = 12;
/// Marks a second that a pod may have taken, for the bound on their index.
const MOST_MARKS_HZ: f64 = 100.0;

/// A configuration of the present session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seam {
    pub(super) number: u32,
    pub(super) record: Configuration,
}

/// Whether a session's samples are of an earlier boot, so that the last of them may never have reached the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PowerCut {
    None,
    Since,
}

/// A stretch of the pod's clock as this stream saw it.
#[derive(Clone, Copy, Debug)]
struct Line {
    epoch: u32,
    index: u32,
    us: u64,
}

/// Sample period, from two frames of one configuration.
#[derive(Clone, Copy, Debug)]
struct Period {
    cfg_id: CfgId,
    epoch: u32,
    index: u32,
    us: u64,
    measured_us: Option<f64>,
}

/// See the module's head.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) id: StreamId,
    base: u64,
    tracker: Box<StreamTracker<HOLES>>,
    /// In the present session of the pod.
    pub(super) active: bool,
    seams: BTreeMap<u8, Seam>,
    lines: Vec<Line>,
    period: Option<Period>,
    /// First index that was not said when everything said was last safe.
    safe: u32,
    /// The same at the mark.
    marked: Option<u32>,
    /// What the pod said it has at an instant: nothing can be far above.
    known_at: (SessionTime, u32),
    /// Its last rate, Hz.
    rate_hz: f64,
    /// Measured period over nominal one: the oscillator's, so good for the next configuration too.
    slow: f64,
    /// Arrival of the latest live frame, or the end of what was named uncountable.
    heard: Option<SessionTime>,
    /// Nothing was heard since what could not be counted was named.
    rest_named: bool,
    /// The RANGE under way, and when something of it last came.
    asked: Option<(RangeSpan, SessionTime)>,
    /// First index of a range that was answered without anything arriving, and how often.
    vain: (u32, u8),
}

impl Stream {
    pub(super) fn new(id: StreamId) -> Self {
        Self {
            id,
            base: 0,
            tracker: Box::new(StreamTracker::new(id)),
            active: false,
            seams: BTreeMap::new(),
            lines: Vec::new(),
            period: None,
            safe: 0,
            marked: None,
            known_at: (SessionTime::ZERO, 0),
            rate_hz: 0.0,
            slow: 1.0,
            heard: None,
            rest_named: false,
            asked: None,
            vain: (0, 0),
        }
    }

    pub(super) fn tracker(&self) -> &StreamTracker<HOLES> {
        &self.tracker
    }

    pub(super) fn seam(&self, cfg_id: CfgId) -> Option<&Seam> {
        self.seams.get(&cfg_id.get())
    }

    /// The configuration with the highest first index.
    pub(super) fn latest(&self) -> Option<&Configuration> {
        self.seams.values().max_by_key(|s| s.number).map(|s| &s.record)
    }

    /// Learns a configuration of the present session; says it when it is new.
    pub(super) fn learn(&mut self, record: &Configuration, next_seam: &mut u32, said: &mut Vec<Said>) {
        let Some(cfg_id) = record.cfg_id else { return };
        if let Some(known) = self.seams.get_mut(&cfg_id.get()) {
            known.record = *record;
            return;
        }
        *next_seam += 1;
        let number = *next_seam;
        self.rate_hz = f64::from(record.rate_mhz) / 1000.0;
        self.seams.insert(
            cfg_id.get(),
            Seam {
                number,
                record: *record,
            },
        );
        if let Some(streaming) = streaming(self.id, number, record) {
            said.push(Said::Streaming(streaming));
        }
    }

    /// A session of the pod begins, at index 0. `epoch` is the run of its clock. What was not heard of the session before
    /// is named as far as it can be counted.
    pub(super) fn begin(&mut self, epoch: u32, now: SessionTime, said: &mut Vec<Said>) {
        if self.active || self.tracker.end() > 0 {
            self.end_run(MissingWhy::Reboot, said);
            self.name_the_rest(now, said);
        }
        self.base += u64::from(self.tracker.end());
        *self.tracker = StreamTracker::new(self.id);
        (self.safe, self.marked, self.active) = (0, None, true);
        self.seams.clear();
        self.lines = vec![];
        self.period = None;
        self.known_at = (now, 0);
        self.start_line(epoch);
    }

    /// Names what was taken, or would have been, between the last sample heard of, or what was named before, and now;
    /// counts on behind it. At least one after a sample, because nobody can know that there was none.
    pub(super) fn name_the_rest(&mut self, now: SessionTime, said: &mut Vec<Said>) {
        let since = self.heard.map_or(0.0, |heard| now.since(heard).max(0.0));
        let least = u64::from(!std::mem::replace(&mut self.rest_named, true));
        let count = ((since * self.rate_hz).round() as u64).max(least);
        self.heard = Some(now);
        if count == 0 {
            return;
        }
        said.push(Said::Missing(Missing {
            stream: self.id.get(),
            index: self.base + u64::from(self.tracker.end()),
            count,
            counted: false,
            why: MissingWhy::Reboot,
        }));
        self.base += count;
    }

    /// The session is gone from the pod: nothing of it will come any more.
    pub(super) fn end_run(&mut self, why: MissingWhy, said: &mut Vec<Said>) {
        let open: Vec<_> = self.tracker.holes().map(|h| (h.first, h.end)).collect();
        for (first, end) in open {
            self.say_missing(first, end, why, said);
        }
        // The next session may use the same numbers for other configurations.
        self.seams.clear();
        let end = self.tracker.end();
        let mut empty = StreamTracker::new(self.id);
        // Keeps the end and forgets the holes: they have been named.
        if let Some(cfg_id) = CfgId::new(1) {
            empty.take_session_row(
                &SessionStream {
                    stream: self.id,
                    cfg_id,
                    oldest: 0,
                    next: end,
                },
                0,
            );
            let gap = firmware_protocol::Gap {
                stream: self.id,
                flags: firmware_protocol::FrameFlags::default(),
                index: 0,
                time: None,
                cfg_id: None,
                count: end,
                reason: LossReason::Freed,
            };
            if end > 0 {
                empty.take_frame(&Frame::Gap(gap), 0);
            }
        }
        *self.tracker = empty;
    }

    /// The run of the clock that the samples of this session belong to, as far as a resumed session tells.
    pub(super) fn start_line(&mut self, epoch: u32) {
        if self.lines.is_empty() {
            self.lines.push(Line {
                epoch,
                index: u32::MAX,
                us: 0,
            });
        }
    }

    /// A row of RESUME or STOP.
    pub(super) fn take_row(&mut self, row: &SessionStream, cut: PowerCut, now: SessionTime, said: &mut Vec<Said>) {
        self.active = true;
        self.known_at = (now, row.next);
        let before = Open::of(&self.tracker);
        let next = match cut {
            // Live frames may overtake the reply: what is missing among them is not beyond what the pod has.
            PowerCut::None => row.next.max(self.tracker.end()),
            PowerCut::Since => row.next,
        };
        self.tracker
            .take_session_row(&SessionStream { next, ..*row }, now.nanos());
        self.say_given_up(&before, None, MissingWhy::Reboot, said);
    }

    /// Everything said so far is on durable storage.
    pub(super) fn mark(&mut self) {
        self.marked.get_or_insert(self.tracker.lowest_missing());
    }

    pub(super) fn all_safe(&mut self) {
        self.safe = self.marked.take().unwrap_or_else(|| self.tracker.lowest_missing());
    }

    pub(super) fn next_ack(&mut self, now: SessionTime) -> Option<u32> {
        self.tracker.next_ack(now.nanos(), self.safe)
    }

    /// The RANGE to write next. What was asked for too often in vain is given up here.
    pub(super) fn next_range(&mut self, now: SessionTime, max_range: u16, said: &mut Vec<Said>) -> Option<RangeSpan> {
        if let Some((_, latest)) = self.asked
            && self.tracker.is_asking()
            && now.since(latest) >= RANGE_SILENCE_S
        {
            self.range_over(now);
        }
        let before = Open::of(&self.tracker);
        let span = self
            .tracker
            .next_range(now.nanos(), max_range, firmware_protocol::QueueFill::HasRoom);
        self.say_given_up(&before, None, MissingWhy::GivenUp, said);
        self.asked = span.map(|span| (span, now)).or(self.asked);
        span
    }

    /// RANGE_DONE came.
    pub(super) fn take_range_done(&mut self, span: RangeSpan, now: SessionTime) {
        if self.tracker.is_asking() && self.asked.is_some_and(|(asked, _)| asked == span) {
            self.range_over(now);
        }
    }

    /// The range under way is over. Where nothing of it arrived, our own queue may have lost it: that counts less than a
    /// refusal, because the pod has it and a hole of one frame is lost three times in a row now and then.
    fn range_over(&mut self, now: SessionTime) {
        let Some((span, _)) = self.asked.take() else { return };
        let untouched = self.tracker.holes().any(|hole| hole.first == span.first);
        let again = if self.vain.0 == span.first { self.vain.1 } else { 0 };
        self.vain = (span.first, if untouched { again.saturating_add(1) } else { 0 });
        let outcome = if self.vain.1 < MOST_VAIN {
            Status::Busy
        } else {
            Status::Param
        };
        self.tracker.take_range_refused(outcome, now.nanos());
    }

    pub(super) fn tracker_mut(&mut self) -> &mut StreamTracker<HOLES> {
        &mut self.tracker
    }

    /// Whether no pod could have got so far: a number that would open a hole of millions is a fault, not a loss.
    fn is_too_far(&self, frame: &Frame<'_>, now: SessionTime) -> bool {
        let (at, next) = self.known_at;
        let fastest = self.seams.values().map(|s| s.record.rate_mhz).max().unwrap_or(0);
        let rate = (f64::from(fastest) / 1000.0).max(MOST_MARKS_HZ);
        let room = (now.since(at).max(0.0) * AHEAD_SHARE + AHEAD_S) * rate;
        f64::from(frame.end()) > f64::from(next) + room
    }

    /// Takes a frame whose configuration is known, or a gap.
    pub(super) fn take(&mut self, frame: &Frame<'_>, arrived: SessionTime, epochs: &mut Epochs, said: &mut Vec<Said>) {
        if self.is_too_far(frame, arrived) {
            said.push(Said::Refused { rule: "index_ahead" });
            return;
        }
        let before = Open::of(&self.tracker);
        let placed = self.tracker.take_frame(frame, arrived.nanos());
        if !frame.flags().backfill {
            (self.heard, self.rest_named) = (Some(arrived), false);
        } else if let Some((span, latest)) = &mut self.asked
            && frame.end() > span.first
            && frame.index() < span.end()
        {
            *latest = arrived;
        }
        match frame {
            Frame::Data(data) => {
                self.say_data(data, placed.fresh, arrived, epochs, said);
                self.say_given_up(&before, Some((frame.index(), frame.end())), MissingWhy::GivenUp, said);
            }
            Frame::Gap(gap) => {
                let why = why_missing(gap.reason);
                for (first, end) in before.settled(&Open::of(&self.tracker)) {
                    for (first, end, why) in [
                        (first, end.min(frame.index()), MissingWhy::GivenUp),
                        (first.max(frame.index()), end.min(frame.end()), why),
                        (first.max(frame.end()), end, MissingWhy::GivenUp),
                    ] {
                        self.say_missing(first, end, why, said);
                    }
                }
            }
        }
    }

    fn say_given_up(&self, before: &Open, but: Option<(u32, u32)>, why: MissingWhy, said: &mut Vec<Said>) {
        if before.is_quiet(&self.tracker, but) {
            return;
        }
        let (from, to) = but.unwrap_or((0, 0));
        for (first, end) in before.settled(&Open::of(&self.tracker)) {
            self.say_missing(first, if to > from { end.min(from) } else { end }, why, said);
            if to > from {
                self.say_missing(first.max(to), end, why, said);
            }
        }
    }

    fn say_missing(&self, first: u32, end: u32, why: MissingWhy, said: &mut Vec<Said>) {
        if first < end {
            said.push(Said::Missing(Missing {
                stream: self.id.get(),
                index: self.base + u64::from(first),
                count: u64::from(end - first),
                counted: true,
                why,
            }));
        }
    }

    fn say_data(
        &mut self,
        data: &DataFrame<'_>,
        fresh: u64,
        arrived: SessionTime,
        epochs: &mut Epochs,
        said: &mut Vec<Said>,
    ) {
        let count = data.payload.len();
        let repeated = count as u32 - fresh.count_ones();
        if repeated > 0 {
            said.push(Said::Repeated(repeated));
        }
        if fresh == 0 {
            return;
        }
        let header = &data.header;
        let Some(seam) = self.seam(header.cfg_id).copied() else {
            return;
        };
        let epoch = self.epoch_of(data, &seam.record, arrived, epochs, said);
        self.measure_period(data, epoch, &seam.record);
        let period_us = self.period_us(header.cfg_id, epoch, &seam.record);
        let mut at = 0;
        while at < count {
            let run = (at..count).take_while(|p| fresh >> p & 1 != 0).count();
            if run == 0 {
                at += 1;
                continue;
            }
            let first_ns = ns(header.time.as_us() as f64 + at as f64 * period_us);
            let block = Block {
                stream: self.id.get(),
                seam: seam.number,
                epoch,
                index: self.base + u64::from(header.index) + at as u64,
                first_ns,
                last_ns: first_ns + ns((run - 1) as f64 * period_us),
                last_exact: run == 1 && at == 0,
                arrived,
                late: if header.flags.backfill {
                    Late::Fetched
                } else {
                    Late::Live
                },
                after_gap: header.flags.after_gap && at == 0,
                suspect: header.flags.time_estimated,
                values: Vec::new(),
            };
            say_entries(&data.payload, at..at + run, block, said);
            at += run;
        }
    }

    /// The run of the clock that a frame's time belongs to; notices a step.
    fn epoch_of(
        &mut self,
        data: &DataFrame<'_>,
        record: &Configuration,
        arrived: SessionTime,
        epochs: &mut Epochs,
        said: &mut Vec<Said>,
    ) -> u32 {
        let (index, us, flags) = (data.header.index, data.header.time.as_us(), data.header.flags);
        let period_us = 1e9 / f64::from(record.rate_mhz.max(1));
        let off = |line: &Line| {
            let span = (f64::from(index) - f64::from(line.index)) * period_us;
            (us as f64 - line.us as f64 - span, span.abs())
        };
        let Some(last) = self.lines.last().copied() else {
            return 0;
        };
        let unknown = last.index == u32::MAX;
        if record.rate_mhz == 0 || (unknown && flags.backfill) {
            return last.epoch;
        }
        if flags.backfill {
            let nearest = self
                .lines
                .iter()
                .min_by(|a, b| off(a).0.abs().total_cmp(&off(b).0.abs()));
            return nearest.map_or(last.epoch, |l| l.epoch);
        }
        let (miss, span) = off(&last);
        let stepped = !unknown && !flags.after_gap && miss.abs() > STEP_US + STEP_SHARE * span;
        let new = Line {
            epoch: last.epoch,
            index,
            us,
        };
        if stepped {
            let epoch = epochs.step(last.epoch, arrived);
            said.push(Said::Note(Note::ClockStepped(miss * 1e-6)));
            self.lines.push(Line { epoch, ..new });
            return epoch;
        }
        if let Some(line) = self.lines.last_mut()
            && (unknown || index > line.index)
        {
            *line = new;
        }
        last.epoch
    }

    fn measure_period(&mut self, data: &DataFrame<'_>, epoch: u32, record: &Configuration) {
        let header = &data.header;
        if header.flags.backfill || header.flags.time_estimated {
            return;
        }
        let anchor = Period {
            cfg_id: header.cfg_id,
            epoch,
            index: header.index,
            us: header.time.as_us(),
            measured_us: None,
        };
        match &mut self.period {
            Some(p) if p.cfg_id == anchor.cfg_id && p.epoch == epoch && !header.flags.after_gap => {
                let span = anchor.us.saturating_sub(p.us);
                if span >= PERIOD_SPAN_US && anchor.index > p.index {
                    let measured = span as f64 / f64::from(anchor.index - p.index);
                    let slow = measured * f64::from(record.rate_mhz) * 1e-9;
                    // Anything else is a fault of index or time, not of an oscillator.
                    if (slow - 1.0).abs() < STEP_SHARE {
                        (p.measured_us, self.slow) = (Some(measured), slow);
                    }
                }
            }
            _ => self.period = Some(anchor),
        }
    }

    fn period_us(&self, cfg_id: CfgId, epoch: u32, record: &Configuration) -> f64 {
        self.period
            .filter(|p| p.cfg_id == cfg_id && p.epoch == epoch)
            .and_then(|p| p.measured_us)
            .unwrap_or(self.slow * 1e9 / f64::from(record.rate_mhz.max(1)))
    }
}

fn ns(us: f64) -> u64 {
    (us * 1000.0).round() as u64
}

/// What is open in a book of holes: the holes, and everything from `end` on.
struct Open {
    holes: Vec<(u32, u32)>,
    end: u32,
}

impl Open {
    fn of(tracker: &StreamTracker<HOLES>) -> Self {
        Self {
            holes: tracker.holes().map(|h| (h.first, h.end)).collect(),
            end: tracker.end(),
        }
    }

    /// The common case: nothing was open, nothing is, and the frame went on where the last one ended.
    fn is_quiet(&self, after: &StreamTracker<HOLES>, frame: Option<(u32, u32)>) -> bool {
        let from = frame.map_or(after.end(), |f| f.0);
        self.holes.is_empty() && from <= self.end && after.holes().next().is_none()
    }

    /// What was open here and is not any more.
    fn settled(&self, after: &Self) -> Vec<(u32, u32)> {
        let mut was = self.holes.clone();
        if after.end > self.end {
            was.push((self.end, after.end));
        }
        let mut out = Vec::new();
        for (mut first, end) in was {
            for (hole, hole_end) in after.holes.iter().copied() {
                if hole_end <= first || hole >= end {
                    continue;
                }
                if hole > first {
                    out.push((first, hole));
                }
                first = hole_end;
            }
            if first < end {
                out.push((first, end));
            }
        }
        out
    }
}

fn why_missing(reason: LossReason) -> MissingWhy {
    match reason {
        LossReason::NotSampled => MissingWhy::NotSampled,
        LossReason::StorageFault => MissingWhy::Storage,
        // Freed: an earlier collector said it was safe; this one can have it no more than an overwritten one.
        LossReason::Overwritten | LossReason::Freed | LossReason::Other(_) => MissingWhy::Overwritten,
    }
}

fn say_entries(payload: &Payload<'_>, which: std::ops::Range<usize>, mut block: Block, said: &mut Vec<Said>) {
    let n = which.len();
    let values = &mut block.values;
    let wide = |v: [i16; 3]| v.map(f32::from);
    match payload {
        Payload::Imu6(entries) => {
            values.reserve_exact(n * Quantity::AccGyro.width());
            for e in entries.iter().skip(which.start).take(n) {
                values.extend(wide(e.acc).into_iter().chain(wide(e.gyr)));
            }
        }
        Payload::Imu9(entries) => {
            values.reserve_exact(n * Quantity::AccGyroMag.width());
            for e in entries.iter().skip(which.start).take(n) {
                values.extend(wide(e.acc).into_iter().chain(wide(e.gyr)).chain(wide(e.mag)));
            }
        }
        Payload::HighG(entries) => {
            values.reserve_exact(n * Quantity::Acc.width());
            for e in entries.iter().skip(which.start).take(n) {
                values.extend(wide(e.acc));
            }
        }
        Payload::Marks(entries) => {
            for mark in entries.iter().skip(which.start).take(n) {
                said.push(Said::Mark {
                    epoch: block.epoch,
                    at_ns: mark.at.map_or(block.first_ns, |t| t.as_us() * 1000),
                    what: match mark.code {
                        MarkCode::Button => "button",
                        MarkCode::SyncRising => "sync input up",
                        MarkCode::SyncFalling => "sync input down",
                        MarkCode::Tap => "tap",
                        MarkCode::Other(_) => "mark",
                    },
                });
            }
            return;
        }
        _ => return,
    }
    said.push(Said::Block(block));
}

/// What a configuration means for whoever computes with its samples; `None` for marks and for kinds of later versions.
fn streaming(id: StreamId, seam: u32, record: &Configuration) -> Option<Streaming> {
    let quantity = match record.kind()? {
        Kind::Imu6 => Quantity::AccGyro,
        Kind::Imu9 => Quantity::AccGyroMag,
        Kind::HighG => Quantity::Acc,
        Kind::Marks => return None,
    };
    let clip = |count: Option<u16>| count.filter(|c| *c > 0).map_or(f32::INFINITY, f32::from);
    let limits = record.clip_limits();
    let range = |value: u16, unit: f64| (value > 0).then_some(f64::from(value) * unit);
    Some(Streaming {
        stream: id.get(),
        seam,
        quantity,
        rate_hz: f64::from(record.rate_mhz) / 1000.0,
        acc_scale: record.acc_m_s2_per_count(),
        gyro_scale: record.gyr_rad_s_per_count(),
        acc_range: range(record.acc_range_g, STANDARD_GRAVITY),
        gyro_range: range(record.gyr_range_dps, rad(1.0)),
        acc_clip: clip(limits.acc),
        gyro_clip: clip(limits.gyr),
        acc_delay_s: f64::from(record.acc_delay_us) * 1e-6,
        gyro_delay_s: f64::from(record.gyr_delay_us) * 1e-6,
        timing: Timing::Stamped,
    })
}
