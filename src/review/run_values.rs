//! What one run amounts to for flags and trends.
//!
//! A run value is the median over the run's level, steady windows (see [`super::windows`]), in the unit of the rule file.
//! Signs are those of the metrics with two exceptions, both because a rule reads *more* as a larger number: the braking
//! peak is told as a size, and the drop of the left stance is how far the *right* side of the pelvis falls.
//!
//! | raw value | from | sides |
//! |---|---|---|
//! | `cadence_spm` | cadence | all windows |
//! | `shank_contact_deg` | shank angle at contact, ankle ahead positive, against standing | mean of the sides measured |
//! | `foot_ahead_cm` | foot ahead of pelvis | mean of the sides |
//! | `brake_peak_ms2` | size of the braking peak | mean of the sides |
//! | `pelvis_tilt_deg` | pelvic tilt against standing, forward positive; mean over the stride, not over stance alone | all windows |
//! | `tilt_range_deg` | range of tilt | all windows |
//! | `drop_left_deg`, `drop_right_deg` | pelvic drop in left, right stance, against standing: swing side below level positive | one side |
//! | `contact_asym_pct` | 200 (L − R) / (L + R) of contact time, pair by pair of windows | both |
//! | `ml_ratio` | lateral share of pelvis acceleration | all windows |
//! | `sacral_peak_g` | largest in a stride, that is the larger of two steps | all windows |
//! | `tibial_peak_g` | tibial peak | mean of the sides measured |
//!
//! Values are computed from however many windows there are; whether the run may be compared is said beside them. They
//! are derived, so they are kept with the number of this computation ([`VERSION`]) and made anew under another one.

use super::pages::pages;
use super::shapes::{DataWord, RunValues};
use super::windows::{Collector, RunWindows, median, refused_words};
use crate::metrics::baseline::Baselines;
use crate::metrics::fatigue::{NoReport, fatigue};
use crate::metrics::{METRICS, MetricId as Id};
use crate::model::units::{DEG_PER_RAD, STANDARD_GRAVITY};
use crate::model::{Absent, Placement, Side};
use crate::store::{History, SessionEvent, SessionId, SessionRow, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Number of this computation. Raised with every change that gives other numbers.
pub const VERSION: u32 = 1;

/// Windows from which a run may be compared (`min_windows` of the rule file).
pub const FEWEST_WINDOWS: u32 = 10;
/// Windows from which its data are good, as flags grade them.
const GOOD_WINDOWS: u32 = 20;
/// Share of usable strides from which its data are good: our choice.
const GOOD_SHARE: f64 = 0.9;
/// First and last part of a run that trends can look at, s since the run began and before its end.
const FIRST_S: (f64, f64) = (300.0, 900.0);
const LAST_S: f64 = 600.0;
/// Standard error of a median of normal values over that of their mean.
const MEDIAN_ERROR: f64 = 1.253_314;

/// A metric of the registry over one run, in the unit in which it is kept. Kept as six numbers of single precision: a season
/// is hundreds of these, read in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub struct MetricOfRun {
    /// Median over all windows; of what belongs to one leg, the mean of the sides measured.
    pub both: f64,
    /// Median over the windows of the left.
    pub left: Option<f64>,
    /// Of the right.
    pub right: Option<f64>,
    /// Standard error of `both`, windows taken as independent.
    pub sigma: Option<f64>,
    /// `both` of minutes 5 to 15.
    pub first: Option<f64>,
    /// `both` of the last ten minutes, where these begin after minute 15.
    pub last: Option<f64>,
}

/// Median, left, right, standard error, first, last.
type Packed = (f32, [Option<f32>; 5]);

impl From<Packed> for MetricOfRun {
    fn from((both, rest): Packed) -> Self {
        let [left, right, sigma, first, last] = rest.map(|v| v.map(f64::from));
        Self {
            both: f64::from(both),
            left,
            right,
            sigma,
            first,
            last,
        }
    }
}

impl From<MetricOfRun> for Packed {
    fn from(m: MetricOfRun) -> Self {
        let rest = [m.left, m.right, m.sigma, m.first, m.last];
        (m.both as f32, rest.map(|v| v.map(|v| v as f32)))
    }
}

