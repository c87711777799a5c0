//! Raw samples go by themselves when they are old, or when there are too many: what a command that writes does first.
//!
//! Samples are most of the bytes, and a disk that fills up ends a recording. So they go ninety days after their run where
//! nobody says otherwise; sessions, strides and flags stay. Nobody is surprised by that: the first time that anything is
//! due under the default, nothing goes. What will happen is said instead, and a fortnight passes. Who wrote a limit into
//! the settings has said it already, and zero there keeps everything.
//!
//! What is pinned stays, and so does what was raised a flag about, what is being recorded, and what is not finished yet.

use crate::config::{Origin, Settings};
use crate::store::sqlite::{RawHeld, RawLimits, too_much};
use crate::store::{SqliteReader, SqliteStore, StoreError, UtcMicros};
use std::path::Path;

/// Bytes of a gigabyte, as disks are sold.
const GB: f64 = 1e9;
/// Microseconds of a day.
const DAY_US: f64 = 86_400e6;
/// Between the announcement and the first recording that goes under the default, days.
const NOTICE_DAYS: f64 = 14.0;
/// Files are overwritten before they are removed. So much a time keeps whoever waits waiting for a second or two; the rest
/// goes the next time.
const AT_ONCE: u64 = 500_000_000;
/// When the default was announced, in the data folder: one number, microseconds since 1970.
const ANNOUNCED: &str = "raw-retention";

/// What the settings say about raw samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// They stay this long, days; `None` for ever.
    pub days: Option<f64>,
    /// They take this much at most, gigabytes; `None` for no limit.
    pub gigabytes: Option<f64>,
    /// Who says so.
    pub by: By,
}

/// Whose policy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Nobody said anything: old recordings go after an announcement.
    Default,
    /// Whoever wrote the settings.
    Owner,
}

impl Policy {
    /// That of these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let unsaid = |origin: &Origin| *origin == Origin::Default;
        Self {
            days: settings.raw_days.value,
            gigabytes: settings.raw_gb.value,
            by: if unsaid(&settings.raw_days.origin) && unsaid(&settings.raw_gb.origin) {
                By::Default
            } else {
                By::Owner
            },
        }
    }

    /// The recordings that may not stay at `now`, oldest first. Pure.
    #[must_use]
    pub fn due<'a>(&self, stock: &'a [RawHeld], now: UtcMicros) -> Vec<&'a RawHeld> {
        let limits = RawLimits {
            not_before: self
                .days
                .map(|days| UtcMicros::from_micros(now.micros().saturating_sub((days * DAY_US) as i64))),
            most_bytes: self.gigabytes.map(|gb| (gb * GB) as u64),
        };
        let free: Vec<RawHeld> = stock.iter().filter(|r| !r.flagged && !r.unfinished).cloned().collect();
        let going = too_much(&free, limits);
        going
            .iter()
            .filter_map(|id| stock.iter().find(|r| r.session == *id))
            .collect()
    }

    /// In words that follow "raw samples".
    #[must_use]
    pub fn sentence(&self) -> String {
        let days = self.days.map(|d| format!("stay {d} days"));
        let gigabytes = self.gigabytes.map(|gb| format!("take {gb} GB at most"));
        match (days, gigabytes) {
            (None, None) => "stay until you remove them".to_owned(),
            (Some(one), None) | (None, Some(one)) => one,
            (Some(days), Some(gigabytes)) => format!("{days} and {gigabytes}"),
        }
    }
}

/// What a pass came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was due.
    Nothing,
    /// Something is due under the default for the first time: it goes from `from` on.
    Announced {
        /// How many recordings.
        recordings: usize,
        /// Their size.
        bytes: u64,
        /// When they go at the earliest.
        from: UtcMicros,
    },
    /// Raw samples went.
    Freed {
        /// Of how many sessions.
        recordings: usize,
        /// Their size.
        bytes: u64,
    },
}

