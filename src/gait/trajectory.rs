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
//! Clipped samples go into the covariance, not into a switch: the residual then lands in the clipped milliseconds.
//! Bridging a clipped stretch of the gyroscope by the cubic through its shoulders was tried and overshoots: on recordings
//! with a ±500 °/s gyroscope the median error above 3.5 m/s was 4.0 % with it and 2.1 % without.
//!
//! Solà, *Quaternion kinematics for the error-state Kalman filter* (2017), for the error dynamics and signs.

use super::covariance::{Covariance, Dense, STATES};
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
    /// Accelerometer bias before anything is known, m/s²: zero-g offset of a calibrated part, ±10 mg.
    pub sigma_bias: f64,
    /// … and its wander, m/s² per √s: 20 mg over an hour.
    pub bias_walk: f64,
    /// The covariance is propagated in steps of about this length, s; the state at every sample.
    pub covariance_step_s: f64,
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
            sigma_bias: 0.1,
            bias_walk: 0.0033,
            covariance_step_s: 0.0095,
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
        Self {
            gyro: gyro / n,
            acc: acc / n,
        }
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
    /// Spread of the attitude when it is not carried from the stride before, rad.
    pub start_sigma: f64,
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

/// The state from which a stride sets out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    /// Attitude at the opening mid-stance.
    pub(super) attitude: UnitQuaternion<f64>,
    /// Velocity there, m/s, `Level`.
    pub(super) velocity: Vector3<f64>,
    /// Bias of the accelerometer that the stride is integrated with, m/s², sensor axes.
    pub(super) bias: Vector3<f64>,
}

/// Attitude at a closing mid-stance, kept for the stride it opens.
#[derive(Clone, Copy, Debug)]
struct Carried {
    t: SessionTime,
    attitude: UnitQuaternion<f64>,
    attitude_cov: Matrix3<f64>,
    /// Attitude–bias.
    cross: Matrix3<f64>,
}

/// The filter of one foot.
#[derive(Clone, Debug)]
pub struct Trajectory {
    params: TrajectoryParams,
    /// What the last closing mid-stance left behind.
    carried: Option<Carried>,
    /// Accelerometer bias, m/s², sensor axes, and its covariance: a property of the sensor, kept over rests and gaps.
    bias: Vector3<f64>,
    bias_cov: Matrix3<f64>,
}

