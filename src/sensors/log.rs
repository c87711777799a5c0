//! A log of everything that happened on the links of a recording, as bytes.
//!
//! It is written before anything is decoded, so a mistake in a decoder costs nothing: the log is run through the mended
//! driver again. It is append-only, and every record carries its length and checksum, so what a cut left whole is read
//! back and the torn end is told by name.
//!
//! ```text
//! file   = "lope links 1\n" record*
//! record = length u32 · crc32 u32 (of body) · body
//! body   = kind u8 · sensor u8 · fields, little-endian
//! ```
//!
//! | kind | what | fields |
//! |---|---|---|
//! | 0 | plan of a sensor | JSON text of the caller |
//! | 1 | link up | at i64, mtu u16, name, os_id (u16 length + UTF-8 each), n u16, n × (service u128, characteristic u128) |
//! | 2 | frame | at i64, channel u8 (number of a kind 6 record), bytes to the end |
//! | 3 | answer | began i64, at i64, asked u8 (0 subscribe, 1 read, 2 write), channel u8, result u8, bytes or text to the end |
//! | 4 | our queue overflowed | at i64, frames u32 |
//! | 5 | link down | at i64, reason u8, text to the end |
//! | 6 | a channel gets the next number | service u128, characteristic u128 |
//! | 7 | a wish was given to the driver | at i64, JSON text of the caller |
//! | 8 | the recording ended properly | at i64 |
//!
//! Times are session time in nanoseconds. Channels are numbered over all sensors of the file.

use super::link::{Asked, Chan, DownReason, LinkEvent, LinkFailure, LinkInfo};
use crate::model::SessionTime;
use firmware_protocol::crc::crc32;
use std::io::{self, Read, Write};

/// First bytes of a log.
pub const MAGIC: &[u8] = b"lope links 1\n";
/// Longer records are refused: the longest honest one is a link's list of characteristics.
const LONGEST: usize = 1 << 20;
/// Names of calls that may hang, as kept in a log.
const HUNG: [&str; 8] = [
    "connect",
    "discover",
    "subscribe",
    "read",
    "write",
    "disconnect",
    "is_connected",
    "other",
];

/// A record of a log.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// What a sensor was planned to be; text of the caller.
    Plan {
        /// Number of the sensor.
        sensor: u8,
        /// The text.
        text: String,
    },
    /// Something happened on its link.
    Event {
        /// Number of the sensor.
        sensor: u8,
        /// What.
        event: LinkEvent,
    },
    /// Its driver was given a wish; text of the caller.
    Wish {
        /// Number of the sensor.
        sensor: u8,
        /// When.
        at: SessionTime,
        /// The text.
        text: String,
    },
    /// The recording was ended by its user.
    Ended {
        /// When.
        at: SessionTime,
    },
}

/// Writes a log.
#[derive(Debug)]
pub struct LogWriter<W> {
    out: W,
    chans: Vec<Chan>,
    body: Vec<u8>,
}

