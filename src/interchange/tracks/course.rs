//! The figures of a track: distance, time, climb, downhill, warm-up speed. The same way for every format.
//!
//! - **Distance**: as the device counted it (sum of laps, or its running count); else over the ground between positions.
//! - **Moving**: as the device timed it; else intervals at `MOVING_M_S` or more. Pauses and gaps count for nothing.
//! - **Heights** are wanted along the way: they are taken every `STEP_M` and averaged over `SMOOTH_STEPS` steps either
//!   side, because a barometer drifts by tenths of metres and satellites by metres, which between two points of one second
//!   would be grades of a hundred per cent.
//! - **Downhill**: the way on which that height falls by more than `DOWNHILL_GRADE`. **Climb**: the device's, else the
//!   rises of that height that exceed `CLIMB_STEP_M`.
//! - **First five minutes**: their speed over that of all later moving time, where there are five more minutes.

use super::{Device, Point, Sport, Track, TrackError};

/// Slowest speed that counts as moving, m/s: half of slow walking, above the wander of positions at rest.
const MOVING_M_S: f64 = 0.5;
/// Fastest speed between two positions that can have been run, m/s: the peak of the fastest 100 m is 12.4.
const FASTEST_RUN_M_S: f64 = 12.5;
/// The same where it is no run: a fast descent on a bicycle.
const FASTEST_M_S: f64 = 40.0;
/// Mean moving speed above which an activity that does not say what it was is no run, m/s: a marathon has been run at 5.8.
const NO_RUN_M_S: f64 = 6.5;
/// Mean radius of the Earth, m: (2a + b)/3 of the WGS 84 ellipsoid (Moritz 1980, Geodetic Reference System).
const EARTH_M: f64 = 6_371_008.8;
/// Distance between two heights, m.
const STEP_M: f64 = 10.0;
/// Heights averaged on either side: a window of 110 m.
const SMOOTH_STEPS: usize = 5;
/// Longest way between two known heights, m; beyond it a new stretch begins.
const HEIGHT_GAP_M: f64 = 200.0;
/// Grade below which the way counts as downhill (the rule file's `downhill_km`).
const DOWNHILL_GRADE: f64 = -0.05;
/// Smallest rise that counts as climb, m.
const CLIMB_STEP_M: f64 = 2.0;
/// The beginning whose speed is compared with the rest, s.
const FIRST_S: f64 = 300.0;
/// Longest interval that a heart rate or cadence stands for, s.
const STANDS_FOR_S: f64 = 30.0;
/// Cadence above which a stored value cannot be strides of one leg a minute: 240 steps a minute. Programs that store
/// steps write 140 and more.
const MOST_STRIDES_A_MINUTE: f64 = 120.0;
/// Longest way and time of one activity, km and s; the journal's own limits.
const MOST_KM: f64 = 1000.0;
const MOST_S: f64 = 6000.0 * 60.0;

/// Where a distance is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistanceFrom {
    /// The device counted it.
    Device,
    /// It was measured between positions.
    Positions,
}

impl DistanceFrom {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Device => "as the device counted it",
            Self::Positions => "measured between positions",
        }
    }
}

/// The figures of one activity.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// What was done; an activity that does not say counts as a run unless it was too fast for one.
    pub sport: Sport,
    /// Start, UTC, microseconds since 1970.
    pub start_us: i64,
    /// How far local time was ahead of UTC, s, where the file says.
    pub utc_offset_s: Option<i32>,
    /// See [`Track::lope_session`].
    pub lope_session: Option<u32>,
    /// Distance, km.
    pub km: Option<f64>,
    /// Where it is known from.
    pub km_from: Option<DistanceFrom>,
    /// From start to end, s.
    pub elapsed_s: f64,
    /// Without pauses, s.
    pub moving_s: f64,
    /// Mean heart rate, beats a minute.
    pub heart_rate: Option<f64>,
    /// Mean cadence, steps a minute; of runs only.
    pub cadence: Option<f64>,
    /// Climb, m.
    pub ascent_m: Option<f64>,
    /// Way at a grade below −5 %, km.
    pub downhill_km: Option<f64>,
    /// Speed of the first five moving minutes over that of the rest.
    pub first5_speed_ratio: Option<f64>,
    /// Points used.
    pub points: usize,
    /// What could not be used, in words.
    pub remarks: Vec<String>,
}

