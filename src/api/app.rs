//! What every handler sees: the record, the live runs, and how things are set.
//!
//! The store's calls block, so they run on the runtime's blocking threads, at most [`READERS`] at a time: more would only
//! wait for each other's pages, and a request that gives up does not free its place before its question is answered.

use super::access::login::Logins;
use super::access::rate::{Buckets, Rate};
use super::live::Hub;
use super::looked::LookedUp;
use super::problem::Problem;
use crate::review::Review;
use crate::risk::rules::Rules;
use crate::store::access::Access;
use crate::store::journal::Day;
use crate::store::{AthleteId, SqliteAccess, SqliteJournal, SqliteReader, StoreError, UtcMicros};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use utoipa::ToSchema;

/// Questions to the record at a time.
pub const READERS: usize = 4;
/// Callers whose rate is remembered.
const CALLERS: usize = 4096;
/// The same look by the same person is noted once in this time, µs: a page asks for many things at once.
const NOTE_AGAIN_US: i64 = 10 * 60_000_000;
/// Looks remembered for that.
const LOOKS: usize = 10_000;
/// Signing in is tried this often, per address.
const LOGIN_RATE: Rate = Rate {
    per_s: 5.0 / 60.0,
    burst: 5.0,
};

/// What tells the time. This layer has no clock of its own.
#[derive(Clone)]
pub struct Clock {
    /// The wall clock.
    pub utc: Arc<dyn Fn() -> UtcMicros + Send + Sync>,
    /// The day of this machine's calendar.
    pub today: Arc<dyn Fn() -> Day + Send + Sync>,
    /// A clock that only runs forward, from any zero.
    pub steady: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// Who has to say who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// Requests of this machine, by a name of this machine, are the owner's. The server listens on the loopback only.
    ThisMachine,
    /// Everybody, with a token.
    Tokens,
}

/// Limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests of a caller; `None` where nobody counts (tests, fuzzing on one's own machine).
    pub requests: Option<Rate>,
    /// Open streams of a caller.
    pub streams_each: usize,
    /// Open streams in all.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: Some(Rate {
                per_s: 20.0,
                burst: 60.0,
            }),
            streams_each: 8,
            streams: 512,
        }
    }
}

/// A check of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MachineCheck {
    /// `ok`, `warn` or `fail`.
    pub state: String,
    /// What was looked at, and what was found.
    pub what: String,
    /// The same as a longer text.
    pub text: String,
    /// What mends it.
    pub r#try: Option<String>,
}

/// One sensor of a kit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KitSensorItem {
    /// Where it is worn.
    pub place: String,
    /// How people know it.
    pub name: String,
    /// Its protocol.
    pub kind: String,
    /// Version of its firmware.
    pub firmware: Option<String>,
    /// Charge, %.
    pub battery: Option<u8>,
    /// When it was last seen, µs UTC.
    pub last_seen_us: Option<i64>,
}

/// Sensors worn together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct KitItem {
    /// Name of the kit.
    pub name: String,
    /// Its sensors.
    pub sensors: Vec<KitSensorItem>,
}

/// What the server is started with.
pub struct Setup {
    /// The data folder.
    pub dir: PathBuf,
    /// Clocks.
    pub clock: Clock,
    /// Who has to say who they are.
    pub entrance: Entrance,
    /// Limits.
    pub limits: Limits,
    /// Proxies whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Live runs.
    pub hub: Hub,
    /// Looks at the machine.
    pub checks: Box<dyn Fn() -> Vec<MachineCheck> + Send + Sync>,
    /// Kits of sensors.
    pub kits: Vec<KitItem>,
    /// Rules of the flags.
    pub rules: Rules,
}

struct Inner {
    dir: PathBuf,
    review: Review,
    access: SqliteAccess,
    places: Arc<Semaphore>,
    clock: Clock,
    entrance: Entrance,
    limits: Limits,
    trusted_proxies: Vec<IpAddr>,
    hub: Hub,
    checks: Box<dyn Fn() -> Vec<MachineCheck> + Send + Sync>,
    kits: Vec<KitItem>,
    logins: Logins,
    requests: Option<Mutex<Buckets>>,
    login_tries: Mutex<Buckets>,
    looks: Mutex<BTreeMap<(String, AthleteId, String), i64>>,
    streams: Mutex<BTreeMap<String, usize>>,
    changed: watch::Sender<u64>,
    looked: LookedUp,
}

/// Everything, shared by all requests.
#[derive(Clone)]
pub struct App(Arc<Inner>);

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}

impl App {
    /// Opens the record in the data folder, making one where there is none.
    ///
    /// # Errors
    /// Those of the store.
    pub fn open(setup: Setup) -> Result<Self, StoreError> {
        let access = SqliteAccess::open(&setup.dir)?;
        let review = Review::open(&setup.dir, setup.rules)?;
        Ok(Self(Arc::new(Inner {
            review,
            access,
            places: Arc::new(Semaphore::new(READERS)),
            requests: setup.limits.requests.map(|r| Mutex::new(Buckets::new(r, CALLERS))),
            login_tries: Mutex::new(Buckets::new(LOGIN_RATE, CALLERS)),
            looks: Mutex::default(),
            streams: Mutex::default(),
            logins: Logins::default(),
            changed: watch::Sender::new(0),
            looked: LookedUp::default(),
            dir: setup.dir,
            clock: setup.clock,
            entrance: setup.entrance,
            limits: setup.limits,
            trusted_proxies: setup.trusted_proxies,
            hub: setup.hub,
            checks: setup.checks,
            kits: setup.kits,
        })))
    }

