//! A result file that is there complete or not at all: written beside its place, then renamed into it.

use super::failure::Failure;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file being written. Dropped without [`SafeFile::keep`], it leaves nothing.
pub struct SafeFile {
    target: PathBuf,
    /// `None` for a device, which cannot be renamed into place and is written to directly.
    beside: Option<PathBuf>,
    out: Option<BufWriter<File>>,
}

impl SafeFile {
    /// Begins to write `target`.
    ///
    /// # Errors
    /// The folder is not there or cannot be written to.
    pub fn create(target: &Path) -> Result<Self, Failure> {
        let device = std::fs::metadata(target).is_ok_and(|m| !m.is_file() && !m.is_dir());
        let beside = if device {
            None
        } else {
            let mut name = std::ffi::OsString::from(".");
            name.push(target.file_name().unwrap_or_default());
            name.push(format!(".{}.part", std::process::id()));
            Some(target.with_file_name(name))
        };
        if target.is_dir() {
            return Err(Failure::writing(
                target,
                &std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder"),
            ));
        }
        let file = match &beside {
            Some(path) => File::create(path),
            None => File::options().write(true).open(target),
        }
        .map_err(|e| Failure::writing(target, &e))?;
        Ok(Self {
            target: target.to_owned(),
            beside,
            out: Some(BufWriter::with_capacity(1 << 16, file)),
        })
    }

    /// Writes with `write`.
    ///
    /// # Errors
    /// What the disk says, with the name of the target.
    pub fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Failure> {
        let Some(out) = &mut self.out else { return Ok(()) };
        write(out).map_err(|e| Failure::writing(&self.target, &e))
    }

    /// Makes the file appear at its place.
    ///
    /// # Errors
    /// What the disk says; nothing is left behind then.
    pub fn keep(mut self) -> Result<(), Failure> {
        let Some(out) = self.out.take() else { return Ok(()) };
        let written = match out.into_inner() {
            Ok(file) if self.beside.is_some() => file.sync_all(),
            Ok(_) => Ok(()),
            Err(e) => Err(e.into_error()),
        };
        let placed = written.and_then(|()| match &self.beside {
            Some(path) => std::fs::rename(path, &self.target),
            None => Ok(()),
        });
        if placed.is_ok() {
            self.beside = None;
        }
        placed.map_err(|e| Failure::writing(&self.target, &e))
    }
}

impl Drop for SafeFile {
    fn drop(&mut self) {
        drop(self.out.take());
        if let Some(path) = &self.beside {
            // What cannot be removed now is a hidden file ending in `.part`; there is no one to tell.
            let _ = std::fs::remove_file(path);
        }
    }
}
