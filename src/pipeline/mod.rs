//! The whole signal loop: push sensor events in, get strides, blocks, windows and health out.
//!
//! ```text
//! event → intake ─┬─ foot   ─ FootChain   ─► strides, contacts ─┐
//!                 ├─ shank  ─ ShankChain  ─► past               ├─► queue (watermark) ─► metrics ─► StrideRecord
//!                 └─ sacrum ─ SacrumChain ─► past, own strides ─┘
//! ```
//!
//! One struct with named fields called in order; no plugin loader, no graph. Causal and deterministic: the output for a
//! prefix of the input is a prefix of the output, and cutting the input into pieces of any size changes nothing.

pub mod again;
mod assemble;
mod intake;
pub mod output;
mod rhythm;
mod sides;
mod stretches;
mod waiting;

pub use intake::Losses;
pub use output::{Block, Confidence, Health, Output, Window};

use crate::gait::feet_check::FeetCheck;
use crate::gait::{FootChain, FootEvent};
use crate::metrics::aggregate::{BlockStats, Blocks};
use crate::metrics::families::StrideMetrics;
use crate::model::{
    Activity, Athlete, Contact, Foot, ImuSample, Placement, QualityParts, SegmentKind, SensorConfig, SensorEvent,
    SessionTime, Side, Span, Stride, StrideFlags,
};
use crate::orientation::{SacrumChain, ShankChain, StandingSource, TrackSample};
use intake::{Entry, Intake};
use std::collections::VecDeque;
use waiting::{Queue, Waiting};

/// What a session is about: sensors worn and the runner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PipelineConfig {
    /// The sensors. Events of a placement not listed here are ignored (and counted).
    pub sensors: Vec<SensorConfig>,
    /// The runner.
    pub athlete: Athlete,
    /// How far the clocks of the sensors may differ, s: 0 for one logger, a few ms after time synchronisation. Two-sensor
    /// measurements are absent above 10 ms.
    pub sync_sigma_s: f64,
    /// Personal correction of the mid-stance speed from references of known length, m/s (0 without any).
    pub personal_speed_offset: f64,
}

/// Contacts of one foot kept to find the other foot's neighbours.
const CONTACTS_KEPT: usize = 192;

#[derive(Debug)]
struct FootLane {
    intake: Intake,
    chain: FootChain,
    config: SensorConfig,
    events: Vec<FootEvent>,
    contacts: VecDeque<Contact>,
    /// Strides given out so far.
    count: u32,
    moved: u32,
}

#[derive(Debug)]
struct ShankLane {
    intake: Intake,
    chain: ShankChain,
}

#[derive(Debug)]
struct SacrumLane {
    intake: Intake,
    chain: SacrumChain,
    /// Strides given out that only the pelvis saw.
    count: u32,
}

/// The signal loop. Push events in arrival order; outputs appear as soon as they are final; [`Pipeline::flush`] says
/// that nothing more comes.
#[derive(Debug)]
pub struct Pipeline {
    config: PipelineConfig,
    feet: [Option<FootLane>; 2],
    shanks: [Option<ShankLane>; 2],
    sacrum: Option<SacrumLane>,
    queue: Queue,
    metrics: [StrideMetrics; 3],
    rhythm: rhythm::RhythmWatch,
    sides: sides::SidesWatch,
    blocks: Blocks,
    closed: Vec<BlockStats>,
    foot_slice: Vec<TrackSample<Foot>>,
    /// Newest instant of any sensor.
    now: Option<SessionTime>,
    first_stride: Option<SessionTime>,
    unlisted: u64,
}

fn side_index(side: Side) -> usize {
    match side {
        Side::Left => 0,
        Side::Right => 1,
    }
}

