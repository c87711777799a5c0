//! From what people say and sensors measure to what is shown: one season, looked at in every way.

use super::fixture::{FIRST, ada, changed, entry, row, score, season, strides, summary, usual};
use super::flags::{flag_detail, flag_history, flag_series, flags_now, replay, with_dates};
use super::load::{load, zone};
use super::own_usual::{Part, Series};
use super::roster::{inbox_of, squad_row};
use super::sessions::{kept_changes, session_items};
use super::trend::{TrendQuery, trend};
use super::*;
use crate::interchange::flag_rules;
use crate::metrics::MetricId;
use crate::risk::Rules;
use crate::risk::history::SessionKind;
use crate::store::batch::FIRST_ANALYSIS;
use crate::store::journal::{
    Activity, AthleteFacts, Body, CheckIn, Consent, Day, Entry, EntryId, FlagAction, FlagActionKind, Ground,
    Journal as _, Purpose, Restart, SessionNote, Weekly,
};
use crate::store::{Batch, Closing, SessionRow, SqliteStore, Store as _, UtcMicros, WallClock};
use std::collections::BTreeMap;

fn rules() -> Rules {
    flag_rules::built_in()
}

fn level(now: &FlagsNow, id: &str) -> LevelWord {
    now.flags.iter().find(|f| f.id == id).expect("a flag").level
}

fn note(id: &str, day: Day, note: SessionNote) -> Entry {
    entry(id, day, Body::SessionNote(note))
}

fn past_of(rows: Vec<SessionRow>, entries: Vec<Entry>, today: Day) -> Past {
    let runs = rows.iter().map(|r| (r.meta.id.clone(), summary(3.0, 170.0))).collect();
    Past::new(ada(), rows, runs, entries, today)
}

#[test]
fn notes_join_their_sessions_and_a_watch_does_not_count_a_run_twice() {
    let said = SessionNote {
        ground: Some(Ground::Hard),
        back_before: score(1),
        back_worst: score(2),
        effort: score(6),
        ..SessionNote::default()
    };
    let watch = Activity {
        km: Some(3.9),
        minutes: Some(25.0),
        downhill_km: Some(0.4),
        note: SessionNote {
            shoe: Some(EntryId::parse("ghost").expect("id")),
            effort: score(9),
            ..SessionNote::default()
        },
        ..Activity::default()
    };
    let elsewhere = Activity {
        km: Some(10.0),
        minutes: Some(55.0),
        ..Activity::default()
    };
    let entries = vec![
        note("s0", FIRST, said),
        entry("watch", FIRST, Body::Activity(watch)),
        entry("alone", FIRST.plus(1), Body::Activity(elsewhere)),
    ];
    let past = past_of(vec![row("s0", FIRST)], entries, FIRST.plus(3));
    let sessions = &past.history.sessions;
    assert_eq!((sessions.len(), past.history.days), (2, 4));
    let s = &sessions[0];
    // The distance is the sensors' (20 minutes at 3 m/s), the effort the runner's own word, the pair the watch's.
    assert!((s.km - 3.6).abs() < 0.01, "{}", s.km);
    assert_eq!((s.effort, s.back_pre, s.back_worst), (Some(6.0), Some(1.0), Some(2.0)));
    assert_eq!(s.shoe.as_deref(), Some("ghost"));
    assert!((s.surface_km.expect("ground").hard - s.km).abs() < 1e-9);
    assert!(s.level_windows.expect("windows") > 40 && s.metrics.contains_key("cadence_spm"));
    assert_eq!(
        (sessions[1].day, sessions[1].km, sessions[1].level_windows),
        (1, 10.0, None)
    );
    assert_eq!(past.left_out.len(), 1);
    assert!(past.left_out[0].what == "activity watch" && past.left_out[0].why.contains("session s0"));
}

