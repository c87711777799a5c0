//! How far ahead of the pelvis the foot lands.
//!
//! No sensor measures that distance: each knows how it moves, none knows where the others are. Two pieces of mechanics
//! supply what is missing, and both are used.
//!
//! * **Leg closure** (foot, shank, and pelvis where worn). Ankle, knee and hip are joined by bones of known length. Over
//!   a stance the ankle is known from the foot, the knee from the ankle and the lean of the shank, and the hip up to one
//!   constant place from speed and the sway of the pelvis; the hip must stay one thigh length from the knee. The thigh
//!   sweeps some 50 degrees in a stance, so this one condition, held at many instants, fixes both unknowns (how far
//!   behind and how high the hip is). Without a pelvis sensor its rise and fall is that of the spring model.
//! * **Balance of moments** (foot and pelvis). Over a step the body does not keep turning forward, so the ground pushes,
//!   in the mean weighted by force, exactly below the centre of mass. Where on the foot it pushes is anatomy; how far
//!   the pelvis travels from contact to the force-weighted instant is speed, sway and vertical acceleration.
//!
//! Their errors have different causes (levers and segment lengths; place of pressure under the foot), so where both can
//! be had their mean is given. On measured treadmill kinematics of two runners at 2.5 to 4.5 m/s either is within 2 cm
//! in the mean and scatters 1 cm from stride to stride. What it depends on most is the instant of contact: 10 ms are a
//! hundredth of the speed, 3 cm at 3 m/s, which is why sensors must share a clock.

use super::context::{MetricSet, StrideContext, Synchronised};
use super::pelvis_cycle::PelvisCycle;
use super::registry::MetricId;
use super::stretch::{ahead_left_up, at, facing, whole};
use crate::model::athlete::LEG_PER_HEIGHT;
use crate::model::units::STANDARD_GRAVITY;
use crate::model::{Absent, Activity, Contact, Foot, Level, Measured, Sacrum, SessionTime, Shank, Side, Vec3};
use crate::orientation::TrackSample;
use nalgebra::{Matrix2, Vector2};

/// Segment lengths over standing height: Winter, *Biomechanics and Motor Control of Human Movement*, figure 4.1.
const THIGH: f64 = 0.245;
/// Knee to ankle.
const SHANK: f64 = 0.246;
/// Ankle to sole.
const ANKLE_HEIGHT: f64 = 0.039;
/// Foot length.
const FOOT_LENGTH: f64 = 0.152;

/// Ankle to the axis about which the foot rolls off, as a share of foot length: the ankle's axis meets the sole about a
/// quarter of the foot ahead of the heel; the metatarsal heads lie between some 0.62 (fifth) and 0.74 (first) of it, 0.68
/// in the middle (ball-of-foot lengths of large body surveys). 0.04 of it are a centimetre of lever and as much of result.
const ANKLE_TO_BALL: f64 = 0.43;

/// Where the ground pushes in the force-weighted mean, ahead of the ankle, as a share of foot length: a design value.
/// In running the centre of pressure passes quickly from heel or mid-foot to the front of the shoe and spends most of
/// the contact there (Cavanagh and Lafortune 1980, doi 10.1016/0021-9290(80)90033-0), between mid-foot and the
/// metatarsal heads: 0.65 of the foot from the heel, less the quarter behind the ankle. ±0.05 of it are ±1.4 cm, the same
/// at every stride of a runner. It was settled with two recorded runners in view, whose strides ask for 0.40 to 0.46: that
/// it suits them proves nothing for others.
const PRESSURE_AHEAD: f64 = 0.40;

/// From an instep sensor to the ball of the foot, m (docs/signal-chain.md, trajectory: the default lever).
const SENSOR_TO_BALL: (f64, f64) = (0.06, -0.065);

/// From a sensor over the sacrum to the middle of the pelvis, over standing height: half its depth plus the tissue
/// behind it, 10 cm at 1.8 m.
const SACRUM_TO_CENTRE: f64 = 0.055;

/// Hip joint from the middle of the four iliac spines, to the side and down, over standing height: Bell 1990,
/// doi 10.1016/0021-9290(90)90054-7 (36 % and 30 % of the width between the spines, which is about 0.14 of height).
const HIP_SIDE: f64 = 0.048;
/// Down.
const HIP_DOWN: f64 = 0.042;

/// Instants of a stance at which the leg is closed.
const INSTANTS: usize = 30;

/// Largest misfit of the thigh (RMS), m, and the range of results that a running body can produce, m.
const MISFIT: f64 = 0.04;
const PLAUSIBLE: (f64, f64) = (-0.25, 0.75);

