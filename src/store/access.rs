//! Who may look at the record from elsewhere, and who did: tokens and the log of accesses.
//!
//! A token is kept as its SHA-256 only, so that whoever reads the record cannot use it. What a role may do with which
//! resource is not decided here (`api::access`); here stands what was given, to whom, until when.

use super::ids::{AthleteId, SessionId, UtcMicros, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What somebody with a token is to the athletes in its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Keeps this record: may do everything.
    Owner,
    /// An athlete, with their own data.
    Runner,
    /// Coaches the athletes in scope; symptoms only with consent.
    Coach,
    /// Treats the athletes in scope; everything, with consent.
    Therapist,
    /// Whoever holds the link to one session or report.
    Share,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Runner, Self::Coach, Self::Therapist, Self::Share];

    /// As written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Runner => "runner",
            Self::Coach => "coach",
            Self::Therapist => "therapist",
            Self::Share => "share",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name() == name)
    }
}

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    /// One session.
    Session,
    /// A report about one session.
    Report,
}

/// Whom and what a token reaches. Without athletes and groups it reaches nobody, unless its role reaches everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenScope {
    /// Athletes by id.
    pub athletes: Vec<AthleteId>,
    /// Athletes by group.
    pub groups: Vec<String>,
    /// The one session of a link.
    pub session: Option<SessionId>,
    /// What a link leads to.
    pub what: Option<Shared>,
}

/// A token as it is kept: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of the token, 64 hexadecimal digits.
    pub sha256: String,
    /// Who holds it; consents name this.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Whom it reaches.
    pub scope: TokenScope,
    /// When it was made.
    pub made: UtcMicros,
    /// When it ends by itself.
    pub expires: Option<UtcMicros>,
    /// When it was taken back.
    pub revoked: Option<UtcMicros>,
}

impl TokenRow {
    /// Digits of the hash by which people name a token.
    pub const PREFIX: usize = 12;

    /// The SHA-256 under which a token is kept.
    #[must_use]
    pub fn hash_of(token: &str) -> String {
        hex(&Sha256::digest(token.as_bytes()))
    }

    /// Its name for people: the first digits of the hash, which give nothing of the token away.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.sha256.get(..Self::PREFIX).unwrap_or(&self.sha256)
    }

    /// Whether it counts at `now`.
    #[must_use]
    pub fn counts(&self, now: UtcMicros) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }
}

/// One look at somebody's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When.
    pub at: UtcMicros,
    /// The name of the token.
    pub actor: String,
    /// In which role.
    pub role: Role,
    /// Whose data.
    pub athlete: AthleteId,
    /// What was done: a verb and a kind of data, nothing of the data.
    pub action: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_until_it_ends_or_is_taken_back() {
        let mut token = TokenRow {
            sha256: TokenRow::hash_of("abc"),
            name: "kim".to_owned(),
            role: Role::Coach,
            scope: TokenScope::default(),
            made: UtcMicros::from_micros(0),
            expires: Some(UtcMicros::from_micros(10)),
            revoked: None,
        };
        // FIPS 180-2, appendix B.1: the digest of "abc".
        assert_eq!(token.prefix(), "ba7816bf8f01");
        assert!(token.counts(UtcMicros::from_micros(9)) && !token.counts(UtcMicros::from_micros(10)));
        token.revoked = Some(UtcMicros::from_micros(5));
        assert!(!token.counts(UtcMicros::from_micros(4)));
    }

    #[test]
    fn every_role_has_a_name_that_finds_it() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("admin"), None);
    }
}
