//! What the runner does: a list of segments, and deviations of form within them.

/// One stretch of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Segment {
    /// Quiet standing.
    Stand {
        /// Duration, s.
        secs: f64,
    },
    /// Walking.
    Walk {
        /// Duration, s.
        secs: f64,
        /// Speed, m/s (0.6 to 2.2).
        speed: f64,
        /// Steps per minute; `None` takes what the subject would choose.
        cadence: Option<f64>,
    },
    /// From the present speed to another, walking below 2 m/s and running above.
    Accelerate {
        /// Duration, s.
        secs: f64,
        /// Speed at the end, m/s.
        to: f64,
    },
    /// Running.
    Run {
        /// Duration, s.
        secs: f64,
        /// Speed, m/s (2.0 to 6.5).
        speed: f64,
        /// Steps per minute; `None` takes what the subject would choose.
        cadence: Option<f64>,
        /// Deviations from the subject's usual form, reached by the end of `onset_s`.
        form: Form,
        /// Time over which the form changes from what it was, s.
        onset_s: f64,
    },
    /// Goes on as before through a turn.
    Turn {
        /// Change of heading, rad, left positive.
        angle_rad: f64,
        /// Least radius, m.
        radius_m: f64,
    },
    /// Goes on as before on a slope, then on the level again.
    Slope {
        /// Duration, s.
        secs: f64,
        /// Rise over run: 0.05 is five per cent uphill.
        grade: f64,
    },
    /// Slows down and stands. Takes about a third of a second per 0.3 m/s; `secs` is when the next segment begins.
    Stop {
        /// Duration, s.
        secs: f64,
    },
}

/// Deviations from the subject's usual form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// Extra distance of the ankle ahead of the pelvis at contact, m: overstriding.
    pub reach_m: f64,
    /// Factor on cadence at the same speed.
    pub cadence_scale: f64,
    /// Factor on contact time.
    pub contact_scale: f64,
    /// Extra pitch of the foot at contact, rad.
    pub strike_rad: f64,
    /// Extra mean pelvic tilt, rad.
    pub tilt_rad: f64,
    /// Extra pelvic drop in left and right stance, rad.
    pub drop_rad: [f64; 2],
}

impl Form {
    /// The subject's usual form.
    pub const USUAL: Self = Self {
        reach_m: 0.0,
        cadence_scale: 1.0,
        contact_scale: 1.0,
        strike_rad: 0.0,
        tilt_rad: 0.0,
        drop_rad: [0.0, 0.0],
    };

    /// The form a share `x` of the way from `self` to `to`.
    pub(super) fn toward(&self, to: &Self, x: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * x;
        Self {
            reach_m: mix(self.reach_m, to.reach_m),
            cadence_scale: mix(self.cadence_scale, to.cadence_scale),
            contact_scale: mix(self.contact_scale, to.contact_scale),
            strike_rad: mix(self.strike_rad, to.strike_rad),
            tilt_rad: mix(self.tilt_rad, to.tilt_rad),
            drop_rad: [
                mix(self.drop_rad[0], to.drop_rad[0]),
                mix(self.drop_rad[1], to.drop_rad[1]),
            ],
        }
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::USUAL
    }
}

/// Segments in order. After the last one the runner stops and stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The segments.
    pub segments: Vec<Segment>,
}

impl Script {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a segment.
    #[must_use]
    pub fn then(mut self, segment: Segment) -> Self {
        self.segments.push(segment);
        self
    }

    /// Adds quiet standing.
    #[must_use]
    pub fn stand(self, secs: f64) -> Self {
        self.then(Segment::Stand { secs })
    }

    /// Adds walking at the subject's own cadence.
    #[must_use]
    pub fn walk(self, secs: f64, speed: f64) -> Self {
        self.then(Segment::Walk {
            secs,
            speed,
            cadence: None,
        })
    }

    /// Adds a change of speed.
    #[must_use]
    pub fn accelerate(self, secs: f64, to: f64) -> Self {
        self.then(Segment::Accelerate { secs, to })
    }

    /// Adds running at the subject's own cadence and usual form.
    #[must_use]
    pub fn run(self, secs: f64, speed: f64) -> Self {
        self.then(Segment::Run {
            secs,
            speed,
            cadence: None,
            form: Form::USUAL,
            onset_s: 5.0,
        })
    }

    /// Adds running at a given cadence.
    #[must_use]
    pub fn run_at(self, secs: f64, speed: f64, cadence: f64) -> Self {
        self.then(Segment::Run {
            secs,
            speed,
            cadence: Some(cadence),
            form: Form::USUAL,
            onset_s: 5.0,
        })
    }

    /// Adds running in another form.
    #[must_use]
    pub fn run_in_form(self, secs: f64, speed: f64, form: Form, onset_s: f64) -> Self {
        self.then(Segment::Run {
            secs,
            speed,
            cadence: None,
            form,
            onset_s,
        })
    }

    /// Adds a turn.
    #[must_use]
    pub fn turn(self, angle_rad: f64, radius_m: f64) -> Self {
        self.then(Segment::Turn { angle_rad, radius_m })
    }

    /// Adds a slope.
    #[must_use]
    pub fn slope(self, secs: f64, grade: f64) -> Self {
        self.then(Segment::Slope { secs, grade })
    }

    /// Adds slowing down to a stand.
    #[must_use]
    pub fn stop(self, secs: f64) -> Self {
        self.then(Segment::Stop { secs })
    }
}
