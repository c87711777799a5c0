//! Device time to session time from stamps sent to and fro.
//!
//! The host notes t1 when it sends, the sensor t2 when that arrives and t3 when it answers, the host t4. Each exchange
//! holds the offset of the two clocks between two walls, whatever the radio did: it cannot be that something arrives
//! before it was sent. θ = ((t2 − t1) + (t3 − t4)) / 2 is the middle between the walls, δ = (t4 − t1) − (t3 − t2) their
//! distance, δ/2 the bound.
//!
//! The shortest way out and the shortest way back are rarely in the same exchange. So each wall is followed by itself, as
//! the hull of the stamps that went one way (`envelope`): t2 against t1 from above, t4 against t3 from below. Rate and level are
//! taken from both, the level in their middle. Data of the sensor come more often than exchanges and go the way back as
//! well: their arrivals ([`ExchangeMap::note_arrival`]) make that wall sharp, and with it the rate.
//!
//! The fit through the fifth of exchanges with the smallest δ (Theil–Sen) was tried first: with ways of 5–40 ms its rate
//! ran into the limit of 200 ppm after a minute, where 40 were true \[S\]. The bound is still that of the protocol, half the smallest δ of the last 60 s: a
//! radio whose ways out and back always differ is not seen by any of this.

use super::envelope::{Envelope, Line, rate_of};
use super::quality::{ClockNews, ClockQuality};
use super::slew::Slewed;
use crate::model::SessionTime;

/// The bound is half the smallest delay of this long, s.
const WINDOW_S: f64 = 60.0;
/// Exchanges remembered for the bound: two a second.
const REMEMBERED: usize = 120;
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

/// Maps one sensor's clock to session time by exchanges. Fixed size; nothing is allocated after `new`.
#[derive(Clone, Debug)]
pub struct ExchangeMap {
    /// Host minus device of the ways back: never below the truth.
    back: Envelope,
    /// Device minus host of the ways out: never below the truth.
    out: Envelope,
    /// Device instant and delay of the last exchanges, s.
    delays: Vec<(f64, f64)>,
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
            back: Envelope::new(),
            out: Envelope::new(),
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
        let [t1, t2, t3, t4] = [e.t1_ns, e.t2_ns, e.t3_ns, e.t4_ns].map(|ns| ns as f64 * 1e-9);
        let delay = delay as f64 * 1e-9;
        let news = self.judge(t2, t1 - t2, t4 - t3);
        if matches!(news, ClockNews::Step { .. }) {
            self.restart();
            self.steps += 1;
        }
        self.newest_host = Some(host);
        self.out.note(t2, t2 - t1);
        self.back.note(t3, t4 - t3);
        if self.delays.len() == REMEMBERED {
            self.delays.remove(0);
        }
        self.delays.push((t3, delay));
        let recent = self.delays.iter().filter(|(x, _)| *x >= t3 - WINDOW_S);
        self.least_half = 0.5 * recent.map(|(_, d)| *d).fold(f64::INFINITY, f64::min);
        self.fit(t3);
        news
    }

    /// Notes that something stamped `device_ns` arrived at `arrival` without having been asked for: a frame of data. Before
    /// the first exchange it tells nothing, and it never starts a new epoch.
    pub fn note_arrival(&mut self, device_ns: i64, arrival: SessionTime) {
        let x = device_ns as f64 * 1e-9;
        let Some(line) = self.line else { return };
        let way = arrival.secs() - x;
        // Earlier than the clock: either it jumped, which the next exchange will tell, or the stamp is wrong.
        if way >= line.y(x) - STEP_S {
            self.back.note(x, way);
        }
    }

    /// Between walls that leave out the expected offset, the clock has jumped.
    fn judge(&self, x: f64, low: f64, high: f64) -> ClockNews {
        let (Some(line), Some(newest)) = (self.line, self.newest_host) else {
            return ClockNews::Steady;
        };
        // Device time since the last exchange cannot be asked of a clock that may have jumped; host time can.
        let since = (x + low - newest).max(0.0);
        let expected = line.y(x);
        let room = STEP_S + self.least_half + self.rate_doubt() * since;
        if !(low - room..=high + room).contains(&expected) {
            ClockNews::Step {
                by_s: expected - 0.5 * (low + high),
            }
        } else {
            ClockNews::Steady
        }
    }

    fn rate_doubt(&self) -> f64 {
        if self.back.span() >= RATE_KNOWN_S {
            SILENT_PPM
        } else {
            UNKNOWN_PPM
        }
    }

    fn fit(&mut self, at: f64) {
        let out = self.out.rate().map(|(rate, doubt)| (-rate, doubt));
        let slope = rate_of(self.back.rate(), out);
        if let (Some(high), Some(low)) = (self.back.support(slope, at), self.out.support(-slope, at)) {
            self.line = Some(Line {
                at,
                level: 0.5 * (high - low),
                slope,
            });
        }
    }

    fn restart(&mut self) {
        self.back.clear();
        self.out.clear();
        self.delays.clear();
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
        let (high, low) = (
            self.back.support(line.slope, line.at)?,
            self.out.support(-line.slope, line.at)?,
        );
        Some(ClockQuality {
            ppm: (self.back.span() >= RATE_KNOWN_S).then_some(line.slope * 1e6),
            bound_s: self.least_half + grown,
            scatter_s: (0.5 * (high + low)).clamp(0.0, self.least_half) + grown,
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
