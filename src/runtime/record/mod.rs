//! A run recorded from sensors: gathered, kept, computed live, fetched to the last sample, finished.
//!
//! ```text
//!               ┌─► link log (everything, before it is understood)
//! collect ─► feed ─► lanes (session clock, health) ─► signal loop ─► store (first analysis), view
//!                                                                     │ at the end
//!                link log ─► drivers again ─► whole lanes ─► raw samples, second analysis if anything came late
//! ```
//!
//! The live loop cannot wait for samples that a sensor fetches from its memory after a hole; the end of a recording can.
//! So a recording is analysed again from its log when anything came late, and what is shown from then on is that
//! ([`finish`]). The log is also what a cut leaves: a recording that its program did not end is finished from it.

pub mod checks;
pub mod finish;
pub mod lane;
pub mod logging;
pub mod plan;
pub mod settle;
pub mod words;

pub use lane::SensorHealth;
pub use plan::RecordPlan;

use crate::model::{Placement, SensorEvent, SessionTime};
use crate::pipeline::PipelineConfig;
use crate::runtime::collect::{Batch, Collecting, SensorPlan, Told};
use crate::runtime::live::Due;
use crate::runtime::stop::Stop;
use crate::sensors::driver::{Driver, Wish};
use crate::sensors::link::LinkEvent;
use crate::sensors::log::Entry;
use crate::sensors::radio::{Radio, Stamp};
use checks::Standing;
use lane::Lane;
use logging::LinkLog;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// What a sensor sent is marked as kept this often, so that it may forget it, s.
const MARK_EVERY_S: u64 = 5;
/// The same while sensors hand over their last samples.
const MARK_AT_THE_END: Duration = Duration::from_millis(500);
/// Time goes on for lanes without samples this often.
const TICK: Duration = Duration::from_millis(50);
/// After the end of a run, sensors are given this long to hand over what they still hold.
const FETCH_LIMIT: Duration = Duration::from_secs(120);
/// Links are given this long to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(8);

/// A clock for a session that begins now.
#[must_use]
pub fn session_clock() -> Stamp {
    let began = Instant::now();
    Arc::new(move || SessionTime::from_nanos(i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX)))
}

/// What everyone may see of a recording as it happens.
#[derive(Clone, Debug, Default)]
pub struct RecordView {
    /// Each sensor, in the order of the plan.
    pub sensors: Vec<SensorHealth>,
    /// What sensors had to say, newest last: session time and a sentence that begins with the sensor.
    pub notes: Vec<(SessionTime, String)>,
    /// Samples waiting to be fetched after the end, if it has come to that.
    pub fetching: bool,
    /// 99th percentile of the time from a packet's arrival to the signal loop, s.
    pub latency_p99_s: Option<f64>,
}

/// Notes kept for a view.
const NOTES: usize = 64;

/// Arrival to signal loop, in steps of half a millisecond up to 100 ms and beyond.
#[derive(Clone, Debug)]
pub struct Latency {
    counts: Vec<u64>,
    all: u64,
}

const LATENCY_STEP_S: f64 = 0.5e-3;
const LATENCY_STEPS: usize = 200;

impl Default for Latency {
    fn default() -> Self {
        Self {
            counts: vec![0; LATENCY_STEPS + 1],
            all: 0,
        }
    }
}

impl Latency {
    fn note(&mut self, seconds: f64) {
        let step = ((seconds / LATENCY_STEP_S).max(0.0) as usize).min(LATENCY_STEPS);
        self.counts[step] += 1;
        self.all += 1;
    }

    /// The time that `share` of the packets did not exceed, s; `None` without packets.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (self.all as f64 * share).ceil() as u64;
        let mut seen = 0;
        self.counts
            .iter()
            .position(|n| {
                seen += n;
                seen >= wanted.max(1)
            })
            .filter(|_| self.all > 0)
            .map(|step| (step + 1) as f64 * LATENCY_STEP_S)
    }
}

/// A recording under way.
pub struct Feed {
    collecting: Collecting,
    lanes: Vec<Lane>,
    log: LinkLog,
    durable: mpsc::Receiver<usize>,
    stamp: Stamp,
    view: watch::Sender<RecordView>,
    shown: RecordView,
    latency: Latency,
    /// Samples that came before the signal loop was there.
    early: Vec<SensorEvent>,
    /// Events on their way to the signal loop.
    ready: Vec<SensorEvent>,
    log_failed: bool,
    standing: Standing,
    /// Whether the runner is asked to stand still.
    ask_standing: bool,
    /// Sensors that were told to mark and not yet that all is safe.
    marked: Vec<bool>,
}

/// What a feed came to.
#[derive(Debug)]
pub struct Fed {
    /// Each sensor.
    pub sensors: Vec<SensorHealth>,
    /// Whether the live loop missed samples that were fetched later, or sensors that came later.
    pub incomplete: bool,
    /// Why the log could not be written, if it could not.
    pub log: io::Result<()>,
    /// Arrival to signal loop.
    pub latency: Latency,
    /// The end of the recording.
    pub stop: SessionTime,
}

