//! Two sets of runs against each other, at the speeds they share.

use crate::store::SessionId;
use crate::store::journal::Day;
use serde::Serialize;
use std::collections::BTreeMap;

/// One of the two.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct CompareSide {
    /// What was asked for, in words.
    pub label: String,
    /// Its sessions, oldest first.
    pub sessions: Vec<SessionId>,
    /// Day of the first.
    pub day_from: Option<Day>,
    /// Day of the last.
    pub day_to: Option<Day>,
}

/// Speeds, m/s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct SpeedRange {
    /// Lowest.
    pub low: f64,
    /// Highest.
    pub high: f64,
}

/// One metric of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct CompareRow {
    /// Metric of the registry.
    pub metric: String,
    /// Words a runner reads.
    pub title: String,
    /// Unit of the numbers here.
    pub unit: String,
    /// `both`, `left` or `right`.
    pub side: String,
    /// A at the middle of the shared speeds.
    pub a: Option<f64>,
    /// B there.
    pub b: Option<f64>,
    /// B less A.
    pub delta: Option<f64>,
    /// Lower end of the 95 % interval of the difference.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// The smallest change that can be told from the runner's ordinary run-to-run differences.
    pub smallest_change: Option<f64>,
    /// Whether the difference is at least that, and zero lies outside the interval.
    pub beyond_noise: Option<bool>,
    /// Why there is no difference, or no word on noise.
    pub why: Option<String>,
    /// Runs or windows of A used.
    pub n_a: u32,
    /// Of B.
    pub n_b: u32,
}

/// Value against speed of one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Scatter {
    /// A: speed (m/s), value.
    pub a: Vec<[f64; 2]>,
    /// B.
    pub b: Vec<[f64; 2]>,
    /// Two points of A's line.
    pub fit_a: Option<[[f64; 2]; 2]>,
    /// Two points of B's line.
    pub fit_b: Option<[[f64; 2]; 2]>,
}

/// Mean and spread over the stride.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct PlaneCurve {
    /// Mean, degrees.
    pub mean: Vec<f64>,
    /// Standard deviation, degrees.
    pub sd: Vec<f64>,
}

/// The pelvis over the stride.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct PelvisCurve {
    /// Percent of the left stride, from initial contact to initial contact.
    pub percent: Vec<f64>,
    /// Strides in the mean.
    pub strides: u32,
    /// Tilt.
    pub tilt: PlaneCurve,
    /// Obliquity.
    pub obliquity: PlaneCurve,
    /// Rotation.
    pub rotation: PlaneCurve,
}

/// Mean curves of both at the shared speeds, drawn from raw samples where those are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Curves {
    /// A.
    pub a: Option<PelvisCurve>,
    /// Why not.
    pub a_why_not: Option<String>,
    /// B.
    pub b: Option<PelvisCurve>,
    /// Why not.
    pub b_why_not: Option<String>,
    /// What tilt and obliquity are counted from, in words.
    pub zero_text: Option<String>,
}

/// The comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct Compare {
    /// A.
    pub a: CompareSide,
    /// B.
    pub b: CompareSide,
    /// Speeds that both ran; `null` where they do not overlap.
    pub shared_speed: Option<SpeedRange>,
    /// Metrics.
    pub rows: Vec<CompareRow>,
    /// Points and lines by metric.
    pub scatter: BTreeMap<String, Scatter>,
    /// Curves of the pelvis.
    pub curves: Curves,
    /// What a reader must know, above all that speeds do not overlap.
    pub note: Option<String>,
}
