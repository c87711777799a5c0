//! The loop of a sink: read what comes next, send it, put on record how far it came.
//!
//! All decisions are [`Delivery`]'s; time comes from a [`Pace`], so a test plays days in no time. Memory is bounded by
//! one batch: [`BYTES_MAX`] of text and a page of rows, however long the server was away. A process killed at any moment
//! stands, when it comes back, where the record says, and sends the last batch again, which changes nothing.

use super::super::error::StoreError;
use super::super::ids::{SessionId, UtcMicros};
use super::super::outbox::{Erasure, Next, Position, Reject};
use super::super::sqlite::SinkLedger;
use super::delivery::{Action, Delivery, Event, Health, Pause};
use super::points;
use super::transport::LineTransport;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

/// Most bytes in a batch.
pub const BYTES_MAX: usize = 1 << 20;

/// Where time comes from and who may end the loop.
pub trait Pace {
    /// A clock that only runs forward.
    fn now(&self) -> Duration;

    /// UTC, for what is put on record.
    fn utc(&self) -> UtcMicros;

    /// Whether to end before the next batch.
    fn asked_to_stop(&self) -> bool {
        false
    }

    /// Waits that long, or breaks when the loop should end.
    fn wait(&self, why: &Waiting<'_>, time: Duration) -> ControlFlow<()>;
}

/// Why the loop waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting<'a> {
    /// Everything is sent.
    InStep,
    /// The server did not take it.
    Retry {
        /// How it is doing.
        health: &'a Health,
        /// What went wrong.
        error: &'a str,
    },
    /// A person has to look.
    Paused {
        /// Why.
        pause: Pause,
        /// What the server said.
        error: &'a str,
    },
}

/// What a run amounted to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Lines settled.
    pub lines: u64,
    /// Of them refused.
    pub refused: u64,
    /// Deletions settled.
    pub erasures: u64,
    /// Requests made.
    pub requests: u64,
}

/// One batch in memory.
#[derive(Default)]
struct Loaded {
    text: String,
    /// End of each line, its place, and its session, if it has one.
    lines: Vec<(usize, Position, Option<SessionId>)>,
    then: Position,
    erasure: Option<Erasure>,
}

impl Loaded {
    fn body(&self, lines: &Range<usize>) -> Vec<u8> {
        let begin = if lines.start == 0 {
            0
        } else {
            self.lines[lines.start - 1].0
        };
        self.text.as_bytes()[begin..self.lines[lines.end - 1].0].to_vec()
    }

    fn line(&self, at: usize) -> &str {
        let begin = if at == 0 { 0 } else { self.lines[at - 1].0 };
        self.text[begin..self.lines[at].0].trim_end()
    }
}

/// How often a sink that is in step looks for more.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs until `pace` breaks a wait. The first wait that is not broken goes on, so a caller that wants one pass breaks at
/// the first [`Waiting::InStep`].
///
/// # Errors
/// Those of the record. What the server does wrong is never an error here: it is waited for.
pub fn run(
    ledger: &mut SinkLedger,
    transport: &dyn LineTransport,
    delivery: &mut Delivery,
    pace: &dyn Pace,
) -> Result<Sent, StoreError> {
    let mut sent = Sent::default();
    let mut loaded = Loaded::default();
    let mut noted = String::new();
    let mut action = delivery.next(Event::Ready, pace.now());
    loop {
        let event = match action {
            Action::Load(_) if pace.asked_to_stop() => return Ok(sent),
            Action::Load(most) => load(ledger, most, &mut loaded, pace)?,
            Action::Send(range) => {
                sent.requests += 1;
                Event::Replied(transport.write(loaded.body(&range)))
            }
            Action::Erase => {
                sent.requests += 1;
                match &loaded.erasure {
                    Some(erasure) => Event::Replied(transport.erase(erasure)),
                    None => Event::Ready,
                }
            }
            Action::Settle { lines, refused } => {
                settle(ledger, &loaded, lines, &refused, &mut sent, pace)?;
                Event::Ready
            }
            Action::Wait(time) => {
                let (health, error) = (
                    delivery.health().clone(),
                    delivery.last_error().unwrap_or_default().to_owned(),
                );
                let state = if health == Health::Offline {
                    "offline"
                } else {
                    "faltering"
                };
                note(ledger, &mut noted, state, Some(&error), pace)?;
                let why = Waiting::Retry {
                    health: &health,
                    error: &error,
                };
                if pace.wait(&why, time).is_break() {
                    return Ok(sent);
                }
                Event::Due
            }
            Action::Pause(pause, time) => {
                let error = delivery.last_error().unwrap_or_default().to_owned();
                note(ledger, &mut noted, pause.word(), Some(&error), pace)?;
                if pace.wait(&Waiting::Paused { pause, error: &error }, time).is_break() {
                    return Ok(sent);
                }
                Event::Due
            }
            Action::Idle => {
                note(ledger, &mut noted, "in_step", None, pace)?;
                if pace.wait(&Waiting::InStep, LOOK_EVERY).is_break() {
                    return Ok(sent);
                }
                Event::Ready
            }
        };
        action = delivery.next(event, pace.now());
    }
}

