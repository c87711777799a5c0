//! `lope pair`: which sensor is worn where, by tapping each of them twice; a kit is what comes of it.

use super::assign::{self, Assignment};
use super::config_file;
use super::failure::{Exit, Failure};
use super::listening::{Connected, Enter, Heard, Listening, briefly, interrupted};
use super::pairing::{Candidate, Pairing, Step};
use super::radio::{self, Tuned};
use super::redrawn::Redrawn;
use super::scan;
use super::sensor_words::{feels_taps, place, told_apart};
use super::sightings::{Shown, Sighting, Sightings};
use super::{Globals, console::Console};
use crate::config::edit;
use crate::config::{Kit, Settings, kit};
use crate::model::Placement;
use crate::runtime::collect::{Presence, SensorPlan};
use crate::runtime::stop::Stop;
use crate::sensors::driver::{Progress, Wish};
use crate::store::UtcMicros;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The name of a kit when nobody names one.
const FIRST_KIT: &str = "default";
/// Most sensors listened to at once; more than these make adapters fail, and nobody wears more.
const LISTENED_TO: usize = 8;
/// How often somebody may press Enter or Ctrl-C.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A sensor that was assigned says who it is within this, or is not there.
const INSPECTION: Duration = Duration::from_secs(30);
/// A sensor that was tapped says who it is within this, if it can.
const IDENTITY: Duration = Duration::from_secs(4);

/// Arguments of `lope pair`.
#[derive(Args, Debug)]
pub struct PairArgs {
    /// Name of the kit
    #[arg(long, value_name = "NAME")]
    kit: Option<String>,
    /// How long to look for sensors first, s
    #[arg(long, default_value_t = 8.0, value_parser = super::positive)]
    seconds: f64,
    /// How long to wait for each tap: 90s, 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = super::time_span)]
    wait: Duration,
    /// Also ask for sensors on the shins
    #[arg(long)]
    shanks: bool,
    /// Without tapping: PLACE=ID, several separated by commas. Places are left_foot, right_foot, left_shank, right_shank,
    /// sacrum; the ID is a name or address as lope scan shows it, or its end
    #[arg(long, value_name = "PLACE=ID", value_delimiter = ',', value_parser = assign::parse, conflicts_with = "shanks")]
    assign: Vec<Assignment>,
}

/// Runs `lope pair`.
///
/// # Errors
/// The radio cannot work, no sensor is near or was tapped, the settings cannot be written.
pub fn run(globals: &Globals, args: &PairArgs) -> Result<Exit, Failure> {
    let settings = globals.settings()?;
    let name = args
        .kit
        .clone()
        .or_else(|| settings.kit(None).map(|k| k.name.clone()))
        .unwrap_or_else(|| FIRST_KIT.to_owned());
    kit::check_name(&name).map_err(|what| {
        Failure::new("lope::kit::name", Exit::Usage, "A kit cannot be called so.")
            .why(what)
            .try_this("for example: --kit thursday")
    })?;
    let tuned = radio::tune(&settings.radio.value)?;
    let stop = Stop::on_ctrl_c();
    let heard = look(globals.console, &tuned, args, &stop)?;
    let placed = if args.assign.is_empty() {
        by_tapping(globals.console, &tuned, args, &heard, &stop)?
    } else {
        by_name(globals.console, &tuned, args, &heard, &stop)?
    };
    let kit = made(name, placed, settings, &now());
    let path = config_file::change(&globals.config, |text| edit::put_kit(text, &kit))?;
    let sensors: Vec<_> = kit
        .sensors
        .iter()
        .map(|(p, s)| json!({"placement": p.name(), "id": s.id, "os_id": s.os_id, "name": s.name, "kind": s.kind.name()}))
        .collect();
    globals.console.result(&if globals.console.json {
        let path = path.display().to_string();
        format!("{:#}\n", json!({"kit": kit.name, "sensors": sensors, "saved_in": path}))
    } else {
        format!("saved kit \"{}\" · next: lope calibrate --kit {}\n", kit.name, kit.name)
    })?;
    Ok(Exit::Done)
}

