//! How much stride time and stride length vary over the last 32 strides.

use super::context::{MetricSet, StrideContext};
use super::registry::MetricId as Id;
use crate::model::{Absent, Activity};

/// Strides looked at.
const WINDOW: usize = 32;
/// Fewest strides for a number.
const FEWEST: usize = 16;

/// The last values of one quantity.
#[derive(Clone, Debug)]
struct Recent {
    values: [f64; WINDOW],
    count: usize,
}

impl Recent {
    const EMPTY: Self = Self {
        values: [0.0; WINDOW],
        count: 0,
    };

    fn push(&mut self, value: f64) {
        self.values[self.count % WINDOW] = value;
        self.count += 1;
    }

    /// Standard deviation over mean.
    fn variation(&self) -> Result<f64, Absent> {
        let n = self.count.min(WINDOW);
        if n < FEWEST {
            return Err(Absent::TooFewStrides);
        }
        let held = &self.values[..n];
        let mean = held.iter().sum::<f64>() / n as f64;
        let variance = held.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1) as f64;
        if mean > 0.0 {
            Ok(variance.sqrt() / mean)
        } else {
            Err(Absent::Refused)
        }
    }
}

/// Memory of one side.
#[derive(Clone, Debug)]
pub struct Variability {
    times: Recent,
    lengths: Recent,
    /// What the runner did in the strides held.
    activity: Option<Activity>,
}

impl Default for Variability {
    fn default() -> Self {
        Self {
            times: Recent::EMPTY,
            lengths: Recent::EMPTY,
            activity: None,
        }
    }
}

impl Variability {
    /// Takes one stride and fills the two coefficients of variation. Strides in turns, and strides whose data are poor, are
    /// not counted. A rest does not empty the memory, another activity does: the step from walking to running is not
    /// variability.
    pub fn compute(&mut self, ctx: &StrideContext, set: &mut MetricSet) {
        let stride = ctx.stride;
        if self.activity.replace(stride.activity) != Some(stride.activity) {
            (self.times, self.lengths) = (Recent::EMPTY, Recent::EMPTY);
        }
        if !stride.flags.turning && stride.quality.product() >= 0.4 {
            self.times.push(stride.stride_time());
            if let Some(length) = set.value(Id::StrideLength) {
                self.lengths.push(length);
            }
        }
        set.set(Id::StrideTimeCv, self.times.variation());
        let lengths = if stride.foot.is_some() {
            self.lengths.variation()
        } else {
            Err(Absent::NoSensor)
        };
        set.set(Id::StrideLengthCv, lengths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variation_of_a_known_series() {
        let mut r = Recent::EMPTY;
        assert_eq!(r.variation(), Err(Absent::TooFewStrides));
        for k in 0..64 {
            r.push(if k % 2 == 0 { 0.9 } else { 1.1 });
        }
        // SD of ±0.1 about 1 with n − 1 = 31.
        assert!((r.variation().expect("enough") - 0.1 * (32.0_f64 / 31.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn walking_before_running_does_not_count() {
        use super::super::example_stride::{ATHLETE, context, stride};
        let mut memory = Variability::default();
        let mut last = MetricSet::default();
        for k in 0..40 {
            let mut s = stride(f64::from(k));
            if k < 20 {
                s.activity = Activity::Walking;
                s.next_ic = s.contact.map(|c| c.ic.plus(1.2));
            }
            last = MetricSet::default();
            let ctx = context(&s, &ATHLETE);
            super::super::foot::compute(&ctx, &mut last);
            memory.compute(&ctx, &mut last);
            if (20..35).contains(&k) {
                assert_eq!(last.get(Id::StrideTimeCv), Err(Absent::TooFewStrides));
            }
        }
        assert!(last.value(Id::StrideTimeCv).expect("twenty running strides") < 1e-6);
        assert!(last.value(Id::StrideLengthCv).expect("twenty running strides") < 1e-6);
    }
}
