//! What to do next with a batch, as a state machine: it knows no clock, no network and no rows.
//!
//! [`Delivery::next`] takes what happened and when, and says what to do. Whoever runs it sends, waits and writes the
//! cursor; a test plays an hour of failures in no time.
//!
//! | answer | then |
//! |---|---|
//! | 204 | the next part of the batch, or the batch is done |
//! | another 2xx, no answer, 408, 425, 5xx | again after a random wait, 1 s growing to 60 s, for ever |
//! | 429 | again after 30 s, doubling to 300 s |
//! | 413 | in halves, and later batches of that size; a line alone is refused |
//! | 400, 422 | in halves down to the bad lines, which are kept aside; sent again, good lines are only overwritten |
//! | 401, 403, 404, 3xx, other 4xx | pause: a person has to look; again after 15 minutes |
//!
//! Halves are taken left first, so at any moment the lines before the first open part are settled, and after
//! [`REQUESTS_MAX`] requests the settled ones are put on record and the rest begins a new batch: nothing is lost and
//! nothing loops. More than [`REJECTS_MAX`] bad lines an hour mean that something is wrong with all of them: pause.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

/// First and longest wait after a failure.
pub const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Shortest wait: "full jitter" reaches down to nothing, which would be a storm.
pub const RETRY_FLOOR: Duration = Duration::from_millis(100);
/// First and longest wait after 429. The client hides `Retry-After`; the usual values lie below the first.
pub const TOO_MANY: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(300));
/// How long a pause lasts unless someone says otherwise.
pub const PAUSE: Duration = Duration::from_secs(15 * 60);
/// Failures in a row after which the server counts as away.
pub const OFFLINE_AFTER: u32 = 3;
/// Most requests spent on one batch before what is settled is put on record.
pub const REQUESTS_MAX: u32 = 40;
/// Most refused lines in an hour.
pub const REJECTS_MAX: usize = 100;
/// Most lines in a batch.
pub const LINES_MAX: usize = 5000;
const HOUR: Duration = Duration::from_secs(3600);
/// Longest reason kept, characters.
const REASON_MAX: usize = 300;

/// What the server, or the way to it, answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 204: taken.
    Taken,
    /// Another status, with what it said.
    Status(u16, String),
    /// No answer: connection refused or cut, time over.
    Silence(String),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The worker began, or goes on after the batch was put on record.
    Ready,
    /// A batch of so many lines was read; 0 when all is sent.
    Loaded(usize),
    /// The next thing in order is a deletion.
    LoadedErasure,
    /// The answer to what was sent.
    Replied(Reply),
    /// The wait is over.
    Due,
}

/// Why nothing is sent until a person has looked or the pause is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// 401: the token is not known.
    Unauthorised,
    /// 403: the token may not write here.
    Forbidden,
    /// 404: no such bucket, or no such organisation.
    NoBucket,
    /// 3xx: the address leads elsewhere; it is not followed, because the token would go along.
    Redirected,
    /// Another answer that the same request will get again.
    Unexpected,
    /// Too many lines were refused.
    TooManyRejects,
}

impl Pause {
    /// One word for the record.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::NoBucket => "no_bucket",
            Self::Redirected => "redirected",
            Self::Unexpected => "unexpected",
            Self::TooManyRejects => "too_many_rejects",
        }
    }
}

/// A line that the server refuses, by its place in the batch; a refused deletion has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place.
    pub line: Option<usize>,
    /// What the server said.
    pub reason: String,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read a batch of at most so many lines.
    Load(usize),
    /// Send these lines of the batch.
    Send(Range<usize>),
    /// Carry out the deletion.
    Erase,
    /// Put on record that the first `lines` of the batch (or the deletion) are settled and that some were refused; then
    /// say [`Event::Ready`].
    Settle {
        /// How many lines from the front.
        lines: usize,
        /// Those among them that were refused.
        refused: Vec<Refused>,
    },
    /// Wait, then say [`Event::Due`].
    Wait(Duration),
    /// Wait that long unless settings change, then say [`Event::Due`].
    Pause(Pause, Duration),
    /// All is sent. Say [`Event::Ready`] when there may be more.
    Idle,
}

/// How the server is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It takes what it is sent.
    #[default]
    Online,
    /// It failed, but not yet often enough to count as away.
    Faltering,
    /// Away.
    Offline,
    /// Paused.
    Paused(Pause),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Work {
    Nothing,
    /// Open parts of the batch, the first one in front, and how many lines the batch has.
    Lines(VecDeque<Range<usize>>, usize),
    Erasure,
}

/// The machine. See the module's head.
#[derive(Clone, Debug)]
pub struct Delivery {
    work: Work,
    refused: Vec<Refused>,
    requests: u32,
    failures: u32,
    too_many: u32,
    lines_max: usize,
    health: Health,
    last_error: Option<String>,
    /// When lines were refused, in the last hour.
    refusals: VecDeque<Duration>,
    dice: u64,
}

