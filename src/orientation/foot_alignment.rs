//! How a pod sits on a shoe: found from the run itself, for any strapping, without asking.
//!
//! Three facts fix the rotation from sensor to foot axes:
//!
//! 1. *Up* is known when the foot rests. With quiet standing it is the specific force itself; without, it is the filter's
//!    attitude at mid-stance (the specific force of a running mid-stance is 11–30° off vertical and must not be used).
//! 2. *The pitch axis* carries most of the angular rate of a swing: first principal axis of the rate across *up*.
//! 3. *Forward* is where the foot goes: the displacement between two rests decides the sign of the pitch axis. That
//!    holds upside-down and back to front; only running backwards would fool it.
//!
//! Rests are found here without knowing any axis, from the magnitudes of rate and specific force alone, so that nothing
//! in this file waits for its own result.

use super::track::TrackSample;
use crate::model::{Foot, Rotation, Sensor, Vec3};
use nalgebra::{Matrix2, Matrix3, Rotation3, UnitQuaternion, Vector3};

/// Standard deviations that make rate and specific force comparable in a rest score: those of a resting running foot.
pub const REST_GYRO_RADPS: f64 = 0.6;
/// As [`REST_GYRO_RADPS`] for the magnitude of specific force, m/s².
pub const REST_ACC_MPS2: f64 = 3.0;

/// How far a sample is from rest, 0 = perfectly still. Dimensionless; knows no axes.
#[must_use]
pub fn rest_score(gyro: &Vector3<f64>, acc: &Vector3<f64>) -> f64 {
    let f = acc.norm() - crate::model::units::STANDARD_GRAVITY;
    gyro.norm_squared() / (REST_GYRO_RADPS * REST_GYRO_RADPS) + f * f / (REST_ACC_MPS2 * REST_ACC_MPS2)
}

/// Tuning, with reasons.
#[derive(Clone, Copy, Debug)]
pub struct FootAlignmentParams {
    /// Length of the mean that smooths the rest score, s: shorter than a running foot-flat (40–90 ms).
    pub rest_window_s: f64,
    /// Smoothed score above which the foot may be swinging: 1.7 rad/s.
    pub swing_score: f64,
    /// Smoothed score below which it may rest: |ω| up to 2 rad/s and |f| − g up to 6 m/s² (fast running mid-stance).
    pub rest_score: f64,
    /// Two rests closer than this belong to one stride, s: the shortest running strides last 0.55 s.
    pub same_stride_s: f64,
    /// Strides until the mounting is used at all.
    pub min_strides: u32,
    /// Strides until it counts as known rather than approximate.
    pub settled_strides: u32,
    /// Smallest displacement of a stride that may vote on the direction, m.
    pub min_step_m: f64,
    /// Agreement of the votes required (1 = unanimous).
    pub min_margin: f64,
    /// Ratio of the principal axes of rate across *up* required.
    pub min_ratio: f64,
    /// Strides over which old ones fade.
    pub memory_strides: f64,
}

impl Default for FootAlignmentParams {
    fn default() -> Self {
        Self {
            rest_window_s: 0.04,
            swing_score: 8.0,
            rest_score: 16.0,
            same_stride_s: 0.5,
            min_strides: 3,
            settled_strides: 10,
            min_step_m: 0.3,
            min_margin: 0.7,
            min_ratio: 1.5,
            memory_strides: 30.0,
        }
    }
}

/// What is known of the mounting.
#[derive(Clone, Copy, Debug)]
pub struct FootAlignment {
    /// Sensor axes to foot axes.
    pub foot_from_sensor: Rotation<Foot, Sensor>,
    /// *Up* at mid-stance in sensor axes, median of recent strides.
    pub mid_stance_up: Vec3<Sensor>,
    /// Whether *up* is from quiet standing; if not, foot pitch has no true zero.
    pub from_standing: bool,
    /// Whether enough strides agree.
    pub settled: bool,
}

