//! Browser sessions: a cookie that a token was exchanged for, and the word that guards it against other sites.
//!
//! They live in memory: a restart signs everybody out, and nothing that opens the record lies on the disk. What a cookie
//! may do is asked of its token at every request, so revoking the token ends it at once.

use crate::store::UtcMicros;
use crate::store::access::TokenRow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Name of the cookie.
pub const COOKIE: &str = "lope_session";
/// A browser is signed in for this long, µs.
const LASTS_US: i64 = 30 * 86_400_000_000;
/// Browsers signed in at a time; the one signed in longest ago goes first.
const MOST: usize = 1000;

#[derive(Clone, Debug)]
struct Signed {
    token_sha256: String,
    csrf: String,
    since: UtcMicros,
}

/// Who is signed in. Cookies are kept as their hashes, as tokens are.
#[derive(Debug, Default)]
pub struct Logins(Mutex<BTreeMap<String, Signed>>);

/// What a browser gets when it signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogin {
    /// The value of its cookie.
    pub cookie: String,
    /// What unsafe requests repeat in a header.
    pub csrf: String,
}

impl Logins {
    /// Signs a browser in with a token.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn sign_in(&self, token_sha256: &str, now: UtcMicros) -> Result<NewLogin, getrandom::Error> {
        let login = NewLogin {
            cookie: secret()?,
            csrf: secret()?,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, s)| s.since).map(|(k, _)| k.clone());
            if let Some(oldest) = oldest {
                all.remove(&oldest);
            }
        }
        all.insert(
            TokenRow::hash_of(&login.cookie),
            Signed {
                token_sha256: token_sha256.to_owned(),
                csrf: login.csrf.clone(),
                since: now,
            },
        );
        Ok(login)
    }

    /// The hash of the token behind a cookie, and its guard.
    #[must_use]
    pub fn find(&self, cookie: &str, now: UtcMicros) -> Option<(String, String)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = TokenRow::hash_of(cookie);
        let signed = all.get(&key)?;
        if now.micros() - signed.since.micros() > LASTS_US {
            all.remove(&key);
            return None;
        }
        Some((signed.token_sha256.clone(), signed.csrf.clone()))
    }

    /// Signs a browser out.
    pub fn sign_out(&self, cookie: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&TokenRow::hash_of(cookie));
    }
}

/// 256 bits from the system's dice, 64 hexadecimal digits.
///
/// # Errors
/// The system gives none.
pub fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// The value of our cookie in a `Cookie` header.
#[must_use]
pub fn cookie_in(header: &str) -> Option<&str> {
    header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_leads_to_its_token_until_it_ends() {
        let logins = Logins::default();
        let start = UtcMicros::from_micros(5);
        let login = logins.sign_in("hash", start).expect("random");
        assert_ne!(login.cookie, login.csrf);
        assert_eq!(login.cookie.len(), 64);
        assert_eq!(
            logins.find(&login.cookie, start),
            Some(("hash".to_owned(), login.csrf.clone()))
        );
        assert_eq!(logins.find(&login.csrf, start), None);
        assert_eq!(logins.find(&login.cookie, UtcMicros::from_micros(6 + LASTS_US)), None);
        let again = logins.sign_in("hash", start).expect("random");
        logins.sign_out(&again.cookie);
        assert_eq!(logins.find(&again.cookie, start), None);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        assert_eq!(cookie_in("a=1; lope_session=xyz; b=2"), Some("xyz"));
        assert_eq!(cookie_in("xlope_session=1"), None);
    }
}
