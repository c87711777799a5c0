//! Series from a copy: [`SeriesQuery`] as InfluxQL, and its answer as buckets. Text in, text out.
//!
//! InfluxQL is the one dialect that versions 1, 2 (with a mapping of database to bucket) and 3 share. Its manners, as
//! seen on 1.6.7: an error comes inside a good answer; a field nobody wrote, or an empty span, is a result without a
//! series; whole numbers print without a point; what is absent is `null`.

use super::super::error::StoreError;
use super::super::query::SideFilter;
use super::super::series::{Aggregate, SeriesBucket, SeriesQuery};
use super::points::{self, seen_from_tag, side_tag};
use serde_json::Value;
use std::fmt::Write as _;

/// A text as InfluxQL quotes it. Ids hold nothing that needs it; quoting does not rely on that.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

fn function(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Count => "count",
        Aggregate::Mean => "mean",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
        Aggregate::Sum => "sum",
        Aggregate::First => "first",
        Aggregate::Last => "last",
    }
}

/// The question as InfluxQL. It asks for one bucket more than wanted, to know where the rest begins.
#[must_use]
pub fn render(query: &SeriesQuery) -> String {
    // Every stride has an index, so counting it counts strides.
    let mut q = String::from("SELECT count(\"idx\") AS \"n\"");
    // Writing to a String cannot fail. Names come from the registry.
    for (i, metric) in query.metrics.iter().enumerate() {
        let _ = write!(
            q,
            ", {}(\"{}\") AS \"v{i}\"",
            function(query.aggregate),
            metric.def().name
        );
    }
    let _ = write!(
        q,
        " FROM \"{}\" WHERE time >= {}ms AND time < {}ms AND \"athlete\" = {}",
        points::STRIDE.as_str(),
        query.from_ms,
        query.to_ms,
        quoted(query.athlete.as_str())
    );
    if let SideFilter::Only(side) = query.side {
        let _ = write!(q, " AND \"side\" = {}", quoted(side_tag(Some(side))));
    }
    if let Some(segment) = query.seen_from {
        let _ = write!(q, " AND \"seen_from\" = {}", quoted(seen_from_tag(segment)));
    }
    if let Some(session) = &query.session {
        let _ = write!(q, " AND \"session\" = {}", quoted(session.as_str()));
    }
    let _ = write!(
        q,
        " GROUP BY time({}ms, {}ms) fill(none) ORDER BY time ASC LIMIT {}",
        query.width_ms,
        query.from_ms.rem_euclid(query.width_ms),
        query.limit.max(1).saturating_add(1)
    );
    q
}

/// What an answer holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Buckets; more than the limit when there are more.
    Whole(Vec<SeriesBucket>),
    /// The server cut it off by a limit of its own.
    Partial(Vec<SeriesBucket>),
}

