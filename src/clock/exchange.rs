//! Device time to session time from stamps sent to and fro.
//!
//! The host notes t1 when it sends, the sensor t2 when that arrives and t3 when it answers, the host t4. Each exchange
//! holds the offset of the two clocks between two walls, whatever the radio did: it cannot be that something arrives
//! before it was sent. θ = ((t2 − t1) + (t3 − t4)) / 2 is the middle between the walls, δ = (t4 − t1) − (t3 − t2) their
//! distance, δ/2 the bound.
//!
//! In each window of 60 s the fifth of the exchanges with the smallest δ is kept; the rate is the median slope of the pairs
//! kept in the last five windows (Theil–Sen), held within 200 ppm. The level is then put in the middle between the innermost
//! walls of *all* exchanges of those windows, seen along that slope: the shortest way out and the shortest way back are
//! rarely in the same exchange. The bound reported is still half the smallest δ of the last window: a radio whose ways
//! out and back differ always is not seen by any of this.

use super::envelope::{Line, MAX_PPM};
use super::quality::{ClockNews, ClockQuality};
use super::slew::Slewed;
use crate::model::SessionTime;

/// Length of a window, s.
const WINDOW_S: f64 = 60.0;
/// Windows the rate is taken over: a longer base, short enough for a crystal that warms up.
const WINDOWS: f64 = 5.0;
/// Part of a window's exchanges that is kept.
const KEPT: f64 = 0.2;
/// Exchanges remembered: one a second for five minutes.
const REMEMBERED: usize = 300;
/// Growth of the bound while nothing is exchanged.
const SILENT_PPM: f64 = 20e-6;
/// Doubt about a crystal whose rate is not known.
const UNKNOWN_PPM: f64 = 100e-6;
/// Exchanges over this long tell the rate, s.
const RATE_KNOWN_S: f64 = 30.0;
/// Walls that miss the expected offset by more than this, s, mean a jump.
const STEP_S: f64 = 0.005;

/// The four stamps of one exchange, ns: t1, t4 on the session's clock, t2, t3 on the sensor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The host sends.
    pub t1_ns: i64,
    /// The sensor receives.
    pub t2_ns: i64,
    /// The sensor answers.
    pub t3_ns: i64,
    /// The host receives.
    pub t4_ns: i64,
}

impl Exchange {
    /// Twice the offset sensor − host, ns: an integer, so that nothing is rounded.
    #[must_use]
    pub fn twice_offset_ns(&self) -> i128 {
        (i128::from(self.t2_ns) - i128::from(self.t1_ns)) + (i128::from(self.t3_ns) - i128::from(self.t4_ns))
    }

    /// Time under way, both ways together, ns; negative for stamps that cannot be.
    #[must_use]
    pub fn delay_ns(&self) -> i128 {
        (i128::from(self.t4_ns) - i128::from(self.t1_ns)) - (i128::from(self.t3_ns) - i128::from(self.t2_ns))
    }
}

/// One exchange as the fit sees it, s: host minus sensor, so that it adds to a tick.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Middle of t2 and t3.
    x: f64,
    /// Host − sensor.
    offset: f64,
    delay: f64,
    kept: bool,
}

impl Seen {
    fn low(&self) -> f64 {
        self.offset - 0.5 * self.delay
    }
    fn high(&self) -> f64 {
        self.offset + 0.5 * self.delay
    }
}

/// Maps one sensor's clock to session time by exchanges. Fixed size; nothing is allocated after `new`.
#[derive(Clone, Debug)]
pub struct ExchangeMap {
    seen: Vec<Seen>,
    slopes: Vec<f64>,
    delays: Vec<f64>,
    line: Option<Line>,
    slewed: Slewed,
    newest_host: Option<f64>,
    /// Half the smallest δ of the last window, s.
    least_half: f64,
    epoch: u32,
    steps: u32,
}

impl Default for ExchangeMap {
    fn default() -> Self {
        Self {
            seen: Vec::with_capacity(REMEMBERED),
            slopes: Vec::with_capacity(2048),
            delays: Vec::with_capacity(REMEMBERED),
            line: None,
            slewed: Slewed::default(),
            newest_host: None,
            least_half: 0.0,
            epoch: 0,
            steps: 0,
        }
    }
}

impl ExchangeMap {
    /// Takes an exchange. One that runs backwards (t3 < t2, t4 < t1, negative δ, older than the newest) is refused.
    pub fn observe(&mut self, e: &Exchange) -> ClockNews {
        let delay = e.delay_ns();
        if delay < 0 || e.t3_ns < e.t2_ns || e.t4_ns < e.t1_ns {
            return ClockNews::Refused;
        }
        let host = e.t4_ns as f64 * 1e-9;
        if self.newest_host.is_some_and(|n| host < n) {
            return ClockNews::Refused;
        }
        let new = Seen {
            x: 0.5 * (e.t2_ns as f64 + e.t3_ns as f64) * 1e-9,
            offset: -0.5 * e.twice_offset_ns() as f64 * 1e-9,
            delay: delay as f64 * 1e-9,
            kept: false,
        };
        let news = self.judge(&new, host);
        if news != ClockNews::Steady {
            self.restart();
            self.steps += 1;
        }
        self.newest_host = Some(host);
        if self.seen.len() == REMEMBERED {
            self.seen.remove(0);
        }
        self.seen.push(new);
        let oldest = new.x - WINDOWS * WINDOW_S;
        self.seen.retain(|s| s.x >= oldest);
        self.fit();
        news
    }

