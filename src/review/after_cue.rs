//! What the step rate did when a cue sounded, and after it: before against last minutes of the cue and against what came
//! later, at one speed.
//!
//! The last two minutes before the first cue stand against the last two minutes in which cues sounded and against the five
//! minutes after the last one. Only stretches within [`SPEED_SLACK`] of the speed before count, and what is left of speed is
//! taken out with the line of [`super::compare`]. The interval says how sure the difference of these minutes is; it says
//! nothing about whether it stays.

use super::compare::lines;
use super::pages::pages;
use super::record::Review;
use super::windows::median;
use crate::metrics::MetricId as Id;
use crate::model::Activity;
use crate::store::journal::Day;
use crate::store::mark::{CUE_BEGINS, CUE_ENDS};
use crate::store::{History as _, RowQuery, SessionEvent, SessionRow, StoreError};

/// Seconds before the first cue, and of the end of the cues.
const BEFORE_S: f64 = 120.0;
/// Seconds after the last cue.
const AFTER_S: f64 = 300.0;
/// How far the speed may be from that before, m/s.
pub const SPEED_SLACK: f64 = 0.2;
/// Seconds that make one point: neighbouring strides are too alike to count as many.
const BLOCK_S: f64 = 10.0;

/// A difference of step rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepChange {
    /// The step rate, steps/min.
    pub cadence: f64,
    /// Less that before.
    pub change: f64,
    /// Ends of its 95 % interval.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

