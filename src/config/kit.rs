//! A kit: the sensors one runner wears together, each with the place it is worn at.

use super::problem::{Problem, nearest};
use super::{Origin, file};
use crate::model::Placement;
use crate::sensors::drivers::DriverKind;
use crate::sensors::said::CadenceConvention;
use std::collections::BTreeMap;
use std::path::Path;
use toml_edit::{Item, TableLike};

/// Keys of a sensor, in the order they are written.
pub(super) const KEYS: [&str; 9] = [
    "id",
    "os_id",
    "kind",
    "name",
    "firmware",
    "battery",
    "last_seen",
    "cadence",
    "calibration",
];
/// Longest name of a kit: it stands in tables and on command lines.
const NAME_LIMIT: usize = 40;

/// One sensor of a kit. Everything but its kind and one of its ids is what was last known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct KitSensor {
    /// What names this very sensor for life ([`crate::sensors::said::Identity::id`]).
    pub id: Option<String>,
    /// How the system called it when it was last seen.
    pub os_id: Option<String>,
    /// Which protocol it speaks.
    pub kind: DriverKind,
    /// Its advertised name.
    pub name: Option<String>,
    /// Version of its firmware.
    pub firmware: Option<String>,
    /// Charge, %.
    pub battery: Option<u8>,
    /// When it was last seen, RFC 3339.
    pub last_seen: Option<String>,
    /// What its cadence counts, for pods that speak the standard service only.
    pub cadence: Option<CadenceConvention>,
    /// How it sits on the body. Whoever calibrates knows what stands in it; here it is kept as it is.
    pub calibration: Option<toml::Table>,
}

impl KitSensor {
    /// A sensor of this kind, nothing else known.
    #[must_use]
    pub const fn new(kind: DriverKind) -> Self {
        Self {
            id: None,
            os_id: None,
            kind,
            name: None,
            firmware: None,
            battery: None,
            last_seen: None,
            cadence: None,
            calibration: None,
        }
    }

    /// How people know it: its name, else its id, else its address.
    #[must_use]
    pub fn shown(&self) -> &str {
        let known = self.name.as_deref().or(self.id.as_deref()).or(self.os_id.as_deref());
        known.unwrap_or("unknown")
    }

    /// Whether both are the same sensor, by what names it for life; by address only where either has no such name.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (Some(a), Some(b)) => a == b,
            _ => self.os_id.is_some() && self.os_id == other.os_id,
        }
    }
}

/// Sensors worn together.
#[derive(Clone, Debug, PartialEq)]
pub struct Kit {
    /// Its name.
    pub name: String,
    /// Sensors by place.
    pub sensors: BTreeMap<Placement, KitSensor>,
}

/// Whether a kit may be called so.
///
/// # Errors
/// What is wrong with the name.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > NAME_LIMIT || !name.chars().all(fits) {
        Err(format!(
            "the name of a kit has 1 to {NAME_LIMIT} letters, digits, - or _"
        ))
    } else {
        Ok(())
    }
}

/// The word for a convention in files.
pub(super) const fn cadence_name(convention: CadenceConvention) -> Option<&'static str> {
    match convention {
        CadenceConvention::Unknown => None,
        CadenceConvention::Steps => Some("steps"),
        CadenceConvention::Strides => Some("strides"),
    }
}

/// Reads `[kit.NAME]` of a file; appends what is wrong.
pub(super) fn read(raw: &file::RawKit<'_>, path: &Path, problems: &mut Vec<Problem>) -> Kit {
    let mut kit = Kit {
        name: raw.name.clone(),
        sensors: BTreeMap::new(),
    };
    let at = |line: usize, key: String, found: Option<String>, what: String| Problem {
        origin: Origin::File {
            path: path.to_owned(),
            line,
        },
        key,
        found,
        what,
        near: None,
    };
    let here = format!("kit.{}", raw.name);
    if let Err(what) = check_name(&raw.name) {
        problems.push(at(raw.line, here.clone(), None, what));
    }
    for place in &raw.places {
        let key = format!("{here}.{}", place.name);
        let Some(placement) = Placement::from_name(&place.name) else {
            let names = Placement::ALL.map(Placement::name);
            problems.push(Problem {
                near: nearest(&place.name, names),
                ..at(
                    place.line,
                    key,
                    None,
                    format!("no such place; one of {}", names.join(", ")),
                )
            });
            continue;
        };
        let Some(table) = place.item.as_table_like() else {
            problems.push(at(
                place.line,
                key,
                Some(file::shown(place.item)),
                "expected a table: { id = \"…\", kind = \"lope\" }".to_owned(),
            ));
            continue;
        };
        let mut reading = Reading {
            table,
            text: raw.text,
            place_line: place.line,
            problem: |line, field: &str, found, what| at(line, format!("{key}.{field}"), found, what),
            problems,
        };
        if let Some(sensor) = reading.sensor() {
            if let Some((other, _)) = kit.sensors.iter().find(|(_, s)| s.is_same(&sensor)) {
                problems.push(at(
                    place.line,
                    key,
                    None,
                    format!("the same sensor is at {} already", other.name()),
                ));
            }
            kit.sensors.insert(placement, sensor);
        }
    }
    kit
}

struct Reading<'a, P> {
    table: &'a dyn TableLike,
    text: &'a str,
    place_line: usize,
    problem: P,
    problems: &'a mut Vec<Problem>,
}

