//! Cues of a live run: strides in, what to say now out.
//!
//! The machine that decides is pure (`risk::cue`); here it is fed: the step rate of the last strides, the own usual at this
//! speed as the record knows it, whether the data is good enough, and what flags and back allow today.

use crate::metrics::MetricId;
use crate::model::{Activity, DataClass};
use crate::pipeline::Output;
use crate::review::flags::flags_now;
use crate::review::own_usual::{OwnUsual, Part, Series};
use crate::review::{CoachingWord, Past, Sight};
use crate::risk::cue::{Cue, Cues, Fair, Moment, Own, Standing, Why, Wish};
use crate::risk::{Coaching, Rules};
use std::collections::VecDeque;
use tokio::sync::watch;

/// Strides whose median is the step rate of now: about six seconds of both feet.
const RECENT: usize = 16;
/// Of these, at least so many must be good or fair.
const FAIR_OF_RECENT: usize = 12;

/// A run's cues, fed with what the pipeline says.
#[derive(Debug)]
pub struct Cueing {
    rules: Rules,
    usual: OwnUsual,
    series: Series,
    cues: Cues,
    recent: VecDeque<Recent>,
    tell: watch::Sender<Cue>,
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

/// What flags and back allow on the last day of the past.
#[must_use]
pub fn standing(rules: &Rules, past: &Past) -> Standing {
    let coaching = match flags_now(rules, past, Sight::Everything).coaching {
        CoachingWord::Open => Coaching::Open,
        CoachingWord::NoCues => Coaching::NoCues,
        CoachingWord::Silent => Coaching::Silent,
    };
    let today = past.index(past.today);
    let checked = past.history.checkins.iter().filter(|c| c.day == today);
    let scores = checked.flat_map(|c| [c.back_now, c.back_morning]).flatten();
    Standing {
        coaching,
        // Scores go from 0 to 10.
        back: scores.reduce(f64::max).map(|s| s.round() as u8),
    }
}

impl Cueing {
    /// Cues for a run of whoever this past is of; the newest cue goes to `tell`.
    #[must_use]
    pub fn new(rules: Rules, past: &Past, wish: Wish, tell: watch::Sender<Cue>) -> Self {
        let series = Series::Metric(MetricId::Cadence);
        Self {
            usual: OwnUsual::learn(&rules, past, &series, Part::All),
            cues: Cues::new(wish, standing(&rules, past)),
            rules,
            series,
            recent: VecDeque::with_capacity(RECENT),
            tell,
        }
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
            grade: None,
            own: cadence.zip(speed).and_then(|(c, v)| self.own(c, v)),
            fair: if fair >= FAIR_OF_RECENT { Fair::Yes } else { Fair::No },
        };
        let cue = self.cues.at(&now);
        // Nobody may look; the machine goes on.
        self.tell.send_if_modified(|told| {
            let new = *told != cue;
            *told = cue;
            new
        });
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

/// What a view says of a cue.
#[must_use]
pub fn words(cue: Cue) -> String {
    match cue {
        Cue::Silent(why) => format!("cue: {}", why.words()),
        Cue::Words { target } => format!("cue: light, quick steps (your usual here is {target:.0} a minute)"),
        Cue::Tick { target } => format!("cue: {target:.0} steps a minute"),
    }
}

/// Before the first stride.
pub const QUIET: Cue = Cue::Silent(Why::WarmUp);
