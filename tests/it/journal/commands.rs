//! `lope athlete`, `checkin`, `shoes` and `log`: what scripts can do with them, and what they refuse.

use super::Home;
use serde_json::json;

#[test]
fn an_athlete_is_added_corrected_and_meant_when_nobody_is_named() {
    let home = Home::new();
    home.expect(0, &["me", "nothing known yet", "next: lope athlete show"], &["athlete"]);
    home.expect(
        0,
        &["saved: ada  Ada ; 1.72 m"],
        &[
            "athlete",
            "add",
            "ada",
            "--name",
            "Ada",
            "--height-m",
            "1.72",
            "--group",
            "club,long",
        ],
    );
    home.expect(5, &["lope::athlete::exists", "ada"], &["athlete", "add", "ada"]);
    home.expect(2, &["lope::athlete::name", "a b"], &["athlete", "add", "a b"]);
    home.expect(
        5,
        &["lope::journal::refused", "height_m is 9"],
        &["athlete", "set", "ada", "--height-m", "9"],
    );
    home.expect(
        6,
        &["lope::athlete::unknown", "lope athlete add cleo"],
        &["checkin", "--athlete", "cleo", "--back-now", "1"],
    );
    home.expect(
        0,
        &["corrected"],
        &["athlete", "set", "ad", "--mass-kg", "58", "--earlier-episodes", "3"],
    );
    home.expect(0, &["nothing changed"], &["athlete", "set", "ada", "--mass-kg", "58"]);
    home.expect(0, &["ada is meant"], &["athlete", "use", "ada"]);
    let settings = std::fs::read_to_string(home.path().join("settings.toml")).expect("read");
    assert_eq!(settings, "units = \"metric\" # mine\nathlete = \"ada\"\n");
    let shown = home.json(0, &["athlete", "show"]);
    assert_eq!(shown["id"], "ada");
    assert_eq!(shown["facts"]["height_m"], 1.72);
    assert_eq!(shown["facts"]["prior_lbp_episodes"], 3);
    assert_eq!(shown["facts"]["groups"], json!(["club", "long"]));
    home.expect(0, &["corrected"], &["athlete", "set", "ada", "--clear", "height-m"]);
    assert_eq!(home.json(0, &["athlete", "show"])["facts"]["height_m"], json!(null));
    let list = home.json(0, &["athlete", "list"]);
    let defaults: Vec<_> = list["athletes"]
        .as_array()
        .expect("list")
        .iter()
        .filter(|a| a["default"] == true)
        .collect();
    assert_eq!(defaults.len(), 1);
    assert_eq!(defaults[0]["id"], "ada");
    home.expect(
        0,
        &["for 2 Nov"],
        &["checkin", "--athlete", "me", "--day", "2026-11-02", "--fatigue", "2"],
    );
}

