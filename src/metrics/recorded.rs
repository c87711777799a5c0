//! Test bench: chains and metrics of pelvis and shanks on recorded motion, against what optical markers and force
//! plates say.
//!
//! Contacts, mid-stances and stride lengths are taken from the truth (put on the clock of the foot sensor that would have
//! seen them), so that only what is under test can err. Everything else runs as in the product: samples in time order,
//! strides told half a second after they ended, unknown mountings.

use super::context::{MetricSet, StandingReference, StrideContext, Synchronised};
use crate::model::units::STANDARD_GRAVITY;
use crate::model::{
    Absent, Activity, Athlete, ClipFlags, Contact, Foot, FootMotion, ImuSample, Placement, QualityParts, Rotation,
    SegmentKind, Sensor, SessionTime, Side, Span, Stride, StrideFlags, Vec3,
};
use crate::orientation::segment::{SensorPast, segment_from_axes};
use crate::orientation::{MountingEvent, SacrumChain, ShankChain, StandingSource, TrackSample};
use nalgebra::{Matrix3, UnitQuaternion, Vector3};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");

/// The folder of a shared recording; `None` (said aloud) where recordings are not at hand.
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
pub(super) fn recording(name: &str) -> Option<PathBuf> {
    let folder = Path::new(SHARED).join(name);
    if folder.join("recording.toml").exists() {
        return Some(folder);
    }
    assert!(
        std::env::var("LOPE_REQUIRE_ALL").as_deref() != Ok("1"),
        "recording {name} is required"
    );
    eprintln!("skipped: no recording {name}");
    None
}

/// Rows of a comma-separated table by column name; empty cells are missing.
pub(super) fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).expect("table");
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().expect("head").split(',').collect();
    lines
        .map(|line| {
            head.iter()
                .zip(line.split(','))
                .map(|(k, v)| ((*k).to_owned(), v.to_owned()))
                .collect()
        })
        .collect()
}

pub(super) fn number(row: &BTreeMap<String, String>, key: &str) -> f64 {
    row.get(key)
        .and_then(|v| v.parse().ok())
        .unwrap_or_else(|| panic!("no number {key}"))
}

/// Key-value lines of the plain TOML of the recordings, with the number of the `[[block]]` they stand in (0 = head).
fn values(path: &Path) -> Vec<(usize, String, String)> {
    let mut block = 0;
    let mut out = Vec::new();
    for line in std::fs::read_to_string(path).expect("toml").lines() {
        if line.starts_with("[[") {
            block += 1;
        } else if let Some((k, v)) = line.split_once('=') {
            out.push((block, k.trim().to_owned(), v.trim().trim_matches('"').to_owned()));
        }
    }
    out
}

/// The clock of one pod: its time is `offset + (1 + drift)·recording time`.
#[derive(Clone, Copy, Default)]
struct PodClock {
    offset: f64,
    drift: f64,
}

impl PodClock {
    fn of(folder: &Path, placement: &str) -> Self {
        let all = values(&folder.join("truth/summary.toml"));
        let Some(block) = all
            .iter()
            .find(|(b, k, v)| *b > 0 && k == "placement" && v == placement)
            .map(|x| x.0)
        else {
            return Self::default();
        };
        let get = |key: &str| {
            all.iter()
                .find(|(b, k, _)| *b == block && k == key)
                .map_or(0.0, |x| x.2.parse().expect("number"))
        };
        Self {
            offset: get("clock_offset_s"),
            drift: get("clock_drift_ppm") * 1e-6,
        }
    }

    fn read(self, t: f64) -> SessionTime {
        SessionTime::from_secs(self.offset + (1.0 + self.drift) * t)
    }
}

