//! Frames of the sensor protocol from all sensors, in the order in which a host would get them.

use super::link::Link;
use super::sensor::RawSample;
use super::simulation::Simulation;
use crate::model::{Placement, SessionTime};
use firmware_protocol::{
    CfgId, ClipLimits, DataHeader, FrameFlags, ImuEntry, LONGEST_FRAME, PodTime, StreamId, encode_data_marking_clipping,
};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A frame that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimEvent {
    /// When the host gets it.
    pub arrival: SessionTime,
    /// From which sensor, by its label.
    pub placement: Placement,
    /// The notification, as the sensor protocol defines it (imu6, stream 0; the configuration number is one more than
    /// the restarts of the sensor).
    pub bytes: Vec<u8>,
}

/// Counts at which the sensors call an axis clipped: 0.995 of full scale.
const CLIP_COUNT: u16 = 32_604;

/// Arrival-ordered frames. Holds at most the frames that may still be overtaken.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    links: Vec<(Placement, Link<'a>)>,
    /// Per link, the time before which nothing more can arrive from it; `None` when it is over.
    horizons: Vec<Option<f64>>,
    heap: BinaryHeap<Reverse<(SessionTime, usize, u64)>>,
    /// Bytes of the frames in the heap, by their number.
    waiting: std::collections::BTreeMap<u64, Vec<u8>>,
    count: u64,
}

impl<'a> Packets<'a> {
    pub(super) fn new(simulation: &'a Simulation) -> Self {
        let links: Vec<_> = simulation
            .config()
            .placements
            .iter()
            .map(|&p| (p, Link::new(simulation, p)))
            .collect();
        let horizons = vec![Some(f64::NEG_INFINITY); links.len()];
        Self {
            links,
            horizons,
            heap: BinaryHeap::new(),
            waiting: std::collections::BTreeMap::new(),
            count: 0,
        }
    }

    fn advance(&mut self, link: usize) {
        let Some(on_air) = self.links[link].1.next() else {
            self.horizons[link] = None;
            return;
        };
        self.horizons[link] = Some(on_air.complete_s);
        let Some(bytes) = encode(&on_air.samples) else { return };
        for &arrival in &on_air.arrivals {
            self.heap
                .push(Reverse((SessionTime::from_secs(arrival), link, self.count)));
            self.waiting.insert(self.count, bytes.clone());
            self.count += 1;
        }
    }

    /// The link that may still send something before all others.
    fn earliest_link(&self) -> Option<(usize, f64)> {
        let open = self.horizons.iter().enumerate().filter_map(|(i, h)| h.map(|h| (i, h)));
        open.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl Iterator for Packets<'_> {
    type Item = SimEvent;

    fn next(&mut self) -> Option<SimEvent> {
        loop {
            let first = self.heap.peek().map(|Reverse((arrival, _, _))| *arrival);
            match (first, self.earliest_link()) {
                (Some(arrival), Some((_, horizon))) if arrival < SessionTime::from_secs(horizon) => break,
                (Some(_), None) => break,
                (_, Some((link, _))) => self.advance(link),
                (None, None) => return None,
            }
        }
        let Reverse((arrival, link, number)) = self.heap.pop()?;
        let bytes = self.waiting.remove(&number)?;
        Some(SimEvent {
            arrival,
            placement: self.links[link].0,
            bytes,
        })
    }
}

/// The frame of these samples; `None` for none at all or a boot number beyond what a configuration can name.
fn encode(samples: &[RawSample]) -> Option<Vec<u8>> {
    let first = samples.first()?;
    let header = DataHeader {
        stream: StreamId::FIRST,
        flags: FrameFlags::default(),
        index: first.index,
        time: PodTime::from_us(first.tick_us)?,
        cfg_id: CfgId::new(u8::try_from(first.boot + 1).ok()?)?,
    };
    let limits = ClipLimits {
        acc: Some(CLIP_COUNT),
        gyr: Some(CLIP_COUNT),
    };
    let mut entries = [ImuEntry::default(); 19];
    for (entry, sample) in entries.iter_mut().zip(samples) {
        *entry = ImuEntry {
            acc: sample.acc,
            gyr: sample.gyro,
        };
    }
    let mut buffer = [0; LONGEST_FRAME];
    let used = entries.get(..samples.len())?;
    encode_data_marking_clipping(&header, limits, used, &mut buffer)
        .ok()
        .map(<[u8]>::to_vec)
}
