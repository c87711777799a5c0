//! A line that is followed smoothly: corrections of a clock are spread, time never goes back.
//!
//! When the estimate of a clock changes, the samples before and after must not be torn apart: an integral over a stride
//! would see the jump as motion. So the line in use runs after the best line with a time constant of a few seconds, and
//! its correction never takes more than half of the time that passes.

use super::envelope::Line;

/// Time constant, s: 35 ms of first error are 0.1 ms after half a minute, and distort time by 0.7 % in the first second.
const TAU_S: f64 = 5.0;
/// Largest share of passing time that a correction takes; below one, so that time goes on.
const MOST: f64 = 0.5;

/// Follows lines over device time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slewed {
    /// Device instant and value there.
    last: Option<(f64, f64)>,
}

impl Slewed {
    /// The value at `x`, moved toward `target`. An `x` before an earlier one moves nothing.
    pub(super) fn follow(&mut self, x: f64, target: &Line) -> f64 {
        let Some((last_x, last_y)) = self.last else {
            self.last = Some((x, target.y(x)));
            return target.y(x);
        };
        let dt = x - last_x;
        let carried = last_y + target.slope * dt;
        if dt <= 0.0 {
            return carried;
        }
        let error = target.y(x) - carried;
        let y = carried + (error * (dt / TAU_S).min(1.0)).clamp(-MOST * dt, MOST * dt);
        self.last = Some((x, y));
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_is_spread_and_time_goes_on() {
        let mut slewed = Slewed::default();
        let line = |level| Line {
            at: 0.0,
            level,
            slope: 0.0,
        };
        assert_eq!(slewed.follow(0.0, &line(20.0)), 20.0);
        let mut before = 20.0;
        for k in 1..10_000 {
            let x = f64::from(k) * 0.01;
            let now = x + slewed.follow(x, &line(0.0));
            assert!(now > before);
            before = now;
        }
        assert!((before - 99.99).abs() < 0.01, "{before}");
    }
}
