//! The journal in the record's file.
//!
//! It has a connection of its own and takes short transactions, so that a check-in can be written while another process
//! records. Only a record of an older layout needs the lock: it is migrated first, by opening the store for a moment.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, UtcMicros};
use super::super::journal::{Body, Day, Entry, EntryId, EntryQuery, Journal, PastEntry, Put};
use super::{SqliteStore, schema, verdicts};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The journal of the record in one folder.
#[derive(Debug)]
pub struct SqliteJournal {
    conn: Mutex<Connection>,
}

impl SqliteJournal {
    /// Opens the journal in the data folder `dir`, making the record where there is none.
    ///
    /// # Errors
    /// Those of the disk; [`StoreError::Busy`] only where the record must first be made or brought to a newer layout and
    /// another process holds it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let conn = match schema::open_companion(dir) {
            Err(StoreError::Missing { .. }) => {
                drop(SqliteStore::open(dir, "lope (journal)")?);
                schema::open_companion(dir)?
            }
            other => other?,
        };
        Ok(Self { conn: Mutex::new(conn) })
    }

    /// Opens the journal of a record that is there, to look something up; `None` where there is no record, or one of a
    /// layout that had no journal yet. Makes and migrates nothing.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open_existing(dir: &Path) -> Result<Option<Self>, StoreError> {
        match schema::open_companion(dir) {
            Ok(conn) => Ok(Some(Self { conn: Mutex::new(conn) })),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Columns in the order in which [`entry_of`] reads them.
const COLUMNS: &str = "athlete_id, entry_id, day, at_us, body, revision";

fn entry_of(row: &Row<'_>) -> rusqlite::Result<Result<(Entry, u32), StoreError>> {
    let (athlete, id, day, at, body, revision): (String, String, i32, i64, String, u32) = (
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
    );
    let read = || {
        let body: Body = serde_json::from_str(&body).map_err(|e| StoreError::Corrupt {
            detail: format!("entry {id} of the journal: {e}"),
        })?;
        let entry = Entry {
            id: EntryId::parse(&id)?,
            athlete: AthleteId::parse(&athlete)?,
            day: Day::from_days(day),
            at: UtcMicros::from_micros(at),
            body,
        };
        Ok((entry, revision))
    };
    Ok(read())
}

fn body_text(entry: &Entry) -> Result<String, StoreError> {
    serde_json::to_string(&entry.body).map_err(|e| StoreError::rejected(format!("entry {}", entry.id), e.to_string()))
}

fn find(conn: &Connection, athlete: &AthleteId, id: &EntryId) -> Result<Option<(Entry, u32)>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM journal WHERE athlete_id = ?1 AND entry_id = ?2");
    conn.prepare_cached(&sql)?
        .query_row((athlete.as_str(), id.as_str()), entry_of)
        .optional()?
        .transpose()
}

/// Moves an entry to the past ones.
fn retire(conn: &Connection, athlete: &AthleteId, id: &EntryId, now: UtcMicros) -> Result<bool, StoreError> {
    let key = (athlete.as_str(), id.as_str(), now.micros());
    conn.execute(
        "INSERT INTO journal_past (athlete_id, entry_id, revision, kind, day, at_us, body, until_us)
         SELECT athlete_id, entry_id, revision, kind, day, at_us, body, ?3 FROM journal
         WHERE athlete_id = ?1 AND entry_id = ?2",
        key,
    )?;
    let gone = conn.execute(
        "DELETE FROM journal WHERE athlete_id = ?1 AND entry_id = ?2",
        (athlete.as_str(), id.as_str()),
    )?;
    Ok(gone > 0)
}

