//! The pages.

use super::html::{Cell, Page, chart, escape, number};
use crate::api::access::gate::Gate;
use crate::api::app::App;
use crate::api::extract::{self, Path};
use crate::api::problem::Problem;
use crate::api::routes;
use crate::metrics::MetricId;
use crate::model::{SessionTime, Side, Span};
use crate::review::card::card;
use crate::review::flags::flags_now;
use crate::review::{Card, SafetyNow};
use crate::store::sqlite::NewestQuery;
use crate::store::summary::{SideScope, SummaryRow};
use crate::store::{AthleteId, BucketQuery, History as _, RowQuery, SessionRow};
use axum::extract::State;
use axum::response::Response;

/// Sessions on the first page.
const SESSIONS: usize = 100;
/// Points of a chart.
const POINTS: i64 = 180;

/// `/plain`: sessions, the latest first.
pub(super) async fn sessions(State(app): State<App>, gate: Gate) -> Result<Response, Problem> {
    let rows = app
        .ask(move |app| {
            let athletes = app
                .reader()
                .athletes()?
                .into_iter()
                .map(|(a, _)| a)
                .collect::<Vec<AthleteId>>();
            let reached = gate.reached(app, athletes)?;
            for (athlete, _) in &reached {
                gate.note(app, athlete)?;
            }
            let query = NewestQuery {
                athletes: Some(reached.into_iter().map(|(a, _)| a).collect()),
                limit: SESSIONS,
                ..NewestQuery::default()
            };
            Ok::<_, Problem>(app.reader().newest_sessions(&query)?)
        })
        .await?;
    let mut page = Page::new("Sessions");
    if rows.is_empty() {
        page.push("<p>There is no session yet. <code>lope demo</code> makes one without any sensor.</p>");
    } else {
        let heads = ["Begin (UTC)", "Runner", "Minutes", "Strides", "State", "Remark"];
        page.table(
            "The latest sessions",
            &heads,
            &rows.iter().map(session_cells).collect::<Vec<_>>(),
        );
    }
    Ok(page.answer())
}

fn begin(row: &SessionRow) -> String {
    let text = row.meta.start.iso8601();
    text.get(..16).map_or_else(|| text.clone(), |t| t.replace('T', " "))
}

fn session_cells(row: &SessionRow) -> Vec<Cell> {
    vec![
        Cell::Link(format!("/plain/session/{}", row.meta.id), begin(row)),
        Cell::Text(row.meta.athlete.to_string()),
        Cell::Text(number(row.stop.map(|t| t.secs() / 60.0), 1)),
        Cell::Text(row.strides.map_or_else(|| "–".to_owned(), |n| n.to_string())),
        Cell::Text(row.state.name().to_owned()),
        Cell::Text(row.meta.note.clone().unwrap_or_default()),
    ]
}

/// `/plain/live`: runs that happen now, asked for anew every two seconds.
pub(super) async fn live(State(app): State<App>, gate: Gate) -> Result<Response, Problem> {
    let runs = app
        .ask(move |app| {
            let mut seen = Vec::new();
            for run in app.hub().runs() {
                if gate.sight(app, &run.athlete).is_ok() {
                    gate.note(app, &run.athlete)?;
                    seen.push(run);
                }
            }
            Ok::<_, Problem>(seen)
        })
        .await?;
    let mut page = Page::new("Live");
    page.refresh(2);
    if runs.is_empty() {
        page.push("<p>Nobody runs now. This page looks again by itself.</p>");
    }
    for run in runs {
        page.push(&format!("<h2>{}</h2>", escape(&run.name)));
        let Some(now) = app.hub().newest(&run.session) else {
            page.push("<p>No strides yet.</p>");
            continue;
        };
        page.push("<dl class=\"big\">");
        let degrees = |v: Option<f64>| v.map(f64::to_degrees);
        let ms = |v: Option<f64>| v.map(|v| v * 1e3);
        for (name, text) in [
            ("Cadence, steps/min", number(now.cadence_spm, 0)),
            ("Speed, m/s", number(now.speed_ms, 2)),
            ("Step length, m", number(now.step_length_m, 2)),
            ("Contact left, ms", number(ms(now.contact_left_s), 0)),
            ("Contact right, ms", number(ms(now.contact_right_s), 0)),
            ("Pelvic tilt, °", number(degrees(now.tilt_rad), 1)),
            ("Pelvic drop left, °", number(degrees(now.drop_left_rad), 1)),
            ("Pelvic drop right, °", number(degrees(now.drop_right_rad), 1)),
            ("Distance, km", number(now.distance_km, 2)),
            ("Time, min", number(Some(now.t_s / 60.0), 1)),
            ("Data", now.data.to_owned()),
        ] {
            page.push(&format!(
                "<div><dt>{}</dt><dd>{}</dd></div>",
                escape(name),
                escape(&text)
            ));
        }
        page.push("</dl>");
    }
    Ok(page.answer())
}

