//! Which radio, and what to tell when it cannot: four states, each with why and what to try.

use super::failure::{Exit, Failure};
use super::{Globals, sensors};
use crate::config::place::System;
use crate::config::{Kit, RadioChoice};
use crate::model::SessionTime;
use crate::runtime::collect::SensorPlan;
use crate::runtime::radio_trouble::trouble;
use crate::sensors::radio::{Radio, RadioState, Stamp};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;

/// A radio that is able to work, and the tasks it runs on.
pub struct Tuned {
    /// The radio.
    pub radio: Arc<dyn Radio>,
    /// What runs its tasks.
    pub runtime: Runtime,
    /// Session time, from the moment the radio was switched on.
    pub stamp: Stamp,
    /// What it calls itself.
    pub name: String,
    /// What was chosen.
    pub choice: RadioChoice,
}

/// Session time that begins now.
#[must_use]
pub fn stamp_from_now() -> Stamp {
    let began = Instant::now();
    // An i64 of nanoseconds lasts 292 years.
    Arc::new(move || SessionTime::from_nanos(i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX)))
}

/// A runtime for a command's tasks.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| {
            Failure::new("lope::radio::tasks", Exit::Unexpected, "No tasks can be started.")
                .why(e.to_string())
                .try_this("close other programs and try again")
        })
}

/// The radio of the settings, before anything was asked of it. Called within a runtime.
///
/// # Errors
/// The settings are wrong, or this build lacks it.
pub fn open(globals: &Globals, stamp: &Stamp) -> Result<Arc<dyn Radio>, Failure> {
    make(&globals.settings()?.radio.value, stamp)
}

/// Makes sure that a radio is able to work; gives its name.
///
/// # Errors
/// It is in one of the four states in which nothing can be done.
pub async fn check(choice: &RadioChoice, radio: &dyn Radio) -> Result<String, Failure> {
    match radio.state().await {
        RadioState::Ready(name) => Ok(name),
        state => Err(state_failure(choice, &state)),
    }
}

/// The sensors of a kit, as they are collected from: the one named, else the default one, else the only one.
///
/// # Errors
/// The settings are wrong; there is no such kit, or it is not clear which is meant.
pub fn kit_sensors(globals: &Globals, kit: Option<&str>) -> Result<Vec<SensorPlan>, Failure> {
    Ok(plans(sensors::named(globals.settings()?, kit)?))
}

/// A kit's sensors as they are collected from.
#[must_use]
pub fn plans(kit: &Kit) -> Vec<SensorPlan> {
    kit.sensors
        .iter()
        .map(|(placement, s)| SensorPlan {
            placement: Some(*placement),
            kind: s.kind,
            os_id: s.os_id.clone().unwrap_or_default(),
            name: s.name.clone().unwrap_or_default(),
            id: s.id.clone(),
        })
        .collect()
}

/// The radio that was chosen, before anything was asked of it. Called within a runtime.
///
/// # Errors
/// This build lacks it.
pub fn make(choice: &RadioChoice, stamp: &Stamp) -> Result<Arc<dyn Radio>, Failure> {
    match choice {
        #[cfg(feature = "ble")]
        RadioChoice::Ble => Ok(Arc::new(crate::sensors::ble::BleRadio::new(Arc::clone(stamp)))),
        #[cfg(not(feature = "ble"))]
        RadioChoice::Ble => Err(lacking("ble", "Bluetooth")),
        RadioChoice::Wire { .. } => {
            let text = choice.text();
            let address = text.strip_prefix("wire:").unwrap_or(&text);
            Ok(Arc::new(crate::sensors::wire::WireRadio::new(
                address,
                Arc::clone(stamp),
            )))
        }
    }
}

#[cfg(not(feature = "ble"))]
fn lacking(feature: &str, what: &str) -> Failure {
    Failure::new(
        "lope::radio::lacking",
        Exit::Lacking,
        format!("This build of lope has no {what}."),
    )
    .why(format!("it was built without the feature `{feature}`"))
    .try_this(format!("build it in: cargo build --release --features {feature}"))
    .try_this("or run without hardware: lope demo")
}

/// Switches the chosen radio on and makes sure that it is able to work.
///
/// # Errors
/// This build lacks it, or it is in one of the four states in which nothing can be done.
pub fn tune(choice: &RadioChoice) -> Result<Tuned, Failure> {
    let runtime = runtime()?;
    let stamp = stamp_from_now();
    let radio = {
        let _inside = runtime.enter();
        make(choice, &stamp)?
    };
    let name = runtime.block_on(check(choice, &*radio))?;
    Ok(Tuned {
        radio,
        runtime,
        stamp,
        name,
        choice: choice.clone(),
    })
}

/// The failure for a radio that cannot work, in the words of this system.
#[must_use]
pub fn state_failure(choice: &RadioChoice, state: &RadioState) -> Failure {
    unable(choice, state, System::here())
}

fn unable(choice: &RadioChoice, state: &RadioState, system: System) -> Failure {
    let Some(trouble) = trouble(choice, state, system) else {
        return Failure::new("lope::radio::ended", Exit::Outside, "The scan could not be begun.")
            .why("the radio says that it is ready all the same")
            .try_this("switch Bluetooth off and on, then try again")
            .try_this("or run without hardware: lope demo");
    };
    let mut failure = Failure::new(trouble.code, Exit::Outside, trouble.what).why(trouble.why);
    for mend in trouble.mend {
        failure = failure.try_this(mend);
    }
    failure.try_this("or run without hardware: lope demo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_sentence_on_every_system_and_names_the_demo() {
        let states = [
            RadioState::NoAdapter,
            RadioState::Off,
            RadioState::NoService("no such file".to_owned()),
            RadioState::NoPermission(String::new()),
        ];
        for system in [System::Xdg, System::MacOs, System::Windows] {
            let mut sentences: Vec<_> = states.iter().map(|s| unable(&RadioChoice::Ble, s, system)).collect();
            for f in &sentences {
                assert_eq!(f.exit, Exit::Outside);
                assert!(
                    f.tries.len() >= 2 && f.tries.iter().any(|t| t.contains("lope demo")),
                    "{f:?}"
                );
                assert!(f.why.iter().all(|w| !w.is_empty()), "{f:?}");
            }
            sentences.dedup_by(|a, b| a.what == b.what || a.code == b.code);
            assert_eq!(sentences.len(), 4);
        }
        assert!(unable(&RadioChoice::Ble, &states[2], System::Xdg).why[0].contains("no such file"));
        assert_eq!(
            trouble(&RadioChoice::Ble, &RadioState::Ready("hci0".to_owned()), System::Xdg),
            None
        );
        let wire = RadioChoice::parse("wire:localhost:4000").expect("good");
        let failure = unable(&wire, &states[2], System::Xdg);
        assert!(
            failure.why[0].contains("wire:localhost:4000: no such file"),
            "{failure:?}"
        );
    }
}
