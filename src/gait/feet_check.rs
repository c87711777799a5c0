//! Whether the sensor called left foot sits on the right one, within the first strides.
//!
//! Left and right are mirror images, so a single foot tells its side only by habit: the sole turns outwards while the foot
//! takes load (eversion). The pelvis tells it by mechanics. Its forward is known without any foot (the order of fore-aft and
//! vertical acceleration, as in the mounting of the sacrum), so its left is; and early in stance the loaded side is the high
//! one, because the other side drops.
//!
//! Each cue is a mean over the strides of both feet, signed by the *names* of the sensors: the same number comes out with the
//! opposite sign when they are exchanged. Its distribution over people is taken as normal with a wide spread ([`CUES`]); the
//! logarithm of the ratio of the two densities adds up over cues. No cue may give more than [`MOST`], since a runner may be
//! built the other way. Nothing is ever swapped by itself.
//!
//! Two more cues were tried and left out because recorded runs contradict them: toes that point outwards (the direction of the
//! foot is that of its pitch axis here, and came out inwards by 6–8° in three of five recordings named right), and the push of
//! the ground toward the midline (at a sensor over the sacrum its sign was wrong in three of five).

use crate::model::units::{RAD_PER_DEG, STANDARD_GRAVITY};
use crate::model::{Foot, Sensor, Side, Stride};
use crate::orientation::TrackSample;
use crate::orientation::sacrum_alignment::stride_up;
use nalgebra::{Vector2, Vector3};

/// Strides of each foot before anything is said.
const FEWEST: u32 = 3;
/// Strides of both feet remembered.
const REMEMBERED: usize = 32;
/// Log ratio at which an exchange is said: odds of a hundred to one.
const SWAPPED_AT: f64 = -4.6;
/// Log ratio at which the names are confirmed: twenty to one.
const NAMED_AT: f64 = 3.0;
/// Most that one cue may give.
pub const MOST: f64 = 5.0;
/// Share of the largest possible agreement that the direction of forward must reach.
const FORWARD_MARGIN: f64 = 0.2;
/// Early stance as a share of the stride.
const EARLY: f64 = 0.2;
/// Body hardly carried: below 0.4 g over a tenth of the stride there is flight.
const LIGHT: f64 = 0.4 * STANDARD_GRAVITY;
const LIGHT_SHARE: f64 = 0.1;

/// What one cue is expected to be when the names are right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CueLaw {
    /// Mean over people.
    pub mean: f64,
    /// Standard deviation over people.
    pub people: f64,
    /// Standard deviation of a single stride.
    pub stride: f64,
}

/// The laws of eversion and rise. Eversion from contact to mid-stance: 6 ± 4°. Rise of the loaded side early in stance: obliquity
/// spans 8–9° (Perpiñá-Martínez 2023), of which the early fifth sees about a sixth, ± nearly as much. Set before any
/// recording was looked at, and left as they were \[D\].
pub const CUES: [CueLaw; 2] = [
    CueLaw {
        mean: 6.0 * RAD_PER_DEG,
        people: 4.0 * RAD_PER_DEG,
        stride: 3.0 * RAD_PER_DEG,
    },
    CueLaw {
        mean: 1.5 * RAD_PER_DEG,
        people: 1.2 * RAD_PER_DEG,
        stride: 1.5 * RAD_PER_DEG,
    },
];

/// One cue as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cue {
    /// Mean over both feet, each foot counting half, signed by the names, rad.
    pub mean: f64,
    /// Log ratio of "as named" to "exchanged".
    pub log_ratio: f64,
}

/// All cues as they stand; `None` for one that could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FeetEvidence {
    /// The sole turns outwards after contact.
    pub eversion: Option<Cue>,
    /// The loaded side of the pelvis is high early in stance.
    pub rise: Option<Cue>,
}

impl FeetEvidence {
    /// Sum of the log ratios.
    #[must_use]
    pub fn log_ratio(&self) -> f64 {
        let all = [self.eversion, self.rise];
        all.iter().flatten().map(|c| c.log_ratio).sum()
    }
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsure {
    /// Fewer than three strides of one of the feet.
    TooFewStrides,
    /// No cue could be read: no mounting of a foot, no pelvis.
    NothingToReadFrom,
    /// The cues are weak or contradict each other.
    Undecided,
}

/// Whether the names are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeetVerdict {
    /// As named.
    AsNamed,
    /// The sensor called left sits on the right foot.
    Swapped,
    /// Cannot say.
    CannotSay(Unsure),
}

/// What one stride gave, by the name of its foot.
#[derive(Clone, Copy, Debug)]
struct Noted {
    side: Side,
    eversion: Option<f64>,
    /// Rise as a vector of the sensor's horizontal plane, signed by the name.
    rise: Option<Vector2<f64>>,
}

