//! Writing raw samples as they arrive, and packing them when a session is over.

use super::super::error::StoreError;
use super::super::event::SessionEvent;
use super::super::ids::{SessionId, hex};
use super::super::private::{create_private_dir, create_private_file};
use super::codec::{self, CHUNK_MAX, Chunk, Encoder, Fidelity, KnownSteps};
use super::reader::{RawReader, StreamCursor};
use super::{COMPANIONS, FOLDER, FORMAT, crc32c, path_of, stream_code};
use crate::model::{ImuSample, Placement, SensorEvent, SessionTime};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

const PLACES: usize = Placement::ALL.len();

/// Length of a chunk in a sealed file, samples: a minute at 200 Hz.
const SEALED_CHUNK: usize = 12_000;

/// Chunk bytes after which a transaction is committed although nobody flushed.
const COMMIT_BYTES: usize = 1 << 20;

/// Where the samples to come stand in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RawStart {
    /// They are the first ones. Writing the same recording again, after an import that was cut off, adds nothing twice;
    /// a different one is a `Conflict`.
    #[default]
    Beginning,
    /// They follow what the file holds: a live session that goes on after a restart.
    After,
}

/// How raw samples are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawOptions {
    /// What may be rounded.
    pub fidelity: Fidelity,
    /// Samples a chunk: about a second while recording, so that little is lost; more for a file.
    pub chunk_samples: usize,
    /// Where the samples to come stand.
    pub start: RawStart,
    /// What is known of the sensors, by [`Placement::index`].
    pub steps: [KnownSteps; PLACES],
}

impl Default for RawOptions {
    /// Sensor grade, a second at 200 Hz, from the beginning, nothing known.
    fn default() -> Self {
        Self {
            fidelity: Fidelity::default(),
            chunk_samples: 200,
            start: RawStart::default(),
            steps: [KnownSteps::default(); PLACES],
        }
    }
}

/// A sealed raw file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFile {
    /// Its path inside the data folder.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Samples in it, of all sensors.
    pub samples: u64,
    /// SHA-256 of it, hexadecimal.
    pub sha256: String,
}

struct Stream {
    encoder: Encoder,
    first_index: i64,
    samples: Vec<ImuSample>,
}

/// Keeps the raw samples of one session, on the caller's thread.
///
/// What is pushed is durable after [`RawWriter::flush`]; the writer may be dropped at any time and loses what came after
/// the last flush.
pub struct RawWriter {
    dir: PathBuf,
    session: SessionId,
    conn: Connection,
    options: RawOptions,
    streams: Vec<Stream>,
    latest: Option<SessionTime>,
    pending_bytes: usize,
}

impl std::fmt::Debug for RawWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawWriter")
            .field("session", &self.session)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Opens or makes a raw file.
fn open_file(path: &Path, session: &SessionId, journal: &str, page_size: u32) -> Result<Connection, StoreError> {
    create_private_file(path)?;
    let conn = Connection::open(path)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.execute_batch(&format!(
        "PRAGMA page_size = {page_size};
         PRAGMA journal_mode = {journal};
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = 1;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = 0;
         PRAGMA cell_size_check = 1;
         BEGIN IMMEDIATE;
         CREATE TABLE IF NOT EXISTS raw_meta (k TEXT PRIMARY KEY, v TEXT NOT NULL) STRICT;
         CREATE TABLE IF NOT EXISTS raw_chunks (
             chunk_id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, first_index INTEGER NOT NULL, n INTEGER NOT NULL,
             t_first_ns INTEGER NOT NULL, t_last_ns INTEGER NOT NULL, codec INTEGER NOT NULL, exact INTEGER NOT NULL,
             crc32c INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (stream, first_index)) STRICT;
         CREATE TABLE IF NOT EXISTS raw_events (
             event_id INTEGER PRIMARY KEY, after_ns INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (after_ns, body)) STRICT;
         COMMIT;"
    ))?;
    for (key, value) in [("format", FORMAT), ("session", session.as_str())] {
        conn.execute(
            "INSERT INTO raw_meta VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            (key, value),
        )?;
        let found: String = conn.query_row("SELECT v FROM raw_meta WHERE k = ?1", [key], |row| row.get(0))?;
        if found != value {
            return Err(StoreError::Corrupt {
                detail: format!("raw file with {key} {found}, expected {value}"),
            });
        }
    }
    Ok(conn)
}

