//! One question that the record and a copy of it answer with the same numbers: strides of an athlete in buckets of time.
//!
//! It speaks UTC in milliseconds, because that is what copies keep. What two engines define differently is left out on
//! purpose: percentiles, patterns, days of a calendar. Counts, times, least, greatest, first and last are equal; means
//! and sums may differ in the last digits, because engines add in different orders.

use super::error::StoreError;
use super::ids::{AthleteId, SessionId, UtcMicros};
use super::query::{Completeness, Page, SideFilter};
use crate::metrics::MetricId;
use crate::model::SegmentKind;

/// Most buckets that a span may be cut into, those without strides counted.
pub const BUCKETS_MAX: i64 = 1_000_000;

/// How the values of a bucket become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// Mean.
    Mean,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Sum.
    Sum,
    /// The earliest; of several in one millisecond the largest.
    First,
    /// The latest; of several in one millisecond the largest.
    Last,
}

impl Aggregate {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Count,
        Self::Mean,
        Self::Min,
        Self::Max,
        Self::Sum,
        Self::First,
        Self::Last,
    ];
}

/// Strides of one athlete, under the current analysis of each session, in buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesQuery {
    /// Whose.
    pub athlete: AthleteId,
    /// Start of the first bucket, ms since 1970.
    pub from_ms: i64,
    /// First instant no longer asked for.
    pub to_ms: i64,
    /// Which numbers.
    pub metrics: Vec<MetricId>,
    /// Which sides.
    pub side: SideFilter,
    /// Seen from which segment; `None` for all.
    pub seen_from: Option<SegmentKind>,
    /// Of one session only.
    pub session: Option<SessionId>,
    /// Width of a bucket, ms.
    pub width_ms: i64,
    /// What is told of a bucket.
    pub aggregate: Aggregate,
    /// Most buckets wanted.
    pub limit: usize,
}

impl SeriesQuery {
    /// Refuses what no engine may be asked.
    ///
    /// # Errors
    /// `Rejected` for a span outside 1970 to 2100, a width below 1 ms, or more than [`BUCKETS_MAX`] buckets.
    pub fn check(&self) -> Result<(), StoreError> {
        let end = UtcMicros::LIMIT.micros() / 1000;
        let in_time = |ms: i64| (0..=end).contains(&ms);
        if !in_time(self.from_ms) || !in_time(self.to_ms) {
            return Err(StoreError::rejected(
                "the question",
                "its span lies outside 1970 to 2100",
            ));
        }
        if self.width_ms < 1 || (self.to_ms - self.from_ms) / self.width_ms >= BUCKETS_MAX {
            return Err(StoreError::rejected(
                "the question",
                "buckets must be wider for that span",
            ));
        }
        Ok(())
    }
}

/// One bucket. Buckets without a stride are not given.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesBucket {
    /// Its begin, ms since 1970.
    pub start_ms: i64,
    /// Strides in it.
    pub strides: u64,
    /// For each number asked for, in that order; `None` when no stride has it.
    pub values: Vec<Option<f64>>,
}

/// Answers questions about series.
pub trait SeriesHistory {
    /// Strides in buckets, ascending.
    ///
    /// # Errors
    /// `Rejected` for a question that [`SeriesQuery::check`] refuses; `Corrupt`, `Busy`, `Unavailable`.
    fn series(&self, query: &SeriesQuery) -> Result<Page<SeriesBucket, UtcMicros>, StoreError>;
}

/// Cuts buckets to the limit of their question.
pub(crate) fn page(mut rows: Vec<SeriesBucket>, limit: usize) -> Page<SeriesBucket, UtcMicros> {
    let limit = limit.max(1);
    let completeness = match rows.get(limit) {
        Some(next) => Completeness::Truncated {
            resume_at: UtcMicros::from_micros(next.start_ms * 1000),
        },
        None => Completeness::Complete,
    };
    rows.truncate(limit);
    Page { rows, completeness }
}

#[derive(Clone, Copy)]
struct Tally {
    n: u64,
    sum: f64,
    min: f64,
    max: f64,
    first: (i64, f64),
    last: (i64, f64),
}

impl Tally {
    fn one(ms: i64, v: f64) -> Self {
        Self {
            n: 1,
            sum: v,
            min: v,
            max: v,
            first: (ms, v),
            last: (ms, v),
        }
    }

    fn add(&mut self, ms: i64, v: f64) {
        self.n += 1;
        self.sum += v;
        self.min = self.min.min(v);
        self.max = self.max.max(v);
        if ms == self.first.0 {
            self.first.1 = self.first.1.max(v);
        }
        self.last = if ms == self.last.0 {
            (ms, self.last.1.max(v))
        } else {
            (ms, v)
        };
    }

    fn value(&self, aggregate: Aggregate) -> f64 {
        match aggregate {
            Aggregate::Count => self.n as f64,
            Aggregate::Mean => self.sum / self.n as f64,
            Aggregate::Min => self.min,
            Aggregate::Max => self.max,
            Aggregate::Sum => self.sum,
            Aggregate::First => self.first.1,
            Aggregate::Last => self.last.1,
        }
    }
}

/// Collects strides in the order of time.
pub(crate) struct SeriesTally<'q> {
    query: &'q SeriesQuery,
    current: Option<(i64, u64, Vec<Option<Tally>>)>,
    done: Vec<SeriesBucket>,
}

impl<'q> SeriesTally<'q> {
    pub(crate) fn new(query: &'q SeriesQuery) -> Self {
        Self {
            query,
            current: None,
            done: Vec::new(),
        }
    }

    /// Takes the stride that begins at `ms`; `false` when no more is wanted.
    pub(crate) fn push(&mut self, ms: i64, values: impl Iterator<Item = Option<f64>>) -> bool {
        let start = ms - (ms - self.query.from_ms).rem_euclid(self.query.width_ms);
        if self.current.as_ref().is_none_or(|c| c.0 != start) {
            self.seal();
            // One more than wanted says where the rest begins.
            if self.done.len() > self.query.limit.max(1) {
                return false;
            }
            self.current = Some((start, 0, vec![None; self.query.metrics.len()]));
        }
        if let Some((_, strides, tallies)) = &mut self.current {
            *strides += 1;
            for (tally, value) in tallies.iter_mut().zip(values) {
                match (tally, value) {
                    (Some(tally), Some(v)) => tally.add(ms, v),
                    (none, Some(v)) => *none = Some(Tally::one(ms, v)),
                    (_, None) => {}
                }
            }
        }
        true
    }

    fn seal(&mut self) {
        if let Some((start_ms, strides, tallies)) = self.current.take() {
            let value = |t: Option<Tally>| t.map(|t| t.value(self.query.aggregate));
            self.done.push(SeriesBucket {
                start_ms,
                strides,
                values: tallies.into_iter().map(value).collect(),
            });
        }
    }

    pub(crate) fn finish(mut self) -> Page<SeriesBucket, UtcMicros> {
        self.seal();
        page(self.done, self.query.limit)
    }
}
