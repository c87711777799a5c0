//! Simulated sensors in real time, behind the same seam as a Bluetooth adapter.
//!
//! A task for each link lets the air around a sensor pass in step with the injected clock. The adapter can be switched
//! off, as people do.

use super::air::{Air, Carried};
use crate::model::SessionTime;
use crate::sensors::link::{Command, DownReason, LinkEvent, LinkFailure, LinkInfo};
use crate::sensors::queue::LinkQueue;
use crate::sensors::radio::{Link, OpenError, Pending, Radio, RadioState, Stamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

/// Adverts come this often.
const ADVERT_EVERY: Duration = Duration::from_millis(200);
/// A sensor that does not answer is given up after this.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// A command that is not answered by then never will be.
const COMMAND_LIMIT: Duration = Duration::from_secs(5);
/// Time to sleep when nothing is due; something new wakes the task.
const LONG: Duration = Duration::from_secs(1);
/// Adverts waiting for a slow reader; more are dropped, they come again.
const ADVERTS: usize = 64;

struct Sensor {
    air: Mutex<Air<'static>>,
    changed: Notify,
}

impl Sensor {
    fn air(&self) -> MutexGuard<'_, Air<'static>> {
        self.air.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module's head.
pub struct SimRadio {
    sensors: Vec<Arc<Sensor>>,
    stamp: Stamp,
    state: Arc<Mutex<RadioState>>,
}

impl std::fmt::Debug for SimRadio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimRadio")
            .field("sensors", &self.sensors.len())
            .finish_non_exhaustive()
    }
}

impl SimRadio {
    /// A radio with these sensors in its air.
    #[must_use]
    pub fn new(sensors: Vec<Air<'static>>, stamp: Stamp) -> Self {
        let sensor = |air| {
            Arc::new(Sensor {
                air: Mutex::new(air),
                changed: Notify::new(),
            })
        };
        Self {
            sensors: sensors.into_iter().map(sensor).collect(),
            stamp,
            state: Arc::new(Mutex::new(RadioState::Ready("simulated".to_owned()))),
        }
    }

    /// Switches the adapter: whatever is not [`RadioState::Ready`] ends all links.
    pub fn switch(&self, state: RadioState) {
        let on = matches!(state, RadioState::Ready(_));
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        if !on {
            let now = (self.stamp)();
            for sensor in &self.sensors {
                sensor.air().cut(now, DownReason::AdapterGone);
                sensor.changed.notify_waiters();
            }
        }
    }

    /// All sensors are out of reach from `from` on for so long, s.
    pub fn be_away(&self, from: SessionTime, length_s: f64) {
        for sensor in &self.sensors {
            sensor.air().be_away(from, length_s);
            sensor.changed.notify_waiters();
        }
    }

    /// What was carried for each sensor so far.
    #[must_use]
    pub fn carried(&self) -> Vec<Carried> {
        self.sensors.iter().map(|s| s.air().carried()).collect()
    }

    fn state_now(&self) -> RadioState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn find(&self, os_id: &str) -> Option<Arc<Sensor>> {
        self.sensors
            .iter()
            .find(|s| s.air().peer().advert().os_id == os_id)
            .cloned()
    }
}

impl Radio for SimRadio {
    fn state(&self) -> Pending<'_, RadioState> {
        Box::pin(async { self.state_now() })
    }

    fn scan(&self) -> Pending<'_, Result<mpsc::Receiver<crate::sensors::link::Advert>, RadioState>> {
        Box::pin(async {
            let state = self.state_now();
            if !matches!(state, RadioState::Ready(_)) {
                return Err(state);
            }
            let (to, adverts) = mpsc::channel(ADVERTS);
            let (sensors, stamp) = (self.sensors.clone(), Arc::clone(&self.stamp));
            let state = Arc::clone(&self.state);
            tokio::spawn(async move {
                while !to.is_closed() {
                    let on = matches!(
                        *state.lock().unwrap_or_else(PoisonError::into_inner),
                        RadioState::Ready(_)
                    );
                    for sensor in sensors.iter().filter(|_| on) {
                        let advert = sensor.air().advert(stamp());
                        // A full channel drops it: it is said again.
                        advert.map(|advert| to.try_send(advert));
                    }
                    tokio::time::sleep(ADVERT_EVERY).await;
                }
            });
            Ok(adverts)
        })
    }

    fn open<'a>(&'a self, os_id: &'a str) -> Pending<'a, Result<Box<dyn Link>, OpenError>> {
        Box::pin(async move {
            let state = self.state_now();
            if !matches!(state, RadioState::Ready(_)) {
                return Err(OpenError::Radio(state));
            }
            let sensor = self.find(os_id).ok_or(OpenError::Unknown)?;
            let connected = sensor.air().connect((self.stamp)());
            let Some(info) = connected else {
                tokio::time::sleep(CONNECT_LIMIT).await;
                return Err(OpenError::TimedOut("connect"));
            };
            let queue = Arc::new(LinkQueue::new());
            let answers = Arc::new(Mutex::new(None));
            tokio::spawn(carry(
                Arc::clone(&sensor),
                Arc::clone(&queue),
                Arc::clone(&answers),
                Arc::clone(&self.stamp),
            ));
            let stamp = Arc::clone(&self.stamp);
            Ok(Box::new(SimLink {
                info,
                sensor,
                queue,
                answers,
                stamp,
            }) as Box<dyn Link>)
        })
    }
}

