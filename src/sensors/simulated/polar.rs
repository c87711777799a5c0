//! A simulated Polar H10 and Verity Sense.
//!
//! The H10 sends plain frames of 16 bits, the Verity Sense compressed ones, and its settings come in two indications.

use super::peer::{Motion, Peer};
use super::sensing::{Characteristics, Crystal, Sampler};
use crate::model::SessionTime;
use crate::model::units::{DEG_PER_RAD, STANDARD_GRAVITY};
use crate::sensors::drivers::polar::driver::{CONTROL, DATA, SERVICE};
use crate::sensors::drivers::polar::frame::Kind;
use crate::sensors::drivers::sig::{battery, heart_rate, information};
use crate::sensors::link::{Advert, Chan, Command, LinkFailure};

/// Seconds from the sensor's nought (2000-01-01) to what an H10 shows that was never set (2019-01-01).
const NEVER_SET_S: u64 = 599_616_000;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// A chest strap: acceleration.
    H10,
    /// An arm band: acceleration and angular rate.
    VeritySense,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    kind: Kind,
    range: f64,
    sampler: Sampler,
}

/// The sensor.
pub struct PolarPeer {
    model: Model,
    motion: Box<dyn Motion>,
    chars: Characteristics,
    crystal: Crystal,
    sdk: bool,
    running: Vec<Running>,
    held: Vec<Kind>,
    outbox: Vec<(Chan, Vec<u8>)>,
    beat_at: Option<SessionTime>,
    now: SessionTime,
}

impl PolarPeer {
    /// A sensor whose crystal runs `ppm` fast.
    #[must_use]
    pub fn new(model: Model, motion: Box<dyn Motion>, ppm: f64) -> Self {
        let (name, serial, features): (&[u8], &[u8], &[u8]) = match model {
            Model::H10 => (b"H10\0", b"A1B2C3D4", &[0x0F, 0x05, 0x00]),
            Model::VeritySense => (b"Polar Sense", b"E5F6A7B8", &[0x0F, 0x6E, 0x02]),
        };
        let reads = vec![
            (CONTROL, features.to_vec()),
            (information::MODEL, name.to_vec()),
            (information::SERIAL, serial.to_vec()),
            (information::MAKER, b"Polar Electro Oy".to_vec()),
            (information::FIRMWARE, b"5.0.0".to_vec()),
            (battery::LEVEL, vec![80]),
        ];
        Self {
            model,
            motion,
            chars: Characteristics::new(&[DATA, heart_rate::MEASUREMENT], reads),
            crystal: Crystal {
                base_ns: NEVER_SET_S * 1_000_000_000,
                ppm,
            },
            sdk: false,
            running: Vec::new(),
            held: Vec::new(),
            outbox: Vec::new(),
            beat_at: None,
            now: SessionTime::ZERO,
        }
    }

    /// Lets it be so that a measurement of acceleration was already started by somebody else.
    #[must_use]
    pub fn already_measuring(mut self) -> Self {
        self.held.push(Kind::Acc);
        self
    }

    /// It stops all measurements by itself, as with an empty battery.
    pub fn stop_by_itself(&mut self) {
        let mut bytes = vec![1];
        bytes.extend(self.running.drain(..).map(|r| r.kind.number()));
        self.outbox.push((CONTROL, bytes));
    }

    fn offers(&self, kind: Kind) -> (&'static [u16], &'static [u16]) {
        match (self.model, kind, self.sdk) {
            (Model::H10, ..) => (&[25, 50, 100, 200], &[2, 4, 8]),
            (_, Kind::Acc, false) => (&[52], &[8]),
            (_, _, false) => (&[52], &[2000]),
            (_, Kind::Acc, true) => (&[26, 52, 104, 208, 416], &[2, 4, 8, 16]),
            (_, _, true) => (&[26, 52, 104, 208, 416], &[250, 500, 1000, 2000]),
        }
    }

