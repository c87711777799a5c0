//! The model pod: whatever is written to it, it answers each write once or by an ATT error, and what it sends decodes.
//!
//! The input is a list of writes: a length byte, then that many bytes. A length of 255 takes samples instead, 254 lets the
//! connection go and come, 253 lets it overrun.
#![no_main]

use firmware_protocol::gatt::Channel;
use firmware_protocol::pod::{BackfillStep, BondPolicy, Link, Pod, PodSetup, Slot, StreamSetup};
use firmware_protocol::{
    BootId, ClockCaps, Features, Frame, ImuEntry, Indication, Kind, LimitCaps, PingStamp, PodTime, PodUid, RingStorage,
    StreamId,
};
use libfuzzer_sys::fuzz_target;

const LINK: Link = Link {
    att_mtu: 247,
    bonded: true,
    control_indications: true,
    stream_notifications: true,
};

fn check(channel: Channel, bytes: &[u8]) {
    match channel {
        Channel::Stream => assert!(Frame::decode(bytes).is_ok(), "{bytes:02x?}"),
        // A reply to an unknown operation is no reply to a host of this version.
        Channel::Control => assert!(Indication::decode(bytes).is_ok() || bytes.len() == 3, "{bytes:02x?}"),
        Channel::Time => panic!("nobody asked"),
    }
}

fuzz_target!(|input: &[u8]| {
    let mut slots = [Slot::EMPTY; 32];
    let setup = PodSetup {
        pod_uid: PodUid::new(1).expect("not 0"),
        boot_id: BootId::new(1).expect("not 0"),
        now: PodTime::BOOT,
        bond: BondPolicy::Open,
        storage: RingStorage::Kept,
        vendor: "a",
        product: "b",
        firmware: "c",
        limits: LimitCaps {
            max_range: 4096,
            max_linger_s: 10,
            max_configs: 8,
        },
        clock: ClockCaps {
            accuracy_ppm: 20,
            tick_ns: 1000,
            ping_stamp: PingStamp::Software,
        },
        features: Features::default(),
        calibration: &[3, 2, 0, 0],
        switch_us: 5_000,
    };
    let stream = StreamSetup {
        kind: Kind::Imu6,
        rates_mhz: &[104_000, 416_000],
        acc_ranges_g: &[16, 32],
        gyr_ranges_dps: &[2000],
        enabled_at_boot: true,
        slots: &mut slots,
    };
    let mut pod = Pod::new(setup, [stream]).expect("its capabilities fit");
    pod.connect(LINK);
    let _ = pod.write_control(&[1, 1, 1, 0], &mut check);
    let mut rest = input;
    while let Some((&length, after)) = rest.split_first() {
        rest = after;
        match length {
            255 => {
                for _ in 0..7 {
                    let time = pod.nominal_time_of_next(StreamId::FIRST).unwrap_or(pod.now());
                    pod.take_sample(StreamId::FIRST, time, ImuEntry::default(), &mut check);
                }
                pod.send_due_frames(&mut check);
            }
            254 => {
                pod.connect(LINK);
                let _ = pod.write_control(&[1, 1, 1, 0], &mut check);
            }
            253 => {
                let (head, tail) = rest.split_at(rest.len().min(4));
                let count = head.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
                pod.take_overrun(StreamId::FIRST, count, &mut check);
                rest = tail;
            }
            length => {
                let (write, tail) = rest.split_at(rest.len().min(length.into()));
                rest = tail;
                let mut replies = 0;
                let result = pod.write_control(write, &mut |channel, bytes: &[u8]| {
                    check(channel, bytes);
                    replies += usize::from(channel == Channel::Control && bytes[0] & 0x80 != 0);
                });
                assert_eq!(replies, usize::from(result.is_ok()));
                for _ in 0..200 {
                    if pod.backfill_step(&mut check) != BackfillStep::Sent {
                        break;
                    }
                }
            }
        }
    }
});
