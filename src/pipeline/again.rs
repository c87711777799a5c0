//! One sensor once more, to draw what the loop measured on it.
//!
//! Curves are not kept: a stride's record holds numbers. They come from the raw samples through the very chains that made
//! the numbers ([`FootChain`], [`SacrumChain`]), one sensor at a time, over a stretch that ends with the stride. What the loop
//! learned from the other sensors (bounds, sides and speeds of strides) is told from the record instead of being found again.
//!
//! What a chain must have seen before a stride can be drawn:
//!
//! | | why | how much |
//! |---|---|---|
//! | standing | up, and the zero of the angles | the samples of the stand |
//! | beginning | the mounting is learned from the first strides and then held | [`PelvisAgain::BEGINNING_S`] from the first stride, or from where the sensor was found to have moved |
//! | run-up | attitude settles anew after the jump | [`PelvisAgain::RUN_UP_S`], [`FootAgain::RUN_UP_S`] |
//!
//! Between these stretches time jumps; a chain takes that as missing samples, which it is made for. Pure and synchronous:
//! whoever has the samples pushes them.

use super::intake::{Entry, Intake};
use crate::gait::{FootChain, FootEvent, FootPath};
use crate::metrics::StrideContext;
use crate::metrics::pelvis_curve::PelvisCurve;
use crate::model::{Absent, Placement, SensorConfig, SensorEvent, SessionTime, Span, Stride};
use crate::orientation::{SacrumChain, StandingSource};

/// The sacrum sensor once more.
#[derive(Debug)]
pub struct PelvisAgain {
    intake: Intake,
    chain: SacrumChain,
}

impl PelvisAgain {
    /// Seconds from the first stride in which the mounting becomes known: the loop holds strides for it that long.
    pub const BEGINNING_S: f64 = super::waiting::MOUNTING_WAIT_S;
    /// Seconds before a stride from which samples are pushed: three for the attitude filter to be used at all, three for the
    /// strides that level it, and two of its time constants more.
    pub const RUN_UP_S: f64 = 12.0;

    /// Of a sensor of this nominal rate.
    #[must_use]
    pub fn new(rate_hz: f64) -> Self {
        Self {
            intake: Intake::new(Placement::Sacrum, rate_hz),
            chain: SacrumChain::new(rate_hz),
        }
    }

    /// Takes an event; those of other sensors are ignored.
    pub fn push(&mut self, event: &SensorEvent) {
        match event {
            SensorEvent::Sample(Placement::Sacrum, sample) => {
                match self.intake.admit(sample, &mut Vec::new()) {
                    Entry::Refused => return,
                    Entry::InSequence => self.intake.bridged.iter().for_each(|b| self.chain.push(b)),
                    Entry::AfterGap(from) => self.chain.note_gap(from, sample.t),
                }
                self.chain.push(sample);
            }
            SensorEvent::Gap {
                placement: Placement::Sacrum,
                from,
                cause,
                ..
            } => self.intake.note_gap(*from, *cause),
            SensorEvent::Standing { from, to } => {
                if let Some(span) = Span::new(*from, *to) {
                    self.chain.note_standing(span, StandingSource::Asked);
                }
            }
            SensorEvent::Sample(..) | SensorEvent::Gap { .. } => {}
        }
    }

    /// Tells a stride of the record once its samples have been pushed, in the order of their ends.
    pub fn note_stride(&mut self, stride: &Stride) {
        let (from, to) = stride.cycle();
        if let Some(foot) = stride.foot {
            let speed = foot.displacement.v.x / stride.secs().max(1e-3);
            self.chain.note_speed(from, to, speed);
        }
        self.chain.note_stride(from, to, stride.side);
    }

    /// The first instant after what [`PelvisAgain::curve`] of this stride looks at.
    #[must_use]
    pub fn needs_until(stride: &Stride) -> SessionTime {
        stride.end.plus(StrideContext::MARGIN_S)
    }

    /// The curve of a stride that has been told and whose samples have been pushed.
    ///
    /// # Errors
    /// Why there is none: as for the pelvic metrics.
    pub fn curve(&mut self, stride: &Stride) -> Result<PelvisCurve, Absent> {
        let from = stride.cycle().0.plus(-StrideContext::MARGIN_S);
        let standing = self.chain.standing();
        let samples = self.chain.slice(from, Self::needs_until(stride))?;
        PelvisCurve::of(stride, samples, standing)
    }
}

/// A shoe sensor once more.
#[derive(Debug)]
pub struct FootAgain {
    intake: Intake,
    chain: FootChain,
    placement: Placement,
    events: Vec<FootEvent>,
}

impl FootAgain {
    /// Seconds before a stride from which samples are pushed: some thirty strides, over which the mounting fades.
    pub const RUN_UP_S: f64 = 30.0;
    /// Seconds after a stride's end that are pushed: a mid-stance is told when the next mid-swing is confirmed.
    pub const AFTER_S: f64 = 2.2;

    /// Of this sensor; ways are kept of strides that begin in `span`.
    #[must_use]
    pub fn new(config: SensorConfig, span: Span) -> Self {
        let mut chain = FootChain::new(config, 0.0);
        chain.trace(span);
        Self {
            intake: Intake::new(config.placement, config.rate_hz),
            chain,
            placement: config.placement,
            events: Vec::new(),
        }
    }

    /// Takes an event; those of other sensors are ignored.
    pub fn push(&mut self, event: &SensorEvent) {
        match event {
            SensorEvent::Sample(placement, sample) if *placement == self.placement => {
                match self.intake.admit(sample, &mut Vec::new()) {
                    Entry::Refused => return,
                    Entry::InSequence => {
                        for bridged in &self.intake.bridged {
                            self.chain.push(bridged, &mut self.events);
                        }
                    }
                    Entry::AfterGap(_) => self.chain.note_gap(),
                }
                self.chain.push(sample, &mut self.events);
            }
            SensorEvent::Gap {
                placement, from, cause, ..
            } if *placement == self.placement => self.intake.note_gap(*from, *cause),
            SensorEvent::Standing { from, to } => self.chain.note_standing(*from, *to),
            SensorEvent::Sample(..) | SensorEvent::Gap { .. } => {}
        }
        self.events.clear();
    }

    /// Nothing more comes: the ways of the strides asked for, as far as they were found.
    #[must_use]
    pub fn finish(mut self) -> Vec<FootPath> {
        self.chain.flush(&mut self.events);
        self.chain.take_paths()
    }
}
