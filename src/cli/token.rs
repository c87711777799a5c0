//! `lope token`: who may look from another machine.

use super::Globals;
use super::failure::{Exit, Failure};
use super::sensor_words::table;
use crate::api::access::login::secret;
use crate::runtime::serve::now;
use crate::store::access::{Role, TokenRow, TokenScope};
use crate::store::{AthleteId, SqliteAccess, StoreError, UtcMicros};
use clap::{Args, Subcommand};
use serde_json::json;
use std::time::Duration;

/// Arguments of `lope token`.
#[derive(Args, Debug)]
pub struct TokenArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Make a token; it is shown this once
    Add(AddArgs),
    /// Tokens and links, the oldest first
    List,
    /// Take a token or link back
    Revoke {
        /// The first digits that lope token list shows
        prefix: String,
    },
}

#[derive(Args, Debug)]
struct AddArgs {
    /// Who will hold it; consents name this
    name: String,
    /// What they are: owner, runner, coach or therapist
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Role,
    /// An athlete in scope; may be given more than once
    #[arg(long, value_name = "ID")]
    athlete: Vec<String>,
    /// A group in scope; may be given more than once
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// It ends by itself after this long: 12h, 30d, 8w
    #[arg(long, value_name = "TIME", value_parser = life)]
    expires: Option<Duration>,
}

fn role(text: &str) -> Result<Role, String> {
    Role::from_name(text)
        .filter(|r| *r != Role::Share)
        .ok_or_else(|| "expected owner, runner, coach or therapist".to_owned())
}

/// Parses how long a token lives.
fn life(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time such as 12h, 30d or 8w".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let hours = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 7 * 24,
        _ => return Err(wrong()),
    };
    let n: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    // Ten years are longer than any token should live.
    match n.checked_mul(hours) {
        Some(hours @ 1..=87_600) => Ok(Duration::from_secs(3600 * hours)),
        _ => Err(wrong()),
    }
}

/// Runs `lope token`.
///
/// # Errors
/// A scope that does not fit the role; no such token; those of the store.
pub fn run(globals: &Globals, args: &TokenArgs) -> Result<Exit, Failure> {
    let access = SqliteAccess::open(&globals.data_dir()?)?;
    match &args.verb {
        Verb::Add(add_args) => add(globals, &access, add_args),
        Verb::List => list(globals, &access),
        Verb::Revoke { prefix } => revoke(globals, &access, prefix),
    }
}

fn add(globals: &Globals, access: &SqliteAccess, args: &AddArgs) -> Result<Exit, Failure> {
    let refused = |why: String| Failure::new("lope::token::scope", Exit::Refused, "No token was made.").why(why);
    let athletes: Result<Vec<AthleteId>, StoreError> = args.athlete.iter().map(|a| AthleteId::parse(a)).collect();
    let athletes = athletes.map_err(|e| refused(e.to_string()).try_this("name athletes by id: lope athlete list"))?;
    let reaches = !athletes.is_empty() || !args.group.is_empty();
    match args.role {
        Role::Runner if athletes.len() != 1 || !args.group.is_empty() => {
            return Err(refused("a runner is one athlete".to_owned()).try_this("--athlete ID"));
        }
        Role::Coach | Role::Therapist if !reaches => {
            return Err(refused(format!("a {} without athletes sees nobody", args.role.name()))
                .try_this("--athlete ID, or --group GROUP"));
        }
        _ => {}
    }
    if args.name.trim().is_empty() || args.name.chars().any(char::is_control) || args.name.chars().count() > 80 {
        return Err(refused("a name has 1 to 80 characters".to_owned()).try_this("name who will hold it"));
    }
    let token = secret().map_err(|e| {
        Failure::new(
            "lope::token::random",
            Exit::Outside,
            "This system gives no random numbers.",
        )
        .why(e.to_string())
    })?;
    let made = now();
    let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
    let row = TokenRow {
        sha256: TokenRow::hash_of(&token),
        name: args.name.trim().to_owned(),
        role: args.role,
        scope: TokenScope {
            athletes,
            groups: args.group.clone(),
            ..TokenScope::default()
        },
        made,
        expires: args
            .expires
            .map(|d| UtcMicros::from_micros(made.micros().saturating_add(micros(d)))),
        revoked: None,
    };
    access.add(&row)?;
    let console = globals.console;
    if console.json {
        let mut value = row_json(&row);
        value["token"] = json!(token);
        console.result(&format!("{value:#}\n"))?;
    } else {
        console.result(&format!("{token}\n"))?;
    }
    console.advice(&format!(
        "the token of {} ({}): it is shown this once; give it to nobody else",
        row.name,
        row.role.name()
    ));
    if let Some(end) = row.expires {
        console.advice(&format!("it ends {}", end.iso8601()));
    }
    console.advice(&format!("take it back with: lope token revoke {}", row.prefix()));
    Ok(Exit::Done)
}

