//! One sensor of a recording: its samples on the session clock, and how it is doing.

use crate::model::{Placement, SensorConfig, SensorEvent, SessionTime};
use crate::runtime::collect::{Presence, SensorPlan, Told};
use crate::sensors::driver::Progress;
use crate::sensors::link::{DownReason, LinkEvent};
use crate::sensors::said::{Block, Identity, Late, MissingWhy, Note, RunningSpeed, Said};
use crate::sensors::timeline::{Timeline, TimelineCounts};
use serde::Serialize;
use std::collections::BTreeMap;

/// Notes kept for display; older ones are in the log.
const NOTES: usize = 16;

/// How a sensor is doing: what a live view, a summary and an API show.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SensorHealth {
    /// Where it is worn; `None` for one that is not of the body's five places.
    pub placement: Option<Placement>,
    /// Its advertised name.
    pub name: String,
    /// Its protocol.
    pub kind: &'static str,
    /// Where it is, in a word.
    pub state: &'static str,
    /// Charge, %.
    pub battery_percent: Option<u8>,
    /// Version of its firmware.
    pub firmware: Option<String>,
    /// What it says it is.
    pub id: Option<String>,
    /// Frames that arrived.
    pub frames: u64,
    /// Frames our own queue dropped.
    pub dropped_frames: u64,
    /// Frames that broke a rule, by the name of the rule.
    pub refused: BTreeMap<&'static str, u64>,
    /// Samples that arrived as they were taken.
    pub live_samples: u64,
    /// Samples fetched afterwards.
    pub fetched_samples: u64,
    /// Samples that came twice.
    pub repeated_samples: u64,
    /// Samples that will not come, by why.
    pub missing: BTreeMap<&'static str, u64>,
    /// Times its link was lost.
    pub links_lost: u64,
    /// Restarts of its clock.
    pub reboots: u64,
    /// Its clock against ours, parts per million.
    pub clock_ppm: Option<f64>,
    /// How far its times scatter against another sensor's of the same kind on this computer, s; a figure, not a guarantee.
    pub clock_scatter_s: Option<f64>,
    /// Heart rate, if it has one.
    pub heart_rate: Option<u16>,
    /// Speed of a standard foot pod, m/s.
    pub pod_speed: Option<f64>,
    /// What it had to tell, newest last.
    pub notes: Vec<String>,
}

impl SensorHealth {
    /// Samples that will not come, of all causes.
    #[must_use]
    pub fn missing_in_all(&self) -> u64 {
        self.missing.values().sum()
    }
}

/// Word for why samples are missing.
#[must_use]
pub const fn why_word(why: MissingWhy) -> &'static str {
    match why {
        MissingWhy::Overwritten => "overwritten",
        MissingWhy::NotSampled => "not_sampled",
        MissingWhy::Radio => "radio",
        MissingWhy::Storage => "storage",
        MissingWhy::GivenUp => "given_up",
        MissingWhy::Reboot => "reboot",
    }
}

const fn state_word(presence: &Presence) -> &'static str {
    match presence {
        Presence::Searching => "searching",
        Presence::Connecting => "connecting",
        Presence::Connected(progress) => match progress {
            Progress::Streaming => "streaming",
            Progress::Fetching => "fetching",
            Progress::Done => "done",
            Progress::Unable => "unable",
            Progress::Away | Progress::Working | Progress::Inspected => "connecting",
        },
        Presence::Away { .. } => "away",
        Presence::NoRadio(_) => "no radio",
        Presence::WrongSensor { .. } => "another sensor",
        Presence::Finished => "finished",
    }
}

/// One sensor of a recording.
#[derive(Debug)]
pub struct Lane {
    timeline: Option<Timeline>,
    health: SensorHealth,
    identity: Identity,
    progress: Option<Progress>,
    over: bool,
    told_note: Option<Note>,
    /// Numbers a sample has, by stream and seam.
    widths: BTreeMap<(u8, u32), usize>,
}

impl Lane {
    /// The lane of a planned sensor.
    #[must_use]
    pub fn new(plan: &SensorPlan) -> Self {
        Self {
            timeline: plan.placement.map(Timeline::live),
            health: SensorHealth {
                placement: plan.placement,
                name: plan.name.clone(),
                kind: plan.kind.name(),
                state: "waiting",
                ..SensorHealth::default()
            },
            identity: Identity::default(),
            progress: None,
            over: false,
            told_note: None,
            widths: BTreeMap::new(),
        }
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> &SensorHealth {
        &self.health
    }

    /// Who it says it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its configuration, once it streams six axes in one of the body's places.
    #[must_use]
    pub fn config(&self) -> Option<SensorConfig> {
        self.timeline.as_ref()?.config()
    }

    /// Whether it streams, or will never.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.over || matches!(self.progress, Some(Progress::Streaming | Progress::Unable))
    }

    /// Whether it streams now.
    #[must_use]
    pub fn is_streaming(&self) -> bool {
        !self.over && self.progress == Some(Progress::Streaming)
    }

