//! What real sensors and radios do to the truth: every error with a switch of its own.
//!
//! The order is that of the signal's way (signal design 19.5): strap, converter front end, imperfect axes, bias, noise,
//! range, counts, clock, radio. Each error draws from its own stream of randomness, so switching one changes no other.

use crate::model::Placement;
use crate::model::units::{STANDARD_GRAVITY, rad};

/// All errors of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// Swinging of foot, shank and sacrum sensors on shoe, strap and soft tissue.
    pub resonance: [Option<Resonance>; 3],
    /// Low-pass before sampling.
    pub anti_alias: Option<AntiAlias>,
    /// Imperfect axes.
    pub axes: Option<AxisErrors>,
    /// Offsets.
    pub bias: Option<Bias>,
    /// White noise.
    pub noise: Option<Noise>,
    /// Crystals.
    pub clock: ClockErrors,
    /// Radio.
    pub transport: Transport,
    /// Things that happen once.
    pub events: Vec<FaultEvent>,
}

/// A second-order resonance between segment and sensor: the sensor is a mass on a spring and damper (the forces of the
/// rotating frame on the small swing are left out).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resonance {
    /// Natural frequency, Hz.
    pub hz: f64,
    /// Damping ratio.
    pub damping: f64,
}

/// A two-pole Butterworth low-pass before the converter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AntiAlias {
    /// Cut-off over sampling rate.
    pub cutoff_share: f64,
    /// Where the signal meets the limit of the range.
    pub clips: Clips,
}

/// Order of low-pass and range limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clips {
    /// The mechanical element is at its stop first: the low-pass then hides the rail.
    BeforeLowPass,
    /// Only the converter limits: the rail is visible in the counts.
    AfterLowPass,
}

/// Bounds or standard deviations of the errors of the axes, drawn once for each sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisErrors {
    /// Scale error, uniform within ± this share.
    pub scale: f64,
    /// Angle between true and nominal axes, standard deviation, rad.
    pub misalignment_rad: f64,
    /// Rate caused by specific force, standard deviation, rad/s per m/s².
    pub g_sensitivity: f64,
}

/// Offsets and their wandering.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bias {
    /// Standard deviation of the accelerometer's offset, m/s².
    pub acc: f64,
    /// Standard deviation of the gyroscope's offset, rad/s.
    pub gyro: f64,
    /// Random walk of the accelerometer's offset, m/s² per √s.
    pub acc_walk: f64,
    /// Random walk of the gyroscope's offset, rad/s per √s.
    pub gyro_walk: f64,
}

/// One-sided noise densities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// m/s² per √Hz.
    pub acc_density: f64,
    /// rad/s per √Hz.
    pub gyro_density: f64,
}

/// What the sensor's crystal does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockErrors {
    /// Rate error of each sensor, uniform within ± this many parts per million.
    pub ppm: f64,
    /// Standard deviation of the instant of a reading against its time stamp, s.
    pub jitter_s: f64,
}

/// What the radio does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Samples in a frame, 1 to 19.
    pub entries_per_frame: u8,
    /// Least time from the last sample of a frame to its arrival, s.
    pub latency_s: f64,
    /// Mean of the exponential delay on top, s.
    pub latency_spread_s: f64,
    /// Losses, for each placement in the order of [`Placement::ALL`].
    pub loss: [Option<GilbertElliott>; 5],
    /// Probability that a frame comes twice.
    pub duplicate: f64,
    /// Probability that a frame is held back by up to 100 ms, so that later ones overtake it.
    pub reorder: f64,
}

/// Two-state loss: the channel is good or bad, in the bad state frames are lost (Gilbert 1960, Elliott 1963).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GilbertElliott {
    /// Probability that the channel turns bad before a frame.
    pub turns_bad: f64,
    /// Probability that it turns good again before a frame.
    pub turns_good: f64,
    /// Probability that a frame is lost in the bad state.
    pub lost_when_bad: f64,
}

impl GilbertElliott {
    /// A channel that loses this share of frames, some `burst` at a time.
    #[must_use]
    pub fn of_share(share: f64, burst: f64) -> Self {
        let turns_good = 1.0 / burst.max(1.0);
        let share = share.clamp(0.0, 0.9);
        Self {
            turns_bad: turns_good * share / (1.0 - share),
            turns_good,
            lost_when_bad: 1.0,
        }
    }
}