#[test]
fn what_cannot_be_placed_is_left_out_with_the_reason() {
    let mut assumed = row("dateless", FIRST);
    assumed.meta.wall_clock = WallClock::Assumed;
    let future = row("tomorrow", FIRST.plus(9));
    let unknown = Activity {
        minutes: Some(30.0),
        note: SessionNote {
            back_worst: score(4),
            ..SessionNote::default()
        },
        ..Activity::default()
    };
    let entries = vec![entry("no-km", FIRST.plus(1), Body::Activity(unknown))];
    let past = past_of(vec![assumed, future, row("s0", FIRST)], entries, FIRST.plus(1));
    let why: BTreeMap<&str, &str> = past
        .left_out
        .iter()
        .map(|l| (l.what.as_str(), l.why.as_str()))
        .collect();
    assert_eq!(why.len(), 2, "{why:?}");
    assert!(why["session dateless"].contains("does not say when"));
    assert!(why["activity no-km"].contains("distance is not known"));
    // It is training, and its pain is not lost.
    let kinds: Vec<SessionKind> = past.history.sessions.iter().map(|s| s.kind).collect();
    assert_eq!(kinds.iter().filter(|k| **k == SessionKind::Other).count(), 1);
    assert_eq!(past.history.checkins[0].back_now, Some(4.0));
    assert_eq!(past.recorded.len(), 3);
}

#[test]
fn several_answers_of_a_day_are_one() {
    let check = |id: &str, c: CheckIn| entry(id, FIRST, Body::CheckIn(c));
    let entries = vec![
        check(
            "a",
            CheckIn {
                back_now: score(3),
                fatigue: score(7),
                ticks: vec!["one_sided_back_pain".to_owned()],
                ..CheckIn::default()
            },
        ),
        check(
            "b",
            CheckIn {
                back_now: score(1),
                back_morning: score(2),
                fatigue: score(4),
                safety_answered: true,
                ..CheckIn::default()
            },
        ),
        entry(
            "w",
            FIRST,
            Body::Weekly(Weekly {
                daily_life_hard: Some(true),
                ..Weekly::default()
            }),
        ),
        entry("r", FIRST.plus(2), Body::Restart(Restart::default())),
    ];
    let past = past_of(Vec::new(), entries, FIRST.plus(4));
    let [day] = &past.history.checkins[..] else {
        panic!("one check-in a day")
    };
    assert_eq!(
        (day.back_now, day.back_morning, day.fatigue),
        (Some(3.0), Some(2.0), Some(4.0))
    );
    assert!(day.safety_answered && day.ticked("one_sided_back_pain") && day.ticked("daily_life_limited"));
    assert_eq!(past.history.reanchor_days, [2]);
}

#[test]
fn an_answer_about_bones_needs_its_own_consent_and_withdrawn_symptoms_are_not_used() {
    let facts = AthleteFacts {
        name: "Ada".to_owned(),
        bone_stress: Some(true),
        ..AthleteFacts::default()
    };
    let consent = |id: &str, purpose, given| {
        let body = Consent {
            purpose,
            recipient: String::new(),
            given,
        };
        entry(id, FIRST, Body::Consent(body))
    };
    let sore = note(
        "s0",
        FIRST,
        SessionNote {
            back_worst: score(5),
            ..SessionNote::default()
        },
    );
    let base = vec![entry("athlete", FIRST, Body::Athlete(facts)), sore];
    let with = |more: Vec<Entry>| past_of(vec![row("s0", FIRST)], [base.clone(), more].concat(), FIRST);
    assert_eq!(with(vec![]).history.profile.bone_stress_tick, None);
    let given = with(vec![consent("c", Purpose::BoneStress, true)]);
    assert_eq!(
        (given.history.profile.bone_stress_tick, given.name()),
        (Some(true), "Ada".to_owned())
    );
    let withdrawn = with(vec![consent("c", Purpose::Symptoms, false)]);
    assert_eq!(withdrawn.history.sessions[0].back_worst, None);
    assert!(withdrawn.left_out.iter().any(|l| l.what == "symptoms"));
}

