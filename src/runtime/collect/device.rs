//! The task of one sensor: link after link, and on each link events to the driver and its commands to the link.

use super::{Batch, Finder, Presence, SensorPlan, Told};
use crate::model::SessionTime;
use crate::sensors::driver::{Driver, Progress, Wish};
use crate::sensors::drivers::DriverKind;
use crate::sensors::link::{Advert, Command, DownReason, LinkEvent, LinkFailure};
use crate::sensors::queue::{CAPACITY, LinkQueue};
use crate::sensors::radio::{Link, OpenError, Radio, Stamp};
use crate::sensors::said::Said;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};

/// Waits between attempts to open, s; the last one repeats for ever.
const BACKOFF_S: [f64; 6] = [0.5, 1.0, 2.0, 4.0, 8.0, 15.0];
/// Waits are spread by ± this share, so that sensors lost together do not come back together.
const SPREAD: f64 = 0.2;
/// Wait after the system said that an earlier attempt still runs, s.
const BUSY_S: f64 = 10.0;
/// No attempt to open lasts longer: connecting on Linux takes up to 35 s, discovering as long.
const OPEN_LIMIT: Duration = Duration::from_secs(80);
/// A sensor is scanned for this long before it is tried by its last address again.
const SEARCH_LIMIT: Duration = Duration::from_secs(20);
/// No command lasts longer; radios have shorter limits of their own.
const COMMAND_LIMIT: Duration = Duration::from_secs(12);
/// A link told to close is over within this, or is given up.
const CLOSE_LIMIT: Duration = Duration::from_secs(7);
/// A streaming sensor that sends nothing for so long is closed and opened again, s.
const SILENT_S: f64 = 8.0;
/// Events worked off before what they mean is handed on.
const EVENTS_A_BATCH: usize = 256;

/// What the task needs.
pub(super) struct Device {
    pub(super) sensor: usize,
    pub(super) plan: SensorPlan,
    pub(super) driver: Box<dyn Driver>,
    pub(super) radio: Arc<dyn Radio>,
    pub(super) stamp: Stamp,
    pub(super) finder: Arc<Finder>,
    pub(super) opening: Arc<Semaphore>,
    pub(super) to: mpsc::Sender<Batch>,
}

/// Nobody wants the sensor any more, or nobody listens.
struct NotWanted;

/// What a link came to.
struct LinkEnd {
    /// Another sensor answered than the one that was meant.
    wrong: bool,
}

impl Device {
    pub(super) async fn run(mut self, mut wishes: mpsc::Receiver<Wish>) {
        let NotWanted = self.links(&mut wishes).await;
        // If nobody listens any more nobody needs to know.
        let _ = self.tell(Told::Presence(Presence::Finished)).await;
    }

