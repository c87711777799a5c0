//! One sentence for each thing that goes wrong.

use super::truth::{Outcome, Plan, at, run, run_with, wanted};
use crate::model::units::rad;
use crate::sensors::driver::{Driver, Progress, Wanted, Wish};
use crate::sensors::drivers::lope::LopeDriver;
use crate::sensors::drivers::lope::link::{CONTROL_CHAN, STREAM_CHAN, TIME_CHAN};
use crate::sensors::link::{Command, LinkEvent};
use crate::sensors::said::{Late, MissingWhy, Note, Said};
use crate::sensors::simulated::air::{Air, AirFaults};
use crate::sensors::simulated::conversation::Conversation;
use crate::sensors::simulated::dice::Dice;
use crate::sensors::simulated::pod::{Bond, Journal, PodFault, PodMemory, Readings, SimPod, SimPodSetup};
use firmware_protocol::{
    Calibration, CfgId, DataHeader, FrameFlags, ImuEntry, Op, PodTime, RingStorage, SensorCalibration, StreamId,
    encode_data,
};

fn faults(list: &[(f64, PodFault)]) -> SimPodSetup {
    SimPodSetup {
        faults: list.iter().map(|(s, fault)| (at(*s), *fault)).collect(),
        ..SimPodSetup::default()
    }
}

fn with(pod: SimPodSetup) -> Outcome {
    run(Plan { pod, ..Plan::default() })
}

fn in_air(air: AirFaults) -> Outcome {
    run(Plan { air, ..Plan::default() })
}

fn requests(outcome: &Outcome, op: Op) -> usize {
    let is =
        |c: &Command| matches!(c, Command::Write { chan, bytes, .. } if *chan == CONTROL_CHAN && bytes[0] == op.get());
    outcome.commands.iter().filter(|(_, c)| is(c)).count()
}

#[test]
fn a_small_mtu_is_told_and_nothing_is_streamed() {
    for (pod_mtu, air_mtu) in [(23, 247), (247, 23), (99, 247)] {
        let outcome = run(Plan {
            pod: SimPodSetup {
                mtu: pod_mtu,
                ..SimPodSetup::default()
            },
            air: AirFaults {
                mtu: air_mtu,
                ..AirFaults::default()
            },
            stop_s: 5.0,
            patience_s: 1.0,
            ..Plan::default()
        });
        let smaller = pod_mtu.min(air_mtu);
        assert!(
            outcome.notes().contains(&&Note::SmallMtu(smaller)),
            "{:?}",
            outcome.notes()
        );
        assert!(outcome.taken.is_empty());
        assert_eq!(requests(&outcome, Op::Start), 0);
    }
}

#[test]
fn frames_cut_short_are_counted_by_their_rule_and_fetched_again() {
    let outcome = in_air(AirFaults {
        truncate: 0.1,
        ..AirFaults::default()
    });
    assert_eq!(outcome.obeys_the_law("truncated").1, 0);
    assert!(outcome.refused("crc") + outcome.refused("truncated") + outcome.refused("length") > 5);
}

#[test]
fn frames_that_come_twice_are_counted_and_used_once() {
    let outcome = in_air(AirFaults {
        duplicate: 0.3,
        ..AirFaults::default()
    });
    assert_eq!(outcome.obeys_the_law("duplicated").1, 0);
    let repeated: u32 = outcome
        .said
        .iter()
        .map(|(_, s)| if let Said::Repeated(n) = s { *n } else { 0 })
        .sum();
    assert!(repeated > 500, "{repeated} samples came twice");
    assert_eq!(outcome.progress, Progress::Done);
}

#[test]
fn characteristics_may_overtake_each_other() {
    for seed in 0..40 {
        let outcome = in_air(AirFaults {
            seed,
            delay_s: (0.001, 0.4),
            ..AirFaults::default()
        });
        assert_eq!(outcome.obeys_the_law(&format!("overtaking, seed {seed}")).1, 0);
        assert_eq!(outcome.progress, Progress::Done, "{:?}", outcome.notes());
    }
}