/// Something that happens at a certain time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultEvent {
    /// The sensor turns on its segment, about a drawn axis.
    Slip {
        /// The sensor.
        placement: Placement,
        /// When, s.
        at_s: f64,
        /// How far, rad.
        angle_rad: f64,
    },
    /// Left and right sensors of a kind are exchanged for the whole run: what is labelled left sits on the right.
    SidesSwapped,
    /// The sensor repeats one reading.
    Stuck {
        /// The sensor.
        placement: Placement,
        /// From, s.
        from_s: f64,
        /// For, s.
        secs: f64,
    },
    /// The sensor restarts: it is silent for 2.5 s, then its clock and its index begin anew.
    Reboot {
        /// The sensor.
        placement: Placement,
        /// When, s.
        at_s: f64,
    },
    /// Nothing arrives from the sensor.
    Dropout {
        /// The sensor.
        placement: Placement,
        /// From, s.
        from_s: f64,
        /// For, s.
        secs: f64,
    },
}

/// Silence of a sensor that restarts, s.
pub(super) const REBOOT_S: f64 = 2.5;

impl Transport {
    /// Full frames that arrive 8 ms after their last sample, all of them, once, in order.
    pub const PERFECT: Self = Self {
        entries_per_frame: 19,
        latency_s: 0.008,
        latency_spread_s: 0.0,
        loss: [None; 5],
        duplicate: 0.0,
        reorder: 0.0,
    };
}

impl Faults {
    /// No errors: only the limits and the counts of the converter remain.
    #[must_use]
    pub fn none() -> Self {
        Self {
            resonance: [None; 3],
            anti_alias: None,
            axes: None,
            bias: None,
            noise: None,
            clock: ClockErrors::default(),
            transport: Transport::PERFECT,
            events: Vec::new(),
        }
    }

    /// A faultless sensor of this world: only the low-pass that every converter has, and the noise without which a sensor
    /// at rest would repeat one value and look stuck. Landing shocks of some 10 ms have content above half of any usual
    /// rate; sampled without the low-pass ([`Faults::none`]) they alias, which at 200 Hz alone costs a stride length a
    /// centimetre. Start from this one to test an estimator without sensor errors.
    #[must_use]
    pub fn faultless() -> Self {
        let Self { anti_alias, noise, .. } = Self::typical();
        Self {
            anti_alias,
            noise,
            ..Self::none()
        }
    }

    /// Sensors as sold, radio as in the open air: signal design 19.5. The densities are those of current consumer parts
    /// (150 µg/√Hz, 0.008 °/s/√Hz).
    #[must_use]
    pub fn typical() -> Self {
        let mg = 1e-3 * STANDARD_GRAVITY;
        Self {
            resonance: [
                Some(Resonance { hz: 45.0, damping: 0.3 }),
                // Strap over skin and muscle: softens the shock on its way from shoe to shin.
                Some(Resonance { hz: 28.0, damping: 0.3 }),
                Some(Resonance { hz: 10.0, damping: 0.4 }),
            ],
            anti_alias: Some(AntiAlias {
                cutoff_share: 0.4,
                clips: Clips::AfterLowPass,
            }),
            axes: Some(AxisErrors {
                scale: 0.01,
                misalignment_rad: rad(0.6),
                g_sensitivity: rad(0.1) / STANDARD_GRAVITY,
            }),
            bias: Some(Bias {
                acc: 15.0 * mg,
                gyro: rad(0.3),
                acc_walk: 0.02 * mg,
                gyro_walk: rad(0.002),
            }),
            noise: Some(Noise {
                acc_density: 0.15 * mg,
                gyro_density: rad(0.008),
            }),
            clock: ClockErrors {
                ppm: 100.0,
                jitter_s: 20e-6,
            },
            transport: Transport {
                latency_spread_s: 0.012,
                loss: [Some(GilbertElliott::of_share(0.004, 2.0)); 5],
                duplicate: 0.002,
                reorder: 0.002,
                ..Transport::PERFECT
            },
            events: Vec::new(),
        }
    }

    /// The same, with an event.
    #[must_use]
    pub fn with(mut self, event: FaultEvent) -> Self {
        self.events.push(event);
        self
    }

    pub(super) fn swaps_sides(&self) -> bool {
        self.events.contains(&FaultEvent::SidesSwapped)
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::none()
    }
}