/// Notes a state when it is another one than before.
fn note(
    ledger: &SinkLedger,
    noted: &mut String,
    state: &str,
    error: Option<&str>,
    pace: &dyn Pace,
) -> Result<(), StoreError> {
    if noted != state {
        ledger.note(state, error, pace.utc())?;
        noted.clear();
        noted.push_str(state);
    }
    Ok(())
}

fn load(ledger: &mut SinkLedger, most: usize, loaded: &mut Loaded, pace: &dyn Pace) -> Result<Event, StoreError> {
    loop {
        *loaded = Loaded::default();
        let (text, lines) = (&mut loaded.text, &mut loaded.lines);
        let next = ledger.next(&mut |row| {
            let begin = text.len();
            if lines.len() >= most || (begin >= BYTES_MAX && !lines.is_empty()) {
                return ControlFlow::Break(());
            }
            // An instant outside 1970 to 2100 is no point; sessions there are refused by the record already.
            if points::write(&row, text) {
                text.push('\n');
                if text.len() > BYTES_MAX && !lines.is_empty() {
                    text.truncate(begin);
                    return ControlFlow::Break(());
                }
                lines.push((text.len(), row.place, row.session));
            }
            ControlFlow::Continue(())
        })?;
        match next {
            Next::Nothing => return Ok(Event::Loaded(0)),
            Next::Erase { erasure, then } => {
                loaded.then = then;
                loaded.erasure = Some(erasure);
                return Ok(Event::LoadedErasure);
            }
            Next::Rows { then } if loaded.lines.is_empty() => {
                // Entries whose rows are gone.
                ledger.settle(then, 0, &[], pace.utc())?;
            }
            Next::Rows { then } => {
                loaded.then = then;
                return Ok(Event::Loaded(loaded.lines.len()));
            }
        }
    }
}

fn settle(
    ledger: &mut SinkLedger,
    loaded: &Loaded,
    lines: usize,
    refused: &[super::delivery::Refused],
    sent: &mut Sent,
    pace: &dyn Pace,
) -> Result<(), StoreError> {
    let rejects: Vec<Reject> = refused
        .iter()
        .filter_map(|r| match (r.line, &loaded.erasure) {
            (Some(at), _) => Some(Reject {
                seq: loaded.lines[at].1.last_seq + 1,
                session: loaded.lines[at].2.clone(),
                line: loaded.line(at).to_owned(),
                reason: r.reason.clone(),
            }),
            (None, Some(erasure)) => Some(Reject {
                seq: loaded.then.last_seq,
                session: erasure.session.clone(),
                line: points::describe(erasure),
                reason: r.reason.clone(),
            }),
            // Only a deletion is refused without a line.
            (None, None) => None,
        })
        .collect();
    // The place of the first line that is not settled, or what comes after the batch.
    let at = loaded.lines.get(lines).map_or(loaded.then, |line| line.1);
    ledger.settle(at, lines - rejects.len().min(lines), &rejects, pace.utc())?;
    sent.lines += lines as u64;
    sent.refused += rejects.len() as u64;
    sent.erasures += u64::from(loaded.erasure.is_some());
    Ok(())
}
