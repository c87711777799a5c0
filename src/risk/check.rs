//! Whether the parts of a rule file fit together, and whether a flag claims more than its evidence allows.
//!
//! This is where the policy of flags is held: a disputed or conventional basis never rises above watch, a high needs a
//! pain entry unless the evidence is grade A, no message holds a banned word, every source is listed, every cause and sign
//! of the articles is answered. A rule file that breaks one of these is refused, whoever wrote it.

use super::engine::flags_read;
use super::rules::{Flag, Input, Per, Rules, Source, Strength, StudiedOutcome};
use super::vocabulary::{Level, Memory};
use std::collections::BTreeSet;
use std::fmt;

/// A place in a rule file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole.
    File,
    /// The own reference.
    Baseline,
    /// A kind of memory.
    Memory(String),
    /// The summary.
    Summary,
    /// A test vector of the summary.
    Vector(u32),
    /// A flag by its code.
    Flag(String),
    /// An entry of a table by its name.
    Entry(&'static str, String),
}

impl Place {
    /// The place of an entry of a table.
    #[must_use]
    pub fn of(table: &'static str, name: &str) -> Self {
        Self::Entry(table, name.to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Baseline => write!(f, "baseline"),
            Self::Memory(name) => write!(f, "persistence.{name}"),
            Self::Summary => write!(f, "summary"),
            Self::Vector(n) => write!(f, "summary.vector {n}"),
            Self::Flag(id) => write!(f, "flag {id}"),
            Self::Entry(table, name) => write!(f, "{table}.{name}"),
        }
    }
}

/// Inputs that the engine computes by name, with when; all others must be changes against the reference or read flags.
pub const COMPUTED: &[(&str, Per)] = &[
    ("drift_markers", Per::Run),
    ("run_effort", Per::Run),
    ("run_back_worst", Per::Session),
    ("spike_ratio", Per::Session),
    ("spike_extra_km", Per::Session),
    ("break_days", Per::Session),
    ("downhill_run_km", Per::Session),
    ("downhill_ratio", Per::Session),
    ("warmup_missing", Per::Session),
    ("no_warmup_of5", Per::Session),
    ("back_7d_max", Per::Day),
    ("back_day_max", Per::Day),
    ("back_rise", Per::Day),
    ("not_settled_of3", Per::Day),
    ("sudden_onset_today", Per::Day),
    ("stopped_today", Per::Day),
    ("pain_days_14", Per::Day),
    ("episode_days", Per::Day),
    ("deload_done", Per::Day),
    ("deload_ratio", Per::Day),
    ("leg_or_life_tick", Per::Day),
    ("safety_tick", Per::Day),
    ("focal_one_side_today", Per::Day),
    ("pain_on_impact_today", Per::Day),
    ("one_sided_pain_7d", Per::Day),
    ("prior_episodes", Per::Day),
    ("medical_history", Per::Day),
    ("week_jump_pct", Per::Day),
    ("rest_days_7", Per::Day),
    ("weeks_under_2_rest", Per::Day),
    ("training_streak_days", Per::Day),
    ("low_recovery_signs", Per::Day),
    ("low_recovery_days_7", Per::Day),
    ("shoe_km", Per::Day),
    ("uneven_heel_worn", Per::Day),
    ("same_shoe_impact_pp", Per::Day),
    ("comfort_min", Per::Day),
    ("shoe_back_diff", Per::Day),
    ("top_shoe_share", Per::Day),
    ("runs_per_week_56d", Per::Day),
    ("hard_share_rise", Per::Day),
    ("uneven_share_rise", Per::Day),
    ("uneven_sore_of3", Per::Day),
    ("hip_above", Per::Day),
    ("knee_ext_deficit", Per::Day),
    ("self_tight", Per::Day),
    ("any_tight", Per::Day),
    ("side_plank_min_s", Per::Day),
    ("core_sessions_7d", Per::Day),
];

