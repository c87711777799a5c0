//! A session as a workbook: what it amounts to, its strides, flags of that day, symptoms where they may be seen, and what
//! each number is and is not.
//!
//! Values are in the unit shown to people, as in the CSV, and columns have its names.

use super::FileError;
use super::fit::{end, utc_offset};
use crate::interchange::workbook::{Cell, Column, Sheet, workbook};
use crate::metrics::{METRICS, StrideRecord};
use crate::model::{Absent, SegmentKind, Side};
use crate::review::flags::flags_now;
use crate::review::pages::pages;
use crate::review::{FlagsNow, Past, Review, Sight};
use crate::store::csv::{column_name, facts, stride_columns};
use crate::store::journal::{Body, CheckIn, Day, Onset, Purpose, SessionNote};
use crate::store::pages::pages as walk;
use crate::store::{History as _, Origin, SessionEvent, SessionRow, SideScope, SummaryRow, WallClock};
use std::collections::BTreeMap;

/// How often each reason stood in place of a metric.
type Reasons = BTreeMap<usize, BTreeMap<Absent, u32>>;

/// The workbook of a session. `past` is that of its athlete up to the day of the run, whose flags it tells.
///
/// # Errors
/// Those of the record; more strides than a sheet has rows.
pub fn book(review: &Review, past: &Past, row: &SessionRow, sight: Sight) -> Result<Vec<u8>, FileError> {
    let (strides, reasons) = strides(review, row)?;
    let may_see = sight == Sight::Everything && past.allows(Purpose::Symptoms, "") != Some(false);
    let counts = row.meta.wall_clock == WallClock::Known;
    let now = flags_now(review.rules(), past, sight);
    let mut sheets = vec![
        summary(review, past, row, &reasons, may_see)?,
        strides,
        flags(&now, counts)?,
    ];
    if may_see {
        sheets.push(symptoms(review, past, row)?);
    }
    sheets.push(definitions()?);
    Ok(workbook(sheets)?)
}

fn columns(heads: &[(&str, f64)]) -> Vec<Column> {
    heads
        .iter()
        .map(|(head, width)| Column::new(*head).wide(*width))
        .collect()
}

/// A word of the journal as it is written in files.
fn word(value: impl serde::Serialize) -> Cell {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Cell::text(text),
        _ => Cell::Empty,
    }
}

fn strides(review: &Review, row: &SessionRow) -> Result<(Sheet, Reasons), FileError> {
    let mut heads: Vec<Column> = stride_columns().map(Column::new).collect();
    heads[0].width = 23.0;
    heads.extend(METRICS.iter().map(|def| Column::new(column_name(def))));
    heads.push(Column::new("not measured").wide(60.0));
    let mut sheet = Sheet::new("strides", &heads)?;
    let mut reasons = Reasons::new();
    walk(
        &row.meta.id,
        |q| review.reader().strides(q),
        |record| -> Result<(), FileError> { Ok(sheet.row(&stride(row.meta.start.micros(), record, &mut reasons))?) },
    )?;
    Ok((sheet, reasons))
}

fn stride(start_us: i64, record: &StrideRecord, reasons: &mut Reasons) -> Vec<Cell> {
    let s = &record.stride;
    let seen_from = match s.seen_from {
        SegmentKind::Foot => "foot",
        SegmentKind::Shank => "shank",
        SegmentKind::Sacrum => "sacrum",
    };
    let mut cells = vec![
        Cell::Time(start_us + s.start.nanos() / 1000),
        Cell::text(s.side.map_or("", Side::name)),
        Cell::text(seen_from),
        word(s.activity),
        Cell::text(record.class.letter().to_string()),
        Cell::Number(s.start.secs()),
        Cell::Number(s.end.secs()),
        Cell::number(s.contact.map(|c| c.ic.secs())),
        Cell::number(s.contact.map(|c| c.tc.secs())),
        Cell::Number(f64::from(record.index)),
        Cell::Number(s.quality.product()),
    ];
    cells.extend(facts(s.flags).map(|(_, fact)| Cell::yes(Some(fact))));
    let mut absent: BTreeMap<Absent, Vec<&str>> = BTreeMap::new();
    for (n, def) in METRICS.iter().enumerate() {
        match record.metrics.get(def.id) {
            Ok(v) => cells.push(Cell::Number(v * def.shown_factor)),
            Err(why) => {
                cells.push(Cell::Empty);
                absent.entry(why).or_default().push(def.name);
                *reasons.entry(n).or_default().entry(why).or_default() += 1;
            }
        }
    }
    let told: Vec<String> = absent
        .iter()
        .map(|(why, names)| format!("{}: {}", why.reason(), names.join(", ")))
        .collect();
    cells.push(Cell::text(told.join("; ")));
    cells
}