impl StepChange {
    /// Whether it is more than the minutes before and after differ within themselves.
    #[must_use]
    pub fn more_than_noise(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// What a run's cues did.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterCue {
    /// Day of the run.
    pub day: Day,
    /// When the first cue began and the last one fell silent, s of the run.
    pub sounded_s: (f64, f64),
    /// How often cues began.
    pub times: usize,
    /// Middle speed before, m/s; absent where there was no running.
    pub speed_ms: Option<f64>,
    /// Step rate before, steps/min.
    pub before: Option<f64>,
    /// In the last two minutes in which cues sounded.
    pub during: Option<StepChange>,
    /// In the five minutes after.
    pub after: Option<StepChange>,
}

/// A stride that counts: its end, its speed, its step rate.
type Point = (f64, f64, f64);

/// What the cues of a run did; `None` where none sounded.
///
/// # Errors
/// Those of the disk.
pub fn after_cue(review: &Review, row: &SessionRow, day: Day) -> Result<Option<AfterCue>, StoreError> {
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    pages(
        &row.meta.id,
        |query| review.reader().events(query),
        |event| match event {
            SessionEvent::Marker { t, text } if text.starts_with(CUE_BEGINS) => begins.push(t.secs()),
            SessionEvent::Marker { t, text } if text == CUE_ENDS => ends.push(t.secs()),
            _ => {}
        },
    )?;
    if begins.is_empty() {
        return Ok(None);
    }
    let page = review.reader().strides(&RowQuery {
        limit: usize::MAX,
        ..RowQuery::all(row.meta.id.clone())
    })?;
    let strides = page
        .rows
        .iter()
        .filter(|r| r.counts() && r.stride.activity == Activity::Running);
    let points: Vec<Point> = strides
        .filter_map(|r| {
            Some((
                r.stride.end.secs(),
                r.metrics.value(Id::Speed)?,
                r.metrics.value(Id::Cadence)?,
            ))
        })
        .collect();
    Ok(effect(&points, &begins, &ends, day))
}

/// Points of ten seconds each: middle speed and middle step rate.
fn blocks(points: &[Point], from: f64, to: f64) -> Vec<(f64, f64)> {
    let count = ((to - from) / BLOCK_S).ceil().max(0.0) as usize;
    let of = |i: usize| {
        let begin = from + BLOCK_S * i as f64;
        let inside = points
            .iter()
            .filter(|p| p.0 >= begin && p.0 < (begin + BLOCK_S).min(to));
        let (speeds, rates): (Vec<f64>, Vec<f64>) = inside.map(|p| (p.1, p.2)).unzip();
        Some((median(&speeds)?, median(&rates)?))
    };
    (0..count).filter_map(of).collect()
}

fn effect(points: &[Point], begins: &[f64], ends: &[f64], day: Day) -> Option<AfterCue> {
    let first = begins.iter().copied().reduce(f64::min)?;
    let last = begins.iter().chain(ends).copied().reduce(f64::max)?;
    let mut out = AfterCue {
        day,
        sounded_s: (first, last),
        times: begins.len(),
        speed_ms: None,
        before: None,
        during: None,
        after: None,
    };
    let before = blocks(points, first - BEFORE_S, first);
    let speeds: Vec<f64> = before.iter().map(|p| p.0).collect();
    let Some(speed) = median(&speeds) else { return Some(out) };
    let near = |all: Vec<(f64, f64)>| -> Vec<(f64, f64)> {
        all.into_iter().filter(|p| (p.0 - speed).abs() <= SPEED_SLACK).collect()
    };
    let before = near(before);
    let change = |then: &[(f64, f64)]| {
        let l = lines(&before, then, speed)?;
        let change = l.at_b - l.at_a;
        Some(StepChange {
            cadence: l.at_b,
            change,
            low: change - l.half_width,
            high: change + l.half_width,
        })
    };
    out.speed_ms = Some(speed);
    out.before = median(&before.iter().map(|p| p.1).collect::<Vec<_>>());
    out.during = change(&near(blocks(points, first.max(last - BEFORE_S), last)));
    out.after = change(&near(blocks(points, last, last + AFTER_S)));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stride every 0.7 s for 15 minutes: from 300 s to 420 s a cue, `in_cue` more steps in it and `later` after it.
    fn run(in_cue: f64, later: f64, speed_later: f64) -> Vec<Point> {
        let at = |i: u32| {
            let t = 0.7 * f64::from(i);
            let wobble = 0.6 * (f64::from(i) * 1.7).sin() + 0.4 * (f64::from(i / 15) * 2.3).sin();
            let (more, speed) = match t {
                t if t < 300.0 => (0.0, 3.0),
                t if t < 420.0 => (in_cue, 3.05),
                _ => (later, speed_later),
            };
            (t, speed + 0.02 * (f64::from(i / 15) * 0.9).sin(), 168.0 + more + wobble)
        };
        (0..1286).map(at).collect()
    }

    fn of(points: &[Point]) -> AfterCue {
        effect(points, &[300.0], &[420.0], Day::from_days(20_000)).expect("a cue sounded")
    }

    #[test]
    fn a_change_is_told_with_its_interval_and_none_is_told_as_none() {
        let both = of(&run(6.0, 3.0, 3.0));
        let (during, after) = (both.during.expect("in it"), both.after.expect("after it"));
        assert!(
            (during.change - 6.0).abs() < 0.8 && during.more_than_noise(),
            "{during:?}"
        );
        assert!((after.change - 3.0).abs() < 0.8 && after.more_than_noise(), "{after:?}");
        assert!(during.low < during.change && during.change < during.high);
        let none = of(&run(6.0, 0.0, 3.0)).after.expect("after it");
        assert!(!none.more_than_noise() && none.change.abs() < 0.8, "{none:?}");
    }

    #[test]
    fn other_speeds_and_runs_without_a_cue_are_not_compared() {
        let faster = of(&run(6.0, 3.0, 3.6));
        assert!(faster.during.is_some() && faster.after.is_none(), "{faster:?}");
        assert_eq!(effect(&run(6.0, 3.0, 3.0), &[], &[], Day::from_days(20_000)), None);
        let early = effect(&run(0.0, 0.0, 3.0), &[-200.0], &[], Day::from_days(20_000)).expect("a cue");
        assert!(early.before.is_none() && early.during.is_none());
    }
}
