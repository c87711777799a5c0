//! The card after a run: how it was, against what is usual for this runner at this speed.

use super::flags::flags_now;
use super::history_of::{Past, PastSession};
use super::load::{week_up_to, zone};
use super::own_usual::{OwnUsual, Part, Series, speed};
use super::record::Review;
use super::run_values::RunSummary;
use super::sessions::{coverage, session_item};
use super::shapes::{Card, CardLoad, CardRow, ChangeWord, FlagsNow, LevelWord, LoadWord, StateChange, WithinRow};
use super::sight::Sight;
use crate::metrics::MetricId as Id;
use crate::risk::Rules;
use crate::risk::explain::why_not;
use crate::risk::usual::NotCompared;
use crate::store::{Origin, SessionId, StoreError, WallClock};

/// Rows of the card.
const ROWS: usize = 6;
/// What the rows are taken from, in this order: what a runner can act on or asks for, first.
const PREFERRED: [Id; 12] = [
    Id::Cadence,
    Id::StrideLength,
    Id::ContactTime,
    Id::OverstrideDistance,
    Id::PelvisDrop,
    Id::PelvisTilt,
    Id::ShankAngleIc,
    Id::FlightTime,
    Id::SacralPeakAcc,
    Id::TibialPeakAcc,
    Id::FootStrikeAngle,
    Id::MlRmsRatio,
];
/// Why a session that does not count is compared with nothing.
const NO_DAY: &str = "this session does not count: its day is not known";
/// Changes told in the headline.
const TOLD: usize = 2;

/// The card of a session; `None` where the athlete has no such session. `changes` are those of the flags, as who asks may
/// see them.
///
/// # Errors
/// Those of the disk.
pub fn card(
    review: &Review,
    past: &Past,
    session: &SessionId,
    sight: Sight,
    changes: &[StateChange],
) -> Result<Option<Card>, StoreError> {
    let Some(recorded) = past.recorded.iter().find(|r| r.row.meta.id == *session) else {
        return Ok(None);
    };
    let rules = review.rules();
    let item = session_item(past, recorded, changes);
    let counted = past.sessions.iter().find(|s| s.id() == Some(session));
    let now = flags_now(rules, past, sight);
    let mut rows = rows(rules, past, counted, recorded.run.as_ref());
    if recorded.row.meta.origin == Origin::Demo && recorded.row.meta.wall_clock == WallClock::Assumed {
        let uncounted = rows.iter_mut().filter(|r| r.why.as_deref() == Some(NO_DAY));
        uncounted.for_each(|r| r.why = Some("a demonstration is compared with nobody's usual".to_owned()));
    }
    let (within_run, within_why) = within(rules, recorded.run.as_ref());
    Ok(Some(Card {
        headline: headline(&rows),
        load: load_of(past, counted),
        rows,
        within_run,
        within_why,
        one_thing: one_thing(&now),
        coverage: coverage(review, &recorded.row)?,
        data: item.data,
        checkin_due: counted.is_some_and(|s| !answered(past, s)),
        safety: now.safety,
        session: item,
    }))
}

/// Whether anything was answered about a run: a score of it, or a check-in that day.
fn answered(past: &Past, s: &PastSession) -> bool {
    let day = past.index(s.day);
    s.note.back_worst.is_some() || s.note.effort.is_some() || past.history.checkins.iter().any(|c| c.day == day)
}

/// The first preferred metrics that were measured, filled up with those that were not.
fn rows(rules: &Rules, past: &Past, session: Option<&PastSession>, run: Option<&RunSummary>) -> Vec<CardRow> {
    let measured = |id: &&Id| run.is_some_and(|r| r.metrics.contains_key(id.def().name));
    let mut chosen: Vec<Id> = PREFERRED.iter().filter(measured).take(ROWS).copied().collect();
    let rest = PREFERRED.iter().filter(|id| !measured(id)).take(ROWS - chosen.len());
    chosen.extend(rest);
    chosen
        .into_iter()
        .map(|id| row(rules, past, session, run, &Series::Metric(id)))
        .collect()
}

