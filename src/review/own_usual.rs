//! What is usual for a runner in one series of run values, at any speed that was learned.
//!
//! The same rule as the flags (`risk::usual`): the first comparable runs after the last restart, a line over speed by the
//! median of pairwise slopes, own spread by the median absolute deviation; then frozen. Here for every metric, so that a
//! trend, a card and a flag never disagree about what is usual.

use super::history_of::{Past, PastSession};
use super::run_values::{MetricOfRun, RunSummary, metric_of_raw};
use super::shapes::ReferenceWord;
use crate::metrics::MetricId;
use crate::risk::Rules;
use crate::risk::rules::ChangeIn;
use crate::risk::usual::{Compared, NotCompared, Point, Usual};
use crate::risk::vocabulary::OwnReference;

/// A series of run values: a metric of the registry in its own unit, or a run value of the rule file in that file's.
#[derive(Clone, Debug, PartialEq)]
pub enum Series {
    /// Of the registry.
    Metric(MetricId),
    /// Of the rule file.
    Raw {
        /// Its name.
        name: String,
        /// Its unit.
        unit: String,
    },
}

/// Which part of a run is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All level, steady windows.
    #[default]
    All,
    /// Minutes 5 to 15.
    First,
    /// The last ten minutes.
    Last,
}

impl Part {
    /// The part by its name: `all`, `first`, `last`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            "first" => Some(Self::First),
            "last" => Some(Self::Last),
            _ => None,
        }
    }

    fn of(self, m: &MetricOfRun) -> Option<f64> {
        match self {
            Self::All => Some(m.both),
            Self::First => m.first,
            Self::Last => m.last,
        }
    }
}

impl Series {
    /// The series by name: a metric (`contact_time`) or a run value of the rule file (`contact_asym_pct`).
    #[must_use]
    pub fn from_name(name: &str, rules: &Rules) -> Option<Self> {
        if let Some(id) = MetricId::from_name(name) {
            return Some(Self::Metric(id));
        }
        let raw = rules.measured().find(|n| *n == name).and_then(|n| rules.raw(n))?;
        Some(Self::Raw {
            name: raw.name.clone(),
            unit: raw.unit.clone(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Metric(id) => id.def().name,
            Self::Raw { name, .. } => name,
        }
    }

    /// Words a runner reads.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Metric(id) => id.def().label.to_owned(),
            Self::Raw { name, .. } => {
                let words = name
                    .rsplit_once('_')
                    .map_or(name.as_str(), |(before, _)| before)
                    .replace('_', " ");
                let mut letters = words.chars();
                letters
                    .next()
                    .map_or_else(String::new, |c| c.to_uppercase().collect::<String>() + letters.as_str())
            }
        }
    }

    /// Unit of its numbers, unit shown, factor between them.
    #[must_use]
    pub fn units(&self) -> (String, String, f64) {
        match self {
            Self::Metric(id) => {
                let def = id.def();
                (def.unit.to_owned(), def.shown_unit.to_owned(), def.shown_factor)
            }
            Self::Raw { unit, .. } => (unit.clone(), unit.clone(), 1.0),
        }
    }

    /// The value of a run.
    #[must_use]
    pub fn value(&self, run: &RunSummary, part: Part) -> Option<f64> {
        match self {
            Self::Metric(id) => part.of(run.metrics.get(id.def().name)?),
            Self::Raw { name, .. } if part == Part::All => run.values.metrics.get(name).copied(),
            Self::Raw { .. } => None,
        }
    }

    /// Standard error of the run's value, from its windows; not known of what is made of two sides' medians.
    #[must_use]
    pub fn sigma(&self, run: &RunSummary) -> Option<f64> {
        match self {
            Self::Metric(id) => run.metrics.get(id.def().name)?.sigma,
            Self::Raw { name, .. } if name == "contact_asym_pct" => None,
            Self::Raw { name, .. } => {
                let (id, factor) = metric_of_raw(name)?;
                run.metrics.get(id.def().name)?.sigma.map(|s| s * factor.abs())
            }
        }
    }

    /// Why a run has no value, in words.
    #[must_use]
    pub fn why_absent(&self, run: &RunSummary, part: Part) -> String {
        match self {
            Self::Raw { name, .. } if part == Part::All => run.values.absent.get(name).cloned(),
            _ => None,
        }
        .unwrap_or_else(|| match (part, self) {
            (Part::All, _) => "not measured in this run".to_owned(),
            (_, Self::Raw { .. }) => "only the whole run has this value".to_owned(),
            _ => "no level, steady window in that part of the run".to_owned(),
        })
    }
}

