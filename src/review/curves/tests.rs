//! Curves against the stored numbers, and against the truth of a simulated run: the runner of `synth` shares no code with
//! the chains.

use super::*;
use crate::model::{Athlete, SensorEvent};
use crate::pipeline::{Pipeline, PipelineConfig};
use crate::review::SpeedRange;
use crate::store::batch::FIRST_ANALYSIS;
use crate::store::raw::RawOptions;
use crate::store::{AthleteId, Batch, Closing, Origin, SessionMeta, SqliteStore, Store as _, UtcMicros, WallClock};
use crate::synth::{Script, SimConfig, Simulation, Truth};

struct Kept {
    _dir: tempfile::TempDir,
    row: SessionRow,
    strides: Vec<StrideRecord>,
    truth: Option<Truth>,
}

fn kept(with_raw: bool) -> Kept {
    kept_as(with_raw, |event| Some(*event))
}

/// A session whose numbers are those of the simulated run, and whose samples are kept as `alter` leaves them.
fn kept_as(with_raw: bool, alter: impl Fn(&SensorEvent) -> Option<SensorEvent>) -> Kept {
    let simulation = Simulation::new(SimConfig {
        seed: 11,
        script: Script::new().stand(8.0).accelerate(8.0, 3.1).run(74.0, 3.1),
        ..SimConfig::default()
    });
    let standing = SensorEvent::Standing {
        from: SessionTime::from_secs(1.0),
        to: SessionTime::from_secs(7.0),
    };
    let mut stood = false;
    let events = simulation.events().flat_map(move |event| {
        let due = matches!(&event, SensorEvent::Sample(_, s) if !stood && s.t.secs() > 7.2);
        stood |= due;
        due.then_some(standing).into_iter().chain([event])
    });
    let mut kept = keep(
        (simulation.sensor_configs(), simulation.athlete()),
        simulation.duration_s(),
        events,
        with_raw,
        alter,
    );
    assert!(kept.strides.len() > 150, "{} strides", kept.strides.len());
    kept.truth = Some(simulation.truth(500.0));
    kept
}

/// A session made of these events, whose samples are kept as `alter` leaves them.
fn keep(
    (sensors, athlete): (Vec<SensorConfig>, Athlete),
    duration_s: f64,
    events: impl Iterator<Item = SensorEvent>,
    with_raw: bool,
    alter: impl Fn(&SensorEvent) -> Option<SensorEvent>,
) -> Kept {
    let dir = tempfile::tempdir().expect("folder");
    let store = SqliteStore::open(dir.path(), "test").expect("store");
    let id = SessionId::parse("curves").expect("id");
    let meta = SessionMeta {
        id: id.clone(),
        athlete: AthleteId::parse("ada").expect("id"),
        start: UtcMicros::EPOCH,
        wall_clock: WallClock::Known,
        expected_stop: None,
        origin: Origin::Live,
        tz: None,
        note: None,
        facts: Athlete::default(),
        sensors: sensors.clone(),
    };
    store.open_session(&meta).expect("session");
    let mut raw = with_raw.then(|| store.start_raw(&id, RawOptions::default()).expect("raw"));
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors,
        athlete,
        sync_sigma_s: 0.002,
        personal_speed_offset: 0.0,
    });
    let mut outputs = Vec::new();
    let mut batch = Batch::new(id.clone(), FIRST_ANALYSIS);
    for event in events {
        if let (Some(raw), Some(event)) = (&mut raw, alter(&event)) {
            raw.push(&event).expect("kept");
        }
        pipeline.push(&event, &mut outputs);
    }
    pipeline.flush(&mut outputs);
    for output in &outputs {
        batch.push_output(output).expect("row");
    }
    store.append(batch).expect("rows");
    if let Some(raw) = raw {
        store.seal_raw(raw).expect("sealed");
    }
    let closing = Closing {
        stop: SessionTime::from_secs(duration_s),
        analysis: FIRST_ANALYSIS,
        pipeline_version: "test".to_owned(),
        params: serde_json::json!({}),
        sensors: Vec::new(),
    };
    let row = store.close_session(&id, &closing).expect("closed");
    let rows = store.strides(&RowQuery::all(id)).expect("strides").rows;
    Kept {
        _dir: dir,
        row,
        strides: rows,
        truth: None,
    }
}

