//! Settings resolved: four sources laid over each other, values read, every problem at once.

use super::file;
use super::kit::{self, Kit};
use super::place::{self, System, Variables};
use super::problem::{Problem, nearest};
use super::{Origin, Setting};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A setting as it may be said.
pub(super) struct Key {
    /// In the file.
    pub(super) name: &'static str,
    /// In the environment.
    pub(super) variable: &'static str,
    /// What it may be.
    pub(super) allowed: &'static str,
}

/// All settings, in the order they are shown.
pub(super) const KEYS: [Key; 8] = [
    Key {
        name: "data_dir",
        variable: "LOPE_DATA_DIR",
        allowed: "a folder",
    },
    Key {
        name: "units",
        variable: "LOPE_UNITS",
        allowed: "metric, imperial",
    },
    Key {
        name: "language",
        variable: "LOPE_LANGUAGE",
        allowed: "en",
    },
    Key {
        name: "radio",
        variable: "LOPE_RADIO",
        allowed: "ble, wire:HOST:PORT",
    },
    Key {
        name: "default_kit",
        variable: "LOPE_DEFAULT_KIT",
        allowed: "the name of a kit",
    },
    Key {
        name: "athlete",
        variable: "LOPE_ATHLETE",
        allowed: "the id of an athlete",
    },
    Key {
        name: "retention.raw_days",
        variable: "LOPE_RETENTION_RAW_DAYS",
        allowed: "a number of days, 0 to keep all",
    },
    Key {
        name: "retention.raw_gb",
        variable: "LOPE_RETENTION_RAW_GB",
        allowed: "a number of gigabytes, 0 for no limit",
    },
];
const DATA_DIR: usize = 0;
const UNITS: usize = 1;
const LANGUAGE: usize = 2;
const RADIO: usize = 3;
const DEFAULT_KIT: usize = 4;
const ATHLETE: usize = 5;
const RAW_DAYS: usize = 6;
const RAW_GB: usize = 7;

/// Raw samples stay this long where nobody says, days: a season's training can be looked at again, a year's fills disks.
pub const RAW_DAYS_BY_DEFAULT: f64 = 90.0;

/// Units in which lengths and speeds are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Kilometres and metres.
    Metric,
    /// Miles and feet.
    Imperial,
}

/// Languages lope speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
}

/// By which radio sensors are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RadioChoice {
    /// Bluetooth of this computer.
    Ble,
    /// Sensors behind a socket: for tests and for simulated pods.
    Wire {
        /// Name or address of the other end.
        host: String,
        /// Its port.
        port: u16,
    },
}

impl RadioChoice {
    /// The radio of that name: `ble`, or `wire:HOST:PORT`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "ble" {
            return Some(Self::Ble);
        }
        let (host, port) = text.strip_prefix("wire:")?.rsplit_once(':')?;
        let port = port.parse().ok().filter(|p| *p != 0)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then(|| Self::Wire {
            host: host.to_owned(),
            port,
        })
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Ble => "ble".to_owned(),
            Self::Wire { host, port } if host.contains(':') => format!("wire:[{host}]:{port}"),
            Self::Wire { host, port } => format!("wire:{host}:{port}"),
        }
    }
}

/// What the command line says; `None` where it says nothing.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--radio`.
    pub radio: Option<String>,
}

/// Everything settings are made of.
pub struct Inputs<'a> {
    /// Path and text of the settings file, if there is one.
    pub file: Option<(&'a Path, &'a str)>,
    /// The environment.
    pub variables: Variables<'a>,
    /// The command line.
    pub flags: Flags,
    /// The system whose folders are meant.
    pub system: System,
}

/// All settings, each with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Folder in which sessions are kept; `None` when nobody says and there is no home.
    pub data_dir: Setting<Option<PathBuf>>,
    /// Units shown.
    pub units: Setting<Units>,
    /// Language spoken.
    pub language: Setting<Language>,
    /// Radio used.
    pub radio: Setting<RadioChoice>,
    /// The kit meant when none is named.
    pub default_kit: Setting<Option<String>>,
    /// The athlete meant when none is named; `None` for whoever owns this computer.
    pub athlete: Setting<Option<String>>,
    /// Raw samples stay this long after their run, days; `None` for ever.
    pub raw_days: Setting<Option<f64>>,
    /// Raw samples take this much at most, gigabytes; `None` for no limit.
    pub raw_gb: Setting<Option<f64>>,
    /// Kits by name, each with the place where it stands.
    pub kits: BTreeMap<String, Setting<Kit>>,
}

struct Raw {
    value: OsString,
    origin: Origin,
}

