//! Reads the truth off the motion: events, angles, lengths, ranges of every stride.
//!
//! Extremes are refined until they are exact to rounding. Nothing here looks at a sensor, except the count of clipped
//! samples.

use super::faults::FaultEvent;
use super::foot::ankle;
use super::jet::{Jet, Jet3};
use super::mount::nominal_lever;
use super::rigid::Pose;
use super::sensor::{Body, exchanged};
use super::simulation::{Ground, Simulation};
use super::spring::spring_model;
use super::stance::{RISES_BEFORE_S, SETTLED_AFTER_S};
use super::step::{Gait, Landing, Step};
use super::timeline::Timeline;
use super::truth::{ClippedCount, PelvisPoint, StandingAngles, TrueContact, TrueEvent, TruePelvis, TrueStride, Truth};
use crate::model::units::rad;
use crate::model::{Activity, Placement, SegmentKind, SessionTime, Side, Span};
use nalgebra::Vector3;
use std::f64::consts::PI;

/// Instants per stride at which the pelvis is looked at before extremes are refined.
const LOOKS: usize = 120;
/// How long before contact strike angle and touchdown speed are read, s (signal design, section 10).
const BEFORE_IC_S: f64 = 0.010;

pub(super) fn truth(simulation: &Simulation, timeline: &Timeline, pelvis_hz: f64) -> Truth {
    let mut reader = Reader::new(simulation, timeline);
    let standing = reader.standing;
    let mut strides: Vec<TrueStride> = Vec::new();
    let mut contacts = Vec::new();
    for side in [Side::Left, Side::Right] {
        reader.read_side(side, &mut strides, &mut contacts);
        count_clipped(simulation, side, &mut strides);
    }
    strides.sort_by_key(|s| (s.ic, s.m, s.side));
    contacts.sort_by_key(|c: &TrueContact| (c.ic, c.side));
    let last = timeline.intervals.last();
    Truth {
        strides,
        contacts,
        pelvis: reader.pelvis_points(pelvis_hz),
        standing,
        events: events(simulation, timeline),
        distance: last.map_or(0.0, |i| i.distance(i.to.t).v),
        duration: timeline.end,
    }
}

fn slot(side: Side) -> usize {
    usize::from(side == Side::Right)
}

fn at(t: f64) -> SessionTime {
    SessionTime::from_secs(t)
}

/// Least value of `f` on a grid over `[from, to]`, refined around its lowest point; with its place.
fn least(from: f64, to: f64, looks: usize, mut f: impl FnMut(f64) -> f64) -> (f64, f64) {
    let h = (to - from) / looks as f64;
    let (mut best, mut value) = (from, f64::INFINITY);
    for i in 0..=looks {
        let t = from + h * i as f64;
        let v = f(t);
        if v < value {
            (best, value) = (t, v);
        }
    }
    let refined = golden((best - h).max(from), (best + h).min(to), f);
    if refined.1 < value { refined } else { (best, value) }
}

/// Golden section (Kiefer 1953) for the one minimum of `f` between `a` and `b`.
fn golden(mut a: f64, mut b: f64, mut f: impl FnMut(f64) -> f64) -> (f64, f64) {
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut c, mut d) = (b - ratio * (b - a), a + ratio * (b - a));
    let (mut at_c, mut at_d) = (f(c), f(d));
    // Twenty-two steps leave 2·10⁻⁵ of the interval, and of an extreme's value the square of that.
    for _ in 0..22 {
        if at_c < at_d {
            (b, d, at_d) = (d, c, at_c);
            c = b - ratio * (b - a);
            at_c = f(c);
        } else {
            (a, c, at_c) = (c, d, at_d);
            d = a + ratio * (b - a);
            at_d = f(d);
        }
    }
    if at_c < at_d { (c, at_c) } else { (d, at_d) }
}

