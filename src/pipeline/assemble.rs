//! From a stride and the past of all sensors to a record.

use super::waiting::{MOUNTING_WAIT_S, SILENT_S, Waiting};
use super::{FootLane, Health, Output, Pipeline};
use crate::metrics::confidence::quality_parts;
use crate::metrics::context::{StandingReference, Synchronised};
use crate::metrics::{MetricSet, StrideContext, StrideRecord};
use crate::model::{Absent, Contact, DataClass, Placement, SessionTime, Side};
use crate::orientation::MountingEvent;

/// Two-sensor measurements need clocks that agree this well, s: at 3.3 m/s 10 ms are 3.3 cm.
const SYNC_NEEDED_S: f64 = 0.010;

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Strides that all live sensors have passed.
    Watermark,
    /// All.
    End,
}

impl Pipeline {
    /// Turns waiting strides into records.
    pub(super) fn assemble(&mut self, until: Until, out: &mut Vec<Output>) {
        self.tell_chains(until, out);
        while let Some(front) = self.queue.front() {
            if until == Until::Watermark && !(front.told && self.passed(front) && self.mountings_known()) {
                return;
            }
            let Some(waiting) = self.queue.pop() else { return };
            let record = self.measure(&waiting);
            self.rhythm.note_stride(&record.stride);
            self.blocks.push(&record, &mut self.closed);
            out.push(Output::Stride(Box::new(record)));
            self.give_blocks(out);
        }
    }

    /// Tells the chains of shank and pelvis the bounds and speed of strides whose samples they have: their mounting is
    /// found from whole strides.
    fn tell_chains(&mut self, until: Until, out: &mut Vec<Output>) {
        let sacrum_now = self.sacrum.as_ref().and_then(|l| l.intake.now);
        let shank_now: [Option<SessionTime>; 2] =
            std::array::from_fn(|i| self.shanks[i].as_ref().and_then(|l| l.intake.now));
        for waiting in self.queue.iter_mut() {
            let reached = |now: Option<SessionTime>| {
                until == Until::End
                    || now.is_none_or(|n| n >= waiting.to() || self.now.is_some_and(|all| all.since(n) > SILENT_S))
            };
            let shank = waiting.foot.and_then(|i| shank_now[i]);
            if waiting.told || !reached(sacrum_now) || !reached(shank) {
                continue;
            }
            waiting.told = true;
            let (from, to) = waiting.cycle();
            let speed = waiting
                .stride
                .foot
                .map(|f| f.displacement.v.x / waiting.stride.secs().max(1e-3));
            if let Some(lane) = &mut self.sacrum {
                if let Some(speed) = speed {
                    lane.chain.note_speed(from, to, speed);
                }
                let event = lane.chain.note_stride(from, to, waiting.stride.side);
                out.extend(event.map(|e| mounting(e, Placement::Sacrum, to)));
            }
            let Some(index) = waiting.foot else { continue };
            let slice = match &self.feet[index] {
                Some(foot) => foot
                    .chain
                    .slice(from, to, &mut self.foot_slice)
                    .ok()
                    .map(|()| self.foot_slice.as_slice()),
                None => None,
            };
            let held = self.sacrum.as_ref().and_then(|l| l.chain.held(from, to).ok());
            out.extend(self.sides.note(&waiting.stride, slice, held).map(Output::Health));
            if let Some(lane) = &mut self.shanks[index] {
                if let Some(speed) = speed {
                    lane.chain.note_speed(from, to, speed);
                }
                let event = lane.chain.note_stride(from, to, slice);
                let side = if index == 0 { Side::Left } else { Side::Right };
                out.extend(event.map(|e| mounting(e, Placement::shank(side), to)));
            }
        }
    }

    /// Whether every live sensor is past what this stride's measurements look at.
    fn passed(&self, waiting: &Waiting) -> bool {
        let Some(all) = self.now else { return false };
        let to = waiting.to();
        let past = |now: Option<SessionTime>| now.is_none_or(|n| n >= to || all.since(n) > SILENT_S);
        if !past(self.sacrum.as_ref().and_then(|l| l.intake.now)) {
            return false;
        }
        let Some(index) = waiting.foot else { return true };
        let own_shank = self.shanks[index].as_ref().and_then(|l| l.intake.now);
        let Some(other) = &self.feet[1 - index] else {
            return past(own_shank);
        };
        let silent = other.intake.now.is_none_or(|n| all.since(n) > SILENT_S);
        // The other foot's contact inside the stride lies half a stride before its end.
        let needed = waiting.stride.next_ic.unwrap_or(waiting.stride.end);
        let decided = other
            .chain
            .decided_until()
            .is_some_and(|d| d >= needed || other.contacts.back().is_some_and(|c| inside(c, waiting).is_some()));
        past(own_shank) && (silent || decided)
    }

