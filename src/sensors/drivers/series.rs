//! The samples of one stream in a row: numbers, times, holes, repeats and surplus, from frames that carry a device time
//! and no counter.
//!
//! Sensors of other makers stamp a frame with the time of its first or of its last sample and number nothing. So the
//! driver counts, and every step of device time that is longer than the frame becomes a named hole
//! ([`Said::Missing`], not counted by the sensor). Times of samples come from the stamps in integers; the nominal rate is
//! used where nothing else is known yet: for the first frame of a run, and to say how long a hole is.

use crate::model::SessionTime;
use crate::sensors::said::{Missing, MissingWhy, Note, Said};

/// Which sample of a frame its stamp belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// The first.
    First,
    /// The last.
    Last,
}

/// How a protocol stamps its frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stamping {
    pub(crate) stamp: Stamp,
    /// Step beyond what the frame explains that is still no hole: so many sample periods …
    pub(crate) slack_periods: f64,
    /// … and so much of the frame's own length.
    pub(crate) slack_of_frame: f64,
}

/// Device time further ahead of arrival time than this is a clock that was set, not a hole: nothing arrives before it is
/// measured, and the longest a host holds frames back (seen: 6.2 s) stays below, s.
const CLOCK_STEP_S: f64 = 10.0;
/// Largest part by which a fitted period may differ from the nominal one.
const PERIOD_TOLERANCE: f64 = 0.05;
/// A fit is used from this much time on, s, and begun anew after [`FIT_WINDOW_S`].
const FIT_FROM_S: f64 = 10.0;
/// Length of a fit, s: a minute brings a clock of whole milliseconds to 20 ppm.
const FIT_WINDOW_S: f64 = 60.0;
/// Stamps remembered to know a frame that came twice.
const REMEMBERED: usize = 16;
/// Samples let through at once: this much time of them, s (a host may hold frames back, and a queue may be long).
const BURST_S: f64 = 60.0;
/// Samples let through in the long run, times the nominal rate.
const SURPLUS: f64 = 3.0;

/// Whether a stream's samples are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    Samples,
    Nothing,
}

/// Where a frame belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) epoch: u32,
    pub(crate) index: u64,
    pub(crate) first_ns: u64,
    pub(crate) last_ns: u64,
    pub(crate) last_exact: bool,
    pub(crate) after_gap: bool,
}

/// A least-squares line of device time over sample numbers, in windows.
#[derive(Clone, Copy, Debug, Default)]
struct Fit {
    n: f64,
    origin: (u64, u64),
    mean_x: f64,
    mean_y: f64,
    sxx: f64,
    sxy: f64,
    span_s: f64,
}

impl Fit {
    fn from(index: u64, ns: u64) -> Self {
        Self {
            n: 1.0,
            origin: (index, ns),
            ..Self::default()
        }
    }

    fn add(&mut self, index: u64, ns: u64) {
        let x = index.saturating_sub(self.origin.0) as f64;
        let y = ns.saturating_sub(self.origin.1) as f64;
        self.n += 1.0;
        let (dx, dy) = (x - self.mean_x, y - self.mean_y);
        self.mean_x += dx / self.n;
        self.mean_y += dy / self.n;
        self.sxx += dx * (x - self.mean_x);
        self.sxy += dx * (y - self.mean_y);
        self.span_s = y * 1e-9;
    }

    fn period_ns(&self) -> Option<f64> {
        (self.span_s >= FIT_FROM_S && self.sxx > 0.0).then(|| self.sxy / self.sxx)
    }
}

#[derive(Clone, Copy, Debug)]
struct Before {
    stamp_ns: u64,
    arrived: SessionTime,
    samples: u64,
}

/// The state of one stream; lives over many links.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    stream: u8,
    stamping: Stamping,
    epoch: u32,
    begun: bool,
    next: u64,
    nominal_ns: f64,
    fitted_ns: Option<f64>,
    fit: Option<Fit>,
    before: Option<Before>,
    recent: [u64; REMEMBERED],
    recent_n: usize,
    /// The next frame begins a run, though the clock may go on.
    broken: bool,
    /// Samples were wanted when a run ended; last arrival of it.
    lost_since: Option<SessionTime>,
    /// Whether anybody wants the samples: what is not wanted is not missing.
    wanted: bool,
    /// They were not wanted for a while, so that the next run has nothing to do with the last.
    paused: bool,
    tokens: f64,
    refilled: Option<SessionTime>,
    flooding: bool,
}

