//! A sink's side of the outbox: what comes next, and how far it has come.
//!
//! It has a connection of its own and needs no store lock, so that a copy can be brought up to date while another
//! process records; its writes are single short transactions. One process works for all sinks of a folder at a time
//! (`sinks.lock`): two would send a deletion and the rows before it in the wrong order.

use super::super::error::StoreError;
use super::super::ids::{AthleteId, SessionId, UtcMicros};
use super::super::outbox::{Content, Erasure, Measurement, Next, OutRow, Position, Reject, SinkName, SinkStatus};
use super::super::query::{Completeness, RowQuery};
use super::super::session::SessionState;
use super::flag_copies;
use super::health;
use super::lock::StoreLock;
use super::outbox;
use super::read::{self, SessionKey};
use super::schema::{self, Columns};
use crate::model::{SessionTime, Span};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::ops::ControlFlow;
use std::path::Path;

/// Name of the lock file in the data folder.
const SINKS_LOCK: &str = "sinks.lock";
/// Rows read at once: bounds memory however long a span is.
const PAGE_ROWS: usize = 256;
/// Refused lines kept for a sink; the oldest go first.
const REJECTS_KEPT: i64 = 10_000;

/// Whether a sink was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It goes on where it stood.
    Known,
    /// It is new, or sends to another place than before: everything is to be sent.
    New,
}

/// The list of one sink, held while the value lives.
#[derive(Debug)]
pub struct SinkLedger {
    conn: Connection,
    columns: Columns,
    sink: SinkName,
    // Held, not read.
    _lock: StoreLock,
}

struct Entry {
    seq: i64,
    put: bool,
    athlete: AthleteId,
    /// None for flags.
    session: Option<SessionId>,
    analysis: u32,
    measurement: Measurement,
    from_us: i64,
    to_us: i64,
}

impl SinkLedger {
    /// Opens the list of a sink, entering it if it is new. `target` is where it sends to, in words and without secrets.
    ///
    /// # Errors
    /// `Missing` when there is no record in `dir`; `Busy` while another process works for sinks; `TooNew`, `Corrupt`.
    pub fn open(dir: &Path, sink: &SinkName, target: &str, now: UtcMicros) -> Result<(Self, Registered), StoreError> {
        // A folder without a record is not to get one by this.
        drop(schema::open_reader(dir)?);
        let lock = StoreLock::take(dir, SINKS_LOCK, &format!("sink {sink}"))?;
        let conn = schema::open_companion(dir)?;
        let columns = Columns::load(&conn)?;
        let mut ledger = Self {
            conn,
            columns,
            sink: sink.clone(),
            _lock: lock,
        };
        let registered = ledger.register(target, now)?;
        Ok((ledger, registered))
    }