impl Journal for SqliteJournal {
    fn put(&self, entry: &Entry, now: UtcMicros) -> Result<Put, StoreError> {
        let named = || format!("entry {} of {}", entry.id, entry.day);
        if let Some(problem) = entry.body.problem() {
            return Err(StoreError::rejected(named(), problem));
        }
        if !(Day::FIRST..=Day::LAST).contains(&entry.day) || !(UtcMicros::EPOCH..UtcMicros::LIMIT).contains(&entry.at) {
            return Err(StoreError::rejected(named(), "its time lies outside 1970 to 2099"));
        }
        let body = body_text(entry)?;
        let mut conn = self.conn();
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = find(&tx, &entry.athlete, &entry.id)?;
        let put = match &before {
            None => Put::New,
            Some((old, _)) if old == entry => return Ok(Put::Known),
            Some((old, _)) if old.body.kind() != entry.body.kind() => {
                let key = format!("entry {} ({})", entry.id, old.body.kind().name());
                return Err(StoreError::Conflict { key });
            }
            Some(_) => Put::Corrected,
        };
        if before.is_some() {
            retire(&tx, &entry.athlete, &entry.id, now)?;
        }
        let last: Option<u32> = tx.query_row(
            "SELECT max(revision) FROM journal_past WHERE athlete_id = ?1 AND entry_id = ?2",
            (entry.athlete.as_str(), entry.id.as_str()),
            |row| row.get(0),
        )?;
        tx.execute(
            "INSERT INTO journal (athlete_id, entry_id, kind, revision, day, at_us, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                entry.athlete.as_str(),
                entry.id.as_str(),
                entry.body.kind().name(),
                last.unwrap_or(0) + 1,
                entry.day.days(),
                entry.at.micros(),
                body,
            ),
        )?;
        if let Body::StrideVerdict(verdict) = &entry.body {
            verdicts::heard(&tx, &verdict.session)?;
        }
        tx.commit()?;
        Ok(put)
    }

    fn take_back(&self, athlete: &AthleteId, id: &EntryId, now: UtcMicros) -> Result<bool, StoreError> {
        let mut conn = self.conn();
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = find(&tx, athlete, id)?;
        let gone = retire(&tx, athlete, id, now)?;
        if let Some((Body::StrideVerdict(verdict), _)) = before.map(|(entry, revision)| (entry.body, revision)) {
            verdicts::heard(&tx, &verdict.session)?;
        }
        tx.commit()?;
        Ok(gone)
    }

    fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        entries(&self.conn(), query)
    }

    fn entry(&self, athlete: &AthleteId, id: &EntryId) -> Result<Option<Entry>, StoreError> {
        Ok(find(&self.conn(), athlete, id)?.map(|(entry, _)| entry))
    }

    fn past(&self, athlete: &AthleteId, id: &EntryId) -> Result<Vec<PastEntry>, StoreError> {
        let conn = self.conn();
        let sql = format!(
            "SELECT {COLUMNS}, until_us FROM journal_past WHERE athlete_id = ?1 AND entry_id = ?2 ORDER BY revision"
        );
        let mut stmt = conn.prepare_cached(&sql)?;
        let rows = stmt.query_map((athlete.as_str(), id.as_str()), |row| {
            Ok((entry_of(row)?, row.get::<_, i64>(6)?))
        })?;
        rows.map(|row| {
            let (read, until) = row?;
            let (entry, revision) = read?;
            Ok(PastEntry {
                entry,
                revision,
                until: UtcMicros::from_micros(until),
            })
        })
        .collect()
    }
}

/// Everything that entries said before.
pub(super) fn all_past(conn: &Connection) -> Result<Vec<Entry>, StoreError> {
    let mut stmt = conn.prepare(&format!("SELECT {COLUMNS} FROM journal_past"))?;
    let rows = stmt.query_map([], entry_of)?;
    rows.map(|row| Ok(row??.0)).collect()
}