pub(super) fn samples(folder: &Path, placement: Placement, mount: UnitQuaternion<f64>) -> Vec<ImuSample> {
    let text = std::fs::read_to_string(folder.join(placement.name()).with_extension("csv")).expect("samples");
    let rail = 0.995 * 16.0 * STANDARD_GRAVITY;
    text.lines()
        .skip(1)
        .map(|line| {
            let v: Vec<f64> = line.split(',').map(|c| c.parse().expect("number")).collect();
            let clipped = [1, 2, 3].map(|i| v[i].abs() >= rail);
            ImuSample {
                t: SessionTime::from_secs(v[0]),
                acc: Vec3::from_raw(mount * Vector3::new(v[1], v[2], v[3])),
                gyro: Vec3::from_raw(mount * Vector3::new(v[4], v[5], v[6])),
                clip: ClipFlags::from_axes(clipped, [false; 3]),
                filled: false,
            }
        })
        .collect()
}

/// A stand-in for the aligned foot: standing up, swing axis over the whole recording, sign as the pods were nominally
/// put on.
struct FootStandIn {
    past: SensorPast,
    rotation: Rotation<Foot, Sensor>,
}

impl FootStandIn {
    fn new(rate: f64, all: &[ImuSample], quiet_to: f64) -> Self {
        let mut power = Matrix3::zeros();
        let mut up = Vector3::zeros();
        for s in all {
            if s.gyro.norm() > 2.0 {
                power += s.gyro.v * s.gyro.v.transpose();
            }
            if s.t.secs() < quiet_to {
                up += s.acc.v;
            }
        }
        let e = power.symmetric_eigen();
        let axis = e.eigenvectors.column(e.eigenvalues.imax()).into_owned();
        let left = axis * axis.y.signum();
        let rotation = segment_from_axes(Vec3::from_raw(up), Vec3::from_raw(left)).expect("axes");
        Self {
            past: SensorPast::new(rate),
            rotation,
        }
    }

    fn slice(&self, from: SessionTime, to: SessionTime) -> Option<Vec<TrackSample<Foot>>> {
        let mut out = Vec::new();
        self.past.turned_into(from, to, self.rotation, &mut out).ok()?;
        Some(out)
    }
}

/// Direction of travel between two mid-stances: strapdown with the drift of velocity taken out evenly.
fn heading(foot: &[TrackSample<Foot>]) -> f64 {
    let level = |s: &TrackSample<Foot>| (s.level_from * s.acc).v - Vector3::new(0.0, 0.0, STANDARD_GRAVITY);
    let mut velocity = vec![Vector3::zeros()];
    for w in foot.windows(2) {
        let dt = w[1].t.since(w[0].t);
        let v = velocity[velocity.len() - 1] + (level(&w[0]) + level(&w[1])) * (0.5 * dt);
        velocity.push(v);
    }
    let last = velocity[velocity.len() - 1];
    let n = velocity.len() as f64;
    let sum = velocity
        .iter()
        .enumerate()
        .fold(Vector3::zeros(), |s, (i, v)| s + v - last * (i as f64 / n));
    sum.y.atan2(sum.x)
}

/// What is known of one stride from outside.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    pub(super) side: Side,
    /// Contact, mid-stance, toe-off, next contact, next mid-stance on the recording's clock, s.
    pub(super) events: [f64; 5],
    pub(super) length: f64,
    pub(super) tilt_against_standing: Option<f64>,
    pub(super) ranges: Option<[f64; 3]>,
    /// Largest drop of the swing side in the contact against standing, and against the instant of contact, degrees.
    pub(super) drops: Option<[f64; 2]>,
    pub(super) overstride: Option<f64>,
    pub(super) shank_against_standing: Option<f64>,
}

/// One stride as told and as measured.
pub(super) struct Row {
    pub(super) truth: Truth,
    pub(super) measured: MetricSet,
    pub(super) tier: Option<super::overstride::OverstrideTier>,
    /// The pelvis sensor was found to have moved right after this stride.
    pub(super) moved: bool,
}

/// Which sensors are worn, besides the feet.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Worn {
    All,
    NoShanks,
    NoSacrum,
}

pub(super) fn side_of(name: &str) -> Side {
    if name == "left" { Side::Left } else { Side::Right }
}

