//! Flags in a report: shortly, and with everything behind them.

use super::super::document::{Block, Cell, Column, Row, Table, Text, Tone, Trust, level_mark};
use super::material::Material;
use super::words;
use crate::review::flag_words::amount;
use crate::review::{ConditionItem, DataFrom, FlagDetail, FlagItem, InputItem, LevelWord};
use crate::risk::input_words;

/// The summary in a line, with the areas.
pub fn summary(m: &Material) -> Block {
    let s = &m.flags.summary;
    Block::Paragraph(
        Tone::Body,
        Text::strong(format!("{}: ", level_mark(s.level)))
            .then(&s.text)
            .then(format!(
                " {} of {} areas changed; {} of {} measurable with these sensors.",
                s.areas_changed, m.areas, s.areas_measurable, m.areas
            )),
    )
}

/// The sentence that stands beside flags.
pub fn first_time(m: &Material) -> Block {
    Block::Paragraph(Tone::Note, m.flags.first_time_line.as_str().into())
}

fn evidence(flag: &FlagItem) -> String {
    if flag.disputed {
        format!("{}, disputed", flag.evidence_word)
    } else {
        flag.evidence_word.clone()
    }
}

fn data(flag: &FlagItem) -> String {
    match flag.data_from {
        DataFrom::Entered => "entered".to_owned(),
        DataFrom::Sensors => flag.data.word().to_owned(),
    }
}

fn level(flag: &FlagItem) -> String {
    match flag.since {
        Some(day) => format!("{} since {}", level_mark(flag.level), words::short_day(day)),
        None => level_mark(flag.level).to_owned(),
    }
}

/// A value of an input as print shows it: a true minus sign, degrees as a sign.
fn shown(x: f64, unit: &str) -> String {
    amount(x, unit)
        .replace('-', "\u{2212}")
        .replace(" deg", "°")
        .replace(" %", "\u{a0}%")
}

fn input(i: &InputItem) -> String {
    let name = input_words::name(&i.name);
    let sign = match i.op.as_str() {
        ">=" => "≥ ",
        "<=" => "≤ ",
        "==" => "",
        other => other,
    };
    match i.value {
        Some(v) => format!(
            "{name} {} (limit {sign}{})",
            shown(v, &i.unit),
            shown(i.effective_threshold, &i.unit)
        ),
        None => format!(
            "{name} not known: {}",
            i.why_missing.as_deref().unwrap_or("no reason told")
        ),
    }
}

/// The condition that speaks most for a state.
fn telling(conditions: &[ConditionItem], level: LevelWord) -> Option<&ConditionItem> {
    let mut of_level = conditions.iter().filter(|c| c.level == level);
    of_level
        .clone()
        .find(|c| c.holds == Some(true))
        .or_else(|| of_level.next())
        .or_else(|| conditions.first())
}

/// A table of the raised flags: rule, inputs, k of n, Evidence, Data.
pub fn fired(m: &Material, most: usize) -> Vec<Block> {
    if m.raised.is_empty() {
        return vec![Block::Paragraph(Tone::Body, "No flag is raised.".into())];
    }
    let rows = m.raised.iter().take(most).map(|d| {
        let computation = d.computation.as_ref();
        let inputs: Vec<String> = computation
            .and_then(|c| telling(&c.conditions, d.flag.level))
            .map(|c| c.inputs.iter().map(input).collect())
            .unwrap_or_default();
        let trust = if d.flag.level >= LevelWord::High {
            Trust::Strong
        } else {
            Trust::Plain
        };
        Row::Cells(vec![
            Cell::new(format!("{} {}", d.flag.id, d.flag.title)),
            Cell::new(level(&d.flag)).as_trust(trust),
            Cell::new(inputs.join("; ")),
            // The first part says how; the rest stands in the full text.
            Cell::new(
                computation
                    .and_then(|c| c.needs.split("; ").next())
                    .unwrap_or_default()
                    .replace("raised by ", "")
                    .replace(" evaluated runs", " runs"),
            ),
            Cell::new(evidence(&d.flag)),
            Cell::new(data(&d.flag)),
        ])
    });
    let mut blocks = vec![Block::Table(Table {
        summary: "Flags that are raised".to_owned(),
        columns: vec![
            Column::words("Flag", 0.19),
            Column::words("Level", 0.16),
            Column::words("Seen (limit for this runner)", 0.36),
            Column::words("Persisted", 0.14),
            Column::words("Evidence", 0.08),
            Column::words("Data", 0.07),
        ],
        rows: rows.collect(),
        dense: true,
    })];
    if m.raised.len() <= most {
        blocks.push(first_time(m));
    } else {
        blocks.push(Block::Paragraph(
            Tone::Note,
            format!(
                "{} more stand in the part “Flags in full”. {}",
                m.raised.len() - most,
                m.flags.first_time_line
            )
            .into(),
        ));
    }
    blocks
}

