//! Changing a settings file: only what changes, comments and order of the rest stay.

use super::kit::{self, Kit, KitSensor};
use super::settings::check_athlete;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// Why a file could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file is not TOML, or `kit` in it is no table: it has to be mended by hand first.
    #[error("{0}")]
    Unreadable(String),
    /// There is no kit of that name.
    #[error("there is no kit {0}")]
    NoSuchKit(String),
    /// There is a kit of that name already.
    #[error("there is a kit {0} already")]
    KitExists(String),
    /// A kit cannot be called so.
    #[error("{0}")]
    Name(String),
    /// An athlete cannot be called so.
    #[error("{0}")]
    Athlete(String),
}

/// Adds a kit, or makes the one of its name what it now is.
///
/// # Errors
/// The file is not readable, or the name not allowed.
pub fn put_kit(text: &str, kit: &Kit) -> Result<String, EditError> {
    kit::check_name(&kit.name).map_err(EditError::Name)?;
    let mut document = parse(text)?;
    let kits = kits(&mut document)?;
    if kits.get(&kit.name).is_none() {
        kits.insert(&kit.name, Item::Table(Table::new()));
    }
    let table = kits
        .get_mut(&kit.name)
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| EditError::Unreadable(format!("kit.{} is no table", kit.name)))?;
    for place in crate::model::Placement::ALL {
        let Some(sensor) = kit.sensors.get(&place) else {
            table.remove(place.name());
            continue;
        };
        if let Some(there) = table.get_mut(place.name()).and_then(Item::as_table_like_mut) {
            fill(there, sensor);
        } else {
            let mut fresh = InlineTable::new();
            fill(&mut fresh, sensor);
            table.insert(place.name(), Item::Value(Value::InlineTable(fresh)));
        }
    }
    Ok(document.to_string())
}

/// Takes a kit out. A `default_kit` that named it goes too.
///
/// # Errors
/// The file is not readable, or has no such kit.
pub fn forget_kit(text: &str, name: &str) -> Result<String, EditError> {
    let mut document = parse(text)?;
    kits(&mut document)?
        .remove(name)
        .ok_or_else(|| EditError::NoSuchKit(name.to_owned()))?;
    if document.get("default_kit").and_then(Item::as_str) == Some(name) {
        document.remove("default_kit");
    }
    Ok(document.to_string())
}

/// Gives a kit another name. A `default_kit` that named it follows.
///
/// # Errors
/// The file is not readable, has no such kit, or has one of the new name.
pub fn rename_kit(text: &str, from: &str, to: &str) -> Result<String, EditError> {
    kit::check_name(to).map_err(EditError::Name)?;
    let mut document = parse(text)?;
    let kits = kits(&mut document)?;
    if kits.get(to).is_some() {
        return Err(EditError::KitExists(to.to_owned()));
    }
    let item = kits.remove(from).ok_or_else(|| EditError::NoSuchKit(from.to_owned()))?;
    kits.insert(to, item);
    if document.get("default_kit").and_then(Item::as_str) == Some(from) {
        replace(document.as_table_mut(), "default_kit", to.into());
    }
    Ok(document.to_string())
}

/// Makes an athlete the one meant when none is named.
///
/// # Errors
/// The file is not readable, or no athlete can have this id.
pub fn put_athlete(text: &str, id: &str) -> Result<String, EditError> {
    check_athlete(id).map_err(EditError::Athlete)?;
    let mut document = parse(text)?;
    replace(document.as_table_mut(), "athlete", id.into());
    Ok(document.to_string())
}

fn parse(text: &str) -> Result<DocumentMut, EditError> {
    text.parse()
        .map_err(|e: toml_edit::TomlError| EditError::Unreadable(e.message().to_owned()))
}

/// The table of kits; made if there is none.
fn kits(document: &mut DocumentMut) -> Result<&mut dyn TableLike, EditError> {
    let item = document.entry("kit").or_insert_with(|| {
        let mut table = Table::new();
        // `[kit]` alone says nothing; only `[kit.NAME]` is written.
        table.set_implicit(true);
        Item::Table(table)
    });
    item.as_table_like_mut()
        .ok_or_else(|| EditError::Unreadable("kit is no table".to_owned()))
}

fn fill(table: &mut dyn TableLike, sensor: &KitSensor) {
    let text = |t: &Option<String>| t.as_deref().map(Value::from);
    let values = [
        text(&sensor.id),
        text(&sensor.os_id),
        Some(sensor.kind.name().into()),
        text(&sensor.name),
        text(&sensor.firmware),
        sensor.battery.map(|b| i64::from(b).into()),
        text(&sensor.last_seen),
        sensor.cadence.and_then(kit::cadence_name).map(Value::from),
        sensor.calibration.as_ref().map(|c| Value::InlineTable(inline(c))),
    ];
    for (key, value) in kit::KEYS.into_iter().zip(values) {
        match value {
            Some(value) => replace(table, key, value),
            None => drop(table.remove(key)),
        }
    }
}

/// Puts a value in a key's place and leaves the comment behind it where it is.
fn replace(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        Some(item) => *item = Item::Value(value),
        None => drop(table.insert(key, Item::Value(value))),
    }
}

fn inline(table: &toml::Table) -> InlineTable {
    table.iter().map(|(k, v)| (k.as_str(), edited(v))).collect()
}