impl Feed {
    /// Begins to collect, and to log.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn start(
        handle: &Handle,
        radio: Arc<dyn Radio>,
        stamp: &Stamp,
        plan: &RecordPlan,
        sensors: Vec<(SensorPlan, Box<dyn Driver>)>,
        log: &Path,
        view: watch::Sender<RecordView>,
    ) -> io::Result<Self> {
        let (to_durable, durable) = mpsc::channel(64);
        let log = LinkLog::create(log, to_durable)?;
        let lanes: Vec<Lane> = sensors.iter().map(|(p, _)| Lane::new(p)).collect();
        let mut first = vec![Entry::Plan {
            sensor: plan::RECORDING,
            text: plan.to_text(),
        }];
        first.extend(sensors.iter().enumerate().map(|(i, (p, _))| Entry::Plan {
            sensor: number(i),
            text: plan::sensor_text(p),
        }));
        let log_failed = !log.push(first);
        let marked = vec![false; lanes.len()];
        Ok(Self {
            collecting: Collecting::start(handle, radio, stamp, sensors),
            lanes,
            log,
            durable,
            stamp: Arc::clone(stamp),
            view,
            shown: RecordView::default(),
            latency: Latency::default(),
            early: Vec::new(),
            ready: Vec::new(),
            log_failed,
            standing: Standing::new(&[]),
            ask_standing: plan.standing,
            marked,
        })
    }

    /// Waits until every sensor streams or cannot, at most `patience`, or until `stop` says so. Gives the configuration
    /// of those that stream.
    pub async fn gather(&mut self, wish: &[Wish], patience: Duration, stop: &Stop) -> PipelineConfig {
        for (sensor, wish) in wish.iter().enumerate() {
            self.collecting.wish(sensor, *wish).await;
        }
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        let mut tick = tokio::time::interval(TICK);
        let mut early = Vec::new();
        while !self.lanes.iter().all(Lane::is_settled) && !stop.asked() && !self.log_failed {
            tokio::select! {
                batch = self.collecting.next() => match batch {
                    Some(batch) => self.take(batch, &mut early),
                    None => break,
                },
                _ = tick.tick() => self.tick(&mut early),
                () = &mut deadline => break,
            }
        }
        self.early.append(&mut early);
        PipelineConfig {
            sensors: self.lanes.iter().filter_map(Lane::config).collect(),
            ..PipelineConfig::default()
        }
    }

    /// The sensors.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Runs until `stop` is asked or `limit` is over, then fetches what sensors still hold, then ends.
    pub async fn run(
        mut self,
        to: mpsc::Sender<Due>,
        stop: Stop,
        limit: Option<Duration>,
        live: Vec<Placement>,
    ) -> Fed {
        if self.ask_standing {
            self.standing = Standing::new(&live);
        }
        let began = Instant::now();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut mark = tokio::time::interval(Duration::from_secs(MARK_EVERY_S));
        mark.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut ending: Option<Instant> = None;
        let mut end = None;
        let mut events = std::mem::take(&mut self.early);
        loop {
            if !self.hand_over(&to, &mut events) {
                // The loop's taker failed; the log still takes everything until the sensors have stopped.
                stop.ask();
            }
            let over = stop.asked() || self.log_failed || limit.is_some_and(|l| began.elapsed() >= l);
            if over && ending.is_none() {
                ending = Some(Instant::now());
                end = Some((self.stamp)());
                self.shown.fetching = true;
                self.collecting.wish_all(Wish::Stop).await;
                // Sensors forget only what is safe, and are done only when they have forgotten.
                mark = tokio::time::interval(MARK_AT_THE_END);
            }
            if let Some(since) = ending
                && (self.lanes.iter().all(Lane::is_done) || since.elapsed() > FETCH_LIMIT)
            {
                break;
            }
            tokio::select! {
                batch = self.collecting.next() => match batch {
                    Some(batch) => self.take(batch, &mut events),
                    None => break,
                },
                Some(sensor) = self.durable.recv() => {
                    self.marked[sensor] = false;
                    self.collecting.wish(sensor, Wish::AllSafe).await;
                }
                _ = mark.tick() => self.mark_all().await,
                _ = tick.tick() => self.tick(&mut events),
            }
        }
        self.finish(to, events, end, &live).await
    }

    async fn mark_all(&mut self) {
        for sensor in 0..self.marked.len() {
            if !std::mem::replace(&mut self.marked[sensor], true) {
                self.collecting.wish(sensor, Wish::Mark).await;
            }
        }
    }

    async fn finish(
        self,
        to: mpsc::Sender<Due>,
        mut events: Vec<SensorEvent>,
        end: Option<SessionTime>,
        live: &[Placement],
    ) -> Fed {
        let stop = end.unwrap_or_else(|| (self.stamp)());
        let Self {
            collecting,
            mut lanes,
            log,
            stamp,
            latency,
            ready,
            ..
        } = self;
        let mut last = Vec::new();
        collecting.end(CLOSE_LIMIT, |batch| last.push(batch)).await;
        for batch in last {
            let _ = log.push(entries(&batch));
            if let Some(lane) = lanes.get_mut(batch.sensor) {
                for told in &batch.told {
                    lane.take(told, stamp(), &mut events, &mut |_| {});
                }
            }
        }
        for lane in &mut lanes {
            lane.flush(&mut events);
        }
        let events = ready.into_iter().chain(events).collect();
        let _ = to
            .send(Due {
                at_s: stop.secs(),
                events,
            })
            .await;
        let ended = log.push(vec![Entry::Ended { at: stop }]);
        let log = log.finish();
        let missed = |lane: &Lane| {
            let came_later = lane.config().is_some_and(|c| !live.contains(&c.placement));
            came_later || lane.counts().late > 0
        };
        Fed {
            incomplete: lanes.iter().any(missed),
            sensors: lanes.iter().map(|l| l.health().clone()).collect(),
            log: log.and_then(|()| {
                if ended {
                    Ok(())
                } else {
                    Err(io::Error::other("the log ended early"))
                }
            }),
            latency,
            stop,
        }
    }

    /// True unless the signal loop is gone. What it has no room for yet stays ready: the loop waits for the store now
    /// and then, and the store for its disk, but what sensors send has to be logged meanwhile.
    fn hand_over(&mut self, to: &mpsc::Sender<Due>, events: &mut Vec<SensorEvent>) -> bool {
        for event in events.drain(..) {
            let standing = self.standing.take(&event);
            self.ready.push(event);
            if let Some(SensorEvent::Standing { from, to }) = standing {
                let seconds = to.since(from);
                self.note(format!("stood still for {seconds:.1} s: tilt is measured against that"));
            }
            self.ready.extend(standing);
        }
        if self.ready.is_empty() {
            return !to.is_closed();
        }
        match to.try_reserve() {
            Ok(room) => {
                room.send(Due {
                    at_s: (self.stamp)().secs(),
                    events: std::mem::take(&mut self.ready),
                });
                true
            }
            Err(mpsc::error::TrySendError::Full(())) => true,
            Err(mpsc::error::TrySendError::Closed(())) => false,
        }
    }

    /// Logs a batch, then understands it.
    fn take(&mut self, batch: Batch, events: &mut Vec<SensorEvent>) {
        if !self.log_failed {
            self.log_failed = !self.log.push(entries(&batch));
        }
        let now = (self.stamp)();
        let Some(lane) = self.lanes.get_mut(batch.sensor) else {
            return;
        };
        let mut sentences = Vec::new();
        for told in &batch.told {
            lane.take(told, now, events, &mut |s| sentences.push(s.to_owned()));
            match told {
                Told::Event(LinkEvent::Frame { at, .. }) => self.latency.note(now.since(*at)),
                Told::Wished(_, Wish::Mark) => {
                    let _ = self.log.checkpoint(batch.sensor);
                }
                _ => {}
            }
        }
        let name = lane
            .health()
            .placement
            .map_or_else(|| lane.health().name.clone(), |p| p.name().replace('_', " "));
        for sentence in sentences {
            self.note(format!("{name}: {sentence}"));
        }
    }

    fn note(&mut self, sentence: String) {
        if self.shown.notes.len() == NOTES {
            self.shown.notes.remove(0);
        }
        self.shown.notes.push(((self.stamp)(), sentence));
    }

    fn tick(&mut self, events: &mut Vec<SensorEvent>) {
        let now = (self.stamp)();
        for lane in &mut self.lanes {
            lane.tick(now, events);
        }
        self.shown.sensors = self.lanes.iter().map(|l| l.health().clone()).collect();
        self.shown.latency_p99_s = self.latency.quantile(0.99);
        self.view.send_replace(self.shown.clone());
    }
}

fn number(sensor: usize) -> u8 {
    u8::try_from(sensor).unwrap_or(u8::MAX)
}

/// What of a batch is logged: what happened, and what the driver was asked; not what it made of it.
fn entries(batch: &Batch) -> Vec<Entry> {
    let sensor = number(batch.sensor);
    batch
        .told
        .iter()
        .filter_map(|told| match told {
            Told::Event(event) => Some(Entry::Event {
                sensor,
                event: event.clone(),
            }),
            Told::Wished(at, wish) => Some(Entry::Wish {
                sensor,
                at: *at,
                text: plan::wish_text(wish),
            }),
            Told::Said(_) | Told::Presence(_) => None,
        })
        .collect()
}
