//! One foot, from samples to strides.
//!
//! ```text
//! sample → rails → attitude → track ─┬─► mounting
//!                                    └─► contacts → marks → trajectory → Stride
//! ```
//!
//! Until the mounting is known the samples wait in the track; when it becomes known they are run through the contact
//! detector from the oldest one held, so that the first strides are not lost.

use super::activity::ActivityClassifier;
use super::contact::{ContactDetector, ContactParams, Mark};
use super::event_bias::{ic_bias_s, tc_bias_s};
use super::foot_path::FootPath;
use super::trajectory::{Closed, Ground, RestWindow, StrideGeometry, Trajectory, TrajectoryParams};
use crate::model::units::rad;
use crate::model::{
    Absent, Activity, Contact, Foot, FootMotion, ImuSample, QualityParts, Rotation, SegmentKind, Sensor, SensorConfig,
    SessionTime, Span, Stride, StrideFlags, Vec3,
};
use crate::orientation::foot_alignment::{Attitude, FootAligner, FootAlignment, FootAlignmentParams, rest_score};
use crate::orientation::rail::RailLearner;
use crate::orientation::vqf::{Vqf, VqfParams};
use crate::orientation::{Track, TrackSample};
use nalgebra::{UnitQuaternion, Vector3};

/// Seconds of samples that may wait for the mounting to become known.
const HOLD_S: f64 = 60.0;
/// A mid-stance is told when the next mid-swing is confirmed; a foot at rest after its last swing within 1.9 s of it.
const DECIDED_S: f64 = 2.2;
/// Longest stride, s; a longer pause between two marks is a rest.
const MAX_STRIDE_S: f64 = 1.9;
/// Marks closer than this are one rest, s.
const SAME_REST_S: f64 = 0.25;
/// A foot that moved less than this between two marks shuffled; no stride, m.
const MIN_STRIDE_M: f64 = 0.3;
/// Two marks were not rests when the filter's residual is this large (14 standard deviations) …
const NO_REST_CHI2: f64 = 200.0;
/// … and plain integration disagrees by this share of the length, although nothing was clipped.
const NO_REST_DIFFERENCE: f64 = 0.25;
const NO_REST_CLIPPED: f64 = 0.02;
/// A sensor switched on in motion finds up within the time constant of its attitude filter, s; until then residuals are
/// the attitude's fault.
const ATTITUDE_SETTLES_S: f64 = 3.0;
/// Pitch of a running foot at the detected mid-stance when no standing gives a zero: the heel is lifting already
/// (−4…−8° in six running recordings).
const MID_STANCE_PITCH_DEG: f64 = -6.0;
/// Longest hole over which the attitude is carried by the mean rate, s.
const COAST_S: f64 = 0.1;
/// Spread of an attitude taken from the attitude filter, and of one taken from how the sole lies, rad.
const FILTER_SIGMA: f64 = 1.0 * crate::model::units::RAD_PER_DEG;
const SOLE_SIGMA: f64 = 3.0 * crate::model::units::RAD_PER_DEG;
/// The foot strike angle is read this long before contact, s: at contact itself the foot is already slapping down.
const BEFORE_IC_S: f64 = 0.01;
/// A turn: change of travel direction between strides, rad.
const TURN_RAD: f64 = 20.0 * crate::model::units::RAD_PER_DEG;

/// What one foot says.
#[derive(Clone, Debug, PartialEq)]
pub enum FootEvent {
    /// A contact as early as it can be told: for cues and live views, never stored.
    Provisional {
        /// When the foot landed.
        ic: SessionTime,
        /// Session time at which it was told.
        told_at: SessionTime,
    },
    /// A contact in its final form.
    Contact(Contact),
    /// A stride.
    Stride(Box<Stride>),
    /// A contact or stride was seen and not believed.
    Refused {
        /// When.
        t: SessionTime,
        /// Why.
        guard: &'static str,
    },
    /// The mounting became known.
    Aligned(SessionTime),
    /// A rail was learned.
    RailLearned(SessionTime),
}

