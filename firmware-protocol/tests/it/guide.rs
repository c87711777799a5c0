//! The session in `docs/making-a-pod.md` is what the crate's pod really does, byte by byte.

use firmware_protocol::gatt::Channel;
use firmware_protocol::pod::{BackfillStep, BondPolicy, Link, Pod, PodSetup, Radio, Slot, StreamSetup};
use firmware_protocol::{
    BootId, ClockCaps, Features, ImuEntry, Kind, LimitCaps, PingStamp, PodUid, RingStorage, StreamId,
};

use crate::model::{PONG_DELAY_US, us};
use crate::vectors::{from_hex, hex};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/making-a-pod.md");

/// The lines of all ```session blocks.
fn session_lines(guide: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in guide.lines() {
        match line {
            "```session" => inside = true,
            "```" => inside = false,
            line if inside => lines.push(line.to_string()),
            _ => {}
        }
    }
    lines
}

fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::Control => "control",
        Channel::Stream => "stream",
        Channel::Time => "time",
    }
}

/// Lying still, with a count that shows which sample it is.
fn sample(index: u32) -> ImuEntry {
    let i = index as i16;
    ImuEntry {
        acc: [i, -i, 2048],
        gyr: [3 * i, 0, 0],
    }
}

/// What the pod sends because of one line, as lines.
fn answers(pod: &mut Pod<'_, 1>, line: &str) -> Vec<String> {
    let mut sent = Vec::new();
    let mut out = |channel, bytes: &[u8]| sent.push(format!("< {} {}", name(channel), hex(bytes)));
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["*", "connected"] => {
            let (control_indications, stream_notifications) = (true, true);
            pod.connect(Link {
                att_mtu: 100,
                bonded: true,
                control_indications,
                stream_notifications,
            });
        }
        ["*", "link", "lost"] => pod.disconnect(),
        ["*", "radio", "blocked"] => pod.radio = Radio::Blocked,
        ["*", "radio", "flows"] => pod.radio = Radio::Flowing,
        ["*", "takes", count, "samples"] => {
            for _ in 0..count.parse().unwrap() {
                let time = pod.nominal_time_of_next(StreamId::FIRST).unwrap();
                let index = pod.next_index(StreamId::FIRST).unwrap();
                pod.take_sample(StreamId::FIRST, time, sample(index), &mut out);
            }
        }
        [">", "control", ..] => {
            pod.write_control(&from_hex(&words[2..].concat()), &mut out).unwrap();
            while pod.backfill_step(&mut out) == BackfillStep::Sent {}
        }
        [">", "time", ping] => {
            let t2 = pod.now();
            pod.write_time(&from_hex(ping), t2, t2.plus_us(PONG_DELAY_US), &mut out);
        }
        _ => panic!("nobody knows what this means: {line}"),
    }
    sent
}

#[test]
fn the_walk_through_a_session_is_true() {
    let guide = match std::fs::read_to_string(GUIDE) {
        Ok(guide) => guide,
        Err(error) => {
            // The crate may be used without the project around it.
            assert!(
                std::env::var_os("LOPE_REQUIRE_ALL").is_none_or(|all| all != "1"),
                "{GUIDE}: {error}"
            );
            eprintln!("skipped: {GUIDE} is not there");
            return;
        }
    };
    let mut slots = [Slot::EMPTY; 1000];
    let setup = PodSetup {
        pod_uid: PodUid::new(0xc4ba_2bcf_8b5c_a03b).unwrap(),
        boot_id: BootId::new(0x1B07_C0DE).unwrap(),
        now: us(1_000_000),
        bond: BondPolicy::Open,
        storage: RingStorage::LostAtReboot,
        vendor: "Acme",
        product: "Shoe pod",
        firmware: "1.4",
        limits: LimitCaps {
            max_range: 4096,
            max_linger_s: 3600,
            max_configs: 8,
        },
        clock: ClockCaps {
            accuracy_ppm: 20,
            tick_ns: 1000,
            ping_stamp: PingStamp::Software,
        },
        features: Features {
            bits: Features::IDENTIFY,
        },
        calibration: &[],
        switch_us: 5_000,
    };
    let stream = StreamSetup {
        kind: Kind::Imu6,
        rates_mhz: &[104_000, 208_000, 416_000],
        acc_ranges_g: &[16, 32],
        gyr_ranges_dps: &[2000, 4000],
        enabled_at_boot: true,
        slots: &mut slots,
    };
    let mut pod = Pod::new(setup, [stream]).unwrap();
    let written = session_lines(&guide);
    let mut real = Vec::new();
    for line in written.iter().filter(|line| !line.starts_with('<')) {
        real.push(line.clone());
        real.extend(answers(&mut pod, line));
    }
    assert!(written.len() > 40, "the session is there");
    assert_eq!(
        written.join("\n"),
        real.join("\n"),
        "the guide says one thing, the pod another:\n{}",
        real.join("\n")
    );
}
