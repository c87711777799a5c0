//! The host's book: rules that random walks reach seldom.

use firmware_protocol::{
    CfgId, DataHeader, Frame, FrameFlags, Gap, HeldFrames, ImuEntry, LONGEST_FRAME, LossReason, PodTime, QueueFill,
    RangeDone, RangeOutcome, RangeSpan, SessionStream, Status, StreamId, StreamTracker, Txn, encode_data,
};

const MS: i64 = 1_000_000;
const FIRST: StreamId = StreamId::FIRST;

fn frame_bytes(index: u32, count: usize, cfg: u8, backfill: bool) -> Vec<u8> {
    let flags = FrameFlags {
        backfill,
        ..FrameFlags::default()
    };
    let cfg_id = CfgId::new(cfg).unwrap();
    let header = DataHeader {
        stream: FIRST,
        flags,
        index,
        time: PodTime::BOOT,
        cfg_id,
    };
    let mut out = [0; LONGEST_FRAME];
    encode_data(&header, &[ImuEntry::default(); 19][..count], &mut out)
        .unwrap()
        .to_vec()
}

fn take<const N: usize>(tracker: &mut StreamTracker<N>, index: u32, count: usize, ms: i64) -> u64 {
    let bytes = frame_bytes(index, count, 1, false);
    tracker.take_frame(&Frame::decode(&bytes).unwrap(), ms * MS).fresh
}

fn holes<const N: usize>(tracker: &StreamTracker<N>) -> Vec<(u32, u32)> {
    tracker.holes().map(|hole| (hole.first, hole.end)).collect()
}

#[test]
fn only_new_entries_of_an_overlapping_frame_are_fresh() {
    let mut tracker = StreamTracker::<8>::new(FIRST);
    assert_eq!(take(&mut tracker, 4, 4, 0), 0b1111);
    assert_eq!(holes(&tracker), [(0, 4)]);
    assert_eq!(
        take(&mut tracker, 2, 4, 0),
        0b0011,
        "2 and 3 were missing, 4 and 5 are there"
    );
    assert_eq!(
        take(&mut tracker, 6, 4, 0),
        0b1100,
        "6 and 7 are there, 8 and 9 are new"
    );
    assert_eq!(take(&mut tracker, 0, 10, 0), 0b0011);
    assert_eq!(
        (holes(&tracker), tracker.end(), tracker.counts().received),
        (vec![], 10, 10)
    );
    assert_eq!(tracker.counts().duplicates, 2 + 2 + 8);
}

#[test]
fn a_gap_settles_what_it_names_and_only_that() {
    let mut tracker = StreamTracker::<8>::new(FIRST);
    take(&mut tracker, 10, 2, 0);
    let flags = FrameFlags {
        backfill: true,
        ..FrameFlags::default()
    };
    let gap = |index, count, reason| {
        Frame::Gap(Gap {
            stream: FIRST,
            flags,
            index,
            time: None,
            cfg_id: None,
            count,
            reason,
        })
    };
    let placement = tracker.take_frame(&gap(3, 4, LossReason::Overwritten), 0);
    assert_eq!((placement.fresh, placement.lost), (0, 4));
    assert_eq!(holes(&tracker), [(0, 3), (7, 10)]);
    assert_eq!(
        tracker.take_frame(&gap(11, 5, LossReason::NotSampled), 0).lost,
        4,
        "11 is there"
    );
    assert_eq!(tracker.end(), 16);
    assert_eq!(tracker.counts().lost_by_reason, [4, 0, 4, 0, 0]);
}

#[test]
fn a_full_book_gives_up_the_oldest_hole() {
    let mut tracker = StreamTracker::<2>::new(FIRST);
    for index in [1, 3, 5] {
        take(&mut tracker, index, 1, 0);
    }
    assert_eq!((holes(&tracker), tracker.counts().given_up), (vec![(2, 3), (4, 5)], 1));
    take(&mut tracker, 15, 1, 0);
    assert_eq!((holes(&tracker), tracker.counts().given_up), (vec![(4, 5), (6, 15)], 2));
    take(&mut tracker, 8, 1, 0);
    assert_eq!(
        (holes(&tracker), tracker.counts().given_up),
        (vec![(6, 8), (9, 15)], 3),
        "one hole fell in two"
    );
}

#[test]
fn a_hole_is_asked_for_when_it_was_quiet_and_the_queue_has_room() {
    let mut tracker = StreamTracker::<8>::new(FIRST);
    take(&mut tracker, 100, 1, 0);
    assert_eq!(tracker.next_range(499 * MS, 40, QueueFill::HasRoom), None);
    assert_eq!(tracker.next_range(500 * MS, 40, QueueFill::Full), None);
    let span = RangeSpan {
        stream: FIRST,
        first: 0,
        count: 40,
    };
    assert_eq!(tracker.next_range(500 * MS, 40, QueueFill::HasRoom), Some(span));
    assert_eq!(
        tracker.next_range(5_499 * MS, 40, QueueFill::HasRoom),
        None,
        "one is in flight"
    );
    assert!(
        tracker.next_range(6_100 * MS, 40, QueueFill::HasRoom).is_none(),
        "5 s of silence end it, 500 ms follow"
    );
    assert_eq!(tracker.next_range(6_600 * MS, 40, QueueFill::HasRoom), Some(span));
}