    /// Between walls that leave out the expected offset, the clock has jumped.
    fn judge(&self, new: &Seen, host: f64) -> ClockNews {
        let (Some(line), Some(newest)) = (self.line, self.newest_host) else {
            return ClockNews::Steady;
        };
        // Device time since the last exchange cannot be asked of a clock that may have jumped; host time can.
        let expected = line.y(new.x);
        let room = STEP_S + self.least_half + self.rate_doubt() * (host - newest);
        let miss = if expected > new.high() + room {
            expected - new.offset
        } else if expected < new.low() - room {
            expected - new.offset
        } else {
            return ClockNews::Steady;
        };
        ClockNews::Step { by_s: miss }
    }

    fn span(&self) -> f64 {
        match (self.seen.first(), self.seen.last()) {
            (Some(a), Some(b)) => b.x - a.x,
            _ => 0.0,
        }
    }

    fn rate_doubt(&self) -> f64 {
        if self.span() >= RATE_KNOWN_S { SILENT_PPM } else { UNKNOWN_PPM }
    }

    fn fit(&mut self) {
        let Some(newest) = self.seen.last().copied() else { return };
        self.mark_kept(newest.x);
        self.slopes.clear();
        let kept = || self.seen.iter().filter(|s| s.kept);
        for (i, a) in kept().enumerate() {
            for b in kept().skip(i + 1) {
                // Neighbours tell the radio, not the crystal.
                if b.x - a.x > 0.25 * WINDOW_S && self.slopes.len() < self.slopes.capacity() {
                    self.slopes.push((b.offset - a.offset) / (b.x - a.x));
                }
            }
        }
        self.slopes.sort_unstable_by(f64::total_cmp);
        let slope = match self.slopes.get(self.slopes.len() / 2) {
            Some(s) if self.span() >= RATE_KNOWN_S => s.clamp(-MAX_PPM, MAX_PPM),
            _ => 0.0,
        };
        let along = |value: f64, x: f64| value - slope * (x - newest.x);
        let low = self.seen.iter().map(|s| along(s.low(), s.x)).fold(f64::NEG_INFINITY, f64::max);
        let high = self.seen.iter().map(|s| along(s.high(), s.x)).fold(f64::INFINITY, f64::min);
        self.line = Some(Line {
            at: newest.x,
            level: 0.5 * (low + high),
            slope,
        });
        let recent = self.seen.iter().filter(|s| s.x >= newest.x - WINDOW_S);
        self.least_half = 0.5 * recent.map(|s| s.delay).fold(f64::INFINITY, f64::min);
    }

    /// Marks in each window, counted back from `now`, the fifth with the smallest delay.
    fn mark_kept(&mut self, now: f64) {
        let window = |x: f64| ((now - x) / WINDOW_S) as u32;
        for w in 0..WINDOWS as u32 {
            self.delays.clear();
            self.delays.extend(self.seen.iter().filter(|s| window(s.x) == w).map(|s| s.delay));
            self.delays.sort_unstable_by(f64::total_cmp);
            let n = (KEPT * self.delays.len() as f64).ceil() as usize;
            let Some(limit) = n.checked_sub(1).and_then(|k| self.delays.get(k)).copied() else {
                continue;
            };
            for s in self.seen.iter_mut().filter(|s| window(s.x) == w) {
                s.kept = s.delay <= limit;
            }
        }
    }

    fn restart(&mut self) {
        self.seen.clear();
        self.line = None;
        self.slewed = Slewed::default();
        self.newest_host = None;
        self.epoch += 1;
    }

    /// Session time of an instant on the sensor's clock, ns; `None` before the first exchange of this boot. Never earlier
    /// than an earlier answer for a later instant of the same epoch.
    pub fn map(&mut self, device_ns: i64) -> Option<SessionTime> {
        let line = self.line?;
        let x = device_ns as f64 * 1e-9;
        let offset = self.slewed.follow(x, &line);
        Some(SessionTime::from_secs(x + offset))
    }

    /// How good the map is at `now`; `None` before the first exchange of this boot.
    #[must_use]
    pub fn quality(&self, now: SessionTime) -> Option<ClockQuality> {
        let age_s = (now.secs() - self.newest_host?).max(0.0);
        let line = self.line?;
        let grown = self.rate_doubt() * age_s;
        let low = self.seen.iter().map(|s| s.low() - line.y(s.x)).fold(f64::NEG_INFINITY, f64::max);
        let high = self.seen.iter().map(|s| s.high() - line.y(s.x)).fold(f64::INFINITY, f64::min);
        Some(ClockQuality {
            ppm: (self.span() >= RATE_KNOWN_S).then_some(line.slope * 1e6),
            bound_s: self.least_half + grown,
            scatter_s: (0.5 * (high - low)).clamp(0.0, self.least_half) + grown,
            age_s,
            epoch: self.epoch,
            steps: self.steps,
        })
    }

    /// The sensor booted: nothing of its former clock holds.
    pub fn reboot(&mut self) {
        self.restart();
    }
}
