//! What each flag remembers: how a level is raised, held and cleared. One small machine per kind of memory.

use super::diary::Diary;
use super::rules::{Flag, Rules};
use super::thresholds::{Reach, Values, evaluable, instant, level_holds};
use super::vocabulary::{Clearing, LastAnswers, Latch, Level, Memory, Votes};

/// Places of info, watch, high in arrays.
pub(super) const SWITCHES: usize = Level::SWITCHED.len();

/// How one evaluated run voted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Vote {
    pub(super) day: i32,
    /// Number of the run among all runs.
    pub(super) run: usize,
    /// Whether it reaches info, watch, high.
    pub(super) hit: [bool; SWITCHES],
    /// Whether it is below the smaller threshold that clears.
    pub(super) clear: [bool; SWITCHES],
}

/// What a flag remembers.
#[derive(Clone, Debug)]
pub(super) enum Remembered {
    /// Votes of runs, and since which day each level is on.
    Runs {
        votes: Vec<Vote>,
        on: [Option<i32>; SWITCHES],
    },
    /// Events with their day.
    Events(Vec<(i32, Level)>),
    /// Per level: on, and evaluable days without it; days since the inputs were last known.
    Days {
        on: [bool; SWITCHES],
        without: [i32; SWITCHES],
        missing: Option<i32>,
    },
    /// Evaluated days with their level.
    Answers(Vec<(i32, Level)>),
    /// The latched level, the day of its last tick, the last answered day.
    Latched {
        on: Option<Level>,
        tick: i32,
        answered: Option<i32>,
    },
    /// Nothing.
    Nothing,
}

impl Remembered {
    pub(super) fn new(memory: Memory) -> Self {
        match memory {
            Memory::Form | Memory::Drift => Self::Runs {
                votes: Vec::new(),
                on: [None; SWITCHES],
            },
            Memory::Event => Self::Events(Vec::new()),
            Memory::Daily | Memory::SymptomDaily => Self::Days {
                on: [false; SWITCHES],
                without: [0; SWITCHES],
                missing: None,
            },
            Memory::Symptom => Self::Answers(Vec::new()),
            Memory::Latched => Self::Latched {
                on: None,
                tick: 0,
                answered: None,
            },
            Memory::Fact => Self::Nothing,
        }
    }

    /// Whether runs have switched this level on.
    pub(super) fn is_on(&self, level: Level) -> bool {
        let place = Level::SWITCHED.iter().position(|l| *l == level);
        match (self, place) {
            (Self::Runs { on, .. }, Some(i)) => on[i].is_some(),
            _ => false,
        }
    }

    /// Forgets the votes of runs: the references start anew.
    pub(super) fn reanchor(&mut self) {
        if let Self::Runs { votes, on } = self {
            votes.clear();
            *on = [None; SWITCHES];
        }
    }

    /// A run votes. Nothing for flags without votes, and for a run that cannot be evaluated.
    pub(super) fn vote(
        &mut self,
        rules: &Rules,
        flag: &Flag,
        (day, run): (i32, usize),
        values: &Values,
        spreads: &Values,
    ) {
        let (Self::Runs { votes, on }, Some(rule)) = (self, rules.memories.votes(flag.memory)) else {
            return;
        };
        if !evaluable(flag, values) {
            return;
        }
        let of = |reach| Level::SWITCHED.map(|level| level_holds(rules, flag, level, values, spreads, reach));
        votes.push(Vote {
            day,
            run,
            hit: of(Reach::Full),
            clear: of(Reach::Share(rule.clear_factor)).map(|holds| !holds),
        });
        votes.retain(|v| day - v.day < rule.stale_days);
        let raising = &votes[votes.len().saturating_sub(rule.raise_n)..];
        let clearing = &votes[votes.len().saturating_sub(rule.clear_n)..];
        for (i, since) in on.iter_mut().enumerate() {
            match *since {
                None if raising.iter().filter(|v| v.hit[i]).count() >= rule.raise_k => *since = Some(day),
                Some(raised)
                    if clearing.iter().filter(|v| v.clear[i]).count() >= rule.clear_k
                        && day - raised >= rule.min_dwell_days =>
                {
                    *since = None;
                }
                _ => {}
            }
        }
    }

    /// An evaluable event.
    pub(super) fn event(&mut self, day: i32, level: Level) {
        if let Self::Events(events) = self {
            events.push((day, level));
        }
    }