/// All strides of a recording whose truth is complete.
pub(super) fn truths(folder: &Path) -> (Vec<Truth>, BTreeMap<String, f64>) {
    let summary: BTreeMap<String, f64> = values(&folder.join("truth/summary.toml"))
        .into_iter()
        .filter(|v| v.0 == 0)
        .filter_map(|(_, k, v)| v.parse().ok().map(|v| (k, v)))
        .collect();
    let contacts = table(&folder.join("truth/contacts.csv"));
    let strides = table(&folder.join("truth/strides.csv"));
    let pelvis = table(&folder.join("truth/pelvis.csv"));
    let pelvis: Vec<[f64; 4]> = pelvis
        .iter()
        .map(|r| ["time_s", "tilt_deg", "obliquity_deg", "rotation_deg"].map(|k| number(r, k)))
        .collect();
    let over = table(&folder.join("truth/overstride.csv"));
    let mut out = Vec::new();
    for side in ["left", "right"] {
        let own: Vec<_> = contacts.iter().filter(|r| r["side"] == side).collect();
        for pair in own.windows(2) {
            let (ic, tc, next) = (
                number(pair[0], "ic_s"),
                number(pair[0], "tc_s"),
                number(pair[1], "ic_s"),
            );
            let Some(stride) = strides
                .iter()
                .find(|r| r["side"] == side && (ic..tc).contains(&number(r, "start_s")))
                .filter(|r| number(r, "end_s") > next)
            else {
                continue;
            };
            let (start, end) = (number(stride, "start_s"), number(stride, "end_s"));
            let cut: Vec<_> = pelvis.iter().filter(|p| (start..=end).contains(&p[0])).collect();
            let range = |k: usize| {
                let (low, high) = cut
                    .iter()
                    .fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p[k]), h.max(p[k])));
                high - low
            };
            let o = over
                .iter()
                .find(|r| r["side"] == side && (number(r, "ic_s") - ic).abs() < 0.002);
            // The truth counts the right side up as positive: on the left, the swing side drops when it falls.
            let sign = -side_of(side).sign();
            let stance: Vec<f64> = pelvis
                .iter()
                .filter(|p| (ic..tc).contains(&p[0]))
                .map(|p| sign * p[2])
                .collect();
            let lowest = stance.iter().copied().fold(f64::MIN, f64::max);
            let drops = stance
                .first()
                .filter(|_| stance.len() > 10)
                .map(|first| [lowest - sign * summary["pelvis_standing_obliquity_deg"], lowest - first]);
            let mean = cut.iter().map(|p| p[1]).sum::<f64>() / cut.len() as f64;
            out.push(Truth {
                side: side_of(side),
                events: [ic, start, tc, next, end],
                length: number(stride, "length_m"),
                tilt_against_standing: (cut.len() > 10).then(|| mean - summary["pelvis_standing_tilt_deg"]),
                ranges: (cut.len() > 10).then(|| [range(1), range(2), range(3)]),
                drops,
                overstride: o.map(|r| number(r, "foot_ahead_of_pelvis_m")),
                shank_against_standing: o
                    .map(|r| number(r, "shank_angle_deg") - summary[&format!("standing_shank_angle_{side}_deg")]),
            });
        }
    }
    out.sort_by(|a, b| a.events[4].total_cmp(&b.events[4]));
    (out, summary)
}

/// How a recording is run.
pub(super) struct Setup {
    /// Turns the sacrum and shank sensors additionally.
    pub(super) mount: UnitQuaternion<f64>,
    pub(super) worn: Worn,
    /// Whether the standing at the start is told.
    pub(super) standing: bool,
    /// The sacrum sensor turns in its strap at this time, s.
    pub(super) slip: Option<(f64, UnitQuaternion<f64>)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            mount: UnitQuaternion::identity(),
            worn: Worn::All,
            standing: true,
            slip: None,
        }
    }
}

