//! Runs made without lope, from the files of watches: FIT, GPX and TCX.
//!
//! Each reader gives what stands in its file ([`Track`]); [`course`] makes figures of it, the same way for all three. A
//! file is read as a whole or refused with the fact that stands against it; nothing of it is skipped without a remark.
//!
//! FIT is read here and not by a library: the one there is for it can be made to panic or to run for ever by a crafted
//! file, and prints. GPX and TCX are read from XML events, because libraries for GPX leave out heart rate and cadence.
//! Neither expands entities; a document type definition is refused.

pub mod course;
mod fit;
mod gpx;
mod tcx;
mod xml;

pub use course::{Course, DistanceFrom};

use thiserror::Error;

/// Largest file read, bytes. A day at one point a second is 20 MB of TCX.
pub const MAX_BYTES: u64 = 256 << 20;
/// Most points of one file: 23 days at one a second. It bounds memory, whatever the file claims.
const MAX_POINTS: usize = 2_000_000;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Flexible and Interoperable Data Transfer, protocol 1 and 2.
    Fit,
    /// GPS Exchange Format 1.0 and 1.1.
    Gpx,
    /// Training Center Database, version 2.
    Tcx,
}

impl Format {
    /// `fit`, `gpx` or `tcx`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Gpx => "gpx",
            Self::Tcx => "tcx",
        }
    }
}

/// What a file says was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sport {
    /// Running, of whatever kind.
    Running,
    /// Something else, in the file's own word.
    Other(String),
    /// The file does not say.
    #[default]
    Unsaid,
}

/// What was known at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// UTC, microseconds since 1970.
    pub at_us: i64,
    /// Latitude and longitude, degrees, WGS 84.
    pub position: Option<(f64, f64)>,
    /// Height, m.
    pub elevation_m: Option<f64>,
    /// Distance since the start as the device counted it, m.
    pub distance_m: Option<f64>,
    /// Heart rate, beats a minute.
    pub heart_rate: Option<f64>,
    /// Cadence a minute, as stored: strides of one leg by the rules of FIT and TCX.
    pub cadence: Option<f64>,
    /// Nothing is known between the point before and this one: a pause, a new stretch.
    pub fresh: bool,
}

/// What the device says of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Device {
    /// Distance, m.
    pub distance_m: Option<f64>,
    /// From start to end, s.
    pub elapsed_s: Option<f64>,
    /// While its timer ran, s.
    pub timer_s: Option<f64>,
    /// Mean heart rate, beats a minute.
    pub heart_rate: Option<f64>,
    /// Mean cadence a minute, as stored.
    pub cadence: Option<f64>,
    /// Climb, m.
    pub ascent_m: Option<f64>,
}

/// One activity of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// What was done.
    pub sport: Sport,
    /// Its start where it is said, UTC, microseconds since 1970.
    pub start_us: Option<i64>,
    /// How far local time was ahead of UTC, s, where the file says.
    pub utc_offset_s: Option<i32>,
    /// The mark of the session that lope wrote the file of ([`super::fit::session_mark`]); `None` of every other file.
    pub lope_session: Option<u32>,
    /// What the device says of the whole.
    pub device: Device,
    /// What was known when, in the order of the file.
    pub points: Vec<Point>,
    /// What could not be used, in words.
    pub remarks: Vec<String>,
}

