//! The whole computation behind one flag on one day, as values: what a person needs to check it by hand.
//!
//! Inputs with their numbers and where these come from, the reference and its band, the conditions with the thresholds of
//! this runner, how the flag's memory counted, what the evidence is worth, how good the data are, what else could explain
//! it, and what would clear it. The two labels, evidence and data, stand side by side and are never multiplied.

use super::engine::{Basis, Engine};
use super::history::History;
use super::memory::Remembered;
use super::message::message;
use super::rules::{Cite, Evidence, Flag, Input, Rules, Source};
use super::thresholds::{Reach, Values, effective};
use super::usual::{Compared, NotCompared};
use super::vocabulary::{Level, Memory, Op};
use super::{input_words, other_reasons, state_name};
use serde::Serialize;

/// Windows of a run from which its data are good.
const GOOD_WINDOWS: u32 = 20;

/// What a flag says at the end of a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Outcome {
    /// It is raised.
    Raised {
        /// How far.
        level: Level,
        /// What a runner reads.
        message: String,
    },
    /// Evaluated, and nothing to show.
    Clear,
    /// Too little is known.
    Insufficient {
        /// What is missing.
        missing: Vec<Missing>,
    },
}

/// Something that would have to be known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missing {
    /// The input, empty where it is not about one.
    pub input: String,
    /// Why it is not known.
    pub why: String,
}

/// Where a raw value comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Origin {
    /// Its name.
    pub raw: String,
    /// Sensors, or the question.
    pub from: String,
}

/// An input in an explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputShown {
    /// Its name.
    pub name: String,
    /// Its definition.
    pub definition: String,
    /// Its unit.
    pub unit: String,
    /// Its value; absent where it is not known.
    pub value: Option<f64>,
    /// The channels compared with the reference.
    pub compared: Vec<Compared>,
    /// The runner's own band of it: middle of the reference runs, 2 spreads down and up.
    pub own_band: Option<(f64, f64)>,
    /// Why it is not known.
    pub missing: Option<String>,
    /// Raw values behind it.
    pub origins: Vec<Origin>,
}

/// A condition in an explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionShown {
    /// The input.
    pub input: String,
    /// Comparison.
    pub op: Op,
    /// Number of the rule file.
    pub table: f64,
    /// Number for this runner, widened by the own spread.
    pub effective: f64,
    /// The input's value.
    pub value: Option<f64>,
    /// Whether it holds.
    pub holds: bool,
}

/// A level in an explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelShown {
    /// The level.
    pub level: Level,
    /// Any of these lists, all conditions of that list.
    pub conditions: Vec<Vec<ConditionShown>>,
    /// Whether it holds with these values.
    pub holds: bool,
    /// When it last held, where it ever did.
    pub last_held_day: Option<i32>,
}

/// A run's vote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VoteShown {
    /// Day of the run.
    pub day: i32,
    /// The highest level it reaches.
    pub reaches: Level,
}

/// How good the data behind a flag are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// A full reference and many windows.
    Good,
    /// A usable reference; pelvic angles are never better.
    Fair,
    /// A trend only.
    Poor,
    /// None.
    None,
    /// No sensor: what a person entered or logged.
    Entered,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Code of the flag.
    pub flag: String,
    /// Its name in words.
    pub slug: String,
    /// The day.
    pub day: i32,
    /// Version of the rule file.
    pub rules_version: String,
    /// State, by name.
    pub state: &'static str,
    /// Day on which this state began.
    pub since_day: i32,
    /// What it says.
    pub outcome: Outcome,
    /// Highest level its evidence allows.
    pub cap: Level,
    /// Whether it may move the summary.
    pub counts: bool,
    /// Day whose values are shown; absent where there are none.
    pub values_of_day: Option<i32>,
    /// Inputs.
    pub inputs: Vec<InputShown>,
    /// Conditions, level by level.
    pub levels: Vec<LevelShown>,
    /// The kind of memory.
    pub memory: &'static str,
    /// How it counted, in words.
    pub counted: String,
    /// Votes of the last runs, for flags that have them.
    pub votes: Vec<VoteShown>,
    /// What the evidence is worth.
    pub evidence: Evidence,
    /// How good the data are.
    pub data: Data,
    /// Sources.
    pub sources: Vec<Cite>,
    /// What else could explain it.
    pub other_reasons: Vec<String>,
    /// What would clear it.
    pub clears: String,
    /// Causes of the source articles it answers.
    pub causes: Vec<String>,
    /// What it offers to try.
    pub offers: Vec<String>,
}

