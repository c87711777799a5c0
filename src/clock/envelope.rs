//! The line that lies below all points of a window and touches them: the clock without the radio.
//!
//! Delay only adds. Of pairs (device instant, how much later they arrived) the lowest ones tell the clock, and a mean tells
//! the radio. The lower convex hull of a window (Zhang, Liu, Xia 2002, INFOCOM) keeps them; a burst in which everything is
//! late leaves no trace in it. The published choice is the edge below the mean instant: least sum of distances with no point
//! below. That edge may be short, and its slope then poor (3.3 ms between two pods where 0.5 is possible \[S\]); here the rate
//! is taken from the hull's heights at its two quarters, and weighed against what crystals do before it is well known.
//!
//! Memory is bounded: in each second of the device one point is kept, the lowest. Nothing is allocated after `new`.

/// Length of a bucket, s. Within it 200 ppm are 0.2 ms, less than a radio's scatter.
const BUCKET_S: f64 = 1.0;
/// Buckets kept. Two minutes: crystals change by some 0.05 ppm/s when a runner steps outside, 0.1 ms over half of it \[D\].
const BUCKETS: usize = 120;
/// Rate error of a crystal before anything is known (standard deviation), and the largest believed.
const PRIOR_PPM: f64 = 30e-6;
/// See [`PRIOR_PPM`].
pub(super) const MAX_PPM: f64 = 200e-6;

/// One point: device instant, s, and delay against it, s.
type Point = (f64, f64);

/// A line `y = level + slope · (x − at)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) at: f64,
    pub(super) level: f64,
    pub(super) slope: f64,
}

impl Line {
    pub(super) fn y(&self, x: f64) -> f64 {
        self.level + self.slope * (x - self.at)
    }
}

/// The lowest points of the last two minutes and the line under them.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    points: Vec<Point>,
    hull: Vec<Point>,
    scratch: Vec<f64>,
    open: Option<Point>,
    bucket_end: f64,
    line: Option<Line>,
    scatter: Option<f64>,
    rate: Option<(f64, f64)>,
}