    /// Whether the mountings of pelvis and shanks are known, or have been waited for long enough.
    fn mountings_known(&self) -> bool {
        let waited = match (self.first_stride, self.now) {
            (Some(first), Some(now)) => now.since(first) > MOUNTING_WAIT_S,
            _ => false,
        };
        waited
            || (self.sacrum.as_ref().is_none_or(|l| l.chain.aligned())
                && self.shanks.iter().flatten().all(|l| l.chain.aligned()))
    }

    fn measure(&mut self, waiting: &Waiting) -> StrideRecord {
        let mut stride = waiting.stride;
        stride.quality = quality_parts(&stride);
        let (from, to) = (waiting.from(), waiting.to());
        let (mut before, mut within) = (None, None);
        let mut foot = None;
        if let Some(index) = waiting.foot {
            if let Some(other) = &self.feet[1 - index] {
                (before, within) = neighbours(other, waiting);
            }
            if let Some(lane) = &self.feet[index] {
                foot = lane
                    .chain
                    .slice(from, to, &mut self.foot_slice)
                    .ok()
                    .map(|()| self.foot_slice.as_slice());
            }
        }
        let shank_lane = waiting.foot.and_then(|i| self.shanks[i].as_mut());
        let shank_standing = shank_lane.as_ref().and_then(|l| l.chain.standing());
        let shank = match shank_lane {
            Some(lane) => lane.chain.slice(from, to),
            None => Err(Absent::NoSensor),
        };
        let pelvis_standing = self.sacrum.as_ref().and_then(|l| l.chain.standing());
        let sacrum = match &mut self.sacrum {
            Some(lane) => lane.chain.slice(from, to),
            None => Err(Absent::NoSensor),
        };
        let synchronised = if self.config.sync_sigma_s <= SYNC_NEEDED_S {
            Synchronised::Yes
        } else {
            Synchronised::No
        };
        let context = StrideContext {
            stride: &stride,
            foot,
            shank,
            sacrum,
            opposite_before: before,
            opposite_inside: within,
            synchronised,
            standing: StandingReference {
                pelvis_tilt: pelvis_standing.map(|s| s.tilt),
                pelvis_obliquity: pelvis_standing.map(|s| s.obliquity),
                shank_angle: shank_standing,
            },
            athlete: &self.config.athlete,
        };
        let mut metrics = MetricSet::default();
        self.metrics[waiting.foot.unwrap_or(2)].compute_all(&context, &mut metrics);
        let count = match waiting.foot {
            Some(i) => self.feet[i].as_mut().map(|l| &mut l.count),
            None => self.sacrum.as_mut().map(|l| &mut l.count),
        };
        let index = count.map_or(0, |c| {
            *c += 1;
            *c - 1
        });
        StrideRecord {
            index,
            stride,
            metrics,
            class: DataClass::of(stride.quality.product()),
        }
    }
}

fn mounting(event: MountingEvent, placement: Placement, t: SessionTime) -> Output {
    Output::Health(match event {
        MountingEvent::Aligned => Health::Aligned { placement, t },
        MountingEvent::Moved => Health::SensorMoved { placement, t },
    })
}

/// A contact, if it lies between the stride's two initial contacts.
fn inside<'a>(contact: &'a Contact, waiting: &Waiting) -> Option<&'a Contact> {
    let (from, to) = waiting.cycle();
    (contact.ic >= from && contact.ic < to).then_some(contact)
}

/// The other foot's contact before this stride's, within one stride time, and the one inside it.
fn neighbours(other: &FootLane, waiting: &Waiting) -> (Option<Contact>, Option<Contact>) {
    let (from, to) = waiting.cycle();
    let within = other.contacts.iter().find(|c| inside(c, waiting).is_some()).copied();
    let earliest = from.plus(-to.since(from));
    let before = other
        .contacts
        .iter()
        .rev()
        .find(|c| c.ic < from && c.ic > earliest)
        .copied();
    (before, within)
}
