//! Two sets of runs against each other, at the speeds that both ran.
//!
//! Raw means are never compared: a faster day has longer steps. Within the shared speeds both sides get one line each with
//! a common slope (analysis of covariance, ordinary least squares), and the difference is that of the lines. With three
//! runs or more on both sides the points are runs; with fewer they are the 25-stride windows of the runs, and the interval
//! then says how sure the difference of *these runs* is, not how ordinary runs differ. That is what the smallest change is
//! for: 1.96 s √(1/a + 1/b) with the runner's own run-to-run spread s and the numbers of runs a and b.

use super::curves::compared::compared;
use super::history_of::{Past, PastSession, main_ground};
use super::laps::laps_of;
use super::own_usual::{OwnUsual, Part, Series};
use super::record::Review;
use super::run_values::windows_of;
use super::shapes::{Compare, CompareRow, CompareSide, Scatter, SpeedRange};
use super::windows::Window;
use crate::metrics::{METRICS, MetricId as Id, symmetry};
use crate::model::{Side, Span};
use crate::risk::Rules;
use crate::store::journal::{Day, Ground};
use crate::store::{SessionId, SessionRow, StoreError};
use std::collections::BTreeMap;

/// Runs on both sides from which runs are the points.
const RUNS_AS_POINTS: usize = 3;
/// Most runs of a side whose windows are read.
const MOST_READ: usize = 6;
/// Speeds that far apart are still the same, m/s.
const SAME_SPEED: f64 = 0.05;
/// With a spread of speeds below this no slope is told, m/s.
const LEAST_SPREAD: f64 = 0.05;
/// Fewest points of a side.
const FEWEST: usize = 3;
/// Metrics that are not compared: speed is what it is compared at, the two variabilities overlap from window to window.
const PASSED_OVER: [Id; 4] = [Id::Speed, Id::StrideTimeCv, Id::StrideLengthCv, Id::FootStrikeClass];

/// What one side is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// One session, by its id or the beginning of it.
    Session(String),
    /// The last session.
    Last,
    /// One lap of a session, counted from 1; see [`super::laps`].
    Lap(String, u32),
    /// Runs before a day.
    Before(Day),
    /// Runs from a day on.
    From(Day),
    /// Runs in a pair of shoes.
    Shoe(String),
    /// Runs mainly on one ground.
    Ground(Ground),
}