fn look(console: Console, tuned: &Tuned, args: &PairArgs, stop: &Stop) -> Result<Sightings, Failure> {
    console.advice(&format!("looking for sensors, {:.0} s", args.seconds));
    let mut drawn = Redrawn::new(console);
    let heard = scan::listen(tuned, args.seconds, stop, |heard| {
        drawn.draw(&format!("{} found\n", heard.list(Shown::Understood).len()));
    })?;
    if stop.asked() {
        return Err(interrupted());
    }
    Ok(heard)
}

fn candidates(seen: &[&Sighting]) -> Vec<Candidate> {
    let names: Vec<_> = seen
        .iter()
        .map(|s| (s.advert.os_id.as_str(), s.advert.name.as_deref()))
        .collect();
    let names = told_apart(&names);
    seen.iter()
        .filter_map(|s| {
            let plan = SensorPlan {
                placement: None,
                kind: s.kind()?,
                os_id: s.advert.os_id.clone(),
                name: s.advert.name.clone().unwrap_or_default(),
                id: None,
            };
            Some(Candidate::new(plan, names[s.advert.os_id.as_str()].clone()))
        })
        .collect()
}

type Placed = BTreeMap<Placement, Candidate>;

fn by_tapping(
    console: Console,
    tuned: &Tuned,
    args: &PairArgs,
    heard: &Sightings,
    stop: &Stop,
) -> Result<Placed, Failure> {
    let all = heard.list(Shown::Understood);
    let mut seen: Vec<&Sighting> = all
        .iter()
        .copied()
        .filter(|s| s.kind().is_some_and(feels_taps))
        .collect();
    if seen.is_empty() {
        return Err(nothing_to_tap(all.len()));
    }
    if seen.len() > LISTENED_TO {
        // The nearest are the runner's own.
        seen.sort_by(|a, b| {
            b.rssi_dbm
                .unwrap_or(f64::MIN)
                .total_cmp(&a.rssi_dbm.unwrap_or(f64::MIN))
        });
        console.advice(&format!(
            "{} sensors near; listening to the {LISTENED_TO} nearest",
            seen.len()
        ));
        seen.truncate(LISTENED_TO);
    }
    let candidates = candidates(&seen);
    let plans = candidates.iter().map(|c| c.plan.clone()).collect();
    let names: Vec<&str> = candidates.iter().map(|c| c.shown.as_str()).collect();
    console.advice(&format!("connecting to {}", names.join(", ")));
    let mut connected = Connected::start(tuned, plans, Wish::Stream(briefly()));
    let mut pairing = Pairing::new(candidates, places(args));
    let talk = Talk {
        console,
        wait: args.wait,
        stop,
        enter: &Enter::watch(),
    };
    let done = talk.pair(&mut pairing, &mut connected);
    connected.end();
    done?;
    if pairing.placed().is_empty() {
        return Err(nothing_tapped(&pairing));
    }
    Ok(pairing
        .placed()
        .iter()
        .map(|(place, k)| (*place, pairing.candidates[*k].clone()))
        .collect())
}

fn places(args: &PairArgs) -> Vec<Placement> {
    use Placement::{LeftFoot, LeftShank, RightFoot, RightShank, Sacrum};
    if args.shanks {
        vec![LeftFoot, RightFoot, LeftShank, RightShank, Sacrum]
    } else {
        vec![LeftFoot, RightFoot, Sacrum]
    }
}

fn nothing_to_tap(others: usize) -> Failure {
    let failure = Failure::new(
        "lope::pair::nothing_near",
        Exit::Outside,
        "No sensor was found that feels taps.",
    );
    if others == 0 {
        failure
            .why("nothing that lope understands was heard")
            .try_this("wake the sensors (press their button or move them), bring them near, and try again")
            .try_this("lope doctor looks at this computer")
    } else {
        failure
            .why(format!("{others} found that send speed or heart rate, but no motion"))
            .try_this("give them their place by name: lope pair --assign left_foot=ID")
    }
}

