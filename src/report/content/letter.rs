//! A letter of one page in plain words: what was measured, what differed from the runner's own usual, what was not
//! measured, what was agreed.
//!
//! It is handed on, to a family doctor or home, so it holds no symptoms, no codes, no levels and no figure that needs a
//! glossary. It keeps the rules of every report: equal speeds, the smallest change that counts, absence said aloud, and no
//! sentence about causes.

use super::super::document::{Block, Text, Tone};
use super::bins::{Bin, ROWS};
use super::material::Material;
use super::{Ask, tables, words};
use crate::metrics::MetricId as Id;

/// What a metric is called in a letter, and its unit there.
fn plain(id: Id) -> Option<(&'static str, &'static str)> {
    Some(match id {
        Id::Cadence => ("Steps taken in a minute", "steps"),
        Id::StrideLength => ("Length of two steps", "m"),
        Id::ContactTime => (
            "Time a foot stays on the ground at each step",
            "thousandths of a second",
        ),
        Id::OverstrideDistance => ("How far ahead of the hips the foot lands", "cm"),
        Id::PelvisDrop => ("How far the hips dip to one side at each step", "degrees"),
        Id::PelvisTilt => ("How far the hips are tipped forward", "degrees"),
        Id::PelvisOscillation => ("How far the hips move up and down", "cm"),
        Id::SacralPeakAcc => ("Hardest push felt at the waistband at each step", "times gravity"),
        _ => return None,
    })
}

/// What became of a metric.
enum Outcome {
    /// It changed by more than runs ordinarily differ.
    Differs(String),
    /// It did not.
    AsBefore,
    /// How runs ordinarily differ is not known yet.
    NotJudged(String),
    /// It was not measured in both.
    Missing,
}

fn outcome(m: &Material, bin: &Bin, id: Id, (name, unit): (&str, &str)) -> Outcome {
    let before = bin.before.as_ref().and_then(|b| b.of(id, None));
    let (Some(old), Some(new)) = (before, bin.after.of(id, None)) else {
        return Outcome::Missing;
    };
    let change = new.value - old.value;
    let factor = id.def().shown_factor;
    let (was, is, size) = read(old.value * factor, new.value * factor, words::decimals(id));
    match tables::smallest(m, id) {
        Err(_) => Outcome::NotJudged(format!("{name}: {is} {unit}, {was} before")),
        Ok(limit) if change.abs() < limit => Outcome::AsBefore,
        Ok(_) => {
            let way = if change < 0.0 { "less" } else { "more" };
            Outcome::Differs(format!("{name}: {is} {unit}; before it was {was}, so {size} {way}."))
        }
    }
}

/// Before, after and what lies between them, as a reader subtracts: the difference is that of the numbers that are written.
/// From 100 on whole numbers are enough, unless they hide the difference.
fn read(old: f64, new: f64, decimals: usize) -> (String, String, String) {
    let at = |decimals: usize| {
        let step = 10_f64.powi(decimals as i32);
        let (old, new) = ((old * step).round() / step, (new * step).round() / step);
        (old, new, decimals)
    };
    let rough = at(if new.abs() >= 100.0 { 0 } else { decimals });
    let (old, new, decimals) = if rough.0 == rough.1 { at(decimals.max(1)) } else { rough };
    let write = |v: f64| words::number(v, decimals);
    (write(old), write(new), write((new - old).abs()))
}

