//! One simulated sensor: true motion at its place, its crystal, its errors, sample by sample.

use super::chain::{Chain, Converter};
use super::faults::{FaultEvent, REBOOT_S};
use super::foot::{FootTrack, ankle};
use super::mount::Mount;
use super::pelvis::Interval;
use super::rigid::{Kinematics, Pose};
use super::rng::{Purpose, Rng};
use super::shank::shank_pose;
use super::simulation::SimConfig;
use super::subject::Subject;
use super::timeline::Timeline;
use crate::model::{ClipFlags, ImuSample, Placement, SegmentKind, SessionTime, Side, Vec3};
use nalgebra::Vector3;

/// Share of full scale from which an axis counts as clipped (signal design 4.1).
const CLIPPED_SHARE: f64 = 0.995;

/// One reading as the sensor stores it: counts and its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawSample {
    /// How often the sensor had restarted before.
    pub boot: u32,
    /// Number of the sample since the sensor started.
    pub index: u32,
    /// The sensor's clock, microseconds since it started.
    pub tick_us: u64,
    /// The same instant on the session clock, if the sensor's clock were perfectly known: without jitter.
    pub t: SessionTime,
    /// Specific force, counts of [`SensorSpec::acc_scale`].
    pub acc: [i16; 3],
    /// Angular rate, counts of [`SensorSpec::gyro_scale`].
    pub gyro: [i16; 3],
}

/// What is known of a simulated sensor, as its maker would state it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensorSpec {
    /// Where its label says it is worn.
    pub placement: Placement,
    /// Nominal rate, Hz.
    pub rate_hz: f64,
    /// Full scale of the accelerometer, m/s².
    pub acc_range: f64,
    /// Full scale of the gyroscope, rad/s.
    pub gyro_range: f64,
    /// One count, m/s².
    pub acc_scale: f64,
    /// One count, rad/s.
    pub gyro_scale: f64,
}

impl SensorSpec {
    /// The counts in SI units with clip flags, on the session clock.
    #[must_use]
    pub fn sample(&self, raw: &RawSample) -> ImuSample {
        let limit = CLIPPED_SHARE * 32768.0;
        let at_rail = |c: [i16; 3]| c.map(|c| f64::from(c).abs() >= limit);
        let si = |c: [i16; 3], scale: f64| {
            let [x, y, z] = c.map(|c| f64::from(c) * scale);
            Vec3::new(x, y, z)
        };
        ImuSample {
            t: raw.t,
            acc: si(raw.acc, self.acc_scale),
            gyro: si(raw.gyro, self.gyro_scale),
            clip: ClipFlags::from_axes(at_rail(raw.acc), at_rail(raw.gyro)),
            filled: false,
        }
    }
}

/// True motion of the segments, asked for at rising times.
#[derive(Clone, Debug)]
pub(super) struct Body<'a> {
    pub(super) subject: &'a Subject,
    timeline: &'a Timeline,
    feet: [FootTrack<'a>; 2],
    interval: usize,
}

impl<'a> Body<'a> {
    pub(super) fn new(subject: &'a Subject, timeline: &'a Timeline) -> Self {
        let feet = [0, 1].map(|i| FootTrack::new(subject, &timeline.steps[i]));
        Self {
            subject,
            timeline,
            feet,
            interval: 0,
        }
    }

    pub(super) fn interval(&mut self, t: f64) -> &'a Interval {
        let all = &self.timeline.intervals;
        if t < all[self.interval].from.t || t >= all[self.interval].to.t {
            let next = (self.interval + 1).min(all.len() - 1);
            let is_next = t >= all[next].from.t && t < all[next].to.t;
            self.interval = if is_next { next } else { self.timeline.interval_at(t) };
        }
        &all[self.interval]
    }

    pub(super) fn pelvis(&mut self, t: f64) -> Pose {
        self.interval(t).pose(t, &self.timeline.path)
    }

    pub(super) fn foot(&mut self, side: Side) -> &mut FootTrack<'a> {
        &mut self.feet[usize::from(side == Side::Right)]
    }

    pub(super) fn shank(&mut self, side: Side, t: f64) -> Pose {
        let joint = ankle(&self.foot(side).pose(t), self.subject);
        let pelvis = self.pelvis(t);
        shank_pose(self.subject, &pelvis, &joint, side.sign())
    }

    pub(super) fn segment(&mut self, placement: Placement, t: f64) -> Kinematics {
        let side = placement.side().unwrap_or(Side::Left);
        match placement.segment() {
            SegmentKind::Foot => self.foot(side).pose(t),
            SegmentKind::Shank => self.shank(side, t),
            SegmentKind::Sacrum => self.pelvis(t),
        }
        .kinematics()
    }
}

