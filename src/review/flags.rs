//! The lower-back flags of one athlete: now, one of them in full, over time, and under another rule file.
//!
//! The engine is run through the whole history each time; nothing is carried from call to call, so an entry made today
//! about last week counts from last week on.

use super::history_of::Past;
use super::shapes::{
    ActionDone, CiteShown, CoachingWord, Computation, ConditionItem, DataFrom, DataWord, FlagDetail, FlagHistory,
    FlagItem, FlagsNow, InputItem, Learning, LevelWord, ReferenceSpan, ReplayDifference, SafetyNow, SafetyWord,
    StateChange, SummaryNow, VoteItem,
};
use super::sight::Sight;
use crate::risk::engine::DayEnd;
use crate::risk::explain::{ConditionShown, Data, Explanation, LevelShown, Outcome};
use crate::risk::message::summary_text;
use crate::risk::rules::{Cite, Flag, Urgency};
use crate::risk::vocabulary::Memory;
use crate::risk::{Coaching, Engine, History, Level, Rules, evaluate, state_name};
use crate::store::journal::{Day, FlagActionKind};
use crate::store::sqlite::{FlagSeries, KeptInput, KeptState, KeptSummary};

/// What is said of a flag that may not be shown.
const NOT_SHARED: &str = "symptoms are not shared";

/// An engine that has gone through all days of a history, and the last of them; `None` of a history without days.
fn at_end<'r>(rules: &'r Rules, history: &'r History) -> Option<(Engine<'r>, DayEnd)> {
    let mut engine = Engine::new(rules, history);
    let mut end = None;
    while let Some(day) = engine.next_day() {
        end = Some(day.clone());
    }
    Some((engine, end?))
}

/// All flags at the end of the past's last day.
#[must_use]
pub fn flags_now(rules: &Rules, past: &Past, sight: Sight) -> FlagsNow {
    let history = sight.history(past);
    let ended = at_end(rules, &history);
    let flags = (0..rules.flags.len()).map(|i| {
        let explained = ended.as_ref().and_then(|(engine, _)| engine.explain(i));
        item(rules, past, sight, i, explained.as_ref())
    });
    let flags: Vec<FlagItem> = flags.collect();
    let learned = ended.as_ref().map_or(0, |(engine, _)| engine.most_learned());
    let needed = rules.reference.min_runs;
    FlagsNow {
        athlete: past.athlete.clone(),
        day: past.today,
        rules_version: rules.version.clone(),
        summary: summary(rules, &flags, sight, ended.as_ref().map(|e| &e.1)),
        coaching: match ended.as_ref().map_or(Coaching::Open, |e| e.1.coaching) {
            Coaching::Open => CoachingWord::Open,
            Coaching::NoCues => CoachingWord::NoCues,
            Coaching::Silent => CoachingWord::Silent,
        },
        safety: safety(rules, &history, &flags),
        learning: (learned < needed).then_some(Learning {
            runs: learned as u32,
            needed: needed as u32,
        }),
        flags,
        first_time_line: rules.first_time_line.clone(),
        footer: rules.footer.clone(),
    }
}

fn summary(rules: &Rules, flags: &[FlagItem], sight: Sight, end: Option<&DayEnd>) -> SummaryNow {
    let level = LevelWord::from(end.and_then(|e| e.summary));
    let coverage = end.map_or(0.0, |e| e.coverage);
    let families = &rules.summary.families;
    let areas_measurable = (coverage * families.len() as f64).round() as u32;
    let changed = families.iter().filter(|family| {
        let mut of = rules
            .flags
            .iter()
            .zip(flags)
            .filter(|(f, _)| f.counts && f.family == **family);
        of.any(|(_, item)| item.level >= LevelWord::Watch)
    });
    let text = match (sight, level, end) {
        (_, _, None) => "nothing is known yet".to_owned(),
        // Without symptoms the reason would always be that no back score was entered, which is not for this reader.
        (Sight::NoSymptoms, LevelWord::NotEnoughData, _) => format!(
            "{areas_measurable} of {} areas could be checked; {NOT_SHARED}.",
            families.len()
        ),
        (_, _, Some(end)) => summary_text(rules, end),
    };
    SummaryNow {
        level,
        text,
        areas_changed: changed.count() as u32,
        areas_measurable,
        coverage,
    }
}

