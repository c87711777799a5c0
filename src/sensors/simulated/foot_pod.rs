//! A simulated foot pod with the standard services: speed, cadence, heart rate.

use super::peer::Peer;
use super::sensing::Characteristics;
use crate::model::SessionTime;
use crate::sensors::drivers::sig::{battery, heart_rate, information, rsc};
use crate::sensors::link::{Advert, Chan, Command, LinkFailure};

/// The sensor.
pub struct FootPodPeer {
    chars: Characteristics,
    speed: f64,
    cadence: u8,
    next: Option<SessionTime>,
}

impl FootPodPeer {
    /// A pod that runs at `speed`, m/s, and says `cadence`, 1/min, whatever it counts.
    #[must_use]
    pub fn new(speed: f64, cadence: u8) -> Self {
        let reads = vec![
            (information::MODEL, b"Pod".to_vec()),
            (information::SERIAL, b"77".to_vec()),
            (battery::LEVEL, vec![10]),
            (rsc::FEATURE, vec![4, 0]),
        ];
        Self {
            chars: Characteristics::new(&[rsc::MEASUREMENT, heart_rate::MEASUREMENT], reads),
            speed,
            cadence,
            next: None,
        }
    }
}

impl Peer for FootPodPeer {
    fn advert(&self) -> Advert {
        Advert {
            os_id: "foot pod".to_owned(),
            name: Some("Pod".to_owned()),
            services: vec![rsc::SERVICE],
            ..Advert::default()
        }
    }

    fn services(&self) -> Vec<Chan> {
        self.chars.chans.clone()
    }

    fn mtu(&self) -> u16 {
        23
    }

    fn connected(&mut self, now: SessionTime) {
        self.next = Some(now.plus(1.0));
    }

    fn disconnected(&mut self, _: SessionTime) {
        self.chars.forget_subscriptions();
        self.next = None;
    }

    fn on_command(&mut self, command: &Command, _: SessionTime) -> Result<Vec<u8>, LinkFailure> {
        self.chars.on_command(command)
    }

    fn due(&mut self, now: SessionTime, out: &mut Vec<(Chan, Vec<u8>)>) {
        while let Some(at) = self.next.filter(|at| *at <= now) {
            self.next = Some(at.plus(1.0));
            if self.chars.is_subscribed(rsc::MEASUREMENT) {
                let [low, high] = ((self.speed * 256.0) as u16).to_le_bytes();
                out.push((rsc::MEASUREMENT, vec![4, low, high, self.cadence]));
            }
            if self.chars.is_subscribed(heart_rate::MEASUREMENT) {
                out.push((heart_rate::MEASUREMENT, vec![0, 150]));
            }
        }
    }

    fn wake_at(&self) -> Option<SessionTime> {
        self.next
    }
}
