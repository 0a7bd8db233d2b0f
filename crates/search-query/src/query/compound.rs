//! Queries of queries, and those without a field.

use serde_json::{Map, Value};

use super::Query;
use super::parse::{Common, Tree};
use crate::RequestError;
use crate::wire;

pub(super) fn match_all(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("match_all");
    body.iter().try_for_each(|(key, value)| common.take(key, value))?;
    Ok(common.boosted(Query::MatchAll))
}

pub(super) fn match_none(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("match_none");
    body.iter().try_for_each(|(key, value)| common.take(key, value))?;
    Ok(Query::MatchNone)
}

pub(super) fn bool(body: &Map<String, Value>, tree: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("bool");
    let (mut must, mut filter, mut should, mut must_not) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut minimum_should_match = None;
    for (key, value) in body {
        match key.as_str() {
            "must" => must = clauses(value, tree)?,
            "filter" => filter = clauses(value, tree)?,
            "should" => should = clauses(value, tree)?,
            "must_not" => must_not = clauses(value, tree)?,
            "minimum_should_match" => minimum_should_match = super::full_text::minimum_should_match(value)?,
            "adjust_pure_negative" => common.only(key, wire::boolean(value, key)?)?,
            _ => common.take(key, value)?,
        }
    }
    if must.is_empty() && filter.is_empty() && should.is_empty() && must_not.is_empty() {
        return Ok(common.boosted(Query::MatchAll));
    }
    Ok(common.boosted(Query::Bool { must, filter, should, must_not, minimum_should_match }))
}

/// One query or some.
fn clauses(value: &Value, tree: &mut Tree) -> Result<Vec<Query>, RequestError> {
    match value {
        Value::Array(items) => items.iter().map(|item| tree.query(item)).collect(),
        Value::Null => Ok(Vec::new()),
        _ => Ok(vec![tree.query(value)?]),
    }
}

pub(super) fn constant_score(body: &Map<String, Value>, tree: &mut Tree) -> Result<Query, RequestError> {
    let common = Common::new("constant_score");
    let (mut filter, mut boost) = (None, 1.0);
    for (key, value) in body {
        match key.as_str() {
            "filter" if value.is_array() => {
                return Err(RequestError::parsing(
                    "unexpected token [START_ARRAY]: [constant_score] takes one query as [filter]",
                ));
            }
            "filter" => filter = Some(Box::new(tree.query(value)?)),
            "boost" => boost = wire::score(value, key)?,
            "_name" => {}
            _ => return Err(common.unknown(key)),
        }
    }
    let filter = filter.ok_or_else(|| RequestError::parsing("[constant_score] requires a 'filter' element"))?;
    Ok(Query::ConstantScore { filter, boost })
}

/// A query that all of some must match.
pub(crate) fn all_of(mut queries: Vec<Query>) -> Query {
    match queries.len() {
        0 => Query::MatchNone,
        1 => queries.swap_remove(0),
        _ => {
            Query::Bool { must: queries, filter: vec![], should: vec![], must_not: vec![], minimum_should_match: None }
        }
    }
}

/// A query that one of some must match.
pub(crate) fn any_of(mut queries: Vec<Query>) -> Query {
    match queries.len() {
        0 => Query::MatchNone,
        1 => queries.swap_remove(0),
        _ => {
            Query::Bool { must: vec![], filter: vec![], should: queries, must_not: vec![], minimum_should_match: None }
        }
    }
}