    fn register(&mut self, target: &str, now: UtcMicros) -> Result<Registered, StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known: Option<String> = tx
            .query_row(
                "SELECT target FROM sink_cursors WHERE sink = ?1",
                [self.sink.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        if known.as_deref() == Some(target) {
            return Ok(Registered::Known);
        }
        forget_sink(&tx, &self.sink)?;
        let newest: i64 = tx.query_row(
            "SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM outbox UNION ALL
             SELECT seq FROM sqlite_sequence WHERE name = 'outbox')",
            [],
            |row| row.get(0),
        )?;
        tx.execute(
            "INSERT INTO sink_cursors (sink, target, last_seq, state, updated_us) VALUES (?1, ?2, ?3, 'new', ?4)",
            params![self.sink.as_str(), target, newest, now.micros()],
        )?;
        // What is there already, oldest first. Rows that come later bring their own entries: this transaction stands
        // either before or after theirs.
        let sessions: Vec<(i64, u32)> = {
            let mut stmt = tx.prepare("SELECT session_no, current_analysis FROM sessions ORDER BY start_us")?;
            let rows = stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (no, analysis) in sessions {
            outbox::put_all(&tx, no, analysis, Some(&self.sink))?;
        }
        flag_copies::put_all(&tx, &self.sink)?;
        tx.commit()?;
        Ok(Registered::New)
    }

    /// Hands over rows in the order of sending until `take` breaks or the next thing is a deletion. The row that `take`
    /// breaks at is not taken: it comes again.
    ///
    /// # Errors
    /// `Corrupt`, `Busy`.
    pub fn next(&self, take: &mut dyn FnMut(OutRow) -> ControlFlow<()>) -> Result<Next, StoreError> {
        // One transaction, so that a session is not removed between its rows.
        self.conn.execute_batch("BEGIN")?;
        let answer = self.walk(take);
        self.conn.execute_batch("COMMIT")?;
        answer
    }

    fn walk(&self, take: &mut dyn FnMut(OutRow) -> ControlFlow<()>) -> Result<Next, StoreError> {
        let mut position = self.position()?;
        let mut any = false;
        while let Some(entry) = self.entry_after(position.last_seq)? {
            let done = Position {
                last_seq: entry.seq,
                resume_us: None,
            };
            if !entry.put {
                if any {
                    return Ok(Next::Rows { then: position });
                }
                return Ok(Next::Erase {
                    erasure: Erasure {
                        measurement: entry.measurement,
                        athlete: entry.athlete,
                        session: entry.session,
                        from_us: entry.from_us,
                        to_us: entry.to_us,
                    },
                    then: done,
                });
            }
            let from = position.resume_us.unwrap_or(i64::MIN).max(entry.from_us);
            if let Some(resume_us) = self.rows(&entry, from, &mut any, take)? {
                return Ok(Next::Rows {
                    then: Position {
                        last_seq: entry.seq - 1,
                        resume_us: Some(resume_us),
                    },
                });
            }
            position = done;
        }
        // Entries whose rows are gone leave nothing to send, but they are done.
        if any || position != self.position()? {
            Ok(Next::Rows { then: position })
        } else {
            Ok(Next::Nothing)
        }
    }

    /// Hands over the rows of an entry; `Some` with the instant of the first one not taken.
    fn rows(
        &self,
        entry: &Entry,
        from_us: i64,
        any: &mut bool,
        take: &mut dyn FnMut(OutRow) -> ControlFlow<()>,
    ) -> Result<Option<i64>, StoreError> {
        let mut offer = |at_us: i64, content: Content| {
            let row = OutRow {
                place: Position {
                    last_seq: entry.seq - 1,
                    resume_us: Some(at_us),
                },
                athlete: entry.athlete.clone(),
                session: entry.session.clone(),
                analysis: entry.analysis,
                at_us,
                content,
            };
            let flow = take(row);
            *any |= flow.is_continue();
            flow.is_break().then_some(at_us)
        };
        let Some(session) = &entry.session else {
            for (at, change) in flag_copies::changes(&self.conn, &entry.athlete, from_us, entry.to_us)? {
                if let Some(stop) = offer(at, Content::Flag(change)) {
                    return Ok(Some(stop));
                }
            }
            return Ok(None);
        };
        let key = match read::session_key(&self.conn, session) {
            Ok(key) if key.current_analysis == entry.analysis => key,
            // Removed, or analysed anew: the entries that say so stand later in the list.
            Ok(_) | Err(StoreError::Missing { .. }) => return Ok(None),
            Err(e) => return Err(e),
        };
        if entry.measurement == Measurement::Session {
            let Some(row) = read::session(&self.conn, session)? else {
                return Ok(None);
            };
            if row.state == SessionState::Open {
                return Ok(None);
            }
            let summary = read::summary(&self.conn, key)?;
            return Ok(offer(key.start_us, Content::Session(Box::new(row), summary)));
        }
        if entry.measurement == Measurement::Health {
            for row in health::rows(&self.conn, key, from_us, entry.to_us)? {
                if let Some(stop) = offer(key.at_rest(row.t), Content::Health(row)) {
                    return Ok(Some(stop));
                }
            }
            return Ok(None);
        }
        let mut query = RowQuery {
            analysis: Some(entry.analysis),
            limit: PAGE_ROWS,
            ..RowQuery::all(session.clone())
        };
        let mut from = from_us;
        loop {
            let Some(span) = span_of(key, from, entry.to_us) else {
                return Ok(None);
            };
            query.span = span;
            let completeness = if entry.measurement == Measurement::Stride {
                let page = read::strides(&self.conn, &self.columns, key, &query)?;
                for stride in page.rows {
                    let at = key.at_rest(stride.stride.start);
                    if let Some(stop) = offer(at, Content::Stride(Box::new(stride))) {
                        return Ok(Some(stop));
                    }
                }
                page.completeness
            } else {
                let page = read::windows(&self.conn, key, &query)?;
                for window in page.rows {
                    if let Some(stop) = offer(key.at_rest(window.t), Content::Window(window)) {
                        return Ok(Some(stop));
                    }
                }
                page.completeness
            };
            match completeness {
                Completeness::Complete => return Ok(None),
                Completeness::Truncated { resume_at } => from = key.at_rest(resume_at),
            }
        }
    }

    fn position(&self) -> Result<Position, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT last_seq, resume_us FROM sink_cursors WHERE sink = ?1")?
            .query_row([self.sink.as_str()], |row| {
                Ok(Position {
                    last_seq: row.get(0)?,
                    resume_us: row.get(1)?,
                })
            })?)
    }

    fn entry_after(&self, seq: i64) -> Result<Option<Entry>, StoreError> {
        let mut stmt = self.conn.prepare_cached(
            "SELECT seq, op, athlete_id, session_id, analysis, measurement, from_us, to_us FROM outbox
             WHERE seq > ?1 AND (sink IS NULL OR sink = ?2) ORDER BY seq LIMIT 1",
        )?;
        let mut rows = stmt.query(params![seq, self.sink.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let corrupt = |detail: String| StoreError::Corrupt { detail };
        let text = |i: usize| row.get::<_, String>(i);
        let kind = text(5)?;
        Ok(Some(Entry {
            seq: row.get(0)?,
            put: text(1)? == "put",
            athlete: AthleteId::parse(&text(2)?).map_err(|e| corrupt(e.to_string()))?,
            session: session_of(&text(3)?).map_err(|e| corrupt(e.to_string()))?,
            analysis: row.get(4)?,
            measurement: Measurement::from_name(&kind).ok_or_else(|| corrupt(format!("outbox of {kind}")))?,
            from_us: row.get(6)?,
            to_us: row.get(7)?,
        }))
    }

    /// Puts on record how far the sink has come, how many lines that were, and which were refused; entries that every
    /// sink has passed go.
    ///
    /// # Errors
    /// `Busy`, `Full`, `Corrupt`; the sink then stands where it stood, and sends again.
    pub fn settle(&mut self, at: Position, lines: usize, rejects: &[Reject], now: UtcMicros) -> Result<(), StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sink = self.sink.as_str();
        tx.execute(
            "UPDATE sink_cursors SET last_seq = ?2, resume_us = ?3, lines = lines + ?4, updated_us = ?5 WHERE sink = ?1",
            params![sink, at.last_seq, at.resume_us, lines as i64, now.micros()],
        )?;
        for reject in rejects {
            tx.execute(
                // A session that was removed meanwhile leaves no line behind.
                "INSERT OR REPLACE INTO sink_rejects (sink, line, seq, session_id, reason)
                 SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE ?2 LIKE 'delete %' OR ?4 = '' OR EXISTS (SELECT 1 FROM sessions WHERE session_id = ?4)",
                params![
                    sink,
                    reject.line,
                    reject.seq,
                    reject.session.as_ref().map_or("", SessionId::as_str),
                    reject.reason
                ],
            )?;
        }
        if !rejects.is_empty() {
            tx.execute(
                "DELETE FROM sink_rejects WHERE sink = ?1 AND (seq, line) NOT IN
                 (SELECT seq, line FROM sink_rejects WHERE sink = ?1 ORDER BY seq DESC LIMIT ?2)",
                params![sink, REJECTS_KEPT],
            )?;
        }
        tx.execute(
            "DELETE FROM outbox WHERE seq <= (SELECT min(last_seq) FROM sink_cursors) OR (sink = ?1 AND seq <= ?2)",
            params![sink, at.last_seq],
        )?;
        tx.commit()?;
        Ok(())
    }

    /// Notes how the sink is doing, for people.
    ///
    /// # Errors
    /// `Busy`, `Full`, `Corrupt`.
    pub fn note(&self, state: &str, error: Option<&str>, now: UtcMicros) -> Result<(), StoreError> {
        self.conn.execute(
            "UPDATE sink_cursors SET state = ?2, error = ?3, updated_us = ?4 WHERE sink = ?1",
            params![self.sink.as_str(), state, error, now.micros()],
        )?;
        Ok(())
    }

    /// Forgets the sink: nothing is kept for it any more. What it was sent stays where it is.
    ///
    /// # Errors
    /// `Busy`, `Full`, `Corrupt`.
    pub fn forget(mut self) -> Result<(), StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        forget_sink(&tx, &self.sink)?;
        tx.execute(
            "DELETE FROM outbox WHERE seq <= coalesce((SELECT min(last_seq) FROM sink_cursors), (SELECT max(seq) FROM outbox))",
            [],
        )?;
        tx.commit()?;
        Ok(())
    }
}

