//! What one driver says, to sensor events on the session clock.
//!
//! Two uses, one code. *Live*: blocks come as they come; a block after a hole waits at most `HOLD_S` for what may only have
//! been overtaken, then the hole is a gap and goes on. Samples fetched later are too late for the live loop: they are
//! counted, and kept by whoever keeps the log. *Whole* ([`whole`]): everything a recording came to, fetched samples in their
//! places, for the analysis after the run.
//!
//! Times: a block's first sample is stamped by the sensor; within a block samples are spaced by the period measured over
//! the last minute, never by the nominal rate. Device time becomes session time by stamps to and fro and by arrivals of
//! live blocks ([`DeviceClock`]); the filter's own delay, where stated, is taken off.

use super::device_clock::DeviceClock;
use super::join::Join;
use super::said::{Block, Exchange, Late, Missing, MissingWhy, Quantity, Said, Streaming};
use crate::model::{ClipFlags, GapCause, ImuSample, Placement, SensorConfig, SensorEvent, SessionTime, Vec3};
use std::collections::{BTreeMap, VecDeque};

/// A block held back longer than this goes on without the one before it, s: retransmissions on a radio link take up to
/// 100 ms.
const HOLD_S: f64 = 0.15;
/// Span over which the sample period is measured, s. Crystals wander over minutes, stamps are good to microseconds.
const PERIOD_SPAN_S: f64 = 60.0;
/// Distance of the anchors within it, s.
const ANCHOR_EVERY_S: f64 = 1.0;
/// The measured period may differ by so much of the nominal one: inertial sensors state their rate to a few percent.
const PERIOD_TOLERANCE: f64 = 0.15;
/// Configurations remembered: late blocks may belong to earlier ones.
const SEAMS: usize = 32;

/// What became of the samples of one sensor. Every sample that came is in exactly one of the first four counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimelineCounts {
    /// Given on.
    pub given: u64,
    /// Fetched after their place in time had passed: kept, not given on live.
    pub late: u64,
    /// Came twice.
    pub repeated: u64,
    /// Of a stream or configuration that cannot be used here (acceleration alone, an unknown configuration).
    pub unusable: u64,
    /// Will never come, as the driver says.
    pub missing: u64,
}

/// One sensor's samples on the session clock.
#[derive(Debug)]
pub struct Timeline {
    placement: Placement,
    clock: DeviceClock,
    seams: VecDeque<Streaming>,
    /// The stream that is used: the first six-axis one.
    stream: Option<u8>,
    seam: Option<u32>,
    /// (index, device ns) about a second apart.
    anchors: VecDeque<(u64, u64)>,
    period_ns: f64,
    next: u64,
    held: BTreeMap<u64, Block>,
    last: Option<SessionTime>,
    /// Why the samples before the next one are missing, if the driver said.
    why: Option<MissingWhy>,
    hold_s: f64,
    counts: TimelineCounts,
    apart: Apart,
}

/// A sensor that measures acceleration and angular rate apart.
#[derive(Debug, Default)]
struct Apart {
    acc: Option<Streaming>,
    gyro: Option<Streaming>,
    join: Option<Join>,
    out: Vec<Said>,
}

/// Number of the stream that two are joined into: no sensor has so many.
const JOINED: u8 = 200;

impl Apart {
    /// Takes a statement about either of the two; true when it is of one of them. What the two make together is in `out`.
    fn take(&mut self, said: &Said) -> bool {
        match said {
            Said::Streaming(s) if s.quantity == Quantity::Acc => self.acc = Some(*s),
            Said::Streaming(s) if s.quantity == Quantity::Gyro => self.gyro = Some(*s),
            Said::Block(Block { stream, .. }) | Said::Missing(Missing { stream, .. }) => {
                let of = |s: Option<Streaming>| s.is_some_and(|s| s.stream == *stream);
                if !of(self.acc) && !of(self.gyro) {
                    return false;
                }
            }
            _ => return false,
        }
        match (&mut self.join, self.acc, self.gyro) {
            (Some(join), _, _) => join.push(said.clone(), &mut self.out),
            (join @ None, Some(acc), Some(gyro)) => {
                let join = join.insert(Join::new(acc.stream, gyro.stream, JOINED));
                join.push(Said::Streaming(acc), &mut self.out);
                join.push(Said::Streaming(gyro), &mut self.out);
                if !matches!(said, Said::Streaming(_)) {
                    join.push(said.clone(), &mut self.out);
                }
            }
            // One of the two alone: nothing to join with (yet).
            (None, _, _) => return false,
        }
        true
    }
}

