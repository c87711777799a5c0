//! How numbers, losses and notes read, alike in every command.

use crate::metrics::MetricId;
use crate::model::{GapCause, Placement, SessionTime};
use crate::pipeline::Losses;
use crate::runtime::tally::Tally;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What lope is for, word for word on every report.
pub const PURPOSE: &str = "Records and describes running form and training load for fitness and coaching. \
It does not diagnose, predict, monitor or treat any condition.";

/// Decimals that the unit deserves: no more than the measurement means.
fn decimals(id: MetricId) -> usize {
    match id.def().shown_unit {
        "ms" | "N" => 0,
        "m" | "m/s" | "1" | "s" => 2,
        _ => 1,
    }
}

/// A metric's SI value in its shown unit, without the unit.
#[must_use]
pub fn number(id: MetricId, value: f64) -> String {
    let shown = value * id.def().shown_factor;
    let text = format!("{shown:.*}", decimals(id));
    // A value that rounds to nothing has no sign.
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

/// `1:02:03` or `2:03.4`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).floor() as u64;
    if whole >= 3600 {
        format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
    } else {
        let rest = (seconds.max(0.0) - (whole / 60 * 60) as f64) * 10.0;
        format!("{}:{:04.1}", whole / 60, rest.floor() / 10.0)
    }
}

pub use crate::runtime::doctor::bytes;

/// A count with its thousands apart: `402,118`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// An instant of the session as `4:10.2`, with a sign before the start.
#[must_use]
pub fn instant(t: SessionTime) -> String {
    let s = t.secs();
    format!("{}{}", if s < 0.0 { "-" } else { "" }, duration(s.abs()))
}

/// Coverage and losses by cause.
#[must_use]
pub fn losses(l: &Losses) -> String {
    let mut t = format!("{:5.1} % of samples", 100.0 * l.coverage());
    for (n, what) in [
        (l.missing, "missing"),
        (l.bridged, "bridged"),
        (l.not_finite, "refused, not a number"),
        (l.disorder, "refused, time repeated or went back"),
        (l.stuck, "refused, reading stuck"),
    ] {
        if n > 0 {
            // Writing to a String cannot fail.
            let _ = write!(t, " · {n} {what}");
        }
    }
    if l.gaps > 0 {
        let _ = write!(t, " · {} holes over 40 ms", l.gaps);
    }
    t
}

/// The same for programs.
#[must_use]
pub fn losses_json(l: &Losses) -> Value {
    json!({
        "coverage": l.coverage(), "taken": l.taken, "missing": l.missing, "bridged": l.bridged,
        "not_finite": l.not_finite, "time_disorder": l.disorder, "stuck": l.stuck, "holes": l.gaps,
    })
}

fn cause(cause: GapCause) -> &'static str {
    match cause {
        GapCause::Lost => "samples missing",
        GapCause::Reboot => "the sensor restarted its clock",
        GapCause::Stuck => "the sensor repeated one reading",
        GapCause::NotFinite => "readings that are no numbers",
        GapCause::TimeDisorder => "time repeated or went back",
    }
}

/// What a person should know about the data, in a fixed order; at most `holes_told` single holes, the longest.
#[must_use]
pub fn notes(tally: &Tally, holes_told: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(t) = tally.swapped {
        notes.push(format!(
            "left and right shoe sensors look exchanged, noticed at {}",
            instant(t)
        ));
    }
    for place in Placement::ALL {
        if let Some(t) = tally.aligned.get(&place) {
            notes.push(format!("{}: mounting known from {} on", place.name(), instant(*t)));
        }
        let moved: Vec<String> = tally
            .moved
            .iter()
            .filter(|(p, _)| *p == place)
            .map(|(_, t)| instant(*t))
            .collect();
        if let Some(first) = moved.first() {
            notes.push(format!(
                "{}: seems to have turned in its strap {} times, first at {first}",
                place.name(),
                moved.len()
            ));
        }
        if let Some(t) = tally.rails.get(&place) {
            notes.push(format!(
                "{}: its limit was not declared; found in the data at {}",
                place.name(),
                instant(*t)
            ));
        }
        let refused: Vec<String> = tally
            .refused
            .iter()
            .filter(|((p, _), _)| *p == place)
            .map(|((_, guard), n)| format!("{guard} {n}"))
            .collect();
        if !refused.is_empty() {
            notes.push(format!(
                "{}: contacts not believed: {}",
                place.name(),
                refused.join(", ")
            ));
        }
    }
    let mut longest: Vec<_> = tally.holes.iter().collect();
    longest.sort_by(|a, b| {
        b.to.since(b.from)
            .total_cmp(&a.to.since(a.from))
            .then(a.from.cmp(&b.from))
    });
    longest.truncate(holes_told);
    longest.sort_by_key(|h| (h.from, h.placement));
    for h in longest {
        notes.push(format!(
            "{}: hole {} to {}, {}",
            h.placement.name(),
            instant(h.from),
            instant(h.to),
            cause(h.cause)
        ));
    }
    if let (n, Some(t)) = tally.cadence_disagrees {
        notes.push(format!(
            "cadence from contacts and from the spectrum disagreed {n} times, first at {}: strides may be missing",
            instant(t)
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_they_mean_and_no_more() {
        assert_eq!(number(MetricId::ContactTime, 0.2431), "243");
        assert_eq!(number(MetricId::PelvisTilt, -0.0002), "0.0");
        assert_eq!(number(MetricId::OverstrideDistance, 0.214), "21.4");
        assert_eq!(duration(63.27), "1:03.2");
        assert_eq!(duration(3723.0), "1:02:03");
        assert_eq!(instant(SessionTime::from_secs(-1.5)), "-0:01.5");
    }
}
