//! A record of ten weeks, made by hand: two speeds a run, new shoes, and a form that changes towards the end.

use crate::interchange::flag_rules;
use crate::metrics::{MetricId as Id, MetricSet, StrideRecord};
use crate::model::{
    Activity, Athlete, Contact, DataClass, FootMotion, GapCause, Placement, QualityParts, SegmentKind, SensorConfig,
    SessionTime, Side, Stride, StrideFlags, Vec3,
};
use crate::review::Review;
use crate::store::batch::FIRST_ANALYSIS;
use crate::store::journal::{
    AthleteFacts, Body, CheckIn, ClinicianNote, Consent, Day, Entry, EntryId, FlagAction, FlagActionKind, Ground,
    Journal as _, Purpose, Score, SessionNote, ShoeFacts, Weekly,
};
use crate::store::{
    AthleteId, Batch, Closing, Origin, SensorOutcome, SessionEvent, SessionId, SessionMeta, SqliteStore, Store as _,
    UtcMicros, WallClock,
};

/// The first day, a Monday.
pub(super) const FIRST: Day = Day::from_days(20_514);
/// Runs, one every third day.
pub(super) const RUNS: i32 = 23;
/// The first run in the changed form.
pub(super) const CHANGED: i32 = 17;
/// Seconds of a run.
const WHOLE_S: f64 = 960.0;

/// In every text that says something about the body.
pub(super) const CANARY: &str = "KANARI";

/// What goes into the journal.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Name of the runner.
    pub(super) name: String,
    /// Whether symptoms were entered.
    pub(super) symptoms: bool,
    /// Who was allowed to see them.
    pub(super) allowed: Option<Purpose>,
}

pub(super) fn ada() -> AthleteId {
    AthleteId::parse("ada").expect("id")
}

pub(super) fn day_of(run: i32) -> Day {
    FIRST.plus(3 * run)
}

pub(super) fn session(run: i32) -> SessionId {
    SessionId::parse(&format!("s{run:02}")).expect("id")
}

fn start(day: Day) -> UtcMicros {
    UtcMicros::from_micros((i64::from(day.days()) * 24 + 17) * 3_600_000_000)
}

/// A number between −1 and 1 that looks drawn and is always the same.
fn wobble(a: i32, b: u32) -> f64 {
    let x = (f64::from(a) * 12.9898 + f64::from(b) * 78.233).sin() * 43_758.545_3;
    2.0 * (x - x.floor()) - 1.0
}

fn stride(run: i32, n: u32, side: Side) -> StrideRecord {
    let t = f64::from(n) * 0.72;
    let shift = if side == Side::Left { 0.0 } else { 0.36 };
    let at = |s: f64| SessionTime::from_secs(12.0 + t + shift + s);
    let slow = 2.8 + 0.03 * wobble(run, 1);
    let speed = if t < 0.68 * WHOLE_S { slow } else { slow + 0.5 };
    let faster = speed - 3.0;
    let changed = if run >= CHANGED { 1.0 } else { 0.0 };
    let own = |id: u32| wobble(run, id);
    let here = |id: u32| 0.5 * wobble(run, 1000 * id + n / 25);
    let of = |left: f64, right: f64| if side == Side::Left { left } else { right };
    let mut metrics = MetricSet::default();
    let degree = 0.017_453;
    let values = [
        (Id::Speed, speed),
        (
            Id::Cadence,
            168.0 + 8.0 * faster + 0.8 * own(2) + 0.6 * here(2) - 8.0 * changed,
        ),
        (Id::StrideLength, 2.14 + 0.6 * faster + 0.01 * own(3) + 0.1 * changed),
        (
            Id::ContactTime,
            of(0.246, 0.252) - 0.02 * faster + 0.002 * own(4) + 0.002 * here(4) + 0.006 * changed,
        ),
        (Id::FlightTime, 0.11 + 0.002 * own(5)),
        (
            Id::OverstrideDistance,
            0.085 + of(0.0, 0.006) + 0.004 * own(6) + 0.004 * here(6) + 0.05 * changed,
        ),
        (
            Id::PelvisDrop,
            degree * (of(5.2, 4.1) + 0.3 * own(7) + 0.3 * here(7) + of(0.0, 2.6) * changed),
        ),
        (Id::PelvisTilt, degree * (6.0 + 0.5 * own(8))),
        (Id::PelvisTiltRange, degree * (8.0 + 0.3 * own(9))),
        (Id::PelvisOscillation, 0.084 + 0.002 * own(10) + 0.002 * here(10)),
        (Id::FootStrikeAngle, degree * (14.0 + own(11))),
        (Id::FootStrikeClass, 1.0),
        (Id::MlRmsRatio, 0.24 + 0.008 * own(12)),
    ];
    for (id, value) in values {
        metrics.set(id, Ok(value));
    }
    StrideRecord {
        index: n,
        stride: Stride {
            side: Some(side),
            seen_from: SegmentKind::Foot,
            start: at(0.0),
            end: at(0.72),
            contact: Some(Contact {
                ic: at(-0.1),
                m: at(0.0),
                tc: at(0.14),
            }),
            next_ic: Some(at(0.62)),
            foot: Some(FootMotion {
                displacement: Vec3::new(speed * 0.72, 0.0, 0.0),
                length_sigma_m: 0.02,
                pitch_ic_rad: Some(0.2),
                touchdown_speed: Some(0.6),
                inversion_range_rad: Some(0.1),
                toe_out_rad: Some(0.1),
                heading_rad: 0.0,
                acc_clipped_share: 0.0,
                gyro_clipped_share: 0.0,
                impact_peak: Some((120.0, false)),
                chi2: 3.0,
                linear_difference: 0.01,
                free_slope: 0.0,
            }),
            activity: Activity::Running,
            flags: StrideFlags::default(),
            quality: QualityParts::FULL,
        },
        metrics,
        class: DataClass::A,
    }
}