/// A change within the run, at equal speed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LateChange {
    /// Marker of the rule file.
    pub marker: String,
    /// Metric of the registry.
    pub metric: Id,
    /// Median of minutes 5 to 15, in the unit of the metric.
    pub early: f64,
    /// Change to the last fifth, in that unit.
    pub change: f64,
    /// The same in the unit of the marker.
    pub in_rule_unit: f64,
}

/// Everything that is kept of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The values that flags read.
    pub values: RunValues,
    /// Metrics of the registry by name, those that have a value.
    pub metrics: BTreeMap<String, MetricOfRun>,
    /// Changes within the run, those measured.
    pub late: Vec<LateChange>,
    /// Strides, and the share of class A and B.
    pub strides: u32,
    /// See `strides`.
    pub usable_share: Option<f64>,
    /// From the begin of running to the end, s; 0 where nobody ran.
    pub run_s: f64,
    /// Median speed of all running strides, hills and first minutes too, m/s: to say how fast it was, not to compare.
    pub speed_ms: Option<f64>,
    /// Median cadence of all running strides, steps a minute.
    pub cadence_spm: Option<f64>,
}

impl RunSummary {
    /// A run made without sensors, of which a watch tells how it began and how steep it was; `None` where it tells neither.
    #[must_use]
    pub fn told(first5_speed_ratio: Option<f64>, downhill_km: Option<f64>) -> Option<Self> {
        if first5_speed_ratio.is_none() && downhill_km.is_none() {
            return None;
        }
        let mut run = of_windows(&RunWindows::default(), &BTreeSet::new());
        run.values.first5_speed_ratio = first5_speed_ratio;
        run.values.downhill_km = downhill_km;
        Some(run)
    }
}

/// How a raw value is made of a metric.
struct Recipe {
    name: &'static str,
    metric: Id,
    factor: f64,
    sides: Sides,
    /// Sensors whose slipping spoils it: angles hang on how a sensor sits.
    hangs_on: &'static [Placement],
}

#[derive(Clone, Copy, PartialEq)]
enum Sides {
    All,
    Mean,
    Left,
    Right,
}

const SACRUM: &[Placement] = &[Placement::Sacrum];
const SHANKS: &[Placement] = &[Placement::LeftShank, Placement::RightShank];

const RECIPES: &[Recipe] = &[
    recipe("cadence_spm", Id::Cadence, 1.0, Sides::All, &[]),
    recipe("shank_contact_deg", Id::ShankAngleIc, DEG_PER_RAD, Sides::Mean, SHANKS),
    recipe("foot_ahead_cm", Id::OverstrideDistance, 100.0, Sides::Mean, &[]),
    recipe("brake_peak_ms2", Id::BrakingPeak, -1.0, Sides::Mean, &[]),
    recipe("pelvis_tilt_deg", Id::PelvisTilt, DEG_PER_RAD, Sides::All, SACRUM),
    recipe("tilt_range_deg", Id::PelvisTiltRange, DEG_PER_RAD, Sides::All, &[]),
    recipe("drop_left_deg", Id::PelvisDrop, DEG_PER_RAD, Sides::Left, SACRUM),
    recipe("drop_right_deg", Id::PelvisDrop, DEG_PER_RAD, Sides::Right, SACRUM),
    recipe("ml_ratio", Id::MlRmsRatio, 1.0, Sides::All, &[]),
    recipe(
        "sacral_peak_g",
        Id::SacralPeakAcc,
        1.0 / STANDARD_GRAVITY,
        Sides::All,
        &[],
    ),
    recipe(
        "tibial_peak_g",
        Id::TibialPeakAcc,
        1.0 / STANDARD_GRAVITY,
        Sides::Mean,
        &[],
    ),
];

const fn recipe(name: &'static str, metric: Id, factor: f64, sides: Sides, hangs_on: &'static [Placement]) -> Recipe {
    Recipe {
        name,
        metric,
        factor,
        sides,
        hangs_on,
    }
}

/// Name of the raw value of contact times left against right.
const CONTACT_ASYMMETRY: &str = "contact_asym_pct";

/// The metric behind a raw value, with the factor from its unit.
#[must_use]
pub fn metric_of_raw(raw: &str) -> Option<(Id, f64)> {
    if raw == CONTACT_ASYMMETRY {
        return Some((Id::ContactTime, 1.0));
    }
    RECIPES.iter().find(|r| r.name == raw).map(|r| (r.metric, r.factor))
}

