//! Queries that are written as a text.

use serde_json::{Map, Value};

use super::Query;
use super::full_text::{minimum_should_match, operator, weighted};
use super::parse::{Common, Tree};
use crate::RequestError;
use crate::query_string::{self, QueryStringOptions};
use crate::simple_query_string;
use crate::wire;

pub(super) fn query_string(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("query_string");
    let mut options = QueryStringOptions::default();
    let (mut text, mut minimum) = (None, None);
    for (key, value) in body {
        match key.as_str() {
            "query" => text = Some(wire::text(value, key)?),
            "default_field" if value.is_null() => {}
            "default_field" => options.fields = weighted(&[wire::text(value, key)?])?,
            "fields" => options.fields = weighted(&wire::texts(value, key)?)?,
            "default_operator" => options.operator = operator(&wire::text(value, key)?)?,
            // Without effect, as in `match`.
            "lenient" => {
                wire::boolean(value, key)?;
            }
            "phrase_slop" => options.phrase_slop = wire::unsigned(value, key)?,
            "allow_leading_wildcard" => options.leading_wildcard = wire::boolean(value, key)?,
            "time_zone" => {
                let zone = wire::text(value, key)?;
                crate::date::zone(&zone)?;
                options.time_zone = Some(zone);
            }
            "minimum_should_match" => minimum = minimum_should_match(value)?,
            "analyzer" | "quote_analyzer" => common.only(key, value.is_null() || value == "standard")?,
            "escape" => common.only(key, !wire::boolean(value, key)?)?,
            "fuzzy_prefix_length" => common.only(key, wire::integer(value, key)? == 0)?,
            "fuzziness" => common.only(key, value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("auto")))?,
            "quote_field_suffix" => common.only(key, value.is_null())?,
            "type" => common.only(key, matches!(value.as_str(), Some("best_fields" | "most_fields")))?,
            // They say how patterns are looked for and scores are joined.
            "analyze_wildcard"
            | "fuzzy_max_expansions"
            | "fuzzy_transpositions"
            | "fuzzy_rewrite"
            | "rewrite"
            | "tie_breaker"
            | "max_determinized_states"
            | "auto_generate_synonyms_phrase_query"
            | "enable_position_increments" => {}
            _ => common.take(key, value)?,
        }
    }
    let text = text.ok_or_else(|| RequestError::parsing("[query_string] must be provided with a [query]"))?;
    let query = query_string::parse(&text, &options)?;
    Ok(common.boosted(at_least(query, minimum, &common)?))
}

pub(super) fn simple_query_string(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("simple_query_string");
    let mut options = QueryStringOptions::default();
    let (mut text, mut minimum) = (None, None);
    for (key, value) in body {
        match key.as_str() {
            "query" => text = Some(wire::text(value, key)?),
            "fields" => options.fields = weighted(&wire::texts(value, key)?)?,
            "default_operator" => options.operator = operator(&wire::text(value, key)?)?,
            // Without effect, as in `match`.
            "lenient" => {
                wire::boolean(value, key)?;
            }
            "minimum_should_match" => minimum = minimum_should_match(value)?,
            "flags" => common.only(key, value == "ALL" || value == -1)?,
            "analyzer" => common.only(key, value.is_null() || value == "standard")?,
            "fuzzy_prefix_length" => common.only(key, wire::integer(value, key)? == 0)?,
            "quote_field_suffix" => common.only(key, value.is_null())?,
            "analyze_wildcard"
            | "fuzzy_max_expansions"
            | "fuzzy_transpositions"
            | "auto_generate_synonyms_phrase_query" => {}
            _ => common.take(key, value)?,
        }
    }
    let text = text.ok_or_else(|| RequestError::parsing("[simple_query_string] query text missing"))?;
    let query = simple_query_string::parse(&text, &options)?;
    Ok(common.boosted(at_least(query, minimum, &common)?))
}

/// Gives `minimum_should_match` to the clauses of a text at its top.
fn at_least(mut query: Query, minimum: Option<String>, common: &Common) -> Result<Query, RequestError> {
    let (Some(minimum), Query::QueryString(tree)) = (minimum, &mut query) else {
        return Ok(query);
    };
    match tree.as_mut() {
        Query::Bool { minimum_should_match, .. } | Query::Match { minimum_should_match, .. } => {
            *minimum_should_match = Some(minimum)
        }
        Query::MultiMatch { value, .. }
            if value.as_str().is_some_and(|text| text.split_whitespace().nth(1).is_some()) =>
        {
            return Err(common.unsupported("minimum_should_match over several fields"));
        }
        _ => {}
    }
    Ok(query)
}