impl RawWriter {
    pub(crate) fn open(dir: &Path, session: &SessionId, options: RawOptions) -> Result<Self, StoreError> {
        let options = RawOptions {
            chunk_samples: options.chunk_samples.clamp(1, CHUNK_MAX),
            ..options
        };
        let folder = dir.join(FOLDER);
        create_private_dir(&folder)?;
        let conn = open_file(&path_of(dir, session), session, "WAL", 16_384)?;
        let mut streams = Vec::with_capacity(PLACES);
        for placement in Placement::ALL {
            let first_index = match options.start {
                RawStart::Beginning => 0,
                RawStart::After => conn.query_row(
                    "SELECT coalesce(max(first_index + n), 0) FROM raw_chunks WHERE stream = ?1",
                    [stream_code(placement)],
                    |row| row.get(0),
                )?,
            };
            let encoder = Encoder::new(options.fidelity, options.steps[placement.index()]);
            streams.push(Stream {
                encoder,
                first_index,
                samples: Vec::new(),
            });
        }
        Ok(Self {
            dir: dir.to_owned(),
            session: session.clone(),
            conn,
            options,
            streams,
            latest: None,
            pending_bytes: 0,
        })
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Takes an event, in the order of arrival.
    ///
    /// # Errors
    /// `Conflict` when the file holds something else at that place, `Full`, `Corrupt`.
    pub fn push(&mut self, event: &SensorEvent) -> Result<(), StoreError> {
        if let SensorEvent::Sample(placement, sample) = event {
            self.latest = self.latest.max(Some(sample.t));
            let stream = &mut self.streams[placement.index()];
            stream.samples.push(*sample);
            if stream.samples.len() >= self.options.chunk_samples {
                self.write_chunk(*placement)?;
                if self.pending_bytes >= COMMIT_BYTES {
                    self.commit()?;
                }
            }
        } else if let Some(kept) = SessionEvent::from_sensor(event) {
            self.begin()?;
            let after = self.latest.map_or(i64::MIN, SessionTime::nanos);
            self.conn
                .prepare_cached("INSERT INTO raw_events (after_ns, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute(params![after, kept.body()])?;
        }
        Ok(())
    }

    /// Makes everything pushed so far durable; chunks in the making are cut short.
    ///
    /// # Errors
    /// As [`RawWriter::push`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        for placement in Placement::ALL {
            self.write_chunk(placement)?;
        }
        self.commit()
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if self.conn.is_autocommit() {
            self.conn.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.pending_bytes = 0;
        if !self.conn.is_autocommit() {
            self.conn.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    fn write_chunk(&mut self, placement: Placement) -> Result<(), StoreError> {
        let at = placement.index();
        if self.streams[at].samples.is_empty() {
            return Ok(());
        }
        self.begin()?;
        let stream = &mut self.streams[at];
        let chunk = stream.encoder.encode(&stream.samples);
        put_chunk(
            &self.conn,
            placement,
            stream.first_index,
            &stream.samples,
            &chunk,
            chunk.exact,
        )?;
        self.pending_bytes += chunk.bytes.len();
        stream.first_index += stream.samples.len() as i64;
        stream.samples.clear();
        Ok(())
    }

    /// Ends the recording: packs it into chunks of a minute, compares every sample with what was there, and puts the
    /// new file in the place of the old one. A crash on the way leaves the old one.
    pub(crate) fn seal(mut self) -> Result<RawFile, StoreError> {
        self.flush()?;
        let Self { dir, session, conn, .. } = self;
        // One file again, without log, before it is read and replaced.
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        conn.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        drop(conn);
        let path = path_of(&dir, &session);
        let packed = PathBuf::from(format!("{}.new", path.display()));
        if packed.exists() {
            fs::remove_file(&packed).map_err(|e| StoreError::io(&packed, &e))?;
        }
        let samples = pack(&path, &packed, &session)?;
        fs::rename(&packed, &path).map_err(|e| StoreError::io(&path, &e))?;
        for suffix in COMPANIONS {
            let _ = fs::remove_file(PathBuf::from(format!("{}{suffix}", path.display())));
        }
        // The new name is durable only with its folder; where a folder cannot be opened, the system keeps it itself.
        if let Ok(folder) = File::open(dir.join(FOLDER)) {
            let _ = folder.sync_all();
        }
        describe(&path, &session, samples)
    }
}

/// Enters a chunk, or finds the same one there.
fn put_chunk(
    conn: &Connection,
    placement: Placement,
    first_index: i64,
    samples: &[ImuSample],
    chunk: &Chunk,
    exact: bool,
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return Ok(());
    };
    let new = conn
        .prepare_cached(
            "INSERT INTO raw_chunks (stream, first_index, n, t_first_ns, t_last_ns, codec, exact, crc32c, data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            stream_code(placement),
            first_index,
            samples.len() as i64,
            first.t.nanos(),
            last.t.nanos(),
            chunk.codec,
            exact,
            crc32c(&chunk.bytes),
            chunk.bytes
        ])?;
    if new == 1 {
        return Ok(());
    }
    let known: Option<(u32, Vec<u8>)> = conn
        .prepare_cached("SELECT codec, data FROM raw_chunks WHERE stream = ?1 AND first_index = ?2")?
        .query_row(params![stream_code(placement), first_index], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    // Another version of lope may have written the same samples in another codec.
    let decoded = |codec: u32, bytes: &[u8]| {
        let mut samples = Vec::new();
        codec::decode(codec, bytes, &mut samples).ok().map(|()| samples)
    };
    let same = known.is_some_and(|(codec, bytes)| {
        if codec == chunk.codec {
            return bytes == chunk.bytes;
        }
        match (decoded(codec, &bytes), decoded(chunk.codec, &chunk.bytes)) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| bits(a) == bits(b)),
            _ => false,
        }
    });
    if same {
        Ok(())
    } else {
        Err(StoreError::Conflict {
            key: format!("raw chunk of {} at sample {first_index}", placement.name()),
        })
    }
}

