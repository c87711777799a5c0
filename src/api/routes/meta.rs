//! Whether the server is there, who is asking, and signing in and out.

use crate::api::access::gate::Gate;
use crate::api::access::guard::Origin;
use crate::api::access::login::{self, COOKIE};
use crate::api::access::roles::Resource;
use crate::api::answer;
use crate::api::app::App;
use crate::api::endpoint::Endpoint;
use crate::api::extract::Json;
use crate::api::problem::Problem;
use crate::store::access::TokenRow;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use utoipa::ToSchema;

/// Whether the server is there.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
    /// Version of the program.
    version: &'static str,
    /// Names this start of the program.
    boot_id: String,
    /// Role of who asks.
    role: String,
    /// Name of who asks.
    name: String,
    /// Whether who asks may change anything at all.
    read_only: bool,
    /// What browsers repeat in `X-Lope-CSRF`; null for callers without a cookie.
    csrf: Option<String>,
}

/// A token to sign in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginBody {
    /// The token.
    token: String,
}

/// What a browser that signed in needs.
#[derive(Serialize, ToSchema)]
struct LoggedIn {
    /// What it repeats in `X-Lope-CSRF`.
    csrf: String,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/health",
            Resource::Health,
            "Whether the server is there, and who is asking.",
            health,
        )
        .answers::<Health>(200),
        Endpoint::post("/login", Resource::Login, "Sign a browser in with a token.", login)
            .body::<LoginBody>()
            .answers::<LoggedIn>(200),
        Endpoint::post("/logout", Resource::Login, "Sign the browser out.", logout).answers_nothing(204),
    ]
}

async fn health(State(app): State<App>, gate: Gate) -> Result<Response, Problem> {
    use crate::store::access::Role;
    let caller = &gate.caller;
    answer::json(&Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        boot_id: app.hub().boot().to_owned(),
        role: caller.role.name().to_owned(),
        name: caller.name.clone(),
        read_only: matches!(caller.role, Role::Share),
        csrf: caller.csrf().map(str::to_owned),
    })
}

async fn login(
    State(app): State<App>,
    origin: Option<Extension<Origin>>,
    Json(body): Json<LoginBody>,
) -> Result<Response, Problem> {
    let mut headers = HeaderMap::new();
    let csrf = sign_in(&app, origin.map(|o| o.0), &body.token, &mut headers).await?;
    let mut response = answer::json(&LoggedIn { csrf })?;
    response.headers_mut().extend(headers);
    Ok(response)
}

/// Signs a browser in: its cookie goes to `headers`; what its requests repeat is given back.
///
/// # Errors
/// A token that does not count; too many attempts.
pub(in crate::api) async fn sign_in(
    app: &App,
    origin: Option<Origin>,
    token: &str,
    headers: &mut HeaderMap,
) -> Result<String, Problem> {
    let origin = origin.unwrap_or(Origin {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        https: false,
    });
    app.count_login(&origin.address.to_string())?;
    let hash = TokenRow::hash_of(token.trim());
    let token = app.ask(move |app| app.access().token(&hash)).await?;
    let Some(token) = token.filter(|t| t.counts(app.now())) else {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "lope::access::token",
            "This token is not known, has ended or was taken back.",
        ));
    };
    let new = app
        .logins()
        .sign_in(&token.sha256, app.now())
        .map_err(|_| Problem::ours("This system gives no random numbers."))?;
    put_cookie(headers, &new.cookie, origin);
    Ok(new.csrf)
}

/// Hands a browser its cookie.
pub(super) fn put_cookie(headers: &mut HeaderMap, value: &str, origin: Origin) {
    let secure = if origin.https { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.append(header::SET_COOKIE, value);
    }
}

async fn logout(State(app): State<App>, headers: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    sign_out(&app, &headers, response.headers_mut());
    response
}

/// Signs the browser of a request out: what takes its cookie away goes to `answer`.
pub(in crate::api) fn sign_out(app: &App, request: &HeaderMap, answer: &mut HeaderMap) {
    let cookies = request.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    for cookie in cookies.filter_map(login::cookie_in) {
        app.logins().sign_out(cookie);
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    if let Ok(value) = HeaderValue::from_str(&gone) {
        answer.append(header::SET_COOKIE, value);
    }
}
