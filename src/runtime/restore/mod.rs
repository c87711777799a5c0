//! An export read back whole into an empty record.
//!
//! First everything is looked at: the manifest, the names in it, size and sum of every file. Nothing is written before
//! that. Then all rows go into the record in one transaction and raw files are put in their place at its end, so that
//! there is a whole record afterwards or none.

mod parts;

use super::export::manifest::{self, FORMAT, FORMAT_NAME, Told};
use super::export::{Exported, Raw};
use crate::store::sqlite::{METRIC_TABLE, Restore};
use crate::store::{AthleteId, StoreError};
use parts::Part;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

/// Longest manifest, bytes: some 200,000 files.
const MANIFEST_MAX: u64 = 64 << 20;

/// Why an export cannot be read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The folder holds no manifest, or one that nobody wrote.
    #[error("MANIFEST.json: {why}")]
    Manifest {
        /// What is wrong with it.
        why: String,
    },
    /// It was written in another format, or by a newer lope.
    #[error("MANIFEST.json: {what} {found} (written by lope {by}), this version reads {known}")]
    Version {
        /// Of what.
        what: &'static str,
        /// Found.
        found: String,
        /// Expected.
        known: String,
        /// Version that wrote it.
        by: String,
    },
    /// A name in the manifest is none that an export has.
    #[error("MANIFEST.json: file {path:?}: {why}")]
    Name {
        /// The name.
        path: String,
        /// Why not.
        why: String,
    },
    /// A file is not as the manifest says.
    #[error("{path}: {what} {found}, expected {expected}")]
    File {
        /// The file.
        path: String,
        /// Size, sum, rows.
        what: &'static str,
        /// Found.
        found: String,
        /// As the manifest says.
        expected: String,
    },
    /// A row is none that a record may keep.
    #[error("{path}, {place}: {why}")]
    Row {
        /// The file.
        path: String,
        /// Where in it.
        place: String,
        /// Why not.
        why: String,
    },
    /// What came does not add up to what the manifest counts.
    #[error("{found} {what} came, the manifest counts {expected}")]
    Total {
        /// Of what.
        what: &'static str,
        /// Found.
        found: u64,
        /// Counted.
        expected: u64,
    },
    /// The record is not empty.
    #[error("the record is not empty: {}", .holds.join(", "))]
    NotEmpty {
        /// What it holds.
        holds: Vec<String>,
    },
    /// The record, or the disk.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An export whose files were looked at and are as its manifest says.
#[derive(Debug)]
pub struct Sound {
    folder: PathBuf,
    told: Told,
    parts: Vec<(Part, usize)>,
}