impl Envelope {
    pub(super) fn new() -> Self {
        Self {
            points: Vec::with_capacity(BUCKETS),
            hull: Vec::with_capacity(BUCKETS + 1),
            scratch: Vec::with_capacity(BUCKETS),
            open: None,
            bucket_end: f64::NEG_INFINITY,
            line: None,
            scatter: None,
            rate: None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.points.clear();
        self.open = None;
        self.bucket_end = f64::NEG_INFINITY;
        self.line = None;
        self.scatter = None;
        self.rate = None;
    }

    /// The line, from the first point on.
    pub(super) fn line(&self) -> Option<Line> {
        self.line
    }

    /// Median height of the lowest point of a second above the line, s: larger than the error of the line, which several
    /// of them share. `None` before four seconds.
    pub(super) fn scatter(&self) -> Option<f64> {
        self.scatter
    }

    /// Device time between the first and the last second kept, s.
    pub(super) fn span(&self) -> f64 {
        match (self.points.first(), self.points.last()) {
            (Some(a), Some(b)) => b.0 - a.0,
            _ => 0.0,
        }
    }

    /// Takes a point. Points older than the open second are late by nature and tell nothing.
    pub(super) fn note(&mut self, x: f64, y: f64) {
        if x >= self.bucket_end {
            self.close();
            self.bucket_end = x + BUCKET_S;
        } else if x < self.bucket_end - BUCKET_S {
            return;
        }
        if self.open.is_none_or(|(_, low)| y < low) {
            self.open = Some((x, y));
        }
        // A point below the line shows at once that the line was too high.
        match &mut self.line {
            None => {
                self.line = Some(Line {
                    at: x,
                    level: y,
                    slope: 0.0,
                });
            }
            Some(line) => {
                let below = y - line.y(x);
                if below < 0.0 {
                    line.level += below;
                }
            }
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        if self.points.len() == BUCKETS {
            self.points.remove(0);
        }
        self.points.push(open);
        self.fit();
    }

    fn fit(&mut self) {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return;
        };
        let (first, last) = (first.0, last.0);
        let (n, span) = (self.points.len() as f64, last - first);
        let at = 0.5 * (first + last);
        self.make_hull();
        let (a, b) = (first + 0.25 * span, last - 0.25 * span);
        let raw = (self.hull_at(b) - self.hull_at(a)) / (b - a).max(1e-3);
        // A hull of a quarter of n points that scatter by s above it errs by about 2 s/(n/4) at either end of the base.
        let scatter = self.scatter.unwrap_or(0.01).max(1e-5);
        let doubt = 8.0 * std::f64::consts::SQRT_2 * scatter / n / (0.5 * span).max(1e-3);
        self.rate = (n >= 4.0).then_some((raw, doubt));
        let slope = rate_of(self.rate, None);
        let level = self.support(slope, at).unwrap_or(0.0);
        let line = Line { at, level, slope };
        self.line = Some(line);
        if n >= 4.0 {
            self.scratch.clear();
            self.scratch.extend(self.points.iter().map(|(x, y)| y - line.y(*x)));
            self.scratch.sort_unstable_by(f64::total_cmp);
            self.scatter = Some(self.scratch[self.scratch.len() / 2]);
        }
    }

    /// Slope of the hull between its quarters, and its standard deviation, where known.
    pub(super) fn rate(&self) -> Option<(f64, f64)> {
        self.rate
    }

    /// Value at `at` of the highest line of this slope below all points, the open second included.
    pub(super) fn support(&self, slope: f64, at: f64) -> Option<f64> {
        let points = self.points.iter().chain(self.open.iter());
        points.map(|(x, y)| y - slope * (x - at)).reduce(f64::min)
    }

    /// Points are in order of x, so one pass of Andrew's chain makes the lower hull.
    fn make_hull(&mut self) {
        self.hull.clear();
        for &p in &self.points {
            while let [.., a, b] = self.hull.as_slice()
                && (b.0 - a.0) * (p.1 - a.1) <= (b.1 - a.1) * (p.0 - a.0)
            {
                self.hull.pop();
            }
            self.hull.push(p);
        }
    }

    fn hull_at(&self, x: f64) -> f64 {
        let k = self
            .hull
            .partition_point(|p| p.0 < x)
            .clamp(1, self.hull.len().max(2) - 1);
        match (self.hull.get(k - 1), self.hull.get(k)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0).max(1e-9),
            (Some(a), None) => a.1,
            _ => 0.0,
        }
    }
}

/// What two estimates and the habit of crystals say of a rate, each weighed by its variance.
pub(super) fn rate_of(one: Option<(f64, f64)>, other: Option<(f64, f64)>) -> f64 {
    let (mut sum, mut weight) = (0.0, (PRIOR_PPM * PRIOR_PPM).recip());
    for (rate, doubt) in [one, other].into_iter().flatten() {
        let w = (doubt * doubt).max(1e-18).recip();
        sum += w * rate;
        weight += w;
    }
    (sum / weight).clamp(-MAX_PPM, MAX_PPM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_ignores_everything_late_and_finds_slope_and_level() {
        let mut e = Envelope::new();
        for k in 0..1000_i32 {
            let x = 0.1 * f64::from(k);
            // Ten of a hundred are punctual; a stretch of eight seconds is late throughout.
            let late = if k % 10 == 3 {
                0.0
            } else {
                0.02 + 0.001 * f64::from(k % 7)
            };
            let stall = if (400..480).contains(&k) { 0.3 } else { 0.0 };
            e.note(x, 0.5 + 40e-6 * x + late + stall);
        }
        let line = e.line().expect("points");
        assert!((line.slope - 40e-6).abs() < 1e-6, "{line:?}");
        assert!((line.y(100.0) - 0.504).abs() < 1e-4, "{line:?}");
        assert!(e.points.len() <= BUCKETS);
    }

    #[test]
    fn no_kept_point_is_below_the_line() {
        let mut e = Envelope::new();
        for k in 0..3000_u64 {
            let noise = (k.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1u64 << 24) as f64;
            e.note(0.1 * k as f64, noise * 0.04);
            let line = e.line().expect("points");
            assert!(e.points.iter().all(|(x, y)| *y >= line.y(*x) - 1e-12));
        }
    }
}
