//! What happened in a session besides strides: gaps, alignments, doubts of the pipeline, the runner's own markers.

use crate::model::{GapCause, Placement, SensorEvent, SessionTime};
use crate::pipeline::Health;
use serde::{Deserialize, Serialize};

/// One thing that happened.
///
/// It is its own type and not [`Health`], because what is read back from a disk cannot borrow from the program
/// (`guard` there is a `&'static str`), and because a session knows things that the pipeline does not say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SessionEvent {
    /// Samples are missing.
    Gap {
        /// Sensor.
        placement: Placement,
        /// Last good instant before.
        from: SessionTime,
        /// First good instant after.
        to: SessionTime,
        /// How many samples.
        missing: u32,
        /// Why.
        cause: GapCause,
    },
    /// The mounting of a sensor became known.
    Aligned {
        /// Sensor.
        placement: Placement,
        /// When.
        t: SessionTime,
    },
    /// A contact was seen and not believed.
    ContactRefused {
        /// Sensor.
        placement: Placement,
        /// When.
        t: SessionTime,
        /// Which guard spoke.
        guard: String,
    },
    /// The sensor seems to have turned in its strap.
    SensorMoved {
        /// Sensor.
        placement: Placement,
        /// When.
        t: SessionTime,
    },
    /// Left and right shoe sensors look exchanged.
    SidesSwapped {
        /// When noticed.
        t: SessionTime,
    },
    /// Cadence by spectrum and by contacts disagree.
    CadenceDisagrees {
        /// When.
        t: SessionTime,
        /// From contacts, steps/min.
        events: f64,
        /// From the spectrum, steps/min.
        spectrum: f64,
    },
    /// The rail of a sensor was learned from the data.
    RailLearned {
        /// Sensor.
        placement: Placement,
        /// When.
        t: SessionTime,
    },
    /// Samples at the limit of the sensor, never more than two seconds apart.
    Clipped {
        /// Sensor.
        placement: Placement,
        /// The first of them.
        from: SessionTime,
        /// The last of them.
        to: SessionTime,
        /// How many.
        samples: u32,
    },
    /// Missing samples that were interpolated across short holes, never more than two seconds apart.
    Filled {
        /// Sensor.
        placement: Placement,
        /// The first of them.
        from: SessionTime,
        /// The last of them.
        to: SessionTime,
        /// How many.
        samples: u32,
    },
    /// The runner stood still on purpose.
    Standing {
        /// Begin.
        from: SessionTime,
        /// End.
        to: SessionTime,
    },
    /// The runner or a program marked this instant: a lap, a remark, pain.
    Marker {
        /// When.
        t: SessionTime,
        /// In words.
        text: String,
    },
}

impl SessionEvent {
    /// The instant by which it is ordered: when it happened or, for a span, when it began.
    #[must_use]
    pub fn time(&self) -> SessionTime {
        match *self {
            Self::Gap { from, .. }
            | Self::Clipped { from, .. }
            | Self::Filled { from, .. }
            | Self::Standing { from, .. } => from,
            Self::Aligned { t, .. }
            | Self::ContactRefused { t, .. }
            | Self::SensorMoved { t, .. }
            | Self::SidesSwapped { t }
            | Self::CadenceDisagrees { t, .. }
            | Self::RailLearned { t, .. }
            | Self::Marker { t, .. } => t,
        }
    }

    /// The sensor it is about; `None` when it is about the runner or several sensors.
    #[must_use]
    pub fn placement(&self) -> Option<Placement> {
        match *self {
            Self::Gap { placement, .. }
            | Self::Aligned { placement, .. }
            | Self::ContactRefused { placement, .. }
            | Self::SensorMoved { placement, .. }
            | Self::RailLearned { placement, .. }
            | Self::Clipped { placement, .. }
            | Self::Filled { placement, .. } => Some(placement),
            Self::SidesSwapped { .. } | Self::CadenceDisagrees { .. } | Self::Standing { .. } | Self::Marker { .. } => {
                None
            }
        }
    }

    /// Its kind, as written in files.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Gap { .. } => "gap",
            Self::Aligned { .. } => "aligned",
            Self::ContactRefused { .. } => "contact_refused",
            Self::SensorMoved { .. } => "sensor_moved",
            Self::SidesSwapped { .. } => "sides_swapped",
            Self::CadenceDisagrees { .. } => "cadence_disagrees",
            Self::RailLearned { .. } => "rail_learned",
            Self::Clipped { .. } => "clipped",
            Self::Filled { .. } => "filled",
            Self::Standing { .. } => "standing",
            Self::Marker { .. } => "marker",
        }
    }

    /// What the pipeline said, as an event of the session.
    #[must_use]
    pub fn from_health(health: &Health) -> Self {
        match *health {
            Health::Gap {
                placement,
                from,
                to,
                missing,
                cause,
            } => Self::Gap {
                placement,
                from,
                to,
                missing,
                cause,
            },
            Health::Aligned { placement, t } => Self::Aligned { placement, t },
            Health::ContactRefused { placement, t, guard } => Self::ContactRefused {
                placement,
                t,
                guard: guard.to_owned(),
            },
            Health::SensorMoved { placement, t } => Self::SensorMoved { placement, t },
            Health::SidesSwapped { t } => Self::SidesSwapped { t },
            Health::CadenceDisagrees { t, events, spectrum } => Self::CadenceDisagrees { t, events, spectrum },
            Health::RailLearned { placement, t } => Self::RailLearned { placement, t },
            Health::Clipped {
                placement,
                from,
                to,
                samples,
            } => Self::Clipped {
                placement,
                from,
                to,
                samples,
            },
            Health::Filled {
                placement,
                from,
                to,
                samples,
            } => Self::Filled {
                placement,
                from,
                to,
                samples,
            },
        }
    }

    /// What a sensor reported besides samples; `None` for a sample.
    #[must_use]
    pub fn from_sensor(event: &SensorEvent) -> Option<Self> {
        match *event {
            SensorEvent::Sample(..) => None,
            SensorEvent::Gap {
                placement,
                from,
                to,
                missing,
                cause,
            } => Some(Self::Gap {
                placement,
                from,
                to,
                missing,
                cause,
            }),
            SensorEvent::Standing { from, to } => Some(Self::Standing { from, to }),
        }
    }

    /// The event as JSON, the form in which it is kept. Instants inside are nanoseconds of session time.
    #[must_use]
    pub(crate) fn body(&self) -> String {
        serde_json::to_string(self).expect("a plain enum with text keys has a JSON form")
    }

    /// Whether its numbers are finite.
    pub(crate) fn is_finite(&self) -> bool {
        match *self {
            Self::CadenceDisagrees { events, spectrum, .. } => events.is_finite() && spectrum.is_finite(),
            _ => true,
        }
    }

    /// The same event with every instant passed through `f`.
    pub(crate) fn map_times(mut self, f: impl Fn(SessionTime) -> SessionTime) -> Self {
        match &mut self {
            Self::Gap { from, to, .. }
            | Self::Clipped { from, to, .. }
            | Self::Filled { from, to, .. }
            | Self::Standing { from, to } => {
                *from = f(*from);
                *to = f(*to);
            }
            Self::Aligned { t, .. }
            | Self::ContactRefused { t, .. }
            | Self::SensorMoved { t, .. }
            | Self::SidesSwapped { t }
            | Self::CadenceDisagrees { t, .. }
            | Self::RailLearned { t, .. }
            | Self::Marker { t, .. } => *t = f(*t),
        }
        self
    }
}
