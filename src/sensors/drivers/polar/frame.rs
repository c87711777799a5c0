//! Data frames of Polar measurement data: a header with the time of the *last* sample, then samples plain or as
//! differences packed to the bit.
//!
//! Source: Polar BLE SDK, technical_documentation/online_measurement.pdf (which calls the time a ring counter in one
//! place; it is nanoseconds since 2000-01-01). Values stay as sent, beside the scale that reads them: the maker's own
//! numbers are truncated to whole milli-g and are not used.

use super::super::bytes::{Bytes, Refusal};
use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};

/// Bytes before the samples.
const HEADER: usize = 10;
/// Bit of the frame type that says the content is differences.
const DELTA: u8 = 0x80;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Specific force.
    Acc,
    /// Angular rate.
    Gyro,
    /// Magnetic field.
    Mag,
}

impl Kind {
    /// The maker's number of it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Acc => 2,
            Self::Gyro => 5,
            Self::Mag => 6,
        }
    }

    /// By the maker's number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            2 => Some(Self::Acc),
            5 => Some(Self::Gyro),
            6 => Some(Self::Mag),
            _ => None,
        }
    }
}

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// This many bytes an axis.
    Plain(usize),
    /// Differences of integers of 16 bits, with so many channels.
    Delta(usize),
    /// Differences of the bit patterns of 32-bit floats.
    DeltaOfFloats,
}

/// A header that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it holds.
    pub kind: Kind,
    /// Time of the last sample, ns of the sensor's clock.
    pub last_ns: u64,
    /// Frame type; bit 7 for differences.
    pub frame_type: u8,
}

/// Samples of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// Header.
    pub header: Header,
    /// x y z of one sample after another, as sent.
    pub values: Vec<f32>,
    /// Blocks of width 0 and a count above 0. Documents and programs disagree what they mean: they are taken as nothing.
    pub zero_width_blocks: u32,
    /// A value left the 16 bits it has by the protocol.
    pub out_of_range: bool,
    /// Calibration of a magnetometer, 0 to 3, of the last sample.
    pub calibration: Option<u8>,
}

impl Samples {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / 3
    }

    /// Whether there are none; a decoded frame has at least one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether something about the frame leaves doubt of its values.
    #[must_use]
    pub fn suspect(&self) -> bool {
        self.zero_width_blocks > 0 || self.out_of_range
    }
}

impl Header {
    /// SI units (m/s², rad/s, T) per unit of the wire, given the factor told at the start.
    #[must_use]
    pub fn scale(&self, factor: f64) -> f64 {
        match (self.kind, self.frame_type) {
            (Kind::Acc, DELTA) => factor * STANDARD_GRAVITY,
            (Kind::Acc, 0x81) => factor * 1e-3 * STANDARD_GRAVITY,
            (Kind::Acc, _) => 1e-3 * STANDARD_GRAVITY,
            (Kind::Gyro, _) => factor * RAD_PER_DEG,
            (Kind::Mag, 0x81) => factor * 1e-3 * 1e-4,
            (Kind::Mag, _) => factor * 1e-4,
        }
    }
}

/// Time of the first sample of the first frame after a start, ns: there is no frame before it, so the rate has to do. Later
/// frames divide the step between their times.
#[must_use]
pub fn first_of_run(last_ns: u64, samples: u64, rate_hz: f64) -> u64 {
    super::super::series::first_of_run(last_ns, samples, 1e9 / rate_hz)
}

