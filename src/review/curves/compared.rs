//! Mean pelvis curves of two sides of a comparison, from strides at the speeds that both ran.
//!
//! Drawn when asked for: a curve costs its run-up (12 s of one sensor) and a session its first 40 s of strides, so strides
//! are taken in [`GROUPS`] stretches of the newest [`SESSIONS`] sessions. Kept curves would be fixed to one analysis and
//! to one choice of speeds; drawn ones follow both.

use super::super::shapes::{Curves, PelvisCurve as Shown, PlaneCurve, SpeedRange};
use super::{NoCurve, SessionCurves, percents};
use crate::metrics::pelvis_curve::{POINTS, PelvisCurve, Zero};
use crate::metrics::{MetricId as Id, StrideRecord};
use crate::model::{Activity, Side, Span};
use crate::store::query::whole_session;
use crate::store::{History as _, RowQuery, SessionRow, SqliteReader, StoreError};

/// Newest sessions of a side that are drawn from.
pub const SESSIONS: usize = 3;
/// Stretches of a session, evenly spread over its strides at these speeds.
pub const GROUPS: usize = 2;
/// Left strides of a stretch.
pub const STRIDES: usize = 10;
/// Fewest strides whose mean is shown: fewer say more about themselves than about the runner. A choice of this project.
const FEWEST: usize = 10;

/// Curves of A and of B, each from these sessions and, where one is given, this part of them; a side without says why.
///
/// # Errors
/// Those of the disk.
pub fn compared(
    reader: &SqliteReader,
    a: (&[&SessionRow], Option<Span>),
    b: (&[&SessionRow], Option<Span>),
    shared: Option<SpeedRange>,
) -> Result<Curves, StoreError> {
    let Some(speeds) = shared else {
        let why = Some("The speeds do not overlap: curves at different speeds differ by speed alone.".to_owned());
        return Ok(Curves {
            a_why_not: why.clone(),
            b_why_not: why,
            ..Curves::default()
        });
    };
    let (drawn_a, drawn_b) = (drawn(reader, a, speeds)?, drawn(reader, b, speeds)?);
    // Standing is one zero and the mean of a cycle another: both sides are laid over the same.
    let stood = |d: &Drawn| d.curves.iter().all(|c| c.zero == Zero::Standing);
    let zero = if stood(&drawn_a) && stood(&drawn_b) {
        Zero::Standing
    } else {
        Zero::CycleMean
    };
    let ((a, a_why_not), (b, b_why_not)) = (mean(drawn_a, zero), mean(drawn_b, zero));
    let zero_text = match zero {
        Zero::Standing => "Tilt and obliquity are counted from quiet standing.",
        Zero::CycleMean => {
            "Tilt and obliquity are counted from the mean of each cycle: only shape and range can be compared."
        }
    };
    Ok(Curves {
        zero_text: (a.is_some() || b.is_some()).then(|| zero_text.to_owned()),
        a,
        a_why_not,
        b,
        b_why_not,
    })
}

/// Curves of a side, and why others are not among them.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) curves: Vec<PelvisCurve>,
    pub(super) why_not: Option<NoCurve>,
}

fn drawn(
    reader: &SqliteReader,
    (rows, part): (&[&SessionRow], Option<Span>),
    speeds: SpeedRange,
) -> Result<Drawn, StoreError> {
    let mut all = Drawn::default();
    let mut taken = 0;
    for row in rows.iter().rev() {
        if taken == SESSIONS {
            break;
        }
        let chosen = chosen(reader, row, part, speeds, Side::Left)?;
        if chosen.is_empty() {
            continue;
        }
        let before = all.curves.len();
        for curve in SessionCurves::new(reader, row).pelvis(&chosen)? {
            match curve {
                Ok(curve) => all.curves.push(curve),
                Err(why) => all.why_not = Some(why),
            }
        }
        taken += usize::from(all.curves.len() > before);
    }
    Ok(all)
}

/// Usable running strides of one foot at these speeds: stretches of neighbours, the same at every call.
pub(super) fn chosen(
    reader: &SqliteReader,
    row: &SessionRow,
    part: Option<Span>,
    speeds: SpeedRange,
    side: Side,
) -> Result<Vec<StrideRecord>, StoreError> {
    let page = reader.strides(&RowQuery {
        span: part.unwrap_or_else(whole_session),
        limit: usize::MAX,
        ..RowQuery::all(row.meta.id.clone())
    })?;
    let fits = |r: &StrideRecord| {
        r.stride.side == Some(side)
            && r.stride.activity == Activity::Running
            && !r.stride.flags.turning
            && r.counts()
            && r.metrics
                .value(Id::Speed)
                .is_some_and(|v| v >= speeds.low && v <= speeds.high)
    };
    let fitting: Vec<StrideRecord> = page.rows.into_iter().filter(fits).collect();
    if fitting.len() <= GROUPS * STRIDES {
        return Ok(fitting);
    }
    let starts = (1..=GROUPS).map(|g| g * (fitting.len() - STRIDES) / (GROUPS + 1));
    let mut stretches: Vec<StrideRecord> = Vec::with_capacity(GROUPS * STRIDES);
    let mut next = 0;
    for start in starts {
        let start = start.max(next);
        next = start + STRIDES;
        stretches.extend_from_slice(&fitting[start..next.min(fitting.len())]);
    }
    Ok(stretches)
}

pub(super) fn mean(drawn: Drawn, zero: Zero) -> (Option<Shown>, Option<String>) {
    let n = drawn.curves.len();
    if n < FEWEST {
        let why = drawn.why_not.filter(|_| n == 0).map_or_else(
            || format!("{n} strides could be drawn at the shared speeds; {FEWEST} are needed."),
            |why| why.text(),
        );
        return (None, Some(why));
    }
    let plane = |of: fn(&PelvisCurve) -> &[f64], recentred: bool| {
        let curves: Vec<Vec<f64>> = drawn
            .curves
            .iter()
            .map(|c| {
                let angles = of(c);
                let zero = if recentred {
                    angles.iter().sum::<f64>() / angles.len() as f64
                } else {
                    0.0
                };
                angles.iter().map(|v| (v - zero).to_degrees()).collect()
            })
            .collect();
        let mut shown = PlaneCurve {
            mean: Vec::with_capacity(POINTS),
            sd: Vec::with_capacity(POINTS),
        };
        for i in 0..POINTS {
            let mean = curves.iter().map(|c| c[i]).sum::<f64>() / n as f64;
            let squares = curves.iter().map(|c| (c[i] - mean).powi(2)).sum::<f64>();
            let hundredths = |v: f64| (v * 100.0).round() / 100.0;
            shown.mean.push(hundredths(mean));
            shown.sd.push(hundredths((squares / (n as f64 - 1.0)).sqrt()));
        }
        shown
    };
    let recentred = zero == Zero::CycleMean;
    let shown = Shown {
        percent: percents(),
        strides: n as u32,
        tilt: plane(|c| &c.tilt, recentred),
        obliquity: plane(|c| &c.obliquity, recentred),
        rotation: plane(|c| &c.rotation, false),
    };
    (Some(shown), None)
}
