//! What is asked of every sensor whatever else it speaks: who it is and how full its battery is, then news of the battery
//! and the heart rate.
//!
//! Everything is read before anything is subscribed: where BlueZ is the host, a read of a subscribed characteristic
//! also comes as a notification. Nothing here is needed for streaming, so what fails is left out.

use super::battery::Gauge;
use super::{battery, heart_rate, information};
use crate::model::SessionTime;
use crate::sensors::link::{Asked, Chan, Command, LinkFailure, LinkInfo};
use crate::sensors::said::{Identity, Said};

/// The companion's state on one link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Companion {
    reads: Vec<Chan>,
    subscriptions: Vec<Chan>,
    identity: Identity,
    gauge: Gauge,
}

impl Companion {
    /// A link is there: everything it has is to be asked for.
    pub(crate) fn up(&mut self, info: &LinkInfo) {
        let there = |chans: &[Chan]| chans.iter().copied().filter(|c| info.has(*c)).collect();
        self.reads = there(&[&information::ALL[..], &[battery::LEVEL]].concat());
        self.subscriptions = there(&[battery::LEVEL, heart_rate::MEASUREMENT]);
        self.identity = Identity::default();
    }

    /// What to read next.
    pub(crate) fn read_due(&self) -> Option<(&'static str, Command)> {
        let chan = *self.reads.first()?;
        let what = if chan == battery::LEVEL {
            "reading the battery"
        } else {
            "reading who it is"
        };
        Some((what, Command::Read(chan)))
    }

    /// What to subscribe next, once all is read.
    pub(crate) fn subscription_due(&self) -> Option<(&'static str, Command)> {
        let chan = *self.subscriptions.first()?;
        let what = if chan == battery::LEVEL {
            "asking for news of the battery"
        } else {
            "asking for heart rate"
        };
        Some((what, Command::Subscribe(chan)))
    }

    /// Nothing came of a command: it is not asked again on this link.
    pub(crate) fn gave_up(&mut self, asked: Asked) {
        match asked {
            Asked::Read(chan) => self.reads.retain(|c| *c != chan),
            Asked::Subscribe(chan) => self.subscriptions.retain(|c| *c != chan),
            Asked::Write(_) => {}
        }
    }

    /// A command was answered.
    pub(crate) fn answered(&mut self, asked: Asked, result: &Result<Vec<u8>, LinkFailure>, said: &mut Vec<Said>) {
        self.gave_up(asked);
        if let (Asked::Read(chan), Ok(bytes)) = (asked, result) {
            if chan == battery::LEVEL {
                self.gauge.read(battery::level(bytes), said);
            } else if information::read_into(&mut self.identity, chan, bytes) {
                said.push(Said::Identity(self.identity.clone()));
            }
        }
    }

    /// A sensor told who it is in its own way: fills what is known of it.
    pub(crate) fn know(&mut self, fill: impl FnOnce(&mut Identity), said: &mut Vec<Said>) {
        fill(&mut self.identity);
        said.push(Said::Identity(self.identity.clone()));
    }

    /// A sensor told its charge in its own way.
    pub(crate) fn charge(&mut self, percent: Option<u8>, said: &mut Vec<Said>) {
        self.gauge.read(percent, said);
    }

    /// A notification; whether it was one of these.
    pub(crate) fn frame(&mut self, at: SessionTime, chan: Chan, bytes: &[u8], said: &mut Vec<Said>) -> bool {
        if chan == battery::LEVEL {
            self.gauge.read(battery::level(bytes), said);
        } else if chan == heart_rate::MEASUREMENT {
            match heart_rate::measurement(bytes) {
                Ok(m) => {
                    if m.odd_byte {
                        said.push(Said::Refused {
                            rule: "odd byte after the beat intervals",
                        });
                    }
                    said.push(Said::HeartRate(m.reading(at)));
                }
                Err(refusal) => said.push(Said::Refused { rule: refusal.0 }),
            }
        } else {
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_all_that_is_there_then_subscribes_and_asks_nothing_twice() {
        let mut c = Companion::default();
        let info = LinkInfo {
            name: String::new(),
            os_id: String::new(),
            mtu: 23,
            chans: vec![information::MODEL, battery::LEVEL, heart_rate::MEASUREMENT],
        };
        c.up(&info);
        let mut said = Vec::new();
        let mut asked = Vec::new();
        while let Some((_, command)) = c.read_due().or_else(|| c.subscription_due()) {
            let what = command.asked().expect("not a close");
            asked.push(what);
            c.answered(what, &Ok(b"77".to_vec()), &mut said);
        }
        assert_eq!(
            asked,
            [
                Asked::Read(information::MODEL),
                Asked::Read(battery::LEVEL),
                Asked::Subscribe(battery::LEVEL),
                Asked::Subscribe(heart_rate::MEASUREMENT)
            ]
        );
        assert!(matches!(&said[..], [Said::Identity(i), Said::Battery(Some(55))] if i.model.as_deref() == Some("77")));
    }

    #[test]
    fn heart_rate_and_battery_news_are_told_and_others_left_alone() {
        let mut c = Companion::default();
        let mut said = Vec::new();
        assert!(c.frame(
            SessionTime::ZERO,
            heart_rate::MEASUREMENT,
            &[16, 60, 0, 4, 9],
            &mut said
        ));
        assert!(c.frame(SessionTime::ZERO, heart_rate::MEASUREMENT, &[], &mut said));
        assert!(c.frame(SessionTime::ZERO, battery::LEVEL, &[101], &mut said));
        assert!(!c.frame(SessionTime::ZERO, information::MODEL, &[1], &mut said));
        assert!(matches!(
            &said[..],
            [
                Said::Refused { .. },
                Said::HeartRate(_),
                Said::Refused { rule: "short" },
                Said::Battery(None)
            ]
        ));
    }
}
