//! What copies of the record get of an athlete's flags, and the entries of the outbox that say so.
//!
//! It is kept apart from the series of flags: without the athlete's consent nothing that rests on a symptom may leave the
//! record, and flags judged without symptoms are other flags, not fewer.

use super::super::error::StoreError;
use super::super::ids::AthleteId;
use super::super::journal::Day;
use super::super::outbox::{FlagChange, SinkName};
use super::flag_series::{KeptState, SqliteFlagSeries};
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::BTreeMap;

/// A day, µs.
const DAY_US: i64 = 86_400_000_000;

type Copied = BTreeMap<(i32, String), (String, String)>;

impl SqliteFlagSeries {
    /// Makes what copies get of an athlete's flags equal to `states` under these rules, and tells sinks what changed.
    /// Evidence is not copied. Returns how many rows differed.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn copy(&self, athlete: &AthleteId, rules_version: &str, states: &[KeptState]) -> Result<usize, StoreError> {
        let mut conn = self.conn();
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = copied(&tx, athlete)?;
        let after: Copied = states
            .iter()
            .map(|s| {
                (
                    (s.day.days(), s.flag.clone()),
                    (s.state.clone(), rules_version.to_owned()),
                )
            })
            .collect();
        let gone: Vec<&(i32, String)> = before.keys().filter(|k| !after.contains_key(*k)).collect();
        let new: Vec<_> = after.iter().filter(|(k, v)| before.get(*k) != Some(v)).collect();
        for (day, flag) in &gone {
            tx.prepare_cached("DELETE FROM flag_copies WHERE athlete_id = ?1 AND day = ?2 AND flag = ?3")?
                .execute(params![athlete.as_str(), day, flag])?;
        }
        for ((day, flag), (state, version)) in &new {
            tx.prepare_cached("INSERT OR REPLACE INTO flag_copies VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![athlete.as_str(), flag, day, state, version])?;
        }
        // A deletion takes every flag of its days along, so those days are sent again.
        if let Some(span) = gone.iter().map(|k| k.0).fold(None, widen) {
            entry(&tx, "delete", athlete, span, None)?;
        }
        let touched = gone.iter().map(|k| k.0).chain(new.iter().map(|(k, _)| k.0));
        if let Some(span) = touched.fold(None, widen) {
            entry(&tx, "put", athlete, span, None)?;
        }
        let changed = gone.len() + new.len();
        tx.commit()?;
        Ok(changed)
    }
}

/// The span with this day in it, both ends included.
fn widen(span: Option<(i32, i32)>, day: i32) -> Option<(i32, i32)> {
    let (from, to) = span.unwrap_or((day, day));
    Some((from.min(day), to.max(day)))
}

