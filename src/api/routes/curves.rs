//! The strides worth a look, each with the pelvis over it: what a page shows side by side, in one answer.
//!
//! Angles are derived, as the numbers are, so whoever may see strides may see them, a coach too; the samples they are drawn
//! from stay behind [`Resource::Raw`].

use super::measured::{about, seen};
use super::strides::{CHOICE_MAX, Choice};
use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Path, Query};
use crate::api::problem::Problem;
use crate::metrics::{MetricId, StrideRecord};
use crate::model::Side;
use crate::review::curves::SessionCurves;
use crate::review::{CurveMark, StanceSpan};
use crate::store::{History as _, RowQuery};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Strides of each kind; five kinds make 20.
const EACH: usize = 4;

/// Among which strides.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// From, s since the start.
    from_s: Option<f64>,
    /// To, s since the start.
    to_s: Option<f64>,
    /// `left`, `right` or `both`.
    side: Option<String>,
}

/// A stride, and the pelvis over it.
#[derive(Serialize, ToSchema)]
struct PickedCurve {
    /// Why it was picked: `typical`, `longest`, `shortest`, `poor` or `most_asymmetric`. A stride can stand for several.
    pick: &'static str,
    /// Number on its side, from 0.
    idx: u32,
    /// Side, where known.
    side: Option<&'static str>,
    /// Its begin, s since the start.
    t_s: f64,
    /// `A` to `D`.
    class: String,
    /// Stride length, m.
    stride_length: Option<f64>,
    /// Contact time, s.
    contact_time: Option<f64>,
    /// Change of obliquity at each percent, degrees, left side up positive.
    obliquity_deg: Option<Vec<f64>>,
    /// What it is counted from: `standing` or `cycle_mean`.
    zero: Option<String>,
    /// When which foot stood.
    stance: Vec<StanceSpan>,
    /// Events.
    marks: Vec<CurveMark>,
    /// Why there is no curve.
    why_not: Option<String>,
}

/// The strides worth a look.
#[derive(Serialize, ToSchema)]
struct PickedCurves {
    /// 0 to 100: from initial contact to the next one of the same foot, else between the bounds of the stride.
    percent: Vec<f64>,
    /// At most four of each kind, kind by kind.
    items: Vec<PickedCurve>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/sessions/{session}/curves",
            Resource::Strides,
            "Pelvic obliquity over the strides worth a look: typical, longest, shortest, of low quality, most uneven.",
            curves,
        )
        .query::<Wanted>()
        .answers::<PickedCurves>(200),
    ]
}

async fn curves(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let span = extract::span(wanted.from_s, wanted.to_s)?;
    let side = extract::side(wanted.side.as_deref())?;
    let (state, picked) = app
        .ask(move |app| {
            let (row, _) = seen(app, &gate, &session)?;
            let rows = app.reader().strides(&RowQuery {
                span,
                side,
                limit: CHOICE_MAX,
                ..RowQuery::all(session)
            })?;
            let picked: Vec<(Choice, StrideRecord)> = Choice::SHOWN
                .into_iter()
                .flat_map(|c| c.foremost(&rows.rows, EACH).into_iter().map(move |r| (c, r)))
                .collect();
            let items = drawn(&SessionCurves::new(app.reader(), &row), picked)?;
            let percent = (0..=100).map(f64::from).collect();
            Ok::<_, Problem>((row.state, PickedCurves { percent, items }))
        })
        .await?;
    about(state, &headers, &picked)
}

fn drawn(curves: &SessionCurves<'_>, picked: Vec<(Choice, StrideRecord)>) -> Result<Vec<PickedCurve>, Problem> {
    let records: Vec<StrideRecord> = picked.iter().map(|(_, r)| r.clone()).collect();
    let views = curves.pelvis_views(&records)?;
    let items = picked.into_iter().zip(views).map(|((pick, r), view)| {
        let (cycle, why_not) = match view {
            Ok(cycle) => (Some(cycle), None),
            Err(why) => (None, Some(why.text())),
        };
        let (zero, stance, marks, obliquity_deg) = cycle.map_or_else(Default::default, |c| {
            (Some(c.zero), c.stance, c.marks, Some(c.obliquity_deg))
        });
        PickedCurve {
            pick: pick.name(),
            idx: r.index,
            side: r.stride.side.map(Side::name),
            t_s: r.stride.start.secs(),
            class: r.class.letter().to_string(),
            stride_length: r.metrics.value(MetricId::StrideLength),
            contact_time: r.metrics.value(MetricId::ContactTime),
            obliquity_deg,
            zero,
            stance,
            marks,
            why_not,
        }
    });
    Ok(items.collect())
}
