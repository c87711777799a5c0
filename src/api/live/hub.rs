//! The live runs of this process, and everyone who watches them.

use super::frames::{CueNow, Window};
use super::run::LiveRun;
use crate::model::{Placement, SensorConfig};
use crate::review::Sight;
use crate::review::live::{LiveUsual, StandingFlag};
use crate::store::{AthleteId, Mark, SessionId, UtcMicros};
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
    /// Whether laps, pain and markers are kept; what is only played back keeps nothing.
    pub marks: Marks,
    /// Whether cues were asked for.
    pub cues: Cues,
}

/// What becomes of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// They are kept with the session.
    Kept,
    /// There is nowhere to keep them.
    Nowhere,
}

/// Whether there are cues to mute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cues {
    /// There are.
    Asked,
    /// Nobody asked for any.
    None,
}

/// What is known of the runner before the run.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Their usual.
    pub usual: LiveUsual,
    /// Flags that stand, for who may know everything.
    pub flags: Vec<StandingFlag>,
    /// The same as they are without symptoms.
    pub flags_without_symptoms: Vec<StandingFlag>,
}

/// What viewers may ask a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Something to note.
    Mark(Mark),
    /// No cues from now on.
    Mute,
    /// Cues again.
    Unmute,
    /// The journal of the runner changed.
    LookAgain,
    /// End the run.
    Stop,
}

/// Who is sent a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Everyone who may watch.
    Everyone,
    /// Who has this sight of the runner.
    Only(Sight),
}

impl To {
    /// Whether who has this sight is sent it.
    #[must_use]
    pub fn reaches(self, sight: Sight) -> bool {
        match self {
            Self::Everyone => true,
            Self::Only(wanted) => wanted == sight,
        }
    }
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
    /// Who is sent it.
    pub to: To,
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
    cue: Option<CueNow>,
    before: Before,
}

impl Run {
    /// What who begins to watch has to know: flags that stand, and what cues do.
    fn standing(&self, sight: Sight) -> Vec<Bytes> {
        let flags = match sight {
            Sight::Everything => &self.before.flags,
            Sight::NoSymptoms => &self.before.flags_without_symptoms,
        };
        let cue = self.cue.as_ref().map(|cue| match sight {
            Sight::Everything => cue.clone(),
            Sight::NoSymptoms => cue.without_symptoms(),
        });
        let flags = flags.iter().map(|f| ("flag", json!(f)));
        let all = flags.chain(cue.map(|c| ("cue", json!(c))));
        // Without ids, as the greeting: what came before them is not theirs to say.
        all.map(|(event, data)| wire(None, event, &of_session(&self.about.session, data)))
            .collect()
    }
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
    /// Nothing is kept of it.
    KeepsNothing,
    /// No cues were asked for.
    NoCues,
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

