//! Whole seasons of the synthetic runner through the real loop: samples, pipeline, record, run values, flags.
//!
//! What is asked: how much lope's own run values scatter from run to run when nothing but sensors and chance changes, whether
//! a steady runner gets a flag, and whether a runner whose form truly changes gets the right one. The table stands in
//! `docs/reference/season.md` (`LOPE_BLESS=1 cargo test --test it season`); `LOPE_SEASONS=10` runs that many of each kind.
//!
//! The first five minutes of a run are left out by definition, so each run here is twenty seconds of running, five minutes
//! without a sample from any sensor, and then the part that counts. That saves most of the time and costs nothing that is
//! looked at; standing, mounting and alignment are those of the first part.

use crate::support::project_root;
use lope::interchange::flag_rules;
use lope::model::{Placement, SensorEvent, SessionTime};
use lope::pipeline::{Pipeline, PipelineConfig};
use lope::review::flags::flags_now;
use lope::review::{FlagsNow, LevelWord, Past, Review, Sight};
use lope::store::batch::FIRST_ANALYSIS;
use lope::store::journal::Day;
use lope::store::{
    AthleteId, Batch, Closing, Origin, SessionId, SessionMeta, SqliteStore, Store, UtcMicros, WallClock,
};
use lope::synth::{Faults, Form, Mounting, Script, SimConfig, Simulation, Subject};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Runs that make the reference, and runs looked at after it.
const REFERENCE_RUNS: u32 = 8;
const WATCHED_RUNS: u32 = 5;
/// Standing, the first stretch, the silence, the part that counts, s.
const STAND_S: f64 = 10.0;
const FIRST_S: f64 = 20.0;
const SILENCE_S: f64 = 285.0;
const COUNTED_S: f64 = 240.0;
/// Speeds of a season, m/s, run after run.
const SPEEDS: [f64; 7] = [2.9, 3.1, 3.0, 3.2, 2.8, 3.05, 2.95];
/// The first day.
const FIRST_DAY: i32 = 20_500;

/// A change of form that an eye would see: feet 5 cm further ahead, 5 % fewer steps.
const LONGER_STEPS: Form = Form {
    reach_m: 0.07,
    cadence_scale: 0.95,
    ..Form::USUAL
};

/// One season as it was looked back on.
struct Season {
    past: Past,
    /// What was true of each run.
    truth: Vec<True>,
    /// Flags at the end of each day of a watched run.
    after: Vec<FlagsNow>,
}

/// Means of a run's true strides.
#[derive(Clone, Copy, Debug)]
struct True {
    speed: f64,
    cadence: f64,
    foot_ahead_cm: f64,
}

fn truth_of(simulation: &Simulation) -> True {
    let truth = simulation.truth(0.0);
    let running = truth.strides.iter().filter(|s| s.cadence > 140.0);
    let (mut n, mut speed, mut cadence, mut ahead) = (0.0, 0.0, 0.0, 0.0);
    for s in running {
        n += 1.0;
        speed += s.length * s.cadence / 120.0;
        cadence += s.cadence;
        ahead += 100.0 * s.overstride;
    }
    True {
        speed: speed / n,
        cadence: cadence / n,
        foot_ahead_cm: ahead / n,
    }
}

/// Two feet and the waist, and the same with both shanks.
const FEET_AND_WAIST: &[Placement] = &[Placement::LeftFoot, Placement::RightFoot, Placement::Sacrum];
const WITH_SHANKS: &[Placement] = &Placement::ALL;

fn run(seed: u64, subject: &Subject, speed: f64, form: Form, worn: &[Placement]) -> Simulation {
    Simulation::new(SimConfig {
        seed,
        rate_hz: 208.0,
        subject: subject.clone(),
        script: Script::new()
            .stand(STAND_S)
            .accelerate(5.0, speed)
            .run_in_form(FIRST_S + COUNTED_S, speed, form, 0.0)
            .stop(6.0),
        placements: worn.to_vec(),
        faults: Faults::typical(),
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    })
}

/// Events with the silence in them.
fn silenced(event: SensorEvent) -> SensorEvent {
    let cut = STAND_S + FIRST_S;
    let later = |t: SessionTime| if t.secs() > cut { t.plus(SILENCE_S) } else { t };
    match event {
        SensorEvent::Sample(p, mut s) => {
            s.t = later(s.t);
            SensorEvent::Sample(p, s)
        }
        SensorEvent::Gap {
            placement,
            from,
            to,
            missing,
            cause,
        } => SensorEvent::Gap {
            placement,
            from: later(from),
            to: later(to),
            missing,
            cause,
        },
        SensorEvent::Standing { from, to } => SensorEvent::Standing {
            from: later(from),
            to: later(to),
        },
    }
}

