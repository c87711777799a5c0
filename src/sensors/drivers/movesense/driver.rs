//! What is asked of a Movesense sensor, and when: listen, say hello, subscribe `/Meas/IMU6`.
//!
//! The rate is the best not above 208 Hz: floats take twice the bytes, and more than that no link of several sensors
//! carries. Times are whole milliseconds against a period of 4.8 ms, so the rate is fitted over a minute. There is no
//! counter; a hole is a step of time longer than one and a half frames.

use super::super::life::{Due, Flow, Goal, Hope, Protocol, RUNNING, Silence, Step, Trouble};
use super::super::series::{Series, Stamp, Stamping, Wants};
use super::super::sig::companion::Companion;
use super::super::unwrap::{Reading, Unwrap};
use super::gsp::{Joined, Joiner, Request, is_success, message, status};
use crate::model::SessionTime;
use crate::model::units::RAD_PER_DEG;
use crate::sensors::driver::Wanted;
use crate::sensors::link::{Ack, Asked, Chan, Command, LinkFailure, LinkInfo};
use crate::sensors::said::{Block, Late, Note, Quantity, Said, Streaming, Timing};

/// The service.
pub const SERVICE: u128 = 0x3480_2252_7185_4D5D_B431_630E_7050_E8F0;
/// Commands: write.
pub const WRITE: Chan = Chan::new(SERVICE, 0x3480_0001_7185_4D5D_B431_630E_7050_E8F0);
/// Answers and data: notify.
pub const NOTIFY: Chan = Chan::new(SERVICE, 0x3480_0002_7185_4D5D_B431_630E_7050_E8F0);

/// Rates lope asks for, Hz; faster ones exist, and no link carries them.
pub const RATES: [u16; 5] = [13, 26, 52, 104, 208];

/// References of ours: the hello, and the one stream.
const HELLO_REFERENCE: u8 = 1;
const IMU_REFERENCE: u8 = 99;
/// Acceleration and angular rate.
const SENSORS: usize = 2;

const HELLO: &str = "saying hello";

const STAMPING: Stamping = Stamping {
    stamp: Stamp::First,
    slack_periods: 0.0,
    slack_of_frame: 0.5,
};

/// The rate to ask for.
#[must_use]
pub fn nearest_rate(wanted_hz: f64) -> u16 {
    RATES
        .into_iter()
        .find(|r| f64::from(*r) >= wanted_hz)
        .unwrap_or(RATES[RATES.len() - 1])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Started,
    StopFirst,
}

/// The protocol of one sensor.
#[derive(Debug)]
pub(crate) struct Movesense {
    has_service: bool,
    listening: bool,
    greeted: bool,
    state: State,
    wanted: Option<Wanted>,
    rate: u16,
    told: bool,
    seams: u32,
    noted: Option<u16>,
    clock: Unwrap,
    series: Series,
    joiner: Joiner<SessionTime>,
    last_data: Option<SessionTime>,
    trouble: Option<Trouble>,
}

impl Default for Movesense {
    fn default() -> Self {
        let rate = nearest_rate(RUNNING.rate_hz);
        Self {
            has_service: false,
            listening: false,
            greeted: false,
            state: State::Idle,
            wanted: None,
            rate,
            told: false,
            seams: 0,
            noted: None,
            clock: Unwrap::new(1e-3),
            series: Series::new(0, STAMPING, f64::from(rate)),
            joiner: Joiner::new(23, SENSORS),
            last_data: None,
            trouble: None,
        }
    }
}

fn write(request: Request<'_>) -> Command {
    Command::Write {
        chan: WRITE,
        bytes: request.encode(),
        ack: Ack::Wanted,
    }
}

impl Movesense {
    fn wanted_rate(&self) -> u16 {
        nearest_rate(self.wanted.unwrap_or(RUNNING).rate_hz)
    }

    fn result(&mut self, reference: u8, payload: &[u8], said: &mut Vec<Said>) {
        let status = match (reference, status(payload)) {
            // Whatever follows a hello, somebody answered.
            (HELLO_REFERENCE, _) => {
                self.greeted = true;
                return;
            }
            (IMU_REFERENCE, Ok(status)) => status,
            (IMU_REFERENCE, Err(refusal)) => return said.push(Said::Refused { rule: refusal.0 }),
            _ => {
                return said.push(Said::Refused {
                    rule: "unknown reference",
                });
            }
        };
        // A subscription began or ended; the answer does not tell which, and either way a run of samples is over.
        self.new_run(said);
        match self.state {
            State::StopFirst => self.state = State::Idle,
            // The end of a subscription that was asked for.
            State::Started if !is_success(status) || self.wanted.is_none() => self.state = State::Idle,
            State::Started => {}
            State::Idle if is_success(status) => self.state = State::Started,
            State::Idle => {
                let hope = if status == 404 { Hope::None } else { Hope::Later };
                self.trouble = Some(Trouble {
                    note: Note::CommandFailed {
                        what: "subscribing acceleration and angular rate",
                        answer: format!("status {status}"),
                    },
                    hope,
                });
            }
        }
    }

