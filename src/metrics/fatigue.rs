//! How the end of a long run differs from its beginning: the last fifth against minutes 5 to 15, at equal speed.
//!
//! Blocks are compared after what is usual at their speed has been taken away; without a baseline only where both parts
//! were run at the same speed. Six markers are counted. It says what changed, and nothing about why or what follows: form
//! drifts in tired runners, its link to anything else is not shown.

use super::baseline::Baselines;
use super::course::{BlockPoint, Channel, Course};
use super::drift::EARLY_S;
use super::noticeable::{NOTICEABLE, Noticeable, Use};
use super::robust::{biweight, median};
use crate::model::Side;
use std::fmt;

/// Shortest run that is looked at, s.
pub const SHORTEST_S: f64 = 2400.0;
/// The part at the end.
const LAST_SHARE: f64 = 0.2;
/// Fewest blocks of each part.
const FEWEST: usize = 8;
/// Fewest markers measured for a report.
const FEWEST_MARKERS: usize = 3;
/// Without a baseline, largest difference of the two speeds, m/s.
const SAME_SPEED: f64 = 0.15;
/// Standard error of a median over that of a mean, squared: π/2.
const MEDIAN_VARIANCE: f64 = std::f64::consts::FRAC_PI_2;

/// Why there is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReport {
    /// The run is shorter than 40 minutes.
    TooShort,
    /// Fewer than three markers could be measured.
    TooFewMarkers {
        /// How many could.
        measured: u32,
    },
}

/// How speed was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpeedAdjustment {
    /// By what is usual for this runner at each block's speed.
    Usual,
    /// Not needed: both parts were run at the same speed.
    SameSpeed,
}

/// One marker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarkerChange {
    /// The line of the table.
    pub marker: &'static Noticeable,
    /// Median of minutes 5 to 15, in the unit of the metric; the mean of both legs where both are known.
    pub early: f64,
    /// Change to the last fifth, at equal speed.
    pub change: f64,
    /// Smallest change that chance alone would not often make (95 %, blocks taken as independent).
    pub detectable: f64,
    /// How speed was taken out.
    pub adjustment: SpeedAdjustment,
}

impl MarkerChange {
    /// Whether it counts: it goes the way the table says, by at least its size, and beyond chance.
    #[must_use]
    pub fn counts(&self) -> bool {
        let size = self.change.abs();
        self.marker.way.holds(self.change) && size >= self.marker.size.at(self.early) && size > self.detectable
    }

    /// Change as a share of the early value; `None` where that is zero.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.early != 0.0).then(|| self.change / self.early.abs())
    }
}

impl fmt::Display for MarkerChange {
    /// One sentence for a person: what changed, by how much, in the shown unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let def = self.marker.metric.def();
        if self.change.abs() <= self.detectable {
            return write!(f, "{} did not change beyond chance.", def.label);
        }
        let unit = if def.shown_unit == "1" { "" } else { def.shown_unit };
        let shown = self.change * def.shown_factor;
        let decimals = if shown.abs() < 1.0 { 2 } else { 1 };
        let gap = if unit.is_empty() || unit == "°" || unit == "%" {
            ""
        } else {
            " "
        };
        write!(f, "{} changed by {shown:+.decimals$}{gap}{unit}", def.label)?;
        match self.share() {
            Some(share) if def.shown_unit != "%" && def.shown_unit != "°" => write!(f, " ({:+.1} %).", 100.0 * share),
            _ => write!(f, "."),
        }
    }
}

/// The report.
#[derive(Clone, Debug, PartialEq)]
pub struct FatigueReport {
    /// Each marker that could be measured, in the order of the table.
    pub markers: Vec<MarkerChange>,
    /// Where the last part begins, seconds since the run began.
    pub late_from: f64,
}

impl FatigueReport {
    /// How many markers count.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.markers.iter().filter(|m| m.counts()).count()
    }
}

impl fmt::Display for FatigueReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (counted, all) = (self.counted(), self.markers.len());
        write!(
            f,
            "{counted} of {all} markers changed between minutes 5–15 and the last fifth of the run, at equal speed."
        )?;
        self.markers
            .iter()
            .filter(|m| m.counts())
            .try_for_each(|m| write!(f, " {m}"))
    }
}