fn summary(
    review: &Review,
    past: &Past,
    row: &SessionRow,
    reasons: &Reasons,
    may_see: bool,
) -> Result<Sheet, FileError> {
    let heads = columns(&[
        ("what", 30.0),
        ("value", 23.0),
        ("left", 10.0),
        ("right", 10.0),
        ("unit", 10.0),
        ("strides", 9.0),
        ("why not", 44.0),
    ]);
    let mut sheet = Sheet::new("summary", &heads)?;
    let mut fact = |what: &str, value: Cell, unit: &str, why: &str| {
        let cells = [
            Cell::text(what),
            value,
            Cell::Empty,
            Cell::Empty,
            Cell::text(unit),
            Cell::Empty,
            Cell::text(why),
        ];
        sheet.row(&cells)
    };
    let meta = &row.meta;
    let recorded = past.recorded.iter().find(|r| r.row.meta.id == meta.id);
    let run = recorded.and_then(|r| r.run.as_ref());
    fact("session", Cell::text(meta.id.as_str()), "", "")?;
    fact("athlete", Cell::text(past.name()), "", "")?;
    let assumed = match (meta.wall_clock, &meta.origin) {
        (WallClock::Known, _) => "",
        (WallClock::Assumed, Origin::Demo) => "a demonstration: nobody ran it",
        (WallClock::Assumed, _) => "the recording does not say when it was made; this stands in for it",
    };
    fact("start in UTC", Cell::Time(meta.start.micros()), "", assumed)?;
    match utc_offset(meta) {
        Some(offset) => {
            let local = meta.start.micros() + i64::from(offset) * 1_000_000;
            fact(
                "start where the runner was",
                Cell::Time(local),
                meta.tz.as_deref().unwrap_or(""),
                "",
            )?;
        }
        None => fact(
            "start where the runner was",
            Cell::Empty,
            "",
            "the time zone is not known",
        )?,
    }
    let lasts = end(review.reader(), row)?.secs();
    let open = if row.stop.is_none() { "not ended yet" } else { "" };
    fact("duration", Cell::Number(lasts), "s", open)?;
    let km = run.and_then(|r| r.values.distance_km);
    let no_km = if km.is_none() {
        "too few stride lengths are known"
    } else {
        ""
    };
    fact("distance by the feet", Cell::number(km), "km", no_km)?;
    let told = recorded.and_then(|r| r.note.as_ref()).and_then(|n| n.km);
    if told.is_some() {
        fact("distance the runner told", Cell::number(told), "km", "")?;
    }
    fact("strides", Cell::number(row.strides.map(|n| n as f64)), "", open)?;
    let usable = run.and_then(|r| r.usable_share).map(|v| v * 100.0);
    fact("usable strides", Cell::number(usable), "%", "")?;
    let data = run.map_or("none", |r| r.values.data.word());
    fact("data", Cell::text(data), "", "")?;
    fact(
        "analysed by lope",
        Cell::text(row.pipeline_version.clone().unwrap_or_default()),
        "",
        open,
    )?;
    for sensor in &meta.sensors {
        let what = format!("sensor {}", sensor.placement.name().replace('_', " "));
        fact(&what, Cell::Number(sensor.rate_hz), "Hz", "")?;
    }
    let hidden = if may_see { "" } else { "symptoms are not shared" };
    let words = recorded.and_then(|r| r.note.as_ref()).and_then(|n| n.text.clone());
    let words = words.or_else(|| meta.note.clone()).filter(|_| may_see);
    fact("note", Cell::text(words.unwrap_or_default()), "", hidden)?;
    medians(&mut sheet, &review.reader().summary(&meta.id)?, reasons)?;
    Ok(sheet)
}

