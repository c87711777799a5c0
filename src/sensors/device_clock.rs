//! One sensor's clock on the session clock, by the best that its protocol offers.
//!
//! Stamps to and fro, where the sensor answers them, hold the offset from both sides; data arrivals sharpen them. Without
//! them the lower envelope of arrivals is all there is: it cannot see the least delay of the radio, which is then taken for
//! none. Which of the two maps an epoch is decided by its first sample and kept, because a change in between would be a step.

use super::said::Exchange;
use crate::clock::ClockQuality;
use crate::clock::exchange::{Exchange as Stamps, ExchangeMap};
use crate::clock::skew::ClockMap;
use crate::model::SessionTime;

/// Exchanges of a boot that has no sample yet, kept for it.
const PENDING: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Arrivals,
    Exchanges,
}

/// See the module's head.
#[derive(Debug, Default)]
pub struct DeviceClock {
    arrivals: ClockMap,
    exchanges: ExchangeMap,
    way: Option<Way>,
    epoch: Option<u32>,
    pending: Vec<Exchange>,
}

fn stamps(e: &Exchange) -> Stamps {
    let ns = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
    Stamps {
        t1_ns: e.t1.nanos(),
        t2_ns: ns(e.t2_ns),
        t3_ns: ns(e.t3_ns),
        t4_ns: e.t4.nanos(),
    }
}

impl DeviceClock {
    /// Takes an exchange.
    pub fn exchange(&mut self, e: &Exchange) {
        if self.epoch == Some(e.epoch) {
            self.exchanges.observe(&stamps(e));
        } else {
            // Of a boot whose samples have not come yet (or of one that is over, which the next boot drops).
            if self.pending.len() == PENDING {
                self.pending.remove(0);
            }
            self.pending.push(*e);
        }
    }

    /// The samples that come are of this run of the sensor's clock. True when it is another than before.
    pub fn begin(&mut self, epoch: u32) -> bool {
        if self.epoch == Some(epoch) {
            return false;
        }
        let another = self.epoch.is_some();
        if another {
            self.arrivals.reboot();
            self.exchanges.reboot();
        }
        self.epoch = Some(epoch);
        self.way = None;
        for e in std::mem::take(&mut self.pending) {
            if e.epoch == epoch {
                self.exchanges.observe(&stamps(&e));
            }
        }
        another
    }

    /// Notes that a sample stamped `device_s` was in a live packet that came at `arrived`.
    pub fn arrival(&mut self, device_s: f64, arrived: SessionTime) {
        self.arrivals.observe(device_s, arrived);
        self.exchanges.note_arrival((device_s * 1e9) as i64, arrived);
    }

    /// Session time of an instant of the sensor.
    pub fn map(&mut self, device_s: f64) -> SessionTime {
        let device_ns = (device_s * 1e9) as i64;
        if self.way.is_none() {
            let known = self.exchanges.map(device_ns).is_some();
            self.way = Some(if known { Way::Exchanges } else { Way::Arrivals });
        }
        if self.way == Some(Way::Exchanges)
            && let Some(t) = self.exchanges.map(device_ns)
        {
            return t;
        }
        self.arrivals.map(device_s)
    }

    /// How good the map is at `now`; `None` before the first sample.
    #[must_use]
    pub fn quality(&self, now: SessionTime) -> Option<ClockQuality> {
        match self.way? {
            Way::Exchanges => self.exchanges.quality(now),
            Way::Arrivals => self.arrivals.quality(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(epoch: u32, t: f64, offset: f64, out: f64, back: f64) -> Exchange {
        let device = |host: f64| ((host + offset) * 1e9) as u64;
        Exchange {
            epoch,
            t1: SessionTime::from_secs(t),
            t2_ns: device(t + out),
            t3_ns: device(t + out + 0.0001),
            t4: SessionTime::from_secs(t + out + 0.0001 + back),
        }
    }

    #[test]
    fn a_constant_delay_of_the_radio_is_seen_with_exchanges_and_not_without() {
        for (exchanges, error) in [(true, 0.005), (false, 0.060)] {
            let mut clock = DeviceClock::default();
            if exchanges {
                clock.exchange(&exchange(1, 0.5, 100.0, 0.010, 0.012));
            }
            clock.begin(1);
            let mut off: f64 = 0.0;
            for k in 0..600 {
                let t = 1.0 + 0.1 * f64::from(k);
                if exchanges && k % 20 == 0 {
                    clock.exchange(&exchange(1, t, 100.0, 0.010, 0.012));
                }
                clock.arrival(t + 100.0, SessionTime::from_secs(t + 0.050));
                off = (clock.map(t + 100.0).secs() - t).abs();
            }
            assert!(off < error && (exchanges || off > 0.045), "{exchanges}: {off}");
        }
    }

    #[test]
    fn exchanges_of_a_new_boot_wait_for_its_samples() {
        let mut clock = DeviceClock::default();
        clock.exchange(&exchange(1, 0.5, 100.0, 0.01, 0.01));
        assert!(!clock.begin(1));
        let before = clock.map(101.0).secs();
        clock.exchange(&exchange(2, 5.0, 3.0, 0.01, 0.01));
        assert!((clock.map(101.5).secs() - before - 0.5).abs() < 1e-3);
        assert!(clock.begin(2));
        assert!((clock.map(8.5).secs() - 5.5).abs() < 0.01);
    }
}