const ZERO3: Matrix3<f64> = Matrix3::new(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
/// A rest this quiet is no turning point between push-off and swing: those score ten and more.
const QUIET_SCORE: f64 = 4.0;
const UPS: usize = 15;
/// Strides that must agree before a pod is said to have turned in its strap.
const RECENT: usize = 3;
/// cos 30°, and how clearly the recent strides must turn about one axis to be heard.
const MOVED_COS: f64 = 0.866;
const MOVED_RATIO: f64 = 3.0;
/// A valley ends when the score has risen to this multiple of its floor, a hill when it fell to this part of its top.
const HYSTERESIS: f64 = 4.0;

/// What strides say about the mounting: one, or a fading sum of many.
#[derive(Clone, Copy, Debug)]
struct Vote {
    /// Where the foot went, sensor axes.
    direction: Vector3<f64>,
    /// Σ ω ωᵀ of the swing.
    rates: Matrix3<f64>,
    weight: f64,
}

impl Vote {
    const NONE: Self = Self {
        direction: Vector3::new(0.0, 0.0, 0.0),
        rates: ZERO3,
        weight: 0.0,
    };

    fn faded(self, keep: f64) -> Self {
        Self {
            direction: self.direction * keep,
            rates: self.rates * keep,
            weight: self.weight * keep,
        }
    }

    fn with(self, other: &Self) -> Self {
        Self {
            direction: self.direction + other.direction,
            rates: self.rates + other.rates,
            weight: self.weight + other.weight,
        }
    }
}

/// Whether the attitudes of the track can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attitude {
    /// Yes.
    Known,
    /// No: samples are missing and the foot turned unseen.
    Lost,
}

/// Finds the mounting of one foot sensor from its own track.
#[derive(Clone, Debug)]
pub struct FootAligner {
    params: FootAlignmentParams,
    window: usize,
    sums: Vote,
    stride_rate_sum: Matrix3<f64>,
    recent_votes: [Vote; RECENT],
    moved: u32,
    ups: [Vector3<f64>; UPS],
    up_count: usize,
    standing_up: Option<Vector3<f64>>,
    strides: u32,
    // rest finder
    recent: Vec<f64>,
    cursor: usize,
    sum: f64,
    filled: usize,
    swinging: bool,
    hill: f64,
    best: Option<(f64, u64)>,
    /// The newest rest, not yet certain: a quieter one may follow within the same stride.
    candidate: Option<(f64, u64)>,
    same_stride: u64,
    /// The newest quiet rest, for whoever lost the attitude; and whether attitudes may be believed.
    quiet_rest: Option<u64>,
    attitude_lost: bool,
    last_rest: Option<(f64, u64)>,
    current: Option<FootAlignment>,
}

impl FootAligner {
    /// An aligner for a sensor of this rate.
    #[must_use]
    pub fn new(params: FootAlignmentParams, rate_hz: f64) -> Self {
        let window = ((params.rest_window_s * rate_hz).round() as usize).max(3);
        Self {
            params,
            window,
            sums: Vote::NONE,
            stride_rate_sum: Matrix3::zeros(),
            recent_votes: [Vote::NONE; RECENT],
            moved: 0,
            ups: [Vector3::zeros(); UPS],
            up_count: 0,
            standing_up: None,
            strides: 0,
            recent: vec![0.0; window],
            cursor: 0,
            sum: 0.0,
            filled: 0,
            swinging: false,
            hill: 0.0,
            best: None,
            candidate: None,
            quiet_rest: None,
            attitude_lost: false,
            same_stride: (params.same_stride_s * rate_hz) as u64,
            last_rest: None,
            current: None,
        }
    }

    /// What is known so far.
    #[must_use]
    pub fn current(&self) -> Option<&FootAlignment> {
        self.current.as_ref()
    }

