//! One metric over weeks, at matched speed.

use super::load::LoadWeek;
use super::words::{DataWord, LevelWord, ReferenceWord, VerdictWord};
use crate::store::journal::{Day, EntryId, Ground};
use crate::store::{AthleteId, SessionId};
use serde::Serialize;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct TrendPoint {
    /// The session.
    pub session: SessionId,
    /// Local day.
    pub day: Day,
    /// Begin, µs UTC since 1970.
    pub start_us: i64,
    /// Value at the reference speed; of a run outside the comparable speeds, as it was measured.
    pub value: Option<f64>,
    /// Whether the run can be compared at the reference speed.
    pub at_speed: bool,
    /// Standard error of the run's value, from its windows.
    pub sigma: Option<f64>,
    /// How good the data are.
    pub data: DataWord,
    /// Pair worn.
    pub shoe: Option<EntryId>,
    /// Main ground.
    #[cfg_attr(feature = "serve", schema(value_type = Option<String>))]
    pub ground: Option<Ground>,
    /// Whether the run belongs to the reference.
    pub runs_in_reference: bool,
    /// Why it does not count, or has no value.
    pub why_not: Option<String>,
}

/// The own usual at the reference speed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct OwnBand {
    /// Middle less two own spreads.
    pub low: f64,
    /// Middle.
    pub mid: f64,
    /// Middle and two own spreads.
    pub high: f64,
    /// Runs it rests on.
    pub runs: u32,
    /// How far it is.
    pub state: ReferenceWord,
}

/// A value on a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct TrendValue {
    /// Day.
    pub day: Day,
    /// Value.
    pub value: f64,
}

/// The smallest change that can be told from the ordinary.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SmallestChange {
    /// Its size, in the unit of the trend.
    pub value: f64,
    /// In words.
    pub text: String,
}

/// What it amounts to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// In a word.
    pub word: VerdictWord,
    /// In a sentence.
    pub text: String,
}

/// Back scores of a day, 0 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SymptomPoint {
    /// Day.
    pub day: Day,
    /// Before a run, or on a day without one.
    pub before: Option<f64>,
    /// Worst in a run.
    pub worst: Option<f64>,
    /// Next morning.
    pub morning: Option<f64>,
}

/// A change of a flag.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct TrendFlag {
    /// Day.
    pub day: Day,
    /// The flag.
    pub id: String,
    /// What it became.
    pub level: LevelWord,
}

/// A pair worn over a stretch of runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct ShoeStretch {
    /// The pair.
    pub shoe: EntryId,
    /// Day of its first run of the stretch.
    pub from: Day,
    /// Day of the last.
    pub to: Day,
}

/// A ground over a stretch of runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct GroundStretch {
    /// The ground.
    #[cfg_attr(feature = "serve", schema(value_type = String))]
    pub ground: Ground,
    /// Day of the first run of the stretch.
    pub from: Day,
    /// Day of the last.
    pub to: Day,
}

/// A week in a trend.
pub type TrendLoad = LoadWeek;

/// One metric over weeks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Trend {
    /// Whose.
    pub athlete: AthleteId,
    /// Metric of the registry, or run value of the rule file.
    pub metric: String,
    /// Words a runner reads.
    pub title: String,
    /// Unit of the numbers here.
    pub unit: String,
    /// Unit shown to people.
    pub shown_unit: String,
    /// Factor from the numbers here to what is shown.
    pub shown_factor: f64,
    /// Speed at which runs are compared, m/s.
    pub reference_speed_ms: Option<f64>,
    /// Whether any run knows its speed.
    pub speed_known: bool,
    /// Runs, oldest first.
    pub points: Vec<TrendPoint>,
    /// The own usual.
    pub reference: Option<OwnBand>,
    /// Median of the runs of 42 days, on each day with a run. Drawn only: no rule reads it.
    pub rolling42: Vec<TrendValue>,
    /// The smallest change that can be told.
    pub smallest_change: Option<SmallestChange>,
    /// What it amounts to.
    pub verdict: Verdict,
    /// Back scores; `null` where they are not shown to who asks.
    pub symptoms: Option<Vec<SymptomPoint>>,
    /// Weeks.
    pub load: Vec<TrendLoad>,
    /// Changes of flags, as they were last kept.
    pub flags: Vec<TrendFlag>,
    /// Pairs.
    pub shoes: Vec<ShoeStretch>,
    /// Grounds.
    pub grounds: Vec<GroundStretch>,
}
