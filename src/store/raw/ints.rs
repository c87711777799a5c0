//! Integers that change slowly, in few bits.
//!
//! A sequence is cut into blocks of 32. Each block is predicted from the values before it by the polynomial of order 0
//! to 3 that leaves the least (0: nothing, 1: the last value, 2: a line, 3: a parabola), and what is left is written in
//! Rice code with the parameter that costs least. This is the scheme of lossless audio (Robinson 1994, "SHORTEN";
//! RFC 9639, sections 9.2.5 and 9.2.7), chosen over general compression because a block needs no dictionary: it works as
//! well on one second of samples as on a minute. Arithmetic wraps, so every `i64` survives.

/// Values a block.
const BLOCK: usize = 32;
/// Rice parameter that stands for "all of the block is as predicted".
const ALL_ZERO: u32 = 63;
/// Zeros of the unary part after which the value follows in full.
const ESCAPE: u32 = 24;

/// Why a sequence could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// Bits into bytes, most significant first.
struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    hold: u64,
    held: u32,
}

impl BitWriter<'_> {
    /// Writes the low `count` bits of `value`, at most 32.
    fn put(&mut self, value: u64, count: u32) {
        self.hold = (self.hold << count) | (value & ((1 << count) - 1));
        self.held += count;
        while self.held >= 8 {
            self.held -= 8;
            self.out.push((self.hold >> self.held) as u8);
        }
    }

    fn put_wide(&mut self, value: u64, count: u32) {
        if count > 32 {
            self.put(value >> 32, count - 32);
            self.put(value, 32);
        } else {
            self.put(value, count);
        }
    }

    /// Fills the last byte.
    fn finish(mut self) {
        if self.held > 0 {
            self.put(0, 8 - self.held);
        }
    }
}

/// Bytes into bits.
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Position of the next bit.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn take(&mut self, count: u32) -> Result<u64, Exhausted> {
        let mut value = 0_u64;
        let mut left = count;
        while left > 0 {
            let byte = *self.bytes.get(self.at / 8).ok_or(Exhausted)?;
            let room = 8 - (self.at % 8) as u32;
            let now = room.min(left);
            let bits = (u64::from(byte) >> (room - now)) & ((1 << now) - 1);
            value = (value << now) | bits;
            self.at += now as usize;
            left -= now;
        }
        Ok(value)
    }

    /// Zeros before the next one, at most [`ESCAPE`]; the one is consumed, after an escape there is none.
    fn zeros(&mut self) -> Result<u32, Exhausted> {
        for zeros in 0..ESCAPE {
            if self.take(1)? == 1 {
                return Ok(zeros);
            }
        }
        Ok(ESCAPE)
    }

    /// Skips to the next whole byte.
    fn align(&mut self) {
        self.at = self.at.div_ceil(8) * 8;
    }

    /// Whole bytes not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at.div_ceil(8)..).unwrap_or(&[])
    }
}

/// The three values before the next one, latest first.
type Past = [i64; 3];

fn predict(order: u32, [a, b, c]: Past) -> i64 {
    match order {
        0 => 0,
        1 => a,
        2 => a.wrapping_mul(2).wrapping_sub(b),
        _ => a.wrapping_sub(b).wrapping_mul(3).wrapping_add(c),
    }
}

fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

fn unzigzag(v: u64) -> i64 {
    (v >> 1) as i64 ^ -((v & 1) as i64)
}

fn residuals(order: u32, past: &mut Past, block: &[i64]) -> [u64; BLOCK] {
    let mut left = [0; BLOCK];
    for (r, v) in left.iter_mut().zip(block) {
        *r = zigzag(v.wrapping_sub(predict(order, *past)));
        *past = [*v, past[0], past[1]];
    }
    left
}

/// Bits of these residuals in Rice code with parameter `k`.
fn cost(residuals: &[u64], k: u32) -> u64 {
    let one = |r: &u64| {
        let high = r >> k;
        if high < u64::from(ESCAPE) {
            high + 1 + u64::from(k)
        } else {
            u64::from(ESCAPE) + 64
        }
    };
    residuals.iter().map(one).sum()
}