impl Outcome {
    /// One line for a person; `None` where there is nothing to tell.
    #[must_use]
    pub fn sentence(&self, policy: &Policy) -> Option<String> {
        let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        match self {
            Self::Nothing => None,
            Self::Announced {
                recordings,
                bytes,
                from,
            } => Some(format!(
                "raw samples {}: those of {recordings} older runs ({}) go from {} on, their strides stay; \
                 lope raw pin keeps one, retention.raw_days = 0 in the settings keeps all",
                policy.sentence(),
                megabytes(*bytes),
                &from.iso8601()[..10]
            )),
            Self::Freed { recordings, bytes } => Some(format!(
                "removed the raw samples of {recordings} older runs, {}; their strides stay (raw samples {})",
                megabytes(*bytes),
                policy.sentence()
            )),
        }
    }
}

/// Removes what is due in the store of `dir`, one session a transaction.
///
/// # Errors
/// Those of the store.
pub fn pass(dir: &Path, store: &SqliteStore, policy: &Policy, now: UtcMicros) -> Result<Outcome, StoreError> {
    let stock = SqliteReader::open(dir)?.raw_stock()?;
    let due = policy.due(&stock, now);
    if due.is_empty() {
        return Ok(Outcome::Nothing);
    }
    if policy.by == By::Default {
        let from = announced(dir, now)?;
        if now < from {
            return Ok(Outcome::Announced {
                recordings: due.len(),
                bytes: due.iter().map(|r| r.bytes).sum(),
                from,
            });
        }
    }
    let (mut recordings, mut bytes) = (0, 0);
    for held in due {
        if recordings > 0 && bytes + held.bytes > AT_ONCE {
            break;
        }
        bytes += store.drop_raw(&held.session, now)?;
        recordings += 1;
    }
    Ok(Outcome::Freed { recordings, bytes })
}