/// Compares the last fifth of a run with its minutes 5 to 15.
///
/// # Errors
/// [`NoReport::TooShort`] below 40 minutes; [`NoReport::TooFewMarkers`] when fewer than three markers have enough steady,
/// level blocks in both parts at comparable speeds.
pub fn fatigue(course: &Course, baselines: &Baselines) -> Result<FatigueReport, NoReport> {
    if course.secs() < SHORTEST_S {
        return Err(NoReport::TooShort);
    }
    let late_from = (1.0 - LAST_SHARE) * course.secs();
    let markers: Vec<MarkerChange> = NOTICEABLE
        .iter()
        .filter(|n| n.used == Use::Marker)
        .filter_map(|marker| measure(marker, course, baselines, late_from))
        .collect();
    if markers.len() < FEWEST_MARKERS {
        return Err(NoReport::TooFewMarkers {
            measured: markers.len() as u32,
        });
    }
    Ok(FatigueReport { markers, late_from })
}

/// One marker: the mean of the legs, or the whole body.
fn measure(
    marker: &'static Noticeable,
    course: &Course,
    baselines: &Baselines,
    late_from: f64,
) -> Option<MarkerChange> {
    let mut of_series = [None, Some(Side::Left), Some(Side::Right)]
        .into_iter()
        .filter_map(|side| {
            let channel = Channel {
                metric: marker.metric,
                side,
            };
            let early = course.between(channel, EARLY_S.0, EARLY_S.1);
            let late = course.between(channel, late_from, f64::INFINITY);
            change(channel, early, late, baselines)
        });
    let first = of_series.next()?;
    let (mut n, mut early, mut sum, mut variance) = (1.0, first.0, first.1, first.2);
    let mut adjustment = first.3;
    for (e, c, v, a) in of_series {
        (n, early, sum, variance) = (n + 1.0, early + e, sum + c, variance + v);
        if a == SpeedAdjustment::SameSpeed {
            adjustment = a;
        }
    }
    Some(MarkerChange {
        marker,
        early: early / n,
        change: sum / n,
        detectable: 1.96 * variance.sqrt() / n,
        adjustment,
    })
}

/// Early median, change, variance of the change, and how speed was taken out.
fn change(
    channel: Channel,
    early: &[BlockPoint],
    late: &[BlockPoint],
    baselines: &Baselines,
) -> Option<(f64, f64, f64, SpeedAdjustment)> {
    let values = |points: &[BlockPoint]| points.iter().map(|p| p.value).collect::<Vec<_>>();
    let solved = baselines
        .get(channel)
        .and_then(|b| b.model())
        .and_then(|m| m.solve().ok());
    let residuals = |points: &[BlockPoint]| -> Option<Vec<f64>> {
        let model = solved?;
        let known = points
            .iter()
            .filter_map(|p| model.at(p.speed, p.grade).ok().map(|u| p.value - u.value));
        let known: Vec<f64> = known.collect();
        (known.len() >= FEWEST).then_some(known)
    };
    let (mut a, mut b, adjustment) = match (residuals(early), residuals(late)) {
        (Some(a), Some(b)) => (a, b, SpeedAdjustment::Usual),
        _ => {
            let speed = |points: &[BlockPoint]| median(&mut points.iter().map(|p| p.speed).collect::<Vec<_>>());
            if (speed(early)? - speed(late)?).abs() > SAME_SPEED {
                return None;
            }
            (values(early), values(late), SpeedAdjustment::SameSpeed)
        }
    };
    if a.len() < FEWEST || b.len() < FEWEST {
        return None;
    }
    let variance = |v: &[f64]| {
        let scale = biweight(v).map_or(0.0, |(_, s)| s);
        MEDIAN_VARIANCE * scale * scale / v.len() as f64
    };
    let of_change = variance(&a) + variance(&b);
    let change = median(&mut b)? - median(&mut a)?;
    Some((median(&mut values(early))?, change, of_change, adjustment))
}

#[cfg(test)]
mod tests {
    use super::super::baseline::RunUse;
    use super::super::chance::Chance;
    use super::super::course::example::{BLOCK_S, block};
    use super::super::registry::MetricId as Id;
    use super::*;