    /// Opens, works, waits, for ever.
    async fn links(&mut self, wishes: &mut mpsc::Receiver<Wish>) -> NotWanted {
        let mut failures = 0;
        let mut banned: Vec<String> = Vec::new();
        loop {
            if matches!(self.driver.progress(), Progress::Done | Progress::Unable) {
                // Nothing is left to do with it until a new wish comes.
                match wishes.recv().await {
                    Some(wish) => self.grant(wish).await,
                    None => return NotWanted,
                }
                continue;
            }
            let (radio, opening) = (Arc::clone(&self.radio), Arc::clone(&self.opening));
            let os_id = self.plan.os_id.clone();
            let opening = open(&*radio, &opening, &os_id);
            let opened = tokio::select! {
                opened = opening => opened,
                over = self.meanwhile(wishes) => return over,
            };
            let (told, wait_s) = match opened {
                Ok(link) => {
                    let os_id = link.info().os_id.clone();
                    match self.link(link, wishes).await {
                        Ok(end) if end.wrong => {
                            banned.push(os_id);
                            failures = BACKOFF_S.len();
                        }
                        Ok(_) => failures = 0,
                        Err(over) => return over,
                    }
                    (self.away(None), self.backoff(failures))
                }
                Err(OpenError::Busy) => (self.away(Some(OpenError::Busy)), BUSY_S),
                Err(OpenError::Radio(state)) => (Presence::NoRadio(state), self.backoff(failures)),
                Err(e) => (self.away(Some(e)), self.backoff(failures)),
            };
            failures += 1;
            if self.tell(Told::Presence(told)).await.is_err() {
                return NotWanted;
            }
            tokio::select! {
                () = sleep(Duration::from_secs_f64(wait_s)) => {}
                over = self.meanwhile(wishes) => return over,
            }
            // An address may have changed, and systems forget sensors: look around before the next attempt.
            let (plan, finder) = (self.plan.clone(), Arc::clone(&self.finder));
            if failures > 1 {
                if self.tell(Told::Presence(Presence::Searching)).await.is_err() {
                    return NotWanted;
                }
                let is_it = |advert: &Advert| is_it(&plan, &banned, advert);
                tokio::select! {
                    found = timeout(SEARCH_LIMIT, finder.find(is_it)) => {
                        if let Ok(advert) = found {
                            self.plan.os_id = advert.os_id;
                        }
                    }
                    over = self.meanwhile(wishes) => return over,
                }
            }
        }
    }

    fn away(&self, last: Option<OpenError>) -> Presence {
        Presence::Away {
            since: (self.stamp)(),
            last,
        }
    }

