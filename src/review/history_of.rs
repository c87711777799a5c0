//! Sessions and journal of one athlete laid out by day, as the flags read them.
//!
//! What people say is merged with what was measured: a note belongs to its session, an activity from a watch that covers a
//! recorded run is that run, several check-ins of a day become one. Nothing is guessed: what nobody said stays absent, and
//! what cannot be placed is left out with the reason, to be shown.

use super::local_day::LocalDays;
use super::run_values::RunSummary;
use crate::risk::History;
use crate::risk::history::{self as told, MOST_DAYS, SessionKind, SurfaceKm};
use crate::store::journal::{
    Activity, ActivityKind, AthleteFacts, Body, CheckIn, Consent, Day, Entry, EntryId, FlagAction, Ground, GroundKm,
    Onset, Purpose, Score, SessionNote, ShoeFacts, Weekly,
};
use crate::store::{AthleteId, Origin, SessionId, SessionRow, SessionState, UtcMicros, WallClock};
use std::collections::BTreeMap;

/// The tick that a yes to "ordinary things were hard" sets.
const DAILY_LIFE_TICK: &str = "daily_life_limited";
/// An activity and a recorded run are one when this share of the shorter overlaps.
const SAME_RUN: f64 = 0.5;

/// Something that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// Session or entry.
    pub what: String,
    /// Its day.
    pub day: Day,
    /// Why, in words.
    pub why: String,
}

/// A session that counts: recorded, or told of.
#[derive(Clone, Debug)]
pub struct PastSession {
    /// Its local day.
    pub day: Day,
    /// Its begin.
    pub start: UtcMicros,
    /// What it was.
    pub kind: SessionKind,
    /// The recorded session.
    pub row: Option<SessionRow>,
    /// What it amounts to.
    pub run: Option<RunSummary>,
    /// The entry of a run made without lope.
    pub activity: Option<EntryId>,
    /// What the runner says about it.
    pub note: SessionNote,
    /// Distance, km.
    pub km: Option<f64>,
    /// Duration, minutes.
    pub minutes: Option<f64>,
    /// Whether the runner wants it out of the usual and of trends.
    pub left_out: bool,
}

impl PastSession {
    /// The recorded session's id.
    #[must_use]
    pub fn id(&self) -> Option<&SessionId> {
        self.row.as_ref().map(|r| &r.meta.id)
    }

    /// Whether the pain before or in it keeps it out of the usual.
    #[must_use]
    pub fn sore(&self, limit: f64) -> bool {
        let scores = [self.note.back_before, self.note.back_worst];
        scores.into_iter().flatten().any(|s| f64::from(s.get()) >= limit)
    }
}

/// Everything known of an athlete up to a day.
#[derive(Clone, Debug)]
pub struct Past {
    /// Who.
    pub athlete: AthleteId,
    /// The last day looked at.
    pub today: Day,
    /// Day 0 of the history.
    pub first: Day,
    /// Who the athlete is.
    pub facts: AthleteFacts,
    /// What they allow, in order.
    pub consents: Vec<(Day, Consent)>,
    /// What was done about flags, in order.
    pub actions: Vec<(Day, FlagAction)>,
    /// Their shoes.
    pub shoes: BTreeMap<EntryId, ShoeFacts>,
    /// Days on which the usual is learned anew.
    pub restarts: Vec<Day>,
    /// Sessions that count, in the order of `history.sessions`.
    pub sessions: Vec<PastSession>,
    /// All recorded sessions with their local day and note, those that do not count too.
    pub recorded: Vec<Recorded>,
    /// What the flags read.
    pub history: History,
    /// What does not count, and why.
    pub left_out: Vec<LeftOut>,
}

/// A recorded session.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// It.
    pub row: SessionRow,
    /// Its local day.
    pub day: Day,
    /// What the runner says about it.
    pub note: Option<SessionNote>,
    /// What it amounts to; `None` while it is open.
    pub run: Option<RunSummary>,
}

