//! Which sensor was tapped twice: how a runner shows which of the sensors around is the one on the left shoe.
//!
//! A *knock* is a peak of acceleration that rises from rest and is over within `KNOCK_S`. A *double tap* is two knocks of
//! one sensor that was at rest before, between and after, while no other sensor felt the same. So walking (no rest before,
//! no end after two), a push (too long), one tap and a knock on the table they all lie on are no double tap.
//!
//! The thresholds are not taken from anyone: they lie between what sensors feel on a standing runner and what a finger
//! does, and the tests measure how far from both. Works with acceleration alone, 50 Hz and more. `feel` is one sensor,
//! this file is all of them.

mod feel;
#[cfg(test)]
mod tests;

use super::said::{Block, Late, Quantity, Said, Streaming};
use crate::model::SessionTime;
use feel::{Double, Feel};

/// Clocks of different sensors agree so well while nothing but arrivals is known, s.
const CLOCKS_AGREE_S: f64 = 0.1;
/// A sensor that felt this share of a knock, having been at rest, felt the same knock.
const SHARED: f64 = 0.4;
/// Others are waited for so long after a double tap, s: links come with delays, and one may have gone.
const WAIT_FOR_OTHERS_S: f64 = 1.5;

/// A double tap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tapped {
    /// Which sensor.
    pub sensor: usize,
    /// When its second tap was.
    pub at: SessionTime,
    /// Strength of the weaker tap, m/s².
    pub strength: f64,
}

/// What a call told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Felt {
    /// One sensor, and only one, was tapped twice.
    Tapped(Tapped),
    /// Several felt the same two knocks: a table, a bag, a jump.
    Shared {
        /// When.
        at: SessionTime,
    },
}

/// Listens to several sensors for a double tap. Samples of one sensor come in order; sensors may lag behind each other.
#[derive(Debug)]
pub struct TapFinder {
    sensors: Vec<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    feel: Feel,
    streams: Vec<Streaming>,
    /// The stream whose acceleration is listened to.
    stream: Option<u8>,
    epoch: Option<u32>,
    /// Device time to session time, ns: the smallest difference seen. Delay only adds, so the smallest is nearest.
    offset_ns: Option<i64>,
}

impl TapFinder {
    /// Listens to this many sensors.
    #[must_use]
    pub fn new(sensors: usize) -> Self {
        Self {
            sensors: (0..sensors).map(|_| Heard::default()).collect(),
        }
    }

    /// Takes what a driver said; everything but live acceleration is passed over.
    pub fn take(&mut self, sensor: usize, said: &Said) {
        let Some(heard) = self.sensors.get_mut(sensor) else {
            return;
        };
        match said {
            Said::Streaming(s) if accelerates(s.quantity) => {
                heard.streams.retain(|old| (old.stream, old.seam) != (s.stream, s.seam));
                heard.streams.push(*s);
                heard.stream.get_or_insert(s.stream);
            }
            Said::Block(block) if block.late == Late::Live => heard.block(block),
            _ => {}
        }
    }

    /// Takes a sample: specific force in the sensor's axes, m/s².
    pub fn sample(&mut self, sensor: usize, t: SessionTime, acc: [f64; 3]) {
        if let Some(heard) = self.sensors.get_mut(sensor) {
            heard.feel.sample(t, acc);
        }
    }

    /// Forgets what was felt so far; the next double tap counts. After a place was found, so that one pair of taps never
    /// counts twice.
    pub fn again(&mut self) {
        for heard in &mut self.sensors {
            heard.feel.forget_knocks();
        }
    }

    /// A double tap, once it is clear that it is one. Told once.
    pub fn felt(&mut self) -> Option<Felt> {
        let newest = self.sensors.iter().filter_map(|h| h.feel.newest()).max()?;
        for sensor in 0..self.sensors.len() {
            let Some(double) = self.sensors[sensor].feel.double() else {
                continue;
            };
            let heard_until = double.second.plus(CLOCKS_AGREE_S + feel::KNOCK_S);
            let waited = newest.since(double.second) > WAIT_FOR_OTHERS_S;
            let lags = |h: &Heard| h.feel.newest().is_some_and(|t| t < heard_until);
            if !waited && self.sensors.iter().any(lags) {
                continue;
            }
            self.sensors[sensor].feel.forget_double();
            let others = || self.sensors.iter().enumerate().filter(|(i, _)| *i != sensor);
            if others().any(|(_, h)| felt_the_same(&h.feel, &double)) {
                // Each of them has noticed the same two knocks; one telling is enough.
                self.again();
                return Some(Felt::Shared { at: double.second });
            }
            return Some(Felt::Tapped(Tapped {
                sensor,
                at: double.second,
                strength: double.strengths[0].min(double.strengths[1]),
            }));
        }
        None
    }
}

/// Whether another sensor, at rest until then, was knocked at the same instants. One that moves by itself says nothing.
fn felt_the_same(other: &Feel, double: &Double) -> bool {
    let knocked = |at: SessionTime, strength: f64| {
        other
            .peak(at.plus(-CLOCKS_AGREE_S), at.plus(CLOCKS_AGREE_S + feel::KNOCK_S))
            .is_some_and(|peak| peak >= SHARED * strength)
    };
    other.rests_before(double.first.plus(-CLOCKS_AGREE_S))
        && (knocked(double.first, double.strengths[0]) || knocked(double.second, double.strengths[1]))
}

const fn accelerates(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::AccGyro | Quantity::AccGyroMag | Quantity::Acc)
}

impl Heard {
    fn block(&mut self, block: &Block) {
        let of_block = |s: &&Streaming| s.stream == block.stream && s.seam == block.seam;
        let Some(streaming) = self.streams.iter().find(of_block) else {
            return;
        };
        if self.stream != Some(block.stream) {
            return;
        }
        if self.epoch != Some(block.epoch) {
            // Another run of the device's clock has nothing to do with the one before.
            self.epoch = Some(block.epoch);
            self.offset_ns = None;
        }
        let width = streaming.quantity.width();
        let n = block.values.len() / width;
        let (Ok(first), Ok(last)) = (i64::try_from(block.first_ns), i64::try_from(block.last_ns)) else {
            return;
        };
        let offset = block.arrived.nanos() - last;
        let offset = self.offset_ns.map_or(offset, |least| least.min(offset));
        self.offset_ns = Some(offset);
        let step = (last - first) as f64 / (n.max(2) - 1) as f64;
        for (k, values) in block.values.chunks_exact(width).enumerate() {
            let device = first + (step * k as f64) as i64;
            let acc = [values[0], values[1], values[2]].map(|v| f64::from(v) * streaming.acc_scale);
            self.feel.sample(SessionTime::from_nanos(device + offset), acc);
        }
    }
}
