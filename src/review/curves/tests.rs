//! Curves against the stored numbers, and against the truth of a simulated run: the runner of `synth` shares no code with
//! the chains.

use super::*;
use crate::model::{Athlete, SensorEvent};
use crate::pipeline::{Output, Pipeline, PipelineConfig};
use crate::review::SpeedRange;
use crate::store::batch::FIRST_ANALYSIS;
use crate::store::raw::RawOptions;
use crate::store::{AthleteId, Batch, Closing, Origin, SessionMeta, SqliteStore, Store as _, UtcMicros, WallClock};
use crate::synth::{Script, SimConfig, Simulation, Truth};

struct Kept {
    _dir: tempfile::TempDir,
    row: SessionRow,
    strides: Vec<StrideRecord>,
    truth: Truth,
}

fn kept(with_raw: bool) -> Kept {
    let simulation = Simulation::new(SimConfig {
        seed: 11,
        script: Script::new().stand(8.0).accelerate(8.0, 3.1).run(74.0, 3.1),
        ..SimConfig::default()
    });
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
        sensors: simulation.sensor_configs(),
    };
    store.open_session(&meta).expect("session");
    let mut raw = with_raw.then(|| store.start_raw(&id, RawOptions::default()).expect("raw"));
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        sync_sigma_s: 0.002,
        personal_speed_offset: 0.0,
    });
    let standing = SensorEvent::Standing {
        from: SessionTime::from_secs(1.0),
        to: SessionTime::from_secs(7.0),
    };
    let (mut outputs, mut stood) = (Vec::new(), false);
    let mut batch = Batch::new(id.clone(), FIRST_ANALYSIS);
    let mut strides = 0;
    for event in simulation.events() {
        let mut both = |event: &SensorEvent| {
            if let Some(raw) = &mut raw {
                raw.push(event).expect("kept");
            }
            pipeline.push(event, &mut outputs);
        };
        if matches!(&event, SensorEvent::Sample(_, s) if !stood && s.t.secs() > 7.2) {
            stood = true;
            both(&standing);
        }
        both(&event);
    }
    pipeline.flush(&mut outputs);
    for output in &outputs {
        strides += u32::from(matches!(output, Output::Stride(_)));
        batch.push_output(output).expect("row");
    }
    assert!(strides > 150, "{strides} strides");
    store.append(batch).expect("rows");
    if let Some(raw) = raw {
        store.seal_raw(raw).expect("sealed");
    }
    let closing = Closing {
        stop: SessionTime::from_secs(simulation.duration_s()),
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
        truth: simulation.truth(500.0),
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
            let after = kept.truth.pelvis.partition_point(|p| p.t < t);
            let Some(truth) = kept.truth.pelvis.get(after) else {
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
