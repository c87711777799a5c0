//! Which sensors a command works with: those of a kit, or those named on the command line.

use super::Globals;
use super::failure::{Exit, Failure};
use super::radio;
use crate::config::RadioChoice;
use crate::model::Placement;
use crate::runtime::collect::SensorPlan;
use crate::runtime::stop::Stop;
use crate::sensors::drivers::DriverKind;
use crate::sensors::link::Advert;
use crate::sensors::radio::{Radio, Stamp};
use clap::Args;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long named sensors are looked for.
const LOOK_FOR: Duration = Duration::from_secs(20);

/// Arguments by which sensors are chosen.
#[derive(Args, Debug)]
pub struct SensorArgs {
    /// The kit of sensors to use (lope sensors lists them)
    #[arg(long, value_name = "NAME")]
    pub(super) kit: Option<String>,
    /// A sensor and its place, instead of a kit: left_foot=pod-4F21. Places other than the five of the body are taken
    /// along without being placed: chest="Polar H10 9A3"
    #[arg(long = "sensor", value_name = "PLACE=NAME", value_parser = named, conflicts_with = "kit")]
    pub(super) sensors: Vec<Named>,
}

/// A sensor named on the command line.
#[derive(Clone, Debug)]
pub struct Named {
    placement: Option<Placement>,
    name: String,
}

fn named(text: &str) -> Result<Named, String> {
    match text.split_once('=') {
        Some((place, name)) if !place.is_empty() && !name.is_empty() => Ok(Named {
            placement: Placement::from_name(place),
            name: name.to_owned(),
        }),
        _ => Err("expected PLACE=NAME, as in left_foot=pod-4F21".to_owned()),
    }
}

/// A radio, and the sensors to use on it.
pub struct Choice {
    /// The radio.
    pub radio: Arc<dyn Radio>,
    /// The sensors.
    pub sensors: Vec<SensorPlan>,
}

/// Chooses.
///
/// # Errors
/// The radio is not able to; no such kit; named sensors are not there.
pub async fn choose(globals: &Globals, args: &SensorArgs, stamp: &Stamp, stop: &Stop) -> Result<Choice, Failure> {
    let radio = radio::open(globals, stamp)?;
    let chosen = &globals.settings()?.radio.value;
    radio::check(chosen, &*radio).await?;
    let sensors = if args.sensors.is_empty() {
        radio::kit_sensors(globals, args.kit.as_deref())?
    } else {
        find(chosen, &*radio, &args.sensors, stop).await?
    };
    Ok(Choice { radio, sensors })
}

/// Whether an advert is the sensor of that name: its name, the system's name for it, or the end of its name.
fn answers_to(advert: &Advert, name: &str) -> bool {
    advert.os_id.eq_ignore_ascii_case(name) || advert.name.as_deref().is_some_and(|n| n == name)
}

async fn find(
    chosen: &RadioChoice,
    radio: &dyn Radio,
    wanted: &[Named],
    stop: &Stop,
) -> Result<Vec<SensorPlan>, Failure> {
    let mut found: BTreeMap<usize, SensorPlan> = BTreeMap::new();
    let mut seen: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut adverts = radio
        .scan()
        .await
        .map_err(|state| radio::state_failure(chosen, &state))?;
    let deadline = tokio::time::sleep(LOOK_FOR);
    tokio::pin!(deadline);
    while found.len() < wanted.len() && !stop.asked() {
        let advert = tokio::select! {
            advert = adverts.recv() => advert,
            () = &mut deadline => None,
        };
        let Some(advert) = advert else { break };
        seen.insert(advert.os_id.clone(), advert.name.clone());
        let Some(kind) = DriverKind::recognise(&advert) else {
            continue;
        };
        let taken = |p: &SensorPlan| p.os_id == advert.os_id;
        if found.values().any(taken) {
            continue;
        }
        let free = |i: &usize| !found.contains_key(i) && answers_to(&advert, &wanted[*i].name);
        if let Some(i) = (0..wanted.len()).find(free) {
            found.insert(
                i,
                SensorPlan {
                    placement: wanted[i].placement,
                    kind,
                    os_id: advert.os_id.clone(),
                    name: advert.name.clone().unwrap_or_default(),
                    id: None,
                },
            );
        }
    }
    let absent: Vec<&str> = (0..wanted.len())
        .filter(|i| !found.contains_key(i))
        .map(|i| wanted[i].name.as_str())
        .collect();
    if absent.is_empty() {
        return Ok(found.into_values().collect());
    }
    let names: Vec<String> = seen.into_values().flatten().collect();
    Err(Failure::new(
        "lope::sensors::not_found",
        Exit::Outside,
        format!("Not found in {} s: {}.", LOOK_FOR.as_secs(), absent.join(", ")),
    )
    .why(if names.is_empty() {
        "no sensor was seen at all".to_owned()
    } else {
        format!("seen: {}", names.join(", "))
    })
    .try_this("wake the sensors (a tap, the button, the strap put on), then look with: lope scan"))
}
