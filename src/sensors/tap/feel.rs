//! One sensor: rest, knocks, and two knocks that make a double tap.

use crate::model::SessionTime;
use std::collections::VecDeque;

/// A knock stands so far above rest, m/s². A finger on a shoe gives 10 to 100; standing, breathing and reaching stay
/// below 2.
const KNOCK: f64 = 5.0;
/// A knock, ringing included, is over within this, s. Steps and pushes take longer.
pub(super) const KNOCK_S: f64 = 0.12;
/// By the last third of that time it has fallen below this share of its peak, or below [`KNOCK`].
const FALLEN: f64 = 0.35;
/// At rest the root mean square of what is not gravity is below this, m/s².
const REST: f64 = 1.5;
/// Between and after taps a little more is allowed: the hand is at the sensor.
const NEAR_REST: f64 = 2.5;
/// Rest is looked for over this long before the first tap, s.
const REST_S: f64 = 0.5;
/// The second tap follows within this span, s.
const BETWEEN_S: (f64, f64) = (0.15, 0.8);
/// No third knock within this, s: steps go on, taps end.
const END_S: f64 = 0.5;
/// What is remembered, s: longer than a double tap and the wait for other sensors.
const REMEMBERED_S: f64 = 4.0;
/// Most samples remembered, whatever a sensor's clock says.
const SAMPLES_LIMIT: usize = 8192;
/// Time in which the estimate of gravity follows, s.
const GRAVITY_S: f64 = 0.3;
/// The estimate follows single samples no further than this, m/s²: a tap does not turn gravity.
const GRAVITY_REACH: f64 = 2.0;
/// A hole in the samples longer than this ends whatever was going on, s.
const HOLE_S: f64 = 0.25;

#[derive(Clone, Copy, Debug)]
struct Point {
    t: SessionTime,
    /// Distance from gravity, m/s².
    d: f64,
}

#[derive(Clone, Copy, Debug)]
struct Knock {
    at: SessionTime,
    strength: f64,
}

/// Two knocks that are a double tap as far as one sensor can tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Double {
    pub(super) first: SessionTime,
    pub(super) second: SessionTime,
    pub(super) strengths: [f64; 2],
}

/// What the sensor is going through.
#[derive(Clone, Copy, Debug, Default)]
enum Going {
    /// Nothing above [`KNOCK`].
    #[default]
    Calm,
    /// Since then something that may become a knock.
    Rising { since: SessionTime, strength: f64 },
    /// Something longer than a knock; it ends with a calm stretch.
    Moving { last: SessionTime },
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Feel {
    gravity: Option<[f64; 3]>,
    points: VecDeque<Point>,
    going: Going,
    /// The last knock, if the sensor was at rest before it; the next one may make it a double tap.
    first: Option<Knock>,
    pair: Option<Double>,
    double: Option<Double>,
}

impl Feel {
    /// When the newest sample was taken.
    pub(super) fn newest(&self) -> Option<SessionTime> {
        self.points.back().map(|p| p.t)
    }

    /// A double tap that has ended.
    pub(super) fn double(&self) -> Option<Double> {
        self.double
    }

    pub(super) fn forget_double(&mut self) {
        self.double = None;
    }

    pub(super) fn forget_knocks(&mut self) {
        (self.first, self.pair, self.double) = (None, None, None);
    }

    /// The largest distance from gravity in `[from, to]`; `None` where nothing was sampled.
    pub(super) fn peak(&self, from: SessionTime, to: SessionTime) -> Option<f64> {
        self.between(from, to).map(|p| p.d).max_by(f64::total_cmp)
    }

    /// Whether the sensor was at rest before an instant; not, if too little is known.
    pub(super) fn rests_before(&self, at: SessionTime) -> bool {
        let from = at.plus(-REST_S);
        let known = self.points.front().is_some_and(|p| p.t <= from);
        known && self.rms(from, at).is_some_and(|rms| rms < REST)
    }

