//! The URL's parameters of a search.

use serde_json::Value;

use super::{SearchRequest, StoredFields, TrackTotalHits, from, size};
use crate::RequestError;
use crate::query::Query;
use crate::query::full_text::{operator, weighted};
use crate::query_string::{self, QueryStringOptions};
use crate::sort::Sort;
use crate::source_filter::SourceFilter;
use crate::wire;

pub(super) fn read(
    parameters: &[(String, String)],
    request: &mut SearchRequest,
    stored: &mut StoredFields,
) -> Result<(), RequestError> {
    if let Some(query) = query(parameters)? {
        request.query = query;
    }
    if let Some(filter) = SourceFilter::from_parameters(parameters) {
        request.source = filter;
        stored.source_given = true;
    }
    for (name, text) in parameters {
        match name.as_str() {
            "from" => request.from = from(&number(name, text)?)?,
            "size" => request.size = size(&number(name, text)?)?,
            "sort" => request.sort = Sort::parse_parameter(text)?,
            "track_total_hits" => {
                request.track_total_hits = TrackTotalHits::parse(&Value::String(flag(text).to_owned()))?
            }
            "seq_no_primary_term" => request.seq_no_primary_term = wire::boolean_text(flag(text), name)?,
            "version" => request.version = wire::boolean_text(flag(text), name)?,
            "min_score" => request.min_score = Some(wire::score(&Value::String(text.clone()), name)?),
            "stored_fields" => stored.take(&list(text))?,
            "explain" | "track_scores" if !wire::boolean_text(flag(text), name)? => {}
            "docvalue_fields" if text.is_empty() => {}
            "explain" | "track_scores" | "docvalue_fields" | "suggest_field" | "suggest_mode" | "suggest_size"
            | "suggest_text" => {
                return Err(wire::unsupported("search", name));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `q`, with `df`, `default_operator`, `lenient`, `analyzer`.
pub(super) fn query(parameters: &[(String, String)]) -> Result<Option<Query>, RequestError> {
    let mut text = None;
    let mut options = QueryStringOptions::default();
    for (name, value) in parameters {
        match name.as_str() {
            "q" => text = Some(value),
            "df" if value.is_empty() => {}
            "df" => options.fields = weighted(std::slice::from_ref(value))?,
            "default_operator" => options.operator = operator(value)?,
            "lenient" => {
                wire::boolean_text(flag(value), name)?;
            }
            "analyzer" if value != "standard" => return Err(wire::unsupported("analyzer", value)),
            _ => {}
        }
    }
    text.map(|text| query_string::parse(text, &options)).transpose()
}

/// A parameter without a value (`?version`) is on.
fn flag(text: &str) -> &str {
    if text.is_empty() { "true" } else { text }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn number(name: &str, text: &str) -> Result<Value, RequestError> {
    text.parse::<i64>()
        .map(Value::from)
        .map_err(|_| RequestError::illegal(format!("Failed to parse int parameter [{name}] with value [{text}]")))
}
