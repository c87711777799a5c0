//! A recording folder: what it is, who ran, which sensors, and their samples merged in time order.

use super::csv::{CsvRows, Row};
use super::error::ReadError;
use super::mapping::Mapping;
use super::plausible;
use super::stream::{Lane, RecordingStream};
use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};
use crate::model::{Athlete, Placement, SensorConfig};
use crate::orientation::rail::DECLARED_SHARE;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Rows at either end by which a file's first and last time are told.
const END_ROWS: usize = 25;
/// Sensors whose times lie this far apart do not count on one clock, s. A sensor may fail early and another begin late.
const APART_S: f64 = 600.0;

/// `recording.toml` as it stands. Unknown keys are allowed: recordings carry notes of many kinds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Description {
    /// Name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Activity in words.
    pub activity: String,
    /// Surface in words.
    pub surface: String,
    /// The runner stood still from `quiet_from_s` to `quiet_to_s`, and it counts as the standing reference.
    pub calibrated: bool,
    /// Begin of quiet standing, s.
    pub quiet_from_s: Option<f64>,
    /// End of quiet standing, s.
    pub quiet_to_s: Option<f64>,
    /// How far the sensors' clocks may differ, s; 0 when not said: one logger or a synchronised set.
    pub sync_sigma_s: f64,
    /// The runner.
    pub athlete: AthleteEntry,
    /// The sensors.
    pub sensor: Vec<SensorEntry>,
}

impl Description {
    /// When the runner stood still on purpose (from, to, s); `None` where nothing is said of it.
    ///
    /// # Errors
    /// What is wrong with `quiet_from_s` and `quiet_to_s`, in words.
    fn standing(&self) -> Result<Option<(f64, f64)>, String> {
        if !self.calibrated {
            return Ok(None);
        }
        match (self.quiet_from_s, self.quiet_to_s) {
            (Some(from), Some(to)) if from < to => Ok(Some((from, to))),
            (Some(from), Some(to)) => Err(format!("quiet_from_s = {from} must be less than quiet_to_s = {to}")),
            _ => Err("calibrated = true needs quiet_from_s and quiet_to_s, the time of quiet standing".to_owned()),
        }
    }

    /// Everything that does not fit, one sentence each.
    fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.standing().err().into_iter().collect();
        let positive = |what: &str, value: Option<f64>| {
            value
                .filter(|v| !(v.is_finite() && *v > 0.0))
                .map(|v| format!("{what} = {v} must be a number above 0"))
        };
        let a = self.athlete;
        faults.extend(positive("height_m", a.height_m));
        faults.extend(positive("mass_kg", a.mass_kg));
        faults.extend(positive("leg_length_m", a.leg_length_m));
        if !(self.sync_sigma_s.is_finite() && self.sync_sigma_s >= 0.0) {
            faults.push(format!("sync_sigma_s = {} must be 0 or more", self.sync_sigma_s));
        }
        for sensor in &self.sensor {
            let place = &sensor.placement;
            if Placement::from_name(place).is_none() && place != "other" {
                faults.push(format!(
                    "placement `{place}` is unknown; expected left_foot, right_foot, left_shank, right_shank, sacrum or other"
                ));
            }
            if Path::new(&sensor.file).components().count() != 1 {
                faults.push(format!("file `{}` must be a name inside the folder", sensor.file));
            }
            for (key, value) in [
                ("rate_hz", sensor.rate_hz),
                ("accel_range_g", sensor.accel_range_g),
                ("gyro_range_dps", sensor.gyro_range_dps),
            ] {
                faults.extend(positive(&format!("{place}: {key}"), value));
            }
        }
        faults
    }
}

/// `[athlete]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AthleteEntry {
    /// Height, m.
    pub height_m: Option<f64>,
    /// Mass, kg.
    pub mass_kg: Option<f64>,
    /// Leg length, m.
    pub leg_length_m: Option<f64>,
}

/// `[[sensor]]`.
#[derive(Clone, Debug, Deserialize)]
pub struct SensorEntry {
    /// Where it was worn.
    pub placement: String,
    /// Its file.
    pub file: String,
    /// Nominal rate, Hz.
    pub rate_hz: Option<f64>,
    /// Accelerometer full scale, g.
    pub accel_range_g: Option<f64>,
    /// Gyroscope full scale, °/s.
    pub gyro_range_dps: Option<f64>,
    /// Whether the side is known.
    #[serde(default = "yes")]
    pub side_known: bool,
}