    /// The wait after so many failures in a row, s, spread by sensor and attempt.
    fn backoff(&self, failures: usize) -> f64 {
        let base = BACKOFF_S[failures.min(BACKOFF_S.len() - 1)];
        let mixed = (self.sensor as u64 + 1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add((failures as u64).wrapping_mul(0xBF58_476D_1CE4_E5B9));
        let share = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
        base * (1.0 + SPREAD * (2.0 * share - 1.0))
    }

    async fn tell(&mut self, told: Told) -> Result<(), NotWanted> {
        self.hand_on(vec![told]).await
    }

    async fn hand_on(&mut self, told: Vec<Told>) -> Result<(), NotWanted> {
        let sensor = self.sensor;
        self.to.send(Batch { sensor, told }).await.map_err(|_| NotWanted)
    }

    async fn grant(&mut self, wish: Wish) {
        let now = (self.stamp)();
        self.driver.wish(wish, now);
        // Whoever no longer listens is noticed by the next step.
        let _ = self.tell(Told::Wished(now, wish)).await;
    }

    /// Gives the driver every wish that comes while there is no link; returns when nobody can wish any more.
    async fn meanwhile(&mut self, wishes: &mut mpsc::Receiver<Wish>) -> NotWanted {
        while let Some(wish) = wishes.recv().await {
            self.grant(wish).await;
        }
        NotWanted
    }

    /// Works on one link until it is down.
    async fn link(&mut self, link: Box<dyn Link>, wishes: &mut mpsc::Receiver<Wish>) -> Result<LinkEnd, NotWanted> {
        let queue = link.queue();
        let up = LinkEvent::Up {
            at: (self.stamp)(),
            info: link.info().clone(),
        };
        let (command, commands) = mpsc::channel(1);
        let carrier = tokio::spawn(carry(link, commands, Arc::clone(&queue), Arc::clone(&self.stamp)));
        let mut work = Work {
            queue,
            command: Some(command),
            waiting: false,
            wrong: None,
            progress: Progress::Away,
            hurried: false,
            last_frame: up.at(),
            closing_since: None,
        };
        let ended = self.work(&mut work, up, wishes).await;
        // The carrier ends by itself when its commands' sender is gone; a call that hangs must not hold up the sensor.
        work.command = None;
        if timeout(CLOSE_LIMIT, carrier).await.is_err() {
            self.down_by_hand(&mut work).await?;
        }
        ended?;
        if let Some((expected, found)) = work.wrong.take() {
            self.tell(Told::Presence(Presence::WrongSensor { expected, found }))
                .await?;
            return Ok(LinkEnd { wrong: true });
        }
        Ok(LinkEnd { wrong: false })
    }

    async fn work(
        &mut self,
        work: &mut Work,
        up: LinkEvent,
        wishes: &mut mpsc::Receiver<Wish>,
    ) -> Result<(), NotWanted> {
        let mut events = vec![up];
        let mut wished = Vec::new();
        let mut wanted = true;
        loop {
            let down = self.step(work, &mut events, &mut wished).await;
            let down = if wanted { down? } else { down.unwrap_or(true) };
            if down {
                return if wanted { Ok(()) } else { Err(NotWanted) };
            }
            let now = (self.stamp)();
            if work
                .closing_since
                .is_some_and(|s| now.since(s) > CLOSE_LIMIT.as_secs_f64())
            {
                self.down_by_hand(work).await?;
                return if wanted { Ok(()) } else { Err(NotWanted) };
            }
            let nap = self.nap(work, now);
            tokio::select! {
                biased;
                event = work.queue.pop() => {
                    events.extend(event);
                    while events.len() < EVENTS_A_BATCH
                        && let Some(event) = work.queue.try_pop() {
                        events.push(event);
                    }
                }
                wish = wishes.recv(), if wanted => match wish {
                    Some(wish) => wished.push(wish),
                    None => {
                        wanted = false;
                        work.close(now);
                    }
                },
                () = sleep(nap) => {}
            }
        }
    }

    /// How long nothing may happen before something must be looked at.
    fn nap(&self, work: &Work, now: SessionTime) -> Duration {
        let wake = self.driver.wake_at().filter(|_| !work.waiting);
        let seconds = wake.map_or(1.0, |at| at.since(now).clamp(0.0, 1.0));
        Duration::from_secs_f64(seconds)
    }

    /// Gives the driver what happened, carries on what it wants, hands on what it said. True when the link is down.
    async fn step(
        &mut self,
        work: &mut Work,
        events: &mut Vec<LinkEvent>,
        wished: &mut Vec<Wish>,
    ) -> Result<bool, NotWanted> {
        let now = (self.stamp)();
        let mut told = Vec::new();
        let mut said = Vec::new();
        let mut down = false;
        for wish in wished.drain(..) {
            self.driver.wish(wish, now);
            told.push(Told::Wished(now, wish));
        }
        for event in events.drain(..) {
            if down {
                // The end of a link is final; what is queued behind it is an echo of the end.
                break;
            }
            match &event {
                LinkEvent::Frame { at, .. } => work.last_frame = *at,
                LinkEvent::Answered { .. } => work.waiting = false,
                LinkEvent::Down { .. } => down = true,
                LinkEvent::Up { .. } | LinkEvent::Overflowed { .. } => {}
            }
            self.driver.on_event(&event, &mut said);
            told.push(Told::Event(event));
            self.sort(work, &mut said, &mut told, now);
        }
        self.tell_of_the_queue(work, now);
        while !down && !work.waiting && work.closing_since.is_none() {
            let Some(command) = self.driver.poll(now, &mut said) else {
                break;
            };
            work.carry_out(command, now);
        }
        if down {
            // So that deadlines that the end of the link has decided are told now.
            while self.driver.poll(now, &mut said).is_some() {}
        }
        self.sort(work, &mut said, &mut told, now);
        let progress = self.driver.progress();
        if progress != work.progress {
            work.progress = progress;
            if !down {
                told.push(Told::Presence(Presence::Connected(progress)));
            }
        }
        let silent = now.since(work.last_frame) > SILENT_S;
        if silent && matches!(progress, Progress::Streaming | Progress::Fetching) {
            work.close(now);
        }
        if !told.is_empty() {
            self.hand_on(told).await?;
        }
        Ok(down)
    }

    /// Moves statements to what is told; a sensor that is not the one that was meant is noticed here.
    fn sort(&self, work: &mut Work, said: &mut Vec<Said>, told: &mut Vec<Told>, now: SessionTime) {
        for said in said.drain(..) {
            if let Said::Identity(identity) = &said
                && let (Some(expected), Some(found)) = (&self.plan.id, &identity.id)
                && expected != found
            {
                work.wrong = Some((expected.clone(), found.clone()));
                work.close(now);
            }
            // What another sensor says is not data of this one.
            if work.wrong.is_none() {
                told.push(Told::Said(said));
            }
        }
    }

    fn tell_of_the_queue(&mut self, work: &mut Work, now: SessionTime) {
        let hurried = work.queue.len() > CAPACITY / 2;
        if hurried != work.hurried {
            work.hurried = hurried;
            self.driver
                .wish(if hurried { Wish::Hurried } else { Wish::AtEase }, now);
        }
    }

    /// The radio does not say that the link is over: we do.
    async fn down_by_hand(&mut self, work: &mut Work) -> Result<(), NotWanted> {
        let mut events = vec![LinkEvent::Down {
            at: (self.stamp)(),
            reason: DownReason::Hung("disconnect"),
        }];
        self.step(work, &mut events, &mut Vec::new()).await?;
        Ok(())
    }
}

/// The state of one link.
struct Work {
    queue: Arc<LinkQueue>,
    command: Option<mpsc::Sender<Command>>,
    /// A command is under way.
    waiting: bool,
    /// Expected and found, when another sensor answered.
    wrong: Option<(String, String)>,
    progress: Progress,
    hurried: bool,
    last_frame: SessionTime,
    closing_since: Option<SessionTime>,
}

impl Work {
    fn carry_out(&mut self, command: Command, now: SessionTime) {
        if matches!(command, Command::Close) {
            self.close(now);
            return;
        }
        // The channel has room: only one command is ever under way.
        if let Some(to) = &self.command
            && to.try_send(command).is_ok()
        {
            self.waiting = true;
        }
    }

