//! Flags over time: the states, the summaries and the inputs that the rules gave, by version of the rules.
//!
//! Flags are replayed from what was entered and measured, so all of this is derived. It is kept so that other programs can
//! draw it, and so that two versions of the rules can be laid side by side. Keeping the same again changes nothing; what
//! an entry made later says about earlier days replaces those days only.

use super::super::error::StoreError;
use super::super::ids::AthleteId;
use super::super::journal::Day;
use super::run_values::companion;
use rusqlite::{Connection, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A change of a flag's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptState {
    /// The flag.
    pub flag: String,
    /// Day at whose end it was so.
    pub day: Day,
    /// By name, `not_enough_data` included.
    pub state: String,
    /// JSON: the explanation of that day.
    pub evidence: Option<String>,
}

/// The summary of a day on which it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSummary {
    /// The day.
    pub day: Day,
    /// By name.
    pub state: String,
    /// Share of the counted families that could be measured.
    pub coverage: f64,
}

/// An input on a day on which it was known.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptInput {
    /// Its name.
    pub input: String,
    /// The day.
    pub day: Day,
    /// Its value.
    pub value: f64,
}

/// Everything about one athlete under one version of the rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlagSeries {
    /// Changes of states.
    pub states: Vec<KeptState>,
    /// Changes of the summary.
    pub summaries: Vec<KeptSummary>,
    /// Inputs.
    pub inputs: Vec<KeptInput>,
}

/// What keeping changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesChanged {
    /// Rows written.
    pub written: usize,
    /// Rows taken away.
    pub removed: usize,
}

/// The tables of flags in one folder.
#[derive(Debug)]
pub struct SqliteFlagSeries {
    conn: Mutex<Connection>,
}

type Key = (String, i32);

