//! How large a change of a metric is worth a word.
//!
//! These sizes are our choice, above measurement error and near differences that studies of tired runners report; none is
//! a clinical limit. The six of the late-run report are those of the lower-back flags' rule file.

use super::registry::MetricId as Id;
use crate::model::units::RAD_PER_DEG;

/// A size of change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// As a share of the usual value.
    Share(f64),
    /// In the unit in which the metric is kept.
    Absolute(f64),
}

impl Size {
    /// The size in the unit of the metric, for a usual value.
    #[must_use]
    pub fn at(self, usual: f64) -> f64 {
        match self {
            Self::Share(s) => s * usual.abs(),
            Self::Absolute(a) => a,
        }
    }
}

/// Which way a change counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Growing.
    Up,
    /// Shrinking.
    Down,
    /// Both.
    Either,
}

impl Way {
    /// Whether a change goes this way.
    #[must_use]
    pub fn holds(self, change: f64) -> bool {
        match self {
            Self::Up => change > 0.0,
            Self::Down => change < 0.0,
            Self::Either => true,
        }
    }
}

/// Whether a metric is among the counted markers of the late-run report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Counted at the end of a long run, and watched within it.
    Marker,
    /// Watched within a run only.
    Watched,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noticeable {
    /// The metric.
    pub metric: Id,
    /// From which size.
    pub size: Size,
    /// Which way.
    pub way: Way,
    /// For what.
    pub used: Use,
}

const fn line(metric: Id, size: Size, way: Way, used: Use) -> Noticeable {
    Noticeable {
        metric,
        size,
        way,
        used,
    }
}

/// The table.
pub const NOTICEABLE: &[Noticeable] = &[
    line(Id::ContactTime, Size::Share(0.04), Way::Up, Use::Marker),
    line(Id::Cadence, Size::Share(0.02), Way::Down, Use::Marker),
    line(
        Id::PelvisTilt,
        Size::Absolute(3.0 * RAD_PER_DEG),
        Way::Either,
        Use::Marker,
    ),
    line(Id::MlRmsRatio, Size::Share(0.10), Way::Up, Use::Marker),
    line(Id::StepRegularityAp, Size::Share(0.10), Way::Down, Use::Marker),
    line(Id::TibialPeakAcc, Size::Share(0.10), Way::Up, Use::Marker),
    line(
        Id::ShankAngleIc,
        Size::Absolute(2.0 * RAD_PER_DEG),
        Way::Up,
        Use::Watched,
    ),
    line(Id::PelvisDrop, Size::Absolute(2.0 * RAD_PER_DEG), Way::Up, Use::Watched),
];

/// The line of a metric, where it has one.
#[must_use]
pub fn noticeable(metric: Id) -> Option<&'static Noticeable> {
    NOTICEABLE.iter().find(|n| n.metric == metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_the_unit_of_the_metric() {
        let contact = noticeable(Id::ContactTime).expect("listed");
        assert!((contact.size.at(0.25) - 0.010).abs() < 1e-12);
        assert!(contact.way.holds(0.01) && !contact.way.holds(-0.01));
        assert!((noticeable(Id::PelvisTilt).expect("listed").size.at(-9.0) - 0.0524).abs() < 1e-4);
        assert!(noticeable(Id::StrideTimeCv).is_none());
        assert_eq!(NOTICEABLE.iter().filter(|n| n.used == Use::Marker).count(), 6);
    }
}
