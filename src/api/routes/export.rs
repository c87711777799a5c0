//! Files that other programs open: a run as CSV, FIT or workbook, a squad as a workbook; never more than who asks may see.

use super::measured::seen;
use crate::api::access::gate::{Gate, Sight};
use crate::api::access::roles::Resource;
use crate::api::answer::ROWS_MAX;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Path, Query};
use crate::api::problem::Problem;
use crate::review::files::{self, FileError};
use crate::store::csv::{CsvDialect, write_strides};
use crate::store::{SessionId, SessionRow};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

/// Strides that go into one answer.
pub(super) const STRIDES_MAX: u64 = 2 * ROWS_MAX as u64;

const CSV: &str = "text/csv; charset=utf-8";
const FIT: &str = "application/vnd.ant.fit";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// In which form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `csv`, `fit` or `xlsx`; `csv` where it is missing.
    format: Option<String>,
}

/// Which athletes, in which form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct WantedSquad {
    /// Of this group; all whom the caller reaches where it is missing.
    group: Option<String>,
    /// `xlsx`, the only one.
    format: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/sessions/{session}/export",
            Resource::Strides,
            "A session as a file: all strides as CSV, an activity as FIT, or a workbook.",
            session,
        )
        .query::<Wanted>()
        .answers_as(200, "text/csv")
        .answers_as(200, FIT)
        .answers_as(200, XLSX),
        Endpoint::get(
            "/squad/export",
            Resource::Roster,
            "The squad as a workbook, one row an athlete.",
            squad,
        )
        .query::<WantedSquad>()
        .answers_as(200, XLSX),
    ]
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Store(e) => e.into(),
            other => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "lope::export::no_room",
                format!("The session does not fit into this format: {other}."),
            ),
        }
    }
}

/// A file to be kept by who asked, and by nothing in between.
pub(super) fn attached(bytes: Vec<u8>, media: &'static str, name: &str) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

async fn session(
    State(app): State<App>,
    gate: Gate,
    Path(session): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let session = extract::session(&session)?;
    match wanted.format.as_deref() {
        None | Some("csv") => csv(app, gate, session).await,
        Some("fit") => {
            let name = format!("{session}.fit");
            let bytes = app
                .ask(move |app| {
                    let (row, _) = taken(app, &gate, &session, "fit")?;
                    Ok::<_, Problem>(files::fit(app.reader(), &row)?)
                })
                .await?;
            Ok(attached(bytes, FIT, &name))
        }
        Some("xlsx") => {
            let name = format!("{session}.xlsx");
            let bytes = app.ask(move |app| workbook(app, &gate, &session)).await?;
            Ok(attached(bytes, XLSX, &name))
        }
        Some(other) => Err(Problem::parameter(
            "format",
            format!("{other:?} is not csv, fit or xlsx"),
        )),
    }
}

/// A session that the caller reaches and takes away as a file, which is noted as that. Blocks.
///
/// # Errors
/// 404 for a session out of reach.
fn taken(app: &App, gate: &Gate, session: &SessionId, format: &str) -> Result<(SessionRow, Sight), Problem> {
    let (row, sight) = seen(app, gate, session)?;
    gate.note_export(app, &row.meta.athlete, format)?;
    Ok((row, sight))
}

/// All strides of a session as CSV.
///
/// # Errors
/// 404 for a session out of reach; 422 for one that is too long.
pub(super) async fn csv(app: App, gate: Gate, session: SessionId) -> Result<Response, Problem> {
    let name = format!("{session}-strides.csv");
    let text = app
        .ask(move |app| {
            let (row, _) = taken(app, &gate, &session, "csv")?;
            short_enough(&row)?;
            let mut text = Vec::new();
            write_strides(app.reader(), &session, CsvDialect::Plain, &mut text)?;
            Ok::<_, Problem>(text)
        })
        .await?;
    Ok(attached(text, CSV, &name))
}

/// That an answer can hold all strides.
fn short_enough(row: &SessionRow) -> Result<(), Problem> {
    if row.strides.is_none_or(|n| n <= STRIDES_MAX) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "lope::api::too_many",
        "The session has too many strides for one answer; use lope export.",
    ))
}

#[cfg(feature = "xlsx")]
fn workbook(app: &App, gate: &Gate, session: &SessionId) -> Result<Vec<u8>, Problem> {
    let (row, sight) = taken(app, gate, session, "xlsx")?;
    short_enough(&row)?;
    let day = crate::review::local_day::LocalDays::default().of(&row.meta);
    let looked = app.looked(&row.meta.athlete, Some(day), sight)?;
    Ok(files::book::book(app.review(), &looked.past, &row, looked.sight)?)
}

async fn squad(State(app): State<App>, gate: Gate, Query(wanted): Query<WantedSquad>) -> Result<Response, Problem> {
    if let Some(other) = wanted.format.as_deref().filter(|f| *f != "xlsx") {
        return Err(Problem::parameter("format", format!("{other:?} is not xlsx")));
    }
    let bytes = app
        .ask(move |app| {
            let rows = super::flags::squad_rows(app, &gate, wanted.group.as_deref())?;
            for row in &rows {
                gate.note_export(app, &row.athlete, "roster")?;
            }
            roster(&rows)
        })
        .await?;
    Ok(attached(bytes, XLSX, "roster.xlsx"))
}

#[cfg(feature = "xlsx")]
fn roster(rows: &[crate::review::SquadRow]) -> Result<Vec<u8>, Problem> {
    Ok(files::roster_book::roster_book(rows)?)
}

#[cfg(not(feature = "xlsx"))]
fn roster(_: &[crate::review::SquadRow]) -> Result<Vec<u8>, Problem> {
    Err(lacking())
}

#[cfg(not(feature = "xlsx"))]
fn workbook(app: &App, gate: &Gate, session: &SessionId) -> Result<Vec<u8>, Problem> {
    // Who may not know that the session is there is told so first.
    seen(app, gate, session)?;
    Err(lacking())
}

#[cfg(not(feature = "xlsx"))]
fn lacking() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "lope::export::no_xlsx",
        "This build writes no workbooks; ask for csv, which spreadsheets open as well.",
    )
}