/// One interval between two points.
#[derive(Clone, Copy)]
struct Step {
    seconds: f64,
    /// Way, m; `None` across a pause or without positions.
    metres: Option<f64>,
}

impl Step {
    fn moving(self) -> bool {
        self.metres.is_some_and(|m| m >= MOVING_M_S * self.seconds)
    }
}

/// Works out the figures of a track.
///
/// # Errors
/// [`TrackError::NoActivity`] without any duration, [`TrackError::Impossible`] beyond 1000 km or 100 hours.
pub fn summarise(track: &Track) -> Result<Course, TrackError> {
    let mut remarks = track.remarks.clone();
    let points = in_order(&track.points, &mut remarks);
    let fastest = if matches!(track.sport, Sport::Other(_)) {
        FASTEST_M_S
    } else {
        FASTEST_RUN_M_S
    };
    let mut jumps = 0;
    let steps: Vec<Step> = points
        .windows(2)
        .map(|w| step(&w[0], &w[1], fastest, &mut jumps))
        .collect();
    if jumps > 0 {
        remarks.push(format!("{jumps} jumps of the position were left out"));
    }
    let start_us = track.start_us.or(points.first().map(|p| p.at_us));
    let span_s = match (points.first(), points.last()) {
        (Some(a), Some(b)) => (b.at_us - a.at_us) as f64 * 1e-6,
        _ => 0.0,
    };
    let Device {
        distance_m,
        elapsed_s,
        timer_s,
        ..
    } = track.device;
    let positive = |v: Option<f64>| v.filter(|v| *v > 0.0);
    let elapsed_s = positive(elapsed_s).unwrap_or_else(|| span_s.max(timer_s.unwrap_or(0.0)));
    let moving_s = positive(timer_s).unwrap_or_else(|| moving(&steps));
    let (Some(start_us), true) = (start_us, elapsed_s > 0.0) else {
        return Err(TrackError::NoActivity(": it has no duration".to_owned()));
    };
    if elapsed_s.max(moving_s) > MOST_S {
        return Err(TrackError::Impossible(format!(
            "it lasts {:.0} hours; up to 100 are taken",
            elapsed_s.max(moving_s) / 3600.0
        )));
    }
    let counted = counted_distance(&points);
    let between: f64 = steps.iter().filter_map(|s| s.metres).sum();
    let (metres, km_from) = match positive(distance_m).or(positive(counted)) {
        Some(m) => (Some(m), Some(DistanceFrom::Device)),
        None => (
            positive(Some(between)),
            Some(DistanceFrom::Positions).filter(|_| between > 0.0),
        ),
    };
    if let Some(km) = metres.map(|m| m / 1000.0).filter(|km| *km > MOST_KM) {
        return Err(TrackError::Impossible(format!(
            "it goes {km:.0} km; up to {MOST_KM:.0} are taken"
        )));
    }
    let sport = match &track.sport {
        Sport::Unsaid if metres.is_some_and(|m| moving_s > 0.0 && m / moving_s > NO_RUN_M_S) => {
            remarks.push(format!(
                "faster than anybody runs ({:.0} km/h) and it does not say what it was: no run",
                3.6 * metres.unwrap_or(0.0) / moving_s
            ));
            Sport::Other("unsaid".to_owned())
        }
        said => said.clone(),
    };
    let stretches = if between <= MOST_KM * 1000.0 {
        heights(&points, &steps)
    } else {
        Vec::new()
    };
    Ok(Course {
        start_us,
        lope_session: track.lope_session,
        utc_offset_s: track.utc_offset_s.filter(|s| s.abs() <= 15 * 3600),
        km: metres.map(|m| m / 1000.0),
        km_from,
        elapsed_s,
        moving_s,
        heart_rate: track
            .device
            .heart_rate
            .or_else(|| mean_over_time(&points, |p| p.heart_rate)),
        cadence: match sport {
            Sport::Other(_) => None,
            _ => track
                .device
                .cadence
                .or_else(|| mean_over_time(&points, |p| p.cadence.filter(|c| *c > 0.0)))
                .map(steps_a_minute),
        },
        ascent_m: track.device.ascent_m.or_else(|| climb(&stretches)),
        downhill_km: downhill(&stretches),
        first5_speed_ratio: first_minutes(&steps),
        points: points.len(),
        sport,
        remarks,
    })
}

