//! Sensor events as a perfect clock stage would hand them on: what arrives at all, merged in time order.

use super::link::Link;
use super::sensor::SensorSpec;
use super::simulation::Simulation;
use crate::model::{GapCause, SensorEvent, SessionTime};
use std::collections::VecDeque;

/// Shortest planned standing that is announced, s: shorter ones say nothing about posture.
const SHORTEST_STANDING_S: f64 = 3.0;

/// Events of one sensor.
#[derive(Clone, Debug)]
struct Channel<'a> {
    link: Link<'a>,
    spec: SensorSpec,
    queue: VecDeque<(SessionTime, SensorEvent)>,
    last: Option<(SessionTime, u32)>,
    lost: u32,
}

impl Channel<'_> {
    /// Fills the queue with the next frame that arrives; leaves it empty at the end.
    fn fill(&mut self) {
        while self.queue.is_empty() {
            let Some(frame) = self.link.next() else { return };
            if frame.arrivals.is_empty() {
                self.lost += frame.samples.len() as u32;
                continue;
            }
            for raw in &frame.samples {
                let sample = self.spec.sample(raw);
                if let Some((from, boot)) = self.last
                    && (self.lost > 0 || boot != raw.boot)
                {
                    let cause = if boot == raw.boot {
                        GapCause::Lost
                    } else {
                        GapCause::Reboot
                    };
                    let missing = (sample.t.since(from) * self.spec.rate_hz).round() as u32;
                    let gap = SensorEvent::Gap {
                        placement: self.spec.placement,
                        from,
                        to: sample.t,
                        missing: missing.saturating_sub(1),
                        cause,
                    };
                    self.queue.push_back((sample.t, gap));
                }
                self.lost = 0;
                self.last = Some((sample.t, raw.boot));
                self.queue
                    .push_back((sample.t, SensorEvent::Sample(self.spec.placement, sample)));
            }
        }
    }
}

/// Time-ordered events of all sensors.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    channels: Vec<Channel<'a>>,
    /// Standing still to come, in order.
    standing: VecDeque<(SessionTime, SessionTime)>,
}

impl<'a> Events<'a> {
    pub(super) fn new(simulation: &'a Simulation) -> Self {
        let channel = |&p: &_| Channel {
            link: Link::new(simulation, p),
            spec: simulation.spec(p),
            queue: VecDeque::new(),
            last: None,
            lost: 0,
        };
        let long = |&&(from, to): &&(f64, f64)| to - from >= SHORTEST_STANDING_S;
        let standing = simulation.rests().iter().filter(long);
        Self {
            channels: simulation.config().placements.iter().map(channel).collect(),
            standing: standing
                .map(|&(a, b)| (SessionTime::from_secs(a), SessionTime::from_secs(b)))
                .collect(),
        }
    }
}

impl Iterator for Events<'_> {
    type Item = SensorEvent;

    fn next(&mut self) -> Option<SensorEvent> {
        for channel in &mut self.channels {
            channel.fill();
        }
        let fronts = self
            .channels
            .iter()
            .enumerate()
            .filter_map(|(i, c)| c.queue.front().map(|q| (q.0, i)));
        let first = fronts.min();
        if let Some(&(from, to)) = self.standing.front()
            && first.is_none_or(|(t, _)| t >= to)
        {
            self.standing.pop_front();
            return Some(SensorEvent::Standing { from, to });
        }
        let (_, channel) = first?;
        self.channels[channel].queue.pop_front().map(|(_, event)| event)
    }
}
