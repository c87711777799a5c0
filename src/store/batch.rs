//! Rows on their way into a store: checked once, rounded once.
//!
//! A [`Batch`] belongs to one session and one analysis of it and is kept or refused as a whole. What does not fit a row
//! (a number that is not finite, an instant years away) is refused here, before any backend sees it, so that backends
//! need not agree on it. Time is rounded to the microsecond here too: what is read back equals what lies in the batch.

use super::error::StoreError;
use super::event::SessionEvent;
use super::ids::SessionId;
use crate::metrics::{MetricSet, StrideRecord};
use crate::model::{Contact, FootMotion, QualityParts, SessionTime, Side};
use crate::pipeline::{Block, Output, Window};

/// The analysis of a session that is made while it is recorded.
pub const FIRST_ANALYSIS: u32 = 1;

/// Farthest an instant may lie from the start of its session, s. Longer than any run; guards sums of microseconds.
pub const TIME_LIMIT_S: i64 = 366 * 86_400;

/// Rows of one session and one analysis, kept or refused as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    session: SessionId,
    analysis: u32,
    strides: Vec<StrideRecord>,
    blocks: Vec<Block>,
    windows: Vec<Window>,
    events: Vec<SessionEvent>,
}

impl Batch {
    /// An empty batch for this session and analysis ([`FIRST_ANALYSIS`] while recording).
    #[must_use]
    pub fn new(session: SessionId, analysis: u32) -> Self {
        Self {
            session,
            analysis,
            strides: Vec::new(),
            blocks: Vec::new(),
            windows: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Takes whatever of the pipeline's output is kept; contacts are not (strides hold them).
    ///
    /// # Errors
    /// [`StoreError::Rejected`] as the `push_*` functions; the batch is then as it was before.
    pub fn push_output(&mut self, output: &Output) -> Result<(), StoreError> {
        match output {
            Output::Stride(record) => self.push_stride(record),
            Output::Block(block) => self.push_block(block),
            Output::Window(window) => self.push_window(window),
            Output::Health(health) => self.push_event(SessionEvent::from_health(health)),
            Output::ProvisionalContact { .. } | Output::Contact { .. } => Ok(()),
        }
    }

    /// Takes a stride.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for a number that is not finite, events out of order, or an instant out of range.
    pub fn push_stride(&mut self, record: &StrideRecord) -> Result<(), StoreError> {
        let row = || stride_key(&self.session, self.analysis, record.stride.start, record.stride.side);
        if !stride_is_finite(record) {
            return Err(StoreError::rejected(row(), "a number is not finite"));
        }
        let mut kept = record.clone();
        let s = &mut kept.stride;
        let times = [s.start, s.end]
            .into_iter()
            .chain(s.next_ic)
            .chain(s.contact.iter().flat_map(|c| [c.ic, c.m, c.tc]));
        if !times.into_iter().all(in_range) {
            return Err(StoreError::rejected(
                row(),
                "an instant lies more than a year from the start",
            ));
        }
        s.start = to_micros(s.start);
        s.end = to_micros(s.end);
        s.next_ic = s.next_ic.map(to_micros);
        s.contact = s.contact.map(|c| Contact {
            ic: to_micros(c.ic),
            m: to_micros(c.m),
            tc: to_micros(c.tc),
        });
        if s.end <= s.start {
            return Err(StoreError::rejected(row(), "it ends before it begins"));
        }
        self.strides.push(kept);
        Ok(())
    }

    /// Takes a block.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for a number that is not finite or an instant out of range.
    pub fn push_block(&mut self, block: &Block) -> Result<(), StoreError> {
        let row = || format!("block of {} at {:.3} s", self.session, block.start.secs());
        if !metrics_are_finite(&block.medians) {
            return Err(StoreError::rejected(row(), "a number is not finite"));
        }
        if !in_range(block.start) || !in_range(block.end) || block.end < block.start {
            return Err(StoreError::rejected(row(), "its span is not one"));
        }
        self.blocks.push(Block {
            start: to_micros(block.start),
            end: to_micros(block.end),
            ..block.clone()
        });
        Ok(())
    }

    /// Takes a window.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for a number that is not finite or an instant out of range.
    pub fn push_window(&mut self, window: &Window) -> Result<(), StoreError> {
        if !in_range(window.t) || !window.spectral_cadence.is_none_or(f64::is_finite) {
            let row = format!("window of {} at {:.3} s", self.session, window.t.secs());
            return Err(StoreError::rejected(
                row,
                "a number is not finite or an instant out of range",
            ));
        }
        self.windows.push(Window {
            t: to_micros(window.t),
            ..*window
        });
        Ok(())
    }

    /// Takes an event.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] for a number that is not finite or an instant out of range.
    pub fn push_event(&mut self, event: SessionEvent) -> Result<(), StoreError> {
        if !in_range(event.time()) || !event.is_finite() {
            let row = format!("{} of {} at {:.3} s", event.kind(), self.session, event.time().secs());
            return Err(StoreError::rejected(
                row,
                "a number is not finite or an instant out of range",
            ));
        }
        self.events.push(event.map_times(to_micros));
        Ok(())
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The analysis.
    #[must_use]
    pub fn analysis(&self) -> u32 {
        self.analysis
    }

    /// Its strides.
    #[must_use]
    pub fn strides(&self) -> &[StrideRecord] {
        &self.strides
    }

    /// Its blocks.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Its windows.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Its events.
    #[must_use]
    pub fn events(&self) -> &[SessionEvent] {
        &self.events
    }

    /// How many rows it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.strides.len() + self.blocks.len() + self.windows.len() + self.events.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The instant rounded to the microsecond, half away from zero, as all times are kept at rest.
#[must_use]
pub fn to_micros(t: SessionTime) -> SessionTime {
    SessionTime::from_nanos(micros_of(t).saturating_mul(1000))
}

/// Whole microseconds of the instant, rounded as [`to_micros`] does.
pub(crate) fn micros_of(t: SessionTime) -> i64 {
    let ns = t.nanos();
    (ns.saturating_add(if ns < 0 { -500 } else { 500 })) / 1000
}

/// A stride's key in words, for messages.
pub(crate) fn stride_key(session: &SessionId, analysis: u32, start: SessionTime, side: Option<Side>) -> String {
    let side = side.map_or("side unknown", Side::name);
    format!(
        "stride of {session} (analysis {analysis}) at {:.6} s, {side}",
        start.secs()
    )
}

fn in_range(t: SessionTime) -> bool {
    t.nanos().unsigned_abs() <= TIME_LIMIT_S.unsigned_abs() * 1_000_000_000
}

fn metrics_are_finite(metrics: &MetricSet) -> bool {
    metrics.iter().all(|(_, m)| m.is_err() || m.is_ok_and(f64::is_finite))
}

fn stride_is_finite(record: &StrideRecord) -> bool {
    // Taken apart by name, so that a field added to either type cannot slip in unchecked.
    let QualityParts {
        innovation,
        clipping,
        gaps,
        agreement,
        guards,
        alignment,
    } = record.stride.quality;
    let quality = [innovation, clipping, gaps, agreement, guards, alignment];
    let foot = record.stride.foot.is_none_or(|foot| {
        let FootMotion {
            displacement,
            length_sigma_m,
            pitch_ic_rad,
            touchdown_speed,
            inversion_range_rad,
            toe_out_rad,
            heading_rad,
            acc_clipped_share,
            gyro_clipped_share,
            impact_peak,
            chi2,
            linear_difference,
            free_slope,
        } = foot;
        let given = [
            length_sigma_m,
            heading_rad,
            acc_clipped_share,
            gyro_clipped_share,
            chi2,
            linear_difference,
            free_slope,
        ];
        let optional = [
            pitch_ic_rad,
            touchdown_speed,
            inversion_range_rad,
            toe_out_rad,
            impact_peak.map(|(value, _)| value),
        ];
        displacement.is_finite()
            && given
                .into_iter()
                .chain(optional.into_iter().flatten())
                .all(f64::is_finite)
    });
    quality.into_iter().all(f64::is_finite) && foot && metrics_are_finite(&record.metrics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_rounded_once_and_to_the_nearest_microsecond() {
        for (ns, us) in [
            (0, 0),
            (499, 0),
            (500, 1),
            (1_499, 1),
            (-499, 0),
            (-500, -1),
            (-1_501, -2),
        ] {
            assert_eq!(micros_of(SessionTime::from_nanos(ns)), us, "{ns}");
        }
        let once = to_micros(SessionTime::from_nanos(123_456_789));
        assert_eq!(to_micros(once), once);
    }
}
