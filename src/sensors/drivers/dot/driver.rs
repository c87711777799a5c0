//! What is asked of a DOT, and when: information and battery, the rate set and read back, the medium payload, mode 21.
//!
//! Live, a DOT gives at most 60 Hz, 17 ms a sample: enough to watch, too slow for contact times, and that is said. The
//! measurement control tells neither start nor stop apart in its answer, so every answered write of it ends a run.

use super::super::life::{Due, Flow, Goal, Protocol, RUNNING, Silence, Step, Trouble};
use super::super::series::{Series, Stamp, Stamping, Wants};
use super::super::sig::companion::Companion;
use super::super::unwrap::{Reading, Unwrap};
use super::control::{
    BATTERY, CONTROL, INFORMATION, Information, MEASUREMENT, MEDIUM, REPORT, identify, nearest_rate, rate, set_rate,
    start, stop,
};
use super::payload::Mode;
use crate::model::SessionTime;
use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};
use crate::sensors::driver::Wanted;
use crate::sensors::link::{Ack, Asked, Chan, Command, LinkFailure, LinkInfo};
use crate::sensors::said::{Block, Late, Note, Quantity, Said, Streaming, Timing};

const MODE: Mode = Mode::RATE_QUANTITIES;
/// Full scales by the user manual.
const ACC_RANGE: f64 = 16.0 * STANDARD_GRAVITY;
const GYRO_RANGE_DPS: f64 = 2000.0;
/// Part of full scale from which an axis counts as clipped.
const CLIPPED: f64 = 0.998;
/// Rate until it was read back: the default of the sensor.
const DEFAULT_RATE: u16 = 60;

const STAMPING: Stamping = Stamping {
    stamp: Stamp::Last,
    slack_periods: 0.5,
    slack_of_frame: 0.0,
};

const READING_INFORMATION: &str = "reading who it is";
const READING_BATTERY: &str = "reading the battery";
const BATTERY_NEWS: &str = "asking for news of the battery";
const REPORTS: &str = "asking for reports";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Started,
    StopFirst,
}

/// What is written or read on the way, done or left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Done {
    information: bool,
    battery: bool,
    battery_news: bool,
    reports: bool,
    rate_written: bool,
    rate_read: bool,
    listening: bool,
}

/// The protocol of one sensor.
#[derive(Debug)]
pub(crate) struct Dot {
    chans: Vec<Chan>,
    done: Done,
    state: State,
    wanted: Option<Wanted>,
    rate: u16,
    told: bool,
    seams: u32,
    noted: Option<u16>,
    clock: Unwrap,
    series: Series,
    last_data: Option<SessionTime>,
    trouble: Option<Trouble>,
}

impl Default for Dot {
    fn default() -> Self {
        Self {
            chans: Vec::new(),
            done: Done::default(),
            state: State::Idle,
            wanted: None,
            rate: DEFAULT_RATE,
            told: false,
            seams: 0,
            noted: None,
            clock: Unwrap::new(1e-6),
            series: Series::new(0, STAMPING, f64::from(DEFAULT_RATE)),
            last_data: None,
            trouble: None,
        }
    }
}

fn write(chan: Chan, bytes: Vec<u8>) -> Command {
    Command::Write {
        chan,
        bytes,
        ack: Ack::Wanted,
    }
}

impl Dot {
    fn has(&self, chan: Chan) -> bool {
        self.chans.contains(&chan)
    }

    fn wanted_rate(&self) -> u16 {
        nearest_rate(self.wanted.unwrap_or(RUNNING).rate_hz)
    }

    fn rate_was_read(&mut self, hz: u16, said: &mut Vec<Said>) {
        if hz == 0 {
            return said.push(Said::Refused {
                rule: "a rate of nought",
            });
        }
        self.done.rate_read = true;
        if hz != self.rate {
            self.rate = hz;
            self.told = false;
        }
        self.series.set_rate(f64::from(hz));
        let wanted = self.wanted.unwrap_or(RUNNING).rate_hz;
        if self.wanted.is_some() && f64::from(hz) < wanted && self.noted != Some(hz) {
            self.noted = Some(hz);
            said.push(Said::Note(Note::NotAsWanted {
                what: "rate",
                wanted,
                got: f64::from(hz),
                unit: "Hz",
            }));
        }
    }

