//! One measurement of a Polar sensor: its settings, whether it runs, and its frames as blocks.

use super::super::series::{Series, Stamp, Stamping, Wants};
use super::control::{Choice, Settings};
use super::frame::{Kind, Samples};
use crate::model::SessionTime;
use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};
use crate::sensors::driver::Wanted;
use crate::sensors::said::{Block, Late, Note, Quantity, Said, Streaming, Timing};

/// Frames kept that came before the reply to the start that tells how to read them: the two come by different
/// characteristics, whose order nobody promises.
const EARLY: usize = 16;
/// Part of full scale from which an axis counts as clipped.
const CLIPPED: f64 = 0.998;

/// Frames are as long as their differences are small, so a lost one may be shorter than the next: 1.5 samples and a
/// twentieth of the frame (for a rate not known better than to 5 %) are no hole.
const STAMPING: Stamping = Stamping {
    stamp: Stamp::Last,
    slack_periods: 1.5,
    slack_of_frame: 0.05,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Started,
    /// It runs, or may run, with settings that are not ours or without sending.
    StopFirst,
}

/// Names of its steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) asking: &'static str,
    pub(crate) starting: &'static str,
    pub(crate) stopping: &'static str,
}

/// How the frames of a run are read.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reading {
    factor: f64,
    range: Option<u16>,
    rate: u16,
}

/// One measurement.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) kind: Kind,
    pub(crate) offer: Option<Settings>,
    pub(crate) choice: Option<Choice>,
    pub(crate) last_data: Option<SessionTime>,
    number: u8,
    state: State,
    reading: Option<Reading>,
    /// Frame type that the last told configuration is for; `None` when it must be told anew.
    told: Option<u8>,
    seams: u32,
    pub(crate) series: Series,
    early: Vec<(SessionTime, Samples)>,
    not_as_wanted: [Option<u16>; 2],
}

impl Stream {
    pub(crate) fn new(number: u8, kind: Kind) -> Self {
        Self {
            kind,
            offer: None,
            choice: None,
            last_data: None,
            number,
            state: State::Idle,
            reading: None,
            told: None,
            seams: 0,
            series: Series::new(number, STAMPING, 52.0),
            early: Vec::new(),
            not_as_wanted: [None; 2],
        }
    }

    pub(crate) const fn words(&self) -> Words {
        match self.kind {
            Kind::Acc => Words {
                asking: "asking for settings of acceleration",
                starting: "starting acceleration",
                stopping: "stopping acceleration",
            },
            Kind::Gyro => Words {
                asking: "asking for settings of angular rate",
                starting: "starting angular rate",
                stopping: "stopping angular rate",
            },
            Kind::Mag => Words {
                asking: "asking for settings of the magnetic field",
                starting: "starting the magnetic field",
                stopping: "stopping the magnetic field",
            },
        }
    }

    pub(crate) fn is_started(&self) -> bool {
        self.state == State::Started
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state != State::Idle
    }

    pub(crate) fn must_stop(&self) -> bool {
        self.state == State::StopFirst
    }

    /// It has to be stopped before it can be started.
    pub(crate) fn stop_first(&mut self) {
        self.state = State::StopFirst;
        self.last_data = None;
    }

    /// What it offers changed.
    pub(crate) fn forget_offer(&mut self) {
        self.offer = None;
        self.choice = None;
    }

    /// It does not run.
    pub(crate) fn stopped(&mut self) {
        self.state = State::Idle;
        self.last_data = None;
    }

    /// Whether samples are wanted, and with which of the settings offered.
    pub(crate) fn want(&mut self, choice: Option<Choice>, wants: Wants) {
        if choice.is_some() {
            self.choice = choice;
        }
        self.series.set_wanted(wants);
    }

    /// Its settings are known.
    pub(crate) fn offered(&mut self, offered: Settings, choice: Choice, wanted: &Wanted, said: &mut Vec<Said>) {
        self.offer = Some(offered);
        self.choice = Some(choice);
        let (what, range, unit) = match self.kind {
            Kind::Acc => ("accelerometer range", wanted.acc_range / STANDARD_GRAVITY, "g"),
            Kind::Gyro | Kind::Mag => ("gyroscope range", wanted.gyro_range / RAD_PER_DEG, "°/s"),
        };
        let rate = match self.kind {
            Kind::Acc => "rate of acceleration",
            Kind::Gyro | Kind::Mag => "rate of angular rate",
        };
        let settings = [
            (rate, wanted.rate_hz, Some(choice.rate), "Hz"),
            (what, range, choice.range, unit),
        ];
        for ((what, wanted, got, unit), before) in settings.into_iter().zip(&mut self.not_as_wanted) {
            if let Some(got) = got
                && f64::from(got) < wanted * (1.0 - 1e-6)
                && *before != Some(got)
            {
                *before = Some(got);
                said.push(Said::Note(Note::NotAsWanted {
                    what,
                    wanted,
                    got: f64::from(got),
                    unit,
                }));
            }
        }
    }