/// The screen that a latched tick asks for: the last ticks of that kind, in the fixed words.
fn safety(rules: &Rules, history: &History, flags: &[FlagItem]) -> Option<SafetyNow> {
    let latched = rules
        .flags
        .iter()
        .zip(flags)
        .filter(|(f, i)| f.memory == Memory::Latched && i.level.raised());
    let (flag, item) = latched.max_by_key(|(_, i)| i.level)?;
    let stops = !flag.conditions(Level::Stop).is_empty();
    let such = |u: Urgency| match u {
        Urgency::Emergency | Urgency::Urgent => stops,
        Urgency::BeforeNextRun => !stops,
        Urgency::None => false,
    };
    let of_kind = |c: &crate::risk::history::CheckIn| -> Vec<(Urgency, String)> {
        let ticks = rules.ticks.iter().filter(|t| such(t.show) && c.ticked(&t.name));
        ticks.map(|t| (t.show, t.text.clone())).collect()
    };
    let ticks = history
        .checkins
        .iter()
        .rev()
        .map(of_kind)
        .find(|t| !t.is_empty())
        .unwrap_or_default();
    let title = match ticks.iter().map(|t| t.0).min() {
        Some(Urgency::Emergency) => "Get help now: call your emergency number.",
        Some(Urgency::Urgent) => "Ask for an urgent appointment.",
        _ => "Have it looked at before you run again.",
    };
    Some(SafetyNow {
        level: if stops { SafetyWord::Stop } else { SafetyWord::NoCues },
        title: title.to_owned(),
        text: item.message.clone().unwrap_or_default(),
        ticks: ticks.into_iter().map(|t| t.1).collect(),
    })
}

/// A flag's name in words.
#[must_use]
pub fn title(flag: &Flag) -> String {
    let words = flag.slug.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

fn item(rules: &Rules, past: &Past, sight: Sight, index: usize, explained: Option<&Explanation>) -> FlagItem {
    let flag = &rules.flags[index];
    let hidden = sight.hides(rules, flag);
    let shown = explained.filter(|_| !hidden);
    let level = shown
        .and_then(|e| LevelWord::from_word(e.state))
        .unwrap_or(LevelWord::NotEnoughData);
    let (message, missing) = match shown.map(|e| &e.outcome) {
        Some(Outcome::Raised { message, .. }) => (Some(message.clone()), Vec::new()),
        Some(Outcome::Clear) => (None, Vec::new()),
        Some(Outcome::Insufficient { missing }) => {
            let mut words: Vec<String> = Vec::new();
            for m in missing {
                if !words.contains(&m.why) {
                    words.push(m.why.clone());
                }
            }
            (None, words)
        }
        None if hidden => (None, vec![NOT_SHARED.to_owned()]),
        None => (None, vec!["nothing is known yet".to_owned()]),
    };
    let (data, data_from) = match shown.map(|e| e.data) {
        Some(Data::Good) => (DataWord::Good, DataFrom::Sensors),
        Some(Data::Fair) => (DataWord::Fair, DataFrom::Sensors),
        Some(Data::Poor) => (DataWord::Poor, DataFrom::Sensors),
        Some(Data::None) => (DataWord::None, DataFrom::Sensors),
        Some(Data::Entered) if level == LevelWord::NotEnoughData => (DataWord::None, DataFrom::Entered),
        Some(Data::Entered) => (DataWord::Good, DataFrom::Entered),
        None => (DataWord::None, DataFrom::Entered),
    };
    let own = past.actions.iter().filter(|(_, a)| a.flag == flag.id && !hidden);
    let muted = own.clone().rev().find(|(_, a)| a.action == FlagActionKind::Mute);
    FlagItem {
        id: flag.id.clone(),
        slug: flag.slug.clone(),
        title: title(flag),
        family: flag.family.clone(),
        level,
        since: shown
            .filter(|e| e.since_day > 0 || level.raised())
            .map(|e| past.day(e.since_day)),
        message,
        missing,
        evidence_word: flag.evidence.strength.word().to_owned(),
        disputed: flag.evidence.contested,
        data,
        data_from,
        hidden,
        muted_until: muted.and_then(|(_, a)| a.until).filter(|until| *until >= past.today),
        actions: own
            .map(|(day, a)| ActionDone {
                actor: a.actor.clone(),
                action: a.action,
                note: a.note.clone(),
                day: *day,
            })
            .collect(),
    }
}

/// One flag with everything behind it; `None` where the rules have no such flag.
#[must_use]
pub fn flag_detail(rules: &Rules, past: &Past, sight: Sight, id: &str) -> Option<FlagDetail> {
    let index = rules.flags.iter().position(|f| f.id.eq_ignore_ascii_case(id))?;
    let history = sight.history(past);
    let ended = at_end(rules, &history);
    let explained = ended.as_ref().and_then(|(engine, _)| engine.explain(index));
    let flag = item(rules, past, sight, index, explained.as_ref());
    let shown = ended.as_ref().zip(explained).filter(|_| !flag.hidden);
    Some(match shown {
        Some(((engine, _), e)) => FlagDetail {
            text: with_dates(&e.text(), past),
            computation: Some(computation(past, engine, index, &e)),
            flag,
        },
        None => FlagDetail {
            text: format!("{} {}: {}\n", flag.id, flag.title, flag.missing.join("; ")),
            computation: None,
            flag,
        },
    })
}

/// What else could explain a flag, for the inbox.
#[must_use]
pub fn other_reasons(rules: &Rules, past: &Past, sight: Sight, id: &str) -> Vec<String> {
    let detail = flag_detail(rules, past, sight, id);
    detail
        .and_then(|d| d.computation)
        .map(|c| c.other_reasons)
        .unwrap_or_default()
}

/// A text of the engine with its days as calendar days: `day 12` becomes `2026-03-01`.
#[must_use]
pub fn with_dates(text: &str, past: &Past) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = rest.find("day ") {
        let (before, after) = (&rest[..at], &rest[at + 4..]);
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let alone = !before.ends_with(|c: char| c.is_alphanumeric());
        match after[..digits].parse::<i32>() {
            Ok(day) if alone => {
                out.push_str(before);
                out.push_str(&past.day(day).to_string());
                rest = &after[digits..];
            }
            _ => {
                out.push_str(&rest[..at + 4]);
                rest = after;
            }
        }
    }
    out + rest
}

