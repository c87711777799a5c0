//! Rules for pods that the scenarios do not touch: order of checks, force, limits, timers, the last index.

use firmware_protocol::gatt::Channel;
use firmware_protocol::pod::{AttError, BackfillStep, BondPolicy, Link, Pod, Radio};
use firmware_protocol::{
    Answer, Body, BootId, EndReason, EventBody, Frame, Indication, PodState, RangeOutcome, RangeSpan, Request,
    RequestBody, RingStorage, SessionId, StartOrder, Status, StreamId, Txn, Wish,
};

use crate::model::{Memory, Sent, Traits, take_samples, us};

const FIRST: StreamId = StreamId::FIRST;
const GOOD_LINK: Link = Link {
    att_mtu: 247,
    bonded: true,
    control_indications: true,
    stream_notifications: true,
};
const HELLO: RequestBody = RequestBody::Hello {
    host_major: 1,
    host_minor: 0,
};

fn traits(bond: BondPolicy) -> Traits {
    Traits {
        boot_id: 7,
        bond,
        storage: RingStorage::LostAtReboot,
    }
}

fn id(number: u64) -> SessionId {
    SessionId::new(number).unwrap()
}

fn start(number: u64, force: bool) -> RequestBody {
    RequestBody::Start(StartOrder {
        session_id: id(number),
        linger_s: 10,
        force,
    })
}

fn range(first: u32, count: u16) -> RequestBody {
    RequestBody::Range(RangeSpan {
        stream: FIRST,
        first,
        count,
    })
}

fn wish(rate_mhz: u32) -> RequestBody {
    RequestBody::SetConfig(Wish {
        stream: FIRST,
        enabled: true,
        rate_mhz,
        acc_range_g: 16,
        gyr_range_dps: 2000,
    })
}

/// What was sent for one request: everything, and the status of the reply (`None` if it went well).
fn ask(pod: &mut Pod<'_, 2>, body: RequestBody) -> (Option<Status>, Sent) {
    let request = Request {
        txn: Txn::new(9).unwrap(),
        body,
    };
    let mut sent = Sent::new();
    let bytes = request.encode(&mut [0; 32]).unwrap().to_vec();
    pod.write_control(&bytes, &mut |channel, bytes: &[u8]| {
        sent.push((channel, bytes.to_vec()))
    })
    .unwrap();
    let reply = sent
        .iter()
        .find_map(|(channel, bytes)| match (channel, Indication::decode(bytes)) {
            (Channel::Control, Ok(Indication::Reply(reply))) => Some(reply.answer),
            _ => None,
        });
    match reply.expect("a reply") {
        Answer::Refused { status, .. } => (Some(status), sent),
        _ => (None, sent),
    }
}

fn events(sent: &Sent) -> Vec<EventBody> {
    let event = |(channel, bytes): &(Channel, Vec<u8>)| match Indication::decode(bytes) {
        Ok(Indication::Event(event)) if *channel == Channel::Control => Some(event.body),
        _ => None,
    };
    sent.iter().filter_map(event).collect()
}

/// A pod that runs session 1 for an attached host.
fn running<'m>(memory: &'m mut Memory, bond: BondPolicy) -> Pod<'m, 2> {
    let mut pod = memory.pod(&traits(bond));
    pod.connect(GOOD_LINK);
    assert_eq!(ask(&mut pod, HELLO).0, None);
    assert_eq!(ask(&mut pod, start(1, false)).0, None);
    pod
}

#[test]
fn faults_are_told_in_the_order_of_section_5_4() {
    // Each link has one fault more than the next; the request (STOP of no stream's session) has the later faults.
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Required);
    let stranger = Link {
        att_mtu: 99,
        bonded: false,
        stream_notifications: false,
        ..GOOD_LINK
    };
    let told = |pod: &mut Pod<'_, 2>, body| ask(pod, body).0;
    let resume = RequestBody::Resume { session_id: id(2) };
    let stop = RequestBody::Stop { session_id: id(2) };
    let wrong_stream = RequestBody::Ack {
        stream: StreamId::new(5).unwrap(),
        upto: 9,
    };

    pod.connect(stranger);
    assert_eq!(told(&mut pod, resume), Some(Status::HelloFirst), "before mtu");
    told(&mut pod, HELLO);
    assert_eq!(told(&mut pod, wrong_stream), Some(Status::Mtu), "before auth");
    pod.connect(Link {
        att_mtu: 247,
        ..stranger
    });
    told(&mut pod, HELLO);
    assert_eq!(told(&mut pod, wrong_stream), Some(Status::Auth), "before not_found");
    pod.connect(Link {
        stream_notifications: false,
        ..GOOD_LINK
    });
    told(&mut pod, HELLO);
    assert_eq!(
        told(&mut pod, wrong_stream),
        Some(Status::NotFound),
        "before not_attached"
    );
    assert_eq!(told(&mut pod, resume), Some(Status::Cccd), "before session");
    assert_eq!(told(&mut pod, stop), Some(Status::NotAttached), "before session");
    pod.connect(GOOD_LINK);
    told(&mut pod, HELLO);
    assert_eq!(told(&mut pod, resume), Some(Status::Session));
    assert_eq!(told(&mut pod, RequestBody::Resume { session_id: id(1) }), None);
    assert_eq!(
        told(&mut pod, RequestBody::Erase { session_id: id(2) }),
        Some(Status::Session),
        "before state"
    );
    assert_eq!(
        told(&mut pod, RequestBody::Erase { session_id: id(1) }),
        Some(Status::State)
    );
}