/// Ranges of several quantities at once over `[from, to]`: one pass over the grid, then each extreme refined.
fn ranges<const N: usize>(from: f64, to: f64, looks: usize, mut f: impl FnMut(f64) -> [f64; N]) -> [f64; N] {
    let h = (to - from) / looks as f64;
    let mut low = [(from, f64::INFINITY); N];
    let mut high = [(from, f64::NEG_INFINITY); N];
    for i in 0..=looks {
        let t = from + h * i as f64;
        for (k, v) in f(t).into_iter().enumerate() {
            if v < low[k].1 {
                low[k] = (t, v);
            }
            if v > high[k].1 {
                high[k] = (t, v);
            }
        }
    }
    let mut found = [0.0; N];
    for k in 0..N {
        let around = |at: f64| ((at - h).max(from), (at + h).min(to));
        let (a, b) = around(low[k].0);
        let least = golden(a, b, |t| f(t)[k]).1.min(low[k].1);
        let (a, b) = around(high[k].0);
        let most = (-golden(a, b, |t| -f(t)[k]).1).max(high[k].1);
        found[k] = most - least;
    }
    found
}

/// Tilt and obliquity against gravity, as the sign table defines them.
fn tilt_and_obliquity(pelvis: &Pose) -> (f64, f64) {
    (
        libm::asin((-pelvis.axes[0][2].v).clamp(-1.0, 1.0)),
        libm::asin(pelvis.axes[1][2].v.clamp(-1.0, 1.0)),
    )
}

fn shank_angle(shank: &Pose, travel: [f64; 2]) -> f64 {
    let z = &shank.axes[2];
    libm::atan2(-(z[0].v * travel[0] + z[1].v * travel[1]), z[2].v)
}

fn wrapped(angle: f64) -> f64 {
    angle - 2.0 * PI * (angle / (2.0 * PI)).round()
}

struct Reader<'a> {
    body: Body<'a>,
    timeline: &'a Timeline,
    simulation: &'a Simulation,
    standing: StandingAngles,
    instep: Vector3<f64>,
    sacrum: Vector3<f64>,
}

impl<'a> Reader<'a> {
    fn new(simulation: &'a Simulation, timeline: &'a Timeline) -> Self {
        let mut body = Body::new(&simulation.config().subject, timeline);
        let (from, to) = timeline.rests.first().copied().unwrap_or((0.0, 0.0));
        let t = 0.5 * (from + to);
        let (tilt, obliquity) = tilt_and_obliquity(&body.pelvis(t));
        let distance = body.interval(t).distance(t).v;
        let (sin, cos) = libm::sincos(timeline.path.heading(distance));
        let shank = [Side::Left, Side::Right].map(|side| shank_angle(&body.shank(side, t), [cos, sin]));
        let standing = StandingAngles {
            tilt,
            obliquity,
            shank,
            foot_pitch: 0.0,
        };
        let body = Body::new(&simulation.config().subject, timeline);
        let instep = nominal_lever(SegmentKind::Foot);
        Self {
            body,
            timeline,
            simulation,
            standing,
            instep,
            sacrum: nominal_lever(SegmentKind::Sacrum),
        }
    }

    fn read_side(&mut self, side: Side, strides: &mut Vec<TrueStride>, contacts: &mut Vec<TrueContact>) {
        let steps = &self.timeline.steps[slot(side)];
        for step in steps {
            if let Some(tc) = step.tc {
                let m = self.quiet(step).1;
                contacts.push(TrueContact {
                    side,
                    ic: at(step.ic),
                    m: at(m),
                    tc: at(tc),
                    activity: activity(step),
                });
            }
        }
        for (index, pair) in steps.windows(2).enumerate() {
            if let Some(stride) = self.stride(index as u32, &pair[0], &pair[1]) {
                strides.push(stride);
            }
        }
    }