/// A conversation that has streamed for five seconds.
fn streaming<'p>(memory: &'p mut PodMemory, pod: SimPodSetup, journal: &Journal) -> Conversation<'p, LopeDriver> {
    let pod = SimPod::new(pod, Readings::Numbered, memory).keep_journal(journal);
    let mut talk = Conversation::new(LopeDriver::new(), Air::new(Box::new(pod), AirFaults::default()));
    talk.wish(Wish::Stream(wanted()));
    talk.run_until(at(5.0));
    assert_eq!(talk.driver.progress(), Progress::Streaming);
    talk
}

#[test]
fn an_index_that_no_pod_can_have_reached_is_refused_and_opens_no_hole() {
    let mut memory = PodMemory::new(20_000);
    let mut talk = streaming(&mut memory, SimPodSetup::default(), &Journal::default());
    let header = DataHeader {
        stream: StreamId::FIRST,
        flags: FrameFlags::default(),
        index: 4_000_000_000,
        time: PodTime::BOOT.plus_us(5_000_000),
        cfg_id: CfgId::new(1).expect("not zero"),
    };
    let mut buffer = [0; 64];
    let bytes = encode_data(&header, &[ImuEntry::default()], &mut buffer)
        .expect("fits")
        .to_vec();
    let (at, chan) = (talk.now(), STREAM_CHAN);
    let mut said = Vec::new();
    talk.driver.on_event(&LinkEvent::Frame { at, chan, bytes }, &mut said);
    assert_eq!(said, [Said::Refused { rule: "index_ahead" }]);
    let before = talk.commands.len();
    talk.run_until(talk.now().plus(3.0));
    let ranges = talk.commands[before..].iter().any(|(_, c)| {
        matches!(c, Command::Write { chan, bytes, .. } if *chan == CONTROL_CHAN && bytes[0] == Op::Range.get())
    });
    assert!(!ranges, "nothing is missing");
}

#[test]
fn a_pod_that_restarts_goes_on_under_a_new_session_and_what_it_held_is_named() {
    let outcome = with(faults(&[(8.0, PodFault::Reboot { off_ms: 700 })]));
    let (came, lost) = outcome.obeys_the_law("reboot");
    assert!(outcome.notes().contains(&&Note::Rebooted));
    assert!(
        (1..=2).contains(&outcome.uncounted()),
        "until it was missed, and until it sampled again"
    );
    let epochs: std::collections::BTreeSet<u32> = outcome
        .said
        .iter()
        .filter_map(|(_, s)| if let Said::Block(b) = s { Some(b.epoch) } else { None })
        .collect();
    assert_eq!(epochs.len(), 2, "its clock began anew");
    assert!(came > 3000 && lost < 40, "{came} came, {lost} lost");
    assert_eq!(outcome.progress, Progress::Done);
}

#[test]
fn a_pod_that_keeps_its_ring_loses_nothing_by_a_restart() {
    let air = AirFaults {
        loss: 0.2,
        ..AirFaults::default()
    };
    let pod = SimPodSetup {
        storage: RingStorage::Kept,
        ..faults(&[(8.0, PodFault::Reboot { off_ms: 700 })])
    };
    let outcome = run(Plan {
        pod,
        air,
        ..Plan::default()
    });
    assert_eq!(outcome.obeys_the_law("kept ring").1, 0);
    assert!(outcome.notes().contains(&&Note::Rebooted));
}

#[test]
fn a_clock_that_steps_is_told_and_begins_a_new_run_of_the_clock() {
    for us in [3_000_000, -2_000_000] {
        let outcome = with(faults(&[(8.0, PodFault::ClockStep { us })]));
        assert_eq!(outcome.obeys_the_law("step").1, 0);
        let steps: Vec<f64> = outcome
            .notes()
            .iter()
            .filter_map(|n| if let Note::ClockStepped(s) = n { Some(*s) } else { None })
            .collect();
        assert!(
            matches!(steps[..], [s] if (s - us as f64 * 1e-6).abs() < 0.1),
            "{steps:?}"
        );
        let last = |what: fn(&Said) -> Option<u32>| outcome.said.iter().rev().find_map(|(_, s)| what(s));
        let blocks = last(|s| if let Said::Block(b) = s { Some(b.epoch) } else { None });
        let clock = last(|s| if let Said::Clock(x) = s { Some(x.epoch) } else { None });
        assert_eq!(blocks, Some(2));
        assert_eq!(clock, blocks, "exchanges belong to the same run");
    }
}