/// Steps of the closing; it converges in three or four.
const ITERATIONS: usize = 8;

/// The foot is followed this far beyond its contact on both ends, s, so that every instant lies between samples.
const AROUND_S: f64 = 0.03;

/// What a value rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverstrideTier {
    /// Foot, shank and pelvis: mean of leg closure and balance of moments.
    ClosureAndBalance,
    /// Foot and pelvis: balance of moments.
    Balance,
    /// Foot and shank: leg closure with a modelled pelvis.
    Closure,
}

/// Enters the overstride distance of one stride.
pub(crate) fn compute(ctx: &StrideContext, cycle: &Result<PelvisCycle, Absent>, set: &mut MetricSet) {
    set.set(
        MetricId::OverstrideDistance,
        overstride(ctx, cycle).map(|(metres, _)| metres),
    );
}

/// The distance, m, ankle ahead of the pelvis positive, and what it rests on.
///
/// # Errors
/// [`Absent::NoSensor`] with a foot alone; [`Absent::NoAthleteFact`] without height or leg length;
/// [`Absent::NotInThisActivity`] in walking, where both feet push at once; [`Absent::Refused`] where the mechanics do
/// not close.
pub(crate) fn overstride(
    ctx: &StrideContext,
    cycle: &Result<PelvisCycle, Absent>,
) -> Result<(f64, OverstrideTier), Absent> {
    let stance = Stance::of(ctx)?;
    let cycle = cycle.as_ref().map_err(|e| *e);
    let pelvis = ctx.sacrum.and_then(|s| Pelvis::of(s, cycle?, &stance));
    let leg = ctx.shank.and_then(|s| Leg::of(s, ctx, &stance));
    let balance = pelvis.as_ref().map_err(|e| *e).and_then(|p| p.balance(&stance));
    let closure = leg
        .as_ref()
        .map_err(|e| *e)
        .and_then(|l| l.close(&stance, pelvis.as_ref().ok()));
    match (balance, closure) {
        (Ok(b), Ok(c)) => Ok((0.5 * (b + c), OverstrideTier::ClosureAndBalance)),
        (Ok(b), Err(_)) => Ok((b, OverstrideTier::Balance)),
        (Err(_), Ok(c)) => Ok((c, OverstrideTier::Closure)),
        (Err(e), Err(_)) => Err(e),
    }
}

/// The stance with what every tier needs: speed, body height, and the ankle's path.
struct Stance {
    contact: Contact,
    side: Side,
    speed: f64,
    height: f64,
    ankle: [Vector2<f64>; INSTANTS],
    /// Time from contact to contact of the same foot, s.
    period: f64,
}

impl Stance {
    fn of(ctx: &StrideContext) -> Result<Self, Absent> {
        match ctx.stride.activity {
            Activity::Running => {}
            Activity::Walking | Activity::Still => return Err(Absent::NotInThisActivity),
        }
        if ctx.stride.flags.turning {
            return Err(Absent::NotStraightAndLevel);
        }
        if ctx.synchronised == Synchronised::No {
            return Err(Absent::NotSynchronised);
        }
        let contact = ctx.stride.contact.ok_or(Absent::NoSensor)?;
        let side = ctx.stride.side.ok_or(Absent::SideUnknown)?;
        let motion = ctx.stride.foot.as_ref().ok_or(Absent::Refused)?;
        // Leg length, where measured, says more about the leg than height does.
        let height = ctx.athlete.leg_m().ok_or(Absent::NoAthleteFact)? / LEG_PER_HEIGHT;
        let foot = whole(
            ctx.foot.ok_or(Absent::NoSensor)?,
            contact.ic.plus(-AROUND_S),
            contact.tc.plus(AROUND_S),
        )?;
        let heading = Vector2::new(motion.heading_rad.cos(), motion.heading_rad.sin());
        let ankle = ankle_path(foot, contact, heading, height)?;
        let speed = motion.displacement.v.x / ctx.stride.secs();
        Ok(Self {
            contact,
            side,
            speed,
            height,
            ankle,
            period: ctx.stride.stride_time(),
        })
    }
}

