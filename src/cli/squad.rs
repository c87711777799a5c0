//! `lope demo --squad`: six synthetic runners over eight weeks, in a folder of their own.

use super::Globals;
use super::failure::{Exit, Failure};
use super::words;
use crate::runtime::squad::{self, WEEKS};
use crate::store::journal::Day;
use crate::store::{SqliteReader, UtcMicros};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The folder inside the data folder, so that nobody's own runs are mixed with invented ones.
const FOLDER: &str = "demo-squad";

/// Where the squad lies.
///
/// # Errors
/// There is no folder to keep anything in.
pub fn folder(globals: &Globals) -> Result<PathBuf, Failure> {
    Ok(globals.data_dir()?.join(FOLDER))
}

/// Makes the squad.
///
/// # Errors
/// Those of the store.
pub fn run(globals: &Globals, seed: u64) -> Result<Exit, Failure> {
    let began = Instant::now();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Runs of the last day are over by mid-morning; before that, the last day was yesterday.
    let now = UtcMicros::from_micros(i64::try_from(since.as_micros()).unwrap_or(0) - 10 * 3600 * 1_000_000);
    let dir = folder(globals)?;
    // Another day has other sessions: the old ones would overlap them.
    if dir.exists() {
        std::fs::remove_dir_all(&dir).map_err(|e| Failure::writing(&dir, &e))?;
    }
    let console = globals.console;
    let made = squad::make(&dir, Day::of_utc(now), seed, |name, share| {
        if !name.is_empty() {
            console.advice(&format!("{:3.0} %  {name}", 100.0 * share));
        }
    })?;
    for athlete in SqliteReader::open(&dir)?.everybody()? {
        super::flags_record::refresh(&dir, &athlete)?;
    }
    let text = if console.json {
        let object = json!({
            "folder": dir, "people": made.people, "weeks": WEEKS, "sessions": made.sessions, "strides": made.strides,
            "entries": made.entries, "synthetic": true,
        });
        format!("{object:#}\n")
    } else {
        format!(
            "{} synthetic runners, {WEEKS} weeks, {} sessions, {} strides, {} entries in {}\nNone of them exists: what is found in their runs was put there.\n",
            made.people,
            made.sessions,
            words::grouped(made.strides),
            made.entries,
            dir.display()
        )
    };
    console.result(&text)?;
    console.advice(&format!("took {:.1} s", began.elapsed().as_secs_f64()));
    console.advice(&format!(
        "look at them: lope --data-dir {} sessions list",
        dir.display()
    ));
    Ok(Exit::Done)
}