/// The entries that a question names.
pub(super) fn entries(conn: &Connection, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
    let kinds: Vec<String> = query.kinds.iter().map(|k| format!("'{}'", k.name())).collect();
    let of_kind = if kinds.is_empty() {
        String::new()
    } else {
        format!(" AND kind IN ({})", kinds.join(", "))
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM journal WHERE (?1 IS NULL OR athlete_id = ?1) AND day BETWEEN ?2 AND ?3{of_kind}
         ORDER BY day, at_us, athlete_id, entry_id"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map(
        (
            query.athlete.as_ref().map(AthleteId::as_str),
            query.from.unwrap_or(Day::FIRST).days(),
            query.to.unwrap_or(Day::LAST).days(),
        ),
        entry_of,
    )?;
    rows.map(|row| Ok(row??.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::journal::{CheckIn, Kind, Score, SessionNote};
    use super::*;

    fn check_in(id: &str, day: i32, back: u8) -> Entry {
        Entry {
            id: EntryId::parse(id).expect("id"),
            athlete: AthleteId::parse("ada").expect("id"),
            day: Day::from_days(day),
            at: UtcMicros::from_micros(i64::from(day) * 86_400_000_000 + 7),
            body: Body::CheckIn(CheckIn {
                back_now: Some(Score::new(back).expect("score")),
                ..CheckIn::default()
            }),
        }
    }

    fn now(us: i64) -> UtcMicros {
        UtcMicros::from_micros(us)
    }

    #[test]
    fn the_same_entry_again_changes_nothing_and_a_correction_keeps_what_was_said() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let journal = SqliteJournal::open(dir.path()).expect("journal");
        let first = check_in("c1", 100, 2);
        assert_eq!(journal.put(&first, now(1)), Ok(Put::New));
        assert_eq!(journal.put(&first, now(2)), Ok(Put::Known));
        let second = check_in("c1", 100, 5);
        assert_eq!(journal.put(&second, now(3)), Ok(Put::Corrected));
        assert_eq!(journal.take_back(&second.athlete, &second.id, now(4)), Ok(true));
        assert_eq!(journal.take_back(&second.athlete, &second.id, now(5)), Ok(false));
        assert_eq!(journal.put(&first, now(6)), Ok(Put::New));
        let past = journal.past(&first.athlete, &first.id).expect("past");
        let told: Vec<_> = past.iter().map(|p| (p.entry.clone(), p.revision, p.until)).collect();
        assert_eq!(told, [(first.clone(), 1, now(3)), (second, 2, now(4))]);
        assert_eq!(journal.entries(&EntryQuery::default()), Ok(vec![first]));
    }

    #[test]
    fn entries_come_by_day_and_only_those_asked_for() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let journal = SqliteJournal::open(dir.path()).expect("journal");
        for (id, day) in [("b", 12), ("a", 12), ("z", 10), ("y", 20)] {
            journal.put(&check_in(id, day, 1), now(1)).expect("put");
        }
        let note = Entry {
            id: EntryId::parse("session-1").expect("id"),
            body: Body::SessionNote(SessionNote::default()),
            ..check_in("n", 11, 0)
        };
        journal.put(&note, now(1)).expect("put");
        let ids = |query: EntryQuery| -> Vec<String> {
            let found = journal.entries(&query).expect("entries");
            found.iter().map(|e| e.id.to_string()).collect()
        };
        assert_eq!(ids(EntryQuery::default()), ["z", "session-1", "a", "b", "y"]);
        let some = EntryQuery {
            kinds: vec![Kind::CheckIn],
            from: Some(Day::from_days(11)),
            to: Some(Day::from_days(12)),
            ..EntryQuery::default()
        };
        assert_eq!(ids(some), ["a", "b"]);
        let nobody = EntryQuery {
            athlete: Some(AthleteId::parse("ben").expect("id")),
            ..EntryQuery::default()
        };
        assert!(ids(nobody).is_empty());
    }

    #[test]
    fn an_impossible_entry_is_refused_with_the_value_and_an_id_keeps_its_kind() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let journal = SqliteJournal::open(dir.path()).expect("journal");
        let far = SessionNote {
            km: Some(1200.0),
            ..SessionNote::default()
        };
        let mut entry = check_in("x", 100, 1);
        entry.body = Body::SessionNote(far);
        let refused = journal.put(&entry, now(1)).expect_err("too far").to_string();
        assert!(
            refused.contains("1200") && refused.contains("between 0 and 1000"),
            "{refused}"
        );
        journal.put(&check_in("x", 100, 1), now(1)).expect("put");
        entry.body = Body::SessionNote(SessionNote::default());
        assert!(matches!(journal.put(&entry, now(2)), Err(StoreError::Conflict { .. })));
    }

    #[test]
    fn a_check_in_is_written_while_another_holds_the_store() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let _recording = SqliteStore::open(dir.path(), "lope record").expect("store");
        let journal = SqliteJournal::open(dir.path()).expect("journal");
        assert_eq!(journal.put(&check_in("c", 5, 3), now(1)), Ok(Put::New));
    }
}
