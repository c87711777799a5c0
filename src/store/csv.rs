//! A session as CSV: what any spreadsheet or script can open.
//!
//! The unit stands in the header (`contact_time_ms`), values are in the unit shown to people, and an empty cell means
//! *not measured*: never zero. Text that a spreadsheet would run as a formula (it begins with `= + - @`, a tab or a
//! line end) is disarmed with an apostrophe.

use super::contract::History;
use super::error::StoreError;
use super::ids::{SessionId, UtcMicros};
use super::pages::pages;
use crate::metrics::registry::MetricDef;
use crate::metrics::{METRICS, StrideRecord};
use crate::model::{SegmentKind, Side, StrideFlags};
use crate::pipeline::Confidence;
use std::fmt::Write as _;
use std::io::Write;

/// How the table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CsvDialect {
    /// RFC 4180 with commas and `\n`.
    #[default]
    Plain,
    /// For spreadsheets that expect a byte order mark and semicolons.
    Excel,
}

impl CsvDialect {
    fn separator(self) -> char {
        match self {
            Self::Plain => ',',
            Self::Excel => ';',
        }
    }

    fn opening(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Excel => "\u{feff}",
        }
    }
}

/// The column of a metric in its shown unit: `contact_time_ms`, `cadence_spm`; without a suffix where it has no unit.
#[must_use]
pub fn column_name(def: &MetricDef) -> String {
    let suffix = match def.shown_unit {
        "1" => return def.name.to_owned(),
        "steps/min" => "spm".to_owned(),
        "%" => "pct".to_owned(),
        "°" => "deg".to_owned(),
        "m/s" => "mps".to_owned(),
        "m/s²" => "mps2".to_owned(),
        other => {
            let plain = |c: char| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '_'
                }
            };
            other.chars().map(plain).collect()
        }
    };
    format!("{}_{suffix}", def.name)
}

/// Text as a cell: disarmed, and quoted where it needs to be.
#[must_use]
pub fn text_cell(text: &str, dialect: CsvDialect) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        "'"
    } else {
        ""
    };
    if text.contains(['"', '\n', '\r', dialect.separator()]) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

/// One line in the making.
struct Line {
    text: String,
    dialect: CsvDialect,
}

impl Line {
    fn new(dialect: CsvDialect) -> Self {
        Self {
            text: String::new(),
            dialect,
        }
    }

    fn text(&mut self, cell: &str) -> &mut Self {
        if !self.text.is_empty() {
            self.text.push(self.dialect.separator());
        }
        self.text.push_str(&text_cell(cell, self.dialect));
        self
    }

    /// A number, in the shortest form that reads back equal.
    fn number(&mut self, value: Option<f64>) -> &mut Self {
        self.text.push(self.dialect.separator());
        if let Some(v) = value {
            let _ = write!(self.text, "{v}");
        }
        self
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<(), StoreError> {
        self.text.push('\n');
        let written = out.write_all(self.text.as_bytes());
        self.text.clear();
        written.map_err(|e| StoreError::io(std::path::Path::new("CSV output"), &e))
    }
}

fn start_of(history: &dyn History, session: &SessionId) -> Result<UtcMicros, StoreError> {
    let row = history.session(session)?.ok_or_else(|| StoreError::Missing {
        what: format!("session {session}"),
    })?;
    Ok(row.meta.start)
}

/// Columns of a stride before its metrics, in every kind of table.
pub fn stride_columns() -> impl Iterator<Item = &'static str> {
    "time_utc side seen_from activity class t_s end_s ic_s tc_s index quality"
        .split(' ')
        .chain(facts(StrideFlags::default()).map(|(name, _)| name))
}