    fn payload(&mut self, at: SessionTime, bytes: &[u8], said: &mut Vec<Said>) {
        let fields = match MODE.decode(bytes) {
            Ok(fields) => fields,
            Err(refusal) => return said.push(Said::Refused { rule: refusal.0 }),
        };
        let (Some([ax, ay, az]), Some([gx, gy, gz])) = (fields.acc, fields.gyro_dps) else {
            return;
        };
        let ticks = match self.clock.take(fields.time_us, at) {
            Reading::Ticks(ticks) => ticks,
            Reading::Restarted(ticks) => {
                said.push(Said::Note(Note::Rebooted));
                self.series.ended();
                ticks
            }
        };
        let Some(placed) = self.series.place(ticks.saturating_mul(1000), 1, at, said) else {
            return;
        };
        if !self.told {
            self.told = true;
            self.seams += 1;
            said.push(Said::Streaming(self.streaming()));
        }
        self.last_data = Some(at);
        said.push(Said::Block(Block {
            stream: 0,
            seam: self.seams,
            epoch: placed.epoch,
            index: placed.index,
            first_ns: placed.first_ns,
            last_ns: placed.last_ns,
            last_exact: placed.last_exact,
            arrived: at,
            late: Late::Live,
            after_gap: placed.after_gap,
            suspect: false,
            values: vec![ax, ay, az, gx, gy, gz],
        }));
    }

    fn streaming(&self) -> Streaming {
        Streaming {
            stream: 0,
            seam: self.seams,
            quantity: Quantity::AccGyro,
            rate_hz: f64::from(self.rate),
            acc_scale: 1.0,
            gyro_scale: RAD_PER_DEG,
            acc_range: Some(ACC_RANGE),
            gyro_range: Some(GYRO_RANGE_DPS * RAD_PER_DEG),
            acc_clip: (CLIPPED * ACC_RANGE) as f32,
            gyro_clip: (CLIPPED * GYRO_RANGE_DPS) as f32,
            acc_delay_s: 0.0,
            gyro_delay_s: 0.0,
            timing: Timing::Stamped,
        }
    }

    fn read_next(&self) -> Due {
        if self.has(INFORMATION) && !self.done.information {
            Due::Do(Step::may(READING_INFORMATION, Command::Read(INFORMATION)))
        } else if self.has(BATTERY) && !self.done.battery {
            Due::Do(Step::may(READING_BATTERY, Command::Read(BATTERY)))
        } else {
            Due::Nothing
        }
    }
}

impl Protocol for Dot {
    fn up(&mut self, info: &LinkInfo) {
        self.chans.clone_from(&info.chans);
    }

    fn down(&mut self, _: &mut Vec<Said>) {
        self.done = Done::default();
        self.state = State::Idle;
        self.rate = DEFAULT_RATE;
        self.told = false;
        self.last_data = None;
        self.trouble = None;
        self.series.ended();
        self.clock.forget();
    }

    fn want(&mut self, wanted: Option<Wanted>) {
        self.wanted = wanted;
        let wants = if wanted.is_some() {
            Wants::Samples
        } else {
            Wants::Nothing
        };
        self.series.set_wanted(wants);
    }

    fn frame(&mut self, at: SessionTime, chan: Chan, bytes: &[u8], companion: &mut Companion, said: &mut Vec<Said>) {
        match (chan, bytes) {
            (MEDIUM, _) => self.payload(at, bytes, said),
            (BATTERY, _) => companion.charge(super::super::sig::battery::level(bytes), said),
            (REPORT, [1, ..]) => said.push(Said::Note(Note::Ended("it was switched off"))),
            (REPORT, [4, ..]) => said.push(Said::Note(Note::Ended("it fell asleep"))),
            // Presses of its button, in milliseconds of a clock that need not be the samples'.
            (REPORT, _) => {}
            _ => said.push(Said::Refused {
                rule: "unknown characteristic",
            }),
        }
    }

