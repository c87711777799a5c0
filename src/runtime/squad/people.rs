//! The six, and their stories: when they run, how far, in which form, and what goes wrong.

use super::WEEKS;
use crate::model::units::rad;
use crate::model::{Athlete, Placement};
use crate::synth::{Form, Subject};

/// Rate of their sensors, Hz.
pub(super) const RATE_HZ: f64 = 208.0;

/// Both shoes and the waistband.
const FULL: &[Placement] = &[Placement::LeftFoot, Placement::RightFoot, Placement::Sacrum];
/// Both shoes.
const FEET: &[Placement] = &[Placement::LeftFoot, Placement::RightFoot];
/// Shoes, right shin, waistband.
const SHIN: &[Placement] = &[
    Placement::LeftFoot,
    Placement::RightFoot,
    Placement::RightShank,
    Placement::Sacrum,
];

/// What a runner's season is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Story {
    /// Nothing changes.
    Steady,
    /// Longer, slower steps from the sixth week.
    Overstriding,
    /// Long runs that end tired; sleep and back get worse.
    Fatigue,
    /// The pelvis drops more on one side; old shoes.
    Drop,
    /// Poor radio, loose sensors, feet exchanged once.
    PoorData,
    /// Far more than usual, then a sign that needs looking at.
    Spike,
}

/// One of them.
pub(super) struct Person {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    pub(super) story: Story,
    pub(super) kit: &'static [Placement],
    pub(super) height_m: f64,
    pub(super) mass_kg: f64,
    /// Easy speed, m/s.
    pub(super) speed: f64,
    /// Days of the week on which they run, from 0.
    pub(super) days: &'static [i32],
}

/// The six.
pub(super) const PEOPLE: [Person; 6] = [
    Person {
        id: "ada",
        name: "Ada Quist",
        group: "Thursday group",
        story: Story::Steady,
        kit: FULL,
        height_m: 1.68,
        mass_kg: 58.0,
        speed: 2.9,
        days: &[1, 3, 6],
    },
    Person {
        id: "ben",
        name: "Ben Ortega",
        group: "Thursday group",
        story: Story::Overstriding,
        kit: SHIN,
        height_m: 1.82,
        mass_kg: 77.0,
        speed: 2.9,
        days: &[1, 3, 6],
    },
    Person {
        id: "cleo",
        name: "Cleo Marsh",
        group: "Marathon",
        story: Story::Fatigue,
        kit: FULL,
        height_m: 1.71,
        mass_kg: 62.0,
        speed: 2.8,
        days: &[0, 2, 4, 6],
    },
    Person {
        id: "dev",
        name: "Dev Rao",
        group: "Marathon",
        story: Story::Drop,
        kit: FULL,
        height_m: 1.76,
        mass_kg: 70.0,
        speed: 2.7,
        days: &[1, 4, 6],
    },
    Person {
        id: "eli",
        name: "Eli Novak",
        group: "Thursday group",
        story: Story::PoorData,
        kit: FEET,
        height_m: 1.79,
        mass_kg: 81.0,
        speed: 2.6,
        days: &[2, 5],
    },
    Person {
        id: "fay",
        name: "Fay Lindqvist",
        group: "Marathon",
        story: Story::Spike,
        kit: FULL,
        height_m: 1.65,
        mass_kg: 55.0,
        speed: 3.0,
        days: &[0, 2, 5],
    },
];

/// A run of the season.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Day of the season, from 0.
    pub(super) day: i32,
    /// Start, seconds of the day.
    pub(super) start_s: i64,
    /// Duration, s.
    pub(super) secs: f64,
    /// How far between the two speeds of the stock, 0 to 1, and beyond.
    pub(super) pace: f64,
    /// How far from the usual form to that of the story, 0 to 1.
    pub(super) changed: f64,
    /// How much of the story comes only late in the run.
    pub(super) late: f64,
    /// Share of strides of poor quality.
    pub(super) poor: f64,
    /// Seconds lost in the middle.
    pub(super) lost_s: f64,
    /// Shoe sensors exchanged.
    pub(super) swapped: bool,
    /// Simulated and measured whole.
    pub(super) whole: bool,
    /// A seed of its own.
    pub(super) seed: u64,
    /// Its number, from 0.
    pub(super) number: i32,
}

