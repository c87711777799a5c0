//! A result file that is there complete or not at all: written beside its place, then renamed into it.

use super::failure::{Exit, Failure};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Clone, Copy)]
enum Readers {
    /// Whoever the system lets by default.
    AsUsual,
    /// Its owner. On systems without Unix permissions the folder's own rules hold.
    Owner,
}

impl Readers {
    fn options(self) -> std::fs::OpenOptions {
        #[cfg_attr(not(unix), allow(unused_mut, reason = "only Unix has modes"))]
        let mut options = File::options();
        #[cfg(unix)]
        if let Self::Owner = self {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        options
    }
}

/// That nothing stands where a file is to be written; a device may, it is no file to be lost.
///
/// # Errors
/// Something is there, told under `code`.
pub fn not_there(path: &Path, code: &'static str) -> Result<(), Failure> {
    if std::fs::symlink_metadata(path).is_ok_and(|m| m.is_file() || m.is_dir() || m.is_symlink()) {
        return Err(
            Failure::new(code, Exit::Refused, format!("{} is there already.", path.display()))
                .try_this("name another file with -o, or write over it with --force"),
        );
    }
    Ok(())
}

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
        Self::begin(target, Readers::AsUsual)
    }

    /// Begins to write `target` so that only its owner will be able to read it.
    ///
    /// # Errors
    /// As [`SafeFile::create`].
    pub fn create_private(target: &Path) -> Result<Self, Failure> {
        Self::begin(target, Readers::Owner)
    }

    fn begin(target: &Path, readers: Readers) -> Result<Self, Failure> {
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
            Some(path) => readers.options().create(true).truncate(true).write(true).open(path),
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
