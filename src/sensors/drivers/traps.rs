//! The traps of each maker's protocol, one by one, with frames written by hand.

use super::driver as driver_of;
use super::{DriverKind, dot, movesense, polar, sig};
use crate::model::SessionTime;
use crate::sensors::driver::{Driver, Progress, Wanted, Wish};
use crate::sensors::link::{Asked, Chan, Command, LinkEvent, LinkFailure, LinkInfo};
use crate::sensors::said::{Block, CadenceConvention, MissingWhy, Note, Said, Streaming};

const POLAR: [Chan; 2] = [polar::driver::CONTROL, polar::driver::DATA];
const MOVESENSE: [Chan; 2] = [movesense::driver::WRITE, movesense::driver::NOTIFY];
const DOT: [Chan; 3] = [dot::control::CONTROL, dot::control::MEASUREMENT, dot::control::MEDIUM];

const WISH: Wish = Wish::Stream(Wanted {
    session: 1,
    rate_hz: 200.0,
    acc_range: 8.0 * 9.806_65,
    gyro_range: 30.0,
});

/// A driver led by hand.
struct Hand {
    driver: Box<dyn Driver>,
    at: SessionTime,
    said: Vec<Said>,
}

impl Hand {
    fn new(kind: DriverKind, chans: &[Chan], mtu: u16) -> Self {
        let mut hand = Self {
            driver: driver_of(kind),
            at: SessionTime::from_secs(100.0),
            said: Vec::new(),
        };
        hand.driver.wish(WISH, hand.at);
        let info = LinkInfo {
            name: "sensor".to_owned(),
            os_id: String::new(),
            mtu,
            chans: chans.to_vec(),
        };
        hand.event(LinkEvent::Up { at: hand.at, info });
        hand
    }

    fn event(&mut self, event: LinkEvent) {
        self.driver.on_event(&event, &mut self.said);
    }

    fn wait(&mut self, seconds: f64) {
        self.at = self.at.plus(seconds);
    }

    fn frame(&mut self, chan: Chan, bytes: &[u8]) {
        let (at, bytes) = (self.at, bytes.to_vec());
        self.event(LinkEvent::Frame { at, chan, bytes });
    }

    fn poll(&mut self) -> Option<Command> {
        self.driver.poll(self.at, &mut self.said)
    }

    /// Gives the next command, answered at once with these bytes.
    fn step(&mut self, bytes: &[u8]) -> Option<Command> {
        let command = self.poll()?;
        self.answer(command.asked()?, Ok(bytes.to_vec()));
        Some(command)
    }

    fn answer(&mut self, asked: Asked, result: Result<Vec<u8>, LinkFailure>) {
        let at = self.at;
        self.event(LinkEvent::Answered {
            began: at,
            at,
            asked,
            result,
        });
    }

    /// The bytes of the next command, which must be a write.
    fn written(&mut self) -> Vec<u8> {
        match self.step(&[]) {
            Some(Command::Write { bytes, .. }) => bytes,
            other => panic!("{other:?} is no write; said {:?}", self.said),
        }
    }

    fn has_note(&self, is: impl Fn(&Note) -> bool) -> bool {
        self.said.iter().any(|s| matches!(s, Said::Note(n) if is(n)))
    }

    fn refused(&self) -> usize {
        self.said.iter().filter(|s| matches!(s, Said::Refused { .. })).count()
    }

    fn blocks(&self) -> Vec<&Block> {
        let mut blocks = Vec::new();
        for s in &self.said {
            if let Said::Block(b) = s {
                blocks.push(b);
            }
        }
        blocks
    }

    fn streaming(&self) -> Option<&Streaming> {
        self.said.iter().rev().find_map(|s| match s {
            Said::Streaming(s) => Some(s),
            _ => None,
        })
    }
}

/// An H10 as far as the start of acceleration, which is the next command.
fn h10() -> Hand {
    let mut hand = Hand::new(DriverKind::Polar, &POLAR, 232);
    assert_eq!(
        hand.step(&[0x0F, 0x05, 0]),
        Some(Command::Read(POLAR[0])),
        "features before any subscription"
    );
    assert_eq!(hand.step(&[]), Some(Command::Subscribe(POLAR[0])));
    assert_eq!(hand.step(&[]), Some(Command::Subscribe(POLAR[1])));
    assert_eq!(hand.written(), [1, 2]);
    hand.frame(
        POLAR[0],
        &[
            0xF0, 1, 2, 0, 0, 0, 2, 100, 0, 200, 0, 1, 1, 16, 0, 2, 3, 2, 0, 4, 0, 8, 0,
        ],
    );
    hand
}

const START: [u8; 14] = [2, 2, 0, 1, 200, 0, 1, 1, 16, 0, 2, 1, 8, 0];
const STARTED: [u8; 11] = [0xF0, 2, 2, 0, 0, 5, 1, 0, 0, 0x80, 0x3F];

fn acc_frame(last_ns: u64, samples: usize) -> Vec<u8> {
    let mut bytes = vec![2];
    bytes.extend(last_ns.to_le_bytes());
    bytes.push(1);
    bytes.extend([10, 0, 20, 0, 0xE8, 3].repeat(samples));
    bytes
}