    /// Quiet standing was seen: its mean specific force gives *up* of a flat foot.
    pub fn note_standing(&mut self, mean_acc: &Vec3<Sensor>) {
        if let Some(up) = mean_acc.v.try_normalize(1.0) {
            self.standing_up = Some(up);
            if self.current.is_some() {
                self.estimate();
            }
        }
    }

    /// Attitudes are not to be believed until told otherwise; rests are still looked for.
    pub fn note_attitude(&mut self, lost: Attitude) {
        self.attitude_lost = lost == Attitude::Lost;
        self.candidate = None;
        self.last_rest = None;
    }

    /// The newest quiet rest, once.
    pub fn take_quiet_rest(&mut self) -> Option<u64> {
        self.quiet_rest.take()
    }

    /// *Up* in the sensor while the foot lies flat, as well as known: at mid-stance, else in standing.
    #[must_use]
    pub fn flat_up(&self) -> Option<Vec3<Sensor>> {
        let standing = || self.standing_up.map(Vec3::from_raw);
        self.current.map(|c| c.mid_stance_up).or_else(standing)
    }

    /// Whether the mounting is known, so that an attitude that was lost can be found again from it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.current.is_some()
    }

    /// Forgets where the last rest was: samples are missing since.
    pub fn note_gap(&mut self) {
        self.best = None;
        self.candidate = None;
        self.last_rest = None;
        self.filled = 0;
        self.sum = 0.0;
        self.recent.fill(0.0);
        self.swinging = false;
        self.stride_rate_sum = Matrix3::zeros();
    }

    /// Takes the newest sample of `track` (absolute number `index`); true when the estimate changed.
    pub fn push(&mut self, track: &super::Track<Sensor>, index: u64, sample: &TrackSample<Sensor>) -> bool {
        let score = rest_score(&sample.gyro.v, &sample.acc.v);
        self.sum += score - self.recent[self.cursor];
        self.recent[self.cursor] = score;
        self.cursor = (self.cursor + 1) % self.window;
        self.filled = (self.filled + 1).min(self.window);
        if self.cursor == 0 {
            // Exact again once a round, so that rounding cannot pile up over hours.
            self.sum = self.recent.iter().sum();
        }
        if sample.gyro.v.norm_squared() > 4.0 {
            self.stride_rate_sum += sample.gyro.v * sample.gyro.v.transpose();
        }
        if self.filled < self.window {
            return false;
        }
        let mean = self.sum / self.window as f64;
        let centre = index.saturating_sub(self.window as u64 / 2);
        // Valleys and hills of the score, with hysteresis by ratio: a slow sidestep peaks at 10, a sprint at 2000.
        if self.swinging {
            self.hill = self.hill.max(mean);
            if mean < self.params.rest_score && mean * HYSTERESIS < self.hill {
                self.swinging = false;
                self.best = None;
            }
        }
        if !self.swinging {
            let low = self.best.map_or(f64::INFINITY, |(low, _)| low);
            if mean > self.params.swing_score && mean > HYSTERESIS * low {
                self.swinging = true;
                self.hill = mean;
                if let Some(valley) = self.best.take().filter(|(low, _)| *low < self.params.rest_score) {
                    return self.offer_rest(track, valley);
                }
            } else if mean <= low {
                // The later of two equally quiet instants: the end of a long rest is nearer to the stride that follows.
                self.best = Some((mean, centre));
            }
        }
        false
    }

    /// The turning point between push-off and swing is quiet too, for a moment; of two candidates within one stride the
    /// quieter is the rest.
    fn offer_rest(&mut self, track: &super::Track<Sensor>, new: (f64, u64)) -> bool {
        if new.0 < QUIET_SCORE {
            self.quiet_rest = Some(new.1);
        }
        if self.attitude_lost {
            return false;
        }
        match self.candidate {
            Some((score, at)) if new.1 - at < self.same_stride => {
                if new.0 < score {
                    self.candidate = Some(new);
                }
                false
            }
            Some(certain) => {
                self.candidate = Some(new);
                self.rest_ended(track, certain)
            }
            None => {
                self.candidate = Some(new);
                false
            }
        }
    }

    fn rest_ended(&mut self, track: &super::Track<Sensor>, (score, rest): (f64, u64)) -> bool {
        let Some(sample) = track.range(rest, rest + 1).first() else {
            return false;
        };
        let up = sample.level_from.q.inverse() * Vector3::z();
        self.ups[self.up_count % UPS] = up;
        self.up_count += 1;
        let previous = self.last_rest.replace((score, rest));
        let rates = std::mem::replace(&mut self.stride_rate_sum, Matrix3::zeros());
        let Some((previous_score, previous)) = previous else {
            return false;
        };
        let path = track.range(previous, rest + 1);
        let Some(p) = displacement(path) else { return false };
        let length = p.xy().norm();
        if length < self.params.min_step_m {
            return false;
        }
        let direction = sample.level_from.q.inverse() * (Vector3::new(p.x, p.y, 0.0) / length);
        // A turning point taken for a rest has a score of order ten and moves at a speed that plain integration does not
        // know; its vote counts little.
        let weight = 1.0 / (1.0 + score + previous_score);
        let stride = Vote {
            direction: direction * weight,
            rates,
            weight,
        };
        self.recent_votes[self.strides as usize % RECENT] = stride;
        let keep = 1.0 - 1.0 / self.params.memory_strides;
        self.sums = self.sums.faded(keep).with(&stride);
        self.strides = self.strides.saturating_add(1);
        if self.has_moved() {
            self.start_over_from_recent();
        }
        self.estimate()
    }

    /// Whether the last strides agree with each other on another mounting than the one in use: three in a row travel
    /// against *forward*, or turn about an axis more than 30° from the one in use.
    fn has_moved(&self) -> bool {
        let Some(current) = self.current.filter(|_| self.strides as usize > 2 * RECENT) else {
            return false;
        };
        let to_foot = current.foot_from_sensor.q;
        if self.recent_votes.iter().all(|v| (to_foot * v.direction).x < 0.0) {
            return true;
        }
        let rates = self.recent_votes.iter().fold(Matrix3::zeros(), |sum, v| sum + v.rates);
        let up = to_foot.inverse() * Vector3::z();
        let (axis, ratio) = principal_axis(&rates, &up);
        ratio > MOVED_RATIO && (to_foot * axis).y.abs() < MOVED_COS
    }

    /// The pod turned in its strap: what was known before, standing included, describes another mounting.
    fn start_over_from_recent(&mut self) {
        self.moved += 1;
        self.sums = self.recent_votes.iter().fold(Vote::NONE, |sum, v| sum.with(v));
        let kept: [Vector3<f64>; RECENT] = std::array::from_fn(|k| self.ups[(self.up_count + UPS - RECENT + k) % UPS]);
        self.ups[..RECENT].copy_from_slice(&kept);
        self.up_count = RECENT;
        self.standing_up = None;
        self.strides = RECENT as u32;
    }

    /// How often the pod turned in its strap so far.
    #[must_use]
    pub fn times_moved(&self) -> u32 {
        self.moved
    }

    fn estimate(&mut self) -> bool {
        let n = self.up_count.min(UPS);
        if n == 0 || self.strides == 0 {
            return false;
        }
        let mid = median_direction(&self.ups[..n]);
        let z = self.standing_up.unwrap_or(mid);
        let (mut y, ratio) = principal_axis(&self.sums.rates, &z);
        let vote = y.cross(&z).dot(&self.sums.direction) / self.sums.weight.max(1e-9);
        if vote < 0.0 {
            y = -y;
        }
        let x = y.cross(&z);
        let enough = self.strides >= self.params.min_strides
            && vote.abs() > self.params.min_margin
            && ratio > self.params.min_ratio;
        if !enough && self.current.is_none() {
            return false;
        }
        let rows = Matrix3::from_rows(&[x.transpose(), y.transpose(), z.transpose()]);
        let q = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(rows));
        self.current = Some(FootAlignment {
            foot_from_sensor: Rotation::from_raw(q),
            mid_stance_up: Vec3::from_raw(mid),
            from_standing: self.standing_up.is_some(),
            settled: self.strides >= self.params.settled_strides && enough,
        });
        true
    }

    /// Nothing more comes: take what there is, however few strides.
    pub fn settle_for_what_there_is(&mut self) -> bool {
        if self.current.is_some() {
            return false;
        }
        let strict = std::mem::replace(
            &mut self.params,
            FootAlignmentParams {
                min_strides: 1,
                min_margin: 0.5,
                min_ratio: 1.2,
                ..FootAlignmentParams::default()
            },
        );
        let found = self.estimate();
        self.params = strict;
        found
    }
}

