//! The dashboard as it was built into the program: files of the web page, or nothing.
//!
//! Files with a hash in their name never change and may be kept for ever; the page itself is asked for anew each time.
//! Where no dashboard was built in, the plain pages take its place.

use super::problem::Problem;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// A file of the dashboard.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its address, `/assets/index-1a2b3c.js`.
    pub path: &'static str,
    /// Its media type.
    pub media: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// SHA-256 of its bytes, the first digits.
    pub tag: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// Whether a dashboard was built in.
#[must_use]
pub fn is_built_in() -> bool {
    !ASSETS.is_empty()
}

/// The file at this address. Addresses without a file are places inside the page, unless they look like files.
fn find(path: &str) -> Option<&'static Asset> {
    let exact = |path: &str| ASSETS.iter().find(|a| a.path == path);
    let looks_like_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    exact(path).or_else(|| (!looks_like_file).then(|| exact("/index.html")).flatten())
}

/// Answers whatever no other route does.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") || path == "/api" {
        return Problem::not_found("such address").into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let detail = "This address does not do that.";
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "lope::api::method", detail).into_response();
    }
    match find(path) {
        Some(asset) => file(asset, request.headers()),
        None if !is_built_in() && path == "/" => to_plain(),
        None => Problem::not_found("such page").into_response(),
    }
}

fn to_plain() -> Response {
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::from_static("/plain"));
    response
}

fn file(asset: &Asset, request: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", asset.tag);
    let known = request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        asset.bytes.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media));
    let cache = if asset.path.starts_with("/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
