//! Frames of Movesense's GATT sensor data: commands out, command results and data in, data put together from parts.
//!
//! Source: movesense-device-lib, the GATT sensor data sample. Floats in SI except degrees. A message longer than one
//! notification comes as kind 2 and is continued by kinds 3 and 4; nothing in it says how long it is, so a first part that
//! fills a notification waits until the next frame shows whether more was coming.

use super::super::bytes::{Bytes, Refusal};

/// Bytes before the first float: kind, reference, time.
const HEADER: usize = 6;
/// Longest message put together, bytes: three notifications of the largest packet Bluetooth has.
const LONGEST: usize = 3 * 512;
/// Full frames that must stand alone before one is believed to be whole.
const ALONE: u8 = 3;

/// A command to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Is anybody there.
    Hello(u8),
    /// Subscribe a path under a reference of ours, not 0.
    Subscribe(u8, &'a str),
    /// End a subscription.
    Unsubscribe(u8),
}

impl Request<'_> {
    /// The bytes to write.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::Hello(reference) => vec![0, reference],
            Self::Subscribe(reference, path) => {
                let mut bytes = vec![1, reference];
                bytes.extend(path.as_bytes());
                bytes
            }
            Self::Unsubscribe(reference) => vec![2, reference],
        }
    }
}

/// A command result: the payload of a frame of kind 1. Errors are a *big-endian* u16; one success is a single byte.
///
/// # Errors
/// `result without a status`.
pub fn status(payload: &[u8]) -> Result<u16, Refusal> {
    match *payload {
        [] => Err(Refusal("result without a status")),
        [one] => Ok(u16::from(one)),
        [high, low, ..] => Ok(u16::from_be_bytes([high, low])),
    }
}

/// Whether a status is success: those of HTTP in the two hundreds.
#[must_use]
pub const fn is_success(status: u16) -> bool {
    status >= 200 && status < 300
}

/// A message of a measurement with so many sensors (1 for `/Meas/Acc`, 2 for `/Meas/IMU6`, 3 for `/Meas/IMU9`).
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Time of the first sample, ms of the sensor's clock.
    pub time_ms: u32,
    /// x y z of sensor one, of sensor two, … of one sample after another.
    pub values: Vec<f32>,
    /// Sensors.
    pub sensors: usize,
}

impl Message {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / (3 * self.sensors)
    }

    /// Whether there are none; a decoded message has at least one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Decodes a whole message, kind and reference included. On the wire all vectors of the first sensor come first, then all
/// of the second; here they are sorted by sample.
///
/// # Errors
/// `short`, `ragged` (the length leaves a remainder), `not a number`.
pub fn message(bytes: &[u8], sensors: usize) -> Result<Message, Refusal> {
    let mut b = Bytes(bytes);
    b.take(2).ok_or(Refusal("short"))?;
    let time_ms = b.u32().ok_or(Refusal("short"))?;
    let floats = b.0;
    if floats.is_empty() {
        return Err(Refusal("short"));
    }
    if sensors == 0 || !floats.len().is_multiple_of(12 * sensors) {
        return Err(Refusal("ragged"));
    }
    let n = floats.len() / (12 * sensors);
    let mut values = vec![0.0_f32; n * 3 * sensors];
    let mut finite = true;
    for (sensor, vectors) in floats.chunks_exact(12 * n).enumerate() {
        for (vector, sample) in vectors.chunks_exact(12).zip(values.chunks_exact_mut(3 * sensors)) {
            let out = &mut sample[3 * sensor..3 * sensor + 3];
            for (raw, value) in vector.as_chunks::<4>().0.iter().zip(out) {
                *value = f32::from_le_bytes(*raw);
                finite &= value.is_finite();
            }
        }
    }
    if !finite {
        return Err(Refusal("not a number"));
    }
    Ok(Message {
        time_ms,
        values,
        sensors,
    })
}

/// A message begun and not known to be whole.
#[derive(Clone, Debug)]
struct Begun<T> {
    tag: T,
    bytes: Vec<u8>,
    parts: u8,
}