fn computation(past: &Past, engine: &Engine, index: usize, e: &Explanation) -> Computation {
    let runs: Vec<_> = past.runs().collect();
    let votes = engine.run_votes(index).into_iter().map(|v| VoteItem {
        session: runs.get(v.run).and_then(|s| s.id()).cloned(),
        day: past.day(v.day),
        level: Some(LevelWord::from(Some(v.reaches))),
        values: v.values,
    });
    let reference = engine.learned_from(index).map(|l| ReferenceSpan {
        runs: l.runs as u32,
        from: past.day(l.first_day),
        to: past.day(l.last_day),
    });
    Computation {
        conditions: e
            .levels
            .iter()
            .flat_map(|l| l.conditions.iter().map(|all| condition(e, l, all)))
            .collect(),
        votes: votes.collect(),
        needs: with_dates(&e.counted, past),
        clears: vec![with_dates(&e.clears, past)],
        other_reasons: e.other_reasons.iter().map(|r| with_dates(r, past)).collect(),
        remedies: e.offers.clone(),
        cites: e.sources.iter().map(cite).collect(),
        reference,
    }
}

fn cite(c: &Cite) -> CiteShown {
    let year = c.year.map(|y| format!(" ({y})")).unwrap_or_default();
    CiteShown {
        key: c.key.clone(),
        text: format!("{}{year}, {}: {}", c.authors, c.journal, c.finding),
        basis: c.basis.clone(),
        url: c.doi.as_ref().map(|doi| format!("https://doi.org/{doi}")),
    }
}

fn condition(e: &Explanation, level: &LevelShown, all: &[ConditionShown]) -> ConditionItem {
    let inputs = all.iter().map(|c| {
        let shown = e.inputs.iter().find(|i| i.name == c.input);
        InputItem {
            name: c.input.clone(),
            title: shown.map(|i| i.definition.clone()).unwrap_or_default(),
            value: c.value,
            unit: shown.map(|i| i.unit.clone()).unwrap_or_default(),
            threshold: c.table,
            effective_threshold: c.effective,
            op: c.op.sign().to_owned(),
            why_missing: match c.value {
                None => Some(
                    shown
                        .and_then(|i| i.missing.clone())
                        .unwrap_or_else(|| "not known".to_owned()),
                ),
                Some(_) => None,
            },
        }
    });
    let fails = all.iter().any(|c| c.value.is_some() && !c.holds);
    let unknown = all.iter().any(|c| c.value.is_none());
    let text: Vec<String> = all
        .iter()
        .map(|c| format!("{} {} {:.4}", c.input, c.op.sign(), c.effective))
        .map(|t| t.trim_end_matches('0').trim_end_matches('.').to_owned())
        .collect();
    ConditionItem {
        level: LevelWord::from(Some(level.level)),
        text: text.join(" and "),
        holds: if unknown && !fails { None } else { Some(!fails) },
        inputs: inputs.collect(),
    }
}

