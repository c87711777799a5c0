//! `lope backup`: a copy of the record that is one itself.

use super::failure::{Exit, Failure};
use super::{Globals, words};
use crate::store::{SqliteReader, StoreError};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `lope backup`.
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The folder to make; it must not be there yet
    to: PathBuf,
}

/// Runs it.
///
/// # Errors
/// No record; a folder that is there already; a copy that does not pass its check.
pub fn run(globals: &Globals, args: &BackupArgs) -> Result<Exit, Failure> {
    let reader = SqliteReader::open(&globals.data_dir()?)?;
    let made = reader.backup(&args.to).map_err(|e| match e {
        StoreError::Rejected { row, why } => {
            Failure::new("lope::backup::place", Exit::Refused, "The backup cannot be made there.")
                .why(format!("{row}: {why}"))
                .try_this("name a folder outside the record that is not there yet")
        }
        other => other.into(),
    })?;
    let rows: u64 = made.rows.values().sum();
    if globals.console.json {
        let object = json!({ "folder": args.to, "backup": made });
        globals.console.result(&format!("{object:#}\n"))?;
    } else {
        let mut text = format!(
            "{} rows, {} raw files, {} in {}; checked\n",
            words::grouped(rows),
            made.raw_files,
            words::bytes(made.bytes),
            args.to.display()
        );
        for session in &made.without_raw {
            text.push_str(&format!(
                "  {session} is being recorded: its raw samples are not in it\n"
            ));
        }
        globals.console.result(&text)?;
        globals.console.advice(&format!(
            "to use it: lope --data-dir {} sessions list, or copy it to where the record was",
            args.to.display()
        ));
    }
    Ok(if made.without_raw.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    })
}