fn row_json(row: &TokenRow) -> serde_json::Value {
    json!({
        "prefix": row.prefix(), "name": row.name, "role": row.role, "athletes": row.scope.athletes,
        "groups": row.scope.groups, "session": row.scope.session, "made_us": row.made,
        "expires_us": row.expires, "revoked_us": row.revoked,
    })
}

fn list(globals: &Globals, access: &SqliteAccess) -> Result<Exit, Failure> {
    let rows = access.tokens()?;
    let console = globals.console;
    if console.json {
        let tokens: Vec<_> = rows.iter().map(row_json).collect();
        console.result(&format!("{:#}\n", json!({ "tokens": tokens })))?;
        return Ok(Exit::Done);
    }
    let state = |t: &TokenRow| match (t.revoked, t.expires) {
        (Some(_), _) => "taken back".to_owned(),
        (None, Some(end)) if end <= now() => "ended".to_owned(),
        (None, Some(end)) => format!("until {}", end.iso8601().get(..10).unwrap_or_default()),
        (None, None) => "counts".to_owned(),
    };
    let reach = |t: &TokenRow| {
        let athletes = t.scope.athletes.iter().map(ToString::to_string);
        let groups = t.scope.groups.iter().map(|g| format!("group {g}"));
        athletes.chain(groups).collect::<Vec<_>>().join(", ")
    };
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|t| {
            [
                t.prefix().to_owned(),
                t.name.clone(),
                t.role.name().to_owned(),
                reach(t),
                state(t),
            ]
        })
        .collect();
    console.result(&table(&cells))?;
    console.advice("next: lope token add NAME --role ROLE, lope token revoke PREFIX");
    Ok(Exit::Done)
}

fn revoke(globals: &Globals, access: &SqliteAccess, prefix: &str) -> Result<Exit, Failure> {
    let unknown = |why: String| {
        Failure::new("lope::token::unknown", Exit::Unknown, "There is no one such token.")
            .why(why)
            .try_this("lope token list")
    };
    match access.revoke(prefix, now()) {
        Ok(true) => globals
            .console
            .result("taken back; open streams end within half a minute\n")?,
        Ok(false) => globals.console.result("it had been taken back before\n")?,
        Err(e @ StoreError::Missing { .. }) => return Err(unknown(e.to_string())),
        Err(StoreError::Conflict { .. }) => return Err(unknown(format!("several begin with {prefix}"))),
        Err(e) => return Err(e.into()),
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    #[test]
    fn lives_are_read_as_people_write_them() {
        let hours = |t: &str| super::life(t).map(|d| d.as_secs() / 3600).ok();
        assert_eq!(
            (hours("12h"), hours("30d"), hours("8w")),
            (Some(12), Some(720), Some(1344))
        );
        for wrong in ["", "d", "0d", "-1d", "30", "3m", "99999999w", "ä"] {
            assert_eq!(hours(wrong), None, "{wrong}");
        }
    }
}
