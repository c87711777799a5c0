//! Reads the script as time goes by: what the runner wants at this moment.

use super::path::Path;
use super::script::{Form, Script, Segment};

/// What is wanted now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wish {
    pub(super) still: bool,
    pub(super) running: bool,
    pub(super) speed: f64,
    pub(super) cadence: Option<f64>,
    pub(super) form: Form,
}

const STILL: Wish = Wish {
    still: true,
    running: false,
    speed: 0.0,
    cadence: None,
    form: Form::USUAL,
};

/// Distance before the runner at which the ground begins to change, m: further than a foot can reach.
const AHEAD_M: f64 = 1.5;
/// Length over which a gradient changes, m.
const GRADE_EASE_M: f64 = 8.0;

/// Place in the script.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    segments: &'a [Segment],
    at: usize,
    /// Whether the segment `at` has been entered.
    entered: bool,
    started: f64,
    /// Distance at which a turn is over.
    until_s: f64,
    /// What was wanted when the segment began: ramps start from it.
    at_start: Wish,
    last: Wish,
    /// Where the last change of ground ends.
    ground_busy_until: f64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(script: &'a Script) -> Self {
        Self {
            segments: &script.segments,
            at: 0,
            entered: false,
            started: 0.0,
            until_s: 0.0,
            at_start: STILL,
            last: STILL,
            ground_busy_until: 0.0,
        }
    }

    /// The form last asked for.
    pub(super) fn form(&self) -> Form {
        self.last.form
    }

    /// When the segments passed so far end.
    pub(super) fn planned_end(&self) -> f64 {
        self.started
    }

    /// Standing since `t` or earlier: when does the script move again? `None` if it never does.
    pub(super) fn standing_until(&mut self, t: f64) -> Option<f64> {
        while let Some(segment) = self.segments.get(self.at) {
            match *segment {
                Segment::Stand { secs } | Segment::Stop { secs } => self.pass(self.started + secs),
                // Without speed there is nothing to turn or climb.
                Segment::Turn { .. } | Segment::Slope { .. } if self.last.still => self.pass(self.started),
                _ => return Some(self.started.max(t)),
            }
            self.last.still = true;
        }
        None
    }

    /// What is wanted at time `t`, with `s` the distance covered and `speed` the present speed.
    pub(super) fn wish(&mut self, t: f64, s: f64, speed: f64, path: &mut Path) -> Wish {
        while let Some(&segment) = self.segments.get(self.at) {
            if !self.entered {
                self.enter(segment, s, speed, path);
            }
            match self.end_of(segment, t, s) {
                Some(end) => {
                    if let Segment::Slope { .. } = segment {
                        self.change_gradient(path, s, 0.0);
                    }
                    self.pass(end);
                }
                None => {
                    self.last = self.within(segment, t);
                    return self.last;
                }
            }
        }
        STILL
    }

    fn pass(&mut self, end: f64) {
        self.at += 1;
        self.entered = false;
        self.started = end;
    }

    fn enter(&mut self, segment: Segment, s: f64, speed: f64, path: &mut Path) {
        self.entered = true;
        self.at_start = Wish { speed, ..self.last };
        match segment {
            Segment::Turn { angle_rad, radius_m } => {
                let start = (s + AHEAD_M).max(self.ground_busy_until);
                self.until_s = path.turn(start, angle_rad, radius_m.max(1.0));
                self.ground_busy_until = self.until_s;
            }
            Segment::Slope { grade, .. } => self.change_gradient(path, s, grade),
            _ => {}
        }
    }

    fn change_gradient(&mut self, path: &mut Path, s: f64, grade: f64) {
        let start = (s + AHEAD_M).max(self.ground_busy_until);
        path.change_gradient(start, GRADE_EASE_M, grade);
        self.ground_busy_until = start + GRADE_EASE_M;
    }

    /// The time at which the segment was over, if it is.
    fn end_of(&self, segment: Segment, t: f64, s: f64) -> Option<f64> {
        let secs = match segment {
            Segment::Turn { .. } => return (s > self.until_s).then_some(t),
            Segment::Stand { secs } | Segment::Stop { secs } => secs,
            Segment::Walk { secs, .. } | Segment::Accelerate { secs, .. } => secs,
            Segment::Run { secs, .. } | Segment::Slope { secs, .. } => secs,
        };
        let end = self.started + secs;
        (t >= end).then_some(end)
    }

    fn within(&self, segment: Segment, t: f64) -> Wish {
        let since = t - self.started;
        match segment {
            Segment::Stand { .. } | Segment::Stop { .. } => Wish {
                form: Form::USUAL,
                ..STILL
            },
            Segment::Walk { speed, cadence, .. } => Wish {
                still: false,
                running: false,
                speed: speed.clamp(0.6, 2.2),
                cadence,
                form: Form::USUAL,
            },
            Segment::Accelerate { secs, to } => {
                let x = if secs > 0.0 {
                    (since / secs).clamp(0.0, 1.0)
                } else {
                    1.0
                };
                let speed = self.at_start.speed + (to - self.at_start.speed) * x;
                let form = self.at_start.form.toward(&Form::USUAL, x);
                Wish {
                    still: false,
                    running: true,
                    speed: speed.clamp(0.6, 7.0),
                    cadence: None,
                    form,
                }
            }
            Segment::Run {
                speed,
                cadence,
                form,
                onset_s,
                ..
            } => {
                let x = if onset_s > 0.0 {
                    (since / onset_s).clamp(0.0, 1.0)
                } else {
                    1.0
                };
                let form = self.at_start.form.toward(&form, x);
                Wish {
                    still: false,
                    running: true,
                    speed: speed.clamp(2.0, 7.0),
                    cadence,
                    form,
                }
            }
            Segment::Turn { .. } | Segment::Slope { .. } => Wish {
                still: false,
                ..self.at_start_or_last()
            },
        }
    }

    /// Turns and slopes go on as before; the speed wanted is that of the segment before, not the momentary one.
    fn at_start_or_last(&self) -> Wish {
        Wish {
            form: self.at_start.form,
            ..self.last
        }
    }
}
