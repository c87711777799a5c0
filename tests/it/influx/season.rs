//! Sessions with known content in a record, and what a copy of them must hold.

use lope::metrics::{METRICS, MetricSet, StrideRecord};
use lope::model::{
    Absent, Activity, Athlete, DataClass, Placement, QualityParts, SegmentKind, SessionTime, Side, Stride, StrideFlags,
};
use lope::pipeline::Window;
use lope::store::batch::FIRST_ANALYSIS;
use lope::store::journal::Day;
use lope::store::sqlite::{KeptState, SqliteFlagSeries};
use lope::store::{
    AthleteId, Batch, Closing, HealthRow, History, LinkHealth, Origin, RowQuery, SessionId, SessionMeta, SessionQuery,
    SqliteReader, SqliteStore, Store, UtcMicros, WallClock,
};
use std::collections::BTreeMap;
use std::path::Path;

/// Start of the first session; no whole second, so that every rounding shows.
pub(crate) const START_US: i64 = 1_772_346_600_123_456;
/// From one session to the next.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// Numbers that look random (splitmix64; Steele, Lea and Flood 2014).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn unit(&mut self) -> f64 {
        self.roll(1 << 53) as f64 / (1_u64 << 53) as f64
    }
}

pub(crate) fn id(text: &str) -> SessionId {
    SessionId::parse(text).expect("a sound id")
}

pub(crate) fn athlete(text: &str) -> AthleteId {
    AthleteId::parse(text).expect("a sound id")
}

pub(crate) fn meta(name: &str, runner: &str, start_us: i64) -> SessionMeta {
    SessionMeta {
        id: id(name),
        athlete: athlete(runner),
        start: UtcMicros::from_micros(start_us),
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Live,
        tz: None,
        note: Some("a note that stays here".to_owned()),
        facts: Athlete::default(),
        sensors: vec![],
    }
}

/// A stride of about 0.7 s that begins `at` seconds after the start, rounded to microseconds.
pub(crate) fn stride(index: u32, at: f64, side: Option<Side>, dice: &mut Dice) -> StrideRecord {
    let start = SessionTime::from_nanos((at * 1e6) as i64 * 1000);
    let mut metrics = MetricSet::default();
    for def in METRICS {
        // Some absent, some whole numbers, some that need every digit.
        let value = match dice.roll(8) {
            0 => Err(Absent::Gap),
            1 => Ok(dice.roll(400) as f64),
            _ => Ok((dice.unit() - 0.3) * 200.0),
        };
        metrics.set(def.id, value);
    }
    StrideRecord {
        index,
        stride: Stride {
            side,
            seen_from: if side.is_none() {
                SegmentKind::Sacrum
            } else {
                SegmentKind::Foot
            },
            start,
            end: start.plus(0.7),
            contact: None,
            next_ic: None,
            foot: None,
            activity: Activity::Running,
            flags: StrideFlags::default(),
            quality: QualityParts::FULL,
        },
        metrics,
        class: DataClass::A,
    }
}

/// Rows of `pairs` left and right strides and a second for each, with two holes.
pub(crate) fn rows(name: &str, analysis: u32, pairs: u32, seed: u64) -> Batch {
    let mut dice = Dice(seed);
    let mut batch = Batch::new(id(name), analysis);
    let mut at = 0.0;
    for n in 0..pairs {
        if n == pairs / 3 || n == pairs / 2 {
            at += 45.0;
        }
        at += 0.68 + dice.unit() / 20.0;
        batch
            .push_stride(&stride(n, at, Some(Side::Left), &mut dice))
            .expect("sound");
        batch
            .push_stride(&stride(n, at + 0.33, Some(Side::Right), &mut dice))
            .expect("sound");
        if n % 5 == 0 {
            batch.push_stride(&stride(n, at + 0.2, None, &mut dice)).expect("sound");
        }
        let window = Window {
            t: SessionTime::from_nanos((at * 1e6) as i64 * 1000),
            spectral_cadence: (n % 4 != 0).then(|| 160.0 + dice.unit() * 20.0),
            activity: Activity::Running,
        };
        batch.push_window(&window).expect("sound");
    }
    batch
}

pub(crate) fn closing(analysis: u32, stop_s: f64) -> Closing {
    Closing {
        stop: SessionTime::from_secs(stop_s),
        analysis,
        pipeline_version: format!("v{analysis}"),
        params: serde_json::json!({}),
        sensors: vec![],
    }
}