/// Facts of a stride that tables tell, each with its column.
#[must_use]
pub fn facts(f: StrideFlags) -> [(&'static str, bool); 7] {
    [
        ("acc_clipped", f.acc_clipped),
        ("gyro_clipped", f.gyro_clipped),
        ("filled", f.filled),
        ("turning", f.turning),
        ("approximate_zero", f.approximate_zero),
        ("after_rest", f.after_rest),
        ("marked_bad", f.marked_bad),
    ]
}

/// Writes the strides of the current analysis; says how many.
///
/// `time_utc` is the start of the stride (mid-stance); `t_s`, `end_s`, `ic_s`, `tc_s` are seconds of session time.
///
/// # Errors
/// `Missing` for an unknown session, those of the history, `Io` when `out` cannot be written.
pub fn write_strides(
    history: &dyn History,
    session: &SessionId,
    dialect: CsvDialect,
    out: &mut dyn Write,
) -> Result<u64, StoreError> {
    let start = start_of(history, session)?;
    let mut line = Line::new(dialect);
    line.text.push_str(dialect.opening());
    for (i, name) in std::iter::once("session").chain(stride_columns()).enumerate() {
        if i == 0 {
            // The mark of the file's begin is not a cell.
            line.text.push_str(name);
        } else {
            line.text(name);
        }
    }
    for def in METRICS {
        line.text(&column_name(def));
    }
    line.end(out)?;
    pages(
        session,
        |query| history.strides(query),
        |record| {
            stride_line(&mut line, session, start, record);
            line.end(out)
        },
    )
}

fn stride_line(line: &mut Line, session: &SessionId, start: UtcMicros, record: &StrideRecord) {
    let s = &record.stride;
    let utc = UtcMicros::from_micros(start.micros() + s.start.nanos() / 1000);
    let seen_from = match s.seen_from {
        SegmentKind::Foot => "foot",
        SegmentKind::Shank => "shank",
        SegmentKind::Sacrum => "sacrum",
    };
    let activity = activity_name(s.activity);
    line.text(session.as_str())
        .text(&utc.iso8601())
        .text(s.side.map_or("", Side::name));
    line.text(seen_from)
        .text(activity)
        .text(&record.class.letter().to_string());
    line.number(Some(s.start.secs())).number(Some(s.end.secs()));
    line.number(s.contact.map(|c| c.ic.secs()))
        .number(s.contact.map(|c| c.tc.secs()));
    line.number(Some(f64::from(record.index)))
        .number(Some(s.quality.product()));
    for (_, fact) in facts(s.flags) {
        line.number(Some(f64::from(u8::from(fact))));
    }
    for def in METRICS {
        line.number(record.metrics.value(def.id).map(|v| v * def.shown_factor));
    }
}

/// Writes the blocks of the current analysis: medians of 25 strides of one side; says how many.
///
/// # Errors
/// As [`write_strides`].
pub fn write_blocks(
    history: &dyn History,
    session: &SessionId,
    dialect: CsvDialect,
    out: &mut dyn Write,
) -> Result<u64, StoreError> {
    let start = start_of(history, session)?;
    let mut line = Line::new(dialect);
    line.text.push_str(dialect.opening());
    line.text.push_str("session");
    for name in "time_utc side confidence t_s end_s strides_seen strides_usable".split(' ') {
        line.text(name);
    }
    for def in METRICS {
        line.text(&column_name(def));
    }
    line.end(out)?;
    pages(
        session,
        |query| history.blocks(query),
        |block| {
            let utc = UtcMicros::from_micros(start.micros() + block.start.nanos() / 1000);
            let confidence = match block.confidence {
                Confidence::Low => "low",
                Confidence::Medium => "medium",
                Confidence::High => "high",
            };
            line.text(session.as_str()).text(&utc.iso8601());
            line.text(block.side.map_or("", Side::name)).text(confidence);
            line.number(Some(block.start.secs())).number(Some(block.end.secs()));
            line.number(Some(f64::from(block.seen)))
                .number(Some(f64::from(block.usable)));
            for def in METRICS {
                line.number(block.medians.value(def.id).map(|v| v * def.shown_factor));
            }
            line.end(out)
        },
    )
}

/// Writes the windows of the current analysis: activity and spectral cadence, one a second; says how many.
///
/// # Errors
/// As [`write_strides`].
pub fn write_windows(
    history: &dyn History,
    session: &SessionId,
    dialect: CsvDialect,
    out: &mut dyn Write,
) -> Result<u64, StoreError> {
    let start = start_of(history, session)?;
    let mut line = Line::new(dialect);
    line.text.push_str(dialect.opening());
    line.text.push_str("session");
    line.text("time_utc")
        .text("activity")
        .text("end_s")
        .text("spectral_cadence_spm")
        .end(out)?;
    pages(
        session,
        |query| history.windows(query),
        |window| {
            let utc = UtcMicros::from_micros(start.micros() + window.t.nanos() / 1000);
            line.text(session.as_str())
                .text(&utc.iso8601())
                .text(activity_name(window.activity));
            line.number(Some(window.t.secs()))
                .number(window.spectral_cadence)
                .end(out)
        },
    )
}

fn activity_name(activity: crate::model::Activity) -> &'static str {
    match activity {
        crate::model::Activity::Still => "still",
        crate::model::Activity::Walking => "walking",
        crate::model::Activity::Running => "running",
    }
}

/// Writes the events of the current analysis; says how many. `detail` is the event as JSON, instants in nanoseconds.
///
/// # Errors
/// As [`write_strides`].
pub fn write_events(
    history: &dyn History,
    session: &SessionId,
    dialect: CsvDialect,
    out: &mut dyn Write,
) -> Result<u64, StoreError> {
    let start = start_of(history, session)?;
    let mut line = Line::new(dialect);
    line.text.push_str(dialect.opening());
    line.text.push_str("session");
    line.text("time_utc")
        .text("kind")
        .text("placement")
        .text("text")
        .text("detail")
        .text("t_s")
        .end(out)?;
    pages(
        session,
        |query| history.events(query),
        |event| {
            let t = event.time();
            let utc = UtcMicros::from_micros(start.micros() + t.nanos() / 1000);
            let words = match event {
                super::SessionEvent::Marker { text, .. } => text.as_str(),
                super::SessionEvent::ContactRefused { guard, .. } => guard.as_str(),
                _ => "",
            };
            line.text(session.as_str()).text(&utc.iso8601()).text(event.kind());
            line.text(event.placement().map_or("", |p| p.name()))
                .text(words)
                .text(&event.body());
            line.number(Some(t.secs())).end(out)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_disarmed_and_a_separator_is_quoted() {
        for (text, plain) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-x", "'-x"),
            ("@sum", "'@sum"),
            ("\tx", "'\tx"),
            ("a,b", "\"a,b\""),
            ("=a,\"b\"", "\"'=a,\"\"b\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("plain; text", "plain; text"),
            ("", ""),
        ] {
            assert_eq!(text_cell(text, CsvDialect::Plain), plain);
        }
        assert_eq!(text_cell("a;b", CsvDialect::Excel), "\"a;b\"");
    }

    #[test]
    fn every_metric_has_a_column_name_of_its_own_in_plain_letters() {
        let mut names: Vec<String> = METRICS.iter().map(column_name).collect();
        assert!(names.contains(&"contact_time_ms".to_owned()) && names.contains(&"cadence_spm".to_owned()));
        assert!(names.iter().all(|n| {
            n.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        }));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