/// Inputs of a run's form flags that are no measurements of the run.
const BESIDE_RUNS: &[&str] = &["run_back_worst", "back_7d_max", "one_sided_pain_7d"];
/// Fields of messages that are no inputs.
const MESSAGE_FIELDS: &[&str] = &["percent", "direction", "side", "markers", "tick", "when", "shoe"];
/// Parts of the names of inputs that come from what a person said about pain.
const PAIN_WORDS: &[&str] = &["back", "pain", "tick", "episode", "settled", "onset"];
/// Raw values that the engine reads without an input.
const READ_DIRECTLY: &[&str] = &["safety_answered", "seen_by_professional"];
/// Questions asked for display and for the person, not for a rule.
const FOR_DISPLAY: &[&str] = &[
    "q_compare",
    "q_week_skipped",
    "q_week_cut",
    "q_week_held",
    "q_week_things",
    "q_daily_life",
];

/// What is found, with its place.
pub type Found = Vec<(Place, String)>;

/// All problems of a rule file; none for one that may be used.
#[must_use]
pub fn problems(rules: &Rules) -> Found {
    let mut found = Found::new();
    numbers(rules, &mut found);
    for (i, flag) in rules.flags.iter().enumerate() {
        let mut told = Vec::new();
        names(rules, i, &mut told);
        levels(rules, flag, &mut told);
        policy(rules, flag, &mut told);
        words(rules, flag, &mut told);
        found.extend(told.into_iter().map(|what| (Place::Flag(flag.id.clone()), what)));
    }
    for input in &rules.inputs {
        let mut told = Vec::new();
        input_fits(rules, input, &mut told);
        found.extend(told.into_iter().map(|what| (Place::of("input", &input.name), what)));
    }
    summary_fits(rules, &mut found);
    coverage(rules, &mut found);
    found
}

fn numbers(rules: &Rules, found: &mut Found) {
    let r = &rules.reference;
    let mut need = |ok: bool, what: &str| {
        if !ok {
            found.push((Place::Baseline, what.to_owned()));
        }
    };
    need(r.min_runs >= 2, "min_runs must be 2 or more: one run has no spread");
    need(r.full_runs >= r.min_runs, "full_runs must be min_runs or more");
    need(r.fit_speed_span_ms > 0.0, "fit_speed_span_ms must be above 0");
    need(
        r.min_pair_speed_gap_ms <= r.fit_speed_span_ms,
        "fit_speed_span_ms must be min_pair_speed_gap_ms or more, or a slope would have no pair of runs",
    );
    if rules.epsilon > 1e-3 {
        found.push((Place::File, "epsilon must be 0.001 or less".to_owned()));
    }
    for (memory, v) in [
        (Memory::Form, &rules.memories.form),
        (Memory::Drift, &rules.memories.drift),
    ] {
        let place = Place::Memory(memory.name().to_owned());
        if !(1..=v.raise_n).contains(&v.raise_k) {
            found.push((place.clone(), "raise_k must be 1 to raise_n".to_owned()));
        }
        if !(1..=v.clear_n).contains(&v.clear_k) {
            found.push((place.clone(), "clear_k must be 1 to clear_n".to_owned()));
        }
        if !(v.clear_factor > 0.0 && v.clear_factor <= 1.0) {
            found.push((place, "clear_factor must be above 0 and at most 1".to_owned()));
        }
    }
}

