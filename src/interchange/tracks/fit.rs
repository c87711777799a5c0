//! FIT: messages of sessions, records, timer events and the local time.
//!
//! A file is a header, messages and a checksum; several may stand behind each other. A definition message says how the
//! data messages of its number are laid out; only the fields named here are looked at. Sources of layout and numbers:
//! [`crate::interchange::fit`]. Cadence counts strides of one leg; steps are twice that. A file that lope wrote is known by
//! the id of its developer fields, and the session it was written of by its serial number.

use super::{Point, Sport, Track, TrackError, push};
use crate::interchange::fit::{APPLICATION_ID, EPOCH_S, FIRST_DATE, TIMESTAMP, crc, message};
use std::collections::BTreeMap;

/// Degrees of a semicircle unit.
const SEMICIRCLE_DEG: f64 = 180.0 / 2_147_483_648.0;

struct Field {
    number: u8,
    size: usize,
    base: u8,
}

struct Definition {
    big_endian: bool,
    global: u16,
    fields: Vec<Field>,
    developer_bytes: usize,
}

/// Values of one data message: field number to number. Texts, arrays beyond their first element and invalid values are
/// not in it.
type Values = BTreeMap<u8, f64>;

/// One chained file taken apart.
#[derive(Default)]
struct Content {
    file_type: Option<f64>,
    /// Lope's own fields are announced.
    by_lope: bool,
    /// Serial number of the device, or of whatever wrote the file.
    serial: Option<f64>,
    sport: Option<f64>,
    sessions: Vec<Values>,
    points: Vec<Point>,
    utc_offset_s: Option<i32>,
    timeless: usize,
    /// The timer was stopped and has not begun again.
    stopped: bool,
    /// The next record follows a pause.
    fresh: bool,
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Track>, TrackError> {
    let mut tracks = Vec::new();
    let mut at = 0;
    let mut so_far = 0;
    let mut kinds = Vec::new();
    let mut timeless = 0;
    while at < bytes.len() {
        let messages = frame(bytes, at)?;
        let mut content = Content::default();
        parse(bytes, messages.clone(), &mut content, &mut so_far)?;
        timeless += content.timeless;
        kinds.extend(content.file_type);
        at = messages.end + 2;
        tracks.extend(content.into_tracks());
    }
    if tracks.is_empty() {
        return Err(if timeless > 0 {
            TrackError::NoTimes { points: timeless }
        } else {
            let kind = kinds.iter().find(|k| **k != 4.0);
            TrackError::NoActivity(kind.map_or_else(String::new, |k| {
                format!(": it is a FIT file of kind {k}, activities are 4")
            }))
        });
    }
    Ok(tracks)
}

/// Checks header and checksum of the file at `at`; gives the place of its messages.
fn frame(bytes: &[u8], at: usize) -> Result<std::ops::Range<usize>, TrackError> {
    let malformed = |what: &str| TrackError::Malformed {
        at: at as u64,
        what: what.to_owned(),
    };
    let rest = &bytes[at..];
    let (Some(&size), Some(b".FIT")) = (rest.first(), rest.get(8..12)) else {
        return Err(malformed("no FIT header"));
    };
    let size = usize::from(size);
    if size != 12 && size != 14 {
        return Err(malformed("a FIT header of unknown length"));
    }
    let data = rest
        .get(4..8)
        .and_then(|b| b.try_into().ok())
        .map_or(0, u32::from_le_bytes) as usize;
    if data == 0 {
        return Err(malformed(
            "a FIT header that says nothing follows: the recording was not ended,",
        ));
    }
    let end = size.saturating_add(data);
    let Some(stored) = rest.get(end..end.saturating_add(2)) else {
        return Err(TrackError::Cut {
            expected: (at as u64) + (size as u64) + (data as u64) + 2,
            found: bytes.len() as u64,
        });
    };
    // The checksum of everything with its own checksum behind it is 0.
    if crc(0, &rest[..end]) != u16::from_le_bytes([stored[0], stored[1]]) {
        return Err(TrackError::Malformed {
            at: (at + end) as u64,
            what: "a checksum that does not fit: the file has been altered or was not written to its end,".to_owned(),
        });
    }
    Ok(at + size..at + end)
}

fn parse(
    bytes: &[u8],
    messages: std::ops::Range<usize>,
    content: &mut Content,
    so_far: &mut usize,
) -> Result<(), TrackError> {
    let mut definitions: BTreeMap<u8, Definition> = BTreeMap::new();
    let mut last_time: Option<i64> = None;
    let (mut at, end) = (messages.start, messages.end);
    let short = |at: usize| TrackError::Malformed {
        at: at as u64,
        what: "a message that is longer than the file".to_owned(),
    };
    while at < end {
        let begin = at;
        let head = bytes[at];
        at += 1;
        if head & 0xc0 == 0x40 {
            let (local, definition, next) = define(bytes, at, end, head).ok_or_else(|| short(begin))?;
            definitions.insert(local, definition);
            at = next;
            continue;
        }
        let (local, offset) = if head & 0x80 == 0 {
            (head & 0x0f, None)
        } else {
            ((head >> 5) & 0x03, Some(i64::from(head & 0x1f)))
        };
        let Some(definition) = definitions.get(&local) else {
            return Err(TrackError::Malformed {
                at: begin as u64,
                what: format!("a message of kind {local} that was not defined"),
            });
        };
        let mut values = Values::new();
        for field in &definition.fields {
            let raw = bytes.get(at..at + field.size).filter(|_| at + field.size <= end);
            let raw = raw.ok_or_else(|| short(begin))?;
            if definition.global == message::DEVELOPER_DATA_ID && field.number == 1 && raw == APPLICATION_ID {
                content.by_lope = true;
            }
            if let Some(value) = value(raw, field.base, definition.big_endian) {
                values.insert(field.number, value);
            }
            at += field.size;
        }
        at += definition.developer_bytes;
        if at > end {
            return Err(short(begin));
        }
        let stamp = values.get(&TIMESTAMP).and_then(|v| seconds(*v));
        let time = match (stamp, offset, last_time) {
            (Some(stamp), ..) => Some(stamp),
            // Five bits that roll over every 32 s.
            (None, Some(offset), Some(last)) => Some(last + (offset - last).rem_euclid(32)),
            _ => None,
        };
        last_time = time.or(last_time);
        content.take(definition.global, time.filter(|t| *t >= FIRST_DATE), values, so_far)?;
    }
    Ok(())
}

/// A definition message after its head: its number, what it says, and where it ends.
fn define(bytes: &[u8], at: usize, end: usize, head: u8) -> Option<(u8, Definition, usize)> {
    let fixed = bytes.get(at..at + 5).filter(|_| at + 5 <= end)?;
    let big_endian = fixed[1] == 1;
    let global = [fixed[2], fixed[3]];
    let global = if big_endian {
        u16::from_be_bytes(global)
    } else {
        u16::from_le_bytes(global)
    };
    let mut next = at + 5;
    let mut triples = |count: u8| -> Option<Vec<[u8; 3]>> {
        let stop = next + usize::from(count) * 3;
        let raw = bytes.get(next..stop).filter(|_| stop <= end)?;
        next = stop;
        Some(raw.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect())
    };
    let fields = triples(fixed[4])?
        .into_iter()
        .map(|[number, size, base]| Field {
            number,
            size: usize::from(size),
            base: base & 0x1f,
        })
        .collect();
    let mut developer_bytes = 0;
    if head & 0x20 != 0 {
        let count = *bytes.get(next).filter(|_| next < end)?;
        next += 1;
        let stop = next + usize::from(count) * 3;
        let raw = bytes.get(next..stop).filter(|_| stop <= end)?;
        developer_bytes = raw.chunks_exact(3).map(|c| usize::from(c[1])).sum();
        next = stop;
    }
    let definition = Definition {
        big_endian,
        global,
        fields,
        developer_bytes,
    };
    Some((head & 0x0f, definition, next))
}

/// A time stamp: the protocol's are of 32 bits, whatever base type a file declares.
fn seconds(value: f64) -> Option<i64> {
    (0.0..=f64::from(u32::MAX)).contains(&value).then_some(value as i64)
}

/// The number in these bytes, of this base type; the first one of an array. `None` for texts and invalid values.
fn value(raw: &[u8], base: u8, big_endian: bool) -> Option<f64> {
    let size = match base {
        0 | 1 | 2 | 10 | 13 => 1,
        3 | 4 | 11 => 2,
        5 | 6 | 8 | 12 => 4,
        9 | 14 | 15 | 16 => 8,
        _ => return None,
    };
    let mut bytes = [0_u8; 8];
    let raw = raw.get(..size)?;
    if big_endian {
        bytes[..size]
            .iter_mut()
            .zip(raw.iter().rev())
            .for_each(|(to, from)| *to = *from);
    } else {
        bytes[..size].copy_from_slice(raw);
    }
    let unsigned = u64::from_le_bytes(bytes);
    let all_ones = u64::MAX >> (64 - 8 * size as u32);
    let valid = match base {
        // Signed: the largest positive value is the invalid one.
        1 | 3 | 5 | 14 => unsigned != all_ones >> 1,
        10 | 11 | 12 | 16 => unsigned != 0,
        _ => unsigned != all_ones,
    };
    if !valid {
        return None;
    }
    let signed = |bits: u32| ((unsigned << (64 - bits)) as i64 >> (64 - bits)) as f64;
    let number = match base {
        1 => signed(8),
        3 => signed(16),
        5 => signed(32),
        14 => signed(64),
        8 => f64::from(f32::from_bits(unsigned as u32)),
        9 => f64::from_bits(unsigned),
        _ => unsigned as f64,
    };
    number.is_finite().then_some(number)
}

impl Content {
    fn take(&mut self, global: u16, time: Option<i64>, values: Values, so_far: &mut usize) -> Result<(), TrackError> {
        let get = |number: u8| values.get(&number).copied();
        match global {
            message::FILE_ID => (self.file_type, self.serial) = (get(0), get(3)),
            message::SPORT => self.sport = get(0),
            message::SESSION => self.sessions.push(values),
            message::ACTIVITY => {
                if let (Some(utc), Some(local)) = (time, get(5)) {
                    // Zones are whole quarters of an hour; the two stamps may be a second apart.
                    let quarters = ((local - utc as f64) / 900.0).round();
                    if quarters.abs() <= 60.0 {
                        self.utc_offset_s = Some(quarters as i32 * 900);
                    }
                }
            }
            // Event 0 is the timer: type 0 starts it, 1 and 4 stop it.
            message::EVENT if get(0) == Some(0.0) => match get(1) {
                Some(0.0) => self.fresh |= std::mem::take(&mut self.stopped),
                Some(1.0 | 4.0) => self.stopped = true,
                _ => {}
            },
            message::RECORD => {
                let Some(time) = time else {
                    self.timeless += 1;
                    return Ok(());
                };
                let within = |v: Option<f64>, low: f64, high: f64| v.filter(|v| (low..=high).contains(v));
                let degrees = |number: u8, limit: f64| within(get(number).map(|v| v * SEMICIRCLE_DEG), -limit, limit);
                let height = |v: f64| v / 5.0 - 500.0;
                let point = Point {
                    at_us: (time + EPOCH_S) * 1_000_000,
                    position: degrees(0, 90.0).zip(degrees(1, 180.0)),
                    elevation_m: within(get(78).or(get(2)).map(height), -500.0, 9000.0),
                    distance_m: get(5).map(|v| v / 100.0),
                    heart_rate: within(get(3), 1.0, 260.0),
                    cadence: within(get(4), 0.0, 255.0)
                        .map(|v| v + within(get(53), 0.0, 255.0).map_or(0.0, |f| f / 128.0)),
                    fresh: std::mem::take(&mut self.fresh),
                };
                push(&mut self.points, point, so_far)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Activities: one a session, with the records of its time. Without a session message all records are one.
    fn into_tracks(self) -> Vec<Track> {
        let mut remarks = Vec::new();
        let lope_session = self.serial.filter(|_| self.by_lope).map(|n| n as u32);
        if self.timeless > 0 {
            remarks.push(format!("{} records without a time were left out", self.timeless));
        }
        if self.sessions.is_empty() {
            if self.points.is_empty() {
                return Vec::new();
            }
            remarks.push("it was not ended on the device: there is no summary in it".to_owned());
            return vec![Track {
                sport: sport(self.sport),
                utc_offset_s: self.utc_offset_s,
                lope_session,
                points: self.points,
                remarks,
                ..Track::default()
            }];
        }
        let start = |s: &Values| Some((seconds(*s.get(&2)?)? + EPOCH_S) * 1_000_000);
        let mut sessions = self.sessions;
        sessions.sort_by_key(start);
        let starts: Vec<Option<i64>> = sessions.iter().map(start).collect();
        let mut points = self.points;
        let mut tracks = Vec::new();
        for (i, session) in sessions.iter().enumerate().rev() {
            // From the last: each takes what came after its start; the first takes the rest.
            let from = if i == 0 {
                i64::MIN
            } else {
                starts[i].unwrap_or(i64::MAX)
            };
            let (own, rest) = points.into_iter().partition(|p: &Point| p.at_us >= from);
            points = rest;
            tracks.push(Track {
                lope_session,
                ..track_of(session, starts[i], own, self.utc_offset_s, self.sport)
            });
        }
        tracks.reverse();
        if let Some(first) = tracks.first_mut() {
            first.remarks.extend(remarks);
        }
        tracks
    }
}

fn track_of(
    session: &Values,
    start_us: Option<i64>,
    points: Vec<Point>,
    utc_offset_s: Option<i32>,
    of_file: Option<f64>,
) -> Track {
    let get = |number: u8| session.get(&number).copied();
    let within = |number: u8, low: f64, high: f64| get(number).filter(|v| (low..=high).contains(v));
    Track {
        sport: sport(get(5).or(of_file)),
        start_us,
        utc_offset_s,
        device: super::Device {
            distance_m: get(9).map(|v| v / 100.0),
            elapsed_s: get(7).map(|v| v / 1000.0),
            timer_s: get(8).map(|v| v / 1000.0),
            heart_rate: within(16, 1.0, 260.0),
            cadence: within(18, 1.0, 255.0).map(|v| v + within(92, 0.0, 255.0).map_or(0.0, |f| f / 128.0)),
            ascent_m: within(22, 0.0, 65_534.0),
        },
        points,
        ..Track::default()
    }
}

/// Names of the profile's sports that watches write most; others keep their number.
fn sport(number: Option<f64>) -> Sport {
    let name = match number.map(|n| n as u32) {
        // 0 is "generic": nothing was chosen.
        None | Some(0) => return Sport::Unsaid,
        Some(1) => return Sport::Running,
        Some(2) => "cycling",
        Some(3) => "transition",
        Some(4) => "fitness equipment",
        Some(5) => "swimming",
        Some(10) => "training",
        Some(11) => "walking",
        Some(12) => "cross-country skiing",
        Some(15) => "rowing",
        Some(17) => "hiking",
        Some(n) => return Sport::Other(format!("sport {n}")),
    };
    Sport::Other(name.to_owned())
}
