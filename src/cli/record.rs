//! `lope record`: a run from sensors, live, kept to the last sample.

use super::Globals;
use super::athlete_choice::{self, AthleteArg};
use super::cue_sound::{self, Sound};
use super::failure::{Exit, Failure};
use super::live_keys::{Can, Keys};
use super::live_view::{self, CueSeen, Seen};
use super::sensor_choice::{self, Choice, SensorArgs};
use super::summary::Summary;
#[cfg(feature = "serve")]
use crate::api::live::{Cues, Hub, RunKind};
use crate::model::units::{STANDARD_GRAVITY, rad};
use crate::model::{Athlete, Placement, SegmentKind};
use crate::risk::Coaching;
use crate::risk::cue::Wish as CueWish;
use crate::runtime::asking::{self, Asking};
use crate::runtime::attended::{Attended, Look};
use crate::runtime::collect::SensorPlan;
use crate::runtime::cueing::Cueing;
use crate::runtime::keep::Keeper;
use crate::runtime::live::{self, LiveError, View};
use crate::runtime::offline::Pass;
use crate::runtime::record::checks::KNOCK_LIMIT_S;
use crate::runtime::record::finish::{self, Whole};
use crate::runtime::record::lane::Lane;
use crate::runtime::record::settle::{self, Strides};
use crate::runtime::record::{self, Fed, Feed, RecordPlan, RecordView, SensorHealth};
#[cfg(feature = "serve")]
use crate::runtime::share_live::{Shown, Stage};
use crate::runtime::stop::Stop;
use crate::runtime::tally::Tally;
use crate::sensors::driver::{Driver, Wanted, Wish};
use crate::sensors::drivers;
use crate::sensors::radio::{Radio, Stamp};
use crate::store::{
    Batch, History, RowQuery, SessionEvent, SessionId, SessionRow, SessionState, SqliteStore, Store as _, UtcMicros,
};
use clap::Args;
use serde_json::json;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Arguments of `lope record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    #[command(flatten)]
    sensors: SensorArgs,
    /// Stop by itself after this long: 90s, 30m, 1h30m
    #[arg(long = "for", value_name = "TIME", value_parser = super::time_span)]
    limit: Option<Duration>,
    /// Begin with those that are there after this long
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = super::time_span)]
    wait: Duration,
    /// Take sensors over from another program or phone that records with them; what they hold of its recording is lost
    #[arg(long)]
    force: bool,
    /// Do not ask to stand still at the start; tilt against standing is then not measured
    #[arg(long)]
    no_standing: bool,
    /// Standing height of the runner, m: without it nothing is said of how far the foot lands ahead of the pelvis
    #[arg(long, value_name = "M", value_parser = height)]
    height_m: Option<f64>,
    /// Body mass of the runner, kg: for stiffness and force
    #[arg(long, value_name = "KG", value_parser = mass)]
    mass_kg: Option<f64>,
    /// Say something about step rate while running: a few words, or ticks at 5 % above your usual (docs/cues.md)
    #[arg(long, value_enum, value_name = "HOW")]
    cue: Option<CueArg>,
    /// With --cue: short clicks instead of the terminal's bell
    #[arg(long, requires = "cue")]
    click: bool,
    /// A word to find the run by
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    who: AthleteArg,
    #[cfg(feature = "serve")]
    #[command(flatten)]
    serve: super::serving::ServeBeside,
}

/// How cues are given.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum CueArg {
    /// A few words when your steps stay slower than your usual at this speed
    Words,
    /// Ticks at 5 % above your usual, in bursts
    Metronome,
}

/// Parses a height for clap: people who run are between these.
fn height(text: &str) -> Result<f64, String> {
    between(text, 1.0, 2.5, "metres")
}

/// Parses a mass for clap.
fn mass(text: &str) -> Result<f64, String> {
    between(text, 20.0, 250.0, "kilograms")
}

fn between(text: &str, low: f64, high: f64, unit: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if (low..=high).contains(&v) => Ok(v),
        _ => Err(format!("expected {low} to {high} {unit}")),
    }
}

/// What is asked of a sensor, by where it is worn. Feet land hard and turn fast: foot peaks reach tens of g and more than
/// 2000 °/s, so the widest ranges are asked for there and a sensor gives what it has (firmware-protocol/SPEC.md, section
/// 12). 208 Hz is the rate the accuracy of the signal chain was measured at.
fn wanted(placement: Option<Placement>, session: u64) -> Wanted {
    let (acc_g, gyro_dps) = match placement.map(Placement::segment) {
        Some(SegmentKind::Foot) => (32.0, 4000.0),
        Some(SegmentKind::Shank) => (32.0, 2000.0),
        _ => (16.0, 2000.0),
    };
    Wanted {
        session,
        rate_hz: 208.0,
        acc_range: acc_g * STANDARD_GRAVITY,
        gyro_range: rad(gyro_dps),
    }
}

/// Unpredictable enough to name a recording: the hasher keys of the standard library come from the system's dice.
fn dice() -> [u8; 18] {
    let mut bytes = [0; 18];
    for piece in bytes.chunks_mut(8) {
        let n = RandomState::new().build_hasher().finish().to_le_bytes();
        piece.copy_from_slice(&n[..piece.len()]);
    }
    bytes
}

/// The wall clock.
pub(super) fn now_utc() -> UtcMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMicros::from_micros(i64::try_from(since.as_micros()).unwrap_or(0))
}

/// Where this computer is, as a name of the time zone database.
pub(super) fn time_zone() -> Option<String> {
    jiff::tz::TimeZone::system().iana_name().map(str::to_owned)
}

/// A recording that its program did not end, finished now.
struct Recovered {
    session: String,
    strides: u64,
}

/// Sensors hold a recording for whoever began it: after this long it is somebody else's.
const STILL_OURS: Duration = Duration::from_hours(24);

/// What became of recordings that were cut off.
#[derive(Default)]
struct CutOff {
    /// Finished now.
    done: Vec<Recovered>,
    /// One of today had not come to its first sample: its sensors may still wait for it.
    begun: bool,
}

/// Marks that people made in a run, as they stand in the analysis that is shown.
fn marks_of(store: &SqliteStore, row: Option<&SessionRow>) -> Result<Vec<SessionEvent>, Failure> {
    let Some(row) = row else { return Ok(Vec::new()) };
    let query = RowQuery {
        limit: usize::MAX,
        ..RowQuery::all(row.meta.id.clone())
    };
    let mut events = store.events(&query)?.rows;
    events.retain(|e| matches!(e, SessionEvent::Marker { .. }));
    Ok(events)
}

/// Marks belong to the analysis that is shown from now on, which may be another than the one they were made in.
fn keep_marks(store: &SqliteStore, session: &SessionId, marks: &[SessionEvent]) -> Result<(), Failure> {
    let Some(row) = store.session(session)?.filter(|_| !marks.is_empty()) else {
        return Ok(());
    };
    let mut batch = Batch::new(session.clone(), row.current_analysis);
    for mark in marks {
        batch.push_event(mark.clone())?;
    }
    store.append(batch)?;
    store.flush()?;
    Ok(())
}

/// Finishes recordings that were cut off: their logs say everything.
fn recover(store: &SqliteStore) -> Result<CutOff, Failure> {
    let mut found = CutOff::default();
    for (session, path) in store.link_logs()? {
        let row = store.session(&session)?;
        if row.as_ref().is_some_and(|r| r.state == SessionState::Closed) {
            continue;
        }
        let written = std::fs::metadata(&path).and_then(|m| m.modified()).ok();
        found.begun |= written
            .and_then(|w| w.elapsed().ok())
            .is_some_and(|age| age < STILL_OURS);
        // A log that does not even say what it is of holds no samples either; it stays for whoever wants to look.
        let Ok(mut whole) = finish::read(&path, drivers::driver) else {
            continue;
        };
        if whole.configs().is_empty() {
            continue;
        }
        let marks = marks_of(store, row.as_ref())?;
        let pass = settle::settle(store, &mut whole, Strides::Anew)?;
        keep_marks(store, &session, &marks)?;
        found.done.push(Recovered {
            session: session.to_string(),
            strides: pass.map_or(0, |p| p.tally.strides()),
        });
    }
    Ok(found)
}

/// Runs `lope record`.
///
/// # Errors
/// No radio, no sensors, a store that cannot be written.
pub fn run(globals: &Globals, args: &RecordArgs) -> Result<Exit, Failure> {
    let console = globals.console;
    let dir = globals.data_dir()?;
    let runner = athlete_choice::resolve(globals, &args.who, Some(&dir))?;
    let store = SqliteStore::open(&dir, "lope record")?;
    let recovered = recover(&store)?;
    // The sensors may still be recording for the run that was cut off; what they had sent of it is safe.
    let take_over = args.force || recovered.begun || !recovered.done.is_empty();
    for r in recovered.done {
        console.advice(&format!(
            "an earlier recording was cut off; it is finished now: {} strides, session {}",
            r.strides, r.session
        ));
    }
    super::raw::care(globals, &dir, &store);
    let runtime = live::threads().map_err(|e| super::threads_failed(&e))?;
    #[cfg(feature = "serve")]
    let serving = args.serve.start(globals, &runtime)?;
    let stamp = record::session_clock();
    let start = now_utc();
    let stop = Stop::on_ctrl_c();
    let Choice { radio, sensors } = runtime.block_on(sensor_choice::choose(globals, &args.sensors, &stamp, &stop))?;
    let facts = Athlete {
        height_m: args.height_m.or(runner.facts.height_m),
        mass_kg: args.mass_kg.or(runner.facts.mass_kg),
        // A leg that was measured does not go with a height that is said to be another one.
        leg_length_m: runner.facts.leg_length_m.filter(|_| args.height_m.is_none()),
    };
    let mut plan = RecordPlan::new(start, dice(), runner.id, facts, args.note.clone());
    plan.standing = !args.no_standing;
    plan.tz = time_zone();
    let log = store.link_log(&plan.session)?;
    let session = Session {
        globals,
        args,
        store: &store,
        stop,
        plan,
        stamp,
        take_over,
        #[cfg(feature = "serve")]
        hub: serving.as_ref().map(|s| s.hub.clone()),
    };
    let (recorded, marks) = session.record(&runtime, radio, sensors, &log)?;
    let done = session.end(recorded, &marks);
    #[cfg(feature = "serve")]
    if let Some(serving) = serving {
        serving.stop(&runtime);
    }
    done
}

struct Session<'a> {
    globals: &'a Globals,
    args: &'a RecordArgs,
    store: &'a SqliteStore,
    stop: Stop,
    plan: RecordPlan,
    stamp: Stamp,
    take_over: bool,
    #[cfg(feature = "serve")]
    hub: Option<Hub>,
}

type Recorded = (Whole, Fed, Pass);

impl Session<'_> {
    fn record(
        &self,
        runtime: &tokio::runtime::Runtime,
        radio: Arc<dyn Radio>,
        sensors: Vec<SensorPlan>,
        log: &Path,
    ) -> Result<(Recorded, Vec<SessionEvent>), Failure> {
        let wishes: Vec<Wish> = sensors
            .iter()
            .map(|s| Wish::Stream(wanted(s.placement, self.plan.number)))
            .collect();
        let new_driver = if self.take_over {
            drivers::driver_taking_over
        } else {
            drivers::driver
        };
        let with_drivers: Vec<(SensorPlan, Box<dyn Driver>)> =
            sensors.into_iter().map(|s| (s.clone(), new_driver(s.kind))).collect();
        let (to_record_view, record_view) = watch::channel(RecordView::default());
        let mut feed = Feed::start(
            runtime.handle(),
            radio,
            &self.stamp,
            &self.plan,
            with_drivers,
            log,
            to_record_view,
        )
        .map_err(|e| Failure::writing(log, &e))?;
        self.globals.console.advice("connecting…");
        let config = runtime.block_on(feed.gather(&wishes, self.args.wait, &self.stop));
        self.tell_gathered(feed.lanes());
        if !feed.lanes().iter().any(Lane::is_streaming) {
            return Err(nobody_streams(feed.lanes()));
        }
        if self.plan.standing {
            self.globals
                .console
                .advice("stand still for five seconds, feet hip-wide, look ahead; then run");
        }
        let config = settle::pipeline_config(&self.plan, config.sensors);
        let live_places: Vec<Placement> = config.sensors.iter().map(|s| s.placement).collect();
        let meta = settle::meta_of(&self.plan, config.sensors.clone());
        let mut keeper = Keeper::open(self.store, meta)?.live();
        let (to_view, view) = watch::channel(View::default());
        let (asking, answering) = asking::asking(&self.stop);
        let look = super::flags_record::look(self.globals.data_dir()?, self.plan.athlete.clone())?;
        let (cueing, cue) = self.cueing(&look, &asking)?;
        #[cfg(feature = "serve")]
        let shown = match &self.hub {
            Some(hub) => {
                let name = self.plan.note.as_deref().unwrap_or("Run");
                let who = self.plan.athlete.clone();
                let (kind, sensors) = (RunKind::Record, &config.sensors);
                let mut about = super::serving::about(keeper.session(), who, name, kind, sensors, None);
                if cueing.is_some() {
                    about.cues = Cues::Asked;
                }
                let stage = Stage {
                    hub,
                    handle: runtime.handle(),
                    asking: asking.clone(),
                };
                let before = look()?.for_viewers();
                Shown::begin(stage, about, before, view.clone(), Some(record_view.clone()))
            }
            None => None,
        };
        let mut attended = Attended {
            answering,
            cueing,
            #[cfg(feature = "serve")]
            shown,
            look,
        };
        let seen = Seen {
            view,
            record: Some(record_view),
            cue,
            name: self.plan.note.clone().unwrap_or_default(),
        };
        let viewer = self.viewer(seen, asking);
        let (to_fed, fed) = std::sync::mpsc::sync_channel(1);
        let (stop, limit) = (self.stop.clone(), self.args.limit);
        let source = |to| async move {
            let fed = feed.run(to, stop, limit, live_places).await;
            // The receiver waits below unless the recording has failed already.
            let _ = to_fed.send(fed);
        };
        let mut tally = Tally::default();
        let mut marks: Vec<SessionEvent> = Vec::new();
        let done = live::run_on(runtime, config, source, &self.stop, to_view, |output| {
            tally.take(output);
            attended.take(output);
            for mark in attended.marks() {
                keeper.note(mark.clone())?;
                marks.push(mark);
            }
            keeper.take(output)
        });
        // What was asked when no sensor spoke any more.
        for mark in attended.marks() {
            keeper.note(mark.clone())?;
            marks.push(mark);
        }
        drop(attended);
        let shown = viewer.join();
        let fed = fed.recv();
        let losses = match done {
            Ok(losses) => losses,
            Err(LiveError::Start(e)) => return Err(super::threads_failed(&e)),
            // The log has everything: the next `lope record` finishes the session.
            Err(LiveError::Taker(e)) => return Err(e.into()),
        };
        keeper.flush()?;
        let fed = fed.map_err(|_| {
            Failure::new(
                "lope::record::ended",
                Exit::Unexpected,
                "The recording ended before its sensors did.",
            )
        })?;
        if let Ok(Err(e)) = shown {
            self.globals
                .console
                .advice(&format!("the terminal could not be drawn on: {e}"));
        }
        if let Err(e) = &fed.log {
            self.globals
                .console
                .advice(&format!("{} could not be written to its end: {e}", log.display()));
        }
        let whole = finish::read(log, drivers::driver).map_err(|e| Failure::writing(log, &e))?;
        let pass = Pass {
            tally,
            losses,
            span_s: Some((0.0, fed.stop.secs())),
            truncated: Vec::new(),
        };
        Ok(((whole, fed, pass), marks))
    }

    /// Cues, where they were asked for, and how they are seen; why they will stay silent is said before the run, too.
    fn cueing(&self, look: &Look, asking: &Asking) -> Result<(Option<Cueing>, Option<CueSeen>), Failure> {
        let console = self.globals.console;
        let Some(how) = self.args.cue else {
            return Ok((None, None));
        };
        let wish = match how {
            CueArg::Words => CueWish::Words,
            CueArg::Metronome => CueWish::Metronome,
        };
        let before = look()?;
        if before.standing().coaching != Coaching::Open {
            console.advice("cues stay off: something you ticked should be looked at first (lope flags)");
        }
        let sound = match self.args.click.then(|| Sound::click(&self.globals.data_dir().ok()?)) {
            Some(Some(sound)) => sound,
            Some(None) => {
                console.advice("no player of sounds is installed; cues ring the terminal's bell");
                Sound::bell()
            }
            None => Sound::bell(),
        };
        let mute = asking.mute().clone();
        let (cueing, state) = Cueing::new(&before, wish, mute.clone());
        let seen = CueSeen {
            state: state.clone(),
            mute: mute.clone(),
        };
        std::thread::spawn(move || cue_sound::play(&state, &mute, sound, |words| console.advice(words)));
        Ok((Some(cueing), Some(seen)))
    }

    fn viewer(&self, seen: Seen, asking: Asking) -> JoinHandle<std::io::Result<()>> {
        let console = self.globals.console;
        let drawn = std::io::stdout().is_terminal() && !console.json;
        std::thread::spawn(move || {
            if drawn {
                let can = if seen.cue.is_some() {
                    Can::MarkAndMute
                } else {
                    Can::Mark
                };
                live_view::draw(&seen, Keys::of(asking, can))
            } else {
                if let Some(record) = seen.record.clone() {
                    std::thread::spawn(move || live_view::note_lines(record, console));
                }
                live_view::lines(seen, console);
                Ok(())
            }
        })
    }

    fn tell_gathered(&self, lanes: &[Lane]) {
        for lane in lanes {
            let health = lane.health();
            let place = health.placement.map_or(health.name.as_str(), |p| p.name());
            let rate = lane
                .config()
                .map(|c| format!("  {:.0} Hz", c.rate_hz))
                .unwrap_or_default();
            let firmware = health
                .firmware
                .as_ref()
                .map(|f| format!("  firmware {f}"))
                .unwrap_or_default();
            let battery = health
                .battery_percent
                .map(|b| format!("  battery {b} %"))
                .unwrap_or_default();
            self.globals
                .console
                .advice(&format!("  {place:<12} {:<10}{rate}{firmware}{battery}", health.state));
        }
    }

    /// Left and right shoe sensors look exchanged: whether to exchange them for this run. Off a terminal nothing is
    /// exchanged unasked; the advice says how.
    fn ask_exchange(&self) -> Result<bool, Failure> {
        let console = self.globals.console;
        console.advice(
            "the shoe sensors look exchanged: what is called left runs like a right foot, and the other way round",
        );
        console.advice("the kit is mended with: lope pair");
        if console.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(false);
        }
        console.advice("exchange left and right in this run? [Y/n]");
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(|e| Failure::writing(Path::new("standard input"), &e))?;
        Ok(!answer.trim().eq_ignore_ascii_case("n"))
    }

    /// Settles the recording, tells what it came to.
    fn end(&self, (mut whole, fed, live_pass): Recorded, marks: &[SessionEvent]) -> Result<Exit, Failure> {
        let exchanged = live_pass.tally.swapped.is_some() && self.ask_exchange()?;
        if exchanged {
            whole.exchange_feet();
        }
        let strides = if exchanged {
            Strides::Anew
        } else if fed.incomplete {
            self.globals
                .console
                .advice("samples came late; the strides are computed again with all of them");
            Strides::Anew
        } else {
            Strides::Stand
        };
        let pass = settle::settle(self.store, &mut whole, strides)?.unwrap_or(live_pass);
        super::flags_record::refresh(&self.globals.data_dir()?, &self.plan.athlete)?;
        keep_marks(self.store, &self.plan.session, marks)?;
        let sensors: Vec<&SensorHealth> = whole.sensors.iter().map(|s| &s.health).collect();
        let name = self
            .plan
            .note
            .clone()
            .unwrap_or_else(|| format!("recorded {}", self.plan.start.iso8601()));
        let mut summary = Summary::new(name, fed.stop.secs(), pass.tally, pass.losses);
        summary.stored_as(self.plan.session.to_string());
        let console = self.globals.console;
        if console.json {
            let mut value = summary.json();
            value["collected"] = json!(sensors);
            value["knocks"] = json!(whole.knocks);
            value["latency_p99_s"] = json!(fed.latency.quantile(0.99));
            console.result(&format!("{value:#}\n"))?;
        } else {
            console.result(&format!("{}\n{}{}", summary.text(), account(&sensors), knocked(&whole)))?;
        }
        Ok(if fed.log.is_err() { Exit::Partial } else { Exit::Done })
    }
}

/// What each sensor sent, and what never came.
fn account(sensors: &[&SensorHealth]) -> String {
    let mut text = String::from("  collected\n");
    for s in sensors {
        let place = s.placement.map_or(s.name.as_str(), |p| p.name());
        text.push_str(&format!(
            "    {place:<12} {} samples",
            s.live_samples + s.fetched_samples
        ));
        if s.fetched_samples > 0 {
            text.push_str(&format!(", {} of them fetched afterwards", s.fetched_samples));
        }
        if s.missing.is_empty() {
            text.push_str(", none missing");
        }
        for (why, n) in &s.missing {
            text.push_str(&format!(", {n} missing ({})", why.replace('_', " ")));
        }
        if s.dropped_frames > 0 {
            text.push_str(&format!(", {} packets dropped by this computer", s.dropped_frames));
        }
        for (rule, n) in &s.refused {
            text.push_str(&format!(", {n} packets refused ({rule})"));
        }
        if let (Some(ppm), Some(scatter)) = (s.clock_ppm, s.clock_scatter_s) {
            text.push_str(&format!(", clock {ppm:+.0} ppm ± {:.1} ms", 1e3 * scatter));
        }
        if s.links_lost > 0 {
            text.push_str(&format!(", link lost {}×", s.links_lost));
        }
        text.push('\n');
    }
    text
}

/// What knocks told of the clocks, if there were any.
fn knocked(whole: &Whole) -> String {
    let mut text = String::new();
    for k in &whole.knocks {
        let limit = if k.offset_s.abs() > KNOCK_LIMIT_S {
            "  more than left and right can be compared with"
        } else {
            ""
        };
        text.push_str(&format!(
            "    knock at the {}: {} against {} {:+.1} ms ({} knocks){limit}\n",
            k.when,
            k.second.name(),
            k.first.name(),
            1e3 * k.offset_s,
            k.knocks
        ));
    }
    text
}

fn nobody_streams(lanes: &[Lane]) -> Failure {
    let mut failure = Failure::new("lope::record::no_sensor", Exit::Outside, "No sensor streams.");
    for lane in lanes {
        let health = lane.health();
        let place = health.placement.map_or(health.name.as_str(), |p| p.name());
        let notes = if health.notes.is_empty() {
            health.state.to_owned()
        } else {
            health.notes.join("; ")
        };
        failure = failure.why(format!("{place}: {notes}"));
    }
    failure
        .try_this("wake the sensors, bring them near, and look with: lope scan")
        .try_this("run without hardware: lope demo")
}