    /// Asks the link to close, behind a command that may be under way.
    fn close(&mut self, now: SessionTime) {
        if self.closing_since.is_none() {
            self.closing_since = Some(now);
            // Without a sender the carrier closes the link.
            self.command = None;
        }
    }
}

/// Carries out commands one after another; closes the link when no more can come.
async fn carry(mut link: Box<dyn Link>, mut commands: mpsc::Receiver<Command>, queue: Arc<LinkQueue>, stamp: Stamp) {
    while let Some(command) = commands.recv().await {
        let Some(asked) = command.asked() else { break };
        let began = stamp();
        let result = timeout(COMMAND_LIMIT, link.run(&command))
            .await
            .unwrap_or(Err(LinkFailure::TimedOut));
        queue.push(LinkEvent::Answered {
            began,
            at: stamp(),
            asked,
            result,
        });
    }
    // If it hangs, whoever waits for the end of the link says so.
    let _ = timeout(CLOSE_LIMIT, link.run(&Command::Close)).await;
}

async fn open(radio: &dyn Radio, opening: &Semaphore, os_id: &str) -> Result<Box<dyn Link>, OpenError> {
    // The semaphore is never closed.
    let _permit = opening.acquire().await;
    timeout(OPEN_LIMIT, radio.open(os_id))
        .await
        .unwrap_or(Err(OpenError::TimedOut("open")))
}

/// Whether an advert is the planned sensor's: by its address, else by name and protocol.
fn is_it(plan: &SensorPlan, banned: &[String], advert: &Advert) -> bool {
    if banned.contains(&advert.os_id) {
        return false;
    }
    advert.os_id == plan.os_id
        || (!plan.name.is_empty()
            && advert.name.as_deref() == Some(plan.name.as_str())
            && DriverKind::recognise(advert) == Some(plan.kind))
}