fn record(store: &SqliteStore, athlete: &AthleteId, day: i32, number: u64, simulation: &Simulation) {
    let config = PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        ..PipelineConfig::default()
    };
    let id = SessionId::parse(&format!("{athlete}-{number}")).expect("id");
    let meta = SessionMeta {
        id: id.clone(),
        athlete: athlete.clone(),
        start: UtcMicros::from_micros((i64::from(day) * 24 + 17) * 3_600_000_000),
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Demo,
        tz: Some("Europe/Berlin".to_owned()),
        note: None,
        facts: simulation.athlete(),
        sensors: config.sensors.clone(),
    };
    store.open_session(&meta).expect("a new session");
    let mut pipeline = Pipeline::new(config);
    let mut out = Vec::new();
    for event in simulation.events() {
        pipeline.push(&silenced(event), &mut out);
    }
    pipeline.flush(&mut out);
    let mut batch = Batch::new(id.clone(), FIRST_ANALYSIS);
    out.iter().for_each(|o| batch.push_output(o).expect("a row"));
    store.append(batch).expect("appended");
    let closing = Closing {
        stop: SessionTime::from_secs(simulation.duration_s() + SILENCE_S),
        analysis: FIRST_ANALYSIS,
        pipeline_version: "test".to_owned(),
        params: serde_json::json!({}),
        sensors: Vec::new(),
    };
    store.close_session(&id, &closing).expect("closed");
}

/// A season of one runner, a run every other day; from the first watched run on in this form.
fn season(runner: u64, changed: Form, worn: &[Placement]) -> Season {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let athlete = AthleteId::parse(&format!("runner-{runner}")).expect("id");
    let subject = Subject::drawn(runner);
    let days: Vec<i32> = (0..REFERENCE_RUNS + WATCHED_RUNS)
        .map(|i| FIRST_DAY + 2 * i as i32)
        .collect();
    let store = SqliteStore::open(dir.path(), "test").expect("store");
    let mut truth = Vec::new();
    for (i, day) in days.iter().enumerate() {
        let form = if i < REFERENCE_RUNS as usize {
            Form::USUAL
        } else {
            changed
        };
        let simulation = run(1000 * runner + i as u64, &subject, SPEEDS[i % SPEEDS.len()], form, worn);
        truth.push(truth_of(&simulation));
        record(&store, &athlete, *day, i as u64, &simulation);
    }
    drop(store);
    let review = Review::open(dir.path(), flag_rules::built_in()).expect("review");
    let past = |day: i32| review.past(&athlete, Day::from_days(day)).expect("past");
    let after = days[REFERENCE_RUNS as usize..].iter();
    Season {
        after: after
            .map(|d| flags_now(review.rules(), &past(*d), Sight::Everything))
            .collect(),
        past: past(days[days.len() - 1]),
        truth,
    }
}

fn level(now: &FlagsNow, id: &str) -> LevelWord {
    now.flags.iter().find(|f| f.id == id).expect("a flag").level
}

/// Standard deviation of the values about a line over speed.
fn scatter(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    if points.len() < 4 {
        return None;
    }
    let (mx, my) = (
        points.iter().map(|p| p.0).sum::<f64>() / n,
        points.iter().map(|p| p.1).sum::<f64>() / n,
    );
    let sxx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let slope = if sxx > 0.0 { sxy / sxx } else { 0.0 };
    let rest: f64 = points.iter().map(|p| (p.1 - my - slope * (p.0 - mx)).powi(2)).sum();
    Some((rest / (n - 2.0)).sqrt())
}

/// Mean and scatter of each run value over steady seasons: the mean of the runners' own scatters, squared.
fn scatters(steady: &[Season]) -> BTreeMap<String, (f64, f64)> {
    let mut all: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for s in steady {
        let mut points: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for run in s.past.runs().filter_map(|r| r.run.as_ref()) {
            let Some(speed) = run.values.speed_ms else { continue };
            for (name, value) in &run.values.metrics {
                points.entry(name.clone()).or_default().push((speed, *value));
            }
        }
        for (name, points) in points {
            let mean = points.iter().map(|p| p.1).sum::<f64>() / points.len() as f64;
            if let Some(sd) = scatter(&points) {
                all.entry(name).or_default().push((mean, sd));
            }
        }
    }
    all.into_iter()
        .map(|(name, v)| {
            let n = v.len() as f64;
            let mean = v.iter().map(|x| x.0).sum::<f64>() / n;
            (name, (mean, (v.iter().map(|x| x.1 * x.1).sum::<f64>() / n).sqrt()))
        })
        .collect()
}

