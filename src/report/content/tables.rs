//! The tables of a report: before and after at equal speeds, the card's rows, losses, runs.

use super::super::document::{Align, Block, Cell, Column, Row, Table, Text, Trust};
use super::bins::{Bin, FIRM, Middle, ROWS, SIDED};
use super::material::Material;
use super::words;
use crate::metrics::MetricId as Id;
use crate::model::Side;
use crate::review::{Card, ChangeWord};

/// The smallest change that can be told in a metric, and why there is none.
pub(super) fn smallest(m: &Material, id: Id) -> Result<f64, String> {
    let row = m.compare.rows.iter().find(|r| r.metric == id.def().name);
    match row {
        Some(r) => r
            .smallest_change
            .ok_or_else(|| r.why.clone().unwrap_or_else(|| "own spread not known".to_owned())),
        None => Err("not measured".to_owned()),
    }
}

fn one(of: Option<Middle>, write: impl Fn(f64) -> String) -> (String, bool) {
    match of {
        Some(m) => (write(m.value), m.windows < FIRM),
        None => ("–".to_owned(), false),
    }
}

/// `238 → 244`; hatched where neither was measured, doubtful where few windows or exchanged sides stand behind it.
fn cell(before: Option<Option<Middle>>, after: Option<Middle>, write: impl Fn(f64) -> String, exchanged: bool) -> Cell {
    if after.is_none() && before.flatten().is_none() {
        return Cell::missing("not measured");
    }
    let (new, few_new) = one(after, &write);
    let (text, few) = match before {
        None => (new, few_new),
        Some(old) => {
            let (old, few_old) = one(old, &write);
            (format!("{old} → {new}"), few_old || few_new)
        }
    };
    let doubtful = few || exchanged;
    Cell::new(text).as_trust(if doubtful { Trust::Doubtful } else { Trust::Plain })
}

/// Whether any bin holds a value of a metric.
fn measured(m: &Material, id: Id) -> bool {
    let sets = m.bins.iter().flat_map(|b| b.before.iter().chain([&b.after]));
    sets.into_iter()
        .any(|s| s.values.keys().any(|(metric, _)| *metric == id))
}

/// How many metrics have a row.
pub(super) fn rows(m: &Material) -> usize {
    ROWS.iter().filter(|id| measured(m, **id)).count()
}

/// Before and after in these bins.
pub fn before_after(m: &Material, bins: &[&Bin]) -> Block {
    let compared = bins.iter().any(|b| b.before.is_some());
    let columns = vec![
        Column::words("", 0.25),
        Column::numbers("● Left", 0.16),
        Column::numbers("■ Right", 0.16),
        Column::numbers("L − R", 0.15),
        Column::numbers("Change", 0.09),
        Column::numbers("Smallest that counts", 0.095),
        Column::numbers("Beyond noise?", 0.095),
    ];
    let mut rows = Vec::new();
    for bin in bins {
        let windows = match &bin.before {
            Some(b) => format!(
                "before {} m/s, {} windows; after {} m/s, {} windows",
                words::number(b.speed_ms, 2),
                b.windows,
                words::number(bin.after.speed_ms, 2),
                bin.after.windows
            ),
            None => format!("{} windows", bin.after.windows),
        };
        rows.push(Row::Group(Text::plain(format!(
            "At {} ± 0.15 m/s ({} min/km): {windows}",
            words::number(bin.speed_ms, 1),
            words::pace(bin.speed_ms)
        ))));
        rows.extend(
            ROWS.iter()
                .filter(|id| measured(m, **id))
                .map(|id| bin_row(m, bin, *id)),
        );
    }
    Block::Table(Table {
        summary: if compared {
            "Before and after at equal speeds, left and right".to_owned()
        } else {
            "Values at these speeds, left and right".to_owned()
        },
        columns,
        rows,
        dense: true,
    })
}

fn bin_row(m: &Material, bin: &Bin, id: Id) -> Row {
    let exchanged = !m.losses.exchanged.is_empty();
    let before = |side| bin.before.as_ref().map(|b| b.of(id, side));
    let mut cells = vec![Cell::new(words::titled(id))];
    if SIDED.contains(&id) {
        for side in [Side::Left, Side::Right] {
            let of = (before(Some(side)), bin.after.of(id, Some(side)));
            cells.push(cell(of.0, of.1, |v| words::shown(v, id), exchanged));
        }
        let old = bin.before.as_ref().map(|b| b.difference(id));
        cells.push(cell(
            old,
            bin.after.difference(id),
            |v| words::shown_change(v, id),
            exchanged,
        ));
    } else {
        let both = cell(before(None), bin.after.of(id, None), |v| words::shown(v, id), false);
        let both = Cell {
            text: Text::plain("both: ").then(both.text.words()),
            ..both
        };
        cells.push(both.over(2).aligned(Align::Centre));
        cells.push(Cell::new("–"));
    }
    let change = match (before(None).flatten(), bin.after.of(id, None)) {
        (Some(old), Some(new)) => Some(new.value - old.value),
        _ => None,
    };
    match (change, smallest(m, id)) {
        (None, _) => {
            let why = if bin.before.is_none() {
                "nothing before"
            } else {
                "not measured"
            };
            cells.push(Cell::missing(why).over(3));
        }
        (Some(change), Err(_)) => {
            cells.push(Cell::new(words::shown_change(change, id)));
            cells.push(Cell::missing("not known").over(2));
        }
        (Some(change), Ok(limit)) => {
            let yes = change.abs() >= limit;
            let trust = if yes { Trust::Strong } else { Trust::Plain };
            cells.push(Cell::new(words::shown_change(change, id)).as_trust(trust));
            cells.push(Cell::new(words::shown(limit, id)));
            cells.push(Cell::new(if yes { "yes" } else { "no" }).as_trust(trust));
        }
    }
    Row::Cells(cells)
}

