//! Everything that goes wrong, in one shape: `application/problem+json` (RFC 9457) with the code, facts and words of the
//! command line.
//!
//! What lies inside (paths of this machine, words of the database) stays inside: a problem of ours says only that it is
//! ours.

use crate::store::StoreError;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`; the kind is in `code`.
    r#type: &'static str,
    /// What happened, in a few words.
    title: String,
    /// HTTP status.
    status: u16,
    /// `lope::area::name`, for programs.
    code: &'static str,
    /// What happened, in a sentence.
    detail: String,
    /// What was found.
    facts: Vec<String>,
}

/// Why a request is not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Status.
    pub status: StatusCode,
    /// `lope::area::name`.
    pub code: &'static str,
    /// In a sentence.
    pub detail: String,
    /// What was found.
    pub facts: Vec<String>,
    /// Seconds after which it may be tried again.
    pub retry_after_s: Option<u64>,
}

impl Problem {
    /// A problem of that status and code.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            facts: Vec::new(),
            retry_after_s: None,
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, fact: impl Into<String>) -> Self {
        self.facts.push(fact.into());
        self
    }

    /// What was asked for is not there, or not for this caller: the two read alike, so that nobody learns which ids exist.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "lope::api::not_found",
            format!("There is no {what}, or it is not yours to see."),
        )
    }

    /// A parameter that cannot be read.
    #[must_use]
    pub fn parameter(name: &str, why: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "lope::api::parameter",
            format!("The parameter {name} cannot be used."),
        )
        .fact(why.to_string())
    }

    /// The caller's role does not reach this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "lope::access::role", detail)
    }

    /// Something of ours went wrong.
    #[must_use]
    pub fn ours(what: &'static str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "lope::api::ours", what)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            facts: self.facts,
        };
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"lope\""),
            );
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let words = error.to_string();
        match error {
            StoreError::Missing { .. } => Self::not_found("such thing").fact(words),
            StoreError::Busy { .. } => {
                let mut problem = Self::new(
                    StatusCode::CONFLICT,
                    "lope::store::busy",
                    "Another lope writes to this record now.",
                )
                .fact(words);
                problem.retry_after_s = Some(5);
                problem
            }
            StoreError::Conflict { .. } | StoreError::Overlap { .. } => Self::new(
                StatusCode::CONFLICT,
                "lope::store::conflict",
                "It contradicts what is kept already.",
            )
            .fact(words),
            StoreError::Rejected { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "lope::store::rejected",
                "It says something that cannot be kept.",
            )
            .fact(words),
            StoreError::Unavailable { .. } => {
                let mut problem = Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "lope::store::unavailable",
                    "The record cannot be reached now.",
                );
                problem.retry_after_s = Some(5);
                problem
            }
            StoreError::Full { .. } => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "lope::store::full",
                "There is no room left on the disk.",
            ),
            StoreError::Corrupt { .. } | StoreError::TooNew { .. } | StoreError::Io { .. } => {
                Self::ours("The record cannot be read; lope doctor says more.")
            }
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "lope::api::parameter",
            "The parameters cannot be used.",
        )
        .fact(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::not_found("such address").fact(rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let (code, detail) = match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("lope::api::content_type", "The body must be application/json."),
            StatusCode::PAYLOAD_TOO_LARGE => ("lope::api::too_large", "The body is larger than 1 MiB."),
            StatusCode::BAD_REQUEST => ("lope::api::body", "The body is not JSON."),
            _ => ("lope::api::body", "The body does not say what is expected."),
        };
        Self::new(rejection.status(), code, detail).fact(rejection.body_text())
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), "lope::api::too_large", "The body cannot be taken.").fact(rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_inside_stays_inside() {
        let inside = StoreError::Io {
            path: "secret-folder/lope.db".into(),
            detail: "denied".to_owned(),
        };
        let problem = Problem::from(inside);
        assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!format!("{problem:?}").contains("secret"));
    }
}
