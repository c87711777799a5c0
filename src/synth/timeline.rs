//! When and where each foot lands, and how the pelvis gets from one landing to the next.
//!
//! Walks through the script footfall by footfall, drawing what varies from stride to stride from first-order
//! autoregressive deviations (signal design 19.1: correlation 0.3; standard deviations 1 % of stride time, 2 % of contact
//! time, 1.5 % of length, 1.5° of strike). Positions follow from times and speeds, never the other way round, so feet and
//! pelvis cannot drift apart. The result is compact, some hundreds of bytes a step; motion is computed from it on demand.

use super::cursor::{Cursor, Wish};
use super::footing::Footing;
use super::pace::{
    Pace, WALK_RUN_SPEED, braking, fall_speed, pace, pelvis_height, usual_cadence, walk_bounce, within_gait,
};
use super::path::Path;
use super::pelvis::{Interval, Motion, Post, Swing, Vertical};
use super::rng::{Purpose, Rng, Wander};
use super::script::{Form, Script};
use super::step::{Gait, Landing, Step};
use super::subject::Subject;
use crate::model::Side;
use crate::model::units::{STANDARD_GRAVITY, rad};
use std::f64::consts::PI;

/// Largest change of speed from one step to the next, walking and running, m/s.
const SPEED_STEP: [f64; 2] = [0.2, 0.32];
/// Speed of the first and the last steps, m/s.
const CRAWL: f64 = 0.6;
/// From the decision to go to the first toe-off, and from there to the first footfall, s. The foot begins to rise half a
/// second before it leaves: standing lasts until the decision.
const START_S: (f64, f64) = (0.55, 0.45);
/// The last two steps: time between them, and to standing still, s.
const SETTLE_S: (f64, f64) = (0.6, 0.8);

/// Everything decided about a run.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    pub(super) path: Path,
    /// Footfalls of the left and of the right foot.
    pub(super) steps: [Vec<Step>; 2],
    /// Without holes from 0 to `end`.
    pub(super) intervals: Vec<Interval>,
    /// Spans of standing still, s.
    pub(super) rests: Vec<(f64, f64)>,
    pub(super) end: f64,
}

impl Timeline {
    pub(super) fn new(subject: &Subject, script: &Script, seed: u64) -> Self {
        let mut builder = Builder::new(subject, script, seed);
        while builder.rest_then_move() {}
        builder.timeline
    }

    /// The interval that holds `t` (the last one for its end and beyond).
    pub(super) fn interval_at(&self, t: f64) -> usize {
        self.intervals.partition_point(|i| i.from.t <= t).saturating_sub(1)
    }
}

/// Deviations that persist from stride to stride.
#[derive(Debug, Default)]
struct Wanders {
    time: Wander,
    length: Wander,
    contact: [Wander; 2],
    footing: [Footing; 2],
}

/// A footfall while it is being decided.
#[derive(Clone, Copy, Debug)]
struct Footfall {
    index: i64,
    gait: Gait,
    speed: f64,
    form: Form,
    pace: Pace,
    post: Post,
}

struct Builder<'a> {
    subject: &'a Subject,
    rng: Rng,
    cursor: Cursor<'a>,
    timeline: Timeline,
    wanders: Wanders,
    time_factor: f64,
    length_factor: f64,
    /// Index of the last footfall; even ones are left.
    index: i64,
    t: f64,
    s: f64,
}

fn side_of(index: i64) -> Side {
    if index.rem_euclid(2) == 0 {
        Side::Left
    } else {
        Side::Right
    }
}

fn slot(side: Side) -> usize {
    match side {
        Side::Left => 0,
        Side::Right => 1,
    }
}

impl<'a> Builder<'a> {
    fn new(subject: &'a Subject, script: &'a Script, seed: u64) -> Self {
        let timeline = Timeline {
            path: Path::straight(),
            steps: [Vec::new(), Vec::new()],
            intervals: Vec::new(),
            rests: Vec::new(),
            end: 0.0,
        };
        let mut builder = Self {
            subject,
            rng: Rng::stream(seed, Purpose::Strides, 0),
            cursor: Cursor::new(script),
            timeline,
            wanders: Wanders::default(),
            time_factor: 1.0,
            length_factor: 1.0,
            // Even footfalls are left ones.
            index: if subject.first_step == Side::Left { -1 } else { 0 },
            t: 0.0,
            s: 0.0,
        };
        for side in [Side::Left, Side::Right] {
            builder.stand_foot(side, Landing::Stood, 0.0);
        }
        builder
    }

