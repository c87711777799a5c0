//! What a pod tells the firmware around it: orders for the sensor, wishes to be found, a link that changes.

use firmware_protocol::gatt::Channel;
use firmware_protocol::pod::{BondPolicy, Identify, Link, Pod, SensorOrder};
use firmware_protocol::{
    Answer, Indication, PodState, Request, RequestBody, RingStorage, SessionId, StartOrder, Status, StreamId, Txn, Wish,
};

use crate::model::{Memory, Sent, Traits, imu_sample, take_samples, us};

const FIRST: StreamId = StreamId::FIRST;
const HELLO: RequestBody = RequestBody::Hello {
    host_major: 1,
    host_minor: 0,
};
const LINK: Link = Link {
    att_mtu: 247,
    bonded: false,
    control_indications: true,
    stream_notifications: true,
};

fn traits() -> Traits {
    Traits {
        boot_id: 7,
        bond: BondPolicy::Open,
        storage: RingStorage::LostAtReboot,
    }
}

fn id(number: u64) -> SessionId {
    SessionId::new(number).unwrap()
}

fn start(number: u64) -> RequestBody {
    RequestBody::Start(StartOrder {
        session_id: id(number),
        linger_s: 10,
        force: false,
    })
}

fn wish(rate_mhz: u32, acc_range_g: u16) -> RequestBody {
    RequestBody::SetConfig(Wish {
        stream: FIRST,
        enabled: true,
        rate_mhz,
        acc_range_g,
        gyr_range_dps: 2000,
    })
}

fn bytes_of(body: RequestBody) -> Vec<u8> {
    let txn = Txn::new(9).unwrap();
    Request { txn, body }.encode(&mut [0; 32]).unwrap().to_vec()
}

fn order(pod: &Pod<'_, 2>, body: RequestBody) -> Option<SensorOrder> {
    pod.sensor_order(&bytes_of(body))
}

fn write(pod: &mut Pod<'_, 2>, body: RequestBody) -> Option<Status> {
    let mut sent = Sent::new();
    let mut out = |channel, bytes: &[u8]| sent.push((channel, bytes.to_vec()));
    pod.write_control(&bytes_of(body), &mut out).unwrap();
    status(&sent)
}

fn status(sent: &Sent) -> Option<Status> {
    let reply = sent
        .iter()
        .find_map(|(channel, bytes)| match (channel, Indication::decode(bytes)) {
            (Channel::Control, Ok(Indication::Reply(reply))) => Some(reply.answer),
            _ => None,
        });
    match reply.expect("a reply") {
        Answer::Refused { status, .. } => Some(status),
        _ => None,
    }
}

#[test]
fn the_sensor_is_ordered_only_what_will_be_accepted() {
    let mut memory = Memory::new(64);
    let mut pod = memory.pod(&traits());
    pod.connect(LINK);
    assert_eq!(order(&pod, start(1)), None, "HELLO is missing");
    assert_eq!(write(&mut pod, HELLO), None);
    assert_eq!(order(&pod, start(1)), Some(SensorOrder::SwitchOn));
    assert_eq!(pod.state(), PodState::Idle, "asking changes nothing");
    assert_eq!(order(&pod, wish(208_000, 32)), None, "nothing runs that could change");
    assert_eq!(write(&mut pod, wish(208_000, 16)), None);
    let planned = pod.planned(FIRST).unwrap();
    assert_eq!(
        (planned.rate_mhz, planned.acc_range_g, planned.cfg_id),
        (208_000, 16, None)
    );
    assert_eq!(pod.planned(StreamId::new(1).unwrap()), None, "high_g is off");

    assert_eq!(write(&mut pod, start(1)), None);
    assert_eq!(order(&pod, start(2)), None, "already running and attached");
    assert_eq!(order(&pod, wish(208_000, 16)), None, "as it is");
    let Some(SensorOrder::Change(changed)) = order(&pod, wish(416_000, 20)) else {
        panic!("a change")
    };
    assert_eq!(
        (changed.rate_mhz, changed.acc_range_g),
        (416_000, 32),
        "as it will be, not as asked"
    );
    assert_eq!(pod.configuration(FIRST).unwrap().rate_mhz, 208_000);

    let stop = |number| RequestBody::Stop { session_id: id(number) };
    assert_eq!(order(&pod, stop(2)), None, "another session");
    assert_eq!(order(&pod, stop(1)), Some(SensorOrder::SwitchOff));
    assert_eq!(write(&mut pod, stop(1)), None);
    assert_eq!(order(&pod, stop(1)), None, "it is off");
}

#[test]
fn a_sensor_that_fails_leaves_everything_as_it_was() {
    let mut memory = Memory::new(64);
    let mut pod = memory.pod(&traits());
    pod.connect(LINK);
    write(&mut pod, HELLO);
    let mut sent = Sent::new();
    pod.refuse_control(&bytes_of(start(1)), Status::Hardware, &mut |channel, bytes: &[u8]| {
        sent.push((channel, bytes.to_vec()));
    })
    .unwrap();
    assert_eq!(status(&sent), Some(Status::Hardware));
    assert_eq!((pod.state(), pod.is_attached()), (PodState::Idle, false));
    assert!(
        pod.refuse_control(&[5], Status::Hardware, &mut |_, _: &[u8]| ())
            .is_err(),
        "no txn to answer"
    );
}

#[test]
fn samples_from_before_a_change_do_not_get_its_scale() {
    let mut memory = Memory::new(64);
    let mut pod = memory.pod(&traits());
    pod.connect(LINK);
    write(&mut pod, HELLO);
    write(&mut pod, start(1));
    let mut sent = Sent::new();
    take_samples(&mut pod, FIRST, 5, false, &mut sent);
    assert_eq!(write(&mut pod, wish(416_000, 32)), None);
    let change = pod.now();
    let mut none = |_, _: &[u8]| ();
    pod.take_sample(FIRST, us(change.as_us() - 1), imu_sample(5), &mut none);
    assert_eq!(
        pod.next_index(FIRST),
        Some(5),
        "the queue still held it; it was taken with ±16 g"
    );
    pod.take_sample(FIRST, change, imu_sample(5), &mut none);
    assert_eq!(pod.next_index(FIRST), Some(6));
}

#[test]
fn a_link_may_grow_after_connecting() {
    let mut memory = Memory::new(64);
    let mut pod = memory.pod(&traits());
    pod.set_link(LINK);
    assert!(!pod.is_attached(), "without a connection there is nothing to change");
    pod.connect(Link {
        att_mtu: 23,
        control_indications: true,
        stream_notifications: false,
        bonded: false,
    });
    write(&mut pod, HELLO);
    assert_eq!(write(&mut pod, start(1)), Some(Status::Mtu));
    pod.set_link(LINK);
    assert_eq!(write(&mut pod, start(1)), None, "and HELLO still counts");
    pod.set_link(LINK);
    assert!(pod.is_attached());
}

#[test]
fn a_wish_to_be_found_is_told_once() {
    let mut memory = Memory::new(64);
    let mut pod = memory.pod(&traits());
    pod.connect(LINK);
    let wish = RequestBody::Identify { seconds: 3, pattern: 1 };
    assert_eq!(write(&mut pod, wish), Some(Status::HelloFirst));
    assert_eq!(pod.take_identify(), None);
    write(&mut pod, HELLO);
    assert_eq!(write(&mut pod, wish), None);
    assert_eq!(pod.take_identify(), Some(Identify { seconds: 3, pattern: 1 }));
    assert_eq!(pod.take_identify(), None);
}