impl Series {
    pub(crate) fn new(stream: u8, stamping: Stamping, rate_hz: f64) -> Self {
        Self {
            stream,
            stamping,
            epoch: 0,
            begun: false,
            next: 0,
            nominal_ns: 1e9 / rate_hz,
            fitted_ns: None,
            fit: None,
            before: None,
            recent: [0; REMEMBERED],
            recent_n: 0,
            broken: false,
            lost_since: None,
            wanted: false,
            paused: false,
            tokens: BURST_S * rate_hz,
            refilled: None,
            flooding: false,
        }
    }

    /// Sets the nominal rate, Hz. A change ends what was learned of the clock.
    pub(crate) fn set_rate(&mut self, rate_hz: f64) {
        let nominal_ns = 1e9 / rate_hz;
        if nominal_ns != self.nominal_ns {
            self.nominal_ns = nominal_ns;
            self.fitted_ns = None;
        }
    }

    /// Says whether samples are wanted from now on.
    pub(crate) fn set_wanted(&mut self, wanted: Wants) {
        self.wanted = wanted == Wants::Samples;
        if !self.wanted {
            self.lost_since = None;
            self.paused = true;
        }
    }

    /// The sensor was started again and its clock goes on: the next frame begins a run.
    pub(crate) fn restarted(&mut self) {
        self.broken = true;
        self.fit = None;
        if std::mem::take(&mut self.paused) || !self.wanted {
            self.before = None;
        }
    }

    /// The run is over and so is the clock's: the link ended, or the sensor was started again and may count anew.
    pub(crate) fn ended(&mut self) {
        let paused = std::mem::take(&mut self.paused);
        if let Some(before) = self.before.take()
            && self.wanted
            && !paused
        {
            self.lost_since = Some(before.arrived);
        }
        self.fit = None;
        self.recent_n = 0;
        self.epoch += u32::from(self.begun);
        self.begun = false;
        self.fitted_ns = None;
    }

    /// Run of the sensor's clock.
    pub(crate) const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Another stream of the same clock has come further: theirs are one.
    pub(crate) fn raise_epoch(&mut self, epoch: u32) {
        self.epoch = self.epoch.max(epoch);
    }

    /// Sample period, ns, as well as known.
    pub(crate) fn period_ns(&self) -> f64 {
        self.fitted_ns.unwrap_or(self.nominal_ns)
    }

    /// Places a frame of `n` samples; `None` if it is to be dropped, which is then said.
    pub(crate) fn place(
        &mut self,
        stamp_ns: u64,
        n: usize,
        arrived: SessionTime,
        said: &mut Vec<Said>,
    ) -> Option<Placed> {
        if n == 0 {
            return None;
        }
        if self.recent[..self.recent_n].contains(&stamp_ns) {
            said.push(Said::Repeated(u32::try_from(n).unwrap_or(u32::MAX)));
            return None;
        }
        if self.is_surplus(n, arrived, said) {
            return None;
        }
        let samples = n as u64;
        let broken = std::mem::take(&mut self.broken);
        let mut after_gap = broken || self.before.is_none();
        let mut continues = None;
        if let Some(before) = self.before {
            match self.judge(before, stamp_ns, samples, arrived) {
                Step::Continues => continues = Some(before).filter(|_| !broken),
                Step::Hole(count) => {
                    self.miss(count, said);
                    after_gap = true;
                }
                Step::Clock(seconds) => {
                    said.push(Said::Note(Note::ClockStepped(seconds)));
                    self.epoch += 1;
                    self.recent_n = 0;
                    self.fitted_ns = None;
                    after_gap = true;
                }
            }
        } else if let Some(since) = self.lost_since.take() {
            let away = arrived.since(since).max(0.0) * 1e9 / self.period_ns();
            self.miss((away.round() as u64).saturating_sub(samples), said);
        }
        self.begun = true;
        let index = self.next;
        self.next = self.next.saturating_add(samples);
        self.learn(continues.is_some(), index, stamp_ns, samples);
        self.remember(stamp_ns);
        self.before = Some(Before {
            stamp_ns,
            arrived,
            samples,
        });
        let (first_ns, last_ns) = self.times(continues, stamp_ns, samples);
        Some(Placed {
            epoch: self.epoch,
            index,
            first_ns,
            last_ns,
            last_exact: self.stamping.stamp == Stamp::Last || n == 1,
            after_gap,
        })
    }

