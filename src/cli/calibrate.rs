//! `lope calibrate`: five seconds of standing still, so that it is known how each sensor sits and what its gyroscope says at
//! rest.
//!
//! What standing still means is decided in [`crate::orientation::calibration`]; here is the conversation about it.

use super::config_file;
use super::console::{Console, speaks_unicode};
use super::failure::{Exit, Failure};
use super::listening::{Connected, Enter, Heard, Listening, briefly, interrupted};
use super::redrawn::Redrawn;
use super::sensor_words::{clean, feels_taps, place};
use super::{Globals, pair, radio, sensors};
use crate::config::{Kit, edit};
use crate::model::units::deg;
use crate::model::{Placement, SensorEvent, SessionTime};
use crate::orientation::calibration::{
    Calibration, CalibrationCheck, CalibrationLimits, CalibrationState, Refusal, SensorStanding,
};
use crate::runtime::collect::Presence;
use crate::runtime::stop::Stop;
use crate::sensors::driver::{Progress, Wish};
use crate::sensors::timeline::Timeline;
use clap::Args;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How often the terminal is looked at and drawn.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A sensor that turned by more than this sits otherwise than before, °: what putting the same belt on again comes to is a
/// few degrees, and tilt is told to the degree.
const SITS_OTHERWISE_DEG: f64 = 3.0;
/// Key under which the day of a calibration stands in the settings.
const AT: &str = "at";

/// Arguments of `lope calibrate`.
#[derive(Args, Debug)]
pub struct CalibrateArgs {
    /// The kit; not needed when there is one, or a default one
    #[arg(long, value_name = "NAME")]
    kit: Option<String>,
    /// How long to stand still, s
    #[arg(long, value_name = "S", default_value_t = 5.0, value_parser = super::positive)]
    hold: f64,
    /// How long to wait for all sensors: 90s, 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = super::time_span)]
    wait: Duration,
    /// Give up after so many refusals; at a terminal there is no limit without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    tries: Option<u32>,
}

/// Tries when nobody sits at a terminal to press Ctrl-C.
const TRIES_ALONE: u32 = 3;

/// Runs `lope calibrate`.
///
/// # Errors
/// No such kit, no radio, a sensor that does not come, no stillness, settings that cannot be written.
pub fn run(globals: &Globals, args: &CalibrateArgs) -> Result<Exit, Failure> {
    let settings = globals.settings()?;
    let kit = sensors::named(settings, args.kit.as_deref())?.clone();
    let plans: Vec<_> = radio::plans(&kit).into_iter().filter(|p| feels_taps(p.kind)).collect();
    let places: Vec<Placement> = plans.iter().filter_map(|p| p.placement).collect();
    if places.is_empty() {
        return Err(Failure::new(
            "lope::calibrate::no_motion",
            Exit::Refused,
            format!("Kit {} has no sensor that can be calibrated.", kit.name),
        )
        .why("none of its sensors sends acceleration and angular rate")
        .try_this("pair motion sensors: lope pair"));
    }
    let tuned = radio::tune(&settings.radio.value)?;
    let enter = Enter::watch();
    let talk = Talk {
        console: globals.console,
        stop: Stop::on_ctrl_c(),
        wait: args.wait,
        tries: args
            .tries
            .unwrap_or(if enter.is_there() { u32::MAX } else { TRIES_ALONE }),
        limits: CalibrationLimits {
            still_s: args.hold,
            ..CalibrationLimits::default()
        },
    };
    let mut connected = Connected::start(&tuned, plans, Wish::Stream(briefly()));
    let done = talk.calibrate(&places, &mut connected);
    connected.end();
    let calibration = done?;
    let turned = turned(&kit, &calibration);
    let calibrated = with(kit, &calibration, &pair::now());
    let path = config_file::change(&globals.config, |text| edit::put_kit(text, &calibrated))?;
    globals.console.result(&if globals.console.json {
        let value = as_json(&calibrated, &calibration, &turned, &path.display().to_string());
        format!("{value:#}\n")
    } else {
        as_text(&calibrated, &turned)
    })?;
    Ok(Exit::Done)
}

/// The conversation at the terminal.
struct Talk {
    console: Console,
    stop: Stop,
    wait: Duration,
    tries: u32,
    limits: CalibrationLimits,
}

/// Samples of all sensors on one clock.
struct Sensors {
    timelines: Vec<Timeline>,
    streaming: Vec<bool>,
    events: Vec<SensorEvent>,
    note: Option<String>,
}