fn header(b: &mut Bytes<'_>) -> Result<(Header, Layout), Refusal> {
    const SHORT: Refusal = Refusal("short");
    let number = b.u8().ok_or(SHORT)?;
    let last_ns = b.u64().ok_or(SHORT)?;
    let frame_type = b.u8().ok_or(SHORT)?;
    let kind = match number & 0x3F {
        0 => return Err(Refusal("ECG is not inertial")),
        1 => return Err(Refusal("PPG is not inertial")),
        3 => return Err(Refusal("PPI is not inertial")),
        7 => return Err(Refusal("skin temperature is not inertial")),
        9 => return Err(Refusal("SDK mode has no data")),
        10 => return Err(Refusal("location is not inertial")),
        11 => return Err(Refusal("pressure is not inertial")),
        12 => return Err(Refusal("temperature is not inertial")),
        n => Kind::from_number(n).ok_or(Refusal("unknown measurement"))?,
    };
    let layout = match (kind, frame_type) {
        (Kind::Acc, 0) => Layout::Plain(1),
        (Kind::Acc, 1) => Layout::Plain(2),
        (Kind::Acc, 2) => Layout::Plain(3),
        (_, DELTA) | (Kind::Acc, 0x81) => Layout::Delta(3),
        (Kind::Gyro, 0x81) => Layout::DeltaOfFloats,
        (Kind::Mag, 0x81) => Layout::Delta(4),
        _ => return Err(Refusal("unknown frame type")),
    };
    let header = Header {
        kind,
        last_ns,
        frame_type,
    };
    Ok((header, layout))
}

/// Decodes a data frame.
///
/// # Errors
/// The rule it breaks: `short`, `short ref`, `short block header`, `short block`, `delta width above 32`, `ragged` (plain
/// samples cut), `unknown frame type`, `unknown measurement`, `… is not inertial`, `not a number`.
pub fn decode(bytes: &[u8]) -> Result<Samples, Refusal> {
    let mut b = Bytes(bytes);
    let (header, layout) = header(&mut b)?;
    debug_assert_eq!(bytes.len() - b.len(), HEADER);
    let mut samples = Samples {
        header,
        values: Vec::new(),
        zero_width_blocks: 0,
        out_of_range: false,
        calibration: None,
    };
    match layout {
        Layout::Plain(width) => plain(b.0, width, &mut samples)?,
        Layout::Delta(3) => delta::<3>(b, 2, &mut samples, |v| v as f32)?,
        Layout::Delta(_) => delta::<4>(b, 2, &mut samples, |v| v as f32)?,
        Layout::DeltaOfFloats => {
            delta::<3>(b, 4, &mut samples, |v| f32::from_bits(v as u32))?;
            if samples.values.iter().any(|v| !v.is_finite()) {
                return Err(Refusal("not a number"));
            }
        }
    }
    Ok(samples)
}

fn plain(content: &[u8], width: usize, samples: &mut Samples) -> Result<(), Refusal> {
    if content.is_empty() {
        return Err(Refusal("short"));
    }
    if !content.len().is_multiple_of(3 * width) {
        return Err(Refusal("ragged"));
    }
    samples.values.extend(content.chunks_exact(width).map(|c| match *c {
        [a] => f32::from(a as i8),
        [a, b] => f32::from(i16::from_le_bytes([a, b])),
        // Three bytes into the upper end of four, and back down with the sign.
        [a, b, c] => (i32::from_le_bytes([0, a, b, c]) >> 8) as f32,
        _ => 0.0,
    }));
    Ok(())
}

