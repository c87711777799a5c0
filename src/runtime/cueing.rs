//! Cues of a live run: strides in, what to say now out.
//!
//! The machine that decides is pure (`risk::cue`); here it is fed: the step rate of the last strides, the own usual at this
//! speed as the record knows it, whether the data is good enough, and what flags and back allow today.

use super::asking::Mute;
use super::before_run::BeforeRun;
use crate::metrics::MetricId;
use crate::model::{Activity, DataClass};
use crate::pipeline::Output;
use crate::review::own_usual::{OwnUsual, Part, Series};
use crate::risk::Rules;
use crate::risk::cue::{Aim, Cue, Cues, Fair, Moment, Own, Standing, Why, Wish};
use crate::store::{Mark, MarkKind};
use std::collections::VecDeque;
use tokio::sync::watch;

/// Strides whose median is the step rate of now: about six seconds of both feet.
const RECENT: usize = 16;
/// Of these, at least so many must be good or fair.
const FAIR_OF_RECENT: usize = 12;

/// What cues do at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CueState {
    /// What is said, or why nothing.
    pub cue: Cue,
    /// What the step rate is compared with, where that is known.
    pub aim: Option<Aim>,
    /// The step rate now, steps/min.
    pub cadence: Option<f64>,
    /// When, s.
    pub t_s: f64,
}

/// A run's cues, fed with what the pipeline says.
#[derive(Debug)]
pub struct Cueing {
    rules: Rules,
    usual: OwnUsual,
    series: Series,
    cues: Cues,
    standing: Standing,
    /// Highest pain that the runner told of in this run.
    pain: Option<u8>,
    mute: Mute,
    recent: VecDeque<Recent>,
    tell: watch::Sender<CueState>,
}

#[derive(Clone, Copy, Debug)]
struct Recent {
    cadence: Option<f64>,
    speed: Option<f64>,
    fair: bool,
}

/// The median of those that are there.
fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut all: Vec<f64> = values.collect();
    all.sort_by(f64::total_cmp);
    let n = all.len();
    (n > 0).then(|| (all[(n - 1) / 2] + all[n / 2]) / 2.0)
}

impl Cueing {
    /// Cues for a run of whom this is known, and where what they do is told.
    #[must_use]
    pub fn new(before: &BeforeRun, wish: Wish, mute: Mute) -> (Self, watch::Receiver<CueState>) {
        let series = Series::Metric(MetricId::Cadence);
        let standing = before.standing();
        let mut cues = Cues::new(wish, standing);
        // What is known before the first stride: why nothing is said.
        let start = Moment {
            t_s: 0.0,
            cadence: None,
            speed: None,
            grade: None,
            own: None,
            fair: Fair::No,
        };
        let (tell, told) = watch::channel(CueState {
            cue: cues.at(&start),
            aim: None,
            cadence: None,
            t_s: 0.0,
        });
        let cueing = Self {
            usual: OwnUsual::learn(&before.rules, &before.past, &series, Part::All),
            cues,
            standing,
            pain: None,
            rules: before.rules.clone(),
            series,
            mute,
            recent: VecDeque::with_capacity(RECENT),
            tell,
        };
        (cueing, told)
    }

    /// What cues do now.
    #[must_use]
    pub fn state(&self) -> CueState {
        *self.tell.borrow()
    }

    /// What the record knows of the runner changed.
    pub fn known_anew(&mut self, before: &BeforeRun) {
        self.standing = before.standing();
        self.stand();
    }

    /// The runner made a mark. Pain counts as a back score of today; it does not become less by telling of less.
    pub fn marked(&mut self, mark: &Mark) {
        if let MarkKind::Pain(score) = mark.kind {
            self.pain = self.pain.max(Some(score));
            self.stand();
        }
    }

    fn stand(&mut self) {
        self.cues.stand(Standing {
            back: self.standing.back.max(self.pain),
            ..self.standing
        });
    }

    /// Takes what the pipeline said.
    pub fn take(&mut self, output: &Output) {
        let Output::Stride(record) = output else { return };
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        let running = record.stride.activity == Activity::Running;
        self.recent.push_back(Recent {
            cadence: record.metrics.value(MetricId::Cadence).filter(|_| running),
            speed: record.metrics.value(MetricId::Speed).filter(|_| running),
            fair: record.class <= DataClass::B,
        });
        let cadence = middle(self.recent.iter().filter_map(|r| r.cadence));
        let speed = middle(self.recent.iter().filter_map(|r| r.speed));
        let fair = self.recent.iter().filter(|r| r.fair && r.cadence.is_some()).count();
        let now = Moment {
            t_s: record.stride.end.secs(),
            cadence,
            speed,
            // Not measured: docs/signal-chain.md says why.
            grade: None,
            own: cadence.zip(speed).and_then(|(c, v)| self.own(c, v)),
            fair: if fair >= FAIR_OF_RECENT { Fair::Yes } else { Fair::No },
        };
        if self.mute.is_on() {
            self.cues.mute();
        } else {
            self.cues.unmute();
        }
        let state = CueState {
            cue: self.cues.at(&now),
            aim: self.cues.aim(),
            cadence,
            t_s: now.t_s,
        };
        // Nobody may look; the machine goes on.
        self.tell.send_replace(state);
    }

    /// The own step rate at this speed, where it is known.
    fn own(&self, cadence: f64, speed: f64) -> Option<Own> {
        let compared = self.usual.compare(&self.rules, &self.series, speed, cadence).ok()?;
        Some(Own {
            usual: compared.expected + compared.middle,
            low: compared.expected + compared.middle - 2.0 * compared.spread,
        })
    }
}

/// What a view says of a cue; a muted one is told at once, the machine hears of it with the next stride.
#[must_use]
pub fn words(cue: Cue, mute: &Mute) -> String {
    let weightier = matches!(cue, Cue::Silent(Why::Safety | Why::Sore));
    match cue {
        _ if mute.is_on() && !weightier => format!("cue: {}", Why::Muted.words()),
        Cue::Silent(why) => format!("cue: {}", why.words()),
        Cue::Words { target } => format!("cue: light, quick steps (your usual here is {target:.0} a minute)"),
        Cue::Tick { target } => format!("cue: {target:.0} steps a minute"),
    }
}
