//! On which day of the runner's own calendar a session was.
//!
//! A run that begins at 23:30 belongs to the evening on which it began, wherever the program runs that looks at it later.
//! A session without a time zone is put on its day in UTC.

use crate::store::SessionMeta;
use crate::store::journal::Day;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Local days, with the zones met so far.
#[derive(Clone, Debug, Default)]
pub struct LocalDays {
    zones: BTreeMap<String, Option<TimeZone>>,
}

impl LocalDays {
    /// The local day on which a session began; its day in UTC where its zone is not told or not known here.
    pub fn of(&mut self, meta: &SessionMeta) -> Day {
        let in_utc = Day::of_utc(meta.start);
        let Some(name) = &meta.tz else {
            return in_utc;
        };
        let zone = self
            .zones
            .entry(name.clone())
            .or_insert_with(|| TimeZone::get(name).ok());
        let (Some(zone), Ok(at)) = (zone, Timestamp::from_microsecond(meta.start.micros())) else {
            return in_utc;
        };
        let date = zone.to_datetime(at).date();
        Day::parse(&date.to_string()).unwrap_or(in_utc)
    }
}

/// The Monday of a day's week.
#[must_use]
pub fn monday(day: Day) -> Day {
    // 1970-01-01 was a Thursday.
    day.plus(-(day.days() + 3).rem_euclid(7))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Athlete;
    use crate::store::{AthleteId, Origin, SessionId, UtcMicros, WallClock};

    fn meta(start_us: i64, tz: Option<&str>) -> SessionMeta {
        SessionMeta {
            id: SessionId::parse("s").expect("id"),
            athlete: AthleteId::parse("a").expect("id"),
            start: UtcMicros::from_micros(start_us),
            wall_clock: WallClock::Known,
            expected_stop: None,
            origin: Origin::Live,
            tz: tz.map(str::to_owned),
            note: None,
            facts: Athlete::default(),
            sensors: Vec::new(),
        }
    }

    #[test]
    fn an_evening_run_belongs_to_its_evening() {
        // 2026-03-01T23:30 in Berlin, 2026-03-01T06:30 in Honolulu the same morning.
        let late = 1_772_404_200_000_000;
        let mut days = LocalDays::default();
        let mut day = |us, tz| days.of(&meta(us, tz)).to_string();
        assert_eq!(day(late, None), "2026-03-01");
        assert_eq!(day(late, Some("Asia/Tokyo")), "2026-03-02");
        assert_eq!(day(late + 3_600_000_000 * 2, Some("America/New_York")), "2026-03-01");
        assert_eq!(day(late, Some("Nowhere/Atlantis")), "2026-03-01");
    }

    #[test]
    fn weeks_begin_on_monday() {
        for (day, want) in [
            ("2026-03-02", "2026-03-02"),
            ("2026-03-08", "2026-03-02"),
            ("1970-01-05", "1970-01-05"),
        ] {
            assert_eq!(monday(Day::parse(day).expect("day")).to_string(), want);
        }
    }
}
