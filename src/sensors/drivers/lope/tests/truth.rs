//! What the pod took, against what was said.
//!
//! The law: every sample the pod took while asked to is in one block, or named in one loss, or lies in a stretch that is
//! named as uncountable; and what the pod could still give is not named lost. Blocks say numbers that count over all
//! sessions of the pod; samples carry their own number, so each is known again whatever was said about its index.

use crate::model::SessionTime;
use crate::model::units::{STANDARD_GRAVITY, rad};
use crate::sensors::driver::{Driver, Progress, Wanted, Wish};
use crate::sensors::drivers::lope::LopeDriver;
use crate::sensors::said::{MissingWhy, Note, Said};
use crate::sensors::simulated::air::{Air, AirFaults};
use crate::sensors::simulated::conversation::Conversation;
use crate::sensors::simulated::pod::{Journal, PodMemory, Readings, SimPod, SimPodSetup, Taken};
use std::collections::BTreeMap;

pub(super) fn at(s: f64) -> SessionTime {
    SessionTime::from_secs(s)
}

pub(super) fn wanted() -> Wanted {
    Wanted {
        session: 0x1234_5678_9ABC_DEF0,
        rate_hz: 208.0,
        acc_range: 32.0 * STANDARD_GRAVITY,
        gyro_range: rad(2000.0),
    }
}

/// A run of a driver against a pod: when it is told what.
pub(super) struct Plan {
    pub(super) pod: SimPodSetup,
    pub(super) air: AirFaults,
    pub(super) ring: usize,
    pub(super) wanted: Wanted,
    /// Stop is wished here, s; then as long as needed, but not longer than `patience_s`.
    pub(super) stop_s: f64,
    pub(super) patience_s: f64,
    /// All is called safe each so often, s.
    pub(super) safe_every_s: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            pod: SimPodSetup::default(),
            air: AirFaults::default(),
            ring: 208 * 60,
            wanted: wanted(),
            stop_s: 20.0,
            patience_s: 120.0,
            safe_every_s: 2.0,
        }
    }
}

/// How it went.
pub(super) struct Outcome {
    pub(super) taken: Vec<Taken>,
    pub(super) said: Vec<(SessionTime, Said)>,
    pub(super) progress: Progress,
    pub(super) ended: SessionTime,
    pub(super) links: u32,
    pub(super) events: Vec<crate::sensors::link::LinkEvent>,
    pub(super) commands: Vec<(SessionTime, crate::sensors::link::Command)>,
}

pub(super) fn run(plan: Plan) -> Outcome {
    run_with(LopeDriver::new(), plan)
}

pub(super) fn run_with(driver: LopeDriver, plan: Plan) -> Outcome {
    let mut memory = PodMemory::new(plan.ring);
    let journal = Journal::default();
    let pod = SimPod::new(plan.pod, Readings::Numbered, &mut memory).keep_journal(&journal);
    let mut talk = Conversation::new(driver, Air::new(Box::new(pod), plan.air));
    talk.wish(Wish::Stream(plan.wanted));
    let mut next_safe = plan.safe_every_s;
    while next_safe < plan.stop_s {
        talk.run_until(at(next_safe));
        talk.wish(Wish::AllSafe);
        next_safe += plan.safe_every_s;
    }
    talk.run_until(at(plan.stop_s));
    talk.wish(Wish::Stop);
    let until = plan.stop_s + plan.patience_s;
    let over = |t: &Conversation<'_, LopeDriver>| matches!(t.driver.progress(), Progress::Done | Progress::Unable);
    while talk.now() < at(until) && !talk.run_while(at(next_safe.min(until)), |t| !over(t)) {
        if talk.now() >= at(next_safe) {
            talk.wish(Wish::AllSafe);
            next_safe += plan.safe_every_s;
        }
    }
    talk.run_until(talk.now().plus(0.5));
    Outcome {
        taken: journal.taken(),
        progress: talk.driver.progress(),
        ended: talk.now(),
        links: talk.air.carried().links,
        events: std::mem::take(&mut talk.events),
        commands: std::mem::take(&mut talk.commands),
        said: talk.said,
    }
}

