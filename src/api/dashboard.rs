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
    /// The same compressed when it was built in; `None` where that saves nothing.
    pub gzip: Option<&'static [u8]>,
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

/// Whether who asks takes gzip: it is named, and not with a weight of nothing.
fn takes_gzip(request: &HeaderMap) -> bool {
    let said = request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok());
    said.flat_map(|v| v.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

fn file(asset: &Asset, request: &HeaderMap) -> Response {
    let gzip = asset.gzip.filter(|_| takes_gzip(request));
    // Two representations, two tags.
    let tag = format!("\"{}{}\"", asset.tag, if gzip.is_some() { "-gz" } else { "" });
    let known = request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        gzip.unwrap_or(asset.bytes).into_response()
    };
    if asset.gzip.is_some() {
        let vary = HeaderValue::from_static("accept-encoding");
        response.headers_mut().insert(header::VARY, vary);
    }
    if gzip.is_some() && !known {
        let packed = HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, packed);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(encodings: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings))])
    }

    #[test]
    fn a_file_is_sent_compressed_to_who_takes_that() {
        let asset = Asset {
            path: "/assets/a.js",
            media: "text/javascript",
            bytes: b"plain",
            gzip: Some(b"packed"),
            tag: "t",
        };
        for (encodings, packed) in [
            ("gzip, br", true),
            ("br, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
        ] {
            let answer = file(&asset, &asking(encodings));
            let sent = answer.headers();
            assert_eq!(sent.get(header::CONTENT_ENCODING).is_some(), packed, "{encodings}");
            assert_eq!(sent[header::ETAG], if packed { "\"t-gz\"" } else { "\"t\"" });
            assert_eq!(sent[header::VARY], "accept-encoding");
        }
        let mut again = asking("gzip");
        again.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"t-gz\""));
        assert_eq!(file(&asset, &again).status(), StatusCode::NOT_MODIFIED);
    }
}