impl Sensors {
    fn new(places: &[Placement]) -> Self {
        Self {
            timelines: places.iter().map(|p| Timeline::live(*p)).collect(),
            streaming: vec![false; places.len()],
            events: Vec::new(),
            note: None,
        }
    }

    fn hear(&mut self, heard: &Heard, now: SessionTime) {
        match heard {
            Heard::Said(k, said) => {
                if let crate::sensors::said::Said::Note(note) = said {
                    self.note = Some(note.sentence());
                }
                if let Some(timeline) = self.timelines.get_mut(*k) {
                    timeline.take(said, now, &mut self.events);
                }
            }
            Heard::Presence(k, presence) => {
                if let Some(streaming) = self.streaming.get_mut(*k) {
                    *streaming = matches!(presence, Presence::Connected(Progress::Streaming));
                }
            }
            Heard::Nothing | Heard::Over => {}
        }
        for timeline in &mut self.timelines {
            timeline.tick(now, &mut self.events);
        }
    }
}

impl Talk {
    fn calibrate(&self, places: &[Placement], listening: &mut dyn Listening) -> Result<Calibration, Failure> {
        let mut sensors = Sensors::new(places);
        self.gather(places, &mut sensors, listening)?;
        let mut refusals = 0;
        loop {
            match self.stand(places, &mut sensors, listening)? {
                Ok(calibration) => return Ok(calibration),
                Err(refusal) => {
                    refusals += 1;
                    if refusals >= self.tries {
                        return Err(Failure::new(
                            "lope::calibrate::refused",
                            Exit::Refused,
                            "There was no stillness; nothing was saved.",
                        )
                        .why(reason(&refusal))
                        .try_this("stand with feet hip-wide, look ahead, breathe out, and try again"));
                    }
                    self.console
                        .advice(&format!("refused: {}. Breathe out and try again.", reason(&refusal)));
                }
            }
        }
    }

    /// Waits until every sensor sends.
    fn gather(
        &self,
        places: &[Placement],
        sensors: &mut Sensors,
        listening: &mut dyn Listening,
    ) -> Result<(), Failure> {
        let mut drawn = Redrawn::new(self.console);
        self.console.advice("connecting");
        let end = Instant::now() + self.wait;
        while sensors.streaming.contains(&false) {
            if self.stop.asked() {
                return Err(interrupted());
            }
            let heard = listening.next(LOOK_EVERY);
            sensors.hear(&heard, listening.now());
            sensors.events.clear();
            let here = sensors.streaming.iter().filter(|s| **s).count();
            drawn.draw(&format!("{here} of {} sensors send\n", places.len()));
            if Instant::now() >= end || matches!(heard, Heard::Over) {
                drawn.clear();
                let absent: Vec<&str> = places
                    .iter()
                    .zip(&sensors.streaming)
                    .filter(|(_, here)| !**here)
                    .map(|(p, _)| place(*p))
                    .collect();
                let failure = Failure::new(
                    "lope::calibrate::absent",
                    Exit::Outside,
                    format!("No samples come from: {}.", absent.join(", ")),
                );
                let note = sensors.note.clone();
                return Err(failure
                    .why(note.unwrap_or_else(|| "all of them have to stand still at once".to_owned()))
                    .try_this("wake the sensors, bring them near, look with lope scan, and try again"));
            }
        }
        Ok(())
    }

    /// One try.
    fn stand(
        &self,
        places: &[Placement],
        sensors: &mut Sensors,
        listening: &mut dyn Listening,
    ) -> Result<Result<Calibration, Refusal>, Failure> {
        let mut check = CalibrationCheck::new(places, self.limits);
        let mut drawn = Redrawn::new(self.console);
        if !drawn.draws() {
            self.console.advice(&format!(
                "Stand still for {:.0} s, feet hip-wide, look ahead.",
                self.limits.still_s
            ));
        }
        // The check gives up by the time of samples; when none come any more, by ours.
        let end = Instant::now() + Duration::from_secs_f64(self.limits.patience_s + self.limits.still_s);
        loop {
            match check.state() {
                CalibrationState::Done(calibration) => return Ok(Ok(calibration)),
                CalibrationState::Refused(refusal) => return Ok(Err(refusal)),
                CalibrationState::Progress { share, disturbed } => {
                    drawn.draw(&asking(share, self.limits.still_s, disturbed.as_ref()));
                }
            }
            if self.stop.asked() {
                return Err(interrupted());
            }
            let heard = listening.next(LOOK_EVERY);
            sensors.hear(&heard, listening.now());
            for event in sensors.events.drain(..) {
                check.push(&event);
            }
            if matches!(heard, Heard::Over) || Instant::now() >= end {
                check.finish();
            }
        }
    }
}

