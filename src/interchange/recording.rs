//! A recording folder: what it is, who ran, which sensors, and their samples merged in time order.

use super::csv::{CsvRows, Row};
use super::error::ReadError;
use super::mapping::Mapping;
use super::plausible;
use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};
use crate::model::{Athlete, ClipFlags, ImuSample, Placement, SensorConfig, SensorEvent, SessionTime, Vec3};
use crate::orientation::rail::DECLARED_SHARE;
use serde::Deserialize;
use std::path::{Path, PathBuf};

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
            let rate_hz = plausible::check(&file, &probe, declared)?;
            sensors.push(SensorFile {
                path: file,
                placement: Placement::from_name(&entry.placement),
                rate_hz,
                acc_range: entry
                    .accel_range_g
                    .or(mapping.acc_range_g)
                    .map(|g| g * STANDARD_GRAVITY),
                gyro_range: entry.gyro_range_dps.or(mapping.gyro_range_dps).map(|d| d * RAD_PER_DEG),
                side_known: entry.side_known,
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
                let rows = self.rows(sensor)?;
                lanes.push(Lane {
                    rows,
                    placement,
                    acc_rail: sensor.acc_range.map(|r| r * DECLARED_SHARE),
                    gyro_rail: sensor.gyro_range.map(|r| r * DECLARED_SHARE),
                    next: None,
                    last_order: f64::NEG_INFINITY,
                });
            }
        }
        if lanes.is_empty() {
            return Err(ReadError::NoSensor {
                path: self.path.clone(),
            });
        }
        lanes.sort_by_key(|l| l.placement.index());
        for lane in &mut lanes {
            lane.advance()?;
        }
        let standing = match (
            self.description.calibrated,
            self.description.quiet_from_s,
            self.description.quiet_to_s,
        ) {
            (true, Some(from), Some(to)) if from < to => Some((from, to)),
            _ => None,
        };
        Ok(RecordingStream { lanes, standing })
    }
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
    for sensor in &description.sensor {
        if Placement::from_name(&sensor.placement).is_none() && sensor.placement != "other" {
            return Err(ReadError::Description {
                path,
                what: format!(
                    "placement `{}` is unknown; expected left_foot, right_foot, left_shank, right_shank, sacrum or other",
                    sensor.placement
                ),
            });
        }
        if Path::new(&sensor.file).components().count() != 1 {
            return Err(ReadError::Description {
                path,
                what: format!("file `{}` must be a name inside the folder", sensor.file),
            });
        }
    }
    Ok(description)
}

fn single(path: &Path, mapping: &Mapping) -> Result<Description, ReadError> {
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

#[derive(Debug)]
struct Lane {
    rows: CsvRows,
    placement: Placement,
    acc_rail: Option<f64>,
    gyro_rail: Option<f64>,
    next: Option<ImuSample>,
    /// Merge key: never goes back, so that a bad time stamp cannot hold up the other sensors.
    last_order: f64,
}

impl Lane {
    fn advance(&mut self) -> Result<(), ReadError> {
        self.next = self.rows.next_row()?.map(|row| self.sample(&row));
        if let Some(s) = &self.next {
            self.last_order = self.last_order.max(s.t.secs());
        }
        Ok(())
    }

    fn sample(&self, row: &Row) -> ImuSample {
        let at = |rail: Option<f64>, v: f64| rail.is_some_and(|r| v.abs() >= r);
        ImuSample {
            // A time that is not a number cannot be placed; the sample then repeats the last instant and is refused.
            t: if row[0].is_finite() {
                SessionTime::from_secs(row[0])
            } else {
                SessionTime::from_secs(self.last_order.max(-1e9))
            },
            acc: Vec3::new(row[1], row[2], row[3]),
            gyro: Vec3::new(row[4], row[5], row[6]),
            clip: ClipFlags::from_axes(
                [
                    at(self.acc_rail, row[1]),
                    at(self.acc_rail, row[2]),
                    at(self.acc_rail, row[3]),
                ],
                [
                    at(self.gyro_rail, row[4]),
                    at(self.gyro_rail, row[5]),
                    at(self.gyro_rail, row[6]),
                ],
            ),
            filled: false,
        }
    }
}

/// Events of a recording in time order; ties by placement.
#[derive(Debug)]
pub struct RecordingStream {
    lanes: Vec<Lane>,
    standing: Option<(f64, f64)>,
}

impl RecordingStream {
    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// A line that cannot be read.
    pub fn next_event(&mut self) -> Result<Option<SensorEvent>, ReadError> {
        let first = self
            .lanes
            .iter()
            .enumerate()
            .filter(|(_, l)| l.next.is_some())
            .min_by(|a, b| a.1.last_order.total_cmp(&b.1.last_order))
            .map(|(i, l)| (i, l.last_order));
        if let (Some((from, to)), Some((_, now))) = (self.standing, first)
            && now > to
        {
            self.standing = None;
            return Ok(Some(SensorEvent::Standing {
                from: SessionTime::from_secs(from),
                to: SessionTime::from_secs(to),
            }));
        }
        let Some((index, _)) = first else { return Ok(None) };
        let lane = &mut self.lanes[index];
        let Some(sample) = lane.next.take() else {
            return Ok(None);
        };
        lane.advance()?;
        Ok(Some(SensorEvent::Sample(lane.placement, sample)))
    }

    /// Lines read so far over all files.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lanes.iter().map(|l| l.rows.line_number()).sum()
    }

    /// Bytes read so far over all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lanes.iter().map(|l| l.rows.bytes()).sum()
    }

    /// Files that ended in the middle of a line.
    pub fn truncated(&self) -> impl Iterator<Item = &Path> {
        self.lanes
            .iter()
            .filter(|l| l.rows.is_truncated())
            .map(|l| l.rows.path())
    }
}
