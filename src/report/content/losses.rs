//! What was lost in the runs that are compared: gaps, sensors that moved, sides that look exchanged.

use super::words;
use crate::model::Placement;
use crate::review::pages::pages;
use crate::review::{Compare, Past, Review};
use crate::store::journal::Day;
use crate::store::{History as _, SessionEvent, SessionId, StoreError};
use std::collections::BTreeMap;

/// Most runs looked at.
const MOST_RUNS: usize = 8;

/// One sensor of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loss {
    /// Day of the run.
    pub day: Day,
    /// Where the sensor was worn.
    pub place: String,
    /// Holes in its samples.
    pub gaps: u32,
    /// Seconds in them.
    pub lost_s: f64,
    /// Share of the run that they make.
    pub share: f64,
    /// It sat differently from some time on.
    pub moved: bool,
    /// Rate of its clock against session time, parts per million.
    pub clock_ppm: Option<f64>,
    /// What the fit of its clock left over, ms.
    pub clock_ms: Option<f64>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Losses {
    /// Sensor by sensor, run by run.
    pub sensors: Vec<Loss>,
    /// Days of runs in which left and right look exchanged.
    pub exchanged: Vec<Day>,
    /// Days of runs in which cadence by two ways disagreed.
    pub disagreed: Vec<Day>,
    /// Runs in which the runner stood still for the zero of the angles, of those looked at.
    pub stood: (usize, usize),
    /// Runs that were not looked at.
    pub passed_over: usize,
}

fn events_of(review: &Review, id: &SessionId) -> Result<Vec<SessionEvent>, StoreError> {
    let mut all = Vec::new();
    pages(
        id,
        |query| review.reader().events(query),
        |event| all.push(event.clone()),
    )?;
    Ok(all)
}

/// Looks at the last runs of both sets.
///
/// # Errors
/// Those of the disk.
pub fn losses(review: &Review, past: &Past, compare: &Compare) -> Result<Losses, StoreError> {
    let mut out = Losses::default();
    let ids: Vec<&SessionId> = compare
        .b
        .sessions
        .iter()
        .rev()
        .chain(compare.a.sessions.iter().rev())
        .collect();
    out.passed_over = ids.len().saturating_sub(MOST_RUNS);
    for id in ids.into_iter().take(MOST_RUNS) {
        let Some(r) = past.recorded.iter().find(|r| r.row.meta.id == *id) else {
            continue;
        };
        let whole = r.row.stop.map_or(0.0, |t| t.secs());
        let mut by_place: BTreeMap<Placement, Loss> = BTreeMap::new();
        for sensor in &r.row.meta.sensors {
            let outcome = r.row.outcomes.iter().find(|o| o.placement == sensor.placement);
            by_place.insert(
                sensor.placement,
                Loss {
                    day: r.day,
                    place: words::spaced(sensor.placement.name()),
                    clock_ppm: outcome.and_then(|o| o.clock_ppm),
                    clock_ms: outcome.and_then(|o| o.clock_residual_us).map(|us| us / 1000.0),
                    ..Loss::default()
                },
            );
        }
        let mut stood = false;
        let (mut exchanged, mut disagreed) = (false, false);
        for event in events_of(review, id)? {
            match event {
                SessionEvent::Gap {
                    placement, from, to, ..
                } => {
                    if let Some(l) = by_place.get_mut(&placement) {
                        l.gaps += 1;
                        l.lost_s += to.since(from);
                    }
                }
                SessionEvent::SensorMoved { placement, .. } => {
                    if let Some(l) = by_place.get_mut(&placement) {
                        l.moved = true;
                    }
                }
                SessionEvent::SidesSwapped { .. } => exchanged = true,
                SessionEvent::CadenceDisagrees { .. } => disagreed = true,
                SessionEvent::Standing { .. } => stood = true,
                _ => {}
            }
        }
        out.stood.0 += usize::from(stood);
        out.stood.1 += 1;
        out.exchanged.extend(exchanged.then_some(r.day));
        out.disagreed.extend(disagreed.then_some(r.day));
        for (_, mut l) in by_place {
            l.share = if whole > 0.0 {
                (l.lost_s / whole).clamp(0.0, 1.0)
            } else {
                0.0
            };
            out.sensors.push(l);
        }
    }
    out.exchanged.sort();
    out.disagreed.sort();
    out.sensors.sort_by(|a, b| (a.day, &a.place).cmp(&(b.day, &b.place)));
    Ok(out)
}