impl<W: Write> LogWriter<W> {
    /// Begins a log.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Self {
            out,
            chans: Vec::new(),
            body: Vec::with_capacity(512),
        })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// Those of `out`; a record may then be there in part, which reading tells.
    pub fn push(&mut self, entry: &Entry) -> io::Result<()> {
        match entry {
            Entry::Plan { sensor, text } => self.text(0, *sensor, None, text),
            Entry::Event { sensor, event } => self.event(*sensor, event),
            Entry::Wish { sensor, at, text } => self.text(7, *sensor, Some(*at), text),
            Entry::Ended { at } => self.text(8, 0, Some(*at), ""),
        }
    }

    /// What it writes to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    fn begin(&mut self, kind: u8, sensor: u8) {
        self.body.clear();
        self.body.extend([kind, sensor]);
    }

    fn time(&mut self, at: SessionTime) {
        self.body.extend(at.nanos().to_le_bytes());
    }

    fn short_text(&mut self, text: &str) {
        let bytes = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
        self.body.extend((bytes.len() as u16).to_le_bytes());
        self.body.extend(bytes);
    }

    fn finish(&mut self) -> io::Result<()> {
        let length = u32::try_from(self.body.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&crc32(&self.body).to_le_bytes())?;
        self.out.write_all(&self.body)
    }

    fn text(&mut self, kind: u8, sensor: u8, at: Option<SessionTime>, text: &str) -> io::Result<()> {
        self.begin(kind, sensor);
        if let Some(at) = at {
            self.time(at);
        }
        self.body.extend(text.as_bytes());
        self.finish()
    }

    fn channel(&mut self, chan: Chan) -> io::Result<u8> {
        if let Some(at) = self.chans.iter().position(|c| *c == chan) {
            return Ok(at as u8);
        }
        let number = u8::try_from(self.chans.len()).map_err(|_| io::Error::other("more than 256 characteristics"))?;
        self.chans.push(chan);
        self.begin(6, 0);
        self.body.extend(chan.service.to_le_bytes());
        self.body.extend(chan.characteristic.to_le_bytes());
        self.finish()?;
        Ok(number)
    }

    fn event(&mut self, sensor: u8, event: &LinkEvent) -> io::Result<()> {
        match event {
            LinkEvent::Up { at, info } => {
                self.begin(1, sensor);
                self.time(*at);
                self.body.extend(info.mtu.to_le_bytes());
                self.short_text(&info.name);
                self.short_text(&info.os_id);
                self.body.extend((info.chans.len().min(4096) as u16).to_le_bytes());
                for chan in info.chans.iter().take(4096) {
                    self.body.extend(chan.service.to_le_bytes());
                    self.body.extend(chan.characteristic.to_le_bytes());
                }
            }
            LinkEvent::Frame { at, chan, bytes } => {
                let chan = self.channel(*chan)?;
                self.begin(2, sensor);
                self.time(*at);
                self.body.push(chan);
                self.body.extend(bytes);
            }
            LinkEvent::Answered {
                began,
                at,
                asked,
                result,
            } => {
                let (what, chan) = match asked {
                    Asked::Subscribe(c) => (0, *c),
                    Asked::Read(c) => (1, *c),
                    Asked::Write(c) => (2, *c),
                };
                let chan = self.channel(chan)?;
                self.begin(3, sensor);
                self.time(*began);
                self.time(*at);
                self.body.extend([what, chan]);
                match result {
                    Ok(bytes) => {
                        self.body.push(0);
                        self.body.extend(bytes);
                    }
                    Err(LinkFailure::TimedOut) => self.body.push(1),
                    Err(LinkFailure::Down) => self.body.push(2),
                    Err(LinkFailure::NoSuchCharacteristic) => self.body.push(3),
                    Err(LinkFailure::Att(code)) => self.body.extend([4, *code]),
                    Err(LinkFailure::NotPermitted) => self.body.push(5),
                    Err(LinkFailure::Other(text)) => {
                        self.body.push(6);
                        self.body.extend(text.as_bytes());
                    }
                }
            }
            LinkEvent::Overflowed { at, frames } => {
                self.begin(4, sensor);
                self.time(*at);
                self.body.extend(frames.to_le_bytes());
            }
            LinkEvent::Down { at, reason } => {
                self.begin(5, sensor);
                self.time(*at);
                let number = match reason {
                    DownReason::Closed => 0,
                    DownReason::Lost => 1,
                    DownReason::Silent => 2,
                    DownReason::AdapterGone => 3,
                    DownReason::Hung(_) => 4,
                };
                self.body.push(number);
                if let DownReason::Hung(call) = reason {
                    self.body.extend(call.as_bytes());
                }
            }
        }
        self.finish()
    }
}

/// How a log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// After a whole record.
    Whole,
    /// In the middle of one, or one is damaged: everything before `at` was read.
    Torn {
        /// Byte at which the last whole record ended.
        at: u64,
    },
}

/// Reads a log.
#[derive(Debug)]
pub struct LogReader<R> {
    from: R,
    chans: Vec<Chan>,
    body: Vec<u8>,
    at: u64,
    end: Option<LogEnd>,
}

