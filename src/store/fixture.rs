//! Sessions and strides for the tests of this module: sound, varied, and always the same for the same number.

use super::batch::to_micros;
use super::event::SessionEvent;
use super::ids::{AthleteId, SessionId, UtcMicros};
use super::session::{Closing, Origin, SensorOutcome, SessionMeta, WallClock};
use super::{Opened, Store};
use crate::metrics::{METRICS, MetricSet, StrideRecord};
use crate::model::{
    Absent, Activity, Athlete, Contact, DataClass, FootMotion, GapCause, Placement, QualityParts, SegmentKind,
    SensorConfig, SessionTime, Side, Stride, StrideFlags, Vec3,
};
use crate::pipeline::output::Confidence;
use crate::pipeline::{Block, Window};

/// Numbers that look random and are a function of a seed (splitmix64; Steele, Lea and Flood 2014).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn coin(&mut self) -> bool {
        self.roll() & 1 == 1
    }
}

pub(crate) fn session(id: &str) -> SessionId {
    SessionId::parse(id).expect("a sound id")
}

/// A session of anna on a morning, with five sensors given in no order.
pub(crate) fn meta(id: &str) -> SessionMeta {
    let sensor = |placement: Placement| SensorConfig {
        placement,
        rate_hz: 200.0,
        acc_range: placement.side().map(|_| 156.9),
        gyro_range: None,
        side_known: placement != Placement::Sacrum,
    };
    SessionMeta {
        id: session(id),
        athlete: AthleteId::parse("anna").expect("a sound id"),
        start: UtcMicros::from_micros(1_772_346_600_000_000),
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Import {
            sha256: "ab".repeat(32),
        },
        tz: Some("Europe/Berlin".to_owned()),
        note: Some("=first; \"run\", ü".to_owned()),
        facts: Athlete {
            height_m: Some(1.71),
            mass_kg: None,
            leg_length_m: Some(0.89),
        },
        sensors: Placement::ALL.into_iter().rev().map(sensor).collect(),
    }
}

/// Opens the session `meta(id)`, which must be new.
pub(crate) fn open(store: &impl Store, id: &str) {
    assert_eq!(store.open_session(&meta(id)), Ok(Opened::New));
}

/// An end after two minutes.
pub(crate) fn closing(analysis: u32) -> Closing {
    let outcome = |placement| SensorOutcome {
        placement,
        calibration: (placement != Placement::Sacrum).then(
            || serde_json::json!({ "sensor_to_segment": [1.0, 0.1, 0.2, 0.30000000000000004], "from": "standing" }),
        ),
        clock_ppm: Some(-12.5),
        clock_residual_us: None,
    };
    Closing {
        stop: SessionTime::from_secs(120.0),
        analysis,
        pipeline_version: "0.1.0".to_owned(),
        params: serde_json::json!({ "sync_sigma_s": 0.003 }),
        sensors: vec![outcome(Placement::LeftFoot), outcome(Placement::Sacrum)],
    }
}

fn metrics(dice: &mut Dice) -> MetricSet {
    let reasons = [
        Absent::NoSensor,
        Absent::Gap,
        Absent::Clipped,
        Absent::TooFewStrides,
        Absent::NotStraightAndLevel,
    ];
    let mut set = MetricSet::default();
    for def in METRICS {
        let absent = reasons.get((dice.roll() % 12) as usize);
        set.set(
            def.id,
            absent.map_or_else(|| Ok(dice.unit() * 20.0 - 10.0), |reason| Err(*reason)),
        );
    }
    set
}

