//! One writing process a store: `lope.lock`.
//!
//! The lock is the operating system's, so it goes with the process however that ends and is never stale. The file's text
//! says who holds it, for the message to the second one; it is advice to people and decides nothing.

use super::super::error::{Holder, StoreError};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Name of the lock file in the data folder.
pub const LOCK_FILE: &str = "lope.lock";

/// Held as long as the value lives.
#[derive(Debug)]
pub(crate) struct StoreLock {
    file: File,
}

impl StoreLock {
    /// Takes the lock `name` and writes `command` into it.
    pub(crate) fn take(dir: &Path, name: &str, command: &str) -> Result<Self, StoreError> {
        let path = dir.join(name);
        let io = |e: &std::io::Error| StoreError::io(&path, e);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|e| io(&e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Busy {
                    holder: read_holder(&mut file),
                });
            }
            Err(TryLockError::Error(e)) => return Err(io(&e)),
        }
        // One line each, so that the command cannot forge a second field.
        let command: String = command.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = format!("pid {}\ncommand {command}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .map_err(|e| io(&e))?;
        file.write_all(text.as_bytes()).map_err(|e| io(&e))?;
        Ok(Self { file })
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // Unlocked by name and not by closing: a child process that is just being started holds a copy of the file for
        // a moment, and with it the lock. An error leaves what closing does.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Some(Holder {
        pid: field("pid ")?.parse().ok()?,
        command: field("command ")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_who_holds_it_and_the_lock_goes_with_the_value() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let first = StoreLock::take(dir.path(), LOCK_FILE, "lope record\nevil 1").expect("free");
        let second = StoreLock::take(dir.path(), LOCK_FILE, "lope import").expect_err("held");
        let holder = Holder {
            pid: std::process::id(),
            command: "lope record evil 1".to_owned(),
        };
        assert_eq!(second, StoreError::Busy { holder: Some(holder) });
        drop(first);
        StoreLock::take(dir.path(), LOCK_FILE, "lope import").expect("free again");
    }
}
