//! The rule file as values: what every flag reads, when it is raised, on which evidence, in which words.
//!
//! Flags are data. One engine reads these values, so that a threshold, a message or a citation is changed in one file that
//! carries a version, and a history can be evaluated under another version and compared. How the file is read and refused
//! is not this module's business (`interchange::flag_rules`); whether its parts fit together is [`super::check`].

use super::summary_rules::Summary;
use super::vocabulary::{AnyOf, Condition, Level, Memories, Memory, Op, OwnReference};
use serde::Serialize;

/// The rule file that lope brings along, as text.
pub const BUILT_IN: &str = include_str!("rules.toml");

/// What the evidence behind a flag is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Its grade.
    pub strength: Strength,
    /// What was studied.
    pub outcome: StudiedOutcome,
    /// Studies disagree.
    pub contested: bool,
    /// A convention of trade or practice, not a result.
    pub convention: bool,
    /// It reaches the flag only by way of something else.
    pub indirect: bool,
    /// In words, with what is lope's own choice.
    pub note: String,
}

/// Grade of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Strength {
    /// Large prospective study or trial in runners.
    A,
    /// Smaller, or case-control with the outcome.
    B,
    /// Self-report, laboratory, convention, consensus.
    C,
}

impl Strength {
    /// As a letter.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }

    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "strong",
            Self::B => "some",
            Self::C => "little",
        }
    }
}

/// What a study looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum StudiedOutcome {
    /// Low-back pain.
    #[serde(rename = "LBP")]
    LowBack,
    /// Any running injury.
    #[serde(rename = "RRI")]
    AnyRunningInjury,
    /// A mechanism only.
    #[serde(rename = "MECH")]
    Mechanism,
    /// A clinical list agreed on.
    #[serde(rename = "CONSENSUS")]
    Consensus,
}

impl StudiedOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::LowBack, Self::AnyRunningInjury, Self::Mechanism, Self::Consensus];

    /// As written in the rule file.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::LowBack => "LBP",
            Self::AnyRunningInjury => "RRI",
            Self::Mechanism => "MECH",
            Self::Consensus => "CONSENSUS",
        }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::LowBack => "low-back pain",
            Self::AnyRunningInjury => "any running injury",
            Self::Mechanism => "a mechanism, no complaints",
            Self::Consensus => "a clinical list agreed on",
        }
    }
}

/// One flag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flag {
    /// Short code, `FS1`.
    pub id: String,
    /// Name in words, `step_rate_low_for_speed`.
    pub slug: String,
    /// Family, the letters of the code.
    pub family: String,
    /// How it remembers.
    pub memory: Memory,
    /// Evaluable when all inputs of one of these lists are known.
    pub needs: Vec<Vec<String>>,
    /// Highest level it may show.
    pub cap: Level,
    /// Whether it may move the summary.
    pub counts: bool,
    /// Causes it answers.
    pub causes: Vec<String>,
    /// Signs it answers.
    pub signs: Vec<String>,
    /// Remedies it offers.
    pub actions: Vec<String>,
    /// What it rests on.
    pub evidence: Evidence,
    /// Sources.
    pub cites: Vec<String>,
    /// What a runner reads, with fields in braces.
    pub message: String,
    /// Instead of it at `info`, where that is another thing.
    pub message_info: Option<String>,
    /// Words for `{when}`, by how a tick is shown.
    pub message_when: Vec<(String, String)>,
    /// Added at `high`.
    pub high_line: Option<String>,
    /// What a physical therapist reads.
    pub pt_detail: String,
    /// A latched flag that enough clean answers clear.
    pub clear_by_answers: bool,
    /// Conditions of info, watch, high, stop.
    pub levels: [AnyOf; 4],
}

impl Flag {
    /// The conditions of a level; none for [`Level::None`].
    #[must_use]
    pub fn conditions(&self, level: Level) -> &[Vec<Condition>] {
        match level {
            Level::None => &[],
            Level::Info => &self.levels[0],
            Level::Watch => &self.levels[1],
            Level::High => &self.levels[2],
            Level::Stop => &self.levels[3],
        }
    }

    /// The level, limited by what the evidence allows.
    #[must_use]
    pub fn capped(&self, level: Level) -> Level {
        level.min(self.cap)
    }

    /// Names of all inputs it reads, sorted, each once.
    #[must_use]
    pub fn inputs(&self) -> Vec<&str> {
        let conditions = self.levels.iter().flatten().flatten().map(|c| c.input.as_str());
        let mut names: Vec<&str> = self
            .needs
            .iter()
            .flatten()
            .map(String::as_str)
            .chain(conditions)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// When an input is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// For each run with measurements.
    Run,
    /// For each run.
    Session,
    /// For each day.
    Day,
}

impl Per {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Run, Self::Session, Self::Day];

    /// As written in the rule file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Session => "session",
            Self::Day => "day",
        }
    }
}

/// How a change against the reference is expressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeIn {
    /// Percent of what was expected at that speed.
    Percent,
    /// The channel's own unit.
    Difference,
}

/// An input that is a change against the runner's own reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChangeRule {
    /// How it is expressed.
    pub by: ChangeIn,
    /// Threshold with which the runner's own spread is compared.
    pub anchor: f64,
    /// Whether only its size counts.
    pub size_only: bool,
    /// Whether left minus right is one channel, instead of the larger of the channels.
    pub left_minus_right: bool,
    /// Whether each kind of ground has a reference of its own.
    pub per_surface: bool,
}

