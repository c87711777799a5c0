//! From the log of a recording to everything it came to: each sensor's samples in order, fetched ones in their places.
//!
//! The log is run through the drivers again, their commands thrown away. So this is also how a recording is finished that
//! its program did not end, and how an old one is read with a mended driver.

use super::checks::KnockResult;
use super::lane::{Lane, SensorHealth};
use super::plan::{self, RecordPlan};
use crate::model::{Placement, SensorConfig, SensorEvent, SessionTime};
use crate::runtime::collect::{SensorPlan, Told};
use crate::sensors::driver::Driver;
use crate::sensors::drivers::DriverKind;
use crate::sensors::log::{Entry, LogEnd, LogReader};
use crate::sensors::said::Said;
use crate::sensors::timeline::{self, TimelineCounts};
use crate::store::{HealthSeries, LinkHealth};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

/// Polls of a driver at one instant; a driver that wants more than this without hearing an answer is at fault.
const POLLS: usize = 64;

/// Everything a recording came to.
#[derive(Debug)]
pub struct Whole {
    /// What it is about.
    pub plan: RecordPlan,
    /// Each sensor.
    pub sensors: Vec<WholeSensor>,
    /// Whether its program ended it; `false` after a crash or a cut of power.
    pub ended: bool,
    /// How the log ended.
    pub log_end: LogEnd,
    /// The last instant of the log.
    pub last: SessionTime,
    /// What knocks told of the clocks; known once the events have been looked through.
    pub knocks: Vec<KnockResult>,
    /// How the sensors did by ten seconds; known once the events have been looked through.
    pub health: HealthSeries,
}

/// Everything one sensor of a recording came to.
#[derive(Debug)]
pub struct WholeSensor {
    /// Its plan.
    pub plan: SensorPlan,
    /// How it did.
    pub health: SensorHealth,
    /// Its samples and gaps, in order; empty for one that is not worn in one of the body's places.
    pub events: Vec<SensorEvent>,
    /// What became of its samples.
    pub counts: TimelineCounts,
    /// Its configuration.
    pub config: Option<SensorConfig>,
    /// What its link was like, once in ten seconds.
    pub link: Vec<(SessionTime, LinkHealth)>,
}

struct Replayed {
    plan: SensorPlan,
    driver: Box<dyn Driver>,
    lane: Lane,
    said: Vec<Said>,
    /// What its link was like, once in each stretch.
    link: Vec<(SessionTime, LinkHealth)>,
}

impl Replayed {
    fn take(&mut self, step: impl FnOnce(&mut dyn Driver, &mut Vec<Said>), now: SessionTime) {
        let mut said = Vec::new();
        step(&mut *self.driver, &mut said);
        self.poll(now, &mut said);
        for said in said {
            self.lane
                .take(&Told::Said(said.clone()), now, &mut Vec::new(), &mut |_| {});
            self.said.push(said);
        }
        self.look(now);
    }

    /// Notes how it is doing: the last time in a stretch counts.
    fn look(&mut self, now: SessionTime) {
        let h = self.lane.health();
        let count = |n: u64| Some(u32::try_from(n).unwrap_or(u32::MAX));
        let link = LinkHealth {
            battery_pct: h.battery_percent,
            links_lost: count(h.links_lost),
            reboots: count(h.reboots),
            clock_ppm: h.clock_ppm.filter(|x| x.is_finite()),
            clock_scatter_us: h.clock_scatter_s.map(|s| s * 1e6).filter(|x| x.is_finite()),
        };
        let stretch = HealthSeries::stretch_of(now);
        match self.link.last_mut() {
            Some((t, last)) if HealthSeries::stretch_of(*t) == stretch => *last = link,
            _ => self.link.push((now, link)),
        }
    }

    /// Lets the driver notice its deadlines up to `now`; what it would do is what it did then.
    fn poll(&mut self, now: SessionTime, said: &mut Vec<Said>) {
        for _ in 0..POLLS {
            if self.driver.poll(now, said).is_none() {
                return;
            }
        }
    }
}