#[test]
fn fewer_steps_raise_the_flag_after_three_runs_with_everything_behind_it() {
    let rules = rules();
    let two = flags_now(&rules, &changed(2, vec![]), Sight::Everything);
    assert_eq!(level(&two, "FS1"), LevelWord::None);
    let past = changed(3, vec![]);
    let now = flags_now(&rules, &past, Sight::Everything);
    assert_eq!(level(&now, "FS1"), LevelWord::Watch);
    assert_eq!(
        (now.learning, now.flags.len(), now.summary.areas_changed),
        (None, 30, 1)
    );
    assert_eq!((now.coaching, now.safety.is_none()), (CoachingWord::Open, true));
    let missing = now.flags.iter().find(|f| f.id == "IG2").expect("IG2");
    assert!(missing.level == LevelWord::NotEnoughData && !missing.missing.is_empty());
    let detail = flag_detail(&rules, &past, Sight::Everything, "fs1").expect("FS1");
    assert_eq!(detail.flag.since, Some(past.today));
    assert!(
        detail
            .flag
            .message
            .as_deref()
            .expect("raised")
            .contains("5 % below your usual"),
        "{detail:?}"
    );
    let c = detail.computation.expect("shown");
    let voted: Vec<(Option<&str>, Option<LevelWord>)> = c
        .votes
        .iter()
        .map(|v| (v.session.as_ref().map(|s| s.as_str()), v.level))
        .collect();
    assert_eq!(
        voted[voted.len() - 3..],
        [8, 9, 10].map(|i| (Some(["s8", "s9", "s10"][i - 8]), Some(LevelWord::Watch)))
    );
    assert!(c.votes.iter().all(|v| v.values.contains_key("cadence_change_pct")));
    let reference = c.reference.expect("learned");
    assert_eq!(
        (reference.runs, reference.from, reference.to),
        (8, FIRST, FIRST.plus(14))
    );
    let watch = c
        .conditions
        .iter()
        .find(|c| c.level == LevelWord::Watch)
        .expect("watch");
    assert_eq!((watch.holds, watch.inputs[0].threshold), (Some(true), -3.0));
    let high = c.conditions.iter().find(|c| c.level == LevelWord::High).expect("high");
    assert_eq!(
        high.holds,
        Some(false),
        "the step rate is not 6 % lower, whatever the back says"
    );
    assert!(c.other_reasons.iter().any(|r| r.contains("shoes")) && c.cites.iter().any(|c| c.url.is_some()));
    assert!(
        detail.text.contains(&past.today.to_string()) && !detail.text.contains("day 20"),
        "{}",
        detail.text
    );
    let short = flag_words::short(&flag_detail(&rules, &past, Sight::Everything, "FS1").expect("FS1"));
    for part in [
        "watch · since",
        "saw",
        "against",
        "8 runs",
        "persisted",
        "clears",
        "try",
    ] {
        assert!(short.contains(part), "{part} in {short}");
    }
}

#[test]
fn a_run_the_runner_leaves_out_counts_as_distance_only() {
    let rules = rules();
    let left_out = |i: i32| {
        let body = SessionNote {
            left_out: true,
            ..SessionNote::default()
        };
        note(&format!("s{i}"), FIRST.plus(2 * i), body)
    };
    let past = changed(3, vec![left_out(9)]);
    assert_eq!(
        level(&flags_now(&rules, &past, Sight::Everything), "FS1"),
        LevelWord::None
    );
    assert!(past.history.sessions[9].km > 3.0 && past.history.sessions[9].metrics.is_empty());
    assert_eq!(past.comparable().count(), 10);
}

