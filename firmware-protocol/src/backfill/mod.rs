//! The host's book of what it has, what is missing and what is lost (SPEC.md section 8).
//!
//! One [`StreamTracker`] per stream of a session. It is told of frames, of replies and of the time; it says which entries
//! of a frame are new, which RANGE to ask for next, and which ACK is due. It keeps indices only: samples go to the
//! caller's store, so a value that differs between two copies of one index is for the store to notice.
//!
//! Terms: *hole*, a run of missing indices; *lost*, given up or named in a gap; *asked*, covered by the RANGE in flight.

mod holes;

pub use holes::{Hole, HoleSet};

use crate::{Frame, LossReason, RangeDone, RangeSpan, SessionStream, Status, StreamId};
use holes::AskOutcome;

/// A hole is asked for only after this long without an arrival in it, ns: a frame may merely be late.
const QUIET_NS: i64 = 500_000_000;
/// A range without RANGE_DONE is over this long after the latest backfilled frame, ns.
const RANGE_SILENCE_NS: i64 = 5_000_000_000;
/// Asked this often without anything new, a hole is lost.
const MOST_TRIES: u8 = 3;
/// An ACK is sent at most this often, ns.
const ACK_EVERY_NS: i64 = 5_000_000_000;

/// What a frame brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Placement {
    /// Bit i is set if the entry at position i of a data frame is new. A frame has at most 38 entries.
    pub fresh: u64,
    /// How many indices were given up because of it: named in a gap, or dropped because the book of holes is full.
    pub lost: u32,
}

impl Placement {
    /// Whether the entry at this position is new; the others are duplicates to be dropped.
    pub const fn is_fresh(&self, position: usize) -> bool {
        position < 64 && self.fresh >> position & 1 != 0
    }
}

/// Counters for the health page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TrackerCounts {
    /// Samples that came.
    pub received: u64,
    /// Samples that came again.
    pub duplicates: u64,
    /// Indices named in gaps, by the four reasons of SPEC.md and all others.
    pub lost_by_reason: [u64; 5],
    /// Indices given up by the host: asked in vain, above what the pod still knows, or pushed out of the book.
    pub given_up: u64,
}

impl TrackerCounts {
    /// All indices that will not come.
    pub fn lost(&self) -> u64 {
        self.given_up + self.lost_by_reason.iter().sum::<u64>()
    }

    fn count_gap(&mut self, reason: LossReason, indices: u32) {
        let at = match reason {
            LossReason::Overwritten => 0,
            LossReason::Freed => 1,
            LossReason::NotSampled => 2,
            LossReason::StorageFault => 3,
            LossReason::Other(_) => 4,
        };
        self.lost_by_reason[at] += u64::from(indices);
    }
}

/// How full the caller's own queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueFill {
    /// Half or less.
    HasRoom,
    /// More than half: nothing is asked for.
    Full,
}

/// The RANGE in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    span: RangeSpan,
    latest_ns: i64,
    progress: bool,
}

/// What the host knows of one stream of a session, with room for N holes at a time.
///
/// When an N + 1st hole would open, the oldest one is given up and counted, so that a pod can never make a host grow.
#[derive(Clone, Debug)]
pub struct StreamTracker<const N: usize> {
    stream: StreamId,
    /// First index of which nothing was heard.
    end: u32,
    holes: HoleSet<N>,
    asked: Option<Asked>,
    acked: u32,
    acked_at_ns: Option<i64>,
    counts: TrackerCounts,
}

impl<const N: usize> StreamTracker<N> {
    /// A stream at the start of its session: index 0 is awaited.
    pub const fn new(stream: StreamId) -> Self {
        StreamTracker {
            stream,
            end: 0,
            holes: HoleSet::EMPTY,
            asked: None,
            acked: 0,
            acked_at_ns: None,
            counts: TrackerCounts {
                received: 0,
                duplicates: 0,
                lost_by_reason: [0; 5],
                given_up: 0,
            },
        }
    }

    /// The stream.
    pub const fn stream(&self) -> StreamId {
        self.stream
    }

    /// First index of which nothing was heard; all below were received, are missing or are lost.
    pub const fn end(&self) -> u32 {
        self.end
    }