    /// Runs blocking work on a thread that may block, in one of [`READERS`] places.
    ///
    /// # Errors
    /// What the work says; 500 when it panicked.
    pub async fn ask<T, E>(&self, work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        let place = Arc::clone(&self.0.places).acquire_owned().await;
        let app = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when nobody waits for it any more.
            let _place = place;
            work(&app)
        });
        done.await
            .map_err(|_| Problem::ours("The question could not be answered."))?
            .map_err(Problem::from)
    }

    /// The record, to read. Blocks.
    #[must_use]
    pub fn reader(&self) -> &SqliteReader {
        self.0.review.reader()
    }

    /// The journal. Blocks.
    #[must_use]
    pub fn journal(&self) -> &SqliteJournal {
        self.0.review.journal()
    }

    /// Runs and seasons looked back on. Blocks.
    #[must_use]
    pub fn review(&self) -> &Review {
        &self.0.review
    }

    /// Pasts that were laid out already.
    pub(super) fn looked_up(&self) -> &LookedUp {
        &self.0.looked
    }

    /// Tokens and the log of accesses. Blocks.
    #[must_use]
    pub fn access(&self) -> &SqliteAccess {
        &self.0.access
    }

    /// The data folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Live runs.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Rules of the flags.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        self.0.review.rules()
    }

    /// Kits of sensors.
    #[must_use]
    pub fn kits(&self) -> &[KitItem] {
        &self.0.kits
    }

    /// Looks at the machine. Blocks.
    #[must_use]
    pub fn checks(&self) -> Vec<MachineCheck> {
        (self.0.checks)()
    }

    /// Browsers signed in.
    #[must_use]
    pub fn logins(&self) -> &Logins {
        &self.0.logins
    }

    /// Who has to say who they are.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        self.0.entrance
    }

    /// Limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Whether what this peer says of the client is believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.0.trusted_proxies.contains(&peer)
    }

    /// The day of this machine's calendar.
    #[must_use]
    pub fn today(&self) -> Day {
        (self.0.clock.today)()
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> UtcMicros {
        (self.0.clock.utc)()
    }

    /// Counts a request of `key`.
    ///
    /// # Errors
    /// 429 with the wait.
    pub fn count(&self, key: &str) -> Result<(), Problem> {
        let Some(buckets) = &self.0.requests else { return Ok(()) };
        take(buckets, key, (self.0.clock.steady)())
    }

    /// Counts an attempt to sign in.
    ///
    /// # Errors
    /// 429 with the wait.
    pub fn count_login(&self, key: &str) -> Result<(), Problem> {
        take(&self.0.login_tries, key, (self.0.clock.steady)())
    }

    /// Notes a look at an athlete's data, unless the same was noted a moment ago. Blocks.
    ///
    /// # Errors
    /// Those of the disk: what cannot be noted is not shown.
    pub fn note(&self, access: Access) -> Result<(), StoreError> {
        let key = (access.actor.clone(), access.athlete.clone(), access.action.clone());
        let now = access.at.micros();
        {
            let mut looks = self.0.looks.lock().unwrap_or_else(PoisonError::into_inner);
            if looks.get(&key).is_some_and(|at| now - at < NOTE_AGAIN_US) {
                return Ok(());
            }
            if looks.len() >= LOOKS {
                looks.retain(|_, at| now - *at < NOTE_AGAIN_US);
            }
            if looks.len() < LOOKS {
                looks.insert(key, now);
            }
        }
        self.0.access.note(&access)
    }

    /// A place for a stream of `key`, freed when it is dropped.
    ///
    /// # Errors
    /// 429 when the caller, 503 when the server has too many.
    pub fn stream_place(&self, key: &str) -> Result<StreamPlace, Problem> {
        let mut streams = self.0.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.values().sum::<usize>() >= self.0.limits.streams {
            let mut problem = Problem::new(
                axum::http::StatusCode::SERVICE_UNAVAILABLE,
                "lope::live::full",
                "Too many people watch at once.",
            );
            problem.retry_after_s = Some(10);
            return Err(problem);
        }
        let own = streams.entry(key.to_owned()).or_insert(0);
        if *own >= self.0.limits.streams_each {
            return Err(Problem::new(
                axum::http::StatusCode::TOO_MANY_REQUESTS,
                "lope::live::too_many",
                "Too many streams are open for one caller.",
            ));
        }
        *own += 1;
        Ok(StreamPlace {
            app: self.clone(),
            key: key.to_owned(),
        })
    }

    /// Streams open now.
    #[must_use]
    pub fn streams_open(&self) -> usize {
        self.0
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .sum()
    }

    /// Says that consents or tokens changed: streams of those who depend on them end and are asked for anew.
    pub fn access_changed(&self) {
        self.0.changed.send_modify(|n| *n += 1);
    }

    /// Tells when consents or tokens change.
    #[must_use]
    pub fn watch_access(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }
}

fn take(buckets: &Mutex<Buckets>, key: &str, now: Duration) -> Result<(), Problem> {
    let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
    buckets.take(key, now).map_err(|wait| {
        let mut problem = Problem::new(
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            "lope::api::rate",
            "That is too often.",
        );
        problem.retry_after_s = Some(wait);
        problem
    })
}

/// A place for a stream.
#[derive(Debug)]
pub struct StreamPlace {
    app: App,
    key: String,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut streams = self.app.0.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = streams.get_mut(&self.key) {
            *n -= 1;
            if *n == 0 {
                streams.remove(&self.key);
            }
        }
    }
}
