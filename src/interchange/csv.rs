//! One sensor's CSV file, row by row.

use super::error::ReadError;
use super::mapping::{Column, Factors, Mapping};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// A longer line is no line of samples; reading on would fill the memory with a file that has no line ends.
const LONGEST_LINE: u64 = 1 << 16;
/// Bytes at the end of a file that are looked at for its last rows.
const TAIL: u64 = 1 << 13;
/// Characters of a file that a message shows.
const SHOWN: usize = 120;

/// Seven numbers of one line: time (s), specific force (m/s²), angular rate (rad/s). `NaN` where the cell is empty or the
/// text is a number that is not finite: the signal loop counts those.
pub type Row = [f64; 7];

/// Reads rows from one file. Memory is one line.
#[derive(Debug)]
pub struct CsvRows {
    path: PathBuf,
    input: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    delimiter: u8,
    decimal_comma: bool,
    /// Position of each of the seven columns, and their names for messages.
    at: [usize; 7],
    names: [String; 7],
    factors: Factors,
    /// A last line without its end was dropped.
    truncated: bool,
    bytes: u64,
}

impl CsvRows {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file cannot be opened, is empty, or its header lacks a column.
    pub fn open(path: &Path, mapping: &Mapping) -> Result<Self, ReadError> {
        let described = |what: String| ReadError::Description {
            path: path.to_owned(),
            what,
        };
        let file = File::open(path).map_err(|source| ReadError::Open {
            path: path.to_owned(),
            source,
        })?;
        let mut rows = Self {
            path: path.to_owned(),
            input: BufReader::with_capacity(1 << 18, file),
            line: Vec::with_capacity(256),
            number: 0,
            delimiter: mapping.delimiter_byte().map_err(described)?,
            decimal_comma: mapping.decimal_comma,
            at: [0; 7],
            names: mapping.columns().map(Column::label),
            factors: mapping.factors().map_err(described)?,
            truncated: false,
            bytes: 0,
        };
        for _ in 0..mapping.skip_lines {
            rows.read_line()?;
        }
        let mut header: Vec<String> = Vec::new();
        if mapping.header {
            if !rows.read_line()? {
                return Err(ReadError::Empty { path: path.to_owned() });
            }
            let text = String::from_utf8_lossy(&rows.line)
                .trim_start_matches('\u{feff}')
                .to_owned();
            header = text
                .split(char::from(rows.delimiter))
                .map(|c| c.trim().trim_matches('"').to_owned())
                .collect();
        }
        for (slot, column) in mapping.columns().into_iter().enumerate() {
            rows.at[slot] = match column {
                Column::Number(n) if *n > 0 => n - 1,
                Column::Number(_) => {
                    return Err(ReadError::Description {
                        path: path.to_owned(),
                        what: "columns are numbered from 1".to_owned(),
                    });
                }
                Column::Name(name) if !mapping.header => {
                    return Err(described(format!(
                        "column `{name}` is named, but with header = false columns are numbers, from 1"
                    )));
                }
                Column::Name(name) => header.iter().position(|h| h == name).ok_or_else(|| ReadError::Header {
                    path: path.to_owned(),
                    found: shown(&rows.line),
                    expected: rows.names.join(&char::from(rows.delimiter).to_string()),
                })?,
            };
        }
        Ok(rows)
    }

