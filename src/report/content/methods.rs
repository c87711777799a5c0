//! How the numbers are made, how far they are off, what was lost, and what the words mean.

use super::super::document::{Block, Cell, Column, Row, Table, Text, Tone};
use super::bins::ROWS;
use super::errors::error_of;
use super::material::Material;
use super::{tables, words};

/// Speed at which errors are told where the report knows none, m/s.
const USUAL_SPEED: f64 = 3.3;

/// Words that a reader may not share with us.
const GLOSSARY: [(&str, &str); 10] = [
    (
        "Step, stride",
        "A step goes from one foot to the other; a stride is two steps, from a foot to the same foot again.",
    ),
    (
        "Initial contact, terminal contact",
        "The instants at which a foot meets and leaves the ground. Stance lies between.",
    ),
    (
        "Window",
        "25 strides of a side in a row; level when the grade is within 2 %, steady when speeds vary by 5 % or less. The first five minutes are left out.",
    ),
    ("Run value", "The median over the level, steady windows of a run."),
    (
        "Own usual, reference",
        "The first five to eight comparable runs, then frozen; each later run is compared with it at its own speed.",
    ),
    (
        "Smallest that counts",
        "The least change that can be told from how this runner's runs ordinarily differ.",
    ),
    (
        "Evidence",
        "What studies are worth: strong, some, little; disputed where they disagree. Says nothing about the data.",
    ),
    (
        "Data",
        "How good this runner's data are: good, fair, poor, none. Says nothing about studies. The two are never combined.",
    ),
    (
        "Not enough data",
        "A state of its own: not evaluated. It does not mean that nothing changed.",
    ),
    (
        "Level",
        "· info, ▲ watch, ◆ high, ⬢ stop. Limits are design choices above measurement error, not clinical cut-offs.",
    ),
];

/// The whole part.
pub fn blocks(m: &Material) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(2, "Methods and errors".into()),
        Block::Paragraph(Tone::Body, METHOD.into()),
        errors(m),
        Block::Paragraph(
            Tone::Note,
            "Error: measured minus true on a synthetic runner with typical sensor errors, at the nearest speed tested; times as median (interquartile range), the rest as mean ± standard deviation. Real shoes, straps and skin add to it. “–”: never compared with a truth."
                .into(),
        ),
        Block::Heading(2, "Gaps and losses".into()),
    ];
    if m.losses.sensors.is_empty() {
        blocks.push(Block::Paragraph(Tone::Body, "No run with sensors is compared.".into()));
    } else {
        blocks.push(tables::losses(m));
    }
    for (days, what) in [
        (&m.losses.exchanged, "Left and right look exchanged on"),
        (&m.losses.disagreed, "Cadence by contacts and by spectrum disagreed on"),
    ] {
        if !days.is_empty() {
            let days: Vec<String> = days.iter().map(|d| words::day(*d)).collect();
            blocks.push(Block::Paragraph(
                Tone::Body,
                format!("{what} {}.", days.join(", ")).into(),
            ));
        }
    }
    if m.losses.passed_over > 0 {
        let more = words::counted(m.losses.passed_over, "earlier run");
        blocks.push(Block::Paragraph(
            Tone::Note,
            format!("{more} not looked at for losses.").into(),
        ));
    }
    blocks.extend(runs(m));
    blocks.push(Block::Heading(2, "Words".into()));
    blocks.push(Block::Facts(
        GLOSSARY
            .iter()
            .map(|(word, is)| ((*word).to_owned(), Text::plain(is)))
            .collect(),
    ));
    blocks
}

const METHOD: &str = "Sensors of acceleration and angular rate on shoes, shins and sacrum; strides from contacts of the feet; angles against quiet standing; speeds and lengths from the path of the foot between mid-stances. Each number is a median over level, steady windows of 25 strides; nothing is compared across speeds without saying so. Hills are left out, not modelled.";

/// Runs used and left out.
pub fn runs(m: &Material) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(2, "Runs used and left out".into())];
    if m.runs.is_empty() {
        blocks.push(Block::Paragraph(Tone::Body, "No run with sensors is compared.".into()));
    } else {
        blocks.push(tables::runs(m));
    }
    if !m.left_out.is_empty() {
        let rows = m
            .left_out
            .iter()
            .rev()
            .take(20)
            .map(|(day, why)| Row::Cells(vec![Cell::new(words::day(*day)), Cell::new(why.as_str())]));
        blocks.push(Block::Table(Table {
            summary: "What does not count, and why".to_owned(),
            columns: vec![Column::words("Left out", 0.18), Column::words("Why", 0.82)],
            rows: rows.collect(),
            dense: true,
        }));
        if m.left_out.len() > 20 {
            let more = format!("{} older ones are not listed.", m.left_out.len() - 20);
            blocks.push(Block::Paragraph(Tone::Note, more.into()));
        }
    }
    blocks
}

fn errors(m: &Material) -> Block {
    let fullest = m.bins.iter().max_by_key(|b| b.after.windows);
    let speed = fullest.map_or(USUAL_SPEED, |b| b.speed_ms);
    let rows = ROWS.iter().map(|id| {
        let def = id.def();
        Row::Cells(vec![
            Cell::new(words::titled(*id)),
            Cell::new(format!("{} {}", def.is, def.is_not)),
            match error_of(*id, speed) {
                Some(f) => Cell::new(format!("{} ({})", f.text, f.case)),
                None => Cell::missing("–"),
            },
            Cell::new(def.source),
        ])
    });
    Block::Table(Table {
        summary: "What is measured, its error, its source".to_owned(),
        columns: vec![
            Column::words("Metric", 0.19),
            Column::words("What it is, what it is not", 0.38),
            Column::words("Error against truth", 0.18),
            Column::words("Method from", 0.25),
        ],
        rows: rows.collect(),
        dense: true,
    })
}