/// Steps a minute, of a stored cadence: strides of one leg where they can be that, else steps already.
fn steps_a_minute(stored: f64) -> f64 {
    if stored <= MOST_STRIDES_A_MINUTE {
        2.0 * stored
    } else {
        stored
    }
}

/// Points whose time goes on.
fn in_order(points: &[Point], remarks: &mut Vec<String>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::with_capacity(points.len());
    let mut back = 0;
    for point in points {
        match kept.last() {
            Some(last) if point.at_us <= last.at_us => back += 1,
            _ => kept.push(*point),
        }
    }
    if back > 0 {
        remarks.push(format!("{back} points whose time did not go on were left out"));
    }
    kept
}

fn step(a: &Point, b: &Point, fastest: f64, jumps: &mut usize) -> Step {
    let seconds = (b.at_us - a.at_us) as f64 * 1e-6;
    let metres = if b.fresh {
        None
    } else if let (Some(from), Some(to)) = (a.distance_m, b.distance_m) {
        Some(to - from).filter(|m| *m >= 0.0)
    } else if let (Some(from), Some(to)) = (a.position, b.position) {
        let metres = great_circle_m(from, to);
        let plausible = metres <= fastest * seconds;
        *jumps += usize::from(!plausible);
        Some(metres).filter(|_| plausible)
    } else {
        None
    };
    Step {
        // A pause takes no moving time.
        seconds: if b.fresh { 0.0 } else { seconds },
        metres,
    }
}

/// Distance over ground between two positions in degrees, m: the haversine formula (Sinnott 1984) on a sphere, within
/// 0.6 % of the ellipsoid.
fn great_circle_m(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let (d_lat, d_lon) = (lat_b - lat_a, (b.1 - a.1).to_radians());
    let h = (d_lat / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (d_lon / 2.0).sin().powi(2);
    2.0 * EARTH_M * h.sqrt().min(1.0).asin()
}

/// How far the device's running count went, m. A count that starts anew after a restart adds to what was there; a first
/// value that is no beginning (an activity behind another one) is what it counts from.
fn counted_distance(points: &[Point]) -> Option<f64> {
    let mut counts = points.iter().filter_map(|p| p.distance_m);
    let first = counts.next()?;
    let (total, _) = counts.fold((0.0, first), |(total, last), now| (total + (now - last).max(0.0), now));
    Some(total + if first <= 100.0 { first } else { 0.0 })
}

/// Moving time, s; all of the time where nothing is known of the way.
fn moving(steps: &[Step]) -> f64 {
    if steps.iter().all(|s| s.metres.is_none()) {
        return steps.iter().map(|s| s.seconds).sum();
    }
    steps.iter().filter(|s| s.moving()).map(|s| s.seconds).sum()
}

/// Mean of a value over the time it stands for.
fn mean_over_time(points: &[Point], value: impl Fn(&Point) -> Option<f64>) -> Option<f64> {
    let (mut seconds, mut sum) = (0.0, 0.0);
    for (i, point) in points.iter().enumerate() {
        let Some(v) = value(point) else { continue };
        let next = points.get(i + 1);
        let dt = next.map_or(1.0, |n| ((n.at_us - point.at_us) as f64 * 1e-6).min(STANDS_FOR_S));
        seconds += dt;
        sum += v * dt;
    }
    (seconds > 0.0).then(|| sum / seconds)
}

/// Smoothed heights every [`STEP_M`] of the way, by stretch.
fn heights(points: &[Point], steps: &[Step]) -> Vec<Vec<f64>> {
    let mut stretches: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    let mut way = 0.0;
    for (i, point) in points.iter().enumerate() {
        match i.checked_sub(1).and_then(|i| steps.get(i)).map(|s| s.metres) {
            Some(Some(metres)) => way += metres,
            Some(None) => stretches.push(Vec::new()),
            None => {}
        }
        let Some(height) = point.elevation_m else { continue };
        let far = stretches
            .last()
            .and_then(|s| s.last())
            .is_some_and(|(at, _)| way - at > HEIGHT_GAP_M);
        if far {
            stretches.push(Vec::new());
        }
        if let Some(stretch) = stretches.last_mut() {
            stretch.push((way, height));
        }
    }
    stretches
        .iter()
        .map(|known| smoothed(&every_step(known)))
        .filter(|s| s.len() > 1)
        .collect()
}

/// Heights at whole steps of the way, between the known ones by straight lines.
fn every_step(known: &[(f64, f64)]) -> Vec<f64> {
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return Vec::new();
    };
    let count = ((last.0 - first.0) / STEP_M).floor() as usize + 1;
    let mut at = 0;
    (0..count)
        .filter_map(|k| {
            let way = first.0 + k as f64 * STEP_M;
            while at + 2 < known.len() && known[at + 1].0 < way {
                at += 1;
            }
            let (a, b) = (known.get(at)?, known.get(at + 1)?);
            let share = if b.0 > a.0 {
                ((way - a.0) / (b.0 - a.0)).clamp(0.0, 1.0)
            } else {
                0.0
            };
            Some(a.1 + (b.1 - a.1) * share)
        })
        .collect()
}

