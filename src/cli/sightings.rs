//! Sensors heard in a scan: many adverts, each with a part of the truth, become one row a sensor.

use super::sensor_words::{self, clean, kind_and_limits, place, told_apart};
use crate::config::{KitSensor, Settings};
use crate::model::{Placement, SessionTime};
use crate::sensors::drivers::DriverKind;
use crate::sensors::link::Advert;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Share of a new reading of the signal's strength: single readings jump by 10 dB.
const NEWEST_SHARE: f64 = 0.3;

/// Which sensors are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Those lope understands.
    Understood,
    /// Everything that advertises.
    Everything,
}

/// One sensor, all its adverts together.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What it said of itself; services and makers of all adverts.
    pub advert: Advert,
    /// Strength of the signal, dBm, smoothed.
    pub rssi_dbm: Option<f64>,
    /// When it was heard first.
    pub first: SessionTime,
}

impl Sighting {
    /// The protocol it speaks; `None` if lope understands none of it.
    #[must_use]
    pub fn kind(&self) -> Option<DriverKind> {
        DriverKind::recognise(&self.advert)
    }
}

/// Everything heard so far.
#[derive(Clone, Debug, Default)]
pub struct Sightings(BTreeMap<String, Sighting>);

impl Sightings {
    /// Takes an advert.
    pub fn hear(&mut self, advert: Advert, now: SessionTime) {
        let seen = self.0.entry(advert.os_id.clone()).or_insert_with(|| Sighting {
            advert: Advert {
                os_id: advert.os_id.clone(),
                ..Advert::default()
            },
            rssi_dbm: None,
            first: now,
        });
        let known = &mut seen.advert;
        if advert.name.as_deref().is_some_and(|n| !n.trim().is_empty()) {
            known.name = advert.name;
        }
        for service in advert.services {
            if !known.services.contains(&service) {
                known.services.push(service);
            }
        }
        for company in advert.companies {
            if !known.companies.contains(&company) {
                known.companies.push(company);
            }
        }
        if let Some(rssi) = advert.rssi_dbm {
            known.rssi_dbm = Some(rssi);
            let rssi = f64::from(rssi);
            seen.rssi_dbm = Some(seen.rssi_dbm.map_or(rssi, |old| old + NEWEST_SHARE * (rssi - old)));
        }
        known.connected = advert.connected;
    }

    /// Sensors in the order in which they were first heard, so that rows stay where they are.
    #[must_use]
    pub fn list(&self, shown: Shown) -> Vec<&Sighting> {
        let mut list: Vec<_> = self
            .0
            .values()
            .filter(|s| shown == Shown::Everything || s.kind().is_some())
            .collect();
        list.sort_by_key(|s| (s.first, s.advert.os_id.clone()));
        list
    }
}

/// The kit and place of a sensor that is known already.
fn known<'a>(settings: &'a Settings, advert: &Advert) -> Option<(&'a str, Placement, &'a KitSensor)> {
    settings.kits.iter().find_map(|(name, kit)| {
        let sensors = &kit.value.sensors;
        let (placement, sensor) = sensors
            .iter()
            .find(|(_, s)| s.os_id.as_deref() == Some(advert.os_id.as_str()))?;
        Some((name.as_str(), *placement, sensor))
    })
}

fn note(seen: &Sighting, settings: &Settings) -> String {
    let mut parts = Vec::new();
    let (_, limits) = kind_and_limits(&seen.advert);
    if !limits.is_empty() {
        parts.push(limits.to_owned());
    }
    if seen.advert.connected {
        parts.push("connected already: another program may hold it".to_owned());
    }
    if let Some((kit, placement, _)) = known(settings, &seen.advert) {
        parts.push(format!("{} of kit {kit}", place(placement)));
    }
    parts.join(" · ")
}

