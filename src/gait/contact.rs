//! Foot contacts from one foot's pitch rate and rest score: mid-stance first, events around it.
//!
//! Published detectors (Falbriard 2018, doi 10.3389/fphys.2018.00610) split the cycle between two mid-swings in halves
//! and take the pitch-rate minimum of each. Found causally, both minima of a jogging stride can fall into one half; so
//! here the quietest instant of the cycle is sought first and the minima on both sides of it afterwards.
//!
//! ```text
//!   pitch rate  ╭╮ mid-swing a                         ╭╮ mid-swing b
//!  (toe up +) ──╯╰──╮   ╭───── m ─────╮        ╭───────╯╰──
//!                   ╰───╯ ic minimum  ╰────────╯ tc minimum
//! ```
//!
//! A cycle is judged when its closing mid-swing is confirmed; nothing is revised later.

use crate::model::SessionTime;
use crate::signal::butterworth::{Butterworth2, Coefficients};

/// Tuning, with reasons.
#[derive(Clone, Copy, Debug)]
pub struct ContactParams {
    /// Low-pass for mid-swings, Hz.
    pub swing_cutoff_hz: f64,
    /// Low-pass for event minima, Hz.
    pub event_cutoff_hz: f64,
    /// Smallest toe-up peak of a mid-swing, rad/s.
    pub min_peak: f64,
    /// … and as a share of the median of the last eight.
    pub min_peak_share: f64,
    /// Refractory time as a share of the running cycle time.
    pub refractory_share: f64,
    /// A peak is confirmed after this long at the latest, s.
    pub confirm_s: f64,
    /// Cycles longer than this are two contacts with a rest between, s.
    pub max_cycle_s: f64,
    /// Bounds of the running estimate of the cycle time, s.
    pub cycle_bounds_s: (f64, f64),
}

impl Default for ContactParams {
    fn default() -> Self {
        Self {
            swing_cutoff_hz: 6.0,
            event_cutoff_hz: 30.0,
            min_peak: 1.2,
            min_peak_share: 0.3,
            refractory_share: 0.55,
            confirm_s: 0.12,
            max_cycle_s: 1.9,
            cycle_bounds_s: (0.55, 1.4),
        }
    }
}

/// Rest scores that differ by less are equally quiet: 0.3 rad/s, or 1.6 m/s².
const AS_QUIET: f64 = 0.3;

/// A foot that slaps down turns toe-down at least this fast, rad/s.
const LANDING_RATE: f64 = -1.0;
/// How far mid-stance strays from its usual place in the cycle, as a share of it: walking to running is a tenth.
const PHASE_SPREAD: f64 = 0.1;
/// The usual place counts in cycles whose length differs by less than this from the running estimate.
const STEADY_CYCLE: f64 = 0.1;
/// Mean rest score of a foot that stands: below 0.4 rad/s and 1.7 m/s² together.
const REAL_REST: f64 = 0.8;

/// A mid-stance with the events around it, before any correction of their bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Absolute sample number of mid-stance.
    pub m: u64,
    /// Half width of the quiet window around it, samples.
    pub half: u64,
    /// Raw initial contact: the pitch-rate minimum before mid-stance. `None` after a rest.
    pub ic_raw: Option<SessionTime>,
    /// Raw terminal contact: the minimum after. `None` before a rest.
    pub tc_raw: Option<SessionTime>,
    /// Mean rest score over the window.
    pub score: f64,
    /// Name of the plausibility guard that failed, if one did.
    pub guard: Option<&'static str>,
}

/// Samples of one foot as the detector sees them, by absolute number.
#[derive(Clone, Debug)]
struct Lanes {
    keep: usize,
    first: u64,
    t: Vec<SessionTime>,
    /// Pitch rate, event low-pass.
    slow: Vec<f64>,
    /// Running sum of the rest score.
    sum: Vec<f64>,
}

impl Lanes {
    fn new(keep: usize) -> Self {
        let n = 2 * keep;
        Self {
            keep,
            first: 0,
            t: Vec::with_capacity(n),
            slow: Vec::with_capacity(n),
            sum: Vec::with_capacity(n),
        }
    }

    fn push(&mut self, t: SessionTime, slow: f64, score: f64) {
        if self.t.len() == 2 * self.keep {
            let base = self.sum[self.keep - 1];
            for lane in [&mut self.slow, &mut self.sum] {
                lane.copy_within(self.keep.., 0);
                lane.truncate(self.keep);
            }
            self.t.copy_within(self.keep.., 0);
            self.t.truncate(self.keep);
            // Rebased, so that the running sum stays small over hours.
            self.sum.iter_mut().for_each(|s| *s -= base);
            self.first += self.keep as u64;
        }
        let before = self.sum.last().copied().unwrap_or(0.0);
        self.t.push(t);
        self.slow.push(slow);
        self.sum.push(before + score);
    }

