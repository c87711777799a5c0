//! Who a pod is: names, numbers, address.

use firmware_protocol::pod::{BondPolicy, PodSetup};
use firmware_protocol::{BootId, ClockCaps, Features, LimitCaps, PingStamp, PodTime, PodUid, RingStorage};

/// Longest name that fits the scan response beside its two bytes of head, and the GAP service of the stack.
pub const LONGEST_NAME: usize = 22;

/// Who a pod is. Texts are those of Device Information and of the capabilities.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The name in the scan response, at most 22 bytes: `<product>-<4 hex digits printed on the case>`.
    pub name: &'a str,
    /// The pod, for life.
    pub pod_uid: PodUid,
    /// This run of its clock: random, or a counter kept in non-volatile memory.
    pub boot_id: BootId,
    /// Its static random address, most significant byte first; the two highest bits are set by the firmware.
    pub address: [u8; 6],
    /// Who made it.
    pub vendor: &'a str,
    /// What it is called. An open development kit says so here.
    pub product: &'a str,
    /// Serial number as in Device Information.
    pub serial: &'a str,
    /// Version of the firmware.
    pub firmware: &'a str,
    /// Version of the hardware.
    pub hardware: &'a str,
}

impl<'a> Identity<'a> {
    /// The pod of this identity, as the protocol crate wants it: open (no bond needed), samples lost at reboot, stamps of
    /// PONG taken in software, a sensor whose switching time is over before the pod is told.
    pub fn setup(&self, now: PodTime, clock_accuracy_ppm: u16) -> PodSetup<'a> {
        PodSetup {
            pod_uid: self.pod_uid,
            boot_id: self.boot_id,
            now,
            bond: BondPolicy::Open,
            storage: RingStorage::LostAtReboot,
            vendor: self.vendor,
            product: self.product,
            firmware: self.firmware,
            limits: LimitCaps {
                max_range: 4096,
                max_linger_s: 3600,
                max_configs: 8,
            },
            clock: ClockCaps {
                accuracy_ppm: clock_accuracy_ppm,
                tick_ns: 1000,
                ping_stamp: PingStamp::Software,
            },
            features: Features {
                bits: Features::IDENTIFY,
            },
            calibration: &[],
            switch_us: 0,
        }
    }
}
