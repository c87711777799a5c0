//! `lope forget`: an athlete whole, for good.

use super::export::named;
use super::failure::{Exit, Failure};
use super::{Globals, words};
use crate::store::{AthleteId, Completeness, History as _, SessionQuery, SqliteReader, SqliteStore};
use clap::Args;
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Arguments of `lope forget`.
#[derive(Args, Debug)]
pub struct ForgetArgs {
    /// The athlete's id
    athlete: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What no program can take back.
const OUT_OF_REACH: [&str; 3] = [
    "exports, reports and backups you made, and files you gave away",
    "copies that the disk itself or its snapshots may hold; encrypt the disk to be safe from those",
    "a kit of sensors in the settings file (lope sensors forget)",
];

/// Runs it.
///
/// # Errors
/// No such athlete; not confirmed; another lope works on the record.
pub fn run(globals: &Globals, args: &ForgetArgs) -> Result<Exit, Failure> {
    let dir = globals.data_dir()?;
    let athlete = {
        let reader = SqliteReader::open(&dir)?;
        let athlete = named(&reader.everybody()?, &args.athlete)?;
        if !args.yes {
            confirm(&reader, &athlete)?;
        }
        athlete
    };
    let store = SqliteStore::open(&dir, "lope forget")?;
    let gone = store.forget(&athlete)?;
    drop(store);
    if globals.console.json {
        let object = json!({ "athlete": athlete.as_str(), "forgotten": gone, "not_reachable": OUT_OF_REACH });
        globals.console.result(&format!("{object:#}\n"))?;
    } else {
        let mut text = format!(
            "forgotten {athlete}: {} sessions, {} rows, {} raw files, {} entries, {} rows of flags, {} tokens; the file is rebuilt\n",
            gone.sessions,
            words::grouped(gone.rows),
            gone.raw_files,
            gone.entries,
            gone.flag_rows,
            gone.tokens
        );
        for sink in &gone.sinks {
            text.push_str(&format!(
                "  copy {sink}: told to delete when it is next in step (lope influx sync)\n"
            ));
        }
        for what in OUT_OF_REACH {
            text.push_str(&format!("  not reachable: {what}\n"));
        }
        globals.console.result(&text)?;
    }
    // A copy that has yet to be told is a part not done.
    Ok(if gone.sinks.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

fn confirm(reader: &SqliteReader, athlete: &AthleteId) -> Result<(), Failure> {
    let mut query = SessionQuery {
        athlete: Some(athlete.clone()),
        ..SessionQuery::default()
    };
    let (mut sessions, mut strides) = (0, 0);
    loop {
        let page = reader.sessions(&query)?;
        sessions += page.rows.len();
        strides += page.rows.iter().filter_map(|r| r.strides).sum::<u64>();
        match page.completeness {
            Completeness::Complete => break,
            Completeness::Truncated { resume_at } => query.from = resume_at,
        }
    }
    let declined = || {
        Failure::new("lope::forget::not_confirmed", Exit::Declined, "Nothing was forgotten.")
            .why("it cannot be undone and was not confirmed")
            .try_this("type the id when asked, or add --yes")
    };
    if !std::io::stdin().is_terminal() {
        return Err(declined());
    }
    let question = format!(
        "This erases {athlete}: {sessions} sessions, {} strides, raw samples, everything entered. Type the id to go on: ",
        words::grouped(strides)
    );
    let _ = std::io::stderr().lock().write_all(question.as_bytes());
    let mut typed = String::new();
    let read = std::io::stdin().lock().read_line(&mut typed);
    if read.is_ok() && typed.trim() == athlete.as_str() {
        Ok(())
    } else {
        Err(declined())
    }
}