impl Chosen {
    /// Reads `last`, `lap:SESSION:2` (or `lap:last:2`), `before:2026-03-01`, `from:2026-03-01` (`after:` too), `shoe:ID`, `ground:hard`, or a session's id.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let day = |d: &str| Day::parse(d).map_err(|e| e.to_string());
        match text.split_once(':') {
            None if text == "last" => Ok(Self::Last),
            None => Ok(Self::Session(text.to_owned())),
            Some(("before", d)) => Ok(Self::Before(day(d)?)),
            Some(("from" | "after", d)) => Ok(Self::From(day(d)?)),
            Some(("lap", rest)) => {
                let lap = rest
                    .rsplit_once(':')
                    .and_then(|(id, n)| Some((id, n.parse::<u32>().ok()?)));
                match lap {
                    Some((id, n)) if n > 0 && !id.is_empty() => Ok(Self::Lap(id.to_owned(), n)),
                    _ => Err(format!("{text:?} is not lap:SESSION:N with laps counted from 1")),
                }
            }
            Some(("shoe", id)) => Ok(Self::Shoe(id.to_owned())),
            Some(("ground", "hard")) => Ok(Self::Ground(Ground::Hard)),
            Some(("ground", "uneven")) => Ok(Self::Ground(Ground::Uneven)),
            Some(("ground", "other")) => Ok(Self::Ground(Ground::Other)),
            Some((kind, _)) => Err(format!(
                "{kind}: is none of lap:SESSION:N, before:DAY, from:DAY, shoe:ID, ground:hard|uneven|other, and a session's id has no colon"
            )),
        }
    }

    fn label(&self) -> String {
        match self {
            Self::Session(id) => format!("session {id}"),
            Self::Last => "the last run".to_owned(),
            Self::Lap(id, n) if id == "last" => format!("lap {n} of the last run"),
            Self::Lap(id, n) => format!("lap {n} of session {id}"),
            Self::Before(day) => format!("before {day}"),
            Self::From(day) => format!("from {day} on"),
            Self::Shoe(id) => format!("in {id}"),
            Self::Ground(g) => format!(
                "on {} ground",
                match g {
                    Ground::Hard => "hard",
                    Ground::Uneven => "uneven",
                    Ground::Other => "other",
                }
            ),
        }
    }

    fn runs<'a>(&self, past: &'a Past) -> Vec<&'a PastSession> {
        let sensed = past.runs().filter(|s| s.row.is_some());
        // Runs named one by one may be short or left out; of many only those that may be compared count.
        let counts = |s: &&PastSession| !s.left_out && s.run.as_ref().is_some_and(|r| r.values.eligible);
        match self {
            Self::Lap(id, _) if id == "last" => sensed.last().into_iter().collect(),
            Self::Session(id) | Self::Lap(id, _) => sensed
                .filter(|s| s.id().is_some_and(|i| i.as_str().starts_with(id.as_str())))
                .collect(),
            Self::Last => sensed.last().into_iter().collect(),
            Self::Before(day) => sensed.filter(counts).filter(|s| s.day < *day).collect(),
            Self::From(day) => sensed.filter(counts).filter(|s| s.day >= *day).collect(),
            Self::Shoe(id) => sensed
                .filter(counts)
                .filter(|s| s.note.shoe.as_ref().is_some_and(|shoe| shoe.as_str() == id))
                .collect(),
            Self::Ground(g) => sensed.filter(counts).filter(|s| main_ground(s) == Some(*g)).collect(),
        }
    }
}

/// A metric of a side of the body.
type Key = (Id, Option<Side>);

/// Points of one side of the comparison: speed and value.
type Points = BTreeMap<Key, Vec<(f64, f64)>>;

fn keys() -> impl Iterator<Item = Key> {
    METRICS
        .iter()
        .map(|m| m.id)
        .filter(|id| !PASSED_OVER.contains(id))
        .flat_map(|id| {
            let sides: &[Option<Side>] = if symmetry::COMPARED.contains(&id) {
                &[Some(Side::Left), Some(Side::Right)]
            } else {
                &[None]
            };
            sides.iter().map(move |s| (id, *s))
        })
}

fn points_of_runs(runs: &[&PastSession]) -> Points {
    let mut points = Points::new();
    for run in runs.iter().filter_map(|s| s.run.as_ref()) {
        let Some(speed) = run.values.speed_ms else { continue };
        for (id, side) in keys() {
            let metric = run.metrics.get(id.def().name);
            let value = metric.and_then(|m| match side {
                None => Some(m.both),
                Some(Side::Left) => m.left,
                Some(Side::Right) => m.right,
            });
            if let Some(value) = value {
                points.entry((id, side)).or_default().push((speed, value));
            }
        }
    }
    points
}

fn points_of_windows(review: &Review, runs: &[&PastSession], part: Option<Span>) -> Result<Points, StoreError> {
    let mut points = Points::new();
    for id in runs.iter().rev().take(MOST_READ).filter_map(|s| s.id()) {
        let windows = windows_of(review.reader(), id)?;
        let inside = |w: &&Window| part.is_none_or(|p| w.stats.start >= p.start() && w.stats.end <= p.end());
        for w in windows.windows.iter().filter(inside) {
            let Some(speed) = w.stats.medians.value(Id::Speed) else {
                continue;
            };
            for (id, side) in keys().filter(|(_, s)| s.is_none() || *s == w.stats.side) {
                if let Some(value) = w.stats.medians.value(id) {
                    points.entry((id, side)).or_default().push((speed, value));
                }
            }
        }
    }
    Ok(points)
}

