//! Two streams of one sensor, acceleration and angular rate, to one of six axes.
//!
//! Some sensors (Polar) measure the two apart, each at instants of its own on one clock. Gait wants both at one instant, so
//! angular rate is interpolated linearly to the instants of acceleration. Of a component of frequency f, sampled every T,
//! that loses at most (2πfT)²/8: 1 % of 10 Hz at 208 Hz, but 18 % of it at 52 Hz, so the faster rate is worth asking for.
//! Never across a seam, an epoch or a hole: an acceleration sample without an angular rate on both sides is named missing,
//! so that every sample is in a block or in a loss, as from a driver.
//!
//! An axis clipped on either side stays clipped: its value is taken, not the mean.

use super::said::{Block, Missing, MissingWhy, Quantity, Said, Streaming};
use std::collections::VecDeque;

/// Acceleration waits this long for the angular rate around it, ns of the device's clock: longer than any frame lasts.
const WAIT_NS: u64 = 4_000_000_000;
/// Samples kept of either, at most.
const KEPT: usize = 8192;

#[derive(Clone, Copy, Debug)]
struct Rate {
    at_ns: u64,
    epoch: u32,
    /// The first behind a hole, a seam or an epoch: nothing is interpolated to the one before.
    begins: bool,
    suspect: bool,
    config: Streaming,
    value: [f32; 3],
}

/// What can be said of the angular rate at an instant.
enum Found {
    Value([f32; 3], Streaming, Doubt),
    NotYet,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    Suspect,
}

/// Acceleration waiting for angular rate: a block and how much of it is done.
#[derive(Clone, Debug)]
struct Waiting {
    block: Block,
    config: Streaming,
    done: usize,
}

/// Joins two streams of one sensor. Everything else that is said passes through.
#[derive(Clone, Debug)]
pub struct Join {
    acc: u8,
    gyro: u8,
    stream: u8,
    acc_config: Option<Streaming>,
    gyro_config: Option<Streaming>,
    waiting: VecDeque<Waiting>,
    kept: usize,
    rates: VecDeque<Rate>,
    told: Option<(u32, u32)>,
    seams: u32,
    /// The sample before the next was not joined.
    after_gap: bool,
}

impl Join {
    /// Joins streams `acc` and `gyro` of a sensor into `stream`; the two themselves are not passed on.
    #[must_use]
    pub fn new(acc: u8, gyro: u8, stream: u8) -> Self {
        Self {
            acc,
            gyro,
            stream,
            acc_config: None,
            gyro_config: None,
            waiting: VecDeque::new(),
            kept: 0,
            rates: VecDeque::new(),
            told: None,
            seams: 0,
            after_gap: true,
        }
    }

    /// Takes a statement of the driver; appends what can be said now.
    pub fn push(&mut self, said: Said, out: &mut Vec<Said>) {
        match said {
            Said::Streaming(s) if s.stream == self.acc => self.acc_config = Some(s),
            Said::Streaming(s) if s.stream == self.gyro => self.gyro_config = Some(s),
            Said::Block(b) if b.stream == self.acc => self.push_acc(b),
            Said::Block(b) if b.stream == self.gyro => self.push_gyro(&b),
            Said::Missing(m) if m.stream == self.acc => {
                // What waits stands before the loss.
                self.work(Rest::GiveUp, out);
                self.after_gap = true;
                out.push(Said::Missing(Missing {
                    stream: self.stream,
                    ..m
                }));
                return;
            }
            // The hole shows in the block behind it.
            Said::Missing(m) if m.stream == self.gyro => return,
            other => return out.push(other),
        }
        self.work(Rest::Wait, out);
    }

    /// Nothing more will come: what waits is named missing.
    pub fn flush(&mut self, out: &mut Vec<Said>) {
        self.work(Rest::GiveUp, out);
    }

    fn push_acc(&mut self, block: Block) {
        let Some(config) = self.acc_config else { return };
        self.kept += block.values.len() / 3;
        self.waiting.push_back(Waiting { block, config, done: 0 });
    }

    fn push_gyro(&mut self, block: &Block) {
        let Some(config) = self.gyro_config else { return };
        let n = block.values.len() / 3;
        for (i, value) in block.values.as_chunks::<3>().0.iter().enumerate() {
            let before = self.rates.back();
            let at_ns = instant(block, i, n);
            if before.is_some_and(|b| (b.epoch, b.at_ns) >= (block.epoch, at_ns)) {
                // Behind what is there already; drivers say nothing so.
                continue;
            }
            let begins = before
                .is_none_or(|b| b.epoch != block.epoch || b.config.seam != config.seam || (i == 0 && block.after_gap));
            self.rates.push_back(Rate {
                at_ns,
                epoch: block.epoch,
                begins,
                suspect: block.suspect,
                config,
                value: *value,
            });
        }
        while self.rates.len() > KEPT {
            self.rates.pop_front();
        }
    }