/// Puts messages of one reference together. `T` travels with a message: what its first part came with.
#[derive(Clone, Debug)]
pub struct Joiner<T> {
    /// Bytes a full notification has.
    full: usize,
    sensors: usize,
    begun: Option<Begun<T>>,
    /// Full first parts in a row that turned out whole.
    alone: u8,
}

/// What came out of a frame: at most one message that was waiting and one that it completes.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined<T> {
    /// Whole messages, oldest first.
    pub whole: Vec<(T, Vec<u8>)>,
    /// What was dropped, by name.
    pub refused: Option<Refusal>,
}

impl<T: Copy> Joiner<T> {
    /// A joiner for messages of so many sensors on a link of this ATT MTU.
    #[must_use]
    pub fn new(mtu: u16, sensors: usize) -> Self {
        Self {
            full: usize::from(mtu).saturating_sub(3).max(20),
            sensors,
            begun: None,
            alone: 0,
        }
    }

    fn divides(&self, length: usize) -> bool {
        length > HEADER && (length - HEADER).is_multiple_of(12 * self.sensors)
    }

    /// Takes a frame of kind 2, 3 or 4 with its kind and reference in front.
    pub fn take(&mut self, tag: T, bytes: &[u8]) -> Joined<T> {
        let mut out = Joined {
            whole: Vec::new(),
            refused: None,
        };
        let [kind, _, payload @ ..] = bytes else {
            out.refused = Some(Refusal("short"));
            return out;
        };
        let is_full = bytes.len() >= self.full;
        if *kind == 2 {
            self.end_begun(&mut out);
            let divides = self.divides(bytes.len());
            if divides && (!is_full || self.alone >= ALONE) {
                out.whole.push((tag, bytes.to_vec()));
            } else {
                // Full, or cut short without dividing: either way the next frame tells.
                self.begun = Some(Begun {
                    tag,
                    bytes: bytes.to_vec(),
                    parts: 1,
                });
            }
            return out;
        }
        match self.begun.take() {
            Some(mut begun) if *kind == begun.parts + 2 && begun.bytes.len() + payload.len() <= LONGEST => {
                self.alone = 0;
                begun.bytes.extend(payload);
                begun.parts += 1;
                if self.divides(begun.bytes.len()) && (!is_full || begun.parts == 3) {
                    out.whole.push((begun.tag, begun.bytes));
                } else {
                    self.begun = Some(begun);
                }
            }
            Some(_) => out.refused = Some(Refusal("join lacks a part")),
            None => {
                // It was taken for whole and was not: what was said of it cannot be unsaid, but not again.
                self.alone = 0;
                out.refused = Some(Refusal("continuation without its beginning"));
            }
        }
        out
    }

    /// Ends what is begun: nothing more will come.
    pub fn end(&mut self) -> Joined<T> {
        let mut out = Joined {
            whole: Vec::new(),
            refused: None,
        };
        self.end_begun(&mut out);
        out
    }

