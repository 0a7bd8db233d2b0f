//! The body of a search.

use serde_json::Value;

use super::{SearchRequest, StoredFields, TrackTotalHits, from, size};
use crate::RequestError;
use crate::aggregation::Aggregation;
use crate::query::Query;
use crate::sort::Sort;
use crate::source_filter::SourceFilter;
use crate::suggestion::did_you_mean;
use crate::wire;

/// Keys that are read.
const KNOWN: &[&str] = &[
    "_source",
    "aggregations",
    "aggs",
    "from",
    "min_score",
    "post_filter",
    "query",
    "search_after",
    "seq_no_primary_term",
    "size",
    "sort",
    "stored_fields",
    "track_total_hits",
    "version",
];

/// Keys that say how a cluster goes about a search, not what it answers.
const WITHOUT_EFFECT: &[&str] = &["ext", "stats", "terminate_after", "timeout"];

/// Keys of Elasticsearch that are not supported. Empty, they ask for nothing.
const UNSUPPORTED: &[&str] = &[
    "collapse",
    "docvalue_fields",
    "explain",
    "fields",
    "highlight",
    "indices_boost",
    "knn",
    "pit",
    "profile",
    "rank",
    "rescore",
    "retriever",
    "runtime_mappings",
    "script_fields",
    "slice",
    "suggest",
    "track_scores",
];

/// A body as JSON; none if it is empty.
pub(super) fn json(body: &[u8]) -> Result<Option<Value>, RequestError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(body).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        let text = e.to_string();
        let what = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
        RequestError { kind: "x_content_parse_exception", reason: format!("[{line}:{column}] {what}"), status: 400 }
    })?;
    match value {
        Value::Object(_) => Ok(Some(value)),
        other => Err(RequestError::parsing(format!("Expected [START_OBJECT] but found [{}]", wire::token(&other)))),
    }
}

pub(super) fn read(body: &Value, request: &mut SearchRequest, stored: &mut StoredFields) -> Result<(), RequestError> {
    for (key, value) in wire::object(body, "body")? {
        match key.as_str() {
            "query" => request.query = Query::parse(value)?,
            "post_filter" => request.post_filter = Some(Query::parse(value)?),
            "from" => request.from = from(value)?,
            "size" => request.size = size(value)?,
            "sort" => request.sort = Sort::parse(value)?,
            "search_after" => request.search_after = Some(search_after(value)?),
            "_source" => {
                request.source = SourceFilter::parse(value)?;
                stored.source_given = true;
            }
            "stored_fields" => stored.take(&wire::texts(value, key)?)?,
            "track_total_hits" => request.track_total_hits = TrackTotalHits::parse(value)?,
            "aggs" | "aggregations" => request.aggregations = Aggregation::parse_all(value)?,
            "seq_no_primary_term" => request.seq_no_primary_term = wire::boolean(value, key)?,
            "version" => request.version = wire::boolean(value, key)?,
            "min_score" if value.is_null() => {}
            "min_score" => request.min_score = Some(wire::score(value, key)?),
            _ if WITHOUT_EFFECT.contains(&key.as_str())
                || UNSUPPORTED.contains(&key.as_str()) && wire::is_nothing(value) => {}
            _ if UNSUPPORTED.contains(&key.as_str()) => return Err(wire::unsupported("search", key)),
            _ => return Err(unknown(key, value)),
        }
    }
    Ok(())
}

fn unknown(key: &str, value: &Value) -> RequestError {
    let known = [KNOWN, WITHOUT_EFFECT, UNSUPPORTED].into_iter().flatten().copied();
    let RequestError { kind, reason, status } = wire::unknown_key(key, value);
    RequestError { kind, reason: format!("{reason}{}", did_you_mean(key, known)), status }
}

fn search_after(value: &Value) -> Result<Vec<Value>, RequestError> {
    let Value::Array(values) = value else {
        return Err(RequestError::parsing(format!(
            "Expected [START_ARRAY] in [search_after] but found [{}]",
            wire::token(value)
        )));
    };
    if values.is_empty() {
        return Err(RequestError::illegal("Values must contains at least one value."));
    }
    let each = |value: &Value| if value.is_null() { Ok(Value::Null) } else { wire::scalar(value, "search_after") };
    values.iter().map(each).collect()
}
