//! Reading raw samples back in the order of time, for replay.
//!
//! Streams are merged by time, those of equal time in the order of [`Placement::ALL`]; gaps and standing come after the
//! last sample that had arrived before them. So a replay of one recording is always the same sequence.

use super::super::error::StoreError;
use super::super::event::SessionEvent;
use super::super::ids::SessionId;
use super::codec;
use super::{FORMAT, crc32c, path_of, stream_code};
use crate::model::{GapCause, ImuSample, Placement, SensorEvent, SessionTime, Span};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::collections::VecDeque;
use std::path::Path;

/// Steps through the samples of one stream.
pub(super) struct StreamCursor {
    placement: Placement,
    /// Index of the first sample not fetched yet.
    next_index: i64,
    ready: VecDeque<ImuSample>,
    /// A stretch that could not be read, to be told before the next sample.
    damage: Option<SensorEvent>,
    last_good: Option<SessionTime>,
    damaged_chunks: u32,
}

/// A chunk as it stands in the file.
struct Stored {
    first_index: i64,
    n: i64,
    first: SessionTime,
    last: SessionTime,
    codec: u32,
    crc32c: u32,
    data: Vec<u8>,
}

impl Stored {
    /// The samples, where check sum, codec and count say so.
    fn samples(&self) -> Option<Vec<ImuSample>> {
        let mut samples = Vec::new();
        let sound = crc32c(&self.data) == self.crc32c;
        (sound && codec::decode(self.codec, &self.data, &mut samples).is_ok() && samples.len() as i64 == self.n)
            .then_some(samples)
    }
}

impl StreamCursor {
    pub(super) fn new(placement: Placement) -> Self {
        Self {
            placement,
            next_index: i64::MIN,
            ready: VecDeque::new(),
            damage: None,
            last_good: None,
            damaged_chunks: 0,
        }
    }

    /// The next sample, or a gap in its place where a chunk is damaged.
    pub(super) fn next(&mut self, conn: &Connection) -> Result<Option<SensorEvent>, StoreError> {
        self.fill(conn)?;
        if let Some(damage) = self.damage.take() {
            return Ok(Some(damage));
        }
        let sample = self.ready.pop_front();
        self.last_good = sample.map(|s| s.t).or(self.last_good);
        Ok(sample.map(|s| SensorEvent::Sample(self.placement, s)))
    }

    /// When the next event belongs; `None` at the end.
    fn peek(&mut self, conn: &Connection) -> Result<Option<SessionTime>, StoreError> {
        self.fill(conn)?;
        Ok(match (&self.damage, self.ready.front()) {
            (Some(SensorEvent::Gap { to, .. }), _) => Some(*to),
            (_, sample) => sample.map(|s| s.t),
        })
    }

    /// Fetches chunks until there is something to tell or nothing more.
    fn fill(&mut self, conn: &Connection) -> Result<(), StoreError> {
        if !self.ready.is_empty() || self.damage.is_some() {
            return Ok(());
        }
        // From, to and number of samples that could not be read.
        let mut lost: Option<(SessionTime, SessionTime, i64)> = None;
        while self.ready.is_empty() {
            let Some(chunk) = self.fetch(conn)? else { break };
            self.next_index = chunk.first_index.saturating_add(chunk.n.max(1));
            match chunk.samples() {
                Some(samples) => {
                    if let (Some((_, to, _)), Some(first)) = (&mut lost, samples.first()) {
                        *to = first.t;
                    }
                    self.ready.extend(samples);
                }
                None => {
                    self.damaged_chunks += 1;
                    let from = lost.map_or(self.last_good.unwrap_or(chunk.first), |(from, ..)| from);
                    lost = Some((from, chunk.last, lost.map_or(0, |(.., n)| n) + chunk.n.max(0)));
                }
            }
        }
        self.damage = lost.map(|(from, to, missing)| SensorEvent::Gap {
            placement: self.placement,
            from,
            to,
            missing: u32::try_from(missing).unwrap_or(u32::MAX),
            cause: GapCause::Lost,
        });
        Ok(())
    }

    fn fetch(&self, conn: &Connection) -> Result<Option<Stored>, StoreError> {
        let mut stmt = conn.prepare_cached(
            "SELECT first_index, n, t_first_ns, t_last_ns, codec, crc32c, data FROM raw_chunks
             WHERE stream = ?1 AND first_index >= ?2 ORDER BY first_index LIMIT 1",
        )?;
        let chunk = stmt.query_row((stream_code(self.placement), self.next_index), |row| {
            Ok(Stored {
                first_index: row.get(0)?,
                n: row.get(1)?,
                first: SessionTime::from_nanos(row.get(2)?),
                last: SessionTime::from_nanos(row.get(3)?),
                codec: row.get(4)?,
                crc32c: row.get(5)?,
                data: row.get(6)?,
            })
        });
        Ok(chunk.optional()?)
    }
}

/// The raw samples of one session, in the order of time.
pub struct RawReader {
    conn: Connection,
    streams: Vec<StreamCursor>,
    /// Gaps and standing not told yet, with the instant after which they arrived.
    events: VecDeque<(SessionTime, SensorEvent)>,
}