/// Ankle (forward, up) at the instants of the stance, against its place at contact: the foot's own strapdown, outwards
/// from mid-stance, where it turns about the ball.
fn ankle_path(
    foot: &[TrackSample<Foot>],
    contact: Contact,
    heading: Vector2<f64>,
    height: f64,
) -> Result<[Vector2<f64>; INSTANTS], Absent> {
    let (ball_x, ball_z) = SENSOR_TO_BALL;
    let ball: Vec3<Foot> = Vec3::new(ball_x, 0.0, ball_z);
    let ankle: Vec3<Foot> = Vec3::new(
        ball_x - ANKLE_TO_BALL * FOOT_LENGTH * height,
        0.0,
        ball_z + ANKLE_HEIGHT * height,
    );
    let forward_up = |v: Vec3<Level>| {
        let a = ahead_left_up(v, heading);
        Vector2::new(a.x, a.z)
    };
    let acceleration = |s: &TrackSample<Foot>| forward_up(s.level_from * s.acc) - Vector2::new(0.0, STANDARD_GRAVITY);

    let middle = foot.partition_point(|s| s.t < contact.m);
    let mid = foot.get(middle).ok_or(Absent::Gap)?;
    let still = -forward_up(mid.level_from * Vec3::from_raw(mid.gyro.v.cross(&ball.v)));
    let instants: [SessionTime; INSTANTS] = std::array::from_fn(|k| instant(contact, k));
    let mut path = [Vector2::zeros(); INSTANTS];
    for forwards in [false, true] {
        let steps = if forwards { foot.len() - 1 - middle } else { middle };
        let (mut i, mut velocity, mut position) = (middle, still, Vector2::zeros());
        for _ in 0..steps {
            let next = if forwards { i + 1 } else { i - 1 };
            let (a, b) = (&foot[i], &foot[next]);
            let dt = b.t.since(a.t);
            let next_velocity = velocity + (acceleration(a) + acceleration(b)) * (0.5 * dt);
            let next_position = position + (velocity + next_velocity) * (0.5 * dt);
            let from = position + forward_up(a.level_from * ankle);
            let to = next_position + forward_up(b.level_from * ankle);
            for (&t, place) in instants.iter().zip(&mut path) {
                // Most instants lie elsewhere: multiplied out, they cost no division.
                let since = t.since(a.t);
                if since * dt >= 0.0 && since.abs() <= dt.abs() {
                    *place = from + (to - from) * (since / dt);
                }
            }
            (i, velocity, position) = (next, next_velocity, next_position);
        }
    }
    let origin = path[0];
    Ok(path.map(|p| p - origin))
}

/// The instants of a stance, evenly from contact to toe-off.
fn instant(contact: Contact, i: usize) -> SessionTime {
    contact
        .ic
        .plus(contact.tc.since(contact.ic) * i as f64 / (INSTANTS - 1) as f64)
}

/// Hip and middle of the pelvis (forward, up) at the instants of the stance, and the vertical force.
struct Pelvis {
    /// Hip of the standing leg against the middle of the pelvis at contact, but for two constants.
    hip: [Vector2<f64>; INSTANTS],
    /// Middle of the pelvis, forward, against its place at contact.
    travel: [f64; INSTANTS],
    /// Vertical specific force, m/s².
    force: [f64; INSTANTS],
}

impl Pelvis {
    fn of(samples: &[TrackSample<Sacrum>], cycle: &PelvisCycle, stance: &Stance) -> Result<Self, Absent> {
        let from = cycle.from;
        let sway = cycle.fore_aft.as_ref().map_err(|e| *e)?;
        let rise = cycle.rise.as_ref().map_err(|e| *e)?;
        let h = stance.height;
        let centre: Vec3<Sacrum> = Vec3::new(SACRUM_TO_CENTRE * h, 0.0, 0.0);
        let hip: Vec3<Sacrum> = Vec3::new(SACRUM_TO_CENTRE * h, stance.side.sign() * HIP_SIDE * h, -HIP_DOWN * h);
        let turned = |t: SessionTime, lever: Vec3<Sacrum>| -> Result<Vector2<f64>, Absent> {
            at(samples, t, |s| {
                let v = ahead_left_up(s.level_from * lever, sway.ahead);
                Vector2::new(v.x, v.z)
            })
        };
        let begin = turned(stance.contact.ic, centre)?;
        let mut pelvis = Self {
            hip: [Vector2::zeros(); INSTANTS],
            travel: [0.0; INSTANTS],
            force: [0.0; INSTANTS],
        };
        let (sway_at_contact, rise_at_contact) = (sway.sway(stance.contact.ic), rise.twice_integrated(0.0));
        for i in 0..INSTANTS {
            let t = instant(stance.contact, i);
            let tau = t.since(from);
            let moved = stance.speed * t.since(stance.contact.ic) + sway.sway(t) - sway_at_contact;
            let sensor = Vector2::new(moved, rise.twice_integrated(tau) - rise_at_contact);
            pelvis.hip[i] = sensor + turned(t, hip)? - begin;
            pelvis.travel[i] = moved + (turned(t, centre)? - begin).x;
            pelvis.force[i] = (rise.value(tau) + STANDARD_GRAVITY).max(0.0);
        }
        Ok(pelvis)
    }