/// A file as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackFile {
    /// Its format.
    pub format: Format,
    /// Its activities, at least one.
    pub tracks: Vec<Track>,
}

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TrackError {
    /// No byte in it.
    #[error("it is empty")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("it has {bytes} bytes; up to {MAX_BYTES} are read")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// More than `MAX_POINTS`.
    #[error("it has more than {MAX_POINTS} points")]
    TooManyPoints,
    /// An archive, with its kind.
    #[error("it is a {0} archive; unpack it first")]
    Packed(&'static str),
    /// None of the formats.
    #[error("it is none of FIT, GPX and TCX ({0})")]
    Unknown(String),
    /// Ends before its end.
    #[error("it ends at byte {found} of {expected}: it was cut off")]
    Cut {
        /// How long it says it is.
        expected: u64,
        /// How long it is.
        found: u64,
    },
    /// Something in it does not fit the format, with the place.
    #[error("{what} at byte {at}")]
    Malformed {
        /// Place.
        at: u64,
        /// What.
        what: String,
    },
    /// The format fits, but there is no activity in it.
    #[error("there is no activity in it{0}")]
    NoActivity(String),
    /// There are points, but none has a time.
    #[error("none of its {points} points has a time")]
    NoTimes {
        /// How many there are.
        points: usize,
    },
    /// What it says cannot have been.
    #[error("{0}")]
    Impossible(String),
}

/// Reads a file.
///
/// # Errors
/// See [`TrackError`].
pub fn read(bytes: &[u8]) -> Result<TrackFile, TrackError> {
    let size = bytes.len() as u64;
    if size > MAX_BYTES {
        return Err(TrackError::TooLarge { bytes: size });
    }
    let format = sniff(bytes)?;
    let tracks = match format {
        Format::Fit => fit::read(bytes)?,
        Format::Gpx => gpx::read(xml::text(bytes)?)?,
        Format::Tcx => tcx::read(xml::text(bytes)?)?,
    };
    Ok(TrackFile { format, tracks })
}

/// What the first bytes say of the format; the name of a file is not trusted.
fn sniff(bytes: &[u8]) -> Result<Format, TrackError> {
    if bytes.is_empty() {
        return Err(TrackError::Empty);
    }
    if bytes.get(8..12) == Some(b".FIT") {
        return Ok(Format::Fit);
    }
    for (magic, name) in [
        (b"PK\x03\x04".as_slice(), "ZIP"),
        (b"\x1f\x8b", "gzip"),
        (b"7z\xbc\xaf", "7z"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
    ] {
        if bytes.starts_with(magic) {
            return Err(TrackError::Packed(name));
        }
    }
    let begins = || {
        let shown: String = bytes
            .iter()
            .take(16)
            .flat_map(|b| std::ascii::escape_default(*b))
            .map(char::from)
            .collect();
        format!("it begins with \"{shown}\"")
    };
    if !looks_like_xml(bytes) {
        return Err(TrackError::Unknown(begins()));
    }
    match xml::root(xml::text(bytes)?)?.as_str() {
        "gpx" => Ok(Format::Gpx),
        "TrainingCenterDatabase" => Ok(Format::Tcx),
        other => Err(TrackError::Unknown(format!("its root is <{other}>"))),
    }
}

fn looks_like_xml(bytes: &[u8]) -> bool {
    let without_mark = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = without_mark.iter().find(|b| !b.is_ascii_whitespace());
    first == Some(&b'<') || bytes.starts_with(b"\xff\xfe<") || bytes.starts_with(b"\xfe\xff\0<")
}

/// Appends a point, as long as there is room.
fn push(points: &mut Vec<Point>, point: Point, so_far: &mut usize) -> Result<(), TrackError> {
    *so_far += 1;
    if *so_far > MAX_POINTS {
        return Err(TrackError::TooManyPoints);
    }
    points.push(point);
    Ok(())
}

/// A number as it stands in a text, when it lies within `range`.
fn number(text: &str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|v| range.contains(v))
}

/// An instant of `xsd:dateTime`, UTC microseconds, and how far its zone is ahead of UTC where it is named by a number.
/// Without a zone it counts as UTC: GPX says that its times are.
fn instant(text: &str) -> Option<(i64, Option<i32>)> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some((at.as_microsecond(), offset_of(text)));
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    let at = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
    Some((at.as_microsecond(), None))
}

/// `+01:00` at the end of an instant, s.
fn offset_of(text: &str) -> Option<i32> {
    let (sign, tail) = text.get(text.len().checked_sub(6)?..)?.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = tail.split_once(':')?;
    Some(sign * (hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60))
}