#[test]
fn a_coach_without_consent_sees_no_symptom_and_nothing_that_follows_from_one() {
    let rules = rules();
    let last = FIRST.plus(20);
    let bad = CheckIn {
        back_now: score(7),
        ticks: vec!["saddle_numb".to_owned(), rules.ticks[0].name.clone()],
        safety_answered: true,
        ..CheckIn::default()
    };
    let entries = vec![entry("c", last, Body::CheckIn(bad))];
    let past = changed(3, entries.clone());
    let all = flags_now(&rules, &past, Sight::Everything);
    assert_eq!(
        (level(&all, "SY5"), all.coaching),
        (LevelWord::Stop, CoachingWord::Silent)
    );
    let safety = all.safety.expect("a reason to stop");
    assert!(safety.title.starts_with("Get help now") && !safety.ticks.is_empty());
    let coach = Viewer::Coach("Kim".to_owned());
    let sight = Sight::of(&coach, &past);
    assert_eq!(sight, Sight::NoSymptoms);
    let seen = flags_now(&rules, &past, sight);
    assert!(seen.safety.is_none() && seen.coaching == CoachingWord::Open);
    assert_eq!(level(&seen, "FS1"), LevelWord::Watch);
    for f in seen.flags.iter().filter(|f| matches!(f.family.as_str(), "SY" | "HX")) {
        assert!(f.hidden && f.level == LevelWord::NotEnoughData && f.message.is_none() && f.since.is_none());
    }
    assert!(
        flag_detail(&rules, &past, sight, "SY1")
            .expect("SY1")
            .computation
            .is_none()
    );
    let history = flag_history(&rules, &past, sight);
    assert!(history.changes.iter().all(|c| !c.id.starts_with("SY")));
    let row = squad_row(&rules, &past, sight);
    assert_eq!((row.symptoms, row.back_last), (SharedWord::NotShared, None));
    let json = serde_json::to_string(&(seen, history, row)).expect("json");
    assert!(!json.contains("\"stop\"") && !json.contains(&rules.ticks[0].text));
    let mut shared = entries;
    let body = Consent {
        purpose: Purpose::Coach,
        recipient: "Kim".to_owned(),
        given: true,
    };
    shared.push(entry("consent", last, Body::Consent(body)));
    let past = changed(3, shared);
    assert_eq!(Sight::of(&coach, &past), Sight::Everything);
    assert_eq!(Sight::of(&Viewer::Coach("Lou".to_owned()), &past), Sight::NoSymptoms);
    assert_eq!(squad_row(&rules, &past, Sight::Everything).back_last, Some(7.0));
}

#[test]
fn another_rule_file_differs_where_its_limit_does() {
    let old = rules();
    let mut new = rules();
    new.version = "other".to_owned();
    for list in new
        .flags
        .iter_mut()
        .filter(|f| f.id == "FS1")
        .flat_map(|f| &mut f.levels[1])
    {
        list[0].value = -8.0;
    }
    let past = changed(4, vec![]);
    assert_eq!(replay(&old, &old, &past, Sight::Everything), vec![]);
    let fs1: Vec<ReplayDifference> = replay(&old, &new, &past, Sight::Everything)
        .into_iter()
        .filter(|d| d.flag == "FS1")
        .collect();
    let [d] = &fs1[..] else { panic!("one stretch: {fs1:?}") };
    assert_eq!((d.day, d.to), (FIRST.plus(20), past.today));
    assert_eq!((d.old, d.new), (LevelWord::Watch, LevelWord::Info));
}

#[test]
fn days_in_the_engines_texts_become_dates() {
    let past = season(&[170.0], vec![], FIRST.plus(3));
    let got = with_dates(
        "raised since day 2; last 30 days; run of day 0: watch; holiday 7; day x",
        &past,
    );
    let (two, zero) = (FIRST.plus(2), FIRST);
    assert_eq!(
        got,
        format!("raised since {two}; last 30 days; run of {zero}: watch; holiday 7; day x")
    );
}

fn cadence(weeks: u32) -> TrendQuery {
    TrendQuery {
        series: Series::Metric(MetricId::Cadence),
        weeks,
        speed_ms: None,
        part: Part::All,
    }
}