/// How the foot landed, read at the closing of one stride and told with the next, which it opens.
#[derive(Clone, Copy, Debug)]
struct Landing {
    pitch_ic_rad: f64,
    touchdown_speed: f64,
    inversion_range_rad: f64,
    toe_out_rad: f64,
    impact_peak: Option<(f64, bool)>,
}

#[derive(Clone, Copy, Debug)]
struct Opened {
    mark: Mark,
    t: SessionTime,
    rest: RestWindow,
    /// The attitude here is from the sole, not from the attitude filter.
    attitude_from_sole: bool,
    landing: Option<Landing>,
    heading: Option<f64>,
    /// The contact, corrected by the speed of the stride that ended here; `None` until a speed is known.
    contact: Option<Contact>,
}

/// The chain of one foot.
#[derive(Clone, Debug)]
pub struct FootChain {
    config: SensorConfig,
    vqf: Vqf,
    track: Track<Sensor>,
    rails: RailLearner,
    aligner: FootAligner,
    detector: ContactDetector,
    /// Absolute number of the next sample for the detector.
    cursor: u64,
    trajectory: Trajectory,
    activity: ActivityClassifier,
    marks: Vec<Mark>,
    opened: Option<Opened>,
    creep: f64,
    ground: Ground,
    /// First sample since the start.
    started: Option<SessionTime>,
    /// Samples are missing before this absolute number and the foot turned unseen meanwhile: attitudes from there on wait
    /// for a mid-stance, at which the sole tells where up is.
    lost_since: Option<u64>,
    /// Speed of the last stride, m/s.
    speed: f64,
    /// Strides that begin in here are traced point by point.
    traced: Option<Span>,
    paths: Vec<FootPath>,
}

impl FootChain {
    /// A chain for this sensor; `creep` is the personal mid-stance speed, m/s.
    #[must_use]
    pub fn new(config: SensorConfig, creep: f64) -> Self {
        let rate = config.rate_hz;
        Self {
            config,
            vqf: Vqf::new(VqfParams::default(), rate),
            track: Track::new((HOLD_S * rate).ceil() as usize),
            rails: RailLearner::new(config.acc_range, config.gyro_range),
            aligner: FootAligner::new(FootAlignmentParams::default(), rate),
            detector: ContactDetector::new(ContactParams::default(), rate),
            cursor: 0,
            trajectory: Trajectory::new(TrajectoryParams::default()),
            activity: ActivityClassifier::default(),
            marks: Vec::with_capacity(8),
            opened: None,
            creep,
            ground: Ground::Level,
            started: None,
            lost_since: None,
            speed: 2.5,
            traced: None,
            paths: Vec::new(),
        }
    }

    /// From now on the way of the foot is kept for strides that begin in `span` (see [`FootChain::take_paths`]); nothing
    /// else changes.
    pub fn trace(&mut self, span: Span) {
        self.traced = Some(span);
    }

    /// The ways of the strides traced since the last call.
    pub fn take_paths(&mut self) -> Vec<FootPath> {
        std::mem::take(&mut self.paths)
    }

    /// The mounting, once known.
    #[must_use]
    pub fn alignment(&self) -> Option<&FootAlignment> {
        self.aligner.current()
    }

    /// The recent past with attitude, sensor axes.
    #[must_use]
    pub fn track(&self) -> &Track<Sensor> {
        &self.track
    }

    /// Contacts and strides up to this instant are final; `None` before the first sample.
    #[must_use]
    pub fn decided_until(&self) -> Option<SessionTime> {
        let now = self.track.last()?.t;
        Some(match (&self.opened, self.aligner.current()) {
            (Some(opened), _) => opened.t.max(now.plus(-DECIDED_S)),
            (None, Some(_)) => now.plus(-DECIDED_S),
            // The mounting may become known within a few strides, and the strides held are then told at once.
            (None, None) => now.plus(-3.0 * DECIDED_S),
        })
    }

