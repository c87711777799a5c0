//! What is asked of a Polar sensor, and when.
//!
//! Features are read before the control point is subscribed; control and data are subscribed before any command; SDK mode
//! is turned on where there is a gyroscope (it offers the rates and ranges that feet need, and turns heart rate off);
//! settings are asked, the nearest above chosen, and each measurement started. "Already in that state" is no success: the
//! settings may be another program's, so it is stopped and started. The clock is never set, only mapped.

use super::super::life::{Due, Flow, Goal, Hope, Protocol, RUNNING, Silence, Step, Trouble};
use super::super::series::Wants;
use super::super::sig::companion::Companion;
use super::control::{About, Choice, Features, Indication, Mode, Replies, Reply, Request, Settings, Status};
use super::frame::{Kind, decode};
use super::stream::Stream;
use crate::model::SessionTime;
use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};
use crate::sensors::driver::Wanted;
use crate::sensors::link::{Ack, Asked, Chan, Command, LinkFailure, LinkInfo};
use crate::sensors::said::{Note, Said};

/// The service.
pub const SERVICE: u128 = 0xFB00_5C80_02E7_F387_1CAD_8ACD_2D8D_F0C8;
/// Control point: read, write, indicate.
pub const CONTROL: Chan = Chan::new(SERVICE, 0xFB00_5C81_02E7_F387_1CAD_8ACD_2D8D_F0C8);
/// Data: notify.
pub const DATA: Chan = Chan::new(SERVICE, 0xFB00_5C82_02E7_F387_1CAD_8ACD_2D8D_F0C8);

const READING: &str = "reading what it can measure";
const SDK: &str = "turning on SDK mode";
const SDK_OFF: &str = "turning off SDK mode";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sdk {
    Unasked,
    On,
    No,
}

/// The protocol of one sensor.
#[derive(Debug)]
pub(crate) struct Polar {
    has_service: bool,
    features: Option<Features>,
    control_subscribed: bool,
    data_subscribed: bool,
    sdk: Sdk,
    mtu: u16,
    wanted: Option<Wanted>,
    replies: Replies,
    streams: [Stream; 2],
    trouble: Option<Trouble>,
}

impl Default for Polar {
    fn default() -> Self {
        Self {
            has_service: false,
            features: None,
            control_subscribed: false,
            data_subscribed: false,
            sdk: Sdk::Unasked,
            mtu: 0,
            wanted: None,
            replies: Replies::default(),
            streams: [Stream::new(0, Kind::Acc), Stream::new(1, Kind::Gyro)],
            trouble: None,
        }
    }
}

fn write(request: Request) -> Command {
    Command::Write {
        chan: CONTROL,
        bytes: request.encode(),
        ack: Ack::Wanted,
    }
}

impl Polar {
    fn wants_sdk(&self) -> bool {
        self.features.is_some_and(|f| f.sdk_mode && f.gyro)
    }

    fn has(&self, kind: Kind) -> bool {
        self.features.is_some_and(|f| match kind {
            Kind::Acc => f.acc,
            Kind::Gyro => f.gyro,
            Kind::Mag => f.mag,
        })
    }