#[test]
fn a_dying_battery_is_told_and_what_was_sampled_before_is_here() {
    let outcome = run(Plan {
        pod: faults(&[
            (6.0, PodFault::BatteryLow { percent: 9 }),
            (10.0, PodFault::BatteryDies),
        ]),
        patience_s: 10.0,
        ..Plan::default()
    });
    let (came, lost) = outcome.obeys_the_law("battery");
    let low = |n: &&Note| matches!(n, Note::BatteryLow { percent: 9, .. });
    assert!(outcome.notes().iter().any(low), "{:?}", outcome.notes());
    assert!(
        outcome.notes().contains(&&Note::Ended("its battery is empty")),
        "{:?}",
        outcome.notes()
    );
    assert!(lost < 20 && came > 1900, "{came} came, {lost} lost");
}

#[test]
fn of_two_pods_with_one_name_only_the_one_that_was_begun_with_is_recorded() {
    let (mut memory, mut other_memory) = (PodMemory::new(20_000), PodMemory::new(20_000));
    let journal = Journal::default();
    let mut talk = streaming(
        &mut memory,
        faults(&[(6.0, PodFault::Reboot { off_ms: 600_000 })]),
        &journal,
    );
    talk.run_until(at(7.0));
    let other = SimPodSetup {
        uid: 2,
        ..SimPodSetup::default()
    };
    let other_journal = Journal::default();
    let other = SimPod::new(other, Readings::Numbered, &mut other_memory).keep_journal(&other_journal);
    let said_before = talk.said.len();
    talk.air = Air::new(Box::new(other), AirFaults::default());
    talk.run_until(at(20.0));
    let new = &talk.said[said_before..];
    let told = |(_, s): &&(_, Said)| matches!(s, Said::Identity(i) if i.id.as_deref() == Some("0000000000000002"));
    assert!(new.iter().any(|s| told(&s)), "it is told which one answered");
    assert!(!new.iter().any(|(_, s)| matches!(s, Said::Block(_))));
    assert!(other_journal.is_empty(), "and it was not started");
}

#[test]
fn a_silent_pod_is_told_left_and_fetched_from_later() {
    let outcome = run(Plan {
        pod: faults(&[(5.0, PodFault::Silent { ms: 14_000 })]),
        stop_s: 30.0,
        ..Plan::default()
    });
    assert_eq!(outcome.obeys_the_law("silent").1, 0);
    assert!(outcome.notes().contains(&&Note::NoData));
    assert!(outcome.links >= 2, "the link was closed and opened again");
}

#[test]
fn a_flood_is_cut_off_and_told_once() {
    let outcome = with(faults(&[(5.0, PodFault::Flood { frames: 20_000 })]));
    outcome.obeys_the_law("flood");
    assert_eq!(outcome.notes().iter().filter(|n| ***n == Note::Flooding).count(), 1);
    let passed = outcome.refused("crc");
    assert!(
        passed < 500 && outcome.refused("flood") > 19_000,
        "{passed} were looked at"
    );
    assert_eq!(outcome.progress, Progress::Done);
}

#[test]
fn firmware_of_another_version_is_told_with_both_numbers() {
    let outcome = run(Plan {
        pod: SimPodSetup {
            major: 2,
            ..SimPodSetup::default()
        },
        stop_s: 3.0,
        patience_s: 1.0,
        ..Plan::default()
    });
    let expected = Note::Version {
        theirs: "2.0".to_owned(),
        ours: "1.0".to_owned(),
    };
    assert!(outcome.notes().contains(&&expected), "{:?}", outcome.notes());
    assert!(outcome.taken.is_empty());
}