    fn new_run(&mut self, said: &mut Vec<Said>) {
        let rest = self.joiner.end();
        self.joined(rest, said);
        self.last_data = None;
        self.rate = self.wanted_rate();
        self.told = false;
        self.series.set_rate(f64::from(self.rate));
        self.series.ended();
        self.clock.forget();
        if let Some(wanted) = self.wanted
            && f64::from(self.rate) < wanted.rate_hz
            && self.noted != Some(self.rate)
        {
            self.noted = Some(self.rate);
            said.push(Said::Note(Note::NotAsWanted {
                what: "rate",
                wanted: wanted.rate_hz,
                got: f64::from(self.rate),
                unit: "Hz",
            }));
        }
    }

    fn joined(&mut self, joined: Joined<SessionTime>, said: &mut Vec<Said>) {
        if let Some(refusal) = joined.refused {
            said.push(Said::Refused { rule: refusal.0 });
        }
        for (at, bytes) in joined.whole {
            match message(&bytes, SENSORS) {
                Ok(m) => self.data(at, m.time_ms, m.len(), m.values, said),
                Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
            }
        }
    }

    fn data(&mut self, at: SessionTime, time_ms: u32, n: usize, values: Vec<f32>, said: &mut Vec<Said>) {
        let ticks = match self.clock.take(time_ms, at) {
            Reading::Ticks(ticks) => ticks,
            Reading::Restarted(ticks) => {
                said.push(Said::Note(Note::Rebooted));
                self.series.ended();
                ticks
            }
        };
        let Some(placed) = self.series.place(ticks.saturating_mul(1_000_000), n, at, said) else {
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
            values,
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
            // The protocol neither sets nor tells the ranges.
            acc_range: None,
            gyro_range: None,
            acc_clip: f32::INFINITY,
            gyro_clip: f32::INFINITY,
            acc_delay_s: 0.0,
            gyro_delay_s: 0.0,
            timing: Timing::Stamped,
        }
    }
}

impl Protocol for Movesense {
    fn up(&mut self, info: &LinkInfo) {
        self.has_service = info.has(WRITE) && info.has(NOTIFY);
        self.joiner = Joiner::new(info.mtu, SENSORS);
    }

    fn down(&mut self, said: &mut Vec<Said>) {
        let rest = self.joiner.end();
        self.joined(rest, said);
        self.listening = false;
        self.greeted = false;
        self.state = State::Idle;
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

    fn frame(&mut self, at: SessionTime, chan: Chan, bytes: &[u8], _: &mut Companion, said: &mut Vec<Said>) {
        match (chan, bytes) {
            (NOTIFY, [1, reference, payload @ ..]) => self.result(*reference, payload, said),
            (NOTIFY, [2..=4, IMU_REFERENCE, ..]) => {
                let joined = self.joiner.take(at, bytes);
                self.joined(joined, said);
            }
            (NOTIFY, [2..=4, ..]) => said.push(Said::Refused {
                rule: "unknown reference",
            }),
            (NOTIFY, [_, _, ..]) => said.push(Said::Refused { rule: "unknown kind" }),
            (NOTIFY, _) => said.push(Said::Refused { rule: "short" }),
            _ => said.push(Said::Refused {
                rule: "unknown characteristic",
            }),
        }
    }

    fn answered(&mut self, asked: Asked, result: &Result<Vec<u8>, LinkFailure>, _: &mut Companion, _: &mut Vec<Said>) {
        if asked == Asked::Subscribe(NOTIFY) && result.is_ok() {
            self.listening = true;
        }
    }

    fn next(&self, goal: Goal) -> Due {
        if goal == Goal::Know {
            return Due::Nothing;
        }
        let stop = Due::Do(Step::must(
            "ending the subscription",
            write(Request::Unsubscribe(IMU_REFERENCE)),
        ));
        if goal == Goal::Rest {
            return if self.state == State::Idle { Due::Nothing } else { stop };
        }
        if !self.has_service {
            return Due::Never(
                "this Movesense has no GATT sensor data service: its firmware must contain it (an update from the maker)",
            );
        }
        if !self.listening {
            return Due::Do(Step::must("listening to it", Command::Subscribe(NOTIFY)));
        }
        if !self.greeted {
            return Due::Do(Step::may(HELLO, write(Request::Hello(HELLO_REFERENCE))));
        }
        match self.state {
            State::StopFirst => stop,
            State::Started => Due::Nothing,
            State::Idle => {
                let path = format!("/Meas/IMU6/{}", self.wanted_rate());
                Due::Do(Step::must(
                    "subscribing acceleration and angular rate",
                    write(Request::Subscribe(IMU_REFERENCE, &path)),
                ))
            }
        }
    }

    fn gave_up(&mut self, what: &'static str) {
        if what == HELLO {
            self.greeted = true;
        }
    }

    fn restart(&mut self) {
        if self.state == State::Started {
            self.state = State::StopFirst;
        }
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
        "a Movesense tells time in whole milliseconds, counts nothing and does not tell its ranges: what is lost shows as a \
         step of time, and a clipped peak cannot be known for one"
    }

    fn identify(&self) -> Option<Step> {
        None
    }
}