#[test]
fn polar_the_echo_of_a_read_is_ignored_and_data_before_the_reply_is_kept() {
    let mut hand = h10();
    hand.frame(POLAR[0], &[0x0F, 0x05, 0]);
    assert_eq!(hand.written(), START);
    hand.frame(POLAR[1], &acc_frame(1_000_000_000, 10));
    assert!(hand.blocks().is_empty() && hand.refused() == 0);
    hand.frame(POLAR[0], &STARTED);
    let got: Vec<_> = hand.blocks().iter().map(|b| (b.index, b.first_ns, b.last_ns)).collect();
    assert_eq!(got, [(0, 955_000_000, 1_000_000_000)]);
    let s = *hand.streaming().expect("told");
    assert_eq!((s.rate_hz, s.acc_clip, s.gyro_scale), (200.0, 7984.0, 0.0));
    assert!((s.acc_scale - 9.806_65e-3).abs() < 1e-12 && s.gyro_clip == f32::INFINITY);
    assert_eq!(hand.poll(), None);
    assert_eq!(hand.driver.progress(), Progress::Streaming);
}

#[test]
fn polar_already_started_is_stopped_and_started() {
    let mut hand = h10();
    assert_eq!(hand.written(), START);
    hand.frame(POLAR[0], &[0xF0, 2, 2, 6]);
    assert_eq!(hand.written(), [3, 2]);
    hand.frame(POLAR[0], &[0xF0, 3, 2, 0, 0]);
    assert_eq!(hand.written(), START);
    hand.frame(POLAR[0], &STARTED);
    assert_eq!(hand.poll(), None);
    assert!(!hand.has_note(|n| matches!(n, Note::CommandFailed { .. })));
}

#[test]
fn polar_a_small_mtu_and_a_charger_are_told_as_such() {
    let mut hand = h10();
    hand.written();
    hand.frame(POLAR[0], &[0xF0, 2, 2, 10]);
    assert_eq!(hand.poll(), None);
    assert!(hand.has_note(|n| *n == Note::SmallMtu(232)));
    assert_eq!(hand.driver.progress(), Progress::Unable);

    let mut hand = h10();
    hand.written();
    hand.frame(POLAR[0], &[0xF0, 2, 2, 13]);
    assert_eq!(hand.poll(), None);
    assert!(hand.has_note(|n| matches!(n, Note::Fault(_))));
    hand.wait(1.1);
    assert_eq!(hand.written(), START, "it may have been taken out");
}

#[test]
fn polar_a_stop_nobody_asked_for_is_told_and_it_is_started_again() {
    let mut hand = h10();
    hand.written();
    hand.frame(POLAR[0], &STARTED);
    hand.frame(POLAR[1], &acc_frame(1_000_000_000, 10));
    assert_eq!(hand.poll(), None);
    hand.frame(POLAR[0], &[1, 2]);
    assert_eq!(hand.poll(), None);
    assert!(hand.has_note(|n| matches!(n, Note::Ended(_))));
    hand.wait(1.1);
    assert_eq!(hand.written(), START);
    hand.frame(POLAR[0], &STARTED);
    hand.wait(0.9);
    hand.frame(POLAR[1], &acc_frame(3_000_000_000, 10));
    let b = hand.blocks()[1].clone();
    assert_eq!(
        (b.index, b.epoch, b.seam, b.after_gap),
        (400, 0, 2, true),
        "its clock tells the time in between"
    );
}

#[test]
fn polar_a_block_of_width_nought_makes_the_frame_suspect() {
    let mut hand = h10();
    hand.written();
    hand.frame(POLAR[0], &STARTED);
    let mut bytes = vec![2];
    bytes.extend(1_000_000_000_u64.to_le_bytes());
    bytes.extend([0x81, 1, 0, 2, 0, 3, 0, 0, 5]);
    hand.frame(POLAR[1], &bytes);
    assert!(hand.blocks()[0].suspect);
}

#[test]
fn polar_a_flood_is_dropped_and_said_once() {
    let mut hand = h10();
    hand.written();
    hand.frame(POLAR[0], &STARTED);
    for i in 1..=4000_u64 {
        hand.frame(POLAR[1], &acc_frame(1_000_000_000 + i * 1_000, 36));
    }
    let kept: usize = hand.blocks().iter().map(|b| b.values.len() / 3).sum();
    assert!(kept <= 60 * 200, "{kept}");
    assert_eq!(
        hand.said
            .iter()
            .filter(|s| matches!(s, Said::Note(Note::Flooding)))
            .count(),
        1
    );
}

