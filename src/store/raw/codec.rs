//! Chunk codecs 1 and 2: samples of one sensor to bytes and back, without any IO.
//!
//! ```text
//! n            u32 LE   samples
//! time         i64 LE origin, ns; u32 LE tick, ns; codec 2: i64 LE ticks from the first sample to the last
//! acc, gyro    2 × (u8 form; form 1: num f64 LE, den f64 LE)
//! length       codec 2: u32 LE, of what follows
//! 8 sequences  time, marks, acc x y z, gyro x y z; codec 1: each by itself, see ints.rs; codec 2: together, see adaptive.rs
//! ```
//!
//! A chunk is written in the codec that makes it smaller: that of long ones is 2, and a second of samples, from which
//! little can be learnt, is often 1. Codec 2 writes times as what they differ from an even rate.
//!
//! *Time* is counted in ticks from the origin: the largest tick that meets every instant, so that stamps of a text file
//! with microseconds do not pay for nanoseconds.
//! *Form 1* holds counts of a grid (see `grid.rs`), *form 0* the bits of the numbers themselves. Marks are the six clip
//! flags (bits 0 to 2 accelerometer, 3 to 5 gyroscope) and bit 6 for an interpolated sample.
//!
//! Which form is taken depends on [`Fidelity`]: numbers on a known grid are always kept exactly; numbers off every grid
//! are kept exactly too, at about their full size, or rounded to a step well below what a sensor can tell apart.
//! A chunk says which it was.
//!
//! Decoding takes any bytes and never panics; what no encoder wrote is [`Damaged`].

use super::adaptive::{self, CHANNELS};
use super::grid::{Grid, Quantity};
use super::ints::{self, BitReader};
use crate::model::{ClipFlags, ImuSample, SessionTime, Vec3};

/// Number of the codec of block codes in the `codec` column.
pub const BLOCKS: u32 = 1;

/// Number of the codec that learns.
pub const ADAPTIVE: u32 = 2;

/// Most samples a chunk may hold; a longer one is damage. Bounds what decoding can cost.
pub const CHUNK_MAX: usize = 1 << 16;

/// How numbers that lie on no grid are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fidelity {
    /// Every number bit for bit: a replay computes the same rows. Numbers off every grid cost up to eight bytes each.
    Exact,
    /// Numbers of a converter bit for bit; others rounded to 2⁻¹¹ m/s² and 2⁻¹³ rad/s, a twentieth of one count of a
    /// ±16 g, ±2000 °/s sensor of 16 bits. Finer decimals of text files are rounded too.
    #[default]
    SensorGrade,
}

/// Steps and ranges the caller knows of a sensor, to find its grid sooner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KnownSteps {
    /// One count of the accelerometer, m/s².
    pub acc_step: Option<f64>,
    /// One count of the gyroscope, rad/s.
    pub gyro_step: Option<f64>,
    /// Full scale of the accelerometer, m/s².
    pub acc_range: Option<f64>,
    /// Full scale of the gyroscope, rad/s.
    pub gyro_range: Option<f64>,
}

/// Bytes that no encoder wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// Encodes chunks of one stream; remembers the grids of the chunk before.
#[derive(Clone, Debug)]
pub struct Encoder {
    fidelity: Fidelity,
    steps: KnownSteps,
    last: [Option<Grid>; 2],
}

/// An encoded chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The codec of the bytes.
    pub codec: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether it decodes to the very same samples.
    pub exact: bool,
}

impl Encoder {
    /// An encoder for a stream of this kind.
    #[must_use]
    pub fn new(fidelity: Fidelity, steps: KnownSteps) -> Self {
        Self {
            fidelity,
            steps,
            last: [None; 2],
        }
    }

