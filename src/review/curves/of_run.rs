//! One run as curves for paper: both sides of the pelvis, single strides over each other, and the way of each foot.
//!
//! The strides are those of the compare page ([`super::compared`]): neighbours from two stretches of the run. What is drawn
//! of a right stride is mirrored, so that the two lines of a picture mean the same: the side that stands, up or forward.

use super::super::shapes::{FootPathView, PelvisCurve as Shown, SpeedRange};
use super::compared::{Drawn, STRIDES, chosen, mean};
use super::{NoCurve, SessionCurves, degrees, view_of_path};
use crate::metrics::pelvis_curve::{PelvisCurve, Zero};
use crate::model::Side;
use crate::store::{SessionRow, SqliteReader, StoreError};

/// Most strides laid over each other.
pub const OVERLAID: usize = 20;
/// Fewest strides laid over each other: of two or three nothing is seen. A choice of this project.
const FEWEST_OVERLAID: usize = 5;

/// The curves of one run; where some are missing, why.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunCurves {
    /// Pelvis over cycles of the left foot: mean and standard deviation, left side up and left side forward positive.
    pub left: Option<Shown>,
    /// Over cycles of the right foot, mirrored: right side up and right side forward positive.
    pub right: Option<Shown>,
    /// Obliquity over single cycles of the left foot, degrees at every percent, left side up positive.
    pub overlay: Vec<Vec<f64>>,
    /// What tilt and obliquity are counted from.
    pub zero_text: Option<String>,
    /// Why there is no curve of the pelvis, or of one side.
    pub pelvis_why_not: Option<String>,
    /// Ways of the left foot over strides in a row.
    pub left_paths: Vec<FootPathView>,
    /// Ways of the right foot.
    pub right_paths: Vec<FootPathView>,
    /// Why a foot has no way.
    pub path_why_not: Option<String>,
}

/// Draws a run. Without `speeds` strides of all speeds are taken.
///
/// # Errors
/// Those of the disk.
pub fn of_run(reader: &SqliteReader, row: &SessionRow, speeds: Option<SpeedRange>) -> Result<RunCurves, StoreError> {
    let any = SpeedRange {
        low: 0.0,
        high: f64::MAX,
    };
    let session = SessionCurves::new(reader, row);
    let mut out = RunCurves::default();
    let mut sides = Vec::new();
    for side in [Side::Left, Side::Right] {
        let strides = chosen(reader, row, None, speeds.unwrap_or(any), side)?;
        let mut drawn = Drawn::default();
        for curve in session.pelvis(&strides)? {
            match curve {
                Ok(curve) => drawn.curves.push(curve),
                Err(why) => drawn.why_not = Some(why),
            }
        }
        // Neighbours only: a way is followed through a stretch of some seconds.
        let near = &strides[..strides.len().min(STRIDES)];
        let mut paths = Vec::new();
        for (path, record) in session.foot_paths(near)?.into_iter().zip(near) {
            match path {
                Ok(path) => paths.push(view_of_path(&path, &record.stride)),
                Err(why) => note(&mut out.path_why_not, &why),
            }
        }
        if !paths.is_empty() {
            match side {
                Side::Left => out.left_paths = paths,
                Side::Right => out.right_paths = paths,
            }
        }
        sides.push(drawn);
    }
    if out.left_paths.is_empty() && out.right_paths.is_empty() && out.path_why_not.is_none() {
        out.path_why_not = Some("No level running stride at the speeds compared.".to_owned());
    } else if !out.left_paths.is_empty() && !out.right_paths.is_empty() {
        out.path_why_not = None;
    }
    let stood = |d: &Drawn| d.curves.iter().all(|c| c.zero == Zero::Standing);
    let zero = match sides.iter().all(stood) {
        true => Zero::Standing,
        false => Zero::CycleMean,
    };
    let (Some(mut right), Some(left)) = (sides.pop(), sides.pop()) else {
        return Ok(out);
    };
    right.curves.iter_mut().for_each(mirror);
    out.overlay = overlay(&left.curves, zero);
    let ((left, left_why), (right, right_why)) = (mean(left, zero), mean(right, zero));
    out.zero_text = (left.is_some() || right.is_some()).then(|| {
        match zero {
            Zero::Standing => "Tilt and obliquity are counted from quiet standing.",
            Zero::CycleMean => {
                "Tilt and obliquity are counted from the mean of each cycle: only shape and range can be read."
            }
        }
        .to_owned()
    });
    out.pelvis_why_not = left_why.or(right_why);
    (out.left, out.right) = (left, right);
    Ok(out)
}

fn note(why_not: &mut Option<String>, why: &NoCurve) {
    if why_not.is_none() {
        *why_not = Some(why.text());
    }
}

/// What the left side does in a right cycle, as the right side does it.
fn mirror(curve: &mut PelvisCurve) {
    curve.obliquity.iter_mut().for_each(|v| *v = -*v);
    curve.rotation.iter_mut().for_each(|v| *v = -*v);
}

/// Single cycles in degrees, all from the same zero; none where there are too few to see anything.
fn overlay(curves: &[PelvisCurve], zero: Zero) -> Vec<Vec<f64>> {
    if curves.len() < FEWEST_OVERLAID {
        return Vec::new();
    }
    let each = curves.iter().take(OVERLAID).map(|c| match zero {
        Zero::Standing => degrees(&c.obliquity),
        Zero::CycleMean => {
            let mean = c.obliquity.iter().sum::<f64>() / c.obliquity.len().max(1) as f64;
            degrees(&c.obliquity.iter().map(|v| v - mean).collect::<Vec<_>>())
        }
    });
    each.collect()
}