impl Timeline {
    /// For a sensor worn at `placement`, as it happens.
    #[must_use]
    pub fn live(placement: Placement) -> Self {
        Self {
            placement,
            clock: DeviceClock::default(),
            seams: VecDeque::with_capacity(SEAMS),
            stream: None,
            seam: None,
            anchors: VecDeque::with_capacity((PERIOD_SPAN_S / ANCHOR_EVERY_S) as usize + 2),
            period_ns: 0.0,
            next: 0,
            held: BTreeMap::new(),
            last: None,
            why: None,
            hold_s: HOLD_S,
            counts: TimelineCounts::default(),
            apart: Apart::default(),
        }
    }

    /// What became of the samples.
    #[must_use]
    pub fn counts(&self) -> TimelineCounts {
        self.counts
    }

    /// The newest instant given on.
    #[must_use]
    pub fn last(&self) -> Option<SessionTime> {
        self.last
    }

    /// The clock of the sensor against session time.
    #[must_use]
    pub fn clock(&self) -> &DeviceClock {
        &self.clock
    }

    /// The sensor's configuration as the signal loop wants it, once it streams six axes.
    #[must_use]
    pub fn config(&self) -> Option<SensorConfig> {
        let streaming = self.seams.iter().rev().find(|s| Some(s.stream) == self.stream)?;
        Some(SensorConfig {
            placement: self.placement,
            rate_hz: streaming.rate_hz,
            acc_range: streaming.acc_range,
            gyro_range: streaming.gyro_range,
            side_known: true,
        })
    }

    /// Takes a statement; appends the events that are in order now.
    pub fn take(&mut self, said: &Said, now: SessionTime, out: &mut Vec<SensorEvent>) {
        if self.apart.take(said) {
            for joined in std::mem::take(&mut self.apart.out) {
                self.take_one(&joined, out);
            }
        } else {
            self.take_one(said, out);
        }
        self.release(Some(now), out);
    }

    fn take_one(&mut self, said: &Said, out: &mut Vec<SensorEvent>) {
        match said {
            Said::Streaming(streaming) => {
                let six = matches!(streaming.quantity, Quantity::AccGyro | Quantity::AccGyroMag);
                if six && self.stream.is_none() {
                    self.stream = Some(streaming.stream);
                }
                if self.seams.len() == SEAMS {
                    self.seams.pop_front();
                }
                self.seams.push_back(*streaming);
            }
            Said::Block(block) => self.take_block(block, out),
            Said::Clock(exchange) => self.clock.exchange(exchange),
            Said::Missing(missing) if Some(missing.stream) == self.stream => self.take_missing(missing),
            _ => {}
        }
    }

    /// Time went on: gives out what has waited long enough.
    pub fn tick(&mut self, now: SessionTime, out: &mut Vec<SensorEvent>) {
        self.release(Some(now), out);
    }

    /// Nothing more comes.
    pub fn flush(&mut self, out: &mut Vec<SensorEvent>) {
        self.release(None, out);
    }

    fn take_missing(&mut self, missing: &Missing) {
        self.counts.missing += missing.count;
        if missing.index + missing.count > self.next {
            self.why = Some(missing.why);
        }
    }

    fn samples(&self, block: &Block) -> u64 {
        let width = self.seam_of(block).map_or(1, |s| s.quantity.width());
        (block.values.len() / width) as u64
    }

    fn seam_of(&self, block: &Block) -> Option<&Streaming> {
        self.seams
            .iter()
            .rev()
            .find(|s| s.stream == block.stream && s.seam == block.seam)
    }

    fn take_block(&mut self, block: &Block, out: &mut Vec<SensorEvent>) {
        let samples = self.samples(block);
        if Some(block.stream) != self.stream || self.seam_of(block).is_none() || samples == 0 {
            self.counts.unusable += samples;
            return;
        }
        if block.index < self.next {
            match block.late {
                Late::Fetched => self.counts.late += samples,
                Late::Live => self.counts.repeated += samples,
            }
            return;
        }
        if let Some(twice) = self.held.insert(block.index, block.clone()) {
            self.counts.repeated += self.samples(&twice);
        }
        self.release(Some(block.arrived), out);
    }