/// Title and parts.
pub fn blocks(m: &Material, ask: &Ask) -> (String, Vec<Block>) {
    let title = format!("Letter about running: {}, {}", m.name, words::day(m.day));
    let mut blocks = vec![Block::Heading(1, Text::plain(&title))];
    let mut facts: Vec<(String, Text)> = Vec::new();
    if let Some(question) = &ask.question {
        facts.push(("Question asked".to_owned(), question.as_str().into()));
    }
    if let Some(clinician) = &ask.clinician {
        facts.push(("Written by".to_owned(), clinician.as_str().into()));
    }
    if !facts.is_empty() {
        blocks.push(Block::Facts(facts));
    }
    let body = |text: String| Block::Paragraph(Tone::Body, text.into());
    blocks.push(Block::Heading(2, "What was measured".into()));
    blocks.push(body(measured(m)));
    let bin = m.bins.iter().max_by_key(|b| b.after.windows);
    blocks.push(Block::Heading(2, "What differed from the runner's own usual".into()));
    let mut as_before = Vec::new();
    let mut missing = Vec::new();
    let mut not_judged = Vec::new();
    let mut differs = Vec::new();
    let compared = bin.filter(|b| b.before.is_some());
    for (id, plain) in ROWS.iter().filter_map(|id| Some((*id, plain(*id)?))) {
        match compared.map(|b| outcome(m, b, id, plain)) {
            Some(Outcome::Differs(text)) => differs.push(Text::plain(text)),
            Some(Outcome::AsBefore) => as_before.push(plain.0.to_lowercase()),
            Some(Outcome::NotJudged(text)) => not_judged.push(text),
            Some(Outcome::Missing) => missing.push(plain.0.to_lowercase()),
            None if bin.is_none_or(|b| b.after.of(id, None).is_none()) => missing.push(plain.0.to_lowercase()),
            None => {}
        }
    }
    match compared {
        None => blocks.push(body(
            "Nothing was compared: there are no earlier runs at the same speed on level ground.".to_owned(),
        )),
        Some(bin) => {
            blocks.push(body(format!(
                "At one and the same pace, {} minutes a kilometre on level ground, the later runs ({}) are set against the earlier ones ({}). \
                 Only what changed by more than this runner's runs ordinarily differ is listed.",
                words::pace(bin.speed_ms),
                days(m.compare.b.day_from, m.compare.b.day_to),
                days(m.compare.a.day_from, m.compare.a.day_to),
            )));
            if differs.is_empty() && not_judged.is_empty() {
                blocks.push(body("Nothing changed by more than that.".to_owned()));
            }
            if !differs.is_empty() {
                blocks.push(Block::List(differs));
            }
            if !as_before.is_empty() {
                blocks.push(body(format!("As before: {}.", as_before.join("; "))));
            }
            if !not_judged.is_empty() {
                blocks.push(body(format!(
                    "Not known yet to be a change or chance, because too few earlier runs are there: {}.",
                    not_judged.join("; ")
                )));
            }
        }
    }
    if !m.losses.exchanged.is_empty() {
        blocks.push(body(
            "The left and the right shoe sensor look exchanged in one of these runs; nothing here tells left from right.".to_owned(),
        ));
    }
    blocks.push(Block::Heading(2, "What was not measured".into()));
    blocks.push(Block::List(not_measured(m, &missing)));
    blocks.push(Block::Heading(2, "What was agreed".into()));
    if ask.agreed.is_empty() {
        blocks.push(Block::Lines("To be written by hand".to_owned(), 3));
    } else {
        blocks.push(Block::List(ask.agreed.iter().map(Text::plain).collect()));
    }
    blocks.push(Block::Fields(vec![
        "Name, signature".to_owned(),
        "Place, day".to_owned(),
    ]));
    (title, blocks)
}

fn days(from: Option<crate::store::journal::Day>, to: Option<crate::store::journal::Day>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => words::span(from, to),
        _ => "no day known".to_owned(),
    }
}

/// Where a sensor sat, as one says it.
fn place(name: &str) -> &str {
    match name {
        "left foot" => "the left shoe",
        "right foot" => "the right shoe",
        "left shank" => "the left shin",
        "right shank" => "the right shin",
        "sacrum" => "the waistband at the back",
        other => other,
    }
}

fn and(all: &[&str]) -> String {
    match all.split_last() {
        None => "no place".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

fn measured(m: &Material) -> String {
    let places: Vec<&str> = m.sensors.iter().map(|(p, _)| place(p)).collect();
    let (before, after) = (m.compare.a.sessions.len(), m.compare.b.sessions.len());
    let mut text = match places.is_empty() {
        true => "No run with motion sensors is in this letter.".to_owned(),
        false => format!("Small motion sensors on {} recorded how {} ran", and(&places), m.name),
    };
    if !places.is_empty() {
        let of = |n: usize| words::counted(n, "run");
        text.push_str(&match (before, after) {
            (0, n) => format!(" in {}.", of(n)),
            (a, b) => format!(": {} earlier and {} later.", of(a), of(b)),
        });
    }
    if let Some(card) = &m.card {
        let s = &card.session;
        let km = s.distance_km.map(|km| format!("{} km", words::number(km, 1)));
        let time = s.duration_s.map(|t| words::minutes(t / 60.0));
        let told: Vec<String> = [km, time].into_iter().flatten().collect();
        if !told.is_empty() {
            text.push_str(&format!(
                " The run of {} was {} long.",
                words::day(s.day),
                told.join(" and ")
            ));
        }
    }
    text
}

fn not_measured(m: &Material, missing: &[String]) -> Vec<Text> {
    let mut points = Vec::new();
    let worn = |what: &str| m.sensors.iter().any(|(p, _)| p.contains(what));
    for (what, said) in [
        ("foot", "No sensor was worn on a shoe, so nothing is known of the feet."),
        (
            "sacrum",
            "No sensor was worn at the waistband, so nothing is known of the hips.",
        ),
    ] {
        if !m.sensors.is_empty() && !worn(what) {
            points.push(Text::plain(said));
        }
    }
    if !missing.is_empty() {
        points.push(Text::plain(format!(
            "No value in both sets of runs: {}.",
            missing.join("; ")
        )));
    }
    points.push(Text::plain(
        "How the runner felt is not in this letter, and strength, mobility, joints and the back itself were not looked at.",
    ));
    points.push(Text::plain(
        "Why something changed cannot be told from these numbers. A change is neither good nor bad by itself.",
    ));
    points.push(Text::plain(
        "Running uphill and downhill is left out, and so are the first five minutes of each run.",
    ));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_that_of_the_written_numbers() {
        let of = |old, new, decimals| {
            let (old, new, size) = read(old, new, decimals);
            format!("{old} {new} {size}")
        };
        assert_eq!(of(4.75, 6.0, 1), "4.8 6.0 1.2");
        assert_eq!(of(166.9, 158.4, 1), "167 158 9");
        assert_eq!(of(166.9, 167.2, 1), "166.9 167.2 0.3");
        assert_eq!(of(252.6, 259.4, 0), "253 259 6");
    }
}
