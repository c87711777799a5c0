//! The sentences of a raised flag and of the summary, with their fields filled in.
//!
//! A number is said without its sign, because the words carry the direction, and with no more decimals than it means.

use super::engine::{Basis, Coaching, DayEnd, Engine};
use super::gear_inputs;
use super::rules::{Flag, Rules, Urgency};
use super::vocabulary::Level;

/// Stands for a value that is not known.
const UNKNOWN: &str = "–";

/// A number of this unit as people read it.
#[must_use]
pub fn said(value: f64, unit: &str) -> String {
    let decimals = match unit {
        "deg" | "cm" | "g" => 1,
        "km" if value.abs() < 100.0 => 1,
        "1" => 2,
        _ => usize::from(value.fract() != 0.0 && unit == "0-10"),
    };
    let text = format!("{:.decimals$}", value.abs());
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// What a runner reads of a flag at this level: the message, and the line that `high` adds. At `info` the first sentence, or
/// the note the flag has instead.
pub(super) fn message(engine: &Engine, flag: &Flag, level: Level, basis: &Basis) -> String {
    let template = match (level, &flag.message_info) {
        (Level::None, _) => return String::new(),
        (Level::Info, Some(note)) => note.as_str(),
        (Level::Info, None) => first_sentence(&flag.message),
        _ => flag.message.as_str(),
    };
    let mut text = filled(template, |field| field_of(engine, flag, basis, field));
    if let (Level::High, Some(line)) = (level, &flag.high_line) {
        text.push(' ');
        text.push_str(line);
    }
    text
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

fn filled(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_once('}') {
            Some((field, behind)) => {
                text.push_str(&value(field));
                rest = behind;
            }
            None => rest = after,
        }
    }
    text + rest
}

fn field_of(engine: &Engine, flag: &Flag, basis: &Basis, field: &str) -> String {
    let known = match field {
        "percent" => basis
            .values
            .get("spike_ratio")
            .map(|r| format!("{:.0}", 100.0 * (r - 1.0))),
        "direction" => change_of(engine, basis, "tilt_change_abs_deg", 0)
            .map(|x| if x > 0.0 { "forward" } else { "back" }.to_owned()),
        "side" => side(engine, basis),
        "markers" => basis.run.map(|run| markers(&engine.runs[run].markers)),
        "tick" => ticked(engine, flag, basis).map(|t| t.0),
        "when" => ticked(engine, flag, basis).map(|t| t.1),
        "shoe" => shoe(engine, flag, basis),
        input => basis.values.get(input).map(|x| {
            let unit = engine.rules.input(input).map_or("", |i| i.unit.as_str());
            said(*x, unit)
        }),
    };
    known.unwrap_or_else(|| UNKNOWN.to_owned())
}

fn change_of(engine: &Engine, basis: &Basis, input: &str, channel: usize) -> Option<f64> {
    let compared = engine.runs.get(basis.run?)?.compared.get(input)?;
    compared.get(channel).map(|c| c.change)
}

/// The side whose drop changed more.
fn side(engine: &Engine, basis: &Basis) -> Option<String> {
    let compared = engine.runs.get(basis.run?)?.compared.get("drop_change_max_deg")?;
    let most = compared.iter().max_by(|a, b| a.change.total_cmp(&b.change))?;
    Some(if most.channel.contains("left") { "left" } else { "right" }.to_owned())
}

fn markers(met: &[&str]) -> String {
    let words = met.iter().map(|name| match *name {
        "contact_time_pct" => "longer ground contact",
        "cadence_pct" => "slower steps",
        "tilt_deg" => "another pelvic tilt",
        "ml_ratio_pct" => "more side-to-side movement",
        "ap_regularity_pct" => "less even steps",
        "tibial_peak_pct" => "harder landings",
        other => other,
    });
    let words: Vec<&str> = words.collect();
    words.join(", ")
}

/// The ticks behind a latched flag, and when to act on the most urgent of them.
fn ticked(engine: &Engine, flag: &Flag, basis: &Basis) -> Option<(String, String)> {
    let stops = !flag.conditions(Level::Stop).is_empty();
    let such = |urgency: Urgency| match urgency {
        Urgency::Emergency | Urgency::Urgent => stops,
        Urgency::BeforeNextRun => !stops,
        Urgency::None => false,
    };
    let checkin = engine.diary.checkin(basis.day)?;
    let ticks = engine
        .rules
        .ticks
        .iter()
        .filter(|t| such(t.show) && checkin.ticked(&t.name));
    let ticks: Vec<_> = ticks.collect();
    let most = ticks.iter().map(|t| t.show).min()?;
    let when = flag.message_when.iter().find(|(name, _)| name == most.name());
    let texts: Vec<&str> = ticks.iter().map(|t| t.text.as_str()).collect();
    Some((
        texts.join("; "),
        when.map_or_else(|| UNKNOWN.to_owned(), |w| w.1.clone()),
    ))
}

/// The pair a flag about shoes is about: the least comfortable one, or the one with most km.
fn shoe(engine: &Engine, flag: &Flag, basis: &Basis) -> Option<String> {
    let mut pairs = gear_inputs::pairs_now(engine, basis.day);
    if flag.inputs().contains(&"comfort_min") {
        pairs.retain(|p| p.2.is_some());
        pairs.sort_by(|a, b| a.2.unwrap_or(0.0).total_cmp(&b.2.unwrap_or(0.0)));
    } else {
        pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
    }
    Some(
        pairs
            .first()
            .map_or_else(|| "a pair".to_owned(), |p| format!("Pair {}", p.0)),
    )
}

/// What is said about a day as a whole. While a safety stop is latched, only its own sentence.
#[must_use]
pub fn summary_text(rules: &Rules, end: &DayEnd) -> String {
    let areas = rules.summary.families.len() as f64;
    let level = match end.coaching {
        Coaching::Silent => Some(Level::Stop),
        Coaching::NoCues | Coaching::Open => end.summary,
    };
    let name = super::state_name(level);
    let template = rules
        .summary
        .text
        .iter()
        .find(|t| t.0 == name)
        .map_or("", |t| t.1.as_str());
    filled(template, |field| match field {
        "n_areas" => format!("{:.0}", areas * end.coverage),
        "what_is_missing" => missing(rules, end),
        _ => UNKNOWN.to_owned(),
    })
}

fn missing(rules: &Rules, end: &DayEnd) -> String {
    let numbers = &rules.summary.numbers;
    let areas = rules.summary.families.len() as f64;
    let mut told = Vec::new();
    if end.coverage < numbers.min_coverage - rules.epsilon {
        let (known, of) = (areas * end.coverage, areas);
        told.push(format!("{known:.0} of {of:.0} areas could be checked."));
    }
    if end.checkin_age.is_none_or(|age| age > numbers.max_checkin_age_days) {
        told.push(format!(
            "No back score in the last {} days.",
            numbers.max_checkin_age_days
        ));
    }
    told.join(" ")
}