fn yes() -> bool {
    true
}

/// One sensor's file with what is known of it.
#[derive(Clone, Debug)]
pub struct SensorFile {
    /// The file.
    pub path: PathBuf,
    /// Where it was worn; `None` for a place lope does not know (`other`).
    pub placement: Option<Placement>,
    /// Nominal rate, Hz, declared or from the time stamps.
    pub rate_hz: f64,
    /// Accelerometer full scale, m/s².
    pub acc_range: Option<f64>,
    /// Gyroscope full scale, rad/s.
    pub gyro_range: Option<f64>,
    /// Whether the side is known.
    pub side_known: bool,
    /// Typical time of its first and of its last rows, s.
    span_s: (f64, f64),
}

/// A recording that was opened and looks as it should; samples are read with [`Recording::stream`].
#[derive(Clone, Debug)]
pub struct Recording {
    /// Folder or file.
    pub path: PathBuf,
    /// What its description says.
    pub description: Description,
    /// Its sensors.
    pub sensors: Vec<SensorFile>,
    mapping: Mapping,
}

impl Recording {
    /// Opens a folder with `recording.toml`, or a single CSV file (`placement` by the mapping).
    ///
    /// # Errors
    /// What is wrong, with file, line and value; nothing is guessed.
    pub fn open(path: &Path, mapping: Option<&Mapping>) -> Result<Self, ReadError> {
        let mapping = mapping.cloned().unwrap_or_default();
        // Said first, before anything is concluded from what kind of file it is not.
        std::fs::metadata(path).map_err(|source| ReadError::Open {
            path: path.to_owned(),
            source,
        })?;
        let (description, folder) = if path.is_dir() {
            (describe(path)?, path)
        } else {
            (single(path, &mapping)?, Path::new(""))
        };
        let mut sensors = Vec::new();
        for entry in &description.sensor {
            let file = if path.is_dir() {
                folder.join(&entry.file)
            } else {
                path.to_owned()
            };
            let declared = entry.rate_hz.or(mapping.rate_hz);
            let mut rows = CsvRows::open(&file, &mapping)?;
            let mut probe: Vec<Row> = Vec::with_capacity(plausible::PROBE_ROWS);
            while probe.len() < plausible::PROBE_ROWS {
                match rows.next_row()? {
                    Some(row) => probe.push(row),
                    None => break,
                }
            }
            if probe.is_empty() {
                return Err(ReadError::Empty { path: file });
            }
            let rate_hz = plausible::check(&file, &probe, declared, &mapping)?;
            sensors.push(SensorFile {
                path: file.clone(),
                placement: Placement::from_name(&entry.placement),
                rate_hz,
                acc_range: entry
                    .accel_range_g
                    .or(mapping.acc_range_g)
                    .map(|g| g * STANDARD_GRAVITY),
                gyro_range: entry.gyro_range_dps.or(mapping.gyro_range_dps).map(|d| d * RAD_PER_DEG),
                side_known: entry.side_known,
                span_s: span(&file, &probe, &mapping)?,
            });
        }
        let worn: Vec<Placement> = sensors.iter().filter_map(|s| s.placement).collect();
        for (i, place) in worn.iter().enumerate() {
            if worn[..i].contains(place) {
                return Err(ReadError::Description {
                    path: path.to_owned(),
                    what: format!("two sensors at `{}`", place.name()),
                });
            }
        }
        if sensors.is_empty() {
            return Err(ReadError::NoSensor { path: path.to_owned() });
        }
        one_clock(&sensors)?;
        Ok(Self {
            path: path.to_owned(),
            description,
            sensors,
            mapping,
        })
    }

    /// The runner.
    #[must_use]
    pub fn athlete(&self) -> Athlete {
        let a = self.description.athlete;
        Athlete {
            height_m: a.height_m,
            mass_kg: a.mass_kg,
            leg_length_m: a.leg_length_m,
        }
    }

    /// Configurations of the sensors at places lope knows.
    #[must_use]
    pub fn configs(&self) -> Vec<SensorConfig> {
        self.sensors
            .iter()
            .filter_map(|s| {
                Some(SensorConfig {
                    placement: s.placement?,
                    rate_hz: s.rate_hz,
                    acc_range: s.acc_range,
                    gyro_range: s.gyro_range,
                    side_known: s.side_known,
                })
            })
            .collect()
    }