fn nothing_tapped(pairing: &Pairing) -> Failure {
    let mut failure = Failure::new(
        "lope::pair::nothing_tapped",
        Exit::Outside,
        "No place was given; nothing was saved.",
    );
    for c in &pairing.candidates {
        let how = match (&c.note, c.streams) {
            (Some(note), _) => note.clone(),
            (None, true) => "sent, but was not tapped twice".to_owned(),
            (None, false) => "could not be reached".to_owned(),
        };
        failure = failure.why(format!("{}: {how}", c.shown));
    }
    failure
        .try_this("tap firmly with a fingertip, twice within half a second, and stand still meanwhile")
        .try_this("or give places by name: lope pair --assign left_foot=ID,right_foot=ID")
}

/// The conversation at the terminal.
struct Talk<'a> {
    console: Console,
    wait: Duration,
    stop: &'a Stop,
    enter: &'a Enter,
}

impl Talk<'_> {
    fn pair(&self, pairing: &mut Pairing, listening: &mut dyn Listening) -> Result<(), Failure> {
        let mut drawn = Redrawn::new(self.console);
        let mut told: Vec<Option<String>> = vec![None; pairing.candidates.len()];
        while let Some(place) = pairing.place() {
            let words = called(place);
            if !drawn.draws() {
                self.console.advice(&format!("Tap the sensor {words} twice …"));
            }
            let end = Instant::now() + self.wait;
            let mut draw_at = Instant::now();
            while pairing.place() == Some(place) {
                if self.stop.asked() {
                    return Err(interrupted());
                }
                let now = Instant::now();
                if now >= draw_at {
                    draw_at = now + LOOK_EVERY;
                    drawn.draw(&self.asking(words, pairing, end.saturating_duration_since(now)));
                }
                let skipped = self.enter.pressed();
                if skipped || now >= end {
                    drawn.clear();
                    let why = if skipped { "left out" } else { "nobody tapped, left out" };
                    self.console
                        .advice(&format!("{}: {why}", super::sensor_words::place(place)));
                    pairing.skip();
                    break;
                }
                let heard = listening.next(LOOK_EVERY);
                if matches!(heard, Heard::Over) {
                    return Ok(());
                }
                let step = pairing.hear(&heard);
                for (candidate, told) in pairing.candidates.iter().zip(&mut told) {
                    if candidate.note != *told {
                        told.clone_from(&candidate.note);
                        drawn.clear();
                        self.console
                            .advice(&format!("{}: {}", candidate.shown, told.as_deref().unwrap_or("")));
                    }
                }
                if let Some(step) = step {
                    drawn.clear();
                    self.console.advice(&said(step, pairing));
                }
            }
        }
        drawn.clear();
        self.identify(pairing, listening);
        Ok(())
    }

    fn asking(&self, words: &str, pairing: &Pairing, left: Duration) -> String {
        let skip = if self.enter.is_there() {
            ", Enter leaves it out"
        } else {
            ""
        };
        format!(
            "Tap the sensor {words} twice …   {} of {} listening, {} s left{skip}\n",
            pairing.streaming(),
            pairing.candidates.len(),
            left.as_secs()
        )
    }

    /// Waits a little for placed sensors that have not said who they are.
    fn identify(&self, pairing: &mut Pairing, listening: &mut dyn Listening) {
        let end = Instant::now() + IDENTITY;
        let unknown = |p: &Pairing| p.placed().values().any(|k| p.candidates[*k].known.id.is_none());
        while unknown(pairing) && Instant::now() < end && !self.stop.asked() {
            match listening.next(LOOK_EVERY) {
                Heard::Over => return,
                heard => {
                    pairing.hear(&heard);
                }
            }
        }
    }
}

fn called(placement: Placement) -> &'static str {
    match placement {
        Placement::LeftFoot => "on your LEFT shoe",
        Placement::RightFoot => "on your RIGHT shoe",
        Placement::LeftShank => "on your LEFT shin",
        Placement::RightShank => "on your RIGHT shin",
        Placement::Sacrum => "at your WAISTBAND",
    }
}