/// `/plain/session/{id}`: what a session amounts to.
pub(super) async fn session(State(app): State<App>, gate: Gate, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = extract::session(&id)?;
    let (row, card, summary, charts) = app
        .ask(move |app| {
            let (row, sight) = routes::seen(app, &gate, &id)?;
            let looked = app.looked(&row.meta.athlete, None, sight)?;
            let card = card(app.review(), &looked.past, &id, looked.sight, &looked.changes)?;
            let summary = app.reader().summary(&id)?;
            let charts = charts(app, &row)?;
            Ok::<_, Problem>((row, card, summary, charts))
        })
        .await?;
    let mut page = Page::new(&format!("Session of {}", begin(&row)));
    let strides = row.strides.map_or_else(|| "no".to_owned(), |n| n.to_string());
    let minutes = number(row.stop.map(|t| t.secs() / 60.0), 1);
    page.push(&format!(
        "<p>{} · {minutes} minutes · {strides} strides · {}</p>",
        escape(row.meta.athlete.as_str()),
        row.state.name()
    ));
    if let Some(card) = &card {
        card_of(&mut page, card);
    }
    for chart in charts {
        page.push(&chart);
    }
    let heads = ["Metric", "Side", "Median", "Spread", "10 % to 90 %", "Strides", "Unit"];
    page.table(
        "Medians over usable strides",
        &heads,
        &summary.iter().map(summary_cells).collect::<Vec<_>>(),
    );
    Ok(page.answer())
}

/// `/plain/flags`: the flags that stand, for everybody whom the caller reaches.
pub(super) async fn flags(State(app): State<App>, gate: Gate) -> Result<Response, Problem> {
    let all = app
        .ask(move |app| {
            let athletes = routes::everybody(app)?.into_keys().collect();
            let mut all = Vec::new();
            for (athlete, sight) in gate.reached(app, athletes)? {
                gate.note(app, &athlete)?;
                let looked = app.looked(&athlete, None, sight)?;
                all.push((looked.past.name(), flags_now(app.rules(), &looked.past, looked.sight)));
            }
            Ok::<_, Problem>(all)
        })
        .await?;
    let mut page = Page::new("Flags");
    let rules = app.rules();
    page.push(&format!("<p>{}</p>", escape(&rules.subtitle)));
    if all.is_empty() {
        page.push("<p>Nothing is known of anybody yet.</p>");
    }
    for (name, now) in all {
        page.push(&format!("<h2>{}</h2>", escape(&name)));
        if let Some(safety) = &now.safety {
            safety_box(&mut page, safety);
        }
        page.push(&format!("<p>{} · as of {}</p>", escape(&now.summary.text), now.day));
        let raised: Vec<Vec<Cell>> = now
            .flags
            .iter()
            .filter(|f| f.level.raised())
            .map(|f| {
                vec![
                    Cell::Text(format!("{} {}", f.id, f.title)),
                    Cell::Text(f.level.word().to_owned()),
                    Cell::Text(f.since.map_or_else(|| "–".to_owned(), |d| d.to_string())),
                    Cell::Text(f.evidence_word.clone()),
                    Cell::Text(f.message.clone().unwrap_or_default()),
                ]
            })
            .collect();
        if !raised.is_empty() {
            page.table(
                "Flags that stand",
                &["Flag", "Level", "Since", "Evidence", "What it says"],
                &raised,
            );
        }
    }
    page.push(&format!("<p>{}</p>", escape(&rules.footer)));
    Ok(page.answer())
}

