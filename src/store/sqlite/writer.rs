//! The one thread that writes.
//!
//! It owns the write connection and takes commands from a bounded channel, so that callers wait when the disk is slow
//! and nothing is dropped. Appends join one transaction that is committed after a second, after 4000 rows or at a flush,
//! whichever comes first; a batch inside it is a savepoint and fails alone.
//!
//! When a commit fails, the appends in it are lost although they were answered with `Ok`. The thread then answers every
//! command with that failure until a flush has collected it, so that no later row can be kept without the lost ones.

use super::super::batch::{Batch, FIRST_ANALYSIS};
use super::super::contract::{Appended, Deleted, Durable, Opened};
use super::super::error::StoreError;
use super::super::health::HealthRow;
use super::super::ids::{AthleteId, SessionId, UtcMicros};
use super::super::outbox::Measurement;
use super::super::raw;
use super::super::session::{Closing, SessionMeta, SessionRow, SessionState};
use super::care;
use super::forget::{self, Forgotten};
use super::health;
use super::lock::{LOCK_FILE, StoreLock};
use super::outbox::{self, Fresh};
use super::read::{self, SessionKey};
use super::schema::{self, Columns};
use super::write::{self, Inserts};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// Rows after which a transaction is committed.
///
/// A second of the rows of one runner is a handful, and of a squad some hundred: the time bounds what a kill can take.
/// The rows bound a transaction where a file is imported, and there each commit waits for the disk.
pub const GROUP_ROWS: usize = 4000;
/// Time after which a transaction is committed.
pub const GROUP_TIME: Duration = Duration::from_secs(1);
/// Commands that wait at most; the next caller waits itself.
pub(crate) const QUEUE: usize = 256;

pub(crate) type Reply<T> = SyncSender<Result<T, StoreError>>;

/// What the thread can be asked.
pub(crate) enum Command {
    Open(Box<SessionMeta>, Reply<Opened>),
    Append(Box<Batch>, Reply<Appended>),
    Flush(Reply<Durable>),
    Close(SessionId, Box<Closing>, Reply<SessionRow>),
    Delete(SessionId, Reply<Deleted>),
    NoteRaw(SessionId, raw::RawFile, Reply<()>),
    Health(SessionId, Vec<HealthRow>, Reply<()>),
    Forget(AthleteId, Reply<Forgotten>),
    Pin(SessionId, bool, Reply<()>),
    DropRaw(SessionId, UtcMicros, Reply<u64>),
    /// Commit and end.
    Stop,
    /// End as a killed process would, without a commit.
    #[cfg(test)]
    Die,
    /// Let the database grow to this many pages at most.
    #[cfg(test)]
    LimitPages(i64, Reply<()>),
}

pub(crate) struct Writer {
    dir: PathBuf,
    conn: Connection,
    columns: Columns,
    inserts: Inserts,
    keys: BTreeMap<SessionId, SessionKey>,
    /// When the open transaction began, if there is one.
    began: Option<Instant>,
    pending_rows: usize,
    pending_new: u64,
    /// New rows of the open transaction that sinks are to be told of.
    fresh: Fresh,
    durable_rows: u64,
    failed: Option<StoreError>,
    // Held, not read: the lock goes when the writer goes.
    _lock: StoreLock,
}

impl Writer {
    /// Takes the lock, opens the record and recovers what was left open.
    pub(crate) fn open(dir: &Path, command: &str) -> Result<Self, StoreError> {
        let lock = StoreLock::take(dir, LOCK_FILE, command)?;
        let mut conn = schema::open_writer(dir)?;
        let columns = Columns::load(&conn)?;
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        write::recover(&tx, &columns)?;
        tx.commit()?;
        Ok(Self {
            dir: dir.to_owned(),
            conn,
            columns,
            inserts: Inserts::new(),
            keys: BTreeMap::new(),
            began: None,
            pending_rows: 0,
            pending_new: 0,
            fresh: Fresh::default(),
            durable_rows: 0,
            failed: None,
            _lock: lock,
        })
    }

