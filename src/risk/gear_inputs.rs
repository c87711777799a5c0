//! The inputs of a day about shoes and ground.

use super::day_inputs::{Gather, yes};
use super::diary::{Diary, mean, median, sum};
use super::engine::Engine;
use super::history::{Session, ShoeEntry, Surface};
use super::vocabulary::Op;

/// Days looked at, the day itself included: pairs now worn, and the time they are compared with.
const NOW: i32 = 13;
const BEFORE: i32 = 55;
/// Share of runs that must name their pair.
const TAGGED: f64 = 0.8;
/// A pair counts as used from here on, km.
const USED_KM: f64 = 480.0;
/// And as new up to here, km.
const NEW_KM: f64 = 200.0;
/// Runs for a median of landing jolts, and the last of them that count.
const JOLT_RUNS: usize = 3;
/// Scored runs in a pair and in the others.
const SCORED_RUNS: usize = 4;
/// Tagged runs that make a share of pairs.
const SHARE_RUNS: usize = 12;
/// Ground must be known for this share of the distance, and for so many km now and before.
const GROUND_KNOWN: f64 = 0.7;
const GROUND_NOW_KM: f64 = 5.0;
const GROUND_BEFORE_KM: f64 = 10.0;
/// A run with this share of uneven ground counts as one.
const UNEVEN_SHARE: f64 = 0.2;
/// A worst score from here on is sore.
const SORE: f64 = 3.0;

/// A run's landing jolt against the usual, with the pair and its distance when the run began.
#[derive(Clone, Debug)]
pub(super) struct Jolt<'r> {
    pub(super) shoe: &'r str,
    pub(super) km: f64,
    pub(super) change_pct: f64,
}

/// The pair of a run, where one was named.
pub(super) fn pair(run: &Session) -> Option<&str> {
    run.shoe.as_deref().filter(|s| !s.is_empty())
}

/// What was last entered about a pair, up to a day.
fn latest<T>(shoes: &[ShoeEntry], shoe: &str, day: i32, what: impl Fn(&ShoeEntry) -> Option<T>) -> Option<T> {
    shoes
        .iter()
        .filter(|e| e.shoe == shoe && e.day <= day)
        .filter_map(what)
        .next_back()
}

/// Distance of the run's pair when the run began, km.
pub(super) fn km_at_start(diary: &Diary, shoes: &[ShoeEntry], run: &Session, shoe: &str) -> f64 {
    let mut km = latest(shoes, shoe, run.day, |e| e.shoe_km_before).unwrap_or(0.0);
    for earlier in diary.runs(i32::MIN, run.day) {
        if std::ptr::eq(*earlier, run) {
            break;
        }
        if earlier.shoe.as_deref() == Some(shoe) {
            km += earlier.km;
        }
    }
    km
}

/// Distance of a pair at the end of a day, km.
fn km_by(engine: &Engine, shoe: &str, day: i32) -> f64 {
    let start = latest(&engine.history.shoes, shoe, day, |e| e.shoe_km_before).unwrap_or(0.0);
    let runs = engine.diary.runs(i32::MIN, day).iter();
    start + sum(runs.filter(|s| s.shoe.as_deref() == Some(shoe)).map(|s| s.km))
}

/// Pairs worn in the last two weeks, sorted.
pub(super) fn worn<'r>(engine: &Engine<'r>, day: i32) -> Vec<&'r str> {
    let mut worn: Vec<&str> = engine
        .diary
        .runs(day - NOW, day)
        .iter()
        .filter_map(|s| pair(s))
        .collect();
    worn.sort_unstable();
    worn.dedup();
    worn
}

/// Distance and comfort of the pairs now worn: pair, km, comfort.
pub(super) fn pairs_now<'r>(engine: &Engine<'r>, day: i32) -> Vec<(&'r str, f64, Option<f64>)> {
    let about = |shoe: &'r str| {
        let comfort = latest(&engine.history.shoes, shoe, day, |e| e.comfort);
        (shoe, km_by(engine, shoe, day), comfort)
    };
    worn(engine, day).into_iter().map(about).collect()
}

