//! The flag engine: a history and a rule file in, the state of every flag on every day out.
//!
//! It goes through the days once, in order, and looks only backwards: the states of a day never depend on what comes later.
//! On each day the runs vote first, each against the references as they stood before it; then the inputs of the day are
//! computed, then the flags in an order in which those that read other flags come after them, then the summary.

use super::day_inputs::{self, yes};
use super::diary::Diary;
use super::gear_inputs::{Jolt, km_at_start, pair};
use super::history::History;
use super::memory::{Around, Remembered};
use super::rules::Rules;
use super::run_inputs::{RunRecord, Usuals, record};
use super::session_inputs::{Starts, session_inputs};
use super::summary::{SummaryFacts, coverage, summary};
use super::thresholds::{Reach, Values, evaluable, instant, level_holds};
use super::vocabulary::{Level, Memory};
use serde::Serialize;
use std::collections::BTreeMap;

/// What may be said to a runner beside the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Coaching {
    /// Nothing stands against cues and coaching.
    Open,
    /// No cues: a sign that should be looked at before the next run is latched.
    NoCues,
    /// No cues, no praise, no coaching, no summary wording: the safety screen stands alone. Recording goes on.
    Silent,
}

/// The end of a day. States are in the order of the rules' flags; `None` is not enough data.
#[derive(Clone, Debug, PartialEq)]
pub struct DayEnd {
    /// The day.
    pub day: i32,
    /// State of each flag.
    pub states: Vec<Option<Level>>,
    /// Summary level.
    pub summary: Option<Level>,
    /// Share of the counted families of which something can be evaluated.
    pub coverage: f64,
    /// Days since the last back score.
    pub checkin_age: Option<i32>,
    /// What may be said.
    pub coaching: Coaching,
}

/// The values behind a state.
#[derive(Clone, Debug)]
pub(super) struct Basis<'r> {
    pub(super) day: i32,
    pub(super) values: Values<'r>,
    pub(super) spreads: Values<'r>,
    /// Number of the run, where it is one run's values.
    pub(super) run: Option<usize>,
}

/// What the engine keeps of one flag.
#[derive(Clone, Debug)]
pub(super) struct FlagMemory<'r> {
    pub(super) remembered: Remembered,
    /// When each of info, watch, high, stop last held, with the values.
    pub(super) held: [Option<Basis<'r>>; 4],
    /// The last evaluable values.
    pub(super) last: Option<Basis<'r>>,
    /// Day on which the present state began.
    pub(super) since: i32,
}

/// The engine on its way through a history.
#[derive(Clone, Debug)]
pub struct Engine<'r> {
    pub(super) rules: &'r Rules,
    pub(super) history: &'r History,
    pub(super) diary: Diary<'r>,
    pub(super) flags: Vec<FlagMemory<'r>>,
    pub(super) runs: Vec<RunRecord<'r>>,
    pub(super) usuals: Usuals,
    pub(super) jolts: Vec<Jolt<'r>>,
    pub(super) recovery_signs: Vec<Option<f64>>,
    /// Inputs of the last day.
    pub(super) values: Values<'r>,
    pub(super) end: Option<DayEnd>,
    starts: Starts,
    checkin_days: Vec<i32>,
    watch_days: Vec<i32>,
    /// Flags in an order in which those that read others come after them.
    order: Vec<usize>,
    day: i32,
}

impl<'r> Engine<'r> {
    /// An engine before the first day. The rules must have passed [`super::check::problems`].
    #[must_use]
    pub fn new(rules: &'r Rules, history: &'r History) -> Self {
        let flags = rules.flags.iter().map(|f| FlagMemory {
            remembered: Remembered::new(f.memory),
            held: [const { None }; 4],
            last: None,
            since: 0,
        });
        Self {
            rules,
            history,
            diary: Diary::new(history),
            flags: flags.collect(),
            runs: Vec::new(),
            usuals: BTreeMap::new(),
            jolts: Vec::new(),
            recovery_signs: Vec::new(),
            values: Values::new(),
            end: None,
            starts: Vec::new(),
            checkin_days: Vec::new(),
            watch_days: vec![0; rules.flags.len()],
            order: reading_order(rules),
            day: 0,
        }
    }