/// Flags over all days of the past.
#[must_use]
pub fn flag_history(rules: &Rules, past: &Past, sight: Sight) -> FlagHistory {
    let history = sight.history(past);
    let all = evaluate(rules, &history);
    let shown = all
        .changes
        .iter()
        .filter(|(_, flag, _)| !sight.hides(rules, &rules.flags[*flag]));
    FlagHistory {
        rules_version: rules.version.clone(),
        days: (0..history.days).map(|d| past.day(d)).collect(),
        summary: all.summary.iter().map(|s| LevelWord::from(*s)).collect(),
        changes: shown
            .map(|(day, flag, state)| StateChange {
                day: past.day(*day),
                id: rules.flags[*flag].id.clone(),
                state: LevelWord::from(*state),
            })
            .collect(),
    }
}

/// Flags over time as they are kept: changes of states, each raised one with its explanation, changes of the summary, and
/// the inputs of each day. Always with everything in it: who may see what is decided when it is read.
#[must_use]
pub fn flag_series(rules: &Rules, past: &Past) -> FlagSeries {
    let mut engine = Engine::new(rules, &past.history);
    let mut series = FlagSeries::default();
    let mut states = vec![None; rules.flags.len()];
    let mut summary = None;
    while let Some(end) = engine.next_day() {
        let end = end.clone();
        let day = past.day(end.day);
        for (i, now) in end.states.iter().enumerate() {
            if *now == states[i] {
                continue;
            }
            let raised = now.is_some_and(|l| l > Level::None);
            let evidence = if raised { engine.explain(i) } else { None };
            series.states.push(KeptState {
                flag: rules.flags[i].id.clone(),
                day,
                state: state_name(*now).to_owned(),
                evidence: evidence.and_then(|e| serde_json::to_string(&e).ok()),
            });
        }
        states = end.states;
        if summary != Some((end.summary, end.coverage)) {
            summary = Some((end.summary, end.coverage));
            series.summaries.push(KeptSummary {
                day,
                state: state_name(end.summary).to_owned(),
                coverage: end.coverage,
            });
        }
        let inputs = engine.inputs_of_day();
        series.inputs.extend(inputs.into_iter().map(|(input, value)| KeptInput {
            input: input.to_owned(),
            day,
            value,
        }));
    }
    series
}

/// Where two rule files disagree about a history: stretches of days, by flag.
#[must_use]
pub fn replay(old: &Rules, new: &Rules, past: &Past, sight: Sight) -> Vec<ReplayDifference> {
    let history = sight.history(past);
    let (before, after) = (by_day(old, &history), by_day(new, &history));
    let mut differences = Vec::new();
    let mut ids: Vec<&str> = old.flags.iter().chain(&new.flags).map(|f| f.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let hidden = [old, new]
            .iter()
            .any(|r| r.flag_index(id).is_some_and(|i| sight.hides(r, &r.flags[i])));
        if hidden {
            continue;
        }
        let state = |rules: &Rules, days: &[Vec<Option<Level>>], day: usize| {
            LevelWord::from(rules.flag_index(id).and_then(|i| days[day][i]))
        };
        let mut open: Option<ReplayDifference> = None;
        for day in 0..history.days.max(0) as usize {
            let (was, is) = (state(old, &before, day), state(new, &after, day));
            let date: Day = past.day(day as i32);
            match &mut open {
                Some(d) if (d.old, d.new) == (was, is) => d.to = date,
                _ => {
                    differences.extend(open.take());
                    if was != is {
                        open = Some(ReplayDifference {
                            day: date,
                            to: date,
                            flag: id.to_owned(),
                            old: was,
                            new: is,
                        });
                    }
                }
            }
        }
        differences.extend(open);
    }
    differences.sort_by(|a, b| (a.day, &a.flag).cmp(&(b.day, &b.flag)));
    differences
}

fn by_day(rules: &Rules, history: &History) -> Vec<Vec<Option<Level>>> {
    let mut engine = Engine::new(rules, history);
    let mut days = Vec::new();
    while let Some(end) = engine.next_day() {
        days.push(end.states.clone());
    }
    days
}
