//! The course of a run: its block medians, one series for each metric and leg.
//!
//! What compares within a run or between runs looks at independent pieces of steady, level running. Metrics of one leg
//! have a series for each side. Metrics of the whole body come with the blocks of both feet, which cover the same seconds
//! twice; a series takes only blocks that do not overlap, or every spread would come out too small.

use super::aggregate::BlockStats;
use super::registry::{METRICS, MetricId as Id};
use super::symmetry;
use crate::model::{SessionTime, Side};
use serde::{Deserialize, Serialize};

/// A series: a metric, of one leg or of the whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Channel {
    /// The metric.
    pub metric: Id,
    /// The leg; `None` for a metric of the whole body, and for a leg that is not known.
    pub side: Option<Side>,
}

impl Channel {
    /// The series to which a block's median of `metric` belongs.
    #[must_use]
    pub fn of(metric: Id, block_side: Option<Side>) -> Self {
        Self {
            metric,
            side: block_side.filter(|_| symmetry::COMPARED.contains(&metric)),
        }
    }
}

/// The median of one metric over one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockPoint {
    /// Middle of the block, seconds since the run began.
    pub t: f64,
    /// Median speed, m/s.
    pub speed: f64,
    /// Median slope, height per horizontal metre.
    pub grade: f64,
    /// The median, in the unit in which the metric is kept.
    pub value: f64,
}

/// Not followed: speed explains and is not explained; the two variabilities overlap from block to block.
const NOT_FOLLOWED: [Id; 3] = [Id::Speed, Id::StrideTimeCv, Id::StrideLengthCv];

#[derive(Clone, Debug)]
struct Series {
    channel: Channel,
    points: Vec<BlockPoint>,
    end: SessionTime,
}

/// The eligible blocks of a run so far. Grows with the run (some 3 kB a minute): for a look back, not for the pipeline.
#[derive(Clone, Debug, Default)]
pub struct Course {
    began: Option<SessionTime>,
    ended: Option<SessionTime>,
    /// In the order of channels.
    series: Vec<Series>,
}

impl Course {
    /// Takes the next block, in order of ends. A block that is not eligible moves the ends of the run only.
    pub fn push(&mut self, block: &BlockStats) {
        let began = *self.began.get_or_insert(block.start);
        self.ended = Some(self.ended.map_or(block.end, |e| e.max(block.end)));
        if block.eligible().is_err() {
            return;
        }
        let (Ok(speed), Ok(grade)) = (block.medians.get(Id::Speed), block.grade) else {
            return;
        };
        let t = 0.5 * (block.start.since(began) + block.end.since(began));
        for m in METRICS.iter().filter(|m| !NOT_FOLLOWED.contains(&m.id)) {
            let Some(value) = block.medians.value(m.id) else {
                continue;
            };
            let point = BlockPoint { t, speed, grade, value };
            let channel = Channel::of(m.id, block.side);
            match self.series.binary_search_by_key(&channel, |s| s.channel) {
                Ok(i) if self.series[i].end <= block.start => {
                    self.series[i].points.push(point);
                    self.series[i].end = block.end;
                }
                // Overlaps one that was taken.
                Ok(_) => {}
                Err(i) => self.series.insert(
                    i,
                    Series {
                        channel,
                        points: vec![point],
                        end: block.end,
                    },
                ),
            }
        }
    }

    /// The series seen, in order.
    pub fn channels(&self) -> impl Iterator<Item = Channel> + '_ {
        self.series.iter().map(|s| s.channel)
    }

    /// The points of a series, in order of time; empty for one not seen.
    #[must_use]
    pub fn points(&self, channel: Channel) -> &[BlockPoint] {
        match self.series.binary_search_by_key(&channel, |s| s.channel) {
            Ok(i) => &self.series[i].points,
            Err(_) => &[],
        }
    }

    /// The points of a series between two times, seconds since the run began.
    #[must_use]
    pub fn between(&self, channel: Channel, from: f64, to: f64) -> &[BlockPoint] {
        let points = self.points(channel);
        let a = points.partition_point(|p| p.t < from);
        let b = points.partition_point(|p| p.t < to);
        &points[a.min(b)..b]
    }

    /// From the first to the last block, s.
    #[must_use]
    pub fn secs(&self) -> f64 {
        self.began.zip(self.ended).map_or(0.0, |(a, b)| b.since(a))
    }
}