    /// The quietest instants of a contact: where it closes the stride before and where it opens the stride after.
    fn quiet(&mut self, step: &Step) -> (f64, f64) {
        if let (Landing::Strike, Some(tc)) = (step.landing, step.tc) {
            let contact_s = tc - step.ic;
            let foot = self.body.foot(step.side);
            let turning = |t: f64| foot.pose(t).kinematics().omega.norm();
            let m = least(step.ic + 0.14 * contact_s, tc - 0.3 * contact_s, 120, turning).0;
            return (m, m);
        }
        let settled = if step.landing == Landing::Stood {
            step.ic
        } else {
            step.ic + SETTLED_AFTER_S
        };
        (settled, step.tc.map_or(settled, |tc| tc - RISES_BEFORE_S).max(settled))
    }

    fn instep(&mut self, side: Side, t: f64) -> Jet3 {
        self.body.foot(side).pose(t).point(&self.instep)
    }

    fn stride(&mut self, index: u32, step: &Step, next: &Step) -> Option<TrueStride> {
        let side = step.side;
        let s = side.sign();
        let (ic, tc, next_ic) = (step.ic, step.tc?, next.ic);
        let (m, next_m) = (self.quiet(step).1, self.quiet(next).0);
        let place = |p: &Jet3| [p[0].v, p[1].v, p[2].v];
        let (from, to) = (place(&self.instep(side, m)), place(&self.instep(side, next_m)));
        let (from_ic, to_ic) = (place(&self.instep(side, ic)), place(&self.instep(side, next_ic)));
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = plane_length(dx, dy);
        let travel = if length > 1e-6 {
            [dx / length, dy / length]
        } else {
            [1.0, 0.0]
        };

        let angles_ic = self.body.foot(side).angles(ic);
        let before = (ic - BEFORE_IC_S).max(0.0);
        let pitch_before = self.body.foot(side).angles(before).pitch.v;
        let instep_before = self.instep(side, before);
        let angles_m = self.body.foot(side).angles(m);
        let roll = |reader: &mut Self, t: f64| reader.body.foot(side).angles(t).roll.v;
        let [inversion_range] = ranges(ic.min(m), m, 24, |t| [roll(self, t)]);
        let joint = ankle(&self.body.foot(side).pose(ic), self.body.subject);
        let pelvis = self.body.pelvis(ic);
        let ahead = [0, 1].map(|i| joint[i].v - pelvis.origin[i].v);
        let shank = shank_angle(&self.body.shank(side, ic), travel);

        let heading = |t: f64| {
            let i = &self.timeline.intervals[self.timeline.interval_at(t)];
            self.timeline.path.heading(i.distance(t).v)
        };
        let turned = heading(next_m) - heading(m);
        let yaw_rate = turned / (next_m - m);
        let opposite = self.opposite(step);
        let flight_time = opposite.map(|o| o.ic - tc);
        let speed = length / (next_m - m);
        let subject = self.body.subject;
        let running = step.gait == Gait::Run && step.landing == Landing::Strike;
        let spring = flight_time
            .filter(|_| running)
            .and_then(|flight| spring_model(subject.mass_kg, subject.height_m, speed, tc - ic, flight));
        Some(TrueStride {
            index,
            side,
            activity: activity(step),
            ic: at(ic),
            m: at(m),
            tc: at(tc),
            next_ic: at(next_ic),
            next_m: at(next_m),
            opposite_ic: opposite.map(|o| at(o.ic)),
            at_rest: step.rests() || next.rests(),
            yaw_rate,
            turning: yaw_rate.abs() > 0.6 || turned.abs() > rad(20.0),
            slope: libm::atan2(to[2] - from[2], length),
            length,
            rise: to[2] - from[2],
            length_ic: plane_length(to_ic[0] - from_ic[0], to_ic[1] - from_ic[1]),
            speed,
            stride_time: next_ic - ic,
            cadence: 120.0 / (next_ic - ic),
            contact_time: tc - ic,
            flight_time,
            foot_pitch_ic: angles_ic.pitch.v,
            foot_strike_angle: pitch_before,
            touchdown_speed: instep_before[0].d * travel[0] + instep_before[1].d * travel[1],
            foot_pitch_m: angles_m.pitch.v,
            inversion_range,
            toe_out: s * wrapped(angles_m.yaw.v - libm::atan2(travel[1], travel[0])),
            shank_angle_ic: shank,
            shank_angle_ic_from_standing: shank - self.standing.shank[slot(side)],
            overstride: ahead[0] * travel[0] + ahead[1] * travel[1],
            pelvis: self.pelvis(step, tc, next_ic, m),
            spring,
            clipped_samples: None,
            form: step.form,
        })
    }