/// Where the answer to the command under way goes.
type Answers = Arc<Mutex<Option<oneshot::Sender<Result<Vec<u8>, LinkFailure>>>>>;

/// Lets time pass for one link until it is over.
async fn carry(sensor: Arc<Sensor>, queue: Arc<LinkQueue>, answers: Answers, stamp: Stamp) {
    loop {
        let changed = sensor.changed.notified();
        let mut events = Vec::new();
        let now = stamp();
        let next = {
            let mut air = sensor.air();
            air.advance(now, &mut events);
            air.next_at()
        };
        let mut over = false;
        for event in events {
            match event {
                LinkEvent::Answered { result, .. } => {
                    if let Some(to) = answers.lock().unwrap_or_else(PoisonError::into_inner).take() {
                        // Whoever asked may have given up.
                        let _ = to.send(result);
                    }
                }
                event => {
                    over |= matches!(event, LinkEvent::Down { .. });
                    queue.push(event);
                }
            }
        }
        if over {
            queue.close();
            return;
        }
        let wait = next.map_or(LONG, |at| Duration::from_secs_f64(at.since(now).clamp(0.000_5, 1.0)));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = changed => {}
        }
    }
}

/// An open link.
struct SimLink {
    info: LinkInfo,
    sensor: Arc<Sensor>,
    queue: Arc<LinkQueue>,
    answers: Answers,
    stamp: Stamp,
}

impl SimLink {
    fn command(&self, command: &Command) {
        self.sensor.air().command(command.clone(), (self.stamp)());
        self.sensor.changed.notify_waiters();
    }
}

impl Drop for SimLink {
    fn drop(&mut self) {
        self.command(&Command::Close);
    }
}

impl Link for SimLink {
    fn info(&self) -> &LinkInfo {
        &self.info
    }

    fn queue(&self) -> Arc<LinkQueue> {
        Arc::clone(&self.queue)
    }

    fn run<'a>(&'a mut self, command: &'a Command) -> Pending<'a, Result<Vec<u8>, LinkFailure>> {
        Box::pin(async move {
            if *command == Command::Close {
                self.command(command);
                return Ok(Vec::new());
            }
            if !self.sensor.air().is_linked() {
                return Err(LinkFailure::Down);
            }
            let (to, answer) = oneshot::channel();
            *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
            self.command(command);
            match tokio::time::timeout(COMMAND_LIMIT, answer).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(LinkFailure::Down),
                Err(_) => Err(LinkFailure::TimedOut),
            }
        })
    }
}