fn record(store: &SqliteStore, run: i32) {
    let day = day_of(run);
    let places = [Placement::LeftFoot, Placement::RightFoot, Placement::Sacrum];
    let meta = SessionMeta {
        id: session(run),
        athlete: ada(),
        start: start(day),
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Live,
        tz: Some("UTC".to_owned()),
        note: None,
        facts: Athlete::default(),
        sensors: places
            .iter()
            .map(|p| SensorConfig {
                placement: *p,
                rate_hz: 208.0,
                acc_range: None,
                gyro_range: None,
                side_known: true,
            })
            .collect(),
    };
    store.open_session(&meta).expect("open");
    let mut batch = Batch::new(meta.id.clone(), FIRST_ANALYSIS);
    for n in 0..(WHOLE_S / 0.72) as u32 {
        for side in [Side::Left, Side::Right] {
            batch.push_stride(&stride(run, n, side)).expect("a row");
        }
    }
    let at = SessionTime::from_secs;
    let events = [
        SessionEvent::Standing {
            from: at(0.0),
            to: at(10.0),
        },
        SessionEvent::Gap {
            placement: Placement::RightFoot,
            from: at(580.0),
            to: at(582.0 + f64::from(run % 3)),
            missing: 416,
            cause: GapCause::Lost,
        },
    ];
    for event in events {
        batch.push_event(event).expect("an event");
    }
    store.append(batch).expect("append");
    let closing = Closing {
        stop: at(WHOLE_S + 15.0),
        analysis: FIRST_ANALYSIS,
        pipeline_version: "test".to_owned(),
        params: serde_json::json!({}),
        sensors: places
            .iter()
            .map(|p| SensorOutcome {
                placement: *p,
                calibration: None,
                clock_ppm: Some(12.0),
                clock_residual_us: Some(900.0),
            })
            .collect(),
    };
    store.close_session(&meta.id, &closing).expect("close");
}

fn score(n: i32) -> Option<Score> {
    Score::new(n.clamp(0, 10) as u8).ok()
}

fn entries(said: &Said) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut say = |id: String, day: Day, body: Body| {
        all.push(Entry {
            id: EntryId::parse(&id).expect("id"),
            athlete: ada(),
            day,
            at: start(day),
            body,
        });
    };
    let facts = AthleteFacts {
        name: said.name.clone(),
        ..AthleteFacts::default()
    };
    say("athlete".to_owned(), FIRST, Body::Athlete(facts));
    for (id, name) in [("ghost", "Ghost 15"), ("endorph", "Endorph <i>3</i>")] {
        let shoe = ShoeFacts {
            name: name.to_owned(),
            km_before: Some(180.0),
            ..ShoeFacts::default()
        };
        say(id.to_owned(), FIRST, Body::Shoe(shoe));
    }
    for run in 0..RUNS {
        let day = day_of(run);
        let shoe = if run < 14 { "ghost" } else { "endorph" };
        let worst = (run - 13).max(0) / 2;
        let note = SessionNote {
            effort: score(5 + run % 3),
            shoe: EntryId::parse(shoe).ok(),
            ground: Some(Ground::Hard),
            back_before: score(worst / 2).filter(|_| said.symptoms),
            back_worst: score(worst).filter(|_| said.symptoms),
            text: said.symptoms.then(|| CANARY.to_owned()),
            ..SessionNote::default()
        };
        say(session(run).to_string(), day, Body::SessionNote(note));
        if said.symptoms {
            let check = CheckIn {
                back_morning: score(worst - 1),
                soreness: score(4),
                fatigue: score(7),
                safety_answered: true,
                text: Some(CANARY.to_owned()),
                ..CheckIn::default()
            };
            say(format!("m{run}"), day.plus(1), Body::CheckIn(check));
        }
    }
    if said.symptoms {
        let weekly = Weekly {
            left_out: Some(1),
            held_back: score(3),
            goals: [(format!("{CANARY} lift my child"), Score::new(6).expect("score"))].into(),
            ..Weekly::default()
        };
        say("w1".to_owned(), day_of(RUNS - 2), Body::Weekly(weekly));
        let words = ClinicianNote {
            author: "Physio".to_owned(),
            session: None,
            text: format!("{CANARY} tender over the left side"),
        };
        say("c1".to_owned(), day_of(RUNS - 3), Body::ClinicianNote(words));
        let action = FlagAction {
            flag: "SY1".to_owned(),
            action: FlagActionKind::Note,
            actor: "coach".to_owned(),
            note: Some(CANARY.to_owned()),
            until: None,
        };
        say("a1".to_owned(), day_of(RUNS - 1), Body::FlagAction(action));
    }
    if let Some(purpose) = said.allowed {
        let consent = Consent {
            purpose,
            recipient: String::new(),
            given: true,
        };
        say("consent".to_owned(), FIRST, Body::Consent(consent));
    }
    all
}

/// The record.
pub(super) fn record_of(said: &Said) -> (tempfile::TempDir, Review) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = SqliteStore::open(dir.path(), "test").expect("store");
    (0..RUNS).for_each(|run| record(&store, run));
    drop(store);
    let review = Review::open(dir.path(), flag_rules::built_in()).expect("review");
    for entry in entries(said) {
        review.journal().put(&entry, UtcMicros::from_micros(1)).expect("put");
    }
    (dir, review)
}
