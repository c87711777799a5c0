//! What every request passes before any handler: its host, where it comes from, who sends it, how often.
//!
//! On the loopback there are no accounts, so two things stand between the record and a page of somebody else's in the same
//! browser: the host must be a name of this machine (a page that rebinds its own name sends that name), and what changes
//! something must come from the same origin with a JSON body, which other origins cannot send unasked.

use super::caller::{Caller, Known};
use super::gate::Gate;
use super::login;
use super::roles::{Reach, Resource, Verb, reach};
use crate::api::app::{App, Entrance};
use crate::api::problem::Problem;
use crate::store::StoreError;
use crate::store::access::TokenRow;
use axum::body::HttpBody as _;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A request that takes longer is given up. Streams answer at once and go on.
const PATIENCE: Duration = Duration::from_secs(10);
/// Header in which browsers repeat the word that guards their cookie.
pub const CSRF_HEADER: &str = "x-lope-csrf";

/// Headers of every answer. No page of lope runs a script or style but its own files, is framed, or says where one came
/// from.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "screen-wake-lock=(self), accelerometer=(), bluetooth=(), camera=(), geolocation=(), gyroscope=(), microphone=(), \
         payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Mark of an answer that is one file with its style in it: it names the style's hash itself, and fetches nothing at all.
pub const STANDS_ALONE: &str = "x-lope-stands-alone";
/// What such a file may do; its own policy narrows the style to the one it brings.
const ALONE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// Whether it came over https, as a trusted proxy says.
    pub https: bool,
}

/// Puts the headers on every answer and gives up what takes too long.
pub async fn outermost(request: Request, next: Next) -> Response {
    let mut response = match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "It took longer than 10 s; ask for less at once.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "lope::api::too_slow", detail).into_response()
        }
    };
    let headers = response.headers_mut();
    let page_of_its_own = headers.contains_key(STANDS_ALONE);
    headers.remove(STANDS_ALONE);
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if page_of_its_own {
        headers.insert("content-security-policy", HeaderValue::from_static(ALONE));
    }
    response
}

/// Looks at where a request comes from and who sends it.
pub async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let sent = sent(&app, request.headers());
    let admitted = identify(&app, sent)
        .await
        .and_then(|caller| admitted(&app, &request, caller));
    match admitted {
        Ok((origin, caller)) => {
            request.extensions_mut().insert(origin);
            if let Some(caller) = caller {
                request.extensions_mut().insert(Arc::new(caller));
            }
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn admitted(app: &App, request: &Request, caller: Option<Caller>) -> Result<(Origin, Option<Caller>), Problem> {
    let headers = request.headers();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |c| c.0.ip());
    let origin = origin_of(app, peer, headers);
    let host = host_of(request);
    if app.entrance() == Entrance::ThisMachine && !host.as_deref().is_some_and(is_this_machine) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "lope::access::host",
            "This server answers to names of its own machine only.",
        )
        .fact("ask for localhost or 127.0.0.1, or serve with --expose"));
    }
    if caller.is_none() && headers.contains_key(header::AUTHORIZATION) {
        app.count(&format!("bad {}", origin.address))?;
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "lope::access::token",
            "This token is not known, has ended or was taken back.",
        ));
    }
    let caller = caller.or_else(|| (app.entrance() == Entrance::ThisMachine).then(Caller::here));
    match caller.as_ref().and_then(Caller::token) {
        Some(token) => app.count(token)?,
        None => app.count(&origin.address.to_string())?,
    }
    if !request.method().is_safe() {
        same_origin(app, peer, headers, host.as_deref())?;
        if is_plain_form(request) {
            return Ok((origin, caller));
        }
        json_only(request)?;
        if let Some(csrf) = caller.as_ref().and_then(Caller::csrf) {
            let said = headers.get(CSRF_HEADER).and_then(|v| v.to_str().ok());
            if !said.is_some_and(|s| same(s, csrf)) {
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    "lope::access::csrf",
                    "The header X-Lope-CSRF lacks or is not the one of this sign-in.",
                ));
            }
        }
    }
    Ok((origin, caller))
}

/// Whether it is a form of a page without a script. Forms sign in and out and do nothing else; that they come from a page of
/// ours was asked before.
fn is_plain_form(request: &Request) -> bool {
    request.method() == Method::POST && matches!(request.uri().path(), "/plain/sign-in" | "/plain/sign-out")
}

/// Compares secrets in a time that does not tell where they differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

fn origin_of(app: &App, peer: IpAddr, headers: &HeaderMap) -> Origin {
    let said = |name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .filter(|_| app.trusts(peer))
    };
    // The last address is the one the trusted proxy itself saw; those before it are what the client claims.
    let address = said("x-forwarded-for")
        .and_then(|v| v.rsplit(',').next())
        .and_then(|v| v.trim().parse().ok());
    Origin {
        address: address.unwrap_or(peer),
        https: said("x-forwarded-proto") == Some("https"),
    }
}