    fn reply(&mut self, op: u8, number: u8, status: u8, params: &[u8]) {
        let whole = params.len() <= 16;
        let (first, rest) = params.split_at(params.len().min(16));
        let head = [0xF0, op, number, status];
        self.outbox
            .push((CONTROL, [&head[..], &[u8::from(!whole)], first].concat()));
        if !whole {
            self.outbox.push((CONTROL, [&head[..], &[0], rest].concat()));
        }
    }

    fn control(&mut self, bytes: &[u8]) {
        let [op, number, params @ ..] = bytes else { return };
        let kind = Kind::from_number(*number);
        match (op, kind) {
            (2 | 3, None) if *number == 9 && self.model == Model::VeritySense => {
                self.sdk = *op == 2;
                self.reply(*op, 9, 0, &[]);
            }
            (1 | 4, Some(kind)) => {
                let (rates, ranges) = self.offers(kind);
                let list = |number: u8, values: &[u16]| {
                    let mut bytes = vec![number, values.len() as u8];
                    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
                    bytes
                };
                let mut params = [list(0, rates), list(1, &[16]), list(2, ranges)].concat();
                if self.model == Model::VeritySense {
                    params.extend([4, 1, 3]);
                }
                self.reply(*op, *number, 0, &params);
            }
            (2, Some(kind)) => self.start(kind, params),
            (3, Some(kind)) => {
                self.running.retain(|r| r.kind != kind);
                self.held.retain(|k| *k != kind);
                self.reply(3, *number, 0, &[]);
            }
            _ => self.reply(*op, *number, 3, &[]),
        }
    }

    fn start(&mut self, kind: Kind, params: &[u8]) {
        if self.held.contains(&kind) || self.running.iter().any(|r| r.kind == kind) {
            return self.reply(2, kind.number(), 6, &[]);
        }
        let value = |number: u8| {
            let mut rest = params;
            while let [n, 1, tail @ ..] = rest {
                let width = if *n == 4 { 1 } else { 2 };
                if *n == number {
                    return tail.first_chunk::<2>().map(|v| u16::from_le_bytes(*v));
                }
                rest = tail.get(width..)?;
            }
            None
        };
        let (rates, ranges) = self.offers(kind);
        let (Some(rate), Some(range)) = (
            value(0).filter(|r| rates.contains(r)),
            value(2).filter(|r| ranges.contains(r)),
        ) else {
            return self.reply(2, kind.number(), 5, &[]);
        };
        let per_frame = if self.model == Model::H10 { 36 } else { 20 };
        self.running.push(Running {
            kind,
            range: f64::from(range),
            sampler: Sampler::new(self.now, f64::from(rate), self.crystal, per_frame),
        });
        let factor = self.factor(kind, f64::from(range)) as f32;
        let mut told = vec![5, 1];
        told.extend(factor.to_le_bytes());
        self.reply(2, kind.number(), 0, &told);
    }

    /// Unit of the wire: mg for the H10, else such that the range fills 16 bits.
    fn factor(&self, kind: Kind, range: f64) -> f64 {
        match (self.model, kind) {
            (Model::H10, _) => 1.0,
            (_, Kind::Acc) => range * 1000.0 / 32767.0,
            _ => range / 32767.0,
        }
    }

    fn frame(&self, running: &Running, times: &[SessionTime]) -> Vec<u8> {
        let kind = running.kind;
        let factor = self.factor(kind, running.range);
        let factor = f64::from(factor as f32);
        let samples: Vec<[i16; 3]> = times
            .iter()
            .map(|t| {
                let (acc, gyro) = self.motion.at(*t);
                match kind {
                    Kind::Acc => acc.map(|v| (v * 1000.0 / STANDARD_GRAVITY, running.range * 1000.0)),
                    _ => gyro.map(|v| (v * DEG_PER_RAD, running.range)),
                }
                .map(|(v, range)| (v.clamp(-range, range) / factor).round() as i16)
            })
            .collect();
        let last = times.last().copied().unwrap_or_default();
        let mut bytes = vec![kind.number()];
        bytes.extend(self.crystal.at(last).to_le_bytes());
        match (self.model, kind) {
            (Model::H10, _) => {
                bytes.push(1);
                bytes.extend(samples.iter().flatten().flat_map(|v| v.to_le_bytes()));
            }
            (_, Kind::Acc) => {
                bytes.push(0x81);
                compress(&samples, &mut bytes);
            }
            _ => {
                bytes.push(0x80);
                compress(&samples, &mut bytes);
            }
        }
        bytes
    }
}

