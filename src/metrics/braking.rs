//! Braking and shock as the pelvis feels them.
//!
//! Fore-aft acceleration of the sacrum sensor in the direction the pelvis faces, without its mean over the stride
//! (steady running neither gains nor loses speed over a stride; what is left of the mean is sensor bias and tilt error).

use super::context::{MetricSet, StrideContext};
use super::pelvis_cycle::PelvisCycle;
use super::periodic::{MOST, Periodic};
use super::registry::MetricId;
use super::stretch::{ahead_left_up, facing, whole};
use crate::model::{Absent, Contact, Measured, Sacrum, SessionTime};
use crate::orientation::TrackSample;
use nalgebra::Vector2;

/// Fore-aft acceleration is read below this frequency, Hz.
pub(crate) const FORE_AFT_HZ: f64 = 20.0;

/// Shortest time between points at which a fitted acceleration is read, s.
const READ_EVERY_S: f64 = 0.004;

/// Enters braking and sacral shock of one stride.
pub(crate) fn compute(ctx: &StrideContext, cycle: &Result<PelvisCycle, Absent>, set: &mut MetricSet) {
    let braking = match cycle {
        Ok(cycle) => cycle.fore_aft.as_ref().map_err(|e| *e),
        Err(e) => Err(*e),
    };
    let contact = ctx.stride.contact.ok_or(Absent::NoSensor);
    set.set(
        MetricId::BrakingPeak,
        both(braking, contact).map(|(f, c)| f.lowest(c.ic, c.m)),
    );
    set.set(
        MetricId::BrakingDv,
        both(braking, contact).map(|(f, c)| f.lost(c.ic, c.tc)),
    );
    set.set(MetricId::SacralPeakAcc, sacral_peak(ctx));
}

fn both(braking: Result<&ForeAft, Absent>, contact: Result<Contact, Absent>) -> Result<(&ForeAft, Contact), Absent> {
    Ok((braking?, contact?))
}

/// Fore-aft acceleration of one cycle.
pub(crate) struct ForeAft {
    from: SessionTime,
    fit: Periodic,
    /// Direction the pelvis faces.
    pub(crate) ahead: Vector2<f64>,
}

impl ForeAft {
    /// Of the cycle of this stride, from the sacrum.
    pub(crate) fn of(samples: &[TrackSample<Sacrum>], from: SessionTime, to: SessionTime) -> Result<Self, Absent> {
        let held = whole(samples, from, to)?;
        let ahead = facing(held)?;
        let period = to.since(from);
        let most = (held.len() / 2).saturating_sub(1) / 2;
        let harmonics = ((FORE_AFT_HZ * period) as usize).min(MOST).min(most);
        let points = held
            .iter()
            .map(|s| (s.t.since(from), ahead_left_up(s.level_from * s.acc, ahead).x));
        let fit = Periodic::fit(points, period, harmonics).ok_or(Absent::Refused)?;
        Ok(Self { from, fit, ahead })
    }

    /// Change of position against steady travel at `t`, m; zero in the mean over the cycle.
    pub(crate) fn sway(&self, t: SessionTime) -> f64 {
        self.fit.twice_integrated(t.since(self.from))
    }

    fn values(&self, from: SessionTime, to: SessionTime) -> impl Iterator<Item = (f64, f64)> + '_ {
        let secs = to.since(from);
        let n = (secs / READ_EVERY_S).ceil().max(1.0);
        let first = from.since(self.from);
        (0..=n as usize).map(move |i| (secs / n, self.fit.value(first + secs * i as f64 / n)))
    }

    fn lowest(&self, from: SessionTime, to: SessionTime) -> f64 {
        self.values(from, to).map(|(_, a)| a).fold(f64::INFINITY, f64::min)
    }

    /// Integral of the backward part, m/s (negative).
    fn lost(&self, from: SessionTime, to: SessionTime) -> f64 {
        self.values(from, to).map(|(dt, a)| dt * a.min(0.0)).sum()
    }
}

fn sacral_peak(ctx: &StrideContext) -> Measured {
    let samples = whole(ctx.sacrum?, ctx.stride.start, ctx.stride.end)?;
    if samples.iter().any(|s| s.clip.any_acc()) {
        return Err(Absent::Clipped);
    }
    Ok(super::shock::peak(samples, |s| s.acc.norm()))
}
