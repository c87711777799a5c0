//! What drivers say: samples with their scales, losses, clocks, and plain facts about a sensor.
//!
//! Raw values travel with what is needed to read them and are converted to SI once, when the device's clock is mapped to
//! session time. Every integer a sensor sends fits an `f32` exactly (24 bits), so one type holds them all.

use crate::model::SessionTime;
use serde::{Deserialize, Serialize};

/// What a stream measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Specific force x y z and angular rate x y z, read at one instant.
    AccGyro,
    /// The same and the magnetic field x y z.
    AccGyroMag,
    /// Specific force x y z alone.
    Acc,
    /// Angular rate x y z alone.
    Gyro,
    /// Magnetic field x y z alone.
    Mag,
}

impl Quantity {
    /// Numbers a sample has.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::AccGyroMag => 9,
            Self::AccGyro => 6,
            Self::Acc | Self::Gyro | Self::Mag => 3,
        }
    }
}

/// How good the times of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timing {
    /// The sensor stamps its samples with its own clock.
    Stamped,
    /// It does not: times are arrivals. Never synchronised; kept out of left/right comparison.
    Arrival,
}

/// What a stream does from now on: said before the first block with its `seam`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Streaming {
    /// Number of the stream on its sensor.
    pub stream: u8,
    /// Number of this configuration, counting up; blocks carry it. Nothing is fitted or filtered across a seam.
    pub seam: u32,
    /// What is measured.
    pub quantity: Quantity,
    /// Nominal rate, Hz: *not* for computing times.
    pub rate_hz: f64,
    /// m/s² per unit of an acceleration axis; 0 if the stream has none.
    pub acc_scale: f64,
    /// rad/s per unit of a rate axis; 0 if none.
    pub gyro_scale: f64,
    /// Accelerometer full scale, m/s², if known.
    pub acc_range: Option<f64>,
    /// Gyroscope full scale, rad/s, if known.
    pub gyro_range: Option<f64>,
    /// |acceleration| at and above which an axis is clipped, in units of the wire; infinite if unknown.
    pub acc_clip: f32,
    /// The same for angular rate.
    pub gyro_clip: f32,
    /// Group delay of the accelerometer's own filter, s.
    pub acc_delay_s: f64,
    /// Group delay of the gyroscope's own filter, s.
    pub gyro_delay_s: f64,
    /// How good its times are.
    pub timing: Timing,
}

/// Consecutive samples of one stream, nothing missing between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Stream.
    pub stream: u8,
    /// Configuration ([`Streaming::seam`]).
    pub seam: u32,
    /// Run of the sensor's clock, counting up: times of two epochs have nothing to do with each other.
    pub epoch: u32,
    /// Number of the first sample since streaming began. Counted by the sensor where it counts; else counted by the driver,
    /// steps of device time included.
    pub index: u64,
    /// Device time of the first sample, ns since the epoch began (or any fixed instant of the device).
    pub first_ns: u64,
    /// Device time of the last sample; equals `first_ns` in blocks of one sample, and where the sensor stamps the first
    /// only, it is computed with the nominal rate and marked by `last_exact`.
    pub last_ns: u64,
    /// Whether `last_ns` was told by the sensor rather than computed.
    pub last_exact: bool,
    /// When it arrived.
    pub arrived: SessionTime,
    /// Live, or fetched later.
    pub late: Late,
    /// The sample before the first was not taken, so nothing may be interpolated to it.
    pub after_gap: bool,
    /// Frames say so, or the driver has reason to doubt the values.
    pub suspect: bool,
    /// [`Quantity::width`] numbers a sample, samples one after another.
    pub values: Vec<f32>,
}

/// Whether a block came when it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    /// As it was taken: its arrival tells about the clock.
    Live,
    /// Fetched afterwards: its arrival tells nothing.
    Fetched,
}

/// Why samples will not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissingWhy {
    /// The sensor took them and forgot them before they could be fetched.
    Overwritten,
    /// The sensor did not take them.
    NotSampled,
    /// Lost on the way, and the sensor keeps nothing.
    Radio,
    /// The sensor's storage failed.
    Storage,
    /// We gave up asking.
    GivenUp,
    /// The sensor restarted and lost what it held.
    Reboot,
}

/// Samples that will not come. Said once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Stream.
    pub stream: u8,
    /// Number of the first.
    pub index: u64,
    /// How many; where the sensor does not count, the nearest whole number of sample periods.
    pub count: u64,
    /// Whether `count` was told by the sensor's counter (`true`) or computed from time.
    pub counted: bool,
    /// Why.
    pub why: MissingWhy,
}

/// A four-stamp exchange with a sensor's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Run of the sensor's clock.
    pub epoch: u32,
    /// Asked, host.
    pub t1: SessionTime,
    /// Heard, sensor, ns.
    pub t2_ns: u64,
    /// Answered, sensor, ns.
    pub t3_ns: u64,
    /// Heard, host.
    pub t4: SessionTime,
}

/// Who a sensor is. Fields are filled as they become known; `None` is not known, never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What names this very sensor for life: `pod_uid` in hex, or its serial number.
    pub id: Option<String>,
    /// Maker.
    pub maker: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Version of its firmware.
    pub firmware: Option<String>,
    /// Version of its hardware.
    pub hardware: Option<String>,
}

/// A reading of the heart rate service.
#[derive(Clone, Debug, PartialEq)]
pub struct HeartRate {
    /// When it arrived.
    pub at: SessionTime,
    /// Beats/min.
    pub bpm: u16,
    /// Whether the sensor touches skin, if it tells.
    pub contact: Option<bool>,
    /// Beat intervals, s, oldest first. They have no time of their own.
    pub rr_s: Vec<f64>,
}

