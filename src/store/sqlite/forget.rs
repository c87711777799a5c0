//! Forgetting an athlete: sessions, samples, entries, flags, and who looked at them.

use super::super::contract::{History as _, Store as _};
use super::super::error::StoreError;
use super::super::ids::AthleteId;
use super::super::query::{Completeness, SessionQuery};
use super::super::raw;
use super::{SqliteStore, schema};

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Sessions.
    pub sessions: u64,
    /// Strides, as far as they were counted.
    pub strides: u64,
    /// Files of samples.
    pub raw_files: u64,
    /// Entries of the journal, with what they said before.
    pub entries: u64,
}

/// Tables with rows of an athlete beside the sessions.
const TABLES: [&str; 6] = [
    "journal",
    "journal_past",
    "flag_states",
    "flag_summaries",
    "flag_inputs",
    "access_log",
];

impl SqliteStore {
    /// Removes everything that is kept of an athlete. Doing it again is harmless. Copies elsewhere are out of reach:
    /// backups, exports, and sinks until they are next brought up to date.
    ///
    /// # Errors
    /// Those of the disk; what was removed before one stays removed.
    pub fn forget_athlete(&self, athlete: &AthleteId) -> Result<Forgotten, StoreError> {
        let mut done = Forgotten::default();
        loop {
            let page = self.sessions(&SessionQuery {
                athlete: Some(athlete.clone()),
                ..SessionQuery::default()
            })?;
            for row in &page.rows {
                done.sessions += 1;
                done.strides += row.strides.unwrap_or(0);
                done.raw_files += u64::from(raw::path_of(&self.dir, &row.meta.id).exists());
                self.delete_session(&row.meta.id)?;
            }
            if page.completeness == Completeness::Complete {
                break;
            }
        }
        let mut conn = schema::open_companion(&self.dir)?;
        let tx = conn.transaction()?;
        for table in TABLES {
            let gone = tx.execute(
                &format!("DELETE FROM {table} WHERE athlete_id = ?1"),
                [athlete.as_str()],
            )?;
            if table.starts_with("journal") {
                done.entries += gone as u64;
            }
        }
        tx.commit()?;
        // What was deleted still stands in the log of changes until that is folded in.
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::access::{Access, Role};
    use super::super::super::fixture;
    use super::super::super::ids::UtcMicros;
    use super::super::super::journal::{Body, CheckIn, Day, Entry, EntryId, EntryQuery, Journal as _};
    use super::super::{SqliteAccess, SqliteJournal};
    use super::*;

    #[test]
    fn what_is_forgotten_is_gone_from_the_files_and_others_stay() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(dir.path(), "test").expect("store");
        for (id, athlete) in [("s1", "anna"), ("s2", "ben")] {
            let mut meta = fixture::meta(id);
            meta.athlete = AthleteId::parse(athlete).expect("id");
            meta.note = Some(format!("canary of {athlete}"));
            store.open_session(&meta).expect("opens");
        }
        let journal = SqliteJournal::open(dir.path()).expect("journal");
        let access = SqliteAccess::open(dir.path()).expect("access");
        for athlete in ["anna", "ben"] {
            let entry = Entry {
                id: EntryId::parse("c").expect("id"),
                athlete: AthleteId::parse(athlete).expect("id"),
                day: Day::from_days(9),
                at: UtcMicros::from_micros(9),
                body: Body::CheckIn(CheckIn {
                    text: Some(format!("canary of {athlete}")),
                    ..CheckIn::default()
                }),
            };
            journal.put(&entry, UtcMicros::from_micros(1)).expect("put");
            let look = Access {
                at: UtcMicros::from_micros(2),
                actor: format!("canary of {athlete}"),
                role: Role::Coach,
                athlete: entry.athlete,
                action: "read".to_owned(),
            };
            access.note(&look).expect("noted");
        }
        let anna = AthleteId::parse("anna").expect("id");
        let done = store.forget_athlete(&anna).expect("forgotten");
        assert_eq!((done.sessions, done.entries), (1, 1));
        assert_eq!(store.forget_athlete(&anna), Ok(Forgotten::default()));
        assert_eq!(journal.entries(&EntryQuery::default()).map(|e| e.len()), Ok(1));
        drop((store, journal, access));
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(dir.path()).expect("folder").flatten() {
            bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
        }
        let holds = |word: &str| bytes.windows(word.len()).any(|w| w == word.as_bytes());
        assert!(holds("canary of ben") && !holds("canary of anna"));
    }
}