    /// It runs from now on, with these settings as far as told; frames that came before are handed back.
    pub(crate) fn started(&mut self, effective: &Settings) -> Vec<(SessionTime, Samples)> {
        let last = |values: &[u16]| values.last().copied().filter(|v| *v > 0);
        let chosen = self.choice;
        let rate = last(&effective.rates).or(chosen.map(|c| c.rate)).unwrap_or(52);
        self.state = State::Started;
        self.last_data = None;
        self.told = None;
        self.reading = Some(Reading {
            factor: effective.factor.map_or(1.0, f64::from),
            range: last(&effective.ranges).or(chosen.and_then(|c| c.range)),
            rate,
        });
        self.series.set_rate(f64::from(rate));
        self.series.restarted();
        std::mem::take(&mut self.early)
    }

    /// The link ended.
    pub(crate) fn link_ended(&mut self, said: &mut Vec<Said>) {
        for _ in self.early.drain(..) {
            said.push(Said::Refused {
                rule: "data before a start",
            });
        }
        self.state = State::Idle;
        self.last_data = None;
        self.forget_offer();
        self.reading = None;
        self.series.ended();
    }

    /// A frame of this measurement.
    pub(crate) fn take(&mut self, at: SessionTime, samples: Samples, said: &mut Vec<Said>) {
        let Some(reading) = self.reading else {
            if self.early.len() < EARLY {
                self.early.push((at, samples));
            } else {
                said.push(Said::Refused {
                    rule: "data before a start",
                });
            }
            return;
        };
        let header = samples.header;
        if self.told.is_some_and(|told| told != header.frame_type) {
            // The time before belongs to frames of the other type.
            self.series.restarted();
        }
        let Some(placed) = self.series.place(header.last_ns, samples.len(), at, said) else {
            return;
        };
        if self.told != Some(header.frame_type) {
            // Another start, or another way of writing, which is another scale.
            self.told = Some(header.frame_type);
            self.seams += 1;
            said.push(Said::Streaming(self.streaming(header.scale(reading.factor), reading)));
        }
        self.last_data = Some(at);
        said.push(Said::Block(Block {
            stream: self.number,
            seam: self.seams,
            epoch: placed.epoch,
            index: placed.index,
            first_ns: placed.first_ns,
            last_ns: placed.last_ns,
            last_exact: placed.last_exact,
            arrived: at,
            late: Late::Live,
            after_gap: placed.after_gap,
            suspect: samples.suspect(),
            values: samples.values,
        }));
    }

    fn streaming(&self, scale: f64, reading: Reading) -> Streaming {
        let unit = match self.kind {
            Kind::Acc => STANDARD_GRAVITY,
            Kind::Gyro | Kind::Mag => RAD_PER_DEG,
        };
        let range = reading.range.map(|r| f64::from(r) * unit);
        let clip = range.map_or(f32::INFINITY, |r| (CLIPPED * r / scale) as f32);
        let is = |kind| self.kind == kind;
        Streaming {
            stream: self.number,
            seam: self.seams,
            quantity: match self.kind {
                Kind::Acc => Quantity::Acc,
                Kind::Gyro => Quantity::Gyro,
                Kind::Mag => Quantity::Mag,
            },
            rate_hz: f64::from(reading.rate),
            acc_scale: if is(Kind::Acc) { scale } else { 0.0 },
            gyro_scale: if is(Kind::Gyro) { scale } else { 0.0 },
            acc_range: range.filter(|_| is(Kind::Acc)),
            gyro_range: range.filter(|_| is(Kind::Gyro)),
            acc_clip: if is(Kind::Acc) { clip } else { f32::INFINITY },
            gyro_clip: if is(Kind::Gyro) { clip } else { f32::INFINITY },
            acc_delay_s: 0.0,
            gyro_delay_s: 0.0,
            timing: Timing::Stamped,
        }
    }
}