/// From when on the default may remove anything; notes today when it was never announced.
fn announced(dir: &Path, now: UtcMicros) -> Result<UtcMicros, StoreError> {
    let path = dir.join(ANNOUNCED);
    let noted = std::fs::read_to_string(&path).ok().and_then(|t| t.trim().parse().ok());
    let since = match noted {
        // A clock that was set back since then announces anew.
        Some(since) if since <= now.micros() => since,
        _ => {
            std::fs::write(&path, format!("{}\n", now.micros())).map_err(|e| StoreError::Io {
                path,
                detail: e.to_string(),
            })?;
            now.micros()
        }
    };
    Ok(UtcMicros::from_micros(
        since.saturating_add((NOTICE_DAYS * DAY_US) as i64),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionTime;
    use crate::store::batch::FIRST_ANALYSIS;
    use crate::store::raw::RawOptions;
    use crate::store::{AthleteId, Closing, Origin as Came, SessionId, SessionMeta, Store, WallClock};

    const DAY: i64 = 86_400_000_000;
    const NOW: UtcMicros = UtcMicros::from_micros(20_000 * DAY);

    fn policy(days: Option<f64>, by: By) -> Policy {
        Policy {
            days,
            gigabytes: None,
            by,
        }
    }

    /// A session that began so many days ago, with samples.
    fn keep(store: &SqliteStore, name: &str, days_ago: i64, closed: bool) -> SessionId {
        let meta = SessionMeta {
            id: SessionId::parse(name).expect("id"),
            athlete: AthleteId::parse("ada").expect("id"),
            start: UtcMicros::from_micros(NOW.micros() - days_ago * DAY),
            wall_clock: WallClock::Known,
            expected_stop: None,
            origin: Came::Live,
            tz: None,
            note: None,
            facts: crate::model::Athlete::default(),
            sensors: Vec::new(),
        };
        store.open_session(&meta).expect("opened");
        let mut raw = store.start_raw(&meta.id, RawOptions::default()).expect("begun");
        let sample = crate::model::ImuSample {
            t: SessionTime::ZERO,
            acc: crate::model::Vec3::new(0.0, 0.0, 9.81),
            gyro: crate::model::Vec3::new(0.0, 0.0, 0.0),
            clip: crate::model::ClipFlags::NONE,
            filled: false,
        };
        raw.push(&crate::model::SensorEvent::Sample(
            crate::model::Placement::Sacrum,
            sample,
        ))
        .expect("kept");
        if closed {
            let closing = Closing {
                stop: SessionTime::from_secs(1.0),
                analysis: FIRST_ANALYSIS,
                pipeline_version: "test".to_owned(),
                params: serde_json::json!({}),
                sensors: Vec::new(),
            };
            store.close_session(&meta.id, &closing).expect("closed");
            store.seal_raw(raw).expect("sealed");
        } else {
            raw.flush().expect("durable");
        }
        meta.id
    }

    fn there(dir: &Path) -> Vec<String> {
        let stock = SqliteReader::open(dir).and_then(|r| r.raw_stock()).expect("read");
        stock
            .iter()
            .filter(|r| r.bytes > 0)
            .map(|r| r.session.to_string())
            .collect()
    }

    #[test]
    fn the_default_is_announced_a_fortnight_before_anything_goes() {
        let dir = tempfile::tempdir().expect("folder");
        let store = SqliteStore::open(dir.path(), "test").expect("opened");
        keep(&store, "old", 200, true);
        let default = policy(Some(90.0), By::Default);
        let at = |days: i64| UtcMicros::from_micros(NOW.micros() + days * DAY);
        let run = |days| pass(dir.path(), &store, &default, at(days)).expect("passed");
        for days in [0, 1, 13] {
            let outcome = run(days);
            assert!(
                matches!(outcome, Outcome::Announced { recordings: 1, from, .. } if from == at(14)),
                "{outcome:?}"
            );
            assert!(outcome.sentence(&default).expect("said").contains("retention.raw_days"));
        }
        assert_eq!(there(dir.path()), ["old"]);
        assert!(matches!(run(14), Outcome::Freed { recordings: 1, bytes } if bytes > 0));
        assert!(there(dir.path()).is_empty());
        assert_eq!(run(15), Outcome::Nothing);
    }

    #[test]
    fn what_the_owner_said_is_done_at_once_and_spares_what_is_pinned_young_open_or_unfinished() {
        let dir = tempfile::tempdir().expect("folder");
        let store = SqliteStore::open(dir.path(), "test").expect("opened");
        keep(&store, "old", 40, true);
        keep(&store, "young", 5, true);
        let pinned = keep(&store, "pinned", 50, true);
        store.pin_raw(&pinned).expect("pinned");
        keep(&store, "running", 60, false);
        let owner = policy(Some(30.0), By::Owner);
        let outcome = pass(dir.path(), &store, &owner, NOW).expect("passed");
        assert!(matches!(outcome, Outcome::Freed { recordings: 1, .. }), "{outcome:?}");
        assert_eq!(there(dir.path()), ["running", "pinned", "young"]);
        // After its program ended by force the open one waits to be finished.
        drop(store);
        let store = SqliteStore::open(dir.path(), "test").expect("opened");
        assert_eq!(pass(dir.path(), &store, &owner, NOW), Ok(Outcome::Nothing));
        assert_eq!(
            pass(dir.path(), &store, &policy(None, By::Owner), NOW),
            Ok(Outcome::Nothing),
            "switched off"
        );
        let by_size = Policy {
            days: None,
            gigabytes: Some(1e-9),
            by: By::Owner,
        };
        assert!(matches!(
            pass(dir.path(), &store, &by_size, NOW),
            Ok(Outcome::Freed { recordings: 1, .. })
        ));
        assert_eq!(there(dir.path()), ["running", "pinned"]);
    }

    #[test]
    fn a_run_that_a_flag_was_raised_about_stays() {
        let dir = tempfile::tempdir().expect("folder");
        let store = SqliteStore::open(dir.path(), "test").expect("opened");
        keep(&store, "calm", 100, true);
        keep(&store, "flagged", 120, true);
        let conn = rusqlite::Connection::open(dir.path().join("lope.db")).expect("opened");
        let raise = |days_ago: i64, state: &str| {
            conn.execute(
                "INSERT INTO flag_states (athlete_id, rules_version, flag, day, state) VALUES ('ada', '1', 'f', ?1, ?2)",
                (20_000 - days_ago, state),
            )
            .expect("entered");
        };
        raise(120, "watch");
        raise(100, "none");
        let outcome = pass(dir.path(), &store, &policy(Some(30.0), By::Owner), NOW).expect("passed");
        assert!(matches!(outcome, Outcome::Freed { recordings: 1, .. }), "{outcome:?}");
        assert_eq!(there(dir.path()), ["flagged"]);
    }
}
