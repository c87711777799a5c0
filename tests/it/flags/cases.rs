//! Hand-made histories, each about one rule: what raises, holds and clears, and what must not.

use super::{document, read, rules};
use lope::risk::message::summary_text;
use lope::risk::summary::{SummaryFacts, summary};
use lope::risk::{Coaching, DayEnd, Engine, state_name};
use serde_json::{Value, json};

/// Every day of a history.
fn days(count: i32, parts: &Value) -> Vec<DayEnd> {
    let rules = rules();
    let file = read(&document(count, parts), &rules);
    let mut engine = Engine::new(&rules, &file.histories[0]);
    std::iter::from_fn(|| engine.next_day().cloned()).collect()
}

/// State of a flag on some days.
fn states(ends: &[DayEnd], flag: &str, on: impl IntoIterator<Item = usize>) -> Vec<&'static str> {
    let index = rules().flag_index(flag).expect(flag);
    on.into_iter().map(|d| state_name(ends[d].states[index])).collect()
}

/// An ordinary run with more said about it.
fn run(day: i32, more: &Value) -> Value {
    let mut run = json!({ "day": day, "kind": "run", "km": 8.0, "minutes": 45, "speed_ms": 3.0, "level_windows": 20, "metrics": {} });
    for (key, value) in more.as_object().expect("an object") {
        run[key] = value.clone();
    }
    run
}

fn cadence_runs(values: &[f64]) -> Value {
    let runs = values.iter().zip((0..).step_by(2));
    json!({ "sessions": runs.map(|(c, d)| run(d, &json!({ "metrics": { "cadence_spm": c } }))).collect::<Vec<_>>() })
}

#[test]
fn a_lower_step_rate_is_raised_by_the_third_run_and_cleared_by_three_of_four() {
    let values = [[170.0; 8].as_slice(), &[164.0; 6], &[170.0; 10]].concat();
    let ends = days(60, &cadence_runs(&values));
    assert_eq!(states(&ends, "FS1", [8]), ["not_enough_data"]);
    assert_eq!(
        states(&ends, "FS1", [18, 20, 30, 32]),
        ["none", "watch", "watch", "none"]
    );
}

#[test]
fn a_variable_runner_needs_a_larger_change_at_every_level() {
    let values = [
        [170.0, 166.0, 174.0, 168.0, 172.0, 164.0, 176.0, 170.0].as_slice(),
        &[165.0; 5],
    ]
    .concat();
    let ends = days(60, &cadence_runs(&values));
    assert_eq!(states(&ends, "FS1", [26]), ["none"]);
}

#[test]
fn a_run_is_compared_with_the_reference_before_it_joins() {
    // Five runs make the reference; the sixth differs and must not be hidden by itself.
    let values = [[170.0; 5].as_slice(), &[150.0; 3]].concat();
    let ends = days(20, &cadence_runs(&values));
    assert_eq!(states(&ends, "FS1", [13, 14]), ["not_enough_data", "watch"]);
}

#[test]
fn starting_anew_forgets_the_reference() {
    let values = [[170.0; 8].as_slice(), &[160.0; 12]].concat();
    let mut parts = cadence_runs(&values);
    let ends = days(45, &parts);
    assert_eq!(states(&ends, "FS1", [30]), ["watch"]);
    parts["reanchor_days"] = json!([16]);
    let ends = days(45, &parts);
    assert_eq!(states(&ends, "FS1", [15, 17, 30]), ["none", "not_enough_data", "none"]);
}

#[test]
fn an_easy_fortnight_without_pain_raises_nothing() {
    let runs = (0..60).step_by(2);
    let runs: Vec<Value> = runs
        .map(|d| {
            run(
                d,
                &json!({ "back_pre": 0, "back_worst": 0, "km": if d < 30 { 10.0 } else { 4.0 } }),
            )
        })
        .collect();
    let ends = days(60, &json!({ "sessions": runs }));
    assert!(states(&ends, "SY3", 44..60).iter().all(|s| *s == "none"));
}

#[test]
fn a_tenth_more_is_no_spike_and_a_spike_fades_after_a_week() {
    let runs: Vec<Value> = [(0, 10.0), (2, 9.0), (4, 8.0), (6, 11.0), (8, 12.2)]
        .iter()
        .map(|(d, km)| run(*d, &json!({ "km": km })))
        .collect();
    let ends = days(20, &json!({ "sessions": runs }));
    assert_eq!(states(&ends, "LD1", [6, 8, 14, 15]), ["none", "watch", "watch", "none"]);
}

