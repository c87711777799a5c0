//! How the numbers of one stride came about, step by step, from what was kept of it.
//!
//! Nothing is computed anew here but the plain arithmetic between instants and lengths that anyone can check, and the
//! curves, which are drawn from raw samples where those are kept ([`crate::review::curves`]). What a metric is, what it is not and where it comes from stands in the registry.

use super::measured::{about, seen};
use super::strides::{self, StrideItem};
use super::verdicts::Verdicts;
use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Path, Query};
use crate::api::problem::Problem;
use crate::metrics::{MetricId, StrideRecord};
use crate::model::{QualityParts, StrideFlags};
use crate::review::StrideCurves;
use crate::review::curves::SessionCurves;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Which of the strides of that number.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `left` or `right`.
    side: Option<String>,
}

/// A step of a computation.
#[derive(Serialize, ToSchema)]
struct Step {
    /// What it gives.
    name: &'static str,
    /// How.
    text: &'static str,
    /// From what.
    inputs: BTreeMap<&'static str, f64>,
    /// The result.
    value: Option<f64>,
    /// Its unit.
    unit: &'static str,
}

/// The parts whose product is the quality, each 0 to 1.
#[derive(Serialize, ToSchema)]
struct Parts {
    /// Innovation of the trajectory filter.
    innovation: f64,
    /// Clipped samples.
    clipping: f64,
    /// Interpolated samples.
    gaps: f64,
    /// Agreement with plain de-drifting.
    agreement: f64,
    /// Plausibility of the contacts.
    guards: f64,
    /// How well the mounting is known.
    alignment: f64,
}

/// One metric of the stride.
#[derive(Serialize, ToSchema)]
struct How {
    /// Name.
    metric: &'static str,
    /// Name for people.
    title: &'static str,
    /// Value, SI.
    value: Option<f64>,
    /// Unit.
    unit: &'static str,
    /// What it is.
    doc: &'static str,
    /// What it is not.
    not_it: &'static str,
    /// Where the definition comes from.
    source: &'static str,
    /// Why there is no value.
    absent: Option<&'static str>,
}

/// How one stride was made.
#[derive(Serialize, ToSchema)]
struct Explain {
    /// The stride.
    stride: StrideItem,
    /// The computation.
    steps: Vec<Step>,
    /// What its quality is made of.
    quality_parts: Parts,
    /// What speaks against building on it.
    ruled_out: Vec<&'static str>,
    /// Each metric.
    how: Vec<How>,
    /// Curves.
    curves: StrideCurves,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/sessions/{session}/strides/{idx}/explain",
            Resource::Strides,
            "How the numbers of one stride came about.",
            explain,
        )
        .query::<Wanted>()
        .answers::<Explain>(200),
    ]
}

