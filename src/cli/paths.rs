//! Where lope keeps its data, and how files come into being whole.

use super::Args;
use super::error::{CliError, Exit};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The data folder: `--data-dir`, else `LOPE_DATA_DIR`, else the platform's own place.
///
/// # Errors
/// No home folder is known.
pub fn data_dir(args: &Args) -> Result<PathBuf, CliError> {
    let env = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(dir) = args.data_dir.clone().or_else(|| env("LOPE_DATA_DIR")) {
        return Ok(dir);
    }
    let platform = if cfg!(windows) {
        env("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        env("HOME").map(|h| h.join("Library/Application Support"))
    } else {
        env("XDG_DATA_HOME").or_else(|| env("HOME").map(|h| h.join(".local/share")))
    };
    platform.map(|p| p.join("lope")).ok_or_else(|| {
        CliError::new(
            "lope::data::no_home",
            Exit::Outside,
            "There is no home folder to keep data in.",
        )
        .advice("name one with --data-dir DIR")
    })
}

/// Writes a file whole or not at all: into a temporary neighbour, flushed to the disk, then renamed over.
///
/// # Errors
/// What the system said; the target is then as it was.
pub fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), CliError> {
    let mut name: OsString = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    // Devices and pipes (/dev/stdout) cannot be renamed over; they are written to as they are.
    let plain = path.exists() && !path.is_file();
    let target = if plain { path } else { &temporary };
    let written = File::create(target).and_then(|file| {
        let mut out = BufWriter::new(file);
        fill(&mut out)?;
        out.flush()?;
        if plain { Ok(()) } else { out.get_ref().sync_all() }
    });
    let done = written.and_then(|()| {
        if plain {
            Ok(())
        } else {
            std::fs::rename(&temporary, path)
        }
    });
    done.map_err(|error| {
        if !plain {
            // Nothing half-written stays behind; if even that fails there is nothing left to try.
            let _ = std::fs::remove_file(&temporary);
        }
        CliError::write(path, &error)
    })
}
