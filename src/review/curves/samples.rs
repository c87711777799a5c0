//! Stretches of one sensor's raw samples, in order, with the standings they rest on.

use crate::model::{Placement, SensorEvent, SessionTime, Span};
use crate::store::{SessionId, SqliteReader, StoreError};
use std::ops::ControlFlow;

/// Stretches closer than this are read as one, s: a jump costs attitude, and a chunk is decoded whole anyway.
const JOIN_S: f64 = 2.0;
/// After a stand its samples are pushed a little further, s: it is taken when the first later sample comes.
const AFTER_STAND_S: f64 = 0.3;

/// Sorts stretches and joins those that touch, overlap or nearly do.
pub(super) fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|s| (s.start(), s.end()));
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.start().since(last.end()) <= JOIN_S => {
                let end = last.end().max(span.end());
                *last = Span::new(last.start(), end).unwrap_or(*last);
            }
            _ => out.push(span),
        }
    }
    out
}

/// The stands of a session that ended after `since` and before `until`, and the stretches that hold their samples.
pub(super) fn stands(
    reader: &SqliteReader,
    session: &SessionId,
    since: Option<SessionTime>,
    until: SessionTime,
) -> Result<Vec<Span>, StoreError> {
    let mut all = reader.raw(session)?.stood();
    all.retain(|s| since.is_none_or(|t| s.end() > t) && s.end() < until);
    all.sort_by_key(|s| s.end());
    Ok(all)
}

/// The stretch that must be pushed for a stand.
pub(super) fn stretch_of(stand: &Span) -> Span {
    Span::new(stand.start(), stand.end().plus(AFTER_STAND_S)).unwrap_or(*stand)
}

/// Gives the samples of one sensor in these stretches (in order, joined), each stand as soon as its samples have been
/// given. Whoever takes them may pass over the rest of a stretch by `Break`.
///
/// # Errors
/// `Missing` when no samples are kept; those of the disk.
pub(super) fn pump(
    reader: &SqliteReader,
    session: &SessionId,
    placement: Placement,
    spans: &[Span],
    stands: &[Span],
    mut take: impl FnMut(&SensorEvent) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut stands = stands.iter().peekable();
    for span in spans {
        let mut raw = reader.raw(session)?;
        raw.only(placement);
        raw.skip_to(span.start())?;
        for event in raw {
            let event = event?;
            let t = match &event {
                SensorEvent::Sample(_, sample) => sample.t,
                // Told from the list of stands, wherever reading begins.
                SensorEvent::Standing { .. } => continue,
                SensorEvent::Gap { placement: of, .. } => {
                    if *of == placement && take(&event).is_break() {
                        break;
                    }
                    continue;
                }
            };
            if t >= span.end() {
                break;
            }
            if t < span.start() {
                continue;
            }
            if take(&event).is_break() {
                break;
            }
            while let Some(stand) = stands.next_if(|s| t >= s.end()) {
                let (from, to) = (stand.start(), stand.end());
                let _ = take(&SensorEvent::Standing { from, to });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: f64, to: f64) -> Span {
        Span::new(SessionTime::from_secs(from), SessionTime::from_secs(to)).expect("forward")
    }

    #[test]
    fn stretches_that_nearly_touch_are_read_as_one() {
        let all = joined(vec![span(50.0, 60.0), span(0.0, 5.0), span(4.0, 4.5), span(6.5, 9.0)]);
        assert_eq!(all, [span(0.0, 9.0), span(50.0, 60.0)]);
    }
}
