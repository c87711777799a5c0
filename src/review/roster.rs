//! A squad at a glance, and the flags that wait for a look.

use super::flags::{flag_detail, flag_history, flags_now};
use super::history_of::Past;
use super::load::{load, zone};
use super::own_usual::{Part, Series};
use super::record::Review;
use super::sessions::standing;
use super::shapes::{
    DataWord, FlagItem, FlagsNow, InboxItem, LastRun, LevelWord, RowFlag, ShoeNow, Spark, SquadRow, StateChange,
    StripPoint,
};
use super::sight::{Sight, Viewer};
use super::trend::{TrendQuery, trend};
use crate::metrics::MetricId;
use crate::risk::Rules;
use crate::store::journal::{Day, EntryId, FlagActionKind};
use crate::store::{AthleteId, StoreError};

/// Weeks of sparklines and load.
const WEEKS: u32 = 8;
/// Days without a run from which a runner is silent.
const SILENT_DAYS: i32 = 7;
/// Runs in the strip of an inbox item.
const STRIP: usize = 5;

/// The squad on a day, those first that need a look most; of one group where one is named.
///
/// # Errors
/// Those of the disk.
pub fn squad(
    review: &Review,
    athletes: &[AthleteId],
    group: Option<&str>,
    viewer: &Viewer,
    today: Day,
) -> Result<Vec<SquadRow>, StoreError> {
    let mut rows = Vec::new();
    for athlete in athletes {
        let past = review.past(athlete, today)?;
        if in_group(&past, group) {
            rows.push(squad_row(review.rules(), &past, Sight::of(viewer, &past)));
        }
    }
    rows.sort_by(|a, b| (b.triage, &a.name, &a.athlete).cmp(&(a.triage, &b.name, &b.athlete)));
    Ok(rows)
}

fn in_group(past: &Past, group: Option<&str>) -> bool {
    group.is_none_or(|g| past.facts.groups.iter().any(|own| own == g))
}

/// One runner of the squad.
#[must_use]
pub fn squad_row(rules: &Rules, past: &Past, sight: Sight) -> SquadRow {
    let now = flags_now(rules, past, sight);
    let last = past.runs().last();
    let silent_days = last.map(|s| past.today.days() - s.day.days());
    let flags: Vec<RowFlag> = now
        .flags
        .iter()
        .filter(|f| f.level.raised())
        .map(|f| RowFlag {
            id: f.id.clone(),
            level: f.level,
            since: f.since,
        })
        .collect();
    let last_score = match sight {
        Sight::Everything => last_score(past),
        Sight::NoSymptoms => None,
    };
    SquadRow {
        athlete: past.athlete.clone(),
        name: past.name(),
        groups: past.facts.groups.clone(),
        triage: triage(&now, silent_days),
        summary: now.summary.level,
        flags,
        last_run: last.map(|s| LastRun {
            session: s.id().cloned(),
            day: s.day,
            km: s.km,
        }),
        silent_days,
        data: last
            .and_then(|s| s.run.as_ref())
            .map_or(DataWord::None, |r| r.values.data),
        cadence_spark: cadence(rules, past),
        drop_asym_spark: drop_asymmetry(past),
        load_weeks: load(past, WEEKS as usize).weeks,
        load_zone: zone(past),
        shoe: last.and_then(|s| s.note.shoe.clone()).map(|id| shoe(past, id)),
        symptoms: sight.word(),
        back_last: last_score,
    }
}

/// Sort key: the summary first, then flags at watch or higher, then a week of silence, then notes.
fn triage(now: &FlagsNow, silent_days: Option<i32>) -> i64 {
    let summary = match now.summary.level {
        LevelWord::Stop => 5,
        LevelWord::High => 4,
        LevelWord::Watch => 3,
        LevelWord::Info => 2,
        LevelWord::None => 1,
        LevelWord::NotEnoughData => 0,
    };
    let at = |least: LevelWord| now.flags.iter().filter(|f| f.level >= least).count() as i64;
    let silent = i64::from(silent_days.is_some_and(|d| d >= SILENT_DAYS));
    summary * 10_000 + at(LevelWord::Watch) * 100 + silent * 50 + at(LevelWord::Info)
}

/// The highest back score of the last day that has one.
fn last_score(past: &Past) -> Option<f64> {
    let of_runs = past
        .history
        .sessions
        .iter()
        .filter_map(|s| Some((s.day, s.back_score()?)));
    let of_checkins = past.history.checkins.iter().flat_map(|c| {
        let scores = [c.back_now, c.back_morning];
        scores.into_iter().flatten().map(|x| (c.day, x))
    });
    let all: Vec<(i32, f64)> = of_runs.chain(of_checkins).collect();
    let last = all.iter().map(|(day, _)| *day).max()?;
    all.iter()
        .filter(|(day, _)| *day == last)
        .map(|(_, x)| *x)
        .reduce(f64::max)
}