fn said(step: Step, pairing: &Pairing) -> String {
    match step {
        Step::Placed(placement, k) => format!("{}: {}", place(placement), pairing.candidates[k].shown),
        Step::HasPlace(k, placement) => format!(
            "{} is at the {} already; tap another one",
            pairing.candidates[k].shown,
            place(placement)
        ),
        Step::Shared => "several sensors felt that; hold them apart, or tap more softly".to_owned(),
    }
}

fn by_name(
    console: Console,
    tuned: &Tuned,
    args: &PairArgs,
    heard: &Sightings,
    stop: &Stop,
) -> Result<Placed, Failure> {
    let seen = heard.list(Shown::Understood);
    let found = assign::find(&args.assign, &seen)?;
    let chosen: Vec<&Sighting> = found.iter().map(|k| seen[*k]).collect();
    let mut candidates = candidates(&chosen);
    let plans = candidates.iter().map(|c| c.plan.clone()).collect();
    console.advice("connecting to ask the sensors who they are");
    let mut connected = Connected::start(tuned, plans, Wish::Inspect);
    let done = inspect(&mut candidates, &mut connected, stop);
    connected.end();
    done?;
    Ok(args.assign.iter().map(|a| a.placement).zip(candidates).collect())
}

/// Waits until every sensor has said who it is.
fn inspect(candidates: &mut [Candidate], listening: &mut dyn Listening, stop: &Stop) -> Result<(), Failure> {
    let end = Instant::now() + INSPECTION;
    let mut open = vec![true; candidates.len()];
    while open.contains(&true) {
        if stop.asked() {
            return Err(interrupted());
        }
        let heard = listening.next(LOOK_EVERY);
        let over = matches!(heard, Heard::Over) || Instant::now() >= end;
        if let Heard::Said(k, _) | Heard::Presence(k, _) = &heard
            && let Some(candidate) = candidates.get_mut(*k)
        {
            candidate.hear(&heard);
            if let Heard::Presence(_, Presence::Connected(Progress::Inspected | Progress::Unable)) = heard {
                open[*k] = false;
            }
        }
        if over && open.contains(&true) {
            let mut failure = Failure::new(
                "lope::pair::unreachable",
                Exit::Outside,
                "Not every sensor said who it is; nothing was saved.",
            );
            for (c, _) in candidates.iter().zip(&open).filter(|(_, open)| **open) {
                let note = c.note.clone().unwrap_or_else(|| "could not be reached".to_owned());
                failure = failure.why(format!("{}: {note}", c.shown));
            }
            return Err(failure.try_this("bring it near, end other programs that may hold it, and try again"));
        }
    }
    Ok(())
}

/// The kit of what was placed. How a sensor sits and counts is kept where the same sensor has the same place as before.
fn made(name: String, placed: Placed, settings: &Settings, now: &str) -> Kit {
    let before = settings.kits.get(&name).map(|k| &k.value.sensors);
    let sensors = placed
        .into_iter()
        .map(|(placement, candidate)| {
            let mut sensor = candidate.known;
            sensor.last_seen = Some(now.to_owned());
            if let Some(old) = before.and_then(|b| b.get(&placement)).filter(|o| o.is_same(&sensor)) {
                sensor.calibration.clone_from(&old.calibration);
                sensor.cadence = old.cadence;
            }
            (placement, sensor)
        })
        .collect();
    Kit { name, sensors }
}

