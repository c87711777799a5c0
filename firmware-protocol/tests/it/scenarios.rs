//! The scenario vectors: what a model pod sends for each step.

use firmware_protocol::gatt::Channel;
use firmware_protocol::pod::{BackfillStep, BondPolicy, Link, Pod, Radio};
use firmware_protocol::{BootId, EndReason, EventBody, RingStorage, StreamId};
use serde_json::Value;

use crate::model::{Memory, PONG_DELAY_US, Sent, Traits, take_samples, us};
use crate::vectors::{self, bytes_of, hex, int};

/// The first boot of the model, and the clock at which it and later boots begin.
const FIRST_BOOT: u32 = 0x1B07_C0DE;
const LATER_BOOT_US: u64 = 250_000;

fn perform(pod: &mut Pod<'_, 2>, step: &Value) -> Vec<(String, String)> {
    let mut sent: Sent = Vec::new();
    let mut att_error = None;
    let flag = |name: &str| step[name].as_bool().unwrap_or_default();
    let stream = StreamId::new(step["stream"].as_u64().unwrap_or_default() as u8).unwrap();
    let mut out = |channel, bytes: &[u8]| sent.push((channel, bytes.to_vec()));
    match step["do"].as_str().unwrap() {
        "connect" => pod.connect(Link {
            att_mtu: int(step, "mtu"),
            bonded: flag("bonded"),
            control_indications: true,
            stream_notifications: flag("cccd"),
        }),
        "disconnect" => pod.disconnect(),
        "write" | "raw" => {
            att_error = pod.write_control(&bytes_of(step), &mut out).err();
            while pod.backfill_step(&mut out) == BackfillStep::Sent {}
        }
        "ping" => {
            let t2 = pod.now();
            pod.write_time(&bytes_of(step), t2, t2.plus_us(PONG_DELAY_US), &mut out);
        }
        "samples" => take_samples(pod, stream, int(step, "count"), flag("clip"), &mut sent),
        "radio" => {
            pod.radio = if flag("blocked") {
                Radio::Blocked
            } else {
                Radio::Flowing
            }
        }
        "overrun" => pod.take_overrun(stream, int(step, "count"), &mut out),
        "wait" => {
            // The model stops waiting when the linger has run out: nothing happens after that.
            let end = pod.now().plus_us(int::<u64>(step, "seconds") * 1_000_000);
            pod.advance_to(pod.linger_ends().map_or(end, |linger| linger.min(end)));
        }
        "battery" => {
            let (percent, minutes_left) = (int(step, "percent"), Some(int(step, "minutes_left")));
            pod.tell(EventBody::BatteryLow { percent, minutes_left }, &mut out);
        }
        "battery_dies" => pod.end_by_itself(EndReason::LowPower, &mut out),
        "reboot" => {
            let torn = step["torn"].as_u64().unwrap_or_default() as u32;
            pod.reboot(BootId::new(int(step, "boot_id")).unwrap(), us(LATER_BOOT_US), torn);
        }
        "slow_down" => {
            pod.change_rate(stream, int(step, "rate_mhz"), &mut out).unwrap();
        }
        other => panic!("step {other}"),
    }
    let name = |channel| match channel {
        Channel::Control => "control",
        Channel::Stream => "stream",
        Channel::Time => "time",
    };
    let errors = att_error.map(|error| ("att_error".to_string(), hex(&[error.0])));
    let sent = sent
        .iter()
        .map(|(channel, bytes)| (name(*channel).to_string(), hex(bytes)));
    errors.into_iter().chain(sent).collect()
}

#[test]
fn the_model_pod_sends_what_the_scenarios_say() {
    let file = vectors::all();
    let scenarios = file["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 20);
    for scenario in scenarios {
        let of_pod = &scenario["pod"];
        let mut memory = Memory::new(of_pod["capacity"].as_u64().unwrap_or(64) as usize);
        let flag = |name: &str| of_pod[name].as_bool().unwrap_or_default();
        let mut pod = memory.pod(&Traits {
            boot_id: FIRST_BOOT,
            bond: if flag("bond_required") {
                BondPolicy::Required
            } else {
                BondPolicy::Open
            },
            storage: if flag("persistent") {
                RingStorage::Kept
            } else {
                RingStorage::LostAtReboot
            },
        });
        for (number, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
            let pair = |pair: &Value| {
                (
                    pair[0].as_str().unwrap().to_string(),
                    pair[1].as_str().unwrap().to_string(),
                )
            };
            let expected: Vec<_> = step["sent"].as_array().unwrap().iter().map(pair).collect();
            assert_eq!(
                perform(&mut pod, step),
                expected,
                "{} step {number}: {}",
                scenario["id"],
                step["do"]
            );
        }
    }
}
