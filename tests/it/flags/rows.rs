//! Three rows for each flag: a history that raises it to the highest level it may show, one that leaves it clear, and a day on
//! which too little is known. A flag without rows fails.

use super::{document, read, rules};
use lope::risk::{Engine, Level, state_name};
use serde_json::{Value, json};

/// A history of so many days, and what the flag says at its end.
struct Row {
    days: i32,
    parts: Value,
}

/// Rows of a flag: raised to its cap, clear.
struct Rows {
    raised: Row,
    clear: Row,
}

fn merged(base: &Value, more: &Value) -> Value {
    let mut all = base.clone();
    for (key, value) in more.as_object().expect("an object") {
        all[key] = value.clone();
    }
    all
}

/// Runs on these days, each with the same said about it.
fn runs(days: impl IntoIterator<Item = i32>, more: &Value) -> Vec<Value> {
    let base =
        json!({ "kind": "run", "km": 8.0, "speed_ms": 3.0, "level_windows": 20, "back_pre": 0, "back_worst": 0 });
    let one = |d: i32| merged(&merged(&base, &json!({ "day": d })), more);
    days.into_iter().map(one).collect()
}

fn sessions(lists: &[Vec<Value>]) -> Value {
    json!({ "sessions": lists.concat() })
}

fn checkins(days: impl IntoIterator<Item = i32>, more: &Value) -> Value {
    let one = |d: i32| merged(&json!({ "day": d, "safety_answered": true }), more);
    json!({ "checkins": days.into_iter().map(one).collect::<Vec<_>>() })
}

/// Eight usual runs and three changed ones, with back pain in these.
fn form(usual: &Value, changed: &Value, more: &Value) -> Rows {
    let before = || runs((0..16).step_by(2), &json!({ "metrics": usual }));
    let sore = merged(&json!({ "metrics": changed, "back_worst": 4 }), more);
    let row = |last: Vec<Value>| Row {
        days: 21,
        parts: sessions(&[before(), last]),
    };
    Rows {
        raised: row(runs([16, 18, 20], &sore)),
        clear: row(runs([16, 18, 20], &json!({ "metrics": usual }))),
    }
}

fn rows(raised: (i32, Value), clear: (i32, Value)) -> Rows {
    let row = |(days, parts)| Row { days, parts };
    Rows {
        raised: row(raised),
        clear: row(clear),
    }
}

fn with(mut parts: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().expect("an object") {
        parts[key] = value.clone();
    }
    parts
}

