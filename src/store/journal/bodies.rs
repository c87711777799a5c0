//! What the kinds of entries say, field by field, in the units of the rule file: km, minutes, degrees, seconds, 0 to 10.

use super::entry::{EntryId, Score};
use crate::store::ids::SessionId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest text anybody writes, characters.
const TEXT_MAX: usize = 4000;

/// The complaint about a text that is too long.
pub(super) fn too_long(what: &str, text: &str) -> Option<String> {
    let n = text.chars().count();
    (n > TEXT_MAX).then(|| format!("{what} has {n} characters; up to {TEXT_MAX} are kept"))
}

/// The complaint about a number outside `least..=most`.
fn outside(what: &str, value: Option<f64>, least: f64, most: f64) -> Option<String> {
    let value = value?;
    let inside = value.is_finite() && (least..=most).contains(&value);
    (!inside).then(|| format!("{what} is {value}; it must lie between {least} and {most}"))
}

/// Sex, where a formula or a published context needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Sex {
    Female,
    Male,
    Other,
}

/// Who an athlete is, and what was answered once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AthleteFacts {
    /// Name as shown; stays on this machine.
    pub name: String,
    /// Standing height, m.
    pub height_m: Option<f64>,
    /// Body mass, kg.
    pub mass_kg: Option<f64>,
    /// Height of the greater trochanter above the floor, m.
    pub leg_length_m: Option<f64>,
    /// Year of birth.
    pub birth_year: Option<u16>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Groups the athlete belongs to, for rosters.
    pub groups: Vec<String>,
    /// Earlier episodes of back pain that changed a day: 0, 1, 2, 3 for more.
    pub prior_lbp_episodes: Option<u8>,
    /// An earlier injury or condition that a professional should know of; `None` is not asked or rather not said.
    pub medical_history: Option<bool>,
    /// Bone stress or what goes with it; own consent.
    pub bone_stress: Option<bool>,
    /// Whether core work is logged.
    pub logs_core_work: Option<bool>,
}

impl AthleteFacts {
    pub(super) fn problem(&self) -> Option<String> {
        too_long("the name", &self.name)
            .or_else(|| outside("height_m", self.height_m, 0.5, 2.6))
            .or_else(|| outside("mass_kg", self.mass_kg, 15.0, 350.0))
            .or_else(|| outside("leg_length_m", self.leg_length_m, 0.2, 1.6))
            .or_else(|| outside("birth_year", self.birth_year.map(f64::from), 1900.0, 2099.0))
    }
}

/// A pair of shoes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShoeFacts {
    /// Name as shown.
    pub name: String,
    /// Distance on it when it was added, km.
    pub km_before: Option<f64>,
    /// The day it was retired.
    pub retired: Option<super::Day>,
    /// Remarks.
    pub note: Option<String>,
}

impl ShoeFacts {
    pub(super) fn problem(&self) -> Option<String> {
        too_long("the name", &self.name).or_else(|| outside("km_before", self.km_before, 0.0, 20_000.0))
    }
}

/// How a pair feels and looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShoeCheck {
    /// The pair.
    pub shoe: EntryId,
    /// Comfort.
    #[serde(default)]
    pub comfort: Option<Score>,
    /// One heel is clearly more worn than the other.
    #[serde(default)]
    pub uneven_heel: Option<bool>,
}

/// What kind of thing was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// A run.
    #[default]
    Run,
    /// Another sport.
    Other,
    /// Core work.
    Core,
}

/// Where an activity is known from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivitySource {
    /// Typed in.
    #[default]
    Typed,
    /// Read from a file; the SHA-256 of its bytes.
    File {
        /// `fit`, `gpx` or `tcx`.
        format: String,
        /// Lower-case hexadecimal.
        sha256: String,
    },
}

/// What a run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words say it")]
pub enum RunKind {
    Easy,
    Long,
    Intervals,
    Tempo,
    Race,
}

impl RunKind {
    /// Whether it counts as a quality session: intervals, tempo or race.
    #[must_use]
    pub fn quality(self) -> bool {
        matches!(self, Self::Intervals | Self::Tempo | Self::Race)
    }
}

/// A kind of ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Concrete, asphalt.
    Hard,
    /// Trail, grass, sloping edge.
    Uneven,
    /// Track, treadmill, gravel path.
    Other,
}

/// Known distance by kind of ground, km.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroundKm {
    /// Concrete, asphalt.
    pub hard: f64,
    /// Trail, grass, sloping edge.
    pub uneven: f64,
    /// Track, treadmill, gravel path.
    pub other: f64,
}