impl Pipeline {
    /// A loop for these sensors.
    #[must_use]
    pub fn new(config: PipelineConfig) -> Self {
        let mut feet = [None, None];
        let mut shanks = [None, None];
        let mut sacrum = None;
        for sensor in &config.sensors {
            let intake = Intake::new(sensor.placement, sensor.rate_hz);
            match (sensor.placement.segment(), sensor.placement.side()) {
                (SegmentKind::Foot, Some(side)) => {
                    feet[side_index(side)] = Some(FootLane {
                        intake,
                        chain: FootChain::new(*sensor, config.personal_speed_offset),
                        config: *sensor,
                        events: Vec::with_capacity(256),
                        contacts: VecDeque::with_capacity(CONTACTS_KEPT),
                        count: 0,
                        moved: 0,
                    });
                }
                (SegmentKind::Shank, Some(side)) => {
                    shanks[side_index(side)] = Some(ShankLane {
                        intake,
                        chain: ShankChain::new(sensor.rate_hz),
                    });
                }
                _ => {
                    sacrum = Some(SacrumLane {
                        intake,
                        chain: SacrumChain::new(sensor.rate_hz),
                        count: 0,
                    })
                }
            }
        }
        let rhythm = rhythm::RhythmWatch::new(&config);
        Self {
            config,
            feet,
            shanks,
            sacrum,
            queue: Queue::new(),
            metrics: std::array::from_fn(|_| StrideMetrics::default()),
            rhythm,
            sides: sides::SidesWatch::default(),
            blocks: Blocks::default(),
            closed: Vec::with_capacity(4),
            foot_slice: Vec::with_capacity(2048),
            now: None,
            first_stride: None,
            unlisted: 0,
        }
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &PipelineConfig {
        &self.config
    }

    /// What a sensor delivered and what it did not; `None` for one that is not listed.
    #[must_use]
    pub fn losses(&self, placement: Placement) -> Option<Losses> {
        let side = placement.side().map(side_index);
        match (placement.segment(), side) {
            (SegmentKind::Foot, Some(i)) => self.feet[i].as_ref().map(|l| l.intake.losses),
            (SegmentKind::Shank, Some(i)) => self.shanks[i].as_ref().map(|l| l.intake.losses),
            _ => self.sacrum.as_ref().map(|l| l.intake.losses),
        }
    }

    /// Samples of placements that are not listed in the configuration.
    #[must_use]
    pub fn unlisted_samples(&self) -> u64 {
        self.unlisted
    }

    /// What the runner does at the newest instant, by the feet.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.feet
            .iter()
            .flatten()
            .map(|l| l.chain.activity())
            .find(|a| *a != Activity::Still)
            .unwrap_or(Activity::Still)
    }

    /// Whether the shoe sensors sit on the feet they are named for, as far as the first strides tell.
    #[must_use]
    pub fn feet_check(&self) -> &FeetCheck {
        &self.sides.check
    }

    /// Takes one event; appends what became final to `out`.
    pub fn push(&mut self, event: &SensorEvent, out: &mut Vec<Output>) {
        match event {
            SensorEvent::Sample(placement, sample) => self.take_sample(*placement, sample, out),
            SensorEvent::Gap {
                placement, from, cause, ..
            } => {
                if let Some(intake) = self.intake(*placement) {
                    intake.note_gap(*from, *cause);
                }
            }
            SensorEvent::Standing { from, to } => self.note_standing(*from, *to),
        }
    }

    /// Nothing more comes: gives out what was still waiting. Calling it again adds nothing.
    pub fn flush(&mut self, out: &mut Vec<Output>) {
        for side in 0..2 {
            if let Some(lane) = &mut self.feet[side] {
                lane.chain.flush(&mut lane.events);
            }
            self.take_foot_events(side, out);
        }
        for placement in Placement::ALL {
            if let Some(intake) = self.intake(placement) {
                intake.close(out);
            }
        }
        self.assemble(assemble::Until::End, out);
        self.blocks.flush(&mut self.closed);
        self.give_blocks(out);
    }

    fn intake(&mut self, placement: Placement) -> Option<&mut Intake> {
        let side = placement.side().map(side_index);
        match (placement.segment(), side) {
            (SegmentKind::Foot, Some(i)) => self.feet[i].as_mut().map(|l| &mut l.intake),
            (SegmentKind::Shank, Some(i)) => self.shanks[i].as_mut().map(|l| &mut l.intake),
            _ => self.sacrum.as_mut().map(|l| &mut l.intake),
        }
    }

    fn take_sample(&mut self, placement: Placement, sample: &ImuSample, out: &mut Vec<Output>) {
        let side = placement.side().map(side_index);
        let known = match (placement.segment(), side) {
            (SegmentKind::Foot, Some(i)) => self.take_foot_sample(i, sample, out),
            (SegmentKind::Shank, Some(i)) => self.take_shank_sample(i, sample, out),
            _ => self.take_sacrum_sample(sample, out),
        };
        if known.is_none() {
            self.unlisted += 1;
            return;
        }
        self.now = Some(self.now.map_or(sample.t, |n| n.max(sample.t)));
        if !self.queue.is_empty() {
            self.assemble(assemble::Until::Watermark, out);
        }
    }

    fn take_foot_sample(&mut self, side: usize, sample: &ImuSample, out: &mut Vec<Output>) -> Option<()> {
        let lane = self.feet[side].as_mut()?;
        match lane.intake.admit(sample, out) {
            Entry::Refused => return Some(()),
            Entry::InSequence => {
                for bridged in &lane.intake.bridged {
                    lane.chain.push(bridged, &mut lane.events);
                }
            }
            Entry::AfterGap(_) => lane.chain.note_gap(),
        }
        lane.chain.push(sample, &mut lane.events);
        // A shoe sensor's limit may be learned from what it says, so the chain knows best.
        let clip = sample
            .clip
            .union(lane.chain.rails().judge(&sample.acc.v, &sample.gyro.v));
        lane.intake.note_clip(sample.t, clip, out);
        let activity = lane.chain.activity();
        self.rhythm.foot(side, sample, activity, out);
        let Some(lane) = &self.feet[side] else { return Some(()) };
        if !lane.events.is_empty() {
            self.take_foot_events(side, out);
        }
        Some(())
    }