#[test]
fn a_trend_says_no_real_change_or_how_much() {
    let rules = rules();
    let see = |past: &Past| trend(&rules, past, &cadence(8), Sight::Everything, &[]);
    let steady: Vec<f64> = (0..14).map(usual).collect();
    let t = see(&season(&steady, vec![], FIRST.plus(26)));
    assert_eq!(t.verdict.word, VerdictWord::NoRealChange, "{}", t.verdict.text);
    assert!(t.verdict.text.starts_with("No real change"));
    let band = t.reference.expect("learned");
    assert_eq!((band.runs, band.state), (8, ReferenceWord::Frozen));
    // Residuals 0, ±.3, ±.5, .2, ±.4: the median absolute deviation is .35, s .519, the band 2 s to each side.
    assert!(
        (band.mid - 170.1).abs() < 0.1 && (band.high - band.mid - 1.04).abs() < 0.1,
        "{band:?}"
    );
    let smallest = t.smallest_change.expect("known");
    assert!(
        (smallest.value - (band.high - band.mid)).abs() < 1e-9,
        "five runs against eight: the band is the limit"
    );
    assert_eq!(t.points.iter().filter(|p| p.runs_in_reference).count(), 8);
    assert!(t.points.iter().all(|p| p.at_speed && p.sigma.is_some()));
    assert_eq!(t.rolling42.len(), 14);
    let lower = see(&changed(6, vec![]));
    assert_eq!(lower.verdict.word, VerdictWord::Lower, "{}", lower.verdict.text);
    assert!(
        lower.verdict.text.contains("below your usual 170"),
        "{}",
        lower.verdict.text
    );
    let young = see(&season(&steady[..3], vec![], FIRST.plus(4)));
    assert_eq!((young.verdict.word, young.reference), (VerdictWord::Learning, None));
    assert!(young.verdict.text.contains("3 of 5"));
    let idle = see(&season(&steady, vec![], FIRST.plus(200)));
    assert_eq!((idle.verdict.word, idle.points.len()), (VerdictWord::NotEnoughData, 0));
}

#[test]
fn a_run_at_another_speed_is_shown_and_not_compared() {
    let rules = rules();
    let mut rows = Vec::new();
    let mut runs = BTreeMap::new();
    for i in 0..10 {
        let r = row(&format!("s{i}"), FIRST.plus(2 * i));
        let speed = if i == 9 { 4.0 } else { 3.0 };
        runs.insert(r.meta.id.clone(), summary(speed, 170.0 + 0.1 * f64::from(i % 3)));
        rows.push(r);
    }
    let past = Past::new(ada(), rows, runs, vec![], FIRST.plus(18));
    let t = trend(&rules, &past, &cadence(8), Sight::NoSymptoms, &[]);
    let last = t.points.last().expect("ten");
    assert!(!last.at_speed && last.value.is_some());
    assert!(
        last.why_not
            .as_deref()
            .expect("why")
            .contains("outside your usual speeds")
    );
    assert!((t.reference_speed_ms.expect("speed") - 3.0).abs() < 1e-9 && t.symptoms.is_none());
}

#[test]
fn the_usual_week_comes_from_whole_weeks() {
    let run = |i: i32, day: i32, km: f64| {
        let body = Activity {
            km: Some(km),
            minutes: Some(60.0),
            ..Activity::default()
        };
        entry(&format!("a{i}"), FIRST.plus(day), Body::Activity(body))
    };
    // Seven whole weeks of 10 to 40 km, then a week under way.
    let km = [40.0, 20.0, 30.0, 10.0, 25.0, 22.0, 35.0];
    let mut entries: Vec<Entry> = km
        .iter()
        .enumerate()
        .map(|(i, km)| run(i as i32, 7 * i as i32 + 2, *km))
        .collect();
    entries.push(run(90, 49, 5.0));
    entries.push(run(91, 50, 6.0));
    let past = past_of(Vec::new(), entries.clone(), FIRST.plus(50));
    let all = load(&past, 3);
    assert_eq!(all.weeks.len(), 3);
    let now = &all.weeks[2];
    assert_eq!(
        (now.week_start, now.km, now.runs, now.longest_km),
        (FIRST.plus(49), 11.0, 2, Some(6.0))
    );
    assert_eq!((now.rest_days, all.weeks[1].rest_days), (0, 6));
    // The history begins on the Wednesday of the first week, so that week is not whole; six are, without 10 and 35.
    assert_eq!(all.zone, Some(LoadZone { low: 20.0, high: 30.0 }));
    assert_eq!(zone(&past_of(Vec::new(), entries[5..].to_vec(), FIRST.plus(50))), None);
}

