//! The channels of a sensor as bytes, by prediction that learns and a range coder.
//!
//! Block codes (`ints.rs`) spend what the best of four fixed predictors leaves. A foot is not one of the four: it flies
//! smoothly, then hits the ground. Here several predictors run side by side and the next value is guessed from all of them,
//! each weighted by how well it did over the last few samples (1 / error⁴). One of them is a linear filter over the last
//! sixteen values whose weights follow the signal (normalised least mean squares, Haykin, *Adaptive Filter Theory*). What is
//! left over is written with a binary range coder whose probabilities are learnt for each level of recent error, so that
//! the quiet and the loud part of a step each pay their own price.
//!
//! Both sides learn from what was coded before, so nothing about predictors or probabilities is stored. For that they must
//! compute the very same numbers: only additions, multiplications, divisions and rounding are used, which IEEE 754 fixes to
//! the last bit.

use super::ints::Exhausted;

/// Time, marks, three axes of acceleration, three of angular rate.
pub(crate) const CHANNELS: usize = 8;
/// Kinds of channels, each with probabilities of its own …
const KINDS: usize = 4;
/// … and which each is of.
const KIND: [usize; CHANNELS] = [0, 1, 2, 2, 2, 3, 3, 3];
/// Kinds from here on are measurements of one body.
const MEASURED: usize = 2;

/// Larger values are left to the block code: the predictors' squares stay far below what an `f64` holds.
const LARGEST: u64 = 1 << 40;
/// Values the filter looks back on.
const TAPS: usize = 16;
/// Step of the filter, as a share of the error.
const STEP: f64 = 0.005;
/// Predictors: constant, line, parabola, mean, filter.
const PREDICTORS: usize = 5;
/// Share of the newest value in the mean.
const MEAN_SHARE: f64 = 0.15;
/// Share of the newest error in what a predictor is judged by: some ten samples, a twentieth of a second.
const ERROR_SHARE: f64 = 0.1;
/// No predictor is trusted beyond the rounding of a count.
const ERROR_FLOOR: f64 = 0.3;

/// Levels of recent error that have their own probabilities: half octaves.
const LEVELS: usize = 48;
/// Steps of the unary part; how much larger it is follows.
const UNARY: usize = 20;
/// Bits of that at most.
const FAR: usize = 48;
/// Unary steps that have their own probability of the bit behind them.
const BEHIND: usize = 8;
/// Bits of a probability.
const PROB_BITS: u32 = 15;
/// A probability is the mean of about so many bits.
const MEMORY: u32 = 160;
/// Below this the coder moves bytes out or in.
const NARROW: u32 = 1 << 24;
/// Bytes behind the end that read as zero: those the coder did not have to write.
const UNWRITTEN: usize = 4;

/// Guesses the next value.
struct Predictor {
    /// The last values, latest first.
    past: [f64; TAPS],
    weights: [f64; TAPS],
    mean: f64,
    guesses: [f64; PREDICTORS],
    errors: [f64; PREDICTORS],
}

impl Predictor {
    fn new() -> Self {
        let mut weights = [0.0; TAPS];
        weights[0] = 1.0;
        Self {
            past: [0.0; TAPS],
            weights,
            mean: 0.0,
            guesses: [0.0; PREDICTORS],
            errors: [1.0; PREDICTORS],
        }
    }

    fn guess(&mut self) -> i64 {
        let [a, b, c, ..] = self.past;
        let filter = self.past.iter().zip(&self.weights).fold(0.0, |sum, (x, w)| sum + x * w);
        self.guesses = [a, 2.0 * a - b, 3.0 * (a - b) + c, self.mean, filter];
        let (mut sum, mut weight) = (0.0, 0.0);
        for (guess, error) in self.guesses.iter().zip(&self.errors) {
            let square = error * error;
            let w = 1.0 / (square * square);
            sum += w * guess;
            weight += w;
        }
        // Bytes that nobody wrote may lead beyond all numbers; the cast then gives some integer, and no fault.
        (sum / weight).round() as i64
    }

    fn learn(&mut self, value: i64) {
        let value = value as f64;
        for (error, guess) in self.errors.iter_mut().zip(&self.guesses) {
            *error += ((value - guess).abs() + ERROR_FLOOR - *error) * ERROR_SHARE;
        }
        let power = self.past.iter().fold(1.0, |sum, x| sum + x * x);
        let step = STEP * (value - self.guesses[PREDICTORS - 1]) / power;
        for (w, x) in self.weights.iter_mut().zip(&self.past) {
            *w += step * x;
        }
        self.mean += (value - self.mean) * MEAN_SHARE;
        self.past.copy_within(0..TAPS - 1, 1);
        self.past[0] = value;
    }
}