/// What a cadence number of a foot pod counts: makers read the specification differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CadenceConvention {
    /// Not decided yet.
    Unknown,
    /// Steps of both feet.
    Steps,
    /// Strides of one foot.
    Strides,
}

/// A reading of the running speed and cadence service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunningSpeed {
    /// When it arrived.
    pub at: SessionTime,
    /// Speed, m/s.
    pub speed: f64,
    /// The byte as sent, 1/min.
    pub cadence_raw: u8,
    /// What it counts, as well as known.
    pub convention: CadenceConvention,
    /// Whether the pod calls it running.
    pub running: bool,
    /// Stride length as sent, m; as ambiguous as the cadence: shown to nobody, kept.
    pub stride_length_raw: Option<f64>,
    /// Distance, m.
    pub distance: Option<f64>,
}

/// Something a person should be told. Each has one sentence ([`Note::sentence`]) and is said once per episode.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// What this kind of sensor cannot give.
    Limits(&'static str),
    /// The rate or range is not what was wanted.
    NotAsWanted {
        /// Which setting.
        what: &'static str,
        /// Wanted.
        wanted: f64,
        /// Got.
        got: f64,
        /// Unit of both.
        unit: &'static str,
    },
    /// The ATT MTU is too small to stream.
    SmallMtu(u16),
    /// The sensor speaks another version of its protocol.
    Version {
        /// What it speaks.
        theirs: String,
        /// What we speak.
        ours: String,
    },
    /// Another program or phone holds the sensor.
    HeldByAnother,
    /// It wants to be paired first; how.
    NeedsPairing(&'static str),
    /// It holds samples of an earlier recording that nobody fetched.
    UnreadRecording,
    /// Its clock started again: it was off.
    Rebooted,
    /// Its clock jumped, s.
    ClockStepped(f64),
    /// Its battery is low; percent and minutes left if it tells.
    BatteryLow {
        /// Charge, %.
        percent: u8,
        /// Minutes left.
        minutes_left: Option<u16>,
    },
    /// It ended by itself; why.
    Ended(&'static str),
    /// It sends far more than it said it would; we drop the surplus.
    Flooding,
    /// It reported a fault.
    Fault(&'static str),
    /// A command failed; which, and how.
    CommandFailed {
        /// What was tried.
        what: &'static str,
        /// The answer.
        answer: String,
    },
    /// Nothing came though streaming was accepted.
    NoData,
}

/// One statement of a driver.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Who the sensor is; replaces what was said before.
    Identity(Identity),
    /// Charge, %; `None` if the sensor says it does not know.
    Battery(Option<u8>),
    /// A stream's configuration from here on.
    Streaming(Streaming),
    /// Samples.
    Block(Block),
    /// Samples that will not come.
    Missing(Missing),
    /// A clock exchange.
    Clock(Exchange),
    /// What the maker measured of this very sensor. *Not* applied to the values of blocks: those stay what the sensor
    /// read, so that a better calibration can be applied later to the same recording.
    Calibration(firmware_protocol::Calibration),
    /// Heart rate.
    HeartRate(HeartRate),
    /// Speed and cadence of a standard pod.
    RunningSpeed(RunningSpeed),
    /// A frame broke a rule and was dropped.
    Refused {
        /// Name of the rule.
        rule: &'static str,
    },
    /// Samples came twice; how many were dropped.
    Repeated(u32),
    /// The button or a tap sensed by the sensor itself; device time, ns.
    Mark {
        /// Run of the sensor's clock.
        epoch: u32,
        /// Device time, ns.
        at_ns: u64,
        /// What.
        what: &'static str,
    },
    /// Something to tell.
    Note(Note),
}

impl Note {
    /// The sentence a person reads.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Limits(text) => (*text).to_owned(),
            Self::NotAsWanted {
                what,
                wanted,
                got,
                unit,
            } => format!("{what} is {got:.0} {unit}, wanted {wanted:.0} {unit}"),
            Self::SmallMtu(mtu) => format!(
                "this computer and the sensor agreed on packets of {mtu} bytes; streaming needs at least 100. Try another Bluetooth adapter"
            ),
            Self::Version { theirs, ours } => {
                format!("the sensor speaks version {theirs} of its protocol, lope speaks {ours}; update its firmware")
            }
            Self::HeldByAnother => {
                "another program or phone is recording with this sensor; end it there, or take it over with --force"
                    .to_owned()
            }
            Self::NeedsPairing(how) => format!("the sensor wants to be paired first: {how}"),
            Self::UnreadRecording => {
                "the sensor holds samples of an earlier recording; fetch them by resuming it, or give them up with --force"
                    .to_owned()
            }
            Self::Rebooted => "the sensor restarted; what it held is lost, and it goes on with a new clock".to_owned(),
            Self::ClockStepped(s) => format!("the sensor's clock jumped by {s:.1} s"),
            Self::BatteryLow { percent, minutes_left } => match minutes_left {
                Some(m) => format!("battery low: {percent} %, about {m} min left"),
                None => format!("battery low: {percent} %"),
            },
            Self::Ended(why) => format!("the sensor ended the recording by itself: {why}"),
            Self::Flooding => "the sensor sends far more than it announced; the surplus is dropped".to_owned(),
            Self::Fault(what) => format!("the sensor reports a fault: {what}"),
            Self::CommandFailed { what, answer } => format!("{what} failed: {answer}"),
            Self::NoData => "the sensor accepted to stream but sends nothing".to_owned(),
        }
    }
}