#[test]
fn consent_is_given_and_withdrawn_and_answers_are_refused_without_it() {
    let home = Home::new();
    home.expect(
        8,
        &["lope::consent::bone_stress"],
        &["athlete", "set", "me", "--bone-stress", "no"],
    );
    home.expect(0, &["yes"], &["athlete", "consent", "give", "--purpose", "bone-stress"]);
    home.expect(
        0,
        &["nothing changed"],
        &["athlete", "consent", "give", "--purpose", "bone-stress"],
    );
    home.expect(0, &["saved"], &["athlete", "set", "me", "--bone-stress", "no"]);
    assert_eq!(home.json(0, &["athlete", "show"])["facts"]["bone_stress"], false);
    home.expect(
        0,
        &["taken back"],
        &["athlete", "consent", "withdraw", "--purpose", "bone-stress"],
    );
    assert_eq!(home.json(0, &["athlete", "show"])["facts"]["bone_stress"], json!(null));
    home.expect(0, &["no"], &["athlete", "consent", "withdraw", "--purpose", "symptoms"]);
    home.expect(
        8,
        &["lope::consent::withdrawn", "consent give --purpose symptoms"],
        &["checkin", "--back-now", "1"],
    );
    home.expect(
        8,
        &["lope::consent::withdrawn"],
        &["log", "run", "--km", "8", "--back-worst", "2"],
    );
    home.expect(0, &["saved"], &["log", "run", "--km", "8"]);
    home.expect(0, &["yes"], &["athlete", "consent", "give", "--purpose", "symptoms"]);
    home.expect(0, &["saved"], &["checkin", "--back-now", "1"]);
    home.expect(
        0,
        &["Coach B"],
        &[
            "athlete",
            "consent",
            "give",
            "--purpose",
            "coach",
            "--recipient",
            "Coach B",
        ],
    );
    let all = home.json(0, &["athlete", "consent"]);
    assert_eq!(all["consents"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_check_in_repeated_corrects_and_what_is_not_answered_stays() {
    let home = Home::new();
    let before = [
        "checkin",
        "--back-now",
        "1",
        "--fatigue",
        "3",
        "--sleep",
        "7",
        "--soreness",
        "2",
        "--nothing-new",
        "--day",
        "2026-11-02",
    ];
    home.expect(0, &["saved for 2 Nov"], &before);
    home.expect(0, &["nothing changed for 2 Nov"], &before);
    let put = home.json(0, &["checkin", "before", "--fatigue", "5", "--day", "2026-11-02"]);
    assert_eq!(put["entries"][0]["put"], "corrected");
    assert_eq!(put["entries"][0]["id"], "checkin-2026-11-02-before");
    let entry = &put["entries"][0]["entry"];
    assert_eq!(
        (&entry["back_now"], &entry["fatigue"], &entry["sleep_quality"]),
        (&json!(1), &json!(5), &json!(7))
    );
    assert_eq!((&entry["safety_answered"], &entry["ticks"]), (&json!(true), &json!([])));
    let open = home.expect(
        0,
        &["the safety row was not answered"],
        &["checkin", "--back-now", "0", "--day", "2026-11-03"],
    );
    assert!(String::from_utf8_lossy(&open.stdout).starts_with("saved for 3 Nov\n"));
    home.expect(2, &["lope::checkin::nothing", "--back-now"], &["checkin"]);
    home.expect(2, &["0..=10"], &["checkin", "--back-now", "11"]);
    home.expect(
        2,
        &["expected a day"],
        &["checkin", "--back-now", "1", "--day", "2026-02-30"],
    );
    home.expect(
        5,
        &["lope::journal::future", "2099-01-01"],
        &["checkin", "--back-now", "1", "--day", "2099-01-01"],
    );
    home.expect(
        2,
        &["lope::checkin::elsewhere", "lope checkin after"],
        &["checkin", "morning", "--effort", "3"],
    );
    home.expect(5, &["sleep_hours is 30"], &["checkin", "--sleep-hours", "30"]);
    home.expect(5, &["no name of a tick or place"], &["checkin", "--where", "My Back"]);
}

#[test]
fn a_tick_brings_its_fixed_text_and_nothing_else() {
    let home = Home::new();
    let output = home.expect(
        0,
        &["Please do not run. You ticked: Chest pain with it. This needs help now: call your emergency number."],
        &["checkin", "--tick", "chest_pain", "--day", "2026-11-02"],
    );
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    // It stands for the whole day, whichever check-in said it.
    let later = home.json(
        0,
        &[
            "checkin",
            "morning",
            "--back-morning",
            "0",
            "--nothing-new",
            "--day",
            "2026-11-02",
        ],
    );
    assert_eq!(later["safety"][0]["under"], "emergency");
    let next = home.json(0, &["checkin", "--nothing-new", "--day", "2026-11-03"]);
    assert_eq!(next["safety"], json!([]));
    home.expect(
        0,
        &["before your next run"],
        &["checkin", "--tick", "leg_numb_tingle", "--day", "2026-11-04"],
    );
    home.expect(
        2,
        &["lope::checkin::tick", "leg_numb_tingle"],
        &["checkin", "--tick", "leg_numb"],
    );
    home.expect(
        2,
        &["cannot be used with"],
        &["checkin", "--tick", "chest_pain", "--nothing-new"],
    );
    home.expect(0, &["saddle_numb", "before next run"], &["checkin", "ticks"]);
    let hard = home.json(
        0,
        &[
            "checkin",
            "weekly",
            "--daily-life",
            "yes",
            "--goal",
            "tie shoes=7",
            "--day",
            "2026-11-05",
        ],
    );
    assert_eq!(hard["safety"][0]["ticks"], json!(["daily_life_limited"]));
    assert_eq!(hard["entries"][0]["entry"]["goals"]["tie shoes"], 7);
    let not = home.json(0, &["checkin", "weekly", "--daily-life", "no", "--day", "2026-11-05"]);
    assert_eq!(not["safety"], json!([]));
}

#[test]
fn after_a_run_the_answers_go_to_the_session_or_the_logged_run() {
    let home = Home::new();
    home.expect(
        6,
        &["lope::journal::no_run", "lope log run"],
        &["checkin", "after", "--effort", "6"],
    );
    home.expect(
        0,
        &["saved"],
        &["shoes", "add", "ghost", "--name", "Ghost 15", "--km", "400"],
    );
    home.expect(
        0,
        &["saved"],
        &["checkin", "--back-now", "2", "--nothing-new", "--day", "2026-11-01"],
    );
    let session = home.session("me", super::watch::START, 3000.0);
    let after = [
        "checkin",
        "after",
        "--day",
        "2026-11-01",
        "--effort",
        "6",
        "--back-worst",
        "3",
        "--onset",
        "gradual",
        "--onset-minute",
        "20",
        "--changed",
        "stopped",
        "--warmup",
        "yes",
        "--run-kind",
        "tempo",
        "--surface",
        "road",
        "--shoe",
        "gh",
        "--nothing-new",
    ];
    let put = home.json(0, &after);
    assert_eq!(put["entries"][0]["id"], json!(session));
    let note = &put["entries"][0]["entry"];
    assert_eq!(note["kind"], "session_note");
    for (key, value) in [
        ("effort", json!(6)),
        ("back_before", json!(2)),
        ("back_worst", json!(3)),
        ("onset", json!("gradual")),
        ("onset_minute", json!(20)),
        ("stopped_for_back", json!(true)),
        ("eased_for_back", json!(false)),
        ("warmup", json!(true)),
        ("run_kind", json!("tempo")),
        ("ground", json!("hard")),
        ("shoe", json!("ghost")),
    ] {
        assert_eq!(note[key], value, "{key}");
    }
    assert_eq!(put["entries"][1]["entry"]["safety_answered"], true);
    home.expect(0, &["nothing changed for 1 Nov"], &after);

    // Said otherwise later: eased off is an answer of its own, and not the same as no.
    let eased = [
        "checkin",
        "after",
        "--day",
        "2026-11-01",
        "--changed",
        "eased",
        "--nothing-new",
    ];
    let note = &home.json(0, &eased)["entries"][0]["entry"];
    assert_eq!(
        (&note["eased_for_back"], &note["stopped_for_back"]),
        (&json!(true), &json!(false))
    );
    home.expect(0, &["eased off for the back"], &["log"]);
    home.expect(
        0,
        &["corrected", "left out"],
        &[
            "log",
            "session",
            &session[..10],
            "--leave-out",
            "fell ill",
            "--km",
            "9.5",
        ],
    );
    let pair = home.json(0, &["shoes"]);
    assert_eq!(
        (&pair["shoes"][0]["km"], &pair["shoes"][0]["runs"]),
        (&json!(409.5), &json!(1))
    );
    home.expect(
        6,
        &["lope::journal::no_run"],
        &["checkin", "after", "--session", "nope", "--effort", "1"],
    );
    home.expect(
        6,
        &["lope::journal::unknown"],
        &["checkin", "after", "--session", &session, "--shoe", "hoka"],
    );
    // A logged run carries its note itself, and logging it again keeps it.
    home.expect(
        0,
        &["saved for 3 Nov: 8.0 km"],
        &["log", "run", "--km", "8", "--minutes", "45", "--day", "2026-11-03"],
    );
    home.expect(
        0,
        &["corrected"],
        &[
            "checkin",
            "after",
            "--day",
            "2026-11-03",
            "--effort",
            "4",
            "--surface-km",
            "hard=5,uneven=3",
        ],
    );
    let again = home.json(0, &["log", "run", "--km", "8.4", "--day", "2026-11-03"]);
    assert_eq!(again["entry"]["km"], 8.4);
    assert_eq!(again["entry"]["minutes"], 45.0);
    assert_eq!(again["entry"]["note"]["effort"], 4);
    assert_eq!(
        again["entry"]["note"]["ground_km"],
        json!({"hard": 5.0, "uneven": 3.0, "other": 0.0})
    );
}

#[test]
fn tests_restarts_and_visits_are_noted() {
    let home = Home::new();
    let test = home.json(
        0,
        &[
            "checkin",
            "test",
            "--side-plank-left",
            "45",
            "--side-plank-right",
            "52",
            "--tight",
            "no",
            "--score",
            "ODI=12",
            "--day",
            "2026-11-01",
        ],
    );
    assert_eq!(test["entries"][0]["entry"]["side_plank_left_s"], 45.0);
    assert_eq!(
        test["entries"][0]["entry"]["scores"][0],
        json!({"name": "ODI", "value": 12.0})
    );
    home.expect(
        0,
        &["learned anew"],
        &["checkin", "restart", "--reason", "new mount", "--day", "2026-11-02"],
    );
    home.expect(2, &["lope::checkin::nothing", "--reason"], &["checkin", "restart"]);
    let seen = home.json(0, &["checkin", "seen", "--day", "2026-11-03"]);
    assert_eq!(seen["entries"][0]["entry"]["seen_by_professional"], true);
}

#[test]
fn shoes_are_added_looked_at_and_retired() {
    let home = Home::new();
    home.expect(0, &["no shoes yet", "lope shoes add"], &["shoes"]);
    home.expect(
        0,
        &["saved: Ghost 15  400 km"],
        &["shoes", "add", "ghost", "--name", "Ghost 15", "--km", "400"],
    );
    home.expect(
        0,
        &["nothing changed"],
        &["shoes", "add", "ghost", "--name", "Ghost 15", "--km", "400"],
    );
    home.expect(5, &["lope::shoes::exists"], &["shoes", "add", "ghost", "--km", "10"]);
    home.expect(
        0,
        &["comfort 8"],
        &["shoes", "comfort", "gh", "8", "--day", "2026-11-01"],
    );
    home.expect(
        0,
        &["one heel more worn"],
        &["shoes", "heel", "ghost", "yes", "--day", "2026-11-01"],
    );
    home.expect(2, &["0..=10"], &["shoes", "comfort", "ghost", "11"]);
    home.expect(6, &["lope::shoes::unknown", "hoka"], &["shoes", "comfort", "hoka", "8"]);
    home.expect(0, &["in ghost"], &["log", "run", "--km", "8", "--shoe", "ghost"]);
    home.expect(0, &["408 km", "comfort 8", "1 run ", "one heel more worn"], &["shoes"]);
    home.expect(
        0,
        &["retired since 2 Nov"],
        &["shoes", "retire", "ghost", "--day", "2026-11-02"],
    );
    let pair = home.json(0, &["shoes", "list"]);
    assert_eq!(pair["shoes"][0]["facts"]["retired"], "2026-11-02");
    assert_eq!(pair["shoes"][0]["comfort"], 8);
    home.expect(0, &["worn again"], &["shoes", "retire", "ghost", "--again"]);
}

#[test]
fn the_log_takes_sports_rest_days_and_notes_and_gives_them_back() {
    let home = Home::new();
    home.expect(
        0,
        &["saved"],
        &[
            "log",
            "other",
            "--minutes",
            "60",
            "--effort",
            "5",
            "--text",
            "bike",
            "--day",
            "2026-11-01",
        ],
    );
    home.expect(
        0,
        &["saved"],
        &["log", "core", "--minutes", "15", "--day", "2026-11-01"],
    );
    home.expect(0, &["rest day"], &["log", "rest", "2026-11-02"]);
    home.expect(0, &["nothing changed"], &["log", "rest", "2026-11-02"]);
    home.expect(2, &["lope::log::nothing"], &["log", "core"]);
    home.expect(5, &["minutes is 9000"], &["log", "run", "--minutes", "9000"]);
    let session = home.session("me", super::watch::START, 3000.0);
    let note = home.json(
        0,
        &[
            "log",
            "note",
            "calf raises twice a week",
            "--author",
            "Dr. Ito",
            "--session",
            &session[..12],
        ],
    );
    assert_eq!(note["entry"]["session"], json!(session));
    assert_eq!(note["day"], "2026-11-01");
    home.expect(2, &["lope::log::nothing"], &["log", "note", " "]);
    let list = home.json(0, &["log", "list", "--from", "2026-11-01", "--to", "2026-11-02"]);
    let kinds: Vec<_> = list["entries"]
        .as_array()
        .expect("list")
        .iter()
        .map(|e| e["entry"]["kind"].clone())
        .collect();
    assert_eq!(kinds.len(), 4, "{list:#}");
    home.expect(
        8,
        &["lope::journal::not_confirmed", "--yes"],
        &["log", "remove", "rest-2026-11-02"],
    );
    home.expect(0, &["removed rest-2026-11-02"], &["log", "remove", "rest", "--yes"]);
    home.expect(6, &["lope::journal::unknown"], &["log", "remove", "rest", "--yes"]);
    home.expect(
        0,
        &["nothing since", "next: lope log run"],
        &["log", "list", "--from", "2026-11-20", "--athlete", "me"],
    );
}

#[test]
fn analyze_keeps_the_run_with_the_athlete_and_uses_what_is_known_of_the_body() {
    let home = Home::new();
    home.expect(
        0,
        &["saved"],
        &[
            "athlete",
            "add",
            "ada",
            "--height-m",
            "1.72",
            "--mass-kg",
            "58",
            "--leg-m",
            "0.9",
        ],
    );
    let out = home.path().join("run");
    let folder = out.display().to_string();
    home.expect(0, &[], &["simulate", "--minutes", "1", "--out", &folder]);
    let description = out.join("recording.toml");
    let text = std::fs::read_to_string(&description).expect("read");
    let kept: String = text
        .lines()
        .filter(|l| !l.starts_with("mass_kg"))
        .map(|l| format!("{l}\n"))
        .collect();
    assert!(kept.contains("height_m"), "{kept}");
    std::fs::write(&description, kept).expect("written");
    home.expect(
        6,
        &["lope::athlete::unknown"],
        &["analyze", &folder, "--athlete", "cleo"],
    );
    home.expect(0, &[], &["analyze", &folder, "--athlete", "ada"]);
    let reader = lope::store::SqliteReader::open(&home.data()).expect("record");
    use lope::store::History as _;
    let rows = reader
        .sessions(&lope::store::SessionQuery::default())
        .expect("sessions")
        .rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].meta.athlete.as_str(), "ada");
    let facts = rows[0].meta.facts;
    assert_eq!(facts.mass_kg, Some(58.0), "from the athlete");
    assert_ne!(facts.height_m, Some(1.72), "the recording's own height");
    assert_ne!(facts.leg_length_m, Some(0.9), "a leg goes with its own height");
    assert_eq!(home.json(0, &["athlete", "show", "ada"])["sessions"], 1);
}