    fn stream(&mut self, kind: Kind) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|s| s.kind == kind)
    }

    fn fail(&mut self, what: &'static str, answer: &str, hope: Hope) {
        self.trouble = Some(Trouble {
            note: Note::CommandFailed {
                what,
                answer: answer.to_owned(),
            },
            hope,
        });
    }

    fn reply(&mut self, reply: &Reply, said: &mut Vec<Said>) {
        match reply.about {
            About::Settings(kind) => self.settings(kind, reply, said),
            About::Start(kind) => self.started(kind, reply, said),
            About::Stop(kind) => match reply.status {
                Status::Ok | Status::AlreadyInState | Status::State => {
                    if let Some(stream) = self.stream(kind) {
                        stream.stopped();
                    }
                }
                status => self.fail("stopping", status.words(), Hope::Later),
            },
            About::SdkOn => {
                self.sdk = match reply.status {
                    Status::Ok | Status::AlreadyInState => Sdk::On,
                    _ => Sdk::No,
                };
                // Other rates and ranges than before.
                self.streams.iter_mut().for_each(Stream::forget_offer);
            }
            About::SdkOff => self.sdk = Sdk::Unasked,
            About::Other => said.push(Said::Refused {
                rule: "reply to nothing asked",
            }),
        }
    }

    fn settings(&mut self, kind: Kind, reply: &Reply, said: &mut Vec<Said>) {
        if reply.status != Status::Ok {
            return self.fail("asking for its settings", reply.status.words(), Hope::Later);
        }
        let wanted = self.wanted.unwrap_or(RUNNING);
        match Settings::decode(&reply.params) {
            Ok(offered) => {
                let Some(choice) = choose(kind, &offered, &wanted) else {
                    return self.fail("asking for its settings", "it offers no rate", Hope::None);
                };
                if let Some(stream) = self.stream(kind) {
                    stream.offered(offered, choice, &wanted, said);
                }
            }
            Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
        }
    }

    fn started(&mut self, kind: Kind, reply: &Reply, said: &mut Vec<Said>) {
        match reply.status {
            Status::Ok => match Settings::decode(&reply.params) {
                Ok(effective) => {
                    if let Some(stream) = self.stream(kind) {
                        for (at, samples) in stream.started(&effective) {
                            stream.take(at, samples, said);
                        }
                    }
                }
                Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
            },
            Status::AlreadyInState => {
                if let Some(stream) = self.stream(kind) {
                    stream.stop_first();
                }
            }
            Status::Mtu => {
                self.trouble = Some(Trouble {
                    note: Note::SmallMtu(self.mtu),
                    hope: Hope::None,
                });
            }
            Status::InCharger => {
                self.trouble = Some(Trouble {
                    note: Note::Fault("it is in its charger and does not measure there"),
                    hope: Hope::Later,
                });
            }
            status @ Status::Refused(5 | 7 | 8 | 9 | 11) => self.fail("starting", status.words(), Hope::None),
            status => self.fail("starting", status.words(), Hope::Later),
        }
    }
}

fn choose(kind: Kind, offered: &Settings, wanted: &Wanted) -> Option<Choice> {
    let range = match kind {
        Kind::Acc => wanted.acc_range / STANDARD_GRAVITY,
        Kind::Gyro | Kind::Mag => wanted.gyro_range / RAD_PER_DEG,
    };
    Choice::nearest(offered, wanted.rate_hz, range)
}

impl Protocol for Polar {
    fn up(&mut self, info: &LinkInfo) {
        self.has_service = info.has(CONTROL) && info.has(DATA);
        self.mtu = info.mtu;
    }

    fn down(&mut self, said: &mut Vec<Said>) {
        self.features = None;
        self.control_subscribed = false;
        self.data_subscribed = false;
        self.sdk = Sdk::Unasked;
        self.replies.clear();
        self.trouble = None;
        for stream in &mut self.streams {
            stream.link_ended(said);
        }
        // One clock serves both, so its runs are numbered together.
        let epoch = self.streams.iter().map(|s| s.series.epoch()).max().unwrap_or(0);
        self.streams.iter_mut().for_each(|s| s.series.raise_epoch(epoch));
    }

    fn want(&mut self, wanted: Option<Wanted>) {
        self.wanted = wanted;
        let wants = if wanted.is_some() {
            Wants::Samples
        } else {
            Wants::Nothing
        };
        for stream in &mut self.streams {
            let choice = match (&stream.offer, &wanted) {
                (Some(offered), Some(wanted)) => choose(stream.kind, offered, wanted),
                _ => None,
            };
            stream.want(choice, wants);
        }
    }

    fn frame(&mut self, at: SessionTime, chan: Chan, bytes: &[u8], _: &mut Companion, said: &mut Vec<Said>) {
        if chan == CONTROL {
            match self.replies.take(bytes) {
                Ok(Indication::Reply(reply)) => self.reply(&reply, said),
                Ok(Indication::More | Indication::Echo) => {}
                Ok(Indication::Stopped(kinds)) => {
                    for kind in kinds {
                        if let Some(stream) = self.stream(kind).filter(|s| s.is_started()) {
                            stream.stopped();
                            self.trouble = Some(Trouble {
                                note: Note::Ended("it stopped measuring without being asked"),
                                hope: Hope::Later,
                            });
                        }
                    }
                }
                Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
            }
        } else if chan == DATA {
            match decode(bytes) {
                Ok(samples) => {
                    let kind = samples.header.kind;
                    match self.stream(kind) {
                        Some(stream) => stream.take(at, samples, said),
                        None => said.push(Said::Refused {
                            rule: "measurement not asked for",
                        }),
                    }
                }
                Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
            }
        } else {
            said.push(Said::Refused {
                rule: "unknown characteristic",
            });
        }
    }

