//! What comes from connected sensors, one thing after another, for commands that talk with a person meanwhile.
//!
//! [`Listening`] is the seam: commands are written against it and tested with scripted sensors; [`Connected`] is the real
//! thing.

use super::failure::Failure;
use super::radio::Tuned;
use crate::model::SessionTime;
use crate::runtime::collect::{Batch, Collecting, Presence, SensorPlan, Told};
use crate::sensors::driver::{Progress, Wanted, Wish};
use crate::sensors::drivers::driver;
use crate::sensors::radio::Stamp;
use crate::sensors::said::Said;
use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// After the end is asked for, sensors have this long to send what is under way.
const END_PATIENCE: Duration = Duration::from_secs(6);
/// And links this long to close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(8);

/// One thing heard; sensors by their number in the plan.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A driver said something.
    Said(usize, Said),
    /// Where a sensor is changed.
    Presence(usize, Presence),
    /// Nothing, as long as was waited.
    Nothing,
    /// Nothing will come any more.
    Over,
}

/// Where things are heard.
pub trait Listening {
    /// The next thing, or [`Heard::Nothing`] after `wait`.
    fn next(&mut self, wait: Duration) -> Heard;

    /// Session time.
    fn now(&self) -> SessionTime;
}

/// Sensors connected through a radio.
pub struct Connected {
    handle: Handle,
    stamp: Stamp,
    collecting: Collecting,
    waiting: VecDeque<Heard>,
    progress: Vec<Progress>,
}

impl Connected {
    /// Connects to these sensors, each with its wish.
    #[must_use]
    pub fn start(tuned: &Tuned, plans: Vec<SensorPlan>, wish: Wish) -> Self {
        let progress = vec![Progress::Away; plans.len()];
        let sensors = plans.into_iter().map(|p| (p.clone(), driver(p.kind))).collect();
        let handle = tuned.runtime.handle().clone();
        let collecting = Collecting::start(&handle, std::sync::Arc::clone(&tuned.radio), &tuned.stamp, sensors);
        handle.block_on(collecting.wish_all(wish));
        Self {
            handle,
            stamp: std::sync::Arc::clone(&tuned.stamp),
            collecting,
            waiting: VecDeque::new(),
            progress,
        }
    }

    fn unpack(&mut self, batch: Batch) {
        let Batch { sensor, told } = batch;
        for told in told {
            match told {
                Told::Said(said) => self.waiting.push_back(Heard::Said(sensor, said)),
                Told::Presence(presence) => {
                    if let (Presence::Connected(progress), Some(known)) = (&presence, self.progress.get_mut(sensor)) {
                        *known = *progress;
                    }
                    self.waiting.push_back(Heard::Presence(sensor, presence));
                }
                Told::Event(_) | Told::Wished(..) => {}
            }
        }
    }

    /// Ends streaming, lets the sensors forget what they took for this command only, and closes all links.
    pub fn end(mut self) {
        self.handle.clone().block_on(async {
            self.collecting.wish_all(Wish::Stop).await;
            let end = Instant::now() + END_PATIENCE;
            let at_work = |p: &Progress| matches!(p, Progress::Streaming | Progress::Fetching | Progress::Working);
            while self.progress.iter().any(at_work)
                && let Some(left) = end.checked_duration_since(Instant::now())
                && let Ok(Some(batch)) = tokio::time::timeout(left, self.collecting.next()).await
            {
                self.unpack(batch);
                self.waiting.clear();
            }
            self.collecting.wish_all(Wish::Mark).await;
            self.collecting.wish_all(Wish::AllSafe).await;
            self.collecting.end(CLOSE_PATIENCE, drop).await;
        });
    }
}

impl Listening for Connected {
    fn next(&mut self, wait: Duration) -> Heard {
        if let Some(heard) = self.waiting.pop_front() {
            return heard;
        }
        let handle = self.handle.clone();
        match handle.block_on(async { tokio::time::timeout(wait, self.collecting.next()).await }) {
            Ok(Some(batch)) => {
                self.unpack(batch);
                self.waiting.pop_front().unwrap_or(Heard::Nothing)
            }
            Ok(None) => Heard::Over,
            Err(_) => Heard::Nothing,
        }
    }

    fn now(&self) -> SessionTime {
        (self.stamp)()
    }
}

/// What is asked of sensors that only have to be felt or to stand still: half the rate of a recording, so that many of
/// them fit on one radio. The number is thrown anew each time; nobody resumes such a stream.
#[must_use]
pub fn briefly() -> Wanted {
    Wanted {
        session: RandomState::new().build_hasher().finish().max(1),
        rate_hz: 104.0,
        acc_range: 16.0 * crate::model::units::STANDARD_GRAVITY,
        gyro_range: crate::model::units::rad(2000.0),
    }
}

/// Presses of Enter, from a thread of its own; none when nobody sits at the other end.
pub struct Enter(Option<std::sync::mpsc::Receiver<()>>);

impl Enter {
    /// Begins to read standard input, if it is a terminal.
    #[must_use]
    pub fn watch() -> Self {
        use std::io::{BufRead as _, IsTerminal as _};
        if !std::io::stdin().is_terminal() {
            return Self(None);
        }
        // One press is enough until it is asked for; more are the same wish.
        let (press, pressed) = std::sync::mpsc::sync_channel(1);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                if line.is_err() {
                    return;
                }
                let _ = press.try_send(());
            }
        });
        Self(Some(pressed))
    }

    /// Whether somebody can press.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it was pressed since last asked.
    #[must_use]
    pub fn pressed(&self) -> bool {
        self.0.as_ref().is_some_and(|p| p.try_recv().is_ok())
    }
}

/// The command was ended by Ctrl-C before anything was saved.
#[must_use]
pub fn interrupted() -> Failure {
    Failure::new(
        "lope::sensors::interrupted",
        super::failure::Exit::Interrupted,
        "Stopped; nothing was saved.",
    )
    .why("Ctrl-C was pressed")
    .try_this("run the command again")
}
