//! `lope orientation`: the attitude of one sensor at every sample, for checking the filter against a reference.
//!
//! Not shown in `--help`: a tool of those who work on lope.

use super::Globals;
use super::analyze::open;
use super::failure::{Exit, Failure};
use super::safe_file::SafeFile;
use crate::model::Vec3;
use crate::orientation::vqf::{Vqf, VqfParams};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `lope orientation`.
#[derive(Args, Debug)]
pub struct OrientationArgs {
    /// A recording; its first sensor is used, wherever it was worn
    pub recording: PathBuf,
    /// The table to write: time_s,w,x,y,z; the quaternion turns the sensor into an earth frame with z up
    #[arg(long)]
    pub out: PathBuf,
}

/// Runs `lope orientation`. A row without numbers repeats the last quaternion, so that rows match those of the file.
///
/// # Errors
/// The recording is refused, or the table could not be written.
pub fn run(_globals: &Globals, args: &OrientationArgs) -> Result<Exit, Failure> {
    let recording = open(&args.recording, None, None)?;
    let Some(sensor) = recording.sensors.first() else {
        return Err(Failure::new(
            "lope::recording::no_sensor",
            Exit::Refused,
            "The recording has no sensor.",
        ));
    };
    let mut filter = Vqf::new(VqfParams::default(), sensor.rate_hz);
    let mut rows = recording.rows(sensor)?;
    let mut table = SafeFile::create(&args.out)?;
    table.write(|out| writeln!(out, "time_s,w,x,y,z"))?;
    while let Some(row) = rows.next_row()? {
        if row[1..].iter().all(|v| v.is_finite()) {
            filter.update(Vec3::new(row[4], row[5], row[6]), Vec3::new(row[1], row[2], row[3]));
        }
        let q = filter.level_from_sensor().q;
        table.write(|out| writeln!(out, "{:.6},{:.9},{:.9},{:.9},{:.9}", row[0], q.w, q.i, q.j, q.k))?;
    }
    table.keep()?;
    Ok(Exit::Done)
}
