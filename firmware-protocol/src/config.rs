//! What a stream really does: rate, ranges, scales (SPEC.md section 6.2).
//!
//! A host computes with this record and never with what it asked for. Everything is an integer: floating point costs
//! twice the bytes on the air and has NaN, and nano-units keep the error below a millionth.

use crate::codec::{Reader, Writer};
use crate::{CfgId, ClipLimits, EncodeError, INDEX_NONE, Kind, Refusal, StreamId};

/// Bytes of a configuration on the air.
pub const CONFIGURATION: usize = 36;

const ENABLED: u8 = 1;

/// Standard gravity in nm/s² (ISO 80000-3: 9.80665 m/s² exactly).
const GRAVITY_NM_S2: u64 = 9_806_650_000;
/// One degree in 10⁻¹² rad: π/180, rounded to what a scale of nano-radians needs.
const DEGREE_PICO_RAD: u64 = 17_453_292_520;
/// Counts of a 16-bit sensor from 0 to the end of its range.
const FULL_SCALE_COUNTS: u64 = 32768;

/// Rate, ranges and scales of one stream, in force from one index on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Configuration {
    /// The stream.
    pub stream: StreamId,
    /// Its name in frames; `None` while no session uses it.
    pub cfg_id: Option<CfgId>,
    /// Kind of its frames as a number, so that a later kind can be told; see [`Configuration::kind`].
    pub kind_number: u8,
    /// Whether the next session has this stream.
    pub enabled: bool,
    /// Nominal rate in 1/1000 Hz; 0 for marks. Never used to compute time: the sensor's oscillator may be percent off.
    pub rate_mhz: u32,
    /// nm/s² per count; 0 if the stream has no accelerometer.
    pub acc_scale: u32,
    /// nrad/s per count; 0 if the stream has no gyroscope.
    pub gyr_scale: u32,
    /// pT per count; 0 if the stream has no magnetometer.
    pub mag_scale: u32,
    /// Range of the accelerometer, ± g.
    pub acc_range_g: u16,
    /// Range of the gyroscope, ± degrees per second.
    pub gyr_range_dps: u16,
    /// Group delay at DC of the accelerometer's own filter, µs. Not subtracted from any time.
    pub acc_delay_us: u16,
    /// The same for the gyroscope.
    pub gyr_delay_us: u16,
    /// Count at and above which an axis of acceleration is clipped.
    pub acc_clip: u16,
    /// The same for angular rate.
    pub gyr_clip: u16,
    /// First sample with this configuration; `None` while no session uses it.
    pub first_index: Option<u32>,
}

impl Configuration {
    /// The kind of its frames; `None` for one that this version does not know.
    pub const fn kind(&self) -> Option<Kind> {
        Kind::new(self.kind_number)
    }

    /// m/s² per count.
    pub fn acc_m_s2_per_count(&self) -> f64 {
        f64::from(self.acc_scale) * 1e-9
    }

    /// rad/s per count.
    pub fn gyr_rad_s_per_count(&self) -> f64 {
        f64::from(self.gyr_scale) * 1e-9
    }

    /// Tesla per count.
    pub fn mag_tesla_per_count(&self) -> f64 {
        f64::from(self.mag_scale) * 1e-12
    }

    /// The counts at which its sensors clip; `None` for a sensor it does not have.
    pub fn clip_limits(&self) -> ClipLimits {
        ClipLimits {
            acc: (self.acc_scale != 0).then_some(self.acc_clip),
            gyr: (self.gyr_scale != 0).then_some(self.gyr_clip),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Configuration {
            stream: read_stream(reader)?,
            cfg_id: CfgId::new(reader.u8()?),
            kind_number: reader.u8()?,
            enabled: reader.u8()? & ENABLED != 0,
            rate_mhz: reader.u32()?,
            acc_scale: reader.u32()?,
            gyr_scale: reader.u32()?,
            mag_scale: reader.u32()?,
            acc_range_g: reader.u16()?,
            gyr_range_dps: reader.u16()?,
            acc_delay_us: reader.u16()?,
            gyr_delay_us: reader.u16()?,
            acc_clip: reader.u16()?,
            gyr_clip: reader.u16()?,
            first_index: Some(reader.u32()?).filter(|index| *index != INDEX_NONE),
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer
            .u8(self.stream.get())?
            .u8(self.cfg_id.map_or(0, CfgId::get))?
            .u8(self.kind_number)?
            .u8(u8::from(self.enabled))?
            .u32(self.rate_mhz)?
            .u32(self.acc_scale)?
            .u32(self.gyr_scale)?
            .u32(self.mag_scale)?
            .u16(self.acc_range_g)?
            .u16(self.gyr_range_dps)?
            .u16(self.acc_delay_us)?
            .u16(self.gyr_delay_us)?
            .u16(self.acc_clip)?
            .u16(self.gyr_clip)?
            .u32(self.first_index.unwrap_or(INDEX_NONE))?;
        Ok(())
    }
}

/// A stream number in a reply, an event or a request: above 7 is `param`.
pub(crate) fn read_stream(reader: &mut Reader<'_>) -> Result<StreamId, Refusal> {
    StreamId::new(reader.u8()?).ok_or(Refusal::Param { field: "stream" })
}

/// nm/s² per count of a sensor of ±`range_g` over 16 bits, rounded: 4 788 403 for ±16 g.
///
/// For a sensor whose data sheet gives a sensitivity, state that instead.
pub const fn acc_scale_of_range(range_g: u16) -> u32 {
    // At most 65535 · 9.8e9 / 32768 ≈ 1.96e10 would pass u32 above ±14 350 g, which no sensor reaches: clamp, not wrap.
    clamp_u32((range_g as u64 * GRAVITY_NM_S2 + FULL_SCALE_COUNTS / 2) / FULL_SCALE_COUNTS)
}

/// nrad/s per count of a sensor of ±`range_dps` over 16 bits, rounded: 1 065 264 for ±2000 °/s.
pub const fn gyr_scale_of_range(range_dps: u16) -> u32 {
    clamp_u32((range_dps as u64 * DEGREE_PICO_RAD / 1000 + FULL_SCALE_COUNTS / 2) / FULL_SCALE_COUNTS)
}

const fn clamp_u32(number: u64) -> u32 {
    if number > u32::MAX as u64 {
        u32::MAX
    } else {
        number as u32
    }
}
