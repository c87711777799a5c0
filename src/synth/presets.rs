//! Runs that are used by name: the demonstration, the sweep of the accuracy tables, people drawn at random.

use super::faults::{FaultEvent, Faults, GilbertElliott};
use super::mount::Mounting;
use super::script::{Form, Script, Segment};
use super::simulation::{Ground, Ranges, SimConfig};
use super::subject::Subject;
use crate::model::Placement;
use crate::model::units::rad;

/// Seed of the demonstration.
const DEMO_SEED: u64 = 2026;

/// Twelve minutes that show what lope sees: standing, walking, warming up, a steady run at 3.1 m/s with a planned loss of
/// the right shoe, a stretch of overstriding, a stretch of growing fatigue, a stop. Three sensors at 208 Hz with typical
/// errors.
#[must_use]
pub fn demo() -> SimConfig {
    let overstriding = Form {
        reach_m: 0.085,
        cadence_scale: 0.93,
        contact_scale: 1.04,
        strike_rad: rad(7.0),
        ..Form::USUAL
    };
    let fatigued = Form {
        reach_m: 0.02,
        cadence_scale: 0.975,
        contact_scale: 1.09,
        strike_rad: rad(1.0),
        tilt_rad: rad(3.5),
        drop_rad: [rad(0.4), rad(2.6)],
    };
    let script = Script::new()
        .stand(6.0)
        .walk(54.0, 1.4)
        .accelerate(20.0, 2.7)
        .run(70.0, 2.7)
        .accelerate(10.0, 3.1)
        .run(125.0, 3.1)
        .run_in_form(105.0, 3.1, overstriding, 8.0)
        .run_in_form(60.0, 3.1, Form::USUAL, 8.0)
        .run_in_form(240.0, 3.1, fatigued, 160.0)
        .stop(12.0)
        .stand(18.0);
    let mut faults = Faults::typical().with(FaultEvent::Dropout {
        placement: Placement::RightFoot,
        from_s: 250.0,
        secs: 12.0,
    });
    // Twelve seconds of twelve minutes are 1.7 %: the rest of the six is a poor radio.
    faults.transport.loss[Placement::RightFoot.index()] = Some(GilbertElliott::of_share(0.044, 3.0));
    SimConfig {
        seed: DEMO_SEED,
        rate_hz: 208.0,
        subject: Subject {
            flight_residue: 0.05,
            creep_mps: 0.02,
            ..Subject::reference()
        },
        script,
        faults,
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    }
}

/// A person drawn at random running easily, sensors anywhere, typical errors.
#[must_use]
pub fn random_subject(seed: u64) -> SimConfig {
    SimConfig {
        seed,
        subject: Subject::drawn(seed),
        script: Script::new()
            .stand(12.0)
            .walk(20.0, 1.3)
            .run(120.0, 3.0)
            .stop(10.0)
            .stand(5.0),
        faults: Faults::typical(),
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    }
}

/// One case of the sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What is varied, and how far: stable, used as the name of a row.
    pub name: String,
    /// The run.
    pub config: SimConfig,
}

/// One run for each value of each axis of signal design 19.8, the others at their middle; 40 s of steady movement each
/// after 12 s of standing.
#[must_use]
pub fn sweep(seed: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, change: &dyn Fn(&mut SimConfig)| {
        let mut config = base(seed);
        change(&mut config);
        cases.push(Case { name, config });
    };
    for v in [1.0, 1.3, 1.8] {
        add(format!("walk {v:.1} m/s"), &|c| c.script = steady_walk(v));
    }
    for v in [2.2, 2.5, 3.3, 4.2, 5.5, 6.5] {
        add(format!("run {v:.1} m/s"), &|c| c.script = steady(v, None));
    }
    for cadence in [150.0, 165.0, 180.0, 200.0] {
        add(format!("cadence {cadence:.0}"), &|c| {
            c.script = steady(3.3, Some(cadence))
        });
    }
    for strike in [-8.0, -3.0, 2.0, 10.0, 18.0, 25.0] {
        add(format!("strike {strike:.0} deg"), &|c| {
            c.subject.strike_rad = rad(strike)
        });
    }
    for percent in [2.0, 5.0, 10.0] {
        add(format!("asymmetry {percent:.0} %"), &|c| {
            c.subject.contact_asymmetry = 0.01 * percent;
            c.subject.step_asymmetry = 0.005 * percent;
        });
    }
    for percent in [-8.0, -4.0, 4.0, 8.0] {
        add(format!("slope {percent:.0} %"), &|c| {
            c.script = Script::new()
                .stand(12.0)
                .run(8.0, 3.0)
                .slope(32.0, 0.01 * percent)
                .run(6.0, 3.0)
                .stop(9.0);
        });
    }
    add("belt".into(), &|c| c.ground = Ground::Belt { speed: 3.3 });
    add("turns".into(), &|c| c.script = figure_of_eight());
    add("fatigue".into(), &|c| {
        let tired = Form {
            cadence_scale: 0.96,
            contact_scale: 1.1,
            drop_rad: [rad(0.5), rad(3.0)],
            ..Form::USUAL
        };
        c.script = Script::new().stand(12.0).run_in_form(60.0, 3.3, tired, 60.0).stop(9.0);
    });
    for rate in [100.0, 400.0] {
        add(format!("rate {rate:.0} Hz"), &|c| c.rate_hz = rate);
    }
    for g in [8.0, 16.0, 200.0] {
        add(format!("range {g:.0} g"), &|c| {
            c.ranges = Ranges {
                acc_g: [g; 3],
                gyro_dps: [4000.0; 3],
            }
        });
    }
    for which in 0..24 {
        add(format!("mount {which}"), &|c| c.mounting = Mounting::Straight(which));
    }
    cases
}

/// The middle of the sweep.
fn base(seed: u64) -> SimConfig {
    SimConfig {
        seed,
        subject: Subject {
            creep_mps: 0.05,
            flight_residue: 0.05,
            ..Subject::reference()
        },
        script: steady(3.3, None),
        placements: Placement::ALL.to_vec(),
        faults: Faults::typical(),
        mounting: Mounting::Drawn,
        ..SimConfig::default()
    }
}

fn steady(speed: f64, cadence: Option<f64>) -> Script {
    let run = Segment::Run {
        secs: 40.0,
        speed,
        cadence,
        form: Form::USUAL,
        onset_s: 0.0,
    };
    Script::new().stand(12.0).accelerate(6.0, speed).then(run).stop(12.0)
}

fn steady_walk(speed: f64) -> Script {
    Script::new().stand(12.0).walk(46.0, speed).stop(8.0)
}

fn figure_of_eight() -> Script {
    let lap = rad(330.0);
    let mut script = Script::new().stand(12.0).run(8.0, 2.8);
    for _ in 0..2 {
        script = script.turn(lap, 5.0).turn(-lap, 5.0);
    }
    script.run(5.0, 2.8).stop(9.0)
}
