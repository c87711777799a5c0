//! Live cues: when to speak to a runner, what to say, and above all when to be silent.
//!
//! Step rate only: angles of the pelvis and trunk are not measured well enough to be steered by, and changing the form of
//! somebody without complaints has no evidence behind it, so nothing is said unless it was asked for. Silence is the reward
//! of being on target. The machine is pure: it is told each moment what was measured, and answers with a cue or the reason
//! for silence, so that a view can always say which.
//!
//! Numbers: docs/cues.md, which names what they rest on.

use super::engine::Coaching;

/// The target over one's own step rate at this speed. Never above 1.10: beyond it effort rises more than is gained
/// (Heiderscheit 2011, doi 10.1249/MSS.0b013e3181ebedf4, compared 5 and 10 %).
pub const RAISED: f64 = 1.05;
/// Around a target, share of it: inside there is no sound.
pub const SILENT_SHARE: f64 = 0.02;
/// A burst of the metronome, s.
pub const BURST_S: f64 = 60.0;
/// From the end of a burst to the next, s.
pub const REST_S: f64 = 240.0;
/// Bursts in one run.
pub const BURSTS: u32 = 5;
/// Strides out of the own band, one after the other, before a word is said.
pub const OUT_STRIDES: u32 = 30;
/// From one word to the next, s.
pub const WORD_GAP_S: f64 = 120.0;
/// Nothing is said before, s.
pub const WARM_UP_S: f64 = 300.0;
/// Steepest ground on which something is said, height per horizontal metre.
pub const STEEPEST: f64 = 0.03;
/// Change of speed within [`SPEED_SPAN_S`] beyond which nothing is said, m/s.
pub const SPEED_CHANGE: f64 = 0.3;
/// See [`SPEED_CHANGE`], s.
pub const SPEED_SPAN_S: f64 = 20.0;
/// This long inside the target, and the metronome is done for this run, s.
pub const DONE_S: f64 = 120.0;
/// Back score from which nothing is said.
pub const SORE: u8 = 6;
/// The metronome is set anew at most this often, s.
pub const RETUNE_S: f64 = 10.0;

/// What a runner asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A few words when the step rate stays below the own band.
    Words,
    /// Ticks at the raised step rate, in bursts.
    Metronome,
}

/// One's own step rate at a speed, steps/min.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Own {
    /// The usual.
    pub usual: f64,
    /// Lower end of the band of ordinary runs.
    pub low: f64,
}

/// What the step rate is compared with, steps/min.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// What is aimed at.
    pub target: f64,
    /// From here on there is silence.
    pub low: f64,
    /// Up to here; `None` where quicker steps are never spoken of.
    pub high: Option<f64>,
}

/// What is known at a moment, once a stride.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Since the start, s.
    pub t_s: f64,
    /// Median step rate of the last strides, steps/min.
    pub cadence: Option<f64>,
    /// Speed, m/s.
    pub speed: Option<f64>,
    /// Slope, height per horizontal metre.
    pub grade: Option<f64>,
    /// One's own step rate at this speed; `None` while it is being learned or outside the speeds it was learned at.
    pub own: Option<Own>,
    /// Whether the data is at least fair.
    pub fair: Fair,
}

/// Whether what is measured is good enough to speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fair {
    /// Fair or good.
    Yes,
    /// Gaps, clipping, poor strides.
    No,
}

/// What stands for the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the flags allow to be said.
    pub coaching: Coaching,
    /// Back score before the run, 0 to 10.
    pub back: Option<u8>,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cue {
    /// Nothing, and why.
    Silent(Why),
    /// A few words: light, quick steps.
    Words {
        /// What to come back to, steps/min.
        target: f64,
    },
    /// A tick a step.
    Tick {
        /// Steps/min.
        target: f64,
    },
}