fn asking(share: f64, still_s: f64, disturbed: Option<&Refusal>) -> String {
    const CELLS: usize = 10;
    let (full, empty) = if speaks_unicode() { ("█", "░") } else { ("#", ".") };
    let cells = ((share * CELLS as f64).round() as usize).min(CELLS);
    let why = disturbed.map_or_else(String::new, |r| format!("   {}", reason(r)));
    format!(
        "Stand still, feet hip-wide, look ahead.   {}{} {:.1} s{why}\n",
        full.repeat(cells),
        empty.repeat(CELLS - cells),
        share * still_s
    )
}

/// A refusal with the places as runners call them.
fn reason(refusal: &Refusal) -> String {
    let mut text = refusal.reason();
    for placement in Placement::ALL {
        text = text.replace(&placement.name().replace('_', " "), place(placement));
    }
    text
}

/// How far each sensor turned since it was calibrated last, °, and when that was.
fn turned(kit: &Kit, now: &Calibration) -> Vec<(Placement, f64, String)> {
    let of_kit = |(placement, sensor): (&Placement, &crate::config::KitSensor)| {
        let table = sensor.calibration.as_ref()?;
        let standing: SensorStanding = table.clone().try_into().ok()?;
        let when = table.get(AT)?.as_str()?.to_owned();
        let earlier = Calibration {
            from: now.from,
            to: now.to,
            sensors: vec![standing],
        };
        let turned = now.turned_since(&earlier);
        let (_, angle) = turned.into_iter().find(|(p, _)| p == placement)?;
        Some((*placement, deg(angle), when))
    };
    kit.sensors.iter().filter_map(of_kit).collect()
}

/// The kit with how its sensors now sit.
fn with(mut kit: Kit, calibration: &Calibration, now: &str) -> Kit {
    for standing in &calibration.sensors {
        if let Some(sensor) = kit.sensors.get_mut(&standing.placement) {
            // Plain numbers and a name: a table can always be made of them.
            if let Ok(mut table) = toml::Table::try_from(standing) {
                table.insert(AT.to_owned(), toml::Value::String(now.to_owned()));
                sensor.calibration = Some(table);
            }
            sensor.last_seen = Some(now.to_owned());
        }
    }
    kit
}

fn as_text(kit: &Kit, turned: &[(Placement, f64, String)]) -> String {
    let mut text = String::from("ok\n");
    for (placement, angle, when) in turned {
        if *angle >= SITS_OTHERWISE_DEG {
            let day: String = clean(when).chars().take(10).collect();
            text.push_str(&format!(
                "{} sensor sits {angle:.0}° otherwise than on {day}: angles are compared only within the same mounting\n",
                place(*placement)
            ));
        }
    }
    text.push_str(&format!(
        "saved in kit \"{}\" · next: lope record --kit {}\n",
        kit.name, kit.name
    ));
    text
}

