//! One stride as curves.

use serde::Serialize;

/// A foot on the ground.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct StanceSpan {
    /// `left` or `right`.
    pub side: String,
    /// From, percent of the curve; cut to 0 to 100.
    pub from_percent: f64,
    /// To.
    pub to_percent: f64,
}

/// An event inside a curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct CurveMark {
    /// `initial contact`, `mid-stance` or `terminal contact`.
    pub name: String,
    /// Whose: `left` or `right`; `null` where the side is unknown.
    pub side: Option<String>,
    /// Where, percent of the curve.
    pub percent: f64,
}

/// The pelvis over one gait cycle, at every percent. Not bone angles: those of a sensor on skin and cloth.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct PelvisCycle {
    /// 0 to 100: from initial contact to the next one of the same foot, else between the bounds of the stride.
    pub percent: Vec<f64>,
    /// Change of tilt, degrees, front down positive.
    pub tilt_deg: Vec<f64>,
    /// Change of obliquity, degrees, left side up positive.
    pub obliquity_deg: Vec<f64>,
    /// Rotation against the mean of the cycle, degrees, turned left positive.
    pub rotation_deg: Vec<f64>,
    /// What tilt and obliquity are counted from: `standing` or `cycle_mean`.
    pub zero: String,
    /// The same in words.
    pub zero_text: String,
    /// When which foot stood.
    pub stance: Vec<StanceSpan>,
    /// Events.
    pub marks: Vec<CurveMark>,
}

/// The way of the shoe sensor over one stride, seen from the side, from its place at the opening mid-stance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct FootPathView {
    /// 0 to 100, in time, from mid-stance to the next mid-stance.
    pub percent: Vec<f64>,
    /// Along travel, m.
    pub x_m: Vec<f64>,
    /// Up, m.
    pub z_m: Vec<f64>,
    /// Events.
    pub marks: Vec<CurveMark>,
}

/// Curves of a stride; where there are none, why.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "serve", derive(utoipa::ToSchema))]
pub struct StrideCurves {
    /// The pelvis.
    pub pelvis: Option<PelvisCycle>,
    /// Why not.
    pub pelvis_why_not: Option<String>,
    /// The foot.
    pub foot_path: Option<FootPathView>,
    /// Why not.
    pub foot_path_why_not: Option<String>,
}
