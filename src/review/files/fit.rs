//! A session as a FIT activity.

use super::FileError;
use crate::interchange::fit::activity::{Activity, Bluetooth, Frame};
use crate::interchange::fit::session_mark;
use crate::model::SessionTime;
use crate::review::pages::pages;
use crate::store::{History, Origin, SessionEvent, SessionMeta, SessionRow, StoreError, ends_lap};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Longest standing on purpose that is believed, s: it bounds memory, whatever an event claims.
const LONGEST_STANDING_S: f64 = 3600.0;

/// The FIT file of a session, from the strides of its current analysis.
///
/// # Errors
/// Those of the store; a run that FIT cannot hold.
pub fn fit(history: &impl History, row: &SessionRow) -> Result<Vec<u8>, FileError> {
    let id = &row.meta.id;
    let mut laps = Vec::new();
    let mut still = Vec::new();
    pages(
        id,
        |q| history.events(q),
        |event| match event {
            SessionEvent::Marker { t, text } if ends_lap(text) => laps.push(*t),
            SessionEvent::Standing { from, to } => {
                let seconds = to.since(*from).clamp(0.0, LONGEST_STANDING_S) as u32;
                still.extend((1..=seconds).map(|s| from.plus(f64::from(s))));
            }
            _ => {}
        },
    )?;
    pages(
        id,
        |q| history.windows(q),
        |window| {
            // What the runner did last stands in a window until the next stride, so standing shows in the rhythm alone.
            if window.spectral_cadence.is_none() {
                still.push(window.t);
            }
        },
    )?;
    let mut activity = Activity::new(Frame {
        start_us: row.meta.start.micros(),
        end: end(history, row)?,
        utc_offset_s: utc_offset(&row.meta),
        laps,
        still,
        sensors: row.meta.sensors.iter().map(|s| s.placement).collect(),
        over_bluetooth: match row.meta.origin {
            Origin::Live => Bluetooth::Yes,
            Origin::Import { .. } | Origin::Demo => Bluetooth::No,
        },
        mark: session_mark(id.as_str()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })?;
    pages(id, |q| history.strides(q), |record| activity.push(record))?;
    Ok(activity.finish())
}

/// The end of a session; of one that is still open the end of its newest stride.
pub(super) fn end(history: &impl History, row: &SessionRow) -> Result<SessionTime, StoreError> {
    if let Some(stop) = row.stop {
        return Ok(stop);
    }
    let mut end = SessionTime::ZERO;
    for side in [Some(crate::model::Side::Left), Some(crate::model::Side::Right), None] {
        if let Some(latest) = history.latest(&row.meta.id, side)? {
            end = end.max(latest.stride.end);
        }
    }
    Ok(end)
}

/// How far the runner's clock was ahead of UTC when the session began, s; `None` where the zone is not told or not known.
pub(super) fn utc_offset(meta: &SessionMeta) -> Option<i32> {
    let zone = TimeZone::get(meta.tz.as_deref()?).ok()?;
    let at = Timestamp::from_microsecond(meta.start.micros()).ok()?;
    Some(zone.to_offset(at).seconds())
}
