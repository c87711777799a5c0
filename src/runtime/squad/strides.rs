//! A season's strides: minutes of the simulated runner through the real pipeline, repeated with differences from day to day.
//!
//! Differences are drawn once a run and follow what is assumed of people and of straps put on anew (spreads of
//! docs/reference/flags.md: step rate 1.5 %, drop 0.9°, side-to-side share 6 %, sacral peak 5 %, shank 1.5°). They are
//! added to what the pipeline measured, kinematics first: another step rate means other times and lengths at the same speed.

use super::people::{PEOPLE, Person, RATE_HZ, Run, normal, share};
use super::{Session, people};
use crate::metrics::{MetricId, MetricSet, StrideRecord};
use crate::model::units::rad;
use crate::model::{Activity, Contact, DataClass, GapCause, Placement, SensorEvent, SessionTime, Side};
use crate::pipeline::{Output, Pipeline, PipelineConfig, Window};
use crate::store::SessionEvent;
use crate::synth::{Form, Mounting, Script, SimConfig, Simulation, TrueEvent};

/// Simulated, s: standing, getting going, and running to take strides from.
const STAND_S: f64 = 6.0;
const GET_GOING_S: f64 = 24.0;
const RUN_S: f64 = 80.0;
/// The two speeds of a stock, over the easy one, m/s.
const SPEEDS: [f64; 2] = [-0.15, 0.55];
/// A run begins with standing, s.
const BEGIN_S: f64 = 8.0;

/// Strides of one form at one speed, their times counted from the first of them.
struct Stretch {
    strides: Vec<StrideRecord>,
    /// After this long the stretch begins anew, s.
    period_s: f64,
}

/// What a person's runs are made of: usual and changed form, slow and fast.
pub(super) struct Stock {
    kit: &'static [Placement],
    usual: [Stretch; 2],
    changed: [Stretch; 2],
}

