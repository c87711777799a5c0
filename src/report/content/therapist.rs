//! The report for a physical therapist. Page 1 stands alone; page 2 is pictures; page 3 is methods.

use super::super::document::{Block, Paper, Text, Tone};
use super::bins::Bin;
use super::material::Material;
use super::{Ask, cues, curve_figures, figures, flag_parts, methods, not_shared, tables, words};
use crate::metrics::MetricId as Id;
use crate::review::CompareSide;

/// Flags on page 1.
const FLAGS_ON_PAGE_1: usize = 3;
/// Rows of values that page 1 holds beside everything else: two speeds of eight metrics on A4; Letter is 18 mm shorter.
fn rows_on_page_1(paper: Paper) -> usize {
    match paper {
        Paper::A4 => 16,
        Paper::Letter => 12,
    }
}

/// Bins on page 1, at least one; the others stand on page 2.
fn bins_on_page_1(m: &Material, paper: Paper) -> usize {
    let rows = tables::rows(m).max(1);
    (rows_on_page_1(paper) / rows).clamp(1, 2)
}
/// Place of the longest of the facts, which gets a line of its own.
const COMPARED: usize = 2;
/// Metrics drawn over speed.
const OVER_SPEED: [Id; 4] = [Id::Cadence, Id::ContactTime, Id::OverstrideDistance, Id::PelvisDrop];

/// Points to tick by hand: what makes two measurements comparable.
const CHECKLIST: [&str; 6] = [
    "Same shoes and ground as before",
    "Sensors in the same places, strap tight",
    "Quiet stand of 10 s before the run",
    "Speeds within 0.2 m/s of the earlier ones",
    "Back score asked before, worst, next morning",
    "Consent for this report spoken of",
];

/// Title and parts.
pub fn blocks(m: &Material, ask: &Ask) -> (String, Vec<Block>) {
    let name = if m.pseudonym {
        format!("{} (pseudonym)", m.name)
    } else {
        m.name.clone()
    };
    let title = format!("Running report: {name}, {}", words::day(m.day));
    let mut blocks = vec![Block::Heading(1, Text::plain(&title))];
    let mut facts = header(m, ask);
    let compared = facts.remove(COMPARED);
    let rest = facts.split_off(facts.len().div_ceil(2));
    blocks.push(Block::Beside(
        Box::new(Block::Facts(facts)),
        Box::new(Block::Facts(rest)),
    ));
    blocks.push(Block::Facts(vec![compared]));
    blocks.extend(not_shared(m));
    let most = bins_on_page_1(m, ask.paper);
    blocks.extend(before_after(m, most));
    if let Some(bin) = m.bins.iter().max_by_key(|b| b.after.windows) {
        blocks.push(Block::Beside(
            Box::new(Block::Figure(figures::butterfly(m, bin))),
            Box::new(Block::Figure(figures::timeline(m))),
        ));
    } else {
        blocks.push(Block::Figure(figures::timeline(m)));
    }
    blocks.push(Block::Heading(
        2,
        Text::plain(format!("{}: {}", m.label.0, m.label.1.to_lowercase())),
    ));
    blocks.extend(flag_parts::fired(m, FLAGS_ON_PAGE_1));
    let points = CHECKLIST.iter().map(Text::plain).collect();
    let checklist = [Block::Heading(2, "Checklist".into()), Block::Checklist(points)];
    let notes = [
        Block::Heading(2, "Notes".into()),
        Block::Lines(String::new(), 3),
        Block::Fields(vec!["Name, signature".to_owned(), "Place, day".to_owned()]),
    ];
    blocks.push(Block::Beside(
        Box::new(Block::Together(checklist.to_vec())),
        Box::new(Block::Together(notes.to_vec())),
    ));
    blocks.push(Block::PageBreak);
    blocks.extend(second(m, most));
    if !m.raised.is_empty() {
        blocks.push(Block::Heading(2, "Flags in full".into()));
        blocks.extend(flag_parts::in_full(m));
    }
    if let Some(missing) = flag_parts::not_evaluated(m) {
        blocks.push(Block::Heading(2, "Flags without enough data".into()));
        blocks.push(missing);
    }
    blocks.extend(methods::blocks(m));
    (title, blocks)
}