#[test]
fn a_write_without_indications_gets_an_att_error() {
    let mut memory = Memory::new(64);
    let mut pod = memory.pod(&traits(BondPolicy::Open));
    let mut silent = |_, _: &[u8]| panic!("nothing is sent");
    assert_eq!(
        pod.write_control(&[1, 1, 1, 0], &mut silent),
        Err(AttError(0xFD)),
        "no connection"
    );
    pod.connect(Link {
        control_indications: false,
        ..GOOD_LINK
    });
    assert_eq!(pod.write_control(&[1, 1, 1, 0], &mut silent), Err(AttError(0xFD)));
}

#[test]
fn a_second_range_is_busy_until_the_first_is_done() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    let mut sent = Sent::new();
    take_samples(&mut pod, FIRST, 40, false, &mut sent);
    assert_eq!(ask(&mut pod, range(0, 40)).0, None);
    assert_eq!(ask(&mut pod, range(0, 1)).0, Some(Status::Busy));
    assert_eq!(ask(&mut pod, range(0, 41)).0, Some(Status::Param), "param before busy");
    sent.clear();
    let mut out = |channel, bytes: &[u8]| sent.push((channel, bytes.to_vec()));
    let steps = [
        pod.backfill_step(&mut out),
        pod.backfill_step(&mut out),
        pod.backfill_step(&mut out),
    ];
    assert_eq!(steps, [BackfillStep::Sent, BackfillStep::Sent, BackfillStep::SentLast]);
    assert_eq!(pod.backfill_step(&mut out), BackfillStep::Idle);
    let spans: Vec<_> = sent
        .iter()
        .filter_map(|(_, bytes)| Frame::decode(bytes).ok().map(|f| (f.index(), f.end())))
        .collect();
    assert_eq!(spans, [(0, 19), (19, 38), (38, 40)], "each index once, ascending");
    assert_eq!(ask(&mut pod, range(0, 1)).0, None);
}

#[test]
fn stop_does_not_end_a_range_but_erase_and_a_forced_start_do() {
    for end in [RequestBody::Erase { session_id: id(1) }, start(2, true)] {
        let mut memory = Memory::new(64);
        let mut pod = running(&mut memory, BondPolicy::Open);
        take_samples(&mut pod, FIRST, 40, false, &mut Sent::new());
        ask(&mut pod, range(0, 40));
        assert_eq!(ask(&mut pod, RequestBody::Stop { session_id: id(1) }).0, None);
        assert_eq!(
            pod.backfill_step(&mut |_, _: &[u8]| ()),
            BackfillStep::Sent,
            "STOP does not end it"
        );
        let (status, sent) = ask(&mut pod, end);
        assert_eq!(status, None);
        match events(&sent)[..] {
            [EventBody::RangeDone(done)] => assert_eq!(done.outcome, RangeOutcome::Aborted),
            ref other => panic!("{other:?}"),
        }
        assert!(
            matches!(Indication::decode(&sent[0].1), Ok(Indication::Reply(_))),
            "the reply goes first"
        );
        assert_eq!(pod.backfill_step(&mut |_, _: &[u8]| ()), BackfillStep::Idle);
    }
}

#[test]
fn a_session_without_linger_ends_with_the_connection() {
    let mut memory = Memory::new(64);
    let mut pod = memory.pod(&traits(BondPolicy::Open));
    pod.connect(GOOD_LINK);
    ask(&mut pod, HELLO);
    ask(
        &mut pod,
        RequestBody::Start(StartOrder {
            session_id: id(1),
            linger_s: 0,
            force: false,
        }),
    );
    assert_eq!(pod.state(), PodState::Running);
    pod.disconnect();
    assert_eq!(pod.state(), PodState::Ended);
}

