//! One flag in a few lines: what was seen, against what, how it persisted, what else, what clears it, what to try.

use super::shapes::{ConditionItem, FlagDetail, FlagItem, InputItem, LevelWord};
use crate::risk::input_words::name;
use std::fmt::Write as _;

/// A number with up to two decimals.
#[must_use]
pub fn number(x: f64) -> String {
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// State, since when, evidence and data of a flag, in one line.
#[must_use]
pub fn heading(flag: &FlagItem) -> String {
    let since = flag.since.map(|d| format!(" · since {d}")).unwrap_or_default();
    let disputed = if flag.disputed { ", disputed" } else { "" };
    format!(
        "{} {} · {}{since} · Evidence {}{disputed} · Data {}",
        flag.id,
        flag.title.to_lowercase(),
        flag.level.word().replace('_', " "),
        flag.evidence_word,
        flag.data.word()
    )
}

/// A value of an input with its unit, as precise as the input is: `-5.3 %`, `2.4 deg`, `4 of 10`, `yes`.
#[must_use]
pub fn amount(x: f64, unit: &str) -> String {
    let tenth = |x: f64| number((x * 10.0).round() / 10.0);
    match unit {
        "bool" => if x >= 0.5 { "yes" } else { "no" }.to_owned(),
        "1" => number(x),
        "count" => tenth(x),
        "0-10" => format!("{} of 10", tenth(x)),
        "1/week" => format!("{} a week", tenth(x)),
        unit => format!("{} {unit}", tenth(x)),
    }
}

/// A limit in words: `at most -3 %`.
fn limit(i: &InputItem) -> String {
    let than = match i.op.as_str() {
        ">=" => "at least ",
        "<=" => "at most ",
        ">" => "above ",
        "<" => "below ",
        _ => "",
    };
    format!("{} {than}{}", name(&i.name), amount(i.effective_threshold, &i.unit))
}

fn seen(i: &InputItem) -> String {
    match (&i.value, &i.why_missing) {
        (Some(x), _) => format!("{} {}", name(&i.name), amount(*x, &i.unit)),
        (None, Some(why)) => format!("{} not known: {why}", name(&i.name)),
        (None, None) => format!("{} not known", name(&i.name)),
    }
}

/// The condition that speaks most for the state: one of its level that holds, else the first.
fn telling(conditions: &[ConditionItem], level: LevelWord) -> Option<&ConditionItem> {
    let of_level = |c: &&ConditionItem| c.level == level;
    conditions
        .iter()
        .filter(of_level)
        .find(|c| c.holds == Some(true))
        .or_else(|| conditions.iter().find(of_level))
        .or_else(|| conditions.first())
}

/// The lines of `lope flags show FLAG`.
#[must_use]
pub fn short(detail: &FlagDetail) -> String {
    let mut t = heading(&detail.flag);
    t.push('\n');
    let mut line = |label: &str, text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(t, "  {label:<10} {text}");
    };
    if let Some(message) = &detail.flag.message {
        line("says", message);
    }
    if !detail.flag.missing.is_empty() {
        line("missing", &detail.flag.missing.join("; "));
    }
    let Some(c) = &detail.computation else { return t };
    if let Some(condition) = telling(&c.conditions, detail.flag.level) {
        let inputs: Vec<String> = condition.inputs.iter().map(seen).collect();
        line("saw", &inputs.join("; "));
        let limits: Vec<String> = condition.inputs.iter().map(limit).collect();
        line(
            "limit",
            &format!("{}: {}", condition.level.word(), limits.join(" and ")),
        );
    }
    if let Some(r) = &c.reference {
        line(
            "against",
            &format!("your reference, {} runs, {} to {}", r.runs, r.from, r.to),
        );
    }
    line("persisted", &c.needs);
    if detail.flag.level.raised() {
        if !c.other_reasons.is_empty() {
            line("maybe also", &c.other_reasons.join(" · "));
        }
        line("clears", &c.clears.join("; "));
        if !c.remedies.is_empty() {
            line("try", &c.remedies.join(" · "));
        }
    }
    t
}