    /// The missing indices, ascending.
    pub fn holes(&self) -> impl Iterator<Item = Hole> + '_ {
        self.holes.iter()
    }

    /// All indices below are received or lost.
    pub fn lowest_missing(&self) -> u32 {
        self.holes.iter().next().map_or(self.end, |hole| hole.first)
    }

    /// The counters.
    pub const fn counts(&self) -> TrackerCounts {
        self.counts
    }

    /// Whether a RANGE is in flight.
    pub const fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    /// Takes a frame of this stream that arrived at `now_ns`, live or backfilled, in any order, any number of times.
    pub fn take_frame(&mut self, frame: &Frame<'_>, now_ns: i64) -> Placement {
        let (first, end) = (frame.index(), frame.end());
        let mut placement = Placement {
            fresh: 0,
            lost: self.extend_to(first, now_ns),
        };
        let mut settled = 0;
        if let Frame::Data(_) = frame {
            let bits = |from: u32, to: u32| {
                // Entries are at most 38, so both shifts stay below 64.
                let upto = |index: u32| (1u64 << (index - first).min(63)) - 1;
                upto(to) & !upto(from)
            };
            self.holes.overlaps(first, end, |from, to| {
                placement.fresh |= bits(from, to);
                settled += to - from;
            });
            if end > self.end {
                placement.fresh |= bits(first.max(self.end), end);
                settled += end - first.max(self.end);
            }
            self.counts.received += u64::from(settled);
            self.counts.duplicates += u64::from(end - first - settled);
        } else if let Frame::Gap(gap) = frame {
            self.holes.overlaps(first, end, |from, to| settled += to - from);
            settled += end.saturating_sub(self.end.max(first));
            self.counts.count_gap(gap.reason, settled);
            placement.lost += settled;
        }
        self.end = self.end.max(end);
        let given_up = self.holes.remove(first, end, now_ns);
        self.counts.given_up += u64::from(given_up);
        placement.lost += given_up;
        self.note_backfill(frame, settled, now_ns);
        placement
    }

    fn note_backfill(&mut self, frame: &Frame<'_>, settled: u32, now_ns: i64) {
        let Some(asked) = &mut self.asked else { return };
        if !frame.flags().backfill || frame.end() <= asked.span.first || frame.index() >= asked.span.end() {
            return;
        }
        asked.latest_ns = now_ns;
        asked.progress |= settled > 0;
        // The last index closes the range even if RANGE_DONE is lost; what is missing below may still be under way, so
        // the hole's own quiet time decides when it is asked for again.
        if frame.end() >= asked.span.end() {
            self.end_range(now_ns);
        }
    }

    /// Everything below `next` exists: what was not heard of is missing. Returns how many indices were given up.
    fn extend_to(&mut self, next: u32, now_ns: i64) -> u32 {
        if next <= self.end {
            return 0;
        }
        let given_up = self.holes.push(Hole {
            first: self.end,
            end: next,
            quiet_since_ns: now_ns,
            tries: 0,
        });
        self.end = next;
        self.counts.given_up += u64::from(given_up);
        given_up
    }

    /// The reply to RESUME or STOP named this stream. Returns how many indices were given up.
    ///
    /// Everything between the own highest index and `next` is missing. After a power cut `next` may be lower than what
    /// the host has: then it keeps what it has, and gives up what is missing above, because the pod has it no more.
    pub fn take_session_row(&mut self, row: &SessionStream, now_ns: i64) -> u32 {
        self.asked = None;
        let above = self.holes.remove_from(row.next);
        self.counts.given_up += u64::from(above);
        above + self.extend_to(row.next, now_ns)
    }

    /// The connection is gone, and with it the RANGE in flight.
    pub fn take_disconnect(&mut self) {
        self.asked = None;
    }

    /// RANGE_DONE came. One that belongs to another range changes nothing.
    ///
    /// Its frames may still be under way (another characteristic), so nothing is given up here.
    pub fn take_range_done(&mut self, done: &RangeDone, now_ns: i64) {
        if self.asked.is_some_and(|asked| asked.span == done.span) {
            self.end_range(now_ns);
        }
    }

    /// The RANGE was refused. `busy` only means later; anything else counts as asked in vain.
    pub fn take_range_refused(&mut self, status: Status, now_ns: i64) {
        let Some(asked) = self.asked.take() else { return };
        let outcome = if status == Status::Busy {
            AskOutcome::NotAnswered
        } else {
            AskOutcome::InVain
        };
        self.holes
            .note_asked(asked.span.first, asked.span.end(), outcome, now_ns);
    }

    fn end_range(&mut self, now_ns: i64) {
        let Some(asked) = self.asked.take() else { return };
        let outcome = if asked.progress {
            AskOutcome::SomethingCame
        } else {
            AskOutcome::InVain
        };
        self.holes
            .note_asked(asked.span.first, asked.span.end(), outcome, now_ns);
    }

    /// The RANGE to write next, if one is due: the oldest hole that was quiet for 500 ms, in pieces of at most
    /// `max_range`. A piece asked for three times in vain is given up here.
    ///
    /// Only one RANGE is in flight at a time over all streams of a connection; that is the caller's to see to.
    pub fn next_range(&mut self, now_ns: i64, max_range: u16, queue: QueueFill) -> Option<RangeSpan> {
        if let Some(asked) = &self.asked {
            if now_ns.saturating_sub(asked.latest_ns) < RANGE_SILENCE_NS {
                return None;
            }
            self.end_range(now_ns);
        }
        if queue == QueueFill::Full || max_range == 0 {
            return None;
        }
        loop {
            let quiet = |hole: &Hole| now_ns.saturating_sub(hole.quiet_since_ns) >= QUIET_NS;
            let hole = self.holes.iter().find(quiet)?;
            let count = u16::try_from(hole.len()).unwrap_or(u16::MAX).min(max_range);
            let span = RangeSpan {
                stream: self.stream,
                first: hole.first,
                count,
            };
            if hole.tries < MOST_TRIES {
                self.asked = Some(Asked {
                    span,
                    latest_ns: now_ns,
                    progress: false,
                });
                return Some(span);
            }
            // The front of a hole goes, so it never falls in two and nothing else has to make room.
            self.holes.remove(span.first, span.end(), now_ns);
            self.counts.given_up += u64::from(count);
        }
    }

    /// The `upto` of the ACK to write next, if one is due. `durable` is the first index that is not on durable storage.
    ///
    /// Never above the lowest missing index, never twice the same, at most every 5 s.
    pub fn next_ack(&mut self, now_ns: i64, durable: u32) -> Option<u32> {
        let upto = durable.min(self.lowest_missing());
        let waited = self
            .acked_at_ns
            .is_none_or(|last| now_ns.saturating_sub(last) >= ACK_EVERY_NS);
        if !waited || upto <= self.acked {
            return None;
        }
        (self.acked, self.acked_at_ns) = (upto, Some(now_ns));
        Some(upto)
    }
}
