//! Where the foot went between two mid-stances: one error-state Kalman filter per foot.
//!
//! Position restarts at each mid-stance; attitude and its covariance are carried from stride to stride. Re-levelling on
//! the specific force at every mid-stance breaks on real running (it is 11–30° off vertical there); with carried attitude
//! the velocity residual at the end of the stride corrects tilt through the cross-covariances.
//!
//! What closes a stride, each with its own spread:
//!
//! | row | says | because |
//! |---|---|---|
//! | velocity | the foot turns about the contact point and otherwise rests | rocker v = −ω × r; without it strides come out 1.5 % short |
//! | height | the foot ends as high as it began | level ground; loosened when the ground is known not to be |
//! | flat foot | the sole lies as it lay at earlier mid-stances, within 5° | bounds what a clipped gyroscope can do to attitude |
//!
//! Clipped samples go into the covariance, not into a switch: the residual then lands in the clipped milliseconds. A
//! clipped stretch of the *gyroscope* is first bridged by the cubic through its shoulders.
//!
//! Solà, *Quaternion kinematics for the error-state Kalman filter* (2017), for the error dynamics and signs.

use super::covariance::Covariance;
use crate::model::units::{STANDARD_GRAVITY, rad};
use crate::model::{ClipFlags, Sensor, SessionTime, Vec3};
use crate::orientation::TrackSample;
use nalgebra::{Matrix3, SMatrix, SVector, UnitQuaternion, Vector3};

/// Tuning in SI units, independent of the sample rate.
#[derive(Clone, Copy, Debug)]
pub struct TrajectoryParams {
    /// Spread of the foot's speed at mid-stance, m/s.
    pub sigma_velocity: f64,
    /// … growing with the rate of turn there: uncertainty of the lever, m.
    pub sigma_lever_m: f64,
    /// Accelerometer error amplitude, m/s², and its correlation time, s: together a density.
    pub sigma_acc: f64,
    /// See [`TrajectoryParams::sigma_acc`].
    pub correlation_s: f64,
    /// Gyroscope error, rad/√s.
    pub gyro_density: f64,
    /// Accelerometer error of an axis at its rail, m/s².
    pub clipped_acc: f64,
    /// Gyroscope error of an axis at its rail, rad/s.
    pub clipped_gyro: f64,
    /// Closure of height on level ground, m.
    pub sigma_height_m: f64,
    /// How equal the sole lies from one mid-stance to the next, rad.
    pub sigma_flat: f64,
    /// Sensor to contact point under the ball, foot axes, m: an instep pod.
    pub lever_m: [f64; 3],
}

impl Default for TrajectoryParams {
    fn default() -> Self {
        Self {
            sigma_velocity: 0.03,
            sigma_lever_m: 0.02,
            sigma_acc: 0.35,
            correlation_s: 0.005,
            gyro_density: rad(0.3),
            clipped_acc: 60.0,
            clipped_gyro: 2.0,
            sigma_height_m: 0.01,
            sigma_flat: rad(5.0),
            lever_m: [0.06, 0.0, -0.065],
        }
    }
}

/// Means over the quiet window of a mid-stance, sensor axes.
#[derive(Clone, Copy, Debug)]
pub struct RestWindow {
    /// Angular rate without bias, rad/s.
    pub gyro: Vector3<f64>,
    /// Specific force, m/s².
    pub acc: Vector3<f64>,
}

impl RestWindow {
    /// Means of these samples; zero rate and no force when there are none.
    #[must_use]
    pub fn of(samples: &[TrackSample<Sensor>]) -> Self {
        let n = samples.len().max(1) as f64;
        let (mut gyro, mut acc) = (Vector3::zeros(), Vector3::zeros());
        for s in samples {
            gyro += s.gyro.v;
            acc += s.acc.v;
        }
        Self { gyro: gyro / n, acc: acc / n }
    }
}

/// What is known of the mounting and the ground for one stride, sensor axes.
#[derive(Clone, Copy, Debug)]
pub struct StrideGeometry {
    /// Sensor to contact point, m.
    pub lever: Vec3<Sensor>,
    /// *Up* at mid-stance from earlier strides.
    pub usual_up: Option<Vec3<Sensor>>,
    /// Personal mid-stance speed along travel, m/s.
    pub creep: f64,
    /// Ground.
    pub ground: Ground,
}