/// That everything a flag names is there, and that it does not read itself by way of others.
fn names(rules: &Rules, index: usize, told: &mut Vec<String>) {
    let flag = &rules.flags[index];
    if rules.flags[..index].iter().any(|f| f.id == flag.id) {
        told.push("a flag of this code stands before it".to_owned());
    }
    for name in flag.inputs() {
        match rules.input(name) {
            None => {
                let near = rules
                    .inputs
                    .iter()
                    .map(|i| i.name.as_str())
                    .min_by_key(|k| distance(k, name));
                let near = near.map(|n| format!("; the nearest is {n}")).unwrap_or_default();
                told.push(format!("input {name} is not defined{near}"));
            }
            Some(input) if !readable(flag, input) => told.push(format!(
                "input {name} is computed per {}, which a flag with persistence {} does not see",
                input.per.name(),
                flag.memory.name()
            )),
            Some(_) => {}
        }
    }
    let mut lists = |kind: &str, names: &[String], known: &dyn Fn(&str) -> bool| {
        told.extend(
            names
                .iter()
                .filter(|n| !known(n))
                .map(|n| format!("{kind} {n} is not defined")),
        );
    };
    lists("cause", &flag.causes, &|n| rules.causes.iter().any(|c| c.id == n));
    lists("sign", &flag.signs, &|n| rules.signs.iter().any(|c| c.id == n));
    lists("cite", &flag.cites, &|n| rules.cite(n).is_some());
    let offered = |n: &str| rules.actions.iter().any(|a| a.id == n && a.offer.is_ok());
    lists("offered action", &flag.actions, &offered);
    if flag.cites.is_empty() {
        told.push("has no cite: no citation, no flag".to_owned());
    }
    if flag.causes.is_empty() && flag.signs.is_empty() {
        told.push("answers no cause and no sign".to_owned());
    }
    let (mut seen, mut open) = (BTreeSet::new(), flags_read(rules, index));
    while let Some(next) = open.pop() {
        if next == index {
            told.push("reads itself by way of other flags".to_owned());
            break;
        }
        if seen.insert(next) {
            open.extend(flags_read(rules, next));
        }
    }
}

/// Letters in which two names differ, counted place by place: enough to name the likeliest.
fn distance(a: &str, b: &str) -> usize {
    let same = a.chars().zip(b.chars()).filter(|(x, y)| x == y).count();
    a.chars().count().max(b.chars().count()) - same
}

/// Whether the flag's kind of memory sees that input.
fn readable(flag: &Flag, input: &Input) -> bool {
    match flag.memory {
        Memory::Form | Memory::Drift => input.per == Per::Run || BESIDE_RUNS.contains(&input.name.as_str()),
        Memory::Event => input.per == Per::Session,
        _ => input.per == Per::Day,
    }
}

fn levels(rules: &Rules, flag: &Flag, told: &mut Vec<String>) {
    if flag.needs.is_empty() || flag.needs.iter().any(Vec::is_empty) {
        told.push("needs lists of at least one input each".to_owned());
    }
    for level in Level::RAISED {
        let conditions = flag.conditions(level);
        if conditions.iter().any(Vec::is_empty) {
            told.push(format!(
                "a list of {} has no condition and would always hold",
                level.name()
            ));
        }
        if !conditions.is_empty() && level > flag.cap {
            told.push(format!("{} is above its cap {}", level.name(), flag.cap.name()));
        }
        if level == Level::Stop && !conditions.is_empty() && flag.memory != Memory::Latched {
            told.push("only a latched flag may say stop".to_owned());
        }
        let anchored = |c: &Vec<_>| {
            c.iter()
                .any(|c: &super::vocabulary::Condition| is_change(rules, &c.input))
        };
        if flag.memory == Memory::Form && !conditions.iter().all(anchored) {
            told.push(format!(
                "{}: a condition without a change against the reference",
                level.name()
            ));
        }
    }
    if flag.conditions(flag.cap).is_empty() {
        told.push(format!("its cap {} is never reached", flag.cap.name()));
    }
}

fn is_change(rules: &Rules, input: &str) -> bool {
    rules.input(input).is_some_and(|i| i.change.is_some())
}

/// What the evidence allows.
fn policy(rules: &Rules, flag: &Flag, told: &mut Vec<String>) {
    let e = &flag.evidence;
    let may_count = rules.summary.families.contains(&flag.family)
        && matches!(e.outcome, StudiedOutcome::LowBack | StudiedOutcome::AnyRunningInjury)
        && !(e.contested || e.convention || e.indirect)
        && flag.cap > Level::Info;
    if flag.counts != may_count {
        told.push(format!("counts is {}, its evidence says {may_count}", flag.counts));
    }
    let limited = e.contested || e.convention || e.outcome == StudiedOutcome::Mechanism;
    if limited && flag.cap > Level::Watch {
        told.push("disputed, conventional or mechanism-only evidence never gets above watch".to_owned());
    }
    let pain = |name: &str| PAIN_WORDS.iter().any(|w| name.contains(w));
    let unsupported = flag
        .conditions(Level::High)
        .iter()
        .any(|all| !all.iter().any(|c| pain(&c.input)));
    if unsupported && e.strength != Strength::A {
        told.push("high without a pain entry needs evidence of grade A".to_owned());
    }
}