/// Every seventh steady stride.
fn some(kept: &Kept) -> Vec<StrideRecord> {
    let steady = kept
        .strides
        .iter()
        .filter(|r| r.stride.start.secs() > 35.0 && r.stride.end.secs() < 86.0);
    steady.step_by(7).cloned().collect()
}

#[test]
fn the_way_of_the_foot_ends_in_the_stride_length_and_the_pelvis_in_its_drop() {
    let kept = kept(true);
    let reader = crate::store::SqliteReader::open(kept._dir.path()).expect("reader");
    let curves = SessionCurves::new(&reader, &kept.row);
    let chosen = some(&kept);
    assert!(chosen.len() >= 15, "{} strides", chosen.len());
    let truth = kept.truth.as_ref().expect("of a simulated run");
    let pelvis = curves.pelvis(&chosen).expect("read");
    let (mut worst_length, mut worst_drop) = (0.0_f64, 0.0_f64);
    let mut squares = [0.0, 0.0, 0.0];
    let mut n = 0.0;
    for (record, curve) in chosen.iter().zip(&pelvis) {
        let path = curves.foot_path(record).expect("read").expect("a way");
        let own = record.stride.foot.expect("foot").displacement.v.x;
        let end = path.points.last().expect("points").place.v;
        worst_length = worst_length.max((end.x / own - 1.0).abs());
        let highest = path.points.iter().map(|p| p.place.v.z).fold(f64::MIN, f64::max);
        assert!((0.05..0.6).contains(&highest), "the foot rises by {highest} m");
        let curve = curve.as_ref().expect("a curve");
        assert_eq!(curve.zero, Zero::Standing);
        let drop = curve.drop(&record.stride).expect("drop");
        let stored = record.metrics.value(Id::PelvisDrop).expect("stored");
        worst_drop = worst_drop.max((drop - stored).abs().to_degrees());
        for i in 0..POINTS {
            let t = curve.from.plus(curve.to.since(curve.from) * i as f64 / 100.0);
            let after = truth.pelvis.partition_point(|p| p.t < t);
            let Some(truth) = truth.pelvis.get(after) else {
                continue;
            };
            let off = [
                curve.tilt[i] - truth.tilt,
                curve.obliquity[i] - truth.obliquity,
                curve.rotation[i] - truth.rotation,
            ];
            for (sum, d) in squares.iter_mut().zip(off) {
                *sum += d.to_degrees().powi(2);
            }
            n += 1.0;
        }
    }
    let rms = squares.map(|s| (s / n).sqrt());
    assert!(worst_length < 0.01, "length off by {worst_length}");
    assert!(worst_drop < 0.3, "drop off by {worst_drop} degrees");
    assert!(rms.iter().all(|r| *r < 2.0), "against the truth: {rms:?} degrees");
}

#[test]
fn a_stride_alone_is_drawn_with_marks_and_without_samples_it_says_why_not() {
    let with = kept(true);
    let reader = crate::store::SqliteReader::open(with._dir.path()).expect("reader");
    let record = &some(&with)[3];
    let view = SessionCurves::new(&reader, &with.row).of_stride(record).expect("read");
    let pelvis = view.pelvis.expect("pelvis");
    assert_eq!((pelvis.percent.len(), pelvis.obliquity_deg.len()), (POINTS, POINTS));
    assert!(pelvis.stance.iter().any(|s| s.side == "left") && pelvis.stance.iter().any(|s| s.side == "right"));
    let path = view.foot_path.expect("path");
    assert_eq!(path.x_m.len(), POINTS);
    assert_eq!(path.marks.len(), 2);

    let without = kept(false);
    let reader = crate::store::SqliteReader::open(without._dir.path()).expect("reader");
    let record = &some(&without)[3];
    let view = SessionCurves::new(&reader, &without.row)
        .of_stride(record)
        .expect("read");
    assert!(view.pelvis.is_none() && view.foot_path.is_none());
    assert!(view.pelvis_why_not.is_some_and(|t| t.contains("No samples")));
}

