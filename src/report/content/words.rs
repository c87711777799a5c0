//! Numbers and days as people read them.

use crate::metrics::MetricId;
use crate::review::precision::decimals_of;
use crate::store::journal::{Day, Ground};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Year, month from 1, day of the month.
#[must_use]
pub fn parts(day: Day) -> (i32, usize, u32) {
    let text = day.to_string();
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<u32>().ok()).unwrap_or(1);
    (number(0..4) as i32, number(5..7).clamp(1, 12) as usize, number(8..10))
}

/// `18 Nov 2026`.
#[must_use]
pub fn day(day: Day) -> String {
    let (year, month, date) = parts(day);
    format!("{date} {} {year}", MONTHS[month - 1])
}

/// `18 Nov`.
#[must_use]
pub fn short_day(day: Day) -> String {
    let (_, month, date) = parts(day);
    format!("{date} {}", MONTHS[month - 1])
}

/// `3 Sep 2026 to 18 Nov 2026`, or the day.
#[must_use]
pub fn span(from: Day, to: Day) -> String {
    if from == to {
        day(from)
    } else if parts(from).0 == parts(to).0 {
        format!("{} to {}", short_day(from), day(to))
    } else {
        format!("{} to {}", day(from), day(to))
    }
}

/// A number with so many decimals and a true minus sign; never a negative zero.
#[must_use]
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let zero = text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.');
    if zero {
        text.trim_start_matches('-').to_owned()
    } else {
        text.replace('-', "\u{2212}")
    }
}

/// The same with its sign.
#[must_use]
pub fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    let zero = text.chars().all(|c| c == '0' || c == '.');
    if value > 0.0 && !zero { format!("+{text}") } else { text }
}

/// Decimals of a metric in the unit in which it is shown.
#[must_use]
pub fn decimals(metric: MetricId) -> usize {
    decimals_of(metric.def().shown_unit)
}

/// A value kept in SI, as it is shown, without its unit.
#[must_use]
pub fn shown(value: f64, metric: MetricId) -> String {
    number(value * metric.def().shown_factor, decimals(metric))
}

/// A difference kept in SI, as it is shown, with its sign, without its unit.
#[must_use]
pub fn shown_change(value: f64, metric: MetricId) -> String {
    signed(value * metric.def().shown_factor, decimals(metric))
}

/// `Contact time, ms`; of what has no unit its name alone.
#[must_use]
pub fn titled(metric: MetricId) -> String {
    let def = metric.def();
    match def.shown_unit {
        "1" => def.label.to_owned(),
        unit => format!("{}, {unit}", def.label),
    }
}

/// A unit behind a number: with a space unless it is a degree sign, and nothing for no unit.
#[must_use]
pub fn with_unit(number: &str, unit: &str) -> String {
    match unit {
        "" | "1" | "bool" => number.to_owned(),
        "°" => format!("{number}°"),
        unit => format!("{number}\u{a0}{unit}"),
    }
}

/// A speed: m/s and the pace that it is.
#[must_use]
pub fn speed(ms: f64) -> String {
    if ms <= 0.1 {
        return format!("{} m/s", number(ms, 2));
    }
    format!("{} m/s ({} min/km)", number(ms, 2), pace(ms))
}

/// A speed as minutes a kilometre, `5:00`; of who stands a dash.
#[must_use]
pub fn pace(ms: f64) -> String {
    if ms <= 0.1 {
        return "–".to_owned();
    }
    let seconds = (1000.0 / ms).round() as u32;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A duration: `52 min`, `1 h 04 min`.
#[must_use]
pub fn minutes(minutes: f64) -> String {
    let whole = minutes.round().max(0.0) as u32;
    match whole / 60 {
        0 => format!("{whole} min"),
        hours => format!("{hours} h {:02} min", whole % 60),
    }
}

/// A kind of ground in one word.
#[must_use]
pub fn ground_word(ground: Ground) -> &'static str {
    match ground {
        Ground::Hard => "hard",
        Ground::Uneven => "uneven",
        Ground::Other => "other",
    }
}

/// `left_foot` as `left foot`.
#[must_use]
pub fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// `1 run`, `3 runs`.
#[must_use]
pub fn counted(n: usize, one: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {one}s")
    }
}

/// With a capital letter at its begin.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().collect::<String>() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_true_signs_and_no_negative_zero() {
        assert_eq!(number(-0.04, 1), "0.0");
        assert_eq!(number(-1.25, 1), "\u{2212}1.2");
        assert_eq!(signed(0.04, 1), "0.0");
        assert_eq!(signed(2.0, 0), "+2");
        assert_eq!(signed(-2.0, 0), "\u{2212}2");
    }

    #[test]
    fn days_and_paces_read_well() {
        let at = |text| Day::parse(text).expect("day");
        assert_eq!(day(at("2026-11-08")), "8 Nov 2026");
        assert_eq!(span(at("2026-09-03"), at("2026-11-18")), "3 Sep to 18 Nov 2026");
        assert_eq!(span(at("2025-12-30"), at("2026-01-02")), "30 Dec 2025 to 2 Jan 2026");
        assert_eq!(speed(3.333), "3.33 m/s (5:00 min/km)");
        assert_eq!(minutes(64.2), "1 h 04 min");
        assert_eq!(counted(1, "run"), "1 run");
    }
}
