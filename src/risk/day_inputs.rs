//! The inputs of a day: symptoms, load, gear and ground, capacity.
//!
//! Each is defined in words in the rule file (`[input]`); windows are whole days and end with the day itself.

use super::diary::{Diary, mean};
use super::engine::Engine;
use super::gear_inputs;
use super::history::BodyTest;
use super::rules::Rules;
use super::thresholds::Values;
use super::vocabulary::Op;

/// A day with this back score or more is a pain day.
const PAIN_SCORE: f64 = 2.0;
/// A rise overnight of this or more has not settled, points.
const NOT_SETTLED: f64 = 2.0;
/// Scored days of two weeks that are needed to speak of them.
const FEWEST_SCORED: usize = 6;
/// Longest episode looked back for, days.
const EPISODE_DAYS: i32 = 89;
/// So many days without a score end an episode.
const EPISODE_SILENCE: i32 = 14;
/// Scored days that make an episode.
const EPISODE_SCORED: usize = 10;
/// Load is judged from this day on: two weeks.
const LOAD_FROM_DAY: i32 = 13;
/// Distance of a week that percentages make sense of, km.
const LEAST_WEEK_KM: f64 = 10.0;
/// An easier fortnight is at most this share of the usual.
const EASIER: f64 = 0.7;
/// Weeks of few rest days looked back.
const MOST_WEEKS: i32 = 8;
/// Rest days of a week that are enough.
const REST_DAYS: usize = 2;
/// Mean tiredness from here on is a sign.
const TIRED: f64 = 7.0;
/// Mean sleep up to here is a sign.
const POOR_SLEEP: f64 = 4.0;
/// Soreness over its own month by this is a sign.
const SORE_OVER_MONTH: f64 = 2.0;
/// Entries of a week and of four weeks that make a mean.
const WEEK_ENTRIES: usize = 4;
const MONTH_ENTRIES: usize = 8;
/// A test of the body is valid for so long, days.
const TEST_DAYS: i32 = 42;
/// Knee extension lag above this is tight, degrees.
const TIGHT_KNEE_DEG: f64 = 40.0;

/// Highest back score of a week.
pub(super) fn back_7d_max(diary: &Diary, day: i32) -> Option<f64> {
    diary.scores(day - 6, day).into_iter().reduce(f64::max)
}

/// Whether one-sided pain was ticked within a week in which the safety row was answered.
pub(super) fn one_sided_7d(diary: &Diary, day: i32) -> Option<f64> {
    let answered: Vec<_> = (day - 6..=day)
        .filter_map(|d| diary.checkin(d))
        .filter(|c| c.answered())
        .collect();
    (!answered.is_empty()).then(|| yes(answered.iter().any(|c| c.ticked("one_sided_back_pain"))))
}

pub(super) fn yes(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// Values being gathered: what is not known is not put in.
pub(super) struct Gather<'r>(pub(super) Values<'r>);

impl<'r> Gather<'r> {
    pub(super) fn put(&mut self, name: &'r str, value: Option<f64>) {
        if let Some(value) = value {
            self.0.insert(name, value);
        }
    }
}

/// All inputs of a day except those that read other flags.
pub(super) fn day_inputs<'r>(engine: &mut Engine<'r>, day: i32) -> Values<'r> {
    let mut v = Gather(Values::new());
    symptoms(engine, day, &mut v);
    load(engine, day, &mut v);
    gear_inputs::gear(engine, day, &mut v);
    capacity(engine, day, &mut v);
    v.0
}