    /// Evaluates the next day; `None` after the last one.
    pub fn next_day(&mut self) -> Option<&DayEnd> {
        let day = self.day;
        if day >= self.history.days {
            return None;
        }
        self.day += 1;
        if self.history.reanchor_days.contains(&day) {
            self.usuals.clear();
            self.flags.iter_mut().for_each(|f| f.remembered.reanchor());
        }
        if self.diary.score(day).is_some() || self.diary.answered(day) {
            self.checkin_days.push(day);
        }
        self.runs_of(day);
        self.values = day_inputs::day_inputs(self, day);
        let before = self.end.take().map(|end| end.states);
        let states = self.states_of(day);
        for (i, state) in states.iter().enumerate() {
            if before.as_ref().map_or(&None, |b| &b[i]) != state {
                self.flags[i].since = day;
            }
            let raised = state.is_some_and(|s| s >= Level::Watch);
            self.watch_days[i] = if raised { self.watch_days[i] + 1 } else { 0 };
        }
        let checkin_age = self.diary.last_scored(day).map(|last| day - last);
        let coverage = coverage(self.rules, &states);
        let facts = SummaryFacts {
            states: &states,
            watch_days: &self.watch_days,
            coverage,
            checkin_age,
        };
        let end = DayEnd {
            day,
            summary: summary(self.rules, &facts),
            coverage,
            checkin_age,
            coaching: coaching(self.rules, &states),
            states,
        };
        Some(self.end.insert(end))
    }

    /// The runs of a day, one after the other: each is compared, votes, and joins the references.
    fn runs_of(&mut self, day: i32) {
        for run in self.diary.runs(day, day).to_vec() {
            let place = self.runs.len();
            let record = record(self.rules, &self.diary, run, place, &mut self.usuals);
            let session = session_inputs(self.rules, &self.diary, run, &mut self.starts);
            if let (Some(&change_pct), Some(shoe)) = (record.values.get("sacral_peak_change_pct"), pair(run)) {
                self.jolts.push(Jolt {
                    shoe,
                    km: km_at_start(&self.diary, &self.history.shoes, run, shoe),
                    change_pct,
                });
            }
            let none = Values::new();
            for (flag, memory) in self.rules.flags.iter().zip(&mut self.flags) {
                let (values, spreads) = match flag.memory {
                    Memory::Form | Memory::Drift => (&record.values, &record.spreads),
                    Memory::Event => (&session, &none),
                    _ => continue,
                };
                if !evaluable(flag, values) {
                    continue;
                }
                match flag.memory {
                    Memory::Event => memory.remembered.event(day, instant(self.rules, flag, values)),
                    _ => memory.remembered.vote(self.rules, flag, (day, place), values, spreads),
                }
                memory.note(self.rules, flag, day, values, spreads, Some(place));
            }
            self.runs.push(record);
        }
    }

    fn states_of(&mut self, day: i32) -> Vec<Option<Level>> {
        let rules = self.rules;
        let mut states = vec![None; rules.flags.len()];
        let mut values = std::mem::take(&mut self.values);
        for i in self.order.clone() {
            self.read_flags(&mut values, &states);
            let flag = &rules.flags[i];
            let around = Around {
                diary: &self.diary,
                checkin_days: &self.checkin_days,
            };
            let memory = &mut self.flags[i];
            states[i] = memory
                .remembered
                .state(rules, flag, day, &values, &around)
                .map(|level| flag.capped(level));
            let daily = !matches!(flag.memory, Memory::Form | Memory::Drift | Memory::Event);
            if daily && evaluable(flag, &values) {
                memory.note(rules, flag, day, &values, &Values::new(), None);
            }
        }
        self.values = values;
        states
    }

