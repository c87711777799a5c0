//! Files of one run, or of a squad, that other programs open: FIT for training diaries, a workbook for spreadsheets.
//!
//! The formats are written by `interchange`, which knows no record; here the record is asked what goes into them. Strides as
//! CSV come straight from the store ([`crate::store::csv`]).

#[cfg(feature = "xlsx")]
pub mod book;
mod fit;
#[cfg(feature = "xlsx")]
pub mod roster_book;

pub use fit::fit;

use crate::interchange::fit::activity::FitError;
use crate::store::StoreError;

/// Why a file cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The record cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// FIT cannot hold the run.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The workbook cannot hold it.
    #[cfg(feature = "xlsx")]
    #[error(transparent)]
    Workbook(#[from] crate::interchange::workbook::WorkbookError),
}