/// The texts of a flag that a runner reads.
#[must_use]
pub fn runner_texts(flag: &Flag) -> Vec<&str> {
    let whens = flag.message_when.iter().map(|(_, text)| text.as_str());
    let optional = [&flag.high_line, &flag.message_info]
        .into_iter()
        .flatten()
        .map(String::as_str);
    [flag.message.as_str()]
        .into_iter()
        .chain(optional)
        .chain(whens)
        .collect()
}

fn banned<'a>(text: &'a str, words: &'a [String]) -> impl Iterator<Item = &'a String> {
    let text = text.to_lowercase();
    words.iter().filter(move |w| text.contains(w.as_str()))
}

fn words(rules: &Rules, flag: &Flag, told: &mut Vec<String>) {
    for text in runner_texts(flag) {
        told.extend(
            banned(text, &rules.wording.banned_messages).map(|w| format!("a message holds the banned word '{w}'")),
        );
        for field in fields(text) {
            let known = MESSAGE_FIELDS.contains(&field) || rules.input(field).is_some();
            if !known {
                told.push(format!("the field {{{field}}} of a message is no input"));
            }
        }
    }
    let pt = banned(&flag.pt_detail, &rules.wording.banned_pt);
    told.extend(pt.map(|w| format!("pt_detail holds the banned word '{w}'")));
    if flag.message.is_empty() {
        told.push("has no message".to_owned());
    }
}

/// Names in braces.
pub(super) fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn input_fits(rules: &Rules, input: &Input, told: &mut Vec<String>) {
    let computed = COMPUTED.iter().find(|(name, _)| *name == input.name);
    let reads_flags = !input.flags.is_empty();
    match (computed, &input.change, reads_flags) {
        (Some((_, per)), None, false) if *per == input.per => {}
        (None, Some(_), false) if input.per == Per::Run => {}
        (None, None, true) if input.per == Per::Day => {}
        _ => told.push(
            "the engine has no computation for it: an input is a change per run, reads flags per day, or is one of those it knows by name"
                .to_owned(),
        ),
    }
    if input.from.is_empty() && !reads_flags {
        told.push("has no source".to_owned());
    }
    told.extend(
        input
            .from
            .iter()
            .filter(|n| rules.raw(n).is_none())
            .map(|n| format!("raw {n} is not defined")),
    );
    let outside = input.optional.iter().filter(|n| !input.from.contains(n));
    told.extend(outside.map(|n| format!("optional {n} is not in from")));
    let unknown = input.flags.iter().filter(|id| rules.flag_index(id).is_none());
    told.extend(unknown.map(|id| format!("flag {id} is not defined")));
    let Some(change) = &input.change else { return };
    if change.anchor <= 0.0 {
        told.push("anchor must be above 0".to_owned());
    }
    for level in [Level::Watch, Level::High] {
        let conditions = rules.flags.iter().flat_map(|f| f.conditions(level)).flatten();
        let sizes = conditions.filter(|c| c.input == input.name).map(|c| c.value.abs());
        if let Some(least) = sizes.reduce(f64::min) {
            if least != change.anchor {
                told.push(format!(
                    "anchor {} is not its {} threshold {least}",
                    change.anchor,
                    level.name()
                ));
            }
            break;
        }
    }
}

