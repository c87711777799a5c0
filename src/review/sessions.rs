//! Sessions as lists show them, and what each sensor delivered.

use super::history_of::{Past, Recorded, main_ground};
use super::pages::pages;
use super::record::Review;
use super::shapes::{
    Coverage, CoverageSpan, DataWord, FlagLevel, LevelWord, SensorItem, SessionItem, SpanWord, StateChange,
};
use crate::model::Placement;
use crate::store::journal::Day;
use crate::store::sqlite::KeptState;
use crate::store::{History as _, Origin, SessionEvent, SessionRow, StoreError, WallClock};
use std::collections::BTreeMap;

/// Kept changes of states as changes.
#[must_use]
pub fn kept_changes(kept: &[KeptState]) -> Vec<StateChange> {
    kept.iter()
        .filter_map(|k| {
            Some(StateChange {
                day: k.day,
                id: k.flag.clone(),
                state: LevelWord::from_word(&k.state)?,
            })
        })
        .collect()
}

/// Flags at info or higher at the end of a day, from the changes of all days in order; highest first.
#[must_use]
pub fn standing(changes: &[StateChange], day: Day) -> Vec<FlagLevel> {
    let mut states: BTreeMap<&str, LevelWord> = BTreeMap::new();
    for c in changes.iter().take_while(|c| c.day <= day) {
        states.insert(&c.id, c.state);
    }
    let raised = states.into_iter().filter(|(_, level)| level.raised());
    let mut raised: Vec<FlagLevel> = raised
        .map(|(id, level)| FlagLevel {
            id: id.to_owned(),
            level,
        })
        .collect();
    raised.sort_by_key(|f| std::cmp::Reverse(f.level));
    raised
}

/// A session of the past for a list; `changes` are those of its flags, as who asks may see them.
#[must_use]
pub fn session_item(past: &Past, recorded: &Recorded, changes: &[StateChange]) -> SessionItem {
    let row = &recorded.row;
    let merged = past.sessions.iter().find(|s| s.id() == Some(&row.meta.id));
    let note = merged
        .map(|s| s.note.clone())
        .or_else(|| recorded.note.clone())
        .unwrap_or_default();
    let run = recorded.run.as_ref();
    let values = run.map(|r| &r.values);
    SessionItem {
        id: row.meta.id.clone(),
        athlete: row.meta.athlete.clone(),
        athlete_name: past.name(),
        start_us: row.meta.start.micros(),
        tz: row.meta.tz.clone(),
        day: recorded.day,
        duration_s: row.stop.map(|t| t.secs()),
        distance_km: merged
            .and_then(|s| s.km)
            .or(note.km)
            .or(values.and_then(|v| v.distance_km)),
        state: row.state.name().to_owned(),
        origin: match row.meta.origin {
            Origin::Live => "live",
            Origin::Import { .. } => "import",
            Origin::Demo => "demo",
        }
        .to_owned(),
        clock: match row.meta.wall_clock {
            WallClock::Known => "known",
            WallClock::Assumed => "assumed",
        }
        .to_owned(),
        strides: row.strides.or(run.map(|r| u64::from(r.strides))).unwrap_or(0),
        usable_share: run.and_then(|r| r.usable_share),
        data: values.map_or(DataWord::None, |v| v.data),
        speed_ms: values.and_then(|v| v.speed_ms).or(run.and_then(|r| r.speed_ms)),
        cadence_spm: values
            .and_then(|v| v.metrics.get("cadence_spm").copied())
            .or(run.and_then(|r| r.cadence_spm)),
        ground: merged.and_then(main_ground).or(note.ground),
        shoe: note.shoe,
        run_kind: note.run_kind,
        effort: note.effort.map(|e| e.get()),
        left_out: note.left_out,
        note: note.text.or_else(|| row.meta.note.clone()),
        flags: match row.meta.wall_clock {
            WallClock::Known => standing(changes, recorded.day),
            WallClock::Assumed => Vec::new(),
        },
        sensors: row
            .meta
            .sensors
            .iter()
            .map(|s| SensorItem {
                placement: s.placement.name().to_owned(),
                rate_hz: s.rate_hz,
            })
            .collect(),
    }
}

/// All sessions of the past, newest first.
#[must_use]
pub fn session_items(past: &Past, changes: &[StateChange]) -> Vec<SessionItem> {
    let mut items: Vec<SessionItem> = past.recorded.iter().map(|r| session_item(past, r, changes)).collect();
    items.sort_by(|a, b| (b.start_us, &b.id).cmp(&(a.start_us, &a.id)));
    items
}

/// What each sensor of a session delivered: holes in its samples, stretches at its limit or with samples filled in, and from
/// when on it sat differently. Spans may lie over each other.
///
/// # Errors
/// Those of the disk.
pub fn coverage(review: &Review, row: &SessionRow) -> Result<Vec<Coverage>, StoreError> {
    let end_s = row.stop.map(|t| t.secs());
    let mut spans: BTreeMap<Placement, Vec<CoverageSpan>> =
        row.meta.sensors.iter().map(|s| (s.placement, Vec::new())).collect();
    pages(
        &row.meta.id,
        |query| review.reader().events(query),
        |event| {
            let (placement, from, to, state) = match event {
                SessionEvent::Gap {
                    placement, from, to, ..
                } => (placement, from, Some(*to), SpanWord::Lost),
                SessionEvent::Clipped {
                    placement, from, to, ..
                } => (placement, from, Some(*to), SpanWord::Clipped),
                SessionEvent::Filled {
                    placement, from, to, ..
                } => (placement, from, Some(*to), SpanWord::Filled),
                SessionEvent::SensorMoved { placement, t } => (placement, t, row.stop, SpanWord::Moved),
                _ => return,
            };
            spans.entry(*placement).or_default().push(CoverageSpan {
                from_s: from.secs(),
                to_s: to.unwrap_or(*from).secs(),
                state,
            });
        },
    )?;
    let all = spans.into_iter().map(|(placement, spans)| {
        let lost: f64 = spans
            .iter()
            .filter(|s| s.state == SpanWord::Lost)
            .map(|s| s.to_s - s.from_s)
            .sum();
        Coverage {
            placement: placement.name().to_owned(),
            lost_share: end_s.filter(|e| *e > 0.0).map_or(0.0, |e| (lost / e).clamp(0.0, 1.0)),
            spans,
        }
    });
    Ok(all.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_on_a_day_is_the_last_change_up_to_it() {
        let change = |day: i32, id: &str, state| StateChange {
            day: Day::from_days(day),
            id: id.to_owned(),
            state,
        };
        let changes = [
            change(1, "FS1", LevelWord::Info),
            change(1, "LD1", LevelWord::None),
            change(3, "LD1", LevelWord::Watch),
            change(5, "FS1", LevelWord::None),
        ];
        let on = |day| -> Vec<String> {
            standing(&changes, Day::from_days(day))
                .into_iter()
                .map(|f| f.id)
                .collect()
        };
        assert_eq!(on(0), Vec::<String>::new());
        assert_eq!(on(2), ["FS1"]);
        assert_eq!(on(4), ["LD1", "FS1"]);
        assert_eq!(on(9), ["LD1"]);
    }
}