fn rows_of(flag: &str) -> Option<Rows> {
    let none = json!({});
    let scores = |n: i32, score: i32| checkins(0..n, &json!({ "back_now": score }));
    let found = match flag {
        "LD1" => rows(
            (
                9,
                sessions(&[runs([0, 2, 4], &none), runs([8], &json!({ "km": 16.5 }))]),
            ),
            (9, sessions(&[runs([0, 2, 4, 8], &none)])),
        ),
        "LD2" => rows(
            (14, sessions(&[runs([0, 2], &none), runs([8, 10, 12], &none)])),
            (14, sessions(&[runs([0, 2, 8, 10], &none)])),
        ),
        "LD3" => rows(
            (
                14,
                sessions(&[runs(0..13, &none), runs([13], &json!({ "back_worst": 3 }))]),
            ),
            (14, sessions(&[runs((0..14).step_by(2), &none)])),
        ),
        "LD4" => rows(
            (14, checkins(0..14, &json!({ "fatigue": 8, "sleep_quality": 3 }))),
            (14, checkins(0..14, &json!({ "fatigue": 3, "sleep_quality": 8 }))),
        ),
        "LD5" => rows(
            (
                9,
                sessions(&[
                    runs([0, 2, 4], &json!({ "downhill_km": 0.5 })),
                    runs([8], &json!({ "downhill_km": 2.5 })),
                ]),
            ),
            (9, sessions(&[runs([0, 2, 4, 8], &json!({ "downhill_km": 0.5 }))])),
        ),
        "FS1" => form(&json!({ "cadence_spm": 170 }), &json!({ "cadence_spm": 158 }), &none),
        "FS2" => form(
            &json!({ "shank_contact_deg": 6, "brake_peak_ms2": 6 }),
            &json!({ "shank_contact_deg": 12, "brake_peak_ms2": 7 }),
            &none,
        ),
        "FS3" => form(
            &json!({ "pelvis_tilt_deg": 3 }),
            &json!({ "pelvis_tilt_deg": -3 }),
            &none,
        ),
        "FS4" => form(
            &json!({ "tilt_range_deg": 6 }),
            &json!({ "tilt_range_deg": 8.5 }),
            &none,
        ),
        "FS5" => {
            let drift = |pct: f64| json!({ "contact_time_pct": pct, "cadence_pct": -pct, "tilt_deg": pct });
            let hard = |pct: f64| json!({ "effort": 8, "back_worst": 4, "drift": drift(pct) });
            rows(
                (11, sessions(&[runs([0, 5, 10], &hard(5.0))])),
                (11, sessions(&[runs([0, 5, 10], &hard(0.5))])),
            )
        }
        "FF1" => form(&json!({ "drop_left_deg": 4 }), &json!({ "drop_left_deg": 8 }), &none),
        "FF2" => {
            let mut r = form(
                &json!({ "contact_asym_pct": 1 }),
                &json!({ "contact_asym_pct": 8 }),
                &none,
            );
            r.raised.parts = with(
                r.raised.parts,
                &checkins([15, 20], &json!({ "ticks": ["one_sided_back_pain"] })),
            );
            r
        }
        "FF3" => form(&json!({ "ml_ratio": 0.3 }), &json!({ "ml_ratio": 0.36 }), &none),
        "IG1" => form(
            &json!({ "sacral_peak_g": 3.8 }),
            &json!({ "sacral_peak_g": 4.8 }),
            &none,
        ),
        "IG2" => form(
            &json!({ "tibial_peak_g": 7.5 }),
            &json!({ "tibial_peak_g": 9.5 }),
            &none,
        ),
        "IG3" | "IG4" => {
            let worn = sessions(&[runs([0], &json!({ "shoe": "a" }))]);
            let pair = |km: i32, comfort: i32| json!({ "shoes": [{ "day": 0, "shoe": "a", "shoe_km_before": km, "comfort": comfort }] });
            rows((1, with(worn.clone(), &pair(800, 2))), (1, with(worn, &pair(100, 9))))
        }
        "IG5" => {
            let first = |shoe: &str| runs((0..56).step_by(4), &json!({ "shoe": shoe }));
            let second = |shoe: &str| runs((2..56).step_by(4), &json!({ "shoe": shoe }));
            rows(
                (56, sessions(&[first("a"), second("a")])),
                (56, sessions(&[first("a"), second("b")])),
            )
        }
        "IG6" | "IG7" => {
            let on = |kind: &str| {
                let mut ground = json!({ "surface_km": { "hard": 0.0, "uneven": 0.0, "other": 0.0 }, "back_worst": 4 });
                ground["surface_km"][kind] = json!(8.0);
                ground
            };
            let new = if flag == "IG6" { "hard" } else { "uneven" };
            // IG6 rises to watch only together with harder landings, as IG1 finds them.
            let usual = merged(
                &on("other"),
                &json!({ "back_worst": 0, "metrics": { "sacral_peak_g": 3.8 } }),
            );
            let harder = merged(&on(new), &json!({ "metrics": { "sacral_peak_g": 4.8 } }));
            rows(
                (
                    56,
                    sessions(&[runs((0..42).step_by(3), &usual), runs((42..56).step_by(3), &harder)]),
                ),
                (56, sessions(&[runs((0..56).step_by(3), &usual)])),
            )
        }
        "CP1" => {
            let hard = |warmup: bool| json!({ "quality": true, "warmup": warmup, "back_worst": 3 });
            rows(
                (7, sessions(&[runs([0, 3, 6], &hard(false))])),
                (7, sessions(&[runs([0, 3, 6], &hard(true))])),
            )
        }
        "CP2" => {
            let mut r = form(
                &json!({ "pelvis_tilt_deg": 3 }),
                &json!({ "pelvis_tilt_deg": -3 }),
                &none,
            );
            r.raised.parts = with(
                r.raised.parts,
                &json!({ "tests": [{ "day": 1, "self_test_tight": 1 }] }),
            );
            r.clear.parts = with(r.clear.parts, &json!({ "tests": [{ "day": 1, "self_test_tight": 0 }] }));
            r
        }
        "CP3" => {
            let mut r = form(&json!({ "drop_left_deg": 4 }), &json!({ "drop_left_deg": 8 }), &none);
            let plank = |s: i32| json!({ "tests": [{ "day": 1, "side_plank_left_s": s, "side_plank_right_s": 60 }] });
            r.raised.parts = with(r.raised.parts, &plank(20));
            r.clear.parts = with(r.clear.parts, &plank(60));
            r
        }
        "SY1" => rows((1, scores(1, 6)), (1, scores(1, 0))),
        "SY2" => rows(
            (
                1,
                sessions(&[runs([0], &json!({ "sudden_onset": true, "back_worst": 5 }))]),
            ),
            (
                1,
                sessions(&[runs([0], &json!({ "sudden_onset": false, "back_worst": 5 }))]),
            ),
        ),
        "SY3" => rows((42, scores(42, 3)), (42, scores(42, 1))),
        "SY4" => rows(
            (3, checkins([1], &json!({ "ticks": ["leg_weakness"] }))),
            (3, checkins([1], &none)),
        ),
        "SY5" => rows(
            (3, checkins([1], &json!({ "ticks": ["bladder_bowel_change"] }))),
            (3, checkins([1], &none)),
        ),
        "SY6" => {
            let ticks = checkins([1], &json!({ "ticks": ["focal_one_side", "pain_on_impact"] }));
            rows(
                (2, with(ticks, &json!({ "profile": { "bone_stress_tick": 1 } }))),
                (2, checkins([1], &none)),
            )
        }
        "HX1" => rows(
            (1, json!({ "profile": { "prior_lbp_episodes": 1 } })),
            (
                1,
                json!({ "profile": { "prior_lbp_episodes": 0, "medical_history_tick": 0 } }),
            ),
        ),
        _ => return None,
    };
    Some(found)
}

/// What each flag says at the end of a history.
fn ends(row: &Row, flag: usize) -> &'static str {
    let rules = rules();
    let file = read(&document(row.days, &row.parts), &rules);
    let mut engine = Engine::new(&rules, &file.histories[0]);
    let mut state = None;
    while let Some(end) = engine.next_day() {
        state = end.states[flag];
    }
    state_name(state)
}

#[test]
fn each_flag_is_raised_to_its_cap_is_clear_and_says_when_it_does_not_know() {
    let rules = rules();
    // Shorter than two weeks: from then on a log without sessions counts as rest (LD3).
    let nothing = Row {
        days: 12,
        parts: json!({}),
    };
    for (i, flag) in rules.flags.iter().enumerate() {
        let rows = rows_of(&flag.id).unwrap_or_else(|| panic!("{} has no test rows", flag.id));
        assert_eq!(ends(&rows.raised, i), flag.cap.name(), "{} raised", flag.id);
        assert_eq!(ends(&rows.clear, i), Level::None.name(), "{} clear", flag.id);
        assert_eq!(ends(&nothing, i), "not_enough_data", "{} without data", flag.id);
    }
}