/// Whether a folder is an export, by what stands in its manifest, sound or not: programs of others have manifests too.
#[must_use]
pub fn is_export(folder: &Path) -> bool {
    let mut text = Vec::new();
    let read = File::open(folder.join(manifest::FILE)).and_then(|f| f.take(MANIFEST_MAX).read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    read.is_ok() && [FORMAT_NAME, METRIC_TABLE].iter().any(|word| text.contains(word))
}

/// Looks through an export: names, sizes and sums of all files. Reads only.
///
/// # Errors
/// The first thing that is wrong.
pub fn look(folder: &Path) -> Result<Sound, RestoreError> {
    let told = manifest_of(folder)?;
    let mut parts = Vec::with_capacity(told.files.len());
    let mut seen = BTreeSet::new();
    for (n, file) in told.files.iter().enumerate() {
        let part = Part::of(&file.path)?;
        if !seen.insert(file.path.as_str()) {
            return Err(RestoreError::Name {
                path: file.path.clone(),
                why: "it is listed twice".to_owned(),
            });
        }
        parts.push((part, n));
    }
    let listed: u64 = told.files.iter().fold(0, |sum, f| sum.saturating_add(f.bytes));
    total("files", told.files.len() as u64, told.totals.files)?;
    total("bytes", listed, told.totals.bytes)?;
    let sound = Sound {
        folder: folder.to_owned(),
        told,
        parts,
    };
    for n in 0..sound.told.files.len() {
        sound.check(n)?;
    }
    Ok(sound)
}

fn manifest_of(folder: &Path) -> Result<Told, RestoreError> {
    let wrong = |why: String| RestoreError::Manifest { why };
    let file = File::open(folder.join(manifest::FILE)).map_err(|e| wrong(e.to_string()))?;
    let mut text = String::new();
    let read = file.take(MANIFEST_MAX + 1).read_to_string(&mut text);
    read.map_err(|e| wrong(e.to_string()))?;
    if text.len() as u64 > MANIFEST_MAX {
        return Err(wrong(format!("it is longer than {MANIFEST_MAX} bytes")));
    }
    // Format and version are read before the rest: another format may have another shape.
    let all: serde_json::Value = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    let word = |name: &str| all.get(name).and_then(serde_json::Value::as_str);
    let found = word("format").ok_or_else(|| wrong("it names no format".to_owned()))?;
    let by = word("version").unwrap_or("of unknown version").to_owned();
    if found != format!("{FORMAT_NAME}{FORMAT}") {
        return Err(RestoreError::Version {
            what: "format",
            found: found.to_owned(),
            known: format!("{FORMAT_NAME}{FORMAT}"),
            by,
        });
    }
    let told: Told = serde_json::from_value(all).map_err(|e| wrong(e.to_string()))?;
    if told.layout > Restore::newest_layout() {
        return Err(RestoreError::Version {
            what: "layout",
            found: told.layout.to_string(),
            known: format!("up to {}", Restore::newest_layout()),
            by,
        });
    }
    Ok(told)
}

fn total(what: &'static str, found: u64, expected: u64) -> Result<(), RestoreError> {
    if found == expected {
        Ok(())
    } else {
        Err(RestoreError::Total { what, found, expected })
    }
}

impl Sound {
    /// What the manifest counts.
    #[must_use]
    pub fn totals(&self) -> &Exported {
        &self.told.totals
    }

    /// Whether raw samples are in it.
    #[must_use]
    pub fn raw(&self) -> Raw {
        self.told.raw
    }

    /// Version of lope that wrote it.
    #[must_use]
    pub fn written_by(&self) -> &str {
        &self.told.version
    }

    fn path(&self, n: usize) -> PathBuf {
        // The names were looked at: every part is plain.
        self.told.files[n]
            .path
            .split('/')
            .fold(self.folder.clone(), |p, part| p.join(part))
    }

    fn differs(&self, n: usize, what: &'static str, found: String, expected: String) -> RestoreError {
        RestoreError::File {
            path: self.told.files[n].path.clone(),
            what,
            found,
            expected,
        }
    }

    /// Compares a file with the manifest.
    fn check(&self, n: usize) -> Result<(), RestoreError> {
        let (file, path) = (&self.told.files[n], self.path(n));
        // Neither the file nor a folder on its way may lead elsewhere.
        let mut way = self.folder.clone();
        for part in file.path.split('/') {
            way.push(part);
            match std::fs::symlink_metadata(&way) {
                Ok(meta) if meta.is_symlink() => {
                    return Err(self.differs(n, "a link", way.display().to_string(), "a file".to_owned()));
                }
                Ok(_) => {}
                Err(e) => {
                    return Err(self.differs(n, "it cannot be read:", e.to_string(), format!("{} bytes", file.bytes)));
                }
            }
        }
        let meta = std::fs::metadata(&path).map_err(|e| StoreError::io(&path, &e))?;
        if !meta.is_file() || meta.len() != file.bytes {
            return Err(self.differs(
                n,
                "size",
                format!("{} bytes", meta.len()),
                format!("{} bytes", file.bytes),
            ));
        }
        let (_, sha256) = manifest::sum(&path).map_err(|e| StoreError::io(&path, &e))?;
        if sha256 == file.sha256 {
            Ok(())
        } else {
            Err(self.differs(n, "SHA-256", sha256, file.sha256.clone()))
        }
    }

    /// Reads it into the record in `dir`, which must hold nothing of anybody.
    ///
    /// # Errors
    /// `NotEmpty`; a row that does not fit, with its file and line; those of the disk. Nothing is left in the record then,
    /// and no record where there was none.
    pub fn into_record(&self, dir: &Path, command: &str) -> Result<Exported, RestoreError> {
        let holds = Restore::holds(dir)?;
        if !holds.is_empty() {
            return Err(RestoreError::NotEmpty { holds });
        }
        let mut restore = Restore::begin(dir, command)?;
        let mut came = Exported::default();
        let mut order: Vec<&(Part, usize)> = self.parts.iter().filter(|(p, _)| *p != Part::ForPeople).collect();
        order.sort();
        if !matches!(order.first(), Some((Part::Metrics, _))) {
            return Err(RestoreError::Manifest {
                why: "it lists no metric_columns.jsonl".to_owned(),
            });
        }
        let mut athletes: BTreeSet<&AthleteId> = BTreeSet::new();
        for (part, n) in order {
            let rows = self.take(&mut restore, part, *n)?;
            athletes.extend(part.athlete());
            match part {
                Part::Session(..) => came.sessions += rows,
                Part::OfAthlete(_, table) if *table == "journal" => came.entries += rows,
                _ => {}
            }
        }
        came.athletes = athletes.len() as u64;
        let told = &self.told.totals;
        total("athletes", came.athletes, told.athletes)?;
        total("sessions", came.sessions, told.sessions)?;
        total("entries", came.entries, told.entries)?;
        came.strides = restore.current_strides()?;
        total("strides", came.strides, told.strides)?;
        restore.finish()?;
        Ok(Exported {
            files: told.files,
            bytes: told.bytes,
            recordings: told.recordings,
            samples: told.samples,
            without_raw: told.without_raw.clone(),
            ..came
        })
    }

    /// Takes one file; how many rows it had. Its sum is compared once more, on the bytes that were taken.
    fn take(&self, restore: &mut Restore, part: &Part, n: usize) -> Result<u64, RestoreError> {
        let (file, path) = (&self.told.files[n], self.path(n));
        let input = File::open(&path).map_err(|e| StoreError::io(&path, &e))?;
        let mut input = Summing {
            file: input,
            hash: Sha256::new(),
        };
        let rows = if let Part::RawFile(_, session, part) = part {
            let to = restore.raw_place(*part, session)?;
            copy(&mut input, &to)?;
            None
        } else {
            let mut lines = BufReader::with_capacity(1 << 16, &mut input);
            let rows = match part {
                Part::Metrics => restore.metric_columns(&mut lines),
                Part::OfAthlete(athlete, table) => restore.athlete_rows(table, athlete, &mut lines),
                Part::Session(athlete, session) => restore.session(athlete, session, &mut lines),
                Part::OfSession(_, session, table) => restore.session_rows(table, session, &mut lines),
                Part::ForPeople | Part::RawFile(..) => Ok(0),
            };
            Some(rows.map_err(|e| in_file(&file.path, e))?)
        };
        let sha256 = manifest::text(&input.hash.finalize());
        if sha256 != file.sha256 {
            return Err(self.differs(n, "SHA-256", sha256, file.sha256.clone()));
        }
        match (rows, file.rows) {
            (None, _) => Ok(0),
            (Some(found), Some(expected)) if found == expected => Ok(found),
            (Some(found), expected) => {
                let expected = expected.map_or("a number of rows".to_owned(), |n| n.to_string());
                Err(self.differs(n, "rows", found.to_string(), expected))
            }
        }
    }
}

/// What of an error of a row belongs to a file.
fn in_file(path: &str, error: StoreError) -> RestoreError {
    match error {
        StoreError::Rejected { row, why } => RestoreError::Row {
            path: path.to_owned(),
            place: row,
            why,
        },
        StoreError::Missing { what } => RestoreError::Row {
            path: path.to_owned(),
            place: "line 1".to_owned(),
            why: format!("there is no {what} in the export"),
        },
        other => RestoreError::Store(other),
    }
}

/// Writes everything that is left of `input` to a new file.
fn copy(input: &mut impl Read, to: &Path) -> Result<(), StoreError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(to).map_err(|e| StoreError::io(to, &e))?;
    let done = std::io::copy(input, &mut out)
        .and_then(|_| out.flush())
        .and_then(|()| out.sync_all());
    done.map_err(|e| StoreError::io(to, &e))
}

/// Sums what is read.
struct Summing {
    file: File,
    hash: Sha256,
}

impl Read for Summing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}