/// What is known of the ground between two mid-stances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ground {
    /// Level.
    Level,
    /// A known slope, height per horizontal metre.
    Slope(f64),
    /// Stairs, trail: no closure of height.
    Unknown,
}

/// State at the closing mid-stance and what the stride measured.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// Displacement in `Level`, m.
    pub displacement: Vector3<f64>,
    /// Spread of its horizontal length, m.
    pub length_sigma_m: f64,
    /// Attitude at the closing mid-stance.
    pub attitude: UnitQuaternion<f64>,
    /// Velocity there, m/s.
    pub velocity: Vector3<f64>,
    /// Normalised innovation squared.
    pub chi2: f64,
    /// Length by plain linear de-drift of the same signals, m.
    pub linear_length_m: f64,
    /// Rise per horizontal metre before height was closed.
    pub free_slope: f64,
    /// Clipped samples: accelerometer, gyroscope.
    pub clipped: (u32, u32),
    /// Samples of the stride.
    pub samples: u32,
    /// Interpolated samples.
    pub filled: u32,
}

/// The filter of one foot.
#[derive(Clone, Debug)]
pub struct Trajectory {
    params: TrajectoryParams,
    /// Attitude and its covariance at the last closing mid-stance, and which instant that was.
    carried: Option<(SessionTime, UnitQuaternion<f64>, Matrix3<f64>)>,
    /// Angular rate of the current stride with clipped stretches bridged; reused.
    gyro: Vec<Vector3<f64>>,
}

impl Trajectory {
    /// A filter; `capacity` is the number of samples of the longest stride.
    #[must_use]
    pub fn new(params: TrajectoryParams, capacity: usize) -> Self {
        Self { params, carried: None, gyro: Vec::with_capacity(capacity) }
    }

    /// Tuning.
    #[must_use]
    pub fn params(&self) -> &TrajectoryParams {
        &self.params
    }

    /// The next stride starts from the attitude filter instead of the last stride.
    pub fn forget_attitude(&mut self) {
        self.carried = None;
    }