fn since(past: &Past) -> Day {
    past.today.plus(1 - 7 * WEEKS as i32)
}

fn cadence(rules: &Rules, past: &Past) -> Vec<Spark> {
    let query = TrendQuery {
        series: Series::Metric(MetricId::Cadence),
        weeks: WEEKS,
        speed_ms: None,
        part: Part::All,
    };
    let points = trend(rules, past, &query, Sight::NoSymptoms, &[]).points;
    let at_speed = points.iter().filter(|p| p.at_speed);
    at_speed
        .filter_map(|p| {
            Some(Spark {
                day: p.day,
                value: p.value?,
            })
        })
        .collect()
}

/// Left less right drop of each comparable run, degrees.
fn drop_asymmetry(past: &Past) -> Vec<Spark> {
    let runs = past.comparable().filter(|(s, _)| s.day >= since(past));
    let both = runs.filter_map(|(s, run)| {
        let m = &run.values.metrics;
        Some(Spark {
            day: s.day,
            value: m.get("drop_left_deg")? - m.get("drop_right_deg")?,
        })
    });
    both.collect()
}

/// A pair with the distance on it: what it had, and all runs in it.
#[must_use]
pub fn shoe(past: &Past, id: EntryId) -> ShoeNow {
    let facts = past.shoes.get(&id);
    let worn = past
        .runs()
        .filter(|s| s.note.shoe.as_ref() == Some(&id))
        .filter_map(|s| s.km);
    ShoeNow {
        km: facts.and_then(|f| f.km_before).unwrap_or(0.0) + worn.sum::<f64>(),
        name: facts
            .map(|f| f.name.clone())
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| id.to_string()),
        id,
    }
}

/// Flags at watch or higher that nobody has seen, muted or handed on since they rose; highest first.
///
/// # Errors
/// Those of the disk.
pub fn inbox(
    review: &Review,
    athletes: &[AthleteId],
    group: Option<&str>,
    viewer: &Viewer,
    today: Day,
) -> Result<Vec<InboxItem>, StoreError> {
    let mut items = Vec::new();
    for athlete in athletes {
        let past = review.past(athlete, today)?;
        if in_group(&past, group) {
            items.extend(inbox_of(review.rules(), &past, Sight::of(viewer, &past)));
        }
    }
    items.sort_by(|a, b| (b.flag.level, &a.athlete, &a.flag.id).cmp(&(a.flag.level, &b.athlete, &b.flag.id)));
    Ok(items)
}

/// The inbox items of one runner.
#[must_use]
pub fn inbox_of(rules: &Rules, past: &Past, sight: Sight) -> Vec<InboxItem> {
    let now = flags_now(rules, past, sight);
    let waiting: Vec<FlagItem> = now.flags.into_iter().filter(waits).collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let changes = flag_history(rules, past, sight).changes;
    let items = waiting.into_iter().filter_map(|flag| {
        let detail = flag_detail(rules, past, sight, &flag.id)?;
        let computation = detail.computation?;
        Some(InboxItem {
            athlete: past.athlete.clone(),
            athlete_name: past.name(),
            strip: strip(past, &flag.id, &computation.votes, &changes),
            other_reasons: computation.other_reasons,
            since: flag.since,
            flag,
        })
    });
    items.collect()
}

fn waits(flag: &FlagItem) -> bool {
    let done = flag.actions.iter().any(|a| {
        matches!(a.action, FlagActionKind::Acknowledge | FlagActionKind::HandToTherapist)
            && flag.since.is_none_or(|since| a.day >= since)
    });
    flag.level >= LevelWord::Watch && !flag.hidden && flag.muted_until.is_none() && !done
}

fn strip(past: &Past, flag: &str, votes: &[super::shapes::VoteItem], changes: &[StateChange]) -> Vec<StripPoint> {
    if !votes.is_empty() {
        let last = &votes[votes.len().saturating_sub(STRIP)..];
        let points = last.iter().map(|v| StripPoint {
            day: v.day,
            level: v.level.unwrap_or(LevelWord::NotEnoughData),
        });
        return points.collect();
    }
    let runs: Vec<Day> = past.runs().map(|s| s.day).collect();
    let last = &runs[runs.len().saturating_sub(STRIP)..];
    last.iter()
        .map(|day| StripPoint {
            day: *day,
            level: standing(changes, *day)
                .into_iter()
                .find(|f| f.id == flag)
                .map_or(LevelWord::None, |f| f.level),
        })
        .collect()
}