/// Why nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Inside the target or the band: the reward.
    OnTarget,
    /// The safety screen, or a sign that should be looked at first.
    Safety,
    /// The back is sore today.
    Sore,
    /// Muted by the runner.
    Muted,
    /// Warming up.
    WarmUp,
    /// The usual at this speed is not known.
    NotLearned,
    /// What is measured is not good enough.
    Data,
    /// Too steep.
    Hill,
    /// The speed is changing.
    SpeedChanges,
    /// Out of the band, not yet for long enough.
    Waiting,
    /// Between two cues.
    Rest,
    /// All bursts of this run are done.
    Done,
}

impl Why {
    /// Whether nothing will be said before something other than the running changes: the whole run, or until unmuted.
    #[must_use]
    pub fn is_off(self) -> bool {
        matches!(self, Self::Safety | Self::Sore | Self::Muted | Self::Done)
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OnTarget => "on target",
            Self::Safety => "off: see the safety text",
            Self::Sore => "off: your back is sore today",
            Self::Muted => "muted",
            Self::WarmUp => "off while you warm up",
            Self::NotLearned => "off: your usual at this speed is not known yet",
            Self::Data => "off: the data is not good enough",
            Self::Hill => "off on hills",
            Self::SpeedChanges => "off while your speed changes",
            Self::Waiting => "watching",
            Self::Rest => "resting between cues",
            Self::Done => "done for this run",
        }
    }
}

/// The machine of one run.
#[derive(Clone, Debug)]
pub struct Cues {
    wish: Wish,
    standing: Standing,
    muted: bool,
    /// Strides out of the band, one after the other.
    out: u32,
    /// When the last word was said.
    said: Option<f64>,
    /// Begin of the burst that runs.
    burst: Option<f64>,
    /// End of the last one.
    burst_end: Option<f64>,
    bursts: u32,
    /// Since when the step rate is inside the target.
    inside: Option<f64>,
    /// Rate of the ticks, and since when.
    tuned: Option<(f64, f64)>,
    /// See [`Cues::aim`].
    aim: Option<Aim>,
    /// Speeds of the last seconds: oldest kept, with its time.
    slowest: Option<(f64, f64)>,
    fastest: Option<(f64, f64)>,
}

impl Cues {
    /// A run's cues.
    #[must_use]
    pub fn new(wish: Wish, standing: Standing) -> Self {
        Self {
            wish,
            standing,
            muted: false,
            out: 0,
            said: None,
            burst: None,
            burst_end: None,
            bursts: 0,
            inside: None,
            tuned: None,
            aim: None,
            slowest: None,
            fastest: None,
        }
    }

    /// Silent until told otherwise. A burst that is broken off counts.
    pub fn mute(&mut self) {
        self.muted = true;
    }

    /// Speaks again. What was out of the band before is forgotten: it is counted anew.
    pub fn unmute(&mut self) {
        self.muted = false;
    }

    /// What the step rate was last compared with; `None` before the first comparison and where the usual is not known.
    #[must_use]
    pub fn aim(&self) -> Option<Aim> {
        self.aim
    }

    /// What the flags allow changed: a safety tick in the middle of a run stops everything at once.
    pub fn stand(&mut self, standing: Standing) {
        self.standing = standing;
    }

    /// What to do now; to be asked once a stride, in order of time.
    pub fn at(&mut self, now: &Moment) -> Cue {
        let changing = self.speed_changes(now);
        self.aim = now.own.map(|own| self.aim_at(own));
        let against = self.against(now, changing);
        if let Some(why) = against {
            self.out = 0;
            self.end_burst(now.t_s);
            return Cue::Silent(why);
        }
        let (Some(cadence), Some(own)) = (now.cadence, now.own) else {
            return Cue::Silent(Why::NotLearned);
        };
        match self.wish {
            Wish::Words => self.words(now.t_s, cadence, own),
            Wish::Metronome => self.metronome(now.t_s, cadence, own),
        }
    }

