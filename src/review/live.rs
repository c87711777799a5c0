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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interchange::flag_rules;
    use crate::review::fixture::{FIRST, changed, score, season, usual};
    use crate::store::journal::{Body, CheckIn};

    #[test]
    fn bands_are_those_of_the_own_runs_at_that_speed_and_none_while_they_are_learned() {
        let rules = flag_rules::built_in();
        let eight: Vec<f64> = (0..8).map(usual).collect();
        let past = season(&eight, vec![], FIRST.plus(14));
        let bands = LiveUsual::learn(&rules, &past).at(3.0).expect("learned");
        let cadence = bands["cadence_spm"];
        assert!(cadence.low < 170.0 && 170.0 < cadence.high, "{cadence:?}");
        assert!(cadence.high - cadence.low < 5.0, "a band of ordinary runs: {cadence:?}");
        let (step, stride) = (bands["step_length_m"], bands["stride_length_m"]);
        assert!((2.0 * step.low - stride.low).abs() < 1e-9 && step.low > 0.5, "{step:?}");
        assert!(bands.contains_key("contact_left_s") && bands.contains_key("contact_right_s"));
        assert_eq!(LiveUsual::learn(&rules, &past).at(6.0), None, "never run so fast");
        let young = season(&eight[..2], vec![], FIRST.plus(2));
        assert_eq!(LiveUsual::learn(&rules, &young).at(3.0), None);
        assert_eq!(LiveUsual::default().at(3.0), None);
    }

    #[test]
    fn flags_that_stand_are_told_and_beside_a_safety_sign_nothing_is() {
        let rules = flag_rules::built_in();
        let past = changed(3, vec![]);
        let told = |past: &Past, sight| -> Vec<String> {
            let flags = standing_flags(&rules, past, sight);
            assert!(flags.iter().all(|f| f.level >= LevelWord::Watch && !f.text.is_empty()));
            flags.into_iter().map(|f| f.id).collect()
        };
        assert!(told(&past, Sight::Everything).contains(&"FS1".to_owned()));
        let ticked = CheckIn {
            ticks: vec!["saddle_numb".to_owned()],
            back_now: score(2),
            ..CheckIn::default()
        };
        let said = crate::review::fixture::entry("c1", past.today, Body::CheckIn(ticked));
        let past = changed(3, vec![said]);
        assert_eq!(told(&past, Sight::Everything), ["SY5"]);
        let bare = told(&past, Sight::NoSymptoms);
        assert!(
            bare.contains(&"FS1".to_owned()) && bare.iter().all(|id| !id.starts_with("SY")),
            "{bare:?}"
        );
    }
}
