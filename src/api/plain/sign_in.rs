//! Signing in and out without a script: a form that takes a token, and one that takes the cookie back.
//!
//! A form cannot send JSON or a header of its own, so the guard lets these two addresses be asked by forms; that the form is
//! on a page of this very server is asked of the browser as everywhere (`Origin`, `Sec-Fetch-Site`).

use super::html::{Page, escape};
use crate::api::access::caller::Caller;
use crate::api::access::guard::Origin;
use crate::api::app::App;
use crate::api::problem::Problem;
use crate::api::routes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Form};
use serde::Deserialize;
use std::sync::Arc;

/// Where one signs in, below `/plain`.
const HERE: &str = "/plain/sign-in";

/// What the form sends.
#[derive(Deserialize)]
struct Fields {
    token: String,
    #[serde(default)]
    back: String,
}

/// Adds the form to a page; afterwards the browser comes back to `back`.
pub(super) fn form(page: &mut Page, back: &str) {
    // Without it a browser that says no referrer says no origin either, and the form would look like somebody else's.
    page.in_head("<meta name=\"referrer\" content=\"same-origin\">");
    page.push(&format!(
        "<form method=\"post\" action=\"{HERE}\">\n<p><label for=\"token\">Token</label><br>\n\
         <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required></p>\n\
         <input type=\"hidden\" name=\"back\" value=\"{}\">\n<p><button>Sign in</button></p>\n</form>",
        escape(way_back(back))
    ));
}

/// Pages that the form leads back to are our own plain ones.
fn way_back(path: &str) -> &str {
    let plain = path == "/plain" || path.starts_with("/plain/");
    let odd = path.contains("//") || path.contains(|c: char| c == '\\' || c.is_ascii_control());
    if plain && !odd { path } else { "/plain" }
}

/// The page with the form, or who one is and the way out.
pub(super) async fn page(caller: Option<Extension<Arc<Caller>>>) -> Response {
    let mut page = Page::new("Sign in");
    match caller {
        Some(Extension(caller)) => {
            page.in_head("<meta name=\"referrer\" content=\"same-origin\">");
            let name = if caller.name.is_empty() {
                caller.role.name()
            } else {
                &caller.name
            };
            page.push(&format!(
                "<p>You are {}, with the role {}.</p>",
                escape(name),
                caller.role.name()
            ));
            if caller.csrf().is_some() {
                page.push("<form method=\"post\" action=\"/plain/sign-out\"><p><button>Sign out</button></p></form>");
            }
        }
        None => form(&mut page, "/plain"),
    }
    page.answer()
}

/// Takes the token.
pub(super) async fn sign_in(
    State(app): State<App>,
    origin: Option<Extension<Origin>>,
    request: Request,
) -> Result<Response, Problem> {
    let Form(fields) = Form::<Fields>::from_request(request, &app)
        .await
        .map_err(|e| Problem::parameter("token", e.body_text()))?;
    let mut response = to(way_back(&fields.back));
    routes::sign_in(&app, origin.map(|o| o.0), &fields.token, response.headers_mut()).await?;
    Ok(response)
}

/// Takes the cookie back.
pub(super) async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Response {
    let mut response = to(HERE);
    routes::sign_out(&app, &headers, response.headers_mut());
    response
}

fn to(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/plain"));
    response.headers_mut().insert(header::LOCATION, path);
    response
}

#[cfg(test)]
mod tests {
    use super::way_back;

    #[test]
    fn the_form_leads_back_to_plain_pages_only() {
        for own in ["/plain", "/plain/live", "/plain/session/s1?x=1"] {
            assert_eq!(way_back(own), own);
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/plainly",
            "https://evil.example/plain",
            "/plain//x",
            "/plain/\\x",
            "/plain/\n",
        ] {
            assert_eq!(way_back(other), "/plain", "{other:?}");
        }
    }
}