    fn times(&self, continues: Option<Before>, stamp_ns: u64, samples: u64) -> (u64, u64) {
        match (self.stamping.stamp, continues) {
            (Stamp::First, _) => {
                let length = (samples - 1) as f64 * self.period_ns();
                (stamp_ns, stamp_ns.saturating_add(length.round() as u64))
            }
            (Stamp::Last, Some(before)) => {
                let step = (stamp_ns - before.stamp_ns) / samples;
                (stamp_ns - step * (samples - 1), stamp_ns)
            }
            (Stamp::Last, None) => (first_of_run(stamp_ns, samples, self.period_ns()), stamp_ns),
        }
    }

    fn judge(&self, before: Before, stamp_ns: u64, samples: u64, arrived: SessionTime) -> Step {
        let step_ns = i128::from(stamp_ns) - i128::from(before.stamp_ns);
        let step_s = step_ns as f64 * 1e-9;
        let arrival_s = arrived.since(before.arrived);
        if step_ns <= 0 || step_s > arrival_s.max(0.0) + CLOCK_STEP_S {
            return Step::Clock(step_s - arrival_s);
        }
        let between = match self.stamping.stamp {
            Stamp::First => before.samples,
            Stamp::Last => samples,
        };
        let period = self.period_ns();
        let explained = between as f64 * period;
        let slack = self.stamping.slack_periods * period + self.stamping.slack_of_frame * explained;
        let beyond = step_ns as f64 - explained;
        if beyond <= slack {
            return Step::Continues;
        }
        Step::Hole(((beyond / period).round() as u64).max(1))
    }

    fn miss(&mut self, count: u64, said: &mut Vec<Said>) {
        if count == 0 {
            return;
        }
        said.push(Said::Missing(Missing {
            stream: self.stream,
            index: self.next,
            count,
            counted: false,
            why: MissingWhy::Radio,
        }));
        self.next = self.next.saturating_add(count);
    }

    fn learn(&mut self, continues: bool, index: u64, stamp_ns: u64, samples: u64) {
        let number = match self.stamping.stamp {
            Stamp::First => index,
            Stamp::Last => index + samples - 1,
        };
        let Some(fit) = self.fit.as_mut().filter(|_| continues) else {
            self.fit = Some(Fit::from(number, stamp_ns));
            return;
        };
        fit.add(number, stamp_ns);
        if let Some(period) = fit.period_ns()
            && (period / self.nominal_ns - 1.0).abs() < PERIOD_TOLERANCE
        {
            // A running window replaces an older whole one only once it is as long.
            if self.fitted_ns.is_none() || fit.span_s >= FIT_WINDOW_S {
                self.fitted_ns = Some(period);
            }
        }
        if fit.span_s >= FIT_WINDOW_S {
            self.fit = Some(Fit::from(number, stamp_ns));
        }
    }

    fn remember(&mut self, stamp_ns: u64) {
        if self.recent_n == REMEMBERED {
            self.recent.rotate_left(1);
            self.recent_n -= 1;
        }
        self.recent[self.recent_n] = stamp_ns;
        self.recent_n += 1;
    }

