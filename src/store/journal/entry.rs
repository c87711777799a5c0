//! An entry of the journal: whose, about which day, made when, saying what.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, UtcMicros};
use super::bodies::{
    Activity, AthleteFacts, BodyTest, CheckIn, ClinicianNote, Consent, FlagAction, Restart, SessionNote, ShoeCheck,
    ShoeFacts, Weekly,
};
use super::verdict::StrideVerdict;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest id of an entry, bytes.
const ID_MAX: usize = 64;

/// Identity of an entry within its athlete, chosen by who makes it: 1 to 64 of `A-Z a-z 0-9 _ - .`. A shoe's id is the
/// shoe's name in every other entry; the note to a session carries the session's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntryId(String);

impl EntryId {
    /// The id with this text.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] unless it is 1 to 64 of `A-Z a-z 0-9 _ - .` and begins with a letter or digit.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if text.len() <= ID_MAX && begins && text.chars().all(inner) {
            Ok(Self(text.to_owned()))
        } else {
            Err(StoreError::rejected(
                format!("entry id {text:?}"),
                "ids are 1 to 64 of A-Z a-z 0-9 _ - . and begin with a letter or digit",
            ))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EntryId {
    type Error = StoreError;
    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::parse(&text)
    }
}

impl From<EntryId> for String {
    fn from(id: EntryId) -> Self {
        id.0
    }
}

/// A day of somebody's calendar, as days since 1970-01-01; written `2026-03-01`. It has no zone: the maker of an entry
/// knows which day it was where they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(i32);

impl Day {
    /// The first day allowed, 1970-01-01.
    pub const FIRST: Self = Self(0);
    /// The last day allowed, 2099-12-31.
    pub const LAST: Self = Self(47_481);

    /// The day `days` after 1970-01-01.
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The day of an instant in UTC.
    #[must_use]
    pub fn of_utc(at: UtcMicros) -> Self {
        Self(i32::try_from(at.micros().div_euclid(86_400_000_000)).unwrap_or(0))
    }

    /// The day written `2026-03-01`.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] unless it is such a day between 1970 and 2099.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let refuse = || {
            StoreError::rejected(
                format!("day {text:?}"),
                "a day is written 2026-03-01 and lies between 1970 and 2099",
            )
        };
        let shaped = text.len() == 10 && text.bytes().enumerate().all(|(i, b)| (i == 4 || i == 7) == (b == b'-'));
        if !shaped {
            return Err(refuse());
        }
        let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().map_err(|_| refuse());
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let days = days_from_civil(year, month, day);
        let found = i32::try_from(days).map(Self).map_err(|_| refuse())?;
        if (Self::FIRST..=Self::LAST).contains(&found) && found.to_string() == text {
            Ok(found)
        } else {
            Err(refuse())
        }
    }

    /// The day `n` days later.
    #[must_use]
    pub const fn plus(self, n: i32) -> Self {
        Self(self.0 + n)
    }
}

/// Days since 1970-01-01 of a date, by counting eras of 400 years from 0000-03-01.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = UtcMicros::from_micros(i64::from(self.0) * 86_400_000_000);
        f.write_str(&midnight.iso8601()[..10])
    }
}