#[test]
fn a_safety_tick_stops_coaching_until_it_was_looked_at() {
    let checkins = json!([
        { "day": 3, "ticks": ["saddle_numb"], "safety_answered": true },
        { "day": 9, "safety_answered": true },
        { "day": 20, "seen_by_professional": true },
    ]);
    let ends = days(30, &json!({ "checkins": checkins }));
    assert_eq!(
        states(&ends, "SY5", [2, 3, 19, 20]),
        ["not_enough_data", "stop", "stop", "none"]
    );
    for end in &ends[3..20] {
        assert_eq!(state_name(end.summary), "stop");
        assert_eq!(end.coaching, Coaching::Silent);
        assert_eq!(summary_text(&rules(), end), rules().summary.text[0].1);
    }
    assert_eq!((ends[2].coaching, ends[20].coaching), (Coaching::Open, Coaching::Open));
}

#[test]
fn a_leg_sign_silences_cues_and_is_cleared_by_clean_answers() {
    let mut checkins = vec![json!({ "day": 3, "ticks": ["pain_below_knee"] })];
    checkins.extend([5, 8, 11, 17].map(|d| json!({ "day": d, "safety_answered": true })));
    let ends = days(30, &json!({ "checkins": checkins }));
    assert_eq!(states(&ends, "SY4", [16, 17]), ["high", "none"]);
    assert_eq!(
        (ends[16].coaching, ends[17].coaching),
        (Coaching::NoCues, Coaching::Open)
    );
}

#[test]
fn silence_is_not_recovery() {
    let checkins: Vec<Value> = (0..3).map(|d| json!({ "day": d, "back_now": 7 })).collect();
    let ends = days(40, &json!({ "checkins": checkins }));
    assert_eq!(states(&ends, "SY1", [20, 30]), ["high", "not_enough_data"]);
}

#[test]
fn nothing_known_is_not_the_same_as_nothing_there() {
    let ends = days(3, &json!({}));
    assert!(
        ends.iter()
            .all(|e| e.summary.is_none() && e.states.iter().all(Option::is_none))
    );
    assert!(summary_text(&rules(), &ends[0]).contains("No back score"));
    assert!(days(0, &json!({})).is_empty());
    assert_eq!(days(1, &json!({ "sessions": [run(0, &json!({}))] })).len(), 1);
}

#[test]
fn each_vector_of_the_summary_comes_out_as_written() {
    let rules = rules();
    assert_eq!(rules.summary.vectors.len(), 26);
    for v in &rules.summary.vectors {
        let state = |id: &str| {
            v.flags
                .iter()
                .find(|(flag, _)| flag == id)
                .and_then(|(_, level)| *level)
        };
        let states: Vec<_> = rules.flags.iter().map(|f| state(&f.id)).collect();
        let long = |id: &String| if v.long.contains(id) { 21 } else { 0 };
        let watch_days: Vec<i32> = rules.flags.iter().map(|f| long(&f.id)).collect();
        let facts = SummaryFacts {
            states: &states,
            watch_days: &watch_days,
            coverage: v.coverage,
            checkin_age: Some(v.checkin_age),
        };
        assert_eq!(summary(&rules, &facts), v.expect, "vector {}", v.n);
    }
}

#[test]
fn an_explanation_holds_the_computation() {
    let values = [[170.0; 8].as_slice(), &[164.0; 3]].concat();
    let mut parts = cadence_runs(&values);
    for (i, run) in parts["sessions"].as_array_mut().expect("runs").iter_mut().enumerate() {
        run["shoe"] = json!(if i < 8 { "old" } else { "new" });
    }
    let rules = rules();
    let file = read(&document(21, &parts), &rules);
    let told = lope::risk::explain(&rules, &file.histories[0], 20, "FS1").expect("explained");
    let text = told.text();
    for part in [
        "FS1 step rate low for speed · watch since day 20",
        "your step rate was 4 % below your usual",
        "cadence_change_pct = -3.529 %",
        "cadence_spm: 164 at 3 m/s; usual 170 from 8 runs",
        "own band 0 to 0 %",
        "watch cadence_change_pct <= -3: holds",
        "high  cadence_change_pct <= -6 and back_7d_max >= 3: does not hold",
        "raised by 3 of the last 5 evaluated runs; of the last 5 runs reach: info 3, watch 3, high 0",
        "evidence B (some), about low-back pain; at most high; may move the summary",
        "data good",
        "Drozda",
        "other shoes: new was not worn in the reference runs",
        "3 of the last 4 evaluated runs below 80 % of the threshold (1 so far), from day 27 on",
        "Try slightly quicker, shorter, lighter steps.",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let told = lope::risk::explain(&rules, &file.histories[0], 4, "FS1").expect("explained");
    assert!(
        told.text().contains("learning your usual: 2 of 5 runs"),
        "{}",
        told.text()
    );
    assert!(lope::risk::explain(&rules, &file.histories[0], 21, "FS1").is_none());
    assert!(lope::risk::explain(&rules, &file.histories[0], 4, "FS9").is_none());
}
