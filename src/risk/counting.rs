//! How a flag's memory counted, and what would clear it, in words with the numbers that apply.

use super::engine::Engine;
use super::memory::Remembered;
use super::vocabulary::{Level, Memory};

impl Engine<'_> {
    /// The rule of raising and how far it is fulfilled.
    pub(super) fn counted(&self, index: usize, day: i32) -> String {
        let memories = &self.rules.memories;
        let flag = &self.rules.flags[index];
        match &self.flags[index].remembered {
            Remembered::Runs { votes, .. } => {
                let Some(rule) = memories.votes(flag.memory) else {
                    return String::new();
                };
                let last = &votes[votes.len().saturating_sub(rule.raise_n)..];
                let per: Vec<String> = Level::SWITCHED
                    .iter()
                    .enumerate()
                    .filter(|(_, level)| !flag.conditions(**level).is_empty())
                    .map(|(i, level)| format!("{} {}", level.name(), last.iter().filter(|v| v.hit[i]).count()))
                    .collect();
                format!(
                    "raised by {} of the last {} evaluated runs; of the last {} runs reach: {}",
                    rule.raise_k,
                    rule.raise_n,
                    last.len(),
                    per.join(", ")
                )
            }
            Remembered::Events(events) => {
                let last = events.last();
                let told = last.map_or_else(|| "none so far".to_owned(), |e| format!("day {} ({})", e.0, e.1.name()));
                format!(
                    "raised at once and held {} days, the highest of them; last evaluated: {told}",
                    memories.event.hold_days
                )
            }
            Remembered::Days { missing, .. } => match missing {
                Some(0) => "raised at once; evaluated this day".to_owned(),
                Some(days) => format!("raised at once; not evaluable for {days} days"),
                None => "raised at once; not evaluable yet".to_owned(),
            },
            Remembered::Answers(answers) => {
                let known = answers
                    .iter()
                    .filter(|a| day - a.0 < memories.symptom.stale_days)
                    .count();
                format!(
                    "raised at once; the highest of the last {} check-in days; {known} evaluated days in {} days",
                    memories.symptom.checkin_days, memories.symptom.stale_days
                )
            }
            Remembered::Latched { on, tick, answered } => match (on, answered) {
                (Some(level), _) => format!("latched at {} since the tick of day {tick}", level.name()),
                (None, Some(day)) => format!("not latched; last answered on day {day}"),
                (None, None) => "not latched; never answered".to_owned(),
            },
            Remembered::Nothing => "the current value; no memory".to_owned(),
        }
    }

    /// What would clear a raised flag.
    pub(super) fn clears(&self, index: usize, state: Option<Level>, day: i32) -> String {
        let Some(level) = state.filter(|s| *s > Level::None) else {
            return "nothing to clear".to_owned();
        };
        let memories = &self.rules.memories;
        let flag = &self.rules.flags[index];
        match &self.flags[index].remembered {
            Remembered::Runs { votes, on } => {
                let Some(rule) = memories.votes(flag.memory) else {
                    return String::new();
                };
                let place = Level::SWITCHED.iter().position(|l| *l == level).unwrap_or(0);
                let last = &votes[votes.len().saturating_sub(rule.clear_n)..];
                let so_far = last.iter().filter(|v| v.clear[place]).count();
                let from = on[place].unwrap_or(day) + rule.min_dwell_days;
                format!(
                    "{} of the last {} evaluated runs below {:.0} % of the threshold ({so_far} so far), from day {from} on; or {} days without an evaluated run",
                    rule.clear_k,
                    rule.clear_n,
                    100.0 * rule.clear_factor,
                    rule.stale_days
                )
            }
            Remembered::Events(events) => {
                let reached = events.iter().rev().find(|e| flag.capped(e.1) == level);
                let last = reached.map_or(day, |e| e.0) + memories.event.hold_days;
                format!("by itself on day {last}, if no other such run comes before")
            }
            Remembered::Days { without, .. } => {
                let rule = match flag.memory {
                    Memory::SymptomDaily => &memories.symptom_daily,
                    _ => &memories.daily,
                };
                let place = Level::SWITCHED.iter().position(|l| *l == level).unwrap_or(0);
                format!(
                    "{} evaluable days without it ({} so far); without entries it is kept {} days",
                    rule.clear_days, without[place], rule.hold_missing_days
                )
            }
            Remembered::Answers(_) => format!(
                "later check-ins: all of the last {} check-in days below {}",
                memories.symptom.checkin_days,
                level.name()
            ),
            Remembered::Latched { tick, .. } => {
                let looked = "a later day on which a health professional looked at it";
                if flag.clear_by_answers {
                    format!(
                        "{looked}; or {} answers without the tick and {} days, from day {} on",
                        memories.latched.clear_min_answers,
                        memories.latched.clear_days,
                        tick + memories.latched.clear_days
                    )
                } else {
                    looked.to_owned()
                }
            }
            Remembered::Nothing => "another answer or value".to_owned(),
        }
    }
}
