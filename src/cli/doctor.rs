//! `lope doctor`: what works on this machine, what does not, and how to mend it.

use super::config_file::{Loaded, Unsettled};
use super::failure::{Exit, Failure};
use super::sensor_words::table;
use super::{Globals, radio};
use crate::config::RadioChoice;
use crate::runtime::doctor::{self, Check, RadioSeen, Verdict};
use crate::runtime::machine::ThisMachine;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// A radio that does not say how it is within this does not answer.
const RADIO_PATIENCE: Duration = Duration::from_secs(10);

/// Whether the settings are listed too: `lope doctor --config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The checks alone.
    Checks,
    /// Every setting, and where it came from.
    Settings,
}

/// Runs `lope doctor`.
///
/// # Errors
/// Standard output cannot be written. What is wrong with the machine is its answer, not an error; a check that fails gives
/// exit code 3.
pub fn run(globals: &Globals, listing: Listing) -> Result<Exit, Failure> {
    let checks = checks(&globals.config);
    let worst = checks.iter().map(|c| c.verdict).max().unwrap_or(Verdict::Ok);
    let text = if globals.console.json {
        as_json(globals, &checks, listing)
    } else {
        as_text(globals, &checks, listing)
    };
    globals.console.result(&text)?;
    Ok(if worst == Verdict::Fail {
        Exit::Outside
    } else {
        Exit::Done
    })
}

/// Looks at everything: the machine, and the settings.
#[must_use]
pub fn checks(loaded: &Loaded) -> Vec<Check> {
    let settings = loaded.settings.as_ref().ok();
    let choice = settings.map_or(RadioChoice::Ble, |s| s.radio.value.clone());
    let machine = ThisMachine { radio: ask(&choice) };
    let mut checks = doctor::examine(&machine, settings);
    checks.extend(of_settings(loaded));
    checks
}

fn ask(choice: &RadioChoice) -> RadioSeen {
    let Ok(runtime) = radio::runtime() else {
        return RadioSeen::Silent;
    };
    let made = {
        let _inside = runtime.enter();
        radio::make(choice, &radio::stamp_from_now())
    };
    match made {
        Err(failure) => RadioSeen::Lacking(failure.tries.first().cloned().unwrap_or(failure.what)),
        Ok(radio) => {
            let state = runtime.block_on(async { tokio::time::timeout(RADIO_PATIENCE, radio.state()).await });
            // A call into the system that hangs must not hold up the end of the program.
            runtime.shutdown_background();
            state.map_or(RadioSeen::Silent, RadioSeen::Said)
        }
    }
}

/// The settings as checks: one line if they are good, one for each thing that is wrong.
fn of_settings(loaded: &Loaded) -> Vec<Check> {
    let name = "config";
    let fail = |detail: String, mend: &str| Check {
        name,
        verdict: Verdict::Fail,
        detail,
        mend: Some(mend.to_owned()),
    };
    let file = loaded.path.as_ref().map(|p| p.display().to_string());
    match &loaded.settings {
        Err(Unsettled::Unreadable(path, words)) => vec![fail(
            format!("{} cannot be read ({words})", path.display()),
            "make it readable, or name another one with --config FILE",
        )],
        Err(Unsettled::Wrong(problems)) => problems
            .iter()
            .map(|p| fail(p.to_string(), "correct it there"))
            .collect(),
        Ok(settings) => {
            let detail = match (file, loaded.there) {
                (Some(file), true) => format!("{file}, {} kits", settings.kits.len()),
                (Some(file), false) => format!("no file yet ({file}); everything is as it comes"),
                (None, _) => "no home, so no file; everything is as it comes".to_owned(),
            };
            vec![Check {
                name,
                verdict: Verdict::Ok,
                detail,
                mend: None,
            }]
        }
    }
}

fn as_text(globals: &Globals, checks: &[Check], listing: Listing) -> String {
    let mut text = String::new();
    let width = checks.iter().map(|c| c.name.len()).max().unwrap_or(0);
    for check in checks {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<5} {:<width$}  {}",
            check.verdict.name(),
            check.name,
            check.detail
        );
        if let Some(mend) = &check.mend {
            let _ = writeln!(text, "{:6}{:width$}  try: {mend}", "", "");
        }
    }
    if listing == Listing::Settings
        && let Ok(settings) = &globals.config.settings
    {
        let rows: Vec<[String; 3]> = settings
            .listed()
            .into_iter()
            .map(|(key, value, origin)| [key, value, origin.to_string()])
            .collect();
        let _ = write!(text, "\nsettings\n{}", table(&rows));
    }
    let count = |v| checks.iter().filter(|c| c.verdict == v).count();
    let (fails, warns) = (count(Verdict::Fail), count(Verdict::Warn));
    let next = if fails > 0 {
        "run without hardware: lope demo"
    } else {
        "next: lope scan"
    };
    let _ = writeln!(text, "{fails} failures, {warns} warnings · {next}");
    text
}

fn as_json(globals: &Globals, checks: &[Check], listing: Listing) -> String {
    let list: Vec<Value> = checks
        .iter()
        .map(|c| json!({"name": c.name, "verdict": c.verdict.name(), "detail": c.detail, "mend": c.mend}))
        .collect();
    let mut value = json!({ "checks": list });
    if listing == Listing::Settings
        && let Ok(settings) = &globals.config.settings
    {
        value["settings"] = settings
            .listed()
            .into_iter()
            .map(|(key, value, origin)| json!({"key": key, "value": value, "origin": origin.to_string()}))
            .collect();
    }
    format!("{value:#}\n")
}