async fn explain(
    State(app): State<App>,
    gate: Gate,
    Path((session, idx)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let idx: u32 = idx.parse().map_err(|_| Problem::not_found("such stride"))?;
    let side = extract::side(wanted.side.as_deref())?;
    let (state, explained) = app
        .ask(move |app| {
            let (row, sight) = seen(app, &gate, &session)?;
            let record = strides::find(app, &session, idx, side)?;
            let curves = SessionCurves::new(app.reader(), &row).of_stride(&record)?;
            let verdicts = Verdicts::of(app, &gate, &row, sight.symptoms)?;
            let stride = StrideItem::of(&record, &verdicts);
            Ok::<_, Problem>((row.state, explained(&record, stride, curves)))
        })
        .await?;
    about(state, &headers, &explained)
}

fn explained(record: &StrideRecord, stride: StrideItem, curves: StrideCurves) -> Explain {
    let QualityParts {
        innovation,
        clipping,
        gaps,
        agreement,
        guards,
        alignment,
    } = record.stride.quality;
    Explain {
        stride,
        steps: steps(record),
        quality_parts: Parts {
            innovation,
            clipping,
            gaps,
            agreement,
            guards,
            alignment,
        },
        ruled_out: ruled_out(&record.stride.flags),
        how: record
            .metrics
            .iter()
            .map(|(id, measured)| {
                let def = id.def();
                How {
                    metric: def.name,
                    title: def.label,
                    value: measured.ok(),
                    unit: def.unit,
                    doc: def.is,
                    not_it: def.is_not,
                    source: def.source,
                    absent: measured.err().map(crate::model::Absent::reason),
                }
            })
            .collect(),
        curves,
    }
}

fn steps(record: &StrideRecord) -> Vec<Step> {
    let s = &record.stride;
    let value = |id| record.metrics.value(id);
    let mut steps = Vec::new();
    let step = |name, text, inputs: &[(&'static str, f64)], value, unit| Step {
        name,
        text,
        inputs: inputs.iter().copied().collect(),
        value,
        unit,
    };
    if let (Some(c), Some(next)) = (s.contact, s.next_ic) {
        let (ic, tc, next) = (c.ic.secs(), c.tc.secs(), next.secs());
        let contact = [("ic_s", ic), ("tc_s", tc)];
        steps.push(step(
            "contact",
            "the foot lands at ic and leaves at tc",
            &contact,
            value(MetricId::ContactTime),
            "s",
        ));
        let cycle = [("ic_s", ic), ("next_ic_s", next)];
        steps.push(step(
            "stride time",
            "from landing to the next landing of the same foot",
            &cycle,
            Some(next - ic),
            "s",
        ));
        let time = [("stride_time_s", next - ic)];
        steps.push(step(
            "cadence",
            "two steps a stride: 120 / stride time",
            &time,
            value(MetricId::Cadence),
            "steps/min",
        ));
    }
    if let Some(foot) = s.foot {
        let own = [
            ("x_m", foot.displacement.v.x),
            ("z_m", foot.displacement.v.z),
            ("sigma_m", foot.length_sigma_m),
        ];
        let text = "acceleration turned into the level frame, integrated twice from mid-stance to mid-stance, where the foot is still";
        steps.push(step("stride length", text, &own, value(MetricId::StrideLength), "m"));
        let interval = [
            ("length_m", foot.displacement.v.x),
            ("start_s", s.start.secs()),
            ("end_s", s.end.secs()),
        ];
        let text = "length over its own interval, mid-stance to mid-stance";
        steps.push(step("speed", text, &interval, value(MetricId::Speed), "m/s"));
        let check = [("chi2", foot.chi2), ("linear_difference", foot.linear_difference)];
        let text = "how well the foot stands still again at the end, and how far plain de-drifting says otherwise";
        steps.push(step("check", text, &check, None, ""));
    }
    let q = s.quality;
    let parts = [
        ("innovation", q.innovation),
        ("clipping", q.clipping),
        ("gaps", q.gaps),
        ("agreement", q.agreement),
        ("guards", q.guards),
        ("alignment", q.alignment),
    ];
    steps.push(step(
        "quality",
        "the product of its parts",
        &parts,
        Some(q.product()),
        "1",
    ));
    steps
}

fn ruled_out(flags: &StrideFlags) -> Vec<&'static str> {
    [
        (flags.acc_clipped, "an accelerometer was at its limit"),
        (flags.gyro_clipped, "a gyroscope was at its limit"),
        (flags.filled, "samples were interpolated"),
        (flags.turning, "the stride lies in a turn"),
        (
            flags.approximate_zero,
            "foot pitch is counted from mid-stance, not from standing",
        ),
        (flags.after_rest, "it is the first stride after standing"),
        (flags.implausible_contact, "a guard of its contact failed"),
        (flags.mounting_unsettled, "the mounting was not settled yet"),
        (flags.marked_bad, "a person marked it as bad"),
    ]
    .into_iter()
    .filter_map(|(holds, text)| holds.then_some(text))
    .collect()
}