/// A number from 0 to 1 that depends on these alone (SplitMix64's finaliser).
pub(super) fn share(seed: u64, a: u64, b: u64) -> f64 {
    let mut z = seed ^ a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A normal deviate of these (Box–Muller).
pub(super) fn normal(seed: u64, a: u64, b: u64) -> f64 {
    let (u, v) = (share(seed, a, 2 * b).max(1e-12), share(seed, a, 2 * b + 1));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

impl Person {
    /// Facts for the formulas.
    pub(super) fn facts(&self) -> Athlete {
        Athlete {
            height_m: Some(self.height_m),
            mass_kg: Some(self.mass_kg),
            leg_length_m: None,
        }
    }

    /// Their body.
    pub(super) fn subject(&self) -> Subject {
        Subject {
            height_m: self.height_m,
            mass_kg: self.mass_kg,
            creep_mps: 0.02,
            flight_residue: 0.05,
            ..Subject::reference()
        }
    }

    /// The form of their story.
    pub(super) fn form(&self) -> Form {
        match self.story {
            Story::Overstriding => Form {
                reach_m: 0.08,
                cadence_scale: 0.94,
                contact_scale: 1.03,
                strike_rad: rad(6.0),
                ..Form::USUAL
            },
            Story::Fatigue => Form {
                reach_m: 0.02,
                cadence_scale: 0.965,
                contact_scale: 1.08,
                strike_rad: rad(1.0),
                tilt_rad: rad(4.0),
                drop_rad: [rad(0.4), rad(1.2)],
            },
            Story::Drop => Form {
                drop_rad: [rad(0.2), rad(4.2)],
                contact_scale: 1.02,
                ..Form::USUAL
            },
            _ => Form::USUAL,
        }
    }

    /// Their runs, in order of time.
    pub(super) fn runs(&self, seed: u64) -> Vec<Run> {
        let mine = seed ^ u64::from(self.id.bytes().fold(7_u32, |h, b| h.wrapping_mul(31) + u32::from(b)));
        let mut runs = Vec::new();
        for week in 0..WEEKS {
            for (i, weekday) in self.days.iter().enumerate() {
                let day = 7 * week + weekday;
                let number = runs.len() as i32;
                let long = i + 1 == self.days.len();
                let mut run = Run {
                    day,
                    start_s: 6 * 3600 + 1800 * i as i64,
                    secs: 60.0 * if long { 24.0 } else { 15.0 },
                    pace: share(mine, 1, number as u64),
                    changed: 0.0,
                    late: 0.0,
                    poor: 0.02,
                    lost_s: 0.0,
                    swapped: false,
                    whole: false,
                    seed: mine.wrapping_add(1000 + number as u64),
                    number,
                };
                self.tell(week, long, &mut run);
                runs.push(run);
            }
        }
        if matches!(self.story, Story::Overstriding | Story::Fatigue)
            && let Some(last) = runs.last_mut()
        {
            last.whole = true;
        }
        runs
    }

    /// Puts the story into a run of this week.
    fn tell(&self, week: i32, long: bool, run: &mut Run) {
        match self.story {
            Story::Steady => {}
            Story::Overstriding => run.changed = if week >= 5 { 1.0 } else { 0.0 },
            Story::Fatigue => {
                if long {
                    run.secs = 60.0 * 46.0;
                    run.late = f64::from(week) / f64::from(WEEKS - 1);
                }
            }
            Story::Drop => run.changed = (f64::from(week - 3) / 2.0).clamp(0.0, 1.0),
            Story::PoorData => {
                run.poor = if week >= 5 { 0.55 } else { 0.15 };
                run.lost_s = if run.number % 3 == 1 { 90.0 } else { 0.0 };
                run.swapped = run.number == 11;
            }
            Story::Spike => {
                if week == WEEKS - 1 {
                    run.secs *= if long { 2.6 } else { 1.4 };
                }
            }
        }
    }
}
