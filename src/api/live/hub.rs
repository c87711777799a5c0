//! The live runs of this process, and everyone who watches them.

use super::frames::{Gathering, SensorNow, Shown, Window, Word};
use crate::model::{Placement, SensorConfig};
use crate::pipeline::Output;
use crate::store::{AthleteId, SessionId, UtcMicros};
use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};

/// Runs at a time.
pub const RUNS: usize = 20;
/// Frames that a viewer may be behind before it loses some.
pub const DEPTH: usize = 512;
/// Commands waiting for a run.
pub const COMMANDS: usize = 16;
/// What was sent is kept this long, for viewers who come back.
const KEPT: Duration = Duration::from_secs(60);
/// And at most this many frames of a run: a minute at real time has some five hundred.
const KEPT_FRAMES: usize = 2048;
/// Frames of health are sent at most this often.
const HEALTH_EVERY: Duration = Duration::from_secs(2);

/// Where a live run comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Sensors.
    Record,
    /// A recording.
    Replay,
    /// The synthetic runner.
    Demo,
}

/// What a run is.
#[derive(Clone, Debug, PartialEq)]
pub struct RunAbout {
    /// Its session.
    pub session: SessionId,
    /// Who runs.
    pub athlete: AthleteId,
    /// As people know it.
    pub name: String,
    /// Where it comes from.
    pub kind: RunKind,
    /// When it began, by the wall clock.
    pub started: UtcMicros,
    /// Sensors worn.
    pub sensors: Vec<SensorConfig>,
    /// Seconds of signal in a second.
    pub speed_factor: Option<f64>,
}

/// What viewers may ask a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A lap ends here.
    Lap,
    /// Pain, 0 to 10.
    Pain(u8),
    /// A remark.
    Marker(String),
    /// End the run.
    Stop,
}

/// Something sent to viewers: its text as it goes over the wire, written once for all of them.
#[derive(Debug)]
pub struct Frame {
    /// Its number; numbers of all runs rise together.
    pub n: u64,
    /// Of which run.
    pub session: SessionId,
    /// Of whom.
    pub athlete: AthleteId,
    /// Whether the run ends with it.
    pub last: bool,
    /// The text: id, event, data.
    pub wire: Bytes,
    at: Duration,
}

struct Run {
    about: RunAbout,
    ring: VecDeque<Arc<Frame>>,
    to_viewers: broadcast::Sender<Arc<Frame>>,
    commands: mpsc::Sender<Command>,
    /// Ids of commands that were taken, so that sending one twice is harmless.
    taken: VecDeque<String>,
    newest: Option<Window>,
}

struct State {
    runs: BTreeMap<SessionId, Run>,
    next: u64,
    closing: bool,
}

struct Inner {
    boot: String,
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    state: Mutex<State>,
    squad: broadcast::Sender<Arc<Frame>>,
}

/// The live runs; clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("boot", &self.0.boot)
            .finish_non_exhaustive()
    }
}

/// What a viewer begins with.
#[derive(Debug)]
pub struct Beginning {
    /// Greeting, then what was missed.
    pub first: Vec<Bytes>,
    /// What comes.
    pub rest: broadcast::Receiver<Arc<Frame>>,
}

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no such run.
    NoRun,
    /// Too many wait.
    Full,
}

impl Hub {
    /// A hub without runs. `boot` names this start of the program; `clock` only runs forward.
    #[must_use]
    pub fn new(boot: String, clock: Arc<dyn Fn() -> Duration + Send + Sync>) -> Self {
        Self(Arc::new(Inner {
            boot,
            clock,
            state: Mutex::new(State {
                runs: BTreeMap::new(),
                next: 0,
                closing: false,
            }),
            squad: broadcast::Sender::new(DEPTH * 4),
        }))
    }

    /// The name of this start of the program.
    #[must_use]
    pub fn boot(&self) -> &str {
        &self.0.boot
    }

    /// Whether the server ends.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.state().closing
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run; `None` when there are [`RUNS`] already, or one of that session.
    #[must_use]
    pub fn begin(&self, about: RunAbout) -> Option<LiveRun> {
        let (commands, asked) = mpsc::channel(COMMANDS);
        let mut state = self.state();
        if state.runs.len() >= RUNS || state.runs.contains_key(&about.session) {
            return None;
        }
        state.runs.insert(
            about.session.clone(),
            Run {
                about: about.clone(),
                ring: VecDeque::new(),
                to_viewers: broadcast::Sender::new(DEPTH),
                commands,
                taken: VecDeque::new(),
                newest: None,
            },
        );
        drop(state);
        let run = LiveRun {
            hub: self.clone(),
            session: about.session.clone(),
            gathering: Gathering::default(),
            asked: Some(asked),
            health_at: None,
        };
        run.send("hello", hello(&about, Resumed::No));
        Some(run)
    }

