//! Raw samples as a recording that lope itself reads: a description and one CSV file a sensor.

use super::{io, make_private};
use crate::model::units::{DEG_PER_RAD, STANDARD_GRAVITY};
use crate::model::{Placement, SensorEvent, Span};
use crate::store::{SessionRow, SqliteReader, StoreError};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// What was written.
pub(super) struct Written {
    pub(super) samples: u64,
    /// Parts of the raw file that could not be read.
    pub(super) damaged: u32,
    /// Names of the files.
    pub(super) files: Vec<String>,
}

/// Writes the raw samples of a session into a folder; `None` when none were ever kept.
pub(super) fn write(reader: &SqliteReader, row: &SessionRow, folder: &Path) -> Result<Option<Written>, StoreError> {
    let mut raw = match reader.raw(&row.meta.id) {
        Ok(raw) => raw,
        Err(StoreError::Missing { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    make_private(folder)?;
    let mut files: BTreeMap<Placement, BufWriter<File>> = BTreeMap::new();
    let (mut samples, mut standing, mut lost) = (0, None::<Span>, Vec::new());
    for event in raw.by_ref() {
        match event? {
            SensorEvent::Sample(placement, s) => {
                let path = folder.join(format!("{}.csv", placement.name()));
                let out = match files.entry(placement) {
                    std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
                    std::collections::btree_map::Entry::Vacant(free) => {
                        let file = File::create(&path).map_err(|e| io(&path, &e))?;
                        let out = free.insert(BufWriter::with_capacity(1 << 16, file));
                        writeln!(out, "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z").map_err(|e| io(&path, &e))?;
                        out
                    }
                };
                let (a, g) = (s.acc.v, s.gyro.v);
                // Shortest forms that read back equal: an export rounds nothing but the time, to a nanosecond.
                writeln!(out, "{:.9},{},{},{},{},{},{}", s.t.secs(), a.x, a.y, a.z, g.x, g.y, g.z)
                    .map_err(|e| io(&path, &e))?;
                samples += 1;
            }
            SensorEvent::Gap {
                placement,
                from,
                to,
                missing,
                cause,
            } => lost.push(format!(
                "{{ placement = \"{}\", from_s = {:.6}, to_s = {:.6}, missing = {missing}, cause = \"{cause:?}\" }}",
                placement.name(),
                from.secs(),
                to.secs()
            )),
            SensorEvent::Standing { from, to } => standing = standing.or_else(|| Span::new(from, to)),
        }
    }
    let mut names: Vec<String> = files.keys().map(|p| format!("{}.csv", p.name())).collect();
    for (placement, out) in files {
        let path = folder.join(format!("{}.csv", placement.name()));
        out.into_inner().map_err(|e| io(&path, e.error()))?;
    }
    let path = folder.join("recording.toml");
    std::fs::write(&path, description(row, standing, &lost)).map_err(|e| io(&path, &e))?;
    names.push("recording.toml".to_owned());
    Ok(Some(Written {
        samples,
        damaged: raw.damaged_chunks(),
        files: names,
    }))
}

/// The description. Gaps stand in it as notes: the reader finds them again in the times.
fn description(row: &SessionRow, standing: Option<Span>, lost: &[String]) -> String {
    let mut t = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        t,
        "name = \"{}\"\nstart_utc = \"{}\"",
        row.meta.id,
        row.meta.start.iso8601()
    );
    match standing {
        Some(span) => {
            let (from, to) = (span.start().secs(), span.end().secs());
            let _ = writeln!(t, "calibrated = true\nquiet_from_s = {from:.3}\nquiet_to_s = {to:.3}");
        }
        None => t.push_str("calibrated = false\n"),
    }
    if !lost.is_empty() {
        let _ = writeln!(t, "lost = [\n  {},\n]", lost.join(",\n  "));
    }
    let facts = row.meta.facts;
    t.push_str("\n[athlete]\n");
    for (key, value) in [
        ("height_m", facts.height_m),
        ("mass_kg", facts.mass_kg),
        ("leg_length_m", facts.leg_length_m),
    ] {
        if let Some(value) = value {
            let _ = writeln!(t, "{key} = {value:?}");
        }
    }
    for s in &row.meta.sensors {
        let place = s.placement.name();
        let _ = writeln!(
            t,
            "\n[[sensor]]\nplacement = \"{place}\"\nfile = \"{place}.csv\"\nrate_hz = {:?}",
            s.rate_hz
        );
        if let Some(acc) = s.acc_range {
            let _ = writeln!(t, "accel_range_g = {:?}", acc / STANDARD_GRAVITY);
        }
        if let Some(gyro) = s.gyro_range {
            let _ = writeln!(t, "gyro_range_dps = {:?}", gyro * DEG_PER_RAD);
        }
    }
    t
}
