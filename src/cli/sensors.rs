//! `lope sensors`: the kits, and what was last known of each sensor.

use super::failure::{Exit, Failure};
use super::sensor_words::{clean, place, table};
use super::{Globals, config_file};
use crate::config::edit;
use crate::config::{Kit, Settings};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _};

/// Arguments of `lope sensors`.
#[derive(Args, Debug)]
pub struct SensorsArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    /// All kits
    List,
    /// One kit, everything known of its sensors
    Show {
        /// Its name; not needed when there is one kit, or a default one
        kit: Option<String>,
    },
    /// Give a kit another name
    Rename {
        /// Its name
        kit: String,
        /// Its new name
        to: String,
    },
    /// Take a kit out of the settings; sessions stay as they are
    Forget {
        /// Its name
        kit: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs `lope sensors`.
///
/// # Errors
/// The settings are wrong or cannot be written; there is no such kit; not confirmed.
pub fn run(globals: &Globals, args: &SensorsArgs) -> Result<Exit, Failure> {
    let settings = globals.settings()?;
    match args.what.as_ref().unwrap_or(&What::List) {
        What::List => {
            let kits: Vec<&Kit> = settings.kits.values().map(|k| &k.value).collect();
            let text = if globals.console.json {
                let kits: Vec<Value> = kits.iter().map(|k| kit_json(settings, k)).collect();
                format!("{:#}\n", json!({ "kits": kits }))
            } else {
                list(settings, &kits)
            };
            globals.console.result(&text)?;
        }
        What::Show { kit } => {
            let kit = named(settings, kit.as_deref())?;
            let text = if globals.console.json {
                format!("{:#}\n", kit_json(settings, kit))
            } else {
                show(settings, kit)
            };
            globals.console.result(&text)?;
        }
        What::Rename { kit, to } => {
            named(settings, Some(kit))?;
            config_file::change(&globals.config, |text| edit::rename_kit(text, kit, to))?;
            said(
                globals,
                json!({"renamed": kit, "to": to}),
                &format!("kit {kit} is now {to}"),
            )?;
        }
        What::Forget { kit, yes } => {
            named(settings, Some(kit))?;
            if !yes {
                confirm(kit)?;
            }
            config_file::change(&globals.config, |text| edit::forget_kit(text, kit))?;
            said(
                globals,
                json!({"forgotten": kit}),
                &format!("forgot kit {kit}; next: lope pair"),
            )?;
        }
    }
    Ok(Exit::Done)
}

fn said(globals: &Globals, json: Value, text: &str) -> Result<(), Failure> {
    globals.console.result(&if globals.console.json {
        format!("{json:#}\n")
    } else {
        format!("{text}\n")
    })
}

/// The kit of that name, or the one meant when none is named.
///
/// # Errors
/// There is no such kit, or it is not clear which is meant; the kits there are stand in the failure.
pub fn named<'a>(settings: &'a Settings, name: Option<&str>) -> Result<&'a Kit, Failure> {
    if let Some(kit) = settings.kit(name) {
        return Ok(kit);
    }
    let names: Vec<&str> = settings.kits.keys().map(String::as_str).collect();
    let failure = match (name, names.is_empty()) {
        (_, true) => Failure::new("lope::kit::none", Exit::Unknown, "There is no kit of sensors yet.")
            .why("no sensors were paired")
            .try_this("lope pair"),
        (Some(name), false) => {
            let failure = Failure::new("lope::kit::missing", Exit::Unknown, format!("There is no kit {name}."))
                .why(format!("there is {}", names.join(", ")));
            match crate::config::problem::nearest(name, names.iter().copied()) {
                Some(near) => failure.try_this(format!("did you mean {near}?")),
                None => failure.try_this("name one of these, or make a new one: lope pair --kit NAME"),
            }
        }
        (None, false) => Failure::new("lope::kit::which", Exit::Usage, "It is not clear which kit is meant.")
            .why(format!("there is {}", names.join(", ")))
            .try_this("name it, or put default_kit = \"NAME\" into the settings"),
    };
    Err(failure)
}

