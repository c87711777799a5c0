//! Strides condensed to buckets, for plots that have fewer pixels than a run has strides.
//!
//! Backends feed their rows to one `Bucketer`, so that a bucket is the same number from any of them; the sums run in
//! the order of time, which fixes their rounding too.

use super::batch::micros_of;
use super::query::{Bucket, BucketQuery, BucketValue, Completeness, Page};
use crate::model::SessionTime;

#[derive(Clone, Copy)]
struct Sum {
    n: u32,
    sum: f64,
    min: f64,
    max: f64,
}

impl Sum {
    const EMPTY: Self = Self {
        n: 0,
        sum: 0.0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    fn value(self) -> Option<BucketValue> {
        (self.n > 0).then(|| BucketValue {
            n: self.n,
            mean: self.sum / f64::from(self.n),
            min: self.min,
            max: self.max,
        })
    }
}

/// Collects strides in the order of time into buckets.
pub(crate) struct Bucketer {
    origin_us: i64,
    width_us: i64,
    limit: usize,
    /// Number of the bucket being filled, its strides and its sums.
    current: Option<(i64, u32, Vec<Sum>)>,
    metrics: usize,
    done: Vec<Bucket>,
    resume_at: Option<SessionTime>,
}

impl Bucketer {
    pub(crate) fn new(query: &BucketQuery) -> Self {
        Self {
            origin_us: micros_of(query.rows.span.start()),
            width_us: query.width_us.max(1),
            limit: query.rows.limit.max(1),
            current: None,
            metrics: query.metrics.len(),
            done: Vec::new(),
            resume_at: None,
        }
    }

    /// Takes the stride that begins at `t_us` of session time, with `values[i]` of the query's metric `i`. Says `false`
    /// when the limit is reached and no more is wanted.
    pub(crate) fn push(&mut self, t_us: i64, values: impl Iterator<Item = Option<f64>>) -> bool {
        let number = (t_us - self.origin_us).div_euclid(self.width_us);
        if self.current.as_ref().is_none_or(|(n, ..)| *n != number) {
            self.seal();
            if self.done.len() >= self.limit {
                self.resume_at = Some(self.start_of(number));
                return false;
            }
            self.current = Some((number, 0, vec![Sum::EMPTY; self.metrics]));
        }
        if let Some((_, strides, sums)) = &mut self.current {
            *strides += 1;
            for (sum, value) in sums.iter_mut().zip(values) {
                if let Some(v) = value {
                    sum.n += 1;
                    sum.sum += v;
                    sum.min = sum.min.min(v);
                    sum.max = sum.max.max(v);
                }
            }
        }
        true
    }

    pub(crate) fn finish(mut self) -> Page<Bucket> {
        self.seal();
        let completeness = match self.resume_at {
            Some(resume_at) => Completeness::Truncated { resume_at },
            None => Completeness::Complete,
        };
        Page {
            rows: self.done,
            completeness,
        }
    }

    fn start_of(&self, number: i64) -> SessionTime {
        SessionTime::from_nanos((self.origin_us + number * self.width_us).saturating_mul(1000))
    }

    fn seal(&mut self) {
        if let Some((number, strides, sums)) = self.current.take() {
            let start = self.start_of(number);
            self.done.push(Bucket {
                start,
                strides,
                values: sums.into_iter().map(Sum::value).collect(),
            });
        }
    }
}