/// Reads a reference of `bytes_each` bytes a channel and the blocks after it. Allocates no more than the bits that came
/// can fill.
fn delta<const CHANNELS: usize>(
    mut b: Bytes<'_>,
    bytes_each: usize,
    samples: &mut Samples,
    read: impl Fn(i32) -> f32,
) -> Result<(), Refusal> {
    let reference = b.take(CHANNELS * bytes_each).ok_or(Refusal("short ref"))?;
    let mut now = [0_i32; CHANNELS];
    for (value, raw) in now.iter_mut().zip(reference.chunks_exact(bytes_each)) {
        *value = match *raw {
            [a, b] => i32::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i32::from_le_bytes([a, b, c, d]),
            _ => 0,
        };
    }
    samples.values.reserve(3 + b.len() * 8 / 6);
    samples.values.extend(now[..3].iter().map(|v| read(*v)));
    let bounds = if bytes_each == 2 {
        i32::from(i16::MIN)..=i32::from(i16::MAX)
    } else {
        i32::MIN..=i32::MAX
    };
    while b.len() > 0 {
        let (Some(width), Some(count)) = (b.u8(), b.u8()) else {
            return Err(Refusal("short block header"));
        };
        let (width, count) = (u32::from(width), usize::from(count));
        if width > 32 {
            return Err(Refusal("delta width above 32"));
        }
        if width == 0 {
            samples.zero_width_blocks += u32::from(count > 0);
            continue;
        }
        let packed = (width as usize * count * CHANNELS).div_ceil(8);
        let block = b.take(packed).ok_or(Refusal("short block"))?;
        let mut bits = Bits::new(block, width);
        for _ in 0..count {
            for value in &mut now {
                *value = value.wrapping_add(bits.next());
                samples.out_of_range |= !bounds.contains(value);
            }
            samples.values.extend(now[..3].iter().map(|v| read(*v)));
        }
    }
    if CHANNELS == 4 {
        samples.calibration = u8::try_from(now[CHANNELS - 1]).ok().filter(|c| *c <= 3);
    }
    Ok(())
}

/// Signed numbers of a fixed width, from the low end of each byte.
struct Bits<'a> {
    rest: &'a [u8],
    held: u64,
    holds: u32,
    width: u32,
}

impl<'a> Bits<'a> {
    fn new(rest: &'a [u8], width: u32) -> Self {
        Self {
            rest,
            held: 0,
            holds: 0,
            width,
        }
    }

    /// The next; zeros stand behind the end.
    fn next(&mut self) -> i32 {
        if self.holds < self.width {
            // Four bytes at once where there are four: at most 31 bits are held, so 63 fit.
            if let Some((four, rest)) = self.rest.split_first_chunk::<4>() {
                self.held |= u64::from(u32::from_le_bytes(*four)) << self.holds;
                self.holds += 32;
                self.rest = rest;
            } else {
                while self.holds < self.width {
                    let (byte, rest) = self.rest.split_first().map_or((0, self.rest), |(b, r)| (*b, r));
                    self.held |= u64::from(byte) << self.holds;
                    self.holds += 8;
                    self.rest = rest;
                }
            }
        }
        let spare = 32 - self.width;
        let value = ((self.held as u32) << spare).cast_signed() >> spare;
        self.held >>= self.width;
        self.holds -= self.width;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, frame_type: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend(1_000_000_007_u64.to_le_bytes());
        bytes.push(frame_type);
        bytes.extend(content);
        bytes
    }

    #[test]
    fn plain_samples_of_one_two_and_three_bytes() {
        let one = decode(&frame(2, 0, &[1, 0xFF, 0x80])).expect("whole");
        assert_eq!(one.values, [1.0, -1.0, -128.0]);
        let two = decode(&frame(2, 1, &[0xE8, 3, 0x18, 0xFC, 0, 0x80])).expect("whole");
        assert_eq!(two.values, [1000.0, -1000.0, -32768.0]);
        let three = decode(&frame(2, 2, &[1, 0, 0, 0xFF, 0xFF, 0xFF, 0, 0, 0x80])).expect("whole");
        assert_eq!(three.values, [1.0, -1.0, -8_388_608.0]);
        assert_eq!(three.header.last_ns, 1_000_000_007);
        assert_eq!(decode(&frame(2, 1, &[1; 7])), Err(Refusal("ragged")));
        assert_eq!(decode(&frame(2, 1, &[])), Err(Refusal("short")));
    }