    /// Stands until the script moves, then moves until it stands. `false` when the script is over.
    fn rest_then_move(&mut self) -> bool {
        let Some(leave) = self.cursor.standing_until(self.t) else {
            let end = self.cursor.planned_end().max(self.t + 1.0);
            self.rest_until(end);
            self.timeline.end = end;
            return false;
        };
        self.rest_until(leave);
        self.bout();
        true
    }

    fn rest_until(&mut self, end: f64) {
        if end > self.t {
            let (from, to) = (self.standing_post(self.t), self.standing_post(end));
            self.timeline.intervals.push(Interval {
                from,
                to,
                motion: Motion::Rest,
                s0: self.s,
                braking: 0.0,
            });
            self.timeline.rests.push((self.t, end));
            self.t = end;
        }
    }

    /// From the first step to standing again.
    fn bout(&mut self) {
        let rest = self.standing_post(self.t);
        self.index += 1;
        let side = side_of(self.index);
        self.leave_ground(side, self.t + START_S.0);
        let first_ic = self.t + START_S.0 + START_S.1;
        let wish = Wish {
            speed: CRAWL,
            running: false,
            cadence: None,
            form: self.cursor.form(),
            still: false,
        };
        let mut here = self.footfall(first_ic, CRAWL, &wish, None);
        self.leave_ground(side.opposite(), first_ic + 0.16);
        self.join(rest, here.post, 0.0);
        self.land(&here);
        loop {
            let t = here.post.t + here.pace.step_s;
            let wish = self.cursor.wish(t, self.s, here.speed, &mut self.timeline.path);
            let aim = if wish.still { CRAWL - 0.1 } else { wish.speed };
            let most = SPEED_STEP[usize::from(here.gait == Gait::Run)];
            let speed = aim.clamp(here.speed - most, here.speed + most);
            self.index += 1;
            if wish.still && speed < CRAWL {
                self.settle(&here, t);
                return;
            }
            let next = self.footfall(t, speed, &wish, Some(&here));
            self.join(here.post, next.post, here.speed);
            self.hurry(&here, &next);
            self.land(&next);
            here = next;
        }
    }

    /// Decides the footfall at `t`; `before` is the one of the other foot.
    fn footfall(&mut self, t: f64, speed: f64, wish: &Wish, before: Option<&Footfall>) -> Footfall {
        let running = speed > WALK_RUN_SPEED - if wish.running { 0.1 } else { -0.25 };
        let gait = if running { Gait::Run } else { Gait::Walk };
        let side = side_of(self.index);
        let var = self.subject.variability;
        if side == Side::Left || before.is_none() {
            self.time_factor = 1.0 + 0.01 * var * self.wanders.time.next(&mut self.rng);
            self.length_factor = 1.0 + 0.015 * var * self.wanders.length.next(&mut self.rng);
        }
        let form = wish.form;
        let cadence = match wish.cadence {
            // A wished cadence belongs to the wished speed; on the way there, people do not take it up yet.
            Some(c) if gait == Gait::Run || !wish.running => c,
            _ => usual_cadence(gait, speed) * self.subject.cadence_scale,
        } * form.cadence_scale;
        let usual = pace(self.subject, gait, speed, cadence, form.contact_scale, form.reach_m);
        let contact_deviation = 1.0 + 0.02 * var * self.wanders.contact[slot(side)].next(&mut self.rng);
        let step_s = usual.step_s * self.time_factor * (1.0 + side.sign() * self.subject.step_asymmetry);
        let contact_s =
            usual.contact_s * contact_deviation * (1.0 + 0.5 * side.sign() * self.subject.contact_asymmetry);
        let drawn = Pace {
            step_s,
            contact_s: within_gait(gait, contact_s, step_s),
            reach_m: usual.reach_m,
        };

        let after_run = before.filter(|b| b.gait == Gait::Run);
        let flight = |p: &Pace| p.step_s - p.contact_s;
        let vertical = if gait == Gait::Run || after_run.is_some() {
            Vertical::Bounce
        } else {
            Vertical::Stroll
        };
        let fall = fall_speed(after_run.map_or(flight(&drawn), |b| flight(&b.pace)).max(0.0));
        let both_run = gait == Gait::Run && after_run.is_some();
        let brake = braking(speed);
        let drive = if gait == Gait::Run {
            drawn.contact_s
        } else {
            drawn.step_s
        };
        let own = speed * self.length_factor / self.time_factor;
        let before_s = before.map_or(drawn.step_s, |b| b.pace.step_s);
        let post = Post {
            t,
            vertical,
            // Speed is highest at footfall: the dip of each contact is added to the mean.
            v: own + brake * drive * drive / (2.0 * PI * drawn.step_s),
            phase: self.index as f64,
            phase_rate: 2.0 / (before_s + drawn.step_s),
            fall,
            swing: self.swing(gait, speed, &usual, &form, both_run),
        };
        Footfall {
            index: self.index,
            gait,
            speed,
            form,
            pace: drawn,
            post,
        }
    }