impl Delivery {
    /// A machine whose random waits follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            work: Work::Nothing,
            refused: Vec::new(),
            requests: 0,
            failures: 0,
            too_many: 0,
            lines_max: LINES_MAX,
            health: Health::Online,
            last_error: None,
            refusals: VecDeque::new(),
            dice: seed,
        }
    }

    /// How the server is doing.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// What went wrong last, until something goes right.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Takes what happened at `now` (any clock that only runs forward) and says what to do.
    pub fn next(&mut self, event: Event, now: Duration) -> Action {
        match event {
            Event::Ready => self.ready(now),
            Event::Loaded(0) => {
                self.work = Work::Nothing;
                Action::Idle
            }
            Event::Loaded(lines) => {
                self.work = Work::Lines(std::iter::once(0..lines).collect(), lines);
                self.requests = 0;
                self.go_on()
            }
            Event::LoadedErasure => {
                self.work = Work::Erasure;
                self.go_on()
            }
            Event::Due if self.work == Work::Nothing => Action::Load(self.lines_max),
            Event::Due => self.go_on(),
            Event::Replied(reply) => self.replied(reply, now),
        }
    }

    fn ready(&mut self, now: Duration) -> Action {
        while self.refusals.front().is_some_and(|at| *at + HOUR <= now) {
            self.refusals.pop_front();
        }
        if self.refusals.len() > REJECTS_MAX {
            self.refusals.clear();
            return self.pause(
                Pause::TooManyRejects,
                "more lines were refused than could be by chance".to_owned(),
            );
        }
        Action::Load(self.lines_max)
    }

    /// The first open part, or what is settled.
    fn go_on(&mut self) -> Action {
        match &self.work {
            Work::Nothing => Action::Load(self.lines_max),
            Work::Erasure => Action::Erase,
            Work::Lines(open, all) => {
                let settled = open.front().map_or(*all, |first| first.start);
                match open.front() {
                    Some(first) if self.requests < REQUESTS_MAX || settled == 0 => {
                        self.requests += 1;
                        Action::Send(first.clone())
                    }
                    _ => self.settle(settled),
                }
            }
        }
    }

    fn settle(&mut self, lines: usize) -> Action {
        self.work = Work::Nothing;
        Action::Settle {
            lines,
            refused: std::mem::take(&mut self.refused),
        }
    }

    fn replied(&mut self, reply: Reply, now: Duration) -> Action {
        match reply {
            Reply::Taken => {
                self.recovered();
                match &mut self.work {
                    Work::Lines(open, _) => {
                        open.pop_front();
                        self.go_on()
                    }
                    _ => self.settle(0),
                }
            }
            Reply::Silence(why) => self.again(why),
            Reply::Status(status, text) => {
                let text = reason(status, &text);
                match status {
                    429 => {
                        self.last_error = Some(text);
                        self.health = Health::Faltering;
                        let wait = doubled(TOO_MANY, self.too_many);
                        self.too_many = self.too_many.saturating_add(1);
                        Action::Wait(wait)
                    }
                    413 => self.halve(text, now, Cut::Size),
                    400 | 422 => self.halve(text, now, Cut::Content),
                    401 => self.pause(Pause::Unauthorised, text),
                    403 => self.pause(Pause::Forbidden, text),
                    404 if self.work == Work::Erasure => self.refuse_erasure(text),
                    404 => self.pause(Pause::NoBucket, text),
                    405 | 501 if self.work == Work::Erasure => self.refuse_erasure(text),
                    300..=399 => self.pause(Pause::Redirected, text),
                    408 | 425 | 500..=599 | 200..=299 => self.again(text),
                    _ => self.pause(Pause::Unexpected, text),
                }
            }
        }
    }

    fn recovered(&mut self) {
        self.failures = 0;
        self.too_many = 0;
        self.health = Health::Online;
        self.last_error = None;
    }

    fn again(&mut self, why: String) -> Action {
        let most = doubled(RETRY, self.failures);
        self.failures = self.failures.saturating_add(1);
        self.health = if self.failures >= OFFLINE_AFTER {
            Health::Offline
        } else {
            Health::Faltering
        };
        self.last_error = Some(why);
        // "Full jitter": anything up to the bound, so that many senders do not come back together.
        Action::Wait(most.mul_f64(self.unit()).max(RETRY_FLOOR))
    }

    fn pause(&mut self, why: Pause, text: String) -> Action {
        self.health = Health::Paused(why);
        self.last_error = Some(text);
        Action::Pause(why, PAUSE)
    }

    /// Cuts the first open part in two; a line alone is refused.
    fn halve(&mut self, text: String, now: Duration, cut: Cut) -> Action {
        // The server is there and answers: what is wrong is the content.
        self.recovered();
        let Work::Lines(open, _) = &mut self.work else {
            return self.refuse_erasure(text);
        };
        let Some(first) = open.pop_front() else {
            return self.go_on();
        };
        if first.len() <= 1 {
            self.refused.push(Refused {
                line: Some(first.start),
                reason: text,
            });
            self.refusals.push_back(now);
        } else {
            let middle = first.start + first.len() / 2;
            if cut == Cut::Size {
                self.lines_max = (first.len() / 2).max(1);
            }
            open.push_front(middle..first.end);
            open.push_front(first.start..middle);
        }
        self.go_on()
    }

    fn refuse_erasure(&mut self, text: String) -> Action {
        self.refused.push(Refused {
            line: None,
            reason: text,
        });
        self.settle(0)
    }

    /// A number in [0, 1) (splitmix64; Steele, Lea and Flood 2014).
    fn unit(&mut self) -> f64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Size,
    Content,
}

fn doubled((first, most): (Duration, Duration), times: u32) -> Duration {
    first.saturating_mul(1_u32 << times.min(16)).min(most)
}

/// What a server said, short and on one line.
fn reason(status: u16, text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.trim().chars().map(plain).take(REASON_MAX).collect();
    format!("HTTP {status} {text}").trim_end().to_owned()
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