/// Everybody's stock, on all processors.
pub(super) fn stocks(seed: u64) -> Vec<Stock> {
    std::thread::scope(|scope| {
        let handles: Vec<_> = PEOPLE
            .iter()
            .map(|person| scope.spawn(move || stock(person, seed)))
            .collect();
        handles
            .into_iter()
            .map(|h| match h.join() {
                Ok(stock) => stock,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn stock(person: &Person, seed: u64) -> Stock {
    let of = |form: Form| SPEEDS.map(|dv| stretch(person, person.speed + dv, form, seed));
    Stock {
        kit: person.kit,
        usual: of(Form::USUAL),
        changed: of(person.form()),
    }
}

fn stretch(person: &Person, speed: f64, form: Form, seed: u64) -> Stretch {
    let simulation = Simulation::new(SimConfig {
        seed: seed ^ (speed * 1e3) as u64,
        rate_hz: RATE_HZ,
        placements: person.kit.to_vec(),
        subject: person.subject(),
        script: Script::new()
            .stand(STAND_S)
            .accelerate(8.0, speed)
            .run_in_form(GET_GOING_S + RUN_S, speed, form, 8.0)
            .stop(6.0),
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    });
    let mut pipeline = Pipeline::new(PipelineConfig {
        sensors: simulation.sensor_configs(),
        athlete: simulation.athlete(),
        ..PipelineConfig::default()
    });
    let standing = simulation.truth(0.0).events.into_iter().find_map(|e| match e {
        TrueEvent::Standing(span) => Some(span),
        _ => None,
    });
    let (mut outputs, mut stood) = (Vec::new(), standing.is_none());
    for event in simulation.events() {
        if let (false, Some(span), SensorEvent::Sample(_, s)) = (stood, standing, &event)
            && s.t.secs() > span.end().secs() + 0.2
        {
            stood = true;
            pipeline.push(
                &SensorEvent::Standing {
                    from: span.start(),
                    to: span.end(),
                },
                &mut outputs,
            );
        }
        pipeline.push(&event, &mut outputs);
    }
    pipeline.flush(&mut outputs);
    let from = STAND_S + 8.0 + GET_GOING_S;
    let strides = outputs.into_iter().filter_map(|o| match o {
        Output::Stride(record) => Some(*record),
        _ => None,
    });
    let running = |r: &StrideRecord| {
        let t = r.stride.start.secs();
        r.stride.activity == Activity::Running && (from..from + RUN_S).contains(&t)
    };
    repeatable(strides.filter(running).collect())
}

/// The strides from the first to the last of one side, so that the end meets the beginning.
fn repeatable(mut strides: Vec<StrideRecord>) -> Stretch {
    strides.sort_by_key(|r| (r.stride.start, r.stride.side));
    let first = strides.first().map(|r| (r.stride.start, r.stride.side));
    let Some((origin, side)) = first else {
        return Stretch {
            strides,
            period_s: f64::INFINITY,
        };
    };
    let last = strides
        .iter()
        .rev()
        .find(|r| r.stride.side == side)
        .map_or(origin, |r| r.stride.start);
    strides.retain(|r| r.stride.start < last);
    for record in &mut strides {
        shift(record, -origin.secs(), 1.0);
    }
    Stretch {
        strides,
        period_s: last.since(origin),
    }
}

/// Moves a stride in time: to `offset_s` after `scale` times its time.
fn shift(record: &mut StrideRecord, offset_s: f64, scale: f64) {
    let at = |t: SessionTime| SessionTime::from_secs(t.secs() * scale + offset_s);
    let stride = &mut record.stride;
    stride.start = at(stride.start);
    stride.end = at(stride.end);
    stride.next_ic = stride.next_ic.map(at);
    stride.contact = stride.contact.map(|c| Contact {
        ic: at(c.ic),
        m: at(c.m),
        tc: at(c.tc),
    });
}

/// What differs in one run.
struct Today {
    cadence: f64,
    contact: f64,
    reach_m: f64,
    shank_rad: f64,
    tilt_rad: f64,
    drop_rad: [f64; 2],
    ml: f64,
    impact: f64,
}

impl Today {
    fn drawn(seed: u64) -> Self {
        let n = |k: u64| normal(seed, 3, k);
        Self {
            cadence: 1.0 + 0.010 * n(0),
            contact: 1.0 + 0.012 * n(1),
            reach_m: 0.008 * n(2),
            shank_rad: rad(0.9) * n(3),
            tilt_rad: rad(1.0) * n(4),
            drop_rad: [rad(0.5) * n(5), rad(0.5) * n(6)],
            ml: 1.0 + 0.04 * n(7),
            impact: 1.0 + 0.035 * n(8),
        }
    }

    /// Puts the difference into a stride's measurements. Its times are scaled elsewhere.
    fn apply(&self, set: &mut MetricSet, side: Option<Side>) {
        let mut change = |id: MetricId, f: &dyn Fn(f64) -> f64| {
            if let Some(v) = set.value(id) {
                set.set(id, Ok(f(v)));
            }
        };
        let c = self.cadence;
        for id in [
            MetricId::StrideTime,
            MetricId::StepTime,
            MetricId::FlightTime,
            MetricId::StrideLength,
        ] {
            change(id, &|v| v / c);
        }
        change(MetricId::Cadence, &|v| v * c);
        change(MetricId::ContactTime, &|v| v * self.contact);
        change(MetricId::OverstrideDistance, &|v| v + self.reach_m);
        change(MetricId::ShankAngleIc, &|v| v + self.shank_rad);
        change(MetricId::PelvisTilt, &|v| v + self.tilt_rad);
        let drop = self.drop_rad[usize::from(side == Some(Side::Right))];
        change(MetricId::PelvisDrop, &|v| v + drop);
        change(MetricId::MlRmsRatio, &|v| v * self.ml);
        for id in [
            MetricId::SacralPeakAcc,
            MetricId::TibialPeakAcc,
            MetricId::TibialPeakAxial,
        ] {
            change(id, &|v| v * self.impact);
        }
    }
}

/// One of the season's sessions.
pub(super) fn session(stock: &Stock, run: &Run) -> Session {
    let today = Today::drawn(run.seed);
    let mut strides: Vec<StrideRecord> = Vec::new();
    let mut at_s = BEGIN_S;
    let mut part = 0_u64;
    let (mut counts, lost) = ([0_u32; 3], lost_span(run));
    while at_s < run.secs {
        let progress = at_s / run.secs;
        let draw = |k: u64| share(run.seed, 10 + part, k);
        // Tiredness comes in the second half.
        let late = run.late * ((progress - 0.45) / 0.4).clamp(0.0, 1.0);
        let forms = if draw(0) < run.changed.max(late) {
            &stock.changed
        } else {
            &stock.usual
        };
        let stretch = &forms[usize::from(draw(1) < run.pace)];
        if !stretch.period_s.is_finite() {
            break;
        }
        let scale = 1.0 / today.cadence;
        for template in &stretch.strides {
            let mut record = template.clone();
            shift(&mut record, at_s, scale);
            let t = record.stride.start.secs();
            if t > run.secs || lost.is_some_and(|(from, to)| t >= from && t < to) {
                continue;
            }
            today.apply(&mut record.metrics, record.stride.side);
            let column = record.stride.side.map_or(2, |s| usize::from(s == Side::Right));
            record.index = counts[column];
            counts[column] += 1;
            if share(run.seed, 5, strides.len() as u64) < run.poor {
                record.class = DataClass::C;
                record.stride.quality.gaps = 0.45;
            }
            strides.push(record);
        }
        at_s += stretch.period_s * scale;
        part += 1;
    }
    strides.sort_by_key(|r| (r.stride.start, r.stride.side));
    Session {
        events: events(stock.kit, run, lost),
        windows: windows(&strides, run),
        strides,
        stop_s: run.secs + 5.0,
    }
}

fn lost_span(run: &Run) -> Option<(f64, f64)> {
    (run.lost_s > 0.0).then(|| {
        let from = 0.5 * run.secs;
        (from, from + run.lost_s)
    })
}

fn events(kit: &[Placement], run: &Run, lost: Option<(f64, f64)>) -> Vec<SessionEvent> {
    let mut all = vec![SessionEvent::Standing {
        from: SessionTime::from_secs(1.0),
        to: SessionTime::from_secs(BEGIN_S - 1.0),
    }];
    all.extend(kit.iter().map(|p| SessionEvent::Aligned {
        placement: *p,
        t: SessionTime::from_secs(BEGIN_S + 20.0),
    }));
    if let Some((from, to)) = lost {
        all.push(SessionEvent::Gap {
            placement: Placement::RightFoot,
            from: SessionTime::from_secs(from),
            to: SessionTime::from_secs(to),
            missing: ((to - from) * people::RATE_HZ) as u32,
            cause: GapCause::Lost,
        });
    }
    if run.swapped {
        all.push(SessionEvent::SidesSwapped {
            t: SessionTime::from_secs(BEGIN_S + 9.0),
        });
    }
    all
}

/// Activity and spectral cadence, every ten seconds.
fn windows(strides: &[StrideRecord], run: &Run) -> Vec<Window> {
    let mut all = Vec::new();
    let mut next_s = BEGIN_S + 5.0;
    for record in strides {
        let t = record.stride.start.secs();
        if t >= next_s {
            all.push(Window {
                t: record.stride.start,
                spectral_cadence: record.metrics.value(MetricId::Cadence),
                activity: Activity::Running,
            });
            next_s = t + 10.0;
        }
    }
    all.retain(|w| w.t.secs() < run.secs);
    all
}