/// A stretch of numbers of one stream that has one meaning.
#[derive(Clone, Copy, Debug)]
enum Part {
    Sample { number: u32, first_ns: u64, rate_hz: f64 },
    Lost,
}

impl Outcome {
    pub(super) fn notes(&self) -> Vec<&Note> {
        self.said
            .iter()
            .filter_map(|(_, s)| match s {
                Said::Note(note) => Some(note),
                _ => None,
            })
            .collect()
    }

    pub(super) fn refused(&self, rule: &str) -> usize {
        self.said
            .iter()
            .filter(|(_, s)| matches!(s, Said::Refused { rule: r } if *r == rule))
            .count()
    }

    /// Checks the law; gives back (samples received, samples named lost).
    pub(super) fn obeys_the_law(&self, name: &str) -> (usize, usize) {
        let streams: std::collections::BTreeSet<u8> = self.taken.iter().map(|t| t.stream).collect();
        let mut sums = (0, 0);
        for stream in streams {
            let (came, lost) = self.stream_obeys(stream, name);
            sums = (sums.0 + came, sums.1 + lost);
        }
        sums
    }

    fn stream_obeys(&self, stream: u8, name: &str) -> (usize, usize) {
        let truth: BTreeMap<u32, Taken> = self
            .taken
            .iter()
            .filter(|t| t.stream == stream)
            .map(|t| (t.number, *t))
            .collect();
        let mut parts: BTreeMap<u64, Part> = BTreeMap::new();
        // (from, to) by session heard of; numbers that were told to be uncountable.
        let mut uncounted: Vec<(u64, u64)> = Vec::new();
        let mut width = BTreeMap::new();
        for (_, said) in &self.said {
            match said {
                Said::Streaming(s) => {
                    width.insert((s.stream, s.seam), (s.quantity.width(), s.rate_hz));
                }
                Said::Block(b) if b.stream == stream => {
                    let (width, rate_hz) = *width.get(&(b.stream, b.seam)).expect("a block after its configuration");
                    let n = b.values.len() / width;
                    assert!(n > 0, "{name}: an empty block");
                    let step = (b.last_ns - b.first_ns).checked_div(n as u64 - 1).unwrap_or(0);
                    for (k, values) in b.values.chunks_exact(width).enumerate() {
                        let number = values[0] as u32 | (values[1] as u32) << 15 | (values[2] as u32) << 30;
                        let first_ns = b.first_ns + k as u64 * step;
                        let twice = parts.insert(
                            b.index + k as u64,
                            Part::Sample {
                                number,
                                first_ns,
                                rate_hz,
                            },
                        );
                        assert!(
                            twice.is_none(),
                            "{name}: index {} said twice, first {twice:?}",
                            b.index + k as u64
                        );
                    }
                }
                Said::Missing(m) if m.stream == stream && m.counted => {
                    for index in m.index..m.index + m.count {
                        let twice = parts.insert(index, Part::Lost);
                        assert!(twice.is_none(), "{name}: index {index} lost after {twice:?}");
                    }
                }
                Said::Missing(m) if m.stream == stream => uncounted.push((m.index, m.index + m.count)),
                _ => {}
            }
        }
        let heard: BTreeMap<u32, u64> = parts
            .iter()
            .filter_map(|(index, part)| match part {
                Part::Sample { number, .. } => Some((*number, *index)),
                Part::Lost => None,
            })
            .collect();
        let came = parts.values().filter(|p| matches!(p, Part::Sample { .. })).count();
        assert_eq!(heard.len(), came, "{name}: a sample came twice under two indices");
        // Nothing between the first and the last number is left unsaid.
        let mut expected = 0;
        let mut gaps = uncounted.clone();
        gaps.sort_unstable();
        for index in parts.keys() {
            while let Some((from, to)) = gaps.first().copied()
                && from == expected
            {
                expected = to;
                gaps.remove(0);
            }
            assert!(
                *index == expected,
                "{name}: stream {stream}: indices {expected}..{index} were never mentioned:\n{}",
                self.around(expected)
            );
            expected += 1;
        }
        // Times and order: rising in number, right within what cutting a frame in two costs.
        // A frame says the time of its first sample only: what a clock steps within, nobody can know.
        let mut unknowable = 19
            * self
                .notes()
                .iter()
                .filter(|n| matches!(n, Note::ClockStepped(_)))
                .count();
        for (number, index) in &heard {
            let taken = truth
                .get(number)
                .unwrap_or_else(|| panic!("{name}: sample {number} was never taken"));
            let Some(Part::Sample { first_ns, rate_hz, .. }) = parts.get(index) else {
                unreachable!("found by it")
            };
            let off_us = (*first_ns as f64 * 1e-3 - taken.us as f64).abs();
            // Within a frame samples are spaced by the nominal rate until the real one has been measured: 2.5 % over the most
            // samples that a frame can have.
            let most = if stream == 0 { 19.0 } else { 38.0 };
            let allowed_us = 200.0 + 0.025 * most * 1e6 / rate_hz;
            if off_us > allowed_us && unknowable > 0 {
                unknowable -= 1;
                continue;
            }
            assert!(
                off_us < allowed_us,
                "{name}: sample {number} is {off_us:.0} of {allowed_us:.0} µs off"
            );
        }
        let order: Vec<u64> = heard.values().copied().collect();
        assert!(
            order.is_sorted(),
            "{name}: samples are numbered in another order than taken"
        );
        // Sessions: where one was heard of, everything up to its last sample is accounted for exactly.
        let mut lost = 0;
        let mut sessions: BTreeMap<u32, Vec<&Taken>> = BTreeMap::new();
        for taken in truth.values() {
            sessions.entry(taken.session).or_default().push(taken);
        }
        for (session, taken) in sessions {
            let base = taken
                .iter()
                .find_map(|t| Some(heard.get(&t.number)? - u64::from(t.index)));
            let Some(base) = base else {
                // Nothing of it was ever heard: it must lie in a stretch that could not be counted, or be lost by name.
                let named = !uncounted.is_empty() || parts.values().any(|p| matches!(p, Part::Lost));
                assert!(named || taken.is_empty(), "{name}: session {session} vanished");
                lost += taken.len();
                continue;
            };
            for t in taken {
                let index = base + u64::from(t.index);
                match parts.get(&index) {
                    Some(Part::Sample { number, .. }) => assert_eq!(*number, t.number, "{name}: index {index}"),
                    Some(Part::Lost) => lost += 1,
                    None => {
                        let uncountable = uncounted.iter().any(|(from, _)| *from <= index);
                        assert!(
                            uncountable,
                            "{name}: stream {stream}: sample {index} of session {session} unmentioned:\n{}",
                            self.around(index)
                        );
                        lost += 1;
                    }
                }
            }
        }
        (came, lost)
    }

