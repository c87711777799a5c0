//! One metric over weeks, run by run at one speed.
//!
//! Stride length, contact and nearly everything else follow speed, so runs are compared at one speed: each run's value is
//! moved to it along the runner's own line. A run too far from the speeds that were learned is shown as measured and marked.
//!
//! *Smallest change*: what the median of the last runs must differ by before a word is said. The 95 % limit for the
//! difference of a median of k runs and the reference of r runs, 1.96 s √(π/2) √(1/k + 1/r) with the own spread s (Theil-Sen
//! residuals of the reference, 1.4826 × median absolute deviation), and never less than the half-width 2 s of the own band,
//! which is also the least that a flag needs. Runs are taken as independent, which runs of one week are not.

use super::history_of::{Past, PastSession, main_ground};
use super::load::load;
use super::own_usual::{OwnUsual, Part, Series, speed};
use super::precision::Precision;
use super::run_values::RunSummary;
use super::shapes::{
    GroundStretch, LevelWord, OwnBand, ShoeStretch, SmallestChange, SymptomPoint, Trend, TrendFlag, TrendPoint,
    TrendValue, Verdict, VerdictWord,
};
use super::sight::Sight;
use super::windows::median;
use crate::risk::Rules;
use crate::risk::explain::why_not;
use crate::store::journal::{Day, EntryId, Ground};
use crate::store::sqlite::KeptState;
use std::collections::BTreeMap;

/// Runs whose median stands for the present.
const LATEST: usize = 5;
/// Days of the rolling median.
const ROLLING_DAYS: i32 = 42;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TrendQuery {
    /// The series.
    pub series: Series,
    /// Weeks up to the past's last day.
    pub weeks: u32,
    /// Speed at which runs are compared, m/s; the middle speed of the reference where none is named.
    pub speed_ms: Option<f64>,
    /// Part of each run.
    pub part: Part,
}

/// A run, placed.
struct Placed<'a> {
    session: &'a PastSession,
    run: &'a RunSummary,
    /// Place among the comparable runs.
    place: Option<usize>,
    value: Option<f64>,
    at_speed: bool,
    why: Option<String>,
}

/// The trend. `kept` are the flags' changes as they were last kept; `sight` decides about symptoms.
#[must_use]
pub fn trend(rules: &Rules, past: &Past, query: &TrendQuery, sight: Sight, kept: &[KeptState]) -> Trend {
    let usual = OwnUsual::learn(rules, past, &query.series, query.part);
    let reference_speed_ms = query
        .speed_ms
        .or_else(|| usual.middle_speed())
        .or_else(|| own_speed(past, query.part));
    let from = past.today.plus(1 - 7 * query.weeks.clamp(1, 5200) as i32);
    let placed = place(rules, past, query, &usual, reference_speed_ms);
    let band = reference_speed_ms.and_then(|v| band(rules, query, &usual, v));
    let (unit, shown_unit, shown_factor) = query.series.units();
    let counted: Vec<(Day, f64)> = placed
        .iter()
        .filter(|p| p.at_speed)
        .filter_map(|p| Some((p.session.day, p.value?)))
        .collect();
    let latest: Vec<f64> = counted
        .iter()
        .filter(|(d, _)| *d >= from)
        .rev()
        .take(LATEST)
        .map(|c| c.1)
        .collect();
    let smallest = band
        .as_ref()
        .map(|b| smallest_change(b, latest.len(), &shown_unit, shown_factor));
    let verdict = verdict(
        rules,
        &usual,
        band.as_ref(),
        &latest,
        smallest.as_ref(),
        (&shown_unit, shown_factor),
    );
    let shown: Vec<&Placed> = placed.iter().filter(|p| p.session.day >= from).collect();
    Trend {
        athlete: past.athlete.clone(),
        metric: query.series.name().to_owned(),
        title: query.series.title(),
        unit,
        shown_unit,
        shown_factor,
        reference_speed_ms,
        speed_known: placed.iter().any(|p| p.run.values.speed_ms.is_some()),
        rolling42: rolling(&counted, from),
        points: shown.iter().filter_map(|p| point(p, query, &usual)).collect(),
        reference: band,
        smallest_change: smallest,
        verdict,
        symptoms: (sight == Sight::Everything).then(|| symptoms(past, from)),
        load: load(past, query.weeks as usize).weeks,
        flags: flags(rules, sight, kept, from, past.today),
        shoes: stretches(&shown, |s| s.note.shoe.clone())
            .into_iter()
            .map(|(shoe, from, to): (EntryId, _, _)| ShoeStretch { shoe, from, to })
            .collect(),
        grounds: stretches(&shown, main_ground)
            .into_iter()
            .map(|(ground, from, to): (Ground, _, _)| GroundStretch { ground, from, to })
            .collect(),
    }
}

