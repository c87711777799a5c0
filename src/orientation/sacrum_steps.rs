//! Strides seen by the pelvis alone: every second low point of the body.
//!
//! With no foot sensor worn, alignment and the pelvic angles still need bounds of strides. The body is lowest in
//! mid-stance, where its upward acceleration peaks; smoothed to the step rate that peak is unmistakable in running and
//! walking. The bounds carry no side and no contact: they only cut the signal into whole gait cycles.

use crate::model::units::STANDARD_GRAVITY;
use crate::model::{SessionTime, Span};

/// Cut-off of the smoothing, Hz: above the step rate (1.4 to 3.8 Hz), below the impact.
const CUTOFF_HZ: f64 = 4.0;

/// Smallest upward acceleration of a low point, m/s²; a slow walk reaches 2.
const MIN_PEAK: f64 = 1.0;

/// Shortest and longest step, s.
const STEP_S: (f64, f64) = (0.25, 0.95);

/// Two one-pole low-passes and a peak search. Fixed size.
#[derive(Clone, Debug)]
pub struct SacrumSteps {
    gain: f64,
    lp: [f64; 2],
    before: [f64; 2],
    before_t: SessionTime,
    candidate: Option<(SessionTime, f64)>,
    marks: [Option<SessionTime>; 2],
}

impl SacrumSteps {
    /// For samples at this rate.
    #[must_use]
    pub fn new(rate_hz: f64) -> Self {
        let gain = 1.0 - (-std::f64::consts::TAU * CUTOFF_HZ / rate_hz).exp();
        Self {
            gain,
            lp: [0.0; 2],
            before: [0.0; 2],
            before_t: SessionTime::ZERO,
            candidate: None,
            marks: [None; 2],
        }
    }

    /// Forgets marks and candidate (after a gap).
    pub fn forget(&mut self) {
        self.candidate = None;
        self.marks = [None; 2];
    }

    /// Takes the vertical specific force, m/s²; gives the stride that ends with a newly confirmed low point. Every low
    /// point ends a stride, so consecutive strides overlap by a step, as those of two feet do.
    pub fn push(&mut self, t: SessionTime, vertical: f64) -> Option<Span> {
        let a = vertical - STANDARD_GRAVITY;
        self.lp[0] += self.gain * (a - self.lp[0]);
        self.lp[1] += self.gain * (self.lp[0] - self.lp[1]);
        let now = self.lp[1];
        let [older, old] = self.before;
        let peak_t = self.before_t;
        self.before = [old, now];
        self.before_t = t;
        if old > older && old >= now && old > MIN_PEAK && self.candidate.is_none_or(|(_, height)| old > height) {
            self.candidate = Some((peak_t, old));
        }
        // Confirmed when the body is in the air or on its way up: the smoothed acceleration has changed sign.
        if now < 0.0
            && let Some((mark, _)) = self.candidate.take()
        {
            return self.mark(mark);
        }
        None
    }

    fn mark(&mut self, mark: SessionTime) -> Option<Span> {
        let [first, second] = self.marks;
        if let Some(second) = second {
            let step = mark.since(second);
            if step < STEP_S.0 {
                return None;
            }
            if step > STEP_S.1 {
                self.marks = [None, Some(mark)];
                return None;
            }
        }
        self.marks = [second, Some(mark)];
        Span::new(first?, mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_of_a_bouncing_body_last_two_bounces_and_start_anew_after_a_pause() {
        let mut steps = SacrumSteps::new(200.0);
        let mut strides = Vec::new();
        for i in 0..4000 {
            let t = f64::from(i) / 200.0;
            // 2.7 bounces a second, with a pause from 8 to 11 s.
            let a = if (8.0..11.0).contains(&t) {
                0.0
            } else {
                -15.0 * (std::f64::consts::TAU * 2.7 * t).cos()
            };
            strides.extend(steps.push(SessionTime::from_secs(t), STANDARD_GRAVITY + a));
        }
        assert!((40..50).contains(&strides.len()), "{}", strides.len());
        for s in &strides {
            assert!(
                s.end().secs() < 8.3 || s.start().secs() > 10.8,
                "a stride across the pause"
            );
            // Where the bouncing begins or is cut the smoothing has not settled.
            let steady = s.start().secs() > 1.0 && !(7.0..12.0).contains(&s.start().secs());
            if steady {
                assert!((s.secs() - 2.0 / 2.7).abs() < 0.012, "{}", s.secs());
            }
        }
    }
}
