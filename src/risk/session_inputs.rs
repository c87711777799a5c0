//! The inputs of one run that need no sensor on the body: how it compares with the runs before it, and its start.

use super::diary::Diary;
use super::history::Session;
use super::rules::Rules;
use super::thresholds::Values;
use super::vocabulary::Op;

/// Days looked back for the longest run.
const LONGEST_DAYS: i32 = 30;
/// Runs needed there.
const FEWEST_RUNS: usize = 3;
/// Steep downhill is compared with at least this, km.
const LEAST_DOWNHILL_KM: f64 = 1.0;
/// An effort from here on makes a session a hard one.
const HARD_EFFORT: f64 = 6.0;
/// First minutes at this share of the later speed or more are no easy minutes.
const NO_EASY_START: f64 = 0.95;
/// Hard sessions looked back for their start: days, number, and how many of them must be known.
const START_DAYS: i32 = 55;
const START_SESSIONS: usize = 5;
const START_FEWEST: usize = 3;

/// Hard sessions so far whose start is known: day, and whether easy minutes were missing (1) or done (0).
pub(super) type Starts = Vec<(i32, f64)>;

/// The inputs of a run, and its start remembered.
pub(super) fn session_inputs<'r>(rules: &Rules, diary: &Diary, run: &Session, starts: &mut Starts) -> Values<'r> {
    let day = run.day;
    let mut v = Values::new();
    if let Some(worst) = run.back_worst {
        v.insert("run_back_worst", worst);
    }
    let before = diary.runs(day - LONGEST_DAYS, day - 1);
    let longest = before.iter().map(|s| s.km).reduce(f64::max);
    if let Some(longest) = longest.filter(|km| before.len() >= FEWEST_RUNS && *km > 0.0) {
        v.insert("spike_ratio", run.km / longest);
        v.insert("spike_extra_km", run.km - longest);
    }
    if let Some(last) = diary.runs_before(day).last() {
        v.insert("break_days", f64::from(day - last.day));
    }
    let graded: Vec<f64> = before.iter().filter_map(|s| s.downhill_km).collect();
    if let Some(km) = run.downhill_km.filter(|_| graded.len() >= FEWEST_RUNS) {
        let most = graded.iter().copied().fold(LEAST_DOWNHILL_KM, f64::max);
        v.insert("downhill_run_km", km);
        v.insert("downhill_ratio", km / most);
    }
    let hard = run.quality.unwrap_or(false) || run.effort.is_some_and(|e| e >= HARD_EFFORT);
    if let Some(missing) = easy_minutes_missing(rules, run).filter(|_| hard) {
        v.insert("warmup_missing", missing);
        starts.push((day, missing));
        let recent: Vec<f64> = starts.iter().filter(|s| s.0 >= day - START_DAYS).map(|s| s.1).collect();
        let last = &recent[recent.len().saturating_sub(START_SESSIONS)..];
        if last.len() >= START_FEWEST {
            v.insert("no_warmup_of5", last.iter().sum());
        }
    }
    v
}

/// 1 where the session began without easy minutes, 0 where it had them, `None` where it is not known.
fn easy_minutes_missing(rules: &Rules, run: &Session) -> Option<f64> {
    let fast = run
        .first5_speed_ratio
        .map(|ratio| Op::AtLeast.holds(ratio, NO_EASY_START, rules.epsilon));
    let missing = match run.warmup {
        Some(true) => false,
        Some(false) => fast != Some(false),
        None => fast?,
    };
    Some(f64::from(u8::from(missing)))
}
