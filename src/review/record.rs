//! The record of one folder, as looking back reads it: sessions, journal, what runs amount to, flags over time.
//!
//! Everything is read without holding the store, so a session can be recorded meanwhile. What runs amount to is computed
//! where it is missing or old, and kept.

use super::flags::{flag_history, flag_series};
use super::history_of::Past;
use super::run_values::{self, RunSummary};
use super::sight::Sight;
use crate::risk::Rules;
use crate::store::journal::{Body, Day, Entry, EntryQuery, Journal as _, Purpose};
use crate::store::sqlite::{KeptRun, KeptState, SqliteFlagSeries, SqliteRunValues};
use crate::store::{
    AthleteId, Completeness, History as _, SessionId, SessionQuery, SessionRow, SessionState, SqliteJournal,
    SqliteReader, StoreError,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the rules of a [`Review`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesAre {
    /// Those that this athlete is judged by.
    InForce,
    /// Others, tried on the past.
    TriedOut,
}

/// The record, opened to look back.
#[derive(Debug)]
pub struct Review {
    reader: SqliteReader,
    journal: SqliteJournal,
    runs: SqliteRunValues,
    series: SqliteFlagSeries,
    rules: Rules,
}

impl Review {
    /// Opens the record in the data folder `dir`, making it where there is none, to be judged by `rules`.
    ///
    /// # Errors
    /// Those of the disk; `Busy` only where the record must first be brought to a newer layout and another process holds
    /// it.
    pub fn open(dir: &Path, rules: Rules) -> Result<Self, StoreError> {
        // The journal first: it makes or migrates the record.
        let journal = SqliteJournal::open(dir)?;
        Ok(Self {
            journal,
            reader: SqliteReader::open(dir)?,
            runs: SqliteRunValues::open(dir)?,
            series: SqliteFlagSeries::open(dir)?,
            rules,
        })
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The sessions and rows.
    #[must_use]
    pub fn reader(&self) -> &SqliteReader {
        &self.reader
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &SqliteJournal {
        &self.journal
    }

    /// Flags over time.
    #[must_use]
    pub fn series(&self) -> &SqliteFlagSeries {
        &self.series
    }

    /// Everything known of an athlete up to `day`. Where that is all there is, the kept series of flags is brought up to
    /// date, and under rules that are the ones in force so is what copies of the record get of them.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn renewed(&self, athlete: &AthleteId, day: Day, rules: RulesAre) -> Result<Past, StoreError> {
        let past = self.past(athlete, day)?;
        if self.last_day(athlete)?.is_some_and(|last| last > day) {
            return Ok(past);
        }
        let version = &self.rules.version;
        let all = flag_series(&self.rules, &past);
        self.series.keep(athlete, version, &all)?;
        if rules == RulesAre::InForce {
            // Symptoms leave the record with consent alone. All copies get the same, so a consent for one of them by name
            // is none.
            let sight = match past.allows(Purpose::Sink, "") {
                Some(true) => Sight::Everything,
                Some(false) | None => Sight::NoSymptoms,
            };
            let seen = flag_history(&self.rules, &past, sight).changes;
            let states: Vec<KeptState> = seen
                .into_iter()
                .map(|c| KeptState {
                    flag: c.id,
                    day: c.day,
                    state: c.state.word().to_owned(),
                    evidence: None,
                })
                .collect();
            self.series.copy(athlete, version, &states)?;
        }
        Ok(past)
    }

    /// All sessions of one athlete, or of all, by start.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn sessions(&self, athlete: Option<&AthleteId>) -> Result<Vec<SessionRow>, StoreError> {
        let mut query = SessionQuery {
            athlete: athlete.cloned(),
            ..SessionQuery::default()
        };
        let mut rows = Vec::new();
        loop {
            let page = self.reader.sessions(&query)?;
            rows.extend(page.rows);
            match page.completeness {
                Completeness::Complete => return Ok(rows),
                Completeness::Truncated { resume_at } => query.from = resume_at,
            }
        }
    }

    /// Everybody of whom a session or an entry is kept, in the order of ids.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn athletes(&self) -> Result<Vec<AthleteId>, StoreError> {
        let mut all: BTreeSet<AthleteId> = self.sessions(None)?.into_iter().map(|r| r.meta.athlete).collect();
        all.extend(
            self.journal
                .entries(&EntryQuery::default())?
                .into_iter()
                .map(|e| e.athlete),
        );
        Ok(all.into_iter().collect())
    }

    /// All entries of an athlete, by day.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn entries(&self, athlete: &AthleteId) -> Result<Vec<Entry>, StoreError> {
        self.journal.entries(&EntryQuery {
            athlete: Some(athlete.clone()),
            ..EntryQuery::default()
        })
    }

    /// What a session amounts to: as kept, or computed now. Of a session that is still open it is computed and not kept.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn run(&self, row: &SessionRow) -> Result<RunSummary, StoreError> {
        if row.state != SessionState::Open
            && let Some(kept) = self.runs.get(&row.meta.id, run_values::VERSION)?
            && let Ok(run) = serde_json::from_str(&kept.body)
        {
            return Ok(run);
        }
        self.compute(row)
    }

    fn compute(&self, row: &SessionRow) -> Result<RunSummary, StoreError> {
        let run = run_values::summarise(&self.reader, row)?;
        if row.state != SessionState::Open {
            let body = serde_json::to_string(&run)
                .map_err(|e| StoreError::rejected(format!("run values of {}", row.meta.id), e.to_string()))?;
            let kept = KeptRun {
                session: row.meta.id.clone(),
                analysis: row.current_analysis,
                body,
            };
            self.runs.keep(&kept, run_values::VERSION)?;
        }
        Ok(run)
    }

    /// What all ended sessions of an athlete amount to.
    ///
    /// # Errors
    /// Those of the disk.
    fn runs_of(&self, athlete: &AthleteId, rows: &[SessionRow]) -> Result<BTreeMap<SessionId, RunSummary>, StoreError> {
        let kept = self.runs.of_athlete(athlete, run_values::VERSION)?;
        // A body that cannot be read is of another program: it is made anew.
        let mut runs: BTreeMap<SessionId, RunSummary> = kept
            .into_iter()
            .filter_map(|k| Some((k.session, serde_json::from_str(&k.body).ok()?)))
            .collect();
        for row in rows.iter().filter(|r| r.state != SessionState::Open) {
            if !runs.contains_key(&row.meta.id) {
                runs.insert(row.meta.id.clone(), self.compute(row)?);
            }
        }
        Ok(runs)
    }

    /// Everything known of an athlete up to `today`, laid out by day.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn past(&self, athlete: &AthleteId, today: Day) -> Result<Past, StoreError> {
        let rows = self.sessions(Some(athlete))?;
        let runs = self.runs_of(athlete, &rows)?;
        Ok(Past::new(athlete.clone(), rows, runs, self.entries(athlete)?, today))
    }

    /// Everything known of an athlete up to the last day that anything is known of; up to `today` where nothing is.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn last_day(&self, athlete: &AthleteId) -> Result<Option<Day>, StoreError> {
        let of_sessions = self.sessions(Some(athlete))?;
        let mut days = super::local_day::LocalDays::default();
        let of_sessions = of_sessions.iter().map(|r| days.of(&r.meta)).max();
        let of_entries = self
            .entries(athlete)?
            .iter()
            .filter(|e| dated(&e.body))
            .map(|e| e.day)
            .max();
        Ok(of_sessions.max(of_entries))
    }
}

/// Whether an entry is about its day; who somebody is and what they allow is about no day.
fn dated(body: &Body) -> bool {
    !matches!(
        body,
        Body::Athlete(_) | Body::Consent(_) | Body::Shoe(_) | Body::FlagAction(_) | Body::StrideVerdict(_)
    )
}
