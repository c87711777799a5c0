//! Writing lope's own recording format: the folder that [`crate::interchange::recording`] reads, with the truth where it is known.
//!
//! Times are seconds of the session clock with six decimals, which is finer than a sample of any sensor.

use crate::model::units::{DEG_PER_RAD, STANDARD_GRAVITY};
use crate::model::{Placement, SensorConfig, SensorEvent, Side};
use crate::synth::{Simulation, TrueEvent};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// Shortest standing that counts as a standing reference, s.
const STANDING_S: f64 = 3.0;
/// Rate of the pelvis in the truth, Hz.
const PELVIS_HZ: f64 = 100.0;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Samples in the files.
    pub samples: u64,
    /// Samples lost on the way, so not in the files.
    pub lost: u64,
    /// Strides in the truth.
    pub strides: u64,
}

/// Writes a simulated run into the folder, which is made when it is not there.
///
/// # Errors
/// What the disk says.
pub fn write(folder: &Path, name: &str, run: &Simulation) -> io::Result<Written> {
    std::fs::create_dir_all(folder.join("truth"))?;
    let mut written = Written::default();
    let sensors = run.sensor_configs();
    let mut files: BTreeMap<Placement, BufWriter<File>> = BTreeMap::new();
    for sensor in &sensors {
        let file = File::create(folder.join(format!("{}.csv", sensor.placement.name())))?;
        let mut out = BufWriter::new(file);
        writeln!(out, "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z")?;
        files.insert(sensor.placement, out);
    }
    for event in run.events() {
        match event {
            SensorEvent::Sample(placement, s) => {
                let (a, g) = (s.acc.v, s.gyro.v);
                if let Some(out) = files.get_mut(&placement) {
                    writeln!(
                        out,
                        "{:.6},{:.5},{:.5},{:.5},{:.6},{:.6},{:.6}",
                        s.t.secs(),
                        a.x,
                        a.y,
                        a.z,
                        g.x,
                        g.y,
                        g.z
                    )?;
                    written.samples += 1;
                }
            }
            SensorEvent::Gap { missing, .. } => written.lost += u64::from(missing),
            SensorEvent::Standing { .. } => {}
        }
    }
    for out in files.values_mut() {
        out.flush()?;
    }
    written.strides = truth(&folder.join("truth"), run)?;
    std::fs::write(folder.join("recording.toml"), description(name, run, &sensors))?;
    Ok(written)
}

fn description(name: &str, run: &Simulation, sensors: &[SensorConfig]) -> String {
    let mut t = String::new();
    // Writing to a String cannot fail. `{:?}` of a str is a TOML basic string for the names used here.
    let _ = writeln!(
        t,
        "name = {name:?}\nsynthetic = true\nactivity = \"simulated\"\ndescription = \"made by lope simulate, seed {}\"",
        run.config().seed
    );
    let truth = run.truth(0.0);
    let standing = truth.events.iter().find_map(|e| match e {
        TrueEvent::Standing(span) if span.secs() >= STANDING_S => Some(span),
        _ => None,
    });
    match standing {
        Some(span) => {
            let (a, b) = (span.start().secs(), span.end().secs());
            let _ = writeln!(t, "calibrated = true\nquiet_from_s = {a:.3}\nquiet_to_s = {b:.3}");
        }
        None => t.push_str("calibrated = false\n"),
    }
    let athlete = run.athlete();
    t.push_str("\n[athlete]\n");
    for (key, value) in [("height_m", athlete.height_m), ("mass_kg", athlete.mass_kg)] {
        if let Some(value) = value {
            let _ = writeln!(t, "{key} = {value:.3}");
        }
    }
    for s in sensors {
        let place = s.placement.name();
        let _ = writeln!(
            t,
            "\n[[sensor]]\nplacement = \"{place}\"\nfile = \"{place}.csv\"\nrate_hz = {:.3}",
            s.rate_hz
        );
        if let (Some(acc), Some(gyro)) = (s.acc_range, s.gyro_range) {
            let (acc, gyro) = (acc / STANDARD_GRAVITY, gyro * DEG_PER_RAD);
            let _ = writeln!(t, "accel_range_g = {acc:.1}\ngyro_range_dps = {gyro:.1}");
        }
    }
    t
}

fn truth(folder: &Path, run: &Simulation) -> io::Result<u64> {
    let truth = run.truth(PELVIS_HZ);
    let mut strides = String::from("side,start_s,end_s,length_m\n");
    let mut contacts = String::from("side,ic_s,tc_s\n");
    let mut overstride = String::from("side,ic_s,foot_ahead_of_pelvis_m,shank_angle_deg\n");
    let mut ignore = String::from("start_s,end_s\n");
    let mut pelvis = String::from("time_s,tilt_deg,obliquity_deg,rotation_deg\n");
    let mut n = 0;
    for s in &truth.strides {
        let (m, next_m) = (s.m.secs(), s.next_m.secs());
        if s.at_rest {
            // Half a stride, from or into standing: nobody is asked to find it, and nobody is blamed for it.
            let _ = writeln!(ignore, "{m:.6},{next_m:.6}");
            continue;
        }
        n += 1;
        let side = s.side.name();
        let _ = writeln!(strides, "{side},{m:.6},{next_m:.6},{:.5}", s.length);
        let shank = s.shank_angle_ic * DEG_PER_RAD;
        let _ = writeln!(overstride, "{side},{:.6},{:.5},{shank:.4}", s.ic.secs(), s.overstride);
    }
    for c in &truth.contacts {
        let _ = writeln!(contacts, "{},{:.6},{:.6}", c.side.name(), c.ic.secs(), c.tc.secs());
    }
    for p in &truth.pelvis {
        // The files count obliquity with the right side up, the model with the left side up.
        let [tilt, obliquity, rotation] = [p.tilt, -p.obliquity, p.rotation].map(|a| a * DEG_PER_RAD);
        let _ = writeln!(pelvis, "{:.4},{tilt:.4},{obliquity:.4},{rotation:.4}", p.t.secs());
    }
    let shank = |side: Side| truth.standing.shank[usize::from(side == Side::Right)] * DEG_PER_RAD;
    let summary = format!(
        "distance_m = {:.4}\npelvis_tilt_absolute = false\npelvis_standing_tilt_deg = 0.0\n\
         pelvis_standing_obliquity_deg = 0.0\nstanding_shank_angle_left_deg = {:.4}\nstanding_shank_angle_right_deg = {:.4}\n\
         files = [\"contacts.csv\", \"ignore.csv\", \"overstride.csv\", \"pelvis.csv\", \"strides.csv\"]\n",
        truth.distance,
        shank(Side::Left),
        shank(Side::Right)
    );
    for (file, text) in [
        ("strides.csv", strides),
        ("contacts.csv", contacts),
        ("overstride.csv", overstride),
        ("ignore.csv", ignore),
        ("pelvis.csv", pelvis),
        ("summary.toml", summary),
    ] {
        std::fs::write(folder.join(file), text)?;
    }
    Ok(n)
}