#[test]
fn movesense_an_error_is_big_endian_and_says_whether_to_hope() {
    for (status, hopeless) in [([1, 0x94], true), ([1, 0xF7], false)] {
        let mut hand = Hand::new(DriverKind::Movesense, &MOVESENSE, 185);
        assert_eq!(hand.step(&[]), Some(Command::Subscribe(MOVESENSE[1])));
        assert_eq!(hand.written(), [0, 1]);
        hand.frame(MOVESENSE[1], &[1, 1, 0xC8]);
        assert_eq!(hand.written(), b"\x01\x63/Meas/IMU6/208");
        hand.frame(MOVESENSE[1], &[1, 99, status[0], status[1]]);
        assert_eq!(hand.poll(), None);
        assert!(hand.has_note(|n| matches!(n, Note::CommandFailed { answer, .. } if answer.starts_with("status"))));
        assert_eq!(hand.driver.progress() == Progress::Unable, hopeless);
        hand.wait(1.1);
        assert_eq!(hand.poll().is_none(), hopeless);
    }
}

#[test]
fn movesense_without_its_service_is_told_in_words() {
    let mut hand = Hand::new(DriverKind::Movesense, &[], 185);
    assert_eq!(hand.poll(), None);
    assert!(hand.has_note(|n| matches!(n, Note::Limits(why) if why.contains("firmware"))));
    assert_eq!(hand.driver.progress(), Progress::Unable);
}

fn dot_frame(us: u32) -> Vec<u8> {
    let mut bytes = us.to_le_bytes().to_vec();
    bytes.extend([1.0_f32; 6].iter().flat_map(|v| v.to_le_bytes()));
    bytes.resize(40, 0xEE);
    bytes
}

/// A DOT that streams, whose control reads back this rate.
fn dot_at(rate: u8) -> Hand {
    let mut hand = Hand::new(DriverKind::Dot, &DOT, 247);
    let bytes = hand.written();
    assert_eq!((bytes[0], bytes[24], bytes.len()), (16, 60, 32));
    let mut control = vec![0; 32];
    control[24] = rate;
    assert_eq!(hand.step(&control), Some(Command::Read(DOT[0])));
    assert_eq!(hand.step(&[]), Some(Command::Subscribe(DOT[2])));
    assert_eq!(hand.written(), [1, 1, 21]);
    hand
}

#[test]
fn dot_the_rate_read_back_is_the_rate() {
    let mut hand = dot_at(30);
    hand.frame(DOT[2], &dot_frame(5));
    assert_eq!(hand.streaming().map(|s| s.rate_hz), Some(30.0));
    assert!(hand.has_note(|n| matches!(n, Note::NotAsWanted { got, .. } if *got == 30.0)));
    let clip = hand.streaming().map(|s| s.gyro_clip);
    assert_eq!(clip, Some(1996.0));
}

#[test]
fn dot_a_turn_of_its_clock_goes_on_and_a_restart_is_another_epoch() {
    let mut hand = dot_at(60);
    hand.frame(DOT[2], &dot_frame(u32::MAX - 5));
    hand.wait(1.0 / 60.0);
    hand.frame(DOT[2], &dot_frame(16_661));
    let b = hand.blocks()[1].clone();
    assert_eq!((b.index, b.epoch, b.after_gap), (1, 0, false));
    assert_eq!(b.first_ns - hand.blocks()[0].first_ns, 16_667_000);
    // An hour on, the clock shows a second.
    hand.wait(3600.0);
    hand.frame(DOT[2], &dot_frame(3_600_016_661));
    hand.wait(1.0);
    hand.frame(DOT[2], &dot_frame(1_000_000));
    assert_eq!(hand.blocks()[3].epoch, 1);
    assert!(hand.has_note(|n| *n == Note::Rebooted));
    let named = |s: &&Said| matches!(s, Said::Missing(m) if m.why == MissingWhy::Radio && !m.counted);
    assert_eq!(hand.said.iter().filter(named).count(), 2, "{:?}", hand.said);
}

#[test]
fn a_foot_pod_finds_out_what_its_cadence_counts_and_names_its_limits() {
    let chans = [sig::rsc::MEASUREMENT, sig::battery::LEVEL];
    let mut hand = Hand::new(DriverKind::Standard, &chans, 23);
    assert_eq!(hand.step(&[9]), Some(Command::Read(chans[1])));
    assert_eq!(hand.step(&[]), Some(Command::Subscribe(chans[1])));
    assert_eq!(hand.step(&[]), Some(Command::Subscribe(chans[0])));
    let mut conventions = Vec::new();
    for _ in 0..25 {
        hand.wait(1.0);
        hand.frame(chans[0], &[4, 0, 4, 92]);
        if let Some(Said::RunningSpeed(r)) = hand.said.last() {
            assert_eq!((r.speed, r.cadence_raw), (4.0, 92));
            conventions.push(r.convention);
        }
    }
    let unknown = conventions.iter().filter(|c| **c == CadenceConvention::Unknown).count();
    assert_eq!((conventions.len(), unknown), (25, 20));
    assert_eq!(conventions[24], CadenceConvention::Strides);
    assert!(hand.has_note(|n| matches!(n, Note::Limits(why) if why.contains("raw data"))));
    assert!(hand.has_note(|n| matches!(n, Note::BatteryLow { percent: 9, .. })));
    assert_eq!(hand.poll(), None);
    assert_eq!(hand.driver.progress(), Progress::Streaming);
}
