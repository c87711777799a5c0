//! What the six say of themselves: shoes, effort, sleep, backs.

use super::WEEKS;
use super::people::{Person, Run, Story, share};
use crate::store::journal::{
    AthleteFacts, Body, BodyTest, CheckIn, Consent, Day, Entry, EntryId, Ground, Journal as _, Onset, Purpose, RunKind,
    Score, SessionNote, ShoeCheck, ShoeFacts,
};
use crate::store::{AthleteId, SessionId, SqliteJournal, StoreError, UtcMicros};

fn score(value: f64) -> Result<Score, StoreError> {
    Score::new(value.round().clamp(0.0, 10.0) as u8)
}

fn noon(day: Day) -> UtcMicros {
    UtcMicros::from_micros(i64::from(day.days()) * 86_400_000_000 + 43_200_000_000)
}

/// Back scores of a run: before, worst.
fn back(person: &Person, run: &Run) -> (f64, f64) {
    let week = run.day / 7;
    let wobble = share(run.seed, 77, 1);
    match person.story {
        Story::Fatigue if week >= 5 => (f64::from(week - 4), f64::from(week - 4) + 1.0 + wobble),
        Story::Overstriding if week >= 6 => (1.0, 2.0 + wobble),
        Story::Spike if week == WEEKS - 1 => (1.0, 3.0 + wobble),
        Story::Drop if week >= 5 => (0.0, 1.0 + wobble),
        _ => (0.0, if wobble > 0.9 { 1.0 } else { 0.0 }),
    }
}

/// The pair worn.
fn shoe(person: &Person, run: &Run) -> &'static str {
    match person.story {
        Story::Drop => "marathon-4",
        _ if run.number % 3 == 2 => "trail",
        _ => "daily",
    }
}

fn put(
    journal: &SqliteJournal,
    athlete: &AthleteId,
    id: &str,
    day: Day,
    at: UtcMicros,
    body: Body,
) -> Result<u32, StoreError> {
    let entry = Entry {
        id: EntryId::parse(id)?,
        athlete: athlete.clone(),
        day,
        at,
        body,
    };
    journal.put(&entry, at)?;
    Ok(1)
}

/// What is said of one run: the note to it, and the check-in of that day.
pub(super) fn of_run(
    journal: &SqliteJournal,
    person: &Person,
    athlete: &AthleteId,
    session: &SessionId,
    run: &Run,
    day: Day,
    start: UtcMicros,
) -> Result<u32, StoreError> {
    let (before, worst) = back(person, run);
    let week = run.day / 7;
    let long = run.secs > 60.0 * 20.0;
    let shoe = EntryId::parse(shoe(person, run))?;
    let note = SessionNote {
        run_kind: Some(if long { RunKind::Long } else { RunKind::Easy }),
        effort: Some(score(if long { 5.5 } else { 3.0 } + 2.0 * share(run.seed, 78, 1))?),
        warmup: Some(true),
        ground: Some(if shoe.as_str() == "trail" {
            Ground::Uneven
        } else {
            Ground::Hard
        }),
        shoe: Some(shoe),
        back_before: Some(score(before)?),
        back_worst: Some(score(worst)?),
        onset: Some(if worst >= 2.0 { Onset::Gradual } else { Onset::No }),
        ..SessionNote::default()
    };
    let mut n = put(journal, athlete, session.as_str(), day, start, Body::SessionNote(note))?;
    // Eli answers now and then; the others most days they run.
    if person.story == Story::PoorData && run.number % 4 != 0 {
        return Ok(n);
    }
    let tired = person.story == Story::Fatigue && week >= 5;
    let check_in = CheckIn {
        back_morning: Some(score(before)?),
        places: if worst >= 2.0 {
            vec!["low_back_centre".to_owned()]
        } else {
            Vec::new()
        },
        fatigue: Some(score(if tired { 7.5 } else { 3.0 } + share(run.seed, 79, 1))?),
        sleep_quality: Some(score(if tired { 3.5 } else { 7.0 } - share(run.seed, 80, 1))?),
        soreness: Some(score(if tired { 5.5 } else { 2.5 } + share(run.seed, 81, 1))?),
        safety_answered: true,
        ticks: ticks(person, run),
        ..CheckIn::default()
    };
    n += put(
        journal,
        athlete,
        &format!("checkin-{day}"),
        day,
        noon(day),
        Body::CheckIn(check_in),
    )?;
    Ok(n)
}

/// A sign ticked in the last week of the one who did far too much.
fn ticks(person: &Person, run: &Run) -> Vec<String> {
    let last = run.day >= 7 * WEEKS - 3;
    if person.story == Story::Spike && last {
        vec!["leg_numb_tingle".to_owned()]
    } else {
        Vec::new()
    }
}

/// What is said once: who they are, their shoes, a test, what others may see.
pub(super) fn of_person(
    journal: &SqliteJournal,
    person: &Person,
    athlete: &AthleteId,
    today: Day,
) -> Result<u32, StoreError> {
    let first = today.plus(-(7 * WEEKS - 1));
    let facts = AthleteFacts {
        name: person.name.to_owned(),
        height_m: Some(person.height_m),
        mass_kg: Some(person.mass_kg),
        groups: vec![person.group.to_owned()],
        prior_lbp_episodes: Some(if person.story == Story::Fatigue { 2 } else { 0 }),
        medical_history: Some(false),
        ..AthleteFacts::default()
    };
    let mut n = put(journal, athlete, "athlete", first, noon(first), Body::Athlete(facts))?;
    let pairs = [
        (
            "daily",
            "Daily trainer",
            if person.story == Story::Steady { 120.0 } else { 340.0 },
            8.0,
        ),
        ("trail", "Trail shoe", 210.0, 7.0),
        ("marathon-4", "Marathon 4", 760.0, 4.0),
    ];
    for (id, name, km, comfort) in pairs {
        let shoe = ShoeFacts {
            name: name.to_owned(),
            km_before: Some(km),
            ..ShoeFacts::default()
        };
        n += put(journal, athlete, id, first, noon(first), Body::Shoe(shoe))?;
        let check = ShoeCheck {
            shoe: EntryId::parse(id)?,
            comfort: Some(score(comfort)?),
            uneven_heel: Some(id == "marathon-4"),
        };
        n += put(
            journal,
            athlete,
            &format!("look-{id}"),
            first,
            noon(first),
            Body::ShoeCheck(check),
        )?;
    }
    let test = BodyTest {
        side_plank_left_s: Some(52.0),
        side_plank_right_s: Some(if person.story == Story::Drop { 24.0 } else { 49.0 }),
        self_test_tight: Some(person.story == Story::Fatigue),
        ..BodyTest::default()
    };
    let tested = today.plus(-20);
    n += put(journal, athlete, "test-1", tested, noon(tested), Body::BodyTest(test))?;
    for (purpose, given) in [
        (Purpose::Symptoms, true),
        (Purpose::Coach, person.story == Story::Fatigue),
        (Purpose::Therapist, person.story != Story::PoorData),
    ] {
        let consent = Consent {
            purpose,
            recipient: String::new(),
            given,
        };
        let id = format!("consent-{}", serde_name(purpose));
        n += put(journal, athlete, &id, first, noon(first), Body::Consent(consent))?;
    }
    Ok(n)
}

fn serde_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Symptoms => "symptoms",
        Purpose::Coach => "coach",
        Purpose::Therapist => "therapist",
        Purpose::Sink => "sink",
        Purpose::BoneStress => "bone-stress",
    }
}
