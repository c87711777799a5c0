//! Whether a stride counts, as a person said who looked at it.
//!
//! The row of the stride stays as it was measured. What was said about it is an entry of the journal, so it is exported,
//! corrected and forgotten like everything else that people say, and a later analysis of the same samples hears it too: it
//! names the stride by side and time, not by a number that another analysis may give to another stride.

use super::bodies::too_long;
use super::entry::EntryId;
use crate::model::{SessionTime, Side, Stride};
use crate::store::error::StoreError;
use crate::store::ids::{SessionId, hex, sha256};
use serde::{Deserialize, Serialize};

/// What somebody said about one stride. Its entry is about the instant at which the stride began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrideVerdict {
    /// The session.
    pub session: SessionId,
    /// Side of the stride, where known.
    #[serde(default)]
    pub side: Option<Side>,
    /// Its begin, µs since the start of the session.
    pub t_us: i64,
    /// Its duration, µs.
    pub duration_us: i64,
    /// Whether it is bad: kept, and counted nowhere. `false` takes that back.
    pub bad: bool,
    /// Who said it.
    pub by: String,
    /// As whom: `owner`, `runner`, `coach`, `therapist`.
    pub role: String,
    /// When it was said, µs since 1970 in UTC.
    pub said_us: i64,
    /// Why, in words.
    #[serde(default)]
    pub note: Option<String>,
}

impl StrideVerdict {
    /// The place of a stride as a verdict names it: side, begin and duration, µs.
    #[must_use]
    pub fn place_of(stride: &Stride) -> (Option<Side>, i64, i64) {
        let micros = |t: SessionTime| t.nanos().div_euclid(1000);
        let from = micros(stride.start);
        (stride.side, from, micros(stride.end) - from)
    }

    /// The id of the entry that speaks about a stride of a session: the same for whoever speaks.
    ///
    /// # Errors
    /// `Rejected` for a begin before the session.
    pub fn entry_id(session: &SessionId, side: Option<Side>, t_us: i64) -> Result<EntryId, StoreError> {
        let side = side.map_or("unknown", Side::name);
        let of = hex(&sha256(session.as_str().as_bytes())[..6]);
        EntryId::parse(&format!("stride-{side}-{t_us}-{of}"))
    }

    /// Whether it speaks of this stride: of the same side, with its middle in the stretch of time.
    #[must_use]
    pub fn is_about(&self, stride: &Stride) -> bool {
        let (side, from, duration) = Self::place_of(stride);
        covers((self.side, self.t_us, self.duration_us), (side, from, duration))
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let what = if self.bad { "marked as bad" } else { "counts again" };
        let side = self.side.map_or("", Side::name);
        format!(
            "{side} stride at {:.1} s {what}, by {}",
            self.t_us as f64 / 1e6,
            self.by
        )
        .trim_start()
        .to_owned()
    }

    pub(super) fn problem(&self) -> Option<String> {
        (!(1..=60_000_000).contains(&self.duration_us))
            .then(|| format!("duration_us is {}; a stride lasts up to a minute", self.duration_us))
            .or_else(|| (self.t_us < 0).then(|| "t_us lies before the session".to_owned()))
            .or_else(|| too_long("the name", &self.by))
            .or_else(|| too_long("the role", &self.role))
            .or_else(|| self.note.as_deref().and_then(|n| too_long("the note", n)))
    }
}

/// Whether a place that a verdict names is that of a stride: another analysis moves the ends of a stride a little, its
/// middle stays inside.
pub(in crate::store) fn covers(
    (side, from, duration): (Option<Side>, i64, i64),
    stride: (Option<Side>, i64, i64),
) -> bool {
    let middle = stride.1 + stride.2 / 2;
    side == stride.0 && (from..=from + duration).contains(&middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(side: Option<Side>, t_us: i64) -> StrideVerdict {
        StrideVerdict {
            session: SessionId::parse("s1").expect("id"),
            side,
            t_us,
            duration_us: 700_000,
            bad: true,
            by: "kim".to_owned(),
            role: "coach".to_owned(),
            said_us: 5,
            note: None,
        }
    }

    #[test]
    fn a_verdict_finds_its_stride_when_the_ends_moved_a_little_and_no_neighbour() {
        let at = (Some(Side::Left), 10_000_000, 700_000);
        for (stride, same) in [
            ((Some(Side::Left), 10_000_000, 700_000), true),
            ((Some(Side::Left), 9_960_000, 690_000), true),
            ((Some(Side::Left), 10_700_000, 700_000), false),
            ((Some(Side::Left), 9_300_000, 700_000), false),
            ((Some(Side::Right), 10_000_000, 700_000), false),
            ((None, 10_000_000, 700_000), false),
        ] {
            assert_eq!(covers(at, stride), same, "{stride:?}");
        }
    }

    #[test]
    fn ids_differ_by_session_side_and_time_and_fit() {
        let long = SessionId::parse(&"s".repeat(64)).expect("id");
        let s1 = SessionId::parse("s1").expect("id");
        let id = |session: &SessionId, side, t| StrideVerdict::entry_id(session, side, t).expect("an id");
        let all = [
            id(&long, Some(Side::Right), 31_622_400_000_000),
            id(&s1, Some(Side::Right), 31_622_400_000_000),
            id(&s1, Some(Side::Left), 31_622_400_000_000),
            id(&s1, None, 31_622_400_000_000),
            id(&s1, None, 5),
        ];
        let different: std::collections::BTreeSet<&str> = all.iter().map(EntryId::as_str).collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn it_says_what_it_says_and_refuses_what_is_no_stride() {
        let mut v = verdict(Some(Side::Left), 12_340_000);
        assert_eq!(v.words(), "left stride at 12.3 s marked as bad, by kim");
        assert_eq!(v.problem(), None);
        v.bad = false;
        assert_eq!(v.words(), "left stride at 12.3 s counts again, by kim");
        v.duration_us = 0;
        assert!(v.problem().is_some());
        assert!(verdict(None, -1).problem().is_some());
    }
}
