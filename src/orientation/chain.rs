//! From raw samples of one shank or sacrum sensor to stretches of the past in the axes of the body.
//!
//! A chain is fed samples, gaps, standing and stride bounds; whoever needs a stride asks for its stretch and either gets
//! it in the segment's frame or is told why not. [`Absent::NotAligned`] means: ask again after a later stride, the
//! samples are held for [`super::segment::HOLD_S`].

use super::sacrum_alignment::{SacrumAlignment, SacrumAxes, stride_up};
use super::sacrum_steps::SacrumSteps;
use super::segment::{MountingEvent, SensorPast, StandingSource, segment_from_axes};
use super::shank_alignment::{ShankAlignment, ShankAxes, SignFrom};
use super::slip::SlipWatch;
use super::track::TrackSample;
use crate::model::{Absent, Foot, ImuSample, Rotation, Sacrum, Sensor, SessionTime, Shank, Side, Span, Vec3};

/// Longest stretch that is ever asked for, s: a slow stride (1.9 s) with its margins.
const LONGEST_S: f64 = 2.5;

/// How far the mean up direction of a stride can be from that of standing, rad: 30° for a pelvis (recorded: up to 9°,
/// and 5° of filter error while setting off), 60° for a shank, which hangs back over most of a stride.
const PELVIS_FROM_STANDING: f64 = 0.52;
const SHANK_FROM_STANDING: f64 = 1.05;

/// Angles of the pelvis in quiet standing, rad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PelvisStanding {
    /// Tilt, anterior positive.
    pub tilt: f64,
    /// Obliquity, left side up positive.
    pub obliquity: f64,
}

/// One sensor over the sacrum.
#[derive(Debug)]
pub struct SacrumChain {
    past: SensorPast,
    alignment: SacrumAlignment,
    axes: Option<SacrumAxes>,
    slip: SlipWatch,
    steps: SacrumSteps,
    own_stride: Option<Span>,
    out: Vec<TrackSample<Sacrum>>,
}

impl SacrumChain {
    /// For a sensor of this nominal rate.
    #[must_use]
    pub fn new(rate_hz: f64) -> Self {
        Self {
            past: SensorPast::new(rate_hz),
            alignment: SacrumAlignment::default(),
            axes: None,
            slip: SlipWatch::default(),
            steps: SacrumSteps::new(rate_hz),
            own_stride: None,
            out: Vec::with_capacity((LONGEST_S * rate_hz).ceil() as usize),
        }
    }

    /// Adds a sample.
    pub fn push(&mut self, s: &ImuSample) {
        self.past.push(s);
        if let Some(newest) = self.past.last() {
            let vertical = (newest.level_from * newest.acc).v.z;
            if let Some(stride) = self.steps.push(newest.t, vertical) {
                self.own_stride = Some(stride);
            }
        }
    }

    /// Samples are missing from `from` to `to`.
    pub fn note_gap(&mut self, from: SessionTime, to: SessionTime) {
        self.past.note_gap(from, to);
        self.steps.forget();
    }

    /// The runner stands still over `span` (which may end after the newest sample).
    pub fn note_standing(&mut self, span: Span, source: StandingSource) {
        self.past.note_standing(span, source);
    }

    /// The stride the pelvis itself saw completed since the last call: for when no foot tells strides. Its bounds are
    /// low points of the body (mid-stance), of an unknown side.
    pub fn take_own_stride(&mut self) -> Option<Span> {
        self.own_stride.take()
    }

    /// Takes the speed of travel over a stride, m/s, where a foot measured it.
    pub fn note_speed(&mut self, from: SessionTime, to: SessionTime, speed: f64) {
        self.past.note_speed(from, to, speed);
    }

    /// Takes the bounds of a stride: contact to contact of one foot (`side` known: the order of events in it then also
    /// tells forward), or from [`SacrumChain::take_own_stride`]. Bounds in the past are fine as long as the samples
    /// are held.
    pub fn note_stride(&mut self, from: SessionTime, to: SessionTime, side: Option<Side>) -> Option<MountingEvent> {
        let up = Vec3::from_raw(stride_up(self.past.between(from, to).ok()?));
        self.past.check_standing(up, PELVIS_FROM_STANDING);
        let standing = self.past.standing().map(|s| s.up);
        let held = self.past.between(from, to).ok()?;
        self.alignment.note_stride(held, from, to, side, standing);
        self.slip.note(up);
        if let Some(axes) = &self.axes {
            if !self.slip.moved(axes.left) {
                return None;
            }
            self.axes = None;
            self.alignment = SacrumAlignment::default();
            self.slip = SlipWatch::default();
            self.past.forget_standing();
            return Some(MountingEvent::Moved);
        }
        self.axes = self.alignment.axes(standing);
        self.axes.map(|_| MountingEvent::Aligned)
    }

    /// The stretch `[from, to)` in the pelvis' frame. Valid until the next call.
    ///
    /// # Errors
    /// [`Absent::NotAligned`] before the mounting is known; [`Absent::Gap`] where samples are missing.
    pub fn slice(&mut self, from: SessionTime, to: SessionTime) -> Result<&[TrackSample<Sacrum>], Absent> {
        let rotation = self.segment_from_sensor().ok_or(Absent::NotAligned)?;
        self.past.turned_into(from, to, rotation, &mut self.out)?;
        Ok(&self.out)
    }