#[cfg(test)]
pub(super) mod example {
    //! A run made of blocks, for tests.

    use super::super::context::MetricSet;
    use super::*;
    use crate::metrics::aggregate::{BLOCK_STRIDES, BlockConfidence};
    use crate::metrics::registry::METRIC_COUNT;
    use crate::model::{Absent, Activity, SegmentKind};

    /// Seconds of a block at 84 strides a minute.
    pub(crate) const BLOCK_S: f64 = 17.5;

    /// An eligible block that begins at `start` seconds, with these medians.
    pub(crate) fn block(start: f64, side: Option<Side>, speed: f64, medians: &[(Id, f64)]) -> BlockStats {
        let mut set = MetricSet::default();
        let mut deviations = MetricSet::default();
        set.set(Id::Speed, Ok(speed));
        deviations.set(Id::Speed, Ok(0.01 * speed));
        for (id, value) in medians {
            set.set(*id, Ok(*value));
            deviations.set(*id, Ok(0.02 * value.abs()));
        }
        for id in METRICS.iter().map(|m| m.id) {
            if set.get(id).is_err() {
                set.set(id, Err(Absent::NoSensor));
            }
        }
        BlockStats {
            side,
            seen_from: SegmentKind::Foot,
            activity: Activity::Running,
            start: SessionTime::from_secs(start),
            end: SessionTime::from_secs(start + BLOCK_S),
            seen: BLOCK_STRIDES as u32,
            usable: BLOCK_STRIDES as u32,
            good: BLOCK_STRIDES as u32,
            medians: set,
            deviations,
            counts: [BLOCK_STRIDES as u8; METRIC_COUNT],
            speed_variation: Ok(0.01),
            grade: Ok(0.0),
            confidence: BlockConfidence::High,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::example::{BLOCK_S, block};
    use super::*;

    #[test]
    fn legs_have_their_own_series_and_the_body_one_without_overlap() {
        let mut course = Course::default();
        for k in 0..10 {
            let start = f64::from(k) * BLOCK_S;
            for (side, late) in [(Side::Left, 0.0), (Side::Right, 0.35)] {
                let medians = [(Id::ContactTime, 0.24), (Id::Cadence, 168.0)];
                course.push(&block(start + late, Some(side), 3.0, &medians));
            }
        }
        let of = |metric, side| course.points(Channel { metric, side }).len();
        assert_eq!(of(Id::ContactTime, Some(Side::Left)), 10);
        assert_eq!(of(Id::ContactTime, Some(Side::Right)), 10);
        assert_eq!(of(Id::Cadence, None), 10);
        assert_eq!(of(Id::Cadence, Some(Side::Left)), 0);
        assert_eq!(of(Id::Speed, None), 0, "speed explains and is not explained");
        assert_eq!(course.channels().count(), 3);
        assert!((course.secs() - (10.0 * BLOCK_S + 0.35)).abs() < 1e-6);
    }

    #[test]
    fn what_is_not_eligible_counts_for_the_length_of_the_run_only() {
        let mut course = Course::default();
        let mut hill = block(0.0, Some(Side::Left), 3.0, &[(Id::Cadence, 168.0)]);
        hill.grade = Ok(0.05);
        course.push(&hill);
        assert_eq!(course.channels().count(), 0);
        assert!((course.secs() - BLOCK_S).abs() < 1e-9);
        course.push(&block(BLOCK_S, Some(Side::Left), 3.0, &[(Id::Cadence, 168.0)]));
        let cadence = Channel::of(Id::Cadence, Some(Side::Left));
        assert_eq!(course.between(cadence, 0.0, BLOCK_S).len(), 0);
        assert_eq!(course.between(cadence, BLOCK_S, 2.0 * BLOCK_S).len(), 1);
    }
}