#[test]
fn a_pod_taken_by_another_host_is_left_to_it() {
    let mut memory = PodMemory::new(20_000);
    let journal = Journal::default();
    let mut talk = streaming(&mut memory, faults(&[(6.0, PodFault::TakenOver)]), &journal);
    talk.run_until(at(20.0));
    let notes: Vec<_> = talk.said.iter().filter(|(_, s)| matches!(s, Said::Note(_))).collect();
    assert_eq!(talk.driver.progress(), Progress::Unable, "{notes:?}");
    let held: Vec<_> = talk
        .said
        .iter()
        .filter(|(_, s)| *s == Said::Note(Note::HeldByAnother))
        .collect();
    assert_eq!(held.len(), 1);
    let forced = talk.commands.iter().any(|(_, c)| {
        matches!(c, Command::Write { chan, bytes, .. } if *chan == CONTROL_CHAN && bytes[0] == Op::Start.get() && bytes[12] != 0)
    });
    assert!(!forced, "nobody was asked, so nothing is forced");
}

#[test]
fn a_link_that_breaks_at_any_command_loses_nothing() {
    for n in 1..=60 {
        let air = AirFaults {
            seed: u64::from(n),
            breaks_at: vec![n, n + 3],
            ..AirFaults::default()
        };
        let outcome = run(Plan {
            air,
            stop_s: 12.0,
            pod: SimPodSetup {
                calibration: calibration(),
                ..SimPodSetup::default()
            },
            ..Plan::default()
        });
        let name = format!("broken at command {n}");
        assert_eq!(outcome.obeys_the_law(&name).1, 0, "{name}");
        assert_eq!(outcome.progress, Progress::Done, "{name}: {:?}", outcome.notes());
        assert_eq!(outcome.uncounted(), 0, "{name}: one session is enough");
    }
}

#[test]
fn a_reply_that_is_lost_at_any_request_loses_nothing() {
    for n in 1..=25 {
        let air = AirFaults {
            seed: n,
            swallowed: vec![(CONTROL_CHAN, n)],
            ..AirFaults::default()
        };
        let outcome = run(Plan {
            air,
            stop_s: 12.0,
            ..Plan::default()
        });
        let name = format!("indication {n} lost");
        assert_eq!(outcome.obeys_the_law(&name).1, 0, "{name}");
        assert_eq!(outcome.progress, Progress::Done, "{name}: {:?}", outcome.notes());
    }
}

#[test]
fn a_collector_that_starts_again_finds_its_session_and_everything_in_it() {
    for reboot in [false, true] {
        let mut memory = PodMemory::new(20_000);
        let journal = Journal::default();
        let pod = if reboot {
            faults(&[(2.0, PodFault::Reboot { off_ms: 300 })])
        } else {
            SimPodSetup::default()
        };
        let mut talk = streaming(&mut memory, pod, &journal);
        let taken = journal.taken();
        let present = taken.iter().map(|t| t.session).max();
        let before = taken.iter().filter(|t| Some(t.session) == present).count();
        // All that was known is gone; the number of the recording is on disk.
        let air = std::mem::replace(&mut talk.air, Air::new(Box::new(nobody()), AirFaults::default()));
        let mut again = Conversation::new(LopeDriver::new(), air).starting_at(talk.now());
        again.air.command(Command::Close, talk.now());
        again.wish(Wish::Stream(wanted()));
        again.run_until(at(9.0));
        assert_eq!(again.driver.progress(), Progress::Streaming, "{:?}", again.said.last());
        let fetched: usize = again
            .said
            .iter()
            .map(|(_, s)| match s {
                Said::Block(b) if b.late == Late::Fetched => b.values.len() / 6,
                _ => 0,
            })
            .sum();
        assert!(
            fetched + 60 > before,
            "{fetched} of {before} samples that were taken before"
        );
    }
}

fn nobody() -> SimPod<'static> {
    SimPod::new(SimPodSetup::default(), Readings::Numbered, PodMemory::for_ever(1))
}

