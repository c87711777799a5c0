//! Clocks that run apart during a run, noticed from the run itself.
//!
//! Each contact of a foot is followed by the instant at which the pelvis is carried again: its vertical specific force
//! rises through gravity some hundredths of a second later. That delay belongs to the runner and changes slowly; a change of
//! it by a steady amount per minute is a clock. Medians of half a minute are kept, the drift is the median slope of their
//! pairs.
//!
//! What it cannot see: the offset itself, which hides in the runner's own delay; a drift that both feet and the pelvis
//! share; and whether a slow change is a clock or a changing form. Simulated runners who speed up from 2.4 to 3.7 m/s in six
//! minutes show 20–37 ms in ten minutes between foot and pelvis with perfect clocks. Of the two feet against each other that
//! cancels, because both change alike: an alarm should rest on [`ImpactDrift::left_against_right`], and a drift of the pelvis
//! against both feet be told only for a steady speed.

use crate::model::{SessionTime, Side};

/// Length of a block, s.
const BLOCK_S: f64 = 30.0;
/// Delays of one block, at most: 30 s of one foot at 120 strides a minute.
const PER_BLOCK: usize = 64;
/// Fewest delays in a block that counts.
const FEWEST: usize = 12;
/// Blocks kept: two hours; after that every second one is dropped.
const BLOCKS: usize = 240;
/// Blocks before a drift is given: two and a half minutes.
const ENOUGH: usize = 5;
/// Vertical specific force of the pelvis held for looking back, s: contacts become final 2.2 s late at most.
const HELD_S: f64 = 4.0;
/// Where the rise is looked for, s from contact.
const LOOK_S: (f64, f64) = (-0.10, 0.16);
/// Drift from which on it is worth saying: 10 ms in ten minutes (17 ppm).
pub const NOTICEABLE_S_PER_S: f64 = 0.010 / 600.0;

/// How two sensors run apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Seconds per second; times 600 000 gives ms per 10 minutes.
    pub s_per_s: f64,
    /// Standard error by the scatter of the blocks about the line, s per s.
    pub sigma: f64,
    /// Blocks of half a minute behind it.
    pub blocks: usize,
}

impl Drift {
    /// In the unit people see, ms per 10 minutes.
    #[must_use]
    pub fn ms_per_10_min(&self) -> f64 {
        self.s_per_s * 600e3
    }

    /// Whether it is worth saying: large enough, and three times its error.
    #[must_use]
    pub fn noticeable(&self) -> bool {
        self.s_per_s.abs() > NOTICEABLE_S_PER_S && self.s_per_s.abs() > 3.0 * self.sigma
    }
}

/// Medians of one foot: (middle of the block, delay), s.
#[derive(Clone, Debug)]
struct Foot {
    open: Vec<f64>,
    block: Option<i64>,
    blocks: Vec<(f64, f64)>,
}

/// Watches the delay from contact of each foot to the pelvis. Fixed size; push events in time order.
#[derive(Clone, Debug)]
pub struct ImpactDrift {
    pelvis: Vec<(SessionTime, f64)>,
    keep: usize,
    feet: [Foot; 2],
}

impl ImpactDrift {
    /// For a sacrum sensor of this nominal rate.
    #[must_use]
    pub fn new(rate_hz: f64) -> Self {
        let keep = (HELD_S * rate_hz).ceil().max(8.0) as usize;
        let foot = || Foot {
            open: Vec::with_capacity(PER_BLOCK),
            block: None,
            blocks: Vec::with_capacity(BLOCKS),
        };
        Self {
            pelvis: Vec::with_capacity(2 * keep),
            keep,
            feet: [foot(), foot()],
        }
    }

    /// Vertical specific force of the pelvis, m/s², gravity removed: zero at rest.
    pub fn note_pelvis(&mut self, t: SessionTime, vertical: f64) {
        if self.pelvis.len() == 2 * self.keep {
            self.pelvis.copy_within(self.keep.., 0);
            self.pelvis.truncate(self.keep);
        }
        if self.pelvis.last().is_none_or(|(last, _)| t > *last) {
            self.pelvis.push((t, vertical));
        }
    }

    /// A final contact of a foot (by the name its sensor has).
    pub fn note_contact(&mut self, side: Side, ic: SessionTime) {
        let Some(delay) = self.rise_after(ic) else { return };
        let foot = &mut self.feet[usize::from(side == Side::Right)];
        let block = (ic.secs() / BLOCK_S).floor() as i64;
        if foot.block.is_some_and(|b| b != block) {
            foot.close();
        }
        foot.block = Some(block);
        if foot.open.len() < PER_BLOCK {
            foot.open.push(delay);
        }
    }

    /// Delay from `ic` to the rise of the pelvis through gravity before its greatest force of this stance, s. Sought back from
    /// there, because in flight and at the shock of landing a sensor on a belt trembles about gravity.
    fn rise_after(&self, ic: SessionTime) -> Option<f64> {
        let from = self.pelvis.partition_point(|(t, _)| t.since(ic) < LOOK_S.0);
        let to = self.pelvis.partition_point(|(t, _)| t.since(ic) < LOOK_S.1);
        let seen = &self.pelvis[from..to];
        let (top, _) = seen.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
        let k = seen[..=top].windows(2).rposition(|w| w[0].1 < 0.0 && w[1].1 >= 0.0)?;
        let (a, b) = (seen[k], seen[k + 1]);
        Some(a.0.since(ic) - a.1 / (b.1 - a.1) * b.0.since(a.0))
    }

