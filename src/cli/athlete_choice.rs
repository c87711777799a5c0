//! Who is meant: `--athlete`, else the settings, else `me`; and what is known of their body.
//!
//! One place for every command, so that a run and the check-in after it never belong to two people.

use super::Globals;
use super::failure::{Exit, Failure};
use crate::interchange::Recording;
use crate::model::Athlete;
use crate::runtime::keep;
use crate::store::journal::{AthleteFacts, Body, Entry, EntryId, EntryQuery, Journal as _, Kind};
use crate::store::{AthleteId, SqliteJournal};
use clap::Args;
use std::path::Path;

/// The id of the entry that says who an athlete is.
pub const FACTS_ENTRY: &str = "athlete";

/// The flag by which an athlete is named.
#[derive(Args, Clone, Debug, Default)]
pub struct AthleteArg {
    /// Whom it is about: an id as `lope athlete list` shows it, or its beginning
    #[arg(long, value_name = "ID")]
    pub athlete: Option<String>,
}

/// The athlete meant.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Identity.
    pub id: AthleteId,
    /// What the journal knows of their body.
    pub facts: Athlete,
}

impl Runner {
    /// Adds what the journal knows where the recording says nothing. A measured leg goes with its own height only.
    pub fn fill(&self, recording: &mut Recording) {
        let said = &mut recording.description.athlete;
        if said.height_m.is_none() {
            said.leg_length_m = said.leg_length_m.or(self.facts.leg_length_m);
        }
        said.height_m = said.height_m.or(self.facts.height_m);
        said.mass_kg = said.mass_kg.or(self.facts.mass_kg);
    }
}

/// The part of the facts that formulas need.
#[must_use]
pub fn body_of(facts: &AthleteFacts) -> Athlete {
    Athlete {
        height_m: facts.height_m,
        mass_kg: facts.mass_kg,
        leg_length_m: facts.leg_length_m,
    }
}

/// Who is meant, with what the record in `dir` knows of them: the flag, else the setting `athlete`, else `me`. Nothing is
/// made where there is no record yet.
///
/// # Errors
/// The settings are wrong; nobody, or more than one, goes by that id; the record cannot be read.
pub fn resolve(globals: &Globals, arg: &AthleteArg, dir: Option<&Path>) -> Result<Runner, Failure> {
    let journal = match dir {
        Some(dir) => SqliteJournal::open_existing(dir)?,
        None => None,
    };
    let settings = globals.settings()?;
    let known = match &journal {
        Some(journal) => athletes(journal)?,
        None => Vec::new(),
    };
    let id = match (&arg.athlete, &settings.athlete.value) {
        (Some(named), _) => pick(named, known.iter().map(|(id, _)| id))?,
        // Chosen once and for every record, also for one that has never heard of them.
        (None, Some(set)) => AthleteId::parse(set)?,
        (None, None) => keep::athlete()?,
    };
    let facts = known.iter().find(|(known, _)| *known == id);
    Ok(Runner {
        facts: facts.map(|(_, facts)| body_of(facts)).unwrap_or_default(),
        id,
    })
}

/// Everybody the journal has facts about, by id.
///
/// # Errors
/// The record cannot be read.
pub fn athletes(journal: &SqliteJournal) -> Result<Vec<(AthleteId, AthleteFacts)>, Failure> {
    let query = EntryQuery {
        kinds: vec![Kind::Athlete],
        ..EntryQuery::default()
    };
    let mut all: Vec<(AthleteId, AthleteFacts)> = journal
        .entries(&query)?
        .into_iter()
        .filter_map(|entry| match entry.body {
            Body::Athlete(facts) => Some((entry.athlete, facts)),
            _ => None,
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all)
}

/// The athlete with this id, or the only one whose id begins so. `me` is always somebody.
fn pick<'a>(named: &str, known: impl Iterator<Item = &'a AthleteId> + Clone) -> Result<AthleteId, Failure> {
    let owner = keep::athlete()?;
    if named == owner.as_str() {
        return Ok(owner);
    }
    if let Some(id) = known.clone().find(|id| id.as_str() == named) {
        return Ok(id.clone());
    }
    let mut fits = known.filter(|id| id.as_str().starts_with(named));
    match (fits.next(), fits.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(a), Some(b)) => Err(Failure::new(
            "lope::athlete::ambiguous",
            Exit::Unknown,
            format!("Several athletes begin with {named}."),
        )
        .why(format!("{a} and {b}"))
        .try_this("give more of the id")),
        (None, _) => Err(Failure::new(
            "lope::athlete::unknown",
            Exit::Unknown,
            format!("There is no athlete {named}."),
        )
        .why("nobody was added with that id")
        .try_this(format!("lope athlete add {named}, or lope athlete list"))),
    }
}

/// The entry that says who an athlete is.
///
/// # Errors
/// Never in practice: the id is a valid one.
pub fn facts_id() -> Result<EntryId, Failure> {
    Ok(EntryId::parse(FACTS_ENTRY)?)
}

/// What an entry says of who somebody is.
#[must_use]
pub fn facts_in(entry: Option<Entry>) -> Option<AthleteFacts> {
    match entry?.body {
        Body::Athlete(facts) => Some(facts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<AthleteId> {
        names.iter().map(|n| AthleteId::parse(n).expect("id")).collect()
    }

    #[test]
    fn an_athlete_is_found_by_the_beginning_of_an_id_and_me_is_always_there() {
        let known = ids(&["ada", "adam", "ben"]);
        let found = |named: &str| pick(named, known.iter()).map(|id| id.to_string()).map_err(|f| f.code);
        assert_eq!(found("me").as_deref(), Ok("me"));
        assert_eq!(found("ada").as_deref(), Ok("ada"));
        assert_eq!(found("b").as_deref(), Ok("ben"));
        assert_eq!(found("a"), Err("lope::athlete::ambiguous"));
        assert_eq!(found("cleo"), Err("lope::athlete::unknown"));
    }
}
