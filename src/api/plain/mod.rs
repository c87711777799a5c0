//! Pages that need no script: what a slow phone, a screen reader or a machine without the dashboard shows.
//!
//! HTML and SVG made here, one style sheet, nothing inline. They read the same answers as the interface and pass the same
//! gates. Problems come as pages too.

mod html;
mod pages;
mod sign_in;

use super::access::guard;
use super::access::roles::{Resource, Verb};
use super::app::App;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use html::{Page, escape};

const STYLE: &str = include_str!("style.css");
/// Problems are small.
const PROBLEM_MAX: usize = 64 * 1024;

/// The pages, below `/plain`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", looking(Resource::Session, get(pages::sessions)))
        .route("/live", looking(Resource::Live, get(pages::live)))
        .route("/session/{session}", looking(Resource::Session, get(pages::session)))
        .route("/flags", looking(Resource::Flags, get(pages::flags)))
        .route(
            "/sign-in",
            get(sign_in::page).merge(changing(Resource::Login, post(sign_in::sign_in))),
        )
        .route("/sign-out", changing(Resource::Login, post(sign_in::sign_out)))
        .layer(from_fn(as_page))
        .route("/style.css", get(style))
}

fn looking(resource: Resource, handler: MethodRouter<App>) -> MethodRouter<App> {
    handler.route_layer(from_fn(move |request: Request, next: Next| {
        guard::at_route(resource, Verb::Read, request, next)
    }))
}

fn changing(resource: Resource, handler: MethodRouter<App>) -> MethodRouter<App> {
    handler.route_layer(from_fn(move |request: Request, next: Next| {
        guard::at_route(resource, Verb::Write, request, next)
    }))
}

async fn style() -> Response {
    let mut response = STYLE.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/css; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Shows problems as pages.
async fn as_page(request: Request, next: Next) -> Response {
    let asked = request.uri().path().to_owned();
    let response = next.run(request).await;
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|v| v == "application/problem+json");
    if !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, PROBLEM_MAX).await.unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let text = |name: &str| {
        problem
            .get(name)
            .and_then(|v| v.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let mut page = Page::new(&text("title"));
    page.push(&format!("<p>{}</p>", escape(&text("detail"))));
    if parts.status == axum::http::StatusCode::UNAUTHORIZED {
        page.push("<p>Sign in with the token that you were given, or follow the link that you were sent.</p>");
        sign_in::form(&mut page, &format!("/plain{}", asked.trim_end_matches('/')));
    }
    page.push("<p><a href=\"/plain\">All sessions</a></p>");
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Response::from_parts(parts, page.finish().into())
}
