//! The board of the program: a drifting clock, a battery that hardly empties, and a witness of every sample.

use std::cell::RefCell;

use firmware_protocol::pod::{Health, Identify};
use firmware_protocol::{ImuEntry, PodTime};
use pod_firmware::Board;

use crate::clock::PodClock;
use crate::say;
use crate::truth::Truth;

/// A cell that loses a per cent in ten minutes.
const FULL_PERCENT: u64 = 93;
const US_PER_PERCENT: u64 = 600_000_000;
/// Room temperature and a little, 1/100 °C.
const TEMPERATURE_CDEG: i16 = 2650;

/// The board.
pub(crate) struct HostBoard {
    clock: PodClock,
    booted: PodTime,
    truth: RefCell<Truth>,
}

impl HostBoard {
    pub(crate) fn new(clock: PodClock, truth: Truth) -> Self {
        HostBoard {
            clock,
            booted: clock.now(),
            truth: RefCell::new(truth),
        }
    }

    /// The program ends: a session that still runs is written down as it is.
    pub(crate) fn finish(&self) -> std::io::Result<()> {
        self.truth.borrow_mut().finish()
    }
}

impl Board for HostBoard {
    fn now(&self) -> PodTime {
        self.clock.now()
    }

    fn health(&self) -> Health {
        let used = self.now().us_since(self.booted) / US_PER_PERCENT;
        let percent = u8::try_from(FULL_PERCENT.saturating_sub(used)).ok();
        Health {
            battery_percent: percent,
            temperature_cdeg: Some(TEMPERATURE_CDEG),
        }
    }

    fn identify(&self, wish: Identify) {
        let name = self.truth.borrow().name().to_owned();
        say(&format!(
            "{name}: identify, pattern {} for {} s",
            wish.pattern, wish.seconds
        ));
    }

    fn session_began(&self) {
        self.truth.borrow_mut().session_began();
    }

    fn took(&self, index: u32, time: PodTime, entry: &ImuEntry) {
        self.truth.borrow_mut().took(index, time, entry);
    }

    fn session_ended(&self) {
        if let Err(error) = self.truth.borrow_mut().session_ended() {
            say(&format!("the truth could not be written: {error}"));
        }
    }
}