#[test]
fn an_unread_recording_of_another_is_told_and_only_taken_with_consent() {
    for (consent, expected) in [(false, Progress::Unable), (true, Progress::Streaming)] {
        let mut memory = PodMemory::new(20_000);
        let pod = SimPodSetup {
            max_linger_s: 1,
            ..SimPodSetup::default()
        };
        let mut talk = streaming(&mut memory, pod, &Journal::default());
        let air = std::mem::replace(&mut talk.air, Air::new(Box::new(nobody()), AirFaults::default()));
        let driver = if consent {
            LopeDriver::taking_over()
        } else {
            LopeDriver::new()
        };
        let mut next = Conversation::new(driver, air).starting_at(talk.now());
        next.air.command(Command::Close, talk.now());
        // Longer than the linger: the first recording has ended, unread.
        next.run_until(at(8.0));
        next.wish(Wish::Stream(Wanted {
            session: 99,
            ..wanted()
        }));
        next.run_until(at(14.0));
        assert_eq!(next.driver.progress(), expected, "consent {consent}");
        let told = next.said.iter().any(|(_, s)| *s == Said::Note(Note::UnreadRecording));
        assert_eq!(told, !consent);
    }
}

#[test]
fn a_pod_that_was_alone_too_long_gives_what_it_has_and_goes_on_under_a_new_session() {
    let outcome = run(Plan {
        pod: SimPodSetup {
            max_linger_s: 2,
            ..SimPodSetup::default()
        },
        air: AirFaults {
            out_of_range: vec![(5.0, 6.0)],
            ..AirFaults::default()
        },
        ..Plan::default()
    });
    assert_eq!(outcome.obeys_the_law("linger").1, 0, "all it took is here");
    assert_eq!(outcome.uncounted(), 1, "and the time it slept is named");
    let ended = Note::Ended("no computer was in reach for too long");
    assert!(outcome.notes().contains(&&ended), "{:?}", outcome.notes());
    assert_eq!(outcome.taken.iter().map(|t| t.session).max(), Some(2));
}

#[test]
fn a_pod_that_wants_a_bond_is_asked_for_one_and_told_of_if_it_refuses() {
    for bond in [Bond::Made, Bond::Refused] {
        let outcome = run(Plan {
            pod: SimPodSetup {
                bond,
                ..SimPodSetup::default()
            },
            stop_s: 6.0,
            patience_s: 20.0,
            ..Plan::default()
        });
        let told = outcome.notes().iter().any(|n| matches!(n, Note::NeedsPairing(_)));
        assert_eq!(told, bond == Bond::Refused, "{:?}", outcome.notes());
        assert_eq!(outcome.taken.is_empty(), bond == Bond::Refused);
        outcome.obeys_the_law("bond");
    }
}

fn calibration() -> &'static [u8] {
    let mut acc = SensorCalibration::IDENTITY;
    acc.offset = [0.1, -0.2, 0.3];
    let calibration = Calibration {
        acc: Some(acc),
        gyr: Some(SensorCalibration::IDENTITY),
        temperature_cdeg: Some(2150),
    };
    let buffer = Box::leak(Box::new([0; 256]));
    calibration.encode(buffer).expect("fits")
}

#[test]
fn the_calibration_is_said_once_and_not_applied() {
    let outcome = run(Plan {
        pod: SimPodSetup {
            calibration: calibration(),
            ..SimPodSetup::default()
        },
        air: AirFaults {
            breaks_every_s: Some(4.0),
            ..AirFaults::default()
        },
        ..Plan::default()
    });
    let said: Vec<_> = outcome
        .said
        .iter()
        .filter_map(|(_, s)| if let Said::Calibration(c) = s { Some(c) } else { None })
        .collect();
    assert!(
        matches!(said[..], [c] if c.acc.is_some_and(|a| a.offset == [0.1, -0.2, 0.3])),
        "{said:?}"
    );
    // The counts are the numbers that the pod put there.
    outcome.obeys_the_law("calibrated");
}

#[test]
fn what_the_pod_cannot_do_is_told_by_what_it_will_do() {
    let outcome = run(Plan {
        wanted: Wanted {
            rate_hz: 1666.0,
            gyro_range: rad(8000.0),
            ..wanted()
        },
        stop_s: 4.0,
        ring: 100_000,
        ..Plan::default()
    });
    let is = |n: &Note, name: &str, number: f64| matches!(n, Note::NotAsWanted { what, got, .. } if *what == name && *got == number);
    assert!(
        outcome.notes().iter().any(|n| is(n, "sampling rate", 833.0)),
        "{:?}",
        outcome.notes()
    );
    assert!(
        outcome.notes().iter().any(|n| is(n, "gyroscope range", 4000.0)),
        "{:?}",
        outcome.notes()
    );
    outcome.obeys_the_law("not as wanted");
}