    /// Gives out what is next in order, and what has waited long enough (everything when `now` is `None`).
    fn release(&mut self, now: Option<SessionTime>, out: &mut Vec<SensorEvent>) {
        while let Some(first) = self.held.first_entry() {
            let waited = now.is_none_or(|n| n.since(first.get().arrived) >= self.hold_s);
            let in_order = *first.key() == self.next || self.last.is_none() || self.why.is_some();
            if !in_order && !waited {
                return;
            }
            let block = first.remove();
            self.give(&block, out);
        }
    }

    fn give(&mut self, block: &Block, out: &mut Vec<SensorEvent>) {
        let Some(streaming) = self.seam_of(block).copied() else {
            return;
        };
        let rebooted = self.clock.begin(block.epoch);
        if rebooted || self.seam != Some(block.seam) {
            self.anchors.clear();
            self.period_ns = 1e9 / streaming.rate_hz.max(1e-3);
        }
        self.seam = Some(block.seam);
        self.measure_period(block, &streaming);
        let width = streaming.quantity.width();
        let n = block.values.len() / width;
        if block.late == Late::Live {
            let last_ns = block.first_ns as f64 + (n - 1) as f64 * self.period_ns;
            self.clock.arrival(last_ns * 1e-9, block.arrived);
        }
        let missing = block.index - self.next.min(block.index);
        let delay_s = 0.5 * (streaming.acc_delay_s + streaming.gyro_delay_s);
        for (k, values) in block.values.chunks_exact(width).enumerate() {
            let device_s = (block.first_ns as f64 + k as f64 * self.period_ns) * 1e-9;
            let t = self.clock.map(device_s).plus(-delay_s);
            if k == 0
                && let Some(from) = self.last
                && (missing > 0 || rebooted || block.after_gap)
            {
                out.push(SensorEvent::Gap {
                    placement: self.placement,
                    from,
                    to: t,
                    missing: u32::try_from(missing).unwrap_or(u32::MAX),
                    cause: if rebooted || self.why == Some(MissingWhy::Reboot) {
                        GapCause::Reboot
                    } else {
                        GapCause::Lost
                    },
                });
            }
            self.last = Some(t);
            out.push(SensorEvent::Sample(self.placement, sample(t, values, &streaming)));
        }
        self.why = None;
        self.counts.given += n as u64;
        self.next = block.index + n as u64;
    }

    /// Keeps the slope of device time over sample numbers of the last minute.
    fn measure_period(&mut self, block: &Block, streaming: &Streaming) {
        let (index, ns) = (block.index, block.first_ns);
        if let Some((from, from_ns)) = self.anchors.front().copied()
            && index > from
            && ns > from_ns
        {
            let measured = (ns - from_ns) as f64 / (index - from) as f64;
            let nominal = 1e9 / streaming.rate_hz.max(1e-3);
            // Less than a second says more about the grain of the stamps than about the sensor.
            if (ns - from_ns) as f64 >= 1e9 && (measured / nominal - 1.0).abs() < PERIOD_TOLERANCE {
                self.period_ns = measured;
            }
        }
        let due = self
            .anchors
            .back()
            .is_none_or(|(_, at)| ns.saturating_sub(*at) as f64 >= ANCHOR_EVERY_S * 1e9);
        if due {
            self.anchors.push_back((index, ns));
        }
        while self
            .anchors
            .front()
            .is_some_and(|(_, at)| ns.saturating_sub(*at) as f64 > PERIOD_SPAN_S * 1e9)
        {
            self.anchors.pop_front();
        }
    }
}

fn sample(t: SessionTime, values: &[f32], streaming: &Streaming) -> ImuSample {
    let at = |i: usize| values.get(i).copied().unwrap_or(0.0);
    let acc = [at(0), at(1), at(2)];
    let gyro = [at(3), at(4), at(5)];
    let si = |v: [f32; 3], scale: f64| {
        let [x, y, z] = v.map(|v| f64::from(v) * scale);
        Vec3::new(x, y, z)
    };
    ImuSample {
        t,
        acc: si(acc, streaming.acc_scale),
        gyro: si(gyro, streaming.gyro_scale),
        clip: ClipFlags::from_axes(
            acc.map(|v| v.abs() >= streaming.acc_clip),
            gyro.map(|v| v.abs() >= streaming.gyro_clip),
        ),
        filled: false,
    }
}