    #[test]
    fn differences_are_added_from_the_low_end() {
        // Width 3, two samples: +1 −1 +3, −4 0 +2, packed from the low end.
        let numbers = [1_i32, -1, 3, -4, 0, 2];
        let packed = numbers
            .iter()
            .enumerate()
            .fold(0_u32, |acc, (i, v)| acc | (v.cast_unsigned() & 7) << (3 * i));
        let mut content = vec![10, 0, 20, 0, 30, 0, 3, 2];
        content.extend(&packed.to_le_bytes()[..3]);
        let got = decode(&frame(2, 0x81, &content)).expect("whole");
        assert_eq!(got.values, [10.0, 20.0, 30.0, 11.0, 19.0, 33.0, 7.0, 19.0, 35.0]);
        assert!(!got.suspect());
        for n in 0..content.len() {
            let cut = decode(&frame(2, 0x81, &content[..n]));
            // Cut just behind the reference it is a whole frame of one sample.
            assert_eq!(cut.is_ok(), n == 6, "{n}");
        }
    }

    #[test]
    fn width_one_has_the_differences_nought_and_minus_one_and_width_32_wraps() {
        let got = decode(&frame(2, 0x81, &[0, 0, 0, 0, 0, 0, 1, 1, 0b101])).expect("whole");
        assert_eq!(got.values[3..], [-1.0, 0.0, -1.0]);
        let mut wide = vec![1, 0, 1, 0, 1, 0, 32, 1];
        wide.extend([0xFF; 12]);
        assert_eq!(decode(&frame(2, 0x81, &wide)).expect("whole").values[3..], [0.0; 3]);
    }

    #[test]
    fn floats_differ_in_their_bit_pattern() {
        let (a, b) = (1.5_f32, -2.25_f32);
        let step = b.to_bits().wrapping_sub(a.to_bits());
        let mut content: Vec<u8> = [a; 3].iter().flat_map(|v| v.to_le_bytes()).collect();
        content.extend([32, 1]);
        content.extend([step; 3].iter().flat_map(|v| v.to_le_bytes()));
        let got = decode(&frame(5, 0x81, &content)).expect("whole");
        assert_eq!(got.values, [a, a, a, b, b, b]);
        let bad: Vec<u8> = [f32::NAN; 3].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(decode(&frame(5, 0x81, &bad)), Err(Refusal("not a number")));
    }

    #[test]
    fn a_magnetometer_with_calibration_has_four_channels() {
        let got = decode(&frame(6, 0x81, &[1, 0, 2, 0, 3, 0, 2, 0, 2, 1, 0b0101_0101])).expect("whole");
        assert_eq!(got.values, [1.0, 2.0, 3.0, 2.0, 3.0, 4.0]);
        assert_eq!(got.calibration, Some(3));
    }

    #[test]
    fn what_is_not_inertial_is_refused_by_name() {
        for (kind, rule) in [
            (0, "ECG is not inertial"),
            (3, "PPI is not inertial"),
            (11, "pressure is not inertial"),
            (33, "unknown measurement"),
        ] {
            assert_eq!(decode(&frame(kind, 0, &[0; 6])), Err(Refusal(rule)));
        }
        assert_eq!(decode(&frame(5, 0, &[0; 6])), Err(Refusal("unknown frame type")));
        // The two upper bits of the type belong to something else.
        assert!(decode(&frame(0xC2, 1, &[0; 6])).is_ok());
    }

    #[test]
    fn a_value_beyond_sixteen_bits_is_doubted() {
        let got = decode(&frame(2, 0x81, &[0xFF, 0x7F, 0, 0, 0, 0, 4, 1, 0x01, 0])).expect("whole");
        assert_eq!(got.values[3], 32768.0);
        assert!(got.out_of_range && got.suspect());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_return(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), kind in 0..16_u8, t in 0..5_u8) {
            let _ = decode(&bytes);
            let framed = frame(kind, [0, 1, 2, 0x80, 0x81][usize::from(t)], &bytes);
            if let Ok(s) = decode(&framed) {
                proptest::prop_assert!(!s.is_empty() && s.values.len() % 3 == 0);
                // No more samples than bits came.
                proptest::prop_assert!(s.len() <= 1 + bytes.len() * 8 / 3);
            }
        }
    }
}
