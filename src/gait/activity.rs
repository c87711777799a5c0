//! Walking or running, from duty factors, with hysteresis.

use crate::model::Activity;

/// Below this median duty factor the runner runs (below one half there is flight; the margin is for event spread).
const RUNNING_BELOW: f64 = 0.48;
/// Above this one he walks.
const WALKING_ABOVE: f64 = 0.52;
const LAST: usize = 5;

/// Median of the last five duty factors, with memory in between.
#[derive(Clone, Debug)]
pub struct ActivityClassifier {
    duty: [f64; LAST],
    count: usize,
    state: Activity,
}

impl Default for ActivityClassifier {
    fn default() -> Self {
        Self {
            duty: [0.0; LAST],
            count: 0,
            state: Activity::Still,
        }
    }
}

impl ActivityClassifier {
    /// Takes the duty factor of one stride and says what the runner does.
    pub fn push(&mut self, duty: f64) -> Activity {
        self.duty[self.count % LAST] = duty;
        self.count += 1;
        let n = self.count.min(LAST);
        let mut sorted = self.duty;
        let used = &mut sorted[..n];
        used.sort_unstable_by(f64::total_cmp);
        let median = used[n / 2];
        self.state = if median < RUNNING_BELOW {
            Activity::Running
        } else if median > WALKING_ABOVE || self.state == Activity::Still {
            Activity::Walking
        } else {
            self.state
        };
        self.state
    }

    /// What he did last.
    #[must_use]
    pub fn state(&self) -> Activity {
        self.state
    }

    /// A pause: the next stride decides alone.
    pub fn rest(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_the_limits_it_keeps_what_it_was() {
        let mut a = ActivityClassifier::default();
        assert_eq!(a.push(0.35), Activity::Running);
        for _ in 0..5 {
            a.push(0.5);
        }
        assert_eq!(a.state(), Activity::Running);
        for _ in 0..5 {
            a.push(0.62);
        }
        assert_eq!(a.state(), Activity::Walking);
    }
}
