//! Searching.
//!
//! ```text
//! SearchRequest ─ plan (per index: lower, sort, aggregate) ─▶ Plan
//! manifest ─ prune ─▶ splits that can match ─ split::open (reads ahead) ─▶ split::run ─▶ candidates, partials
//!            candidates of all splits ─ execute: merge ─▶ page ─ documents ─▶ hits;  partials ─ aggregate: merge, render ─▶ JSON
//! ```

mod aggregate;
mod date_math;
mod execute;
mod field;
mod lower;
mod plan;
mod prune;
mod sort;
mod split;
mod statistics;
#[cfg(test)]
mod tests;
mod top;

use bytes::Bytes;
use search_query::query::Query;
use search_query::{RequestError, SearchRequest, TrackTotalHits};
use serde_json::Value;

use crate::{Error, Reader};

pub use execute::search;

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// So many,
    pub value: u64,
    /// and perhaps more.
    pub at_least: bool,
}

/// A hit.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// `_index`.
    pub index: String,
    /// `_id`.
    pub id: String,
    /// `_score`; none when sorted by something else.
    pub score: Option<f32>,
    /// `_source` whole, byte for byte; the caller filters it.
    pub source: Bytes,
    /// `sort`: the values it was sorted by.
    pub sort: Vec<Value>,
    /// `_seq_no`.
    pub seq_no: u64,
    /// `_version`.
    pub version: u64,
}

/// A split that could not be searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its index.
    pub index: String,
    /// Its object.
    pub object: String,
    /// Why.
    pub reason: String,
}

/// The answer to a search.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// `hits.total`; none with `track_total_hits: false`.
    pub total: Option<Total>,
    /// `hits.max_score`.
    pub max_score: Option<f32>,
    /// `hits.hits`.
    pub hits: Vec<Hit>,
    /// `aggregations`, an object in the order of the request; none if none were asked for.
    pub aggregations: Option<Value>,
    /// Splits that there are.
    pub splits: usize,
    /// Splits that could not match, and were not read.
    pub skipped: usize,
    /// Splits that could not be searched. The rest of the answer is about the others.
    pub failures: Vec<Failure>,
}

/// Counts.
pub async fn count(readers: &[Reader], query: &Query, now: i64) -> Result<Answer, Error> {
    let track_total_hits = TrackTotalHits::Exact;
    let request = SearchRequest { query: query.clone(), size: 0, track_total_hits, ..SearchRequest::default() };
    search(readers, &request, now).await
}

/// A value of a request as text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What the request's own parser says.
fn refused(error: RequestError) -> Error {
    Error::Request { kind: error.kind, reason: error.reason }
}

/// A text field is sorted by or aggregated on.
fn fielddata(field: &str, index: &str) -> Error {
    Error::Request {
        kind: "illegal_argument_exception",
        reason: format!(
            "Fielddata is disabled on [{field}] in [{index}]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [{field}] in order to load field data by uninverting the inverted index. Note that this can use significant memory."
        ),
    }
}
