//! Tokens and the log of accesses in the record's file.
//!
//! Like the journal it has a connection of its own and takes short transactions, so that a token can be revoked while
//! another process records.

use super::super::access::{Access, Role, TokenRow, TokenScope};
use super::super::error::StoreError;
use super::super::ids::{AthleteId, UtcMicros};
use super::{SqliteStore, schema};
use rusqlite::{Connection, OptionalExtension as _, Row};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Accesses kept for an athlete; the oldest go first, so that a busy reader cannot fill the disk.
const KEPT: i64 = 10_000;

/// Tokens and accesses of the record in one folder.
#[derive(Debug)]
pub struct SqliteAccess {
    conn: Mutex<Connection>,
}

const COLUMNS: &str = "token_sha256, name, role, scope, made_us, expires_us, revoked_us";

fn token_of(row: &Row<'_>) -> rusqlite::Result<Result<TokenRow, StoreError>> {
    let (sha256, name, role, scope): (String, String, String, String) =
        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let (made, expires, revoked): (i64, Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?, row.get(6)?);
    let scope = serde_json::from_str::<TokenScope>(&scope);
    Ok(match (Role::from_name(&role), scope) {
        (Some(role), Ok(scope)) => Ok(TokenRow {
            sha256,
            name,
            role,
            scope,
            made: UtcMicros::from_micros(made),
            expires: expires.map(UtcMicros::from_micros),
            revoked: revoked.map(UtcMicros::from_micros),
        }),
        _ => Err(StoreError::Corrupt {
            detail: format!("token {name:?} of role {role:?}"),
        }),
    })
}