/// Stride number `n` of a side, 0.7 s apart; the right foot lands 0.35 s after the left.
pub(crate) fn stride(n: u64, side: Option<Side>) -> StrideRecord {
    let shift = match side {
        None => 0.1,
        Some(Side::Left) => 0.0,
        Some(Side::Right) => 0.35,
    };
    let mut dice = Dice(n * 3 + (shift * 10.0) as u64);
    let seen_from = if side.is_none() {
        SegmentKind::Sacrum
    } else {
        SegmentKind::Foot
    };
    let at = |s: f64| to_micros(SessionTime::from_secs(n as f64 * 0.7 + shift + s));
    let quality = QualityParts {
        innovation: dice.unit(),
        gaps: 0.9 + dice.unit() / 10.0,
        ..QualityParts::FULL
    };
    let optional = |dice: &mut Dice| dice.coin().then(|| dice.unit() - 0.5);
    let foot = FootMotion {
        displacement: Vec3::new(2.4 + dice.unit() / 10.0, 0.0, dice.unit() / 50.0),
        length_sigma_m: dice.unit() / 50.0,
        pitch_ic_rad: optional(&mut dice),
        touchdown_speed: optional(&mut dice),
        inversion_range_rad: optional(&mut dice),
        toe_out_rad: optional(&mut dice),
        heading_rad: dice.unit() * 6.0 - 3.0,
        acc_clipped_share: 0.0,
        gyro_clipped_share: dice.unit() / 100.0,
        impact_peak: dice.coin().then(|| (dice.unit() * 200.0, dice.coin())),
        chi2: dice.unit() * 6.0,
        linear_difference: dice.unit() / 20.0,
        free_slope: dice.unit() / 50.0,
    };
    let on_foot = seen_from == SegmentKind::Foot;
    StrideRecord {
        index: n as u32,
        stride: Stride {
            side,
            seen_from,
            start: at(0.0),
            end: at(0.7),
            contact: on_foot.then(|| Contact {
                ic: at(-0.1),
                m: at(0.0),
                tc: at(0.12),
            }),
            next_ic: on_foot.then(|| at(0.6)),
            foot: (on_foot && n % 7 != 3).then_some(foot),
            activity: if n % 10 == 9 {
                Activity::Walking
            } else {
                Activity::Running
            },
            flags: StrideFlags {
                acc_clipped: dice.coin(),
                gyro_clipped: dice.coin(),
                filled: dice.coin(),
                turning: dice.coin(),
                approximate_zero: dice.coin(),
                implausible_contact: false,
                mounting_unsettled: false,
                marked_bad: false,
                after_rest: n == 0,
            },
            quality,
        },
        metrics: metrics(&mut dice),
        class: DataClass::of(quality.product()),
    }
}

/// What orders strides of one analysis.
pub(crate) fn key_of(r: &StrideRecord) -> (SessionTime, Option<Side>, SegmentKind) {
    (r.stride.start, r.stride.side, r.stride.seen_from)
}

/// Block number `n`.
pub(crate) fn block(n: u64, side: Option<Side>) -> Block {
    let start = to_micros(SessionTime::from_secs(n as f64 * 18.1));
    let confidence = [Confidence::Low, Confidence::Medium, Confidence::High][(n % 3) as usize];
    let mut dice = Dice(n + 1000);
    Block {
        side,
        start,
        end: start.plus(17.5),
        usable: 20,
        seen: 25,
        medians: metrics(&mut dice),
        confidence,
    }
}

/// A second.
pub(crate) const WINDOW: Window = Window {
    t: SessionTime::from_nanos(1_000_000_000),
    spectral_cadence: Some(171.3),
    activity: Activity::Running,
};

/// One event of each kind.
pub(crate) fn events() -> Vec<SessionEvent> {
    let t = SessionTime::from_secs(3.0);
    let placement = Placement::RightShank;
    vec![
        SessionEvent::Marker {
            t: SessionTime::from_secs(9.0),
            text: "=cmd|' /c calc'!A0, \"lap\" 1".to_owned(),
        },
        SessionEvent::Gap {
            placement,
            from: t,
            to: t.plus(0.5),
            missing: 100,
            cause: GapCause::Reboot,
        },
        SessionEvent::Aligned { placement, t },
        SessionEvent::ContactRefused {
            placement,
            t,
            guard: "contact too short".to_owned(),
        },
        SessionEvent::ContactRefused {
            placement,
            t,
            guard: "no flight".to_owned(),
        },
        SessionEvent::SensorMoved { placement, t },
        SessionEvent::SidesSwapped { t },
        SessionEvent::CadenceDisagrees {
            t,
            events: 85.1,
            spectrum: 170.3,
        },
        SessionEvent::RailLearned { placement, t },
        SessionEvent::Clipped {
            placement,
            from: t,
            to: t.plus(4.5),
            samples: 31,
        },
        SessionEvent::Filled {
            placement,
            from: t,
            to: t,
            samples: 2,
        },
        SessionEvent::Standing {
            from: SessionTime::ZERO,
            to: SessionTime::from_secs(2.0),
        },
    ]
}

/// Ways to make a stride that no store may keep.
pub(crate) const SPOILS: [fn(&mut StrideRecord); 5] = [
    |r| r.stride.quality.agreement = f64::NAN,
    |r| {
        r.stride.foot = stride(0, Some(Side::Left)).stride.foot.map(|f| FootMotion {
            chi2: f64::INFINITY,
            ..f
        })
    },
    |r| {
        r.stride.foot = stride(0, Some(Side::Left)).stride.foot.map(|f| FootMotion {
            toe_out_rad: Some(f64::NAN),
            ..f
        })
    },
    |r| r.stride.end = r.stride.start,
    |r| r.stride.end = SessionTime::from_secs(1e9),
];
