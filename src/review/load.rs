//! Weeks of running, and the usual week.
//!
//! A picture of habit. The ratio of recent to former load ran the wrong way in two cohorts of runners; nothing here is
//! compared with a limit and no flag reads it.

use super::history_of::Past;
use super::local_day::monday;
use super::shapes::{Load, LoadWeek, LoadZone};
use crate::risk::history::SessionKind;
use crate::store::journal::Day;

/// Whole weeks before the present one that make the usual zone, and the fewest.
const ZONE_WEEKS: (usize, usize) = (4, 8);
/// From so many weeks on, the highest and the lowest do not make the zone.
const TRIMMED_FROM: usize = 6;
/// Another sport below this effort, or shorter than this, leaves a day a rest day (rule file, `rest_days_7`).
const REST_EFFORT: u8 = 4;
const REST_MINUTES: f64 = 20.0;

/// The last `weeks` weeks up to the past's last day.
#[must_use]
pub fn load(past: &Past, weeks: usize) -> Load {
    let this = monday(past.today);
    let count = weeks.clamp(1, 5200) as i32;
    let weeks = (0..count).rev().map(|back| week(past, this.plus(-7 * back)));
    Load {
        weeks: weeks.collect(),
        zone: zone(past),
    }
}

fn week(past: &Past, monday: Day) -> LoadWeek {
    let of_week = |day: Day| (monday..monday.plus(7)).contains(&day);
    let runs = past.runs().filter(|s| of_week(s.day));
    let km: Vec<f64> = runs.filter_map(|s| s.km).collect();
    let days = (0..7)
        .map(|d| monday.plus(d))
        .filter(|d| *d <= past.today && *d >= past.first);
    LoadWeek {
        week_start: monday,
        km: km.iter().sum(),
        runs: km.len() as u32,
        rest_days: days.filter(|d| !trained(past, *d)).count() as u32,
        longest_km: km.iter().copied().reduce(f64::max),
    }
}

fn trained(past: &Past, day: Day) -> bool {
    past.sessions.iter().filter(|s| s.day == day).any(|s| {
        s.kind == SessionKind::Run
            || (s.minutes.unwrap_or(0.0) > REST_MINUTES && s.note.effort.is_none_or(|e| e.get() >= REST_EFFORT))
    })
}

/// The usual week: from the lowest to the highest of the last four to eight whole weeks, from six on without these two.
#[must_use]
pub fn zone(past: &Past) -> Option<LoadZone> {
    let this = monday(past.today);
    let whole = (1..=ZONE_WEEKS.1 as i32)
        .map(|back| this.plus(-7 * back))
        .filter(|m| *m >= past.first);
    let mut km: Vec<f64> = whole.map(|m| week(past, m).km).collect();
    if km.len() < ZONE_WEEKS.0 {
        return None;
    }
    km.sort_by(f64::total_cmp);
    if km.len() >= TRIMMED_FROM {
        km.remove(0);
        km.pop();
    }
    Some(LoadZone {
        low: *km.first()?,
        high: *km.last()?,
    })
}

/// Distance of the seven days up to and with a day, km.
#[must_use]
pub fn week_up_to(past: &Past, day: Day) -> f64 {
    let runs = past.runs().filter(|s| s.day > day.plus(-7) && s.day <= day);
    runs.filter_map(|s| s.km).sum()
}