fn summary_fits(rules: &Rules, found: &mut Found) {
    let summary = &rules.summary;
    let mut need = |ok: bool, what: String| {
        if !ok {
            found.push((Place::Summary, what));
        }
    };
    let last = summary.lines.last().map(|l| l.test);
    need(
        last == Some(super::summary_rules::SummaryTest::Otherwise),
        "the ordered list must end with otherwise".to_owned(),
    );
    need(!summary.families.is_empty(), "families_counted is empty".to_owned());
    for level in Level::ALL.map(Level::name).into_iter().chain(["not_enough_data"]) {
        let mut texts = summary.text.iter();
        need(texts.any(|(name, _)| name == level), format!("no text for {level}"));
    }
    for (name, text) in &summary.text {
        let known = Level::from_name(name).is_some() || name == "not_enough_data";
        need(known, format!("text {name} is for no level"));
        for word in banned(text, &rules.wording.banned_messages) {
            need(false, format!("text {name} holds the banned word '{word}'"));
        }
    }
    for v in &summary.vectors {
        let unknown = v
            .flags
            .iter()
            .map(|(id, _)| id)
            .chain(&v.long)
            .filter(|id| rules.flag_index(id).is_none());
        let place = Place::Vector(v.n);
        found.extend(unknown.map(|id| (place.clone(), format!("flag {id} is not defined"))));
        for (id, level) in &v.flags {
            let cap = rules.flag_index(id).map(|i| rules.flags[i].cap);
            if cap.zip(*level).is_some_and(|(cap, level)| level > cap) {
                found.push((place.clone(), format!("{id} cannot rise so far")));
            }
        }
    }
}

/// That nothing of the articles and nothing of the file is left without use.
fn coverage(rules: &Rules, found: &mut Found) {
    let all = |pick: fn(&Flag) -> &Vec<String>| -> BTreeSet<&str> {
        rules.flags.iter().flat_map(pick).map(String::as_str).collect()
    };
    let (causes, signs, actions, cites) = (
        all(|f| &f.causes),
        all(|f| &f.signs),
        all(|f| &f.actions),
        all(|f| &f.cites),
    );
    let mut unused = |table: &'static str, name: &str, used: bool, what: &str| {
        if !used {
            found.push((Place::of(table, name), what.to_owned()));
        }
    };
    for c in &rules.causes {
        unused("cause", &c.id, causes.contains(c.id.as_str()), "no flag answers it");
    }
    for s in &rules.signs {
        unused("sign", &s.id, signs.contains(s.id.as_str()), "no flag answers it");
    }
    for a in &rules.actions {
        unused(
            "action",
            &a.id,
            a.offer.is_err() || actions.contains(a.id.as_str()),
            "is offered by no flag",
        );
        let line = a.offer.as_deref().unwrap_or_default();
        let clean = banned(line, &rules.wording.banned_messages).next().is_none();
        unused("action", &a.id, clean, "its line holds a banned word");
    }
    for c in &rules.cites {
        unused("cite", &c.key, cites.contains(c.key.as_str()), "is cited by no flag");
    }
    let inputs: BTreeSet<&str> = rules.flags.iter().flat_map(Flag::inputs).collect();
    let mut raws: BTreeSet<&str> = READ_DIRECTLY.iter().copied().collect();
    let mut questions: BTreeSet<&str> = FOR_DISPLAY.iter().copied().collect();
    for i in &rules.inputs {
        unused("input", &i.name, inputs.contains(i.name.as_str()), "is read by no flag");
        raws.extend(i.from.iter().map(String::as_str));
    }
    for r in &rules.raws {
        unused("raw", &r.name, raws.contains(r.name.as_str()), "is used by no input");
        match &r.source {
            Source::Sensors(sets) => unused("raw", &r.name, !sets.is_empty(), "has no set of sensors"),
            Source::Entry(q) | Source::Profile(q) => {
                let asked = rules.questions.iter().any(|x| x.name == *q);
                unused("raw", &r.name, asked, "its question is not defined");
                questions.insert(q);
            }
            Source::Log => {}
        }
    }
    for q in &rules.questions {
        unused(
            "question",
            &q.name,
            questions.contains(q.name.as_str()),
            "its answer is used nowhere",
        );
    }
}
