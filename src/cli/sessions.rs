//! `lope sessions`: what is kept, one session, a table of it, and taking it away.

use super::failure::{Exit, Failure};
use super::safe_file::SafeFile;
use super::{Globals, words};
use crate::store::csv::{self, CsvDialect};
use crate::store::{
    Completeness, History, SessionId, SessionQuery, SessionRow, SideScope, SqliteReader, SqliteStore, Store,
    StoreError, SummaryRow,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;

/// Arguments of `lope sessions`.
#[derive(Args, Debug)]
pub struct SessionsArgs {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    /// All sessions, oldest first
    List,
    /// One session
    Show {
        /// Its id, or the beginning of it; `last` for the newest
        id: String,
    },
    /// The strides of a session as CSV
    Export {
        /// Its id, or the beginning of it; `last` for the newest
        id: String,
        /// The file to write; standard output without it
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Remove a session for good
    Delete {
        /// Its id, or the beginning of it; `last` for the newest
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        let (code, exit, what, advice) = match &error {
            StoreError::Busy { .. } => (
                "lope::store::busy",
                Exit::Busy,
                "Another lope works with this store.",
                "wait until it is done, or use another --data-dir",
            ),
            StoreError::Full { .. } => (
                "lope::store::full",
                Exit::Outside,
                "There is no room left to keep the session.",
                "free some space, or use another --data-dir",
            ),
            StoreError::Corrupt { .. } => (
                "lope::store::unreadable",
                Exit::Outside,
                "The store cannot be read.",
                "move it away and bring a copy back, or use another --data-dir",
            ),
            StoreError::Conflict { .. } => (
                "lope::store::conflict",
                Exit::Refused,
                "This session is kept already, with other numbers.",
                "remove it first: lope sessions delete ID, or look without keeping: --no-store",
            ),
            StoreError::Overlap { .. } => (
                "lope::store::overlap",
                Exit::Refused,
                "Another session covers this time already.",
                "lope sessions list shows it",
            ),
            StoreError::TooNew { .. } => (
                "lope::store::too_new",
                Exit::Lacking,
                "The store was written by a newer lope.",
                "use that one",
            ),
            StoreError::Missing { .. } => (
                "lope::store::missing",
                Exit::Unknown,
                "There is no such session.",
                "lope sessions list shows what there is",
            ),
            StoreError::Rejected { .. } => (
                "lope::store::rejected",
                Exit::Unexpected,
                "A row could not be kept.",
                "please report this with the recording",
            ),
            StoreError::Unavailable { .. } | StoreError::Io { .. } => (
                "lope::store::unavailable",
                Exit::Outside,
                "The store cannot be reached.",
                "check the folder, or use another one with --data-dir",
            ),
        };
        Self::new(code, exit, what).why(text).try_this(advice)
    }
}

/// Runs `lope sessions`.
///
/// # Errors
/// No such session, a store that cannot be reached, a file that cannot be written.
pub fn run(globals: &Globals, args: &SessionsArgs) -> Result<Exit, Failure> {
    let dir = globals.data_dir()?;
    match args.what.as_ref().unwrap_or(&What::List) {
        What::List => {
            let rows = match SqliteReader::open(&dir) {
                Ok(reader) => all(&reader)?,
                Err(StoreError::Missing { .. }) => Vec::new(),
                Err(e) => return Err(e.into()),
            };
            list(globals, &rows)
        }
        What::Show { id } => {
            let reader = SqliteReader::open(&dir)?;
            let row = find(&reader, id)?;
            let summary = reader.summary(&row.meta.id)?;
            globals.console.result(&show(globals, &row, &summary))?;
            Ok(Exit::Done)
        }
        What::Export { id, out } => {
            let reader = SqliteReader::open(&dir)?;
            let row = find(&reader, id)?;
            export(globals, &reader, &row.meta.id, out.as_ref())
        }
        What::Delete { id, yes } => {
            let session = find(&SqliteReader::open(&dir)?, id)?.meta.id;
            if !yes {
                confirm(&session)?;
            }
            let store = SqliteStore::open(&dir, "lope sessions delete")?;
            let gone = store.delete_session(&session)?;
            globals.console.result(&if globals.console.json {
                format!("{:#}\n", json!({"deleted": session.as_str(), "rows": gone.rows}))
            } else {
                format!("deleted {session}: {} rows\n", gone.rows)
            })?;
            Ok(Exit::Done)
        }
    }
}

fn all(history: &impl History) -> Result<Vec<SessionRow>, StoreError> {
    let mut query = SessionQuery::default();
    let mut rows = Vec::new();
    loop {
        let page = history.sessions(&query)?;
        rows.extend(page.rows);
        match page.completeness {
            Completeness::Complete => return Ok(rows),
            Completeness::Truncated { resume_at } => query.from = resume_at,
        }
    }
}

/// The session with this id or the only one whose id begins so; `last` is the newest.
///
/// # Errors
/// There is none, or there are several.
pub(super) fn find(history: &impl History, id: &str) -> Result<SessionRow, Failure> {
    let mut rows = all(history)?;
    if id == "last"
        && let Some(row) = rows.pop()
    {
        return Ok(row);
    }
    let mut fits = rows.into_iter().filter(|r| r.meta.id.as_str().starts_with(id));
    match (fits.next(), fits.next()) {
        (Some(row), None) => Ok(row),
        (Some(a), Some(b)) => Err(Failure::new(
            "lope::store::ambiguous",
            Exit::Unknown,
            format!("Several sessions begin with {id}."),
        )
        .why(format!("{} and {}", a.meta.id, b.meta.id))
        .try_this("give more of the id")),
        (None, _) => Err(StoreError::Missing {
            what: format!("session {id}"),
        }
        .into()),
    }
}

fn confirm(session: &SessionId) -> Result<(), Failure> {
    let declined = || {
        Failure::new("lope::store::not_confirmed", Exit::Declined, "Nothing was deleted.")
            .why("deleting cannot be undone and was not confirmed")
            .try_this("type the id when asked, or add --yes")
    };
    if !std::io::stdin().is_terminal() {
        return Err(declined());
    }
    let _ = std::io::Write::write_all(
        &mut std::io::stderr().lock(),
        format!("This removes session {session} for good. Type its id to go on: ").as_bytes(),
    );
    let mut typed = String::new();
    let read = std::io::stdin().lock().read_line(&mut typed);
    if read.is_ok() && typed.trim() == session.as_str() {
        Ok(())
    } else {
        Err(declined())
    }
}

fn seconds(row: &SessionRow) -> f64 {
    row.stop.map_or(0.0, |t| t.secs())
}

fn row_json(row: &SessionRow) -> serde_json::Value {
    json!({
        "id": row.meta.id.as_str(), "start": row.meta.start.iso8601(), "start_is": row.meta.wall_clock,
        "note": row.meta.note, "stop_s": row.stop.map(|t| t.secs()), "strides": row.strides, "state": row.state,
        "analysis": row.current_analysis, "version": row.pipeline_version, "sensors": row.meta.sensors,
    })
}

fn list(globals: &Globals, rows: &[SessionRow]) -> Result<Exit, Failure> {
    if globals.console.json {
        let rows: Vec<_> = rows.iter().map(row_json).collect();
        globals
            .console
            .result(&format!("{:#}\n", json!({ "sessions": rows })))?;
        return Ok(Exit::Done);
    }
    let mut t = String::new();
    // Writing to a String cannot fail.
    for row in rows {
        let _ = writeln!(
            t,
            "{}  {}  {:>9}  {:>6} strides  {:<9}  {}",
            row.meta.id,
            &row.meta.start.iso8601()[..16],
            words::duration(seconds(row)),
            row.strides.map_or_else(|| "?".to_owned(), |n| n.to_string()),
            row.state.name(),
            row.meta.note.as_deref().unwrap_or("")
        );
    }
    let next = if rows.is_empty() {
        "lope demo, or lope analyze RECORDING"
    } else {
        "lope sessions show ID (the beginning is enough)"
    };
    let _ = writeln!(t, "{} sessions   next: {next}", rows.len());
    globals.console.result(&t)?;
    Ok(Exit::Done)
}

fn show(globals: &Globals, row: &SessionRow, summary: &[SummaryRow]) -> String {
    if globals.console.json {
        let metrics: Vec<_> = summary
            .iter()
            .map(|s| {
                let side = match s.side {
                    SideScope::Both => "both",
                    SideScope::Only(side) => side.name(),
                };
                json!({
                    "metric": s.metric.def().name, "unit": s.metric.def().unit, "side": side, "n": s.n,
                    "median": s.median, "mad": s.mad, "mean": s.mean, "p10": s.p10, "p90": s.p90,
                })
            })
            .collect();
        let mut value = row_json(row);
        value["metrics"] = json!(metrics);
        value["purpose"] = json!(words::PURPOSE);
        return format!("{value:#}\n");
    }
    let mut t = String::new();
    let _ = writeln!(
        t,
        "{}  {}  {}\n  {} · {} strides · made by lope {}\n",
        row.meta.id,
        row.meta.note.as_deref().unwrap_or(""),
        words::duration(seconds(row)),
        row.state.name(),
        row.strides.map_or_else(|| "?".to_owned(), |n| n.to_string()),
        row.pipeline_version.as_deref().unwrap_or("?")
    );
    let _ = writeln!(
        t,
        "  {:<28}{:>10}{:>10}{:>10}",
        "median of usable strides", "both", "left", "right"
    );
    let mut at = 0;
    while let Some(first) = summary.get(at) {
        let of_metric = summary[at..].iter().take_while(|s| s.metric == first.metric);
        let mut cells = ["-".to_owned(), "-".to_owned(), "-".to_owned()];
        let mut n = 0;
        for s in of_metric {
            let column = match s.side {
                SideScope::Both => 0,
                SideScope::Only(crate::model::Side::Left) => 1,
                SideScope::Only(crate::model::Side::Right) => 2,
            };
            cells[column] = words::number(s.metric, s.median);
            n += 1;
        }
        at += n;
        let def = first.metric.def();
        let [both, left, right] = &cells;
        let _ = writeln!(
            t,
            "  {:<28}{both:>10}{left:>10}{right:>10}  {}",
            def.label, def.shown_unit
        );
    }
    let _ = writeln!(
        t,
        "\n  next: lope sessions export {}\n\n{}",
        row.meta.id,
        words::PURPOSE
    );
    t
}

fn export(globals: &Globals, history: &SqliteReader, id: &SessionId, out: Option<&PathBuf>) -> Result<Exit, Failure> {
    let Some(path) = out else {
        let mut text = Vec::new();
        csv::write_strides(history, id, CsvDialect::default(), &mut text)?;
        globals.console.result(&String::from_utf8_lossy(&text))?;
        return Ok(Exit::Done);
    };
    let mut file = SafeFile::create(path)?;
    let mut answer = Ok(0);
    file.write(|mut w| {
        answer = csv::write_strides(history, id, CsvDialect::default(), &mut w);
        Ok(())
    })?;
    let n = answer?;
    file.keep()?;
    globals
        .console
        .advice(&format!("wrote {n} strides to {}", path.display()));
    Ok(Exit::Done)
}