/// Running mean whose window narrows at the ends, so that a straight slope stays what it is.
fn smoothed(raw: &[f64]) -> Vec<f64> {
    (0..raw.len())
        .map(|i| {
            let reach = SMOOTH_STEPS.min(i).min(raw.len() - 1 - i);
            let window = &raw[i - reach..=i + reach];
            window.iter().sum::<f64>() / window.len() as f64
        })
        .collect()
}

fn downhill(stretches: &[Vec<f64>]) -> Option<f64> {
    if stretches.is_empty() {
        return None;
    }
    let steep = |w: &&[f64]| (w[1] - w[0]) / STEP_M < DOWNHILL_GRADE;
    let count: usize = stretches.iter().map(|s| s.windows(2).filter(steep).count()).sum();
    Some(count as f64 * STEP_M / 1000.0)
}

fn climb(stretches: &[Vec<f64>]) -> Option<f64> {
    if stretches.is_empty() {
        return None;
    }
    let of_stretch = |heights: &Vec<f64>| {
        let mut total = 0.0;
        let mut low = heights[0];
        let mut high = heights[0];
        for height in heights {
            if *height > high {
                high = *height;
            } else if high - *height > CLIMB_STEP_M {
                total += if high - low > CLIMB_STEP_M { high - low } else { 0.0 };
                (low, high) = (*height, *height);
            }
            if *height < low {
                (low, high) = (*height, *height);
            }
        }
        total + if high - low > CLIMB_STEP_M { high - low } else { 0.0 }
    };
    Some(stretches.iter().map(of_stretch).sum())
}

fn first_minutes(steps: &[Step]) -> Option<f64> {
    let (mut first_m, mut rest_m, mut rest_s) = (0.0, 0.0, 0.0);
    let mut gone_s = 0.0;
    for step in steps.iter().filter(|s| s.moving() && s.seconds > 0.0) {
        let metres = step.metres?;
        // The step across the border belongs to both sides by its share of time.
        let before = ((FIRST_S - gone_s) / step.seconds).clamp(0.0, 1.0);
        first_m += before * metres;
        rest_m += (1.0 - before) * metres;
        rest_s += (1.0 - before) * step.seconds;
        gone_s += step.seconds;
    }
    let ratio = (first_m / FIRST_S) / (rest_m / rest_s);
    (rest_s >= FIRST_S && rest_m > 0.0 && ratio <= 10.0).then_some(ratio)
}
