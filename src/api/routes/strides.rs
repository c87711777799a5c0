//! Strides of a session, in pages, as JSON or CSV.

use super::measured::{about, seen, word};
use super::verdicts::{Verdict, Verdicts};
use crate::api::access::gate::Gate;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List, ROWS_MAX};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Path, Query};
use crate::api::problem::Problem;
use crate::metrics::{MetricId, StrideRecord};
use crate::model::{DataClass, SessionTime, Side, Span};
use crate::store::{Completeness, History as _, RowQuery, SessionId};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Strides of a page when nobody says.
const PAGE: usize = 500;
/// Strides of a page at most.
const PAGE_MAX: usize = 5000;
/// Strides among which a choice is made.
pub(super) const CHOICE_MAX: usize = 2 * ROWS_MAX;

/// Which strides.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// From, s since the start.
    from_s: Option<f64>,
    /// To, s since the start.
    to_s: Option<f64>,
    /// `left`, `right` or `both`.
    side: Option<String>,
    /// Most strides of a page, up to 5000.
    limit: Option<u32>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Only the foremost of this kind: `typical`, `longest`, `shortest`, `most_asymmetric`, `poor` or
    /// `marked` (as bad, by a person).
    select: Option<String>,
}

/// A stride.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct StrideItem {
    /// Number on its side, from 0.
    idx: u32,
    /// Its begin, s since the start.
    t_s: f64,
    /// Side, where known.
    side: Option<String>,
    /// From mid-stance to mid-stance, s.
    duration_s: f64,
    /// Initial contact, s since the start.
    ic_s: Option<f64>,
    /// Mid-stance.
    mid_s: Option<f64>,
    /// Terminal contact.
    tc_s: Option<f64>,
    /// The next initial contact of the same foot.
    next_ic_s: Option<f64>,
    /// `A` to `D`.
    class: String,
    /// Quality, 0 to 1.
    quality: f64,
    /// What the runner was doing.
    activity: String,
    /// Facts to filter by; `marked_bad` where a person keeps it out of every average.
    flags: Vec<String>,
    /// What a person said about it.
    verdict: Option<Verdict>,
    /// What was measured, SI.
    metrics: BTreeMap<String, f64>,
    /// What was not, and why.
    absent: BTreeMap<String, String>,
}

impl StrideItem {
    pub(super) fn of(record: &StrideRecord, verdicts: &Verdicts) -> Self {
        let s = &record.stride;
        let flags = match serde_json::to_value(s.flags) {
            Ok(serde_json::Value::Object(all)) => all
                .into_iter()
                .filter(|(_, on)| *on == true)
                .map(|(name, _)| name)
                .collect(),
            _ => Vec::new(),
        };
        let (mut metrics, mut absent) = (BTreeMap::new(), BTreeMap::new());
        for (id, measured) in record.metrics.iter() {
            let name = id.def().name.to_owned();
            match measured {
                Ok(v) => drop(metrics.insert(name, v)),
                Err(why) => drop(absent.insert(name, why.reason().to_owned())),
            }
        }
        Self {
            idx: record.index,
            t_s: s.start.secs(),
            side: s.side.map(|side| side.name().to_owned()),
            duration_s: s.secs(),
            ic_s: s.contact.map(|c| c.ic.secs()),
            mid_s: s.contact.map(|c| c.m.secs()),
            tc_s: s.contact.map(|c| c.tc.secs()),
            next_ic_s: s.next_ic.map(SessionTime::secs),
            class: record.class.letter().to_string(),
            quality: s.quality.product(),
            activity: word(&s.activity),
            flags,
            verdict: verdicts.on(record),
            metrics,
            absent,
        }
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/sessions/{session}/strides",
            Resource::Strides,
            "Strides of a session; with `Accept: text/csv` all of them as CSV.",
            strides,
        )
        .query::<Wanted>()
        .answers_list::<StrideItem>(200)
        .answers_as(200, "text/csv"),
    ]
}

async fn strides(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    let mut span = extract::span(wanted.from_s, wanted.to_s)?;
    let side = extract::side(wanted.side.as_deref())?;
    let limit = extract::limit(wanted.limit, PAGE, PAGE_MAX)?;
    let choice = wanted.select.as_deref().map(Choice::parse).transpose()?;
    if let Some(cursor) = &wanted.cursor {
        let (nanos, _) = answer::place(cursor)?;
        let from = SessionTime::from_nanos(nanos).clamp(span.start(), span.end());
        span = Span::new(from, span.end()).unwrap_or(span);
    }
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    if accept.split(',').any(|kind| kind.trim().starts_with("text/csv")) {
        return super::export::csv(app, gate, session).await;
    }
    let (state, list) = app
        .ask(move |app| {
            let (row, sight) = seen(app, &gate, &session)?;
            let limit_asked = if choice.is_some() { CHOICE_MAX } else { limit };
            let page = app.reader().strides(&RowQuery {
                span,
                side,
                limit: limit_asked,
                ..RowQuery::all(session)
            })?;
            let next = match (page.completeness, choice) {
                (Completeness::Truncated { resume_at }, None) => Some(answer::cursor(resume_at.nanos(), "")),
                _ => None,
            };
            let verdicts = Verdicts::of(app, &gate, &row, sight.symptoms)?;
            let rows = match choice {
                Some(choice) => choice.foremost(&page.rows, limit),
                None => page.rows,
            };
            Ok::<_, Problem>((
                row.state,
                List {
                    items: rows.iter().map(|r| StrideItem::of(r, &verdicts)).collect(),
                    next_cursor: next,
                },
            ))
        })
        .await?;
    about(state, &headers, &list)
}