    /// The runs now.
    #[must_use]
    pub fn runs(&self) -> Vec<RunAbout> {
        self.state().runs.values().map(|r| r.about.clone()).collect()
    }

    /// The run of a session.
    #[must_use]
    pub fn run(&self, session: &SessionId) -> Option<RunAbout> {
        self.state().runs.get(session).map(|r| r.about.clone())
    }

    /// The latest window of a run.
    #[must_use]
    pub fn newest(&self, session: &SessionId) -> Option<Window> {
        self.state().runs.get(session)?.newest.clone()
    }

    /// Begins to watch a run. `last` is the id of the last frame that the viewer has, if it comes back: what came since is
    /// sent again, as far as it is kept.
    #[must_use]
    pub fn watch(&self, session: &SessionId, last: Option<&str>) -> Option<Beginning> {
        let state = self.state();
        let run = state.runs.get(session)?;
        let from = last.and_then(|id| self.number_of(id));
        let mut first = vec![self.greeting(&run.about, from)];
        first.extend(missed(&run.ring, from));
        // Under the lock: nothing is published between what was kept and what comes.
        Some(Beginning {
            first,
            rest: run.to_viewers.subscribe(),
        })
    }

    /// Begins to watch all runs of these athletes.
    #[must_use]
    pub fn watch_squad(&self, athletes: &[AthleteId], last: Option<&str>) -> Beginning {
        let state = self.state();
        let from = last.and_then(|id| self.number_of(id));
        let runs: Vec<&Run> = state
            .runs
            .values()
            .filter(|r| athletes.contains(&r.about.athlete))
            .collect();
        let mut first: Vec<Bytes> = runs.iter().map(|r| self.greeting(&r.about, from)).collect();
        let mut kept: Vec<&Arc<Frame>> = runs.iter().flat_map(|r| r.ring.iter()).collect();
        kept.sort_unstable_by_key(|f| f.n);
        first.extend(
            kept.into_iter()
                .filter(|f| from.is_some_and(|n| f.n > n))
                .map(|f| f.wire.clone()),
        );
        Beginning {
            first,
            rest: self.0.squad.subscribe(),
        }
    }

    /// Hands a command to a run; the same id twice is taken once.
    ///
    /// # Errors
    /// There is no such run, or it does not keep up.
    pub fn command(&self, session: &SessionId, id: &str, command: Command) -> Result<(), NotTaken> {
        let mut state = self.state();
        let run = state.runs.get_mut(session).ok_or(NotTaken::NoRun)?;
        if run.taken.iter().any(|t| t == id) {
            return Ok(());
        }
        run.commands.try_send(command).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => NotTaken::Full,
            mpsc::error::TrySendError::Closed(_) => NotTaken::NoRun,
        })?;
        if run.taken.len() == 256 {
            run.taken.pop_front();
        }
        run.taken.push_back(id.to_owned());
        Ok(())
    }

    /// The server ends: everyone is told, and nobody begins anew.
    pub fn close(&self) {
        let sessions: Vec<SessionId> = {
            let mut state = self.state();
            state.closing = true;
            state.runs.keys().cloned().collect()
        };
        for session in sessions {
            self.publish(&session, "bye", json!({ "reason": "the server ends" }), Last::Yes);
        }
        // Viewers of the squad without runs hear nothing; they see the flag at their next breath.
    }

    /// The number in an id of this start of the program.
    fn number_of(&self, id: &str) -> Option<u64> {
        let (boot, n) = id.rsplit_once('-')?;
        (boot == self.0.boot).then(|| n.parse().ok()).flatten()
    }

    fn greeting(&self, about: &RunAbout, from: Option<u64>) -> Bytes {
        let resumed = if from.is_some() { Resumed::Yes } else { Resumed::No };
        // Without an id: it is nobody's place in the stream.
        wire(None, "hello", &hello(about, resumed))
    }

    fn publish(&self, session: &SessionId, event: &str, mut data: Value, last: Last) {
        if let Value::Object(fields) = &mut data {
            fields.insert("session".to_owned(), json!(session));
        }
        let at = (self.0.clock)();
        let mut state = self.state();
        state.next += 1;
        let n = state.next;
        let Some(run) = state.runs.get_mut(session) else { return };
        let frame = Arc::new(Frame {
            n,
            session: session.clone(),
            athlete: run.about.athlete.clone(),
            last: last == Last::Yes,
            wire: wire(Some((&self.0.boot, n)), event, &data),
            at,
        });
        while run.ring.len() >= KEPT_FRAMES || run.ring.front().is_some_and(|f| at.saturating_sub(f.at) > KEPT) {
            run.ring.pop_front();
        }
        run.ring.push_back(Arc::clone(&frame));
        // Fails when nobody watches, which is fine.
        let _ = run.to_viewers.send(Arc::clone(&frame));
        let _ = self.0.squad.send(frame);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Resumed {
    Yes,
    No,
}

fn missed(ring: &VecDeque<Arc<Frame>>, from: Option<u64>) -> impl Iterator<Item = Bytes> + '_ {
    ring.iter()
        .filter(move |f| from.is_some_and(|n| f.n > n))
        .map(|f| f.wire.clone())
}

