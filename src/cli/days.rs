//! Days and instants as people say them: the clock, the zone, `today`, `2026-11-02`, `18 Nov`.

use crate::store::UtcMicros;
use crate::store::journal::Day;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds of a second.
pub const SECOND_US: i64 = 1_000_000;

/// The clock of this computer.
#[must_use]
pub fn now() -> UtcMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMicros::from_micros(i64::try_from(since.as_micros()).unwrap_or(0))
}

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// The one this computer is set to; UTC where it says nothing.
    #[must_use]
    pub fn here() -> Self {
        Self(TimeZone::system())
    }

    /// A fixed distance from UTC, s; `None` for one that no place on Earth has.
    #[must_use]
    pub fn fixed(offset_s: i32) -> Option<Self> {
        let within = offset_s.abs() <= 15 * 3600;
        let offset = within.then(|| jiff::tz::Offset::from_seconds(offset_s).ok())??;
        Some(Self(TimeZone::fixed(offset)))
    }

    /// The zone of this IANA name (`Europe/Berlin`), or distance from UTC (`+02:00`).
    ///
    /// # Errors
    /// What is expected, when it is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "expected a time zone such as Europe/Berlin, +02:00 or UTC".to_owned();
        if let Some(rest) = text.strip_prefix(['+', '-']) {
            let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
            let number = |t: &str| t.parse::<i32>().map_err(|_| wrong());
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            if !(0..=15).contains(&hours) || !(0..60).contains(&minutes) {
                return Err(wrong());
            }
            let size = hours * 3600 + minutes * 60;
            return Self::fixed(if text.starts_with('-') { -size } else { size }).ok_or_else(wrong);
        }
        TimeZone::get(text).map(Self).map_err(|_| wrong())
    }

    /// The day somebody in this zone has at an instant.
    #[must_use]
    pub fn day(&self, at: UtcMicros) -> Day {
        let offset = Timestamp::from_microsecond(at.micros()).map_or(0, |t| self.0.to_offset(t).seconds());
        Day::of_utc(UtcMicros::from_micros(at.micros() + i64::from(offset) * SECOND_US))
    }

    /// Noon of a day in this zone: the instant of an answer given on another day than the one it is about.
    #[must_use]
    pub fn noon(&self, day: Day) -> UtcMicros {
        let utc = i64::from(day.days()) * 86_400 + 43_200;
        let offset = Timestamp::from_second(utc).map_or(0, |t| self.0.to_offset(t).seconds());
        UtcMicros::from_micros((utc - i64::from(offset)) * SECOND_US)
    }

    /// Hour and minute of an instant, `17:42`.
    #[must_use]
    pub fn time_of_day(&self, at: UtcMicros) -> String {
        let offset = Timestamp::from_microsecond(at.micros()).map_or(0, |t| self.0.to_offset(t).seconds());
        let local = UtcMicros::from_micros(at.micros() + i64::from(offset) * SECOND_US);
        local.iso8601()[11..16].to_owned()
    }
}

/// A day as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedDay {
    /// Today, less this many days.
    Ago(i32),
    /// That day.
    On(Day),
}

impl AskedDay {
    /// Parses `today`, `yesterday` or `2026-11-02` for clap.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "today" => Ok(Self::Ago(0)),
            "yesterday" => Ok(Self::Ago(1)),
            _ => Day::parse(text)
                .map(Self::On)
                .map_err(|_| "expected a day such as 2026-11-02, today or yesterday".to_owned()),
        }
    }

    /// The day, where today is this one.
    #[must_use]
    pub fn day(self, today: Day) -> Day {
        match self {
            Self::Ago(days) => today.plus(-days),
            Self::On(day) => day,
        }
    }
}

/// `18 Nov`, or `18 Nov 2025` when it is not of this year.
#[must_use]
pub fn shown(day: Day, today: Day) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = day.to_string();
    let number = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse::<usize>().ok()).unwrap_or(1);
    let month = MONTHS[(number(5, 7).max(1) - 1) % 12];
    let year = &text[..4];
    if today.to_string().starts_with(year) {
        format!("{} {month}", number(8, 10))
    } else {
        format!("{} {month} {year}", number(8, 10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_one_of_the_zone() {
        // 2026-11-01T23:30:00Z.
        let late = UtcMicros::from_micros(1_793_575_800 * SECOND_US);
        let day = |zone: &str| Zone::parse(zone).expect("zone").day(late).to_string();
        assert_eq!(day("UTC"), "2026-11-01");
        assert_eq!(day("+02:00"), "2026-11-02");
        assert_eq!(day("-05:30"), "2026-11-01");
        assert_eq!(day("Europe/Berlin"), "2026-11-02");
        for wrong in ["", "Nowhere/Town", "+99", "+1:99", "+-3"] {
            assert!(Zone::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn noon_is_within_its_day_everywhere() {
        for zone in ["UTC", "+14:00", "-11:00", "America/New_York"] {
            let zone = Zone::parse(zone).expect("zone");
            let day = Day::parse("2026-03-29").expect("day");
            assert_eq!(zone.day(zone.noon(day)), day);
            assert_eq!(zone.time_of_day(zone.noon(day)), "12:00");
        }
    }

    #[test]
    fn days_are_said_as_people_say_them() {
        let day = |text: &str| Day::parse(text).expect("day");
        let today = day("2026-11-25");
        assert_eq!(
            AskedDay::parse("yesterday").map(|d| d.day(today)),
            Ok(day("2026-11-24"))
        );
        assert_eq!(
            AskedDay::parse("2026-11-02").map(|d| d.day(today)),
            Ok(day("2026-11-02"))
        );
        assert!(AskedDay::parse("tomorrow").is_err());
        assert_eq!(shown(day("2026-11-18"), today), "18 Nov");
        assert_eq!(shown(day("2025-01-02"), today), "2 Jan 2025");
    }
}