#[test]
fn inspecting_tells_who_it_is_and_starts_nothing() {
    let mut memory = PodMemory::new(1000);
    let journal = Journal::default();
    let pod = SimPod::new(SimPodSetup::default(), Readings::Numbered, &mut memory).keep_journal(&journal);
    let mut talk = Conversation::new(LopeDriver::new(), Air::new(Box::new(pod), AirFaults::default()));
    let inspected = talk.run_while(at(10.0), |t| t.driver.progress() != Progress::Inspected);
    assert!(inspected, "{:?}", talk.driver.progress());
    let last = talk
        .said
        .iter()
        .rev()
        .find_map(|(_, s)| if let Said::Identity(i) = s { Some(i) } else { None });
    let identity = last.expect("it says who it is");
    assert_eq!(identity.id.as_deref(), Some("0000000000000001"));
    assert_eq!(identity.maker.as_deref(), Some("lope"));
    assert!(talk.said.iter().any(|(_, s)| *s == Said::Battery(Some(87))));
    talk.wish(Wish::Identify { seconds: 3 });
    talk.run_until(talk.now().plus(1.0));
    let identify =
        |c: &Command| matches!(c, Command::Write { bytes, .. } if bytes[0] == Op::Identify.get() && bytes[2] == 3);
    assert!(talk.commands.iter().any(|(_, c)| identify(c)));
    assert!(journal.is_empty());
}

#[test]
fn nothing_is_acknowledged_or_erased_before_it_is_safe() {
    let outcome = run(Plan {
        safe_every_s: 1e6,
        patience_s: 30.0,
        ..Plan::default()
    });
    assert_eq!((requests(&outcome, Op::Ack), requests(&outcome, Op::Erase)), (0, 0));
    assert_eq!(outcome.progress, Progress::Fetching);
    let safe = run(Plan::default());
    assert!(
        requests(&safe, Op::Ack) >= 2 && requests(&safe, Op::Ack) <= 4,
        "{}",
        requests(&safe, Op::Ack)
    );
    assert_eq!(requests(&safe, Op::Erase), 1);
}

#[test]
fn an_event_that_was_missed_is_made_up_for() {
    // The fifth second's change of rate is never heard of; the event after it shows the jump.
    let quiet = run(Plan {
        pod: faults(&[(5.0, PodFault::SlowDown { rate_mhz: 104_000 })]),
        ..Plan::default()
    });
    let indications = quiet
        .events
        .iter()
        .filter(|e| matches!(e, LinkEvent::Frame { chan, .. } if *chan == CONTROL_CHAN));
    let event = indications
        .enumerate()
        .find(|(_, e)| matches!(e, LinkEvent::Frame { bytes, .. } if bytes[0] == 0x41))
        .map(|(n, _)| n as u64 + 1)
        .expect("the change was told");
    let outcome = run(Plan {
        pod: faults(&[
            (5.0, PodFault::SlowDown { rate_mhz: 104_000 }),
            (7.0, PodFault::BatteryLow { percent: 5 }),
        ]),
        air: AirFaults {
            swallowed: vec![(CONTROL_CHAN, event)],
            ..AirFaults::default()
        },
        ..Plan::default()
    });
    assert_eq!(outcome.obeys_the_law("missed event").1, 0);
    let asked_current =
        |c: &Command| matches!(c, Command::Write { bytes, .. } if bytes[0] == Op::GetConfig.get() && bytes[3] == 0);
    assert!(outcome.commands.iter().any(|(_, c)| asked_current(c)));
}

