//! The store in memory: the test double, stricter than a disk.
//!
//! A [`MemoryDisk`] stands for the disk and outlives the [`MemoryStore`]s opened on it. Nothing reaches it before a
//! flush: what was appended and not flushed is invisible to reads and gone when the store is dropped. Code that works
//! here does not lean on what a real backend happens to do earlier.
//!
//! An append copies its analysis and a flush everything, so that nothing can be torn; that is for tests, not for seasons.

use super::batch::{Batch, FIRST_ANALYSIS, micros_of, stride_key};
use super::contract::{Appended, Capabilities, Deleted, Durable, History, Opened, Store};
use super::downsample::Bucketer;
use super::error::{Holder, StoreError};
use super::event::SessionEvent;
use super::ids::{SessionId, UtcMicros};
use super::query::{Bucket, BucketQuery, Page, RowQuery, SessionQuery};
use super::session::{Closing, SessionMeta, SessionRow, SessionState, WallClock};
use super::summary::{SummaryRow, summarise};
use crate::metrics::StrideRecord;
use crate::model::{SegmentKind, SessionTime, Side};
use crate::pipeline::{Block, Window};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type StrideKey = (SessionTime, Option<Side>, SegmentKind);

/// Rows of one analysis.
#[derive(Clone, Debug, Default)]
struct Rows {
    strides: BTreeMap<StrideKey, StrideRecord>,
    blocks: BTreeMap<(SessionTime, Option<Side>), Block>,
    windows: BTreeMap<SessionTime, Window>,
    /// The body is part of the key, as two doubts may share an instant; it also orders them as on a disk.
    events: BTreeMap<(SessionTime, &'static str, String), SessionEvent>,
}

impl Rows {
    fn len(&self) -> usize {
        self.strides.len() + self.blocks.len() + self.windows.len() + self.events.len()
    }
}

#[derive(Clone, Debug)]
struct Session {
    row: SessionRow,
    analyses: BTreeMap<u32, Rows>,
    made_with: BTreeMap<u32, (String, serde_json::Value)>,
    summary: Vec<SummaryRow>,
}

impl Session {
    fn end(&mut self, state: SessionState, stop: Option<SessionTime>) {
        let strides: Vec<StrideRecord> = self
            .analyses
            .get(&self.row.current_analysis)
            .map(|rows| rows.strides.values().cloned().collect())
            .unwrap_or_default();
        let last = strides.iter().map(|s| s.stride.end).max().unwrap_or(SessionTime::ZERO);
        self.row.state = state;
        self.row.stop = Some(stop.unwrap_or(last));
        self.row.strides = Some(strides.len() as u64);
        self.summary = summarise(&strides);
    }
}

type Sessions = BTreeMap<SessionId, Session>;

#[derive(Debug, Default)]
struct Disk {
    sessions: Sessions,
    held: bool,
}

/// What stays when a [`MemoryStore`] goes.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Disk>>);

impl MemoryDisk {
    fn lock(&self) -> MutexGuard<'_, Disk> {
        // A panic in another test thread leaves the maps valid: every change is a whole replacement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store whose disk is memory.
#[derive(Debug)]
pub struct MemoryStore {
    disk: MemoryDisk,
    pending: Mutex<Pending>,
}

#[derive(Debug)]
struct Pending {
    sessions: Sessions,
    new_rows: u64,
    durable_rows: u64,
}

impl MemoryStore {
    /// Opens the disk as its one writer; sessions that were left open are recovered.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while another `MemoryStore` holds the disk.
    pub fn open(disk: &MemoryDisk) -> Result<Self, StoreError> {
        let mut inner = disk.lock();
        if inner.held {
            let holder = Holder {
                pid: std::process::id(),
                command: "memory".to_owned(),
            };
            return Err(StoreError::Busy { holder: Some(holder) });
        }
        inner.held = true;
        for session in inner
            .sessions
            .values_mut()
            .filter(|s| s.row.state == SessionState::Open)
        {
            session.end(SessionState::Recovered, None);
        }
        let pending = Pending {
            sessions: inner.sessions.clone(),
            new_rows: 0,
            durable_rows: 0,
        };
        drop(inner);
        Ok(Self {
            disk: disk.clone(),
            pending: Mutex::new(pending),
        })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, pending: &mut Pending) -> Durable {
        self.disk.lock().sessions.clone_from(&pending.sessions);
        pending.durable_rows += std::mem::take(&mut pending.new_rows);
        Durable {
            rows: pending.durable_rows,
        }
    }