/// Gathers strides of both feet and answers. Fixed size.
#[derive(Clone, Debug)]
pub struct FeetCheck {
    noted: Vec<Noted>,
    counts: [u32; 2],
    /// Sensor axis of the sacrum from which angles in its horizontal plane are counted.
    first_axis: Option<Vector3<f64>>,
    /// Forward in that plane, summed, and the most that sum could be.
    forward: Vector2<f64>,
    forward_most: f64,
}

impl Default for FeetCheck {
    fn default() -> Self {
        Self {
            noted: Vec::with_capacity(REMEMBERED),
            counts: [0; 2],
            first_axis: None,
            forward: Vector2::zeros(),
            forward_most: 0.0,
        }
    }
}

impl FeetCheck {
    /// Takes a stride of a foot, and the samples from its contact to the next one of the same foot: of the foot itself in foot
    /// axes, of the sacrum in sensor axes, where there are any. Turning strides and strides without side or contact are
    /// passed over, and so is everything after the first 32.
    pub fn note_stride(
        &mut self,
        stride: &Stride,
        foot: Option<&[TrackSample<Foot>]>,
        sacrum: Option<&[TrackSample<Sensor>]>,
    ) {
        let (Some(side), Some(contact), Some(next)) = (stride.side, stride.contact, stride.next_ic) else {
            return;
        };
        if stride.flags.turning || stride.flags.implausible_contact || self.noted.len() == REMEMBERED {
            return;
        }
        let period = next.since(contact.ic);
        let eversion = foot.map(|held| {
            let loading = held.windows(2).filter(|w| w[0].t >= contact.ic && w[1].t <= contact.m);
            side.sign() * loading.map(|w| w[0].gyro.v.x * w[1].t.since(w[0].t)).sum::<f64>()
        });
        let rise = sacrum.and_then(|held| self.rise(held, period, side));
        self.counts[usize::from(side == Side::Right)] += 1;
        self.noted.push(Noted { side, eversion, rise });
    }

    /// Rise of the named side in the sacrum sensor's horizontal plane; adds to what is known of forward.
    fn rise(&mut self, held: &[TrackSample<Sensor>], period: f64, side: Side) -> Option<Vector2<f64>> {
        let from = held.first()?.t;
        if held.len() < 32 || held.last()?.t.since(from) < 0.9 * period {
            return None;
        }
        let up = stride_up(held);
        let axis = *self
            .first_axis
            .get_or_insert_with(|| Vector3::ith_axis(up.abs().imin()).into_inner());
        let e1 = (axis - up * up.dot(&axis)).try_normalize(1e-6)?;
        let heading = held.iter().fold(Vector3::zeros(), |sum, s| sum + s.level_from.q * e1);
        let h = heading.xy().try_normalize(1e-9)?;
        let plane = |v: &Vector3<f64>| Vector2::new(v.x * h.x + v.y * h.y, v.y * h.x - v.x * h.y);
        let mut early = (Vector2::zeros(), 0.0);
        let mut lean = Vector2::zeros();
        // Second harmonic of the stride: horizontal (two axes) and vertical, each real and imaginary.
        let (mut re, mut im, mut light) = (Vector3::zeros(), Vector3::zeros(), 0);
        for s in held {
            let a = s.level_from.q * s.acc.v;
            let (b, f) = (plane(&(s.level_from.q * up)), plane(&a));
            let phase = s.t.since(from) / period;
            lean += b;
            if phase < EARLY {
                early = (early.0 + b, early.1 + 1.0);
            }
            let (sin, cos) = (2.0 * std::f64::consts::TAU * phase).sin_cos();
            let all = Vector3::new(f.x, f.y, a.z - STANDARD_GRAVITY);
            re += all * cos;
            im -= all * sin;
            light += usize::from(a.z < LIGHT);
        }
        let n = held.len() as f64;
        // A running body is slowest when lowest, a walking one when highest (see the mounting of the sacrum).
        let turn = if light as f64 > LIGHT_SHARE * n { -0.25 } else { 0.5 } * std::f64::consts::PI;
        let (sin, cos) = turn.sin_cos();
        let along = |i: usize| cos * (re[i] * re.z + im[i] * im.z) + sin * (im[i] * re.z - re[i] * im.z);
        self.forward += Vector2::new(along(0), along(1)) / (n * n);
        let horizontal = re.xy().norm_squared() + im.xy().norm_squared();
        self.forward_most += (horizontal * (re.z * re.z + im.z * im.z)).sqrt() / (n * n);
        // The left side is up where the body's own up leans to the right.
        (early.1 > 0.0).then(|| -(early.0 / early.1 - lean / n) * side.sign())
    }