/// A row a metric: its median over usable strides, or why there is none.
fn medians(sheet: &mut Sheet, rows: &[SummaryRow], reasons: &Reasons) -> Result<(), FileError> {
    for (n, def) in METRICS.iter().enumerate() {
        let of = |side: SideScope| rows.iter().find(|r| r.metric == def.id && r.side == side);
        let shown = |side| Cell::number(of(side).map(|r| r.median * def.shown_factor));
        let both = of(SideScope::Both);
        let most = reasons.get(&n).and_then(|r| r.iter().max_by_key(|(_, count)| **count));
        let why = match (both, most) {
            (Some(_), _) => "",
            (None, Some((why, _))) => why.reason(),
            (None, None) => "no usable stride",
        };
        sheet.row(&[
            Cell::text(format!("{}, median", def.label)),
            shown(SideScope::Both),
            shown(SideScope::Only(Side::Left)),
            shown(SideScope::Only(Side::Right)),
            Cell::text(def.shown_unit),
            Cell::number(both.map(|r| f64::from(r.n))),
            Cell::text(why),
        ])?;
    }
    Ok(())
}

fn flags(now: &FlagsNow, counts: bool) -> Result<Sheet, FileError> {
    let heads = columns(&[
        ("flag", 7.0),
        ("name", 34.0),
        ("level", 16.0),
        ("since", 12.0),
        ("message", 70.0),
        ("evidence", 10.0),
        ("disputed", 10.0),
        ("data", 8.0),
        ("data from", 10.0),
        ("why not", 50.0),
    ]);
    let mut sheet = Sheet::new("flags", &heads)?;
    if !counts {
        let mut cells = vec![Cell::Empty; 9];
        cells.push(Cell::text("this session does not count: its day is not known"));
        sheet.row(&cells)?;
        return Ok(sheet);
    }
    for f in now.flags.iter().filter(|f| !f.hidden) {
        sheet.row(&[
            Cell::text(&f.id),
            Cell::text(&f.title),
            Cell::text(f.level.word().replace('_', " ")),
            f.since.map_or(Cell::Empty, |d| Cell::Day(d.days())),
            Cell::text(f.message.clone().unwrap_or_default()),
            Cell::text(&f.evidence_word),
            Cell::yes(Some(f.disputed)),
            Cell::text(f.data.word()),
            Cell::text(f.data_from.word()),
            Cell::text(f.missing.join("; ")),
        ])?;
    }
    Ok(sheet)
}

/// Something that was said about the body.
struct Said {
    day: Day,
    at_us: Option<i64>,
    what: &'static str,
    value: Cell,
    scale: &'static str,
}

/// What the runner said about the back and the body: of the run, of its day, and of the morning after.
fn symptoms(review: &Review, past: &Past, row: &SessionRow) -> Result<Sheet, FileError> {
    let heads = columns(&[
        ("day", 12.0),
        ("time_utc", 23.0),
        ("what", 26.0),
        ("value", 30.0),
        ("scale", 16.0),
    ]);
    let mut sheet = Sheet::new("symptoms", &heads)?;
    let recorded = past.recorded.iter().find(|r| r.row.meta.id == row.meta.id);
    let day = recorded.map_or(past.today, |r| r.day);
    let mut said: Vec<Said> = Vec::new();
    if let Some(note) = recorded.and_then(|r| r.note.as_ref()) {
        of_note(note, day, &mut said);
    }
    for entry in review.entries(&past.athlete)? {
        if (day..=day.plus(1)).contains(&entry.day)
            && let Body::CheckIn(c) = &entry.body
        {
            of_check_in(c, entry.day, &mut said);
        }
    }
    pages(
        &row.meta.id,
        |q| review.reader().events(q),
        |event| {
            if let SessionEvent::Marker { t, text } = event
                && text.starts_with("pain ")
            {
                said.push(Said {
                    day,
                    at_us: Some(row.meta.start.micros() + t.nanos() / 1000),
                    what: "mark during the run",
                    value: Cell::text(text),
                    scale: "pain 0 to 10",
                });
            }
        },
    )?;
    for s in said {
        let at = s.at_us.map_or(Cell::Empty, Cell::Time);
        sheet.row(&[
            Cell::Day(s.day.days()),
            at,
            Cell::text(s.what),
            s.value,
            Cell::text(s.scale),
        ])?;
    }
    Ok(sheet)
}

