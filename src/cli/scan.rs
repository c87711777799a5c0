//! `lope scan`: which sensors are near.

use super::Globals;
use super::failure::{Exit, Failure};
use super::radio::{self, Tuned};
use super::redrawn::Redrawn;
use super::sightings::{self, Shown, Sightings};
use crate::config::Settings;
use crate::runtime::stop::Stop;
use clap::Args;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Time between two drawings of the table.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// Arguments of `lope scan`.
#[derive(Args, Debug)]
pub struct ScanArgs {
    /// How long to listen, s
    #[arg(long, default_value_t = 10.0, value_parser = super::positive)]
    seconds: f64,
    /// Also what lope does not understand
    #[arg(long)]
    all: bool,
}

/// Runs `lope scan`.
///
/// # Errors
/// The radio cannot scan; the settings are wrong.
pub fn run(globals: &Globals, args: &ScanArgs) -> Result<Exit, Failure> {
    let settings = globals.settings()?;
    let tuned = radio::tune(&settings.radio.value)?;
    let shown = if args.all { Shown::Everything } else { Shown::Understood };
    let stop = Stop::on_ctrl_c();
    globals.console.advice(&format!(
        "listening for {:.0} s with {}; Ctrl-C ends sooner",
        args.seconds, tuned.name
    ));
    let mut drawn = Redrawn::new(globals.console);
    let began = Instant::now();
    let heard = listen(&tuned, args.seconds, &stop, |heard| {
        let left = (args.seconds - began.elapsed().as_secs_f64()).max(0.0);
        drawn.draw(&format!(
            "{}  listening, {left:.0} s left\n",
            sightings::table(&heard.list(shown), settings)
        ));
    })?;
    drawn.clear();
    globals.console.result(&report(
        globals.console.json,
        &heard,
        shown,
        settings,
        began.elapsed().as_secs_f64().min(args.seconds),
        &tuned.name,
    ))?;
    Ok(Exit::Done)
}

/// Listens for `seconds`, or until asked to stop; shows what was heard now and then.
///
/// # Errors
/// The radio cannot scan.
pub fn listen(
    tuned: &Tuned,
    seconds: f64,
    stop: &Stop,
    mut show: impl FnMut(&Sightings),
) -> Result<Sightings, Failure> {
    tuned.runtime.block_on(async {
        let begun = tuned.radio.scan().await;
        let mut adverts = begun.map_err(|state| radio::state_failure(&tuned.choice, &state))?;
        let end = Instant::now() + Duration::from_secs_f64(seconds.min(86_400.0));
        let mut heard = Sightings::default();
        let mut due = Instant::now();
        while !stop.asked() {
            let now = Instant::now();
            if now >= end {
                break;
            }
            if now >= due {
                due = now + DRAW_EVERY;
                show(&heard);
            }
            let wait = (end - now).min(due.saturating_duration_since(now));
            match timeout(wait, adverts.recv()).await {
                Ok(Some(advert)) => heard.hear(advert, (tuned.stamp)()),
                // The radio ended the scan: it went away, and says so when it is next asked.
                Ok(None) => match tuned.radio.state().await {
                    crate::sensors::radio::RadioState::Ready(_) => break,
                    state => return Err(radio::state_failure(&tuned.choice, &state)),
                },
                Err(_) => {}
            }
        }
        Ok(heard)
    })
}

fn report(json: bool, heard: &Sightings, shown: Shown, settings: &Settings, seconds: f64, radio: &str) -> String {
    let list = heard.list(shown);
    if json {
        return format!(
            "{:#}\n",
            json!({"seconds": (seconds * 10.0).round() / 10.0, "radio": radio, "sensors": sightings::as_json(&list, settings)})
        );
    }
    let others = heard.list(Shown::Everything).len() - list.len();
    let more = match others {
        0 => String::new(),
        n => format!(" · {n} others nearby, shown by --all"),
    };
    let next = if heard.list(Shown::Understood).is_empty() {
        "wake the sensors (press their button or move them) and scan again; lope doctor looks at this computer"
    } else {
        "lope pair"
    };
    format!(
        "{}{} found in {seconds:.0} s{more} · next: {next}\n",
        sightings::table(&list, settings),
        list.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::test_radio::{TestRadio, tuned};
    use crate::config::place::System;
    use crate::config::{Inputs, settings::Flags};
    use crate::sensors::link::Advert;
    use crate::sensors::radio::RadioState;

    fn advert(os_id: &str, name: &str) -> Advert {
        Advert {
            os_id: os_id.to_owned(),
            name: Some(name.to_owned()),
            rssi_dbm: Some(-52),
            ..Advert::default()
        }
    }

    fn settings() -> Settings {
        Settings::resolve(&Inputs {
            file: None,
            variables: &|_| None,
            flags: Flags::default(),
            system: System::Xdg,
        })
        .expect("defaults")
    }

    #[test]
    fn a_scan_ends_with_what_was_heard_and_the_next_command() {
        let adverts = vec![
            advert("C0:00:00:00:00:01", "Polar H10 9A3"),
            advert("C0:00:00:00:00:02", "Polar H10 9A3"),
            advert("C0:00:00:00:00:03", "TV"),
        ];
        let tuned = tuned(TestRadio::ready(adverts));
        let heard = listen(&tuned, 60.0, &Stop::default(), |_| {}).expect("heard");
        let text = report(false, &heard, Shown::Understood, &settings(), 10.0, "test");
        assert!(
            text.contains("Polar H10 9A3 0001") && text.contains("Polar H10 9A3 0002"),
            "{text}"
        );
        assert!(
            text.ends_with("2 found in 10 s · 1 others nearby, shown by --all · next: lope pair\n"),
            "{text}"
        );
        let json: serde_json::Value =
            serde_json::from_str(&report(true, &heard, Shown::Everything, &settings(), 10.0, "test")).expect("json");
        assert_eq!(json["sensors"].as_array().map(Vec::len), Some(3));
        assert_eq!(json["radio"], "test");
    }

    #[test]
    fn nothing_near_says_what_to_do() {
        let tuned = tuned(TestRadio::ready(Vec::new()));
        let heard = listen(&tuned, 60.0, &Stop::default(), |_| {}).expect("heard");
        let text = report(false, &heard, Shown::Understood, &settings(), 3.0, "test");
        assert!(text.starts_with("0 found in 3 s · next: wake the sensors"), "{text}");
    }

    #[test]
    fn a_radio_that_goes_away_is_told() {
        let tuned = tuned(TestRadio::in_state(RadioState::Off));
        let failure = listen(&tuned, 60.0, &Stop::default(), |_| {}).expect_err("off");
        assert_eq!((failure.code, failure.exit), ("lope::radio::off", Exit::Outside));
    }
}
