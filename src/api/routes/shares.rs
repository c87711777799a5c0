//! Links that lead to one session or report, for a while.

use super::meta::put_cookie;
use super::tokens::token;
use crate::api::access::gate::Gate;
use crate::api::access::guard::Origin;
use crate::api::access::roles::Resource;
use crate::api::answer::{self, List};
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::{self, Json, Path};
use crate::api::problem::Problem;
use crate::store::access::{Role, Shared, TokenRow, TokenScope};
use crate::store::{AthleteId, History as _, SessionId};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use utoipa::ToSchema;

/// Longest life of a link, µs.
const LONGEST_US: i64 = 90 * 86_400_000_000;

/// A link that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewShare {
    /// Whose.
    athlete: AthleteId,
    /// `session` or `report`.
    #[schema(value_type = String)]
    what: Shared,
    /// Which session.
    session: Option<SessionId>,
    /// When it ends, µs UTC; at most 90 days ahead.
    expires_us: i64,
}

/// A link as it was made.
#[derive(Serialize, ToSchema)]
struct ShareMade {
    /// Where it leads; below the address of this server. Shown this once.
    url: String,
    /// First digits of its hash.
    prefix: String,
    /// When it ends, µs UTC.
    expires_us: i64,
}

/// A link in a list.
#[derive(Serialize, ToSchema)]
struct ShareItem {
    /// First digits of its hash.
    prefix: String,
    /// Whose.
    athlete: Option<AthleteId>,
    /// To what.
    #[schema(value_type = Option<String>)]
    what: Option<Shared>,
    /// Which session.
    session: Option<SessionId>,
    /// When it was made, µs UTC.
    made_us: i64,
    /// When it ends.
    expires_us: Option<i64>,
    /// When it was taken back.
    revoked_us: Option<i64>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/shares", Resource::Shares, "Links, the oldest first.", list).answers_list::<ShareItem>(200),
        Endpoint::post("/shares", Resource::Shares, "Make a link that ends by itself.", make)
            .body::<NewShare>()
            .answers::<ShareMade>(201),
        Endpoint::delete("/shares/{prefix}", Resource::Shares, "Take a link back.", revoke).answers_nothing(204),
    ]
}

/// Links whom the caller may see. Blocks.
fn own(app: &App, gate: &Gate) -> Result<Vec<TokenRow>, Problem> {
    let shares = app.access().tokens()?.into_iter().filter(|t| t.role == Role::Share);
    let seen = |t: &TokenRow| t.scope.athletes.first().is_some_and(|a| gate.sight(app, a).is_ok());
    Ok(shares.filter(seen).collect())
}

async fn list(State(app): State<App>, gate: Gate) -> Result<Response, Problem> {
    let rows = app.ask(move |app| own(app, &gate)).await?;
    let item = |t: TokenRow| ShareItem {
        prefix: t.prefix().to_owned(),
        athlete: t.scope.athletes.first().cloned(),
        what: t.scope.what,
        session: t.scope.session,
        made_us: t.made.micros(),
        expires_us: t.expires.map(crate::store::UtcMicros::micros),
        revoked_us: t.revoked.map(crate::store::UtcMicros::micros),
    };
    answer::json(&List::whole(rows.into_iter().map(item).collect()))
}

async fn make(State(app): State<App>, gate: Gate, Json(new): Json<NewShare>) -> Result<Response, Problem> {
    if new.expires_us > app.now().micros().saturating_add(LONGEST_US) {
        return Err(Problem::parameter("expires_us", "more than 90 days ahead"));
    }
    let session = new
        .session
        .ok_or_else(|| Problem::parameter("session", "a link leads to one session"))?;
    let athlete = new.athlete.clone();
    let scope = TokenScope {
        athletes: vec![new.athlete],
        groups: Vec::new(),
        session: Some(session.clone()),
        what: Some(new.what),
    };
    let name = format!("link to {session}");
    let (row, secret) = token(&app, &name, Role::Share, scope, Some(new.expires_us))?;
    let made = ShareMade {
        url: format!("/share/{secret}"),
        prefix: row.prefix().to_owned(),
        expires_us: new.expires_us,
    };
    app.ask(move |app| {
        gate.athlete(app, &athlete)?;
        let of = app.reader().session(&session)?;
        if of.is_none_or(|row| row.meta.athlete != athlete) {
            return Err(Problem::not_found("such session"));
        }
        Ok(app.access().add(&row)?)
    })
    .await?;
    answer::json_with(StatusCode::CREATED, &made)
}

async fn revoke(State(app): State<App>, gate: Gate, Path(prefix): Path<String>) -> Result<Response, Problem> {
    app.ask(move |app| {
        if !own(app, &gate)?
            .iter()
            .any(|t| !prefix.is_empty() && t.sha256.starts_with(&prefix))
        {
            return Err(Problem::not_found("such link"));
        }
        Ok(app.access().revoke(&prefix, app.now())?)
    })
    .await?;
    app.access_changed();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Follows a link: the browser is signed in with it, and led to what it is about.
///
/// # Errors
/// 404 for a link that is none, or has ended.
pub(in crate::api) async fn follow(
    State(app): State<App>,
    origin: Option<Extension<Origin>>,
    Path(secret): Path<String>,
) -> Result<Response, Problem> {
    let origin = origin.map_or(
        Origin {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            https: false,
        },
        |o| o.0,
    );
    app.count_login(&origin.address.to_string())?;
    let hash = TokenRow::hash_of(&secret);
    let token = app.ask(move |app| app.access().token(&hash)).await?;
    let token = token.filter(|t| t.role == Role::Share && t.counts(app.now()));
    let gone = || Problem::not_found("such link");
    let token = token.ok_or_else(gone)?;
    let session = token.scope.session.clone().ok_or_else(gone)?;
    let login = app
        .logins()
        .sign_in(&token.sha256, app.now())
        .map_err(|_| Problem::ours("This system gives no random numbers."))?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    let to = format!("/plain/session/{}", extract::session(session.as_str())?);
    if let Ok(to) = HeaderValue::from_str(&to) {
        headers.insert(header::LOCATION, to);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    put_cookie(headers, &login.cookie, origin);
    Ok(response)
}
