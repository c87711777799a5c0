//! What is known of a runner, day by day: sessions with their run values, check-ins, tests, shoes.
//!
//! Days are whole local days counted from 0; the core knows no calendar. A value that nobody entered and no sensor measured
//! is absent, never 0: absent makes a condition false and may make a flag say that it does not know.

use std::collections::BTreeMap;

/// Most days that a history may have: a hundred years.
pub const MOST_DAYS: i32 = 36_525;

/// A history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Its name.
    pub id: String,
    /// Days are 0 to `days` - 1.
    pub days: i32,
    /// Answers given once.
    pub profile: Profile,
    /// Sessions; those of one day in order of time.
    pub sessions: Vec<Session>,
    /// Check-ins, at most one a day.
    pub checkins: Vec<CheckIn>,
    /// Tests of strength and flexibility, in order of time.
    pub tests: Vec<BodyTest>,
    /// Entries about shoes, in order of time.
    pub shoes: Vec<ShoeEntry>,
    /// All references start anew before the runs of these days.
    pub reanchor_days: Vec<i32>,
}

/// Answers given once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Profile {
    /// Earlier episodes of back pain.
    pub prior_lbp_episodes: Option<f64>,
    /// Something that a professional should know of.
    pub medical_history_tick: Option<bool>,
    /// Bone stress or what goes with it; own consent.
    pub bone_stress_tick: Option<bool>,
    /// Whether core work is logged.
    pub logs_core_work: Option<bool>,
}

/// What a session was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionKind {
    /// A run.
    #[default]
    Run,
    /// Another sport.
    Other,
    /// Core work.
    Core,
}

impl SessionKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Run, Self::Other, Self::Core];

    /// Its name in histories.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Other => "other",
            Self::Core => "core",
        }
    }
}

/// Known distance by kind of ground, km.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SurfaceKm {
    /// Concrete, asphalt.
    pub hard: f64,
    /// Trail, grass, sloping edge.
    pub uneven: f64,
    /// Track, treadmill, gravel path.
    pub other: f64,
}

/// A kind of ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Concrete, asphalt.
    Hard,
    /// Trail, grass, sloping edge.
    Uneven,
    /// Track, treadmill, gravel path.
    Other,
}

impl SurfaceKm {
    /// Known distance, km.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.hard + self.uneven + self.other
    }

    /// Distance on one kind of ground, km.
    #[must_use]
    pub fn on(&self, surface: Surface) -> f64 {
        match surface {
            Surface::Hard => self.hard,
            Surface::Uneven => self.uneven,
            Surface::Other => self.other,
        }
    }

    /// Name of the main kind of ground, `unknown` where none is known.
    #[must_use]
    pub fn main(&self) -> &'static str {
        if self.total() <= 0.0 {
            return "unknown";
        }
        // Of equal distances the first counts.
        let mut best = ("hard", self.hard);
        for (name, km) in [("uneven", self.uneven), ("other", self.other)] {
            if km > best.1 {
                best = (name, km);
            }
        }
        best.0
    }
}

/// A session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// Its day.
    pub day: i32,
    /// What it was.
    pub kind: SessionKind,
    /// Distance, km; 0 where it is no run and nobody said.
    pub km: f64,
    /// Duration, minutes.
    pub minutes: Option<f64>,
    /// Effort of the whole session, 0 to 10.
    pub effort: Option<f64>,
    /// Intervals, tempo or race.
    pub quality: Option<bool>,
    /// Easy minutes were done.
    pub warmup: Option<bool>,
    /// Speed of the first five minutes over that of the rest.
    pub first5_speed_ratio: Option<f64>,
    /// Pair worn.
    pub shoe: Option<String>,
    /// Ground.
    pub surface_km: Option<SurfaceKm>,
    /// Steep downhill, km.
    pub downhill_km: Option<f64>,
    /// Back score before, 0 to 10.
    pub back_pre: Option<f64>,
    /// Worst back score in it, 0 to 10.
    pub back_worst: Option<f64>,
    /// Back pain began suddenly.
    pub sudden_onset: Option<bool>,
    /// Ended because of the back.
    pub stopped_for_back: Option<bool>,
    /// Median speed of the windows used, m/s.
    pub speed_ms: Option<f64>,
    /// Level, steady windows.
    pub level_windows: Option<u32>,
    /// Run values by name, in the units of the rule file.
    pub metrics: BTreeMap<String, f64>,
    /// Changes late in the run by marker.
    pub drift: BTreeMap<String, f64>,
}

impl Session {
    /// The higher of the scores before and in it.
    #[must_use]
    pub fn back_score(&self) -> Option<f64> {
        [self.back_pre, self.back_worst].into_iter().flatten().reduce(f64::max)
    }
}

/// A check-in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckIn {
    /// Its day.
    pub day: i32,
    /// Back score on a day without a run, 0 to 10.
    pub back_now: Option<f64>,
    /// Back score in the morning, 0 to 10.
    pub back_morning: Option<f64>,
    /// Tiredness, 0 to 10.
    pub fatigue: Option<f64>,
    /// Quality of sleep, 0 to 10.
    pub sleep_quality: Option<f64>,
    /// Muscle soreness, 0 to 10.
    pub soreness: Option<f64>,
    /// Ticks of the safety row.
    pub ticks: Vec<String>,
    /// The safety row was answered.
    pub safety_answered: bool,
    /// A professional looked at it on this day.
    pub seen_by_professional: bool,
}

impl CheckIn {
    /// Whether the safety row was answered: a tick is an answer.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.safety_answered || !self.ticks.is_empty()
    }

    /// Whether this was ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        self.ticks.iter().any(|t| t == name)
    }
}

/// A test of strength or flexibility.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BodyTest {
    /// Its day.
    pub day: i32,
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
}

/// An entry about a pair of shoes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShoeEntry {
    /// Its day.
    pub day: i32,
    /// The pair.
    pub shoe: String,
    /// Distance of the pair when it was added, km.
    pub shoe_km_before: Option<f64>,
    /// Comfort, 0 to 10.
    pub comfort: Option<f64>,
    /// Heels unevenly worn.
    pub uneven_heel: Option<bool>,
}