    /// Begins a run of whom this is known; `None` when there are [`RUNS`] already, or one of that session.
    #[must_use]
    pub fn begin(&self, about: RunAbout, before: Before) -> Option<LiveRun> {
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
                cue: (about.cues == Cues::None).then(CueNow::none),
                before: before.clone(),
            },
        );
        drop(state);
        self.publish(&about.session, To::Everyone, "hello", hello(&about, Resumed::No));
        let run = LiveRun::of(self.clone(), &about, before, asked);
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

    /// Begins to watch a run, with this sight of the runner. `last` is the id of the last frame that the viewer has, if it
    /// comes back: what came since is sent again, as far as it is kept.
    #[must_use]
    pub fn watch(&self, session: &SessionId, sight: Sight, last: Option<&str>) -> Option<Beginning> {
        let state = self.state();
        let run = state.runs.get(session)?;
        let from = last.and_then(|id| self.number_of(id));
        let mut first = self.welcome(run, sight, from);
        first.extend(missed(run, sight, from).map(|f| f.wire.clone()));
        // Under the lock: nothing is published between what was kept and what comes.
        Some(Beginning {
            first,
            rest: run.to_viewers.subscribe(),
        })
    }

    /// Begins to watch all runs of these athletes, each with a sight.
    #[must_use]
    pub fn watch_squad(&self, athletes: &BTreeMap<AthleteId, Sight>, last: Option<&str>) -> Beginning {
        let state = self.state();
        let from = last.and_then(|id| self.number_of(id));
        let seen = |r: &&Run| athletes.get(&r.about.athlete).copied();
        let runs: Vec<(&Run, Sight)> = state.runs.values().filter_map(|r| Some((r, seen(&r)?))).collect();
        let mut first: Vec<Bytes> = runs.iter().flat_map(|(r, s)| self.welcome(r, *s, from)).collect();
        let mut kept: Vec<&Arc<Frame>> = runs.iter().flat_map(|(r, s)| missed(r, *s, from)).collect();
        kept.sort_unstable_by_key(|f| f.n);
        first.extend(kept.into_iter().map(|f| f.wire.clone()));
        Beginning {
            first,
            rest: self.0.squad.subscribe(),
        }
    }

    /// Hands a command to a run; the same id twice is taken once.
    ///
    /// # Errors
    /// There is no such run, it cannot do that, or it does not keep up.
    pub fn command(&self, session: &SessionId, id: &str, command: Command) -> Result<(), NotTaken> {
        let mut state = self.state();
        let run = state.runs.get_mut(session).ok_or(NotTaken::NoRun)?;
        match &command {
            Command::Mark(_) if run.about.marks == Marks::Nowhere => return Err(NotTaken::KeepsNothing),
            Command::Mute | Command::Unmute if run.about.cues == Cues::None => return Err(NotTaken::NoCues),
            _ => {}
        }
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

    /// The journal of an athlete changed: their runs look again. A run that does not keep up looks at its next chance or not
    /// at all; nobody waits for it.
    pub fn look_again(&self, athlete: &AthleteId) {
        let state = self.state();
        for run in state.runs.values().filter(|r| r.about.athlete == *athlete) {
            let _ = run.commands.try_send(Command::LookAgain);
        }
    }

    /// The server ends: everyone is told, and nobody begins anew.
    pub fn close(&self) {
        let sessions: Vec<SessionId> = {
            let mut state = self.state();
            state.closing = true;
            state.runs.keys().cloned().collect()
        };
        for session in sessions {
            self.goodbye(&session, "the server ends");
        }
        // Viewers of the squad without runs hear nothing; they see the flag at their next breath.
    }

    /// The number in an id of this start of the program.
    fn number_of(&self, id: &str) -> Option<u64> {
        let (boot, n) = id.rsplit_once('-')?;
        (boot == self.0.boot).then(|| n.parse().ok()).flatten()
    }

    fn welcome(&self, run: &Run, sight: Sight, from: Option<u64>) -> Vec<Bytes> {
        let resumed = if from.is_some() { Resumed::Yes } else { Resumed::No };
        // Without an id: it is nobody's place in the stream.
        let mut all = vec![wire(None, "hello", &hello(&run.about, resumed))];
        all.extend(run.standing(sight));
        all
    }

    /// Keeps a run's newest window, for pages without a script.
    pub(super) fn keep_window(&self, session: &SessionId, window: &Window) {
        if let Some(run) = self.state().runs.get_mut(session) {
            run.newest = Some(window.clone());
        }
    }

    /// Keeps what a run's cues do, for who begins to watch.
    pub(super) fn keep_cue(&self, session: &SessionId, cue: &CueNow) {
        if let Some(run) = self.state().runs.get_mut(session) {
            run.cue = Some(cue.clone());
        }
    }

    /// Keeps the flags that stand, for who begins to watch.
    pub(super) fn keep_before(&self, session: &SessionId, before: &Before) {
        if let Some(run) = self.state().runs.get_mut(session) {
            run.before = before.clone();
        }
    }

    /// The run is over.
    pub(super) fn end(&self, session: &SessionId) {
        self.goodbye(session, "the run ended");
        self.state().runs.remove(session);
    }

    /// The time of this hub.
    pub(super) fn now(&self) -> Duration {
        (self.0.clock)()
    }

    pub(super) fn publish(&self, session: &SessionId, to: To, event: &str, data: Value) {
        self.send(session, to, event, data, Last::No);
    }

    fn goodbye(&self, session: &SessionId, reason: &str) {
        self.send(session, To::Everyone, "bye", json!({ "reason": reason }), Last::Yes);
    }

    fn send(&self, session: &SessionId, to: To, event: &str, data: Value, last: Last) {
        let data = of_session(session, data);
        let at = self.now();
        let mut state = self.state();
        state.next += 1;
        let n = state.next;
        let Some(run) = state.runs.get_mut(session) else { return };
        let frame = Arc::new(Frame {
            n,
            session: session.clone(),
            athlete: run.about.athlete.clone(),
            to,
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

/// Says of which run data is.
fn of_session(session: &SessionId, mut data: Value) -> Value {
    if let Value::Object(fields) = &mut data {
        fields.insert("session".to_owned(), json!(session));
    }
    data
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

/// What was sent after a number, as far as it is kept and for this sight.
fn missed(run: &Run, sight: Sight, from: Option<u64>) -> impl Iterator<Item = &Arc<Frame>> {
    run.ring
        .iter()
        .filter(move |f| from.is_some_and(|n| f.n > n) && f.to.reaches(sight))
}

fn hello(about: &RunAbout, resumed: Resumed) -> Value {
    let sensor =
        |s: &SensorConfig| json!({ "placement": s.placement, "rate_hz": s.rate_hz, "kind": segment(s.placement) });
    json!({
        "session": about.session, "athlete": about.athlete, "name": about.name, "kind": about.kind,
        "started_us": about.started, "sensors": about.sensors.iter().map(sensor).collect::<Vec<_>>(),
        "speed_factor": about.speed_factor, "resumed": resumed == Resumed::Yes,
        "cues": about.cues == Cues::Asked, "marks": about.marks == Marks::Kept,
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

#[cfg(test)]
mod tests {
    use super::super::frames::Word;
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
            marks: Marks::Kept,
            cues: Cues::Asked,
        }
    }

    fn begin(hub: &Hub, id: &str) -> Option<LiveRun> {
        hub.begin(about(id), Before::default())
    }

    fn watch(hub: &Hub, last: Option<&str>) -> Option<Beginning> {
        hub.watch(&about("s1").session, Sight::Everything, last)
    }

    fn word(i: usize) -> Word {
        Word {
            t_s: 0.0,
            kind: "lap".to_owned(),
            text: format!("word {i}"),
        }
    }

    fn lap() -> Command {
        Command::Mark(Mark::new(crate::store::MarkKind::Lap, None))
    }

    fn text(frames: &[Bytes]) -> String {
        frames.iter().map(|b| String::from_utf8_lossy(b).into_owned()).collect()
    }

    #[test]
    fn who_comes_back_gets_what_was_missed_and_nothing_twice() {
        let (hub, ms) = hub();
        let run = begin(&hub, "s1").expect("begins");
        (0..5).for_each(|i| run.say(To::Everyone, &word(i)));
        // The greeting was number 1, so word 2 was number 4.
        let back = watch(&hub, Some("b1-4")).expect("runs");
        let told = text(&back.first);
        assert!(told.contains("\"resumed\":true") && !told.contains("word 2"), "{told}");
        assert!(told.contains("id: b1-5\nevent: event\ndata: ") && told.contains("word 3") && told.contains("word 4"));
        let fresh = watch(&hub, None).expect("runs");
        assert_eq!(fresh.first.len(), 1);
        // An id of an earlier start of the program is no place in this one.
        assert_eq!(watch(&hub, Some("b0-4")).expect("runs").first.len(), 1);
        ms.store(61_000, Ordering::Relaxed);
        run.say(To::Everyone, &word(9));
        let late = text(&watch(&hub, Some("b1-1")).expect("runs").first);
        assert!(
            !late.contains("word 4") && late.contains("word 9"),
            "only a minute is kept: {late}"
        );
    }

    #[test]
    fn a_viewer_that_does_not_read_costs_nothing_and_learns_how_many_it_lost() {
        let (hub, _) = hub();
        let run = begin(&hub, "s1").expect("begins");
        let mut slow = watch(&hub, None).expect("runs").rest;
        (0..DEPTH + 10).for_each(|i| run.say(To::Everyone, &word(i)));
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
        let run = begin(&hub, "s1").expect("begins");
        let mut viewers: Vec<_> = (0..3).map(|_| watch(&hub, None).expect("runs").rest).collect();
        run.say(To::Everyone, &word(1));
        let got: Vec<Bytes> = viewers
            .iter_mut()
            .map(|v| v.try_recv().expect("sent").wire.clone())
            .collect();
        assert!(got.windows(2).all(|w| w[0].as_ptr() == w[1].as_ptr()));
    }

    #[test]
    fn a_run_that_ends_says_so_and_is_gone() {
        let (hub, _) = hub();
        let run = begin(&hub, "s1").expect("begins");
        assert!(begin(&hub, "s1").is_none(), "twice the same session");
        let mut viewer = watch(&hub, None).expect("runs").rest;
        drop(run);
        let bye = viewer.try_recv().expect("bye");
        assert!(bye.last && text(std::slice::from_ref(&bye.wire)).contains("event: bye"));
        assert!(hub.runs().is_empty() && watch(&hub, None).is_none());
        let many: Vec<_> = (0..RUNS)
            .map(|i| begin(&hub, &format!("s{i}")).expect("begins"))
            .collect();
        assert!(begin(&hub, "one-more").is_none());
        drop(many);
    }

    #[test]
    fn a_command_sent_twice_is_taken_once_and_a_full_queue_refuses() {
        let (hub, _) = hub();
        let mut run = begin(&hub, "s1").expect("begins");
        let session = about("s1").session;
        let mut asked = run.commands().expect("once");
        assert!(run.commands().is_none());
        assert_eq!(hub.command(&session, "a", lap()), Ok(()));
        assert_eq!(hub.command(&session, "a", lap()), Ok(()));
        assert_eq!(asked.try_recv(), Ok(lap()));
        assert!(asked.try_recv().is_err());
        for i in 0..COMMANDS {
            assert_eq!(hub.command(&session, &format!("c{i}"), lap()), Ok(()));
        }
        assert_eq!(hub.command(&session, "more", lap()), Err(NotTaken::Full));
        let other = SessionId::parse("other").expect("id");
        assert_eq!(hub.command(&other, "a", lap()), Err(NotTaken::NoRun));
    }

    #[test]
    fn the_squad_sees_the_runs_of_its_athletes_only() {
        let (hub, _) = hub();
        let run = begin(&hub, "s1").expect("begins");
        run.say(To::Everyone, &word(1));
        let ada = BTreeMap::from([(AthleteId::parse("ada").expect("id"), Sight::Everything)]);
        assert_eq!(hub.watch_squad(&ada, Some("b1-0")).first.len(), 3);
        assert!(hub.watch_squad(&BTreeMap::new(), Some("b1-0")).first.is_empty());
    }
}