    fn is_surplus(&mut self, n: usize, arrived: SessionTime, said: &mut Vec<Said>) -> bool {
        let full = BURST_S * 1e9 / self.nominal_ns;
        let since = self.refilled.map_or(0.0, |at| arrived.since(at).max(0.0));
        self.refilled = Some(self.refilled.map_or(arrived, |at| at.max(arrived)));
        self.tokens = (self.tokens + since * SURPLUS * 1e9 / self.nominal_ns).min(full);
        if self.tokens >= n as f64 {
            self.tokens -= n as f64;
            self.flooding &= self.tokens < full / 2.0;
            return false;
        }
        if !self.flooding {
            self.flooding = true;
            said.push(Said::Note(Note::Flooding));
        }
        true
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Continues,
    /// So many samples are missing.
    Hole(u64),
    /// The clock jumped by so many seconds against arrival.
    Clock(f64),
}

/// Time of the first sample of the first frame of a run, given that of its last, ns: nothing but the period is known.
pub(crate) fn first_of_run(last_ns: u64, samples: u64, period_ns: f64) -> u64 {
    // Truncated like the maker's own arithmetic; half a nanosecond either way is nothing to a clock.
    last_ns.saturating_sub((samples.saturating_sub(1) as f64 * period_ns) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: Stamping = Stamping {
        stamp: Stamp::Last,
        slack_periods: 1.5,
        slack_of_frame: 0.05,
    };
    const FIRST: Stamping = Stamping {
        stamp: Stamp::First,
        slack_periods: 0.0,
        slack_of_frame: 0.5,
    };

    fn ms(ms: i64) -> SessionTime {
        SessionTime::from_nanos(ms * 1_000_000)
    }

    fn missing(said: &[Said]) -> Vec<(u64, u64)> {
        said.iter()
            .filter_map(|s| match s {
                Said::Missing(m) => Some((m.index, m.count)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_first_frame_uses_the_rate_and_the_next_the_step_between_stamps() {
        let mut series = Series::new(0, LAST, 100.0);
        let mut said = Vec::new();
        let a = series.place(1_000_000_000, 10, ms(0), &mut said).expect("kept");
        assert_eq!(
            (a.index, a.first_ns, a.last_ns, a.after_gap),
            (0, 910_000_000, 1_000_000_000, true)
        );
        // The clock runs 1 % fast: the step says so, not the rate.
        let b = series.place(1_101_000_000, 10, ms(100), &mut said).expect("kept");
        assert_eq!((b.index, b.first_ns, b.after_gap), (10, 1_010_100_000, false));
        assert!(said.is_empty());
    }

    #[test]
    fn a_lost_frame_is_a_hole_of_its_length_and_numbers_go_on_behind_it() {
        for stamping in [LAST, FIRST] {
            let mut series = Series::new(3, stamping, 200.0);
            let mut said = Vec::new();
            for i in (0..40).filter(|i| *i != 20 && *i != 21) {
                let stamp = 5_000_000 * 12 * (i + 1);
                let placed = series.place(stamp, 12, ms(60 * i as i64), &mut said).expect("kept");
                assert_eq!(placed.index, 12 * i, "{stamping:?}");
                assert_eq!(placed.after_gap, i == 0 || i == 22);
            }
            assert_eq!(missing(&said), [(240, 24)], "{stamping:?}");
        }
    }

    #[test]
    fn a_frame_that_came_twice_is_dropped_and_a_step_back_is_another_epoch() {
        let mut series = Series::new(0, LAST, 100.0);
        let mut said = Vec::new();
        for i in 1..=5_u64 {
            series.place(i * 100_000_000, 10, ms(100 * i as i64), &mut said);
        }
        assert_eq!(series.place(300_000_000, 10, ms(510), &mut said), None);
        assert_eq!(said, [Said::Repeated(10)]);
        let again = series.place(50_000_000, 10, ms(600), &mut said).expect("kept");
        assert_eq!((again.epoch, again.index, again.after_gap), (1, 50, true));
        assert!(matches!(said[1], Said::Note(Note::ClockStepped(s)) if s < 0.0));
    }

    #[test]
    fn a_clock_set_forward_is_told_from_a_hole_by_arrival() {
        let mut series = Series::new(0, LAST, 100.0);
        let mut said = Vec::new();
        series.place(1_000_000_000, 10, ms(0), &mut said);
        let hole = series.place(61_000_000_000, 10, ms(60_000), &mut said).expect("kept");
        assert_eq!((hole.epoch, missing(&said)), (0, vec![(10, 5990)]));
        let set = series.place(161_000_000_000, 10, ms(60_100), &mut said).expect("kept");
        assert_eq!((set.epoch, set.index), (1, 6010));
    }

    #[test]
    fn a_lost_link_is_a_named_loss_by_arrival_and_a_new_epoch() {
        let mut series = Series::new(0, LAST, 100.0);
        let mut said = Vec::new();
        series.place(1_000_000_000, 10, ms(0), &mut said);
        series.set_wanted(Wants::Samples);
        series.ended();
        let back = series.place(9_000_000_000, 10, ms(5_000), &mut said).expect("kept");
        assert_eq!((back.epoch, back.index, missing(&said)), (1, 500, vec![(10, 490)]));
        series.set_wanted(Wants::Nothing);
        series.ended();
        let later = series.place(1, 10, ms(50_000), &mut said).expect("kept");
        assert_eq!((later.epoch, later.index), (2, 510));
    }

    #[test]
    fn a_sensor_started_again_has_a_hole_by_its_own_clock_and_no_times_across_it() {
        let mut series = Series::new(0, LAST, 100.0);
        series.set_wanted(Wants::Samples);
        let mut said = Vec::new();
        series.place(1_000_000_000, 10, ms(0), &mut said);
        series.restarted();
        let again = series.place(3_050_000_000, 10, ms(2_050), &mut said).expect("kept");
        assert_eq!((again.epoch, again.index, again.after_gap), (0, 205, true));
        assert_eq!((again.first_ns, missing(&said)), (2_960_000_000, vec![(10, 195)]));
        series.set_wanted(Wants::Nothing);
        series.restarted();
        let later = series.place(9_000_000_000, 10, ms(8_000), &mut said).expect("kept");
        assert_eq!((later.index, later.after_gap), (215, true));
    }

    #[test]
    fn whole_milliseconds_are_smoothed_by_the_fit() {
        // 208 Hz that are 207.2, told in milliseconds, eight samples a frame.
        let mut series = Series::new(0, FIRST, 208.0);
        let mut said = Vec::new();
        for i in 0..4000_u64 {
            let t = i as f64 * 8.0 / 207.2;
            let stamp = (t * 1e3) as u64 * 1_000_000;
            series
                .place(stamp, 8, SessionTime::from_secs(t), &mut said)
                .expect("kept");
        }
        assert!(said.is_empty(), "{said:?}");
        let ppm = (series.period_ns() / (1e9 / 207.2) - 1.0) * 1e6;
        assert!(ppm.abs() < 20.0, "{ppm} ppm");
    }

    #[test]
    fn a_flood_is_cut_and_said_once_and_what_a_host_held_back_is_not() {
        let mut series = Series::new(0, FIRST, 100.0);
        let mut said = Vec::new();
        // Thirty seconds arrive at once.
        for i in 0..300_u64 {
            assert!(series.place(i * 100_000_000, 10, ms(30_000), &mut said).is_some());
        }
        let kept = (300..100_000_u64)
            .filter(|i| {
                series
                    .place(i * 1_000_000 + 30_000_000_000, 10, ms(30_000), &mut said)
                    .is_some()
            })
            .count();
        assert!(kept <= 300, "{kept}");
        let floods = said.iter().filter(|s| matches!(s, Said::Note(Note::Flooding))).count();
        assert_eq!(floods, 1);
    }

    proptest::proptest! {
        #[test]
        fn any_stamps_give_rising_numbers(frames in proptest::collection::vec((proptest::num::u64::ANY, 0..300_usize, proptest::num::i32::ANY, 0..8_u8), 0..60), first in proptest::bool::ANY) {
            let mut series = Series::new(0, if first { FIRST } else { LAST }, 52.0);
            let mut said = Vec::new();
            let mut next = 0;
            for (stamp, n, at, what) in frames {
                match what {
                    0 => series.ended(),
                    1 => series.restarted(),
                    2 => series.set_wanted(Wants::Nothing),
                    3 => series.set_wanted(Wants::Samples),
                    _ => {}
                }
                if let Some(p) = series.place(stamp, n, SessionTime::from_nanos(i64::from(at) * 1_000_000), &mut said) {
                    proptest::prop_assert!(p.index >= next && p.first_ns <= p.last_ns);
                    next = p.index + n as u64;
                }
            }
        }
    }
}