/// The comparison.
///
/// # Errors
/// Those of the disk.
pub fn compare(review: &Review, past: &Past, a: &Chosen, b: &Chosen) -> Result<Compare, StoreError> {
    let (mut runs_a, mut runs_b) = (a.runs(past), b.runs(past));
    let (part_a, part_b) = (part(review, a, &mut runs_a)?, part(review, b, &mut runs_b)?);
    let as_runs = runs_a.len() >= RUNS_AS_POINTS && runs_b.len() >= RUNS_AS_POINTS;
    let points = |runs: &[&PastSession], part| -> Result<Points, StoreError> {
        if as_runs {
            Ok(points_of_runs(runs))
        } else {
            points_of_windows(review, runs, part)
        }
    };
    let (points_a, points_b) = (points(&runs_a, part_a)?, points(&runs_b, part_b)?);
    let shared = shared_speed(&points_a, &points_b);
    let rows = keys().filter_map(|key| {
        let empty = Vec::new();
        let (pa, pb) = (
            points_a.get(&key).unwrap_or(&empty),
            points_b.get(&key).unwrap_or(&empty),
        );
        if pa.is_empty() && pb.is_empty() {
            return None;
        }
        let limit = smallest_change(review.rules(), past, key, (runs_a.len(), runs_b.len()));
        Some(row(key, pa, pb, shared, limit))
    });
    let rows: Vec<CompareRow> = rows.collect();
    let scatter = scatter(&points_a, &points_b, shared);
    Ok(Compare {
        a: side(a, &runs_a),
        b: side(b, &runs_b),
        note: missing_lap(review, past, a, b)?
            .or_else(|| note(&runs_a, &runs_b, shared, &points_a, &points_b, as_runs)),
        shared_speed: shared,
        rows,
        scatter,
        curves: compared(
            review.reader(),
            (&rows_of(&runs_a), part_a),
            (&rows_of(&runs_b), part_b),
            shared,
        )?,
    })
}

/// The part of its run that a side looks at; a lap that is not there leaves it without a run.
fn part(review: &Review, chosen: &Chosen, runs: &mut Vec<&PastSession>) -> Result<Option<Span>, StoreError> {
    let Chosen::Lap(_, n) = chosen else { return Ok(None) };
    let Some(id) = runs.first().and_then(|s| s.id()) else {
        return Ok(None);
    };
    let lap = lap(review, id, *n)?;
    if lap.is_none() {
        runs.clear();
    }
    // An id may be the beginning of several; a lap is of one run.
    runs.truncate(1);
    Ok(lap)
}

fn lap(review: &Review, session: &SessionId, n: u32) -> Result<Option<Span>, StoreError> {
    Ok(laps_of(review.reader(), session)?.get(n as usize - 1).copied())
}

/// What is wrong with a lap that was asked for, or what a reader must know of laps.
fn missing_lap(review: &Review, past: &Past, a: &Chosen, b: &Chosen) -> Result<Option<String>, StoreError> {
    for (name, side) in [("A", a), ("B", b)] {
        if let Chosen::Lap(_, n) = side
            && let Some(id) = side.runs(past).first().and_then(|s| s.id())
        {
            let laps = laps_of(review.reader(), id)?.len();
            if laps < *n as usize {
                let marked = if laps == 0 {
                    "no lap was marked in that run".to_owned()
                } else {
                    format!("that run has {laps} laps")
                };
                return Ok(Some(format!("{name} asks for lap {n}, but {marked}.")));
            }
        }
    }
    Ok(None)
}

fn rows_of<'a>(runs: &[&'a PastSession]) -> Vec<&'a SessionRow> {
    runs.iter().filter_map(|s| s.row.as_ref()).collect()
}