    /// Encodes samples, at most [`CHUNK_MAX`]; those beyond are not taken.
    pub fn encode(&mut self, samples: &[ImuSample]) -> Chunk {
        let samples = &samples[..samples.len().min(CHUNK_MAX)];
        let axis = |f: fn(&ImuSample) -> f64| samples.iter().map(f).collect::<Vec<f64>>();
        let acc = [axis(|s| s.acc.v.x), axis(|s| s.acc.v.y), axis(|s| s.acc.v.z)];
        let gyro = [axis(|s| s.gyro.v.x), axis(|s| s.gyro.v.y), axis(|s| s.gyro.v.z)];
        let acc_form = self.form(Quantity::Acceleration, &acc);
        let gyro_form = self.form(Quantity::AngularRate, &gyro);

        let mut times: Vec<i64> = samples.iter().map(|s| s.t.nanos()).collect();
        let (origin, tick) = to_ticks(&mut times);
        let counts = |form: Form, values: &[f64]| values.iter().map(|v| form.integer(*v)).collect::<Vec<i64>>();
        let [ax, ay, az] = acc.each_ref().map(|v| counts(acc_form, v));
        let [gx, gy, gz] = gyro.each_ref().map(|v| counts(gyro_form, v));
        let mut channels = [times, samples.iter().map(marks).collect(), ax, ay, az, gx, gy, gz];

        let head = |room: usize, span: Option<i64>| {
            let mut bytes = Vec::with_capacity(room);
            bytes.extend((samples.len() as u32).to_le_bytes());
            bytes.extend(origin.to_le_bytes());
            bytes.extend(tick.to_le_bytes());
            bytes.extend(span.map(i64::to_le_bytes).into_iter().flatten());
            for form in [acc_form, gyro_form] {
                form.write(&mut bytes);
            }
            bytes
        };
        // A byte and a half a number is rarely exceeded; a guess only saves growth.
        let room = 64 + samples.len() * 10;
        let mut bytes = head(room, None);
        for channel in &channels {
            ints::encode(channel, &mut bytes);
        }
        let exact = acc_form.exact && gyro_form.exact;
        let blocks = Chunk {
            codec: BLOCKS,
            bytes,
            exact,
        };
        let Some(span) = bend(&mut channels[0]) else {
            return blocks;
        };
        let mut bytes = head(room, Some(span));
        let at = bytes.len();
        bytes.extend([0; 4]);
        let fits = adaptive::encode(&channels, &mut bytes);
        let length = (bytes.len() - at - 4) as u32;
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        if fits && bytes.len() < blocks.bytes.len() {
            Chunk {
                codec: ADAPTIVE,
                bytes,
                exact,
            }
        } else {
            blocks
        }
    }

    fn form(&mut self, quantity: Quantity, axes: &[Vec<f64>; 3]) -> Form {
        let (at, step, range) = match quantity {
            Quantity::Acceleration => (0, self.steps.acc_step, self.steps.acc_range),
            Quantity::AngularRate => (1, self.steps.gyro_step, self.steps.gyro_range),
        };
        let fine = quantity.fine_step();
        let found = quantity.find([&axes[0], &axes[1], &axes[2]], step, range, self.last[at]);
        self.last[at] = found;
        let form = match (found, self.fidelity) {
            (Some(grid), Fidelity::Exact) => Form {
                grid: Some(grid),
                exact: true,
            },
            // A grid up to four times finer than the fine step is a real converter; finer ones are decimals of text.
            (Some(grid), Fidelity::SensorGrade) if grid.num / grid.den >= fine.num / 4.0 => Form {
                grid: Some(grid),
                exact: true,
            },
            (_, Fidelity::SensorGrade) if axes.iter().flatten().all(|v| fine.nearest(*v).is_some()) => Form {
                grid: Some(fine),
                exact: false,
            },
            _ => Form {
                grid: None,
                exact: true,
            },
        };
        // The fine step may still have met every number exactly.
        let exact = form.exact
            || form
                .grid
                .is_some_and(|g| axes.iter().flatten().all(|v| g.exact(*v).is_some()));
        Form { exact, ..form }
    }
}

/// How the numbers of one quantity are written.
#[derive(Clone, Copy)]
struct Form {
    grid: Option<Grid>,
    exact: bool,
}

