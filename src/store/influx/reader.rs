//! Questions to a server: one request each, bounded in time and size.

use super::super::error::StoreError;
use super::super::ids::UtcMicros;
use super::super::query::{Completeness, Page};
use super::super::series::{SeriesBucket, SeriesHistory, SeriesQuery, page};
use super::address::Destination;
use super::influxql::{self, Answer};
use super::transport::{auth_headers, causes, http_client, read_bounded, small_runtime, unavailable};

/// Most of an answer that is read, bytes.
const BODY_MAX: usize = 32 << 20;

/// Asks a server. Calls block and must not be made on a thread of an async runtime.
pub struct InfluxReader {
    tasks: tokio::runtime::Runtime,
    client: reqwest::Client,
    there: Destination,
}

impl std::fmt::Debug for InfluxReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InfluxReader")
            .field("there", &self.there)
            .finish_non_exhaustive()
    }
}

impl InfluxReader {
    /// A reader of that destination. Nothing is asked yet.
    ///
    /// # Errors
    /// `Io` or `Rejected` for the certificate file; `Unavailable` when the client cannot be built.
    pub fn new(there: &Destination) -> Result<Self, StoreError> {
        let client = http_client(there, there.patience.query)?
            .default_headers(auth_headers(there)?)
            .build()
            .map_err(|e| unavailable(causes(e)))?;
        Ok(Self {
            tasks: small_runtime()?,
            client,
            there: there.clone(),
        })
    }

    /// The answer to any InfluxQL, times in milliseconds, as the server gives it.
    ///
    /// # Errors
    /// `Unavailable` without an answer, or with one that is not 200.
    pub fn ask(&self, influxql: &str) -> Result<Vec<u8>, StoreError> {
        let request = self.client.get(format!("{}/query", self.there.base())).query(&[
            ("db", self.there.bucket.as_str()),
            ("epoch", "ms"),
            ("q", influxql),
        ]);
        self.tasks.block_on(async {
            let answer = request.send().await.map_err(|e| unavailable(causes(e)))?;
            let status = answer.status().as_u16();
            let body = read_bounded(answer, BODY_MAX).await.map_err(unavailable)?;
            if status != 200 {
                let text: String = String::from_utf8_lossy(&body).chars().take(300).collect();
                return Err(unavailable(format!("HTTP {status} {}", text.trim())));
            }
            Ok(body)
        })
    }
}

impl SeriesHistory for InfluxReader {
    fn series(&self, query: &SeriesQuery) -> Result<Page<SeriesBucket, UtcMicros>, StoreError> {
        query.check()?;
        if query.from_ms >= query.to_ms {
            return Ok(page(Vec::new(), query.limit));
        }
        let body = self.ask(&influxql::render(query))?;
        match influxql::parse(&body, query)? {
            Answer::Whole(rows) => Ok(page(rows, query.limit)),
            Answer::Partial(mut rows) => {
                // The last bucket may be cut inside: it is asked for again.
                let resume_ms = rows.pop().map_or(query.from_ms, |last| last.start_ms);
                if rows.is_empty() {
                    return Err(unavailable(
                        "the server cuts answers off inside the first bucket".to_owned(),
                    ));
                }
                let mut cut = page(rows, query.limit);
                if cut.completeness == Completeness::Complete {
                    cut.completeness = Completeness::Truncated {
                        resume_at: UtcMicros::from_micros(resume_ms * 1000),
                    };
                }
                Ok(cut)
            }
        }
    }
}