#[test]
fn the_inbox_holds_what_nobody_has_seen() {
    let rules = rules();
    let act = |action, day: i32, until| {
        let body = FlagAction {
            flag: "FS1".to_owned(),
            action,
            actor: "Kim".to_owned(),
            note: None,
            until,
        };
        entry("act", FIRST.plus(day), Body::FlagAction(body))
    };
    let ids = |entries: Vec<Entry>| -> Vec<String> {
        let items = inbox_of(&rules, &changed(3, entries), Sight::Everything);
        items.into_iter().map(|i| i.flag.id).collect()
    };
    assert!(ids(vec![]).contains(&"FS1".to_owned()));
    assert!(!ids(vec![act(FlagActionKind::Acknowledge, 20, None)]).contains(&"FS1".to_owned()));
    // Seen before it rose this time: it waits again.
    assert!(ids(vec![act(FlagActionKind::Acknowledge, 5, None)]).contains(&"FS1".to_owned()));
    assert!(!ids(vec![act(FlagActionKind::Mute, 10, Some(FIRST.plus(30)))]).contains(&"FS1".to_owned()));
    assert!(ids(vec![act(FlagActionKind::Mute, 10, Some(FIRST.plus(15)))]).contains(&"FS1".to_owned()));
    assert!(ids(vec![act(FlagActionKind::Note, 20, None)]).contains(&"FS1".to_owned()));
    let items = inbox_of(&rules, &changed(3, vec![]), Sight::Everything);
    let item = items.iter().find(|i| i.flag.id == "FS1").expect("FS1");
    assert!(!item.other_reasons.is_empty() && item.strip.len() == 5);
    let strip: Vec<LevelWord> = item.strip.iter().map(|p| p.level).collect();
    assert_eq!(strip[2..], [LevelWord::Watch; 3]);
}

#[test]
fn those_who_need_a_look_come_first() {
    let rules = rules();
    let steady: Vec<f64> = (0..11).map(usual).collect();
    let quiet = squad_row(&rules, &season(&steady, vec![], FIRST.plus(20)), Sight::Everything);
    let silent = squad_row(&rules, &season(&steady, vec![], FIRST.plus(27)), Sight::Everything);
    let flagged = squad_row(&rules, &changed(3, vec![]), Sight::Everything);
    assert!(
        flagged.triage > silent.triage && silent.triage > quiet.triage,
        "{flagged:?} {silent:?} {quiet:?}"
    );
    assert_eq!((quiet.silent_days, silent.silent_days), (Some(0), Some(7)));
    assert_eq!((flagged.load_weeks.len(), flagged.cadence_spark.len()), (8, 11));
    assert!((flagged.drop_asym_spark[0].value + 1.0).abs() < 1e-9);
    assert!(flagged.flags.iter().any(|f| f.id == "FS1"));
}

