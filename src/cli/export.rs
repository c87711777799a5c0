//! `lope export`: everything kept, as files in open formats; or one run ([`super::export_run`]).

use super::export_run::{self, RunArgs};
use super::failure::{Exit, Failure};
use super::{Globals, words};
use crate::runtime::export::{self, Raw};
use crate::store::{AthleteId, SqliteReader};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `lope export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// One run: a session's id, or the beginning of it; `last` for the newest
    #[arg(value_name = "SESSION", required_unless_present = "all", conflicts_with = "all")]
    session: Option<String>,
    /// Everything of everybody, into this folder; it must not be there yet
    #[arg(long, value_name = "DIR")]
    all: Option<PathBuf>,
    /// Of this athlete alone
    #[arg(long, value_name = "ID", conflicts_with = "session")]
    athlete: Option<String>,
    /// Leave raw samples out: they are most of the bytes
    #[arg(long, conflicts_with = "session")]
    no_raw: bool,
    #[command(flatten)]
    run: RunArgs,
}

/// Runs it.
///
/// # Errors
/// No such athlete; a folder that is there already; a disk that is full.
pub fn run(globals: &Globals, args: &ExportArgs) -> Result<Exit, Failure> {
    let (all, session) = (args.all.as_ref(), args.session.as_deref().unwrap_or_default());
    let Some(all) = all else {
        return export_run::run(globals, session, &args.run);
    };
    let reader = SqliteReader::open(&globals.data_dir()?)?;
    let known = reader.everybody()?;
    let athletes = match &args.athlete {
        None => known,
        Some(name) => vec![named(&known, name)?],
    };
    let raw = if args.no_raw { Raw::LeftOut } else { Raw::Included };
    if all.exists() {
        return Err(Failure::new(
            "lope::export::there",
            Exit::Refused,
            format!("{} is there already.", all.display()),
        )
        .why("an export makes its folder, so that nothing else lies in it")
        .try_this("name a folder that is not there yet"));
    }
    let done = export::export(&reader, &athletes, raw, all)?;
    if globals.console.json {
        let object = json!({ "folder": all, "exported": done });
        globals.console.result(&format!("{object:#}\n"))?;
    } else {
        let mut text = format!(
            "{} athletes · {} sessions · {} strides · {} entries · {} recordings, {} samples\n{} files, {} in {}, sums in MANIFEST.json\n",
            done.athletes,
            done.sessions,
            words::grouped(done.strides),
            done.entries,
            done.recordings,
            words::grouped(done.samples),
            done.files,
            words::bytes(done.bytes),
            all.display()
        );
        for left in &done.without_raw {
            text.push_str(&format!("  raw samples incomplete: {left}\n"));
        }
        globals.console.result(&text)?;
    }
    Ok(if done.without_raw.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// The athlete of that id.
///
/// # Errors
/// There is none of that id, with those there are.
pub fn named(known: &[AthleteId], name: &str) -> Result<AthleteId, Failure> {
    known.iter().find(|a| a.as_str() == name).cloned().ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(AthleteId::as_str).collect();
        let failure = Failure::new(
            "lope::athlete::unknown",
            Exit::Unknown,
            format!("There is no athlete {name}."),
        );
        if names.is_empty() {
            failure.try_this("nothing is kept yet: lope demo, or lope record")
        } else {
            failure.try_this(format!("one of {}", names.join(", ")))
        }
    })
}