#[test]
fn the_linger_clock_starts_at_each_loss_and_is_cleared_by_resume() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    let began = pod.now();
    let at = |s: u64| began.plus_us(s * 1_000_000);
    pod.advance_to(at(5));
    pod.disconnect();
    pod.advance_to(at(14));
    pod.connect(GOOD_LINK);
    ask(&mut pod, HELLO);
    assert_eq!(pod.linger_ends(), Some(at(15)), "a connection alone does not count");
    assert_eq!(ask(&mut pod, RequestBody::Resume { session_id: id(1) }).0, None);
    pod.advance_to(at(20));
    pod.disconnect();
    pod.advance_to(at(29));
    assert_eq!(pod.state(), PodState::Running);
    pod.advance_to(at(30));
    assert_eq!(pod.state(), PodState::Ended);
}

#[test]
fn an_unattached_connection_is_closed_sooner_while_a_session_runs() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    pod.advance_to(pod.now().plus_us(1_000_000_000));
    assert!(
        !pod.should_close_link(),
        "an attached connection is never closed for its age"
    );
    pod.connect(GOOD_LINK);
    let since = pod.now();
    ask(&mut pod, HELLO);
    pod.advance_to(since.plus_us(9_999_999));
    assert!(!pod.should_close_link());
    let mut memory = Memory::new(64);
    let mut idle = memory.pod(&traits(BondPolicy::Open));
    idle.connect(GOOD_LINK);
    let since = idle.now();
    idle.advance_to(since.plus_us(119_999_999));
    assert!(!idle.should_close_link());
    idle.advance_to(since.plus_us(120_000_000));
    assert!(idle.should_close_link());
}

#[test]
fn twenty_refused_requests_in_a_row_close_the_connection() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    let refuse = |pod: &mut Pod<'_, 2>, times: usize| {
        for _ in 0..times {
            pod.write_control(&[0x2A, 1], &mut |_, _: &[u8]| ()).unwrap();
        }
    };
    refuse(&mut pod, 19);
    assert!(!pod.should_close_link());
    ask(&mut pod, HELLO);
    refuse(&mut pod, 19);
    assert!(!pod.should_close_link(), "not in a row");
    refuse(&mut pod, 1);
    assert!(pod.should_close_link());
}

#[test]
fn a_stranger_may_make_it_blink_once_in_ten_seconds() {
    let mut memory = Memory::new(64);
    let mut pod = memory.pod(&traits(BondPolicy::Required));
    let blink = RequestBody::Identify { seconds: 1, pattern: 0 };
    pod.connect(Link {
        bonded: false,
        ..GOOD_LINK
    });
    ask(&mut pod, HELLO);
    assert_eq!(ask(&mut pod, blink).0, None);
    pod.advance_to(pod.now().plus_us(9_999_999));
    assert_eq!(ask(&mut pod, blink).0, Some(Status::Busy));
    pod.advance_to(pod.now().plus_us(1));
    assert_eq!(ask(&mut pod, blink).0, None);
    pod.connect(GOOD_LINK);
    ask(&mut pod, HELLO);
    assert_eq!(
        (ask(&mut pod, blink).0, ask(&mut pod, blink).0),
        (None, None),
        "a bonded host as often as it likes"
    );
}

#[test]
fn live_frames_go_after_200_ms_and_never_when_older_than_a_second() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    let mut sent = Sent::new();
    take_samples(&mut pod, FIRST, 3, false, &mut sent);
    let first = pod.now().as_us() - 19_231;
    pod.advance_to(us(first + 199_000));
    let due = |pod: &mut Pod<'_, 2>| {
        let mut spans = Vec::new();
        pod.send_due_frames(&mut |_, bytes: &[u8]| {
            let frame = Frame::decode(bytes).unwrap();
            spans.push((frame.index(), frame.end()));
        });
        spans
    };
    assert_eq!(due(&mut pod), []);
    pod.advance_to(us(first + 200_100));
    assert_eq!(due(&mut pod), [(0, 3)]);
    take_samples(&mut pod, FIRST, 3, false, &mut sent);
    assert_eq!(sent, [], "no frame was full");
    pod.advance_to(pod.now().plus_us(1_000_001));
    assert_eq!(due(&mut pod), [], "too old to be live");
    assert_eq!(ask(&mut pod, range(3, 3)).0, None, "but retained");
}

#[test]
fn a_ninth_configuration_is_busy_until_samples_of_the_first_are_gone() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    let rates = [208_000, 416_000];
    for change in 0..7 {
        take_samples(&mut pod, FIRST, 2, false, &mut Sent::new());
        assert_eq!(ask(&mut pod, wish(rates[change % 2])).0, None, "change {change}");
    }
    take_samples(&mut pod, FIRST, 2, false, &mut Sent::new());
    assert_eq!(ask(&mut pod, wish(416_000)).0, Some(Status::Busy));
    assert_eq!(ask(&mut pod, RequestBody::Ack { stream: FIRST, upto: 1 }).0, None);
    assert_eq!(
        ask(&mut pod, wish(416_000)).0,
        Some(Status::Busy),
        "sample 1 still needs the first"
    );
    assert_eq!(ask(&mut pod, RequestBody::Ack { stream: FIRST, upto: 2 }).0, None);
    assert_eq!(ask(&mut pod, wish(416_000)).0, None);
    let cfg_id = firmware_protocol::CfgId::new(1);
    assert_eq!(
        ask(&mut pod, RequestBody::GetConfig { stream: FIRST, cfg_id }).0,
        Some(Status::NotFound),
        "dropped"
    );
}

