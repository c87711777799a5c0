//! Series of a session for plots: metrics in buckets of equal width, and the gaps, which are drawn and never bridged.

use crate::api::access::gate::{Gate, Sight};
use crate::api::access::roles::Resource;
use crate::api::answer;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Path, Query};
use crate::api::problem::Problem;
use crate::metrics::MetricId;
use crate::model::{SessionTime, Side, Span};
use crate::store::{
    Bucket, BucketQuery, Completeness, History as _, RowQuery, SessionEvent, SessionId, SessionRow, SessionState,
    SideFilter,
};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Most buckets.
const BUCKETS_MAX: u32 = 2000;
/// Most metrics at once.
const METRICS_MAX: usize = 24;
/// Most gaps told.
const GAPS_MAX: usize = 2000;

/// What is plotted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Names of metrics, separated by commas.
    metrics: String,
    /// `left`, `right` or `both`; all three where it is missing.
    side: Option<String>,
    /// From, s since the start.
    from_s: Option<f64>,
    /// To, s since the start.
    to_s: Option<f64>,
    /// How many buckets, up to 2000.
    buckets: Option<u32>,
}

/// A metric over the buckets; null where no stride has it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
struct SeriesBuckets {
    /// Means.
    mean: Vec<Option<f64>>,
    /// Smallest.
    min: Vec<Option<f64>>,
    /// Largest.
    max: Vec<Option<f64>>,
    /// Strides that have it.
    n: Vec<u32>,
}

/// A stretch without samples.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct GapItem {
    /// Sensor.
    placement: String,
    /// From, s.
    from_s: f64,
    /// To, s.
    to_s: f64,
    /// Why.
    cause: String,
    /// Samples missing.
    missing: u32,
}

/// Metrics over time.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
struct Series {
    /// Width of a bucket, s.
    width_s: f64,
    /// Start of each bucket, s.
    t_s: Vec<f64>,
    /// Strides in each.
    strides: Vec<u32>,
    /// By metric and side.
    series: BTreeMap<String, BTreeMap<String, SeriesBuckets>>,
    /// Stretches without samples.
    gaps: Vec<GapItem>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/sessions/{session}/series",
            Resource::Strides,
            "Metrics of a session over time.",
            series,
        )
        .query::<Wanted>()
        .answers::<Series>(200),
    ]
}

/// The session of that id, if the caller reaches it. Blocks.
///
/// # Errors
/// 404 alike when there is none and when it is not the caller's to see.
pub(super) fn reached(app: &App, gate: &Gate, session: &SessionId) -> Result<SessionRow, Problem> {
    seen(app, gate, session).map(|(row, _)| row)
}

/// As [`reached`], with what may be seen of it. Blocks.
///
/// # Errors
/// As [`reached`].
pub(in crate::api) fn seen(app: &App, gate: &Gate, session: &SessionId) -> Result<(SessionRow, Sight), Problem> {
    let row = app
        .reader()
        .session(session)?
        .ok_or_else(|| Problem::not_found("such session"))?;
    let passed = gate.session(app, &row.meta.athlete, session);
    let sight = passed.map_err(|p| match p.status {
        axum::http::StatusCode::NOT_FOUND => Problem::not_found("such session"),
        _ => p,
    })?;
    Ok((row, sight))
}

/// An answer about a session: with a mark once the session does not change any more.
///
/// # Errors
/// 500 when it cannot be written.
pub(super) fn about(state: SessionState, headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    match state {
        SessionState::Open => answer::json(value),
        SessionState::Closed | SessionState::Recovered => answer::json_marked(headers, value),
    }
}

async fn series(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let metrics = metrics(&wanted.metrics)?;
    let asked = extract::span(wanted.from_s, wanted.to_s)?;
    let buckets = wanted.buckets.unwrap_or(400);
    if !(1..=BUCKETS_MAX).contains(&buckets) {
        return Err(Problem::parameter(
            "buckets",
            format!("{buckets} is not between 1 and {BUCKETS_MAX}"),
        ));
    }
    let sides: Vec<(&str, SideFilter)> = match wanted.side.as_deref() {
        None => vec![
            ("both", SideFilter::All),
            ("left", SideFilter::Only(Side::Left)),
            ("right", SideFilter::Only(Side::Right)),
        ],
        Some(text) => vec![(
            match text {
                "left" => "left",
                "right" => "right",
                _ => "both",
            },
            extract::side(Some(text))?,
        )],
    };
    let (state, series) = app
        .ask(move |app| {
            let row = reached(app, &gate, &session)?;
            let Some(span) = within(app, &row, asked)? else {
                return Ok::<_, Problem>((row.state, Series::default()));
            };
            // Rounded up, so that the last bucket reaches the end.
            let width_us = (span.secs() * 1e6 / f64::from(buckets)).ceil().max(1.0);
            let mut series = Series {
                width_s: width_us / 1e6,
                t_s: (0..buckets)
                    .map(|i| span.start().secs() + f64::from(i) * width_us / 1e6)
                    .collect(),
                strides: vec![0; buckets as usize],
                gaps: gaps(app, &session, span)?,
                ..Series::default()
            };
            for (name, side) in sides {
                let rows = buckets_of(app, &session, span, side, &metrics, width_us as i64)?;
                place(&mut series, name, &rows, &metrics, span.start(), width_us);
            }
            Ok((row.state, series))
        })
        .await?;
    about(state, &headers, &series)
}