/// Displacement in `Level` between two rests, by plain integration with the velocity error taken out linearly.
/// `None` for fewer than three samples or a hole in time.
fn displacement(path: &[TrackSample<Sensor>]) -> Option<Vector3<f64>> {
    let (first, last) = (path.first()?, path.last()?);
    let total = last.t.since(first.t);
    if path.len() < 3 || !(0.25..=3.0).contains(&total) {
        return None;
    }
    let gravity = Vector3::new(0.0, 0.0, crate::model::units::STANDARD_GRAVITY);
    let acc = |s: &TrackSample<Sensor>| s.level_from.q * s.acc.v - gravity;
    let (mut v, mut p) = (Vector3::zeros(), Vector3::zeros());
    let mut before = acc(first);
    for pair in path.windows(2) {
        let dt = pair[1].t.since(pair[0].t);
        let now = acc(&pair[1]);
        let mean = (before + now) * 0.5;
        p += v * dt + mean * (0.5 * dt * dt);
        v += mean * dt;
        before = now;
    }
    Some(p - v * (0.5 * total))
}

/// Main axis of rate across `up`, unit length and arbitrary sign, and how much it exceeds the other one.
fn principal_axis(rates: &Matrix3<f64>, up: &Vector3<f64>) -> (Vector3<f64>, f64) {
    let a = any_perpendicular(up);
    let b = up.cross(&a);
    let (ra, rb) = (rates * a, rates * b);
    let plane = Matrix2::new(a.dot(&ra), a.dot(&rb), a.dot(&rb), b.dot(&rb));
    let eigen = plane.symmetric_eigen();
    let (big, small) = if eigen.eigenvalues[0] >= eigen.eigenvalues[1] {
        (0, 1)
    } else {
        (1, 0)
    };
    let axis = eigen.eigenvectors.column(big);
    (
        a * axis[0] + b * axis[1],
        eigen.eigenvalues[big] / eigen.eigenvalues[small].max(1e-9),
    )
}

fn any_perpendicular(z: &Vector3<f64>) -> Vector3<f64> {
    let other = if z.x.abs() < 0.7 { Vector3::x() } else { Vector3::y() };
    // `other` is at least 45° away from `z`, so the cross product cannot vanish.
    other.cross(z).normalize()
}

fn median_direction(directions: &[Vector3<f64>]) -> Vector3<f64> {
    let mut lane = [0.0; UPS];
    let mut out = Vector3::zeros();
    for axis in 0..3 {
        for (slot, d) in lane.iter_mut().zip(directions) {
            *slot = d[axis];
        }
        let used = &mut lane[..directions.len()];
        used.sort_unstable_by(f64::total_cmp);
        // The mean of the two middle values for an even count, so that a mirrored run gives the mirrored median.
        out[axis] = 0.5 * (used[(used.len() - 1) / 2] + used[used.len() / 2]);
    }
    out.try_normalize(1e-6).unwrap_or_else(Vector3::z)
}