    fn take_shank_sample(&mut self, side: usize, sample: &ImuSample, out: &mut Vec<Output>) -> Option<()> {
        let lane = self.shanks[side].as_mut()?;
        match lane.intake.admit(sample, out) {
            Entry::Refused => return Some(()),
            Entry::InSequence => lane.intake.bridged.iter().for_each(|b| lane.chain.push(b)),
            Entry::AfterGap(from) => lane.chain.note_gap(from, sample.t),
        }
        lane.chain.push(sample);
        lane.intake.note_clip(sample.t, sample.clip, out);
        Some(())
    }

    fn take_sacrum_sample(&mut self, sample: &ImuSample, out: &mut Vec<Output>) -> Option<()> {
        let feet_live = self.feet_live(sample.t);
        let lane = self.sacrum.as_mut()?;
        match lane.intake.admit(sample, out) {
            Entry::Refused => return Some(()),
            Entry::InSequence => lane.intake.bridged.iter().for_each(|b| lane.chain.push(b)),
            Entry::AfterGap(from) => lane.chain.note_gap(from, sample.t),
        }
        lane.chain.push(sample);
        lane.intake.note_clip(sample.t, sample.clip, out);
        let vertical = lane.chain.vertical();
        let own = lane.chain.take_own_stride();
        let activity = self.activity();
        if let Some(vertical) = vertical {
            self.rhythm.pelvis(sample.t, vertical, activity, out);
        }
        if let Some(span) = own
            && !feet_live
        {
            let stride = stride_of_pelvis(span);
            self.queue.insert(Waiting {
                stride,
                foot: None,
                told: false,
            });
            self.first_stride.get_or_insert(span.start());
        }
        Some(())
    }

    /// Whether a foot sensor delivers. Where none does, the pelvis tells strides by itself.
    fn feet_live(&self, now: SessionTime) -> bool {
        self.feet
            .iter()
            .flatten()
            .filter_map(|l| l.intake.now)
            .any(|t| now.since(t) < waiting::SILENT_S)
    }

    fn note_standing(&mut self, from: SessionTime, to: SessionTime) {
        for lane in self.feet.iter_mut().flatten() {
            lane.chain.note_standing(from, to);
        }
        let Some(span) = Span::new(from, to) else { return };
        for lane in self.shanks.iter_mut().flatten() {
            lane.chain.note_standing(span, StandingSource::Asked);
        }
        if let Some(lane) = &mut self.sacrum {
            lane.chain.note_standing(span, StandingSource::Asked);
        }
    }

    fn give_blocks(&mut self, out: &mut Vec<Output>) {
        out.extend(self.closed.drain(..).map(|b| {
            Output::Block(Box::new(Block {
                side: b.side,
                start: b.start,
                end: b.end,
                usable: b.usable,
                seen: b.seen,
                medians: b.medians,
                confidence: b.confidence,
            }))
        }));
    }

    fn take_foot_events(&mut self, side: usize, out: &mut Vec<Output>) {
        let Some(lane) = &mut self.feet[side] else { return };
        let placement = lane.config.placement;
        for event in lane.events.drain(..) {
            match event {
                FootEvent::Stride(stride) => {
                    self.first_stride.get_or_insert(stride.start);
                    self.queue.insert(Waiting {
                        stride: *stride,
                        foot: Some(side),
                        told: false,
                    });
                }
                FootEvent::Contact(contact) => {
                    if lane.contacts.len() == CONTACTS_KEPT {
                        lane.contacts.pop_front();
                    }
                    lane.contacts.push_back(contact);
                    out.push(Output::Contact { placement, contact });
                }
                FootEvent::Provisional { ic, told_at } => {
                    out.push(Output::ProvisionalContact { placement, ic, told_at });
                }
                FootEvent::Refused { t, guard } => {
                    out.push(Output::Health(Health::ContactRefused { placement, t, guard }));
                }
                FootEvent::Aligned(t) => out.push(Output::Health(Health::Aligned { placement, t })),
                FootEvent::RailLearned(t) => out.push(Output::Health(Health::RailLearned { placement, t })),
            }
        }
        if lane.chain.times_moved() > lane.moved
            && let Some(t) = lane.intake.now
        {
            lane.moved = lane.chain.times_moved();
            out.push(Output::Health(Health::SensorMoved { placement, t }));
        }
    }
}

/// A stride that only the pelvis saw: bounds at low points of the body, side unknown. Above 140 steps a minute people
/// run; the walk–run change lies between 120 and 140.
fn stride_of_pelvis(span: Span) -> Stride {
    let activity = if 120.0 / span.secs().max(0.1) > 140.0 {
        Activity::Running
    } else {
        Activity::Walking
    };
    Stride {
        side: None,
        seen_from: SegmentKind::Sacrum,
        start: span.start(),
        end: span.end(),
        contact: None,
        next_ic: None,
        foot: None,
        activity,
        flags: StrideFlags::default(),
        quality: QualityParts::FULL,
    }
}