    /// The stretch `[from, to)` in foot axes, into `into`.
    ///
    /// # Errors
    /// [`Absent::NotAligned`] before the mounting is known, [`Absent::Gap`] where samples are no longer held.
    pub fn slice(&self, from: SessionTime, to: SessionTime, into: &mut Vec<TrackSample<Foot>>) -> Result<(), Absent> {
        into.clear();
        let to_foot = self.aligner.current().ok_or(Absent::NotAligned)?.foot_from_sensor;
        let back = to_foot.inverse();
        into.extend(self.track.between(from, to).iter().map(|s| TrackSample {
            t: s.t,
            acc: to_foot * s.acc,
            gyro: to_foot * s.gyro,
            level_from: s.level_from * back,
            clip: s.clip.union(self.rails.judge(&s.acc.v, &s.gyro.v)),
            filled: s.filled,
        }));
        if into.is_empty() { Err(Absent::Gap) } else { Ok(()) }
    }

    /// How often the pod was found to have turned in its strap.
    #[must_use]
    pub fn times_moved(&self) -> u32 {
        self.aligner.times_moved()
    }

    /// The rails.
    #[must_use]
    pub fn rails(&self) -> &RailLearner {
        &self.rails
    }

    /// What the runner does, by this foot.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.activity.state()
    }

    /// Takes one sample.
    pub fn push(&mut self, sample: &ImuSample, out: &mut Vec<FootEvent>) {
        if self.rails.observe(&sample.acc, &sample.gyro) {
            out.push(FootEvent::RailLearned(sample.t));
        }
        self.started.get_or_insert(sample.t);
        if self.lost_since == Some(self.track.next_index())
            && let Some(last) = self.track.last()
        {
            // The best guess of what happened unseen: the mean of the rates on both sides.
            let bias = self.vqf.bias();
            let mean = (last.gyro + bias + sample.gyro) * 0.5;
            self.vqf.coast(mean, sample.t.since(last.t).min(COAST_S));
        }
        self.vqf.update(sample.gyro, sample.acc);
        let entry = TrackSample {
            t: sample.t,
            acc: sample.acc,
            gyro: sample.gyro - self.vqf.bias(),
            level_from: self.vqf.level_from_sensor(),
            clip: sample.clip,
            filled: sample.filled,
        };
        let index = self.track.next_index();
        self.track.push(entry);
        let known = self.aligner.is_known();
        if !known || self.lost_since.is_none() {
            self.aligner.push(&self.track, index, &entry);
        }
        if !known && self.lost_since.is_some() {
            self.look_for_attitude();
        }
        if !known && self.aligner.current().is_some() {
            out.push(FootEvent::Aligned(sample.t));
            self.start_detector();
        }
        self.catch_up(out);
    }

    fn start_detector(&mut self) {
        self.cursor = self.cursor.max(self.track.first_index());
        self.detector.restart(self.cursor);
    }

    /// Quiet standing between two instants still held: gives the zero of foot pitch.
    pub fn note_standing(&mut self, from: SessionTime, to: SessionTime) {
        let still = self.track.between(from, to);
        if still.len() > 10 {
            self.aligner.note_standing(&Vec3::from_raw(RestWindow::of(still).acc));
        }
    }

    /// Samples are missing: nothing is bridged across.
    pub fn note_gap(&mut self) {
        self.cursor = self.track.next_index();
        self.detector.restart_after_gap(self.cursor);
        self.aligner.note_gap();
        self.lost_since.get_or_insert(self.cursor);
        self.aligner.note_attitude(Attitude::Lost);
        self.trajectory.forget_attitude();
        self.opened = None;
    }

    /// Nothing more comes.
    pub fn flush(&mut self, out: &mut Vec<FootEvent>) {
        if self.aligner.settle_for_what_there_is() {
            self.start_detector();
            self.catch_up(out);
        }
        if self.aligner.current().is_some() {
            let mut marks = std::mem::take(&mut self.marks);
            self.detector.flush(&mut marks);
            self.take_marks(&mut marks, out);
            self.marks = marks;
        }
    }

    fn catch_up(&mut self, out: &mut Vec<FootEvent>) {
        let Some(alignment) = self.aligner.current().copied() else {
            return;
        };
        let lateral = alignment.foot_from_sensor.q.inverse() * Vector3::y();
        let mut marks = std::mem::take(&mut self.marks);
        while self.cursor < self.track.next_index() {
            let Some(s) = self.track.range(self.cursor, self.cursor + 1).first() else {
                break;
            };
            let score = rest_score(&s.gyro.v, &s.acc.v);
            self.detector.push(s.t, -lateral.dot(&s.gyro.v), score, &mut marks);
            self.cursor += 1;
            if let Some(raw) = self.detector.take_landing()
                && self.cursor == self.track.next_index()
            {
                let told_at = s.t;
                out.push(FootEvent::Provisional {
                    ic: raw.plus(-ic_bias_s(self.speed)),
                    told_at,
                });
            }
            if !marks.is_empty() {
                self.take_marks(&mut marks, out);
            }
        }
        self.marks = marks;
    }

    fn take_marks(&mut self, marks: &mut Vec<Mark>, out: &mut Vec<FootEvent>) {
        for mark in marks.drain(..) {
            self.take_mark(mark, out);
        }
    }

    /// After missing samples, while the mounting is not known yet: a quiet rest shows the sole as it lies in standing. Where
    /// the runner was not seen standing, the attitude filter finds up by itself in two of its time constants.
    fn look_for_attitude(&mut self) {
        let (Some(since), Some(now)) = (self.lost_since, self.track.last()) else {
            return;
        };
        let lost_at = self.track.range(since, since + 1).first().map_or(now.t, |s| s.t);
        let rest = self.aligner.take_quiet_rest().filter(|r| *r >= since);
        match (rest, self.aligner.flat_up()) {
            (Some(rest), Some(up)) => self.find_attitude_again(rest, &up),
            _ if now.t.since(lost_at) > 2.0 * ATTITUDE_SETTLES_S => {
                self.lost_since = None;
                self.aligner.note_attitude(Attitude::Known);
            }
            _ => {}
        }
    }

    /// At rest number `m` the sole lies as it always does, and that is where up is. Corrects all attitudes since the hole.
    fn find_attitude_again(&mut self, m: u64, up: &Vec3<Sensor>) {
        let Some(since) = self.lost_since.filter(|s| *s <= m) else {
            return;
        };
        let Some(sample) = self.track.range(m, m + 1).first() else {
            return;
        };
        let seen = sample.level_from.q * up.v;
        let turn = UnitQuaternion::rotation_between(&seen, &Vector3::z())
            .unwrap_or_else(|| UnitQuaternion::from_axis_angle(&Vector3::x_axis(), std::f64::consts::PI));
        let correction = Rotation::from_raw(turn);
        self.track.turn_level(since, correction);
        self.vqf.turn_level(correction);
        self.lost_since = None;
        self.aligner.note_attitude(Attitude::Known);
    }

    fn take_mark(&mut self, mark: Mark, out: &mut Vec<FootEvent>) {
        let Some(alignment) = self.aligner.current().copied() else {
            return;
        };
        let window = self
            .track
            .range(mark.m.saturating_sub(mark.half), mark.m + mark.half + 1);
        let Some(t) = self.track.range(mark.m, mark.m + 1).first().map(|s| s.t) else {
            return;
        };
        let rest = RestWindow::of(window);
        let found_again = self.lost_since.is_some_and(|s| s <= mark.m);
        if found_again {
            self.find_attitude_again(mark.m, &alignment.mid_stance_up);
        }
        if let Some(guard) = mark.guard {
            out.push(FootEvent::Refused { t, guard });
        }
        let fresh = Opened {
            mark,
            t,
            rest,
            attitude_from_sole: found_again,
            landing: None,
            heading: None,
            contact: None,
        };
        let Some(mut before) = self.opened.take() else {
            self.opened = Some(fresh);
            return;
        };
        let secs = t.since(before.t);
        if secs < SAME_REST_S {
            // One rest seen twice: keep the first instant, learn how it ends.
            before.mark.tc_raw = mark.tc_raw.or(before.mark.tc_raw);
            self.opened = Some(before);
            return;
        }
        if secs > MAX_STRIDE_S {
            self.trajectory.forget_attitude();
            self.activity.rest();
            self.opened = Some(fresh);
            return;
        }
        let samples = self.track.range(before.mark.m, mark.m + 1);
        let inverse = alignment.foot_from_sensor.inverse();
        let lever = self.trajectory.params().lever_m;
        let geometry = StrideGeometry {
            lever: inverse * Vec3::new(lever[0], lever[1], lever[2]),
            usual_up: Some(alignment.mid_stance_up),
            creep: self.creep,
            ground: self.ground,
            start_sigma: if before.attitude_from_sole {
                SOLE_SIGMA
            } else {
                FILTER_SIGMA
            },
        };
        let rails = &self.rails;
        let clip = |s: &TrackSample<Sensor>| s.clip.union(rails.judge(&s.acc.v, &(s.gyro.v)));
        let departure = samples
            .first()
            .filter(|s| self.traced.is_some_and(|span| span.contains(s.t)))
            .map(|s| self.trajectory.departure(s, &before.rest, &geometry.lever));
        let Some(closed) = self.trajectory.run(samples, clip, &before.rest, &rest, &geometry) else {
            self.opened = Some(fresh);
            return;
        };
        let path = departure.and_then(|d| FootPath::between(&self.trajectory, samples, &d, &closed));
        let length = closed.displacement.xy().norm();
        if length < MIN_STRIDE_M {
            self.opened = Some(fresh);
            return;
        }
        let unclipped = f64::from(closed.clipped.1) < NO_REST_CLIPPED * f64::from(closed.samples);
        let difference = (length - closed.linear_length_m).abs() / length;
        let settled = self.started.is_some_and(|s| before.t.since(s) > ATTITUDE_SETTLES_S);
        if settled && closed.chi2 > NO_REST_CHI2 && difference > NO_REST_DIFFERENCE && unclipped {
            out.push(FootEvent::Refused {
                t,
                guard: "the foot did not rest where the stride was bounded",
            });
            self.trajectory.forget_attitude();
            self.opened = Some(fresh);
            return;
        }
        let speed = length / secs;
        let next_ic = mark.ic_raw.map(|t| t.plus(-ic_bias_s(speed)));
        let landing = next_ic.and_then(|ic| self.landing(samples, &closed, ic, &alignment));
        self.speed = speed;
        if before.contact.is_none() {
            before.contact = contact_of(&before.mark, before.t, speed);
            out.extend(before.contact.map(FootEvent::Contact));
        }
        let contact = contact_of(&mark, t, speed);
        let stride = self.stride(&before, &mark, t, &closed, speed, next_ic, &alignment);
        let heading = closed.displacement.y.atan2(closed.displacement.x);
        match stride.checked() {
            Ok(stride) => {
                self.paths.extend(path);
                out.push(FootEvent::Stride(Box::new(stride)));
            }
            Err(_) => out.push(FootEvent::Refused {
                t,
                guard: "events out of order",
            }),
        }
        out.extend(contact.map(FootEvent::Contact));
        self.opened = Some(Opened {
            landing,
            heading: Some(heading),
            contact,
            ..fresh
        });
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one constructor call; a parameter struct would only rename them"
    )]
    fn stride(
        &mut self,
        before: &Opened,
        mark: &Mark,
        t: SessionTime,
        closed: &Closed,
        speed: f64,
        next_ic: Option<SessionTime>,
        alignment: &FootAlignment,
    ) -> Stride {
        let contact = before.contact;
        let next_ic = next_ic.map(|ic| ic.min(t.plus(-1e-3)));
        let activity = match (contact, next_ic) {
            (Some(c), Some(next)) if mark.guard.is_none() => {
                self.activity.push(c.tc.since(c.ic) / next.since(c.ic).max(1e-3))
            }
            _ => match self.activity.state() {
                Activity::Still => {
                    if speed > 2.2 {
                        Activity::Running
                    } else {
                        Activity::Walking
                    }
                }
                other => other,
            },
        };
        let heading = closed.displacement.y.atan2(closed.displacement.x);
        let turned = before.heading.is_some_and(|h| wrap(heading - h).abs() > TURN_RAD);
        let total = f64::from(closed.samples.max(1));
        let landing = before.landing;
        let length = closed.displacement.xy().norm();
        Stride {
            side: self.config.side_known.then(|| self.config.placement.side()).flatten(),
            seen_from: SegmentKind::Foot,
            start: before.t,
            end: t,
            contact,
            next_ic,
            foot: Some(FootMotion {
                displacement: Vec3::new(length, 0.0, closed.displacement.z),
                length_sigma_m: closed.length_sigma_m,
                pitch_ic_rad: landing.map(|l| l.pitch_ic_rad),
                touchdown_speed: landing.map(|l| l.touchdown_speed),
                inversion_range_rad: landing.map(|l| l.inversion_range_rad),
                toe_out_rad: landing.map(|l| l.toe_out_rad),
                heading_rad: heading,
                acc_clipped_share: f64::from(closed.clipped.0) / total,
                gyro_clipped_share: f64::from(closed.clipped.1) / total,
                impact_peak: landing.and_then(|l| l.impact_peak),
                chi2: closed.chi2,
                linear_difference: (length - closed.linear_length_m).abs() / length.max(0.1),
                free_slope: closed.free_slope,
            }),
            activity,
            flags: StrideFlags {
                acc_clipped: closed.clipped.0 > 0,
                gyro_clipped: closed.clipped.1 > 0,
                filled: closed.filled > 0,
                turning: turned,
                approximate_zero: !alignment.from_standing,
                after_rest: before.mark.ic_raw.is_none(),
                implausible_contact: before.mark.guard.is_some() || mark.guard.is_some(),
                mounting_unsettled: !alignment.settled,
                marked_bad: false,
            },
            quality: QualityParts::FULL,
        }
    }

    fn landing(
        &self,
        samples: &[TrackSample<Sensor>],
        closed: &Closed,
        ic: SessionTime,
        alignment: &FootAlignment,
    ) -> Option<Landing> {
        let inverse = alignment.foot_from_sensor.q.inverse();
        let (toe, left) = (inverse * Vector3::x(), inverse * Vector3::y());
        let travel = Vector3::new(closed.displacement.x, closed.displacement.y, 0.0).try_normalize(1e-6)?;
        let read_at = ic.plus(-BEFORE_IC_S);
        let zero = if alignment.from_standing {
            0.0
        } else {
            rad(MID_STANCE_PITCH_DEG)
        };
        let side = self.config.placement.side().map_or(1.0, crate::model::Side::sign);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut toe_out = None;
        let mut at_contact = None;
        self.trajectory.walk_back(samples, closed, |k, r, v| {
            let pointing = r * toe;
            if toe_out.is_none() {
                let yaw = pointing.y.atan2(pointing.x);
                toe_out = Some(side * wrap(yaw - travel.y.atan2(travel.x)));
            }
            if samples[k].t >= ic {
                let roll = (r * left).z.clamp(-1.0, 1.0).asin();
                low = low.min(roll);
                high = high.max(roll);
            }
            if samples[k].t <= read_at {
                at_contact = Some((pointing.z.clamp(-1.0, 1.0).asin() + zero, v.dot(&travel)));
                return false;
            }
            true
        });
        let (pitch, forward) = at_contact?;
        let (from, to) = (ic.plus(-0.01), ic.plus(0.06));
        let impact_peak = samples
            .iter()
            .filter(|s| s.t >= from && s.t < to)
            .map(|s| {
                (
                    s.acc.norm(),
                    s.clip.union(self.rails.judge(&s.acc.v, &s.gyro.v)).any_acc(),
                )
            })
            .reduce(|a, b| (a.0.max(b.0), a.1 || b.1));
        Some(Landing {
            pitch_ic_rad: pitch,
            touchdown_speed: forward,
            inversion_range_rad: if high >= low { high - low } else { 0.0 },
            toe_out_rad: toe_out?,
            impact_peak,
        })
    }
}

/// The contact around a mid-stance, its events corrected for their bias at this speed.
fn contact_of(mark: &Mark, m: SessionTime, speed: f64) -> Option<Contact> {
    let (ic, tc) = (mark.ic_raw?, mark.tc_raw?);
    // A minimum may lie on the wrong side of mid-stance by a few milliseconds of bias; order is kept.
    let ic = ic.plus(-ic_bias_s(speed)).min(m.plus(-1e-3));
    let tc = tc.plus(-tc_bias_s(speed)).max(m.plus(1e-3));
    Some(Contact { ic, m, tc })
}

fn wrap(angle: f64) -> f64 {
    let turn = std::f64::consts::TAU;
    angle - turn * (angle / turn).round()
}
