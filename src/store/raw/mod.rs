//! Raw samples, one SQLite file a session: `raw/<session>.db`.
//!
//! They stand beside the record and not in it, so that keeping or forgetting a session's samples adds or removes a file
//! instead of rewriting a database of tens of gigabytes, and a recording can be handed over as one file.
//!
//! | table | content |
//! |---|---|
//! | `raw_meta` | `format`, `session` |
//! | `raw_chunks` | `stream` (place on the body), `first_index`, `n`, times of the first and last sample, `codec`, `exact`, `crc32c`, `data` |
//! | `raw_events` | gaps and standing, after which sample they arrived |
//!
//! A chunk stands for itself: a damaged one, or one of an unknown codec, is a gap and not the end of the file.
//! While recording, a chunk is a second long and written in the caller's rhythm; `RawWriter::seal` packs a finished
//! session into chunks of a minute, compares every sample, and replaces the file.

mod adaptive;
pub mod codec;
mod crc32c;
mod grid;
mod ints;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use codec::{Fidelity, KnownSteps};
pub use crc32c::crc32c;
pub use grid::{ACC_STEP, GYRO_STEP};
pub use reader::RawReader;
pub use writer::{RawFile, RawOptions, RawStart, RawWriter};

use super::error::StoreError;
use super::ids::SessionId;
use crate::model::Placement;
use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Folder of raw files inside the data folder.
pub const FOLDER: &str = "raw";

/// Layout of a raw file.
const FORMAT: &str = "1";

/// The file of a session.
#[must_use]
pub fn path_of(dir: &Path, session: &SessionId) -> PathBuf {
    dir.join(FOLDER).join(format!("{session}.db"))
}

/// The log of everything that came over the links of a session, as its sensors sent it; written by whoever records.
#[must_use]
pub fn links_path_of(dir: &Path, session: &SessionId) -> PathBuf {
    dir.join(FOLDER).join(format!("{session}.links"))
}

/// The files that a session may have in the folder of raw files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RawPart {
    /// Its samples.
    Samples,
    /// The log of its links.
    Links,
}

impl RawPart {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Samples, Self::Links];

    /// Where it lies in the data folder `dir`.
    #[must_use]
    pub fn path(self, dir: &Path, session: &SessionId) -> PathBuf {
        match self {
            Self::Samples => path_of(dir, session),
            Self::Links => links_path_of(dir, session),
        }
    }
}

/// Copies a raw file to `to`, which is made and readable by its owner alone; `false` where there is none.
///
/// A file with a log beside it (a recording that goes on, or that was cut off) is copied together with what the log
/// holds, as one file; any other is copied byte by byte.
pub(crate) fn copy(dir: &Path, part: RawPart, session: &SessionId, to: &Path) -> Result<bool, StoreError> {
    let from = part.path(dir, session);
    if !from.exists() {
        return Ok(false);
    }
    let mut log = from.clone().into_os_string();
    log.push("-wal");
    if fs::metadata(&log).is_ok_and(|m| m.len() > 0) {
        let target = to.to_str().ok_or_else(|| StoreError::Io {
            path: to.to_owned(),
            detail: "the path is not text".to_owned(),
        })?;
        let conn = rusqlite::Connection::open_with_flags(&from, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.busy_timeout(std::time::Duration::from_secs(5))?;
        conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = 0;")?;
        conn.execute("VACUUM INTO ?1", [target])?;
    } else {
        super::private::create_private_file(to)?;
        let copied = fs::copy(&from, to).map_err(|e| StoreError::io(to, &e))?;
        if part == RawPart::Samples && copied != fs::metadata(&from).map_or(0, |m| m.len()) {
            return Err(StoreError::Corrupt {
                detail: format!("{} changed while it was copied", from.display()),
            });
        }
    }
    super::private::make_private_file(to)?;
    Ok(true)
}

/// Number of a place in the `stream` column.
fn stream_code(placement: Placement) -> i64 {
    match placement {
        Placement::LeftFoot => 0,
        Placement::RightFoot => 1,
        Placement::LeftShank => 2,
        Placement::RightShank => 3,
        Placement::Sacrum => 4,
    }
}

/// What SQLite and `RawWriter::seal` may have left beside a raw file.
const COMPANIONS: [&str; 7] = [
    "-wal",
    "-shm",
    "-journal",
    ".new",
    ".new-wal",
    ".new-shm",
    ".new-journal",
];

/// Overwrites and removes the raw samples of a session; what is not there is no error.
pub(crate) fn erase(dir: &Path, session: &SessionId) -> Result<(), StoreError> {
    let path = path_of(dir, session);
    let companions = COMPANIONS.into_iter().chain([""]).map(|suffix| {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    });
    for file in companions.chain([links_path_of(dir, session)]) {
        if file.exists() {
            erase_file(&file)?;
        }
    }
    Ok(())
}

/// Overwrites and removes a file.
pub(crate) fn erase_file(file: &Path) -> Result<(), StoreError> {
    overwrite(file)
        .and_then(|()| fs::remove_file(file))
        .map_err(|e| StoreError::io(file, &e))
}

/// Writes zeros over a file. Disks that move blocks around keep copies out of reach; encryption is the answer to that.
fn overwrite(path: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    let zeros = [0_u8; 65_536];
    file.seek(SeekFrom::Start(0))?;
    while left > 0 {
        let now = left.min(zeros.len() as u64);
        file.write_all(&zeros[..now as usize])?;
        left -= now;
    }
    file.sync_all()
}
