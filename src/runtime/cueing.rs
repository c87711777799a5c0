//! Cues of a live run: strides in, what to say now out.
//!
//! The machine that decides is pure (`risk::cue`); here it is fed: the step rate of the last strides, the own usual at this
//! speed as the record knows it, whether the data is good enough, and what flags and back allow today.

use super::asking::Mute;
use super::before_run::BeforeRun;
use crate::metrics::MetricId;
use crate::model::{Activity, DataClass, SessionTime};
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
    /// Marks of cues that began or fell silent, not yet taken.
    turned: Vec<(SessionTime, Mark)>,
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
            turned: Vec::new(),
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
        let was = self.tell.send_replace(state);
        let mark = turn(was.cue, state.cue);
        self.turned.extend(mark.map(|mark| (record.stride.end, mark)));
    }

    /// When cues began to sound and fell silent since the last time, to be kept: what a cue did can be asked later.
    pub fn turned(&mut self) -> Vec<(SessionTime, Mark)> {
        std::mem::take(&mut self.turned)
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

/// The mark of a cue that begins or falls silent.
fn turn(was: Cue, is: Cue) -> Option<Mark> {
    match (target_of(was), target_of(is)) {
        (None, Some(target)) => Some(Mark::cue_begins(target)),
        (Some(_), None) => Some(Mark::cue_ends()),
        _ => None,
    }
}

/// What a cue that sounds aims at.
fn target_of(cue: Cue) -> Option<f64> {
    match cue {
        Cue::Silent(_) => None,
        Cue::Words { target } | Cue::Tick { target } => Some(target),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interchange::flag_rules;
    use crate::metrics::{MetricSet, StrideRecord};
    use crate::model::{QualityParts, SegmentKind, SessionTime, Side, Stride, StrideFlags};
    use crate::review::Past;
    use crate::runtime::asking::{Sound, asking};
    use crate::runtime::stop::Stop;
    use crate::store::AthleteId;
    use crate::store::journal::Day;
    use std::collections::BTreeMap;

    fn stride(end_s: f64) -> Output {
        let mut metrics = MetricSet::default();
        metrics.set(MetricId::Cadence, Ok(160.0));
        metrics.set(MetricId::Speed, Ok(3.0));
        Output::Stride(Box::new(StrideRecord {
            index: 0,
            stride: Stride {
                side: Some(Side::Left),
                seen_from: SegmentKind::Foot,
                start: SessionTime::from_secs(end_s - 0.7),
                end: SessionTime::from_secs(end_s),
                contact: None,
                next_ic: None,
                foot: None,
                activity: Activity::Running,
                flags: StrideFlags::default(),
                quality: QualityParts::FULL,
            },
            metrics,
            class: DataClass::A,
        }))
    }

    #[test]
    fn a_cue_leaves_a_mark_when_it_begins_and_when_it_falls_silent() {
        let (rest, tick) = (Cue::Silent(Why::Rest), Cue::Tick { target: 178.4 });
        assert_eq!(
            turn(rest, tick).map(|m| m.text).as_deref(),
            Some("cue begins: 178 steps a minute")
        );
        assert_eq!(
            turn(tick, Cue::Silent(Why::OnTarget)).map(|m| m.text).as_deref(),
            Some("cue ends")
        );
        assert_eq!(turn(tick, Cue::Tick { target: 179.0 }), None);
        assert_eq!(turn(rest, Cue::Silent(Why::Muted)), None);
    }

    #[test]
    fn silence_has_a_reason_at_any_time_and_pain_told_in_the_run_counts() {
        let athlete = AthleteId::parse("ada").expect("id");
        let past = Past::new(athlete, vec![], BTreeMap::new(), vec![], Day::FIRST);
        let rules = flag_rules::built_in();
        let (asking, _answering) = asking(&Stop::default());
        let mute = asking.mute().clone();
        let (mut cueing, seen) = Cueing::new(&BeforeRun { rules, past }, Wish::Words, mute.clone());
        let now = || seen.borrow().cue;
        assert_eq!(now(), Cue::Silent(Why::WarmUp), "before the first stride");
        asking.sound(0.0, Sound::Off);
        assert_eq!(words(now(), &mute), "cue: muted", "at once");
        cueing.take(&stride(10.0));
        assert_eq!(now(), Cue::Silent(Why::Muted));
        asking.sound(0.0, Sound::On);
        (0..20).for_each(|i| cueing.take(&stride(400.0 + 0.35 * f64::from(i))));
        assert_eq!(now(), Cue::Silent(Why::NotLearned));
        assert_eq!(cueing.state().cadence, Some(160.0));
        cueing.marked(&Mark::new(MarkKind::Pain(5), None));
        cueing.take(&stride(410.0));
        assert_eq!(now(), Cue::Silent(Why::NotLearned), "5 is below the limit");
        cueing.marked(&Mark::new(MarkKind::Pain(6), None));
        cueing.marked(&Mark::new(MarkKind::Pain(1), None));
        cueing.take(&stride(411.0));
        assert_eq!(now(), Cue::Silent(Why::Sore));
        asking.sound(0.0, Sound::Off);
        assert!(words(now(), &mute).contains("sore"), "the weightier reason is told");
    }
}