impl Settings {
    /// Lays the sources over each other and reads the values.
    ///
    /// # Errors
    /// Everything that is wrong, in the order: file from top to bottom, environment, flags, what does not fit together.
    pub fn resolve(inputs: &Inputs<'_>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut raw: [Option<Raw>; KEYS.len()] = [const { None }; KEYS.len()];
        let mut kits = BTreeMap::new();
        if let Some((path, text)) = inputs.file {
            match file::parse(path, text) {
                Ok(document) => {
                    let taken = file::take(path, &document, &mut problems);
                    let at = |line| Origin::File {
                        path: path.to_owned(),
                        line,
                    };
                    for (index, line, value) in taken.values {
                        let said = Raw {
                            value: value.into(),
                            origin: at(line),
                        };
                        // Looked at even if it is overruled: a wrong line is wrong.
                        check(index, &said, inputs, &mut problems);
                        raw[index] = Some(said);
                    }
                    for found in taken.kits {
                        let value = kit::read(&found, path, &mut problems);
                        kits.insert(
                            found.name,
                            Setting {
                                value,
                                origin: at(found.line),
                            },
                        );
                    }
                    problems.sort_by_key(|p| match &p.origin {
                        Origin::File { line, .. } => *line,
                        _ => usize::MAX,
                    });
                }
                Err(problem) => problems.push(*problem),
            }
        }
        let flags = [
            (
                DATA_DIR,
                "--data-dir",
                inputs.flags.data_dir.clone().map(PathBuf::into_os_string),
            ),
            (RADIO, "--radio", inputs.flags.radio.clone().map(OsString::from)),
        ];
        let variables = KEYS.iter().enumerate().filter_map(|(index, key)| {
            let value = (inputs.variables)(key.variable).filter(|v| !v.is_empty())?;
            Some((index, Origin::Variable(key.variable), value))
        });
        let flags = flags
            .into_iter()
            .filter_map(|(index, name, value)| Some((index, Origin::Flag(name), value?)));
        for (index, origin, value) in variables.chain(flags) {
            let said = Raw { value, origin };
            check(index, &said, inputs, &mut problems);
            raw[index] = Some(said);
        }
        if let Some(said) = &raw[DEFAULT_KIT]
            && let Some(name) = said.value.to_str()
            && !kits.contains_key(name)
        {
            let names: Vec<&str> = kits.keys().map(String::as_str).collect();
            let what = if names.is_empty() {
                "no such kit; there is none yet".to_owned()
            } else {
                format!("no such kit; one of {}", names.join(", "))
            };
            problems.push(Problem {
                origin: said.origin.clone(),
                key: KEYS[DEFAULT_KIT].name.to_owned(),
                found: Some(format!("\"{name}\"")),
                what,
                near: nearest(name, names.iter().copied()),
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            data_dir: setting(&raw[DATA_DIR], |s| data_dir(s, inputs).ok().map(Some))
                .unwrap_or_else(|| by_default(inputs.system.data_dir(inputs.variables))),
            units: setting(&raw[UNITS], units).unwrap_or_else(|| by_default(Units::Metric)),
            language: setting(&raw[LANGUAGE], language).unwrap_or_else(|| by_default(Language::English)),
            radio: setting(&raw[RADIO], radio).unwrap_or_else(|| by_default(RadioChoice::Ble)),
            default_kit: setting(&raw[DEFAULT_KIT], |s| s.value.to_str().map(|n| Some(n.to_owned())))
                .unwrap_or_else(|| by_default(None)),
            athlete: setting(&raw[ATHLETE], |s| s.value.to_str().map(|n| Some(n.to_owned())))
                .unwrap_or_else(|| by_default(None)),
            raw_days: setting(&raw[RAW_DAYS], limit).unwrap_or_else(|| by_default(Some(RAW_DAYS_BY_DEFAULT))),
            raw_gb: setting(&raw[RAW_GB], limit).unwrap_or_else(|| by_default(None)),
            kits,
        })
    }

    /// Every value as text, in the order of the documentation: key, value, where it came from.
    #[must_use]
    pub fn listed(&self) -> Vec<(String, String, Origin)> {
        let units = match self.units.value {
            Units::Metric => "metric",
            Units::Imperial => "imperial",
        };
        let language = match self.language.value {
            Language::English => "en",
        };
        let dir = self.data_dir.value.as_ref();
        let mut all = vec![
            (
                dir.map_or_else(|| "none".to_owned(), |d| d.display().to_string()),
                &self.data_dir.origin,
            ),
            (units.to_owned(), &self.units.origin),
            (language.to_owned(), &self.language.origin),
            (self.radio.value.text(), &self.radio.origin),
            (
                self.default_kit.value.clone().unwrap_or_else(|| "none".to_owned()),
                &self.default_kit.origin,
            ),
            (
                self.athlete.value.clone().unwrap_or_else(|| "none".to_owned()),
                &self.athlete.origin,
            ),
            (limit_text(self.raw_days.value), &self.raw_days.origin),
            (limit_text(self.raw_gb.value), &self.raw_gb.origin),
        ]
        .into_iter()
        .zip(&KEYS)
        .map(|((value, origin), key)| (key.name.to_owned(), value, origin.clone()))
        .collect::<Vec<_>>();
        for (name, kit) in &self.kits {
            for (place, sensor) in &kit.value.sensors {
                all.push((
                    format!("kit.{name}.{}", place.name()),
                    format!("{} ({})", sensor.shown(), sensor.kind.name()),
                    kit.origin.clone(),
                ));
            }
        }
        all
    }

    /// The kit meant: the one named, else the default one, else the only one there is.
    #[must_use]
    pub fn kit(&self, name: Option<&str>) -> Option<&Kit> {
        let only = || (self.kits.len() == 1).then(|| self.kits.values().next()).flatten();
        match name.or(self.default_kit.value.as_deref()) {
            Some(name) => self.kits.get(name),
            None => only(),
        }
        .map(|k| &k.value)
    }
}

fn by_default<T>(value: T) -> Setting<T> {
    Setting {
        value,
        origin: Origin::Default,
    }
}

fn setting<T>(raw: &Option<Raw>, read: impl Fn(&Raw) -> Option<T>) -> Option<Setting<T>> {
    let raw = raw.as_ref()?;
    Some(Setting {
        value: read(raw)?,
        origin: raw.origin.clone(),
    })
}

fn units(raw: &Raw) -> Option<Units> {
    match raw.value.to_str()? {
        "metric" => Some(Units::Metric),
        "imperial" => Some(Units::Imperial),
        _ => None,
    }
}

fn language(raw: &Raw) -> Option<Language> {
    (raw.value == "en").then_some(Language::English)
}

fn radio(raw: &Raw) -> Option<RadioChoice> {
    RadioChoice::parse(raw.value.to_str()?)
}

/// A number from 0 on, where 0 is no limit.
fn limit(raw: &Raw) -> Option<Option<f64>> {
    let number: f64 = raw.value.to_str()?.trim().parse().ok()?;
    (number >= 0.0 && number.is_finite()).then(|| Some(number).filter(|n| *n > 0.0))
}

fn limit_text(limit: Option<f64>) -> String {
    limit.map_or_else(|| "no limit".to_owned(), |n| n.to_string())
}

/// A folder; in the file it starts at the root or at `~/`, because a file has no folder it is read from.
fn data_dir(raw: &Raw, inputs: &Inputs<'_>) -> Result<PathBuf, String> {
    let path = PathBuf::from(&raw.value);
    if raw.value.is_empty() {
        return Err("expected a folder".to_owned());
    }
    if let Ok(below) = path.strip_prefix("~") {
        return match place::home(inputs.variables) {
            Some(home) => Ok(home.join(below)),
            None => Err("there is no home folder here; write the whole path".to_owned()),
        };
    }
    if path.is_relative() && matches!(raw.origin, Origin::File { .. }) {
        return Err("write the whole path, or begin with ~/".to_owned());
    }
    Ok(path)
}

/// Refuses what the record would refuse as the id of an athlete.
pub(super) fn check_athlete(id: &str) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = id.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && id.len() <= 64 && id.chars().all(inner) && !id.contains("..") {
        Ok(())
    } else {
        Err("ids are 1 to 64 of A-Z a-z 0-9 _ - . and begin with a letter or digit".to_owned())
    }
}