fn of_note(note: &SessionNote, day: Day, said: &mut Vec<Said>) {
    let score = |s: Option<crate::store::journal::Score>| Cell::number(s.map(|s| f64::from(s.get())));
    let onset = note.onset.map_or("", |o| match o {
        Onset::No => "no",
        Onset::Gradual => "bit by bit",
        Onset::Sudden => "suddenly",
    });
    for (what, value, scale) in [
        ("back before the run", score(note.back_before), "0 to 10"),
        ("worst back in the run", score(note.back_worst), "0 to 10"),
        ("came on", Cell::text(onset), ""),
        (
            "came on at minute",
            Cell::number(note.onset_minute.map(f64::from)),
            "min",
        ),
        ("ended because of it", Cell::yes(note.stopped_for_back), ""),
    ] {
        add(said, day, what, value, scale);
    }
}

fn of_check_in(c: &CheckIn, day: Day, said: &mut Vec<Said>) {
    let score = |s: Option<crate::store::journal::Score>| Cell::number(s.map(|s| f64::from(s.get())));
    for (what, value, scale) in [
        ("back that day", score(c.back_now), "0 to 10"),
        ("back in the morning", score(c.back_morning), "0 to 10"),
        ("where", Cell::text(c.places.join(", ").replace('_', " ")), ""),
        ("tiredness", score(c.fatigue), "0 to 10"),
        ("quality of sleep", score(c.sleep_quality), "0 to 10"),
        ("hours slept", Cell::number(c.sleep_hours), "h"),
        ("soreness", score(c.soreness), "0 to 10"),
        ("stiffness of the back", score(c.stiffness), "0 to 10"),
        ("safety row", Cell::text(c.ticks.join(", ").replace('_', " ")), ""),
        ("words", Cell::text(c.text.clone().unwrap_or_default()), ""),
    ] {
        add(said, day, what, value, scale);
    }
}

/// What was not said has no row: there is nothing to be absent from.
fn add(said: &mut Vec<Said>, day: Day, what: &'static str, value: Cell, scale: &'static str) {
    if value != Cell::Empty {
        said.push(Said {
            day,
            at_us: None,
            what,
            value,
            scale,
        });
    }
}

fn definitions() -> Result<Sheet, FileError> {
    let heads = columns(&[
        ("column", 30.0),
        ("name", 26.0),
        ("unit", 10.0),
        ("describes", 34.0),
        ("sign", 40.0),
        ("what it is", 50.0),
        ("what it is not", 50.0),
        ("source", 50.0),
    ]);
    let mut sheet = Sheet::new("definitions", &heads)?;
    for (column, is, is_not) in [
        (
            "class",
            "Data quality of the stride: A good, B fair, C poor, D none.",
            "Not a judgement of the runner. C and D are shown and never averaged.",
        ),
        (
            "quality",
            "Product of the parts of the quality, 0 to 1.",
            "Not a probability that a number is right.",
        ),
        (
            "t_s, end_s",
            "Begin and end of the stride, mid-stance to mid-stance, since the start.",
            "Not contact to contact.",
        ),
    ] {
        let [column, is, is_not] = [column, is, is_not].map(Cell::text);
        let empty = || Cell::Empty;
        sheet.row(&[column, empty(), empty(), empty(), empty(), is, is_not, empty()])?;
    }
    for def in METRICS {
        sheet.row(&[
            Cell::text(column_name(def)),
            Cell::text(def.label),
            Cell::text(def.shown_unit),
            Cell::text(def.span),
            Cell::text(def.sign),
            Cell::text(def.is),
            Cell::text(def.is_not),
            Cell::text(def.source),
        ])?;
    }
    Ok(sheet)
}
