//! How sensors are called in tables: kinds, strength of the signal, places, and names that can be told apart.

use super::console::speaks_unicode;
use crate::model::Placement;
use crate::sensors::drivers::DriverKind;
use crate::sensors::link::{Advert, sig_uuid};
use std::collections::BTreeMap;

/// Service for running speed and cadence.
const RUNNING_SPEED: u128 = sig_uuid(0x1814);
/// Longest name shown: an advertisement has room for 29 bytes.
const NAME_LIMIT: usize = 32;
/// Fewest letters of an address that tell two sensors apart.
const SHORT: usize = 4;

/// What a sensor is, and what it cannot give (empty if it gives all).
#[must_use]
pub fn kind_and_limits(advert: &Advert) -> (&'static str, &'static str) {
    let name = advert.name.as_deref().unwrap_or("");
    match DriverKind::recognise(advert) {
        Some(DriverKind::Lope) => ("lope pod", ""),
        Some(DriverKind::Polar) if name.contains("H10") => ("chest strap", "acceleration only"),
        Some(DriverKind::Polar) if name.contains("Sense") => ("arm band", ""),
        Some(DriverKind::Polar) if name.contains("OH1") => ("arm band", "acceleration only"),
        Some(DriverKind::Polar) => ("Polar sensor", ""),
        Some(DriverKind::Movesense) => ("Movesense", ""),
        Some(DriverKind::Dot) => ("Movella DOT", ""),
        Some(DriverKind::Standard) if advert.services.contains(&RUNNING_SPEED) => {
            ("foot pod", "speed and cadence only")
        }
        Some(DriverKind::Standard) => ("heart rate strap", "heart rate only"),
        None => ("unknown", "not a sensor lope understands"),
    }
}

/// Whether a sensor of this kind sends motion, so that it can be told by tapping.
#[must_use]
pub const fn feels_taps(kind: DriverKind) -> bool {
    !matches!(kind, DriverKind::Standard)
}

/// Where a sensor is worn, in the words of a runner.
#[must_use]
pub const fn place(placement: Placement) -> &'static str {
    match placement {
        Placement::LeftFoot => "left shoe",
        Placement::RightFoot => "right shoe",
        Placement::LeftShank => "left shin",
        Placement::RightShank => "right shin",
        Placement::Sacrum => "waistband",
    }
}

/// Strength of a signal: bars and number. Steps of 10 dB from −55 dBm: next to the computer, in the room, next room, edge.
#[must_use]
pub fn signal(rssi_dbm: Option<f64>) -> String {
    let Some(rssi) = rssi_dbm else {
        return "-".to_owned();
    };
    let bars = [-85.0, -75.0, -65.0, -55.0]
        .iter()
        .filter(|step| rssi >= **step)
        .count();
    let (full, empty) = if speaks_unicode() {
        ("▂▄▆█", '_')
    } else {
        ("####", '.')
    };
    let drawn: String = full
        .chars()
        .enumerate()
        .map(|(k, c)| if k < bars { c } else { empty })
        .collect();
    format!("{drawn} {rssi:.0} dBm").replace('-', if speaks_unicode() { "−" } else { "-" })
}

/// A name as it can be shown: what a sensor calls itself is not to be trusted with the terminal.
#[must_use]
pub fn clean(name: &str) -> String {
    name.trim()
        .chars()
        .map(|c| if c.is_control() || is_invisible(c) { '?' } else { c })
        .take(NAME_LIMIT)
        .collect()
}

/// Marks that turn the direction of text or have no width.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// A short id for each sensor: as many of the last letters of its address as tell all of them apart, four at least.
#[must_use]
pub fn short_ids<'a>(os_ids: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, String> {
    let bare: BTreeMap<&str, String> = os_ids
        .into_iter()
        .map(|id| (id, id.chars().filter(char::is_ascii_alphanumeric).collect::<String>()))
        .collect();
    let longest = bare.values().map(String::len).max().unwrap_or(0);
    let end = |text: &str, n: usize| text[text.len().saturating_sub(n)..].to_uppercase();
    for n in SHORT..=longest.max(SHORT) {
        let short: BTreeMap<&str, String> = bare.iter().map(|(id, b)| (*id, end(b, n))).collect();
        let different: std::collections::BTreeSet<&String> = short.values().collect();
        if different.len() == short.len() || n >= longest {
            return short;
        }
    }
    BTreeMap::new()
}

/// Names for a table: those that several sensors share, or that are missing, get the short id behind them.
#[must_use]
pub fn told_apart<'a>(sensors: &[(&'a str, Option<&str>)]) -> BTreeMap<&'a str, String> {
    let short = short_ids(sensors.iter().map(|(id, _)| *id));
    let names: BTreeMap<&str, String> = sensors
        .iter()
        .map(|(id, name)| (*id, clean(name.unwrap_or(""))))
        .collect();
    names
        .iter()
        .map(|(id, name)| {
            let shared = names.values().filter(|n| *n == name).count() > 1;
            let shown = match (name.is_empty(), shared) {
                (true, _) => format!("(no name) {}", short[id]),
                (false, true) => format!("{name} {}", short[id]),
                (false, false) => name.clone(),
            };
            (*id, shown)
        })
        .collect()
}

/// Columns as wide as their widest cell, two spaces between them, nothing behind the last; each line indented by two.
#[must_use]
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |k: usize| rows.iter().map(|r| r[k].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(c, w)| format!("{c:<w$}")).collect();
        text.push_str("  ");
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sensors_of_one_name_are_told_apart() {
        let sensors = [
            ("A0:9E:1A:00:4F:21", Some("Polar Sense")),
            ("B0:9E:1B:00:4F:21", Some("Polar Sense")),
            ("C0:00:00:00:12:34", Some("pod-1234")),
            ("C0:00:00:00:12:35", None),
        ];
        let names = told_apart(&sensors);
        assert_eq!(names[sensors[0].0], "Polar Sense A004F21");
        assert_eq!(names[sensors[1].0], "Polar Sense B004F21");
        assert_eq!(names[sensors[2].0], "pod-1234");
        assert_eq!(names[sensors[3].0], "(no name) 0001235");
    }

    #[test]
    fn a_name_cannot_reach_the_terminal_with_commands() {
        assert_eq!(clean("\u{1b}[2Jpod\n\u{202e}x"), "?[2Jpod??x");
        assert_eq!(clean(&"x".repeat(300)).len(), NAME_LIMIT);
    }

    #[test]
    fn kinds_say_what_they_cannot_give() {
        let advert = |name: &str, services: &[u128]| Advert {
            name: Some(name.to_owned()),
            services: services.to_vec(),
            ..Advert::default()
        };
        assert_eq!(
            kind_and_limits(&advert("Polar H10 9A3", &[])),
            ("chest strap", "acceleration only")
        );
        assert_eq!(
            kind_and_limits(&advert("Stryd", &[RUNNING_SPEED])),
            ("foot pod", "speed and cadence only")
        );
        assert_eq!(
            kind_and_limits(&advert("HRM", &[sig_uuid(0x180D)])).1,
            "heart rate only"
        );
        assert_eq!(kind_and_limits(&advert("TV", &[])).0, "unknown");
    }
}
