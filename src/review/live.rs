//! What a run that goes on is shown beside: the runner's own usual at the speed of the moment, and the flags that stand.
//!
//! Read once, before the run: a run does not change what is usual, and what is said in it counts from the next look on.

use super::flags::flags_now;
use super::history_of::Past;
use super::own_usual::{OwnUsual, Part};
use super::run_values::MetricOfRun;
use super::shapes::LevelWord;
use super::sight::Sight;
use crate::metrics::MetricId as Id;
use crate::risk::Rules;
use crate::risk::vocabulary::OwnReference;
use serde::Serialize;
use std::collections::BTreeMap;

/// A band of the usual, in the unit of what it is a band of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Band {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Bands by the names of a live window's numbers (`cadence_spm`, `contact_left_s`, …).
pub type Bands = BTreeMap<&'static str, Band>;

/// Number of a live window, metric, factor, and which of a run's values is meant.
type Channel = (&'static str, Id, f64, fn(&MetricOfRun) -> Option<f64>);

fn both(m: &MetricOfRun) -> Option<f64> {
    Some(m.both)
}

fn left(m: &MetricOfRun) -> Option<f64> {
    m.left
}

fn right(m: &MetricOfRun) -> Option<f64> {
    m.right
}

/// What a live window shows that has a usual. A leg is compared with itself: legs differ, and that is usual too.
const CHANNELS: [Channel; 9] = [
    ("cadence_spm", Id::Cadence, 1.0, both),
    ("step_length_m", Id::StrideLength, 0.5, both),
    ("stride_length_m", Id::StrideLength, 1.0, both),
    ("contact_left_s", Id::ContactTime, 1.0, left),
    ("contact_right_s", Id::ContactTime, 1.0, right),
    ("drop_left_rad", Id::PelvisDrop, 1.0, left),
    ("drop_right_rad", Id::PelvisDrop, 1.0, right),
    ("tilt_rad", Id::PelvisTilt, 1.0, both),
    ("overstride_m", Id::OverstrideDistance, 1.0, both),
];

/// The runner's usual in everything that is shown live. The default knows nothing.
#[derive(Clone, Debug, Default)]
pub struct LiveUsual {
    rule: Option<OwnReference>,
    channels: Vec<(&'static str, OwnUsual)>,
}

impl LiveUsual {
    /// Learns from the comparable runs of the past, by the rule of the flags.
    #[must_use]
    pub fn learn(rules: &Rules, past: &Past) -> Self {
        let channel = |(name, id, factor, of): &Channel| {
            let value = |run: &super::run_values::RunSummary| {
                let value = of(run.metrics.get(id.def().name)?)?;
                Some(value * factor)
            };
            (*name, OwnUsual::learn_value(rules, past, Part::All, value))
        };
        Self {
            rule: Some(rules.reference),
            channels: CHANNELS.iter().map(channel).collect(),
        }
    }

    /// The bands of ordinary runs at a speed, m/s; `None` while nothing is known there. They are bands of whole runs: a few
    /// strides scatter more.
    #[must_use]
    pub fn at(&self, speed_ms: f64) -> Option<Bands> {
        let rule = self.rule.as_ref()?;
        let bands: Bands = self
            .channels
            .iter()
            .filter_map(|(name, usual)| {
                let (low, high) = usual.band(rule, speed_ms).ok()?;
                Some((*name, Band { low, high }))
            })
            .collect();
        (!bands.is_empty()).then_some(bands)
    }
}

/// A flag that stands before a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StandingFlag {
    /// Its code.
    pub id: String,
    /// How high.
    pub level: LevelWord,
    /// The sentence.
    pub text: String,
}

/// The flags at watch or above on the last day of the past, as somebody with this sight may see them, without those that
/// were muted. While a safety sign stands it is the only one: nothing else is said beside it.
#[must_use]
pub fn standing_flags(rules: &Rules, past: &Past, sight: Sight) -> Vec<StandingFlag> {
    let now = flags_now(rules, past, sight);
    let alone = now.safety.map(|s| s.text);
    let shown = now.flags.into_iter().filter(|f| {
        let muted = f.muted_until.is_some_and(|day| day >= past.today);
        match &alone {
            Some(text) => f.message.as_ref() == Some(text),
            None => !f.hidden && !muted && f.level >= LevelWord::Watch,
        }
    });
    shown
        .map(|f| StandingFlag {
            level: f.level,
            text: f.message.unwrap_or(f.title),
            id: f.id,
        })
        .collect()
}