    fn end_begun(&mut self, out: &mut Joined<T>) {
        let Some(begun) = self.begun.take() else { return };
        if self.divides(begun.bytes.len()) {
            self.alone = if begun.parts == 1 {
                (self.alone + 1).min(ALONE)
            } else {
                0
            };
            out.whole.push((begun.tag, begun.bytes));
        } else {
            out.refused = Some(Refusal("join lacks a part"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imu6(time_ms: u32, n: usize) -> Vec<u8> {
        let mut bytes = vec![2, 99];
        bytes.extend(time_ms.to_le_bytes());
        bytes.extend((0..6 * n).flat_map(|i| (i as f32).to_le_bytes()));
        bytes
    }

    #[test]
    fn all_acc_then_all_gyro_becomes_sample_after_sample() {
        let m = message(&imu6(5000, 2), 2).expect("whole");
        assert_eq!((m.time_ms, m.len()), (5000, 2));
        assert_eq!(m.values, [0.0, 1.0, 2.0, 6.0, 7.0, 8.0, 3.0, 4.0, 5.0, 9.0, 10.0, 11.0]);
    }

    #[test]
    fn a_message_cut_anywhere_is_refused_unless_it_divides() {
        let whole = imu6(1, 3);
        for n in 0..whole.len() {
            let divides = n > HEADER && (n - HEADER).is_multiple_of(24);
            assert_eq!(message(&whole[..n], 2).is_ok(), divides, "{n}");
        }
        let mut bad = imu6(1, 1);
        bad[6..10].copy_from_slice(&f32::INFINITY.to_le_bytes());
        assert_eq!(message(&bad, 2), Err(Refusal("not a number")));
        assert_eq!(message(&whole, 0), Err(Refusal("ragged")));
    }

    #[test]
    fn commands_and_results() {
        assert_eq!(
            Request::Subscribe(99, "/Meas/IMU6/104").encode(),
            b"\x01\x63/Meas/IMU6/104"
        );
        assert_eq!(Request::Unsubscribe(99).encode(), [2, 99]);
        assert_eq!(Request::Hello(1).encode(), [0, 1]);
        assert_eq!(status(&[0x01, 0x94]), Ok(404));
        assert_eq!(status(&[0xC8]), Ok(200));
        assert!(status(&[]).is_err());
        assert!(is_success(201) && !is_success(404) && !is_success(0xC800));
    }

    /// Cuts a message as a sensor does on a link with room for `full` bytes.
    fn cut(whole: &[u8], full: usize) -> Vec<Vec<u8>> {
        let (first, rest) = whole.split_at(full.min(whole.len()));
        let mut parts = vec![first.to_vec()];
        for (i, chunk) in rest.chunks(full - 2).enumerate() {
            let mut part = vec![3 + i as u8, 99];
            part.extend(chunk);
            parts.push(part);
        }
        parts
    }

    #[test]
    fn messages_of_one_two_and_three_parts_are_joined_and_keep_their_first_arrival() {
        for n in 1..=20 {
            let mut joiner = Joiner::new(185, 2);
            let mut got = Vec::new();
            let mut sent = Vec::new();
            for t in 0..6_u32 {
                let whole = imu6(t * 100, n);
                for part in cut(&whole, 182) {
                    let out = joiner.take(t, &part);
                    assert_eq!(out.refused, None);
                    got.extend(out.whole);
                }
                sent.push((t, whole));
            }
            got.extend(joiner.end().whole);
            assert_eq!(got, sent, "{n} samples");
        }
    }

    #[test]
    fn a_join_that_lacks_a_part_is_dropped_and_told_and_the_next_is_whole() {
        let whole = imu6(7, 20);
        let parts = cut(&whole, 182);
        assert_eq!(parts.len(), 3);
        for lost in 0..3 {
            let mut joiner = Joiner::new(185, 2);
            let mut refused = 0;
            let mut got = Vec::new();
            let first = parts.iter().enumerate().filter(|(i, _)| *i != lost).map(|(_, p)| p);
            for part in first.chain(&parts) {
                let out = joiner.take((), part);
                refused += usize::from(out.refused.is_some());
                got.extend(out.whole);
            }
            got.extend(joiner.end().whole);
            assert!(refused > 0, "{lost}");
            assert_eq!(got, [((), whole.clone())], "{lost}");
        }
    }

    #[test]
    fn full_frames_that_always_stand_alone_stop_waiting() {
        // 24 n + 6 = 174: exactly full.
        let whole = imu6(7, 7);
        let mut joiner = Joiner::new(177, 2);
        let sizes: Vec<_> = (0..6).map(|_| joiner.take((), &whole).whole.len()).collect();
        assert_eq!(sizes, [0, 1, 1, 2, 1, 1]);
    }

    proptest::proptest! {
        #[test]
        fn any_frames_return_and_hold_little(frames in proptest::collection::vec(proptest::collection::vec(0..=255_u8, 0..200), 0..60), kinds in 2..5_u8) {
            let mut joiner = Joiner::new(185, 2);
            for mut frame in frames {
                if let Some(kind) = frame.first_mut() {
                    *kind = 2 + *kind % (kinds - 1);
                }
                for (_, whole) in joiner.take((), &frame).whole {
                    proptest::prop_assert!(message(&whole, 2).is_ok_and(|m| !m.is_empty()) || message(&whole, 2) == Err(Refusal("not a number")));
                }
                proptest::prop_assert!(joiner.begun.as_ref().is_none_or(|b| b.bytes.len() <= LONGEST));
                let _ = status(&frame);
            }
        }
    }
}