    pub(super) fn sample(&mut self, t: SessionTime, acc: [f64; 3]) {
        if !acc.iter().all(|a| a.is_finite()) || self.newest().is_some_and(|last| t <= last) {
            return;
        }
        let dt = self.newest().map(|last| t.since(last));
        if dt.is_some_and(|dt| dt > HOLE_S) {
            // What happened in the hole is unknown: nothing before it counts as rest.
            *self = Self {
                double: self.double,
                ..Self::default()
            };
        }
        let gravity = self.gravity.get_or_insert(acc);
        let away: [f64; 3] = std::array::from_fn(|i| acc[i] - gravity[i]);
        let d = away.iter().map(|a| a * a).sum::<f64>().sqrt();
        let share = dt.map_or(0.0, |dt| (dt / GRAVITY_S).min(1.0)) * (GRAVITY_REACH / d.max(GRAVITY_REACH));
        for (g, a) in gravity.iter_mut().zip(away) {
            *g += share * a;
        }
        self.points.push_back(Point { t, d });
        while self.points.len() > SAMPLES_LIMIT || self.points.front().is_some_and(|p| t.since(p.t) > REMEMBERED_S) {
            self.points.pop_front();
        }
        self.follow(t, d);
        self.end_pair(t);
    }

    fn follow(&mut self, t: SessionTime, d: f64) {
        match &mut self.going {
            Going::Calm if d >= KNOCK => self.going = Going::Rising { since: t, strength: d },
            Going::Calm => {}
            Going::Rising { since, strength } => {
                *strength = strength.max(d);
                let (since, strength) = (*since, *strength);
                if t.since(since) >= KNOCK_S {
                    let tail = self.peak(since.plus(KNOCK_S * 2.0 / 3.0), t).unwrap_or(0.0);
                    if tail < (FALLEN * strength).max(KNOCK) {
                        self.going = Going::Calm;
                        self.knock(Knock { at: since, strength });
                    } else {
                        self.going = Going::Moving { last: t };
                        self.forget_pair();
                    }
                }
            }
            Going::Moving { last } => {
                if d >= KNOCK {
                    *last = t;
                } else if t.since(*last) > KNOCK_S {
                    self.going = Going::Calm;
                }
            }
        }
    }

    fn forget_pair(&mut self) {
        (self.first, self.pair) = (None, None);
    }

    fn knock(&mut self, knock: Knock) {
        if self.pair.take().is_some() {
            // A third one: this is no double tap but a row of knocks.
            self.first = None;
            return;
        }
        if let Some(first) = self.first.take() {
            let gap = knock.at.since(first.at);
            let calm = self
                .rms(first.at.plus(KNOCK_S), knock.at)
                .is_none_or(|rms| rms < NEAR_REST);
            if gap < BETWEEN_S.0 || gap <= BETWEEN_S.1 && !calm {
                return;
            }
            if gap <= BETWEEN_S.1 {
                self.pair = Some(Double {
                    first: first.at,
                    second: knock.at,
                    strengths: [first.strength, knock.strength],
                });
                return;
            }
        }
        if self.rests_before(knock.at) {
            self.first = Some(knock);
        }
    }

    fn end_pair(&mut self, t: SessionTime) {
        let Some(pair) = self.pair else { return };
        if t.since(pair.second) < END_S || matches!(self.going, Going::Rising { .. }) {
            return;
        }
        self.pair = None;
        let after = self.rms(pair.second.plus(KNOCK_S), t);
        if after.is_some_and(|rms| rms < NEAR_REST) {
            self.double = Some(pair);
        }
    }

    fn between(&self, from: SessionTime, to: SessionTime) -> impl Iterator<Item = &Point> {
        let begin = self.points.partition_point(|p| p.t < from);
        self.points.range(begin..).take_while(move |p| p.t <= to)
    }

    /// Root mean square of what is not gravity in `[from, to)`.
    fn rms(&self, from: SessionTime, to: SessionTime) -> Option<f64> {
        let (n, sum) = self
            .between(from, to)
            .filter(|p| p.t < to)
            .fold((0_u32, 0.0), |(n, sum), p| (n + 1, sum + p.d * p.d));
        (n > 0).then(|| (sum / f64::from(n)).sqrt())
    }
}