/// The probability of a bit, learnt.
#[derive(Clone, Copy)]
struct Bit {
    /// Of a zero, in 2⁻²² parts.
    zero: u32,
    seen: u32,
}

impl Bit {
    const NEW: Self = Self { zero: 1 << 21, seen: 0 };

    fn share(self) -> u32 {
        (self.zero >> (22 - PROB_BITS)).clamp(1, (1 << PROB_BITS) - 1)
    }

    fn learn(&mut self, bit: bool) {
        let of = self.seen + 2;
        if bit {
            self.zero -= self.zero / of;
        } else {
            self.zero += ((1 << 22) - self.zero) / of;
        }
        self.seen = (self.seen + 1).min(MEMORY);
    }
}

/// Where bits go, or come from.
trait Coder {
    /// A bit of this probability of zero; a reader ignores `bit` and says what it read.
    fn code(&mut self, share: u32, bit: bool) -> Result<bool, Exhausted>;
    /// Bits that are as often one as zero, at most 64.
    fn plain(&mut self, value: u64, count: u32) -> Result<u64, Exhausted>;
}

/// A carry-propagating range coder (Martin 1979, in the form of Igor Pavlov's public-domain LZMA).
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    low: u64,
    range: u32,
    /// The byte that a carry may still change, and how many 0xff stand behind it; `None` before the first.
    held: Option<u8>,
    full: usize,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            low: 0,
            range: u32::MAX,
            held: None,
            full: 0,
        }
    }

    fn shift(&mut self) {
        let carry = self.low > u64::from(u32::MAX);
        if carry || self.low < 0xff00_0000 {
            // Nothing is held only before the first byte, which no carry can reach.
            if let Some(held) = self.held {
                self.out.push(held.wrapping_add(u8::from(carry)));
            }
            for _ in 0..self.full {
                self.out.push(0xff_u8.wrapping_add(u8::from(carry)));
            }
            self.full = 0;
            self.held = Some((self.low >> 24) as u8);
        } else {
            self.full += 1;
        }
        self.low = (self.low << 8) & u64::from(u32::MAX);
    }

    fn narrow(&mut self) {
        while self.range < NARROW {
            self.range <<= 8;
            self.shift();
        }
    }

    /// Writes what tells the last interval from its neighbours: trailing zeros read as such.
    fn finish(mut self) {
        let end = self.low + u64::from(self.range) - 1;
        // The number in the interval with the most zeros at its end.
        for zeros in (0..32).rev() {
            let rounded = (end >> zeros) << zeros;
            if rounded >= self.low {
                self.low = rounded;
                break;
            }
        }
        let from = self.out.len();
        for _ in 0..=UNWRITTEN {
            self.shift();
        }
        for _ in 0..UNWRITTEN {
            if self.out.len() > from && self.out.last() == Some(&0) {
                self.out.pop();
            }
        }
    }
}

impl Coder for Writer<'_> {
    fn code(&mut self, share: u32, bit: bool) -> Result<bool, Exhausted> {
        let bound = (self.range >> PROB_BITS) * share;
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        self.narrow();
        Ok(bit)
    }

    fn plain(&mut self, value: u64, count: u32) -> Result<u64, Exhausted> {
        for at in (0..count).rev() {
            self.range >>= 1;
            if value >> at & 1 != 0 {
                self.low += u64::from(self.range);
            }
            self.narrow();
        }
        Ok(value)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    code: u32,
    range: u32,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Exhausted> {
        let mut reader = Self {
            bytes,
            at: 0,
            code: 0,
            range: u32::MAX,
        };
        for _ in 0..4 {
            reader.next()?;
        }
        Ok(reader)
    }

    fn next(&mut self) -> Result<(), Exhausted> {
        let byte = match self.bytes.get(self.at) {
            Some(byte) => *byte,
            None if self.at < self.bytes.len() + UNWRITTEN => 0,
            None => return Err(Exhausted),
        };
        self.at += 1;
        self.code = self.code << 8 | u32::from(byte);
        Ok(())
    }

    fn narrow(&mut self) -> Result<(), Exhausted> {
        while self.range < NARROW {
            self.range <<= 8;
            self.next()?;
        }
        Ok(())
    }
}

impl Coder for Reader<'_> {
    fn code(&mut self, share: u32, _bit: bool) -> Result<bool, Exhausted> {
        let bound = (self.range >> PROB_BITS) * share;
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        self.narrow()?;
        Ok(bit)
    }

    fn plain(&mut self, _value: u64, count: u32) -> Result<u64, Exhausted> {
        let mut value = 0;
        for _ in 0..count {
            self.range >>= 1;
            let bit = self.code >= self.range;
            if bit {
                self.code -= self.range;
            }
            value = value << 1 | u64::from(bit);
            self.narrow()?;
        }
        Ok(value)
    }
}