/// What `lope flags spreads` assumes of a run value.
fn assumed(name: &str) -> String {
    let found = lope::risk::spreads::ASSUMED.iter().find(|a| a.0 == name);
    found.map_or_else(|| "–".to_owned(), |(_, _, sd)| format!("{sd:.3}"))
}

/// Mean change from the reference runs to the watched ones, at equal speed.
fn change(points: &[(f64, f64)]) -> Option<f64> {
    let reference = points.get(..REFERENCE_RUNS as usize)?;
    let n = reference.len() as f64;
    let (mx, my) = (
        reference.iter().map(|p| p.0).sum::<f64>() / n,
        reference.iter().map(|p| p.1).sum::<f64>() / n,
    );
    let sxx: f64 = reference.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let sxy: f64 = reference.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let rest = &points[REFERENCE_RUNS as usize..];
    Some(rest.iter().map(|p| p.1 - my - sxy / sxx * (p.0 - mx)).sum::<f64>() / rest.len() as f64)
}

/// True and measured change of cadence and of the foot ahead of the pelvis, mean of the seasons.
fn changes(seasons: &[Season]) -> [(&'static str, f64, f64); 2] {
    let mean = |of: &dyn Fn(&Season) -> Option<f64>| {
        let all: Vec<f64> = seasons.iter().filter_map(of).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    let measured = |name: &'static str| {
        move |s: &Season| {
            let runs = s.past.runs().filter_map(|r| r.run.as_ref());
            let points = runs.filter_map(|r| Some((r.values.speed_ms?, *r.values.metrics.get(name)?)));
            change(&points.collect::<Vec<_>>())
        }
    };
    let truth = |value: fn(&True) -> f64| {
        move |s: &Season| change(&s.truth.iter().map(|t| (t.speed, value(t))).collect::<Vec<_>>())
    };
    [
        (
            "cadence_spm",
            mean(&truth(|t| t.cadence)),
            mean(&measured("cadence_spm")),
        ),
        (
            "foot_ahead_cm",
            mean(&truth(|t| t.foot_ahead_cm)),
            mean(&measured("foot_ahead_cm")),
        ),
    ]
}

const FORM_FLAGS: [&str; 8] = ["FS1", "FS2", "FS3", "FS4", "FF1", "FF2", "FF3", "IG1"];

/// All seasons of one test.
struct Seasons {
    steady: Vec<Season>,
    /// Changed, two feet and the waist.
    changed: Vec<Season>,
    /// Changed, with shanks.
    shanks: Vec<Season>,
}

fn page(all: &Seasons) -> String {
    let Seasons {
        steady,
        changed,
        shanks,
    } = all;
    let runs = REFERENCE_RUNS + WATCHED_RUNS;
    let n = steady.len();
    let (reach, fewer) = (100.0 * LONGER_STEPS.reach_m, 100.0 * (1.0 - LONGER_STEPS.cadence_scale));
    let (slowest, fastest) = (
        SPEEDS.iter().copied().fold(f64::INFINITY, f64::min),
        SPEEDS.iter().copied().fold(0.0, f64::max),
    );
    let mut t = format!(
        "# Seasons of the synthetic runner

Made by `LOPE_BLESS=1 LOPE_SEASONS={n} cargo test --test it season`: {n} runners drawn at random who keep their form, {n} whose form changes,
and {n} whose form changes and who wear shank sensors too; {runs} runs each, one every other day at {slowest:.1} to {fastest:.1} m/s, two feet and a waist sensor at
208 Hz with typical sensor errors. Samples go through the pipeline, the record, run values and flags, as they would from a recording.

What varies from run to run: the attitude of each sensor (any), where it sits (up to 3 cm), its errors, loss on the radio, and the
irregularity of strides. **What does not vary: the runner.** Nobody here is tired, stiff, in other shoes or on other ground, and the clocks
are taken as perfect. The scatters below are therefore what lope itself adds, the least that can be expected, and no measurement of people.

## Scatter from run to run

Standard deviation about a line over speed, root mean square of the steady runners. *Assumed* is what `lope flags spreads` takes real
runners to scatter by ([flag-spreads](flag-spreads.md)).

| run value | mean | scatter | assumed |
|---|---|---|---|
"
    );
    // Writing to a String cannot fail.
    for (name, (mean, sd)) in scatters(steady) {
        let _ = writeln!(t, "| `{name}` | {mean:.2} | {sd:.3} | {} |", assumed(&name));
    }
    let eligible: usize = steady.iter().map(|s| s.past.comparable().count()).sum();
    let _ = write!(
        t,
        "
{eligible} of {} runs of the steady runners could be compared.

## Flags

Runners of {n} in each column. Steady: the flag stood at that level at the end of any run day after the reference. Changed: feet {reach:.0} cm
further ahead and {fewer:.0} % fewer steps from one run on; the flag stood at watch or higher after three, five of these runs.

| flag | steady: info | steady: watch | changed: 3 runs | 5 runs | changed, with shanks: 3 runs | 5 runs |
|---|---|---|---|---|---|---|
",
        n * runs as usize
    );
    for id in FORM_FLAGS {
        let ever = |l: LevelWord| {
            steady
                .iter()
                .filter(|s| s.after.iter().any(|n| level(n, id) >= l))
                .count()
        };
        let by = |of: &[Season], k: usize| {
            of.iter()
                .filter(|s| level(&s.after[k - 1], id) >= LevelWord::Watch)
                .count()
        };
        let _ = writeln!(
            t,
            "| {id} | {} | {} | {} | {} | {} | {} |",
            ever(LevelWord::Info),
            ever(LevelWord::Watch),
            by(changed, 3),
            by(changed, 5),
            by(shanks, 3),
            by(shanks, 5)
        );
    }
    t.push_str(
        "
## The change, true and measured

At equal speed, mean of the runners.

| run value | true | two feet and waist | with shanks |
|---|---|---|---|
",
    );
    for (feet, shanks) in changes(changed).iter().zip(changes(shanks)) {
        let _ = writeln!(
            t,
            "| `{}` | {:+.2} | {:+.2} | {:+.2} |",
            feet.0, feet.1, feet.2, shanks.2
        );
    }
    t.push_str(
        "
With two feet and a waist sensor the foot ahead of the pelvis is told from the balance of moments: over a step the body does not keep
turning forward. This synthetic runner's feet land further ahead and nothing else gives way, which no balanced body does, so that way
of measuring does not see it and FS2 is missed. Shank sensors see the leg itself. How real runners overstride lies between; it is not
measured here.
",
    );
    t
}

/// Seasons side by side, as many at a time as there are cores to run them.
fn seasons(n: u64) -> Seasons {
    let of = |form: Form, worn: &'static [Placement], first: u64| {
        let one = move |r: u64| season(r, form, worn);
        std::thread::scope(|scope| {
            let (even, odd): (Vec<u64>, Vec<u64>) = (first..first + n).partition(|r| r % 2 == 0);
            let halves = [even, odd].map(|half| scope.spawn(move || half.into_iter().map(one).collect::<Vec<_>>()));
            halves
                .into_iter()
                .flat_map(|h| h.join().expect("a season"))
                .collect::<Vec<Season>>()
        })
    };
    std::thread::scope(|scope| {
        let shanks = scope.spawn(|| of(LONGER_STEPS, WITH_SHANKS, 201));
        let steady = of(Form::USUAL, FEET_AND_WAIST, 1);
        let changed = of(LONGER_STEPS, FEET_AND_WAIST, 101);
        Seasons {
            steady,
            changed,
            shanks: shanks.join().expect("seasons"),
        }
    })
}