fn as_json(kit: &Kit, calibration: &Calibration, turned: &[(Placement, f64, String)], path: &str) -> Value {
    let sensors: Vec<Value> = calibration
        .sensors
        .iter()
        .map(|s| {
            let before = turned.iter().find(|(p, _, _)| *p == s.placement);
            json!({
                "placement": s.placement.name(), "gyro_bias_rad_s": s.gyro_bias, "up": s.up,
                "turned_deg": before.map(|(_, angle, _)| angle), "turned_since": before.map(|(_, _, when)| when),
            })
        })
        .collect();
    json!({"kit": kit.name, "sensors": sensors, "saved_in": path})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KitSensor;
    use crate::sensors::drivers::DriverKind;
    use crate::sensors::said::{Block, Late, Quantity, Said, Streaming, Timing};
    use std::collections::VecDeque;

    const RATE: f64 = 104.0;

    /// One sensor that stands, turning at `rate(t)` rad/s about x on top of its bias, `lean` rad from upright.
    struct Standing {
        waiting: VecDeque<Heard>,
        k: u64,
        lean: f64,
        rate: fn(f64) -> f64,
    }

    impl Standing {
        fn new(lean: f64, rate: fn(f64) -> f64) -> Self {
            let streaming = Streaming {
                stream: 0,
                seam: 0,
                quantity: Quantity::AccGyro,
                rate_hz: RATE,
                acc_scale: 1.0,
                gyro_scale: 1.0,
                acc_range: Some(160.0),
                gyro_range: Some(35.0),
                acc_clip: f32::INFINITY,
                gyro_clip: f32::INFINITY,
                acc_delay_s: 0.0,
                gyro_delay_s: 0.0,
                timing: Timing::Stamped,
            };
            let waiting = [
                Heard::Presence(0, Presence::Connected(Progress::Streaming)),
                Heard::Said(0, Said::Streaming(streaming)),
            ];
            Self {
                waiting: waiting.into(),
                k: 0,
                lean,
                rate,
            }
        }
    }

    impl Listening for Standing {
        fn next(&mut self, _: Duration) -> Heard {
            if let Some(heard) = self.waiting.pop_front() {
                return heard;
            }
            let n = 10;
            let t = |k: u64| k as f64 / RATE;
            let ns = |k: u64| (t(k) * 1e9) as u64;
            let (first, last) = (self.k, self.k + n - 1);
            let values = (first..=last).flat_map(|k| {
                let wobble = 0.002 * (t(k) * 9.0).sin();
                [
                    0.0,
                    9.81 * self.lean.sin(),
                    9.81 * self.lean.cos() + wobble,
                    0.01 + (self.rate)(t(k)) + wobble,
                    0.0,
                    0.0,
                ]
                .map(|v| v as f32)
            });
            let block = Block {
                stream: 0,
                seam: 0,
                epoch: 0,
                index: first,
                first_ns: ns(first),
                last_ns: ns(last),
                last_exact: true,
                arrived: SessionTime::from_secs(t(last) + 0.01),
                late: Late::Live,
                after_gap: false,
                suspect: false,
                values: values.collect(),
            };
            self.k += n;
            Heard::Said(0, Said::Block(block))
        }

        fn now(&self) -> SessionTime {
            SessionTime::from_secs(self.k as f64 / RATE + 0.01)
        }
    }

    fn talk(tries: u32) -> Talk {
        Talk {
            console: Console {
                json: false,
                quiet: true,
                no_color: true,
            },
            stop: Stop::default(),
            wait: Duration::from_secs(5),
            tries,
            limits: CalibrationLimits::default(),
        }
    }

    fn kit() -> Kit {
        let sensor = KitSensor {
            id: Some("1".to_owned()),
            ..KitSensor::new(DriverKind::Lope)
        };
        Kit {
            name: "a".to_owned(),
            sensors: [(Placement::Sacrum, sensor)].into(),
        }
    }

    #[test]
    fn who_stands_still_is_calibrated_and_a_later_turn_is_told() {
        let places = [Placement::Sacrum];
        let first = talk(1)
            .calibrate(&places, &mut Standing::new(0.0, |_| 0.0))
            .expect("still");
        let kit = with(kit(), &first, "2026-11-02T10:00:00Z");
        let written = edit::put_kit("", &kit).expect("written");
        assert!(
            written.contains("calibration = {") && written.contains("2026-11-02"),
            "{written}"
        );
        assert!(turned(&kit, &first).iter().all(|(_, angle, _)| *angle < 0.1));
        let second = talk(1)
            .calibrate(&places, &mut Standing::new(0.105, |_| 0.0))
            .expect("still");
        let text = as_text(&kit, &turned(&kit, &second));
        assert!(
            text.contains("waistband sensor sits 6° otherwise than on 2026-11-02"),
            "{text}"
        );
    }

    #[test]
    fn who_moves_is_refused_with_sensor_number_and_limit_and_may_try_again() {
        let sway = |t: f64| if t < 25.0 { 0.2 * (3.0 * t).sin() } else { 0.0 };
        let failure = talk(1)
            .calibrate(&[Placement::Sacrum], &mut Standing::new(0.0, sway))
            .expect_err("moved");
        assert_eq!(
            (failure.code, failure.exit),
            ("lope::calibrate::refused", Exit::Refused)
        );
        assert!(
            failure.why[0].starts_with("waistband sensor moved") && failure.why[0].contains("limit 3.0"),
            "{failure:?}"
        );
        talk(5)
            .calibrate(&[Placement::Sacrum], &mut Standing::new(0.0, sway))
            .expect("still in the end");
    }

    #[test]
    fn a_sensor_that_does_not_come_is_named() {
        struct Nobody;
        impl Listening for Nobody {
            fn next(&mut self, _: Duration) -> Heard {
                Heard::Over
            }
            fn now(&self) -> SessionTime {
                SessionTime::ZERO
            }
        }
        let failure = talk(1)
            .calibrate(&[Placement::LeftFoot], &mut Nobody)
            .expect_err("nobody");
        assert_eq!(failure.exit, Exit::Outside);
        assert!(failure.what.contains("left shoe"), "{failure:?}");
    }
}
