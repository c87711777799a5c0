//! What stands behind the characteristics of a false sensor.

use super::world::{Answer, Char};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// A sensor's own behaviour. Characteristics are told apart by their position in the sensor's list.
pub(crate) trait Peer: Send {
    /// A connection was made.
    fn connected(&mut self) {}
    /// A characteristic was subscribed.
    fn subscribe(&mut self, _char: usize) -> Answer {
        Answer::Value(Vec::new())
    }
    /// It was read.
    fn read(&mut self, _char: usize) -> Answer {
        Answer::Value(Vec::new())
    }
    /// It was written.
    fn write(&mut self, _char: usize, _bytes: &[u8]) -> Answer {
        Answer::Value(Vec::new())
    }
    /// Notifications due since the last call, asked for every few milliseconds while the sensor is connected and something
    /// is subscribed.
    fn due(&mut self) -> Vec<(usize, Vec<u8>)> {
        Vec::new()
    }
}

/// The service of the false sensors.
pub(crate) const SERVICE: Uuid = Uuid::from_u128(0x6c6f_7065_0000_4000_8000_0000_0000_0001);
/// Its characteristics: frames, and one to read and write.
pub(crate) const FRAMES: Uuid = Uuid::from_u128(0x6c6f_7065_0000_4000_8000_0000_0000_0002);
pub(crate) const CONTROL: Uuid = Uuid::from_u128(0x6c6f_7065_0000_4000_8000_0000_0000_0003);

/// Position of the characteristics in [`chars`].
pub(crate) const FRAMES_AT: usize = 0;
pub(crate) const CONTROL_AT: usize = 1;

pub(crate) fn chars() -> Vec<Char> {
    let char = |uuid, flags: &[&'static str]| Char {
        service: SERVICE,
        uuid,
        flags: flags.to_vec(),
    };
    vec![
        char(FRAMES, &["read", "notify"]),
        char(CONTROL, &["read", "write", "write-without-response"]),
    ]
}

/// Bytes of a frame: those of a notification at an MTU of 247.
const FRAME_BYTES: usize = 244;

/// Sends numbered frames at a steady rate, each stamped with its time of sending; goes on counting over connections.
pub(crate) struct Metronome {
    /// Frames/s.
    rate: f64,
    /// At most so many.
    limit: u64,
    base: Instant,
    began: Option<Instant>,
    sent_before: u64,
    sent: u64,
}

impl Metronome {
    /// `base`: what times of sending count from.
    pub(crate) fn new(base: Instant, rate: f64) -> Self {
        Self {
            rate,
            limit: u64::MAX,
            base,
            began: None,
            sent_before: 0,
            sent: 0,
        }
    }

    pub(crate) fn limited(mut self, frames: u64) -> Self {
        self.limit = frames;
        self
    }
}

impl Peer for Metronome {
    fn connected(&mut self) {
        self.began = None;
        self.sent_before = self.sent;
    }

    fn subscribe(&mut self, _char: usize) -> Answer {
        self.began = Some(Instant::now());
        Answer::Value(Vec::new())
    }

    /// The number of frames sent so far, shaped like a frame, so that it could be mistaken for one.
    fn read(&mut self, _char: usize) -> Answer {
        Answer::Value(frame(u64::MAX, Duration::ZERO))
    }

    fn due(&mut self) -> Vec<(usize, Vec<u8>)> {
        let Some(began) = self.began else { return Vec::new() };
        let due = self.sent_before + (began.elapsed().as_secs_f64() * self.rate) as u64;
        let mut frames = Vec::new();
        while self.sent < due.min(self.limit) {
            frames.push((FRAMES_AT, frame(self.sent, self.base.elapsed())));
            self.sent += 1;
        }
        frames
    }
}

fn frame(number: u64, sent: Duration) -> Vec<u8> {
    let mut bytes = vec![0x5A; FRAME_BYTES];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes[8..16].copy_from_slice(&(sent.as_nanos() as u64).to_le_bytes());
    bytes
}

/// Number and time of sending of a frame.
pub(crate) fn parse(bytes: &[u8]) -> (u64, Duration) {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    (word(0), Duration::from_nanos(word(8)))
}

/// Answers each write with what was laid down for its first byte, reads and subscriptions with fixed answers.
pub(crate) struct Oracle {
    pub(crate) writes: BTreeMap<u8, Answer>,
    pub(crate) read: Answer,
    pub(crate) subscribe: Answer,
}

impl Peer for Oracle {
    fn subscribe(&mut self, _char: usize) -> Answer {
        self.subscribe.clone()
    }

    fn read(&mut self, _char: usize) -> Answer {
        self.read.clone()
    }

    fn write(&mut self, _char: usize, bytes: &[u8]) -> Answer {
        self.writes.get(&bytes[0]).cloned().unwrap_or(Answer::Value(Vec::new()))
    }
}