fn row(
    rules: &Rules,
    past: &Past,
    session: Option<&PastSession>,
    run: Option<&RunSummary>,
    series: &Series,
) -> CardRow {
    let (unit, _, _) = series.units();
    let mut row = CardRow {
        metric: series.name().to_owned(),
        title: series.title(),
        unit,
        value: run.and_then(|r| series.value(r, Part::All)),
        usual: None,
        band_low: None,
        band_high: None,
        change: None,
        beyond_noise: None,
        word: ChangeWord::NotComparable,
        why: None,
    };
    let Some(run) = run else {
        row.why = Some("what this session amounts to is not known yet".to_owned());
        return row;
    };
    let Some(value) = row.value else {
        row.why = Some(series.why_absent(run, Part::All));
        return row;
    };
    let Some(session) = session else {
        row.why = Some(NO_DAY.to_owned());
        return row;
    };
    if !run.values.eligible {
        row.why = run.values.why_not.first().cloned();
        return row;
    }
    let Some(at) = speed(run, Part::All) else {
        row.why = Some("the speed is not known".to_owned());
        return row;
    };
    match OwnUsual::before(rules, past, series, session).compare(rules, series, at, value) {
        Ok(c) => {
            let half = rules.reference.scale_factor * c.spread;
            let usual = c.expected + c.middle;
            let change = value - usual;
            row.usual = Some(usual);
            row.band_low = Some(usual - half);
            row.band_high = Some(usual + half);
            row.change = Some(change);
            row.beyond_noise = Some(change.abs() > half);
            row.word = match change {
                _ if change.abs() <= half => ChangeWord::Usual,
                x if x > 0.0 => ChangeWord::Higher,
                _ => ChangeWord::Lower,
            };
        }
        Err(why) => {
            if matches!(why, NotCompared::Learning { .. }) {
                row.word = ChangeWord::Learning;
            }
            row.why = Some(why_not(why));
        }
    }
    row
}

/// One sentence about the rows.
fn headline(rows: &[CardRow]) -> String {
    let with = |word| rows.iter().filter(move |r| r.word == word);
    let changed: Vec<String> = rows
        .iter()
        .filter(|r| matches!(r.word, ChangeWord::Higher | ChangeWord::Lower))
        .take(TOLD)
        .map(|r| format!("{} {}", r.title.to_lowercase(), r.word.word()))
        .collect();
    if !changed.is_empty() {
        return format!("Not quite as usual at this pace: {}.", changed.join(", "));
    }
    if with(ChangeWord::Usual).next().is_some() {
        return "Steady: as usual at this pace.".to_owned();
    }
    if let Some(row) = with(ChangeWord::Learning).next() {
        let why = row.why.clone().unwrap_or_else(|| "learning your usual".to_owned());
        let mut letters = why.chars();
        let first = letters
            .next()
            .map(|c| c.to_uppercase().collect::<String>())
            .unwrap_or_default();
        return format!("{first}{}.", letters.as_str());
    }
    "This run cannot be compared with your usual.".to_owned()
}

fn load_of(past: &Past, session: Option<&PastSession>) -> CardLoad {
    let day = session.map_or(past.today, |s| s.day);
    let week_km = week_up_to(past, day);
    let zone = zone(past);
    CardLoad {
        km: session.and_then(|s| s.km),
        week_km,
        usual_week_low_km: zone.map(|z| z.low),
        usual_week_high_km: zone.map(|z| z.high),
        word: match zone {
            None => LoadWord::Learning,
            Some(z) if week_km < z.low => LoadWord::Below,
            Some(z) if week_km > z.high => LoadWord::Above,
            Some(_) => LoadWord::Within,
        },
    }
}

/// What changed from minutes 5 to 15 to the last fifth.
fn within(rules: &Rules, run: Option<&RunSummary>) -> (Option<Vec<WithinRow>>, Option<String>) {
    let Some(run) = run else {
        return (None, Some("what this session amounts to is not known yet".to_owned()));
    };
    if run.late.is_empty() {
        return (None, run.values.absent.get("drift").cloned());
    }
    let rows = run.late.iter().map(|l| {
        let def = l.metric.def();
        let rule = rules.markers.iter().find(|m| m.name == l.marker);
        let counts = rule.is_some_and(|m| {
            let x = if m.size_only {
                l.in_rule_unit.abs()
            } else {
                l.in_rule_unit
            };
            m.op.holds(x, m.value, rules.epsilon)
        });
        WithinRow {
            metric: l.marker.clone(),
            title: def.label.to_owned(),
            unit: def.unit.to_owned(),
            first: l.early,
            last: l.early + l.change,
            change: l.change,
            counts,
        }
    });
    (Some(rows.collect()), None)
}

/// The message of the highest flag at watch or above; nothing beside a reason to stop.
fn one_thing(now: &FlagsNow) -> Option<String> {
    if now.safety.is_some() {
        return None;
    }
    let raised = now.flags.iter().filter(|f| f.level >= LevelWord::Watch && !f.hidden);
    // Of equal levels the first in the order of the rules.
    let highest = raised.rev().max_by_key(|f| f.level)?;
    highest.message.clone()
}