    /// What the cues say so far.
    #[must_use]
    pub fn evidence(&self) -> FeetEvidence {
        let known = self.forward.norm() > FORWARD_MARGIN * self.forward_most;
        let left = self
            .forward
            .try_normalize(1e-12)
            .filter(|_| known)
            .map(|f| Vector2::new(-f.y, f.x));
        FeetEvidence {
            eversion: self.cue(&CUES[0], |n| n.eversion),
            rise: self.cue(&CUES[1], |n| Some(n.rise?.dot(&left?))),
        }
    }

    /// Mean over feet of the median over strides, and its log ratio. The mean of both feet, because an offset that the two have
    /// in common in space (a drifting heading, a leaning sensor) has opposite signs in them and cancels.
    fn cue(&self, law: &CueLaw, read: impl Fn(&Noted) -> Option<f64>) -> Option<Cue> {
        let mut sides = [0.0; 2];
        let mut fewest = u32::MAX;
        for (value, side) in sides.iter_mut().zip([Side::Left, Side::Right]) {
            let mut all = [0.0; REMEMBERED];
            let mut n = 0;
            for v in self.noted.iter().filter(|x| x.side == side).filter_map(&read) {
                all[n] = v;
                n += 1;
            }
            let used = &mut all[..n];
            used.sort_unstable_by(f64::total_cmp);
            *value = *used.get(n / 2)?;
            fewest = fewest.min(n as u32);
        }
        if fewest < FEWEST {
            return None;
        }
        let mean = 0.5 * (sides[0] + sides[1]);
        let variance = law.people * law.people + law.stride * law.stride / (2.0 * f64::from(fewest));
        let log_ratio = (2.0 * law.mean * mean / variance).clamp(-MOST, MOST);
        Some(Cue { mean, log_ratio })
    }

    /// Strides taken so far of the feet named left and right.
    #[must_use]
    pub fn strides(&self) -> [u32; 2] {
        self.counts
    }

    /// The verdict so far.
    #[must_use]
    pub fn verdict(&self) -> FeetVerdict {
        if self.counts.iter().any(|n| *n < FEWEST) {
            return FeetVerdict::CannotSay(Unsure::TooFewStrides);
        }
        let evidence = self.evidence();
        if evidence == FeetEvidence::default() {
            return FeetVerdict::CannotSay(Unsure::NothingToReadFrom);
        }
        match evidence.log_ratio() {
            r if r <= SWAPPED_AT => FeetVerdict::Swapped,
            r if r >= NAMED_AT => FeetVerdict::AsNamed,
            _ => FeetVerdict::CannotSay(Unsure::Undecided),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check whose strides all gave these values, signed by the names.
    fn noted(strides: u32, eversion_deg: Option<f64>, rise_deg: Option<f64>) -> FeetCheck {
        let mut check = FeetCheck::default();
        for k in 0..strides {
            let side = if k % 2 == 0 { Side::Left } else { Side::Right };
            check.counts[usize::from(side == Side::Right)] += 1;
            check.noted.push(Noted {
                side,
                eversion: eversion_deg.map(|d| d * RAD_PER_DEG),
                // Forward is the first axis of the plane, left the second.
                rise: rise_deg.map(|d| Vector2::new(0.3, d * RAD_PER_DEG)),
            });
        }
        (check.forward, check.forward_most) = (Vector2::new(1.0, 0.0), 1.5);
        check
    }

    #[test]
    fn exchanged_names_turn_the_answer_round_and_weak_or_torn_cues_give_none() {
        let verdict = |e, r| noted(8, e, r).verdict();
        assert_eq!(verdict(Some(5.0), Some(1.5)), FeetVerdict::AsNamed);
        assert_eq!(verdict(Some(-5.0), Some(-1.5)), FeetVerdict::Swapped);
        assert_eq!(verdict(None, Some(-3.0)), FeetVerdict::Swapped);
        let undecided = FeetVerdict::CannotSay(Unsure::Undecided);
        assert_eq!(verdict(Some(-8.0), Some(2.0)), undecided, "torn");
        assert_eq!(verdict(Some(-3.0), None), undecided, "weak");
        let nothing = FeetVerdict::CannotSay(Unsure::NothingToReadFrom);
        assert_eq!(verdict(None, None), nothing);
        let few = FeetVerdict::CannotSay(Unsure::TooFewStrides);
        assert_eq!(noted(4, Some(-9.0), Some(-9.0)).verdict(), few);
    }

    #[test]
    fn a_pelvis_whose_forward_is_not_known_is_not_asked() {
        let mut check = noted(8, None, Some(-4.0));
        check.forward_most = 10.0;
        assert_eq!(check.evidence().rise, None);
    }
}