    /// Answers commands until told to stop or until nobody can ask any more.
    pub(crate) fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let command = match self.began {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(began) => commands.recv_timeout(GROUP_TIME.saturating_sub(began.elapsed())),
            };
            // A caller that went away does not want its answer: the sends below may fail.
            match command {
                Ok(Command::Open(meta, reply)) => drop(reply.send(self.open_session(*meta))),
                Ok(Command::Append(batch, reply)) => drop(reply.send(self.append(&batch))),
                Ok(Command::Flush(reply)) => drop(reply.send(self.flush())),
                Ok(Command::Close(id, closing, reply)) => drop(reply.send(self.close_session(&id, &closing))),
                Ok(Command::Delete(id, reply)) => drop(reply.send(self.delete_session(&id))),
                Ok(Command::NoteRaw(id, file, reply)) => drop(reply.send(self.note_raw(&id, &file))),
                Ok(Command::Health(id, rows, reply)) => drop(reply.send(self.alone(|w| {
                    let key = read::session_key(&w.conn, &id)?;
                    health::replace(&w.conn, key, &rows)
                }))),
                Ok(Command::Forget(athlete, reply)) => drop(reply.send(self.forget(&athlete))),
                Ok(Command::Pin(id, pinned, reply)) => {
                    drop(reply.send(self.alone(|w| care::pin(&w.conn, &id, pinned))));
                }
                Ok(Command::DropRaw(id, now, reply)) => drop(reply.send(self.drop_raw(&id, now))),
                Err(RecvTimeoutError::Timeout) => self.commit(),
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                #[cfg(test)]
                Ok(Command::Die) => return,
                #[cfg(test)]
                Ok(Command::LimitPages(pages, reply)) => {
                    let sql = format!("PRAGMA max_page_count = {pages}");
                    drop(reply.send(self.conn.execute_batch(&sql).map_err(StoreError::from)));
                }
            }
        }
        self.commit();
        self.checkpoint();
    }

    fn healthy(&self) -> Result<(), StoreError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn key(&mut self, id: &SessionId) -> Result<SessionKey, StoreError> {
        if let Some(key) = self.keys.get(id) {
            return Ok(*key);
        }
        let key = read::session_key(&self.conn, id)?;
        self.keys.insert(id.clone(), key);
        Ok(key)
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "a monotonic reading bounds how long a transaction stays open"
    )]
    fn begin(&mut self) -> Result<(), StoreError> {
        if self.began.is_none() {
            self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            self.began = Some(Instant::now());
        }
        Ok(())
    }

    /// Commits the open transaction, if any; a failure is kept until a flush collects it.
    fn commit(&mut self) {
        if self.began.take().is_none() {
            return;
        }
        let told = self.fresh.write(&self.conn);
        let result = told
            .and_then(|()| self.conn.prepare_cached("COMMIT"))
            .and_then(|mut stmt| stmt.execute([]));
        match result {
            Ok(_) => self.durable_rows += self.pending_new,
            Err(error) => self.fail(error.into()),
        }
        self.pending_rows = 0;
        self.pending_new = 0;
    }

    /// The open transaction is lost.
    fn fail(&mut self, error: StoreError) {
        if !self.conn.is_autocommit() {
            // When this fails too, the connection is of no use and the next BEGIN says so.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        self.began = None;
        self.pending_rows = 0;
        self.pending_new = 0;
        self.fresh.clear();
        self.failed = Some(error);
    }

    fn append(&mut self, batch: &Batch) -> Result<Appended, StoreError> {
        self.healthy()?;
        let key = self.key(batch.session())?;
        // A batch that opens the transaction is undone with it; only one that joins others needs a savepoint, which
        // costs a copy of every page it touches.
        let alone = self.began.is_none();
        self.begin()?;
        if !alone {
            self.conn.prepare_cached("SAVEPOINT batch")?.execute([])?;
        }
        match write::batch(&self.conn, &self.inserts, &self.columns, key, batch) {
            Ok(done) => {
                if !alone {
                    self.conn.prepare_cached("RELEASE batch")?.execute([])?;
                }
                self.pending_rows += batch.len();
                self.pending_new += done.new as u64;
                if done.new > 0 && batch.analysis() == key.current_analysis {
                    let strides = batch.strides().iter().map(|s| key.at_rest(s.stride.start));
                    let windows = batch.windows().iter().map(|w| key.at_rest(w.t));
                    self.fresh.note(key, batch.analysis(), Measurement::Stride, strides);
                    self.fresh.note(key, batch.analysis(), Measurement::Window, windows);
                }
                if self.pending_rows >= GROUP_ROWS {
                    self.commit();
                    self.healthy()?;
                }
                Ok(done)
            }
            Err(error) => {
                self.undo_batch(alone, &error);
                Err(error)
            }
        }
    }

    /// Takes back what a batch that failed has written, and nothing else where the engine allows it.
    fn undo_batch(&mut self, alone: bool, error: &StoreError) {
        // The engine undoes the whole transaction by itself after some errors (a full disk among them): then the
        // savepoint is gone, and earlier appends with it.
        let undone = match (alone, self.conn.is_autocommit()) {
            (true, true) => Ok(()),
            (true, false) => self.conn.execute_batch("ROLLBACK"),
            (false, _) => self.conn.execute_batch("ROLLBACK TO batch; RELEASE batch"),
        };
        if undone.is_err() || (!alone && self.conn.is_autocommit()) {
            self.fail(error.clone());
        } else if alone {
            self.began = None;
        }
    }

    fn flush(&mut self) -> Result<Durable, StoreError> {
        self.commit();
        self.failed.take().map_or(
            Ok(Durable {
                rows: self.durable_rows,
            }),
            Err,
        )
    }

    /// Runs `work` in a transaction of its own, after committing what is pending.
    fn alone<T>(&mut self, work: impl FnOnce(&Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.commit();
        self.healthy()?;
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let result = work(self).and_then(|value| {
            self.conn.execute_batch("COMMIT")?;
            Ok(value)
        });
        if result.is_err() && !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK")?;
        }
        result
    }

    fn open_session(&mut self, meta: SessionMeta) -> Result<Opened, StoreError> {
        meta.check()?;
        let meta = meta.ordered();
        self.alone(|writer| {
            let conn = &writer.conn;
            let Some(known) = read::session(conn, &meta.id)? else {
                if let Some(other) = write::overlap(conn, &meta)? {
                    return Err(StoreError::Overlap { other });
                }
                write::new_session(conn, &meta, FIRST_ANALYSIS)?;
                return Ok(Opened::New);
            };
            if known.meta != meta {
                return Err(StoreError::Conflict {
                    key: format!("session {}", meta.id),
                });
            }
            match known.state {
                SessionState::Open => Ok(Opened::AlreadyOpen),
                SessionState::Closed => Ok(Opened::AlreadyClosed),
                SessionState::Recovered => {
                    write::resume(conn, read::session_key(conn, &meta.id)?)?;
                    Ok(Opened::Resumed)
                }
            }
        })
    }

    fn close_session(&mut self, id: &SessionId, closing: &Closing) -> Result<SessionRow, StoreError> {
        closing.check(id)?;
        let row = self.alone(|writer| {
            let conn = &writer.conn;
            let before = read::session_key(conn, id)?;
            write::closing(conn, id, before, closing)?;
            let key = SessionKey {
                current_analysis: closing.analysis,
                ..before
            };
            write::end(conn, &writer.columns, key, id, SessionState::Closed, Some(closing.stop))?;
            outbox::ended(conn, key.no, before.current_analysis, closing.analysis)?;
            read::session(conn, id)?.ok_or_else(|| StoreError::Missing {
                what: format!("session {id}"),
            })
        })?;
        self.keys.remove(id);
        self.checkpoint();
        Ok(row)
    }

    fn delete_session(&mut self, id: &SessionId) -> Result<Deleted, StoreError> {
        self.commit();
        self.healthy()?;
        read::session_key(&self.conn, id)?;
        // Raw samples first: while the row stands, a deletion that was interrupted can be repeated.
        raw::erase(&self.dir, id)?;
        let rows = self.alone(|writer| {
            let key = read::session_key(&writer.conn, id)?;
            outbox::removed(&writer.conn, key)?;
            write::delete(&writer.conn, key)
        })?;
        self.keys.remove(id);
        self.checkpoint();
        Ok(Deleted { rows })
    }

    fn note_raw(&mut self, id: &SessionId, file: &raw::RawFile) -> Result<(), StoreError> {
        self.alone(|writer| {
            let key = read::session_key(&writer.conn, id)?;
            writer.conn.execute(
                "INSERT OR REPLACE INTO raw_files (session_no, path, bytes, samples, sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![key.no, file.path, file.bytes as i64, file.samples as i64, file.sha256],
            )?;
            Ok(())
        })
    }

    fn forget(&mut self, athlete: &AthleteId) -> Result<Forgotten, StoreError> {
        self.commit();
        self.healthy()?;
        let sessions = forget::sessions_of(&self.conn, athlete)?;
        let raw_files = forget::erase_raw(&self.dir, &sessions)?;
        let mut gone = self.alone(|writer| forget::delete_rows(&writer.conn, athlete, &sessions))?;
        gone.raw_files = raw_files;
        self.keys.clear();
        self.checkpoint();
        self.conn.execute_batch("VACUUM")?;
        self.checkpoint();
        gone.old_copies = forget::remove_old_copies(&self.dir)?;
        Ok(gone)
    }

    fn drop_raw(&mut self, id: &SessionId, now: UtcMicros) -> Result<u64, StoreError> {
        let key = read::session_key(&self.conn, id)?;
        let bytes = care::bytes_of(&self.dir, id);
        raw::erase(&self.dir, id)?;
        self.alone(|writer| care::removed(&writer.conn, key, bytes, now))?;
        Ok(bytes)
    }

    /// Moves the log into the database and empties it. A reader in the middle of a question prevents that; the next
    /// checkpoint does it then, so the outcome is not an error.
    fn checkpoint(&self) {
        let _ = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}