fn side(chosen: &Chosen, runs: &[&PastSession]) -> CompareSide {
    CompareSide {
        label: chosen.label(),
        sessions: runs.iter().filter_map(|s| s.id().cloned()).collect(),
        day_from: runs.first().map(|s| s.day),
        day_to: runs.last().map(|s| s.day),
    }
}

fn speeds(points: &Points) -> Option<(f64, f64)> {
    let all = points.values().flatten().map(|p| p.0);
    all.fold(None, |span: Option<(f64, f64)>, v| match span {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

fn shared_speed(a: &Points, b: &Points) -> Option<SpeedRange> {
    let ((a_low, a_high), (b_low, b_high)) = (speeds(a)?, speeds(b)?);
    let (low, high) = (a_low.max(b_low) - SAME_SPEED, a_high.min(b_high) + SAME_SPEED);
    (low <= high).then_some(SpeedRange { low, high })
}

fn note(
    a: &[&PastSession],
    b: &[&PastSession],
    shared: Option<SpeedRange>,
    points_a: &Points,
    points_b: &Points,
    as_runs: bool,
) -> Option<String> {
    for (name, runs) in [("A", a), ("B", b)] {
        if runs.is_empty() {
            return Some(format!("{name} holds no run with sensors."));
        }
    }
    let told = |s: Option<(f64, f64)>| s.map_or("no known speed".to_owned(), |(l, h)| format!("{l:.2} to {h:.2} m/s"));
    if shared.is_none() {
        return Some(format!(
            "Speeds do not overlap: A {}, B {}. Nothing is compared.",
            told(speeds(points_a)),
            told(speeds(points_b))
        ));
    }
    (!as_runs).then(|| {
        "Fewer than three runs on a side: intervals come from the windows within these runs and say nothing about how runs ordinarily differ."
            .to_owned()
    })
}

/// The smallest change between so many runs that the runner's own spread lets be told, in the unit of the metric.
fn smallest_change(rules: &Rules, past: &Past, (id, _): Key, (a, b): (usize, usize)) -> Result<f64, String> {
    let series = Series::Metric(id);
    let usual = OwnUsual::learn(rules, past, &series, Part::All);
    let needed = rules.reference.min_runs;
    let learning = || {
        format!(
            "the own run-to-run spread is not known: {} of {needed} runs",
            usual.runs()
        )
    };
    let at = usual.middle_speed().ok_or_else(learning)?;
    let spread = usual.compare(rules, &series, at, 0.0).map_err(|_| learning())?.spread;
    Ok(1.96 * spread * (1.0 / a.max(1) as f64 + 1.0 / b.max(1) as f64).sqrt())
}

/// Two lines with one slope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    slope: f64,
    pub(super) at_a: f64,
    pub(super) at_b: f64,
    middle: f64,
    pub(super) half_width: f64,
}

fn within(points: &[(f64, f64)], shared: SpeedRange) -> Vec<(f64, f64)> {
    points
        .iter()
        .copied()
        .filter(|(v, _)| (shared.low..=shared.high).contains(v))
        .collect()
}

/// Analysis of covariance: a common slope, and the difference with its 95 % half-width; `None` with fewer than three points
/// on a side.
pub(super) fn lines(a: &[(f64, f64)], b: &[(f64, f64)], middle: f64) -> Option<Lines> {
    if a.len() < FEWEST || b.len() < FEWEST {
        return None;
    }
    let mean = |p: &[(f64, f64)], f: fn(&(f64, f64)) -> f64| p.iter().map(f).sum::<f64>() / p.len() as f64;
    let ((ax, ay), (bx, by)) = (
        (mean(a, |p| p.0), mean(a, |p| p.1)),
        (mean(b, |p| p.0), mean(b, |p| p.1)),
    );
    let sums = |p: &[(f64, f64)], x: f64, y: f64| {
        p.iter().fold((0.0, 0.0, 0.0), |(xx, xy, yy), (v, w)| {
            (xx + (v - x) * (v - x), xy + (v - x) * (w - y), yy + (w - y) * (w - y))
        })
    };
    let (sa, sb) = (sums(a, ax, ay), sums(b, bx, by));
    let (xx, xy, yy) = (sa.0 + sb.0, sa.1 + sb.1, sa.2 + sb.2);
    let n = (a.len() + b.len()) as f64;
    let told = (xx / n).sqrt() >= LEAST_SPREAD;
    let slope = if told { xy / xx } else { 0.0 };
    let rest = (yy - slope * xy).max(0.0);
    let df = n - 2.0 - f64::from(u8::from(told));
    if df < 1.0 {
        return None;
    }
    let between = 1.0 / a.len() as f64 + 1.0 / b.len() as f64;
    let by_slope = if told { (bx - ax).powi(2) / xx } else { 0.0 };
    let error = (rest / df * (between + by_slope)).sqrt();
    // Student's 97.5 % point; the series is within 1 % from 3 degrees of freedom on.
    let t = 1.96 + 2.372 / df + 2.82 / (df * df) + 2.56 / (df * df * df);
    Some(Lines {
        slope,
        at_a: ay + slope * (middle - ax),
        at_b: by + slope * (middle - bx),
        middle,
        half_width: t * error,
    })
}

fn row(
    key: Key,
    a: &[(f64, f64)],
    b: &[(f64, f64)],
    shared: Option<SpeedRange>,
    limit: Result<f64, String>,
) -> CompareRow {
    let (id, side) = key;
    let def = id.def();
    let (in_a, in_b) = match shared {
        Some(s) => (within(a, s), within(b, s)),
        None => (Vec::new(), Vec::new()),
    };
    let fitted = shared.and_then(|s| lines(&in_a, &in_b, 0.5 * (s.low + s.high)));
    let delta = fitted.map(|l| l.at_b - l.at_a);
    let smallest_change = limit.as_ref().ok().copied();
    let why = if shared.is_none() {
        Some("speeds do not overlap".to_owned())
    } else if fitted.is_none() {
        Some(format!(
            "{} and {} points at shared speeds; {FEWEST} each are needed",
            in_a.len(),
            in_b.len()
        ))
    } else {
        limit.err()
    };
    CompareRow {
        metric: def.name.to_owned(),
        title: def.label.to_owned(),
        unit: def.unit.to_owned(),
        side: side.map_or("both", Side::name).to_owned(),
        a: fitted.map(|l| l.at_a),
        b: fitted.map(|l| l.at_b),
        delta,
        low: fitted.zip(delta).map(|(l, d)| d - l.half_width),
        high: fitted.zip(delta).map(|(l, d)| d + l.half_width),
        smallest_change,
        beyond_noise: fitted
            .zip(delta)
            .zip(smallest_change)
            .map(|((l, d), s)| d.abs() >= s && d.abs() > l.half_width),
        why,
        n_a: in_a.len() as u32,
        n_b: in_b.len() as u32,
    }
}

/// Points and lines of each metric; of metrics of one leg both legs together.
fn scatter(a: &Points, b: &Points, shared: Option<SpeedRange>) -> BTreeMap<String, Scatter> {
    let mut ids: Vec<Id> = a.keys().chain(b.keys()).map(|k| k.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let of = |points: &Points, id: Id| -> Vec<(f64, f64)> {
        points
            .iter()
            .filter(|(k, _)| k.0 == id)
            .flat_map(|(_, p)| p.iter().copied())
            .collect()
    };
    let drawn = ids.into_iter().map(|id| {
        let (pa, pb) = (of(a, id), of(b, id));
        let fitted = shared.and_then(|s| Some((s, lines(&within(&pa, s), &within(&pb, s), 0.5 * (s.low + s.high))?)));
        let line = |at: fn(&Lines) -> f64| {
            fitted.map(|(s, l)| [s.low, s.high].map(|x| [x, at(&l) + l.slope * (x - l.middle)]))
        };
        let pairs = |p: Vec<(f64, f64)>| p.into_iter().map(|(x, y)| [x, y]).collect();
        let drawn = Scatter {
            fit_a: line(|l| l.at_a),
            fit_b: line(|l| l.at_b),
            a: pairs(pa),
            b: pairs(pb),
        };
        (id.def().name.to_owned(), drawn)
    });
    drawn.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, within: f64) {
        assert!((got - want).abs() < within, "{got} for {want}");
    }

    #[test]
    fn a_faster_day_is_no_change_of_form() {
        // One line for all: 2 m at 3 m/s, 0.7 m more a m/s. B ran faster.
        let at = |v: f64, wobble: f64| (v, 2.0 + 0.7 * (v - 3.0) + wobble);
        let a = [
            at(2.8, 0.01),
            at(3.0, -0.01),
            at(3.2, 0.0),
            at(3.1, 0.01),
            at(2.9, -0.01),
        ];
        let b = [
            at(3.0, 0.01),
            at(3.2, -0.01),
            at(3.3, 0.01),
            at(3.1, -0.01),
            at(3.25, 0.0),
        ];
        let l = lines(&a, &b, 3.1).expect("lines");
        close(l.slope, 0.7, 0.05);
        close(l.at_b - l.at_a, 0.0, 0.01);
        assert!(l.half_width > 0.005 && l.half_width < 0.03, "{}", l.half_width);
    }

    #[test]
    fn the_difference_and_its_interval_agree_with_hand_computed_ones() {
        // Equal speeds: a plain two-sample t interval. Means 2 and 5, variances 1, df 4, t 2.776.
        let a = [(3.0, 1.0), (3.0, 2.0), (3.0, 3.0)];
        let b = [(3.0, 4.0), (3.0, 5.0), (3.0, 6.0)];
        let l = lines(&a, &b, 3.0).expect("lines");
        close(l.at_b - l.at_a, 3.0, 1e-12);
        close(l.half_width, 2.776 * (2.0_f64 / 3.0).sqrt(), 0.02);
        assert!(lines(&a[..2], &b, 3.0).is_none());
    }

    #[test]
    fn speeds_that_do_not_overlap_are_said_so() {
        let key = (Id::Cadence, None);
        let of = |from: f64| Points::from([(key, vec![(from, 170.0), (from + 0.1, 171.0), (from + 0.2, 170.0)])]);
        assert_eq!(shared_speed(&of(2.5), &of(3.0)), None);
        let near = shared_speed(&of(2.5), &of(2.72)).expect("within five hundredths");
        close(near.low, 2.67, 1e-9);
        let row = row(key, &of(2.5)[&key], &of(3.0)[&key], None, Ok(3.0));
        assert_eq!((row.delta, row.beyond_noise), (None, None));
        assert_eq!(row.why.as_deref(), Some("speeds do not overlap"));
    }

    #[test]
    fn sides_are_named_in_one_way() {
        let day = Day::parse("2026-03-01").expect("day");
        for (text, want) in [
            ("last", Chosen::Last),
            ("before:2026-03-01", Chosen::Before(day)),
            ("after:2026-03-01", Chosen::From(day)),
            ("lap:i0123:2", Chosen::Lap("i0123".to_owned(), 2)),
            ("lap:last:1", Chosen::Lap("last".to_owned(), 1)),
            ("shoe:ghost", Chosen::Shoe("ghost".to_owned())),
            ("ground:uneven", Chosen::Ground(Ground::Uneven)),
            ("i0123", Chosen::Session("i0123".to_owned())),
        ] {
            assert_eq!(Chosen::parse(text), Ok(want));
        }
        assert!(Chosen::parse("moon:full").expect_err("no such").contains("before:DAY"));
        for wrong in ["before:spring", "lap:i0123", "lap:i0123:0", "lap::1", "lap:i0123:two"] {
            assert!(Chosen::parse(wrong).is_err(), "{wrong}");
        }
    }
}