impl SqliteFlagSeries {
    /// Opens them in the data folder `dir`.
    ///
    /// # Errors
    /// As [`super::SqliteJournal::open`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            conn: companion(dir, "lope (flags)")?,
        })
    }

    pub(super) fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The changes of states, by day and flag.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn states(&self, athlete: &AthleteId, rules_version: &str) -> Result<Vec<KeptState>, StoreError> {
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(
            "SELECT flag, day, state, evidence FROM flag_states WHERE athlete_id = ?1 AND rules_version = ?2
             ORDER BY day, flag",
        )?;
        let rows = stmt.query_map((athlete.as_str(), rules_version), |r| {
            Ok(KeptState {
                flag: r.get(0)?,
                day: Day::from_days(r.get(1)?),
                state: r.get(2)?,
                evidence: r.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The changes of states without their evidence, which is most of the bytes.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn state_changes(&self, athlete: &AthleteId, rules_version: &str) -> Result<Vec<KeptState>, StoreError> {
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(
            "SELECT flag, day, state FROM flag_states WHERE athlete_id = ?1 AND rules_version = ?2 ORDER BY day, flag",
        )?;
        let rows = stmt.query_map((athlete.as_str(), rules_version), |r| {
            Ok(KeptState {
                flag: r.get(0)?,
                day: Day::from_days(r.get(1)?),
                state: r.get(2)?,
                evidence: None,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The changes of the summary, by day.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn summaries(&self, athlete: &AthleteId, rules_version: &str) -> Result<Vec<KeptSummary>, StoreError> {
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(
            "SELECT day, state, coverage FROM flag_summaries WHERE athlete_id = ?1 AND rules_version = ?2 ORDER BY day",
        )?;
        let rows = stmt.query_map((athlete.as_str(), rules_version), |r| {
            Ok(KeptSummary {
                day: Day::from_days(r.get(0)?),
                state: r.get(1)?,
                coverage: r.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One input over time.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn input(&self, athlete: &AthleteId, rules_version: &str, input: &str) -> Result<Vec<(Day, f64)>, StoreError> {
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(
            "SELECT day, value FROM flag_inputs WHERE athlete_id = ?1 AND rules_version = ?2 AND input = ?3 ORDER BY day",
        )?;
        let rows = stmt.query_map((athlete.as_str(), rules_version, input), |r| {
            Ok((Day::from_days(r.get(0)?), r.get(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Makes what is kept equal to `series`, writing and removing only what differs, in one transaction.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn keep(
        &self,
        athlete: &AthleteId,
        rules_version: &str,
        series: &FlagSeries,
    ) -> Result<SeriesChanged, StoreError> {
        let mut conn = self.conn();
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let who = (athlete.as_str(), rules_version);
        let mut changed = SeriesChanged::default();
        let text = |s: &KeptState| (s.state.clone(), s.evidence.clone());
        changed.add(reconcile(
            &tx,
            who,
            ("flag_states", "flag", "state, evidence"),
            |r| Ok((r.get::<_, String>(2)?, r.get::<_, Option<String>>(3)?)),
            series
                .states
                .iter()
                .map(|s| ((s.flag.clone(), s.day.days()), text(s)))
                .collect(),
        )?);
        // The summary has no name of its own: one series, under an empty one.
        changed.add(reconcile(
            &tx,
            who,
            ("flag_summaries", "''", "state, coverage"),
            |r| Ok((r.get::<_, String>(2)?, r.get::<_, f64>(3)?)),
            series
                .summaries
                .iter()
                .map(|s| ((String::new(), s.day.days()), (s.state.clone(), s.coverage)))
                .collect(),
        )?);
        changed.add(reconcile(
            &tx,
            who,
            ("flag_inputs", "input", "value, NULL"),
            |r| Ok((r.get::<_, f64>(2)?, r.get::<_, Option<i64>>(3)?)),
            series
                .inputs
                .iter()
                .map(|i| ((i.input.clone(), i.day.days()), (i.value, None)))
                .collect(),
        )?);
        tx.commit()?;
        Ok(changed)
    }
}

impl SeriesChanged {
    fn add(&mut self, other: Self) {
        self.written += other.written;
        self.removed += other.removed;
    }
}

/// Makes the rows of one table equal to `wanted`. `(table, name column, value columns)`; a name column `''` has none.
fn reconcile<A, B>(
    tx: &Connection,
    (athlete, version): (&str, &str),
    (table, name, values): (&str, &str, &str),
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<(A, B)>,
    wanted: BTreeMap<Key, (A, B)>,
) -> Result<SeriesChanged, StoreError>
where
    A: PartialEq + rusqlite::ToSql,
    B: PartialEq + rusqlite::ToSql,
{
    let named = name != "''";
    let sql = format!("SELECT {name}, day, {values} FROM {table} WHERE athlete_id = ?1 AND rules_version = ?2");
    let mut stmt = tx.prepare_cached(&sql)?;
    let rows = stmt.query_map((athlete, version), |r| {
        Ok(((r.get::<_, String>(0)?, r.get::<_, i32>(1)?), read(r)?))
    })?;
    let present: BTreeMap<Key, (A, B)> = rows.collect::<Result<_, _>>()?;
    let mut changed = SeriesChanged::default();
    let which = if named {
        format!(" AND {name} = ?4")
    } else {
        " AND ?4 = ''".to_owned()
    };
    let delete = format!("DELETE FROM {table} WHERE athlete_id = ?1 AND rules_version = ?2 AND day = ?3{which}");
    let mut delete = tx.prepare_cached(&delete)?;
    for key in present.keys().filter(|k| !wanted.contains_key(*k)) {
        changed.removed += delete.execute((athlete, version, key.1, &key.0))?;
    }
    let one_value = values.ends_with(", NULL");
    let columns = values.trim_end_matches(", NULL");
    let mut fields = vec!["?1", "?2", "?3"];
    if named {
        fields.push("?4");
    }
    fields.push("?5");
    if !one_value {
        fields.push("?6");
    }
    let own = if named { format!("{name}, ") } else { String::new() };
    let insert = format!(
        "INSERT OR REPLACE INTO {table} (athlete_id, rules_version, day, {own}{columns}) VALUES ({})",
        fields.join(", ")
    );
    let mut insert = tx.prepare_cached(&insert)?;
    for (key, value) in wanted.iter().filter(|(k, v)| present.get(*k) != Some(v)) {
        // Parameters are bound by number: a statement without ?4 or ?6 takes fewer.
        let bind: [(usize, &dyn rusqlite::ToSql); 6] = [
            (1, &athlete),
            (2, &version),
            (3, &key.1),
            (4, &key.0),
            (5, &value.0),
            (6, &value.1),
        ];
        for (at, what) in bind.iter().take(if one_value { 5 } else { 6 }) {
            insert.raw_bind_parameter(*at, what)?;
        }
        changed.written += insert.raw_execute()?;
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(flag: &str, day: i32, state: &str) -> KeptState {
        KeptState {
            flag: flag.to_owned(),
            day: Day::from_days(day),
            state: state.to_owned(),
            evidence: (state == "watch").then(|| "{}".to_owned()),
        }
    }

    fn series(level: &str) -> FlagSeries {
        FlagSeries {
            states: vec![state("FS1", 100, "none"), state("FS1", 120, level)],
            summaries: vec![KeptSummary {
                day: Day::from_days(120),
                state: "info".to_owned(),
                coverage: 0.75,
            }],
            inputs: vec![KeptInput {
                input: "cadence_change_pct".to_owned(),
                day: Day::from_days(120),
                value: -3.4,
            }],
        }
    }

    #[test]
    fn only_what_differs_is_written_and_versions_stand_side_by_side() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let kept = SqliteFlagSeries::open(dir.path()).expect("opens");
        let anna = AthleteId::parse("anna").expect("id");
        let all = SeriesChanged { written: 4, removed: 0 };
        assert_eq!(kept.keep(&anna, "1", &series("watch")), Ok(all));
        assert_eq!(kept.keep(&anna, "1", &series("watch")), Ok(SeriesChanged::default()));
        assert_eq!(kept.keep(&anna, "2", &series("watch")), Ok(all));
        // Another state on that day, no summary, no input: one row written, two gone.
        let mut later = series("info");
        (later.summaries, later.inputs) = (Vec::new(), Vec::new());
        assert_eq!(
            kept.keep(&anna, "1", &later),
            Ok(SeriesChanged { written: 1, removed: 2 })
        );
        assert_eq!(kept.states(&anna, "1"), Ok(later.states));
        assert_eq!(kept.states(&anna, "2"), Ok(series("watch").states));
        assert_eq!(kept.summaries(&anna, "1"), Ok(vec![]));
        assert_eq!(kept.summaries(&anna, "2"), Ok(series("watch").summaries));
        let input = kept.input(&anna, "2", "cadence_change_pct").expect("reads");
        assert_eq!(input, [(Day::from_days(120), -3.4)]);
    }
}
