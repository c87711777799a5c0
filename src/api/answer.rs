//! Answers: JSON, JSON with a fingerprint of its content, lists in pages.

use super::problem::Problem;
use crate::store::UtcMicros;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// Most rows in an answer.
pub const ROWS_MAX: usize = 20_000;

/// A list, or a page of one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct List<T: ToSchema> {
    /// What was asked for.
    pub items: Vec<T>,
    /// Where the next page begins; null when this was the last.
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> List<T> {
    /// All there is.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|_| Problem::ours("The answer could not be written."))
}

/// JSON that nobody keeps.
///
/// # Errors
/// 500 when it cannot be written.
pub fn json(value: &impl Serialize) -> Result<Response, Problem> {
    json_with(StatusCode::OK, value)
}

/// JSON that nobody keeps, with a status.
///
/// # Errors
/// 500 when it cannot be written.
pub fn json_with(status: StatusCode, value: &impl Serialize) -> Result<Response, Problem> {
    let mut response = (status, encode(value)?).into_response();
    put(response.headers_mut(), "application/json", "no-store");
    Ok(response)
}

/// JSON with a strong fingerprint of its bytes: who holds it already is told so (304).
///
/// # Errors
/// 500 when it cannot be written.
pub fn json_marked(request: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    Ok(marked(request, "application/json", encode(value)?))
}

/// Bytes with a strong fingerprint, for whoever may see them, asked for anew each time.
#[must_use]
pub fn marked(request: &HeaderMap, media: &'static str, bytes: Vec<u8>) -> Response {
    let digest = Sha256::digest(&bytes);
    let tag: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
        .any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        bytes.into_response()
    };
    put(response.headers_mut(), media, "private, no-cache");
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn put(headers: &mut HeaderMap, media: &'static str, cache: &'static str) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept, authorization, cookie"));
}

/// The mark of a place in a list: an instant and a name, as one opaque word.
#[must_use]
pub fn cursor(at: i64, name: &str) -> String {
    format!("{:016x}{name}", at.cast_unsigned() ^ (1 << 63))
}

/// The place that a mark means.
///
/// # Errors
/// 422 for a word that is no mark.
pub fn place(cursor: &str) -> Result<(i64, String), Problem> {
    let wrong = || Problem::parameter("cursor", "it is not one that this server gave");
    let (at, name) = cursor.split_at_checked(16).ok_or_else(wrong)?;
    let bits = at.bytes().all(|b| b.is_ascii_hexdigit()).then_some(at);
    let bits = bits.and_then(|b| u64::from_str_radix(b, 16).ok()).ok_or_else(wrong)?;
    Ok(((bits ^ (1 << 63)).cast_signed(), name.to_owned()))
}

/// An instant in the range that is kept.
///
/// # Errors
/// 422 outside 1970 to 2100.
pub fn instant(name: &str, us: Option<i64>) -> Result<Option<UtcMicros>, Problem> {
    match us {
        None => Ok(None),
        Some(us) if (0..=UtcMicros::LIMIT.micros()).contains(&us) => Ok(Some(UtcMicros::from_micros(us))),
        Some(us) => Err(Problem::parameter(name, format!("{us} lies outside 1970 to 2100"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        for (at, name) in [(0, ""), (-5, "a"), (i64::MAX, "018b-x"), (i64::MIN, "z")] {
            assert_eq!(place(&cursor(at, name)), Ok((at, name.to_owned())));
        }
        for wrong in ["", "xyz", "000000000000000g1", "+00000000000000f", "ä000000000000000"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_holds_the_same_bytes_is_told_so() {
        let first = marked(&HeaderMap::new(), "text/plain", b"one".to_vec());
        let tag = first.headers()[header::ETAG].clone();
        let mut request = HeaderMap::new();
        request.insert(header::IF_NONE_MATCH, tag);
        assert_eq!(
            marked(&request, "text/plain", b"one".to_vec()).status(),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(marked(&request, "text/plain", b"two".to_vec()).status(), StatusCode::OK);
    }
}