/// Reads an answer to [`render`] with times in milliseconds.
///
/// # Errors
/// `Unavailable` with the server's words when it says an error; `Corrupt` for an answer of another shape.
pub fn parse(body: &[u8], query: &SeriesQuery) -> Result<Answer, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt {
        detail: format!("the server's answer: {what}"),
    };
    let value: Value = serde_json::from_slice(body).map_err(|e| corrupt(&e.to_string()))?;
    let result = &value["results"][0];
    for error in [&value["error"], &result["error"]] {
        if let Some(text) = error.as_str() {
            return Err(StoreError::Unavailable {
                retry_after: None,
                detail: format!("the server says: {text}"),
            });
        }
    }
    if !result.is_object() {
        return Err(corrupt("it holds no result"));
    }
    let Some(series) = result.get("series") else {
        return Ok(Answer::Whole(Vec::new()));
    };
    // Grouped by time alone there is one series.
    let series = match series.as_array().map(Vec::as_slice) {
        Some([one]) => one,
        Some([]) => return Ok(Answer::Whole(Vec::new())),
        _ => return Err(corrupt("it holds several series")),
    };
    let partial = [result, series].iter().any(|v| v["partial"].as_bool() == Some(true));
    let columns = series["columns"].as_array().ok_or_else(|| corrupt("no columns"))?;
    if columns.len() != 2 + query.metrics.len() {
        return Err(corrupt("another number of columns than asked for"));
    }
    let mut buckets = Vec::new();
    for row in series["values"].as_array().ok_or_else(|| corrupt("no values"))? {
        let cells = row
            .as_array()
            .filter(|c| c.len() == columns.len())
            .ok_or_else(|| corrupt("a row of another length"))?;
        let value = |cell: &Value| match cell {
            Value::Null => Ok(None),
            cell => cell
                .as_f64()
                .map(Some)
                .ok_or_else(|| corrupt("a value that is no number")),
        };
        let values = cells[2..].iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let empty = query.aggregate == Aggregate::Count;
        let strides = cells[1].as_u64().unwrap_or(0);
        if strides == 0 {
            continue;
        }
        buckets.push(SeriesBucket {
            start_ms: cells[0].as_i64().ok_or_else(|| corrupt("a time that is no number"))?,
            strides,
            // A count of none is absence here as everywhere.
            values: values
                .into_iter()
                .map(|v| v.filter(|v| !(empty && *v == 0.0)))
                .collect(),
        });
    }
    Ok(if partial {
        Answer::Partial(buckets)
    } else {
        Answer::Whole(buckets)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::MetricId;
    use crate::model::Side;
    use crate::store::{AthleteId, SessionId};

    fn query() -> SeriesQuery {
        SeriesQuery {
            athlete: AthleteId::parse("anna").expect("an id"),
            from_ms: 1_000_250,
            to_ms: 1_060_250,
            metrics: vec![MetricId::Cadence, MetricId::ContactTime],
            side: SideFilter::Only(Side::Left),
            seen_from: None,
            session: Some(SessionId::parse("s1").expect("an id")),
            width_ms: 1000,
            aggregate: Aggregate::Mean,
            limit: 10,
        }
    }

    #[test]
    fn a_question_is_rendered_with_its_buckets_on_its_own_start() {
        assert_eq!(
            render(&query()),
            "SELECT count(\"idx\") AS \"n\", mean(\"cadence\") AS \"v0\", mean(\"contact_time\") AS \"v1\" \
             FROM \"gait_stride\" WHERE time >= 1000250ms AND time < 1060250ms AND \"athlete\" = 'anna' \
             AND \"side\" = 'left' AND \"session\" = 's1' \
             GROUP BY time(1000ms, 250ms) fill(none) ORDER BY time ASC LIMIT 11"
        );
    }

    #[test]
    fn quoting_leaves_no_way_out() {
        assert_eq!(quoted(r"it's \' x"), r"'it\'s \\\' x'");
    }

    #[test]
    fn answers_are_read_as_servers_give_them() {
        let rows = br#"{"results":[{"statement_id":0,"series":[{"name":"gait_stride","columns":["time","n","v0","v1"],
            "values":[[1000250,2,171,null],[1003250,1,null,0.25]]}]}]}"#;
        let bucket = |start_ms, strides, values: [Option<f64>; 2]| SeriesBucket {
            start_ms,
            strides,
            values: values.to_vec(),
        };
        let want = vec![
            bucket(1_000_250, 2, [Some(171.0), None]),
            bucket(1_003_250, 1, [None, Some(0.25)]),
        ];
        assert_eq!(parse(rows, &query()), Ok(Answer::Whole(want.clone())));
        let cut = String::from_utf8_lossy(rows)
            .replace("]}]}]}", "]],\"partial\":true}]}]}")
            .replace("]]]", "]]");
        assert_eq!(parse(cut.as_bytes(), &query()), Ok(Answer::Partial(want)));
        assert_eq!(
            parse(br#"{"results":[{"statement_id":0}]}"#, &query()),
            Ok(Answer::Whole(vec![]))
        );
        for (body, unavailable) in [
            (&br#"{"results":[{"error":"no such db"}]}"#[..], true),
            (br#"{"error":"token"}"#, true),
            (br#"{"results":[]}"#, false),
            (br#"{"results":[{"series":[{"columns":["time"],"values":[]}]}]}"#, false),
            (
                br#"{"results":[{"series":[{"columns":["time","n","a","b"],"values":[[1,1,"x",2]]}]}]}"#,
                false,
            ),
            (b"<html>", false),
            (b"", false),
        ] {
            let error = parse(body, &query()).expect_err("no answer");
            assert_eq!(matches!(error, StoreError::Unavailable { .. }), unavailable, "{error}");
        }
    }
}