#[test]
fn what_is_asked_for_three_times_in_vain_is_given_up() {
    let mut tracker = StreamTracker::<8>::new(FIRST);
    take(&mut tracker, 50, 1, 0);
    let (txn, outcome) = (Txn::new(1).unwrap(), RangeOutcome::Complete);
    let mut ms = 0;
    for _ in 0..3 {
        ms += 600;
        let span = tracker.next_range(ms * MS, 40, QueueFill::HasRoom).unwrap();
        assert_eq!((span.first, span.count), (0, 40));
        let other = RangeSpan { first: 7, ..span };
        tracker.take_range_done(
            &RangeDone {
                txn,
                outcome,
                span: other,
                gaps: 0,
            },
            ms * MS,
        );
        assert!(tracker.is_asking(), "another range was done");
        tracker.take_range_done(
            &RangeDone {
                txn,
                outcome,
                span,
                gaps: 0,
            },
            ms * MS,
        );
    }
    assert_eq!(tracker.counts().given_up, 0, "its frames may still be under way");
    ms += 600;
    tracker.next_range(ms * MS, 40, QueueFill::HasRoom);
    assert_eq!(
        (tracker.counts().given_up, holes(&tracker)),
        (40, vec![(40, 50)]),
        "the rest has its own tries"
    );
}

#[test]
fn busy_is_not_a_try_and_something_new_gives_all_tries_back() {
    let mut tracker = StreamTracker::<8>::new(FIRST);
    take(&mut tracker, 30, 1, 0);
    let mut ms = 0;
    for round in 0..12 {
        ms += 600;
        let span = tracker.next_range(ms * MS, 30, QueueFill::HasRoom).unwrap();
        match round % 3 {
            0 => tracker.take_range_refused(Status::Busy, ms * MS),
            1 => tracker.take_range_refused(Status::NotFound, ms * MS),
            _ => {
                let bytes = frame_bytes(span.first, 1, 1, true);
                tracker.take_frame(&Frame::decode(&bytes).unwrap(), ms * MS);
                tracker.take_range_refused(Status::NotFound, ms * MS);
            }
        }
    }
    assert_eq!((tracker.counts().given_up, holes(&tracker)), (0, vec![(4, 30)]));
}

#[test]
fn a_lower_next_after_a_power_cut_takes_nothing_from_the_host() {
    let mut tracker = StreamTracker::<8>::new(FIRST);
    take(&mut tracker, 0, 5, 0);
    take(&mut tracker, 12, 8, 0);
    let row = SessionStream {
        stream: FIRST,
        cfg_id: CfgId::new(1).unwrap(),
        oldest: 0,
        next: 8,
    };
    assert_eq!(tracker.take_session_row(&row, 0), 4, "8 to 11 are gone with the power");
    assert_eq!((holes(&tracker), tracker.end()), (vec![(5, 8)], 20));
    let span = tracker.next_range(600 * MS, 100, QueueFill::HasRoom).unwrap();
    assert_eq!((span.first, span.end()), (5, 8), "nothing above next is asked for");
}

#[test]
fn an_ack_waits_for_durable_storage_holes_and_five_seconds() {
    let mut tracker = StreamTracker::<8>::new(FIRST);
    assert_eq!(tracker.next_ack(0, 0), None, "nothing is safe");
    take(&mut tracker, 0, 10, 0);
    take(&mut tracker, 15, 5, 0);
    assert_eq!(tracker.next_ack(0, 7), Some(7), "durable up to 7");
    assert_eq!(tracker.next_ack(4_999 * MS, 20), None);
    assert_eq!(tracker.next_ack(5_000 * MS, 20), Some(10), "10 is missing");
    assert_eq!(tracker.next_ack(10_000 * MS, 20), None, "never the same twice");
    take(&mut tracker, 10, 5, 0);
    assert_eq!(tracker.next_ack(10_000 * MS, 20), Some(20));
}

#[test]
fn a_frame_waits_for_its_configuration_at_most_two_seconds() {
    let mut held = HeldFrames::<2>::default();
    let cfg = |number| CfgId::new(number).unwrap();
    assert!(held.hold(&[1, 2, 3], 0).is_err(), "that is no frame");
    held.hold(&frame_bytes(0, 1, 4, false), 0).unwrap();
    held.hold(&frame_bytes(1, 1, 5, false), MS).unwrap();
    assert_eq!(held.wanted().collect::<Vec<_>>(), [cfg(4), cfg(5)]);
    held.hold(&frame_bytes(2, 1, 5, false), 2 * MS).unwrap();
    assert_eq!((held.len(), held.dropped()), (2, 1), "the oldest made room");
    let mut used = Vec::new();
    held.release(cfg(5), |frame, arrived_ns| used.push((frame.index(), arrived_ns)));
    assert_eq!(
        (used, held.len()),
        (vec![(1, MS), (2, 2 * MS)], 0),
        "in order, with their arrival"
    );
    held.hold(&frame_bytes(3, 1, 6, false), 0).unwrap();
    held.hold(&frame_bytes(4, 1, 7, false), 1_000 * MS).unwrap();
    held.drop_unknown(cfg(7));
    assert_eq!((held.len(), held.dropped()), (1, 2));
    held.drop_old(2_000 * MS);
    assert_eq!(held.len(), 1);
    held.drop_old(2_000 * MS + 1);
    assert_eq!((held.len(), held.dropped(), held.is_empty()), (0, 3, true));
}