#[test]
fn a_run_is_drawn_with_both_sides_and_single_strides_or_says_why_not() {
    let with = kept(true);
    let reader = crate::store::SqliteReader::open(with._dir.path()).expect("reader");
    let run = of_run::of_run(&reader, &with.row, None).expect("read");
    let (left, right) = (run.left.expect("left"), run.right.expect("right"));
    assert!(left.strides >= 10 && right.strides >= 10);
    assert_eq!(run.overlay.len(), of_run::OVERLAID.min(left.strides as usize));
    assert!(run.overlay.iter().all(|c| c.len() == POINTS));
    assert!(
        run.left_paths.len() >= 5 && run.right_paths.len() >= 5,
        "{:?}",
        run.path_why_not
    );
    // The runner is even: mirrored, the right side does what the left side does.
    let apart = left
        .obliquity
        .mean
        .iter()
        .zip(&right.obliquity.mean)
        .map(|(l, r)| (l - r).abs());
    let unmirrored = left
        .obliquity
        .mean
        .iter()
        .zip(&right.obliquity.mean)
        .map(|(l, r)| (l + r).abs());
    let (apart, unmirrored) = (apart.fold(0.0, f64::max), unmirrored.fold(0.0, f64::max));
    assert!(apart < unmirrored, "{apart} against {unmirrored}");
    // No stride of 9 m/s was run.
    let fast = SpeedRange { low: 9.0, high: 9.5 };
    let none = of_run::of_run(&reader, &with.row, Some(fast)).expect("read");
    assert!(none.left.is_none() && none.overlay.is_empty() && none.left_paths.is_empty());
    assert!(none.pelvis_why_not.is_some() && none.path_why_not.is_some());

    let without = kept(false);
    let reader = crate::store::SqliteReader::open(without._dir.path()).expect("reader");
    let run = of_run::of_run(&reader, &without.row, None).expect("read");
    assert!(run.left.is_none() && run.right.is_none() && run.overlay.is_empty());
    for why in [run.pelvis_why_not, run.path_why_not] {
        assert!(
            why.as_deref()
                .is_some_and(|t| t.contains("No samples of this session are kept")),
            "{why:?}"
        );
    }
}

/// How far a curve may hang on how much was read before its stride. Angles by a third of what a curve may differ from its
/// kept number, the way by a third of that share: a choice of this project.
const RUN_UP_ANGLE_DEG: f64 = 1.0 / 3.0;
const RUN_UP_SHARE: f64 = LENGTH_SHARE / 3.0;

#[test]
fn a_longer_run_up_draws_the_same_curve() {
    let kept = kept(true);
    let reader = crate::store::SqliteReader::open(kept._dir.path()).expect("reader");
    let chosen: Vec<StrideRecord> = some(&kept).into_iter().step_by(2).collect();
    let drawn = |factor: f64| {
        let mut curves = SessionCurves::new(&reader, &kept.row);
        curves.run_up.pelvis_s *= factor;
        curves.run_up.foot_s *= factor;
        let pelvis: Vec<PelvisCurve> = chosen
            .iter()
            .map(|r| {
                curves
                    .pelvis(std::slice::from_ref(r))
                    .expect("read")
                    .remove(0)
                    .expect("a curve")
            })
            .collect();
        let ways: Vec<FootPath> = chosen
            .iter()
            .map(|r| curves.foot_path(r).expect("read").expect("a way"))
            .collect();
        (pelvis, ways)
    };
    let shape = |curve: &[f64]| {
        let mean = curve.iter().sum::<f64>() / curve.len() as f64;
        curve.iter().map(|v| v - mean).collect::<Vec<f64>>()
    };
    let (pelvis, ways) = drawn(1.0);
    for factor in [1.5, 2.5] {
        let (longer, further) = drawn(factor);
        let mut worst = 0.0_f64;
        for (a, b) in pelvis.iter().zip(&longer) {
            for (a, b) in [
                (&a.tilt, &b.tilt),
                (&a.obliquity, &b.obliquity),
                (&a.rotation, &b.rotation),
            ] {
                for (a, b) in shape(&a[..]).iter().zip(shape(&b[..])) {
                    worst = worst.max((a - b).abs().to_degrees());
                }
            }
        }
        let mut worst_share = 0.0_f64;
        for (a, b) in ways.iter().zip(&further) {
            let end = |p: &FootPath| p.points.last().expect("points").place.v.x;
            worst_share = worst_share.max((end(a) / end(b) - 1.0).abs());
        }
        assert!(worst <= RUN_UP_ANGLE_DEG, "{factor} times the run-up: {worst} degrees");
        assert!(worst_share <= RUN_UP_SHARE, "{factor} times the run-up: {worst_share}");
    }
}

