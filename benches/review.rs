//! How long a trend of three years takes.
//!
//! A plain program that prints figures: `cargo bench --no-default-features --features files,store --bench review`. Five runs
//! a week for three years, as they stand in the record once they have been looked at: sessions and kept run values, and a
//! note and a check-in for each run. The target for the whole question, from the open record to the answer, is 50 ms.

#![allow(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use lope::interchange::flag_rules;
use lope::metrics::{METRICS, MetricId, MetricSet, StrideRecord};
use lope::model::{
    Activity, Athlete, Contact, DataClass, FootMotion, QualityParts, SegmentKind, SessionTime, Side, Stride,
    StrideFlags, Vec3,
};
use lope::review::flags::{flag_series, flags_now};
use lope::review::own_usual::{Part, Series};
use lope::review::run_values::{self, RunSummary};
use lope::review::trend::{TrendQuery, trend};
use lope::review::windows::Collector;
use lope::review::{Review, Sight};
use lope::store::batch::FIRST_ANALYSIS;
use lope::store::journal::{Body, CheckIn, Day, Entry, EntryId, Journal, Score, SessionNote};
use lope::store::sqlite::{KeptRun, SqliteRunValues};
use lope::store::{
    AthleteId, Closing, Origin, SessionId, SessionMeta, SqliteStore, Store, StoreError, UtcMicros, WallClock,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

const YEARS_DAYS: i32 = 3 * 365;
const FIRST_DAY: i32 = 19_500;
/// Days of a week with a run.
const RUN_DAYS: [i32; 5] = [0, 1, 3, 5, 6];
const REPEATS: usize = 20;

/// A generator of test numbers (splitmix64).
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn stride(n: u32, side: Side, speed: f64, dice: &mut Dice) -> StrideRecord {
    let shift = if side == Side::Left { 0.0 } else { 0.36 };
    let at = |s: f64| SessionTime::from_secs(f64::from(n) * 0.72 + shift + s);
    let mut metrics = MetricSet::default();
    for def in METRICS {
        metrics.set(def.id, Ok(1.0 + 0.02 * dice.unit()));
    }
    metrics.set(MetricId::Speed, Ok(speed * (1.0 + 0.02 * (dice.unit() - 0.5))));
    StrideRecord {
        index: n,
        stride: Stride {
            side: Some(side),
            seen_from: SegmentKind::Foot,
            start: at(0.0),
            end: at(0.72),
            contact: Some(Contact {
                ic: at(-0.1),
                m: at(0.0),
                tc: at(0.14),
            }),
            next_ic: Some(at(0.62)),
            foot: Some(FootMotion {
                displacement: Vec3::new(speed * 0.72, 0.0, 0.0),
                length_sigma_m: 0.02,
                pitch_ic_rad: Some(0.2),
                touchdown_speed: Some(0.6),
                inversion_range_rad: Some(0.1),
                toe_out_rad: Some(0.1),
                heading_rad: 0.0,
                acc_clipped_share: 0.0,
                gyro_clipped_share: 0.0,
                impact_peak: Some((120.0, false)),
                chi2: 3.0,
                linear_difference: 0.01,
                free_slope: 0.0,
            }),
            activity: Activity::Running,
            flags: StrideFlags::default(),
            quality: QualityParts::FULL,
        },
        metrics,
        class: DataClass::A,
    }
}

/// A run of 45 minutes with everything measured.
fn summary(dice: &mut Dice) -> RunSummary {
    let speed = 2.8 + 0.5 * dice.unit();
    let mut collector = Collector::default();
    for n in 0..3750 {
        for side in [Side::Left, Side::Right] {
            collector.push(&stride(n, side, speed, dice));
        }
    }
    run_values::of_windows(&collector.finish(), &BTreeSet::new())
}

fn fill(dir: &Path, athlete: &AthleteId) -> Result<usize, StoreError> {
    let mut dice = Dice(7);
    // A handful of runs, told again and again: what they say does not matter to the clock.
    let bodies: Vec<String> = (0..8)
        .map(|_| serde_json::to_string(&summary(&mut dice)).expect("json"))
        .collect();
    println!("kept run values: {} bytes a run", bodies[0].len());
    let store = SqliteStore::open(dir, "bench")?;
    let mut ids = Vec::new();
    for day in (0..YEARS_DAYS).filter(|d| RUN_DAYS.contains(&(d % 7))) {
        let id = SessionId::parse(&format!("s{day}"))?;
        store.open_session(&SessionMeta {
            id: id.clone(),
            athlete: athlete.clone(),
            start: UtcMicros::from_micros((i64::from(FIRST_DAY + day) * 24 + 17) * 3_600_000_000),
            wall_clock: WallClock::Known,
            expected_stop: None,
            origin: Origin::Live,
            tz: Some("Europe/Berlin".to_owned()),
            note: None,
            facts: Athlete::default(),
            sensors: Vec::new(),
        })?;
        store.close_session(
            &id,
            &Closing {
                stop: SessionTime::from_secs(2700.0),
                analysis: FIRST_ANALYSIS,
                pipeline_version: "bench".to_owned(),
                params: serde_json::json!({}),
                sensors: Vec::new(),
            },
        )?;
        ids.push((day, id));
    }
    drop(store);
    let runs = SqliteRunValues::open(dir)?;
    let review = Review::open(dir, flag_rules::built_in())?;
    for (i, (day, id)) in ids.iter().enumerate() {
        let kept = KeptRun {
            session: id.clone(),
            analysis: FIRST_ANALYSIS,
            body: bodies[i % bodies.len()].clone(),
        };
        runs.keep(&kept, run_values::VERSION)?;
        let entry = |id: &str, body| -> Result<Entry, StoreError> {
            Ok(Entry {
                id: EntryId::parse(id)?,
                athlete: athlete.clone(),
                day: Day::from_days(FIRST_DAY + day),
                at: UtcMicros::from_micros((i64::from(FIRST_DAY + day) * 24 + 19) * 3_600_000_000),
                body,
            })
        };
        let note = SessionNote {
            effort: Some(Score::new(5)?),
            shoe: Some(EntryId::parse("ghost")?),
            back_worst: Some(Score::new(1)?),
            ..SessionNote::default()
        };
        let check = CheckIn {
            back_now: Some(Score::new(0)?),
            safety_answered: true,
            ..CheckIn::default()
        };
        for e in [
            entry(id.as_str(), Body::SessionNote(note))?,
            entry(&format!("c{day}"), Body::CheckIn(check))?,
        ] {
            review.journal().put(&e, UtcMicros::from_micros(1))?;
        }
    }
    Ok(ids.len())
}

/// Milliseconds of the middle and the slowest of some repeats.
fn timed(what: &str, mut f: impl FnMut()) {
    let mut all: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let begin = Instant::now();
            f();
            begin.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    all.sort_by(f64::total_cmp);
    println!(
        "{what:<44} median {:7.1} ms   slowest {:7.1} ms",
        all[REPEATS / 2],
        all[REPEATS - 1]
    );
}

fn main() -> Result<(), StoreError> {
    let dir = tempfile::tempdir().map_err(|e| StoreError::rejected("bench", e.to_string()))?;
    let athlete = AthleteId::parse("me")?;
    let runs = fill(dir.path(), &athlete)?;
    println!("{runs} runs, {YEARS_DAYS} days");
    let review = Review::open(dir.path(), flag_rules::built_in())?;
    let today = Day::from_days(FIRST_DAY + YEARS_DAYS);
    let query = TrendQuery {
        series: Series::Metric(MetricId::ContactTime),
        weeks: 157,
        speed_ms: None,
        part: Part::All,
    };
    timed("read the past", || {
        review.past(&athlete, today).expect("past");
    });
    let past = review.past(&athlete, today)?;
    timed("trend of the read past", || {
        let t = trend(review.rules(), &past, &query, Sight::Everything, &[]);
        assert!(t.points.len() > 700);
    });
    timed("trend, all of it (target 50 ms)", || {
        let past = review.past(&athlete, today).expect("past");
        let kept = review
            .series()
            .state_changes(&athlete, &review.rules().version)
            .expect("states");
        trend(review.rules(), &past, &query, Sight::Everything, &kept);
    });
    timed("flags of today", || {
        flags_now(review.rules(), &past, Sight::Everything);
    });
    let begin = Instant::now();
    let series = flag_series(review.rules(), &past);
    println!(
        "flags of all days: {:.0} ms, {} states, {} inputs",
        begin.elapsed().as_secs_f64() * 1e3,
        series.states.len(),
        series.inputs.len()
    );
    for pass in ["first", "again"] {
        let begin = Instant::now();
        let changed = review.series().keep(&athlete, "bench", &series)?;
        println!(
            "keep them, {pass}: {:.0} ms, {changed:?}",
            begin.elapsed().as_secs_f64() * 1e3
        );
    }
    Ok(())
}