    /// The drift of the pelvis' clock against a foot's; positive when the pelvis' times grow late. `None` before five
    /// blocks.
    #[must_use]
    pub fn pelvis_against(&self, side: Side) -> Option<Drift> {
        drift(self.feet[usize::from(side == Side::Right)].blocks.iter().copied())
    }

    /// The drift of the left foot's clock against the right's, through the pelvis; positive when the left's times grow
    /// late. `None` before five common blocks.
    #[must_use]
    pub fn left_against_right(&self) -> Option<Drift> {
        let [left, right] = &self.feet;
        let same = |t: f64| right.blocks.iter().find(|r| (r.0 - t).abs() < 0.1);
        drift(left.blocks.iter().filter_map(|l| Some((l.0, same(l.0)?.1 - l.1))))
    }
}

impl Foot {
    fn close(&mut self) {
        let Some(block) = self.block.take() else { return };
        if self.open.len() >= FEWEST {
            self.open.sort_unstable_by(f64::total_cmp);
            if self.blocks.len() == BLOCKS {
                let mut k = 0;
                self.blocks.retain(|_| {
                    k += 1;
                    k % 2 == 0
                });
            }
            self.blocks
                .push(((block as f64 + 0.5) * BLOCK_S, self.open[self.open.len() / 2]));
        }
        self.open.clear();
    }
}

/// Theil–Sen over blocks; the error from the median distance to the line.
fn drift(blocks: impl Iterator<Item = (f64, f64)>) -> Option<Drift> {
    let blocks: Vec<(f64, f64)> = blocks.collect();
    if blocks.len() < ENOUGH {
        return None;
    }
    let mut slopes = Vec::with_capacity(blocks.len() * blocks.len() / 2);
    for (i, a) in blocks.iter().enumerate() {
        slopes.extend(blocks[i + 1..].iter().map(|b| (b.1 - a.1) / (b.0 - a.0)));
    }
    let slope = median(&mut slopes)?;
    let mut levels: Vec<f64> = blocks.iter().map(|(t, d)| d - slope * t).collect();
    let level = median(&mut levels)?;
    let mut away: Vec<f64> = levels.iter().map(|l| (l - level).abs()).collect();
    // 1.4826 makes of the median distance a standard deviation.
    let scatter = 1.4826 * median(&mut away)?;
    let n = blocks.len() as f64;
    let mean = blocks.iter().map(|b| b.0).sum::<f64>() / n;
    let spread = blocks.iter().map(|b| (b.0 - mean).powi(2)).sum::<f64>().sqrt();
    Some(Drift {
        s_per_s: slope,
        sigma: scatter / spread.max(1e-9),
        blocks: blocks.len(),
    })
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten minutes of steps every 0.36 s, the pelvis carried 30 ms after contact with some scatter; the clocks of left
    /// foot, right foot and pelvis run fast by these shares.
    fn run(ppm: [f64; 3]) -> ImpactDrift {
        let mut watch = ImpactDrift::new(100.0);
        let late = |t: f64, i: usize| SessionTime::from_secs(t * (1.0 + 1e-6 * ppm[i]));
        let mut step = 0_u32;
        for k in 0..60_000_u32 {
            let t = 0.01 * f64::from(k);
            let phase = (t - 0.03) / 0.36;
            watch.note_pelvis(late(t, 2), 12.0 * (std::f64::consts::TAU * phase).sin());
            while 0.36 * f64::from(step) < t - 1.0 {
                let scatter = 0.004 * (f64::from(step) * 2.399).sin();
                let i = (step % 2) as usize;
                let side = [Side::Left, Side::Right][i];
                watch.note_contact(side, late(0.36 * f64::from(step) + scatter, i));
                step += 1;
            }
        }
        watch
    }

    #[test]
    fn a_clock_that_runs_away_is_noticed_and_steady_ones_are_not() {
        let steady = run([0.0; 3]);
        for d in [steady.pelvis_against(Side::Left), steady.left_against_right()] {
            let d = d.expect("ten minutes");
            assert!(!d.noticeable() && d.ms_per_10_min().abs() < 1.0, "{d:?}");
        }
        let left = run([40.0, 0.0, 0.0]);
        let d = left.left_against_right().expect("ten minutes");
        assert!(d.noticeable() && (d.ms_per_10_min() - 24.0).abs() < 2.0, "{d:?}");
        let d = left.pelvis_against(Side::Left).expect("ten minutes");
        assert!(d.noticeable() && (d.ms_per_10_min() + 24.0).abs() < 2.0, "{d:?}");
        assert!(!left.pelvis_against(Side::Right).expect("ten minutes").noticeable());
    }

    #[test]
    fn a_constant_offset_is_not_seen_and_two_minutes_say_nothing() {
        let mut watch = ImpactDrift::new(100.0);
        assert_eq!(watch.left_against_right(), None);
        watch.note_contact(Side::Left, SessionTime::from_secs(1.0));
        assert_eq!(watch.pelvis_against(Side::Left), None);
    }
}
