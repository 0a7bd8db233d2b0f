//! `_mget`: documents by their ids.

use std::collections::BTreeMap;

use search_index::Found;
use search_query::source_filter::SourceFilter;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get | Post, "/_mget" => mget),
    route!(Get | Post, "/{index}/_mget" => mget),
    route!(Get | Post, "/{index}/{type}/_mget" => mget),
];

/// Documents of one request, as many as of one search.
const MAX_DOCUMENTS: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    docs: Vec<Wanted>,
    #[serde(default)]
    ids: Vec<Value>,
}

/// A document. Where it is placed (`routing`) and how it is read (`version`, `stored_fields`, …) makes no difference here.
#[derive(Deserialize)]
struct Wanted {
    #[serde(alias = "_index")]
    index: Option<String>,
    #[serde(alias = "_id")]
    id: Option<Value>,
    #[serde(rename = "_source")]
    source: Option<Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Document(Document<'a>),
    Failed(NotLookedFor<'a>),
}

/// A document whose index is not there.
#[derive(Serialize)]
struct NotLookedFor<'a> {
    _index: &'a str,
    _id: &'a str,
    error: Value,
}

/// Documents of one index that were asked for, and what there is.
type FoundIn<'a> = BTreeMap<&'a str, Result<BTreeMap<&'a str, Found>, ApiError>>;

async fn mget(context: &Context, call: &Call) -> Outcome {
    if call.request.body.is_empty() {
        return Err(ApiError::no_body());
    }
    let default = SourceFilter::from_parameters(&call.request.parameters.0).unwrap_or_default();
    let wanted = wanted(call, &default)?;
    let mut by_index: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (index, id, _) in &wanted {
        by_index.entry(index).or_default().push(id);
    }
    let mut found = FoundIn::new();
    for (index, ids) in by_index {
        found.insert(index, find(context, index, ids).await);
    }
    let mut documents = Vec::with_capacity(wanted.len());
    for (index, id, filter) in &wanted {
        documents.push(match found.get(index.as_str()) {
            Some(Err(error)) => Answer::Failed(NotLookedFor { _index: index, _id: id, error: error.error() }),
            found => {
                let found = found.and_then(|found| found.as_ref().ok()).and_then(|found| found.get(id.as_str()));
                Answer::Document(Document::new(context, index, id, found, filter)?)
            }
        });
    }
    Reply::ok(&BTreeMap::from([("docs", documents)]))
}

async fn find<'a>(context: &Context, index: &str, mut ids: Vec<&'a str>) -> Result<BTreeMap<&'a str, Found>, ApiError> {
    ids.sort_unstable();
    ids.dedup();
    let found = targets::reader(context, index).await?.get(&ids).await?;
    Ok(ids.into_iter().zip(found).filter_map(|(id, found)| Some((id, found?))).collect())
}

fn wanted(call: &Call, default: &SourceFilter) -> Result<Vec<(String, String, SourceFilter)>, ApiError> {
    let body: Body = serde_json::from_slice(&call.request.body)
        .map_err(|error| ApiError::new(400, "parsing_exception", format!("_mget: {error}")))?;
    let ids = body.ids.into_iter().map(|id| Wanted { index: None, id: Some(id), source: None });
    let mut missing = Vec::new();
    let mut wanted = Vec::new();
    for (at, doc) in body.docs.into_iter().chain(ids).enumerate() {
        let index = doc.index.filter(|index| !index.is_empty()).unwrap_or_else(|| call.index().to_owned());
        if index.is_empty() {
            missing.push(format!("index is missing for doc {at}"));
        }
        let Some(id) = doc.id.as_ref().and_then(text) else {
            missing.push(format!("id is missing for doc {at}"));
            continue;
        };
        let filter = doc.source.as_ref().map(SourceFilter::parse).transpose()?.unwrap_or_else(|| default.clone());
        wanted.push((index, id, filter));
    }
    if wanted.is_empty() && missing.is_empty() {
        missing.push("no documents to get".to_owned());
    }
    if !missing.is_empty() {
        let list: String = missing.iter().enumerate().map(|(at, what)| format!(" {}: {what};", at + 1)).collect();
        return Err(ApiError::new(400, "action_request_validation_exception", format!("Validation Failed:{list}")));
    }
    if wanted.len() > MAX_DOCUMENTS {
        return Err(ApiError::illegal(format!("more than {MAX_DOCUMENTS} documents in one _mget")));
    }
    Ok(wanted)
}

fn text(id: &Value) -> Option<String> {
    match id {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
