//! The sensor behind the firmware, as a trait: what a driver for a real chip or a simulator must do.
//!
//! The trait is shaped by how such chips work: they sample by their own oscillator into a queue of their own and wake the
//! processor when a watermark is reached. So samples come in batches, each with the moment its reading was complete.

use firmware_protocol::{Configuration, ImuEntry, PodTime};

/// Most samples in one batch. A watermark of one frame (19 samples) leaves room for what comes while it is read.
pub const MOST_IN_BATCH: usize = 32;

/// What the sensor can do, as the pod tells its host. Every combination must work; the first of each list is what a session
/// gets whose host did not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImuCaps<'a> {
    /// Rates, ascending, 1/1000 Hz.
    pub rates_mhz: &'a [u32],
    /// Ranges of acceleration, ascending, ± g.
    pub acc_ranges_g: &'a [u16],
    /// Ranges of angular rate, ascending, ± °/s.
    pub gyr_ranges_dps: &'a [u16],
}

impl ImuCaps<'static> {
    /// Four of the rates and the upper ranges of a common chip for sport (LSM6DSO32).
    pub const COMMON: Self = ImuCaps {
        rates_mhz: &[104_000, 208_000, 416_000, 833_000],
        acc_ranges_g: &[4, 8, 16, 32],
        gyr_ranges_dps: &[500, 1000, 2000],
    };
}

/// What the sensor is to do: one of the rates and ranges the pod has told its host that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplingMode {
    /// 1/1000 Hz.
    pub rate_mhz: u32,
    /// ± g.
    pub acc_range_g: u16,
    /// ± °/s.
    pub gyr_range_dps: u16,
}

impl From<&Configuration> for SamplingMode {
    fn from(configuration: &Configuration) -> Self {
        SamplingMode {
            rate_mhz: configuration.rate_mhz,
            acc_range_g: configuration.acc_range_g,
            gyr_range_dps: configuration.gyr_range_dps,
        }
    }
}

/// One reading of all six axes, in the case frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When the reading was complete in the sensor, on the pod's clock. Not when the queue was read: a queue of 19 samples
    /// at 416 Hz stamped at its interrupt is 43 ms wrong.
    pub time: PodTime,
    /// The counts. Axes as marked on the case: the driver applies the mounting of the chip.
    pub entry: ImuEntry,
}

/// Samples in the order they were taken, without a hole between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Samples that the sensor's queue lost before the first one here: the driver's best estimate, `round(elapsed × rate)`,
    /// at least 1 if any was lost.
    pub lost_before: u32,
    /// What was taken.
    pub samples: heapless::Vec<Sample, MOST_IN_BATCH>,
}

impl Batch {
    /// Nothing taken, nothing lost.
    pub fn clear(&mut self) {
        self.lost_before = 0;
        self.samples.clear();
    }

    /// True if it tells nothing.
    pub fn is_empty(&self) -> bool {
        self.lost_before == 0 && self.samples.is_empty()
    }
}

/// The sensor did not answer, or answered nonsense. `detail` goes to the host in a FAULT event and means what its maker
/// says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImuFault {
    /// The maker's own number.
    pub detail: u16,
}

/// A six-axis inertial sensor.
///
/// Every call may be dropped before it is finished only where that is said.
#[expect(
    async_fn_in_trait,
    reason = "everything runs in one task; no future needs to be Send"
)]
pub trait Imu {
    /// Samples in this mode from now on, switched off before or not. What the queue still holds is thrown away: the
    /// firmware has drained it.
    async fn start(&mut self, mode: SamplingMode) -> Result<(), ImuFault>;

    /// Samples no more and saves energy. Must succeed; a sensor that cannot be stopped is told at the next start.
    async fn stop(&mut self);

    /// Waits for the watermark and fills the empty batch with what the queue holds. May be dropped while it waits; a driver
    /// that has taken samples off its queue must keep them for the next call.
    async fn next_batch(&mut self, batch: &mut Batch) -> Result<(), ImuFault>;

    /// Fills the empty batch with what is complete now, without waiting for a watermark. Called again until the batch
    /// stays empty.
    async fn drain(&mut self, batch: &mut Batch) -> Result<(), ImuFault>;
}
