//! Tokens: who may look from elsewhere.

use crate::api::access::gate::Gate;
use crate::api::access::login::secret;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{Json, Path};
use crate::api::problem::Problem;
use crate::store::access::{Role, TokenRow, TokenScope};
use crate::store::{AthleteId, UtcMicros};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest name.
const NAME_MAX: usize = 80;

/// A token that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// Who will hold it; consents name this.
    name: String,
    /// `owner`, `runner`, `coach` or `therapist`.
    role: String,
    /// Athletes in scope.
    #[serde(default)]
    athletes: Vec<AthleteId>,
    /// Groups in scope.
    #[serde(default)]
    groups: Vec<String>,
    /// When it ends, µs UTC.
    expires_us: Option<i64>,
}

/// A token as it is kept.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenItem {
    /// First digits of its hash, by which people name it.
    prefix: String,
    /// Who holds it.
    name: String,
    /// Role.
    role: String,
    /// Athletes in scope.
    athletes: Vec<AthleteId>,
    /// Groups in scope.
    groups: Vec<String>,
    /// When it was made, µs UTC.
    made_us: i64,
    /// When it ends.
    expires_us: Option<i64>,
    /// When it was taken back.
    revoked_us: Option<i64>,
    /// The token itself: shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl TokenItem {
    fn of(row: &TokenRow, token: Option<String>) -> Self {
        Self {
            prefix: row.prefix().to_owned(),
            name: row.name.clone(),
            role: row.role.name().to_owned(),
            athletes: row.scope.athletes.clone(),
            groups: row.scope.groups.clone(),
            made_us: row.made.micros(),
            expires_us: row.expires.map(UtcMicros::micros),
            revoked_us: row.revoked.map(UtcMicros::micros),
            token,
        }
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/tokens", Resource::Tokens, "Tokens, the oldest first.", list).answers_list::<TokenItem>(200),
        Endpoint::post(
            "/tokens",
            Resource::Tokens,
            "Make a token; it is shown this once.",
            make,
        )
        .body::<NewToken>()
        .answers::<TokenItem>(201),
        Endpoint::delete("/tokens/{prefix}", Resource::Tokens, "Take a token back.", revoke).answers_nothing(204),
    ]
}

async fn list(State(app): State<App>, _gate: Gate) -> Result<Response, Problem> {
    let rows = app.ask(|app| app.access().tokens()).await?;
    let rows = rows.iter().filter(|t| t.role != Role::Share);
    answer::json(&List::whole(rows.map(|t| TokenItem::of(t, None)).collect()))
}

async fn make(State(app): State<App>, _gate: Gate, Json(new): Json<NewToken>) -> Result<Response, Problem> {
    let role = Role::from_name(&new.role).filter(|r| *r != Role::Share);
    let role = role.ok_or_else(|| Problem::parameter("role", format!("{:?} is not a role of a token", new.role)))?;
    let scope = TokenScope {
        athletes: new.athletes,
        groups: new.groups,
        ..TokenScope::default()
    };
    let (row, token) = token(&app, new.name.trim(), role, scope, new.expires_us)?;
    let item = TokenItem::of(&row, Some(token));
    app.ask(move |app| app.access().add(&row)).await?;
    answer::json_with(StatusCode::CREATED, &item)
}

/// A new token, not kept yet.
///
/// # Errors
/// 422 for a name or an end that cannot be; 500 when the system gives no random numbers.
pub(super) fn token(
    app: &App,
    name: &str,
    role: Role,
    scope: TokenScope,
    expires_us: Option<i64>,
) -> Result<(TokenRow, String), Problem> {
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Problem::parameter(
            "name",
            format!("a name has 1 to {NAME_MAX} characters"),
        ));
    }
    if role == Role::Runner && scope.athletes.len() != 1 {
        return Err(Problem::parameter("athletes", "a runner is one athlete"));
    }
    let expires = answer::instant("expires_us", expires_us)?;
    if expires.is_some_and(|end| end <= app.now()) {
        return Err(Problem::parameter("expires_us", "it has passed already"));
    }
    let token = secret().map_err(|_| Problem::ours("This system gives no random numbers."))?;
    let row = TokenRow {
        sha256: TokenRow::hash_of(&token),
        name: name.to_owned(),
        role,
        scope,
        made: app.now(),
        expires,
        revoked: None,
    };
    Ok((row, token))
}

async fn revoke(State(app): State<App>, _gate: Gate, Path(prefix): Path<String>) -> Result<Response, Problem> {
    app.ask(move |app| app.access().revoke(&prefix, app.now())).await?;
    app.access_changed();
    Ok(StatusCode::NO_CONTENT.into_response())
}
