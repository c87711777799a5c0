//! The record: one SQLite database in the data folder, written by one thread, read by many.
//!
//! ```text
//! <folder>/lope.db    the record (WAL: other programs read while lope writes)
//!          raw/       raw samples, one file a session
//!          lope.lock  who writes
//! ```
//!
//! [`SqliteStore`] is the one writer of a folder and answers questions too. [`SqliteReader`] only answers, needs no
//! lock, and may be opened by any process while another writes. SQL stands in this folder and nowhere else.

mod access;
mod backup;
mod care;
mod codes;
mod dump;
mod errors;
mod flag_copies;
mod flag_series;
mod forget;
mod health;
mod journal;
mod ledger;
mod lock;
mod newest;
mod outbox;
#[cfg(test)]
mod outbox_tests;
mod read;
mod restore;
mod run_values;
mod schema;
mod series;
#[cfg(test)]
mod tests;
mod verdicts;
mod write;
mod writer;

pub use access::SqliteAccess;
pub use backup::Backup;
pub use care::{RawHeld, RawLimits, too_much};
pub use dump::{ATHLETE_TABLES, METRIC_TABLE, ROW_TABLES, SESSION_TABLES};
pub use flag_series::{FlagSeries, KeptInput, KeptState, KeptSummary, SeriesChanged, SqliteFlagSeries};
pub use forget::Forgotten;
pub use journal::SqliteJournal;
pub use ledger::{Registered, SinkLedger, sink_rejects, sink_statuses};
pub use lock::LOCK_FILE;
pub use newest::NewestQuery;
pub use restore::Restore;
pub use run_values::{KeptRun, SqliteRunValues};
pub use schema::RECORD_FILE;
pub use writer::{GROUP_ROWS, GROUP_TIME};

use super::batch::Batch;
use super::contract::{Appended, Capabilities, Deleted, Durable, History, Opened, Store};
use super::error::StoreError;
use super::event::SessionEvent;
use super::ids::{AthleteId, SessionId, UtcMicros};
use super::private::create_private_dir;
use super::query::{Bucket, BucketQuery, Page, RowQuery, SessionQuery};
use super::raw::{self, RawReader, RawWriter};
use super::series::{SeriesBucket, SeriesHistory, SeriesQuery};
use super::session::{Closing, SessionMeta, SessionRow};
use super::summary::SummaryRow;
use crate::metrics::StrideRecord;
use crate::model::Side;
use crate::pipeline::{Block, Window};
use read::SessionKey;
use rusqlite::Connection;
use schema::Columns;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use writer::{Command, QUEUE, Reply, Writer};

/// Connections kept for the next question.
const IDLE_READERS: usize = 4;

/// Answers questions about the record in a folder, without a lock.
#[derive(Debug)]
pub struct SqliteReader {
    dir: PathBuf,
    idle: Mutex<Vec<(Connection, Columns)>>,
}

impl SqliteReader {
    /// Opens the record in `dir` to read.
    ///
    /// # Errors
    /// `Missing` when there is none, `TooNew`, `Corrupt`.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let reader = Self {
            dir: dir.to_owned(),
            idle: Mutex::new(Vec::new()),
        };
        let first = reader.connect()?;
        reader.put_back(first);
        Ok(reader)
    }

    /// The raw samples of a session, in the order of time.
    ///
    /// # Errors
    /// `Missing` when none were kept; `Corrupt`.
    pub fn raw(&self, session: &SessionId) -> Result<RawReader, StoreError> {
        RawReader::open(&self.dir, session)
    }

    fn connect(&self) -> Result<(Connection, Columns), StoreError> {
        let conn = schema::open_reader(&self.dir)?;
        let columns = Columns::load(&conn)?;
        Ok((conn, columns))
    }

    fn put_back(&self, reader: (Connection, Columns)) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
    }

    fn with<T>(&self, ask: impl FnOnce(&Connection, &Columns) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (conn, columns) = idle.map_or_else(|| self.connect(), Ok)?;
        // One transaction a question, so that the session and its rows are of one moment.
        conn.execute_batch("BEGIN")?;
        let answer = ask(&conn, &columns);
        if conn.execute_batch("COMMIT").is_ok() {
            self.put_back((conn, columns));
        }
        answer
    }

    fn rows<T>(
        &self,
        session: &SessionId,
        ask: impl FnOnce(&Connection, &Columns, SessionKey) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with(|conn, columns| ask(conn, columns, read::session_key(conn, session)?))
    }
}

impl History for SqliteReader {
    fn sessions(&self, query: &SessionQuery) -> Result<Page<SessionRow, UtcMicros>, StoreError> {
        self.with(|conn, _| read::sessions(conn, query))
    }

    fn session(&self, session: &SessionId) -> Result<Option<SessionRow>, StoreError> {
        self.with(|conn, _| read::session(conn, session))
    }