impl Past {
    /// Lays out what is known up to `today`.
    #[must_use]
    pub fn new(
        athlete: AthleteId,
        rows: Vec<SessionRow>,
        mut runs: BTreeMap<SessionId, RunSummary>,
        entries: Vec<Entry>,
        today: Day,
    ) -> Self {
        let mut build = Build::new(today);
        let mut notes: BTreeMap<String, SessionNote> = BTreeMap::new();
        let mut activities: Vec<(Entry, Activity)> = Vec::new();
        for entry in entries {
            match &entry.body {
                Body::SessionNote(note) => drop(notes.insert(entry.id.to_string(), note.clone())),
                Body::Activity(activity) if entry.day <= today => {
                    let activity = activity.clone();
                    activities.push((entry, activity));
                }
                _ => build.entry(entry),
            }
        }
        let mut days = LocalDays::default();
        for row in rows {
            let recorded = Recorded {
                day: days.of(&row.meta),
                note: notes.get(row.meta.id.as_str()).cloned(),
                run: runs.remove(&row.meta.id),
                row,
            };
            build.recorded(&recorded, &mut activities);
            build.all.push(recorded);
        }
        for (entry, activity) in activities {
            build.activity(entry, activity);
        }
        build.finish(athlete)
    }

    /// The day of the history that a calendar day is.
    #[must_use]
    pub fn index(&self, day: Day) -> i32 {
        day.days() - self.first.days()
    }

    /// The calendar day that a day of the history is.
    #[must_use]
    pub fn day(&self, index: i32) -> Day {
        self.first.plus(index)
    }

    /// The runs in the order in which the flag engine numbers them.
    pub fn runs(&self) -> impl Iterator<Item = &PastSession> {
        self.sessions.iter().filter(|s| s.kind == SessionKind::Run)
    }

    /// Runs with sensors that may enter the usual: comparable and not left out by the runner.
    pub fn comparable(&self) -> impl Iterator<Item = (&PastSession, &RunSummary)> {
        self.runs()
            .filter(|s| !s.left_out)
            .filter_map(|s| Some((s, s.run.as_ref()?)))
            .filter(|(_, r)| r.values.eligible)
    }

    /// Whether something is allowed to somebody: the latest word counts, one for everybody with that role for all of them.
    #[must_use]
    pub fn allows(&self, purpose: Purpose, recipient: &str) -> Option<bool> {
        let about = |c: &Consent| c.purpose == purpose && (c.recipient == recipient || c.recipient.is_empty());
        self.consents.iter().rev().find(|(_, c)| about(c)).map(|(_, c)| c.given)
    }

    /// Name as shown; the id where there is none.
    #[must_use]
    pub fn name(&self) -> String {
        if self.facts.name.is_empty() {
            self.athlete.to_string()
        } else {
            self.facts.name.clone()
        }
    }
}

/// A past in the making.
struct Build {
    today: Day,
    facts: AthleteFacts,
    consents: Vec<(Day, Consent)>,
    actions: Vec<(Day, FlagAction)>,
    shoes: BTreeMap<EntryId, ShoeFacts>,
    shoe_entries: Vec<(Day, told::ShoeEntry)>,
    tests: Vec<(Day, told::BodyTest)>,
    checkins: BTreeMap<Day, told::CheckIn>,
    restarts: Vec<Day>,
    sessions: Vec<PastSession>,
    all: Vec<Recorded>,
    left_out: Vec<LeftOut>,
}

fn number(score: Option<Score>) -> Option<f64> {
    score.map(|s| f64::from(s.get()))
}

fn higher(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    [a, b].into_iter().flatten().reduce(f64::max)
}

