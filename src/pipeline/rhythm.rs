//! Cadence by spectrum, once a second, beside the cadence of the events.
//!
//! The pelvis tells it where it is worn, else the first foot. Where both kinds of cadence exist and differ by more than 3 %
//! for ten seconds in a row, strides are probably missed (or the rhythm is another one), and that is said once.

use super::output::{Health, Output, Window};
use super::{PipelineConfig, side_index};
use crate::model::{Activity, ImuSample, Placement, SegmentKind, SessionTime, Stride};
use crate::signal::spectrum::{Rhythm, StepSpectrum};

/// Difference that counts, as a share.
const DIFFERS: f64 = 0.03;
/// Seconds in a row until it is said.
const PATIENCE: u32 = 10;
/// Event cadence older than this says nothing, s.
const STALE_S: f64 = 3.0;

/// Which sensor tells the rhythm.
#[derive(Clone, Debug)]
enum Source {
    Pelvis(StepSpectrum),
    Foot(usize, StepSpectrum),
    Nobody,
}

#[derive(Clone, Debug)]
pub(super) struct RhythmWatch {
    source: Source,
    last: Option<SessionTime>,
    /// End and cadence of the newest strides.
    strides: [Option<(SessionTime, f64)>; 4],
    next: usize,
    differing: u32,
}

impl RhythmWatch {
    pub(super) fn new(config: &PipelineConfig) -> Self {
        let pelvis = config.sensors.iter().find(|s| s.placement == Placement::Sacrum);
        let foot = config
            .sensors
            .iter()
            .find(|s| s.placement.segment() == SegmentKind::Foot);
        let source = match (pelvis, foot.and_then(|f| f.placement.side().map(|side| (f, side)))) {
            (Some(p), _) => Source::Pelvis(StepSpectrum::new(Rhythm::Step, p.rate_hz)),
            (None, Some((f, side))) => Source::Foot(side_index(side), StepSpectrum::new(Rhythm::Stride, f.rate_hz)),
            (None, None) => Source::Nobody,
        };
        Self {
            source,
            last: None,
            strides: [None; 4],
            next: 0,
            differing: 0,
        }
    }

    /// A stride was measured.
    pub(super) fn note_stride(&mut self, stride: &Stride) {
        let time = stride.stride_time();
        if time > 0.0 {
            self.strides[self.next % 4] = Some((stride.end, 120.0 / time));
            self.next += 1;
        }
    }

    pub(super) fn pelvis(&mut self, t: SessionTime, vertical: f64, activity: Activity, out: &mut Vec<Output>) {
        self.take(None, t, vertical, activity, out);
    }

    pub(super) fn foot(&mut self, side: usize, sample: &ImuSample, activity: Activity, out: &mut Vec<Output>) {
        self.take(Some(side), sample.t, sample.acc.norm(), activity, out);
    }

    fn take(&mut self, side: Option<usize>, t: SessionTime, value: f64, activity: Activity, out: &mut Vec<Output>) {
        let spectrum = match (&mut self.source, side) {
            (Source::Pelvis(s), None) => s,
            (Source::Foot(mine, s), Some(other)) if *mine == other => s,
            _ => return,
        };
        // A hole longer than a few samples breaks the even spacing of the window.
        if self.last.replace(t).is_some_and(|last| t.since(last) > 0.1) {
            spectrum.reset();
        }
        let Some(cadence) = spectrum.push(t, value) else { return };
        out.push(Output::Window(Window {
            t,
            spectral_cadence: cadence,
            activity,
        }));
        let events = self.event_cadence(t);
        match (cadence, events) {
            (Some(s), Some(e)) if (s / e - 1.0).abs() > DIFFERS => {
                self.differing += 1;
                if self.differing == PATIENCE {
                    out.push(Output::Health(Health::CadenceDisagrees {
                        t,
                        events: e,
                        spectrum: s,
                    }));
                }
            }
            _ => self.differing = 0,
        }
    }

    fn event_cadence(&self, t: SessionTime) -> Option<f64> {
        let mut recent = [0.0; 4];
        let mut n = 0;
        for (end, cadence) in self.strides.iter().flatten() {
            if t.since(*end) < STALE_S {
                recent[n] = *cadence;
                n += 1;
            }
        }
        let used = &mut recent[..n];
        used.sort_unstable_by(f64::total_cmp);
        used.get(n / 2).copied()
    }
}