fn hello(about: &RunAbout, resumed: Resumed) -> Value {
    let sensor =
        |s: &SensorConfig| json!({ "placement": s.placement, "rate_hz": s.rate_hz, "kind": segment(s.placement) });
    json!({
        "session": about.session, "athlete": about.athlete, "name": about.name, "kind": about.kind,
        "started_us": about.started, "sensors": about.sensors.iter().map(sensor).collect::<Vec<_>>(),
        "speed_factor": about.speed_factor, "resumed": resumed == Resumed::Yes,
    })
}

fn segment(placement: Placement) -> Value {
    json!(placement.segment())
}

/// The text of a frame. JSON has no line breaks, so one `data` line holds it.
pub(crate) fn wire(id: Option<(&str, u64)>, event: &str, data: &Value) -> Bytes {
    let id = id.map(|(boot, n)| format!("id: {boot}-{n}\n")).unwrap_or_default();
    Bytes::from(format!("{id}event: {event}\ndata: {data}\n\n"))
}

/// A run that is being published. Dropping it says goodbye.
#[derive(Debug)]
pub struct LiveRun {
    hub: Hub,
    session: SessionId,
    gathering: Gathering,
    asked: Option<mpsc::Receiver<Command>>,
    health_at: Option<Duration>,
}

impl LiveRun {
    /// Takes an output of the pipeline.
    pub fn take(&mut self, output: &Output) {
        let (hub, session) = (&self.hub, &self.session);
        self.gathering.take(output, &mut |shown| {
            let (event, data) = match shown {
                Shown::Window(w) => {
                    if let Some(run) = hub.state().runs.get_mut(session) {
                        run.newest = Some((*w).clone());
                    }
                    ("window", json!(w))
                }
                Shown::Stride(s) => ("stride", json!(s)),
                Shown::Event(e) => ("event", json!(e)),
            };
            hub.publish(session, event, data, Last::No);
        });
    }

    /// Tells how the sensors are, if it was not told a moment ago.
    pub fn health(&mut self, sensors: &[SensorNow]) {
        let now = (self.hub.0.clock)();
        if self.health_at.is_some_and(|at| now.saturating_sub(at) < HEALTH_EVERY) {
            return;
        }
        self.health_at = Some(now);
        self.send("health", json!({ "t_s": self.gathering.now_s(), "sensors": sensors }));
    }

    /// Tells something that happened.
    pub fn say(&self, word: &Word) {
        self.send("event", json!(word));
    }

    /// The newest instant of the signal, s.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.gathering.now_s()
    }

    /// What viewers ask of this run; `None` when it was taken already.
    pub fn commands(&mut self) -> Option<mpsc::Receiver<Command>> {
        self.asked.take()
    }

    fn send(&self, event: &str, data: Value) {
        self.hub.publish(&self.session, event, data, Last::No);
    }
}