/// What is to be known beside the table.
pub fn before_after_notes(m: &Material) -> Vec<String> {
    let mut notes = vec![
        "Medians of level, steady windows of 25 strides. Smallest that counts: 1.96 s √(1/a + 1/b) with the own run-to-run spread s and a, b runs. “?”: under five windows, or sides in doubt."
            .to_owned(),
    ];
    let absent: Vec<&str> = ROWS
        .iter()
        .filter(|id| !measured(m, **id))
        .map(|id| id.def().label)
        .collect();
    if !absent.is_empty() {
        notes[0].push_str(&format!(" Not measured in these runs: {}.", absent.join(", ")));
    }
    if let Some(note) = &m.compare.note {
        notes.push(note.clone());
    }
    if !m.losses.exchanged.is_empty() {
        let days: Vec<String> = m.losses.exchanged.iter().map(|d| words::short_day(*d)).collect();
        notes.push(format!(
            "Left and right shoe sensors look exchanged on {}: left, right and their difference are in doubt.",
            days.join(", ")
        ));
    }
    let missing: std::collections::BTreeSet<String> = ROWS
        .iter()
        .filter_map(|id| smallest(m, *id).err())
        .filter(|why| why != "not measured")
        .collect();
    notes.extend(
        missing
            .into_iter()
            .take(1)
            .map(|why| format!("Smallest that counts: {why}.")),
    );
    notes
}

/// The rows of the card.
pub fn card_rows(card: &Card) -> Block {
    let mut rows = Vec::new();
    for r in &card.rows {
        let Some(id) = Id::from_name(&r.metric) else { continue };
        let shown = |v: f64| words::shown(v, id);
        let mut cells = vec![Cell::new(words::titled(id))];
        cells.push(match r.value {
            Some(v) => Cell::new(shown(v)).as_trust(Trust::Strong),
            None => Cell::missing("not measured"),
        });
        match (r.band_low, r.band_high) {
            (Some(low), Some(high)) => {
                cells.push(Cell::new(format!("{} to {}", shown(low), shown(high))));
                let word = match r.word {
                    ChangeWord::Higher => "▲ higher",
                    ChangeWord::Lower => "▼ lower",
                    other => other.word(),
                };
                cells.push(Cell::new(word));
            }
            _ => {
                let why = r.why.clone().unwrap_or_else(|| r.word.word().to_owned());
                cells.push(Cell::missing(why).over(2));
            }
        }
        rows.push(Row::Cells(cells));
    }
    Block::Table(Table {
        summary: "How you ran, against your usual at this speed".to_owned(),
        columns: vec![
            Column::words("", 0.36),
            Column::numbers("This run", 0.16),
            Column::numbers("Your usual at this speed", 0.26),
            Column::words("In a word", 0.22),
        ],
        rows,
        dense: false,
    })
}

/// What each sensor delivered.
pub fn losses(m: &Material) -> Block {
    let rows = m.losses.sensors.iter().map(|l| {
        let mut cells = vec![
            Cell::new(format!("{}, {}", words::short_day(l.day), l.place)),
            Cell::new(l.gaps.to_string()),
            Cell::new(words::number(l.lost_s, 1)),
            Cell::new(format!("{} %", words::number(100.0 * l.share, 1))),
        ];
        cells.push(match (l.clock_ppm, l.clock_ms) {
            (Some(ppm), Some(ms)) => Cell::new(format!(
                "{} ppm, {} ms left over",
                words::signed(ppm, 0),
                words::number(ms, 1)
            )),
            (Some(ppm), None) => Cell::new(format!("{} ppm", words::signed(ppm, 0))),
            _ => Cell::missing("not known"),
        });
        cells.push(if l.moved {
            Cell::new("moved").as_trust(Trust::Strong)
        } else {
            Cell::new("held")
        });
        Row::Cells(cells)
    });
    Block::Table(Table {
        summary: "What each sensor delivered".to_owned(),
        columns: vec![
            Column::words("Run, sensor", 0.3),
            Column::numbers("Gaps", 0.1),
            Column::numbers("Lost, s", 0.12),
            Column::numbers("Share", 0.12),
            Column::words("Clock", 0.24),
            Column::words("Mount", 0.12),
        ],
        rows: rows.collect(),
        dense: true,
    })
}

/// The runs used.
pub fn runs(m: &Material) -> Block {
    let maybe = |text: Option<String>| text.map_or_else(|| Cell::missing("not told"), Cell::new);
    let rows = m.runs.iter().map(|r| {
        Row::Cells(vec![
            Cell::new(words::day(r.day)),
            Cell::new(r.set),
            maybe(r.km.map(|km| words::number(km, 1))),
            match r.speed_ms {
                Some(v) => Cell::new(words::number(v, 2)),
                None => Cell::missing("not known"),
            },
            Cell::new(r.windows.to_string()),
            maybe(r.shoe.clone()),
            maybe(r.ground.map(str::to_owned)),
            match &r.why_not {
                Some(why) => Cell::new(format!("{}: {why}", r.data)).as_trust(Trust::Doubtful),
                None => Cell::new(r.data),
            },
        ])
    });
    Block::Table(Table {
        summary: "Runs used".to_owned(),
        columns: vec![
            Column::words("Day", 0.14),
            Column::words("Set", 0.08),
            Column::numbers("km", 0.08),
            Column::numbers("m/s", 0.08),
            Column::numbers("Windows", 0.1),
            Column::words("Shoes", 0.17),
            Column::words("Ground", 0.11),
            Column::words("Data", 0.24),
        ],
        rows: rows.collect(),
        dense: true,
    })
}
