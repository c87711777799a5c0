//! Sensors that speak nothing but the standard services: foot pods (running speed and cadence) and heart rate straps.
//!
//! They give no samples, so nothing here has streams; what they cannot give is said in words. Their cadence is kept as
//! sent, beside what it seems to count ([`super::sig::cadence`]).

use super::life::{Due, Flow, Goal, Life, Protocol, Silence, Step, Trouble};
use super::sig::cadence::CadenceRule;
use super::sig::companion::Companion;
use super::sig::{heart_rate, rsc};
use crate::model::SessionTime;
use crate::sensors::driver::{Driver, Wanted};
use crate::sensors::link::{Asked, Chan, Command, LinkFailure, LinkInfo};
use crate::sensors::said::{RunningSpeed, Said};

const FEATURE: &str = "reading what the pod can";

/// A driver for a standard sensor, with what is known of its cadence (kept with the device by the caller; the latest
/// is in every [`RunningSpeed`]).
#[must_use]
pub fn driver(cadence: CadenceRule) -> Box<dyn Driver> {
    Box::new(Life::new(Standard {
        cadence,
        ..Standard::default()
    }))
}

/// The protocol of one sensor.
#[derive(Debug, Default)]
pub(crate) struct Standard {
    has_pod: bool,
    has_feature: bool,
    has_heart: bool,
    feature_read: bool,
    listening: bool,
    cadence: CadenceRule,
    last_data: Option<SessionTime>,
}

impl Protocol for Standard {
    fn up(&mut self, info: &LinkInfo) {
        self.has_pod = info.has(rsc::MEASUREMENT);
        self.has_feature = info.has(rsc::FEATURE);
        self.has_heart = info.has(heart_rate::MEASUREMENT);
    }

    fn down(&mut self, _: &mut Vec<Said>) {
        self.feature_read = false;
        self.listening = false;
        self.last_data = None;
    }

    fn want(&mut self, _: Option<Wanted>) {}

    fn frame(&mut self, at: SessionTime, chan: Chan, bytes: &[u8], _: &mut Companion, said: &mut Vec<Said>) {
        if chan != rsc::MEASUREMENT {
            return said.push(Said::Refused {
                rule: "unknown characteristic",
            });
        }
        match rsc::measurement(bytes) {
            Ok(m) => {
                self.last_data = Some(at);
                let convention = self.cadence.observe(at, &m);
                said.push(Said::RunningSpeed(RunningSpeed {
                    at,
                    speed: m.speed,
                    cadence_raw: m.cadence_raw,
                    convention,
                    running: m.running,
                    stride_length_raw: m.stride_length_raw,
                    distance: m.distance,
                }));
            }
            Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
        }
    }

    fn companion_heard(&mut self, at: SessionTime, chan: Chan) {
        if chan == heart_rate::MEASUREMENT {
            self.last_data = Some(at);
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
            (Asked::Read(rsc::FEATURE), Ok(bytes)) => {
                self.feature_read = true;
                if let Err(refusal) = rsc::Feature::decode(bytes) {
                    said.push(Said::Refused { rule: refusal.0 });
                }
            }
            (Asked::Subscribe(rsc::MEASUREMENT), Ok(_)) => self.listening = true,
            _ => {}
        }
    }

    fn next(&self, goal: Goal) -> Due {
        match goal {
            Goal::Know if self.has_feature && !self.feature_read => {
                Due::Do(Step::may(FEATURE, Command::Read(rsc::FEATURE)))
            }
            Goal::Know | Goal::Rest => Due::Nothing,
            Goal::Stream if self.has_pod && !self.listening => Due::Do(Step::must(
                "listening to speed and cadence",
                Command::Subscribe(rsc::MEASUREMENT),
            )),
            Goal::Stream if self.has_pod || self.has_heart => Due::Nothing,
            Goal::Stream => Due::Never("this sensor has no service that lope knows"),
        }
    }

    fn gave_up(&mut self, what: &'static str) {
        self.feature_read |= what == FEATURE;
    }

    fn restart(&mut self) {}

    fn trouble(&mut self) -> Option<Trouble> {
        None
    }

    fn flow(&self) -> Flow {
        self.last_data.map_or(Flow::Waited, Flow::Since)
    }

    fn silence(&self) -> Silence {
        // A pod on a foot that stands, a strap on nobody.
        Silence::Tell
    }

    fn limits(&self, info: &LinkInfo) -> &'static str {
        match (info.has(rsc::MEASUREMENT), info.has(heart_rate::MEASUREMENT)) {
            (true, _) => {
                "a foot pod with the standard service gives speed and cadence about once a second, and says itself whether it \
                 counts steps or strides in no way: contact times, asymmetry and pelvis angles need raw data"
            }
            (false, true) => {
                "a heart rate strap gives beats and the intervals between them; vertical oscillation and contact times, where \
                 it has them, are sent by another radio only"
            }
            (false, false) => "this sensor has no service that lope knows",
        }
    }

    fn identify(&self) -> Option<Step> {
        None
    }
}
