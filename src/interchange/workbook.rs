//! Tables as a workbook for spreadsheet programs (XLSX): a number is a number, a time is a time, a text is never run.
//!
//! Every sheet has one header row, which stays in sight and filters. What is absent is an empty cell, never a zero; why it is
//! absent is for whoever makes the table to say in a column. Text goes in as text, so that none of it can be a formula, and
//! letters that the format cannot hold are left out.

use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet};
use thiserror::Error;

/// Days from the spreadsheets' day zero, 1899-12-30, to 1970-01-01.
const DAYS_BEFORE_1970: f64 = 25_569.0;
const DAY_US: f64 = 86_400e6;
/// Longest text of a cell, letters: a limit of the format.
const LONGEST_TEXT: usize = 32_767;

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing is known.
    Empty,
    /// A number. One that is not finite is an empty cell.
    Number(f64),
    /// An instant in UTC, microseconds since 1970, to the millisecond.
    Time(i64),
    /// A day, counted from 1970-01-01.
    Day(i32),
    /// Yes or no.
    Yes(YesNo),
    /// Text.
    Text(String),
}

/// A yes or a no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum YesNo {
    Yes,
    No,
}

impl Cell {
    /// A number, or nothing.
    #[must_use]
    pub fn number(value: Option<f64>) -> Self {
        value.map_or(Self::Empty, Self::Number)
    }

    /// A text; an empty one is an empty cell.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// A yes or a no, or nothing.
    #[must_use]
    pub fn yes(value: Option<bool>) -> Self {
        match value {
            None => Self::Empty,
            Some(true) => Self::Yes(YesNo::Yes),
            Some(false) => Self::Yes(YesNo::No),
        }
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What stands above it.
    pub head: String,
    /// How wide it is, letters.
    pub width: f64,
}

impl Column {
    /// A column as wide as its head wants.
    #[must_use]
    pub fn new(head: impl Into<String>) -> Self {
        let head = head.into();
        let width = (head.chars().count() as f64 + 2.0).clamp(9.0, 30.0);
        Self { head, width }
    }

    /// The same with another width.
    #[must_use]
    pub fn wide(self, width: f64) -> Self {
        Self { width, ..self }
    }
}

/// Why a workbook was not made.
#[derive(Debug, Error)]
#[error("the workbook cannot hold it: {0}")]
pub struct WorkbookError(#[from] rust_xlsxwriter::XlsxError);

/// A table in the making: takes its rows one by one.
pub struct Sheet {
    to: Worksheet,
    columns: u16,
    next: u32,
    time: Format,
    day: Format,
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sheet({} columns, {} rows)", self.columns, self.next - 1)
    }
}

impl Sheet {
    /// Begins a table; its name has up to 31 letters.
    ///
    /// # Errors
    /// A name that no sheet may have.
    pub fn new(name: &str, columns: &[Column]) -> Result<Self, WorkbookError> {
        let head = Format::new().set_bold().set_align(FormatAlign::Top).set_text_wrap();
        let mut to = Worksheet::new();
        to.set_name(name)?;
        to.set_freeze_panes(1, 0)?;
        let mut count = 0;
        for (c, column) in (0_u16..).zip(columns) {
            to.write_string_with_format(0, c, legible(&column.head), &head)?;
            to.set_column_width(c, column.width)?;
            count = c + 1;
        }
        Ok(Self {
            to,
            columns: count,
            next: 1,
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000"),
            day: Format::new().set_num_format("yyyy-mm-dd"),
        })
    }

    /// The next row, a cell for each column; cells beyond them are left out.
    ///
    /// # Errors
    /// More than 1,048,575 rows.
    pub fn row(&mut self, cells: &[Cell]) -> Result<(), WorkbookError> {
        let (r, to) = (self.next, &mut self.to);
        for (c, cell) in (0..self.columns).zip(cells) {
            match cell {
                Cell::Number(v) if v.is_finite() => drop(to.write_number(r, c, *v)?),
                Cell::Empty | Cell::Number(_) => {}
                Cell::Time(us) => {
                    // To the millisecond that is shown: a microsecond is beyond what the format can tell apart.
                    let days = (us.div_euclid(1000) * 1000) as f64 / DAY_US + DAYS_BEFORE_1970;
                    to.write_number_with_format(r, c, days, &self.time)?;
                }
                Cell::Day(day) => {
                    to.write_number_with_format(r, c, f64::from(*day) + DAYS_BEFORE_1970, &self.day)?;
                }
                Cell::Yes(yes) => drop(to.write_boolean(r, c, *yes == YesNo::Yes)?),
                Cell::Text(text) => drop(to.write_string(r, c, legible(text))?),
            }
        }
        self.next += 1;
        Ok(())
    }
}

/// The file of these tables, in this order.
///
/// # Errors
/// Two sheets of one name.
pub fn workbook(sheets: Vec<Sheet>) -> Result<Vec<u8>, WorkbookError> {
    let mut book = Workbook::new();
    for mut sheet in sheets {
        if let Some(last) = sheet.columns.checked_sub(1) {
            sheet.to.autofilter(0, 0, sheet.next - 1, last)?;
        }
        book.push_worksheet(sheet.to);
    }
    Ok(book.save_to_buffer()?)
}

/// Text without control letters, which XML cannot hold, and no longer than a cell may be.
fn legible(text: &str) -> String {
    text.chars()
        .filter(|c| (!c.is_control() || *c == '\n') && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .take(LONGEST_TEXT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_text_and_odd_numbers_make_a_workbook_all_the_same() {
        let mut sheet = Sheet::new("odd", &[Column::new("=1+1"), Column::new("b").wide(12.0)]).expect("a sheet");
        for row in [
            [Cell::text("=HYPERLINK(\"x\")"), Cell::Number(f64::NAN)],
            [Cell::text("a\u{1}\tb"), Cell::Time(1_772_712_000_123_456)],
            [Cell::text("x".repeat(40_000)), Cell::Day(20_000)],
            [Cell::text(""), Cell::yes(Some(false))],
        ] {
            sheet.row(&row).expect("a row");
        }
        let file = workbook(vec![sheet]).expect("a workbook");
        assert!(file.starts_with(b"PK"));
        assert_eq!(legible("a\u{1}\tb\nc"), "ab\nc");
        assert_eq!(legible(&"ä".repeat(40_000)).chars().count(), LONGEST_TEXT);
    }
}