    /// Runs one stride over `samples` (first = opening mid-stance, last = closing one). `clip` judges a raw sample.
    /// `None` when there are fewer than three samples.
    pub fn run(
        &mut self,
        samples: &[TrackSample<Sensor>],
        clip: impl Fn(&TrackSample<Sensor>) -> ClipFlags,
        open: &RestWindow,
        close: &RestWindow,
        geometry: &StrideGeometry,
    ) -> Option<Closed> {
        let (first, last) = (samples.first()?, samples.last()?);
        if samples.len() < 3 {
            return None;
        }
        self.bridge(samples, &clip);
        let p = self.params;
        let carried = self.carried.filter(|(t, ..)| *t == first.t);
        let (mut r, attitude_cov) = match carried {
            Some((_, q, cov)) => (q, cov),
            None => {
                let s = rad(1.0).powi(2);
                (first.level_from.q, Matrix3::from_diagonal(&Vector3::new(s, s, 1e-8)))
            }
        };
        let rest_velocity = |r: &UnitQuaternion<f64>, rest: &RestWindow| r * -rest.gyro.cross(&geometry.lever.v);
        let sigma_v2 = |rest: &RestWindow| p.sigma_velocity.powi(2) + (p.sigma_lever_m * rest.gyro.norm()).powi(2);
        let mut v = rest_velocity(&r, open);
        let mut d = Vector3::zeros();
        let mut cov = Covariance::opening(sigma_v2(open), attitude_cov);
        let gravity = Vector3::new(0.0, 0.0, STANDARD_GRAVITY);
        let q_gyro = p.gyro_density.powi(2);
        let mut clipped = (0, 0);
        let mut filled = 0;
        let mut flags = clip(first);
        let mut force = r * first.acc.v;
        for (k, pair) in samples.windows(2).enumerate() {
            let dt = pair[1].t.since(pair[0].t);
            let step = (self.gyro[k] + self.gyro[k + 1]) * (0.5 * dt);
            r *= small_rotation(&step);
            let next_force = r * pair[1].acc.v;
            let s = (force + next_force) * 0.5;
            force = next_force;
            let a = s - gravity;
            d += v * dt + a * (0.5 * dt * dt);
            v += a * dt;
            let next_flags = clip(&pair[1]);
            let both = flags.union(next_flags);
            flags = next_flags;
            clipped.0 += u32::from(next_flags.any_acc());
            clipped.1 += u32::from(next_flags.any_gyro());
            filled += u32::from(pair[1].filled);
            let q_acc = p.sigma_acc.powi(2) * p.correlation_s;
            let (q_velocity, q_attitude) = if both == ClipFlags::NONE && !pair[1].filled {
                (Matrix3::identity() * (q_acc * dt), Matrix3::identity() * (q_gyro * dt))
            } else {
                let rails = r.to_rotation_matrix();
                let acc = Vector3::from_fn(|i, _| {
                    let s = if both.acc(i) || pair[1].filled { p.clipped_acc } else { p.sigma_acc };
                    s * s * p.correlation_s * dt
                });
                let gyro = Vector3::from_fn(|i, _| {
                    let extra = if both.gyro(i) { p.clipped_gyro.powi(2) * 4.0 * p.correlation_s } else { 0.0 };
                    (q_gyro + extra) * dt
                });
                let m = rails.matrix();
                (m * Matrix3::from_diagonal(&acc) * m.transpose(), m * Matrix3::from_diagonal(&gyro) * m.transpose())
            };
            cov.propagate(&s, dt, &q_velocity, &q_attitude);
        }
        let linear_length_m = self.linear_length(samples, &(d, v), open, close, &r, geometry);
        // --- close
        let horizontal = d.xy().norm();
        let travel = if horizontal > 0.1 { Vector3::new(d.x, d.y, 0.0) / horizontal } else { Vector3::zeros() };
        let model = rest_velocity(&r, close) + travel * geometry.creep;
        let (height, sigma_height) = match geometry.ground {
            Ground::Level => (0.0, p.sigma_height_m),
            Ground::Slope(g) => (g * horizontal, 0.03),
            Ground::Unknown => (d.z, 10.0),
        };
        let (up, sigma_up) = match geometry.usual_up {
            Some(up) => (r * up.v, p.sigma_flat),
            None => {
                let g = close.acc.norm();
                let off = (g - STANDARD_GRAVITY) / STANDARD_GRAVITY;
                (r * (close.acc / g.max(1e-3)), (p.sigma_flat.powi(2) + off * off).sqrt())
            }
        };
        let mut y = SVector::<f64, 6>::zeros();
        y.fixed_rows_mut::<3>(0).copy_from(&(model - v));
        y[3] = height - d.z;
        y[4] = up.y;
        y[5] = -up.x;
        let mut h = SMatrix::<f64, 6, 9>::zeros();
        h.fixed_view_mut::<3, 3>(0, 3).copy_from(&Matrix3::identity());
        h[(3, 2)] = 1.0;
        h[(4, 6)] = 1.0;
        h[(5, 7)] = 1.0;
        let s2 = sigma_v2(close);
        let noise = SVector::<f64, 6>::from([
            s2,
            s2,
            s2,
            sigma_height * sigma_height,
            sigma_up * sigma_up,
            sigma_up * sigma_up,
        ]);
        let noise = SMatrix::<f64, 6, 6>::from_diagonal(&noise);
        let prior = cov.dense();
        let innovation = h * prior * h.transpose() + noise;
        let solve = innovation.cholesky()?;
        let chi2 = y.dot(&solve.solve(&y));
        let gain = solve.solve(&(h * prior)).transpose();
        let x = gain * y;
        // Joseph form keeps the covariance symmetric and positive whatever the gain's rounding.
        let i_kh = SMatrix::<f64, 9, 9>::identity() - gain * h;
        let post = i_kh * prior * i_kh.transpose() + gain * noise * gain.transpose();
        let free_slope = if horizontal > 0.1 { d.z / horizontal } else { 0.0 };
        d += x.fixed_rows::<3>(0);
        v += x.fixed_rows::<3>(3);
        let turn: Vector3<f64> = x.fixed_rows::<3>(6).into();
        r = UnitQuaternion::from_scaled_axis(turn) * r;
        let mut aa: Matrix3<f64> = post.fixed_view::<3, 3>(6, 6).into();
        // Heading is unobservable and irrelevant within a stride; its variance must not grow without bound.
        aa[(2, 2)] = aa[(2, 2)].min(1e-4);
        self.carried = Some((last.t, r, aa));
        Some(Closed {
            displacement: d,
            length_sigma_m: post[(0, 0)].max(post[(1, 1)]).max(0.0).sqrt(),
            attitude: r,
            velocity: v,
            chi2,
            linear_length_m,
            free_slope,
            clipped,
            samples: samples.len() as u32,
            filled,
        })
    }

