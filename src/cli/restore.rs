//! `lope import FOLDER` of an export: the record it was made of, again.

use super::failure::{Exit, Failure};
use super::{Globals, words};
use crate::runtime::export::{Exported, Raw};
use crate::runtime::restore::{self, RestoreError, Sound};
use crate::store::sqlite::Restore;
use serde_json::json;
use std::path::Path;

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is.
    Write,
    /// Only looked at.
    DryRun,
}

/// Reads the export in `folder` into the record.
///
/// # Errors
/// The export is damaged, of another version, or the record is not empty: with the file, the line and the value. Nothing
/// is kept then.
pub fn run(globals: &Globals, folder: &Path, mode: Mode) -> Result<Exit, Failure> {
    let dir = globals.data_dir()?;
    let refused = |e| failure(folder, &dir, e);
    let sound = restore::look(folder).map_err(refused)?;
    let came = match mode {
        Mode::Write => sound.into_record(&dir, "lope import").map_err(refused)?,
        Mode::DryRun => {
            let holds = Restore::holds(&dir)?;
            if !holds.is_empty() {
                return Err(refused(RestoreError::NotEmpty { holds }));
            }
            sound.totals().clone()
        }
    };
    let console = globals.console;
    if console.json {
        let object = json!({
            "export": folder, "folder": dir, "written_by": sound.written_by(), "dry_run": mode == Mode::DryRun,
            "raw": sound.raw(), "imported": came,
        });
        console.result(&format!("{object:#}\n"))?;
    } else {
        console.result(&text(&sound, &came))?;
    }
    console.advice(match mode {
        Mode::Write => "settings, kits of sensors and tokens are of each machine: lope doctor --config, lope token",
        Mode::DryRun => "all sums hold, nothing was written   next: the same without --dry-run",
    });
    Ok(Exit::Done)
}

fn text(sound: &Sound, came: &Exported) -> String {
    let mut text = format!(
        "{} athletes · {} sessions · {} strides · {} entries · {} recordings, {} samples\n{} files, {}, written by lope {}\n",
        came.athletes,
        came.sessions,
        words::grouped(came.strides),
        came.entries,
        came.recordings,
        words::grouped(came.samples),
        came.files,
        words::bytes(came.bytes),
        sound.written_by()
    );
    if sound.raw() == Raw::LeftOut {
        text.push_str("  raw samples were left out of this export\n");
    }
    for left in &came.without_raw {
        text.push_str(&format!("  raw samples incomplete: {left}\n"));
    }
    text
}

fn failure(folder: &Path, dir: &Path, error: RestoreError) -> Failure {
    let refused = |code, what: String, error: &RestoreError| {
        Failure::new(code, Exit::Refused, what)
            .why(error.to_string())
            .why("nothing was kept")
    };
    let shown = folder.display();
    match error {
        RestoreError::Store(error) => error.into(),
        RestoreError::NotEmpty { .. } => refused(
            "lope::import::not_empty",
            format!("An export goes into an empty record, and {} is not one.", dir.display()),
            &error,
        )
        .try_this("name a folder of its own for it: lope --data-dir NEW import FOLDER"),
        RestoreError::Version { .. } => refused(
            "lope::import::version",
            format!("{shown} is an export that this version does not read."),
            &error,
        )
        .try_this("read a newer one with a newer lope; make an older one again: lope export --all DIR"),
        _ => refused(
            "lope::import::not_whole",
            format!("{shown} is not as it was exported."),
            &error,
        )
        .try_this("copy it here once more; lope export --all DIR where it came from"),
    }
}
