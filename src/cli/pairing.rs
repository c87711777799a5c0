//! Which sensor is worn where: places in turn, and the sensor that is tapped twice gets the place.
//!
//! The conversation without its terminal: things heard go in, steps come out.

use super::listening::Heard;
use crate::config::KitSensor;
use crate::model::Placement;
use crate::runtime::collect::{Presence, SensorPlan};
use crate::sensors::driver::Progress;
use crate::sensors::said::Said;
use crate::sensors::tap::{Felt, TapFinder};
use std::collections::BTreeMap;

/// A sensor that may be tapped, and what it said of itself.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// How it is reached.
    pub plan: SensorPlan,
    /// How people see it in tables.
    pub shown: String,
    /// What is known of it.
    pub known: KitSensor,
    /// Whether it sends.
    pub streams: bool,
    /// The newest thing to tell about it.
    pub note: Option<String>,
}

impl Candidate {
    /// A sensor just seen.
    #[must_use]
    pub fn new(plan: SensorPlan, shown: String) -> Self {
        let known = KitSensor {
            id: plan.id.clone(),
            os_id: Some(plan.os_id.clone()).filter(|id| !id.is_empty()),
            name: Some(plan.name.clone()).filter(|n| !n.is_empty()),
            ..KitSensor::new(plan.kind)
        };
        Self {
            plan,
            shown,
            known,
            streams: false,
            note: None,
        }
    }