    /// The state at the end of a day, before the cap: the highest level that is on, or `None` where too little is known.
    pub(super) fn state(
        &mut self,
        rules: &Rules,
        flag: &Flag,
        day: i32,
        values: &Values,
        around: &Around,
    ) -> Option<Level> {
        let memories = &rules.memories;
        match self {
            Self::Runs { votes, on } => runs_state(votes, on, memories.votes(flag.memory)?, day),
            Self::Events(events) => {
                events.retain(|e| day - e.0 < memories.event.stale_days);
                let held = events.iter().filter(|e| day - e.0 < memories.event.hold_days);
                (!events.is_empty()).then(|| held.map(|e| e.1).max().unwrap_or(Level::None))
            }
            Self::Days { on, without, missing } => {
                let rule = match flag.memory {
                    Memory::SymptomDaily => &memories.symptom_daily,
                    _ => &memories.daily,
                };
                let holds = evaluable(flag, values).then(|| {
                    let none = Values::new();
                    Level::SWITCHED.map(|level| level_holds(rules, flag, level, values, &none, Reach::Full))
                });
                days_state(on, without, missing, holds, rule)
            }
            Self::Answers(answers) => {
                if evaluable(flag, values) {
                    answers.push((day, instant(rules, flag, values)));
                }
                answers_state(answers, &memories.symptom, day, around.checkin_days)
            }
            Self::Latched { on, tick, answered } => {
                let level = evaluable(flag, values).then(|| instant(rules, flag, values));
                if level.is_some() {
                    *answered = Some(day);
                }
                match level.filter(|l| *l > Level::None) {
                    Some(level) => (*on, *tick) = (Some(level), day),
                    None if on.is_some() && released(flag, *tick, day, &memories.latched, around.diary) => *on = None,
                    None => {}
                }
                let known = answered.is_some_and(|a| day - a < memories.latched.stale_days);
                on.or(known.then_some(Level::None))
            }
            Self::Nothing => evaluable(flag, values).then(|| instant(rules, flag, values)),
        }
    }
}

/// What the day's states need besides the inputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    pub(super) diary: &'a Diary<'a>,
    /// Days with a back score or an answered safety row, so far.
    pub(super) checkin_days: &'a [i32],
}

fn highest(on: impl DoubleEndedIterator<Item = bool> + ExactSizeIterator) -> Level {
    on.zip(Level::SWITCHED)
        .rev()
        .find(|(on, _)| *on)
        .map_or(Level::None, |(_, level)| level)
}

fn runs_state(votes: &mut Vec<Vote>, on: &mut [Option<i32>; SWITCHES], rule: &Votes, day: i32) -> Option<Level> {
    let live = votes.iter().filter(|v| day - v.day < rule.stale_days).count();
    if live == 0 {
        votes.clear();
        *on = [None; SWITCHES];
        return None;
    }
    if on.iter().all(Option::is_none) && live < rule.raise_k {
        return None;
    }
    Some(highest(on.iter().map(Option::is_some)))
}

fn days_state(
    on: &mut [bool; SWITCHES],
    without: &mut [i32; SWITCHES],
    missing: &mut Option<i32>,
    holds: Option<[bool; SWITCHES]>,
    rule: &Clearing,
) -> Option<Level> {
    match holds {
        Some(holds) => {
            *missing = Some(0);
            for i in 0..SWITCHES {
                if holds[i] {
                    (on[i], without[i]) = (true, 0);
                } else if on[i] {
                    without[i] += 1;
                    on[i] = without[i] < rule.clear_days;
                }
            }
        }
        None => {
            let days = (*missing)? + 1;
            *missing = Some(days);
            if days > rule.hold_missing_days {
                (*on, *without, *missing) = ([false; SWITCHES], [0; SWITCHES], None);
            }
            if !on.contains(&true) {
                return None;
            }
        }
    }
    Some(highest(on.iter().copied()))
}

fn answers_state(answers: &[(i32, Level)], rule: &LastAnswers, day: i32, checkin_days: &[i32]) -> Option<Level> {
    let live = || answers.iter().filter(|a| day - a.0 < rule.stale_days);
    live().next()?;
    let recent = &checkin_days[checkin_days.partition_point(|d| day - d >= rule.stale_days)..];
    let recent = &recent[recent.len().saturating_sub(rule.checkin_days)..];
    let counted = live().filter(|a| recent.contains(&a.0)).map(|a| a.1);
    Some(counted.max().unwrap_or(Level::None))
}

/// Whether a latched flag lets go: it was looked at, or, where its rule says so, enough clean answers over enough days.
fn released(flag: &Flag, tick: i32, day: i32, rule: &Latch, diary: &Diary) -> bool {
    let quiet = flag.clear_by_answers
        && day - tick >= rule.clear_days
        && diary.answers(tick + 1, day) >= rule.clear_min_answers;
    quiet || diary.checkin(day).is_some_and(|c| c.seen_by_professional)
}