impl<R: Read> LogReader<R> {
    /// Opens a log.
    ///
    /// # Errors
    /// `InvalidData` when it is not one; those of `from`.
    pub fn new(mut from: R) -> io::Result<Self> {
        let mut magic = [0; MAGIC.len()];
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "not a lope link log (wrong first bytes)");
        from.read_exact(&mut magic).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => wrong(),
            _ => e,
        })?;
        if magic != MAGIC {
            return Err(wrong());
        }
        Ok(Self {
            from,
            chans: Vec::new(),
            body: Vec::with_capacity(512),
            at: MAGIC.len() as u64,
            end: None,
        })
    }

    /// How it ended, once `next_entry` has said `None`.
    #[must_use]
    pub fn end(&self) -> Option<LogEnd> {
        self.end
    }

    /// The next record; `None` at the end, torn or not.
    ///
    /// # Errors
    /// Those of the source, but for an early end.
    pub fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        while self.end.is_none() {
            if !self.next_body()? {
                break;
            }
            let mut fields = Fields(&self.body);
            match read_body(&mut fields, &mut self.chans) {
                Some(Read1::Entry(entry)) => {
                    self.at += 8 + self.body.len() as u64;
                    return Ok(Some(entry));
                }
                Some(Read1::Channel) => self.at += 8 + self.body.len() as u64,
                None => self.end = Some(LogEnd::Torn { at: self.at }),
            }
        }
        Ok(None)
    }

    fn next_body(&mut self) -> io::Result<bool> {
        let mut head = [0; 8];
        let mut got = 0;
        while got < head.len() {
            match self.from.read(&mut head[got..]) {
                Ok(0) if got == 0 => {
                    self.end = Some(LogEnd::Whole);
                    return Ok(false);
                }
                Ok(0) => {
                    self.end = Some(LogEnd::Torn { at: self.at });
                    return Ok(false);
                }
                Ok(n) => got += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        let [a, b, c, d, e, f, g, h] = head;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let crc = u32::from_le_bytes([e, f, g, h]);
        self.body.clear();
        if length <= LONGEST {
            let read = (&mut self.from).take(length as u64).read_to_end(&mut self.body)?;
            if read == length && crc32(&self.body) == crc {
                return Ok(true);
            }
        }
        self.end = Some(LogEnd::Torn { at: self.at });
        Ok(false)
    }
}

enum Read1 {
    Entry(Entry),
    Channel,
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }
    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[b]| b)
    }
    fn time(&mut self) -> Option<SessionTime> {
        Some(SessionTime::from_nanos(i64::from_le_bytes(self.take()?)))
    }
    fn short(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take()?))
    }
    fn chan(&mut self) -> Option<Chan> {
        let service = u128::from_le_bytes(self.take()?);
        Some(Chan::new(service, u128::from_le_bytes(self.take()?)))
    }
    fn short_text(&mut self) -> Option<String> {
        let length = usize::from(self.short()?);
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    }
    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
    fn rest_text(&mut self) -> String {
        String::from_utf8_lossy(self.rest()).into_owned()
    }
}

