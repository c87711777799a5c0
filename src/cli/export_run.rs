//! `lope export SESSION`: one run as a file that other programs open.
//!
//! The file is readable by its owner only and never written over another one unasked, as with `lope report`.

use super::failure::{Exit, Failure};
use super::safe_file::{self, SafeFile};
use super::{Globals, sessions};
use crate::review::files::{self, FileError};
use crate::store::csv::{CsvDialect, write_strides};
use crate::store::{SessionRow, SqliteReader};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// An activity for training diaries and watches' programs, once a second
    Fit,
    /// A workbook: summary, strides, flags, symptoms, definitions
    Xlsx,
    /// Every stride with everything measured on it
    Csv,
}

/// Arguments of `lope export SESSION`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// What kind of file; where it is not said, the ending of FILE says it
    #[arg(long, value_enum, conflicts_with = "all")]
    format: Option<Format>,
    /// The file; where none is named, one in the present folder, named after the session
    #[arg(short, long, value_name = "FILE", visible_alias = "out", conflicts_with = "all")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, conflicts_with = "all")]
    force: bool,
    /// Leave symptoms out of the workbook: what follows from them is left out of its flags as well
    #[arg(long, conflicts_with = "all")]
    no_symptoms: bool,
}

/// What of the runner goes into a workbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symptoms {
    /// Symptoms too, where the runner has not withdrawn them.
    Included,
    /// All but symptoms and what follows from them.
    LeftOut,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::from_str(&extension, true).ok()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
        }
    }

    /// The name of the file of something called `stem`.
    #[must_use]
    pub fn file_name(self, stem: &str) -> PathBuf {
        PathBuf::from(match self {
            // Beside the others of the same run, it says what is in it.
            Self::Csv => format!("{stem}-strides.csv"),
            _ => format!("{stem}.{}", self.name()),
        })
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Store(e) => e.into(),
            FileError::Fit(e) => Self::new(
                "lope::export::no_fit",
                Exit::Refused,
                "The session does not fit into a FIT file.",
            )
            .why(e.to_string())
            .try_this("--format csv holds every session"),
            #[cfg(feature = "xlsx")]
            FileError::Workbook(e) => Self::new(
                "lope::export::no_workbook",
                Exit::Refused,
                "The session does not fit into a workbook.",
            )
            .why(e.to_string())
            .try_this("--format csv holds every session"),
        }
    }
}

/// The bytes of a session's file.
///
/// # Errors
/// Those of the store; a session that the format cannot hold; a format that this build lacks.
pub fn bytes(
    globals: &Globals,
    reader: &SqliteReader,
    row: &SessionRow,
    format: Format,
    symptoms: Symptoms,
) -> Result<Vec<u8>, Failure> {
    match format {
        Format::Fit => Ok(files::fit(reader, row)?),
        Format::Csv => {
            let mut text = Vec::new();
            write_strides(reader, &row.meta.id, CsvDialect::default(), &mut text)?;
            Ok(text)
        }
        Format::Xlsx => workbook(globals, row, symptoms),
    }
}

#[cfg(feature = "xlsx")]
fn workbook(globals: &Globals, row: &SessionRow, symptoms: Symptoms) -> Result<Vec<u8>, Failure> {
    use crate::review::local_day::LocalDays;
    use crate::review::{Review, Sight};
    let review = Review::open(&globals.data_dir()?, crate::interchange::flag_rules::built_in())?;
    let past = review.past(&row.meta.athlete, LocalDays::default().of(&row.meta))?;
    let sight = match symptoms {
        Symptoms::Included => Sight::Everything,
        Symptoms::LeftOut => Sight::NoSymptoms,
    };
    Ok(files::book::book(&review, &past, row, sight)?)
}

#[cfg(not(feature = "xlsx"))]
fn workbook(_: &Globals, _: &SessionRow, _: Symptoms) -> Result<Vec<u8>, Failure> {
    Err(Failure::new(
        "lope::export::no_xlsx",
        Exit::Lacking,
        "This build writes no workbooks.",
    )
    .why("it was built without the feature `xlsx`")
    .try_this("--format csv, which spreadsheets open as well"))
}

/// Keeps bytes as a file that only its owner reads.
///
/// # Errors
/// What the disk says.
pub fn keep(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = SafeFile::create_private(path)?;
    file.write(|out| out.write_all(bytes))?;
    file.keep()
}

/// Runs `lope export SESSION`.
///
/// # Errors
/// No such session, no format, a file that is there, and those of [`bytes`].
pub fn run(globals: &Globals, session: &str, args: &RunArgs) -> Result<Exit, Failure> {
    let format = args
        .format
        .or_else(|| Format::of(args.output.as_deref()?))
        .ok_or_else(|| {
            Failure::new("lope::export::format", Exit::Usage, "Nothing says what kind of file.")
                .try_this("--format fit, --format xlsx or --format csv")
        })?;
    let reader = SqliteReader::open(&globals.data_dir()?)?;
    let row = sessions::find(&reader, session)?;
    let path = match &args.output {
        Some(path) => path.clone(),
        None => format.file_name(row.meta.id.as_str()),
    };
    if !args.force {
        safe_file::not_there(&path, "lope::export::exists")?;
    }
    let symptoms = if args.no_symptoms {
        Symptoms::LeftOut
    } else {
        Symptoms::Included
    };
    let bytes = bytes(globals, &reader, &row, format, symptoms)?;
    keep(&path, &bytes)?;
    if globals.console.json {
        let object = json!({
            "file": path.display().to_string(), "format": format.name(), "bytes": bytes.len(), "session": row.meta.id.as_str(),
        });
        globals.console.result(&format!("{object:#}\n"))?;
        return Ok(Exit::Done);
    }
    let size = super::words::bytes(bytes.len() as u64);
    globals.console.result(&format!("{}  {size}\n", path.display()))?;
    if format == Format::Fit {
        globals.console.advice(&format!(
            "one value a second; every stride: lope export {} --format csv",
            row.meta.id
        ));
    }
    Ok(Exit::Done)
}