pub(super) fn run(folder: &Path, mount: UnitQuaternion<f64>, worn: Worn) -> Vec<Row> {
    run_with(
        folder,
        &Setup {
            mount,
            worn,
            ..Setup::default()
        },
    )
}

/// Runs the chains over a recording.
pub(super) fn run_with(folder: &Path, setup: &Setup) -> Vec<Row> {
    let (mount, worn) = (setup.mount, setup.worn);
    const RATE: f64 = 200.0;
    const TOLD_AFTER_S: f64 = 0.5;
    let info = values(&folder.join("recording.toml"));
    let fact = |key: &str| info.iter().find(|v| v.1 == key).and_then(|v| v.2.parse().ok());
    let athlete = Athlete {
        height_m: fact("height_m"),
        mass_kg: fact("mass_kg"),
        leg_length_m: fact("leg_length_m"),
    };
    let quiet_to: f64 = fact("quiet_to_s").expect("quiet standing");
    let (truths, _) = truths(folder);

    let sides = [Side::Left, Side::Right];
    let foot_samples = sides.map(|s| samples(folder, Placement::foot(s), UnitQuaternion::identity()));
    let mut feet = [0, 1].map(|i| FootStandIn::new(RATE, &foot_samples[i], quiet_to));
    let shank_samples = sides.map(|s| samples(folder, Placement::shank(s), mount));
    let mut shanks = sides.map(|_| ShankChain::new(RATE));
    let mut sacrum_samples = samples(folder, Placement::Sacrum, mount);
    if let Some((at, turn)) = setup.slip {
        for s in sacrum_samples.iter_mut().filter(|s| s.t.secs() >= at) {
            s.acc = Vec3::from_raw(turn * s.acc.v);
            s.gyro = Vec3::from_raw(turn * s.gyro.v);
        }
    }
    let mut sacrum = SacrumChain::new(RATE);
    let clocks = sides.map(|s| PodClock::of(folder, Placement::foot(s).name()));
    let quiet = Span::new(SessionTime::ZERO, SessionTime::from_secs(quiet_to)).expect("forward");
    if setup.standing {
        sacrum.note_standing(quiet, StandingSource::Asked);
        for chain in &mut shanks {
            chain.note_standing(quiet, StandingSource::Asked);
        }
    }

    let mut rows: Vec<Row> = Vec::new();
    let mut waiting: Vec<Truth> = Vec::new();
    let mut told = truths.into_iter().peekable();
    for (i, newest) in sacrum_samples.iter().enumerate() {
        sacrum.push(newest);
        for s in 0..2 {
            if let (Some(a), Some(b)) = (foot_samples[s].get(i), shank_samples[s].get(i)) {
                feet[s].past.push(a);
                shanks[s].push(b);
            }
        }
        let now = newest.t.secs();
        while told.peek().is_some_and(|t| t.events[4] + TOLD_AFTER_S < now) {
            let truth = told.next().expect("peeked");
            let s = truth.side as usize;
            let [ic, m, _, next, end] = truth.events.map(|t| clocks[s].read(t));
            let speed = truth.length / end.since(m);
            sacrum.note_speed(ic, next, speed);
            shanks[s].note_speed(ic, next, speed);
            let moved = sacrum.note_stride(ic, next, Some(truth.side)) == Some(MountingEvent::Moved);
            let foot = feet[s].slice(ic, next);
            let _ = shanks[s].note_stride(ic, next, foot.as_deref());
            if moved && let Some(last) = rows.last_mut() {
                last.moved = true;
            }
            waiting.push(truth);
            waiting.retain(|t| {
                let measured = measure(t, &clocks, &feet, &mut shanks, &mut sacrum, &athlete, worn);
                let kept = measured.is_none();
                rows.extend(measured);
                kept
            });
        }
    }
    rows
}