fn read_body(f: &mut Fields<'_>, chans: &mut Vec<Chan>) -> Option<Read1> {
    let (kind, sensor) = (f.byte()?, f.byte()?);
    let event = |event| Some(Read1::Entry(Entry::Event { sensor, event }));
    match kind {
        0 => Some(Read1::Entry(Entry::Plan {
            sensor,
            text: f.rest_text(),
        })),
        1 => {
            let at = f.time()?;
            let mtu = f.short()?;
            let (name, os_id) = (f.short_text()?, f.short_text()?);
            let n = f.short()?;
            let chans = (0..n).map(|_| f.chan()).collect::<Option<Vec<_>>>()?;
            event(LinkEvent::Up {
                at,
                info: LinkInfo {
                    name,
                    os_id,
                    mtu,
                    chans,
                },
            })
        }
        2 => {
            let at = f.time()?;
            let chan = *chans.get(usize::from(f.byte()?))?;
            let bytes = f.rest().to_vec();
            event(LinkEvent::Frame { at, chan, bytes })
        }
        3 => {
            let (began, at) = (f.time()?, f.time()?);
            let what = f.byte()?;
            let chan = *chans.get(usize::from(f.byte()?))?;
            let asked = match what {
                0 => Asked::Subscribe(chan),
                1 => Asked::Read(chan),
                2 => Asked::Write(chan),
                _ => return None,
            };
            let result = match f.byte()? {
                0 => Ok(f.rest().to_vec()),
                1 => Err(LinkFailure::TimedOut),
                2 => Err(LinkFailure::Down),
                3 => Err(LinkFailure::NoSuchCharacteristic),
                4 => Err(LinkFailure::Att(f.byte()?)),
                5 => Err(LinkFailure::NotPermitted),
                6 => Err(LinkFailure::Other(f.rest_text())),
                _ => return None,
            };
            event(LinkEvent::Answered {
                began,
                at,
                asked,
                result,
            })
        }
        4 => {
            let at = f.time()?;
            let frames = u32::from_le_bytes(f.take()?);
            event(LinkEvent::Overflowed { at, frames })
        }
        5 => {
            let at = f.time()?;
            let reason = match f.byte()? {
                0 => DownReason::Closed,
                1 => DownReason::Lost,
                2 => DownReason::Silent,
                3 => DownReason::AdapterGone,
                4 => {
                    let call = f.rest_text();
                    DownReason::Hung(HUNG.into_iter().find(|h| *h == call).unwrap_or("other"))
                }
                _ => return None,
            };
            event(LinkEvent::Down { at, reason })
        }
        6 => {
            chans.push(f.chan()?);
            Some(Read1::Channel)
        }
        7 => {
            let at = f.time()?;
            Some(Read1::Entry(Entry::Wish {
                sensor,
                at,
                text: f.rest_text(),
            }))
        }
        8 => Some(Read1::Entry(Entry::Ended { at: f.time()? })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: i64) -> SessionTime {
        SessionTime::from_nanos(ns)
    }

    fn entries() -> Vec<Entry> {
        let chan = Chan::sig(0x180D, 0x2A37);
        let other = Chan::new(1, 2);
        let events = [
            LinkEvent::Up {
                at: at(-5),
                info: LinkInfo {
                    name: "pod-4F21".into(),
                    os_id: "AA:BB".into(),
                    mtu: 247,
                    chans: vec![chan, other],
                },
            },
            LinkEvent::Frame {
                at: at(7),
                chan,
                bytes: vec![0, 60],
            },
            LinkEvent::Frame {
                at: at(8),
                chan: other,
                bytes: vec![],
            },
            LinkEvent::Answered {
                began: at(8),
                at: at(9),
                asked: Asked::Read(other),
                result: Ok(vec![1, 2, 3]),
            },
            LinkEvent::Answered {
                began: at(9),
                at: at(10),
                asked: Asked::Write(chan),
                result: Err(LinkFailure::Att(0xFE)),
            },
            LinkEvent::Answered {
                began: at(9),
                at: at(10),
                asked: Asked::Subscribe(chan),
                result: Err(LinkFailure::Other("Not connected".into())),
            },
            LinkEvent::Overflowed { at: at(11), frames: 3 },
            LinkEvent::Down {
                at: at(12),
                reason: DownReason::Hung("write"),
            },
        ];
        let mut all = vec![Entry::Plan {
            sensor: 1,
            text: "{}".into(),
        }];
        all.extend(events.into_iter().map(|event| Entry::Event { sensor: 1, event }));
        all.push(Entry::Wish {
            sensor: 1,
            at: at(13),
            text: "stop".into(),
        });
        all.push(Entry::Ended { at: at(14) });
        all
    }

    fn written() -> Vec<u8> {
        let mut log = LogWriter::new(Vec::new()).expect("a vector takes all");
        for entry in entries() {
            log.push(&entry).expect("a vector takes all");
        }
        log.out
    }

    fn read(bytes: &[u8]) -> (Vec<Entry>, LogEnd) {
        let mut log = LogReader::new(bytes).expect("it is a log");
        let mut all = Vec::new();
        while let Some(entry) = log.next_entry().expect("memory does not fail") {
            all.push(entry);
        }
        (all, log.end().expect("it ended"))
    }

    #[test]
    fn what_was_written_is_read_back() {
        assert_eq!(read(&written()), (entries(), LogEnd::Whole));
    }

    #[test]
    fn a_log_cut_anywhere_gives_what_was_whole_and_says_where_it_tore() {
        let whole = written();
        let mut complete = 0;
        for cut in MAGIC.len()..whole.len() {
            let (got, end) = read(&whole[..cut]);
            assert!(got.len() >= complete && got == entries()[..got.len()], "cut at {cut}");
            complete = got.len();
            if let LogEnd::Torn { at } = end {
                assert!(at as usize <= cut);
                assert_eq!(read(&whole[..at as usize]).1, LogEnd::Whole);
            }
        }
        assert_eq!(complete, entries().len() - 1);
    }

    #[test]
    fn a_flipped_bit_ends_the_log_there() {
        let whole = written();
        for byte in MAGIC.len()..whole.len() {
            let mut hurt = whole.clone();
            hurt[byte] ^= 0x10;
            let (got, end) = read(&hurt);
            assert!(
                got.len() < entries().len() && got == entries()[..got.len()],
                "byte {byte}"
            );
            assert!(matches!(end, LogEnd::Torn { .. }), "byte {byte}");
        }
    }

    #[test]
    fn other_files_are_refused() {
        assert!(LogReader::new(&b"lope links"[..]).is_err());
        assert!(LogReader::new(&b"something else entirely"[..]).is_err());
    }
}
