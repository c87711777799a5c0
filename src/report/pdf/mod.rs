//! A report as PDF: tagged, selectable, checked as PDF/UA-1 while it is written.
//!
//! A flow layout of our own: lines are broken with the letters' own widths (`wrap`), parts become chunks that stand whole
//! (`flow`, `table`), chunks fill pages (`pages`), and `write` paints pages and builds the tree of tags. The writer
//! refuses a file in which a tag, a title or a description is missing, so an inaccessible report cannot come out.
//!
//! The face is Roboto (Apache-2.0), cut down to Latin, Greek and Cyrillic, with a few shapes of ours added
//! (`src/report/fonts`). A letter it does not have is drawn as a box and stays itself for copying and reading aloud.

mod face;
mod flow;
mod pages;
mod table;
mod wrap;
mod write;

use super::document::Document;
use std::fmt;

/// Why there is no PDF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PdfError {
    /// What the writer said.
    pub what: String,
}

impl fmt::Display for PdfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the PDF was refused by its own check: {}", self.what)
    }
}

impl std::error::Error for PdfError {}

/// The bytes of the file.
///
/// # Errors
/// The check against PDF/UA-1 found something: a fault of this program.
pub fn pdf(document: &Document) -> Result<Vec<u8>, PdfError> {
    let faces = face::Faces::load().ok_or_else(|| PdfError {
        what: "the built-in fonts cannot be read".to_owned(),
    })?;
    let laid = flow::lay_out(document, &faces);
    let pages = pages::fill(document, &faces, laid);
    write::write(document, &faces, &pages)
}

/// Each heading with the number of its page, from 0.
#[cfg(test)]
pub(in crate::report) fn headings(document: &Document) -> Vec<(String, usize)> {
    let faces = face::Faces::load().expect("fonts");
    let pages = pages::fill(document, &faces, flow::lay_out(document, &faces));
    let of = |(_, words, page, _): (u8, String, usize, f64)| (words, page);
    pages.outline.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests;