    /// The contact of the other foot that begins inside the stride.
    fn opposite(&self, step: &Step) -> Option<&'a Step> {
        let others = &self.timeline.steps[slot(step.side.opposite())];
        others.get(others.partition_point(|o| o.ic <= step.ic))
    }

    fn in_contact(&self, t: f64) -> bool {
        self.timeline.steps.iter().any(|steps| {
            let i = steps.partition_point(|s| s.ic <= t);
            i > 0 && steps[i - 1].tc.is_none_or(|tc| t < tc)
        })
    }

    fn pelvis(&mut self, step: &Step, tc: f64, next_ic: f64, m: f64) -> TruePelvis {
        let (ic, s, st) = (step.ic, step.side.sign(), self.standing);
        let (mut sum, mut in_contact, mut contact_looks) = (0.0, 0.0, 0.0);
        for i in 0..LOOKS {
            let t = ic + (next_ic - ic) * (i as f64 + 0.5) / LOOKS as f64;
            let tilt = tilt_and_obliquity(&self.body.pelvis(t)).0;
            sum += tilt;
            if self.in_contact(t) {
                in_contact += tilt;
                contact_looks += 1.0;
            }
        }
        let sacrum = self.sacrum;
        let body = &mut self.body;
        let drop = |body: &mut Body, t: f64| s * (tilt_and_obliquity(&body.pelvis(t)).1 - st.obliquity);
        let largest = -least(ic, tc, 60, |t| -drop(body, t)).1;
        let at_ic = drop(body, ic);
        let (mut lost, looks) = (0.0, 200);
        for i in 0..looks {
            let t = ic + (tc - ic) * (f64::from(i) + 0.5) / f64::from(looks);
            lost += body.interval(t).distance(t).a.min(0.0) * (tc - ic) / f64::from(looks);
        }
        let path = &self.timeline.path;
        let [
            tilt_range,
            obliquity_range,
            rotation_range,
            oscillation,
            oscillation_at_sensor,
        ] = ranges(ic, next_ic, LOOKS, |t| {
            let pose = body.pelvis(t);
            let (tilt, obliquity) = tilt_and_obliquity(&pose);
            let yaw = libm::atan2(pose.axes[0][1].v, pose.axes[0][0].v);
            let distance = body.interval(t).distance(t).v;
            let rotation = wrapped(yaw - path.heading(distance));
            let way = path.height(distance);
            [
                tilt,
                obliquity,
                rotation,
                pose.origin[2].v - way,
                pose.point(&sacrum)[2].v - way,
            ]
        });
        TruePelvis {
            tilt_mean: sum / LOOKS as f64 - st.tilt,
            tilt_mean_in_contact: if contact_looks > 0.0 {
                in_contact / contact_looks - st.tilt
            } else {
                0.0
            },
            tilt_range,
            obliquity_range,
            drop: largest,
            drop_from_ic: largest - at_ic,
            rotation_range,
            oscillation,
            oscillation_at_sensor,
            braking_peak: least(ic.min(m), m, 60, |t| body.interval(t).distance(t).a).1,
            braking_dv: lost,
        }
    }

    fn pelvis_points(&mut self, hz: f64) -> Vec<PelvisPoint> {
        let count = if hz > 0.0 {
            (self.timeline.end * hz).floor() as usize
        } else {
            0
        };
        (0..count).map(|i| self.pelvis_point(i as f64 / hz)).collect()
    }

    fn pelvis_point(&mut self, t: f64) -> PelvisPoint {
        let pose = self.body.pelvis(t);
        let (tilt, obliquity) = tilt_and_obliquity(&pose);
        let heading = self.timeline.path.heading(self.body.interval(t).distance(t).v);
        let belt = match self.simulation.config().ground {
            Ground::Road => 0.0,
            Ground::Belt { speed } => speed,
        };
        let [x, y, z]: [Jet; 3] = pose.origin;
        PelvisPoint {
            t: at(t),
            position: [x.v - belt * t, y.v, z.v],
            velocity: [x.d - belt, y.d, z.d],
            tilt: tilt - self.standing.tilt,
            obliquity: obliquity - self.standing.obliquity,
            rotation: wrapped(libm::atan2(pose.axes[0][1].v, pose.axes[0][0].v) - heading),
        }
    }
}

