//! Chunk codec 1: samples of one sensor to bytes and back, without any IO.
//!
//! ```text
//! n            u32 LE   samples
//! time         i64 LE origin, ns; u32 LE tick, ns
//! acc, gyro    2 × (u8 form; form 1: num f64 LE, den f64 LE)
//! 8 sequences  see ints.rs: time, marks, acc x y z, gyro x y z
//! ```
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

use super::grid::{Grid, Quantity};
use super::ints::{self, BitReader};
use crate::model::{ClipFlags, ImuSample, SessionTime, Vec3};

/// Number of this codec in the `codec` column.
pub const CODEC: u32 = 1;

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

        // Some six bytes a number are never exceeded by real data; a guess only saves growth.
        let mut bytes = Vec::with_capacity(64 + samples.len() * 12);
        bytes.extend((samples.len() as u32).to_le_bytes());
        let mut sequence: Vec<i64> = samples.iter().map(|s| s.t.nanos()).collect();
        let (origin, tick) = to_ticks(&mut sequence);
        bytes.extend(origin.to_le_bytes());
        bytes.extend(tick.to_le_bytes());
        for form in [acc_form, gyro_form] {
            form.write(&mut bytes);
        }
        ints::encode(&sequence, &mut bytes);
        sequence.clear();
        sequence.extend(samples.iter().map(marks));
        ints::encode(&sequence, &mut bytes);
        for (form, axes) in [(acc_form, &acc), (gyro_form, &gyro)] {
            for values in axes {
                sequence.clear();
                sequence.extend(values.iter().map(|v| form.integer(*v)));
                ints::encode(&sequence, &mut bytes);
            }
        }
        Chunk {
            bytes,
            exact: acc_form.exact && gyro_form.exact,
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

/// Decodes a chunk of [`CODEC`] into `out`, which is cleared first.
///
/// # Errors
/// [`Damaged`] for bytes that no encoder wrote; `out` is then empty.
pub fn decode(bytes: &[u8], out: &mut Vec<ImuSample>) -> Result<(), Damaged> {
    out.clear();
    let mut bytes = bytes;
    let n = u32::from_le_bytes(split(&mut bytes)?) as usize;
    if n > CHUNK_MAX {
        return Err(Damaged);
    }
    let origin = i64::from_le_bytes(split(&mut bytes)?);
    let tick = i64::from(u32::from_le_bytes(split(&mut bytes)?));
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
    let mut bits = BitReader::new(bytes);
    let mut next = || {
        let mut values = Vec::new();
        ints::decode(&mut bits, n, &mut values)
            .map(|()| values)
            .map_err(|_| Damaged)
    };
    let (times, marks) = (next()?, next()?);
    let axes = [next()?, next()?, next()?, next()?, next()?, next()?];
    if !bits.rest().is_empty() || marks.iter().any(|m| !(0..128).contains(m)) {
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
        decode(&chunk.bytes, &mut back).expect("what was encoded can be decoded");
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
            assert_eq!(decode(&chunk.bytes[..end], &mut out), Err(Damaged), "cut at {end}");
            assert!(out.is_empty());
        }
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
            let _ = decode(&bytes, &mut Vec::new());
        }

        #[test]
        fn a_flipped_bit_does_not_panic(at in 0_usize..4000, bit in 0_u8..8) {
            let samples: Vec<ImuSample> =
                (0..60).map(|i| sample(i * 5_000_000, [i as f64 * 0.37, 9.8, 0.1, 0.2, -0.3, 0.0], 0)).collect();
            let mut bytes = Encoder::new(Fidelity::SensorGrade, KnownSteps::default()).encode(&samples).bytes;
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let _ = decode(&bytes, &mut Vec::new());
        }
    }
}
