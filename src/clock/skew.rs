//! Device ticks to session time.
//!
//! Each sensor counts ticks on its own crystal. Arrival is late by a random radio delay but never early, so the map
//! `t = rate · tick + offset` follows the *lower envelope* of the pairs (tick, arrival) rather than their mean. In each
//! bucket of five seconds the earliest pair is kept; over the last 24 buckets the slope is the median of all pairwise
//! slopes (Theil–Sen), held within 200 ppm of nominal, and the offset is the largest that makes no kept pair early.
//!
//! Time never goes back: a new map is approached at 200 ppm at most.

use crate::model::SessionTime;

const BUCKET_S: f64 = 5.0;
const BUCKETS: usize = 24;
/// Crystals of any pod are within 100 ppm; twice that bounds slope and slew.
const MAX_PPM: f64 = 200e-6;

/// Maps one sensor's tick seconds to session time.
#[derive(Clone, Debug)]
pub struct ClockMap {
    /// Kept pairs (tick seconds, arrival seconds), oldest first.
    pairs: Vec<(f64, f64)>,
    bucket_end: f64,
    best: Option<(f64, f64)>,
    slope: f64,
    offset: f64,
    target_offset: f64,
    last_tick: Option<f64>,
    last_out: f64,
    slopes: Vec<f64>,
}

impl Default for ClockMap {
    fn default() -> Self {
        Self {
            pairs: Vec::with_capacity(BUCKETS),
            bucket_end: f64::NEG_INFINITY,
            best: None,
            slope: 1.0,
            offset: 0.0,
            target_offset: 0.0,
            last_tick: None,
            last_out: f64::NEG_INFINITY,
            slopes: Vec::with_capacity(BUCKETS * BUCKETS / 2),
        }
    }
}

impl ClockMap {
    /// Notes that something stamped `tick_s` (device seconds, nominal rate) arrived at `arrival`.
    pub fn observe(&mut self, tick_s: f64, arrival: SessionTime) {
        let arrival = arrival.secs();
        if self.last_tick.is_none() {
            self.offset = arrival - tick_s;
            self.target_offset = self.offset;
            self.bucket_end = tick_s + BUCKET_S;
        }
        let delay = arrival - tick_s;
        if self.best.is_none_or(|(t, a)| delay < a - t) {
            self.best = Some((tick_s, arrival));
        }
        if self.pairs.is_empty() {
            // Before the first bucket is full the earliest pair so far is the map.
            if let Some((t, a)) = self.best {
                self.target_offset = a - t;
            }
        }
        if tick_s >= self.bucket_end {
            self.close_bucket(tick_s);
        }
    }

    fn close_bucket(&mut self, tick_s: f64) {
        self.bucket_end = tick_s + BUCKET_S;
        let Some(best) = self.best.take() else { return };
        if self.pairs.len() == BUCKETS {
            self.pairs.remove(0);
        }
        self.pairs.push(best);
        self.slopes.clear();
        for (i, a) in self.pairs.iter().enumerate() {
            for b in &self.pairs[i + 1..] {
                self.slopes.push((b.1 - a.1) / (b.0 - a.0).max(1e-3));
            }
        }
        let old_slope = self.slope;
        // Fewer than four buckets say more about delay than about the crystal.
        if self.pairs.len() >= 4 {
            self.slopes.sort_unstable_by(f64::total_cmp);
            self.slope = self.slopes[self.slopes.len() / 2].clamp(1.0 - MAX_PPM, 1.0 + MAX_PPM);
        }
        // The slope turns about the present instant, so that only the offset has to be slewed.
        self.offset += (old_slope - self.slope) * tick_s;
        self.target_offset = self
            .pairs
            .iter()
            .map(|(t, a)| a - self.slope * t)
            .fold(f64::INFINITY, f64::min);
    }

    /// Session time of a device instant; never earlier than an earlier answer for a later tick.
    pub fn map(&mut self, tick_s: f64) -> SessionTime {
        if let Some(last) = self.last_tick {
            let room = (tick_s - last).max(0.0) * MAX_PPM;
            self.offset += (self.target_offset - self.offset).clamp(-room, room);
        } else {
            self.offset = self.target_offset;
        }
        self.last_tick = Some(self.last_tick.map_or(tick_s, |l| l.max(tick_s)));
        let t = self.slope * tick_s + self.offset;
        self.last_out = self.last_out.max(t);
        SessionTime::from_secs(t)
    }

    /// How far the crystal runs from nominal, parts per million; 0 before four buckets.
    #[must_use]
    pub fn ppm(&self) -> f64 {
        (self.slope - 1.0) * 1e6
    }

    /// The device restarted its clock: everything learned about offset is void.
    pub fn reboot(&mut self) {
        let last_out = self.last_out;
        *self = Self {
            last_out,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic jitter in [0, 1).
    fn noise(k: u64) -> f64 {
        let mut x = k.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678;
        x ^= x >> 31;
        x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^= x >> 29;
        (x >> 11) as f64 / (1u64 << 53) as f64
    }

    #[test]
    fn two_drifting_clocks_agree_within_two_milliseconds_after_ten_minutes() {
        let mut maps = [ClockMap::default(), ClockMap::default()];
        let drift = [40e-6, -40e-6];
        let mut worst = (0.0_f64, 0.0_f64);
        for k in 0..6500_u64 {
            let truth = k as f64 * 0.1;
            let mut seen = [0.0; 2];
            for i in 0..2 {
                let tick = truth * (1.0 + drift[i]) + 17.0 * i as f64;
                let delay = 0.005 + 0.035 * noise(2 * k + i as u64);
                maps[i].observe(tick, SessionTime::from_secs(truth + delay));
                seen[i] = maps[i].map(tick).secs();
            }
            let apart = (seen[0] - seen[1]).abs();
            if truth > 60.0 {
                worst.0 = worst.0.max(apart);
            }
            if truth > 600.0 {
                worst.1 = worst.1.max(apart);
            }
        }
        assert!(worst.0 < 0.006, "after a minute {worst:?}");
        assert!(worst.1 < 0.002, "after ten minutes {worst:?}");
        assert!((maps[0].ppm() + 40.0).abs() < 8.0, "{}", maps[0].ppm());
    }

    #[test]
    fn time_never_goes_back() {
        let mut map = ClockMap::default();
        let mut last = SessionTime::from_secs(-1.0);
        for k in 0..3000_u64 {
            let tick = k as f64 * 0.05;
            let delay = if k == 700 { 0.0 } else { 0.02 + 0.1 * noise(k) };
            map.observe(tick, SessionTime::from_secs(tick + delay));
            let t = map.map(tick);
            assert!(t > last, "step {k}");
            last = t;
        }
    }
}