impl Form {
    fn write(self, bytes: &mut Vec<u8>) {
        match self.grid {
            None => bytes.push(0),
            Some(grid) => {
                bytes.push(1);
                bytes.extend(grid.num.to_le_bytes());
                bytes.extend(grid.den.to_le_bytes());
            }
        }
    }

    fn integer(self, value: f64) -> i64 {
        match self.grid {
            // `form` has checked that every number has a count.
            Some(grid) => grid.nearest(value).unwrap_or(0),
            None => ordered_bits(value),
        }
    }
}

/// Bits of a number as an integer that grows with it, so that neighbours differ little.
fn ordered_bits(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    if bits < 0 {
        i64::MIN.wrapping_sub(bits).wrapping_sub(1)
    } else {
        bits
    }
}

/// The number of [`ordered_bits`].
fn from_ordered_bits(integer: i64) -> f64 {
    let bits = if integer < 0 {
        i64::MIN.wrapping_sub(integer).wrapping_sub(1)
    } else {
        integer
    };
    f64::from_bits(bits as u64)
}

/// Turns instants into ticks from the first one; says origin and tick.
fn to_ticks(times: &mut [i64]) -> (i64, u32) {
    let Some(origin) = times.first().copied() else {
        return (0, 1);
    };
    let mut tick = 0_u64;
    for t in times.iter() {
        // Instants farther apart than an `i64` holds are no recording; they are kept as they are.
        let Some(offset) = t.checked_sub(origin) else {
            return (0, 1);
        };
        tick = gcd(tick, offset.unsigned_abs());
    }
    // All at one instant (0), or a tick longer than four seconds: one nanosecond will do.
    let tick = u32::try_from(tick).ok().filter(|t| *t > 0).unwrap_or(1);
    for t in times.iter_mut() {
        *t = (*t - origin) / i64::from(tick);
    }
    (origin, tick)
}

/// Turns ticks into what they differ from an even rate, and says how far the last is from the first; `None`, and nothing is
/// changed, when they are too far apart to be a recording.
fn bend(ticks: &mut [i64]) -> Option<i64> {
    let span = match ticks {
        [first, .., last] => last.checked_sub(*first)?,
        _ => 0,
    };
    let n = ticks.len();
    for (i, t) in ticks.iter_mut().enumerate() {
        *t = t.wrapping_sub(even(i, n, span));
    }
    Some(span)
}

/// Tick of sample `i` of `n` at an even rate.
fn even(i: usize, n: usize, span: i64) -> i64 {
    let steps = n.saturating_sub(1).max(1) as i128;
    // Between zero and the span, so it fits.
    (i128::from(span) * i as i128 / steps) as i64
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn marks(s: &ImuSample) -> i64 {
    let clip = (0..3).map(|i| i64::from(s.clip.acc(i)) << i | i64::from(s.clip.gyro(i)) << (3 + i));
    clip.sum::<i64>() | i64::from(s.filled) << 6
}

/// Takes `N` bytes off the front.
fn split<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Damaged> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or(Damaged)?;
    *bytes = rest;
    Ok(*head)
}

/// The channels of a chunk of block codes.
fn blocks(bytes: &[u8], n: usize) -> Result<[Vec<i64>; CHANNELS], Damaged> {
    let mut channels: [Vec<i64>; CHANNELS] = std::array::from_fn(|_| Vec::new());
    let mut bits = BitReader::new(bytes);
    for channel in &mut channels {
        ints::decode(&mut bits, n, channel).map_err(|_| Damaged)?;
    }
    if bits.rest().is_empty() {
        Ok(channels)
    } else {
        Err(Damaged)
    }
}

