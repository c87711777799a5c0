//! Battery (service 0x180F), and when to say that it is low.

use crate::sensors::link::Chan;
use crate::sensors::said::{Note, Said};

/// Level: read, notify.
pub const LEVEL: Chan = Chan::sig(0x180F, 0x2A19);

/// Charge at and below which a person is told, %: a long run should not begin with less.
const LOW: u8 = 15;
/// Charge above which low would be said again, %.
const FINE_AGAIN: u8 = 25;

/// Charge in percent; `None` if the sensor does not know (above 100, or nothing sent).
#[must_use]
pub fn level(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied().filter(|percent| *percent <= 100)
}

/// The last reading, so that one change is said once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gauge {
    last: Option<Option<u8>>,
    low: bool,
}

impl Gauge {
    /// Takes a reading; says it if it is another.
    pub(crate) fn read(&mut self, percent: Option<u8>, said: &mut Vec<Said>) {
        if self.last == Some(percent) {
            return;
        }
        self.last = Some(percent);
        said.push(Said::Battery(percent));
        if let Some(percent) = percent {
            if percent <= LOW && !self.low {
                self.low = true;
                said.push(Said::Note(Note::BatteryLow {
                    percent,
                    minutes_left: None,
                }));
            }
            self.low &= percent <= FINE_AGAIN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_a_hundred_is_not_known() {
        assert_eq!(level(&[100]), Some(100));
        assert_eq!(level(&[101]), None);
        assert_eq!(level(&[]), None);
        assert_eq!(level(&[7, 1]), Some(7));
    }

    #[test]
    fn low_is_said_once_an_episode() {
        let mut gauge = Gauge::default();
        let mut said = Vec::new();
        for percent in [50, 15, 14, 14, 20, 13, 30, 15] {
            gauge.read(Some(percent), &mut said);
        }
        let notes = said.iter().filter(|s| matches!(s, Said::Note(_))).count();
        assert_eq!((said.len() - notes, notes), (7, 2));
    }
}