    fn work(&mut self, rest: Rest, out: &mut Vec<Said>) {
        while let Some(mut waiting) = self.waiting.pop_front() {
            let n = waiting.block.values.len() / 3;
            let from = waiting.done;
            let mut joined: Option<Joined> = None;
            while waiting.done < n {
                let i = waiting.done;
                let at_ns = instant(&waiting.block, i, n);
                let late = rest == Rest::GiveUp
                    || self.kept > KEPT
                    || self.newest_acc(&waiting) > at_ns.saturating_add(WAIT_NS);
                match self.rate_at(waiting.block.epoch, at_ns) {
                    Found::Value(value, config, doubt) => {
                        if joined.as_ref().is_some_and(|j| j.config.seam != config.seam) {
                            self.say(joined.take(), &waiting, out);
                        }
                        let joined = joined.get_or_insert(Joined {
                            from: i,
                            config,
                            suspect: false,
                            values: Vec::with_capacity(6 * (n - i)),
                        });
                        joined.values.extend(&waiting.block.values[3 * i..3 * i + 3]);
                        joined.values.extend(value);
                        joined.suspect |= doubt == Doubt::Suspect;
                    }
                    Found::NotYet if !late => break,
                    Found::NotYet | Found::Never => {
                        self.say(joined.take(), &waiting, out);
                        self.miss(waiting.block.index + i as u64, out);
                    }
                }
                waiting.done += 1;
            }
            self.say(joined, &waiting, out);
            self.kept -= waiting.done - from;
            self.forget_before(&waiting);
            if waiting.done < n {
                self.waiting.push_front(waiting);
                return;
            }
        }
    }

    fn newest_acc(&self, waiting: &Waiting) -> u64 {
        let newest = self.waiting.back().unwrap_or(waiting);
        if newest.block.epoch == waiting.block.epoch {
            newest.block.last_ns
        } else {
            u64::MAX
        }
    }

    fn rate_at(&self, epoch: u32, at_ns: u64) -> Found {
        let behind = self.rates.partition_point(|r| (r.epoch, r.at_ns) < (epoch, at_ns));
        let Some(next) = self.rates.get(behind) else {
            return Found::NotYet;
        };
        let doubt = |suspect| if suspect { Doubt::Suspect } else { Doubt::None };
        if next.epoch == epoch && next.at_ns == at_ns {
            return Found::Value(next.value, next.config, doubt(next.suspect));
        }
        let before = behind.checked_sub(1).and_then(|i| self.rates.get(i));
        match before {
            Some(before) if !next.begins && next.epoch == epoch => {
                let part = (at_ns - before.at_ns) as f32 / (next.at_ns - before.at_ns) as f32;
                let clip = next.config.gyro_clip;
                let mut value = [0.0; 3];
                for ((v, a), b) in value.iter_mut().zip(before.value).zip(next.value) {
                    *v = if a.abs() >= clip {
                        a
                    } else if b.abs() >= clip {
                        b
                    } else {
                        a + part * (b - a)
                    };
                }
                Found::Value(value, next.config, doubt(before.suspect || next.suspect))
            }
            _ => Found::Never,
        }
    }

    /// Drops angular rates that no later acceleration can want: all but one before it.
    fn forget_before(&mut self, waiting: &Waiting) {
        let n = waiting.block.values.len() / 3;
        let at = (waiting.block.epoch, instant(&waiting.block, waiting.done.min(n - 1), n));
        while self.rates.get(1).is_some_and(|r| (r.epoch, r.at_ns) <= at) {
            self.rates.pop_front();
        }
    }

    fn miss(&mut self, index: u64, out: &mut Vec<Said>) {
        self.after_gap = true;
        if let Some(Said::Missing(m)) = out.last_mut()
            && m.stream == self.stream
            && m.index + m.count == index
            && !m.counted
            && m.why == MissingWhy::Radio
        {
            m.count += 1;
            return;
        }
        out.push(Said::Missing(Missing {
            stream: self.stream,
            index,
            count: 1,
            counted: false,
            why: MissingWhy::Radio,
        }));
    }

