//! Identities of sessions and athletes, and the instant at which a session began.
//!
//! Ids are made at the source and never by the store, so that writing the same thing twice is harmless: a live session
//! has a UUIDv7 from the caller's clock and dice, an imported file the hash of (athlete, file), a demo an id from its
//! seed. An id names a file (`raw/<session>.db`), so its alphabet leaves no room for a path.

use super::error::StoreError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Longest id, bytes.
const ID_MAX: usize = 64;

/// Checks that `text` is 1 to 64 of `A-Z a-z 0-9 _ - .`, beginning with a letter or digit.
fn check_id(kind: &str, text: &str) -> Result<(), StoreError> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let good = text.len() <= ID_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(inner)
        && !text.contains("..");
    if good {
        Ok(())
    } else {
        Err(StoreError::rejected(
            format!("{kind} id {text:?}"),
            "ids are 1 to 64 of A-Z a-z 0-9 _ - . and begin with a letter or digit",
        ))
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id with this text.
            ///
            /// # Errors
            /// [`StoreError::Rejected`] unless it is 1 to 64 of `A-Z a-z 0-9 _ - .` and begins with a letter or digit.
            pub fn parse(text: &str) -> Result<Self, StoreError> {
                check_id($kind, text)?;
                Ok(Self(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = StoreError;
            fn try_from(text: String) -> Result<Self, StoreError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

text_id! {
    /// Identity of a session, for ever.
    SessionId, "session"
}

text_id! {
    /// Identity of an athlete: an opaque word, not a name.
    AthleteId, "athlete"
}

impl SessionId {
    /// The id of an imported recording: a hash of the athlete and the bytes of the file, so that importing a file twice
    /// names the same session, and the same file for another athlete does not.
    #[must_use]
    pub fn for_import(athlete: &AthleteId, file_sha256: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"lope-import-1\0");
        hash.update(athlete.as_str().as_bytes());
        hash.update([0]);
        hash.update(file_sha256);
        Self(format!("i{}", hex(&hash.finalize()[..16])))
    }

    /// The id of a live session: a UUIDv7 (RFC 9562, section 5.7) of the caller's clock and dice. Sorting the ids sorts
    /// the sessions by start.
    #[must_use]
    pub fn live(start: UtcMicros, random: [u8; 10]) -> Self {
        let millis = start.micros().max(0) as u64 / 1000;
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        let h = hex(&bytes);
        Self(format!(
            "{}-{}-{}-{}-{}",
            &h[..8],
            &h[8..12],
            &h[12..16],
            &h[16..20],
            &h[20..]
        ))
    }
}

/// SHA-256 of some bytes, as [`SessionId::for_import`] wants it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// An instant in UTC: microseconds since 1970-01-01, as time is kept at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UtcMicros(i64);

/// Microseconds of one day.
const DAY_US: i64 = 86_400_000_000;

impl UtcMicros {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// 2100-01-01T00:00:00Z: a session beyond it is a unit mistake, not a run.
    pub const LIMIT: Self = Self(4_102_444_800_000_000);

    /// The instant `us` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(us: i64) -> Self {
        Self(us)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// ISO 8601 with microseconds: `2026-03-01T06:30:00.000000Z`. Proleptic Gregorian calendar, no leap seconds.
    #[must_use]
    pub fn iso8601(self) -> String {
        let (days, rest) = (self.0.div_euclid(DAY_US), self.0.rem_euclid(DAY_US));
        let (year, month, day) = civil_from_days(days);
        let secs = rest / 1_000_000;
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
            secs / 3600,
            secs / 60 % 60,
            secs % 60,
            rest % 1_000_000
        )
    }
}

/// Year, month and day of the day `days` after 1970-01-01, by counting eras of 400 years from 0000-03-01, so that the
/// leap day is the last day of a year.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    const DAYS_0000_03_01_TO_1970: i64 = 719_468;
    let z = days.saturating_add(DAYS_0000_03_01_TO_1970);
    let (era, day_of_era) = (z.div_euclid(ERA_DAYS), z.rem_euclid(ERA_DAYS));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months counted from March; 153 days are five months of alternating 31 and 30.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_leave_its_folder_is_refused() {
        for bad in [
            "",
            "../x",
            "a/b",
            "a\\b",
            ".hidden",
            "a..b",
            "-x",
            "ä",
            "a b",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(
                matches!(SessionId::parse(bad), Err(StoreError::Rejected { .. })),
                "{bad:?}"
            );
        }
        for good in ["a", "demo-7", "0197f2d0-aaaa-7bbb-8ccc-0123456789ab", &"x".repeat(64)] {
            assert_eq!(SessionId::parse(good).expect("good id").as_str(), good);
        }
    }

    #[test]
    fn an_import_is_named_by_athlete_and_content() {
        let (a, b) = (
            AthleteId::parse("anna").expect("id"),
            AthleteId::parse("ben").expect("id"),
        );
        let one = SessionId::for_import(&a, &sha256(b"one"));
        assert_eq!(one, SessionId::for_import(&a, &sha256(b"one")));
        assert_ne!(one, SessionId::for_import(&a, &sha256(b"two")));
        assert_ne!(one, SessionId::for_import(&b, &sha256(b"one")));
        assert!(SessionId::parse(one.as_str()).is_ok());
    }

    #[test]
    fn a_live_id_is_a_uuid_of_version_7_that_sorts_by_start() {
        let early = SessionId::live(UtcMicros::from_micros(1_700_000_000_000_000), [0xff; 10]);
        let late = SessionId::live(UtcMicros::from_micros(1_700_000_000_001_000), [0; 10]);
        assert_eq!(early.as_str(), "018bcfe5-6800-7fff-bfff-ffffffffffff");
        assert!(early < late);
    }

    #[test]
    fn dates_agree_with_known_ones() {
        for (us, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_709_251_199_999_999, "2024-02-29T23:59:59.999999Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(UtcMicros::from_micros(us).iso8601(), text);
        }
    }
}