    /// Inputs that say whether other flags are watch or higher, with an answer of the profile where they name one.
    fn read_flags(&self, values: &mut Values<'r>, states: &[Option<Level>]) {
        for input in self.rules.inputs.iter().filter(|i| !i.flags.is_empty()) {
            let flags = input.flags.iter().filter_map(|id| self.rules.flag_index(id));
            let raised = flags.filter_map(|i| states[i]).map(|s| s >= Level::Watch);
            let answers = input.from.iter().filter_map(|raw| match raw.as_str() {
                "bone_stress_tick" => self.history.profile.bone_stress_tick,
                _ => None,
            });
            if let Some(any) = raised.chain(answers).reduce(|a, b| a || b) {
                values.insert(&input.name, yes(any));
            }
        }
    }
}

impl<'r> FlagMemory<'r> {
    /// Keeps the values of an evaluable run or day, and for each level that holds in it.
    fn note(
        &mut self,
        rules: &Rules,
        flag: &super::rules::Flag,
        day: i32,
        values: &Values<'r>,
        spreads: &Values<'r>,
        run: Option<usize>,
    ) {
        let basis = Basis {
            day,
            values: values.clone(),
            spreads: spreads.clone(),
            run,
        };
        for (held, level) in self.held.iter_mut().zip(Level::RAISED) {
            if level_holds(rules, flag, level, values, spreads, Reach::Full) {
                *held = Some(basis.clone());
            }
        }
        self.last = Some(basis);
    }
}

/// What the latched flags allow to be said.
fn coaching(rules: &Rules, states: &[Option<Level>]) -> Coaching {
    let latched = rules
        .flags
        .iter()
        .zip(states)
        .filter(|(f, _)| f.memory == Memory::Latched);
    match latched.filter_map(|(_, s)| *s).max() {
        Some(Level::Stop) => Coaching::Silent,
        Some(level) if level > Level::None => Coaching::NoCues,
        _ => Coaching::Open,
    }
}

/// The flags that a flag reads through its inputs.
pub(super) fn flags_read(rules: &Rules, flag: usize) -> Vec<usize> {
    let inputs = rules.flags[flag].inputs();
    let inputs = inputs.iter().filter_map(|name| rules.input(name));
    inputs
        .flat_map(|i| &i.flags)
        .filter_map(|id| rules.flag_index(id))
        .collect()
}

/// Flags by how many others stand before them; those of equal depth in the order of the rules.
fn reading_order(rules: &Rules) -> Vec<usize> {
    let n = rules.flags.len();
    let reads: Vec<Vec<usize>> = (0..n).map(|i| flags_read(rules, i)).collect();
    let mut depth = vec![0_usize; n];
    // As many rounds as there are flags settle any chain; the checked rules have no circle.
    for _ in 0..n {
        for i in 0..n {
            depth[i] = reads[i].iter().map(|j| depth[*j] + 1).max().unwrap_or(0).min(n);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|i| depth[*i]);
    order
}

/// A change of a flag's state: day, place of the flag in the rules, and the state at the end of that day.
pub type StateChange = (i32, usize, Option<Level>);

/// All days of a history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Summary level of each day; `None` is not enough data.
    pub summary: Vec<Option<Level>>,
    /// Changes of states; before day 0 all flags are without enough data.
    pub changes: Vec<StateChange>,
}

/// Evaluates all days of a history.
#[must_use]
pub fn evaluate(rules: &Rules, history: &History) -> Evaluation {
    let mut engine = Engine::new(rules, history);
    let mut all = Evaluation::default();
    let mut before = vec![None; rules.flags.len()];
    while let Some(end) = engine.next_day() {
        all.summary.push(end.summary);
        let changed = end
            .states
            .iter()
            .zip(&before)
            .enumerate()
            .filter(|(_, (now, then))| now != then);
        all.changes.extend(changed.map(|(i, (now, _))| (end.day, i, *now)));
        before.clone_from(&end.states);
    }
    all
}