fn set(side: &CompareSide) -> String {
    let days = match (side.day_from, side.day_to) {
        (Some(from), Some(to)) => words::span(from, to),
        _ => return format!("{}: no run with sensors", words::capital(&side.label)),
    };
    format!("{}, {days}", words::counted(side.sessions.len(), "run"))
}

fn listed(all: impl Iterator<Item = String>, none: &str) -> String {
    let mut seen: Vec<String> = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    if seen.is_empty() {
        none.to_owned()
    } else {
        seen.join(", ")
    }
}

fn of_sets(m: &Material, f: impl Fn(&super::material::RunLine) -> Option<String>, none: &str) -> String {
    let of = |set: &str| listed(m.runs.iter().filter(|r| r.set == set).filter_map(&f), none);
    let (before, after) = (of("before"), of("after"));
    if before == after {
        after
    } else {
        format!("before {before}; after {after}")
    }
}

fn header(m: &Material, ask: &Ask) -> Vec<(String, Text)> {
    let mut facts: Vec<(String, Text)> = Vec::new();
    let mut say = |name: &str, value: Text| facts.push((name.to_owned(), value));
    let blank = "______________________________";
    say("Question asked", ask.question.as_deref().unwrap_or(blank).into());
    say("Clinician", ask.clinician.as_deref().unwrap_or(blank).into());
    say(
        "Compared",
        format!("before: {}; after: {}", set(&m.compare.a), set(&m.compare.b)).into(),
    );
    let speeds: Vec<String> = m.bins.iter().map(|b| words::number(b.speed_ms, 1)).collect();
    say(
        "Speeds",
        match speeds.split_last() {
            None => "none shared by both".to_owned(),
            Some((last, [])) => format!("{last} m/s"),
            Some((last, rest)) => format!("{} and {last} m/s", rest.join(", ")),
        }
        .into(),
    );
    say("Ground", of_sets(m, |r| r.ground.map(str::to_owned), "not told").into());
    say("Shoes", of_sets(m, |r| r.shoe.clone(), "not told").into());
    let places = listed(m.sensors.iter().map(|(place, _)| place.clone()), "none");
    let rates = listed(m.sensors.iter().map(|(_, rate)| words::number(*rate, 0)), "–");
    say("Sensors", format!("{places}, {rates}\u{a0}Hz").into());
    let (stood, of) = m.losses.stood;
    say(
        "Zero of angles",
        match (stood, of) {
            (_, 0) => "not known".to_owned(),
            (n, of) if n == of => "standing still in each run (age 0 days)".to_owned(),
            (n, of) => {
                format!("from standing still in {n} of {of} runs; in the others angles against standing are missing")
            }
        }
        .into(),
    );
    facts
}

fn before_after(m: &Material, most: usize) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(2, "Before and after at equal speeds".into())];
    if m.bins.is_empty() {
        let why = m.compare.note.clone().unwrap_or_else(|| {
            "No speed at which both sets have three level, steady windows. Nothing is compared.".to_owned()
        });
        blocks.push(Block::Paragraph(Tone::Body, why.into()));
        return blocks;
    }
    let first: Vec<&Bin> = m.bins.iter().take(most).collect();
    blocks.push(tables::before_after(m, &first));
    blocks.extend(
        tables::before_after_notes(m)
            .into_iter()
            .map(|n| Block::Paragraph(Tone::Note, n.into())),
    );
    blocks
}