fn is_default(settings: &Settings, kit: &Kit) -> bool {
    settings.kit(None).is_some_and(|k| k.name == kit.name)
}

fn list(settings: &Settings, kits: &[&Kit]) -> String {
    let mut rows = vec![["KIT", "SENSORS", "WHERE", "LAST SEEN", ""].map(str::to_owned)];
    rows.extend(kits.iter().map(|kit| {
        let places: Vec<&str> = kit.sensors.keys().map(|p| place(*p)).collect();
        let seen = kit.sensors.values().filter_map(|s| s.last_seen.as_deref()).max();
        [
            kit.name.clone(),
            kit.sensors.len().to_string(),
            places.join(", "),
            seen.map_or_else(|| "-".to_owned(), day),
            if is_default(settings, kit) { "default" } else { "" }.to_owned(),
        ]
    }));
    let (shown, next) = if kits.is_empty() {
        (String::new(), "lope pair")
    } else {
        (table(&rows), "lope sensors show KIT")
    };
    format!("{shown}{} kits · next: {next}\n", kits.len())
}

/// The day and minute of a time, as written.
fn day(time: &str) -> String {
    clean(time).replace(['T', 't'], " ").chars().take(16).collect()
}

fn show(settings: &Settings, kit: &Kit) -> String {
    let or_none = |t: Option<&str>| t.map_or_else(|| "-".to_owned(), clean);
    let mut rows = vec![
        [
            "WHERE",
            "NAME",
            "KIND",
            "FIRMWARE",
            "BATTERY",
            "LAST SEEN",
            "CALIBRATED",
            "ID",
        ]
        .map(str::to_owned),
    ];
    rows.extend(kit.sensors.iter().map(|(placement, s)| {
        let calibrated = s.calibration.is_some();
        [
            place(*placement).to_owned(),
            or_none(s.name.as_deref()),
            s.kind.name().to_owned(),
            or_none(s.firmware.as_deref()),
            s.battery.map_or_else(|| "-".to_owned(), |b| format!("{b} %")),
            s.last_seen.as_deref().map_or_else(|| "-".to_owned(), day),
            if calibrated { "yes" } else { "no" }.to_owned(),
            or_none(s.id.as_deref().or(s.os_id.as_deref())),
        ]
    }));
    let mut text = format!("kit {}", kit.name);
    if is_default(settings, kit) {
        text.push_str(" (default)");
    }
    let all_calibrated = kit.sensors.values().all(|s| s.calibration.is_some());
    let next = if all_calibrated {
        "lope record"
    } else {
        "lope calibrate"
    };
    // Writing to a String cannot fail.
    let _ = write!(text, "\n{}next: {next} --kit {}\n", table(&rows), kit.name);
    text
}

fn kit_json(settings: &Settings, kit: &Kit) -> Value {
    let sensors: Vec<Value> = kit
        .sensors
        .iter()
        .map(|(placement, s)| {
            json!({
                "placement": placement.name(), "id": s.id, "os_id": s.os_id, "kind": s.kind.name(), "name": s.name,
                "firmware": s.firmware, "battery": s.battery, "last_seen": s.last_seen,
                "calibrated": s.calibration.is_some(),
            })
        })
        .collect();
    json!({"name": kit.name, "default": is_default(settings, kit), "sensors": sensors})
}

fn confirm(kit: &str) -> Result<(), Failure> {
    let declined = || {
        Failure::new("lope::kit::not_confirmed", Exit::Declined, "Nothing was forgotten.")
            .why("taking a kit out was not confirmed")
            .try_this("type its name when asked, or add --yes")
    };
    if !std::io::stdin().is_terminal() {
        return Err(declined());
    }
    let question = format!("This forgets kit {kit} and how its sensors sit. Type its name to go on: ");
    let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), question.as_bytes());
    let mut typed = String::new();
    let read = std::io::stdin().lock().read_line(&mut typed);
    if read.is_ok() && typed.trim() == kit {
        Ok(())
    } else {
        Err(declined())
    }
}