/// Which strides are worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Typical,
    Longest,
    Shortest,
    MostAsymmetric,
    Poor,
    Marked,
}

impl Choice {
    /// Those shown side by side.
    pub(super) const SHOWN: [Self; 5] = [
        Self::Typical,
        Self::Longest,
        Self::Shortest,
        Self::Poor,
        Self::MostAsymmetric,
    ];

    /// As written.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Typical => "typical",
            Self::Longest => "longest",
            Self::Shortest => "shortest",
            Self::MostAsymmetric => "most_asymmetric",
            Self::Poor => "poor",
            Self::Marked => "marked",
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "typical" => Ok(Self::Typical),
            "longest" => Ok(Self::Longest),
            "shortest" => Ok(Self::Shortest),
            "most_asymmetric" => Ok(Self::MostAsymmetric),
            "poor" => Ok(Self::Poor),
            "marked" => Ok(Self::Marked),
            other => Err(Problem::parameter(
                "select",
                format!("{other:?} is not typical, longest, shortest, most_asymmetric, poor or marked"),
            )),
        }
    }

    /// The foremost strides of this kind; those that lack what it looks at are left out.
    pub(super) fn foremost(self, rows: &[StrideRecord], limit: usize) -> Vec<StrideRecord> {
        let scores: Vec<Option<f64>> = match self {
            Self::Longest => rows.iter().map(|r| usable(r, MetricId::StrideLength)).collect(),
            Self::Shortest => rows
                .iter()
                .map(|r| usable(r, MetricId::StrideLength).map(|v| -v))
                .collect(),
            Self::Typical => typical(rows),
            Self::MostAsymmetric => asymmetry(rows),
            // All alike, so the earliest first.
            Self::Marked => rows.iter().map(|r| r.stride.flags.marked_bad.then_some(0.0)).collect(),
            Self::Poor => {
                let score = |r: &StrideRecord| (r.class >= DataClass::C).then(|| -r.stride.quality.product());
                rows.iter().map(score).collect()
            }
        };
        let mut scored: Vec<(f64, &StrideRecord)> =
            rows.iter().zip(scores).filter_map(|(r, s)| Some((s?, r))).collect();
        // Stable, so that of equals the earlier stands first.
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.truncate(limit);
        scored.into_iter().map(|(_, r)| r.clone()).collect()
    }
}

fn usable(record: &StrideRecord, id: MetricId) -> Option<f64> {
    record.counts().then(|| record.metrics.value(id)).flatten()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    crate::store::summary::quantile(&values, 0.5)
}

/// Nearness to the medians of the session in length, cadence and contact time, each in its own spread.
fn typical(rows: &[StrideRecord]) -> Vec<Option<f64>> {
    const OF: [MetricId; 3] = [MetricId::StrideLength, MetricId::Cadence, MetricId::ContactTime];
    let centres: Vec<(MetricId, f64, f64)> = OF
        .into_iter()
        .filter_map(|id| {
            let values: Vec<f64> = rows.iter().filter_map(|r| usable(r, id)).collect();
            let middle = median(values.clone())?;
            let spread = median(values.iter().map(|v| (v - middle).abs()).collect())?;
            Some((id, middle, spread.max(1e-9)))
        })
        .collect();
    if centres.is_empty() {
        return vec![None; rows.len()];
    }
    let distance = |r: &StrideRecord| {
        centres.iter().try_fold(0.0, |sum: f64, (id, middle, spread)| {
            Some(sum + (usable(r, *id)? - middle).abs() / spread)
        })
    };
    rows.iter().map(|r| distance(r).map(|d| -d)).collect()
}

/// Difference in contact time between a stride and the one of the other foot before it, as a share of both.
fn asymmetry(rows: &[StrideRecord]) -> Vec<Option<f64>> {
    let mut last: [Option<(f64, SessionTime)>; 2] = [None, None];
    rows.iter()
        .map(|r| {
            let side = r.stride.side?;
            let (own, other) = if side == Side::Left { (0, 1) } else { (1, 0) };
            let contact = usable(r, MetricId::ContactTime)?;
            last[own] = Some((contact, r.stride.start));
            let (before, at) = last[other]?;
            // Further apart it is not the step before.
            (r.stride.start.since(at) < 1.0).then(|| (contact - before).abs() / (contact + before).max(1e-9))
        })
        .collect()
}

/// One stride by its number and side; the first that has the number where no side is said. Blocks.
///
/// # Errors
/// 404 when there is none.
pub(super) fn find(
    app: &App,
    session: &SessionId,
    idx: u32,
    side: crate::store::SideFilter,
) -> Result<StrideRecord, Problem> {
    let mut query = RowQuery {
        side,
        ..RowQuery::all(session.clone())
    };
    loop {
        let page = app.reader().strides(&query)?;
        if let Some(found) = page.rows.into_iter().find(|r| r.index == idx) {
            return Ok(found);
        }
        let Completeness::Truncated { resume_at } = page.completeness else {
            return Err(Problem::not_found("such stride"));
        };
        query.span = Span::new(resume_at, query.span.end()).ok_or_else(|| Problem::not_found("such stride"))?;
    }
}
