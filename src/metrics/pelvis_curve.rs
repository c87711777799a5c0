//! The pelvis over one gait cycle in three planes, at every percent: what a plot shows where a metric gives one number.
//!
//! Angles, signs and zeros are those of the pelvic metrics ([`super::pelvis`]), so that a curve's range and largest drop are
//! the stored numbers up to the step of one percent. Tilt and obliquity count from quiet standing. Where the runner was not
//! seen standing they count from the mean of the cycle, and the curve says so: shape and range can then be read, height cannot.

use super::pelvis::{obliquity, rotation, tilt};
use super::stretch::{at, facing, whole};
use crate::model::{Absent, Sacrum, SessionTime, Stride};
use crate::orientation::{PelvisStanding, TrackSample};

/// Points of a curve: every percent from 0 to 100.
pub const POINTS: usize = 101;

/// What tilt and obliquity are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    /// Quiet standing of the same session.
    Standing,
    /// The mean of the cycle: the runner was not seen standing.
    CycleMean,
}

/// Three angles over one cycle, rad, in the signs of docs/conventions.md.
#[derive(Clone, Debug, PartialEq)]
pub struct PelvisCurve {
    /// 0 %.
    pub from: SessionTime,
    /// 100 %.
    pub to: SessionTime,
    /// What tilt and obliquity are counted from.
    pub zero: Zero,
    /// Tilt, front down positive.
    pub tilt: Vec<f64>,
    /// Obliquity, left side up positive.
    pub obliquity: Vec<f64>,
    /// Rotation, turned left positive, against the mean of the cycle.
    pub rotation: Vec<f64>,
}

impl PelvisCurve {
    /// The curve of a stride; `samples` reach a little beyond its cycle on both sides.
    ///
    /// # Errors
    /// As for the pelvic metrics: [`Absent::NotStraightAndLevel`] in a turn, [`Absent::Gap`] where samples are missing.
    pub fn of(
        stride: &Stride,
        samples: &[TrackSample<Sacrum>],
        standing: Option<PelvisStanding>,
    ) -> Result<Self, Absent> {
        if stride.flags.turning {
            return Err(Absent::NotStraightAndLevel);
        }
        let (from, to) = stride.cycle();
        let ahead = facing(whole(samples, from, to)?)?;
        let last = (POINTS - 1) as f64;
        let read = |angle: &dyn Fn(&TrackSample<Sacrum>) -> f64| -> Result<Vec<f64>, Absent> {
            (0..POINTS)
                .map(|i| at(samples, from.plus(to.since(from) * i as f64 / last), angle))
                .collect()
        };
        let less = |mut curve: Vec<f64>, zero: Option<f64>| {
            let zero = zero.unwrap_or_else(|| mean(&curve));
            curve.iter_mut().for_each(|v| *v -= zero);
            curve
        };
        Ok(Self {
            from,
            to,
            zero: standing.map_or(Zero::CycleMean, |_| Zero::Standing),
            tilt: less(read(&tilt)?, standing.map(|s| s.tilt)),
            obliquity: less(read(&obliquity)?, standing.map(|s| s.obliquity)),
            rotation: less(read(&|s| rotation(s, ahead))?, None),
        })
    }

    /// Where in the cycle an instant lies, percent; may lie outside 0 to 100.
    #[must_use]
    pub fn percent_of(&self, t: SessionTime) -> f64 {
        100.0 * t.since(self.from) / self.to.since(self.from).max(1e-9)
    }

    /// The largest drop of the swing side while the stride's own foot stands, rad: the metric `pelvis_drop` as the curve has
    /// it. `None` without a contact or a side, or when the zero is not standing.
    #[must_use]
    pub fn drop(&self, stride: &Stride) -> Option<f64> {
        let (contact, side) = (stride.contact?, stride.side?);
        if self.zero != Zero::Standing {
            return None;
        }
        let (from, to) = (self.percent_of(contact.ic), self.percent_of(contact.tc));
        let standing = self.obliquity.iter().enumerate();
        standing
            .filter(|(i, _)| (from..to).contains(&(*i as f64)))
            .map(|(_, o)| side.sign() * o)
            .reduce(f64::max)
    }

    /// Highest less lowest of a curve.
    #[must_use]
    pub fn range(curve: &[f64]) -> f64 {
        let (low, high) = curve
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        high - low
    }
}

/// The 100 % point is the 0 % point of the next cycle and is left out.
fn mean(curve: &[f64]) -> f64 {
    let cycle = &curve[..curve.len().saturating_sub(1)];
    cycle.iter().sum::<f64>() / cycle.len().max(1) as f64
}
