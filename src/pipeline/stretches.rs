//! Stretches in which a sensor was at its limit, or in which samples were filled in: told once each, when they are over.
//!
//! Single samples would be thousands of events an hour: a shoe sensor of a small range is at its limit at every landing.
//! What a person asks is which seconds of a run to trust, so what lies within a second or two is one stretch.

use super::output::{Health, Output};
use crate::model::{Placement, SessionTime};

/// Marked samples nearer to each other than this are one stretch, s: two strides, so that a limit reached at each landing
/// is told as one.
const JOIN_S: f64 = 2.0;

/// What is told of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An axis was at its limit.
    Clipped,
    /// Samples were interpolated.
    Filled,
}

/// The stretch of one kind that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretches {
    placement: Placement,
    what: What,
    open: Option<(SessionTime, SessionTime, u32)>,
}

impl Stretches {
    pub(super) fn new(placement: Placement, what: What) -> Self {
        Self {
            placement,
            what,
            open: None,
        }
    }

    /// The next instant, and how many samples are marked there.
    pub(super) fn push(&mut self, t: SessionTime, samples: u32, out: &mut Vec<Output>) {
        if let Some((from, last, n)) = self.open {
            if t.since(last) > JOIN_S {
                self.close(out);
            } else if samples > 0 {
                self.open = Some((from, t, n.saturating_add(samples)));
                return;
            }
        }
        if samples > 0 {
            self.open = Some((t, t, samples));
        }
    }

    /// Nothing more comes.
    pub(super) fn close(&mut self, out: &mut Vec<Output>) {
        let Some((from, to, samples)) = self.open.take() else {
            return;
        };
        let placement = self.placement;
        out.push(Output::Health(match self.what {
            What::Clipped => Health::Clipped {
                placement,
                from,
                to,
                samples,
            },
            What::Filled => Health::Filled {
                placement,
                from,
                to,
                samples,
            },
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(marks: &[(f64, u32)]) -> Vec<(f64, f64, u32)> {
        let mut stretches = Stretches::new(Placement::LeftFoot, What::Clipped);
        let mut out = Vec::new();
        for (t, samples) in marks {
            stretches.push(SessionTime::from_secs(*t), *samples, &mut out);
        }
        stretches.close(&mut out);
        stretches.close(&mut out);
        let told = out.into_iter().map(|o| match o {
            Output::Health(Health::Clipped { from, to, samples, .. }) => (from.secs(), to.secs(), samples),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn landings_are_one_stretch_and_a_pause_parts_two() {
        let landings: Vec<(f64, u32)> = (0..10).map(|n| (0.7 * f64::from(n), 2)).collect();
        assert_eq!(told(&landings).len(), 1);
        assert_eq!(
            told(&[(1.0, 1), (1.5, 0), (2.0, 3), (9.0, 0), (10.0, 1)]),
            [(1.0, 2.0, 4), (10.0, 10.0, 1)]
        );
        assert_eq!(told(&[(1.0, 0), (2.0, 0)]), []);
    }

    #[test]
    fn a_stretch_is_told_as_soon_as_it_is_over() {
        let mut stretches = Stretches::new(Placement::Sacrum, What::Filled);
        let mut out = Vec::new();
        stretches.push(SessionTime::from_secs(1.0), 1, &mut out);
        stretches.push(SessionTime::from_secs(2.9), 0, &mut out);
        assert!(out.is_empty());
        stretches.push(SessionTime::from_secs(3.1), 0, &mut out);
        assert_eq!(out.len(), 1);
    }
}