    /// What was said about the numbers around one, and everything that was said seldom: for a test that fails.
    pub(super) fn around(&self, index: u64) -> String {
        let near = |from: u64, count: u64| from < index + 60 && from + count + 60 > index;
        let mut text = String::new();
        for (when, said) in &self.said {
            let line = match said {
                Said::Block(b) if near(b.index, 19) => {
                    format!(
                        "block {} n {} epoch {} {:?}",
                        b.index,
                        b.values.len() / 6,
                        b.epoch,
                        b.late
                    )
                }
                Said::Missing(m) => format!("{m:?}"),
                Said::Note(n) => format!("{n:?}"),
                Said::Streaming(s) => format!("streaming {} seam {} {} Hz", s.stream, s.seam, s.rate_hz),
                _ => continue,
            };
            text += &format!("{:.3} {line}\n", when.secs());
        }
        for (when, command) in &self.commands {
            if let crate::sensors::link::Command::Write { bytes, .. } = command
                && bytes[0] != 0x10
            {
                text += &format!("{:.3} wrote {bytes:02x?}\n", when.secs());
            }
        }
        text
    }

    pub(super) fn lost_by(&self, why: MissingWhy) -> u64 {
        self.said
            .iter()
            .map(|(_, s)| match s {
                Said::Missing(m) if m.why == why && m.counted => m.count,
                _ => 0,
            })
            .sum()
    }

    pub(super) fn uncounted(&self) -> usize {
        self.said
            .iter()
            .filter(|(_, s)| matches!(s, Said::Missing(m) if !m.counted))
            .count()
    }
}