impl GroundKm {
    /// All of `km` on one kind of ground.
    #[must_use]
    pub fn all_on(ground: Ground, km: f64) -> Self {
        let mut all = Self::default();
        match ground {
            Ground::Hard => all.hard = km,
            Ground::Uneven => all.uneven = km,
            Ground::Other => all.other = km,
        }
        all
    }

    fn problem(self) -> Option<String> {
        outside("ground hard", Some(self.hard), 0.0, 1000.0)
            .or_else(|| outside("ground uneven", Some(self.uneven), 0.0, 1000.0))
            .or_else(|| outside("ground other", Some(self.other), 0.0, 1000.0))
    }
}

/// How pain came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Onset {
    /// It did not.
    No,
    /// Bit by bit.
    Gradual,
    /// Suddenly.
    Sudden,
}

/// What a runner says about one run, whether lope recorded it or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionNote {
    /// What it was for.
    pub run_kind: Option<RunKind>,
    /// Effort of the whole session.
    pub effort: Option<Score>,
    /// Easy minutes were done before the main part.
    pub warmup: Option<bool>,
    /// Pair worn.
    pub shoe: Option<EntryId>,
    /// Main ground; all of the distance counts for it unless `ground_km` says more.
    pub ground: Option<Ground>,
    /// Distance by kind of ground.
    pub ground_km: Option<GroundKm>,
    /// Back score before.
    pub back_before: Option<Score>,
    /// Worst back score in it.
    pub back_worst: Option<Score>,
    /// How it came on.
    pub onset: Option<Onset>,
    /// Minute at which it came on, where it came bit by bit.
    pub onset_minute: Option<u16>,
    /// Ended because of the back.
    pub stopped_for_back: Option<bool>,
    /// Run easier than meant because of the back, to its end. No flag asks for it; it is there for who reads the day.
    pub eased_for_back: Option<bool>,
    /// Distance, km, where the runner knows better than the sensors (a measured course, a treadmill's display).
    pub km: Option<f64>,
    /// Left out of the usual and of trends, with the reason in `text`.
    pub left_out: bool,
    /// Free words.
    pub text: Option<String>,
}

impl SessionNote {
    pub(super) fn problem(&self) -> Option<String> {
        self.text
            .as_deref()
            .and_then(|t| too_long("the note", t))
            .or_else(|| outside("km", self.km, 0.0, 1000.0))
            .or_else(|| self.ground_km.and_then(GroundKm::problem))
    }
}

/// A run made without lope, another sport, core work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Activity {
    /// What it was.
    pub activity: ActivityKind,
    /// Distance, km.
    pub km: Option<f64>,
    /// Duration, minutes.
    pub minutes: Option<f64>,
    /// Mean heart rate, beats a minute.
    pub heart_rate: Option<f64>,
    /// Mean cadence, steps a minute.
    pub cadence: Option<f64>,
    /// Climb, m.
    pub ascent_m: Option<f64>,
    /// Distance at a grade below −5 %, km.
    pub downhill_km: Option<f64>,
    /// Speed of the first five minutes over that of the rest.
    pub first5_speed_ratio: Option<f64>,
    /// What the runner says about it.
    pub note: SessionNote,
    /// Where it is known from.
    pub source: ActivitySource,
}

impl Activity {
    pub(super) fn problem(&self) -> Option<String> {
        outside("km", self.km, 0.0, 1000.0)
            .or_else(|| outside("minutes", self.minutes, 0.0, 6000.0))
            .or_else(|| outside("heart_rate", self.heart_rate, 20.0, 260.0))
            .or_else(|| outside("cadence", self.cadence, 0.0, 400.0))
            .or_else(|| outside("downhill_km", self.downhill_km, 0.0, 1000.0))
            .or_else(|| outside("first5_speed_ratio", self.first5_speed_ratio, 0.0, 10.0))
            .or_else(|| self.note.problem())
    }
}

/// Answers of a day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckIn {
    /// Back score now, on a day without a run.
    pub back_now: Option<Score>,
    /// Back score in the morning after a run.
    pub back_morning: Option<Score>,
    /// Where it hurts: names of places on the body map (`low_back_left`, `low_back_centre`, …).
    pub places: Vec<String>,
    /// Tiredness.
    pub fatigue: Option<Score>,
    /// Quality of sleep.
    pub sleep_quality: Option<Score>,
    /// Hours slept.
    pub sleep_hours: Option<f64>,
    /// Muscle soreness.
    pub soreness: Option<Score>,
    /// Stiffness of the back.
    pub stiffness: Option<Score>,
    /// Ticks of the safety row, by their ids in the rule file.
    pub ticks: Vec<String>,
    /// The safety row was answered, with ticks or with "nothing new".
    pub safety_answered: bool,
    /// A professional looked at it on this day.
    pub seen_by_professional: bool,
    /// A rest day on purpose.
    pub rest_day: bool,
    /// Free words.
    pub text: Option<String>,
}

