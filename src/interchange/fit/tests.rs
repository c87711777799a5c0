//! A run that is known, written and read back by the reader of watch files.

use super::activity::{Activity, Bluetooth, FitError, Frame};
use super::session_mark;
use crate::interchange::tracks::{self, Sport, Track};
use crate::metrics::{MetricId as Id, MetricSet, StrideRecord};
use crate::model::{
    Activity as Doing, DataClass, Placement, QualityParts, SegmentKind, SessionTime, Side, Stride, StrideFlags,
};

/// 2026-03-01T06:30:00.25Z.
const START_US: i64 = 1_772_346_600_250_000;

fn frame(end_s: f64) -> Frame {
    Frame {
        start_us: START_US,
        end: SessionTime::from_secs(end_s),
        utc_offset_s: Some(3600),
        laps: Vec::new(),
        still: Vec::new(),
        sensors: vec![Placement::LeftFoot, Placement::RightFoot],
        over_bluetooth: Bluetooth::Yes,
        mark: session_mark("s1"),
        version: "1.12.3".to_owned(),
    }
}

/// Strides of 0.75 s and 2.1 m from `from` to `to`; of those with an odd number the length is not known.
pub(super) fn strides(from: f64, to: f64, side: Side) -> impl Iterator<Item = StrideRecord> {
    let count = ((to - from) / 0.75) as u32;
    (0..count).map(move |n| {
        let start = SessionTime::from_secs(from + 0.75 * f64::from(n));
        let mut metrics = MetricSet::default();
        metrics.set(Id::Cadence, Ok(160.0));
        metrics.set(Id::ContactTime, Ok(if side == Side::Left { 0.24 } else { 0.26 }));
        if n % 5 != 1 {
            metrics.set(Id::StrideLength, Ok(2.1));
            metrics.set(Id::Speed, Ok(2.8));
        }
        StrideRecord {
            index: n,
            stride: Stride {
                side: Some(side),
                seen_from: SegmentKind::Foot,
                start,
                end: start.plus(0.75),
                contact: None,
                next_ic: None,
                foot: None,
                activity: Doing::Running,
                flags: StrideFlags::default(),
                quality: QualityParts::FULL,
            },
            metrics,
            class: DataClass::A,
        }
    })
}

fn read(bytes: &[u8]) -> Track {
    let mut tracks = tracks::read(bytes).expect("read").tracks;
    assert_eq!(tracks.len(), 1);
    tracks.remove(0)
}

/// Running to 60 s, standing to 90 s, running to 120 s, of which the sensors lost the part from 100 to 112 s.
fn known() -> Activity {
    let still = (62..=90).map(|s| SessionTime::from_secs(f64::from(s))).collect();
    let laps = vec![SessionTime::from_secs(100.0), SessionTime::from_secs(30.0)];
    let mut activity = Activity::new(Frame {
        still,
        laps,
        ..frame(120.0)
    })
    .expect("a run");
    for side in [Side::Left, Side::Right] {
        for (from, to) in [(0.0, 60.0), (90.0, 100.0), (112.0, 120.0)] {
            strides(from, to, side).for_each(|s| activity.push(&s));
        }
    }
    activity
}

#[test]
fn a_run_is_read_back_as_it_was_written() {
    let track = read(&known().finish());
    assert_eq!(track.sport, Sport::Running);
    assert_eq!(track.lope_session, Some(session_mark("s1")));
    assert_eq!(track.utc_offset_s, Some(3600));
    assert_eq!(track.start_us, Some(1_772_346_600_000_000));
    // Whole seconds from 0.75 s on: 120 of them, less those between the strides at 60 and at 90 s.
    assert_eq!(track.points.len(), 120 - 29);
    let fresh: Vec<i64> = track
        .points
        .iter()
        .filter(|p| p.fresh)
        .map(|p| p.at_us - START_US)
        .collect();
    assert_eq!(fresh, [89_750_000], "one pause; what was lost is none");
    let at = |s: i64| {
        let wanted = START_US + s * 1_000_000 + 750_000;
        track.points.iter().find(|p| p.at_us == wanted).expect("a point")
    };
    assert_eq!(at(20).cadence, Some(80.0));
    assert_eq!(at(105).cadence, None, "nothing is known where samples are lost");
    assert!((at(40).distance_m.expect("known") - 40.75 * 2.8).abs() < 0.006);
    assert_eq!(at(105).distance_m, at(108).distance_m);
    let device = track.device;
    assert_eq!(device.elapsed_s, Some(120.0));
    assert_eq!(device.timer_s, Some(120.0 - 29.0));
    assert_eq!(device.cadence, Some(80.0));
    // 80 + 13 + 10 strides.
    assert!((device.distance_m.expect("known") - 103.0 * 2.1).abs() < 0.006);
}

#[test]
fn the_same_run_is_the_same_bytes_in_whatever_order_laps_and_strides_come() {
    let again = {
        let mut activity = Activity::new(Frame {
            still: (62..=90).rev().map(|s| SessionTime::from_secs(f64::from(s))).collect(),
            // Outside the run, and twice the same: no laps.
            laps: [30.0, 100.0, 30.0, -4.0, 0.0, 120.0, 900.0]
                .map(SessionTime::from_secs)
                .to_vec(),
            ..frame(120.0)
        })
        .expect("a run");
        for side in [Side::Left, Side::Right] {
            for (from, to) in [(0.0, 60.0), (90.0, 100.0), (112.0, 120.0)] {
                strides(from, to, side).for_each(|s| activity.push(&s));
            }
        }
        activity.finish()
    };
    assert_eq!(again, known().finish());
}

#[test]
fn runs_without_strides_and_of_no_length_are_files_all_the_same() {
    for end_s in [0.0, 0.4, 5.0, 40.0] {
        let bytes = Activity::new(frame(end_s)).expect("a run").finish();
        let track = read(&bytes);
        assert!(
            track
                .points
                .iter()
                .all(|p| p.cadence.is_none() && p.distance_m.is_none())
        );
        assert_eq!(track.device.distance_m, None);
        assert_eq!(track.device.elapsed_s, Some(end_s));
    }
}

#[test]
fn what_fit_cannot_hold_is_refused() {
    let refused = |frame| Activity::new(frame).err();
    let at = |start_us| {
        refused(Frame {
            start_us,
            ..frame(60.0)
        })
    };
    assert_eq!(at(0), Some(FitError::NoDate));
    assert_eq!(at(5_000_000_000_000_000), Some(FitError::NoDate));
    assert_eq!(at(START_US), None);
    assert_eq!(refused(frame(400_000.0)), Some(FitError::TooLong));
    assert_eq!(refused(frame(-1.0)), Some(FitError::TooLong));
    assert_eq!(refused(frame(360_000.0)), None);
}
