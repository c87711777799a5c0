//! A whole simulated run: configuration in, streams of samples, packets and the truth out.

use super::faults::{FaultEvent, Faults};
use super::measure;
use super::mount::Mounting;
use super::packets::Packets;
use super::script::Script;
use super::sensor::{IdealSamples, RawSample, Samples, SensorSpec};
use super::stream::Events;
use super::subject::Subject;
use super::timeline::Timeline;
use super::truth::Truth;
use crate::model::units::{STANDARD_GRAVITY, rad};
use crate::model::{Athlete, Placement, SegmentKind, SensorConfig};

/// Full scales, for foot, shank and sacrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranges {
    /// Accelerometer, in units of standard gravity.
    pub acc_g: [f64; 3],
    /// Gyroscope, °/s.
    pub gyro_dps: [f64; 3],
}

impl Default for Ranges {
    /// ±32 g on feet and shanks, ±16 g at the sacrum, ±2000 °/s: the recommended setting.
    fn default() -> Self {
        Self {
            acc_g: [32.0, 32.0, 16.0],
            gyro_dps: [2000.0; 3],
        }
    }
}

/// What the ground does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ground {
    /// It lies still.
    #[default]
    Road,
    /// A treadmill whose belt runs backwards at this speed, m/s. Sensors feel nothing of it; only positions in the truth
    /// are those seen from the room.
    Belt {
        /// Belt speed, m/s.
        speed: f64,
    },
}

/// Everything a simulated run is made of. The same configuration gives the same bytes on every platform.
#[derive(Clone, Debug, PartialEq)]
pub struct SimConfig {
    /// Seed of all randomness.
    pub seed: u64,
    /// Nominal sampling rate of all sensors, Hz.
    pub rate_hz: f64,
    /// The sensors worn.
    pub placements: Vec<Placement>,
    /// Who runs.
    pub subject: Subject,
    /// What happens.
    pub script: Script,
    /// What goes wrong.
    pub faults: Faults,
    /// How the sensors sit.
    pub mounting: Mounting,
    /// Their full scales.
    pub ranges: Ranges,
    /// What the runner runs on.
    pub ground: Ground,
}

impl Default for SimConfig {
    /// The reference subject standing still for ten seconds with both feet and the sacrum instrumented, no errors.
    fn default() -> Self {
        Self {
            seed: 1,
            rate_hz: 200.0,
            placements: vec![Placement::LeftFoot, Placement::RightFoot, Placement::Sacrum],
            subject: Subject::reference(),
            script: Script::new().stand(10.0),
            faults: Faults::none(),
            mounting: Mounting::Aligned,
            ranges: Ranges::default(),
            ground: Ground::Road,
        }
    }
}

impl SimConfig {
    pub(super) fn spec(&self, placement: Placement) -> SensorSpec {
        let kind = match placement.segment() {
            SegmentKind::Foot => 0,
            SegmentKind::Shank => 1,
            SegmentKind::Sacrum => 2,
        };
        let (acc_range, gyro_range) = (
            self.ranges.acc_g[kind] * STANDARD_GRAVITY,
            rad(self.ranges.gyro_dps[kind]),
        );
        SensorSpec {
            placement,
            rate_hz: self.rate_hz,
            acc_range,
            gyro_range,
            acc_scale: acc_range / 32768.0,
            gyro_scale: gyro_range / 32768.0,
        }
    }
}

/// A simulated run. All motion is decided when it is made (some hundred bytes a step); samples are computed as they are
/// asked for.
#[derive(Clone, Debug)]
pub struct Simulation {
    config: SimConfig,
    timeline: Timeline,
}

impl Simulation {
    /// Plans the run.
    #[must_use]
    pub fn new(config: SimConfig) -> Self {
        let timeline = Timeline::new(&config.subject, &config.script, config.seed);
        Self { config, timeline }
    }

    /// What it was made from.
    #[must_use]
    pub fn config(&self) -> &SimConfig {
        &self.config
    }

    /// Duration, s. The script's, plus what stopping and turns take.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.timeline.end
    }

    /// The maker's data of one sensor.
    #[must_use]
    pub fn spec(&self, placement: Placement) -> SensorSpec {
        self.config.spec(placement)
    }

    /// The sensors as a pipeline wants to know them.
    #[must_use]
    pub fn sensor_configs(&self) -> Vec<SensorConfig> {
        let of = |&placement: &Placement| {
            let spec = self.spec(placement);
            SensorConfig {
                placement,
                rate_hz: spec.rate_hz,
                acc_range: Some(spec.acc_range),
                gyro_range: Some(spec.gyro_range),
                side_known: true,
            }
        };
        self.config.placements.iter().map(of).collect()
    }

    /// The runner as a pipeline may know it.
    #[must_use]
    pub fn athlete(&self) -> Athlete {
        let s = &self.config.subject;
        Athlete {
            height_m: Some(s.height_m),
            mass_kg: Some(s.mass_kg),
            leg_length_m: None,
        }
    }

    /// What the sensor of this label records, losses of the radio not counted: for writing recordings.
    #[must_use]
    pub fn samples(&self, placement: Placement) -> Samples<'_> {
        Samples::new(&self.config, &self.timeline, placement)
    }

    /// What a perfect sensor there would feel, at any rate, with the true attitude and position of the sensor.
    #[must_use]
    pub fn ideal(&self, placement: Placement, rate_hz: f64) -> IdealSamples<'_> {
        IdealSamples::new(&self.config, &self.timeline, placement, rate_hz)
    }

    /// What a perfect sensor at `placement` feels at an instant, s: specific force, m/s², and angular rate, rad/s, on its
    /// own axes. Before the beginning as at the beginning, after the end as at the end.
    #[must_use]
    pub fn felt(&self, placement: Placement, t_s: f64) -> ([f64; 3], [f64; 3]) {
        super::sensor::felt_once(&self.config, &self.timeline, placement, t_s)
    }

    /// Frames of the sensor protocol from all sensors, in the order of their arrival.
    #[must_use]
    pub fn packets(&self) -> Packets<'_> {
        Packets::new(self)
    }

    /// What a perfect clock stage would hand on: samples of all sensors merged in time order, lost ones as gaps, planned
    /// standing announced.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// The truth about every stride, with the pelvis at `pelvis_hz` (0 leaves it out).
    #[must_use]
    pub fn truth(&self, pelvis_hz: f64) -> Truth {
        measure::truth(self, &self.timeline, pelvis_hz)
    }

    /// Times at which nothing arrives from this sensor, s.
    pub(super) fn dropouts(&self, placement: Placement) -> Vec<(f64, f64)> {
        let of = |event: &FaultEvent| match *event {
            FaultEvent::Dropout {
                placement: p,
                from_s,
                secs,
            } if p == placement => Some((from_s, from_s + secs)),
            _ => None,
        };
        self.config.faults.events.iter().filter_map(of).collect()
    }

    /// Planned standing, s.
    pub(super) fn rests(&self) -> &[(f64, f64)] {
        &self.timeline.rests
    }

    /// Whether the run has a sensor of this label.
    #[must_use]
    pub fn wears(&self, placement: Placement) -> bool {
        self.config.placements.contains(&placement)
    }

    /// The sample in SI units.
    #[must_use]
    pub fn in_si(&self, placement: Placement, raw: &RawSample) -> crate::model::ImuSample {
        self.spec(placement).sample(raw)
    }
}