    /// Bytes of all sample files: what progress is measured against.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.sensors
            .iter()
            .filter_map(|s| std::fs::metadata(&s.path).ok())
            .map(|m| m.len())
            .sum()
    }

    /// Rows of one sensor's file, as recorded.
    ///
    /// # Errors
    /// The file cannot be opened any more.
    pub fn rows(&self, sensor: &SensorFile) -> Result<CsvRows, ReadError> {
        CsvRows::open(&sensor.path, &self.mapping)
    }

    /// All samples of sensors at places lope knows, merged in time order.
    ///
    /// # Errors
    /// A file cannot be opened any more, or no sensor is at a place lope knows.
    pub fn stream(&self) -> Result<RecordingStream, ReadError> {
        let mut lanes = Vec::new();
        for sensor in &self.sensors {
            if let Some(placement) = sensor.placement {
                lanes.push(Lane::new(
                    self.rows(sensor)?,
                    placement,
                    sensor.acc_range.map(|r| r * DECLARED_SHARE),
                    sensor.gyro_range.map(|r| r * DECLARED_SHARE),
                ));
            }
        }
        if lanes.is_empty() {
            return Err(ReadError::NoSensor {
                path: self.path.clone(),
            });
        }
        let standing = self.description.standing().ok().flatten();
        RecordingStream::new(lanes, standing)
    }
}

/// Median time of the first rows and of the last ones: single wrong stamps do not count.
fn span(path: &Path, probe: &[Row], mapping: &Mapping) -> Result<(f64, f64), ReadError> {
    let times = |rows: &[Row]| rows.iter().map(|r| r[0]).collect::<Vec<_>>();
    let first = plausible::median(times(&probe[..probe.len().min(END_ROWS)]).into_iter());
    let last = plausible::median(times(&CsvRows::last_rows(path, mapping)?).into_iter());
    let first = first.unwrap_or(0.0);
    Ok((first, last.unwrap_or(first)))
}

/// Refuses sensors whose times have nothing in common: each then counts from its own start, and nothing that needs two
/// sensors could be measured.
fn one_clock(sensors: &[SensorFile]) -> Result<(), ReadError> {
    for (i, a) in sensors.iter().enumerate() {
        for b in &sensors[..i] {
            let apart = (a.span_s.0 - b.span_s.1).max(b.span_s.0 - a.span_s.1);
            if apart > APART_S {
                return Err(ReadError::Clocks {
                    path: a.path.clone(),
                    span_s: a.span_s,
                    other: b.path.clone(),
                    other_span_s: b.span_s,
                });
            }
        }
    }
    Ok(())
}

fn describe(folder: &Path) -> Result<Description, ReadError> {
    let path = folder.join("recording.toml");
    let text = std::fs::read_to_string(&path).map_err(|source| ReadError::Open {
        path: path.clone(),
        source,
    })?;
    let description: Description = toml::from_str(&text).map_err(|e| ReadError::Description {
        path: path.clone(),
        what: e.to_string(),
    })?;
    let faults = description.faults();
    if !faults.is_empty() {
        return Err(ReadError::Description {
            path,
            what: faults.join("; "),
        });
    }
    Ok(description)
}

fn single(path: &Path, mapping: &Mapping) -> Result<Description, ReadError> {
    // Whether the file is there comes before what is known of it.
    std::fs::metadata(path).map_err(|source| ReadError::Open {
        path: path.to_owned(),
        source,
    })?;
    let stem = path
        .file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default();
    let placement = mapping
        .placement
        .clone()
        .or_else(|| Placement::from_name(&stem).map(|p| p.name().to_owned()));
    let Some(placement) = placement else {
        return Err(ReadError::Description {
            path: path.to_owned(),
            what: "a single file does not say where the sensor was worn; give --placement, or `placement = \"right_foot\"` in a mapping file".to_owned(),
        });
    };
    Ok(Description {
        name: stem,
        sensor: vec![SensorEntry {
            placement,
            file: path
                .file_name()
                .map(|f| f.to_string_lossy().into_owned())
                .unwrap_or_default(),
            rate_hz: None,
            accel_range_g: None,
            gyro_range_dps: None,
            side_known: true,
        }],
        ..Description::default()
    })
}