    fn answered(
        &mut self,
        asked: Asked,
        result: &Result<Vec<u8>, LinkFailure>,
        companion: &mut Companion,
        said: &mut Vec<Said>,
    ) {
        let Ok(bytes) = result else { return };
        match asked {
            Asked::Read(INFORMATION) => {
                self.done.information = true;
                match Information::decode(bytes) {
                    Ok(i) => companion.know(
                        |who| {
                            who.id = Some(format!("{:012X}", i.serial));
                            who.maker = Some("Movella".to_owned());
                            who.model = Some("DOT".to_owned());
                            who.firmware = Some(i.firmware_text());
                        },
                        said,
                    ),
                    Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
                }
            }
            Asked::Read(BATTERY) => {
                self.done.battery = true;
                companion.charge(super::super::sig::battery::level(bytes), said);
            }
            Asked::Subscribe(BATTERY) => self.done.battery_news = true,
            Asked::Subscribe(REPORT) => self.done.reports = true,
            Asked::Subscribe(MEDIUM) => self.done.listening = true,
            Asked::Write(CONTROL) => self.done.rate_written = true,
            Asked::Read(CONTROL) => match rate(bytes) {
                Ok(hz) => self.rate_was_read(hz, said),
                Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
            },
            Asked::Write(MEASUREMENT) => {
                self.state = match self.state {
                    State::Idle => State::Started,
                    State::Started | State::StopFirst => State::Idle,
                };
                self.told = false;
                self.last_data = None;
                self.series.ended();
                self.clock.forget();
            }
            _ => {}
        }
    }

    fn next(&self, goal: Goal) -> Due {
        if goal == Goal::Know {
            return self.read_next();
        }
        let may_subscribe = [
            (BATTERY, self.done.battery_news, BATTERY_NEWS),
            (REPORT, self.done.reports, REPORTS),
        ];
        for (chan, done, what) in may_subscribe {
            if self.has(chan) && !done {
                return Due::Do(Step::may(what, Command::Subscribe(chan)));
            }
        }
        let stop = || Due::Do(Step::must("stopping the measurement", write(MEASUREMENT, stop(MODE))));
        if goal == Goal::Rest {
            return if self.state == State::Idle {
                Due::Nothing
            } else {
                stop()
            };
        }
        if !(self.has(CONTROL) && self.has(MEASUREMENT) && self.has(MEDIUM)) {
            return Due::Never("this sensor has not the services of a DOT");
        }
        if self.state == State::StopFirst {
            return stop();
        }
        if !self.done.rate_written {
            return Due::Do(Step::must(
                "setting the rate",
                write(CONTROL, set_rate(self.wanted_rate())),
            ));
        }
        if !self.done.rate_read {
            return Due::Do(Step::must("reading the rate back", Command::Read(CONTROL)));
        }
        if !self.done.listening {
            return Due::Do(Step::must("listening to its measurements", Command::Subscribe(MEDIUM)));
        }
        if self.state == State::Idle {
            return Due::Do(Step::must("starting the measurement", write(MEASUREMENT, start(MODE))));
        }
        Due::Nothing
    }

    fn gave_up(&mut self, what: &'static str) {
        match what {
            READING_INFORMATION => self.done.information = true,
            READING_BATTERY => self.done.battery = true,
            BATTERY_NEWS => self.done.battery_news = true,
            REPORTS => self.done.reports = true,
            _ => {}
        }
    }

    fn restart(&mut self) {
        if self.state == State::Started {
            self.state = State::StopFirst;
        }
        // The rate cannot be changed while it measures; another may be wanted now.
        self.done.rate_written = false;
        self.done.rate_read = false;
        self.last_data = None;
    }

    fn trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    fn flow(&self) -> Flow {
        self.last_data.map_or(Flow::Waited, Flow::Since)
    }

    fn silence(&self) -> Silence {
        Silence::Restart
    }

    fn limits(&self, _: &LinkInfo) -> &'static str {
        "a DOT sends at most 60 samples a second live, 17 ms apart: enough to watch a runner, too slow for contact times. It \
         counts nothing; what is lost shows as a step of its clock"
    }

    fn identify(&self) -> Option<Step> {
        self.has(CONTROL)
            .then(|| Step::may("letting it blink", write(CONTROL, identify())))
    }
}
