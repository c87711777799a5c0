//! One flag in a few lines: what was seen, against what, how it persisted, what else, what clears it, what to try.

use super::shapes::{ConditionItem, FlagDetail, FlagItem, InputItem, LevelWord};
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

fn seen(i: &InputItem) -> String {
    let unit = match i.unit.as_str() {
        "1" | "bool" => "",
        unit => unit,
    };
    match (&i.value, &i.why_missing) {
        (Some(x), _) => format!("{} {} {unit}", i.name.replace('_', " "), number(*x))
            .trim_end()
            .to_owned(),
        (None, Some(why)) => format!("{} not known: {why}", i.name.replace('_', " ")),
        (None, None) => format!("{} not known", i.name.replace('_', " ")),
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
        line("limit", &format!("{}: {}", condition.level.word(), condition.text));
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