/// What an ideal sensor on a segment feels, without any error: for tests of estimators against their own inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IdealSample {
    /// Seconds since the session began.
    pub t_s: f64,
    /// Specific force in the sensor's axes, m/s².
    pub acc: [f64; 3],
    /// Angular rate in the sensor's axes, rad/s.
    pub gyro: [f64; 3],
    /// Rows of the rotation that takes sensor vectors to the level frame.
    pub level_from_sensor: [[f64; 3]; 3],
    /// Position of the sensor in the level frame, m.
    pub position: [f64; 3],
    /// Its velocity, m/s.
    pub velocity: [f64; 3],
}

/// Ideal samples of one sensor, in time order.
#[derive(Clone, Debug)]
pub struct IdealSamples<'a> {
    body: Body<'a>,
    placement: Placement,
    mount: Mount,
    rate_hz: f64,
    count: u64,
    index: u64,
}

impl<'a> IdealSamples<'a> {
    pub(super) fn new(config: &'a SimConfig, timeline: &'a Timeline, placement: Placement, rate_hz: f64) -> Self {
        Self {
            body: Body::new(&config.subject, timeline),
            placement,
            mount: Mount::new(config.mounting, placement, config.seed),
            rate_hz,
            count: (timeline.end * rate_hz).floor() as u64,
            index: 0,
        }
    }
}

impl Iterator for IdealSamples<'_> {
    type Item = IdealSample;

    fn next(&mut self) -> Option<IdealSample> {
        if self.index >= self.count {
            return None;
        }
        let t = self.index as f64 / self.rate_hz;
        self.index += 1;
        let k = self.body.segment(self.placement, t);
        let m = &self.mount;
        let level_from_sensor = k.level_from_segment * m.sensor_from_segment.transpose();
        let arm = k.level_from_segment * m.lever;
        let swing = k.level_from_segment * k.omega.cross(&m.lever);
        Some(IdealSample {
            t_s: t,
            acc: (m.sensor_from_segment * k.specific_force(&m.lever)).into(),
            gyro: (m.sensor_from_segment * k.omega).into(),
            level_from_sensor: [0, 1, 2].map(|r| [0, 1, 2].map(|c| level_from_sensor[(r, c)])),
            position: (k.position + arm).into(),
            velocity: (k.velocity + swing).into(),
        })
    }
}

/// What an ideal sensor feels at one instant, asked for in any order.
pub(super) fn felt_once(
    config: &SimConfig,
    timeline: &Timeline,
    placement: Placement,
    t_s: f64,
) -> ([f64; 3], [f64; 3]) {
    // The very end belongs to no interval.
    let t = t_s.clamp(0.0, (timeline.end - 1e-6).max(0.0));
    let k = Body::new(&config.subject, timeline).segment(placement, t);
    let m = Mount::new(config.mounting, placement, config.seed);
    let (acc, gyro) = (k.specific_force(&m.lever), k.omega);
    (
        (m.sensor_from_segment * acc).into(),
        (m.sensor_from_segment * gyro).into(),
    )
}

/// The crystal of a sensor.
#[derive(Clone, Debug)]
struct Crystal {
    rng: Rng,
    jitter_s: f64,
    /// Session seconds per second of the sensor's clock.
    rate: f64,
    /// Session time and clock of the first sample since the last start.
    started_s: f64,
    started_us: u64,
}

/// Raw samples of one sensor in time order. Holds no more than the current stride.
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    body: Body<'a>,
    /// Where it is really worn.
    worn: Placement,
    mount: Mount,
    chain: Chain,
    crystal: Crystal,
    rate_hz: f64,
    end: f64,
    boot: u32,
    index: u32,
    /// Time of the previous sample, s.
    before: f64,
    slips: Vec<(f64, f64, [f64; 3])>,
    reboots: Vec<f64>,
    stuck: Vec<(f64, f64)>,
    held: Option<([i16; 3], [i16; 3])>,
}