/// What a session amounts to, from its strides in the current analysis.
///
/// # Errors
/// Those of the store.
pub fn summarise(history: &impl History, session: &SessionRow) -> Result<RunSummary, StoreError> {
    let windows = windows_of(history, &session.meta.id)?;
    let mut moved = BTreeSet::new();
    pages(
        &session.meta.id,
        |q| history.events(q),
        |e| {
            if let SessionEvent::SensorMoved { placement, .. } = e {
                moved.insert(*placement);
            }
        },
    )?;
    Ok(of_windows(&windows, &moved))
}

/// The windows of a session, from its strides in the current analysis.
///
/// # Errors
/// Those of the store.
pub fn windows_of(history: &impl History, session: &SessionId) -> Result<RunWindows, StoreError> {
    let mut collector = Collector::default();
    pages(session, |q| history.strides(q), |s| collector.push(s))?;
    Ok(collector.finish())
}

/// What the windows of a run amount to; `moved` are the sensors that turned in their strap during it.
#[must_use]
pub fn of_windows(run: &RunWindows, moved: &BTreeSet<Placement>) -> RunSummary {
    let level_windows = run.count();
    let speed_ms = median(&run.values(Id::Speed, None).collect::<Vec<_>>());
    let mut metrics = BTreeMap::new();
    let mut absent = BTreeMap::new();
    for r in RECIPES {
        match value(run, r, moved) {
            Ok(v) => drop(metrics.insert(r.name.to_owned(), v)),
            Err(why) => drop(absent.insert(r.name.to_owned(), why)),
        }
    }
    match contact_asymmetry(run) {
        Ok(v) => drop(metrics.insert(CONTACT_ASYMMETRY.to_owned(), v)),
        Err(why) => drop(absent.insert(CONTACT_ASYMMETRY.to_owned(), why)),
    }
    let (late, drift) = match late_changes(run) {
        Ok(late) => {
            let drift = late.iter().map(|l| (l.marker.clone(), l.in_rule_unit)).collect();
            (late, Some(drift))
        }
        Err(why) => {
            absent.insert("drift".to_owned(), why);
            (Vec::new(), None)
        }
    };
    if run.downhill_m.is_none() {
        absent.insert(
            "downhill_km".to_owned(),
            "grade is not known: it needs a foot sensor".to_owned(),
        );
    }
    let why_not = why_not(run, level_windows, speed_ms);
    let usable_share = (run.strides > 0).then(|| f64::from(run.usable) / f64::from(run.strides));
    let km = |m: f64| m / 1000.0;
    RunSummary {
        values: RunValues {
            speed_ms,
            level_windows,
            eligible: why_not.is_empty(),
            why_not,
            metrics,
            drift,
            first5_speed_ratio: run.first5_speed_ratio,
            distance_km: run.distance_m.map(km),
            downhill_km: run.downhill_m.map(km),
            minutes: (run.moving_s > 0.0).then(|| run.moving_s / 60.0),
            data: data(run.strides, level_windows, usable_share),
            absent,
        },
        metrics: METRICS
            .iter()
            .filter_map(|m| Some((m.name.to_owned(), metric_of_run(run, m.id)?)))
            .collect(),
        late,
        strides: run.strides,
        usable_share,
        run_s: run.run_s,
        speed_ms: run.speed_ms,
        cadence_spm: run.cadence_spm,
    }
}

fn data(strides: u32, windows: u32, usable: Option<f64>) -> DataWord {
    match windows {
        _ if strides == 0 => DataWord::None,
        n if n >= GOOD_WINDOWS && usable.is_some_and(|u| u >= GOOD_SHARE) => DataWord::Good,
        n if n >= FEWEST_WINDOWS => DataWord::Fair,
        _ => DataWord::Poor,
    }
}

fn why_not(run: &RunWindows, windows: u32, speed: Option<f64>) -> Vec<String> {
    let mut why = Vec::new();
    if windows < FEWEST_WINDOWS {
        why.push(format!(
            "{windows} level, steady windows of 25 strides after the first five minutes; {FEWEST_WINDOWS} needed"
        ));
        let mut refused = run.refused.clone();
        refused.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        if let Some((reason, n)) = refused.first() {
            why.push(format!("{n} more were {}", refused_words(*reason)));
        }
    } else if speed.is_none() {
        why.push("the speed is not known".to_owned());
    }
    why
}