    fn answered(
        &mut self,
        asked: Asked,
        result: &Result<Vec<u8>, LinkFailure>,
        _: &mut Companion,
        said: &mut Vec<Said>,
    ) {
        match (asked, result) {
            (Asked::Read(CONTROL), Ok(bytes)) => match Features::decode(bytes) {
                Ok(features) => self.features = Some(features),
                Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
            },
            (Asked::Subscribe(CONTROL), Ok(_)) => self.control_subscribed = true,
            (Asked::Subscribe(DATA), Ok(_)) => self.data_subscribed = true,
            _ => {}
        }
    }

    fn next(&self, goal: Goal) -> Due {
        if goal == Goal::Know {
            return if self.has_service && self.features.is_none() {
                Due::Do(Step::must(READING, Command::Read(CONTROL)))
            } else {
                Due::Nothing
            };
        }
        let stop = |s: &Stream| Due::Do(Step::must(s.words().stopping, write(Request::Stop(s.kind))));
        if goal == Goal::Rest {
            return match self.streams.iter().find(|s| s.is_running()) {
                Some(stream) => stop(stream),
                // It gives back what SDK mode takes: heart rate.
                None if self.sdk == Sdk::On => Due::Do(Step::may(SDK_OFF, write(Request::SdkOff))),
                None => Due::Nothing,
            };
        }
        if !self.has(Kind::Acc) {
            return Due::Never("this sensor sends no acceleration that lope could use");
        }
        if !self.control_subscribed {
            return Due::Do(Step::must(
                "listening to its control point",
                Command::Subscribe(CONTROL),
            ));
        }
        if !self.data_subscribed {
            return Due::Do(Step::must("listening to its data", Command::Subscribe(DATA)));
        }
        if self.wants_sdk() && self.sdk == Sdk::Unasked {
            return Due::Do(Step::may(SDK, write(Request::SdkOn)));
        }
        let mode = if self.sdk == Sdk::On { Mode::Sdk } else { Mode::Normal };
        for stream in self.streams.iter().filter(|s| self.has(s.kind)) {
            let words = stream.words();
            if stream.must_stop() {
                return stop(stream);
            }
            let Some(choice) = stream.choice else {
                let ask = Request::Settings(stream.kind, mode);
                return Due::Do(Step::must(words.asking, write(ask)));
            };
            if !stream.is_started() {
                return Due::Do(Step::must(words.starting, write(Request::Start(stream.kind, choice))));
            }
        }
        Due::Nothing
    }

    fn gave_up(&mut self, what: &'static str) {
        match what {
            SDK => self.sdk = Sdk::No,
            SDK_OFF => self.sdk = Sdk::Unasked,
            _ => {}
        }
    }

    fn restart(&mut self) {
        for stream in &mut self.streams {
            if stream.is_started() {
                stream.stop_first();
            }
        }
    }

    fn trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    fn flow(&self) -> Flow {
        let mut oldest = None;
        for stream in self.streams.iter().filter(|s| self.has(s.kind)) {
            let Some(last) = stream.last_data else {
                return Flow::Waited;
            };
            oldest = Some(oldest.map_or(last, |o: SessionTime| o.min(last)));
        }
        oldest.map_or(Flow::Waited, Flow::Since)
    }

    fn fills_s(&self) -> f64 {
        // Frames of small differences hold eighty samples and more.
        const MOST_SAMPLES: f64 = 100.0;
        let slowest = self.streams.iter().filter_map(|s| s.choice).map(|c| c.rate).min();
        slowest.map_or(0.0, |rate| (MOST_SAMPLES / f64::from(rate.max(1)) - 2.0).max(0.0))
    }

    fn silence(&self) -> Silence {
        Silence::Restart
    }

    fn limits(&self, info: &LinkInfo) -> &'static str {
        if !(info.has(CONTROL) && info.has(DATA)) {
            "this Polar sensor sends heart rate only"
        } else if info.name.contains("H10") {
            "a Polar H10 sends acceleration of the chest up to 8 g and heart rate, and no angular rate: no feet, no pelvis \
             angles. Take it off only when stopped"
        } else {
            "a Polar sensor sends acceleration and angular rate as two streams, without counting its samples: what is lost \
             shows as a step of its clock. Heart rate is off while it streams fast"
        }
    }

    fn identify(&self) -> Option<Step> {
        None
    }
}
