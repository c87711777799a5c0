//! The thread that writes the log of a recording's links.
//!
//! Everything that happened is in the hands of the system (safe from a killed program) at once, and on the disk (safe from
//! a cut of power) once a second. Who needs to know what is on the disk asks with a [`LinkLog::checkpoint`].

use crate::sensors::log::{Entry, LogWriter};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc as tasks;

/// What is written reaches the disk at least this often.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Pieces waiting for the thread.
const WAITING: usize = 1024;

enum Piece {
    Entries(Vec<Entry>),
    Checkpoint(usize),
}

/// The log being written.
#[derive(Debug)]
pub struct LinkLog {
    to: Option<SyncSender<Piece>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    path: PathBuf,
}

impl LinkLog {
    /// Begins a log in a file that is there and empty. Checkpoints that reached the disk come back on `durable`.
    ///
    /// # Errors
    /// Those of the file; no thread.
    pub fn create(path: &Path, durable: tasks::Sender<usize>) -> io::Result<Self> {
        let file = std::fs::OpenOptions::new().write(true).truncate(true).open(path)?;
        let log = LogWriter::new(BufWriter::new(file))?;
        let (to, from) = sync_channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("link-log".to_owned())
            .spawn(move || write(log, &from, &durable))?;
        Ok(Self {
            to: Some(to),
            thread: Some(thread),
            path: path.to_owned(),
        })
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands on what happened; waits only when the disk is far behind. False when the log cannot be written any more:
    /// [`LinkLog::finish`] then says why.
    #[must_use]
    pub fn push(&self, entries: Vec<Entry>) -> bool {
        self.send(Piece::Entries(entries))
    }

    /// Asks to be told, by this number, when everything pushed before is on the disk.
    #[must_use]
    pub fn checkpoint(&self, number: usize) -> bool {
        self.send(Piece::Checkpoint(number))
    }

    fn send(&self, piece: Piece) -> bool {
        self.to.as_ref().is_some_and(|to| to.send(piece).is_ok())
    }

    /// Everything is on the disk, and the file is closed.
    ///
    /// # Errors
    /// Why the log could not be written, now or earlier.
    pub fn finish(mut self) -> io::Result<()> {
        self.to = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(done)) => done,
            _ => Err(io::Error::other("the thread that writes the log ended early")),
        }
    }
}

fn write(
    mut log: LogWriter<BufWriter<File>>,
    from: &Receiver<Piece>,
    durable: &tasks::Sender<usize>,
) -> io::Result<()> {
    let mut due = Vec::new();
    let mut synced = Instant::now();
    let mut dirty = true;
    loop {
        let patience = SYNC_EVERY.saturating_sub(synced.elapsed());
        match from.recv_timeout(patience) {
            Ok(Piece::Entries(entries)) => {
                for entry in &entries {
                    log.push(entry)?;
                }
                log.get_mut().flush()?;
                dirty = true;
            }
            Ok(Piece::Checkpoint(number)) => due.push(number),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                log.get_mut().flush()?;
                return log.get_mut().get_ref().sync_all();
            }
        }
        if synced.elapsed() >= SYNC_EVERY {
            if dirty {
                log.get_mut().get_ref().sync_data()?;
                dirty = false;
            }
            synced = Instant::now();
            for number in due.drain(..) {
                // One that does not fit is asked for again with the next; whoever asked may also be gone.
                let _ = durable.try_send(number);
            }
        }
    }
}