/// Reads the log of a recording. `new_driver` makes the drivers.
///
/// # Errors
/// Those of the file; `InvalidData` when it is not the log of a recording.
pub fn read(path: &Path, new_driver: impl Fn(DriverKind) -> Box<dyn Driver>) -> io::Result<Whole> {
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut log = LogReader::new(BufReader::new(File::open(path)?))?;
    let mut plan = None;
    let mut sensors: Vec<Replayed> = Vec::new();
    let mut ended = false;
    let mut last = SessionTime::ZERO;
    while let Some(entry) = log.next_entry()? {
        match entry {
            Entry::Plan {
                sensor: plan::RECORDING,
                text,
            } => plan = Some(RecordPlan::parse(&text).map_err(wrong)?),
            Entry::Plan { text, .. } => {
                let plan = plan::parse_sensor(&text).map_err(wrong)?;
                sensors.push(Replayed {
                    driver: new_driver(plan.kind),
                    lane: Lane::new(&plan),
                    said: Vec::new(),
                    link: Vec::new(),
                    plan,
                });
            }
            Entry::Event { sensor, event } => {
                last = last.max(event.at());
                let now = event.at();
                if let Some(s) = sensors.get_mut(usize::from(sensor)) {
                    let told = Told::Event(event.clone());
                    s.lane.take(&told, now, &mut Vec::new(), &mut |_| {});
                    s.take(|driver, said| driver.on_event(&event, said), now);
                }
            }
            Entry::Wish { sensor, at, text } => {
                let wish = plan::parse_wish(&text).map_err(wrong)?;
                if let Some(s) = sensors.get_mut(usize::from(sensor)) {
                    s.take(|driver, _| driver.wish(wish, at), at);
                }
            }
            Entry::Ended { at } => {
                ended = true;
                last = last.max(at);
            }
        }
    }
    let plan = plan.ok_or_else(|| wrong("the log does not say which recording it is of".to_owned()))?;
    Ok(Whole {
        plan,
        health: HealthSeries::default(),
        sensors: sensors.into_iter().map(whole_sensor).collect(),
        ended,
        log_end: log.end().unwrap_or(LogEnd::Whole),
        last,
        knocks: Vec::new(),
    })
}

fn whole_sensor(replayed: Replayed) -> WholeSensor {
    let health = replayed.lane.health().clone();
    let (events, counts, config) = match replayed.plan.placement {
        Some(placement) => timeline::whole(placement, replayed.said),
        None => (Vec::new(), TimelineCounts::default(), None),
    };
    WholeSensor {
        plan: replayed.plan,
        health,
        events,
        counts,
        config,
        link: replayed.link,
    }
}

impl Whole {
    /// Configurations of the sensors that measured something.
    #[must_use]
    pub fn configs(&self) -> Vec<SensorConfig> {
        self.sensors.iter().filter_map(|s| s.config).collect()
    }

    /// What was called left shoe is the right one, and the other way round: for sensors that were put on exchanged.
    pub fn exchange_feet(&mut self) {
        let other = |p: Placement| match p {
            Placement::LeftFoot => Placement::RightFoot,
            Placement::RightFoot => Placement::LeftFoot,
            p => p,
        };
        for sensor in &mut self.sensors {
            sensor.plan.placement = sensor.plan.placement.map(other);
            sensor.health.placement = sensor.health.placement.map(other);
            if let Some(config) = &mut sensor.config {
                config.placement = other(config.placement);
            }
            for event in &mut sensor.events {
                match event {
                    SensorEvent::Sample(placement, _) | SensorEvent::Gap { placement, .. } => {
                        *placement = other(*placement);
                    }
                    SensorEvent::Standing { .. } => {}
                }
            }
        }
    }

    /// All sensors' events in one order: by time, then by place. Takes them out.
    #[must_use]
    pub fn take_events(&mut self) -> Vec<SensorEvent> {
        let mut all: Vec<SensorEvent> = Vec::new();
        for sensor in &mut self.sensors {
            all.append(&mut sensor.events);
        }
        // Stable: events of one sensor at one instant stay in their order.
        all.sort_by_key(|e| (instant(e), place(e)));
        all
    }
}

fn instant(event: &SensorEvent) -> SessionTime {
    match event {
        SensorEvent::Sample(_, sample) => sample.t,
        // A gap is told when it is over, before the first sample after it.
        SensorEvent::Gap { to, .. } | SensorEvent::Standing { to, .. } => *to,
    }
}

fn place(event: &SensorEvent) -> Option<Placement> {
    match event {
        SensorEvent::Sample(placement, _) | SensorEvent::Gap { placement, .. } => Some(*placement),
        SensorEvent::Standing { .. } => None,
    }
}