#[test]
fn a_full_queue_asks_for_nothing_that_can_wait() {
    let mut memory = PodMemory::new(20_000);
    let pod = SimPod::new(SimPodSetup::default(), Readings::Numbered, &mut memory);
    let air = AirFaults {
        swallowed: (1..200).map(|k| (STREAM_CHAN, 4 * k)).collect(),
        ..AirFaults::default()
    };
    let mut talk = Conversation::new(LopeDriver::new(), Air::new(Box::new(pod), air));
    talk.wish(Wish::Stream(wanted()));
    talk.wish(Wish::Hurried);
    let ranges = |t: &Conversation<'_, LopeDriver>| {
        let is = |c: &Command| matches!(c, Command::Write { chan, bytes, .. } if *chan == CONTROL_CHAN && bytes[0] == Op::Range.get());
        t.commands.iter().filter(|(_, c)| is(c)).count()
    };
    talk.run_until(at(10.0));
    assert_eq!(ranges(&talk), 0);
    talk.wish(Wish::AtEase);
    talk.run_until(at(14.0));
    assert!(ranges(&talk) > 3);
}

#[test]
fn commands_do_not_matter_to_decoding() {
    for seed in 0..20 {
        let air = AirFaults {
            seed,
            loss: 0.05,
            breaks_every_s: Some(6.0),
            ..AirFaults::default()
        };
        let mut memory = PodMemory::new(20_000);
        let pod = faults(&[
            (4.0, PodFault::SlowDown { rate_mhz: 104_000 }),
            (9.0, PodFault::Reboot { off_ms: 500 }),
        ]);
        let pod = SimPod::new(pod, Readings::Numbered, &mut memory);
        let mut talk = Conversation::new(LopeDriver::new(), Air::new(Box::new(pod), air));
        talk.wish(Wish::Stream(wanted()));
        talk.run_until(at(15.0));
        let mut again = LopeDriver::new();
        again.wish(Wish::Stream(wanted()), at(0.0));
        let mut said = Vec::new();
        for event in &talk.events {
            again.on_event(event, &mut said);
        }
        let data = |s: &Said| {
            matches!(
                s,
                Said::Block(_) | Said::Streaming(_) | Said::Clock(_) | Said::Repeated(_)
            )
        };
        let first: Vec<_> = talk.said.iter().map(|(_, s)| s).filter(|s| data(s)).collect();
        let second: Vec<_> = said.iter().filter(|s| data(s)).collect();
        assert_eq!(first.len(), second.len(), "seed {seed}");
        let differ = first.iter().zip(&second).position(|(a, b)| a != b);
        assert_eq!(differ, None, "seed {seed}: {:?}", differ.map(|d| (first[d], second[d])));
    }
}

#[test]
fn any_bytes_return_and_open_nothing_without_bounds() {
    let mut dice = Dice::new(7);
    let mut memory = PodMemory::new(20_000);
    let mut talk = streaming(&mut memory, SimPodSetup::default(), &Journal::default());
    let mut said = Vec::new();
    for k in 0..20_000 {
        let chan = [CONTROL_CHAN, STREAM_CHAN, TIME_CHAN][k % 3];
        let mut bytes: Vec<u8> = (0..dice.below(64)).map(|_| dice.bits() as u8).collect();
        if let Some(first) = bytes.first_mut()
            && dice.happens(0.7)
        {
            // Something that looks like a reply, an event or a frame.
            *first = [0x81, 0x82, 0x85, 0x86, 0x88, 0x8B, 0x8C, 0x41, 0x42, 0x43, 0x10, 0x11][dice.below(12) as usize];
        }
        let at = talk.now().plus(k as f64 * 1e-3);
        talk.driver.on_event(&LinkEvent::Frame { at, chan, bytes }, &mut said);
        let _ = talk.driver.poll(at, &mut said);
    }
    assert!(said.iter().any(|s| matches!(s, Said::Refused { .. })));
}

#[test]
fn whatever_a_pod_forgets_by_itself_is_named() {
    let outcome = with(faults(&[(8.0, PodFault::Forgets)]));
    outcome.obeys_the_law("forgets");
    assert_eq!(outcome.lost_by(MissingWhy::Overwritten), 0);
    assert!((1..=2).contains(&outcome.uncounted()));
    let with_consent = run_with(LopeDriver::taking_over(), Plan::default());
    assert_eq!(with_consent.obeys_the_law("consent not needed").1, 0);
}