/// Messages of the raised flags, as a runner reads them.
pub fn messages(m: &Material) -> Vec<Block> {
    if m.raised.is_empty() {
        return vec![Block::Paragraph(Tone::Body, "No flag is raised.".into())];
    }
    let items = m.raised.iter().map(|d| {
        Text::strong(format!("{} ({}). ", d.flag.title, level(&d.flag)))
            .then(d.flag.message.as_deref().unwrap_or_default())
            .then(format!(" Evidence {}, data {}.", evidence(&d.flag), data(&d.flag)))
    });
    vec![Block::List(items.collect())]
}

/// Code and title; of a hidden flag the code alone, because its title tells what was asked.
fn shown_id(flag: &FlagItem) -> String {
    match flag.hidden {
        true => flag.id.clone(),
        false => format!("{} {}", flag.id, flag.title),
    }
}

/// Flags that could not be evaluated, by what is missing; those that are hidden are named as not shared.
pub fn not_evaluated(m: &Material) -> Option<Block> {
    let mut by_why: Vec<(String, Vec<String>)> = Vec::new();
    for f in m.flags.flags.iter().filter(|f| f.level == LevelWord::NotEnoughData) {
        let why = match f.missing.is_empty() {
            true => "Too little is known.".to_owned(),
            false => {
                let sentences = f.missing.iter().map(|m| format!("{}.", words::capital(m)));
                sentences.collect::<Vec<_>>().join(" ")
            }
        };
        match by_why.iter_mut().find(|(w, _)| *w == why) {
            Some((_, ids)) => ids.push(shown_id(f)),
            None => by_why.push((why, vec![shown_id(f)])),
        }
    }
    if by_why.is_empty() {
        return None;
    }
    let rows = by_why
        .into_iter()
        .map(|(why, ids)| Row::Cells(vec![Cell::new(ids.join("; ")), Cell::new(why)]));
    Some(Block::Table(Table {
        summary: "Flags without enough data".to_owned(),
        columns: vec![
            Column::words("Not enough data for", 0.36),
            Column::words("What it takes", 0.64),
        ],
        rows: rows.collect(),
        dense: true,
    }))
}

/// Everything behind each raised flag.
pub fn in_full(m: &Material) -> Vec<Block> {
    let mut blocks = Vec::new();
    for d in &m.raised {
        blocks.push(Block::Heading(
            3,
            format!("{} {} · {}", d.flag.id, d.flag.title, level(&d.flag)).into(),
        ));
        if let Some(message) = &d.flag.message {
            blocks.push(Block::Paragraph(Tone::Body, message.as_str().into()));
        }
        blocks.extend(computation(d));
    }
    blocks
}

fn computation(d: &FlagDetail) -> Vec<Block> {
    let Some(c) = &d.computation else {
        return Vec::new();
    };
    let mut facts: Vec<(String, Text)> = Vec::new();
    let mut say = |name: &str, text: String| {
        if !text.is_empty() {
            facts.push((name.to_owned(), text.into()));
        }
    };
    for condition in &c.conditions {
        let inputs: Vec<String> = condition.inputs.iter().map(input).collect();
        let holds = match condition.holds {
            Some(true) => "holds",
            Some(false) => "does not hold",
            None => "not known",
        };
        say(
            &words::capital(&condition.level.word().replace('_', " ")),
            format!("{holds}: {}", inputs.join("; ")),
        );
    }
    if let Some(r) = &c.reference {
        let runs = words::counted(r.runs as usize, "run");
        say(
            "Against",
            format!("own reference, {runs}, {}", words::span(r.from, r.to)),
        );
    }
    let votes: Vec<String> = c
        .votes
        .iter()
        .map(|v| {
            let reached = v.level.unwrap_or(LevelWord::NotEnoughData);
            format!("{} {}", words::short_day(v.day), level_mark(reached))
        })
        .collect();
    say("Runs", votes.join(", "));
    say("Persisted", c.needs.clone());
    say("Evidence", format!("{}; data {}", evidence(&d.flag), data(&d.flag)));
    say("May also be", c.other_reasons.join(" · "));
    say("Clears", c.clears.join("; "));
    say("Worth trying", c.remedies.join(" · "));
    let sources = c.cites.iter().map(|s| {
        let url = s.url.as_deref().map(|u| format!(" {u}")).unwrap_or_default();
        format!("{} [read: {}]{url}", s.text, s.basis)
    });
    say("Sources", sources.collect::<Vec<_>>().join(" · "));
    vec![Block::Facts(facts)]
}
