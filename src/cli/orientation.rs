//! `lope orientation`: the attitude of every sample of a recording's first sensor, as a table.

use super::error::Exit;
use super::{Outcome, paths};
use crate::interchange::Recording;
use crate::model::Vec3;
use crate::orientation::vqf::{Vqf, VqfParams};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Args)]
pub struct OrientationArgs {
    /// Recording folder.
    recording: PathBuf,
    /// Table to write: `time_s,w,x,y,z`, sensor to level frame, z up; one row per row of the recording.
    #[arg(long)]
    out: PathBuf,
}

/// Runs it.
///
/// # Errors
/// A recording that cannot be read, or a table that cannot be written.
pub fn run(args: &OrientationArgs) -> Outcome {
    let recording = Recording::open(&args.recording, None)?;
    let sensor = &recording.sensors[0];
    let mut rows = recording.rows(sensor)?;
    let mut filter = Vqf::new(VqfParams::default(), sensor.rate_hz);
    let mut table = Vec::new();
    while let Some(row) = rows.next_row()? {
        filter.update(Vec3::new(row[4], row[5], row[6]), Vec3::new(row[1], row[2], row[3]));
        table.push((row[0], filter.level_from_sensor().q));
    }
    paths::write_whole(&args.out, |out| {
        writeln!(out, "time_s,w,x,y,z")?;
        table
            .iter()
            .try_for_each(|(t, q)| writeln!(out, "{t:.6},{:.9},{:.9},{:.9},{:.9}", q.w, q.i, q.j, q.k))
    })?;
    Ok(Exit::Done)
}
