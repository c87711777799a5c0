//! Everything that lope keeps of people, as files in open formats: tables as CSV, entries as JSON lines, raw samples as
//! recordings that `lope analyze` reads, and a manifest with the size and hash of each file.
//!
//! Beside what people read stand the rows as the record keeps them (`exact/`, `raw.db`, `links`), from which
//! [`super::restore`] makes the same record again.
//!
//! The folder is made beside its place and renamed into it at the end, so that a half export is never taken for a whole one.

pub(crate) mod manifest;
mod readme;
mod recording;

use crate::store::csv::{self, CsvDialect};
use crate::store::raw::RawPart;
use crate::store::sqlite::{ATHLETE_TABLES, METRIC_TABLE, ROW_TABLES, SESSION_TABLES};
use crate::store::{AthleteId, Completeness, History, SessionId, SessionQuery, SessionRow, SqliteReader, StoreError};
use manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Whether raw samples are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Raw {
    /// As recordings, and as they are kept.
    Included,
    /// They are many; left where they are.
    LeftOut,
}

/// Name of a raw file in the folder of its session.
#[must_use]
pub(crate) const fn raw_name(part: RawPart) -> &'static str {
    match part {
        RawPart::Samples => "raw.db",
        RawPart::Links => "links",
    }
}

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Exported {
    /// Athletes.
    pub athletes: u64,
    /// Sessions.
    pub sessions: u64,
    /// Strides.
    pub strides: u64,
    /// Entries of the journal.
    pub entries: u64,
    /// Recordings with raw samples.
    pub recordings: u64,
    /// Raw samples.
    pub samples: u64,
    /// Sessions whose raw samples were kept once and have been removed, or could not be read: with the reason.
    pub without_raw: Vec<String>,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Exports everything of `athletes` into the folder `to`, which must not be there yet.
///
/// # Errors
/// `Rejected` when it is there; those of the store and the disk. Nothing is left behind then.
pub fn export(reader: &SqliteReader, athletes: &[AthleteId], raw: Raw, to: &Path) -> Result<Exported, StoreError> {
    if to.exists() {
        return Err(StoreError::Rejected {
            row: to.display().to_string(),
            why: "it is there already".to_owned(),
        });
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = to.with_file_name(name);
    let made = Export::begin(reader, &part, raw).and_then(|mut export| {
        for athlete in athletes {
            export.athlete(athlete)?;
        }
        export.finish(reader.layout()?)
    });
    let made = made.and_then(|made| {
        std::fs::rename(&part, to).map_err(|e| io(to, &e))?;
        Ok(made)
    });
    if made.is_err() {
        // A half export is worse than none.
        let _ = std::fs::remove_dir_all(&part);
    }
    made
}

pub(super) fn io(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        detail: error.to_string(),
    }
}

struct Export<'a> {
    reader: &'a SqliteReader,
    root: PathBuf,
    raw: Raw,
    done: Exported,
    manifest: Manifest,
}

impl<'a> Export<'a> {
    fn begin(reader: &'a SqliteReader, root: &Path, raw: Raw) -> Result<Self, StoreError> {
        if root.exists() {
            std::fs::remove_dir_all(root).map_err(|e| io(root, &e))?;
        }
        make_private(root)?;
        let mut export = Self {
            reader,
            root: root.to_owned(),
            raw,
            done: Exported::default(),
            manifest: Manifest::default(),
        };
        export.file(&format!("{METRIC_TABLE}.jsonl"), |out| reader.dump_metric_columns(out))?;
        Ok(export)
    }

    /// Writes a file with `fill`, which says how many rows it wrote; a file without rows is not left there.
    fn file(
        &mut self,
        path: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<u64, StoreError>,
    ) -> Result<u64, StoreError> {
        let target = self.root.join(path);
        if let Some(folder) = target.parent() {
            make_private(folder)?;
        }
        let file = File::create(&target).map_err(|e| io(&target, &e))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let rows = fill(&mut out)?;
        out.flush().map_err(|e| io(&target, &e))?;
        drop(out);
        if rows == 0 {
            std::fs::remove_file(&target).map_err(|e| io(&target, &e))?;
            // A folder that was made for it goes too; one with other files in it stays.
            let _ = target.parent().map(std::fs::remove_dir);
        } else {
            self.manifest.add(&self.root, path, Some(rows))?;
        }
        Ok(rows)
    }