    /// Contact time (s), cadence (steps/min), lateral share and tilt (rad) of this runner; blocks scatter by 2 %, 1 %, 4 %
    /// and 0.5°. From `from` seconds on they change by these shares (tilt: radians). Speed runs from `v.0` to `v.1`.
    fn course(seed: u64, minutes: f64, v: (f64, f64), from: f64, change: [f64; 4]) -> Course {
        let mut chance = Chance::new(seed);
        let mut course = Course::default();
        let blocks = (minutes * 60.0 / BLOCK_S) as usize;
        for k in 0..blocks {
            let start = k as f64 * BLOCK_S;
            let speed = v.0 + (v.1 - v.0) * k as f64 / blocks as f64 + 0.05 * chance.normal();
            let c = if start >= from { change } else { [0.0; 4] };
            for (side, late) in [(Side::Left, 0.0), (Side::Right, 0.35)] {
                let medians = [
                    (
                        Id::ContactTime,
                        (0.25 - 0.03 * (speed - 3.0)) * (1.0 + c[0] + 0.02 * chance.normal()),
                    ),
                    (
                        Id::Cadence,
                        (168.0 + 6.0 * (speed - 3.0)) * (1.0 + c[1] + 0.01 * chance.normal()),
                    ),
                    (Id::MlRmsRatio, 0.30 * (1.0 + c[2] + 0.04 * chance.normal())),
                    (Id::PelvisTilt, 0.10 + c[3] + 0.0087 * chance.normal()),
                ];
                course.push(&block(start + late, Some(side), speed, &medians));
            }
        }
        course
    }

    fn baselines() -> Baselines {
        let mut b = Baselines::default();
        for r in 0..8 {
            let speeds = [(2.6, 3.2), (2.9, 3.4), (3.1, 3.7)][r as usize % 3];
            b.take_run(
                r,
                &course(900 + r as u64, 40.0, speeds, 1e9, [0.0; 4]),
                RunUse::CompareAndLearn,
            );
        }
        b
    }

    #[test]
    fn what_changed_is_counted_and_named() {
        let run = course(1, 60.0, (3.0, 3.0), 2400.0, [0.06, -0.03, 0.15, 0.0]);
        let report = fatigue(&run, &baselines()).expect("an hour, four markers");
        assert_eq!(report.markers.len(), 4);
        assert_eq!(report.counted(), 3);
        let contact = &report.markers[0];
        assert!((contact.share().expect("not zero") - 0.06).abs() < 0.015, "{contact:?}");
        assert_eq!(contact.adjustment, SpeedAdjustment::Usual);
        let text = report.to_string();
        assert!(text.starts_with("3 of 4 markers changed"), "{text}");
        assert!(
            text.contains("Contact time changed by +1") && text.contains(" ms (+"),
            "{text}"
        );
        for word in ["injur", "risk", "tired", "fatigue", "should"] {
            assert!(!text.to_lowercase().contains(word), "{text}");
        }
    }

    #[test]
    fn the_other_way_does_not_count() {
        let run = course(2, 60.0, (3.0, 3.0), 2400.0, [-0.06, 0.03, -0.15, 0.06]);
        let report = fatigue(&run, &Baselines::default()).expect("an hour");
        assert_eq!(report.counted(), 1, "{report:?}");
        assert!(report.to_string().contains("Pelvic tilt changed by +3."), "{report}");
    }

    #[test]
    fn slowing_down_alone_changes_nothing_once_the_runner_is_known() {
        // 3.4 to 2.8 m/s: contact time grows by 7 % and cadence falls by 2 % by speed alone.
        let run = course(3, 60.0, (3.4, 2.8), 1e9, [0.0; 4]);
        let report = fatigue(&run, &baselines()).expect("an hour");
        assert_eq!(report.counted(), 0, "{report:?}");
        let unknown = fatigue(&run, &Baselines::default());
        assert_eq!(unknown, Err(NoReport::TooFewMarkers { measured: 0 }));
    }

    #[test]
    fn steady_runs_are_seldom_said_to_have_changed() {
        let known = baselines();
        let counted: usize = (0..200)
            .map(|seed| {
                fatigue(&course(seed, 60.0, (3.0, 3.0), 1e9, [0.0; 4]), &known)
                    .expect("an hour")
                    .counted()
            })
            .sum();
        assert!(counted <= 2, "{counted} of 800 markers");
    }

    #[test]
    fn short_runs_have_no_end_to_speak_of() {
        let run = course(4, 39.0, (3.0, 3.0), 0.0, [0.0; 4]);
        assert_eq!(fatigue(&run, &Baselines::default()), Err(NoReport::TooShort));
        assert_eq!(
            fatigue(&Course::default(), &Baselines::default()),
            Err(NoReport::TooShort)
        );
    }
}
