//! A squad as a workbook: one row a runner, as the roster shows them, and never more than who asks may see.

use super::FileError;
use crate::interchange::workbook::{Cell, Column, Sheet, workbook};
use crate::review::{SharedWord, Spark, SquadRow};

/// The workbook of these rows, in their order.
///
/// # Errors
/// More runners than a sheet has rows.
pub fn roster_book(rows: &[SquadRow]) -> Result<Vec<u8>, FileError> {
    let heads = [
        ("athlete", 16.0),
        ("name", 24.0),
        ("groups", 20.0),
        ("summary", 16.0),
        ("flags raised", 40.0),
        ("last run", 12.0),
        ("last run km", 12.0),
        ("days since", 11.0),
        ("data", 8.0),
        ("cadence at own middle speed, steps/min", 18.0),
        ("left less right pelvic drop, °", 16.0),
        ("this week km", 12.0),
        ("usual week from km", 12.0),
        ("usual week to km", 12.0),
        ("shoe", 20.0),
        ("shoe km", 10.0),
        ("last back score, 0 to 10", 12.0),
        ("why not", 40.0),
    ];
    let heads: Vec<Column> = heads
        .iter()
        .map(|(head, width)| Column::new(*head).wide(*width))
        .collect();
    let mut sheet = Sheet::new("roster", &heads)?;
    for row in rows {
        sheet.row(&cells(row))?;
    }
    Ok(workbook(vec![sheet])?)
}

fn cells(row: &SquadRow) -> Vec<Cell> {
    let flags: Vec<String> = row
        .flags
        .iter()
        .map(|f| format!("{} {}", f.id, f.level.word()))
        .collect();
    let newest = |spark: &[Spark]| spark.last().map(|s| s.value);
    let last = row.last_run.as_ref();
    let mut why: Vec<&str> = Vec::new();
    if last.is_none() {
        why.push("no run yet");
    }
    if row.load_zone.is_none() {
        why.push("the usual week is being learned");
    }
    if row.symptoms == SharedWord::NotShared {
        why.push("symptoms are not shared");
    }
    vec![
        Cell::text(row.athlete.as_str()),
        Cell::text(&row.name),
        Cell::text(row.groups.join(", ")),
        Cell::text(row.summary.word().replace('_', " ")),
        Cell::text(flags.join(", ")),
        last.map_or(Cell::Empty, |l| Cell::Day(l.day.days())),
        Cell::number(last.and_then(|l| l.km)),
        Cell::number(row.silent_days.map(f64::from)),
        Cell::text(row.data.word()),
        Cell::number(newest(&row.cadence_spark)),
        Cell::number(newest(&row.drop_asym_spark)),
        Cell::number(row.load_weeks.last().map(|w| w.km)),
        Cell::number(row.load_zone.as_ref().map(|z| z.low)),
        Cell::number(row.load_zone.as_ref().map(|z| z.high)),
        Cell::text(row.shoe.as_ref().map_or("", |s| s.name.as_str())),
        Cell::number(row.shoe.as_ref().map(|s| s.km)),
        Cell::number(row.back_last),
        Cell::text(why.join("; ")),
    ]
}
