//! Samples as the sensors gave them, a few seconds at a time.

use super::measured::{about, reached};
use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Path, Query};
use crate::api::problem::Problem;
use crate::model::{Placement, SensorEvent, Span};
use crate::store::raw::RawReader;
use crate::store::{SessionRow, StoreError};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Most seconds at once.
const SPAN_MAX_S: f64 = 10.0;

/// Which samples.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// From, s since the start.
    from_s: f64,
    /// To, s since the start; at most 10 s later.
    to_s: f64,
}

/// Samples of one sensor.
#[derive(Debug, Serialize, ToSchema)]
struct RawSensor {
    /// Where it was worn.
    placement: String,
    /// Nominal rate, Hz.
    rate_hz: f64,
    /// Instants, s since the start.
    t_s: Vec<f64>,
    /// Specific force along x, y, z of the sensor, m/s².
    acc: [Vec<f64>; 3],
    /// Angular rate about x, y, z of the sensor, rad/s.
    gyro: [Vec<f64>; 3],
    /// Positions of samples with an axis at its limit.
    clipped: Vec<usize>,
}

/// Samples.
#[derive(Debug, Serialize, ToSchema)]
struct Raw {
    /// By sensor.
    sensors: Vec<RawSensor>,
    /// Whether samples of this session are kept.
    kept: bool,
    /// Why not.
    why_not: Option<&'static str>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/sessions/{session}/raw",
            Resource::Raw,
            "Samples as the sensors gave them.",
            raw,
        )
        .query::<Wanted>()
        .answers::<Raw>(200),
    ]
}

async fn raw(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let span = extract::span(Some(wanted.from_s), Some(wanted.to_s))?;
    if span.secs() > SPAN_MAX_S {
        return Err(Problem::parameter(
            "to_s",
            format!("more than {SPAN_MAX_S} s after from_s"),
        ));
    }
    let (state, raw) = app
        .ask(move |app| {
            let row = reached(app, &gate, &session)?;
            let raw = match app.reader().raw(&session) {
                Ok(reader) => samples(reader, &row, span)?,
                Err(StoreError::Missing { .. }) => Raw {
                    sensors: Vec::new(),
                    kept: false,
                    why_not: Some("no samples of this session are kept"),
                },
                Err(e) => return Err(e.into()),
            };
            Ok::<_, Problem>((row.state, raw))
        })
        .await?;
    about(state, &headers, &raw)
}

fn samples(mut reader: RawReader, row: &SessionRow, span: Span) -> Result<Raw, Problem> {
    reader.skip_to(span.start())?;
    let mut sensors: BTreeMap<Placement, RawSensor> = BTreeMap::new();
    for event in reader {
        let (placement, sample) = match event? {
            SensorEvent::Sample(placement, sample) => (placement, sample),
            SensorEvent::Gap { .. } | SensorEvent::Standing { .. } => continue,
        };
        if sample.t >= span.end() {
            break;
        }
        if sample.t < span.start() {
            continue;
        }
        let of = sensors.entry(placement).or_insert_with(|| {
            let config = row.meta.sensors.iter().find(|s| s.placement == placement);
            RawSensor {
                placement: placement.name().to_owned(),
                rate_hz: config.map_or(0.0, |c| c.rate_hz),
                t_s: Vec::new(),
                acc: Default::default(),
                gyro: Default::default(),
                clipped: Vec::new(),
            }
        });
        if sample.clip.any_acc() || sample.clip.any_gyro() {
            of.clipped.push(of.t_s.len());
        }
        of.t_s.push(sample.t.secs());
        for (axis, v) in of.acc.iter_mut().zip([sample.acc.v.x, sample.acc.v.y, sample.acc.v.z]) {
            axis.push(v);
        }
        for (axis, v) in of
            .gyro
            .iter_mut()
            .zip([sample.gyro.v.x, sample.gyro.v.y, sample.gyro.v.z])
        {
            axis.push(v);
        }
    }
    Ok(Raw {
        sensors: sensors.into_values().collect(),
        kept: true,
        why_not: None,
    })
}