/// A reference and blocks of ten, each as narrow as its differences allow.
pub fn compress(samples: &[[i16; 3]], out: &mut Vec<u8>) {
    let Some((first, _)) = samples.split_first() else {
        return;
    };
    out.extend(first.iter().flat_map(|v| v.to_le_bytes()));
    let differences: Vec<i32> = samples
        .windows(2)
        .flat_map(|w| [0, 1, 2].map(|i| i32::from(w[1][i]) - i32::from(w[0][i])))
        .collect();
    for block in differences.chunks(30) {
        let bits = |d: i32| 33 - if d < 0 { d.leading_ones() } else { d.leading_zeros() };
        let width = block.iter().map(|d| bits(*d)).max().unwrap_or(1);
        out.extend([width as u8, (block.len() / 3) as u8]);
        let (mut held, mut holds) = (0_u64, 0);
        for d in block {
            let mask = (1_u64 << width) - 1;
            held |= (i64::from(*d).cast_unsigned() & mask) << holds;
            holds += width;
            while holds >= 8 {
                out.push(held as u8);
                held >>= 8;
                holds -= 8;
            }
        }
        if holds > 0 {
            out.push(held as u8);
        }
    }
}

impl Peer for PolarPeer {
    fn advert(&self) -> Advert {
        let name = match self.model {
            Model::H10 => "Polar H10 A1B2C3D4",
            Model::VeritySense => "Polar Sense E5F6A7B8",
        };
        Advert {
            os_id: name.to_owned(),
            name: Some(name.to_owned()),
            services: vec![heart_rate::SERVICE, SERVICE],
            companies: vec![0x006B],
            ..Advert::default()
        }
    }

    fn services(&self) -> Vec<Chan> {
        self.chars.chans.clone()
    }

    fn mtu(&self) -> u16 {
        232
    }

    fn connected(&mut self, now: SessionTime) {
        self.now = now;
        self.beat_at = Some(now);
    }

    fn disconnected(&mut self, now: SessionTime) {
        self.now = now;
        self.chars.forget_subscriptions();
        self.running.clear();
        self.outbox.clear();
        self.sdk = false;
        self.beat_at = None;
    }

    fn on_command(&mut self, command: &Command, now: SessionTime) -> Result<Vec<u8>, LinkFailure> {
        self.now = self.now.max(now);
        let answer = self.chars.on_command(command)?;
        if let Command::Write {
            chan: CONTROL, bytes, ..
        } = command
        {
            if !self.chars.is_subscribed(CONTROL) {
                return Err(LinkFailure::Att(0xFD));
            }
            self.control(bytes);
        }
        Ok(answer)
    }

    fn due(&mut self, now: SessionTime, out: &mut Vec<(Chan, Vec<u8>)>) {
        self.now = self.now.max(now);
        out.append(&mut self.outbox);
        let mut running = std::mem::take(&mut self.running);
        while let Some(next) = running.iter_mut().min_by_key(|r| r.sampler.frame_at()) {
            let Some(times) = next.sampler.frame(now) else { break };
            if self.chars.is_subscribed(DATA) {
                out.push((DATA, self.frame(next, &times)));
            }
        }
        self.running = running;
        while let Some(at) = self.beat_at.filter(|at| *at <= now) {
            self.beat_at = Some(at.plus(1.0));
            if !self.sdk && self.chars.is_subscribed(heart_rate::MEASUREMENT) {
                out.push((heart_rate::MEASUREMENT, vec![16, 150, 154, 1]));
            }
        }
    }

    fn wake_at(&self) -> Option<SessionTime> {
        let replies = (!self.outbox.is_empty()).then_some(self.now);
        let frames = self.running.iter().map(|r| r.sampler.frame_at());
        frames.chain(replies).chain(self.beat_at).min()
    }
}