#[test]
fn a_hole_inside_the_stride_is_refused_with_the_reason() {
    let (from, to) = (SessionTime::from_secs(60.1), SessionTime::from_secs(60.3));
    let kept = kept_as(true, |event| match event {
        SensorEvent::Sample(_, s) if s.t >= from && s.t < to => None,
        other => Some(*other),
    });
    let reader = crate::store::SqliteReader::open(kept._dir.path()).expect("reader");
    let curves = SessionCurves::new(&reader, &kept.row);
    let hit: Vec<StrideRecord> = kept
        .strides
        .iter()
        .filter(|r| r.stride.cycle().0 < from && r.stride.cycle().1 > to)
        .cloned()
        .collect();
    assert!(!hit.is_empty(), "some stride holds the hole");
    for record in &hit {
        let pelvis = curves.pelvis(std::slice::from_ref(record)).expect("read").remove(0);
        let why = pelvis.expect_err("no curve over a hole");
        assert!(matches!(why, NoCurve::Absent(_) | NoCurve::NotFound), "{why:?}");
        assert!(!why.text().is_empty());
    }
    // The way goes from mid-stance to mid-stance, not from contact to contact.
    let swung: Vec<&StrideRecord> = kept
        .strides
        .iter()
        .filter(|r| r.stride.start < from && r.stride.end > to)
        .collect();
    assert!(!swung.is_empty(), "some way holds the hole");
    for record in swung {
        let why = curves.foot_path(record).expect("read").expect_err("no way over a hole");
        assert!(!why.text().is_empty());
    }
    // A stride well before it is drawn as ever.
    let before = kept
        .strides
        .iter()
        .find(|r| r.stride.start.secs() > 50.0)
        .expect("a stride");
    assert!(
        curves
            .pelvis(std::slice::from_ref(before))
            .expect("read")
            .remove(0)
            .is_ok()
    );
}

/// What a curve is off the truth, rms of tilt and obliquity, degrees; only its shape where it says that only that can be read.
fn off_the_truth(curve: &PelvisCurve, truth: &Truth) -> f64 {
    let at = |i: usize| curve.from.plus(curve.to.since(curve.from) * i as f64 / 100.0);
    let true_at = |i: usize| &truth.pelvis[truth.pelvis.partition_point(|p| p.t < at(i))];
    let mut squares = 0.0;
    for of in [
        (0..POINTS)
            .map(|i| curve.tilt[i] - true_at(i).tilt)
            .collect::<Vec<f64>>(),
        (0..POINTS).map(|i| curve.obliquity[i] - true_at(i).obliquity).collect(),
    ] {
        let zero = match curve.zero {
            Zero::Standing => 0.0,
            Zero::CycleMean => mean(&of),
        };
        squares += of.iter().map(|d| (d - zero).to_degrees().powi(2)).sum::<f64>();
    }
    (squares / (2 * POINTS) as f64).sqrt()
}

/// From 55 s on the waist sensor sits turned by so many degrees about one of its own axes, which the kept numbers know nothing of.
fn turned_about(axis: usize, degrees: f64) -> (usize, usize, f64) {
    let turned = |v: crate::model::Vec3<crate::model::Sensor>| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let mut a = [v.v.x, v.v.y, v.v.z];
        let (i, j) = ((axis + 1) % 3, (axis + 2) % 3);
        (a[i], a[j]) = (cos * a[i] - sin * a[j], sin * a[i] + cos * a[j]);
        crate::model::Vec3::new(a[0], a[1], a[2])
    };
    let kept = kept_as(true, |event| match event {
        SensorEvent::Sample(Placement::Sacrum, s) if s.t.secs() >= 55.0 => {
            let mut s = *s;
            (s.acc, s.gyro) = (turned(s.acc), turned(s.gyro));
            Some(SensorEvent::Sample(Placement::Sacrum, s))
        }
        other => Some(*other),
    });
    let reader = crate::store::SqliteReader::open(kept._dir.path()).expect("reader");
    let curves = SessionCurves::new(&reader, &kept.row);
    let later: Vec<StrideRecord> = kept
        .strides
        .iter()
        .filter(|r| r.stride.start.secs() > 70.0 && r.stride.end.secs() < 86.0)
        .cloned()
        .collect();
    assert!(later.len() > 20, "{} strides", later.len());
    let truth = kept.truth.as_ref().expect("of a simulated run");
    let drawn = curves.pelvis(&later).expect("read");
    let mut worst = 0.0_f64;
    for curve in drawn.iter().filter_map(|d| d.as_ref().ok()) {
        worst = worst.max(off_the_truth(curve, truth));
    }
    for why in drawn.iter().filter_map(|d| d.as_ref().err()) {
        assert!(!why.text().is_empty());
    }
    (drawn.iter().filter(|d| d.is_ok()).count(), drawn.len(), worst)
}