/// A record with eight usual runs and three with fewer steps, and a few words about them.
fn record() -> (tempfile::TempDir, Review) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("store");
    for i in 0..11 {
        let r = row(&format!("s{i}"), FIRST.plus(2 * i));
        store.open_session(&r.meta).expect("open");
        let cadence = if i < 8 {
            usual(i as usize)
        } else {
            0.95 * usual(i as usize)
        };
        let mut batch = Batch::new(r.meta.id.clone(), FIRST_ANALYSIS);
        strides(3.0, cadence)
            .iter()
            .for_each(|s| batch.push_stride(s).expect("a row"));
        store.append(batch).expect("append");
        let closing = Closing {
            stop: crate::model::SessionTime::from_secs(1205.0),
            analysis: FIRST_ANALYSIS,
            pipeline_version: "test".to_owned(),
            params: serde_json::json!({}),
            sensors: Vec::new(),
        };
        store.close_session(&r.meta.id, &closing).expect("close");
    }
    drop(store);
    let review = Review::open(dir.path(), rules()).expect("review");
    let sore = SessionNote {
        back_worst: score(2),
        shoe: Some(EntryId::parse("ghost").expect("id")),
        ..SessionNote::default()
    };
    let said = note("s10", FIRST.plus(20), sore);
    review.journal().put(&said, UtcMicros::from_micros(1)).expect("put");
    (dir, review)
}

#[test]
fn a_record_is_read_once_and_shown_in_every_way() {
    let (_dir, review) = record();
    let today = FIRST.plus(20);
    let past = review.past(&ada(), today).expect("past");
    assert_eq!(review.last_day(&ada()), Ok(Some(today)));
    assert_eq!(review.athletes(), Ok(vec![ada()]));
    assert_eq!(past.comparable().count(), 11);
    // What was computed is kept, and reads back equal.
    let again = review.past(&ada(), today).expect("past");
    assert_eq!(again.history, past.history);
    let first = &past.recorded[0];
    assert_eq!(
        review.run(&first.row).expect("kept"),
        first.run.clone().expect("closed")
    );
    let now = flags_now(review.rules(), &past, Sight::Everything);
    assert_eq!(level(&now, "FS1"), LevelWord::Watch);
    let series = flag_series(review.rules(), &past);
    let version = review.rules().version.clone();
    let written = review.series().keep(&ada(), &version, &series).expect("keep");
    assert!(written.written > 0 && review.series().keep(&ada(), &version, &series) == Ok(Default::default()));
    let kept = review.series().states(&ada(), &version).expect("states");
    let raised = kept
        .iter()
        .find(|s| s.flag == "FS1" && s.state == "watch")
        .expect("kept");
    assert!(raised.day == today && raised.evidence.as_deref().expect("why").contains("cadence_change_pct"));
    let changes = kept_changes(&kept);
    assert_eq!(changes.len(), series.states.len());
    let items = session_items(&past, &changes);
    assert_eq!((items.len(), items[0].id.as_str(), items[0].day), (11, "s10", today));
    assert!(
        items[0]
            .flags
            .iter()
            .any(|f| f.id == "FS1" && f.level == LevelWord::Watch)
    );
    assert!(items[0].distance_km.is_some_and(|km| (km - 3.6).abs() < 0.01) && items[0].strides > 3000);
    let id = items[0].id.clone();
    let card = card::card(&review, &past, &id, Sight::Everything, &changes)
        .expect("read")
        .expect("a card");
    assert_eq!((card.rows.len(), card.checkin_due), (6, false));
    let steps = card.rows.iter().find(|r| r.metric == "cadence").expect("cadence");
    assert_eq!((steps.word, steps.beyond_noise), (ChangeWord::Lower, Some(true)));
    assert!(card.headline.contains("cadence lower"), "{}", card.headline);
    assert!(card.one_thing.expect("a flag stands").contains("step rate"));
    assert!(card.within_run.is_none() && card.within_why.expect("why").contains("40 minutes"));
}