impl TryFrom<String> for Day {
    type Error = StoreError;
    fn try_from(text: String) -> Result<Self, StoreError> {
        Self::parse(&text)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

/// An answer on a scale from 0 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Score(u8);

impl Score {
    /// This answer.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] above 10.
    pub fn new(value: u8) -> Result<Self, StoreError> {
        if value <= 10 {
            Ok(Self(value))
        } else {
            Err(StoreError::rejected(format!("score {value}"), "scores go from 0 to 10"))
        }
    }

    /// The answer, 0 to 10.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Score {
    type Error = StoreError;
    fn try_from(value: u8) -> Result<Self, StoreError> {
        Self::new(value)
    }
}

impl From<Score> for u8 {
    fn from(score: Score) -> Self {
        score.0
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its identity within the athlete.
    pub id: EntryId,
    /// Whom it is about.
    pub athlete: AthleteId,
    /// The local day it is about.
    pub day: Day,
    /// The instant it is about: the start of an activity, the moment of an answer.
    pub at: UtcMicros,
    /// What it says.
    pub body: Body,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Who the athlete is; its id is `athlete`.
    Athlete(AthleteFacts),
    /// A pair of shoes; its id is the pair's.
    Shoe(ShoeFacts),
    /// How a pair feels and looks on this day.
    ShoeCheck(ShoeCheck),
    /// A run made without lope, another sport, core work.
    Activity(Activity),
    /// What the runner says about a session of the record; its id is the session's.
    SessionNote(SessionNote),
    /// Answers of a day: back, sleep, tiredness, safety row.
    CheckIn(CheckIn),
    /// Answers of a week.
    Weekly(Weekly),
    /// A test of strength or flexibility.
    BodyTest(BodyTest),
    /// A professional's words.
    ClinicianNote(ClinicianNote),
    /// From here on the usual is learned anew.
    Restart(Restart),
    /// Who may see what.
    Consent(Consent),
    /// What somebody did about a flag.
    FlagAction(FlagAction),
    /// Whether a stride counts.
    StrideVerdict(StrideVerdict),
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is described at the variant of Body with the same name")]
pub enum Kind {
    Athlete,
    Shoe,
    ShoeCheck,
    Activity,
    SessionNote,
    CheckIn,
    Weekly,
    BodyTest,
    ClinicianNote,
    Restart,
    Consent,
    FlagAction,
    StrideVerdict,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Athlete,
        Self::Shoe,
        Self::ShoeCheck,
        Self::Activity,
        Self::SessionNote,
        Self::CheckIn,
        Self::Weekly,
        Self::BodyTest,
        Self::ClinicianNote,
        Self::Restart,
        Self::Consent,
        Self::FlagAction,
        Self::StrideVerdict,
    ];

    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Athlete => "athlete",
            Self::Shoe => "shoe",
            Self::ShoeCheck => "shoe_check",
            Self::Activity => "activity",
            Self::SessionNote => "session_note",
            Self::CheckIn => "check_in",
            Self::Weekly => "weekly",
            Self::BodyTest => "body_test",
            Self::ClinicianNote => "clinician_note",
            Self::Restart => "restart",
            Self::Consent => "consent",
            Self::FlagAction => "flag_action",
            Self::StrideVerdict => "stride_verdict",
        }
    }
}

impl Body {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Athlete(_) => Kind::Athlete,
            Self::Shoe(_) => Kind::Shoe,
            Self::ShoeCheck(_) => Kind::ShoeCheck,
            Self::Activity(_) => Kind::Activity,
            Self::SessionNote(_) => Kind::SessionNote,
            Self::CheckIn(_) => Kind::CheckIn,
            Self::Weekly(_) => Kind::Weekly,
            Self::BodyTest(_) => Kind::BodyTest,
            Self::ClinicianNote(_) => Kind::ClinicianNote,
            Self::Restart(_) => Kind::Restart,
            Self::Consent(_) => Kind::Consent,
            Self::FlagAction(_) => Kind::FlagAction,
            Self::StrideVerdict(_) => Kind::StrideVerdict,
        }
    }

    /// What stands against keeping it: a number out of its range, a text too long; `None` when nothing does.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        match self {
            Self::Athlete(facts) => facts.problem(),
            Self::Shoe(shoe) => shoe.problem(),
            Self::Activity(activity) => activity.problem(),
            Self::SessionNote(note) => note.problem(),
            Self::CheckIn(check_in) => check_in.problem(),
            Self::BodyTest(test) => test.problem(),
            Self::Weekly(weekly) => weekly.problem(),
            Self::ClinicianNote(note) => super::bodies::too_long("the note", &note.text),
            Self::Restart(restart) => super::bodies::too_long("the reason", &restart.reason),
            Self::Consent(consent) => super::bodies::too_long("the recipient", &consent.recipient),
            Self::FlagAction(action) => action
                .note
                .as_deref()
                .and_then(|n| super::bodies::too_long("the note", n)),
            Self::StrideVerdict(verdict) => verdict.problem(),
            Self::ShoeCheck(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_is_written() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2026-11-25", 20_782),
            ("2099-12-31", 47_481),
        ] {
            assert_eq!(Day::parse(text).expect("a day").days(), days);
            assert_eq!(Day::from_days(days).to_string(), text);
        }
        for wrong in [
            "",
            "2026-2-1",
            "2026-02-30",
            "2026-13-01",
            "1969-12-31",
            "2100-01-01",
            "2026/02/01",
            "26-02-01",
            "2026-02-0a",
        ] {
            assert!(Day::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = Kind::ALL.iter().map(|k| k.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
    }
}