/// Everything a recording of one sensor came to, in the order of its samples: fetched ones in their places, each sample
/// once. `said` is in the order in which the driver said it.
#[must_use]
pub fn whole(placement: Placement, said: Vec<Said>) -> (Vec<SensorEvent>, TimelineCounts, Option<SensorConfig>) {
    let mut timeline = Timeline::live(placement);
    timeline.hold_s = 0.0;
    let mut out = Vec::new();
    let mut blocks = Vec::new();
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut apart = Apart::default();
    for said in said {
        let said = if apart.take(&said) {
            std::mem::take(&mut apart.out)
        } else {
            vec![said]
        };
        for said in said {
            match said {
                Said::Block(block) => blocks.push(block),
                Said::Clock(exchange) => exchanges.push(exchange),
                other => timeline.take_one(&other, &mut out),
            }
        }
    }
    if let Some(join) = &mut apart.join {
        join.flush(&mut apart.out);
        blocks.extend(apart.out.drain(..).filter_map(|said| match said {
            Said::Block(block) => Some(block),
            _ => None,
        }));
    }
    // Stable: of two blocks with one number the first that came stays first, the second is a repetition.
    blocks.sort_by_key(|b| b.index);
    let mut exchanges = exchanges.iter().peekable();
    for block in &blocks {
        // The clock is followed as it was live: with what was known when the block came. A fetched one waits for nothing.
        while block.late == Late::Live
            && let Some(exchange) = exchanges.next_if(|e| e.t4 <= block.arrived)
        {
            timeline.clock.exchange(exchange);
        }
        timeline.take_block(block, &mut out);
    }
    timeline.flush(&mut out);
    let (counts, config) = (timeline.counts(), timeline.config());
    (out, counts, config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::said::Timing;

    const RATE: f64 = 208.0;
    /// What the sensor really does: 2 % faster than it says.
    const TRUE_PERIOD_NS: f64 = 1e9 / (RATE * 1.02);
    const PER_BLOCK: u64 = 19;

    fn streaming() -> Said {
        Said::Streaming(Streaming {
            stream: 0,
            seam: 1,
            quantity: Quantity::AccGyro,
            rate_hz: RATE,
            acc_scale: 0.01,
            gyro_scale: 0.001,
            acc_range: None,
            gyro_range: None,
            acc_clip: 32767.0,
            gyro_clip: 32767.0,
            acc_delay_s: 0.0,
            gyro_delay_s: 0.0,
            timing: Timing::Stamped,
        })
    }

    fn block(number: u64, late: Late) -> Block {
        let index = number * PER_BLOCK;
        let at = |i: u64| (5e9 + i as f64 * TRUE_PERIOD_NS) as u64;
        let arrived = at(index + PER_BLOCK) + 20_000_000 + (number % 7) * 3_000_000;
        Block {
            stream: 0,
            seam: 1,
            epoch: 1,
            index,
            first_ns: at(index),
            last_ns: at(index + PER_BLOCK - 1),
            last_exact: false,
            arrived: SessionTime::from_nanos(arrived as i64 - 5_000_000_000),
            late,
            after_gap: false,
            suspect: false,
            values: (0..PER_BLOCK * 6).map(|v| (index * 6 + v) as f32 % 1000.0).collect(),
        }
    }

    fn samples(events: &[SensorEvent]) -> Vec<ImuSample> {
        events
            .iter()
            .filter_map(|e| match e {
                SensorEvent::Sample(_, s) => Some(*s),
                _ => None,
            })
            .collect()
    }

    fn gaps(events: &[SensorEvent]) -> Vec<u32> {
        events
            .iter()
            .filter_map(|e| match e {
                SensorEvent::Gap { missing, .. } => Some(*missing),
                _ => None,
            })
            .collect()
    }

    fn run(blocks: impl Iterator<Item = Block>) -> (Vec<SensorEvent>, TimelineCounts) {
        let mut timeline = Timeline::live(Placement::LeftFoot);
        let mut out = Vec::new();
        timeline.take(&streaming(), SessionTime::ZERO, &mut out);
        for b in blocks {
            let now = b.arrived;
            timeline.take(&Said::Block(b), now, &mut out);
        }
        timeline.flush(&mut out);
        (out, timeline.counts())
    }

    #[test]
    fn the_period_is_measured_and_not_believed() {
        let (out, _) = run((0..200).map(|k| block(k, Late::Live)));
        let s = samples(&out);
        // The first second is spaced by the nominal rate; after that the measured one.
        for pair in s[400..].windows(2) {
            let step = pair[1].t.since(pair[0].t) * 1e9;
            assert!((step / TRUE_PERIOD_NS - 1.0).abs() < 2e-3, "step {step} ns");
        }
    }

    #[test]
    fn a_hole_becomes_a_gap_with_its_number_and_what_comes_late_is_counted() {
        let live = (0..100).filter(|k| !(40..44).contains(k)).map(|k| block(k, Late::Live));
        let late = (40..44).map(|k| block(k, Late::Fetched));
        let (out, counts) = run(live.chain(late));
        assert_eq!(gaps(&out), [4 * PER_BLOCK as u32]);
        assert_eq!(counts.late, 4 * PER_BLOCK);
        assert_eq!(counts.given, 96 * PER_BLOCK);
    }

    #[test]
    fn the_whole_has_fetched_samples_in_their_places_and_no_gap() {
        let mut said = vec![streaming()];
        said.extend(
            (0..100)
                .filter(|k| !(40..44).contains(k))
                .map(|k| Said::Block(block(k, Late::Live))),
        );
        said.extend((40..44).map(|k| Said::Block(block(k, Late::Fetched))));
        said.push(Said::Block(block(41, Late::Fetched)));
        let (out, counts, config) = whole(Placement::LeftFoot, said);
        assert!(gaps(&out).is_empty());
        let s = samples(&out);
        assert_eq!(s.len() as u64, 100 * PER_BLOCK);
        assert!(s.windows(2).all(|w| w[1].t > w[0].t));
        assert_eq!(counts.late + counts.repeated, PER_BLOCK);
        assert_eq!(config.map(|c| c.rate_hz), Some(RATE));
    }

    #[test]
    fn a_block_that_was_overtaken_is_put_back_in_order() {
        let mut blocks: Vec<_> = (0..50).map(|k| block(k, Late::Live)).collect();
        blocks.swap(20, 21);
        let (out, counts) = run(blocks.into_iter());
        assert!(gaps(&out).is_empty(), "{:?}", gaps(&out));
        assert_eq!(counts.given, 50 * PER_BLOCK);
    }

    #[test]
    fn a_restarted_sensor_is_a_gap_by_reboot_and_time_goes_on() {
        let before = (0..50).map(|k| block(k, Late::Live));
        let after = (50..100).map(|k| {
            let mut b = block(k, Late::Live);
            b.epoch = 2;
            b.first_ns -= 5_000_000_000;
            b
        });
        let (out, _) = run(before.chain(after));
        let reboots = out
            .iter()
            .filter(|e| {
                matches!(
                    e,
                    SensorEvent::Gap {
                        cause: GapCause::Reboot,
                        ..
                    }
                )
            })
            .count();
        assert_eq!(reboots, 1);
        assert!(samples(&out).windows(2).all(|w| w[1].t > w[0].t));
    }

    #[test]
    fn a_sensor_that_measures_the_two_apart_becomes_one_of_six_axes() {
        let one = |quantity, stream| {
            let Said::Streaming(both) = streaming() else {
                unreachable!("it is one")
            };
            Said::Streaming(Streaming {
                stream,
                quantity,
                ..both
            })
        };
        let half = |number: u64, stream: u8| {
            let mut b = block(number, Late::Live);
            b.stream = stream;
            b.values = (0..PER_BLOCK * 3).map(|v| (v % 7) as f32).collect();
            Said::Block(b)
        };
        let mut said = vec![one(Quantity::Acc, 2), one(Quantity::Gyro, 5)];
        for number in 0..50 {
            said.extend([half(number, 2), half(number, 5)]);
        }
        let mut timeline = Timeline::live(Placement::LeftFoot);
        let mut out = Vec::new();
        for s in &said {
            timeline.take(s, SessionTime::ZERO, &mut out);
        }
        timeline.flush(&mut out);
        let live = samples(&out).len() as u64;
        assert!(live >= 48 * PER_BLOCK && gaps(&out).is_empty(), "{live}");
        assert!(timeline.config().is_some());
        let (all, _, _) = whole(Placement::LeftFoot, said);
        assert!(samples(&all).len() as u64 >= live);
    }
}