    fn read<T>(&self, query: &RowQuery, take: impl FnOnce(&Rows) -> T) -> Result<T, StoreError> {
        let disk = self.disk.lock();
        let session = disk
            .sessions
            .get(&query.session)
            .ok_or_else(|| missing(&query.session))?;
        let analysis = query.analysis.unwrap_or(session.row.current_analysis);
        Ok(take(session.analyses.get(&analysis).unwrap_or(&Rows::default())))
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.disk.lock().held = false;
    }
}

fn missing(session: &SessionId) -> StoreError {
    StoreError::Missing {
        what: format!("session {session}"),
    }
}

/// Enters one row; counts it, or says that the key holds something else.
fn enter<K: Ord, V: PartialEq>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: V,
    done: &mut Appended,
    name: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    match map.get(&key) {
        None => {
            map.insert(key, value);
            done.new += 1;
            Ok(())
        }
        Some(known) if *known == value => {
            done.known += 1;
            Ok(())
        }
        Some(_) => Err(StoreError::Conflict { key: name() }),
    }
}

fn overlap(sessions: &Sessions, meta: &SessionMeta) -> Option<SessionId> {
    if meta.wall_clock == WallClock::Assumed {
        return None;
    }
    let span = |m: &SessionMeta, stop: Option<SessionTime>| {
        let start = m.start.micros();
        (start, stop.map_or(i64::MAX, |t| start + micros_of(t)))
    };
    // A session whose end nobody knows yet occupies at least its own start.
    let (start, stop) = span(meta, Some(meta.expected_stop.unwrap_or(SessionTime::from_nanos(1000))));
    let others = sessions.values().filter(|s| {
        s.row.meta.athlete == meta.athlete && s.row.meta.wall_clock == WallClock::Known && s.row.meta.id != meta.id
    });
    others
        .map(|s| (&s.row.meta.id, span(&s.row.meta, s.row.stop)))
        .find(|(_, (other_start, other_stop))| *other_start < stop && start < *other_stop)
        .map(|(id, _)| id.clone())
}

impl Store for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            raw: false,
            text: true,
            range_delete: true,
            detects_conflict: true,
            atomic_batches: true,
            time_unit_us: 1,
        }
    }

    fn open_session(&self, meta: &SessionMeta) -> Result<Opened, StoreError> {
        meta.check()?;
        let meta = meta.clone().ordered();
        let mut pending = self.pending();
        if let Some(session) = pending.sessions.get_mut(&meta.id) {
            if session.row.meta != meta {
                return Err(StoreError::Conflict {
                    key: format!("session {}", meta.id),
                });
            }
            let opened = match session.row.state {
                SessionState::Open => Opened::AlreadyOpen,
                SessionState::Closed => Opened::AlreadyClosed,
                SessionState::Recovered => {
                    session.row.state = SessionState::Open;
                    session.row.stop = None;
                    session.row.strides = None;
                    session.summary.clear();
                    Opened::Resumed
                }
            };
            self.commit(&mut pending);
            return Ok(opened);
        }
        if let Some(other) = overlap(&pending.sessions, &meta) {
            return Err(StoreError::Overlap { other });
        }
        let row = SessionRow {
            meta: meta.clone(),
            state: SessionState::Open,
            stop: None,
            current_analysis: FIRST_ANALYSIS,
            pipeline_version: None,
            strides: None,
            outcomes: Vec::new(),
        };
        let session = Session {
            row,
            analyses: BTreeMap::new(),
            made_with: BTreeMap::new(),
            summary: Vec::new(),
        };
        pending.sessions.insert(meta.id, session);
        self.commit(&mut pending);
        Ok(Opened::New)
    }

    fn append(&self, batch: Batch) -> Result<Appended, StoreError> {
        let mut pending = self.pending();
        let id = batch.session();
        let session = pending.sessions.get_mut(id).ok_or_else(|| missing(id))?;
        // Filled aside and put in place at the end, so that a conflict leaves nothing of the batch.
        let mut rows = session.analyses.get(&batch.analysis()).cloned().unwrap_or_default();
        let mut done = Appended::default();
        for record in batch.strides() {
            let s = &record.stride;
            enter(
                &mut rows.strides,
                (s.start, s.side, s.seen_from),
                record.clone(),
                &mut done,
                || stride_key(id, batch.analysis(), s.start, s.side),
            )?;
        }
        for block in batch.blocks() {
            enter(
                &mut rows.blocks,
                (block.start, block.side),
                block.clone(),
                &mut done,
                || format!("block of {id} at {:.6} s", block.start.secs()),
            )?;
        }
        for window in batch.windows() {
            enter(&mut rows.windows, window.t, *window, &mut done, || {
                format!("window of {id} at {:.6} s", window.t.secs())
            })?;
        }
        for event in batch.events() {
            let key = (event.time(), event.kind(), event.body());
            enter(&mut rows.events, key, event.clone(), &mut done, || {
                format!("event of {id}")
            })?;
        }
        session.analyses.insert(batch.analysis(), rows);
        pending.new_rows += done.new as u64;
        Ok(done)
    }

    fn flush(&self) -> Result<Durable, StoreError> {
        let mut pending = self.pending();
        Ok(self.commit(&mut pending))
    }

    fn close_session(&self, id: &SessionId, closing: &Closing) -> Result<SessionRow, StoreError> {
        closing.check(id)?;
        let mut pending = self.pending();
        let session = pending.sessions.get_mut(id).ok_or_else(|| missing(id))?;
        let made_with = (closing.pipeline_version.clone(), closing.params.clone());
        if session
            .made_with
            .get(&closing.analysis)
            .is_some_and(|known| *known != made_with)
        {
            return Err(StoreError::Conflict {
                key: format!("analysis {} of session {id}", closing.analysis),
            });
        }
        session.made_with.insert(closing.analysis, made_with);
        session.row.current_analysis = closing.analysis;
        session.row.pipeline_version = Some(closing.pipeline_version.clone());
        session.row.outcomes.clone_from(&closing.sensors);
        session.row.outcomes.sort_by_key(|o| o.placement);
        session.end(SessionState::Closed, Some(super::batch::to_micros(closing.stop)));
        let row = session.row.clone();
        self.commit(&mut pending);
        Ok(row)
    }

    fn delete_session(&self, id: &SessionId) -> Result<Deleted, StoreError> {
        let mut pending = self.pending();
        let session = pending.sessions.remove(id).ok_or_else(|| missing(id))?;
        self.commit(&mut pending);
        Ok(Deleted {
            rows: session.analyses.values().map(|r| r.len() as u64).sum(),
        })
    }
}