/// Why a metric has no value in this run, in words.
fn absence(run: &RunWindows, metric: Id, side: Option<Side>) -> String {
    let of_side = run.windows.iter().filter(|w| side.is_none() || w.stats.side == side);
    let mut reasons: BTreeMap<Absent, u32> = BTreeMap::new();
    let mut seen = false;
    for w in of_side {
        seen = true;
        if let Err(reason) = w.stats.medians.get(metric) {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    match reasons.into_iter().max_by_key(|(_, n)| *n) {
        Some((reason, _)) => reason.reason().to_owned(),
        None if seen => "not measured".to_owned(),
        None if !run.windows.is_empty() => "no window of that side".to_owned(),
        None => "no level, steady window after the first five minutes".to_owned(),
    }
}

/// Median of the windows of one side, or of all, or the mean of the sides that have one.
fn combined(run: &RunWindows, metric: Id, sides: Sides, keep: impl Fn(f64) -> bool + Copy) -> Option<f64> {
    let of = |side: Option<Side>| {
        let values = run
            .windows
            .iter()
            .filter(|w| (side.is_none() || w.stats.side == side) && keep(w.t_s))
            .filter_map(|w| w.stats.medians.value(metric));
        median(&values.collect::<Vec<_>>())
    };
    match sides {
        Sides::All => of(None),
        Sides::Left => of(Some(Side::Left)),
        Sides::Right => of(Some(Side::Right)),
        Sides::Mean => {
            let known: Vec<f64> = [Side::Left, Side::Right]
                .into_iter()
                .filter_map(|s| of(Some(s)))
                .collect();
            match known.len() {
                0 => of(None),
                n => Some(known.iter().sum::<f64>() / n as f64),
            }
        }
    }
}

fn value(run: &RunWindows, r: &Recipe, moved: &BTreeSet<Placement>) -> Result<f64, String> {
    if let Some(p) = r.hangs_on.iter().find(|p| moved.contains(p)) {
        return Err(format!("the sensor {} turned in its strap during the run", p.name()));
    }
    let side = match r.sides {
        Sides::Left => Some(Side::Left),
        Sides::Right => Some(Side::Right),
        Sides::All | Sides::Mean => None,
    };
    combined(run, r.metric, r.sides, |_| true)
        .map(|v| v * r.factor)
        .ok_or_else(|| absence(run, r.metric, side))
}

fn contact_asymmetry(run: &RunWindows) -> Result<f64, String> {
    let indices = run.pairs().filter_map(|(l, r)| {
        let (l, r) = (l.medians.value(Id::ContactTime)?, r.medians.value(Id::ContactTime)?);
        (l + r > 0.0).then(|| 200.0 * (l - r) / (l + r))
    });
    median(&indices.collect::<Vec<_>>()).ok_or_else(|| {
        let one = [Side::Left, Side::Right]
            .into_iter()
            .find(|s| run.values(Id::ContactTime, Some(*s)).next().is_none());
        one.map_or_else(
            || "no window of both feet at the same time".to_owned(),
            |s| absence(run, Id::ContactTime, Some(s)),
        )
    })
}

fn metric_of_run(run: &RunWindows, metric: Id) -> Option<MetricOfRun> {
    let per_side = crate::metrics::symmetry::COMPARED.contains(&metric);
    let sides = if per_side { Sides::Mean } else { Sides::All };
    let both = combined(run, metric, sides, |_| true)?;
    let side = |s: Side| {
        per_side
            .then(|| median(&run.values(metric, Some(s)).collect::<Vec<_>>()))
            .flatten()
    };
    let values: Vec<f64> = run.values(metric, None).collect();
    let last_from = run.run_s - LAST_S;
    let whole = MetricOfRun {
        both,
        left: side(Side::Left),
        right: side(Side::Right),
        sigma: standard_error(&values),
        first: combined(run, metric, sides, |t| (FIRST_S.0..FIRST_S.1).contains(&t)),
        last: (last_from >= FIRST_S.1)
            .then(|| combined(run, metric, sides, |t| t >= last_from))
            .flatten(),
    };
    // As it will be read back.
    Some(MetricOfRun::from(Packed::from(whole)))
}

/// Of a median of windows; `None` below three.
fn standard_error(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 3 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some(MEDIAN_ERROR * (variance / n).sqrt())
}

/// The marker of the rule file that a metric belongs to, and whether it is told in percent.
fn marker_of(metric: Id) -> Option<(&'static str, bool)> {
    Some(match metric {
        Id::ContactTime => ("contact_time_pct", true),
        Id::Cadence => ("cadence_pct", true),
        Id::PelvisTilt => ("tilt_deg", false),
        Id::MlRmsRatio => ("ml_ratio_pct", true),
        Id::StepRegularityAp => ("ap_regularity_pct", true),
        Id::TibialPeakAcc => ("tibial_peak_pct", true),
        _ => return None,
    })
}

/// The last fifth against minutes 5 to 15, marker by marker, where both parts were run at the same speed.
fn late_changes(run: &RunWindows) -> Result<Vec<LateChange>, String> {
    // Without a usual over speed, only equal speeds compare: a value of one run alone must not hang on other runs.
    let report = fatigue(&run.course, &Baselines::default()).map_err(|why| match why {
        NoReport::TooShort => "the run is shorter than 40 minutes".to_owned(),
        NoReport::TooFewMarkers { measured } => format!(
            "{measured} of 3 markers have eight level, steady windows both in minutes 5 to 15 and in the last fifth, at the same speed"
        ),
    })?;
    let changes = report.markers.iter().filter_map(|m| {
        let (marker, percent) = marker_of(m.marker.metric)?;
        let in_rule_unit = if percent {
            100.0 * m.share()?
        } else {
            m.change * DEG_PER_RAD
        };
        Some(LateChange {
            marker: marker.to_owned(),
            metric: m.marker.metric,
            early: m.early,
            change: m.change,
            in_rule_unit,
        })
    });
    Ok(changes.collect())
}

#[cfg(test)]
mod tests {
    use super::super::windows::tests::{collect, run};
    use super::*;
    use crate::interchange::flag_rules;
    use crate::risk::rules::Source;

    fn close(got: Option<&f64>, want: f64) {
        let got = got.copied().expect("a value");
        assert!((got - want).abs() < 1e-9, "{got} for {want}");
    }

    fn of(minutes: f64, change: impl Fn(f64, &mut crate::metrics::StrideRecord)) -> RunSummary {
        of_windows(&collect(&run(minutes, 3.0, change)), &BTreeSet::new())
    }

    #[test]
    fn each_raw_value_has_the_unit_and_sign_of_the_rule_file() {
        let got = of(20.0, |_, _| ()).values;
        assert!(got.eligible && got.why_not.is_empty());
        assert_eq!(got.data, DataWord::Good);
        for (name, want) in [
            ("cadence_spm", 120.0 / 0.72),
            ("foot_ahead_cm", 30.0),
            ("brake_peak_ms2", 4.0),
            ("pelvis_tilt_deg", 5.0),
            ("tilt_range_deg", 6.0),
            ("drop_left_deg", 4.0),
            ("drop_right_deg", 5.0),
            ("contact_asym_pct", 200.0 * 0.01 / 0.49),
            ("ml_ratio", 0.3),
            ("sacral_peak_g", 3.5),
        ] {
            close(got.metrics.get(name), want);
        }
        close(got.speed_ms.as_ref(), 3.0);
        assert_eq!(
            got.absent.get("shank_contact_deg").map(String::as_str),
            Some(Absent::NoSensor.reason())
        );
        assert!(got.absent.contains_key("tibial_peak_g") && got.absent.contains_key("drift"));
    }

    #[test]
    fn the_names_are_those_of_the_rule_file_and_the_numbers_too() {
        let rules = flag_rules::built_in();
        let own = RECIPES.iter().map(|r| r.name).chain([CONTACT_ASYMMETRY]);
        let mut own: Vec<&str> = own.collect();
        own.sort_unstable();
        assert_eq!(own, rules.measured().collect::<Vec<_>>());
        assert!(
            own.iter()
                .all(|n| matches!(rules.raw(n).expect("raw").source, Source::Sensors(_)))
        );
        let r = &rules.reference;
        assert_eq!(
            (r.min_windows, r.window_strides as usize),
            (FEWEST_WINDOWS, crate::metrics::aggregate::BLOCK_STRIDES)
        );
        close(Some(&(r.skip_first_minutes * 60.0)), super::super::windows::SKIPPED_S);
        close(
            Some(&(r.max_abs_grade_pct / 100.0)),
            crate::metrics::aggregate::LEVEL_GRADE,
        );
        let markers: Vec<&str> = rules.markers.iter().map(|m| m.name.as_str()).collect();
        let made = crate::metrics::noticeable::NOTICEABLE
            .iter()
            .filter_map(|n| marker_of(n.metric));
        assert!(made.clone().count() == markers.len() && made.into_iter().all(|(m, _)| markers.contains(&m)));
    }

    #[test]
    fn a_short_run_says_what_it_lacks() {
        let got = of(7.0, |_, _| ()).values;
        assert!(!got.eligible && got.level_windows < FEWEST_WINDOWS && got.data == DataWord::Poor);
        assert!(got.why_not[0].contains("10 needed"), "{:?}", got.why_not);
        let none = of(2.0, |_, _| ()).values;
        assert!(none.metrics.is_empty());
        assert_eq!(
            none.absent["cadence_spm"],
            "no level, steady window after the first five minutes"
        );
        let hilly = of(20.0, |_, r| {
            if let Some(foot) = &mut r.stride.foot {
                foot.displacement.v.z = 0.04 * foot.displacement.v.x;
            }
        });
        assert!(
            hilly.values.why_not[1].contains("more than 2 %"),
            "{:?}",
            hilly.values.why_not
        );
    }

    #[test]
    fn without_standing_an_angle_is_absent_and_not_zero() {
        let got = of(20.0, |_, r| {
            r.metrics.set(Id::PelvisTilt, Err(Absent::NoStanding));
            r.metrics.set(Id::PelvisDrop, Err(Absent::NoStanding));
        });
        for name in ["pelvis_tilt_deg", "drop_left_deg", "drop_right_deg"] {
            assert_eq!(got.values.absent[name], Absent::NoStanding.reason());
        }
        assert!(got.values.metrics.contains_key("tilt_range_deg"));
    }

    #[test]
    fn a_sensor_that_turned_spoils_the_angles_that_hang_on_it() {
        let moved = BTreeSet::from([Placement::Sacrum]);
        let got = of_windows(&collect(&run(20.0, 3.0, |_, _| ())), &moved);
        assert!(got.values.absent["drop_left_deg"].contains("turned in its strap"));
        assert!(got.values.metrics.contains_key("cadence_spm") && got.values.metrics.contains_key("sacral_peak_g"));
    }

    #[test]
    fn a_late_change_is_told_in_the_unit_of_its_marker() {
        let late = |t: f64| t > 45.0 * 60.0 * 0.8;
        let got = of(45.0, |t, r| {
            // Windows need some spread, or nothing can be told from chance.
            let wobble = 1.0 + 0.002 * ((t / 18.0) as i64 % 3 - 1) as f64;
            if late(t) {
                r.metrics.set(Id::Cadence, Ok(0.97 * wobble * 120.0 / 0.72));
                r.metrics.set(Id::PelvisTilt, Ok(9.0 * wobble / DEG_PER_RAD));
            } else {
                r.metrics.set(Id::Cadence, Ok(wobble * 120.0 / 0.72));
            }
        });
        let drift = got.values.drift.expect("long enough");
        assert!((drift["cadence_pct"] + 3.0).abs() < 0.3, "{drift:?}");
        assert!((drift["tilt_deg"] - 4.0).abs() < 0.1, "{drift:?}");
        assert!(drift["contact_time_pct"].abs() < 0.1 && !drift.contains_key("tibial_peak_pct"));
        assert!(got.metrics["cadence"].last.expect("last") < got.metrics["cadence"].first.expect("first"));
    }

    #[test]
    fn another_speed_at_the_end_is_no_change_of_form() {
        let got = of(45.0, |t, r| {
            if t > 45.0 * 60.0 * 0.75 {
                r.metrics.set(Id::Speed, Ok(3.4));
            }
        });
        assert!(got.values.drift.is_none() && got.values.absent["drift"].contains("same speed"));
    }

    #[test]
    fn what_is_kept_reads_back_equal() {
        let got = of(20.0, |t, r| r.metrics.set(Id::Speed, Ok(3.0 + 0.01 * (t / 60.0).sin())));
        let text = serde_json::to_string(&got).expect("json");
        assert_eq!(serde_json::from_str::<RunSummary>(&text).expect("the same"), got);
    }
}