fn measure(
    truth: &Truth,
    clocks: &[PodClock; 2],
    feet: &[FootStandIn; 2],
    shanks: &mut [ShankChain; 2],
    sacrum: &mut SacrumChain,
    athlete: &Athlete,
    worn: Worn,
) -> Option<Row> {
    let s = truth.side as usize;
    let [ic, m, tc, next, end] = truth.events.map(|t| clocks[s].read(t));
    let (from, to) = (ic.plus(-StrideContext::MARGIN_S), end.plus(StrideContext::MARGIN_S));
    let standing = StandingReference {
        pelvis_tilt: sacrum.standing().map(|p| p.tilt),
        pelvis_obliquity: sacrum.standing().map(|p| p.obliquity),
        shank_angle: shanks[s].standing(),
    };
    let shank = shanks[s].slice(from, to);
    let pelvis = sacrum.slice(from, to);
    if shank.as_ref().err() == Some(&Absent::NotAligned) || pelvis.as_ref().err() == Some(&Absent::NotAligned) {
        return None;
    }
    let foot = feet[s].slice(from, to)?;
    let travelled = feet[s].slice(m, end)?;
    let stride = Stride {
        side: Some(truth.side),
        seen_from: SegmentKind::Foot,
        start: m,
        end,
        contact: Some(Contact { ic, m, tc }),
        next_ic: Some(next),
        foot: Some(FootMotion {
            displacement: Vec3::new(truth.length, 0.0, 0.0),
            length_sigma_m: 0.01,
            pitch_ic_rad: None,
            touchdown_speed: None,
            inversion_range_rad: None,
            toe_out_rad: None,
            heading_rad: heading(&travelled),
            acc_clipped_share: 0.0,
            gyro_clipped_share: 0.0,
            impact_peak: None,
            linear_difference: 0.0,
            free_slope: 0.0,
            chi2: 1.0,
        }),
        activity: Activity::Running,
        flags: StrideFlags::default(),
        quality: QualityParts::FULL,
    };
    let ctx = StrideContext {
        stride: &stride,
        foot: Some(&foot),
        shank: if worn == Worn::NoShanks {
            Err(Absent::NoSensor)
        } else {
            shank
        },
        sacrum: if worn == Worn::NoSacrum {
            Err(Absent::NoSensor)
        } else {
            pelvis
        },
        opposite_before: None,
        opposite_inside: None,
        synchronised: Synchronised::Yes,
        standing,
        athlete,
    };
    let mut measured = MetricSet::default();
    let cycle = super::pelvis_cycle::PelvisCycle::of(&ctx);
    super::pelvis::compute(&ctx, &cycle, &mut measured);
    super::shank::compute(&ctx, &mut measured);
    super::braking::compute(&ctx, &cycle, &mut measured);
    super::overstride::compute(&ctx, &cycle, &mut measured);
    Some(Row {
        truth: truth.clone(),
        measured,
        tier: super::overstride::overstride(&ctx, &cycle).ok().map(|o| o.1),
        moved: false,
    })
}

/// A rotation from a seed, evenly spread over all mountings.
pub(super) fn mounting(seed: u64) -> UnitQuaternion<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let (u, v, w) = (next(), next() * std::f64::consts::TAU, next() * std::f64::consts::TAU);
    let (a, b) = ((1.0 - u).sqrt(), u.sqrt());
    UnitQuaternion::new_normalize(nalgebra::Quaternion::new(
        a * v.sin(),
        a * v.cos(),
        b * w.sin(),
        b * w.cos(),
    ))
}

/// Mean, mean of magnitudes, root mean square and standard deviation of errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errors {
    pub(super) n: usize,
    pub(super) mean: f64,
    pub(super) mae: f64,
    pub(super) rmse: f64,
}

impl Errors {
    pub(super) fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let v: Vec<f64> = values.flatten().collect();
        let n = v.len() as f64;
        Self {
            n: v.len(),
            mean: v.iter().sum::<f64>() / n,
            mae: v.iter().map(|x| x.abs()).sum::<f64>() / n,
            rmse: (v.iter().map(|x| x * x).sum::<f64>() / n).sqrt(),
        }
    }
}
