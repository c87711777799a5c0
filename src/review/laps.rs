//! The laps of a session: what lies between the marks that end one.
//!
//! The first lap begins with the session and the last ends with it, so a session with two marks has three laps.

use super::pages::pages;
use crate::model::{SessionTime, Span};
use crate::store::query::whole_session;
use crate::store::{History, SessionEvent, SessionId, StoreError, ends_lap};

/// The laps of a session, in order; none where nobody marked one.
///
/// # Errors
/// Those of the disk.
pub fn laps_of(history: &impl History, session: &SessionId) -> Result<Vec<Span>, StoreError> {
    let mut marks = Vec::new();
    pages(
        session,
        |query| history.events(query),
        |event| match event {
            SessionEvent::Marker { t, text } if ends_lap(text) => marks.push(*t),
            _ => {}
        },
    )?;
    Ok(between(marks))
}

fn between(mut marks: Vec<SessionTime>) -> Vec<Span> {
    if marks.is_empty() {
        return Vec::new();
    }
    marks.sort_unstable();
    let whole = whole_session();
    let mut edges = vec![whole.start()];
    edges.extend(marks);
    edges.push(whole.end());
    edges.windows(2).filter_map(|e| Span::new(e[0], e[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_marks_make_three_laps_and_none_makes_none() {
        let at = SessionTime::from_secs;
        assert_eq!(between(Vec::new()), []);
        let laps = between(vec![at(600.0), at(300.0)]);
        assert_eq!(laps.len(), 3);
        assert_eq!((laps[1].start(), laps[1].end()), (at(300.0), at(600.0)));
        assert!(laps[0].start() < at(0.0) && laps[2].end() > at(86_400.0));
    }
}
