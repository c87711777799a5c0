//! What an engine knows at the end of a day besides states, for those who show it: inputs, votes with their values, and
//! the runs a flag compares with.

use super::engine::Engine;
use super::memory::Remembered;
use super::vocabulary::Level;
use std::collections::{BTreeMap, BTreeSet};

/// How one run voted, with what it voted by.
#[derive(Clone, Debug, PartialEq)]
pub struct RunVote {
    /// Day of the run.
    pub day: i32,
    /// Number of the run among the runs of the history, in order of time.
    pub run: usize,
    /// The highest level it reaches.
    pub reaches: Level,
    /// The flag's inputs of that run, by name.
    pub values: BTreeMap<String, f64>,
}

/// The runs a flag compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedFrom {
    /// How many.
    pub runs: usize,
    /// Day of the first.
    pub first_day: i32,
    /// Day of the last.
    pub last_day: i32,
}

impl Engine<'_> {
    /// The inputs known at the end of the last evaluated day: those of the day, and those of its last run.
    #[must_use]
    pub fn inputs_of_day(&self) -> BTreeMap<&str, f64> {
        let Some(end) = &self.end else {
            return BTreeMap::new();
        };
        let runs = self.runs.iter().rev().take_while(|r| r.session.day == end.day);
        let mut known: BTreeMap<&str, f64> = BTreeMap::new();
        for run in runs {
            for (name, value) in &run.values {
                known.entry(name).or_insert(*value);
            }
        }
        // Values of the day win: a run knows some of them as they were when it came.
        known.extend(self.values.iter().map(|(name, value)| (*name, *value)));
        known
    }

    /// The last votes of a flag, oldest first; empty for flags that runs do not vote on.
    #[must_use]
    pub fn run_votes(&self, index: usize) -> Vec<RunVote> {
        let (Some(flag), Some(memory)) = (self.rules.flags.get(index), self.flags.get(index)) else {
            return Vec::new();
        };
        let (Remembered::Runs { votes, .. }, Some(rule)) = (&memory.remembered, self.rules.memories.votes(flag.memory))
        else {
            return Vec::new();
        };
        let inputs = flag.inputs();
        let last = &votes[votes.len().saturating_sub(rule.raise_n.max(rule.clear_n))..];
        let shown = last.iter().map(|v| {
            let highest = v.hit.iter().zip(Level::SWITCHED).rev().find(|(hit, _)| **hit);
            let values = self.runs.get(v.run).map(|r| &r.values);
            let values = values.into_iter().flatten().filter(|(name, _)| inputs.contains(name));
            RunVote {
                day: v.day,
                run: v.run,
                reaches: highest.map_or(Level::None, |(_, level)| level),
                values: values.map(|(name, x)| ((*name).to_owned(), *x)).collect(),
            }
        });
        shown.collect()
    }

    /// The runs whose values make the references of a flag; `None` where it has none yet.
    #[must_use]
    pub fn learned_from(&self, index: usize) -> Option<LearnedFrom> {
        let flag = self.rules.flags.get(index)?;
        let inputs = flag.needs.iter().flatten().filter_map(|n| self.rules.input(n));
        let raws: BTreeSet<&str> = inputs
            .filter(|i| i.change.is_some())
            .flat_map(|i| i.from.iter().map(String::as_str))
            .collect();
        // A channel is a raw value, or one with its kind of ground.
        let own = self
            .usuals
            .iter()
            .filter(|(channel, _)| raws.contains(channel.split('@').next().unwrap_or(channel)));
        let places: BTreeSet<usize> = own.flat_map(|(_, usual)| usual.points.iter().map(|p| p.run)).collect();
        let days = places.iter().filter_map(|p| Some(self.runs.get(*p)?.session.day));
        let (first_day, last_day) = days.fold(None, |span: Option<(i32, i32)>, d| match span {
            None => Some((d, d)),
            Some((a, b)) => Some((a.min(d), b.max(d))),
        })?;
        Some(LearnedFrom {
            runs: places.len(),
            first_day,
            last_day,
        })
    }

    /// Runs that the fullest reference holds so far.
    #[must_use]
    pub fn most_learned(&self) -> usize {
        self.usuals.values().map(|u| u.points.len()).max().unwrap_or(0)
    }
}