    /// Lines read so far.
    #[must_use]
    pub fn line_number(&self) -> u64 {
        self.number
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the file ended in the middle of a line, which was not used.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last rows of a file, as far as they can be read: for the time at which a recording ends. Lines that do not
    /// fit are passed over here and judged when they are read in turn.
    ///
    /// # Errors
    /// The file cannot be opened, or its header is not the expected one.
    pub fn last_rows(path: &Path, mapping: &Mapping) -> Result<Vec<Row>, ReadError> {
        let mut rows = Self::open(path, mapping)?;
        let begun = rows.bytes;
        let failed = |source| ReadError::Open {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let end = file.metadata().map_err(failed)?.len();
        let from = end.saturating_sub(TAIL).max(begun);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.take(TAIL).read_to_end(&mut tail).map_err(failed)?;
        let mut found = Vec::new();
        // What lies before the first line end may be the second half of a line, behind the last one the first half.
        let torn_front = usize::from(from > begun);
        let lines: Vec<&[u8]> = tail.split(|b| *b == b'\n').collect();
        for line in lines.iter().take(lines.len().saturating_sub(1)).skip(torn_front) {
            rows.line.clear();
            rows.line.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
            found.extend(rows.parse().ok());
        }
        Ok(found)
    }

    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.line.clear();
        let n = (&mut self.input)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.line)
            .map_err(|source| ReadError::Open {
                path: self.path.clone(),
                source,
            })?;
        self.number += 1;
        self.bytes += n as u64;
        let complete = self.line.last() == Some(&b'\n');
        if n as u64 == LONGEST_LINE && !complete {
            return Err(ReadError::LongLine {
                path: self.path.clone(),
                line: self.number,
                limit: LONGEST_LINE,
            });
        }
        while self.line.last().is_some_and(|b| *b == b'\n' || *b == b'\r') {
            self.line.pop();
        }
        if n > 0 && !complete {
            self.truncated = true;
        }
        Ok(n > 0)
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// Text in a number column, or a line with too few columns that is not a torn last one.
    pub fn next_row(&mut self) -> Result<Option<Row>, ReadError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            if self.line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let torn = self.truncated;
            return match self.parse() {
                Ok(row) => {
                    // A complete last line that merely lacks its line end is a full row.
                    self.truncated = false;
                    Ok(Some(row))
                }
                Err(_) if torn => Ok(None),
                Err(error) => Err(error),
            };
        }
    }

    fn parse(&self) -> Result<Row, ReadError> {
        let mut row = [f64::NAN; 7];
        let mut seen = [false; 7];
        let mut count = 0;
        for (index, cell) in self.line.split(|b| *b == self.delimiter).enumerate() {
            count = index + 1;
            for slot in 0..7 {
                if self.at[slot] == index {
                    seen[slot] = true;
                    row[slot] = self.number_of(cell, slot)? * self.factors.columns[slot];
                }
            }
        }
        if seen.contains(&false) {
            let expected = self.at.iter().max().map_or(7, |m| m + 1);
            return Err(ReadError::Columns {
                path: self.path.clone(),
                line: self.number,
                found: count,
                expected,
            });
        }
        Ok(row)
    }

    fn number_of(&self, cell: &[u8], slot: usize) -> Result<f64, ReadError> {
        if !self.decimal_comma
            && let Some(v) = plain_decimal(cell)
        {
            return Ok(v);
        }
        // Some loggers put every cell in quotes.
        let text = std::str::from_utf8(cell).map_or("", |t| t.trim().trim_matches('"'));
        if text.is_empty() && cell.is_ascii() {
            return Ok(f64::NAN);
        }
        let parsed = if self.decimal_comma {
            text.replace(',', ".").parse::<f64>()
        } else {
            text.parse::<f64>()
        };
        parsed.map_err(|_| ReadError::NotANumber {
            path: self.path.clone(),
            line: self.number,
            column: self.names[slot].clone(),
            value: shown(cell),
        })
    }
}

/// A number of the plainest kind, such as `-12.345`; `None` for anything else, which the general parser then judges.
///
/// Most cells are of this kind and most of the reading time goes into them. The value is the correctly rounded one: digits
/// and power of ten are both exact as `f64`, so that their one division rounds once (Clinger, "How to read floating point
/// numbers accurately", 1990).
fn plain_decimal(cell: &[u8]) -> Option<f64> {
    /// Digits that always fit 2^53.
    const MOST_DIGITS: usize = 15;
    const POWERS: [f64; MOST_DIGITS + 1] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, cell),
    };
    if digits.len() > MOST_DIGITS + 1 {
        return None;
    }
    let (mut value, mut seen, mut behind_point) = (0_u64, 0, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u64::from(byte - b'0');
                seen += 1;
                behind_point = behind_point.map(|n: usize| n + 1);
            }
            b'.' if behind_point.is_none() => behind_point = Some(0),
            _ => return None,
        }
    }
    if seen == 0 || seen > MOST_DIGITS {
        return None;
    }
    let magnitude = value as f64 / POWERS[behind_point.unwrap_or(0)];
    Some(if negative { -magnitude } else { magnitude })
}