impl std::fmt::Debug for RawReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawReader").finish_non_exhaustive()
    }
}

impl RawReader {
    /// Opens the raw file of a session.
    ///
    /// # Errors
    /// `Missing` when none was kept; `Corrupt` when it is not one.
    pub fn open(dir: &Path, session: &SessionId) -> Result<Self, StoreError> {
        let path = path_of(dir, session);
        if !path.exists() {
            return Err(StoreError::Missing {
                what: format!("raw recording of session {session}"),
            });
        }
        let conn = Self::connect(&path)?;
        let format: String = conn.query_row("SELECT v FROM raw_meta WHERE k = 'format'", [], |row| row.get(0))?;
        if format != FORMAT {
            return Err(StoreError::Corrupt {
                detail: format!("raw format {format}"),
            });
        }
        let mut events = VecDeque::new();
        {
            let mut stmt = conn.prepare("SELECT after_ns, body FROM raw_events ORDER BY after_ns, event_id")?;
            let mut rows = stmt.query([])?;
            while let Some(row) = rows.next()? {
                let (after, body): (i64, String) = (row.get(0)?, row.get(1)?);
                let event: SessionEvent = serde_json::from_str(&body).map_err(|e| StoreError::Corrupt {
                    detail: format!("raw event: {e}"),
                })?;
                events.extend(to_sensor(event).map(|e| (SessionTime::from_nanos(after), e)));
            }
        }
        let streams = Placement::ALL.into_iter().map(StreamCursor::new).collect();
        Ok(Self { conn, streams, events })
    }

    pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
        let conn =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.busy_timeout(std::time::Duration::from_secs(5))?;
        conn.execute_batch("PRAGMA query_only = 1; PRAGMA trusted_schema = 0; PRAGMA cell_size_check = 1;")?;
        Ok(conn)
    }

    /// Whether every sample is the very number that was recorded (see [`codec::Fidelity`]).
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn is_exact(&self) -> Result<bool, StoreError> {
        Ok(self
            .conn
            .query_row("SELECT coalesce(min(exact), 1) FROM raw_chunks", [], |row| row.get(0))?)
    }

    /// Chunks met so far that could not be read; each became a gap.
    #[must_use]
    pub fn damaged_chunks(&self) -> u32 {
        self.streams.iter().map(|s| s.damaged_chunks).sum()
    }

    /// Gives only the samples of this sensor from now on; the others are not even decoded.
    pub fn only(&mut self, placement: Placement) {
        self.streams.retain(|s| s.placement == placement);
    }

    /// When the runner stood still on purpose, as far as not told yet, in the order in which it became known.
    #[must_use]
    pub fn stood(&self) -> Vec<Span> {
        let spans = self.events.iter().filter_map(|(_, event)| match event {
            SensorEvent::Standing { from, to } => Span::new(*from, *to),
            _ => None,
        });
        spans.collect()
    }

    /// Goes on with the chunks that hold `t`: what lies in whole chunks before it is passed over unread, and so are gaps and
    /// standing that arrived before it. To be called before the first event is taken.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn skip_to(&mut self, t: SessionTime) -> Result<(), StoreError> {
        for stream in &mut self.streams {
            let first: Option<i64> = self.conn.query_row(
                "SELECT max(first_index) FROM raw_chunks WHERE stream = ?1 AND t_first_ns <= ?2",
                (stream_code(stream.placement), t.nanos()),
                |row| row.get(0),
            )?;
            stream.next_index = first.unwrap_or(i64::MIN);
        }
        self.events.retain(|(after, _)| *after >= t);
        Ok(())
    }

    fn step(&mut self) -> Result<Option<SensorEvent>, StoreError> {
        let mut first: Option<(SessionTime, usize)> = None;
        for (i, stream) in self.streams.iter_mut().enumerate() {
            if let Some(t) = stream.peek(&self.conn)? {
                // Strictly earlier only: of equal times the stream that stands first goes first.
                if first.is_none_or(|(earliest, _)| t < earliest) {
                    first = Some((t, i));
                }
            }
        }
        let event_due = self
            .events
            .front()
            .is_some_and(|(after, _)| first.is_none_or(|(t, _)| *after < t));
        if event_due {
            return Ok(self.events.pop_front().map(|(_, event)| event));
        }
        match first {
            Some((_, i)) => self.streams[i].next(&self.conn),
            None => Ok(None),
        }
    }
}

/// The event as a sensor reports it; other events do not stand in raw files.
fn to_sensor(event: SessionEvent) -> Option<SensorEvent> {
    match event {
        SessionEvent::Gap {
            placement,
            from,
            to,
            missing,
            cause,
        } => Some(SensorEvent::Gap {
            placement,
            from,
            to,
            missing,
            cause,
        }),
        SessionEvent::Standing { from, to } => Some(SensorEvent::Standing { from, to }),
        _ => None,
    }
}

impl Iterator for RawReader {
    type Item = Result<SensorEvent, StoreError>;

    /// The next event; an error ends the sequence only if the caller stops.
    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