/// The table people read.
#[must_use]
pub fn table(list: &[&Sighting], settings: &Settings) -> String {
    let names: Vec<_> = list
        .iter()
        .map(|s| (s.advert.os_id.as_str(), s.advert.name.as_deref()))
        .collect();
    let names = told_apart(&names);
    let mut rows = vec![["NAME", "KIND", "SIGNAL", "BATTERY", "NOTE"].map(str::to_owned)];
    rows.extend(list.iter().map(|s| {
        let battery = known(settings, &s.advert).and_then(|(_, _, k)| k.battery);
        [
            names[s.advert.os_id.as_str()].clone(),
            kind_and_limits(&s.advert).0.to_owned(),
            sensor_words::signal(s.rssi_dbm),
            battery.map_or_else(|| "-".to_owned(), |b| format!("{b} %")),
            note(s, settings),
        ]
    }));
    if list.is_empty() {
        String::new()
    } else {
        sensor_words::table(&rows)
    }
}

/// The same for programs.
#[must_use]
pub fn as_json(list: &[&Sighting], settings: &Settings) -> Value {
    list.iter()
        .map(|s| {
            let known = known(settings, &s.advert);
            json!({
                "name": s.advert.name.as_deref().map(clean), "os_id": s.advert.os_id,
                "kind": s.kind().map(DriverKind::name), "rssi_dbm": s.rssi_dbm.map(f64::round),
                "connected": s.advert.connected, "limits": kind_and_limits(&s.advert).1,
                "kit": known.map(|(kit, _, _)| kit), "placement": known.map(|(_, p, _)| p.name()),
                "battery": known.and_then(|(_, _, k)| k.battery),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::place::System;
    use crate::config::{Inputs, settings::Flags};
    use crate::sensors::link::sig_uuid;
    use std::path::Path;

    fn settings(text: &str) -> Settings {
        Settings::resolve(&Inputs {
            file: Some((Path::new("config.toml"), text)),
            variables: &|_| None,
            flags: Flags::default(),
            system: System::Xdg,
        })
        .expect("good")
    }

    fn advert(os_id: &str, name: Option<&str>, rssi: Option<i16>) -> Advert {
        Advert {
            os_id: os_id.to_owned(),
            name: name.map(str::to_owned),
            rssi_dbm: rssi,
            ..Advert::default()
        }
    }

    #[test]
    fn parts_of_several_adverts_make_one_row() {
        let mut heard = Sightings::default();
        let at = |s| SessionTime::from_secs(s);
        heard.hear(advert("C0:01", None, Some(-60)), at(0.1));
        heard.hear(advert("C0:02", Some("TV"), Some(-40)), at(0.2));
        heard.hear(advert("C0:01", Some("Footy"), Some(-80)), at(0.3));
        let rsc = Advert {
            services: vec![sig_uuid(0x1814)],
            connected: true,
            ..advert("C0:01", Some(""), None)
        };
        heard.hear(rsc, at(0.4));
        assert_eq!(heard.list(Shown::Everything).len(), 2);
        let list = heard.list(Shown::Understood);
        let seen = list[0];
        assert_eq!(list.len(), 1, "a television is no sensor");
        assert_eq!(seen.advert.name.as_deref(), Some("Footy"), "a name once said stays");
        assert_eq!(seen.kind(), Some(DriverKind::Standard));
        assert!((seen.rssi_dbm.expect("known") + 66.0).abs() < 1e-9, "{seen:?}");
        let kit = "[kit.b]\nleft_foot = { os_id = \"C0:01\", kind = \"standard\", battery = 40 }\n";
        let text = table(&list, &settings(kit));
        for part in [
            "NAME",
            "Footy",
            "foot pod",
            "66 dBm",
            "40 %",
            "speed and cadence only",
            "connected already",
            "left shoe of kit b",
        ] {
            assert!(text.contains(part), "no {part} in\n{text}");
        }
        let json = as_json(&list, &settings(kit));
        assert_eq!(
            (json[0]["kind"].as_str(), json[0]["placement"].as_str()),
            (Some("standard"), Some("left_foot"))
        );
        assert_eq!(table(&[], &settings("")), "");
    }
}