    fn strides(&self, query: &RowQuery) -> Result<Page<StrideRecord>, StoreError> {
        self.rows(&query.session, |conn, columns, key| {
            read::strides(conn, columns, key, query)
        })
    }

    fn blocks(&self, query: &RowQuery) -> Result<Page<Block>, StoreError> {
        self.rows(&query.session, |conn, columns, key| {
            read::blocks(conn, columns, key, query)
        })
    }

    fn windows(&self, query: &RowQuery) -> Result<Page<Window>, StoreError> {
        self.rows(&query.session, |conn, _, key| read::windows(conn, key, query))
    }

    fn events(&self, query: &RowQuery) -> Result<Page<SessionEvent>, StoreError> {
        self.rows(&query.session, |conn, _, key| read::events(conn, key, query))
    }

    fn buckets(&self, query: &BucketQuery) -> Result<Page<Bucket>, StoreError> {
        self.rows(&query.rows.session, |conn, columns, key| {
            read::buckets(conn, columns, key, query)
        })
    }

    fn latest(&self, session: &SessionId, side: Option<Side>) -> Result<Option<StrideRecord>, StoreError> {
        self.rows(session, |conn, columns, key| read::latest(conn, columns, key, side))
    }

    fn summary(&self, session: &SessionId) -> Result<Vec<SummaryRow>, StoreError> {
        self.rows(session, |conn, _, key| read::summary(conn, key))
    }
}

impl SeriesHistory for SqliteReader {
    fn series(&self, query: &SeriesQuery) -> Result<Page<SeriesBucket, UtcMicros>, StoreError> {
        self.with(|conn, columns| series::series(conn, columns, query))
    }
}

/// The record in a folder, as its one writer.
#[derive(Debug)]
pub struct SqliteStore {
    dir: PathBuf,
    commands: SyncSender<Command>,
    thread: Option<JoinHandle<()>>,
    reader: SqliteReader,
}

impl SqliteStore {
    /// Opens the record in `dir`, making folder and record as needed. Sessions that were left open are recovered.
    ///
    /// `command` is told to whoever finds the store held, e.g. `lope record`.
    ///
    /// # Errors
    /// `Busy` with the holder when another process writes; `TooNew`, `Corrupt`, `Full`, `Io`.
    pub fn open(dir: &Path, command: &str) -> Result<Self, StoreError> {
        create_private_dir(dir)?;
        create_private_dir(&dir.join(raw::FOLDER))?;
        let writer = Writer::open(dir, command)?;
        let reader = SqliteReader::open(dir)?;
        let (commands, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("lope-store".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(|e| StoreError::Unavailable {
                retry_after: None,
                detail: format!("no thread to write: {e}"),
            })?;
        Ok(Self {
            dir: dir.to_owned(),
            commands,
            thread: Some(thread),
            reader,
        })
    }

    /// Begins to keep raw samples of a session. The caller's thread writes them; flush them before the strides that
    /// were computed from them, so that raw samples never end earlier than strides.
    ///
    /// # Errors
    /// `Missing` for an unknown session; `Corrupt`, `Full`, `Io`.
    pub fn start_raw(&self, session: &SessionId, options: raw::RawOptions) -> Result<RawWriter, StoreError> {
        if self.reader.session(session)?.is_none() {
            return Err(StoreError::Missing {
                what: format!("session {session}"),
            });
        }
        RawWriter::open(&self.dir, session, options)
    }

    /// Makes, or finds, the file that takes the log of a session's links. What it holds is the caller's affair; it is
    /// private to its owner and goes when the session goes.
    ///
    /// # Errors
    /// `Io`.
    pub fn link_log(&self, session: &SessionId) -> Result<PathBuf, StoreError> {
        let path = raw::links_path_of(&self.dir, session);
        super::private::create_private_file(&path)?;
        Ok(path)
    }

    /// Sessions whose links were logged.
    ///
    /// # Errors
    /// `Io`.
    pub fn link_logs(&self) -> Result<Vec<(SessionId, PathBuf)>, StoreError> {
        let folder = self.dir.join(raw::FOLDER);
        let entries = std::fs::read_dir(&folder).map_err(|e| StoreError::io(&folder, &e))?;
        let mut logs = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| StoreError::io(&folder, &e))?.path();
            let named = path.file_stem().and_then(|s| s.to_str()).map(str::to_owned);
            if path.extension().is_some_and(|e| e == "links")
                && let Some(Ok(session)) = named.map(|n| SessionId::parse(&n))
            {
                logs.push((session, path));
            }
        }
        logs.sort();
        Ok(logs)
    }

    /// Ends a raw recording: packs it anew in long chunks, and notes size and hash of the file in the record.
    ///
    /// # Errors
    /// `Corrupt` when the packed file does not read back equal (the unpacked one stays); `Full`, `Io`.
    pub fn seal_raw(&self, writer: RawWriter) -> Result<raw::RawFile, StoreError> {
        let session = writer.session().clone();
        let file = writer.seal()?;
        self.ask(|reply| Command::NoteRaw(session, file.clone(), reply))?;
        Ok(file)
    }