/// The wall clock as a file says it, to the second.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).unwrap_or(0);
    let text = UtcMicros::from_micros(micros).iso8601();
    format!("{}Z", &text[..19])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Inputs;
    use crate::config::place::System;
    use crate::config::settings::Flags;
    use crate::sensors::drivers::DriverKind;
    use crate::sensors::said::{Identity, Said};
    use std::collections::VecDeque;
    use std::path::Path;

    /// Sensors that say what is written down, then nothing for ever.
    struct Scripted(VecDeque<Heard>);

    impl Listening for Scripted {
        fn next(&mut self, _: Duration) -> Heard {
            self.0.pop_front().unwrap_or(Heard::Nothing)
        }

        fn now(&self) -> crate::model::SessionTime {
            crate::model::SessionTime::ZERO
        }
    }

    fn candidate(os_id: &str) -> Candidate {
        let plan = SensorPlan {
            placement: None,
            kind: DriverKind::Lope,
            os_id: os_id.to_owned(),
            name: "pod".to_owned(),
            id: None,
        };
        Candidate::new(plan, "pod".to_owned())
    }

    #[test]
    fn the_same_sensor_at_the_same_place_keeps_how_it_sits() {
        let text = "[kit.a]\nleft_foot = { id = \"1\", kind = \"lope\", cadence = \"steps\", calibration = { x = 1 } }\n\
                    sacrum = { id = \"2\", kind = \"lope\", calibration = { x = 2 } }\n";
        let settings = Settings::resolve(&Inputs {
            file: Some((Path::new("c"), text)),
            variables: &|_| None,
            flags: Flags::default(),
            system: System::Xdg,
        })
        .expect("good");
        let with_id = |id: &str| {
            let mut c = candidate("C0");
            c.known.id = Some(id.to_owned());
            c
        };
        let placed: Placed = [(Placement::LeftFoot, with_id("1")), (Placement::Sacrum, with_id("3"))].into();
        let kit = made("a".to_owned(), placed, &settings, "2026-11-25T17:30:00Z");
        assert!(kit.sensors[&Placement::LeftFoot].calibration.is_some());
        assert!(kit.sensors[&Placement::LeftFoot].cadence.is_some());
        assert!(
            kit.sensors[&Placement::Sacrum].calibration.is_none(),
            "another sensor sits otherwise"
        );
    }

    #[test]
    fn assigned_sensors_are_asked_until_all_have_said_who_they_are() {
        let identity = |k, id: &str| {
            Heard::Said(
                k,
                Said::Identity(Identity {
                    id: Some(id.to_owned()),
                    ..Identity::default()
                }),
            )
        };
        let inspected = |k| Heard::Presence(k, Presence::Connected(Progress::Inspected));
        let mut both = [candidate("C0:1"), candidate("C0:2")];
        let mut script = Scripted(VecDeque::from([
            identity(1, "b"),
            inspected(1),
            identity(0, "a"),
            inspected(0),
        ]));
        inspect(&mut both, &mut script, &Stop::default()).expect("both said it");
        assert_eq!(both.map(|c| c.known.id), [Some("a".to_owned()), Some("b".to_owned())]);
        let mut script = Scripted(VecDeque::from([identity(0, "a"), inspected(0), Heard::Over]));
        let failure = inspect(
            &mut [candidate("C0:1"), candidate("C0:2")],
            &mut script,
            &Stop::default(),
        );
        assert_eq!(failure.expect_err("one is away").exit, Exit::Outside);
        let stop = Stop::default();
        stop.ask();
        let failure = inspect(&mut [candidate("C0:1")], &mut Scripted(VecDeque::new()), &stop);
        assert_eq!(failure.expect_err("stopped").exit, Exit::Interrupted);
    }

    #[test]
    fn a_place_nobody_taps_is_left_out() {
        let talk = Talk {
            console: Console {
                json: false,
                quiet: true,
                no_color: true,
            },
            wait: Duration::ZERO,
            stop: &Stop::default(),
            enter: &Enter::watch(),
        };
        let mut pairing = Pairing::new(vec![candidate("C0:1")], vec![Placement::LeftFoot, Placement::Sacrum]);
        talk.pair(&mut pairing, &mut Scripted(VecDeque::new()))
            .expect("to its end");
        assert_eq!(pairing.place(), None);
        let failure = nothing_tapped(&pairing);
        assert!(failure.why[0].contains("could not be reached"), "{failure:?}");
    }
}