#[test]
fn the_last_index_ends_the_session() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    let mut sent = Sent::new();
    pod.take_overrun(FIRST, u32::MAX - 1, &mut |channel, bytes: &[u8]| {
        sent.push((channel, bytes.to_vec()))
    });
    assert_eq!(pod.next_index(FIRST), Some(u32::MAX - 1));
    assert_eq!(pod.state(), PodState::Running, "one sample is left");
    take_samples(&mut pod, FIRST, 5, false, &mut sent);
    assert_eq!(pod.state(), PodState::Ended);
    assert_eq!(
        pod.next_index(FIRST),
        Some(u32::MAX),
        "FFFF FFFF was never given to a sample"
    );
    match events(&sent)[..] {
        [EventBody::SessionEnded { reason, .. }] => assert_eq!(reason, EndReason::IndexExhausted),
        ref other => panic!("{other:?}"),
    }
    let last = sent
        .iter()
        .rev()
        .find_map(|(_, bytes)| Frame::decode(bytes).ok())
        .unwrap();
    assert_eq!(
        (last.index(), last.end(), last.flags().after_gap),
        (u32::MAX - 1, u32::MAX, true)
    );
}

#[test]
fn a_slow_radio_skips_live_frames_and_loses_nothing() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    pod.radio = Radio::Blocked;
    let mut sent = Sent::new();
    take_samples(&mut pod, FIRST, 40, false, &mut sent);
    assert_eq!(sent, []);
    pod.radio = Radio::Flowing;
    take_samples(&mut pod, FIRST, 19, false, &mut sent);
    assert_eq!(
        Frame::decode(&sent[0].1).unwrap().index(),
        38,
        "what waits is younger than the skipped ones"
    );
    assert_eq!(ask(&mut pod, range(0, 38)).0, None);
}

#[test]
fn get_status_of_a_stream_outside_the_session_tells_only_zeros() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    let (_, sent) = ask(
        &mut pod,
        RequestBody::GetStatus {
            stream: StreamId::new(1).unwrap(),
        },
    );
    let Ok(Indication::Reply(reply)) = Indication::decode(&sent[0].1) else {
        panic!("a reply")
    };
    let Answer::Done(Body::GetStatus(status)) = reply.answer else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (status.cfg_id, status.oldest, status.next, status.acked, status.overruns),
        (None, 0, 0, 0, 0)
    );
    assert_eq!(status.state, PodState::Running);
}

#[test]
fn ten_thousand_random_writes_each_get_a_reply_or_an_att_error() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    let mut state = 1u64;
    let mut roll = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let (mut replies, mut errors) = (0, 0);
    for round in 0..10_000 {
        let length = usize::from(roll() % 16);
        let mut write: Vec<u8> = (0..length).map(|_| roll()).collect();
        if let Some(op) = write.first_mut().filter(|_| round % 2 == 0) {
            *op = *op % 14 + 1;
        }
        let mut sent = Sent::new();
        let result = pod.write_control(&write, &mut |channel, bytes: &[u8]| {
            sent.push((channel, bytes.to_vec()))
        });
        let indicated = sent
            .iter()
            .filter(|(_, bytes)| bytes[0] & 0x80 != 0 && bytes.len() >= 3)
            .count();
        match result {
            Ok(()) => assert_eq!(indicated, 1, "{write:?}"),
            Err(_) => assert_eq!(sent.len(), 0, "{write:?}"),
        }
        (replies, errors) = (
            replies + usize::from(result.is_ok()),
            errors + usize::from(result.is_err()),
        );
        pod.write_time(&write, us(5), us(6), &mut |channel, _: &[u8]| {
            assert_eq!(channel, Channel::Time)
        });
    }
    assert!(replies > 5000 && errors > 500, "{replies} replies, {errors} errors");
}

#[test]
fn a_rebooted_pod_without_kept_storage_knows_nothing() {
    let mut memory = Memory::new(64);
    let mut pod = running(&mut memory, BondPolicy::Open);
    take_samples(&mut pod, FIRST, 5, false, &mut Sent::new());
    pod.reboot(BootId::new(8).unwrap(), us(0), 0);
    assert_eq!(
        (pod.state(), pod.next_index(FIRST), pod.is_attached()),
        (PodState::Idle, None, false)
    );
    assert_eq!(pod.boot_id(), BootId::new(8).unwrap());
}
