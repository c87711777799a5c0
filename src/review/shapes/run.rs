//! What one run amounts to.

use super::words::DataWord;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The values of one run that flags read, in the units of the rule file (degrees, cm, g, %).
///
/// Names and signs are those of the table `[raw]` of the rule file; see [`crate::review::run_values`] for how each is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct RunValues {
    /// Median speed of the windows used, m/s.
    pub speed_ms: Option<f64>,
    /// Level, steady windows of 25 strides a side after the first five minutes; both feet together count once.
    pub level_windows: u32,
    /// Whether the run may be compared: enough windows and a known speed.
    pub eligible: bool,
    /// Why not, in words; empty where it is.
    pub why_not: Vec<String>,
    /// The values, by raw name; what is missing stands in `absent`.
    pub metrics: BTreeMap<String, f64>,
    /// Changes from minutes 5 to 15 to the last fifth by marker, where the run is long enough.
    pub drift: Option<BTreeMap<String, f64>>,
    /// Median speed of the first five minutes over that of the rest.
    pub first5_speed_ratio: Option<f64>,
    /// Distance by the feet, km.
    pub distance_km: Option<f64>,
    /// Distance at a grade below −5 %, km; `None` where grade is not known.
    pub downhill_km: Option<f64>,
    /// From the first stride to the last, minutes.
    pub minutes: Option<f64>,
    /// How good the data are.
    pub data: DataWord,
    /// Why a value is missing, in words, by raw name (`drift` and `downhill_km` too).
    pub absent: BTreeMap<String, String>,
}