/// The session of an entry; flags belong to none.
fn session_of(text: &str) -> Result<Option<SessionId>, StoreError> {
    if text.is_empty() {
        Ok(None)
    } else {
        SessionId::parse(text).map(Some)
    }
}

fn forget_sink(conn: &Connection, sink: &SinkName) -> Result<(), StoreError> {
    for table in ["sink_cursors", "sink_rejects", "outbox"] {
        conn.execute(&format!("DELETE FROM {table} WHERE sink = ?1"), [sink.as_str()])?;
    }
    Ok(())
}

/// The span of session time of the instants in `[from, to)`.
fn span_of(key: SessionKey, from_us: i64, to_us: i64) -> Option<Span> {
    let at = |us: i64| SessionTime::from_nanos(us.saturating_sub(key.start_us).saturating_mul(1000));
    (from_us < to_us).then(|| Span::new(at(from_us), at(to_us))).flatten()
}

/// How all sinks of the record in `dir` are doing.
///
/// # Errors
/// `Missing` when there is no record; `Corrupt`.
pub fn sink_statuses(dir: &Path) -> Result<Vec<SinkStatus>, StoreError> {
    let conn = schema::open_reader(dir)?;
    if !has_outbox(&conn)? {
        return Ok(Vec::new());
    }
    let mut stmt = conn.prepare(
        "SELECT sink, target, last_seq, resume_us, state, error, lines, updated_us,
            (SELECT count(*) FROM outbox o WHERE o.seq > c.last_seq AND (o.sink IS NULL OR o.sink = c.sink)),
            (SELECT count(*) FROM sink_rejects r WHERE r.sink = c.sink)
         FROM sink_cursors c ORDER BY sink",
    )?;
    let mut rows = stmt.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(SinkStatus {
            sink: SinkName::parse(&row.get::<_, String>(0)?)?,
            target: row.get(1)?,
            position: Position {
                last_seq: row.get(2)?,
                resume_us: row.get(3)?,
            },
            state: row.get(4)?,
            error: row.get(5)?,
            lines: row.get::<_, i64>(6)?.unsigned_abs(),
            updated_us: row.get(7)?,
            waiting: row.get::<_, i64>(8)?.unsigned_abs(),
            rejects: row.get::<_, i64>(9)?.unsigned_abs(),
        });
    }
    Ok(found)
}

/// The newest `limit` lines that a sink refused.
///
/// # Errors
/// `Missing` when there is no record; `Corrupt`.
pub fn sink_rejects(dir: &Path, sink: &SinkName, limit: usize) -> Result<Vec<Reject>, StoreError> {
    let conn = schema::open_reader(dir)?;
    if !has_outbox(&conn)? {
        return Ok(Vec::new());
    }
    let mut stmt = conn.prepare(
        "SELECT seq, session_id, line, reason FROM sink_rejects WHERE sink = ?1 ORDER BY seq DESC, line LIMIT ?2",
    )?;
    let mut rows = stmt.query(params![sink.as_str(), i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Reject {
            seq: row.get(0)?,
            session: session_of(&row.get::<_, String>(1)?)?,
            line: row.get(2)?,
            reason: row.get(3)?,
        });
    }
    Ok(found)
}

/// An old record opened to read has none yet.
fn has_outbox(conn: &Connection) -> Result<bool, StoreError> {
    let n: i64 = conn.query_row(
        "SELECT count(*) FROM sqlite_master WHERE name = 'sink_cursors'",
        [],
        |row| row.get(0),
    )?;
    Ok(n > 0)
}