impl Trajectory {
    /// A filter that starts from the attitude of the first stride it is given.
    #[must_use]
    pub fn new(params: TrajectoryParams) -> Self {
        Self {
            params,
            carried: None,
            bias: Vector3::zeros(),
            bias_cov: Matrix3::identity() * params.sigma_bias.powi(2),
        }
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

    /// The state from which [`Trajectory::run`] would set out at `first`.
    pub(super) fn departure(&self, first: &TrackSample<Sensor>, open: &RestWindow, lever: &Vec3<Sensor>) -> Departure {
        let carried = self.carried.filter(|c| c.t == first.t);
        let attitude = carried.map_or(first.level_from.q, |c| c.attitude);
        Departure {
            attitude,
            velocity: attitude * -open.gyro.cross(&lever.v),
            bias: self.bias,
        }
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
        let p = self.params;
        let carried = self.carried.filter(|c| c.t == first.t).unwrap_or_else(|| {
            let s = geometry.start_sigma.powi(2);
            Carried {
                t: first.t,
                attitude: first.level_from.q,
                attitude_cov: Matrix3::from_diagonal(&Vector3::new(s, s, 1e-8)),
                cross: Matrix3::zeros(),
            }
        });
        let mut r = carried.attitude;
        let bias = self.bias;
        let rest_velocity = |r: &UnitQuaternion<f64>, rest: &RestWindow| r * -rest.gyro.cross(&geometry.lever.v);
        let sigma_v2 = |rest: &RestWindow| p.sigma_velocity.powi(2) + (p.sigma_lever_m * rest.gyro.norm()).powi(2);
        let mut v = rest_velocity(&r, open);
        let mut d = Vector3::zeros();
        let mut cov = Covariance::opening(sigma_v2(open), carried.attitude_cov, carried.cross, self.bias_cov);
        let gravity = Vector3::new(0.0, 0.0, STANDARD_GRAVITY);
        let q_gyro = p.gyro_density.powi(2);
        let mut clipped = (0, 0);
        let mut filled = 0;
        let mut flags = clip(first);
        let mut force = r * (first.acc.v - bias);
        let (mut step_dt, mut step_force) = (0.0, Vector3::zeros());
        let (mut q_velocity, mut q_attitude) = (Matrix3::zeros(), Matrix3::zeros());
        for (k, pair) in samples.windows(2).enumerate() {
            let dt = pair[1].t.since(pair[0].t);
            let step = (pair[0].gyro.v + pair[1].gyro.v) * (0.5 * dt);
            r *= small_rotation(&step);
            let next_force = r * (pair[1].acc.v - bias);
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
            step_dt += dt;
            step_force += s * dt;
            if both == ClipFlags::NONE && !pair[1].filled {
                q_velocity += Matrix3::identity() * (q_acc * dt);
                q_attitude += Matrix3::identity() * (q_gyro * dt);
            } else {
                let rails = r.to_rotation_matrix();
                let acc = Vector3::from_fn(|i, _| {
                    let s = if both.acc(i) || pair[1].filled {
                        p.clipped_acc
                    } else {
                        p.sigma_acc
                    };
                    s * s * p.correlation_s * dt
                });
                let gyro = Vector3::from_fn(|i, _| {
                    let extra = if both.gyro(i) {
                        p.clipped_gyro.powi(2) * 4.0 * p.correlation_s
                    } else {
                        0.0
                    };
                    (q_gyro + extra) * dt
                });
                let m = rails.matrix();
                q_velocity += m * Matrix3::from_diagonal(&acc) * m.transpose();
                q_attitude += m * Matrix3::from_diagonal(&gyro) * m.transpose();
            }
            if step_dt >= p.covariance_step_s || k + 2 == samples.len() {
                let mean_force = step_force / step_dt;
                cov.propagate(
                    &mean_force,
                    r.to_rotation_matrix().matrix(),
                    step_dt,
                    &q_velocity,
                    &q_attitude,
                );
                (step_dt, step_force) = (0.0, Vector3::zeros());
                (q_velocity, q_attitude) = (Matrix3::zeros(), Matrix3::zeros());
            }
        }
        let linear_length_m = self.linear_length(samples, &(d, v), close, &r, geometry);
        // --- close
        let horizontal = d.xy().norm();
        let travel = if horizontal > 0.1 {
            Vector3::new(d.x, d.y, 0.0) / horizontal
        } else {
            Vector3::zeros()
        };
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
        let mut h = SMatrix::<f64, 6, STATES>::zeros();
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
        let i_kh = Dense::identity() - gain * h;
        let post = i_kh * prior * i_kh.transpose() + gain * noise * gain.transpose();
        let free_slope = if horizontal > 0.1 { d.z / horizontal } else { 0.0 };
        d += x.fixed_rows::<3>(0);
        v += x.fixed_rows::<3>(3);
        let turn: Vector3<f64> = x.fixed_rows::<3>(6).into();
        r = UnitQuaternion::from_scaled_axis(turn) * r;
        let mut aa: Matrix3<f64> = post.fixed_view::<3, 3>(6, 6).into();
        // Heading is unobservable and irrelevant within a stride; its variance must not grow without bound.
        aa[(2, 2)] = aa[(2, 2)].min(1e-4);
        self.carried = Some(Carried {
            t: last.t,
            attitude: r,
            attitude_cov: aa,
            cross: post.fixed_view::<3, 3>(6, 9).into(),
        });
        self.bias += x.fixed_rows::<3>(9);
        self.bias_cov = post.fixed_view::<3, 3>(9, 9).into();
        for i in 0..3 {
            self.bias_cov[(i, i)] += p.bias_walk.powi(2) * last.t.since(first.t);
        }
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
            let force = r * (samples[k].acc.v - self.bias);
            r *= small_rotation(&((samples[k].gyro.v + samples[k - 1].gyro.v) * (-0.5 * dt)));
            v -= ((force + r * (samples[k - 1].acc.v - self.bias)) * 0.5 - gravity) * dt;
        }
    }

    /// Horizontal length by plain integration with the velocity error taken out linearly: a check, not a result.
    fn linear_length(
        &self,
        samples: &[TrackSample<Sensor>],
        end: &(Vector3<f64>, Vector3<f64>),
        close: &RestWindow,
        r: &UnitQuaternion<f64>,
        geometry: &StrideGeometry,
    ) -> f64 {
        let total = samples[samples.len() - 1].t.since(samples[0].t);
        let drift = end.1 - r * -close.gyro.cross(&geometry.lever.v);
        (end.0 - drift * (0.5 * total)).xy().norm()
    }
}

/// Rotation by the vector of one sample step, at most a third of a radian.
pub(super) fn small_rotation(step: &Vector3<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::from_scaled_axis(*step)
}
