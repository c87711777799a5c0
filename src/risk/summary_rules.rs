//! The summary's ordered list as values, with the vectors it is tested by.
//!
//! Each line of the list is a sentence that the engine knows; its numbers are part of the sentence, so that what a person
//! reads in the rule file and what is computed cannot say different things.

use super::vocabulary::Level;
use serde::Serialize;

/// One line of the summary's ordered list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SummaryTest {
    /// A flag says stop.
    Stop,
    /// A symptom flag is high.
    SymptomHigh,
    /// A symptom flag is watch and a counting flag is watch or high.
    SymptomWatchWithCounting,
    /// A symptom flag is watch.
    SymptomWatch,
    /// A counting flag is high.
    CountingHigh,
    /// Counting flags of two families are watch or high.
    TwoFamilies,
    /// A counting flag that is no event has been watch or high for long.
    LongWatch,
    /// A note of a symptom or counting flag, or a watch of another.
    AnyNote,
    /// Enough is known to say that there is nothing.
    Covered,
    /// Whatever is left.
    Otherwise,
}

impl SummaryTest {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Stop,
        Self::SymptomHigh,
        Self::SymptomWatchWithCounting,
        Self::SymptomWatch,
        Self::CountingHigh,
        Self::TwoFamilies,
        Self::LongWatch,
        Self::AnyNote,
        Self::Covered,
        Self::Otherwise,
    ];

    /// The sentence of the rule file, with the numbers that apply: the text of the list cannot say other numbers.
    #[must_use]
    pub fn sentence(self, numbers: &SummaryNumbers) -> String {
        match self {
            Self::Stop => "SY5 is stop".to_owned(),
            Self::SymptomHigh => "any SY flag is high".to_owned(),
            Self::SymptomWatchWithCounting => {
                "any SY flag is watch and at least one counting flag is watch or high".to_owned()
            }
            Self::SymptomWatch => "any SY flag is watch".to_owned(),
            Self::CountingHigh => "any counting flag is high".to_owned(),
            Self::TwoFamilies => "counting flags are watch or high in at least two counted families".to_owned(),
            Self::LongWatch => format!(
                "one counting flag whose persistence is not event has been watch or high for at least {} days",
                numbers.long_watch_days
            ),
            Self::AnyNote => {
                "any SY or counting flag is info or higher, or any other flag is watch or higher".to_owned()
            }
            Self::Covered => format!(
                "coverage is at least {} and a back score was entered within {} days",
                numbers.min_coverage, numbers.max_checkin_age_days
            ),
            Self::Otherwise => "otherwise".to_owned(),
        }
    }
}

/// Numbers of the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SummaryNumbers {
    /// Share of the counted families of which something must be evaluable.
    pub min_coverage: f64,
    /// Age of the last back score, days.
    pub max_checkin_age_days: i32,
    /// From so many days on a watch is long.
    pub long_watch_days: i32,
}

/// A line of the summary's ordered list: its level (`None`: not enough data) where its test holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SummaryLine {
    /// What it says.
    pub says: Option<Level>,
    /// When.
    pub test: SummaryTest,
}

/// A test vector of the summary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryVector {
    /// Its number.
    pub n: u32,
    /// States of flags (`None`: not enough data); those not named are not enough data.
    pub flags: Vec<(String, Option<Level>)>,
    /// Coverage.
    pub coverage: f64,
    /// Days since the last back score.
    pub checkin_age: i32,
    /// Flags at watch or above for long.
    pub long: Vec<String>,
    /// What must come out.
    pub expect: Option<Level>,
}

/// The summary.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Families that count.
    pub families: Vec<String>,
    /// Its numbers.
    pub numbers: SummaryNumbers,
    /// The ordered list; the first that holds is said.
    pub lines: Vec<SummaryLine>,
    /// Sentence for each level, `not_enough_data` among them.
    pub text: Vec<(String, String)>,
    /// Its test vectors.
    pub vectors: Vec<SummaryVector>,
}