    fn say(&mut self, joined: Option<Joined>, waiting: &Waiting, out: &mut Vec<Said>) {
        let Some(joined) = joined else { return };
        let (block, acc, gyro) = (&waiting.block, &waiting.config, &joined.config);
        if self.told != Some((acc.seam, gyro.seam)) {
            self.told = Some((acc.seam, gyro.seam));
            self.seams += 1;
            out.push(Said::Streaming(Streaming {
                stream: self.stream,
                seam: self.seams,
                quantity: Quantity::AccGyro,
                gyro_scale: gyro.gyro_scale,
                gyro_range: gyro.gyro_range,
                gyro_clip: gyro.gyro_clip,
                gyro_delay_s: gyro.gyro_delay_s,
                timing: acc.timing.max(gyro.timing),
                ..*acc
            }));
        }
        let n = block.values.len() / 3;
        let last = joined.from + joined.values.len() / 6 - 1;
        out.push(Said::Block(Block {
            stream: self.stream,
            seam: self.seams,
            epoch: block.epoch,
            index: block.index + joined.from as u64,
            first_ns: instant(block, joined.from, n),
            last_ns: instant(block, last, n),
            last_exact: block.last_exact,
            arrived: block.arrived,
            late: block.late,
            after_gap: self.after_gap || (joined.from == 0 && block.after_gap),
            suspect: block.suspect || joined.suspect,
            values: joined.values,
        }));
        self.after_gap = false;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Wait,
    GiveUp,
}

#[derive(Debug)]
struct Joined {
    from: usize,
    config: Streaming,
    suspect: bool,
    values: Vec<f32>,
}

/// Device time of sample `i` of the `n` of a block, ns.
fn instant(block: &Block, i: usize, n: usize) -> u64 {
    if n < 2 {
        return block.first_ns;
    }
    let length = u128::from(block.last_ns.saturating_sub(block.first_ns));
    block.first_ns + (length * i as u128 / (n - 1) as u128) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionTime;
    use crate::sensors::said::{Late, Timing};

    const MS: u64 = 1_000_000;

    fn config(stream: u8, seam: u32, quantity: Quantity) -> Said {
        Said::Streaming(Streaming {
            stream,
            seam,
            quantity,
            rate_hz: 100.0,
            acc_scale: 1.0,
            gyro_scale: f64::from(seam),
            acc_range: None,
            gyro_range: None,
            acc_clip: f32::INFINITY,
            gyro_clip: 1e9,
            acc_delay_s: 0.0,
            gyro_delay_s: 0.0,
            timing: Timing::Stamped,
        })
    }

    /// A block of samples every 10 ms from `ms`; each value is its time in ms, so that what is interpolated can be checked.
    fn block(stream: u8, seam: u32, epoch: u32, index: u64, ms: u64, n: usize) -> Block {
        Block {
            stream,
            seam,
            epoch,
            index,
            first_ns: ms * MS,
            last_ns: (ms + 10 * (n as u64 - 1)) * MS,
            last_exact: true,
            arrived: SessionTime::ZERO,
            late: Late::Live,
            after_gap: index == 0,
            suspect: false,
            values: (0..n).flat_map(|i| [(ms + 10 * i as u64) as f32; 3]).collect(),
        }
    }

    fn joined(said: Vec<Said>) -> Vec<Said> {
        let mut join = Join::new(0, 1, 2);
        let mut out = Vec::new();
        for s in [config(0, 1, Quantity::Acc), config(1, 1, Quantity::Gyro)]
            .into_iter()
            .chain(said)
        {
            join.push(s, &mut out);
        }
        join.flush(&mut out);
        out
    }

    /// (first index, samples, after a gap) of blocks, (index, count) of losses.
    type Told = (Vec<(u64, usize, bool)>, Vec<(u64, u64)>);

    fn told(out: &[Said]) -> Told {
        let mut next = 0;
        let mut told = (Vec::new(), Vec::new());
        for s in out {
            match s {
                Said::Block(b) => {
                    assert_eq!(b.index, next);
                    next += b.values.len() as u64 / 6;
                    told.0.push((b.index, b.values.len() / 6, b.after_gap));
                    for six in b.values.chunks_exact(6) {
                        assert!(
                            (six[0] - six[3]).abs() < 1e-3,
                            "interpolated to its own instant: {six:?}"
                        );
                    }
                }
                Said::Missing(m) => {
                    assert_eq!(m.index, next);
                    next += m.count;
                    told.1.push((m.index, m.count));
                }
                _ => {}
            }
        }
        told
    }

    #[test]
    fn angular_rate_is_put_on_the_instants_of_acceleration_in_whatever_order_they_come() {
        let acc = [block(0, 1, 0, 0, 1003, 10), block(0, 1, 0, 10, 1103, 10)];
        let gyro = [block(1, 1, 0, 0, 1000, 15), block(1, 1, 0, 15, 1150, 15)];
        let orders: [Vec<Block>; 2] = [
            vec![acc[0].clone(), gyro[0].clone(), acc[1].clone(), gyro[1].clone()],
            vec![gyro[0].clone(), gyro[1].clone(), acc[0].clone(), acc[1].clone()],
        ];
        for order in orders {
            let out = joined(order.into_iter().map(Said::Block).collect());
            let (blocks, lost) = told(&out);
            assert_eq!(blocks.iter().map(|b| b.1).sum::<usize>(), 20);
            assert!(lost.is_empty());
            assert!(blocks.iter().all(|(index, _, gap)| *gap == (*index == 0)));
        }
    }

    #[test]
    fn nothing_is_interpolated_across_a_hole_and_what_cannot_be_joined_is_missing() {
        let mut behind = block(1, 1, 0, 20, 1120, 10);
        behind.after_gap = true;
        let out = joined(vec![
            Said::Block(block(1, 1, 0, 0, 1000, 10)),
            Said::Block(behind),
            Said::Block(block(0, 1, 0, 0, 1005, 20)),
        ]);
        // 1005…1085 lie in the first, 1125…1195 in the second.
        assert_eq!(told(&out), (vec![(0, 9, true), (12, 8, true)], vec![(9, 3)]));
    }

    #[test]
    fn nothing_is_interpolated_across_an_epoch_or_a_seam() {
        let out = joined(vec![
            Said::Block(block(1, 1, 0, 0, 1000, 10)),
            Said::Block(block(0, 1, 0, 0, 1005, 10)),
            Said::Block(block(1, 1, 1, 10, 500, 10)),
            Said::Block(block(0, 1, 1, 10, 505, 9)),
        ]);
        assert_eq!(told(&out), (vec![(0, 9, true), (10, 9, true)], vec![(9, 1)]));
        let out = joined(vec![
            Said::Block(block(1, 1, 0, 0, 1000, 10)),
            config(1, 2, Quantity::Gyro),
            Said::Block(block(1, 2, 0, 10, 1100, 10)),
            Said::Block(block(0, 1, 0, 0, 1005, 19)),
        ]);
        assert_eq!(told(&out), (vec![(0, 9, true), (10, 9, true)], vec![(9, 1)]));
        let scales: Vec<_> = out
            .iter()
            .filter_map(|s| match s {
                Said::Streaming(s) => Some((s.seam, s.gyro_scale)),
                _ => None,
            })
            .collect();
        assert_eq!(scales, [(1, 1.0), (2, 2.0)]);
    }

    #[test]
    fn a_clipped_axis_stays_clipped() {
        let mut gyro = block(1, 1, 0, 0, 1000, 3);
        gyro.values = vec![0.0, 0.0, 0.0, 2e9, 0.0, 10.0, 0.0, 0.0, 0.0];
        let out = joined(vec![Said::Block(gyro), Said::Block(block(0, 1, 0, 0, 1005, 2))]);
        let Some(Said::Block(b)) = out.iter().find(|s| matches!(s, Said::Block(_))) else {
            panic!("joined");
        };
        assert_eq!(
            b.values,
            [
                1005.0, 1005.0, 1005.0, 2e9, 0.0, 5.0, 1015.0, 1015.0, 1015.0, 2e9, 0.0, 5.0
            ]
        );
    }

    #[test]
    fn acceleration_does_not_wait_for_ever_and_a_loss_of_it_passes_through() {
        let mut said: Vec<_> = (0..60)
            .map(|i| Said::Block(block(0, 1, 0, i * 10, 1000 + 100 * i, 10)))
            .collect();
        said.push(Said::Missing(Missing {
            stream: 0,
            index: 600,
            count: 7,
            counted: false,
            why: MissingWhy::Radio,
        }));
        said.push(Said::Battery(Some(3)));
        let mut join = Join::new(0, 1, 2);
        let mut out = Vec::new();
        join.push(config(0, 1, Quantity::Acc), &mut out);
        for s in said {
            join.push(s, &mut out);
            assert!(join.kept <= 411, "{}", join.kept);
        }
        let (blocks, lost) = told(&out);
        assert!(blocks.is_empty());
        assert_eq!(lost.iter().map(|(_, n)| n).sum::<u64>(), 607);
        assert_eq!(out.last(), Some(&Said::Battery(Some(3))));
    }

    proptest::proptest! {
        #[test]
        fn any_blocks_give_every_number_once(blocks in proptest::collection::vec((0..2_u8, 0..3_u32, 0..3000_u64, 1..40_usize, proptest::bool::ANY), 0..40)) {
            let mut indices = [0_u64; 2];
            let mut epochs = [0_u32; 2];
            let mut said = Vec::new();
            for (stream, epoch_step, ms, n, gap) in blocks {
                let s = usize::from(stream);
                epochs[s] += epoch_step / 2;
                let mut b = block(stream, 1, epochs[s], indices[s], ms, n);
                b.after_gap = gap;
                indices[s] += n as u64;
                said.push(Said::Block(b));
            }
            let (blocks, lost) = told(&joined(said));
            let all = blocks.iter().map(|b| b.1 as u64).sum::<u64>() + lost.iter().map(|l| l.1).sum::<u64>();
            proptest::prop_assert_eq!(all, indices[0]);
        }
    }
}