/// The speed at which a run is compared: of the part looked at.
#[must_use]
pub fn speed(run: &RunSummary, part: Part) -> Option<f64> {
    match part {
        Part::All => run.values.speed_ms,
        _ => part.of(run.metrics.get(MetricId::Speed.def().name)?),
    }
}

/// What is usual, with the runs it was learned from.
#[derive(Clone, Debug, Default)]
pub struct OwnUsual {
    usual: Usual,
    full: bool,
}

impl OwnUsual {
    /// Learns from the comparable runs after the last restart, up to the last day of the past.
    #[must_use]
    pub fn learn(rules: &Rules, past: &Past, series: &Series, part: Part) -> Self {
        Self::learn_value(rules, past, part, |run| series.value(run, part))
    }

    /// As [`OwnUsual::learn`], for any value of a run.
    #[must_use]
    pub fn learn_value(rules: &Rules, past: &Past, part: Part, value: impl Fn(&RunSummary) -> Option<f64>) -> Self {
        let since = past.restarts.last().copied();
        let runs = past.comparable().enumerate();
        let after = runs.filter(|(_, (s, _))| since.is_none_or(|d| s.day >= d));
        Self::of(rules, after.map(|(place, (s, run))| (place, s, run)), part, value)
    }

    /// As [`OwnUsual::learn`], but as it stood before the run that began at this place among the comparable runs.
    #[must_use]
    pub fn before(rules: &Rules, past: &Past, series: &Series, session: &PastSession) -> Self {
        let since = past.restarts.iter().copied().filter(|d| *d <= session.day).max();
        let runs = past.comparable().enumerate();
        let earlier = runs
            .filter(|(_, (s, _))| since.is_none_or(|d| s.day >= d) && (s.day, s.start) < (session.day, session.start));
        Self::of(
            rules,
            earlier.map(|(place, (s, run))| (place, s, run)),
            Part::All,
            |run| series.value(run, Part::All),
        )
    }

    fn of<'a>(
        rules: &Rules,
        runs: impl Iterator<Item = (usize, &'a PastSession, &'a RunSummary)>,
        part: Part,
        value: impl Fn(&RunSummary) -> Option<f64>,
    ) -> Self {
        let rule = &rules.reference;
        let mut usual = Usual::default();
        for (place, s, run) in runs {
            if usual.full(rule) {
                break;
            }
            if s.sore(rule.exclude_back_score_ge) {
                continue;
            }
            if let (Some(value), Some(speed_ms)) = (value(run), speed(run, part)) {
                usual.points.push(Point {
                    speed_ms,
                    value,
                    run: place,
                });
            }
        }
        Self {
            full: usual.full(rule),
            usual,
        }
    }

    /// Runs in it.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.usual.points.len()
    }

    /// Whether the comparable run at this place belongs to it.
    #[must_use]
    pub fn holds(&self, place: usize) -> bool {
        self.usual.points.iter().any(|p| p.run == place)
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> ReferenceWord {
        if self.full {
            ReferenceWord::Frozen
        } else {
            ReferenceWord::Learning
        }
    }

    /// Middle speed of its runs.
    #[must_use]
    pub fn middle_speed(&self) -> Option<f64> {
        super::windows::median(&self.usual.points.iter().map(|p| p.speed_ms).collect::<Vec<_>>())
    }

    /// The band of ordinary runs at a speed, in the unit of the value.
    ///
    /// # Errors
    /// Why there is none.
    pub fn band(&self, rule: &OwnReference, speed: f64) -> Result<(f64, f64), NotCompared> {
        // The band does not depend on what is compared with it.
        let c = self.usual.compare("", (speed, 0.0), ChangeIn::Difference, rule)?;
        let (middle, half) = (c.expected + c.middle, rule.scale_factor * c.spread);
        Ok((middle - half, middle + half))
    }

    /// Compares a value at a speed with it.
    ///
    /// # Errors
    /// Why it cannot be compared.
    pub fn compare(&self, rules: &Rules, series: &Series, speed: f64, value: f64) -> Result<Compared, NotCompared> {
        self.usual
            .compare(series.name(), (speed, value), ChangeIn::Difference, &rules.reference)
    }
}
