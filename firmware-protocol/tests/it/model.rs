//! The model pod of SPEC.md section 13: its streams, its samples, and a record of what it sends.

use firmware_protocol::gatt::Channel;
use firmware_protocol::pod::{BondPolicy, Health, Pod, PodSetup, Slot, StreamSetup};
use firmware_protocol::{
    BootId, Calibration, ClockCaps, Features, HighGEntry, ImuEntry, Kind, LimitCaps, PingStamp, PodTime, PodUid,
    RingStorage, SensorCalibration, StreamId,
};

/// Microseconds between handling a PING and queueing its PONG.
pub(crate) const PONG_DELAY_US: u64 = 60;

/// How a model pod differs from the usual one.
pub(crate) struct Traits {
    pub(crate) boot_id: u32,
    pub(crate) bond: BondPolicy,
    pub(crate) storage: RingStorage,
}

/// Memory of a model pod, to be borrowed by it.
pub(crate) struct Memory {
    slots: [Vec<Slot>; 2],
    calibration: Vec<u8>,
}

impl Memory {
    pub(crate) fn new(capacity: usize) -> Self {
        let calibration = Calibration {
            acc: Some(SensorCalibration::IDENTITY),
            gyr: Some(SensorCalibration::IDENTITY),
            temperature_cdeg: Some(2350),
        };
        let calibration = calibration.encode(&mut [0; 128]).unwrap().to_vec();
        Memory {
            slots: [vec![Slot::EMPTY; capacity], vec![Slot::EMPTY; capacity]],
            calibration,
        }
    }

    /// Stream 0: imu6 at 104, 208, 416 Hz, ±16, ±32 g, ±2000, ±4000 °/s. Stream 1: high_g at 960 Hz, ±320 g, off.
    pub(crate) fn pod(&mut self, traits: &Traits) -> Pod<'_, 2> {
        let setup = PodSetup {
            pod_uid: PodUid::new(0xc4ba_2bcf_8b5c_a03b).unwrap(),
            boot_id: BootId::new(traits.boot_id).unwrap(),
            now: us(1_000_000),
            bond: traits.bond,
            storage: traits.storage,
            vendor: "Example",
            product: "Model pod",
            firmware: "1.0.0",
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
                bits: Features::IDENTIFY | Features::CALIB_READ,
            },
            calibration: &self.calibration,
            switch_us: 5_000,
        };
        let [imu, high_g] = &mut self.slots;
        let imu = StreamSetup {
            kind: Kind::Imu6,
            rates_mhz: &[104_000, 208_000, 416_000],
            acc_ranges_g: &[16, 32],
            gyr_ranges_dps: &[2000, 4000],
            enabled_at_boot: true,
            slots: imu,
        };
        let high_g = StreamSetup {
            kind: Kind::HighG,
            rates_mhz: &[960_000],
            acc_ranges_g: &[320],
            gyr_ranges_dps: &[],
            enabled_at_boot: false,
            slots: high_g,
        };
        let mut pod = Pod::new(setup, [imu, high_g]).unwrap();
        pod.health = Health {
            battery_percent: Some(87),
            temperature_cdeg: Some(2350),
        };
        pod
    }
}

pub(crate) fn us(us: u64) -> PodTime {
    PodTime::from_us(us).unwrap()
}

/// The model's value of axis a of sample i.
fn axis(index: u32, a: u32) -> i16 {
    ((u64::from(index) * u64::from(a + 3) + 100 * u64::from(a)) % 2000) as i16 - 1000
}

pub(crate) fn imu_sample(index: u32) -> ImuEntry {
    let [ax, ay, az, gx, gy, gz] = core::array::from_fn(|a| axis(index, a as u32));
    ImuEntry {
        acc: [ax, ay, az],
        gyr: [gx, gy, gz],
    }
}

pub(crate) fn high_g_sample(index: u32) -> HighGEntry {
    HighGEntry {
        acc: core::array::from_fn(|a| axis(index, a as u32)),
    }
}

/// Everything that was sent, in order.
pub(crate) type Sent = Vec<(Channel, Vec<u8>)>;

/// The stream takes `count` more samples at its nominal rate, as long as it runs.
pub(crate) fn take_samples(pod: &mut Pod<'_, 2>, stream: StreamId, count: u32, clip: bool, sent: &mut Sent) {
    for _ in 0..count {
        let (Some(time), Some(index)) = (pod.nominal_time_of_next(stream), pod.next_index(stream)) else {
            return;
        };
        let mut out = |channel, bytes: &[u8]| sent.push((channel, bytes.to_vec()));
        if stream == StreamId::FIRST {
            let mut sample = imu_sample(index);
            if clip {
                sample.acc[2] = i16::MAX;
            }
            pod.take_sample(stream, time, sample, &mut out);
        } else {
            pod.take_sample(stream, time, high_g_sample(index), &mut out);
        }
    }
}
