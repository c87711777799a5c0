//! Device ticks to session time, from arrivals alone.
//!
//! Each sensor counts ticks on its own crystal. Arrival is late by a random radio delay but never early, so the map
//! follows the *lower envelope* of the pairs (tick, arrival) rather than their mean (`envelope`). A change of the map is spread
//! over some seconds (`slew`): time never goes back.
//!
//! What arrivals cannot show is the least delay itself. It makes all times of a sensor late by some milliseconds, and is
//! the same for sensors of one kind on one host. Exchanges of stamps ([`super::exchange`]) halve that doubt.
//!
//! A clock that jumps forward makes arrivals early, which delay cannot; that is noticed with the next pair. A jump
//! backward looks like a stalled radio until it lasts longer than radios stall.

use super::envelope::Envelope;
use super::quality::{ClockNews, ClockQuality};
use super::slew::Slewed;
use crate::model::SessionTime;

/// Earlier than the envelope by more than this is no radio, s, once the envelope is known …
const EARLY_S: f64 = 0.050;
/// … and before: a connection may begin with a stall of this length.
const EARLY_AT_FIRST_S: f64 = 0.5;
/// Pairs over this long make an envelope known, s.
const KNOWN_S: f64 = 20.0;
/// Later than the envelope by more than this, s, …
const LATE_S: f64 = 0.020;
/// … without one punctual pair for this long, s, is no stall of the radio.
const STALL_S: f64 = 20.0;
/// At least this many late pairs make a jump.
const LATE_PAIRS: u32 = 20;
/// Largest least delay of a plain connection, s: 30 ms [P PMC10368670].
const LEAST_DELAY_S: f64 = 0.030;
/// Doubt about the rate of a crystal that is not heard from, and of one that is not known yet.
const SILENT_PPM: f64 = 20e-6;
/// See [`SILENT_PPM`].
const UNKNOWN_PPM: f64 = 100e-6;
/// Pairs over this long tell the rate, s.
const RATE_KNOWN_S: f64 = 30.0;

/// Maps one sensor's tick seconds to session time.
#[derive(Clone, Debug)]
pub struct ClockMap {
    envelope: Envelope,
    slewed: Slewed,
    /// Newest pair.
    newest: Option<(f64, f64)>,
    late: Option<Late>,
    /// Before this tick the map of the epoch before holds: samples held back while the clock jumped.
    before: Option<(f64, f64)>,
    epoch: u32,
    steps: u32,
}

/// A stretch without a punctual pair.
#[derive(Clone, Copy, Debug)]
struct Late {
    since: f64,
    pairs: u32,
    least: f64,
}

impl Default for ClockMap {
    fn default() -> Self {
        Self {
            envelope: Envelope::new(),
            slewed: Slewed::default(),
            newest: None,
            late: None,
            before: None,
            epoch: 0,
            steps: 0,
        }
    }
}

impl ClockMap {
    /// Notes that something stamped `tick_s` (device seconds, nominal rate) arrived at `arrival`.
    pub fn observe(&mut self, tick_s: f64, arrival: SessionTime) -> ClockNews {
        let arrival = arrival.secs();
        let delay = arrival - tick_s;
        if !delay.is_finite() {
            return ClockNews::Refused;
        }
        let news = self.judge(tick_s, arrival);
        if let ClockNews::Step { by_s } = news {
            let old = self.envelope.line().map_or(delay, |l| l.y(tick_s));
            self.restart();
            self.steps += 1;
            // After a jump forward the samples still held are older than the middle of the jump.
            self.before = (by_s > 0.0).then_some((tick_s - 0.5 * by_s, old));
        }
        self.envelope.note(tick_s, delay);
        if self.newest.is_none_or(|(t, _)| tick_s > t) {
            self.newest = Some((tick_s, arrival));
        }
        news
    }

    fn judge(&mut self, tick_s: f64, arrival: f64) -> ClockNews {
        let (Some(line), Some((newest, _))) = (self.envelope.line(), self.newest) else {
            return ClockNews::Steady;
        };
        let excess = arrival - tick_s - line.y(tick_s);
        let room = UNKNOWN_PPM * (tick_s - newest).clamp(0.0, 3600.0);
        let early = if self.envelope.span() < KNOWN_S {
            EARLY_AT_FIRST_S
        } else {
            EARLY_S
        };
        if excess < -(early + room) {
            return ClockNews::Step { by_s: -excess };
        }
        if excess < LATE_S + room {
            self.late = None;
            return ClockNews::Steady;
        }
        // Stamps sent again after a loss of the link are old, not late.
        if tick_s < newest - STALL_S && excess < newest - tick_s + STALL_S {
            return ClockNews::Steady;
        }
        let late = self.late.get_or_insert(Late {
            since: arrival,
            pairs: 0,
            least: excess,
        });
        late.pairs += 1;
        late.least = late.least.min(excess);
        if late.pairs >= LATE_PAIRS && arrival - late.since > STALL_S {
            return ClockNews::Step { by_s: -late.least };
        }
        ClockNews::Steady
    }

    fn restart(&mut self) {
        self.envelope.clear();
        self.slewed = Slewed::default();
        self.newest = None;
        self.late = None;
        self.before = None;
        self.epoch += 1;
    }

    /// Session time of a device instant; never earlier than an earlier answer for a later tick of the same epoch. The
    /// tick itself before the first pair.
    pub fn map(&mut self, tick_s: f64) -> SessionTime {
        let Some(line) = self.envelope.line() else {
            return SessionTime::from_secs(tick_s);
        };
        if let Some((until, delay)) = self.before
            && tick_s < until
        {
            return SessionTime::from_secs(tick_s + delay);
        }
        SessionTime::from_secs(tick_s + self.slewed.follow(tick_s, &line))
    }

    /// How far the session's clock runs ahead of the sensor's, parts per million; 0 before anything is known.
    #[must_use]
    pub fn ppm(&self) -> f64 {
        self.envelope.line().map_or(0.0, |l| l.slope * 1e6)
    }

    /// How good the map is at `now`; `None` before the first pair of this boot.
    #[must_use]
    pub fn quality(&self, now: SessionTime) -> Option<ClockQuality> {
        let (_, newest) = self.newest?;
        let age_s = (now.secs() - newest).max(0.0);
        let known = self.envelope.span() >= RATE_KNOWN_S;
        let scatter = match self.envelope.scatter() {
            // The window's middle is where level and rate meet; its end is half a span away.
            Some(s) if known => 2.0 * s,
            Some(s) => s + UNKNOWN_PPM * self.envelope.span(),
            None => LEAST_DELAY_S,
        };
        let grown = scatter + if known { SILENT_PPM } else { UNKNOWN_PPM } * age_s;
        Some(ClockQuality {
            ppm: known.then(|| self.ppm()),
            bound_s: LEAST_DELAY_S + grown,
            scatter_s: grown,
            age_s,
            epoch: self.epoch,
            steps: self.steps,
        })
    }

    /// The device restarted its clock: everything learned about it is void.
    pub fn reboot(&mut self) {
        self.restart();
    }
}