impl History for MemoryStore {
    fn sessions(&self, query: &SessionQuery) -> Result<Page<SessionRow, UtcMicros>, StoreError> {
        let disk = self.disk.lock();
        let wanted = |row: &&SessionRow| {
            let start = row.meta.start;
            query.from <= start && start < query.to && query.athlete.as_ref().is_none_or(|a| *a == row.meta.athlete)
        };
        let mut rows: Vec<SessionRow> = disk.sessions.values().map(|s| &s.row).filter(wanted).cloned().collect();
        rows.sort_by(|a, b| (a.meta.start, &a.meta.id).cmp(&(b.meta.start, &b.meta.id)));
        Ok(Page::cut(rows, query.limit, |row| row.meta.start))
    }

    fn session(&self, id: &SessionId) -> Result<Option<SessionRow>, StoreError> {
        Ok(self.disk.lock().sessions.get(id).map(|s| s.row.clone()))
    }

    fn strides(&self, query: &RowQuery) -> Result<Page<StrideRecord>, StoreError> {
        self.read(query, |rows| {
            let wanted = |r: &&StrideRecord| query.span.contains(r.stride.start) && query.side.admits(r.stride.side);
            let rows = rows.strides.values().filter(wanted).cloned().collect();
            Page::cut(rows, query.limit, |r: &StrideRecord| r.stride.start)
        })
    }

    fn blocks(&self, query: &RowQuery) -> Result<Page<Block>, StoreError> {
        self.read(query, |rows| {
            let wanted = |b: &&Block| query.span.contains(b.start) && query.side.admits(b.side);
            Page::cut(
                rows.blocks.values().filter(wanted).cloned().collect(),
                query.limit,
                |b: &Block| b.start,
            )
        })
    }

    fn windows(&self, query: &RowQuery) -> Result<Page<Window>, StoreError> {
        self.read(query, |rows| {
            let rows = rows
                .windows
                .values()
                .filter(|w| query.span.contains(w.t))
                .copied()
                .collect();
            Page::cut(rows, query.limit, |w: &Window| w.t)
        })
    }

    fn events(&self, query: &RowQuery) -> Result<Page<SessionEvent>, StoreError> {
        self.read(query, |rows| {
            let rows = rows
                .events
                .values()
                .filter(|e| query.span.contains(e.time()))
                .cloned()
                .collect();
            Page::cut(rows, query.limit, SessionEvent::time)
        })
    }

    fn buckets(&self, query: &BucketQuery) -> Result<Page<Bucket>, StoreError> {
        self.read(&query.rows, |rows| {
            let mut buckets = Bucketer::new(query);
            for r in rows.strides.values() {
                let wanted = query.rows.span.contains(r.stride.start) && query.rows.side.admits(r.stride.side);
                let values = query.metrics.iter().map(|m| r.metrics.value(*m));
                if wanted && !buckets.push(micros_of(r.stride.start), values) {
                    break;
                }
            }
            buckets.finish()
        })
    }

    fn latest(&self, id: &SessionId, side: Option<Side>) -> Result<Option<StrideRecord>, StoreError> {
        self.read(&RowQuery::all(id.clone()), |rows| {
            rows.strides.values().rev().find(|r| r.stride.side == side).cloned()
        })
    }

    fn summary(&self, id: &SessionId) -> Result<Vec<SummaryRow>, StoreError> {
        Ok(self
            .disk
            .lock()
            .sessions
            .get(id)
            .ok_or_else(|| missing(id))?
            .summary
            .clone())
    }
}