#[test]
fn a_steady_runner_gets_no_watch_and_a_changed_one_does() {
    let asked = std::env::var("LOPE_SEASONS")
        .ok()
        .map(|n| n.parse::<u64>().expect("LOPE_SEASONS is a number"));
    let all = seasons(asked.unwrap_or(1));
    let page = page(&all);
    println!("{page}");
    if std::env::var_os("LOPE_BLESS").is_some() {
        std::fs::write(project_root().join("docs/reference/season.md"), &page).expect("the page");
    }
    for s in all.steady.iter().chain(&all.changed).chain(&all.shanks) {
        let comparable = s.past.comparable().count() as u32;
        assert_eq!(
            comparable,
            REFERENCE_RUNS + WATCHED_RUNS,
            "{}: {:?}",
            s.past.athlete,
            s.past.left_out
        );
    }
    for s in &all.steady {
        for now in &s.after {
            for id in FORM_FLAGS {
                assert!(
                    level(now, id) < LevelWord::Watch,
                    "{} {id} on {}",
                    s.past.athlete,
                    now.day
                );
            }
        }
    }
    // Five per cent fewer steps are well beyond the three of the rule: three runs of five have to raise it.
    for s in all.changed.iter().chain(&all.shanks) {
        assert!(level(&s.after[4], "FS1") >= LevelWord::Watch, "{}", s.past.athlete);
        assert_eq!(
            level(&s.after[0], "FS1"),
            LevelWord::None,
            "one run alone raises nothing"
        );
    }
    // A leg that reaches seven centimetres further is seen by sensors on it. Without them it is missed; the page says why.
    for s in &all.shanks {
        assert!(level(&s.after[4], "FS2") >= LevelWord::Watch, "{}", s.past.athlete);
    }
}
