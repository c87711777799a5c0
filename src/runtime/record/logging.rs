//! The threads that write the log of a recording's links.
//!
//! Everything that happened is in the hands of the system (safe from a killed program) at once, and on the disk (safe from
//! a cut of power) once a second. Who needs to know what is on the disk asks with a [`LinkLog::checkpoint`].
//!
//! A busy disk may take seconds to obey. So one thread writes and another waits for the disk: what comes in the meantime
//! must not stand in this program's memory, where a kill would take it along.

use crate::sensors::log::{Entry, LogWriter};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
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
        let disk = file.try_clone()?;
        let log = LogWriter::new(BufWriter::new(file))?;
        Self::start(path, log, durable, move || disk.sync_data())
    }

    /// `obey` returns when what was written before is on the disk.
    fn start(
        path: &Path,
        log: LogWriter<BufWriter<File>>,
        durable: tasks::Sender<usize>,
        obey: impl Fn() -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (to, from) = sync_channel(WAITING);
        // One waits at most: whoever comes while the disk is busy is asked for with the next.
        let (to_disk, asked) = sync_channel(0);
        let disk = std::thread::Builder::new()
            .name("link-log-disk".to_owned())
            .spawn(move || keep(&asked, &durable, obey))?;
        let thread = std::thread::Builder::new()
            .name("link-log".to_owned())
            .spawn(move || write(log, &from, to_disk, disk))?;
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

/// Waits for the disk, and tells which checkpoints are on it.
fn keep(
    asked: &Receiver<Vec<usize>>,
    durable: &tasks::Sender<usize>,
    obey: impl Fn() -> io::Result<()>,
) -> io::Result<()> {
    while let Ok(due) = asked.recv() {
        obey()?;
        for number in due {
            // One that does not fit is asked for again with the next; whoever asked may also be gone.
            let _ = durable.try_send(number);
        }
    }
    Ok(())
}

fn write(
    mut log: LogWriter<BufWriter<File>>,
    from: &Receiver<Piece>,
    to_disk: SyncSender<Vec<usize>>,
    disk: JoinHandle<io::Result<()>>,
) -> io::Result<()> {
    let mut due = Vec::new();
    let mut asked = Instant::now();
    let mut dirty = true;
    let over = loop {
        let patience = SYNC_EVERY.saturating_sub(asked.elapsed());
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
            Err(RecvTimeoutError::Disconnected) => break true,
        }
        if asked.elapsed() >= SYNC_EVERY {
            asked = Instant::now();
            if dirty || !due.is_empty() {
                match to_disk.try_send(std::mem::take(&mut due)) {
                    Ok(()) => dirty = false,
                    // It still waits for the disk.
                    Err(TrySendError::Full(back)) => due = back,
                    Err(TrySendError::Disconnected(_)) => break false,
                }
            }
        }
    };
    drop(to_disk);
    let obeyed = disk
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the thread that waits for the disk ended early")));
    obeyed?;
    if !over {
        return Err(io::Error::other("the disk did not keep the log"));
    }
    log.get_mut().flush()?;
    log.get_mut().get_ref().sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionTime;
    use crate::sensors::link::LinkEvent;
    use crate::sensors::log::LogReader;
    use std::io::BufReader;

    fn file() -> (tempfile::TempDir, PathBuf, LogWriter<BufWriter<File>>) {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("s.links");
        let log = LogWriter::new(BufWriter::new(File::create(&path).expect("made"))).expect("begun");
        (dir, path, log)
    }

    fn overflow(n: i64) -> Entry {
        Entry::Event {
            sensor: 0,
            event: LinkEvent::Overflowed {
                at: SessionTime::from_nanos(n),
                frames: 1,
            },
        }
    }

    fn entries(path: &Path) -> usize {
        let mut log = LogReader::new(BufReader::new(File::open(path).expect("there"))).expect("a log");
        std::iter::from_fn(|| log.next_entry().expect("readable")).count()
    }

    #[test]
    fn a_disk_that_does_not_obey_holds_up_neither_what_is_written_nor_who_writes() {
        let (_dir, path, log) = file();
        let (durable, mut told) = tasks::channel(8);
        let (reached, at_disk) = sync_channel(8);
        let (release, held) = sync_channel::<()>(8);
        let held = std::sync::Mutex::new(held);
        let obey = move || {
            let _ = reached.send(());
            // Until the test lets it go, or is over.
            let _ = held.lock().expect("alone").recv();
            Ok(())
        };
        let log = LinkLog::start(&path, log, durable, obey).expect("begun");
        assert!(log.push(vec![overflow(0)]) && log.checkpoint(7));
        at_disk.recv().expect("the disk is asked");
        // It is busy now. More than the queue holds still passes.
        let more = WAITING as i64 * 2;
        for n in 1..=more {
            assert!(log.push(vec![overflow(n)]));
        }
        // The last of them may still be in the queue; that one is not the disk's fault.
        while entries(&path) < more as usize - 1 {
            std::thread::yield_now();
        }
        assert!(told.try_recv().is_err(), "nothing is said to be kept before it is");
        drop(release);
        log.finish().expect("kept");
        assert_eq!(told.try_recv(), Ok(7));
        assert_eq!(entries(&path), more as usize + 1);
    }

    #[test]
    fn a_disk_that_fails_is_told_at_the_end_at_the_latest() {
        let (_dir, path, log) = file();
        let (durable, _told) = tasks::channel(8);
        let (reached, at_disk) = sync_channel(8);
        let obey = move || {
            let _ = reached.send(());
            Err(io::Error::other("broken"))
        };
        let log = LinkLog::start(&path, log, durable, obey).expect("begun");
        assert!(log.push(vec![overflow(0)]));
        at_disk.recv().expect("the disk is asked");
        assert_eq!(log.finish().expect_err("it failed").to_string(), "broken");
    }
}
