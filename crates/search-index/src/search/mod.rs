//! Searching.

mod date_math;
mod field;
mod lower;

use bytes::Bytes;
use search_query::SearchRequest;
use search_query::query::Query;
use serde_json::Value;

use crate::{Error, Reader};

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

/// Searches commits of some indexes as one.
pub async fn search(_readers: &[Reader], _request: &SearchRequest, _now: i64) -> Result<Answer, Error> {
    Err(Error::Engine("to be written".into()))
}

/// Counts.
pub async fn count(_readers: &[Reader], _query: &Query, _now: i64) -> Result<Answer, Error> {
    Err(Error::Engine("to be written".into()))
}

/// A value of a request as text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
