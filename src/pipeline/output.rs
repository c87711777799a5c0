//! What the pipeline says.

use crate::metrics::{MetricSet, StrideRecord};
use crate::model::{Activity, Contact, GapCause, Placement, SessionTime, Side};

/// A 25-stride block of one side: medians of everything measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Side, where known.
    pub side: Option<Side>,
    /// Start of its first stride.
    pub start: SessionTime,
    /// End of its last stride.
    pub end: SessionTime,
    /// Strides that were good enough to count.
    pub usable: u32,
    /// Strides seen in it.
    pub seen: u32,
    /// Medians.
    pub medians: MetricSet,
    /// Confidence: `high`, `medium`, `low` by the count of good strides.
    pub confidence: Confidence,
}

pub use crate::metrics::aggregate::BlockConfidence as Confidence;

/// One second: what a live view shows when no foot tells strides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// End of the window.
    pub t: SessionTime,
    /// Cadence from the spectrum, steps/min.
    pub spectral_cadence: Option<f64>,
    /// Activity.
    pub activity: Activity,
}

/// Something a person should know about the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Health {
    /// Samples missing.
    Gap {
        /// Sensor.
        placement: Placement,
        /// From.
        from: SessionTime,
        /// To.
        to: SessionTime,
        /// How many.
        missing: u32,
        /// Why.
        cause: GapCause,
    },
    /// The mounting of a sensor became known (or better known).
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
        /// Which guard.
        guard: &'static str,
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
    /// Cadence by spectrum and by contacts disagree by more than 3 % for 10 s: strides may be missed.
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
}

/// One output, in order of decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A contact, as early as it can be told, for cues and live views only; never stored.
    ProvisionalContact {
        /// Sensor.
        placement: Placement,
        /// When the foot landed.
        ic: SessionTime,
        /// Session time at which it was told (the latency is the difference).
        told_at: SessionTime,
    },
    /// A contact in its final form.
    Contact {
        /// Sensor.
        placement: Placement,
        /// The contact.
        contact: Contact,
    },
    /// A stride.
    Stride(Box<StrideRecord>),
    /// A 25-stride block.
    Block(Box<Block>),
    /// A second.
    Window(Window),
    /// Something about the data.
    Health(Health),
}