/// The cheapest parameter and its cost.
fn best_parameter(residuals: &[u64]) -> (u32, u64) {
    if residuals.iter().all(|r| *r == 0) {
        return (ALL_ZERO, 0);
    }
    let mean = residuals.iter().map(|r| u128::from(*r)).sum::<u128>() / residuals.len() as u128;
    let near = (u128::BITS - mean.leading_zeros()).saturating_sub(1);
    let tried = near.saturating_sub(2)..=(near + 1);
    tried
        .map(|k| k.min(ALL_ZERO - 1))
        .map(|k| (k, cost(residuals, k)))
        .min_by_key(|(_, bits)| *bits)
        .unwrap_or((near.min(ALL_ZERO - 1), u64::MAX))
}

/// Appends the sequence to `out`, from a whole byte to a whole byte. Its length is the reader's business.
pub(crate) fn encode(values: &[i64], out: &mut Vec<u8>) {
    let mut bits = BitWriter { out, hold: 0, held: 0 };
    let mut past: Past = [0; 3];
    for block in values.chunks(BLOCK) {
        let mut best = (0, ALL_ZERO, u64::MAX, [0; BLOCK]);
        let mut after = past;
        for order in 0..4 {
            let mut trial = past;
            let left = residuals(order, &mut trial, block);
            let (k, bits) = best_parameter(&left[..block.len()]);
            if bits < best.2 {
                best = (order, k, bits, left);
            }
            after = trial;
        }
        past = after;
        let (order, k, _, left) = best;
        bits.put(u64::from(order), 2);
        bits.put(u64::from(k), 6);
        if k == ALL_ZERO {
            continue;
        }
        for r in &left[..block.len()] {
            let high = r >> k;
            if high < u64::from(ESCAPE) {
                bits.put(1, high as u32 + 1);
                bits.put_wide(*r, k);
            } else {
                bits.put(0, ESCAPE);
                bits.put_wide(*r, 64);
            }
        }
    }
    bits.finish();
}

/// Reads `count` values. Costs at most a few operations a value, whatever the bytes say.
pub(crate) fn decode(bits: &mut BitReader<'_>, count: usize, out: &mut Vec<i64>) -> Result<(), Exhausted> {
    out.clear();
    let mut past: Past = [0; 3];
    while out.len() < count {
        let order = bits.take(2)? as u32;
        let k = bits.take(6)? as u32;
        for _ in 0..BLOCK.min(count - out.len()) {
            let left = if k == ALL_ZERO {
                0
            } else {
                match bits.zeros()? {
                    ESCAPE => bits.take(64)?,
                    // A shift that loses bits is no code that was written; what it gives is as good as any.
                    high => (u64::from(high) << k) | bits.take(k)?,
                }
            };
            let value = unzigzag(left).wrapping_add(predict(order, past));
            past = [value, past[0], past[1]];
            out.push(value);
        }
    }
    bits.align();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_round_trip(values: &[i64]) -> usize {
        let mut bytes = vec![0xaa];
        encode(values, &mut bytes);
        bytes.push(0x55);
        let mut bits = BitReader::new(&bytes[1..]);
        let mut back = Vec::new();
        assert_eq!(decode(&mut bits, values.len(), &mut back), Ok(()));
        assert_eq!(back, values);
        assert_eq!(bits.rest(), [0x55], "the reader stops where the writer did");
        bytes.len() - 2
    }

    #[test]
    fn a_straight_line_costs_next_to_nothing() {
        let line: Vec<i64> = (0..6400).map(|i| 1_000_000_007 + i * 5_000_000).collect();
        assert!(check_round_trip(&line) < 6400 / 16);
    }

    #[test]
    fn the_extremes_survive() {
        check_round_trip(&[]);
        check_round_trip(&[i64::MIN, i64::MAX, 0, -1, i64::MIN, i64::MIN, i64::MAX, 1]);
    }

    proptest! {
        #[test]
        fn every_sequence_survives(values in proptest::collection::vec(any::<i64>(), 0..200)) {
            check_round_trip(&values);
        }

        #[test]
        fn small_numbers_survive_and_stay_small(values in proptest::collection::vec(-100_i64..100, 32..300)) {
            // At most the eight bits of the value, two of the code, and a byte a block.
            let blocks = values.len().div_ceil(BLOCK);
            prop_assert!(check_round_trip(&values) <= values.len() * 10 / 8 + blocks + 1);
        }

        #[test]
        fn bytes_that_nobody_wrote_end_in_an_answer(
            bytes in proptest::collection::vec(any::<u8>(), 0..300), count in 0_usize..2000
        ) {
            let mut out = Vec::new();
            let read = decode(&mut BitReader::new(&bytes), count, &mut out);
            prop_assert!(read.is_err() || out.len() == count);
        }
    }
}