    fn end(&self) -> u64 {
        self.first + self.t.len() as u64
    }

    fn at(&self, i: u64) -> usize {
        (i.max(self.first) - self.first).min(self.t.len().saturating_sub(1) as u64) as usize
    }

    /// Mean score over `[i − half, i + half]`, as far as held.
    fn mean_score(&self, i: u64, half: u64) -> f64 {
        let lo = self.at(i.saturating_sub(half));
        let hi = self.at(i + half);
        let before = if lo == 0 { 0.0 } else { self.sum[lo - 1] };
        (self.sum[hi] - before) / (hi - lo + 1) as f64
    }

    /// Number of the quietest sample in `[from, to)` and its mean score.
    fn quietest(&self, from: u64, to: u64, half: u64) -> Option<(u64, f64)> {
        let (from, to) = (from.max(self.first), to.min(self.end()));
        (from..to)
            .map(|i| (i, self.mean_score(i, half)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// As [`Lanes::quietest`], each score multiplied by a weight.
    fn quietest_weighted(&self, from: u64, to: u64, half: u64, weight: impl Fn(u64) -> f64) -> Option<(u64, f64)> {
        let (from, to) = (from.max(self.first), to.min(self.end()));
        (from..to)
            .map(|i| (i, self.mean_score(i, half) * weight(i)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Time of the lowest slow pitch rate in `[from, to)`, between samples by a parabola, and the value.
    fn lowest(&self, from: u64, to: u64) -> Option<(SessionTime, f64)> {
        let (from, to) = (from.max(self.first), to.min(self.end()));
        let i = (from..to).min_by(|a, b| self.slow[self.at(*a)].total_cmp(&self.slow[self.at(*b)]))?;
        let k = self.at(i);
        let mut t = self.t[k];
        if k > 0 && k + 1 < self.t.len() {
            let (a, b, c) = (self.slow[k - 1], self.slow[k], self.slow[k + 1]);
            let curve = a - 2.0 * b + c;
            if curve > 1e-12 {
                let shift = (0.5 * (a - c) / curve).clamp(-0.5, 0.5);
                t = t.plus(shift * self.t[k + 1].since(self.t[k - 1]) * 0.5);
            }
        }
        Some((t, self.slow[k]))
    }
}

/// A confirmed mid-swing, or the wait for one.
#[derive(Clone, Copy, Debug)]
struct Peak {
    index: u64,
    value: f64,
}

/// Finds the contacts of one foot. Feed it one sample at a time; it answers with marks when a cycle is closed.
#[derive(Clone, Debug)]
pub struct ContactDetector {
    params: ContactParams,
    rate_hz: f64,
    swing: Butterworth2,
    event: Butterworth2,
    event_delay_s: f64,
    lanes: Lanes,
    before: [f64; 2],
    pending: Option<Peak>,
    last: Option<Peak>,
    peaks: [f64; 8],
    peak_count: usize,
    cycle_s: f64,
    /// The mark after the last mid-swing was already given (1.9 s had passed).
    rested: bool,
    /// Samples are missing before the first one held: the foot may have been in full motion.
    after_gap: bool,
    /// Usual place of mid-stance between two mid-swings, as a share of the cycle.
    phase: Option<f64>,
    /// After a mid-swing: the lowest slow pitch rate since, until the landing is told.
    landing: Option<(SessionTime, f64)>,
    told: Option<SessionTime>,
}

impl ContactDetector {
    /// A detector for a sensor of this rate.
    #[must_use]
    pub fn new(params: ContactParams, rate_hz: f64) -> Self {
        let keep = (4.5 * rate_hz).ceil() as usize;
        Self {
            params,
            rate_hz,
            swing: Butterworth2::low_pass(params.swing_cutoff_hz, rate_hz),
            event: Butterworth2::low_pass(params.event_cutoff_hz, rate_hz),
            event_delay_s: Coefficients::group_delay_s(params.event_cutoff_hz, rate_hz),
            lanes: Lanes::new(keep),
            before: [0.0; 2],
            pending: None,
            last: None,
            peaks: [0.0; 8],
            peak_count: 0,
            cycle_s: 1.0,
            rested: false,
            after_gap: false,
            phase: None,
            landing: None,
            told: None,
        }
    }

    /// As [`ContactDetector::restart`], with samples missing before: a stance is then only believed between two mid-swings,
    /// or when the foot really rests.
    pub fn restart_after_gap(&mut self, first: u64) {
        self.restart(first);
        self.after_gap = true;
    }

    /// Starts counting at this absolute sample number; forgets everything before.
    pub fn restart(&mut self, first: u64) {
        let fresh = Self::new(self.params, self.rate_hz);
        let (peaks, peak_count, cycle_s) = (self.peaks, self.peak_count, self.cycle_s);
        *self = fresh;
        (self.peaks, self.peak_count, self.cycle_s) = (peaks, peak_count, cycle_s);
        self.lanes.first = first;
    }

    /// Running estimate of the cycle time, s.
    #[must_use]
    pub fn cycle_s(&self) -> f64 {
        self.cycle_s
    }

    fn samples(&self, s: f64) -> u64 {
        (s * self.rate_hz).round().max(0.0) as u64
    }

    /// Takes one sample: its time, toe-up pitch rate (rad/s) and rest score. Appends marks that became final.
    pub fn push(&mut self, t: SessionTime, pitch_rate: f64, score: f64, out: &mut Vec<Mark>) {
        let lp = self.swing.step(pitch_rate);
        let slow = self.event.step(pitch_rate);
        self.lanes.push(t, slow, score);
        let now = self.lanes.end() - 1;
        let [older, old] = self.before;
        if old > older && old >= lp && old > self.threshold() && now >= 1 {
            self.offer(Peak {
                index: now - 1,
                value: old,
            });
        }
        self.before = [old, lp];
        self.watch_landing(t, slow);
        if let Some(peak) = self.pending
            && (lp < 0.5 * peak.value || now - peak.index >= self.samples(self.params.confirm_s))
        {
            self.pending = None;
            self.confirm(peak, out);
        }
        if let Some(last) = self.last
            && !self.rested
            && self.pending.is_none()
            && now - last.index > self.samples(self.params.max_cycle_s)
        {
            self.rested = true;
            self.rest_after(last, now + 1, out);
        }
    }

    /// Nothing more comes: gives the mark after the last mid-swing.
    pub fn flush(&mut self, out: &mut Vec<Mark>) {
        if let Some(peak) = self.pending.take() {
            self.confirm(peak, out);
        }
        if let Some(last) = self.last
            && !self.rested
        {
            self.rested = true;
            self.rest_after(last, self.lanes.end(), out);
        }
    }

    /// A landing as early as it can be told: raw instant of the pitch-rate minimum after a mid-swing. Once.
    pub fn take_landing(&mut self) -> Option<SessionTime> {
        self.told.take()
    }

    /// The foot has landed when the toe-down rate of the slap has passed its peak: risen by a third, or not deepened for
    /// 20 ms.
    fn watch_landing(&mut self, t: SessionTime, slow: f64) {
        let Some((low_t, low)) = &mut self.landing else { return };
        if slow < *low {
            (*low_t, *low) = (t, slow);
        } else if *low < LANDING_RATE && (slow > 0.67 * *low || t.since(*low_t) > 0.02) {
            self.told = Some(low_t.plus(-self.event_delay_s));
            self.landing = None;
        }
    }

    fn threshold(&self) -> f64 {
        let n = self.peak_count.min(8);
        if n < 3 {
            return self.params.min_peak;
        }
        let mut sorted = self.peaks;
        let used = &mut sorted[..n];
        used.sort_unstable_by(f64::total_cmp);
        self.params.min_peak.max(self.params.min_peak_share * used[n / 2])
    }

    fn offer(&mut self, peak: Peak) {
        let refractory = self.samples(self.params.refractory_share * self.cycle_s);
        if self.last.is_some_and(|last| peak.index - last.index < refractory) {
            return;
        }
        if self.pending.is_none_or(|p| peak.value > p.value) {
            self.landing = Some((self.lanes.t[self.lanes.at(peak.index)], 0.0));
            self.pending = Some(peak);
        }
    }

    fn confirm(&mut self, peak: Peak, out: &mut Vec<Mark>) {
        self.peaks[self.peak_count % 8] = peak.value;
        self.peak_count += 1;
        let previous = self.last.replace(peak);
        let rested = std::mem::replace(&mut self.rested, false);
        let Some(previous) = previous else {
            self.rest_before(peak, out);
            return;
        };
        let cycle = (peak.index - previous.index) as f64 / self.rate_hz;
        if cycle <= self.params.max_cycle_s {
            let (lo, hi) = self.params.cycle_bounds_s;
            self.cycle_s = (0.8 * self.cycle_s + 0.2 * cycle).clamp(lo, hi);
            let stance = self.stance(previous.index, peak.index);
            if let Some(mark) = &stance {
                let phase = (mark.m - previous.index) as f64 / (peak.index - previous.index) as f64;
                self.phase = Some(self.phase.map_or(phase, |usual| 0.8 * usual + 0.2 * phase));
            }
            out.extend(stance);
        } else {
            if !rested {
                self.rest_after(previous, peak.index, out);
            }
            self.rest_before(peak, out);
        }
    }

    fn rest_after(&self, peak: Peak, end: u64, out: &mut Vec<Mark>) {
        let (from, to) = (
            peak.index + self.samples(0.2),
            (peak.index + self.samples(1.0)).min(end),
        );
        let half = self.samples(0.03);
        let Some((m, score)) = self.lanes.quietest(from, to, half) else {
            return;
        };
        let ic_raw = self
            .lanes
            .lowest(peak.index, m)
            .map(|(t, _)| t.plus(-self.event_delay_s));
        out.push(Mark {
            m,
            half,
            ic_raw,
            tc_raw: None,
            score,
            guard: None,
        });
    }

    fn rest_before(&mut self, peak: Peak, out: &mut Vec<Mark>) {
        let (from, to) = (
            peak.index.saturating_sub(self.samples(1.0)),
            peak.index.saturating_sub(self.samples(0.2)),
        );
        let half = self.samples(0.03);
        let Some((m, score)) = self.lanes.quietest(from, to, half) else {
            return;
        };
        if std::mem::take(&mut self.after_gap) && score > REAL_REST {
            return;
        }
        let tc_raw = self
            .lanes
            .lowest(m, peak.index)
            .map(|(t, _)| t.plus(-self.event_delay_s));
        out.push(Mark {
            m,
            half,
            ic_raw: None,
            tc_raw,
            score,
            guard: None,
        });
    }

    /// The stance between two mid-swings `a` and `b`.
    fn stance(&self, a: u64, b: u64) -> Option<Mark> {
        let n = (b - a) as f64;
        let cycle_s = n / self.rate_hz;
        let share = |x: f64| (x * n).round() as u64;
        let half = |s: f64| ((s * self.rate_hz) / 2.0).round().max(1.0) as u64;
        // The turning point of push-off can be as quiet as a sprinter's mid-stance. Of equals, the one where mid-stance
        // was in the cycles before.
        let steady = (cycle_s / self.cycle_s - 1.0).abs() < STEADY_CYCLE;
        let usual = self.phase.filter(|_| steady);
        let unusual = |i: u64| {
            let phase = (i - a) as f64 / n;
            usual.map_or(1.0, |usual| (1.0 + ((phase - usual) / PHASE_SPREAD).powi(2)).min(2.0))
        };
        let (centre, _) =
            self.lanes
                .quietest_weighted(a + share(0.12), a + share(0.62), half(0.05 * cycle_s), unusual)?;
        let (ic, _) = self.lanes.lowest(a, centre)?;
        let (tc, _) = self.lanes.lowest(centre, (centre + share(0.45)).min(b))?;
        let contact_s = tc.since(ic);
        let width = half((0.12 * contact_s).clamp(0.015, 0.04));
        let reach = self.samples(0.04);
        let t_of = |i: u64| self.lanes.t[self.lanes.at(i)];
        let (mut from, mut to) = (centre.saturating_sub(reach), centre + reach + 1);
        while from < centre && t_of(from) <= ic.plus(-self.event_delay_s) {
            from += 1;
        }
        while to > centre + 1 && t_of(to - 1) >= tc.plus(-self.event_delay_s) {
            to -= 1;
        }
        let (quietest, score) = self.lanes.quietest(from, to, width)?;
        // A walking foot lies still for a third of a second, and noise would pick any instant of it: take the middle of
        // the stretch that is as quiet as its quietest instant. In running that stretch is a few samples long.
        let as_quiet = |i: u64| self.lanes.mean_score(i, width) < score + AS_QUIET;
        let (mut first, mut last) = (quietest, quietest);
        while first > a && t_of(first - 1) > ic && as_quiet(first - 1) {
            first -= 1;
        }
        while last + 1 < b && t_of(last + 1) < tc && as_quiet(last + 1) {
            last += 1;
        }
        let m = first.midpoint(last);
        let guard = if contact_s < 0.05 {
            Some("contact shorter than 50 ms")
        } else if contact_s / cycle_s > 0.8 {
            Some("contact longer than 80 % of the cycle")
        } else {
            None
        };
        Some(Mark {
            m,
            half: width,
            ic_raw: Some(ic.plus(-self.event_delay_s)),
            tc_raw: Some(tc.plus(-self.event_delay_s)),
            score,
            guard,
        })
    }
}