fn safety_box(page: &mut Page, safety: &SafetyNow) {
    page.push(&format!(
        "<div class=\"safety\" role=\"alert\"><p>{}</p><p>{}</p></div>",
        escape(&safety.title),
        escape(&safety.text)
    ));
}

fn card_of(page: &mut Page, card: &Card) {
    if let Some(safety) = &card.safety {
        safety_box(page, safety);
    }
    page.push(&format!("<p>{}</p>", escape(&card.headline)));
    let rows: Vec<Vec<Cell>> = card
        .rows
        .iter()
        .map(|r| {
            let shown = |v| number(v, 2);
            vec![
                Cell::Text(r.title.clone()),
                Cell::Text(shown(r.value)),
                Cell::Text(shown(r.usual)),
                Cell::Text(r.unit.clone()),
                Cell::Text(r.word.word().to_owned()),
                Cell::Text(r.why.clone().unwrap_or_default()),
            ]
        })
        .collect();
    page.table(
        "Against your usual",
        &["Metric", "This run", "Usual", "Unit", "In a word", "Why"],
        &rows,
    );
    if let Some(thing) = &card.one_thing {
        page.push(&format!("<p>{}</p>", escape(thing)));
    }
}

fn summary_cells(row: &SummaryRow) -> Vec<Cell> {
    let def = row.metric.def();
    let shown = |v: f64| number(Some(v * def.shown_factor), 2);
    let side = match row.side {
        SideScope::Both => "both",
        SideScope::Only(Side::Left) => "left",
        SideScope::Only(Side::Right) => "right",
    };
    vec![
        Cell::Text(def.label.to_owned()),
        Cell::Text(side.to_owned()),
        Cell::Text(shown(row.median)),
        Cell::Text(shown(row.mad)),
        Cell::Text(format!("{} to {}", shown(row.p10), shown(row.p90))),
        Cell::Text(row.n.to_string()),
        Cell::Text(def.shown_unit.to_owned()),
    ]
}

/// Cadence and speed over the session. Blocks.
fn charts(app: &App, row: &SessionRow) -> Result<Vec<String>, Problem> {
    const DRAWN: [MetricId; 2] = [MetricId::Cadence, MetricId::Speed];
    let Some(span) = row
        .stop
        .and_then(|stop| Span::new(SessionTime::ZERO, stop))
        .filter(|s| s.secs() > 0.0)
    else {
        return Ok(Vec::new());
    };
    let width_us = ((span.secs() * 1e6) as i64 / POINTS).max(1);
    let buckets = app.reader().buckets(&BucketQuery {
        rows: RowQuery {
            span,
            ..RowQuery::all(row.meta.id.clone())
        },
        metrics: DRAWN.to_vec(),
        width_us,
    })?;
    let width_s = width_us as f64 / 1e6;
    let t_s: Vec<f64> = (0..=POINTS).map(|i| i as f64 * width_s).collect();
    let mut drawn = Vec::new();
    for (column, id) in DRAWN.into_iter().enumerate() {
        let mut values = vec![None; t_s.len()];
        for bucket in &buckets.rows {
            let at = (bucket.start.secs() / width_s).round() as usize;
            if let (Some(place), Some(Some(v))) = (values.get_mut(at), bucket.values.get(column)) {
                *place = Some(v.mean * id.def().shown_factor);
            }
        }
        drawn.extend(chart(id.def().label, id.def().shown_unit, &t_s, &values));
    }
    Ok(drawn)
}