    fn athlete(&mut self, athlete: &AthleteId) -> Result<(), StoreError> {
        self.done.athletes += 1;
        let reader = self.reader;
        for table in ATHLETE_TABLES {
            let rows = self.file(&format!("{athlete}/{table}.jsonl"), |out| {
                reader.dump_of_athlete(table, athlete, out)
            })?;
            if table == "journal" {
                self.done.entries += rows;
            }
        }
        for row in sessions_of(reader, athlete)? {
            self.session(athlete, &row)?;
        }
        Ok(())
    }

    fn session(&mut self, athlete: &AthleteId, row: &SessionRow) -> Result<(), StoreError> {
        let (reader, id) = (self.reader, &row.meta.id);
        let folder = format!("{athlete}/sessions/{id}");
        self.done.sessions += 1;
        self.file(&format!("{folder}/session.jsonl"), |out| reader.dump_session(id, out))?;
        for table in SESSION_TABLES {
            self.file(&format!("{folder}/{table}.jsonl"), |out| {
                reader.dump_of_session(table, id, out)
            })?;
        }
        for table in ROW_TABLES {
            self.file(&format!("{folder}/exact/{table}.csv"), |out| {
                reader.dump_of_session(table, id, out)
            })?;
        }
        let dialect = CsvDialect::default();
        type Table = fn(&dyn History, &SessionId, CsvDialect, &mut dyn Write) -> Result<u64, StoreError>;
        let tables: [(&str, Table); 4] = [
            ("strides", csv::write_strides),
            ("blocks", csv::write_blocks),
            ("windows", csv::write_windows),
            ("events", csv::write_events),
        ];
        for (name, write) in tables {
            let rows = self.file(&format!("{folder}/{name}.csv"), |out| write(reader, id, dialect, out))?;
            if name == "strides" {
                self.done.strides += rows;
            }
        }
        if self.raw == Raw::Included {
            self.recording(&folder, row)?;
            for part in RawPart::ALL {
                let path = format!("{folder}/{}", raw_name(part));
                if reader.copy_raw(part, id, &self.root.join(&path))? {
                    self.manifest.add(&self.root, &path, None)?;
                }
            }
        }
        Ok(())
    }

    /// A recording that cannot be read is no reason to keep the rest back: it is listed.
    fn recording(&mut self, folder: &str, row: &SessionRow) -> Result<(), StoreError> {
        let target = self.root.join(folder).join("recording");
        match recording::write(self.reader, row, &target) {
            Ok(None) => Ok(()),
            Ok(Some(written)) => {
                self.done.recordings += 1;
                self.done.samples += written.samples;
                if written.damaged > 0 {
                    let note = format!("{}: {} damaged parts are missing", row.meta.id, written.damaged);
                    self.done.without_raw.push(note);
                }
                for file in written.files {
                    self.manifest
                        .add(&self.root, &format!("{folder}/recording/{file}"), None)?;
                }
                Ok(())
            }
            Err(error @ (StoreError::Corrupt { .. } | StoreError::Missing { .. })) => {
                let _ = std::fs::remove_dir_all(&target);
                self.done.without_raw.push(format!("{}: {error}", row.meta.id));
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    fn finish(mut self, layout: u32) -> Result<Exported, StoreError> {
        let path = self.root.join("README.md");
        std::fs::write(&path, readme::text()).map_err(|e| io(&path, &e))?;
        self.manifest.add(&self.root, "README.md", None)?;
        (self.done.files, self.done.bytes) = self.manifest.totals();
        self.manifest.write(&self.root, layout, self.raw, &self.done)?;
        Ok(self.done)
    }
}

/// All sessions of an athlete, oldest first.
fn sessions_of(history: &dyn History, athlete: &AthleteId) -> Result<Vec<SessionRow>, StoreError> {
    let mut query = SessionQuery {
        athlete: Some(athlete.clone()),
        ..SessionQuery::default()
    };
    let mut rows = Vec::new();
    loop {
        let page = history.sessions(&query)?;
        rows.extend(page.rows);
        match page.completeness {
            Completeness::Complete => return Ok(rows),
            Completeness::Truncated { resume_at } => query.from = resume_at,
        }
    }
}

/// Makes a folder that only its owner can enter.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| io(path, &e))
}