/// Probabilities at one level of recent error.
#[derive(Clone, Copy)]
struct Level {
    unary: [Bit; UNARY],
    far: [Bit; FAR],
    behind: [Bit; BEHIND],
}

/// Probabilities of one kind of channel: all its channels teach them.
struct Levels(Vec<Level>);

impl Levels {
    fn new() -> Self {
        let level = Level {
            unary: [Bit::NEW; UNARY],
            far: [Bit::NEW; FAR],
            behind: [Bit::NEW; BEHIND],
        };
        Self(vec![level; LEVELS])
    }

    /// Codes a left-over that is expected to be of this size; a reader gives `0` and takes the answer.
    fn code(&mut self, coder: &mut impl Coder, expected: f64, value: i64) -> Result<i64, Exhausted> {
        // In sixteenths; the cast holds what is too large, and what is no number, in its bounds.
        let scale = (expected * 16.0) as u64 + 4;
        let octave = scale.ilog2();
        let half = scale >> (octave - 1) & 1;
        let level = &mut self.0[(octave as usize * 2 + half as usize - 4).min(LEVELS - 1)];
        // Two or three steps of the unary part are usual.
        let k = (scale / 54).checked_ilog2().unwrap_or(0);
        let magnitude = value.unsigned_abs();
        let wanted = magnitude >> k;
        let mut high = 0;
        while high < UNARY as u64 {
            let bit = &mut level.unary[high as usize];
            let more = coder.code(bit.share(), wanted > high)?;
            bit.learn(more);
            if !more {
                break;
            }
            high += 1;
        }
        if high == UNARY as u64 {
            // An impact nobody expected: its size by the number of its bits (Elias 1975), then the bits.
            let beyond = wanted.saturating_sub(high) + 1;
            let mut bits = 0;
            while bits < FAR as u32 {
                let bit = &mut level.far[bits as usize];
                let more = coder.code(bit.share(), beyond.ilog2() > bits)?;
                bit.learn(more);
                if !more {
                    break;
                }
                bits += 1;
            }
            let rest = coder.plain(beyond & ((1 << bits) - 1), bits)?;
            high += (1 << bits | rest) - 1;
        }
        let mut low = 0;
        if k > 0 {
            let bit = &mut level.behind[(high as usize).min(BEHIND - 1)];
            let first = coder.code(bit.share(), magnitude >> (k - 1) & 1 != 0)?;
            bit.learn(first);
            let rest = coder.plain(magnitude & ((1 << (k - 1)) - 1), k - 1)?;
            low = u64::from(first) << (k - 1) | rest;
        }
        // Bytes that nobody wrote may shift ones out; what they give is as good as any.
        let magnitude = (high << k | low) as i64;
        let negative = magnitude != 0 && coder.plain(u64::from(value < 0), 1)? != 0;
        Ok(if negative { magnitude.wrapping_neg() } else { magnitude })
    }
}

/// A channel as it goes.
struct Channel {
    predictor: Predictor,
    /// Means of recent left-overs' magnitudes: over some four samples, and over some twenty-five.
    fast: f64,
    slow: f64,
}

impl Channel {
    fn new() -> Self {
        Self {
            predictor: Predictor::new(),
            fast: 16.0,
            slow: 16.0,
        }
    }

    /// The size of the next left-over, when those of other channels at this instant are `beside` times their usual size:
    /// what shakes one axis shakes all.
    fn expected(&self, beside: f64) -> f64 {
        (0.6 * self.fast + 0.4 * self.slow) * (0.5 + 0.5 * beside).clamp(0.4, 4.0).sqrt()
    }

    fn learn(&mut self, value: i64, left: i64) {
        self.predictor.learn(value);
        let size = left.unsigned_abs() as f64;
        self.fast += (size - self.fast) * 0.25;
        self.slow += (size - self.slow) * 0.04;
    }
}

/// Goes through all rows with either coder. `wanted` gives what is to be written, to a reader nothing; `take` gets what
/// was coded.
fn run(
    coder: &mut impl Coder,
    rows: usize,
    wanted: impl Fn(usize, usize) -> Option<i64>,
    mut take: impl FnMut(usize, i64),
) -> Result<(), Exhausted> {
    let mut levels: [Levels; KINDS] = std::array::from_fn(|_| Levels::new());
    let mut channels: [Channel; CHANNELS] = std::array::from_fn(|_| Channel::new());
    for row in 0..rows {
        let (mut sum, mut axes) = (0.0, 0.0);
        for (c, channel) in channels.iter_mut().enumerate() {
            let guess = channel.predictor.guess();
            let expected = channel.expected(if axes > 0.0 { sum / axes } else { 1.0 });
            let left = wanted(c, row).map_or(0, |v| v.wrapping_sub(guess));
            let left = levels[KIND[c]].code(coder, expected, left)?;
            if KIND[c] >= MEASURED {
                sum += left.unsigned_abs() as f64 / (channel.slow + 1.0);
                axes += 1.0;
            }
            let value = guess.wrapping_add(left);
            channel.learn(value, left);
            take(c, value);
        }
    }
    Ok(())
}