/// The chain finds the turn by itself, learns the mounting anew and no longer counts from the stand before it. What it then
/// draws may be shown as far as it says it can be read.
#[test]
fn samples_of_a_sensor_that_was_turned_are_not_drawn_wrong() {
    for (axis, degrees) in [(0, 25.0), (1, 25.0), (2, 25.0), (0, 40.0), (1, -60.0)] {
        let (shown, of, worst) = turned_about(axis, degrees);
        assert!(
            shown == 0 || worst < 1.0,
            "axis {axis}, {degrees} degrees: {shown} of {of} drawn, up to {worst} degrees off the truth"
        );
    }
}

/// A real recording of all five placements; its numbers have no truth here, so what is asked is that curves agree with the
/// numbers that were kept, and that what cannot be drawn says why.
#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn a_real_recording_is_drawn_or_says_why_not() {
    let folder = std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/data/tripod/tripod_fz_pws"
    ));
    if !folder.join("recording.toml").exists() {
        assert!(
            std::env::var("LOPE_REQUIRE_ALL").as_deref() != Ok("1"),
            "recording tripod is required"
        );
        eprintln!("skipped: no recording tripod/tripod_fz_pws");
        return;
    }
    let recording = crate::interchange::recording::Recording::open(folder, None).expect("a recording");
    let mut stream = recording.stream().expect("a stream");
    let mut events = Vec::new();
    while let Some(event) = stream.next_event().expect("a sound line") {
        events.push(event);
    }
    let last = events.iter().filter_map(|e| match e {
        SensorEvent::Sample(_, s) => Some(s.t.secs()),
        _ => None,
    });
    let last = last.fold(0.0, f64::max);
    let setup = (recording.configs(), recording.athlete());
    let kept = keep(setup, last, events.into_iter(), true, |event| Some(*event));
    let reader = crate::store::SqliteReader::open(kept._dir.path()).expect("reader");
    let curves = SessionCurves::new(&reader, &kept.row);
    let measured: Vec<StrideRecord> = kept
        .strides
        .iter()
        .filter(|r| r.metrics.value(Id::PelvisObliquityRange).is_some() && r.stride.foot.is_some())
        .step_by(9)
        .cloned()
        .collect();
    assert!(measured.len() >= 10, "{} strides with both", measured.len());
    let drawn = curves.pelvis(&measured).expect("read");
    let mut shown = [0, 0];
    for (record, pelvis) in measured.iter().zip(drawn) {
        match pelvis {
            Ok(curve) => {
                let range = PelvisCurve::range(&curve.obliquity);
                let stored = record.metrics.value(Id::PelvisObliquityRange).expect("chosen so");
                assert!((range - stored).abs() <= ANGLE, "{range} for {stored}");
                shown[0] += 1;
            }
            Err(why) => assert!(!why.text().is_empty()),
        }
        match curves.foot_path(record).expect("read") {
            Ok(path) => {
                let length = record.stride.foot.expect("chosen so").displacement.v.x;
                let end = path.points.last().expect("points").place.v.x;
                assert!((end - length).abs() <= LENGTH_SHARE * length, "{end} for {length}");
                shown[1] += 1;
            }
            Err(why) => assert!(!why.text().is_empty()),
        }
    }
    println!(
        "of {} strides: {} pelvis curves, {} ways of the foot",
        measured.len(),
        shown[0],
        shown[1]
    );
    // Refusing everything would be easy.
    assert!(
        shown.iter().all(|n| 2 * n > measured.len()),
        "{shown:?} of {}",
        measured.len()
    );
}