/// Explains a flag on a day; `None` where there is no such flag or day.
#[must_use]
pub fn explain(rules: &Rules, history: &History, day: i32, flag: &str) -> Option<Explanation> {
    let index = rules.flag_index(flag)?;
    let mut engine = Engine::new(rules, history);
    while let Some(end) = engine.next_day() {
        if end.day == day {
            return engine.explain(index);
        }
    }
    None
}

impl Engine<'_> {
    /// Explains a flag, by its place in the rules, at the end of the last evaluated day; `None` before the first day.
    #[must_use]
    pub fn explain(&self, index: usize) -> Option<Explanation> {
        let end = self.end.as_ref()?;
        let flag = self.rules.flags.get(index)?;
        let state = end.states[index];
        let memory = &self.flags[index];
        let held = |level: Level| {
            Level::RAISED
                .iter()
                .position(|l| *l == level)
                .and_then(|i| memory.held[i].as_ref())
        };
        let basis = state.and_then(held).or(memory.last.as_ref());
        let outcome = match (state, basis) {
            (None, _) => Outcome::Insufficient {
                missing: self.missing(index, end.day),
            },
            (Some(level), Some(basis)) if level > Level::None => Outcome::Raised {
                level,
                message: message(self, flag, level, basis),
            },
            _ => Outcome::Clear,
        };
        let cites = flag.cites.iter().filter_map(|key| self.rules.cite(key));
        let causes = self.rules.causes.iter().chain(&self.rules.signs);
        let answered = causes.filter(|c| flag.causes.contains(&c.id) || flag.signs.contains(&c.id));
        let offers = self.rules.actions.iter().filter(|a| flag.actions.contains(&a.id));
        let inputs = flag.inputs();
        Some(Explanation {
            flag: flag.id.clone(),
            slug: flag.slug.clone(),
            day: end.day,
            rules_version: self.rules.version.clone(),
            state: state_name(state),
            since_day: memory.since,
            outcome,
            cap: flag.cap,
            counts: flag.counts,
            values_of_day: basis.map(|b| b.day),
            inputs: inputs
                .iter()
                .filter_map(|n| Some(self.input_shown(self.rules.input(n)?, basis)))
                .collect(),
            levels: self.levels_shown(flag, index, basis),
            memory: flag.memory.name(),
            counted: self.counted(index, end.day),
            votes: self.votes(index),
            evidence: flag.evidence.clone(),
            data: self.data(flag, basis),
            sources: cites.cloned().collect(),
            other_reasons: other_reasons::other_reasons(self, flag, basis, &self.voting_runs(index)),
            clears: self.clears(index, state, end.day),
            causes: answered.map(|c| format!("{}: {}", c.id, c.text)).collect(),
            offers: offers.filter_map(|a| a.offer.as_ref().ok().cloned()).collect(),
        })
    }

    fn input_shown(&self, input: &Input, basis: Option<&Basis>) -> InputShown {
        let run = basis.and_then(|b| b.run).and_then(|i| self.runs.get(i));
        let value = basis.and_then(|b| b.values.get(input.name.as_str()).copied());
        let compared = run
            .and_then(|r| r.compared.get(input.name.as_str()))
            .cloned()
            .unwrap_or_default();
        let factor = self.rules.reference.scale_factor;
        let widest = compared.iter().max_by(|a, b| a.spread.total_cmp(&b.spread));
        let why = run
            .and_then(|r| r.not_compared.get(input.name.as_str()))
            .map(|why| why_not(*why));
        let origins = input.from.iter().filter_map(|name| self.rules.raw(name));
        InputShown {
            name: input.name.clone(),
            definition: input.text.clone(),
            unit: input.unit.clone(),
            value,
            own_band: widest.map(|c| (c.middle - factor * c.spread, c.middle + factor * c.spread)),
            compared,
            missing: value
                .is_none()
                .then(|| why.unwrap_or_else(|| "not known that day".to_owned())),
            origins: origins
                .map(|raw| Origin {
                    raw: raw.name.clone(),
                    from: origin(self.rules, &raw.source),
                })
                .chain(input.flags.iter().map(|id| Origin {
                    raw: id.clone(),
                    from: "the state of that flag".to_owned(),
                }))
                .collect(),
        }
    }

    fn levels_shown(&self, flag: &Flag, index: usize, basis: Option<&Basis>) -> Vec<LevelShown> {
        let none = Values::new();
        let (values, spreads) = basis.map_or((&none, &none), |b| (&b.values, &b.spreads));
        let levels = Level::RAISED
            .iter()
            .enumerate()
            .filter(|(_, l)| !flag.conditions(**l).is_empty());
        let shown = levels.map(|(i, level)| {
            let lists = flag.conditions(*level).iter().map(|all| {
                let one = all.iter().map(|c| {
                    let value = values.get(c.input.as_str()).copied();
                    let effective = effective(self.rules, c, *level, spreads, Reach::Full);
                    ConditionShown {
                        input: c.input.clone(),
                        op: c.op,
                        table: c.value,
                        effective,
                        value,
                        holds: value.is_some_and(|x| c.op.holds(x, effective, self.rules.epsilon)),
                    }
                });
                one.collect::<Vec<_>>()
            });
            let conditions: Vec<Vec<ConditionShown>> = lists.collect();
            LevelShown {
                level: *level,
                holds: conditions.iter().any(|all| all.iter().all(|c| c.holds)),
                conditions,
                last_held_day: self.flags[index].held[i].as_ref().map(|b| b.day),
            }
        });
        shown.collect()
    }

    /// Why a flag cannot be evaluated.
    fn missing(&self, index: usize, day: i32) -> Vec<Missing> {
        let flag = &self.rules.flags[index];
        let takes = takes_of(flag);
        let mut missing = Vec::new();
        let mut add = |input: &str, why: String| {
            missing.push(Missing {
                input: input.to_owned(),
                why,
            });
        };
        if let (Remembered::Runs { votes, .. }, Some(rule)) =
            (&self.flags[index].remembered, self.rules.memories.votes(flag.memory))
        {
            let live = votes.iter().filter(|v| day - v.day < rule.stale_days).count();
            let (needed, days) = (rule.raise_k, rule.stale_days);
            add("", input_words::needs_runs(needed, live, days, &takes));
        }
        let last_run = self.runs.last();
        let needed = flag.needs.iter().flatten().filter_map(|name| self.rules.input(name));
        for input in needed.filter(|i| !self.values.contains_key(i.name.as_str())) {
            let why = match flag.memory {
                Memory::Form | Memory::Drift => match last_run {
                    // How many runs it takes is said already.
                    None => continue,
                    Some(run) if run.values.contains_key(input.name.as_str()) => continue,
                    Some(run) => match run.not_compared.get(input.name.as_str()) {
                        None => format!("the last run tells nothing of it ({})", input_words::name(&input.name)),
                        Some(why) => format!(
                            "the last run does not count for it ({}): {}",
                            input_words::name(&input.name),
                            why_not(*why)
                        ),
                    },
                },
                Memory::Event => format!(
                    "needs {takes}; no run of the last {} days had that",
                    self.rules.memories.event.stale_days
                ),
                Memory::Latched => format!(
                    "needs {takes}; there is none of the last {} days",
                    self.rules.memories.latched.stale_days
                ),
                _ => format!("needs {takes}"),
            };
            add(&input.name, why);
        }
        missing
    }

    fn votes(&self, index: usize) -> Vec<VoteShown> {
        let Remembered::Runs { votes, .. } = &self.flags[index].remembered else {
            return Vec::new();
        };
        let n = self
            .rules
            .memories
            .votes(self.rules.flags[index].memory)
            .map_or(0, |v| v.raise_n.max(v.clear_n));
        let last = &votes[votes.len().saturating_sub(n)..];
        let reaches = |hit: &[bool]| {
            let highest = hit.iter().zip(Level::SWITCHED).rev().find(|(hit, _)| **hit);
            highest.map_or(Level::None, |(_, level)| level)
        };
        last.iter()
            .map(|v| VoteShown {
                day: v.day,
                reaches: reaches(&v.hit),
            })
            .collect()
    }

    /// Runs whose votes count towards the present state, by their number.
    fn voting_runs(&self, index: usize) -> Vec<usize> {
        let Remembered::Runs { votes, .. } = &self.flags[index].remembered else {
            return Vec::new();
        };
        let n = self
            .rules
            .memories
            .votes(self.rules.flags[index].memory)
            .map_or(0, |v| v.raise_n);
        let last = votes[votes.len().saturating_sub(n)..].iter();
        last.filter(|v| v.hit.contains(&true)).map(|v| v.run).collect()
    }

    fn data(&self, flag: &Flag, basis: Option<&Basis>) -> Data {
        if !matches!(flag.memory, Memory::Form | Memory::Drift) {
            return Data::Entered;
        }
        let Some(run) = basis.and_then(|b| b.run).and_then(|i| self.runs.get(i)) else {
            let learning = self.runs.last().is_some_and(|r| {
                let runs = r.not_compared.values().filter_map(|why| match why {
                    NotCompared::Learning { runs, .. } => Some(*runs),
                    _ => None,
                });
                runs.max().is_some_and(|n| n >= self.rules.reference.trend_only_runs)
            });
            return if learning { Data::Poor } else { Data::None };
        };
        let needed = flag
            .needs
            .iter()
            .flatten()
            .filter_map(|n| run.compared.get(n.as_str()))
            .flatten();
        let runs = needed.map(|c| c.runs).min();
        let pelvic = flag.needs.iter().flatten().any(|n| pelvic_angle(self.rules, n));
        let windows = run.session.level_windows.unwrap_or(0);
        match runs {
            Some(n) if n >= self.rules.reference.full_runs && windows >= GOOD_WINDOWS && !pelvic => Data::Good,
            _ => Data::Fair,
        }
    }
}

