//! A copy of the whole record that opens as one: made beside a live writer, checked, and only then put in its place.

use super::super::error::StoreError;
use super::super::ids::SessionId;
use super::super::private::{create_private_dir, make_private_file};
use super::super::raw::{self, RawPart};
use super::{RECORD_FILE, SqliteReader, schema};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Raw files.
    pub raw_files: u64,
    /// Bytes of everything.
    pub bytes: u64,
    /// Sessions that were being recorded: their rows so far are in it, their raw samples are not.
    pub without_raw: Vec<String>,
}

/// Rows of every table.
fn counts(conn: &Connection) -> Result<BTreeMap<String, u64>, StoreError> {
    let mut stmt =
        conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")?;
    let names: Vec<String> = stmt.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut all = BTreeMap::new();
    for name in names {
        let n: i64 = conn.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0))?;
        all.insert(name, u64::try_from(n).unwrap_or(0));
    }
    Ok(all)
}

/// Opens a copy, looks through it, and counts its rows.
fn checked(path: &Path) -> Result<BTreeMap<String, u64>, StoreError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let verdict: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Corrupt {
            detail: format!("{}: {verdict}", path.display()),
        });
    }
    let loose: i64 = conn.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if loose > 0 {
        return Err(StoreError::Corrupt {
            detail: format!("{}: {loose} rows belong to nothing", path.display()),
        });
    }
    counts(&conn)
}

impl SqliteReader {
    /// Makes a copy of the record and its raw files as the folder `to`, which must not be there yet. A writer may go on
    /// meanwhile. The copy is a data folder itself: it is used by naming it.
    ///
    /// # Errors
    /// `Rejected` when `to` is there already or lies inside the record; `Corrupt` when the copy does not pass its check, and
    /// nothing is left then; `Full`, `Io`.
    pub fn backup(&self, to: &Path) -> Result<Backup, StoreError> {
        let dir = self.dir.clone();
        if to.exists() {
            return Err(StoreError::rejected(to.display().to_string(), "it is there already"));
        }
        let part = part_of(to);
        if part.exists() {
            std::fs::remove_dir_all(&part).map_err(|e| StoreError::io(&part, &e))?;
        }
        create_private_dir(&part)?;
        let inside = part.canonicalize().ok().zip(dir.canonicalize().ok());
        let made = if inside.is_some_and(|(part, dir)| part.starts_with(dir)) {
            Err(StoreError::rejected(
                to.display().to_string(),
                "it lies inside the folder of the record",
            ))
        } else {
            self.fill(&dir, &part)
        };
        let made = made.and_then(|made| {
            std::fs::rename(&part, to).map_err(|e| StoreError::io(to, &e))?;
            Ok(made)
        });
        if made.is_err() {
            // A half copy is worse than none.
            let _ = std::fs::remove_dir_all(&part);
        }
        made
    }

    fn fill(&self, dir: &Path, part: &Path) -> Result<Backup, StoreError> {
        let record = part.join(RECORD_FILE);
        let target = record.to_str().ok_or_else(|| StoreError::Io {
            path: record.clone(),
            detail: "the path is not text".to_owned(),
        })?;
        let before = self.with(|conn, _| counts(conn))?;
        self.with(|_, _| {
            let conn = schema::open_copier(dir)?;
            conn.execute("VACUUM INTO ?1", [target])?;
            Ok(())
        })?;
        make_private_file(&record)?;
        let rows = checked(&record)?;
        let after = self.with(|conn, _| counts(conn))?;
        for (table, n) in &rows {
            let (least, most) = (before.get(table).copied(), after.get(table).copied());
            let (least, most) = (least.min(most).unwrap_or(0), least.max(most).unwrap_or(0));
            // The outbox shrinks as copies are sent; everything else only grows while nobody deletes.
            if (*n < least || *n > most) && table != "outbox" {
                return Err(StoreError::Corrupt {
                    detail: format!("the copy has {n} rows of {table}, the record {least} to {most}"),
                });
            }
        }
        let mut backup = Backup {
            rows,
            bytes: size(&record),
            ..Backup::default()
        };
        let raw_dir = part.join(raw::FOLDER);
        create_private_dir(&raw_dir)?;
        for held in self.raw_stock()? {
            if held.open {
                backup.without_raw.push(held.session.to_string());
                continue;
            }
            backup.bytes += copy_raw(dir, part, &held.session, &mut backup.raw_files)?;
        }
        Ok(backup)
    }
}

/// Copies the raw files of a session; bytes copied.
fn copy_raw(dir: &Path, part: &Path, session: &SessionId, files: &mut u64) -> Result<u64, StoreError> {
    let mut bytes = 0;
    for kind in RawPart::ALL {
        let to = kind.path(part, session);
        if raw::copy(dir, kind, session, &to)? {
            *files += 1;
            bytes += size(&to);
        }
    }
    Ok(bytes)
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    to.with_file_name(name)
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}