impl SqliteAccess {
    /// Opens them in the data folder `dir`, making the record where there is none.
    ///
    /// # Errors
    /// Those of the disk; [`StoreError::Busy`] only where the record must first be made or brought to a newer layout and
    /// another process holds it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let conn = match schema::open_companion(dir) {
            Err(StoreError::Missing { .. }) => {
                drop(SqliteStore::open(dir, "lope (access)")?);
                schema::open_companion(dir)?
            }
            other => other?,
        };
        Ok(Self { conn: Mutex::new(conn) })
    }

    fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a token.
    ///
    /// # Errors
    /// `Conflict` when there is one of that hash; those of the disk.
    pub fn add(&self, token: &TokenRow) -> Result<(), StoreError> {
        let scope = serde_json::to_string(&token.scope)
            .map_err(|e| StoreError::rejected(format!("token {:?}", token.name), e.to_string()))?;
        let conn = self.conn();
        let added = conn.execute(
            "INSERT INTO tokens (token_sha256, name, role, scope, made_us, expires_us, revoked_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            (
                &token.sha256,
                &token.name,
                token.role.name(),
                scope,
                token.made.micros(),
                token.expires.map(UtcMicros::micros),
                token.revoked.map(UtcMicros::micros),
            ),
        )?;
        match added {
            0 => Err(StoreError::Conflict {
                key: format!("token {}", token.prefix()),
            }),
            _ => Ok(()),
        }
    }

    /// The token of that hash, whether it still counts or not.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn token(&self, sha256: &str) -> Result<Option<TokenRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tokens WHERE token_sha256 = ?1");
        let conn = self.conn();
        conn.prepare_cached(&sql)?
            .query_row([sha256], token_of)
            .optional()?
            .transpose()
    }

    /// All tokens, the oldest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM tokens ORDER BY made_us, token_sha256");
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(&sql)?;
        let rows = stmt.query_map([], token_of)?;
        rows.map(|row| row?).collect()
    }

    /// Takes back the one token whose hash begins with `prefix`; `false` when it had been taken back before.
    ///
    /// # Errors
    /// `Missing` when there is none, `Conflict` when several begin so; those of the disk.
    pub fn revoke(&self, prefix: &str, now: UtcMicros) -> Result<bool, StoreError> {
        let found: Vec<TokenRow> = self
            .tokens()?
            .into_iter()
            .filter(|t| !prefix.is_empty() && t.sha256.starts_with(prefix))
            .collect();
        let token = match found.as_slice() {
            [] => {
                return Err(StoreError::Missing {
                    what: format!("token {prefix}"),
                });
            }
            [one] => one,
            _ => {
                return Err(StoreError::Conflict {
                    key: format!("token {prefix}"),
                });
            }
        };
        let changed = self.conn().execute(
            "UPDATE tokens SET revoked_us = ?2 WHERE token_sha256 = ?1 AND revoked_us IS NULL",
            (&token.sha256, now.micros()),
        )?;
        Ok(changed > 0)
    }

    /// Notes an access.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn note(&self, access: &Access) -> Result<(), StoreError> {
        let mut conn = self.conn();
        let tx = conn.transaction()?;
        tx.execute(
            "INSERT INTO access_log (at_us, actor, role, athlete_id, action) VALUES (?1, ?2, ?3, ?4, ?5)",
            (
                access.at.micros(),
                &access.actor,
                access.role.name(),
                access.athlete.as_str(),
                &access.action,
            ),
        )?;
        tx.execute(
            "DELETE FROM access_log WHERE athlete_id = ?1 AND log_no <= (
                 SELECT log_no FROM access_log WHERE athlete_id = ?1 ORDER BY log_no DESC LIMIT 1 OFFSET ?2)",
            (access.athlete.as_str(), KEPT),
        )?;
        tx.commit()?;
        Ok(())
    }

    /// Who looked at an athlete's data, the latest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn accesses(&self, athlete: &AthleteId, limit: usize) -> Result<Vec<Access>, StoreError> {
        let conn = self.conn();
        let mut stmt = conn.prepare_cached(
            "SELECT at_us, actor, role, action FROM access_log WHERE athlete_id = ?1 ORDER BY at_us DESC, log_no DESC
             LIMIT ?2",
        )?;
        let rows = stmt.query_map((athlete.as_str(), i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
            ))
        })?;
        rows.map(|row| {
            let (at, actor, role, action) = row?;
            let role = Role::from_name(&role).ok_or_else(|| StoreError::Corrupt {
                detail: format!("role {role:?} in the log of accesses"),
            })?;
            Ok(Access {
                at: UtcMicros::from_micros(at),
                actor,
                role,
                athlete: athlete.clone(),
                action,
            })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, made: i64) -> TokenRow {
        TokenRow {
            sha256: TokenRow::hash_of(text),
            name: text.to_owned(),
            role: Role::Coach,
            scope: TokenScope {
                athletes: vec![AthleteId::parse("ada").expect("id")],
                groups: vec!["u18".to_owned()],
                ..TokenScope::default()
            },
            made: UtcMicros::from_micros(made),
            expires: Some(UtcMicros::from_micros(99)),
            revoked: None,
        }
    }

    #[test]
    fn a_token_is_found_by_its_hash_and_revoked_by_its_prefix() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let access = SqliteAccess::open(dir.path()).expect("opens");
        let (one, two) = (token("one", 1), token("two", 2));
        access.add(&one).expect("kept");
        access.add(&two).expect("kept");
        assert!(matches!(access.add(&one), Err(StoreError::Conflict { .. })));
        assert_eq!(access.tokens(), Ok(vec![one.clone(), two.clone()]));
        assert_eq!(access.token(&TokenRow::hash_of("three")), Ok(None));
        assert_eq!(access.revoke(one.prefix(), UtcMicros::from_micros(7)), Ok(true));
        assert_eq!(access.revoke(one.prefix(), UtcMicros::from_micros(8)), Ok(false));
        let kept = access.token(&one.sha256).expect("read").expect("there");
        assert_eq!(kept.revoked, Some(UtcMicros::from_micros(7)));
        assert!(matches!(
            access.revoke("", UtcMicros::EPOCH),
            Err(StoreError::Missing { .. })
        ));
        assert!(matches!(
            access.revoke("xyz", UtcMicros::EPOCH),
            Err(StoreError::Missing { .. })
        ));
    }

    #[test]
    fn nothing_of_a_token_stands_in_the_file() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let access = SqliteAccess::open(dir.path()).expect("opens");
        let mut row = token("correct-horse-battery-staple", 1);
        row.name = "kim".to_owned();
        access.add(&row).expect("kept");
        drop(access);
        for entry in std::fs::read_dir(dir.path()).expect("folder").flatten() {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            assert!(!bytes.windows(13).any(|w| w == b"correct-horse"), "{:?}", entry.path());
        }
    }

    #[test]
    fn accesses_come_back_latest_first_and_only_of_that_athlete() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = SqliteAccess::open(dir.path()).expect("opens");
        let access = |at: i64, athlete: &str| Access {
            at: UtcMicros::from_micros(at),
            actor: "kim".to_owned(),
            role: Role::Therapist,
            athlete: AthleteId::parse(athlete).expect("id"),
            action: "read strides".to_owned(),
        };
        for (at, who) in [(1, "ada"), (3, "ada"), (2, "ben")] {
            log.note(&access(at, who)).expect("noted");
        }
        let ada = AthleteId::parse("ada").expect("id");
        assert_eq!(log.accesses(&ada, 9), Ok(vec![access(3, "ada"), access(1, "ada")]));
        assert_eq!(log.accesses(&ada, 1).map(|a| a.len()), Ok(1));
    }
}
