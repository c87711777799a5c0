//! A simulated Movesense: GATT sensor data with messages too long for one notification.

use super::peer::{Motion, Peer};
use super::sensing::{Characteristics, Crystal, Sampler};
use crate::model::SessionTime;
use crate::model::units::DEG_PER_RAD;
use crate::sensors::drivers::movesense::driver::{NOTIFY, SERVICE, WRITE};
use crate::sensors::drivers::sig::{battery, information};
use crate::sensors::link::{Advert, Chan, Command, LinkFailure};

/// The ATT MTU: 182 bytes a notification, so that eight samples take two.
const MTU: u16 = 185;
/// Samples a message.
const PER_MESSAGE: u64 = 8;

/// The sensor.
pub struct MovesensePeer {
    motion: Box<dyn Motion>,
    chars: Characteristics,
    crystal: Crystal,
    running: Option<(u8, Sampler)>,
    outbox: Vec<(Chan, Vec<u8>)>,
    now: SessionTime,
}

impl MovesensePeer {
    /// A sensor whose crystal runs `ppm` fast.
    #[must_use]
    pub fn new(motion: Box<dyn Motion>, ppm: f64) -> Self {
        let reads = vec![
            (information::SERIAL, b"214530000123".to_vec()),
            (information::MAKER, b"Suunto".to_vec()),
            (battery::LEVEL, vec![55]),
        ];
        Self {
            motion,
            chars: Characteristics::new(&[WRITE, NOTIFY], reads),
            crystal: Crystal {
                base_ns: 4_294_960_000_000_000,
                ppm,
            },
            running: None,
            outbox: Vec::new(),
            now: SessionTime::ZERO,
        }
    }

    fn result(&mut self, reference: u8, status: u16) {
        let [high, low] = status.to_be_bytes();
        let bytes = if status == 200 {
            vec![1, reference, low]
        } else {
            vec![1, reference, high, low]
        };
        self.outbox.push((NOTIFY, bytes));
    }

    fn command(&mut self, bytes: &[u8]) {
        match bytes {
            [0, reference] => self.result(*reference, 200),
            [1, reference, path @ ..] => {
                let rate = path
                    .strip_prefix(b"/Meas/IMU6/")
                    .and_then(|r| std::str::from_utf8(r).ok())
                    .and_then(|r| r.parse::<u16>().ok())
                    .filter(|r| [13, 26, 52, 104, 208, 416, 833, 1666].contains(r));
                match rate {
                    Some(rate) => {
                        let sampler = Sampler::new(self.now, f64::from(rate), self.crystal, PER_MESSAGE);
                        self.running = Some((*reference, sampler));
                        self.result(*reference, 200);
                    }
                    None => self.result(*reference, 404),
                }
            }
            [2, reference] => {
                self.running = self.running.take().filter(|(r, _)| r != reference);
                self.result(*reference, 200);
            }
            [_, reference, ..] => self.result(*reference, 501),
            _ => {}
        }
    }

    fn message(&self, reference: u8, times: &[SessionTime]) -> Vec<Vec<u8>> {
        let first = times.first().copied().unwrap_or_default();
        let ms = (self.crystal.at(first) / 1_000_000) as u32;
        let mut whole = vec![2, reference];
        whole.extend(ms.to_le_bytes());
        let both: Vec<_> = times.iter().map(|t| self.motion.at(*t)).collect();
        let acc = both.iter().flat_map(|(a, _)| *a);
        let gyro = both.iter().flat_map(|(_, g)| g.map(|v| v * DEG_PER_RAD));
        whole.extend(acc.chain(gyro).flat_map(|v| (v as f32).to_le_bytes()));
        let full = usize::from(MTU) - 3;
        let rest = whole.split_off(whole.len().min(full));
        let mut parts = vec![whole];
        for (kind, chunk) in (3..).zip(rest.chunks(full - 2)) {
            parts.push([&[kind, reference], chunk].concat());
        }
        parts
    }
}

impl Peer for MovesensePeer {
    fn advert(&self) -> Advert {
        Advert {
            os_id: "movesense".to_owned(),
            name: Some("Movesense 214530000123".to_owned()),
            services: vec![SERVICE],
            ..Advert::default()
        }
    }

    fn services(&self) -> Vec<Chan> {
        self.chars.chans.clone()
    }

    fn mtu(&self) -> u16 {
        MTU
    }

    fn connected(&mut self, now: SessionTime) {
        self.now = now;
    }

    fn disconnected(&mut self, now: SessionTime) {
        self.now = now;
        self.chars.forget_subscriptions();
        self.running = None;
        self.outbox.clear();
    }

    fn on_command(&mut self, command: &Command, now: SessionTime) -> Result<Vec<u8>, LinkFailure> {
        self.now = self.now.max(now);
        let answer = self.chars.on_command(command)?;
        if let Command::Write { chan: WRITE, bytes, .. } = command {
            self.command(bytes);
        }
        Ok(answer)
    }

    fn due(&mut self, now: SessionTime, out: &mut Vec<(Chan, Vec<u8>)>) {
        self.now = self.now.max(now);
        let listening = self.chars.is_subscribed(NOTIFY);
        out.extend(self.outbox.drain(..).filter(|_| listening));
        if let Some((reference, mut sampler)) = self.running {
            while let Some(times) = sampler.frame(now) {
                if listening {
                    out.extend(self.message(reference, &times).into_iter().map(|part| (NOTIFY, part)));
                }
            }
            self.running = Some((reference, sampler));
        }
    }

    fn wake_at(&self) -> Option<SessionTime> {
        let replies = (!self.outbox.is_empty()).then_some(self.now);
        let frames = self.running.map(|(_, s)| s.frame_at());
        replies.into_iter().chain(frames).min()
    }
}