impl Build {
    fn new(today: Day) -> Self {
        Self {
            today,
            facts: AthleteFacts::default(),
            consents: Vec::new(),
            actions: Vec::new(),
            shoes: BTreeMap::new(),
            shoe_entries: Vec::new(),
            tests: Vec::new(),
            checkins: BTreeMap::new(),
            restarts: Vec::new(),
            sessions: Vec::new(),
            all: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// An entry that is no session. Who somebody is and what they allow counts whatever its day.
    fn entry(&mut self, entry: Entry) {
        let day = entry.day;
        match entry.body {
            Body::Athlete(facts) => self.facts = facts,
            Body::Consent(consent) => self.consents.push((day, consent)),
            Body::FlagAction(action) => self.actions.push((day, action)),
            _ if day > self.today => {}
            Body::Shoe(facts) => {
                let entered = told::ShoeEntry {
                    shoe: entry.id.to_string(),
                    shoe_km_before: facts.km_before,
                    ..told::ShoeEntry::default()
                };
                self.shoe_entries.push((day, entered));
                self.shoes.insert(entry.id, facts);
            }
            Body::ShoeCheck(check) => self.shoe_entries.push((
                day,
                told::ShoeEntry {
                    shoe: check.shoe.to_string(),
                    comfort: number(check.comfort),
                    uneven_heel: check.uneven_heel,
                    ..told::ShoeEntry::default()
                },
            )),
            Body::CheckIn(checkin) => self.checkin(day, &checkin),
            Body::Weekly(weekly) => self.weekly(day, &weekly),
            Body::BodyTest(t) => self.tests.push((
                day,
                told::BodyTest {
                    day: 0,
                    hip_above_deg: t.hip_above_deg,
                    knee_ext_deficit_deg: t.knee_ext_deficit_deg,
                    self_test_tight: t.self_test_tight,
                    side_plank_left_s: t.side_plank_left_s,
                    side_plank_right_s: t.side_plank_right_s,
                },
            )),
            Body::Restart(_) => self.restarts.push(day),
            // Sessions come another way; a professional's words are for people.
            // Verdicts on strides are heard where the strides are read.
            Body::Activity(_) | Body::SessionNote(_) | Body::ClinicianNote(_) | Body::StrideVerdict(_) => {}
        }
    }

    /// Several check-ins of a day are one: the highest back score, the last answer otherwise, all ticks.
    fn checkin(&mut self, day: Day, c: &CheckIn) {
        let one = self.checkins.entry(day).or_default();
        one.back_now = higher(one.back_now, number(c.back_now));
        one.back_morning = higher(one.back_morning, number(c.back_morning));
        one.fatigue = number(c.fatigue).or(one.fatigue);
        one.sleep_quality = number(c.sleep_quality).or(one.sleep_quality);
        one.soreness = number(c.soreness).or(one.soreness);
        one.safety_answered |= c.safety_answered;
        one.seen_by_professional |= c.seen_by_professional;
        let new = c.ticks.iter().filter(|t| !one.ticks.contains(t));
        let new: Vec<String> = new.cloned().collect();
        one.ticks.extend(new);
    }

    fn weekly(&mut self, day: Day, w: &Weekly) {
        if w.daily_life_hard == Some(true) {
            let one = self.checkins.entry(day).or_default();
            if !one.ticks.iter().any(|t| t == DAILY_LIFE_TICK) {
                one.ticks.push(DAILY_LIFE_TICK.to_owned());
            }
        }
    }

    fn leave_out(&mut self, what: impl Into<String>, day: Day, why: &str) {
        self.left_out.push(LeftOut {
            what: what.into(),
            day,
            why: why.to_owned(),
        });
    }

    fn recorded(&mut self, r: &Recorded, activities: &mut Vec<(Entry, Activity)>) {
        let what = format!("session {}", r.row.meta.id);
        let why = match (&r.run, r.row.meta.wall_clock) {
            (_, WallClock::Assumed) if r.row.meta.origin == Origin::Demo => {
                Some("nobody ran it: it is a demonstration")
            }
            (_, WallClock::Assumed) => Some("the recording does not say when it was made"),
            _ if r.day > self.today => return,
            _ if r.row.state == SessionState::Open => Some("it is still being recorded"),
            (None, _) => Some("what it amounts to is not known"),
            (Some(run), _) if run.strides == 0 => Some("no stride was seen in it"),
            _ => None,
        };
        if let Some(why) = why {
            self.leave_out(what, r.day, why);
            return;
        }
        let Some(run) = r.run.clone() else { return };
        let mut note = r.note.clone().unwrap_or_default();
        let same = activities.iter().position(|(e, a)| same_run(&r.row, e, a));
        let watch = same.map(|i| activities.remove(i));
        let (mut watch_km, mut watch_down) = (None, None);
        if let Some((entry, a)) = watch {
            self.leave_out(
                format!("activity {}", entry.id),
                entry.day,
                &format!("it is the run that {what} recorded"),
            );
            note = filled(note, &a.note);
            (watch_km, watch_down) = (a.km, a.downhill_km);
        }
        let mut run = run;
        run.values.downhill_km = run.values.downhill_km.or(watch_down);
        let km = note.km.or(run.values.distance_km).or(watch_km);
        let kind = if run.run_s > 0.0 {
            SessionKind::Run
        } else {
            SessionKind::Other
        };
        self.push(PastSession {
            day: r.day,
            start: r.row.meta.start,
            kind,
            left_out: note.left_out,
            minutes: run.values.minutes,
            row: Some(r.row.clone()),
            run: Some(run),
            activity: None,
            note,
            km,
        });
    }

    fn activity(&mut self, entry: Entry, a: Activity) {
        let kind = match a.activity {
            ActivityKind::Run => SessionKind::Run,
            ActivityKind::Other => SessionKind::Other,
            ActivityKind::Core => SessionKind::Core,
        };
        let empty = RunSummary::told(a.first5_speed_ratio, a.downhill_km);
        self.push(PastSession {
            day: entry.day,
            start: entry.at,
            kind,
            left_out: a.note.left_out,
            km: a.note.km.or(a.km),
            minutes: a.minutes,
            row: None,
            run: empty,
            activity: Some(entry.id),
            note: a.note,
        });
    }

    /// A run whose distance nobody knows is training, but no distance: 0 km would be a lie.
    fn push(&mut self, mut s: PastSession) {
        if s.kind == SessionKind::Run && s.km.is_none() {
            let what = s.id().map_or_else(
                || format!("activity {}", s.activity.as_ref().map_or("", EntryId::as_str)),
                |id| format!("session {id}"),
            );
            self.leave_out(
                what,
                s.day,
                "its distance is not known: it counts as training, not as a run",
            );
            s.kind = SessionKind::Other;
            let score = higher(number(s.note.back_before), number(s.note.back_worst));
            if score.is_some() {
                let one = self.checkins.entry(s.day).or_default();
                one.back_now = higher(one.back_now, score);
            }
        }
        self.sessions.push(s);
    }

    fn finish(mut self, athlete: AthleteId) -> Past {
        self.sessions.sort_by_key(|s| (s.day, s.start));
        let days = self.sessions.iter().map(|s| s.day);
        let days = days
            .chain(self.checkins.keys().copied())
            .chain(self.restarts.iter().copied());
        let days = days
            .chain(self.tests.iter().map(|t| t.0))
            .chain(self.shoe_entries.iter().map(|s| s.0));
        let first = days
            .min()
            .unwrap_or(self.today)
            .max(self.today.plus(1 - MOST_DAYS))
            .min(self.today);
        let at = |day: Day| day.days() - first.days();
        let symptoms = self.allowed(Purpose::Symptoms) != Some(false);
        if !symptoms {
            self.leave_out("symptoms", self.today, "consent to keep them was withdrawn");
        }
        let bones = self.allowed(Purpose::BoneStress) == Some(true);
        let mut history = History {
            id: athlete.to_string(),
            days: at(self.today) + 1,
            profile: told::Profile {
                prior_lbp_episodes: self.facts.prior_lbp_episodes.map(f64::from),
                medical_history_tick: self.facts.medical_history,
                bone_stress_tick: self.facts.bone_stress.filter(|_| bones),
                logs_core_work: self.facts.logs_core_work,
            },
            sessions: self.sessions.iter().map(|s| session(s, at(s.day))).collect(),
            checkins: self
                .checkins
                .iter()
                .map(|(day, c)| told::CheckIn {
                    day: at(*day),
                    ..c.clone()
                })
                .collect(),
            tests: self
                .tests
                .iter()
                .map(|(day, t)| told::BodyTest { day: at(*day), ..*t })
                .collect(),
            shoes: self
                .shoe_entries
                .iter()
                .map(|(d, s)| told::ShoeEntry {
                    day: at(*d),
                    ..s.clone()
                })
                .collect(),
            reanchor_days: self.restarts.iter().map(|d| at(*d)).collect(),
        };
        history.checkins.retain(|c| c.day >= 0);
        history.tests.retain(|t| t.day >= 0);
        if !symptoms {
            history = super::sight::without_symptoms(&history);
        }
        Past {
            athlete,
            today: self.today,
            first,
            facts: self.facts,
            consents: self.consents,
            actions: self.actions,
            shoes: self.shoes,
            restarts: self.restarts,
            sessions: self.sessions,
            recorded: self.all,
            history,
            left_out: self.left_out,
        }
    }

    fn allowed(&self, purpose: Purpose) -> Option<bool> {
        self.consents
            .iter()
            .rev()
            .find(|(_, c)| c.purpose == purpose)
            .map(|(_, c)| c.given)
    }
}

/// Whether an activity covers a recorded session.
fn same_run(row: &SessionRow, entry: &Entry, a: &Activity) -> bool {
    let minutes = a.minutes.unwrap_or(0.0);
    let (from, stop) = (
        entry.at.micros() as f64 / 1e6,
        entry.at.micros() as f64 / 1e6 + 60.0 * minutes,
    );
    let start = row.meta.start.micros() as f64 / 1e6;
    let end = start + row.stop.map_or(0.0, |t| t.secs());
    let shorter = (stop - from).min(end - start);
    a.activity == ActivityKind::Run && shorter > 0.0 && stop.min(end) - from.max(start) >= SAME_RUN * shorter
}

/// A note with what it leaves open taken from another.
fn filled(note: SessionNote, from: &SessionNote) -> SessionNote {
    let from = from.clone();
    SessionNote {
        run_kind: note.run_kind.or(from.run_kind),
        effort: note.effort.or(from.effort),
        warmup: note.warmup.or(from.warmup),
        shoe: note.shoe.or(from.shoe),
        ground: note.ground.or(from.ground),
        ground_km: note.ground_km.or(from.ground_km),
        back_before: note.back_before.or(from.back_before),
        back_worst: note.back_worst.or(from.back_worst),
        onset: note.onset.or(from.onset),
        onset_minute: note.onset_minute.or(from.onset_minute),
        stopped_for_back: note.stopped_for_back.or(from.stopped_for_back),
        eased_for_back: note.eased_for_back.or(from.eased_for_back),
        km: note.km.or(from.km),
        left_out: note.left_out || from.left_out,
        text: note.text.or(from.text),
    }
}

/// Distance by ground: as told, or all of it on the main one.
fn surface(note: &SessionNote, km: Option<f64>) -> Option<SurfaceKm> {
    let told = note.ground_km.or_else(|| Some(GroundKm::all_on(note.ground?, km?)))?;
    Some(SurfaceKm {
        hard: told.hard,
        uneven: told.uneven,
        other: told.other,
    })
}

/// The main ground of a session, where known.
#[must_use]
pub fn main_ground(s: &PastSession) -> Option<Ground> {
    s.note.ground.or_else(|| match surface(&s.note, s.km)?.main() {
        "hard" => Some(Ground::Hard),
        "uneven" => Some(Ground::Uneven),
        "other" => Some(Ground::Other),
        _ => None,
    })
}

fn session(s: &PastSession, day: i32) -> told::Session {
    let values = s.run.as_ref().map(|r| &r.values);
    // Left out of the usual by the runner: the distance was run all the same.
    let compared = values.filter(|_| !s.left_out);
    told::Session {
        day,
        kind: s.kind,
        km: s.km.filter(|_| s.kind == SessionKind::Run).unwrap_or(0.0),
        minutes: s.minutes,
        effort: number(s.note.effort),
        quality: s.note.run_kind.map(|k| k.quality()),
        warmup: s.note.warmup,
        first5_speed_ratio: values.and_then(|v| v.first5_speed_ratio),
        shoe: s.note.shoe.as_ref().map(EntryId::to_string),
        surface_km: surface(&s.note, s.km),
        downhill_km: values.and_then(|v| v.downhill_km),
        back_pre: number(s.note.back_before),
        back_worst: number(s.note.back_worst),
        sudden_onset: s.note.onset.map(|o| o == Onset::Sudden),
        stopped_for_back: s.note.stopped_for_back,
        speed_ms: compared.and_then(|v| v.speed_ms),
        level_windows: compared.filter(|_| s.row.is_some()).map(|v| v.level_windows),
        metrics: compared.map(|v| v.metrics.clone()).unwrap_or_default(),
        drift: compared.and_then(|v| v.drift.clone()).unwrap_or_default(),
    }
}