    /// The raw samples of a session, in the order of time.
    ///
    /// # Errors
    /// As [`SqliteReader::raw`].
    pub fn raw(&self, session: &SessionId) -> Result<RawReader, StoreError> {
        self.reader.raw(session)
    }

    /// Forgets an athlete whole: sessions, raw samples, journal, flags, tokens, the log of accesses, and copies of older
    /// layouts. Copies in sinks are told to delete when they are next in step.
    ///
    /// # Errors
    /// `Full`, `Io`, `Busy`. It can be begun again after each of them.
    pub fn forget(&self, athlete: &AthleteId) -> Result<Forgotten, StoreError> {
        self.ask(|reply| Command::Forget(athlete.clone(), reply))
    }

    /// Keeps the raw recording of a session whatever its age.
    ///
    /// # Errors
    /// `Missing` for an unknown session; those of the disk.
    pub fn pin_raw(&self, session: &SessionId) -> Result<(), StoreError> {
        self.ask(|reply| Command::Pin(session.clone(), true, reply))
    }

    /// Takes a pin away.
    ///
    /// # Errors
    /// As [`SqliteStore::pin_raw`].
    pub fn unpin_raw(&self, session: &SessionId) -> Result<(), StoreError> {
        self.ask(|reply| Command::Pin(session.clone(), false, reply))
    }

    /// Removes the raw samples of a session and notes when; bytes freed. The session stays.
    ///
    /// # Errors
    /// `Missing` for an unknown session; those of the disk.
    pub fn drop_raw(&self, session: &SessionId, now: UtcMicros) -> Result<u64, StoreError> {
        self.ask(|reply| Command::DropRaw(session.clone(), now, reply))
    }

    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StoreError> {
        let gone = || StoreError::Unavailable {
            retry_after: None,
            detail: "the writer has stopped".to_owned(),
        };
        let (reply, answer) = sync_channel(1);
        self.commands.send(command(reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }

    /// Ends as a killed process would: what was not committed is lost.
    #[cfg(test)]
    pub(crate) fn crash(self) {
        let _ = self.commands.send(Command::Die);
    }

    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: i64) {
        self.ask(|reply| Command::LimitPages(pages, reply))
            .expect("the writer lives");
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Fails when the thread has ended already, which is what is wanted.
        let _ = self.commands.send(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Store for SqliteStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            raw: true,
            text: true,
            range_delete: true,
            detects_conflict: true,
            atomic_batches: true,
            time_unit_us: 1,
        }
    }

    fn open_session(&self, meta: &SessionMeta) -> Result<Opened, StoreError> {
        self.ask(|reply| Command::Open(Box::new(meta.clone()), reply))
    }

    fn append(&self, batch: Batch) -> Result<Appended, StoreError> {
        self.ask(|reply| Command::Append(Box::new(batch), reply))
    }

    fn flush(&self) -> Result<Durable, StoreError> {
        self.ask(Command::Flush)
    }

    fn close_session(&self, session: &SessionId, closing: &Closing) -> Result<SessionRow, StoreError> {
        self.ask(|reply| Command::Close(session.clone(), Box::new(closing.clone()), reply))
    }

    fn delete_session(&self, session: &SessionId) -> Result<Deleted, StoreError> {
        self.ask(|reply| Command::Delete(session.clone(), reply))
    }
}

impl History for SqliteStore {
    fn sessions(&self, query: &SessionQuery) -> Result<Page<SessionRow, UtcMicros>, StoreError> {
        self.reader.sessions(query)
    }

    fn session(&self, session: &SessionId) -> Result<Option<SessionRow>, StoreError> {
        self.reader.session(session)
    }

    fn strides(&self, query: &RowQuery) -> Result<Page<StrideRecord>, StoreError> {
        self.reader.strides(query)
    }

    fn blocks(&self, query: &RowQuery) -> Result<Page<Block>, StoreError> {
        self.reader.blocks(query)
    }

    fn windows(&self, query: &RowQuery) -> Result<Page<Window>, StoreError> {
        self.reader.windows(query)
    }

    fn events(&self, query: &RowQuery) -> Result<Page<SessionEvent>, StoreError> {
        self.reader.events(query)
    }

    fn buckets(&self, query: &BucketQuery) -> Result<Page<Bucket>, StoreError> {
        self.reader.buckets(query)
    }

    fn latest(&self, session: &SessionId, side: Option<Side>) -> Result<Option<StrideRecord>, StoreError> {
        self.reader.latest(session, side)
    }

    fn summary(&self, session: &SessionId) -> Result<Vec<SummaryRow>, StoreError> {
        self.reader.summary(session)
    }
}
