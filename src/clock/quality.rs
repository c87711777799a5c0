//! What is known of a sensor's clock, and what happens to it.

/// How good the map of one sensor's clock is at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockQuality {
    /// How far the session's clock runs ahead of the sensor's, parts per million: positive for a sensor that is slow.
    /// `None` until half a minute of pairs tells it from the radio.
    pub ppm: Option<f64>,
    /// The true time lies within this of the mapped one, s, a constant delay of the radio included.
    pub bound_s: f64,
    /// What the bound would be against another sensor of the same kind on the same host, s: the least delay, the same for
    /// both, is then no error. It is a figure of scatter, not a guarantee.
    pub scatter_s: f64,
    /// Time since the newest pair or exchange, s.
    pub age_s: f64,
    /// Counts boots and steps: numbers of different epochs have no clock in common.
    pub epoch: u32,
    /// Steps of the clock noticed so far, all boots together.
    pub steps: u32,
}

/// What one more pair or exchange showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClockNews {
    /// Nothing that the map did not allow for.
    Steady,
    /// The clock of the sensor jumped; a new epoch begins.
    Step {
        /// By how much, s; positive forward. From arrivals alone a lasting change of the radio's least delay looks the same.
        by_s: f64,
    },
    /// The pair or exchange cannot be (stamps that run backwards) and was not used.
    Refused,
}
