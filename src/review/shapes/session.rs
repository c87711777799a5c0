//! A session in a list.

use super::words::{DataWord, LevelWord, SpanWord};
use crate::store::journal::{Day, EntryId, Ground, RunKind};
use crate::store::{AthleteId, SessionId};
use serde::Serialize;

/// A flag that stood.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct FlagLevel {
    /// Its code (`FS1`).
    pub id: String,
    /// Its level.
    pub level: LevelWord,
}

/// A sensor worn.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SensorItem {
    /// Where.
    pub placement: String,
    /// Nominal rate, Hz.
    pub rate_hz: f64,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SessionItem {
    /// Its id.
    pub id: SessionId,
    /// Who ran.
    pub athlete: AthleteId,
    /// Name as shown; the id where there is none.
    pub athlete_name: String,
    /// Begin, µs UTC since 1970.
    pub start_us: i64,
    /// Time zone of the runner, an IANA name, where known.
    pub tz: Option<String>,
    /// Local day.
    pub day: Day,
    /// From begin to end, s.
    pub duration_s: Option<f64>,
    /// Distance, km: what the runner says, else by the feet.
    pub distance_km: Option<f64>,
    /// `open`, `closed` or `recovered`.
    pub state: String,
    /// `live`, `import` or `demo`.
    pub origin: String,
    /// `known` or `assumed`.
    pub clock: String,
    /// Strides of the current analysis.
    pub strides: u64,
    /// Share of strides of class A and B.
    pub usable_share: Option<f64>,
    /// How good the data are.
    pub data: DataWord,
    /// Median speed of the windows used, else of all strides, m/s.
    pub speed_ms: Option<f64>,
    /// Median cadence, steps a minute.
    pub cadence_spm: Option<f64>,
    /// Pair worn.
    pub shoe: Option<EntryId>,
    /// Main ground.
    #[cfg_attr(feature = "serve", schema(value_type = Option<String>))]
    pub ground: Option<Ground>,
    /// What it was for.
    #[cfg_attr(feature = "serve", schema(value_type = Option<String>))]
    pub run_kind: Option<RunKind>,
    /// Effort, 0 to 10.
    pub effort: Option<u8>,
    /// Left out of the usual and of trends.
    pub left_out: bool,
    /// A word for people.
    pub note: Option<String>,
    /// Flags that stood at the end of that day.
    pub flags: Vec<FlagLevel>,
    /// Sensors worn.
    pub sensors: Vec<SensorItem>,
}

/// A span of one sensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct CoverageSpan {
    /// From, s since the session began.
    pub from_s: f64,
    /// To.
    pub to_s: f64,
    /// What it delivered.
    pub state: SpanWord,
}

/// What one sensor delivered.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Coverage {
    /// Where it was worn.
    pub placement: String,
    /// Spans that are not whole, in order; what is between them is.
    pub spans: Vec<CoverageSpan>,
    /// Share of the session that is lost.
    pub lost_share: f64,
}