    /// Takes what concerns the sensor itself.
    pub fn hear(&mut self, heard: &Heard) {
        match heard {
            Heard::Said(_, Said::Identity(identity)) => {
                self.known.id.clone_from(&identity.id);
                self.known.firmware.clone_from(&identity.firmware);
            }
            Heard::Said(_, Said::Battery(percent)) => self.known.battery = *percent,
            Heard::Said(_, Said::Note(note)) => self.note = Some(note.sentence()),
            Heard::Presence(_, Presence::Connected(progress)) => self.streams = *progress == Progress::Streaming,
            Heard::Presence(_, Presence::Away { .. } | Presence::Finished | Presence::NoRadio(_)) => {
                self.streams = false;
            }
            _ => {}
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The sensor with this number got the place.
    Placed(Placement, usize),
    /// A sensor was tapped that has this place already.
    HasPlace(usize, Placement),
    /// Several sensors felt the same.
    Shared,
}

/// See the module's head.
pub struct Pairing {
    /// All sensors that may be tapped.
    pub candidates: Vec<Candidate>,
    places: Vec<Placement>,
    at: usize,
    finder: TapFinder,
    placed: BTreeMap<Placement, usize>,
}

impl Pairing {
    /// Sensors, and the places in the order in which they are asked for.
    #[must_use]
    pub fn new(candidates: Vec<Candidate>, places: Vec<Placement>) -> Self {
        Self {
            finder: TapFinder::new(candidates.len()),
            candidates,
            places,
            at: 0,
            placed: BTreeMap::new(),
        }
    }

    /// The place that is asked for; `None` when all were, or no sensor is left.
    #[must_use]
    pub fn place(&self) -> Option<Placement> {
        (self.placed.len() < self.candidates.len())
            .then(|| self.places.get(self.at).copied())
            .flatten()
    }

    /// Leaves the place out.
    pub fn skip(&mut self) {
        self.at += 1;
        self.finder.again();
    }

    /// Which sensor got which place.
    #[must_use]
    pub fn placed(&self) -> &BTreeMap<Placement, usize> {
        &self.placed
    }

    /// Sensors that send.
    #[must_use]
    pub fn streaming(&self) -> usize {
        self.candidates.iter().filter(|c| c.streams).count()
    }

    /// Takes what was heard.
    pub fn hear(&mut self, heard: &Heard) -> Option<Step> {
        let (Heard::Said(sensor, _) | Heard::Presence(sensor, _)) = heard else {
            return None;
        };
        if let Some(candidate) = self.candidates.get_mut(*sensor) {
            candidate.hear(heard);
        }
        if let Heard::Said(sensor, said) = heard {
            self.finder.take(*sensor, said);
        }
        match self.finder.felt()? {
            Felt::Shared { .. } => Some(Step::Shared),
            Felt::Tapped(tapped) => {
                if let Some((place, _)) = self.placed.iter().find(|(_, s)| **s == tapped.sensor) {
                    return Some(Step::HasPlace(tapped.sensor, *place));
                }
                let place = self.place()?;
                self.placed.insert(place, tapped.sensor);
                self.at += 1;
                // Taps that others felt faintly must not count for the next place.
                self.finder.again();
                Some(Step::Placed(place, tapped.sensor))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionTime;
    use crate::sensors::drivers::DriverKind;
    use crate::sensors::said::{Block, Identity, Late, Quantity, Streaming, Timing};

    const RATE: f64 = 104.0;

    fn candidate(name: &str) -> Candidate {
        let plan = SensorPlan {
            placement: None,
            kind: DriverKind::Lope,
            os_id: format!("C0:{name}"),
            name: name.to_owned(),
            id: None,
        };
        Candidate::new(plan, name.to_owned())
    }

    /// One sample each of three sensors, then the next: taps as `(sensor, time)`.
    fn script(taps: &[(usize, f64)], seconds: f64) -> Vec<Heard> {
        let streaming = Streaming {
            stream: 0,
            seam: 0,
            quantity: Quantity::Acc,
            rate_hz: RATE,
            acc_scale: 0.01,
            gyro_scale: 0.0,
            acc_range: None,
            gyro_range: None,
            acc_clip: f32::INFINITY,
            gyro_clip: f32::INFINITY,
            acc_delay_s: 0.0,
            gyro_delay_s: 0.0,
            timing: Timing::Stamped,
        };
        let mut all = Vec::new();
        for sensor in 0..3 {
            all.push(Heard::Presence(sensor, Presence::Connected(Progress::Streaming)));
            all.push(Heard::Said(sensor, Said::Streaming(streaming)));
            all.push(Heard::Said(
                sensor,
                Said::Identity(Identity {
                    id: Some(format!("id{sensor}")),
                    firmware: Some("1.2".to_owned()),
                    ..Identity::default()
                }),
            ));
        }
        for k in 0..(seconds * RATE) as u64 {
            let t = k as f64 / RATE;
            for sensor in 0..3 {
                let hit = taps
                    .iter()
                    .any(|(s, at)| *s == sensor && (0.0..0.015).contains(&(t - at)));
                let wobble = (t * 31.0 + sensor as f64).sin() * 20.0;
                let ns = (t * 1e9) as u64;
                all.push(Heard::Said(
                    sensor,
                    Said::Block(Block {
                        stream: 0,
                        seam: 0,
                        epoch: 0,
                        index: k,
                        first_ns: ns,
                        last_ns: ns,
                        last_exact: true,
                        arrived: SessionTime::from_secs(t + 0.02),
                        late: Late::Live,
                        after_gap: false,
                        suspect: false,
                        values: vec![wobble as f32, if hit { 3000.0 } else { 0.0 }, 981.0],
                    }),
                ));
            }
        }
        all
    }

    #[test]
    fn places_go_to_the_sensors_that_are_tapped_in_turn() {
        use Placement::{LeftFoot, RightFoot, Sacrum};
        let all = vec![candidate("a"), candidate("b"), candidate("c")];
        let mut pairing = Pairing::new(all, vec![LeftFoot, RightFoot, Sacrum]);
        let taps = [
            (1, 2.0),
            (1, 2.3),
            (1, 5.0),
            (1, 5.4),
            (0, 8.0),
            (0, 8.3),
            (2, 11.0),
            (2, 11.5),
        ];
        let steps: Vec<Step> = script(&taps, 14.0).iter().filter_map(|h| pairing.hear(h)).collect();
        assert_eq!(
            steps,
            [
                Step::Placed(LeftFoot, 1),
                Step::HasPlace(1, LeftFoot),
                Step::Placed(RightFoot, 0),
                Step::Placed(Sacrum, 2)
            ]
        );
        assert_eq!(pairing.place(), None);
        assert_eq!(pairing.streaming(), 3);
        assert_eq!(pairing.candidates[1].known.id.as_deref(), Some("id1"));
        assert_eq!(pairing.candidates[1].known.firmware.as_deref(), Some("1.2"));
    }

    #[test]
    fn a_place_can_be_left_out_and_a_table_gives_none() {
        use Placement::{LeftFoot, Sacrum};
        let mut pairing = Pairing::new(
            vec![candidate("a"), candidate("b"), candidate("c")],
            vec![LeftFoot, Sacrum],
        );
        pairing.skip();
        assert_eq!(pairing.place(), Some(Sacrum));
        let table = [(0, 2.0), (1, 2.0), (2, 2.0), (0, 2.4), (1, 2.4), (2, 2.4)];
        let steps: Vec<Step> = script(&table, 5.0).iter().filter_map(|h| pairing.hear(h)).collect();
        assert_eq!(steps, [Step::Shared]);
        assert!(pairing.placed().is_empty());
    }
}
