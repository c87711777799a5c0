//! A simulated Movella DOT, its clock a few seconds before its turn.

use super::peer::{Motion, Peer};
use super::sensing::{Characteristics, Crystal, Sampler};
use crate::model::SessionTime;
use crate::model::units::DEG_PER_RAD;
use crate::sensors::drivers::dot::control::{BATTERY, CONTROL, INFORMATION, MEASUREMENT, MEDIUM, REPORT};
use crate::sensors::link::{Advert, Chan, Command, LinkFailure};

/// The sensor.
pub struct DotPeer {
    motion: Box<dyn Motion>,
    chars: Characteristics,
    crystal: Crystal,
    running: Option<Sampler>,
}

impl DotPeer {
    /// A sensor whose crystal runs `ppm` fast.
    #[must_use]
    pub fn new(motion: Box<dyn Motion>, ppm: f64) -> Self {
        let mut information = vec![0x34, 0x12, 0x00, 0xCD, 0x22, 0xD4, 2, 4, 0];
        information.extend([0xE7, 7, 5, 1, 12, 0, 0, 0, 0, 0, 0]);
        information.extend(0xD422_CD00_1234_u64.to_le_bytes());
        information.extend(b"XS-T01");
        let mut control = vec![0; 32];
        control[24] = 60;
        let reads = vec![(INFORMATION, information), (CONTROL, control), (BATTERY, vec![90, 0])];
        Self {
            motion,
            chars: Characteristics::new(&[MEASUREMENT, MEDIUM, REPORT], reads),
            crystal: Crystal {
                base_ns: (u64::from(u32::MAX) - 7_000_000) * 1000,
                ppm,
            },
            running: None,
        }
    }

    fn rate(&self) -> u16 {
        let control = self.chars.reads.iter().find(|(chan, _)| *chan == CONTROL);
        control.map_or(60, |(_, bytes)| u16::from_le_bytes([bytes[24], bytes[25]]))
    }

    fn payload(&self, time: SessionTime) -> Vec<u8> {
        let (acc, gyro) = self.motion.at(time);
        let mut bytes = ((self.crystal.at(time) / 1000) as u32).to_le_bytes().to_vec();
        let values = acc.into_iter().chain(gyro.map(|v| v * DEG_PER_RAD));
        bytes.extend(values.flat_map(|v| (v as f32).to_le_bytes()));
        // Padding holds old bytes.
        bytes.resize(40, 0xA5);
        bytes
    }
}

impl Peer for DotPeer {
    fn advert(&self) -> Advert {
        Advert {
            os_id: "dot".to_owned(),
            name: Some("Movella DOT".to_owned()),
            companies: vec![0x0886],
            ..Advert::default()
        }
    }

    fn services(&self) -> Vec<Chan> {
        self.chars.chans.clone()
    }

    fn mtu(&self) -> u16 {
        247
    }

    fn connected(&mut self, _: SessionTime) {}

    fn disconnected(&mut self, _: SessionTime) {
        self.chars.forget_subscriptions();
        self.running = None;
    }

    fn on_command(&mut self, command: &Command, now: SessionTime) -> Result<Vec<u8>, LinkFailure> {
        let answer = self.chars.on_command(command)?;
        if let Command::Write { chan, bytes, .. } = command {
            match (*chan, &bytes[..]) {
                // The rate cannot be changed while it measures.
                (CONTROL, b) if b.len() == 32 && b[0] & 16 != 0 && self.running.is_none() => {
                    if let Some((_, control)) = self.chars.reads.iter_mut().find(|(chan, _)| *chan == CONTROL) {
                        control[24..26].copy_from_slice(&b[24..26]);
                    }
                }
                (MEASUREMENT, [1, 1, 21]) if self.running.is_none() => {
                    self.running = Some(Sampler::new(now, f64::from(self.rate()), self.crystal, 1));
                }
                (MEASUREMENT, [1, 0, _]) => self.running = None,
                _ => {}
            }
        }
        Ok(answer)
    }

    fn due(&mut self, now: SessionTime, out: &mut Vec<(Chan, Vec<u8>)>) {
        let Some(mut sampler) = self.running else { return };
        while let Some(times) = sampler.frame(now) {
            if self.chars.is_subscribed(MEDIUM) {
                out.extend(times.iter().map(|t| (MEDIUM, self.payload(*t))));
            }
        }
        self.running = Some(sampler);
    }

    fn wake_at(&self) -> Option<SessionTime> {
        self.running.map(|s| s.frame_at())
    }
}