pub(super) fn gear(engine: &Engine, day: i32, v: &mut Gather) {
    let epsilon = engine.rules.epsilon;
    let shoes = &engine.history.shoes;
    let window = engine.diary.runs(day - BEFORE, day);
    let tagged: Vec<(&str, &Session)> = window.iter().filter_map(|s| Some((pair(s)?, *s))).collect();
    let pairs = pairs_now(engine, day);
    if !pairs.is_empty() && Op::AtLeast.holds(tagged.len() as f64, TAGGED * window.len() as f64, epsilon) {
        v.put("shoe_km", pairs.iter().map(|p| p.1).reduce(f64::max));
    }
    let heels: Vec<bool> = pairs
        .iter()
        .filter_map(|p| latest(shoes, p.0, day, |e| e.uneven_heel))
        .collect();
    if !heels.is_empty() {
        v.put("uneven_heel_worn", Some(yes(heels.contains(&true))));
    }
    let used = pairs.iter().filter(|p| p.1 >= USED_KM);
    v.put(
        "same_shoe_impact_pp",
        used.filter_map(|p| jolt_rise(&engine.jolts, p.0)).reduce(f64::max),
    );
    v.put("comfort_min", pairs.iter().filter_map(|p| p.2).reduce(f64::min));
    let differences = pairs.iter().filter_map(|p| {
        let (mut mine, mut others) = (Vec::new(), Vec::new());
        for (shoe, run) in &tagged {
            if let Some(worst) = run.back_worst {
                if *shoe == p.0 {
                    mine.push(worst)
                } else {
                    others.push(worst)
                }
            }
        }
        (mine.len() >= SCORED_RUNS && others.len() >= SCORED_RUNS).then(|| mean(&mine) - mean(&others))
    });
    v.put("shoe_back_diff", differences.reduce(f64::max));
    if tagged.len() >= SHARE_RUNS {
        v.put("top_shoe_share", top_share(&tagged));
    }
    if day >= BEFORE {
        v.put("runs_per_week_56d", Some(window.len() as f64 / 8.0));
    }
    for (name, surface) in [
        ("hard_share_rise", Surface::Hard),
        ("uneven_share_rise", Surface::Uneven),
    ] {
        let now = share(engine, (day - NOW, day), surface, GROUND_NOW_KM);
        let before = share(engine, (day - BEFORE, day - NOW - 1), surface, GROUND_BEFORE_KM);
        v.put(name, now.zip(before).map(|(now, before)| now - before));
    }
    let rough: Vec<f64> = window
        .iter()
        .filter_map(|s| {
            let uneven = s.surface_km?.uneven;
            let counts = uneven > 0.0 && Op::AtLeast.holds(uneven, UNEVEN_SHARE * s.km, epsilon);
            s.back_worst.filter(|_| counts)
        })
        .collect();
    if rough.len() >= 3 {
        let sore = rough[rough.len() - 3..].iter().filter(|x| **x >= SORE).count();
        v.put("uneven_sore_of3", Some(sore as f64));
    }
}

/// How much harder landings are in a pair now than when it was new, percentage points.
fn jolt_rise(jolts: &[Jolt], shoe: &str) -> Option<f64> {
    let mine = || jolts.iter().filter(|j| j.shoe == shoe);
    let late: Vec<f64> = mine().filter(|j| j.km >= USED_KM).map(|j| j.change_pct).collect();
    let early: Vec<f64> = mine().filter(|j| j.km < NEW_KM).map(|j| j.change_pct).collect();
    let late = &late[late.len().saturating_sub(JOLT_RUNS)..];
    (late.len() >= JOLT_RUNS && early.len() >= JOLT_RUNS).then(|| median(late) - median(&early))
}

/// Share of the most used pair in the tagged distance.
fn top_share(tagged: &[(&str, &Session)]) -> Option<f64> {
    // In order of first use, so that the sums add up as they were run.
    let mut per: Vec<(&str, f64)> = Vec::new();
    for (shoe, run) in tagged {
        match per.iter_mut().find(|p| p.0 == *shoe) {
            Some(p) => p.1 += run.km,
            None => per.push((shoe, run.km)),
        }
    }
    let total = sum(per.iter().map(|p| p.1));
    let most = per.iter().map(|p| p.1).reduce(f64::max)?;
    (total > 0.0).then(|| most / total)
}

/// Share of a kind of ground in the known distance of some days; `None` where too little is known.
fn share(engine: &Engine, (first, last): (i32, i32), surface: Surface, need_km: f64) -> Option<f64> {
    let epsilon = engine.rules.epsilon;
    let runs = engine.diary.runs(first, last);
    let grounds = || runs.iter().map(|s| s.surface_km.unwrap_or_default());
    let known = sum(grounds().map(|g| g.total()));
    let total = sum(runs.iter().map(|s| s.km));
    let enough = Op::AtLeast.holds(known, need_km, epsilon) && Op::AtLeast.holds(known, GROUND_KNOWN * total, epsilon);
    enough.then(|| sum(grounds().map(|g| g.on(surface))) / known)
}
