//! What the pelvis did over one gait cycle: fore-aft and vertical acceleration as harmonics, fitted once a stride.
//!
//! Braking, overstriding and the pelvic metrics read the same two fits. Fitting costs more than reading, so it is done
//! here and shared.

use super::braking::ForeAft;
use super::context::StrideContext;
use super::periodic::Periodic;
use super::stretch::whole;
use crate::model::units::STANDARD_GRAVITY;
use crate::model::{Absent, Activity, Sacrum, SessionTime};
use crate::orientation::TrackSample;

/// Harmonics of the stride in the vertical: design value of the harmonic fit (docs/signal-chain.md).
const RISE_HARMONICS: usize = 10;

/// The fits of one cycle.
pub(crate) struct PelvisCycle {
    /// Start of the cycle.
    pub(crate) from: SessionTime,
    /// Its length, s.
    pub(crate) period: f64,
    /// Fore-aft acceleration.
    pub(crate) fore_aft: Result<ForeAft, Absent>,
    /// Vertical acceleration without gravity.
    pub(crate) rise: Result<Periodic, Absent>,
}

impl PelvisCycle {
    /// Of the cycle of this stride. Refuses strides in turns and while standing still: nothing that reads it means
    /// anything there.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn of(ctx: &StrideContext) -> Result<Self, Absent> {
        if ctx.stride.activity == Activity::Still {
            return Err(Absent::NotInThisActivity);
        }
        if ctx.stride.flags.turning {
            return Err(Absent::NotStraightAndLevel);
        }
        let samples = ctx.sacrum?;
        let (from, to) = ctx.stride.cycle();
        Ok(Self {
            from,
            period: to.since(from),
            fore_aft: ForeAft::of(samples, from, to),
            rise: rise(samples, from, to),
        })
    }
}

fn rise(samples: &[TrackSample<Sacrum>], from: SessionTime, to: SessionTime) -> Result<Periodic, Absent> {
    let vertical = whole(samples, from, to)?
        .iter()
        .map(|s| (s.t.since(from), (s.level_from * s.acc).v.z - STANDARD_GRAVITY));
    Periodic::fit(vertical, to.since(from), RISE_HARMONICS).ok_or(Absent::Refused)
}