fn check(index: usize, raw: &Raw, inputs: &Inputs<'_>, problems: &mut Vec<Problem>) {
    let allowed = KEYS[index].allowed;
    let not_one_of = format!("not one of {allowed}");
    let good = match index {
        DATA_DIR => data_dir(raw, inputs).map(drop),
        UNITS => units(raw).map(drop).ok_or(not_one_of),
        LANGUAGE => language(raw).map(drop).ok_or(not_one_of),
        RADIO => radio(raw).map(drop).ok_or(not_one_of),
        RAW_DAYS | RAW_GB => limit(raw).map(drop).ok_or_else(|| format!("expected {allowed}")),
        ATHLETE => raw
            .value
            .to_str()
            .ok_or_else(|| format!("expected {allowed}"))
            .and_then(check_athlete),
        _ => raw
            .value
            .to_str()
            .ok_or_else(|| format!("expected {allowed}"))
            .and_then(kit::check_name),
    };
    if let Err(what) = good {
        let found = raw.value.to_string_lossy();
        let near = if [DATA_DIR, DEFAULT_KIT, ATHLETE, RAW_DAYS, RAW_GB].contains(&index) {
            None
        } else {
            nearest(&found, allowed.split(", "))
        };
        problems.push(Problem {
            origin: raw.origin.clone(),
            key: KEYS[index].name.to_owned(),
            found: Some(format!("\"{found}\"")),
            what,
            near,
        });
    }
}