/// How two sensors did over some minutes: one with a link, one of a file that says nothing of one.
pub(crate) fn health(seed: u64, stretches: i64) -> Vec<HealthRow> {
    let mut dice = Dice(seed);
    let mut rows = Vec::new();
    for n in 0..stretches {
        for placement in [Placement::LeftFoot, Placement::Sacrum] {
            let linked = placement == Placement::Sacrum;
            let link = LinkHealth {
                battery_pct: (linked && n > 1).then(|| 90 - (n / 4) as u8),
                links_lost: linked.then(|| dice.roll(3) as u32),
                reboots: linked.then_some(0),
                clock_ppm: (linked && n % 3 != 0).then(|| dice.unit() * 40.0 - 20.0),
                clock_scatter_us: linked.then(|| dice.unit() * 900.0),
            };
            // A stretch in which nothing came has no share that was lost.
            let silent = n == 3 && linked;
            rows.push(HealthRow {
                t: SessionTime::from_secs(10.0 * n as f64),
                placement,
                samples: if silent { 0 } else { 1900 + dice.roll(100) as u32 },
                filled: if silent { 0 } else { dice.roll(4) as u32 },
                missing: if silent { 0 } else { dice.roll(50) as u32 },
                clipped: dice.roll(9) as u32,
                link,
            });
        }
    }
    rows
}

/// Keeps a session whole.
pub(crate) fn keep(store: &SqliteStore, name: &str, runner: &str, start_us: i64, pairs: u32) {
    store.open_session(&meta(name, runner, start_us)).expect("opens");
    store
        .append(rows(name, FIRST_ANALYSIS, pairs, start_us as u64))
        .expect("kept");
    store
        .close_session(&id(name), &closing(FIRST_ANALYSIS, f64::from(pairs) + 100.0))
        .expect("closed");
    let of_sensors = health(start_us as u64 ^ 7, i64::from(pairs) / 8);
    store.keep_health(&id(name), of_sensors).expect("kept");
}

/// Twenty sessions of two runners.
pub(crate) fn season(store: &SqliteStore, sessions: i64, pairs: u32) {
    for n in 0..sessions {
        let runner = if n % 2 == 0 { "anna" } else { "ben" };
        keep(store, &format!("s{n}"), runner, START_US + n / 2 * DAY_US + n, pairs);
    }
}

/// Flags of both runners.
pub(crate) fn some_flags(dir: &Path) {
    flags(
        dir,
        "anna",
        &[("FS1", 0, "none"), ("LD1", 0, "not_enough_data"), ("FS1", 2, "watch")],
    );
    flags(dir, "ben", &[("IG1", 1, "info")]);
}

/// What copies get of somebody's flags: flag, days after the start, state.
pub(crate) fn flags(dir: &Path, runner: &str, states: &[(&str, i32, &str)]) {
    let first = i32::try_from(START_US / DAY_US).expect("a day");
    let states: Vec<KeptState> = states
        .iter()
        .map(|(flag, day, state)| KeptState {
            flag: (*flag).to_owned(),
            day: Day::from_days(first + day),
            state: (*state).to_owned(),
            evidence: None,
        })
        .collect();
    let series = SqliteFlagSeries::open(dir).expect("opens");
    series.copy(&athlete(runner), "1.0", &states).expect("kept");
}

/// Points: measurement, tags and ms, to their fields as text (texts with quotes, whole numbers and others as numbers).
pub(crate) type Points = BTreeMap<(String, BTreeMap<String, String>, i64), BTreeMap<String, Value>>;

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Text(String),
}

fn activity(activity: Activity) -> &'static str {
    match activity {
        Activity::Still => "still",
        Activity::Walking => "walking",
        Activity::Running => "running",
    }
}

