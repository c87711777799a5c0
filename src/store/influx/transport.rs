//! The way to the server: bodies in, answers out.
//!
//! [`LineTransport`] is all that the rest knows of it, so that the client library can be replaced in one file. The one
//! implementation uses `influxdb2` for the write call alone: what is written, how often and what an answer means is
//! decided elsewhere. It never follows a redirect (the token would go along), uses no proxy of the environment, speaks
//! HTTP/1.1 only, and bounds every wait.
//!
//! Calls block; they run tasks of their own inside and must not be made on a thread of an async runtime.

use super::super::error::StoreError;
use super::super::outbox::Erasure;
use super::address::Destination;
use super::delivery::Reply;
use super::points;
use influxdb2::api::write::TimestampPrecision;
use influxdb2::{Client, ClientBuilder, RequestError};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::json;
use std::time::Duration;

/// Most of an answer's text that is read, bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// Takes what a sink has to say.
pub trait LineTransport {
    /// Writes lines of the protocol, times in milliseconds.
    fn write(&self, body: Vec<u8>) -> Reply;

    /// Removes a span of points.
    fn erase(&self, erasure: &Erasure) -> Reply;
}

/// A client with the rules of this module's head.
pub(super) fn http_client(there: &Destination, timeout: Duration) -> Result<reqwest::ClientBuilder, StoreError> {
    let mut builder = reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(there.patience.connect)
        .pool_idle_timeout(there.patience.idle)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if let Some(path) = &there.ca_file {
        let pem = std::fs::read(path).map_err(|e| StoreError::io(path, &e))?;
        let certificate = reqwest::Certificate::from_pem(&pem)
            .map_err(|e| StoreError::rejected(path.display().to_string(), format!("it is no certificate: {e}")))?;
        builder = builder.add_root_certificate(certificate);
    }
    Ok(builder)
}

/// The header that carries the token, marked so that no log shows it.
pub(super) fn auth_headers(there: &Destination) -> Result<HeaderMap, StoreError> {
    let mut value = HeaderValue::from_str(&format!("Token {}", there.token.reveal()))
        .map_err(|_| StoreError::rejected("the token", "it cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

/// A thread of tasks for one client.
pub(super) fn small_runtime() -> Result<tokio::runtime::Runtime, StoreError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| unavailable(format!("no runtime: {e}")))
}

pub(super) fn unavailable(detail: String) -> StoreError {
    StoreError::Unavailable {
        retry_after: None,
        detail,
    }
}

/// What went wrong, down to the system's own words. The address goes out: it is known and only makes the line long.
pub(super) fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The implementation over `influxdb2`.
pub struct InfluxTransport {
    tasks: tokio::runtime::Runtime,
    client: Client,
    /// For deletions: the library cuts their times to whole seconds.
    direct: reqwest::Client,
    there: Destination,
}

impl std::fmt::Debug for InfluxTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InfluxTransport")
            .field("there", &self.there)
            .finish_non_exhaustive()
    }
}

impl InfluxTransport {
    /// A way to that destination. Nothing is sent yet.
    ///
    /// # Errors
    /// `Io` or `Rejected` for the certificate file; `Unavailable` when the client cannot be built.
    pub fn new(there: &Destination) -> Result<Self, StoreError> {
        let tasks = small_runtime()?;
        let builder = http_client(there, there.patience.request)?;
        // The address was parsed before: the library would panic on a bad one.
        let client = ClientBuilder::with_builder(builder, there.base(), &there.org, there.token.reveal())
            .build()
            .map_err(|_| unavailable("the HTTP client cannot be built".to_owned()))?;
        let direct = http_client(there, there.patience.request)?
            .default_headers(auth_headers(there)?)
            .build()
            .map_err(|e| unavailable(causes(e)))?;
        Ok(Self {
            tasks,
            client,
            direct,
            there: there.clone(),
        })
    }
}

impl LineTransport for InfluxTransport {
    fn write(&self, body: Vec<u8>) -> Reply {
        let sent = self.client.write_line_protocol_with_precision(
            &self.there.org,
            &self.there.bucket,
            body,
            TimestampPrecision::Milliseconds,
        );
        match self.tasks.block_on(sent) {
            Ok(()) => Reply::Taken,
            Err(RequestError::Http { status, text }) => Reply::Status(status.as_u16(), text),
            Err(RequestError::ReqwestProcessing { source }) => Reply::Silence(causes(source)),
            Err(other) => Reply::Silence(other.to_string()),
        }
    }

    fn erase(&self, erasure: &Erasure) -> Reply {
        // Points lie on whole milliseconds: the first at or below `from`, the last below `to`.
        let from_ms = erasure.from_us.div_euclid(1000);
        let to_ms = (erasure.to_us - 1).div_euclid(1000) + 1;
        let body = json!({
            "start": super::super::ids::UtcMicros::from_micros(from_ms * 1000).iso8601(),
            "stop": super::super::ids::UtcMicros::from_micros(to_ms * 1000).iso8601(),
            "predicate": format!(
                "_measurement=\"{}\" AND athlete=\"{}\"",
                points::measurement(erasure.measurement).as_str(),
                erasure.athlete
            ),
        });
        let request = self
            .direct
            .post(format!("{}/api/v2/delete", self.there.base()))
            .query(&[("org", self.there.org.as_str()), ("bucket", self.there.bucket.as_str())])
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        self.tasks.block_on(async {
            match request.send().await {
                Ok(answer) if answer.status().as_u16() == 204 || answer.status().as_u16() == 200 => Reply::Taken,
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    match read_bounded(answer, ANSWER_MAX).await {
                        Ok(text) => Reply::Status(status, String::from_utf8_lossy(&text).into_owned()),
                        Err(why) => Reply::Silence(why),
                    }
                }
                Err(e) => Reply::Silence(causes(e)),
            }
        })
    }
}

/// The body of an answer, but not more than `most` bytes of it.
pub(super) async fn read_bounded(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(causes)? {
        if body.len() + chunk.len() > most {
            return Err(format!("the answer is longer than {most} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