    /// Walks back from the closing mid-stance with the updated state; `visit(k, attitude, velocity)` for each sample from
    /// the last to the first until it answers `false`.
    pub fn walk_back(
        &self,
        samples: &[TrackSample<Sensor>],
        closed: &Closed,
        mut visit: impl FnMut(usize, &UnitQuaternion<f64>, &Vector3<f64>) -> bool,
    ) {
        let gravity = Vector3::new(0.0, 0.0, STANDARD_GRAVITY);
        let (mut r, mut v) = (closed.attitude, closed.velocity);
        for k in (0..samples.len()).rev() {
            if !visit(k, &r, &v) || k == 0 {
                return;
            }
            let dt = samples[k].t.since(samples[k - 1].t);
            let force = r * samples[k].acc.v;
            r *= small_rotation(&((self.gyro[k] + self.gyro[k - 1]) * (-0.5 * dt)));
            v -= ((force + r * samples[k - 1].acc.v) * 0.5 - gravity) * dt;
        }
    }

    /// Copies the rates of a stride and bridges clipped stretches of each axis by the cubic that leaves the last good
    /// sample before with its slope and meets the first good one after with its.
    fn bridge(&mut self, samples: &[TrackSample<Sensor>], clip: &impl Fn(&TrackSample<Sensor>) -> ClipFlags) {
        self.gyro.clear();
        self.gyro.extend(samples.iter().map(|s| s.gyro.v));
        for axis in 0..3 {
            let mut k = 2;
            while k + 2 < samples.len() {
                if !clip(&samples[k]).gyro(axis) {
                    k += 1;
                    continue;
                }
                let start = k;
                while k + 2 < samples.len() && clip(&samples[k]).gyro(axis) {
                    k += 1;
                }
                self.bridge_one(samples, axis, start - 1, k);
            }
        }
    }

    fn bridge_one(&mut self, samples: &[TrackSample<Sensor>], axis: usize, a: usize, b: usize) {
        let time = |k: usize| samples[k].t.since(samples[a].t);
        let (wa, wb) = (samples[a].gyro.v[axis], samples[b].gyro.v[axis]);
        let span = time(b);
        if a == 0 || b + 1 >= samples.len() || span <= 0.0 {
            return;
        }
        let slope = |i: usize, j: usize| {
            (samples[j].gyro.v[axis] - samples[i].gyro.v[axis]) / samples[j].t.since(samples[i].t).max(1e-6)
        };
        let (sa, sb) = (slope(a - 1, a), slope(b, b + 1));
        for k in a + 1..b {
            let u = time(k) / span;
            let (u2, u3) = (u * u, u * u * u);
            let w = wa * (2.0 * u3 - 3.0 * u2 + 1.0)
                + sa * span * (u3 - 2.0 * u2 + u)
                + wb * (3.0 * u2 - 2.0 * u3)
                + sb * span * (u3 - u2);
            let seen = samples[k].gyro.v[axis];
            // Beyond the rail is all that is known: never less than was read, at most twice the rail.
            self.gyro[k][axis] =
                if seen >= 0.0 { w.clamp(seen, 2.0 * seen) } else { w.clamp(2.0 * seen, seen) };
        }
    }

    /// Horizontal length by plain integration with the velocity error taken out linearly: a check, not a result.
    fn linear_length(
        &self,
        samples: &[TrackSample<Sensor>],
        end: &(Vector3<f64>, Vector3<f64>),
        _open: &RestWindow,
        close: &RestWindow,
        r: &UnitQuaternion<f64>,
        geometry: &StrideGeometry,
    ) -> f64 {
        let total = samples[samples.len() - 1].t.since(samples[0].t);
        let drift = end.1 - r * -close.gyro.cross(&geometry.lever.v);
        (end.0 - drift * (0.5 * total)).xy().norm()
    }
}

/// Rotation by a small vector, second order; at 100 Hz and 35 rad/s the step is 0.35 rad, where the renormalised
/// quaternion (1, φ/2) with the series of sine and cosine to fifth order is exact to 1e-7 rad.
fn small_rotation(step: &Vector3<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::from_scaled_axis(*step)
}
