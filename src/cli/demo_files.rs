//! What a demonstration leaves for other programs: its run as FIT, its strides as CSV, the runner's report.

use super::Globals;
use super::export_run::{self, Format, Symptoms};
use super::failure::Failure;
use crate::interchange::flag_rules;
use crate::report::{Ask, Form, Naming, Paper, Reader, compose, gather, html};
use crate::review::Review;
use crate::review::local_day::LocalDays;
use crate::store::SqliteReader;
use std::path::{Path, PathBuf};

/// The beginning of their names. Files of an earlier demonstration are written over: they are nobody's run.
const STEM: &str = "demo";

/// Writes them into a folder; gives their names.
///
/// # Errors
/// What the disk says; the session is not in the record.
pub fn write(globals: &Globals, session: &str, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let dir = globals.data_dir()?;
    let reader = SqliteReader::open(&dir)?;
    let row = super::sessions::find(&reader, session)?;
    let mut names = Vec::new();
    for format in [Format::Fit, Format::Csv] {
        let name = format.file_name(STEM);
        let bytes = export_run::bytes(globals, &reader, &row, format, Symptoms::Included)?;
        export_run::keep(&folder.join(&name), &bytes)?;
        names.push(name);
    }
    let review = Review::open(&dir, flag_rules::built_in())?;
    let past = review.past(&row.meta.athlete, LocalDays::default().of(&row.meta))?;
    let ask = Ask {
        reader: Reader::Runner,
        session: Some(row.meta.id),
        compare: None,
        paper: Paper::A4,
        form: Form::Report,
        naming: Naming::Name,
        agreed: Vec::new(),
        question: None,
        clinician: None,
    };
    let page = html::html(&compose(&gather(&review, &past, &ask)?, &ask));
    let name = PathBuf::from(format!("{STEM}-report.html"));
    export_run::keep(&folder.join(&name), page.as_bytes())?;
    names.push(name);
    Ok(names)
}