/// An input of the rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// When it is computed.
    pub per: Per,
    /// Raw values it is made of.
    pub from: Vec<String>,
    /// Those of them it can do without.
    pub optional: Vec<String>,
    /// Flags it reads.
    pub flags: Vec<String>,
    /// Set where it is a change against the reference.
    pub change: Option<ChangeRule>,
    /// Exact definition, in words.
    pub text: String,
}

/// Where a raw value comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Any of these sets of sensors. F one foot, FF both feet, K shank, P sacrum, V speed, G grade.
    Sensors(Vec<Vec<String>>),
    /// Answer to a question.
    Entry(String),
    /// The session itself.
    Log,
    /// Answer to a question asked once.
    Profile(String),
}

/// A raw value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Raw {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Where it comes from.
    pub source: Source,
    /// Definition, in words.
    pub text: String,
}

/// A sign that form changes late in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Marker {
    /// Its name.
    pub name: String,
    /// Comparison.
    pub op: Op,
    /// With this.
    pub value: f64,
    /// Unit of the change.
    pub unit: String,
    /// Whether only the size of the change counts.
    pub size_only: bool,
    /// Sets of sensors that can measure it.
    pub sensors: Vec<Vec<String>>,
}

/// How a tick of the safety row is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Get help now.
    Emergency,
    /// Ask for an urgent appointment.
    Urgent,
    /// Have it looked at before the next run.
    BeforeNextRun,
    /// No text of its own.
    None,
}

impl Urgency {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Emergency, Self::Urgent, Self::BeforeNextRun, Self::None];

    /// As written in the rule file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Urgent => "urgent",
            Self::BeforeNextRun => "before_next_run",
            Self::None => "none",
        }
    }
}

/// A tick of the safety row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tick {
    /// Its name.
    pub name: String,
    /// How it is answered.
    pub show: Urgency,
    /// What a person ticks.
    pub text: String,
    /// When it is shown or set.
    pub note: Option<String>,
}

/// A question, in lope's own words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Question {
    /// Its name.
    pub name: String,
    /// When it is asked.
    pub when: String,
    /// The question.
    pub text: String,
    /// Possible answers.
    pub answer: String,
}

/// A cause or a sign that the source articles or clinical lists name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Named {
    /// Its code.
    pub id: String,
    /// The articles that name it.
    pub articles: Vec<u32>,
    /// In own words.
    pub text: String,
}

/// A remedy that the source articles name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Action {
    /// Its code.
    pub id: String,
    /// The articles that name it.
    pub articles: Vec<u32>,
    /// In own words.
    pub text: String,
    /// The line that offers it, or why it is not offered.
    pub offer: Result<String, String>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cite {
    /// Its key.
    pub key: String,
    /// Authors, `not known` where they are not.
    pub authors: String,
    /// Year, where known.
    pub year: Option<u32>,
    /// Where it appeared.
    pub journal: String,
    /// Digital object identifier.
    pub doi: Option<String>,
    /// How it was read.
    pub basis: String,
    /// What it found.
    pub finding: String,
}

/// Words that no text may hold, as small letters anywhere in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Wording {
    /// In what a runner reads.
    pub banned_messages: Vec<String>,
    /// In what a physical therapist reads.
    pub banned_pt: Vec<String>,
}

/// A whole rule file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rules {
    /// Its version.
    pub version: String,
    /// Title of the panel.
    pub label: String,
    /// What stands under it.
    pub subtitle: String,
    /// What lope is for, word for word.
    pub purpose: String,
    /// Stands under every report.
    pub footer: String,
    /// Said the first time a flag shows.
    pub first_time_line: String,
    /// Tolerance of comparisons.
    pub epsilon: f64,
    /// Own reference.
    pub reference: OwnReference,
    /// Memory of flags.
    pub memories: Memories,
    /// Summary.
    pub summary: Summary,
    /// Banned words.
    pub wording: Wording,
    /// Causes.
    pub causes: Vec<Named>,
    /// Signs.
    pub signs: Vec<Named>,
    /// Remedies.
    pub actions: Vec<Action>,
    /// Questions.
    pub questions: Vec<Question>,
    /// Ticks of the safety row, in the order shown.
    pub ticks: Vec<Tick>,
    /// Raw values.
    pub raws: Vec<Raw>,
    /// Inputs.
    pub inputs: Vec<Input>,
    /// Markers of a late change of form.
    pub markers: Vec<Marker>,
    /// The flags, in the order shown.
    pub flags: Vec<Flag>,
    /// Sources.
    pub cites: Vec<Cite>,
}

impl Rules {
    /// Place of the flag of that code.
    #[must_use]
    pub fn flag_index(&self, id: &str) -> Option<usize> {
        self.flags.iter().position(|f| f.id == id)
    }

    /// The input of that name.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|i| i.name == name)
    }

    /// The raw value of that name.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&Raw> {
        self.raws.iter().find(|r| r.name == name)
    }

    /// The source of that key.
    #[must_use]
    pub fn cite(&self, key: &str) -> Option<&Cite> {
        self.cites.iter().find(|c| c.key == key)
    }

    /// Names of what sensors measure for a run (`metrics` of a history).
    pub fn measured(&self) -> impl Iterator<Item = &str> {
        let changes = self.inputs.iter().filter(|i| i.change.is_some()).flat_map(|i| &i.from);
        let own = ["speed_ms", "level_windows", "surface_km"];
        let mut names: Vec<&str> = changes.map(String::as_str).filter(|n| !own.contains(n)).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter()
    }
}
