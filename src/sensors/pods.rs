//! Frames of the sensor protocol in order of arrival, to sensor events on one clock.
//!
//! Radio repeats, overtakes and loses. Frames are sorted by their sample number, held back at most `HOLD_S` for one that
//! may still come; what does not come is a gap. Ticks become session time by the lower envelope of arrivals
//! ([`crate::clock::skew`]).

use crate::clock::skew::ClockMap;
use crate::model::{ClipFlags, GapCause, ImuSample, Placement, SensorConfig, SensorEvent, SessionTime, Vec3};
use firmware_protocol::{Frame, Payload};
use std::collections::BTreeMap;

/// A frame held back longer than this goes on without the one before it, s. Retransmission on a radio link takes up to
/// 100 ms.
const HOLD_S: f64 = 0.15;
/// Counts from which an axis is at its rail: 0.995 of full scale.
const RAIL_COUNTS: f64 = 0.995 * 32768.0;

/// What became of frames. Every frame is in exactly one count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// Used.
    pub used: u64,
    /// Came twice.
    pub repeated: u64,
    /// Came after their place was given up.
    pub late: u64,
    /// Did not decode.
    pub refused: u64,
}

#[derive(Debug)]
struct Held {
    arrival: SessionTime,
    tick_s: f64,
    readings: Vec<([i16; 3], [i16; 3])>,
}

/// One sensor's stream.
#[derive(Debug)]
struct Pod {
    config: SensorConfig,
    clock: ClockMap,
    configuration: Option<u8>,
    next: u32,
    held: BTreeMap<u32, Held>,
    last: Option<SessionTime>,
    given_up: u32,
    counts: FrameCounts,
}

/// All sensors' streams.
#[derive(Debug)]
pub struct Pods {
    pods: Vec<Pod>,
}

impl Pods {
    /// Streams of these sensors.
    #[must_use]
    pub fn new(sensors: &[SensorConfig]) -> Self {
        let pod = |config: &SensorConfig| Pod {
            config: *config,
            clock: ClockMap::default(),
            configuration: None,
            next: 0,
            held: BTreeMap::new(),
            last: None,
            given_up: 0,
            counts: FrameCounts::default(),
        };
        Self {
            pods: sensors.iter().map(pod).collect(),
        }
    }

    /// Takes a notification; appends what is in order now.
    pub fn take(&mut self, arrival: SessionTime, placement: Placement, bytes: &[u8], out: &mut Vec<SensorEvent>) {
        if let Some(pod) = self.pods.iter_mut().find(|p| p.config.placement == placement) {
            pod.take(arrival, bytes, out);
        }
    }

    /// Nothing more comes.
    pub fn flush(&mut self, out: &mut Vec<SensorEvent>) {
        for pod in &mut self.pods {
            pod.release(None, out);
        }
    }

    /// What became of the frames of each sensor.
    pub fn counts(&self) -> impl Iterator<Item = (Placement, FrameCounts)> + '_ {
        self.pods.iter().map(|p| (p.config.placement, p.counts))
    }
}

impl Pod {
    fn take(&mut self, arrival: SessionTime, bytes: &[u8], out: &mut Vec<SensorEvent>) {
        let Ok(Frame::Data(frame)) = Frame::decode(bytes) else {
            self.counts.refused += 1;
            return;
        };
        let Payload::Imu6(entries) = frame.payload else {
            self.counts.refused += 1;
            return;
        };
        let configuration = frame.header.cfg_id.get();
        if self.configuration.is_some_and(|c| c != configuration) {
            // The sensor restarted: what is held is of its former life, and so is its clock.
            self.release(None, out);
            self.clock.reboot();
            self.next = 0;
        }
        self.configuration = Some(configuration);
        let index = frame.header.index;
        if self.held.contains_key(&index) {
            self.counts.repeated += 1;
            return;
        }
        if index < self.next {
            if index < self.given_up {
                self.counts.late += 1;
            } else {
                self.counts.repeated += 1;
            }
            return;
        }
        self.counts.used += 1;
        let tick_s = frame.header.time.as_us() as f64 * 1e-6;
        let readings: Vec<_> = entries.iter().map(|e| (e.acc, e.gyr)).collect();
        let last_tick = tick_s + readings.len().saturating_sub(1) as f64 / self.config.rate_hz;
        self.clock.observe(last_tick, arrival);
        self.held.insert(
            index,
            Held {
                arrival,
                tick_s,
                readings,
            },
        );
        self.release(Some(arrival), out);
    }

    /// Gives out what is next in order, and what has waited long enough (`now`; everything when `None`).
    fn release(&mut self, now: Option<SessionTime>, out: &mut Vec<SensorEvent>) {
        while let Some(first) = self.held.first_entry() {
            let index = *first.key();
            let waited = now.is_none_or(|n| n.since(first.get().arrival) >= HOLD_S);
            if index != self.next && self.last.is_some() && !waited {
                return;
            }
            let held = first.remove();
            let missing = index - self.next.min(index);
            for (k, (acc, gyro)) in held.readings.iter().enumerate() {
                let t = self.clock.map(held.tick_s + k as f64 / self.config.rate_hz);
                if let Some(from) = self.last
                    && k == 0
                    && (missing > 0 || index == 0)
                {
                    self.given_up = index;
                    out.push(SensorEvent::Gap {
                        placement: self.config.placement,
                        from,
                        to: t,
                        missing,
                        cause: if index == 0 { GapCause::Reboot } else { GapCause::Lost },
                    });
                }
                self.last = Some(t);
                out.push(SensorEvent::Sample(self.config.placement, self.sample(t, *acc, *gyro)));
            }
            self.next = index + u32::try_from(held.readings.len()).unwrap_or(0);
        }
    }

    fn sample(&self, t: SessionTime, acc: [i16; 3], gyro: [i16; 3]) -> ImuSample {
        let si = |c: [i16; 3], range: Option<f64>| {
            let scale = range.unwrap_or(1.0) / 32768.0;
            let [x, y, z] = c.map(|c| f64::from(c) * scale);
            Vec3::new(x, y, z)
        };
        let rail = |c: [i16; 3]| c.map(|c| f64::from(c).abs() >= RAIL_COUNTS);
        ImuSample {
            t,
            acc: si(acc, self.config.acc_range),
            gyro: si(gyro, self.config.gyro_range),
            clip: ClipFlags::from_axes(rail(acc), rail(gyro)),
            filled: false,
        }
    }
}