    fn aim_at(&self, own: Own) -> Aim {
        match self.wish {
            Wish::Words => Aim {
                target: own.usual,
                low: own.low,
                high: None,
            },
            Wish::Metronome => {
                let target = self.tuned.map_or(own.usual * RAISED, |(_, rate)| rate);
                Aim {
                    target,
                    low: target * (1.0 - SILENT_SHARE),
                    high: Some(target * (1.0 + SILENT_SHARE)),
                }
            }
        }
    }

    fn against(&self, now: &Moment, changing: bool) -> Option<Why> {
        if self.standing.coaching != Coaching::Open {
            Some(Why::Safety)
        } else if self.standing.back.is_some_and(|b| b >= SORE) {
            Some(Why::Sore)
        } else if self.muted {
            Some(Why::Muted)
        } else if now.t_s < WARM_UP_S {
            Some(Why::WarmUp)
        } else if now.fair == Fair::No || now.cadence.is_none() {
            Some(Why::Data)
        } else if now.own.is_none() {
            Some(Why::NotLearned)
        } else if now.grade.is_some_and(|g| g.abs() > STEEPEST) {
            Some(Why::Hill)
        } else if changing {
            Some(Why::SpeedChanges)
        } else {
            None
        }
    }

    /// Whether the speed went further than [`SPEED_CHANGE`] within [`SPEED_SPAN_S`].
    fn speed_changes(&mut self, now: &Moment) -> bool {
        let Some(v) = now.speed else { return false };
        let keep = |kept: Option<(f64, f64)>, beats: fn(f64, f64) -> bool| match kept {
            Some((at, best)) if now.t_s - at <= SPEED_SPAN_S && !beats(v, best) => Some((at, best)),
            _ => Some((now.t_s, v)),
        };
        self.slowest = keep(self.slowest, |v, best| v <= best);
        self.fastest = keep(self.fastest, |v, best| v >= best);
        match (self.slowest, self.fastest) {
            (Some((_, low)), Some((_, high))) => high - low > SPEED_CHANGE,
            _ => false,
        }
    }

    fn words(&mut self, t: f64, cadence: f64, own: Own) -> Cue {
        if cadence >= own.low {
            self.out = 0;
            return Cue::Silent(Why::OnTarget);
        }
        self.out += 1;
        if self.said.is_some_and(|at| t - at < WORD_GAP_S) {
            return Cue::Silent(Why::Rest);
        }
        if self.out < OUT_STRIDES {
            return Cue::Silent(Why::Waiting);
        }
        self.out = 0;
        self.said = Some(t);
        Cue::Words { target: own.usual }
    }

    fn metronome(&mut self, t: f64, cadence: f64, own: Own) -> Cue {
        let target = self.target(t, own);
        let on = (cadence - target).abs() <= SILENT_SHARE * target;
        self.inside = if on { self.inside.or(Some(t)) } else { None };
        if self.inside.is_some_and(|from| t - from >= DONE_S) {
            // Held without a sound: there is nothing left to ask for in this run.
            self.bursts = BURSTS;
            self.end_burst(t);
        }
        if self.burst.is_none() {
            if self.bursts >= BURSTS {
                return Cue::Silent(Why::Done);
            }
            if self.burst_end.is_some_and(|end| t - end < REST_S) {
                return Cue::Silent(Why::Rest);
            }
            self.burst = Some(t);
            self.bursts += 1;
        }
        if self.burst.is_some_and(|from| t - from >= BURST_S) {
            self.end_burst(t);
            return Cue::Silent(Why::Rest);
        }
        if on {
            Cue::Silent(Why::OnTarget)
        } else {
            Cue::Tick { target }
        }
    }

    /// The rate of the ticks, steps/min: steady for [`RETUNE_S`], so that the metronome keeps its phase.
    fn target(&mut self, t: f64, own: Own) -> f64 {
        match self.tuned {
            Some((at, rate)) if t - at < RETUNE_S => rate,
            _ => {
                let rate = own.usual * RAISED;
                self.tuned = Some((t, rate));
                rate
            }
        }
    }

