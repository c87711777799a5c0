//! Lower-back flags of a day, of one flag, and over time.

use super::card::SafetyNow;
use super::words::{CoachingWord, DataFrom, DataWord, LevelWord};
use crate::store::journal::{Day, FlagActionKind};
use crate::store::{AthleteId, SessionId};
use serde::Serialize;
use std::collections::BTreeMap;

/// What somebody did about a flag.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct ActionDone {
    /// Who.
    pub actor: String,
    /// What.
    #[cfg_attr(feature = "serve", schema(value_type = String))]
    pub action: FlagActionKind,
    /// In words.
    pub note: Option<String>,
    /// When.
    pub day: Day,
}

/// One flag of a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct FlagItem {
    /// Its code (`FS1`).
    pub id: String,
    /// Its name in one word.
    pub slug: String,
    /// Its name in words.
    pub title: String,
    /// Its family.
    pub family: String,
    /// State.
    pub level: LevelWord,
    /// Day on which this state began; `null` where it never had another.
    pub since: Option<Day>,
    /// What a runner reads; `null` where nothing is raised.
    pub message: Option<String>,
    /// What is missing, in words.
    pub missing: Vec<String>,
    /// What the evidence is worth: `strong`, `some` or `little`.
    pub evidence_word: String,
    /// Whether studies disagree.
    pub disputed: bool,
    /// How good the data are.
    pub data: DataWord,
    /// Where the data come from; what was entered has no grade and counts as `good`.
    pub data_from: DataFrom,
    /// It rests on symptoms, and these are not shown to who asks.
    pub hidden: bool,
    /// Out of the inbox until this day.
    pub muted_until: Option<Day>,
    /// What was done about it, oldest first.
    pub actions: Vec<ActionDone>,
}

/// The summary of a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SummaryNow {
    /// Level.
    pub level: LevelWord,
    /// In words.
    pub text: String,
    /// Counted areas with a flag at watch or higher.
    pub areas_changed: u32,
    /// Counted areas that can be measured.
    pub areas_measurable: u32,
    /// The latter as a share of all.
    pub coverage: f64,
}

/// How far the usual is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Learning {
    /// Comparable runs so far.
    pub runs: u32,
    /// Needed.
    pub needed: u32,
}

/// All flags of a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct FlagsNow {
    /// Whose.
    pub athlete: AthleteId,
    /// The day.
    pub day: Day,
    /// Version of the rule file.
    pub rules_version: String,
    /// The summary.
    pub summary: SummaryNow,
    /// What may be said beside it.
    pub coaching: CoachingWord,
    /// A reason to stop.
    pub safety: Option<SafetyNow>,
    /// Set while the usual is being learned.
    pub learning: Option<Learning>,
    /// All flags, in the order of the rule file.
    pub flags: Vec<FlagItem>,
    /// What is said once, on first showing.
    pub first_time_line: String,
    /// What stands under everything.
    pub footer: String,
}

/// An input in a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct InputItem {
    /// Its name.
    pub name: String,
    /// Its definition.
    pub title: String,
    /// Its value.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: String,
    /// Limit of the rule file.
    pub threshold: f64,
    /// Limit for this runner, widened by the own spread.
    pub effective_threshold: f64,
    /// How it is compared: `>=`, `>`, `<=`, `<`, `==`.
    pub op: String,
    /// Why it is not known.
    pub why_missing: Option<String>,
}

/// A list of inputs that must all hold for a level.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct ConditionItem {
    /// The level.
    pub level: LevelWord,
    /// In words.
    pub text: String,
    /// Whether it holds; `null` where a value is missing and no other speaks against it.
    pub holds: Option<bool>,
    /// The inputs.
    pub inputs: Vec<InputItem>,
}

/// How one run voted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct VoteItem {
    /// The session; `null` for a run made without lope.
    pub session: Option<SessionId>,
    /// Its day.
    pub day: Day,
    /// The highest level it reaches.
    pub level: Option<LevelWord>,
    /// The flag's inputs of that run.
    pub values: BTreeMap<String, f64>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct CiteShown {
    /// Key in the rule file.
    pub key: String,
    /// Who, when, where, and what was found.
    pub text: String,
    /// How it was read.
    pub basis: String,
    /// Where to read it.
    pub url: Option<String>,
}

/// The runs a flag compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct ReferenceSpan {
    /// How many.
    pub runs: u32,
    /// Day of the first.
    pub from: Day,
    /// Day of the last.
    pub to: Day,
}

/// The computation behind a flag.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Computation {
    /// Conditions of all levels.
    pub conditions: Vec<ConditionItem>,
    /// Votes of the last runs, oldest first; empty for flags without votes.
    pub votes: Vec<VoteItem>,
    /// How the flag is raised, and how far that is.
    pub needs: String,
    /// What would clear it.
    pub clears: Vec<String>,
    /// What else could explain it.
    pub other_reasons: Vec<String>,
    /// What is worth trying.
    pub remedies: Vec<String>,
    /// Sources.
    pub cites: Vec<CiteShown>,
    /// The runs it compares with.
    pub reference: Option<ReferenceSpan>,
}

/// One flag with everything behind it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct FlagDetail {
    /// The flag.
    pub flag: FlagItem,
    /// The computation as text.
    pub text: String,
    /// The computation as values; `null` where it is hidden.
    pub computation: Option<Computation>,
}

/// A change of a flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct StateChange {
    /// Day at whose end it was so.
    pub day: Day,
    /// The flag.
    pub id: String,
    /// What it became.
    pub state: LevelWord,
}

/// Flags over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct FlagHistory {
    /// Version of the rule file.
    pub rules_version: String,
    /// Days.
    pub days: Vec<Day>,
    /// Summary of each day.
    pub summary: Vec<LevelWord>,
    /// Changes of flags; before the first all are without enough data.
    pub changes: Vec<StateChange>,
}

/// A stretch of days on which two rule files disagree about a flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct ReplayDifference {
    /// First day.
    pub day: Day,
    /// Last day.
    pub to: Day,
    /// The flag.
    pub flag: String,
    /// Under the rules in force.
    pub old: LevelWord,
    /// Under the other ones.
    pub new: LevelWord,
}
