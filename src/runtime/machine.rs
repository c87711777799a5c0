//! The looking half of [`super::doctor`]: this machine's clocks, folders and record.

use super::doctor::{ClockSeen, FolderSeen, Machine, RadioSeen, RecordSeen};
use crate::config::place::System;
use crate::store::{Completeness, History as _, RowQuery, SessionQuery, SessionState, SqliteReader, StoreError};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Readings of the monotonic clock whose steps are looked at.
const CLOCK_READINGS: usize = 200_000;
/// A clock that does not move within this does not move.
const CLOCK_PATIENCE: Duration = Duration::from_millis(200);

/// This machine; how its radio is was asked before, because asking takes tasks.
#[derive(Clone, Debug)]
pub struct ThisMachine {
    /// How the radio is.
    pub radio: RadioSeen,
}

impl Machine for ThisMachine {
    fn radio(&self) -> RadioSeen {
        self.radio.clone()
    }

    fn clock(&self) -> ClockSeen {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ClockSeen {
            set_by_network: set_by_network(Path::new("/")),
            unix_s: unix.as_secs(),
            step_ns: smallest_step(),
        }
    }

    fn folder(&self, dir: &Path) -> FolderSeen {
        let there = dir.is_dir();
        // What would be made is made in the nearest folder that is there.
        let nearest = dir.ancestors().find(|d| d.is_dir()).unwrap_or(dir);
        FolderSeen {
            there,
            writable: try_to_write(nearest),
            free: fs4::available_space(nearest).ok(),
            mode: if there { mode(dir) } else { None },
        }
    }

    fn record(&self, dir: &Path) -> Result<RecordSeen, StoreError> {
        let reader = SqliteReader::open(dir)?;
        let mut seen = RecordSeen {
            bytes: size(dir),
            ..RecordSeen::default()
        };
        for held in reader.raw_stock()? {
            seen.raw_bytes += held.bytes;
            seen.raw_recordings += usize::from(held.bytes > 0);
        }
        let mut query = SessionQuery::default();
        loop {
            let page = reader.sessions(&query)?;
            for row in page.rows {
                seen.sessions += 1;
                seen.recovered += usize::from(row.state == SessionState::Recovered);
                reader.summary(&row.meta.id)?;
                read_all(&reader, RowQuery::all(row.meta.id))?;
            }
            match page.completeness {
                Completeness::Complete => return Ok(seen),
                Completeness::Truncated { resume_at } => query.from = resume_at,
            }
        }
    }

    fn system(&self) -> System {
        System::here()
    }
}

/// Reads every stride of a session: pages that are damaged are found by reading them.
fn read_all(reader: &SqliteReader, mut query: RowQuery) -> Result<(), StoreError> {
    loop {
        match reader.strides(&query)?.completeness {
            Completeness::Complete => return Ok(()),
            Completeness::Truncated { resume_at } => {
                let Some(rest) = crate::model::Span::new(resume_at, query.span.end()) else {
                    return Ok(());
                };
                query.span = rest;
            }
        }
    }
}

/// The smallest step of the monotonic clock, ns.
fn smallest_step() -> Option<u64> {
    let began = Instant::now();
    let mut last = began;
    let mut smallest: Option<u64> = None;
    for _ in 0..CLOCK_READINGS {
        let now = Instant::now();
        let step = u64::try_from(now.duration_since(last).as_nanos()).unwrap_or(u64::MAX);
        if step > 0 {
            smallest = Some(smallest.map_or(step, |s| s.min(step)));
        }
        last = now;
    }
    // A coarse clock may need longer for its first step.
    while smallest.is_none() && began.elapsed() < CLOCK_PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
        let step = u64::try_from(last.elapsed().as_nanos()).unwrap_or(u64::MAX);
        smallest = (step > 0).then_some(step);
    }
    smallest
}

/// Whether the network sets the wall clock, as systemd says it in files; `None` where there is no systemd, or another
/// program does it.
fn set_by_network(root: &Path) -> Option<bool> {
    let run = root.join("run/systemd");
    if run.join("timesync/synchronized").exists() {
        return Some(true);
    }
    // The folder is there while the service runs.
    run.join("timesync").is_dir().then_some(false)
}

fn try_to_write(dir: &Path) -> Result<(), String> {
    let probe = dir.join(format!(".lope-{}.probe", std::process::id()));
    let made = std::fs::File::options().write(true).create_new(true).open(&probe);
    match made {
        Ok(_) => std::fs::remove_file(&probe).map_err(|e| e.to_string()),
        Err(e) => Err(e.to_string()),
    }
}

#[cfg(unix)]
fn mode(dir: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(dir).ok().map(|m| m.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

/// Bytes of the files in a folder and the folders in it.
fn size(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .map(|e| match e.metadata() {
            Ok(m) if m.is_dir() => size(&e.path()),
            Ok(m) => m.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: ThisMachine = ThisMachine {
        radio: RadioSeen::Silent,
    };

    #[test]
    fn a_folder_that_is_not_there_is_looked_at_where_it_would_be_made() {
        let dir = tempfile::tempdir().expect("folder");
        let seen = MACHINE.folder(&dir.path().join("a/b"));
        assert!(!seen.there && seen.writable.is_ok() && seen.mode.is_none(), "{seen:?}");
        assert!(seen.free.is_some_and(|f| f > 0), "{seen:?}");
        assert_eq!(
            std::fs::read_dir(dir.path()).expect("listed").count(),
            0,
            "nothing is left"
        );
    }

    #[test]
    fn no_record_is_missing_and_another_file_is_no_record() {
        let dir = tempfile::tempdir().expect("folder");
        assert!(matches!(MACHINE.record(dir.path()), Err(StoreError::Missing { .. })));
        std::fs::write(
            dir.path().join(crate::store::sqlite::RECORD_FILE),
            "not a database, whatever it is called".repeat(100),
        )
        .expect("written");
        assert!(matches!(MACHINE.record(dir.path()), Err(StoreError::Corrupt { .. })));
    }

    #[test]
    fn the_clock_here_moves_and_the_network_is_read_from_files() {
        assert!(MACHINE.clock().step_ns.is_some());
        let dir = tempfile::tempdir().expect("folder");
        assert_eq!(set_by_network(dir.path()), None);
        let timesync = dir.path().join("run/systemd/timesync");
        std::fs::create_dir_all(&timesync).expect("made");
        assert_eq!(set_by_network(dir.path()), Some(false));
        std::fs::write(timesync.join("synchronized"), "").expect("written");
        assert_eq!(set_by_network(dir.path()), Some(true));
    }
}