impl<P: Fn(usize, &str, Option<String>, String) -> Problem> Reading<'_, P> {
    fn sensor(&mut self) -> Option<KitSensor> {
        for (key, _) in self.table.iter() {
            if !KEYS.contains(&key) {
                let line = self.line(key);
                let problem = (self.problem)(line, key, None, format!("no such key; one of {}", KEYS.join(", ")));
                self.problems.push(Problem {
                    near: nearest(key, KEYS),
                    ..problem
                });
            }
        }
        let names = DriverKind::ALL.map(DriverKind::name);
        let kind = match self.string("kind") {
            Some(name) => self.one_of("kind", &name, &names, DriverKind::parse),
            None => {
                if self.table.get("kind").is_none() {
                    self.refuse("kind", None, format!("missing; one of {}", names.join(", ")));
                }
                None
            }
        };
        let cadence = self.string("cadence").and_then(|name| {
            self.one_of("cadence", &name, &["strides", "steps"], |n| match n {
                "strides" => Some(CadenceConvention::Strides),
                "steps" => Some(CadenceConvention::Steps),
                _ => None,
            })
        });
        let mut sensor = KitSensor {
            id: self.string("id"),
            os_id: self.string("os_id"),
            name: self.string("name"),
            firmware: self.string("firmware"),
            battery: self.battery(),
            last_seen: self.last_seen(),
            cadence,
            calibration: None,
            // What has no kind is not kept; this one only lets the rest be checked.
            ..KitSensor::new(kind.unwrap_or(DriverKind::Lope))
        };
        if let Some(item) = self.table.get("calibration") {
            sensor.calibration = item.as_table_like().map(plain_table);
            if sensor.calibration.is_none() {
                self.refuse("calibration", Some(file::shown(item)), "expected a table".to_owned());
            }
        }
        if sensor.id.is_none() && sensor.os_id.is_none() {
            self.refuse("id", None, "missing; id or os_id says which sensor it is".to_owned());
        }
        kind.map(|_| sensor)
    }

    fn line(&self, key: &str) -> usize {
        file::line_of_key(self.table, key, self.text).unwrap_or(self.place_line)
    }

    fn refuse(&mut self, key: &str, found: Option<String>, what: String) {
        let problem = (self.problem)(self.line(key), key, found, what);
        self.problems.push(problem);
    }

    fn one_of<T>(&mut self, key: &str, found: &str, names: &[&str], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = parse(found);
        if value.is_none() {
            let what = format!("not one of {}", names.join(", "));
            let problem = (self.problem)(self.line(key), key, Some(format!("\"{found}\"")), what);
            self.problems.push(Problem {
                near: nearest(found, names.iter().copied()),
                ..problem
            });
        }
        value
    }

    fn string(&mut self, key: &str) -> Option<String> {
        let item = self.table.get(key)?;
        match item.as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            _ => {
                self.refuse(
                    key,
                    Some(file::shown(item)),
                    "expected a text in quotes, not empty".to_owned(),
                );
                None
            }
        }
    }

    fn battery(&mut self) -> Option<u8> {
        let item = self.table.get("battery")?;
        let value = item
            .as_integer()
            .and_then(|v| u8::try_from(v).ok())
            .filter(|v| *v <= 100);
        if value.is_none() {
            self.refuse(
                "battery",
                Some(file::shown(item)),
                "expected a whole number from 0 to 100".to_owned(),
            );
        }
        value
    }

    fn last_seen(&mut self) -> Option<String> {
        let item = self.table.get("last_seen")?;
        if let Some(time) = item.as_datetime() {
            return Some(time.to_string());
        }
        match item.as_str().filter(|t| t.parse::<toml_edit::Datetime>().is_ok()) {
            Some(text) => Some(text.to_owned()),
            None => {
                self.refuse(
                    "last_seen",
                    Some(file::shown(item)),
                    "expected a time such as 2026-11-25T17:30:00Z".to_owned(),
                );
                None
            }
        }
    }
}

/// A table without its places in the file.
fn plain_table(table: &dyn TableLike) -> toml::Table {
    table
        .iter()
        .filter_map(|(key, item)| plain(item).map(|v| (key.to_owned(), v)))
        .collect()
}

fn plain(item: &Item) -> Option<toml::Value> {
    use toml::Value as V;
    if let Some(table) = item.as_table_like() {
        return Some(V::Table(plain_table(table)));
    }
    if let Some(tables) = item.as_array_of_tables() {
        return Some(V::Array(tables.iter().map(|t| V::Table(plain_table(t))).collect()));
    }
    match item.as_value()? {
        toml_edit::Value::String(v) => Some(V::String(v.value().clone())),
        toml_edit::Value::Integer(v) => Some(V::Integer(*v.value())),
        toml_edit::Value::Float(v) => Some(V::Float(*v.value())),
        toml_edit::Value::Boolean(v) => Some(V::Boolean(*v.value())),
        toml_edit::Value::Datetime(v) => Some(V::Datetime(*v.value())),
        toml_edit::Value::Array(v) => Some(V::Array(
            v.iter().filter_map(|v| plain(&Item::Value(v.clone()))).collect(),
        )),
        // Taken as a table above.
        toml_edit::Value::InlineTable(_) => None,
    }
}