fn host_of(request: &Request) -> Option<String> {
    let header = request.headers().get(header::HOST).and_then(|v| v.to_str().ok());
    header
        .or_else(|| request.uri().authority().map(|a| a.as_str()))
        .map(str::to_owned)
}

/// Whether a host (with or without port) names this machine.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) if port.is_empty() || is_port(port) => name,
            _ => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            Some(_) => return false,
            None => host,
        },
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':')
        .is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()))
}

/// Refuses what a page of another origin sends. Programs send no origin; browsers always do.
fn same_origin(app: &App, peer: IpAddr, headers: &HeaderMap, host: Option<&str>) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let foreign = || {
        Problem::new(
            StatusCode::FORBIDDEN,
            "lope::access::origin",
            "A page of another origin may not change anything here.",
        )
    };
    if matches!(text("sec-fetch-site"), Some("cross-site" | "same-site")) {
        return Err(foreign());
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().ok().and_then(|o| o.split_once("://")).map(|(_, h)| h);
    let forwarded = text("x-forwarded-host").filter(|_| app.trusts(peer));
    let own = [host, forwarded];
    match origin {
        Some(origin) if own.iter().flatten().any(|h| h.eq_ignore_ascii_case(origin)) => Ok(()),
        _ => Err(foreign()),
    }
}

/// Refuses bodies that forms of other pages could send.
fn json_only(request: &Request) -> Result<(), Problem> {
    let empty = request.body().size_hint().exact() == Some(0);
    if empty && request.method() == Method::DELETE {
        return Ok(());
    }
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let kind = kind.map(|k| k.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if kind.as_deref() == Some("application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "lope::api::content_type",
        "What changes something must be sent as application/json.",
    ))
}

/// What a request says of who sends it: the hash of a token, and the guard of the cookie if it came by one.
fn sent(app: &App, headers: &HeaderMap) -> Option<(String, Option<String>)> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| TokenRow::hash_of(token.trim()));
    if let Some(hash) = bearer {
        return Some((hash, None));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let cookie = cookies.filter_map(login::cookie_in).next()?;
    let (hash, csrf) = app.logins().find(cookie, app.now())?;
    Some((hash, Some(csrf)))
}

/// Who sends it, if that is somebody whose token counts.
async fn identify(app: &App, sent: Option<(String, Option<String>)>) -> Result<Option<Caller>, Problem> {
    let Some((sha256, csrf)) = sent else { return Ok(None) };
    let token = app.ask(move |app| app.access().token(&sha256)).await?;
    let caller = token.filter(|t| t.counts(app.now())).map(Caller::of);
    Ok(match csrf {
        Some(csrf) => caller.map(|c| c.with_cookie(csrf)),
        None => caller,
    })
}

/// The guard of one route: asks the table, and hands the gate to the handler.
pub async fn at_route(resource: Resource, verb: Verb, mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Arc<Caller>>().cloned();
    match (caller, resource) {
        (Some(caller), _) => match reach(caller.role, resource, verb) {
            Reach::Nobody => {
                let detail = format!("The role {} does not reach this.", caller.role.name());
                return Problem::forbidden(detail).into_response();
            }
            reach => {
                request.extensions_mut().insert(Gate {
                    caller,
                    resource,
                    verb,
                    reach,
                });
            }
        },
        (None, Resource::Login) => {}
        (None, _) => {
            return Problem::new(
                StatusCode::UNAUTHORIZED,
                "lope::access::who",
                "Say who you are: sign in, or send a token as `Authorization: Bearer`.",
            )
            .into_response();
        }
    }
    next.run(request).await
}

/// What a token that no longer counts means for a stream that is open.
///
/// # Errors
/// Those of the store.
pub fn still_counts(app: &App, caller: &Caller) -> Result<bool, StoreError> {
    match &caller.known {
        Known::ByPlace => Ok(true),
        Known::ByToken { sha256, .. } | Known::ByCookie { sha256, .. } => {
            Ok(app.access().token(sha256)?.is_some_and(|t| t.counts(app.now())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_this_machine() {
        for own in [
            "localhost",
            "LOCALHOST:8787",
            "127.0.0.1:80",
            "127.8.9.1",
            "[::1]:8787",
            "[::1]",
        ] {
            assert!(is_this_machine(own), "{own}");
        }
        for other in [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "[::1].evil.example",
            "localhost:80@evil.example",
            "::1:80",
            "[::1]:x",
        ] {
            assert!(!is_this_machine(other), "{other}");
        }
    }

    #[test]
    fn secrets_are_the_same_or_not() {
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab") && !same("", "a"));
    }
}
