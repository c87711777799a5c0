//! The files of an export by their names, in the order in which they are read back.
//!
//! Names come from a manifest that anybody may have written: only those are known that an export has, and none leads out
//! of its folder.

use super::RestoreError;
use crate::runtime::export::raw_name;
use crate::store::raw::RawPart;
use crate::store::sqlite::{ATHLETE_TABLES, METRIC_TABLE, ROW_TABLES, SESSION_TABLES};
use crate::store::{AthleteId, SessionId};

/// What a file is. The order is that of reading: what others refer to comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Which metric has which place.
    Metrics,
    /// A table of an athlete.
    OfAthlete(AthleteId, &'static str),
    /// A session itself.
    Session(AthleteId, SessionId),
    /// A table of a session.
    OfSession(AthleteId, SessionId, &'static str),
    /// A raw file.
    RawFile(AthleteId, SessionId, RawPart),
    /// Made from the others, for people and other programs.
    ForPeople,
}

impl Part {
    /// Whose it is.
    pub(super) fn athlete(&self) -> Option<&AthleteId> {
        match self {
            Self::OfAthlete(a, _) | Self::Session(a, _) | Self::OfSession(a, ..) | Self::RawFile(a, ..) => Some(a),
            Self::Metrics | Self::ForPeople => None,
        }
    }

    /// What a file of this name is.
    pub(super) fn of(path: &str) -> Result<Self, RestoreError> {
        let refuse = |why: &str| RestoreError::Name {
            path: path.to_owned(),
            why: why.to_owned(),
        };
        let unknown = || refuse("no export of this version has such a file");
        let steps: Vec<&str> = path.split('/').collect();
        let plain = |step: &&str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            !step.is_empty() && !step.starts_with('.') && !step.contains("..") && step.chars().all(fits)
        };
        if !steps.iter().all(plain) {
            return Err(refuse(
                "a name inside the folder is made of A-Z a-z 0-9 _ - . and /, and leads nowhere else",
            ));
        }
        let table = |file: &str, end: &str, of: &[&'static str]| {
            let name = file.strip_suffix(end)?;
            of.iter().find(|t| **t == name).copied()
        };
        let athlete = |text: &str| AthleteId::parse(text).map_err(|e| refuse(&e.to_string()));
        let session = |text: &str| SessionId::parse(text).map_err(|e| refuse(&e.to_string()));
        match steps.as_slice() {
            ["README.md"] => Ok(Self::ForPeople),
            [file] if file.strip_suffix(".jsonl") == Some(METRIC_TABLE) => Ok(Self::Metrics),
            [a, file] => {
                let table = table(file, ".jsonl", &ATHLETE_TABLES).ok_or_else(unknown)?;
                Ok(Self::OfAthlete(athlete(a)?, table))
            }
            [a, "sessions", s, file] => {
                let (a, s) = (athlete(a)?, session(s)?);
                if *file == "session.jsonl" {
                    return Ok(Self::Session(a, s));
                }
                if let Some(part) = RawPart::ALL.into_iter().find(|p| raw_name(*p) == *file) {
                    return Ok(Self::RawFile(a, s, part));
                }
                if let Some(table) = table(file, ".jsonl", &SESSION_TABLES) {
                    return Ok(Self::OfSession(a, s, table));
                }
                match *file {
                    "strides.csv" | "blocks.csv" | "windows.csv" | "events.csv" => Ok(Self::ForPeople),
                    _ => Err(unknown()),
                }
            }
            [a, "sessions", s, "exact", file] => {
                let table = table(file, ".csv", &ROW_TABLES).ok_or_else(unknown)?;
                Ok(Self::OfSession(athlete(a)?, session(s)?, table))
            }
            [a, "sessions", s, "recording", file] if file.ends_with(".csv") || *file == "recording.toml" => {
                athlete(a).and(session(s)).and(Ok(Self::ForPeople))
            }
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_and_names_that_no_export_has_are_refused() {
        for path in [
            "../x.jsonl",
            "/etc/passwd",
            "ada/../ben/journal.jsonl",
            "ada//journal.jsonl",
            "ada\\journal.jsonl",
            "C:/ada/journal.jsonl",
            "./README.md",
            "",
            "ada/tokens.jsonl",
            "ada/sessions/s1/x.db",
            "ada/sessions/..s/session.jsonl",
            "ada/sessions/s1/exact/tokens.csv",
            "ada/sessions/.s/raw.db",
            "ada/journal.jsonl\0",
            "sessions.jsonl",
            "ada/sessions/s1/recording/x/y.csv",
        ] {
            assert!(matches!(Part::of(path), Err(RestoreError::Name { .. })), "{path:?}");
        }
    }

    #[test]
    fn what_others_refer_to_is_read_first() {
        let mut parts: Vec<Part> = [
            "ada/sessions/s1/raw.db",
            "ada/sessions/s1/exact/strides.csv",
            "ada/sessions/s1/session.jsonl",
            "metric_columns.jsonl",
            "ada/journal.jsonl",
        ]
        .into_iter()
        .map(|p| Part::of(p).expect("known"))
        .collect();
        parts.sort();
        assert!(matches!(
            parts.as_slice(),
            [
                Part::Metrics,
                Part::OfAthlete(..),
                Part::Session(..),
                Part::OfSession(..),
                Part::RawFile(..)
            ]
        ));
    }
}