fn metrics(text: &str) -> Result<Vec<MetricId>, Problem> {
    let found: Result<Vec<MetricId>, Problem> = text
        .split(',')
        .map(|name| {
            MetricId::from_name(name).ok_or_else(|| Problem::parameter("metrics", format!("{name:?} is no metric")))
        })
        .collect();
    let found = found?;
    if found.len() > METRICS_MAX {
        return Err(Problem::parameter(
            "metrics",
            format!("{} metrics; up to {METRICS_MAX}", found.len()),
        ));
    }
    Ok(found)
}

/// What of a span lies in the session, which for one that is open reaches to its newest stride.
fn within(app: &App, row: &SessionRow, asked: Span) -> Result<Option<Span>, Problem> {
    let mut end = row.stop;
    if end.is_none() {
        for side in [Some(Side::Left), Some(Side::Right), None] {
            let latest = app.reader().latest(&row.meta.id, side)?.map(|s| s.stride.end);
            end = end.max(latest);
        }
    }
    let end = end.unwrap_or(SessionTime::ZERO);
    let (from, to) = (asked.start().max(SessionTime::ZERO), asked.end().min(end));
    Ok(Span::new(from, to).filter(|s| s.secs() > 0.0))
}

fn buckets_of(
    app: &App,
    session: &SessionId,
    span: Span,
    side: SideFilter,
    metrics: &[MetricId],
    width_us: i64,
) -> Result<Vec<Bucket>, Problem> {
    let page = app.reader().buckets(&BucketQuery {
        rows: RowQuery {
            span,
            side,
            limit: BUCKETS_MAX as usize + 1,
            ..RowQuery::all(session.clone())
        },
        metrics: metrics.to_vec(),
        width_us,
    })?;
    Ok(page.rows)
}

fn place(series: &mut Series, side: &str, rows: &[Bucket], metrics: &[MetricId], start: SessionTime, width_us: f64) {
    let count = series.t_s.len();
    let index = |b: &Bucket| (b.start.since(start) * 1e6 / width_us).round() as usize;
    for row in rows {
        if let Some(n) = series.strides.get_mut(index(row)) {
            *n = (*n).max(row.strides);
        }
    }
    for (column, id) in metrics.iter().enumerate() {
        let mut out = SeriesBuckets {
            mean: vec![None; count],
            min: vec![None; count],
            max: vec![None; count],
            n: vec![0; count],
        };
        for row in rows {
            let i = index(row);
            if let (Some(Some(v)), true) = (row.values.get(column), i < count) {
                (out.mean[i], out.min[i], out.max[i]) = (Some(v.mean), Some(v.min), Some(v.max));
                out.n[i] = v.n;
            }
        }
        let of = series.series.entry(id.def().name.to_owned()).or_default();
        of.insert(side.to_owned(), out);
    }
}

/// Stretches without samples that touch the span.
fn gaps(app: &App, session: &SessionId, span: Span) -> Result<Vec<GapItem>, Problem> {
    let mut query = RowQuery::all(session.clone());
    let mut gaps = Vec::new();
    loop {
        let page = app.reader().events(&query)?;
        for event in &page.rows {
            if let SessionEvent::Gap {
                placement,
                from,
                to,
                missing,
                cause,
            } = event
                && *to > span.start()
                && *from < span.end()
            {
                gaps.push(GapItem {
                    placement: placement.name().to_owned(),
                    from_s: from.secs(),
                    to_s: to.secs(),
                    cause: word(cause),
                    missing: *missing,
                });
            }
        }
        match page.completeness {
            Completeness::Truncated { resume_at } if gaps.len() < GAPS_MAX => {
                let Some(rest) = Span::new(resume_at, query.span.end()) else {
                    break;
                };
                query.span = rest;
            }
            _ => break,
        }
    }
    gaps.truncate(GAPS_MAX);
    Ok(gaps)
}

/// A word of the model as it is written in files.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