/// Bits of a sample, for comparing what must be the same.
fn bits(s: &ImuSample) -> (SessionTime, [u64; 6], crate::model::ClipFlags, bool) {
    let numbers = [s.acc.v.x, s.acc.v.y, s.acc.v.z, s.gyro.v.x, s.gyro.v.y, s.gyro.v.z];
    (s.t, numbers.map(f64::to_bits), s.clip, s.filled)
}

/// Writes the file anew in long chunks and compares; says how many samples there are.
fn pack(from: &Path, to: &Path, session: &SessionId) -> Result<u64, StoreError> {
    let old = RawReader::connect(from)?;
    let new = open_file(to, session, "DELETE", 4096)?;
    new.execute_batch("BEGIN IMMEDIATE")?;
    let mut total = 0;
    for placement in Placement::ALL {
        let exact: bool = old.query_row(
            "SELECT coalesce(min(exact), 1) FROM raw_chunks WHERE stream = ?1",
            [stream_code(placement)],
            |row| row.get(0),
        )?;
        // Numbers that were rounded lie on the fine step now, so packing is exact whatever the recording was.
        let mut encoder = Encoder::new(Fidelity::Exact, KnownSteps::default());
        let mut cursor = StreamCursor::new(placement);
        let (mut index, mut gathered) = (0, Vec::with_capacity(SEALED_CHUNK));
        loop {
            let next = cursor.next(&old)?;
            if next.is_none() || gathered.len() == SEALED_CHUNK {
                let chunk = encoder.encode(&gathered);
                put_chunk(&new, placement, index, &gathered, &chunk, exact)?;
                index += gathered.len() as i64;
                gathered.clear();
            }
            match next {
                Some(SensorEvent::Sample(_, sample)) => gathered.push(sample),
                Some(_) => {
                    let detail = format!("a damaged chunk of {}: the file stays unpacked", placement.name());
                    return Err(StoreError::Corrupt { detail });
                }
                None => break,
            }
        }
        total += index as u64;
    }
    let mut stmt = old.prepare("SELECT after_ns, body FROM raw_events ORDER BY event_id")?;
    let mut events = stmt.query([])?;
    while let Some(row) = events.next()? {
        new.execute(
            "INSERT INTO raw_events (after_ns, body) VALUES (?1, ?2)",
            params![row.get::<_, i64>(0)?, row.get::<_, String>(1)?],
        )?;
    }
    new.execute_batch("COMMIT")?;
    compare(&old, &new)?;
    Ok(total)
}

fn compare(old: &Connection, new: &Connection) -> Result<(), StoreError> {
    for placement in Placement::ALL {
        let (mut a, mut b) = (StreamCursor::new(placement), StreamCursor::new(placement));
        loop {
            match (a.next(old)?, b.next(new)?) {
                (None, None) => break,
                (Some(SensorEvent::Sample(_, x)), Some(SensorEvent::Sample(_, y))) if bits(&x) == bits(&y) => {}
                _ => {
                    let detail = format!(
                        "packing changed a sample of {}: the file stays unpacked",
                        placement.name()
                    );
                    return Err(StoreError::Corrupt { detail });
                }
            }
        }
    }
    Ok(())
}

fn describe(path: &Path, session: &SessionId, samples: u64) -> Result<RawFile, StoreError> {
    let io = |e: std::io::Error| StoreError::io(path, &e);
    let mut file = File::open(path).map_err(io)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let n = file.read(&mut buffer).map_err(io)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        bytes += n as u64;
    }
    Ok(RawFile {
        path: format!("{FOLDER}/{session}.db"),
        bytes,
        samples,
        sha256: hex(&hash.finalize()),
    })
}