impl CheckIn {
    pub(super) fn problem(&self) -> Option<String> {
        let names = self.ticks.iter().chain(&self.places);
        let odd = names.into_iter().find(|t| {
            t.is_empty()
                || t.len() > 40
                || !t
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        });
        odd.map(|t| format!("{t:?} is no name of a tick or place"))
            .or_else(|| outside("sleep_hours", self.sleep_hours, 0.0, 24.0))
            .or_else(|| self.text.as_deref().and_then(|t| too_long("the note", t)))
    }
}

/// Answers of a week.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weekly {
    /// Planned runs left out because of the back.
    pub left_out: Option<u8>,
    /// Runs slowed or cut short because of it.
    pub cut_short: Option<u8>,
    /// How much the back held the running back.
    pub held_back: Option<Score>,
    /// Up to three things to do freely, each with how well it went.
    pub goals: BTreeMap<String, Score>,
    /// Ordinary things were hard; sets the tick `daily_life_limited` of that day.
    pub daily_life_hard: Option<bool>,
}

impl Weekly {
    pub(super) fn problem(&self) -> Option<String> {
        let n = self.goals.len();
        (n > 3)
            .then(|| format!("{n} goals; up to three are kept"))
            .or_else(|| self.goals.keys().find_map(|g| too_long("a goal", g)))
    }
}

/// A test of strength or flexibility.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BodyTest {
    /// Thigh above horizontal on the hip-front test, degrees.
    pub hip_above_deg: Option<f64>,
    /// Passive knee extension lag, degrees.
    pub knee_ext_deficit_deg: Option<f64>,
    /// The picture guide says tight.
    pub self_test_tight: Option<bool>,
    /// Side plank, left, s.
    pub side_plank_left_s: Option<f64>,
    /// Side plank, right, s.
    pub side_plank_right_s: Option<f64>,
    /// Scores of questionnaires filled in elsewhere.
    pub scores: Vec<QuestionnaireScore>,
}

/// A score of a questionnaire filled in elsewhere: a plain number, whose meaning lope does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionnaireScore {
    /// Name of the questionnaire.
    pub name: String,
    /// Its score.
    pub value: f64,
}

impl BodyTest {
    pub(super) fn problem(&self) -> Option<String> {
        outside("hip_above_deg", self.hip_above_deg, -60.0, 60.0)
            .or_else(|| outside("knee_ext_deficit_deg", self.knee_ext_deficit_deg, -20.0, 110.0))
            .or_else(|| outside("side_plank_left_s", self.side_plank_left_s, 0.0, 3600.0))
            .or_else(|| outside("side_plank_right_s", self.side_plank_right_s, 0.0, 3600.0))
            .or_else(|| {
                self.scores
                    .iter()
                    .find_map(|s| outside(&s.name, Some(s.value), -1e6, 1e6))
            })
            .or_else(|| self.scores.iter().find_map(|s| too_long("the name", &s.name)))
    }
}

/// A professional's words, about the athlete or one session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClinicianNote {
    /// Who wrote it.
    pub author: String,
    /// The session it is about.
    pub session: Option<SessionId>,
    /// What it says.
    pub text: String,
}

/// From this day on the usual is learned anew: a new mount, a new sensor, a break, a wanted change of form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Restart {
    /// Why.
    pub reason: String,
}

/// What something may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Symptoms are kept at all.
    Symptoms,
    /// A coach may see symptoms.
    Coach,
    /// A therapist may see everything about the athlete.
    Therapist,
    /// Symptom flags may be copied to a sink.
    Sink,
    /// The profile's question about bones.
    BoneStress,
}

/// Who may see what. The latest entry of a (purpose, recipient) counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// For what.
    pub purpose: Purpose,
    /// For whom: the name of a token's holder or of a sink; empty for everybody with that role.
    #[serde(default)]
    pub recipient: String,
    /// Given or withdrawn.
    pub given: bool,
}

/// What was done about a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagActionKind {
    /// Seen.
    Acknowledge,
    /// A remark.
    Note,
    /// The runner was asked.
    AskRunner,
    /// Not to be shown in the inbox until the day of [`FlagAction::until`].
    Mute,
    /// Handed to a therapist.
    HandToTherapist,
}

/// What somebody did about a flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagAction {
    /// The flag (`FS1`).
    pub flag: String,
    /// What was done.
    pub action: FlagActionKind,
    /// By whom.
    pub actor: String,
    /// In words.
    #[serde(default)]
    pub note: Option<String>,
    /// Until when, for [`FlagActionKind::Mute`].
    #[serde(default)]
    pub until: Option<super::Day>,
}