/// Appends the channels, all of one length, to `out`; false, and nothing is appended, when a value is too large for it.
/// Length and count are the reader's business.
pub(crate) fn encode(channels: &[Vec<i64>; CHANNELS], out: &mut Vec<u8>) -> bool {
    if channels.iter().flatten().any(|v| v.unsigned_abs() > LARGEST) {
        return false;
    }
    let rows = channels[0].len();
    let mut writer = Writer::new(out);
    // A writer is never exhausted; a shorter channel is a mistake of the caller, and would be seen as one by every test.
    let _ = run(&mut writer, rows, |c, row| channels[c].get(row).copied(), |_, _| {});
    writer.finish();
    true
}

/// Reads `rows` values of each channel from all of `bytes`. Costs a bounded number of operations a value, whatever the
/// bytes say.
pub(crate) fn decode(bytes: &[u8], rows: usize) -> Result<[Vec<i64>; CHANNELS], Exhausted> {
    let mut channels: [Vec<i64>; CHANNELS] = std::array::from_fn(|_| Vec::new());
    let mut reader = Reader::new(bytes)?;
    run(&mut reader, rows, |_, _| None, |c, value| channels[c].push(value))?;
    // What was not read was not written by this encoder.
    if reader.at < bytes.len() {
        return Err(Exhausted);
    }
    Ok(channels)
}

#[cfg(test)]
mod tests {
    use super::super::crc32c;
    use super::*;
    use proptest::prelude::*;

    fn check_round_trip(channels: &[Vec<i64>; CHANNELS]) -> usize {
        let mut bytes = Vec::new();
        assert!(encode(channels, &mut bytes));
        assert_eq!(decode(&bytes, channels[0].len()).as_ref(), Ok(channels));
        bytes.len()
    }

    /// Numbers of a small generator, the same on every machine.
    fn walk(rows: u64) -> [Vec<i64>; CHANNELS] {
        let mut state = 1_u64;
        let mut roll = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below) as i64
        };
        std::array::from_fn(|c| {
            let mut at = 0;
            let step = |_| {
                at += roll(1 + 40 * c as u64) - 20 * c as i64;
                at
            };
            (0..rows).map(step).collect()
        })
    }

    #[test]
    fn every_machine_writes_the_same_bytes() {
        // Found once; another number here means that files written before can no longer be read.
        let mut bytes = Vec::new();
        assert!(encode(&walk(3000), &mut bytes));
        assert_eq!((bytes.len(), crc32c(&bytes)), (19_529, 3_681_346_586));
    }

    #[test]
    fn silence_costs_next_to_nothing_and_nothing_costs_nothing_much() {
        assert!(check_round_trip(&std::array::from_fn(|_| vec![0; 12_000])) < 400);
        assert!(check_round_trip(&std::array::from_fn(|_| Vec::new())) <= 4);
    }

    #[test]
    fn the_largest_survive_and_larger_ones_are_refused() {
        let largest = LARGEST as i64;
        check_round_trip(&std::array::from_fn(|_| {
            vec![largest, -largest, 0, largest, 1, -largest]
        }));
        let mut out = vec![7];
        assert!(!encode(&std::array::from_fn(|_| vec![largest + 1]), &mut out));
        assert_eq!(out, [7]);
        assert!(!encode(&std::array::from_fn(|_| vec![i64::MIN]), &mut out));
    }

    proptest! {
        #[test]
        fn every_sequence_survives(
            rows in proptest::collection::vec(any::<[i32; CHANNELS]>(), 0..120), shift in 0_u32..31
        ) {
            let channels: [Vec<i64>; CHANNELS] =
                std::array::from_fn(|c| rows.iter().map(|r| i64::from(r[c] >> shift)).collect());
            check_round_trip(&channels);
        }

        #[test]
        fn bytes_that_nobody_wrote_end_in_an_answer(
            bytes in proptest::collection::vec(any::<u8>(), 0..300), rows in 0_usize..500
        ) {
            if let Ok(channels) = decode(&bytes, rows) {
                prop_assert!(channels.iter().all(|c| c.len() == rows));
            }
        }

        #[test]
        fn a_changed_byte_ends_in_an_answer(at in 0_usize..1000, with in any::<u8>()) {
            let mut bytes = Vec::new();
            prop_assert!(encode(&walk(100), &mut bytes));
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = decode(&bytes, 100);
        }
    }
}