/// Whether an input is an angle of the pelvis, whose validity is doubtful however many runs there are.
fn pelvic_angle(rules: &Rules, input: &str) -> bool {
    let Some(input) = rules.input(input).filter(|i| i.unit == "deg") else {
        return false;
    };
    let sets = input
        .from
        .iter()
        .filter_map(|n| rules.raw(n))
        .filter(|r| r.unit == "deg");
    sets.into_iter().any(|raw| match &raw.source {
        Source::Sensors(sets) => sets.iter().any(|set| set.iter().any(|s| s == "P")),
        _ => false,
    })
}

fn origin(rules: &Rules, source: &Source) -> String {
    match source {
        Source::Sensors(sets) => {
            let sets: Vec<String> = sets.iter().map(|set| set.join("+")).collect();
            format!("sensors {}", sets.join(" or "))
        }
        Source::Log => "the session log".to_owned(),
        Source::Entry(q) | Source::Profile(q) => {
            let text = rules.questions.iter().find(|x| x.name == *q);
            text.map_or_else(|| q.clone(), |x| format!("answer: {}", x.text))
        }
    }
}

/// What it takes for a flag to be evaluated, in words: the lists of inputs of which one must be known, each thing once.
fn takes_of(flag: &Flag) -> String {
    let once = |all: Vec<String>, between: &str| {
        let mut each: Vec<String> = Vec::new();
        for one in all {
            if !each.contains(&one) {
                each.push(one);
            }
        }
        each.join(between)
    };
    let lists = flag
        .needs
        .iter()
        .map(|list| once(list.iter().map(|i| input_words::takes(i)).collect(), ", and "));
    once(lists.collect(), ", or ")
}

/// Why a run was not compared, in words.
#[must_use]
pub fn why_not(why: NotCompared) -> String {
    match why {
        NotCompared::NotMeasured => "not measured".to_owned(),
        NotCompared::NoSpeed => "the speed is not known".to_owned(),
        NotCompared::FewWindows { windows, needed } => {
            format!("{windows} level, steady windows; {needed} needed")
        }
        NotCompared::Learning { runs, needed } => format!("learning your usual: {runs} of {needed} runs"),
        NotCompared::OtherSpeed {
            speed_ms,
            from_ms,
            to_ms,
        } => {
            format!("outside your usual speeds: {speed_ms:.2} m/s, compared from {from_ms:.2} to {to_ms:.2} m/s")
        }
        NotCompared::NoPercent => "the usual is too near 0 for a percentage".to_owned(),
    }
}