    /// The stretch `[from, to)` in the sensor's own axes: needs no mounting.
    ///
    /// # Errors
    /// [`Absent::Gap`] where samples are missing.
    pub fn held(&self, from: SessionTime, to: SessionTime) -> Result<&[TrackSample<Sensor>], Absent> {
        self.past.between(from, to)
    }

    /// The mounting, once known: up from standing where there is one, else from the mean over strides.
    #[must_use]
    pub fn segment_from_sensor(&self) -> Option<Rotation<Sacrum, Sensor>> {
        let axes = self.axes.as_ref()?;
        match self.past.standing() {
            Some(standing) => segment_from_axes(standing.up, axes.left),
            None => Some(axes.segment_from_sensor),
        }
    }

    /// Angles of the pelvis in standing in the frame of [`SacrumChain::slice`]; `None` where the runner was not seen
    /// standing since the sensor was put on. Zero by construction, because up is taken from standing: kept explicit so
    /// that a metric cannot forget to refer to it.
    #[must_use]
    pub fn standing(&self) -> Option<PelvisStanding> {
        self.past.standing().map(|_| PelvisStanding {
            tilt: 0.0,
            obliquity: 0.0,
        })
    }

    /// Vertical specific force at the newest sample, m/s², up positive; needs no mounting.
    #[must_use]
    pub fn vertical(&self) -> Option<f64> {
        self.past.last().map(|s| (s.level_from * s.acc).v.z)
    }

    /// Whether the mounting is known.
    #[must_use]
    pub fn aligned(&self) -> bool {
        self.axes.is_some()
    }
}

/// One sensor on a shank.
#[derive(Debug)]
pub struct ShankChain {
    past: SensorPast,
    alignment: ShankAlignment,
    axes: Option<ShankAxes>,
    slip: SlipWatch,
    out: Vec<TrackSample<Shank>>,
}

impl ShankChain {
    /// For a sensor of this nominal rate.
    #[must_use]
    pub fn new(rate_hz: f64) -> Self {
        Self {
            past: SensorPast::new(rate_hz),
            alignment: ShankAlignment::default(),
            axes: None,
            slip: SlipWatch::default(),
            out: Vec::with_capacity((LONGEST_S * rate_hz).ceil() as usize),
        }
    }

    /// Adds a sample.
    pub fn push(&mut self, s: &ImuSample) {
        self.past.push(s);
    }

    /// Samples are missing from `from` to `to`.
    pub fn note_gap(&mut self, from: SessionTime, to: SessionTime) {
        self.past.note_gap(from, to);
    }

    /// The runner stands still over `span` (which may end after the newest sample).
    pub fn note_standing(&mut self, span: Span, source: StandingSource) {
        self.past.note_standing(span, source);
    }

    /// Takes the speed of travel over a stride, m/s, where a foot measured it.
    pub fn note_speed(&mut self, from: SessionTime, to: SessionTime, speed: f64) {
        self.past.note_speed(from, to, speed);
    }

    /// Takes the bounds of a stride, and the aligned samples of the foot of the same side over it, where worn.
    pub fn note_stride(
        &mut self,
        from: SessionTime,
        to: SessionTime,
        foot: Option<&[TrackSample<Foot>]>,
    ) -> Option<MountingEvent> {
        let up = Vec3::from_raw(stride_up(self.past.between(from, to).ok()?));
        self.past.check_standing(up, SHANK_FROM_STANDING);
        let standing = self.past.standing().map(|s| s.up);
        let held = self.past.between(from, to).ok()?;
        self.alignment.note_stride(held, foot);
        self.slip.note(up);
        if let Some(axes) = &self.axes {
            if !self.slip.moved(axes.left) {
                return None;
            }
            self.axes = None;
            self.alignment = ShankAlignment::default();
            self.slip = SlipWatch::default();
            self.past.forget_standing();
            return Some(MountingEvent::Moved);
        }
        self.axes = self.alignment.axes(standing);
        self.axes.map(|_| MountingEvent::Aligned)
    }

    /// The stretch `[from, to)` in the shank's frame. Valid until the next call.
    ///
    /// # Errors
    /// [`Absent::NotAligned`] before the mounting is known; [`Absent::Gap`] where samples are missing.
    pub fn slice(&mut self, from: SessionTime, to: SessionTime) -> Result<&[TrackSample<Shank>], Absent> {
        let rotation = self.segment_from_sensor().ok_or(Absent::NotAligned)?;
        self.past.turned_into(from, to, rotation, &mut self.out)?;
        Ok(&self.out)
    }

    /// The mounting, once known: up from standing where there is one, else from the mean over strides.
    #[must_use]
    pub fn segment_from_sensor(&self) -> Option<Rotation<Shank, Sensor>> {
        let axes = self.axes.as_ref()?;
        match self.past.standing() {
            Some(standing) => segment_from_axes(standing.up, axes.left),
            None => Some(axes.segment_from_sensor),
        }
    }

    /// Angle of the shank in standing in the frame of [`ShankChain::slice`], rad: zero by construction where the
    /// runner was seen standing.
    #[must_use]
    pub fn standing(&self) -> Option<f64> {
        self.past.standing().map(|_| 0.0)
    }

    /// Whether the mounting is known.
    #[must_use]
    pub fn aligned(&self) -> bool {
        self.axes.is_some()
    }

    /// What the sign of the axes rests on, once they are known.
    #[must_use]
    pub fn sign_from(&self) -> Option<SignFrom> {
        self.axes.map(|a| a.sign_from)
    }
}
