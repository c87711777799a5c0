//! What comes in: samples of one inertial sensor, and everything that can happen to a stream of them.

use super::frame::{Sensor, Vec3};
use super::place::Placement;
use super::time::SessionTime;
use serde::{Deserialize, Serialize};

/// Which axes of a sample stand at the rail of the converter, judged on raw counts before any correction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClipFlags(u8);

impl ClipFlags {
    /// No axis clipped.
    pub const NONE: Self = Self(0);

    /// Flags from per-axis truths: accelerometer x, y, z, then gyroscope x, y, z.
    #[must_use]
    pub fn from_axes(acc: [bool; 3], gyro: [bool; 3]) -> Self {
        let mut bits = 0;
        for i in 0..3 {
            bits |= u8::from(acc[i]) << i;
            bits |= u8::from(gyro[i]) << (3 + i);
        }
        Self(bits)
    }

    /// Whether accelerometer axis `i` (0 = x) is clipped.
    #[must_use]
    pub fn acc(self, i: usize) -> bool {
        self.0 & (1 << i) != 0
    }

    /// Whether gyroscope axis `i` (0 = x) is clipped.
    #[must_use]
    pub fn gyro(self, i: usize) -> bool {
        self.0 & (1 << (3 + i)) != 0
    }

    /// Whether any accelerometer axis is clipped.
    #[must_use]
    pub fn any_acc(self) -> bool {
        self.0 & 0b000_111 != 0
    }

    /// Whether any gyroscope axis is clipped.
    #[must_use]
    pub fn any_gyro(self) -> bool {
        self.0 & 0b111_000 != 0
    }

    /// Axes clipped in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One simultaneous reading of accelerometer and gyroscope, in the sensor's own axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImuSample {
    /// When the reading was complete.
    pub t: SessionTime,
    /// Specific force, m/s²: at rest +9.81 along the axis that points up.
    pub acc: Vec3<Sensor>,
    /// Angular rate, rad/s, right-hand rule.
    pub gyro: Vec3<Sensor>,
    /// Axes at the rail.
    pub clip: ClipFlags,
    /// Whether the sample was measured (`false`) or interpolated across a short gap (`true`).
    pub filled: bool,
}

/// What is known of a sensor's configuration. `None` means the recording does not say; rails are then learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorConfig {
    /// Where it is worn.
    pub placement: Placement,
    /// Nominal sampling rate, Hz.
    pub rate_hz: f64,
    /// Accelerometer full scale, m/s².
    pub acc_range: Option<f64>,
    /// Gyroscope full scale, rad/s.
    pub gyro_range: Option<f64>,
    /// Whether the side given by `placement` is really known (a single pod may have been on either foot).
    pub side_known: bool,
}

/// Why samples are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapCause {
    /// Lost on the way (radio, full queue, missing rows).
    Lost,
    /// The sensor restarted its clock.
    Reboot,
    /// The sensor repeated one value: six identical readings for longer than a sensor's noise allows.
    Stuck,
    /// Values that are not finite, refused.
    NotFinite,
    /// Time stamps ran backwards or were repeated; the samples were refused.
    TimeDisorder,
}

/// One event of one sensor, in arrival order. Losses are events, not errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SensorEvent {
    /// A sample.
    Sample(Placement, ImuSample),
    /// Samples are missing from `from` (last good) to `to` (first good again); `missing` is how many, as well as known.
    Gap {
        /// The sensor.
        placement: Placement,
        /// Last good instant before.
        from: SessionTime,
        /// First good instant after.
        to: SessionTime,
        /// Samples missing.
        missing: u32,
        /// Why.
        cause: GapCause,
    },
    /// The runner stands still on purpose from `from` to `to`: use it for the standing reference.
    Standing {
        /// Begin.
        from: SessionTime,
        /// End.
        to: SessionTime,
    },
}
