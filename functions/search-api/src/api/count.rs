//! `_count`.

use search_index::search;
use search_query::SearchRequest;
use serde_json::{Value, json};

use super::search::{none_left, shards};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get | Post, "/_count" => count),
    route!(Get | Post, "/{index}/_count" => count),
    route!(Get | Post, "/{index}/{type}/_count" => count),
];

async fn count(context: &Context, call: &Call) -> Outcome {
    only_query(&call.request.body)?;
    let request = SearchRequest::parse(&call.request.body, &call.request.parameters.0)?;
    let readers = Targets::of(call)?.readers(context).await?;
    let name = readers.first().map_or("", |reader| reader.name.as_str());
    let answer = search::count(&readers, &request.query, call.request.now)
        .await
        .map_err(|error| ApiError::of_search(error, name))?;
    none_left(&answer)?;
    let total = answer.total.map_or(0, |total| total.value);
    Reply::ok(&json!({"count": total, "_shards": shards(&readers, &answer)}))
}

/// A count has nothing but a query: it does not page, sort or aggregate.
fn only_query(body: &[u8]) -> Result<(), ApiError> {
    // What is not an object is the request parser's business.
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return Ok(()) };
    match body.keys().find(|key| *key != "query") {
        Some(key) => Err(ApiError::new(400, "parsing_exception", format!("request does not support [{key}]"))),
        None => Ok(()),
    }
}