/// Decodes a chunk of this codec into `out`, which is cleared first.
///
/// # Errors
/// [`Damaged`] for bytes that no encoder wrote, and for a codec that is not known; `out` is then empty.
pub fn decode(codec: u32, bytes: &[u8], out: &mut Vec<ImuSample>) -> Result<(), Damaged> {
    out.clear();
    let mut bytes = bytes;
    let n = u32::from_le_bytes(split(&mut bytes)?) as usize;
    if n > CHUNK_MAX {
        return Err(Damaged);
    }
    let origin = i64::from_le_bytes(split(&mut bytes)?);
    let tick = i64::from(u32::from_le_bytes(split(&mut bytes)?));
    let span = match codec {
        BLOCKS => None,
        ADAPTIVE => Some(i64::from_le_bytes(split(&mut bytes)?)),
        _ => return Err(Damaged),
    };
    let mut grids = [None; 2];
    for grid in &mut grids {
        match split::<1>(&mut bytes)? {
            [0] => {}
            [1] => {
                let (num, den) = (
                    f64::from_le_bytes(split(&mut bytes)?),
                    f64::from_le_bytes(split(&mut bytes)?),
                );
                let found = Grid { num, den };
                if !found.is_sound() {
                    return Err(Damaged);
                }
                *grid = Some(found);
            }
            _ => return Err(Damaged),
        }
    }
    let channels = match span {
        None => blocks(bytes, n)?,
        Some(span) => {
            if u32::from_le_bytes(split(&mut bytes)?) as usize != bytes.len() {
                return Err(Damaged);
            }
            let mut channels = adaptive::decode(bytes, n).map_err(|_| Damaged)?;
            for (i, t) in channels[0].iter_mut().enumerate() {
                *t = t.wrapping_add(even(i, n, span));
            }
            channels
        }
    };
    let [times, marks, axes @ ..] = channels;
    if marks.iter().any(|m| !(0..128).contains(m)) {
        return Err(Damaged);
    }
    let number = |axis: usize, i: usize| match grids[axis / 3] {
        Some(grid) => grid.value(axes[axis][i]),
        None => from_ordered_bits(axes[axis][i]),
    };
    out.extend((0..n).map(|i| {
        let bit = |b: usize| marks[i] & (1 << b) != 0;
        ImuSample {
            t: SessionTime::from_nanos(times[i].wrapping_mul(tick).wrapping_add(origin)),
            acc: Vec3::new(number(0, i), number(1, i), number(2, i)),
            gyro: Vec3::new(number(3, i), number(4, i), number(5, i)),
            clip: ClipFlags::from_axes([bit(0), bit(1), bit(2)], [bit(3), bit(4), bit(5)]),
            filled: bit(6),
        }
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(t: i64, v: [f64; 6], marks: u8) -> ImuSample {
        let bit = |b: u8| marks & (1 << b) != 0;
        ImuSample {
            t: SessionTime::from_nanos(t),
            acc: Vec3::new(v[0], v[1], v[2]),
            gyro: Vec3::new(v[3], v[4], v[5]),
            clip: ClipFlags::from_axes([bit(0), bit(1), bit(2)], [bit(3), bit(4), bit(5)]),
            filled: bit(6),
        }
    }

    fn numbers(s: &ImuSample) -> [u64; 6] {
        [s.acc.v.x, s.acc.v.y, s.acc.v.z, s.gyro.v.x, s.gyro.v.y, s.gyro.v.z].map(f64::to_bits)
    }

    fn round_trip(fidelity: Fidelity, samples: &[ImuSample]) -> (Vec<ImuSample>, Chunk) {
        let chunk = Encoder::new(fidelity, KnownSteps::default()).encode(samples);
        let mut back = Vec::new();
        decode(chunk.codec, &chunk.bytes, &mut back).expect("what was encoded can be decoded");
        (back, chunk)
    }

    fn check_exact(samples: &[ImuSample]) {
        let (back, chunk) = round_trip(Fidelity::Exact, samples);
        assert!(chunk.exact);
        assert_eq!(back.len(), samples.len());
        for (a, b) in back.iter().zip(samples) {
            assert_eq!((a.t, a.clip, a.filled, numbers(a)), (b.t, b.clip, b.filled, numbers(b)));
        }
    }

    #[test]
    fn counts_of_a_converter_are_exact_in_either_fidelity() {
        let (acc_lsb, gyro_lsb) = (16.0 * 9.806_65 / 32_768.0, 2000.0_f64.to_radians() / 32_768.0);
        let samples: Vec<ImuSample> = (0..500_i64)
            .map(|i| {
                let c = ((i * 7919) % 65_536 - 32_768) as f64;
                sample(
                    i * 5_000_123,
                    [c * acc_lsb, acc_lsb, -acc_lsb, -c * gyro_lsb, 0.0, gyro_lsb],
                    (i % 128) as u8,
                )
            })
            .collect();
        check_exact(&samples);
        let (back, chunk) = round_trip(Fidelity::SensorGrade, &samples);
        assert!(chunk.exact && back == samples);
    }

    #[test]
    fn numbers_off_every_grid_are_rounded_below_what_a_sensor_tells_apart_and_said_to_be() {
        let samples: Vec<ImuSample> = (0..200)
            .map(|i| {
                let x = f64::from(i).sin() * 150.0;
                sample(
                    i64::from(i) * 5_000_000,
                    [x, x / 3.0, -x / 7.0, x / 11.0, x / 13.0, -x / 17.0],
                    0,
                )
            })
            .collect();
        let (back, chunk) = round_trip(Fidelity::SensorGrade, &samples);
        assert!(!chunk.exact);
        for (a, b) in back.iter().zip(&samples) {
            assert!((a.acc.v - b.acc.v).amax() <= super::super::grid::ACC_STEP / 2.0 + 1e-12);
            assert!((a.gyro.v - b.gyro.v).amax() <= super::super::grid::GYRO_STEP / 2.0 + 1e-12);
        }
        check_exact(&samples);
    }

    #[test]
    fn a_chunk_cut_anywhere_is_damaged() {
        let samples: Vec<ImuSample> = (0..50)
            .map(|i| sample(i * 10, [1.0, 2.0, 3.0, 0.5, 0.25, 0.125], 0))
            .collect();
        let (_, chunk) = round_trip(Fidelity::Exact, &samples);
        let mut out = Vec::new();
        for end in 0..chunk.bytes.len() {
            assert_eq!(
                decode(chunk.codec, &chunk.bytes[..end], &mut out),
                Err(Damaged),
                "cut at {end}"
            );
            assert!(out.is_empty());
        }
    }

    /// A step every 0.7 s: flight, an impact, stance; of converter counts with noise of some counts.
    fn steps(n: i64) -> Vec<ImuSample> {
        let (acc, gyro) = (16.0 * 9.806_65 / 32_768.0, 2000.0_f64.to_radians() / 32_768.0);
        (0..n)
            .map(|i| {
                let phase = (i % 140) as f64 / 140.0;
                let hit = if phase > 0.5 {
                    (-(phase - 0.5) * 60.0).exp() * 9000.0
                } else {
                    0.0
                };
                let mut state = i as u64 + 1;
                let mut noise = || {
                    let mut sum = 0;
                    for _ in 0..4 {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        sum += (state >> 33) % 61;
                    }
                    sum as f64 - 120.0
                };
                let mut c = |k: f64| f64::from(((phase * 6.3 + k).sin() * 3000.0 + hit * k + noise()).round() as i32);
                let v = [
                    c(0.1) * acc,
                    c(0.4) * acc,
                    c(1.0) * acc,
                    c(2.0) * gyro,
                    c(3.0) * gyro,
                    c(4.0) * gyro,
                ];
                sample(i * 5_000_000, v, 0)
            })
            .collect()
    }

    #[test]
    fn a_minute_learns_what_a_second_cannot_and_both_come_back() {
        let (_, minute) = round_trip(Fidelity::Exact, &steps(12_000));
        assert_eq!(minute.codec, ADAPTIVE);
        let seconds: usize = steps(12_000)
            .chunks(200)
            .map(|c| round_trip(Fidelity::Exact, c).1.bytes.len())
            .sum();
        assert!(minute.bytes.len() < seconds, "{} of {seconds}", minute.bytes.len());
        check_exact(&steps(12_000));
        check_exact(&steps(3));
    }

    #[test]
    fn chunks_of_the_first_codec_are_still_read() {
        // Written by the version that knew no other: 4 samples a second apart, 1 m/s² along z, 0.5 rad/s about x.
        let samples: Vec<ImuSample> = (0..4)
            .map(|i| sample(i * 1_000_000_000, [0.0, 0.0, 1.0, 0.5, 0.0, 0.0], 0))
            .collect();
        let mut bytes = vec![4, 0, 0, 0];
        bytes.extend(0_i64.to_le_bytes());
        bytes.extend(1_000_000_000_u32.to_le_bytes());
        for step in [1.0_f64, 0.5] {
            bytes.push(1);
            bytes.extend(step.to_le_bytes());
            bytes.extend(1.0_f64.to_le_bytes());
        }
        for channel in [
            &[0, 1, 2, 3][..],
            &[0; 4],
            &[0; 4],
            &[0; 4],
            &[1; 4],
            &[1; 4],
            &[0; 4],
            &[0; 4],
        ] {
            ints::encode(channel, &mut bytes);
        }
        let mut back = Vec::new();
        decode(BLOCKS, &bytes, &mut back).expect("the first codec");
        assert_eq!(back, samples);
        assert_eq!(decode(3, &bytes, &mut back), Err(Damaged), "a codec of a later version");
    }

    #[test]
    fn stamps_of_a_text_file_do_not_pay_for_nanoseconds() {
        let jitter = |i: i64| (i * 7919) % 11 - 5;
        let stamped = |unit: i64| -> Vec<ImuSample> {
            (0..400)
                .map(|i| sample(77 + (i * 5_000 + jitter(i)) * unit, [0.0; 6], 0))
                .collect()
        };
        let bytes = |samples: &[ImuSample]| round_trip(Fidelity::Exact, samples).1.bytes.len();
        assert_eq!(bytes(&stamped(1)), bytes(&stamped(1000)));
        check_exact(&stamped(1000));
        check_exact(&[sample(i64::MIN, [0.0; 6], 0), sample(i64::MAX, [0.0; 6], 0)]);
        check_exact(&[sample(0, [0.0; 6], 0), sample(20_000_000_000, [0.0; 6], 0)]);
    }

    #[test]
    fn the_order_of_bits_is_the_order_of_numbers() {
        let rising = [f64::NEG_INFINITY, -2.0, -1e-300, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY];
        assert!(rising.windows(2).all(|w| ordered_bits(w[0]) < ordered_bits(w[1])));
        assert!(
            rising
                .iter()
                .all(|v| from_ordered_bits(ordered_bits(*v)).to_bits() == v.to_bits())
        );
    }

    proptest! {
        #[test]
        fn every_sample_survives_exactly(
            rows in proptest::collection::vec((any::<i64>(), any::<[u64; 6]>(), 0_u8..128), 0..80)
        ) {
            // Any bits at all, not-a-number and infinities too.
            check_exact(&rows.iter().map(|(t, v, m)| sample(*t, v.map(f64::from_bits), *m)).collect::<Vec<_>>());
        }

        #[test]
        fn bytes_that_nobody_wrote_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for codec in 0..4 {
                let _ = decode(codec, &bytes, &mut Vec::new());
            }
        }

        #[test]
        fn a_flipped_bit_does_not_panic(at in 0_usize..4000, bit in 0_u8..8) {
            let samples: Vec<ImuSample> =
                (0..60).map(|i| sample(i * 5_000_000, [i as f64 * 0.37, 9.8, 0.1, 0.2, -0.3, 0.0], 0)).collect();
            let Chunk { codec, mut bytes, .. } =
                Encoder::new(Fidelity::SensorGrade, KnownSteps::default()).encode(&samples);
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let _ = decode(codec, &bytes, &mut Vec::new());
        }
    }
}