    fn swing(&self, gait: Gait, speed: f64, usual: &Pace, form: &Form, both_run: bool) -> Swing {
        let s = self.subject;
        let run = gait == Gait::Run;
        // In walking the pelvis turns and drops about two thirds as far and tilts by 3° (Perry and Burnfield 2010).
        let (share, tilt_share) = if run { (1.0, 1.0) } else { (0.6, 0.5) };
        let [tilt, obliquity, rotation] = s.pelvis_range_rad;
        let uneven = 0.5 * s.drop_asymmetry_rad;
        let drop = [form.drop_rad[0] - uneven, form.drop_rad[1] + uneven];
        let w = 4.0 * PI / usual.step_s;
        Swing {
            height: pelvis_height(s, gait, speed, usual),
            bounce: if run { 0.0 } else { walk_bounce(speed) },
            tilt: s.standing_rad[0]
                + if run {
                    s.tilt_rad + form.tilt_rad
                } else {
                    0.5 * s.tilt_rad
                },
            obliquity: s.standing_rad[1] + 0.5 * (drop[0] - drop[1]),
            tilt_swing: 0.5 * tilt * tilt_share,
            obliquity_swing: 0.5 * obliquity * share + 0.5 * (drop[0] + drop[1]),
            rotation_swing: 0.5 * rotation * share,
            sway: if run { 0.4 * s.half_step_width_m } else { 0.022 },
            residue: if both_run {
                s.flight_residue * STANDARD_GRAVITY / (w * w)
            } else {
                0.0
            },
        }
    }

    /// The pelvis from one post to the next; moves the place along.
    fn join(&mut self, from: Post, to: Post, speed: f64) {
        let last_run = matches!(
            self.timeline.intervals.last(),
            Some(Interval {
                motion: Motion::Run { .. },
                ..
            })
        );
        let motion = match (self.runs_from(&from), from.vertical, to.vertical) {
            (Some(contact_s), _, _) => Motion::Run { contact_s },
            (None, Vertical::Still, Vertical::Still) => Motion::Rest,
            (None, Vertical::Stroll, Vertical::Stroll) if !last_run => Motion::Walk,
            _ => Motion::Bridge,
        };
        let braking = if speed > 0.0 { braking(speed) } else { 0.0 };
        let interval = Interval {
            from,
            to,
            motion,
            s0: self.s,
            braking,
        };
        self.s = interval.distance(to.t).v;
        self.t = to.t;
        self.timeline.intervals.push(interval);
    }

    /// Getting faster, the walking foot behind leaves earlier than it would have at its own pace. Breaking into a run it
    /// leaves before the next one lands: the body then already falls freely.
    fn hurry(&mut self, behind: &Footfall, ahead: &Footfall) {
        if behind.gait == Gait::Run {
            return;
        }
        let overlap = ahead.pace.contact_s - ahead.pace.step_s;
        let overlap = if ahead.gait == Gait::Run {
            0.5 * overlap
        } else {
            overlap
        };
        let at_own_pace = behind.post.t + behind.pace.contact_s;
        self.leave_ground(side_of(behind.index), at_own_pace.min(ahead.post.t + overlap));
    }

    /// Contact time if the foot that landed at this post runs.
    fn runs_from(&self, post: &Post) -> Option<f64> {
        let side = side_of(post.phase.round() as i64);
        let step = self.timeline.steps[slot(side)].last()?;
        let contact_s = step.tc? - step.ic;
        (step.gait == Gait::Run && step.landing == Landing::Strike && step.ic == post.t).then_some(contact_s)
    }