/// What a copy of the record in `dir` must hold, worked out from the record by other means than the sink's.
pub(crate) fn wanted(dir: &Path) -> Points {
    let history = SqliteReader::open(dir).expect("a record");
    let mut points = Points::new();
    let sessions = history.sessions(&SessionQuery::default()).expect("read").rows;
    for row in sessions.iter().filter(|r| r.meta.wall_clock == WallClock::Known) {
        let session = row.meta.id.clone();
        let at = |t: SessionTime| (row.meta.start.micros() + t.nanos().div_euclid(1000)).div_euclid(1000);
        let text = |s: &str| Value::Text(s.to_owned());
        let common = BTreeMap::from([
            ("session".to_owned(), text(session.as_str())),
            ("analysis".to_owned(), Value::Number(f64::from(row.current_analysis))),
        ]);
        let who = BTreeMap::from([("athlete".to_owned(), row.meta.athlete.to_string())]);
        let all = RowQuery {
            limit: usize::MAX,
            ..RowQuery::all(session.clone())
        };
        for s in history.strides(&all).expect("read").rows {
            let mut tags = who.clone();
            let side = s.stride.side.map_or("unknown", Side::name);
            let from = if s.stride.seen_from == SegmentKind::Foot {
                "foot"
            } else {
                "sacrum"
            };
            tags.extend([
                ("side".to_owned(), side.to_owned()),
                ("seen_from".to_owned(), from.to_owned()),
            ]);
            let mut fields = common.clone();
            fields.insert("idx".to_owned(), Value::Number(f64::from(s.index)));
            let quality = match s.class {
                DataClass::A => 3.0,
                DataClass::B => 2.0,
                DataClass::C => 1.0,
                DataClass::D => 0.0,
            };
            fields.insert("quality".to_owned(), Value::Number(quality));
            fields.insert("activity".to_owned(), text(activity(s.stride.activity)));
            for (metric, value) in s.metrics.iter() {
                if let Ok(v) = value {
                    fields.insert(metric.def().name.to_owned(), Value::Number(v));
                }
            }
            let old = points.insert(("gait_stride".to_owned(), tags, at(s.stride.start)), fields);
            assert!(old.is_none(), "a point of its own for each stride");
        }
        for w in history.windows(&all).expect("read").rows {
            let mut fields = common.clone();
            if let Some(c) = w.spectral_cadence {
                fields.insert("spectral_cadence".to_owned(), Value::Number(c));
            }
            fields.insert("activity".to_owned(), text(activity(w.activity)));
            points.insert(("gait_window".to_owned(), who.clone(), at(w.t)), fields);
        }
        for h in history.health(&session).expect("read") {
            let mut fields = common.clone();
            for (name, n) in [
                ("samples", Some(h.samples)),
                ("filled", Some(h.filled)),
                ("missing", Some(h.missing)),
                ("clipped", Some(h.clipped)),
                ("battery", h.link.battery_pct.map(u32::from)),
                ("links_lost", h.link.links_lost),
                ("reboots", h.link.reboots),
            ] {
                fields.extend(n.map(|n| (name.to_owned(), Value::Number(f64::from(n)))));
            }
            for (name, x) in [
                ("loss_pct", h.loss_pct()),
                ("clock_ppm", h.link.clock_ppm),
                ("clock_scatter_us", h.link.clock_scatter_us),
            ] {
                fields.extend(x.map(|x| (name.to_owned(), Value::Number(x))));
            }
            let mut tags = who.clone();
            tags.insert("placement".to_owned(), h.placement.name().to_owned());
            points.insert(("sensor_health".to_owned(), tags, at(h.t)), fields);
        }
        if let Some(strides) = row.strides {
            let mut fields = common.clone();
            fields.insert("strides".to_owned(), Value::Number(strides as f64));
            fields.insert("duration_s".to_owned(), Value::Number(row.stop.expect("an end").secs()));
            for s in history.summary(&session).expect("read") {
                if s.side == lope::store::SideScope::Both {
                    fields.insert(format!("{}_median", s.metric.def().name), Value::Number(s.median));
                }
            }
            points.insert(("gait_session".to_owned(), who.clone(), at(SessionTime::ZERO)), fields);
        }
    }
    let conn = rusqlite::Connection::open(dir.join("lope.db")).expect("opens");
    let mut flags = conn
        .prepare("SELECT athlete_id, flag, day, state FROM flag_copies")
        .expect("a table");
    let mut rows = flags.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let text = |i: usize| row.get::<_, String>(i).expect("text");
        let state = text(3);
        let level = ["not_enough_data", "none", "info", "watch", "high", "stop"]
            .iter()
            .position(|s| *s == state)
            .expect("a state");
        let fields = BTreeMap::from([
            ("level".to_owned(), Value::Number(level as f64 - 1.0)),
            ("state".to_owned(), Value::Text(state)),
            ("rules_version".to_owned(), Value::Text("1.0".to_owned())),
        ]);
        let tags = BTreeMap::from([("athlete".to_owned(), text(0)), ("rule".to_owned(), text(1))]);
        let day = row.get::<_, i64>(2).expect("a day");
        points.insert(("gait_flag".to_owned(), tags, day * 86_400_000), fields);
    }
    points
}