fn edited(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(v) => v.into(),
        toml::Value::Integer(v) => (*v).into(),
        toml::Value::Float(v) => (*v).into(),
        toml::Value::Boolean(v) => (*v).into(),
        toml::Value::Datetime(v) => (*v).into(),
        toml::Value::Array(v) => v.iter().map(edited).collect::<toml_edit::Array>().into(),
        toml::Value::Table(v) => inline(v).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::place::System;
    use crate::config::settings::{Flags, Inputs, Settings};
    use crate::model::Placement;
    use crate::sensors::drivers::DriverKind;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn read(text: &str) -> BTreeMap<String, Kit> {
        let settings = Settings::resolve(&Inputs {
            file: Some((Path::new("config.toml"), text)),
            variables: &|_| None,
            flags: Flags::default(),
            system: System::Xdg,
        });
        let kits = settings.expect("readable").kits;
        kits.into_iter().map(|(name, kit)| (name, kit.value)).collect()
    }

    fn sensor(id: &str) -> KitSensor {
        KitSensor {
            id: Some(id.to_owned()),
            os_id: Some(format!("C0:{id}")),
            name: Some(format!("pod-{id}")),
            battery: Some(91),
            last_seen: Some("2026-11-25T17:30:00Z".to_owned()),
            ..KitSensor::new(DriverKind::Lope)
        }
    }

    fn kit(name: &str, sensors: &[(Placement, &str)]) -> Kit {
        Kit {
            name: name.to_owned(),
            sensors: sensors.iter().map(|(p, id)| (*p, sensor(id))).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let mut one = kit(
            "thursday",
            &[(Placement::LeftFoot, "4F21"), (Placement::Sacrum, "1C07")],
        );
        let calibration = toml::toml! {
            at = "2026-11-02"
            tilt_rad = 0.104
            up = [0.0, 0.99, 0.14]
            deep = { a = 1, b = true }
        };
        if let Some(s) = one.sensors.get_mut(&Placement::Sacrum) {
            s.calibration = Some(calibration);
        }
        let text = put_kit("", &one).expect("written");
        assert!(
            text.starts_with("[kit.thursday]\nleft_foot = { id = \"4F21\","),
            "{text}"
        );
        assert_eq!(read(&text)["thursday"], one);
        assert_eq!(put_kit(&text, &one).expect("written"), text, "again changes nothing");
    }

    #[test]
    fn comments_order_and_other_settings_survive() {
        let text = "# mine\nunits = \"metric\"  # of course\n\n# on Thursdays\n[kit.thursday] # club\n\
                    sacrum = { id = \"old\", kind = \"lope\" } # belt\n\n# never touched\n[kit.b]\n\
                    left_foot = { id = \"x\", kind = \"polar\" }\n";
        let text = put_kit(text, &kit("thursday", &[(Placement::Sacrum, "new")])).expect("written");
        for kept in [
            "# mine\n",
            "# of course\n",
            "# on Thursdays\n[kit.thursday] # club\n",
            "# belt\n",
            "# never touched\n[kit.b]\n",
        ] {
            assert!(text.contains(kept), "{kept:?} is gone from\n{text}");
        }
        assert_eq!(read(&text)["thursday"].sensors[&Placement::Sacrum], sensor("new"));
        let renamed = rename_kit(&text, "thursday", "friday").expect("renamed");
        assert!(renamed.contains("# on Thursdays\n[kit.friday] # club\n"), "{renamed}");
        let left = forget_kit(&renamed, "friday").expect("forgotten");
        assert_eq!(read(&left).keys().collect::<Vec<_>>(), ["b"]);
        assert!(left.contains("# mine\n"), "{left}");
    }

    #[test]
    fn the_athlete_meant_is_written_before_the_kits_and_changed_in_place() {
        let text = put_athlete(
            "# mine\n[kit.a] # club\nsacrum = { id = \"1\", kind = \"lope\" }\n",
            "ada",
        )
        .expect("written");
        let meant = |text: &str| {
            let settings = Settings::resolve(&Inputs {
                file: Some((Path::new("config.toml"), text)),
                variables: &|_| None,
                flags: Flags::default(),
                system: System::Xdg,
            });
            settings.expect("readable").athlete.value
        };
        assert_eq!(meant(&text).as_deref(), Some("ada"), "{text}");
        let text = put_athlete("athlete = \"ada\" # the club's\n", "ben").expect("written");
        assert_eq!(text, "athlete = \"ben\" # the club's\n");
        assert!(matches!(put_athlete("", "a b"), Err(EditError::Athlete(_))));
    }

    #[test]
    fn a_sensor_written_as_a_table_of_its_own_stays_one() {
        let text = "[kit.a.left_foot]\nid = \"old\" # the grey one\nkind = \"lope\"\n";
        let text = put_kit(text, &kit("a", &[(Placement::LeftFoot, "new")])).expect("written");
        assert!(
            text.starts_with("[kit.a.left_foot]\nid = \"new\" # the grey one\n"),
            "{text}"
        );
    }

    #[test]
    fn default_kit_follows_a_rename_and_goes_with_its_kit() {
        let text = put_kit("default_kit = \"a\" # usual\n", &kit("a", &[(Placement::Sacrum, "1")])).expect("written");
        let renamed = rename_kit(&text, "a", "b").expect("renamed");
        assert!(renamed.starts_with("default_kit = \"b\" # usual\n"), "{renamed}");
        assert!(!forget_kit(&renamed, "b").expect("forgotten").contains("default_kit"));
        assert_eq!(rename_kit(&text, "x", "y"), Err(EditError::NoSuchKit("x".to_owned())));
        assert_eq!(rename_kit(&text, "a", "a"), Err(EditError::KitExists("a".to_owned())));
        assert!(matches!(rename_kit(&text, "a", "b c"), Err(EditError::Name(_))));
        assert!(matches!(forget_kit("kit = 3", "a"), Err(EditError::Unreadable(_))));
    }
}