/// Pairs beside each other; an odd one alone.
pub(super) fn in_pairs(charts: Vec<super::super::chart::Chart>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut charts = charts.into_iter();
    while let Some(first) = charts.next() {
        blocks.push(match charts.next() {
            Some(second) => Block::Beside(Box::new(Block::Figure(first)), Box::new(Block::Figure(second))),
            None => Block::Figure(first),
        });
    }
    blocks
}

fn second(m: &Material, most: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    if m.bins.len() > most {
        blocks.push(Block::Heading(2, "Before and after at the other speeds".into()));
        let rest: Vec<&Bin> = m.bins.iter().skip(most).collect();
        blocks.push(tables::before_after(m, &rest));
    }
    blocks.extend(curve_figures::blocks(m));
    blocks.extend(cues::blocks(m));
    blocks.push(Block::Heading(2, "Over speed".into()));
    let charts: Vec<_> = OVER_SPEED.iter().filter_map(|id| figures::scatter(m, *id)).collect();
    if charts.is_empty() {
        blocks.push(Block::Paragraph(
            Tone::Body,
            "Nothing to draw: no window with a known speed.".into(),
        ));
    }
    blocks.extend(in_pairs(charts));
    blocks.push(Block::Heading(
        2,
        format!("Over {} weeks at matched speed", super::material::WEEKS).into(),
    ));
    blocks.extend(trends(m));
    if let Some(card) = &m.card {
        match (figures::within(card), &card.within_why) {
            (Some(chart), _) => blocks.push(Block::Figure(chart)),
            (None, Some(why)) => {
                blocks.push(Block::Paragraph(
                    Tone::Note,
                    format!("First against last part of the run: {why}.").into(),
                ));
            }
            (None, None) => {}
        }
    }
    if !m.weekly.is_empty() {
        blocks.push(weekly(m));
    }
    if !m.notes.is_empty() {
        blocks.push(Block::Heading(2, "Earlier notes".into()));
        let notes = m.notes.iter().rev().take(6);
        blocks.push(Block::List(
            notes
                .map(|(day, author, text)| Text::strong(format!("{} {author}: ", words::day(*day))).then(text))
                .collect(),
        ));
    }
    blocks
}

/// Trends with their verdicts.
pub fn trends(m: &Material) -> Vec<Block> {
    let charts: Vec<_> = m
        .trends
        .iter()
        .filter(|t| t.points.iter().any(|p| p.value.is_some()))
        .filter_map(|t| Some((figures::trend(m, t)?, t)))
        .collect();
    let verdicts = charts
        .iter()
        .map(|(_, t)| Text::strong(format!("{}: ", t.title)).then(&t.verdict.text))
        .collect();
    if charts.is_empty() {
        return vec![Block::Paragraph(Tone::Body, "No comparable run in these weeks.".into())];
    }
    let mut blocks = in_pairs(charts.iter().map(|(c, _)| c.clone()).collect());
    blocks.push(Block::List(verdicts));
    blocks
}

fn weekly(m: &Material) -> Block {
    use super::super::document::{Cell, Column, Row, Table};
    let rows = m.weekly.iter().map(|w| {
        let n = |x: Option<u8>| x.map_or_else(|| Cell::missing("not told"), |x| Cell::new(x.to_string()));
        let goals: Vec<String> = w.goals.iter().map(|(g, s)| format!("{g} {s}")).collect();
        Row::Cells(vec![
            Cell::new(words::day(w.day)),
            n(w.left_out),
            n(w.cut_short),
            n(w.held_back),
            if goals.is_empty() {
                Cell::missing("not told")
            } else {
                Cell::new(goals.join("; "))
            },
        ])
    });
    Block::Table(Table {
        summary: "Weekly answers and own goals, 0 to 10".to_owned(),
        columns: vec![
            Column::words("Week to", 0.16),
            Column::numbers("Left out", 0.12),
            Column::numbers("Cut short", 0.12),
            Column::numbers("Held back, 0–10", 0.16),
            Column::words("Own goals, 0–10", 0.44),
        ],
        rows: rows.collect(),
        dense: true,
    })
}
