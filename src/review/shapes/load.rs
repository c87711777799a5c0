//! How much was run, week by week.

use crate::store::journal::Day;
use serde::Serialize;

/// One week from Monday to Sunday.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct LoadWeek {
    /// Its Monday.
    pub week_start: Day,
    /// Distance, km.
    pub km: f64,
    /// Runs.
    pub runs: u32,
    /// Days without training, of those that have come.
    pub rest_days: u32,
    /// Longest run, km.
    pub longest_km: Option<f64>,
}

/// The usual week.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct LoadZone {
    /// Lower end, km.
    pub low: f64,
    /// Upper end, km.
    pub high: f64,
}

/// Weeks and zone. A picture of habit: no rule reads it and no flag comes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Load {
    /// Oldest first; the last one is the present week.
    pub weeks: Vec<LoadWeek>,
    /// The usual week; `null` before four whole weeks.
    pub zone: Option<LoadZone>,
}