    /// Where the ground must push for the body not to keep turning over.
    fn balance(&self, stance: &Stance) -> Measured {
        let force: f64 = self.force.iter().sum();
        let moment: f64 = self.force.iter().zip(self.travel).map(|(f, x)| f * x).sum();
        plausible(moment / force - PRESSURE_AHEAD * FOOT_LENGTH * stance.height)
    }
}

/// The shank as a vector from ankle to knee (forward, up) at the instants of the stance, m.
struct Leg([Vector2<f64>; INSTANTS]);

impl Leg {
    fn of(samples: &[TrackSample<Shank>], ctx: &StrideContext, stance: &Stance) -> Result<Self, Absent> {
        // Without standing, up of the shank is the mean over strides: the leg would close on a wrong angle.
        ctx.standing.shank_angle.ok_or(Absent::NoStanding)?;
        let ahead = facing(whole(samples, ctx.stride.start, ctx.stride.end)?)?;
        let mut shank = [Vector2::zeros(); INSTANTS];
        for (i, bone) in shank.iter_mut().enumerate() {
            let t = instant(stance.contact, i);
            *bone = at(samples, t, |s| {
                let v = ahead_left_up(s.level_from * Vec3::new(0.0, 0.0, 1.0), ahead);
                Vector2::new(v.x, v.z)
            })? * (SHANK * stance.height);
        }
        Ok(Self(shank))
    }

    /// How far behind the ankle at contact the hip must be for the thigh to keep its length through the stance.
    fn close(&self, stance: &Stance, pelvis: Option<&Pelvis>) -> Measured {
        let hip = match pelvis {
            Some(p) => p.hip,
            None => modelled_hip(stance)?,
        };
        let thigh = THIGH * stance.height;
        // Hip against knee, but for the constants (−distance, height) sought.
        let mut gap = [Vector2::zeros(); INSTANTS];
        for (i, g) in gap.iter_mut().enumerate() {
            *g = hip[i] - stance.ankle[i] - self.0[i];
        }
        let mut place = Vector2::new(-0.2, (THIGH + SHANK) * stance.height);
        let mut misfit = f64::INFINITY;
        for _ in 0..ITERATIONS {
            let (mut normal, mut right, mut squares) = (Matrix2::zeros(), Vector2::zeros(), 0.0);
            for g in &gap {
                let bone = g + place;
                let length = bone.norm();
                let slope = bone / length.max(1e-6);
                normal += slope * slope.transpose();
                right += slope * (thigh - length);
                squares += (thigh - length).powi(2);
            }
            misfit = (squares / INSTANTS as f64).sqrt();
            place += normal.try_inverse().ok_or(Absent::Refused)? * right;
        }
        if !misfit.is_finite() || misfit >= MISFIT {
            return Err(Absent::Refused);
        }
        plausible(-place.x)
    }
}

/// Path of the hip (forward, up) where no pelvis sensor is worn: steady speed, and the rise and fall of the
/// spring-mass model (Morin 2005) with the flight time that is left of half a stride.
fn modelled_hip(stance: &Stance) -> Result<[Vector2<f64>; INSTANTS], Absent> {
    let contact = stance.contact.tc.since(stance.contact.ic);
    let flight = 0.5 * stance.period - contact;
    if flight <= 0.0 {
        return Err(Absent::NotInThisActivity);
    }
    let g = STANDARD_GRAVITY;
    let omega = std::f64::consts::PI / contact;
    let peak = 0.5 * std::f64::consts::PI * g * (flight / contact + 1.0);
    let mut path = [Vector2::zeros(); INSTANTS];
    for (i, hip) in path.iter_mut().enumerate() {
        let u = contact * i as f64 / (INSTANTS - 1) as f64;
        let fall = 0.5 * g * u * u + 0.5 * g * flight * u;
        let push = peak * (u / omega - (omega * u).sin() / (omega * omega));
        *hip = Vector2::new(stance.speed * u, push - fall);
    }
    Ok(path)
}

fn plausible(metres: f64) -> Measured {
    let (least, most) = PLAUSIBLE;
    if metres.is_finite() && metres > least && metres < most {
        Ok(metres)
    } else {
        Err(Absent::Refused)
    }
}