    /// Whether nothing more can come from it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.over || matches!(self.progress, Some(Progress::Done | Progress::Unable))
    }

    /// What became of the samples live.
    #[must_use]
    pub fn counts(&self) -> TimelineCounts {
        self.timeline.as_ref().map(Timeline::counts).unwrap_or_default()
    }

    /// Takes what the sensor told; appends samples that are in order now. `say` is given each new note as a sentence.
    pub fn take(&mut self, told: &Told, now: SessionTime, out: &mut Vec<SensorEvent>, say: &mut dyn FnMut(&str)) {
        match told {
            Told::Event(LinkEvent::Frame { .. }) => self.health.frames += 1,
            Told::Event(LinkEvent::Overflowed { frames, .. }) => {
                self.health.dropped_frames += u64::from(*frames);
                say(&format!(
                    "{frames} packets dropped: this computer is too slow for its sensors"
                ));
            }
            Told::Event(LinkEvent::Down { reason, .. }) => {
                if *reason != DownReason::Closed {
                    self.health.links_lost += 1;
                }
            }
            Told::Event(LinkEvent::Up { .. } | LinkEvent::Answered { .. }) | Told::Wished(..) => {}
            Told::Said(said) => self.take_said(said, now, out, say),
            Told::Presence(presence) => self.take_presence(presence, say),
        }
    }

    /// Time went on.
    pub fn tick(&mut self, now: SessionTime, out: &mut Vec<SensorEvent>) {
        if let Some(timeline) = &mut self.timeline {
            timeline.tick(now, out);
        }
    }

    /// Nothing more comes.
    pub fn flush(&mut self, out: &mut Vec<SensorEvent>) {
        if let Some(timeline) = &mut self.timeline {
            timeline.flush(out);
        }
    }

    fn take_presence(&mut self, presence: &Presence, say: &mut dyn FnMut(&str)) {
        let before = self.health.state;
        self.health.state = state_word(presence);
        match presence {
            Presence::Connected(progress) => {
                self.progress = Some(*progress);
                if before == "away" && *progress == Progress::Streaming {
                    say("is back");
                }
            }
            Presence::Finished => self.over = true,
            Presence::WrongSensor { expected, found } => {
                say(&format!(
                    "answers as {found}, but the kit names {expected}; it is not used"
                ));
            }
            Presence::Away { last, .. } => {
                self.progress = self.progress.filter(|p| matches!(p, Progress::Done | Progress::Unable));
                if before == "streaming" {
                    say("lost; trying to reach it again");
                } else if let Some(error) = last.as_ref().filter(|_| before != "away") {
                    say(&format!("cannot be reached: {}", super::words::open_error(error)));
                }
            }
            Presence::NoRadio(_) if before != "no radio" => say("waits: Bluetooth is not there"),
            _ => {}
        }
        if self.health.state == "connecting" && before == "streaming" {
            self.health.state = "away";
        }
    }

    fn take_said(&mut self, said: &Said, now: SessionTime, out: &mut Vec<SensorEvent>, say: &mut dyn FnMut(&str)) {
        match said {
            Said::Identity(identity) => {
                self.health.firmware.clone_from(&identity.firmware);
                self.health.id.clone_from(&identity.id);
                self.identity = identity.clone();
            }
            Said::Battery(percent) => self.health.battery_percent = *percent,
            Said::Refused { rule } => *self.health.refused.entry(rule).or_default() += 1,
            Said::Repeated(n) => self.health.repeated_samples += u64::from(*n),
            Said::Missing(missing) => {
                *self.health.missing.entry(why_word(missing.why)).or_default() += missing.count;
            }
            Said::Block(block) => {
                let samples = self.samples_of(block);
                match block.late {
                    Late::Live => self.health.live_samples += samples,
                    Late::Fetched => self.health.fetched_samples += samples,
                }
            }
            Said::HeartRate(reading) => self.health.heart_rate = Some(reading.bpm),
            Said::RunningSpeed(RunningSpeed { speed, .. }) => self.health.pod_speed = Some(*speed),
            Said::Note(note) => self.take_note(note, say),
            Said::Streaming(s) => drop(self.widths.insert((s.stream, s.seam), s.quantity.width())),
            Said::Clock(_) | Said::Mark { .. } | Said::Calibration(_) => {}
        }
        if let Some(timeline) = &mut self.timeline {
            timeline.take(said, now, out);
            if let Some(quality) = timeline.clock().quality(now) {
                self.health.clock_ppm = quality.ppm;
                self.health.clock_scatter_s = Some(quality.scatter_s);
            }
        }
    }

    fn samples_of(&self, block: &Block) -> u64 {
        let width = self.widths.get(&(block.stream, block.seam)).copied().unwrap_or(1);
        (block.values.len() / width) as u64
    }

    fn take_note(&mut self, note: &Note, say: &mut dyn FnMut(&str)) {
        if *note == Note::Rebooted {
            self.health.reboots += 1;
        }
        if self.told_note.as_ref() == Some(note) {
            return;
        }
        self.told_note = Some(note.clone());
        let sentence = note.sentence();
        say(&sentence);
        if self.health.notes.len() == NOTES {
            self.health.notes.remove(0);
        }
        self.health.notes.push(sentence);
    }
}