fn copied(conn: &Connection, athlete: &AthleteId) -> Result<Copied, StoreError> {
    let mut stmt =
        conn.prepare_cached("SELECT day, flag, state, rules_version FROM flag_copies WHERE athlete_id = ?1")?;
    let rows = stmt.query_map([athlete.as_str()], |r| {
        Ok(((r.get(0)?, r.get(1)?), (r.get(2)?, r.get(3)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An entry about all flags of the days of a span; none while no sink is known.
fn entry(
    conn: &Connection,
    op: &str,
    athlete: &AthleteId,
    (first, last): (i32, i32),
    sink: Option<&SinkName>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO outbox (sink, op, athlete_id, session_id, analysis, measurement, from_us, to_us)
         SELECT ?1, ?2, ?3, '', 0, 'flag', ?4, ?5 WHERE EXISTS (SELECT 1 FROM sink_cursors)",
    )?
    .execute(params![
        sink.map(SinkName::as_str),
        op,
        athlete.as_str(),
        i64::from(first) * DAY_US,
        (i64::from(last) + 1) * DAY_US
    ])
    .map(drop)
}

/// Entries for everything that copies get of flags, for a sink that is new.
pub(crate) fn put_all(conn: &Connection, sink: &SinkName) -> Result<(), StoreError> {
    let mut stmt = conn.prepare("SELECT athlete_id, min(day), max(day) FROM flag_copies GROUP BY athlete_id")?;
    let rows = stmt.query_map([], |r| Ok((r.get::<_, String>(0)?, (r.get(1)?, r.get(2)?))))?;
    for row in rows {
        let (athlete, span) = row?;
        entry(conn, "put", &AthleteId::parse(&athlete)?, span, Some(sink))?;
    }
    Ok(())
}

/// The athlete is forgotten: copies are told to, and nothing is left of what they were to get. Returns the rows removed.
pub(crate) fn forget(conn: &Connection, athlete: &AthleteId) -> Result<u64, StoreError> {
    let id = athlete.as_str();
    conn.execute(
        "DELETE FROM outbox WHERE op = 'put' AND measurement = 'flag' AND athlete_id = ?1",
        [id],
    )?;
    let span: (Option<i32>, Option<i32>) = conn.query_row(
        "SELECT min(day), max(day) FROM flag_copies WHERE athlete_id = ?1",
        [id],
        |r| Ok((r.get(0)?, r.get(1)?)),
    )?;
    if let (Some(first), Some(last)) = span {
        entry(conn, "delete", athlete, (first, last), None)?;
    }
    // Ids of athletes hold no character with a meaning to LIKE but the underscore.
    let line = format!("gait\\_flag,athlete={},%", id.replace('_', "\\_"));
    conn.execute(
        "DELETE FROM sink_rejects WHERE session_id = '' AND line LIKE ?1 ESCAPE '\\'",
        [line],
    )?;
    Ok(conn.execute("DELETE FROM flag_copies WHERE athlete_id = ?1", [id])? as u64)
}

/// The changes of an athlete's flags at instants in `[from, to)` (UTC, µs), by time.
pub(crate) fn changes(
    conn: &Connection,
    athlete: &AthleteId,
    from_us: i64,
    to_us: i64,
) -> Result<Vec<(i64, FlagChange)>, StoreError> {
    let mut stmt = conn.prepare_cached(
        "SELECT day, flag, state, rules_version FROM flag_copies
         WHERE athlete_id = ?1 AND day * ?4 >= ?2 AND day * ?4 < ?3 ORDER BY day, flag",
    )?;
    let rows = stmt.query_map(params![athlete.as_str(), from_us, to_us, DAY_US], |r| {
        let change = FlagChange {
            flag: r.get(1)?,
            state: r.get(2)?,
            rules_version: r.get(3)?,
        };
        Ok((i64::from(Day::from_days(r.get(0)?).days()) * DAY_US, change))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::super::super::error::StoreError;
    use super::super::super::ids::UtcMicros;
    use super::super::super::outbox::{Content, Next};
    use super::super::{SinkLedger, SqliteStore};
    use super::*;
    use std::ops::ControlFlow;
    use std::path::Path;

    const NOW: UtcMicros = UtcMicros::EPOCH;

    fn state(flag: &str, day: i32, state: &str) -> KeptState {
        KeptState {
            flag: flag.to_owned(),
            day: Day::from_days(day),
            state: state.to_owned(),
            evidence: None,
        }
    }

    fn ada() -> AthleteId {
        AthleteId::parse("ada").expect("an id")
    }

    /// Spans of days, both ends as sent.
    type Spans = Vec<(i64, i64)>;
    /// Day, flag and state.
    type Told = Vec<(i64, String, String)>;

    /// Works the list off: spans of deletions in days, and (day, flag, state) of what was sent.
    fn drained(ledger: &mut SinkLedger) -> (Spans, Told) {
        let (mut erased, mut sent) = (Vec::new(), Vec::new());
        loop {
            let next = ledger.next(&mut |row| {
                assert_eq!((row.session, row.analysis), (None, 0));
                let Content::Flag(change) = row.content else {
                    panic!("flags alone")
                };
                sent.push((row.at_us / DAY_US, change.flag, change.state));
                ControlFlow::Continue(())
            });
            let then = match next.expect("read") {
                Next::Nothing => return (erased, sent),
                Next::Rows { then } => then,
                Next::Erase { erasure, then } => {
                    assert_eq!((&erasure.athlete, &erasure.session), (&ada(), &None));
                    erased.push((erasure.from_us / DAY_US, erasure.to_us / DAY_US));
                    then
                }
            };
            ledger.settle(then, 0, &[], NOW).expect("noted");
        }
    }

    fn ledger(dir: &Path) -> Result<SinkLedger, StoreError> {
        Ok(SinkLedger::open(dir, &SinkName::parse("club")?, "there", NOW)?.0)
    }

    #[test]
    fn a_new_sink_gets_all_flags_and_then_what_changes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(dir.path(), "test").expect("opens");
        let series = SqliteFlagSeries::open(dir.path()).expect("opens");
        let first = [
            state("FS1", 100, "none"),
            state("SY1", 103, "watch"),
            state("FS1", 105, "info"),
        ];
        assert_eq!(series.copy(&ada(), "1", &first), Ok(3));
        let mut club = ledger(dir.path()).expect("a record");
        let told = |day, flag: &str, state: &str| (day, flag.to_owned(), state.to_owned());
        let all = vec![
            told(100, "FS1", "none"),
            told(103, "SY1", "watch"),
            told(105, "FS1", "info"),
        ];
        assert_eq!(drained(&mut club), (vec![], all.clone()));
        assert_eq!(series.copy(&ada(), "1", &first), Ok(0));
        assert_eq!(drained(&mut club), (vec![], vec![]), "nothing new, nothing to tell");

        // Consent is withdrawn: what rested on symptoms goes, and what else its days held is sent again.
        assert_eq!(series.copy(&ada(), "1", &[first[0].clone(), first[2].clone()]), Ok(1));
        assert_eq!(drained(&mut club), (vec![(103, 104)], vec![]));
        // Other rules: every point says by which.
        assert_eq!(series.copy(&ada(), "2", &[first[0].clone(), first[2].clone()]), Ok(2));
        assert_eq!(drained(&mut club), (vec![], vec![all[0].clone(), all[2].clone()]));

        // Forgotten while the sink was away: nothing is sent, all is deleted.
        assert_eq!(series.copy(&ada(), "2", &[state("FS1", 90, "high")]), Ok(3));
        drop(series);
        let gone = store.forget(&ada()).expect("forgotten");
        assert_eq!((gone.flag_rows, gone.sinks), (1, vec!["club".to_owned()]));
        let (erased, sent) = drained(&mut club);
        assert_eq!((erased, sent), (vec![(100, 106), (90, 91)], vec![]));
    }
}
