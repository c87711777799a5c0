//! The plain vocabulary of lope: time, frames, units, samples, strides, measurements.
//!
//! Every other module speaks these words and nothing here knows any of those modules. The types carry what people
//! confuse in practice (which frame a vector is in, which clock a time is on, which foot) and nothing more; numbers are
//! SI units in `f64`, angles are radians, until the edge of the program.
//!
//! Deliberately absent: JSON, files, thresholds, and any opinion about gait.

pub mod athlete;
pub mod frame;
pub mod imu;
pub mod measurement;
pub mod place;
pub mod stride;
pub mod time;
pub mod units;

pub use athlete::Athlete;
pub use frame::{Foot, Frame, Level, Rotation, Sacrum, Sensor, Shank, Travel, Vec3};
pub use imu::{ClipFlags, GapCause, ImuSample, SensorConfig, SensorEvent};
pub use measurement::{Absent, DataClass, Measured, QualityParts};
pub use place::{Placement, SegmentKind, Side};
pub use stride::{Activity, Contact, FootMotion, Stride, StrideError, StrideFlags};
pub use time::{SessionTime, Span};
