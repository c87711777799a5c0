//! A run that is simulated and measured whole: samples, raw recording, pipeline, store.

use super::people::{Person, RATE_HZ, Run};
use super::{BATCH_ROWS, FIRST_ANALYSIS, VERSION};
use crate::model::{SensorEvent, SessionTime};
use crate::pipeline::{Pipeline, PipelineConfig};
use crate::store::raw::RawOptions;
use crate::store::{Batch, Closing, HealthSeries, Opened, SessionMeta, SqliteStore, Store as _, StoreError};
use crate::synth::{FaultEvent, Faults, Form, Mounting, Script, SimConfig, Simulation, TrueEvent};

/// How long such a run is, s.
const SECS: f64 = 720.0;

fn simulation(person: &Person, run: &Run) -> Simulation {
    let faults = Faults::typical().with(FaultEvent::Dropout {
        placement: crate::model::Placement::RightFoot,
        from_s: 250.0,
        secs: 12.0,
    });
    let form = if run.changed > 0.0 || run.late > 0.0 {
        person.form()
    } else {
        Form::USUAL
    };
    Simulation::new(SimConfig {
        seed: run.seed,
        rate_hz: RATE_HZ,
        placements: person.kit.to_vec(),
        subject: person.subject(),
        script: Script::new()
            .stand(8.0)
            .accelerate(12.0, person.speed)
            .run(0.35 * SECS, person.speed)
            .run_in_form(0.65 * SECS - 40.0, person.speed, form, 60.0)
            .stop(10.0)
            .stand(10.0),
        faults,
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    })
}

/// Simulates, measures and keeps it; how many strides.
pub(super) fn measure(
    store: &SqliteStore,
    person: &Person,
    run: &Run,
    mut meta: SessionMeta,
) -> Result<u64, StoreError> {
    let simulation = simulation(person, run);
    meta.sensors = simulation.sensor_configs();
    let id = meta.id.clone();
    if store.open_session(&meta)? == Opened::AlreadyClosed {
        return Ok(0);
    }
    let mut raw = store.start_raw(&id, RawOptions::default())?;
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        sync_sigma_s: 0.002,
        personal_speed_offset: 0.0,
    });
    let standing = simulation.truth(0.0).events.into_iter().find_map(|e| match e {
        TrueEvent::Standing(span) => Some(span),
        _ => None,
    });
    let (mut outputs, mut strides, mut stood) = (Vec::new(), 0, standing.is_none());
    let mut health = HealthSeries::default();
    let mut batch = Batch::new(id.clone(), FIRST_ANALYSIS);
    for event in simulation.events() {
        if let (false, Some(span), SensorEvent::Sample(_, s)) = (stood, standing, &event)
            && s.t.secs() > span.end().secs() + 0.2
        {
            stood = true;
            let declared = SensorEvent::Standing {
                from: span.start(),
                to: span.end(),
            };
            raw.push(&declared)?;
            pipeline.push(&declared, &mut outputs);
        }
        raw.push(&event)?;
        health.take(&event);
        pipeline.push(&event, &mut outputs);
        for output in outputs.drain(..) {
            batch.push_output(&output)?;
            strides += u64::from(matches!(output, crate::pipeline::Output::Stride(_)));
        }
        if batch.len() >= BATCH_ROWS {
            store.append(std::mem::replace(&mut batch, Batch::new(id.clone(), FIRST_ANALYSIS)))?;
        }
    }
    pipeline.flush(&mut outputs);
    for output in outputs.drain(..) {
        batch.push_output(&output)?;
        strides += u64::from(matches!(output, crate::pipeline::Output::Stride(_)));
    }
    raw.flush()?;
    store.append(batch)?;
    store.seal_raw(raw)?;
    let closing = Closing {
        stop: SessionTime::from_secs(simulation.duration_s()),
        analysis: FIRST_ANALYSIS,
        pipeline_version: VERSION.to_owned(),
        params: serde_json::json!({ "synthetic": "whole" }),
        sensors: Vec::new(),
    };
    store.close_session(&id, &closing)?;
    store.keep_health(&id, health.rows())?;
    Ok(strides)
}