/// Middle speed of all comparable runs.
fn own_speed(past: &Past, part: Part) -> Option<f64> {
    median(
        &past
            .comparable()
            .filter_map(|(_, run)| speed(run, part))
            .collect::<Vec<_>>(),
    )
}

fn place<'a>(
    rules: &Rules,
    past: &'a Past,
    query: &TrendQuery,
    usual: &OwnUsual,
    reference_speed: Option<f64>,
) -> Vec<Placed<'a>> {
    let mut place = 0;
    let sensed = past
        .runs()
        .filter(|s| s.row.is_some())
        .filter_map(|s| Some((s, s.run.as_ref()?)));
    let placed = sensed.map(|(session, run)| {
        let comparable = run.values.eligible && !session.left_out;
        let own = comparable.then(|| {
            place += 1;
            place - 1
        });
        let measured = query.series.value(run, query.part);
        let (value, at_speed, why) = match (measured, speed(run, query.part), reference_speed) {
            _ if session.left_out => (measured, false, Some("left out by the runner".to_owned())),
            (None, _, _) => (None, false, Some(query.series.why_absent(run, query.part))),
            _ if !run.values.eligible => (measured, false, run.values.why_not.first().cloned()),
            (_, None, _) | (_, _, None) => (measured, false, Some("the speed is not known".to_owned())),
            (Some(v), Some(at), Some(wanted)) => at_reference(rules, query, usual, (at, v), wanted),
        };
        Placed {
            session,
            run,
            place: own,
            value,
            at_speed,
            why,
        }
    });
    placed.collect()
}

/// A value moved to the wanted speed along the own line; before there is a line, only from equal speeds.
fn at_reference(
    rules: &Rules,
    query: &TrendQuery,
    usual: &OwnUsual,
    (at, value): (f64, f64),
    wanted: f64,
) -> (Option<f64>, bool, Option<String>) {
    let here = usual.compare(rules, &query.series, at, value);
    let there = usual.compare(rules, &query.series, wanted, value);
    match (here, there) {
        (Ok(here), Ok(there)) => (Some(value + there.expected - here.expected), true, None),
        (Err(crate::risk::usual::NotCompared::Learning { .. }), _) => {
            let slack = rules.reference.speed_slack_flat_ms;
            let near = (at - wanted).abs() <= slack;
            let why = (!near).then(|| {
                format!("{at:.2} m/s; without a line over speed only runs within {slack} m/s of {wanted:.2} compare")
            });
            (Some(value), near, why)
        }
        (Err(why), _) | (_, Err(why)) => (Some(value), false, Some(why_not(why))),
    }
}

fn band(rules: &Rules, query: &TrendQuery, usual: &OwnUsual, speed: f64) -> Option<OwnBand> {
    // The value compared does not matter: the expected one is asked for.
    let c = usual.compare(rules, &query.series, speed, 0.0).ok()?;
    let half = rules.reference.scale_factor * c.spread;
    let mid = c.expected + c.middle;
    Some(OwnBand {
        low: mid - half,
        mid,
        high: mid + half,
        runs: usual.runs() as u32,
        state: usual.state(),
    })
}

fn smallest_change(band: &OwnBand, latest: usize, unit: &str, factor: f64) -> SmallestChange {
    let half = band.high - band.mid;
    let spread = half / 2.0;
    let (k, r) = (latest.max(1) as f64, f64::from(band.runs.max(1)));
    let limit = 1.96 * spread * std::f64::consts::FRAC_PI_2.sqrt() * (1.0 / k + 1.0 / r).sqrt();
    let value = limit.max(half);
    SmallestChange {
        value,
        text: format!(
            "A difference below {} cannot be told from how your runs ordinarily differ.",
            Precision::of(unit, factor, Some(value)).at_least(value)
        ),
    }
}

fn verdict(
    rules: &Rules,
    usual: &OwnUsual,
    band: Option<&OwnBand>,
    latest: &[f64],
    smallest: Option<&SmallestChange>,
    (unit, factor): (&str, f64),
) -> Verdict {
    let needed = rules.reference.min_runs;
    let say = |word, text: String| Verdict { word, text };
    let (Some(band), Some(smallest)) = (band, smallest) else {
        return if usual.runs() < needed {
            say(
                VerdictWord::Learning,
                format!("Learning your usual: {} of {needed} runs.", usual.runs()),
            )
        } else {
            say(
                VerdictWord::NotEnoughData,
                "This speed is outside the speeds of your reference.".to_owned(),
            )
        };
    };
    let Some(now) = median(latest) else {
        return say(
            VerdictWord::NotEnoughData,
            "No comparable run in these weeks at this speed.".to_owned(),
        );
    };
    let change = now - band.mid;
    let (runs, are) = match latest.len() {
        1 => ("run".to_owned(), "is"),
        n => (format!("{n} runs"), "are"),
    };
    let precision = Precision::of(unit, factor, Some(smallest.value));
    let against = format!("your usual {} at this speed", precision.text(band.mid));
    let size = precision.text(change.abs());
    if change.abs() < smallest.value {
        // A size that cannot be told from nothing is not told.
        say(
            VerdictWord::NoRealChange,
            format!(
                "No real change: the last {runs} {are} within {} of {against}.",
                precision.at_least(smallest.value)
            ),
        )
    } else if change < 0.0 {
        say(
            VerdictWord::Lower,
            format!("Lower: the last {runs} {are} {size} below {against}."),
        )
    } else {
        say(
            VerdictWord::Higher,
            format!("Higher: the last {runs} {are} {size} above {against}."),
        )
    }
}

