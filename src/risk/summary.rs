//! The summary of a day: the first line of the ordered list that holds. No weights, no score.

use super::rules::{Flag, Rules};
use super::summary_rules::SummaryTest;
use super::vocabulary::{Level, Memory};

/// What the summary looks at. Flags are in the order of the rules; `None` is not enough data.
#[derive(Clone, Copy, Debug)]
pub struct SummaryFacts<'a> {
    /// State of each flag.
    pub states: &'a [Option<Level>],
    /// For each flag, for how many days in a row it has been watch or higher.
    pub watch_days: &'a [i32],
    /// Share of the counted families of which something can be evaluated.
    pub coverage: f64,
    /// Days since the last back score; `None` where there is none.
    pub checkin_age: Option<i32>,
}

/// The family whose flags come from what a person entered about symptoms.
const SYMPTOMS: &str = "SY";

/// The summary level; `None` is not enough data.
#[must_use]
pub fn summary(rules: &Rules, facts: &SummaryFacts) -> Option<Level> {
    let line = rules.summary.lines.iter().find(|line| holds(rules, line.test, facts));
    line.and_then(|line| line.says)
}

/// Share of the counted families with at least one counting flag that can be evaluated.
#[must_use]
pub fn coverage(rules: &Rules, states: &[Option<Level>]) -> f64 {
    let families = &rules.summary.families;
    let known = |family: &&String| {
        let mut flags = rules.flags.iter().zip(states);
        flags.any(|(f, state)| f.counts && f.family == **family && state.is_some())
    };
    families.iter().filter(known).count() as f64 / families.len() as f64
}

fn holds(rules: &Rules, test: SummaryTest, facts: &SummaryFacts) -> bool {
    let numbers = &rules.summary.numbers;
    let symptom = |f: &Flag| f.family == SYMPTOMS;
    let any = |which: &dyn Fn(&Flag) -> bool, level: Level| {
        let mut flags = rules.flags.iter().zip(facts.states);
        flags.any(|(f, state)| which(f) && state.is_some_and(|s| s >= level))
    };
    let counting = |f: &Flag| f.counts;
    match test {
        SummaryTest::Stop => any(&|_| true, Level::Stop),
        SummaryTest::SymptomHigh => any(&symptom, Level::High),
        SummaryTest::SymptomWatchWithCounting => any(&symptom, Level::Watch) && any(&counting, Level::Watch),
        SummaryTest::SymptomWatch => any(&symptom, Level::Watch),
        SummaryTest::CountingHigh => any(&counting, Level::High),
        SummaryTest::TwoFamilies => {
            let raised = |family: &&String| any(&|f: &Flag| f.counts && f.family == **family, Level::Watch);
            rules.summary.families.iter().filter(raised).count() >= 2
        }
        SummaryTest::LongWatch => {
            let mut flags = rules.flags.iter().zip(facts.states).zip(facts.watch_days);
            flags.any(|((f, state), days)| {
                f.counts
                    && f.memory != Memory::Event
                    && state.is_some_and(|s| s >= Level::Watch)
                    && *days >= numbers.long_watch_days
            })
        }
        SummaryTest::AnyNote => any(&|f: &Flag| symptom(f) || f.counts, Level::Info) || any(&|_| true, Level::Watch),
        SummaryTest::Covered => {
            facts.coverage >= numbers.min_coverage - rules.epsilon
                && facts.checkin_age.is_some_and(|age| age <= numbers.max_checkin_age_days)
        }
        SummaryTest::Otherwise => true,
    }
}
