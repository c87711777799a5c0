//! A session as the store knows it: who, when, from what, with which sensors, and how it ended.

use super::error::StoreError;
use super::ids::{AthleteId, SessionId, UtcMicros, hex};
use crate::model::{Athlete, Placement, SensorConfig, SessionTime};
use serde::{Deserialize, Serialize};

/// Where a session comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Recorded from sensors by this program.
    Live,
    /// Read from a file with this SHA-256.
    Import {
        /// SHA-256 of the file, 64 hexadecimal digits.
        sha256: String,
    },
    /// Made by the synthetic runner.
    Demo,
}

impl Origin {
    /// The origin of a file with this hash.
    #[must_use]
    pub fn import(file_sha256: &[u8; 32]) -> Self {
        Self::Import {
            sha256: hex(file_sha256),
        }
    }
}

/// Whether the start of a session is a reading of a clock.
///
/// Sessions of one athlete may not overlap, because nobody runs twice at once; that can only be held against sessions
/// whose clock is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WallClock {
    /// The start was read from a clock.
    Known,
    /// The recording does not say when it was made; the start is a stand-in to sort by.
    Assumed,
}

/// What is known when a session begins. It never changes afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionMeta {
    /// Its identity.
    pub id: SessionId,
    /// Who ran.
    pub athlete: AthleteId,
    /// Session time zero in UTC.
    pub start: UtcMicros,
    /// Whether `start` is a reading of a clock.
    pub wall_clock: WallClock,
    /// Its end where it is known beforehand (a file), for the check against overlaps only.
    pub expected_stop: Option<SessionTime>,
    /// Where it comes from.
    pub origin: Origin,
    /// Time zone to show it in, an IANA name.
    pub tz: Option<String>,
    /// A word for people: the file's name, a remark.
    pub note: Option<String>,
    /// The facts about the runner that the formulas used.
    pub facts: Athlete,
    /// The sensors worn.
    pub sensors: Vec<SensorConfig>,
}

impl SessionMeta {
    /// Refuses what no store may keep.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for a start outside 1970 to 2100, a number that is not finite, or two sensors in one place.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let row = || format!("session {}", self.id);
        if self.start < UtcMicros::EPOCH || self.start >= UtcMicros::LIMIT {
            return Err(StoreError::rejected(row(), "its start lies outside 1970 to 2100"));
        }
        let facts = [self.facts.height_m, self.facts.mass_kg, self.facts.leg_length_m];
        let configs = self
            .sensors
            .iter()
            .flat_map(|s| [Some(s.rate_hz), s.acc_range, s.gyro_range]);
        if facts.into_iter().chain(configs).flatten().any(|v| !v.is_finite()) {
            return Err(StoreError::rejected(row(), "a number is not finite"));
        }
        let mut places: Vec<Placement> = self.sensors.iter().map(|s| s.placement).collect();
        places.sort_unstable();
        if places.windows(2).any(|w| w[0] == w[1]) {
            return Err(StoreError::rejected(row(), "two sensors in one place"));
        }
        Ok(())
    }

    /// The same session as it is given back: sensors in the order of [`Placement::ALL`], time rounded to microseconds.
    #[must_use]
    pub(crate) fn ordered(mut self) -> Self {
        self.expected_stop = self.expected_stop.map(super::batch::to_micros);
        self.sensors.sort_by_key(|s| s.placement);
        self
    }
}

/// What became known about one sensor during the session.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorOutcome {
    /// Where it was worn.
    pub placement: Placement,
    /// How it sat on the body and what was calibrated, as the analysis describes it.
    pub calibration: Option<serde_json::Value>,
    /// Rate of its clock against session time, parts per million.
    pub clock_ppm: Option<f64>,
    /// What the clock fit left over, µs (standard deviation).
    pub clock_residual_us: Option<f64>,
}

/// How a session ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Closing {
    /// Its end.
    pub stop: SessionTime,
    /// The analysis that views show from now on.
    pub analysis: u32,
    /// Version of the program that made the analysis.
    pub pipeline_version: String,
    /// The parameters it was made with.
    pub params: serde_json::Value,
    /// What became known about the sensors.
    pub sensors: Vec<SensorOutcome>,
}

impl Closing {
    /// Refuses what no store may keep.
    pub(crate) fn check(&self, id: &SessionId) -> Result<(), StoreError> {
        let numbers = self.sensors.iter().flat_map(|s| [s.clock_ppm, s.clock_residual_us]);
        if numbers.flatten().any(|v| !v.is_finite()) {
            return Err(StoreError::rejected(
                format!("closing of session {id}"),
                "a number is not finite",
            ));
        }
        Ok(())
    }
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Being written.
    Open,
    /// Ended properly.
    Closed,
    /// The program that wrote it ended before the session did. What is there is whole, but it may not be all.
    Recovered,
}

impl SessionState {
    /// `open`, `closed` or `recovered`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Recovered => "recovered",
        }
    }
}

/// A session as it is given back.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    /// What was known at its begin; the sensors in the order of [`Placement::ALL`].
    pub meta: SessionMeta,
    /// How far it has come.
    pub state: SessionState,
    /// Its end; of a recovered session the end of its last stride, of an open one `None`.
    pub stop: Option<SessionTime>,
    /// The analysis shown when none is named.
    pub current_analysis: u32,
    /// Version of the program that made that analysis; `None` until the session is closed.
    pub pipeline_version: Option<String>,
    /// Strides of the current analysis; counted when the session ends, so `None` while it is open.
    pub strides: Option<u64>,
    /// What became known about the sensors, in the order of [`Placement::ALL`].
    pub outcomes: Vec<SensorOutcome>,
}