#[test]
fn before_and_after_are_compared_at_equal_speed() {
    let (_dir, review) = record();
    let past = review.past(&ada(), FIRST.plus(20)).expect("past");
    let chosen = |text: &str| compare::Chosen::parse(text).expect("a side");
    let day = FIRST.plus(16);
    let c = compare::compare(
        &review,
        &past,
        &chosen(&format!("before:{day}")),
        &chosen(&format!("from:{day}")),
    )
    .expect("compared");
    assert_eq!((c.a.sessions.len(), c.b.sessions.len(), c.note.is_none()), (8, 3, true));
    let steps = c.rows.iter().find(|r| r.metric == "cadence").expect("cadence");
    let delta = steps.delta.expect("shared speeds");
    assert!((delta + 8.5).abs() < 0.6, "{delta}");
    assert_eq!((steps.beyond_noise, steps.n_a, steps.n_b), (Some(true), 8, 3));
    assert!(steps.low < Some(delta) && steps.high < Some(0.0));
    let contact = c
        .rows
        .iter()
        .find(|r| r.metric == "contact_time" && r.side == "left")
        .expect("contact");
    assert_eq!(contact.beyond_noise, Some(false));
    assert!(c.scatter["cadence"].fit_a.is_some() && c.scatter["cadence"].a.len() == 8);
    let two = compare::compare(&review, &past, &chosen("s0"), &chosen("last")).expect("compared");
    assert!(two.note.expect("windows").contains("windows within these runs"));
    assert!(two.rows.iter().find(|r| r.metric == "cadence").expect("cadence").n_a > 40);
    let nobody = compare::compare(&review, &past, &chosen("shoe:none"), &chosen("last")).expect("compared");
    assert_eq!(nobody.note.as_deref(), Some("A holds no run with sensors."));
    assert!(nobody.shared_speed.is_none());
}

#[test]
fn laps_of_a_run_are_compared_with_each_other_and_with_those_of_another() {
    let (dir, review) = record();
    let store = SqliteStore::open(dir.path(), "test").expect("store");
    for (id, marks) in [("s0", [600.0, 900.0]), ("s10", [500.0, 800.0])] {
        let mut batch = Batch::new(crate::store::SessionId::parse(id).expect("id"), FIRST_ANALYSIS);
        for t in marks {
            let event = crate::store::SessionEvent::Marker {
                t: crate::model::SessionTime::from_secs(t),
                text: "lap".to_owned(),
            };
            batch.push_event(event).expect("sound");
        }
        store.append(batch).expect("kept");
    }
    store.flush().expect("durable");
    let past = review.past(&ada(), FIRST.plus(20)).expect("past");
    let asked = |a: &str, b: &str| {
        let chosen = |text: &str| compare::Chosen::parse(text).expect("a side");
        compare::compare(&review, &past, &chosen(a), &chosen(b)).expect("compared")
    };
    let steps = |c: &Compare| {
        let row = c.rows.iter().find(|r| r.metric == "cadence");
        let row = row.expect("cadence");
        (row.delta.expect("shared speeds"), row.n_a, row.n_b)
    };
    let one = asked("lap:s0:2", "lap:s0:3");
    assert_eq!(one.a.label, "lap 2 of session s0");
    assert_eq!(one.a.sessions, one.b.sessions);
    let (delta, n_a, n_b) = steps(&one);
    assert!(delta.abs() < 0.5, "the same cadence in both: {delta}");
    // 300 s of two feet in windows of 25 strides, of which those over a mark belong to neither.
    assert!((30..=34).contains(&n_a) && (30..=34).contains(&n_b), "{n_a}, {n_b}");
    let two = asked("lap:s0:2", "lap:last:2");
    assert!((steps(&two).0 + 8.5).abs() < 0.6, "{:?}", steps(&two));
    let beyond = asked("lap:s0:4", "last");
    assert_eq!(
        beyond.note.as_deref(),
        Some("A asks for lap 4, but that run has 3 laps.")
    );
    let none = asked("last", "lap:s1:1");
    assert_eq!(
        none.note.as_deref(),
        Some("B asks for lap 1, but no lap was marked in that run.")
    );
    assert!(none.b.sessions.is_empty() && none.shared_speed.is_none());
}
