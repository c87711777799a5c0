//! A sensor's recent past with attitude: what contacts, strides and metrics look back into.
//!
//! A [`Track`] keeps the last seconds of one sensor as a contiguous, time-ordered slice. It is filled by pushing; when
//! its buffer is full the newest half slides to the front, so that a look back is always one slice and nothing is
//! allocated after `new` (amortised two moves a sample).

use crate::model::{ClipFlags, Frame, Level, Rotation, SessionTime, Vec3};

/// One sample with its attitude, in the frame `F` of the sensor or of the body segment it is aligned to.
#[derive(Clone, Copy, Debug)]
pub struct TrackSample<F: Frame> {
    /// Session time.
    pub t: SessionTime,
    /// Specific force, m/s².
    pub acc: Vec3<F>,
    /// Angular rate without its estimated bias, rad/s.
    pub gyro: Vec3<F>,
    /// Attitude.
    pub level_from: Rotation<Level, F>,
    /// Sensor axes at the rail (sensor axes, whatever `F` is).
    pub clip: ClipFlags,
    /// Interpolated across a short gap.
    pub filled: bool,
}

/// The last `keep` samples, at least, as one slice.
#[derive(Clone, Debug)]
pub struct Track<F: Frame> {
    buffer: Vec<TrackSample<F>>,
    keep: usize,
    /// Absolute number of the first sample in `buffer`, counted from the first ever pushed.
    first: u64,
}

impl<F: Frame> Track<F> {
    /// A track that can always look back `keep` samples (at least one).
    #[must_use]
    pub fn new(keep: usize) -> Self {
        let keep = keep.max(1);
        Self {
            buffer: Vec::with_capacity(2 * keep),
            keep,
            first: 0,
        }
    }

    /// Adds a sample.
    pub fn push(&mut self, sample: TrackSample<F>) {
        if self.buffer.len() == 2 * self.keep {
            self.buffer.copy_within(self.keep.., 0);
            self.buffer.truncate(self.keep);
            self.first += self.keep as u64;
        }
        self.buffer.push(sample);
    }

    /// Everything still held, oldest first.
    #[must_use]
    pub fn all(&self) -> &[TrackSample<F>] {
        &self.buffer
    }

    /// Absolute number of the oldest sample held.
    #[must_use]
    pub fn first_index(&self) -> u64 {
        self.first
    }

    /// Absolute number the next sample will get.
    #[must_use]
    pub fn next_index(&self) -> u64 {
        self.first + self.buffer.len() as u64
    }

    /// The newest sample.
    #[must_use]
    pub fn last(&self) -> Option<&TrackSample<F>> {
        self.buffer.last()
    }

    /// Samples with absolute numbers in `[from, to)`, as far as still held.
    #[must_use]
    pub fn range(&self, from: u64, to: u64) -> &[TrackSample<F>] {
        let at = |i: u64| {
            usize::try_from(i.saturating_sub(self.first))
                .unwrap_or(usize::MAX)
                .min(self.buffer.len())
        };
        let (a, b) = (at(from), at(to));
        &self.buffer[a.min(b)..b]
    }

    /// Samples with `from <= t < to`, as far as still held.
    #[must_use]
    pub fn between(&self, from: SessionTime, to: SessionTime) -> &[TrackSample<F>] {
        let a = self.buffer.partition_point(|s| s.t < from);
        let b = self.buffer.partition_point(|s| s.t < to);
        &self.buffer[a.min(b)..b]
    }

    /// Turns the attitudes of all samples from absolute number `from` on by a rotation of the level frame.
    pub fn turn_level(&mut self, from: u64, correction: Rotation<Level, Level>) {
        let start = usize::try_from(from.saturating_sub(self.first))
            .unwrap_or(usize::MAX)
            .min(self.buffer.len());
        for sample in &mut self.buffer[start..] {
            sample.level_from = correction * sample.level_from;
        }
    }

    /// Forgets everything (after a gap too long to bridge).
    pub fn clear(&mut self) {
        self.first += self.buffer.len() as u64;
        self.buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sensor;

    fn sample(i: u64) -> TrackSample<Sensor> {
        TrackSample {
            t: SessionTime::from_nanos(i as i64 * 5_000_000),
            acc: Vec3::zero(),
            gyro: Vec3::zero(),
            level_from: Rotation::identity(),
            clip: ClipFlags::NONE,
            filled: false,
        }
    }

    #[test]
    fn always_looks_back_as_far_as_promised_and_numbers_stay_absolute() {
        let mut track = Track::new(10);
        for i in 0..1000 {
            track.push(sample(i));
            let from = (i + 1).saturating_sub(10);
            let seen = track.range(from, i + 1);
            assert_eq!(seen.len() as u64, i + 1 - from);
            assert_eq!(seen[0].t, sample(from).t);
            assert_eq!(track.between(sample(from).t, sample(i).t).len() as u64, i - from);
        }
    }
}
