//! Who asks.

use crate::store::access::{Role, TokenRow, TokenScope};
use crate::store::{AthleteId, UtcMicros};

/// By what a caller is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Somebody at this machine, without a token: its owner.
    ByPlace,
    /// By a token.
    ByToken {
        /// Its hash.
        sha256: String,
        /// When it ends.
        expires: Option<UtcMicros>,
    },
    /// By a cookie that a token was exchanged for.
    ByCookie {
        /// The hash of the token.
        sha256: String,
        /// When it ends.
        expires: Option<UtcMicros>,
        /// What unsafe requests must repeat in `X-Lope-CSRF`.
        csrf: String,
    },
}

/// Who asks, in which role, for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name of the token; consents name it.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Whom it reaches.
    pub scope: TokenScope,
    /// By what it is known.
    pub known: Known,
}

impl Caller {
    /// The owner of this machine.
    #[must_use]
    pub fn here() -> Self {
        Self {
            name: "owner".to_owned(),
            role: Role::Owner,
            scope: TokenScope::default(),
            known: Known::ByPlace,
        }
    }

    /// The holder of a token.
    #[must_use]
    pub fn of(token: TokenRow) -> Self {
        Self {
            known: Known::ByToken {
                sha256: token.sha256,
                expires: token.expires,
            },
            name: token.name,
            role: token.role,
            scope: token.scope,
        }
    }

    /// The same caller, known by a cookie.
    #[must_use]
    pub fn with_cookie(mut self, csrf: String) -> Self {
        if let Known::ByToken { sha256, expires } = self.known {
            self.known = Known::ByCookie { sha256, expires, csrf };
        }
        self
    }

    /// The hash of the token, if there is one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match &self.known {
            Known::ByPlace => None,
            Known::ByToken { sha256, .. } | Known::ByCookie { sha256, .. } => Some(sha256),
        }
    }

    /// When what it is known by ends.
    #[must_use]
    pub fn expires(&self) -> Option<UtcMicros> {
        match &self.known {
            Known::ByPlace => None,
            Known::ByToken { expires, .. } | Known::ByCookie { expires, .. } => *expires,
        }
    }

    /// The token that guards against other sites, for callers with a cookie.
    #[must_use]
    pub fn csrf(&self) -> Option<&str> {
        match &self.known {
            Known::ByCookie { csrf, .. } => Some(csrf),
            _ => None,
        }
    }

    /// Whether the athlete is named by the scope, as themselves or by a group.
    #[must_use]
    pub fn has_in_scope(&self, athlete: &AthleteId, groups: &[String]) -> bool {
        self.scope.athletes.contains(athlete) || self.scope.groups.iter().any(|g| groups.contains(g))
    }

    /// Whether looking at this athlete's data is looking at somebody else's, and so is noted for them to see. At this
    /// machine, without tokens, there is nobody else to name.
    #[must_use]
    pub fn is_noted(&self, athlete: &AthleteId) -> bool {
        match self.role {
            Role::Runner => false,
            Role::Owner => self.known != Known::ByPlace && !self.scope.athletes.contains(athlete),
            Role::Coach | Role::Therapist | Role::Share => true,
        }
    }
}
