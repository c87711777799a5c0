//! One sensor's door into the loop: refuses, bridges, counts.

use super::output::{Health, Output};
use super::stretches::{Stretches, What};
use crate::clock::continuity::{Continuity, Verdict};
use crate::model::{ClipFlags, GapCause, ImuSample, Placement, SessionTime};

/// What one sensor delivered and what it did not. Every refused or missing sample is in exactly one of the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Samples taken as measured.
    pub taken: u64,
    /// Missing samples that were interpolated across holes of at most 40 ms.
    pub bridged: u64,
    /// Missing samples in longer holes.
    pub missing: u64,
    /// Refused: not a finite number.
    pub not_finite: u64,
    /// Refused: time repeated or went back.
    pub disorder: u64,
    /// Refused: the sensor repeated one reading.
    pub stuck: u64,
    /// Holes longer than 40 ms.
    pub gaps: u64,
}

impl Losses {
    /// Share of the samples that should have come and were measured, 0..1.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        let expected = self.taken + self.bridged + self.missing + self.not_finite + self.stuck;
        if expected == 0 {
            0.0
        } else {
            self.taken as f64 / expected as f64
        }
    }
}

/// How a sample enters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Entry {
    /// Not at all.
    Refused,
    /// After [`Intake::bridged`], in sequence.
    InSequence,
    /// After a hole from the given instant.
    AfterGap(SessionTime),
}

/// Watches one sensor.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    placement: Placement,
    continuity: Continuity,
    /// Samples interpolated before the one just admitted.
    pub(super) bridged: Vec<ImuSample>,
    pub(super) losses: Losses,
    /// Time of the newest sample.
    pub(super) now: Option<SessionTime>,
    /// Samples refused since the last one taken: they leave a hole that is counted already.
    refused: u64,
    filled: Stretches,
    clipped: Stretches,
}

impl Intake {
    pub(super) fn new(placement: Placement, rate_hz: f64) -> Self {
        Self {
            placement,
            continuity: Continuity::new(rate_hz),
            bridged: Vec::with_capacity(64),
            losses: Losses::default(),
            now: None,
            refused: 0,
            filled: Stretches::new(placement, What::Filled),
            clipped: Stretches::new(placement, What::Clipped),
        }
    }

    pub(super) fn note_gap(&mut self, from: SessionTime, cause: GapCause) {
        self.continuity.note_gap(from, cause);
    }

    pub(super) fn admit(&mut self, sample: &ImuSample, out: &mut Vec<Output>) -> Entry {
        self.bridged.clear();
        let verdict = self.continuity.push(sample, &mut self.bridged);
        let entry = match verdict {
            Verdict::Refuse(cause) => {
                match cause {
                    GapCause::NotFinite => {
                        self.losses.not_finite += 1;
                        self.refused += 1;
                    }
                    GapCause::Stuck => {
                        self.losses.stuck += 1;
                        self.refused += 1;
                    }
                    // A repeated or backward time stamp leaves no hole.
                    _ => self.losses.disorder += 1,
                }
                return Entry::Refused;
            }
            Verdict::Take => {
                self.losses.bridged += (self.bridged.len() as u64).saturating_sub(self.refused);
                Entry::InSequence
            }
            Verdict::TakeAfterGap { from, missing, cause } => {
                self.losses.missing += u64::from(missing).saturating_sub(self.refused);
                self.losses.gaps += 1;
                out.push(Output::Health(Health::Gap {
                    placement: self.placement,
                    from,
                    to: sample.t,
                    missing,
                    cause,
                }));
                Entry::AfterGap(from)
            }
        };
        self.refused = 0;
        self.losses.taken += 1;
        self.now = Some(sample.t);
        let filled = u32::try_from(self.bridged.len()).unwrap_or(u32::MAX);
        self.filled
            .push(sample.t, filled.saturating_add(u32::from(sample.filled)), out);
        entry
    }

    /// Which axes of the sample just taken were at their limit.
    pub(super) fn note_clip(&mut self, t: SessionTime, clip: ClipFlags, out: &mut Vec<Output>) {
        self.clipped.push(t, u32::from(clip != ClipFlags::NONE), out);
    }

    /// Nothing more comes: tells what is still open.
    pub(super) fn close(&mut self, out: &mut Vec<Output>) {
        self.filled.close(out);
        self.clipped.close(out);
    }
}