    /// Puts the foot of this footfall on the ground, where the pelvis now is and the reach ahead.
    fn land(&mut self, f: &Footfall) {
        let side = side_of(f.index);
        let s = self.subject;
        let mut step = self.planted(side, f.pace.reach_m);
        step.gait = f.gait;
        step.landing = Landing::Strike;
        step.ic = f.post.t;
        step.tc = Some(f.post.t + f.pace.contact_s);
        step.speed = f.speed;
        step.form = f.form;
        self.wanders.footing[slot(side)].draw(&mut self.rng, s, f.pace.contact_s, &mut step);
        let covered = 2.0 * f.speed * f.pace.step_s;
        step.swing_scale = (covered / 1.2).clamp(0.4, 1.0);
        // The ankle is meant to be `reach` ahead at contact; the foot then still slides and turns about its heel.
        let slide = 0.5 * f.speed * (step.sole_delay_s + 0.5 * step.impact_s);
        let ahead = f.pace.reach_m + libm::sin(step.strike_rad) * s.ankle_m() + slide;
        (step.place, step.heading, step.grade) = self.ground(side, ahead, self.half_width(f.gait));
        self.timeline.steps[slot(side)].push(step);
    }

    /// The last two footfalls: one to stop on and one beside it.
    fn settle(&mut self, here: &Footfall, t: f64) {
        let (gap, still) = SETTLE_S;
        // The runner is walking by now: nobody is slowed from running to a crawl in one step.
        let post = |t: f64, v: f64, index: i64| Post {
            t,
            vertical: Vertical::Stroll,
            v,
            phase: index as f64,
            phase_rate: 1.0 / gap,
            fall: 0.0,
            swing: here.post.swing,
        };
        let stop = post(t, 0.75 * CRAWL, self.index);
        self.join(here.post, stop, here.speed);
        let stop_side = side_of(self.index);
        self.index += 1;
        let beside = post(t + gap, 0.3 * CRAWL, self.index);
        self.join(stop, beside, 0.0);
        let beside_side = side_of(self.index);
        let rest = self.standing_post(t + gap + still);
        self.join(beside, rest, 0.0);
        self.stand_foot(stop_side, Landing::Settle, t);
        self.stand_foot(beside_side, Landing::Settle, t + gap);
    }

    /// A foot that stands beside the present place from `ic` on.
    fn stand_foot(&mut self, side: Side, landing: Landing, ic: f64) {
        let mut step = self.planted(side, 0.0);
        step.landing = landing;
        step.ic = ic;
        self.timeline.steps[slot(side)].push(step);
    }

    /// A contact of this side with nothing remarkable about it.
    fn planted(&self, side: Side, ahead: f64) -> Step {
        let (place, heading, grade) = self.ground(side, ahead, self.half_width(Gait::Walk));
        Step {
            side,
            gait: Gait::Walk,
            landing: Landing::Stood,
            ic: 0.0,
            tc: None,
            speed: CRAWL,
            place,
            heading,
            grade,
            toe_out_rad: self.subject.toe_out_rad[slot(side)],
            strike_rad: rad(8.0),
            mid_pitch_rad: 0.0,
            mid_rate: 0.0,
            creep_mps: 0.0,
            mid_acc: [0.0, 0.0],
            sole_delay_s: 0.0,
            impact_s: 0.018,
            slap_delay_s: 0.015,
            push_lead_s: 0.03,
            swing_scale: 0.6,
            form: Form::USUAL,
        }
    }

    fn ground(&self, side: Side, ahead: f64, half_width: f64) -> ([f64; 3], f64, f64) {
        let s = self.s + ahead;
        let path = &self.timeline.path;
        (
            path.place(s, side.sign() * half_width),
            path.heading(s),
            path.gradient(s),
        )
    }

    fn half_width(&self, gait: Gait) -> f64 {
        match gait {
            Gait::Run => self.subject.half_step_width_m,
            Gait::Walk => self.subject.half_step_width_m.max(0.05),
        }
    }

    fn leave_ground(&mut self, side: Side, tc: f64) {
        if let Some(step) = self.timeline.steps[slot(side)].last_mut() {
            step.tc = Some(tc);
        }
    }

    fn standing_post(&self, t: f64) -> Post {
        let s = self.subject;
        let leg = s.thigh_m() + s.shank_m();
        let swing = Swing {
            height: s.ankle_m() + 0.99 * leg,
            tilt: s.standing_rad[0],
            obliquity: s.standing_rad[1],
            ..Swing::default()
        };
        let phase = self.index as f64 + 0.5;
        Post {
            t,
            vertical: Vertical::Still,
            v: 0.0,
            phase,
            phase_rate: 0.0,
            fall: 0.0,
            swing,
        }
    }
}