fn symptoms(engine: &Engine, day: i32, v: &mut Gather) {
    let (diary, rules) = (&engine.diary, engine.rules);
    v.put("back_7d_max", back_7d_max(diary, day));
    v.put("one_sided_pain_7d", one_sided_7d(diary, day));
    v.put("back_day_max", diary.score(day));
    let today = diary.runs(day, day);
    let rises = today.iter().filter_map(|s| Some(s.back_worst? - s.back_pre?));
    v.put("back_rise", rises.reduce(f64::max));
    v.put("not_settled_of3", not_settled(diary, day));
    let any = |answers: Vec<bool>| (!answers.is_empty()).then(|| yes(answers.contains(&true)));
    v.put(
        "sudden_onset_today",
        any(today.iter().filter_map(|s| s.sudden_onset).collect()),
    );
    v.put(
        "stopped_today",
        any(today.iter().filter_map(|s| s.stopped_for_back).collect()),
    );
    let fortnight = diary.scores(day - 13, day);
    if fortnight.len() >= FEWEST_SCORED {
        let pain = fortnight.iter().filter(|x| **x >= PAIN_SCORE).count();
        v.put("pain_days_14", Some(pain as f64));
        v.put("episode_days", Some(f64::from(episode(diary, day))));
    }
    if day >= 41 {
        let usual = diary.km(day - 41, day - 14) / 2.0;
        if usual >= LEAST_WEEK_KM {
            let easier = Op::AtMost.holds(diary.km(day - 13, day), EASIER * usual, rules.epsilon);
            v.put("deload_done", Some(yes(easier)));
        }
    }
    let (now, then) = (diary.scores(day - 6, day), diary.scores(day - 27, day - 14));
    if now.len() >= 3 && then.len() >= 3 && mean(&then) >= PAIN_SCORE {
        v.put("deload_ratio", Some(mean(&now) / mean(&then)));
    }
    if let Some(checkin) = diary.checkin(day).filter(|c| c.answered()) {
        use super::rules::Urgency::{BeforeNextRun, Emergency, Urgent};
        let shown = |as_one_of: &[_]| {
            let mut such = rules.ticks.iter().filter(|t| as_one_of.contains(&t.show));
            yes(such.any(|t| checkin.ticked(&t.name)))
        };
        v.put("leg_or_life_tick", Some(shown(&[BeforeNextRun])));
        v.put("safety_tick", Some(shown(&[Emergency, Urgent])));
        v.put("focal_one_side_today", Some(yes(checkin.ticked("focal_one_side"))));
        v.put("pain_on_impact_today", Some(yes(checkin.ticked("pain_on_impact"))));
    }
    v.put("prior_episodes", engine.history.profile.prior_lbp_episodes);
    v.put("medical_history", engine.history.profile.medical_history_tick.map(yes));
}

/// Of the last three runs with a score before and one the next morning, how many had not settled. Asked on the morning after
/// a run.
fn not_settled(diary: &Diary, day: i32) -> Option<f64> {
    let morning = |d: i32| diary.checkin(d).and_then(|c| c.back_morning);
    morning(day)?;
    if diary.runs(day - 1, day - 1).is_empty() {
        return None;
    }
    let rises: Vec<f64> = diary
        .runs(day - 28, day - 1)
        .iter()
        .filter_map(|s| Some(morning(s.day + 1)? - s.back_pre?))
        .collect();
    let last = &rises[rises.len().saturating_sub(3)..];
    (!last.is_empty()).then(|| last.iter().filter(|x| **x >= NOT_SETTLED).count() as f64)
}

/// Length of the pain episode that this day ends, days; 0 where there is none.
fn episode(diary: &Diary, day: i32) -> i32 {
    let pain = |d: i32| diary.score(d).is_some_and(|x| x >= PAIN_SCORE);
    if !(day - 6..=day).any(pain) {
        return 0;
    }
    let (mut scored, mut sore, mut silent, mut longest) = (0_usize, 0_usize, 0, 0);
    for start in ((day - EPISODE_DAYS).max(0)..=day).rev() {
        if diary.score(start).is_none() {
            silent += 1;
            if silent >= EPISODE_SILENCE {
                break;
            }
            continue;
        }
        silent = 0;
        scored += 1;
        if pain(start) {
            sore += 1;
            if scored >= EPISODE_SCORED && 2 * sore >= scored {
                longest = day - start + 1;
            }
        }
    }
    longest
}