impl Drop for LiveRun {
    fn drop(&mut self) {
        let reason = json!({ "reason": "the run ended" });
        self.hub.publish(&self.session, "bye", reason, Last::Yes);
        self.hub.state().runs.remove(&self.session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn hub() -> (Hub, Arc<AtomicU64>) {
        let ms = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&ms);
        let hub = Hub::new(
            "b1".to_owned(),
            Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed))),
        );
        (hub, ms)
    }

    fn about(id: &str) -> RunAbout {
        RunAbout {
            session: SessionId::parse(id).expect("id"),
            athlete: AthleteId::parse("ada").expect("id"),
            name: "Ada".to_owned(),
            kind: RunKind::Demo,
            started: UtcMicros::from_micros(7),
            sensors: Vec::new(),
            speed_factor: Some(1.0),
        }
    }

    fn word(i: usize) -> Word {
        Word {
            t_s: 0.0,
            kind: "lap".to_owned(),
            text: format!("word {i}"),
        }
    }

    fn text(frames: &[Bytes]) -> String {
        frames.iter().map(|b| String::from_utf8_lossy(b).into_owned()).collect()
    }

    #[test]
    fn who_comes_back_gets_what_was_missed_and_nothing_twice() {
        let (hub, ms) = hub();
        let run = hub.begin(about("s1")).expect("begins");
        (0..5).for_each(|i| run.say(&word(i)));
        // The greeting was number 1, so word 2 was number 4.
        let back = hub.watch(&about("s1").session, Some("b1-4")).expect("runs");
        let told = text(&back.first);
        assert!(told.contains("\"resumed\":true") && !told.contains("word 2"), "{told}");
        assert!(told.contains("id: b1-5\nevent: event\ndata: ") && told.contains("word 3") && told.contains("word 4"));
        let fresh = hub.watch(&about("s1").session, None).expect("runs");
        assert_eq!(fresh.first.len(), 1);
        // An id of an earlier start of the program is no place in this one.
        assert_eq!(
            hub.watch(&about("s1").session, Some("b0-4")).expect("runs").first.len(),
            1
        );
        ms.store(61_000, Ordering::Relaxed);
        run.say(&word(9));
        let late = text(&hub.watch(&about("s1").session, Some("b1-1")).expect("runs").first);
        assert!(
            !late.contains("word 4") && late.contains("word 9"),
            "only a minute is kept: {late}"
        );
    }

    #[test]
    fn a_viewer_that_does_not_read_costs_nothing_and_learns_how_many_it_lost() {
        let (hub, _) = hub();
        let run = hub.begin(about("s1")).expect("begins");
        let mut slow = hub.watch(&about("s1").session, None).expect("runs").rest;
        (0..DEPTH + 10).for_each(|i| run.say(&word(i)));
        assert!(matches!(
            slow.try_recv(),
            Err(broadcast::error::TryRecvError::Lagged(10))
        ));
        let first = slow.try_recv().expect("the oldest that is left");
        assert!(text(std::slice::from_ref(&first.wire)).contains("word 10"));
    }

    #[test]
    fn viewers_share_the_bytes() {
        let (hub, _) = hub();
        let run = hub.begin(about("s1")).expect("begins");
        let session = about("s1").session;
        let mut viewers: Vec<_> = (0..3).map(|_| hub.watch(&session, None).expect("runs").rest).collect();
        run.say(&word(1));
        let got: Vec<Bytes> = viewers
            .iter_mut()
            .map(|v| v.try_recv().expect("sent").wire.clone())
            .collect();
        assert!(got.windows(2).all(|w| w[0].as_ptr() == w[1].as_ptr()));
    }

    #[test]
    fn a_run_that_ends_says_so_and_is_gone() {
        let (hub, _) = hub();
        let run = hub.begin(about("s1")).expect("begins");
        assert!(hub.begin(about("s1")).is_none(), "twice the same session");
        let mut viewer = hub.watch(&about("s1").session, None).expect("runs").rest;
        drop(run);
        let bye = viewer.try_recv().expect("bye");
        assert!(bye.last && text(std::slice::from_ref(&bye.wire)).contains("event: bye"));
        assert!(hub.runs().is_empty() && hub.watch(&about("s1").session, None).is_none());
        let many: Vec<_> = (0..RUNS)
            .map(|i| hub.begin(about(&format!("s{i}"))).expect("begins"))
            .collect();
        assert!(hub.begin(about("one-more")).is_none());
        drop(many);
    }

    #[test]
    fn a_command_sent_twice_is_taken_once_and_a_full_queue_refuses() {
        let (hub, _) = hub();
        let mut run = hub.begin(about("s1")).expect("begins");
        let session = about("s1").session;
        let mut asked = run.commands().expect("once");
        assert!(run.commands().is_none());
        assert_eq!(hub.command(&session, "a", Command::Lap), Ok(()));
        assert_eq!(hub.command(&session, "a", Command::Lap), Ok(()));
        assert_eq!(asked.try_recv(), Ok(Command::Lap));
        assert!(asked.try_recv().is_err());
        for i in 0..COMMANDS {
            assert_eq!(hub.command(&session, &format!("c{i}"), Command::Pain(3)), Ok(()));
        }
        assert_eq!(hub.command(&session, "more", Command::Lap), Err(NotTaken::Full));
        let other = SessionId::parse("other").expect("id");
        assert_eq!(hub.command(&other, "a", Command::Lap), Err(NotTaken::NoRun));
    }

    #[test]
    fn the_squad_sees_the_runs_of_its_athletes_only() {
        let (hub, _) = hub();
        let run = hub.begin(about("s1")).expect("begins");
        run.say(&word(1));
        let ada = [AthleteId::parse("ada").expect("id")];
        assert_eq!(hub.watch_squad(&ada, Some("b1-0")).first.len(), 3);
        assert!(hub.watch_squad(&[], Some("b1-0")).first.is_empty());
    }
}
