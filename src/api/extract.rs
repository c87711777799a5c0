//! Taking requests apart, with problems instead of plain text when they do not fit.

use super::problem::Problem;
use crate::model::{SessionTime, Side, Span};
use crate::store::journal::{Day, EntryId};
use crate::store::{AthleteId, SessionId, SideFilter};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// Query parameters.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Query(value) = axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// Parts of the path.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// A JSON body.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// The athlete of that id.
///
/// # Errors
/// An id that cannot be one is an athlete who is not there.
pub fn athlete(text: &str) -> Result<AthleteId, Problem> {
    AthleteId::parse(text).map_err(|_| Problem::not_found("such athlete"))
}

/// The session of that id.
///
/// # Errors
/// As [`athlete`].
pub fn session(text: &str) -> Result<SessionId, Problem> {
    SessionId::parse(text).map_err(|_| Problem::not_found("such session"))
}

/// The id of an entry.
///
/// # Errors
/// 422 for one that cannot be kept.
pub fn entry(text: &str) -> Result<EntryId, Problem> {
    EntryId::parse(text).map_err(|e| Problem::parameter("id", e))
}

/// A day, where one is given.
///
/// # Errors
/// 422 unless it is written 2026-03-01.
pub fn day(name: &str, text: Option<&str>) -> Result<Option<Day>, Problem> {
    text.map(|t| Day::parse(t).map_err(|e| Problem::parameter(name, e)))
        .transpose()
}

/// A side, where one is given.
///
/// # Errors
/// 422 unless it is left, right or both.
pub fn side(text: Option<&str>) -> Result<SideFilter, Problem> {
    match text {
        None | Some("both") => Ok(SideFilter::All),
        Some("left") => Ok(SideFilter::Only(Side::Left)),
        Some("right") => Ok(SideFilter::Only(Side::Right)),
        Some(other) => Err(Problem::parameter(
            "side",
            format!("{other:?} is not left, right or both"),
        )),
    }
}

/// Longest time from the start of a session that is asked about, s.
const LATEST_S: f64 = 366.0 * 86_400.0;

/// The span from `from_s` to `to_s` since the session's start; what is not given is as far as anything reaches.
///
/// # Errors
/// 422 for numbers that are not finite, or that run backwards.
pub fn span(from_s: Option<f64>, to_s: Option<f64>) -> Result<Span, Problem> {
    let (from, to) = (from_s.unwrap_or(-LATEST_S), to_s.unwrap_or(LATEST_S));
    if !from.is_finite() || !to.is_finite() {
        return Err(Problem::parameter("from_s, to_s", "not a finite number of seconds"));
    }
    let at = |s: f64| SessionTime::from_secs(s.clamp(-LATEST_S, LATEST_S));
    Span::new(at(from), at(to)).ok_or_else(|| Problem::parameter("from_s, to_s", "the span runs backwards"))
}

/// A count between 1 and `most`.
///
/// # Errors
/// 422 outside.
pub fn limit(given: Option<u32>, otherwise: usize, most: usize) -> Result<usize, Problem> {
    match given.map(|n| n as usize) {
        None => Ok(otherwise),
        Some(n) if (1..=most).contains(&n) => Ok(n),
        Some(n) => Err(Problem::parameter("limit", format!("{n} is not between 1 and {most}"))),
    }
}

/// Whether a confirmation names what is to be deleted.
///
/// # Errors
/// 422 unless it does.
pub fn confirmed(confirm: &str, id: &str) -> Result<(), Problem> {
    if confirm == id {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "lope::api::confirm",
        "Nothing was deleted: `confirm` must be the id of what is to be deleted.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_bounded_however_it_is_asked_for() {
        assert!(span(Some(f64::NAN), None).is_err() && span(None, Some(f64::INFINITY)).is_err());
        assert!(span(Some(5.0), Some(1.0)).is_err());
        let all = span(Some(-1e300), Some(1e300)).expect("clamped");
        assert!(all.start() < all.end());
    }

    #[test]
    fn a_limit_is_never_nothing_and_never_too_much() {
        assert_eq!(limit(None, 50, 100).ok(), Some(50));
        assert_eq!(limit(Some(100), 50, 100).ok(), Some(100));
        assert!(limit(Some(0), 50, 100).is_err() && limit(Some(101), 50, 100).is_err());
    }
}