    fn end_burst(&mut self, t: f64) {
        if self.burst.take().is_some() {
            self.burst_end = Some(t);
        }
        self.tuned = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Standing = Standing {
        coaching: Coaching::Open,
        back: None,
    };
    const OWN: Own = Own {
        usual: 170.0,
        low: 166.0,
    };

    fn moment(t_s: f64, cadence: f64) -> Moment {
        Moment {
            t_s,
            cadence: Some(cadence),
            speed: Some(3.0),
            grade: Some(0.0),
            own: Some(OWN),
            fair: Fair::Yes,
        }
    }

    /// A stride takes 0.7 s.
    fn run(cues: &mut Cues, from_s: f64, to_s: f64, cadence: impl Fn(f64) -> f64) -> Vec<(f64, Cue)> {
        let mut all = Vec::new();
        let mut t = from_s;
        while t < to_s {
            all.push((t, cues.at(&moment(t, cadence(t)))));
            t += 0.7;
        }
        all
    }

    fn words(all: &[(f64, Cue)]) -> Vec<f64> {
        all.iter()
            .filter(|(_, c)| matches!(c, Cue::Words { .. }))
            .map(|(t, _)| *t)
            .collect()
    }

    #[test]
    fn words_come_after_a_run_of_strides_out_of_the_band_and_then_not_for_a_while() {
        let mut cues = Cues::new(Wish::Words, OPEN);
        let said = words(&run(&mut cues, 300.0, 900.0, |_| 160.0));
        assert!(
            (said[0] - (300.0 + 0.7 * f64::from(OUT_STRIDES - 1))).abs() < 0.1,
            "{said:?}"
        );
        assert!(said.windows(2).all(|w| w[1] - w[0] >= WORD_GAP_S), "{said:?}");
        assert!(said.len() >= 4);
        let mut steady = Cues::new(Wish::Words, OPEN);
        assert!(words(&run(&mut steady, 300.0, 2000.0, |_| 170.0)).is_empty());
        // Every 25th stride is fine: never thirty in a row.
        let mut mixed = Cues::new(Wish::Words, OPEN);
        let now_and_then = |t: f64| {
            if ((t - 300.0) / 0.7).round() as i64 % 25 == 0 {
                170.0
            } else {
                160.0
            }
        };
        assert!(words(&run(&mut mixed, 300.0, 2000.0, now_and_then)).is_empty());
    }

    #[test]
    fn the_metronome_ticks_in_bursts_and_is_silent_on_target() {
        let mut cues = Cues::new(Wish::Metronome, OPEN);
        let all = run(&mut cues, 300.0, 3000.0, |_| 168.0);
        let ticks: Vec<f64> = all
            .iter()
            .filter(|(_, c)| matches!(c, Cue::Tick { .. }))
            .map(|(t, _)| *t)
            .collect();
        let starts = ticks
            .iter()
            .zip(std::iter::once(&-1e9).chain(&ticks))
            .filter(|(a, b)| *a - *b > 100.0)
            .count();
        assert_eq!(starts, BURSTS as usize);
        let burst = ticks.iter().filter(|t| **t < 400.0).count() as f64 * 0.7;
        assert!((burst - BURST_S).abs() < 2.0, "{burst}");
        assert!(matches!(all.last(), Some((_, Cue::Silent(Why::Done)))));
        for (_, cue) in &all {
            if let Cue::Tick { target } = cue {
                assert!((target - 170.0 * RAISED).abs() < 1e-9);
            }
        }
        let mut good = Cues::new(Wish::Metronome, OPEN);
        let on = run(&mut good, 300.0, 350.0, |_| 178.0);
        assert!(
            on.iter().all(|(_, c)| *c == Cue::Silent(Why::OnTarget)),
            "silence is the reward"
        );
    }

    #[test]
    fn nothing_is_said_where_it_must_not_be() {
        let at = |change: fn(&mut Moment), standing: Standing| {
            let mut cues = Cues::new(Wish::Metronome, standing);
            let mut now = moment(400.0, 150.0);
            change(&mut now);
            cues.at(&now)
        };
        let coaching = |coaching| Standing { coaching, back: None };
        assert!(matches!(at(|_| {}, OPEN), Cue::Tick { .. }));
        assert_eq!(at(|_| {}, coaching(Coaching::Silent)), Cue::Silent(Why::Safety));
        assert_eq!(at(|_| {}, coaching(Coaching::NoCues)), Cue::Silent(Why::Safety));
        let sore = Standing {
            coaching: Coaching::Open,
            back: Some(6),
        };
        assert_eq!(at(|_| {}, sore), Cue::Silent(Why::Sore));
        assert_eq!(at(|m| m.t_s = 10.0, OPEN), Cue::Silent(Why::WarmUp));
        assert_eq!(at(|m| m.fair = Fair::No, OPEN), Cue::Silent(Why::Data));
        assert_eq!(at(|m| m.cadence = None, OPEN), Cue::Silent(Why::Data));
        assert_eq!(at(|m| m.own = None, OPEN), Cue::Silent(Why::NotLearned));
        assert_eq!(at(|m| m.grade = Some(-0.05), OPEN), Cue::Silent(Why::Hill));
    }

    #[test]
    fn what_is_aimed_at_is_known_in_silence_too() {
        let mut cues = Cues::new(Wish::Metronome, OPEN);
        assert_eq!(cues.aim(), None);
        let _ = cues.at(&moment(10.0, 160.0));
        let aim = cues.aim().expect("warming up, and the usual is known");
        assert!((aim.target - 170.0 * RAISED).abs() < 1e-9);
        assert!(aim.low < aim.target && aim.high.is_some_and(|h| h > aim.target));
        let mut unknown = moment(11.0, 160.0);
        unknown.own = None;
        let _ = cues.at(&unknown);
        assert_eq!(cues.aim(), None);
        let mut words = Cues::new(Wish::Words, OPEN);
        let _ = words.at(&moment(10.0, 160.0));
        let aim = words.aim().map(|a| (a.target, a.low, a.high));
        assert_eq!(aim, Some((170.0, 166.0, None)));
    }

    #[test]
    fn a_safety_tick_in_the_middle_of_a_burst_stops_it_at_once() {
        let mut cues = Cues::new(Wish::Metronome, OPEN);
        assert!(matches!(cues.at(&moment(400.0, 150.0)), Cue::Tick { .. }));
        cues.stand(Standing {
            coaching: Coaching::Silent,
            back: None,
        });
        assert_eq!(cues.at(&moment(400.7, 150.0)), Cue::Silent(Why::Safety));
        cues.stand(OPEN);
        cues.mute();
        assert_eq!(cues.at(&moment(401.4, 150.0)), Cue::Silent(Why::Muted));
        cues.unmute();
        assert_eq!(
            cues.at(&moment(402.1, 150.0)),
            Cue::Silent(Why::Rest),
            "the burst is over"
        );
    }

    #[test]
    fn a_change_of_speed_silences_until_it_is_steady_again() {
        let mut cues = Cues::new(Wish::Words, OPEN);
        let mut last = Cue::Silent(Why::OnTarget);
        let mut changing = 0;
        for k in 0..120 {
            let t = 400.0 + 0.7 * f64::from(k);
            let now = Moment {
                speed: Some(if k < 40 { 3.0 } else { 3.5 }),
                ..moment(t, 160.0)
            };
            last = cues.at(&now);
            changing += i32::from(last == Cue::Silent(Why::SpeedChanges));
        }
        let span = f64::from(changing) * 0.7;
        assert!((SPEED_SPAN_S - 2.0..SPEED_SPAN_S + 2.0).contains(&span), "{span}");
        assert_ne!(last, Cue::Silent(Why::SpeedChanges));
    }
}