fn point(p: &Placed, query: &TrendQuery, usual: &OwnUsual) -> Option<TrendPoint> {
    Some(TrendPoint {
        session: p.session.id()?.clone(),
        day: p.session.day,
        start_us: p.session.start.micros(),
        value: p.value,
        at_speed: p.at_speed,
        sigma: if query.part == Part::All {
            query.series.sigma(p.run)
        } else {
            None
        },
        data: p.run.values.data,
        shoe: p.session.note.shoe.clone(),
        ground: main_ground(p.session),
        runs_in_reference: p.place.is_some_and(|place| usual.holds(place)),
        why_not: p.why.clone(),
    })
}

/// On each day with a run that counts, the median of the runs of the 42 days up to it.
fn rolling(counted: &[(Day, f64)], from: Day) -> Vec<TrendValue> {
    let mut out: Vec<TrendValue> = Vec::new();
    let mut begin = 0;
    for (i, (day, _)) in counted.iter().enumerate() {
        while counted[begin].0 <= day.plus(-ROLLING_DAYS) {
            begin += 1;
        }
        let last_of_day = counted.get(i + 1).is_none_or(|next| next.0 > *day);
        if *day < from || !last_of_day {
            continue;
        }
        let values: Vec<f64> = counted[begin..=i].iter().map(|c| c.1).collect();
        out.extend(median(&values).map(|value| TrendValue { day: *day, value }));
    }
    out
}

fn symptoms(past: &Past, from: Day) -> Vec<SymptomPoint> {
    let mut days: BTreeMap<Day, SymptomPoint> = BTreeMap::new();
    let mut enter = |day: Day, change: &dyn Fn(&mut SymptomPoint)| {
        let empty = SymptomPoint {
            day,
            before: None,
            worst: None,
            morning: None,
        };
        change(days.entry(day).or_insert(empty));
    };
    let higher = |a: Option<f64>, b: Option<f64>| [a, b].into_iter().flatten().reduce(f64::max);
    for s in &past.history.sessions {
        if s.back_pre.or(s.back_worst).is_some() {
            enter(past.day(s.day), &|p| {
                p.before = higher(p.before, s.back_pre);
                p.worst = higher(p.worst, s.back_worst);
            });
        }
    }
    for c in &past.history.checkins {
        if c.back_now.or(c.back_morning).is_some() {
            enter(past.day(c.day), &|p| {
                p.before = higher(p.before, c.back_now);
                p.morning = higher(p.morning, c.back_morning);
            });
        }
    }
    days.into_values().filter(|p| p.day >= from).collect()
}

fn flags(rules: &Rules, sight: Sight, kept: &[KeptState], from: Day, to: Day) -> Vec<TrendFlag> {
    // What is kept was made with symptoms: levels of other flags may rest on them, so a coach without consent gets none.
    if sight == Sight::NoSymptoms {
        return Vec::new();
    }
    let known = |s: &&KeptState| rules.flag_index(&s.flag).is_some() && (from..=to).contains(&s.day);
    kept.iter()
        .filter(known)
        .filter_map(|s| {
            Some(TrendFlag {
                day: s.day,
                id: s.flag.clone(),
                level: LevelWord::from_word(&s.state)?,
            })
        })
        .collect()
}

/// Stretches of runs in a row that share something.
fn stretches<T: PartialEq>(runs: &[&Placed], what: impl Fn(&PastSession) -> Option<T>) -> Vec<(T, Day, Day)> {
    let mut out: Vec<(T, Day, Day)> = Vec::new();
    let mut unbroken = false;
    for p in runs {
        match what(p.session) {
            Some(now) => {
                match out.last_mut().filter(|(last, _, _)| unbroken && *last == now) {
                    Some(last) => last.2 = p.session.day,
                    None => out.push((now, p.session.day, p.session.day)),
                }
                unbroken = true;
            }
            None => unbroken = false,
        }
    }
    out
}
