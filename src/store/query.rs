//! Questions to a history and the pages they are answered with.
//!
//! Every question carries a limit, and an answer that reached it says where to go on: a page is complete or it is
//! [`Completeness::Truncated`], never silently short. A page is never cut inside one instant, so it may exceed its limit
//! by the few rows of its last instant; in return `resume_at` is simply the start of the next question.

use super::ids::{AthleteId, SessionId, UtcMicros};
use crate::metrics::MetricId;
use crate::model::{SessionTime, Side, Span};

/// Whether a page holds everything that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness<At = SessionTime> {
    /// It does.
    Complete,
    /// The limit was reached; the rest begins at `resume_at`.
    Truncated {
        /// Start of the question for the rest.
        resume_at: At,
    },
}

/// Rows in order, and whether they are all.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T, At = SessionTime> {
    /// The rows, ascending by time and then side.
    pub rows: Vec<T>,
    /// Whether they are all.
    pub completeness: Completeness<At>,
}

impl<T, At: Copy + Eq> Page<T, At> {
    /// Cuts ordered rows to `limit`, but never between rows of one instant.
    pub(crate) fn cut(mut rows: Vec<T>, limit: usize, at: impl Fn(&T) -> At) -> Self {
        // A limit of 0 would never get anywhere.
        let mut end = limit.max(1);
        while end < rows.len() && at(&rows[end]) == at(&rows[end - 1]) {
            end += 1;
        }
        let completeness = match rows.get(end) {
            Some(next) => Completeness::Truncated { resume_at: at(next) },
            None => Completeness::Complete,
        };
        rows.truncate(end);
        Self { rows, completeness }
    }
}

/// Which sides are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SideFilter {
    /// All, those of unknown side too.
    #[default]
    All,
    /// One side.
    Only(Side),
}

impl SideFilter {
    /// Whether a row of this side is asked for.
    #[must_use]
    pub fn admits(self, side: Option<Side>) -> bool {
        match self {
            Self::All => true,
            Self::Only(wanted) => side == Some(wanted),
        }
    }
}

/// Everything there can be in a session.
#[must_use]
pub fn whole_session() -> Span {
    let end = SessionTime::from_nanos(super::batch::TIME_LIMIT_S * 1_000_000_000 + 1_000);
    let start = SessionTime::from_nanos(-super::batch::TIME_LIMIT_S * 1_000_000_000);
    Span::new(start, end).expect("a constant span that runs forward")
}

/// Sessions that began in `[from, to)`.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionQuery {
    /// Of this athlete only.
    pub athlete: Option<AthleteId>,
    /// Earliest start.
    pub from: UtcMicros,
    /// First start no longer asked for.
    pub to: UtcMicros,
    /// Most rows wanted.
    pub limit: usize,
}

impl Default for SessionQuery {
    fn default() -> Self {
        Self {
            athlete: None,
            from: UtcMicros::EPOCH,
            to: UtcMicros::LIMIT,
            limit: 1000,
        }
    }
}

/// Rows of one session whose time lies in `span`.
#[derive(Clone, Debug, PartialEq)]
pub struct RowQuery {
    /// The session.
    pub session: SessionId,
    /// The analysis; `None` for the current one.
    pub analysis: Option<u32>,
    /// Half-open span of the rows' times.
    pub span: Span,
    /// Sides; ignored where rows have none.
    pub side: SideFilter,
    /// Most rows wanted (see the module's head for the one exception).
    pub limit: usize,
}

impl RowQuery {
    /// The whole session, both sides, at most 10,000 rows a page.
    #[must_use]
    pub fn all(session: SessionId) -> Self {
        Self {
            session,
            analysis: None,
            span: whole_session(),
            side: SideFilter::All,
            limit: 10_000,
        }
    }
}

/// Strides of one session condensed to buckets of equal width, for plots.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketQuery {
    /// Which strides.
    pub rows: RowQuery,
    /// Which numbers.
    pub metrics: Vec<MetricId>,
    /// Width of a bucket, µs; the first begins at the start of the span. Less than 1 counts as 1.
    pub width_us: i64,
}

/// One number over one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketValue {
    /// Strides that have it.
    pub n: u32,
    /// Mean.
    pub mean: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// One bucket. Buckets without a stride are not given.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Its begin.
    pub start: SessionTime,
    /// Strides that begin in it.
    pub strides: u32,
    /// For each number asked for, in that order: what is known; `None` when no stride has it.
    pub values: Vec<Option<BucketValue>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_not_cut_inside_one_instant() {
        let page = |limit| Page::cut(vec![1, 2, 2, 3], limit, |t| *t);
        assert_eq!(
            page(1),
            Page {
                rows: vec![1],
                completeness: Completeness::Truncated { resume_at: 2 }
            }
        );
        assert_eq!(
            page(2),
            Page {
                rows: vec![1, 2, 2],
                completeness: Completeness::Truncated { resume_at: 3 }
            }
        );
        assert_eq!(
            page(4),
            Page {
                rows: vec![1, 2, 2, 3],
                completeness: Completeness::Complete
            }
        );
        assert_eq!(page(0).rows, vec![1]);
    }
}
