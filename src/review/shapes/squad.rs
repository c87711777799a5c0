//! Runners of a squad, and the flags that wait for a coach.

use super::flags::FlagItem;
use super::load::{LoadWeek, LoadZone};
use super::words::{DataWord, LevelWord, SharedWord};
use crate::store::journal::{Day, EntryId};
use crate::store::{AthleteId, SessionId};
use serde::Serialize;

/// A value on a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Spark {
    /// Day.
    pub day: Day,
    /// Value.
    pub value: f64,
}

/// The last run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct LastRun {
    /// The session; `null` for a run made without lope.
    pub session: Option<SessionId>,
    /// Day.
    pub day: Day,
    /// Distance, km.
    pub km: Option<f64>,
}

/// The pair of the last run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct ShoeNow {
    /// The pair.
    pub id: EntryId,
    /// Its name.
    pub name: String,
    /// Distance on it, km.
    pub km: f64,
}

/// A raised flag in a row of the squad.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct RowFlag {
    /// Its code.
    pub id: String,
    /// Its level.
    pub level: LevelWord,
    /// Since when.
    pub since: Option<Day>,
}

/// A runner of a squad.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SquadRow {
    /// Who.
    pub athlete: AthleteId,
    /// Name as shown.
    pub name: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Sort key, high first.
    pub triage: i64,
    /// Summary.
    pub summary: LevelWord,
    /// Raised flags.
    pub flags: Vec<RowFlag>,
    /// The last run.
    pub last_run: Option<LastRun>,
    /// Days since it.
    pub silent_days: Option<i32>,
    /// How good its data are.
    pub data: DataWord,
    /// Cadence at the own middle speed, steps a minute, eight weeks.
    pub cadence_spark: Vec<Spark>,
    /// Left less right pelvic drop, degrees, eight weeks.
    pub drop_asym_spark: Vec<Spark>,
    /// Eight weeks.
    pub load_weeks: Vec<LoadWeek>,
    /// The usual week.
    pub load_zone: Option<LoadZone>,
    /// The pair of the last run.
    pub shoe: Option<ShoeNow>,
    /// Whether symptoms are shown to who asks.
    pub symptoms: SharedWord,
    /// The last back score, where it is shown.
    pub back_last: Option<f64>,
}

/// A run in the strip under an inbox item.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct StripPoint {
    /// Day.
    pub day: Day,
    /// The highest level this run reaches; for flags without votes the state at the end of that day.
    pub level: LevelWord,
}

/// A flag that waits for a look.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct InboxItem {
    /// Who.
    pub athlete: AthleteId,
    /// Name as shown.
    pub athlete_name: String,
    /// The flag.
    pub flag: FlagItem,
    /// The last five runs, oldest first.
    pub strip: Vec<StripPoint>,
    /// What else could explain it.
    pub other_reasons: Vec<String>,
    /// Since when.
    pub since: Option<Day>,
}