fn load(engine: &mut Engine, day: i32, v: &mut Gather) {
    let diary = &engine.diary;
    if day >= LOAD_FROM_DAY {
        let before = diary.km(day - 13, day - 7);
        if before >= LEAST_WEEK_KM {
            v.put("week_jump_pct", Some(100.0 * (diary.km(day - 6, day) / before - 1.0)));
        }
        let rest_days = |last: i32| (last - 6..=last).filter(|d| !diary.trained(*d)).count();
        v.put("rest_days_7", Some(rest_days(day) as f64));
        let few = |week: &i32| day - 7 * week - 6 >= 0 && rest_days(day - 7 * week) < REST_DAYS;
        v.put(
            "weeks_under_2_rest",
            Some((0..MOST_WEEKS).take_while(few).count() as f64),
        );
        let streak = (0..=day).rev().take_while(|d| diary.trained(*d)).count();
        v.put("training_streak_days", Some(streak as f64));
    }
    let signs = recovery_signs(engine.rules, diary, day);
    engine.recovery_signs.push(signs);
    let week = &engine.recovery_signs[engine.recovery_signs.len().saturating_sub(7)..];
    v.put("low_recovery_signs", signs);
    v.put(
        "low_recovery_days_7",
        Some(week.iter().filter(|s| s.is_some_and(|n| n >= 2.0)).count() as f64),
    );
}

/// How many of three signs of low recovery a week shows; `None` where too little was entered.
fn recovery_signs(rules: &Rules, diary: &Diary, day: i32) -> Option<f64> {
    let tired = diary.entries(day - 6, day, |c| c.fatigue);
    let sleep = diary.entries(day - 6, day, |c| c.sleep_quality);
    let sore = diary.entries(day - 6, day, |c| c.soreness);
    let sore_month = diary.entries(day - 27, day, |c| c.soreness);
    if tired.len() < WEEK_ENTRIES && sleep.len() < WEEK_ENTRIES {
        return None;
    }
    let epsilon = rules.epsilon;
    let signs = [
        tired.len() >= WEEK_ENTRIES && Op::AtLeast.holds(mean(&tired), TIRED, epsilon),
        sleep.len() >= WEEK_ENTRIES && Op::AtMost.holds(mean(&sleep), POOR_SLEEP, epsilon),
        sore.len() >= WEEK_ENTRIES
            && sore_month.len() >= MONTH_ENTRIES
            && Op::AtLeast.holds(mean(&sore), mean(&sore_month) + SORE_OVER_MONTH, epsilon),
    ];
    Some(signs.iter().filter(|s| **s).count() as f64)
}

fn capacity(engine: &Engine, day: i32, v: &mut Gather) {
    let tests = &engine.history.tests;
    // The last entry of the list counts, as entered.
    let latest = |what: fn(&BodyTest) -> Option<f64>| {
        let valid = tests.iter().filter(|t| t.day <= day && day - t.day <= TEST_DAYS);
        valid.filter_map(what).next_back()
    };
    let hip = latest(|t| t.hip_above_deg);
    let knee = latest(|t| t.knee_ext_deficit_deg);
    let tight = latest(|t| t.self_test_tight.map(yes));
    v.put("hip_above", hip);
    v.put("knee_ext_deficit", knee);
    v.put("self_tight", tight);
    if hip.is_some() || knee.is_some() || tight.is_some() {
        let epsilon = engine.rules.epsilon;
        let any = Op::Above.holds(hip.unwrap_or(0.0), 0.0, epsilon)
            || Op::Above.holds(knee.unwrap_or(0.0), TIGHT_KNEE_DEG, epsilon)
            || tight.is_some_and(|x| x != 0.0);
        v.put("any_tight", Some(yes(any)));
    }
    let sides = [latest(|t| t.side_plank_left_s), latest(|t| t.side_plank_right_s)];
    v.put("side_plank_min_s", sides.into_iter().flatten().reduce(f64::min));
    if engine.history.profile.logs_core_work == Some(true) && day >= LOAD_FROM_DAY {
        let core = engine.diary.sessions(day - 6, day);
        let core = core
            .iter()
            .filter(|s| s.kind == super::history::SessionKind::Core)
            .count();
        v.put("core_sessions_7d", Some(core as f64));
    }
}