impl<'a> Samples<'a> {
    /// The sensor labelled `label`.
    pub(super) fn new(config: &'a SimConfig, timeline: &'a Timeline, label: Placement) -> Self {
        let worn = if config.faults.swaps_sides() {
            exchanged(label)
        } else {
            label
        };
        let mut rng = Rng::stream(config.seed, Purpose::Clock, label.index());
        let ppm = rng.between(-1.0, 1.0) * config.faults.clock.ppm;
        let phase = rng.unit() / config.rate_hz;
        let started_us = rng.between(1e6, 9e7) as u64;
        let crystal = Crystal {
            jitter_s: config.faults.clock.jitter_s,
            rate: 1.0 + ppm * 1e-6,
            started_s: phase,
            started_us,
            rng,
        };
        let spec = config.spec(label);
        let converter = Converter {
            acc_range: spec.acc_range,
            gyro_range: spec.gyro_range,
        };
        let mut axis = Rng::stream(config.seed, Purpose::Mounts, 16 + label.index());
        let (mut slips, mut reboots, mut stuck) = (Vec::new(), Vec::new(), Vec::new());
        for event in &config.faults.events {
            match *event {
                FaultEvent::Slip {
                    placement,
                    at_s,
                    angle_rad,
                } if placement == label => {
                    slips.push((at_s, angle_rad, axis.direction()));
                }
                FaultEvent::Reboot { placement, at_s } if placement == label => reboots.push(at_s),
                FaultEvent::Stuck {
                    placement,
                    from_s,
                    secs,
                } if placement == label => {
                    stuck.push((from_s, from_s + secs));
                }
                _ => {}
            }
        }
        Self {
            body: Body::new(&config.subject, timeline),
            worn,
            mount: Mount::new(config.mounting, label, config.seed),
            chain: Chain::new(&config.faults, label, converter, config.rate_hz, config.seed),
            before: crystal.started_s - 1.0 / config.rate_hz,
            crystal,
            rate_hz: config.rate_hz,
            end: timeline.end,
            boot: 0,
            index: 0,
            slips,
            reboots,
            stuck,
            held: None,
        }
    }

    fn felt(&mut self, t: f64) -> (Vector3<f64>, Vector3<f64>) {
        let k = self.body.segment(self.worn, t.max(0.0));
        let m = &self.mount;
        (
            m.sensor_from_segment * k.specific_force(&m.lever),
            m.sensor_from_segment * k.omega,
        )
    }

    fn restart_if_due(&mut self, t: f64) {
        let Some(i) = self.reboots.iter().position(|&at| t >= at) else {
            return;
        };
        let at = self.reboots.swap_remove(i);
        self.boot += 1;
        self.index = 0;
        self.crystal.started_s = at + REBOOT_S;
        self.crystal.started_us = 250_000;
        self.before = self.crystal.started_s - 1.0 / self.rate_hz;
    }

    fn slip_if_due(&mut self, t: f64) {
        let Some(i) = self.slips.iter().position(|s| t >= s.0) else {
            return;
        };
        let (_, angle, axis) = self.slips.swap_remove(i);
        self.mount = self.mount.slipped(axis, angle);
    }

    fn stamp(&self) -> f64 {
        self.crystal.started_s + f64::from(self.index) / self.rate_hz * self.crystal.rate
    }
}

impl Iterator for Samples<'_> {
    type Item = RawSample;

    fn next(&mut self) -> Option<RawSample> {
        self.restart_if_due(self.stamp());
        let stamp = self.stamp();
        if stamp >= self.end {
            return None;
        }
        self.slip_if_due(stamp);
        let instant = stamp + self.crystal.jitter_s * self.crystal.rng.normal();
        let steps = self.chain.fine_steps();
        let mut read = (Vector3::zeros(), Vector3::zeros());
        for i in 1..=steps {
            let t = self.before + (instant - self.before) * (i as f64 / steps as f64);
            let (acc, gyro) = self.felt(t);
            read = self.chain.front_end(acc, gyro);
        }
        self.before = instant;
        let fresh = self.chain.convert(read.0, read.1);
        let (acc, gyro) = if self.stuck.iter().any(|&(from, to)| stamp >= from && stamp < to) {
            *self.held.get_or_insert(fresh)
        } else {
            self.held = None;
            fresh
        };
        let since_us = (f64::from(self.index) / self.rate_hz * 1e6).round() as u64;
        let sample = RawSample {
            boot: self.boot,
            index: self.index,
            tick_us: self.crystal.started_us + since_us,
            t: SessionTime::from_secs(stamp),
            acc,
            gyro,
        };
        self.index += 1;
        Some(sample)
    }
}

/// The same place on the other side.
pub(super) fn exchanged(p: Placement) -> Placement {
    match p {
        Placement::LeftFoot => Placement::RightFoot,
        Placement::RightFoot => Placement::LeftFoot,
        Placement::LeftShank => Placement::RightShank,
        Placement::RightShank => Placement::LeftShank,
        Placement::Sacrum => Placement::Sacrum,
    }
}