/// The beginning of a piece of a file, fit to be shown on a terminal: a file must not be able to move its cursor.
fn shown(bytes: &[u8]) -> String {
    let readable = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let text = String::from_utf8_lossy(bytes);
    text.trim_matches(['\u{feff}', ' '])
        .chars()
        .map(readable)
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(text: &str, mapping: &Mapping) -> Result<(Vec<Row>, bool), ReadError> {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        file.write_all(text.as_bytes()).expect("written");
        let mut rows = CsvRows::open(file.path(), mapping)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next_row()? {
            out.push(row);
        }
        Ok((out, rows.is_truncated()))
    }

    const HEAD: &str = "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n";

    #[test]
    fn a_torn_last_line_is_dropped_and_said() {
        let (rows, torn) = read(&format!("{HEAD}0,0,0,9.8,0,0,0\n0.005,0,0,9.8,0"), &Mapping::default()).expect("read");
        assert_eq!((rows.len(), torn), (1, true));
        let (rows, torn) = read(&format!("{HEAD}0,0,0,9.8,0,0,0"), &Mapping::default()).expect("read");
        assert_eq!((rows.len(), torn), (1, false));
    }

    #[test]
    fn text_and_missing_columns_are_named_with_their_line() {
        let error = read(
            &format!("{HEAD}0,0,0,9.8,0,0,0\n1,0,oops,9.8,0,0,0\n"),
            &Mapping::default(),
        )
        .expect_err("text");
        let text = error.to_string();
        assert!(
            text.contains(":3:") && text.contains("acc_y") && text.contains("oops"),
            "{text}"
        );
        let error = read(&format!("{HEAD}0,0,0\n1,0,0,9.8,0,0,0\n"), &Mapping::default()).expect_err("short");
        assert!(error.to_string().contains("3 columns"), "{error}");
        let error = read("a,b,c\n", &Mapping::default()).expect_err("header");
        assert!(error.to_string().contains("expected `time_s"), "{error}");
    }

    #[test]
    fn another_loggers_file_reads_by_mapping() {
        let mapping = Mapping::parse(
            "delimiter = \";\"\ndecimal_comma = true\nheader = false\ntime = 1\ntime_unit = \"ms\"\n\
             acc = [5, 6, 7]\nacc_unit = \"g\"\ngyro = [2, 3, 4]\ngyro_unit = \"deg/s\"\n",
        )
        .expect("mapping");
        let (rows, _) = read("5,0;180;0;0;0;0;1,0\n", &mapping).expect("read");
        assert!((rows[0][0] - 0.005).abs() < 1e-12 && (rows[0][3] - 9.80665).abs() < 1e-9);
        assert!((rows[0][4] - std::f64::consts::PI).abs() < 1e-9);
    }

    #[test]
    fn quoted_cells_are_numbers_and_control_characters_are_not_shown() {
        let quoted = "\"time_s\",acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n\"0.5\",\"\",1, 9.8 ,0,0,\"-1e-3\"\n";
        let (rows, _) = read(quoted, &Mapping::default()).expect("read");
        assert!((rows[0][0] - 0.5).abs() < 1e-15 && rows[0][1].is_nan() && (rows[0][6] + 1e-3).abs() < 1e-15);
        let error = read("\u{1b}[2Jtime_s\n", &Mapping::default()).expect_err("header");
        assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
        let error = read(&format!("{HEAD}\u{1b}c,0,0,9.8,0,0,0\n"), &Mapping::default()).expect_err("cell");
        assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
    }

    #[test]
    fn a_file_without_line_ends_does_not_fill_the_memory() {
        let error = read(&format!("{HEAD}{}", "7".repeat(200_000)), &Mapping::default()).expect_err("long");
        assert!(error.to_string().contains("65536"), "{error}");
    }

    #[test]
    fn names_need_a_header() {
        let mapping = Mapping::parse("header = false\n").expect("valid");
        let error = read("0,0,0,9.8,0,0,0\n", &mapping).expect_err("names").to_string();
        assert!(error.contains("header = false") && error.contains("time_s"), "{error}");
    }

    #[test]
    fn the_last_rows_are_those_at_the_end() {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        let lines: Vec<String> = (0..1000).map(|k| format!("{k}.25,0,0,9.8,0,0,0\n")).collect();
        write!(file, "{HEAD}{}1000.25,0", lines.concat()).expect("written");
        let rows = CsvRows::last_rows(file.path(), &Mapping::default()).expect("read");
        assert!(rows.len() > 100 && rows.windows(2).all(|w| (w[1][0] - w[0][0] - 1.0).abs() < 1e-9));
        assert!((rows[rows.len() - 1][0] - 999.25).abs() < 1e-9);
    }

    #[test]
    fn the_short_way_to_a_number_gives_the_same_number() {
        for text in [
            "0",
            "-0",
            "-0.0",
            "7",
            "12.5",
            "999999999999999",
            "0.1",
            "-9.80665",
            "123456.789012345",
            "5.",
            ".5",
        ] {
            let quick = plain_decimal(text.as_bytes()).expect(text);
            assert_eq!(quick.to_bits(), text.parse::<f64>().expect(text).to_bits(), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "1e5",
            "nan",
            "+1",
            "1.2.3",
            "--1",
            " 1",
            "1234567890123456",
            "1_0",
            "inf",
        ] {
            assert_eq!(plain_decimal(text.as_bytes()), None, "{text}");
        }
        let mut k = 1_u64;
        for _ in 0..200_000 {
            k = k
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let text = format!("{:.*}", (k % 10) as usize, (k >> 12) as i32 as f64 / 1e4);
            if let Some(quick) = plain_decimal(text.as_bytes()) {
                assert_eq!(
                    quick.to_bits(),
                    text.parse::<f64>().expect("number").to_bits(),
                    "{text}"
                );
            }
        }
    }
}