/// Length of a plane vector from correctly rounded operations only: `f64::hypot` may differ between platforms.
fn plane_length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

fn activity(step: &Step) -> Activity {
    match (step.landing, step.gait) {
        (Landing::Strike, Gait::Run) => Activity::Running,
        _ => Activity::Walking,
    }
}

/// Counts samples at the rail of the sensor that is worn on this foot, stride by stride.
fn count_clipped(simulation: &Simulation, side: Side, strides: &mut [TrueStride]) {
    let worn = Placement::foot(side);
    let label = if simulation.config().faults.swaps_sides() {
        exchanged(worn)
    } else {
        worn
    };
    if !simulation.wears(label) {
        return;
    }
    let mut mine: Vec<&mut TrueStride> = strides.iter_mut().filter(|s| s.side == side).collect();
    let spec = simulation.spec(label);
    let mut at = 0;
    for raw in simulation.samples(label) {
        while mine.get(at).is_some_and(|s| s.next_m <= raw.t) {
            at += 1;
        }
        let Some(stride) = mine.get_mut(at) else { break };
        if raw.t < stride.m {
            continue;
        }
        let clip = spec.sample(&raw).clip;
        let count = stride.clipped_samples.get_or_insert_default();
        count.samples += 1;
        count.acc += u32::from(clip.any_acc());
        count.gyro += u32::from(clip.any_gyro());
    }
    for stride in mine {
        stride.clipped_samples.get_or_insert(ClippedCount::default());
    }
}

fn events(simulation: &Simulation, timeline: &Timeline) -> Vec<TrueEvent> {
    let span = |from: f64, secs: f64| Span::new(at(from), at(from + secs));
    let mut all: Vec<(f64, TrueEvent)> = Vec::new();
    for &(from, to) in &timeline.rests {
        all.extend(span(from, to - from).map(|s| (from, TrueEvent::Standing(s))));
    }
    for event in &simulation.config().faults.events {
        all.extend(match *event {
            FaultEvent::Slip { placement, at_s, .. } => Some((at_s, TrueEvent::Slip(placement, at(at_s)))),
            FaultEvent::SidesSwapped => Some((0.0, TrueEvent::SidesSwapped)),
            FaultEvent::Stuck {
                placement,
                from_s,
                secs,
            } => span(from_s, secs).map(|s| (from_s, TrueEvent::Stuck(placement, s))),
            FaultEvent::Reboot { placement, at_s } => Some((at_s, TrueEvent::Reboot(placement, at(at_s)))),
            FaultEvent::Dropout {
                placement,
                from_s,
                secs,
            } => span(from_s, secs).map(|s| (from_s, TrueEvent::Dropout(placement, s))),
        });
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().map(|(_, event)| event).collect()
}
