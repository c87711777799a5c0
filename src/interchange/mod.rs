//! Recordings as files: lope's folder format, CSV of other loggers by a mapping, and the stride table;
//! runs made without lope from the files of watches, and runs made with it as files that other programs open.
//!
//! Reading is streaming: a recording is merged line by line from its sensors' files, so that ten hours need no more
//! memory than two seconds. What the samples mean is not decided here; holes, disorder and values that are not finite are
//! passed on for the signal loop to count. Deliberately absent: silent conversion. A file that looks like other units is
//! refused with the mapping line that would read it.

pub mod csv;
pub mod error;
pub mod fit;
pub mod flag_history;
pub mod flag_rules;
pub mod mapping;
mod near_miss;
pub mod plausible;
pub mod recording;
mod stream;
pub mod stride_table;
#[cfg(feature = "tracks")]
pub mod tracks;
#[cfg(feature = "xlsx")]
pub mod workbook;

pub use error::ReadError;
pub use mapping::Mapping;
pub use recording::{Recording, SensorFile};
pub use stream::RecordingStream;
